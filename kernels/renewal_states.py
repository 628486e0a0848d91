"""The states that events prepare, and the exits of each block as linear forms in the density matrix."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, inner
from .lanes import WIDTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

SAME = 1e-28  # squared distance of normalised states that differ by rounding alone
NOWHERE = -1  # prepares no state
LEAST = 2.0**-10

BLOCK = np.dtype(
    [
        ("size", np.int64),  # number of states
        ("exit_first", np.int64),  # exits of the block
        ("exit_end", np.int64),
        ("closing_first", np.int64),  # its closing outcomes, places in `closing`
        ("closing_end", np.int64),
        ("lifetime", np.float64),  # periods, of a block of one state
        ("power", np.int64),  # place of the first power
        ("levels", np.int64),  # powers tabulated
        (
            "least",
            np.float64,
        ),  # weight of all exits, as part of the norm squared, below which forms lose it in rounding
        ("state", np.int64),  # the first state prepared in it, NOWHERE if there is none
    ]
)
EXIT = np.dtype(  # an event that acts on a block
    [
        ("event", np.uint32),
        ("block", np.uint32),  # the block it leads to
        ("state", np.int64),  # the state it prepares, NOWHERE if that depends on the one before
        ("first", np.uint32),  # its entries
        ("end", np.uint32),
        ("kind", np.uint32),  # row of counts that it adds one to; beyond the last if there is none
        ("more_first", np.uint32),  # further ones, places in `kind`
        ("more_end", np.uint32),
    ]
)
PREPARED = np.dtype(  # a state that does not depend on the one before
    [
        ("block", np.uint32),
        ("next", np.int32),  # another one in its block
        ("row", np.int64),  # the first of its survival
        ("density", np.int64),  # place of its density matrix,
        ("stride", np.int64),  # the distance of the next period's, 0 in a block of one state,
        ("periods", np.int64),  # and their number
        ("reach", np.int64),  # the first row of the summed weights of its exits,
        ("exit_first", np.int64),
        ("exits", np.int64),
    ]
)


@borrowed
def find_states(
    target: Ints,
    jump_start: Ints,
    jump_row: Ints,
    jump_column: Ints,
    jump_value: Complexes,
    count: Ints,
    final_block: Ints,
    block: NDArray[np.void],
    exit: NDArray[np.void],
    prepared: NDArray[np.void],
    vector: Complexes,
    weight: Floats,
    kind: Ints,
    whole: Floats,
    reach: Floats,
    closing: Ints,
    work: Complexes,
    nothing: int,
) -> Any:
    """List exits, prepared states and closing outcomes, and write the forms; return the number of prepared states.

    `work` is (2, m, m), `nothing` the number of rows of counts; all other arrays are those of `RenewalTables`, `block`
    with its sizes and else filled with zeros.  Each block of one state is a prepared state; so is what an operator of
    rank one leaves.
    """
    nb, m = block.shape[0], vector.shape[1]
    _list_closings(final_block, block, closing)
    states = np.int64(0)
    for b in range(nb):
        block[b].state = NOWHERE
        if block[b].size == 1:
            vector[states, 0] = 1.0
            states = _new_state(block, prepared, b, states)
    x, chunks = np.int64(0), reach.shape[0] // (nb * m * m)
    for b in range(nb):
        block[b].exit_first = x
        kinds = 0
        for event in range(target.shape[0]):
            first_kind = kinds
            for slot in range(count.shape[1]):
                if count[event, slot] >= 0:
                    kind[kinds] = count[event, slot]
                    kinds += 1
            first, end = jump_start[event * nb + b], jump_start[event * nb + b + 1]
            if target[event, b] < 0 or first == end:
                continue
            here = exit[x]
            here.event, here.block, here.first, here.end = event, target[event, b], first, end
            here.kind = kind[first_kind] if kinds > first_kind else nothing
            here.more_first, here.more_end = min(first_kind + 1, kinds), kinds
            _dense(jump_row, jump_column, jump_value, first, end, m, work)
            _form(work, weight, x)
            states = _state_after(block, prepared, vector, here, block[b].size, work, states)
            x += 1
        block[b].exit_end = x
        _sum_up(block[b], weight, whole, reach, b, b * chunks * m * m, chunks, m * m)
    return states


@inner
def _list_closings(final_block, block, closing):
    """List the closing outcomes block by block."""
    for f in range(final_block.shape[0]):
        block[final_block[f]].closing_end += 1
    at = 0
    for b in range(block.shape[0]):
        number = block[b].closing_end
        block[b].closing_first, block[b].closing_end = at, at
        at += number
    for f in range(final_block.shape[0]):
        b = final_block[f]
        closing[block[b].closing_end] = f
        block[b].closing_end += 1


@inner
def _new_state(block, prepared, b, states):
    """Put the state whose vector has been written before the others of its block."""
    prepared[states].block = b
    prepared[states].next = block[b].state
    block[b].state = states
    return states + 1


@inner
def _dense(row, column, value, first, end, m, work):
    """Write an operator as a matrix."""
    for a in range(m):
        for b in range(m):
            work[0, a, b] = 0.0
    for e in range(first, end):
        work[0, row[e], column[e]] += value[e]


@inner
def _form(work, weight, x):
    """Write the coefficients of the norm squared of what an operator leaves: E^dagger E."""
    m, at = work.shape[1], x * work.shape[1] ** 2 + work.shape[1]
    numbers = m * m
    for a in range(m):
        total = 0.0
        for k in range(m):
            total += work[0, k, a].real * work[0, k, a].real + work[0, k, a].imag * work[0, k, a].imag
        weight[x * numbers + a] = total
    for a in range(m):
        for b in range(a + 1, m):
            real, imag = 0.0, 0.0
            for k in range(m):
                p, q = work[0, k, a], work[0, k, b]
                real += p.real * q.real + p.imag * q.imag
                imag += p.real * q.imag - p.imag * q.real
            weight[at], weight[at + 1] = real, -imag
            at += 2


@inner
def _state_after(block, prepared, vector, exit, size, work, states):
    """Find or note the state that an operator prepares, if it does; return the number of states."""
    new = block[exit.block].size
    exit.state = NOWHERE
    if new == 1:
        exit.state = block[exit.block].state
        return states
    total, most, longest = 0.0, 0.0, 0
    for c in range(size):
        norm = 0.0
        for a in range(new):
            norm += work[0, a, c].real * work[0, a, c].real + work[0, a, c].imag * work[0, a, c].imag
        total += norm
        if norm > most:
            most, longest = norm, c
    if most <= 0.0:
        return states
    scale = 1.0 / math.sqrt(most)
    for a in range(new):
        vector[states, a] = work[0, a, longest] * scale
    rest = 0.0
    for c in range(size):
        if c != longest:
            for a in range(new):
                work[1, 0, a] = work[0, a, c]
            rest += _beside(vector[states], work[1, 0], new)
    if rest > SAME * total:
        return states
    other = block[exit.block].state
    while other != NOWHERE:
        if _beside(vector[other], vector[states], new) <= SAME:
            exit.state = other
            return states
        other = prepared[other].next
    exit.state = states
    return _new_state(block, prepared, np.int64(exit.block), states)


@inner
def _beside(normalised, ket, size):
    """Norm squared of what is left of a ket beside its part along a normalised one."""
    real, imag, rest = 0.0, 0.0, 0.0
    for a in range(size):
        p, q = normalised[a], ket[a]
        real += p.real * q.real + p.imag * q.imag
        imag += p.real * q.imag - p.imag * q.real
    along = complex(real, imag)
    for a in range(size):
        left = ket[a] - along * normalised[a]
        rest += left.real * left.real + left.imag * left.imag
    return rest


@inner
def _sum_up(here, weight, whole, reach, b, row, chunks, numbers):
    """Write the summed forms of the exits of a block, those of all of them into the lanes that are left over."""
    for i in range(numbers):
        for x in range(here.exit_first, here.exit_end):
            whole[b * numbers + i] += weight[x * numbers + i]
            place = x - here.exit_first
            reach[row + (place // WIDTH) * numbers + i, place % WIDTH] = whole[b * numbers + i]
        for place in range(here.exit_end - here.exit_first, chunks * WIDTH):
            reach[row + (place // WIDTH) * numbers + i, place % WIDTH] = whole[b * numbers + i]
    diagonal = 0.0
    for a in range(here.size):
        diagonal += whole[b * numbers + a]
    here.least = LEAST * diagonal
