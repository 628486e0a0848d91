"""The two ways to average a nonlinear functional of the state, which give different numbers.

``mean_of_functional`` averages f over the trajectories' pure states: it depends on what is measured on the baths.
``functional_of_mean`` is f of the averaged state: it depends on the master equation alone.  Concurrence, ergotropy
and coherence are convex (first ≥ second), entropy is concave (first ≤ second).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import style
from .estimates import Estimate, jackknife, leave_one_out
from .states import density_matrices

Floats = NDArray[np.float64]
Functional = Callable[..., Any]


@dataclass(frozen=True)
class FunctionalEstimate:
    """A functional of sampled states.

    Attributes
    ----------
    name : str
    estimate : Estimate
    bias : float
        By how much the estimate exceeds the truth to first order in 1/n; 0 for a plain mean.  It is stated, not taken
        off.
    n : int
        Trajectories.
    note : str
        What to beware of; empty if nothing.
    """

    name: str
    estimate: Estimate
    bias: float
    n: int
    note: str = ""

    def plot(self, ax: Any = None) -> Any:
        """The value with its error."""
        ax = style.axes(ax, size=(3.0, 3.0))
        style.points(ax, [0], [self.estimate.value], [self.estimate.error])
        ax.set(xticks=[], xlim=(-1, 1), ylabel=self.name)
        return ax

    def __repr__(self) -> str:
        return f"{self.name} = {self.estimate} from {self.n} trajectories." + (f" {self.note}" if self.note else "")


def mean_of_functional(
    functional: Functional, states: ArrayLike, *, kets: bool = True, batch: int = 4096, **options: Any
) -> FunctionalEstimate:
    """Average of a functional over trajectory states.

    Parameters
    ----------
    functional : callable
        One of the state functionals: takes a stack and the keyword ``kets``.
    states : (n, d) or (n, d, d) array_like
        Trajectory states, pure ones as kets.
    kets : bool
        Whether `states` are kets.
    batch : int
        States per call, which bounds the memory for their density matrices.
    **options
        Passed to the functional.
    """
    stack = np.asarray(states)
    n = len(stack)
    parts = [functional(stack[a : a + batch], kets=kets, **options) for a in range(0, n, batch)]
    values = np.concatenate([np.asarray(p, dtype=float) for p in parts])
    error = float(values.std(ddof=1)) / n**0.5 if n > 1 else float("nan")
    return FunctionalEstimate(f"mean {_name(functional)}", Estimate(float(values.mean()), error), 0.0, n)


def functional_of_mean(
    functional: Functional, sums: ArrayLike, sizes: ArrayLike | None = None, **options: Any
) -> FunctionalEstimate:
    """A functional of the trajectory-averaged state with its jackknife error.

    Parameters
    ----------
    functional : callable
        One of the state functionals.
    sums : (B, d, d) array_like
        Sums of density matrices over each chunk or block; or averages, if `sizes` is omitted.
    sizes : (B,) array_like, optional
        Trajectories in each block.
    **options
        Passed to the functional.

    Notes ----- Where a functional has a kink, as concurrence at zero by its maximum, noise can only lift the value:
    an estimate within two errors of zero is biased upwards.  ``signed=True`` of `concurrence` has no such kink.
    """
    blocks = density_matrices(sums, kets=False)
    if blocks.ndim != 3:
        raise ValueError(f"`sums` must have shape (B, d, d), one matrix per block, but has shape {blocks.shape}.")
    count = np.ones(len(blocks)) if sizes is None else np.asarray(sizes, dtype=float)
    if count.shape != (len(blocks),):
        raise ValueError(f"`sizes` must have shape ({len(blocks)},) like the blocks, but has shape {count.shape}.")
    full = np.asarray(functional(blocks.sum(axis=0) / count.sum(), kets=False, **options), dtype=float)
    error, bias = np.asarray(np.nan), np.asarray(np.nan)
    if len(blocks) > 1:
        rest = leave_one_out(blocks) / (count.sum() - count)[:, None, None]  # type: ignore[arg-type]
        error, bias = jackknife(full, functional(rest, kets=False, **options), count)
    estimate = Estimate(float(full), float(error))
    note = "" if options.get("signed") and len(blocks) > 1 else _near_zero(estimate, len(blocks))
    return FunctionalEstimate(_name(functional), estimate, float(bias), int(count.sum()), note)


def _near_zero(estimate: Estimate, blocks: int) -> str:
    if blocks < 2:
        return "One block gives no error: use more chunks."
    if estimate.value <= 2 * estimate.error or estimate.value == 0.0:
        return "Within two errors of zero, where a maximum with zero biases the value upwards."
    return ""


def _name(functional: Functional) -> str:
    return str(getattr(functional, "__name__", "functional")).replace("_", " ")
