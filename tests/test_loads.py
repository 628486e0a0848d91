"""Loads along trajectories: heat and work by expectation, first law part by part, charges, theorem."""

import numpy as np
import pytest
from scipy.integrate import quad_vec
import scipy.linalg as la

import collide
from collide.engines import ENGINES
from collide.ensemble import load_program, run_program
from collide.exact.sources import load_powers
from collide.machines import rotor
from collide.machines.rotor_formulas import contraction_rate
from collide.quadrature import panel_errors

STRONG = {"I": 0.5, "beta_r": 0.6, "gamma": 0.5, "lam": 1.0, "beta2": 0.04, "B1": 1.0, "B2": 1.5}
"""Kicks as frequent as other jumps, and coherence that they destroy."""


@pytest.fixture(scope="module")
def strong():
    """Model, program and raw record of a few trajectories with all their jumps."""
    model = rotor(**STRONG)
    program = collide.compile_program(model, [1.0, 2.5, 6.0], keep=("totals", "jumps", "final_state"))
    return model, program, ENGINES["jumps"](program, 3, 0, 6)


def covariance(psi, G, A):
    """What the evolution without a jump of the channels behind G changes of <A>, per unit time."""
    g, a = G @ psi, A @ psi
    return (psi.conj() @ g).real * (psi.conj() @ a).real - (g.conj() @ a).real


def test_the_program_states_the_error_of_its_quadrature(strong, tmp_path):
    """In its repr and in the file; below 1e-9, and no covariance exceeds the one of which the error is a share."""
    model, program, _ = strong
    (name,) = program.meta["loads"]
    bound = program.meta["load_quadrature"][name]
    assert 0 < bound["heat"] < 1e-9
    assert 0 < bound["work"] < 1e-9
    assert f"heat of load {name} between jumps by quadrature, off by less than {bound['heat']:.1g} a" in repr(program)
    whole, rest = panel_errors()
    assert whole < 1e-10
    assert rest < 2e-9
    replay, rng, a = Replay(model), np.random.default_rng(0), program.arrays
    rho, mean = a["rho_final"], 0.0
    for block in a["basis"]:
        states, psi, largest = block[block >= 0], np.zeros(program.d, dtype=complex), 0.0
        for _ in range(20):
            psi[states] = rng.normal(size=len(states)) + 1j * rng.normal(size=len(states))
            largest = max(largest, abs(covariance(psi / la.norm(psi), replay.G[True], replay.E)))
        mean += rho[states, states].real.sum() * largest
    assert np.array_equal(a["vectors"], np.eye(program.d))
    assert whole * mean < bound["heat"] < 5 * (whole + 4 * rest) * mean  # dwells are no shorter than a quarter panel
    run_program(program, 3, 1, out=tmp_path / "rotor.h5")
    assert load_program(tmp_path / "rotor.h5").meta["load_quadrature"] == program.meta["load_quadrature"]


class Replay:
    """One trajectory once more, from its recorded jumps, with adaptive quadrature between them."""

    def __init__(self, model):
        flow = model.process.elements[0]
        self.H = model.H.toarray()
        self.E = model.process.loads[0].energy.toarray()
        self.ops = [op.toarray() for op in flow.ops]
        self.load = np.array(flow.load) >= 0
        loss = [op.conj().T @ op for op in self.ops]
        self.G = {kind: sum(g for g, l in zip(loss, self.load, strict=True) if l == kind) for kind in (True, False)}
        self.generator = -1j * self.H - 0.5 * sum(loss)
        values, vectors = la.eig(self.generator)
        self.values, self.vectors, self.inverse = values, vectors, la.inv(vectors)

    def after(self, psi, t):
        psi = self.vectors @ (np.exp(self.values * t) * (self.inverse @ psi))
        return psi / la.norm(psi)

    def rates(self, psi):
        """Load on E, load on the rest, other baths on H."""
        R = self.H - self.E
        return np.array(
            [
                covariance(psi, self.G[True], self.E),
                covariance(psi, self.G[True], R),
                covariance(psi, self.G[False], self.H),
            ]
        )

    def energies(self, psi):
        return np.array([(psi.conj() @ (A @ psi)).real for A in (self.E, self.H - self.E, self.H)])

    def run(self, psi, times, channels, end):
        """Heat of the load, work of the load, and what the others changed of <H>."""
        total, now = np.zeros(3), 0.0
        for time, channel in zip([*times, end], [*channels, None], strict=True):
            start, dwell = psi, time - now
            total += quad_vec(lambda s, start=start: self.rates(self.after(start, s)), 0, dwell, epsabs=1e-13)[0]
            psi, now = self.after(psi, dwell), time
            if channel is not None:
                before, kicked = self.energies(psi), self.ops[channel] @ psi
                psi = kicked / la.norm(kicked)
                change = self.energies(psi) - before
                total += np.array([change[0], change[1], 0.0]) if self.load[channel] else [0.0, 0.0, change[2]]
        return total, psi


