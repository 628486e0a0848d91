"""Room for what trajectories leave behind: columns, sums and slots of a chunk before it runs, its result afterwards.

The engines of jumps, of collisions by events and of wide states differ in their tables and in their inner loops; what a
chunk of them returns is the same, and is put together here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .jump_flight import TRAVELLER, Columns, Flight
from .jump_sums import Sums
from .lanes import WIDTH

Raw = dict[str, NDArray[Any]]
Room = tuple[int, int]

BUFFER = 2**26  # bytes that what is left at the stops may take


class Sizes(NamedTuple):
    """How large the arrays of a chunk are.

    Attributes
    ----------
    n : int
        Trajectories.
    m, d : int
        Amplitudes of the largest block; states in all.
    parts : int
        Real coordinates of an amplitude.
    ntime, nbaths, ncounts, nops, nloads : int
    closings : int
        Most closing outcomes that any block has.
    """

    n: int
    m: int
    d: int
    parts: int
    ntime: int
    nbaths: int
    ncounts: int
    nops: int
    nloads: int
    closings: int


def sizes_of(tables: Any, n: int, nops: int, nloads: int = 0) -> Sizes:
    """Sizes of n trajectories with some `JumpTables` or `WideTables`."""
    m, d = tables.basis.shape[1], int(np.max(tables.basis)) + 1
    closings = int(np.max(tables.block["closing_end"] - tables.block["closing_first"]))
    ncounts, nbaths = tables.quantum.shape
    return Sizes(n, m, d, tables.parts, len(tables.times), nbaths, ncounts, nops, nloads, closings)


def make_columns(sizes: Sizes, record: Any, room: Room) -> Columns:
    """Columns without a trajectory in them, with room for so many events of all together."""
    n = sizes.n
    return Columns(
        initial=np.empty(n, np.int32),
        final=np.empty(n, np.int32),
        counts=np.empty((n, sizes.ncounts), np.int32),
        closing_energy=np.empty(n),
        status=np.empty(n, np.uint8),
        load=np.zeros((n, sizes.nloads, 2)),
        state=np.zeros((n if record.final_state else 0, sizes.d), complex),
        states=np.zeros((n if record.states else 0, sizes.ntime, sizes.d), complex),
        row_size=np.zeros(n, np.int64),
        jump_time=np.empty(room[0]),
        jump_channel=np.empty(room[0], np.int32),
        logged=np.zeros(2, np.int64),
    )


def make_sums(sizes: Sizes, record: Any) -> Sums:
    """Sums before the first trajectory."""
    ntime, nbaths, d = sizes.ntime, sizes.nbaths, sizes.d
    return Sums(
        expect=np.zeros((ntime, sizes.nops, 2)),
        heat_power=np.zeros((ntime, nbaths, 4)),
        heat_pair=np.zeros((ntime, nbaths * (nbaths - 1) // 2)),
        rho=np.zeros((ntime if record.rho else 0, d, d), complex),
    )


def slots_within(sizes: Sizes, record: Any, room: Room, wanted: int) -> int:
    """Number of slots: as many as are wanted, are of use and fit into the buffer."""
    shots = sizes.ntime if record.rho else 0
    each = 8 * sizes.ntime * (sizes.nbaths + sizes.nops) + 16 * shots * sizes.m + 12 * room[1]
    return min(wanted, sizes.n, max(WIDTH, BUFFER // max(1, each)))


def make_flight(sizes: Sizes, record: Any, room: Room, slots: int) -> Flight:
    """Slots without a traveller, each with room for so many events of one trajectory."""
    ntime, m = sizes.ntime, sizes.m
    shots = ntime if record.rho else 0
    return Flight(
        traveller=np.zeros(slots, TRAVELLER),
        psi=np.zeros((slots, sizes.parts * m)),
        heat=np.zeros((slots, ntime, sizes.nbaths)),
        value=np.zeros((slots, ntime, sizes.nops)),
        load=np.zeros((slots, sizes.nloads, 2)),
        snapshot=np.zeros((slots, shots, m), complex),
        snapshot_block=np.zeros((slots, shots), np.int64),
        weight=np.empty(sizes.closings),
        shown=np.zeros(m, complex),
        before=np.zeros(m, complex),
        log_time=np.empty((slots, room[1])),
        log_channel=np.empty((slots, room[1]), np.int32),
    )


def gathered(columns: Columns, sums: Sums, record: Any) -> Raw:
    """What a chunk returns, but for events and loads."""
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
    return result


def roomy(run: Callable[[Room], tuple[Raw, Columns]], record: Any, room: Room, log: Callable[[Columns], Raw]) -> Raw:
    """Run a chunk with room for the events that are expected, and once more if there were more: none is ever cut."""
    result, columns = run(room)
    logged = int(columns.logged[0]), int(columns.logged[1])
    if record.jumps and (logged[0] > room[0] or logged[1] > room[1]):  # counted now, so this time there is room
        result, columns = run(logged)
    return result | log(columns) if record.jumps else result
