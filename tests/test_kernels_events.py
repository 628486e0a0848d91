"""Collisions by events: the search against a twin that goes period by period, the law at many periods, the extremes.

Comparisons with exact values are made at 4.5 standard errors, about 30 of them.
"""

import math

import numpy as np
import pytest

from collide import Bath, Channel, Collision, CollisionModel
from collide.engines import event_tables
from collide.kernels.doubling import make_work
from collide.kernels.event_tables import squares
from collide.kernels.power_tables import matrix_of
from collide.operators import lowering
from collide.program import compile_program, run_chunk
from systems import SPACE, coherent_ket, coherent_mixture, collision_pair, hamiltonian

LIMIT = 4.5


def twin(program, seed: int, id: int):
    """One trajectory in plain NumPy, period by period: (counts, periods of its events, the user's ket at the end)."""
    u = np.random.Generator(np.random.Philox(key=[seed, id])).random(20_000)
    a = program.arrays
    events = a["target"].shape[0]
    nb, m = a["basis"].shape
    ops = np.zeros((events, nb, m, m), complex)
    for pair in range(events * nb):
        at = slice(a["jump_start"][pair], a["jump_start"][pair + 1])
        ops[pair // nb, pair % nb, a["jump_row"][at], a["jump_column"][at]] = a["jump_value"][at]
    opened = int(np.searchsorted(a["initial_cdf"], u[0], side="right"))
    block, psi, r = int(a["initial_block"][opened]), a["initial_vec"][opened].copy(), u[1]
    counts, happened = np.zeros(len(a["count_bath"]), int), list[tuple[int, int]]()
    for period in range(1, int(a["steps"][-1]) + 1):
        after = a["null"][block] @ psi
        if np.vdot(after, after).real > r:
            psi = after
            continue
        kets = np.einsum("jab,b->ja", ops[:, block], psi)
        weights = (np.abs(kets) ** 2).sum(axis=1)
        e = 2 * (len(happened) + 1)
        possible = np.flatnonzero(weights > 0)
        at = np.searchsorted(np.cumsum(weights[possible]), u[e] * weights.sum(), side="right")
        event = int(possible[min(int(at), len(possible) - 1)])
        psi, block, r = kets[event] / math.sqrt(weights[event]), int(a["target"][event, block]), u[e + 1]
        happened.append((period, event))
        for row in a["count"][event]:
            counts[row] += row >= 0
    state = np.zeros(program.d, complex)
    size = a["size"][block]
    state[a["basis"][block, :size]] = psi[:size] / np.linalg.norm(psi)
    return counts, happened, a["vectors"] @ state


@pytest.mark.parametrize("initial", ["steady", coherent_mixture(), coherent_ket()], ids=["steady", "mixture", "ket"])
@pytest.mark.parametrize(
    ("statistics", "construction", "levels", "tau"),
    [("boson", "split", None, 0.1), ("spin", "split", None, 2.0), ("boson", "joint", 16, 0.5)],
)
def test_search_equals_a_twin_that_goes_period_by_period(
    initial, statistics: str, construction: str, levels: int | None, tau: float
) -> None:
    """The same events in the same periods, in blocks of one state (closed form) and of more (powers), with a stop."""
    model = collision_pair(tau, statistics, construction, levels)
    program = compile_program(model, [20 * tau, 500 * tau], initial=initial, keep=("jumps", "final_state"))
    chunk = run_chunk(program, 5, 0, 40)
    ends = np.cumsum(chunk.ragged["row_size"])
    counted = np.any(program.arrays["count"] >= 0, axis=1)
    total = 0
    for id in range(40):
        counts, happened, state = twin(program, 5, id)
        assert np.array_equal(chunk.columns["counts"][id], counts)
        mine = slice(ends[id] - chunk.ragged["row_size"][id], ends[id])
        expected = [(period * tau, event) for period, event in happened if counted[event]]
        assert np.array_equal(chunk.ragged["jump_channel"][mine], [event for _, event in expected])
        assert np.allclose(chunk.ragged["jump_time"][mine], [time for time, _ in expected], rtol=1e-14, atol=0)
        assert abs(np.vdot(state, chunk.columns["final_state"][id])) == pytest.approx(1.0, abs=1e-10)
        total += len(expected)
    assert total > 40


@pytest.mark.parametrize(("share", "gamma_tau"), [(0.01, 0.0087), (0.2, 0.19), (0.6, 1.0)])
def test_three_cumulants_of_heat_and_work_at_many_collisions(share: float, gamma_tau: float) -> None:
    """From rare to dominant events, at the angle whose events per collision are asserted to be about `share`."""
    ends = []
    for name, site, beta in (("L", 0, 0.0), ("R", 1, -0.5)):
        bath = Bath(name, beta=beta, statistics="spin")
        ends.append(Collision(bath, lowering(2), site, bath.ancilla(1.0), 2 * gamma_tau))
    model = CollisionModel(hamiltonian(0.4), ends, 1.0, dims=SPACE)
    periods, n = 400 if share < 0.1 else 60, 40_000
    program = compile_program(model, float(periods), initial=coherent_mixture())
    columns = run_chunk(program, 3, 0, n).columns
    per_collision = columns["counts"].sum() / (2 * periods * n)
    assert share / 2.5 < per_collision < 2.5 * share
    a = program.arrays
    exact = model.trajectory_statistics(
        float(periods), a["rho_initial"], opening=a["initial_kets"], closing=a["final_kets"]
    )
    found = {"heat L": columns["heat"][:, 0], "heat R": columns["heat"][:, 1], "work": columns["work"]}
    for name, column in found.items():
        k = exact.cumulants(name, 6)
        assert abs(column.mean() - k[0]) < LIMIT * math.sqrt(k[1] / n)
        assert abs(column.var(ddof=1) - k[1]) < LIMIT * math.sqrt(k[3] / n + 2 * k[1] ** 2 / (n - 1))
        third = ((column - column.mean()) ** 3).mean()
        # variance of the third k-statistic (Kendall & Stuart, The Advanced Theory of Statistics 1, Eq. 12.37)
        spread = k[5] + 9 * k[3] * k[1] + 9 * k[2] ** 2 + 6 * k[1] ** 3
        assert abs(third - k[2]) < LIMIT * math.sqrt(spread / n), name


def test_powers_are_correct_to_the_last_place_after_many_squarings() -> None:
    model = collision_pair(0.1)
    program = compile_program(model, 1e4, initial=coherent_ket())
    tables = event_tables(program)
    null = program.arrays["null"][0].astype(np.clongdouble)
    m, here = len(null), tables.block[0]
    assert here["levels"] >= 14
    for k in range(int(here["levels"])):
        at = int(here["power"] + k * here["stride"])
        real = matrix_of(tables.power[at : at + here["stride"]], int(here["width"]), tables.parts)
        found = real if tables.parts == 1 else real[::2, ::2] + 1j * real[1::2, ::2]
        assert found.shape == (m, m)
        assert np.abs(found - null).max() < 1e-15 + 2.0**k * 1e-18  # the second: rounding of the comparison itself
        null = null @ null


def test_squares_keep_the_first_power_however_small() -> None:
    """Without it no event would ever be found."""
    base = 1e-12 * np.ones((2, 2), complex)
    table = np.zeros(4 * 16)
    assert squares(base, 1, 4, *make_work(2, 1), table) == 1
    assert np.array_equal(matrix_of(table[:16], 2, 1), base.real)


def test_long_horizons_do_not_drift() -> None:
    """10^5 periods: mean and variance of heat, and no record beyond the end."""
    model = collision_pair(0.05)
    periods, n = 100_000, 300
    program = compile_program(model, periods * 0.05, keep=("jumps",))
    chunk = run_chunk(program, 2, 0, n)
    mean, variance, _, fourth = model.trajectory_statistics(periods * 0.05).cumulants("heat L", 4)
    heat = chunk.columns["heat"][:, 0]
    assert abs(heat.mean() - mean) < LIMIT * math.sqrt(variance / n)
    assert abs(heat.var(ddof=1) - variance) < LIMIT * math.sqrt(fourth / n + 2 * variance**2 / (n - 1))
    assert chunk.ragged["jump_time"].max() <= periods * 0.05
    steps = chunk.ragged["jump_time"] / 0.05
    assert np.allclose(steps, np.rint(steps), rtol=0, atol=1e-6)


def test_events_in_the_last_period_count_and_none_comes_after() -> None:
    """A certain event in every period: as many records as periods, one of them on each stop."""
    bath = Bath("b", beta=math.inf, statistics="spin")
    swap = Collision(bath, lowering(2), 0, bath.ancilla(1.0), (math.pi / 2) ** 2)
    hot = Bath("h", beta=-80.0, statistics="spin")  # inverted but for 1e-35
    pump = Collision(hot, lowering(2), 0, hot.ancilla(1.0), (math.pi / 2) ** 2)
    model = CollisionModel(np.diag([0.0, 1.0]), [pump, swap], 1.0)
    program = compile_program(model, [1.0, 7.0], initial=np.array([1.0, 0.0]), keep=("jumps",))
    chunk = run_chunk(program, 1, 0, 5)
    assert np.array_equal(chunk.ragged["jump_time"], np.tile(np.arange(1.0, 8.0), 5))
    assert np.all(chunk.columns["counts"].sum(axis=1) == 14)
    assert chunk.partial["heat_power_sums"][0, :, 0] == pytest.approx([5.0, -5.0])


def test_a_dark_state_stays_dark() -> None:
    bath = Bath("cold", temperature=0.0)
    model = CollisionModel(np.diag([0.0, 1.0]), [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.1)], 0.5)
    chunk = run_chunk(compile_program(model, 5e4, initial=np.array([1.0, 0.0])), 1, 0, 200)
    assert not chunk.columns["counts"].any()
    assert np.all(chunk.columns["status"] == 0)


