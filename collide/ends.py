"""What both engines read at the two ends of a trajectory and at its stops, in the coordinates of the blocks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.blocks import Blocks, block_diagonals, block_kets
from collide.exact.process import Complexes, Floats, Process, Sparse
from collide.exact.small import Operators, gathered, is_small
from collide.outcomes import energies
from collide.protocol import MOST_STATES, Protocol

DUST = 1e-14


class Basis:
    """The program's basis: columns of a unitary, or the user's own basis."""

    def __init__(self, vectors: Complexes | None) -> None:
        self.vectors = vectors

    def operators(self, matrices: Sequence[Sparse], d: int) -> Operators:
        """V^dagger A V of several operators (d, d), rounding dust removed."""
        if not len(matrices):
            return ()
        return self.turned(gathered(matrices, d), d)

    def turned(self, given: Operators, d: int) -> Operators:
        """The same of operators that have been gathered."""
        if self.vectors is None:
            return given
        if is_small(d):
            return self.rotated(given)
        return tuple(sp.csr_array(self.rotated(matrix)) for matrix in given)

    def rotated(self, matrices: Any) -> Complexes:
        """The same of one operator or of a dense stack, dense."""
        assert self.vectors is not None
        turned = self.vectors.conj().T @ (matrices @ self.vectors)
        sizes = np.abs(turned)
        return np.where(sizes > DUST * sizes.max(axis=(-2, -1), keepdims=True), turned, 0)

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
    first = protocol.opening
    initial_block, initial_vec = block_kets(basis.kets(first.kets), blocks)
    table = process.counts
    quantum = np.zeros((len(table), len(table.baths)))
    quantum[np.arange(len(table)), table.bath] = table.quantum
    wanted = basis.operators([process.H, *protocol.e_ops.values()], process.d)
    energy, *observables = block_diagonals(wanted, blocks)
    return {
        "size": blocks.sizes,
        "basis": _states(blocks),
        "vectors": _vectors(process.d, basis),
        "energy": energy,
        "quantum": quantum,
        "initial_cdf": cumulative(first.p),
        "initial_block": initial_block,
        "initial_vec": initial_vec,
        "initial_energy": energies(first.kets, process.H),
        **_closing_arrays(process, protocol, blocks, basis),
        "e_ops": np.array(observables, dtype=complex).reshape(-1, *energy.shape),
    }


def _states(blocks: Blocks) -> NDArray[np.int64]:
    """(nblocks, m) states of each block, -1 beyond them."""
    out = np.full((len(blocks.members), blocks.largest), -1, dtype=np.int64)
    out[blocks.label, blocks.place] = np.arange(len(blocks.label))
    return out


def _closing_arrays(process: Process, protocol: Protocol, blocks: Blocks, basis: Basis) -> dict[str, NDArray[Any]]:
    """Blocks, amplitudes and energies of the closing outcomes: kets, or in a large system the basis states."""
    last = protocol.closing
    if last is None:
        block, vec = blocks.label, np.zeros((process.d, blocks.largest), dtype=complex)
        vec[np.arange(process.d), blocks.place] = 1.0
        energy: Floats = process.H.diagonal().real.copy()
    else:
        block, vec = block_kets(basis.kets(last.kets), blocks)
        energy = energies(last.kets, process.H)
    return {"final_block": block, "final_vec": vec, "final_energy": energy}


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
