"""The rectifier against its closed forms, its exact moments and the public reference table."""

from itertools import product
import json
import math
from pathlib import Path

import numpy as np
import pytest

import collide
from collide.analysis import chi_square, concurrence, linear_conductance
from collide.analysis.papers.base import UnknownParameter
from collide.analysis.papers.rectifier import QUANTITIES
from collide.analysis.reference_tables import compare, evaluate, load
from collide.machines import rectifier, registry
from collide.machines import rectifier_formulas as formulas
from collide.machines import rectifier_global_formulas as global_formulas
from collide.machines.rectifier import bath
from collide.machines.rectifier_checks import MATCHED_ANGLE
from collide.machines.rectifier_counting import generating_function, quanta_distribution
from collide.machines.rectifier_moments import chain_moments, heat_cumulant_rates, levels_needed, relaxation_time

TABLE = Path(__file__).parent / "data" / "rectifier.json"
STATISTICS = list(product((-1, 1), repeat=3))
BASE = {"g": 0.05, "gamma_L": 0.03, "gamma_R": 0.08, "T_L": 0.45, "T_R": 0.25}
TABLE_POINT = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}


def moments(N=2, eps_a=-1, eps_L=1, eps_R=1, omega=1.0, g=0.0, *, gamma_L, gamma_R, T_L, T_R):
    left, right = bath("L", gamma_L, T_L, eps_L), bath("R", gamma_R, T_R, eps_R)
    ends = {0: [left, right]} if N == 1 else {0: [left], N - 1: [right]}
    return chain_moments(N, omega, g, eps_a, ends), ends


def net_charge(ensemble, model):
    """Net quanta received from all baths, per trajectory, as integers."""
    return np.asarray(ensemble.counts) @ model.process.counts.charge


# ---------------------------------------------------------------- closed forms and exact side


@pytest.mark.parametrize(("eps_a", "eps_L", "eps_R"), STATISTICS)
@pytest.mark.parametrize("N", [1, 2])
def test_current_of_all_eight_statistics(N, eps_a, eps_L, eps_R):
    kinds = {"eps_a": eps_a, "eps_L": eps_L, "eps_R": eps_R}
    model = rectifier(N=N, **BASE, **kinds, neglect=1e-14)
    J = model.heat_currents()["L"] - model.heat_currents()["R"]
    assert formulas.current(N=N, **BASE, **kinds) == pytest.approx(J, rel=1e-9)
    assert abs(model.power()) < 1e-15
    assert model.heat_currents()["L"] == pytest.approx(-model.heat_currents()["R"], rel=1e-9)
    hot = {"T_L": 30.0, "T_R": 7.0}  # far beyond any truncation
    exact, _ = moments(N, **(BASE | hot), **kinds)
    assert 2 * exact.heat["L"] == pytest.approx(formulas.current(N=N, **(BASE | hot), **kinds), rel=1e-9)


@pytest.mark.parametrize(("eps_a", "eps_L", "eps_R"), STATISTICS)
def test_moments_of_two_sites(eps_a, eps_L, eps_R):
    kinds = {"eps_a": eps_a, "eps_L": eps_L, "eps_R": eps_R}
    closed = formulas.two_site_moments(**BASE, **kinds)
    M, b = formulas.moment_equations(**BASE, **kinds)
    assert np.linalg.solve(M, -b) == pytest.approx(
        np.array([closed.first, closed.second, closed.coherence, np.conj(closed.coherence)]), rel=1e-12
    )
    exact, _ = moments(2, **BASE, **kinds)
    assert exact.occupations == pytest.approx([closed.first, closed.second], rel=1e-12)
    assert exact.coherence == pytest.approx(closed.coherence, rel=1e-12)
    assert closed.coherence == pytest.approx(
        formulas.coherence(formulas.current(**BASE, **kinds), BASE["g"]), rel=1e-12
    )
    heat = formulas.heat_current(1.0, BASE["gamma_L"], BASE["T_L"], eps_L, eps_a, closed.first)
    assert 2 * heat == pytest.approx(formulas.current(**BASE, **kinds), rel=1e-12)
    model = rectifier(**BASE, **kinds, neglect=1e-14)
    rho = model.steady_state()
    s = [np.kron(lower(model.dims[0]), np.eye(model.dims[1])), np.kron(np.eye(model.dims[0]), lower(model.dims[1]))]
    assert np.trace(s[0] @ s[1].conj().T @ rho) == pytest.approx(closed.coherence, rel=1e-9)
    assert [np.trace(a.conj().T @ a @ rho).real for a in s] == pytest.approx([closed.first, closed.second], rel=1e-9)


