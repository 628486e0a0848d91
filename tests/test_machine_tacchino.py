"""Qubits entangled by baths: closed forms, four classical states, limits, the cavity, refusals, the reference table."""

from collections.abc import Callable
import json
import math
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy import stats
import scipy.linalg

from collide import Bath, Channel, LindbladModel, Space, qubit
from collide.analysis import concurrence, partial_trace
from collide.analysis.papers import tacchino
from collide.analysis.papers.base import UnknownParameter
from collide.analysis.papers.tacchino_quantities import QUANTITIES, rates, with_limits
from collide.analysis.papers.tacchino_states import by_level, diamond_populations, signed_from_populations
from collide.analysis.reference_tables import Entry, compare, evaluate, load
from collide.machines import MACHINES, collective_formulas, collective_qubits, tavis_cummings
from collide.machines.tavis_cummings import effective_model, neglected_population, photon_populations
from collide.machines.tavis_cummings_formulas import effective_concurrence, effective_parameters

GROUND = np.eye(4)[0]
BETAS = [(0.0, 5.0), (-2.0, 5.0), (1.0, 1.0), (-3.0, -1.0), (3.0, -1.0), (-8.0, 12.0)]
TABLE = load(Path(__file__).parent / "data" / "tacchino.json")
beta = st.floats(-8.0, 8.0)


# -------------------------------------------------------------------- the table


@pytest.mark.parametrize("entry", TABLE, ids=str)
def test_reference_table(entry: Entry) -> None:
    deviation = compare(evaluate(QUANTITIES[entry.key], entry.params), entry)
    assert deviation.ok, f"off by {deviation.absolute:.3g}, {deviation.share:.3g} of the tolerance {deviation.where}"


def test_the_table_would_notice_a_fault() -> None:
    fields = vars(next(e for e in TABLE if e.quantity == "populations"))
    wrong = Entry(**fields | {"value": fields["value"] | {"E": fields["value"]["E"] * (1 + 1e-7)}})
    assert not compare(evaluate(QUANTITIES[wrong.key], wrong.params), wrong).ok


def test_every_quantity_of_the_table_is_known_and_refuses_what_it_does_not_know() -> None:
    assert {entry.key for entry in TABLE} == set(QUANTITIES)
    for (system, quantity), function in QUANTITIES.items():
        first = next(e for e in TABLE if e.key == (system, quantity))
        point = {k: v for k, v in first.params.items() if k not in ("sweep", "grid")}
        with pytest.raises(UnknownParameter, match="unknown parameter 'colour'"):
            function(point | {"colour": 1})


# -------------------------------------------------------------------- the collective model


@given(beta, beta)
def test_closed_forms_equal_the_exact_side(beta_A: float, beta_S: float) -> None:
    model: Any = collective_qubits(beta_A=beta_A, beta_S=beta_S)
    p = by_level(model.steady_state())
    # numbers as small as exp(-8) come out of sums of ones
    for level, exact in collective_formulas.populations(beta_A, beta_S).items():
        assert p[level] == pytest.approx(exact, rel=1e-9)
    scale = collective_formulas.jump_rates(beta_A, beta_S)
    assert model.heat_currents()["A"] == pytest.approx(
        collective_formulas.heat_current(beta_A, beta_S), rel=1e-9, abs=1e-13 * max(scale.values())
    )
    assert model.entropy_production_rate() == pytest.approx(
        collective_formulas.entropy_production_rate(beta_A, beta_S), rel=1e-9, abs=1e-11
    )
    assert concurrence(model.steady_state()) == pytest.approx(
        collective_formulas.concurrence(beta_A, beta_S), rel=1e-9, abs=1e-11
    )
    signed = signed_from_populations(diamond_populations(model.steady_state()))
    assert signed == pytest.approx(collective_formulas.concurrence(beta_A, beta_S, signed=True), rel=1e-9, abs=1e-11)


def four_states(beta_A: float, beta_S: float, a: complex = 0.0, s: complex = 0.0) -> Any:
    """Generator of the diamond as a classical process on G, S, A, E; a quantum from A weighs exp(a), from S exp(s)."""
    W = np.zeros((4, 4), dtype=complex)
    for low, high, field, b in ((0, 1, s, beta_S), (1, 3, s, beta_S), (0, 2, a, beta_A), (2, 3, a, beta_A)):
        up, down = 2.0, 2.0 * math.exp(b)
        W[high, low] += up * np.exp(field)
        W[low, high] += down * np.exp(-field)
        W[low, low] -= up
        W[high, high] -= down
    return W


