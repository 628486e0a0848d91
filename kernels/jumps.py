"""Ensembles of quantum jump trajectories: many under way at once, sixteen of the same block side by side.

Trajectories lie in slots.  One in a block of a single state hops on by closed form until it lands or enters a larger
block; there it queues.  Sixteen from the longest queue make one search together, and each then jumps, passes a stop or
queues again.  Which trajectories share a search changes no bit of any of them, since lanes are computed alone.  What
they leave at their stops is added up in the order of their ids, so the sums do not depend on it either.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, lend
from .jump_board import Queues, alight, board, enqueue, longest
from .jump_flight import TRAVELLER, Columns, Flight, hop, land, open_flight, pass_stop
from .jump_loads import begin_dwells, end_dwells
from .jump_search import Bench, descend, elect, expand, locate, make_bench, settle
from .jump_sums import Sums, add
from .jump_tables import JumpTables
from .kicks import KickBench, make_kick_bench
from .lanes import WIDTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

_SLOTS_PER_BLOCK = 8 * WIDTH
_MOST_SLOTS = 2048
_BUFFER = 2**26  # bytes that what is left at the stops may take
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
        queue, ready = longest(queues), 0
        if queue >= 0:
            block, ready, top = board(tables, flight, bench, queues, queue, seed)
            if dwelling is not None:
                begin_dwells(kicks, block, tables.block[block].size, bench, dwells)
            descend(tables, block, bench, top)
            expand(tables, block, bench)
            locate(tables, block, bench)
            settle(tables, block, bench)
            elect(tables, block, bench)
            if dwelling is not None:
                end_dwells(tables, kicks, flight, bench, dwells, queues.ready, block, ready)
            alight(tables, flight, columns, bench, queues, block, ready)
        while opened < stop and opened - folded < window:
            open_flight(tables, flight, columns, opened % window, seed, opened, opened - start)
            queues.ready[ready] = opened % window
            opened, ready = opened + 1, ready + 1
        for k in range(ready):
            slot = queues.ready[k]
            while flight.traveller[slot].landed == 0 and hop(tables, flight, columns, slot, seed):
                pass_stop(tables, flight, columns, slot)
                if flight.traveller[slot].stop == tables.times.shape[0]:
                    land(tables, flight, columns, slot, seed)
            if flight.traveller[slot].landed == 0:
                enqueue(tables, flight, queues, slot)
        while folded < opened and flight.traveller[folded % window].landed == 1:
            add(tables, flight, sums, folded % window)
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
) -> tuple[dict[str, NDArray[Any]], int]:
    """Run once with room for so many jumps; return the result and how many there were."""
    n, (ntime, nbaths, nops) = stop - start, (len(tables.times), tables.quantum.shape[1], len(tables.e_ops))
    m, d, nloads = tables.basis.shape[1], int(np.max(tables.basis)) + 1, len(tables.load_energy)
    columns = Columns(
        initial=np.empty(n, np.int32),
        final=np.empty(n, np.int32),
        counts=np.empty((n, len(tables.quantum)), np.int32),
        closing_energy=np.empty(n),
        status=np.empty(n, np.uint8),
        load=np.zeros((n, nloads, 2)),
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
    slots = min(_MOST_SLOTS, _SLOTS_PER_BLOCK * max(1, larger_blocks), n, max(WIDTH, _BUFFER // max(1, per_slot)))
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    flight = Flight(
        traveller=np.zeros(slots, TRAVELLER),
        psi=np.zeros((slots, m), complex),
        heat=np.zeros((slots, ntime, nbaths)),
        value=np.zeros((slots, ntime, nops)),
        load=np.zeros((slots, nloads, 2)),
        snapshot=np.zeros((slots, shots, m), complex),
        snapshot_block=np.zeros((slots, shots), np.int64),
        weight=np.empty(len(tables.closing)),
        before=np.zeros(m, complex),
    )
    queues = Queues(
        slot=np.zeros((2 * larger_blocks, slots), np.int64),
        head=np.zeros(2 * larger_blocks, np.int64),
        length=np.zeros(2 * larger_blocks, np.int64),
        ready=np.zeros(slots + WIDTH, np.int64),
    )
    bench = make_bench(m, int(tables.block["order"].max()), exits)
    dwelling = make_kick_bench(m, nloads) if nloads else None
    _fly(tables, flight, columns, sums, bench, dwelling, queues, np.uint64(seed), start, stop)
    logged = int(columns.logged[0])
    result: dict[str, NDArray[Any]] = {
        "initial": columns.initial,
        "final": columns.final,
        "counts": columns.counts,
        "closing_energy": columns.closing_energy,
        "status": columns.status,
        "load_heat": _by_bath(columns.load[:, :, 0], tables.load_bath, nbaths),
        "load_work": np.ascontiguousarray(columns.load[:, :, 1]),
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


def _by_bath(heat: Floats, bath: Ints, nbaths: int) -> Floats:
    """Heat of loads (n, nloads) as heat from baths (n, nbaths)."""
    total = np.zeros((len(heat), nbaths))
    for n, b in enumerate(bath):
        total[:, b] += heat[:, n]
    return total


def _by_trajectory(columns: Columns, logged: int) -> dict[str, NDArray[Any]]:
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
