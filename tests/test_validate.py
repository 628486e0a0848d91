"""The judge of reference tables: what it accepts, what it refuses, and that a planted fault does not pass."""

import copy
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest

from collide.analysis import validate as judge
from collide.analysis.papers.base import Sampling
from collide.analysis.reference_tables import Entry, TableError, compare, evaluate, load, points
from collide.analysis.reproduce import NotThere, claims_page, plain, reproduce
from collide.analysis.validate_sampled import Sampler, events
from collide.machines import rectifier

TABLE = Path(__file__).parent / "data" / "rectifier.json"
CONTENT = json.loads(TABLE.read_text(encoding="utf-8"))


def entry(value, rel=0.0, least=1e-6, params=None):
    return Entry("t", 0, "system", "quantity", params or {}, value, rel, least, "")


def first(quantity, system="rectifier_local"):
    return copy.deepcopy(next(e for e in CONTENT["entries"] if (e["system"], e["quantity"]) == (system, quantity)))


@pytest.fixture
def write(tmp_path):
    def make(*entries, name="table.json", **rest):
        path = tmp_path / name
        path.write_text(json.dumps({"schema": 1, "paper": "p", "conventions": {}, "entries": list(entries)} | rest))
        return str(path)

    return make


# ---------------------------------------------------------------- the rule


@pytest.mark.parametrize(
    ("found", "value", "rel", "least", "ok"),
    [
        (1.0, 1.0, 0.0, 0.0, True),
        (1.0 + 1e-9, 1.0, 0.0, 0.0, False),
        (1.0009, 1.0, 1e-3, 0.0, True),
        (1.0011, 1.0, 1e-3, 0.0, False),
        (-1.0009, -1.0, 1e-3, 0.0, True),
        (1.0014, 1.0, 1e-3, 5e-4, True),
        (math.inf, math.inf, 0.0, 0.0, True),
        (-math.inf, math.inf, 1.0, 1.0, False),
        (1e300, math.inf, 1.0, 1.0, False),
        (math.nan, 1.0, 1.0, 1.0, False),
        (None, 1.0, 1.0, 1.0, False),
        ("1", [1.0], 1.0, 1.0, False),
        ([1.0, 2.0], [1.0, 2.0], 0.0, 0.0, True),
        ([1.0, 2.1], [1.0, 2.0], 0.0, 1e-6, False),
        ([1.0], [1.0, 2.0], 0.0, 1.0, False),
        (np.array([[1.0, 2.0]]), [[1.0, 2.0]], 0.0, 0.0, True),
        ({"a": 1.0, "b": 5.0}, {"a": 1.0}, 0.0, 0.0, True),
        ({"b": 5.0}, {"a": 1.0}, 0.0, 1e-6, False),
        ({}, {"a": 0.0}, 0.0, 0.0, True),
        (1.0, {"a": 1.0}, 1.0, 1.0, False),
        ({"n": [0, 1, 2], "P": [0.5, 0.3, 0.2]}, {"n": [2, 1, 7], "P": [0.2, 0.3, 0.0]}, 0.0, 1e-12, True),
        ({"n": [0, 1, 2], "P": [0.5, 0.3, 0.2]}, {"n": [2, 1], "P": [0.3, 0.2]}, 0.0, 1e-12, False),
    ],
)
def test_acceptance_element_by_element(found, value, rel, least, ok):
    assert compare(found, entry(value, rel, least)).ok is ok


def test_deviation_names_the_worst_element():
    deviation = compare({"a": [1.0, 2.5], "b": 1.0}, entry({"a": [1.0, 2.0], "b": 1.0}))
    assert not deviation.ok
    assert deviation.where == "['a'][1]"
    assert deviation.absolute == pytest.approx(0.5)


def test_sweeps_and_grids_are_expanded_in_the_order_of_the_table():
    assert points({"a": 1, "sweep": {"b": [2, 3]}}) == [{"a": 1, "b": 2}, {"a": 1, "b": 3}]
    grid = points({"grid": {"x": [1, 2, 3], "y": [10, 20]}})
    assert grid[1][2] == {"x": 3, "y": 20}  # rows run over the second key
    values = evaluate(lambda p: p["x"] + p["y"], {"grid": {"x": [1, 2, 3], "y": [10, 20]}})
    assert values == [[11, 12, 13], [21, 22, 23]]
    assert compare(values, entry([[11, 12, 13], [21, 22, 23]])).ok
    assert not compare(values, entry([[11, 21], [12, 22], [13, 23]])).ok


