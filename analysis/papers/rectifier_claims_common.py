"""What the claims of the rectifier are judged with: exact values at the points of the paper, and verdicts."""

from itertools import product
from typing import Any

import numpy as np

from .rectifier_quantities import QUANTITIES

STATISTICS = list(product((-1, 1), repeat=3))
BASE: dict[str, Any] = {"g": 0.05, "gamma_L": 0.03, "gamma_R": 0.08, "T_L": 0.45, "T_R": 0.25}
TABLE_POINT: dict[str, Any] = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}
FIG2: dict[str, Any] = {"g": 0.01, "gamma_L": 0.01, "gamma_R": 0.02}
TRIALS = 400


def exact(quantity: str, params: dict[str, Any], system: str = "local") -> float:
    """A quantity of the local (or the global) equation from the exact side."""
    return float(QUANTITIES[f"rectifier_{system}", quantity](params))


def kinds(eps: tuple[int, ...]) -> dict[str, Any]:
    """The statistics of sites and baths as keywords."""
    return dict(zip(("eps_a", "eps_L", "eps_R"), eps, strict=True))


def swapped(params: dict[str, Any]) -> dict[str, Any]:
    """The same device with exchanged temperatures."""
    return params | {"T_L": params["T_R"], "T_R": params["T_L"]}


def verdict(holds: bool) -> str:
    """Of a claim that is right as it stands."""
    return "holds" if holds else "does not hold"


def corrected(holds: bool) -> str:
    """Of a claim that is right once corrected: `holds` says that the correction is right, and needed."""
    return "holds corrected" if holds else "does not hold"


def worst(values: Any) -> float:
    """Largest magnitude."""
    return float(np.abs(np.asarray(list(values), dtype=float)).max())
