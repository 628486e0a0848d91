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

Times are counted in steps of the block from the lane's last event.  Row 2 a of a state holds the real parts of
coordinate a, row 2 a + 1 the imaginary parts.
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
_MANY = 8  # states from which four rows of a product are taken at a time
_TOGETHER = 4  # coordinates: 4 x 24 terms of 256 bytes fill half of the first cache


class Bench(NamedTuple):
    """Working space of one search, all of it (rows, WIDTH) float64.

    Attributes
    ----------
    state, trial : (2 m, WIDTH)
        The states, and what a power makes of them.
    series : ((order + 1) * (2 m + 2), WIDTH)
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


def make_bench(m: int, order: int, exits: int) -> Bench:
    """Allocate the working space for blocks of so many states and exits, aligned to cache lines."""
    rows = [2 * m, 2 * m, (order + 1) * (2 * m + 2), 2 * order + 2, exits, 14]
    raw = np.zeros((sum(rows) + 1) * WIDTH)
    offset = (-raw.ctypes.data % 64) // 8
    parts, at = [], offset
    for n in rows:
        parts.append(raw[at : at + n * WIDTH].reshape(n, WIDTH))
        at += n * WIDTH
    return Bench(*parts)


@inlined
def product(power, first, m, state, trial):
    """Write P state into `trial`, P row by row at ``power[first]``; return the norms squared.

    Two rows at a time and four sums of squares, because an addition waits four cycles for the one before it, and eight
    independent ones keep the processor busy meanwhile.  In large blocks four rows: a pair of loads serves more of them.
    """
    upper_real, upper_imag, lower_real, lower_imag = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    fours = m // 4 * 4 if m >= _MANY else 0
    for a in range(0, fours, 4):
        at = first + a * m
        x, y, u, v = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        s, t, w, z = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        for b in range(m):
            real, imag = load(state, 2 * b), load(state, 2 * b + 1)
            p, q, f, g = power[at + b], power[at + m + b], power[at + 2 * m + b], power[at + 3 * m + b]
            x, y = fma(splat(p.real), real, x), fma(splat(p.real), imag, y)
            u, v = fma(splat(q.real), real, u), fma(splat(q.real), imag, v)
            s, t = fma(splat(f.real), real, s), fma(splat(f.real), imag, t)
            w, z = fma(splat(g.real), real, w), fma(splat(g.real), imag, z)
            x, y = fma(splat(-p.imag), imag, x), fma(splat(p.imag), real, y)
            u, v = fma(splat(-q.imag), imag, u), fma(splat(q.imag), real, v)
            s, t = fma(splat(-f.imag), imag, s), fma(splat(f.imag), real, t)
            w, z = fma(splat(-g.imag), imag, w), fma(splat(g.imag), real, z)
        store(trial, 2 * a, x)
        store(trial, 2 * a + 1, y)
        store(trial, 2 * a + 2, u)
        store(trial, 2 * a + 3, v)
        store(trial, 2 * a + 4, s)
        store(trial, 2 * a + 5, t)
        store(trial, 2 * a + 6, w)
        store(trial, 2 * a + 7, z)
        upper_real, upper_imag = fma(s, s, fma(x, x, upper_real)), fma(t, t, fma(y, y, upper_imag))
        lower_real, lower_imag = fma(w, w, fma(u, u, lower_real)), fma(z, z, fma(v, v, lower_imag))
    for a in range(fours, m - 1, 2):
        upper, lower = first + a * m, first + (a + 1) * m
        x, y, u, v = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        for b in range(m):
            real, imag = load(state, 2 * b), load(state, 2 * b + 1)
            p, q = power[upper + b], power[lower + b]
            x, y = fma(splat(p.real), real, x), fma(splat(p.real), imag, y)
            u, v = fma(splat(q.real), real, u), fma(splat(q.real), imag, v)
            x, y = fma(splat(-p.imag), imag, x), fma(splat(p.imag), real, y)
            u, v = fma(splat(-q.imag), imag, u), fma(splat(q.imag), real, v)
        store(trial, 2 * a, x)
        store(trial, 2 * a + 1, y)
        store(trial, 2 * a + 2, u)
        store(trial, 2 * a + 3, v)
        upper_real, upper_imag = fma(x, x, upper_real), fma(y, y, upper_imag)
        lower_real, lower_imag = fma(u, u, lower_real), fma(v, v, lower_imag)
    if m & 1:
        last = first + (m - 1) * m
        x, y = splat(0.0), splat(0.0)
        for b in range(m):
            real, imag = load(state, 2 * b), load(state, 2 * b + 1)
            p = power[last + b]
            x, y = fma(splat(p.real), real, x), fma(splat(p.real), imag, y)
            x, y = fma(splat(-p.imag), imag, x), fma(splat(p.imag), real, y)
        store(trial, 2 * m - 2, x)
        store(trial, 2 * m - 1, y)
        upper_real, upper_imag = fma(x, x, upper_real), fma(y, y, upper_imag)
    return (upper_real + upper_imag) + (lower_real + lower_imag)


@inner
def descend(tables: JumpTables, block: int, bench: Bench, top: int) -> None:
    """Move each lane on by as many steps as its stop and its threshold allow, trying levels `top` ... 0."""
    power, first, m = tables.power, tables.block[block].power, tables.block[block].size
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
    if m == 2:
        _descend_two(power, first, bench, top, stride)
        return
    for k in range(top, -1, -1):
        # Where the power leads past the stop no norm is above what is asked for.  This is put together beforehand, so
        # that the norm meets a single comparison: all else waits for it.
        further = steps + splat(stride)
        asked = select(further <= left, threshold, never)
        norm2 = product(power, first + k * m * m, m, state, trial)
        taken = norm2 > asked
        passed = select(norm2 <= asked, select(asked < never, one, passed), passed)
        steps = select(taken, further, steps)
        for row in range(2 * m):
            store(state, row, select(taken, load(trial, row), load(state, row)))
        stride *= 0.5
    store(lane, STEPS, steps)
    store(lane, PASSED, passed)


@inlined
def _descend_two(power, first, bench, top, stride):
    """Go through the levels with a state of two coordinates, which stays in registers; to the bit as for any other."""
    lane, state = bench.lane, bench.state
    threshold, left = load(lane, THRESHOLD), load(lane, LEFT)
    steps, passed = load(lane, STEPS), splat(0.0)
    never, one = splat(math.inf), splat(1.0)
    a, b, c, d = load(state, 0), load(state, 1), load(state, 2), load(state, 3)
    for k in range(top, -1, -1):
        further = steps + splat(stride)
        asked = select(further <= left, threshold, never)
        p, q, r, s = power[first + 4 * k], power[first + 4 * k + 1], power[first + 4 * k + 2], power[first + 4 * k + 3]
        x, y, u, v = p.real * a, p.real * b, r.real * a, r.real * b
        x, y = fma(splat(-p.imag), b, x), fma(splat(p.imag), a, y)
        u, v = fma(splat(-r.imag), b, u), fma(splat(r.imag), a, v)
        x, y = fma(splat(q.real), c, x), fma(splat(q.real), d, y)
        u, v = fma(splat(s.real), c, u), fma(splat(s.real), d, v)
        x, y = fma(splat(-q.imag), d, x), fma(splat(q.imag), c, y)
        u, v = fma(splat(-s.imag), d, u), fma(splat(s.imag), c, v)
        norm2 = (x * x + y * y) + (u * u + v * v)
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
def _term(m, n):
    """First row of term n of a series.

    Two rows are left out between terms: at a distance of a power of two they would evict each other from the cache.
    """
    return (2 * m + 2) * n


@inner
def expand(tables: JumpTables, block: int, bench: Bench) -> None:
    """Write the Taylor series of each lane's state within a step, and the polynomial of its norm squared."""
    m, order, rows = tables.block[block].size, tables.block[block].order, tables.block[block].rows
    row_start, element = tables.row_start, tables.element
    series, falling = bench.series, bench.falling
    for row in range(2 * m):
        store(series, row, load(bench.state, row))
    for n in range(1, order + 1):
        here, there = _term(m, n), _term(m, n - 1)
        scale = splat(1.0 / n)
        for a in range(m):
            x, y = splat(0.0), splat(0.0)
            for e in range(row_start[rows + a], row_start[rows + a + 1]):
                value, from_row = element[e].value, there + 2 * element[e].column
                real, imag = load(series, from_row), load(series, from_row + 1)
                x, y = fma(splat(value.real), real, x), fma(splat(value.real), imag, y)
                x, y = fma(splat(-value.imag), imag, x), fma(splat(value.imag), real, y)
            store(series, here + 2 * a, x * scale)
            store(series, here + 2 * a + 1, y * scale)
    _fall(series, m, order, falling)


