"""Distributions of one column: atoms where the support is discrete, a density histogram where it is not.

Heat comes in quanta.  A density histogram of quantised values shows the beating of bins against quanta, not physics,
so `distribution` looks at the support first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import style
from .columns import Source, column
from .estimates import count_error
from .goodness import Goodness, chi_square

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Atoms:
    """A distribution on a discrete support.

    Attributes
    ----------
    name : str
    support : (k,) float
        Values that occurred, ascending; +inf may be the last.
    counts : (k,) int
    n : int
        Number of trajectories.
    """

    name: str
    support: Floats
    counts: Ints
    n: int

    @property
    def probability(self) -> Floats:
        """Share of the trajectories at each value, (k,)."""
        return np.asarray(self.counts / self.n)

    @property
    def error(self) -> Floats:
        """Poisson errors of the probabilities, never below one event."""
        return count_error(self.counts) / self.n

    def counts_at(self, support: ArrayLike, tolerance: float = 1e-6) -> Ints:
        """Counts at given values (0 where none occurred); an error if something occurred elsewhere."""
        found, elsewhere = self._placed(support, tolerance)
        if len(elsewhere):
            raise ValueError(
                f"`support` must contain every value of {self.name!r} that occurred, but lacks {elsewhere[0]:.6g}."
            )
        return found

    def against(self, support: ArrayLike, probability: ArrayLike, tolerance: float = 1e-6) -> Goodness:
        """Chi-square of the counts against an exact distribution; p = 0 if something occurred outside its support."""
        order = np.argsort(np.asarray(support, dtype=float))
        counts, elsewhere = self._placed(support, tolerance)
        test = chi_square(counts[order], np.asarray(probability, dtype=float)[order], n=self.n)
        return Goodness(test.test, np.inf, test.dof, 0.0) if len(elsewhere) else test

    def _placed(self, support: ArrayLike, tolerance: float) -> tuple[Ints, Floats]:
        """Counts at the values of a support, and the finite values that are none of them."""
        wanted = np.asarray(support, dtype=float)
        order = np.argsort(wanted)
        finite = self.support[np.isfinite(self.support)]
        counts = self.counts[np.isfinite(self.support)]
        place = np.searchsorted(wanted[order], finite)
        left, right = order[np.maximum(place - 1, 0)], order[np.minimum(place, len(wanted) - 1)]
        nearest = np.where(np.abs(wanted[left] - finite) <= np.abs(wanted[right] - finite), left, right)
        here = np.abs(wanted[nearest] - finite) <= tolerance * max(1.0, float(np.abs(wanted).max()))
        found = np.zeros(len(wanted), dtype=np.int64)
        np.add.at(found, nearest[here], counts[here])
        return found, finite[~here]

    def plot(self, ax: Any = None, *, exact: tuple[ArrayLike, ArrayLike] | None = None, log: bool = False) -> Any:
        """Probabilities with Poisson errors; an exact (support, probability) is laid over."""
        ax = style.axes(ax)
        keep = np.isfinite(self.support)
        ax.bar(
            self.support[keep],
            self.probability[keep],
            width=0.7 * _spacing(self.support[keep]),
            color=style.SKY,
            alpha=0.6,
        )
        style.points(ax, self.support[keep], self.probability[keep], self.error[keep], label=f"{self.n} trajectories")
        if exact is not None:
            where, p = (np.asarray(e, dtype=float) for e in exact)
            shown = (where >= self.support[keep].min()) & (where <= self.support[keep].max())
            ax.plot(where[shown], p[shown], "_", color=style.INK, markersize=9, markeredgewidth=1.6, label="exact")
        ax.set(xlabel=self.name, ylabel="probability")
        style.logarithmic(ax, y=log)
        ax.legend()
        return ax

    def __repr__(self) -> str:
        low, high = self.support[0], self.support[-1]
        return f"{self.name} of {self.n} trajectories: {len(self.support)} values from {low:.6g} to {high:.6g}."


@dataclass(frozen=True)
class Density:
    """A density histogram.

    Attributes
    ----------
    name : str
    edges : (k + 1,) float
    counts : (k,) int
    n : int
        Number of trajectories, those outside the edges (or infinite) included.
    of : str
        What was counted.
    """

    name: str
    edges: Floats
    counts: Ints
    n: int
    of: str = "trajectories"

    @property
    def centres(self) -> Floats:
        """Middle of each bin, (k,)."""
        return np.asarray((self.edges[1:] + self.edges[:-1]) / 2)

    @property
    def density(self) -> Floats:
        """Probability per unit, (k,); integrates to the share of trajectories inside the edges."""
        return np.asarray(self.counts / (self.n * np.diff(self.edges)))

    @property
    def error(self) -> Floats:
        """Poisson errors of the density, never below one event."""
        return np.asarray(count_error(self.counts) / (self.n * np.diff(self.edges)))

    def against(self, cdf: Callable[[Floats], Floats]) -> Goodness:
        """Chi-square of the bins against an exact distribution function."""
        return chi_square(self.counts, np.diff(cdf(self.edges)), n=self.n)

    def plot(self, ax: Any = None, *, exact: Callable[[Floats], Floats] | None = None, log: bool = False) -> Any:
        """The density with Poisson errors; an exact density (a callable) is laid over."""
        ax = style.axes(ax)
        ax.stairs(self.density, self.edges, fill=True, color=style.SKY, alpha=0.5)
        style.points(ax, self.centres, self.density, self.error, markersize=2.5, label=f"{self.n} {self.of}")
        if exact is not None:
            x = np.linspace(self.edges[0], self.edges[-1], 400)
            ax.plot(x, exact(x), color=style.INK, linewidth=1.2, label="exact")
        ax.set(xlabel=self.name, ylabel="density")
        style.logarithmic(ax, y=log)
        ax.legend()
        return ax

    def __repr__(self) -> str:
        inside = self.counts.sum() / self.n
        return (
            f"{self.name} of {self.n} {self.of} in {len(self.counts)} bins from {self.edges[0]:.6g} to "
            f"{self.edges[-1]:.6g}, which hold {100 * inside:.4g} % of them."
        )


def atoms(source: Source, quantity: str | None = None, *, tolerance: float = 1e-9) -> Atoms:
    """Distinct values of a column and how often each occurred; values within `tolerance` (of the range) are one."""
    col = column(source, quantity)
    values = np.sort(col.values)
    finite = values[np.isfinite(values)]
    scale = max(float(np.abs(finite).max()), 1e-300) if len(finite) else 1.0
    first = np.flatnonzero(np.diff(finite, prepend=-np.inf) > tolerance * scale)
    counts = np.diff(np.append(first, len(finite)))
    support = np.add.reduceat(finite, first) / counts if len(finite) else finite
    for limit in (-np.inf, np.inf):
        hits = int((values == limit).sum())
        if hits:
            place = 0 if limit < 0 else len(support)
            support, counts = np.insert(support, place, limit), np.insert(counts, place, hits)
    return Atoms(col.name, np.asarray(support), np.asarray(counts, dtype=np.int64), len(col))


def density(source: Source, quantity: str | None = None, *, bins: int | str | ArrayLike = "fd") -> Density:
    """Density histogram of a column; `bins` as in `numpy.histogram_bin_edges` (infinite values stay outside)."""
    col = column(source, quantity)
    finite = col.finite()
    if len(finite) == 0:
        raise ValueError(f"column {col.name!r} has no finite value: it has no density.")
    edges = np.histogram_bin_edges(finite, bins=bins if isinstance(bins, int | str) else np.asarray(bins))
    if isinstance(bins, str) and len(edges) > 201:  # rules of thumb ask for millions of bins when tails are heavy
        edges = np.linspace(edges[0], edges[-1], 201)
    counts, _ = np.histogram(finite, edges)
    return Density(col.name, np.asarray(edges, dtype=float), counts.astype(np.int64), len(col))


def distribution(source: Source, quantity: str | None = None, *, most_atoms: int = 400) -> Atoms | Density:
    """The distribution of a column: `Atoms` if it takes few distinct values, else a `Density`.

    Parameters
    ----------
    source : Ensemble, mapping or (n,) array_like
    quantity : str, optional
    most_atoms : int
        Largest support regarded as discrete; it must also be smaller than a tenth of the trajectories.
    """
    found = atoms(source, quantity)
    if len(found.support) <= max(1, min(most_atoms, found.n // 10)):
        return found
    return density(source, quantity)


def _spacing(support: Floats) -> float:
    """Least distance between neighbours of a sorted support."""
    gaps = np.diff(support)
    return float(gaps.min()) if len(gaps) else 1.0
