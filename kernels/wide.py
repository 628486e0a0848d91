"""Ensembles of trajectories of wide states: quantum jumps by marches, collisions by gates.

The flight is that of the smaller systems, with their random numbers and records; what waits is another.  Jumps board,
search and alight sixteen at a time.  Collisions keep their seats until their event comes, because a period is short
beside the way in and out of the lanes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from .jump_flight import TRAVELLER, Columns, Flight, unload
from .jump_search import EVENT, STAY, Bench, descend, elect, expand, locate, make_bench, settle
from .jump_sums import Sums, add
from .jumps import TOTALS, Record, expected_jumps, jumps_of, wait
from .lanes import WIDTH
from .march import march
from .wide_flight import open_wide, pass_wide
from .wide_tables import WideTables

Raw = dict[str, NDArray[Any]]

_MOST_SLOTS = 2048
_WIDE_SLOTS = 256  # however wide the states are
_STATES = 2**26  # bytes of states up to which there are more
_BUFFER = 2**26  # bytes that what is left at the stops may take


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
                wait(bench)
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
    for k in range(alight(tables, flight, columns, bench, queues, slots, count)):
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
            wait_periods(alone)
            elect_known(tables, flight, alone, queues, ready)
            _leave(tables, flight, columns, alone, queues, queues.ready, ready, seed)
        waiting = longest(queues, SINGLES + 1)
        # lanes that nobody fills are given up for a longer queue
        if seated > 0 and queues.length[queue] == 0 and queues.length[waiting] >= 2 * seated:
            all_rise(bench, seats)
            alight(tables, flight, columns, bench, queues, seats, WIDTH)
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
    result, logged = _run(tables, periods, seed, start, stop, record, room)
    if record.jumps and (logged[0] > room[0] or logged[1] > room[1]):  # counted now, so this time there is room
        result, _ = _run(tables, periods, seed, start, stop, record, logged)
    return result


def _run(
    tables: WideTables, periods: bool, seed: int, start: int, stop: int, record: Record, room: tuple[int, int]
) -> tuple[Raw, tuple[int, int]]:
    """Run once with room for so many jumps of all and of one trajectory; return the result and how many there were."""
    n, m, d = stop - start, tables.basis.shape[1], int(np.max(tables.basis)) + 1
    ntime, nbaths = len(tables.times), tables.quantum.shape[1]
    nops = (len(tables.look_start) - 1) // d - 1
    columns = Columns(
        initial=np.empty(n, np.int32),
        final=np.empty(n, np.int32),
        counts=np.empty((n, len(tables.quantum)), np.int32),
        closing_energy=np.empty(n),
        status=np.empty(n, np.uint8),
        load=np.zeros((n, 0, 2)),
        state=np.zeros((n if record.final_state else 0, d), complex),
        states=np.zeros((n if record.states else 0, ntime, d), complex),
        row_size=np.zeros(n, np.int64),
        jump_time=np.empty(room[0]),
        jump_channel=np.empty(room[0], np.int32),
        logged=np.zeros(2, np.int64),
    )
    sums = Sums(
        expect=np.zeros((ntime, nops, 2)),
        heat_power=np.zeros((ntime, nbaths, 4)),
        heat_pair=np.zeros((ntime, nbaths * (nbaths - 1) // 2)),
        rho=np.zeros((ntime if record.rho else 0, d, d), complex),
    )
    shots = ntime if record.rho else 0
    per_slot = 8 * ntime * (nbaths + nops) + 16 * shots * m + 12 * room[1]
    slots = min(_MOST_SLOTS, n, max(_WIDE_SLOTS, _STATES // (16 * m)), max(WIDTH, _BUFFER // max(1, per_slot)))
    flight = Flight(
        traveller=np.zeros(slots, TRAVELLER),
        psi=np.zeros((slots, m), complex),
        heat=np.zeros((slots, ntime, nbaths)),
        value=np.zeros((slots, ntime, nops)),
        load=np.zeros((slots, 0, 2)),
        snapshot=np.zeros((slots, shots, m), complex),
        snapshot_block=np.zeros((slots, shots), np.int64),
        weight=np.empty(int(np.max(tables.block["closing_end"] - tables.block["closing_first"]))),
        before=np.zeros(m, complex),
        log_time=np.empty((slots, room[1])),
        log_channel=np.empty((slots, room[1]), np.int32),
    )
    queues = make_queues(int(np.count_nonzero(tables.block["size"] > 1)), slots)
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    if periods:
        benches, seats = (make_bench(m, 0, exits), make_bench(1, 0, 0)), np.full(WIDTH, EMPTY)
        _fly_periods(tables, flight, columns, sums, *benches, queues, seats, np.uint64(seed), as_signed(start), n)
    else:
        bench = make_bench(m, int(tables.block["order"].max(initial=2)), exits)
        _fly_jumps(tables, flight, columns, sums, bench, queues, np.uint64(seed), as_signed(start), n)
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
        log = jumps_of(columns)
        result |= counted(tables, log) if periods else log  # type: ignore[arg-type]
    return result, logged
