"""Lindblad models: builders, detailed balance, reports, QuTiP both ways, refusals."""

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import qutip
from scipy.integrate import quad
import scipy.sparse as sp

from collide import Bath, Channel, LindbladModel, Space, davies, flat, local, ohmic, qubit
from collide.exact.flat import flatten
from collide.exact.sources import bath_rate, free_rate
from collide.lindblad import eigenoperators, lamb_shift
from collide.machines import rectifier
from collide.operators import lowering
from collide.program import compile_program, run_chunk

s = lowering(2)
space = Space(qubit(), qubit())
H2 = space.number(0) + space.number(1) + 0.05 * space.exchange(0, 1)


def test_one_qubit_between_two_baths_in_closed_form() -> None:
    """J = omega g_L g_R (n_L - n_R) / (g_L (1 + 2 n_L) + g_R (1 + 2 n_R))."""
    hot = Bath("L", temperature=1.0, spectral_density=0.1)
    cold = Bath("R", temperature=0.3, spectral_density=0.2)
    model = LindbladModel(np.diag([0.0, 1.0]), local(s, 1.0, hot) + local(s, 1.0, cold))
    n, m = hot.occupation(1.0), cold.occupation(1.0)
    assert model.heat_currents()["L"] == pytest.approx(
        0.02 * (n - m) / (0.1 * (1 + 2 * n) + 0.2 * (1 + 2 * m)), rel=1e-12
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.sampled_from(["boson", "spin"]), st.floats(0.2, 2.0))
def test_davies_relaxes_to_the_gibbs_state(seed: int, d: int, statistics: str, beta: float) -> None:
    rng = np.random.default_rng(seed)
    H = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    H = H + H.conj().T
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    bath = Bath("b", beta=beta, statistics=statistics, spectral_density=ohmic(0.1, cutoff=3.0))
    model = LindbladModel(H, davies(H, A + A.conj().T, bath))
    gibbs = qutip.Qobj(-beta * H).expm().full()
    assert np.allclose(model.steady_state(), gibbs / np.trace(gibbs), atol=1e-10)
    assert abs(model.heat_currents()["b"]) < 1e-10
    assert abs(model.power()) < 1e-10


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_eigenoperators_add_up_and_have_definite_frequencies(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    H = np.diag(rng.integers(0, 4, size=d).astype(float))  # degenerate on purpose
    U = np.linalg.qr(rng.normal(size=(d, d)))[0]
    H = U @ H @ U.T
    H = (H + H.T) / 2
    A = rng.normal(size=(d, d))
    frequencies, operators = eigenoperators(H, A)
    assert np.allclose(sum(op.toarray() for op in operators), A, atol=1e-9)
    for omega, op in zip(frequencies, operators, strict=True):
        dense = op.toarray()
        assert np.allclose(H @ dense - dense @ H, -omega * dense, atol=1e-9)
    assert len(set(np.round(frequencies, 6))) == len(frequencies)


def test_zero_frequency_is_dephasing_at_the_limit_of_the_rate() -> None:
    bath = Bath("b", temperature=0.4, spectral_density=ohmic(0.5))
    channels = davies(np.diag([0.0, 0.0, 1.0]), np.ones((3, 3)), bath)
    zero = [c for c in channels if c.quantum == 0]
    assert [c.rate for c in zero] == [pytest.approx(0.2)]


def test_non_hermitian_coupling_has_no_counter_rotating_channels() -> None:
    H = np.diag([0.0, 1.0, 0.5])  # the coupling raises the energy from 1 to 2: dropped
    A = np.zeros((3, 3))
    A[0, 1] = A[1, 2] = 1.0
    channels = davies(H, A, Bath("b", temperature=0.4, spectral_density=ohmic(0.5)))
    assert sorted({abs(c.quantum) for c in channels}) == [1.0]


def test_qutip_both_ways() -> None:
    bath = Bath("L", temperature=1.0, spectral_density=0.1)
    model = LindbladModel(H2, local(space.s(0), 1.0, bath) + local(space.s(1), 1.0, bath), dims=space)
    H, c_ops = model.to_qutip()
    assert H.dims == [[2, 2], [2, 2]]
    assert np.allclose(qutip.steadystate(H, c_ops).full(), model.steady_state(), atol=1e-10)
    back = LindbladModel.from_qutip(H, c_ops, [c.quantum for c in model.channels], [bath] * 4)
    assert back.dims == (2, 2)
    assert back.heat_currents()["L"] == pytest.approx(model.heat_currents()["L"], abs=1e-14)


def test_check_speaks_in_sentences() -> None:
    bath = Bath("L", temperature=1.0, spectral_density=0.1)
    cold = Bath("R", temperature=0.0, spectral_density=0.1)
    report = LindbladModel(H2, local(space.s(0), 1.0, bath) + local(space.s(1), 1.0, cold), dims=space).check()
    text = repr(report)
    assert report.ok
    assert "bath L: quantum 1 obeys detailed balance, rates imply beta = 1" in text
    assert "bath R: quantum -1 has no reverse (T = 0): entropy production is infinite" in text
    assert "the steady state is unique." in text
    near = davies(H2, space.sx(0), Bath("L", temperature=1.0, spectral_density=flat(0.2)))
    doubtful = LindbladModel(H2, near, dims=space).check()
    assert not doubtful.ok
    assert "the secular (global) equation is doubtful there" in repr(doubtful)


def test_check_names_what_has_no_reverse_and_no_unique_state() -> None:
    """An irreversible channel, a load, a frequency close to 0, and a qubit that nothing touches."""
    warm = Bath("W", temperature=1.0, spectral_density=ohmic(0.5))
    H = np.diag([0.0, 0.01, 1.0])
    channels = davies(H, np.ones((3, 3)), warm)
    channels += [Channel(np.eye(3)[[1, 2, 0]], 0.1, -1.0, "pump", "irreversible")]
    channels += [Channel(np.diag([0.0, 0.0, 1.0]), 0.1, 0.0, "wheel", "load", energy=H)]
    text = repr(LindbladModel(H, channels).check())
    assert "bath pump: quantum -1 is irreversible, entropy production is infinite after it." in text
    assert "load wheel: no reverse partner; its heat is an expectation value." in text
    assert "bath W: frequencies 0 and 0.01 lie 0.01 apart" in text
    untouched = LindbladModel(H2, local(space.s(0), 1.0, bath), dims=space)
    assert untouched.check().ok  # the exchange reaches the second qubit
    alone = LindbladModel(space.number(0) + space.number(1), local(space.s(0), 1.0, bath), dims=space).check()
    assert not alone.ok
    assert "NOT unique" in repr(alone)


DENSITIES: dict[str, tuple[Any, Any]] = {
    "ohmic": (ohmic(0.2), lambda T, w: 0.2 * w),
    "Drude": (ohmic(0.2, cutoff=2.0), lambda T, w: 0.2 * w * 4 / (w**2 + 4)),
    "exponential": (ohmic(0.2, cutoff=2.0, shape="exponential"), lambda T, w: 0.2 * w * math.exp(-w / 2)),
    "flat": (flat(0.2), lambda T, w: 0.2),
    "user": (lambda w: 0.1 * w**3, lambda T, w: 0.1 * w**3),
    "metal": (lambda T, w: 0.1 * w * (1 + T), lambda T, w: 0.1 * w * (1 + T)),
}


@pytest.mark.parametrize("density", DENSITIES)
def test_davies_rates_of_every_density_in_closed_form(density: str) -> None:
    """Three unequal levels: each pair has the rates J (1 + n), J n at its own Bohr frequency, n at its temperature."""
    given_as: Any
    given_as, J = DENSITIES[density]
    T, energies = 0.6, np.array([0.0, 0.7, 1.9])
    statistics = ["metal"] if density == "metal" else ["boson", "spin"]
    A = np.ones((3, 3)) - np.eye(3)
    for kind in statistics:
        channels = davies(np.diag(energies), A, Bath("b", temperature=T, statistics=kind, spectral_density=given_as))
        rates = {round(c.quantum, 9): c.rate for c in channels}
        assert sorted(rates) == pytest.approx([-1.9, -1.2, -0.7, 0.7, 1.2, 1.9])
        for omega in (0.7, 1.2, 1.9):
            n = 1 / (math.exp(omega / T) + (1 if kind == "spin" else -1))
            emission = J(T, omega) * (1 - n if kind == "spin" else 1 + n)
            assert rates[-omega] == pytest.approx(emission, rel=1e-12)
            assert rates[omega] == pytest.approx(J(T, omega) * n, rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_degenerate_levels_have_no_preferred_basis(seed: int) -> None:
    """The dissipator of two alike qubits is that of projectors on whole levels, and turns with a degenerate level."""
    rng = np.random.default_rng(seed)
    energies = np.array([0.0, 1.0, 1.0, 2.0])
    A = rng.normal(size=(4, 4))
    A = A + A.T
    bath = Bath("b", temperature=0.8, spectral_density=ohmic(0.3))
    U = np.eye(4)
    U[1:3, 1:3] = np.linalg.qr(rng.normal(size=(2, 2)))[0]

    def dissipator(channels: list[Channel]) -> np.ndarray:
        total = np.zeros((16, 16), dtype=complex)
        for channel in channels:
            L = np.asarray(channel.op.toarray())
            square = L.conj().T @ L
            total += channel.rate * (
                np.kron(L, L.conj()) - (np.kron(square, np.eye(4)) + np.kron(np.eye(4), square.T)) / 2
            )
        return total

    channels = []
    for omega in (0.0, 1.0, 2.0):
        part = np.where(np.abs(energies[None, :] - energies[:, None] - omega) < 1e-12, A, 0.0)
        down, up = bath.rates(omega)
        channels += [Channel(sp.csr_array(part), down, -omega, bath)]
        channels += [Channel(sp.csr_array(part.T), up, omega, bath)] if omega else []
    found = dissipator(davies(np.diag(energies), A, bath))
    assert np.allclose(found, dissipator(channels), atol=1e-12)
    turn = np.kron(U, U)
    assert np.allclose(dissipator(davies(np.diag(energies), U @ A @ U.T, bath)), turn @ found @ turn.T, atol=1e-10)


def test_lamb_shift_commutes_with_h_and_vanishes_with_the_coupling() -> None:
    bath = Bath("b", temperature=0.7, spectral_density=ohmic(0.1, cutoff=2.0, shape="exponential"))
    shift = lamb_shift(H2, space.sx(0), bath, cutoff=60.0).toarray()
    H = H2.toarray()
    assert np.allclose(shift, shift.conj().T)
    assert np.allclose(shift @ H, H @ shift, atol=1e-12)
    assert np.abs(shift).max() > 1e-4


def test_lamb_shift_of_a_qubit_against_a_direct_integral() -> None:
    bath = Bath("b", temperature=0.7, spectral_density=ohmic(0.1, cutoff=2.0, shape="exponential"))
    shift = lamb_shift(np.diag([0.0, 1.0]), s + s.T, bath, cutoff=60.0).toarray().real
    # splitting shift = (1/2pi) P int J (1 + 2n) 2 / (1 - nu^2): symmetric form, singularity subtracted by hand
    eps = 1e-4
    f = lambda nu: bath.strength(nu) * (1 + 2 * bath.occupation(nu)) * 2 / (1 - nu**2)  # noqa: E731
    value = sum(quad(f, a, b, limit=800)[0] for a, b in ((1e-9, 1 - eps), (1 + eps, 60.0))) / (2 * math.pi)
    assert shift[1, 1] - shift[0, 0] == pytest.approx(value, rel=2e-3)


def principal_value(f: Any, pole: float, cutoff: float) -> float:
    """P int_0^cutoff f(nu) / (pole - nu), the singularity taken out by hand."""
    if not 0 < pole < cutoff:
        return quad(lambda nu: f(nu) / (pole - nu), 0, cutoff, limit=800, epsabs=1e-13, points=[0.01, 0.1, 1.0])[0]
    at = f(pole)
    smooth = [
        quad(lambda nu: (f(nu) - at) / (pole - nu), a, b, limit=800, epsabs=1e-13)[0]
        for a, b in ((0, pole), (pole, 2 * pole), (2 * pole, cutoff))
    ]
    return sum(smooth) + at * math.log(pole / (cutoff - pole))


@pytest.mark.parametrize("statistics", ["boson", "spin"])
def test_lamb_shift_is_the_principal_value_of_every_frequency(statistics: str) -> None:
    """Three unequal levels, one of them coupled to itself: every S(omega) by a quadrature of our own."""
    cutoff, energies = 40.0, np.array([0.0, 0.7, 1.9])
    bath = Bath("b", beta=1.3, statistics=statistics, spectral_density=ohmic(0.1, cutoff=2.0, shape="exponential"))
    A = np.array([[0.0, 1.0, 0.5], [1.0, 0.4, 2.0], [0.5, 2.0, 0.0]])
    J, n = (
        lambda nu: 0.1 * nu * math.exp(-nu / 2),
        lambda nu: 1 / (math.exp(1.3 * nu) + (1 if statistics == "spin" else -1)),
    )
    up = lambda nu: J(nu) * n(nu) if nu > 0 else (0.0 if statistics == "spin" else 0.1 / 1.3)  # noqa: E731
    down = lambda nu: (J(nu) - up(nu)) if statistics == "spin" else J(nu) + up(nu)  # noqa: E731
    S = {}
    for omega in (-1.9, -1.2, -0.7, 0.7, 1.2, 1.9):
        S[omega] = (principal_value(down, omega, cutoff) - principal_value(up, -omega, cutoff)) / (2 * math.pi)
    S[0.0] = -quad(lambda nu: (down(nu) - up(nu)) / nu, 0, cutoff, limit=800)[0] / (2 * math.pi)
    expected = np.zeros((3, 3))
    for i, j in np.ndindex(3, 3):  # A(omega) takes level j to level i
        expected[j, j] += S[round(energies[j] - energies[i], 9)] * A[i, j] ** 2
    found = lamb_shift(np.diag(energies), A, bath, cutoff=cutoff).toarray()
    assert np.allclose(found, expected, atol=2e-9)


def test_lamb_shift_of_a_flat_density_in_closed_form() -> None:
    """At T = 0, S(omega) = J / 2 pi ln(omega / (cutoff - omega)) and S(-omega) = -J / 2 pi ln(1 + cutoff / omega)."""
    cold = Bath("b", temperature=0.0, spectral_density=flat(0.2))
    shift = lamb_shift(np.diag([0.0, 1.0]), s + s.T, cold, cutoff=30.0).toarray().real
    assert shift[1, 1] == pytest.approx(-0.2 / (2 * math.pi) * math.log(29.0), abs=1e-10)
    assert shift[0, 0] == pytest.approx(-0.2 / (2 * math.pi) * math.log(31.0), abs=1e-10)


def test_lamb_shift_is_an_option_that_moves_coherences_only() -> None:
    warm = Bath("a", temperature=0.7, spectral_density=ohmic(0.6, cutoff=2.0))
    cold = Bath("b", temperature=0.2, spectral_density=ohmic(0.9, cutoff=2.0))
    couplings = [(space.sx(0), warm), (space.sx(1), cold)]
    plain = LindbladModel(H2, [c for A, bath in couplings for c in davies(H2, A, bath)], dims=space)
    off = LindbladModel.davies(H2, couplings, dims=space)
    on = LindbladModel.davies(H2, couplings, dims=space, lamb_shift=True, cutoff=50.0)
    for ours, theirs in zip(flatten(off.process).items(), flatten(plain.process).items(), strict=True):
        assert ours[0] == theirs[0]
        assert np.array_equal(ours[1], theirs[1], equal_nan=True)
    shift = sum(lamb_shift(H2, A, bath, cutoff=50.0) for A, bath in couplings).toarray()
    assert np.allclose(on.to_qutip()[0].full(), H2.toarray() + shift, atol=1e-14)
    assert np.array_equal(on.process.H.toarray(), off.process.H.toarray())
    assert np.abs(shift - np.trace(shift) / 4 * np.eye(4)).max() > 1e-3
    assert np.allclose(on.steady_state(), off.steady_state(), atol=1e-12)
    assert on.heat_currents() == pytest.approx(off.heat_currents(), abs=1e-12)
    ket = np.full(4, 0.5)
    H, c_ops = on.to_qutip()
    exact = qutip.mesolve(
        H, qutip.Qobj(ket, dims=[[2, 2], [1, 1]]), [0, 2.0], c_ops, options={"rtol": 1e-10, "atol": 1e-12}
    )
    assert np.allclose(on.evolve(ket, [2.0])[0], exact.states[-1].full(), atol=1e-8)
    assert np.abs(on.evolve(ket, [2.0]) - off.evolve(ket, [2.0])).max() > 1e-3


def test_trajectories_evolve_with_the_lamb_shift() -> None:
    channels = local(space.s(0), 1.0, bath)
    plain = LindbladModel(H2, channels, dims=space)
    model = LindbladModel(H2, channels, dims=space, lamb_shift=0.4 * H2)
    ket, n = np.full(4, 0.5), 20_000
    program = compile_program(model, 2.0, initial=ket)
    rho = run_chunk(program, 4, 0, n).partial["rho_sum"][-1] / n
    A, state = space.sx(1).toarray(), np.outer(ket, ket) + 0.2 * np.diag([1, -1, 0, 0])
    assert free_rate(model, A, state) == pytest.approx(1.4 * free_rate(plain, A, state), abs=1e-14)
    assert np.abs(rho - model.evolve(ket, [2.0])[0]).max() < 5 / math.sqrt(n)
    assert np.abs(rho - plain.evolve(ket, [2.0])[0]).max() > 20 / math.sqrt(n)


bath = Bath("L", temperature=1.0, spectral_density=0.1)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: LindbladModel(np.diag([0, 1.0]), []), "`channels` is empty"),
        (lambda: LindbladModel([[0, 1], [0, 0]], local(s, 1.0, bath)), "`H` must be Hermitian"),
        (lambda: LindbladModel(np.eye(3), local(s, 1.0, bath)), "`channels[0].op` must have shape (3, 3)"),
        (lambda: Channel(s, -0.1, -1.0, bath), "`rate` of a channel of bath 'L' must be finite and >= 0, but is -0.1"),
        (lambda: Channel(s, 0.1, -1.0, "L"), "a thermal channel needs a Bath with a temperature"),
        (lambda: Channel(s, 0.1, -1.0, bath, "odd"), "`kind` of a channel must be one of"),
        (lambda: Channel(s, 0.1, 0.0, "load", "load"), "load channel of 'load' needs `energy`"),
        (lambda: Channel(s, 0.1, math.inf, bath), "`quantum` of a channel of bath 'L' must be finite"),
        (
            lambda: LindbladModel(np.diag([0, 1.0]), [Channel(s, 0.1, -1.0, bath)]),
            "the thermal channel of bath 'L' with quantum -1 has no reverse jump with quantum 1",
        ),
        (
            lambda: LindbladModel(np.diag([0, 1.0]), [Channel(s, 0.1, -1.0, bath), Channel(s.T, 0.1, 1.0, bath)]),
            "break detailed balance: their rates imply beta = 0 instead of 1",
        ),
        (
            lambda: LindbladModel(
                np.diag([0, 1.0]), local(s, 1.0, bath) + local(s, 1.0, Bath("L", temperature=2.0, spectral_density=0.1))
            ),
            "bath 'L' appears with beta = 1 and with beta = 0.5",
        ),
        (lambda: local(s, 0.0, bath), "`omega` must be positive"),
        (lambda: LindbladModel(np.diag([0, 1.0]), local(s, 1.0, bath), dims=[3]), "`dims` (3,) multiply to 3"),
        (
            lambda: LindbladModel.from_qutip(qutip.num(2), [qutip.destroy(2)], [], []),
            "one entry for each of the 1 `c_ops`",
        ),
        (
            lambda: LindbladModel.from_qutip(qutip.num(2), [qutip.destroy(2)], [-1.0], ["L"], ["load", "load"]),
            "`kinds` must have one entry for each of the 1 `c_ops`, but has 2",
        ),
        (lambda: LindbladModel(H2, local(space.s(0), 1.0, bath)).heat_currents("x"), "can only be 'steady'"),
        (lambda: lamb_shift(np.diag([0, 1.0]), s + s.T, bath, cutoff=0.5), "`cutoff` must exceed"),
        (lambda: lamb_shift(np.diag([0, 1.0]), s, bath, cutoff=50.0), "`coupling` must be Hermitian"),
        (lambda: space.basis(0), "`levels` must name 2 levels, one a site, but has"),
        (
            lambda: bath_rate(rectifier(N=2, picture="collision", tau=0.5), H2, ["L"]),
            "`model` repeats collisions, whose baths have no generators: use its `lindblad_limit()`",
        ),
        (
            lambda: LindbladModel.davies(np.diag([0, 1.0]), [(s + s.T, bath)], lamb_shift=True),
            "`lamb_shift` needs `cutoff`, the upper limit",
        ),
        (
            lambda: LindbladModel(np.diag([0, 1.0]), local(s, 1.0, bath), lamb_shift=s + s.T),
            "`lamb_shift` must commute with `H`, but their commutator is 1",
        ),
    ],
)
def test_messages(call, sentence) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert sentence in str(caught.value)
