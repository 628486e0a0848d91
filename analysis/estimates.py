"""A number with its error, and the three ways to get the error: jackknife, bootstrap, counting.

Trajectories are independent, so a block is any run of consecutive ids; statistics that are not plain averages get
their error by leaving one block out at a time.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from collide.ensemble.estimates import Estimate, as_estimate, jackknife, rounded

__all__ = [
    "Estimate",
    "as_estimate",
    "block_edges",
    "bootstrap",
    "count_error",
    "jackknife",
    "leave_one_out",
    "rounded",
]

Floats = NDArray[np.float64]


def block_edges(n: int, blocks: int = 128) -> NDArray[np.int64]:
    """Edges of at most `blocks` runs of nearly equal length that cover 0..n; every run holds at least one id."""
    count = max(1, min(blocks, n))
    return np.linspace(0, n, count + 1).round().astype(np.int64)


def leave_one_out(sums: Floats) -> Floats:
    """Totals without each block in turn, (B, ...), from sums per block (B, ...)."""
    return sums.sum(axis=0) - sums


def bootstrap(
    statistic: Callable[..., Any], *columns: ArrayLike, draws: int = 400, seed: int = 0, level: float = 0.6827
) -> tuple[Estimate, tuple[float, float]]:
    """Error and percentile interval of a statistic by resampling trajectories with replacement.

    Parameters
    ----------
    statistic : callable
        Takes the columns, returns a number.
    *columns : (n,) array_like
        Resampled together.
    draws : int
        Number of resamples.
    seed : int
        Seed of the resampling: the same data give the same error.
    level : float
        Probability inside the interval.

    Returns
    -------
    Estimate
        The statistic of the data and the standard deviation over resamples.
    (float, float)
        The interval.
    """
    data = [np.asarray(c) for c in columns]
    n = len(data[0])
    if n < 2:
        raise ValueError(f"`columns` must hold at least two trajectories to be resampled, but hold {n}.")
    generator = np.random.default_rng(seed)
    picks = (generator.integers(0, n, n) for _ in range(draws))
    values = np.array([float(statistic(*(c[pick] for c in data))) for pick in picks])
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(statistic(*data)), float(values.std(ddof=1))), (float(low), float(high))


def count_error(counts: ArrayLike) -> Floats:
    """Standard error of counted events: the square root, but never less than one event.

    A bin that stayed empty is not known to be empty: its error is that of one event.
    """
    return np.sqrt(np.maximum(np.asarray(counts, dtype=float), 1.0))


def count_interval(counts: ArrayLike, level: float = 0.6827) -> tuple[Floats, Floats]:
    """Exact central confidence interval of a Poisson mean given the number counted (Garwood 1936)."""
    k, tail = np.asarray(counts, dtype=float), (1.0 - level) / 2.0
    low = np.where(k > 0, stats.chi2.ppf(tail, 2.0 * np.maximum(k, 0.5)) / 2.0, 0.0)
    return low, np.asarray(stats.chi2.ppf(1.0 - tail, 2.0 * k + 2.0) / 2.0)
