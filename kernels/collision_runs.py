r"""Every ancilla's label drawn, several collisions at once: the law of the plain kernel, faster.

An ancilla's first level n does not depend on the system, so the levels of a whole run of collisions are drawn at once,
as one pattern.  Nearly always each ancilla then does what is usual for its level (n stays n), and the product of the
usual operators is tabulated for every pattern.  So a run takes one number and one product, and the norm squared of the
state is the probability that everything since the last event was usual.  A threshold is drawn for it, as for quantum
jumps.  Where a run would take the norm to the threshold it is walked collision by collision: the one that reaches it
takes another outcome, with probability |<m|U|n> psi|^2 among the others, and what is left of the run goes on with its
levels and a new threshold.

The plain kernel (`collisions`) draws each outcome by itself; it is what this one is tested against.

Draws of a trajectory: the opening, the first threshold, then in the order of the collisions one for the pattern of a
run (or for each level where a stop leaves no room for one) and two for each unusual outcome, itself and the next
threshold; the last one closes.
"""

from itertools import pairwise
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, inlined, lend
from .collisions import (
    EVENTS_PER_TRAJECTORY,
    NORM_LOST,
    CollisionProgram,
    CollisionRecord,
    add_stop,
    apply,
    find_level,
    finish,
    new_record,
    normalise,
)
from .compile import kernel
from .measurement import choose, opening
from .philox import Stream, open_stream, uniform

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

MOST_ENTRIES = 2**13  # complex numbers in the table of products: it stays in the second cache
_FINER = 8  # the search for a pattern starts this much nearer: most then need no step, which nobody could foresee
_SMALLEST_THRESHOLD = 2.0**-54  # stands for the draw 0, which no norm ever reaches


class RunTables(NamedTuple):
    """Products of usual operators over runs of `periods` periods; empty, with no periods, where there are too many.

    Attributes
    ----------
    periods : int
    cdf, guide : (patterns,) float64, (8 patterns,) int64
        Cumulative probabilities of the patterns, and where the search for u in [k/n, (k+1)/n) starts, n = 8 patterns.
    level : (patterns, collisions) int64
        First outcome n of each collision of a run, by its index into all first outcomes.
    product : (patterns * nb * m * m,) complex128
        Row by row for each (pattern, block); zero where the usual outcomes leave the block or count something.
    """

    periods: int
    cdf: Floats
    guide: Ints
    level: Ints
    product: Complexes


def prepare_runs(program: CollisionProgram) -> RunTables:
    """Tabulate runs of as many periods as there is room for."""
    start = program.prior_start
    chances = [np.diff(program.prior_cdf[a:b], prepend=0.0) for a, b in pairwise(start.tolist())]
    per_period = math.prod(map(len, chances))
    nb, m = program.basis.shape
    periods = 0
    while periods < 64 and per_period ** (periods + 1) * nb * m * m <= MOST_ENTRIES:
        periods += 1
    chance, level = np.ones(1), np.zeros((1, 0), np.int64)
    for element in range(periods * len(chances)):
        at = element % len(chances)
        chance = (chance[:, None] * chances[at]).reshape(-1)
        last = np.tile(np.arange(start[at], start[at + 1]), len(level))
        level = np.column_stack([np.repeat(level, len(chances[at]), axis=0), last])
    cdf = np.cumsum(chance)
    cdf[-1] = 1.0
    grid = np.arange(_FINER * len(cdf)) / (_FINER * len(cdf))
    guide = np.searchsorted(cdf, grid, side="right").clip(0, len(cdf) - 1)
    product = np.zeros(len(level) * nb * m * m if periods else 0, np.complex128)
    if periods:
        _products(program, level, product)
    return RunTables(periods, cdf, guide.astype(np.int64), np.ascontiguousarray(level, np.int64), product)


@kernel
def _products(program: CollisionProgram, level: Ints, product: Complexes) -> None:
    """Multiply the usual operators of each pattern, column by column."""
    nb, m = program.basis.shape
    psi, out = np.zeros(m, np.complex128), np.zeros(m, np.complex128)
    for pattern in range(level.shape[0]):
        for block in range(nb):
            size = program.size[block]
            for column in range(size):
                psi[:] = 0.0
                psi[column] = 1.0
                stays = True
                for c in range(level.shape[1]):
                    usual = program.outcome_start[level[pattern, c]]
                    pair = usual * nb + block
                    stays = program.target[usual, block] == block and bool(np.all(program.count[usual] < 0))
                    if not stays:
                        break
                    first, end = program.entry_start[pair], program.entry_start[pair + 1]
                    apply(program.entry_row, program.entry_column, program.entry_value, first, end, psi, out, size)
                    psi[:size] = out[:size]
                if stays:
                    for row in range(size):
                        product[((pattern * nb + block) * m + row) * m + column] = psi[row]


