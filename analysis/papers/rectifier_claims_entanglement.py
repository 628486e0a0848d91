"""Claims about the entanglement and the entropy production of two qubits in weak coupling."""

from collections.abc import Callable
import math
from typing import Any

import numpy as np

from collide.machines import rectifier_formulas as formulas
from collide.machines.rectifier import rectifier

from ..entanglement import concurrence
from .base import Claim
from .rectifier_claims_common import (
    BASE,
    TABLE_POINT,
    TRIALS,
    corrected,
    exact,
    kinds,
    swapped,
    verdict,
    worst,
)

ENGINE: dict[str, Any] = {"g": 0.016, "gamma_L": 0.01, "gamma_R": 0.1, "T_L": 2.0, "T_R": 0.05}


def _populations() -> Claim:
    errors, outside, found = [], [], []
    for eps in ((-1, 1, 1), (-1, -1, 1), (-1, 1, -1), (-1, -1, -1)):
        these = {name: value for name, value in kinds(eps).items() if name != "eps_a"}
        rho = rectifier(**ENGINE, **these).steady_state()
        p_1, p_4 = formulas.end_populations(**ENGINE, **these)
        errors += [p_1 / rho[3, 3].real - 1, p_4 / rho[0, 0].real - 1]
        # in the order |00>, |01>, |10>, |11> all but the diagonal and the middle coherence should vanish
        x_form = np.eye(4, dtype=bool)
        x_form[1, 2] = x_form[2, 1] = True
        outside += list(np.abs(rho[~x_form]))
        closed = formulas.concurrence(formulas.current(**ENGINE, **these), p_1, p_4, ENGINE["g"])
        found.append(closed - float(concurrence(rho)))
    return Claim(
        "The steady state is an X state, concurrence 2 max(0, |C| - sqrt(p_1 p_4)), populations of Eq. 38 (Eqs. 37-38)",
        "closed forms",
        f"populations to {worst(errors):.0e}, elements outside the X {worst(outside):.0e}, Wootters' concurrence to"
        f" {worst(found):.0e}, for all four pairs of baths",
        verdict(max(map(worst, (errors, outside, found))) < 1e-9),
    )


def _forty() -> Claim:
    errors = []
    for gamma, T in ((0.01, 0.7), (0.1, 3.0), (0.02, 0.2)):
        p = {"g": 0.01, "gamma_L": gamma, "gamma_R": gamma, "T_L": T, "T_R": 0.0}
        errors.append(
            formulas.critical_current_symmetric(g=0.01, gamma=gamma, T_L=T) / exact("critical_current", p) - 1
        )
    return Claim(
        "Critical current of equal couplings at T_R -> 0 (Eq. 40)",
        "closed form",
        f"to {worst(errors):.0e} of 4 g omega sqrt(p_1 p_4)",
        verdict(worst(errors) < 1e-9),
    )


