"""Channels inside a period of collisions: kicks, their heat and work, against the exact map and a readable twin."""

import math
import warnings

import numpy as np
import pytest

import collide
from collide import Bath, Channel, Collision, CollisionModel, Space, local, qubit
from collide.analysis.conservation import charge_balance
from collide.exact.sources import load_powers
from collide.kernels.exponential import falling
from collide.machines import rotor
from collide.machines.rotor import TruncationWarning, parts_of, start_state
from collide.operators import lowering

STRONG = {"I": 0.5, "beta_r": 0.6, "gamma": 0.5, "lam": 1.0, "beta2": 0.04, "B1": 1.0, "B2": 1.5}
TAU = 0.25


@pytest.fixture(scope="module")
def strong():
    """Kicks as frequent as other exchanges, ten periods, with every exchange recorded."""
    model = rotor(**STRONG, picture="collision", tau=TAU)
    e_ops = {"H": model.H, "E": model.process.loads[0].energy}
    ens = collide.run(model, 8000, [TAU, 4 * TAU, 10 * TAU], seed=2, e_ops=e_ops, progress=False)
    return model, ens


def z(values, expected):
    return (values.mean() - expected) / (values.std(ddof=1) / math.sqrt(len(values)))


def test_the_program_says_what_runs(strong):
    """Kicks are no outcomes of an ancilla, so every label is drawn."""
    assert strong[1].program.kind == "collisions"
    assert "channel" in strong[1].program.meta["explanation"]
    assert "c_0" in strong[1].program.meta["explanation"]


def test_counts_heat_and_work_of_a_load_in_collisions(strong):
    model, ens = strong
    t = 10 * TAU
    table = model.process.counts
    variance = model.cumulants_at(t, table.charge_weight("r"), 2)[1]
    kicks = ens.counts @ table.charge_weight("r")
    assert abs(z(kicks, model.count_rates() @ table.charge_weight("r") * t)) < 4.5
    assert kicks.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / len(kicks)))
    loads = load_powers(model)["r"]
    assert abs(z(ens.heat["r"], model.heat_currents()["r"] * t)) < 4.5
    assert abs(z(ens.load_work[:, 0], loads * t)) < 4.5
    qubits = ens.work - ens.closing_energy - ens.load_work[:, 0]
    assert abs(z(qubits, (model.power() - loads) * t)) < 4.5
    moments = ens.heat_moments()["r"].value[-1]
    assert moments[0] == pytest.approx(ens.heat["r"].mean(), rel=1e-12)


def test_averages_in_time_from_another_start():
    """Energies after one, four and ten periods from a state that is not stationary."""
    model = rotor(**STRONG, picture="collision", tau=TAU)
    start = start_state(model, "lower", 1)
    times = [TAU, 4 * TAU, 10 * TAU]
    E = model.process.loads[0].energy
    ens = collide.run(model, 5000, times, seed=3, initial=start, e_ops={"E": E}, progress=False)
    exact = [float(np.real(np.trace(E @ rho))) for rho in model.evolve(start, times)]
    found = ens.expect["E"]
    assert np.all(np.abs(found.value - exact) < 4.5 * found.error)


def test_charge_balance_and_fluctuation_theorem_in_collisions():
    """Δ(l - n_1) = kicks - quanta as integers; <e^{-Σ}> = 1 with c_0 t."""
    model = rotor(beta2=0.03, gamma=0.02, picture="collision", tau=0.1)
    t, n = 3.0, 4000
    ens = collide.run(model, n, t, seed=6, progress=False)
    p, table = model.recipe["parameters"], model.process.counts
    levels = p["l_max"] - p["l_min"] + 1
    charge = np.arange(4 * levels) % levels + p["l_min"] - np.arange(4 * levels) // (2 * levels)
    a = ens.program.arrays
    first, last = ([np.unique(charge[np.abs(k) > 1e-9]) for k in a[f"{end}_kets"]] for end in ("initial", "final"))
    assert all(len(c) == 1 for c in [*first, *last])
    change = np.array([last[f][0] - first[i][0] for i, f in zip(ens.initial, ens.final, strict=True)])
    kicks, quanta = (np.rint(ens.counts @ table.charge_weight(b)).astype(int) for b in ("r", "1"))
    assert np.array_equal(change, kicks - quanta)
    assert np.abs(kicks).max() > 1
    exact = model.trajectory_statistics(t).exponential_average
    assert abs(np.exp(-ens.entropy_production).mean() - 1) < 4.5 * math.sqrt(exact.variance / n)


