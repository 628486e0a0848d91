"""What a report is about: an ensemble, its exact side if there is one, and how their quantities are called."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .against_exact import DISTRIBUTIONS_UP_TO
from .exact_laws import JointLaw, joint_law
from .exact_side import ExactSide

Floats = NDArray[np.float64]


class Subject:
    """An ensemble and what is known about it.

    Parameters
    ----------
    ensemble : Ensemble
    exact : ExactSide or None
        None where the program carries no model, or one too large to be exact about.

    Attributes
    ----------
    small : bool
        Whether exact distributions are quick to get.
    loads, baths : tuple of str
    has_entropy : bool
        Whether the entropy production is defined.
    """

    def __init__(self, ensemble: Any, exact: ExactSide | None) -> None:
        self.ens, self.exact = ensemble, exact
        self.small = exact is not None and exact.model.process.d <= DISTRIBUTIONS_UP_TO
        self.loads = exact.loads if exact else ()
        self.has_entropy = not bool(np.isnan(ensemble.entropy_production).any())
        self.baths = tuple(ensemble.baths)

    def quantities(self) -> list[str]:
        """Columns that are reported."""
        names = [f"heat:{b}" for b in self.baths] + ["work", "energy_change"]
        return names + (["entropy_production"] if self.has_entropy else [])

    def finite(self, quantity: str) -> Floats:
        """The finite values of a column."""
        values = self.ens.heat[quantity[5:]] if quantity.startswith("heat:") else getattr(self.ens, quantity)
        return np.asarray(values[np.isfinite(values)], dtype=float)

    @property
    def stationary(self) -> bool:
        """Whether the averaged state at the end is known to be that at the start."""
        if self.exact is None:
            return False
        a = self.exact.program.arrays
        return bool(np.abs(np.asarray(a["rho_initial"]) - np.asarray(a["rho_final"])).max() < 1e-9)

    @cached_property
    def joint(self) -> JointLaw | None:
        """The joint law of outcomes and quanta, where it is within reach."""
        return joint_law(self.exact) if self.exact is not None and self.small else None


def label(quantity: str) -> str:
    """A column's name in words."""
    if quantity.startswith("heat:"):
        return f"heat from {quantity[5:]}"
    return {"entropy_production": "entropy production Σ", "energy_change": "energy change"}.get(quantity, quantity)


def prose(text: str) -> str:
    """Symbols where the terminal has names."""
    text = text.replace("exp(-entropy_production)", "e^−Σ").replace("entropy_production", "Σ")
    return text.replace("<e", "⟨e").replace("Σ>", "Σ⟩")


def sentence(text: str) -> str:
    """A capital at the start and a stop at the end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")
