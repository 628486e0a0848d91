"""Two strongly coupled spins and the XY chain (Werlang et al. 2014): closed forms, theorems, table, trajectories."""

from collections.abc import Callable
import json
import math
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

import collide
from collide.analysis import chi_square, compare_with_exact, gallavotti_cohen
from collide.analysis.papers import werlang
from collide.analysis.papers.base import UnknownParameter
from collide.analysis.reference_tables import compare, evaluate, load
from collide.ensemble import run_program
from collide.exact.steady import NonUniqueSteadyState
from collide.machines import MACHINES, ising, ising_formulas, xy_chain
from collide.machines.ising import STATES, pinned_spin
from collide.machines.xy_chain import global_current, global_scgf, local_current, modes, saturation_current

TABLE = Path(__file__).parent / "data" / "werlang.json"
POINT: dict[str, Any] = {"Delta": 0.5, "T_L": 2.0, "T_R": 0.5}
TEMPERATURES = [(10.0, 0.3), (0.3, 10.0), (0.05, 0.0), (0.0, 10.0), (0.1, 0.05), (0.7, 0.69), (3.0, 3.0)]
ONE, TWO, THREE, FOUR = (2 * left + right for left, right in (STATES[k] for k in (1, 2, 3, 4)))


def spins(**keywords: Any) -> Any:
    return ising(**(POINT | keywords))


def chain(**keywords: Any) -> Any:
    return xy_chain(**({"N": 3, "Delta": 0.3, "kappa": 0.1, "T_L": 2.0, "T_R": 0.5} | keywords))


def energies(model: Any) -> np.ndarray:
    return np.asarray(model.process.H.diagonal().real)


# -------------------------------------------------------------------- the table


@pytest.mark.parametrize("entry", load(TABLE), ids=lambda e: f"{e.index}-{e.system}-{e.quantity}")
def test_every_entry_of_the_table(entry: Any) -> None:
    deviation = compare(evaluate(werlang.QUANTITIES[entry.key], entry.params), entry)
    assert deviation.ok, f"{entry}: {deviation}"


def test_a_wrong_number_in_the_table_is_noticed() -> None:
    entry = next(e for e in load(TABLE) if e.quantity == "mean_jump_rates")
    wrong = dict(entry.value)
    wrong["R_43_emit"] *= 1 + 1e-6
    found = evaluate(werlang.QUANTITIES[entry.key], entry.params)
    assert compare(found, entry).ok
    assert not compare(found, type(entry)(**(vars(entry) | {"value": wrong}))).ok


REACHED = [e for e in load(TABLE) if e.key in werlang.SAMPLING and "sweep" not in e.params]


@pytest.mark.parametrize("entry", REACHED[::9], ids=lambda e: f"{e.index}-{e.system}-{e.quantity}")
def test_sampled_entries_agree(entry: Any) -> None:
    sampling = werlang.SAMPLING[entry.key](entry.params)
    ensemble = collide.run(
        sampling.model, 4000, sampling.time, seed=entry.index, initial=sampling.initial, progress=False, threads=1
    )
    value, error = sampling.estimate(ensemble)
    assert abs(value - sampling.exact) <= 4.5 * error + 1e-12
    assert error == pytest.approx(sampling.spread / math.sqrt(4000), rel=1e-3, abs=1e-15)


@pytest.mark.parametrize("key", werlang.SAMPLING, ids="-".join)
def test_predicted_errors_are_those_of_repeated_ensembles(key: tuple[str, str]) -> None:
    samplings = [werlang.SAMPLING[key](entry.params) for entry in REACHED if entry.key == key]
    best = min((s for s in samplings if s.spread > 0), key=lambda s: s.spread / abs(s.exact or 1e-6))
    assert 0.6 < scatter(best) / best.spread < 1.5


