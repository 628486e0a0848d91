"""What runs and why, and what a collision model's user should know: every sentence."""

from typing import Any

import numpy as np
import pytest

from collide import (
    Bath,
    Channel,
    Collision,
    CollisionModel,
    LindbladModel,
    Space,
    compile_program,
    explain,
    finite_ancilla,
    local,
    oscillator,
    qubit,
)
from collide.machines import rectifier
from collide.operators import lowering

SPACE = Space(qubit(), qubit())
HOT = Bath("L", temperature=1.0, spectral_density=0.1)
JUMPS: dict[str, Any] = {"g": 0.05, "gamma_L": 0.01, "gamma_R": 0.02, "T_L": 1.0, "T_R": 0.1}


@pytest.mark.parametrize(
    ("model", "kind", "sentences"),
    [
        (
            rectifier(N=2, **JUMPS),
            "jumps",
            [
                "trajectories: quantum jumps, each found by a search in tables of the evolution between jumps.",
                "invariant sectors: in the given basis a trajectory stays in one of 3 blocks of at most 2 states until",
                "exact side: 5 of 16 real coordinates of the density matrix, the others are never reached; dense",
            ],
        ),
        (
            rectifier(N=2, equation="global", **JUMPS),
            "jumps",
            ["classical jump process: in an eigenbasis every jump leads from one of the 4 basis states to one."],
        ),
        (
            LindbladModel(SPACE.sx(0) + SPACE.exchange(0, 1), local(SPACE.s(0), 1.0, HOT), dims=SPACE),
            "jumps",
            ["dense: in the given basis evolution and jumps connect all 4 basis states.", "exact side: 10 of 16 real"],
        ),
        (
            rectifier(N=2, picture="collision", tau=0.5, **JUMPS),
            "events",
            [
                "trajectories: collisions, followed from one that exchanges something to the next.",
                "event-driven collisions, 11 kinds of event beside the null one.",
                "invariant sectors: in the given basis a trajectory stays in one of 3 blocks of at most 2 states",
            ],
        ),
        (
            rectifier(N=6, **JUMPS),
            "jumps",
            ["invariant sectors: in the given basis a trajectory stays in one of 7 blocks of at most 20 states until"],
        ),
        (
            rectifier(N=10, **JUMPS),
            "sparse_jumps",
            [
                "for a start in the first basis state and a closing measurement in the product basis:",
                "trajectories: quantum jumps, each found by sparse evolution between jumps.",
                "one of 11 blocks of at most 252 states",
                "exact side: none, 1024 levels are too many for density matrices.",
            ],
        ),
    ],
    ids=["sectors", "classical", "dense", "events", "six qubits", "ten qubits"],
)
def test_a_model_says_what_runs_and_why(model: Any, kind: str, sentences: list[str]) -> None:
    found = model.explain()
    assert found.kind == kind
    for sentence in sentences:
        assert sentence in repr(found)


def test_measurements_take_part_in_the_choice() -> None:
    model = rectifier(N=2, **JUMPS)
    ket = np.full(4, 0.5)
    assert "dense: in the given basis" in repr(explain(model, 3.0, initial=ket))
    told = compile_program(model, 3.0, initial=ket).meta["explanation"].split("; ")
    assert "between stops states are seen from a rotating frame" in told
    assert "amplitudes are real, in a basis of phases" not in told  # those of this ket are not
    assert all(f"{part}.\n" in repr(explain(model, 3.0, initial=ket)) for part in told)
    collisions = rectifier(N=2, picture="collision", tau=0.5, **JUMPS)
    assert collisions.explain(labels="all").kind == "collisions"
    assert "every label drawn" in repr(collisions.explain(labels="all"))
    alone = LindbladModel(SPACE.number(0) + SPACE.number(1), local(SPACE.s(0), 1.0, HOT), dims=SPACE)
    assert "for a start in the first basis state, since the steady state is not unique" in repr(alone.explain())


def hit(bath: Any, ancilla: Any, rate: float = 0.04, coupling: Any = None, **more: Any) -> CollisionModel:
    """A qubit of frequency 1 hit by one kind of ancilla."""
    item = Collision(bath, lowering(2) if coupling is None else coupling, 0, ancilla, rate)
    return CollisionModel(np.diag([0.0, 1.0]), [item], 0.5, **more)


