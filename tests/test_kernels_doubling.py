"""Tables of propagators and the logarithm, against forty digits."""

import math

import mpmath as mp
import numpy as np
import pytest

from collide.kernels.jump_tables import prepare
from collide.kernels.logarithm import log
from collide.kernels.power_tables import matrix_of
from jump_programs import cascade, driven_qubit, program, random_system


def exponential(matrix):
    """exp of a small matrix by its series, 60 digits."""
    with mp.workdps(60):
        A = mp.matrix(matrix.tolist())
        term = total = mp.eye(len(matrix))
        for n in range(1, 45):
            term = A * term / n
            total = total + term
        return total


def table(tables, k):
    """A power in complex amplitudes."""
    block = tables.block[0]
    size, n = int(block["stride"]), int(block["width"])
    first = int(block["power"]) + k * size
    found = matrix_of(tables.power[first : first + size], n, tables.parts)
    if tables.parts == 1:
        return found + 0j
    real, imag = found[::2, ::2], found[1::2, ::2]
    assert np.array_equal(found[1::2, 1::2], real)
    assert np.array_equal(found[::2, 1::2], -imag)
    return real + 1j * imag


@pytest.mark.parametrize("system", [driven_qubit(), cascade(4), random_system(5, 2, 4), random_system(17, 1, 5)])
def test_every_power_is_correct_to_the_last_place(system):
    """Squared in float64, the last of them would be off by 1e-13 and more."""
    filled = program(*system, times=[2000.0])
    tables = prepare(filled)
    step, levels = float(tables.block["step"][0]), int(tables.block["levels"][0])
    assert levels >= 12
    exact = exponential(-1j * filled.heff[0] * step)
    with mp.workdps(60):
        for k in range(levels):
            wrong = max(abs(exact[i, j] - mp.mpc(complex(x))) for (i, j), x in np.ndenumerate(table(tables, k)))
            assert wrong < 1.2e-16
            exact = exact * exact


def test_steps_are_powers_of_two_and_small():
    for seed in range(6):
        filled = program(*random_system(2 + 3 * seed, 2, seed), times=[10.0**seed])
        block = prepare(filled).block[0]
        assert math.frexp(block["step"])[0] == 0.5
        assert np.linalg.norm(filled.heff[0], 2) * block["step"] <= 1.0


def test_the_table_ends_at_the_horizon_or_where_nothing_is_left():
    H, ops = driven_qubit()
    for horizon in (1e-3, 0.7, 30.0):
        block = prepare(program(H, ops, times=[horizon])).block[0]
        assert block["levels"] == 0 or block["step"] * 2.0 ** (block["levels"] - 1) <= horizon
        assert block["step"] * 2.0 ** block["levels"] > horizon
    block = prepare(program(H, [*ops, ops[0].T], times=[1e9])).block[0]
    assert block["step"] * 2.0 ** block["levels"] < 1e4
    assert np.abs(table(prepare(program(H, [*ops, ops[0].T], times=[1e9])), int(block["levels"]) - 1)).max() > 1e-10


def test_the_logarithm_is_right_to_one_unit_in_the_last_place():
    rng = np.random.default_rng(1)
    near_one = 1.0 - rng.random(1000) * 10.0 ** -rng.integers(3, 16, 1000)
    extremes = [
        1.0,
        1.0 - 2.0**-53,
        2.0**-54,
        2.0**-53,
        0.5,
        math.sqrt(0.5),
        math.nextafter(math.sqrt(0.5), 0),
        1e-300,
        3e5,
    ]
    with mp.workdps(40):
        for x in [*rng.random(3000), *near_one, *extremes]:
            exact, found = mp.log(mp.mpf(float(x))), log(float(x))
            assert abs(exact - mp.mpf(found)) < 0.9 * mp.mpf(float(np.spacing(abs(float(exact)))))
