"""Appendices B and C: the ladder in time, and the powers of the rotor (Figs. 6-8)."""

import numpy as np

from .base import Claim
from .rotor_devices import CUT, FIG_2, FIG_6, FIG_7, device, thermal_start
from .rotor_judging import CORRECTED, FAILS, at_x, verdict
from .rotor_quantities import (
    backaction,
    intrinsic,
    net,
    point,
    rotor_populations,
)

# -------------------------------------------------------------------- Apps. B and C


def truncation_claims() -> list[Claim]:
    """Figs. 6 and 7."""
    steady = rotor_populations(point("rotor_local", {**FIG_6, **CUT}))
    loaded = rotor_populations(point("rotor_local", {**FIG_7, **CUT}))
    wide = rotor_populations(point("rotor_local", FIG_7))
    late = rotor_populations(point("rotor_local", {**FIG_6, "time": 3e4}))
    gone = sum(value for l, value in late.items() if l > CUT["l_max"])
    mode = max(loaded, key=lambda l: loaded[l])
    outside = sum(value for l, value in wide.items() if not CUT["l_min"] <= l <= CUT["l_max"])
    return [
        Claim(
            "without a load the most populated level moves beyond the truncated space (Fig. 6)",
            "beyond",
            f"{steady[10]:.3f} of the population piles up at l = 10",
            verdict(max(steady, key=lambda l: steady[l]) == CUT["l_max"] < max(late, key=lambda l: late[l])),
            f"on a long ladder the mode is at l = {max(late, key=lambda l: late[l])} at t = 30 000, and"
            f" {100 * gone:.0f} % of the population beyond 10",
        ),
        Claim(
            "with the load it stays among the levels included (Fig. 7)",
            "inside",
            f"mode at l = {mode}",
            CORRECTED if -5 < mode < 10 else FAILS,
            f"the mode does, but {100 * outside:.1f} % of the converged population lie outside -5 ... 10",
        ),
    ]


def power_claims() -> list[Claim]:
    """Fig. 8."""
    x = 0.8
    model = device(x)
    times = np.array([0.0, 4.0, 10.0, 1e3, 1e4, 1.6e4, 2.5e4, 5e4, 2e5, 1e6])
    states = model.evolve(thermal_start(model), times)
    ats = [at_x(x)._replace(rho=rho, time=float(t)) for t, rho in zip(times, states, strict=True)]
    kinetic = np.array([intrinsic(at) + backaction(at) for at in ats])
    inner, nets = np.array([intrinsic(at) for at in ats]), np.array([net(at) for at in ats])
    target = -model.heat_currents()["r"]
    start = FIG_2["gamma"] / FIG_2["beta_r"]
    return [
        Claim(
            "kinetic and net power tend to zero, the intrinsic power to -Q_r",
            "0, 0, -Q_r",
            f"{kinetic[-1]:.0e}, {nets[-1]:.0e}, {inner[-1]:.5e} = {target:.5e}",
            verdict(abs(inner[-1] / target - 1) < 1e-6 and max(abs(kinetic[-1]), abs(nets[-1])) < 1e-10),
        ),
        Claim(
            "the net power reaches a maximum and falls again",
            "quickly",
            f"{nets[5]:.2e} near t = 1.6e4 = {1.6e4 * FIG_2['gamma']:.1f}/gamma",
            verdict(nets[5] == nets.max()),
        ),
        Claim(
            "the kinetic power decreases steadily",
            "steadily",
            f"from {start:.4e} = gamma/beta_r at t = 0",
            verdict(bool(np.all(np.diff(kinetic[2:]) <= 1e-12)) and abs(kinetic[0] / start - 1) < 1e-9),
            "once the coherence between the qubits has been built, from t = 4 on",
        ),
        Claim(
            "the intrinsic power decreases steadily",
            "steadily",
            f"{inner[2]:.2e} at t = 10, {inner[6]:.2e} at 2.5e4, {inner[-1]:.3e} at the end",
            verdict(bool(np.all(np.diff(inner[2:]) <= 0)), CORRECTED),
            "it undershoots and rises again to -Q_r",
        ),
    ]
