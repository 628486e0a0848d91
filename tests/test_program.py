"""The seam: blocks found, protocols checked, programs that travel, and columns that obey the first law."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import scipy.sparse as sp

import collide
from collide import Space, qubit
from collide.blocks import find_blocks, jump_table
from collide.exact.flat import StoredModel, flatten
from collide.exact.measurements import eigenbasis_of
from collide.program import Program, compile_program, run_chunk
from systems import SPACE, coherent_ket, coherent_mixture, collision_pair, jump_pair


def test_blocks_of_the_rectifier_are_excitation_numbers() -> None:
    program = compile_program(collision_pair(0.5), 5.0)
    assert sorted(program.arrays["size"].tolist()) == [1, 1, 2]
    assert "3 blocks of at most 2 states" in program.meta["explanation"]


def test_a_coherent_start_merges_blocks() -> None:
    program = compile_program(collision_pair(0.5), 5.0, initial=coherent_ket())
    assert program.arrays["size"].tolist() == [4]
    assert "; dense: in the given basis" in program.meta["explanation"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.one_of(st.integers(2, 9), st.just(40)))
def test_blocks_are_invariant_and_minimal(seed: int, d: int) -> None:
    """Against the fixed point of the definition, computed set by set."""
    rng = np.random.default_rng(seed)
    few = 0.15 if d < 10 else 0.008
    H = sp.random_array((d, d), density=few, rng=rng).tocsr()
    jumps = [sp.random_array((d, d), density=1.4 * few, rng=rng).tocsr() for _ in range(2)]
    found = {frozenset(m.tolist()) for m in find_blocks(d, [H + H.T], jumps).members}
    sets = [{i} for i in range(d)]
    changed = True
    while changed:
        changed = False
        tie = [(i, j) for i, j in zip(*(H + H.T).nonzero(), strict=True)]
        for jump in jumps:
            for source in sets:
                reached = [i for i, j in zip(*jump.nonzero(), strict=True) if j in source]
                tie += [(reached[0], i) for i in reached[1:]]
        for i, j in tie:
            a, b = next(s for s in sets if i in s), next(s for s in sets if j in s)
            if a is not b:
                a |= b
                sets.remove(b)
                changed = True
    assert found == {frozenset(s) for s in sets}


def test_a_jump_table_is_the_operators_block_by_block() -> None:
    blocks = find_blocks(4, [SPACE.exchange(0, 1)], [SPACE.s(0), SPACE.s(1).T], coherent_ket()[None] * [1, 0, 0, 0])
    ops = [SPACE.s(0).toarray() * 3, SPACE.s(1).T.toarray() * 1j]
    target, start, row, column, value = jump_table(ops, blocks)
    nb = len(blocks.members)
    assert nb > 1
    for k, op in enumerate(ops):
        again = np.zeros((4, 4), dtype=complex)
        for block in range(nb):
            part = slice(start[k * nb + block], start[k * nb + block + 1])
            assert np.all(np.diff(row[part] * 4 + column[part]) > 0)
            if target[k, block] >= 0:
                again[blocks.members[target[k, block]][row[part]], blocks.members[block][column[part]]] = value[part]
            else:
                assert not len(value[part])
        assert np.array_equal(again, op)


def test_eigenbasis_is_computational_where_the_state_is_diagonal() -> None:
    rho = np.diag([0.25, 0.25, 0.5, 0.0]).astype(complex)
    outcomes = eigenbasis_of(rho)
    assert np.array_equal(outcomes.kets, np.eye(4))
    assert np.allclose(outcomes.p, np.diag(rho).real)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 6), st.integers(1, 6))
def test_eigenbasis_reproduces_the_state(seed: int, d: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(d, rank)) + 1j * rng.normal(size=(d, rank))
    rho = A @ A.conj().T
    rho /= np.trace(rho).real
    kets, p = eigenbasis_of(rho)
    assert np.allclose(np.einsum("i,ia,ib->ab", p, kets, kets.conj()), rho, atol=1e-12)
    assert np.allclose(kets @ kets.conj().T, np.eye(d), atol=1e-12)
    assert np.count_nonzero(p > 0) == min(rank, d)


@pytest.mark.parametrize("model", [collision_pair(0.5), collision_pair(0.5, "spin", "joint"), jump_pair()])
def test_a_process_survives_flattening(model) -> None:
    back = StoredModel(flatten(model.process))
    assert back.heat_currents() == model.heat_currents()
    assert np.array_equal(back.steady_state(), model.steady_state())
    assert back.process.counts.baths == ("L", "R")


def test_a_program_survives_its_arrays() -> None:
    program = compile_program(collision_pair(0.5), [2.0, 5.0], e_ops={"n": SPACE.number(0)})
    again = Program.from_arrays(program.kind, program.arrays, program.meta, program.model)
    assert again.identity == program.identity
    first, second = run_chunk(program, 1, 0, 50), run_chunk(again, 1, 0, 50)
    assert all(np.array_equal(first.columns[k], second.columns[k]) for k in first.columns)
    other = compile_program(collision_pair(0.5, g=0.06), [2.0, 5.0], e_ops={"n": SPACE.number(0)})
    assert other.identity != program.identity


@pytest.mark.parametrize("initial", ["steady", ("thermal", 0.7), coherent_mixture(), coherent_ket()])
@pytest.mark.parametrize(("statistics", "construction"), [("boson", "split"), ("spin", "joint"), ("spin", "matched")])
def test_first_law_and_integer_charge_on_every_trajectory(initial, statistics: str, construction: str) -> None:
    model = collision_pair(0.5, statistics, construction)
    program = compile_program(model, 30.0, initial=initial)
    chunk = run_chunk(program, 3, 0, 400)
    heat, work, change = (chunk.columns[k] for k in ("heat", "work", "energy_change"))
    assert np.all(chunk.columns["status"] == 0)
    assert np.allclose(work + heat.sum(1), change, atol=1e-12)
    if isinstance(initial, str | tuple):  # starts with a definite number of excitations
        number = np.array([round(float((abs(k) ** 2) @ [0, 1, 1, 2])) for k in program.arrays["initial_kets"]])
        final = np.array([round(float((abs(k) ** 2) @ [0, 1, 1, 2])) for k in program.arrays["final_kets"]])
        gained = final[chunk.columns["final"]] - number[chunk.columns["initial"]]
        charge = chunk.columns["counts"].astype(int) @ program.arrays["count_charge"]
        assert np.array_equal(gained, charge)


def test_collisions_between_stops_do_not_depend_on_the_stops() -> None:
    model = collision_pair(0.5)
    once = run_chunk(compile_program(model, [50.0]), 5, 0, 200)
    often = run_chunk(compile_program(model, [0.0, 10.0, 20.5, 50.0]), 5, 0, 200)
    for name in ("counts", "initial", "final", "heat"):
        assert np.array_equal(once.columns[name], often.columns[name])


def test_averages_on_the_stops_are_exact() -> None:
    model = collision_pair(0.5)
    rho0 = coherent_mixture()
    times = [0.0, 1.0, 5.0]
    program = compile_program(model, times, initial=rho0, e_ops=[SPACE.number(0), SPACE.exchange(0, 1)])
    n = 20_000
    partial = run_chunk(program, 11, 0, n).partial
    exact = model.evolve(rho0, times)
    assert np.abs(partial["rho_sum"] / n - exact).max() < 4.5 * 0.6 / np.sqrt(n)
    for k, op in enumerate((SPACE.number(0), SPACE.exchange(0, 1))):
        mean = partial["expect_sum"][:, k, 0] / n
        spread = np.sqrt(partial["expect_sum"][:, k, 1] / n - mean**2)
        expected = np.array([np.trace(op @ rho).real for rho in exact])
        assert np.all(np.abs(mean - expected) < 4.5 * spread / np.sqrt(n) + 1e-12)


@pytest.mark.parametrize("labels", ["heat", "all"])
def test_final_states_and_events_are_those_of_the_trajectory(labels: str) -> None:
    model = collision_pair(0.5)
    program = compile_program(model, 40.0, initial=coherent_ket(), keep=("jumps", "final_state"), labels=labels)
    chunk = run_chunk(program, 2, 0, 300)
    kets = chunk.columns["final_state"]
    assert np.allclose((np.abs(kets) ** 2).sum(1), 1.0)
    energy = np.einsum("ka,ab,kb->k", kets.conj(), model.process.H.toarray(), kets).real
    final = program.arrays["final_energy"][chunk.columns["final"]]
    assert np.allclose(chunk.columns["closing_energy"], final - energy, atol=1e-12)
    if labels == "all":  # by events, two exchanges of a period are one record
        assert np.array_equal(chunk.ragged["row_size"], chunk.columns["counts"].sum(1))
    counted = program.arrays["count"][chunk.ragged["jump_channel"]]
    assert np.all(np.any(counted >= 0, axis=1))
    rows = np.repeat(np.arange(300), chunk.ragged["row_size"])
    again = np.zeros_like(chunk.columns["counts"])
    for slot in range(counted.shape[1]):
        happened = counted[:, slot] >= 0
        np.add.at(again, (rows[happened], counted[happened, slot]), 1)
    assert np.array_equal(again, chunk.columns["counts"])
    assert np.all(np.diff(chunk.ragged["jump_time"])[np.diff(rows) == 0] >= 0)
    assert np.all((chunk.ragged["jump_time"] > 0) & (chunk.ragged["jump_time"] <= 40.0))


def test_a_full_event_buffer_is_enlarged_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    import collide.kernels.collisions as kernel

    program = compile_program(collision_pair(0.5), 200.0, keep=("jumps",), labels="all")
    usual = run_chunk(program, 2, 0, 50)
    monkeypatch.setattr(kernel, "EVENTS_PER_TRAJECTORY", 1)
    small = run_chunk(program, 2, 0, 50)
    assert all(np.array_equal(usual.ragged[k], small.ragged[k]) for k in usual.ragged)


def test_a_full_log_of_events_is_enlarged_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    import collide.kernels.jumps as kernel

    program = compile_program(collision_pair(0.5), 200.0, keep=("jumps",))
    usual = run_chunk(program, 2, 0, 50)
    monkeypatch.setattr(kernel, "_LONGEST_FIRST_LOG", 8)
    small = run_chunk(program, 2, 0, 50)
    assert len(usual.ragged["jump_time"]) > 8
    assert all(np.array_equal(usual.ragged[k], small.ragged[k]) for k in usual.ragged)


def test_zero_temperature_makes_entropy_infinite_but_not_nan() -> None:
    from collide import Bath, Collision, CollisionModel
    from collide.operators import lowering

    cold, hot = Bath("cold", temperature=0.0), Bath("hot", temperature=1.0)
    items = [Collision(b, lowering(2), 0, b.ancilla(1.0), 0.1) for b in (cold, hot)]
    chunk = run_chunk(compile_program(CollisionModel(np.diag([0.0, 1.0]), items, 0.5), 40.0), 1, 0, 500)
    sigma, emitted = chunk.columns["entropy_production"], chunk.columns["counts"][:, 0]
    assert np.array_equal(np.isinf(sigma), emitted > 0)
    assert 0 < np.isinf(sigma).sum() < 500
    assert not np.isnan(sigma).any()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"tlist": [0.0, 0.7]}, "`tlist` has t = 0.7, which is not a multiple of tau = 0.5: the nearest one is 0.5"),
        ({"tlist": []}, "`tlist` must be a list of finite times"),
        ({"tlist": [2.0, 1.0]}, "`tlist` must ascend"),
        ({"tlist": [0.0]}, "to an end > 0"),
        ({"initial": "vacuum"}, "`initial` must be 'steady', ('thermal', beta), a ket or a state"),
        ({"initial": np.eye(4)}, "`initial` must have trace 1, but its trace is 4"),
        ({"keep": ("movies",)}, "`keep` has 'movies'"),
        ({"labels": "some"}, "`labels` must be one of"),
        ({"e_ops": [np.eye(3)]}, "`e_ops['0']` must have shape (4, 4)"),
        ({"e_ops": {"x": np.triu(np.ones((4, 4)))}}, "`e_ops['x']` must be Hermitian"),
    ],
)
def test_messages(arguments: dict[str, object], sentence: str) -> None:
    call: dict[str, object] = {"tlist": [5.0]} | arguments
    with pytest.raises(ValueError) as caught:
        compile_program(collision_pair(0.5), **call)  # type: ignore[arg-type]
    assert sentence in str(caught.value)


def test_ids_and_seed_are_64_bit() -> None:
    program = compile_program(collision_pair(0.5), 5.0)
    far = run_chunk(program, 2**64 - 1, 2**64 - 5, 2**64)
    assert np.all(far.columns["status"] == 0)
    with pytest.raises(ValueError, match=r"`seed` must lie in \[0, 2\*\*64\)"):
        run_chunk(program, -1, 0, 5)


def test_repr_is_a_report() -> None:
    text = repr(compile_program(collision_pair(0.5), 5.0))
    assert "d = 4, baths L, R, 4 counts, end at t = 5" in text
    assert repr(Space(qubit())) == "Space(qubit(2), d=2)"
    assert collide.__version__


def test_a_system_too_large_for_a_density_matrix() -> None:
    """Ten qubits: a product state to open, the product basis to close, no entropy production, charges balanced."""
    from collide.machines import rectifier

    model = rectifier(N=10, g=0.5, gamma_L=0.4, gamma_R=0.8, T_L=1.0, T_R=0.3)
    with pytest.raises(ValueError, match="too many for a density matrix"):
        compile_program(model, 5.0)
    ket = np.zeros(1024)
    ket[0] = 1.0
    program = compile_program(model, 5.0, initial=ket, closing="product", keep=("final_state",))
    columns = run_chunk(program, 1, 0, 40).columns
    assert np.all(np.isnan(columns["entropy_production"]))
    ones = np.array([bin(k).count("1") for k in range(1024)])
    assert np.array_equal(ones[columns["final"]], columns["counts"].astype(int) @ program.arrays["count_charge"])
    assert np.allclose((np.abs(columns["final_state"]) ** 2).sum(1), 1.0)
    assert columns["counts"].sum() > 0
    with pytest.raises(ValueError, match="too many for an exact side"):
        _ = program.exact


def test_closing_in_the_product_basis() -> None:
    program = compile_program(collision_pair(0.5), 5.0, initial=coherent_mixture(), closing="product")
    assert np.array_equal(program.arrays["final_kets"], np.eye(4))
    assert program.arrays["final_p"].sum() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="`closing` must be None, 'product'"):
        compile_program(collision_pair(0.5), 5.0, closing="energy")


def test_collective_baths_are_classical_in_the_basis_of_their_state() -> None:
    """Degenerate levels: neither the given basis nor that of H shows it, the eigenbasis of the state does."""
    from collide.machines import collective_qubits

    program = compile_program(collective_qubits(beta_A=0.3, beta_S=2.0), 5.0)
    assert program.meta["explanation"].startswith("classical jump process")
    assert program.arrays["size"].tolist() == [1, 1, 1, 1]


def test_a_status_is_a_sentence_at_the_surface() -> None:
    """Damaged on purpose: no outcome can happen any more."""
    from collide.ensemble import run_program

    program = compile_program(collision_pair(0.5), 5.0, labels="all")
    program.arrays["target"][:] = -1
    with pytest.warns(RuntimeWarning, match=r"10 of 10 .* \(first: trajectory 0\): no jump or ancilla outcome had"):
        run_program(program, 10, 1)


def test_a_program_of_another_version_is_refused_with_a_sentence() -> None:
    program = compile_program(jump_pair(), 1.0)
    older = Program.from_arrays(
        program.kind, {name: value for name, value in program.arrays.items() if name != "turn"}, program.meta
    )
    with pytest.raises(ValueError, match="lacks turn: it was compiled by another version"):
        run_chunk(older, 0, 0, 1)
