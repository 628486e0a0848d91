"""One trajectory of jumps: how it opens, hops, jumps, passes its stops and lands.

Its random numbers stand in pairs, ``(2 e, 2 e + 1)`` for event e: the opening (e = 0) takes the outcome and the first
threshold, the e-th jump its channel and the next threshold, the closing measurement the first of the pair after the
last jump.  So what is random depends on seed, id and number of the jump alone.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed
from .jump_tables import JumpTables
from .logarithm import log
from .measurement import choose, closing, expectation, norm2, opening
from .philox import block as philox_block
from .philox import to_double

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

# status of a trajectory
OK, NO_CHANNEL = 0, 1

_SMALLEST_THRESHOLD = 2.0**-54  # stands for the draw 0, which no norm ever reaches


class Flight(NamedTuple):
    """The trajectories under way, one per slot; W slots.

    Attributes
    ----------
    id, block, stop, jumps : (W,) int64
        Trajectory, block it is in, next stop, jumps so far.
    lift : (W,) int64
        Descents since the last event that ended without one; each begins higher.
    time, steps : (W,) float64
        Time of the last event, and whole steps of the block since.
    threshold : (W,) float64
        Norm squared at which the next jump happens.  In a block of one state, what is left of minus its logarithm.
    spare : (W, 2) uint64
        Second half of the current block of random words.
    psi : (W, m) complex128
        State in the coordinates of its block, of norm 1 after a jump and falling since.
    landed : (W,) bool
    heat : (W, ntime, nbaths) float64
        Heat so far at each stop.
    value : (W, ntime, nops) float64
        Expectation values at each stop.
    snapshot, snapshot_block : (W, ntime, m) complex128, (W, ntime) int64
        State and block at each stop; ntime is 0 here if no averaged state is wanted.
    weight, work : (largest of nf and exits of a block,) float64, (m,) complex128
        Working space of the choices and of the jumps.
    """

    id: Ints
    block: Ints
    stop: Ints
    jumps: Ints
    lift: Ints
    time: Floats
    steps: Floats
    threshold: Floats
    spare: NDArray[np.uint64]
    psi: Complexes
    landed: NDArray[np.bool_]
    heat: Floats
    value: Floats
    snapshot: Complexes
    snapshot_block: Ints
    weight: Floats
    work: Complexes


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
    state: Complexes
    states: Complexes
    log_id: NDArray[np.int32]
    log_channel: NDArray[np.int32]
    log_time: Floats
    logged: Ints


@borrowed
def _pair(flight: Flight, slot: int, seed: np.uint64, event: int) -> tuple[float, float]:
    """Return the two random numbers of an event, which are asked for in turn."""
    if event & 1:
        return to_double(flight.spare[slot, 0]), to_double(flight.spare[slot, 1])
    a, b, c, d = philox_block(seed, np.uint64(flight.id[slot]), np.uint64(event >> 1))
    flight.spare[slot, 0], flight.spare[slot, 1] = c, d
    return to_double(a), to_double(b)


@borrowed
def _arm(tables: JumpTables, flight: Flight, slot: int, block: int, u: float) -> None:
    """Let the slot wait in `block` for the threshold u."""
    flight.block[slot] = block
    flight.steps[slot] = 0.0
    flight.lift[slot] = 0
    threshold = max(u, _SMALLEST_THRESHOLD)
    flight.threshold[slot] = -log(threshold) if tables.size[block] == 1 else threshold


@borrowed
def open_flight(
    tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64, id: int, row: int
) -> None:
    """Put trajectory `id`, whose columns are in `row`, into a slot and open it."""
    flight.id[slot] = id
    flight.jumps[slot] = 0
    flight.stop[slot] = 0
    flight.time[slot] = 0.0
    flight.landed[slot] = False
    for k in range(columns.counts.shape[1]):
        columns.counts[row, k] = 0
    columns.status[row] = OK
    u, threshold = _pair(flight, slot, seed, 0)
    outcome = opening(tables.initial_cdf, u)
    columns.initial[row] = outcome
    block = tables.initial_block[outcome]
    for a in range(tables.size[block]):
        flight.psi[slot, a] = tables.initial_vec[outcome, a]
    _arm(tables, flight, slot, block, threshold)
    if tables.times[0] <= 0.0:
        pass_stop(tables, flight, columns, slot, seed, row)


@borrowed
def _exit_weight(tables: JumpTables, psi: Complexes, exit: int) -> float:
    """Return the rate at which a state takes an exit, times its norm squared."""
    first, end = tables.exit_entry[exit, 0], tables.exit_entry[exit, 1]
    column = tables.jump_column
    total = 0.0
    if tables.exit_monomial[exit]:
        for e in range(first, end):
            amplitude = psi[column[e]]
            total += tables.entry_rate[e] * (amplitude.real * amplitude.real + amplitude.imag * amplitude.imag)
        return total
    row, value = tables.jump_row, tables.jump_value
    e = first
    while e < end:
        real, imag = 0.0, 0.0
        here = row[e]
        while e < end and row[e] == here:
            real += value[e].real * psi[column[e]].real - value[e].imag * psi[column[e]].imag
            imag += value[e].real * psi[column[e]].imag + value[e].imag * psi[column[e]].real
            e += 1
        total += real * real + imag * imag
    return total


@borrowed
def _take_exit(tables: JumpTables, psi: Complexes, work: Complexes, exit: int, size: int) -> None:
    """Apply an exit's jump operator to psi and normalise; `size` is that of the block it leads to."""
    for a in range(size):
        work[a] = 0.0
    for e in range(tables.exit_entry[exit, 0], tables.exit_entry[exit, 1]):
        work[tables.jump_row[e]] += tables.jump_value[e] * psi[tables.jump_column[e]]
    scale = 1.0 / math.sqrt(norm2(work, size))
    for a in range(size):
        psi[a] = complex(work[a].real * scale, work[a].imag * scale)


