"""Invariant partitions: the finest sets of basis states such that a trajectory lives in one of them at a time.

A pure state that starts inside a block stays inside a block if free evolution never leaves it and every jump maps it
into one block.  Conserved charges make such blocks small (two amplitudes for the rotor machine, one where the process
is classical); they are found here from the zeros of the operators, never typed in.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from collide.exact.process import Complexes, Ints, Sparse

SMALL = 64  # states up to which lists and dense matrices are quicker than scipy's sparse ones, whose calls cost 50 us
ZERO = 1e-13  # entries below this times the largest one are zeros that rounding has filled


class Blocks(NamedTuple):
    """A partition of basis states 0 ... d-1.

    members : tuple of (size,) int arrays, the states of each block
    label : (d,) block of each state
    place : (d,) position of each state within its block
    """

    members: tuple[Ints, ...]
    label: Ints
    place: Ints

    @property
    def sizes(self) -> Ints:
        """(nblocks,) number of states of each."""
        return np.array([len(m) for m in self.members])

    @property
    def largest(self) -> int:
        """Size m to which block arrays are padded."""
        return int(self.sizes.max())


def find_blocks(
    d: int,
    couplings: Iterable[Sparse | Complexes],
    maps: Iterable[Sparse | Complexes],
    supports: Iterable[Sequence[int] | Ints],
) -> Blocks:
    """Finest partition closed under all operators.

    Parameters
    ----------
    d : int
        Number of basis states.
    couplings : iterable of (d, d), sparse or up to `SMALL` states dense
        Act all the time (H_eff, free unitaries): states they connect share a block.
    maps : iterable of (d, d), likewise
        Act at once (jumps, Kraus operators): each must map a block into one block.
    supports : iterable of index sequences
        Basis states of a ket that a measurement prepares or asks for: they share a block.
    """
    links: list[tuple[Ints, Ints]] = [_pattern(operator) for operator in couplings]
    for support in supports:
        indices = np.asarray(support, dtype=np.int64)
        links.append((indices[:-1], indices[1:]))
    jumps = [_pattern(operator) for operator in maps]
    label = _join(d, links)
    while True:
        merged = []
        for row, col in jumps:
            order = np.argsort(label[col], kind="stable")
            source, target = label[col][order], row[order]
            same = source[:-1] == source[1:]
            merged.append((target[:-1][same], target[1:][same]))
        finer = _join(d, [*links, *merged, _chain(label)])
        if finer.max() == label.max():
            break
        label = finer
    members = tuple(np.flatnonzero(label == block) for block in range(int(label.max()) + 1))
    place = np.empty(d, dtype=np.int64)
    for states in members:
        place[states] = np.arange(len(states))
    return Blocks(members, label, place)


def _pattern(operator: Sparse | Complexes) -> tuple[Ints, Ints]:
    """(rows, columns) of the entries that are not zero."""
    if operator.shape[0] <= SMALL:
        sizes = np.abs(operator if isinstance(operator, np.ndarray) else operator.toarray())
        row, col = np.nonzero(sizes > ZERO * sizes.max())
        return row, col
    entries = sp.coo_array(operator)
    if entries.nnz == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    kept = np.abs(entries.data) > ZERO * np.abs(entries.data).max()
    return entries.row[kept].astype(np.int64), entries.col[kept].astype(np.int64)


def _chain(label: Ints) -> tuple[Ints, Ints]:
    """Links that keep what is already one block together."""
    order = np.argsort(label, kind="stable")
    same = label[order][:-1] == label[order][1:]
    return order[:-1][same], order[1:][same]


def _join(d: int, links: list[tuple[Ints, Ints]]) -> NDArray[np.int64]:
    """(d,) number of the connected set of each state, in the order of their lowest states."""
    if d <= SMALL:
        return _join_few(d, links)
    rows = np.concatenate([np.empty(0, dtype=np.int64), *(row for row, _ in links)])
    cols = np.concatenate([np.empty(0, dtype=np.int64), *(col for _, col in links)])
    graph = sp.coo_array((np.ones(len(rows), dtype=np.int8), (rows, cols)), shape=(d, d))
    return connected_components(graph.tocsr(), directed=False)[1].astype(np.int64)


def _join_few(d: int, links: list[tuple[Ints, Ints]]) -> NDArray[np.int64]:
    """The same by joining trees, each named after its lowest state."""
    above = list(range(d))

    def root(state: int) -> int:
        while above[state] != state:
            state = above[state]
        return state

    for rows, cols in links:
        for a, b in zip(rows.tolist(), cols.tolist(), strict=True):
            low, high = sorted((root(a), root(b)))
            above[high] = low
    return np.unique([root(state) for state in range(d)], return_inverse=True)[1].astype(np.int64)


def block_diagonal(operator: Sparse, blocks: Blocks) -> Complexes:
    """(nblocks, m, m) diagonal blocks of an operator, padded by zeros."""
    out = np.zeros((len(blocks.members), blocks.largest, blocks.largest), dtype=complex)
    entries = sp.coo_array(operator)
    inside = blocks.label[entries.row] == blocks.label[entries.col]
    row, col = entries.row[inside], entries.col[inside]
    out[blocks.label[row], blocks.place[row], blocks.place[col]] = entries.data[inside]
    return out


def block_map(operator: Sparse, blocks: Blocks) -> tuple[Complexes, Ints]:
    """((nblocks, m, m) matrices, (nblocks,) target blocks or -1) of an operator that maps blocks into blocks."""
    out = np.zeros((len(blocks.members), blocks.largest, blocks.largest), dtype=complex)
    target = np.full(len(blocks.members), -1, dtype=np.int64)
    row, col = _pattern(operator)
    if not len(row):
        return out, target
    data = np.asarray(sp.csr_array(operator)[row, col]).reshape(-1)
    source = blocks.label[col]
    target[source] = blocks.label[row]
    if np.any(target[source] != blocks.label[row]):
        raise AssertionError("an operator leaves the partition that was found for it")
    out[source, blocks.place[row], blocks.place[col]] = data
    return out, target


def block_ket(ket: Complexes, blocks: Blocks) -> tuple[int, Complexes]:
    """(block, (m,) amplitudes) of a ket that lies in one block."""
    block = int(blocks.label[np.argmax(np.abs(ket))])
    out = np.zeros(blocks.largest, dtype=complex)
    out[: len(blocks.members[block])] = ket[blocks.members[block]]
    return block, out


def support(ket: Complexes) -> Ints:
    """Basis states on which a ket has weight."""
    return np.flatnonzero(np.abs(ket) > ZERO * np.abs(ket).max())
