"""Hybrid junctions (Wu and Segal 2009): closed forms, unbounded ladder, collisions at any angle, table, sampling."""

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
from collide.analysis.papers import wusegal
from collide.analysis.papers.base import UnknownParameter
from collide.analysis.reference_tables import compare, evaluate, load
from collide.ensemble import run_program
from collide.machines import MACHINES, junction
from collide.machines import junction_formulas as formulas
from collide.machines.junction import levels_at_field
from collide.machines.metal import metal_rate, metal_rate_quadratic, polynomial_band

TABLE = Path(__file__).parent / "data" / "wusegal.json"
SPIN, SOLID = {"kind": "spin", "g": 1.0}, {"kind": "boson", "g": 2.0}
METAL = {"kind": "metal", "g": 0.7, "delta": 0.3, "mu": 1.2}
BATHS: dict[str, dict[str, Any]] = {"spin": SPIN, "boson": SOLID, "metal": METAL}
PAIRS = [(a, b) for a in BATHS for b in BATHS]


def rate(bath: dict[str, Any], omega: float, T: float) -> float:
    """k of a bath in closed form."""
    if bath["kind"] == "metal":
        return formulas.metal_rate_linear(omega, T, bath["g"], bath["delta"], bath["mu"])
    closed = {"spin": formulas.spin_rate, "boson": formulas.boson_rate}[bath["kind"]]
    return closed(omega, T, bath["g"])


def numbers(point: dict[str, Any]) -> tuple[float, float, float, float]:
    """(k_L, k_R, u_L, u_R) of a junction in closed form."""
    omega, T_L, T_R = point["omega"], point["T_L"], point["T_R"]
    k = rate(point["left"], omega, T_L), rate(point["right"], omega, T_R)
    return (*k, formulas.boltzmann_factor(omega, T_L), formulas.boltzmann_factor(omega, T_R))


def at(left: str, right: str, omega: float = 1.0, T_L: float = 1.3, T_R: float = 0.7) -> dict[str, Any]:
    return {"left": BATHS[left], "right": BATHS[right], "omega": omega, "T_L": T_L, "T_R": T_R}


# -------------------------------------------------------------------- the table


@pytest.mark.parametrize("entry", load(TABLE), ids=lambda e: f"{e.index}-{e.system}-{e.quantity}")
def test_every_entry_of_the_table(entry: Any) -> None:
    deviation = compare(evaluate(wusegal.QUANTITIES[entry.key], entry.params), entry)
    assert deviation.ok, f"{entry}: {deviation}"


def test_a_wrong_number_in_the_table_is_noticed() -> None:
    entry = next(e for e in load(TABLE) if e.quantity == "finite_time_net_quanta_L_distribution")
    found = evaluate(wusegal.QUANTITIES[entry.key], entry.params)
    wrong = {
        "n": entry.value["n"],
        "P": [*entry.value["P"][:5], entry.value["P"][5] * (1 + 1e-4), *entry.value["P"][6:]],
    }
    assert compare(found, entry).ok
    assert not compare(found, type(entry)(**(vars(entry) | {"value": wrong}))).ok


REACHED = [e for e in load(TABLE) if e.key in wusegal.SAMPLING and "sweep" not in e.params]


@pytest.mark.parametrize("entry", REACHED[::7], ids=lambda e: f"{e.index}-{e.system}-{e.quantity}")
def test_sampled_entries_agree(entry: Any) -> None:
    sampling = wusegal.SAMPLING[entry.key](entry.params)
    ensemble = collide.run(
        sampling.model, 4000, sampling.time, seed=entry.index, initial=sampling.initial, progress=False, threads=1
    )
    value, error = sampling.estimate(ensemble)
    assert abs(value - sampling.exact) <= 4.5 * error + 1e-12
    assert error == pytest.approx(sampling.spread / math.sqrt(4000), rel=1e-3, abs=1e-15)


