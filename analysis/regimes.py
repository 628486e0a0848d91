"""What a machine between a hot and a cold bath is doing: the signs of its heats and its work, with their certainty."""

from dataclasses import dataclass
import math
from typing import Any

from . import style
from .columns import Source, column
from .estimates import Estimate, as_estimate

# signs of (heat from the hot bath, heat from the cold bath, work done on the system)
SIGNS: dict[tuple[int, int, int], str] = {
    (+1, -1, -1): "engine",
    (-1, +1, +1): "refrigerator",
    (+1, -1, +1): "accelerator",
    (-1, -1, +1): "heater",
}


@dataclass(frozen=True)
class Regime:
    """The operation regime and how certain it is.

    Attributes
    ----------
    name : str
        engine, refrigerator, accelerator, heater, or ``"none"`` for signs that no steady machine has.
    hot, cold, work : Estimate
        Heat from the hot bath, from the cold bath, and work done on the system (totals or rates).
    certainty : float
        Distance of the least certain of the three from zero, in standard errors; inf for exact numbers.
    """

    name: str
    hot: Estimate
    cold: Estimate
    work: Estimate
    certainty: float

    @property
    def decided(self) -> bool:
        """Whether every sign is known to two standard errors."""
        return self.certainty >= 2.0

    def plot(self, ax: Any = None) -> Any:
        """The three flows as bars with errors."""
        ax = style.axes(ax, size=(3.6, 3.0))
        flows = (self.hot, self.cold, self.work)
        ax.bar(range(3), [f.value for f in flows], color=(style.RED, style.BLUE, style.GREEN), alpha=0.7)
        style.points(ax, range(3), [f.value for f in flows], [f.error for f in flows], fmt="none", ecolor=style.INK)
        ax.axhline(0.0, color=style.MUTED, linewidth=0.8)
        ax.set_xticks(range(3), ["hot", "cold", "work"])
        ax.set_title(self.name if self.decided else f"{self.name}?")
        return ax

    def __repr__(self) -> str:
        how = (
            "exact" if math.isinf(self.certainty) else f"the least certain sign at {self.certainty:.2g} standard errors"
        )
        doubt = "" if self.decided else " (undecided)"
        return f"{self.name}{doubt}: Q_hot {self.hot}, Q_cold {self.cold}, W {self.work}; {how}."


def operation_regime(hot: float | Estimate, cold: float | Estimate, work: float | Estimate) -> Regime:
    """Engine, refrigerator, accelerator or heater from the signs of heat and work (Leitch et al. 2024, Table I).

    Parameters
    ----------
    hot, cold : float or Estimate
        Heat into the system from the hot and the cold bath.
    work : float or Estimate
        Work done on the system.

    Returns
    -------
    Regime
    """
    flows = tuple(as_estimate(f) for f in (hot, cold, work))
    signs = tuple((f.value > 0) - (f.value < 0) for f in flows)
    name = SIGNS.get((signs[0], signs[1], signs[2]), "none")
    return Regime(name, flows[0], flows[1], flows[2], min(abs(f.deviation(0.0)) for f in flows))


def regime_of(source: Source, hot: str, cold: str) -> Regime:
    """The operation regime of an ensemble, from the means of its heats and its work."""
    means = []
    for quantity in (hot, cold, "work"):
        values = column(source, quantity).values
        spread = float(values.std(ddof=1)) if len(values) > 1 else math.nan
        means.append(Estimate(float(values.mean()), spread / math.sqrt(len(values))))
    return operation_regime(*means)