class Walker(NamedTuple):
    """Working space of a trajectory.

    Attributes
    ----------
    psi, out : (m,) complex128
    counts : (ncounts,) int64
    pattern : (collisions of a period,) int64
        Levels of a period that is not part of a run.
    weight : (most outcomes of a level,) float64
        Probabilities of the unusual ones.
    states : (collisions + 1, d) complex128
        Receives the normalised state after each collision; empty where nobody looks.
    seen : (collisions + 1, ncounts) int64
        Receives the counts so far.
    """

    psi: Complexes
    out: Complexes
    counts: Ints
    pattern: Ints
    weight: Floats
    states: Complexes
    seen: Ints


@inlined
def _multiply(product, first, psi, out, size, m):
    """Write P psi into `out`, P at ``product[first]``, and return its norm squared."""
    total = 0.0
    for a in range(size):
        real, imag = 0.0, 0.0
        for b in range(size):
            p, q = product[first + a * m + b], psi[b]
            real += p.real * q.real - p.imag * q.imag
            imag += p.real * q.imag + p.imag * q.real
        out[a] = complex(real, imag)
        total += real * real + imag * imag
    return total


@borrowed
def _note(program: Any, walker: Any, place: int, block: int, norm: float) -> None:
    """Write down the state after a collision."""
    scale = 1.0 / math.sqrt(norm)
    for a in range(program.size[block]):
        walker.states[place, program.basis[block, a]] = walker.psi[a] * scale
    for k in range(walker.counts.shape[0]):
        walker.seen[place, k] = walker.counts[k]


@borrowed
def walk(
    program: Any,
    walker: Any,
    record: Any,
    levels: Ints,
    block: int,
    norm: float,
    threshold: float,
    period: int,
    stream: Stream,
) -> tuple[int, float, float, Stream]:
    """Take one collision after the other, their levels given; return block (-1: lost), norm squared and threshold."""
    nb, elements, psi, out = program.target.shape[1], program.prior_start.shape[0] - 1, walker.psi, walker.out
    row, column, value, start = program.entry_row, program.entry_column, program.entry_value, program.entry_start
    for c in range(levels.shape[0]):
        first, end = program.outcome_start[levels[c]], program.outcome_start[levels[c] + 1]
        chosen, weight, to = first, 0.0, program.target[first, block]
        if to >= 0:
            pair = first * nb + block
            weight = apply(row, column, value, start[pair], start[pair + 1], psi, out, program.size[to])
        if not weight > threshold:
            for other in range(first + 1, end):
                to, pair, p = program.target[other, block], other * nb + block, 0.0
                if to >= 0:
                    p = apply(row, column, value, start[pair], start[pair + 1], psi, out, program.size[to])
                walker.weight[other - first - 1] = p
            u, stream = uniform(stream)
            unusual = choose(walker.weight, end - first - 1, u)
            if unusual < 0 and not weight > 0.0:
                return -1, norm, threshold, stream
            if unusual >= 0:  # a level that has no other outcome loses norm by rounding only
                chosen = first + 1 + unusual
            to, pair = program.target[chosen, block], chosen * nb + block
            apply(row, column, value, start[pair], start[pair + 1], psi, out, program.size[to])
            normalise(out, program.size[to])
            u, stream = uniform(stream)
            weight, threshold = 1.0, max(u, _SMALLEST_THRESHOLD)
        block, norm = program.target[chosen, block], weight
        for a in range(program.size[block]):
            psi[a] = out[a]
        exchanged = False
        for bath in range(program.count.shape[1]):
            k = program.count[chosen, bath]
            if k >= 0:
                walker.counts[k] += 1
                exchanged = True
        if exchanged and record.event_step.shape[0] > 0:
            used = record.used[0]
            if used < record.event_step.shape[0]:
                record.event_step[used] = period + 1 + c // elements
                record.event_outcome[used] = chosen
            record.used[0] = used + 1
        if walker.states.shape[0] > 0:
            _note(program, walker, period * elements + c + 1, block, norm)
    return block, norm, threshold, stream