@inlined
def _fall(series, m, order, falling):
    """Write the polynomial of the norm squared: coefficient n is the sum of <i|n - i> over the terms i of the series.

    A few coordinates at a time, of which all terms stay in the first cache together; first a half of the sum, as i and
    n - i give the same.
    """
    for row in range(2 * order + 2):
        store(falling, row, splat(0.0))
    for a in range(0, m, _TOGETHER):
        end = min(a + _TOGETHER, m)
        for n in range(order + 1):
            x, y = load(falling, 2 * n), load(falling, 2 * n + 1)
            for i in range((n + 1) // 2):
                x, y = _dot(series, _term(m, i), _term(m, n - i), a, end, x, y)
            if n % 2 == 0:
                u, v = _dot(series, _term(m, n // 2), _term(m, n // 2), a, end, splat(0.0), splat(0.0))
                x, y = fma(splat(0.5), u, x), fma(splat(0.5), v, y)
            store(falling, 2 * n, x)
            store(falling, 2 * n + 1, y)
    for n in range(order + 1):
        half = load(falling, 2 * n) + load(falling, 2 * n + 1)
        store(falling, n, half + half)


@inlined
def _dot(series, left, right, start, end, x, y):
    """Add the products of the real parts of coordinates of two terms to x, of their imaginary parts to y."""
    for a in range(start, end):
        x = fma(load(series, left + 2 * a), load(series, right + 2 * a), x)
        y = fma(load(series, left + 2 * a + 1), load(series, right + 2 * a + 1), y)
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
    m, order = tables.block[block].size, tables.block[block].order
    series, lane = bench.series, bench.lane
    place = select(load(lane, EVENT) > splat(NONE), load(lane, PLACE), splat(0.0))
    for row in range(0, 2 * m - 2, 4):  # four rows at a time, for an addition waits for the one before it
        last = _term(m, order) + row
        x, y, u, v = load(series, last), load(series, last + 1), load(series, last + 2), load(series, last + 3)
        for n in range(order - 1, -1, -1):
            term = _term(m, n) + row
            x, y = fma(x, place, load(series, term)), fma(y, place, load(series, term + 1))
            u, v = fma(u, place, load(series, term + 2)), fma(v, place, load(series, term + 3))
        store(bench.state, row, x)
        store(bench.state, row + 1, y)
        store(bench.state, row + 2, u)
        store(bench.state, row + 3, v)
    if m & 1:
        for row in range(2 * m - 2, 2 * m):
            x = load(series, _term(m, order) + row)
            for n in range(order - 1, -1, -1):
                x = fma(x, place, load(series, _term(m, n) + row))
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
            row, real, imag = entry[e].row, zero, zero
            while e < exits[x].end and entry[e].row == row:
                value, column = entry[e].value, 2 * entry[e].column
                u, v = load(state, column), load(state, column + 1)
                real, imag = fma(splat(value.real), u, real), fma(splat(value.real), v, imag)
                real, imag = fma(splat(-value.imag), v, real), fma(splat(value.imag), u, imag)
                e += 1
            rate = fma(imag, imag, fma(real, real, rate))
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
