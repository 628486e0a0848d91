"""The current of a long chain does not depend on its length: shown by quantum jumps where no density matrix fits.

An XX chain of N resonant qubits between a hot and a cold bath of oscillators carries the heat current of two sites
(Santiago-García et al. 2024, Eq. 19).  At N = 12 its density matrix has 16.8 million elements and a Liouvillian
2.8e14; a trajectory is a state of at most 924 amplitudes.  Trajectories open in the product of the sites' steady
populations, so that little is left to relax, and heat is counted from a time on at which that too is gone.

Prints the current at each length with its distance from Eq. 19 in standard errors, the processor time per jump and the
memory of the process; exit status 1 if a length disagrees.

    python runs/long_chain.py --sites 4 6 8 10 12 14
"""

import argparse
import json
import math
import os
from pathlib import Path
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

import collide
from collide.machines import rectifier
from collide.machines.rectifier_formulas import current
from collide.machines.rectifier_moments import chain_moments, relaxation_time
from collide.program import compile_program, run_chunk

LIMIT = 4.5  # standard errors
POINT: dict[str, Any] = {"g": 0.5, "gamma_L": 0.4, "gamma_R": 0.8, "T_L": 1.0, "T_R": 0.3}
LIFETIMES = 4  # relaxation times before heat is counted


def ends(sites: int) -> dict[int, list[Any]]:
    """The baths and the sites they touch."""
    return {
        0: [collide.Bath("L", temperature=POINT["T_L"], spectral_density=POINT["gamma_L"])],
        sites - 1: [collide.Bath("R", temperature=POINT["T_R"], spectral_density=POINT["gamma_R"])],
    }


def sampled(sites: int, ntraj: int, span: float, seed: int) -> dict[str, Any]:
    """One length: current over `span` after the transient, cost and memory."""
    began = time.process_time()
    model: Any = rectifier(N=sites, **POINT)
    moments = chain_moments(sites, 1.0, POINT["g"], -1, ends(sites))
    wait = LIFETIMES * relaxation_time(sites, 1.0, POINT["g"], -1, ends(sites))
    populations = [[1 - p, p] for p in moments.occupations]
    program = compile_program(
        model, [wait, wait + span], initial=("product", populations), closing=("product", [0.5, 0.5]), keep=("jumps",)
    )
    made = time.process_time() - began
    run_chunk(program, seed, 0, 16)  # kernels come from their cache, tables are made
    began = time.process_time()
    chunk = run_chunk(program, seed, 0, ntraj)
    seconds = time.process_time() - began
    counted = chunk.ragged["jump_time"] > wait
    trajectory = np.repeat(np.arange(ntraj), chunk.ragged["row_size"])[counted]
    kind = program.arrays["count"][chunk.ragged["jump_channel"][counted]]
    heats = []
    for bath in range(2):
        gained = np.where(kind[:, bath] >= 0, program.arrays["count_quantum"][kind[:, bath]], 0.0)
        heats.append(np.bincount(trajectory, gained, ntraj) / span)
    through = (heats[0] - heats[1]) / 2  # what enters at L and what leaves at R: their mean has the smaller variance
    return {
        "N": sites,
        "largest sector": int(program.arrays["size"].max()),
        "trajectories": ntraj,
        "current": float(through.mean()),
        "error": float(through.std(ddof=1) / math.sqrt(ntraj)),
        "model and program, s": made,
        "us per jump": 1e6 * seconds / len(chunk.ragged["jump_time"]),
        "memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main(argv: list[str] | None = None) -> int:
    """Print the table; 0 if every length agrees with Eq. 19."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, nargs="+", default=[4, 6, 8, 10, 12])
    parser.add_argument("--ntraj", type=int, default=2000)
    parser.add_argument("--span", type=float, default=100.0, help="time over which heat is counted")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="JSON file for the table")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.one:
        print(json.dumps(sampled(options.one, options.ntraj, options.span, options.seed)))
        return 0
    # Eq. 19 counts what both ends exchange, twice the heat that passes
    expected = current(N=2, omega=1.0, **POINT) / 2
    print(f"XX chains, {POINT}; heat current of two sites, Eq. 19: {expected:.6f}\n")
    rows = []
    for sites in options.sites:
        row = in_its_own_process(sites, options)
        row["z"] = (row["current"] - expected) / row["error"]
        rows.append(row)
        if len(rows) == 1:
            print("  ".join(f"{name:>20s}" for name in row))
        print("  ".join(f"{value:20.6g}" for value in row.values()), flush=True)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n")
    agrees = all(abs(row["z"]) < LIMIT for row in rows)
    print(f"\nVerdict: {'the current does not depend on N' if agrees else 'SOMETHING DISAGREES'}")
    return 0 if agrees else 1


def in_its_own_process(sites: int, options: argparse.Namespace) -> dict[str, Any]:
    """`sampled` where the largest resident memory is that of one length alone."""
    command = [sys.executable, __file__, "--one", str(sites), "--ntraj", str(options.ntraj)]
    command += ["--span", str(options.span), "--seed", str(options.seed)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
    row: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return row


if __name__ == "__main__":
    sys.exit(main())
