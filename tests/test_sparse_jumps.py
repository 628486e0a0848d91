"""Quantum jumps with a sparse H_eff: Chebyshev strides, exact waiting times, long chains without a matrix."""

import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import jv

from collide import Bath, LindbladModel, Space, local, qubit
from collide.engines import wide_tables
from collide.kernels import wide_tables as plans
from collide.kernels.chebyshev import coefficients, radius_of
from collide.program import Program, compile_program, run_chunk
from jump_replay import replay

LIMIT = 4.5


def chain(N: int, *, g: float = 0.3, rates: tuple[float, float] = (0.1, 0.2), drive: float = 0.0) -> Any:
    """XX chain between boson baths at its ends; a drive on the first site leaves nothing conserved."""
    space = Space(*[qubit()] * N)
    H = sum((1.0 + 0.1 * j) * space.number(j) for j in range(N))
    H = H + g * sum(space.exchange(j, j + 1) for j in range(N - 1)) + drive * space.sx(0)
    hot, cold = (Bath(n, temperature=T, spectral_density=r) for n, T, r in zip("LR", (1.0, 0.4), rates, strict=True))
    return LindbladModel(H, local(space.s(0), 1.0, hot) + local(space.s(N - 1), 1.0, cold), dims=space)


@pytest.fixture
def sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small systems are treated like large ones, and tables never pay for themselves."""
    monkeypatch.setattr("collide.program.MOST_STATES", 1)
    monkeypatch.setattr("collide.protocol.MOST_STATES", 1)
    monkeypatch.setattr(plans, "TRAJECTORIES", 1e-9)


# --- the series -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [1e-6, 0.3, 1.0, 7.5, 32.0, 50.0])
def test_coefficients_are_bessel_functions(x: float) -> None:
    found = coefficients(x)
    n = np.arange(len(found) + 60)
    known = np.where(n == 0, 1, 2) * jv(n, x)
    assert np.allclose(found, known[: len(found)], rtol=0, atol=4e-15)
    assert np.abs(known[len(found) :]).sum() < 3e-17


def test_radius_is_a_tight_bound() -> None:
    heff = chain(6).process.H.tocoo()
    norm = np.linalg.norm(heff.toarray(), 2)
    bound = radius_of(heff.row.astype(np.int64), heff.col.astype(np.int64), heff.data, 64)
    assert norm <= bound < 1.05 * norm


# --- waiting times --------------------------------------------------------------------------------------------------


def as_dense(program: Program) -> Any:
    """The same program with dense blocks, as the replay reads it."""
    a = program.arrays
    nb, m = a["basis"].shape
    first = np.cumsum(a["size"]) - a["size"]
    heff, opened = np.zeros((nb, m, m), complex), np.zeros((len(a["initial_block"]), m), complex)
    row = np.repeat(np.arange(a["size"].sum()), np.diff(a["wait_start"]))
    block = np.repeat(np.arange(nb), a["size"])[row]
    heff[block, row - first[block], a["wait_column"]] = a["wait_value"]
    opened[np.repeat(np.arange(len(opened)), np.diff(a["initial_start"])), a["initial_place"]] = a["initial_value"]
    return SimpleNamespace(**(a | {"heff": heff, "initial_vec": opened}))


SYSTEMS = {
    "sectors": lambda: chain(5),
    "no symmetry": lambda: chain(4, drive=0.2),
    "damping as strong as H": lambda: chain(4, g=0.1, rates=(1.0, 2.0), drive=0.1),
    "long waits": lambda: chain(4, rates=(8e-3, 4e-3), drive=0.01),
}


@pytest.mark.parametrize("which", SYSTEMS)
@pytest.mark.usefixtures("sparse")
def test_waiting_times_are_exact(which: str) -> None:
    """Norms at the jumps are the thresholds to 1e-13, waiting times the roots to 1e-10, channels the ones drawn."""
    model = SYSTEMS[which]()
    d = model.process.d
    t = 1200.0 if which == "long waits" else 40.0
    program = compile_program(model, t, initial=np.eye(d)[1], closing="product", keep=("jumps",))
    assert program.kind == "sparse_jumps"
    assert wide_tables(program).marching[wide_tables(program).block["size"] > 1].all()
    chunk = run_chunk(program, 5, 0, 6)
    edges = np.cumsum(chunk.ragged["row_size"])[:-1]
    times, channels = (np.split(chunk.ragged[name], edges) for name in ("jump_time", "jump_channel"))
    compared = 0
    for id in range(6):
        deviation = replay(as_dense(program), 5, id, times[id], channels[id], exact=False)
        assert deviation.norm < 1e-13
        assert deviation.time < 1e-10
        compared += deviation.jumps
    assert compared > 15


@pytest.mark.parametrize("trajectories", [1e-9, 1000])
def test_sparse_and_dense_agree_jump_by_jump(trajectories: float, monkeypatch: pytest.MonkeyPatch) -> None:
    model = chain(6, rates=(0.3, 0.6))
    arguments: dict[str, Any] = {"initial": np.eye(64)[21], "closing": "product", "keep": ("jumps", "final_state")}
    dense = run_chunk(compile_program(model, [10.0, 60.0], **arguments), 4, 0, 100)
    monkeypatch.setattr("collide.program.MOST_STATES", 1)
    monkeypatch.setattr(plans, "TRAJECTORIES", trajectories)
    sparse = run_chunk(compile_program(model, [10.0, 60.0], **arguments), 4, 0, 100)
    assert dense.ragged["row_size"].sum() > 500
    assert np.array_equal(sparse.ragged["row_size"], dense.ragged["row_size"])
    assert np.array_equal(sparse.ragged["jump_channel"], dense.ragged["jump_channel"])
    assert np.allclose(sparse.ragged["jump_time"], dense.ragged["jump_time"], rtol=0, atol=1e-10)
    assert np.array_equal(sparse.columns["final"], dense.columns["final"])
    overlap = np.abs((sparse.columns["final_state"].conj() * dense.columns["final_state"]).sum(axis=1))
    assert np.allclose(overlap, 1.0, atol=1e-12)


@pytest.mark.usefixtures("sparse")
def test_heat_and_observables_against_the_liouvillian() -> None:
    model, n, times = chain(3, drive=0.3), 40_000, [4.0, 12.0]
    ops = {"n1": model.process.H, "sx": Space(*[qubit()] * 3).sx(1)}
    ket = np.eye(8)[4]
    program = compile_program(model, times, initial=ket, closing="product", e_ops=ops)
    chunk = run_chunk(program, 9, 0, n)
    for bath, name in enumerate(program.baths):
        mean, variance = model.heat_cumulants_at(times[-1], name, 2, ket)
        heat = chunk.columns["heat"][:, bath]
        assert abs(heat.mean() - mean) < LIMIT * np.sqrt(variance / n)
        assert abs(heat.var() - variance) < LIMIT * ((heat - heat.mean()) ** 2).std() / np.sqrt(n)
    for at, state in enumerate(model.evolve(ket, times)):
        for k, op in enumerate(ops.values()):
            total, square = chunk.partial["expect_sum"][at, k]
            error = np.sqrt((square / n - (total / n) ** 2) / n)
            assert abs(total / n - np.trace(op.toarray() @ state).real) < LIMIT * error


# --- long chains ----------------------------------------------------------------------------------------------------


def test_twelve_qubits_without_a_matrix() -> None:
    """4096 levels in a fraction of one matrix's memory; charges balance, and bits do not depend on company."""
    d = 4096
    tracemalloc.start()
    model = chain(12, g=0.05)
    program = compile_program(model, 20.0, initial=("product", [0.8, 0.2]), closing=("product", [0.7, 0.3]))
    whole = run_chunk(program, 1, 0, 64).columns
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * d * d / 2
    assert max(array.size for array in program.arrays.values()) < 40 * d
    marching, size = wide_tables(program).marching, wide_tables(program).block["size"]
    assert marching[size > 500].all()
    assert not marching[size == 12].any()  # a cost model chooses
    ones = np.array([bin(k).count("1") for k in range(d)])
    gained = whole["counts"].astype(int) @ program.arrays["count_charge"]
    assert np.array_equal(ones[whole["final"]] - ones[whole["initial"]], gained)
    assert np.abs(whole["counts"]).sum() > 100
    parts = [run_chunk(program, 1, a, b).columns for a, b in ((0, 5), (5, 64))]
    for name, column in whole.items():
        assert np.array_equal(np.concatenate([part[name] for part in parts]), column), name