def lower(levels):
    return np.diag(np.sqrt(np.arange(1, levels)), 1)


@pytest.mark.parametrize(("eps_L", "eps_R"), list(product((-1, 1), repeat=2)))
def test_chain_conducts_as_two_sites_do(eps_L, eps_R):
    kinds = {"eps_L": eps_L, "eps_R": eps_R}
    expected = formulas.current(**BASE, **kinds) / 2
    for N in (2, 3, 4, 5, 6):
        assert rectifier(N=N, **BASE, **kinds).heat_currents()["L"] == pytest.approx(expected, rel=1e-11)
    for eps_a, N in product((-1, 1), (7, 40)):
        exact, _ = moments(N, eps_a, **BASE, **kinds)
        assert 2 * exact.heat["L"] == pytest.approx(formulas.current(**BASE, **kinds, eps_a=eps_a), rel=1e-9)


@pytest.mark.parametrize(("eps_a", "eps_L", "eps_R"), STATISTICS)
def test_noise_of_chains_from_the_riccati_equation(eps_a, eps_L, eps_R):
    kinds = {"eps_a": eps_a, "eps_L": eps_L, "eps_R": eps_R}
    for N in (1, 2) if eps_a == 1 else (1, 2, 3, 4):
        _, ends = moments(N, **BASE, **kinds)
        for counted in "LR":
            rates = heat_cumulant_rates(N, 1.0, BASE["g"], eps_a, ends, counted, 3)
            # the fraction 1e-15 left out weighs n^3 times more in a third cumulant
            model = rectifier(N=N, **BASE, **kinds, neglect=1e-15)
            assert rates == pytest.approx(model.heat_cumulants(counted, 3), rel=1e-8)


@pytest.mark.parametrize("N", [1, 2, 4])
def test_relaxation_time_is_the_slowest_rate_of_the_generator(N):
    """Second moments decay with pairs of modes; the slowest of all is among the eigenvalues of the whole generator."""
    _, ends = moments(N, **BASE)
    slowest = 1 / relaxation_time(N, 1.0, BASE["g"], -1, ends)
    rates = -np.linalg.eigvals(rectifier(N=N, **BASE)._reduced().base).real
    assert np.abs(rates - slowest).min() == pytest.approx(0.0, abs=1e-12)
    assert np.sort(rates)[1] == pytest.approx(slowest, rel=1e-9)


def test_noise_depends_on_the_length_though_the_mean_does_not():
    point = {"g": 1.098, "gamma_L": 1.7, "gamma_R": 1.7, "T_L": 50.0, "T_R": 0.8734, "eps_L": -1, "eps_R": -1}
    found = [rectifier(N=N, **point).heat_cumulants("L", 2) for N in (2, 3, 4)]
    assert [c[0] for c in found] == pytest.approx([found[0][0]] * 3, rel=1e-12)
    assert [c[1] for c in found] == pytest.approx([0.237668, 0.235268, 0.235268], abs=5e-7)


def test_scaling_factor_and_its_cold_limits():
    for eps_L, eps_a in product((-1, 1), repeat=2):
        cold = formulas.scaling_factor(
            g=0.03, gamma_L=0.02, gamma_R=0.05, T_L=0.7, T_R=0.0, eps_a=eps_a, eps_L=eps_L, eps_R=1
        )
        x = 0.02 * 0.05 / (4 * 0.03**2)
        assert formulas.low_temperature_scaling(x, 0.7, eps_L - eps_a) == pytest.approx(cold, rel=1e-14)
    a0, a1, a2 = (formulas.low_temperature_scaling(0.4, 0.7, d) for d in (0, 2, -2))
    assert a2 > a0 > a1 > 0


