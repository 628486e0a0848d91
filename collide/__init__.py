"""collide: quantum collision models and quantum-jump trajectories with stochastic thermodynamics."""

from collide.baths import Ancilla, Bath, finite_ancilla, flat, ohmic, oscillator_ancilla, qubit_ancilla
from collide.channels import Channel
from collide.collision import Collision, CollisionModel
from collide.lindblad import LindbladModel, davies, local
from collide.operators import Space, oscillator, qubit, rotor

__all__ = [
    "Ancilla",
    "Bath",
    "Channel",
    "Collision",
    "CollisionModel",
    "LindbladModel",
    "Space",
    "davies",
    "finite_ancilla",
    "flat",
    "local",
    "ohmic",
    "oscillator",
    "oscillator_ancilla",
    "qubit",
    "qubit_ancilla",
    "rotor",
]
__version__ = "0.1.0"