warm, cold = Bath("W", temperature=1.0), Bath("C", temperature=0.0)
flat, inverted = (Bath("S", beta=beta, statistics="spin") for beta in (0.0, -1.0))
sigma = np.kron(lowering(2) + lowering(2).T, np.diag([1.0, 1.0]) + 0.5 * (lowering(2) + lowering(2).T))


@pytest.mark.parametrize(
    ("model", "ok", "sentences"),
    [
        (
            hit(warm, warm.ancilla(1.0)),
            True,
            [
                "bath W: thermal at beta = 1.",
                "bath W: its coupling conserves H_S + H_A, heat is exchanged without work.",
                "bath W: angle sqrt(rate tau) = 0.141 in a collision, weak: the Lindblad equation is near",
                "tau = 0.5: the system's couplings turn it by at most 0 in a period.",
                "the steady state is unique.",
            ],
        ),
        (hit(warm, warm.ancilla(0.7)), True, ["bath W: [V, H_S + H_A] is not zero (0.3), to switch the coupling on"]),
        (
            hit(inverted, inverted.ancilla(1.0), rate=2.0),
            True,
            [
                "bath S: negative temperature (beta = -1), its ancillas are inverted and give heat to anybody.",
                "bath S: its coupling conserves H_S + H_A",
                "bath S: angle sqrt(rate tau) = 1 in a collision, strong: results depend on tau",
            ],
        ),
        (hit(inverted, inverted.ancilla(0.7)), True, ["bath S: [V, H_S + H_A] is not zero (0.3)"]),
        (
            hit(flat, flat.ancilla(1.0)),
            True,
            ["bath S: infinite temperature, its exchanges carry heat but no entropy."],
        ),
        (
            hit(cold, cold.ancilla(1.0)),
            True,
            ["bath C: zero temperature, it only takes: entropy production is infinite"],
        ),
        (
            hit("X", finite_ancilla([0.0, 1.0], populations=[1.0, 0.0])),
            True,
            ["bath X: no temperature, its entropy per exchange is ln(p_n / p_m); a level that is never populated has"],
        ),
        (hit(warm, warm.ancilla(1.0, levels=15)), True, ["bath W: its ancilla's levels leave out 3.1e-07 of"]),
        (
            hit(warm, finite_ancilla([0.0, 1.0], beta=1.0), coupling=sigma),
            False,
            ["NO limit tau -> 0: bath 'W' has no Lindblad limit: its ancilla's mean coupling is not zero"],
        ),
    ],
)
def test_check_of_collisions_speaks_in_sentences(model: CollisionModel, ok: bool, sentences: list[str]) -> None:
    report = model.check()
    for sentence in sentences:
        assert sentence in repr(report)
    assert report.ok is ok


def test_check_of_collisions_sees_what_is_cut_off_alone_or_turned_far() -> None:
    bath = Bath("L", temperature=0.4)
    space = Space(qubit(), oscillator(5))
    H = space.number(0) + space.number(1)
    alone = CollisionModel(H, alone_item(bath), 0.5, dims=space).check()
    assert not alone.ok
    assert "NOT unique: the steady state is not unique" in repr(alone)
    assert "site 1 oscillator cut to 5 levels: check that its highest levels stay empty." in repr(alone)
    far = CollisionModel(H + 2 * space.exchange(0, 1), alone_item(bath), 0.5, dims=space).check()
    assert "tau = 0.5: the system's couplings turn it by up to 2 in a period, tau is not small." in repr(far)


def alone_item(bath: Bath) -> list[Collision]:
    """One collision, with the first site."""
    return [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.1)]


def test_a_channel_in_a_period_is_no_collision_to_report_on() -> None:
    wheel = Channel(np.diag([0.0, 1.0]), 0.1, 0.0, "wheel", "load", energy=np.diag([0.0, 1.0]))
    item = Collision(warm, lowering(2), 0, warm.ancilla(1.0), 0.04)
    text = repr(CollisionModel(np.diag([0.0, 1.0]), [item, wheel], 0.5).check())
    assert "bath W: thermal" in text
    assert "wheel" not in text


def test_real_bases_are_told() -> None:
    for model in (rectifier(N=2, **JUMPS), rectifier(N=2, picture="collision", tau=0.5, **JUMPS)):
        assert "amplitudes are real, in a basis of phases." in repr(explain(model, 3.0)), model