def scatter(sampling: Any, ntraj: int = 400, repeats: int = 40) -> float:
    """Standard deviation of the estimates of small ensembles, times sqrt(ntraj)."""
    program = collide.compile_program(sampling.model, sampling.time, initial=sampling.initial)
    runs = (run_program(program, ntraj, seed=k, threads=1) for k in range(repeats))
    return float(np.std([sampling.estimate(run)[0] for run in runs], ddof=1)) * math.sqrt(ntraj)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"h": 1, "Delta": 0.5, "kappa": 1, "T_L": 1}, "give T_L and T_R"),
        ({"h": 1, "Delta": 0.5, "kappa": 1, "T_L": 1, "T_R": 1, "colour": 3}, "unknown parameter 'colour'"),
        ({"h": 1, "kappa": 1, "T_L": 1, "T_R": 1}, "missing parameter 'Delta'"),
    ],
)
def test_parameters_that_the_system_does_not_have(params: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownParameter, match=message):
        werlang.QUANTITIES["ising_global", "J_L"](params)


# -------------------------------------------------------------------- Ising, global: closed forms


@pytest.mark.parametrize("Delta", [0.01, 0.5, 0.9, 0.999999, 1.0, 1.000001, 1.7])
@pytest.mark.parametrize(("T_L", "T_R"), TEMPERATURES)
def test_current_in_closed_form(Delta: float, T_L: float, T_R: float) -> None:
    closed = ising_formulas.current(1.3, 1.3 * Delta, 0.7, T_L, T_R)
    found = ising(h=1.3, Delta=1.3 * Delta, kappa=0.7, T_L=T_L, T_R=T_R).heat_currents()
    assert found["L"] == pytest.approx(closed, rel=1e-9, abs=3e-15)
    assert found["L"] + found["R"] == pytest.approx(0, abs=1e-14)


def test_a_current_of_twenty_orders_below_the_rates_keeps_its_digits() -> None:
    closed = ising_formulas.current(1.0, 1.5, 1.0, 0.05, 0.0)
    assert closed < 1e-21
    assert spins(Delta=1.5, T_L=0.05, T_R=0).heat_currents()["L"] == pytest.approx(closed, rel=1e-12)


@pytest.mark.parametrize("Delta", [0.2, 0.5, 1.5])
@pytest.mark.parametrize("T_L", [0.1, 1.0, 30.0])
def test_note_37_corrected_and_as_printed(Delta: float, T_L: float) -> None:
    exact = -spins(Delta=Delta, T_L=T_L, T_R=0).heat_currents()["L"] / (2 * Delta)
    assert ising_formulas.cycle_rate_cold_right(1, Delta, 1, T_L) == pytest.approx(exact, rel=1e-10)
    assert ising_formulas.cycle_rate(1, Delta, 1, T_L, 0) == pytest.approx(exact, rel=1e-12)
    printed = ising_formulas.cycle_rate_cold_right_printed(1, Delta, T_L)
    assert abs(printed / -exact - 1) > 0.005
    hot = ising_formulas.cycle_rate_cold_right_printed(1, Delta, 1e6)
    assert hot == pytest.approx(-ising_formulas.cycle_rate_cold_right(1, Delta, 1, 1e6), rel=1e-5)


def test_digest_of_the_misprint() -> None:
    assert ising_formulas.cycle_rate_cold_right_printed(1, 0.5, 1) == pytest.approx(0.104613, abs=1e-6)
    assert ising_formulas.cycle_rate_cold_right(1, 0.5, 1, 1) == pytest.approx(-0.057855, abs=1e-6)
    with pytest.raises(ValueError, match="zero over zero: use `cycle_rate`"):
        ising_formulas.cycle_rate_cold_right(1, 1, 1, 1)
    assert ising_formulas.cycle_rate_cold_right(1, 0.5, 1, 0) == 0


def test_limits() -> None:
    assert spins(T_L=1e7, T_R=0).heat_currents()["L"] == pytest.approx(
        ising_formulas.saturation_current(0.5, 1), rel=1e-6
    )
    assert ising_formulas.cycle_rate(1, 0.5, 1, 1e9, 0) == pytest.approx(-0.5 / 4, rel=1e-8)
    cold = spins(T_L=0, T_R=10)
    assert cold.heat_currents()["L"] == 0
    assert np.diag(cold.steady_state()).real[[THREE, FOUR]] == pytest.approx([0, 0], abs=0)
    assert ising_formulas.current(1, 0.0, 1, 2, 1) == 0
    assert spins(Delta=0.0).heat_currents()["L"] == pytest.approx(0, abs=1e-15)


