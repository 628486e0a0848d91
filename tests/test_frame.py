"""Rotating frames: energies that commute with everything, and what they leave of the evolution."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.linalg import expm

from collide import (
    Bath,
    Channel,
    Collision,
    CollisionModel,
    LindbladModel,
    Space,
    finite_ancilla,
    local,
    oscillator,
    qubit,
)
from collide.frame import rotating_frame
from collide.program import compile_program, replay, run_chunk
from systems import jump_pair
from test_gates import chain as gate_chain

seeds = st.integers(0, 2**32 - 1)


def charged(rng, d: int, omega: float):
    """Random H and jumps that keep, raise and lower a charge N: (H, jump operators)."""
    N = np.sort(rng.integers(0, 4, d))
    N[:2] = 0, 1
    same, up = N[:, None] == N, N[:, None] == N + 1
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    H = np.where(same, A + A.conj().T, 0) + omega * np.diag(N)
    ops = [np.where(where, rng.normal(size=(d, d)), 0) for where in (same, up, up.T)]
    return H, [op * (rng.random((d, d)) < 0.7) for op in ops]


def model_of(H, ops) -> LindbladModel:
    channels = [Channel(op, 0.3, 1.0, "hot", "irreversible", charge=k + 1) for k, op in enumerate(ops)]
    return LindbladModel(H, channels)


def mixing(d: int, rng) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


def lab_arrays(monkeypatch, model, **kwargs):
    """Arrays of a program before frame and gauge."""
    with monkeypatch.context() as patch:
        patch.setattr("collide.compile_jumps.real_jumps", lambda arrays: arrays)
        patch.setattr(
            "collide.compile_jumps.rotating_frame", lambda arrays: np.zeros(arrays["basis"].shape), raising=False
        )
        return compile_program(model, 1.0, **kwargs).arrays


@settings(max_examples=20, deadline=None)
@given(seed=seeds, d=st.integers(3, 7))
def test_evolution_and_jumps_are_those_of_the_laboratory(seed: int, d: int) -> None:
    """Two waits with a jump between them: one phase for each state at the end, and one that nobody sees."""
    rng = np.random.default_rng(seed)
    H, ops = charged(rng, d, 7.3)
    with pytest.MonkeyPatch.context() as patch:
        arrays = lab_arrays(patch, model_of(H, ops), initial=np.eye(d)[0], closing=mixing(d, rng))
    assert len(arrays["size"]) == 1
    e = rotating_frame(arrays)[0]
    assert np.ptp(e) > 0
    heff = arrays["heff"][0]
    assert np.abs(heff @ np.diag(e) - np.diag(e) @ heff).max() == 0
    for c in range(len(arrays["jump_start"]) - 1):
        at = slice(arrays["jump_start"][c], arrays["jump_start"][c + 1])
        J = np.zeros((d, d), complex)
        J[arrays["jump_row"][at], arrays["jump_column"][at]] = arrays["jump_value"][at]
        psi = rng.normal(size=d) + 1j * rng.normal(size=d)
        lab = expm(-1j * heff * 0.8) @ J @ expm(-1j * heff * 1.7) @ psi
        rest = heff - np.diag(e)
        turned = np.exp(-1j * e * 2.5) * (expm(-1j * rest * 0.8) @ J @ expm(-1j * rest * 1.7) @ psi)
        assert abs(np.vdot(lab, turned)) == pytest.approx(np.linalg.norm(lab) * np.linalg.norm(turned), rel=1e-10)
        assert np.linalg.norm(lab) == pytest.approx(np.linalg.norm(turned), rel=1e-10, abs=1e-12)


def test_a_field_is_the_frame() -> None:
    """Six qubits and a closing basis that mixes all numbers of excitations: what is left is the exchange alone."""
    with pytest.MonkeyPatch.context() as patch:
        space = Space(*[qubit()] * 6)
        H = 1.3 * sum(space.number(j) for j in range(6)) + 0.05 * sum(space.exchange(j, j + 1) for j in range(5))
        bath = Bath("hot", temperature=1.0, spectral_density=0.01)
        model = LindbladModel(H, local(space.s(0), 1.3, bath), dims=space)
        basis = np.ones((1, 1))
        for _ in range(6):
            basis = np.kron(basis, np.array([[1, 1], [1, -1]]) / np.sqrt(2))
        arrays = lab_arrays(patch, model, initial=np.eye(64)[0], closing=basis)
    assert arrays["size"].tolist() == [64]
    N = np.array([bin(state).count("1") for state in range(64)])
    assert np.allclose(rotating_frame(arrays), 1.3 * N, rtol=0, atol=1e-14)


@pytest.mark.parametrize("n", [np.arange(6), np.array([0, 1, 1, 1, 2, 3])], ids=["levels", "sectors"])
def test_the_nearest_of_all_frames_is_taken(n: np.ndarray) -> None:
    """Of levels w n + x n^2 a ladder of jumps admits a line: the one of least squares over all states."""
    d, levels = len(n), 2.0 * n + 0.1 * n**2
    same = (n[:, None] == n) & ~np.eye(d, dtype=bool)
    lower = np.where(n[:, None] == n - 1, np.sqrt(n), 0.0)
    model = model_of(np.diag(levels) + 0.3 * same, [lower, lower.T])
    with pytest.MonkeyPatch.context() as patch:
        arrays = lab_arrays(patch, model, initial=np.eye(d)[0], closing=mixing(d, np.random.default_rng(1)))
    slope = np.polyfit(n, levels, 1)[0]
    assert np.allclose(rotating_frame(arrays)[0], slope * n, atol=1e-12)


def test_channels_that_share_a_bath_may_change_it_differently() -> None:
    """One transition of a ladder each: no relation is left, the frame is the level scheme itself."""
    levels = np.array([0.0, 1.0, 2.7, 3.1])
    ops = [np.outer(np.eye(4)[k], np.eye(4)[k + 1]) for k in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        arrays = lab_arrays(
            patch, model_of(np.diag(levels), ops), initial=np.eye(4)[0], closing=mixing(4, np.random.default_rng(1))
        )
    assert np.allclose(rotating_frame(arrays)[0], levels, atol=1e-14)


@pytest.mark.parametrize("case", ["sectors", "driven", "a jump to both"])
def test_there_is_none_where_nothing_turns(case: str) -> None:
    """Blocks of one sector, a drive that couples the sectors, a jump that tells them apart."""
    kwargs = {"initial": np.array([0.6, 0.8])}
    if case == "sectors":
        model, kwargs = jump_pair(), {}
    elif case == "driven":
        model = model_of(np.array([[0, 0.1], [0.1, 1.0]]), [np.array([[0, 1.0], [0, 0]])])
    else:  # raises and lowers at once
        model = model_of(np.diag([0.0, 1.0]), [np.array([[0, 1.0], [1.0, 0]])])
    with pytest.MonkeyPatch.context() as patch:
        arrays = lab_arrays(patch, model, **kwargs)
    assert not rotating_frame(arrays).any()


@pytest.mark.parametrize("closing", ["mixing", "product"])
def test_chain_without_sectors_is_real_in_its_frame(closing: str) -> None:
    """Six qubits whose field is in the frame: hopping and rates are left, all of it real; so is a ket of one sector."""
    space = Space(*[qubit()] * 6)
    H = sum(space.number(j) for j in range(6)) + 0.05 * sum(space.exchange(j, j + 1) for j in range(5))
    channels = []
    for site, temperature in ((0, 1.0), (5, 0.1)):
        bath = Bath(f"b{site}", temperature=temperature, spectral_density=0.01)
        channels += local(space.s(site), 1.0, bath)
    model = LindbladModel(H, channels, dims=space)
    ket, basis = np.eye(64)[0], np.ones((1, 1))
    tilted: np.ndarray = np.ones(1)
    for _ in range(6):
        basis = np.kron(basis, np.array([[1, 1], [1, -1]]) / np.sqrt(2))
        tilted = np.kron(tilted, [np.cos(0.3), np.sin(0.3)])
    mixes = closing == "mixing"
    a = compile_program(model, 10.0, initial=ket if mixes else tilted, closing=basis if mixes else "product").arrays
    assert a["size"].tolist() == [64]
    quanta = np.array([bin(state).count("1") for state in range(64)])
    assert np.allclose(a["turn"], np.exp(-10j * quanta), atol=1e-12)
    assert not a["heff"].real.any()
    assert not a["jump_value"].imag.any()
    # a product ket is not real: its amplitudes are, but not those of a chain's real basis
    assert a["initial_vec"].imag.any() == (not mixes)
    assert np.abs(a["heff"]).sum(axis=1).max() < 0.3  # of which 3 was the field


def tilted_pair(levels: tuple[float, float] = (1.0, 1.0)) -> LindbladModel:
    """Two qubits in a strong field, between two baths."""
    space = Space(qubit(), qubit())
    H = levels[0] * space.number(0) + levels[1] * space.number(1) + 0.4 * space.exchange(0, 1)
    channels = []
    for site, temperature in ((0, 2.0), (1, 0.5)):
        bath = Bath(f"b{site}", temperature=temperature, spectral_density=0.15)
        channels += local(space.s(site), levels[site], bath)
    return LindbladModel(H, channels, dims=space)


@pytest.mark.parametrize("closing", ["mixing", None])
def test_ensembles_in_a_frame_are_those_of_the_laboratory(closing: str | None) -> None:
    """Observables that turn, averaged states at several stops, closing outcomes: against exact averages.

    About 60 comparisons at 4.5 standard errors: a right program fails with a probability of 4e-4.
    """
    space, n = Space(qubit(), qubit()), 20_000
    model, ket = tilted_pair(), np.kron([0.8, 0.6], [0.6, 0.8j])
    s = space.s(0).toarray() if hasattr(space.s(0), "toarray") else np.asarray(space.s(0))
    e_ops = {"x": s + s.conj().T, "y": 1j * (s - s.conj().T)}
    times = [0.0, 0.7, 2.0, 5.0]
    basis = mixing(4, np.random.default_rng(5)) if closing else None
    program = compile_program(model, times, initial=ket, closing=basis, e_ops=e_ops, keep=("final_state",))
    assert program.arrays["turn"].shape[0] == 4
    chunk = run_chunk(program, 11, 0, n)
    exact = model.evolve(np.outer(ket, ket.conj()), times)
    for t in range(4):
        for k, op in enumerate(e_ops.values()):
            mean, square = chunk.partial["expect_sum"][t, k] / n
            error = np.sqrt(max(square - mean**2, 0.0) / n) + 1e-12
            assert abs(mean - np.trace(op @ exact[t]).real) < 4.5 * error
        rho = chunk.partial["rho_sum"][t] / n
        assert np.abs(rho - exact[t]).max() < 4.5 * np.sqrt(0.5 / n) * (t > 0) + 1e-12
    kets = chunk.columns["final_state"]
    assert np.allclose(np.einsum("na,nb->ab", kets, kets.conj()) / n, chunk.partial["rho_sum"][3] / n, atol=1e-12)
    outcomes = np.bincount(chunk.columns["final"], minlength=4) / n
    p = program.arrays["final_p"]
    assert np.all(np.abs(outcomes - p) < 4.5 * np.sqrt(p * (1 - p) / n) + 1e-12)


def test_a_ket_that_does_not_jump_turns_as_in_the_laboratory() -> None:
    model, ket = tilted_pair((1.3, 1.3)), np.kron([0.8, 0.6], [0.6, 0.8j])
    program = compile_program(model, 0.4, initial=ket, keep=("final_state", "jumps"))
    chunk = run_chunk(program, 3, 0, 50)
    still = np.flatnonzero(chunk.ragged["row_size"] == 0)
    assert len(still) > 10
    heff = model.H.toarray() - 0.5j * sum(
        float(channel.rate) * np.asarray((channel.op.conj().T @ channel.op).todense()) for channel in model.channels
    )
    expected = expm(-1j * heff * 0.4) @ ket
    expected /= np.linalg.norm(expected)
    for k in still:
        overlap = expected.conj() @ chunk.columns["final_state"][k]
        # up to one phase: that of the centre of the spectrum
        assert abs(abs(overlap) - 1.0) < 1e-12


def cold_chain(N: int, drive: float = 0.0) -> LindbladModel:
    """A bath at T = 0: the ground state neither decays nor has an energy, so that H_eff has no entry for it."""
    space = Space(*[qubit()] * N)
    H = sum(space.number(j) for j in range(N)) + 0.3 * sum(space.exchange(j, j + 1) for j in range(N - 1))
    cold = Bath("cold", temperature=0.0, spectral_density=0.3)
    return LindbladModel(H + drive * space.sx(0), local(space.s(0), 1.0, cold), dims=space)


def product_ket(N: int, angle: float = 0.6) -> np.ndarray:
    ket: np.ndarray = np.ones(1)
    for _ in range(N):
        ket = np.kron(ket, [np.cos(angle), np.sin(angle)])
    return ket


def small_as_large(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let small systems be run by sparse operators, or by gates."""
    if kind != "jumps":
        monkeypatch.setattr("collide.compile_wide._gates_are_cheaper", lambda *_: True)
        monkeypatch.setattr("collide.program.MOST_STATES", 1)
        monkeypatch.setattr("collide.protocol.MOST_STATES", 1)


