"""Werlang et al. 2014, "Optimal rectification by strongly coupled spins": quantities, sampling, figures, claims."""

from collections.abc import Callable, Mapping
from functools import lru_cache
import math
from typing import Any

import numpy as np

from collide.machines.ising import STATES, ising, pinned_spin
from collide.machines.xy_chain import xy_chain

from . import two_baths as exact
from .base import Params, Quantity, Sampling, UnknownParameter, take
from .werlang_claims import claims
from .werlang_figures import FIGURES

__all__ = ["FIGURES", "QUANTITIES", "SAMPLING", "claims"]

HOT = 1e8  # an infinite temperature, in units of the largest energy: what is left of it is 1e-8 of the result
Jumps = list[tuple[str, int, int]]
POSITION = {name: 2 * left + right for name, (left, right) in STATES.items()}  # basis state of the paper's state


# -------------------------------------------------------------------- models of one point of a table


def _temperatures(params: Params, scale: float) -> dict[str, float]:
    """T_L and T_R, given as they are or by their mean and difference; infinite ones as a limit."""
    given = {key for key in ("T_L", "T_R", "T_mean", "delta_T") if key in params}
    if given == {"T_L", "T_R"}:
        left, right = float(params["T_L"]), float(params["T_R"])
    elif given == {"T_mean", "delta_T"}:
        mean, half = float(params["T_mean"]), 0.5 * float(params["delta_T"])
        left, right = mean + half, mean - half
    else:
        raise UnknownParameter(f"give T_L and T_R, or T_mean and delta_T, but there are {', '.join(sorted(given))}")
    return {"T_L": min(left, HOT * scale), "T_R": min(right, HOT * scale)}


def _split(params: Params, own: tuple[str, ...], *more: str) -> tuple[dict[str, float], dict[str, float]]:
    """Parameters of the machine (with T_L and T_R) and of the quantity; anything else is refused."""
    baths = tuple(key for key in ("T_L", "T_R", "T_mean", "delta_T") if key in params)
    found = take(params, *own, *baths, *more)
    scale = max(abs(float(found["h"])), abs(float(found["Delta"])))
    machine = {name: found[name] for name in own} | _temperatures(found, scale)
    return machine, {name: found[name] for name in more}


@lru_cache(maxsize=64)
def _ising(equation: str, **machine: float) -> Any:
    return ising(equation=equation, **machine)  # type: ignore[arg-type]


@lru_cache(maxsize=16)
def _xy(equation: str, **machine: Any) -> Any:
    return xy_chain(equation=equation, **machine)


def _global(params: Params, *more: str) -> tuple[Any, dict[str, float]]:
    machine, rest = _split(params, ("h", "Delta", "kappa"), *more)
    return _ising("global", **machine), rest


def _chain(equation: str) -> Callable[..., tuple[Any, dict[str, float]]]:
    def model(params: Params, *more: str) -> tuple[Any, dict[str, float]]:
        machine, rest = _split(params, ("N", "h", "Delta", "kappa"), *more)
        return _xy(equation, **machine), rest

    return model


def _local(params: Params) -> list[Any]:
    """The local model; at T_R = 0, where the right spin never flips, one model for each of its values."""
    machine, _ = _split(params, ("h", "Delta", "kappa"))
    if machine["T_R"] > 0:
        return [_ising("local", **machine)]
    cold = {name: value for name, value in machine.items() if name != "T_R"}
    return [pinned_spin(right=right, **cold) for right in (-1, 1)]


# -------------------------------------------------------------------- Ising, global


def jump_rates(model: Any) -> dict[str, float]:
    """One-way jumps per time in the steady state, by bath and pair of the paper's states (Eq. 12).

    The right bath's operator joins two transitions of the same quantum; they are told apart by the state.
    """
    p = np.diag(model.steady_state()).real
    pairs = {"L_h+D": ("L", 4, 1), "L_h-D": ("L", *_falling(model)), "R_43": ("R", 4, 3), "R_21": ("R", 2, 1)}
    found = {}
    for name, (bath, upper, lower) in pairs.items():
        for word, source, target in (("emit", upper, lower), ("absorb", lower, upper)):
            found[f"{name}_{word}"] = p[POSITION[source]] * _rate(model, bath, source, target)
    return found


