r"""Unitaries of one collision and the Kraus operators that the ancilla's two measurements make of them.

An exchange :math:`V = s\,b^\dagger + s^\dagger b` applied with angle :math:`\theta` gives
:math:`U = e^{-i\theta V}` and :math:`K_{nm} = \sqrt{p_n}\,\langle m|U|n\rangle`.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.baths import Ancilla
from collide.exact.process import Complexes, Floats, Ints, Sparse
from collide.exact.stacked import SparseStack
from collide.later import later

csgraph = later("scipy.sparse.csgraph")

COMPLETENESS = 1e-12
DENSE_ENTRIES = 1 << 20  # 16 MiB of Kraus operators; more are kept sparse
MOST_ENTRIES = 1 << 27  # 2 GiB of amplitudes
NEGLIGIBLE = 1e-12  # amplitude: an outcome less likely than 1e-24 in a collision is left out, forward and reverse alike


class Outcomes(NamedTuple):
    """Kraus operators of a collision, labelled by the ancilla's first and last outcome.

    kraus (K, k, k) with sqrt(p_n) inside, sparse where dense ones would be large; first, last (K,); prior (P,) = p_n.
    """

    kraus: Complexes | SparseStack
    first: Ints
    last: Ints
    prior: Floats


def exchange_on_ladder(s: Complexes, ancilla: Ancilla, angle: float) -> Outcomes:
    r"""Exchange with an untruncated oscillator, exactly, block by block.

    The exchange conserves ``q + n``, where q counts the quanta of the system (s lowers it by one).  In the block
    ``q + n = N`` it is the matrix :math:`s_{ab}\sqrt{n_a}` with :math:`n_a = N - q_a`, as small as the system; levels
    n < 0 do not exist and decouple by the square root.  For a qubit this is the Jaynes-Cummings rotation
    (Santiago-Garcia et al. 2024).
    """
    quanta = excitation_numbers(s)
    span = int(quanta.max())
    total = np.arange(len(ancilla) + span)
    n = np.maximum(total[:, None] - quanta, 0)  # (N, k): the ancilla's level when the system is in state a
    exists = total[:, None] >= quanta
    V = s[None] * np.sqrt(n)[:, :, None] * (exists[:, :, None] & exists[:, None, :])
    U = unitary(V + np.conj(np.swapaxes(V, 1, 2)), angle)
    kraus, first, last = [], [], []
    k = len(s)
    for shift in range(-span, span + 1):  # ancilla n -> n + shift, system q -> q - shift
        ends = (quanta[None, :] - quanta[:, None]) == shift
        if not ends.any():
            continue
        start = np.arange(len(ancilla))
        operators = np.zeros((len(start), k, k), dtype=complex)
        for a, b in zip(*np.nonzero(ends), strict=True):
            operators[:, a, b] = np.sqrt(ancilla.populations) * U[start + quanta[b], a, b]
        possible = start + shift >= 0
        kraus.append(operators[possible])
        first.append(start[possible])
        last.append(start[possible] + shift)
    operators = np.concatenate(kraus)
    happens = np.abs(operators).max(axis=(1, 2)) > 0
    return Outcomes(
        operators[happens], np.concatenate(first)[happens], np.concatenate(last)[happens], ancilla.populations
    )


def excitation_numbers(s: Complexes) -> Ints:
    """(k,) integers q, smallest 0, such that s lowers q by one.

    Raises
    ------
    ValueError
        If there are none, so that an exchange conserves nothing.
    """
    k = len(s)
    quanta = np.full(k, np.iinfo(np.int64).min)
    couples = np.abs(s) > 0
    for seed in range(k):
        if quanta[seed] != np.iinfo(np.int64).min:
            continue
        quanta[seed], todo, members = 0, [seed], [seed]
        while todo:
            b = todo.pop()
            for a, step in [(a, -1) for a in np.flatnonzero(couples[:, b])] + [
                (a, 1) for a in np.flatnonzero(couples[b])
            ]:
                if quanta[a] == np.iinfo(np.int64).min:
                    quanta[a] = quanta[b] + step
                    todo.append(int(a))
                    members.append(int(a))
                elif quanta[a] != quanta[b] + step:
                    raise ValueError(
                        "`coupling` does not lower a number of quanta, so its exchange with an untruncated"
                        " oscillator has no"
                        " closed blocks: give the ancilla a number of `levels`"
                    )
        quanta[members] -= quanta[members].min()
    return quanta


def collide_with_finite(V: Complexes, ancilla: Ancilla, angle: float) -> Outcomes:
    """Interaction V on system (k) x ancilla (a levels): U = exp(-i angle V), K_nm = sqrt(p_n) <m|U|n>."""
    return read_ancillas(sparse_unitary(sp.csr_array(V), angle), ancilla.populations)


def read_ancillas(U: Sparse, prior: Floats) -> Outcomes:
    """Kraus operators sqrt(p_n) <m|U|n> of a unitary on system x ancilla (or ancillas, their levels taken together).

    Parameters
    ----------
    U : (k a, k a) sparse
    prior : (a,) float
        Probabilities p_n.
    """
    a = len(prior)
    k = U.shape[0] // a
    entries = sp.coo_array(U)
    kept = np.abs(entries.data) > NEGLIGIBLE
    row, col, data = entries.row[kept], entries.col[kept], entries.data[kept]
    possible = prior[col % a] > 0
    row, col, data = row[possible], col[possible], data[possible]
    pairs, outcome = np.unique((col % a).astype(np.int64) * a + row % a, return_inverse=True)
    if len(data) > MOST_ENTRIES:
        raise ValueError(
            f"a joint collision with {len(data)} amplitudes in {len(pairs)} outcomes on {k} levels does not fit in"
            " memory: use fewer ancilla `levels` or construction='split'"
        )
    stack = SparseStack.from_entries(
        len(pairs), k, outcome.reshape(-1), row // a, col // a, data * np.sqrt(prior[col % a])
    )
    dense = len(pairs) * k * k <= DENSE_ENTRIES
    return Outcomes(stack.flat.toarray().reshape(-1, k, k) if dense else stack, pairs // a, pairs % a, prior)


def unitary(V: NDArray[np.complex128], angle: float) -> Complexes:
    """exp(-i angle V) of a Hermitian matrix or a stack of them."""
    values, vectors = np.linalg.eigh(V)
    return (vectors * np.exp(-1j * angle * values)[..., None, :]) @ np.conj(np.swapaxes(vectors, -1, -2))


def sparse_unitary(H: Sparse, duration: float) -> Sparse:
    """exp(-i H duration), exponentiated on each connected block of H apart: conserved quantities keep it sparse."""
    count, label = csgraph.connected_components(sp.csr_array(abs(H) > 0), directed=False)
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(count + 1))
    csr = sp.csr_array(H)
    rows, cols, data = [], [], []
    for start, stop in pairwise(bounds):
        members = order[start:stop]
        block = unitary(csr[members][:, members].toarray(), duration)
        rows.append(np.repeat(members, len(members)))
        cols.append(np.tile(members, len(members)))
        data.append(block.reshape(-1))
    matrix = sp.csr_array((np.concatenate(data), (np.concatenate(rows), np.concatenate(cols))), shape=H.shape)
    matrix.eliminate_zeros()
    return matrix


def completeness_error(kraus: Complexes | SparseStack) -> float:
    """Largest entry of sum K^dagger K - 1."""
    if isinstance(kraus, SparseStack):
        total = kraus.completeness()
    else:
        total = np.einsum("kba,kbc->ac", kraus.conj(), kraus)
    return float(np.abs(total - np.eye(len(total))).max())
