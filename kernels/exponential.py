"""e^{-x} by additions and multiplications, so that every machine gives the same bits (see `logarithm`)."""

import numpy as np

from .compile import kernel
from .logarithm import float_of

_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LARGEST = 708.0  # beyond it the result is no normal number, and counts as zero
_TERMS = 14


@kernel
def falling(x: float) -> float:
    """Return e^{-x} for x >= 0, within two units in the last place.

    With x = k ln 2 + r and |r| < 0.35, e^{-x} = 2^{-k} e^{-r}; the series of the second factor is exact to 1e-17.
    """
    if x > _LARGEST:
        return 0.0
    k = int(x * _LOG2_E + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    total = 1.0
    for n in range(_TERMS, 0, -1):
        total = 1.0 - total * r / n
    return total * float_of(np.int64(1023 - k) << np.int64(52))
