"""Quantities that machines between two baths "L" and "R" share, from the exact side, and how they are sampled.

The work on the system averages to zero in the steady states of these machines, so both baths carry the same current.
"""

import math
from typing import Any

import numpy as np

from collide.ensemble import run

from ..estimates import Estimate
from .base import Sampling

EVENTS = 60.0  # exchanges in a sampled trajectory of a stationary quantity
FEW_EVENTS = 6.0
RELATIVE = 0.02  # error of a point in a figure, ...
MOST_EVENTS = 2e7  # ... unless the ensemble would need more exchanges than this


# -------------------------------------------------------------------- exact


def quieter_bath(model: Any) -> str:
    """The bath with less traffic, absorbed plus emitted heat: a difference of small numbers keeps more digits."""
    table, rates = model.process.counts, model.count_rates()
    traffic = {bath: float(np.abs(rates * table.heat_weight(bath)).sum()) for bath in ("L", "R")}
    return min(traffic, key=lambda bath: traffic[bath])


def current(model: Any) -> float:
    """Steady heat current from L into the system, read at the quieter bath: J_L = -J_R."""
    bath = quieter_bath(model)
    value = float(model.heat_currents()[bath])
    return value if bath == "L" else 0.0 - value


def heat_cumulant_rates(model: Any) -> list[float]:
    """First three cumulants of Q_L per unit time as time goes to infinity."""
    return [float(x) for x in model.heat_cumulants("L", 3)]


def entropy_production_rate(model: Any) -> float:
    """Mean entropy production rate J (beta_R - beta_L); inf if a bath at T = 0 is emitted into.

    Written with the current, because a sum over the baths would lose the square of its smallness near equilibrium.
    """
    table = model.process.counts
    beta = dict(zip(table.baths, (float(b) for b in table.beta), strict=True))
    if all(math.isfinite(b) for b in beta.values()):
        return current(model) * (beta["R"] - beta["L"])
    return float(model.entropy_production_rate())


def tur_ratio(model: Any) -> float:
    """Variance rate of Q_L times entropy production rate over the squared current."""
    _, variance, _ = heat_cumulant_rates(model)
    return variance * entropy_production_rate(model) / current(model) ** 2


def finite_time_cumulants(model: Any, tau: float) -> list[float]:
    """First three cumulants of Q_L up to tau from the steady state, not divided by tau."""
    return [float(x) for x in model.heat_cumulants_at(tau, "L", 3)]


def net_quanta(model: Any, bath: str, tau: float) -> dict[str, list[Any]]:
    """Distribution {"n": [...], "P": [...]} of the net quanta received from a bath up to tau, from the steady state."""
    n, P = model.quanta_distribution(bath, tau)
    return {"n": [int(k) for k in n], "P": [float(p) for p in P]}


def exponential_average(model: Any, ket: Any, tau: float) -> float:
    """Exact <exp(-Sigma)> of trajectories that surely start in a ket: for rate equations a return probability, < 1."""
    return float(model.trajectory_statistics(tau, initial=ket).exponential_average.mean)


# -------------------------------------------------------------------- sampled
#
# Errors come from exact variances: a sample that happens to hold few rare events has a small variance of its own, too.


def stationary_time(model: Any, events: float = EVENTS) -> float:
    """How long a trajectory of so many exchanges lasts in the steady state (a multiple of the period of collisions)."""
    rate = float(model.count_rates().sum())
    return on_periods(model, events / rate if rate > 0 else 1.0)


def on_periods(model: Any, time: float) -> float:
    """A time, or the nearest whole number of periods of collisions."""
    tau = model.process.tau
    return time if tau is None else max(1, round(time / tau)) * tau


def time_for_a_point(model: Any, ntraj: int, weight: Any, relative: float = RELATIVE) -> float:
    """How long trajectories must be so that the mean of `ntraj` of them is the current to a relative error.

    Parameters
    ----------
    model : LindbladModel or CollisionModel
    ntraj : int
    weight : (ncounts,) float
        What is averaged: a bath's heat, or half the difference of both.
    relative : float
    """
    mean, variance = model.cumulant_rates(weight, 2)
    least, most = (stationary_time(model, events) for events in (EVENTS, max(EVENTS, MOST_EVENTS / ntraj)))
    wanted = variance / (ntraj * (relative * mean) ** 2) if mean else least
    return on_periods(model, min(max(wanted, least), most))


def sample_current(model: Any, scale: float = 1.0, bath: str | None = None, time: float | None = None) -> Sampling:
    """The current from L (times `scale`): mean heat per time at a bath, by default the quieter one, steady state."""
    bath = bath or quieter_bath(model)
    time = time or stationary_time(model)
    factor = (scale if bath == "L" else -scale) / time

    mean, variance = model.heat_cumulants_at(time, bath, 2)
    spread = math.sqrt(max(variance, 0.0)) * abs(factor)

    def estimate(ensemble: Any) -> tuple[float, float]:
        return float(ensemble.heat[bath].mean()) * factor, spread / math.sqrt(ensemble.ntraj)

    return Sampling(model, time, "steady", estimate, float(mean) * factor, spread)


