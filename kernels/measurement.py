"""The two projective measurements that open and close a trajectory, and expectation values in between.

A state is a vector psi in the coordinates of its block; of a longer array only the first `size` entries are read.  Sums
run in index order, so that every machine gives the same bits.
"""

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]


@borrowed
def opening(cdf: Floats, u: float) -> int:
    """Return the first outcome whose cumulative probability exceeds `u`.

    An outcome of probability zero is never returned, nor one past the last possible: where rounding left the total
    below `u`, the last outcome of positive probability is taken.

    Parameters
    ----------
    cdf : (ni,) float
        Cumulative probabilities, not decreasing.
    u : float
        Uniform number in [0, 1).
    """
    last = cdf.shape[0] - 1
    total = cdf[last]
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        # the first place that reaches the total is the last outcome that can occur
        if cdf[middle] > u or cdf[middle] == total:
            high = middle
        else:
            low = middle + 1
    return low


@borrowed
def choose(weight: Floats, count: int, u: float) -> int:
    """Return k with probability ``weight[k] / sum(weight[:count])``; -1 if no weight is positive.

    The sum is taken in the order of the search, and the last positive weight catches what rounding leaves over, so the
    choice can neither run past the end nor fall on a weight of zero.
    """
    total = 0.0
    for k in range(count):
        total += weight[k]
    mark = u * total
    reached, chosen = 0.0, -1
    for k in range(count):
        if weight[k] > 0.0:
            chosen = k
            reached += weight[k]
            if reached > mark:
                break
    return chosen


@borrowed
def norm2(psi: Complexes, size: int) -> float:
    """Return <psi|psi>."""
    total = 0.0
    for a in range(size):
        total += psi[a].real * psi[a].real + psi[a].imag * psi[a].imag
    return total


@borrowed
def overlap2(outcome: Complexes, psi: Complexes, size: int) -> float:
    """Return |<outcome|psi>|^2."""
    real, imag = 0.0, 0.0
    for a in range(size):
        real += outcome[a].real * psi[a].real + outcome[a].imag * psi[a].imag
        imag += outcome[a].real * psi[a].imag - outcome[a].imag * psi[a].real
    return real * real + imag * imag


@borrowed
def closing(vectors: Complexes, listed: Ints, count: int, psi: Complexes, size: int, weight: Floats, u: float) -> int:
    """Measure psi in an orthonormal basis of its block and return the outcome; -1 if psi is orthogonal to all.

    Parameters
    ----------
    vectors : (nf, m) complex
        All closing outcomes.
    listed : (count or more,) int
        Those that lie in the block of psi.
    psi : (size or more,) complex
        Any norm.
    weight : (count or more,) float
        Working space; left with the probabilities times <psi|psi>.
    u : float
        Uniform number in [0, 1).
    """
    for k in range(count):
        weight[k] = overlap2(vectors[listed[k]], psi, size)
    chosen = choose(weight, count, u)
    return listed[chosen] if chosen >= 0 else -1


@borrowed
def expectation(matrix: Complexes, psi: Complexes, size: int) -> float:
    """Return <psi|A|psi> of a Hermitian A, of which the lower triangle is read; psi of any norm."""
    total = 0.0
    for a in range(size):
        real, imag = 0.0, 0.0  # row a of A below its diagonal, applied to psi
        for b in range(a):
            real += matrix[a, b].real * psi[b].real - matrix[a, b].imag * psi[b].imag
            imag += matrix[a, b].real * psi[b].imag + matrix[a, b].imag * psi[b].real
        diagonal = matrix[a, a].real * (psi[a].real * psi[a].real + psi[a].imag * psi[a].imag)
        total += diagonal + 2.0 * (psi[a].real * real + psi[a].imag * imag)
    return total
