"""Heat, power and entropy production of averaged states."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
import scipy.sparse as sp

from collide.exact.contraction import EntropyUndefined, contraction
from collide.exact.process import Flow, Load, Process
from exact_systems import (
    LOWER,
    Model,
    chain,
    collision_chain,
    random_collisions,
    random_process,
    random_state,
    rotor,
    table,
    thermal_flow,
    two_level,
)


def test_two_levels_against_the_closed_form():
    """Wu & Segal, Eq. (15): J = omega k_L k_R (u_L - u_R) / (k_L (1 + u_L) + k_R (1 + u_R))."""
    u = np.exp([-0.5, -2.0])
    J = 3.0 * (u[0] - u[1]) / (1.0 * (1 + u[0]) + 3.0 * (1 + u[1]))
    model = Model(two_level((0.5, 2.0), (1.0, 3.0)))
    assert model.heat_currents() == pytest.approx({"L": J, "R": -J}, rel=1e-14, abs=0)
    assert model.entropy_production_rate() == pytest.approx(1.5 * J, rel=1e-14, abs=0)
    assert model.power() == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("statistics", ["boson", "spin"])
@pytest.mark.parametrize("N", [2, 3, 5])
def test_the_current_of_a_chain_does_not_depend_on_its_length(statistics, N):
    """Santiago-Garcia et al., Eqs. (5)-(7) and (19), for qubits."""
    g, gammas, betas, eps = 0.05, (0.04, 0.08), (1.0, 1 / 0.3), 1 if statistics == "boson" else -1
    n = [1 / (np.exp(b) - eps) for b in betas]
    factor = [gamma * (1 + (eps + 1) * x) for gamma, x in zip(gammas, n, strict=True)]
    J1 = 2 * gammas[0] * gammas[1] * (n[0] - n[1]) / sum(factor)
    J = J1 / (1 + factor[0] * factor[1] / (4 * g**2))
    model = Model(chain(N, g, gammas, betas, (statistics, statistics)))
    assert model.heat_currents() == pytest.approx({"L": J / 2, "R": -J / 2}, rel=1e-11, abs=0)


def test_reference_currents_of_collisions():
    """Independent values for qubit ancillas at angle sqrt(gamma tau)."""
    known = {2.0: 0.004781113507252071, 1.0: 0.004757792709853759, 0.5: 0.0047472027846494885}
    for tau, current in known.items():
        model = Model(collision_chain(tau))
        assert model.heat_currents() == pytest.approx({"L": current, "R": -current}, rel=1e-12, abs=0)
        assert model.power() == pytest.approx(0.0, abs=1e-15)


def test_detuned_collisions_cost_work():
    """Each excitation enters with 1.3 and leaves with 0.9: the difference is work, exactly, at any tau."""
    process = collision_chain(0.7, betas=(0.5, 2.0), omega=(1.3, 0.9))
    model = Model(replace(process, counts=table("LR", [0.5 / 1.3, 2.0 / 0.9], [1.3, 0.9])))
    rates, heat = model.count_rates(), model.heat_currents()
    J = rates[1] - rates[0]
    assert J > 1e-4
    assert heat == pytest.approx({"L": 1.3 * J, "R": -0.9 * J}, rel=1e-12, abs=0)
    assert model.power() == pytest.approx(-0.4 * J, rel=1e-12, abs=0)


@given(st.integers(0, 10**6), st.integers(2, 4))
def test_heats_of_collisions_are_taken_where_they_happen(seed, d):
    """Mean heat of a period from each Kraus operator, applied by hand."""
    process = random_collisions(seed, d)
    rho0 = random_state(np.random.default_rng(seed), d)
    heat, rho = np.zeros(2), process.elements[0].matrix @ rho0 @ process.elements[0].matrix.conj().T
    for b, element in enumerate(process.elements[1:]):
        pieces = np.array([K @ rho @ K.conj().T for K in element.kraus])
        gained = [process.counts.quantum[row[row >= 0]].sum() for row in element.counts]
        heat[b] = np.trace(pieces, axis1=1, axis2=2).real @ gained
        rho = pieces.sum(axis=0)
    model = Model(process)
    assert list(model.heat_currents(rho0).values()) == pytest.approx(list(heat / 0.7), abs=1e-13)
    change = np.trace(process.H @ (rho - rho0)).real / 0.7
    assert model.power(rho0) == pytest.approx(change - heat.sum() / 0.7, abs=1e-12)


@given(st.integers(0, 10**6), st.integers(2, 5))
def test_entropy_is_produced_in_any_state(seed, d):
    """Spohn's inequality, and its equality with the difference of two states in time."""
    for process in (random_process(seed, d), random_collisions(seed, min(d, 3))):
        model, rho = Model(process), random_state(np.random.default_rng(seed), min(d, process.d))
        assert model.entropy_production_rate() >= -1e-13
        rate = model.entropy_production_rate(rho)
        assert rate >= -1e-13
        step = process.tau or 1e-7
        before, after = (np.linalg.eigvalsh(r) for r in (rho, model.evolve(rho, [step])[0]))
        change = (-(after * np.log(after)).sum() + (before * np.log(before)).sum()) / step
        flow = -sum(b * q for b, q in zip(process.counts.beta, model.heat_currents(rho).values(), strict=True))
        assert rate == pytest.approx(flow + change, rel=2e-3 if process.tau is None else 1e-10, abs=1e-3)


