"""A continuous process becomes the arrays of the jump kernels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.blocks import SMALL, Blocks, block_diagonal, block_map, find_blocks, support
from collide.ends import Basis, end_arrays, measured_kets
from collide.exact.process import Complexes, Flow, Process, Sparse
from collide.lindblad import eigenbasis
from collide.protocol import Protocol

EIGENBASIS_LIMIT = 512  # larger systems stay in the basis they were written in


def jump_arrays(process: Process, protocol: Protocol) -> tuple[dict[str, NDArray[Any]], str]:
    """Arrays of a jump program and a sentence that says what will run and why."""
    flow = process.elements[0]
    assert isinstance(flow, Flow)
    basis, blocks = cheapest_basis(process, flow, protocol)
    ops = [basis.operator(op) for op in flow.ops]
    heff = no_jump_hamiltonian(basis.operator(process.H), ops)
    mapped = [block_map(op, blocks) for op in ops]
    start, row, column, value = entries_of([matrix for matrix, _ in mapped])
    loads = [basis.operator(load.energy) for load in process.loads]
    rest = [basis.operator(process.H - load.energy) for load in process.loads]
    shape = (len(blocks.members), blocks.largest, blocks.largest)
    arrays = end_arrays(process, protocol, blocks, basis) | {
        "heff": centred(block_diagonal(heff, blocks), blocks),
        "target": _stack([target for _, target in mapped], (0, len(blocks.members))),
        "jump_start": start,
        "jump_row": row,
        "jump_column": column,
        "jump_value": value,
        "count": flow.counts.astype(np.int64).reshape(len(ops), -1),
        "times": protocol.tlist,
        "load_energy": _stack([block_diagonal(op, blocks) for op in loads], (0, *shape)).astype(complex),
        "load_rest": _stack([block_diagonal(op, blocks) for op in rest], (0, *shape)).astype(complex),
        "load": flow.load.astype(np.int64),
        "load_bath": np.array([load.bath for load in process.loads], dtype=np.int64),
    }
    return arrays, explain(blocks, process.d, basis)


def cheapest_basis(process: Process, flow: Flow, protocol: Protocol) -> tuple[Basis, Blocks]:
    """Of the given basis, the eigenbasis of H and the closing kets, the one with the smallest largest block.

    The closing kets diagonalise the averaged state; where H is degenerate only they tell which superpositions the jumps
    single out (two qubits in collective baths), and the process is classical in them.
    """
    found: list[tuple[Basis, Blocks]] = []
    for vectors in (
        None,
        eigenbasis(process.H)[1] if process.d <= EIGENBASIS_LIMIT else None,
        _closing_basis(protocol),
    ):
        trivial = vectors is not None and not np.count_nonzero(vectors - np.diag(np.diag(vectors)))
        if found and (vectors is None or trivial or found[-1][1].largest == 1):
            continue
        basis = Basis(vectors)
        found.append((basis, partition(process, flow, protocol, basis)))
    return min(found, key=lambda pair: pair[1].largest)


def _closing_basis(protocol: Protocol) -> Complexes | None:
    """Columns of the closing measurement, if there is one to speak of."""
    return None if protocol.closing is None else protocol.closing.kets.T.copy()


def partition(process: Process, flow: Flow, protocol: Protocol, basis: Basis) -> Blocks:
    """Invariant blocks of H_eff and the jumps, wide enough for both measurements."""
    supports = [support(ket) for ket in basis.kets(measured_kets(protocol))]
    if process.d <= SMALL:
        jumps = [basis.dense(op) for op in flow.ops]
        return find_blocks(process.d, [_no_jump_dense(basis.dense(process.H), jumps)], jumps, supports)
    ops = [basis.operator(op) for op in flow.ops]
    return find_blocks(process.d, [no_jump_hamiltonian(basis.operator(process.H), ops)], ops, supports)


def no_jump_hamiltonian(H: Sparse, ops: list[Sparse]) -> Sparse:
    """H - (i/2) sum L^dagger L."""
    if H.shape[0] <= SMALL:
        return sp.csr_array(_no_jump_dense(H.toarray(), [op.toarray() for op in ops]))
    total = sp.csr_array(H, dtype=complex)
    for op in ops:
        total = total - 0.5j * (op.conj().T @ op)
    return sp.csr_array(total)


def _no_jump_dense(H: Complexes, ops: list[Complexes]) -> Complexes:
    total = H.astype(complex)
    for op in ops:
        total -= 0.5j * (op.conj().T @ op)
    return total


def centred(heff: Complexes, blocks: Blocks) -> Complexes:
    """Each block minus the real centre of its spectrum: a phase no record sees, and the shortest search."""
    out = heff.copy()
    for block, size in enumerate(blocks.sizes):
        energies = np.linalg.eigvals(heff[block, :size, :size]).real
        shift = (energies.min() + energies.max()) / 2
        out[block, np.arange(size), np.arange(size)] -= shift
    return out


def explain(blocks: Blocks, d: int, basis: Basis) -> str:
    """What the kernels will do with these blocks, in a sentence."""
    where = "an eigenbasis" if basis.vectors is not None else "the given basis"
    count, largest = len(blocks.members), blocks.largest
    if largest == 1:
        return f"classical jump process: in {where} every jump leads from one of the {count} basis states to one"
    if count == 1:
        return f"dense: in {where} evolution and jumps connect all {d} basis states"
    return (
        f"invariant sectors: in {where} a trajectory stays in one of {count} blocks of at most {largest} states"
        " until it jumps"
    )


def entries_of(matrices: list[Complexes]) -> tuple[Any, Any, Any, Any]:
    """Entries of (operators, blocks, m, m) matrices in the order of (operator, block): start, row, column, value."""
    starts, rows, columns, values, total = [np.zeros(1, dtype=np.int64)], [], [], [], 0
    for matrix in matrices:
        block, row, column = np.nonzero(matrix)
        per_block = np.cumsum(np.bincount(block, minlength=len(matrix)))
        starts.append(total + per_block)
        total += len(block)
        rows.append(row)
        columns.append(column)
        values.append(matrix[block, row, column])
    empty = np.empty(0, dtype=np.int64)
    return (
        np.concatenate(starts).astype(np.int64),
        np.concatenate([empty, *rows]).astype(np.int64),
        np.concatenate([empty, *columns]).astype(np.int64),
        np.concatenate([np.empty(0, dtype=complex), *values]).astype(complex),
    )


def _stack(arrays: list[NDArray[Any]], empty: tuple[int, ...]) -> NDArray[Any]:
    return np.array(arrays) if arrays else np.zeros(empty, dtype=np.int64)
