"""Heat, work and entropy resolved by both measurements, and the integral fluctuation theorem, by enumeration."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.integrate import simpson
import scipy.linalg as la

from collide.exact.ends import reversed_value
from collide.exact.measurements import eigenbasis_of, outcomes_in
from collide.exact.process import Flow
from collide.exact.reversal import reversed_process
from exact_systems import (
    Model,
    chain,
    collision_chain,
    histories,
    random_collisions,
    random_hermitian,
    random_process,
    random_state,
    rotor,
    table,
    two_level,
)

MACHINES = [chain(2), chain(3, statistics=("spin", "boson")), collision_chain(2.0), two_level()]


def enumerated(process, opening, closing, periods):
    """Every (opening, history, closing): probability and the value of each quantity."""
    amplitudes, counts = histories(process, opening.kets, periods)
    overlap = np.abs(np.einsum("fa,hia->hif", closing.conj(), amplitudes)) ** 2 * opening.p[None, :, None]
    p_final = overlap.sum(axis=(0, 1))
    H = process.H.toarray()
    first, last = (np.einsum("na,ab,nb->n", k.conj(), H, k).real for k in (opening.kets, closing))
    energy = np.broadcast_to(last[None, None] - first[None, :, None], overlap.shape)
    heats = {f"heat {b}": (counts @ process.counts.heat_weight(b))[:, None, None] for b in process.counts.baths}
    flow = (counts @ process.counts.entropy)[:, None, None]
    sigma = np.log(opening.p)[None, :, None] - np.log(p_final)[None, None] + flow
    values = {**heats, "work": energy - sum(heats.values()), "energy_change": energy, "entropy_production": sigma}
    return overlap, {name: np.broadcast_to(v, overlap.shape) for name, v in values.items()}


def third_cumulants(p, x):
    mean = (p * x).sum()
    return np.array([mean, (p * (x - mean) ** 2).sum(), (p * (x - mean) ** 3).sum()])


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(2, 3), st.booleans())
def test_every_quantity_by_enumeration(seed, d, pure):
    process = random_collisions(seed, d)
    rng = np.random.default_rng(seed)
    rho = random_state(rng, d, 1 if pure else d)
    basis = np.linalg.eigh(random_hermitian(rng, d))[1].T
    statistics = Model(process).trajectory_statistics(1.4, rho, closing=basis)
    opening = eigenbasis_of(rho)
    opening = type(opening)(opening.kets[opening.p > 0], opening.p[opening.p > 0])
    p, values = enumerated(process, opening, basis, 2)
    assert statistics.joint_probability == pytest.approx(p.sum(axis=0), abs=1e-13)
    for name in statistics.names:
        scale = max(1.0, np.abs(values[name]).max() ** 3)
        assert statistics.cumulants(name) == pytest.approx(third_cumulants(p, values[name]), abs=1e-12 * scale), name
        assert statistics.mean(name) == pytest.approx((p * values[name]).sum(), abs=1e-12 * scale)
    a, b = values["heat L"], values["work"]
    covariance = (p * a * b).sum() - (p * a).sum() * (p * b).sum()
    assert statistics.covariance("heat L", "work") == pytest.approx(covariance, abs=1e-11)
    average = statistics.exponential_average
    weight = np.exp(-values["entropy_production"])
    assert average.mean == pytest.approx((p * weight).sum(), rel=1e-10, abs=0)
    assert average.variance == pytest.approx((p * weight**2).sum() - (p * weight).sum() ** 2, rel=1e-8, abs=0)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 4), st.booleans())
def test_integral_fluctuation_theorem(seed, d, collisions):
    """One from any full-rank start; less from a start without full rank, the same by both routes."""
    process = random_collisions(seed, d) if collisions else random_process(seed, d)
    rng = np.random.default_rng(seed)
    model, t = Model(process), 1.4
    full = model.trajectory_statistics(t, random_state(rng, d)).exponential_average
    assert full.mean == pytest.approx(1.0, abs=1e-12)
    assert full.reversed_value == pytest.approx(1.0, abs=1e-12)
    pure = model.trajectory_statistics(t, random_state(rng, d, 1)).exponential_average
    assert pure.mean == pytest.approx(pure.reversed_value, abs=1e-12)
    assert 0 < pure.mean < 1
    assert pure.deficit == pytest.approx(1 - pure.mean, abs=1e-12)
    if d > 2:
        partial = model.trajectory_statistics(t, random_state(rng, d, 2)).exponential_average
        assert pure.mean < 1 > partial.mean == pytest.approx(partial.reversed_value, abs=1e-12)


@pytest.mark.parametrize("process", MACHINES)
def test_machines_in_their_steady_state(process):
    statistics = Model(process).trajectory_statistics(20.0)
    average = statistics.exponential_average
    assert [average.mean, average.reversed_value] == pytest.approx([1.0, 1.0], abs=1e-12)
    mean, variance, _ = statistics.cumulants("entropy_production")
    assert mean == pytest.approx(Model(process).entropy_production_rate() * 20.0, rel=1e-11, abs=0)
    assert variance > mean  # near but above the fluctuation-dissipation value 2 mean / 2


@pytest.mark.parametrize("process", MACHINES)
def test_a_wrong_temperature_breaks_the_theorem(process):
    wrong = replace(process, counts=table("LR", process.counts.beta * [1.0, 1.02], [1.0, 1.0]))
    average = Model(wrong).trajectory_statistics(20.0).exponential_average
    assert abs(average.mean - 1) > 1e-4


def test_classical_starts_give_the_return_probability():
    """From a sure level of a classical process the value is P_2t(i <- i)."""
    model, t = Model(two_level()), 0.3
    for ket in np.eye(2):
        average = model.trajectory_statistics(t, ket).exponential_average
        back = model.evolve(ket, [2 * t])[0]
        assert average.mean == pytest.approx((ket @ back @ ket).real, abs=1e-13)
    # with coherence it does not
    ket = np.eye(4)[2]
    coherent = Model(chain(2, g=0.5))
    back = coherent.evolve(ket, [4.0])[0][2, 2].real
    assert abs(coherent.trajectory_statistics(2.0, ket).exponential_average.mean - back) > 1e-3


def test_excitations_are_conserved_on_the_average_and_in_the_variance():
    """At resonance omega dN = Q_L + Q_R on each trajectory: with H = N, work vanishes altogether."""
    for process in (chain(2), collision_chain(2.0)):
        number = chain(2, g=0.0).H
        statistics = Model(replace(process, H=number)).trajectory_statistics(20.0, np.eye(4)[2])
        assert statistics.cumulants("work") == pytest.approx(np.zeros(3), abs=1e-13)
    process = collision_chain(2.0)
    energy_basis = np.linalg.eigh(process.H.toarray())[1].T
    with_exchange = Model(process).trajectory_statistics(20.0, np.eye(4)[2], closing=energy_basis)
    assert with_exchange.cumulants("work")[1] > 1e-4


def test_endless_entropy():
    """An emission into a bath at T = 0 makes the mean infinite; without any, it stays finite."""
    statistics = Model(chain(2, betas=(1.0, np.inf))).trajectory_statistics(20.0)
    assert statistics.mean("entropy_production") == np.inf
    assert np.isnan(statistics.cumulants("entropy_production")[1])
    assert np.isfinite(statistics.cumulants("heat L")).all()
    average = statistics.exponential_average
    assert average.mean == pytest.approx(average.reversed_value, abs=1e-12)
    assert 0 < average.mean < 1
    silent = Model(chain(2, betas=(np.inf, np.inf))).trajectory_statistics(20.0, np.eye(4)[0])
    assert silent.cumulants("entropy_production") == pytest.approx(np.zeros(3), abs=1e-14)


def test_a_load_enters_through_its_contraction():
    """Leitch et al. 2024: <exp(-Sigma')> = 1 with c_0 t, up to the edges of the ladder."""
    process, _ = rotor(-8, 8)
    model, d = Model(process), process.d
    statistics = model.trajectory_statistics(40.0, np.eye(d) / d, closing=np.eye(d))
    average = statistics.exponential_average
    assert average.mean == pytest.approx(average.reversed_value, rel=1e-11, abs=0)
    reduced = model._reduced()
    everywhere = reduced.sector.vector(np.eye(d, dtype=complex))
    tilted = la.expm(40.0 * reduced.tilted(-2 * process.counts.entropy)) @ everywhere
    c0 = 5e-5 * (1 + 0.09 / 8)
    final = np.diag(reduced.sector.matrix(tilted)).real
    square = d * np.exp(-80.0 * c0) * (statistics.ends.reference**2 @ final)
    assert average.variance == pytest.approx(square - average.mean**2, rel=1e-9, abs=0)
    # from the maximally mixed state the defect is that of the edges: c_0 t times their share
    edges = abs(average.mean - 1)
    assert 1e-5 < edges < 5e-2
    assert model.trajectory_statistics(40.0, np.eye(d)[8]).exponential_average.deficit > 0.1
    assert statistics.mean("work") == pytest.approx(
        statistics.mean("energy_change") - sum(statistics.mean(f"heat {b}") for b in "12r"), abs=1e-13
    )
    rates = [model.heat_currents(rho)["r"] for rho in model.evolve(np.eye(d) / d, np.linspace(0, 40, 9))]
    assert statistics.mean("heat r") == pytest.approx(simpson(rates, dx=5.0), rel=1e-4, abs=0)
    with pytest.raises(ValueError, match="'work' has only a `mean`"):
        statistics.cumulants("work")
    with pytest.raises(KeyError, match="unknown quantity 'heat q'"):
        statistics.mean("heat q")


def test_the_reversed_process_is_a_process_where_everything_has_a_reverse():
    for process in (chain(2), random_process(3, 3)):
        back = reversed_process(process)
        (flow,) = back.elements
        assert isinstance(flow, Flow)
        np.testing.assert_allclose(flow.H.toarray(), -process.H.toarray(), atol=1e-13)
        assert np.trace(Model(back).evolve(np.eye(back.d)[0], [3.0])[0]).real == pytest.approx(1.0, abs=1e-12)


def test_the_two_routes_are_apart():
    """A fault in the forward operators alone is seen by the comparison."""
    model = Model(chain(2))
    ends = model.trajectory_statistics(20.0, np.eye(4)[2]).ends
    assert reversed_value(chain(2, gammas=(0.05, 0.08)), ends) != pytest.approx(
        model.trajectory_statistics(20.0, np.eye(4)[2]).exponential_average.mean, abs=1e-4
    )


def test_the_basis_of_a_state():
    rho = np.diag([0.5, 0.2, 0.2, 0.1]).astype(complex)
    kets, p = eigenbasis_of(rho)
    np.testing.assert_array_equal(kets, np.eye(4))
    assert p == pytest.approx([0.5, 0.2, 0.2, 0.1], rel=1e-15, abs=0)
    rho[1, 2], rho[2, 1] = 0.1j, -0.1j
    kets, p = eigenbasis_of(rho)
    np.testing.assert_allclose(np.einsum("n,na,nb->ab", p, kets, kets.conj()), rho, atol=1e-15)
    np.testing.assert_array_equal(kets[[0, 3]], np.eye(4)[[0, 3]])
    assert outcomes_in(np.eye(4), rho).p == pytest.approx([0.5, 0.2, 0.2, 0.1])


def test_bad_kets_are_refused():
    model = Model(chain(2))
    with pytest.raises(ValueError, match=r"`closing` must be kets in rows, of shape \(n, 4\)"):
        model.trajectory_statistics(1.0, closing=np.eye(3))
    with pytest.raises(ValueError, match="`opening` must be orthonormal kets"):
        model.trajectory_statistics(1.0, opening=np.ones((4, 4)))
