"""One trajectory of a renewal process: how it opens, is searched, passes its stops and lands.

Its random numbers stand in pairs, ``(2 e, 2 e + 1)`` for event e: the opening (e = 0) takes the outcome and the first
threshold, the e-th event its choice and the next threshold, the closing measurement the first of the pair after the
last event.  So what is random depends on seed, id and number of the event alone.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import inner
from .logarithm import log as ln
from .measurement import choose, closing, expectation, norm2, opening
from .renewal_states import NOWHERE
from .renewal_tables import RenewalTables

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

OK, NO_CHANNEL = 0, 1  # status of a trajectory
SMALLEST_THRESHOLD = 2.0**-54  # stands for the draw 0, which no norm ever reaches
_FOREVER = 2**60  # periods

TRAVELLER = np.dtype(
    [
        ("row", np.uint32),  # of its columns
        ("under_way", np.uint32),  # 0 once it has landed
        ("state", np.int64),  # prepared state at the last event; NOWHERE if it is in `psi`
        ("block", np.int64),
        ("time", np.int64),  # of the last event
        ("until", np.int64),  # the next stop,
        ("stop", np.int64),  # and its number
        ("logged", np.int64),  # events that count something
        ("threshold", np.float64),  # norm squared of the next event
    ]
)


class Group(NamedTuple):
    """Trajectories under way side by side, W of them.

    Attributes
    ----------
    traveller : (W,) TRAVELLER
    order, late : (W,) int64
        Who has not landed; whom tables do not tell all of the next event.
    number : (W, 4) float64
        Random numbers of the next two events.
    psi : (W, m) complex128
        State after the last event, of norm 1, where it is no prepared one.
    wait : (W,) int64
        Periods from the last event to the next, negative where the state before it is in `before`.
    chosen : (W,) int64
        Exits that are taken then, NOWHERE where that has to be found out.
    count : (W, ncounts + 1) int32
        Exchanges so far; in the last place events that count nothing.
    before : (W, m) complex128
    at_stop, trial : (m,) complex128
        State at a stop; working space.
    weight : (most exits or closing outcomes,) float64
    heat : (W, ntime, nbaths) float64
    value : (W, ntime, nops) float64
        Heat so far and expectation values at each stop.
    snapshot, snapshot_block : (W, ntime, m) complex128, (W, ntime) int64
        State and block at each stop; ntime is 0 here if no averaged state is wanted.
    log_time, log_event : (W, room) float64, int32
    """

    traveller: NDArray[np.void]
    order: Ints
    late: Ints
    number: Floats
    psi: Complexes
    wait: Ints
    chosen: Ints
    count: NDArray[np.int32]  # type: ignore[assignment]  # a tuple's own `count` is of no use here
    before: Complexes
    at_stop: Complexes
    trial: Complexes
    weight: Floats
    heat: Floats
    value: Floats
    snapshot: Complexes
    snapshot_block: Ints
    log_time: Floats
    log_event: NDArray[np.int32]


@inner
def open_flight(tables: RenewalTables, group, columns, t: int, row: int) -> None:
    """Begin trajectory t of the group, whose columns are in `row`."""
    traveller = group.traveller[t]
    outcome = opening(tables.initial_cdf, group.number[t, 0])
    block = tables.initial_block[outcome]
    traveller.row, traveller.under_way, traveller.block, traveller.state = row, 1, block, NOWHERE
    traveller.time, traveller.until, traveller.stop, traveller.logged = 0, tables.times[0], 0, 0
    threshold = group.number[t, 1]
    traveller.threshold = threshold if threshold > SMALLEST_THRESHOLD else SMALLEST_THRESHOLD
    if tables.block[block].size == 1:
        traveller.state = tables.block[block].state
    else:
        for a in range(tables.block[block].size):
            group.psi[t, a] = tables.initial_vec[outcome, a]
    columns.initial[row] = outcome
    columns.status[row] = OK
    for k in range(group.count.shape[1]):
        group.count[t, k] = 0


@inner
def departure(tables: RenewalTables, group, t: int, psi: Complexes) -> None:
    """Write the state after the last event."""
    traveller = group.traveller[t]
    for a in range(tables.block[traveller.block].size):
        psi[a] = group.psi[t, a] if traveller.state == NOWHERE else tables.vector[traveller.state, a]


@inner
def travel(tables: RenewalTables, block: int, psi: Complexes, trial: Complexes, threshold: float, most: int) -> int:
    """Move a state on by as many periods, at most so many, as its norm squared stays above a threshold.

    Returns their number, of which every binary digit takes one power of N_0.
    """
    m, power, waited = tables.block[block].size, tables.power, 0
    for level in range(tables.block[block].levels - 1, -1, -1):
        further = waited + (1 << level)
        if further > most:
            continue
        at, norm = tables.block[block].power + level * m * m, 0.0
        for a in range(m):
            x, y = 0.0, 0.0
            for b in range(m):
                p, q = power[at], psi[b]
                x += p.real * q.real - p.imag * q.imag
                y += p.real * q.imag + p.imag * q.real
                at += 1
            trial[a] = complex(x, y)
            norm += x * x + y * y
        if norm > threshold:
            waited = further
            for a in range(m):
                psi[a] = trial[a]
    return waited


@inner
def search(tables: RenewalTables, group, t: int) -> int:
    """Find the period of the next event without a table, at the latest the one after the end of the trajectory.

    In a block of more than one state the state before it is left in `before`, and the number of periods is negative.
    """
    traveller = group.traveller[t]
    here, threshold = tables.block[traveller.block], traveller.threshold
    if here.size == 1:
        periods = -ln(threshold) * here.lifetime  # infinite in a dark state
        return math.ceil(periods) if 1.0 < periods < _FOREVER else 1 if periods <= 1.0 else _FOREVER
    departure(tables, group, t, group.before[t])
    left = tables.times[-1] - traveller.time
    return -1 - travel(tables, traveller.block, group.before[t], group.trial, threshold, left)


@inner
def later(tables: RenewalTables, group, t: int, periods: int, psi: Complexes) -> None:
    """Write the state, of any norm, so many periods after the last event, before the next one."""
    block, state = group.traveller[t].block, group.traveller[t].state
    if tables.block[block].size == 1:
        psi[0] = 1.0
        return
    if state >= 0 and periods < tables.prepared[state].periods:
        here = tables.prepared[state]
        if _column(tables.density, here.density + periods * here.stride, tables.block[block].size, psi):
            return
    departure(tables, group, t, psi)
    travel(tables, block, psi, group.trial, -1.0, periods)


@inner
def _column(density, at, size, psi):
    """Write the column of |psi><psi| that belongs to the largest population; False if there is none."""
    m, most, b = psi.shape[0], 0.0, 0
    for a in range(size):
        if density[at + a] > most:
            most, b = density[at + a], a
    pair = at + m
    for row in range(size):
        for column in range(row + 1, m):
            if column == b:
                psi[row] = complex(0.5 * density[pair], -0.5 * density[pair + 1])
            elif row == b and column < size:
                psi[column] = complex(0.5 * density[pair], 0.5 * density[pair + 1])
            pair += 2
    psi[b] = most
    return most > 0.0


@inner
def apply(tables: RenewalTables, exit, psi: Complexes, to: Complexes) -> float:
    """Write what the operator of an exit makes of a state and return its norm squared."""
    size = tables.block[exit.block].size
    for a in range(size):
        to[a] = 0.0
    for e in range(exit.first, exit.end):
        to[tables.entry_row[e]] += tables.entry_value[e] * psi[tables.entry_column[e]]
    return norm2(to, size)


@inner
def elect(tables: RenewalTables, group, t: int, u: float) -> int:
    """Choose the exit from the state in `before` by applying every operator; NOWHERE if none can be taken."""
    here = tables.block[group.traveller[t].block]
    exits = here.exit_end - here.exit_first
    for x in range(exits):
        group.weight[x] = apply(tables, tables.exit[here.exit_first + x], group.before[t], group.trial)
    chosen = choose(group.weight, exits, u)
    return here.exit_first + chosen if chosen >= 0 else NOWHERE


@inner
def turn(tables: RenewalTables, group, t: int, exit) -> None:
    """Leave the state that an exit makes of the one in `before`, normalised."""
    scale = 1.0 / math.sqrt(apply(tables, exit, group.before[t], group.trial))
    for a in range(tables.block[exit.block].size):
        group.psi[t, a] = group.trial[a] * scale


@inner
def log(group, t: int, time: int, exit) -> None:
    """Note an event that counts something."""
    place = group.traveller[t].logged
    if exit.kind < group.count.shape[1] - 1:
        if place < group.log_time.shape[1]:
            group.log_time[t, place], group.log_event[t, place] = time, exit.event
        group.traveller[t].logged = place + 1


@inner
def lose(tables: RenewalTables, group, columns, t: int) -> None:
    """Give up a trajectory whose norm fell although no event takes the state out."""
    row = group.traveller[t].row
    _write_counts(group, columns, t, row)
    columns.status[row] = NO_CHANNEL
    columns.final[row] = -1
    columns.closing_energy[row] = np.nan


@inner
def pass_stops(tables: RenewalTables, group, columns, t: int, u: float) -> bool:
    """Read off the state at all stops before the next event; at the last one land, and return True."""
    traveller, times, n = group.traveller[t], tables.times, group.wait[t]
    event = traveller.time + (n if n > 0 else -n)
    while traveller.stop < times.shape[0] and times[traveller.stop] < event:
        later(tables, group, t, times[traveller.stop] - traveller.time, group.at_stop)
        _read(tables, group, columns, t)
        traveller.stop += 1
    if traveller.stop < times.shape[0]:
        traveller.until = times[traveller.stop]
        return False
    _land(tables, group, columns, t, u)
    return True


@inner
def _read(tables, group, columns, t):
    """Note heat, expectation values and, where wanted, the state at a stop."""
    traveller, psi = group.traveller[t], group.at_stop
    block, row, stop = traveller.block, traveller.row, traveller.stop
    size = tables.block[block].size
    for bath in range(tables.quantum.shape[1]):
        heat = 0.0
        for k in range(tables.quantum.shape[0]):
            if group.count[t, k] != 0:
                heat += group.count[t, k] * tables.quantum[k, bath]
        group.heat[t, stop, bath] = heat
    norm = norm2(psi, size)
    for op in range(tables.e_ops.shape[0]):
        group.value[t, stop, op] = expectation(tables.e_ops[op, block], psi, size) / norm
    if group.snapshot.shape[1] > 0:
        group.snapshot_block[t, stop] = block
        scale = 1.0 / math.sqrt(norm)
        for a in range(size):
            group.snapshot[t, stop, a] = psi[a] * scale
    if columns.states.shape[0] > 0:
        _unfold(tables, block, psi, norm, columns.states[row, stop])


@inner
def _unfold(tables, block, psi, norm, state):
    """Write a state, normalised, in the program's basis."""
    scale = 1.0 / math.sqrt(norm)
    for a in range(tables.block[block].size):
        state[tables.basis[block, a]] = psi[a] * scale


