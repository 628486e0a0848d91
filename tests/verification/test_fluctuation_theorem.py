r"""The integral fluctuation theorem on every machine, in both pictures, from mixed, stationary and pure states.

Times are such that the exact variance of :math:`e^{-\Sigma}` is at most 10, and that variance gives the error: a
sampled one would be small whenever the rare events that carry the average are missed.  The exact mean is met twice, by
the tilted process and by the reversed one (one, unless reversed trajectories leave the support of the start).  Where a
bath is at zero temperature or an exchange has no reverse, :math:`\Sigma=\infty` on just those trajectories that had
one.
"""

import functools
import math
from typing import Any
import warnings

import numpy as np
import pytest

from collide.ensemble import run_program
from collide.machines import registry
from collide.machines.rotor import start_state
from collide.program import compile_program
from collide.protocol import LABELS
from random_models import MOST_VARIANCE, time_for_theorem

NTRAJ, SEED, LIMIT, LONGEST = 200_000, 33, 5.0, 6.0
ROUNDING = 1e-9

HOT = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}
HITS = HOT | {"picture": "collision", "tau": 1.0}
SPINS = {"eps_L": -1, "eps_R": -1}
SITES = {"kind": "spin", "g": 0.5}
SHORT = {"l_min": -8, "l_max": 8}
FREE = {"l_min": -4, "l_max": 4, "gamma": 0.0}

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "rectifier": ("rectifier", HOT),
    "rectifier, global": ("rectifier", HOT | {"equation": "global"}),
    "rectifier, three sites": ("rectifier", HOT | {"N": 3}),
    "rectifier, T_R = 0": ("rectifier", HOT | {"T_R": 0.0}),
    "rectifier, negative temperature": ("rectifier", HOT | {"eps_R": -1, "T_R": -2.0}),
    "rectifier, split collisions": ("rectifier", HITS),
    "rectifier, alternating collisions": ("rectifier", HITS | {"construction": "alternating"}),
    "rectifier, sequential collisions": ("rectifier", HITS | SPINS | {"construction": "sequential"}),
    "rectifier, joint collisions": ("rectifier", HITS | SPINS | {"construction": "joint"}),
    "rectifier, matched collisions": (
        "rectifier",
        HITS | {"construction": "matched", "angle": "cos(theta)=exp(-gamma tau/2)"},
    ),
    "rectifier, global collisions": ("rectifier", HITS | SPINS | {"equation": "global"}),
    "ising": ("ising", {}),
    "ising, local": ("ising", {"equation": "local", "T_L": 2.0, "T_R": 1.0}),
    "ising, collisions": ("ising", {"equation": "local", "picture": "collision", "tau": 0.05, "kappa": 0.2}),
    "xy chain": ("xy_chain", {"N": 3, "T_R": 0.5}),
    "xy chain, T_R = 0": ("xy_chain", {}),
    "xy chain, collisions": (
        "xy_chain",
        {"N": 3, "T_R": 0.5, "equation": "local", "picture": "collision", "tau": 0.1},
    ),
    "collective qubits": ("collective_qubits", {"beta_A": -0.5, "beta_S": 1.0}),
    "collective qubits, collisions": (
        "collective_qubits",
        {"beta_A": -0.5, "beta_S": 1.0, "picture": "collision", "tau": 0.05},
    ),
    "junction": ("junction", {}),
    "junction, two levels": ("junction", {"subsystem": "TLS"}),
    "junction, collisions": (
        "junction",
        {"picture": "collision", "tau": 0.1, "left": SITES, "right": SITES},
    ),
    "tavis-cummings": ("tavis_cummings", {"p": 0.2, "omega_0": 1.0}),
    "rotor with its load": ("rotor", SHORT),
    "rotor, resolved load": ("rotor", SHORT | {"load": "resolved"}),
    "rotor, global": ("rotor", FREE | {"equation": "global"}),
    "rotor without load": ("rotor", FREE),
    "rotor, collisions": ("rotor", FREE | {"picture": "collision", "tau": 0.2}),
    "rotor, collisions with its load": ("rotor", SHORT | {"picture": "collision", "tau": 0.2}),
}


