"""Counting statistics at finite time: enumeration of histories, closed forms, and limits."""

from math import factorial

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import scipy.linalg as la
import scipy.sparse as sp
from scipy.sparse.linalg import expm_multiply

from collide.exact.finite_time import distribution
from collide.exact.jets import PLAIN, Jets
from collide.exact.process import Flow, Process
from exact_systems import (
    LOWER,
    Model,
    chain,
    collision_chain,
    histories,
    random_collisions,
    random_process,
    random_state,
    rotor,
    table,
    two_level,
)


def central(values, weights, order):
    """Cumulants of a discrete distribution, to order four."""
    mean = weights @ values
    m2, m3, m4 = (weights @ (values - mean) ** k for k in (2, 3, 4))
    return np.array([mean, m2, m3, m4 - 3 * m2**2])[:order]


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 3))
def test_collisions_by_enumeration(seed, d):
    process = random_collisions(seed, d)
    rng = np.random.default_rng(seed)
    rho, weight = random_state(rng, d), rng.normal(size=4)
    p, kets = np.linalg.eigh(rho)
    amplitudes, counts = histories(process, kets.T, 3)
    probability = (np.abs(amplitudes) ** 2).sum(axis=2) @ p
    model = Model(process)
    found = model.cumulants_at(2.1, weight, 4, rho)
    assert found == pytest.approx(central(counts @ weight, probability, 4), abs=1e-11)
    n, P = model.quanta_distribution("L", 2.1, rho)
    quanta = counts @ process.counts.charge_weight("L").astype(int)
    assert pytest.approx([probability[quanta == k].sum() for k in n], abs=1e-14) == P
    assert P.sum() == pytest.approx(1.0, abs=1e-13)


def test_pure_emission_is_poissonian():
    """A channel whose operator is the identity fires at a constant rate: all cumulants are equal."""
    H, rate = sp.csr_array(np.diag([0.0, 1.0])), 0.7
    ops = (np.sqrt(rate) * sp.eye_array(2), sp.csr_array(LOWER), sp.csr_array(0.5 * LOWER.T))
    flow = Flow(H, ops, np.array([[1, -1], [-1, 2], [-1, 3]]), np.full(3, -1))
    model = Model(Process((2,), H, (flow,), table(["clock", "L"], [0.0, 1.0], [1.0, 1.0])))
    assert model.heat_cumulants_at(5.0, "clock") == pytest.approx(np.full(4, 3.5), rel=1e-12, abs=0)
    assert model.heat_cumulants("clock", 6) == pytest.approx(np.full(6, 0.7), rel=1e-12, abs=0)
    n, P = model.quanta_distribution("clock", 5.0, np.eye(2)[1])
    assert pytest.approx([np.exp(-3.5) * 3.5**k / factorial(k) for k in n], abs=1e-15) == P
    assert n[0] == 0


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(2, 4), st.floats(0.01, 20.0))
def test_jumps_against_a_count_resolved_equation(seed, d, t):
    """The same numbers from one large equation that keeps the state resolved by the number of quanta."""
    process = random_process(seed, d)
    model = Model(process)
    rho = random_state(np.random.default_rng(seed), d)
    reduced, x = model._start(rho)
    step, m = reduced.steps[0], reduced.size
    charge = step.weights(process.counts.charge_weight("b0"))
    t = min(t, 1.0 / model.count_rates().sum())
    reach = 24
    parts = [step.parts.weighted_sparse((charge == q).astype(float)) for q in (-1, 0, 1)]
    shifts = [sp.diags_array(np.ones(2 * reach + 1 - abs(q)), offsets=-q) for q in (-1, 0, 1)]
    ladder = sum(sp.kron(shift, part) for shift, part in zip(shifts, parts, strict=True))
    start = np.zeros((2 * reach + 1, m))
    start[reach] = x
    final = expm_multiply(t * sp.csr_array(ladder), start.reshape(-1)).reshape(-1, m) @ reduced.sector.trace
    n, P = model.quanta_distribution("b0", t, rho)
    assert pytest.approx(final[n + reach], abs=1e-13) == P
    assert model.cumulants_at(t, process.counts.charge_weight("b0"), 4, rho) == pytest.approx(
        central(np.arange(-reach, reach + 1), final, 4), rel=1e-9, abs=1e-11
    )


def test_cumulants_of_the_distribution_are_the_cumulants():
    for process, t in ((chain(2), 300.0), (collision_chain(0.5), 300.0), (two_level(), 40.0)):
        model = Model(process)
        n, P = model.quanta_distribution("L", t)
        assert model.heat_cumulants_at(t, "L") == pytest.approx(central(n, P, 4), rel=1e-7, abs=0)


