"""Cumulants of the heat received so far, as functions of time, from the power sums that a run keeps for each chunk."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import style
from .cumulants import ORDINALS
from .estimates import Estimate, jackknife, leave_one_out
from .kstatistics import error_of_mean, error_of_variance, k_statistics

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CumulantsInTime:
    """Cumulants of order 1 to 4 on a list of times.

    Attributes
    ----------
    name : str
    time : (ntime,) float
    value, error : (ntime, 4) float
        Errors of mean and variance from the sample's own fourth cumulant; of order 3 and 4 by jackknife over chunks,
        nan for a single chunk.
    n : int
        Trajectories.
    """

    name: str
    time: Floats
    value: Floats
    error: Floats
    n: int

    def at(self, index: int, order: int) -> Estimate:
        """The cumulant of an order from 1 to 4 at one time."""
        return Estimate(float(self.value[index, order - 1]), float(self.error[index, order - 1]))

    @property
    def rates(self) -> Floats:
        """Cumulants over time, (ntime, 4); nan at time 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(self.time[:, None] > 0, self.value / self.time[:, None], np.nan))

    def plot(self, ax: Any = None, *, order: int = 1, exact: ArrayLike | None = None) -> Any:
        """One cumulant against time, with the exact curve if given."""
        ax = style.axes(ax)
        style.points(ax, self.time, self.value[:, order - 1], self.error[:, order - 1], label=f"{self.n} trajectories")
        if exact is not None:
            ax.plot(self.time, np.asarray(exact, dtype=float), color=style.INK, linewidth=1.2, label="exact", zorder=0)
        ax.set(xlabel="time", ylabel=f"{ORDINALS[order - 1]} of {self.name}")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        last = ", ".join(f"{word} {self.at(-1, k + 1)}" for k, word in enumerate(ORDINALS))
        return f"{self.name} at {len(self.time)} times from {self.n} trajectories; at t = {self.time[-1]:g}: {last}."


def cumulants_in_time(sums: ArrayLike, sizes: ArrayLike, time: ArrayLike, *, name: str = "heat") -> CumulantsInTime:
    """Time-resolved cumulants from power sums per chunk.

    Parameters
    ----------
    sums : (nchunks, ntime, 4) float
        Sums of powers 1 to 4 of the quantity so far over the trajectories of each chunk.
    sizes : (nchunks,) int
        Trajectories in each chunk.
    time : (ntime,) float

    Returns
    -------
    CumulantsInTime
    """
    power, count, t = np.asarray(sums, dtype=float), np.asarray(sizes), np.asarray(time, dtype=float)
    if power.ndim != 3 or power.shape != (len(count), len(t), 4):
        raise ValueError(
            f"`sums` must have shape (nchunks, ntime, 4) = ({len(count)}, {len(t)}, 4), but has shape {power.shape}."
        )
    n = int(count.sum())
    value = k_statistics(power.sum(axis=0), np.full(len(t), n))
    rest = np.repeat((n - count)[:, None], len(t), axis=1)
    error, _ = jackknife(value, k_statistics(leave_one_out(power), rest), count)
    error[:, 0], error[:, 1] = error_of_mean(value, n), error_of_variance(value, n)
    return CumulantsInTime(name, t, value, error, n)
