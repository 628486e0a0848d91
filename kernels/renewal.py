"""Ensembles of collisions by events, where events prepare the state: from one to the next by looking up a table.

Sixteen trajectories take turns, an event each: what one has to wait for, the next one uses.  An event is a look-up of
the period in the survival of the state, and of the operator in the sums of their weights; see `renewal_tables`.  Where
the tables end, or the state was not prepared, the trajectory is searched alone (`renewal_flight`).

Records are those of `events` for the same seed and ids, but for roundings.  They do not depend on who takes turns with
whom, and sums are taken in the order of ids.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic
import numpy as np

from .borrowed import borrowed, inlined, inner, lend
from .jump_room import Raw, Room, gathered, make_columns, make_sums, roomy, sizes_of
from .jumps import TOTALS, Record
from .lanes import WIDTH, fma, load, mask, splat
from .philox import block, to_double
from .renewal_flight import (
    SMALLEST_THRESHOLD,
    TRAVELLER,
    Group,
    apply,
    elect,
    fold,
    later,
    lose,
    open_flight,
    pass_stops,
    search,
    turn,
)
from .renewal_laws import BEYOND, BINS
from .renewal_states import NOWHERE
from .renewal_tables import RenewalTables

_TOGETHER = 16
_LONGEST_FIRST_LOG = 2**22


@intrinsic
def number_set(typing: Any, where: Any) -> Any:
    """Return in how many lanes the mask is set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(WIDTH))
        count = get_or_insert_function(
            builder.module, ir.FunctionType(bits.type, [bits.type]), f"llvm.ctpop.i{WIDTH}"
        )
        return builder.zext(builder.call(count, [bits]), ir.IntType(64))

    return types.int64(mask), generate


@inlined
def look_up_period(tables, here, state, threshold):
    """Return the first period n with S_n <= threshold; NOWHERE if the survival is not tabulated so far."""
    start = tables.guide[np.uint64(state * BINS) + np.uint64(threshold * BINS)]
    if start == BEYOND:
        return NOWHERE
    row, r = np.int64(here.row) + np.int64(start), splat(threshold)
    above = number_set(load(tables.survival, row) > r) + number_set(load(tables.survival, row + 1) > r)
    n = np.int64(start) * WIDTH + above
    row += 1
    while above == 2 * WIDTH:
        row += 1
        more = number_set(load(tables.survival, row) > r)
        n += more
        above = WIDTH + more
    return n


