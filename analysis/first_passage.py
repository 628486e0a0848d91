"""First-passage times of heat, charge or entropy along the jump records of an ensemble."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .distributions import Density
from .estimates import Estimate
from .waiting import Jumps

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FirstPassage:
    """When a quantity that grows by jumps first reached a threshold.

    Attributes
    ----------
    threshold : float
        Reached from below if positive, from above if negative.
    times : (k,) float
        First-passage times of the trajectories that reached it.
    never : int
        Trajectories that had not by the horizon.
    horizon : float
    """

    threshold: float
    times: Floats
    never: int
    horizon: float

    @property
    def n(self) -> int:
        """Number of trajectories."""
        return len(self.times) + self.never

    @property
    def probability(self) -> Estimate:
        """Probability to reach the threshold by the horizon; the error is never below one event."""
        p = len(self.times) / self.n
        return Estimate(p, max((p * (1 - p) / self.n) ** 0.5, 1.0 / self.n))

    @property
    def mean(self) -> Estimate:
        """Mean over the trajectories that reached it (shorter than the true mean if some never did)."""
        if len(self.times) < 2:
            return Estimate(float(self.times.mean()) if len(self.times) else float("nan"), float("nan"))
        return Estimate(float(self.times.mean()), float(self.times.std(ddof=1)) / len(self.times) ** 0.5)

    def density(self, bins: int | ArrayLike = 40) -> Density:
        """Density of the first-passage time; it integrates to the probability of a passage."""
        edges = np.linspace(0.0, self.horizon, bins + 1) if isinstance(bins, int) else np.asarray(bins, dtype=float)
        counts, _ = np.histogram(self.times, edges)
        return Density(f"first passage of {self.threshold:g}", edges, counts.astype(np.int64), self.n)

    def plot(self, ax: Any = None, *, exact: Any = None, bins: int = 40) -> Any:
        """The density with Poisson errors; an exact density (a callable) is laid over."""
        return self.density(bins).plot(ax, exact=exact)

    def __repr__(self) -> str:
        return (
            f"{len(self.times)} of {self.n} trajectories reached {self.threshold:g} by t = {self.horizon:g} "
            f"(probability {self.probability}), on average at {self.mean}."
        )


def first_passage(records: Jumps, increment: ArrayLike, threshold: float, *, start: ArrayLike = 0.0) -> FirstPassage:
    """First time at which the sum of increments reaches a threshold.

    Parameters
    ----------
    records : Jumps
    increment : (nchannels,) array_like
        What a jump of each channel adds: its heat from one bath, its charge, or its entropy -β q.  The entropy of the
        system itself, ln p(i) - ln p(f), is no sum over jumps; pass its opening part as `start` if wanted.
    threshold : float
        Positive: reached from below.  Negative: from above.
    start : float or (n,) array_like
        Value before the first jump.

    Returns
    -------
    FirstPassage
    """
    if threshold == 0 or not np.isfinite(threshold):
        raise ValueError(f"`threshold` must be finite and not zero, but is {threshold}: the walk starts at zero.")
    step = np.asarray(increment, dtype=float)
    if len(records.channel) and records.channel.max() >= len(step):
        raise ValueError(
            f"`increment` must have a value for channel {records.channel.max()}, but has {len(step)} values."
        )
    sign = 1.0 if threshold > 0 else -1.0
    begin = np.broadcast_to(np.asarray(start, dtype=float), records.row_size.shape)
    tolerance = 1e-9 * abs(threshold)
    reached = sign * _walk(records, step, begin) >= abs(threshold) - tolerance
    n = len(records.row_size)
    first = np.full(n, len(records.time))
    np.minimum.at(first, records.row[reached], np.flatnonzero(reached))
    at_once = sign * begin >= abs(threshold) - tolerance
    passed = first < len(records.time)
    times = np.where(at_once, 0.0, np.append(records.time, np.inf)[first])
    return FirstPassage(float(threshold), times[passed | at_once], int((~(passed | at_once)).sum()), records.horizon)


def _walk(records: Jumps, step: Floats, begin: Floats) -> Floats:
    """Value right after each jump, (m,); +inf from the first irreversible jump (infinite entropy) on."""
    finite = np.where(np.isfinite(step), step, 0.0)
    total = _sums_in_rows(records, finite[records.channel]) + begin[records.row]
    lost = _sums_in_rows(records, np.isposinf(step[records.channel]).astype(float)) > 0
    return np.where(lost, np.inf, total)


def _sums_in_rows(records: Jumps, added: Floats) -> Floats:
    """Running sum that starts afresh in each trajectory."""
    total = np.cumsum(added)
    busy = records.row_size > 0
    first = records.start[busy]
    before = np.zeros(len(records.row_size))
    before[busy] = total[first] - added[first]
    return np.asarray(total - before[records.row])
