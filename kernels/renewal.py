"""Ensembles of collisions by events, where events prepare the state: from one to the next by looking up a table.

An event is a look-up of the period in the survival of the state, and of the operator in the sums of their weights; see
`renewal_tables`.  Each is a chain of steps that wait for one another, so some trajectories go side by side, and every
loop takes one step for each.  Where the tables end, or the state was not prepared, a trajectory is searched alone.

Records are those of `events` for the same seed and ids, but for roundings.  They do not depend on who takes turns with
whom, and sums are taken in the order of ids.
"""

from typing import Any

import numpy as np

from .borrowed import borrowed, inlined, inner, lend
from .jump_room import Raw, Room, gathered, make_columns, make_sums, roomy, sizes_of, slots_within
from .jumps import TOTALS, Record
from .lanes import WIDTH, fma, load, number_set, splat
from .philox import block, to_double
from .renewal_flight import (
    SMALLEST_THRESHOLD,
    TRAVELLER,
    Group,
    elect,
    fold,
    later,
    log,
    lose,
    open_flight,
    pass_stops,
    search,
    turn,
)
from .renewal_laws import BEYOND, BINS
from .renewal_states import NOWHERE
from .renewal_tables import RenewalTables

ROUNDING = 2.0**-40  # of tabulated probabilities, and more
_TOGETHER = 32  # trajectories: more of them fill the processor no better
_LONGEST_FIRST_LOG = 2**22


@inlined
def look_up_period(guide, survival, place, row, threshold):
    """Return the first period n with S_n <= threshold; NOWHERE if the survival is not tabulated so far."""
    start = guide[np.uint64(place + np.int64(threshold * BINS))]
    if start == BEYOND:
        return NOWHERE
    row, r = row + np.int64(start), splat(threshold)
    above = number_set(load(survival, row) > r) + number_set(load(survival, row + 1) > r)
    n = np.int64(start) * WIDTH + above
    row += 1
    while above == 2 * WIDTH:
        row += 1
        more = number_set(load(survival, row) > r)
        n += more
        above = WIDTH + more
    return n


@inlined
def reached(reach, row, density, entry, numbers):
    """Return with what probability the event is one of the first 1, 2, ... of sixteen exits."""
    if numbers == 4:  # two states: without a loop
        total = load(reach, row) * splat(density[entry])
        total = fma(load(reach, row + 1), splat(density[entry + np.uint64(1)]), total)
        total = fma(load(reach, row + 2), splat(density[entry + np.uint64(2)]), total)
        return fma(load(reach, row + 3), splat(density[entry + np.uint64(3)]), total)
    total = splat(0.0)
    for i in range(numbers):
        total = fma(load(reach, row + i), splat(density[entry + np.uint64(i)]), total)
    return total


@inner
def wait(tables, group, active):
    """Look up in how many periods everybody's next event is; return how many have to be searched, listed in `late`."""
    travellers, order, waits, late = group.traveller, group.order, group.wait, group.late
    prepared, guide, survival = tables.prepared, tables.guide, tables.survival
    listed = np.uint64(0)
    for k in range(np.uint64(active)):
        t = np.uint64(order[k])
        state, threshold, n = travellers[t].state, travellers[t].threshold, NOWHERE
        if state >= 0:
            n = look_up_period(guide, survival, state * BINS, prepared[np.uint64(state)].row, threshold)
        waits[t] = n
        late[listed] = t
        listed += np.uint64(n < 0)
    return listed


@inner
def choose(tables, group, active, half):
    """Look up everybody's next event; NOWHERE where it is too close to another for the rounding of the tables."""
    travellers, order, number, waits, chosen = group.traveller, group.order, group.number, group.wait, group.chosen
    prepared, density, reach, numbers, chunks = (
        tables.prepared,
        tables.density,
        tables.reach,
        tables.numbers,
        tables.chunks,
    )
    for k in range(np.uint64(active)):
        t = np.uint64(order[k])
        n, u = waits[t], number[t, np.uint64(half)]
        if n < 0:
            chosen[t] = NOWHERE
            continue
        here = prepared[np.uint64(travellers[t].state)]
        entry, row = np.uint64(here.density + (n - 1) * here.stride), here.reach
        exit, surely = 0, 0
        for _ in range(chunks):
            probability = reached(reach, row, density, entry, numbers)
            exit += number_set(probability <= splat(u + ROUNDING))
            surely += number_set(probability <= splat(u - ROUNDING))
            row += numbers
        certain = (exit == surely) & (exit < here.exits)
        chosen[t] = here.exit_first + exit if certain else NOWHERE


