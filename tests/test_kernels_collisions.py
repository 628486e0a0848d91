"""The collision kernels: the plain one against a readable twin, all three against enumeration of every history."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from collide import Bath, Collision, CollisionModel, finite_ancilla
from collide.engines import collision_program, run_tables
from collide.exact.process import Instrument, Unitary, embed
from collide.kernels import run_tables as kernels_run_tables
from collide.kernels.collisions import run_collisions
from collide.program import compile_program, run_chunk
from systems import SPACE, coherent_ket, coherent_mixture, collision_pair, hamiltonian


def twin(model: CollisionModel, program, seed: int, id: int):
    """One trajectory in plain NumPy, straight from the model's operators and NumPy's own Philox."""
    u = iter(np.random.Generator(np.random.Philox(key=[seed, id])).random(100_000))
    process, arrays = model.process, program.arrays
    counts = np.zeros(len(process.counts), dtype=int)
    i = int(np.searchsorted(np.cumsum(arrays["initial_p"]), next(u), side="right"))
    psi = arrays["initial_kets"][i].copy()
    for _ in range(arrays["steps"][-1]):
        for element in process.elements:
            if isinstance(element, Unitary):
                psi = element.matrix @ psi
                continue
            assert isinstance(element, Instrument)
            levels = np.flatnonzero(element.prior > 0)
            n = levels[np.searchsorted(np.cumsum(element.prior[levels]), next(u), side="right")]
            v = next(u)
            branches = []
            for k in np.flatnonzero(element.first == n).tolist():
                op = embed(element.kraus[k], element.sites, process.dims) / np.sqrt(element.prior[n])
                branches.append((k, op @ psi, abs(op).max()))
            # the kernel tries outcomes in the order of their largest entry after free evolution: same list, same choice
            order = _order(model, element, [k for k, _, _ in branches])
            for k in order:
                ket = next(ket for j, ket, _ in branches if j == k)
                p = np.vdot(ket, ket).real
                if v < p:
                    psi = ket / np.sqrt(p)
                    for row in element.counts[k]:
                        counts[row] += row >= 0
                    break
                v -= p
    p_final = np.abs(arrays["final_kets"].conj() @ psi) ** 2
    return i, counts, p_final, next(u)


def _order(model: CollisionModel, element: Instrument, outcomes: list[int]) -> list[int]:
    """Outcomes by the largest entry of their operator after free evolution, as the compiler lists them."""
    elements = model.process.elements
    before = elements[elements.index(element) - 1] if elements.index(element) else None
    free = before.matrix if isinstance(before, Unitary) else None

    def size(k: int) -> float:
        weight = np.sqrt(element.prior[element.first[k]])
        op = embed(element.kraus[k] / weight, element.sites, model.process.dims)
        return -float(abs(op if free is None else op @ free).max())

    return sorted(outcomes, key=size)


@pytest.mark.parametrize(
    ("statistics", "construction", "levels"),
    [
        ("boson", "split", None),
        ("spin", "split", None),
        ("spin", "joint", None),
        ("boson", "joint", 16),
        ("spin", "alternating", None),
    ],
)
@pytest.mark.parametrize("initial", ["steady", coherent_mixture(), coherent_ket()], ids=["steady", "mixture", "ket"])
def test_kernel_equals_its_twin(initial, statistics: str, construction: str, levels: int | None) -> None:
    model = collision_pair(2.0, statistics, construction, levels)
    program = compile_program(model, 40.0, initial=initial, labels="all")
    plain = run_collisions(collision_program(program), 17, 0, 10)
    for id in range(10):
        i, counts, p_final, u = twin(model, program, 17, id)
        assert plain.initial[id] == i
        assert np.array_equal(plain.counts[id], counts)
        assert p_final[plain.final[id]] > 1e-12
        if program.arrays["size"].tolist() == [4]:  # one block: the closing search runs over all outcomes in order
            assert plain.final[id] == np.searchsorted(np.cumsum(p_final), u * p_final.sum(), side="right")


def enumerate_histories(model: CollisionModel, program, periods: int):
    """Exact joint law of (initial, final, counts) by summing over every list of ancilla outcomes."""
    process, arrays = model.process, program.arrays
    law: dict[tuple[int, ...], float] = {}
    steps = list(process.elements)
    choices = [range(len(e.kraus)) if isinstance(e, Instrument) else [0] for e in steps] * periods
    ops = [
        [embed(k, e.sites, process.dims).toarray() for k in e.kraus]
        if isinstance(e, Instrument)
        else [e.matrix.toarray()]  # type: ignore[union-attr]
        for e in steps
    ] * periods
    for history in product(*choices):
        counts = np.zeros(len(process.counts), dtype=int)
        kets = arrays["initial_kets"].T
        for position, k in enumerate(history):
            kets = ops[position][k] @ kets
            element = steps[position % len(steps)]
            if isinstance(element, Instrument):
                for row in element.counts[k]:
                    counts[row] += row >= 0
        weights = np.abs(arrays["final_kets"].conj() @ kets) ** 2 * arrays["initial_p"]
        for f, i in np.argwhere(weights > 0):
            key = (int(i), int(f), *counts.tolist())
            law[key] = law.get(key, 0.0) + float(weights[f, i])
    return law


@pytest.mark.parametrize("kernel", ["events", "runs", "few", "fewer", "walks", "plain"])
@pytest.mark.parametrize("gamma_tau", [0.01, 0.3, 1.2], ids=["rare", "some", "most"])
def test_joint_law_by_enumeration(gamma_tau: float, kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts, opening and closing outcomes of two periods: chi-square against the sum over all histories."""
    ends = []
    for name, site, T, share in (("L", 0, 1.0, 1.0), ("R", 1, 0.3, 0.7)):
        bath = Bath(name, temperature=T, statistics="spin")
        ends.append(Collision(bath, np.array([[0, 1], [0, 0]]), site, bath.ancilla(1.0), share * gamma_tau))
    model = CollisionModel(hamiltonian(0.4), ends, 1.0, dims=SPACE)
    # room for so many products of 4 x 4: runs of several periods, of both, of one; none, so collisions go one by one
    room = {"runs": 2**14, "few": 64 * 16, "fewer": 16 * 16}.get(kernel, 0)
    monkeypatch.setattr(kernels_run_tables, "MOST_ENTRIES", room)
    program = compile_program(model, 2.0, initial=coherent_mixture(), labels="heat" if kernel == "events" else "all")
    law = enumerate_histories(model, program, 2)
    assert sum(law.values()) == pytest.approx(1.0, abs=1e-10)
    n = 40_000
    if kernel == "plain":
        columns = run_collisions(collision_program(program), 23, 0, n)._asdict()
    else:
        columns = run_chunk(program, 23, 0, n).columns
    if program.kind == "collisions":
        assert (run_tables(program).first[0] >= 0) == (room > 0)
    keys = np.column_stack([columns["initial"], columns["final"], columns["counts"]])
    found, number = np.unique(keys, axis=0, return_counts=True)
    observed = {tuple(k.tolist()): int(c) for k, c in zip(found, number, strict=True)}
    assert set(observed) <= set(law)
    likely = {k: p for k, p in law.items() if n * p >= 8}
    rest = 1 - sum(likely.values())
    chi2 = sum((observed.get(k, 0) - n * p) ** 2 / (n * p) for k, p in likely.items())
    others = n - sum(observed.get(k, 0) for k in likely)
    chi2 += (others - n * rest) ** 2 / max(n * rest, 8.0)
    dof = len(likely)
    assert abs(chi2 - dof) < 4.5 * np.sqrt(2 * dof)  # false alarm about 1e-5 a case


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["heat", "all"]))
def test_random_ancillas_and_couplings_conserve_probability(seed: int, labels: str) -> None:
    """Three-level ancillas with dense couplings: exact mean heat within its error, no trajectory lost."""
    rng = np.random.default_rng(seed)
    V = rng.normal(size=(6, 6)) + 1j * rng.normal(size=(6, 6))
    energies = np.sort(rng.uniform(0, 2, 3))
    bath = Bath("b", beta=float(rng.uniform(-1, 2)), statistics="spin")
    ancilla = finite_ancilla(energies, beta=bath.beta)
    model = CollisionModel(np.diag([0.0, 1.0]), [Collision(bath, V + V.conj().T, 0, ancilla, 0.2)], 0.3)
    program = compile_program(model, 3.0, labels=labels)
    n = 4000
    columns = run_chunk(program, seed, 0, n).columns
    statistics = model.trajectory_statistics(3.0)
    assert np.all(columns["status"] == 0)
    for name, column in (("heat b", columns["heat"][:, 0]), ("work", columns["work"])):
        mean, variance = statistics.cumulants(name, 2)
        assert abs(column.mean() - mean) < 4.7 * np.sqrt(variance / n) + 1e-12  # 24 comparisons: alarm below 1e-4


@pytest.mark.parametrize("labels", ["heat", "all"])
def test_same_bits_for_any_split_of_ids(labels: str) -> None:
    program = compile_program(collision_pair(0.5), 50.0, keep=("jumps", "final_state"), labels=labels)
    whole = run_chunk(program, 9, 0, 200)
    parts = [run_chunk(program, 9, a, b) for a, b in ((0, 1), (1, 77), (77, 200))]
    for name, column in whole.columns.items():
        assert np.array_equal(column, np.concatenate([p.columns[name] for p in parts]))
    for name, column in whole.ragged.items():
        assert np.array_equal(column, np.concatenate([p.ragged[name] for p in parts]))
    alone = run_chunk(program, 9, 123, 124)
    assert all(np.array_equal(whole.columns[k][123], alone.columns[k][0]) for k in whole.columns)


def test_a_lost_norm_is_a_status_not_a_number() -> None:
    """A damaged program whose outcomes cannot happen: the trajectory says so."""
    program = compile_program(collision_pair(0.5), 5.0, labels="all")
    program.arrays["target"][:] = -1
    columns = run_chunk(program, 1, 0, 5).columns
    assert np.all(columns["status"] == 1)
