"""Exact averaged states in time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from collide.exact.jets import PLAIN
from collide.exact.process import Floats, Ints, Sparse
from collide.exact.reduced import DENSE, Reduced
from collide.later import later

sla = later("scipy.sparse.linalg")

FEW = 64  # coordinates up to which a whole exponential is the cheapest way to any state


def as_times(tlist: ArrayLike) -> Floats:
    """Ascending times (nt,) from 0 on, checked.

    Raises
    ------
    ValueError
        For times that are negative, not finite or not ascending.
    """
    times = np.atleast_1d(np.asarray(tlist, dtype=float))
    if times.ndim != 1 or not np.all(np.isfinite(times)):
        raise ValueError(f"`tlist` must be a list of finite times, but has shape {times.shape}")
    if (len(times) and times[0] < 0) or np.any(np.diff(times) < 0):
        raise ValueError("`tlist` must ascend from a time >= 0")
    return times


def periods(times: Floats, tau: float) -> Ints:
    """Numbers of periods at the given times of a repeated process.

    Raises
    ------
    ValueError
        If a time is not a multiple of `tau` (to 1e-9); names the nearest allowed one.
    """
    number = np.rint(times / tau)
    wrong = np.flatnonzero(np.abs(number * tau - times) > 1e-9 * np.maximum(np.abs(times), tau))
    if len(wrong):
        t = times[wrong[0]]
        raise ValueError(
            f"`tlist` has t = {t:g}, which is not a multiple of tau = {tau:g}: the nearest allowed time is"
            f" {np.rint(t / tau) * tau:g}"
        )
    return number.astype(np.int64)


def propagate(reduced: Reduced, x: Floats, times: Floats) -> Iterator[Floats]:
    """Coordinates at each of the times, from x (m,) or columns (m, n) at t = 0.

    Parameters
    ----------
    reduced : Reduced
    x : (m,) or (m, n) float
    times : (nt,) float
        Ascending, from 0 on; multiples of the period for a repeated process.
    """
    if reduced.continuous:
        generator = reduced.base if reduced.size <= FEW else reduced.generator
        yield from flow(generator, x, times, reduced.sector.trace)
    else:
        yield from _repeat(reduced, x, periods(times, reduced.process.tau or 1.0))


def flow(generator: Sparse | Floats, x: Floats, times: Floats, trace: Floats | None = None) -> Iterator[Floats]:
    """Solutions of ``dx/dt = generator x`` at ascending times.

    Parameters
    ----------
    generator : (m, m) sparse, or dense for up to `FEW` coordinates
    x : (m,) or (m, n) float
    times : (nt,) float
    trace : (m,) float, optional
        A row that the generator maps to zero.
    """
    # equally spaced times differ by rounding: one exponential serves all of them
    gaps = [float(f"{gap:.13e}") for gap in np.diff(times, prepend=0.0)]
    known: dict[float, Floats] = {}
    for gap in gaps:
        if gap and gap not in known and dense_is_cheaper(generator, gap, gaps.count(gap)):
            dense = generator if isinstance(generator, np.ndarray) else generator.toarray()
            known[gap] = PLAIN.expm(gap * dense[None], trace)[0]
        if gap in known:
            x = known[gap] @ x
        elif gap:
            x = sla.expm_multiply(gap * generator, x)
        yield x


def _repeat(reduced: Reduced, x: Floats, numbers: Ints) -> Iterator[Floats]:
    columns = x.reshape(reduced.size, -1).shape[1]
    known: dict[int, Floats] = {}
    for n in np.diff(numbers, prepend=0).tolist():
        if n and n not in known and power_is_cheaper(reduced, n, columns):
            known[n] = PLAIN.power(reduced.base[None], n, reduced.sector.trace)[0]
        if n in known:
            x = known[n] @ x
        else:
            for _ in range(n):
                x = reduced.base @ x
        yield x


def power_is_cheaper(reduced: Reduced, n: int, columns: int) -> bool:
    """Whether to square a period's map 2 log2(n) times rather than to apply it n times to a few columns."""
    return reduced.dense and n * columns > 2 * np.log2(n + 1) * reduced.size


def dense_is_cheaper(generator: Any, gap: float, uses: int) -> bool:
    """Whether to exponentiate a whole generator for a time step, or only its action on some states."""
    size = generator.shape[0]
    if size <= FEW or size > DENSE:
        return bool(size <= FEW)
    norm = gap * abs(generator).sum(axis=0).max()
    action = uses * (1 + norm) * 2 * generator.nnz * 10  # sparse products run at a tenth of the speed of dense ones
    return bool(2 * size**3 * (8 + np.log2(1 + norm)) < action)
