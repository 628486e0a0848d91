"""Collisions on chains by gates between neighbours: the product formula, its own exact map, and long chains."""

from itertools import pairwise
import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from collide import Bath, Collision, CollisionModel, Space, oscillator, qubit
from collide.analysis import compare_with_exact
from collide.compile_wide import _outcomes
from collide.ensemble import load_program, run_program, save_program
from collide.exact.process import Unitary, embed
from collide.gates import neighbour_terms, strang_gates
from collide.operators import lowering
from collide.program import compile_program, run_chunk
from collide.replay import replay
from random_models import deviations, random_hermitian

LIMIT = 4.5


def spin_bath(name: str, temperature: float) -> Bath:
    return Bath(name, temperature=temperature, statistics="spin")


def chain(N: int, *, tau: float = 0.5, g: float = 0.3, rates: tuple[float, float] = (0.4, 0.6), **fields: float) -> Any:
    """XXZ chain between spin baths, with a field that grows along it."""
    space = Space(*[qubit()] * N)
    H = sum((1.0 + fields.get("slope", 0.0) * j) * space.number(j) for j in range(N))
    H = H + g * sum(space.exchange(j, j + 1) for j in range(N - 1))
    H = H + fields.get("zz", 0.0) * sum(space.number(j) @ space.number(j + 1) for j in range(N - 1))
    hits = [
        Collision(bath, lowering(2), site, bath.ancilla(1.0), rate)
        for bath, site, rate in zip((spin_bath("L", 1.0), spin_bath("R", 0.4)), (0, N - 1), rates, strict=True)
    ]
    return CollisionModel(H, hits, tau, dims=space, construction="gates")


def mixed(tau: float = 0.4) -> Any:
    """A qubit, an oscillator and a qubit without any conserved number: one block, gates of six levels."""
    rng = np.random.default_rng(3)
    space = Space(qubit(), oscillator(3), qubit())
    H = space.op(random_hermitian(rng, 6, 0.4), 0, 1) + space.op(random_hermitian(rng, 6, 0.4), 1, 2)
    hits = [
        Collision(bath, np.array([[0.3, 1.0], [0.2, 0.1]]), site, bath.ancilla(1.0), 0.3)
        for bath, site in ((spin_bath("L", 2.0), 0), (spin_bath("R", 1.0), 2))
    ]
    return CollisionModel(H, hits, tau, dims=space, construction="gates")