def test_long_times_give_the_rates():
    """Cumulants grow linearly; their slope between two late times is the long-time rate."""
    for process in (chain(2), collision_chain(0.5)):
        model = Model(process)
        slope = (model.heat_cumulants_at(4000.0, "L") - model.heat_cumulants_at(2000.0, "L")) / 2000.0
        assert slope == pytest.approx(model.heat_cumulants("L"), rel=1e-8, abs=0)


def test_joint_cumulants_at_finite_time():
    model, t = Model(chain(2)), 12.0
    both = model.process.counts.heat_weight("L") + model.process.counts.heat_weight("R")
    variances = [model.heat_cumulants_at(t, b, 2)[1] for b in "LR"]
    covariance = model.joint_heat_cumulants_at(t, {"L": 1, "R": 1})
    assert sum(variances) + 2 * covariance == pytest.approx(model.cumulants_at(t, both, 2)[1], rel=1e-12, abs=0)


def test_sparse_and_dense_propagation_agree(monkeypatch):
    ket, t = np.eye(16)[3], 6.0
    dense = Model(chain(4)).heat_cumulants_at(t, "L", 3, ket), Model(chain(4)).quanta_distribution("R", t, ket)[1]
    monkeypatch.setattr("collide.exact.finite_time.dense_is_cheaper", lambda *_: False)
    sparse = Model(chain(4)).heat_cumulants_at(t, "L", 3, ket), Model(chain(4)).quanta_distribution("R", t, ket)[1]
    assert sparse[0] == pytest.approx(dense[0], rel=1e-11, abs=0)
    assert sparse[1] == pytest.approx(dense[1], abs=1e-14)


def test_the_window_grows_until_nothing_is_missed(monkeypatch):
    """A window that is too narrow at first is doubled; a wrapped tail would show as a wrong mean."""
    monkeypatch.setattr("collide.exact.finite_time.cumulants", lambda *_: np.array([40.0, 0.0]))
    model = Model(two_level())
    reduced, x = model._start(np.eye(2)[0])
    n, P = distribution(reduced, model.process.counts.charge_weight("L"), x, 60.0)
    exact = model.heat_cumulants_at(60.0, "L", 2, np.eye(2)[0])
    assert central(n, P, 2) == pytest.approx(exact, rel=1e-10, abs=0)
    monkeypatch.setattr("collide.exact.finite_time.WINDOW", 16)
    with pytest.raises(ValueError, match="wider than 16 counts"):
        distribution(reduced, model.process.counts.charge_weight("L"), x, 60.0)


def test_series_arithmetic():
    """The logarithm and the exponential of jets against the series of one and two variables."""
    jets = Jets.box([5])
    series = np.array([2.0, 1.0, 0.5, 0.0, 0.0, 0.0])
    assert jets.log(series)[:3] == pytest.approx([np.log(2), 1 / 2, 1 / 4 - 1 / 8], rel=1e-15, abs=0)
    rng = np.random.default_rng(0)
    a = rng.normal(size=(6, 3, 3))
    toeplitz = np.zeros((18, 18))
    for i in range(6):
        for j in range(i + 1):
            toeplitz[3 * i : 3 * i + 3, 3 * j : 3 * j + 3] = a[i - j]
    whole = la.expm(toeplitz)
    fifth = np.linalg.matrix_power(toeplitz, 5)
    for found, expected in ((jets.expm(a), whole), (jets.power(a, 5), fifth)):
        column = expected[:, :3].reshape(6, 3, 3)
        assert found == pytest.approx(column, rel=1e-11, abs=1e-9)
    for x in (0.5, -0.49, -3.0):
        assert PLAIN.expm(np.array([[[x]]]))[0, 0, 0] == pytest.approx(np.exp(x), rel=2e-15, abs=0)
    assert [len(Jets.total(3, 2)), len(Jets.box([2, 1]))] == [10, 6]


def test_kicks_of_a_load_are_counted():
    process, _ = rotor(-8, 8)
    n, P = Model(process).quanta_distribution("r", 500.0, np.eye(process.d)[8])
    # the free rotor: kicks up and down at the rate I gamma / beta_r each, nearly
    assert (P @ n**2) == pytest.approx(2 * 5e-5 / 0.09 * 500.0, rel=0.05, abs=0)
    assert P.sum() == pytest.approx(1.0, abs=1e-11)


def test_bad_times_are_refused():
    with pytest.raises(ValueError, match="`t` must be a finite time >= 0, but is -1"):
        Model(chain(2)).heat_cumulants_at(-1.0, "L")
    with pytest.raises(ValueError, match="nearest allowed time is 1"):
        Model(collision_chain(0.5)).heat_cumulants_at(0.8, "L")
