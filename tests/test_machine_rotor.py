"""The hybrid rotor device (Leitch et al. 2024): closed forms, conserved charges, table, both equations, collisions."""

import json
import math
from pathlib import Path
from typing import Any
import warnings

import numpy as np
import pytest

import collide
from collide.analysis.papers import rotor as paper
from collide.analysis.papers import rotor_scans
from collide.analysis.papers.base import UnknownParameter
from collide.analysis.papers.rotor_devices import FIG_2
from collide.analysis.papers.rotor_quantities import point, power_load, power_qubits
from collide.analysis.reference_tables import compare, evaluate, load
from collide.exact.reduced import Reduced
from collide.exact.sources import bath_rate, free_rate, load_powers
from collide.exact.superoperator import liouvillian
from collide.lindblad import eigenoperators
from collide.machines import MACHINES
from collide.machines import rotor_formulas as formulas
from collide.machines.rotor import TruncationWarning, parts_of, start_state
from collide.machines.rotor_ladder import ladder_of, populations

rotor = MACHINES["rotor"]  # any model: the tests ask for what a picture has

TABLE = Path(__file__).parent / "data" / "rotor.json"
I, BETA_R, GAMMA = 1.0, 0.09, 5e-5


def quiet(**keywords: Any) -> Any:
    """A machine on a ladder that is meant to be short."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        return rotor(**keywords)


def mean(model: Any, operator: Any) -> float:
    return float(np.real(operator.diagonal() @ model.steady_state().diagonal()))


# -------------------------------------------------------------------- the table


@pytest.mark.parametrize("entry", load(TABLE), ids=lambda e: f"{e.index}-{e.system}-{e.quantity}")
def test_every_entry_of_the_table(entry: Any) -> None:
    deviation = compare(evaluate(paper.QUANTITIES[entry.key], entry.params), entry)
    assert deviation.ok, f"{entry}: {deviation}"


def test_a_wrong_number_in_the_table_is_noticed() -> None:
    entry = next(e for e in load(TABLE) if e.quantity == "power_Q")
    found = evaluate(paper.QUANTITIES[entry.key], entry.params)
    wrong = type(entry)(**(vars(entry) | {"value": entry.value + 3e-8}))
    assert compare(found, entry).ok
    assert not compare(found, wrong).ok


def test_parameters_that_a_quantity_does_not_have() -> None:
    heat = paper.QUANTITIES["rotor_local", "heat_current_2"]
    with pytest.raises(UnknownParameter, match="unknown parameter 'mass'"):
        heat({**FIG_2, "beta2": 0.02, "mass": 1.0})
    with pytest.raises(UnknownParameter, match="missing parameter 'beta2'"):
        heat(FIG_2)
    with pytest.raises(UnknownParameter, match="'beta2': it is what this quantity scans"):
        paper.QUANTITIES["rotor_local", "efficiency_peak"]({**FIG_2, "beta2": 0.02})
    with pytest.raises(UnknownParameter, match="`initial_state` must be one of"):
        heat({**FIG_2, "beta2": 0.02, "time": 1.0, "initial_state": "asleep"})
    with pytest.raises(UnknownParameter, match="asked for one angular momentum"):
        paper.QUANTITIES["rotor_local", "rotor_population"]({**FIG_2, "beta2": 0.02})


def test_scans_that_find_nothing_say_so() -> None:
    cold = {**FIG_2, "B1": 9.9}  # the engine's range shrinks beyond the scan
    with pytest.raises(ValueError, match="no local maximum"):
        rotor_scans.efficiency_peak({**cold, "I": 5.0})


# -------------------------------------------------------------------- the load


def test_moments_of_the_load() -> None:
    """L_r^+[L_z] = -gamma L_z, L_r^+[L_z^2] = 2r[1 + (b^2-4b)L_z^2] and L_r[1] = c_0, away from the edges."""
    model = quiet(l_min=-6, l_max=6, beta_r=0.4, gamma=0.03)
    pieces, b, r = parts_of(model), 0.4 / 4, 0.03 / 0.4
    inside = np.abs(pieces.L_z.diagonal()) < 6
    channels = [c for c in model.channels if c.name == "r"]
    ops = [math.sqrt(c.rate) * c.op.toarray() for c in channels]

    def adjoint(A: Any) -> Any:
        return sum(o.conj().T @ A @ o - 0.5 * (o.conj().T @ o @ A + A @ o.conj().T @ o) for o in ops)

    L = pieces.L_z.toarray()
    one = np.eye(len(L))
    gain = sum(o @ o.conj().T - o.conj().T @ o for o in ops)
    for found, expected in (
        (adjoint(L), -0.03 * L),
        (adjoint(L @ L), 2 * r * (one + (b**2 - 4 * b) * L @ L)),
        (gain, formulas.contraction_rate(1.0, 0.4, 0.03) * one),
    ):
        assert np.allclose(found[np.ix_(inside, inside)], expected[np.ix_(inside, inside)], atol=1e-14)
    assert not np.allclose(gain, formulas.contraction_rate(1.0, 0.4, 0.03) * one, atol=1e-6)  # the edges


@pytest.mark.parametrize(("moment", "beta_r"), [(1.0, 0.09), (0.5, 0.6), (2.0, 0.3)])
def test_the_load_alone(moment: float, beta_r: float) -> None:
    """Without coupling the rotor's state is a product of ratios, Gibbs only to first order in beta_r / I."""
    model = rotor(I=moment, beta_r=beta_r, lam=0.0, gamma=0.01)
    p = model.recipe["parameters"]
    l = np.arange(p["l_min"], p["l_max"] + 1)
    P = populations(model.steady_state(), len(l))
    assert np.allclose(P, formulas.load_populations(l, moment, beta_r), atol=1e-12)
    assert P @ l**2 == pytest.approx(formulas.load_L_z_squared(moment, beta_r), rel=1e-9)
    assert abs(P @ l**2 - moment / beta_r) > 1e-3
    assert formulas.load_heat_current(P @ l**2, moment, beta_r, 0.01) == pytest.approx(0, abs=1e-12)