@pytest.mark.parametrize("key", wusegal.SAMPLING, ids="-".join)
def test_predicted_errors_are_those_of_repeated_ensembles(key: tuple[str, str]) -> None:
    samplings = [wusegal.SAMPLING[key](entry.params) for entry in REACHED if entry.key == key]
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
        ({"subsystem": "HO", "omega": 1, "left": SPIN, "right": SPIN, "T_L": 1}, "T_a \\(their sum\\) and Delta"),
        ({"subsystem": "HO", "omega": 1, "left": SPIN, "T_L": 1, "T_R": 1}, "missing parameter 'right'"),
        ({"subsystem": "XY", "omega": 1, "left": SPIN, "right": SPIN, "T_L": 1, "T_R": 1}, "is 'HO' or 'TLS'"),
        ({"subsystem": "HO", "omega": 1, "left": SPIN, "right": SPIN, "T_L": 1, "T_R": 1, "x": 0}, "parameter 'x'"),
    ],
)
def test_parameters_that_the_system_does_not_have(params: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownParameter, match=message):
        wusegal.QUANTITIES["junction", "J"](params)


def test_the_sum_of_temperatures_is_meant_by_T_a() -> None:
    base = {"subsystem": "HO", "omega": 0.5, "left": SPIN, "right": {"kind": "metal", "g": 1, "delta": 0.2, "mu": 1}}
    ratio = wusegal.QUANTITIES["junction", "rectification_ratio"]
    assert ratio(base | {"T_a": 0.5, "Delta": 0.1}) == pytest.approx(0.87434, abs=1e-5)
    assert ratio(base | {"T_L": 0.3, "T_R": 0.2}) == pytest.approx(0.87434, abs=1e-5)
    assert ratio(base | {"T_a": 1.0, "Delta": 0.1}) == pytest.approx(0.8823, abs=1e-4)


# -------------------------------------------------------------------- rates, currents, cumulants in closed form


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("subsystem", ["HO", "TLS"])
@pytest.mark.parametrize(("omega", "T_L", "T_R"), [(1.0, 1.3, 0.7), (0.3, 0.2, 0.9), (3.0, 0.1, 0.25), (2.0, 0.5, 0.0)])
def test_any_combination_of_baths(subsystem: str, left: str, right: str, omega: float, T_L: float, T_R: float) -> None:
    point = at(left, right, omega, T_L, T_R)
    model = junction(subsystem=subsystem, **point)
    k_L, k_R, u_L, u_R = numbers(point)
    sign = 1 if subsystem == "HO" else -1
    closed = (formulas.current_ho if sign == 1 else formulas.current_tls)(omega, T_L, T_R, k_L, k_R)
    assert wusegal.relaxation_rates(model) == pytest.approx([k_L, k_R], rel=1e-12)
    flows = model.heat_currents()
    assert [flows["L"], -flows["R"]] == pytest.approx([closed, closed], rel=1e-11)
    assert wusegal.mean_occupation(model) == pytest.approx(
        formulas.mean_occupation(sign, k_L, k_R, u_L, u_R), rel=1e-12
    )
    cumulants = formulas.cumulant_rates(sign, omega, T_L, T_R, k_L, k_R)
    assert model.heat_cumulants("L", 3) == pytest.approx(cumulants, rel=1e-10)
    if T_R > 0:
        assert model.entropy_production_rate() == pytest.approx(closed * (1 / T_R - 1 / T_L), rel=1e-10)


def test_printed_forms_of_the_currents() -> None:
    """Eqs. (14) and (15) as printed, with n_B(-w) = -(1 + n_B) and n_S(-w) = 1 - n_S."""
    point = at("spin", "metal")
    k_L, k_R, *_ = numbers(point)
    n_B = [1 / math.expm1(1 / T) for T in (1.3, 0.7)]
    n_S = [1 / (math.exp(1 / T) + 1) for T in (1.3, 0.7)]
    printed_ho = -(n_B[0] - n_B[1]) / (-(1 + n_B[0]) / k_L - (1 + n_B[1]) / k_R)
    printed_tls = (n_S[0] - n_S[1]) / ((1 - n_S[0]) / k_L + (1 - n_S[1]) / k_R)
    assert formulas.current_ho(1, 1.3, 0.7, k_L, k_R) == pytest.approx(printed_ho, rel=1e-13)
    assert formulas.current_tls(1, 1.3, 0.7, k_L, k_R) == pytest.approx(printed_tls, rel=1e-13)


def test_spin_baths_at_infinite_and_negative_temperature() -> None:
    base: dict[str, Any] = {"subsystem": "TLS", "left": SPIN, "right": {"kind": "spin", "g": 0.5}, "T_R": 0.7}
    hottest = junction(T_L=math.inf, **base)
    assert wusegal.relaxation_rates(hottest)[0] == pytest.approx(0.5)
    assert junction(T_L=-2.0, **base).heat_currents()["L"] > hottest.heat_currents()["L"] > 0


