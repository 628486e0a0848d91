"""Trajectories of entangled qubits: entanglement with honest errors, the theorem, the cavity to 10^4/g, the table."""

from importlib import util
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import collide
from collide.analysis import compare_with_exact, concurrence, partial_trace
from collide.analysis.estimates import jackknife
from collide.analysis.papers.tacchino_entanglement import Entanglement, entanglement, wootters
from collide.analysis.papers.tacchino_quantities import QUANTITIES
from collide.analysis.papers.tacchino_sampling import SAMPLING
from collide.analysis.papers.tacchino_states import (
    diamond_populations,
    signed_from_populations,
    spread_of_signed,
    two_qubits,
)
from collide.analysis.reference_tables import load, points
from collide.analysis.validate_sampled import Sampler
from collide.machines import collective_formulas, collective_qubits, tavis_cummings

LIMIT = 4.5
KETS = ("totals", "final_state")
GROUND = np.eye(4)[0]
TABLE = load(Path(__file__).parent / "data" / "tacchino.json")
RUNS = Path(__file__).parents[1] / "runs"


def levels(n: int, p: Any, seed: int) -> Any:
    """Kets (n, 4) of G, S, A, E drawn with probabilities p."""
    chosen = np.random.default_rng(seed).choice(4, n, p=p)
    return collective_formulas.diamond()[chosen]


# -------------------------------------------------------------------- the estimate of entanglement


def test_the_signed_estimate_is_free_of_bias_where_the_concurrence_is_lifted() -> None:
    p = np.array([0.5, 0.14, 0.34, 0.02])  # the truth is at zero, where the maximum hurts most
    exact = float(signed_from_populations(p))
    assert exact == pytest.approx(0, abs=1e-12)
    found = [entanglement(levels(400, p, seed)) for seed in range(300)]
    signed = np.array([f.signed.value for f in found])
    bias = np.median([f.bias for f in found])  # first of all that of the root: sqrt(p_G / p_E) / 4n
    assert bias == pytest.approx(math.sqrt(p[0] / p[3]) / 1600, rel=0.3)
    assert signed.mean() - bias == pytest.approx(exact, abs=3 * signed.std() / math.sqrt(300))
    claimed = np.array([f.signed.error for f in found])
    assert signed.std() == pytest.approx(claimed.mean(), rel=0.15)
    assert claimed.mean() == pytest.approx(spread_of_signed(p) / 20, rel=0.1)
    lifted = np.array([f.concurrence for f in found])
    assert lifted.mean() > 4 * lifted.std() / math.sqrt(300)  # what averaging clipped values would claim
    assert lifted.mean() == pytest.approx(0.4 * signed.std(), rel=0.2)
    middle = Entanglement(found[0].signed.scaled(0.0), 0.0, found[0].pure, 400)
    assert middle.lift == 0.0  # an error of zero lifts nothing
    assert found[0].interval[0] >= 0
    near = min(found, key=lambda f: abs(f.signed.value))
    assert near.lift == pytest.approx(0.4 * near.signed.error, rel=0.1)
    assert "of which the maximum makes" in repr(near)


def test_a_level_that_was_never_met_is_not_known_to_be_empty() -> None:
    p = np.array(list(collective_formulas.populations(0.0, 12.0).values()))
    assert 2000 * p[3] < 0.01
    found = entanglement(levels(2000, p, 5))
    kets = levels(2000, p, 5)
    blocks = two_qubits(kets).reshape(100, 20, 4, 4).sum(axis=1)
    rest = (blocks.sum(axis=0) - blocks) / 1980
    scatter = float(jackknife(wootters(blocks.sum(axis=0) / 2000), wootters(rest), np.full(100, 20))[0])
    one = 2 * math.sqrt(p[0] / 2000)
    assert scatter < one < found.signed.error  # the scatter alone does not know of E
    assert abs(found.signed.value - float(signed_from_populations(p))) < 2 * found.signed.error


