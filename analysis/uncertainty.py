r"""Uncertainty relations: noise against dissipation, and noise against activity.

.. math:: \mathcal Q = \frac{\mathrm{Var}(Q)\,\langle\Sigma\rangle}{\langle Q\rangle^2} \ge 2, \qquad
          \mathcal K = \frac{\mathrm{Var}(Q)\,\langle N\rangle}{\langle Q\rangle^2} \ge 1,

for a current Q of a classical Markov process in its steady state, at any time (Barato, Seifert 2015; Horowitz,
Gingrich 2017; Di Terlizzi, Baiesi 2019), N the number of jumps.  Coherence can take both below their bounds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import style
from .columns import Column, Source, column
from .estimates import Estimate, as_estimate, block_edges, jackknife, leave_one_out
from .kstatistics import k_statistics, power_sums

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UncertaintyRatio:
    """A ratio of noise to cost, with the classical bound.

    Attributes
    ----------
    name : str
    ratio : Estimate
        Bias of the ratio to first order in 1/n taken off.
    bound : float
        Classical lower bound.
    cost : Estimate
        Mean entropy production or activity.
    n : int
    """

    name: str
    ratio: Estimate
    bound: float
    cost: Estimate
    n: int

    @property
    def violation(self) -> float:
        """How many standard errors the ratio lies below the bound (negative: above)."""
        return -self.ratio.deviation(self.bound)

    @property
    def verdict(self) -> str:
        """What three standard errors allow to say."""
        if self.violation > 3:
            return "below the classical bound"
        return "respects the classical bound" if self.violation < -3 else "not told apart from the classical bound"

    def plot(self, ax: Any = None) -> Any:
        """The ratio with its error and the classical bound."""
        ax = style.axes(ax, size=(3.2, 3.0))
        style.points(ax, [0], [self.ratio.value], [self.ratio.error])
        style.bound_line(ax, self.bound, f"classical bound {self.bound:g}")
        ax.set(xticks=[], xlim=(-1, 1), ylabel=self.name)
        ax.legend()
        return ax

    def __repr__(self) -> str:
        return f"{self.name} = {self.ratio} against the bound {self.bound:g}: {self.verdict}."


def thermodynamic_uncertainty(
    source: Source, quantity: str, *, entropy: str | Estimate | float = "entropy_production", blocks: int = 128
) -> UncertaintyRatio:
    """Thermodynamic uncertainty ratio Var(Q) <Σ> / <Q>^2 of a current.

    Parameters
    ----------
    source : Ensemble or mapping of (n,) arrays
    quantity : str
        The current, such as ``"heat:L"``.
    entropy : str, float or Estimate
        Column of the entropy production of each trajectory, or its exact mean over the same time.
    """
    return _ratio(source, quantity, entropy, 2.0, f"Var·<Σ>/<Q>² of {quantity}", blocks)


def kinetic_uncertainty(
    source: Source, quantity: str, *, activity: str | Estimate | float = "activity", blocks: int = 128
) -> UncertaintyRatio:
    """Kinetic uncertainty ratio Var(Q) <N> / <Q>^2 of a current, N the number of counted jumps."""
    return _ratio(source, quantity, activity, 1.0, f"Var·<N>/<Q>² of {quantity}", blocks)


def _ratio(
    source: Source, quantity: str, cost: str | Estimate | float, bound: float, name: str, blocks: int
) -> UncertaintyRatio:
    current = column(source, quantity)
    edges = block_edges(len(current), blocks)
    sizes = np.diff(edges)
    mean_cost, cost_estimate = _cost(source, cost, edges, sizes)
    pivot = float(current.values[: sizes[0]].mean())
    sums = power_sums(current.values, edges, pivot)
    total = k_statistics(sums.sum(axis=0), len(current), pivot)
    rest = k_statistics(leave_one_out(sums), len(current) - sizes, pivot)
    with np.errstate(divide="ignore", invalid="ignore"):
        full = _noise(total) * mean_cost[0]
        error, bias = jackknife(full, _noise(rest) * mean_cost[1], sizes)
    if not isinstance(cost, str) and cost_estimate.error > 0:  # independent of the current, so not in the replicas
        error = np.hypot(error, _noise(total) * cost_estimate.error)
    return UncertaintyRatio(name, Estimate(float(full - bias), float(error)), bound, cost_estimate, len(current))


def _noise(cumulants: Floats) -> Any:
    """Var / mean^2 of cumulants (..., 4)."""
    return cumulants[..., 1] / cumulants[..., 0] ** 2


def _cost(
    source: Source, cost: str | Estimate | float, edges: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[tuple[float, Any], Estimate]:
    """Mean cost of all and without each block; an exact number is the same everywhere."""
    if not isinstance(cost, str):
        known = as_estimate(cost)
        return (known.value, known.value), known
    taken: Column = column(source, cost)
    if len(taken) != edges[-1]:
        raise ValueError(f"column {cost!r} must have {edges[-1]} values like the current, but has {len(taken)}.")
    n = len(taken)
    if not np.isfinite(taken.values).all():
        raise ValueError(f"column {cost!r} holds infinite values (a jump without a reverse): the ratio is infinite.")
    sums = np.add.reduceat(taken.values, edges[:-1])
    estimate = Estimate(float(sums.sum() / n), float(taken.values.std(ddof=1) / np.sqrt(n)))
    return (estimate.value, leave_one_out(sums) / (n - sizes)), estimate
