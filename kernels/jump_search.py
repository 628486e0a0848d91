r"""The search for the next event of sixteen trajectories in one block, without a time step.

Between jumps the norm squared of a state falls from 1; the jump happens when it has fallen to a threshold r that was
drawn.  Each lane has its own r, its own distance to its next stop, and its own state; all share the powers P_k.

1. `descend`: for k = K ... 0, keep P_k psi where its norm squared is still above r and the stop is not passed.  That
   is one product per bit of the waiting time, and no tolerance.  Afterwards the event lies within one step, or further
   away than the descent reaches; then the lane stays where it is and will descend again.
2. `expand`: the Taylor series of psi within the step, and from it the polynomial of its norm squared.
3. `locate`: the root of that polynomial minus r, by Newton's method inside a bracket that ends at the step or the stop.
   A lane whose norm squared is still above r at its stop has reached the stop and takes no root.
4. `settle`: the state at that place.
5. `elect`: the exit that a jump takes, with a probability that is the norm squared of what its operator makes of the
   state.  The choice cannot run past the last exit that can be taken, whatever rounding does to the sum.

Times are counted in steps of the block from the lane's last event.  Row a of a state holds its real coordinate a, of
which an amplitude has one or two (see `jump_tables`).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import inlined, inner
from .jump_tables import JumpTables
from .lanes import WIDTH, anywhere, fma, load, select, splat, store

Floats = NDArray[np.float64]

# rows of `Bench.lane`
THRESHOLD, STEPS, TIME, UNTIL, CHOICE, NEXT, LEFT, PASSED, PLACE, EVENT, EXIT, RATE, HAZARD, LIFETIME = range(14)
STAY, NONE, JUMP, STOP = -1.0, 0.0, 1.0, 2.0  # values of the row EVENT; the first for who stays in his lane
FILLED = 6  # so many of the rows are filled lane by lane, the others by all lanes together

_ITERATIONS = 64
_TOGETHER = 8  # coordinates: 8 x 24 terms of 128 bytes fill half of the first cache


class Bench(NamedTuple):
    """Working space of one search, all of it (rows, WIDTH) float64.

    Attributes
    ----------
    state, trial : (n, WIDTH)
        The states, n real coordinates each, and what a power makes of them.
    series : ((order + 1) * (n + 2), WIDTH)
        Terms of the Taylor series of the states within a step.
    falling : (2 * order + 2, WIDTH)
        Coefficients of the norm squared as a polynomial of the place in the step; the second half is working space.
    rates : (exits, WIDTH)
        Norms squared of what the operators of the exits make of the states.
    lane : (14, WIDTH)
        Row THRESHOLD: r.  STEPS: whole steps since the last event.  TIME: of the last event, afterwards of the one that
        was found.  UNTIL: of the next stop.  CHOICE: random number that chooses the exit.  NEXT: the next r.  LEFT:
        distance of the stop from the last event, in steps.  PASSED: whether some power took the norm below r.  PLACE:
        place of the event within the step.  EVENT: what it is, NONE if it is further away.  EXIT: the exit, if it is a
        jump; below 0 if none can be taken.  RATE: norm squared of what the exit's operator makes of the state.  HAZARD:
        -ln of the next r.  LIFETIME: of a block of one state, which has no search (see `jump_board`).
    """

    state: Floats
    trial: Floats
    series: Floats
    falling: Floats
    rates: Floats
    lane: Floats


def make_bench(n: int, order: int, exits: int) -> Bench:
    """Allocate the working space for blocks of so many real coordinates and exits, aligned to cache lines."""
    rows = [n, n, (order + 1) * (n + 2), 2 * order + 2, exits, 14]
    raw = np.zeros((sum(rows) + 1) * WIDTH)
    offset = (-raw.ctypes.data % 64) // 8
    parts, at = [], offset
    for n in rows:
        parts.append(raw[at : at + n * WIDTH].reshape(n, WIDTH))
        at += n * WIDTH
    return Bench(*parts)


@inlined
def _eight(power, at, n, state, trial, row):
    """Write eight rows of P state from row `row` on, those of P at ``power[at]``; return the sum of their squares."""
    x, y, u, v = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    s, t, w, z = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for b in range(n):
        q, e = load(state, b), at + b
        x, y = fma(splat(power[e]), q, x), fma(splat(power[e + n]), q, y)
        u, v = fma(splat(power[e + 2 * n]), q, u), fma(splat(power[e + 3 * n]), q, v)
        s, t = fma(splat(power[e + 4 * n]), q, s), fma(splat(power[e + 5 * n]), q, t)
        w, z = fma(splat(power[e + 6 * n]), q, w), fma(splat(power[e + 7 * n]), q, z)
    store(trial, row, x)
    store(trial, row + 1, y)
    store(trial, row + 2, u)
    store(trial, row + 3, v)
    store(trial, row + 4, s)
    store(trial, row + 5, t)
    store(trial, row + 6, w)
    store(trial, row + 7, z)
    return (fma(x, x, y * y) + fma(u, u, v * v)) + (fma(s, s, t * t) + fma(w, w, z * z))


@inlined
def _two(power, at, n, state, trial, row):
    """The same for two rows."""
    x, y = splat(0.0), splat(0.0)
    for b in range(n):
        q = load(state, b)
        x, y = fma(splat(power[at + b]), q, x), fma(splat(power[at + b + n]), q, y)
    store(trial, row, x)
    store(trial, row + 1, y)
    return fma(x, x, y * y)


@inlined
def _one(power, at, n, state, trial, row):
    """The same for one row."""
    x = splat(0.0)
    for b in range(n):
        x = fma(splat(power[at + b]), load(state, b), x)
    store(trial, row, x)
    return x * x


@inlined
def product(power, first, n, state, trial):
    """Write P state into `trial`, P row by row at ``power[first]``; return the norms squared.

    Eight rows at a time, because an addition waits four cycles for the one before it, and sixteen independent ones,
    two vectors to a row, keep the processor busy meanwhile.
    """
    total = splat(0.0)
    for row in range(0, n - 7, 8):
        total = total + _eight(power, first + row * n, n, state, trial, row)
    for row in range(n // 8 * 8, n - 1, 2):
        total = total + _two(power, first + row * n, n, state, trial, row)
    if n % 2 == 1:
        total = total + _one(power, first + (n - 1) * n, n, state, trial, n - 1)
    return total


@inner
def descend(tables: JumpTables, block: int, bench: Bench, top: int) -> None:
    """Move each lane on by as many steps as its stop and its threshold allow, trying levels `top` ... 0."""
    power, first, n = tables.power, tables.block[block].power, tables.block[block].width
    lane, state, trial = bench.lane, bench.state, bench.trial
    threshold, left = load(lane, THRESHOLD), load(lane, LEFT)
    steps, passed = load(lane, STEPS), splat(0.0)
    never, one = splat(math.inf), splat(1.0)
    stride = 1.0
    for _ in range(top):
        stride *= 2.0
    while top >= 0 and not anywhere(steps + splat(stride) <= left):
        stride *= 0.5
        top -= 1
    if n == 2:
        _descend_two(power, first, bench, top, stride)
        return
    if n == 4:
        _descend_four(power, first, bench, top, stride)
        return
    for k in range(top, -1, -1):
        # Where the power leads past the stop no norm is above what is asked for.  This is put together beforehand, so
        # that the norm meets a single comparison: all else waits for it.
        further = steps + splat(stride)
        asked = select(further <= left, threshold, never)
        norm2 = product(power, first + k * n * n, n, state, trial)
        taken = norm2 > asked
        passed = select(norm2 <= asked, select(asked < never, one, passed), passed)
        steps = select(taken, further, steps)
        for row in range(n):
            store(state, row, select(taken, load(trial, row), load(state, row)))
        stride *= 0.5
    store(lane, STEPS, steps)
    store(lane, PASSED, passed)


@inlined
def _descend_two(power, first, bench, top, stride):
    """Go through the levels with a state of two coordinates, which stays in registers."""
    lane, state = bench.lane, bench.state
    threshold, left = load(lane, THRESHOLD), load(lane, LEFT)
    steps, passed = load(lane, STEPS), splat(0.0)
    never, one = splat(math.inf), splat(1.0)
    a, b = load(state, 0), load(state, 1)
    for k in range(top, -1, -1):
        further = steps + splat(stride)
        asked = select(further <= left, threshold, never)
        at = first + 4 * k
        x = fma(splat(power[at + 1]), b, splat(power[at]) * a)
        y = fma(splat(power[at + 3]), b, splat(power[at + 2]) * a)
        norm2 = fma(x, x, y * y)
        taken = norm2 > asked
        passed = select(norm2 <= asked, select(asked < never, one, passed), passed)
        steps = select(taken, further, steps)
        a, b = select(taken, x, a), select(taken, y, b)
        stride *= 0.5
    store(lane, STEPS, steps)
    store(lane, PASSED, passed)
    store(state, 0, a)
    store(state, 1, b)


@inlined
def _row_of_four(power, at, a, b, c, d):
    """Return one row of P state."""
    left = fma(splat(power[at + 1]), b, splat(power[at]) * a)
    return left + fma(splat(power[at + 3]), d, splat(power[at + 2]) * c)


@inlined
def _descend_four(power, first, bench, top, stride):
    """The same for four coordinates."""
    lane, state = bench.lane, bench.state
    threshold, left = load(lane, THRESHOLD), load(lane, LEFT)
    steps, passed = load(lane, STEPS), splat(0.0)
    never, one = splat(math.inf), splat(1.0)
    a, b, c, d = load(state, 0), load(state, 1), load(state, 2), load(state, 3)
    for k in range(top, -1, -1):
        further = steps + splat(stride)
        asked = select(further <= left, threshold, never)
        at = first + 16 * k
        x, y = _row_of_four(power, at, a, b, c, d), _row_of_four(power, at + 4, a, b, c, d)
        u, v = _row_of_four(power, at + 8, a, b, c, d), _row_of_four(power, at + 12, a, b, c, d)
        norm2 = fma(x, x, y * y) + fma(u, u, v * v)
        taken = norm2 > asked
        passed = select(norm2 <= asked, select(asked < never, one, passed), passed)
        steps = select(taken, further, steps)
        a, b, c, d = select(taken, x, a), select(taken, y, b), select(taken, u, c), select(taken, v, d)
        stride *= 0.5
    store(lane, STEPS, steps)
    store(lane, PASSED, passed)
    store(state, 0, a)
    store(state, 1, b)
    store(state, 2, c)
    store(state, 3, d)


@inlined
def _term(n, order):
    """First row of a term of a series of n coordinates.

    Two rows are left out between terms: at a distance of a power of two they would evict each other from the cache.
    """
    return (n + 2) * order


@inner
def expand(tables: JumpTables, block: int, bench: Bench) -> None:
    """Write the Taylor series of each lane's state within a step, and the polynomial of its norm squared."""
    n, order, rows = tables.block[block].width, tables.block[block].order, tables.block[block].rows
    row_start, element = tables.row_start, tables.element
    series, falling = bench.series, bench.falling
    for row in range(n):
        store(series, row, load(bench.state, row))
    for k in range(1, order + 1):
        here, there = _term(n, k), _term(n, k - 1)
        scale = splat(1.0 / k)
        for a in range(n):
            x = splat(0.0)
            for e in range(row_start[rows + a], row_start[rows + a + 1]):
                x = fma(splat(element[e].value), load(series, there + element[e].column), x)
            store(series, here + a, x * scale)
    _fall(series, n, order, falling)