def test_delta_equal_to_h_is_the_limit_from_both_sides() -> None:
    at, below, above = (spins(Delta=1 + shift).heat_currents()["L"] for shift in (0, -1e-5, 1e-5))
    assert below < at < above
    assert 0.5 * (below + above) == pytest.approx(at, rel=1e-8)
    quanta = {round(c.quantum, 9): c.rate for c in spins(Delta=1.0).channels if c.name == "L"}
    assert quanta[0.0] == pytest.approx(2.0)  # kappa T_L
    assert ising_formulas.current(1, 1, 1, 2, 0.5) == pytest.approx(at, rel=1e-12)


def test_one_cycle_rate_on_all_four_edges() -> None:
    model = spins()
    rates = werlang.jump_rates(model)
    net = {name: rates[f"{name}_emit"] - rates[f"{name}_absorb"] for name in ("L_h+D", "L_h-D", "R_43", "R_21")}
    gamma = -model.heat_currents()["L"] / (2 * 0.5)
    assert net["L_h+D"] == pytest.approx(gamma, rel=1e-12)
    assert [net["L_h-D"], net["R_43"], net["R_21"]] == pytest.approx([-gamma] * 3, rel=1e-12)
    assert werlang.cycle_rate(model) == pytest.approx(gamma, rel=1e-12)


def test_six_jumps_with_definite_quanta_and_one_operator_on_the_right() -> None:
    model = spins()
    assert len(model.channels) == 6
    for channel in model.channels:
        rows, cols = np.nonzero(channel.op.toarray())
        change = energies(model)[rows] - energies(model)[cols]
        assert change == pytest.approx(np.full(len(rows), channel.quantum), abs=1e-14)
    right = [c for c in model.channels if c.name == "R" and c.quantum < 0]
    assert len(right) == 1
    assert right[0].op[THREE, FOUR] == right[0].op[ONE, TWO] == 1
    assert [energies(model)[k] for k in (FOUR, THREE, TWO, ONE)] == sorted(energies(model), reverse=True)
    rho = model.steady_state()
    assert np.abs(rho - np.diag(np.diag(rho))).max() == 0


def test_detailed_balance_in_every_channel() -> None:
    model = spins()
    assert sum("obeys detailed balance" in line for line in model.check().lines) == 3
    at_equilibrium = np.diag(spins(T_L=0.8, T_R=0.8).steady_state()).real
    gibbs = np.exp(-energies(model) / 0.8)
    assert at_equilibrium == pytest.approx(gibbs / gibbs.sum(), rel=1e-12)


def test_against_the_whole_liouvillian() -> None:
    qutip = pytest.importorskip("qutip")
    model = spins()
    H, c_ops = model.to_qutip()
    rho = qutip.steadystate(H, c_ops).full()
    assert np.abs(rho - model.steady_state()).max() < 1e-12


# -------------------------------------------------------------------- local model


@pytest.mark.parametrize("Delta", [0.01, 0.5, 1.0, 2.0])
@pytest.mark.parametrize(("T_L", "T_R"), [(10.0, 0.3), (0.3, 10.0), (1.0, 1e-6)])
def test_local_equation_has_no_current_and_no_noise(Delta: float, T_L: float, T_R: float) -> None:
    model = spins(Delta=Delta, T_L=T_L, T_R=T_R, equation="local")
    assert model.heat_cumulants("L", 3) == pytest.approx([0, 0, 0], abs=1e-12)
    assert model.heat_currents()["R"] == 0
    assert model.power() == pytest.approx(0, abs=1e-13)
    up = np.diag(model.steady_state()).real[[THREE, FOUR]].sum()
    assert up == pytest.approx(1 / (1 + math.exp(1 / T_L)), rel=1e-10)


