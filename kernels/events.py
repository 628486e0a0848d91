"""Ensembles of collisions by events: from one period in which something happens to the next, in whole periods.

The flight of a trajectory is that of the jumps: what waits, searches and lands is shared with them.  Two things differ,
because time is whole.  An event happens in the first period after which the norm squared would have fallen to the
threshold: its operator acts on the state *before* that period, and it is timed at the end of it, which may be a stop.
And a block of one state is left after a number of periods with a geometric law.

Random numbers stand in the pairs of `jump_flight`, a function of seed, id and number of the event alone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, inner, lend
from .jump_board import (
    SINGLES,
    Queues,
    alight,
    begin_search,
    board,
    elect_known,
    end_search,
    enqueue,
    first_block,
    leave,
    longest,
    make_queues,
)
from .jump_flight import TRAVELLER, Columns, Flight, open_flight, pass_stop, unload
from .jump_search import (
    EVENT,
    JUMP,
    LEFT,
    LIFETIME,
    NONE,
    PASSED,
    PLACE,
    STEPS,
    STOP,
    THRESHOLD,
    TIME,
    UNTIL,
    Bench,
    descend,
    elect,
    make_bench,
)
from .jump_sums import Sums, add
from .jump_tables import JumpTables
from .jumps import TOTALS, Record, expected_jumps, jumps_of
from .lanes import WIDTH, ceil, load, select, splat, store

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]
Raw = dict[str, NDArray[Any]]

_SLOTS_PER_BLOCK = 8 * WIDTH
_MOST_SLOTS = 2048
_BUFFER = 2**26  # bytes that what is left at the stops may take


@inner
def arrive(bench: Bench) -> None:
    """Say what the descent has found for each lane.

    A power that was too long for the threshold leads to the last period before the event, whatever its level: the
    powers below it that were kept sum to less than it.  The event then takes one period more.
    """
    lane = bench.lane
    rest = load(lane, LEFT) - load(lane, STEPS)
    happened = load(lane, PASSED) > splat(0.0)
    found = select(happened, splat(JUMP), select(rest < splat(1.0), splat(STOP), splat(NONE)))
    store(lane, EVENT, found)
    store(lane, PLACE, splat(1.0))


@inner
def wait(bench: Bench) -> None:
    """Leave blocks of one state after a whole number of periods, or come to the stop before.

    With chance q that nothing happens in a period, the event comes in the first period n with q^n <= r.
    """
    one = splat(1.0)
    waited = ceil(load(bench.lane, THRESHOLD) * load(bench.lane, LIFETIME))  # infinite where nothing can happen
    waited = select(waited > one, waited, one)
    leave(bench, waited, waited > load(bench.lane, UNTIL) - load(bench.lane, TIME))


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
    n: int,
) -> None:
    """Run the trajectories `start` ... `start` + n - 1; ids beyond 2^63 wrap around, as their 64 bits stay the same."""
    window = flight.traveller.shape[0]
    tables, flight, columns, sums, bench, queues = (
        lend(tables),
        lend(flight),
        lend(columns),
        lend(sums),
        lend(bench),
        lend(queues),
    )
    folded, opened = 0, 0
    while folded < n:
        while opened < n and opened - folded < window:
            slot = opened % window
            open_flight(tables, flight, columns, slot, seed, start + opened, opened)
            if flight.traveller[slot].landed == 0:
                enqueue(tables, flight, queues, slot)
            opened += 1
        queue = longest(queues, SINGLES)
        if queues.length[queue] > 0:
            block = first_block(flight, queues, queue)
            ready = board(tables, flight, bench, queues, queue, seed)
            if queue == SINGLES:
                wait(bench)
                elect_known(tables, flight, bench, queues, ready)
            else:
                descend(tables, block, bench, begin_search(tables, block, bench, queue))
                arrive(bench)
                elect(tables, block, bench)
                end_search(tables, block, bench)
            for k in range(alight(tables, flight, columns, bench, queues, queues.ready, ready)):
                pass_stop(tables, flight, columns, queues.ready[k], seed)
                if flight.traveller[queues.ready[k]].landed == 0:
                    enqueue(tables, flight, queues, queues.ready[k])
        while folded < opened and flight.traveller[folded % window].landed == 1:
            add(tables, flight, sums, folded % window)
            unload(flight, columns, folded % window)
            folded += 1


def run_events(tables: JumpTables, seed: int, start: int, stop: int, record: Record = TOTALS) -> Raw:
    """Run trajectories `start` ... `stop` - 1 of a seed; as `run_jumps`, with times in periods.

    The events kept on request are those that count something; `jump_time` is the number of the period after which they
    have happened, `jump_channel` the number of the event.
    """
    room = expected_jumps(tables, stop - start) if record.jumps else (0, 0)
    result, logged = _run(tables, seed, start, stop, record, room)
    if record.jumps and (logged[0] > room[0] or logged[1] > room[1]):  # counted now, so this time there is room
        result, _ = _run(tables, seed, start, stop, record, logged)
    return result


def _run(
    tables: JumpTables, seed: int, start: int, stop: int, record: Record, room: tuple[int, int]
) -> tuple[Raw, tuple[int, int]]:
    """Run once with room for so many events of all and of one trajectory; return the result and how many there were."""
    n, m = stop - start, tables.basis.shape[1]
    columns, sums = _columns(tables, n, record, room[0]), _sums(tables, record)
    larger_blocks = int(np.count_nonzero(tables.block["size"] > 1))
    flight = _flight(tables, n, larger_blocks, record, room[1])
    slots = len(flight.traveller)
    queues = make_queues(larger_blocks, slots)
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    _fly(tables, flight, columns, sums, make_bench(m, 0, exits), queues, np.uint64(seed), as_signed(start), n)
    logged = int(columns.logged[0]), int(columns.logged[1])
    result: Raw = {
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
    if record.jumps and logged[0] <= room[0] and logged[1] <= room[1]:
        result |= counted(tables, jumps_of(columns))
    return result, logged


def as_signed(id: int) -> int:
    """The int64 of the same 64 bits."""
    return id - 2**64 if id >= 2**63 else id


def counted(tables: JumpTables, log: Raw) -> Raw:
    """Leave out the events that count nothing."""
    kept = np.any(tables.count >= 0, axis=1)[log["jump_channel"]]
    owner = np.repeat(np.arange(len(log["row_size"])), log["row_size"])
    return {
        "row_size": np.bincount(owner[kept], minlength=len(log["row_size"])),
        "jump_time": log["jump_time"][kept],
        "jump_channel": log["jump_channel"][kept],
    }


def _columns(tables: JumpTables, n: int, record: Record, capacity: int) -> Columns:
    """Empty columns of n trajectories."""
    ntime, d = len(tables.times), int(np.max(tables.basis)) + 1
    return Columns(
        initial=np.empty(n, np.int32),
        final=np.empty(n, np.int32),
        counts=np.empty((n, len(tables.quantum)), np.int32),
        closing_energy=np.empty(n),
        status=np.empty(n, np.uint8),
        load=np.zeros((n, 0, 2)),
        state=np.zeros((n if record.final_state else 0, d), complex),
        states=np.zeros((n if record.states else 0, ntime, d), complex),
        row_size=np.zeros(n, np.int64),
        jump_time=np.empty(capacity),
        jump_channel=np.empty(capacity, np.int32),
        logged=np.zeros(2, np.int64),
    )


def _sums(tables: JumpTables, record: Record) -> Sums:
    """Sums before the first trajectory."""
    ntime, nbaths, d = len(tables.times), tables.quantum.shape[1], int(np.max(tables.basis)) + 1
    return Sums(
        expect=np.zeros((ntime, len(tables.e_ops), 2)),
        heat_power=np.zeros((ntime, nbaths, 4)),
        heat_pair=np.zeros((ntime, nbaths * (nbaths - 1) // 2)),
        rho=np.zeros((ntime if record.rho else 0, d, d), complex),
    )


def _flight(tables: JumpTables, n: int, larger_blocks: int, record: Record, room: int) -> Flight:
    """As many slots as serve the lanes of every block and fit into the buffer."""
    ntime, nbaths, nops, m = len(tables.times), tables.quantum.shape[1], len(tables.e_ops), tables.basis.shape[1]
    shots = ntime if record.rho else 0
    per_slot = 8 * ntime * (nbaths + nops) + 16 * shots * m + 12 * room
    slots = min(_MOST_SLOTS, _SLOTS_PER_BLOCK * (1 + larger_blocks), n, max(WIDTH, _BUFFER // max(1, per_slot)))
    return Flight(
        traveller=np.zeros(slots, TRAVELLER),
        psi=np.zeros((slots, m), complex),
        heat=np.zeros((slots, ntime, nbaths)),
        value=np.zeros((slots, ntime, nops)),
        load=np.zeros((slots, 0, 2)),
        snapshot=np.zeros((slots, shots, m), complex),
        snapshot_block=np.zeros((slots, shots), np.int64),
        weight=np.empty(len(tables.closing)),
        before=np.zeros(m, complex),
        log_time=np.empty((slots, room)),
        log_channel=np.empty((slots, room), np.int32),
    )
