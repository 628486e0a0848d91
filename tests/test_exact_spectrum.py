"""Eigenvalues of matrices far from normal: ladders whose eigenvectors grow by many powers of ten."""

import numpy as np
import pytest
import scipy.linalg as la

from collide.exact.spectrum import eigenvalues, facing_alike


def ladder(levels: int, up: float, down: float) -> np.ndarray:
    """Tridiagonal matrix whose eigenvalues are -3 + 2 sqrt(up down) cos(pi k / (levels + 1))."""
    return np.diag(np.full(levels, -3.0)) + np.diag(np.full(levels - 1, up), -1) + np.diag(np.full(levels - 1, down), 1)


@pytest.mark.parametrize("growth", [1.0, 50.0, 1e4])
def test_a_ladder_that_grows_keeps_its_eigenvalues(growth: float) -> None:
    n = 300
    exact = -3 + 2 * np.cos(np.pi * np.arange(1, n + 1) / (n + 1))
    found = np.sort(eigenvalues(ladder(n, growth, 1 / growth)).real)
    np.testing.assert_allclose(found, np.sort(exact), rtol=0, atol=1e-12)


def test_a_ladder_and_its_transpose_have_the_same_digits() -> None:
    rng = np.random.default_rng(5)
    up, down = 10.0 ** rng.uniform(-8, 8, size=(2, 59))
    matrix = np.diag(-rng.uniform(1, 2, size=60)) + np.diag(up, -1) + np.diag(1e-3 * down, 1)
    np.testing.assert_array_equal(np.sort(eigenvalues(matrix).real), np.sort(eigenvalues(matrix.T).real))


def test_without_the_similarity_the_same_ladder_is_lost() -> None:
    worst = la.eigvals(ladder(300, 50.0, 0.02)).real.max()
    assert worst > 0 > eigenvalues(ladder(300, 50.0, 0.02)).real.max()


def test_a_full_matrix_and_one_in_parts_keep_their_eigenvalues() -> None:
    rng = np.random.default_rng(3)
    full = rng.normal(size=(7, 7)) * 10.0 ** rng.integers(-3, 4, size=(7, 7))
    parts = np.block([[full, rng.normal(size=(7, 4))], [np.zeros((4, 7)), rng.normal(size=(4, 4))]])
    for matrix in (full, parts, parts.T, 1j * parts):
        ours, theirs = eigenvalues(matrix), la.eigvals(matrix)
        scale = np.abs(theirs).max()
        assert max(np.abs(theirs - x).min() for x in ours) < 1e-11 * scale
        assert max(np.abs(ours - x).min() for x in theirs) < 1e-11 * scale


def test_entries_that_face_each_other_become_alike_on_a_tree_and_share_the_gain_of_a_ring() -> None:
    rng = np.random.default_rng(4)
    tree = np.zeros((6, 6))
    for child, parent in enumerate([0, 0, 1, 1, 4], start=1):
        tree[child, parent], tree[parent, child] = 10.0 ** rng.uniform(-6, 6, size=2)
    even = facing_alike(tree)
    np.testing.assert_allclose(even, even.T, rtol=1e-9)
    ring = np.roll(np.eye(3), 1, axis=0) * 8.0 + np.roll(np.eye(3), -1, axis=0)
    np.testing.assert_allclose(facing_alike(ring), ring, rtol=1e-12)


def test_diagonal_and_nilpotent_matrices() -> None:
    np.testing.assert_array_equal(eigenvalues(np.diag([1.0, 2.0])), [1, 2])
    np.testing.assert_array_equal(eigenvalues(np.triu(np.ones((3, 3)), 1)), np.zeros(3))
