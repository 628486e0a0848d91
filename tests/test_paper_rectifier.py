"""Figures and claims of the rectifier's paper: exact curves against its closed forms, sampled points against curves."""

from dataclasses import replace
import importlib.util
import io
import json
import math
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from collide.analysis import style
from collide.analysis.papers import rectifier as paper
from collide.analysis.papers import rectifier_beyond as beyond
from collide.analysis.papers import rectifier_claims as judged
from collide.analysis.papers import rectifier_claims_conductance as claims_conductance
from collide.analysis.papers import rectifier_claims_currents as claims_currents
from collide.analysis.papers import rectifier_claims_entanglement as claims_entanglement
from collide.analysis.papers import rectifier_claims_strong as claims_strong
from collide.analysis.papers import rectifier_curves as curves
from collide.analysis.papers import rectifier_thermodynamics as thermodynamics
from collide.analysis.papers.rectifier_points import contrast, deviations, exact_contrast, mean_rate
from collide.analysis.reproduce import reproduce
from collide.analysis.validate_sampled import Sampler
from collide.machines import rectifier
from collide.machines import rectifier_formulas as formulas
from collide.machines import rectifier_global_formulas as global_formulas

mpl.use("Agg")

FIGURES = {figure.name: figure for figure in paper.FIGURES}

# ---------------------------------------------------------------- claims

VERDICTS = {
    claims_currents: {
        "_detailed_balance": "holds",
        "_collisions": "holds",
        "_no_work": "holds corrected",
        "_current": "holds",
        "_smaller": "holds",
        "_cold": "holds",
        "_scaling": "holds",
        "_coherence": "holds",
        "_occupations": "holds corrected",
        "_contrast": "holds",
        "_accident": "holds corrected",
        "_twelve": "holds",
        "_symmetric": "holds corrected",
    },
    claims_conductance: {
        "_thirteen": "holds corrected",
        "_peak": "holds corrected",
        "_bounded": "holds",
        "_frequency": "holds",
        "_onset": "holds",
        "_monotonic": "holds",
        "_open_chain": "holds corrected",
        "_length": "holds",
        "_beyond_tau": "holds corrected",
    },
    claims_entanglement: {
        "_populations": "holds",
        "_critical": "holds corrected",
        "_forty": "holds",
        "_equal_couplings": "holds corrected",
        "_swap": "holds",
        "_unrelated": "holds",
        "_entropy": "holds corrected",
        "_asymmetry": "holds",
    },
    claims_strong: {
        "_eigenoperators": "holds",
        "_current": "holds",
        "_twenty_four": "holds corrected",
        "_order": "holds corrected",
        "_colours": "holds corrected",
        "_maximum": "holds corrected",
        "_depends_on_g": "holds",
        "_limit": "holds",
        "_two_modes": "holds corrected",
        "_peaks": "holds corrected",
        "_asymmetric": "holds corrected",
        "_beyond": "holds",
        "_width": "holds",
        "_root": "holds",
    },
}


def test_every_claim_is_judged_and_written_down(tmp_path):
    result = reproduce("rectifier", tmp_path, 0, 1, only=["claims", "fig7"], progress=False)
    made = (
        *judged.CURRENT_CLAIMS,
        *judged.CONDUCTANCE_CLAIMS,
        *judged.ENTANGLEMENT_CLAIMS,
        *judged.STRONG_CLAIMS,
    )
    found = {(m.__module__, m.__name__): c.verdict for m, c in zip(made, result.claims, strict=True)}
    expected = {(module.__name__, name): v for module, names in VERDICTS.items() for name, v in names.items()}
    assert found == expected
    assert all(bool(claim.why) == (claim.verdict == "holds corrected") for claim in result.claims)
    assert len({claim.statement for claim in result.claims}) == len(made)
    page = (tmp_path / "claims.md").read_text(encoding="utf-8")
    assert all(claim.statement.replace("|", "\\|") in page for claim in result.claims)
    assert {f.name for f in result.files} == {"claims.md", "fig7.png", "fig7.pdf", "fig7.json"}
    data = json.loads((tmp_path / "fig7.json").read_text())
    assert data["root"] == pytest.approx(1.91501, abs=5e-6)
    assert data["ntraj"] == 0


