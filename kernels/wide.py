"""Ensembles of trajectories of wide states: quantum jumps by marches, collisions by gates.

The flight is that of the smaller systems, with their random numbers and records; what waits is another.  Jumps board,
search and alight sixteen at a time.  Collisions keep their seats until their event comes, because a period is short
beside the way in and out of the lanes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, lend
from .events import _as_signed, _counted
from .events import hop as hop_periods
from .gates import all_seats, reached, seat, sweep, unseat, vacate
from .jump_board import Queues, alight, board, enqueue, longest
from .jump_flight import TRAVELLER, Columns, Flight, hop
from .jump_search import EVENT, JUMP, NONE, Bench, descend, elect, expand, locate, make_bench, settle
from .jump_sums import Sums, add
from .jumps import TOTALS, Record, _by_trajectory, _expected_jumps
from .lanes import WIDTH
from .march import march
from .wide_flight import land_wide, open_wide, pass_wide
from .wide_tables import WideTables

Ints = NDArray[np.int64]
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
        queue, ready = longest(queues), 0
        if queue >= 0:
            block, ready, top = board(tables, flight, bench, queues, queue, seed)
            if tables.marching[block] > 0:
                march(tables, block, bench, top)
            else:
                descend(tables, block, bench, top)
            expand(tables, block, bench)
            locate(tables, block, bench)
            settle(tables, block, bench)
            elect(tables, block, bench)
            alight(tables, flight, columns, bench, queues, block, ready)
        while opened < n and opened - folded < window:
            open_wide(tables, flight, columns, opened % window, seed, start + opened, opened)
            queues.ready[ready] = opened % window
            opened, ready = opened + 1, ready + 1
        for k in range(ready):
            slot = queues.ready[k]
            while flight.traveller[slot].landed == 0 and hop(tables, flight, columns, slot, seed):
                pass_wide(tables, flight, columns, slot)
                if flight.traveller[slot].stop == tables.times.shape[0]:
                    land_wide(tables, flight, columns, slot, seed)
            if flight.traveller[slot].landed == 0:
                enqueue(tables, flight, queues, slot)
        while folded < opened and flight.traveller[folded % window].landed == 1:
            add(tables, flight, sums, folded % window)
            folded += 1


@borrowed
def _fly_periods(
    tables: WideTables,
    flight: Flight,
    columns: Columns,
    sums: Sums,
    bench: Bench,
    queues: Queues,
    seats: Ints,
    seed: np.uint64,
    start: int,
    n: int,
) -> None:
    """Run the trajectories `start` ... `start` + n - 1 of a repeated process.

    `seats` (WIDTH,) tells the slot in each lane, -1 for none; all lanes hold states of one block.
    """
    window = flight.traveller.shape[0]
    tables, flight, columns, sums = lend(tables), lend(flight), lend(columns), lend(sums)
    bench, queues = lend(bench), lend(queues)
    folded, opened, queue, block, seated = 0, 0, -1, 0, 0
    while folded < n:
        ready, waiting = 0, longest(queues)
        # lanes that nobody fills are given up for a longer queue
        if queue >= 0 and queues.length[queue] == 0 and waiting >= 0 and queues.length[waiting] >= 2 * seated:
            all_seats(bench)
            for l in range(WIDTH):
                if seats[l] >= 0:
                    unseat(tables, flight, columns, bench, seats[l], l)
                    enqueue(tables, flight, queues, seats[l])
                    seats[l] = -1
            seated, queue = 0, -1
        if queue < 0 and waiting >= 0:
            queue = waiting
            block = flight.traveller[queues.slot[queue, queues.head[queue]]].block
            for l in range(WIDTH):
                vacate(tables, block, bench, l)
        if queue >= 0:
            for l in range(WIDTH):
                if seats[l] < 0 and queues.length[queue] > 0:
                    head = queues.head[queue]
                    seats[l] = queues.slot[queue, head]
                    queues.head[queue] = 0 if head + 1 == queues.slot.shape[1] else head + 1
                    queues.length[queue] -= 1
                    seat(tables, flight, bench, seats[l], l, seed)
                    seated += 1
        if seated > 0:
            sweep(tables, block, bench)
            jumped = False
            for l in range(WIDTH):
                jumped = jumped or bench.lane[EVENT, l] == JUMP
            if jumped:
                elect(tables, block, bench)
            for l in range(WIDTH):
                if seats[l] >= 0 and bench.lane[EVENT, l] != NONE:
                    unseat(tables, flight, columns, bench, seats[l], l)
                    queues.ready[ready] = seats[l]
                    seats[l], ready, seated = -1, ready + 1, seated - 1
                    vacate(tables, block, bench, l)
        while opened < n and opened - folded < window:
            open_wide(tables, flight, columns, opened % window, seed, start + opened, opened)
            queues.ready[ready] = opened % window
            opened, ready = opened + 1, ready + 1
        for k in range(ready):
            slot = queues.ready[k]
            while flight.traveller[slot].landed == 0 and (
                hop_periods(tables, flight, columns, slot, seed) or reached(tables, flight, slot)
            ):
                pass_wide(tables, flight, columns, slot)
                if flight.traveller[slot].stop == tables.times.shape[0]:
                    land_wide(tables, flight, columns, slot, seed)
            if flight.traveller[slot].landed == 0:
                enqueue(tables, flight, queues, slot)
        while folded < opened and flight.traveller[folded % window].landed == 1:
            add(tables, flight, sums, folded % window)
            folded += 1


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
    capacity = _expected_jumps(tables, stop - start) if record.jumps else 0  # type: ignore[arg-type]
    result, logged = _run(tables, periods, seed, start, stop, record, capacity)
    if record.jumps and logged > capacity:  # all have been counted, so the second time there is room
        result, _ = _run(tables, periods, seed, start, stop, record, logged)
    return result


def _run(
    tables: WideTables, periods: bool, seed: int, start: int, stop: int, record: Record, capacity: int
) -> tuple[Raw, int]:
    """Run once with room for so many jumps; return the result and how many there were."""
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
    per_slot = 8 * ntime * (nbaths + nops) + 16 * shots * m
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
    )
    larger_blocks = int(tables.block["queue"].max()) + 1
    queues = Queues(
        slot=np.zeros((2 * larger_blocks, slots), np.int64),
        head=np.zeros(2 * larger_blocks, np.int64),
        length=np.zeros(2 * larger_blocks, np.int64),
        ready=np.zeros(slots + WIDTH, np.int64),
    )
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    if periods:
        bench = make_bench(m, 0, exits)
        seats = np.full(WIDTH, -1)
        _fly_periods(tables, flight, columns, sums, bench, queues, seats, np.uint64(seed), _as_signed(start), n)
    else:
        bench = make_bench(m, int(tables.block["order"].max(initial=2)), exits)
        _fly_jumps(tables, flight, columns, sums, bench, queues, np.uint64(seed), _as_signed(start), n)
    logged = int(columns.logged[0])
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
    if record.jumps:
        log = _by_trajectory(columns, min(logged, capacity))
        result |= _counted(tables, log) if periods else log  # type: ignore[arg-type]
    return result, logged
