"""Statistics that read a column block by block, so that their memory does not grow with the ensemble.

Blocks come in the order of the trajectories, and are folded in that order: the same bits at every reading.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collide.ensemble.estimates import Estimate

Floats = NDArray[np.float64]
Blocks = Callable[[], Iterable[Floats]]  # starts a new pass over the data


def central_moments(blocks: Iterable[Floats]) -> tuple[int, float, Floats]:
    """Number of values, mean, and central moments of order 0 to 4, in one pass.

    Powers are summed about the mean of the first block, which is close enough to the mean that nothing cancels.
    """
    n, centre, sums = 0, 0.0, np.zeros(5)
    with np.errstate(invalid="ignore", over="ignore"):
        for block in blocks:
            if n == 0 and len(block):
                centre = float(np.mean(block))
                centre = centre if np.isfinite(centre) else 0.0
            n += len(block)
            deviation, power = block - centre, np.ones(len(block))
            for k in range(1, 5):
                power = power * deviation
                sums[k] += power.sum()
        if n == 0:
            return 0, np.nan, np.full(5, np.nan)
        _, a, b, c, d = sums / n
        moments = np.array([1.0, 0.0, b - a * a, c - 3 * a * b + 2 * a**3, d - 4 * a * c + 6 * a * a * b - 3 * a**4])
    return n, centre + float(a), moments


def mean(blocks: Blocks) -> Estimate:
    """Mean and its standard error."""
    n, centre, m = central_moments(blocks())
    return Estimate(centre, float(np.sqrt(m[2] / (n - 1))) if n > 1 else np.nan)


def variance(blocks: Blocks) -> Estimate:
    r"""Unbiased variance and its standard error, :math:`\sqrt{(m_4 - m_2^2 (n-3)/(n-1)) / n}`."""
    n, _, m = central_moments(blocks())
    if n < 2:
        return Estimate(np.nan, np.nan)
    spread = max(m[4] - m[2] ** 2 * (n - 3) / (n - 1), 0.0) if np.isfinite(m[4]) else np.nan
    return Estimate(float(m[2] * n / (n - 1)), float(np.sqrt(spread / n)))


def covariance(a: Blocks, b: Blocks) -> Estimate:
    """Unbiased covariance of two columns and its standard error, in two passes."""
    n, mean_a, _ = central_moments(a())
    _, mean_b, _ = central_moments(b())
    if n < 2:
        return Estimate(np.nan, np.nan)
    first = second = 0.0
    for x, y in zip(a(), b(), strict=True):
        product = (x - mean_a) * (y - mean_b)
        first, second = first + float(product.sum()), second + float(np.square(product).sum())
    return Estimate(first / (n - 1), float(np.sqrt(max(second / n - (first / n) ** 2, 0.0) / n)))


def histogram(
    blocks: Blocks, bins: "int | Sequence[float] | Floats", span: tuple[float, float] | None
) -> tuple[Any, Floats]:
    """Counts and edges as `numpy.histogram` gives them; values that are not finite are left out."""
    if span is None and np.ndim(bins) == 0:
        span = extent(blocks)
    edges = np.histogram_bin_edges(np.zeros(0), bins=bins, range=span)
    counts = np.zeros(len(edges) - 1, dtype=np.int64)
    for block in blocks():
        counts += np.histogram(block[np.isfinite(block)], bins=edges)[0]
    return counts, edges


def extent(blocks: Blocks) -> tuple[float, float]:
    """Smallest and largest finite value; (0, 1) if there is none."""
    low, high = np.inf, -np.inf
    for block in blocks():
        finite = block[np.isfinite(block)]
        if len(finite):
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 1.0)


def quantiles(blocks: Blocks, q: ArrayLike) -> Floats:
    """Exact quantiles, linear between order statistics like `numpy.quantile`, in four passes and constant memory.

    A float's bits, with the sign bit flipped (or all bits, for negative numbers), sort like the numbers.  Each pass
    counts the next sixteen of them among the values that share the sixteen, thirty-two, ... bits already found.

    Raises
    ------
    ValueError
        If a probability lies outside [0, 1].
    """
    wanted = np.asarray(q, dtype=float)
    if not np.all((wanted >= 0) & (wanted <= 1)):
        raise ValueError(f"`q` must hold probabilities from 0 to 1, but is {wanted.tolist()}.")
    n = sum(len(block) for block in blocks())
    if n == 0:
        return np.full(wanted.shape, np.nan)
    position = wanted * (n - 1)
    lower = np.floor(position).astype(np.int64)
    ranks = np.unique(np.concatenate([lower.reshape(-1), np.minimum(lower + 1, n - 1).reshape(-1)]))
    values = dict(zip(ranks.tolist(), _order_statistics(blocks, ranks), strict=True))
    low = np.array([values[k] for k in lower.reshape(-1).tolist()]).reshape(wanted.shape)
    high = np.array([values[min(k + 1, n - 1)] for k in lower.reshape(-1).tolist()]).reshape(wanted.shape)
    with np.errstate(invalid="ignore"):
        return np.where(position == lower, low, low + (position - lower) * (high - low))


def _order_statistics(blocks: Blocks, ranks: NDArray[np.int64]) -> Floats:
    prefix = np.zeros(len(ranks), dtype=np.uint64)
    left = ranks.copy()  # rank among the values that share the prefix
    for shift in (48, 32, 16, 0):
        groups = np.unique(prefix)
        counts = {int(p): np.zeros(1 << 16, dtype=np.int64) for p in groups}
        for block in blocks():
            keys = _sortable(block)
            digits = ((keys >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)
            for p in groups:
                inside = slice(None) if shift == 48 else (keys >> np.uint64(shift + 16)) == p
                counts[int(p)] += np.bincount(digits[inside], minlength=1 << 16)
        for i, p in enumerate(prefix.tolist()):
            below = np.cumsum(counts[p])
            digit = int(np.searchsorted(below, left[i], side="right"))
            left[i] -= below[digit - 1] if digit else 0
            prefix[i] = (p << 16) | digit
    return _number(prefix)


def _sortable(values: Floats) -> NDArray[np.uint64]:
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    return np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(1 << 63))


def _number(keys: NDArray[np.uint64]) -> Floats:
    return np.where(keys >> np.uint64(63), keys & np.uint64((1 << 63) - 1), ~keys).view(np.float64)


def cumulants(n: Any, sums: Floats) -> Floats:
    """First four cumulants, unbiased (Fisher's k-statistics), from power sums (..., 4) of n values."""
    n = np.asarray(n, dtype=float)
    s1, s2, s3, s4 = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        k1 = s1 / n
        k2 = (n * s2 - s1**2) / (n * (n - 1))
        k3 = (2 * s1**3 - 3 * n * s1 * s2 + n**2 * s3) / (n * (n - 1) * (n - 2))
        k4 = (
            -6 * s1**4 + 12 * n * s1**2 * s2 - 3 * n * (n - 1) * s2**2 - 4 * n * (n + 1) * s1 * s3 + n**2 * (n + 1) * s4
        )
        k4 = k4 / (n * (n - 1) * (n - 2) * (n - 3))
    return np.stack([k1, k2, k3, k4], axis=-1)


def cumulant_errors(n: int, sums: Floats) -> Floats:
    """Standard errors (..., 2) of the first two k-statistics, from power sums (..., 4) of n values."""
    m1, m2, m3, m4 = np.moveaxis(sums / n, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        second = np.maximum(m2 - m1**2, 0.0)
        fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
        spread = np.maximum(fourth - second**2 * (n - 3) / np.float64(n - 1), 0.0) / n
        return np.sqrt(np.stack([second / np.float64(n - 1), spread], axis=-1))


def covariance_of_sums(n: Any, sums: Floats) -> Floats:
    """Unbiased covariance from the sums (..., 3) of xy, x and y over n pairs."""
    xy, x, y = np.moveaxis(sums, -1, 0)
    n = np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((xy - x * y / n) / (n - 1))
