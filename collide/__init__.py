"""collide: quantum collision models and quantum-jump trajectories with stochastic thermodynamics."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from collide.baths import Ancilla, Bath, finite_ancilla, flat, ohmic, oscillator_ancilla, qubit_ancilla
from collide.channels import Channel
from collide.collision import Collision, CollisionModel
from collide.explanation import explain
from collide.lindblad import LindbladModel, davies, local
from collide.operators import Space, oscillator, qubit, rotor
from collide.program import Program, compile_program

if TYPE_CHECKING:
    from collide.ensemble import Ensemble, extend, load, merge, pack, resume, run

__all__ = [
    "Ancilla",
    "Bath",
    "Channel",
    "Collision",
    "CollisionModel",
    "Ensemble",
    "LindbladModel",
    "Program",
    "Space",
    "compile_program",
    "davies",
    "explain",
    "extend",
    "finite_ancilla",
    "flat",
    "load",
    "local",
    "merge",
    "ohmic",
    "oscillator",
    "oscillator_ancilla",
    "pack",
    "qubit",
    "qubit_ancilla",
    "resume",
    "rotor",
    "run",
]
__version__ = "0.1.0"


_PARTS = {"analysis", "ensemble", "machines", "store"}


def __getattr__(name: str) -> Any:
    """Import ensembles when one is asked for: files, executors and progress bars take a third of all imports."""
    if name in _PARTS:
        return import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module("collide.ensemble"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PARTS})
