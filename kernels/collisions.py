"""Trajectories of repeated collisions, every ancilla's outcome n -> m drawn.

One collision takes two numbers: the first draws the ancilla's level n from its populations, the second the outcome m
with probability |<m|U|n> psi|^2.  Operators act on the block that holds the state and lead into one block.  This is
the plain form, which the faster ones (`collision_runs`, and `events` where labels are told apart by heat) are held to.

Draws of a trajectory: number 0 opens, then two for each collision in order, the last one closes; channels within a
period draw as `collision_loads` says.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import lend
from .collision_loads import FlowTables, flow_through
from .compile import kernel
from .measurement import closing, expectation, norm2, opening
from .philox import Stream, open_stream, uniform

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

OK = 0
NORM_LOST = 1  # no outcome had positive probability
EVENTS_PER_TRAJECTORY = 64  # room a batch starts with; a full buffer reruns it with enough
MOST_KICKS = 1024  # jumps of channels within one period that are recorded
SMALL = 1e-100  # squared norm below which a state is rescaled, far from the smallest double


class CollisionProgram(NamedTuple):
    """A period of collisions as flat tables; ends, energies and observables are named as in `JumpProgram`.

    Sizes: ne collisions in a period, np first outcomes n and no last outcomes m over all of them, nb blocks of at most
    m states.

    Attributes
    ----------
    prior_start : (ne + 1,) int64
        Range of first outcomes of each collision.
    prior_cdf, prior_guide : (np,) float64, int64
        Cumulative probabilities within a collision, and where the search for u in [k/n, (k+1)/n) starts.
    outcome_start : (np + 1,) int64
        Range of last outcomes of each first one, the likeliest first.
    target : (no, nb) int64
        Block into which an outcome carries block b, -1 where it cannot happen.
    entry_start : (no * nb + 1,) int64
    entry_row, entry_column, entry_value : (entries,)
        <m|U|n> after the free evolution before the collision, entry by entry for each (outcome, block).
    count : (no, nbaths) int64
        Row of counts an outcome adds one to for each bath, -1 for none.
    steps : (ntime,) int64
        Periods after which averages are taken; the last one ends the trajectory.
    flow_of : (ne,) int64
        Which of the flows an element of the period is, -1 for a collision; the other fields are those of `FlowTables`.
    """

    size: Ints
    basis: Ints
    energy: Complexes
    quantum: Floats
    initial_cdf: Floats
    initial_block: Ints
    initial_vec: Complexes
    final_block: Ints
    final_vec: Complexes
    final_energy: Floats
    e_ops: Complexes
    prior_start: Ints
    prior_cdf: Floats
    prior_guide: Ints
    outcome_start: Ints
    target: Ints
    entry_start: Ints
    entry_row: Ints
    entry_column: Ints
    entry_value: Complexes
    count: Ints  # type: ignore[assignment]  # a tuple's own `count` is of no use here
    steps: Ints
    flow_of: Ints
    flow_time: Floats
    flow_rate: Floats
    flow_fall: Floats
    flow_turn: Complexes
    flow_channel: Ints
    flow_target: Ints
    flow_start: Ints
    flow_row: Ints
    flow_column: Ints
    flow_value: Complexes
    flow_count: Ints
    flow_load: Ints
    load_bath: Ints
    load_energy: Complexes
    load_rest: Complexes


class CollisionRecord(NamedTuple):
    """What a batch of n trajectories writes: columns, sums over the batch, and the records there is room for.

    Columns have n rows; sums are (ntime, ...); `event_step` and `event_outcome` are flat, `row_size` says how many
    entries each trajectory has.  ``used[0]`` counts the entries needed, also those for which there was no room.  `load`
    (n, nloads, 2) is the heat and work of each load, `load_now` that of the trajectory under way.
    """

    initial: NDArray[np.int32]
    final: NDArray[np.int32]
    counts: NDArray[np.int32]
    closing_energy: Floats
    status: NDArray[np.uint8]
    load: Floats
    load_now: Floats
    final_state: Complexes
    expect_sum: Floats
    heat_power_sums: Floats
    heat_pair_sums: Floats
    rho_sum: Complexes
    row_size: Ints
    event_step: Ints
    event_outcome: NDArray[np.int32]
    used: Ints


@kernel
def normalise(psi: Complexes, size: int) -> float:
    """Divide psi by its norm and return the new squared norm, one."""
    scale = 1.0 / math.sqrt(norm2(psi, size))
    for a in range(size):
        psi[a] *= scale
    return 1.0


@kernel(inline="always")
def find_level(cdf: Floats, guide: Ints, start: int, stop: int, u: float) -> int:
    """First outcome n of a collision, by its index into all first outcomes."""
    n = start + guide[start + int(u * (stop - start))]
    while cdf[n] <= u and n < stop - 1:
        n += 1
    return n


@kernel(inline="always")
def apply(
    row: Ints, column: Ints, value: Complexes, first: int, last: int, psi: Complexes, out: Complexes, size: int
) -> float:
    """Write A psi into `out`, A given by its entries ``first`` ... ``last - 1``, and return <out|out>."""
    for a in range(size):
        out[a] = 0.0
    for entry in range(first, last):
        out[row[entry]] += value[entry] * psi[column[entry]]
    return norm2(out, size)


@kernel
def flows_of(program: CollisionProgram) -> FlowTables:
    """The channels within a period."""
    return FlowTables(
        program.flow_time,
        program.flow_rate,
        program.flow_fall,
        program.flow_turn,
        program.flow_channel,
        program.flow_target,
        program.flow_start,
        program.flow_row,
        program.flow_column,
        program.flow_value,
        program.flow_count,
        program.flow_load,
        program.load_bath,
        program.load_energy,
        program.load_rest,
    )


@kernel
def advance(
    size: Ints,
    target: Ints,
    prior_start: Ints,
    cdf: Floats,
    guide: Ints,
    outcome_start: Ints,
    entry_start: Ints,
    row: Ints,
    column: Ints,
    value: Complexes,
    count: Ints,
    flow_of: Ints,
    flows: FlowTables,
    psi: Complexes,
    out: Complexes,
    counts: Ints,
    gained: Floats,
    kicks: Ints,
    event_step: Ints,
    event_outcome: NDArray[np.int32],
    used: int,
    block: int,
    step: int,
    stop: int,
    stream: Stream,
) -> tuple[int, int, Stream]:
    """Run the periods ``step`` ... ``stop - 1`` of a trajectory.

    The state enters and leaves normalised in `psi`; in between its norm is carried along, and the square root waits
    until somebody looks.  Arrays come one by one, because reaching for a field of a NamedTuple in the loop counts
    references, which costs more than a collision.

    Returns
    -------
    block : int
        Where the state is now; -1 if no outcome had positive probability.
    used : int
        Entries of the event buffer needed so far.
    stream
    """
    norm, nb, lent = 1.0, target.shape[1], lend(flows)
    for period in range(step, stop):
        for element in range(prior_start.shape[0] - 1):
            if flow_of[element] >= 0:
                block, stream = flow_through(
                    lent, flow_of[element], size, block, psi, out, counts, gained, stream, kicks
                )
                if block < 0:
                    return -1, used, stream
                norm = norm2(psi, size[block])
                if event_step.shape[0] > 0:
                    for k in range(kicks[0]):
                        if used < event_step.shape[0]:
                            event_step[used] = period + 1
                            event_outcome[used] = target.shape[0] + kicks[1 + k]
                        used += 1
                continue
            u, stream = uniform(stream)
            v, stream = uniform(stream)
            level = find_level(cdf, guide, prior_start[element], prior_start[element + 1], u)
            # The probabilities sum to the norm but for rounding, so the mark can outlast them: the last outcome that
            # can happen then does.
            mark, chosen, chosen_norm = v * norm, -1, 0.0
            for outcome in range(outcome_start[level], outcome_start[level + 1]):
                to = target[outcome, block]
                if to < 0:
                    continue
                pair = outcome * nb + block
                p = apply(row, column, value, entry_start[pair], entry_start[pair + 1], psi, out, size[to])
                if p > 0.0:
                    chosen, chosen_norm = outcome, p
                    mark -= p
                    if mark < 0.0:
                        break
            if chosen < 0:
                return -1, used, stream
            to = target[chosen, block]
            if mark >= 0.0:
                pair = chosen * nb + block
                apply(row, column, value, entry_start[pair], entry_start[pair + 1], psi, out, size[to])
            block, norm = to, chosen_norm
            for a in range(size[block]):
                psi[a] = out[a]
            exchanged = False
            for bath in range(count.shape[1]):
                c = count[chosen, bath]
                if c >= 0:
                    counts[c] += 1
                    exchanged = True
            if exchanged and event_step.shape[0] > 0:
                if used < event_step.shape[0]:
                    event_step[used] = period + 1
                    event_outcome[used] = chosen
                used += 1
        if norm < SMALL:
            norm = normalise(psi, size[block])
    normalise(psi, size[block])
    return block, used, stream


@kernel
def add_stop(
    program: CollisionProgram,
    time: int,
    block: int,
    psi: Complexes,
    counts: Ints,
    heat: Floats,
    record: CollisionRecord,
) -> None:
    """Add a trajectory's observables, heats so far and state to the sums at a stop."""
    size = program.size[block]
    for k in range(program.e_ops.shape[0]):
        value = expectation(program.e_ops[k, block], psi, size)
        record.expect_sum[time, k, 0] += value
        record.expect_sum[time, k, 1] += value * value
    nbaths = heat.shape[0]
    for bath in range(nbaths):
        q = 0.0
        for c in range(counts.shape[0]):
            if counts[c] != 0:
                q += counts[c] * program.quantum[c, bath]
        for load in range(record.load_now.shape[0]):
            if program.load_bath[load] == bath:
                q += record.load_now[load, 0]
        heat[bath] = q
        record.heat_power_sums[time, bath, 0] += q
        record.heat_power_sums[time, bath, 1] += q * q
        record.heat_power_sums[time, bath, 2] += q * q * q
        record.heat_power_sums[time, bath, 3] += q * q * q * q
    pair = 0
    for first in range(nbaths):
        for second in range(first + 1, nbaths):
            record.heat_pair_sums[time, pair] += heat[first] * heat[second]
            pair += 1
    if record.rho_sum.shape[0] > 0:
        for a in range(size):
            for b in range(size):
                row, column = program.basis[block, a], program.basis[block, b]
                record.rho_sum[time, row, column] += psi[a] * psi[b].conjugate()


