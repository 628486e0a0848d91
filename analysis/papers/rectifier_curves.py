"""What the figures of the paper show: exact curves, and points from jump and from collision trajectories."""

from collections.abc import Callable, Sequence
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.machines import rectifier_formulas as formulas
from collide.machines import rectifier_global_formulas as global_formulas
from collide.machines.rectifier import bath, rectifier
from collide.machines.rectifier_moments import chain_moments

from .rectifier_points import (
    Points,
    conductance,
    contrast,
    exact_conductance,
    exact_contrast,
    points,
)
from .rectifier_quantities import QUANTITIES

Floats = NDArray[np.float64]
FIG2: dict[str, Any] = {"g": 0.01, "gamma_L": 0.01, "gamma_R": 0.02}
STRONG: dict[str, Any] = {"g": 0.8, "gamma_R": 0.02}
RATIOS_LOWER = (0.5, 0.05)
TAU = 5.0  # period of the sampled collisions of Fig. 2, in units of 1/omega: coarse enough to be told from tau -> 0
TAU_GLOBAL = 2.0
# where exact curves are computed; those of collisions, which cost more, on coarser grids
T_WEAK = np.linspace(0.04, 2.0, 99)
RATIOS, RATIOS_COLLIDED = np.geomspace(0.01, 100.0, 81), np.geomspace(0.01, 100.0, 17)
T_HOT, T_HOT_COLLIDED = np.geomspace(0.05, 30.0, 121), np.geomspace(0.08, 4.0, 20)
T_STRONG = np.concatenate([np.linspace(0.015, 0.3, 58), np.linspace(0.31, 1.8, 75)])
COLLIDED = (0.2, 1.0)  # temperatures of Fig. 4, upper panel, that collisions show as well


def along(
    quantity: str, params: dict[str, Any], name: str, values: Sequence[float], system: str = "local"
) -> list[float]:
    """A quantity of the table against one parameter."""
    function = QUANTITIES[f"rectifier_{system}", quantity]
    return [float(function(params | {name: v})) for v in values]


def both(function: Callable[[float], float], values: Sequence[float]) -> list[float]:
    """A function at each value."""
    return [float(function(float(v))) for v in values]


# -------------------------------------------------------------------- Fig. 2


def conductances(ntraj: int, seed: int) -> dict[str, Any]:
    """Linear conductance of one and of two qubits between oscillator baths (Fig. 2)."""
    T = T_WEAK
    curves: dict[str, Any] = {"T": T}
    for N in (1, 2):
        curves[f"kappa_{N}"] = [_noise(FIG2 | {"N": N}, t) for t in T]
        curves[f"collisions_{N}"] = [_noise(FIG2 | {"N": N, "picture": "collision", "tau": TAU}, t) for t in T]
        curves[f"peak_{N}"] = QUANTITIES["rectifier_local", "conductance_peak_temperature"](FIG2 | {"N": N})
    curves["estimate"] = [formulas.largest_conductance(gamma_L=0.01, gamma_R=0.02, g=g) for g in (None, FIG2["g"])]
    if ntraj:
        for N in (1, 2):
            warm = [0.2, 0.3, 0.45, 0.65, 0.9, 1.25, 1.7]
            made = [rectifier(**FIG2, N=N, T_L=t, T_R=t) for t in warm]
            curves[f"jumps_{N}"] = _conductance_points(warm, made, (600, 2400), ntraj, seed)
            warm = [0.25, 0.4, 0.6, 1.0, 1.5]
            made = [rectifier(**FIG2, N=N, T_L=t, T_R=t, picture="collision", tau=TAU) for t in warm]
            curves[f"collision_points_{N}"] = _conductance_points(warm, made, (600, 2400), ntraj, seed + 50)
    return curves


def _conductance_points(T: list[float], made: list[Any], span: tuple[float, float], ntraj: int, seed: int) -> Points:
    """Sampled conductances at several temperatures."""
    found = [conductance(m, t, *span, ntraj, seed + k) for k, (t, m) in enumerate(zip(T, made, strict=True))]
    return points(T, found, [exact_conductance(m, t) for t, m in zip(T, made, strict=True)])


