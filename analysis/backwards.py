r"""The reversed process of an ensemble, run: what the detailed fluctuation theorem compares with.

.. math:: P(\Sigma = x) = e^{x}\, \tilde P(\tilde\Sigma = -x)

holds with P~ the law in the reversed process: it starts from the closing outcomes with the probabilities p_τ(f), runs
through adjoint operators in reversed order, and ends in the basis of the opening measurement.  Only classical steady
states are their own reverse; where coherence carries a current the forward ensemble alone does *not* obey P(x) /
P(-x) = e^x.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.ensemble import run
from collide.exact.methods import ExactMethods
from collide.exact.process import Complexes, Instrument, Process
from collide.exact.reversal import reversed_process

from .exact_side import ExactSide

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Backward:
    """An ensemble of the reversed process.

    Attributes
    ----------
    entropy_production : (n,) float
        Σ~, minus the entropy production of the forward trajectory that was undone; +inf where there is none, because
        it would open in an outcome of probability zero.
    ensemble : Ensemble
        The run itself; its own columns speak of the reversed process as if it were a forward one.
    """

    entropy_production: Floats
    ensemble: Any

    def __repr__(self) -> str:
        lost = float(np.isinf(self.entropy_production).mean())
        return f"Reversed process of {len(self.entropy_production)} trajectories; {100 * lost:.3g} % undo none."


class _Backwards(ExactMethods):
    def __init__(self, process: Process) -> None:
        self.process = process


def run_backwards(ensemble: Any, ntraj: int | None = None, seed: int | None = None, **options: Any) -> Backward:
    """Run the reversed process of an ensemble.

    Parameters
    ----------
    ensemble : Ensemble
        Of a model whose exchanges all have a reverse, and without loads.
    ntraj : int, optional
        As many trajectories as forward by default.
    seed : int, optional
        By default the forward seed plus one.
    **options
        Passed to `collide.run`, such as ``progress=False``.
    """
    program = ensemble.program
    model = _Backwards(_runnable(reversed_process(_reversible(program.exact.process))))
    a = program.arrays
    start = np.einsum("f,fa,fb->ab", a["final_p"], a["final_kets"], np.conj(a["final_kets"]))
    kets = _completed(np.asarray(a["initial_kets"]))
    backward = run(
        model,
        len(ensemble) if ntraj is None else ntraj,
        float(program.tlist[-1]),
        (int(ensemble.seed) + 1) % 2**64 if seed is None else seed,
        initial=start,
        closing=kets.T,
        **options,
    )
    return Backward(_entropy(program, backward), backward)


def is_own_reverse(exact: ExactSide, tolerance: float = 1e-8) -> bool:
    """Whether the reversed process gives Σ the same law: <e^{-sΣ}> = <e^{-(1-s)Σ}> for all s."""
    s = np.array([0.08, 0.21, 0.33, 0.46])
    both = exact.entropy_generating_function(np.concatenate([s, 1 - s]))
    return bool(np.abs(both[:4] - both[4:]).max() <= tolerance)


def _entropy(program: Any, backward: Any) -> Floats:
    """Σ~ of each backward trajectory."""
    a, b = program.arrays, backward.program.arrays
    # the backward program may order or phase its kets in its own way: recognise them by their overlaps
    begun = _recognised(b["initial_kets"], a["final_kets"])
    ended = _recognised(b["final_kets"], a["initial_kets"])
    ln_opening = np.where(ended >= 0, np.asarray(a["initial_lnp"])[ended], -np.inf)[backward.final]
    ln_closing = np.asarray(a["final_lnp"])[begun][backward.initial]
    counts = backward.counts
    produced = np.where(counts != 0, counts * np.asarray(b["count_entropy"]), 0.0).sum(axis=1)
    return np.asarray(-(ln_opening - ln_closing + produced))


def _recognised(kets: Any, among: Any) -> NDArray[np.int64]:
    """Position of each ket among others, -1 where it is none of them."""
    overlap = np.abs(np.asarray(kets) @ np.conj(np.asarray(among)).T)
    best = overlap.argmax(axis=1)
    return np.where(overlap[np.arange(len(best)), best] > 1 - 1e-6, best, -1)


def _completed(kets: Complexes) -> Complexes:
    """Orthonormal rows, filled up to a basis."""
    n, d = kets.shape
    if n == d:
        return kets
    rest = np.linalg.svd(kets)[2][n:]
    return np.vstack([kets, rest])


def _reversible(process: Process) -> Process:
    if process.loads:
        raise ValueError("a process with a load has no reverse that can be run: its kicks have no partner.")
    if np.isinf(process.counts.entropy).any():
        raise ValueError("a process with irreversible exchanges (T = 0, a leak) has no reverse that can be run.")
    return process


def _runnable(process: Process) -> Process:
    """The same process with the ancillas' first outcomes as they are met backwards, by detailed balance."""
    elements = tuple(_with_prior(e, process) if isinstance(e, Instrument) else e for e in process.elements)
    return replace(process, elements=elements)


def _with_prior(element: Instrument, process: Process) -> Instrument:
    """Prior of the last outcomes of the forward collision: p_m = p_n e^{-σ}."""
    entropy = np.append(process.counts.entropy, 0.0)[np.asarray(element.counts).reshape(len(element.kraus), -1)]
    prior = np.zeros(int(max(element.first.max(), len(element.prior) - 1)) + 1)
    prior[element.first] = element.prior[element.last] * np.exp(-entropy.sum(axis=1))
    return replace(element, prior=prior / prior.sum())