def test_local_equation_with_a_cold_right_bath_has_no_unique_steady_state() -> None:
    with pytest.raises(NonUniqueSteadyState, match=r"not unique.*subspaces"):
        spins(equation="local", T_R=0).steady_state()
    for right in (-1, 1):
        assert pinned_spin(right=right).heat_cumulants("L", 3) == pytest.approx([0, 0, 0], abs=1e-13)
    params = {"h": 1, "Delta": 0.01, "kappa": 1, "T_L": 5, "T_R": 0}
    assert werlang.QUANTITIES["ising_local", "J_L"](params) == pytest.approx(0, abs=1e-13)


@pytest.mark.parametrize("ancilla", ["oscillator", "qubit"])
def test_collisions_tend_to_the_local_equation(ancilla: str) -> None:
    jump = spins(equation="local")
    limit = spins(equation="local", picture="collision", tau=0.1, ancilla_L=ancilla).lindblad_limit()
    start = np.array([0.5, 0.5, 0.5, 0.5], dtype=complex)
    ours, theirs = (model.evolve(start, [0.7])[0] for model in (jump, limit))
    assert np.abs(ours - theirs).max() < 1e-12
    assert limit.heat_currents(start)["L"] == pytest.approx(jump.heat_currents(start)["L"], rel=1e-12)


@pytest.mark.parametrize("construction", ["split", "alternating", "sequential", "joint"])
def test_collisions_carry_no_heat_at_any_duration(construction: str) -> None:
    model = spins(equation="local", picture="collision", tau=0.8, construction=construction, ancilla_L="qubit")
    assert model.heat_currents()["L"] == pytest.approx(0, abs=1e-12)
    assert model.power() == pytest.approx(0, abs=1e-12)


def test_matched_collisions_are_exact_on_each_spin() -> None:
    model = spins(
        equation="local", picture="collision", tau=0.8, construction="matched", ancilla_L="qubit", T_L=0.5, T_R=1e-12
    )
    start = np.zeros(4, dtype=complex)
    start[TWO] = 1
    collided = np.diag(model.evolve(start, [0.8])[0]).real
    flowed = np.diag(spins(equation="local", T_L=0.5, T_R=1e-12).evolve(start, [0.8])[0]).real
    assert collided == pytest.approx(flowed, abs=1e-11)


def test_switching_work_is_the_change_of_the_coupling_energy() -> None:
    Delta, time = 0.5, 3.0
    ground = np.zeros(4, dtype=complex)
    ground[ONE] = 1
    for model in (spins(equation="local"), spins(equation="local", picture="collision", tau=0.05)):
        ensemble = collide.run(model, 3000, time, seed=5, initial=ground, progress=False, threads=1)
        coupling = 0.5 * Delta * np.array([1, -1, -1, 1])  # +-Delta/2 in |2>, |1>, |3>, |4>
        change = coupling[ensemble.final] - coupling[ONE]
        assert ensemble.work == pytest.approx(change, abs=1e-12)
        mean, variance = model.trajectory_statistics(time, initial=ground).cumulants("work", 2)
        assert variance > 0.05
        assert mean > 0.2
        assert abs(ensemble.work.mean() - mean) < 4.5 * math.sqrt(variance / 3000)


# -------------------------------------------------------------------- XY chain


@pytest.mark.parametrize("N", [2, 3, 4])
@pytest.mark.parametrize(("T_L", "T_R"), [(2.0, 0.5), (0.3, 0.0), (1.0, 5.0)])
def test_chain_in_closed_form(N: int, T_L: float, T_R: float) -> None:
    point: dict[str, Any] = {"h": 1.2, "Delta": 0.45, "kappa": 0.2, "T_L": T_L, "T_R": T_R}
    assert xy_chain(N=N, equation="local", **point).heat_currents()["L"] == pytest.approx(
        local_current(**point), rel=1e-9
    )
    model = xy_chain(N=N, equation="global", **point)
    assert model.heat_currents()["L"] == pytest.approx(global_current(N=N, **point), rel=1e-9)
    assert model.scgf("L", 0.3) == pytest.approx(global_scgf(0.3, N=N, **point), rel=1e-8)