@pytest.mark.parametrize(("eps_L", "eps_R"), list(product((-1, 1), repeat=2)))
@pytest.mark.parametrize("eps_a", [-1, 1])
def test_contrast(eps_a, eps_L, eps_R):
    kinds = {"eps_a": eps_a, "eps_L": eps_L, "eps_R": eps_R}
    for N in (1, 2):
        found = QUANTITIES["rectifier_local", "contrast"](BASE | kinds | {"N": N})
        assert found == pytest.approx(formulas.contrast(N=N, **BASE, **kinds), rel=1e-8, abs=2e-10)
    if eps_L == eps_R == eps_a:
        assert found < 2e-10  # the truncation of the oscillators
    if (eps_a, eps_L, eps_R) == (-1, 1, 1):
        plain = {k: BASE[k] for k in ("gamma_L", "gamma_R", "T_L", "T_R")}
        assert found == pytest.approx(formulas.contrast_qubits(**plain), rel=1e-10)
    equal = BASE | kinds | {"gamma_R": BASE["gamma_L"]}
    rectifies = QUANTITIES["rectifier_local", "contrast"](equal) > 1e-9
    assert rectifies == (eps_L != eps_R)


@pytest.mark.parametrize(("eps_a", "eps_L", "eps_R"), STATISTICS)
def test_conductance_is_twice_the_printed_one(eps_a, eps_L, eps_R):
    kinds = {"eps_a": eps_a, "eps_L": eps_L, "eps_R": eps_R}
    plain = {k: BASE[k] for k in ("g", "gamma_L", "gamma_R")}
    for N, T in product((1, 2), (0.1, 0.4)):
        found = QUANTITIES["rectifier_local", "conductance"](plain | kinds | {"N": N, "T_L": T, "T_R": T})
        assert formulas.conductance(N=N, T=T, **plain, **kinds) == pytest.approx(found, rel=1e-8)
    slope = linear_conductance(lambda a, b: rectifier(**(BASE | {"T_L": a, "T_R": b}), **kinds, neglect=1e-14), 0.4)
    assert 2 * slope.value == pytest.approx(found, rel=1e-7)


def test_conductance_peaks_where_it_should():
    peak = QUANTITIES["rectifier_local", "conductance_peak_temperature"](
        {"g": 1.0, "gamma_L": 0.01, "gamma_R": 0.02, "N": 1, "omega": 2.5}
    )
    assert peak == pytest.approx(2.5 / formulas.peak_position(), rel=1e-6)
    assert formulas.peak_position() == pytest.approx(1.91501, abs=5e-6)
    best = formulas.conductance(N=1, T=1 / formulas.peak_position(), gamma_L=0.01, gamma_R=0.02)
    assert formulas.largest_conductance(gamma_L=0.01, gamma_R=0.02) / best - 1 == pytest.approx(-0.0016, abs=1e-4)


def test_negative_differential_conductance():
    for g, gamma_L, gamma_R, expected in ((0.01, 0.01, 0.02, 1.957615), (0.02, 0.1, 0.05, 1.130812)):
        couplings = {"g": g, "gamma_L": gamma_L, "gamma_R": gamma_R}
        onset = formulas.ndtc_onset(**couplings)
        assert onset == pytest.approx(expected, abs=5e-7)
        assert QUANTITIES["rectifier_local", "ndtc_onset_T_L"](couplings | {"T_R": 0.0}) == pytest.approx(
            onset, rel=1e-6
        )
        assert formulas.differential_conductance(**couplings, T_L=0.9 * onset, T_R=0.0) > 0
        assert formulas.differential_conductance(**couplings, T_L=1.1 * onset, T_R=0.0) < 0
    h, point = 1e-4, {"g": 0.02, "gamma_L": 0.1, "gamma_R": 0.05, "T_R": 0.3}
    J = [formulas.current(**point, T_L=1.4 + d) for d in (-h, h)]
    assert formulas.differential_conductance(**point, T_L=1.4) == pytest.approx((J[1] - J[0]) / (2 * h), rel=1e-6)
    hard = {"g": 0.001, "gamma_L": 2.0, "gamma_R": 0.5}  # flows cancel to ten digits
    found = QUANTITIES["rectifier_local", "ndtc_onset_T_L"](hard | {"T_R": 0.0})
    assert found == pytest.approx(formulas.ndtc_onset(**hard), rel=3e-7)
    one_site = {"N": 1, "gamma_L": 0.01, "gamma_R": 0.02, "T_R": 0.0}
    assert QUANTITIES["rectifier_local", "ndtc_onset_T_L"](one_site) == math.inf