@pytest.mark.parametrize("betas", BETAS)
def test_counting_statistics_equal_those_of_four_classical_states(betas: tuple[float, float]) -> None:
    model: Any = collective_qubits(beta_A=betas[0], beta_S=betas[1])
    p = np.array(list(collective_formulas.populations(*betas).values()))
    fields = np.array([-1.0, -0.3, 0.4])
    expected = [scipy.linalg.eigvals(four_states(*betas, a=s)).real.max() for s in fields]
    # a double holds the largest rate to 16 digits
    assert model.scgf("A", fields) == pytest.approx(expected, rel=1e-10, abs=1e-15 * math.exp(max(betas)))
    for t in (0.1, 2.0):
        n, P = model.quanta_distribution("A", t)
        P = dict(zip(n.tolist(), P.tolist(), strict=True))
        values = [scipy.linalg.expm(t * four_states(*betas, a=2j * np.pi * k / 64)) @ p for k in range(64)]
        whole = np.fft.fft([v.sum() for v in values]).real / 64
        found = [P.get(k if k < 32 else k - 64, 0.0) for k in range(64)]
        assert found == pytest.approx(whole, abs=1e-12 + 1e-15 * t * math.exp(max(betas)))


@pytest.mark.parametrize("betas", BETAS)
def test_gallavotti_cohen_and_the_uncertainty_relation(betas: tuple[float, float]) -> None:
    model: Any = collective_qubits(beta_A=betas[0], beta_S=betas[1])
    s = np.array([-0.7, 0.2, 1.3])
    scale = 1e-15 * math.exp(max(betas))
    assert model.scgf("A", s) == pytest.approx(model.scgf("A", -s - betas[1] + betas[0]), rel=1e-10, abs=1e-12 + scale)
    mean, variance = model.heat_cumulants("A", 2)
    assert variance * abs(betas[1] - betas[0]) >= 2 * abs(mean) * (1 - 1e-12)
    at_rest = QUANTITIES["collective_qubits", "tur_ratio"]({"beta_A": 1, "beta_S": 1 + 1e-4})
    assert at_rest == pytest.approx(2.0, abs=1e-6)
    assert QUANTITIES["collective_qubits", "tur_ratio"]({"beta_A": 1, "beta_S": 1}) == 2.0


def test_limits_of_the_concurrence_and_how_slowly_they_are_reached() -> None:
    inf = math.inf
    thermal, inverted = collective_formulas.populations(0, inf), collective_formulas.populations(-inf, inf)
    assert thermal == pytest.approx({"G": 2 / 3, "S": 0, "A": 1 / 3, "E": 0}, abs=1e-15)
    assert inverted == pytest.approx({"G": 1 / 2, "S": 0, "A": 1 / 2, "E": 0}, abs=1e-15)
    for beta_A, limit, flag in ((0.0, 1 / 3, False), (-inf, 0.5, True)):
        assert collective_formulas.concurrence(beta_A, inf) == pytest.approx(limit, abs=1e-15)
        betas = np.array([9.0, 11.0, 13.0])
        exact = [float(concurrence(collective_qubits(beta_A=beta_A, beta_S=b).steady_state())) for b in betas]
        rest = np.array(exact) - [collective_formulas.slow_approach(b, inverted=flag) for b in betas]
        assert np.all(np.abs(rest) < 5 * np.exp(-betas))
        assert np.all(np.diff(exact) > 0)
        assert exact[-1] < limit
    at5 = [collective_formulas.concurrence(b, 5) for b in (0, -inf)]
    assert at5 == pytest.approx([0.2472, 0.4065], abs=5e-5)


