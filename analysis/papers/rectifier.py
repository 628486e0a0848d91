"""Quantum thermal machine as a rectifier (Santiago-García et al. 2024): quantities, figures, claims."""

from .rectifier_quantities import QUANTITIES

__all__ = ["QUANTITIES"]