def _critical() -> Claim:
    rng = np.random.default_rng(3)
    bad = entangled = 0
    for _ in range(TRIALS // 4):
        p: dict[str, Any] = {"g": 0.02} | {f"gamma_{s}": 0.02 * 10 ** rng.uniform(-1, 1.5) for s in "LR"}
        p |= {"T_L": 10 ** rng.uniform(-0.5, 1.5), "T_R": rng.uniform(0, 0.3)}
        p |= {"eps_L": int(rng.choice([-1, 1])), "eps_R": int(rng.choice([-1, 1]))}
        model = rectifier(**p)
        J = model.heat_currents()["L"] - model.heat_currents()["R"]
        above = abs(J) > formulas.critical_current(**p)
        value = float(concurrence(model.steady_state(), signed=True)) > 0
        entangled += value
        bad += above != value
    point = ENGINE | {"T_R": 1.0}
    down, up = ([formulas.rates(1.0, point[f"gamma_{s}"], point[f"T_{s}"], 1)[k] for s in "LR"] for k in (0, 1))
    right, J_c = exact("critical_current", point), formulas.critical_current(**point)
    G = sum(down) + sum(up)
    # what the last term is off by where it is printed with g for g^2
    extra = math.prod(down) * math.prod(up) * G**4 / 4 * (1 / point["g"] - 1 / point["g"] ** 2)
    chi = (4 * point["g"] ** 2 + (down[0] + up[0]) * (down[1] + up[1])) * G**2
    printed = 8 * point["g"] ** 2 / chi * math.sqrt((J_c * chi / (8 * point["g"] ** 2)) ** 2 + extra)
    return Claim(
        "Entanglement if and only if the current exceeds J_c (Eq. 39)",
        "last term Gamma^4/4g",
        f"{bad} exceptions at {TRIALS // 4} random points of all baths, {entangled} of them entangled, with"
        f" Gamma^4/4g^2; J_c off by {100 * (printed / right - 1):.1f} % as printed, by {abs(J_c / right - 1):.0e} so"
        f" corrected (g = {point['g']:g} omega)",
        corrected(bad == 0 < entangled and abs(J_c / right - 1) < 1e-9 < abs(printed / right - 1)),
        "the last term must be divided by g^2, for its dimension and to agree with the populations of Eq. 38",
    )


def _equal_couplings() -> Claim:
    ratios = np.geomspace(0.3, 30, 25)
    best = {}
    for eps, hot in ((1, (0.5, 2.0, 10.0)), (-1, (2.0, 100.0, math.inf))):
        values = [
            float(
                concurrence(
                    rectifier(g=0.01, gamma_L=0.01 * x, gamma_R=0.01 * x, T_L=T, T_R=0.0, eps_L=eps).steady_state(),
                    signed=True,
                )
            )
            for x in ratios
            for T in hot
        ]
        best[eps] = max(values)
    return Claim(
        "Entanglement can be generated even for gamma_L = gamma_R (Eq. 40)",
        "J > J_c possible",
        f"oscillator baths: at most {best[1]:.4f} without the maximum, never entangled; two-level hot bath: up to"
        f" {best[-1]:.4f}",
        corrected(best[1] < 0 < best[-1]),
        "J > J_c would need (1+n)^2 gamma^2 > g^2 (2+n)^2 + gamma^2 (1+n)^3, impossible; two-level hot baths can",
    )


def _swap() -> Claim:
    there = exact("concurrence", ENGINE)
    back = exact("concurrence", swapped(ENGINE))
    J, J_c = ([abs(exact(name, p)) for p in (ENGINE, swapped(ENGINE))] for name in ("J", "critical_current"))
    return Claim(
        "Exchanging the temperatures destroys the entanglement when gamma_R >> gamma_L",
        "entangled one way only",
        f"concurrence {there:.4f} one way, {back:g} the other; J/J_c = {J[0] / J_c[0]:.3f} and {J[1] / J_c[1]:.3f}",
        verdict(there > 0 == back and J[0] > J_c[0] and J[1] < J_c[1]),
    )


def _unrelated() -> Claim:
    rectifies = exact("contrast", TABLE_POINT), exact("concurrence", TABLE_POINT)
    linear = {"g": 0.01, "gamma_L": 0.012, "gamma_R": 0.065, "T_L": math.inf, "T_R": 0.0, "eps_L": -1, "eps_R": -1}
    entangles = exact("contrast", linear), exact("concurrence", linear)
    return Claim(
        "There is no fundamental relation between rectification and entanglement (Sec. V)",
        "either without the other",
        f"contrast {rectifies[0]:.3f} with concurrence {rectifies[1]:g}; contrast {entangles[0]:.0e} with concurrence"
        f" {entangles[1]:.4f} (two-level baths)",
        verdict(rectifies[0] > 0 == rectifies[1] and entangles[0] < 1e-9 < entangles[1]),
    )


def _entropy() -> Claim:
    rate = exact("entropy_production_rate", TABLE_POINT)
    printed = (1 / TABLE_POINT["T_R"] - 1 / TABLE_POINT["T_L"]) * exact("J", TABLE_POINT)
    same = [exact("entropy_production_rate", TABLE_POINT | {"N": N}) / rate - 1 for N in (3, 5)]
    return Claim(
        "Entropy production rate in the steady state, for any N >= 2 (Eq. 41)",
        "(beta_R - beta_L) J^(2)",
        f"printed over exact: {printed / rate:.12g}; the same for N = 3 and 5 to {worst(same):.0e}, and positive",
        corrected(abs(printed / rate - 2) < 1e-9 and worst(same) < 1e-9 < rate),
        "with J = Q_L - Q_R it is (beta_R - beta_L) Q_L = (beta_R - beta_L) J/2",
    )


def _asymmetry() -> Claim:
    ratios = []
    for p in (TABLE_POINT, TABLE_POINT | {"gamma_R": 0.04}, BASE | {"eps_R": -1}):
        produced = exact("entropy_production_rate", p) / exact("entropy_production_rate", swapped(p))
        ratios.append((produced, abs(exact("J", p) / exact("J", swapped(p)))))
    errors = [produced / current - 1 for produced, current in ratios]
    return Claim(
        "The ratio of entropy productions under the swap is the rectification coefficient (Eq. 42)",
        "equal; 1 without rectification",
        "; ".join(f"{produced:.9g} and {current:.9g}" for produced, current in ratios)
        + " (unequal couplings, equal ones, baths of two kinds)",
        verdict(worst(errors) < 1e-9 and abs(ratios[1][0] - 1) < 1e-9 < abs(ratios[0][0] - 1)),
    )


ENTANGLEMENT_CLAIMS: tuple[Callable[[], Claim], ...] = (
    _populations,
    _critical,
    _forty,
    _equal_couplings,
    _swap,
    _unrelated,
    _entropy,
    _asymmetry,
)
