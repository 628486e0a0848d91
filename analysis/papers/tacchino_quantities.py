"""The reference table of Tacchino et al. (2018): every quantity from the exact side of the two machines."""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from collide.machines.collective_qubits import collective_qubits
from collide.machines.tavis_cummings import effective_model, tavis_cummings

from ..entanglement import concurrence
from ..states import partial_trace
from . import two_baths as exact
from .base import Params, Quantity, take
from .tacchino_states import GROUND, by_level, diamond_populations, signed_from_populations

Floats = NDArray[np.float64]

LIMIT_NODES = 8.0 + np.arange(6)
"""Where a quantity is computed to find its limit at beta = +inf: it is a power series in exp(-beta/2)."""
SAFE = 7.0  # how far these lie above the other beta at least
FROZEN = -40.0  # stands for -inf where the reverse of a jump must still exist
LOWEST, HIGHEST, STEP = -5.0, 30.0, 0.25  # thresholds are looked for so far above the other beta


# -------------------------------------------------------------------- models of a point


@lru_cache(maxsize=64)
def collective(beta_A: float, beta_S: float) -> Any:
    """Jump model of two collective baths, Gamma^+ = omega_0 = 1."""
    return collective_qubits(beta_A=beta_A, beta_S=beta_S)


@lru_cache(maxsize=64)
def cavity(**rates: Any) -> Any:
    """Jump model of the cavity; as many levels as it takes."""
    return tavis_cummings(**rates)


@lru_cache(maxsize=64)
def effective(**rates: Any) -> Any:
    """The collective model that stands for the cavity (Eq. 9), in units of its own."""
    return effective_model(**rates)


def betas(params: Params, *more: str) -> tuple[float, float, list[float]]:
    """beta_A, beta_S (any sign, also infinite) and further parameters of a point."""
    found = take(params, "beta_A", "beta_S", *more)
    return float(found["beta_A"]), float(found["beta_S"]), [float(found[name]) for name in more]


def rates(params: Params) -> dict[str, float]:
    """p, gamma, kappa and g (1 by default) of a point."""
    return {name: float(value) for name, value in take(params, "p", "gamma", "kappa", optional={"g": 1.0}).items()}


# -------------------------------------------------------------------- limits


def with_limits(
    function: Callable[..., Any], beta_A: float, beta_S: float, *more: float, frozen: float = -math.inf
) -> Any:
    """A function of (model, ...) at betas that may be infinite.

    At beta = -inf there is a model without the reverse jumps.  At beta = +inf one bath takes at an infinite rate, and
    the function is extrapolated: with eps = exp(-beta/2) it is a power series, which the polynomial through six
    points continues to eps = 0.

    Parameters
    ----------
    function : callable
        Gives a number, a list or a dictionary of numbers.
    frozen : float
        What stands for -inf.
    """
    low = [frozen if beta == -math.inf else beta for beta in (beta_A, beta_S)]
    endless = [beta == math.inf for beta in low]
    if not any(endless):
        return function(collective(*low), *more)
    nodes = LIMIT_NODES + max([0.0] + [b + SAFE - LIMIT_NODES[0] for b in low if b < math.inf])
    found = [function(collective(*(b if b < math.inf else node for b in low)), *more) for node in nodes]
    eps = np.exp(-nodes / 2)
    if isinstance(found[0], dict):
        keys = sorted(set().union(*found))
        return {key: _at_zero(eps, [value.get(key, 0.0) for value in found]) for key in keys}
    if isinstance(found[0], list):
        return [_at_zero(eps, values) for values in zip(*found, strict=True)]
    return _at_zero(eps, found)


def _at_zero(x: Floats, y: Any) -> float:
    """Value at 0 of the polynomial through the points (Lagrange)."""
    others = [np.delete(x, k) for k in range(len(x))]
    weights = [np.prod(rest / (rest - at)) for rest, at in zip(others, x, strict=True)]
    return float(np.dot(weights, y))


# -------------------------------------------------------------------- quantities of the collective model


def populations(model: Any) -> dict[str, float]:
    """G, S, A, E."""
    return by_level(model.steady_state())