@borrowed
def jump(tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64, row: int) -> None:
    """Choose a channel for the state in a slot, at the time it has come to, and apply it."""
    block, psi = flight.block[slot], flight.psi[slot]
    first, end = tables.exit_start[block], tables.exit_start[block + 1]
    flight.jumps[slot] += 1
    u, threshold = _pair(flight, slot, seed, flight.jumps[slot])
    for exit in range(first, end):
        flight.weight[exit - first] = _exit_weight(tables, psi, exit)
    chosen = choose(flight.weight, end - first, u)
    if chosen < 0:
        columns.status[row] = NO_CHANNEL
        columns.final[row] = -1
        columns.closing_energy[row] = np.nan
        flight.landed[slot] = True
        return
    exit = first + chosen
    channel, there = tables.exit_channel[exit], tables.exit_block[exit]
    for bath in range(tables.count.shape[1]):
        if tables.count[channel, bath] >= 0:
            columns.counts[row, tables.count[channel, bath]] += 1
    _log(columns, row, flight.time[slot], channel)
    if tables.size[there] == 1:
        psi[0] = 1.0
    else:
        _take_exit(tables, psi, flight.work, exit, tables.size[there])
    _arm(tables, flight, slot, there, threshold)


@borrowed
def _log(columns: Columns, row: int, time: float, channel: int) -> None:
    """Note a jump, or only that there was one if the log is full."""
    at = columns.logged[0]
    columns.logged[0] = at + 1
    if at < columns.log_id.shape[0]:
        columns.log_id[at], columns.log_time[at], columns.log_channel[at] = row, time, channel


@borrowed
def pass_stop(tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64, row: int) -> None:
    """Read off the state in a slot at its next stop, and at those that coincide with it; land at the last."""
    time = tables.times[flight.stop[slot]]
    flight.time[slot] = time
    flight.steps[slot] = 0.0
    flight.lift[slot] = 0
    stops = tables.times.shape[0]
    while flight.stop[slot] < stops and tables.times[flight.stop[slot]] <= time:
        _read(tables, flight, columns, slot, row, flight.stop[slot])
        flight.stop[slot] += 1
    if flight.stop[slot] == stops:
        _land(tables, flight, columns, slot, seed, row)


@borrowed
def _read(tables: JumpTables, flight: Flight, columns: Columns, slot: int, row: int, stop: int) -> None:
    """Note heat, expectation values and, where wanted, the state at a stop."""
    block, psi = flight.block[slot], flight.psi[slot]
    size = tables.size[block]
    for bath in range(tables.quantum.shape[1]):
        heat = 0.0
        for k in range(tables.quantum.shape[0]):
            if columns.counts[row, k] != 0:
                heat += columns.counts[row, k] * tables.quantum[k, bath]
        flight.heat[slot, stop, bath] = heat
    norm = norm2(psi, size)
    for op in range(tables.e_ops.shape[0]):
        flight.value[slot, stop, op] = expectation(tables.e_ops[op, block], psi, size) / norm
    scale = 1.0 / math.sqrt(norm)
    if flight.snapshot.shape[1] > 0:
        flight.snapshot_block[slot, stop] = block
        for a in range(size):
            flight.snapshot[slot, stop, a] = complex(psi[a].real * scale, psi[a].imag * scale)
    if columns.states.shape[0] > 0:
        for a in range(size):
            columns.states[row, stop, tables.basis[block, a]] = complex(psi[a].real * scale, psi[a].imag * scale)


@borrowed
def _land(tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64, row: int) -> None:
    """Make the closing measurement."""
    block, psi = flight.block[slot], flight.psi[slot]
    size, first = tables.size[block], tables.closing_start[block]
    flight.landed[slot] = True
    norm = norm2(psi, size)
    if columns.state.shape[0] > 0:
        scale = 1.0 / math.sqrt(norm)
        for a in range(size):
            columns.state[row, tables.basis[block, a]] = complex(psi[a].real * scale, psi[a].imag * scale)
    u, _ = _pair(flight, slot, seed, flight.jumps[slot] + 1)
    listed = tables.closing[first : tables.closing_start[block + 1]]
    outcome = closing(tables.final_vec, listed, listed.shape[0], psi, size, flight.weight, u)
    columns.final[row] = outcome
    columns.closing_energy[row] = tables.final_energy[outcome] - expectation(tables.energy[block], psi, size) / norm


@borrowed
def hop(tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64, row: int) -> None:
    """Follow a trajectory through blocks of one state, where the waiting time is -ln(r) / rate, until it leaves them."""
    while not flight.landed[slot] and tables.size[flight.block[slot]] == 1:
        decay = tables.decay[flight.block[slot]]
        wait = flight.threshold[slot] / decay  # infinite in a dark state
        left = tables.times[flight.stop[slot]] - flight.time[slot]
        if wait < left:
            flight.time[slot] += wait
            jump(tables, flight, columns, slot, seed, row)
        else:
            flight.threshold[slot] = max(0.0, flight.threshold[slot] - decay * left)
            pass_stop(tables, flight, columns, slot, seed, row)
