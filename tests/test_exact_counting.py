"""Full counting statistics at long times: closed forms, QuTiP, symmetries; and faults that must be seen."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import qutip
import scipy.sparse as sp

from collide.exact.counting import joint_cumulant_rates
from collide.exact.jets import Jets
from collide.exact.process import Flow, Process
from exact_systems import (
    Model,
    chain,
    collision_chain,
    random_collisions,
    random_process,
    rotor,
    table,
    two_level,
)

MACHINES = [
    chain(2),
    chain(3, statistics=("spin", "boson")),
    collision_chain(2.0),
    collision_chain(0.5, N=3),
    two_level(),
]


def test_reference_cumulants_of_the_local_pair():
    """Independent values; the heats of the two baths are opposite to all orders."""
    model = Model(chain(2))
    expected = [5.798690787920e-3, 5.9889783889456e-3, 2.3953324368644e-3]
    assert model.heat_cumulants("L", 3) == pytest.approx(expected, rel=1e-12, abs=0)
    assert model.heat_cumulants("R") == pytest.approx(model.heat_cumulants("L") * [-1, 1, -1, 1], rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("tau", "expected"),
    [
        (2.0, [0.004781113507252071, 0.005016534680348978, 0.0021922719101704667]),
        (0.5, [0.0047472027846494885, 0.004982339829344622, 0.0021803956958737817]),
    ],
)
def test_reference_cumulants_of_collisions(tau, expected):
    assert Model(collision_chain(tau)).heat_cumulants("L", 3) == pytest.approx(expected, rel=1e-11, abs=0)


def two_level_scgf(s: float) -> float:
    """Wu & Segal's junction: lambda = (-K + sqrt(K^2 + 4 f))/2 with the rates of `two_level`."""
    k, u = (1.0, 3.0), np.exp([-0.5, -2.0])
    K = k[0] * (1 + u[0]) + k[1] * (1 + u[1])
    return (-K + np.sqrt(K**2 + 4 * k[0] * k[1] * (u[0] * np.expm1(s) + u[1] * np.expm1(-s)))) / 2


def test_two_levels_against_the_closed_form():
    model, s = Model(two_level()), np.linspace(-3, 2, 11)
    assert model.scgf("L", s) == pytest.approx([two_level_scgf(x) for x in s], rel=1e-13, abs=1e-14)
    assert isinstance(model.scgf("L", 0.3), float)
    complex_step = model.scgf("L", 1e-20j).imag / 1e-20
    assert complex_step == pytest.approx(model.heat_currents()["L"], rel=1e-12, abs=0)


