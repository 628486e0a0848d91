"""One trajectory of jumps: how it opens, jumps, passes its stops and lands.

Its random numbers stand in pairs, ``(2 e, 2 e + 1)`` for event e: the opening (e = 0) takes the outcome and the first
threshold, the e-th jump its channel and the next threshold, the closing measurement the first of the pair after the
last jump.  So what is random depends on seed, id and number of the jump alone.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import inlined, inner
from .jump_search import EXIT, NEXT, NONE, RATE, STOP, Bench
from .jump_tables import JumpTables
from .logarithm import log
from .measurement import closing, expectation, norm2, opening
from .philox import block, to_double

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

# status of a trajectory
OK, NO_CHANNEL = 0, 1

_SMALLEST_THRESHOLD = 2.0**-54  # stands for the draw 0, which no norm ever reaches


TRAVELLER = np.dtype(
    [
        ("id", np.int64),
        ("row", np.int64),  # id counted from the first of the chunk
        ("block", np.int64),
        ("stop", np.int64),  # the next one
        ("jumps", np.int64),  # so far
        ("lift", np.int64),  # searches since the last event that ended without one; each begins at a higher level
        ("due", np.int64),  # STOP if it has come to its next stop, else NONE
        ("landed", np.int64),
        ("time", np.float64),  # of the last event
        ("steps", np.float64),  # whole steps of the block since
        ("threshold", np.float64),  # norm squared of the next jump; in a block of one state, what is left of -ln of it
    ]
)


class Flight(NamedTuple):
    """The trajectories under way, one per slot; W slots.

    Attributes
    ----------
    traveller : (W,) TRAVELLER
    psi : (W, m) complex128
        State in the coordinates of its block, of norm 1 after a jump and falling since.
    heat : (W, ntime, nbaths) float64
        Heat so far at each stop.
    value : (W, ntime, nops) float64
        Expectation values at each stop.
    load : (W, nloads, 2) float64
        Heat and work of each load so far.
    snapshot, snapshot_block : (W, ntime, m) complex128, (W, ntime) int64
        State and block at each stop; ntime is 0 here if no averaged state is wanted.
    weight : (nf,) float64
        Working space of the closing measurement.
    before : (m,) complex128
        State before the kick of a load.
    """

    traveller: NDArray[np.void]
    psi: Complexes
    heat: Floats
    value: Floats
    load: Floats
    snapshot: Complexes
    snapshot_block: Ints
    weight: Floats
    before: Complexes


class Columns(NamedTuple):
    """What a chunk of n trajectories leaves, in the order of their ids.

    Attributes
    ----------
    initial, final : (n,) int32
        Opening and closing outcomes; `final` is -1 where the status is not OK.
    counts : (n, ncounts) int32
    closing_energy : (n,) float64
        What the closing measurement adds to the energy.
    status : (n,) uint8
    load : (n, nloads, 2) float64
        Heat and work of each load.
    state : (n, d) complex128
        State just before the closing measurement, in the program's basis; n is 0 here if it is not wanted.
    states : (n, ntime, d) complex128
        The same at every stop.
    log_id, log_channel : (capacity,) int32
        Trajectory (counted from the first of the chunk) and channel of each jump, in the order in which they were made.
    log_time : (capacity,) float64
    logged : (1,) int64
        Number of jumps, also of those that found the log full.
    """

    initial: NDArray[np.int32]
    final: NDArray[np.int32]
    counts: NDArray[np.int32]
    closing_energy: Floats
    status: NDArray[np.uint8]
    load: Floats
    state: Complexes
    states: Complexes
    log_id: NDArray[np.int32]
    log_channel: NDArray[np.int32]
    log_time: Floats
    logged: Ints


@inlined
def pair(seed: np.uint64, id: int, event: int) -> tuple[float, float]:
    """Return the two random numbers of an event.

    Each call makes a block of four for the two it needs: that is faster than to remember the others, because nobody can
    foresee which half it will be.
    """
    a, b, c, d = block(seed, np.uint64(id), np.uint64(event >> 1))
    odd = event & 1
    return to_double(c if odd else a), to_double(d if odd else b)


@inner
def _enter(tables: JumpTables, traveller: Any, block: int, u: float) -> None:
    """Let the traveller wait in a block for the threshold u."""
    traveller.block = block
    traveller.steps = 0.0
    traveller.lift = 0
    threshold = max(u, _SMALLEST_THRESHOLD)
    traveller.threshold = threshold if tables.block[block].size > 1 else -log(threshold)


@inner
def open_flight(
    tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64, id: int, row: int
) -> None:
    """Put trajectory `id`, whose columns are in `row`, into a slot and open it."""
    traveller = flight.traveller[slot]
    traveller.id = id
    traveller.row = row
    traveller.jumps = 0
    traveller.stop = 0
    traveller.time = 0.0
    traveller.landed = 0
    for k in range(columns.counts.shape[1]):
        columns.counts[row, k] = 0
    columns.status[row] = OK
    for n in range(flight.load.shape[1]):
        flight.load[slot, n, 0], flight.load[slot, n, 1] = 0.0, 0.0
    u, threshold = pair(seed, id, 0)
    outcome = opening(tables.initial_cdf, u)
    columns.initial[row] = outcome
    block = tables.initial_block[outcome]
    for a in range(tables.block[block].size):
        flight.psi[slot, a] = tables.initial_vec[outcome, a]
    traveller.due = STOP if tables.times[0] <= 0.0 else NONE
    _enter(tables, traveller, block, threshold)


@inner
def jump(tables: JumpTables, flight: Flight, columns: Columns, slot: int, bench: Bench, lane: int) -> None:
    """Take the exit that was elected for a lane, and wait behind it for the next threshold."""
    traveller, number = flight.traveller[slot], np.int64(bench.lane[EXIT, lane])
    if number < 0:  # the norm fell although no channel takes the state out
        columns.status[traveller.row] = NO_CHANNEL
        columns.final[traveller.row] = -1
        columns.closing_energy[traveller.row] = np.nan
        traveller.landed = 1
        return
    exit, psi, entry, state = tables.exit[number], flight.psi[slot], tables.entry, bench.state
    size = tables.block[exit.block].size
    kicked = tables.load[exit.channel] >= 0
    if kicked:
        for a in range(tables.block[traveller.block].size):
            flight.before[a] = complex(state[2 * a, lane], state[2 * a + 1, lane])
        psi[0] = 1.0
    if size > 1:
        scale = 1.0 / math.sqrt(bench.lane[RATE, lane])
        for a in range(size):
            psi[a] = 0.0
        for e in range(exit.first, exit.end):
            real, imag = state[2 * entry[e].column, lane] * scale, state[2 * entry[e].column + 1, lane] * scale
            psi[entry[e].row] += entry[e].value * complex(real, imag)
    if kicked:
        _kick(tables, flight, slot, exit)
    _note(tables, columns, traveller, exit)
    _enter(tables, traveller, exit.block, bench.lane[NEXT, lane])


@inner
def _kick(tables: JumpTables, flight: Flight, slot: int, exit: Any) -> None:
    """Add what the kick of a load changes of its energy, and of the rest, from ``flight.before`` to the state now."""
    block, n, before, after = flight.traveller[slot].block, tables.load[exit.channel], flight.before, flight.psi[slot]
    size, new = tables.block[block].size, tables.block[exit.block].size
    old_norm, new_norm = norm2(before, size), norm2(after, new)
    for kind in range(2):
        operator = tables.load_rest[n] if kind else tables.load_energy[n]
        gained = expectation(operator[exit.block], after, new) / new_norm
        flight.load[slot, n, kind] += gained - expectation(operator[block], before, size) / old_norm


@inner
def _note(tables: JumpTables, columns: Columns, traveller: Any, exit: Any) -> None:
    """Count a jump and log it."""
    count, counts, row = tables.count, columns.counts, traveller.row
    traveller.jumps += 1
    for bath in range(count.shape[1]):
        kind = count[exit.channel, bath]
        if kind >= 0:
            counts[row, kind] += 1
    at = columns.logged[0]
    if at < columns.log_id.shape[0]:
        columns.log_id[at], columns.log_time[at], columns.log_channel[at] = row, traveller.time, exit.channel
    columns.logged[0] = at + 1


@inner
def pass_stop(tables: JumpTables, flight: Flight, columns: Columns, slot: int) -> None:
    """Read off the state in a slot at the stop it has come to, and at those that coincide with it."""
    traveller, times = flight.traveller[slot], tables.times
    time = times[traveller.stop]
    traveller.time = time
    traveller.steps = 0.0
    traveller.lift = 0
    traveller.due = NONE
    while traveller.stop < times.shape[0] and times[traveller.stop] <= time:
        _read(tables, flight, columns, slot, traveller.stop)
        traveller.stop += 1


@inner
def _read(tables: JumpTables, flight: Flight, columns: Columns, slot: int, stop: int) -> None:
    """Note heat, expectation values and, where wanted, the state at a stop."""
    block, row, psi = flight.traveller[slot].block, flight.traveller[slot].row, flight.psi[slot]
    size = tables.block[block].size
    for bath in range(tables.quantum.shape[1]):
        heat = 0.0
        for k in range(tables.quantum.shape[0]):
            if columns.counts[row, k] != 0:
                heat += columns.counts[row, k] * tables.quantum[k, bath]
        flight.heat[slot, stop, bath] = heat
    for n in range(tables.load_bath.shape[0]):
        flight.heat[slot, stop, tables.load_bath[n]] += flight.load[slot, n, 0]
    norm = norm2(psi, size)
    for op in range(tables.e_ops.shape[0]):
        flight.value[slot, stop, op] = expectation(tables.e_ops[op, block], psi, size) / norm
    if flight.snapshot.shape[1] > 0:
        flight.snapshot_block[slot, stop] = block
        scale = 1.0 / math.sqrt(norm)
        for a in range(size):
            flight.snapshot[slot, stop, a] = complex(psi[a].real * scale, psi[a].imag * scale)
    if columns.states.shape[0] > 0:
        _unfold(tables, block, psi, norm, columns.states[row, stop])


@inner
def _unfold(tables: JumpTables, block: int, psi: Complexes, norm: float, state: Complexes) -> None:
    """Write a state, normalised, in the program's basis."""
    scale = 1.0 / math.sqrt(norm)
    for a in range(tables.block[block].size):
        state[tables.basis[block, a]] = complex(psi[a].real * scale, psi[a].imag * scale)


