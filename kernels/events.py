"""Ensembles of collisions by events: from one period in which something happens to the next, in whole periods.

The flight of a trajectory is that of the jumps: what waits, searches and lands is shared with them.  Two things differ,
because time is whole.  An event happens in the first period after which the norm squared would have fallen to the
threshold: its operator acts on the state *before* that period, and it is timed at the end of it, which may be a stop.
And a block of one state is left after a number of periods with a geometric law.

Random numbers stand in the pairs of `jump_flight`, a function of seed, id and number of the event alone.
"""

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
from .jump_flight import Columns, Flight, open_flight, pass_stop, unload
from .jump_room import Raw, gathered, make_columns, make_flight, make_sums, roomy, sizes_of, slots_within
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

_SLOTS_PER_QUEUE = 4 * WIDTH
_MOST_SLOTS = 2048


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
def wait(tables: JumpTables, bench: Bench) -> None:
    """Leave blocks of one state after a whole number of periods, or come to the stop before.

    With chance q that nothing happens in a period, the event comes in the first period n with q^n <= r.
    """
    one = splat(1.0)
    waited = ceil(load(bench.lane, THRESHOLD) * load(bench.lane, LIFETIME))  # infinite where nothing can happen
    waited = select(waited > one, waited, one)
    leave(tables, bench, waited, waited > load(bench.lane, UNTIL) - load(bench.lane, TIME))


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
                wait(tables, bench)
                elect_known(tables, flight, bench, queues, ready)
            else:
                descend(tables, block, bench, begin_search(tables, block, bench, queue))
                arrive(bench)
                elect(tables, block, bench)
                end_search(tables, block, bench)
            for k in range(alight(tables, flight, columns, bench, None, queues, queues.ready, ready)):
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
    return roomy(
        lambda room: _run(tables, seed, start, stop, record, room),
        record,
        room,
        lambda columns: counted(tables, jumps_of(columns)),
    )


def _run(
    tables: JumpTables, seed: int, start: int, stop: int, record: Record, room: tuple[int, int]
) -> tuple[Raw, Columns]:
    """Run once with room for so many events of all and of one trajectory; return the result and the columns."""
    sizes = sizes_of(tables, stop - start, len(tables.e_ops))
    columns, sums = make_columns(sizes, record, room), make_sums(sizes, record)
    queues = int(tables.block["queues"].sum())
    slots = slots_within(sizes, record, room, min(_MOST_SLOTS, _SLOTS_PER_QUEUE * (2 + queues)))
    flight, rings = make_flight(sizes, record, room, slots), make_queues(tables.block, slots)
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    bench = make_bench(sizes.parts * sizes.m, 0, 0, exits)
    _fly(tables, flight, columns, sums, bench, rings, np.uint64(seed), as_signed(start), sizes.n)
    return gathered(columns, sums, record), columns


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