@borrowed
def advance(
    program: Any,
    runs: Any,
    walker: Any,
    record: Any,
    block: int,
    threshold: float,
    step: int,
    stop: int,
    stream: Stream,
) -> tuple[int, float, Stream]:
    """Run the periods ``step`` ... ``stop - 1``; the state enters and leaves normalised."""
    norm, looked_at, psi, out = 1.0, walker.states.shape[0] > 0, walker.psi, walker.out
    nb, m, periods, product, cdf, guide = (
        program.basis.shape[0],
        program.basis.shape[1],
        runs.periods,
        runs.product,
        runs.cdf,
        runs.guide,
    )
    while step < stop and block >= 0:
        if periods > 0 and step + periods <= stop:
            u, stream = uniform(stream)
            pattern = guide[int(u * guide.shape[0])]
            while cdf[pattern] <= u:  # the last one is 1
                pattern += 1
            size = program.size[block]
            p = _multiply(product, (pattern * nb + block) * m * m, psi, out, size, m)
            if p > threshold and not looked_at:
                norm = p
                for a in range(size):
                    psi[a] = out[a]
            else:
                block, norm, threshold, stream = walk(
                    program, walker, record, runs.level[pattern], block, norm, threshold, step, stream
                )
            step += periods
        else:
            for element in range(walker.pattern.shape[0]):
                u, stream = uniform(stream)
                walker.pattern[element] = find_level(
                    program.prior_cdf,
                    program.prior_guide,
                    program.prior_start[element],
                    program.prior_start[element + 1],
                    u,
                )
            block, norm, threshold, stream = walk(
                program, walker, record, walker.pattern, block, norm, threshold, step, stream
            )
            step += 1
    if block >= 0:
        normalise(psi, program.size[block])
    return block, threshold / norm, stream


@kernel
def trajectory(
    program: CollisionProgram,
    runs: RunTables,
    walker: Walker,
    seed: np.uint64,
    id: np.uint64,
    row: int,
    heat: Floats,
    listed: Ints,
    weight: Floats,
    record: CollisionRecord,
) -> None:
    """Run trajectory `id` and write it to line `row` of the record."""
    lent_program, lent_runs, lent_walker, lent_record = lend(program), lend(runs), lend(walker), lend(record)
    u, stream = uniform(open_stream(seed, id))
    outcome = opening(program.initial_cdf, u)
    record.initial[row] = outcome
    block = program.initial_block[outcome]
    walker.psi[:] = program.initial_vec[outcome]
    walker.counts[:] = 0
    if walker.states.shape[0] > 0:
        _note(lent_program, lent_walker, 0, block, 1.0)
    u, stream = uniform(stream)
    threshold, before, step = max(u, _SMALLEST_THRESHOLD), record.used[0], 0
    for time in range(program.steps.shape[0]):
        block, threshold, stream = advance(
            lent_program,
            lent_runs,
            lent_walker,
            lent_record,
            block,
            threshold,
            step,
            program.steps[time],
            stream,
        )
        if block < 0:
            record.status[row] = NORM_LOST
            break
        step = program.steps[time]
        add_stop(program, time, block, walker.psi, walker.counts, heat, record)
    record.row_size[row] = record.used[0] - before
    record.counts[row] = walker.counts
    if block >= 0:
        finish(program, stream, row, block, walker.psi, listed, weight, record)


@kernel
def batch(
    program: CollisionProgram,
    runs: RunTables,
    walker: Walker,
    seed: np.uint64,
    start: np.uint64,
    n: int,
    record: CollisionRecord,
) -> None:
    """Run trajectories ``start`` ... ``start + n - 1`` one after the other."""
    heat = np.zeros(program.quantum.shape[1], np.float64)
    listed = np.zeros(program.final_block.shape[0], np.int64)
    weight = np.zeros(program.final_block.shape[0], np.float64)
    for row in range(n):
        trajectory(program, runs, walker, seed, start + np.uint64(row), row, heat, listed, weight, record)


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

    Every run is walked, with the same draws; the last rows are missing if the norm was lost.
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
        pattern=np.zeros(len(program.prior_start) - 1, np.int64),
        weight=np.zeros(int(np.diff(program.outcome_start).max()), np.float64),
        states=np.zeros((places, d), np.complex128),
        seen=np.zeros((places, ncounts), np.int64),
    )