def test_cumulants_are_the_derivatives_of_the_generating_function():
    """Cauchy's formula on a circle around zero gives the same numbers as perturbation theory, to order six."""
    for process in MACHINES:
        model, n, r = Model(process), 32, 0.4
        circle = r * np.exp(2j * np.pi * np.arange(n) / n)
        taylor = np.fft.fft(model.scgf("R", circle)).real[1:7] / n / r ** np.arange(1, 7)
        factorials = np.cumprod(np.arange(1.0, 7.0))
        assert model.heat_cumulants("R", 6) == pytest.approx(taylor * factorials, rel=1e-8, abs=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_random_noise_against_qutip(seed, d):
    process = random_process(seed, d)
    flow = process.elements[0]
    assert isinstance(flow, Flow)
    ops = [qutip.Qobj(op.toarray()) for op in flow.ops]
    L = qutip.liouvillian(qutip.Qobj(flow.H.toarray()), ops)
    jumps = [qutip.sprepost(op, op.dag()) for op in ops]  # emission and absorption of the first bath come first
    current, noise, skewness = qutip.countstat_current_noise(
        L, [], rhoss=qutip.steadystate(L), J_ops=[jumps[0] + jumps[1]], I_ops=[jumps[1] - jumps[0]], sparse=False
    )
    found = Model(process).cumulant_rates(process.counts.charge_weight("b0"), 3)
    assert found == pytest.approx([float(np.squeeze(x)) for x in (current, noise, skewness)], rel=1e-7, abs=1e-8)


@given(st.integers(0, 10**6), st.integers(2, 4))
def test_joint_cumulants_are_consistent(seed, d):
    """Mixed derivatives against polarisation, for both pictures."""
    rng = np.random.default_rng(seed)
    for process in (random_process(seed, d), random_collisions(seed, d)):
        model = Model(process)
        a, b = rng.normal(size=(2, 4))
        plus, minus, both = (model.cumulant_rates(w, 3) for w in (a + b, a - b, b))
        scale = np.abs(plus).max() + np.abs(minus).max()
        assert model.joint_cumulant_rates([a, b], [1, 1]) == pytest.approx((plus[1] - minus[1]) / 4, abs=1e-11 * scale)
        c3 = (plus[2] - minus[2] - 2 * both[2]) / 6
        assert model.joint_cumulant_rates([a, b], [2, 1]) == pytest.approx(c3, abs=1e-10 * scale)


def test_joint_heats_of_a_conserved_charge():
    for process in MACHINES:
        model = Model(process)
        variance = model.heat_cumulants("L", 2)[1]
        assert model.joint_heat_cumulants({"L": 1, "R": 1}) == pytest.approx(-variance, rel=1e-11, abs=0)
        assert model.joint_heat_cumulants({"L": 2}) == pytest.approx(variance, rel=1e-13, abs=0)
        third = model.heat_cumulants("L", 3)[2]
        assert model.joint_heat_cumulants({"L": 2, "R": 1}) == pytest.approx(-third, rel=1e-9, abs=0)


def test_rotor_noise_obeys_its_conserved_charges():
    """Leitch et al. 2024, Sec. on counting: quanta of both baths and kicks have the same cumulants up to signs."""
    process, _ = rotor(-30, 45)
    model = Model(process)
    hot = model.heat_cumulants("2", 3) / 20 ** np.arange(1, 4)
    assert hot == pytest.approx([7.118e-5, 9.92372e-4, 1.677617e-2], rel=2e-6, abs=0)
    signs = np.array([-1, 1, -1])
    assert signs * model.heat_cumulants("1", 3) / 8 ** np.arange(1, 4) == pytest.approx(hot, rel=1e-10, abs=0)
    assert signs * model.cumulant_rates(process.counts.charge_weight("r"), 3) == pytest.approx(hot, rel=1e-9, abs=0)


@pytest.mark.parametrize("process", MACHINES)
def test_gallavotti_cohen(process):
    model = Model(process)
    assert model.gallavotti_cohen("L", [-1.7, -0.4, 0.3, 1.1]) < 1e-12
    difference = process.counts.beta[1] - process.counts.beta[0]
    for s in (-0.8, 0.5):
        assert model.scgf("L", s) == pytest.approx(model.scgf("L", -s - difference), abs=1e-12)


@pytest.mark.parametrize("process", MACHINES)
def test_gallavotti_cohen_sees_a_wrong_temperature(process):
    betas = process.counts.beta * [1.0, 1.02]
    wrong = Model(replace(process, counts=table("LR", betas, [1.0, 1.0])))
    assert wrong.gallavotti_cohen("L", [-1.7, -0.4, 0.3, 1.1]) > 1e-6


def test_a_planted_fault_in_the_recursion_is_seen():
    """Leaving out the second derivative of the tilted generator (the shot noise) changes the variance, not the mean."""

    class Faulty(Jets):
        def exponential_weights(self, weights):
            rows = super().exponential_weights(weights)
            rows[2:] = 0
            return rows

    model = Model(chain(2))
    jets = Faulty([(0,), (1,), (2,), (3,)])
    weight = model.process.counts.heat_weight("L")
    wrong = joint_cumulant_rates(model._reduced(), model._stationary(), [weight], jets)
    right = model.heat_cumulants("L", 3)
    assert wrong[(1,)] == pytest.approx(right[0], rel=1e-13, abs=0)
    assert abs(wrong[(2,)] - right[1]) > 1e-3


def test_sparse_recursion_and_eigenvalue_agree(monkeypatch):
    dense = Model(chain(4))
    expected = dense.heat_cumulants("L", 4), dense.scgf("L", 0.3)
    monkeypatch.setattr("collide.exact.reduced.DENSE", 10)
    model = Model(chain(4))
    assert model.heat_cumulants("L", 4) == pytest.approx(expected[0], rel=1e-10, abs=0)
    assert model.scgf("L", 0.3) == pytest.approx(expected[1], rel=1e-9, abs=0)


def test_bad_input_is_refused_in_a_sentence():
    model = Model(chain(2))
    with pytest.raises(KeyError, match="unknown bath 'H': this model has 'L', 'R'"):
        model.heat_cumulants("H")
    with pytest.raises(ValueError, match="`order` must be at least 1"):
        model.heat_cumulants("L", 0)
    with pytest.raises(ValueError, match=r"`weight` must have shape \(4,\)"):
        model.cumulant_rates([1.0, 2.0])


@pytest.mark.parametrize("N", [1, 2, 4])
def test_everything_keeps_its_digits_at_low_temperature(N):
    """At beta = 100 and 200 the machine emits independent quanta: all cumulants equal J, lambda = J (e^s - 1).

    J is 1e-45 of the rates; errors of other terms are e^-100 relative.
    """
    g, gammas, betas = 0.05, (0.04, 0.08), (100.0, 200.0)
    alpha = 1 if N == 1 else 1 / (1 + gammas[0] * gammas[1] / (4 * g**2))
    J = alpha * gammas[0] * gammas[1] / sum(gammas) * np.exp(-betas[0])
    model = Model(chain(N, g, gammas, betas))
    assert model.heat_currents() == pytest.approx({"L": J, "R": -J}, rel=1e-13, abs=0)
    assert model.heat_cumulants("L") == pytest.approx(np.full(4, J), rel=1e-12, abs=0)
    assert model.scgf("L", [0.5, -0.5]) == pytest.approx(J * np.expm1([0.5, -0.5]), rel=1e-12, abs=0)
    assert model.entropy_production_rate() == pytest.approx(100 * J, rel=1e-13, abs=0)


def test_long_ladders_against_the_closed_form():
    """Wu & Segal's oscillator, lambda = (K - sqrt(K^2 - 4 f))/2: eigenvectors that grow along the ladder."""
    levels, betas, s = 90, (1 / 1.3, 1 / 0.7), -0.4
    k, u = np.array([2.0, 0.5]) / (1 - np.exp(-np.array(betas))), np.exp(-np.array(betas))
    a = sp.csr_array(np.diag(np.sqrt(np.arange(1.0, levels)), 1))
    H = sp.csr_array(np.diag(np.arange(float(levels))))
    ops = tuple(op for b in range(2) for op in (np.sqrt(k[b]) * a, np.sqrt(k[b] * u[b]) * a.T))
    flow = Flow(H, ops, np.array([[0, -1], [1, -1], [-1, 2], [-1, 3]]), np.full(4, -1))
    model = Model(Process((levels,), H, (flow,), table("LR", betas, [1.0, 1.0])))
    K = (k * (1 - u)).sum()
    f = k[0] * k[1] * (u[0] * np.expm1(s) + u[1] * np.expm1(-s))
    assert model.scgf("L", s) == pytest.approx((K - np.sqrt(K**2 - 4 * f)) / 2, rel=1e-10, abs=0)
    J = k[0] * k[1] * (u[0] - u[1]) / K
    assert model.heat_currents()["L"] == pytest.approx(J, rel=1e-12, abs=0)