def test_every_part_of_the_first_law_computed_apart(strong):
    """ΔU = q_1 + q_2 + q_r + w_r + w_Q on each trajectory, w_Q from the qubits' jumps and their no-jump part."""
    model, program, raw = strong
    replay = Replay(model)
    first = np.cumsum(raw["row_size"]) - raw["row_size"]
    table = model.process.counts
    kicks, bound, errors = 0, program.meta["load_quadrature"][program.meta["loads"][0]], []
    for row in range(6):
        mine = slice(first[row], first[row] + raw["row_size"][row])
        times, channels = raw["jump_time"][mine], raw["jump_channel"][mine]
        start = program.arrays["initial_kets"][raw["initial"][row]]
        (heat, work, others), psi = replay.run(start, times, channels, program.tlist[-1])
        kicks += int(replay.load[channels].sum())
        errors.append([abs(raw["load_heat"][row, 2] - heat), abs(raw["load_work"][row, 0] - work)])
        quanta = sum(raw["counts"][row] @ table.heat_weight(bath) for bath in ("1", "2"))
        work_qubits = others - quanta
        change = replay.energies(psi)[2] - replay.energies(start)[2]
        assert quanta + heat + work + work_qubits == pytest.approx(change, abs=1e-9)
    assert kicks > 15
    heat_error, work_error = np.mean(errors, axis=0) / program.tlist[-1]
    assert heat_error < bound["heat"] + 1e-13
    assert work_error < bound["work"] + 1e-13


def test_ensemble_columns_of_a_load(strong):
    """work less the load's and the closing measurement's is w_Q; its mean is Eq. 23, that of the load's is Eq. 25."""
    model, *_ = strong
    t, n = 3.0, 4000
    ens = collide.run(model, n, t, seed=5, progress=False)
    exact = load_powers(model)["r"]
    qubits = ens.work - ens.closing_energy - ens.load_work[:, 0]
    for values, expected in (
        (ens.heat["r"], model.heat_currents()["r"]),
        (ens.load_work[:, 0], exact),
        (qubits, model.power() - exact),
    ):
        assert abs(values.mean() - expected * t) < 4.5 * values.std() / np.sqrt(n)
        assert values.std() > 0


def test_heat_of_a_load_at_stops():
    """Power sums on the way contain the load's heat, and end at the totals."""
    model = rotor(**STRONG)
    ens = collide.run(model, 200, [0.5, 1.5, 4.0], seed=2, progress=False)
    moments = ens.heat_moments()["r"]
    assert moments.value[-1, 0] == pytest.approx(ens.heat["r"].mean(), rel=1e-12)
    assert moments.value[-1, 1] == pytest.approx(ens.heat["r"].var(ddof=1), rel=1e-9)
    shorter = collide.run(model, 200, [0.5], seed=2, progress=False)
    assert moments.value[0, 0] == pytest.approx(shorter.heat["r"].mean(), rel=1e-9)


def test_charge_balance_on_every_trajectory():
    """Δ(l - n_1) = kicks - quanta from bath 1, integers."""
    model = rotor(beta2=0.03, gamma=0.02)
    ens = collide.run(model, 300, 50.0, seed=4, progress=False)
    p = model.recipe["parameters"]
    table, levels = model.process.counts, p["l_max"] - p["l_min"] + 1
    charge = np.arange(4 * levels) % levels + p["l_min"] - np.arange(4 * levels) // (2 * levels)

    def of(kets, outcome):
        found = [np.unique(charge[np.abs(kets[k]) > 1e-9]) for k in outcome]
        assert all(len(c) == 1 for c in found)
        return np.array([c[0] for c in found])

    a = ens.program.arrays
    change = of(a["final_kets"], ens.final) - of(a["initial_kets"], ens.initial)
    kicks, quanta = (np.rint(ens.counts @ table.charge_weight(b)).astype(int) for b in ("r", "1"))
    assert np.array_equal(change, kicks - quanta)
    assert np.abs(kicks).max() > 3


@pytest.mark.parametrize("load", ["kicks", "resolved"])
def test_fluctuation_theorem_with_a_load(load):
    """<e^{-Σ}> = 1: with c_0 t for kicks, which have no entropy, and with the kicks' own entropy when resolved."""
    model, t, n = rotor(beta2=0.03, gamma=0.02, load=load), 3.0, 8000
    exact = model.trajectory_statistics(t).exponential_average
    assert exact.mean == pytest.approx(1, abs=1e-9)
    ens = collide.run(model, n, t, seed=6, progress=False)
    weight, error = np.exp(-ens.entropy_production), np.sqrt(exact.variance / n)
    assert abs(weight.mean() - 1) < 4.5 * error
    if load == "kicks":  # without c_0 t it fails
        assert abs((weight * np.exp(contraction_rate(1.0, 0.09, 0.02) * t)).mean() - 1) > 8 * error