def _noise(keywords: dict[str, Any], T: float) -> float:
    """Conductance from the exact noise in equilibrium, in either picture."""
    return exact_conductance(rectifier(**keywords, T_L=T, T_R=T), T)


# -------------------------------------------------------------------- Fig. 4


def contrast_of_couplings(ntraj: int, seed: int) -> dict[str, Any]:
    """Contrast of the global equation against the ratio of couplings, T_R -> 0 (Fig. 4, upper panel)."""
    ratio = RATIOS
    temperatures = (0.1, 0.2, 0.5, 1.0, 5.0, 50.0)
    curves: dict[str, Any] = {"ratio": ratio, "T_L": list(temperatures)}
    for T in temperatures:
        params = STRONG | {"T_L": T, "T_R": 0.0}
        function = QUANTITIES["rectifier_global", "contrast"]
        curves[f"contrast_{T:g}"] = [function(params | {"gamma_L": r * 0.02}) for r in ratio]
    curves["ratio_collisions"] = RATIOS_COLLIDED
    for T in COLLIDED:
        made = [_strong(T, r * 0.02, picture="collision", tau=TAU_GLOBAL) for r in RATIOS_COLLIDED]
        curves[f"collisions_{T:g}"] = [exact_contrast(*m) for m in made]
    if ntraj:
        for T in (0.2, 1.0, 5.0):
            chosen = [0.04, 0.15, 0.4, 3.0, 10.0, 30.0]
            made = [_strong(T, r * 0.02) for r in chosen]
            curves[f"jumps_{T:g}"] = _contrast_points(chosen, made, ntraj, seed)
        for T in COLLIDED:
            chosen = [0.02, 0.08, 0.25, 5.0, 20.0]
            made = [_strong(T, r * 0.02, picture="collision", tau=TAU_GLOBAL) for r in chosen]
            curves[f"collision_points_{T:g}"] = _contrast_points(chosen, made, ntraj // 4, seed + 100, most=4000.0)
    return curves


def _contrast_points(x: list[float], made: list[tuple[Any, Any]], ntraj: int, seed: int, **how: Any) -> Points:
    """Sampled contrasts of several devices, each forward and backward."""
    found = [contrast(*m, ntraj, seed + 7 * k, **how) for k, m in enumerate(made)]
    return points(x, found, [exact_contrast(*m) for m in made])


def _strong(T: float, gamma_L: float, **how: Any) -> tuple[Any, Any]:
    """The device of Fig. 4 and the same with exchanged temperatures; T_R = 0."""
    couplings = STRONG | {"gamma_L": gamma_L, "equation": "global"} | how
    return rectifier(**couplings, T_L=T, T_R=0.0), rectifier(**couplings, T_L=0.0, T_R=T)


def strong_contrasts(ntraj: int, seed: int) -> dict[str, Any]:
    """Both panels of Fig. 4."""
    return {"upper": contrast_of_couplings(ntraj, seed), "lower": contrast_of_temperature(ntraj, seed + 500)}


def contrast_of_temperature(ntraj: int, seed: int) -> dict[str, Any]:
    """Contrast against T_L for two ratios of couplings, global and of one qubit (Fig. 4, lower panel)."""
    T = T_HOT
    curves: dict[str, Any] = {"T": T, "ratios": list(RATIOS_LOWER)}
    for ratio in RATIOS_LOWER:
        params = STRONG | {"gamma_L": ratio * 0.02, "T_R": 0.0}
        curves[f"global_{ratio:g}"] = along("contrast", params, "T_L", T.tolist(), "global")
        curves[f"one_{ratio:g}"] = along("contrast", params | {"N": 1}, "T_L", T.tolist())
        curves[f"limit_{ratio:g}"] = (1 - ratio) / (1 + ratio)
        made = [_strong(t, ratio * 0.02, picture="collision", tau=TAU_GLOBAL) for t in T_HOT_COLLIDED]
        curves[f"collisions_{ratio:g}"] = [exact_contrast(*m) for m in made]
    curves["T_collisions"] = T_HOT_COLLIDED
    if ntraj:
        for shift, ratio in enumerate(RATIOS_LOWER):
            begin = seed + 1000 * shift
            warm = [0.1, 0.25, 0.5, 1.0, 2.5, 7.0]
            made = [_strong(t, ratio * 0.02) for t in warm]
            curves[f"jumps_{ratio:g}"] = _contrast_points(warm, made, ntraj, begin)
            warm = [0.15, 0.4, 0.9, 1.6]
            made = [_strong(t, ratio * 0.02, picture="collision", tau=TAU_GLOBAL) for t in warm]
            curves[f"collision_points_{ratio:g}"] = _contrast_points(warm, made, ntraj // 4, begin + 100, most=4000.0)
            warm = [0.45, 0.7, 1.5, 4.0]
            made = [_one_qubit(t, ratio * 0.02) for t in warm]
            curves[f"one_points_{ratio:g}"] = _contrast_points(warm, made, ntraj // 4, begin + 200, most=4000.0)
    return curves


def _one_qubit(T: float, gamma_L: float) -> tuple[Any, Any]:
    """One qubit hit by oscillator ancillas, both ways; the matched angle leaves an error of second order in tau."""
    how: dict[str, Any] = {"N": 1, "gamma_L": gamma_L, "gamma_R": 0.02, "picture": "collision", "tau": 2.0}
    how["construction"] = "matched"
    return rectifier(**how, T_L=T, T_R=0.0), rectifier(**how, T_L=0.0, T_R=T)


# -------------------------------------------------------------------- Figs. 5, 6, 7


def strong_conductances(ntraj: int, seed: int) -> dict[str, Any]:
    """Linear conductance of the global equation and of one qubit (Fig. 5)."""
    T = T_STRONG
    couplings: dict[str, Any] = {"gamma_L": 0.01, "gamma_R": 0.02}
    curves: dict[str, Any] = {"T": T, "one": [_noise(couplings | {"N": 1}, t) for t in T], "g": [0.9, 0.8, 0.7]}
    for g in curves["g"]:
        curves[f"global_{g:g}"] = [_noise(couplings | {"g": g, "equation": "global"}, t) for t in T]
        curves[f"modes_{g:g}"] = list(global_formulas.global_peaks(g=g))
    if ntraj:
        warm = [0.08, 0.15, 0.3, 0.5, 0.8, 1.2, 1.7]
        made = [rectifier(**couplings, g=0.8, equation="global", T_L=t, T_R=t) for t in warm]
        curves["jumps_0.8"] = _conductance_points(warm, made, (400, 1200), ntraj, seed)
    return curves


def scaling_factors(ntraj: int, seed: int) -> dict[str, Any]:
    """Factor between the currents of two sites and of one at T_R -> 0, for the three kinds of statistics (Fig. 6)."""
    T, x = np.linspace(0.05, 3.0, 31), np.linspace(0.05, 4.0, 31)
    curves: dict[str, Any] = {"T_L": T, "x": x}
    # x = gamma_L gamma_R / g^2 as on the paper's axis, at g = 1/2 and equal couplings; qubits and oscillators alike
    for name, eps_L, eps_a in (("alpha_0", -1, -1), ("alpha_1", 1, -1), ("alpha_2", -1, 1)):
        surface = np.empty((len(x), len(T)))
        for row, y in enumerate(x):
            for column, t in enumerate(T):
                surface[row, column] = _ratio_of_currents(float(t), float(y), eps_L, eps_a)
        curves[name] = surface
    return curves


def _ratio_of_currents(T: float, x: float, eps_L: int, eps_a: int) -> float:
    """From the exact moments, since some of the oscillators are too hot for levels."""
    gamma = 0.01
    hot, cold = bath("L", gamma, T, eps_L), bath("R", gamma, 0.0, eps_a)
    two = chain_moments(2, 1.0, gamma / math.sqrt(x), eps_a, {0: [hot], 1: [cold]})
    one = chain_moments(1, 1.0, 0.0, eps_a, {0: [hot, cold]})
    return two.heat["L"] / one.heat["L"]


def intersection(ntraj: int, seed: int) -> dict[str, Any]:
    """Where 1/x meets coth(x)/2: the position of a single mode's largest conductance (Fig. 7)."""
    x = np.linspace(0.35, 4.0, 200)
    root = formulas.peak_position()
    return {"x": x, "inverse": 1 / x, "half_coth": 0.5 / np.tanh(x), "root": root, "level": 1 / root}