def test_chain_saturates_at_one_value_for_every_length() -> None:
    for N in (2, 3, 4):
        model = xy_chain(N=N, T_L=1e7, T_R=0, kappa=0.1)
        assert -model.heat_currents()["R"] == pytest.approx(saturation_current(h=1, Delta=0.5, kappa=0.1), rel=1e-6)
        assert sum(w for _, w in modes(N, 1, 0.5)) == pytest.approx(1)


def test_chain_with_a_mode_at_zero_energy() -> None:
    """h = 2 Delta cos(pi/3) for two spins: one mode carries no heat, and its rate is the limit kappa T."""
    point: dict[str, Any] = {"h": 1.0, "Delta": 1.0, "kappa": 0.1, "T_L": 2.0, "T_R": 0.5}
    assert min(e for e, _ in modes(2, 1.0, 1.0)) == pytest.approx(0, abs=1e-12)
    assert xy_chain(N=2, **point).heat_currents()["L"] == pytest.approx(global_current(N=2, **point), rel=1e-9)


def test_chain_of_collisions_tends_to_the_local_equation() -> None:
    hits = chain(equation="local", picture="collision", tau=0.05)
    assert hits.heat_currents()["L"] == pytest.approx(chain(equation="local").heat_currents()["L"], rel=0.02)
    limit = hits.lindblad_limit()
    assert limit.heat_cumulants("L", 2) == pytest.approx(chain(equation="local").heat_cumulants("L", 2), rel=1e-9)


# -------------------------------------------------------------------- stochastic thermodynamics, exactly


MODELS: dict[str, Callable[[], Any]] = {
    "ising global": spins,
    "ising above h": lambda: spins(Delta=1.4),
    "xy local": lambda: chain(equation="local"),
    "xy global": lambda: chain(equation="global"),
}


@pytest.mark.parametrize("name", MODELS)
def test_gallavotti_cohen(name: str) -> None:
    model = MODELS[name]()
    symmetry = gallavotti_cohen(lambda s: model.scgf("L", s), 1 / 0.5 - 1 / 2.0)
    assert np.abs(symmetry.value - symmetry.mirrored).max() < 1e-12
    assert np.abs(symmetry.value).max() > 1e-3
    assert model.scgf("R", -0.3) == pytest.approx(model.scgf("L", 0.3), abs=1e-12)
    wrong = gallavotti_cohen(lambda s: model.scgf("L", s), 1 / 0.5 - 1 / 2.1)
    assert np.abs(wrong.value - wrong.mirrored).max() > 1e-5


@pytest.mark.parametrize("name", [*MODELS, "ising local", "ising collisions"])
@pytest.mark.parametrize("start", ["steady", "mixed", "coherent"])
def test_integral_theorem_from_full_rank_states(name: str, start: str) -> None:
    extra: dict[str, Any] = {"picture": "collision", "tau": 0.25} if "coll" in name else {}
    model = MODELS[name]() if name in MODELS else spins(equation="local", **extra)
    d = model.process.d
    rng = np.random.default_rng(d)
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    mixed, coherent = np.diag(np.arange(1.0, d + 1)), A @ A.conj().T
    states: dict[str, Any] = {
        "steady": "steady",
        "mixed": mixed / mixed.sum(),
        "coherent": coherent / np.trace(coherent),
    }
    state = states[start]
    average = model.trajectory_statistics(1.5, initial=state).exponential_average
    assert average.mean == pytest.approx(1, abs=1e-11)
    assert average.reversed_value == pytest.approx(1, abs=1e-11)


@pytest.mark.parametrize("tau", [0.05, 0.245, 2.0])
def test_a_sure_start_gives_the_return_probability(tau: float) -> None:
    model = spins()
    for state in (ONE, TWO, THREE, FOUR):
        ket = np.eye(4, dtype=complex)[state]
        average = model.trajectory_statistics(tau, initial=ket).exponential_average.mean
        back = model.evolve(ket, [2 * tau])[0][state, state].real
        assert average == pytest.approx(back, rel=1e-11)
        assert average < 1


