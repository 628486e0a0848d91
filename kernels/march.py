r"""The search for the next jump of sixteen trajectories in a block too large for tables.

`march` takes the place of `jump_search.descend`: strides of 2^k steps for k = K ... 0, kept where the norm squared
stays above the threshold and the stop is not passed.  A stride is a Chebyshev series of products of sparse rows with
sixteen states.  Inside the last step the search goes on as everywhere else, by a Taylor series and the root of its norm
squared.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .borrowed import inner
from .jump_search import LEFT, PASSED, STEPS, THRESHOLD, Bench, norms
from .lanes import anywhere, fma, item, load, select, splat, store
from .sparse_rows import row_product
from .wide_tables import WideTables

Floats = NDArray[np.float64]


@inner
def stride(tables: WideTables, block: int, level: int, bench: Bench) -> None:
    """Write the states after 2^level steps into ``bench.trial``; three terms of the series are at hand at a time."""
    n, state, trial, terms = tables.block[block].width, bench.state, bench.trial, bench.series
    most = (tables.series_start.shape[0] - 1) // tables.block.shape[0]
    begin, end = tables.series_start[block * most + level], tables.series_start[block * most + level + 1]
    scale = 1.0 / tables.stretch[block]
    zeroth, once, twice = splat(tables.series_value[begin]), splat(scale), splat(2.0 * scale)
    this, last, free = 0, n + 2, 2 * (n + 2)
    weight = splat(tables.series_value[begin + 1])
    groups, rows, element = tables.rows.group, tables.rows.row, tables.rows.element
    first, last_group = tables.rows.first[block], tables.rows.first[block + 1]
    for g in range(first, last_group):
        e, length = item(groups, g).element, item(groups, g).length
        for r in range(item(groups, g).first, item(groups, g).end):
            a = item(rows, r)
            x, u = row_product(element, e, length, state, 0) * once, load(state, a)
            store(terms, this + a, x)
            store(terms, last + a, u)
            store(trial, a, fma(weight, x, zeroth * u))
            e += length
    for k in range(begin + 2, end):
        weight = splat(tables.series_value[k])
        for g in range(first, last_group):
            e, length = item(groups, g).element, item(groups, g).length
            for r in range(item(groups, g).first, item(groups, g).end):
                a = item(rows, r)
                x = fma(twice, row_product(element, e, length, terms, this), load(terms, last + a))
                store(terms, free + a, x)
                store(trial, a, fma(weight, x, load(trial, a)))
                e += length
        this, last, free = free, this, last


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
            norm2 = norms(trial, n)
            taken = norm2 > asked
            passed = select(norm2 <= asked, select(asked < never, one, passed), passed)
            steps = select(taken, further, steps)
            for row in range(n):
                store(state, row, select(taken, load(trial, row), load(state, row)))
        length *= 0.5
    store(lane, STEPS, steps)
    store(lane, PASSED, passed)