@inner
def happen(tables, group, active, half):
    """Let everybody's next event happen; return who passes a stop before or needs another look, listed in `late`."""
    travellers, order, number, waits, chosen = group.traveller, group.order, group.number, group.wait, group.chosen
    exits, late, listed = tables.exit, group.late, np.uint64(0)
    for k in range(np.uint64(active)):
        t = np.uint64(order[k])
        x, time = chosen[t], travellers[t].time + waits[t]
        if x < 0 or time > travellers[t].until or exits[np.uint64(x)].state < 0:
            late[listed] = t
            listed += np.uint64(1)
        else:
            land_on(tables, group, t, exits[np.uint64(x)], time, number[t, np.uint64(half + 1)])
    return listed


@inner
def look_again(tables, group, columns, t, half):
    """Let an event happen that tables do not tell all of; tell whether it was the end, as it never should be."""
    n, x = group.wait[t], group.chosen[t]
    if n > 0 and (x < 0 or tables.exit[x].state < 0):
        later(tables, group, t, n - 1, group.before[t])
    if x < 0:
        x = elect(tables, group, t, group.number[t, half])
        if x < 0:
            lose(tables, group, columns, t)
            return True
    if tables.exit[x].state < 0:
        turn(tables, group, t, tables.exit[x])
    time = group.traveller[t].time + (n if n > 0 else -n)
    land_on(tables, group, np.uint64(t), tables.exit[x], time, group.number[t, half + 1])
    return False


@inlined
def land_on(tables, group, t, exit, time, threshold):
    """Count what an event exchanges and wait for the next one."""
    traveller = group.traveller[t]
    traveller.state, traveller.block, traveller.time = exit.state, exit.block, time
    traveller.threshold = threshold if threshold > SMALLEST_THRESHOLD else SMALLEST_THRESHOLD
    group.count[t, np.uint64(exit.kind)] += 1
    more = exit.more_first
    while more < exit.more_end:
        group.count[t, np.uint64(tables.kind[np.uint64(more)])] += 1
        more += np.uint32(1)
    if group.log_time.shape[1] > 0:
        log(group, np.int64(t), time, exit)


@inner
def draw(group, active, seed, first, place):
    """Draw the random numbers of the next two events of everybody under way."""
    order, number = group.order, group.number
    for k in range(np.uint64(active)):
        t = np.uint64(order[k])
        a, b, c, d = block(seed, first + t, place)
        number[t, np.uint64(0)], number[t, np.uint64(1)] = to_double(a), to_double(b)
        number[t, np.uint64(2)], number[t, np.uint64(3)] = to_double(c), to_double(d)


@inner
def close_ranks(group, active):
    """Leave out who has landed; return how many are still under way."""
    kept = 0
    for k in range(active):
        t = group.order[k]
        group.order[kept] = t
        kept += group.traveller[t].under_way
    return kept


@borrowed
def _fly(tables, group, columns, sums, seed, start, n):
    """Run the trajectories `start` ... `start` + n - 1; ids beyond 2^64 wrap around."""
    tables, group, columns, sums = lend(tables), lend(group), lend(columns), lend(sums)
    together = group.traveller.shape[0]
    for first in range(0, n, together):
        size = min(together, n - first)
        for t in range(size):
            group.order[t] = t
        active, number = np.int64(size), np.uint64(0)
        while active > 0:
            draw(group, active, seed, start + np.uint64(first), number)
            if number == 0:
                for t in range(size):
                    open_flight(tables, group, columns, t, first + t)
            for half in range(2 if number == 0 else 0, 4, 2):
                for k in range(wait(tables, group, active)):
                    group.wait[group.late[k]] = search(tables, group, group.late[k])
                choose(tables, group, active, half)
                landed = 0
                for k in range(happen(tables, group, active, half)):
                    t = group.late[k]
                    ended = pass_stops(tables, group, columns, t, group.number[t, half])
                    if ended or look_again(tables, group, columns, t, half):
                        group.traveller[t].under_way = 0
                        landed += 1
                if landed > 0:
                    active = close_ranks(group, active)
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
    width, ntime, m = slots_within(sizes, record, room, _TOGETHER), sizes.ntime, sizes.m
    shots = ntime if record.rho else 0
    exits = int((tables.block["exit_end"] - tables.block["exit_first"]).max())
    group = Group(
        traveller=np.zeros(width, TRAVELLER),
        order=np.zeros(width, np.int64),
        late=np.zeros(width, np.int64),
        number=np.zeros((width, 4)),
        psi=np.zeros((width, m), complex),
        wait=np.zeros(width, np.int64),
        chosen=np.zeros(width, np.int64),
        count=np.zeros((width, sizes.ncounts + 1), np.int32),
        before=np.zeros((width, m), complex),
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
