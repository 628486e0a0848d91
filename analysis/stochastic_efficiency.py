r"""The efficiency of single trajectories, a ratio with heavy tails.

The denominator can vanish, so the density falls only as \|η\|^{-2} and the stochastic efficiency has no mean (Verley,
Esposito, Willaert, Van den Broeck 2014).  What it has: a density, a most likely value, and beside it the macroscopic
efficiency, the ratio of the means.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import style
from .bounds import carnot_cop, carnot_efficiency
from .columns import Source, columns
from .distributions import Density, density
from .estimates import Estimate, block_edges, bootstrap, jackknife, leave_one_out

Floats = NDArray[np.float64]
Kind = Literal["engine", "refrigerator"]


@dataclass(frozen=True)
class EfficiencyDistribution:
    """Distribution of the stochastic efficiency -W/Q_hot or coefficient of performance Q_cold/W.

    Attributes
    ----------
    kind : str
        ``"engine"`` or ``"refrigerator"``.
    density : Density
        Over the central part; what lies in the tails is missing from its integral.
    most_likely : Estimate
        Half-sample mode with bootstrap error.
    macroscopic : Estimate
        Ratio of the means, which is what "the efficiency" means for the ensemble.
    carnot : float or None
        Bound of the macroscopic value; single trajectories may exceed it.
    undefined : float
        Share of trajectories whose denominator is zero.
    beyond_carnot : float
        Share of the others above the bound (nan without one).
    n : int
    """

    kind: str
    density: Density
    most_likely: Estimate
    macroscopic: Estimate
    carnot: float | None
    undefined: float
    beyond_carnot: float
    n: int

    def plot(self, ax: Any = None) -> Any:
        """The density with the most likely, the macroscopic and the Carnot value."""
        ax = style.axes(ax)
        self.density.plot(ax)
        marks = [
            (self.most_likely.value, "most likely", style.GREEN),
            (self.macroscopic.value, "macroscopic", style.BLUE),
        ]
        if self.carnot is not None:
            marks.append((self.carnot, "Carnot", style.RED))
        low, high = self.density.edges[0], self.density.edges[-1]
        for place, label, color in marks:
            if low <= place <= high:
                ax.axvline(place, color=color, linewidth=1.2, linestyle="--", label=f"{label} {place:.3g}")
        ax.set_xlabel("efficiency" if self.kind == "engine" else "coefficient of performance")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        word = "efficiency" if self.kind == "engine" else "COP"
        bound = (
            "" if self.carnot is None else f", Carnot {self.carnot:.4g} (exceeded by {100 * self.beyond_carnot:.3g} %)"
        )
        return (
            f"Stochastic {word} of {self.n} trajectories: most likely {self.most_likely}, of means {self.macroscopic}"
            f"{bound}; undefined for {100 * self.undefined:.3g} %."
        )


def efficiency_distribution(
    source: Source,
    hot: str,
    cold: str,
    *,
    kind: Kind = "engine",
    beta: tuple[float, float] | None = None,
    bins: int = 80,
    seed: int = 0,
) -> EfficiencyDistribution:
    """Distribution of the efficiency of single trajectories of an engine or a refrigerator.

    Parameters
    ----------
    source : Ensemble or mapping of (n,) arrays
        With ``work`` and both heats.
    hot, cold : str
        Names of the baths.
    kind : ``"engine"`` or ``"refrigerator"``
        -W / Q_hot, or Q_cold / W.
    beta : (beta_hot, beta_cold), optional
        For the Carnot bound; from the ensemble if it has them.
    bins : int
        Bins over the central part of the density.
    seed : int
        Of the bootstrap.
    """
    work, heat = (c.values for c in columns(source, ("work", hot if kind == "engine" else cold)))
    above, below = (-work, heat) if kind == "engine" else (heat, work)
    defined = below != 0.0
    if defined.sum() < 2:
        raise ValueError(
            f"the {kind}'s denominator is zero in all but {int(defined.sum())} trajectories: run for longer."
        )
    ratio = above[defined] / below[defined]
    carnot = _carnot(source, hot, cold, kind, beta)
    mode, _ = bootstrap(half_sample_mode, ratio, draws=60, seed=seed)
    return EfficiencyDistribution(
        kind=kind,
        density=density(ratio, "efficiency", bins=np.linspace(*_central(ratio), bins + 1)),
        most_likely=mode,
        macroscopic=ratio_of_means(above, below),
        carnot=carnot,
        undefined=float(1 - defined.mean()),
        beyond_carnot=float("nan") if carnot is None else float((ratio > carnot).mean()),
        n=len(work),
    )


def ratio_of_means(above: Floats, below: Floats, blocks: int = 128) -> Estimate:
    """<above> / <below> with its jackknife error, the first-order bias taken off."""
    edges = block_edges(len(above), blocks)
    a, b = np.add.reduceat(above, edges[:-1]), np.add.reduceat(below, edges[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        full = a.sum() / b.sum()
        error, bias = jackknife(full, leave_one_out(a) / leave_one_out(b), np.diff(edges))
    return Estimate(float(full - bias), float(error))


def half_sample_mode(values: Floats) -> float:
    """Most likely value without a bandwidth: keep the shortest half of the sample until two are left.

    (Bickel, Frühwirth 2006.)
    """
    x = np.sort(values)
    while len(x) > 2:
        half = (len(x) + 1) // 2
        width = x[half - 1 :] - x[: len(x) - half + 1]
        start = int(width.argmin())
        if width[start] == 0.0:  # an atom holds half of what is left
            return float(x[start])
        x = x[start : start + half]
    return float(x.mean())


def _central(values: Floats) -> tuple[float, float]:
    """Range of the figure: five interquartile distances around the median, cut to the data."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    reach = 2.5 * (high - low) or max(1.0, abs(middle))
    return max(float(values.min()), middle - reach) - 1e-9, min(float(values.max()), middle + reach) + 1e-9


def _carnot(source: Source, hot: str, cold: str, kind: Kind, beta: tuple[float, float] | None) -> float | None:
    table = getattr(source, "beta", None)
    pair = beta if beta is not None else None if table is None else (float(table[hot]), float(table[cold]))
    if pair is None or not 0 <= pair[0] < pair[1]:
        return None
    return carnot_efficiency(*pair) if kind == "engine" else carnot_cop(*pair)