@pytest.mark.parametrize("betas", [(0, math.inf), (-math.inf, math.inf), (math.inf, 3), (-2, math.inf), (-math.inf, 1)])
def test_infinite_betas_are_limits(betas: tuple[float, float]) -> None:
    point = {"beta_A": betas[0], "beta_S": betas[1]}
    expected: dict[str, Callable[..., Any]] = {
        "populations": collective_formulas.populations,
        "concurrence": collective_formulas.concurrence,
        "Q_A": collective_formulas.heat_current,
        "mean_jump_rates": collective_formulas.jump_rates,
        "entropy_production_rate": collective_formulas.entropy_production_rate,
    }
    for quantity, formula in expected.items():
        assert QUANTITIES["collective_qubits", quantity](point) == pytest.approx(formula(*betas), rel=1e-8, abs=1e-9)
    scgf = with_limits(lambda model, s: float(model.scgf("A", s)), *betas, 0.3)
    large = [b if abs(b) < math.inf else math.copysign(16.0, b) for b in betas]
    assert scgf == pytest.approx(scipy.linalg.eigvals(four_states(large[0], large[1], 0.3)).real.max(), abs=1e-6)
    # a return probability, which the exponential average reaches although a jump has no reverse at beta = -inf
    average = QUANTITIES["collective_qubits", "mean_exp_minus_entropy_pure_start_G"](point | {"tau": 0.2})
    assert average == pytest.approx(scipy.linalg.expm(0.4 * four_states(*large))[0, 0].real, abs=1e-6)


def test_no_entanglement_between_equal_or_two_inverted_baths_and_mirror_symmetry() -> None:
    grid = np.linspace(-4, 6, 21)
    C = np.array([[collective_formulas.concurrence(a, s) for a in grid] for s in grid])
    entropy = np.array([[collective_formulas.entropy_production_rate(a, s) for a in grid] for s in grid])
    assert np.all(np.diag(C) == 0)
    assert np.all(C[np.ix_(grid < 0, grid < 0)] == 0)
    assert np.abs(C - C.T).max() < 1e-14
    assert C[np.ix_(grid >= 0, grid >= 0)].max() < 1 / 3 < C.max()
    assert entropy.min() >= 0
    correlation = stats.spearmanr(C.ravel(), entropy.ravel()).statistic
    assert correlation == pytest.approx(0.79, abs=0.02)
    assert entropy[C == 0].max() > 9  # separable, and far from equilibrium


def test_commuting_lowering_operators_make_the_diamond_and_fermions_do_not() -> None:
    space = Space(qubit(), qubit())
    channels = []
    first, second = space.s(0), -space.sz(0) @ space.s(1)
    assert abs(first @ second + second @ first).max() < 1e-15
    for name, op, b in (("S", first + second, 12.0), ("A", first - second, 0.0)):
        bath = Bath(name, beta=b, statistics="spin")
        channels += [Channel(op, math.exp(b), -1.0, bath), Channel(op.conj().T, 1.0, 1.0, bath)]
    fermions = LindbladModel(space.number(0) + space.number(1), channels, dims=space)
    assert concurrence(fermions.steady_state()) == pytest.approx(0.4975, abs=5e-5)
    assert concurrence(collective_qubits(beta_A=0, beta_S=12).steady_state()) == pytest.approx(0.3310, abs=5e-5)


@pytest.mark.parametrize("betas", BETAS)
@pytest.mark.parametrize("tau", [0.05, 0.7])
def test_integral_theorem(betas: tuple[float, float], tau: float) -> None:
    model: Any = collective_qubits(beta_A=betas[0], beta_S=betas[1])
    with np.errstate(over="ignore", invalid="ignore"):  # variances of exp(-Sigma) beyond a double
        steady = model.trajectory_statistics(tau).exponential_average
        sure = model.trajectory_statistics(tau, GROUND).exponential_average
    assert steady.mean == pytest.approx(1.0, rel=1e-8)
    assert steady.reversed_value == pytest.approx(1.0, rel=1e-8)
    expected = scipy.linalg.expm(2 * tau * four_states(*betas))[0, 0].real
    assert sure.mean == pytest.approx(expected, rel=1e-8)
    assert sure.mean < 1


def test_a_fully_inverted_bath_has_no_reverse() -> None:
    model: Any = collective_qubits(beta_A="-inf", beta_S=3)
    assert model.entropy_production_rate() == math.inf
    assert model.heat_currents()["A"] == pytest.approx(collective_formulas.heat_current(-math.inf, 3), rel=1e-12)
    threshold = QUANTITIES["collective_qubits", "beta_S_threshold_for_entanglement"]
    assert threshold({"beta_A": -math.inf}) == pytest.approx(collective_formulas.INVERTED_THRESHOLD, rel=1e-9)
    at = threshold({"beta_A": 1.5})
    assert collective_formulas.concurrence(1.5, at, signed=True) == pytest.approx(0, abs=1e-10)
    assert collective_formulas.concurrence(1.5, at + 0.01) > 0


