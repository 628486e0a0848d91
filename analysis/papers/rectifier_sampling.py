"""How trajectories reach the reference table of the rectifier.

Rates are sampled from the steady state over a finite time and held against the exact value at that time; derived
quantities that compare two devices (contrast, peaks, thresholds) are left to the exact side.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..averages import functional_of_mean
from ..cumulants import cumulants
from ..entanglement import concurrence
from ..estimates import block_edges
from . import two_baths
from .base import Params, Sampling
from .rectifier_models import (
    COLLISION_OPTIONS,
    STEADY,
    averages,
    by_moments,
    collision_model,
    global_model,
    local_model,
    lowering_of,
    point,
    start_of,
)
from .rectifier_quantities import TEMPERATURES, conductance_at, quanta_distribution, two_qubits

Floats = NDArray[np.float64]
EVENTS = (2.0, 5.0, 15.0, 60.0)  # exchanges of a trajectory among which a third cumulant looks for its best time
BLOCKS = 100
RELAXATIONS = 2.0  # lifetimes of the slower bath over which states are followed


def unreached(exact: float = math.nan) -> Sampling:
    """What no trajectory reaches."""
    return Sampling(None, 0.0, "steady", lambda ensemble: (math.nan, math.nan), exact, math.inf)


# -------------------------------------------------------------------- rates


def third_cumulant(model: Any) -> Sampling:
    """Third cumulant of the heat from L per unit time, over the time at which it is known best."""
    rate = float(model.count_rates().sum())
    best: tuple[float, float, float] | None = None
    for events in EVENTS:
        time = _on_periods(model, events / rate)
        k = model.heat_cumulants_at(time, "L", 6)
        # variance of the third k-statistic times n, to first order in 1/n
        square = k[5] + 9 * k[1] * k[3] + 9 * k[2] ** 2 + 6 * k[1] ** 3
        spread = math.sqrt(max(float(square), 0.0)) / time
        if best is None or spread < best[1]:
            best = (time, spread, float(k[2]) / time)
    assert best is not None
    time, spread, exact = best

    def estimate(ensemble: Any) -> tuple[float, float]:
        value = cumulants(ensemble, "heat:L")[3].value / time
        return value, spread / math.sqrt(ensemble.ntraj)

    return Sampling(model, time, "steady", estimate, exact, spread)


def _on_periods(model: Any, time: float) -> float:
    tau = model.process.tau
    return time if tau is None else max(1, round(time / tau)) * tau


def uncertainty_ratio(model: Any, p: Mapping[str, Any]) -> Sampling:
    """Variance of Q_L times mean entropy production over mean squared, at finite time from the steady state."""
    if 0 in (p["T_L"], p["T_R"]) or p["T_L"] == p["T_R"]:
        return unreached()
    time = two_baths.stationary_time(model)
    k = model.heat_cumulants_at(time, "L", 4)
    affinity = 1 / p["T_R"] - 1 / p["T_L"]
    exact = float(k[1] * affinity / k[0])
    # the entropy that leaves is the affinity times Q_L in the mean, so the ratio is one of cumulants of Q_L alone
    square = (k[3] + 2 * k[1] ** 2) / k[1] ** 2 + k[1] / k[0] ** 2 - 2 * k[2] / (k[0] * k[1])
    spread = abs(exact) * math.sqrt(max(float(square), 0.0))

    def estimate(ensemble: Any) -> tuple[float, float]:
        found = cumulants(ensemble, "heat:L").of(lambda c: c[..., 1] * affinity / c[..., 0])
        return found.value, spread / math.sqrt(ensemble.ntraj)

    return Sampling(model, time, "steady", estimate, exact, spread)


def _entropy(model: Any, p: Mapping[str, Any]) -> Sampling:
    return unreached(math.inf) if 0 in (p["T_L"], p["T_R"]) else two_baths.sample_entropy(model)


def _deviation(model: Any, p: Mapping[str, Any]) -> Sampling:
    current, limit = two_baths.sample_current(model), averages(p).heat["L"]

    def estimate(ensemble: Any) -> tuple[float, float]:
        value, error = current.estimate(ensemble)
        return value / limit - 1, error / abs(limit)

    exact = current.exact / limit - 1
    return Sampling(model, current.time, "steady", estimate, exact, current.spread / abs(limit))


OF_ANY_MODEL: dict[str, Callable[[Any, Mapping[str, Any]], Sampling]] = {
    "heat_current_L": lambda model, p: two_baths.sample_current(model),
    "J": lambda model, p: two_baths.sample_current(model, 2.0),
    "entropy_production_rate": _entropy,
    "heat_L_variance_rate": lambda model, p: two_baths.sample_variance(model),
    "heat_L_third_cumulant_rate": lambda model, p: third_cumulant(model),
    "tur_ratio": uncertainty_ratio,
}


def _conductance(equation: str) -> Callable[[Params], Sampling]:
    """The conductance from the noise of trajectories in equilibrium."""

    def sampling(params: Params) -> Sampling:
        p = point(params, optional={"T_L": None, "T_R": None, "T": None})
        T = float(next(p[name] for name in ("T_L", "T_R", "T") if p[name] is not None))
        at = dict(p) | {"T_L": T, "T_R": T}
        if equation == "local" and by_moments(at):
            return unreached(conductance_at(p, T, equation))
        noise = two_baths.sample_variance(local_model(at) if equation == "local" else global_model(at))

        def estimate(ensemble: Any) -> tuple[float, float]:
            value, error = noise.estimate(ensemble)
            return value / T**2, error / T**2

        return Sampling(noise.model, noise.time, noise.initial, estimate, noise.exact / T**2, noise.spread / T**2)

    return sampling


# -------------------------------------------------------------------- states


def _state_options(model: Any, N: int) -> dict[str, Any]:
    s = [lowering_of(model, site) for site in range(min(N, 2))]
    e_ops = {f"n{k + 1}": op.conj().T @ op for k, op in enumerate(s)}
    if len(s) == 2:
        hop = s[0] @ s[1].conj().T
        e_ops["coherence"] = (hop - hop.conj().T) / 2j
    return {"e_ops": e_ops, "keep": ("totals", "final_state")}


def _expectation(name: str) -> Callable[[Params], Sampling]:
    """Mean of an observable over trajectories that run on from the steady state."""

    def sampling(params: Params) -> Sampling:
        p, model, time = _stationary(params)
        if model is None:
            return unreached()
        options = _state_options(model, p["N"])
        if name not in options["e_ops"]:
            return unreached()
        operator, rho = options["e_ops"][name], model.steady_state()
        mean, square = (float(np.trace(op @ rho).real) for op in (operator, operator @ operator))

        def estimate(ensemble: Any) -> tuple[float, float]:
            found = ensemble.expect[name]
            return float(found.value[-1]), float(found.error[-1])

        return Sampling(model, time, "steady", estimate, mean, math.sqrt(max(square - mean**2, 0.0)), options)

    return sampling


def _functional(name: str) -> Callable[[Params], Sampling]:
    """Signed concurrence or critical current of the averaged state."""

    def sampling(params: Params) -> Sampling:
        p, model, time = _stationary({"T_R": 0.0} | dict(params))
        if model is None:
            return unreached()
        two_qubits(p, name)
        rho = model.steady_state()
        unit = 4 * p["g"] * p["omega"]

        def critical(state: Any, *, kets: bool = False) -> Any:
            ends = np.maximum(np.real(state[..., 0, 0]) * np.real(state[..., 3, 3]), 0.0)
            return unit * np.sqrt(ends)

        def entangled(state: Any, *, kets: bool = False) -> Any:
            return concurrence(state, signed=True, kets=False)

        functional = entangled if name == "concurrence" else critical

        def estimate(ensemble: Any) -> tuple[float, float]:
            states, edges = ensemble.final_state, block_edges(ensemble.ntraj, BLOCKS)
            sums = np.array([states[a:b].T @ states[a:b].conj() for a, b in pairwise(edges)])
            found = functional_of_mean(functional, sums, np.diff(edges)).estimate
            return found.value, found.error

        exact = float(functional(rho))
        if name == "concurrence" and exact <= 0:
            return unreached(0.0)
        # as if each trajectory were found in one of |11>, |01> +- i|10>, |00>: pure final states know more than that
        p_1, p_4 = float(rho[3, 3].real), float(rho[0, 0].real)
        ends = p_1 + p_4 - 4 * p_1 * p_4
        spread = unit / 2 * math.sqrt(max(ends, 0.0)) if name == "critical_current" else math.sqrt(1 - exact**2)
        return Sampling(model, time, "steady", estimate, exact, spread, _state_options(model, p["N"]))

    return sampling


def _stationary(params: Params) -> tuple[dict[str, Any], Any, float]:
    """Parameters, model (None where it is too large) and a time of some lifetimes."""
    p = point(params, *TEMPERATURES, optional={"initial_state": None})
    if p["time"] not in STEADY or by_moments(p):
        return p, None, 0.0
    lifetime = 1 / min(p["gamma_L"], p["gamma_R"])
    return p, local_model(p), RELAXATIONS * lifetime


def _net_quanta(params: Params) -> Sampling:
    p = point(params, *TEMPERATURES, "time", "n", optional={"initial_state": None})
    exact = dict(zip(*quanta_distribution(p), strict=True)).get(int(p["n"]), 0.0)
    if by_moments(p):
        return unreached(exact)
    model, time = local_model(p), float(p["time"])
    initial = start_of(model, p)
    charge = model.process.counts.charge_weight("L")

    def estimate(ensemble: Any) -> tuple[float, float]:
        share = float((np.rint(ensemble.counts @ charge) == p["n"]).mean())
        return share, math.sqrt(exact * (1 - exact) / ensemble.ntraj)

    return Sampling(model, time, initial, estimate, exact, math.sqrt(max(exact * (1 - exact), 0.0)))


# -------------------------------------------------------------------- all together


def _local(read: Callable[[Any, Mapping[str, Any]], Sampling]) -> Callable[[Params], Sampling]:
    def sampling(params: Params) -> Sampling:
        p = point(params, *TEMPERATURES, optional={"initial_state": None})
        if p["time"] not in STEADY or by_moments(p):
            return unreached()
        return read(local_model(p), p)

    return sampling


def _global(read: Callable[[Any, Mapping[str, Any]], Sampling]) -> Callable[[Params], Sampling]:
    def sampling(params: Params) -> Sampling:
        p = point(params, *TEMPERATURES)
        return read(global_model(p), p)

    return sampling


def _collisions(construction: str, read: Callable[[Any, Mapping[str, Any]], Sampling]) -> Callable[[Params], Sampling]:
    def sampling(params: Params) -> Sampling:
        p = point(params, *TEMPERATURES, "tau", optional=COLLISION_OPTIONS)
        return read(collision_model(p, construction), p)

    return sampling


SAMPLING: dict[tuple[str, str], Callable[[Params], Sampling]] = {
    **{("rectifier_local", name): _local(read) for name, read in OF_ANY_MODEL.items()},
    ("rectifier_local", "occupation_1"): _expectation("n1"),
    ("rectifier_local", "occupation_2"): _expectation("n2"),
    ("rectifier_local", "coherence_imag"): _expectation("coherence"),
    ("rectifier_local", "concurrence"): _functional("concurrence"),
    ("rectifier_local", "critical_current"): _functional("critical_current"),
    ("rectifier_local", "conductance"): _conductance("local"),
    ("rectifier_local", "net_quanta_L_probability"): _net_quanta,
    **{("rectifier_global", name): _global(read) for name, read in OF_ANY_MODEL.items()},
    ("rectifier_global", "conductance"): _conductance("global"),
    **{
        (f"rectifier_collision_{construction}", name): _collisions(construction, read)
        for construction in ("split", "joint")
        for name, read in (OF_ANY_MODEL | {"relative_deviation_from_lindblad": _deviation}).items()
    },
}
