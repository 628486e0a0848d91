"""What the rotor's table finds by scanning the temperature ratio x = beta_2 / beta_1: borders and the peak of eta."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from collide.machines import rotor_formulas as formulas

from .base import Params, Quantity, UnknownParameter
from .rotor_quantities import Point, heat, point, power_qubits

BORDERS = (0.05, 0.9)
PEAK = (0.2, 0.42)
COARSE = 0.05  # step in which signs are looked at before a border is refined
FINE = 0.01  # step in which a maximum is looked for


class Peak(NamedTuple):
    """The interior local maximum of the efficiency: where, and how high."""

    x: float
    efficiency: float


def along(params: Params, function: Callable[[Point], float]) -> Callable[[float], float]:
    """A quantity of the local equation as a function of x = beta_2 / beta_1."""
    if "beta2" in params:
        raise UnknownParameter("unknown parameter 'beta2': it is what this quantity scans")
    return lambda x: function(point("rotor_local", {**params, "beta2": x * params["beta1"]}))


def border(params: Params, function: Callable[[Point], float]) -> float:
    """The first x at which a quantity changes sign.

    Raises
    ------
    ValueError
        If it does not.
    """
    value = along(params, function)
    xs = np.linspace(*BORDERS, round((BORDERS[1] - BORDERS[0]) / COARSE) + 1)
    before = value(xs[0])
    for low, high in pairwise(xs):
        after = value(high)
        if before * after <= 0:
            return float(brentq(value, low, high, xtol=1e-9))
        before = after
    raise ValueError(f"there is no border: nothing changes sign for {BORDERS[0]} < beta2/beta1 < {BORDERS[1]}")


def engine_accelerator_boundary(params: Params) -> float:
    """x at which W^(Q) = 0."""
    return border(params, power_qubits)


def accelerator_refrigerator_boundary(params: Params) -> float:
    """x at which both heat currents vanish."""
    return border(params, lambda at: heat(at, "2"))


def efficiency(at: Point) -> float:
    """Eq. 36."""
    return formulas.efficiency(power_qubits(at), heat(at, "2"))


def efficiency_peak(params: Params) -> Peak:
    """The highest interior local maximum of the efficiency.

    Raises
    ------
    ValueError
        If there is none.
    """
    value = along(params, efficiency)
    xs = np.linspace(*PEAK, round((PEAK[1] - PEAK[0]) / FINE) + 1)
    eta = np.array([value(x) for x in xs])
    inside = np.flatnonzero((eta[1:-1] > eta[:-2]) & (eta[1:-1] >= eta[2:])) + 1
    if not len(inside):
        raise ValueError(f"the efficiency has no local maximum for {PEAK[0]} < beta2/beta1 < {PEAK[1]}")
    top = inside[np.argmax(eta[inside])]
    found = minimize_scalar(
        lambda x: -value(x), bounds=(xs[top - 1], xs[top + 1]), method="bounded", options={"xatol": 1e-7}
    )
    return Peak(float(found.x), float(-found.fun))


SCANS: dict[tuple[str, str], Quantity] = {
    ("rotor_local", "engine_accelerator_boundary"): engine_accelerator_boundary,
    ("rotor_local", "accelerator_refrigerator_boundary"): accelerator_refrigerator_boundary,
    ("rotor_local", "efficiency_peak_position"): lambda params: efficiency_peak(params).x,
    ("rotor_local", "efficiency_peak"): lambda params: efficiency_peak(params).efficiency,
}
