"""Figures, claims, sampling and script of the rotor's paper, each in a small version."""

from collections.abc import Iterator
from dataclasses import replace
import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from collide.analysis.papers import rotor as paper
from collide.analysis.papers import (
    rotor_claims_beyond,
    rotor_claims_model,
    rotor_claims_operation,
    rotor_claims_rectification,
    rotor_claims_time,
    rotor_noise_figures,
    rotor_operation_figures,
    rotor_rectification_figures,
    rotor_time_figures,
)
from collide.analysis.papers.rotor_devices import CUT, FIG_2, FIG_4, affordable, device
from collide.analysis.papers.rotor_quantities import point
from collide.analysis.reproduce import draw
from collide.analysis.validate_sampled import Sampler, events

mpl.use("Agg")

ENGINE = {**FIG_2, "beta2": 0.02}


# -------------------------------------------------------------------- claims


@pytest.mark.parametrize(
    ("claims", "verdicts"),
    [
        (rotor_claims_model.model_claims, "hhhchhhhhhhcccn"),
        (rotor_claims_operation.operation_claims, "hhnchncnhn"),
        (rotor_claims_operation.ergotropy_claims, "hhhhc"),
        (rotor_claims_time.truncation_claims, "hc"),
        (rotor_claims_time.power_claims, "hhhc"),
    ],
)
def test_claims_are_judged_as_the_numbers_say(claims: Any, verdicts: str) -> None:
    """h: holds, c: holds corrected, n: does not hold; what does not simply hold says why."""
    letters = {"holds": "h", "holds corrected": "c", "does not hold": "n"}
    found = claims()
    assert "".join(letters[claim.verdict] for claim in found) == verdicts
    assert all(claim.why for claim in found if claim.verdict != "holds")


@pytest.mark.usefixtures("small")
def test_claims_about_rectification() -> None:
    """At one temperature and few asymmetries."""
    claims = rotor_claims_rectification
    assert claims._order_of_peaks().verdict == "holds"
    assert claims._trade_off().verdict == "holds"
    assert claims._angular_above_one().verdict == "holds corrected"
    curve, dots = rotor_rectification_figures.along_chi(0.03, False), rotor_rectification_figures.maxima(0.03, "heat")
    assert dots[1.0]["chi"] == pytest.approx(0.84, abs=0.02)
    assert dots[1.0]["R"] == pytest.approx(0.898, abs=1e-3)
    assert dots[0.0]["J"] == pytest.approx(0.56, abs=5e-3)
    for alpha, dot in dots.items():  # no point of the curve is better than the dot
        merit = alpha * curve["R"] + (1 - alpha) * curve["J"]
        assert alpha * dot["R"] + (1 - alpha) * dot["J"] >= merit.max() - 1e-6


def test_claims_beyond_the_paper(monkeypatch: Any) -> None:
    monkeypatch.setattr(rotor_claims_beyond, "NTRAJ", 40_000)
    assert [claim.verdict for claim in rotor_claims_beyond.beyond_claims()] == ["holds"] * 6


# -------------------------------------------------------------------- figures


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """Everything that figures compute, on as few points as show it."""
    rectification = rotor_rectification_figures
    rectification.along_chi.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for module, values in (
            (rotor_operation_figures, {"XS": np.array([0.1, 0.3, 0.6]), "POINTS_2": np.array([0.3, 0.7]),
                                       "POINTS_3": np.array([0.25]), "MOST": 2e5}),
            (rectification, {"BETAS": (0.03,), "COLORS": ("black",), "SAMPLED_CHIS": (0.5,), "MOST": 2e5,
                             "DEPTHS": np.array([0.0, 0.9, 1.4, 1.65, 1.9, 2.3, 4.6])}),
            (rotor_claims_rectification, {"BETAS": (0.03,)}),
            (rotor_time_figures, {"MOST": 2e5, "POWER_TIMES": np.array([0.0, 1.0, 10.0, 1e4, 1e5])}),
            (rotor_noise_figures, {"TIMES": (2e3,), "MOST_LONG": 2e5, "MOST": 2e5, "SAMPLED_TIMES": (100.0,),
                                   "EXACT_TIMES": np.array([10.0, 1e3, 1e6])}),
        ):  # fmt: skip
            for name, value in values.items():
                patch.setattr(module, name, value)
        yield
    rectification.along_chi.cache_clear()


