r"""Unbiased estimators of cumulants from sums of powers and products (Fisher's k-statistics).

.. math:: k_2 = \frac{n\,m_2}{n-1},\quad k_3 = \frac{n^2 m_3}{(n-1)(n-2)},\quad
          k_4 = \frac{n^2\,[(n+1)\,m_4 - 3(n-1)\,m_2^2]}{(n-1)(n-2)(n-3)},

with m_k the central moments of the sample.  Each is linear in products of distinct trajectories, hence multilinear in
the column: writing four different columns in place of one gives the joint k-statistics.
"""

from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def power_sums(values: ArrayLike, edges: NDArray[np.int64], pivot: float = 0.0, order: int = 4) -> Floats:
    """Sums of powers 1..order of ``values - pivot`` in each block, (B, order).

    A pivot near the mean keeps the digits that a large mean would cost the higher cumulants.
    """
    data = np.asarray(values, dtype=float)
    sums = np.empty((len(edges) - 1, order))
    for block, (a, b) in enumerate(pairwise(edges)):
        shifted = data[a:b] - pivot
        power = shifted
        sums[block, 0] = shifted.sum()
        for k in range(1, order):
            power = power * shifted
            sums[block, k] = power.sum()
    return sums


def central_moments(sums: ArrayLike, n: ArrayLike) -> Floats:
    """Mean and central moments 2..4 of the sample, (..., 4), from sums of powers (..., 4) of n values."""
    s = np.asarray(sums, dtype=float) / np.asarray(n, dtype=float)[..., None]
    a, b, c, d = s[..., 0], s[..., 1], s[..., 2], s[..., 3]
    return np.stack([a, b - a**2, c - 3 * a * b + 2 * a**3, d - 4 * a * c + 6 * a**2 * b - 3 * a**4], axis=-1)


def k_statistics(sums: ArrayLike, n: ArrayLike, pivot: ArrayLike = 0.0) -> Floats:
    """Unbiased cumulants 1..4.

    Parameters
    ----------
    sums : (..., 4) float
        Sums of powers of ``x - pivot``.
    n : (...,) int
        Number of values behind each sum.
    pivot : float or (...,) float
        What was subtracted; comes back in the first cumulant.

    Returns
    -------
    (..., 4) float
        nan for an order k where fewer than k values were given.
    """
    count = np.asarray(n, dtype=float)
    mean, m2, m3, m4 = np.moveaxis(central_moments(sums, count), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        k2 = count / (count - 1) * m2
        k3 = count**2 / ((count - 1) * (count - 2)) * m3
        k4 = count**2 * ((count + 1) * m4 - 3 * (count - 1) * m2**2) / ((count - 1) * (count - 2) * (count - 3))
    result = np.stack([mean + np.asarray(pivot), k2, k3, k4], axis=-1)
    return np.where(count[..., None] >= np.arange(1, 5), result, np.nan)


def error_of_mean(cumulants: ArrayLike, n: ArrayLike) -> Floats:
    """Standard error of the mean from the cumulants (..., 4): sqrt(k2 / n)."""
    k = np.asarray(cumulants, dtype=float)
    return np.asarray(np.sqrt(np.maximum(k[..., 1], 0.0) / np.asarray(n, dtype=float)))


def error_of_variance(cumulants: ArrayLike, n: ArrayLike) -> Floats:
    r"""Standard error of the variance from its fourth cumulant, unbiased in the square.

    .. math:: \mathrm{var}(k_2) = \frac{\kappa_4}{n} + \frac{2\kappa_2^2}{n-1}
              \ \leftarrow\ \frac{2 n\,k_2^2 + (n-1)\,k_4}{n(n+1)} .
    """
    k, count = np.asarray(cumulants, dtype=float), np.asarray(n, dtype=float)
    square = (2 * count * k[..., 1] ** 2 + (count - 1) * k[..., 3]) / (count * (count + 1))
    return np.asarray(np.sqrt(np.maximum(square, 0.0)))


def subsets(order: int) -> tuple[tuple[int, ...], ...]:
    """All nonempty subsets of 0..order-1, the index of the sums that `joint_k_statistic` asks for."""
    return tuple(s for size in range(1, order + 1) for s in combinations(range(order), size))


def product_sums(values: Floats, edges: NDArray[np.int64]) -> Floats:
    """Sums over each block of the products of every subset of the columns, (B, 2^m - 1).

    Parameters
    ----------
    values : (m, n) float
        Up to four columns, best with their means taken off.
    edges : (B + 1,) int
    """
    wanted = subsets(len(values))
    starts = edges[:-1]
    return np.stack([np.add.reduceat(np.prod(values[list(s)], axis=0), starts) for s in wanted], axis=-1)


def joint_k_statistic(sums: ArrayLike, n: ArrayLike, order: int) -> Floats:
    """Unbiased joint cumulant of `order` (1 to 4) columns from their product sums (..., 2^order - 1)."""
    count = np.asarray(n, dtype=float)
    mean: dict[tuple[int, ...], Any] = dict(
        zip(subsets(order), np.moveaxis(np.asarray(sums, dtype=float) / count[..., None], -1, 0), strict=True)
    )
    if order == 1:
        return np.asarray(mean[(0,)])
    moment = {s: _central(s, mean) for s in subsets(order) if len(s) > 1}
    everything = tuple(range(order))
    with np.errstate(divide="ignore", invalid="ignore"):
        if order == 2:
            return np.asarray(count / (count - 1) * moment[everything])
        if order == 3:
            return np.asarray(count**2 / ((count - 1) * (count - 2)) * moment[everything])
        pairs = sum(moment[a] * moment[b] for a, b in (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))))
        scale = count**2 / ((count - 1) * (count - 2) * (count - 3))
        return np.asarray(scale * ((count + 1) * moment[everything] - (count - 1) * pairs))


def _central(subset: tuple[int, ...], mean: dict[tuple[int, ...], Any]) -> Any:
    """Central moment <prod (x_i - <x_i>)> expanded in raw moments."""
    total: Any = 0.0
    for size in range(len(subset) + 1):
        for kept in combinations(subset, size):
            rest = [i for i in subset if i not in kept]
            term: Any = mean[kept] if kept else 1.0
            for i in rest:
                term = -term * mean[(i,)]
            total = total + term
    return total