def test_kicks_of_the_resolved_load() -> None:
    """Rates r(1 -+ bl)^2, their ratio the entropy of a kick, about -beta_r times its energy."""
    up, down = formulas.kick_rates(np.arange(-5, 6), I, BETA_R, GAMMA)
    entropy = formulas.kick_entropy(np.arange(-5, 5), I, BETA_R)
    assert np.allclose(np.log(up[:-1] / down[1:]), entropy, atol=1e-14)
    assert np.allclose(entropy, -BETA_R * (2 * np.arange(-5, 5) + 1) / (2 * I), rtol=0.02)
    model = rotor(beta2=0.03, load="resolved")
    assert sorted({c.kind for c in model.channels}) == ["reversible", "thermal"]
    assert "obeys detailed balance, rates imply an entropy of" in repr(model.check())


def test_the_resolved_load_is_another_equation() -> None:
    """It kills the coherence between l and l + 1: currents change by 1e-6 to 1e-3; its symmetry is exact."""
    kicks, resolved = rotor(beta2=0.03), rotor(beta2=0.03, load="resolved")
    changes = [abs(resolved.heat_currents()[k] / kicks.heat_currents()[k] - 1) for k in ("1", "2", "r")]
    assert 1e-6 < max(changes) < 1e-3
    strong = [rotor(beta2=0.03, gamma=0.005, lam=1.0, load=name).heat_currents()["2"] for name in ("kicks", "resolved")]
    assert abs(strong[1] / strong[0] - 1) > 1e-3
    small = quiet(beta2=0.03, beta_r=0.5, gamma=0.01, l_min=-4, l_max=5, load="resolved")
    entropy = small.process.counts.entropy
    for s in (0.2, 0.7):
        assert small.scgf_of(-entropy, s) == pytest.approx(small.scgf_of(-entropy, 1 - s), abs=1e-13)
    assert small.trajectory_statistics(20.0).exponential_average.mean == pytest.approx(1, abs=1e-11)


def test_entropy_production_beside_the_load() -> None:
    """c_0 in place of the load's entropy; the Clausius form is another number, positive too."""
    model = rotor(beta2=0.03)
    heats, betas = model.heat_currents(), {"1": 0.1, "2": 0.03, "r": BETA_R}
    c0 = formulas.contraction_rate(I, BETA_R, GAMMA)
    expected = -betas["1"] * heats["1"] - betas["2"] * heats["2"] + c0
    assert model.entropy_production_rate() == pytest.approx(expected, rel=1e-9)
    assert formulas.clausius_rate(heats, betas) == pytest.approx(expected - c0 - BETA_R * heats["r"], rel=1e-9)
    assert formulas.clausius_rate(heats, betas) > 0


# -------------------------------------------------------------------- conserved charges and the ladder