def test_low_temperature_keeps_relative_accuracy() -> None:
    for subsystem, closed in (("HO", formulas.current_ho), ("TLS", formulas.current_tls)):
        point = at("spin", "metal", 8.0, 0.25, 0.2)
        k_L, k_R, *_ = numbers(point)
        exact = closed(8.0, 0.25, 0.2, k_L, k_R)
        assert 0 < exact < 1e-12
        found = junction(subsystem=subsystem, **point)
        assert found.heat_currents()["L"] == pytest.approx(exact, rel=1e-12)
        cumulants = formulas.cumulant_rates(1 if subsystem == "HO" else -1, 8.0, 0.25, 0.2, k_L, k_R)
        assert found.heat_cumulants("L", 3) == pytest.approx(cumulants, rel=1e-9)


# -------------------------------------------------------------------- who rectifies


def ratio(
    left: dict[str, Any], right: dict[str, Any], T_a: float = 2.0, difference: float = 0.6, **keywords: Any
) -> float:
    T, t = (T_a + difference) / 2, (T_a - difference) / 2
    forward, reverse = (junction(left=left, right=right, T_L=a, T_R=b, **keywords) for a, b in ((T, t), (t, T)))
    return abs(forward.heat_currents()["L"] / reverse.heat_currents()["L"])


@pytest.mark.parametrize("omega", [0.2, 1.0, 3.0])
def test_equal_statistics_never_rectify(omega: float) -> None:
    solids, spins = ({"kind": "boson", "g": g} for g in (2, 0.1)), ({"kind": "spin", "g": g} for g in (2, 0.1))
    assert ratio(next(solids), next(solids), omega=omega) == pytest.approx(1, abs=1e-11)
    assert ratio(next(spins), next(spins), omega=omega, subsystem="TLS") == pytest.approx(1, abs=1e-11)


def test_type_b_needs_unequal_couplings() -> None:
    for kind, subsystem in (("boson", "TLS"), ("spin", "HO")):
        strong, weak = {"kind": kind, "g": 2.0}, {"kind": kind, "g": 0.5}
        assert ratio(strong, strong, subsystem=subsystem) == pytest.approx(1, abs=1e-11)
        assert abs(ratio(strong, weak, subsystem=subsystem) - 1) > 0.2
    solid = [{"kind": "boson", "g": g} for g in (2.0, 0.5)]
    assert ratio(solid[0], solid[1], subsystem="TLS", omega=1e-3) == pytest.approx(0.6949, abs=1e-4)


