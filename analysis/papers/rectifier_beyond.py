"""Statements of the paper that it does not draw, and what goes beyond it: chains, noise, convergence in tau."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.machines import rectifier_formulas as formulas
from collide.machines.rectifier import rectifier
from collide.machines.rectifier_moments import heat_cumulant_rates, relaxation_time

from ..estimates import Estimate
from .rectifier_curves import along
from .rectifier_models import ends, ground
from .rectifier_points import current, exact_current, mean_rate, noise_rate, points
from .rectifier_quantities import QUANTITIES, uncertainty

Floats = NDArray[np.float64]
TABLE_POINT: dict[str, Any] = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}
QUIET: dict[str, Any] = {"g": 1.098, "gamma_L": 1.7, "gamma_R": 1.7, "T_R": 0.8734, "eps_L": -1, "eps_R": -1}
CONSTRUCTIONS = ("split", "sequential", "joint", "matched")
NDTC: tuple[dict[str, Any], ...] = (
    {"g": 0.01, "gamma_L": 0.01, "gamma_R": 0.02},
    {"g": 0.02, "gamma_L": 0.1, "gamma_R": 0.05},
)
T_NDTC = np.geomspace(0.1, 10.0, 81)
T_QUIET = np.concatenate([np.geomspace(0.9, 10.0, 40), np.geomspace(11.0, 1000.0, 30)])
LONG = 512  # levels beyond which no density matrix is formed, so that trajectories start from a ket


def negative_conductance(ntraj: int, seed: int) -> dict[str, Any]:
    """Current of two qubits against T_L at T_R = 0: beyond the onset (Eq. 17) it falls."""
    T = T_NDTC
    curves: dict[str, Any] = {"T": T, "couplings": [dict(c) for c in NDTC]}
    for k, couplings in enumerate(NDTC):
        params = couplings | {"T_R": 0.0}
        curves[f"J_{k}"] = along("J", params, "T_L", T.tolist())
        curves[f"onset_{k}"] = QUANTITIES["rectifier_local", "ndtc_onset_T_L"](params)
        curves[f"closed_{k}"] = formulas.ndtc_onset(**couplings)
        if ntraj:
            warm = [0.25, 0.5, 1.0, 2.0, 3.5, 7.0]
            made = [rectifier(**params, T_L=t) for t in warm]
            found = [current(m, ntraj, seed + 10 * k + i) for i, m in enumerate(made)]
            curves[f"jumps_{k}"] = points(warm, found, [exact_current(m) for m in made])
    how: dict[str, Any] = NDTC[0] | {"T_R": 0.0, "picture": "collision", "tau": 2.0}
    curves["collisions_0"] = [exact_current(rectifier(**how, T_L=float(t))) for t in T]
    if ntraj:
        warm = [0.35, 0.75, 1.4, 2.8, 5.0]
        made = [rectifier(**how, T_L=t) for t in warm]
        found = [current(m, ntraj // 2, seed + 50 + i, most=3000.0) for i, m in enumerate(made)]
        curves["collision_points_0"] = points(warm, found, [exact_current(m) for m in made])
    return curves


def chains(ntraj: int, seed: int) -> dict[str, Any]:
    """Current against the number of qubits, exact and sampled, and how it comes to differ at finite tau (Eq. 19)."""
    lengths = list(range(1, 7))
    curves: dict[str, Any] = {"N": lengths, "J": along("J", TABLE_POINT, "N", lengths)}
    tau = np.geomspace(0.02, 2.0, 13)
    two = np.array([_collided(2, t) for t in tau])
    curves |= {"tau": tau, "gap_3": [_collided(3, t) for t in tau] / two - 1}
    curves["gap_4"] = [_collided(4, t) for t in tau] / two - 1
    if ntraj:
        long = [2, 4, 6, 8, 10]
        # every one of them should carry the exact current of two qubits
        curves["jumps"] = points(long, [_long_chain(N, ntraj, seed + N) for N in long], [curves["J"][1]] * len(long))
    return curves


def _collided(N: int, tau: float) -> float:
    return float(rectifier(**TABLE_POINT, N=N, picture="collision", tau=float(tau)).heat_currents()["L"])


def _long_chain(N: int, ntraj: int, seed: int) -> Estimate:
    """Twice the heat per time of N qubits; long ones begin empty, and what they take up first is not counted."""
    model = rectifier(**TABLE_POINT, N=N)
    if N < 8:
        return current(model, ntraj, seed, quanta=6.0)
    options: dict[str, Any] = {"initial": ground(model)} | ({"closing": "product"} if model.process.d > LONG else {})
    p = TABLE_POINT | {"N": N, "omega": 1.0, "eps_a": -1, "eps_L": 1, "eps_R": 1}
    early = 4 * relaxation_time(N, 1.0, p["g"], -1, ends(p, p["T_L"], p["T_R"]))
    return mean_rate(model, early, early + 1000.0, max(200, ntraj // 8), seed, **options).scaled(2.0)


def noise_of_chains(ntraj: int, seed: int) -> dict[str, Any]:
    """Variance rate and uncertainty ratio against the number of qubits: the noise does depend on it."""
    lengths = list(range(1, 7))
    curves: dict[str, Any] = {"N": lengths, "N_riccati": list(range(1, 17))}
    for name, point in (("table", TABLE_POINT), ("quiet", QUIET | {"T_L": 50.0})):
        curves[f"variance_{name}"] = along("heat_L_variance_rate", point, "N", lengths)
        curves[f"ratio_{name}"] = along("tur_ratio", point, "N", lengths)
        rates = [_riccati(point, N) for N in curves["N_riccati"]]
        curves[f"variance_riccati_{name}"] = [float(r[1]) for r in rates]
        affinity = 1 / point["T_R"] - 1 / point["T_L"]
        curves[f"ratio_riccati_{name}"] = [uncertainty(r[1], affinity * r[0], r[0]) for r in rates]
    if ntraj:
        for name, point, early, late in (
            ("table", TABLE_POINT, 200.0, 800.0),
            ("quiet", QUIET | {"T_L": 50.0}, 10.0, 30.0),
        ):
            # N = 2 and 3 differ by one or two per cent
            found = [noise_rate(rectifier(**point, N=N), early, late, 30 * ntraj, seed + N) for N in (1, 2, 3, 4)]
            curves[f"jumps_{name}"] = points((1, 2, 3, 4), found, curves[f"variance_{name}"][:4])
    return curves


def _riccati(point: dict[str, Any], N: int) -> Floats:
    p = {"eps_L": 1, "eps_R": 1} | point | {"N": N}
    return heat_cumulant_rates(N, 1.0, p["g"], -1, ends(p, p["T_L"], p["T_R"]), "L", 2)


def uncertainty_ratios(ntraj: int, seed: int) -> dict[str, Any]:
    """Uncertainty ratio against T_L where coherence takes it below the classical bound."""
    T = T_QUIET
    curves: dict[str, Any] = {"T": T}
    for N in (1, 2, 3, 4):
        curves[f"ratio_{N}"] = along("tur_ratio", QUIET | {"N": N}, "T_L", T.tolist())
    curves["point"] = [400.0, QUANTITIES["rectifier_local", "tur_ratio"](QUIET | {"T_L": 400.0})]
    curves["limit"] = QUANTITIES["rectifier_local", "tur_ratio"](QUIET | {"T_L": math.inf})
    return curves


def convergence(ntraj: int, seed: int) -> dict[str, Any]:
    """Deviation of the collisional current from the Lindblad limit against tau, for all four constructions."""
    couplings = TABLE_POINT | {"eps_L": -1, "eps_R": -1}
    limit = rectifier(**couplings).heat_currents()["L"]
    tau = np.geomspace(0.05, 8.0, 23)
    curves: dict[str, Any] = {"tau": tau}
    for k, construction in enumerate(CONSTRUCTIONS):
        how: dict[str, Any] = couplings | {"picture": "collision", "construction": construction}
        deviation = np.array([rectifier(**how, tau=float(t)).heat_currents()["L"] / limit - 1 for t in tau])
        curves[construction] = np.abs(deviation)
        curves[f"slope_{construction}"] = float(np.diff(np.log(np.abs(deviation[:2])))[0] / np.diff(np.log(tau[:2]))[0])
        if ntraj:
            # the matched angle deviates by too little for an ensemble below tau = 4
            coarse = [8.0, 4.0] if construction == "matched" else [8.0, 4.0, 2.0, 1.0]
            made = [rectifier(**how, tau=t) for t in coarse]
            found = [current(m, ntraj, seed + 10 * k + i, quanta=64.0) for i, m in enumerate(made)]
            relative = [Estimate(abs(e.value / (2 * limit) - 1), e.error / (2 * limit)) for e in found]
            exact = [abs(exact_current(m) / (2 * limit) - 1) for m in made]
            curves[f"points_{construction}"] = points(coarse, relative, exact)
    return curves
