"""Opening, closing and expectation values, and their edges."""

import numpy as np
import pytest

from collide.kernels.measurement import choose, closing, expectation, norm2, opening


def random_state(rng, d):
    psi = rng.normal(size=d) + 1j * rng.normal(size=d)
    return psi / np.linalg.norm(psi)


def test_opening_is_the_inverse_of_the_cumulative_distribution():
    p = np.array([0.0, 0.25, 0.0, 0.5, 0.25, 0.0])
    cdf = np.cumsum(p)
    grid = (np.arange(4000) + 0.5) / 4000
    found = np.array([opening(cdf, u) for u in grid])
    np.testing.assert_array_equal(np.bincount(found, minlength=6), 4000 * p)
    assert opening(cdf, 0.0) == 1  # not the impossible outcome 0
    assert opening(cdf, 0.25) == 3  # a boundary belongs to the next possible outcome


@pytest.mark.parametrize("missing", [0.0, 1e-16, 1e-9])
def test_opening_cannot_run_past_the_last_possible_outcome(missing):
    cdf = np.array([0.5, 1.0, 1.0, 1.0]) * (1.0 - missing)
    assert opening(cdf, 1.0 - 2.0**-53) == 1


def test_choice_follows_the_weights_and_never_leaves_them():
    weight = np.array([0.0, 3.0, 0.0, 1.0, 0.0, 99.0])
    grid = (np.arange(4000) + 0.5) / 4000
    found = np.array([choose(weight, 5, u) for u in grid])
    np.testing.assert_array_equal(np.bincount(found), [0, 3000, 0, 1000])
    assert choose(weight, 5, 0.0) == 1
    assert choose(weight, 5, np.nextafter(1.0, 2.0)) == 3  # even a mark beyond the total
    assert choose(np.zeros(3), 3, 0.5) == -1


@pytest.mark.parametrize("d", [1, 2, 5])
def test_expectation_and_norm_agree_with_linear_algebra(d):
    rng = np.random.default_rng(d)
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    A = A + A.conj().T
    psi = np.zeros(7, complex)  # longer than the block: the rest must not be read
    psi[:d] = 1.7 * random_state(rng, d)
    psi[d:] = np.nan
    padded = np.full((7, 7), np.nan, complex)
    padded[:d, :d] = A
    assert expectation(padded, psi, d) == pytest.approx((psi[:d].conj() @ A @ psi[:d]).real, rel=1e-14)
    assert norm2(psi, d) == pytest.approx(1.7**2, rel=1e-14)


def test_closing_follows_born_within_the_block():
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)))[0].T
    vectors = np.zeros((5, 3), complex)
    listed = np.array([4, 0, 2])
    vectors[listed] = basis
    psi = random_state(rng, 3)
    weight = np.empty(3)
    grid = (np.arange(20000) + 0.5) / 20000
    found = np.array([closing(vectors, listed, 3, 2.5 * psi, 3, weight, u) for u in grid])
    expected = np.abs(basis.conj() @ psi) ** 2
    np.testing.assert_allclose([np.mean(found == f) for f in listed], expected, atol=1e-4)
    assert closing(vectors, listed, 3, 2.5 * psi, 3, weight, 1.0 - 2.0**-53) == 2  # the last of the list


def test_closing_an_eigenstate_is_certain():
    vectors = np.eye(4, dtype=complex)
    weight = np.empty(4)
    for u in (0.0, 0.5, 1.0 - 2.0**-53):
        assert closing(vectors, np.arange(4), 4, vectors[2], 4, weight, u) == 2