def near(found: Any, exact: Any) -> bool:
    """Whether sampled values lie on their exact ones."""
    error = np.maximum(np.asarray(found["error"]), 1e-12)
    return bool(np.all(np.abs(np.asarray(found["value"]) - exact) < 4.5 * error))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("figure", paper.FIGURES, ids=lambda f: f.name)
def test_figures_are_drawn_and_saved(figure: Any, tmp_path: Path) -> None:
    files = draw(figure, tmp_path, 300, 1)
    assert {f.suffix for f in files} == {".png", ".pdf", ".json"}
    assert all(f.stat().st_size > 500 for f in files)
    data = json.loads((tmp_path / f"{figure.name}.json").read_text())
    assert data["ntraj"] == 300
    {"fig2": fig2, "fig4": fig4, "fig6": fig6, "fig7": fig7, "cumulants": of_cumulants}.get(figure.name, len)(data)


def fig2(data: Any) -> None:
    for name in ("Q_2", "Q_1"):
        exact = np.interp(data["points"]["x"][0], data["x"], data["converged"][name])
        assert near({k: v[0] for k, v in data["points"][name].items()}, exact)
    assert data["border_engine"] == pytest.approx(0.43424, abs=1e-5)


def fig4(data: Any) -> None:
    here = data["0.03"]
    assert here["maxima"]["0"]["chi"] < here["maxima"]["0.5"]["chi"] < here["maxima"]["1"]["chi"] < 0.9
    assert here["converged"]["R"][-1] < 0.1
    assert max(here["cut"]["J"]) < 0.6 * max(here["converged"]["J"])


def fig6(data: Any) -> None:
    assert "steady" not in data  # there is none without friction
    levels = data["l"]
    assert levels[int(np.argmax(data["populations"][-1]))] == 11  # it has left the cut ladder
    assert levels[int(np.argmax(data["steady_cut"]))] == 10
    assert np.sum(data["populations"][0]) == pytest.approx(1, abs=1e-9)
    p = np.array(data["populations"][1])
    spread = np.sqrt(p * (1 - p) / data["points"]["n"]) + 1 / data["points"]["n"]
    assert np.all(np.abs(np.array(data["points"]["value"][1]) - p) < 4.5 * spread)


def fig7(data: Any) -> None:
    full, cut = np.array(data["steady"]), np.array(data["steady_cut"])
    assert data["l"][int(np.argmax(full))] == 2
    assert np.sum(full[np.array(data["l"]) > 10]) == pytest.approx(0.0026, abs=2e-4)
    assert np.sum(cut) == pytest.approx(1, abs=1e-9)


def of_cumulants(data: Any) -> None:
    """What holds at late times is not yet true at early ones; samples lie on the curves of their time."""
    late = {name: np.array(values) for name, values in data["late"].items()}
    exact = {name: np.array(values)[-1] for name, values in data["exact"].items()}
    for name in "1r":
        assert np.allclose(late[name], late["2"], rtol=1e-8)
        assert np.allclose(exact[name][:2], exact["2"][:2], rtol=0.05)
    early = {name: np.array(values)[0, 1] for name, values in data["exact"].items()}
    assert early["2"] > 20 * early["r"]
    model = device(0.3)
    for name, (sign, _, _) in rotor_noise_figures.COUNTS.items():
        weight = sign * model.process.counts.charge_weight(name)
        assert near({k: v[0] for k, v in data["points"][name].items()}, model.cumulants_at(100.0, weight, 3) / 100.0)


def test_density_of_a_ratio() -> None:
    """Hinkley's density integrates to the share in a window that sampled Gaussians have; a wrong sign does not."""
    mean, covariance = np.array([1.3, 7.0]), np.array([[9.0, 5.0], [5.0, 49.0]])
    rng = np.random.default_rng(3)
    pairs = rng.multivariate_normal(mean, covariance, 400_000)
    eta = np.linspace(0.0, 0.5, 4001)
    share = float(np.mean((pairs[:, 0] / pairs[:, 1] > 0.0) & (pairs[:, 0] / pairs[:, 1] < 0.5)))
    found = float(np.trapezoid(rotor_noise_figures.ratio_density(eta, mean, covariance), eta))
    assert found == pytest.approx(share, abs=5 * math.sqrt(share / 400_000))
    turned = covariance * np.array([[1, -1], [-1, 1]])
    assert abs(float(np.trapezoid(rotor_noise_figures.ratio_density(eta, mean, turned), eta)) - share) > 0.02


