r"""Powers of a no-jump propagator, each correct to the last place: P_k = exp(A 2^k) by squaring in twice the precision.

A search for a jump time composes a waiting time from the P_k.  Squaring in float64 would double the error of the base
at every level, which at the thousandth multiple of it is no longer 1e-13.  So a number is here an unevaluated sum
high + low of two float64 (about 106 bits), and only the high parts enter the table.  All of it is our own arithmetic:
no BLAS, the same bits on every machine.

That costs twelve times as much as float64, which a few hundred states would feel.  From `LARGE` states on the table is
made of E = P - 1 in float64, squared as 2 E + E^2, where 2 E is exact.  As long as a state turns little, errors then
stay as small as E; beyond, they grow like 1e-16 |H_eff| t, as those of any data in float64.

Matrices act on real coordinates, as everywhere below the seam (see `jump_tables`).  Of a matrix that acts on complex
amplitudes only every second column is kept, for the pair of a column (x, y) is (-y, x).  The columns lie in lanes,
sixteen at a time: row ``(i * chunks + c) * 2`` of an array (rows, WIDTH) holds the high parts of entry i of the
columns 16 c ... 16 c + 15, and the next row the low parts.

Sources: Dekker 1971, "A floating-point technique for extending the available precision" (the sums); Ogita, Rump and
Oishi 2005, "Accurate sum and dot product" (products by fma).
"""

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, inlined, inner, lend
from .lanes import WIDTH, fma, item, load, splat, store
from .power_tables import by_three, put_complex, put_real
from .sparse_rows import SparseRows

Floats = NDArray[np.float64]

LARGE = 65  # states
ROWS = 4  # of a square in float64 at a time
_TERMS = 30  # of the series of the base: 1/31! is below the last bit of the doubled precision
DEAD = 2.0**-60  # no threshold is so small that a state of this norm squared has not passed it


