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
from .jump_search import Bench
from .jump_tables import JumpTables
from .lanes import exponent, item
from .logarithm import log
from .measurement import closing, expectation, norm2, opening
from .philox import block, to_double

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

# status of a trajectory
OK, NO_CHANNEL = 0, 1

SMALLEST_THRESHOLD = 2.0**-54  # stands for the draw 0, which no norm ever reaches


TRAVELLER = np.dtype(
    [
        ("id", np.int64),
        ("row", np.uint32),  # id counted from the first of the chunk
        ("block", np.uint32),
        ("stop", np.uint32),  # the next one
        ("search", np.uint32),  # in which of the queues of its block it waits for the next search
        ("jumps", np.int64),  # so far
        ("landed", np.int64),
        ("time", np.float64),  # of the last event
        ("steps", np.float64),  # whole steps of the block since
        ("until", np.float64),  # time of the next stop
        ("threshold", np.float64),  # norm squared of the next jump; in a block of one state, what is left of -ln of it
        ("spare_choice", np.float64),  # random numbers of the next event, if its number is odd (see `pair`)
        ("spare_threshold", np.float64),
    ]
)


class Flight(NamedTuple):
    """The trajectories under way, one per slot; W slots.

    Attributes
    ----------
    traveller : (W,) TRAVELLER
    psi : (W, n) float64
        State in the real coordinates of its block, of norm 1 after a jump and falling since.
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
    shown : (m,) complex128
        Amplitudes of a state that is looked at.
    before : (m,) complex128
        State before the kick of a load.
    log_time, log_channel : (W, room) float64, int32
        Jumps so far; room is 0 if they are not wanted.
    """

    traveller: NDArray[np.void]
    psi: Floats
    heat: Floats
    value: Floats
    load: Floats
    snapshot: Complexes
    snapshot_block: Ints
    weight: Floats
    shown: Complexes
    before: Complexes
    log_time: Floats
    log_channel: NDArray[np.int32]


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
    row_size : (n,) int64
        Number of jumps.
    jump_time, jump_channel : (capacity,) float64, int32
        The jumps, trajectory by trajectory; capacity is 0 if they are not wanted.
    logged : (2,) int64
        Number of all jumps, and of those of the trajectory with most; also of those for which there was no room.
    """

    initial: NDArray[np.int32]
    final: NDArray[np.int32]
    counts: NDArray[np.int32]
    closing_energy: Floats
    status: NDArray[np.uint8]
    load: Floats
    state: Complexes
    states: Complexes
    row_size: Ints
    jump_time: Floats
    jump_channel: NDArray[np.int32]
    logged: Ints


@inlined
def new_pair(seed: np.uint64, traveller: Any, event: int) -> tuple[float, float]:
    """Return the two random numbers of an even event, and keep those of the next: they come in fours."""
    a, b, c, d = block(seed, np.uint64(traveller.id), np.uint64(event >> 1))
    traveller.spare_choice, traveller.spare_threshold = to_double(c), to_double(d)
    return to_double(a), to_double(b)


@inlined
def pair(seed: np.uint64, traveller: Any) -> tuple[float, float]:
    """Return the two random numbers of the next event."""
    event = traveller.jumps + 1
    u, v = traveller.spare_choice, traveller.spare_threshold
    if event & 1 == 0:
        u, v = new_pair(seed, traveller, event)
    return u, v


@inlined
def enter(traveller: Any, number: int, block: Any, threshold: float, hazard: float) -> None:
    """Let the traveller wait in block `number`, whose record is `block`, for a threshold, of which -ln is `hazard`."""
    traveller.block = number
    traveller.steps = 0.0
    traveller.threshold = threshold if block.size > 1 else hazard
    traveller.search = 0
    if block.pace > 0.0:
        level = int(exponent(hazard * block.pace))
        traveller.search = min(max(level, 0), block.levels - 1)


@inner
def open_flight(
    tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64, id: int, row: int
) -> None:
    """Put trajectory `id`, whose columns are in `row`, into a slot and open it."""
    outcome = open_record(tables, flight, columns, slot, seed, id, row)
    block = tables.initial_block[outcome]
    for a in range(tables.block[block].width):
        flight.psi[slot, a] = tables.opened[outcome, a]
    if tables.times[0] <= 0.0:
        pass_stop(tables, flight, columns, slot, seed)


@inner
def open_record(
    tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64, id: int, row: int
) -> int:
    """Begin the records of a trajectory and return its opening outcome, whose state its caller knows."""
    traveller = flight.traveller[slot]
    traveller.id = id
    traveller.row = row
    traveller.jumps = 0
    traveller.stop = 0
    traveller.time = 0.0
    traveller.until = tables.times[0]
    traveller.landed = 0
    for k in range(columns.counts.shape[1]):
        columns.counts[row, k] = 0
    columns.status[row] = OK
    for n in range(flight.load.shape[1]):
        flight.load[slot, n, 0], flight.load[slot, n, 1] = 0.0, 0.0
    u, r = new_pair(seed, traveller, 0)
    outcome = opening(tables.initial_cdf, u)
    columns.initial[row] = outcome
    block = tables.initial_block[outcome]
    threshold = max(r, SMALLEST_THRESHOLD)
    enter(traveller, block, tables.block[block], threshold, -log(threshold))
    return outcome


@inner
def lose(columns: Columns, traveller: Any) -> None:
    """Give up a trajectory whose norm fell although no channel takes the state out."""
    columns.status[traveller.row] = NO_CHANNEL
    columns.final[traveller.row] = -1
    columns.closing_energy[traveller.row] = np.nan
    traveller.landed = 1


@inlined
def apply(exit, entry, n, state, lane, scale, psi, slot):
    """Write what the operator of an exit makes of the state in a lane, times `scale`, into a slot."""
    for a in range(n):
        psi[slot, a] = 0.0
    for e in range(exit.first, exit.end):
        here = item(entry, e)
        psi[slot, here.row] += here.value * (state[here.column, lane] * scale)


@inlined
def show(tables, block, stop, psi, shown):
    """Write the amplitudes of a state as they are outside the frame of the program at a stop."""
    for a in range(tables.block[block].size):
        shown[a] = complex(psi[2 * a], psi[2 * a + 1]) if tables.parts == 2 else complex(psi[a], 0.0)
        if tables.turn.shape[0] > 0:
            turn = tables.turn[stop, block, a]
            real = shown[a].real * turn.real - shown[a].imag * turn.imag
            shown[a] = complex(real, shown[a].real * turn.imag + shown[a].imag * turn.real)


@inner
def lift_off(tables: JumpTables, flight: Flight, slot: int, bench: Bench, lane: int) -> None:
    """Remember the state before the kick of a load."""
    for a in range(tables.block[flight.traveller[slot].block].size):
        flight.before[a] = complex(bench.state[2 * a, lane], bench.state[2 * a + 1, lane])


@inner
def kick(tables: JumpTables, flight: Flight, slot: int, exit: Any) -> None:
    """Add what the kick of a load changes of its energy, and of the rest, from ``flight.before`` to the state now.

    Programs with loads have no frame.
    """
    block, n, before, after = flight.traveller[slot].block, tables.load[exit.channel], flight.before, flight.shown
    size, new = tables.block[block].size, tables.block[exit.block].size
    show(tables, exit.block, 0, flight.psi[slot], after)
    old_norm, new_norm = norm2(before, size), norm2(after, new)
    for kind in range(2):
        operator = tables.load_rest[n] if kind else tables.load_energy[n]
        gained = expectation(operator[exit.block], after, new) / new_norm
        flight.load[slot, n, kind] += gained - expectation(operator[block], before, size) / old_norm


@inlined
def come_to_stop(traveller: Any) -> float:
    """Set the clock of a traveller to his stop, and return its time."""
    traveller.time = traveller.until
    traveller.steps = 0.0
    return traveller.until


@inner
def pass_stop(tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64) -> None:
    """Read off the state in a slot at the stop it has come to and at those that coincide with it; land at the last."""
    traveller, times = flight.traveller[slot], tables.times
    time = come_to_stop(traveller)
    while traveller.stop < times.shape[0] and times[traveller.stop] <= time:
        _read(tables, flight, columns, slot, traveller.stop)
        traveller.stop += 1
    if traveller.stop < times.shape[0]:
        traveller.until = times[traveller.stop]
    else:
        _land(tables, flight, columns, slot, seed)


@inner
def _read(tables: JumpTables, flight: Flight, columns: Columns, slot: int, stop: int) -> None:
    """Note heat, expectation values and, where wanted, the state at a stop."""
    block, row, psi = flight.traveller[slot].block, flight.traveller[slot].row, flight.shown
    size = tables.block[block].size
    show(tables, block, stop, flight.psi[slot], psi)
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
        unfold(tables, block, psi, norm, columns.states[row, stop])


@inner
def unfold(tables: JumpTables, block: int, psi: Complexes, norm: float, state: Complexes) -> None:
    """Write a state, normalised, in the program's basis."""
    scale = 1.0 / math.sqrt(norm)
    for a in range(tables.block[block].size):
        state[tables.basis[block, a]] = complex(psi[a].real * scale, psi[a].imag * scale)