def sample_variance(model: Any, time: float | None = None) -> Sampling:
    """Variance of Q_L at finite time: per unit time for a rate (no `time` given), else as it is."""
    span = stationary_time(model) if time is None else time
    unit = span if time is None else 1.0
    _, variance, _, fourth = model.heat_cumulants_at(span, "L", 4)

    def estimate(ensemble: Any) -> tuple[float, float]:
        heat = ensemble.heat["L"]
        n = len(heat)
        return float(heat.var(ddof=1)) / unit, math.sqrt(fourth / n + 2 * variance**2 / (n - 1)) / unit

    spread = math.sqrt(max(fourth + 2 * variance**2, 0.0)) / unit
    return Sampling(model, span, "steady", estimate, float(variance) / unit, spread)


def sample_entropy(model: Any) -> Sampling:
    """Mean entropy production per time from the steady state, boundary terms included (their mean is zero)."""
    time = stationary_time(model)
    mean, variance = model.trajectory_statistics(time).cumulants("entropy_production", 2)
    # infinite in the mean (a bath at T = 0): out of reach of any sample
    spread = math.sqrt(max(variance, 0.0)) / time if math.isfinite(mean) else math.inf

    def estimate(ensemble: Any) -> tuple[float, float]:
        return float(ensemble.entropy_production.mean()) / time, spread / math.sqrt(ensemble.ntraj)

    return Sampling(model, time, "steady", estimate, float(mean) / time, spread)


def sample_net_quanta(model: Any, bath: str, tau: float) -> Sampling:
    """Probability of the net number of quanta whose probability lies closest to one half."""
    n, P = model.quanta_distribution(bath, tau)
    chosen = int(np.argmin(np.abs(P - 0.5)))
    number, exact = int(n[chosen]), float(P[chosen])
    charge = model.process.counts.charge_weight(bath)

    def estimate(ensemble: Any) -> tuple[float, float]:
        share = float((np.rint(ensemble.counts @ charge) == number).mean())
        return share, math.sqrt(exact * (1 - exact) / ensemble.ntraj)

    return Sampling(model, tau, "steady", estimate, exact, math.sqrt(exact * (1 - exact)))


def sample_exponential_average(model: Any, ket: Any, tau: float) -> Sampling:
    """<exp(-Sigma)> from a sure start."""
    average = model.trajectory_statistics(tau, initial=ket).exponential_average

    def estimate(ensemble: Any) -> tuple[float, float]:
        weight = np.exp(-ensemble.entropy_production)
        return float(weight.mean()), math.sqrt(max(average.variance, 0.0) / ensemble.ntraj)

    return Sampling(model, tau, ket, estimate, float(average.mean), math.sqrt(max(average.variance, 0.0)))


def sample_count_rate(model: Any, row: int) -> Sampling:
    """Events per time of one row of counts, from the steady state."""
    time = stationary_time(model)
    weight = np.eye(len(model.process.counts))[row]
    mean, variance = model.cumulants_at(time, weight, 2)

    def estimate(ensemble: Any) -> tuple[float, float]:
        number = ensemble.counts[:, row]
        return float(number.mean()) / time, math.sqrt(variance / len(number)) / time

    return Sampling(model, time, "steady", estimate, float(mean) / time, math.sqrt(max(variance, 0.0)) / time)


def sample_generating_function(model: Any, s: float, omega: float) -> Sampling:
    """ln <exp(s Q_L)> / t for quanta of one size omega, at a time too short for rare events to carry the average."""
    time = stationary_time(model, FEW_EVENTS)
    n, P = model.quanta_distribution("L", time)
    first, second = (float(P @ np.exp(k * s * omega * n)) for k in (1, 2))
    spread = math.sqrt(max(second - first**2, 0.0)) / (first * time)

    def estimate(ensemble: Any) -> tuple[float, float]:
        average = float(np.exp(s * ensemble.heat["L"]).mean())
        return math.log(average) / time, spread / math.sqrt(ensemble.ntraj)

    return Sampling(model, time, "steady", estimate, math.log(first) / time, spread)


def sampled_current(model: Any, ntraj: int, seed: int, bath: str | None = None, time: float | None = None) -> Estimate:
    """The current from L out of an ensemble, for a point of a figure; the error from the exact variance."""
    bath = bath or quieter_bath(model)
    sampling = sample_current(
        model, 1.0, bath, time or time_for_a_point(model, ntraj, model.process.counts.heat_weight(bath))
    )
    value, error = sampling.estimate(run(model, ntraj, sampling.time, seed, progress=False))
    return Estimate(value, error)