def test_limits_are_numbers_after_loading(write):
    raw = first("heat_current_L") | {"params": {"T_L": "inf", "beta": "-inf", "sweep": {"x": ["inf", 1]}}}
    (loaded,) = load(write(raw | {"value": ["inf", 1.0]}))
    assert loaded.params == {"T_L": math.inf, "beta": -math.inf, "sweep": {"x": [math.inf, 1]}}
    assert loaded.value == [math.inf, 1.0]


# ---------------------------------------------------------------- files that are none


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "`schema` must be 1"),
        ('{"schema": 2, "entries": []}', "`schema` must be 1, but is 2"),
        ('{"schema": 1, "entries": {}}', "`entries` must be a list"),
        ('{"schema": 1, "entries": [{"system": "s"}]}', "entry 0 has no 'params'"),
        (
            '{"schema": 1, "entries": [{"system": "s", "params": {}, "quantity": "q", "value": 1, "tolerance": 1}]}',
            "needs tolerance {rel, abs}",
        ),
        (
            '{"schema": 1, "entries": [{"system": "s", "params": {"grid": {"a": [1]}}, "quantity": "q", "value": 1,'
            ' "tolerance": {"rel": 0, "abs": 0}}]}',
            "needs 2 parameter",
        ),
    ],
)
def test_files_that_are_no_tables(tmp_path, capsys, text, sentence):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(TableError, match=sentence):
        load(path)
    assert judge.main([str(path)]) == 3
    assert sentence in capsys.readouterr().err


def test_missing_file(capsys):
    assert judge.main(["nowhere.json"]) == 3
    assert "cannot be read" in capsys.readouterr().err


# ---------------------------------------------------------------- exit codes


def test_all_hold(write, capsys):
    assert judge.main([write(first("heat_current_L"), first("J", "rectifier_global"))]) == 0
    out = capsys.readouterr().out
    assert "rectifier_local" in out
    assert "2 of 2 entries hold." in out


def test_one_wrong_digit_fails(write, capsys):
    wrong = first("heat_current_L")
    wrong["value"] *= 1 + 1e-6
    assert judge.main([write(first("J"), wrong), "--verbose"]) == 1
    out = capsys.readouterr().out
    assert "FAIL table[1] rectifier_local heat_current_L(" in out
    assert "1 of 2 entries hold: 1 do not." in out


def test_unknown_system_and_quantity_are_named_before_anything_is_computed(write, capsys):
    unknown = first("J") | {"system": "perpetuum_mobile"}
    assert judge.main([write(first("J"), unknown)]) == 2
    captured = capsys.readouterr()
    assert "unknown system 'perpetuum_mobile'" in captured.err
    assert captured.out == ""
    assert judge.main([write(first("J") | {"quantity": "colour"})]) == 2
    assert "unknown quantity 'colour' of system 'rectifier_local'" in capsys.readouterr().err


def test_unknown_parameter_is_named(write, capsys):
    odd = first("J")
    odd["params"]["colour"] = 3
    assert judge.main([write(first("heat_current_L"), odd)]) == 2
    assert "unknown parameter 'colour'" in capsys.readouterr().out


def test_an_entry_that_cannot_be_computed_fails_alone(write, capsys):
    broken = first("J")
    broken["params"]["T_L"] = -3.0
    assert judge.main([write(broken, first("heat_current_L"))]) == 1
    out = capsys.readouterr().out
    assert "`T_L` of an oscillator bath must be finite" in out
    assert "1 of 2 entries hold" in out


def test_selection_and_summary(write, tmp_path, capsys):
    summary = tmp_path / "summary.md"
    table = write(first("heat_current_L"), first("J"))
    assert judge.main([table, "--only", "rectifier_local/J", "--summary", str(summary)]) == 0
    assert "1 of 1 entries hold." in capsys.readouterr().out
    assert "| rectifier_local | J | 1 | 1 |" in summary.read_text()
    assert judge.main([table, "--only", "nothing"]) == 2


def test_sweep_of_a_table(write):
    swept = first("J")
    temperatures = [0.6, 0.9]
    swept["params"] |= {"sweep": {"T_L": temperatures}}
    del swept["params"]["T_L"]
    plain_entry = first("J")
    value = [judge.quantities()["rectifier_local", "J"](plain_entry["params"] | {"T_L": T}) for T in temperatures]
    assert value[0] == pytest.approx(plain_entry["value"], abs=plain_entry["tolerance"]["abs"])
    assert judge.main([write(swept | {"value": value})]) == 0
    assert judge.main([write(swept | {"value": value[::-1]})]) == 1


