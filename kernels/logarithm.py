"""The natural logarithm by additions, multiplications and one division, so that every machine gives the same bits.

The libraries' logarithms differ in the last place from one C library and vector width to the next, which would be
enough to give a waiting time other bits elsewhere.  This one is fdlibm's `e_log.c` (Sun Microsystems, 1993), within one
unit in the last place: with x = 2^k (1 + f), 1/sqrt 2 < 1 + f < sqrt 2, and s = f / (2 + f),

    ln(1 + f) = 2 artanh s = f - (f^2/2 - s (f^2/2 + R)),   R = s^2 (2/3 + ...) fitted as a polynomial in s^2,

and k ln 2 is added in two pieces, the larger of which is exact for every k.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
import numpy as np

from .compile import kernel

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ODD = (6.666666666666735130e-01, 2.857142874366239149e-01, 1.818357216161805012e-01, 1.479819860511658591e-01)
_EVEN = (3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01)
_FRACTION = np.int64(0x000FFFFFFFFFFFFF)
_SQRT_HALF = np.int64(0x3FE6A09E00000000)  # sqrt(1/2), cut to 20 bits


@intrinsic
def bits_of(typing: Any, x: Any) -> Any:
    """Return the 64 bits of a float64 as an int64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def float_of(typing: Any, bits: Any) -> Any:
    """Return the float64 that 64 bits stand for."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), generate


@kernel
def log(x: float) -> float:
    """Return ln x of a positive normal number, within one unit in the last place."""
    # the bits above sqrt(1/2) hold k as their exponent, so that 1 + f comes to lie between sqrt(1/2) and sqrt 2
    above = bits_of(x) - _SQRT_HALF
    k = above >> np.int64(52)
    f = float_of((above & _FRACTION) + _SQRT_HALF) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (_EVEN[0] + w * (_EVEN[1] + w * _EVEN[2]))
    odd = z * (_ODD[0] + w * (_ODD[1] + w * (_ODD[2] + w * _ODD[3])))
    half = 0.5 * f * f
    return k * _LN2_HIGH - ((half - (s * (half + (even + odd)) + k * _LN2_LOW)) - f)