@inner
def _land(tables: JumpTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64) -> None:
    """Make the closing measurement."""
    traveller, psi = flight.traveller[slot], flight.shown
    block = traveller.block
    show(tables, block, tables.times.shape[0] - 1, flight.psi[slot], psi)
    first, end, size = tables.block[block].closing_first, tables.block[block].closing_end, tables.block[block].size
    traveller.landed = 1
    for n in range(flight.load.shape[1]):
        columns.load[traveller.row, n, 0] = flight.load[slot, n, 0]
        columns.load[traveller.row, n, 1] = flight.load[slot, n, 1]
    norm = norm2(psi, size)
    if columns.state.shape[0] > 0:
        unfold(tables, block, psi, norm, columns.state[traveller.row])
    u, _ = pair(seed, traveller)
    outcome = closing(tables.final_vec, tables.closing[first:end], end - first, psi, size, flight.weight, u)
    columns.final[traveller.row] = outcome
    columns.closing_energy[traveller.row] = (
        tables.final_energy[outcome] - expectation(tables.energy[block], psi, size) / norm
    )


@inner
def unload(flight: Flight, columns: Columns, slot: int) -> None:
    """Write the jumps of a landed trajectory behind those of the one before it."""
    count, logged, row = flight.traveller[slot].jumps, columns.logged, flight.traveller[slot].row
    at = logged[0]
    columns.row_size[row] = count
    logged[0] += count
    logged[1] = max(logged[1], count)
    if logged[0] <= columns.jump_time.shape[0] and count <= flight.log_time.shape[1]:
        for k in range(count):
            columns.jump_time[at + k] = flight.log_time[slot, k]
            columns.jump_channel[at + k] = flight.log_channel[slot, k]
