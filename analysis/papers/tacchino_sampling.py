"""How trajectories reach the reference table of Tacchino et al. (2018)."""

from collections.abc import Callable
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.machines.collective_formulas import LEVELS, diamond

from ..states import partial_trace
from . import two_baths as exact
from .base import Params, Sampling
from .tacchino_entanglement import entanglement, wootters
from .tacchino_quantities import betas, cavity, cavity_photons, collective, effective, leak, rates
from .tacchino_states import (
    GROUND,
    by_level,
    diamond_populations,
    signed_from_populations,
    spread_of_signed,
)

Floats = NDArray[np.float64]
Sampler = Callable[[Params], Sampling]

KETS = {"keep": ("totals", "final_state")}
RELAXED = 6.0  # times 1/Gamma^+ from the ground state, after which the collective model is stationary to e^-12 or so
CAVITY_TIME = 1e4  # times 1/g, the length of the trajectories of the full model
SLOW = 4.0  # times 1/(p + gamma) where that is longer


# -------------------------------------------------------------------- what both machines share


def ratio_spread(cumulants: Any) -> float:
    """Standard error times sqrt(n) of variance over mean, from cumulants 1 to 4."""
    c1, c2, c3, c4 = (float(c) for c in cumulants)
    square = (c4 + 2 * c2**2) / c1**2 + c2**3 / c1**4 - 2 * c2 * c3 / c1**3
    return math.sqrt(max(square, 0.0))


def mean_of_counts(model: Any, weight: Floats) -> Sampling:
    """Mean rate of a weighted sum of counts in the steady state."""
    time = exact.stationary_time(model)
    mean, variance = model.cumulants_at(time, weight, 2)

    def estimate(ensemble: Any) -> tuple[float, float]:
        value = ensemble.counts @ weight / time
        return float(value.mean()), math.sqrt(variance / len(value)) / time

    return Sampling(model, time, "steady", estimate, float(mean) / time, math.sqrt(max(variance, 0.0)) / time)


def variance_of_counts(model: Any, weight: Floats, time: float | None = None) -> Sampling:
    """Variance of a weighted sum of counts from the steady state: up to `time`, or per unit time."""
    span = exact.stationary_time(model) if time is None else time
    unit = span if time is None else 1.0
    _, variance, _, fourth = model.cumulants_at(span, weight, 4)
    spread = math.sqrt(max(fourth + 2 * variance**2, 0.0)) / unit

    def estimate(ensemble: Any) -> tuple[float, float]:
        value = ensemble.counts @ weight
        return float(value.var(ddof=1)) / unit, spread / math.sqrt(len(value))

    return Sampling(model, span, "steady", estimate, float(variance) / unit, spread)


def ratio_of_counts(model: Any, weight: Floats, scale: float = 1.0) -> Sampling:
    """Variance over mean of a weighted sum of counts at finite time from the steady state, times `scale`."""
    time = exact.stationary_time(model)
    found = model.cumulants_at(time, weight, 4)
    spread = abs(scale) * ratio_spread(found) if found[0] else math.inf

    def estimate(ensemble: Any) -> tuple[float, float]:
        value = ensemble.counts @ weight
        return float(scale * value.var(ddof=1) / value.mean()), spread / math.sqrt(len(value))

    return Sampling(model, time, "steady", estimate, float(scale * found[1] / found[0]), spread)


def entangled(model: Any, time: float, *, signed: bool = False) -> Sampling:
    """Concurrence of the averaged state of the first two sites after a start with all of them in their ground states.

    The estimate is compared without the maximum where the exact value is; its error is the same with it, and not
    smaller than the predicted one: a sample with few trajectories in E has a small scatter for the same reason.
    """
    ground = np.eye(model.process.d)[0]
    p = diamond_populations(partial_trace(model.evolve(ground, [time])[0], model.dims, (0, 1)))
    value, spread = float(signed_from_populations(p)), spread_of_signed(p)

    def estimate(ensemble: Any) -> tuple[float, float]:
        found = entanglement(ensemble.final_state, _from_populations if signed else wootters)
        error = max(found.signed.error, spread / math.sqrt(found.n))
        return found.signed.value if signed else found.concurrence, error

    return Sampling(model, time, ground, estimate, value if signed else max(value, 0.0), spread, KETS)


