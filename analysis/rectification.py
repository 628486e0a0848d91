r"""Rectification: what a device conducts forward and backward.

Two conventions are in use and both are here.  With J the current *through* the device, signed from L to R, forward
positive and backward negative,

.. math:: C = \left|\frac{J^\rightarrow + J^\leftarrow}{J^\rightarrow - J^\leftarrow}\right|, \qquad
          \mathcal R = \left|\frac{J^\rightarrow}{J^\leftarrow}\right| .

Only temperatures are exchanged; baths and couplings stay.
"""

from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import Any

from . import style
from .estimates import Estimate, as_estimate

Current = Callable[[float, float], Any]


@dataclass(frozen=True)
class Rectification:
    """Forward and backward currents of a device.

    Attributes
    ----------
    forward, backward : Estimate
        Signed currents from L to R at (T_L, T_R) and at (T_R, T_L).
    unit : float
        Current that makes `flow` dimensionless, such as λ g² for the rotor (Leitch et al. 2024, Eq. 40).
    """

    forward: Estimate
    backward: Estimate
    unit: float = 1.0

    @property
    def contrast(self) -> Estimate:
        """The magnitude of (J→ + J←) / (J→ - J←): 0 without rectification, 1 for a perfect diode."""
        a, b = self.forward, self.backward
        below = a.value - b.value
        if below == 0.0:
            return Estimate(math.nan, math.nan)
        error = 2 * math.hypot(b.value * a.error, a.value * b.error) / below**2
        return Estimate(abs((a.value + b.value) / below), error)

    @property
    def ratio(self) -> Estimate:
        """The magnitude of J→ / J←: 1 without rectification; inf for a perfect diode."""
        a, b = self.forward, self.backward
        if b.value == 0.0:
            return Estimate(math.inf if a.value else math.nan, math.nan)
        r = abs(a.value / b.value)
        return Estimate(r, math.hypot(a.error, r * b.error) / abs(b.value))

    @property
    def R(self) -> Estimate:
        """The contrast as named in Leitch et al. 2024, Eq. 39, where the swapped heat is read at the other bath."""
        return self.contrast

    @property
    def relative_difference(self) -> Estimate:
        """Difference of both magnitudes over the larger one: a third normalisation in use."""
        largest = max((self.forward, self.backward), key=lambda j: abs(j.value))
        other = self.backward if largest is self.forward else self.forward
        if largest.value == 0.0:
            return Estimate(math.nan, math.nan)
        share = abs(other.value / largest.value)
        return Estimate(1 - share, math.hypot(other.error, share * largest.error) / abs(largest.value))

    @property
    def flow(self) -> Estimate:
        """The larger of the two magnitudes, in `unit` (Leitch et al. 2024, Eq. 40)."""
        largest = max((self.forward, self.backward), key=lambda j: abs(j.value))
        return Estimate(abs(largest.value), largest.error).scaled(1.0 / self.unit)

    def performance(self, alpha: float) -> Estimate:
        """Γ_α = α R + (1 - α) J with J the `flow` (Leitch et al. 2024, Eq. 41, after Khandelwal et al. 2023).

        Errors are added as independent, which overstates them for α strictly between 0 and 1 by at most √2.
        """
        if not 0 <= alpha <= 1:
            raise ValueError(f"`alpha` must lie between 0 and 1, but is {alpha}.")
        r, j = self.contrast.scaled(alpha), self.flow.scaled(1 - alpha)
        return Estimate(r.value + j.value, math.hypot(r.error, j.error))

    def plot(self, ax: Any = None) -> Any:
        """Both magnitudes side by side."""
        ax = style.axes(ax, size=(3.2, 3.0))
        flows = (self.forward, self.backward)
        ax.bar(range(2), [abs(f.value) for f in flows], color=(style.BLUE, style.ORANGE), alpha=0.75)
        style.points(
            ax, range(2), [abs(f.value) for f in flows], [f.error for f in flows], fmt="none", ecolor=style.INK
        )
        ax.set_xticks(range(2), ["forward", "backward"])
        ax.set(ylabel="|current|", title=f"contrast {self.contrast}")
        return ax

    def __repr__(self) -> str:
        return f"Forward {self.forward}, backward {self.backward}: contrast {self.contrast}, ratio {self.ratio}."


def rectification(factory: Current, T_L: float, T_R: float, *, bath: str = "L", unit: float = 1.0) -> Rectification:
    """Currents of a device at (T_L, T_R) and with the temperatures exchanged.

    Parameters
    ----------
    factory : callable
        ``factory(T_L, T_R)`` gives a model (its ``heat_currents()[bath]`` is taken), a current, or an Estimate of
        one.
    T_L, T_R : float
        Temperatures of the two baths.
    bath : str
        Bath whose heat is the current from L to R.
    unit : float
        See `Rectification.unit`.
    """
    return Rectification(current(factory(T_L, T_R), bath), current(factory(T_R, T_L), bath), unit)


def current(result: Any, bath: str) -> Estimate:
    """The current in what a factory gave: an estimate, a number, or a model."""
    flows = getattr(result, "heat_currents", None)
    return as_estimate(flows()[bath] if callable(flows) else result)
