"""Ensembles of trajectories of wide states: quantum jumps by marches, collisions by gates.

The flight is that of the smaller systems, with their random numbers and records; what waits is another.  Jumps board,
search and alight sixteen at a time.  Collisions keep their seats until their event comes, because a period is short
beside the way in and out of the lanes.
"""

from typing import Any

import numpy as np

from .borrowed import borrowed, inner, lend
from .events import as_signed, counted
from .events import wait as wait_periods
from .gates import EMPTY, Seats, all_rise, rise, seat, sweep, vacate
from .jump_board import (
    SINGLES,
    Queues,
    alight,
    begin_search,
    board,
    dequeue,
    elect_known,
    end_search,
    enqueue,
    first_block,
    longest,
    make_queues,
)
from .jump_flight import Columns, Flight, unload
from .jump_room import Raw, gathered, make_columns, make_flight, make_sums, roomy, sizes_of, slots_within
from .jump_search import EVENT, STAY, Bench, descend, elect, expand, locate, make_bench, settle
from .jump_sums import Sums, add
from .jumps import TOTALS, Record, expected_jumps, jumps_of, wait
from .lanes import WIDTH
from .march import march
from .wide_flight import open_wide, pass_wide
from .wide_tables import WideTables

_MOST_SLOTS = 2048
_WIDE_SLOTS = 256  # however wide the states are
_STATES = 2**26  # bytes of states up to which there are more


@borrowed
def _fly_jumps(
    tables: WideTables,
    flight: Flight,
    columns: Columns,
    sums: Sums,
    bench: Bench,
    queues: Queues,
    seed: np.uint64,
    start: int,
    n: int,
) -> None:
    """Run the trajectories `start` ... `start` + n - 1 of a continuous process."""
    window = flight.traveller.shape[0]
    tables, flight, columns, sums = lend(tables), lend(flight), lend(columns), lend(sums)
    bench, queues = lend(bench), lend(queues)
    folded, opened = 0, 0
    while folded < n:
        opened = _open(tables, flight, columns, queues, seed, start, opened, min(n, folded + window))
        queue = longest(queues, SINGLES)
        if queues.length[queue] > 0:
            block = first_block(flight, queues, queue)
            ready = board(tables, flight, bench, queues, queue, seed)
            if queue == SINGLES:
                wait(tables, bench)
                elect_known(tables, flight, bench, queues, ready)
            else:
                top = begin_search(tables, block, bench, queue)
                if tables.marching[block] > 0:
                    march(tables, block, bench, top)
                else:
                    descend(tables, block, bench, top)
                expand(tables, block, bench)
                locate(tables, block, bench)
                settle(tables, block, bench)
                elect(tables, block, bench)
                end_search(tables, block, bench)
            _leave(tables, flight, columns, bench, queues, queues.ready, ready, seed)
        folded = _fold(tables, flight, columns, sums, folded, opened)


@inner
def _open(
    tables: WideTables,
    flight: Flight,
    columns: Columns,
    queues: Queues,
    seed: np.uint64,
    start: int,
    opened: int,
    end: int,
) -> int:
    """Open trajectories from `start` + `opened` on, as long as there are slots; return how many are open."""
    for number in range(opened, end):
        slot = number % flight.traveller.shape[0]
        open_wide(tables, flight, columns, slot, seed, start + number, number)
        if flight.traveller[slot].landed == 0:
            enqueue(tables, flight, queues, slot)
    return max(opened, end)


@inner
def _leave(
    tables: WideTables,
    flight: Flight,
    columns: Columns,
    bench: Bench,
    queues: Queues,
    slots: Any,
    count: int,
    seed: np.uint64,
) -> None:
    """Let lanes alight, and pass stops."""
    for k in range(alight(tables, flight, columns, bench, None, queues, slots, count)):
        pass_wide(tables, flight, columns, queues.ready[k], seed)
        if flight.traveller[queues.ready[k]].landed == 0:
            enqueue(tables, flight, queues, queues.ready[k])


@inner
def _fold(tables: WideTables, flight: Flight, columns: Columns, sums: Sums, folded: int, opened: int) -> int:
    """Add up what landed trajectories left, in the order of their ids; return how many are added."""
    window = flight.traveller.shape[0]
    while folded < opened and flight.traveller[folded % window].landed == 1:
        add(tables, flight, sums, folded % window)
        unload(flight, columns, folded % window)
        folded += 1
    return folded