@pytest.mark.parametrize("kind", ["jumps", "sparse_jumps", "gates"])
@pytest.mark.parametrize("turns", [True, False], ids=["in a frame", "in the laboratory"])
def test_averaged_states_at_stops_are_exact(monkeypatch: pytest.MonkeyPatch, kind: str, turns: bool) -> None:
    """Coherences between sectors turn with the field, whether it is in the evolution or in the frame."""
    ket, n, times = product_ket(3), 20_000, [1.0, 3.0]
    if kind == "gates":
        model = gate_chain(3, slope=0.0 if turns else 0.3, zz=0.2)
    else:
        model = cold_chain(3, drive=0.0 if turns else 0.2)
    exact = model.evolve(ket, times)
    small_as_large(monkeypatch, kind)
    program = compile_program(model, times, initial=ket, closing="product")
    assert program.kind == kind
    assert program.arrays["size"].tolist() == [8]
    assert program.arrays["frame"].any() == (turns or kind == "gates")
    state = run_chunk(program, 1, 0, n).partial["rho_sum"] / n
    assert np.abs(state - exact).max() < 4.5 * 0.5 / np.sqrt(n)


@pytest.mark.parametrize("kind", ["jumps", "sparse_jumps", "gates"])
def test_a_path_is_seen_in_the_laboratory(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """At times that are no stops of the program: the state is that of a program that ends there."""
    small_as_large(monkeypatch, kind)
    model, ket = gate_chain(3) if kind == "gates" else cold_chain(3), product_ket(3)
    whole, part = (compile_program(model, t, initial=ket, closing="product", keep=("final_state",)) for t in (9.0, 4.5))
    assert whole.kind == kind
    assert whole.arrays["frame"].any()
    ends = run_chunk(part, 2, 0, 20).columns["final_state"]
    for id in range(20):
        path = replay(whole, 2, id) if kind == "gates" else replay(whole, 2, id, times=[1.1, 4.5, 7.0])
        (at,) = np.flatnonzero(path.times == 4.5)
        assert abs(np.vdot(path.states[at], ends[id])) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("which", ["an event", "the null operator", "a gate"])
def test_a_field_stays_where_its_quanta_are_not_kept(monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    """Raised and lowered at once by an outcome, without any exchange, or in pairs by the evolution."""
    other, flip = oscillator(3) if which == "a gate" else qubit(), np.array([[0, 1], [1, 0]])
    space = Space(qubit(), other)
    H = 1.3 * (space.number(0) + space.number(1)) + (which != "a gate") * 0.3 * space.exchange(0, 1)
    coupling = {"an event": np.kron(flip, flip), "the null operator": np.kron(flip, np.diag([1, -1]))}
    if which == "a gate":  # |00> and |02>, while the other states stay
        pair = np.zeros((6, 6))
        pair[0, 2] = pair[2, 0] = 0.4
        H, coupling["a gate"] = H + pair, np.kron(np.diag([1, -1]), flip)
    # a cold ancilla does nothing but by its null operator
    beta = 100.0 if which == "the null operator" else 1.0
    bath = Bath("b", beta=beta, statistics="spin", spectral_density=0.2)
    hit = Collision(bath, coupling[which], 0, finite_ancilla([0.0, 0.9], beta=beta), 0.5)
    model = CollisionModel(H, [hit], 0.5, dims=space, construction="gates")
    ket, n = np.full(space.d, space.d**-0.5), 20_000
    exact = model.evolve(ket, [1.0, 3.0])
    small_as_large(monkeypatch, "gates")
    program = compile_program(model, [1.0, 3.0], initial=ket, closing="product")
    assert program.kind == "gates"
    assert not program.arrays["frame"].any()
    state = run_chunk(program, 1, 0, n).partial["rho_sum"] / n
    assert np.abs(state - exact).max() < 4.5 * 0.5 / np.sqrt(n)