def _falling(model: Any) -> tuple[int, int]:
    """The states between which the left spin gives |h - Delta| away: 3 -> 2, above Delta = h 2 -> 3."""
    energy = model.process.H.diagonal().real
    return (3, 2) if energy[POSITION[3]] >= energy[POSITION[2]] else (2, 3)


def _rate(model: Any, bath: str, source: int, target: int) -> float:
    """Rate of source -> target through a bath."""
    place = POSITION[target], POSITION[source]
    return float(sum(c.rate * abs(c.op[place]) ** 2 for c in model.channels if c.name == bath))


def cycle_rate(model: Any) -> float:
    """Gamma, the net rate of 4 -> 1 -> 2 -> 3 -> 4, read where the one-way rates are smallest: all four edges agree."""
    p = np.diag(model.steady_state()).real
    edges = [("L", 4, 1), ("R", 1, 2), ("L", 2, 3), ("R", 3, 4)]
    oneway = [
        (p[POSITION[a]] * _rate(model, bath, a, b), p[POSITION[b]] * _rate(model, bath, b, a)) for bath, a, b in edges
    ]
    forward, backward = min(oneway, key=sum)
    return float(forward - backward)


def _rectification(params: Params) -> float:
    """|J_reverse / J_forward|; forward: L hot."""
    found = take(params, "h", "Delta", "kappa", "T_hot", "T_cold")
    own = {name: found[name] for name in ("h", "Delta", "kappa")}
    hot, cold = found["T_hot"], found["T_cold"]
    forward, reverse = (_global(own | {"T_L": a, "T_R": b})[0] for a, b in ((hot, cold), (cold, hot)))
    return abs(exact.current(reverse) / exact.current(forward))


def _populations(model: Any) -> list[float]:
    p = np.diag(model.steady_state()).real
    return [float(p[POSITION[k]]) for k in (1, 2, 3, 4)]


def _start_state_1(model: Any) -> Any:
    ket = np.zeros(model.process.d, dtype=complex)
    ket[POSITION[1]] = 1.0
    return ket


# -------------------------------------------------------------------- the table's quantities


def _of(build: Callable[..., tuple[Any, dict[str, float]]], function: Callable[..., Any], *more: str) -> Quantity:
    """A quantity of a model that a point of the table describes."""

    def value(params: Params) -> Any:
        model, rest = build(params, *more)
        return function(model, *rest.values())

    return value


def _scgf(model: Any, s: float) -> float:
    return float(model.scgf("L", s))


def _local_heat(function: Callable[[Any], Any]) -> Quantity:
    """A quantity of the local Ising model; at T_R = 0 each conserved value of the right spin must give the same."""

    def value(params: Params) -> Any:
        found = [np.asarray(function(model)) for model in _local(params)]
        if not all(np.allclose(x, found[0], rtol=1e-9, atol=1e-12) for x in found):
            raise ValueError("the steady state is not unique at T_R = 0 and the quantity depends on it: start from one")
        return found[0].tolist()

    return value


def _left_heat(model: Any) -> float:
    return float(model.heat_currents()["L"])


_local_xy, _global_xy = _chain("local"), _chain("global")

QUANTITIES: dict[tuple[str, str], Quantity] = {
    ("ising_global", "J_L"): _of(_global, exact.current),
    ("ising_global", "Gamma"): _of(_global, cycle_rate),
    ("ising_global", "populations"): _of(_global, _populations),
    ("ising_global", "heat_L_cumulant_rates"): _of(_global, exact.heat_cumulant_rates),
    ("ising_global", "mean_jump_rates"): _of(_global, jump_rates),
    ("ising_global", "entropy_production_rate"): _of(_global, exact.entropy_production_rate),
    ("ising_global", "tur_ratio"): _of(_global, exact.tur_ratio),
    ("ising_global", "scgf_L"): _of(_global, _scgf, "s"),
    ("ising_global", "finite_time_heat_L_cumulants"): _of(_global, exact.finite_time_cumulants, "tau"),
    ("ising_global", "finite_time_net_quanta_R_distribution"): _of(
        _global, lambda model, tau: exact.net_quanta(model, "R", tau), "tau"
    ),
    ("ising_global", "mean_exp_minus_entropy_pure_start_state_1"): _of(
        _global, lambda model, tau: exact.exponential_average(model, _start_state_1(model), tau), "tau"
    ),
    ("ising_global", "rectification_ratio_reverse_forward"): _rectification,
    ("ising_local", "J_L"): _local_heat(_left_heat),
    ("ising_local", "heat_L_cumulant_rates"): _local_heat(exact.heat_cumulant_rates),
}
for _name, _build in (("xy_local", _local_xy), ("xy_global", _global_xy)):
    QUANTITIES |= {
        (_name, "J_L"): _of(_build, exact.current),
        (_name, "heat_L_cumulant_rates"): _of(_build, exact.heat_cumulant_rates),
        (_name, "tur_ratio"): _of(_build, exact.tur_ratio),
        (_name, "scgf_L"): _of(_build, _scgf, "s"),
    }