@kernel
def trajectory(
    program: CollisionProgram,
    seed: np.uint64,
    id: np.uint64,
    row: int,
    psi: Complexes,
    out: Complexes,
    counts: Ints,
    kicks: Ints,
    heat: Floats,
    listed: Ints,
    weight: Floats,
    record: CollisionRecord,
) -> None:
    """Run trajectory `id` and write it to line `row` of the record; the arrays in between are working space."""
    u, stream = uniform(open_stream(seed, id))
    outcome = opening(program.initial_cdf, u)
    record.initial[row] = outcome
    block = program.initial_block[outcome]
    psi[:] = program.initial_vec[outcome]
    counts[:] = 0
    record.load_now[:] = 0.0
    flows = flows_of(program)
    used, step = record.used[0], 0
    for time in range(program.steps.shape[0]):
        block, used, stream = advance(
            program.size,
            program.target,
            program.prior_start,
            program.prior_cdf,
            program.prior_guide,
            program.outcome_start,
            program.entry_start,
            program.entry_row,
            program.entry_column,
            program.entry_value,
            program.count,
            program.flow_of,
            flows,
            psi,
            out,
            counts,
            record.load_now,
            kicks,
            record.event_step,
            record.event_outcome,
            used,
            block,
            step,
            program.steps[time],
            stream,
        )
        if block < 0:
            record.status[row] = NORM_LOST
            break
        step = program.steps[time]
        add_stop(program, time, block, psi, counts, heat, record)
    record.row_size[row] = used - record.used[0]
    record.used[0] = used
    record.counts[row] = counts
    record.load[row] = record.load_now
    if block >= 0:
        finish(program, stream, row, block, psi, listed, weight, record)