def _from_populations(rho: Any) -> Any:
    return signed_from_populations(diamond_populations(rho))


def level(model: Any, time: float, name: str) -> Sampling:
    """Population of one level of the diamond, by the same ensemble as `entangled`."""
    ground = np.eye(model.process.d)[0]
    p = by_level(partial_trace(model.evolve(ground, [time])[0], model.dims, (0, 1)))[name]
    projector = partial_projector(model.dims, name)

    def estimate(ensemble: Any) -> tuple[float, float]:
        kets = ensemble.final_state
        share = np.einsum("na,ab,nb->n", kets.conj(), projector, kets).real
        return float(share.mean()), math.sqrt(p * (1 - p) / len(share))

    return Sampling(model, time, ground, estimate, p, math.sqrt(p * (1 - p)), KETS)


def partial_projector(dims: tuple[int, ...], name: str) -> Any:
    """(d, d) projector on a level of the diamond of the first two sites."""
    ket = diamond()[LEVELS.index(name)]
    return np.kron(np.outer(ket, ket.conj()), np.eye(math.prod(dims[2:])))


# -------------------------------------------------------------------- the collective model


def _collective(sampler: Callable[..., Sampling], *more: str) -> Sampler:
    """A sampler of the collective model at finite betas; a limit is left to the exact side."""

    def sampling(params: Params) -> Sampling:
        beta_A, beta_S, rest = betas(params, *more)
        if math.isinf(beta_A) or math.isinf(beta_S):
            return _left_out(collective(0.0, 0.0))
        return sampler(collective(beta_A, beta_S), *rest)

    return sampling


def _left_out(model: Any) -> Sampling:
    """Nothing that trajectories could reach."""
    return Sampling(model, 1.0, "steady", lambda ensemble: (math.nan, math.nan), math.nan, math.inf)


def _heat(model: Any) -> Floats:
    return np.asarray(model.process.counts.heat_weight("A"))


def _dissipation_per_heat(model: Any) -> float:
    """beta_S - beta_A, in units of 1/omega_0."""
    beta = dict(zip(model.process.counts.baths, model.process.counts.beta, strict=True))
    return float(beta["S"] - beta["A"])


def _pure(model: Any) -> Sampling:
    """Average of the concurrences of the trajectories' own states: 0 or 1 in each of them."""
    state = by_level(model.evolve(GROUND, [RELAXED])[0])
    mean = state["S"] + state["A"]

    def estimate(ensemble: Any) -> tuple[float, float]:
        found = entanglement(ensemble.final_state).pure
        return found.value, found.error

    return Sampling(model, RELAXED, GROUND, estimate, mean, math.sqrt(mean * (1 - mean)), KETS)


def _generating_function(model: Any, s: float) -> Sampling:
    """ln <exp(s Q_A)> / t at finite time, of which the steady rate is the limit."""
    time = exact.stationary_time(model)
    n, P = model.quanta_distribution("A", time)
    first, second = (float(P @ np.exp(k * s * n)) for k in (1, 2))
    spread = math.sqrt(max(second - first**2, 0.0)) / (first * time)

    def estimate(ensemble: Any) -> tuple[float, float]:
        average = float(np.exp(s * ensemble.heat["A"]).mean())
        return math.log(average) / time, spread / math.sqrt(ensemble.ntraj)

    return Sampling(model, time, "steady", estimate, math.log(first) / time, spread)


def _entropy(model: Any) -> Sampling:
    """Mean entropy production per time; in equilibrium it is zero in each trajectory, and nothing is left to sample."""
    return exact.sample_entropy(model) if _dissipation_per_heat(model) else _left_out(model)


def _exponential_average(model: Any, tau: float) -> Sampling:
    """<exp(-Sigma)> from G; its variance may be too large for a double, and then for any ensemble."""
    with np.errstate(over="ignore", invalid="ignore"):
        return exact.sample_exponential_average(model, GROUND, tau)


# -------------------------------------------------------------------- the cavity


def _cavity(sampler: Callable[[Any], Sampling]) -> Sampler:
    return lambda params: sampler(cavity(**rates(params)))