def make_work(n: int, parts: int) -> tuple[Floats, Floats]:
    """Two matrices of zeros for n real coordinates, `parts` to a state."""
    rows = 2 * (-(-n // ROWS) * ROWS) * _chunks.py_func(n, parts)
    return np.zeros((rows, WIDTH)), np.zeros((rows, WIDTH))


@inlined
def _chunks(n, parts):
    """Vectors of lanes that the columns of a row fill."""
    return (n // parts + WIDTH - 1) // WIDTH


@inner
def _accumulate(high, low, a_high, a_low, b_high, b_low):
    """Return (high, low) + a b; every lane alone."""
    product = a_high * b_high
    rest = fma(a_high, b_high, -product)
    rest = fma(a_high, b_low, rest)
    rest = fma(a_low, b_high, rest)
    total = high + product
    back = total - high
    lost = (high - (total - back)) + (product - back)
    return total, low + (lost + rest)


@inlined
def _put(matrix, row, high, low):
    """Write sixteen entries, their high parts rounded to nearest; as long as those are the larger ones."""
    total = high + low
    store(matrix, row, total)
    store(matrix, row + 1, low - (total - high))


@inner
def square(matrix: Floats, result: Floats, n: int, parts: int) -> None:
    """Write the square of a matrix of n real coordinates, both in the layout of this module."""
    chunks = _chunks(n, parts)
    for i in range(n):
        sign = -1.0 if i % 2 == 0 else 1.0
        for c in range(chunks):
            high, low = splat(0.0), splat(0.0)
            for column in range(n // parts):
                entry, lane = (i * chunks + column // WIDTH) * 2, column % WIDTH
                there = (parts * column * chunks + c) * 2
                a_high, a_low = splat(matrix[entry, lane]), splat(matrix[entry + 1, lane])
                high, low = _accumulate(high, low, a_high, a_low, load(matrix, there), load(matrix, there + 1))
                if parts == 2:
                    entry, there = ((i ^ 1) * chunks + column // WIDTH) * 2, there + 2 * chunks
                    a_high, a_low = splat(sign * matrix[entry, lane]), splat(sign * matrix[entry + 1, lane])
                    high, low = _accumulate(high, low, a_high, a_low, load(matrix, there), load(matrix, there + 1))
            _put(result, (i * chunks + c) * 2, high, low)


@inner
def square_deviation(matrix: Floats, result: Floats, n: int, parts: int) -> None:
    """Write 2 E + E^2 for the high parts E, `ROWS` rows at a time; low parts are left alone.

    Rows from n on count as zeros, and are written as such.
    """
    chunks = _chunks(n, parts)
    step = 2 * chunks
    for i in range(0, n, ROWS):
        for c in range(chunks):
            at = i * step + 2 * c
            x, y = load(matrix, at), load(matrix, at + step)
            u, v = load(matrix, at + 2 * step), load(matrix, at + 3 * step)
            x, y, u, v = x + x, y + y, u + u, v + v
            for column in range(n // parts):
                entry, lane, there = i * step + column // WIDTH * 2, column % WIDTH, parts * column * step + 2 * c
                p, q = matrix[entry, lane], matrix[entry + step, lane]
                r, s = matrix[entry + 2 * step, lane], matrix[entry + 3 * step, lane]
                z = load(matrix, there)
                x, y, u, v = fma(splat(p), z, x), fma(splat(q), z, y), fma(splat(r), z, u), fma(splat(s), z, v)
                if parts == 2:
                    z = load(matrix, there + step)
                    x, y, u, v = fma(splat(-q), z, x), fma(splat(p), z, y), fma(splat(-s), z, u), fma(splat(r), z, v)
            store(result, at, x)
            store(result, at + step, y)
            store(result, at + 2 * step, u)
            store(result, at + 3 * step, v)


@inner
def _divide(high, low, divisor):
    """Return (high, low) / divisor, with a divisor that is exact."""
    quotient = high / divisor
    return quotient, (fma(-quotient, divisor, high) + low) / divisor


@inner
def _add_one(matrix, n, parts):
    """Add the unit matrix."""
    chunks = _chunks(n, parts)
    for column in range(n // parts):
        row, lane = (parts * column * chunks + column // WIDTH) * 2, column % WIDTH
        high = matrix[row, lane]
        total = high + 1.0
        back = total - high
        matrix[row, lane] = total
        matrix[row + 1, lane] += (high - (total - back)) + (1.0 - back)


@inner
def _next_term(rows, block, matrix, result, n, parts, order):
    """Write ``1 + A matrix / order``, A the matrix of a block of `SparseRows`."""
    chunks, element = _chunks(n, parts), rows.element
    zero, divisor = splat(0.0), splat(order)
    for g in range(rows.first[block], rows.first[block + 1]):
        group = rows.group[g]
        for r in range(group.first, group.end):
            first = group.element + (r - group.first) * group.length
            for c in range(chunks):
                high, low = zero, zero
                for e in range(first, first + group.length):
                    there, value = (item(element, e).column * chunks + c) * 2, splat(item(element, e).value)
                    high, low = _accumulate(high, low, value, zero, load(matrix, there), load(matrix, there + 1))
                high, low = _divide(high, low, divisor)
                _put(result, (item(rows.row, r) * chunks + c) * 2, high, low)
    _add_one(result, n, parts)


@inner
def _next_deviation(rows, block, matrix, result, n, parts, order):
    """Write ``A (1 + matrix) / order`` for the high parts of a matrix."""
    chunks, element = _chunks(n, parts), rows.element
    divisor = splat(order)
    for g in range(rows.first[block], rows.first[block + 1]):
        group = rows.group[g]
        for r in range(group.first, group.end):
            first, i = group.element + (r - group.first) * group.length, item(rows.row, r)
            for c in range(chunks):
                x = splat(0.0)
                for e in range(first, first + group.length):
                    x = fma(splat(item(element, e).value), load(matrix, (item(element, e).column * chunks + c) * 2), x)
                store(result, (i * chunks + c) * 2, x / divisor)
            for e in range(first, first + group.length):
                column = element[e].column // parts
                if element[e].column % parts == 0:
                    result[(i * chunks + column // WIDTH) * 2, column % WIDTH] += element[e].value / order


@inner
def to_table(matrix, n, parts, number, power, first):
    """Copy the high parts, plus a number on the diagonal, to the table at ``power[first]``.

    Returns the sum of the squares of the moduli of the entries.
    """
    chunks, total = _chunks(n, parts), 0.0
    step = 2 * chunks
    for a in range(n // parts):
        for b in range(n // parts):
            row, lane = a * parts * step + b // WIDTH * 2, b % WIDTH
            real = matrix[row, lane]
            if a == b:
                real += number
            total += real * real
            if parts == 1:
                put_real(power, first, n, a, b, real)
                continue
            imag = matrix[row + step, lane]
            total += imag * imag
            if by_three(n, parts):
                put_complex(power, first, n // 2, a, b, real, imag)
            else:
                put_real(power, first, n, 2 * a, 2 * b, real)
                put_real(power, first, n, 2 * a, 2 * b + 1, -imag)
                put_real(power, first, n, 2 * a + 1, 2 * b, imag)
                put_real(power, first, n, 2 * a + 1, 2 * b + 1, real)
    return total


@borrowed
def powers(
    rows: SparseRows,
    block: int,
    n: int,
    parts: int,
    halvings: int,
    levels: int,
    here: Floats,
    there: Floats,
    power: Floats,
) -> int:
    """Tabulate exp(A 2^k) for k = 0 ... levels - 1 and return how many were worth it.

    Parameters
    ----------
    rows, block : SparseRows, int
        A is the matrix of that block.
    n, parts : int
        Real coordinates, and how many of them make a state.
    halvings : int
        The norm of A is at most 2^halvings: the series is that of A / 2^halvings, and its sum is squared so often.
    levels : int
        The table ends earlier where a power is so small that no threshold would let a state pass it.
    here, there : (rows, WIDTH) float
        Working space, see `make_work`.
    power : (levels * size,) float
        Receives the powers as `power_tables` lays them out.
    """
    rows = lend(rows)
    large, size = n // parts >= LARGE, power.shape[0] // levels
    if not large:
        _add_one(here, n, parts)
    scale = 1.0
    for _ in range(halvings):
        scale *= 2.0
    for order in range(_TERMS, 0, -1):
        if large:
            _next_deviation(rows, block, here, there, n, parts, scale * order)
        else:
            _next_term(rows, block, here, there, n, parts, scale * order)
        here, there = there, here
    for k in range(-halvings, levels):
        if k >= 0 and to_table(here, n, parts, 1.0 if large else 0.0, power, k * size) < DEAD:
            return k
        if k + 1 == levels:
            return levels
        if large:
            square_deviation(here, there, n, parts)
        else:
            square(here, there, n, parts)
        here, there = there, here
    return levels