# -------------------------------------------------------------------- collisions


@pytest.mark.parametrize("betas", [(-2.0, 3.0), (3.0, -1.0), (-3.0, -1.0)])
def test_collisions_with_inverted_qubits_tend_to_the_jump_model(betas: tuple[float, float]) -> None:
    jump: Any = collective_qubits(beta_A=betas[0], beta_S=betas[1])

    def collisions(tau: float) -> Any:
        return collective_qubits(beta_A=betas[0], beta_S=betas[1], picture="collision", tau=tau)

    model = collisions(0.01)
    for collision, b in zip(model.collisions, betas, strict=True):
        lower, upper = collision.ancilla.populations
        assert math.log(lower / upper) == pytest.approx(b, rel=1e-12)
        assert (upper > lower) == (b < 0)
    limit = model.lindblad_limit()
    assert limit.steady_state() == pytest.approx(jump.steady_state(), abs=1e-12)
    assert limit.heat_cumulants("A", 3) == pytest.approx(jump.heat_cumulants("A", 3), rel=1e-9)
    taus = np.array([2e-3, 1e-3, 5e-4])
    exact = jump.heat_currents()["A"]
    error = [abs(collisions(t).heat_currents()["A"] / exact - 1) for t in taus]
    assert np.polyfit(np.log(taus), np.log(error), 1)[0] == pytest.approx(1.0, abs=0.05)
    assert abs(model.power()) < 1e-10  # resonant: all energy is heat


def test_collisions_obey_the_theorem_and_the_symmetry_at_any_tau() -> None:
    model: Any = collective_qubits(beta_A=-1.0, beta_S=2.0, picture="collision", tau=0.3)
    assert model.trajectory_statistics(0.3).exponential_average.mean == pytest.approx(1.0, rel=1e-9)
    assert model.scgf("A", 0.4) == pytest.approx(model.scgf("A", -0.4 - 3.0), abs=1e-11)
    infinite: Any = collective_qubits(beta_A="-inf", beta_S=2.0, picture="collision", tau=0.3)
    assert infinite.entropy_production_rate() == math.inf
    assert infinite.heat_currents()["A"] == pytest.approx(-infinite.heat_currents()["S"], rel=1e-10)


# -------------------------------------------------------------------- the cavity

CAVITIES = [
    {"p": 0.005, "gamma": 0.001, "kappa": 2.0},
    {"p": 0.0002, "gamma": 0.0, "kappa": 0.01},
    {"p": 0.001, "gamma": 0.001, "kappa": 1000.0},
    {"p": 0.05, "gamma": 0.001, "kappa": 0.1},
]


@pytest.mark.parametrize("point", CAVITIES, ids=str)
def test_excitations_pumped_in_equal_those_lost(point: dict[str, float]) -> None:
    model = tavis_cummings(**point)  # type: ignore[arg-type]
    rho, levels = model.steady_state(), model.dims[-1]
    n = [partial_trace(rho, model.dims, i)[1, 1].real for i in (0, 1)]
    photons = photon_populations(rho, levels) @ np.arange(levels)
    gained, lost = point["p"] * (2 - sum(n)), point["gamma"] * sum(n) + point["kappa"] * photons
    assert gained == pytest.approx(lost, rel=1e-10)
    assert model.heat_currents()["cavity"] / -1000.0 == pytest.approx(point["kappa"] * photons, rel=1e-10)


@pytest.mark.parametrize("point", CAVITIES, ids=str)
def test_levels_chosen_leave_out_nothing_that_matters(point: dict[str, Any]) -> None:
    model = tavis_cummings(**point)
    more = tavis_cummings(**point, levels=model.dims[-1] + 6)
    assert neglected_population(model.steady_state(), model.dims[-1]) < 1e-12
    beyond = photon_populations(more.steady_state(), more.dims[-1])[model.dims[-1] :]
    assert beyond.sum() < neglected_population(model.steady_state(), model.dims[-1]) * 1.1 + 1e-17
    small, large = (partial_trace(m.steady_state(), m.dims, (0, 1)) for m in (model, more))
    assert concurrence(small) == pytest.approx(concurrence(large), abs=1e-9)
    weight = more.process.counts.charge_weight("cavity")
    assert model.cumulant_rates(weight, 3) == pytest.approx(more.cumulant_rates(weight, 3), rel=1e-8)


