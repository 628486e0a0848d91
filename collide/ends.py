"""What both engines read at the two ends of a trajectory and at its stops, in the coordinates of the blocks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.blocks import Blocks, block_diagonal, block_ket
from collide.exact.process import Complexes, Floats, Process, Sparse
from collide.outcomes import energies
from collide.protocol import Protocol

DUST = 1e-14


class Basis:
    """The program's basis: columns of a unitary, or the user's own basis."""

    def __init__(self, vectors: Complexes | None) -> None:
        self.vectors = vectors

    def operator(self, matrix: Sparse) -> Sparse:
        """V^dagger A V, rounding dust removed."""
        if self.vectors is None:
            return sp.csr_array(matrix)
        dense = self.vectors.conj().T @ (matrix @ self.vectors)
        return sp.csr_array(np.where(np.abs(dense) > DUST * max(np.abs(dense).max(), 1e-300), dense, 0))

    def kets(self, kets: Complexes) -> Complexes:
        """(n, d) kets in the program's basis."""
        if self.vectors is None:
            return kets
        out = kets @ self.vectors.conj()
        return np.where(np.abs(out) > DUST, out, 0)


def end_arrays(process: Process, protocol: Protocol, blocks: Blocks, basis: Basis) -> dict[str, NDArray[Any]]:
    """Arrays for opening and closing measurements, energies, observables and heats."""
    first, last = protocol.opening, protocol.closing
    initial = [block_ket(ket, blocks) for ket in basis.kets(first.kets)]
    final = [block_ket(ket, blocks) for ket in basis.kets(last.kets)]
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
        "vectors": np.eye(d, dtype=complex) if basis.vectors is None else basis.vectors,
        "energy": block_diagonal(basis.operator(process.H), blocks),
        "quantum": quantum,
        "initial_cdf": cumulative(first.p),
        "initial_block": np.array([block for block, _ in initial], dtype=np.int64),
        "initial_vec": np.array([ket for _, ket in initial]),
        "initial_energy": energies(first.kets, process.H),
        "final_block": np.array([block for block, _ in final], dtype=np.int64),
        "final_vec": np.array([ket for _, ket in final]),
        "final_energy": energies(last.kets, process.H),
        "e_ops": np.array(observables) if observables else np.zeros((0, *shape), dtype=complex),
    }


def cumulative(p: Floats) -> Floats:
    """Cumulative probabilities that end at exactly one."""
    cdf = np.cumsum(p) / np.sum(p)
    cdf[-1] = 1.0
    return np.asarray(cdf)
