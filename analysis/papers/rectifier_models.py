"""From the parameters of a table's point to the rectifier that answers: models, and exact moments where they must."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.machines.rectifier import bath, rectifier
from collide.machines.rectifier_checks import PLAIN_ANGLE
from collide.machines.rectifier_moments import chain_moments, heat_cumulant_rates, levels_needed

from .base import Params, UnknownParameter, take

DEFAULTS: dict[str, Any] = {"omega": 1.0, "N": 2, "eps_a": -1, "eps_L": 1, "eps_R": 1, "g": None, "time": None}
NEGLECT = 1e-12  # share of the excitations of oscillators left out: orders below the tables' tolerances
NEGLECT_COLLISIONS = 1e-10  # the same where sites and ancillas are oscillators of one large space
MOST_LEVELS = 28  # Fock states a site up to which two oscillators are solved level by level, within seconds
STEADY = (None, "steady state")


def point(params: Params, *names: str, optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Parameters of the rectifier and whatever else a quantity takes.

    Raises
    ------
    UnknownParameter
        For what the system does not have, and for a missing hopping `g` where there is one.
    """
    p = take(params, "gamma_L", "gamma_R", *names, optional=DEFAULTS | dict(optional or {}))
    if p["g"] is None:
        if p["N"] > 1:
            raise UnknownParameter("missing parameter 'g': the hopping of a chain of more than one site")
        p["g"] = 0.0
    for name in ("N", "eps_a", "eps_L", "eps_R"):  # tables may write 2.0
        if isinstance(p[name], float) and p[name].is_integer():
            p[name] = int(p[name])
    return p


def steady_only(p: Mapping[str, Any]) -> None:
    """Refuse a time where a quantity belongs to long times."""
    if p["time"] not in STEADY:
        raise UnknownParameter(f"parameter 'time' = {p['time']!r}: this quantity is one of long times")


SYSTEM = ("N", "omega", "g", "gamma_L", "gamma_R", "eps_a", "eps_L", "eps_R")


def local_model(p: Mapping[str, Any], T_L: float | None = None, T_R: float | None = None) -> Any:
    """The local Lindblad equation, at other temperatures if given."""
    chosen = {name: p[name] for name in SYSTEM}
    return _built(T_L=p["T_L"] if T_L is None else T_L, T_R=p["T_R"] if T_R is None else T_R, **chosen)


def global_model(p: Mapping[str, Any], T_L: float | None = None, T_R: float | None = None) -> Any:
    """The global Lindblad equation."""
    chosen = {name: p[name] for name in SYSTEM}
    chosen |= {"T_L": p["T_L"] if T_L is None else T_L, "T_R": p["T_R"] if T_R is None else T_R}
    return _built(equation="global", **chosen)


def collision_model(p: Mapping[str, Any], construction: str) -> Any:
    """Collisions; levels given by hand are taken as they are, since the table's numbers contain their truncation."""
    asked = p["oscillator_levels"]
    chosen = {name: p[name] for name in (*SYSTEM, "T_L", "T_R", "tau", "angle")}
    if isinstance(asked, list):
        asked = tuple(asked)
    if asked is not None:
        chosen |= {"oscillator_levels": asked, "neglect": 0.999}
        if p["eps_a"] == 1:
            chosen["levels"] = site_levels(p)  # of the chain itself, where `neglect` no longer decides
    return _built(picture="collision", construction=construction, **({"neglect": NEGLECT_COLLISIONS} | chosen))


COLLISION_OPTIONS = {"angle": PLAIN_ANGLE, "oscillator_levels": None}


def _built(**keywords: Any) -> Any:
    return _cached(tuple(sorted(keywords.items())))


@lru_cache(maxsize=32)
def _cached(items: tuple[tuple[str, Any], ...]) -> Any:
    return rectifier(**({"neglect": NEGLECT} | dict(items)))


# -------------------------------------------------------------------- averages


def ends(p: Mapping[str, Any], T_L: float, T_R: float) -> dict[int, list[Any]]:
    """Which baths touch which site."""
    left = bath("L", p["gamma_L"], T_L, p["eps_L"])
    right = bath("R", p["gamma_R"], T_R, p["eps_R"])
    return {0: [left, right]} if p["N"] == 1 else {0: [left], p["N"] - 1: [right]}


