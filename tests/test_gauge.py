"""Phases of the basis states: found where they make a program real, refused where nothing does, and never seen."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.linalg import expm
import scipy.sparse as sp

from collide import Bath, Channel, LindbladModel, Space, davies, flat, local, qubit
from collide.exact.process import Flow
from collide.gauge import real_events, real_jumps
from collide.machines import rectifier, rotor, tavis_cummings, xy_chain
from collide.program import compile_program, run_chunk
from systems import SPACE, baths, collision_pair, hamiltonian, jump_pair

seeds = st.integers(0, 2**32 - 1)


def is_real(program) -> tuple[bool, bool, bool]:
    """Whether evolution, jumps and opening kets are real to the last bit, as the kernels look for it."""
    a = program.arrays
    imaginary = a["heff"].real if program.kind == "jumps" else a["null"].imag
    return not imaginary.any(), not a["jump_value"].imag.any(), not a["initial_vec"].imag.any()


def ungauged(monkeypatch, model, *args, **kwargs):
    """The program in the basis as it was."""
    with monkeypatch.context() as patch:
        patch.setattr("collide.compile_jumps.real_jumps", lambda arrays: arrays)
        patch.setattr("collide.compile_events.real_events", lambda arrays: arrays)
        return compile_program(model, *args, **kwargs)


def graph(rng, d: int, extra: int) -> np.ndarray:
    """Real symmetric hopping on a random connected graph with loops."""
    hops = np.zeros((d, d))
    for k in range(1, d):
        hops[k, rng.integers(k)] = rng.normal()
    for _ in range(extra):
        j, k = rng.choice(d, 2, replace=False)
        hops[j, k] = rng.normal()
    return np.tril(hops + hops.T, -1) + np.tril(hops + hops.T, -1).T


def one_way(rng, d: int) -> np.ndarray:
    """A real jump operator without a pattern."""
    return rng.normal(size=(d, d)) * (rng.random((d, d)) < 0.4)


def imaginary_chain(hops: np.ndarray) -> np.ndarray:
    """i A with A real antisymmetric: -iH is real as it is."""
    lower = np.tril(hops, -1)
    return 1j * (lower - lower.T)


def model_of(H, ops) -> LindbladModel:
    channels = [Channel(op, 0.3, 1.0, "hot", "irreversible", charge=k + 1) for k, op in enumerate(ops)]
    return LindbladModel(H, channels)


def dressed(rng, operator) -> np.ndarray:
    return np.exp(1j * rng.uniform(0, 2 * np.pi)) * operator


@settings(max_examples=25, deadline=None)
@given(seed=seeds, d=st.integers(2, 7), extra=st.integers(0, 5))
def test_phases_of_a_real_model_are_found_and_undone(seed: int, d: int, extra: int) -> None:
    """Real hopping times random phases on every state: real again, and the same evolution, jump for jump."""
    rng = np.random.default_rng(seed)
    H = imaginary_chain(graph(rng, d, extra))
    ops = [one_way(rng, d) for _ in range(2)]
    ket = rng.normal(size=d)
    ket /= np.linalg.norm(ket)
    D = np.exp(1j * rng.uniform(0, 2 * np.pi, d))
    turned = model_of(D[:, None] * H * D.conj(), [dressed(rng, D[:, None] * op * D.conj()) for op in ops])
    closing = D[:, None] * np.linalg.qr(rng.normal(size=(d, d)))[0]
    program = compile_program(turned, [1.0, 2.0], initial=dressed(rng, D * ket), closing=closing)
    assert is_real(program) == (True, True, True)
    # what the arrays say in the user's basis is what the model says
    V, a = program.arrays["vectors"], program.arrays
    assert np.allclose(V.conj().T @ V, np.eye(d), atol=1e-14)
    (flow,) = turned.process.elements
    assert isinstance(flow, Flow)
    G = sum(op.conj().T @ op for op in flow.operators[1:])
    lab = turned.process.H.toarray() - 0.5j * G
    if len(a["size"]) == 1:
        assert np.allclose(V @ a["heff"][0] @ V.conj().T, lab, atol=1e-12)
        assert np.allclose(np.abs(V @ a["initial_vec"][0]), np.abs(ket), atol=1e-12)
        propagated = V @ expm(-1j * a["heff"][0]) @ a["initial_vec"][0]
        expected = expm(-1j * lab) @ (D * ket)
        assert abs(np.vdot(propagated, expected)) == pytest.approx(np.vdot(expected, expected).real, rel=1e-10)
        for c, op in enumerate(flow.operators[1:]):
            found = np.zeros((d, d))
            at = slice(a["jump_start"][c], a["jump_start"][c + 1])
            found[a["jump_row"][at], a["jump_column"][at]] = a["jump_value"][at].real
            found = V @ found @ V.conj().T
            scale = np.vdot(found, op)
            assert np.allclose(found * scale, op * abs(scale), atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=seeds, d=st.integers(3, 6))
def test_a_flux_and_a_detuning_are_refused(seed: int, d: int) -> None:
    """A loop whose phases do not add up, or levels that differ: there is no such basis, and nothing is changed."""
    rng = np.random.default_rng(seed)
    hops = np.triu(np.diag(rng.uniform(0.5, 1.0, d - 1), 1))
    hops[0, d - 1] = rng.uniform(0.5, 1.0)
    real = 1j * (hops - hops.T)
    flux = real.copy()
    angle = rng.uniform(0.1, 3.0)
    flux[0, d - 1] *= np.exp(1j * angle)
    flux[d - 1, 0] *= np.exp(-1j * angle)
    detuned = real + np.diag(np.append(np.zeros(d - 1), 1e-6))
    ket = np.eye(d)[0]
    for H, expected in ((real, True), (flux, False), (detuned, False)):
        program = compile_program(model_of(H, [np.eye(d, k=1)]), 1.0, initial=ket, closing="product")
        assert is_real(program)[0] is expected
        if not expected:
            assert np.array_equal(program.arrays["vectors"], np.eye(d))


@pytest.mark.parametrize("picture", ["jump", "collision"])
@pytest.mark.parametrize("N", [2, 4, 6])
def test_chains_are_real(N: int, picture: str) -> None:
    """Resonant exchange between local baths, from the steady state where its kets are cheap."""
    model = rectifier(N=N, picture=picture, tau=0.5 if picture == "collision" else None)
    ends: dict = {} if N < 6 else {"initial": np.eye(1, 64)[0], "closing": ("product", [0.5, 0.5])}
    program = compile_program(model, 5.0, **ends)
    assert is_real(program) == (True, True, True)
    assert program.arrays["size"].max() > 1
    # every phase is a power of i, so that nothing is rounded
    phases = program.arrays["vectors"].diagonal()
    assert np.all((phases.real == 0) | (phases.imag == 0))
    assert np.all(np.abs(phases) == 1)


def test_cavity_is_real_at_resonance_only() -> None:
    assert all(is_real(compile_program(tavis_cummings(), 1.0)))
    assert not is_real(compile_program(tavis_cummings(omega_cav=1001.0), 1.0))[0]


@pytest.mark.filterwarnings("ignore:the ladder")
def test_loads_and_classical_programs_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collide.compile_jumps.real_jumps", None)  # which nobody can call
    for model in (rotor(l_min=-3, l_max=3), xy_chain()):
        compile_program(model, 1.0)


@pytest.mark.parametrize("initial", ["steady", np.array([0, 0.6, 0.8, 0])], ids=["steady", "ket"])
@pytest.mark.parametrize("picture", ["jump", "collision"])
def test_records_do_not_tell(monkeypatch: pytest.MonkeyPatch, picture: str, initial) -> None:
    """With and without: the same outcomes, exchanges, averages and final kets, but for rounding."""
    model = collision_pair(0.5, g=0.5) if picture == "collision" else jump_pair(g=0.5)
    ops = [SPACE.number(0), SPACE.exchange(0, 1), 1j * (SPACE.s(0).T @ SPACE.s(1) - SPACE.s(1).T @ SPACE.s(0))]
    kwargs = {"initial": initial, "e_ops": ops, "keep": ("jumps", "final_state")}
    program = compile_program(model, [0.0, 20.0, 60.0], **kwargs)
    plain = ungauged(monkeypatch, model, [0.0, 20.0, 60.0], **kwargs)
    assert np.array_equal(plain.arrays["vectors"], np.eye(4))
    assert np.abs(program.arrays["vectors"] - np.eye(4)).max() > 0
    one, other = run_chunk(program, 3, 0, 500), run_chunk(plain, 3, 0, 500)
    for name in ("initial", "final", "counts", "status"):
        assert np.array_equal(one.columns[name], other.columns[name])
    assert np.array_equal(one.ragged["jump_channel"], other.ragged["jump_channel"])
    assert np.allclose(one.ragged["jump_time"], other.ragged["jump_time"], atol=1e-9)
    for name in ("energy_change", "work", "closing_energy"):
        assert np.allclose(one.columns[name], other.columns[name], atol=1e-9)
    for name in ("expect_sum", "rho_sum"):
        assert np.allclose(one.partial[name], other.partial[name], atol=1e-7)
    overlap = (one.columns["final_state"].conj() * other.columns["final_state"]).sum(axis=1)
    assert np.allclose(np.abs(overlap), 1.0, atol=1e-9)


def test_averaged_states_are_in_the_users_basis() -> None:
    """Also where the program runs in an eigenbasis of H."""
    left, right = baths()
    H, n = hamiltonian(0.3), 20_000
    model = LindbladModel(H, davies(H, SPACE.sx(0), left) + davies(H, SPACE.sx(1), right), dims=SPACE)
    program = compile_program(model, [0.0, 3.0])
    assert program.arrays["size"].max() == 1
    state = run_chunk(program, 1, 0, n).partial["rho_sum"] / n
    assert np.abs(state - model.evolve(model.steady_state(), [0.0, 3.0])).max() < 4.5 * 0.6 / np.sqrt(n)


def pieces(seed: int):
    """Two pieces in one block, never coupled: only a jump or the opening ket says how their phases differ."""
    rng = np.random.default_rng(seed)
    D = np.exp(1j * rng.uniform(0, 2 * np.pi, 5))
    H = np.zeros((5, 5), complex)
    H[0, 1], H[2, 3] = 0.7j, -0.4j
    H = H + H.conj().T
    return rng, D, H


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "how",
    ["one source", "one image", "a phase that is known", "ket", "ladder", "jumps against ket", "ladder against ket"],
)
def test_pieces_of_a_block_are_put_together(how: str, seed: int) -> None:
    """What the coupling leaves open is settled by jumps, else by kets; kets that do not fit do no harm."""
    rng, D, H = pieces(seed)
    op, ket = np.zeros((5, 5)), np.array([0.6, 0.8, 0, 0, 0])
    apart = how in ("one source", "one image")  # state 4 is a block of its own
    if how == "one source":
        op[[0, 2], 4] = 0.5, -0.3
    elif how == "one image":
        op[4, [0, 2]] = 0.5, -0.3  # with the second operator no J^dagger J couples the pieces
    elif how == "a phase that is known":  # an entry within a piece tells that of the whole operator
        op[[0, 0, 4], [1, 2, 2]] = 0.5, -0.3, 0.2
    elif how == "ket":
        op[4, 4], ket = 0.3, np.array([0.6, 0, 0, 0, 0.8])
    elif "ladder" in how:
        op[[0, 2], [2, 4]] = 0.5, -0.3
        if "ket" in how:  # asks for a phase that is twice as large at the second step
            ket = np.array([0.6, 0, 0, 0, 0.8])
    elif how == "jumps against ket":
        op[[0, 2], 4], ket = (0.5, -0.3), np.array([0.6, 0.8j, 0, 0, 0])
    second = op * [1, 1, -1, 1, 1] if how == "one image" else 0 * op
    model = model_of(D[:, None] * H * D.conj(), [dressed(rng, D[:, None] * J * D.conj()) for J in (op, second)])
    mixed = np.eye(5)
    size = 5 - apart
    mixed[:size, :size] = np.linalg.qr(rng.normal(size=(size, size)))[0]
    program = compile_program(model, 1.0, initial=D * ket, closing=D[:, None] * mixed)
    assert program.arrays["size"].max() == size
    assert is_real(program) == (True, True, "against ket" not in how)


def test_what_cannot_be_real_is_returned_as_it_is() -> None:
    program = compile_program(rectifier(N=4), 1.0)
    arrays = dict(program.arrays)
    arrays["jump_value"] = arrays["jump_value"] * np.exp(0.3j * np.arange(len(arrays["jump_value"])))
    assert real_jumps(arrays) is arrays
    program = compile_program(collision_pair(0.5, g=0.5), 1.0)
    arrays = dict(program.arrays)
    m = arrays["null"].shape[1]
    arrays["null"] = arrays["null"] + 1e-6j * np.triu(np.ones((m, m)), 1)
    assert real_events(arrays) is arrays


def test_a_model_whose_channels_never_act_compiles() -> None:
    program = compile_program(model_of(np.diag([0.0, 1.0]), [np.zeros((2, 2))]), 1.0, initial=np.array([0.6, 0.8]))
    assert not run_chunk(program, 1, 0, 10).columns["counts"].any()


def test_a_wide_spread_of_couplings_keeps_its_precision() -> None:
    """Distant states of a chain are coupled by powers of a small angle, whose phases are mere rounding."""
    program = compile_program(rectifier(N=4, g=1e-3, picture="collision", tau=0.5), 5.0)
    null = np.abs(program.arrays["null"])
    assert 0 < null[null > 0].min() < 1e-9
    assert all(is_real(program))
    space = Space(qubit(), qubit(), qubit())
    H = sum(space.number(j) for j in range(3)) + 1e-3 * (space.exchange(0, 1) + space.exchange(1, 2))
    bath = Bath("hot", temperature=1.0, spectral_density=flat(1e-3))
    model = LindbladModel(H, local(space.s(0), 1.0, bath), dims=space)
    assert all(is_real(compile_program(model, 1.0, initial=sp.eye_array(8).toarray()[3])))
