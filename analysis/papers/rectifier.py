"""Quantum thermal machine as a rectifier (Santiago-García et al. 2024): quantities, sampling, figures, claims."""

from .rectifier_claims import claims
from .rectifier_figures import FIGURES
from .rectifier_quantities import QUANTITIES
from .rectifier_sampling import SAMPLING

__all__ = ["FIGURES", "QUANTITIES", "SAMPLING", "claims"]
