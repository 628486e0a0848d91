r"""The reversed process: adjoint operators in reversed order.

Running an element backwards exchanges each operator for its adjoint and each count for its reverse; the ratio of the
two probabilities is :math:`e^{-\sigma}` with the entropy sigma of the count (Manzano, Horowitz, Parrondo 2018).  A
count without reverse, sigma = inf, does not occur backwards.
"""

import numpy as np
import scipy.sparse as sp

from collide.exact.process import Complexes, Element, Floats, Flow, Instrument, Ints, Process, Unitary
from collide.exact.stacked import SparseStack
from collide.exact.superoperator import no_jump


def reversed_process(process: Process) -> Process:
    """The process whose trajectories are those of `process` read backwards.

    Its counts are those of the forward trajectory that is undone, and its flows carry the contraction of loads: the
    trace is kept only where every count has a reverse and loads do not contract.

    Raises
    ------
    ValueError
        If something happens whose entropy is minus infinity.
    """
    elements = tuple(_reversed(process, element) for element in reversed(process.elements))
    return Process(process.dims, -process.H, elements, process.counts, process.tau, process.loads)


def _reversed(process: Process, element: Element) -> Element:
    if isinstance(element, Unitary):
        return Unitary(sp.csr_array(element.matrix).conj().T, element.sites)
    root = np.exp(-0.5 * _entropies(process, np.asarray(element.counts)))
    if isinstance(element, Instrument):
        if isinstance(element.kraus, SparseStack):
            kraus: Complexes | SparseStack = element.kraus.adjoint(root)
        else:
            kraus = element.kraus.conj().transpose(0, 2, 1) * root[:, None, None]
        return Instrument(element.sites, kraus, element.counts, element.prior, element.last, element.first)
    ops = tuple(r * sp.csr_array(op).conj().T for r, op in zip(root, element.ops, strict=True))
    # between jumps the adjoint of the forward evolution acts; written as a Hamiltonian, it is Hermitian only where the
    # reversed jumps happen at the same total rate
    gain = sum((op.conj().T @ op for op in ops), sp.csr_array(element.H.shape, dtype=complex))
    H = 1j * (no_jump(element).conj().T + 0.5 * gain)
    return Flow(H, ops, element.counts, element.load, element.duration)


def _entropies(process: Process, counts: Ints) -> Floats:
    """Entropy (K,) of every operator, from its row of counts (K, nbaths)."""
    rows = counts.reshape(len(counts), counts.size // max(len(counts), 1))
    entropy = np.append(process.counts.entropy, 0.0)[rows].sum(axis=1)
    if np.isneginf(entropy).any():
        raise ValueError("a count has entropy -inf: leave out channels that absorb from a bath at zero temperature")
    return entropy
