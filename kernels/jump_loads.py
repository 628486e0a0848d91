"""What trajectories exchange with loads: the dwells of a search, and kicks (see `kicks` for what is integrated)."""

from typing import Any

from .borrowed import borrowed
from .jump_flight import Flight
from .jump_search import EVENT, NONE, PLACE, STEPS, Bench
from .jump_tables import JumpTables
from .kicks import KickBench, KickTables, dwell
from .lanes import load, select, splat, store


@borrowed
def begin_dwells(kicks: KickTables, block: int, m: int, bench: Bench, dwelling: KickBench) -> None:
    """Remember the lanes' states and times at the beginning of a search."""
    if kicks.longest[block] == 0.0:
        return
    for row in range(2 * m):
        store(dwelling.here, row, load(bench.state, row))
    store(dwelling.steps, 0, load(bench.lane, STEPS))


@borrowed
def end_dwells(
    tables: JumpTables,
    kicks: KickTables,
    flight: Flight,
    bench: Bench,
    dwelling: KickBench,
    slots: Any,
    block: int,
    count: int,
) -> None:
    """Add to the slots what loads exchanged since the search began, without a jump."""
    if kicks.longest[block] == 0.0:
        return
    lane, gained, loads = bench.lane, dwelling.gained, flight.load
    for row in range(gained.shape[0]):
        store(gained, row, splat(0.0))
    place = select(load(lane, EVENT) > splat(float(NONE)), load(lane, PLACE), splat(0.0))
    time = (load(lane, STEPS) - load(dwelling.steps, 0) + place) * splat(tables.block[block].step)
    dwell(kicks, block, tables.block[block].size, time, bench.state, dwelling)
    for l in range(count):
        for n in range(loads.shape[1]):
            loads[slots[l], n, 0] += gained[2 * n, l]
            loads[slots[l], n, 1] += gained[2 * n + 1, l]
