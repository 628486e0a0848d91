"""Collision models: completeness, balance, constructions, the limit tau -> 0, and refusals."""

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import scipy.linalg

from collide import Bath, Channel, Collision, CollisionModel, LindbladModel, Space, finite_ancilla, oscillator, qubit
from collide.exact.process import Instrument
from collide.exchange import exchange_on_ladder
from collide.operators import lowering

s = lowering(2)


def rectifier(statistics: str, tau: float, construction: str = "split", levels: int | None = None) -> CollisionModel:
    """Two resonant qubits at the point of the reference tables."""
    space = Space(qubit(), qubit())
    H = space.number(0) + space.number(1) + 0.05 * space.exchange(0, 1)
    ends = []
    for name, site, T, gamma in (("L", 0, 1.0, 0.04), ("R", 1, 0.3, 0.08)):
        bath = Bath(name, temperature=T, statistics=statistics)
        ends.append(Collision(bath, s, site, bath.ancilla(1.0, levels), gamma))
    return CollisionModel(H, ends, tau, dims=space, construction=construction)


CONSTRUCTIONS = [
    ("boson", "split", None),
    ("boson", "alternating", None),
    ("boson", "sequential", 30),
    ("boson", "joint", 30),
    ("spin", "split", None),
    ("spin", "alternating", None),
    ("spin", "sequential", None),
    ("spin", "joint", None),
    ("spin", "matched", None),
]


@pytest.mark.parametrize(("statistics", "construction", "levels"), CONSTRUCTIONS)
def test_charge_is_conserved_so_resonance_needs_no_work(statistics: str, construction: str, levels: int | None) -> None:
    model = rectifier(statistics, 0.7, construction, levels)
    heat = model.heat_currents()
    assert heat["L"] == pytest.approx(-heat["R"], rel=1e-9)
    assert abs(model.power()) < 1e-12
    rates = model.scgf("L", np.array([-0.4, 0.4 - (1 / 0.3 - 1.0)]))
    assert rates[0] == pytest.approx(rates[1], abs=1e-8 if levels else 1e-12)  # Gallavotti-Cohen


@pytest.mark.parametrize(("statistics", "construction", "levels"), CONSTRUCTIONS)
def test_currents_approach_the_lindblad_limit_with_the_right_slope(
    statistics: str, construction: str, levels: int | None
) -> None:
    limit = rectifier(statistics, 1.0).lindblad_limit().heat_currents()["L"]
    taus = np.array([0.02, 0.01, 0.005]) if construction != "matched" else np.array([0.4, 0.2, 0.1])
    error = [abs(rectifier(statistics, t, construction, levels).heat_currents()["L"] / limit - 1) for t in taus]
    slope = np.polyfit(np.log(taus), np.log(error), 1)[0]
    expected, width = (2, 0.1) if construction == "matched" else (1, 0.05)
    assert slope == pytest.approx(expected, abs=width)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.floats(0.05, 1.5), st.floats(0.3, 3.0))
def test_ladder_equals_a_long_truncated_oscillator(levels: int, angle: float, beta: float) -> None:
    """Block by block without truncation = one large matrix exponential, where the matrix reaches."""
    system, bath = lowering(levels), Bath("b", beta=beta)
    kraus: Any
    kraus, first, last, prior = exchange_on_ladder(system, bath.ancilla(1.0), angle)
    size = 40
    V = np.kron(system, lowering(size).conj().T)
    U = scipy.linalg.expm(-1j * angle * (V + V.conj().T)).reshape(levels, size, levels, size)
    for k, n, m in zip(kraus, first, last, strict=True):
        if n < size - 12 and m < size - 12:
            assert np.allclose(k, np.sqrt(prior[n]) * U[:, m, :, n], atol=1e-10)
    assert np.allclose(np.einsum("kba,kbc->ac", kraus.conj(), kraus), np.eye(levels), atol=1e-12)


def test_jaynes_cummings_rotation() -> None:
    """P(up) and P(down) of a qubit against their sums, with ratio exp(-beta omega) at any angle."""
    angle, beta = 0.9, 0.4
    ancilla = Bath("b", beta=beta).ancilla(1.0)
    kraus, first, last, prior = exchange_on_ladder(s, ancilla, angle)
    up = sum(abs(k[1, 0]) ** 2 for k, n, m in zip(kraus, first, last, strict=True) if m == n - 1)
    down = sum(abs(k[0, 1]) ** 2 for k, n, m in zip(kraus, first, last, strict=True) if m == n + 1)
    n = np.arange(len(ancilla))
    assert up == pytest.approx(float(prior @ np.sin(angle * np.sqrt(n)) ** 2), rel=1e-12)
    assert up / down == pytest.approx(math.exp(-beta), rel=1e-12)


