r"""Entanglement from trajectories: of the averaged state, with an error that is honest near zero.

Three traps meet here.  The average of the concurrences along trajectories is not the concurrence of the average, and
depends on what is measured on the baths.  The maximum with zero lifts every noisy estimate near zero.  And
:math:`\sqrt{p_Gp_E}` hangs on a level that a small sample may never have met, so that its scatter says nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from collide.machines.collective_formulas import diamond

from ..entanglement import concurrence
from ..estimates import Estimate, block_edges, jackknife, leave_one_out
from .tacchino_states import two_qubits

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Functional = Callable[[Complexes], Any]

BATCH = 1 << 14


@dataclass(frozen=True)
class Entanglement:
    r"""Entanglement of two qubits in an ensemble.

    Attributes
    ----------
    signed : Estimate
        :math:`\lambda_1-\lambda_2-\lambda_3-\lambda_4` of the averaged state, without the maximum: what to compare with
        an exact value.  The error is that of the jackknife, and not less than what one more trajectory in any one level
        would change.
    bias : float
        By how much `signed` exceeds the truth to first order in 1/n; stated, not taken off.
    pure : Estimate
        Average of the concurrences of the trajectories' own states; never below the concurrence of the average.
    n : int
        Trajectories.
    """

    signed: Estimate
    bias: float
    pure: Estimate
    n: int

    @property
    def concurrence(self) -> float:
        """The estimate with the maximum, >= 0."""
        return max(self.signed.value, 0.0)

    @property
    def interval(self) -> tuple[float, float]:
        """One standard error to both sides, cut at zero."""
        return max(self.signed.value - self.signed.error, 0.0), max(self.signed.value + self.signed.error, 0.0)

    @property
    def lift(self) -> float:
        """How much the maximum raises the estimate on average, if `signed` is the truth and its errors are normal."""
        value, error = self.signed.value, self.signed.error
        if not error > 0:
            return 0.0
        t = value / error
        return float(error * (stats.norm.pdf(t) + t * stats.norm.cdf(t)) - max(value, 0.0))

    def __repr__(self) -> str:
        low, high = self.interval
        lifted = f", of which the maximum makes {self.lift:.2g}" if self.lift > 0.1 * self.signed.error else ""
        return (
            f"C = {self.concurrence:.4f}{lifted}, within [{low:.4f}, {high:.4f}]; averaged along {self.n} trajectories"
            f" {self.pure}."
        )


def wootters(rho: Complexes) -> Any:
    """Signed Wootters concurrence of states (..., 4, 4)."""
    return concurrence(rho, signed=True, kets=False)


def entanglement(kets: ArrayLike, functional: Functional = wootters, *, blocks: int = 128) -> Entanglement:
    """Entanglement of the first two sites, both qubits.

    Parameters
    ----------
    kets : (n, d) array_like
        One state for each trajectory, such as ``ensemble.final_state``.
    functional : callable
        Signed concurrence of states (..., 4, 4); Wootters' by default.
    blocks : int
        Number of jackknife blocks.
    """
    states = np.asarray(kets)
    n = len(states)
    edges = block_edges(n, blocks)
    sums, pure = _sums(states, edges)
    sizes = np.diff(edges)
    average = sums.sum(axis=0) / n
    full = functional(average)
    rest = leave_one_out(sums) / (n - sizes)[:, None, None]  # type: ignore[arg-type]
    scatter, bias = jackknife(full, functional(rest), sizes)
    error = math.hypot(float(scatter), _one_event(functional, average, n))
    spread = float(pure.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Entanglement(Estimate(float(full), error), float(bias), Estimate(float(pure.mean()), spread), n)


def _sums(states: Any, edges: Any) -> tuple[Complexes, Floats]:
    """Sums of reduced states over blocks (B, 4, 4), and the concurrence of each reduced state (n,)."""
    sums, pure = np.zeros((len(edges) - 1, 4, 4), dtype=complex), np.zeros(len(states))
    for block, (start, stop) in enumerate(pairwise(edges)):
        for begin in range(start, stop, BATCH):
            piece = slice(begin, min(begin + BATCH, stop))
            reduced = two_qubits(states[piece])
            sums[block] += reduced.sum(axis=0)
            pure[piece] = concurrence(reduced, kets=False)
    return sums, pure


def _one_event(functional: Functional, average: Complexes, n: int) -> float:
    """Largest change that one trajectory more in G, S, A or E would make."""
    levels = np.einsum("fa,fb->fab", diamond(), diamond().conj())
    return float(np.abs(functional((n * average + levels) / (n + 1)) - functional(average)).max())
