"""collide: quantum collision models and quantum-jump trajectories with stochastic thermodynamics."""

from collide.baths import Ancilla, Bath, finite_ancilla, flat, ohmic, oscillator_ancilla, qubit_ancilla
from collide.channels import Channel
from collide.collision import Collision, CollisionModel
from collide.ensemble import Ensemble, extend, load, merge, pack, resume, run
from collide.explanation import explain
from collide.lindblad import LindbladModel, davies, local
from collide.operators import Space, oscillator, qubit, rotor
from collide.program import Program, compile_program

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
