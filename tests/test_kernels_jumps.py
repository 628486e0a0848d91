"""Quantum jumps: exact waiting times, no jump too many, the same bits however they are computed, the right averages."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import numpy as np
from numpy.random import Generator, Philox
import pytest
from scipy.linalg import expm
from scipy.stats import kstest

from collide.kernels import jumps
from collide.kernels.jump_tables import prepare
from collide.kernels.jumps import Record, run_jumps
from jump_programs import (
    SM,
    cascade,
    decaying_qubit,
    driven_cavity,
    driven_qubit,
    lambda_atom,
    only,
    program,
    random_system,
    two_qubits,
)
from jump_replay import replay
from jump_twin import fly

EVERYTHING = Record(jumps=True, final_state=True, states=True, rho=True)
PER_TRAJECTORY = ("initial", "final", "counts", "closing_energy", "status", "final_state", "states", "row_size")


def refilled(system, rate=0.25):
    """A system with one more channel that takes its first state to its second, so that it never comes to rest."""
    H, ops = system
    up = np.zeros((len(H), len(H)))
    up[1, 0] = np.sqrt(rate)
    return H, [*ops, up]


def bath_pair(times, dense=False, **kwargs):
    H, ops, blocks, count, quantum = two_qubits()
    return program(H, ops, None if dense else blocks, times=times, count=count, quantum=quantum, **kwargs)


def split(result):
    """Jumps of each trajectory: [(times, channels), ...]."""
    edges = np.cumsum(result["row_size"])[:-1]
    return list(zip(np.split(result["jump_time"], edges), np.split(result["jump_channel"], edges), strict=True))


# --- accuracy -------------------------------------------------------------------------------------------------------

REPLAYED = {
    "driven qubit": (lambda: program(*driven_qubit(), times=[60.0]), True),
    "Jordan block of 3": (lambda: program(*refilled(cascade(3)), times=[60.0]), True),
    "dark combination": (lambda: program(*lambda_atom(), times=[60.0]), True),
    "dense operators": (lambda: program(*random_system(4, 3, 1), times=[60.0]), True),
    "blocks 1, 2, 1": (lambda: bath_pair([4000.0]), False),
    "one block of 4": (lambda: bath_pair([4000.0], dense=True), False),
    "Jordan block of 15": (lambda: program(*refilled(cascade(15)), times=[60.0]), False),
    "odd size": (lambda: program(*random_system(17, 2, 2), times=[60.0]), False),
    "driven cavity, 64": (lambda: program(*driven_cavity(32), times=[8.0]), False),
    "large, odd": (lambda: program(*random_system(71, 2, 2), times=[200.0]), False),
}


@pytest.mark.parametrize("name", REPLAYED)
def test_jump_times_and_channels_survive_a_replay_in_extended_precision(name):
    build, exact = REPLAYED[name]
    filled = build()
    found = split(run_jumps(prepare(filled), 5, 0, 3, Record(jumps=True)))
    compared = 0
    for id, (times, channels) in enumerate(found):
        worst = replay(filled, 5, id, times[:12], channels[:12], exact)
        assert worst.norm <= 1e-13
        assert worst.time <= 1e-10
        compared += worst.jumps
    assert compared >= 5


def test_the_jordan_block_has_no_eigenbasis_worth_the_name():
    H, ops = cascade(15)
    heff = H - 0.5j * sum(op.conj().T @ op for op in ops)
    assert np.linalg.cond(np.linalg.eig(heff)[1]) > 1e8


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_rates_of_any_magnitude(scale):
    filled = program(
        *(scale * x if k == 0 else [np.sqrt(scale) * op for op in x] for k, x in enumerate(driven_qubit()))
    )
    filled = filled._replace(times=np.array([60.0 / scale]))
    (times, channels), *_ = split(run_jumps(prepare(filled), 5, 0, 1, Record(jumps=True)))
    unit = program(*driven_qubit(), times=[60.0])
    (unit_times, unit_channels), *_ = split(run_jumps(prepare(unit), 5, 0, 1, Record(jumps=True)))
    np.testing.assert_array_equal(channels, unit_channels)
    np.testing.assert_allclose(times * scale, unit_times, rtol=1e-12)


# --- the horizon ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blocks", [None, [[0], [1]]], ids=["dense", "blocks of one state"])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_jump_happens_before_the_horizon_or_not_at_all(blocks, side):
    gamma = 0.7
    H, ops, opened = decaying_qubit(gamma)
    for id in range(40):
        draw = Generator(Philox(key=np.array([3, id], np.uint64))).random(2)[1]
        horizon = -np.log(draw) / gamma * (1 + side * 1e-13)
        result = run_jumps(prepare(program(H, ops, blocks, times=[horizon], **opened)), 3, id, id + 1, EVERYTHING)
        assert result["row_size"][0] == (side > 0)
        assert result["final"][0] == (0 if side > 0 else 1)
        assert np.all(result["jump_time"] < horizon)


def test_no_recorded_jump_lies_beyond_the_horizon():
    H, ops, opened = decaying_qubit()
    for blocks in (None, [[0], [1]]):
        for horizon in (0.0, 1e-300, 1e-5, 0.3, 1.0, 77.7):
            result = run_jumps(
                prepare(program(H, ops, blocks, times=[horizon], **opened)), 1, 0, 300, Record(jumps=True)
            )
            assert np.all(result["jump_time"] <= horizon)
            expected = 1 - np.exp(-horizon)
            assert abs(result["row_size"].mean() - expected) <= 5 * np.sqrt(expected * (1 - expected) / 300 + 1e-30)


def test_stops_do_not_move_the_jumps():
    few, many = bath_pair([900.0]), bath_pair(np.linspace(0, 900.0, 1001))
    one = split(run_jumps(prepare(few), 2, 0, 20, Record(jumps=True)))
    other = split(run_jumps(prepare(many), 2, 0, 20, Record(jumps=True)))
    assert sum(len(times) for times, _ in one) > 100
    for (times, channels), (same_times, same_channels) in zip(one, other, strict=True):
        np.testing.assert_array_equal(channels, same_channels)
        np.testing.assert_allclose(same_times, times, rtol=0, atol=1e-10)


# --- darkness -------------------------------------------------------------------------------------------------------


def test_a_dark_state_waits_for_ever():
    H, ops = lambda_atom()
    dark = np.array([0.7, -1.0, 0.0]) / np.hypot(0.7, 1.0)
    filled = program(H, ops, times=[1e12], initial=only(0, 3))
    filled = filled._replace(initial_vec=np.tile(dark, (3, 1)).astype(complex))
    result = run_jumps(prepare(filled), 1, 0, 50, EVERYTHING)
    assert np.all(result["counts"] == 0)
    assert np.all(result["status"] == 0)
    np.testing.assert_allclose(np.abs(result["final_state"] @ dark), 1.0, atol=1e-12)


def test_a_partly_dark_state_jumps_with_the_bright_part():
    H, ops = lambda_atom()
    filled = program(H, ops, times=[1e6], initial=only(0, 3))
    result = run_jumps(prepare(filled), 1, 0, 4000, Record(jumps=True))
    bright = 1.0 / (1.0 + 0.49)  # |<bright|0>|^2: the chance of any jump at all
    assert abs(np.mean(result["row_size"] > 0) - bright) < 5 * np.sqrt(bright * (1 - bright) / 4000)
    assert np.all(result["status"] == 0)


@pytest.mark.parametrize("blocks", [None, [[0], [1], [2]]])
def test_without_any_channel_nothing_happens(blocks):
    filled = program(
        np.diag([0.0, 1.0, 5.0]), [], blocks, times=[0.0, 10.0], initial=only(2, 3), e_ops=[np.diag([1, 2, 3])]
    )
    filled = filled._replace(count=np.zeros((0, 1), int), quantum=np.zeros((1, 1)))
    result = run_jumps(prepare(filled), 1, 0, 7, EVERYTHING)
    assert np.all(result["final"] == 2)
    np.testing.assert_array_equal(result["expect_sum"][:, 0, 0], [21.0, 21.0])
    assert len(result["jump_time"]) == 0


# --- the law --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "start"),
    [(driven_qubit(), 0), (refilled(cascade(5)), 1), (random_system(5, 2, 3), 2)],
    ids=["driven", "cascade", "random"],
)
def test_waiting_times_follow_the_exact_density(system, start):
    H, ops = system
    horizon = 40.0
    filled = program(H, ops, times=[horizon], initial=only(start, len(H)))
    result = run_jumps(prepare(filled), 11, 0, 4000, Record(jumps=True))
    first = np.array([times[0] if len(times) else np.inf for times, _ in split(result)])
    heff = np.asarray(H) - 0.5j * sum(op.conj().T @ op for op in ops)
    grid = np.linspace(0, horizon, 4001)
    step, psi, survival = expm(-1j * heff * grid[1]), np.eye(len(H))[start].astype(complex), []
    for _ in grid:
        survival.append(np.sum(np.abs(psi) ** 2))
        psi = step @ psi
    seen = first[np.isfinite(first)]
    assert abs(len(seen) / len(first) - (1 - survival[-1])) <= 5 * np.sqrt(
        survival[-1] * (1 - survival[-1]) / len(first)
    )
    law = (1 - np.array(survival)) / (1 - survival[-1])
    assert kstest(seen, lambda t: np.interp(t, grid, law)).pvalue > 1e-3


@pytest.mark.parametrize("dense", [False, True])
def test_averages_are_those_of_the_master_equation(dense):
    H, ops, blocks, count, quantum = two_qubits(g=0.02, gammas=(0.05, 0.1))
    times, rng = np.array([0.0, 3.0, 10.0, 30.0]), np.random.default_rng(0)
    A = np.zeros((4, 4), complex)
    A[1:3, 1:3] = [[0.3, 0.5j], [-0.5j, -0.2]]
    A += np.diag(rng.normal(size=4))
    filled = program(
        H, ops, None if dense else blocks, times=times, count=count, quantum=quantum, e_ops=[A], initial=only(1, 4)
    )
    n = 20000
    result = run_jumps(prepare(filled), 4, 0, n, Record(rho=True))
    one = np.eye(4)
    L = -1j * (np.kron(H, one) - np.kron(one, H.T))
    for op in ops:
        G = op.conj().T @ op
        L = L + np.kron(op, op.conj()) - 0.5 * (np.kron(G, one) + np.kron(one, G.T))
    rho0 = np.diag(only(1, 4)).astype(complex).reshape(-1)
    for k, t in enumerate(times):
        rho = (expm(L * t) @ rho0).reshape(4, 4)
        np.testing.assert_allclose(result["rho_sum"][k] / n, rho, atol=5 * 0.5 / np.sqrt(n))
        mean, square = result["expect_sum"][k, 0] / n
        assert abs(mean - np.trace(A @ rho).real) <= 4.5 * np.sqrt(max(square - mean**2, 0.0) / n) + 1e-12
    # first moments of the heats, by the derivative of the tilted semigroup in a larger space
    for bath, channels in enumerate([(0, 1), (2, 3)]):
        J = sum(quantum[c][bath] * np.kron(ops[c], ops[c].conj()) for c in channels)
        joint = expm(np.block([[L, J], [np.zeros((16, 16)), L]]) * times[-1])
        exact = np.trace((joint[:16, 16:] @ rho0).reshape(4, 4)).real
        power = result["heat_power_sums"][-1, bath] / n
        assert abs(power[0] - exact) <= 4.5 * np.sqrt((power[1] - power[0] ** 2) / n)
    heat = result["counts"] @ np.array(quantum)
    np.testing.assert_allclose(
        result["heat_power_sums"][-1], [[np.sum(heat[:, b] ** p) for p in (1, 2, 3, 4)] for b in (0, 1)], rtol=1e-12
    )
    np.testing.assert_allclose(result["heat_pair_sums"][-1], [np.sum(heat[:, 0] * heat[:, 1])], rtol=1e-12)


def test_closing_measurement_and_its_energy():
    H, ops = driven_qubit()
    n = 20000
    result = run_jumps(prepare(program(H, ops, times=[3.0], initial=only(0, 2))), 6, 0, n, Record(final_state=True))
    psi = result["final_state"]
    np.testing.assert_allclose(np.sum(np.abs(psi) ** 2, axis=1), 1.0, atol=1e-13)
    energy = np.einsum("ka,ab,kb->k", psi.conj(), H, psi).real
    np.testing.assert_allclose(result["closing_energy"], np.diag(H)[result["final"]].real - energy, atol=1e-13)
    upper = np.abs(psi[:, 1]) ** 2
    assert abs(np.mean(result["final"]) - upper.mean()) < 5 * np.sqrt(np.mean(upper * (1 - upper)) / n)


# --- the same bits --------------------------------------------------------------------------------------------------

SYSTEMS = {
    "blocks": lambda: bath_pair([0.0, 70.0, 300.0], e_ops=[np.diag([0, 1.0, 1.0, 2.0])]),
    "dense": lambda: bath_pair([0.0, 70.0, 300.0], dense=True, e_ops=[np.diag([0, 1.0, 1.0, 2.0])]),
    "odd": lambda: program(*random_system(3, 2, 8), times=[5.0, 20.0], e_ops=[np.diag([0, 1.0, 2.0])]),
    "classical": lambda: program(
        np.diag([0.0, 1.0]), [0.3 * SM, 0.2 * SM.T], [[0], [1]], times=[10.0, 400.0], e_ops=[np.diag([0, 1.0])]
    ),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_any_split_of_the_ids_gives_the_same_bits(name):
    tables = prepare(SYSTEMS[name]())
    whole = run_jumps(tables, 9, 100, 200, EVERYTHING)
    parts = [run_jumps(tables, 9, a, b, EVERYTHING) for a, b in ((100, 101), (101, 117), (117, 150), (150, 200))]
    for column in (*PER_TRAJECTORY, "jump_time", "jump_channel"):
        np.testing.assert_array_equal(whole[column], np.concatenate([part[column] for part in parts]), err_msg=column)
    # sums are taken trajectory by trajectory, so a sum over one is what it leaves
    alone = [run_jumps(tables, 9, id, id + 1, EVERYTHING) for id in range(100, 110)]
    ten = run_jumps(tables, 9, 100, 110, EVERYTHING)
    for partial in ("expect_sum", "heat_power_sums", "heat_pair_sums", "rho_sum"):
        total = np.zeros_like(ten[partial])
        for one in alone:
            total = total + one[partial]
        np.testing.assert_array_equal(total, ten[partial], err_msg=partial)


@pytest.mark.parametrize("slots", [16, 17, 64])
def test_any_number_of_slots_gives_the_same_bits(slots, monkeypatch):
    tables = prepare(SYSTEMS["blocks"]())
    usual = run_jumps(tables, 9, 0, 300, EVERYTHING)
    monkeypatch.setattr(jumps, "_MOST_SLOTS", slots)
    other = run_jumps(tables, 9, 0, 300, EVERYTHING)
    for name, array in usual.items():
        np.testing.assert_array_equal(other[name], array, err_msg=name)


def test_threads_share_tables_and_change_nothing():
    tables = prepare(SYSTEMS["dense"]())
    alone = [run_jumps(tables, 9, 50 * k, 50 * k + 50, EVERYTHING) for k in range(6)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda k: run_jumps(tables, 9, 50 * k, 50 * k + 50, EVERYTHING), range(6)))
    for one, other in zip(alone, together, strict=True):
        for name, array in one.items():
            np.testing.assert_array_equal(other[name], array, err_msg=name)


def test_other_threads_run_meanwhile():
    tables, turns = prepare(SYSTEMS["dense"]()), 0
    run_jumps(tables, 9, 0, 1)
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(run_jumps, tables, 9, 0, 50_000)
        while not result.done():
            turns += 1
            sleep(0.001)
    assert turns > 5  # a kernel that held the interpreter would leave one or two


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_readable_twin_gives_the_same_bits(name):
    filled = SYSTEMS[name]()
    tables = prepare(filled)
    result = run_jumps(tables, 21, 0, 6, EVERYTHING)
    total = 0
    for id, (times, channels) in enumerate(split(result)):
        initial, final, counts, twin_jumps, stops = fly(tables, 21, id)
        assert (initial, final) == (result["initial"][id], result["final"][id])
        np.testing.assert_array_equal(counts, result["counts"][id])
        np.testing.assert_array_equal([time for time, _ in twin_jumps], times)
        np.testing.assert_array_equal([channel for _, channel in twin_jumps], channels)
        for k, (block, psi) in enumerate(stops):
            expected = np.zeros(result["states"].shape[2], complex)
            norm = 0.0
            for z in psi:
                norm += z.real * z.real + z.imag * z.imag
            scale = 1.0 / np.sqrt(norm)
            expected[tables.basis[block, : len(psi)]] = [complex(z.real * scale, z.imag * scale) for z in psi]
            np.testing.assert_array_equal(result["states"][id, k], expected)
        total += len(times)
    assert total >= 8


def test_no_trajectories_leave_empty_columns():
    result = run_jumps(prepare(SYSTEMS["blocks"]()), 9, 5, 5, EVERYTHING)
    assert all(len(result[column]) == 0 for column in (*PER_TRAJECTORY, "jump_time"))
    assert np.all(result["rho_sum"] == 0)


def test_blocks_and_one_dense_block_are_the_same_process():
    one = split(run_jumps(prepare(bath_pair([900.0])), 2, 0, 40, Record(jumps=True)))
    other = split(run_jumps(prepare(bath_pair([900.0], dense=True)), 2, 0, 40, Record(jumps=True)))
    for (times, channels), (same_times, same_channels) in zip(one, other, strict=True):
        np.testing.assert_array_equal(channels, same_channels)
        np.testing.assert_allclose(same_times, times, rtol=0, atol=1e-10)


def test_a_full_log_is_written_anew_and_never_cut(monkeypatch):
    tables = prepare(SYSTEMS["blocks"]())
    usual = run_jumps(tables, 9, 0, 50, Record(jumps=True))
    assert len(usual["jump_time"]) == usual["row_size"].sum() == usual["counts"].sum()
    monkeypatch.setattr(jumps, "_LONGEST_FIRST_LOG", 7)
    other = run_jumps(tables, 9, 0, 50, Record(jumps=True))
    for name, array in usual.items():
        np.testing.assert_array_equal(other[name], array, err_msg=name)


# --- refusals and faults --------------------------------------------------------------------------------------------


def test_a_decay_that_is_not_that_of_the_jumps_is_refused():
    filled = program(*driven_qubit(), times=[1.0])
    with pytest.raises(
        ValueError, match=r"`heff` must be H - i/2 times the sum of J\^dagger J.*build it from the same"
    ):
        prepare(filled._replace(heff=filled.heff * (1 + 1e-6j)))


@pytest.mark.parametrize("times", [[], [1.0, 0.5], [-1.0, 1.0], [1.0, np.inf]])
def test_times_that_do_not_ascend_from_zero_are_refused(times):
    with pytest.raises(ValueError, match="`times` must ascend"):
        prepare(program(*driven_qubit(), times=times))


def test_a_state_without_a_channel_is_reported_and_the_others_go_on():
    H, ops, opened = decaying_qubit()
    tables = prepare(program(H, ops, times=[50.0], **opened))
    tables.entry["value"][:] = 0.0  # the channel no longer takes out what the decay does
    result = run_jumps(tables, 1, 0, 40, EVERYTHING)
    assert np.all(result["status"] == 1)
    assert np.all(result["final"] == -1)
    assert np.all(np.isnan(result["closing_energy"]))


def test_tables_stop_where_no_threshold_can_be_passed():
    H, ops, opened = decaying_qubit()
    tables = prepare(program(H, [ops[0], ops[0].T], times=[1e9], **opened))
    assert tables.block["levels"][0] < np.log2(1e9 / tables.block["step"][0]) - 5


def test_one_set_of_compiled_kernels_serves_every_program():
    run_jumps(prepare(SYSTEMS["blocks"]()), 1, 0, 2, EVERYTHING)
    compiled = len(jumps._fly.signatures)
    for build in SYSTEMS.values():
        filled = build()
        frozen = {name: array.copy() for name, array in filled._asdict().items()}
        for array in frozen.values():
            array.setflags(write=False)  # as arrays read from a file may be
        run_jumps(prepare(filled._replace(**frozen)), 1, 0, 2, EVERYTHING)
        run_jumps(prepare(filled._replace(e_ops=np.zeros((0, *filled.heff.shape)))), 1, 0, 2)
    assert len(jumps._fly.signatures) == compiled