FORMULAS = {
    "current": [(claims_currents, "_current")],
    "scaling_factor": [(claims_currents, "_cold"), (claims_conductance, "_monotonic")],
    "rates": [(claims_currents, "_detailed_balance")],
    "low_temperature_scaling": [(claims_currents, "_scaling")],
    "two_site_moments": [(claims_currents, "_occupations")],
    "moment_equations": [(claims_currents, "_occupations")],
    "contrast": [(claims_currents, "_contrast")],
    "contrast_qubits": [(claims_currents, "_twelve"), (claims_strong, "_limit")],
    "conductance": [(claims_conductance, "_thirteen")],
    "largest_conductance": [(claims_conductance, "_peak")],
    "ndtc_onset": [(claims_conductance, "_onset")],
    "end_populations": [(claims_entanglement, "_populations")],
    "critical_current": [(claims_entanglement, "_critical")],
    "critical_current_symmetric": [(claims_entanglement, "_forty")],
    "peak_position": [(claims_strong, "_root")],
    "global_current": [(claims_strong, "_current")],
    "global_contrast": [(claims_strong, "_twenty_four")],
    "global_conductance": [(claims_strong, "_two_modes")],
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_wrong_formula_is_found_out(name, monkeypatch):
    place = global_formulas if hasattr(global_formulas, name) and name.startswith("global") else formulas
    right = getattr(place, name)

    def wrong(*args, **keywords):
        found = right(*args, **keywords)
        if name == "low_temperature_scaling":
            return 1 - found
        if name == "scaling_factor":
            return found * (1.5 if keywords.get("eps_L") == 1 else 1.0) + 1.0 * (
                "gamma_R" in keywords and "g" in keywords
            )
        if name == "two_site_moments":
            return found._replace(second=found.second * 1.1)
        if isinstance(found, tuple):
            return (found[0], found[1] * 1.1)
        return found * 1.1

    monkeypatch.setattr(place, name, wrong)
    assert [getattr(module, claim)().verdict for module, claim in FORMULAS[name]] == ["does not hold"] * len(
        FORMULAS[name]
    )


EXACT = [
    # module, claim, quantity of the exact side, whose wrong factor depends on what
    (claims_currents, "_coherence", "coherence_imag", lambda p: 1.1),
    (claims_currents, "_smaller", "J", lambda p: 1.0 if p.get("N") == 1 else 1.5),
    (claims_currents, "_symmetric", "contrast", lambda p: 0.0),
    (claims_currents, "_no_work", "power", lambda p: 1e9),
    (claims_conductance, "_bounded", "conductance", lambda p: 2.0 if p.get("N") != 1 else 1.0),
    (claims_conductance, "_frequency", "conductance", lambda p: p["omega"]),
    (claims_conductance, "_length", "J", lambda p: 1.0 + 0.01 * (p.get("N") == 5)),
    (claims_entanglement, "_swap", "concurrence", lambda p: 0.0),
    (claims_entanglement, "_unrelated", "concurrence", lambda p: 0.0),
    (claims_entanglement, "_entropy", "entropy_production_rate", lambda p: 1.1),
    (claims_entanglement, "_asymmetry", "entropy_production_rate", lambda p: 1.0 + 0.1 * (p["T_L"] > p["T_R"])),
    (claims_strong, "_order", "contrast", lambda p: 0.5 if p["T_L"] == 50.0 else 1.0),
    (claims_strong, "_colours", "contrast", lambda p: 0.6),
    (claims_strong, "_maximum", "contrast", lambda p: 1.0 + 0.3 * (p["T_L"] > 4.5)),
    (claims_strong, "_depends_on_g", "contrast", lambda p: 1.0 + p["g"]),
    (claims_strong, "_asymmetric", "conductance_peak_temperature", lambda p: 2.0 - p["omega"]),
    (claims_strong, "_beyond", "conductance", lambda p: 0.01),
]


@pytest.mark.parametrize(("module", "claim", "quantity", "factor"), EXACT, ids=[e[1] for e in EXACT])
def test_another_exact_value_is_another_verdict(module, claim, quantity, factor, monkeypatch):
    right = module.exact

    def wrong(name, params, system="local"):
        value = right(name, params, system)
        return value * factor(params) if name == quantity else value

    monkeypatch.setattr(module, "exact", wrong)
    assert getattr(module, claim)().verdict == "does not hold"


# ---------------------------------------------------------------- figures

COARSE = {
    curves: ("T_WEAK", "RATIOS", "RATIOS_COLLIDED", "T_HOT", "T_HOT_COLLIDED", "T_STRONG"),
    beyond: ("T_NDTC", "T_QUIET"),
    thermodynamics: ("COUPLINGS", "T_ENGINE", "EQUAL"),
}
# figure: trajectories, and how many sets of points carry their exact values
SAMPLED = {
    "fig2": (400, 4),
    "fig4": (400, 11),
    "fig5": (400, 1),
    "fig6": (0, 0),
    "fig7": (0, 0),
    "ndtc": (400, 3),
    "chain": (400, 1),
    "noise": (40, 2),
    "entanglement": (1000, 2),
    "entropy": (1000, 12),
    "uncertainty": (0, 0),
    "convergence": (400, 4),
}


def sets_of_points(value):
    """Every set of sampled points in the data of a figure."""
    if isinstance(value, dict):
        if "exact" in value:
            yield value
        for item in value.values():
            yield from sets_of_points(item)


@pytest.mark.parametrize("name", SAMPLED)
def test_figures_are_drawn_and_their_points_lie_on_the_exact_side(name, monkeypatch):
    for module, grids in COARSE.items():
        for grid in grids:
            values = getattr(module, grid)
            monkeypatch.setattr(module, grid, values[:: max(1, len(values) // 6)])
    ntraj, sets = SAMPLED[name]
    data = FIGURES[name].curves(ntraj, 1)
    found = list(sets_of_points(data))
    assert len(found) == sets
    for points in found:
        assert np.isfinite(points["error"]).all()
        assert np.abs(deviations(points)).max() < 4.5
    with style.house():
        drawn = FIGURES[name].draw(data)
        drawn.savefig(io.BytesIO(), dpi=20, format="png")
        texts = {t.get_text() for t in drawn.findobj(mpl.text.Text)}
    assert all(ax.get_xlabel() or ax.get_ylabel() or ax.child_axes is not None for ax in drawn.axes)
    assert len(texts) > 5
    plt.close(drawn)


def test_all_figures_of_the_paper_are_there():
    assert set(SAMPLED) == set(FIGURES)
    for number in (2, 4, 5, 6, 7):
        assert f"Fig. {number}" in FIGURES[f"fig{number}"].title


def test_exact_curves_without_trajectories(monkeypatch):
    monkeypatch.setattr(curves, "T_WEAK", curves.T_WEAK[::33])
    data = curves.conductances(0, 1)
    assert not list(sets_of_points(data))
    for T, two, one in zip(data["T"], data["kappa_2"], data["kappa_1"], strict=True):
        assert two == pytest.approx(formulas.conductance(T=T, **curves.FIG2), rel=1e-9)
        assert one == pytest.approx(formulas.conductance(N=1, T=T, **curves.FIG2), rel=1e-9)
    assert (data["peak_1"], data["peak_2"]) == pytest.approx((0.522191, 0.42706), abs=5e-6)


@pytest.mark.parametrize(("T", "ratio"), [(0.2, 0.1), (1.0, 3.0)])
def test_figure_four_upper_is_the_closed_form(T, ratio):
    forward, backward = curves._strong(T, ratio * 0.02)
    closed = global_formulas.global_contrast(g=0.8, gamma_L=ratio * 0.02, gamma_R=0.02, T_L=T)
    assert exact_contrast(forward, backward) == pytest.approx(closed, rel=1e-9)


def test_scaling_factors_of_figure_six():
    for eps_L, eps_a, difference in ((-1, -1, 0), (1, -1, 2), (-1, 1, -2)):
        found = curves._ratio_of_currents(1.3, 2.0, eps_L, eps_a)
        assert found == pytest.approx(formulas.low_temperature_scaling(0.5, 1.3, difference), rel=1e-12)


def test_a_shifted_curve_is_noticed():
    forward, backward = curves._strong(1.0, 0.004)
    found = contrast(forward, backward, 4000, 5)
    assert found.error < 0.05
    assert abs(found.deviation(1.3 * exact_contrast(forward, backward))) > 4.5


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
    for model in thermodynamics._pictures().values():
        average = model.trajectory_statistics(12.0, initial=np.eye(4)[0]).exponential_average
        assert average.mean == pytest.approx(average.reversed_value, rel=1e-9)
        assert average.mean < 0.8
        assert model.trajectory_statistics(12.0).exponential_average.mean == pytest.approx(1.0, abs=1e-9)


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
    judged = Sampler(400, seed).judge(replace(sampling, spread=1e-9))
    error = sampling.spread / math.sqrt(400)
    return replace(judged, error=error)


# ---------------------------------------------------------------- the launching script


@pytest.fixture(scope="module")
def script():
    place = Path(__file__).parents[1] / "runs" / "rectifier.py"
    spec = importlib.util.spec_from_file_location("runs_rectifier", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_script_runs_and_agrees(script, tmp_path, capsys):
    words = ["--ntraj", "1000", "--time", "60", "--quiet", "--out", str(tmp_path), "--seed", "3"]
    assert script.main(words) == 0
    out = capsys.readouterr().out
    assert "everything agrees" in out
    assert out.count("1000 of 1000 trajectories exactly") == 4
    names = {f"rectifier-{picture}-{way}.h5" for picture in ("jump", "collision") for way in ("forward", "backward")}
    assert {f.name for f in tmp_path.iterdir()} == names


def test_script_of_strongly_coupled_and_of_long_chains(script, tmp_path, capsys):
    common = ["--quiet", "--out", str(tmp_path), "--picture", "jump"]
    strong = ["--equation", "global", "--g", "0.8", "--ntraj", "1000", "--time", "100"]
    assert script.main([*common, *strong]) == 0
    long = ["--N", "10", "--g", "1", "--gamma-L", "1", "--gamma-R", "2", "--ntraj", "60", "--time", "20"]
    assert script.main([*common, *long]) == 0
    out = capsys.readouterr().out
    assert out.count("everything agrees") == 2
    assert "exact moments" in out


def test_script_says_when_something_disagrees(script, tmp_path, capsys, monkeypatch):
    """Quanta that are counted twice leave no trajectory balanced."""
    right = script.number
    monkeypatch.setattr(script, "number", lambda model: 2 * right(model))
    words = ["--quiet", "--out", str(tmp_path), "--picture", "collision", "--ntraj", "200", "--time", "20"]
    assert script.main(words) == 1
    assert "SOMETHING DISAGREES" in capsys.readouterr().out


def test_script_holds_long_chains_against_their_own_moments(script):
    """What a long chain is compared with is the current of its own hopping."""
    options = script.parse(["--N", "10", "--g", "1"])
    left, right = script.bath("L", 0.04, 1.0, 1), script.bath("R", 0.08, 0.3, 1)
    exact = script.chain_moments(10, options.omega, options.g, options.eps_a, {0: [left], 9: [right]}).heat["L"]
    assert exact == pytest.approx(script.closed_form(options, 1.0, 0.3), rel=1e-9)