def test_entanglement():
    point = {"g": 0.016, "gamma_L": 0.01, "gamma_R": 0.1, "T_L": 2.0, "T_R": 0.05}
    rho = rectifier(**point).steady_state()
    p_1, p_4 = formulas.end_populations(**point)
    assert (p_1, p_4) == pytest.approx((rho[3, 3].real, rho[0, 0].real), rel=1e-12)
    J = formulas.current(**point)
    assert formulas.critical_current(**point) == pytest.approx(4 * 0.016 * math.sqrt(p_1 * p_4), rel=1e-12)
    assert formulas.concurrence(J, p_1, p_4, 0.016) == pytest.approx(float(concurrence(rho)), rel=1e-10)
    assert float(concurrence(rho)) == pytest.approx(0.0577, abs=5e-5)
    swapped = rectifier(**(point | {"T_L": 0.05, "T_R": 2.0})).steady_state()
    assert concurrence(swapped) == 0.0
    equal = {"g": 0.01, "gamma_L": 0.01, "gamma_R": 0.01, "T_L": 0.7, "T_R": 0.0}
    assert formulas.critical_current_symmetric(g=0.01, gamma=0.01, T_L=0.7) == pytest.approx(
        formulas.critical_current(**equal), rel=1e-12
    )


def test_entropy_production_is_half_the_printed_one():
    model = rectifier(**TABLE_POINT)
    J = model.heat_currents()["L"] - model.heat_currents()["R"]
    assert formulas.entropy_production(J, 1.0, 0.3) == pytest.approx(model.entropy_production_rate(), rel=1e-12)
    back = rectifier(**(TABLE_POINT | {"T_L": 0.3, "T_R": 1.0}))
    coefficient = formulas.rectification_coefficient(model.heat_currents()["L"], back.heat_currents()["L"])
    assert model.entropy_production_rate() / back.entropy_production_rate() == pytest.approx(coefficient, rel=1e-12)
    assert rectifier(T_R=0.0).entropy_production_rate() == math.inf


def test_global_equation():
    couplings = {"g": 0.8, "gamma_L": 0.01, "gamma_R": 0.02}
    model = rectifier(**couplings, T_L=0.7, T_R=0.3, equation="global")
    J = model.heat_currents()["L"] - model.heat_currents()["R"]
    assert global_formulas.global_current(**couplings, T_L=0.7, T_R=0.3) == pytest.approx(J, rel=1e-12)
    assert abs(model.power()) < 1e-16
    for T in (0.1, 0.5, 5.0):
        found = QUANTITIES["rectifier_global", "contrast"](couplings | {"T_L": T, "T_R": 0.0})
        assert global_formulas.global_contrast(**couplings, T_L=T) == pytest.approx(found, rel=1e-9)
        found = QUANTITIES["rectifier_global", "conductance"](couplings | {"T_L": T, "T_R": T})
        assert global_formulas.global_conductance(**couplings, T=T) == pytest.approx(found, rel=1e-9)
    weak = {"g": 1e-5, "gamma_L": 0.01, "gamma_R": 0.02, "T_L": 0.7, "T_R": 0.3}
    limit = formulas.current(N=1, **weak)
    found = rectifier(**weak, equation="global").heat_currents()["L"]
    assert 2 * found == pytest.approx(limit, rel=1e-8)


@pytest.mark.parametrize(("eps_a", "eps_L", "eps_R"), STATISTICS)
def test_global_equation_of_all_eight_statistics(eps_a, eps_L, eps_R):
    """Two independent modes, each one site with half of either coupling; qubits are such modes of fermions."""
    kinds = {"eps_a": eps_a, "eps_L": eps_L, "eps_R": eps_R}
    for T_R in (0.2, 0.0):
        point = {"T_L": 0.4, "T_R": T_R} | kinds
        model = rectifier(g=0.3, gamma_L=0.01, gamma_R=0.02, **point, equation="global", neglect=1e-12)
        modes = sum(formulas.current(N=1, omega=w, gamma_L=0.005, gamma_R=0.01, **point) for w in (0.7, 1.3))
        flows = model.heat_currents()
        assert flows["L"] - flows["R"] == pytest.approx(modes, rel=1e-8)
        assert abs(model.power()) < 1e-15


def test_global_equation_of_oscillators_agrees_with_the_modes():
    """Independent modes: each carries the current of one oscillator with its own couplings."""
    point = {"gamma_L": 0.01, "gamma_R": 0.02, "T_L": 0.4, "T_R": 0.2}
    found = rectifier(N=2, eps_a=1, g=0.3, **point, equation="global", neglect=1e-12).heat_currents()["L"]
    halves = point | {"gamma_L": 0.005, "gamma_R": 0.01}
    modes = sum(formulas.current(N=1, omega=w, eps_a=1, **halves) for w in (0.7, 1.3))
    assert 2 * found == pytest.approx(modes, rel=1e-8)