def test_cavity_against_qutip() -> None:
    qutip = pytest.importorskip("qutip")
    model = tavis_cummings(p=0.005, gamma=0.001, kappa=2.0, levels=9)
    H, c_ops = tavis_cummings(p=0.005, gamma=0.001, kappa=2.0, levels=9, omega_0=1.0).to_qutip()
    number = sum(
        qutip.tensor(*(qutip.num(d) if i == k else qutip.qeye(d) for i, d in enumerate((2, 2, 9)))) for k in range(3)
    )
    rho = qutip.steadystate(H - number, c_ops)  # the rotating frame
    assert concurrence(partial_trace(rho.full(), (2, 2, 9), (0, 1))) == pytest.approx(0.3865050040245, rel=1e-6)
    assert np.abs(model.steady_state() - rho.full()).max() < 1e-9


def test_energies_do_not_matter_on_resonance_and_detuning_does() -> None:
    point: dict[str, Any] = {"p": 0.005, "gamma": 0.001, "kappa": 2.0}
    paper, slow = tavis_cummings(**point), tavis_cummings(**point, omega_0=1.0)
    assert paper.steady_state() == pytest.approx(slow.steady_state(), abs=1e-13)
    heat = paper.heat_currents()
    assert sum(heat.values()) == pytest.approx(0, abs=1e-9 * heat["pump"])
    assert paper.power() == pytest.approx(0, abs=1e-9 * heat["pump"])
    detuned = tavis_cummings(**point, omega_cav=1010.0)
    assert -detuned.heat_currents()["cavity"] < -0.9 * heat["cavity"]
    assert detuned.power() == pytest.approx(-sum(detuned.heat_currents().values()), rel=1e-9)


def test_a_fast_cavity_is_two_collective_baths() -> None:
    found = effective_parameters(0.001, 0.0005, 10.0, g=2.0)
    Gamma = 4 * 2.0**2 / 10.0
    assert found["Gamma_plus"] == 0.0005
    assert 0.0005 * math.exp(found["beta_A"]) == pytest.approx(0.0005 / 2)
    assert 0.0005 * math.exp(found["beta_S"]) == pytest.approx(Gamma + 0.0005 / 2)
    errors = []
    for kappa in (30.0, 100.0, 300.0):
        full = tavis_cummings(p=0.001, gamma=0.001, kappa=kappa)
        mapped = effective_model(p=0.001, gamma=0.001, kappa=kappa)
        assert concurrence(mapped.steady_state()) == pytest.approx(
            effective_concurrence(0.001, 0.001, kappa), abs=1e-10
        )
        reduced = partial_trace(full.steady_state(), full.dims, (0, 1))
        errors.append(np.abs(diamond_populations(reduced) - diamond_populations(mapped.steady_state())).max())
    assert errors[2] < errors[1] < errors[0] < 1e-3
    assert errors[0] / errors[2] == pytest.approx(10.0, rel=0.2)  # the error falls like 1 / kappa


def test_relaxation_over_ten_thousand_couplings_is_exact() -> None:
    model = tavis_cummings(p=0.005, gamma=0.001, kappa=100.0)
    ground = np.eye(model.process.d)[0]
    early, late = model.evolve(ground, [1.0, 1e4])
    assert np.trace(late) == pytest.approx(1.0, abs=1e-12)
    assert late == pytest.approx(model.steady_state(), abs=1e-10)
    assert np.abs(early - late).max() > 0.1


def test_the_cavity_has_no_reversible_channel() -> None:
    model = tavis_cummings(p=0.001, gamma=0.001)
    assert model.entropy_production_rate() == math.inf
    assert np.all(model.process.counts.entropy == math.inf)
    assert effective_model(p=0.001, gamma=0.001, kappa=1.0).entropy_production_rate() < math.inf


# -------------------------------------------------------------------- names and refusals