def test_average_of_concurrences_is_not_the_concurrence_of_the_average() -> None:
    model: Any = collective_qubits(beta_A=0, beta_S=5)
    ens = collide.run(model, 20_000, 6.0, seed=11, initial=GROUND, keep=KETS, progress=False, threads=1)
    found = entanglement(ens.final_state)
    assert abs(found.signed.deviation(0.2471979084526)) < LIMIT
    assert abs(found.pure.deviation(0.3377750601073)) < LIMIT
    assert found.pure.value - found.signed.value > 5 * found.signed.error
    own = concurrence(ens.final_state, kets=True)
    assert np.all(np.minimum(own, np.abs(1 - own)) < 1e-9)  # every trajectory is in G, S, A or E


def test_a_definite_number_of_excitations_lands_on_the_diamond_at_the_first_jump() -> None:
    model: Any = collective_qubits(beta_A=-1, beta_S=2)
    ket = collide.Space(collide.qubit(), collide.qubit()).basis(0, 1)
    ens = collide.run(model, 2000, 0.2, seed=3, initial=ket, keep=(*KETS, "jumps"), progress=False, threads=1)
    p = diamond_populations(two_qubits(ens.final_state))
    jumped = ens.row_size > 0
    assert 0.02 < 1 - jumped.mean() < 0.9
    assert np.abs(p[jumped].max(axis=1) - 1).max() < 1e-9
    assert p[~jumped][:, 1:3].min() > 1e-3  # no jump, but the imbalance of the baths bends the superposition
    exact = model.evolve(ket, [0.2])[0]
    for level, mean in enumerate(diamond_populations(exact)):
        share = p[:, level]
        assert abs(share.mean() - mean) < LIMIT * share.std() / math.sqrt(2000)


# -------------------------------------------------------------------- entropy production


@pytest.mark.parametrize("picture", ["jump", "collision"])
def test_theorem_at_negative_temperature(picture: str) -> None:
    options: dict[str, Any] = {"picture": "collision", "tau": 0.01} if picture == "collision" else {}
    model: Any = collective_qubits(beta_A=-3, beta_S=-1, **options)
    for initial, expected in (("steady", 1.0), (GROUND, None)):
        average = model.trajectory_statistics(0.3, initial).exponential_average
        ens = collide.run(model, 20_000, 0.3, seed=7, initial=initial, progress=False, threads=1)
        weight = np.exp(-ens.entropy_production)
        error = math.sqrt(average.variance / len(weight))
        assert abs(weight.mean() - average.mean) < LIMIT * error
        assert error < 0.02
        assert expected is None or average.mean == pytest.approx(expected, abs=1e-9)
    wrong = np.exp(-ens.counts @ np.abs(model.process.counts.entropy))  # the signs of negative betas ignored
    assert abs(wrong.mean() - average.mean) > 10 * error


def test_entropy_is_infinite_after_a_jump_without_reverse_and_only_then() -> None:
    model: Any = collective_qubits(beta_A="-inf", beta_S=2)
    ens = collide.run(model, 2000, 0.3, seed=5, initial=GROUND, progress=False, threads=1)
    table = model.process.counts
    gave = ens.counts[:, (table.bath == table.index("A")) & (table.charge == 1)].sum(axis=1) > 0
    assert 0.1 < gave.mean() < 0.9
    assert np.array_equal(np.isinf(ens.entropy_production), gave)
    assert np.all(np.isfinite(ens.heat["A"]))


# -------------------------------------------------------------------- both pictures


@pytest.mark.parametrize("tau", [None, 0.02])
def test_collective_ensembles_against_their_exact_side(tau: float | None) -> None:
    options: dict[str, Any] = {} if tau is None else {"picture": "collision", "tau": tau}
    model: Any = collective_qubits(beta_A=-2, beta_S=2, **options)
    ens = collide.run(model, 10_000, 2.0, seed=9, keep=KETS, progress=False, threads=1)
    verdict = compare_with_exact(ens)
    assert verdict.passed, verdict
    quanta = ens.counts @ model.process.counts.charge
    assert np.array_equal(quanta, np.rint(ens.energy_change))  # omega_0 for each quantum, trajectory by trajectory
    assert np.abs(ens.work).max() < 1e-12


