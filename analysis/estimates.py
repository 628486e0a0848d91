"""A number with its error, and the three ways to get the error: jackknife, bootstrap, counting.

Trajectories are independent, so a block is any run of consecutive ids; statistics that are not plain averages get
their error by leaving one block out at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error.

    Attributes
    ----------
    value : float
    error : float
        One standard error; 0 for an exact number, nan where it cannot be estimated.
    """

    value: float
    error: float

    def deviation(self, reference: Any) -> float:
        """Distance to a number or estimate in combined standard errors; 0 if both agree exactly without an error."""
        other = as_estimate(reference)
        distance, error = self.value - other.value, math.hypot(self.error, other.error)
        if distance == 0.0 or self.value == other.value:  # the second also for equal infinities
            return 0.0
        return math.copysign(math.inf, distance) if error == 0.0 else distance / error

    def scaled(self, factor: float) -> "Estimate":
        """The estimate of `factor` times the quantity."""
        return Estimate(self.value * factor, self.error * abs(factor))

    def __str__(self) -> str:
        return rounded(self.value, self.error)

    __repr__ = __str__


def as_estimate(given: Any) -> Estimate:
    """An estimate from anything with a value and an error (such as ``ens.mean("work")``), or an exact number."""
    if isinstance(given, Estimate):
        return given
    if hasattr(given, "value") and hasattr(given, "error"):
        return Estimate(float(given.value), float(given.error))
    return Estimate(float(given), 0.0)


def rounded(value: float, error: float) -> str:
    """Print a value with its error, both rounded to two digits of the error.

    >>> rounded(0.123456, 0.0123)
    '0.123 ± 0.012'
    >>> rounded(1.23456e-7, 3.4e-9)
    '(1.235 ± 0.034)e-07'
    """
    if error == 0.0 or not (math.isfinite(value) and math.isfinite(error)):
        return f"{value:.6g}" + ("" if error == 0.0 else f" ± {error:.2g}")
    largest = math.floor(math.log10(max(abs(value), error)))
    shift = 0 if -4 <= largest < 6 else largest
    value, error = value / 10.0**shift, error / 10.0**shift
    decimals = 1 - int(f"{error:.1e}".split("e")[1])  # of the error as rounded, so that 0.0996 prints as 0.10
    body = f"{round(value, decimals):.{max(decimals, 0)}f} ± {round(error, decimals):.{max(decimals, 0)}f}"
    return f"({body})e{shift:+03d}" if shift else body


def block_edges(n: int, blocks: int = 128) -> NDArray[np.int64]:
    """Edges of at most `blocks` runs of nearly equal length that cover 0..n; every run holds at least one id."""
    count = max(1, min(blocks, n))
    return np.linspace(0, n, count + 1).round().astype(np.int64)


def jackknife(full: ArrayLike, replicas: ArrayLike, sizes: ArrayLike) -> tuple[Floats, Floats]:
    r"""Error and bias of a statistic from its values with one block left out each.

    .. math:: \mathrm{var} = \frac1B \sum_b \frac{(\tilde\theta_b - \theta_J)^2}{h_b - 1},\qquad
              \tilde\theta_b = h_b \theta - (h_b - 1)\theta_{(b)},\quad h_b = n / n_b ,

    the delete-block jackknife for blocks of unequal size (Busing, Meijer, van der Leeden 1999, Eq. 9).

    Parameters
    ----------
    full : (...,) float
        The statistic of all trajectories.
    replicas : (B, ...) float
        The statistic without block b.
    sizes : (B,) int
        Number of trajectories in each block.

    Returns
    -------
    error, bias : (...,) float
        Standard error (nan for fewer than two blocks), and how much `full` exceeds the truth to first order in 1/n.
    """
    whole, left = np.asarray(full, dtype=float), np.asarray(replicas, dtype=float)
    count = len(left)
    if count < 2:
        return np.full_like(whole, np.nan), np.full_like(whole, np.nan)
    share = np.asarray(sizes, dtype=float)
    share = (share / share.sum()).reshape(-1, *(1,) * whole.ndim)
    centre = count * whole - ((1.0 - share) * left).sum(axis=0)
    pseudo = whole / share - (1.0 / share - 1.0) * left
    variance = np.mean((pseudo - centre) ** 2 / (1.0 / share - 1.0), axis=0)
    return np.sqrt(variance), whole - centre


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