# ---------------------------------------------------------------- collisions


@pytest.mark.parametrize("construction", ["split", "alternating", "sequential", "joint", "gates", "matched"])
@pytest.mark.parametrize("eps", [-1, 1])
def test_collisions_conserve_quanta_and_tend_to_the_local_equation(construction, eps):
    kinds = {"eps_L": eps, "eps_R": eps}
    limit = rectifier(**TABLE_POINT, **kinds).heat_currents()["L"]
    errors = []
    for tau in (0.2, 0.1):
        model = rectifier(
            **TABLE_POINT, **kinds, picture="collision", construction=construction, tau=tau, neglect=1e-13
        )
        flows = model.heat_currents()
        assert flows["L"] == pytest.approx(-flows["R"], rel=1e-10)
        assert abs(model.power()) < 1e-13
        errors.append(flows["L"] / limit - 1)
    slope = math.log2(errors[0] / errors[1])
    assert slope == pytest.approx(2.0 if construction == "matched" else 1.0, abs=0.1)


@pytest.mark.parametrize(("eps_a", "eps_L", "eps_R"), STATISTICS)
def test_collisions_of_all_eight_statistics_at_zero_temperature(eps_a, eps_L, eps_R):
    kinds = {"eps_a": eps_a, "eps_L": eps_L, "eps_R": eps_R}
    point = BASE | {"T_L": 0.25, "T_R": 0.0} | kinds
    limit = formulas.current(**point)
    for construction, order in (("split", 1), ("sequential", 1), ("joint", 1), ("gates", 1), ("matched", 2)):
        how = {"picture": "collision", "construction": construction, "neglect": 1e-9 if order == 2 else 1e-6}
        if construction == "matched" and eps_a == 1 and (eps_L, eps_R) != (1, 1):
            with pytest.raises(ValueError, match="makes a collision exact"):
                rectifier(**point, **how, tau=0.4)
            continue
        errors = []
        for tau in (0.4, 0.2):
            model = rectifier(**point, **how, tau=tau)
            flows = model.heat_currents()
            assert flows["L"] == pytest.approx(-flows["R"], rel=1e-10)
            assert abs(model.power()) < 1e-14
            errors.append(2 * flows["L"] / limit - 1)
        assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)
        assert abs(errors[1]) < (2e-5 if order == 2 else 2e-3)


def test_collisions_of_oscillators_and_their_weak_limit():
    kinds = {"eps_a": 1, "eps_L": 1, "eps_R": 1}
    cool = BASE | {"T_L": 0.3, "T_R": 0.2}
    model = rectifier(**cool, **kinds, picture="collision", tau=0.01, neglect=1e-8)
    exact = rectifier(**cool, **kinds, neglect=1e-8).heat_currents()["L"]
    assert model.lindblad_limit().heat_currents()["L"] == pytest.approx(exact, rel=1e-9)
    assert model.heat_currents()["L"] == pytest.approx(exact, rel=2e-3)
    matched = rectifier(**cool, **kinds, picture="collision", construction="matched", tau=0.5, neglect=1e-8)
    assert matched.heat_currents()["L"] == pytest.approx(exact, rel=1e-3)


def test_matched_angle_is_one_choice_of_angle():
    kinds = {"eps_L": -1, "eps_R": -1, "picture": "collision", "tau": 1.0}
    matched = rectifier(**TABLE_POINT, **kinds, construction="matched")
    by_angle = rectifier(**TABLE_POINT, **kinds, angle=MATCHED_ANGLE)
    assert matched.heat_currents()["L"] == pytest.approx(by_angle.heat_currents()["L"], rel=1e-12)


def test_one_site_between_both_baths_by_collisions():
    model = rectifier(N=1, **TABLE_POINT, picture="collision", tau=0.005)
    assert 2 * model.heat_currents()["L"] == pytest.approx(formulas.current(N=1, **TABLE_POINT), rel=2e-3)


def test_chain_independence_holds_only_as_tau_vanishes():
    def current(N, tau):
        return rectifier(N=N, **TABLE_POINT, picture="collision", tau=tau).heat_currents()["L"]

    gaps = {N: [current(N, tau) / current(2, tau) - 1 for tau in (0.4, 0.2)] for N in (3, 4)}
    for first, second in gaps.values():
        assert abs(first) > 1e-6
        assert abs(second) < 0.6 * abs(first)


