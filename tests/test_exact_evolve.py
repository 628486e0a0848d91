"""Exact averaged states in time: against QuTiP's integrator and against Kraus operators applied one by one."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import qutip

from collide.exact.process import Flow
from exact_systems import Model, chain, collision_chain, histories, random_collisions, random_process, random_state


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(2, 5))
def test_random_generators_against_mesolve(seed, d):
    process = random_process(seed, d)
    flow = process.elements[0]
    assert isinstance(flow, Flow)
    rho0 = random_state(np.random.default_rng(seed), d, rank=1)
    times = [0.0, 0.1, 0.15, 0.7]
    exact = Model(process).evolve(rho0, times)
    ops = [qutip.Qobj(op.toarray()) for op in flow.ops]
    options = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 10**5}
    other = qutip.mesolve(qutip.Qobj(flow.H.toarray()), qutip.Qobj(rho0), times, ops, options=options)
    np.testing.assert_allclose(exact, [s.full() for s in other.states], atol=1e-8)
    np.testing.assert_allclose(exact[0], rho0, atol=1e-15)


@given(st.integers(0, 10**6), st.integers(2, 4))
def test_random_collisions_against_kraus_operators(seed, d):
    process = random_collisions(seed, d)
    ket = np.linalg.eigh(random_state(np.random.default_rng(seed), d))[1][:, 0]
    after, _ = histories(process, ket[None], 2)
    rho = Model(process).evolve(ket, [0.0, 1.4])[-1]
    np.testing.assert_allclose(rho, np.einsum("hka,hkb->ab", after, after.conj()), atol=1e-13)


def test_the_steady_state_stays_and_everything_goes_there():
    for process, late in ((chain(3), 1e5), (collision_chain(0.5, N=3), 1e5)):
        model = Model(process)
        steady = model.steady_state()
        np.testing.assert_allclose(model.evolve("steady", [0.0, late])[-1], steady, atol=1e-14)
        np.testing.assert_allclose(model.evolve(np.eye(8)[5], [late])[-1], steady, atol=1e-12)


def test_long_times_keep_the_trace():
    rho = Model(chain(3)).evolve(np.eye(8)[5], [1e9])[-1]
    assert np.trace(rho).real == pytest.approx(1.0, abs=1e-14)


def test_sparse_and_dense_steps_agree(monkeypatch):
    ket = np.eye(16)[3]
    dense = Model(chain(4)).evolve(ket, [0.0, 1.0, 7.5, 7.5])
    monkeypatch.setattr("collide.exact.evolve.dense_is_cheaper", lambda *_: False)
    np.testing.assert_allclose(Model(chain(4)).evolve(ket, [0.0, 1.0, 7.5, 7.5]), dense, atol=1e-13)


def test_powers_and_single_periods_agree(monkeypatch):
    ket = np.eye(4)[3]
    powers = Model(collision_chain(0.5)).evolve(ket, [50.0])
    monkeypatch.setattr("collide.exact.evolve.power_is_cheaper", lambda *_: False)
    np.testing.assert_allclose(Model(collision_chain(0.5)).evolve(ket, [50.0]), powers, atol=1e-14)


def test_multiples_of_the_period_may_be_rounded():
    model, ket = Model(collision_chain(0.1)), np.eye(4)[3]
    assert 3 * 0.1 != 0.3
    np.testing.assert_array_equal(model.evolve(ket, [0.3]), model.evolve(ket, [0.1, 0.2, 3 * 0.1])[-1:])


def test_qutip_states_are_accepted():
    model = Model(chain(2))
    ket = qutip.basis([2, 2], [1, 0])
    np.testing.assert_array_equal(model.evolve(ket, [1.0]), model.evolve(np.eye(4)[2], [1.0]))


@pytest.mark.parametrize(
    ("process", "rho0", "times", "sentence"),
    [
        (collision_chain(0.5), np.eye(4)[0], [0.0, 0.8], "not a multiple of tau = 0.5: the nearest allowed time is 1"),
        (chain(2), np.eye(4)[0], [-1.0], "`tlist` must ascend from a time >= 0"),
        (chain(2), np.eye(4)[0], [2.0, 1.0], "`tlist` must ascend"),
        (chain(2), np.eye(4)[0], [np.inf], "finite times"),
        (chain(2), np.eye(3)[0], [1.0], r"`rho0` must be a ket of shape \(4,\)"),
        (chain(2), "thermal", [1.0], "can only be 'steady', but is 'thermal'"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(process, rho0, times, sentence):
    with pytest.raises(ValueError, match=sentence):
        Model(process).evolve(rho0, times)