@pytest.mark.parametrize("omega", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("delta", [0.2, 1.0])
def test_equation_20_for_any_spacing(omega: float, delta: float) -> None:
    solid, metal = {"kind": "boson", "g": 1.5}, {"kind": "metal", "g": 1.5, "delta": delta, "mu": 1.0}
    exact = formulas.rectification_solid_ho_metal(1.3, 0.7, delta, 1.0)
    assert ratio(solid, metal, omega=omega) == pytest.approx(exact, rel=1e-11)
    small = formulas.rectification_solid_ho_metal(0.3, 0.2, 1e-4, 1.0)
    assert (1 - small) / (1 - formulas.rectification_solid_ho_metal_linear(0.1, 1e-4, 1.0)) == pytest.approx(
        1, rel=1e-3
    )


def test_equation_21_belongs_to_the_two_level_system() -> None:
    for omega, accuracy in ((1e-2, 1e-4), (1e-3, 1e-6)):
        point = at("boson", "boson", omega) | {"right": {"kind": "boson", "g": 0.5}}
        closed = formulas.classical_current_tls(omega, 1.3, 0.7, 2.0, 0.5)
        assert junction(subsystem="TLS", **point).heat_currents()["L"] == pytest.approx(closed, rel=accuracy)
    k_L, k_R, *_ = numbers(point)
    assert formulas.current_ho(1e-3, 1.3, 0.7, k_L, k_R) > 100 * closed
    x, y = (2.0 - 0.5) / 2.5, 0.6 / 2.0  # the expansion printed beside it: Delta/T_a (1 - x Delta/T_a + ...)
    series = y * sum((-x * y) ** n for n in range(60))
    assert closed / formulas.classical_current_tls(1e-3, 1.001, 0.999, 2.0, 0.5) == pytest.approx(
        series / (1e-3 * (1 - x * 1e-3)), rel=1e-6
    )


def test_a_ladder_leads_from_two_levels_to_the_oscillator() -> None:
    sides: dict[str, Any] = {"left": {"kind": "boson", "g": 1.0}, "right": {"kind": "boson", "g": 1.0}}
    point: dict[str, Any] = sides | {"omega": 0.5, "T_L": 1.0, "T_R": 0.4}
    k_L, k_R, u_L, u_R = numbers(point)
    exact = formulas.current_ho(0.5, 1.0, 0.4, k_L, k_R)
    errors = [1 - junction(subsystem="ladder", levels=N, **point).heat_currents()["L"] / exact for N in (5, 10, 20, 40)]
    assert errors[:3] == pytest.approx([0.154, 0.0087, 1.47e-5], rel=0.01)
    assert 1e-13 < errors[3] < 1e-10
    q = formulas.stationary_ratio(k_L, k_R, u_L, u_R)
    assert errors[1] / errors[2] == pytest.approx(0.5 * q**-10, rel=0.2)  # N q^N
    two = junction(subsystem="ladder", levels=2, **point).heat_currents()["L"]
    assert two == pytest.approx(junction(subsystem="TLS", **point).heat_currents()["L"], rel=1e-12)


# -------------------------------------------------------------------- the unbounded oscillator


def test_chosen_levels_make_the_truncation_invisible() -> None:
    for omega in (0.05, 0.2, 1.0):
        point = at("spin", "metal", omega, 0.3, 0.2)
        k_L, k_R, *_ = numbers(point)
        model = junction(**point)
        assert model.heat_currents()["L"] == pytest.approx(formulas.current_ho(omega, 0.3, 0.2, k_L, k_R), rel=1e-12)
        p = np.diag(model.steady_state()).real
        assert p[-1] < 1e-14
        rough = junction(**point, neglect=1e-4)
        assert rough.process.d < model.process.d


def test_generating_functions_in_closed_form() -> None:
    point = at("boson", "metal")
    k_L, k_R, u_L, u_R = numbers(point)
    for s in (-1.4, -0.8, -0.2, 0.3, 0.7):
        levels = levels_at_field(s, **point)
        ho = junction(levels=levels, **point).scgf("L", s)
        assert ho == pytest.approx(formulas.scgf_ho(s, 1.0, k_L, k_R, u_L, u_R), rel=1e-9)
        tls = junction(subsystem="TLS", **point).scgf("L", s)
        assert tls == pytest.approx(formulas.scgf_tls(s, 1.0, k_L, k_R, u_L, u_R), rel=1e-11)


def test_a_ladder_longer_than_needed_costs_no_digits() -> None:
    point = at("metal", "metal")
    for s in (-0.94, -0.3, 0.3):
        exact = formulas.scgf_ho(s, 1.0, *numbers(point))
        for neglect in (1e-14, 1e-22):
            levels = levels_at_field(s, **point, neglect=neglect)
            assert junction(levels=levels, **point).scgf("L", s) == pytest.approx(exact, rel=1e-12, abs=0)


def test_generating_function_near_the_edge_of_its_domain() -> None:
    point = at("boson", "boson", 0.11, 1.27, 0.61) | {"left": {"kind": "boson", "g": 10.0}}
    k_L, k_R, u_L, u_R = numbers(point)
    low, high = formulas.scgf_ho_domain(0.11, k_L, k_R, u_L, u_R)
    s = 0.9 * high
    levels = levels_at_field(s, **point)
    assert levels > junction(**point).process.d
    exact = formulas.scgf_ho(s, 0.11, k_L, k_R, u_L, u_R)
    assert junction(levels=levels, **point).scgf("L", s) == pytest.approx(exact, rel=1e-8)
    for outside in (high * 1.001, low * 1.001):
        assert formulas.scgf_ho(outside, 0.11, k_L, k_R, u_L, u_R) == math.inf
        with pytest.raises(ValueError, match=r"must lie inside the domain .* grows faster than exponentially"):
            levels_at_field(outside, **point)
    beyond = [junction(subsystem="ladder", levels=N, **point).scgf("L", 1.3 * high) for N in (60, 120, 240)]
    assert beyond[0] < beyond[1] / 1.5 < beyond[2] / 2.25  # what a truncated ladder says there grows with its cut-off


@pytest.mark.parametrize("subsystem", ["HO", "TLS"])
@pytest.mark.parametrize(("left", "right"), [("spin", "metal"), ("boson", "spin"), ("metal", "metal")])
def test_gallavotti_cohen(subsystem: str, left: str, right: str) -> None:
    point = at(left, right)
    affinity = 1 / 0.7 - 1 / 1.3
    keep: dict[str, Any] = {"levels": levels_at_field(affinity, **point)} if subsystem == "HO" else {}
    model = junction(subsystem=subsystem, **point, **keep)
    symmetry = gallavotti_cohen(lambda s: model.scgf("L", s), affinity)
    assert np.abs(symmetry.value - symmetry.mirrored).max() < 1e-12
    assert np.abs(symmetry.value).max() > 1e-3
    wrong = gallavotti_cohen(lambda s: model.scgf("L", s), affinity + 0.01)
    assert np.abs(wrong.value - wrong.mirrored).max() > 1e-5


def test_exchange_average_of_an_unbounded_ladder_diverges_at_a_finite_time() -> None:
    """<exp(-(beta_R - beta_L) Q_L)> from the stationary state: finite before, growing with the cut-off after."""
    point = at("boson", "boson", 1.0, 2.0, 0.5) | {"right": {"kind": "boson", "g": 0.2}}
    k_L, k_R, u_L, u_R = numbers(point)
    q = formulas.stationary_ratio(k_L, k_R, u_L, u_R)
    assert q * q > u_R
    at_time = formulas.exchange_average_diverges_at(k_L, k_R, u_L, u_R)
    assert 0.05 < at_time < 5

    def average(levels: int, t: float) -> float:
        n, P = junction(subsystem="ladder", levels=levels, **point).quanta_distribution("L", t)
        return float(P @ np.exp(-n * (1 / 0.5 - 1 / 2.0)))

    def bare(levels: int, t: float) -> float:
        """The same from the tilted generator, without the rounding of tails."""
        import scipy.linalg as la

        up, down, n = u_L * k_L, k_L, np.arange(levels)
        s = -(1 / 0.5 - 1 / 2.0)
        W = np.diag((up * math.exp(s) + u_R * k_R) * n[1:], -1) + np.diag((down * math.exp(-s) + k_R) * n[1:], 1)
        leave = (k_L + k_R) * n + (up + u_R * k_R) * np.where(n < levels - 1, n + 1, 0)
        p = q**n / (q**n).sum()
        return float((la.expm(t * (W - np.diag(leave))) @ p).sum())

    before = [bare(N, 0.5 * at_time) for N in (40, 80)]
    assert before[0] == pytest.approx(before[1], rel=1e-3)
    assert average(40, 0.5 * at_time) == pytest.approx(before[0], rel=1e-3)
    after = [bare(N, 2 * at_time) for N in (20, 40, 80)]
    assert after[1] > 3 * after[0]
    assert after[2] > 9 * after[1]
    assert formulas.exchange_average_diverges_at(k_R, k_L, u_R, u_L) == math.inf
    full = junction(subsystem="ladder", levels=40, **point).trajectory_statistics(2 * at_time).exponential_average
    assert full.mean == pytest.approx(1, abs=1e-10)


# -------------------------------------------------------------------- stochastic thermodynamics


@pytest.mark.parametrize("subsystem", ["HO", "TLS"])
def test_fluctuation_theorems(subsystem: str) -> None:
    model = junction(subsystem=subsystem, **at("boson", "metal"))
    d = model.process.d
    assert model.trajectory_statistics(1.0).exponential_average.mean == pytest.approx(1, abs=1e-10)
    assert model.trajectory_statistics(1.0, initial=np.eye(d) / d).exponential_average.mean == pytest.approx(
        1, abs=1e-10
    )
    for level in (0, 1):
        ket = np.eye(d, dtype=complex)[level]
        average = model.trajectory_statistics(0.4, initial=ket).exponential_average.mean
        back = model.evolve(ket, [0.8])[0][level, level].real
        assert average == pytest.approx(back, rel=1e-9)
        assert average < 1
    uncertainty = wusegal.QUANTITIES["junction", "tur_ratio"]
    for left, right in PAIRS:
        assert uncertainty({"subsystem": subsystem, **at(left, right)}) >= 2 - 1e-10


def test_zero_temperature() -> None:
    model = junction(**at("spin", "metal", 1.0, 0.5, 0.0))
    assert model.entropy_production_rate() == math.inf
    assert math.isfinite(model.heat_currents()["L"])
    ensemble = collide.run(model, 1000, 3.0, seed=2, progress=False, threads=1)
    table = model.process.counts
    emitted = ensemble.counts[:, (table.bath == table.index("R")) & (table.quantum < 0)].sum(axis=1) > 0
    np.testing.assert_array_equal(np.isposinf(ensemble.entropy_production), emitted)
    assert emitted.any()


@pytest.mark.parametrize("subsystem", ["HO", "TLS"])
def test_ensembles_agree_with_the_exact_side(subsystem: str) -> None:
    model = junction(subsystem=subsystem, **at("boson", "metal"))
    ensemble = collide.run(model, 4000, [1.0, 4.0], seed=13, progress=False, threads=1)
    verdict = compare_with_exact(ensemble)
    assert verdict.passed, verdict
    charge = model.process.counts.charge
    assert np.array_equal(ensemble.final - ensemble.initial, ensemble.counts @ charge)  # quanta in are quanta there
    assert np.abs(ensemble.work).max() < 1e-11


def test_net_quanta_pass_chi_square() -> None:
    model = junction(**at("boson", "boson") | {"right": {"kind": "boson", "g": 0.5}})
    ensemble = collide.run(model, 20_000, 3.0, seed=4, progress=False, threads=1)
    n = np.rint(ensemble.heat["L"]).astype(int)
    support, P = model.quanta_distribution("L", 3.0)
    counts = [int((n == k).sum()) for k in support]
    assert chi_square(counts, P, n=len(n)).p_value > 1e-4
    other = dict(zip(*junction(**at("boson", "boson")).quanta_distribution("L", 3.0), strict=True))
    assert chi_square(counts, [other.get(k, 0.0) for k in support], n=len(n)).p_value < 1e-4


# -------------------------------------------------------------------- collisions


SWAPS: dict[str, dict[str, Any]] = {
    "boson": {"subsystem": "HO", "left": SOLID, "right": SOLID, "neglect": 1e-10},
    "spin": {"subsystem": "TLS", "left": SPIN, "right": SPIN},
}


@pytest.mark.parametrize("kind", SWAPS)
@pytest.mark.parametrize(("a", "b"), [(0.1, 0.3), (0.9, 0.6), (1.0, 1.0), (1.0, 0.02)])
def test_heat_per_cycle_at_any_angle(kind: str, a: float, b: float) -> None:
    point: dict[str, Any] = {"omega": 1.2, "T_L": 0.5, "T_R": 0.3, "picture": "collision", "tau": 0.7}
    model = junction(**SWAPS[kind], **point, swap_probability_L=a, swap_probability_R=b)
    heat = model.heat_currents()["L"] * 0.7
    assert heat == pytest.approx(formulas.swap_heat(1.2, a, b, 0.5, 0.3, kind), rel=1e-9)
    assert model.power() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", SWAPS)
def test_small_angles_give_the_weak_coupling_current(kind: str) -> None:
    closed = {"boson": formulas.current_ho, "spin": formulas.current_tls}[kind]
    k = [rate({"kind": kind, "g": g}, 1.0, T) for g, T in ((1e-6, 0.9), (3e-6, 0.4))]
    assert formulas.swap_heat(1.0, 1e-6, 3e-6, 0.9, 0.4, kind) == pytest.approx(closed(1.0, 0.9, 0.4, *k), rel=1e-5)


@pytest.mark.parametrize("subsystem", ["HO", "TLS"])
@pytest.mark.parametrize(("left", "right"), [("spin", "spin"), ("boson", "boson"), ("spin", "boson")])
def test_collisions_tend_to_the_jumps_of_any_two_ancillas(subsystem: str, left: str, right: str) -> None:
    point = at(left, right, 1.0, 0.5, 0.3)
    hits: Any = junction(subsystem=subsystem, picture="collision", tau=1e-3, neglect=1e-8, **point)
    exact = junction(subsystem=subsystem, **point).heat_currents()["L"]
    assert hits.lindblad_limit().heat_currents()["L"] == pytest.approx(exact, rel=1e-7)
    assert hits.heat_currents()["L"] == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("kind", SWAPS)
def test_ensembles_of_collisions(kind: str) -> None:
    point: dict[str, Any] = {"T_L": 0.5, "T_R": 0.3, "picture": "collision", "tau": 1.0}
    model = junction(**(SWAPS[kind] | {"neglect": 1e-6}), **point, swap_probability_L=0.7, swap_probability_R=0.4)
    ensemble = collide.run(model, 4000, 40.0, seed=6, progress=False, threads=1)
    q = formulas.swap_heat(1.0, 0.7, 0.4, 0.5, 0.3, kind)
    error = math.sqrt(model.heat_cumulants_at(40.0, "L", 2)[1] / 4000)
    assert abs(ensemble.heat["L"].mean() - 40 * q) < 4.5 * error
    assert np.abs(ensemble.work).max() < 1e-11  # resonant exchange needs no work
    assert ensemble.status.max() == 0


# -------------------------------------------------------------------- the metal


@pytest.mark.parametrize("T", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("F", [[1, 0, 0], [1, 1, 0], [1, -0.3, 0.7]])
def test_metal_integral_of_a_quadratic_band(T: float, F: list[float]) -> None:
    for omega in (0.02, 0.3, 3.0):
        found = metal_rate(polynomial_band([2.0, *F[1:]], 1.0), T, omega, 1.0)
        assert found == pytest.approx(metal_rate_quadratic([2.0, *F[1:]], T, omega), rel=1e-10)


def test_metal_integral_at_zero_temperature_and_over_a_narrow_band() -> None:
    assert metal_rate(lambda e: 1.0, 0.0, 0.3, 1.0) == pytest.approx(2 * math.pi * 0.3, rel=1e-12)
    T, omega, mu, band = 0.2, 0.3, 1.0, (0.8, 1.1)

    def antiderivative(x: float) -> float:
        """Of n_F(e) - n_F(e + omega), e = x + mu."""
        return T * (math.log1p(math.exp((x + omega) / T)) - math.log1p(math.exp(x / T)))

    inside = antiderivative(band[1] - mu) - antiderivative(band[0] - mu)
    assert metal_rate(lambda e: 1.0, T, omega, mu, band) == pytest.approx(2 * math.pi * inside, rel=1e-11)
    assert metal_rate(lambda e: 1.0, 0.01, omega, mu, (5.0, 6.0)) < 1e-100


def test_a_junction_with_a_band_and_with_a_function() -> None:
    coefficients = {"kind": "metal", "F_coefficients": [1.0, 0.5, 0.2], "mu": 1.0}
    function = {"kind": "metal", "F": polynomial_band([1.0, 0.5, 0.2], 1.0), "mu": 1.0}
    point: dict[str, Any] = {"omega": 0.4, "left": SPIN, "T_L": 0.3, "T_R": 0.2}
    models: list[Any] = [junction(right=side, **point) for side in (coefficients, function)]
    k = metal_rate_quadratic([1.0, 0.5, 0.2], 0.2, 0.4) / -math.expm1(-0.4 / 0.2)
    assert [wusegal.relaxation_rates(model)[1] for model in models] == pytest.approx([k, k], rel=1e-10)
    narrow = junction(right=coefficients | {"band": [0.9, 1.05]}, **point)
    assert wusegal.relaxation_rates(narrow)[1] < k
    json.dumps(models[1].recipe)


# -------------------------------------------------------------------- figures, claims, recipes


def test_figures_are_drawn_from_exact_curves(tmp_path: Path) -> None:
    for figure in wusegal.FIGURES:
        curves = figure.curves(0, 1)
        figure.draw(curves).savefig(tmp_path / f"{figure.name}.png", dpi=40)
        if figure.name == "swaps":
            formula, exact = (curves[f"{name} boson"] for name in ("formula", "map"))
            assert np.interp(exact["x"], formula["x"], formula["q"]) == pytest.approx(exact["q"], rel=1e-3)
    plt.close("all")


def test_a_sampled_ratio_of_a_figure() -> None:
    from collide.analysis.papers.wusegal_figures import ratio as exact_ratio
    from collide.analysis.papers.wusegal_figures import sampled_ratio

    def build(T_L: float, T_R: float) -> Any:
        return junction(subsystem="TLS", left=SPIN, right=METAL, T_L=T_L, T_R=T_R)

    found = sampled_ratio(build, 2.0, 0.8, 1000, 3)
    assert abs(found.value - exact_ratio(build, 2.0, 0.8)) < 4.5 * found.error < 0.2


def test_claims() -> None:
    verdicts = [claim.verdict for claim in wusegal.claims()]
    assert len(verdicts) == 19
    assert verdicts.count("does not hold") == 1
    assert verdicts.count("holds corrected") == 5


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"subsystem": "TLS", "left": SOLID, "right": {"kind": "metal", "F_coefficients": [1, 0, 1], "mu": 1}},
        {**SWAPS["spin"], "picture": "collision", "tau": 1.0, "swap_probability_L": 0.1, "swap_probability_R": 0.2},
    ],
)
def test_a_recipe_builds_the_same_model(keywords: dict[str, Any]) -> None:
    model: Any = junction(**keywords)
    recipe = json.loads(json.dumps(model.recipe))
    again = MACHINES[recipe["machine"]](**recipe["parameters"])
    assert again.heat_cumulants("L", 2) == pytest.approx(model.heat_cumulants("L", 2), rel=0, abs=0)
    assert again.recipe == model.recipe