def test_with_coherence_a_sure_start_is_not_the_return_probability() -> None:
    model = chain(equation="local")
    ket = np.eye(model.process.d, dtype=complex)[1]
    found = model.trajectory_statistics(1.0, initial=ket).exponential_average
    back = model.evolve(ket, [2.0])[0][1, 1].real
    assert found.mean == pytest.approx(found.reversed_value, rel=1e-10)
    assert abs(found.mean - back) > 1e-3


def test_uncertainty_relation() -> None:
    ratio = werlang.QUANTITIES["ising_global", "tur_ratio"]
    point = {"h": 1, "Delta": 0.5, "kappa": 1}
    for T_L, T_R in ((10, 0.3), (0.3, 10), (2, 0.5), (1, 0.9)):
        assert ratio(point | {"T_L": T_L, "T_R": T_R}) >= 2
    assert ratio(point | {"T_L": 1.001, "T_R": 1.0}) == pytest.approx(2, abs=1e-5)
    fast = ratio({"h": 1, "Delta": 0.5, "kappa": 7, "T_L": 2, "T_R": 0.5})
    assert fast == pytest.approx(ratio(point | {"T_L": 2, "T_R": 0.5}), rel=1e-12)


@pytest.mark.parametrize(
    ("N", "Delta", "kappa", "T_L", "T_R", "smallest"),
    [(2, 0.8224, 0.28424, 3.3199, 1.5500, 1.9989), (3, 0.147013, 0.080334, 2.86084, 1.08297, 1.9948)],
)
def test_coherence_in_the_chain_goes_slightly_below_two(
    N: int, Delta: float, kappa: float, T_L: float, T_R: float, smallest: float
) -> None:
    point = {"N": N, "h": 1, "Delta": Delta, "kappa": kappa, "T_L": T_L, "T_R": T_R}
    assert werlang.QUANTITIES["xy_local", "tur_ratio"](point) == pytest.approx(smallest, abs=5e-5)
    assert werlang.QUANTITIES["xy_global", "tur_ratio"](point) > 2


def test_slow_approach_of_the_variance_of_the_left_heat() -> None:
    model = spins()
    limit = model.heat_cumulants("L", 2)[1]
    left = [model.heat_cumulants_at(t, "L", 2)[1] / t for t in (60, 5)]
    right = model.heat_cumulants_at(5, "R", 2)[1] / 5
    assert [limit, *left, right] == pytest.approx([0.0936, 0.1029, 0.2045, 0.0956], abs=5e-5)


def test_zero_temperature_has_infinite_entropy_and_finite_currents() -> None:
    model = spins(T_R=0)
    assert model.entropy_production_rate() == math.inf
    assert np.isfinite(model.heat_cumulants("L", 3)).all()
    assert math.isinf(model.trajectory_statistics(2.0).cumulants("entropy_production", 1)[0])
    ensemble = collide.run(model, 2000, 2.0, seed=1, progress=False, threads=1)
    table = model.process.counts
    emitted = ensemble.counts[:, (table.bath == table.index("R")) & (table.quantum < 0)].sum(axis=1) > 0
    assert emitted.any()
    assert not emitted.all()
    np.testing.assert_array_equal(np.isposinf(ensemble.entropy_production), emitted)
    assert spins(T_L=0, T_R=10).entropy_production_rate() == pytest.approx(0, abs=1e-12)


# -------------------------------------------------------------------- trajectories


@pytest.mark.parametrize("name", MODELS)
def test_ensembles_agree_with_the_exact_side(name: str) -> None:
    model = MODELS[name]()
    ensemble = collide.run(model, 4000, [2.0, 6.0], seed=11, progress=False, threads=1)
    verdict = compare_with_exact(ensemble)
    assert verdict.passed, verdict
    balance = ensemble.energy_change - sum(ensemble.heat.values())
    if "global" in name or "above" in name:
        assert np.abs(balance).max() < 1e-11  # every jump's quantum is an energy change of the whole H
    assert ensemble.work == pytest.approx(balance, abs=1e-12)


