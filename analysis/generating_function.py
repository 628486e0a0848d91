r"""The empirical generating function and where it can be trusted.

ln <e^{sQ}> from samples is dominated by ever rarer values as \|s\| grows.  Beyond a limit only the largest value
counts: the estimate turns into a straight line, with a small scatter that hides the failure (Rohwer, Angeletti,
Touchette 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import style
from .columns import Source, column, duration
from .estimates import block_edges, jackknife, leave_one_out

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GeneratingFunction:
    r"""Empirical (scaled) cumulant generating function, ln <e^{sQ}> or ln <e^{sQ}> / t.

    Attributes
    ----------
    name : str
    s : (k,) float
    value, error : (k,) float
        Estimate and jackknife error.
    effective_size : (k,) float
        (sum w)^2 / sum w^2 of the weights w = e^{sQ}: how many trajectories the average really has.
    unseen : (k,) float
        What up to three trajectories (the 95 % limit where none was met) one step beyond the extreme value found would
        add to the average, relative to it.
    n : int
    time : float or None
        What the logarithm was divided by.
    least_effective : float
        Effective sample size from which on a point counts as converged, if at most a tenth may be unseen.
    """

    name: str
    s: Floats
    value: Floats
    error: Floats
    effective_size: Floats
    unseen: Floats
    n: int
    time: float | None
    least_effective: float

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Where enough trajectories carry the average, and rarer values than those found cannot add much.

        The second condition is for values in quanta: the extreme one may be met often while the next, with its larger
        weight, is not met at all, and the effective sample size knows nothing of it.
        """
        enough = self.effective_size >= min(self.least_effective, 0.5 * self.n)
        return np.asarray(enough & (self.unseen <= 0.1))

    @property
    def limits(self) -> tuple[float, float]:
        """Range of s around zero over which every point converged."""
        good = self.converged
        low = self.s[(self.s <= 0) & ~good]
        high = self.s[(self.s >= 0) & ~good]
        inside = self.s[
            (self.s > (low.max() if len(low) else -np.inf)) & (self.s < (high.min() if len(high) else np.inf))
        ]
        return (float(inside.min()), float(inside.max())) if len(inside) else (0.0, 0.0)

    def plot(self, ax: Any = None, *, exact: Callable[[Floats], Floats] | None = None) -> Any:
        """The estimate, full where converged and hollow where not, with the limits shaded."""
        ax = style.axes(ax)
        good = self.converged
        style.points(ax, self.s[good], self.value[good], self.error[good], label=f"{self.n} trajectories")
        if not good.all():
            style.points(ax, self.s[~good], self.value[~good], color=style.RED, mfc="none", label="not converged")
        if exact is not None:
            ax.plot(self.s, exact(self.s), color=style.INK, linewidth=1.2, label="exact", zorder=0)
        ax.axvspan(*self.limits, color=style.GRID, zorder=-1)
        ax.set(
            xlabel="s", ylabel=r"$\ln\langle e^{sx}\rangle$" + ("" if self.time is None else " / time"), title=self.name
        )
        ax.legend()
        return ax

    def __repr__(self) -> str:
        low, high = self.limits
        return (
            f"Generating function of {self.name} from {self.n} trajectories at {len(self.s)} points; "
            f"converged for {low:.4g} <= s <= {high:.4g}."
        )


def generating_function(
    source: Source,
    quantity: str | None = None,
    s: ArrayLike | None = None,
    *,
    time: float | None = None,
    scaled: bool = False,
    least_effective: float = 100.0,
    blocks: int = 64,
) -> GeneratingFunction:
    """Empirical cumulant generating function of a column with errors and its convergence limit.

    Parameters
    ----------
    source : Ensemble, mapping or (n,) array_like
    quantity : str, optional
    s : (k,) array_like, optional
        Counting fields; by default 41 points within three over the standard deviation.
    time : float, optional
        Time to divide by when `scaled`; from the ensemble if it has a tlist.
    scaled : bool
        Divide by the time.  At finite time the scaled function still holds the boundary term ln <1|r><l|rho_0> / t.
    least_effective : float
        Effective sample size below which a point is marked as not converged.
    """
    col = column(source, quantity)
    t = duration(source, time) if scaled or time is not None else None
    if scaled and t is None:
        raise ValueError("`time` must be given to scale the generating function of plain arrays.")
    points = _default_grid(col.finite()) if s is None else np.atleast_1d(np.asarray(s, dtype=float))
    edges = block_edges(len(col), blocks)
    rows = np.array([_one(col.values, field, edges) for field in points])
    unit = 1.0 if t is None else 1.0 / t
    return GeneratingFunction(
        col.name, points, rows[:, 0] * unit, rows[:, 1] * unit, rows[:, 2], rows[:, 3], len(col), t, least_effective
    )


def weights(values: Floats, s: float) -> tuple[Floats, float]:
    """exp(s x) divided by its largest value, and the logarithm of that value; s = 0 gives ones even for infinite x."""
    exponent = s * values if s != 0.0 else np.zeros_like(values)
    top = float(exponent.max())
    if not np.isfinite(top):
        raise ValueError(
            f"the average of exp(s x) at s = {s:g} is infinite or empty: the column holds infinite values."
        )
    return np.exp(exponent - top), top


def effective_size(weight: Floats) -> float:
    """(sum w)^2 / sum w^2 (Kish)."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def _one(values: Floats, s: float, edges: NDArray[np.int64]) -> tuple[float, float, float, float]:
    weight, top = weights(values, s)
    sums, sizes = np.add.reduceat(weight, edges[:-1]), np.diff(edges)
    full = np.log(weight.mean())
    step = _step_beyond(values, s)
    with np.errstate(divide="ignore"):
        replicas = np.log(leave_one_out(sums) / (len(values) - sizes)) if len(sizes) > 1 else sums
    finite = np.where(np.isfinite(replicas), replicas, full - np.log(len(values)))
    error, _ = jackknife(full, finite, sizes)
    unseen = 3.0 * float(np.exp(min(abs(s) * step, 700.0))) / float(weight.sum()) if s != 0.0 else 0.0
    return float(full) + top, float(error), effective_size(weight), unseen


def _step_beyond(values: Floats, s: float) -> float:
    """Distance between the two outermost distinct values on the side that s weighs: where the next one may be."""
    outer = float(values.max() if s > 0 else values.min())
    inner = values[np.abs(values - outer) > 1e-9 * max(1.0, abs(outer))] if np.isfinite(outer) else values[:0]
    return float(np.abs(inner - outer).min()) if len(inner) else 0.0


def _default_grid(values: Floats) -> Floats:
    spread = float(values.std())
    return np.linspace(-3, 3, 41) / (spread if spread > 0 else 1.0)