def test_cold_ladder_keeps_the_relative_accuracy_of_absorption() -> None:
    bath = Bath("b", temperature=0.02)
    kraus, first, last, _ = exchange_on_ladder(s, bath.ancilla(1.0), 0.1)
    up = sum(abs(k[1, 0]) ** 2 for k, n, m in zip(kraus, first, last, strict=True) if m == n - 1)
    down = sum(abs(k[0, 1]) ** 2 for k, n, m in zip(kraus, first, last, strict=True) if m == n + 1)
    assert up / down == pytest.approx(math.exp(-50.0), rel=1e-10)


def test_lindblad_limit_has_the_rates_of_the_bath() -> None:
    for statistics, sign in (("boson", 1), ("spin", -1)):
        limit = rectifier(statistics, 0.5).lindblad_limit()
        n = Bath("L", temperature=1.0, statistics=statistics).occupation(1.0)
        rates = {c.quantum: c.rate for c in limit.channels if c.name == "L"}
        assert rates[-1.0] == pytest.approx(0.04 * (1 + sign * n), rel=1e-12)
        assert rates[1.0] == pytest.approx(0.04 * n, rel=1e-12)


def test_weak_limit_of_a_general_coupling_is_the_limit_of_the_map() -> None:
    """A three-level ancilla with a dense coupling: the generator from the moments equals (map - 1) / tau."""
    rng = np.random.default_rng(5)
    V = rng.normal(size=(6, 6)) + 1j * rng.normal(size=(6, 6))
    V = V + V.conj().T
    V4 = V.reshape(2, 3, 2, 3)
    p = finite_ancilla([0.0, 0.7, 1.9], beta=0.8).populations
    mean = np.einsum("anbn,n->ab", V4, p)
    V -= np.kron(mean, np.eye(3))
    bath = Bath("b", beta=0.8, statistics="spin")
    H = np.diag([0.0, 1.0])
    rho = np.array([[0.6, 0.2j], [-0.2j, 0.4]])
    models = {
        tau: CollisionModel(H, [Collision(bath, V, 0, finite_ancilla([0, 0.7, 1.9], beta=0.8), 0.3)], tau)
        for tau in (1e-4, 1e-5)
    }
    limit = models[1e-4].lindblad_limit().heat_currents(rho)["b"]
    errors = [abs(m.heat_currents(rho)["b"] - limit) for m in models.values()]
    # third moments of a general coupling do not vanish: the approach is with sqrt(tau)
    assert errors[1] < 0.4 * errors[0] < 0.01 * abs(limit)


def test_an_oscillator_system_exchanges_block_by_block() -> None:
    space = Space(oscillator(12))
    bath = Bath("b", temperature=0.3)
    model = CollisionModel(space.number(0), [Collision(bath, lowering(12), 0, bath.ancilla(1.0), 0.2)], 0.5, dims=space)
    assert "site 0 oscillator cut to 12 levels" in repr(model)
    n = np.arange(12)
    thermal = np.exp(-n / 0.3) / np.exp(-n / 0.3).sum()
    assert np.allclose(np.diag(model.steady_state()).real, thermal, atol=1e-12)


def test_given_populations_count_their_own_entropy() -> None:
    ancilla = finite_ancilla([0.0, 1.0, 1.7], populations=[0.5, 0.2, 0.3])
    model = CollisionModel(np.diag([0.0, 1.0]), [Collision("odd", s, 0, ancilla, 0.3)], 0.4)
    table = model.process.counts
    p = dict(zip([0.0, 1.0, 1.7], [0.5, 0.2, 0.3], strict=True))
    found = {round(float(q), 9): float(x) for q, x in zip(table.quantum, table.entropy, strict=True)}
    assert found[-1.0] == pytest.approx(math.log(p[0.0] / p[1.0]))
    assert found[0.7] == pytest.approx(math.log(p[1.7] / p[1.0]))


def test_channels_act_at_the_end_of_a_period() -> None:
    bath = Bath("b", temperature=0.5, spectral_density=0.3)
    hot = Bath("h", temperature=2.0, statistics="spin")
    space = Space(qubit())
    items: list[Any] = [
        Collision(hot, s, 0, hot.ancilla(1.0), 0.2),
        Channel(s, 0.3 * (1 + bath.occupation(1.0)), -1.0, bath),
        Channel(s.conj().T, 0.3 * bath.occupation(1.0), 1.0, bath),
    ]
    model = CollisionModel(space.number(0), items, 0.01)
    heat = model.heat_currents()
    both = LindbladModel(space.number(0), list(model.lindblad_limit().channels)).heat_currents()
    assert heat["b"] == pytest.approx(-heat["h"], rel=1e-9)
    assert heat["b"] == pytest.approx(both["b"], rel=5e-3)


