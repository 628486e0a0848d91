r"""How a tabulated power lies in memory, and how it is multiplied with the states of sixteen trajectories.

A matrix of n real coordinates lies in panels of eight rows, column by column, so that a product reads it once from its
beginning to its end; the last panel is filled up with rows of zeros.

A matrix A + iB of many complex amplitudes is not written out in real coordinates.  With u + iv what it acts on,

.. math:: (A + iB)(u + iv) = (Au - Bv) + i\,[(A + B)(u + v) - Au - Bv],

three products of real matrices where there would be four.  A, B and A + B lie in panels of two amplitudes, the last
one filled up likewise.
"""

import numpy as np
from numpy.typing import NDArray

from .borrowed import inlined
from .lanes import fma, item, load, splat, store

Floats = NDArray[np.float64]

HEIGHT = 8  # rows of a panel
MANY = 16  # complex amplitudes from which three products take the place of four


@inlined
def by_three(n, parts):
    """Whether a table holds A, B and A + B."""
    return parts == 2 and n >= 2 * MANY


def padded(n: int) -> int:
    """Rows that products write for n real coordinates."""
    return -(-n // HEIGHT) * HEIGHT


def table_size(n: int, parts: int) -> int:
    """Numbers in the table of one power."""
    m = n // 2
    return 3 * m * (m + m % 2) if by_three.py_func(n, parts) else padded(n) * n


@inlined
def put_real(power, first, n, i, k, entry):
    """Write the entry (i, k) of a real matrix."""
    panel = i // HEIGHT * HEIGHT
    power[first + panel * n + k * HEIGHT + i - panel] = entry


@inlined
def put_complex(power, first, m, a, b, real, imag):
    """Write the entry (a, b) of a matrix of m complex amplitudes."""
    at = first + 6 * (a // 2 * m + b) + a % 2
    power[at] = real
    power[at + 2] = imag
    power[at + 4] = real + imag


def matrix_of(table: Floats, n: int, parts: int) -> Floats:
    """(n, n) the matrix that lies in a table, in real coordinates."""
    if not by_three.py_func(n, parts):
        return table.reshape(-1, n, HEIGHT).swapaxes(1, 2).reshape(-1, n)[:n]
    m, out = n // 2, np.empty((n // 2, 2, n // 2, 2))
    real, imag, _ = table.reshape(-1, m, 3, 2).transpose(2, 0, 3, 1).reshape(3, -1, m)[:, :m]
    out[:, 0, :, 0], out[:, 0, :, 1] = real, -imag
    out[:, 1, :, 0], out[:, 1, :, 1] = imag, real
    return out.reshape(n, n)


@inlined
def product(power, first, n, parts, state, trial):
    """Write P state into `trial`, the table of P from ``power[first]`` on; return the norms squared.

    Many rows at a time, because an addition waits four cycles for the one before it, and a dozen independent ones, two
    vectors to a row, keep the processor busy meanwhile.
    """
    total = splat(0.0)
    if by_three(n, parts):
        for a in range(0, n // 2, 2):
            total = total + _two_amplitudes(power, first + 3 * a * (n // 2), n // 2, state, trial, a)
    else:
        for row in range(0, n, HEIGHT):
            total = total + _eight(power, first + row * n, n, state, trial, row)
    return total


@inlined
def _eight(power, at, n, state, trial, row):
    """Write eight rows from row `row` on, their panel at ``power[at]``; return the sum of their squares."""
    x, y, u, v = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    s, t, w, z = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for k in range(n):
        q, e = load(state, k), at + HEIGHT * k
        x, y = fma(splat(item(power, e)), q, x), fma(splat(item(power, e + 1)), q, y)
        u, v = fma(splat(item(power, e + 2)), q, u), fma(splat(item(power, e + 3)), q, v)
        s, t = fma(splat(item(power, e + 4)), q, s), fma(splat(item(power, e + 5)), q, t)
        w, z = fma(splat(item(power, e + 6)), q, w), fma(splat(item(power, e + 7)), q, z)
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
def _two_amplitudes(power, at, m, state, trial, a):
    """Write the complex amplitudes a and a + 1, their panel at ``power[at]``; return the sum of their squares."""
    x, y, s, t, w, z = splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for b in range(m):
        u, v, e = load(state, 2 * b), load(state, 2 * b + 1), at + 6 * b
        both = u + v
        x, y = fma(splat(item(power, e)), u, x), fma(splat(item(power, e + 1)), u, y)
        s, t = fma(splat(item(power, e + 2)), v, s), fma(splat(item(power, e + 3)), v, t)
        w, z = fma(splat(item(power, e + 4)), both, w), fma(splat(item(power, e + 5)), both, z)
    first, second = (w - x) - s, (z - y) - t
    x, y = x - s, y - t
    store(trial, 2 * a, x)
    store(trial, 2 * a + 1, first)
    store(trial, 2 * a + 2, y)
    store(trial, 2 * a + 3, second)
    return fma(x, x, first * first) + fma(y, y, second * second)