def test_recipes_call_the_same_machine_again() -> None:
    for name, keywords in (
        ("collective_qubits", {"beta_A": "-inf", "beta_S": 4, "picture": "collision", "tau": 0.1}),
        ("tavis_cummings", {"p": 0.005, "gamma": 0.001, "kappa": 0.5}),
    ):
        model = MACHINES[name](**keywords)
        recipe = json.loads(json.dumps(model.recipe))
        assert recipe["machine"] == name
        again = MACHINES[recipe["machine"]](**recipe["parameters"])
        assert again.recipe == model.recipe
        assert np.array_equal(again.steady_state(), model.steady_state())


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"beta_S": math.inf}, "`beta_S` must lie within .* would take at the rate Gamma_plus exp"),
        ({"beta_A": "hot"}, "`beta_A` must be a number or '-inf', but is 'hot'"),
        ({"beta_A": math.nan}, "`beta_A` must lie within"),
        ({"Gamma_plus": 0.0}, "`Gamma_plus` must be positive, but is 0.0"),
        ({"omega_0": -1.0}, "`omega_0` must be positive"),
        ({"picture": "movie"}, "`picture` must be one of 'jump', 'collision', but is 'movie'"),
        ({"tau": 0.1}, "`tau` describes collisions: add picture='collision', or leave it out"),
        ({"picture": "collision"}, "`tau` must be a positive duration in picture='collision', but is None"),
        ({"picture": "collision", "tau": 0.0}, "`tau` must be positive"),
        ({"picture": "collision", "tau": 0.1, "construction": "matched"}, "`construction` must be one of 'split'"),
    ],
)
def test_what_the_collective_model_refuses(keywords: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        collective_qubits(**keywords)


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"p": -0.1}, "`p` must be finite and >= 0, but is -0.1"),
        ({"kappa": 0.0}, "`kappa` must be positive, but is 0.0: without a leak the pump fills the cavity for ever"),
        ({"g": 0.0}, "`g` must be positive"),
        ({"gamma": math.inf}, "`gamma` must be finite"),
        ({"levels": 1}, "`levels` must be a whole number of Fock states, at least 2, but is 1"),
        ({"levels": 2.5}, "`levels` must be a whole number"),
        ({"neglect": 0.0}, "`neglect` must lie between 0 and 1"),
        (
            {"p": 0.005, "gamma": 0.001, "kappa": 0.1, "levels": 5},
            r"`levels` = 5 leaves out a .* population of 3.\de-06, above `neglect` = 1e-12: take at least 9 levels",
        ),
        ({"p": 10.0, "kappa": 1e-6}, "`kappa` = 1e-06 lets the cavity fill with more than 400 photons at `p` = 10"),
    ],
)
def test_what_the_cavity_refuses(keywords: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        tavis_cummings(**keywords)


def test_a_bolder_truncation_can_be_asked_for() -> None:
    model = tavis_cummings(p=0.005, gamma=0.001, kappa=0.1, levels=7, neglect=1e-9)
    assert model.dims == (2, 2, 7)
    with pytest.raises(ValueError, match="`p` must be positive, but is 0"):
        effective_parameters(0.0, 0.001, 1.0)
    assert rates({"p": 1, "gamma": 2, "kappa": 3}) == {"p": 1, "gamma": 2, "kappa": 3, "g": 1}


# -------------------------------------------------------------------- figures and claims


@pytest.mark.slow
def test_all_claims_are_judged_from_numbers() -> None:
    found = tacchino.claims()
    assert len(found) == 17
    assert {claim.verdict for claim in found} == {"holds", "holds corrected"}
    words = " ".join(claim.ours for claim in found)
    for number in ("0.4975 for fermions", "p > 1.372 gamma", "0.387 at kappa = 2.33 g", "0.4586/0.4984"):
        assert number in words


@pytest.mark.slow
def test_figures_without_trajectories_show_the_exact_curves() -> None:
    import matplotlib.pyplot as plt

    for figure in tacchino.FIGURES:
        curves = figure.curves(0, 1)
        drawn = figure.draw(curves)
        assert len(drawn.axes) >= 3
        plt.close(drawn)
        if figure.name == "fig2":
            full = curves["curves"]["b, p = 0.0002 g"]["full"]
            assert full.max() == pytest.approx(0.487, abs=5e-4)
            assert 1.8 < curves["kappa"][np.argmax(full)] < 3.0
        else:
            assert curves["concurrence"].max() == pytest.approx(0.40485, abs=1e-4)
            assert curves["concurrence"] == pytest.approx(curves["concurrence"].T, abs=1e-14)