def test_cavity_to_ten_thousand_couplings() -> None:
    model = tavis_cummings(p=0.005, gamma=0.001, kappa=2.0)
    ground = np.eye(model.process.d)[0]
    ens = collide.run(model, 4000, [100.0, 1e4], seed=21, initial=ground, keep=KETS, progress=False, threads=1)
    charge = model.process.counts.charge
    assert np.array_equal(ens.counts @ charge, np.rint(ens.energy_change / 1000.0))
    assert np.all(np.isposinf(ens.entropy_production[ens.counts.sum(axis=1) > 0]))
    reduced = partial_trace(model.evolve(ground, [1e4])[0], model.dims, (0, 1))
    assert concurrence(reduced) == pytest.approx(0.3865050040245, abs=1e-6)  # stationary by then
    found = entanglement(ens.final_state)
    assert abs(found.signed.deviation(float(wootters(reduced)))) < LIMIT
    assert compare_with_exact(ens).passed


@pytest.mark.parametrize("kappa", [0.01, 1000.0])
def test_stiff_cavities(kappa: float) -> None:
    model = tavis_cummings(p=0.0002, gamma=0.0, kappa=kappa)
    ens = collide.run(model, 4000, 1e4, seed=2, progress=False, threads=1)
    leaked = -(ens.counts @ model.process.counts.charge_weight("cavity"))
    mean, variance, _, fourth = model.cumulants_at(1e4, -model.process.counts.charge_weight("cavity"), 4)
    assert abs(leaked.mean() - mean) < LIMIT * math.sqrt(variance / 4000)
    assert abs(leaked.var() - variance) < LIMIT * math.sqrt((fourth + 2 * variance**2) / 4000)


# -------------------------------------------------------------------- the table


def test_every_sampled_entry_agrees_with_its_exact_value_at_finite_time() -> None:
    sampler = Sampler(4000, seed=1, threads=1)
    reached = set()
    for entry in TABLE:
        if entry.key not in SAMPLING or "sweep" in entry.params or "grid" in entry.params:
            continue
        score = sampler.judge(SAMPLING[entry.key](points(entry.params)))
        assert score.ok, f"{entry}: {score}, z = {score.z}"
        if score.reached:
            reached.add(entry.key)
    assert len(reached) >= len(SAMPLING) - 1


def test_stationary_samplings_aim_at_the_tables_values() -> None:
    at = {"beta_A": -3, "beta_S": -1}
    for quantity in ("Q_A", "entropy_production_rate"):
        sampling = SAMPLING["collective_qubits", quantity](at)
        assert sampling.exact == pytest.approx(QUANTITIES["collective_qubits", quantity](at), rel=1e-9)
    cavity = {"p": 0.005, "gamma": 0.001, "kappa": 2.0}
    for quantity in ("concurrence", "cavity_photons", "qubit_excitation", "effective_model_concurrence"):
        sampling = SAMPLING["tavis_cummings", quantity](cavity)
        assert sampling.exact == pytest.approx(QUANTITIES["tavis_cummings", quantity](cavity), rel=1e-4)
    left_out = SAMPLING["collective_qubits", "concurrence"]({"beta_A": 0, "beta_S": math.inf})
    assert math.isinf(left_out.spread)


@pytest.mark.slow
def test_the_launching_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = util.spec_from_file_location("entangler", RUNS / "entangler.py")
    assert spec is not None
    assert spec.loader is not None
    script = util.module_from_spec(spec)
    spec.loader.exec_module(script)
    code = script.main(["--ntraj", "1500", "--tau", "0.01", "--threads", "1", "--quiet", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert "everything agrees" in printed
    for name in ("jump", "collision", "cavity"):
        assert len(collide.load(tmp_path / f"entangler-{name}.h5")) == 1500
