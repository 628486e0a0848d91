"""Figures and claims of the rectifier's paper: exact curves against its closed forms, sampled points against curves."""

import importlib.util
import json
import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from collide.analysis.papers import rectifier as paper
from collide.analysis.papers import rectifier_beyond as beyond
from collide.analysis.papers import rectifier_curves as curves
from collide.analysis.papers import rectifier_thermodynamics as thermodynamics
from collide.analysis.papers.rectifier_points import conductance, contrast, mean_rate
from collide.analysis.reproduce import reproduce
from collide.analysis.validate_sampled import Sampler
from collide.machines import rectifier
from collide.machines import rectifier_formulas as formulas
from collide.machines import rectifier_global_formulas as global_formulas

mpl.use("Agg")


@pytest.mark.slow
def test_claims_are_judged_as_the_numbers_say():
    found = {claim.statement: claim for claim in paper.claims()}
    assert len(found) == 31
    assert not [c.statement for c in found.values() if c.verdict == "does not hold"]
    corrected = {
        statement.split("(")[-1].rstrip(")") for statement, c in found.items() if c.verdict == "holds corrected"
    }
    assert {"Eq. 13", "Eqs. 31-33", "Eq. 39", "Eq. 41", "Eqs. 23 and 24", "Eq. 18"} <= corrected
    assert all(claim.why for claim in found.values() if claim.verdict == "holds corrected")


@pytest.mark.parametrize(("T", "ratio"), [(0.2, 0.1), (1.0, 3.0)])
def test_figure_four_upper_is_the_closed_form(T, ratio):
    forward, backward = curves._strong(T, ratio * 0.02)
    closed = global_formulas.global_contrast(g=0.8, gamma_L=ratio * 0.02, gamma_R=0.02, T_L=T)
    assert curves._exact_contrast(forward, backward) == pytest.approx(closed, rel=1e-9)


def test_scaling_factors_of_figure_six():
    for eps_L, eps_a, difference in ((-1, -1, 0), (1, -1, 2), (-1, 1, -2)):
        found = curves._ratio_of_currents(1.3, 2.0, eps_L, eps_a)
        assert found == pytest.approx(formulas.low_temperature_scaling(0.5, 1.3, difference), rel=1e-12)


def test_sampled_points_lie_on_their_curves():
    couplings = {"g": 0.01, "gamma_L": 0.01, "gamma_R": 0.02}
    for keywords in ({}, {"picture": "collision", "tau": 5.0}):
        model = rectifier(**couplings, T_L=0.5, T_R=0.5, **keywords)
        exact = model.heat_cumulants("L", 2)[1] / 0.25
        found = conductance(model, 0.5, 600, 2400, 4000, 3)
        assert found.error < 0.1 * exact
        assert abs(found.deviation(exact)) < 4.5
    for keywords in ({}, {"picture": "collision", "tau": 2.0}):
        forward, backward = curves._strong(1.0, 0.004, **keywords)
        found = contrast(forward, backward, 4000, 5, most=2000.0)
        assert abs(found.deviation(curves._exact_contrast(forward, backward))) < 4.5
        assert found.error < 0.05


def test_a_shifted_curve_is_noticed():
    forward, backward = curves._strong(1.0, 0.004)
    found = contrast(forward, backward, 4000, 5)
    assert abs(found.deviation(1.3 * curves._exact_contrast(forward, backward))) > 4.5


def test_rate_after_a_transient():
    model = rectifier(**beyond.TABLE_POINT, N=3)
    empty = np.eye(model.process.d)[0]
    found = mean_rate(model, 200.0, 500.0, 4000, 9, initial=empty)
    assert abs(found.deviation(model.heat_currents()["L"])) < 4.5
    early = mean_rate(model, 0.5, 10.0, 4000, 9, initial=empty)
    assert early.deviation(model.heat_currents()["L"]) > 4.5  # an empty chain first takes up heat


def test_convergence_slopes():
    found = beyond.convergence(0, 1)
    slopes = {name: found[f"slope_{name}"] for name in beyond.CONSTRUCTIONS}
    assert slopes == pytest.approx({"split": 1, "sequential": 1, "joint": 1, "matched": 2}, abs=0.05)


def test_chains_differ_at_finite_tau_to_second_order():
    found = beyond.chains(0, 1)
    J = found["J"]
    assert max(abs(j / J[1] - 1) for j in J[1:]) < 1e-12
    for gap in (found["gap_3"], found["gap_4"]):
        slope = math.log(gap[1] / gap[0]) / math.log(found["tau"][1] / found["tau"][0])
        assert slope == pytest.approx(2.0, abs=0.02)


def test_exponential_averages_of_pure_starts():
    for model in thermodynamics._pictures():
        average = model.trajectory_statistics(12.0, initial=np.eye(4)[0]).exponential_average
        assert average.mean == pytest.approx(average.reversed_value, rel=1e-9)
        assert average.mean < 0.8
        assert model.trajectory_statistics(12.0).exponential_average.mean == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("name", ["fig6", "fig7", "ndtc", "chain", "noise", "convergence", "entropy"])
def test_figures_are_drawn_and_saved(name, tmp_path):
    result = reproduce("rectifier", tmp_path, 100, 1, only=[name], progress=False)
    assert {f.suffix for f in result.files} == {".png", ".pdf", ".json"}
    assert all(f.stat().st_size > 1000 for f in result.files)
    data = json.loads((tmp_path / f"{name}.json").read_text())
    assert data["ntraj"] == 100
    assert data["title"]


def test_sampling_is_judged_with_the_predicted_error():
    """The spread a sampling predicts is the scatter that ensembles of different seeds have."""
    point = beyond.TABLE_POINT
    for quantity in ("heat_L_third_cumulant_rate", "tur_ratio"):
        sampling = paper.SAMPLING["rectifier_local", quantity](point)
        scores = [Sampler(400, seed).judge(sampling) for seed in range(20)]
        if not scores[0].reached:
            scores = [_forced(sampling, seed) for seed in range(20)]
        z = np.array([s.z for s in scores])
        assert 0.5 < z.std() < 1.7
        assert abs(z.mean()) < 1.2


def _forced(sampling, seed):
    from dataclasses import replace

    judged = Sampler(400, seed).judge(replace(sampling, spread=1e-9))
    error = sampling.spread / math.sqrt(400)
    return replace(judged, error=error)


def test_script_runs_and_agrees(tmp_path, capsys):
    place = Path(__file__).parents[1] / "runs" / "rectifier.py"
    spec = importlib.util.spec_from_file_location("runs_rectifier", place)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    words = ["--ntraj", "1000", "--time", "60", "--quiet", "--out", str(tmp_path), "--seed", "3"]
    assert script.main(words) == 0
    out = capsys.readouterr().out
    assert "everything agrees" in out
    assert out.count("1000 of 1000 trajectories exactly") == 4
    assert (tmp_path / "rectifier-jump-forward.h5").exists()