def test_sectors_are_small_and_exact() -> None:
    """94 elements on -5 ... 10; the same state as the whole generator's null vector."""
    assert Reduced(quiet(l_min=-5, l_max=10, beta2=0.02).process).size == formulas.sector_size(16) == 94
    assert Reduced(rotor(beta2=0.02).process).size == formulas.sector_size(66) == 394
    model = quiet(l_min=-1, l_max=2, beta2=0.02, gamma=0.01, lam=0.7)
    whole = liouvillian(model.process.elements[0]).toarray()
    values, vectors = np.linalg.eig(whole)
    rho = vectors[:, np.argmin(np.abs(values))].reshape(16, 16)
    assert np.allclose(rho / np.trace(rho), model.steady_state(), atol=1e-11)


def test_against_qutip() -> None:
    qutip = pytest.importorskip("qutip")
    model = quiet(l_min=-2, l_max=3, beta2=0.02, gamma=0.01, lam=0.7)
    H, ops = model.to_qutip()
    assert np.allclose(qutip.steadystate(H, ops).full(), model.steady_state(), atol=1e-10)
    rho = start_state(model, "lower", 1)
    found = qutip.mesolve(H, qutip.Qobj(rho, dims=H.dims), [0.0, 3.0], ops, options={"atol": 1e-11, "rtol": 1e-9})
    assert np.allclose(found.states[-1].full(), model.evolve(rho, [3.0])[-1], atol=1e-7)


@pytest.mark.parametrize("x", [0.05, 0.3, 0.6, 0.9])
def test_currents_follow_from_the_angular_momentum(x: float) -> None:
    """Q_1, Q_2 from <L_z>, Q_r from <L_z^2>, W^(Q) from the transfer amplitude."""
    model = rotor(beta2=0.1 * x)
    pieces, heats = parts_of(model), model.heat_currents()
    L, L2 = mean(model, pieces.L_z), mean(model, pieces.L_z @ pieces.L_z)
    assert (heats["1"], heats["2"]) == pytest.approx(formulas.heat_currents_from_L_z(L, 4.0, 10.0, GAMMA), abs=1e-12)
    assert heats["r"] == pytest.approx(formulas.load_heat_current(L2, I, BETA_R, GAMMA), abs=1e-12)
    rho = model.steady_state()
    transfer = float(np.real(np.trace(pieces.interaction @ rho))) / (2 * 0.1)
    n = [1 / math.expm1(2 * 0.1 * 4.0), 1 / math.expm1(2 * 0.1 * x * 10.0)]
    at = point("rotor_local", {**FIG_2, "beta2": 0.1 * x})
    assert power_qubits(at) == pytest.approx(formulas.qubit_power(transfer, 0.1, 1.0, 1.0, *n), abs=1e-13)
    upper = mean(model, pieces.space.number(1))
    assert heats["2"] == pytest.approx(formulas.qubit_heat_current(upper, 10.0, 1.0, n[1]), abs=1e-11)
    assert power_load(at) == pytest.approx(bath_rate(model, pieces.interaction, ["r"]), abs=1e-15)
    # the kinetic energy is stationary: what the qubits do to it, the load undoes
    assert free_rate(model, pieces.kinetic) == pytest.approx(-heats["r"], abs=1e-11)


def test_cumulants_of_heats_and_kicks_are_the_same() -> None:
    """<<q_2^k>>/(2B_2)^k = (-1)^k <<q_1^k>>/(2B_1)^k = (-1)^k <<k_load^k>>; the digest of the noise at x = 0.3."""
    model = rotor(beta2=0.03)
    table = model.process.counts
    hot, cold = model.heat_cumulants("2", 4), model.heat_cumulants("1", 4)
    kicks = model.cumulant_rates(table.charge_weight("r"), 4)
    k = np.arange(1, 5)
    quanta = hot / 20.0**k
    assert np.allclose(quanta, (-1.0) ** k * cold / 8.0**k, rtol=1e-8)
    assert np.allclose(quanta, (-1.0) ** k * kicks, rtol=1e-8)
    assert quanta[:3] == pytest.approx([7.11800e-5, 9.92372e-4, 1.677617e-2], rel=1e-5)