# -------------------------------------------------------------------- what can be sampled


def _sampled(
    build: Callable[..., tuple[Any, dict[str, float]]], sampler: Callable[..., Sampling], *more: str
) -> Callable[[Params], Sampling]:
    def sampling(params: Params) -> Sampling:
        model, rest = build(params, *more)
        return sampler(model, *rest.values())

    return sampling


def _sample_cycle(model: Any) -> Sampling:
    """Gamma = -J_L / (2 Delta)."""
    Delta = float(model.recipe["parameters"]["Delta"])
    return exact.sample_current(model, -1 / (2 * Delta))


def _sample_state_1(model: Any) -> Sampling:
    """Population of |1>: how often the closing measurement finds it."""
    p = _populations(model)[0]

    def estimate(ensemble: Any) -> tuple[float, float]:
        share = float((ensemble.final == POSITION[1]).mean())
        return share, math.sqrt(p * (1 - p) / ensemble.ntraj)

    return Sampling(model, exact.stationary_time(model), "steady", estimate, p, math.sqrt(p * (1 - p)))


def _sample_emission(model: Any) -> Sampling:
    """Emissions of h + Delta into the left bath."""
    table = model.process.counts
    quantum = -float(model.recipe["parameters"]["h"] + model.recipe["parameters"]["Delta"])
    left = table.bath == table.index("L")
    row = int(np.flatnonzero(left & np.isclose(table.quantum, quantum))[0])
    return exact.sample_count_rate(model, row)


def _one_local(sampler: Callable[[Any], Sampling]) -> Callable[[Params], Sampling]:
    return lambda params: sampler(_local(params)[0])


SAMPLING: Mapping[tuple[str, str], Callable[[Params], Sampling]] = {
    ("ising_global", "J_L"): _sampled(_global, exact.sample_current),
    ("ising_global", "Gamma"): _sampled(_global, _sample_cycle),
    ("ising_global", "populations"): _sampled(_global, _sample_state_1),
    ("ising_global", "heat_L_cumulant_rates"): _sampled(_global, exact.sample_variance),
    ("ising_global", "mean_jump_rates"): _sampled(_global, _sample_emission),
    ("ising_global", "entropy_production_rate"): _sampled(_global, exact.sample_entropy),
    ("ising_global", "finite_time_heat_L_cumulants"): _sampled(_global, exact.sample_variance, "tau"),
    ("ising_global", "finite_time_net_quanta_R_distribution"): _sampled(
        _global, lambda model, tau: exact.sample_net_quanta(model, "R", tau), "tau"
    ),
    ("ising_global", "mean_exp_minus_entropy_pure_start_state_1"): _sampled(
        _global, lambda model, tau: exact.sample_exponential_average(model, _start_state_1(model), tau), "tau"
    ),
    ("ising_local", "J_L"): _one_local(lambda model: exact.sample_current(model, bath="L")),
    ("ising_local", "heat_L_cumulant_rates"): _one_local(exact.sample_variance),
} | {
    (name, quantity): _sampled(build, sampler)
    for name, build in (("xy_local", _local_xy), ("xy_global", _global_xy))
    for quantity, sampler in (("J_L", exact.sample_current), ("heat_L_cumulant_rates", exact.sample_variance))
}
