"""Refusals that several machines share, one sentence each."""

from collections.abc import Sequence
import math
from typing import Any


def one_of(name: str, value: Any, allowed: Sequence[Any]) -> None:
    """Refuse a value that is not among those there are."""
    if value not in allowed:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, allowed))}, but is {value!r}")


def positive(name: str, value: float, remedy: str = "") -> None:
    """Refuse what is not a finite number above zero."""
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"`{name}` must be positive, but is {value!r}{remedy}")


def not_negative(name: str, value: float, remedy: str = "") -> None:
    """Refuse what is not a finite number, zero or above."""
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"`{name}` must be finite and >= 0, but is {value!r}{remedy}")


def oscillator_temperature(name: str, value: float) -> None:
    """Refuse temperatures at which a bath of oscillators has no thermal state."""
    not_negative(name, value, ": a bath of oscillators has no thermal state elsewhere; take 1e8 for a limit")


def only_collisions(parameters: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Refuse keywords of collisions in the jump picture, where they would be ignored."""
    given = [name for name, value in defaults.items() if parameters[name] != value]
    if given:
        raise ValueError(f"`{given[0]}` describes collisions: add picture='collision', or leave it out")