@pytest.mark.parametrize("eps_a", [-1, 1])
def test_collisions_with_eigenoperators_tend_to_the_global_equation(eps_a):
    point = {"g": 0.5, "gamma_L": 0.01, "gamma_R": 0.02, "T_L": 0.35, "T_R": 0.2, "eps_a": eps_a, "neglect": 1e-7}
    exact = rectifier(**point, equation="global")
    errors = []
    for tau in (1.0, 0.5):
        model = rectifier(**point, equation="global", picture="collision", tau=tau)
        assert model.power() == pytest.approx(0.0, abs=1e-14)
        errors.append(model.heat_currents()["L"] / exact.heat_currents()["L"] - 1)
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.1)
    assert model.lindblad_limit().heat_currents()["L"] == pytest.approx(exact.heat_currents()["L"], rel=1e-9)


# ---------------------------------------------------------------- symmetry


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"eps_L": -1},
        {"N": 1},
        {"N": 3},
        {"g": 0.5, "equation": "global"},
        {"picture": "collision", "tau": 1.0},
        {"picture": "collision", "tau": 1.0, "construction": "joint", "eps_L": -1, "eps_R": -1},
        {"picture": "collision", "tau": 1.0, "construction": "sequential", "eps_L": -1, "eps_R": -1},
    ],
)
def test_gallavotti_cohen(keywords):
    model = rectifier(**(TABLE_POINT | keywords))
    affinity = 1 / 0.3 - 1.0
    s = np.array([-0.7, 0.2, 1.1])
    assert model.scgf("L", s) == pytest.approx(model.scgf("L", -s - affinity), abs=1e-12)


def test_uncertainty_relation_is_violated_slightly():
    point = {"g": 1.098, "gamma_L": 1.7, "gamma_R": 1.7, "T_L": 400.0, "T_R": 0.8734, "eps_L": -1, "eps_R": -1}
    ratio = QUANTITIES["rectifier_local", "tur_ratio"]
    assert ratio(point) == pytest.approx(1.98270, abs=5e-6)
    assert ratio(point | {"T_L": math.inf}) < ratio(point)
    assert ratio(point | {"N": 3}) < ratio(point)
    assert ratio(point | {"N": 1}) > 2


# ---------------------------------------------------------------- the reference table


def test_reference_table():
    entries = load(TABLE)
    bad = [str(e) for e in entries if not compare(evaluate(QUANTITIES[e.key], e.params), e).ok]
    assert len(entries) == 334
    assert bad == []


def test_reference_table_notices_a_planted_fault():
    entry = next(e for e in load(TABLE) if e.key == ("rectifier_local", "heat_current_L"))
    assert not compare(evaluate(QUANTITIES[entry.key], entry.params | {"g": 0.010001}), entry).ok


def test_table_is_what_the_validator_expects():
    content = json.loads(TABLE.read_text(encoding="utf-8"))
    assert {(e["system"], e["quantity"]) for e in content["entries"]} <= set(QUANTITIES)


def test_hot_oscillators_agree_with_moments_and_levels():
    hot = {"eps_a": 1, "g": 0.05, "gamma_L": 0.03, "gamma_R": 0.08, "T_L": 6.0, "T_R": 3.0}
    for name in ("heat_current_L", "occupation_1", "occupation_2", "coherence_imag", "heat_L_variance_rate"):
        assert math.isfinite(QUANTITIES["rectifier_local", name](hot))
    assert QUANTITIES["rectifier_local", "J"](hot) == pytest.approx(formulas.current(**hot), rel=1e-10)
    # a temperature where levels are still enough: both ways give the same noise
    warm = hot | {"T_L": 0.8, "T_R": 0.4}
    _, ends = moments(2, **warm)
    by_levels = QUANTITIES["rectifier_local", "heat_L_third_cumulant_rate"](warm)
    assert heat_cumulant_rates(2, 1.0, 0.05, 1, ends, "L", 3)[2] == pytest.approx(by_levels, rel=1e-7)


def test_levels_hold_what_they_promise():
    model = rectifier(eps_a=1, **BASE, neglect=1e-6)
    rho = model.steady_state()
    first = rho.reshape(*model.dims, *model.dims).trace(axis1=1, axis2=3)
    assert model.dims[0] == levels_needed(formulas.two_site_moments(**BASE, eps_a=1).first, 1e-6)
    ratio = first[1, 1].real / first[0, 0].real
    n = formulas.two_site_moments(**BASE, eps_a=1).first
    assert ratio == pytest.approx(n / (1 + n), rel=1e-4)  # thermal, as the rule for the levels assumes


