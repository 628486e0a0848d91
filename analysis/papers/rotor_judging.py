"""What the rotor's claims share: points of Fig. 2, verdicts, lists of numbers."""

from collections.abc import Sequence

from .base import Params
from .rotor_devices import FIG_2
from .rotor_quantities import Point, point

HOLDS, CORRECTED, FAILS = "holds", "holds corrected", "does not hold"


def at_x(x: float, params: Params = FIG_2) -> Point:
    """The local machine in its steady state at beta_2 = x beta_1."""
    return point("rotor_local", {**params, "beta2": x * params["beta1"]})


def listed(values: Sequence[float], form: str) -> str:
    """Numbers with commas between them."""
    return ", ".join(f"{value:{form}}" for value in values)


def verdict(good: bool, otherwise: str = FAILS) -> str:
    """Whether a claim holds."""
    return HOLDS if good else otherwise


def corrected(good: bool) -> str:
    """For a claim that holds once something in it is put right."""
    return CORRECTED if good else FAILS
