"""The random numbers are NumPy's Philox, addressable, and one stream per (seed, trajectory)."""

import numpy as np
from numpy.random import Generator, Philox
import pytest

from collide.kernels.compile import kernel
from collide.kernels.philox import block, draw, open_stream, seek, to_double, uniform

KEYS = [(0, 0), (1, 0), (0, 1), (12345, 678), (2**63, 2**64 - 1), (2**64 - 1, 2**63 + 5)]


@kernel
def take(count, seed, id, position):
    """Read `count` numbers of a stream, from its opening or from further on."""
    numbers = np.empty(count)
    stream = open_stream(seed, id) if position == 0 else seek(seed, id, position)
    for n in range(count):
        numbers[n], stream = uniform(stream)
    return numbers


@pytest.mark.parametrize(("seed", "id"), KEYS)
def test_raw_words_are_numpys(seed, id):
    expected = Philox(key=np.array([seed, id], np.uint64)).random_raw(48)
    words = [w for n in range(12) for w in block(np.uint64(seed), np.uint64(id), np.uint64(n))]
    np.testing.assert_array_equal(np.array(words, np.uint64), expected)


@pytest.mark.parametrize(("seed", "id"), KEYS)
def test_doubles_are_numpys_by_stream_and_by_address(seed, id):
    expected = Generator(Philox(key=np.array([seed, id], np.uint64))).random(41)
    streamed = take(41, np.uint64(seed), np.uint64(id), np.uint64(0))
    addressed = np.array([draw(np.uint64(seed), np.uint64(id), np.uint64(n)) for n in range(41)])
    np.testing.assert_array_equal(streamed, expected)
    np.testing.assert_array_equal(addressed, expected)


@pytest.mark.parametrize("position", [0, 1, 3, 4, 7, 1001, 2**33 + 3])
def test_a_stream_can_start_anywhere(position):
    got = list(take(6, np.uint64(7), np.uint64(8), np.uint64(position)))
    assert got == [draw(np.uint64(7), np.uint64(8), np.uint64(position + n)) for n in range(6)]


def test_a_far_position_is_numpys_advanced_generator():
    bits = Philox(key=np.array([7, 8], np.uint64))
    bits.advance(2**31)  # blocks
    np.testing.assert_array_equal(take(6, np.uint64(7), np.uint64(8), np.uint64(2**33)), Generator(bits).random(6))


def test_streams_of_different_trajectories_and_seeds_never_meet():
    words = {
        block(np.uint64(seed), np.uint64(id), np.uint64(n)) for seed in range(40) for id in range(40) for n in (0, 1)
    }
    assert len(words) == 40 * 40 * 2


def test_numbers_lie_in_the_half_open_unit_interval():
    assert to_double(np.uint64(0)) == 0.0
    assert to_double(np.uint64(2**64 - 1)) == 1.0 - 2.0**-53