def test_a_short_ladder_is_reported_with_the_number() -> None:
    with pytest.warns(TruncationWarning, match=r"-5 \.\.\. 10 is too short: .* by -3\.3e-05 \(1\.6 %\)") as caught:
        model = rotor(beta2=0.02, l_min=-5, l_max=10)
    assert caught[0].filename == __file__
    ladder = ladder_of(model)
    assert ladder.short
    assert ladder.top == pytest.approx(0.030783188117506154, abs=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wide = rotor(beta2=0.02, l_min=-25, l_max=40)
    assert abs(ladder_of(wide).residual) < 1e-12
    assert "is wide enough" in repr(ladder_of(wide))


@pytest.mark.parametrize("keywords", [{}, {"I": 2.0, "beta2": 0.01}, {"I": 0.5, "beta_r": 0.6}, {"equation": "global"}])
def test_a_ladder_that_nobody_names_is_wide_enough(keywords: dict[str, Any]) -> None:
    model = rotor(**keywords)
    ladder = ladder_of(model)
    p = model.recipe["parameters"]
    assert not ladder.short
    assert max(ladder.bottom, ladder.top) < 1e-12
    assert abs(ladder.residual) < 1e-10 * max(abs(ladder.current), ladder.scale)
    wider = rotor(**(p | {"l_min": p["l_min"] - 15, "l_max": p["l_max"] + 15}))
    assert wider.heat_currents()["2"] == pytest.approx(model.heat_currents()["2"], abs=1e-11)


# -------------------------------------------------------------------- operation


def test_borders_and_the_peak_of_the_efficiency() -> None:
    assert rotor_scans.engine_accelerator_boundary(FIG_2) == pytest.approx(0.43424, abs=5e-6)
    assert rotor_scans.accelerator_refrigerator_boundary(FIG_2) == pytest.approx(0.50388, abs=5e-6)
    peak = rotor_scans.efficiency_peak(FIG_2)
    assert peak.x == pytest.approx(0.309, abs=5e-4)
    assert peak.efficiency == pytest.approx(0.18771, abs=5e-6)
    at = point("rotor_local", {**FIG_2, "beta2": 0.1 * peak.x})
    assert peak.efficiency < formulas.carnot(0.1, 0.1 * peak.x).efficiency
    assert formulas.efficiency(power_qubits(at), at.model.heat_currents()["2"]) == pytest.approx(peak.efficiency)


def test_two_qubit_ergotropy_vanishes_where_the_levels_cross() -> None:
    of = paper.QUANTITIES["rotor_local", "ergotropy_qubits"]
    assert of({**FIG_2, "beta2": 0.0399}) > 1e-3
    for x in (0.4001, 0.45, 0.6):
        assert of({**FIG_2, "beta2": 0.1 * x}) < 1e-12


def test_powers_at_the_start_and_at_the_end() -> None:
    """W_kin = Q_BA = gamma / beta_r in |l = 0>; nothing moves in the steady state."""
    params = {**FIG_2, "beta2": 0.08}
    start = {**params, "time": 0.0}
    for name in ("power_kinetic", "heat_current_backaction"):
        assert paper.QUANTITIES["rotor_local", name](start) == pytest.approx(GAMMA / BETA_R, rel=1e-12)
    assert paper.QUANTITIES["rotor_local", "power_intrinsic"](start) == pytest.approx(0, abs=1e-15)
    for name in ("power_kinetic", "power_net"):
        assert paper.QUANTITIES["rotor_local", name](params) == pytest.approx(0, abs=1e-12)
    later = paper.QUANTITIES["rotor_local", "first_law_residual"]({**params, "time": 300.0})
    assert later == pytest.approx(0, abs=1e-12)


def test_start_states() -> None:
    model = rotor(beta2=0.03)
    rho = start_state(model)
    pieces = parts_of(model)
    assert np.trace(pieces.space.number(0) @ rho).real == pytest.approx(1 / (1 + math.exp(0.8)))
    assert np.trace(pieces.L_z @ start_state(model, "lower", -3)).real == -3
    with pytest.raises(ValueError, match="`qubits` must be 'thermal' or 'lower'"):
        start_state(model, "upper")
    with pytest.raises(ValueError, match="`l` must lie on the ladder"):
        start_state(model, "lower", 77)


# -------------------------------------------------------------------- the global equation


def test_bohr_frequencies_in_closed_form() -> None:
    """Two frequencies a rung with their weights; they turn negative far out."""
    model = quiet(l_min=-2, l_max=3, beta2=0.02)
    pieces = parts_of(model)
    for site in (0, 1):
        frequencies, operators = eigenoperators(pieces.H, pieces.space.s(site))
        for l in range(-1, 2):
            rung = formulas.bohr_frequencies(l, 4.0, 10.0, 1.0, 0.1)
            level = (l + 1 if site == 0 else l) + 2  # |0 0 l+1> or |0 0 l>
            for omega, weight in zip(rung[site], rung[2 + site], strict=True):
                k = int(np.argmin(np.abs(np.array(frequencies) - omega)))
                assert frequencies[k] == pytest.approx(omega, abs=1e-10)
                out = operators[k].toarray()[level]
                assert np.linalg.norm(out) ** 2 == pytest.approx(weight, abs=1e-10)
    rungs = {l: formulas.bohr_frequencies(l, 4.0, 10.0, 1.0, 0.1) for l in range(-20, 40)}
    assert min(l for l, rung in rungs.items() if rung.omega_1.min() < 0) == 20
    assert max(l for l, rung in rungs.items() if rung.omega_2.min() < 0) == -9


def test_global_equation_balances_and_has_no_negative_frequencies() -> None:
    model = rotor(equation="global", g=0.5, beta2=0.01, chi=0.3)
    heats = model.heat_currents()
    assert sum(heats.values()) + load_powers(model)["r"] == pytest.approx(0, abs=1e-12)
    quanta = np.array([c.quantum for c in model.channels if c.kind == "thermal"])
    assert np.abs(quanta).min() > 0
    lowered = [c for c in model.channels if c.kind == "thermal" and c.quantum < 0]
    full = sum(len(eigenoperators(model.H, parts_of(model).space.s(site))[0]) for site in (0, 1))
    assert len(lowered) < full
    for channel in lowered[:20]:  # an eigenoperator lowers the energy by its frequency
        op = channel.op.toarray()
        H = model.H.toarray()
        assert np.allclose(H @ op - op @ H, channel.quantum * op, atol=1e-8)
    # the flux of quanta obeys the same balance as in the local equation
    table = model.process.counts
    assert model.count_rates() @ table.charge_weight("2") == pytest.approx(
        GAMMA * mean(model, parts_of(model).L_z), rel=1e-9
    )


def test_global_equation_needs_its_cutoff() -> None:
    a, b = (rotor(equation="global", g=0.5, beta2=0.02, Omega=w).heat_currents()["2"] for w in (24.5, 20.0))
    assert 0.01 < abs(b / a - 1) < 0.1


# -------------------------------------------------------------------- collisions


@pytest.mark.parametrize("tau", [0.1, 0.02])
def test_split_collisions(tau: float) -> None:
    """First law, Q_1/Q_2 = -B_1/B_2 and the probabilities of an exchange, exactly at every tau."""
    model = rotor(beta2=0.02, picture="collision", tau=tau)
    heats = model.heat_currents()
    assert heats["1"] / heats["2"] == pytest.approx(-0.4, rel=1e-9)
    at = point("rotor_collision_split", {**FIG_2, "beta2": 0.02, "tau": tau})
    assert power_qubits(at) + power_load(at) + sum(heats.values()) == pytest.approx(0, abs=1e-10)
    expected = formulas.exchange(math.sqrt(tau), 2 * 0.02 * 10.0)
    instrument = model.process.elements[2]
    up = sum(abs(k[1, 0]) ** 2 for k in instrument.kraus)
    down = sum(abs(k[0, 1]) ** 2 for k in instrument.kraus)
    same = sum(k[0, 0] * np.conj(k[1, 1]) for k in instrument.kraus)
    assert (up, down) == pytest.approx((expected.up, expected.down), rel=1e-12)
    assert up / down == pytest.approx(math.exp(-0.4), rel=1e-12)
    assert same == pytest.approx(expected.coherence, rel=1e-12)
    assert abs(ladder_of(model).residual) < 1e-11


def test_split_collisions_tend_to_the_local_equation() -> None:
    limit = rotor(beta2=0.06)
    errors = []
    for tau in (0.02, 0.01, 0.005):
        model = rotor(beta2=0.06, picture="collision", tau=tau)
        errors.append(model.heat_currents()["2"] / limit.heat_currents()["2"] - 1)
    assert errors[0] == pytest.approx(-0.0015, abs=1e-4)
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.07)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.04)
    same = rotor(beta2=0.06, picture="collision", tau=0.05).lindblad_limit()
    assert np.allclose(same.steady_state(), limit.steady_state(), atol=1e-10)
    assert formulas.small_parameter(1.0, 0.05, 0.02, 10.0) == pytest.approx(0.05 / math.tanh(0.2))


