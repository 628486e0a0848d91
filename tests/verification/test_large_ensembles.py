"""A million trajectories of the rectifier in each picture, against the exact distribution at the same finite time."""

import functools
import math
from typing import Any

import numpy as np
import pytest

from collide.analysis import compare_with_exact
from collide.analysis.exact_side import ExactSide
from collide.ensemble import run_program
from collide.machines import rectifier
from collide.program import compile_program

NTRAJ, SEED, LIMIT, FALSE_ALARM = 1_000_000, 4711, 5.0, 1e-4
PARAMETERS: dict[str, Any] = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}
PICTURES: dict[str, dict[str, Any]] = {
    "jumps": {},
    "jumps, global": {"equation": "global"},
    "collisions": {"picture": "collision", "tau": 1.0},
    "collisions, joint": {
        "picture": "collision",
        "tau": 1.0,
        "construction": "joint",
        "eps_L": -1,
        "eps_R": -1,
        "T_R": 0.6,
    },
}
TIMES = [60.0, 200.0]


@functools.cache
def ensemble_of(picture: str) -> Any:
    """Observables and heats on the way, everything at the end."""
    model = rectifier(**(PARAMETERS | PICTURES[picture]))
    number = np.diag([0.0, 1.0, 1.0, 2.0])
    flow = np.zeros((4, 4), dtype=complex)
    flow[1, 2], flow[2, 1] = -1j, 1j
    program = compile_program(model, TIMES, e_ops={"excitations": number, "flow": flow})
    return run_program(program, NTRAJ, SEED)


def third_cumulant(x: Any, exact: Any) -> float:
    """Deviation of the sampled third cumulant, its error from the exact cumulants up to the sixth."""
    c, n = exact, len(x)
    m2, m4 = c[1], c[3] + 3 * c[1] ** 2
    m6 = c[5] + 15 * c[3] * c[1] + 10 * c[2] ** 2 + 15 * c[1] ** 3
    sampled = float(((x - x.mean()) ** 3).mean()) * n**2 / ((n - 1) * (n - 2))
    return (sampled - c[2]) / math.sqrt((m6 - c[2] ** 2 - 6 * m4 * m2 + 9 * m2**3) / n)


@pytest.mark.parametrize("picture", PICTURES)
def test_everything_that_is_known_exactly(court: Any, picture: str) -> None:
    """Means and variances of all columns, quanta and entropy production by χ², outcomes, observables."""
    with court(f"a million trajectories, {picture}: means, variances, covariances, distributions") as row:
        ensemble = ensemble_of(picture)
        assert np.all(ensemble.status == 0)
        assert np.abs(ensemble.work + sum(ensemble.heat.values()) - ensemble.energy_change).max() < 1e-11
        verdict = compare_with_exact(ensemble, false_alarm=FALSE_ALARM)
        assert sum("net quanta" in r.name for r in verdict.rows) == 2
        row.z_scores((r.z for r in verdict.rows), verdict.limit)
        assert verdict.passed


@pytest.mark.parametrize("picture", PICTURES)
def test_third_cumulant_of_heat(court: Any, picture: str) -> None:
    with court(f"a million trajectories, {picture}: third cumulant of heat and energy change") as row:
        ensemble = ensemble_of(picture)
        exact = ExactSide(ensemble.program)
        found = {f"heat {bath}": heat for bath, heat in ensemble.heat.items()} | {
            "energy_change": ensemble.energy_change
        }
        row.z_scores((third_cumulant(x, exact.statistics.cumulants(name, 6)) for name, x in found.items()), LIMIT)


@pytest.mark.parametrize("picture", PICTURES)
def test_a_temperature_off_by_one_percent_is_seen(court: Any, picture: str) -> None:
    """Planted: the ensemble is judged by a machine whose left bath is 1 % hotter."""
    with court("planted: a temperature off by 1 %") as row:
        ensemble = ensemble_of(picture)
        other = rectifier(**(PARAMETERS | PICTURES[picture] | {"T_L": 1.01 * PARAMETERS["T_L"]}))
        exact = ExactSide(ensemble.program)
        exact.model = other
        verdict = compare_with_exact(ensemble, false_alarm=FALSE_ALARM, exact=exact, distributions=False)
        assert not verdict.passed
        row.checks(1)
