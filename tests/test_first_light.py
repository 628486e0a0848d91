"""Collisions against their own exact map: means and variances of heat and work, charges, fluctuation theorem.

Seeds are fixed.  Comparisons are made at 4.5 standard errors: a right program fails one of the roughly 150 of this file
with a probability below 0.1 % over all seeds one could have chosen.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collide.machines import rectifier
from collide.program import compile_program, run_chunk
from systems import coherent_ket, coherent_mixture, collision_pair, jump_pair

DATA = Path(__file__).parent / "data"
LIMIT = 4.5
CASES = [
    (statistics, construction, levels, tau)
    for statistics, construction, levels in (
        ("boson", "split", None),
        ("boson", "joint", 20),
        ("spin", "split", None),
        ("spin", "joint", None),
    )
    for tau in (2.0, 0.5, 0.1)
]


def z_scores(model, program, columns, names):
    """z of mean and variance of each column against the exact tilted map resolved by both measurements."""
    a = program.arrays
    exact = model.trajectory_statistics(
        float(program.tlist[-1]), a["rho_initial"], opening=a["initial_kets"], closing=a["final_kets"]
    )
    found = {}
    for name, column in names.items():
        n = len(column)
        mean, variance, _, fourth = exact.cumulants(name, 4)
        found[name, "mean"] = (column.mean() - mean) / math.sqrt(variance / n + 1 / n**2)
        spread = math.sqrt(max(fourth, 0) / n + 2 * variance**2 / (n - 1) + 1 / n**2)
        found[name, "variance"] = (column.var(ddof=1) - variance) / spread
    return found


@pytest.mark.parametrize("labels", ["heat", "all"])
@pytest.mark.parametrize(("statistics", "construction", "levels", "tau"), CASES)
def test_heat_and_work_agree_with_the_exact_map(
    statistics: str, construction: str, levels: int | None, tau: float, labels: str
) -> None:
    """From a state with coherence between energies, so that work and its variance are not zero."""
    model = collision_pair(tau, statistics, construction, levels)
    program = compile_program(model, 20.0, initial=coherent_mixture(), labels=labels)
    columns = run_chunk(program, 101, 0, 20_000).columns
    named = {
        "heat L": columns["heat"][:, 0],
        "heat R": columns["heat"][:, 1],
        "work": columns["work"],
        "energy_change": columns["energy_change"],
        "entropy_production": columns["entropy_production"],
    }
    worst = z_scores(model, program, columns, named)
    assert max(map(abs, worst.values())) < LIMIT, worst
    assert model.trajectory_statistics(20.0, coherent_mixture()).cumulants("work", 2)[1] > 1e-4  # work does fluctuate


@pytest.mark.parametrize("labels", ["heat", "all"])
@pytest.mark.parametrize(("statistics", "construction", "levels", "tau"), CASES)
def test_charge_balance_is_an_integer_identity(
    statistics: str, construction: str, levels: int | None, tau: float, labels: str
) -> None:
    """omega Delta N = Q_L + Q_R on every trajectory from the steady state of the resonant machine."""
    program = compile_program(collision_pair(tau, statistics, construction, levels), 60.0, labels=labels)
    columns = run_chunk(program, 7, 0, 2000).columns
    number = (np.abs(program.arrays["final_kets"]) ** 2) @ [0, 1, 1, 2]
    opened = (np.abs(program.arrays["initial_kets"]) ** 2) @ [0, 1, 1, 2]
    assert np.allclose(number, np.rint(number), atol=1e-12)
    gained = np.rint(number)[columns["final"]] - np.rint(opened)[columns["initial"]]
    charge = columns["counts"].astype(int) @ program.arrays["count_charge"]
    assert np.array_equal(gained.astype(int), charge)
    assert np.array_equal(columns["heat"].sum(axis=1), charge.astype(float))


@pytest.mark.parametrize(("statistics", "construction"), [("boson", "split"), ("spin", "split"), ("spin", "joint")])
@pytest.mark.parametrize("initial", ["steady", coherent_mixture()], ids=["steady", "mixture"])
def test_integral_fluctuation_theorem_from_full_rank(initial, statistics: str, construction: str) -> None:
    model = collision_pair(0.5, statistics, construction)
    program = compile_program(model, 10.0, initial=initial)
    exact = model.trajectory_statistics(10.0, initial).exponential_average
    assert exact.mean == pytest.approx(1.0, abs=1e-10)
    assert exact.variance < 10  # else the sample mean says nothing
    n = 40_000
    weights = np.exp(-run_chunk(program, 13, 0, n).columns["entropy_production"])
    assert abs(weights.mean() - 1) < LIMIT * math.sqrt(exact.variance / n)


@pytest.mark.parametrize("ket", [np.eye(4)[0], coherent_ket()], ids=["ground", "coherent"])
@pytest.mark.parametrize("statistics", ["boson", "spin"])
def test_pure_start_gives_the_value_of_the_reversed_process(ket: Any, statistics: str) -> None:
    model = collision_pair(0.5, statistics)
    program = compile_program(model, 10.0, initial=ket)
    exact = model.trajectory_statistics(10.0, ket).exponential_average
    assert exact.mean == pytest.approx(exact.reversed_value, abs=1e-10)
    assert exact.mean < 1 - 1e-3
    n = 40_000
    weights = np.exp(-run_chunk(program, 29, 0, n).columns["entropy_production"])
    assert abs(weights.mean() - exact.mean) < LIMIT * math.sqrt(exact.variance / n)


def test_a_wrong_sign_of_entropy_would_be_seen() -> None:
    """The fault this file must catch, planted: entropy with the sign of the heat reversed."""
    program = compile_program(collision_pair(0.5), 10.0)
    program.arrays["count_entropy"] *= -1
    weights = np.exp(-run_chunk(program, 13, 0, 40_000).columns["entropy_production"])
    assert abs(weights.mean() - 1) > 10 * weights.std() / 200


def test_a_wrong_ancilla_population_would_be_seen() -> None:
    """Another fault, planted: one ancilla level drawn 5 % too often moves the mean heat by many errors."""
    model = collision_pair(0.5, "spin", g=0.3)
    program = compile_program(model, 20.0, initial=coherent_mixture(), labels="all")
    program.arrays["prior_cdf"][0] *= 0.95
    columns = run_chunk(program, 101, 0, 20_000).columns
    named = {"heat L": columns["heat"][:, 0]}
    assert max(map(abs, z_scores(model, program, columns, named).values())) > LIMIT


def test_a_wrong_event_would_be_seen() -> None:
    """Planted in the events: one of them 5 % too strong among the others, then a null operator that loses 1e-3."""
    model = collision_pair(0.5, "spin", g=0.3)
    for name, factor in (("jump_value", 1.05), ("null", 1 - 1e-3)):
        program = compile_program(model, 20.0, initial=coherent_mixture())
        kind = int(np.argmax(np.any(program.arrays["count"] >= 0, axis=1)))
        nb = program.arrays["target"].shape[1]
        a, b = program.arrays["jump_start"][[kind * nb, (kind + 1) * nb]]
        program.arrays[name][slice(a, b) if name == "jump_value" else slice(None)] *= factor
        columns = run_chunk(program, 101, 0, 20_000).columns
        named = {"heat L": columns["heat"][:, 0], "heat R": columns["heat"][:, 1]}
        assert max(map(abs, z_scores(model, program, columns, named).values())) > LIMIT, name


def _table(*systems: str) -> list[dict]:
    entries = json.loads((DATA / "rectifier.json").read_text())["entries"]
    return [e for e in entries if e["system"] in systems]


def test_reference_currents_of_collisions_and_of_the_local_equation() -> None:
    checked = 0
    for entry in _table("rectifier_collision_split", "rectifier_collision_joint", "rectifier_local"):
        params, quantity = dict(entry["params"]), entry["quantity"]
        small = params.get("N", 9) <= 2 and params.get("eps_a") == -1
        if quantity not in {"heat_current_L", "power"} or not small or "sweep" in params:
            continue
        picture = "jump" if entry["system"] == "rectifier_local" else "collision"
        construction = entry["system"].rsplit("_", 1)[1] if picture == "collision" else "split"
        model = rectifier(picture=picture, construction=construction, **params)
        value = model.heat_currents()["L"] if quantity == "heat_current_L" else model.power()
        tolerance = entry["tolerance"]["abs"] + entry["tolerance"]["rel"] * abs(entry["value"])
        assert abs(value - entry["value"]) <= tolerance, entry
        checked += 1
    assert checked >= 30


def test_lindblad_limit_is_the_papers_closed_form() -> None:
    """Q_L = J/2 of Eqs. 5-7 (Santiago-Garcia et al. 2024) from the limit derived from the ancillas' moments."""
    from collide.machines.rectifier_formulas import current

    for statistics, eps in (("boson", 1), ("spin", -1)):
        limit = collision_pair(0.5, statistics).lindblad_limit().heat_currents()["L"]
        paper = current(
            N=2, omega=1.0, g=0.05, gamma_L=0.04, gamma_R=0.08, T_L=1.0, T_R=0.3, eps_a=-1, eps_L=eps, eps_R=eps
        )
        assert limit == pytest.approx(paper / 2, rel=1e-9)
        assert limit == pytest.approx(jump_pair(statistics).heat_currents()["L"], rel=1e-9)