@inner
def _write_counts(group, columns, t, row):
    """Write the exchanges of a trajectory into its columns."""
    for k in range(columns.counts.shape[1]):
        columns.counts[row, k] = group.count[t, k]


@inner
def _land(tables, group, columns, t, u):
    """Make the closing measurement of the state at the last stop."""
    traveller, psi = group.traveller[t], group.at_stop
    block, row = traveller.block, traveller.row
    first, end, size = tables.block[block].closing_first, tables.block[block].closing_end, tables.block[block].size
    norm = norm2(psi, size)
    _write_counts(group, columns, t, row)
    if columns.state.shape[0] > 0:
        _unfold(tables, block, psi, norm, columns.state[row])
    outcome = closing(tables.final_vec, tables.closing[first:end], end - first, psi, size, group.weight, u)
    columns.final[row] = outcome
    columns.closing_energy[row] = tables.final_energy[outcome] - expectation(tables.energy[block], psi, size) / norm


@inner
def fold(tables: RenewalTables, group, columns, sums, t: int) -> None:
    """Add what a landed trajectory has left at its stops; write its events behind those of the one before it."""
    traveller, nbaths = group.traveller[t], sums.heat_power.shape[1]
    for stop in range(traveller.stop):  # fewer than all only if it was lost
        for op in range(sums.expect.shape[1]):
            value = group.value[t, stop, op]
            sums.expect[stop, op, 0] += value
            sums.expect[stop, op, 1] += value * value
        pair = 0
        for bath in range(nbaths):
            heat = group.heat[t, stop, bath]
            power = heat
            for order in range(4):
                sums.heat_power[stop, bath, order] += power
                power *= heat
            for other in range(bath + 1, nbaths):
                sums.heat_pair[stop, pair] += heat * group.heat[t, stop, other]
                pair += 1
        if sums.rho.shape[0] > 0:
            block = group.snapshot_block[t, stop]
            for a in range(tables.block[block].size):
                for b in range(tables.block[block].size):
                    element = group.snapshot[t, stop, a] * group.snapshot[t, stop, b].conjugate()
                    sums.rho[stop, tables.basis[block, a], tables.basis[block, b]] += element
    logged, count = columns.logged, traveller.logged
    at = logged[0]
    columns.row_size[traveller.row] = count
    logged[0] += count
    if count > logged[1]:
        logged[1] = count
    if logged[0] <= columns.jump_time.shape[0] and count <= group.log_time.shape[1]:
        for k in range(count):
            columns.jump_time[at + k] = group.log_time[t, k]
            columns.jump_channel[at + k] = group.log_event[t, k]
