r"""Powers of a no-jump propagator, each correct to the last place: P_k = exp(A 2^k) by squaring in twice the precision.

A search for a jump time composes a waiting time from the P_k.  Squaring in float64 would double the error of the base
at every level, which at the thousandth multiple of it is no longer 1e-13.  So a number is here an unevaluated sum
high + low of two float64 (about 106 bits), and only the high parts enter the table.  All of it is our own arithmetic:
no BLAS, the same bits on every machine.

That costs twelve times as much as float64, which a few hundred states would feel.  From `LARGE` states on the table is
made of E = P - 1 in float64, squared as 2 E + E^2, where 2 E is exact.  As long as a state turns little, errors then
stay as small as E; beyond, they grow like 1e-16 |H_eff| t, as those of any data in float64.

The columns of a matrix lie in lanes, sixteen at a time: row ``(i * chunks + c) * 4`` of an array (rows, WIDTH) holds
the high part of the real part of entry i of the columns 16 c ... 16 c + 15, and the next three its low part, and the
high and low part of the imaginary part.

Sources: Dekker 1971, "A floating-point technique for extending the available precision" (the sums); Ogita, Rump and
Oishi 2005, "Accurate sum and dot product" (products by fma).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, inner
from .lanes import WIDTH, fma, load, splat, store

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

LARGE = 65  # states
_TERMS = 30  # of the series of the base: 1/31! is below the last bit of the doubled precision
_DEAD = 2.0**-60  # no threshold is so small that a state of this norm squared has not passed it


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


@inner
def _settle(high, low):
    """Return the same sum with `high` rounded to nearest, as long as it is the larger part."""
    total = high + low
    return total, low - (total - high)


@inner
def _get(matrix, row):
    """Return the four parts of sixteen entries."""
    return load(matrix, row), load(matrix, row + 1), load(matrix, row + 2), load(matrix, row + 3)


@inner
def _put(matrix, row, real_high, real_low, imag_high, imag_low):
    """Write the four parts of sixteen entries, their high parts rounded to nearest."""
    real_high, real_low = _settle(real_high, real_low)
    imag_high, imag_low = _settle(imag_high, imag_low)
    store(matrix, row, real_high)
    store(matrix, row + 1, real_low)
    store(matrix, row + 2, imag_high)
    store(matrix, row + 3, imag_low)


@inner
def square(matrix: Floats, result: Floats, m: int) -> None:
    """Write the square of a matrix of size m, both in the layout of this module."""
    chunks = (m + WIDTH - 1) // WIDTH
    for i in range(m):
        for c in range(chunks):
            real_high, real_low, imag_high, imag_low = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
            for k in range(m):
                entry, lane = (i * chunks + k // WIDTH) * 4, k % WIDTH
                a_high, a_low = splat(matrix[entry, lane]), splat(matrix[entry + 1, lane])
                b_high, b_low = splat(matrix[entry + 2, lane]), splat(matrix[entry + 3, lane])
                x_high, x_low, y_high, y_low = _get(matrix, (k * chunks + c) * 4)
                real_high, real_low = _accumulate(real_high, real_low, a_high, a_low, x_high, x_low)
                imag_high, imag_low = _accumulate(imag_high, imag_low, a_high, a_low, y_high, y_low)
                real_high, real_low = _accumulate(real_high, real_low, -b_high, -b_low, y_high, y_low)
                imag_high, imag_low = _accumulate(imag_high, imag_low, b_high, b_low, x_high, x_low)
            _put(result, (i * chunks + c) * 4, real_high, real_low, imag_high, imag_low)


@inner
def square_deviation(matrix: Floats, result: Floats, m: int) -> None:
    """Write 2 E + E^2 for the high parts E of a matrix of size m, two rows at a time; low parts are left alone.

    Where m is odd, row m counts as one more, of zeros.
    """
    chunks = (m + WIDTH - 1) // WIDTH
    for i in range(0, m, 2):
        for c in range(chunks):
            upper, lower = (i * chunks + c) * 4, ((i + 1) * chunks + c) * 4
            x, y, u, v = load(matrix, upper), load(matrix, upper + 2), load(matrix, lower), load(matrix, lower + 2)
            x, y, u, v = x + x, y + y, u + u, v + v
            for k in range(m):
                row, lane = (k * chunks + c) * 4, k % WIDTH
                first, second = (i * chunks + k // WIDTH) * 4, ((i + 1) * chunks + k // WIDTH) * 4
                real, imag = load(matrix, row), load(matrix, row + 2)
                x, y = fma(splat(matrix[first, lane]), real, x), fma(splat(matrix[first, lane]), imag, y)
                u, v = fma(splat(matrix[second, lane]), real, u), fma(splat(matrix[second, lane]), imag, v)
                x, y = fma(splat(-matrix[first + 2, lane]), imag, x), fma(splat(matrix[first + 2, lane]), real, y)
                u, v = fma(splat(-matrix[second + 2, lane]), imag, u), fma(splat(matrix[second + 2, lane]), real, v)
            store(result, upper, x)
            store(result, upper + 2, y)
            store(result, lower, u)
            store(result, lower + 2, v)


@inner
def _divide(high, low, divisor):
    """Return (high, low) / divisor, with a divisor that is exact."""
    quotient = high / divisor
    return quotient, (fma(-quotient, divisor, high) + low) / divisor


@inner
def _add_one(matrix, m):
    """Add the unit matrix."""
    chunks = (m + WIDTH - 1) // WIDTH
    for i in range(m):
        row, lane = (i * chunks + i // WIDTH) * 4, i % WIDTH
        high = matrix[row, lane]
        total = high + 1.0
        back = total - high
        matrix[row, lane] = total
        matrix[row + 1, lane] += (high - (total - back)) + (1.0 - back)


@inner
def _next_term(start, element, matrix, result, m, order):
    """Write ``1 + A matrix / order``, A given by the entries of its rows."""
    chunks = (m + WIDTH - 1) // WIDTH
    zero, divisor = splat(0.0), splat(order)
    for i in range(m):
        for c in range(chunks):
            real_high, real_low, imag_high, imag_low = zero, zero, zero, zero
            for e in range(start[i], start[i + 1]):
                a, b = splat(element[e].value.real), splat(element[e].value.imag)
                x_high, x_low, y_high, y_low = _get(matrix, (element[e].column * chunks + c) * 4)
                real_high, real_low = _accumulate(real_high, real_low, a, zero, x_high, x_low)
                imag_high, imag_low = _accumulate(imag_high, imag_low, a, zero, y_high, y_low)
                real_high, real_low = _accumulate(real_high, real_low, -b, zero, y_high, y_low)
                imag_high, imag_low = _accumulate(imag_high, imag_low, b, zero, x_high, x_low)
            real_high, real_low = _divide(real_high, real_low, divisor)
            imag_high, imag_low = _divide(imag_high, imag_low, divisor)
            _put(result, (i * chunks + c) * 4, real_high, real_low, imag_high, imag_low)
    _add_one(result, m)


@inner
def _next_deviation(start, element, matrix, result, m, order):
    """Write ``A (1 + matrix) / order`` for the high parts of a matrix."""
    chunks = (m + WIDTH - 1) // WIDTH
    divisor = splat(order)
    for i in range(m):
        for c in range(chunks):
            x, y = splat(0.0), splat(0.0)
            for e in range(start[i], start[i + 1]):
                a, b, row = element[e].value.real, element[e].value.imag, (element[e].column * chunks + c) * 4
                u, v = load(matrix, row), load(matrix, row + 2)
                x, y = fma(splat(a), u, x), fma(splat(a), v, y)
                x, y = fma(splat(-b), v, x), fma(splat(b), u, y)
            store(result, (i * chunks + c) * 4, x / divisor)
            store(result, (i * chunks + c) * 4 + 2, y / divisor)
        for e in range(start[i], start[i + 1]):
            row, lane = (i * chunks + element[e].column // WIDTH) * 4, element[e].column % WIDTH
            result[row, lane] += element[e].value.real / order
            result[row + 2, lane] += element[e].value.imag / order


@inner
def _to_table(matrix, m, number, power, first):
    """Copy the high parts, plus a number on the diagonal, to ``power[first : first + m * m]``.

    Returns the sum of their squares.
    """
    chunks = (m + WIDTH - 1) // WIDTH
    total = 0.0
    for i in range(m):
        for j in range(m):
            row, lane = (i * chunks + j // WIDTH) * 4, j % WIDTH
            entry = complex(matrix[row, lane], matrix[row + 2, lane])
            if i == j:
                entry += number
            power[first + i * m + j] = entry
            total += entry.real * entry.real + entry.imag * entry.imag
    return total


@borrowed
def powers(start: Ints, element: Any, m: int, levels: int, here: Floats, there: Floats, power: Complexes) -> int:
    """Tabulate exp(A 2^k) for k = 0 ... levels - 1 and return how many were worth it.

    Parameters
    ----------
    start, element : (m + 1,) int, (entries,) record of `column` and `value`
        Sparse rows of A, of norm 1 at most: row i has the elements ``start[i]`` up to ``start[i + 1]``.
    m : int
        Size of A.
    levels : int
        The table ends earlier where a power is so small that no threshold would let a state pass it.
    here, there : (4 * even * chunks, WIDTH) float
        Working space filled with zeros; `even` is m or m + 1, chunks = ceil(m / WIDTH).
    power : (levels * m * m,) complex
        Receives the powers, each row by row.
    """
    large = m >= LARGE
    if not large:
        _add_one(here, m)
    for order in range(_TERMS, 0, -1):
        if large:
            _next_deviation(start, element, here, there, m, float(order))
        else:
            _next_term(start, element, here, there, m, float(order))
        here, there = there, here
    for k in range(levels):
        if _to_table(here, m, 1.0 if large else 0.0, power, k * m * m) < _DEAD:
            return k
        if k + 1 == levels:
            return levels
        if large:
            square_deviation(here, there, m)
        else:
            square(here, there, m)
        here, there = there, here
    return levels