@borrowed
def _fly_periods(
    tables: WideTables,
    flight: Flight,
    columns: Columns,
    sums: Sums,
    bench: Bench,
    alone: Bench,
    queues: Queues,
    seats: Seats,
    seed: np.uint64,
    start: int,
    n: int,
) -> None:
    """Run the trajectories `start` ... `start` + n - 1 of a repeated process.

    `seats` (WIDTH,) tells the slot in each lane; all lanes hold states of one block.  Those in blocks of one state have
    their lanes in `alone`.
    """
    window = flight.traveller.shape[0]
    tables, flight, columns, sums = lend(tables), lend(flight), lend(columns), lend(sums)
    bench, alone, queues = lend(bench), lend(alone), lend(queues)
    folded, opened, queue, block, seated = 0, 0, SINGLES, 0, 0
    while folded < n:
        opened = _open(tables, flight, columns, queues, seed, start, opened, min(n, folded + window))
        if queues.length[SINGLES] > 0:
            ready = board(tables, flight, alone, queues, SINGLES, seed)
            wait_periods(tables, alone)
            elect_known(tables, flight, alone, queues, ready)
            _leave(tables, flight, columns, alone, queues, queues.ready, ready, seed)
        waiting = longest(queues, SINGLES + 1)
        # lanes that nobody fills are given up for a longer queue
        if seated > 0 and queues.length[queue] == 0 and queues.length[waiting] >= 2 * seated:
            all_rise(bench, seats)
            alight(tables, flight, columns, bench, None, queues, seats, WIDTH)
            seated = 0
        if seated == 0 and queues.length[waiting] > 0:
            queue, block = waiting, first_block(flight, queues, waiting)
            for l in range(WIDTH):
                seats[l] = EMPTY
                vacate(tables, block, bench, l)
        for l in range(WIDTH):
            while seats[l] == EMPTY and queues.length[queue] > 0 and queue > SINGLES:
                slot = dequeue(queues, queue)
                if flight.traveller[slot].until - flight.traveller[slot].time < 1.0:
                    pass_wide(tables, flight, columns, slot, seed)
                    if flight.traveller[slot].landed == 0:
                        enqueue(tables, flight, queues, slot)
                else:
                    seat(tables, flight, bench, slot, l, seed)
                    seats[l] = slot
                    seated += 1
        if seated > 0:
            sweep(tables, block, bench)
            elect(tables, block, bench)
            seated -= rise(bench, seats)
            _leave(tables, flight, columns, bench, queues, seats, WIDTH, seed)
            for l in range(WIDTH):
                if bench.lane[EVENT, l] != STAY:
                    seats[l] = EMPTY
                    vacate(tables, block, bench, l)
        folded = _fold(tables, flight, columns, sums, folded, opened)


def run_wide(tables: WideTables, periods: bool, seed: int, start: int, stop: int, record: Record = TOTALS) -> Raw:
    """Run trajectories `start` ... `stop` - 1 of a seed; as `run_jumps`, or as `run_events` with times in periods.

    Parameters
    ----------
    tables : WideTables
    periods : bool
        Whether the process is a repeated one.
    seed, start, stop : int
    record : Record
    """
    room = expected_jumps(tables, stop - start) if record.jumps else (0, 0)  # type: ignore[arg-type]

    def log(columns: Columns) -> Raw:
        return counted(tables, jumps_of(columns)) if periods else jumps_of(columns)  # type: ignore[arg-type]

    return roomy(lambda room: _run(tables, periods, seed, start, stop, record, room), record, room, log)


def _run(
    tables: WideTables, periods: bool, seed: int, start: int, stop: int, record: Record, room: tuple[int, int]
) -> tuple[Raw, Columns]:
    """Run once with room for so many jumps of all and of one trajectory; return the result and the columns."""
    d = int(np.max(tables.basis)) + 1
    sizes = sizes_of(tables, stop - start, (len(tables.look_start) - 1) // d - 1)
    columns, sums = make_columns(sizes, record, room), make_sums(sizes, record)
    slots = slots_within(sizes, record, room, min(_MOST_SLOTS, max(_WIDE_SLOTS, _STATES // (16 * sizes.m))))
    flight = make_flight(sizes, record, room, slots)
    queues = make_queues(tables.block, slots)
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    first, n = as_signed(start), sizes.n
    if periods:
        benches, seats = (make_bench(sizes.parts * sizes.m, 0, 0, exits), make_bench(2, 0, 0, 0)), np.full(WIDTH, EMPTY)
        _fly_periods(tables, flight, columns, sums, *benches, queues, seats, np.uint64(seed), first, n)
    else:
        bench = make_bench(
            sizes.parts * sizes.m, int(tables.block["order"].max(initial=2)), int(tables.block["degree"].max()), exits
        )
        _fly_jumps(tables, flight, columns, sums, bench, queues, np.uint64(seed), first, n)
    return gathered(columns, sums, record), columns
