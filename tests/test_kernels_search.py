"""The steps of a search, each alone: what an exit, a root and a stop are at their edges."""

import numpy as np
import pytest

from collide.kernels.borrowed import borrowed, lend
from collide.kernels.jump_search import (
    CHOICE,
    EVENT,
    EXIT,
    JUMP,
    LEFT,
    NONE,
    PASSED,
    PLACE,
    RATE,
    STEPS,
    STOP,
    THRESHOLD,
    descend,
    elect,
    expand,
    locate,
    make_bench,
    settle,
)
from collide.kernels.jump_tables import prepare
from collide.kernels.lanes import WIDTH
from jump_programs import only, program


@borrowed
def elect_once(tables, bench):
    elect(lend(tables), 0, lend(bench))


@borrowed
def search_once(tables, bench, top):
    lent, work = lend(tables), lend(bench)
    descend(lent, 0, work, top)
    expand(lent, 0, work)
    locate(lent, 0, work)
    settle(lent, 0, work)


def bench_for(tables):
    block = tables.block[0]
    exits = int(block["exit_end"] - block["exit_first"])
    bench = make_bench(int(block["width"]), int(block["order"]), int(block["degree"]), exits)
    for array in bench:
        array[:] = np.nan  # whatever is read must have been written
    return bench


def four_exits():
    """Rates 0, 3/4, 1/4 and 0 out of the state (0, 1, 1) / sqrt 2."""
    ops = [np.outer(only(0, 3), row) for row in ([1.0, 0, 0], [0, np.sqrt(1.5), 0], [0, 0, np.sqrt(0.5)], [0.3, 0, 0])]
    return prepare(program(np.zeros((3, 3)), ops, times=[1.0]))


@pytest.mark.parametrize(
    ("u", "exit", "rate"),
    [
        (0.0, 1, 0.75),
        (0.7499, 1, 0.75),
        (0.75, 2, 0.25),  # a boundary belongs to the next
        (0.9999, 2, 0.25),
        (1.0, 2, 0.25),  # as rounding may make it: not past the last exit that can be taken
        (2.0, 2, 0.25),
    ],
)
def test_an_exit_that_cannot_be_taken_is_never_elected(u, exit, rate):
    tables = four_exits()
    bench = bench_for(tables)
    bench.state[:3] = np.array([0, 1, 1])[:, None] / np.sqrt(2)
    bench.lane[CHOICE] = u
    elect_once(tables, bench)
    np.testing.assert_array_equal(bench.lane[EXIT], exit)
    np.testing.assert_allclose(bench.lane[RATE], rate, rtol=1e-15)


def test_where_no_exit_can_be_taken_none_is_elected():
    tables = four_exits()
    bench = bench_for(tables)
    bench.state[:] = 0.0
    bench.lane[CHOICE] = 0.5
    elect_once(tables, bench)
    assert np.all(bench.lane[EXIT] < 0)


def decaying(gamma, horizon):
    ops = [np.sqrt(gamma) * np.array([[0, 1.0], [0, 0]]), 0.1 * np.diag([1.0, 1.0])]
    return prepare(program(np.zeros((2, 2)), ops, times=[horizon])), gamma + 0.01


def searched(threshold, left, top=None, steps=0.0, gamma=0.8):
    """One search from the upper state, `left` in steps; returns the bench, the rate and the step."""
    tables, rate = decaying(gamma, 100.0)
    bench = bench_for(tables)
    bench.state[:2] = np.array([0, 1])[:, None]
    for row, values in ((THRESHOLD, threshold), (LEFT, left), (STEPS, steps)):
        bench.lane[row] = values
    search_once(tables, bench, int(tables.block["levels"][0]) - 1 if top is None else top)
    return bench, rate, float(tables.block["step"][0])


def test_each_lane_finds_its_own_root():
    threshold = np.exp(-np.linspace(1e-6, 30.0, WIDTH))
    bench, rate, step = searched(threshold, 1e6)
    wait = (bench.lane[STEPS] + bench.lane[PLACE]) * step
    assert np.all(bench.lane[EVENT] == JUMP)
    np.testing.assert_allclose(wait, -np.log(threshold) / rate, rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.sum(bench.state[:2] ** 2, axis=0), threshold, rtol=1e-13)


def test_a_lane_stops_before_its_root_and_jumps_before_its_stop():
    wait = -np.log(0.3) / 0.81
    step = searched(0.3, 1.0)[2]
    left = wait / step * (1.0 + np.linspace(-1, 1, WIDTH) * 1e-12)
    bench, *_ = searched(0.3, left)
    expected = np.where(left < wait / step, STOP, JUMP)
    decided = np.abs(np.linspace(-1, 1, WIDTH)) > 0.2
    np.testing.assert_array_equal(bench.lane[EVENT][decided], expected[decided])
    place = bench.lane[STEPS] + bench.lane[PLACE]
    assert np.all(place <= left)
    np.testing.assert_array_equal(place[bench.lane[EVENT] == STOP], left[bench.lane[EVENT] == STOP])


@pytest.mark.parametrize("left", [0.0, 1e-300, 0.5, 1.0, 7.0])
def test_a_stop_is_reached_exactly(left):
    bench, rate, step = searched(1e-9, left)
    assert np.all(bench.lane[EVENT] == STOP)
    np.testing.assert_array_equal(bench.lane[STEPS] + bench.lane[PLACE], left)
    np.testing.assert_allclose(np.sum(bench.state[:2] ** 2, axis=0), np.exp(-rate * left * step), rtol=1e-14)


def test_what_lies_beyond_the_reach_is_left_for_another_search():
    bench, rate, step = searched(1e-6, 1e9, top=3)
    assert np.all(bench.lane[EVENT] == NONE)
    assert np.all(bench.lane[PASSED] == 0.0)
    np.testing.assert_array_equal(bench.lane[STEPS], 15.0)  # 8 + 4 + 2 + 1
    np.testing.assert_allclose(np.sum(bench.state[:2] ** 2, axis=0), np.exp(-rate * 15 * step), rtol=1e-14)


def test_a_search_goes_on_from_where_the_last_one_ended():
    bench, rate, step = searched(np.exp(-1.0), 1e9, steps=100.0)
    wait = (bench.lane[STEPS] - 100.0 + bench.lane[PLACE]) * step
    np.testing.assert_allclose(wait, 1.0 / rate, atol=1e-13)