def wootters_concurrence(model: Any) -> float:
    """Of the stationary state."""
    return float(concurrence(model.steady_state()))


def signed_concurrence(model: Any) -> float:
    """(N1 - N2)/d."""
    return float(signed_from_populations(diamond_populations(model.steady_state())))


def mean_pure_concurrence(model: Any) -> float:
    """Average over trajectories of their own concurrence: 1 in S and A, 0 in G and E, where collective jumps land."""
    p = populations(model)
    return p["S"] + p["A"]


def heat_current(model: Any) -> float:
    """From bath A into the qubits."""
    return float(model.heat_currents()["A"])


def jump_rates(model: Any) -> dict[str, float]:
    """One-way rates by bath and direction."""
    table, found = model.process.counts, model.count_rates()
    rows = {(table.baths[b], int(c)): float(r) for b, c, r in zip(table.bath, table.charge, found, strict=True)}
    words = {1: "absorb", -1: "emit"}
    return {f"{bath}_{words[charge]}": rows.get((bath, charge), 0.0) for bath in "SA" for charge in (1, -1)}


def heat_cumulants(model: Any) -> list[float]:
    """First three cumulants of Q_A per time."""
    return [float(x) for x in model.heat_cumulants("A", 3)]


def generating_function(model: Any, s: float) -> float:
    """lim ln <exp(s Q_A)> / t."""
    return float(model.scgf("A", s))


def finite_time_cumulants(model: Any, tau: float) -> list[float]:
    """First three cumulants of Q_A up to tau from the steady state."""
    return [float(x) for x in model.heat_cumulants_at(tau, "A", 3)]


def net_quanta(model: Any, tau: float) -> dict[str, list[Any]]:
    """Distribution of absorptions less emissions of A up to tau from the steady state."""
    return exact.net_quanta(model, "A", tau)


def exponential_average(model: Any, tau: float) -> float:
    """<exp(-Sigma)> from a sure start in G."""
    with np.errstate(over="ignore", invalid="ignore"):  # its variance may be too large for a double; it is not used
        return exact.exponential_average(model, GROUND, tau)


def _entropy_production(params: Params) -> float:
    """(beta_S - beta_A) Q_A; infinite where heat flows and a bath has no reverse."""
    beta_A, beta_S, _ = betas(params)
    if beta_A == beta_S:
        return 0.0
    if math.inf in (beta_A, beta_S):
        return math.inf if with_limits(heat_current, beta_A, beta_S) else 0.0
    return float(collective(beta_A, beta_S).entropy_production_rate())


def _tur_ratio(params: Params) -> float:
    """Variance rate times entropy production over the squared current; at equal betas its limit, 2."""
    beta_A, beta_S, _ = betas(params)
    if beta_A == beta_S:
        return 2.0  # fluctuation and dissipation: variance = 2 current / (beta_S - beta_A) to first order
    dissipation = _entropy_production(params)
    if math.isinf(dissipation):
        return math.inf
    mean, variance, _ = heat_cumulants(collective(beta_A, beta_S))
    return variance * dissipation / mean**2


def _net_quanta(params: Params) -> dict[str, list[Any]]:
    """As `net_quanta`, also in the limits."""
    beta_A, beta_S, (tau,) = betas(params, "tau")

    def shares(model: Any) -> dict[int, float]:
        found = net_quanta(model, tau)
        return dict(zip(found["n"], found["P"], strict=True))

    found = with_limits(shares, beta_A, beta_S)
    return {"n": list(found), "P": list(found.values())}


def entanglement_threshold(params: Params) -> float:
    """Beta_S above which the qubits are entangled, beta_S > beta_A: the one zero of N1 - N2 there."""
    beta_A = float(take(params, "beta_A")["beta_A"])
    if beta_A == math.inf:
        raise ValueError("`beta_A` = inf leaves no beta_S above it: give a finite one or -inf")

    def excess(beta_S: float) -> float:
        return signed_concurrence(collective(beta_A, beta_S))

    grid = max(beta_A, LOWEST) + STEP * np.arange(1, int(HIGHEST / STEP))
    for low, high in pairwise(grid):
        if excess(low) < 0 <= excess(high):
            return float(brentq(excess, low, high, xtol=1e-13, rtol=1e-14))
    raise ValueError(f"no threshold up to beta_S = {grid[-1]:g} at beta_A = {beta_A:g}")