# ---------------------------------------------------------------- counting from moments


@pytest.mark.parametrize(("eps_a", "eps_L", "eps_R"), STATISTICS)
def test_counts_at_finite_time_from_a_determinant(eps_a, eps_L, eps_R):
    """The N x N determinant has the law that the generator of the whole density matrix has."""
    kinds = {"eps_a": eps_a, "eps_L": eps_L, "eps_R": eps_R}
    point = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 0.35, "T_R": 0.0}
    for N in (1, 2) if eps_a == 1 else (1, 2, 4):
        _, ends = moments(N, **kinds, **point)
        model = rectifier(N=N, **point, **kinds, neglect=1e-11)
        empty = np.eye(model.process.d)[0]
        for initial, state in (("empty", empty), ("steady", "steady")):
            for counted in "LR":
                n, P = quanta_distribution(N, 1.0, 0.05, eps_a, ends, counted, 20.0, initial)
                found = dict(zip(n.tolist(), P.tolist(), strict=True))
                expected = zip(*model.quanta_distribution(counted, 20.0, state), strict=True)
                assert max(abs(found.get(int(k), 0.0) - p) for k, p in expected) < 1e-10
                assert P.sum() == pytest.approx(1.0, abs=1e-12)


def test_counts_of_hot_oscillators_over_long_times():
    """Means and variances grow at the stationary rates, however long, hot and unequally damped the chain."""
    point = {"g": 0.3, "gamma_L": 3.0, "gamma_R": 0.02, "T_L": 5.0, "T_R": 1.0}
    exact, ends = moments(3, 1, **point)
    rates = heat_cumulant_rates(3, 1.0, 0.3, 1, ends, "L", 2)
    means, variances = [], []
    for time in (400.0, 500.0):
        n, P = quanta_distribution(3, 1.0, 0.3, 1, ends, "L", time, "steady")
        mean = float(n @ P)
        means.append(mean)
        variances.append(float((n - mean) ** 2 @ P))
    assert means == pytest.approx([400 * exact.heat["L"], 500 * exact.heat["L"]], rel=1e-8)
    assert (variances[1] - variances[0]) / 100 == pytest.approx(rates[1], rel=1e-6)
    whole = generating_function(np.array([0.0]), 3, 1.0, 0.3, 1, ends, "L", 500.0)
    assert whole == pytest.approx(1.0, abs=1e-10)
    with pytest.raises(ValueError, match="take a shorter time"):
        quanta_distribution(3, 1.0, 0.3, 1, ends, "L", 1e8)


def test_moments_some_time_after_an_empty_start():
    params = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.1, "T_L": 0.4, "T_R": 0.3, "eps_a": 1}
    _, ends = moments(2, **params)
    model = rectifier(**params, neglect=1e-12)
    rho = model.evolve(np.eye(model.process.d)[0], [12.0])[0]
    found = chain_moments(2, 1.0, 0.05, 1, ends, 12.0)
    assert found.heat == pytest.approx(model.heat_currents(rho), rel=1e-9)
    hot = params | {"T_L": 9.0, "time": 12.0}  # beyond levels
    assert QUANTITIES["rectifier_local", "occupation_1"](hot) > QUANTITIES["rectifier_local", "occupation_2"](hot) > 0
    late = QUANTITIES["rectifier_local", "heat_current_L"](hot | {"time": 1e4})
    assert 2 * late == pytest.approx(formulas.current(**(params | {"T_L": 9.0})), rel=1e-9)
    with pytest.raises(UnknownParameter, match="initial_state"):
        QUANTITIES["rectifier_local", "occupation_1"](hot | {"initial_state": "somewhere"})


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"N": 0}, "`N` must be a whole number of sites"),
        ({"eps_a": 2}, "`eps_a` must be 1"),
        ({"picture": "jumps"}, "`picture` must be one of"),
        ({"equation": "none"}, "`equation` must be one of"),
        ({"construction": "braids", "picture": "collision", "tau": 1}, "`construction` must be one of"),
        ({"angle": "pi"}, "`angle` must be one of"),
        ({"omega": -1.0}, "`omega` must be positive"),
        ({"g": math.nan}, "`g` must be finite"),
        ({"gamma_L": -0.1}, "`gamma_L` must be finite and >= 0"),
        ({"T_L": -1.0}, "`T_L` of an oscillator bath must be finite and >= 0"),
        ({"T_R": math.inf}, "take eps_R=-1"),
        ({"picture": "collision"}, "`tau` must be a positive duration"),
        ({"picture": "collision", "tau": 1.0, "equation": "global", "construction": "joint"}, "one by one"),
        ({"picture": "collision", "tau": 1.0, "equation": "global", "g": 2.0}, "needs |g| < 1"),
        ({"picture": "collision", "tau": 1.0, "gamma_R": 0.0}, "a bath that does not collide is none"),
        ({"tau": 1.0}, "describe collisions"),
        ({"equation": "global", "g": 1.0}, "needs |g| < 1"),
        ({"eps_a": 1, "T_L": 50.0, "T_R": 40.0}, "chain_moments"),
        ({"eps_a": 1, "eps_L": -1, "eps_R": -1, "T_L": math.inf, "T_R": math.inf}, "no steady state"),
        ({"picture": "collision", "tau": 1.0, "oscillator_levels": (3, 3, 3)}, "one for each of L and R"),
        ({"picture": "collision", "tau": 1.0, "construction": "joint", "oscillator_levels": 3}, "take at least"),
        ({"neglect": 0.0}, "`neglect` must lie between 0 and 1"),
        (
            {"picture": "collision", "tau": 1.0, "construction": "matched", "eps_a": 1, "eps_L": -1},
            "construction='matched' makes a collision exact",
        ),
    ],
)
def test_refusals_name_the_argument_and_the_remedy(keywords, sentence):
    with pytest.raises(ValueError, match=sentence.replace("|", r"\|").replace("(", r"\(")):
        rectifier(**keywords)


