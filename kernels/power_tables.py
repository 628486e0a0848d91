r"""How a tabulated power lies in memory, and how it is multiplied with the states of sixteen trajectories.

A matrix of n real coordinates lies in panels of eight rows (the last one of what is left), column by column, so that a
product reads it once from its beginning to its end.

A matrix A + iB of many complex amplitudes is not written out in real coordinates.  With u + iv what it acts on,

.. math:: (A + iB)(u + iv) = (Au - Bv) + i\,[(A + B)(u + v) - Au - Bv],

three products of real matrices where there would be four.  A, B and A + B lie in panels of two amplitudes.
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


def table_size(n: int, parts: int) -> int:
    """Numbers in the table of one power."""
    return 3 * n * n // 4 if by_three.py_func(n, parts) else n * n


@inlined
def put_real(power, first, n, i, k, entry):
    """Write the entry (i, k) of a real matrix."""
    panel = i // HEIGHT * HEIGHT
    power[first + panel * n + k * min(HEIGHT, n - panel) + i - panel] = entry


@inlined
def put_complex(power, first, m, a, b, real, imag):
    """Write the entry (a, b) of a matrix of m complex amplitudes."""
    panel = a // 2 * 2
    height = min(2, m - panel)
    at = first + 3 * (panel * m + b * height) + a - panel
    power[at] = real
    power[at + height] = imag
    power[at + 2 * height] = real + imag


def matrix_of(table: Floats, n: int, parts: int) -> Floats:
    """(n, n) the matrix that lies in a table, in real coordinates."""
    if not by_three.py_func(n, parts):
        return np.concatenate([table[p * n : min(p + HEIGHT, n) * n].reshape(n, -1).T for p in range(0, n, HEIGHT)])
    m, out = n // 2, np.empty((n // 2, 2, n // 2, 2))
    for a in range(0, m, 2):
        height = min(2, m - a)
        real, imag, _ = table[3 * a * m : 3 * (a + height) * m].reshape(m, 3, height).transpose(1, 2, 0)
        out[a : a + height, 0, :, 0], out[a : a + height, 0, :, 1] = real, -imag
        out[a : a + height, 1, :, 0], out[a : a + height, 1, :, 1] = imag, real
    return out.reshape(n, n)


@inlined
def product(power, first, n, parts, state, trial):
    """Write P state into `trial`, the table of P from ``power[first]`` on; return the norms squared.

    Many rows at a time, because an addition waits four cycles for the one before it, and a dozen independent ones, two
    vectors to a row, keep the processor busy meanwhile.
    """
    total = splat(0.0)
    if by_three(n, parts):
        m = n // 2
        for a in range(0, m - 1, 2):
            total = total + _two_amplitudes(power, first + 3 * a * m, m, state, trial, a)
        if m % 2 == 1:
            total = total + _one_amplitude(power, first + 3 * (m - 1) * m, m, state, trial)
        return total
    height = n % HEIGHT
    for row in range(0, n - HEIGHT + 1, HEIGHT):
        total = total + _eight(power, first + row * n, n, state, trial, row)
    last = first + (n - height) * n
    for j in range(0, height - 1, 2):
        total = total + _two(power, last + j, height, n, state, trial, n - height + j)
    if height % 2 == 1:
        total = total + _one(power, last + height - 1, height, n, state, trial)
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
def _two(power, at, height, n, state, trial, row):
    """The same for two rows of a panel of another height."""
    x, y = splat(0.0), splat(0.0)
    for k in range(n):
        q, e = load(state, k), at + height * k
        x, y = fma(splat(item(power, e)), q, x), fma(splat(item(power, e + 1)), q, y)
    store(trial, row, x)
    store(trial, row + 1, y)
    return fma(x, x, y * y)


@inlined
def _one(power, at, height, n, state, trial):
    """The same for the last row."""
    x = splat(0.0)
    for k in range(n):
        x = fma(splat(item(power, at + height * k)), load(state, k), x)
    store(trial, n - 1, x)
    return x * x


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


@inlined
def _one_amplitude(power, at, m, state, trial):
    """The same for the last one."""
    x, s, w = splat(0.0), splat(0.0), splat(0.0)
    for b in range(m):
        u, v, e = load(state, 2 * b), load(state, 2 * b + 1), at + 3 * b
        x, s = fma(splat(item(power, e)), u, x), fma(splat(item(power, e + 1)), v, s)
        w = fma(splat(item(power, e + 2)), u + v, w)
    real, imag = x - s, (w - x) - s
    store(trial, 2 * m - 2, real)
    store(trial, 2 * m - 1, imag)
    return fma(real, real, imag * imag)
