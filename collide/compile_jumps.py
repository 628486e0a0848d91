"""A continuous process becomes the arrays of the jump kernels."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collide.blocks import Blocks, block_diagonal, block_diagonals, find_blocks, jump_table
from collide.ends import Basis, end_arrays, measured_kets
from collide.exact.levels import eigenbasis
from collide.exact.process import Complexes, Floats, Flow, Process, Sparse
from collide.exact.small import Operators, components
from collide.exact.superoperator import effective_hamiltonian
from collide.frame import phases_at, rotating_frame
from collide.gauge import real_jumps, told
from collide.protocol import Protocol

EIGENBASIS_LIMIT = 512  # larger systems stay in the basis they were written in
SURE = 1e-11  # entries above this times the largest are no rounding of a rotation
DEGENERATE = 1e-9  # levels closer than this times the largest energy may be one


def jump_arrays(process: Process, protocol: Protocol) -> tuple[dict[str, NDArray[Any]], str]:
    """Arrays of a jump program and a sentence that says what will run and why."""
    flow = process.elements[0]
    assert isinstance(flow, Flow)
    chosen = cheapest_basis(process, flow, protocol)
    basis, blocks = chosen.basis, chosen.blocks
    loads = [load.energy for load in process.loads]
    rest = [process.H - energy for energy in loads]
    target, start, row, column, value = jump_table(chosen.jumps, blocks)
    arrays = end_arrays(process, protocol, blocks, basis) | {
        "heff": centred(block_diagonal(chosen.heff, blocks), blocks),
        "target": target,
        "jump_start": start,
        "jump_row": row,
        "jump_column": column,
        "jump_value": value,
        "count": flow.counts.astype(np.int64).reshape(len(target), len(process.counts.baths)),
        "times": protocol.tlist,
        "load_energy": block_diagonals(basis.operators(loads, process.d), blocks),
        "load_rest": block_diagonals(basis.operators(rest, process.d), blocks),
        "load": flow.load.astype(np.int64),
        "load_bath": np.array([load.bath for load in process.loads], dtype=np.int64),
    }
    # what a load does to the energy is seen all the time, so that phases between states are too
    frame = np.zeros(arrays["basis"].shape) if loads else rotating_frame(arrays)
    arrays = in_frame(arrays, frame, blocks)
    sentence = explain(blocks, process.d, basis)
    if blocks.largest == 1 or loads:
        return arrays, sentence
    arrays = real_jumps(arrays)
    return arrays, sentence + told(arrays, arrays["heff"].real, arrays["initial_vec"])


def in_frame(arrays: dict[str, NDArray[Any]], frame: Floats, blocks: Blocks) -> dict[str, NDArray[Any]]:
    """The arrays with `heff` without the energies of the frame, and the phases that they make at the stops."""
    arrays = arrays | {"frame": frame, "turn": phases_at(frame, arrays["times"])}
    if not frame.any():
        return arrays
    heff = arrays["heff"].copy()
    heff[blocks.label, blocks.place, blocks.place] -= frame[blocks.label, blocks.place]
    return arrays | {"heff": centred(heff, blocks)}


class Partition(NamedTuple):
    """A basis, its invariant blocks, and H_eff and the jump operators in it."""

    basis: Basis
    blocks: Blocks
    heff: Any
    jumps: Operators


def cheapest_basis(process: Process, flow: Flow, protocol: Protocol) -> Partition:
    """Of the given basis, the eigenbasis of H and the closing kets, the one with the smallest largest block.

    No basis has smaller blocks than the eigenbasis of a Hamiltonian without degenerate levels: H is as block-diagonal
    as H_eff, so that some of its eigenvectors span each block.  Where H is degenerate, only the closing kets, which
    diagonalise the averaged state, tell which superpositions the jumps single out (two qubits in collective baths).
    """
    given = best = partition(process, flow, protocol, Basis(None))
    if given.blocks.largest <= 1 + (not _is_normal(given.heff)):
        return given
    for vectors in _bases(flow.H, protocol):
        basis = Basis(vectors)
        if _least(given.heff, basis) < best.blocks.largest:
            best = min(best, partition(process, flow, protocol, basis), key=lambda each: each.blocks.largest)
    return best


def _is_normal(heff: Any) -> bool:
    """Whether some basis diagonalises H_eff, without which no blocks of one state are possible."""
    adjoint = heff.conj().T
    size = abs(heff).max() ** 2
    return bool(abs(heff @ adjoint - adjoint @ heff).max() <= SURE * size)


def _least(heff: Any, basis: Basis) -> int:
    """Bound on the largest block in a basis: what H_eff alone connects there, which costs less than all jumps."""
    turned = basis.rotated(heff)
    sizes = np.abs(turned)
    return int(np.bincount(components(len(sizes), *(sizes > SURE * sizes.max()).nonzero())).max())


def _bases(H: Sparse, protocol: Protocol) -> Iterator[Complexes]:
    """Bases other than the given one, where they are not the same up to phases."""
    if H.shape[0] > EIGENBASIS_LIMIT:
        return
    energies, vectors = eigenbasis(H)
    yield from _unless_trivial(vectors)
    levels = np.sort(energies)
    degenerate = (levels[1:] - levels[:-1] <= DEGENERATE * np.abs(levels).max()).any()
    if degenerate and protocol.closing is not None:
        yield from _unless_trivial(protocol.closing.kets.T.copy())


def _unless_trivial(vectors: Complexes) -> Iterator[Complexes]:
    if np.count_nonzero(vectors) > np.count_nonzero(vectors.diagonal()):
        yield vectors


def partition(process: Process, flow: Flow, protocol: Protocol, basis: Basis) -> Partition:
    """Invariant blocks of H_eff and the jumps, wide enough for both measurements."""
    whole = basis.turned(flow.operators, process.d)
    heff, jumps = effective_hamiltonian(whole[0], whole[1:]), whole[1:]
    blocks = find_blocks(process.d, [heff], jumps, basis.kets(measured_kets(protocol)))
    return Partition(basis, blocks, heff, jumps)


def centred(heff: Complexes, blocks: Blocks) -> Complexes:
    """Each block shifted by a real number, a phase no record sees, to the least bound of its norm, the shortest search.

    The bound is the largest sum of moduli in a row or column; the best shift is the centre of Gershgorin's intervals.
    """
    levels = heff.diagonal(axis1=1, axis2=2)
    sizes = np.abs(heff)
    around = np.maximum(sizes.sum(axis=1), sizes.sum(axis=2)) - np.abs(levels)
    around[np.arange(blocks.largest) >= blocks.sizes[:, None]] = -np.inf  # beyond the block
    shift = ((levels.real + around).max(axis=1) + (levels.real - around).min(axis=1)) / 2
    out = heff.copy()
    out[blocks.label, blocks.place, blocks.place] -= shift[blocks.label]
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
