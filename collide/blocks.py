"""Invariant partitions: the finest sets of basis states such that a trajectory lives in one of them at a time.

A pure state that starts inside a block stays inside a block if free evolution never leaves it and every jump maps it
into one block.  Conserved charges make such blocks small (two amplitudes for the rotor machine, one where the process
is classical); they are found here from the zeros of the operators, never typed in.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from collide.exact.process import Complexes, Ints, Sparse
from collide.exact.small import Operators, components, members
from collide.exact.superoperator import Entries, entries

ZERO = 1e-13  # entries below this times the largest one are zeros that rounding has filled


class Blocks:
    """A partition of basis states 0 ... d-1.

    Parameters
    ----------
    label : (d,) int
        Block of each state, numbered in the order of their lowest states.

    Attributes
    ----------
    members : list of (size,) int arrays
        The states of each block.
    place : (d,) int
        Position of each state within its block.
    """

    def __init__(self, label: Ints) -> None:
        self.label = label
        self.members = members(label)
        self.place = np.empty(len(label), dtype=np.int64)
        for states in self.members:
            self.place[states] = np.arange(len(states))

    @cached_property
    def sizes(self) -> Ints:
        """(nblocks,) number of states of each."""
        return np.bincount(self.label)

    @cached_property
    def largest(self) -> int:
        """Size m to which block arrays are padded."""
        return int(self.sizes.max())


class JumpTable(NamedTuple):
    """Operators that map blocks into blocks: of operator k on block b the entries ``start[k nblocks + b]`` and on.

    target (K, nblocks) int, -1 for no entries; start (K nblocks + 1,), row, column (n,) int; value (n,) complex
    """

    target: Ints
    start: Ints
    row: Ints
    column: Ints
    value: Complexes


def find_blocks(d: int, couplings: Operators, maps: Operators, kets: Complexes | None = None) -> Blocks:
    """Finest partition closed under all operators.

    Parameters
    ----------
    d : int
        Number of basis states.
    couplings : (d, d) operators
        Act all the time (H_eff, free unitaries): states they connect share a block.
    maps : (d, d) operators
        Act at once (jumps, Kraus operators): each must map a block into one block.
    kets : (n, d) complex, optional
        What a measurement prepares or asks for: each lies in one block.
    """
    _, row, column, _ = without_dust(couplings)
    links = [(row, column)] if kets is None else [(row, column), _along(kets)]
    number, target, source, _ = without_dust(maps)
    label = components(d, *map(np.concatenate, zip(*links, strict=True)))
    while True:
        # states that one operator reaches from one block share a block
        key = number * d + label[source]
        order = key.argsort(kind="stable")
        key, image = key[order], target[order]
        same = key[1:] == key[:-1]
        one, other = image[:-1][same], image[1:][same]
        if (label[one] == label[other]).all():
            return Blocks(label)
        links.append((one, other))
        label = components(d, *map(np.concatenate, zip(*links, strict=True)))


def without_dust(operators: Operators) -> Entries:
    """Entries of several operators that are not zero to rounding."""
    number, row, column, value = entries(operators)
    size = np.abs(value)
    largest = np.zeros(len(operators))
    np.maximum.at(largest, number, size)
    kept = size > ZERO * largest[number]
    return (number, row, column, value) if kept.all() else (number[kept], row[kept], column[kept], value[kept])


def _along(kets: Complexes) -> tuple[Ints, Ints]:
    """Links between the basis states on which each ket has weight."""
    size = np.abs(kets)
    ket, state = (size > ZERO * size.max(axis=1, keepdims=True)).nonzero()
    same = ket[1:] == ket[:-1]
    return state[:-1][same], state[1:][same]


def block_diagonals(operators: Operators, blocks: Blocks) -> Complexes:
    """(n, nblocks, m, m) diagonal blocks of operators, padded by zeros."""
    m = blocks.largest
    out = np.zeros((len(operators), len(blocks.members), m, m), dtype=complex)
    if not len(operators):
        return out
    number, row, column, value = entries(operators)
    inside = blocks.label[row] == blocks.label[column]
    number, row, column = number[inside], row[inside], column[inside]
    out[number, blocks.label[row], blocks.place[row], blocks.place[column]] = value[inside]
    return out


def block_diagonal(operator: Sparse | Complexes, blocks: Blocks) -> Complexes:
    """(nblocks, m, m) diagonal blocks of one operator, padded by zeros."""
    return block_diagonals([operator], blocks)[0]


def jump_table(operators: Operators, blocks: Blocks) -> JumpTable:
    """Entries of operators that map blocks into blocks, in the order of operator, block, row and column."""
    nb, m = len(blocks.members), blocks.largest
    number, row, column, value = without_dust(operators)
    of = number * nb + blocks.label[column]
    target = np.full(len(operators) * nb, -1, dtype=np.int64)
    target[of] = blocks.label[row]
    if (target[of] != blocks.label[row]).any():
        raise AssertionError("an operator leaves the partition that was found for it")
    start = np.zeros(len(operators) * nb + 1, dtype=np.int64)
    start[1:] = np.bincount(of, minlength=len(operators) * nb).cumsum()
    row, column = blocks.place[row], blocks.place[column]
    order = ((of * m + row) * m + column).argsort()
    return JumpTable(target.reshape(-1, nb), start, row[order], column[order], value[order])


def block_kets(kets: Complexes, blocks: Blocks) -> tuple[Ints, Complexes]:
    """((n,) block, (n, m) amplitudes) of kets each of which lies in one block."""
    block = blocks.label[np.abs(kets).argmax(axis=1)]
    ket, state = (block[:, None] == blocks.label).nonzero()
    out = np.zeros((len(kets), blocks.largest), dtype=complex)
    out[ket, blocks.place[state]] = kets[ket, state]
    return block, out
