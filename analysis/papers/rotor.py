"""Leitch, Hammam and De Chiara 2024, "Thermodynamics of hybrid quantum rotor devices"."""

from .base import Figure, Quantity
from .rotor_claims import claims
from .rotor_noise_figures import CUMULANTS, EFFICIENCY
from .rotor_operation_figures import FIGURE_2, FIGURE_3
from .rotor_quantities import QUANTITIES as POINTS
from .rotor_rectification_figures import FIGURE_4, FIGURE_5
from .rotor_sampling import SAMPLING
from .rotor_scans import SCANS
from .rotor_time_figures import FIGURE_6, FIGURE_7, FIGURE_8

__all__ = ["FIGURES", "QUANTITIES", "SAMPLING", "claims"]

QUANTITIES: dict[tuple[str, str], Quantity] = {**POINTS, **SCANS}
FIGURES: tuple[Figure, ...] = (
    FIGURE_2,
    FIGURE_3,
    FIGURE_4,
    FIGURE_5,
    FIGURE_6,
    FIGURE_7,
    FIGURE_8,
    EFFICIENCY,
    CUMULANTS,
)