@inlined
def look_up_exit(tables, block, entry, u):
    """Return the exit from a state whose density matrix is tabulated; NOWHERE if its weight is lost in rounding."""
    first, density, reach, whole, weight = (
        tables.block[block].exit_first,
        tables.density,
        tables.reach,
        tables.whole,
        tables.weight,
    )
    numbers = density.shape[1]
    row, chunks = block * (reach.shape[0] // whole.shape[0]), reach.shape[0] // (whole.shape[0] * numbers)
    total = 0.0
    for i in range(numbers):
        total = fma(whole[block, i], density[entry, i], total)
    mark = splat(u * total)
    chosen = 0
    for _ in range(chunks):
        reached = splat(0.0)
        for i in range(numbers):
            reached = fma(load(reach, row + i), splat(density[entry, i]), reached)
        chosen += number_set(reached <= mark)
        row += numbers
    x = first + chosen
    if x >= tables.block[block].exit_end:
        return NOWHERE
    rate = 0.0
    for i in range(numbers):
        rate = fma(weight[x, i], density[entry, i], rate)
    return x if rate > tables.block[block].least * density[entry, 0] else NOWHERE


@inner
def advance(tables, group, columns, active, half):
    """Let everybody under way have an event, or land; return how many are still under way."""
    k = 0
    while k < active:
        t = group.order[k]
        traveller = group.traveller[t]
        u, threshold = group.number[t, half], traveller.threshold
        n, state = NOWHERE, traveller.state
        if state >= 0:
            here = tables.prepared[state]
            n = look_up_period(tables, here, state, threshold)
        searched = n < 0
        if searched:
            n = search(tables, group, t)
        time = traveller.time + n
        if time > traveller.until and pass_stops(tables, group, columns, t, time, u):
            active -= 1
            group.order[k] = group.order[active]
            continue
        x = NOWHERE
        if not searched or tables.block[traveller.block].size == 1:
            here = tables.prepared[state]
            x = look_up_exit(tables, traveller.block, np.int64(here.density) + (n - 1) * np.int64(here.stride), u)
        if x < 0:
            if not searched:
                later(tables, group, t, n - 1, group.before)
                searched = True
            x = elect(tables, group, traveller.block, u)
            if x < 0:
                lose(columns, traveller.row)
                active -= 1
                group.order[k] = group.order[active]
                continue
        exit = tables.exit[x]
        if exit.state < 0:
            if not searched:
                later(tables, group, t, n - 1, group.before)
            turn(tables, group, t, exit)
        traveller.state, traveller.block, traveller.time = exit.state, exit.block, time
        threshold = group.number[t, half + 1]
        traveller.threshold = threshold if threshold > SMALLEST_THRESHOLD else SMALLEST_THRESHOLD
        for kind in range(exit.kind_first, exit.kind_end):
            columns.counts[traveller.row, tables.kind[kind]] += 1
        if exit.kind_end > exit.kind_first:
            if traveller.logged < group.log_time.shape[1]:
                group.log_time[t, traveller.logged] = time
                group.log_event[t, traveller.logged] = exit.event
            traveller.logged += 1
        k += 1
    return active


@inner
def draw(group, active, seed, first, number):
    """Draw the random numbers of the next two events of everybody under way."""
    for k in range(active):
        t = group.order[k]
        a, b, c, d = block(seed, first + np.uint64(t), number)
        group.number[t, 0], group.number[t, 1] = to_double(a), to_double(b)
        group.number[t, 2], group.number[t, 3] = to_double(c), to_double(d)


@borrowed
def _fly(tables, group, columns, sums, seed, start, n):
    """Run the trajectories `start` ... `start` + n - 1; ids beyond 2^64 wrap around."""
    tables, group, columns, sums = lend(tables), lend(group), lend(columns), lend(sums)
    together = group.traveller.shape[0]
    for first in range(0, n, together):
        size = min(together, n - first)
        for t in range(size):
            group.order[t] = t
        active, number = size, np.uint64(0)
        while active > 0:
            draw(group, active, seed, start + np.uint64(first), number)
            if number == 0:
                for t in range(size):
                    open_flight(tables, group, columns, t, first + t)
            else:
                active = advance(tables, group, columns, active, 0)
            active = advance(tables, group, columns, active, 2)
            number += np.uint64(1)
        for t in range(size):
            fold(tables, group, columns, sums, t)


def run_renewal(tables: RenewalTables, seed: int, start: int, stop: int, record: Record = TOTALS) -> Raw:
    """Run trajectories `start` ... `stop` - 1 of a seed; the result is that of `run_events`."""
    n = stop - start
    each = min(2.0 * (tables.rate * float(tables.times[-1]) + 8.0), _LONGEST_FIRST_LOG)
    room = (int(min(n * each, _LONGEST_FIRST_LOG)), int(each)) if record.jumps else (0, 0)
    return roomy(
        lambda room: _run(tables, seed, start, n, record, room),
        record,
        room,
        lambda columns: {
            "row_size": columns.row_size,
            "jump_time": columns.jump_time[: columns.logged[0]],
            "jump_channel": columns.jump_channel[: columns.logged[0]],
        },
    )


def _run(tables: RenewalTables, seed: int, start: int, n: int, record: Record, room: Room) -> tuple[Raw, Any]:
    """Run once with room for so many events of all and of one trajectory; return the result and the columns."""
    sizes = sizes_of(tables, n, len(tables.e_ops))
    columns, sums = make_columns(sizes, record, room), make_sums(sizes, record)
    width, ntime, m = _TOGETHER, sizes.ntime, sizes.m
    shots = ntime if record.rho else 0
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    group = Group(
        traveller=np.zeros(width, TRAVELLER),
        order=np.zeros(width, np.int64),
        number=np.zeros((width, 4)),
        psi=np.zeros((width, m), complex),
        before=np.zeros(m, complex),
        at_stop=np.zeros(m, complex),
        trial=np.zeros(m, complex),
        weight=np.zeros(max(sizes.closings, exits)),
        heat=np.zeros((width, ntime, sizes.nbaths)),
        value=np.zeros((width, ntime, sizes.nops)),
        snapshot=np.zeros((width, shots, m), complex),
        snapshot_block=np.zeros((width, shots), np.int64),
        log_time=np.empty((width, room[1])),
        log_event=np.empty((width, room[1]), np.int32),
    )
    _fly(tables, group, columns, sums, np.uint64(seed), np.uint64(start), n)
    return gathered(columns, sums, record), columns
