"""The natural logarithm by additions, multiplications and one division, so that every machine gives the same bits.

The libraries' logarithms differ in the last place from one C library and vector width to the next, which would be
enough to give a waiting time other bits elsewhere.  This one is fdlibm's `e_log.c` (Sun Microsystems, 1993), within one
unit in the last place: with x = 2^k (1 + f), 1/sqrt 2 < 1 + f < sqrt 2, and s = f / (2 + f),

    ln(1 + f) = 2 artanh s = f - (f^2/2 - s (f^2/2 + R)),   R = s^2 (2/3 + ...) fitted as a polynomial in s^2,

and k ln 2 is added in two pieces, the larger of which is exact for every k.
"""

from typing import Any

from .borrowed import inlined
from .compile import kernel
from .lanes import exponent, fraction
from .late import intrinsic

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ODD = (6.666666666666735130e-01, 2.857142874366239149e-01, 1.818357216161805012e-01, 1.479819860511658591e-01)
_EVEN = (3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01)


@intrinsic
def float_of(typing: Any, bits: Any) -> Any:
    """Return the float64 that 64 bits stand for."""
    from llvmlite import ir
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), generate


def _log(x):
    """Return ln x of a positive normal number, or of lanes of them, within one unit in the last place."""
    k, f = exponent(x), fraction(x) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (_EVEN[0] + w * (_EVEN[1] + w * _EVEN[2]))
    odd = z * (_ODD[0] + w * (_ODD[1] + w * (_ODD[2] + w * _ODD[3])))
    half = 0.5 * f * f
    return k * _LN2_HIGH - ((half - (s * (half + (even + odd)) + k * _LN2_LOW)) - f)


log, log_of_lanes = kernel(_log), inlined(_log)
