"""What both engines read at the two ends of a trajectory and at its stops, in the coordinates of the blocks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.blocks import Blocks, block_diagonal, block_ket
from collide.exact.process import Complexes, Floats, Ints, Process, Sparse
from collide.outcomes import energies
from collide.protocol import MOST_STATES, Protocol

DUST = 1e-14


class Basis:
    """The program's basis: columns of a unitary, or the user's own basis."""

    def __init__(self, vectors: Complexes | None) -> None:
        self.vectors = vectors

    def operator(self, matrix: Sparse) -> Sparse:
        """V^dagger A V, rounding dust removed."""
        return sp.csr_array(matrix) if self.vectors is None else sp.csr_array(self.dense(matrix))

    def dense(self, matrix: Sparse) -> Complexes:
        """The same as a dense matrix."""
        if self.vectors is None:
            return np.asarray(matrix.toarray(), dtype=complex)
        dense = self.vectors.conj().T @ (matrix @ self.vectors)
        sizes = np.abs(dense)
        return np.where(sizes > DUST * max(sizes.max(), 1e-300), dense, 0)

    def kets(self, kets: Complexes) -> Complexes:
        """(n, d) kets in the program's basis."""
        if self.vectors is None:
            return kets
        out = kets @ self.vectors.conj()
        return np.where(np.abs(out) > DUST, out, 0)


def measured_kets(protocol: Protocol) -> Complexes:
    """(n, d) kets of both measurements; basis states need no block of their own and are left out."""
    if protocol.closing is None:
        return protocol.opening.kets
    return np.concatenate([protocol.opening.kets, protocol.closing.kets])


def end_arrays(process: Process, protocol: Protocol, blocks: Blocks, basis: Basis) -> dict[str, NDArray[Any]]:
    """Arrays for opening and closing measurements, energies, observables and heats."""
    first, last = protocol.opening, protocol.closing
    initial = [block_ket(ket, blocks) for ket in basis.kets(first.kets)]
    final_block, final_vec, final_energy = (
        _product_basis(process, blocks) if last is None else _kets(process, last.kets, blocks, basis)
    )
    members = np.full((len(blocks.members), blocks.largest), -1, dtype=np.int64)
    for block, states in enumerate(blocks.members):
        members[block, : len(states)] = states
    table = process.counts
    quantum = np.zeros((len(table), len(table.baths)))
    quantum[np.arange(len(table)), table.bath] = table.quantum
    observables = [block_diagonal(basis.operator(op), blocks) for op in protocol.e_ops.values()]
    shape = (len(blocks.members), blocks.largest, blocks.largest)
    d = process.d
    return {
        "size": blocks.sizes.astype(np.int64),
        "basis": members,
        "vectors": _vectors(d, basis),
        "energy": block_diagonal(basis.operator(process.H), blocks),
        "quantum": quantum,
        "initial_cdf": cumulative(first.p),
        "initial_block": np.array([block for block, _ in initial], dtype=np.int64),
        "initial_vec": np.array([ket for _, ket in initial]),
        "initial_energy": energies(first.kets, process.H),
        "final_block": final_block,
        "final_vec": final_vec,
        "final_energy": final_energy,
        "e_ops": np.array(observables) if observables else np.zeros((0, *shape), dtype=complex),
    }


def _kets(process: Process, kets: Complexes, blocks: Blocks, basis: Basis) -> tuple[Ints, Complexes, Floats]:
    """Closing outcomes that are kets: their blocks, amplitudes and energies."""
    found = [block_ket(ket, blocks) for ket in basis.kets(kets)]
    block = np.array([block for block, _ in found], dtype=np.int64)
    return block, np.array([ket for _, ket in found]), energies(kets, process.H)


def _product_basis(process: Process, blocks: Blocks) -> tuple[Ints, Complexes, Floats]:
    """Closing outcomes that are the basis states themselves."""
    vectors = np.zeros((process.d, blocks.largest), dtype=complex)
    vectors[np.arange(process.d), blocks.place] = 1.0
    return blocks.label.astype(np.int64), vectors, process.H.diagonal().real.copy()


def _vectors(d: int, basis: Basis) -> Complexes:
    """Columns of the program's basis; empty for the user's own basis where it would be a large identity."""
    if basis.vectors is not None:
        return basis.vectors
    return np.eye(d, dtype=complex) if d <= MOST_STATES else np.zeros((0, 0), dtype=complex)


def cumulative(p: Floats) -> Floats:
    """Cumulative probabilities that end at exactly one."""
    cdf = np.cumsum(p) / np.sum(p)
    cdf[-1] = 1.0
    return np.asarray(cdf)