def test_a_cold_bath_keeps_its_tiny_weights() -> None:
    """Absorption with a weight of 1e-9 per period, 10^5 periods: a Poisson number of events, not a rounded one."""
    bath = Bath("cold", beta=18.0, statistics="spin")
    model = CollisionModel(np.diag([0.0, 1.0]), [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.05)], 0.5)
    program = compile_program(model, 5e4, initial=np.array([1.0, 0.0]))
    n = 100_000
    columns = run_chunk(program, 8, 0, n).columns
    mean, variance = model.trajectory_statistics(5e4, np.diag([1.0, 0.0])).cumulants("heat cold", 2)
    assert abs(columns["heat"][:, 0].mean() - mean) < LIMIT * math.sqrt(variance / n)
    absorbed = (columns["counts"] > 0).any(axis=1).mean()
    assert 1e-5 < absorbed < 0.1


def test_damaged_events_are_a_status_not_a_number() -> None:
    program = compile_program(collision_pair(0.5), 500.0, initial=coherent_mixture())
    program.arrays["target"][:] = -1
    columns = run_chunk(program, 1, 0, 50).columns
    assert np.all(columns["status"] == 1)
    assert np.all(columns["final"] == -1)


def test_a_period_with_a_channel_is_not_resolved_by_events() -> None:
    from collide.compile_events import not_by_events

    bath = Bath("b", temperature=1.0, statistics="spin")
    kick = Channel(lowering(2), 0.1, 1.0, bath, kind="irreversible")
    model = CollisionModel(np.diag([0.0, 1.0]), [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.1), kick], 0.5)
    assert "contains a channel" in not_by_events(model.process)
    assert not not_by_events(collision_pair(0.5).process)