@kernel
def finish(
    program: CollisionProgram,
    stream: Stream,
    row: int,
    block: int,
    psi: Complexes,
    listed: Ints,
    weight: Floats,
    record: CollisionRecord,
) -> None:
    """Measure the system in the closing basis and write the trajectory's columns."""
    size = program.size[block]
    many = 0
    for f in range(program.final_block.shape[0]):
        if program.final_block[f] == block:
            listed[many] = f
            many += 1
    u, stream = uniform(stream)
    end = closing(program.final_vec, listed, many, psi, size, weight, u)
    record.final[row] = end
    record.status[row] = OK if end >= 0 else NORM_LOST
    if end >= 0:
        record.closing_energy[row] = program.final_energy[end] - expectation(program.energy[block], psi, size)
    if record.final_state.shape[0] > 0:
        for a in range(size):
            record.final_state[row, program.basis[block, a]] = psi[a]


@kernel
def batch(program: CollisionProgram, seed: np.uint64, start: np.uint64, n: int, record: CollisionRecord) -> None:
    """Run trajectories ``start`` ... ``start + n - 1`` one after the other."""
    m = program.initial_vec.shape[1]
    psi, out = np.zeros(m, np.complex128), np.zeros(m, np.complex128)
    counts = np.zeros(program.quantum.shape[0], np.int64)
    kicks = np.zeros(MOST_KICKS, np.int64)
    heat = np.zeros(program.quantum.shape[1], np.float64)
    listed = np.zeros(program.final_block.shape[0], np.int64)
    weight = np.zeros(program.final_block.shape[0], np.float64)
    for row in range(n):
        id = start + np.uint64(row)
        trajectory(program, seed, id, row, psi, out, counts, kicks, heat, listed, weight, record)


