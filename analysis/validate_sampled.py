"""Entries of reference tables reached by trajectories: z-scores against the exact value at the same finite time."""

from collections import OrderedDict
from dataclasses import dataclass
import math
from typing import Any

from collide.ensemble.verbs import run_program
from collide.program import compile_program

from .papers.base import Sampling

RELATIVE = 0.1  # a standard error above this share of the value says nothing: the entry is left to the exact side
PRECISE = 0.01  # a standard error of this share of the value is enough: no more trajectories are run for it
EVENTS = 10_000_000  # exchanges and collisions that one point may cost: seconds, whatever the model
LEAST = 2000  # trajectories that a point gets in any case, so that errors are Gaussian
LIMIT = 4.5  # standard errors; a chance of 7e-6 for each comparison of Gaussian errors
KEPT = 4  # ensembles remembered, since many quantities of a table belong to one point


@dataclass(frozen=True)
class Score:
    """How trajectories judged one point.

    Attributes
    ----------
    reached : bool
        Whether the predicted error is small enough to say something.
    relative : float
        Predicted standard error over the exact value.
    value, error, exact : float
        nan where it was not reached.
    """

    reached: bool
    relative: float
    value: float = math.nan
    error: float = math.nan
    exact: float = math.nan

    @property
    def z(self) -> float:
        """Distance from the exact value in standard errors."""
        distance = self.value - self.exact
        if self.error > 0:
            return distance / self.error
        return 0.0 if abs(distance) <= 1e-12 * max(1.0, abs(self.exact)) else math.copysign(math.inf, distance)

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the ensemble."""
        return not self.reached or abs(self.z) <= LIMIT


def events(sampling: Sampling) -> float:
    """Exchanges, and in a collision model also collisions, in one trajectory: what it costs to run."""
    process = sampling.model.process
    exchanges = float(sampling.model.count_rates().sum()) * sampling.time
    periods = sampling.time / process.tau * len(process.elements) if process.tau is not None else 0.0
    return 1.0 + exchanges + periods


class Sampler:
    """Runs ensembles for the points that a budget of trajectories can reach, and remembers the last few.

    Parameters
    ----------
    ntraj : int
        Most trajectories for one point, fewer where each of them is long; as many are run as bring the predicted error
        to `precise`.
    seed : int
    threads : int, optional
    precise : float
        Standard error, as a share of the exact value, that is good enough; 0 spends the whole budget everywhere.
    """

    def __init__(self, ntraj: int, seed: int, threads: int | None = None, precise: float = PRECISE) -> None:
        if ntraj < 2:
            raise ValueError(f"`ntraj` must be at least 2, but is {ntraj}")
        if not precise >= 0:
            raise ValueError(f"`precise` must be a share of the value, 0 or more, but is {precise}")
        self.ntraj, self.seed, self.threads, self.precise = ntraj, seed, threads, precise
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def judge(self, sampling: Sampling) -> Score:
        """Sample one point, if its predicted error is small enough."""
        relative = sampling.spread / abs(sampling.exact) if sampling.exact else math.inf
        if not relative / math.sqrt(self.ntraj) <= RELATIVE:
            return Score(False, relative / math.sqrt(self.ntraj))
        affordable = min(self.ntraj, max(2, int(EVENTS / events(sampling))))
        if not relative / math.sqrt(affordable) <= RELATIVE:
            return Score(False, relative / math.sqrt(affordable))
        needed = self._needed(relative, affordable)
        relative /= math.sqrt(needed)
        value, error = sampling.estimate(self._ensemble(sampling, needed))
        return Score(True, relative, float(value), float(error), float(sampling.exact))

    def _needed(self, relative: float, affordable: int) -> int:
        """Trajectories that make the error `precise`, if one alone makes it `relative`."""
        enough = (relative / self.precise) ** 2 if self.precise > 0 else math.inf
        return int(min(affordable, max(LEAST, math.ceil(min(enough, 1e18)))))

    def _ensemble(self, sampling: Sampling, ntraj: int) -> Any:
        program = compile_program(sampling.model, sampling.time, initial=sampling.initial, **sampling.options)
        known = self._kept.get(program.identity)
        if known is None or len(known) < ntraj:
            self._kept[program.identity] = run_program(program, ntraj, self.seed, threads=self.threads, progress=False)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(program.identity)
        return self._kept[program.identity]
