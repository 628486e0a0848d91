"""What the figures of Wu and Segal 2009 show: exact curves, and points from trajectories with error bars."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from collide.ensemble import run
from collide.machines.junction import junction
from collide.machines.junction_formulas import rectification_solid_ho_metal_linear, swap_heat

from ..estimates import Estimate
from ..rectification import Rectification
from .base import Figure
from .two_baths import current, time_for_a_point
from .wusegal_drawing import draw_rectifier, draw_swaps, draw_types

RELATIVE = 0.01  # error of a sampled current where the length of trajectories allows it
T_A, DELTA = 0.5, 0.1  # sum and difference of the temperatures in Fig. 2
SPIN = {"kind": "spin", "g": 1.0}
METALS = {
    "main": {"kind": "metal", "g": 1.0, "delta": 0.2, "mu": 1.0},
    "inset": {"kind": "metal", "g": 0.05, "delta": 0.2, "mu": 1.0},
}
SUBSYSTEMS = ("HO", "TLS")
Build = Callable[[float, float], Any]


def forward_and_reverse(build: Build, T_a: float, difference: float) -> tuple[Any, Any]:
    """Models at (T_L, T_R) and with the temperatures exchanged; T_a is the SUM of the temperatures."""
    left, right = (T_a + difference) / 2, (T_a - difference) / 2
    return build(left, right), build(right, left)


def ratio(build: Build, T_a: float, difference: float) -> float:
    """Exact R = |J(Delta) / J(-Delta)|."""
    forward, reverse = forward_and_reverse(build, T_a, difference)
    return abs(current(forward) / current(reverse))


def sampled_ratio(build: Build, T_a: float, difference: float, ntraj: int, seed: int) -> Estimate:
    """R from two ensembles; their currents are independent."""
    found = [_sampled(model, ntraj, seed + k) for k, model in enumerate(forward_and_reverse(build, T_a, difference))]
    return Rectification(found[0], found[1]).ratio


def _sampled(model: Any, ntraj: int, seed: int) -> Estimate:
    """The current from half of Q_L - Q_R, in which the energy kept in the unit drops out."""
    table = model.process.counts
    half = 0.5 * (table.heat_weight("L") - table.heat_weight("R"))
    time = time_for_a_point(model, ntraj, half, RELATIVE)
    ensemble = run(model, ntraj, time, seed, progress=False)
    value = float((ensemble.counts @ half).mean()) / time
    error = np.sqrt(model.cumulants_at(time, half, 2)[1] / ntraj) / time
    return Estimate(value, float(error))


def _points(builds: Sequence[Build], x: Any, T_a: float, difference: float, ntraj: int, seed: int) -> dict[str, Any]:
    """Sampled ratios along a list of junctions; empty without trajectories."""
    if ntraj == 0:
        return {"x": np.zeros(0), "R": np.zeros(0), "error": np.zeros(0)}
    found = [sampled_ratio(build, T_a, difference, ntraj, seed + 10 * k) for k, build in enumerate(builds)]
    values, errors = (np.array([getattr(f, name) for f in found]) for name in ("value", "error"))
    return {"x": np.asarray(x, dtype=float), "R": values, "error": errors}


def _builder(**keywords: Any) -> Build:
    return lambda T_L, T_R: junction(T_L=T_L, T_R=T_R, **keywords)


# -------------------------------------------------------------------- Fig. 2


def rectifier(ntraj: int, seed: int) -> dict[str, Any]:
    """R against the level spacing: spin-HO-metal and spin-TLS-metal, strong (main) and weak (inset) metal contact."""
    omega, few = np.concatenate([np.linspace(0.015, 0.5, 33), np.linspace(0.55, 4, 36)]), (0.1, 0.25, 0.5, 0.8, 1.2)
    found: dict[str, Any] = {"T_R/T_L": (T_A - DELTA) / (T_A + DELTA)}
    for name, metal in METALS.items():
        for subsystem in SUBSYSTEMS:
            seed += 1000  # equal seeds would make the curves scatter alike
            keywords = {"subsystem": subsystem, "left": SPIN, "right": metal}
            exact = [ratio(_builder(omega=w, **keywords), T_A, DELTA) for w in omega]
            found[f"{name} {subsystem}"] = {"x": omega, "R": np.array(exact)}
            builds = [_builder(omega=w, **keywords) for w in few]
            found[f"sampled {name} {subsystem}"] = _points(builds, few, T_A, DELTA, ntraj, seed)
    return found


# -------------------------------------------------------------------- rectifiers of type A and type B


def types(ntraj: int, seed: int) -> dict[str, Any]:
    """Type A: solid-HO-metal against delta, solid-TLS-metal against omega.  Type B: ladders between equal baths."""
    return {"A": _against_band(ntraj, seed), "crossing": _crossing(), "B": _against_levels(ntraj, seed + 500)}


def _against_band(ntraj: int, seed: int) -> dict[str, Any]:
    """R of solid-HO-metal against the slope delta of the metal, hot and far from equilibrium (Eq. 20)."""
    T_a, difference, solid = 2.0, 1.2, {"kind": "boson", "g": 1.0}

    def build(delta: float) -> Build:
        return _builder(left=solid, right={"kind": "metal", "g": 1.0, "delta": delta, "mu": 1.0}, omega=1.0)

    delta, few = np.linspace(0, 1, 41), (0.2, 0.6, 1.0)
    return {
        "T_a": T_a,
        "difference": difference,
        "exact": {"x": delta, "R": np.array([ratio(build(d), T_a, difference) for d in delta])},
        "linear": {"x": delta, "R": np.array([rectification_solid_ho_metal_linear(difference, d, 1.0) for d in delta])},
        "sampled": _points([build(d) for d in few], few, T_a, difference, ntraj, seed),
    }


def _crossing() -> dict[str, Any]:
    """R of solid-TLS-metal against omega: a rectifier whose direction the level spacing decides."""
    keywords = {"subsystem": "TLS", "left": {"kind": "boson", "g": 1.0}, "right": METALS["main"]}
    omega = np.geomspace(0.01, 4, 81)
    return {"x": omega, "R": np.array([ratio(_builder(omega=w, **keywords), T_A, DELTA) for w in omega])}


def _against_levels(ntraj: int, seed: int) -> dict[str, Any]:
    """R of a ladder of N levels between two solids and between two spin baths, unequally coupled."""
    T_a, difference = 2.0, 0.6
    levels, few = np.arange(2, 21), (2, 3, 5, 8, 14)
    found: dict[str, Any] = {"T_a": T_a, "difference": difference}
    for k, kind in enumerate(("boson", "spin")):
        sides = {"left": {"kind": kind, "g": 2.0}, "right": {"kind": kind, "g": 0.5}}
        exact = [ratio(_builder(subsystem="ladder", levels=int(N), **sides), T_a, difference) for N in levels]
        found[kind] = {"x": levels, "R": np.array(exact)}
        found[f"{kind} HO"] = ratio(_builder(subsystem="HO", **sides), T_a, difference)
        builds = [_builder(subsystem="ladder", levels=int(N), **sides) for N in few]
        found[f"sampled {kind}"] = _points(builds, few, T_a, difference, ntraj, seed + 100 * k)
    return found


# -------------------------------------------------------------------- collisions at finite angle


def swaps(ntraj: int, seed: int) -> dict[str, Any]:
    """Heat from L per cycle of collisions against the swap probability, boson-HO-boson and spin-TLS-spin."""
    T_L, T_R, b, omega = 0.9, 0.4, 0.3, 1.0
    a, few = np.linspace(0.01, 1, 100), (0.1, 0.3, 0.6, 1.0)
    found: dict[str, Any] = {"T_L": T_L, "T_R": T_R, "b": b}
    for k, (kind, subsystem) in enumerate((("boson", "HO"), ("spin", "TLS"))):
        found[f"formula {kind}"] = {"x": a, "q": np.array([swap_heat(omega, p, b, T_L, T_R, kind) for p in a])}
        bath = {"kind": kind, "g": 1.0}
        models = [
            junction(
                subsystem=subsystem,
                left=bath,
                right=bath,
                T_L=T_L,
                T_R=T_R,
                picture="collision",
                tau=1.0,
                swap_probability_L=p,
                swap_probability_R=b,
                neglect=1e-6,
            )
            for p in few
        ]
        found[f"map {kind}"] = {"x": np.array(few), "q": np.array([current(model) for model in models])}
        if ntraj:
            estimates = [_sampled(model, ntraj, seed + 10 * k + n) for n, model in enumerate(models)]
            found[f"sampled {kind}"] = {
                "x": np.array(few),
                "q": np.array([e.value for e in estimates]),
                "error": np.array([e.error for e in estimates]),
            }
    return found


FIGURES: tuple[Figure, ...] = (
    Figure("fig2", "Rectification of spin-HO-metal and spin-TLS-metal junctions", rectifier, draw_rectifier),
    Figure("types", "Rectifiers of type A and type B", types, draw_types),
    Figure("swaps", "Collisions at any angle", swaps, draw_swaps),
)