@inlined
def _fall(series, n, order, falling):
    """Write the polynomial of the norm squared: coefficient k is the sum of <i|k - i> over the terms i of the series.

    A few coordinates at a time, of which all terms stay in the first cache together; first a half of the sum, as i and
    k - i give the same.
    """
    for row in range(2 * order + 2):
        store(falling, row, splat(0.0))
    for a in range(0, n, _TOGETHER):
        end = min(a + _TOGETHER, n)
        for k in range(order + 1):
            x, y = load(falling, 2 * k), load(falling, 2 * k + 1)
            for i in range((k + 1) // 2):
                x, y = _dot(series, _term(n, i), _term(n, k - i), a, end, x, y)
            if k % 2 == 0:
                u, v = _dot(series, _term(n, k // 2), _term(n, k // 2), a, end, splat(0.0), splat(0.0))
                x, y = fma(splat(0.5), u, x), fma(splat(0.5), v, y)
            store(falling, 2 * k, x)
            store(falling, 2 * k + 1, y)
    for k in range(order + 1):
        half = load(falling, 2 * k) + load(falling, 2 * k + 1)
        store(falling, k, half + half)


@inlined
def _dot(series, left, right, start, end, x, y):
    """Add the products of even coordinates of two terms to x, of odd ones to y."""
    for a in range(start, end - 1, 2):
        x = fma(load(series, left + a), load(series, right + a), x)
        y = fma(load(series, left + a + 1), load(series, right + a + 1), y)
    if (end - start) % 2 == 1:
        x = fma(load(series, left + end - 1), load(series, right + end - 1), x)
    return x, y


@inlined
def _above(falling, order, place, threshold):
    """Return the polynomial minus the threshold, and the derivative, at a place in each lane."""
    value, slope = load(falling, order), splat(0.0)
    for n in range(order - 1, -1, -1):
        slope = fma(slope, place, value)
        value = fma(value, place, load(falling, n))
    return value - threshold, slope


@inner
def locate(tables: JumpTables, block: int, bench: Bench) -> None:
    """Find what happens to each lane within the step, and where."""
    falling, lane, order = bench.falling, bench.lane, tables.block[block].order
    threshold, steps, left = load(lane, THRESHOLD), load(lane, STEPS), load(lane, LEFT)
    zero, one = splat(0.0), splat(1.0)
    rest = left - steps
    stops = rest < one
    end = select(stops, rest, one)
    first = load(falling, 0) - threshold
    last, _ = _above(falling, order, end, threshold)
    stopped = stops & (last > zero)
    jumped = (stops | (load(lane, PASSED) > zero)) & ~stopped
    # the place of the jump; where rounding left the norm above r even at the end of the step, it is that end
    low, high = zero, end
    searching = jumped & (last < zero)
    place = select(searching, end * (first / (first - last)), end)
    tolerance = threshold * splat(2.0**-50)
    for _ in range(_ITERATIONS):
        if not anywhere(searching):
            break
        value, slope = _above(falling, order, place, threshold)
        low, high = select(value > zero, place, low), select(value < zero, place, high)
        newton = place - value / slope
        inside = (newton > low) & (newton < high)
        better = select(inside, newton, splat(0.5) * (low + high))
        searching = searching & ((value > tolerance) | (value < -tolerance)) & ((better > low) & (better < high))
        place = select(searching, better, place)
    store(lane, PLACE, place)
    store(lane, EVENT, select(jumped, splat(JUMP), select(stopped, splat(STOP), splat(NONE))))


@inner
def settle(tables: JumpTables, block: int, bench: Bench) -> None:
    """Bring each lane's state to the place of its event; lanes without one stay where they are."""
    n, order = tables.block[block].width, tables.block[block].order
    series, lane = bench.series, bench.lane
    place = select(load(lane, EVENT) > splat(NONE), load(lane, PLACE), splat(0.0))
    for row in range(0, n - 3, 4):  # four rows at a time, for an addition waits for the one before it
        last = _term(n, order) + row
        x, y, u, v = load(series, last), load(series, last + 1), load(series, last + 2), load(series, last + 3)
        for k in range(order - 1, -1, -1):
            term = _term(n, k) + row
            x, y = fma(x, place, load(series, term)), fma(y, place, load(series, term + 1))
            u, v = fma(u, place, load(series, term + 2)), fma(v, place, load(series, term + 3))
        store(bench.state, row, x)
        store(bench.state, row + 1, y)
        store(bench.state, row + 2, u)
        store(bench.state, row + 3, v)
    for row in range(n // 4 * 4, n):
        x = load(series, _term(n, order) + row)
        for k in range(order - 1, -1, -1):
            x = fma(x, place, load(series, _term(n, k) + row))
        store(bench.state, row, x)


@inner
def elect(tables: JumpTables, block: int, bench: Bench) -> None:
    """Choose an exit for each lane, as if it jumped now."""
    state, lane, entry, exits = bench.state, bench.lane, tables.entry, tables.exit
    first, end = tables.block[block].exit_first, tables.block[block].exit_end
    zero, total = splat(0.0), splat(0.0)
    for x in range(first, end):
        rate, e = zero, exits[x].first
        while e < exits[x].end:
            row, amplitude = entry[e].row, zero
            while e < exits[x].end and entry[e].row == row:
                amplitude = fma(splat(entry[e].value), load(state, entry[e].column), amplitude)
                e += 1
            rate = fma(amplitude, amplitude, rate)
        total = total + rate
        store(bench.rates, x - first, rate)
    mark, reached = load(lane, CHOICE) * total, zero
    chosen, chosen_rate, searching = splat(-1.0), zero, zero <= zero
    for x in range(first, end):
        rate = load(bench.rates, x - first)
        taken = searching & (rate > zero)
        reached = reached + rate
        chosen, chosen_rate = select(taken, splat(float(x)), chosen), select(taken, rate, chosen_rate)
        searching = searching & ~(taken & (reached > mark))
    store(lane, EXIT, chosen)
    store(lane, RATE, chosen_rate)
