"""Which states events prepare, and the probabilities of events as linear forms in the density matrix."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed
from .lanes import WIDTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

NOWHERE = -1  # prepares no state

BLOCK = np.dtype(
    [
        ("size", np.int64),  # number of states
        ("exit_first", np.int64),  # exits of the block
        ("exit_end", np.int64),
        ("closing_first", np.int64),  # its closing outcomes, places in `closing`
        ("closing_end", np.int64),
        ("state", np.int64),  # of a block of one state: its number among the prepared ones,
        ("lifetime", np.float64),  # and periods that it lasts
        ("power", np.int64),  # place of the first power
        ("levels", np.int64),  # powers tabulated
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


@borrowed
def find_states(
    target: Ints,
    jump_start: Ints,
    jump_row: Ints,
    jump_column: Ints,
    jump_value: Complexes,
    count: Ints,
    block: NDArray[np.void],
    exit: NDArray[np.void],
    block_of: Ints,
    vector: Complexes,
    pure: Ints,
    weight: Floats,
    reach: Floats,
    whole: Floats,
    kind: Ints,
    nothing: int,
) -> Any:
    """List exits and prepared states and write the forms of the exits; return the number of prepared states.

    An operator whose entries are in one row leaves a basis state, one whose entries are in one column that column,
    whatever was before.  A block of one state is a prepared state.

    Parameters
    ----------
    target, jump_start, jump_row, jump_column, jump_value, count
        See `EventProgram`.
    block, exit, vector, reach, kind
        See `RenewalTables`; `block` with its sizes, `vector` filled with zeros.
    block_of : (states,) int64
        Receives the block of each state.
    pure : (nb, m) int64
        Number of each basis state as a prepared one; to begin with NOWHERE.
    weight : (exits, m * m) float64
        Coefficients of the weight of an exit in populations, and in twice the real and imaginary parts above the
        diagonal; filled with zeros.
    whole : (nb, m * m) float64
        The same for all exits of a block; filled with zeros.
    nothing : int
        Rows of counts.
    """
    nb, m, states, x = block.shape[0], vector.shape[1], np.int64(0), np.int64(0)
    chunks = reach.shape[0] // (nb * m * m)
    for b in range(nb):
        if block[b].size == 1:
            block[b].state, pure[b, 0], block_of[states], vector[states, 0] = states, states, b, 1.0
            states += 1
    for b in range(nb):
        block[b].exit_first = x
        kinds = np.int64(0)
        for event in range(target.shape[0]):
            first_kind = kinds
            for slot in range(count.shape[1]):
                if count[event, slot] >= 0:
                    kind[kinds] = count[event, slot]
                    kinds += 1
            there, first, end = target[event, b], jump_start[event * nb + b], jump_start[event * nb + b + 1]
            if there < 0 or first == end:
                continue
            here, row, column, norm = exit[x], jump_row[first], jump_column[first], 0.0
            here.event, here.block, here.first, here.end = event, there, first, end
            here.kind = kind[first_kind] if kinds > first_kind else nothing
            here.more_first, here.more_end = first_kind + (kinds > first_kind), kinds
            one_row, one_column = True, True
            for e in range(first, end):
                p, a = jump_value[e], jump_column[e]
                one_row &= jump_row[e] == row
                one_column &= a == column
                norm += p.real * p.real + p.imag * p.imag
                weight[x, a] += p.real * p.real + p.imag * p.imag
                for f in range(first, end):
                    q, c = jump_value[f], jump_column[f]
                    if jump_row[f] == jump_row[e] and a < c:
                        at = m + a * (2 * m - a - 1) + 2 * (c - a - 1)
                        weight[x, at] += p.real * q.real + p.imag * q.imag
                        weight[x, at + 1] -= p.real * q.imag - p.imag * q.real
            here.state = pure[there, row] if one_row else NOWHERE
            if here.state == NOWHERE and (one_row or one_column):
                here.state, block_of[states] = states, there
                if one_row:
                    vector[states, row] = 1.0
                    pure[there, row] = states
                else:
                    for e in range(first, end):
                        vector[states, jump_row[e]] = jump_value[e] / math.sqrt(norm)
                states += 1
            x += 1
        block[b].exit_end = x
        row, place = b * chunks * m * m, np.int64(0)
        while place < chunks * WIDTH:  # the lanes beyond the last exit have the sum of all
            for i in range(m * m):
                if block[b].exit_first + place < x:
                    whole[b, i] += weight[block[b].exit_first + place, i]
                reach[row + i, place % WIDTH] = whole[b, i]
            place += 1
            if place % WIDTH == 0:
                row += m * m
    return states
