"""Times between jumps, residence times, successive waits and first passages, from the jump records of an ensemble.

A record that ends at the horizon holds short waits more often than long ones.  Here only waits that begin early
enough to be seen up to a common length are used, so that densities are unbiased up to that length; waits beyond it
are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .distributions import Density
from .estimates import Estimate, block_edges, jackknife, leave_one_out

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Jumps:
    """Jump records of an ensemble, end to end.

    Attributes
    ----------
    row_size : (n,) int
        Number of jumps of each trajectory.
    time : (m,) float
        Times, ascending within a trajectory.
    channel : (m,) int
    horizon : float
        Time at which every record ends.
    """

    row_size: Ints
    time: Floats
    channel: Ints
    horizon: float

    @property
    def row(self) -> Ints:
        """Trajectory of each jump, (m,)."""
        return np.repeat(np.arange(len(self.row_size)), self.row_size)

    @property
    def start(self) -> Ints:
        """Position of the first jump of each trajectory, (n,)."""
        return np.concatenate([[0], np.cumsum(self.row_size)[:-1]]).astype(np.int64)

    def only(self, channels: Sequence[int]) -> "Jumps":
        """The records as a detector sees them that watches some channels alone."""
        keep = np.isin(self.channel, channels)
        size = np.bincount(self.row[keep], minlength=len(self.row_size)).astype(np.int64)
        return Jumps(size, self.time[keep], self.channel[keep], self.horizon)

    def __repr__(self) -> str:
        return f"{len(self.time)} jumps of {len(self.row_size)} trajectories up to t = {self.horizon:g}."


def jumps(row_size: ArrayLike, time: ArrayLike, channel: ArrayLike, horizon: float) -> Jumps:
    """Check and wrap jump records given as arrays (contiguous ragged: `row_size` jumps per trajectory)."""
    size, t, c = (
        np.asarray(row_size, dtype=np.int64),
        np.asarray(time, dtype=float),
        np.asarray(channel, dtype=np.int64),
    )
    if len(t) != len(c) or int(size.sum()) != len(t):
        raise ValueError(
            f"`time` and `channel` must hold sum(row_size) = {int(size.sum())} jumps, but hold {len(t)} and {len(c)}."
        )
    records = Jumps(size, t, c, float(horizon))
    backwards = (np.diff(t) < 0) & (np.diff(records.row) == 0) if len(t) > 1 else np.zeros(0, dtype=bool)
    if backwards.any():
        raise ValueError(f"`time` must ascend within a trajectory, but jump {int(backwards.argmax()) + 1} goes back.")
    if len(t) and (t.max() > horizon * (1 + 1e-12) or t.min() < 0):
        raise ValueError(f"`horizon` must be at least the last jump time {t.max():g}, but is {horizon:g}.")
    return records


@dataclass(frozen=True)
class WaitingTimes:
    """Waits that were watched up to a common length.

    Attributes
    ----------
    name : str
    waits : (k,) float
        Those that ended within `longest`.
    longer : int
        Those that did not.
    longest : float
    """

    name: str
    waits: Floats
    longer: int
    longest: float

    @property
    def n(self) -> int:
        """Number of waits watched."""
        return len(self.waits) + self.longer

    @property
    def mean(self) -> Estimate:
        """Mean of the waits that ended within `longest`; the mean wait if `longer` is zero."""
        spread = float(self.waits.std(ddof=1)) if len(self.waits) > 1 else float("nan")
        return (
            Estimate(float(self.waits.mean()), spread / len(self.waits) ** 0.5)
            if len(self.waits)
            else Estimate(float("nan"), float("nan"))
        )

    def density(self, bins: int | ArrayLike = 40) -> Density:
        """Probability density of the wait on 0..longest, unbiased; it integrates to the share that ended."""
        edges = np.linspace(0.0, self.longest, bins + 1) if isinstance(bins, int) else np.asarray(bins, dtype=float)
        counts, _ = np.histogram(self.waits, edges)
        return Density(self.name, edges, counts.astype(np.int64), self.n, "waits")

    def survival(self, time: ArrayLike) -> Floats:
        """Share of waits longer than `time` (at most `longest`)."""
        return np.asarray(1.0 - np.searchsorted(np.sort(self.waits), np.asarray(time, dtype=float), "right") / self.n)

    def plot(self, ax: Any = None, *, exact: Any = None, bins: int = 40) -> Any:
        """The density with Poisson errors on a logarithmic axis; an exact density (a callable) is laid over."""
        ax = self.density(bins).plot(ax, exact=exact, log=True)
        ax.set_xlabel(self.name)
        return ax

    def __repr__(self) -> str:
        return (
            f"{self.name}: {self.n} waits watched for {self.longest:g}, {self.longer} longer; the others {self.mean}."
        )


def waiting_times(
    records: Jumps,
    *,
    after: Sequence[int] | None = None,
    until: Sequence[int] | None = None,
    longest: float | None = None,
    since: float = 0.0,
) -> WaitingTimes:
    """Waits from a jump to the next one.

    Parameters
    ----------
    records : Jumps
        Restrict them with `Jumps.only` to what a detector sees: the next jump is the next one in the records.
    after, until : sequence of int, optional
        Channels of the jump that opens the wait, and of the one that ends it (a wait ended by another channel then
        counts as longer: the density is that of this outcome, a sub-density).  All by default.
    longest : float, optional
        Length up to which waits are watched; half the time there is by default.
    since : float
        Waits that begin earlier are left out, for a run that does not start in its steady state.
    """
    opening = np.ones(len(records.time), dtype=bool) if after is None else np.isin(records.channel, after)
    return _watched(records, opening, _next_jump(records, until), longest, since, "waiting time")


def residence_times(
    records: Jumps, enter: Sequence[int], leave: Sequence[int], *, longest: float | None = None, since: float = 0.0
) -> WaitingTimes:
    """Times from a jump of an entering channel to the next jump of a leaving one, whatever happens between.

    Such as how long a qubit stays excited: absorption enters, emission leaves.
    """
    opening = np.isin(records.channel, enter)
    return _watched(records, opening, _next_of(records, leave), longest, since, "residence time")


def _watched(
    records: Jumps, opening: NDArray[np.bool_], end: Floats, longest: float | None, since: float, name: str
) -> WaitingTimes:
    span = records.horizon - since
    window = span / 2 if longest is None else float(longest)
    if not 0 < window < span:
        raise ValueError(f"`longest` must lie between 0 and the {span:g} there is, but is {window:g}.")
    # a wait that opens at T - window ends inside the record if it is not longer than the window
    use = opening & (records.time >= since) & (records.time <= records.horizon - window)
    waits = end[use] - records.time[use]
    ended = waits <= window
    return WaitingTimes(name, waits[ended], int((~ended).sum()), window)


def _next_jump(records: Jumps, until: Sequence[int] | None) -> Floats:
    """Time of the next jump of the same trajectory; inf if there is none or it is of another channel."""
    end = np.append(records.time[1:], np.inf)
    end = end[: len(records.time)]  # no jump at all: nothing remains
    end[:-1][np.diff(records.row) != 0] = np.inf
    if until is not None and len(end):
        end[~np.isin(np.append(records.channel[1:], -1), until)] = np.inf
    return end


def _next_of(records: Jumps, channels: Sequence[int]) -> Floats:
    """Time of the next jump of some channels in the same trajectory, inf if there is none."""
    hits = np.flatnonzero(np.isin(records.channel, channels))
    row = records.row
    place = np.searchsorted(hits, np.arange(len(records.time)), side="right")
    found = place < len(hits)
    target = hits[np.minimum(place, max(len(hits) - 1, 0))] if len(hits) else np.zeros(len(place), dtype=np.int64)
    same = found & (row[target] == row) if len(row) else found
    return np.where(same, records.time[target] if len(records.time) else np.inf, np.inf)


def successive_correlation(
    records: Jumps, *, lag: int = 1, longest: float | None = None, since: float = 0.0
) -> Estimate:
    """Pearson correlation of a wait with the one `lag` later; the error is a jackknife over trajectories.

    Only pairs whose first wait begins before ``horizon - longest`` are used, so that pairs are not chosen for being
    short. What the horizon still cuts off are pairs longer than `longest` together: let it be many waits.

    Parameters
    ----------
    records : Jumps
    lag : int
        1 for neighbours.
    longest : float, optional
        Half the time there is by default.
    since : float
        Waits that begin earlier are left out.
    """
    span = records.horizon - since
    window = span / 2 if longest is None else float(longest)
    wait, row, pairs = np.diff(records.time), records.row, len(records.time) - 1 - lag
    begins = (records.time >= since) & (records.time <= records.horizon - window)
    good = (row[:pairs] == row[lag + 1 :]) & begins[:pairs] if pairs > 0 else np.zeros(0, dtype=bool)
    if good.sum() < 3:
        raise ValueError(f"the records hold {int(good.sum())} complete pairs of waits: run for longer.")
    return _correlation_over_rows(wait[:pairs][good], wait[lag:][good], row[:pairs][good], len(records.row_size))


def _correlation_over_rows(x: Floats, y: Floats, who: Ints, n: int, blocks: int = 100) -> Estimate:
    x, y = x - x.mean(), y - y.mean()
    edges = block_edges(n, blocks)
    block = np.searchsorted(edges, who, side="right") - 1
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y])
    sums = np.stack([np.bincount(block, t, len(edges) - 1) for t in terms], axis=-1).astype(float)
    sums = sums[sums[:, 0] > 0]
    full = _pearson(sums.sum(axis=0))
    error, bias = jackknife(full, _pearson(leave_one_out(sums)), sums[:, 0])
    return Estimate(float(full - bias) if len(sums) > 1 else float(full), float(error))


def _pearson(sums: Floats) -> Floats:
    """Correlation from (..., 6) sums of 1, x, y, x^2, y^2, xy."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((xy / n - x * y / n**2) / np.sqrt((xx / n - (x / n) ** 2) * (yy / n - (y / n) ** 2)))
