"""How the time of an ensemble grows: with trajectories, with jumps, and how it falls with a second thread.

Threads are timed by the clock on the wall, so a machine with neighbours shows less than it can; everything else is
processor time.  One ensemble is run with one and with two threads in turn, and the two must have the same bits.
Per-trajectory costs are to be read down a column: flat is linear.  The mean heat of every run must agree with the exact
one within 4.5 standard errors, or its row is void.

    python benchmarks/scaling.py --largest 10000000
"""

import argparse
import math
from pathlib import Path
import statistics
import time
from typing import Any

from measure import THREADS, peak_memory, save, z_of_mean
import numpy as np

from collide.ensemble import run_program
from collide.machines import rectifier
from collide.program import Program, compile_program

W1: dict[str, Any] = {"g": 0.05, "gamma_L": 0.01, "gamma_R": 0.02, "T_L": 1.0, "T_R": 0.1, "eps_a": -1}
W4: dict[str, Any] = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3, "eps_L": -1, "eps_R": -1}
HERE = Path(__file__).resolve().parent


def w1(end: float = 5000.0) -> tuple[Any, Program]:
    """Two qubits between boson baths."""
    model = rectifier(**W1)
    return model, compile_program(model, end)


def w4(labels: str = "heat", periods: int = 5000) -> tuple[Any, Program]:
    """Two qubits hit by thermal qubits at both ends, 10^4 collisions."""
    model = rectifier(picture="collision", tau=0.5, **W4)
    return model, compile_program(model, 0.5 * periods, labels=labels)


def w3() -> Program:
    """The driven cavity, from its ground state."""
    from w3_cavity import END, LEVELS, matrices, model_of

    system = matrices()
    uniform = ("product", [1 / (2 * LEVELS)] * (2 * LEVELS))
    return compile_program(model_of(system), END, initial=system[2], closing=uniform)


def threads(program: Program, ntraj: int, rounds: int) -> dict[str, Any]:
    """Seconds on the wall with one and with two threads, in turn."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    heat = []
    for round_ in range(rounds + 1):
        for n in seconds:
            began = time.perf_counter()
            ensemble = run_program(program, ntraj, 1, threads=n, progress=False, chunk_size=ntraj // 32)
            if round_:  # the first one loads kernels and makes tables
                seconds[n].append(time.perf_counter() - began)
            heat.append(np.column_stack(list(ensemble.heat.values())))
    assert all(np.array_equal(heat[0], other) for other in heat), "another number of threads gave other bits"
    ratios = [a / b for a, b in zip(seconds[1], seconds[2], strict=True)]
    return {
        "ntraj": ntraj,
        "1 thread / s": statistics.median(seconds[1]),
        "2 threads / s": statistics.median(seconds[2]),
        "ratio": statistics.median(ratios),
        "from": min(ratios),
        "to": max(ratios),
    }


def cost(model: Any, program: Program, ntraj: int) -> dict[str, Any]:
    """Processor time of an ensemble without a file, and whether its mean heat is right."""
    began = time.process_time()
    ensemble = run_program(program, ntraj, 1, threads=1, progress=False)
    seconds = time.process_time() - began
    bath = next(iter(ensemble.heat))
    mean, variance = model.heat_cumulants_at(program.tlist[-1], bath, 2)
    return {
        "ntraj": ntraj,
        "seconds": seconds,
        "us a trajectory": 1e6 * seconds / ntraj,
        "resident / MB": peak_memory(),
        "z of the heat": z_of_mean(np.asarray(ensemble.heat[bath]), mean, variance),
        "exchanges": float(np.asarray(ensemble.counts).sum(axis=1).mean()),
    }


def powers_of_ten(first: int, largest: int) -> list[int]:
    """first, 10 first, ..., largest."""
    return [first * 10**k for k in range(int(math.log10(largest / first) + 1e-9) + 1)]


def in_trajectories(model: Any, program: Program, largest: int) -> list[dict[str, Any]]:
    """Rows of 10^3 to `largest` trajectories."""
    run_program(program, 1000, 0, threads=1, progress=False)
    return [cost(model, program, n) for n in powers_of_ten(1000, largest)]


def in_jumps(ntraj: int, longest: float) -> list[dict[str, Any]]:
    """Rows of trajectories of about 10, 100, ... jumps."""
    rows = []
    for end in [1e3 * 10**k for k in range(int(math.log10(longest / 1e3) + 1e-9) + 1)]:
        model, program = w1(end)
        run_program(program, 64, 0, threads=1, progress=False)
        row = cost(model, program, ntraj)
        row["ns a jump"] = 1e3 * row["us a trajectory"] / row["exchanges"]
        rows.append({"t": end} | row)
    return rows


def main() -> None:
    """Print the tables and save them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--largest", type=int, default=10_000_000, help="number of trajectories of the longest row")
    parser.add_argument("--longest", type=float, default=1e7, help="time of the longest trajectories")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "scaling")
    options = parser.parse_args()
    parties = {
        "W1": (w1()[1], 262_144),
        "W3": (w3(), 4096),
        "W4a": (w4()[1], 262_144),
        "W4b": (w4("all")[1], 65_536),
    }
    tables = {
        "Threads": [{"workload": name} | threads(*party, options.rounds) for name, party in parties.items()],
        "W1 in trajectories": in_trajectories(*w1(), options.largest),
        "W4a in trajectories": in_trajectories(*w4(), max(options.largest // 10, 1000)),
        "W1 in jumps, 1000 trajectories": in_jumps(1000, options.longest),
    }
    save(options.out, __doc__.splitlines()[0], tables)


if __name__ == "__main__":
    assert THREADS  # set before NumPy loads a BLAS
    main()
