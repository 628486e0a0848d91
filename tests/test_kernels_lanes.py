"""Lanes give in each lane the bits of the same formula for a lone number; tuples can be lent; inner kernels say no."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest

from collide.kernels.borrowed import borrowed, inner, lend
from collide.kernels.compile import kernel
from collide.kernels.lanes import WIDTH, anywhere, ceil, fma, load, select, splat, store
from collide.kernels.logarithm import log, log_of_lanes


@kernel
def arithmetic(x, y, z, out):
    a, b, c = load(x, 0), load(y, 0), load(z, 0)
    store(out, 0, a + b)
    store(out, 1, a - b)
    store(out, 2, a * b)
    store(out, 3, a / b)
    store(out, 4, -a)
    store(out, 5, fma(a, b, c))
    store(out, 6, select(a > b, a, b))
    store(out, 7, select(a >= b, a, b))
    store(out, 8, select(a < b, a, b))
    store(out, 9, select(a <= b, a, b))
    store(out, 10, select((a > b) & (b > c), a, c))
    store(out, 11, select((a > b) | (b > c), a, c))
    store(out, 12, select(~(a > b), a, c))
    store(out, 13, splat(0.1))


@kernel
def first_positive(x):
    return anywhere(load(x, 0) > splat(0.0))


@kernel
def lone_fma(a, b, c):
    return fma(a, b, c)


def exact_fma(a, b, c):
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def test_every_operation_treats_each_lane_alone():
    rng = np.random.default_rng(1)
    x, y, z = (rng.normal(size=(1, WIDTH)) * 10.0 ** rng.integers(-9, 9, (1, WIDTH)) for _ in range(3))
    x[0, 3], y[0, 3] = 2.0, 2.0
    z[0, :8] = -x[0, :8] * y[0, :8]  # what is left is the rounding error of the product, which only a fused sum sees
    out = np.full((14, WIDTH), np.nan)
    arithmetic(x, y, z, out)
    a, b, c = x[0], y[0], z[0]
    fused = [exact_fma(*abc) for abc in zip(a, b, c, strict=True)]
    assert np.any(np.array(fused)[:8] != 0)
    expected = [
        a + b,
        a - b,
        a * b,
        a / b,
        -a,
        fused,
        np.where(a > b, a, b),
        np.where(a >= b, a, b),
        np.where(a < b, a, b),
        np.where(a <= b, a, b),
        np.where((a > b) & (b > c), a, c),
        np.where((a > b) | (b > c), a, c),
        np.where(~(a > b), a, c),
        np.full(WIDTH, 0.1),
    ]
    np.testing.assert_array_equal(out, expected)


def test_a_lone_fma_rounds_once():
    a, b = 1.0 + 2.0**-30, 1.0 - 2.0**-30
    assert lone_fma(a, b, -1.0) == -(2.0**-60)
    assert a * b - 1.0 == 0.0


@pytest.mark.parametrize("lane", range(WIDTH))
def test_anywhere_sees_every_lane(lane):
    x = np.full((1, WIDTH), -1.0)
    assert not first_positive(x)
    x[0, lane] = 1.0
    assert first_positive(x)


def test_a_comparison_with_nan_is_false():
    assert not first_positive(np.full((1, WIDTH), np.nan))


@pytest.mark.parametrize("array", [np.zeros((2, WIDTH), np.float32), np.zeros((WIDTH, 2)).T])
def test_lanes_are_loaded_from_contiguous_doubles_only(array):
    with pytest.raises(Exception, match="lanes are loaded from C-contiguous float64"):
        first_positive(array)


class Pair(NamedTuple):
    numbers: np.ndarray
    factor: float


@inner
def scaled(lent, k):
    lent.numbers[k] *= lent.factor
    return lent.numbers[k]


@borrowed
def scale(pair):
    lent, total = lend(pair), 0.0
    for k in range(pair.numbers.shape[0]):
        total += scaled(lent, k)
    return total


@borrowed
def create(n):
    return np.zeros(n)


def test_a_lent_tuple_reads_and_writes_the_same_arrays():
    pair = Pair(np.arange(5.0), 3.0)
    assert scale(pair) == 30.0
    np.testing.assert_array_equal(pair.numbers, [0, 3, 6, 9, 12])


def test_an_inner_kernel_refuses_python():
    with pytest.raises(TypeError, match="scaled can only be called by kernels"):
        scaled(Pair(np.arange(5.0), 3.0), 1)


def test_a_borrowed_kernel_cannot_create_an_array():
    with pytest.raises(Exception, match=r"Only accept returning of array passed into the function|NRT"):
        create(3)


@borrowed
def logarithms(x, out):
    store(out, 0, log_of_lanes(load(x, 0)))
    store(out, 1, 2.0 - ceil(load(x, 0)) * 3.0)


@pytest.mark.parametrize("scale", [1e-300, 1e-16, 1.0, 1e300])
def test_the_logarithm_of_a_lane_has_the_bits_of_the_logarithm(scale):
    x = scale * np.random.default_rng(6).uniform(1e-3, 7.0, size=(1, WIDTH))
    out = np.empty((2, WIDTH))
    logarithms(x, out)
    np.testing.assert_array_equal(out[0], [log(y) for y in x[0]])
    np.testing.assert_array_equal(out[1], 2.0 - np.ceil(x[0]) * 3.0)
