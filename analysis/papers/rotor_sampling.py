"""How trajectories reach the reference table of the rotor.

Steady quantities are sampled from trajectories that open in the steady state, over a finite time, and held against the
exact value at that time.  Each kind has the time that serves it best.  Observables need many short trajectories: the
first state is as stationary as the last.  Cumulants of counts need some thousand trajectories.  Currents, which are
small beside their noise, need few long ones: what a qubit holds at the two ends then matters little, and the slow
fluctuations of the rotor not yet.

A load's heat and the work of the qubits' baths are expectation values along trajectories whose variance has no closed
form here: it is predicted from the resolved load, whose quanta are definite and whose currents differ by less than a
per mille, and the error itself comes from the sample.
"""

from collections.abc import Callable
import math
from typing import Any
import warnings

import numpy as np
from scipy.stats import kstat

from collide.exact.sources import adjoint_dissipator
from collide.machines.rotor import TruncationWarning, rotor, start_state

from . import two_baths
from .base import Params, Sampling
from .rotor_devices import ladder_observables, qubit_work, thermal_start
from .rotor_quantities import (
    POINTWISE,
    STARTS,
    SYSTEMS,
    Point,
    backaction,
    expect,
    heat,
    point,
    power_qubits,
    rotor_populations,
)
from .rotor_scans import efficiency

SHORT = 20.0  # of trajectories at whose end an observable is looked at
FOR_CUMULANTS = 2e3  # exchanges of a trajectory: some thousand trajectories cost little, and boundary terms are small
FOR_CURRENTS = 8e3  # beyond what qubits hold at the two ends, and short beside 1/gamma
JUMPS = 1e5  # exchanges and collisions of a trajectory at most
Sampler = Callable[[Params], Sampling]


def _observable_time(at: Point) -> float:
    return two_baths.on_periods(at.model, SHORT)


def _cumulant_time(at: Point) -> float:
    return two_baths.on_periods(at.model, FOR_CUMULANTS / float(at.model.count_rates().sum()))


def _current_time(at: Point) -> float:
    """The same for all currents of a point, so that they share an ensemble."""
    process = at.model.process
    collisions = len(process.elements) / process.tau if process.tau is not None else 0.0
    rate = float(at.model.count_rates().sum()) + collisions
    return two_baths.on_periods(at.model, min(FOR_CURRENTS, JUMPS / rate))


def _out_of_reach(exact: float) -> Sampling:
    return Sampling(None, 0.0, "steady", lambda ensemble: (math.nan, math.nan), exact, math.inf)


# -------------------------------------------------------------------- counts


def of_counts(system: str, bath: str, order: int, charges: bool = False) -> Sampler:
    """Cumulant per unit time of the heat, or of the charge, from a bath over the length of a trajectory."""

    def make(params: Params) -> Sampling:
        at = point(system, params)
        if at.time is not None:  # a rate at one instant
            return _out_of_reach(POINTWISE[f"heat_current_{bath}"](at))
        table, time = at.model.process.counts, _current_time(at) if order == 1 else _cumulant_time(at)
        weight = table.charge_weight(bath) if charges else table.heat_weight(bath)
        k = np.asarray(at.model.cumulants_at(time, weight, 2 * order))
        spread = math.sqrt(max(square_of_k_statistic(k, order), 0.0)) / time

        def estimate(ensemble: Any) -> tuple[float, float]:
            unbiased: Any = kstat(ensemble.counts @ weight, order)  # type: ignore[call-overload]
            return float(unbiased) / time, spread / math.sqrt(ensemble.ntraj)

        return Sampling(at.model, time, "steady", estimate, float(k[order - 1]) / time, spread)

    return make


def square_of_k_statistic(k: Any, order: int) -> float:
    """Variance of a k-statistic times n, to first order in 1/n, from cumulants 1, 2, ..."""
    if order == 1:
        return float(k[1])
    if order == 2:
        return float(k[3] + 2 * k[1] ** 2)
    return float(k[5] + 9 * k[1] * k[3] + 9 * k[2] ** 2 + 6 * k[1] ** 3)


# -------------------------------------------------------------------- loads and work


def of_load_columns(system: str, quantity: str) -> Sampler:
    """Q_r or W^(Q): means of columns that are expectation values along each trajectory."""

    def make(params: Params) -> Sampling:
        at = point(system, params)
        if at.time is not None:
            return _out_of_reach(POINTWISE[quantity](at))
        time = _current_time(at)
        name = "heat r" if quantity == "heat_current_r" else "work"
        variance = _resolved(at).trajectory_statistics(time).cumulants(name, 2)[1]

        def estimate(ensemble: Any) -> tuple[float, float]:
            values = ensemble.heat["r"] if quantity == "heat_current_r" else qubit_work(ensemble)
            return float(values.mean()) / time, float(values.std(ddof=1)) / math.sqrt(len(values)) / time

        exact = heat(at, "r") if quantity == "heat_current_r" else power_qubits(at)
        return Sampling(at.model, time, "steady", estimate, exact, math.sqrt(max(float(variance), 0.0)) / time)

    return make


