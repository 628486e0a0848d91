r"""The propagator as a Chebyshev series: the fewest products with a sparse H_eff over a long stride.

With :math:`|H_{\rm eff}|\le R` (a bound, :math:`H_{\rm eff}` shifted to the centre of its spectrum) and :math:`x=Rt`

.. math:: e^{-iH_{\rm eff}t}\psi = \sum_{n\ge0} (2-\delta_{n0}) J_n(x)\,\varphi_n,\qquad
          \varphi_0=\psi,\quad \varphi_1=-i\tfrac{H_{\rm eff}}R\psi,\quad
          \varphi_{n+1}=-2i\tfrac{H_{\rm eff}}R\varphi_n+\varphi_{n-1},

where the factors :math:`(-i)^n` of the polynomials are inside the :math:`\varphi_n`, so that all coefficients are real
(Tal-Ezer and Kosloff 1984).  Beyond n = x they fall faster than any power; the series ends where what is left is below
a rounding.  The damping in :math:`H_{\rm eff}` is small beside R wherever a march is chosen: a stride lasts no longer
than a few waiting times, over which the polynomials grow by no more than the norm may fall.

Bessel functions are made by Miller's backward recurrence, with additions, multiplications and divisions only, so that
every machine has the same coefficients.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

_LEFT = 2.0**-56  # what the terms left out may amount to, times the growth of the polynomials
_ITERATIONS = 12  # of a bound of the norm
_FAR = 40  # backward recurrences begin so far beyond the argument


def bessel(x: float, count: int) -> list[float]:
    """J_0(x) ... J_(count-1)(x) for x > 0, normalised by J_0 + 2 J_2 + 2 J_4 + ... = 1."""
    top = count + int(x) + _FAR
    values = [0.0] * (top + 2)
    values[top] = 1e-290
    for n in range(top, 0, -1):
        values[n - 1] = 2.0 * n / x * values[n] - values[n + 1]
        if abs(values[n - 1]) > 1e200:  # far above all that will be wanted: begin again smaller
            values = [v * 1e-200 for v in values]
    total = values[0] + 2.0 * math.fsum(values[2::2])
    return [v / total for v in values[:count]]


def coefficients(x: float) -> Floats:
    """(n,) coefficients (2 - delta_n0) J_n(x) up to the last that can be seen."""
    count = int(1.25 * x) + _FAR
    values = [value if n == 0 else 2.0 * value for n, value in enumerate(bessel(x, count))]
    left, n = 0.0, count
    while n > 2 and left + abs(values[n - 1]) < _LEFT:
        left += abs(values[n - 1])
        n -= 1
    return np.array(values[:n])


def norm_bound(matrix: Complexes) -> float:
    """Bound the norm of a matrix by the geometric mean of its largest row and column sums of moduli."""
    modulus = np.sqrt(matrix.real * matrix.real + matrix.imag * matrix.imag)
    rows, columns = (max(map(math.fsum, sums.tolist())) for sums in (modulus, modulus.T))
    return math.sqrt(rows * columns)


def radius_of(row: Ints, column: Ints, value: Complexes, m: int) -> float:
    r"""Bound of the norm of a matrix of size m from its entries.

    With M the moduli of the entries, :math:`|A|^2 \le \max_i (M^T M v)_i / v_i` for any positive vector v (Collatz and
    Wielandt); a few iterations of v bring the bound close to the largest it can be, the norm of M.
    """
    modulus = np.sqrt(value.real * value.real + value.imag * value.imag)
    v, bound = np.ones(m), math.inf
    for _ in range(_ITERATIONS):
        up = np.bincount(row, modulus * v[column], m)
        new = np.bincount(column, modulus * up[row], m)
        bound = min(bound, float(np.max(new / v)))
        # a state that nothing reaches keeps a small positive weight, and the bound stays one
        v = np.maximum(new / max(float(new.max()), 1e-300), 1e-6)
    return math.sqrt(bound)
