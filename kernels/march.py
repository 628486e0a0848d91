r"""The search for the next jump of sixteen trajectories in a block too large for tables.

`march` takes the place of `jump_search.descend`: strides of 2^k steps for k = K ... 0, kept where the norm squared
stays above the threshold and the stop is not passed.  A stride is a Chebyshev series of products of sparse rows with
sixteen states.  Inside the last step the search goes on as everywhere else, by a Taylor series and the root of its norm
squared.

Real and imaginary parts of the rows stand apart: a hopping term of -i H_eff is imaginary, a decay rate real, and either
takes two fused multiply-adds instead of four.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .borrowed import inlined, inner
from .jump_search import LEFT, PASSED, STEPS, THRESHOLD, Bench
from .lanes import anywhere, fma, load, select, splat, store
from .wide_tables import WideTables

Floats = NDArray[np.float64]


@inlined
def row_product(tables, row, state, offset):
    """Return real and imaginary part of one sparse row times the states that begin at a row of `state`."""
    x, y = splat(0.0), splat(0.0)
    for e in range(tables.real_start[row], tables.real_start[row + 1]):
        value, at = splat(tables.real_value[e]), offset + 2 * tables.real_column[e]
        x, y = fma(value, load(state, at), x), fma(value, load(state, at + 1), y)
    for e in range(tables.imag_start[row], tables.imag_start[row + 1]):
        value, at = splat(tables.imag_value[e]), offset + 2 * tables.imag_column[e]
        x, y = fma(-value, load(state, at + 1), x), fma(value, load(state, at), y)
    return x, y


@inner
def stride(tables: WideTables, block: int, level: int, bench: Bench) -> None:
    """Write the states after 2^level steps into ``bench.trial``; three terms of the series are at hand at a time."""
    m, first, state, trial, terms = (
        tables.block[block].size,
        tables.first[block],
        bench.state,
        bench.trial,
        bench.series,
    )
    most = (tables.series_start.shape[0] - 1) // tables.block.shape[0]
    begin, end = tables.series_start[block * most + level], tables.series_start[block * most + level + 1]
    scale = 1.0 / tables.stretch[block]
    zeroth, once, twice = splat(tables.series_value[begin]), splat(scale), splat(2.0 * scale)
    this, last, free = 0, 2 * m + 2, 2 * (2 * m + 2)
    weight = splat(tables.series_value[begin + 1])
    for a in range(m):
        x, y = row_product(tables, first + a, state, 0)
        x, y = x * once, y * once
        u, v = load(state, 2 * a), load(state, 2 * a + 1)
        store(terms, this + 2 * a, x)
        store(terms, this + 2 * a + 1, y)
        store(terms, last + 2 * a, u)
        store(terms, last + 2 * a + 1, v)
        store(trial, 2 * a, fma(weight, x, zeroth * u))
        store(trial, 2 * a + 1, fma(weight, y, zeroth * v))
    for n in range(begin + 2, end):
        weight = splat(tables.series_value[n])
        for a in range(m):
            x, y = row_product(tables, first + a, terms, this)
            x, y = fma(twice, x, load(terms, last + 2 * a)), fma(twice, y, load(terms, last + 2 * a + 1))
            store(terms, free + 2 * a, x)
            store(terms, free + 2 * a + 1, y)
            store(trial, 2 * a, fma(weight, x, load(trial, 2 * a)))
            store(trial, 2 * a + 1, fma(weight, y, load(trial, 2 * a + 1)))
        this, last, free = free, this, last


@inlined
def _norms(trial, m):
    """Return the norms squared."""
    x, y = splat(0.0), splat(0.0)
    for a in range(m):
        real, imag = load(trial, 2 * a), load(trial, 2 * a + 1)
        x, y = fma(real, real, x), fma(imag, imag, y)
    return x + y


@inner
def march(tables: WideTables, block: int, bench: Bench, top: int) -> None:
    """Move each lane on by as many steps as its stop and its threshold allow, trying levels `top` ... 0."""
    m, lane, state, trial = tables.block[block].size, bench.lane, bench.state, bench.trial
    threshold, left = load(lane, THRESHOLD), load(lane, LEFT)
    steps, passed = load(lane, STEPS), splat(0.0)
    never, one = splat(math.inf), splat(1.0)
    length = 1.0
    for _ in range(top):
        length *= 2.0
    for k in range(top, -1, -1):
        further = steps + splat(length)
        asked = select(further <= left, threshold, never)
        if anywhere(asked < never):
            stride(tables, block, k, bench)
            norm2 = _norms(trial, m)
            taken = norm2 > asked
            passed = select(norm2 <= asked, select(asked < never, one, passed), passed)
            steps = select(taken, further, steps)
            for row in range(2 * m):
                store(state, row, select(taken, load(trial, row), load(state, row)))
        length *= 0.5
    store(lane, STEPS, steps)
    store(lane, PASSED, passed)
