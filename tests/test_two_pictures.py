"""Collisions at small tau and quantum jumps are one physics: distributions agree up to the predicted O(tau)."""

import math
from typing import Any

import numpy as np
import pytest

from collide.program import compile_program, run_chunk
from systems import collision_pair, jump_pair

LIMIT = 4.5


def third_central(x: Any) -> float:
    return float(((x - x.mean()) ** 3).mean())


@pytest.mark.parametrize("statistics", ["boson", "spin"])
def test_first_three_cumulants_of_both_engines(statistics: str) -> None:
    """Sampled difference between the pictures = the exact difference of the maps, to the third cumulant."""
    t, n = 20.0, 40_000
    collisions, jumps = collision_pair(0.1, statistics), jump_pair(statistics)
    start = jumps.steady_state()
    sampled, exact, spread = [], [], []
    for model in (collisions, jumps):
        program = compile_program(model, t, initial=start)
        heat = run_chunk(program, 77, 0, n).columns["heat"][:, 0]
        sampled.append([heat.mean(), heat.var(), third_central(heat)])
        exact.append(model.heat_cumulants_at(t, "L", 3, start))
        c = model.heat_cumulants_at(t, "L", 6, start)
        m2, m4, m6 = c[1], c[3] + 3 * c[1] ** 2, c[5] + 15 * c[3] * c[1] + 10 * c[2] ** 2 + 15 * c[1] ** 3
        spread.append([m2 / n, (m4 - m2**2) / n, (m6 - c[2] ** 2 - 6 * m4 * m2 + 9 * m2**3) / n])
    difference = np.array(sampled[0]) - np.array(sampled[1])
    predicted = np.array(exact[0]) - np.array(exact[1])
    error = np.sqrt(np.array(spread[0]) + np.array(spread[1]))
    assert np.all(np.abs(difference - predicted) < LIMIT * error)
    assert np.all(np.abs(predicted) < 0.05 * np.abs(exact[1]))  # the pictures are close, and differ by O(tau)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_cumulant_rates_approach_each_other_linearly(order: int) -> None:
    limit = jump_pair().heat_cumulants("L", order)[-1]
    taus = np.array([0.04, 0.02, 0.01])
    error = [abs(collision_pair(tau).heat_cumulants("L", order)[-1] / limit - 1) for tau in taus]
    assert np.polyfit(np.log(taus), np.log(error), 1)[0] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("after", range(4))
def test_waiting_times_pass_kolmogorov_and_smirnov(after: int) -> None:
    """Waits after a jump of one channel, all next channels together, against the exact survival."""
    from scipy import stats

    model = jump_pair()
    waiting = model.waiting_times()
    program = compile_program(model, 2000.0, keep=("jumps",))
    chunk = run_chunk(program, 5, 0, 400)
    start, waits = 0, []
    for size in chunk.ragged["row_size"]:
        time, channel = (chunk.ragged[k][start : start + size] for k in ("jump_time", "jump_channel"))
        # waits that begin in the first half end long before the horizon: no censoring
        chosen = np.flatnonzero((channel[:-1] == after) & (time[:-1] < 1000.0))
        waits += (time[chosen + 1] - time[chosen]).tolist()
        start += size
    grid = np.linspace(0, 600.0, 4001)
    survival = waiting.survival(grid, after)
    assert survival[-1] < 1e-3
    law: Any = lambda x: 1 - np.interp(x, grid, survival)  # noqa: E731
    result = stats.kstest(waits, law)
    assert len(waits) > 200
    assert result.pvalue > 1e-4, (after, result)
    slower: Any = lambda x: law(1.15 * np.asarray(x))  # noqa: E731
    wrong = stats.kstest(waits, slower)
    assert wrong.pvalue < result.pvalue or len(waits) < 1000  # a rate off by 15 % is seen where waits are many


def test_tlist_moves_no_jump() -> None:
    """Stops change where the search pauses, not what happens: same counts, jump times to 1e-10."""
    few = run_chunk(compile_program(jump_pair(), [500.0], keep=("jumps",)), 3, 0, 500)
    many = run_chunk(compile_program(jump_pair(), np.linspace(0, 500.0, 41), keep=("jumps",)), 3, 0, 500)
    assert np.array_equal(few.columns["counts"], many.columns["counts"])
    assert np.allclose(few.ragged["jump_time"], many.ragged["jump_time"], rtol=0, atol=1e-8)
    assert math.isfinite(few.ragged["jump_time"].sum())
