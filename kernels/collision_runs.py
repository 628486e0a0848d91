r"""Every ancilla's label drawn, many collisions at once: the law of the plain kernel, faster.

An ancilla's first level n does not depend on the system, so the levels of a whole run of collisions are drawn by one
number (`run_tables`).  Nearly always each ancilla then does what is usual for its level (n stays n), and the product of
the usual operators is tabulated for every run.  So a run takes one number and one product, and the norm squared of the
state is the probability that everything since the last event was usual.  A threshold is drawn for it, as for quantum
jumps.  Where a run would take the norm to the threshold it is followed back to the collision that does: that one takes
another outcome, with probability |<m|U|n> psi|^2 among the others, and a new threshold is drawn.

What is left of a run after such a collision, or after a stop, has not been looked at.  Where that happens depends on
the levels before it alone, so levels that are drawn anew have the same law, and a new run begins.

The plain kernel (`collisions`) draws each outcome by itself; it is what this one is tested against.

Draws of a trajectory: the opening, the first threshold, then in their order one for each run (or for each collision
where products do not pay) and for each unusual outcome one that chooses it, if there are several, and one for the next
threshold; the last one closes.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, inlined, inner, lend
from .collisions import (
    EVENTS_PER_TRAJECTORY,
    NORM_LOST,
    SMALL,
    CollisionProgram,
    CollisionRecord,
    add_stop,
    apply,
    finish,
    new_record,
    normalise,
)
from .compile import kernel
from .lanes import fma
from .measurement import choose, opening
from .philox import Stream, open_stream, uniform
from .run_tables import RunTables as RunTables
from .run_tables import prepare_runs as prepare_runs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

# what the plain kernel does at stops and at the end, compiled for tuples that are lent
_add_stop, _finish, _apply = inner(add_stop.py_func), inner(finish.py_func), inlined(apply.py_func)
_SMALLEST_THRESHOLD = 2.0**-54  # stands for the draw 0, which no norm ever reaches


class Walker(NamedTuple):
    """Working space of a trajectory.

    Attributes
    ----------
    psi, out : (m,) complex128
    counts : (ncounts,) int64
    heat : (nbaths,) float64
    weight : (most outcomes of a level or of the closing measurement,) float64
        Probabilities of the unusual ones, or of all.
    listed : (nf,) int64
        Closing outcomes of a block.
    states : (collisions + 1, d) complex128
        Receives the normalised state after each collision; empty where nobody looks.
    seen : (collisions + 1, ncounts) int64
        Receives the counts so far.
    """

    psi: Complexes
    out: Complexes
    counts: Ints
    heat: Floats
    weight: Floats
    listed: Ints
    states: Complexes
    seen: Ints


@inner
def _multiply_many(product: Complexes, first: int, size: int, psi: Complexes, out: Complexes) -> float:
    """Write P psi into `out`, P row by row at ``product[first]``, and return its norm squared."""
    total = 0.0
    for a in range(size):
        u, v, w, z = 0.0, 0.0, 0.0, 0.0
        for b in range(size):
            p, q = product[first + a * size + b], psi[b]
            u, v = fma(p.real, q.real, u), fma(p.imag, q.imag, v)
            w, z = fma(p.real, q.imag, w), fma(p.imag, q.real, z)
        real, imag = u - v, w + z
        out[a] = complex(real, imag)
        total = fma(real, real, fma(imag, imag, total))
    return total


@inlined
def _multiply(product, first, size, psi, out):
    """The same, written out for one state and for two."""
    if size == 1:
        p, x = product[first], psi[0]
        a, b = fma(-p.imag, x.imag, p.real * x.real), fma(p.imag, x.real, p.real * x.imag)
        out[0] = complex(a, b)
        return fma(a, a, b * b)
    if size != 2:
        return _multiply_many(product, first, size, psi, out)
    p, q, r, s = product[first], product[first + 1], product[first + 2], product[first + 3]
    x, y = psi[0], psi[1]
    a = fma(-p.imag, x.imag, p.real * x.real) + fma(-q.imag, y.imag, q.real * y.real)
    b = fma(p.imag, x.real, p.real * x.imag) + fma(q.imag, y.real, q.real * y.imag)
    c = fma(-r.imag, x.imag, r.real * x.real) + fma(-s.imag, y.imag, s.real * y.real)
    d = fma(r.imag, x.real, r.real * x.imag) + fma(s.imag, y.real, s.real * y.imag)
    out[0], out[1] = complex(a, b), complex(c, d)
    return fma(a, a, b * b) + fma(c, c, d * d)


@inlined
def _draw(tickets, first, many, stream):
    """Return the node of a run that starts with `many` tickets from `first`."""
    u, stream = uniform(stream)
    place = u * many
    k = int(place)
    ticket = tickets[first + k]
    node, other = ticket.node, ticket.other
    return (node if place - k < ticket.keep else other), stream


@inlined
def _cruise(runs, block, size, psi, out, norm, threshold, place, start, stop, stream):
    """Take whole runs until one fails or reaches the stop; return it, and norm squared, place and collision before it.

    Of runs that start in the same collision of a period none waits for the length of the one before.
    """
    node, product, ticket, base = runs.node, runs.product, runs.ticket, runs.first[block]
    while True:
        here, first = start, runs.ticket_start[start]
        many = runs.ticket_start[start + 1] - first
        while start == here:
            run, stream = _draw(ticket, first, many, stream)
            p = _multiply(product, base + run * size * size, size, psi, out)
            after = place + node[run].length
            if p <= threshold or after >= stop:
                return run, psi, out, norm, place, start, stream
            place, norm, start = after, p, node[run].end
            psi, out = out, psi


@inlined
def _passed(runs, run, block, size, psi, out, norm, threshold, room):
    """Follow a run back to what passes: return this part, state and norm squared after it, and what would come next.

    `failed` is the part that is one collision too long for the threshold, and `left` the norm squared that it would
    leave; -1 if the run ends with the room alone.
    """
    node, product, base, failed, left = runs.node, runs.product, runs.first[block], -1, 0.0
    while node[run].length > room:
        run = node[run].parent
    while node[run].length > 0:
        p = _multiply(product, base + run * size * size, size, psi, out)
        if p > threshold:
            return run, out, psi, p, failed, left
        failed, left, run = run, p, node[run].parent
    return run, psi, out, norm, failed, left


@inner
def _look(
    program: Any,
    runs: Any,
    walker: Any,
    run: int,
    block: int,
    psi: Complexes,
    out: Complexes,
    threshold: float,
    place: int,
    stop: int,
) -> None:
    """Write down the states within the part of a run that passes, before it is taken."""
    node, size, base = runs.node, program.size[block], runs.first[block]
    while node[run].length > 0:
        if place + node[run].length <= stop:
            p = _multiply(runs.product, base + run * size * size, size, psi, out)
            if p > threshold:
                _note(program, walker, out, place + node[run].length, block, p)
        run = node[run].parent


@inner
def _note(program: Any, walker: Any, psi: Complexes, place: int, block: int, norm: float) -> None:
    """Write down the state after a collision."""
    scale = 1.0 / math.sqrt(norm)
    for a in range(program.size[block]):
        walker.states[place, program.basis[block, a]] = psi[a] * scale
    for k in range(walker.counts.shape[0]):
        walker.seen[place, k] = walker.counts[k]


@inner
def _take(program: Any, outcome: int, block: int, psi: Complexes, out: Complexes) -> float:
    """Write what an outcome makes of the state into `out` and return its norm squared, 0 where it cannot happen."""
    to, pair = program.target[outcome, block], outcome * program.target.shape[1] + block
    if to < 0:
        return 0.0
    first, end = program.entry_start[pair], program.entry_start[pair + 1]
    return _apply(program.entry_row, program.entry_column, program.entry_value, first, end, psi, out, program.size[to])


@inlined
def _collide(program, walker, record, level, block, psi, out, threshold, left, place, stream):
    """Take one collision, its level given; return block (-1: lost), state, norm squared and threshold.

    `left` is the norm squared that the usual outcome leaves where this is known and too little, or else 0.
    """
    usual, others = program.outcome_start[level], program.outcome_start[level + 1] - program.outcome_start[level] - 1
    chosen, p = usual, left
    if left == 0.0:
        p = _take(program, usual, block, psi, out)
    if not p > threshold:
        unusual, likely = -1, 0.0
        for k in range(others):
            likely = _take(program, usual + 1 + k, block, psi, out)
            walker.weight[k] = likely
        if others == 1 and likely > 0.0:
            unusual = 0
        elif others > 1:
            u, stream = uniform(stream)
            unusual = choose(walker.weight, others, u)
        if unusual < 0 and not p > 0.0:
            return -1, psi, out, p, threshold, stream
        chosen, p = usual + 1 + unusual, likely  # a level that has no other outcome loses norm by rounding only
        if others != 1 or unusual < 0:
            p = _take(program, chosen, block, psi, out)
        u, stream = uniform(stream)
        threshold = p * max(u, _SMALLEST_THRESHOLD)
    block = program.target[chosen, block]
    if p < SMALL:
        threshold /= p
        p = normalise(out, program.size[block])
    _count(program, walker, record, chosen, place)
    return block, out, psi, p, threshold, stream


@inlined
def _count(program, walker, record, outcome, place):
    """Count what an outcome exchanges, and write it down as an event of its period if wanted."""
    exchanged = False
    for bath in range(program.count.shape[1]):
        k = program.count[outcome, bath]
        if k >= 0:
            walker.counts[k] += 1
            exchanged = True
    if exchanged and record.event_step.shape[0] > 0:
        used = record.used[0]
        if used < record.event_step.shape[0]:
            record.event_step[used] = place // (program.prior_start.shape[0] - 1) + 1
            record.event_outcome[used] = outcome
        record.used[0] = used + 1


@kernel(inline="always")
def advance(
    program: Any,
    runs: Any,
    walker: Any,
    record: Any,
    block: int,
    threshold: float,
    place: int,
    stop: int,
    stream: Stream,
) -> tuple[int, float, Stream]:
    """Run the collisions ``place`` ... ``stop - 1``; the state enters and leaves normalised."""
    norm, looked_at, elements = 1.0, walker.states.shape[0] > 0, program.prior_start.shape[0] - 1
    psi, out, start = walker.psi, walker.out, place % elements
    while place < stop and block >= 0:
        left = 0.0
        if runs.first[block] >= 0:
            size = program.size[block]
            limit = place if looked_at else stop  # who looks at every collision takes no run unseen
            run, psi, out, norm, place, start, stream = _cruise(
                runs, block, size, psi, out, norm, threshold, place, start, limit, stream
            )
            if looked_at:
                _look(program, runs, walker, run, block, psi, out, threshold, place, stop)
            run, psi, out, norm, failed, left = _passed(runs, run, block, size, psi, out, norm, threshold, stop - place)
            place, start = place + runs.node[run].length, runs.node[run].end
        else:
            first = runs.ticket_start[elements + start]
            failed, stream = _draw(runs.ticket, first, runs.ticket_start[elements + start + 1] - first, stream)
        if failed >= 0:
            block, psi, out, norm, threshold, stream = _collide(
                program, walker, record, runs.node[failed].level, block, psi, out, threshold, left, place, stream
            )
            place, start = place + 1, runs.node[failed].end
            if looked_at and block >= 0:
                _note(program, walker, psi, place, block, norm)
    if block >= 0:
        for a in range(program.size[block]):
            out[a] = psi[a]  # one of the two is that of the walker
        normalise(walker.psi, program.size[block])
    return block, threshold / norm, stream


@borrowed
def batch(
    program: CollisionProgram,
    runs: RunTables,
    walker: Walker,
    seed: np.uint64,
    start: np.uint64,
    n: int,
    record: CollisionRecord,
) -> None:
    """Run trajectories ``start`` ... ``start + n - 1`` one after the other, each to its line of the record."""
    program, runs, walker, record = lend(program), lend(runs), lend(walker), lend(record)
    for row in range(n):
        u, stream = uniform(open_stream(seed, start + np.uint64(row)))
        outcome = opening(program.initial_cdf, u)
        record.initial[row] = outcome
        block = program.initial_block[outcome]
        for a in range(program.size[block]):
            walker.psi[a] = program.initial_vec[outcome, a]
        for k in range(walker.counts.shape[0]):
            walker.counts[k] = 0
        if walker.states.shape[0] > 0:
            _note(program, walker, walker.psi, 0, block, 1.0)
        u, stream = uniform(stream)
        threshold, before, place = max(u, _SMALLEST_THRESHOLD), record.used[0], 0
        for time in range(program.steps.shape[0]):
            stop = program.steps[time] * (program.prior_start.shape[0] - 1)
            block, threshold, stream = advance(program, runs, walker, record, block, threshold, place, stop, stream)
            if block < 0:
                record.status[row] = NORM_LOST
                break
            place = stop
            _add_stop(program, time, block, walker.psi, walker.counts, walker.heat, record)
        record.row_size[row] = record.used[0] - before
        for k in range(walker.counts.shape[0]):
            record.counts[row, k] = walker.counts[k]
        if block >= 0:
            _finish(program, stream, row, block, walker.psi, walker.listed, walker.weight, record)


def run_labels(
    program: CollisionProgram,
    runs: RunTables,
    seed: int,
    start: int,
    stop: int,
    *,
    events: bool = False,
    final_state: bool = False,
    states: bool = True,
) -> CollisionRecord:
    """Run trajectories ``start`` ... ``stop - 1``; the parameters are those of `collisions.run_collisions`."""
    n = stop - start
    room = EVENTS_PER_TRAJECTORY * n if events else 0
    walker = _walker(program, 0)
    while True:
        record = new_record(program, n, room, final_state, states)
        batch(program, runs, walker, np.uint64(seed), np.uint64(start), n, record)
        if record.used[0] <= room:
            return record
        room = int(record.used[0])


def run_path(program: CollisionProgram, runs: RunTables, seed: int, id: int) -> tuple[Complexes, Ints]:
    """One trajectory seen after every collision: states (collisions + 1, d) and counts (collisions + 1, ncounts).

    The draws are the same; the last rows are missing if the norm was lost.
    """
    elements = len(program.prior_start) - 1
    walker = _walker(program, int(program.steps[-1]) * elements + 1)
    record = new_record(program, 1, 0, False, False)
    batch(program, runs, walker, np.uint64(seed), np.uint64(id), 1, record)
    done = len(walker.states)
    if record.status[0] != 0:
        done = int(np.flatnonzero(np.any(walker.states != 0, axis=1))[-1]) + 1
    return walker.states[:done], walker.seen[:done]


def _walker(program: CollisionProgram, places: int) -> Walker:
    """Working space that sees so many places of a path."""
    m, d, ncounts = program.basis.shape[1], int(program.size.sum()), len(program.quantum)
    return Walker(
        psi=np.zeros(m, np.complex128),
        out=np.zeros(m, np.complex128),
        counts=np.zeros(ncounts, np.int64),
        heat=np.zeros(program.quantum.shape[1]),
        weight=np.zeros(max(int(np.diff(program.outcome_start).max()), len(program.final_block))),
        listed=np.zeros(len(program.final_block), np.int64),
        states=np.zeros((places, d), np.complex128),
        seen=np.zeros((places, ncounts), np.int64),
    )