def test_unknown_parameters_are_refused():
    with pytest.raises(UnknownParameter, match="unknown parameter 'colour'"):
        QUANTITIES["rectifier_local", "J"](TABLE_POINT | {"colour": 1})
    with pytest.raises(UnknownParameter, match="missing parameter 'T_L'"):
        QUANTITIES["rectifier_local", "J"]({"g": 0.1, "gamma_L": 0.1, "gamma_R": 0.1, "T_R": 1.0})
    with pytest.raises(UnknownParameter, match="missing parameter 'g'"):
        QUANTITIES["rectifier_local", "J"]({"gamma_L": 0.1, "gamma_R": 0.1, "T_L": 1.0, "T_R": 1.0})


def test_recipe_builds_the_same_machine_again():
    model = rectifier(**TABLE_POINT, picture="collision", tau=0.5, construction="joint", oscillator_levels=(20, 12))
    assert json.loads(json.dumps(model.recipe)) == model.recipe
    again = registry()[model.recipe["machine"]](**model.recipe["parameters"])
    assert again.heat_currents() == model.heat_currents()


# ---------------------------------------------------------------- trajectories


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"picture": "collision", "tau": 0.25},
        {"picture": "collision", "tau": 0.25, "construction": "joint", "eps_L": -1, "eps_R": -1},
        {"N": 3, "eps_L": -1},
    ],
)
def test_quanta_balance_on_every_trajectory_and_the_counts_follow_the_exact_law(keywords):
    model = rectifier(**(TABLE_POINT | keywords))
    start = np.zeros(model.process.d)
    start[0] = 1.0  # every site empty
    ensemble = collide.run(model, 20_000, 10.0, seed=7, initial=start, progress=False)
    number = np.array([i.bit_count() for i in range(model.process.d)])
    kets = ensemble.program.arrays["final_kets"]
    final = np.abs(kets) ** 2 @ number
    assert final == pytest.approx(np.rint(final), abs=1e-9)  # outcomes are number states
    assert np.array_equal(np.rint(final).astype(int)[ensemble.final], net_charge(ensemble, model))
    n, P = model.quanta_distribution("L", 10.0, start)
    counted = np.asarray(ensemble.counts) @ model.process.counts.charge_weight("L").astype(int)
    observed = np.array([(counted == k).sum() for k in n])
    assert observed.sum() == 20_000
    assert chi_square(observed, P, n=20_000).p_value > 1e-5
    # the law of a device whose hot bath is a little cooler is told apart
    other = rectifier(**(TABLE_POINT | {"T_L": 0.85} | keywords))
    wrong = dict(zip(*other.quanta_distribution("L", 10.0, start), strict=True))
    assert chi_square(observed, [wrong.get(k, 0.0) for k in n], n=20_000).p_value < 1e-5
