r"""Taylor jets: truncated power series in counting fields, with numbers, vectors or matrices as coefficients.

Derivatives of a generating function to any order come from arithmetic on its series, without finite differences.  A jet
is an array whose first axis runs over the multi-indices of a `Jets` object; coefficient alpha is the derivative divided
by alpha!.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from math import factorial
from operator import matmul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.exact.process import Floats

Index = tuple[int, ...]
Numbers = NDArray[Any]  # real, or complex for imaginary counting fields
Product = Callable[[Numbers, Numbers], Numbers]

TAYLOR = 16  # degree of the exponential's polynomial ...
RADIUS = 0.5  # ... and the norm up to which it and its first four derivatives are exact to double precision


class Jets:
    """Arithmetic of power series in several variables, truncated to a set of multi-indices.

    Parameters
    ----------
    indices : iterable of tuple of int
        With every index all smaller ones must be there too.
    """

    def __init__(self, indices: Iterable[Index]) -> None:
        self.indices: list[Index] = sorted(set(indices), key=lambda a: (sum(a), a))
        self.position = {a: n for n, a in enumerate(self.indices)}
        self.pairs: list[list[tuple[int, int]]] = [
            [
                (self.position[b], self.position[rest])
                for b in product(*(range(k + 1) for k in a))
                if (rest := tuple(x - y for x, y in zip(a, b, strict=True))) in self.position and b in self.position
            ]
            for a in self.indices
        ]
        self.factorial = np.array([float(np.prod([factorial(k) for k in a])) for a in self.indices])
        self.degree = max(sum(a) for a in self.indices)

    @classmethod
    def box(cls, orders: Sequence[int]) -> "Jets":
        """All indices up to the given order in each variable."""
        return cls(product(*(range(k + 1) for k in orders)))

    @classmethod
    def total(cls, variables: int, degree: int) -> "Jets":
        """All indices up to a total degree."""
        return cls(a for a in product(range(degree + 1), repeat=variables) if sum(a) <= degree)

    def __len__(self) -> int:
        return len(self.indices)

    def exponential_weights(self, weights: Floats) -> Floats:
        """Coefficients (len, P) of ``exp(sum_v s_v w_v)`` for P different weights (variables, P)."""
        one = np.ones(weights.shape[1:])
        return np.array(
            [
                np.prod([w**k for w, k in zip(weights, a, strict=True)], axis=0) / f if any(a) else one
                for a, f in zip(self.indices, self.factorial, strict=True)
            ]
        )

    def multiply(self, a: Any, b: Numbers, times: Product = np.multiply) -> Numbers:
        """Product of two jets, with the coefficients multiplied by `times`."""
        if len(self.pairs) == 1:
            return np.asarray(times(a[0], b[0]))[None]
        return np.array([sum(times(a[p], b[q]) for p, q in pairs) for pairs in self.pairs])

    def matmul(self, a: Any, b: Numbers) -> Numbers:
        """Product of a matrix jet with a matrix jet, or with a jet of (columns of) vectors."""
        return self.multiply(a, b, matmul)

    def log(self, a: Numbers) -> Numbers:
        """Logarithm of a jet of numbers with positive leading coefficient."""
        small = a / a[0]
        small[0] = 0.0
        total = np.zeros_like(a)
        total[0] = np.log(a[0])
        power = np.zeros_like(a)
        power[0] = 1.0
        for k in range(1, self.degree + 1):
            power = self.multiply(power, small)
            total = total - (-1) ** k / k * power
        return total

    def expm(self, a: Numbers, traces: Floats | None = None) -> Numbers:
        """Exponential of a matrix jet by Taylor series, scaling and squaring.

        Parameters
        ----------
        a : (len, m, m) float
        traces : (m,) float, optional
            A row that the leading coefficient of the exponential must leave as it is.  Repeated squaring doubles an
            error in the conserved direction each time; restoring the row removes it.
        """
        norm = np.abs(a[0]).sum(axis=0).max()  # the other coefficients follow from it by the scale of the fields
        squarings = max(0, int(np.ceil(np.log2(norm / RADIUS)))) if norm > 0 else 0
        a = a / 2.0**squarings
        one = np.zeros_like(a)
        one[0] = np.eye(a.shape[1])
        a2 = self.matmul(a, a)
        a3, a4 = self.matmul(a2, a), self.matmul(a2, a2)
        total = one / factorial(TAYLOR)
        for k in range(TAYLOR - 4, -1, -4):
            low = one / factorial(k) + a / factorial(k + 1) + a2 / factorial(k + 2) + a3 / factorial(k + 3)
            total = self.matmul(total, a4) + low
        for _ in range(squarings):
            total = self.matmul(total, total)
            if traces is not None:
                total[0] = keep_trace(total[0], traces)
        return total

    def power(self, a: Numbers, n: int, traces: Floats | None = None) -> Numbers:
        """n-th power of a matrix jet by repeated squaring; `traces` as in `expm`."""
        total: Numbers | None = None
        while n:
            if n & 1:
                total = a if total is None else self.matmul(a, total)
            n >>= 1
            if n:
                a = self.matmul(a, a)
                if traces is not None:
                    a[0] = keep_trace(a[0], traces)
        if total is None:
            total = np.zeros_like(a)
            total[0] = np.eye(a.shape[1])
        return total


def keep_trace(matrix: Numbers, trace: Floats) -> Numbers:
    """Correct a map by a rank-one matrix so that it leaves the trace as it is."""
    late = matrix @ trace
    return matrix - (late / (trace @ late))[:, None] * (trace @ matrix - trace)


def keep_trace_within(matrix: Numbers, trace: Floats) -> Numbers:
    """The same without filling zeros: where no probability flows, none will be made to."""
    share = np.where(matrix != 0, (matrix @ trace)[:, None], 0.0)
    total = trace @ share
    missing = np.divide(trace @ matrix - trace, total, out=np.zeros(len(trace)), where=total != 0)
    return matrix - share * missing


PLAIN = Jets([()])
"""No variables: plain matrices, with the same exponential and power."""
