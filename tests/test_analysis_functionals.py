"""State functionals on states with closed forms, and the trap of averaging them."""

import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from collide.analysis import (
    concurrence,
    density_matrices,
    ergotropy,
    functional_of_mean,
    l1_coherence,
    local_ergotropy,
    mean_of_functional,
    mutual_information,
    negativity,
    partial_trace,
    passive_state,
    purity,
    relative_entropy_of_coherence,
    von_neumann_entropy,
)

BELL = np.array([1, 0, 0, 1]) / math.sqrt(2)
SINGLET = np.array([0, 1, -1, 0]) / math.sqrt(2)


def werner(p: float) -> np.ndarray:
    return p * np.outer(SINGLET, SINGLET) + (1 - p) * np.eye(4) / 4


def random_state(d: int, seed: int, rank: int | None = None) -> np.ndarray:
    generator = np.random.default_rng(seed)
    g = generator.normal(size=(d, rank or d)) + 1j * generator.normal(size=(d, rank or d))
    rho = g @ g.conj().T
    return rho / np.trace(rho).real


def random_unitary(d: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.linalg.qr(generator.normal(size=(d, d)) + 1j * generator.normal(size=(d, d)))[0]


seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("p", [0.0, 0.2, 1 / 3, 0.5, 0.9, 1.0])
def test_werner_states(p: float) -> None:
    rho = werner(p)
    assert concurrence(rho) == pytest.approx(max(0, (3 * p - 1) / 2), abs=1e-12)
    assert concurrence(rho, signed=True) == pytest.approx((3 * p - 1) / 2, abs=1e-12)
    assert negativity(rho, (2, 2)) == pytest.approx(max(0, (3 * p - 1) / 4), abs=1e-12)
    assert purity(rho) == pytest.approx((1 + 3 * p**2) / 4)


def test_bell_states_and_rounding() -> None:
    assert concurrence(BELL) == pytest.approx(1.0, abs=1e-14)
    assert negativity(BELL, (2, 2), logarithmic=True) == pytest.approx(1.0, abs=1e-12)
    assert mutual_information(BELL, (2, 2)) == pytest.approx(2 * math.log(2))
    # the textbook route, eigenvalues of rho rho~, loses half of the digits at a pure product state
    assert concurrence(np.kron([0.6, 0.8], [0.8, -0.6j])) < 1e-15


def test_x_state_of_two_collective_qubits() -> None:
    """C = max(0, |p_S - p_A| - 2 sqrt(p_G p_E)) (Tacchino et al. 2018)."""
    pG, pS, pA, pE = 0.5, 0.05, 0.4, 0.05
    s, a = np.array([0, 1, 1, 0]) / math.sqrt(2), np.array([0, 1, -1, 0]) / math.sqrt(2)
    rho = np.diag([pE, 0, 0, pG]) + pS * np.outer(s, s) + pA * np.outer(a, a)
    assert concurrence(rho) == pytest.approx(abs(pS - pA) - 2 * math.sqrt(pG * pE), abs=1e-12)


@given(seeds)
def test_concurrence_is_invariant_under_local_unitaries(seed: int) -> None:
    rho = random_state(4, seed, rank=2)
    u = np.kron(random_unitary(2, seed + 1), random_unitary(2, seed + 2))
    assert concurrence(u @ rho @ u.conj().T) == pytest.approx(float(concurrence(rho)), abs=1e-10)
    assert negativity(u @ rho @ u.conj().T, (2, 2)) == pytest.approx(float(negativity(rho, (2, 2))), abs=1e-10)


@given(seeds)
def test_concurrence_of_pure_states(seed: int) -> None:
    """2|ad - bc|, and the square root of 2(1 - purity of a qubit)."""
    psi = random_unitary(4, seed)[0]
    exact = 2 * abs(psi[0] * psi[3] - psi[1] * psi[2])
    assert concurrence(psi) == pytest.approx(exact, abs=1e-7)
    assert purity(partial_trace(psi, (2, 2), 0)) == pytest.approx(1 - exact**2 / 2)


@given(seeds)
def test_product_states_share_nothing(seed: int) -> None:
    parts = [random_state(d, seed + k) for k, d in enumerate((2, 3, 2))]
    rho = np.kron(np.kron(parts[0], parts[1]), parts[2])
    for sites in (0, 1, (0, 2), (1, 2)):
        assert mutual_information(rho, (2, 3, 2), sites) == pytest.approx(0.0, abs=1e-10)
        assert negativity(rho, (2, 3, 2), sites) == pytest.approx(0.0, abs=1e-10)
    for k in range(3):
        assert np.allclose(partial_trace(rho, (2, 3, 2), k), parts[k])
    assert np.allclose(partial_trace(rho, (2, 3, 2), (0, 2)), np.kron(parts[0], parts[2]))


@given(seeds, st.floats(-3, 3))
def test_thermal_states_are_passive_at_positive_temperature(seed: int, beta: float) -> None:
    H = random_state(5, seed)
    e, v = np.linalg.eigh(H)
    p = np.exp(-beta * (e - e[0]))
    p /= p.sum()
    rho = (v * p) @ v.conj().T
    if beta >= 0:
        assert ergotropy(rho, H) == pytest.approx(0.0, abs=1e-12)
    else:  # population inversion: turning the ladder over is optimal
        assert ergotropy(rho, H) == pytest.approx(float(p @ e - p @ e[::-1]), abs=1e-12)


@given(seeds)
def test_ergotropy_is_the_energy_above_the_passive_state(seed: int) -> None:
    rho, H = random_state(4, seed), 3 * random_state(4, seed + 7)
    passive = passive_state(rho, H)
    assert np.allclose(np.linalg.eigvalsh(passive), np.linalg.eigvalsh(rho))
    assert ergotropy(passive, H) == pytest.approx(0.0, abs=1e-12)
    assert ergotropy(rho, H) == pytest.approx(np.trace((rho - passive) @ H).real, abs=1e-12)
    u = random_unitary(4, seed + 3)
    assert ergotropy(rho, H) >= np.trace((rho - u @ rho @ u.conj().T) @ H).real - 1e-12


def test_local_ergotropy_of_a_bell_state_is_zero_but_the_total_is_not() -> None:
    local = np.diag([0.5, -0.5])
    H = np.kron(local, np.eye(2)) + np.kron(np.eye(2), local)
    assert local_ergotropy(BELL, (2, 2), 0, local) == pytest.approx(0.0, abs=1e-14)
    assert ergotropy(BELL, H) == pytest.approx(1.0)


def test_coherence() -> None:
    plus = np.ones(2) / math.sqrt(2)
    assert l1_coherence(plus) == pytest.approx(1.0)
    assert relative_entropy_of_coherence(plus) == pytest.approx(math.log(2))
    hadamard = np.array([[1, 1], [1, -1]]) / math.sqrt(2)
    assert l1_coherence(plus, hadamard) == pytest.approx(0.0, abs=1e-14)
    assert relative_entropy_of_coherence(plus, hadamard) == pytest.approx(0.0, abs=1e-12)
    assert von_neumann_entropy(np.eye(3) / 3) == pytest.approx(math.log(3))
    with pytest.raises(ValueError, match=r"3 columns of that length, but has shape \(2, 2\)"):
        l1_coherence(np.eye(3) / 3, hadamard)


def test_stacks_give_stacks() -> None:
    stack = np.stack([werner(p) for p in (0.1, 0.6, 0.9)])
    assert concurrence(stack) == pytest.approx([0.0, 0.4, 0.85], abs=1e-12)
    assert concurrence(stack[:, None]).shape == (3, 1)
    kets = np.stack([BELL, SINGLET, [1, 0, 0, 0]])
    assert concurrence(kets) == pytest.approx([1, 1, 0], abs=1e-12)
    four = np.stack([BELL, SINGLET, BELL, SINGLET])
    assert concurrence(four, kets=True) == pytest.approx([1.0] * 4)
    assert density_matrices(np.array([[1.0], [0.0]])).shape == (2, 2)  # QuTiP writes kets as columns


def test_qutip_states_are_understood() -> None:
    qutip = pytest.importorskip("qutip")
    rho = qutip.Qobj(random_state(4, 3), dims=[[2, 2], [2, 2]])
    assert concurrence(rho) == pytest.approx(qutip.concurrence(rho), abs=1e-10)
    assert negativity(rho, (2, 2)) == pytest.approx(qutip.negativity(rho, 0), abs=1e-10)
    assert von_neumann_entropy(rho) == pytest.approx(qutip.entropy_vn(rho), abs=1e-12)
    assert np.allclose(partial_trace(rho, (2, 2), 1), rho.ptrace(1).full())


def test_wrong_dimensions_are_named() -> None:
    with pytest.raises(ValueError, match="two qubits, dimension 4, but has dimension 3"):
        concurrence(np.eye(3) / 3)
    with pytest.raises(ValueError, match=r"product 6, the states' dimension, but are \(2, 2\)"):
        negativity(np.eye(6) / 6, (2, 2))
    with pytest.raises(ValueError, match="different numbers from 0 to 1"):
        partial_trace(np.eye(4), (2, 2), (0, 0))
    with pytest.raises(ValueError, match="at least one site as the other part"):
        mutual_information(np.eye(4) / 4, (2, 2), (0, 1))


def test_average_of_the_functional_is_not_the_functional_of_the_average() -> None:
    """A mixture of two opposite Bell states: every trajectory is maximally entangled, the mean state is separable."""
    generator = np.random.default_rng(0)
    triplet = np.array([0, 1, 1, 0]) / math.sqrt(2)
    kets = np.where((generator.random(6400) < 0.5)[:, None], SINGLET, triplet)
    assert mean_of_functional(concurrence, kets).estimate.value == pytest.approx(1.0)
    sums = density_matrices(kets, kets=True).reshape(64, 100, 4, 4).sum(axis=1)
    state = functional_of_mean(concurrence, sums, np.full(64, 100))
    assert state.estimate.value < 0.05
    assert "biases the value upwards" in state.note
    entropy = functional_of_mean(von_neumann_entropy, sums, np.full(64, 100))
    assert entropy.estimate.value == pytest.approx(math.log(2), abs=0.01)
    assert mean_of_functional(von_neumann_entropy, kets).estimate.value == pytest.approx(0.0, abs=1e-7)


def test_error_of_a_functional_of_the_mean_is_calibrated() -> None:
    """Concurrence of sampled X states, C = 0.25 exactly, over 200 repetitions; far from the kink the note is empty."""
    pS, pA, pG, pE = 0.05, 0.55, 0.38, 0.02
    kets = np.array([[0, 1, 1, 0], [0, 1, -1, 0], [0, 0, 0, math.sqrt(2)], [math.sqrt(2), 0, 0, 0]]) / math.sqrt(2)
    exact = abs(pS - pA) - 2 * math.sqrt(pG * pE)
    projectors = density_matrices(kets, kets=True)
    generator = np.random.default_rng(1)
    pulls = []
    for _ in range(200):
        counts = generator.multinomial(200, [pS, pA, pG, pE], size=40)
        result = functional_of_mean(concurrence, np.einsum("bk,kij->bij", counts, projectors), np.full(40, 200))
        pulls.append((result.estimate.value - result.bias - exact) / result.estimate.error)
        assert result.note == ""
    assert abs(np.mean(pulls)) < 0.3
    assert 0.8 < np.std(pulls) < 1.2


def test_one_block_has_no_error() -> None:
    assert "more chunks" in functional_of_mean(purity, werner(0.5)[None]).note
