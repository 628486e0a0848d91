r"""The search for the next jump of sixteen trajectories in a block too large for tables.

`march` takes the place of `jump_search.descend`: strides of 2^k steps for k = K ... 0, kept where the norm squared
stays above the threshold and the stop is not passed.  A stride is a Chebyshev series of products of sparse rows with
sixteen states.  Inside the last step the search goes on as everywhere else, by a Taylor series and the root of its norm
squared.
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
    """Return one sparse row times the states that begin at a row of `state`."""
    x = splat(0.0)
    for e in range(tables.row_start[row], tables.row_start[row + 1]):
        x = fma(splat(tables.element[e].value), load(state, offset + tables.element[e].column), x)
    return x


@inner
def stride(tables: WideTables, block: int, level: int, bench: Bench) -> None:
    """Write the states after 2^level steps into ``bench.trial``; three terms of the series are at hand at a time."""
    n, first, state, trial, terms = (
        tables.block[block].width,
        tables.block[block].rows,
        bench.state,
        bench.trial,
        bench.series,
    )
    most = (tables.series_start.shape[0] - 1) // tables.block.shape[0]
    begin, end = tables.series_start[block * most + level], tables.series_start[block * most + level + 1]
    scale = 1.0 / tables.stretch[block]
    zeroth, once, twice = splat(tables.series_value[begin]), splat(scale), splat(2.0 * scale)
    this, last, free = 0, n + 2, 2 * (n + 2)
    weight = splat(tables.series_value[begin + 1])
    for a in range(n):
        x, u = row_product(tables, first + a, state, 0) * once, load(state, a)
        store(terms, this + a, x)
        store(terms, last + a, u)
        store(trial, a, fma(weight, x, zeroth * u))
    for k in range(begin + 2, end):
        weight = splat(tables.series_value[k])
        for a in range(n):
            x = fma(twice, row_product(tables, first + a, terms, this), load(terms, last + a))
            store(terms, free + a, x)
            store(trial, a, fma(weight, x, load(trial, a)))
        this, last, free = free, this, last


@inlined
def _norms(trial, n):
    """Return the norms squared."""
    x, y = splat(0.0), splat(0.0)
    for a in range(0, n - 1, 2):
        even, odd = load(trial, a), load(trial, a + 1)
        x, y = fma(even, even, x), fma(odd, odd, y)
    if n % 2 == 1:
        last = load(trial, n - 1)
        x = fma(last, last, x)
    return x + y


@inner
def march(tables: WideTables, block: int, bench: Bench, top: int) -> None:
    """Move each lane on by as many steps as its stop and its threshold allow, trying levels `top` ... 0."""
    n, lane, state, trial = tables.block[block].width, bench.lane, bench.state, bench.trial
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
            norm2 = _norms(trial, n)
            taken = norm2 > asked
            passed = select(norm2 <= asked, select(asked < never, one, passed), passed)
            steps = select(taken, further, steps)
            for row in range(n):
                store(state, row, select(taken, load(trial, row), load(state, row)))
        length *= 0.5
    store(lane, STEPS, steps)
    store(lane, PASSED, passed)
