"""The pilot finds the rate at which jumps come, and changes nothing but where searches begin."""

import numpy as np
import pytest

from collide.kernels.jump_tables import prepare
from collide.kernels.jumps import Record, run_jumps
from collide.kernels.pilot import paced
from jump_programs import driven_qubit, only, program


def dim_cavity(levels: int, drive: float, horizon: float):
    """A damped cavity, in which there is hardly a photon, opened empty."""
    a = np.diag(np.sqrt(np.arange(1.0, levels)), 1)
    return program(drive * (a + a.T) + 0.2 * a.T @ a, [a], times=[horizon], initial=only(0, levels))


def test_the_pace_is_that_of_the_jumps() -> None:
    """Thirteen times slower than the mean over all levels: of 11 photons there are 0.86, and none in the beginning."""
    before = prepare(dim_cavity(23, 0.5, 400.0))
    after = paced(before)
    assert before.block["pace"][0] > 0
    assert 11 < after.block["pace"][0] / before.block["pace"][0] < 20


def test_only_the_beginning_of_searches_changes() -> None:
    before = prepare(dim_cavity(12, 0.3, 60.0))
    after = paced(before)
    for name in before.block.dtype.names or ():
        if name not in ("pace", "first_level"):
            assert np.array_equal(before.block[name], after.block[name]), name
    one, other = (run_jumps(tables, 4, 0, 60, Record(jumps=True)) for tables in (before, after))
    assert np.array_equal(one["row_size"], other["row_size"])
    assert np.array_equal(one["jump_channel"], other["jump_channel"])
    np.testing.assert_allclose(one["jump_time"], other["jump_time"], rtol=0, atol=1e-11)


def test_it_flies_the_same_way_each_time() -> None:
    pace = [paced(prepare(dim_cavity(12, 0.3, 60.0))).block["pace"][0] for _ in range(2)]
    assert pace[0] == pace[1]


@pytest.mark.parametrize("case", ["small", "no time", "dark"])
def test_where_there_is_nothing_to_learn_it_stays_at_home(case: str) -> None:
    if case == "small":
        tables = prepare(program(*driven_qubit(), times=[20.0]))
    elif case == "no time":
        tables = prepare(dim_cavity(12, 0.3, 0.0))
    else:
        tables = prepare(program(np.diag(np.arange(10.0)) + 0.1, [np.zeros((10, 10))], times=[5.0]))
    assert paced(tables) is tables