def run_collisions(
    program: CollisionProgram,
    seed: int,
    start: int,
    stop: int,
    *,
    events: bool = False,
    final_state: bool = False,
    states: bool = True,
) -> CollisionRecord:
    """Run trajectories ``start`` ... ``stop - 1``; a full event buffer reruns the batch with one that fits.

    Parameters
    ----------
    events, final_state, states : bool
        Whether to keep the exchanges, the kets before the closing measurement, and the sums of |psi><psi|.
    """
    n = stop - start
    room = EVENTS_PER_TRAJECTORY * n if events else 0
    while True:
        record = new_record(program, n, room, final_state, states)
        batch(program, np.uint64(seed), np.uint64(start), n, record)
        if record.used[0] <= room:
            return record
        room = int(record.used[0])


def new_record(program: CollisionProgram, n: int, room: int, final_state: bool, states: bool) -> CollisionRecord:
    """Empty arrays for n trajectories."""
    nbaths, ntime, d = program.quantum.shape[1], len(program.steps), int(program.size.sum())
    return CollisionRecord(
        initial=np.zeros(n, np.int32),
        final=np.zeros(n, np.int32),
        counts=np.zeros((n, len(program.quantum)), np.int32),
        closing_energy=np.zeros(n),
        status=np.zeros(n, np.uint8),
        load=np.zeros((n, len(program.load_bath), 2)),
        load_now=np.zeros((len(program.load_bath), 2)),
        final_state=np.zeros((n if final_state else 0, d), np.complex128),
        expect_sum=np.zeros((ntime, len(program.e_ops), 2)),
        heat_power_sums=np.zeros((ntime, nbaths, 4)),
        heat_pair_sums=np.zeros((ntime, nbaths * (nbaths - 1) // 2)),
        rho_sum=np.zeros((ntime, d, d) if states else (0, 0, 0), np.complex128),
        row_size=np.zeros(n, np.int64),
        event_step=np.zeros(room, np.int64),
        event_outcome=np.zeros(room, np.int32),
        used=np.zeros(1, np.int64),
    )
