"""Real bases of chains: gates become rotations, sparse operators real, and records do not tell."""

from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from collide import Collision, CollisionModel, LindbladModel, Space, oscillator, qubit
from collide.gauge_wide import _own_phases, real_gates, real_sparse_jumps
from collide.operators import lowering
from collide.program import Program, compile_program, run_chunk
from test_gates import chain as gate_chain
from test_gates import mixed, spin_bath
from test_sparse_jumps import chain as jump_chain

TILTED = np.array([np.cos(0.4), np.sin(0.4)])


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small systems too are run by gates and sparse operators."""
    monkeypatch.setattr("collide.compile_wide._gates_are_cheaper", lambda *_: True)
    monkeypatch.setattr("collide.program.MOST_STATES", 1)
    monkeypatch.setattr("collide.protocol.MOST_STATES", 1)
    for gauge in ("real_gates", "real_sparse_jumps"):  # as they were written, to be compared
        monkeypatch.setattr(f"collide.compile_wide.{gauge}", lambda arrays: arrays)


def gauged(program: Program) -> Program:
    turned = (real_gates if program.kind == "gates" else real_sparse_jumps)(program.arrays)
    return Program.from_arrays(program.kind, turned, program.meta, program.model)


def is_real(program: Program) -> tuple[bool, bool, bool]:
    a = program.arrays
    waiting = a["wait_value"].imag if program.kind == "gates" else a["wait_value"].real
    evolution = not waiting.any() and not a["move_value"].imag.any()
    return evolution, not a["jump_value"].imag.any(), not a["initial_value"].imag.any()


def bosons(tau: float = 0.4) -> CollisionModel:
    """Three oscillators that exchange quanta: gates on many states at once."""
    space = Space(*[oscillator(3)] * 3)
    H = sum(space.number(j) for j in range(3)) + 0.3 * (space.exchange(0, 1) + space.exchange(1, 2))
    bath = spin_bath("L", 1.0)
    hits = [Collision(bath, lowering(3), 0, bath.ancilla(1.0), 0.4)]
    return CollisionModel(H, hits, tau, dims=space, construction="gates")


def resonant_chain(N: int, g: float = 0.3) -> LindbladModel:
    model = jump_chain(N, g=g)
    space = Space(*[qubit()] * N)
    H = sum(space.number(j) for j in range(N)) + g * sum(space.exchange(j, j + 1) for j in range(N - 1))
    return LindbladModel(H, model.channels, dims=space)


def ket_of(d: int) -> Any:
    """One sector, two states, a phase between them that no gauge of a chain removes."""
    ket = np.zeros(d, complex)
    ket[1], ket[2] = 0.6, 0.8
    return ket


CASES = {
    "gates": lambda: (gate_chain(4), {}),
    "gates, every label": lambda: (gate_chain(4), {"labels": "all"}),
    "gates of oscillators": lambda: (bosons(), {}),
    "gates, a ket": lambda: (gate_chain(4), {"initial": ket_of(16)}),
    "sparse jumps": lambda: (resonant_chain(4), {}),
    "sparse jumps, a ket": lambda: (resonant_chain(4), {"initial": ket_of(16)}),
}


@pytest.mark.parametrize("case", CASES)
def test_records_do_not_tell(wide: None, case: str) -> None:
    """The same outcomes and exchanges, averages and final kets, in a program that is real."""
    model, options = CASES[case]()
    d, t = model.process.d, 20.0
    H = model.process.H
    current = 1j * np.triu(H.toarray(), 1)
    options = {"initial": np.eye(d)[1]} | options
    program = compile_program(
        model, [t / 2, t], closing="product", e_ops=[H, current + current.conj().T], keep=("jumps", "final_state"),
        **options,
    )  # fmt: skip
    assert program.kind == ("gates" if "gates" in case else "sparse_jumps")
    assert not all(is_real(program))
    turned = gauged(program)
    assert is_real(turned) == (True, True, "a ket" not in case)
    one, other = run_chunk(turned, 3, 0, 200), run_chunk(program, 3, 0, 200)
    for name in ("initial", "final", "counts", "status"):
        assert np.array_equal(one.columns[name], other.columns[name])
    assert one.columns["counts"].sum() > 200
    assert np.array_equal(one.ragged["jump_channel"], other.ragged["jump_channel"])
    assert np.allclose(one.ragged["jump_time"], other.ragged["jump_time"], atol=1e-8)
    assert np.allclose(one.columns["closing_energy"], other.columns["closing_energy"], atol=1e-9)
    assert np.allclose(one.partial["expect_sum"], other.partial["expect_sum"], atol=1e-8)
    assert np.abs(one.partial["expect_sum"][..., 1, 1]).max() > 0.1
    if "rho_sum" in one.partial:
        assert np.allclose(one.partial["rho_sum"], other.partial["rho_sum"], atol=1e-8)
    overlap = (one.columns["final_state"].conj() * other.columns["final_state"]).sum(axis=1)
    assert np.allclose(np.abs(overlap), 1.0, atol=1e-8)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(lambda: gate_chain(4, slope=0.1), id="detuned gates"),
        pytest.param(lambda: gate_chain(4, zz=0.3), id="interacting gates"),
        pytest.param(mixed, id="gates without any pattern"),
        pytest.param(lambda: jump_chain(4), id="detuned jumps"),
        pytest.param(lambda: jump_chain(4, drive=0.2), id="driven jumps"),
    ],
)
def test_what_is_not_real_stays_as_it_is(wide: None, model) -> None:
    made = model()
    program = compile_program(made, 4.0, initial=np.eye(made.process.d)[1], closing="product")
    real = real_gates if program.kind == "gates" else real_sparse_jumps
    assert real(program.arrays) is program.arrays


def test_pairs_and_hops_agree_on_signs(wide: None) -> None:
    """An XY chain creates pairs too: the phases of a site are 1, i, -1, -i, ... by turns only up to signs."""
    space = Space(*[qubit()] * 4)
    X = [space.s(j) + space.s(j).T for j in range(4)]
    H = sum(0.3 * X[j] @ X[j + 1] + 0.1 * space.exchange(j, j + 1) for j in range(3))
    bath = spin_bath("L", 1.0)
    model = CollisionModel(
        H, [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.4)], 0.5, dims=space, construction="gates"
    )
    program = compile_program(model, 20.0, initial=np.eye(16)[3], closing="product", keep=("jumps",))
    turned = gauged(program)
    assert program.kind == "gates"
    assert all(is_real(turned))
    one, other = run_chunk(turned, 3, 0, 200), run_chunk(program, 3, 0, 200)
    assert np.array_equal(one.columns["counts"], other.columns["counts"])
    assert np.allclose(one.columns["closing_energy"], other.columns["closing_energy"], atol=1e-9)


def test_closing_kets_are_turned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The eigenbasis of an averaged state with currents, of two states each."""
    monkeypatch.setattr("collide.compile_wide._gates_are_cheaper", lambda *_: True)
    program = compile_program(gate_chain(4), 3.0, initial=np.eye(16)[1])
    assert program.kind == "gates"
    one, other = run_chunk(gauged(program), 3, 0, 500), run_chunk(program, 3, 0, 500)
    assert np.array_equal(one.columns["final"], other.columns["final"])
    assert len(np.unique(one.columns["final"])) > 8


