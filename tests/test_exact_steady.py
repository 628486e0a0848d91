"""Steady states: against QuTiP, closed forms, extended precision; and the sentence where there is more than one."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
import qutip

from collide import Bath, Collision, CollisionModel, Space, oscillator, qubit
from collide.exact.process import Flow, Process, embed
from collide.exact.steady import NonUniqueSteadyState, Rates, Stationary
from collide.operators import lowering
from exact_systems import (
    LOWER,
    Model,
    chain,
    chain_hamiltonian,
    collision_chain,
    histories,
    random_collisions,
    random_process,
    table,
    thermal_flow,
    two_level,
)


@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 3))
def test_random_generators_against_qutip(seed, d, nbaths):
    process = random_process(seed, d, nbaths)
    flow = process.elements[0]
    assert isinstance(flow, Flow)
    rho = Model(process).steady_state()
    ops = [qutip.Qobj(op.toarray()) for op in flow.ops]
    np.testing.assert_allclose(rho, qutip.steadystate(qutip.Qobj(flow.H.toarray()), ops).full(), atol=1e-10)
    np.testing.assert_allclose(rho, rho.conj().T, atol=0)
    assert np.trace(rho).real == pytest.approx(1.0, abs=1e-15)
    assert np.linalg.eigvalsh(rho)[0] > 0


@given(st.integers(0, 10**6), st.integers(2, 4))
def test_random_collisions_return_to_the_fixed_point(seed, d):
    process = random_collisions(seed, d)
    rho = Model(process).steady_state()
    p, kets = np.linalg.eigh(rho)
    after, _ = histories(process, kets.T, 1)
    np.testing.assert_allclose(np.einsum("hka,hkb,k->ab", after, after.conj(), p), rho, atol=1e-13)


def test_pair_against_the_closed_form():
    """Santiago-Garcia et al., Eqs. (31)-(33), two resonant qubits between bosonic baths."""
    g, gammas, betas = 0.05, (0.04, 0.08), (1.0, 1 / 0.3)
    n = [1 / np.expm1(b) for b in betas]
    up = [gamma * x for gamma, x in zip(gammas, n, strict=True)]
    down = [gamma * (1 + x) for gamma, x in zip(gammas, n, strict=True)]
    G = [a + b for a, b in zip(up, down, strict=True)]
    D = (4 * g**2 + G[0] * G[1]) * sum(G)
    rho = Model(chain(2, g, gammas, betas)).steady_state()
    number = [embed(LOWER.T @ LOWER, [k], (2, 2)) for k in range(2)]
    for k in range(2):
        exact = (4 * g**2 * sum(up) + up[k] * G[1 - k] * sum(G)) / D
        assert (number[k] @ rho).trace().real == pytest.approx(exact, rel=1e-13, abs=0)
    hop = embed(np.kron(LOWER, LOWER.T), [0, 1], (2, 2))
    assert (hop @ rho).trace() == pytest.approx(2j * g * (up[0] * down[1] - down[0] * up[1]) / D, abs=1e-16)


@pytest.mark.parametrize("beta", [1.0, 40.0, 200.0, 700.0])
def test_populations_keep_their_digits_at_any_temperature(beta):
    """Two qubits at one temperature are in the product Gibbs state, also coupled through a coherence."""
    for process in (two_level((beta, beta)), chain(2, betas=(beta, beta))):
        p = Model(process).steady_state().diagonal().real
        excitations = np.array([0, 1, 1, 2][: len(p)]) if len(p) == 4 else np.array([0, 1])
        logs = -beta * excitations
        with np.errstate(divide="ignore"):
            measured = np.log(p / p[0])
        seen = logs > -700
        np.testing.assert_allclose(measured[seen], logs[seen], rtol=0, atol=1e-13 * beta)


def test_a_stiff_cycle_against_rational_arithmetic():
    """Five states, rates over forty decades: GTH against exact fractions."""
    rng = np.random.default_rng(5)
    W = 10.0 ** rng.uniform(-30, 10, (5, 5))
    np.fill_diagonal(W, 0.0)
    exact = [[Fraction(float(x)) for x in row] for row in W]
    for k in range(4, 0, -1):  # elimination of state k in exact arithmetic
        leave = sum(exact[i][k] for i in range(k))
        for i in range(k):
            for j in range(k):
                exact[i][j] += exact[i][k] * exact[k][j] / leave
    p = [Fraction(1)]
    for k in range(1, 5):
        p.append(sum(exact[k][j] * p[j] for j in range(k)) / sum(exact[i][k] for i in range(k)))
    expected = np.array([float(x / sum(p)) for x in p])
    rates = Rates(W, np.arange(5))
    np.testing.assert_allclose(rates.state(), expected, rtol=1e-14)
    np.testing.assert_allclose(Rates(W, np.array([3, 0, 4, 1, 2])).state(), expected, rtol=1e-14)
    assert (np.linalg.eig(W - np.diag(W.sum(axis=0)))[1].real.min(axis=0) < 0).any()  # the usual way loses them


def test_beside_the_steady_state_the_generator_is_inverted():
    rng = np.random.default_rng(1)
    for process in (two_level(), chain(2), chain(3), random_process(3, 4), collision_chain(0.5)):
        reduced = Model(process)._reduced()
        stationary = Stationary(reduced)
        M = reduced.base if reduced.continuous else reduced.base - np.eye(reduced.size)
        b = rng.normal(size=reduced.size)
        b -= stationary.vector * (reduced.sector.trace @ b)
        x = stationary.solve(b)
        np.testing.assert_allclose(M @ x, b, atol=1e-12 * np.abs(x).max())
        assert reduced.sector.trace @ x == pytest.approx(0.0, abs=1e-13 * np.abs(x).max())


def test_zero_temperature_leaves_exact_zeros():
    p = Model(chain(2, betas=(np.inf, np.inf))).steady_state()
    np.testing.assert_array_equal(p, np.diag([1.0, 0, 0, 0]))


def test_conserved_basis_states_are_named():
    """A qubit between baths beside a spin that nothing flips."""
    H = embed(np.diag([0.0, 1.0]), [0], (2, 2)) + 0.5 * embed(np.diag([0, 0, 0, 1.0]), [0, 1], (2, 2))
    couplings = [(embed(LOWER, [0], (2, 2)), 1.0, 1.0, 1.0, "boson")]
    process = Process((2, 2), H, (thermal_flow(H, couplings),), table("L", [1.0], [1.0]))
    with pytest.raises(NonUniqueSteadyState, match=r"\{\|00>, \|10>\} and \{\|01>, \|11>\}.*add a channel"):
        Model(process).steady_state()


def test_conserved_superpositions_are_counted():
    """Two qubits that a bath sees only together: the singlet never decays."""
    dims = (2, 2)
    H = chain_hamiltonian(2, 0.0)
    together = embed(LOWER, [0], dims) + embed(LOWER, [1], dims)
    process = Process(dims, H, (thermal_flow(H, [(together, 1.0, 1.0, 1.0, "boson")]),), table("L", [1.0], [1.0]))
    with pytest.raises(NonUniqueSteadyState, match=r"conserved subspaces of dimensions (1 and 3|3 and 1)"):
        Model(process).steady_state()


def test_a_period_without_bath_has_no_unique_state():
    process = collision_chain(0.5, gammas=(0.0, 0.0))
    with pytest.raises(NonUniqueSteadyState, match="not unique"):
        Model(process).steady_state()


def test_large_systems_are_solved_sparse(monkeypatch):
    dense = Model(chain(4)).steady_state()
    monkeypatch.setattr("collide.exact.reduced.DENSE", 10)
    model = Model(chain(4))
    np.testing.assert_allclose(model.steady_state(), dense, atol=1e-14)
    assert type(model._stationary().solver).__name__ == "SparseBordered"
    idle = Process((2, 2), chain(2).H, chain(2, g=0.0, gammas=(0.0, 0.1)).elements, table("LR", [1, 1], [1, 1]))
    monkeypatch.setattr("collide.exact.reduced.DENSE", 1)
    with pytest.raises(NonUniqueSteadyState, match="not unique"):
        Model(idle).steady_state()


def test_large_periods_are_solved_by_their_action(monkeypatch):
    """Fixed point, cumulants, generating function, currents and evolution of a period that is never formed."""
    pause = thermal_flow(0.2 * chain_hamiltonian(3, 0.1), [(embed(LOWER, [1], (2, 2, 2)), 0.3, 0.5, 1.0, "spin")], 0.4)
    pause = Flow(pause.H, pause.ops, np.column_stack([pause.counts, np.full(2, -1)]), pause.load, pause.duration)
    base = collision_chain(0.5, N=3)
    process = Process(base.dims, base.H, (*base.elements, pause), base.counts, 0.9)

    def everything():
        model, ket = Model(process), np.eye(8)[3]
        return (
            model.steady_state(),
            [model.heat_currents()["L"], model.power(), model.noise("L", "R"), model.scgf("L", 0.4)],
            model.heat_cumulants("L", 4),
            model.evolve(ket, [0.0, 9.0]),
            model.heat_cumulants_at(9.0, "R", 3, ket),
            model.quanta_distribution("L", 4.5, ket)[1],
            model.current_correlation([0.9, 1.8], "L").regular,
            model.trajectory_statistics(4.5).cumulants("work"),
            model.waiting_times().density([0.0, 0.9], 0, 2),
            type(model._stationary().solver).__name__,
        )

    dense = everything()
    monkeypatch.setattr("collide.exact.reduced.DENSE", 10)
    *sparse, solver = everything()
    assert solver == "Krylov"
    for found, expected in zip(sparse, dense, strict=False):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    idle = Process(base.dims, base.H, base.elements[:2], base.counts, 0.5)
    monkeypatch.setattr("collide.exact.reduced.DENSE", 1)
    apart = collision_chain(0.5, g=0.0, gammas=(0.1, 0.0))
    assert np.isfinite(Model(idle).steady_state()).all()
    with pytest.raises(NonUniqueSteadyState, match="not unique"):
        Model(apart).steady_state()


def test_maps_that_would_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr("collide.exact.sectors.LARGEST", 100)
    with pytest.raises(ValueError, match="use fewer levels, or gates between neighbouring sites"):
        Model(collision_chain(0.5, N=4)).steady_state()


@pytest.mark.parametrize("construction", ["split", "alternating", "sequential"])
def test_collisions_that_leave_a_site_alone_have_many_fixed_points(construction):
    """A map of a period conserves the untouched site's levels exactly: rounding must not open a way between them."""
    bath, space = Bath("L", temperature=0.4, statistics="spin"), Space(qubit(), oscillator(3))
    hits = [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.1)]
    model = CollisionModel(space.number(0) + space.number(1), hits, 0.5, dims=space, construction=construction)
    with pytest.raises(NonUniqueSteadyState) as caught:
        model.steady_state()
    assert "{|00>, |10>} and {|01>, |11>} and {|02>, |12>}" in str(caught.value)
