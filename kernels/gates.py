r"""Collisions on a chain, period by period: gates between neighbours, then the ancillas, on sixteen states at a time.

The gates of a period are unitary and act in place, as moves on groups of amplitudes of a block.  The ancillas' outcomes
then split the state :math:`\varphi`: the null operator :math:`N` for as long as :math:`|N\ldots N\varphi|^2` is above a
threshold that was drawn, one of the events otherwise, each with the norm squared of what it makes of :math:`\varphi`.
Where every label is drawn there is no null operator, and an event in every period.

A lane that has had its event gives its place to the next trajectory of the block; the others go on where they are.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .borrowed import inlined, inner
from .jump_flight import SMALLEST_THRESHOLD, Flight, pair
from .jump_search import CHOICE, EVENT, HAZARD, JUMP, LEFT, NEXT, NONE, STAY, STEPS, STOP, THRESHOLD, TIME, Bench
from .lanes import WIDTH, anywhere, fma, load, select, splat, store
from .logarithm import log
from .march import row_product
from .wide_tables import PHASE, TURN, WideTables

Seats = NDArray[np.uint32]

EMPTY = np.uint32(2**32 - 1)  # no slot


@inlined
def _phase(orbit, begin, end, value, state):
    """Multiply some amplitudes by a number."""
    p, q = splat(value.real), splat(value.imag)
    for e in range(begin, end):
        at = 2 * orbit[e]
        x, y = load(state, at), load(state, at + 1)
        store(state, at, fma(-q, y, p * x))
        store(state, at + 1, fma(q, x, p * y))


@inlined
def _turn(orbit, begin, end, value, state):
    """Turn some pairs of amplitudes by [[c, -i s], [-i s, c]]: two multiplications for each real number."""
    c, s = splat(value.real), splat(value.imag)
    for e in range(begin, end, 2):
        left, right = 2 * orbit[e], 2 * orbit[e + 1]
        x, y, u, v = load(state, left), load(state, left + 1), load(state, right), load(state, right + 1)
        store(state, left, fma(c, x, s * v))
        store(state, left + 1, fma(c, y, -(s * u)))
        store(state, right, fma(c, u, s * y))
        store(state, right + 1, fma(c, v, -(s * x)))


@inlined
def _mix(orbit, begin, end, size, values, first, state, work):
    """Multiply groups of amplitudes by a small matrix."""
    for e in range(begin, end, size):
        for k in range(size):
            store(work, 2 * k, load(state, 2 * orbit[e + k]))
            store(work, 2 * k + 1, load(state, 2 * orbit[e + k] + 1))
        for j in range(size):
            x, y = splat(0.0), splat(0.0)
            for k in range(size):
                value, u, v = values[first + j * size + k], load(work, 2 * k), load(work, 2 * k + 1)
                x, y = fma(splat(value.real), u, x), fma(splat(value.real), v, y)
                x, y = fma(splat(-value.imag), v, x), fma(splat(value.imag), u, y)
            store(state, 2 * orbit[e + j], x)
            store(state, 2 * orbit[e + j] + 1, y)


@inner
def turn(tables: WideTables, block: int, bench: Bench) -> None:
    """Apply all gates of a period."""
    moves, starts, orbit, values, state = tables.move, tables.orbit_start, tables.orbit, tables.move_value, bench.state
    for k in range(moves.shape[0]):
        here = block * moves.shape[0] + k
        begin, end, kind, first = starts[here], starts[here + 1], moves[k].kind, moves[k].value
        if kind == PHASE:
            _phase(orbit, begin, end, values[first], state)
        elif kind == TURN:
            _turn(orbit, begin, end, values[first], state)
        else:
            _mix(orbit, begin, end, moves[k].size, values, first, state, bench.trial)


@inlined
def _damp(tables, first, m, state, trial, threshold):
    """Apply the null operator to the lanes whose norm squared it leaves above the threshold; return where it does."""
    real, imag = splat(0.0), splat(0.0)
    for a in range(m):
        x, y = row_product(tables, first + a, state, 0)
        store(trial, 2 * a, x)
        store(trial, 2 * a + 1, y)
        real, imag = fma(x, x, real), fma(y, y, imag)
    quiet = real + imag > threshold
    for row in range(2 * m):
        store(state, row, select(quiet, load(trial, row), load(state, row)))
    return quiet


@inlined
def _fade(values, first, m, state, threshold):
    """The same for a real diagonal null operator, without a copy of the state.

    Four sums of squares, because an addition waits four cycles for the one before it.
    """
    x, y, u, v, one = splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(1.0)
    for a in range(0, m - 1, 2):
        p, q = splat(values[first + a]), splat(values[first + a + 1])
        real, imag = p * load(state, 2 * a), p * load(state, 2 * a + 1)
        x, y = fma(real, real, x), fma(imag, imag, y)
        real, imag = q * load(state, 2 * a + 2), q * load(state, 2 * a + 3)
        u, v = fma(real, real, u), fma(imag, imag, v)
    if m & 1:
        p = splat(values[first + m - 1])
        real, imag = p * load(state, 2 * m - 2), p * load(state, 2 * m - 1)
        x, y = fma(real, real, x), fma(imag, imag, y)
    quiet = (x + u) + (y + v) > threshold
    for a in range(m):
        p = select(quiet, splat(values[first + a]), one)
        store(state, 2 * a, p * load(state, 2 * a))
        store(state, 2 * a + 1, p * load(state, 2 * a + 1))
    return quiet


@inner
def sweep(tables: WideTables, block: int, bench: Bench) -> None:
    """Run periods until some lane has an event or comes to its stop; a lane whose event it is stands before it."""
    m, first, lane, state, trial = tables.block[block].size, tables.first[block], bench.lane, bench.state, bench.trial
    threshold, left, steps, one = load(lane, THRESHOLD), load(lane, LEFT), load(lane, STEPS), splat(1.0)
    event = splat(NONE)
    while not anywhere(event > splat(NONE)):
        turn(tables, block, bench)
        if tables.diagonal[block] > 0:
            quiet = _fade(tables.real_value, tables.real_start[first], m, state, threshold)
        else:
            quiet = _damp(tables, first, m, state, trial, threshold)
        steps = steps + one
        event = select(quiet, select(steps + one > left, splat(STOP), splat(NONE)), splat(JUMP))
    store(lane, STEPS, steps)
    store(lane, EVENT, event)


@inner
def seat(tables: WideTables, flight: Flight, bench: Bench, slot: int, l: int, seed: np.uint64) -> None:
    """Bring a slot into a lane."""
    traveller, psi, lane, state = flight.traveller[slot], flight.psi[slot], bench.lane, bench.state
    for a in range(tables.block[traveller.block].size):
        state[2 * a, l], state[2 * a + 1, l] = psi[a].real, psi[a].imag
    lane[THRESHOLD, l], lane[STEPS, l], lane[TIME, l] = traveller.threshold, traveller.steps, traveller.time
    lane[LEFT, l] = traveller.until - traveller.time
    lane[CHOICE, l], threshold = pair(seed, traveller)
    threshold = max(threshold, SMALLEST_THRESHOLD)
    lane[NEXT, l], lane[HAZARD, l] = threshold, -log(threshold)


@inner
def vacate(tables: WideTables, block: int, bench: Bench, l: int) -> None:
    """Leave a lane empty: nothing ever happens in it."""
    for row in range(2 * tables.block[block].size):
        bench.state[row, l] = 0.0
    bench.lane[THRESHOLD, l], bench.lane[LEFT, l], bench.lane[STEPS, l] = -1.0, math.inf, 0.0


@inner
def rise(bench: Bench, seats: Seats) -> int:
    """Tell everybody in whose lane nothing happened to stay, note the time of the others; return how many those are."""
    lane, rising = bench.lane, 0
    for l in range(WIDTH):
        if seats[l] == EMPTY or lane[EVENT, l] == NONE:
            lane[EVENT, l] = STAY
        else:
            lane[TIME, l] += lane[STEPS, l]
            rising += 1
    return rising


@inner
def all_rise(bench: Bench, seats: Seats) -> None:
    """Tell everybody to leave, although nothing has happened."""
    for l in range(WIDTH):
        bench.lane[EVENT, l] = STAY if seats[l] == EMPTY else NONE