@functools.cache
def model_of(case: str) -> Any:
    machine, parameters = CASES[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a ladder this short is enough for the theorem, which knows its edges
        return registry()[machine](**parameters)


def mixed(model: Any) -> Any:
    """A state of full rank that is neither stationary nor diagonal: thermal, turned by a weak unitary."""
    energy, basis = np.linalg.eigh(model.process.H.toarray())
    p = np.exp(-2.0 * (energy - energy[0]) / max(energy[-1] - energy[0], 1e-12))
    rng = np.random.default_rng(1)
    A = rng.normal(size=basis.shape) + 1j * rng.normal(size=basis.shape)
    turn = np.linalg.qr(np.eye(len(p)) + 0.2 * (A - A.conj().T) / math.sqrt(len(p)))[0]
    rho = turn @ (basis * p) @ basis.conj().T @ turn.conj().T / p.sum()
    return (rho + rho.conj().T) / 2


def starts_of(case: str) -> dict[str, Any]:
    """States to begin in."""
    model = model_of(case)
    d = model.process.d
    if CASES[case][0] == "rotor":
        middle = -CASES[case][1]["l_min"]  # both qubits down, the rotor at rest
        ket = np.zeros(d)
        ket[middle] = 1.0
        return {"product": start_state(model), "pure": ket}
    ket = np.ones(d, dtype=complex) * np.exp(1j * np.arange(d)) / math.sqrt(d)
    return {"mixed": mixed(model), "steady": "steady", "pure": ket}


def judged(model: Any, initial: Any, row: Any, labels: str = "all") -> tuple[Any, Any]:
    """An ensemble whose mean of e^{-Σ} is judged; returns what was sampled."""
    tau = model.process.tau
    longest = LONGEST if tau is None else round(LONGEST / tau) * tau
    t = time_for_theorem(model, initial, longest)
    assert t is not None
    program = compile_program(model, t, initial=initial, labels=labels)
    a = program.arrays
    exact = model.trajectory_statistics(t, initial, opening=a["initial_kets"], closing=a["final_kets"])
    average = exact.exponential_average
    assert average.variance <= MOST_VARIANCE
    assert average.mean == pytest.approx(average.reversed_value, abs=ROUNDING)
    ensemble = run_program(program, NTRAJ, SEED)
    assert np.all(ensemble.status == 0)
    weights = np.exp(-ensemble.entropy_production)
    error = math.sqrt(max(average.variance, 0.0) / NTRAJ + ROUNDING**2)
    row.z_scores([(weights.mean() - average.reversed_value) / error], LIMIT)
    return ensemble, exact


def check_infinities(ensemble: Any, exact: Any, model: Any) -> int:
    """Σ is infinite on the trajectories with an exchange that has no reverse, and on no other."""
    endless = np.isinf(model.process.counts.entropy)
    had_one = (np.asarray(ensemble.counts)[:, endless] > 0).any(axis=1)
    assert np.array_equal(np.isposinf(ensemble.entropy_production), had_one)
    assert not np.isnan(ensemble.entropy_production).any()
    mean = exact.mean("entropy_production")
    assert math.isinf(mean) == bool(had_one.any())
    return int(had_one.any())


def test_every_machine_is_here() -> None:
    assert {machine for machine, _ in CASES.values()} == set(registry())


@pytest.mark.parametrize("case", CASES)
def test_integral_theorem(court: Any, case: str) -> None:
    model = model_of(case)
    picture = "jumps" if model.process.tau is None else "collisions"
    irreversible = 0
    for name, initial in starts_of(case).items():
        for labels in LABELS if model.process.tau is not None else ("all",):
            seen = "" if labels == "all" else f", labels {labels!r}"
            kind = "pure start, against the reversed process" if name == "pure" else "start of full rank"
            with court(f"fluctuation theorem, {picture}{seen}, {kind}: {CASES[case][0]}") as row:
                irreversible += check_infinities(*judged(model, initial, row, labels), model)
    if case in {"rectifier, T_R = 0", "xy chain, T_R = 0", "tavis-cummings"}:
        assert irreversible


def test_a_wrong_temperature_is_seen(court: Any) -> None:
    """Planted: the entropy of the heat from the right bath is 10 % too large."""
    with court("planted: a bath's entropy 10 % too large in Σ") as row:
        model, t = model_of("rectifier"), 40.0
        exact = model.trajectory_statistics(t).exponential_average
        assert exact.variance <= MOST_VARIANCE
        ensemble = run_program(compile_program(model, t), NTRAJ, SEED)
        wrong = ensemble.entropy_production - 0.1 * ensemble.heat["R"] / HOT["T_R"]
        error = math.sqrt(exact.variance / NTRAJ)
        assert abs(np.exp(-ensemble.entropy_production).mean() - 1.0) < LIMIT * error
        assert abs(np.exp(-wrong).mean() - 1.0) > LIMIT * error
        row.checks(1)