def cavity_time(model: Any) -> float:
    """10^4/g, or longer where pump and decay are slower."""
    p = model.recipe["parameters"]
    slowest = p["p"] + p["gamma"]
    return max(CAVITY_TIME / p["g"], SLOW / slowest if slowest else 0.0)


def _in_cavity(signed: bool = False) -> Sampler:
    return _cavity(lambda model: entangled(model, cavity_time(model), signed=signed))


def _photons(model: Any) -> Sampling:
    """Mean photon number from the leaks, kappa <a^dagger a> per time."""
    counted = mean_of_counts(model, leak(model))
    kappa = model.recipe["parameters"]["kappa"]

    def estimate(ensemble: Any) -> tuple[float, float]:
        value, error = counted.estimate(ensemble)
        return value / kappa, error / kappa

    return Sampling(
        model, counted.time, "steady", estimate, cavity_photons(model), counted.spread / kappa, counted.options
    )


def _excitation(model: Any) -> Sampling:
    """Excitation of a qubit at the end, averaged over both."""
    ground, time = np.eye(model.process.d)[0], cavity_time(model)
    state = by_level(partial_trace(model.evolve(ground, [time])[0], model.dims, (0, 1)))
    value = (state["S"] + state["A"]) / 2 + state["E"]
    square = (state["S"] + state["A"]) / 4 + state["E"]
    operator = sum(w * partial_projector(model.dims, name) for name, w in (("S", 0.5), ("A", 0.5), ("E", 1.0)))

    def estimate(ensemble: Any) -> tuple[float, float]:
        kets = ensemble.final_state
        share = np.einsum("na,ab,nb->n", kets.conj(), operator, kets).real
        return float(share.mean()), float(share.std(ddof=1)) / math.sqrt(len(share))

    return Sampling(model, time, ground, estimate, value, math.sqrt(square - value**2), KETS)


SAMPLING: dict[tuple[str, str], Sampler] = {
    ("collective_qubits", "concurrence"): _collective(lambda model: entangled(model, RELAXED)),
    ("collective_qubits", "signed_concurrence"): _collective(lambda model: entangled(model, RELAXED, signed=True)),
    ("collective_qubits", "populations"): _collective(lambda model: level(model, RELAXED, "A")),
    ("collective_qubits", "mean_pure_state_concurrence_over_trajectories"): _collective(_pure),
    ("collective_qubits", "Q_A"): _collective(lambda model: mean_of_counts(model, _heat(model))),
    ("collective_qubits", "entropy_production_rate"): _collective(_entropy),
    ("collective_qubits", "heat_A_cumulant_rates"): _collective(lambda model: variance_of_counts(model, _heat(model))),
    ("collective_qubits", "tur_ratio"): _collective(
        lambda model: ratio_of_counts(model, _heat(model), _dissipation_per_heat(model))
    ),
    ("collective_qubits", "mean_jump_rates"): _collective(lambda model: exact.sample_count_rate(model, 0)),
    ("collective_qubits", "scgf_A"): _collective(_generating_function, "s"),
    ("collective_qubits", "finite_time_heat_A_cumulants"): _collective(
        lambda model, tau: variance_of_counts(model, _heat(model), tau), "tau"
    ),
    ("collective_qubits", "finite_time_net_quanta_A_distribution"): _collective(
        lambda model, tau: exact.sample_net_quanta(model, "A", tau), "tau"
    ),
    ("collective_qubits", "mean_exp_minus_entropy_pure_start_G"): _collective(_exponential_average, "tau"),
    ("tavis_cummings", "concurrence"): _in_cavity(),
    ("tavis_cummings", "effective_model_concurrence"): lambda params: entangled(
        (model := effective(**rates(params))), RELAXED / model.recipe["parameters"]["Gamma_plus"]
    ),
    ("tavis_cummings", "populations_reduced"): _cavity(lambda model: level(model, cavity_time(model), "A")),
    ("tavis_cummings", "cavity_photons"): _cavity(_photons),
    ("tavis_cummings", "qubit_excitation"): _cavity(_excitation),
    ("tavis_cummings", "cavity_photon_count_cumulant_rates"): _cavity(
        lambda model: variance_of_counts(model, leak(model))
    ),
    ("tavis_cummings", "fano_factor_cavity_photons"): _cavity(lambda model: ratio_of_counts(model, leak(model))),
}