COLLIDE: dict[str, Any] = {"picture": "collision", "tau": 1.0, "left": SPIN, "right": SPIN, "subsystem": "TLS"}


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"subsystem": "XYZ"}, "`subsystem` must be one of 'HO', 'TLS', 'ladder'"),
        ({"left": {"kind": "photon", "g": 1}}, r"`left\['kind'\]` must be one of 'spin', 'boson', 'metal'"),
        ({"left": {"kind": "spin"}}, "`left` needs 'g', the strength of its coupling"),
        ({"left": {"kind": "spin", "g": -1}}, r"`left\['g'\]` must be positive, but is -1"),
        ({"right": {"kind": "spin", "g": 1, "mu": 1}}, "`right` of kind 'spin' takes g, kind, but has 'mu'"),
        ({"right": {"kind": "metal", "g": 1, "mu": 1}}, "`right` is a metal and needs 'delta'"),
        (
            {"right": {"kind": "metal", "F_coefficients": [1], "mu": 1, "g": 1}},
            "by 'g', 'delta' and 'mu', or by one band",
        ),
        ({"right": {"kind": "metal", "F_coefficients": [1]}}, "needs 'mu', its chemical potential"),
        ({"omega": 0}, "`omega` must be positive"),
        ({"omega": 1e-5}, "so small beside the temperatures that the oscillator needs .* take the closed form"),
        ({"left": SOLID, "T_L": -1}, "no thermal state at beta <= 0"),
        ({"right": SPIN, "T_L": -1}, "must be positive and finite for an oscillator"),
        ({"subsystem": "ladder"}, "`levels` is missing"),
        ({"subsystem": "TLS", "levels": 3}, "`levels` has no meaning for two levels"),
        ({"levels": 1}, "`levels` must be a whole number, at least 2"),
        ({"picture": "collision", "tau": 1.0}, "bath 'R' is a metal, which no single ancilla represents"),
        ({"picture": "collision"}, "`tau` is missing"),
        ({"tau": 1.0}, "`tau` describes collisions"),
        (COLLIDE | {"swap_probability_L": 1.5}, r"`swap_probability_L` must lie in \(0, 1\], but is 1.5"),
        (COLLIDE | {"swap_probability_R": 0.5, "right": SOLID}, "qubits on a TLS and oscillators on an HO only"),
        (COLLIDE | {"swap_probability_R": 0.5, "construction": "joint"}, "take construction='split'"),
    ],
)
def test_refusals(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        junction(**keywords)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metal_rate(lambda e: 1.0, 0.1, 0.0, 1.0), "`omega` must be positive"),
        (lambda: metal_rate(lambda e: 1.0, -0.1, 0.1, 1.0), "`T` must be finite and >= 0"),
        (lambda: metal_rate(lambda e: 1.0, 0.1, 0.1, 1.0, (2, 1)), "`band` must ascend"),
        (lambda: metal_rate(lambda e: -1.0, 0.1, 0.1, 1.0), "F must not be negative near `mu`"),
    ],
)
def test_refusals_of_the_metal(call: Callable[[], float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
