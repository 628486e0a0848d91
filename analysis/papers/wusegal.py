"""Wu and Segal 2009, "Sufficient conditions for thermal rectification in hybrid quantum structures"."""

from collections.abc import Callable, Mapping
import json
import math
from typing import Any

import numpy as np

from collide.baths import Bath, SpectralDensity
from collide.machines.junction import junction, levels_at_field
from collide.machines.metal import metal_rate, polynomial_band

from . import two_baths as exact
from .base import Params, Quantity, Sampling, UnknownParameter, take
from .wusegal_claims import claims
from .wusegal_figures import FIGURES

__all__ = ["FIGURES", "QUANTITIES", "SAMPLING", "claims"]

COLLISION_NEGLECT = 1e-10  # the truncated oscillator keeps the exact heat per cycle far better than that
KEPT = 64  # junctions remembered between quantities of one point
_known: dict[str, Any] = {}


# -------------------------------------------------------------------- models of one point of a table


def _machine(**parameters: Any) -> Any:
    """A junction, remembered while the quantities of one point are asked for."""
    key = json.dumps(parameters, sort_keys=True)
    if key not in _known:
        while len(_known) >= KEPT:
            del _known[next(iter(_known))]
        _known[key] = junction(**parameters)
    return _known[key]


def _temperatures(params: Params) -> dict[str, float]:
    """T_L and T_R, given as they are, by their sum T_a and difference Delta, or by their mean and difference."""
    given = {key for key in ("T_L", "T_R", "T_a", "Delta", "T_mean", "delta_T") if key in params}
    if given == {"T_L", "T_R"}:
        return {"T_L": float(params["T_L"]), "T_R": float(params["T_R"])}
    if given == {"T_a", "Delta"}:
        half, shift = 0.5 * float(params["T_a"]), 0.5 * float(params["Delta"])
    elif given == {"T_mean", "delta_T"}:
        half, shift = float(params["T_mean"]), 0.5 * float(params["delta_T"])
    else:
        raise UnknownParameter(
            f"give T_L and T_R, T_a (their sum) and Delta, or T_mean and delta_T, but there are"
            f" {', '.join(sorted(given))}"
        )
    return {"T_L": half + shift, "T_R": half - shift}


