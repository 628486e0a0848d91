"""Machines of the literature, each built from public constructors alone, with its closed forms beside it."""

from collections.abc import Callable
from typing import Any

from collide.machines.collective_qubits import collective_qubits
from collide.machines.ising import ising
from collide.machines.junction import junction
from collide.machines.rectifier import rectifier
from collide.machines.rotor import rotor
from collide.machines.tavis_cummings import tavis_cummings
from collide.machines.xy_chain import xy_chain

MACHINES: dict[str, Callable[..., Any]] = {
    "collective_qubits": collective_qubits,
    "ising": ising,
    "junction": junction,
    "rectifier": rectifier,
    "rotor": rotor,
    "tavis_cummings": tavis_cummings,
    "xy_chain": xy_chain,
}

__all__ = [
    "MACHINES",
    "collective_qubits",
    "ising",
    "junction",
    "rectifier",
    "registry",
    "rotor",
    "tavis_cummings",
    "xy_chain",
]


def registry() -> dict[str, Callable[..., Any]]:
    """Machines by name; each is a function whose keyword defaults are the paper's parameters."""
    return dict(MACHINES)