def test_a_flux_through_a_ring_is_refused(wide: None) -> None:
    """Three sites in a ring: phases that add up on each bond do not around it."""
    space = Space(*[qubit()] * 3)
    s = [space.s(j) for j in range(3)]
    for flux, real in ((0.0, False), (np.pi / 2, True), (0.7, False)):
        # i times a real antisymmetric hopping is real; a positive hopping around a triangle is not
        hop = s[0].T @ s[1] + s[1].T @ s[2] + np.exp(1j * flux) * s[2].T @ s[0]
        H = sum(space.number(j) for j in range(3)) + 0.3 * (hop + hop.conj().T)
        model = LindbladModel(H, resonant_chain(3).channels, dims=space)
        program = compile_program(model, 1.0, initial=np.eye(8)[1], closing="product")
        assert is_real(gauged(program))[0] is real


@pytest.mark.parametrize("N", [10, 11])
def test_long_chains_are_real(N: int) -> None:
    """Of a tilted product ket everything but the ket, once the field is gone."""
    d = 2**N
    for model in (gate_chain(N, tau=0.1), resonant_chain(N)):
        program = compile_program(model, 1.0, initial=np.eye(1, d)[0], closing="product")
        assert is_real(gauged(program)) == (True, True, True)
        phases = gauged(program).arrays["vectors"]
        assert np.all((phases.real == 0) | (phases.imag == 0))
    ket = np.ones(1)
    for _ in range(N):
        ket = np.kron(ket, TILTED)
    space = Space(*[qubit()] * N)
    model = LindbladModel(
        0.3 * sum(space.exchange(j, j + 1) for j in range(N - 1)), resonant_chain(N).channels, dims=space
    )
    program = compile_program(model, 1.0, initial=ket, closing="product")
    assert program.arrays["size"].tolist() == [d]
    assert is_real(gauged(program)) == (True, True, False)


def test_a_turn_becomes_a_rotation(wide: None) -> None:
    program = compile_program(gate_chain(4), 0.5, initial=np.eye(16)[0], closing="product")
    before, after = program.arrays, gauged(program).arrays
    for turn, rotation in zip(before["move_value"].reshape(-1, 4), after["move_value"].reshape(-1, 4), strict=True):
        c, s = turn[0].real, -turn[1].imag
        assert np.allclose(turn, [c, -1j * s, -1j * s, c], rtol=0, atol=1e-15)
        assert np.allclose(rotation, [c, s, -s, c], rtol=0, atol=1e-15)


def test_phases_of_a_gate_follow_the_number_of_quanta() -> None:
    """Sharp where entries of all sizes are there, and those of the same kind agree on the signs they are free in."""
    k = 6
    hop = np.diag(np.sqrt(np.arange(1.0, k)), 1)
    for angle in (1e-3, 0.1, 0.9, -0.4):
        found = _own_phases(expm(-1j * angle * (hop + hop.T)))
        assert np.allclose(found, 1j ** np.arange(k), atol=1e-9)
    weak = 1e-9 * np.exp(1e-4j)  # its phase is mere rounding
    spread = np.array([[0.8, weak, 0.6], [weak, 1, weak], [-0.6, weak, 0.8]])
    assert abs(_own_phases(spread)[2] - 1) < 1e-12
    assert np.array_equal(_own_phases(np.array([[0.8, 0.6], [-0.6, 0.8]], complex)), [1, 1])


def test_groups_of_a_gate_that_ask_for_different_signs_are_refused(wide: None) -> None:
    """A gate is stored once, so that a sign of one of its groups cannot be turned."""
    program = compile_program(gate_chain(4), 0.5, initial=np.eye(16)[3], closing="product")
    arrays = dict(program.arrays)
    assert real_gates(arrays) is not arrays
    largest = int(np.argmax(arrays["size"]))
    first = arrays["orbit_start"][largest * len(arrays["move_size"]) + 1]
    arrays["orbit"] = arrays["orbit"].copy()
    arrays["orbit"][[first, first + 1]] = arrays["orbit"][[first + 1, first]]  # the same gate
    assert real_gates(arrays) is arrays
