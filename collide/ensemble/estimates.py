"""A number with its error, how it is printed, and the jackknife."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A value with its standard error; numbers, or arrays of equal shape.

    Attributes
    ----------
    value : float or array
    error : float or array
        One standard error; 0 for an exact number, nan where it cannot be estimated.
    """

    value: Any
    error: Any

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

    def __repr__(self) -> str:
        if np.ndim(self.value):
            return f"Estimate(value={self.value!r}, error={self.error!r})"
        return rounded(float(self.value), float(self.error))


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