@pytest.mark.parametrize("construction", ["split", "joint"])
def test_untruncated_and_truncated_oscillators(construction):
    """Heats and kicks with their exact means and variances, and charges as integers, in both constructions."""
    given = {"l_min": -3, "l_max": 4, "gamma": 0.05, "lam": 1.0, "beta2": 0.05}
    levels = {"oscillator_levels": (10, 10)} if construction == "joint" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        model = rotor(**given, **levels, picture="collision", construction=construction, tau=0.2)
    t, n = 6.0, 4000
    ens = collide.run(model, n, t, seed=7, progress=False)
    table = model.process.counts
    for weight in (table.heat_weight("1"), table.heat_weight("2"), table.charge_weight("r")):
        mean, variance, _, fourth = model.cumulants_at(t, weight, 4)
        values = ens.counts @ weight
        assert abs(values.mean() - mean) < 4.5 * math.sqrt(variance / n)
        assert abs(values.var() - variance) < 4.5 * math.sqrt((fourth + 2 * variance**2) / n)
    pieces = parts_of(model)
    first, second = pieces.space.number(0), pieces.space.number(1)
    assert charge_balance(ens, pieces.L_z - first, {"r": 1, "1": -1}).holds
    assert charge_balance(ens, first + second, {"1": 1, "2": 1}).holds
    assert not charge_balance(ens, pieces.L_z - first, {"r": 1, "1": 1}).holds  # planted: a wrong sign


def decay_model(tau=0.3):
    """A qubit between an ancilla and a bath of channels that share a flow, with a turned operator."""
    space = Space(qubit(), qubit())
    hot, cold = Bath("hot", beta=0.5), Bath("cold", beta=2.0, spectral_density=0.8)
    H = space.number(0) + 1.2 * space.number(1) + 0.4 * space.exchange(0, 1)
    turned = (space.s(0) + space.s(1)) / math.sqrt(2)
    return CollisionModel(
        H, [Collision(hot, lowering(2), 0, hot.ancilla(1.0), 0.5), *local(turned, 1.0, cold)], tau, dims=space
    )


def test_thermal_channels_in_a_period():
    """Definite quanta from a flow whose decay is not diagonal: mean and variance of the heat."""
    model = decay_model()
    t, n = 3.0, 8000
    ens = collide.run(model, n, t, seed=1, progress=False)
    mean, variance = model.heat_cumulants_at(t, "cold", 2)
    assert abs(ens.heat["cold"].mean() - mean) < 4.5 * math.sqrt(variance / n)
    assert ens.heat["cold"].var() == pytest.approx(variance, rel=0.1)
    assert "load_work" not in ens.columns
    exact = model.trajectory_statistics(t).exponential_average
    assert abs(np.exp(-ens.entropy_production).mean() - exact.mean) < 4.5 * math.sqrt(exact.variance / n)


def test_kicks_are_recorded_with_their_period():
    """Recorded exchanges are the counts, channels numbered after the outcomes of the ancillas."""
    model = rotor(**STRONG, picture="collision", tau=TAU)
    ens = collide.run(model, 200, 8 * TAU, seed=4, keep=("totals", "jumps"), progress=False)
    first_kick = len(ens.program.arrays["first"])
    rows = np.repeat(np.arange(200), ens.row_size)
    kicks = np.bincount(rows[ens.jump_channel >= first_kick], minlength=200)
    table = model.process.counts
    counted = ens.counts[:, table.bath == table.index("r")].sum(axis=1)
    assert np.array_equal(kicks, counted)
    assert counted.sum() > 100
    periods = ens.jump_time / TAU
    assert np.allclose(periods, np.rint(periods))


def test_a_load_that_shares_its_flow_is_refused():
    space = Space(qubit())
    bath = Bath("b", beta=1.0)
    load = Channel(space.sx(0), 0.1, 0.0, "load", "load", energy=space.number(0), charge=1)
    model = CollisionModel(
        space.number(0),
        [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.2), *local(space.s(0), 1.0, bath), load],
        0.1,
    )
    with pytest.raises(ValueError, match="a load acts together with other channels cannot be sampled"):
        collide.run(model, 10, 1.0, progress=False)


def test_exponential_to_the_last_places():
    x = np.concatenate([np.linspace(0, 3, 301), np.geomspace(3, 700, 200), [0.0, 708.0]])
    ours = np.array([falling(float(v)) for v in x])
    assert np.allclose(ours, np.exp(-x), rtol=4e-16, atol=0)
    assert falling(0.0) == 1.0
    assert falling(1e5) == 0.0


def test_replay_of_periods_with_kicks():
    """The path ends where the ensemble's trajectory ended, and its energies change at kicks."""
    model = rotor(**STRONG, picture="collision", tau=TAU)
    ens = collide.run(model, 3, 10 * TAU, seed=2, keep=("totals", "final_state"), progress=False)
    for k in range(3):
        path = ens.replay(k)
        assert np.allclose(path.states[-1], ens.final_state[k], atol=1e-12)
        assert path.heat[-1, 0] == pytest.approx(ens.heat["1"][k])
        assert len(path.times) == 31
