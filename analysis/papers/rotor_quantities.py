"""Every quantity of the rotor's reference table, from the exact side of the machine, at any parameters."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
import warnings

import numpy as np

from collide.exact.process import Complexes
from collide.exact.sources import bath_rate, free_rate, load_powers
from collide.machines import rotor_formulas as formulas
from collide.machines.rotor import Model, Parts, TruncationWarning, parts_of, rotor, start_state
from collide.machines.rotor_ladder import STEP, WIDEST, ladder_of, populations

from ..ergotropy import ergotropy, local_ergotropy
from ..estimates import Estimate
from ..rectification import Rectification
from .base import Params, Quantity, UnknownParameter, take

EMPTY_IN_TIME = 1e-9  # population of an end: more than the rounding of long evolutions, too little to be noticed
MACHINE = ("B1", "B2", "I", "lambda", "g", "chi", "beta1", "beta2", "beta_r", "gamma")
LADDER: Mapping[str, Any] = {"l_min": None, "l_max": None}
IN_TIME: Mapping[str, Any] = {"time": None, "initial_state": None}
STARTS = {
    "qubits in their local thermal states, rotor |l=0>": "thermal",
    "both qubits in the lower level, rotor |l=0>": "lower",
}
SYSTEMS: Mapping[str, tuple[tuple[str, ...], Mapping[str, Any]]] = {
    "rotor_local": (MACHINE, {**LADDER, **IN_TIME}),
    "rotor_global": ((*MACHINE, "Omega"), LADDER),
    "rotor_collision_split": ((*MACHINE, "tau"), LADDER),
    "rotor_collision_joint": ((*MACHINE, "tau", "oscillator_levels"), LADDER),
}
"""Parameters that each system needs, and those it may have besides."""

KEYWORDS: Mapping[str, Mapping[str, str]] = {
    "rotor_local": {},
    "rotor_global": {"equation": "global"},
    "rotor_collision_split": {"picture": "collision", "construction": "split"},
    "rotor_collision_joint": {"picture": "collision", "construction": "joint"},
}


class Point(NamedTuple):
    """A model in one of its states: what a quantity is computed from.

    Attributes
    ----------
    model : Model
    rho : (d, d) complex
    parts : Parts
        Pieces of the Hamiltonian.
    time : float or None
        None in the steady state.
    """

    model: Model
    rho: Complexes
    parts: Parts
    time: float | None

    @property
    def state(self) -> Complexes | None:
        """`rho`, or None for the steady state, whose averages the model keeps."""
        return None if self.time is None else self.rho


# -------------------------------------------------------------------- models and states


def point(system: str, params: Params) -> Point:
    """The model of a system at the parameters of a table, in its steady state or at a time."""
    needed, optional = SYSTEMS[system]
    p = take(params, *needed, optional=optional)
    return _point(system, tuple(sorted((name, _hashable(value)) for name, value in p.items())))


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=16)
def _point(system: str, items: tuple[tuple[str, Any], ...]) -> Point:
    p = dict(items)
    time, start = p.pop("time", None), p.pop("initial_state", None)
    if time in (None, "steady state"):
        model = machine(system, p)
        return Point(model, model.steady_state(), parts_of(model), None)
    return _at(system, p, float(time), start)


def machine(system: str, p: Mapping[str, Any]) -> Model:
    """The machine of a system; a table that asks for a cut ladder means it, so nobody is warned."""
    keywords: dict[str, Any] = {"lam" if name == "lambda" else name: value for name, value in p.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        return rotor(**keywords | dict(KEYWORDS[system]))


def _at(system: str, p: dict[str, Any], time: float, start: str | None) -> Point:
    """The state at a time, on a ladder that it has not reached the ends of unless the table names one."""
    qubits = STARTS.get(start or next(iter(STARTS)))
    if qubits is None:
        raise UnknownParameter(f"`initial_state` must be one of {', '.join(map(repr, STARTS))}, but is {start!r}")
    free = p["l_min"] is None
    if free and p["gamma"] == 0:
        p = p | {"l_min": -25, "l_max": 40}
    while True:
        model = machine(system, p)
        rho = model.evolve(start_state(model, qubits), [time])[-1]
        used = model.recipe["parameters"]  # type: ignore[union-attr]
        low, high = used["l_min"], used["l_max"]
        ends = populations(rho, high - low + 1)[[0, -1]]
        if not free or max(ends) < EMPTY_IN_TIME:
            return Point(model, rho, parts_of(model), time)
        if high - low >= WIDEST:
            raise ValueError(
                f"the rotor leaves every ladder up to {WIDEST} levels by t = {time:g}: name `l_min` and `l_max`"
            )
        wider = int(STEP * (high - low)) + 1
        p = p | {
            "l_min": low - wider * bool(ends[0] >= EMPTY_IN_TIME),
            "l_max": high + wider * bool(ends[1] >= EMPTY_IN_TIME),
        }


# -------------------------------------------------------------------- currents and powers


def heat(at: Point, bath: str) -> float:
    """Heat current from a bath or the load."""
    return at.model.heat_currents(at.state)[bath]


def power_load(at: Point) -> float:
    """Power of the load on the interaction, Eq. 25."""
    return load_powers(at.model, at.state).get("r", 0.0)


def power_qubits(at: Point) -> float:
    """Power of the qubits' baths, Eqs. 22-24: what they change of H_S beyond their heat.

    Nothing in the global equation; in collisions all power that is not the load's.
    """
    if at.model.process.tau is None:
        heats = heat(at, "1") + heat(at, "2")
        return bath_rate(at.model, at.model.H, ("1", "2"), at.rho) - heats
    return at.model.power(at.state) - power_load(at)


def energy_rate(at: Point) -> float:
    """dU/dt, zero in the steady state."""
    return at.model.power(at.state) + sum(at.model.heat_currents(at.state).values())


def first_law_residual(at: Point) -> float:
    """Sum of all heat currents and powers less dU/dt (Eqs. 26, 28), the powers found apart from the heats."""
    total = sum(at.model.heat_currents(at.state).values()) + power_qubits(at) + power_load(at)
    return total - (energy_rate(at) if at.time is not None else 0.0)


def expect(at: Point, operator: Any) -> float:
    """<A> of a diagonal operator."""
    return float(operator.diagonal().real @ at.rho.diagonal().real)


def L_z(at: Point) -> float:
    """<L_z>."""
    return expect(at, at.parts.L_z)


def balance_residual(at: Point) -> float:
    """2 B_2 times the quanta from bath 2 less 2 B_2 gamma <L_z>; zero on a converged ladder in the steady state."""
    return ladder_of(at.model).residual


def backaction(at: Point) -> float:
    """Q_BA, Eq. 33."""
    return bath_rate(at.model, at.parts.kinetic, ("1", "2", "r"), at.rho)


def intrinsic(at: Point) -> float:
    """W_int, Eq. 32."""
    return free_rate(at.model, at.parts.kinetic, at.rho)


def net(at: Point) -> float:
    """W_net, Eq. 34: <L_z> d<L_z>/dt / I."""
    model, L = at.model, at.parts.L_z
    rate = free_rate(model, L, at.rho) + bath_rate(model, L, ("1", "2", "r"), at.rho)
    return L_z(at) * rate / model.recipe["parameters"]["I"]  # type: ignore[union-attr]


# -------------------------------------------------------------------- ergotropies, populations, fluctuations


def ergotropies(at: Point) -> dict[str, float]:
    """Ergotropies (Eq. 35) of everything, of the rotor, of both qubits, of each."""
    p, dims = at.model.recipe["parameters"], at.model.dims  # type: ignore[union-attr]
    levels = np.arange(p["l_min"], p["l_max"] + 1)
    splitting = {site: np.array([-p[f"B{site + 1}"], p[f"B{site + 1}"]]) for site in (0, 1)}
    both = np.add.outer(splitting[0], splitting[1]).reshape(-1)
    of = {
        "rotor": ([2], levels**2 / (2 * p["I"])),
        "qubits": ([0, 1], both),
        "q1": ([0], splitting[0]),
        "q2": ([1], splitting[1]),
    }
    parts = {
        name: float(local_ergotropy(at.rho, dims, sites, np.diag(energies), kets=False))
        for name, (sites, energies) in of.items()
    }
    return {"total": float(ergotropy(at.rho, at.parts.H.toarray(), kets=False)), **parts}


def rotor_populations(at: Point) -> dict[int, float]:
    """<l|rho_r|l> for each l."""
    p = at.model.recipe["parameters"]  # type: ignore[union-attr]
    found = populations(at.rho, p["l_max"] - p["l_min"] + 1)
    return {p["l_min"] + k: float(value) for k, value in enumerate(found)}


def cumulant(at: Point, bath: str, order: int) -> float:
    """Long-time cumulant rate of the heat from a bath, or of the angular momentum received from the load."""
    table = at.model.process.counts
    weight = table.charge_weight("r") if bath == "r" else table.heat_weight(bath)
    return float(at.model.cumulant_rates(weight, order)[order - 1])


# -------------------------------------------------------------------- rectification


class Swap(NamedTuple):
    """A device and the same with the temperatures of baths 1 and 2 exchanged."""

    forward: Point
    backward: Point

    @property
    def heat(self) -> Rectification:
        """Currents from bath 2 to bath 1 as Eqs. 38-40 read them: of bath 2 forward, of bath 1 after the swap."""
        p = self.forward.model.recipe["parameters"]  # type: ignore[union-attr]
        there, back = heat(self.forward, "2"), -heat(self.backward, "1")
        return Rectification(Estimate(there, 0.0), Estimate(back, 0.0), unit=p["lam"] * p["g"] ** 2)

    @property
    def turns(self) -> tuple[float, float]:
        """<L_z> in both configurations."""
        return L_z(self.forward), L_z(self.backward)

    @property
    def angular_printed(self) -> float:
        """Eq. 42 as printed: above 1, because <L_z> changes sign under the swap."""
        a, b = self.turns
        return abs((a - b) / (a + b))

    @property
    def angular(self) -> float:
        """Eq. 42 with absolute values, which lies between 0 and 1."""
        a, b = map(abs, self.turns)
        return abs((a - b) / (a + b))

    @property
    def angular_flow(self) -> float:
        """Eq. 43."""
        return max(map(abs, self.turns))


def swap(system: str, params: Params) -> Swap:
    """Both configurations of a device."""
    exchanged = dict(params) | {"beta1": params["beta2"], "beta2": params["beta1"]}
    return Swap(point(system, params), point(system, exchanged))


# -------------------------------------------------------------------- the table

POINTWISE: dict[str, Callable[[Point], float]] = {
    "heat_current_1": lambda at: heat(at, "1"),
    "heat_current_2": lambda at: heat(at, "2"),
    "heat_current_r": lambda at: heat(at, "r"),
    "power_Q": power_qubits,
    "L_z": L_z,
    "first_law_residual": first_law_residual,
}
LOCAL: dict[str, Callable[[Point], float]] = {
    "L_z_squared": lambda at: expect(at, at.parts.L_z @ at.parts.L_z),
    "angular_momentum_balance_residual": balance_residual,
    "efficiency": lambda at: formulas.efficiency(power_qubits(at), heat(at, "2")),
    "COP": lambda at: formulas.cop(heat(at, "1"), power_qubits(at)),
    "ergotropy_total": lambda at: ergotropies(at)["total"],
    "ergotropy_qubits": lambda at: ergotropies(at)["qubits"],
    "ergotropy_rotor": lambda at: ergotropies(at)["rotor"],
    "ergotropy_q1": lambda at: ergotropies(at)["q1"],
    "ergotropy_q2": lambda at: ergotropies(at)["q2"],
    "heat_2_variance_rate": lambda at: cumulant(at, "2", 2),
    "heat_2_third_cumulant_rate": lambda at: cumulant(at, "2", 3),
    "load_angular_momentum_variance_rate": lambda at: cumulant(at, "r", 2),
    "load_angular_momentum_third_cumulant_rate": lambda at: cumulant(at, "r", 3),
    "rotor_population_top": lambda at: list(rotor_populations(at).values())[-1],
    "power_kinetic": lambda at: intrinsic(at) + backaction(at),
    "power_intrinsic": intrinsic,
    "power_net": net,
    "heat_current_backaction": backaction,
}
SWAPPED: dict[str, Callable[[Swap], float]] = {
    "R": lambda both: both.heat.R.value,
    "J": lambda both: both.heat.flow.value,
    "R_angular_printed": lambda both: both.angular_printed,
    "R_angular": lambda both: both.angular,
    "J_angular": lambda both: both.angular_flow,
}


def population(params: Params) -> float:
    """<l|rho_r|l> at the `l` of the table; 0 beyond the ladder."""
    rest = {name: value for name, value in params.items() if name != "l"}
    if "l" not in params:
        raise UnknownParameter("missing parameter 'l': `rotor_population` is asked for one angular momentum")
    return rotor_populations(point("rotor_local", rest)).get(int(params["l"]), 0.0)


def _of_point(system: str, function: Callable[[Point], float]) -> Quantity:
    return lambda params: function(point(system, params))


def _of_swap(function: Callable[[Swap], float]) -> Quantity:
    return lambda params: function(swap("rotor_global", params))


QUANTITIES: dict[tuple[str, str], Quantity] = {
    **{(system, name): _of_point(system, f) for system in SYSTEMS for name, f in POINTWISE.items()},
    **{("rotor_local", name): _of_point("rotor_local", f) for name, f in LOCAL.items()},
    **{("rotor_global", name): _of_swap(f) for name, f in SWAPPED.items()},
    ("rotor_local", "rotor_population"): population,
}
