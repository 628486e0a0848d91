"""Ensembles of quantum jump trajectories: many under way at once, sixteen of the same block side by side.

Trajectories lie in slots and queue in their blocks.  Sixteen from the longest queue find their next events together, by
closed form in blocks of one state, by a search in others, and each then jumps or passes a stop, and queues again. Which
trajectories share a search changes no bit of any of them, since lanes are computed alone.  What they leave at their
stops is added up in the order of their ids, so the sums do not depend on it either.
"""

from typing import Any, NamedTuple

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
from .jump_loads import begin_dwells, end_dwells
from .jump_room import Raw, gathered, make_columns, make_flight, make_sums, roomy, sizes_of, slots_within
from .jump_search import LIFETIME, THRESHOLD, TIME, UNTIL, Bench, descend, elect, expand, locate, make_bench, settle
from .jump_sums import Sums, add
from .jump_tables import JumpTables
from .kicks import KickBench, make_kick_bench
from .lanes import WIDTH, load

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

_SLOTS_PER_QUEUE = 4 * WIDTH
_MOST_SLOTS = 2048
_LONGEST_FIRST_LOG = 2**22


@borrowed
def _fly(
    tables: JumpTables,
    flight: Flight,
    columns: Columns,
    sums: Sums,
    bench: Bench,
    dwelling: KickBench | None,
    queues: Queues,
    seed: np.uint64,
    start: int,
    stop: int,
) -> None:
    """Run the trajectories `start` ... `stop` - 1."""
    window = flight.traveller.shape[0]
    # without loads `dwelling` is None: Numba then leaves these branches out, and does not compile what they call
    if dwelling is not None:
        kicks, dwells = lend(tables.kicks), lend(dwelling)
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
        while opened < stop and opened - folded < window:
            slot = opened % window
            open_flight(tables, flight, columns, slot, seed, opened, opened - start)
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
                top = begin_search(tables, block, bench, queue)
                if dwelling is not None:
                    begin_dwells(kicks, block, tables.block[block].size, bench, dwells)
                descend(tables, block, bench, top)
                expand(tables, block, bench)
                locate(tables, block, bench)
                settle(tables, block, bench)
                elect(tables, block, bench)
                end_search(tables, block, bench)
                if dwelling is not None:
                    end_dwells(tables, kicks, flight, bench, dwells, queues.ready, block, ready)
            for k in range(alight(tables, flight, columns, bench, dwelling, queues, queues.ready, ready)):
                pass_stop(tables, flight, columns, queues.ready[k], seed)
                if flight.traveller[queues.ready[k]].landed == 0:
                    enqueue(tables, flight, queues, queues.ready[k])
        while folded < opened and flight.traveller[folded % window].landed == 1:
            add(tables, flight, sums, folded % window)
            unload(flight, columns, folded % window)
            folded += 1


@inner
def wait(tables: JumpTables, bench: Bench) -> None:
    """Leave blocks of one state after -ln r lifetimes, infinite in a dark state, or come to the stop before."""
    waited = load(bench.lane, THRESHOLD) * load(bench.lane, LIFETIME)
    leave(tables, bench, waited, waited >= load(bench.lane, UNTIL) - load(bench.lane, TIME))


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


def run_jumps(tables: JumpTables, seed: int, start: int, stop: int, record: Record = TOTALS) -> dict[str, NDArray[Any]]:
    """Run trajectories `start` ... `stop` - 1 of a seed.

    The result is a function of tables, seed and ids alone; columns and jumps of a trajectory do not depend on which
    others run beside it.  Releases the GIL.

    Returns
    -------
    dict of arrays, n = stop - start
        initial, final (n,) int32; counts (n, ncounts) int32; closing_energy (n,) float64; status (n,) uint8 (0: fine,
        1: no channel takes the state out although its norm fell);
        load_heat (n, nbaths), load_work (n, nloads) float64, what loads exchanged by expectation;
        expect_sum (ntime, nops, 2), heat_power_sums (ntime, nbaths, 4), heat_pair_sums (ntime, npairs) float64;
        on request final_state (n, d), states (n, ntime, d), rho_sum (ntime, d, d) complex128;
        for the jumps row_size (n,) int64 and, trajectory by trajectory, jump_time float64 and jump_channel int32.
    """
    room = expected_jumps(tables, stop - start) if record.jumps else (0, 0)
    return roomy(lambda room: _run(tables, seed, start, stop, record, room), record, room, jumps_of)


def expected_jumps(tables: JumpTables, n: int) -> tuple[int, int]:
    """Guess how many jumps n trajectories make, and one of them: twice as many as at the mean rate of all states."""
    each = min(2.0 * (tables.mean_rate * tables.times[-1] + 8.0), _LONGEST_FIRST_LOG)
    return int(min(n * each, _LONGEST_FIRST_LOG)), int(each)


def _run(
    tables: JumpTables, seed: int, start: int, stop: int, record: Record, room: tuple[int, int]
) -> tuple[Raw, Columns]:
    """Run once with room for so many jumps of all and of one trajectory; return the result and the columns."""
    nloads, nbaths = len(tables.load_energy), tables.quantum.shape[1]
    sizes = sizes_of(tables, stop - start, len(tables.e_ops), nloads)
    columns, sums = make_columns(sizes, record, room), make_sums(sizes, record)
    queues = int(tables.block["queues"].sum())
    slots = slots_within(sizes, record, room, min(_MOST_SLOTS, _SLOTS_PER_QUEUE * (2 + queues)))
    flight, rings = make_flight(sizes, record, room, slots), make_queues(tables.block, slots)
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    bench = make_bench(
        sizes.parts * sizes.m, int(tables.block["order"].max()), int(tables.block["degree"].max()), exits
    )
    dwelling = make_kick_bench(sizes.m, nloads) if nloads else None
    _fly(tables, flight, columns, sums, bench, dwelling, rings, np.uint64(seed), start, stop)
    loads = {
        "load_heat": _by_bath(columns.load[:, :, 0], tables.load_bath, nbaths),
        "load_work": np.ascontiguousarray(columns.load[:, :, 1]),
    }
    return gathered(columns, sums, record) | loads, columns


def _by_bath(heat: Floats, bath: Ints, nbaths: int) -> Floats:
    """Heat of loads (n, nloads) as heat from baths (n, nbaths)."""
    total = np.zeros((len(heat), nbaths))
    for n, b in enumerate(bath):
        total[:, b] += heat[:, n]
    return total


def jumps_of(columns: Columns) -> dict[str, NDArray[Any]]:
    """The jumps for which there was room."""
    total = columns.logged[0]
    return {
        "row_size": columns.row_size,
        "jump_time": columns.jump_time[:total],
        "jump_channel": columns.jump_channel[:total],
    }