def test_joint_collisions_on_a_wide_ladder() -> None:
    """Kraus operators stay sparse; +0.5 % at tau = 0.02, and the sign changes at larger tau."""
    limit = rotor(beta2=0.06).heat_currents()["2"]
    shifts = []
    for tau in (0.02, 0.05):
        model = quiet(
            beta2=0.06,
            picture="collision",
            construction="joint",
            tau=tau,
            oscillator_levels=(18, 18),
            l_min=-25,
            l_max=40,
        )
        heats = model.heat_currents()
        shifts.append(heats["2"] / limit - 1)
        assert heats["1"] / heats["2"] == pytest.approx(-0.4, rel=1e-5)
    assert shifts[0] == pytest.approx(0.005, abs=0.001)
    assert shifts[1] == pytest.approx(-0.013, abs=0.002)


def test_too_few_oscillator_levels_are_reported() -> None:
    with pytest.warns(TruncationWarning, match="8 levels of bath '2' leave out 0.041 of its thermal population"):
        rotor(beta2=0.02, picture="collision", tau=0.1, l_min=-25, l_max=40, oscillator_levels=(18, 8))


# -------------------------------------------------------------------- the machine's surface


def test_the_recipe_makes_the_machine_again() -> None:
    model = rotor(beta2=0.02, chi=0.2, picture="collision", tau=0.1)
    recipe = json.loads(json.dumps(model.recipe))
    again = MACHINES[recipe["machine"]](**recipe["parameters"])
    assert recipe["parameters"]["l_min"] is not None
    assert again.heat_currents() == model.heat_currents()


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"I": 0.0}, "`I` must be positive and finite"),
        ({"beta_r": -1.0}, "`beta_r` must be positive and finite"),
        ({"gamma": -1e-5}, "`gamma` must be finite and >= 0"),
        ({"gamma": 0.0}, "without friction the rotor runs away, so give `l_min` and `l_max`"),
        ({"chi": 1.0}, "`chi` lie between -1 and 1"),
        ({"lam": math.nan}, "`lam` must be finite"),
        ({"l_min": -5}, "give both of `l_min` and `l_max`"),
        ({"l_min": 3, "l_max": 3}, "`l_max` must exceed `l_min`"),
        ({"tau": 0.1}, "describe collisions: add picture='collision'"),
        ({"picture": "collision"}, "`tau` must be a positive duration"),
        ({"picture": "collision", "tau": 0.1, "equation": "global"}, "take picture='jump'"),
        ({"picture": "collision", "tau": 0.1, "construction": "joint"}, "`oscillator_levels` must be given"),
        ({"picture": "collision", "tau": 0.1, "oscillator_levels": (1, 2, 3)}, "one or two numbers from 2 on"),
        ({"load": "springs"}, "`load` must be one of 'kicks', 'resolved'"),
        ({"equation": "exact"}, "`equation` must be one of"),
    ],
)
def test_what_cannot_be_built_is_refused_with_a_sentence(keywords: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        rotor(**keywords)


def test_formulas_refuse_a_ladder_with_gaps() -> None:
    with pytest.raises(ValueError, match="`l` must be consecutive"):
        formulas.load_populations([0, 2], 1.0, 0.1)


def test_reversible_channels_are_held_to_their_entropy() -> None:
    space = collide.Space(collide.qubit())
    up, down = space.s(0).conj().T, space.s(0)
    H = space.number(0)

    def pair(entropy: float) -> Any:
        return collide.LindbladModel(
            H,
            [
                collide.Channel(up, 0.1, 1.0, "b", "reversible", entropy=entropy),
                collide.Channel(down, 0.3, -1.0, "b", "reversible", entropy=-entropy),
            ],
        )

    assert pair(math.log(0.1 / 0.3)).entropy_production_rate() == pytest.approx(0, abs=1e-15)
    with pytest.raises(ValueError, match=r"rates imply an entropy of -1\.09861 instead of -1"):
        pair(-1.0)
    with pytest.raises(ValueError, match="no reverse jump with quantum -1 and entropy 2"):
        collide.LindbladModel(H, [collide.Channel(up, 0.1, 1.0, "b", "reversible", entropy=-2.0)])
    with pytest.raises(ValueError, match="`entropy` belongs to kind='reversible'"):
        collide.Channel(up, 0.1, 1.0, "b", "irreversible", entropy=1.0)