@pytest.fixture
def by_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small systems too are run by gates."""
    monkeypatch.setattr("collide.compile_wide._gates_are_cheaper", lambda *_: True)


# --- the product formula --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [(2, 3, 2), (2, 2, 3, 2), (3, 2)])
def test_terms_add_up_to_the_hamiltonian(dims: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(dims))
    H = sum(embed(random_hermitian(rng, a * b), (j, j + 1), dims) for j, (a, b) in enumerate(pairwise(dims)))
    total = sum(embed(term, sites, dims) for sites, term in neighbour_terms(H, dims))
    mean = H.diagonal().mean() * np.eye(H.shape[0])
    assert np.allclose((total - H).toarray(), -mean, atol=1e-13)


def test_a_uniform_field_is_exact() -> None:
    """What commutes with the hopping must not disturb it: an odd chain, whose last site no even bond touches."""
    space = Space(*[qubit()] * 3)
    hop = 0.4 * (space.exchange(0, 1) + space.exchange(1, 2))
    field = 1.7 * sum(space.number(j) for j in range(3))
    with_field, without = (product(strang_gates(H, space.dims, 0.6), space.dims) for H in (hop + field, hop))
    turned = expm(-0.6j * (field.toarray() - 1.7 * 1.5 * np.eye(8)))
    assert np.allclose(with_field, turned @ without, atol=1e-13)


def product(gates: list[Unitary], dims: tuple[int, ...]) -> Any:
    total = np.eye(int(np.prod(dims)), dtype=complex)
    for gate in gates:
        total = gate.whole(dims).toarray() @ total
    return total


def test_the_error_of_a_period_is_of_third_order() -> None:
    model = chain(4, slope=0.2, zz=0.3)
    H, errors = model.H.toarray(), []
    H = H - np.trace(H).real / len(H) * np.eye(len(H))
    for tau in (0.4, 0.2, 0.1):
        errors.append(np.abs(product(strang_gates(model.H, model.dims, tau), model.dims) - expm(-1j * tau * H)).max())
    assert np.allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 3.0, atol=0.1)


def test_what_reaches_beyond_neighbours_is_refused() -> None:
    space = Space(*[qubit()] * 3)
    bath = spin_bath("L", 1.0)
    hit = Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.1)
    far = space.number(0) + 0.1 * space.exchange(0, 2)
    with pytest.raises(ValueError, match=r"couples neighbouring sites of \(2, 2, 2\) only, but terms up to 0.1"):
        CollisionModel(far, [hit], 0.5, dims=space, construction="gates")
    with pytest.raises(ValueError, match="needs a chain of sites"):
        strang_gates(space.number(0), (8,), 0.5)


# --- the exact side of the same map ---------------------------------------------------------------------------------


def test_the_exact_side_knows_the_gates() -> None:
    """A period of the averaged map, built by hand from dense gates and Kraus operators, has this steady state."""
    model = chain(3, slope=0.3, zz=0.2)
    rho = model.steady_state()
    after = rho
    for element in model.process.elements:
        if isinstance(element, Unitary):
            U = element.whole(model.dims).toarray()
            after = U @ after @ U.conj().T
        else:
            ops = [embed(k, element.sites, model.dims).toarray() for k in element.kraus]
            after = sum(K @ after @ K.conj().T for K in ops)
    assert np.allclose(after, rho, atol=1e-13)
    assert np.abs(rho - np.diag(np.diag(rho))).max() > 1e-3  # not a state that any map would keep
    far = CollisionModel(model.H, model.collisions, 0.5, dims=model.dims, construction="split")
    assert abs(model.heat_currents()["L"] - far.heat_currents()["L"]) > 1e-6
    assert model.gallavotti_cohen("L", 0.3) < 1e-10


def test_gates_survive_a_file(tmp_path: Any) -> None:
    model = chain(3)
    program = compile_program(model, 5.0)
    save_program(program, tmp_path / "chain.h5")
    again = load_program(tmp_path / "chain.h5")
    assert again.identity == program.identity
    assert np.allclose(again.exact.steady_state(), model.steady_state(), atol=1e-13)


# --- sampled against exact ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", ["heat", "all"])
@pytest.mark.parametrize("which", ["XXZ of three", "XX of four", "mixed"])
@pytest.mark.usefixtures("by_gates")
def test_gates_against_their_own_exact_map(which: str, labels: str) -> None:
    """Means and variances of heat, work, energy change and entropy production, and the fluctuation theorem."""
    models = {"XXZ of three": lambda: chain(3, slope=0.3, zz=0.4), "mixed": mixed}
    model = models.get(which, lambda: chain(4))()
    found, _ = deviations(model, np.random.default_rng(5), 10 * model.tau, 20_000, labels)
    assert max(map(abs, found.values())) < LIMIT, found


@pytest.mark.parametrize("labels", ["heat", "all"])
@pytest.mark.usefixtures("by_gates")
def test_the_closing_measurement_is_at_the_end_of_a_period(labels: str) -> None:
    """Not half a layer of gates later, where the loop has its states; 16 outcomes at 4.5 standard errors."""
    model, n = chain(4, g=1.2), 20_000
    rng = np.random.default_rng(8)
    basis = np.linalg.qr(rng.normal(size=(16, 16)) + 1j * rng.normal(size=(16, 16)))[0]
    program = compile_program(model, 7 * model.tau, initial=basis[:, 3], closing=basis, labels=labels)
    assert program.kind == "gates"
    final = np.bincount(run_chunk(program, 4, 0, n).columns["final"], minlength=16) / n
    p = program.arrays["final_p"]
    assert p.max() - p.min() > 0.05
    assert np.all(np.abs(final - p) < LIMIT * np.sqrt(p * (1 - p) / n) + 1e-12)


@pytest.mark.usefixtures("by_gates")
def test_ensembles_of_gates_are_compared_with_exact_means_of_observables() -> None:
    """Observables of blocks, of several numbers of excitations and of a complex kind, at several stops."""
    model, rng = chain(4), np.random.default_rng(2)
    A = rng.normal(size=(16, 16)) + 1j * rng.normal(size=(16, 16))
    space = Space(*[qubit()] * 4)
    hop = np.asarray((1j * space.exchange(1, 2) @ space.number(1)).todense())
    ops = {"n1": np.asarray(space.number(1).todense()), "current": hop, "any": A}
    e_ops = {name: op + op.conj().T for name, op in ops.items()}
    stops = [model.tau, 4 * model.tau, 9 * model.tau]
    ket = np.kron(np.kron([0.6, 0.8j], [1, 0]), np.kron([0, 1], [0.8, 0.6]))
    for initial in (np.eye(16)[5], ket):
        program = compile_program(model, stops, initial=initial, e_ops=e_ops)
        assert program.kind == "gates"
        verdict = compare_with_exact(run_program(program, 6000, 1, threads=1, progress=False))
        assert verdict.passed
        assert sum("<current>" in row.name for row in verdict.rows) == len(stops)


@pytest.mark.parametrize(("N", "labels"), [(3, "heat"), (3, "all"), (5, "heat"), (5, "all")])
@pytest.mark.usefixtures("by_gates")
def test_three_cumulants_of_heat(N: int, labels: str) -> None:
    n, t = 100_000, 20.0
    model = chain(N)
    ket = np.eye(2**N)[4]
    program = compile_program(model, t, initial=ket, labels=labels)
    assert program.kind == "gates"
    columns = run_chunk(program, 11, 0, n).columns
    for bath, name in enumerate(program.baths):
        heat = columns["heat"][:, bath]
        centred = heat - heat.mean()
        exact = model.heat_cumulants_at(t, name, 3, ket)
        score = (centred**3).mean() - exact[2]
        error = (centred**3 - 3 * heat.var() * centred).std() / np.sqrt(n)
        assert abs(score) < LIMIT * error
        assert abs(heat.var() - exact[1]) < LIMIT * (centred**2).std() / np.sqrt(n)
        assert abs(heat.mean() - exact[0]) < LIMIT * np.sqrt(exact[1] / n)


@pytest.mark.parametrize("labels", ["heat", "all"])
@pytest.mark.usefixtures("by_gates")
def test_law_of_the_net_quanta(labels: str) -> None:
    n, t = 50_000, 6.0
    model = chain(4, rates=(0.6, 0.8))
    ket = np.eye(16)[5]
    columns = run_chunk(compile_program(model, t, initial=ket, labels=labels), 2, 0, n).columns
    quanta = np.rint(columns["heat"][:, 0]).astype(int)
    numbers, p = model.quanta_distribution("L", t, ket)
    seen = np.array([(quanta == k).sum() for k in numbers])
    likely = p > 1e-4
    assert seen.sum() == n
    assert np.abs((seen - n * p)[likely] / np.sqrt(n * p[likely])).max() < LIMIT


@pytest.mark.parametrize("labels", ["heat", "all"])
@pytest.mark.usefixtures("by_gates")
def test_every_period_of_a_path_is_gates_and_one_outcome(labels: str) -> None:
    """States of a replayed path, period by period, against dense matrices: exact, whatever happened in between."""
    model = chain(4, zz=0.3, rates=(0.5, 0.5))
    program = compile_program(model, 10.0, initial=np.eye(16)[6], keep=("jumps",), labels=labels)
    U = product([e for e in model.process.elements if isinstance(e, Unitary)], model.dims)
    null, events = _outcomes(model.process, labels)
    ops = [op.toarray() for op, _ in events] + [null.toarray()]
    counted = 0
    for id in range(10):
        path = replay(program, 3, id)
        for before, after in pairwise(path.states):
            images = [op @ U @ before for op in ops]
            overlaps = [abs(np.vdot(i, after)) / np.linalg.norm(i) for i in images if np.linalg.norm(i) > 1e-9]
            assert max(overlaps) == pytest.approx(1.0, abs=1e-12)
        counted += len(path.event_time)
        final = run_chunk(program, 3, id, id + 1).columns["heat"][0]
        assert np.allclose(path.heat[-1], final)
    assert counted > 20


@pytest.mark.usefixtures("by_gates")
def test_bits_do_not_depend_on_company() -> None:
    program = compile_program(chain(5, rates=(0.4, 0.4)), [10.0, 20.0], labels="heat", keep=("jumps", "final_state"))
    whole = run_chunk(program, 7, 0, 90)
    parts = [run_chunk(program, 7, a, b) for a, b in ((0, 1), (1, 40), (40, 90))]
    for name, column in whole.columns.items():
        assert np.array_equal(np.concatenate([part.columns[name] for part in parts]), column, equal_nan=True), name
    for name, column in whole.ragged.items():
        assert np.array_equal(np.concatenate([part.ragged[name] for part in parts]), column), name


def test_the_cheaper_way_is_chosen() -> None:
    """Rare events on a short chain: powers of a whole period.  Every label, or many events: gates."""
    rare, often = chain(6, rates=(1e-3, 1e-3)), chain(6, rates=(1.0, 1.0))  # of 20000 periods, and of 10
    ket = np.eye(64)[1]
    assert compile_program(rare, 10_000.0, initial=ket).kind == "events"
    assert compile_program(often, 5.0, initial=ket).kind == "gates"
    assert compile_program(rare, 5.0, initial=ket, labels="all").kind == "gates"
    assert compile_program(chain(2), 5.0, labels="all").kind == "collisions"


# --- long chains ----------------------------------------------------------------------------------------------------


def test_twelve_qubits_without_a_matrix() -> None:
    """Model, program and trajectories of 4096 levels in a fraction of the memory of one matrix."""
    d, populations = 4096, [[0.9, 0.1]] * 11 + [[0.6, 0.4]]
    tracemalloc.start()
    model = chain(12, rates=(0.4, 0.4))
    ends: dict[str, Any] = {"initial": ("product", populations), "closing": ("product", [0.7, 0.3])}
    program = compile_program(model, 5.0, **ends, keep=("jumps",))
    columns = run_chunk(program, 1, 0, 200).columns
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * d * d / 2
    assert program.kind == "gates"
    assert max(array.size for array in program.arrays.values()) < 40 * d
    assert program.arrays["final_p"][0] == pytest.approx(0.7**12)
    ones = np.array([bin(k).count("1") for k in range(d)])
    first = np.flatnonzero(program.arrays["initial_p"] > 0)[columns["initial"]]
    gained = columns["counts"].astype(int) @ program.arrays["count_charge"]
    assert np.array_equal(ones[columns["final"]] - ones[first], gained)
    assert np.abs(gained).sum() > 100
    weights = np.exp(-columns["entropy_production"])
    assert abs(weights.mean() - 1) < LIMIT * weights.std() / np.sqrt(len(weights))
    with pytest.raises(ValueError, match="too many for an exact side"):
        _ = program.exact


def test_reference_populations_in_place_of_the_final_state() -> None:
    """The integral theorem holds for any reference; the exact side takes the same one."""
    model = chain(3)
    ends: dict[str, Any] = {"initial": ("product", [0.7, 0.3]), "closing": ("product", [0.6, 0.4])}
    program = compile_program(model, 5.0, **ends)
    columns = run_chunk(program, 1, 0, 40_000).columns
    weights = np.exp(-columns["entropy_production"])
    assert abs(weights.mean() - 1) < LIMIT * weights.std() / np.sqrt(len(weights))
    p = program.arrays["final_p"]
    assert np.allclose(p, [0.6 ** (3 - k) * 0.4**k for k in [bin(i).count("1") for i in range(8)]])
    with pytest.raises(ValueError, match=r"`initial` has populations \[0.7, 0.4\] on site 0"):
        compile_program(model, 5.0, initial=("product", [0.7, 0.4]))
    with pytest.raises(ValueError, match="give `initial` as a ket or"):
        compile_program(chain(10), 5.0)
