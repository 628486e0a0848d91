"""Tacchino, Auffèves, Santos, Gerace, Phys. Rev. Lett. 120, 063604 (2018): steady-state entanglement of two qubits."""

from . import tacchino_fig1, tacchino_fig2
from .tacchino_claims import claims
from .tacchino_quantities import QUANTITIES
from .tacchino_sampling import SAMPLING

FIGURES = (tacchino_fig1.FIGURE, tacchino_fig2.FIGURE)

__all__ = ["FIGURES", "QUANTITIES", "SAMPLING", "claims"]