def test_net_quanta_from_the_right_bath_pass_chi_square() -> None:
    model = spins(T_L=10, T_R=0.3)
    ensemble = collide.run(model, 20_000, 8.0, seed=3, progress=False, threads=1)
    n = np.rint(ensemble.counts @ model.process.counts.charge_weight("R")).astype(int)
    support, P = model.quanta_distribution("R", 8.0)
    counts = [int((n == k).sum()) for k in support]
    assert chi_square(counts, P, n=len(n)).p_value > 1e-4
    other = dict(zip(*spins(T_L=10, T_R=0.4).quanta_distribution("R", 8.0), strict=True))
    assert chi_square(counts, [other.get(k, 0.0) for k in support], n=len(n)).p_value < 1e-4


# -------------------------------------------------------------------- figures, claims, recipes


def test_figures_are_drawn_from_exact_curves_and_from_points(tmp_path: Path) -> None:
    for figure in werlang.FIGURES:
        exact = figure.curves(0, 1)
        figure.draw(exact).savefig(tmp_path / f"{figure.name}.png", dpi=40)
    plt.close("all")


def test_sampled_work_of_a_figure() -> None:
    sampled = {figure.name: figure for figure in werlang.FIGURES}["switching_work"].curves(500, 1)
    for picture in ("jumps", "collisions"):
        exact, points = sampled[f"{picture} steady exact"], sampled[f"{picture} steady sampled"]
        assert exact.sum() == pytest.approx(1, abs=1e-12)
        assert np.abs(points - exact).max() < 4.5 * 0.5 / math.sqrt(500)


def test_claims() -> None:
    verdicts = [claim.verdict for claim in werlang.claims()]
    assert len(verdicts) == 14
    assert verdicts.count("does not hold") == 1
    assert verdicts.count("holds corrected") == 4


@pytest.mark.parametrize(
    ("machine", "keywords"),
    [
        ("ising", {"Delta": 0.7}),
        ("ising", {"equation": "local", "picture": "collision", "tau": 0.1}),
        ("xy_chain", {"N": 2, "T_R": 0.5}),
    ],
)
def test_a_recipe_builds_the_same_model(machine: str, keywords: dict[str, Any]) -> None:
    model = MACHINES[machine](**keywords)
    recipe = json.loads(json.dumps(model.recipe))
    again = MACHINES[recipe["machine"]](**recipe["parameters"])
    assert again.heat_cumulants("L", 2) == pytest.approx(model.heat_cumulants("L", 2), rel=0, abs=0)
    assert again.recipe == model.recipe


@pytest.mark.parametrize(
    ("build", "keywords", "message"),
    [
        (ising, {"kappa": -1}, "`kappa` must be positive, but is -1"),
        (ising, {"h": 0}, "`h` must be positive.*sets the scale of energy"),
        (ising, {"Delta": -0.5}, "`Delta` must be finite and >= 0.*states renamed"),
        (ising, {"T_L": -1}, "`T_L` must be finite and >= 0.*no thermal state"),
        (ising, {"T_L": math.inf}, "take 1e8 for a limit"),
        (ising, {"equation": "secular"}, "`equation` must be one of 'global', 'local', but is 'secular'"),
        (ising, {"picture": "collision", "tau": 0.1}, "`equation` must be 'local' in the collision picture"),
        (ising, {"picture": "collision", "equation": "local"}, "`tau` is missing"),
        (ising, {"tau": 0.1}, "`tau` describes collisions: add picture='collision'"),
        (ising, {"ancilla_L": "metal"}, "`ancilla_L` must be one of"),
        (xy_chain, {"N": 1}, "`N` must be a whole number of spins, at least 2, but is 1"),
        (xy_chain, {"kappa": 0}, "`kappa` must be positive"),
        (xy_chain, {"Delta": math.nan}, "`Delta` must be finite, but is nan"),
        (xy_chain, {"picture": "collision", "tau": 0.1}, "must be 'local' in the collision picture"),
        (pinned_spin, {"right": 0}, "`right` must be one of 1, -1, but is 0"),
    ],
)
def test_refusals(build: Callable[..., Any], keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**keywords)
