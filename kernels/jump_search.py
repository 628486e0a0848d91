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
from .lanes import WIDTH, anywhere, fma, item, load, select, splat, store
from .power_tables import padded, product
from .sparse_rows import row_product

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
    state, trial : (n or more, WIDTH)
        The states, n real coordinates each, and what a power makes of them.
    series : ((order + 1) * (n + 2), WIDTH)
        Terms of the Taylor series of the states within a step.
    falling : (degree + 3, WIDTH)
        Coefficients of the norm squared as a polynomial of the place in the step, and two more that are not complete.
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


def make_bench(n: int, order: int, degree: int, exits: int) -> Bench:
    """Allocate the working space for blocks of so many real coordinates and exits, aligned to cache lines."""
    rows = [padded(n), padded(n), (order + 1) * (n + 2), degree + 3, exits, 14]
    raw = np.zeros((sum(rows) + 1) * WIDTH)
    offset = (-raw.ctypes.data % 64) // 8
    parts, at = [], offset
    for n in rows:
        parts.append(raw[at : at + n * WIDTH].reshape(n, WIDTH))
        at += n * WIDTH
    return Bench(*parts)


@inner
def descend(tables: JumpTables, block: int, bench: Bench, top: int) -> None:
    """Move each lane on by as many steps as its stop and its threshold allow, trying levels `top` ... 0."""
    power, first, n = tables.power, tables.block[block].power, tables.block[block].width
    lane, state, trial, parts = bench.lane, bench.state, bench.trial, tables.parts
    size = tables.block[block].stride
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
        norm2 = product(power, first + k * size, n, parts, state, trial)
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
        at = first + 16 * k
        x = fma(splat(item(power, at + 8)), b, splat(item(power, at)) * a)
        y = fma(splat(item(power, at + 9)), b, splat(item(power, at + 1)) * a)
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
    left = fma(splat(item(power, at + 8)), b, splat(item(power, at)) * a)
    return left + fma(splat(item(power, at + 24)), d, splat(item(power, at + 16)) * c)


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
        at = first + 32 * k
        x, y = _row_of_four(power, at, a, b, c, d), _row_of_four(power, at + 1, a, b, c, d)
        u, v = _row_of_four(power, at + 2, a, b, c, d), _row_of_four(power, at + 3, a, b, c, d)
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
def norms(state, n):
    """Return the norms squared."""
    x, y = splat(0.0), splat(0.0)
    for a in range(0, n - 1, 2):
        even, odd = load(state, a), load(state, a + 1)
        x, y = fma(even, even, x), fma(odd, odd, y)
    if n % 2 == 1:
        last = load(state, n - 1)
        x = fma(last, last, x)
    return x + y


@inlined
def _term(n, order):
    """First row of a term of a series of n coordinates.

    Two rows are left out between terms: at a distance of a power of two they would evict each other from the cache.
    """
    return (n + 2) * order


@inner
def expand(tables: JumpTables, block: int, bench: Bench) -> None:
    """Write the Taylor series of each lane's state within a step, and the polynomial of its norm squared."""
    n, order, degree = tables.block[block].width, tables.block[block].order, tables.block[block].degree
    rows, element, groups, series = tables.rows.row, tables.rows.element, tables.rows.group, bench.series
    for row in range(n):
        store(series, row, load(bench.state, row))
    for k in range(1, order + 1):
        here, there = _term(n, k), _term(n, k - 1)
        scale = splat(1.0 / k)
        for g in range(tables.rows.first[block], tables.rows.first[block + 1]):
            group = item(groups, g)
            length, e = group.length, group.element
            for r in range(group.first, group.end):
                x = row_product(element, e, length, series, there)
                store(series, here + item(rows, r), x * scale)
                e += length
    _fall(series, n, order, degree, bench.falling)


@inlined
def _fall(series, n, order, degree, falling):
    """Write the polynomial of the norm squared: coefficient k is the sum of <i|k - i> over the terms i of the series.

    Two terms with two others at a time, as each number that is loaded then serves twice, and a few coordinates at a
    time, of which all terms stay in the first cache together.  Scalar products off the diagonal count twice.  The
    series needs fewer terms than the polynomial, which changes twice as fast.
    """
    for row in range(degree + 3):
        store(falling, row, splat(0.0))
    for first in range(0, n, _TOGETHER):
        end = min(first + _TOGETHER, n)
        for i in range(0, order + 1, 2):
            for j in range(i, min(order, degree - i) + 1, 2):
                x, y, u, v = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
                left, right = _term(n, i), _term(n, j)
                next_left, next_right = _term(n, i + 1), _term(n, j + 1)
                for a in range(first, end):
                    p, q = load(series, left + a), load(series, next_left + a)
                    r, s = load(series, right + a), load(series, next_right + a)
                    x, y, u, v = fma(p, r, x), fma(p, s, y), fma(q, r, u), fma(q, s, v)
                weight = splat(1.0 if i == j else 2.0)
                store(falling, i + j, fma(weight, x, load(falling, i + j)))
                store(falling, i + j + 1, fma(weight, y + u, load(falling, i + j + 1)))
                store(falling, i + j + 2, fma(weight, v, load(falling, i + j + 2)))


@inlined
def _above(falling, degree, place, threshold):
    """Return the polynomial minus the threshold, and the derivative, at a place in each lane."""
    value, slope = load(falling, degree), splat(0.0)
    for n in range(degree - 1, -1, -1):
        slope = fma(slope, place, value)
        value = fma(value, place, load(falling, n))
    return value - threshold, slope


@inner
def locate(tables: JumpTables, block: int, bench: Bench) -> None:
    """Find what happens to each lane within the step, and where."""
    falling, lane, degree = bench.falling, bench.lane, tables.block[block].degree
    threshold, steps, left = load(lane, THRESHOLD), load(lane, STEPS), load(lane, LEFT)
    zero, one = splat(0.0), splat(1.0)
    rest = left - steps
    stops = rest < one
    end = select(stops, rest, one)
    first = load(falling, 0) - threshold
    last, _ = _above(falling, degree, end, threshold)
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
        value, slope = _above(falling, degree, place, threshold)
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
    for row in range(n):
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
        rate, e, last = zero, exits[x].first, exits[x].end
        while e < last:
            row, amplitude = item(entry, e).row, zero
            while e < last and item(entry, e).row == row:
                amplitude = fma(splat(item(entry, e).value), load(state, item(entry, e).column), amplitude)
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