def test_report_counts_every_entry():
    some = [e for e in load(TABLE) if e.quantity == "critical_current"]
    report = judge.validate(some, progress=False, out=io.StringIO())
    assert report.code == 0
    assert len(report.verdicts) == len(some) == 10


# ---------------------------------------------------------------- ensembles


def test_sampled_entries(write, capsys):
    table = write(first("heat_current_L"), first("heat_L_variance_rate"), first("power"), first("ndtc_onset_T_L"))
    assert judge.main([table, "--sampled", "--ntraj", "4000", "--seed", "5", "--verbose"]) == 0
    out = capsys.readouterr().out
    assert "2 z-scores" in out
    assert out.count("exact only") >= 1
    assert "z = " in out


def test_a_biased_ensemble_is_caught():
    model = rectifier(g=0.05, gamma_L=0.04, gamma_R=0.08, T_L=1.0, T_R=0.3)
    time = 200.0
    spread = math.sqrt(model.heat_cumulants_at(time, "L", 2)[1]) / time

    def estimate(ensemble):
        heat = ensemble.heat["L"] / time
        return heat.mean(), heat.std() / math.sqrt(len(heat))

    exact = model.heat_currents()["L"]
    sampler = Sampler(4000, 3)
    right = sampler.judge(Sampling(model, time, "steady", estimate, exact, spread))
    wrong = sampler.judge(Sampling(model, time, "steady", estimate, 1.15 * exact, spread))
    assert right.ok
    assert abs(right.z) < 4.5
    assert not wrong.ok
    assert not sampler.judge(Sampling(model, time, "steady", estimate, exact, 20 * spread)).reached


def test_no_more_trajectories_than_a_point_needs():
    sampler = Sampler(50_000, 1, precise=0.02)
    assert sampler._needed(10.0, 50_000) == 50_000
    assert sampler._needed(2.0, 50_000) == 10_000
    assert sampler._needed(0.1, 50_000) == 2000
    assert sampler._needed(0.1, 300) == 300
    assert Sampler(50_000, 1, precise=0.0)._needed(0.1, 40_000) == 40_000
    with pytest.raises(ValueError, match="`precise` must be"):
        Sampler(100, 1, precise=-1.0)


def test_long_trajectories_are_rationed():
    model = rectifier(g=0.05, gamma_L=0.04, gamma_R=0.08, T_L=1.0, T_R=0.3, picture="collision", tau=0.01)
    long = Sampling(model, 10_000.0, "steady", lambda ensemble: (0.0, 1.0), 1.0, 3.0)
    assert events(long) == pytest.approx(3e6, rel=0.01)
    assert not Sampler(50_000, 1).judge(long).reached  # three trajectories would not do
    short = Sampling(model, 0.1, "steady", lambda ensemble: (1.0, 0.1), 1.0, 3.0)
    assert Sampler(50_000, 1).judge(short).reached


def test_sampler_refuses_a_budget_of_one():
    with pytest.raises(ValueError, match="`ntraj` must be at least 2"):
        Sampler(1, 1)


# ---------------------------------------------------------------- reproduction


def test_reproduce_refuses_what_there_is_not(tmp_path):
    with pytest.raises(NotThere, match="`paper` must be one of"):
        reproduce("unwritten", tmp_path)
    with pytest.raises(NotThere, match="`ntraj` must be 0"):
        reproduce("rectifier", tmp_path, ntraj=1)
    with pytest.raises(NotThere, match="`only` names 'fig99'"):
        reproduce("rectifier", tmp_path, only=["fig99"])


def test_curves_become_json():
    given = {"x": np.arange(3), "y": [np.float64(1.5), 1 + 2j], "z": {"w": (1, "a")}}
    assert plain(given) == {"x": [0, 1, 2], "y": [1.5, [1.0, 2.0]], "z": {"w": [1, "a"]}}
    json.dumps(plain(given))


def test_claims_page_keeps_its_columns():
    from collide.analysis.papers.base import Claim

    page = claims_page("p", None, [Claim("a | b", "1", "2", "holds corrected", "line\nbreak")])
    assert "| a \\| b | 1 | 2 | **holds corrected** | line break |" in page
