"""Random numbers as a function of (seed, trajectory, position): Philox4x64-10.

The word at a position of trajectory `id` is the one that ``numpy.random.Philox(key=[seed, id]).random_raw()`` returns
there, and ``uniform`` gives the doubles of ``numpy.random.Generator(...).random()``.  Nothing is shared between
trajectories, so no order, batch or thread can change a number, and trajectory k can be replayed alone.

Counter layout: the key is (seed, id), the four-word counter is (n + 1, 0, 0, 0) for block n = 0, 1, ..., because NumPy
increments its counter before the first block.  Block n holds the words at positions 4n ... 4n + 3.

In a kernel, either address a number

    u = draw(seed, id, position)               # float64 in [0, 1); one whole block per call

or read a stream, which makes one block for four numbers::

    stream = open_stream(seed, id)             # position 0; `seek` starts anywhere
    u, stream = uniform(stream)                # position 0
    v, stream = uniform(stream)                # position 1

A stream is a value, not an array: Numba keeps it in registers, and counts no references (15 ns a number otherwise,
2.6 ns so).  It stays inside a kernel: Python would hand its words back as signed integers.

`seed` and `id` are ``np.uint64``: Numba turns a mixture of signed and unsigned 64-bit integers into floats.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (constants and rounds of philox4x64-10).
"""

from typing import Any, NamedTuple

import numpy as np

from .compile import kernel
from .late import intrinsic

_MULTIPLIER_0 = np.uint64(0xD2E7470EE14C6C93)
_MULTIPLIER_1 = np.uint64(0xCA5A826395121157)
_WEYL_0 = np.uint64(0x9E3779B97F4A7C15)  # golden ratio
_WEYL_1 = np.uint64(0xBB67AE8584CAA73B)  # sqrt(3) - 1
_ROUNDS = 10
_ULP = 2.0**-53


class Stream(NamedTuple):
    """Where the numbers of a trajectory are being read; `a` is the word at `position`, b, c, d follow in the block."""

    seed: np.uint64
    id: np.uint64
    position: np.uint64
    a: np.uint64
    b: np.uint64
    c: np.uint64
    d: np.uint64


@intrinsic
def product(typing: Any, a: Any, b: Any) -> Any:
    """Upper and lower 64 bits of the 128-bit product of two uint64: one instruction on most 64-bit machines."""
    from llvmlite import ir
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        both = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        halves = builder.lshr(both, ir.Constant(wide, 64)), both
        return context.make_tuple(
            builder, signature.return_type, [builder.trunc(half, ir.IntType(64)) for half in halves]
        )

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), generate


@kernel
def block(seed: np.uint64, id: np.uint64, number: np.uint64) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four words at positions 4 `number` ... 4 `number` + 3 of trajectory `id`."""
    key_0, key_1 = np.uint64(seed), np.uint64(id)
    a, b, c, d = np.uint64(number) + np.uint64(1), np.uint64(0), np.uint64(0), np.uint64(0)
    for _ in range(_ROUNDS):
        high_0, low_0 = product(_MULTIPLIER_0, a)
        high_1, low_1 = product(_MULTIPLIER_1, c)
        a, b, c, d = high_1 ^ b ^ key_0, low_1, high_0 ^ d ^ key_1, low_0
        key_0 += _WEYL_0
        key_1 += _WEYL_1
    return a, b, c, d


@kernel
def to_double(word: np.uint64) -> float:
    """Map a word to [0, 1) by its upper 53 bits, as NumPy's Generator does."""
    return np.float64(word >> np.uint64(11)) * _ULP


@kernel
def draw(seed: np.uint64, id: np.uint64, position: np.uint64) -> float:
    """Return the uniform number in [0, 1) at one position; for several in a row read a stream instead."""
    place = np.uint64(position)
    a, b, c, d = block(seed, id, place >> np.uint64(2))
    word = place & np.uint64(3)
    if word == 0:
        return to_double(a)
    if word == 1:
        return to_double(b)
    if word == 2:
        return to_double(c)
    return to_double(d)


@kernel
def open_stream(seed: np.uint64, id: np.uint64) -> Stream:
    """Return the stream of trajectory `id` at its first number."""
    zero = np.uint64(0)  # no block yet: `uniform` makes one at every fourth position
    return Stream(np.uint64(seed), np.uint64(id), zero, zero, zero, zero, zero)


@kernel
def seek(seed: np.uint64, id: np.uint64, position: np.uint64) -> Stream:
    """Return the stream of trajectory `id` whose next number is the one at `position`."""
    place = np.uint64(position)
    a, b, c, d = block(seed, id, place >> np.uint64(2))
    for _ in range(place & np.uint64(3)):
        a, b, c, d = b, c, d, a
    return Stream(np.uint64(seed), np.uint64(id), place, a, b, c, d)


@kernel
def uniform(stream: Stream) -> tuple[float, Stream]:
    """Return the next number in [0, 1), and the stream after it."""
    seed, id, place, a, b, c, d = stream
    if place & np.uint64(3) == 0:
        a, b, c, d = block(seed, id, place >> np.uint64(2))
    return to_double(a), Stream(seed, id, place + np.uint64(1), b, c, d, a)
