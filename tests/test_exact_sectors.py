"""Sectors: the elements that matter are found, and superoperators on them are the whole ones restricted."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from collide.exact.process import Flow, Instrument, embed
from collide.exact.reduced import Reduced
from collide.exact.superoperator import entries, liouvillian, minimal_kraus, spread
from exact_systems import Model, chain, collision_chain, random_process, random_state, rotor


@pytest.mark.parametrize(
    ("process", "elements"),
    [
        (chain(2), 6),
        (chain(6), 924),  # binomial(12, 6): pairs of states with the same number of excitations
        (rotor(-5, 10)[0], 94),  # 4 n + 2 (n - 1) for n rotor levels
        (collision_chain(0.5, N=3), 20),
    ],
)
def test_number_of_elements(process, elements):
    sector = Reduced(process).sector
    assert sector.d + 2 * len(sector.i) == elements
    assert sector.d <= sector.size <= elements


def test_real_hamiltonians_need_half_of_the_coherences():
    assert Reduced(chain(2)).size == 5  # the coherence of two resonant qubits stays imaginary


@given(st.integers(0, 10**6), st.integers(2, 5))
def test_coordinates_carry_the_whole_generator(seed, d):
    process = random_process(seed, d)
    reduced = Reduced(process, np.ones((d, d), bool))
    flow = process.elements[0]
    assert isinstance(flow, Flow)
    rho = random_state(np.random.default_rng(seed), d)
    x = reduced.sector.vector(rho)
    np.testing.assert_allclose(reduced.sector.matrix(x), rho, atol=1e-15)
    whole = (liouvillian(flow) @ rho.reshape(-1)).reshape(d, d)
    np.testing.assert_allclose(reduced.sector.matrix(reduced.base @ x), whole, atol=1e-13)
    np.testing.assert_allclose(reduced.generator.toarray(), reduced.base, atol=1e-15)


@given(st.integers(0, 10**6), st.integers(2, 5))
def test_functionals_are_traces(seed, d):
    rng = np.random.default_rng(seed)
    sector = Reduced(random_process(seed, d), np.ones((d, d), bool)).sector
    rho, A = random_state(rng, d), rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    assert sector.functional(A) @ sector.vector(rho) == pytest.approx(np.trace(A @ rho).real, abs=1e-12)
    assert sector.trace @ sector.vector(rho) == pytest.approx(1.0, abs=1e-14)


def test_a_coherent_start_extends_the_sector_and_nothing_else():
    model = Model(chain(2))
    ket = np.array([1, 0, 0, 1]) / np.sqrt(2)
    assert model._start(ket)[0].size == 7  # |00><11| and its conjugate, a component of their own
    assert model._reduced().size == 5


@given(st.integers(0, 10**6), st.integers(2, 3), st.integers(1, 30))
def test_minimal_kraus_operators_make_the_same_map(seed, k, n):
    rng = np.random.default_rng(seed)
    kraus = rng.normal(size=(n, k, k)) + 1j * rng.normal(size=(n, k, k))
    kraus[:, rng.random((k, k)) < 0.4] = 0
    small = minimal_kraus(kraus)
    assert len(small) <= min(n, k * k)
    rho = random_state(rng, k)
    np.testing.assert_allclose(
        sum(K @ rho @ K.conj().T for K in small) if len(small) else np.zeros((k, k)),
        sum(K @ rho @ K.conj().T for K in kraus),
        atol=1e-12,
    )


def test_minimal_kraus_keeps_small_weights_and_zeros():
    flips = np.zeros((3, 2, 2), complex)
    flips[:, 1, 0] = [1e-9, 2e-9, 2e-9]
    (single,) = minimal_kraus(flips)
    assert abs(single[1, 0]) == pytest.approx(3e-9, rel=1e-14, abs=0)
    assert np.count_nonzero(single) == 1


@given(st.integers(0, 10**6), st.permutations([0, 1, 2]), st.integers(1, 2))
def test_operators_on_some_sites_are_spread_as_embed_does(seed, order, number):
    dims, sites = (2, 3, 2), tuple(order[:number])
    k = int(np.prod([dims[s] for s in sites]))
    local = np.random.default_rng(seed).normal(size=(k, k))
    _, row, column, value = spread(entries([local]), sites, dims)
    whole = np.zeros((12, 12), complex)
    whole[row, column] = value
    np.testing.assert_array_equal(whole, embed(local, sites, dims).toarray())


def test_parts_of_a_collision_keep_the_trace_together():
    process = collision_chain(0.5)
    reduced = Reduced(process, np.ones((4, 4), bool))
    for step, element in zip(reduced.steps, process.elements, strict=True):
        total = step.parts.rates(4).sum(axis=0)
        np.testing.assert_allclose(total, reduced.sector.trace, atol=1e-15)
        assert len(step.labels) == (3 if isinstance(element, Instrument) else 1)