def _one(**changes: object) -> CollisionModel:
    bath = Bath("b", temperature=0.5, statistics="spin")
    arguments = {
        "coupling": s,
        "on": 0,
        "ancilla": bath.ancilla(1.0),
        "rate": 0.1,
        "tau": 0.5,
        "H": np.diag([0.0, 1.0]),
    }
    arguments |= changes
    tau, H, construction = arguments.pop("tau"), arguments.pop("H"), arguments.pop("construction", "split")
    return CollisionModel(H, [Collision(bath, **arguments)], tau, construction=construction)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"tau": 0.0}, "`tau` must be positive, but is 0.0"),
        ({"tau": -1.0}, "`tau` must be positive"),
        ({"rate": -0.1}, "`rate` of the collision with bath 'b' must be positive"),
        ({"on": 1}, "`on` (1,) of bath 'b' must be different sites from 0 to 0"),
        ({"coupling": np.eye(3)}, "`coupling` of bath 'b' must have shape (2, 2)"),
        ({"coupling": np.eye(4) + 1j * np.ones((4, 4))}, "`coupling` must be Hermitian"),
        ({"H": [[0, 1], [0, 0]]}, "`H` must be Hermitian"),
        ({"construction": "magic"}, "`construction` must be one of"),
        ({"ancilla": finite_ancilla([0, 1], beta=7.0)}, "is not thermal at beta = 2"),
        ({"ancilla": finite_ancilla([0, 1, 2], beta=2.0), "construction": "matched"}, "bath 'b' is neither"),
    ],
)
def test_messages(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        _one(**changes)
    assert sentence in str(caught.value)


def test_joint_construction_asks_for_levels() -> None:
    with pytest.raises(ValueError, match=r"needs a truncated oscillator ancilla for bath 'L'.*levels"):
        rectifier("boson", 0.5, "joint")


def test_ladder_refuses_a_coupling_without_quanta() -> None:
    bath = Bath("b", temperature=0.5)
    with pytest.raises(ValueError, match="does not lower a number of quanta"):
        CollisionModel(np.diag([0.0, 1.0]), [Collision(bath, s + s.T, 0, bath.ancilla(1.0), 0.1)], 0.5)


def test_no_limit_for_an_ancilla_with_a_mean() -> None:
    bath = Bath("b", temperature=0.5, statistics="spin")
    V = np.kron(s + s.T, np.diag([1.0, 0.0]))
    model = CollisionModel(np.diag([0.0, 1.0]), [Collision(bath, V, 0, bath.ancilla(1.0), 0.1)], 0.5)
    with pytest.raises(ValueError, match="its ancilla's mean coupling is not zero"):
        model.lindblad_limit()


def test_completeness_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged unitary is refused at compile time."""
    import collide.collision as module

    def damaged(*arguments: object) -> object:
        outcomes: Any = exchange_on_ladder(*arguments)  # type: ignore[arg-type]
        return outcomes._replace(kraus=outcomes.kraus * 1.001)

    monkeypatch.setattr(module, "exchange_on_ladder", damaged)
    with pytest.raises(ValueError, match=r"miss completeness by 0\.002"):
        rectifier("boson", 0.5)


def test_counts_name_heat_charge_and_entropy() -> None:
    model = rectifier("boson", 0.5)
    table = model.process.counts
    assert table.baths == ("L", "R")
    assert np.allclose(table.entropy, -table.beta[table.bath] * table.quantum)
    assert np.array_equal(table.charge, np.rint(table.quantum))
    instrument = next(e for e in model.process.elements if isinstance(e, Instrument))
    heat = np.where(instrument.counts[:, 0] >= 0, table.quantum[instrument.counts[:, 0]], 0.0)
    assert np.allclose(heat, instrument.first - instrument.last)


def test_a_joint_collision_too_large_for_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collide.exchange.MOST_ENTRIES", 20)
    bath = Bath("L", temperature=1.0)
    items = [Collision(bath, lowering(2), 0, bath.ancilla(1.0, levels=16), 0.1)]
    with pytest.raises(
        ValueError, match=r"a joint collision with \d+ amplitudes in \d+ outcomes on 2 levels does not fit"
    ):
        CollisionModel(np.diag([0.0, 1.0]), items, 0.5, construction="joint")
