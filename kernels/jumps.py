"""Ensembles of quantum jump trajectories: many under way at once, sixteen of the same block side by side.

Trajectories lie in slots.  One in a block of a single state hops on by closed form until it lands or enters a larger
block; there it queues.  Sixteen from the longest queue make one search together, and each then jumps, passes a stop or
queues again.  Which trajectories share a search changes no bit of any of them, since lanes are computed alone.  What
they leave at their stops is added up in the order of their ids, so the sums do not depend on it either.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, inlined, lend
from .jump_flight import JUMP, STOP, TRAVELLER, Columns, Flight, hop, jump, lose, open_flight, pair, pass_stop
from .jump_search import (
    CHOICE,
    EVENT,
    EXIT,
    FILLED,
    LEFT,
    NEXT,
    PLACE,
    RATE,
    REACH,
    STEPS,
    THRESHOLD,
    Bench,
    descend,
    elect,
    expand,
    locate,
    make_bench,
    settle,
)
from .jump_tables import JumpTables
from .lanes import WIDTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

_LIFT = 4  # a search that found nothing begins so many levels higher the next time
_SLOTS_PER_BLOCK = 8 * WIDTH
_MOST_SLOTS = 2048
_BUFFER = 2**26  # bytes that what is left at the stops may take
_LONGEST_FIRST_LOG = 2**22


class Sums(NamedTuple):
    """Sums over the trajectories of a chunk, on each stop.

    Attributes
    ----------
    expect : (ntime, nops, 2) float64
        Of expectation values and of their squares.
    heat_power : (ntime, nbaths, 4) float64
        Of the heat from each bath and its powers.
    heat_pair : (ntime, nbaths (nbaths - 1) / 2) float64
        Of the products of the heats from two baths, (0, 1), (0, 2), ..., (1, 2), ...
    rho : (ntime, d, d) complex128
        Of |psi><psi| in the program's basis; ntime is 0 here if it is not wanted.
    """

    expect: Floats
    heat_power: Floats
    heat_pair: Floats
    rho: Complexes


class Queues(NamedTuple):
    """Slots that wait for a search, two rings per block of more than one state.

    Trajectories whose first search found nothing queue apart: the next one begins at a higher level, which the others
    in its lanes would have to go through with them.

    Attributes
    ----------
    slot : (queues, W) int64
    head, length : (queues,) int64
    ready : (W + WIDTH,) int64
        Slots whose next event is known.
    """

    slot: Ints
    head: Ints
    length: Ints
    ready: Ints


@inlined
def _push(queues: Queues, queue: int, slot: int) -> None:
    at = queues.head[queue] + queues.length[queue]
    width = queues.slot.shape[1]
    queues.slot[queue, at - width if at >= width else at] = slot
    queues.length[queue] += 1


@inlined
def _pop(queues: Queues, queue: int) -> int:
    slot = queues.slot[queue, queues.head[queue]]
    head = queues.head[queue] + 1
    queues.head[queue] = 0 if head == queues.slot.shape[1] else head
    queues.length[queue] -= 1
    return slot


@borrowed
def _longest(queues: Queues) -> int:
    """Return the queue with most slots, -1 if all are empty."""
    best, most = -1, 0
    for queue in range(queues.length.shape[0]):
        if queues.length[queue] > most:
            best, most = queue, queues.length[queue]
    return best


@borrowed
def _board(
    tables: JumpTables, flight: Flight, bench: Bench, queues: Queues, queue: int, seed: np.uint64
) -> tuple[int, int, int]:
    """Bring up to sixteen waiting trajectories into lanes; return block, number of trajectories and highest level."""
    count = min(queues.length[queue], WIDTH)
    number = flight.traveller[queues.slot[queue, queues.head[queue]]].block
    block, times, top = tables.block[number], tables.times, -1
    ready, lane, state, psi, travellers = queues.ready, bench.lane, bench.state, flight.psi, flight.traveller
    m, first_level, highest, per_step = block.size, block.first_level, block.levels - 1, 1.0 / block.step
    for l in range(count):
        slot = _pop(queues, queue)
        ready[l] = slot
        for a in range(m):
            state[2 * a, l], state[2 * a + 1, l] = psi[slot, a].real, psi[slot, a].imag
        traveller = travellers[slot]
        left = (times[traveller.stop] - traveller.time) * per_step
        level = min(highest, first_level + _LIFT * traveller.lift)
        reach = 1.0 * (1 << level) if level >= 0 else 0.0
        while level >= 0 and traveller.steps + reach > left:
            reach *= 0.5
            level -= 1
        top = max(top, level)
        lane[THRESHOLD, l], lane[STEPS, l], lane[LEFT, l], lane[REACH, l] = (
            traveller.threshold,
            traveller.steps,
            left,
            reach,
        )
        lane[CHOICE, l], lane[NEXT, l] = pair(seed, traveller.id, traveller.jumps + 1)
    for l in range(count, WIDTH):  # an empty lane repeats the first one, and nobody reads it
        for row in range(2 * m):
            state[row, l] = state[row, 0]
        for row in range(FILLED):
            lane[row, l] = lane[row, 0]
    return number, count, top


@borrowed
def _search(
    tables: JumpTables, flight: Flight, columns: Columns, bench: Bench, queues: Queues, queue: int, seed: np.uint64
) -> int:
    """Find the next events of trajectories of one queue and let them happen; return how many there were."""
    number, count, top = _board(tables, flight, bench, queues, queue, seed)
    descend(tables, number, bench, top)
    expand(tables, number, bench)
    locate(tables, number, bench)
    settle(tables, number, bench)
    elect(tables, number, bench)
    m, step = tables.block[number].size, tables.block[number].step
    ready, lane, state, psi, travellers = queues.ready, bench.lane, bench.state, flight.psi, flight.traveller
    for l in range(count):
        slot = ready[l]
        traveller = travellers[slot]
        if lane[EVENT, l] == JUMP:
            traveller.time += (lane[STEPS, l] + lane[PLACE, l]) * step
            exit = np.int64(lane[EXIT, l])
            if exit < 0:
                lose(columns, traveller)
            else:
                jump(tables, flight, columns, slot, state, l, tables.exit[exit], lane[RATE, l], lane[NEXT, l])
            continue
        for a in range(m):
            psi[slot, a] = complex(state[2 * a, l], state[2 * a + 1, l])
        if lane[EVENT, l] == STOP:
            pass_stop(tables, flight, columns, slot, seed)
        else:
            traveller.steps = lane[STEPS, l]
            traveller.lift += 1
    return count


@borrowed
def _add(tables: JumpTables, flight: Flight, sums: Sums, slot: int) -> None:
    """Add what a landed trajectory has left at its stops."""
    for stop in range(flight.traveller[slot].stop):  # fewer than all only if it was lost
        for op in range(sums.expect.shape[1]):
            value = flight.value[slot, stop, op]
            sums.expect[stop, op, 0] += value
            sums.expect[stop, op, 1] += value * value
        pair = 0
        for bath in range(sums.heat_power.shape[1]):
            heat = flight.heat[slot, stop, bath]
            power = heat
            for order in range(4):
                sums.heat_power[stop, bath, order] += power
                power *= heat
            for other in range(bath + 1, sums.heat_power.shape[1]):
                sums.heat_pair[stop, pair] += heat * flight.heat[slot, stop, other]
                pair += 1
        if sums.rho.shape[0] > 0:
            block = flight.snapshot_block[slot, stop]
            for a in range(tables.block[block].size):
                for b in range(tables.block[block].size):
                    element = flight.snapshot[slot, stop, a] * flight.snapshot[slot, stop, b].conjugate()
                    sums.rho[stop, tables.basis[block, a], tables.basis[block, b]] += element


@borrowed
def _fly(
    tables: JumpTables,
    flight: Flight,
    columns: Columns,
    sums: Sums,
    bench: Bench,
    queues: Queues,
    seed: np.uint64,
    start: int,
    stop: int,
) -> None:
    """Run the trajectories `start` ... `stop` - 1."""
    window = flight.traveller.shape[0]
    tables, flight, columns, sums, bench, queues = (
        lend(tables),
        lend(flight),
        lend(columns),
        lend(sums),
        lend(bench),
        lend(queues),
    )
    folded, opened = start, start
    while folded < stop:
        queue, ready = _longest(queues), 0
        if queue >= 0:
            ready = _search(tables, flight, columns, bench, queues, queue, seed)
        while opened < stop and opened - folded < window:
            open_flight(tables, flight, columns, opened % window, seed, opened, opened - start)
            queues.ready[ready] = opened % window
            opened, ready = opened + 1, ready + 1
        for k in range(ready):
            slot = queues.ready[k]
            hop(tables, flight, columns, slot, seed)
            if flight.traveller[slot].landed == 0:
                lifted = 1 if flight.traveller[slot].lift > 0 else 0
                _push(queues, 2 * tables.block[flight.traveller[slot].block].queue + lifted, slot)
        while folded < opened and flight.traveller[folded % window].landed == 1:
            _add(tables, flight, sums, folded % window)
            folded += 1


class Record(NamedTuple):
    """What `run_jumps` keeps beyond the totals.

    Attributes
    ----------
    jumps : bool
        Time and channel of every jump.
    final_state : bool
        State before the closing measurement.
    states : bool
        State at every stop.
    rho : bool
        Sum of |psi><psi| on every stop.
    """

    jumps: bool = False
    final_state: bool = False
    states: bool = False
    rho: bool = False


TOTALS = Record()


def run_jumps(tables: JumpTables, seed: int, start: int, stop: int, record: Record = TOTALS) -> dict[str, NDArray]:
    """Run trajectories `start` ... `stop` - 1 of a seed.

    The result is a function of tables, seed and ids alone; columns and jumps of a trajectory do not depend on which
    others run beside it.  Releases the GIL.

    Returns
    -------
    dict of arrays, n = stop - start
        initial, final (n,) int32; counts (n, ncounts) int32; closing_energy (n,) float64; status (n,) uint8 (0: fine,
        1: no channel takes the state out although its norm fell);
        expect_sum (ntime, nops, 2), heat_power_sums (ntime, nbaths, 4), heat_pair_sums (ntime, npairs) float64;
        on request final_state (n, d), states (n, ntime, d), rho_sum (ntime, d, d) complex128;
        for the jumps row_size (n,) int64 and, trajectory by trajectory, jump_time float64 and jump_channel int32.
    """
    capacity = _expected_jumps(tables, stop - start) if record.jumps else 0
    result, logged = _run(tables, seed, start, stop, record, capacity)
    if record.jumps and logged > capacity:  # all have been counted, so the second time there is room
        result, _ = _run(tables, seed, start, stop, record, logged)
    return result


def _expected_jumps(tables: JumpTables, n: int) -> int:
    """Guess how many jumps n trajectories make: twice what they would at the mean rate of all states."""
    return int(min(2.0 * n * (tables.mean_rate * tables.times[-1] + 8.0), _LONGEST_FIRST_LOG))


def _run(
    tables: JumpTables, seed: int, start: int, stop: int, record: Record, capacity: int
) -> tuple[dict[str, NDArray], int]:
    """Run once with room for so many jumps; return the result and how many there were."""
    n, (ntime, nbaths, nops) = stop - start, (len(tables.times), tables.quantum.shape[1], len(tables.e_ops))
    m, d = tables.basis.shape[1], int(np.max(tables.basis)) + 1
    columns = Columns(
        initial=np.empty(n, np.int32),
        final=np.empty(n, np.int32),
        counts=np.empty((n, len(tables.quantum)), np.int32),
        closing_energy=np.empty(n),
        status=np.empty(n, np.uint8),
        state=np.zeros((n if record.final_state else 0, d), complex),
        states=np.zeros((n if record.states else 0, ntime, d), complex),
        log_id=np.empty(capacity, np.int32),
        log_channel=np.empty(capacity, np.int32),
        log_time=np.empty(capacity),
        logged=np.zeros(1, np.int64),
    )
    sums = Sums(
        expect=np.zeros((ntime, nops, 2)),
        heat_power=np.zeros((ntime, nbaths, 4)),
        heat_pair=np.zeros((ntime, nbaths * (nbaths - 1) // 2)),
        rho=np.zeros((ntime if record.rho else 0, d, d), complex),
    )
    shots = ntime if record.rho else 0
    larger_blocks = int(tables.block["queue"].max()) + 1
    per_slot = 8 * ntime * (nbaths + nops) + 16 * shots * m
    slots = min(_MOST_SLOTS, _SLOTS_PER_BLOCK * max(1, larger_blocks), n, max(WIDTH, _BUFFER // per_slot))
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    flight = Flight(
        traveller=np.zeros(slots, TRAVELLER),
        psi=np.zeros((slots, m), complex),
        heat=np.zeros((slots, ntime, nbaths)),
        value=np.zeros((slots, ntime, nops)),
        snapshot=np.zeros((slots, shots, m), complex),
        snapshot_block=np.zeros((slots, shots), np.int64),
        weight=np.empty(len(tables.closing)),
    )
    queues = Queues(
        slot=np.zeros((2 * larger_blocks, slots), np.int64),
        head=np.zeros(2 * larger_blocks, np.int64),
        length=np.zeros(2 * larger_blocks, np.int64),
        ready=np.zeros(slots + WIDTH, np.int64),
    )
    bench = make_bench(m, int(tables.block["order"].max()), exits)
    _fly(tables, flight, columns, sums, bench, queues, np.uint64(seed), start, stop)
    logged = int(columns.logged[0])
    result = {
        "initial": columns.initial,
        "final": columns.final,
        "counts": columns.counts,
        "closing_energy": columns.closing_energy,
        "status": columns.status,
        "expect_sum": sums.expect,
        "heat_power_sums": sums.heat_power,
        "heat_pair_sums": sums.heat_pair,
    }
    if record.final_state:
        result["final_state"] = columns.state
    if record.states:
        result["states"] = columns.states
    if record.rho:
        result["rho_sum"] = sums.rho
    if record.jumps:
        result |= _by_trajectory(columns, min(logged, capacity))
    return result, logged


def _by_trajectory(columns: Columns, logged: int) -> dict[str, NDArray]:
    """Sort the log by trajectory; within one it is in the order of time already."""
    row_size = np.bincount(columns.log_id[:logged], minlength=len(columns.initial))
    time, channel = np.empty(logged), np.empty(logged, np.int32)
    _deal(columns.log_id[:logged], columns.log_time, columns.log_channel, np.cumsum(row_size) - row_size, time, channel)
    return {"row_size": row_size, "jump_time": time, "jump_channel": channel}


@borrowed
def _deal(
    log_id: NDArray[np.int32],
    log_time: Floats,
    log_channel: NDArray[np.int32],
    place: Ints,
    time: Floats,
    channel: NDArray[np.int32],
) -> None:
    """Put each jump at the next place of its trajectory."""
    for k in range(log_id.shape[0]):
        at = place[log_id[k]]
        time[at], channel[at] = log_time[k], log_channel[k]
        place[log_id[k]] = at + 1
