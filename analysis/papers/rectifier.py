"""Quantum thermal machine as a rectifier (Santiago-García et al. 2024): quantities, sampling, figures, claims."""

from .rectifier_quantities import QUANTITIES
from .rectifier_sampling import SAMPLING

__all__ = ["QUANTITIES", "SAMPLING"]