def test_a_pure_state_gains_entropy_infinitely_fast():
    assert Model(chain(2)).entropy_production_rate(np.eye(4)[3]) == np.inf
    assert np.isfinite(Model(collision_chain(0.5)).entropy_production_rate(np.eye(4)[3]))


def test_zero_temperature():
    """Emission into a bath at T = 0 has no reverse; a system at rest between two such baths emits nothing."""
    assert Model(chain(2, betas=(1.0, np.inf))).entropy_production_rate() == np.inf
    frozen = Model(chain(2, betas=(np.inf, np.inf)))
    assert frozen.entropy_production_rate() == 0.0
    assert frozen.heat_currents() == {"L": 0.0, "R": 0.0}


def test_rotor_against_conservation_laws_and_independent_values():
    """Leitch et al. 2024: Q_2 = 2 B_2 gamma <L_z>, Q_r from <L_z^2>, L[1] = c_0; the table's numbers."""
    process, L_z = rotor(-30, 45)
    model, gamma, beta_r = Model(process), 5e-5, 0.09
    rho, heat = model.steady_state(), model.heat_currents()
    assert model._reduced().size == 4 * 76 + 2 * 75
    assert heat["2"] == pytest.approx(0.0014235993553, rel=1e-10, abs=0)
    assert heat["2"] == pytest.approx(20 * gamma * (L_z @ rho).trace().real, rel=1e-9, abs=0)
    assert heat["1"] / heat["2"] == pytest.approx(-0.4, rel=1e-10, abs=0)
    square = (L_z @ L_z @ rho).trace().real
    assert heat["r"] == pytest.approx(gamma / beta_r - gamma * (1 - beta_r / 16) * square, rel=1e-8, abs=0)
    c0 = gamma * (1 + beta_r / 8)
    expected = -0.1 * heat["1"] - 0.03 * heat["2"] + c0
    assert model.entropy_production_rate() == pytest.approx(expected, rel=1e-12, abs=0)
    flow = process.elements[0]
    assert isinstance(flow, Flow)
    found = contraction(flow)
    assert found.rate == pytest.approx(c0, rel=1e-12, abs=0)
    assert np.count_nonzero(found.defect) == 8  # both ends of the ladder, with four states of the qubits each


def test_a_load_that_contracts_unevenly_has_no_entropy():
    H = sp.csr_array(np.diag([0.0, 1.0]))
    thermal = thermal_flow(H, [(LOWER, 1.0, 1.0, 1.0, "boson"), (LOWER, 0.0, 1.0, 1.0, "spin")])
    t = table(["L", "load"], [1.0, np.nan], [1.0, 0.0])
    kick = sp.csr_array(0.3 * LOWER)
    flow = Flow(H, (*thermal.ops[:2], kick), np.array([[0, -1], [1, -1], [-1, 2]]), np.array([-1, -1, 0]))
    model = Model(Process((2,), H, (flow,), replace(t, entropy=np.nan_to_num(t.entropy)), None, (Load(1, H),)))
    p = model.steady_state()[1, 1].real
    assert model.heat_currents()["load"] == pytest.approx(-0.09 * p, rel=1e-13, abs=0)
    assert model.power() == pytest.approx(0.0, abs=1e-15)
    with pytest.raises(EntropyUndefined, match="does not map the identity to a multiple of itself"):
        model.entropy_production_rate()
    with pytest.raises(ValueError, match="bath 'load' is a load"):
        model.heat_cumulants("load")


def test_results_are_kept_but_cannot_be_spoiled():
    model = Model(chain(2))
    model.steady_state()[:] = 0
    model.heat_currents().clear()
    model.count_rates()[:] = 0
    assert model.steady_state().trace().real == pytest.approx(1.0)
    assert model.heat_currents()["L"] == pytest.approx(5.798690787920e-3, rel=1e-12, abs=0)
    assert model.count_rates().min() > 0