@inner
def land(tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64) -> None:
    """Make the closing measurement."""
    traveller, psi = flight.traveller[slot], flight.psi[slot]
    block = traveller.block
    first, end, size = tables.block[block].closing_first, tables.block[block].closing_end, tables.block[block].size
    traveller.landed = 1
    for n in range(flight.load.shape[1]):
        columns.load[traveller.row, n, 0] = flight.load[slot, n, 0]
        columns.load[traveller.row, n, 1] = flight.load[slot, n, 1]
    norm = norm2(psi, size)
    if columns.state.shape[0] > 0:
        _unfold(tables, block, psi, norm, columns.state[traveller.row])
    u, _ = pair(seed, traveller.id, traveller.jumps + 1)
    outcome = closing(tables.final_vec, tables.closing[first:end], end - first, psi, size, flight.weight, u)
    columns.final[traveller.row] = outcome
    columns.closing_energy[traveller.row] = (
        tables.final_energy[outcome] - expectation(tables.energy[block], psi, size) / norm
    )


@inner
def hop(tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64) -> bool:
    """Follow a trajectory through blocks of one state; return True at a stop, False in a larger block.

    Such a block is left after -ln(r) lifetimes, and the rates of its exits are known beforehand.
    """
    traveller, times, exits, entry, psi = flight.traveller[slot], tables.times, tables.exit, tables.entry, flight.psi
    while traveller.due == NONE and tables.block[traveller.block].size == 1:
        here = tables.block[traveller.block]
        psi[slot, 0] = 1.0
        wait = traveller.threshold * here.lifetime  # infinite in a dark state
        left = times[traveller.stop] - traveller.time
        if wait >= left:
            traveller.threshold = max(0.0, traveller.threshold - left * here.decay)
            traveller.due = STOP
            return True
        traveller.time += wait
        u, threshold = pair(seed, traveller.id, traveller.jumps + 1)
        mark, last = u * exits[here.exit_end - 1].reach, here.exit_end - 1
        chosen = here.exit_first
        while chosen < last and exits[chosen].reach <= mark:
            chosen += 1
        exit = exits[chosen]
        if tables.block[exit.block].size > 1:
            for a in range(tables.block[exit.block].size):
                psi[slot, a] = 0.0
            for e in range(exit.first, exit.end):
                psi[slot, entry[e].row] = entry[e].value * exit.scale
        if tables.load[exit.channel] >= 0:
            flight.before[0] = 1.0
            _kick(tables, flight, slot, exit)
        _note(tables, columns, traveller, exit)
        _enter(tables, traveller, exit.block, threshold)
    return traveller.due == STOP
