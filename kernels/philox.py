"""Random numbers as a function of (seed, trajectory, position): Philox4x64-10.

The word at a position of trajectory `id` is the one that ``numpy.random.Philox(key=[seed, id]).random_raw()`` returns
there, and ``uniform`` gives the doubles of ``numpy.random.Generator(...).random()``.  Nothing is shared between
trajectories, so no order, batch or thread can change a number, and trajectory k can be replayed alone.

Counter layout: the key is (seed, id), the four-word counter is (n + 1, 0, 0, 0) for block n = 0, 1, ..., because NumPy
increments its counter before the first block.  Block n holds the words at positions 4n ... 4n + 3.

In a kernel, either address a number

    u = draw(seed, id, position)               # float64 in [0, 1); one whole block per call

or read a stream, which makes one block for four numbers::

    stream = np.empty(STREAM, np.uint64)       # one per trajectory in flight
    open_stream(stream, seed, id)              # position 0; `seek` starts anywhere
    u = uniform(stream)                        # position 0
    v = uniform(stream)                        # position 1

`seed` and `id` are ``np.uint64``: Numba turns a mixture of signed and unsigned 64-bit integers into floats.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (constants and rounds of philox4x64-10).
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
import numpy as np

from .compile import kernel

STREAM = 7  # words of a stream's state: seed, id, position, and the four words of the current block

_MULTIPLIER_0 = np.uint64(0xD2E7470EE14C6C93)
_MULTIPLIER_1 = np.uint64(0xCA5A826395121157)
_WEYL_0 = np.uint64(0x9E3779B97F4A7C15)  # golden ratio
_WEYL_1 = np.uint64(0xBB67AE8584CAA73B)  # sqrt(3) - 1
_ROUNDS = 10
_ULP = 2.0**-53


@intrinsic
def high_product(typing: Any, a: Any, b: Any) -> Any:
    """Upper 64 bits of the 128-bit product of two uint64, which is one instruction on every 64-bit machine."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


@kernel
def block(seed: np.uint64, id: np.uint64, number: np.uint64) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four words at positions 4 `number` ... 4 `number` + 3 of trajectory `id`."""
    key_0, key_1 = np.uint64(seed), np.uint64(id)
    a, b, c, d = np.uint64(number) + np.uint64(1), np.uint64(0), np.uint64(0), np.uint64(0)
    for _ in range(_ROUNDS):
        high_0, low_0 = high_product(_MULTIPLIER_0, a), _MULTIPLIER_0 * a
        high_1, low_1 = high_product(_MULTIPLIER_1, c), _MULTIPLIER_1 * c
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
def _fill(stream: np.ndarray) -> None:
    """Bring the block of the stream's position into its buffer."""
    stream[3], stream[4], stream[5], stream[6] = block(stream[0], stream[1], stream[2] >> np.uint64(2))


@kernel
def seek(stream: np.ndarray, seed: np.uint64, id: np.uint64, position: np.uint64) -> None:
    """Point `stream` (STREAM,) uint64 at a position of trajectory `id`."""
    stream[0], stream[1], stream[2] = np.uint64(seed), np.uint64(id), np.uint64(position)
    if stream[2] & np.uint64(3) != 0:  # at the start of a block `uniform` makes it
        _fill(stream)


@kernel
def open_stream(stream: np.ndarray, seed: np.uint64, id: np.uint64) -> None:
    """Point `stream` (STREAM,) uint64 at the first number of trajectory `id`."""
    seek(stream, seed, id, np.uint64(0))


@kernel
def uniform(stream: np.ndarray) -> float:
    """Return the next number in [0, 1) and advance the stream."""
    word = stream[2] & np.uint64(3)
    if word == 0:
        _fill(stream)
    value = to_double(stream[np.uint64(3) + word])
    stream[2] += np.uint64(1)
    return value