def site_levels(p: Mapping[str, Any]) -> int:
    """Fock states that hold all but a share `NEGLECT` of the hottest oscillator's excitations."""
    m = chain_moments(p["N"], p["omega"], p["g"], p["eps_a"], ends(p, p["T_L"], p["T_R"]))
    return levels_needed(float(m.occupations.max()), NEGLECT)


def by_moments(p: Mapping[str, Any]) -> bool:
    """Whether a chain of oscillators is too hot or too long for levels, so that its exact moments are taken."""
    if p["eps_a"] == -1:
        return p["N"] > 8
    return p["N"] > 2 or site_levels(p) > (MOST_LEVELS if p["N"] == 2 else MOST_LEVELS**2)


@dataclass(frozen=True)
class LocalAverages:
    """Averages of the local equation in one state.

    Attributes
    ----------
    heat : dict of str to float
    occupations : (N,) float
    coherence : complex
        <s_1 s_2^dagger>; nan for one site.
    power : float
    """

    heat: dict[str, float]
    occupations: NDArray[np.float64]
    coherence: complex
    power: float


def averages(p: Mapping[str, Any], T_L: float | None = None, T_R: float | None = None) -> LocalAverages:
    """Averages of the local equation, from the model or from the exact moments of a chain too large for it."""
    hot, cold = p["T_L"] if T_L is None else T_L, p["T_R"] if T_R is None else T_R
    at = dict(p) | {"T_L": hot, "T_R": cold}
    time = None if p["time"] in STEADY or starts_steady(p) else float(p["time"])
    if by_moments(at):
        m = chain_moments(p["N"], p["omega"], p["g"], p["eps_a"], ends(p, hot, cold), time)
        return LocalAverages(m.heat, m.occupations, m.coherence if p["N"] > 1 else complex(math.nan), m.power)
    model = local_model(p, hot, cold)
    rho = state(model, p)
    s = [lowering_of(model, site) for site in range(p["N"])]
    occupations = np.array([float(np.vdot(op, op @ rho).real) for op in s])
    coherence = complex(np.trace(s[0] @ s[1].conj().T @ rho)) if p["N"] > 1 else complex(math.nan)
    now = None if time is None else rho
    return LocalAverages(model.heat_currents(now), occupations, coherence, model.power(now))


def heat_rates(p: Mapping[str, Any], order: int) -> NDArray[np.float64]:
    """Cumulants per unit time of the heat from L in the local equation."""
    steady_only(p)
    if by_moments(p):
        return heat_cumulant_rates(p["N"], p["omega"], p["g"], p["eps_a"], ends(p, p["T_L"], p["T_R"]), "L", order)
    return np.asarray(local_model(p).heat_cumulants("L", order))


def lowering_of(model: Any, site: int) -> NDArray[np.complex128]:
    """Lowering operator of a site, dense."""
    op = np.ones((1, 1))
    for k, levels in enumerate(model.dims):
        op = np.kron(op, np.diag(np.sqrt(np.arange(1, levels)), 1) if k == site else np.eye(levels))
    return op.astype(complex)


def ground(model: Any) -> NDArray[np.complex128]:
    """Every site in |0>."""
    ket = np.zeros(model.process.d, dtype=complex)
    ket[0] = 1.0
    return ket


EMPTY = ("both subsystems in |0>", "all subsystems in |0>")


def starts_steady(p: Mapping[str, Any]) -> bool:
    """Whether a point's initial state is the steady one; without a name sites begin empty.

    Raises
    ------
    UnknownParameter
    """
    name = p.get("initial_state") or EMPTY[0]
    if name not in EMPTY and name not in STEADY:
        known = "'both subsystems in |0>' or 'steady state'"
        raise UnknownParameter(f"parameter 'initial_state' = {name!r}: it may be {known}")
    return name in STEADY


def start_of(model: Any, p: Mapping[str, Any]) -> Any:
    """The initial state that a table names."""
    return "steady" if starts_steady(p) else ground(model)


def state(model: Any, p: Mapping[str, Any]) -> NDArray[np.complex128]:
    """The state at the point's time: the steady one without a time."""
    if p["time"] in STEADY:
        return model.steady_state()
    return model.steady_state() if starts_steady(p) else model.evolve(ground(model), [float(p["time"])])[0]