def test_trajectories_within_a_budget() -> None:
    model = device(0.3)
    rate = float(model.count_rates().sum())
    assert affordable(model, 1e3, 5000, 1e3 * rate * 70.5) == 70
    assert affordable(model, 1e3, 50, 1e9) == 50
    assert affordable(model, 1e9, 50, 1.0) == 2


# -------------------------------------------------------------------- sampling


@pytest.mark.parametrize(
    ("system", "quantity", "params"),
    [
        ("rotor_local", "heat_current_2", ENGINE),
        ("rotor_local", "heat_current_r", ENGINE),
        ("rotor_local", "power_Q", ENGINE),
        ("rotor_local", "COP", {**FIG_2, **CUT, "beta2": 0.06}),
        ("rotor_local", "heat_2_variance_rate", ENGINE),
        ("rotor_local", "load_angular_momentum_third_cumulant_rate", ENGINE),
        ("rotor_local", "L_z_squared", ENGINE),
        ("rotor_global", "heat_current_1", {**FIG_4, **CUT, "beta2": 0.02, "chi": 0.5}),
        ("rotor_collision_split", "L_z", {**ENGINE, "tau": 0.1}),
        ("rotor_collision_joint", "heat_current_2", {**FIG_2, "beta2": 0.06, "tau": 0.05, "l_min": -4, "l_max": 7,
                                                     "oscillator_levels": [16, 16]}),
    ],
)  # fmt: skip
def test_sampling_is_judged_by_its_finite_time_value(system: str, quantity: str, params: Any) -> None:
    """A few short trajectories: the error predicted is the one found, and the value lies within it."""
    sampling = paper.SAMPLING[system, quantity](params)
    error = sampling.spread / math.sqrt(60)
    score = Sampler(60, 4).judge(replace(sampling, spread=1e-9))
    assert score.reached
    value = score.value
    assert abs(value - sampling.exact) < 4.5 * error
    if score.error > 1e-8:  # from the sample itself
        assert score.error == pytest.approx(error, rel=0.6)


def test_a_wrong_exact_value_is_noticed() -> None:
    sampling = paper.SAMPLING["rotor_local", "L_z"](ENGINE)
    judge = Sampler(2000, 4)
    assert judge.judge(sampling).ok
    assert not judge.judge(replace(sampling, exact=1.2 * sampling.exact)).ok


def test_one_ensemble_serves_all_currents_of_a_point() -> None:
    names = ("heat_current_1", "heat_current_2", "heat_current_r", "power_Q", "efficiency")
    samplings = [paper.SAMPLING["rotor_local", name](ENGINE) for name in names]
    assert len({s.time for s in samplings}) == 1
    assert events(samplings[0]) < 1.01e5
    assert samplings[0].model is samplings[-1].model


def test_what_has_no_stationary_sampling_says_so() -> None:
    """A current at one instant, and populations on a ladder that has no such level."""
    now = {**ENGINE, "time": 10.0}
    assert math.isinf(paper.SAMPLING["rotor_local", "heat_current_2"](now).spread)
    assert math.isinf(paper.SAMPLING["rotor_local", "rotor_population"]({**now, "l": 4000}).spread)


def test_a_runaway_rotor_gets_a_longer_ladder() -> None:
    """Rounding of long evolutions is no population: the ladder grows no more than it must."""
    at = point("rotor_local", {**FIG_2, "B1": 10.0, "beta2": 0.02, "gamma": 0.0, "time": 5e4})
    p = at.model.recipe["parameters"]  # type: ignore[union-attr]
    assert (p["l_min"], p["l_max"]) == (-25, 40)


# -------------------------------------------------------------------- the script


def script() -> Any:
    place = Path(__file__).parents[1] / "runs" / "rotor.py"
    spec = importlib.util.spec_from_file_location("runs_rotor", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_script_runs_and_agrees(tmp_path: Path, capsys: Any) -> None:
    words = ["--ntraj", "600", "--time", "20", "--quiet", "--out", str(tmp_path), "--seed", "3", "--threads", "1"]
    assert script().main(words) == 0
    out = capsys.readouterr().out
    assert "everything agrees" in out
    assert out.count("600 of 600 trajectories exactly") == 4
    assert "engine; 2 B_2 gamma <L_z> = 0.00142360" in out
    assert out.count("-25 ... 40 is wide enough") == 2
    assert (tmp_path / "rotor-collision.h5").exists()