def _resolved(at: Point) -> Any:
    """The same machine with a load of definite quanta."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)  # a table that asks for a cut ladder means it
        return rotor(**at.model.recipe["parameters"] | {"load": "resolved"})  # type: ignore[union-attr]


def of_ratio(which: str) -> Sampler:
    """Efficiency or COP: the ratio of two means."""

    def make(params: Params) -> Sampling:
        at = point("rotor_local", params)
        time, engine = _current_time(at), which == "efficiency"
        bath = "2" if engine else "1"
        exact = efficiency(at) if engine else heat(at, "1") / power_qubits(at)
        statistics = _resolved(at).trajectory_statistics(time)
        work, other = (statistics.cumulants(name, 2)[1] for name in ("work", f"heat {bath}"))
        both = statistics.covariance("work", f"heat {bath}")
        below = heat(at, "2") if engine else power_qubits(at)
        square = work + 2 * exact * both + exact**2 * other if engine else other - 2 * exact * both + exact**2 * work

        def estimate(ensemble: Any) -> tuple[float, float]:
            w, q = qubit_work(ensemble), ensemble.heat[bath]
            up, down = (-w, q) if engine else (q, w)
            value = float(up.mean() / down.mean())
            error = float((up - value * down).std(ddof=1)) / math.sqrt(len(up)) / abs(float(down.mean()))
            return value, error

        spread = math.sqrt(max(float(square), 0.0)) / abs(below * time)
        return Sampling(at.model, time, "steady", estimate, exact, spread)

    return make


# -------------------------------------------------------------------- observables


def of_observable(system: str, name: str) -> Sampler:
    """Mean of an observable at the end, by its name among `_observables`, or of ``|l><l|`` for the `l` of the table."""

    def make(params: Params) -> Sampling:
        rest = {key: value for key, value in params.items() if key != "l"}
        at = point(system, rest)
        observables = _observables(at.model)
        levels = rotor_populations(at)
        wanted = {"top": str(max(levels)), "population": str(params.get("l"))}.get(name, name)
        if wanted not in observables:
            return _out_of_reach(0.0)
        operator = observables[wanted]
        exact = backaction(at) if name == "Q_BA" else expect(at, operator)
        spread = math.sqrt(max(expect(at, operator @ operator) - expect(at, operator) ** 2, 0.0))
        steady = at.time is None

        def estimate(ensemble: Any) -> tuple[float, float]:
            found = ensemble.expect[wanted]
            return float(found.value[-1]), max(float(found.error[-1]), spread / math.sqrt(ensemble.ntraj) / 10)

        initial = "steady" if steady else _start(at, rest)
        time = _observable_time(at) if steady else float(at.time or 0.0)
        return Sampling(at.model, time, initial, estimate, exact, spread, {"e_ops": observables})

    return make


def _observables(model: Any) -> dict[str, Any]:
    """Populations of the ladder, L_z, L_z^2, and what the load changes of the kinetic energy per unit time."""
    found = ladder_observables(model)
    L_z = found["L_z"]
    channels = [math.sqrt(c.rate) * c.op for c in model.channels if c.name == "r" and c.rate > 0]
    if channels:
        p = model.recipe["parameters"]
        found["Q_BA"] = adjoint_dissipator(channels, L_z @ L_z / (2 * p["I"]))
    return found | {"L_z_squared": L_z @ L_z}


def _start(at: Point, params: Params) -> Any:
    asked = params.get("initial_state")
    return thermal_start(at.model) if asked is None else start_state(at.model, STARTS[asked])


COUNTED = tuple(SYSTEMS)
WITH_WORK = ("rotor_local", "rotor_collision_split", "rotor_collision_joint")
CUMULANTS = {"variance": 2, "third_cumulant": 3}

SAMPLING: dict[tuple[str, str], Sampler] = {
    **{(system, f"heat_current_{bath}"): of_counts(system, bath, 1) for system in COUNTED for bath in "12"},
    **{(system, "L_z"): of_observable(system, "L_z") for system in COUNTED},
    **{("rotor_local", f"heat_2_{k}_rate"): of_counts("rotor_local", "2", n) for k, n in CUMULANTS.items()},
    **{
        ("rotor_local", f"load_angular_momentum_{k}_rate"): of_counts("rotor_local", "r", n, charges=True)
        for k, n in CUMULANTS.items()
    },
    **{(system, "heat_current_r"): of_load_columns(system, "heat_current_r") for system in COUNTED},
    **{(system, "power_Q"): of_load_columns(system, "power_Q") for system in WITH_WORK},
    **{("rotor_local", name): of_ratio(name) for name in ("efficiency", "COP")},
    ("rotor_local", "L_z_squared"): of_observable("rotor_local", "L_z_squared"),
    ("rotor_local", "heat_current_backaction"): of_observable("rotor_local", "Q_BA"),
    ("rotor_local", "rotor_population"): of_observable("rotor_local", "population"),
    ("rotor_local", "rotor_population_top"): of_observable("rotor_local", "top"),
}