def _parameters(params: Params, own: tuple[str, ...], more: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keywords of the machine and arguments of the quantity; anything else is refused."""
    heats = tuple(key for key in ("T_L", "T_R", "T_a", "Delta", "T_mean", "delta_T") if key in params)
    found = take(params, *own, *heats, *more)
    machine = {name: found[name] for name in own} | _temperatures(found)
    for side in ("left", "right"):
        machine[side] = dict(machine[side])
    return machine, {name: found[name] for name in more}


Build = Callable[..., tuple[Any, dict[str, Any]]]


def _junction(params: Params, *more: str) -> tuple[Any, dict[str, Any]]:
    machine, rest = _parameters(params, ("subsystem", "omega", "left", "right"), more)
    if machine["subsystem"] not in {"HO", "TLS"}:
        raise UnknownParameter(f"`subsystem` of a junction is 'HO' or 'TLS', but is {machine['subsystem']!r}")
    return _machine(**machine), rest


def _ladder(params: Params, *more: str) -> tuple[Any, dict[str, Any]]:
    machine, rest = _parameters(params, ("subsystem", "levels", "omega", "left", "right"), more)
    return _machine(**machine), rest


def _cycles(kind: str, subsystem: str) -> Build:
    """Collisions of resonant ancillas with a given swap probability, one L + R cycle per unit of time."""
    bath = {"kind": kind, "g": 1.0}

    def model(params: Params, *more: str) -> tuple[Any, dict[str, Any]]:
        own = ("omega", "swap_probability_L", "swap_probability_R", "T_L", "T_R")
        found = take(params, *own, *more)
        keywords = {name: float(found[name]) for name in own}
        extra = {"neglect": COLLISION_NEGLECT} if subsystem == "HO" else {}
        built = _machine(subsystem=subsystem, left=bath, right=bath, picture="collision", tau=1.0, **keywords, **extra)
        return built, {name: found[name] for name in more}

    return model


# -------------------------------------------------------------------- the table's quantities


def _of(build: Build, function: Callable[..., Any], *more: str) -> Quantity:
    """A quantity of a model that a point of the table describes."""

    def value(params: Params) -> Any:
        model, rest = build(params, *more)
        return function(model, *rest.values())

    return value


def _rectification(build: Build) -> Quantity:
    """|J(Delta) / J(-Delta)|: the temperatures are exchanged, baths and couplings stay."""

    def value(params: Params) -> float:
        plain = {key: v for key, v in params.items() if key not in {"T_L", "T_R", "T_a", "Delta", "T_mean", "delta_T"}}
        heat = _temperatures(params)
        forward, _ = build(plain | heat)
        reverse, _ = build(plain | {"T_L": heat["T_R"], "T_R": heat["T_L"]})
        return abs(exact.current(forward) / exact.current(reverse))

    return value


def relaxation_rates(model: Any) -> list[float]:
    """[k_L, k_R], rates of |1> -> |0| per bath, from the channels of the model."""
    return [
        float(sum(c.rate * abs(c.op[0, 1]) ** 2 for c in model.channels if c.name == bath and c.quantum < 0))
        for bath in ("L", "R")
    ]


def mean_occupation(model: Any) -> float:
    """Mean level of the steady state; of two levels, the excited population."""
    p = np.diag(model.steady_state()).real
    return float(p @ np.arange(len(p)))


def ground_state(model: Any) -> Any:
    """The lowest level as a ket."""
    ket = np.zeros(model.process.d, dtype=complex)
    ket[0] = 1.0
    return ket


def _scgf(params: Params) -> float:
    """Generating function of Q_L; an unbounded oscillator needs more levels for it than for its state."""
    machine, rest = _parameters(params, ("subsystem", "omega", "left", "right"), ("s",))
    s = float(rest["s"])
    if machine["subsystem"] == "HO":
        machine["levels"] = levels_at_field(s, **{name: v for name, v in machine.items() if name != "subsystem"})
    return float(_machine(**machine).scgf("L", s))


def _heat_per_cycle(model: Any) -> float:
    return exact.current(model) * float(model.process.tau)


def _metal(params: Params) -> tuple[Bath, float]:
    """A metal whose band is a polynomial around its chemical potential, and the energy of a pair."""
    found = take(params, "T", "omega", "mu", "F_coefficients", optional={"band": (-math.inf, math.inf)})
    mu = float(found["mu"])
    F, band = polynomial_band(found["F_coefficients"], mu), tuple(float(x) for x in found["band"])
    density = SpectralDensity(lambda T, omega: metal_rate(F, T, omega, mu, (band[0], band[1])), None, "metal(integral)")
    bath = Bath("metal", temperature=float(found["T"]), statistics="metal", spectral_density=density)
    return bath, float(found["omega"])


def _metal_strength(params: Params) -> float:
    bath, omega = _metal(params)
    return bath.strength(omega)


def _metal_relaxation(params: Params) -> float:
    bath, omega = _metal(params)
    return bath.rates(omega)[0]


_bosons, _spins = _cycles("boson", "HO"), _cycles("spin", "TLS")

QUANTITIES: dict[tuple[str, str], Quantity] = {
    ("junction", "rectification_ratio"): _rectification(_junction),
    ("junction", "J"): _of(_junction, exact.current),
    ("junction", "relaxation_rates"): _of(_junction, relaxation_rates),
    ("junction", "mean_occupation"): _of(_junction, mean_occupation),
    ("junction", "heat_L_cumulant_rates"): _of(_junction, exact.heat_cumulant_rates),
    ("junction", "entropy_production_rate"): _of(_junction, exact.entropy_production_rate),
    ("junction", "tur_ratio"): _of(_junction, exact.tur_ratio),
    ("junction", "scgf_L"): _scgf,
    ("junction", "finite_time_heat_L_cumulants"): _of(_junction, exact.finite_time_cumulants, "tau"),
    ("junction", "finite_time_net_quanta_L_distribution"): _of(
        _junction, lambda model, tau: exact.net_quanta(model, "L", tau), "tau"
    ),
    ("junction", "mean_exp_minus_entropy_pure_start_ground"): _of(
        _junction, lambda model, tau: exact.exponential_average(model, ground_state(model), tau), "tau"
    ),
    ("truncated_ladder", "J"): _of(_ladder, exact.current),
    ("truncated_ladder", "rectification_ratio"): _rectification(_ladder),
    ("metal_rate_integral", "Lambda"): _metal_strength,
    ("metal_rate_integral", "k"): _metal_relaxation,
    ("collision_boson_HO_boson", "heat_from_L_per_cycle"): _of(_bosons, _heat_per_cycle),
    ("collision_spin_TLS_spin", "heat_from_L_per_cycle"): _of(_spins, _heat_per_cycle),
}


# -------------------------------------------------------------------- what can be sampled


def _sampled(build: Build, sampler: Callable[..., Sampling], *more: str) -> Callable[[Params], Sampling]:
    def sampling(params: Params) -> Sampling:
        model, rest = build(params, *more)
        return sampler(model, *rest.values())

    return sampling


def _sample_occupation(model: Any) -> Sampling:
    """Mean level found by the closing measurement."""
    p = np.diag(model.steady_state()).real
    level = np.arange(len(p))
    mean = float(p @ level)
    spread = math.sqrt(float(p @ (level - mean) ** 2))

    def estimate(ensemble: Any) -> tuple[float, float]:
        return float(ensemble.final.mean()), spread / math.sqrt(ensemble.ntraj)

    return Sampling(model, exact.stationary_time(model), "steady", estimate, mean, spread)


def _sample_scgf(model: Any, s: float) -> Sampling:
    return exact.sample_generating_function(model, s, float(model.recipe["parameters"]["omega"]))


SAMPLING: Mapping[tuple[str, str], Callable[[Params], Sampling]] = {
    ("junction", "J"): _sampled(_junction, exact.sample_current),
    ("junction", "mean_occupation"): _sampled(_junction, _sample_occupation),
    ("junction", "heat_L_cumulant_rates"): _sampled(_junction, exact.sample_variance),
    ("junction", "entropy_production_rate"): _sampled(_junction, exact.sample_entropy),
    ("junction", "scgf_L"): _sampled(_junction, _sample_scgf, "s"),
    ("junction", "finite_time_heat_L_cumulants"): _sampled(_junction, exact.sample_variance, "tau"),
    ("junction", "finite_time_net_quanta_L_distribution"): _sampled(
        _junction, lambda model, tau: exact.sample_net_quanta(model, "L", tau), "tau"
    ),
    ("junction", "mean_exp_minus_entropy_pure_start_ground"): _sampled(
        _junction, lambda model, tau: exact.sample_exponential_average(model, ground_state(model), tau), "tau"
    ),
    ("truncated_ladder", "J"): _sampled(_ladder, exact.sample_current),
    ("collision_boson_HO_boson", "heat_from_L_per_cycle"): _sampled(_bosons, exact.sample_current),
    ("collision_spin_TLS_spin", "heat_from_L_per_cycle"): _sampled(_spins, exact.sample_current),
}
