"""Collisions with every label drawn, one core: the plain kernel beside NumPy vectorised over trajectories.

Both sides run the two-qubit machine with thermal qubit ancillas and must give the exact mean heat within 4.5 standard
errors, or their timing is void.  Rounds alternate; medians are compared.  Also measures the memory of a million
trajectories.
"""

import argparse
import math
from pathlib import Path
import statistics
import subprocess
import sys
import time
from typing import Any

from measure import save
import numpy as np

from collide.exact.process import Instrument, Unitary, embed
from collide.machines import rectifier
from collide.program import compile_program, run_chunk

POINT: dict[str, Any] = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}
TAU, PERIODS, LIMIT = 0.5, 200, 4.5


def numpy_loop(model: Any, rng: np.random.Generator, n: int) -> np.ndarray:
    """Heat from L of n trajectories, all advanced together, as one writes it in NumPy."""
    kets = compile_program(model, TAU).arrays
    psi = kets["initial_kets"][rng.choice(len(kets["initial_p"]), size=n, p=kets["initial_p"])]
    heat = np.zeros(n)
    steps: list[tuple[Any, Any, Any]] = []
    for element in model.process.elements:
        if isinstance(element, Unitary):
            steps.append((element.matrix.toarray().T, None, None))
            continue
        assert isinstance(element, Instrument)
        ops = np.array([embed(k, element.sites, model.process.dims).toarray() for k in element.kraus])
        weight = model.process.counts.heat_weight("L")
        gained = np.where(element.counts >= 0, weight[element.counts], 0.0).sum(axis=1)
        steps.append((None, ops, gained))
    for _ in range(PERIODS):
        for free, ops, gained in steps:
            if ops is None:
                psi = psi @ free
                continue
            branches = np.einsum("kab,nb->kna", ops, psi)
            p = (branches.real**2 + branches.imag**2).sum(axis=2).cumsum(axis=0)
            chosen = (rng.random(n) * p[-1] >= p).sum(axis=0).clip(0, len(ops) - 1)
            psi = branches[chosen, np.arange(n)]
            psi /= np.linalg.norm(psi, axis=1, keepdims=True)
            heat += gained[chosen]
    return heat


def check(name: str, heat: np.ndarray, model: Any) -> float:
    """z-score of the mean heat; a run that fails it is void."""
    mean, variance = model.heat_cumulants_at(PERIODS * TAU, "L", 2)
    z = float((heat.mean() - mean) / math.sqrt(variance / len(heat)))
    if abs(z) > LIMIT:
        raise SystemExit(f"{name}: mean heat is off by {z:.1f} standard errors, its timing is void")
    return z


def timed(function: Any) -> tuple[float, np.ndarray]:
    """Wall time and result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def peak_memory(ntraj: int) -> float:
    """Resident megabytes of a run of so many trajectories in a process of its own."""
    code = (
        "import collide, resource; from collide.machines import rectifier;"
        f"m = rectifier(picture='collision', tau=0.5, eps_L=-1, eps_R=-1, **{POINT!r});"
        f"collide.run(m, {ntraj}, 5.0, seed=1, progress=False);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ntraj", type=int, default=2000)
    parser.add_argument("--memory-ntraj", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "results" / "collisions_plain")
    options = parser.parse_args()
    model = rectifier(picture="collision", tau=TAU, eps_L=-1, eps_R=-1, **POINT)
    program = compile_program(model, TAU * PERIODS, labels="all")
    run_chunk(program, 0, 0, 10)  # load the kernel
    collisions = 2 * PERIODS
    theirs, ours = [], []
    for round_ in range(options.rounds):
        seconds, heat = timed(lambda r=round_: numpy_loop(model, np.random.default_rng(r), options.ntraj))
        check("NumPy", heat, model)
        theirs.append(seconds / options.ntraj / collisions)
        n = 20 * options.ntraj
        seconds, heat = timed(lambda r=round_, n=n: run_chunk(program, r, 0, n).columns["heat"][:, 0])
        check("collide", heat, model)
        ours.append(seconds / n / collisions)
    ratio = statistics.median(a / b for a, b in zip(theirs, ours, strict=True))
    memory = peak_memory(options.memory_ntraj)
    rows = [
        {"": "NumPy vectorised", "ns a collision": 1e9 * statistics.median(theirs), "ratio": ratio},
        {"": "collide", "ns a collision": 1e9 * statistics.median(ours), "ratio": 1.0},
    ]
    space = {"trajectories": options.memory_ntraj, "resident / MB": memory}
    save(options.out, "Collisions with every label drawn", {"Speed": rows, "Memory of an ensemble": [space]})


if __name__ == "__main__":
    main()