def _of(function: Callable[..., Any], *more: str, frozen: float = -math.inf) -> Quantity:
    """A quantity of the collective model."""

    def value(params: Params) -> Any:
        beta_A, beta_S, rest = betas(params, *more)
        return with_limits(function, beta_A, beta_S, *rest, frozen=frozen)

    return value


# -------------------------------------------------------------------- quantities of the cavity


def qubits(model: Any) -> Any:
    """Stationary state (4, 4) of the two qubits in the cavity."""
    return partial_trace(model.steady_state(), model.dims, (0, 1))


def cavity_concurrence(model: Any) -> float:
    """Of the reduced stationary state."""
    return float(concurrence(qubits(model)))


def cavity_photons(model: Any) -> float:
    """<a^dagger a>."""
    levels = model.dims[-1]
    n = np.arange(levels)
    return float(model.steady_state().diagonal().real.reshape(4, levels).sum(axis=0) @ n)


def qubit_excitation(model: Any) -> float:
    """<c_1^dagger c_1>."""
    return float(qubits(model)[2:, 2:].trace().real)


def leak(model: Any) -> Floats:
    """Weights of the counts that count leaked photons."""
    return np.asarray(-model.process.counts.charge_weight("cavity"))


def photon_cumulants(model: Any) -> list[float]:
    """First three cumulants of the leaked photons per time."""
    return [float(x) for x in model.cumulant_rates(leak(model), 3)]


def fano_factor(model: Any) -> float:
    """c_2 / c_1 of the leaked photons."""
    mean, variance, _ = photon_cumulants(model)
    return variance / mean


def _in_cavity(function: Callable[[Any], Any]) -> Quantity:
    return lambda params: function(cavity(**rates(params)))


QUANTITIES: dict[tuple[str, str], Quantity] = {
    ("collective_qubits", "concurrence"): _of(wootters_concurrence),
    ("collective_qubits", "signed_concurrence"): _of(signed_concurrence),
    ("collective_qubits", "populations"): _of(populations),
    ("collective_qubits", "mean_pure_state_concurrence_over_trajectories"): _of(mean_pure_concurrence),
    ("collective_qubits", "Q_A"): _of(heat_current),
    ("collective_qubits", "entropy_production_rate"): _entropy_production,
    ("collective_qubits", "heat_A_cumulant_rates"): _of(heat_cumulants),
    ("collective_qubits", "tur_ratio"): _tur_ratio,
    ("collective_qubits", "mean_jump_rates"): _of(jump_rates),
    ("collective_qubits", "scgf_A"): _of(generating_function, "s"),
    ("collective_qubits", "finite_time_heat_A_cumulants"): _of(finite_time_cumulants, "tau"),
    ("collective_qubits", "finite_time_net_quanta_A_distribution"): _net_quanta,
    # a limit: at beta = -inf itself trajectories with a jump of that bath have Sigma = inf, whatever comes after
    ("collective_qubits", "mean_exp_minus_entropy_pure_start_G"): _of(exponential_average, "tau", frozen=FROZEN),
    ("collective_qubits", "beta_S_threshold_for_entanglement"): entanglement_threshold,
    ("tavis_cummings", "concurrence"): _in_cavity(cavity_concurrence),
    ("tavis_cummings", "effective_model_concurrence"): lambda params: wootters_concurrence(effective(**rates(params))),
    ("tavis_cummings", "populations_reduced"): _in_cavity(lambda model: by_level(qubits(model))),
    ("tavis_cummings", "cavity_photons"): _in_cavity(cavity_photons),
    ("tavis_cummings", "qubit_excitation"): _in_cavity(qubit_excitation),
    ("tavis_cummings", "cavity_photon_count_cumulant_rates"): _in_cavity(photon_cumulants),
    ("tavis_cummings", "fano_factor_cavity_photons"): _in_cavity(fano_factor),
}
