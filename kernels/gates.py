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
from .lanes import WIDTH, anywhere, fma, item, load, select, splat, store
from .logarithm import log
from .sparse_rows import row_product
from .wide_tables import SCALE, TURN, WideTables

Seats = NDArray[np.uint32]

EMPTY = np.uint32(2**32 - 1)  # no slot


@inlined
def _scale(orbit, begin, end, value, state):
    """Multiply some coordinates by a number."""
    for e in range(begin, end):
        store(state, item(orbit, e), splat(value) * load(state, item(orbit, e)))


@inlined
def _turn(orbit, begin, end, cosine, sine, state):
    """Turn some pairs of coordinates by [[c, s], [-s, c]]."""
    c, s = splat(cosine), splat(sine)
    for e in range(begin, end, 2):
        left, right = item(orbit, e), item(orbit, e + 1)
        x, y = load(state, left), load(state, right)
        store(state, left, fma(c, x, s * y))
        store(state, right, fma(c, y, -(s * x)))


@inlined
def _mix(orbit, begin, end, size, values, first, state, work):
    """Multiply groups of coordinates by a small matrix."""
    for e in range(begin, end, size):
        for k in range(size):
            store(work, k, load(state, orbit[e + k]))
        for j in range(size):
            x = splat(0.0)
            for k in range(size):
                x = fma(splat(values[first + j * size + k]), load(work, k), x)
            store(state, orbit[e + j], x)


@inner
def turn(tables: WideTables, block: int, bench: Bench) -> None:
    """Apply all gates of a period."""
    moves, starts, orbit, values, state = tables.move, tables.orbit_start, tables.orbit, tables.move_value, bench.state
    for k in range(moves.shape[0]):
        here = block * moves.shape[0] + k
        begin, end, kind, first = starts[here], starts[here + 1], moves[k].kind, moves[k].value
        if kind == SCALE:
            _scale(orbit, begin, end, values[first], state)
        elif kind == TURN:
            _turn(orbit, begin, end, values[first], values[first + 1], state)
        else:
            _mix(orbit, begin, end, moves[k].size, values, first, state, bench.trial)


@inlined
def _damp(rows, block, n, state, trial, threshold):
    """Apply the null operator to the lanes whose norm squared it leaves above the threshold; return where it does."""
    norm2 = splat(0.0)
    for g in range(rows.first[block], rows.first[block + 1]):
        e, length = item(rows.group, g).element, item(rows.group, g).length
        for r in range(item(rows.group, g).first, item(rows.group, g).end):
            x = row_product(rows.element, e, length, state, 0)
            store(trial, item(rows.row, r), x)
            norm2 = fma(x, x, norm2)
            e += length
    quiet = norm2 > threshold
    for row in range(n):
        store(state, row, select(quiet, load(trial, row), load(state, row)))
    return quiet


@inlined
def _fade(element, first, n, state, threshold):
    """The same for a diagonal null operator, without a copy of the state.

    Four sums of squares, because an addition waits four cycles for the one before it.
    """
    x, y, u, v, one = splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(1.0)
    for a in range(0, n - 3, 4):
        p, q = (
            splat(item(element, first + a).value) * load(state, a),
            splat(item(element, first + a + 1).value) * load(state, a + 1),
        )
        r, s = (
            splat(item(element, first + a + 2).value) * load(state, a + 2),
            splat(item(element, first + a + 3).value) * load(state, a + 3),
        )
        x, y, u, v = fma(p, p, x), fma(q, q, y), fma(r, r, u), fma(s, s, v)
    for a in range(n // 4 * 4, n):
        p = splat(item(element, first + a).value) * load(state, a)
        x = fma(p, p, x)
    quiet = (x + u) + (y + v) > threshold
    for a in range(n):
        store(state, a, select(quiet, splat(item(element, first + a).value), one) * load(state, a))
    return quiet


@inner
def sweep(tables: WideTables, block: int, bench: Bench) -> None:
    """Run periods until some lane has an event or comes to its stop; a lane whose event it is stands before it."""
    n, rows, lane, state, trial = tables.block[block].width, tables.rows, bench.lane, bench.state, bench.trial
    threshold, left, steps, one = load(lane, THRESHOLD), load(lane, LEFT), load(lane, STEPS), splat(1.0)
    event = splat(NONE)
    while not anywhere(event > splat(NONE)):
        turn(tables, block, bench)
        if tables.diagonal[block] > 0:
            quiet = _fade(rows.element, rows.group[rows.first[block]].element, n, state, threshold)
        else:
            quiet = _damp(rows, block, n, state, trial, threshold)
        steps = steps + one
        event = select(quiet, select(steps + one > left, splat(STOP), splat(NONE)), splat(JUMP))
    store(lane, STEPS, steps)
    store(lane, EVENT, event)


@inner
def seat(tables: WideTables, flight: Flight, bench: Bench, slot: int, l: int, seed: np.uint64) -> None:
    """Bring a slot into a lane."""
    traveller, lane, state = flight.traveller[slot], bench.lane, bench.state
    for a in range(tables.block[traveller.block].width):
        state[a, l] = flight.psi[slot, a]
    lane[THRESHOLD, l], lane[STEPS, l], lane[TIME, l] = traveller.threshold, traveller.steps, traveller.time
    lane[LEFT, l] = traveller.until - traveller.time
    lane[CHOICE, l], threshold = pair(seed, traveller)
    threshold = max(threshold, SMALLEST_THRESHOLD)
    lane[NEXT, l], lane[HAZARD, l] = threshold, -log(threshold)


@inner
def vacate(tables: WideTables, block: int, bench: Bench, l: int) -> None:
    """Leave a lane empty: nothing ever happens in it."""
    for row in range(tables.block[block].width):
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
