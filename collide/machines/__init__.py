"""Machines of the literature, each built from public constructors alone, with its closed forms beside it."""

from collections.abc import Callable
from typing import Any

from collide.machines.rectifier import rectifier

MACHINES: dict[str, Callable[..., Any]] = {
    "rectifier": rectifier,
}


def registry() -> dict[str, Callable[..., Any]]:
    """Machines by name; each is a function whose keyword defaults are the paper's parameters."""
    return dict(MACHINES)
