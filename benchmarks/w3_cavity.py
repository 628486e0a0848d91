"""W3: quantum jumps of a driven qubit in a driven, leaky cavity, 64 levels, five channels, nothing conserved.

H = D n_c + g (a s^+ + h.c.) + W (s + s^+) + E (a + a^+), 2 x 32 levels; photons leave at kappa (1 + n) and enter at
kappa n, the qubit emits, absorbs and loses its phase.  About 145 jumps a trajectory, all times and channels known on
every side.  Peers: QuTiP by ``vern7`` (``diag`` is not to be trusted here: the eigenvectors of H_eff are nearly
parallel; it is run all the same and judged like everybody) and dynamiqs with ``Event`` and Newton.

Processor time on one core, rounds alternate, medians of ratios; ours includes program and tables.  A timing is void
unless the mean count of every channel is that of the integrated master equation within 4.5 standard errors.

    python benchmarks/w3_cavity.py
"""

import argparse
import math
from pathlib import Path
import sys
from typing import Any

from jump_peers import PEERS, dynamiqs_player, dynamiqs_worker, mean_counts, qutip_counts
import numpy as np
import scipy.sparse as sp
from w2_chain import race

HERE = Path(__file__).resolve().parent
LEVELS, END = 32, 47.0
DETUNING, G, QUBIT_DRIVE, CAVITY_DRIVE = 0.3, 0.8, 0.5, 0.9
KAPPA, THERMAL, DOWN, UP, DEPHASING = 0.8, 0.1, 0.3, 0.1, 0.2


def matrices() -> Any:
    """(H, ops, ket, end)."""
    a = np.kron(np.eye(2), np.diag(np.sqrt(np.arange(1, LEVELS)), 1)).astype(complex)
    s = np.kron(np.array([[0, 1], [0, 0]]), np.eye(LEVELS)).astype(complex)
    up, number = s.conj().T, a.conj().T @ a
    H = DETUNING * number + G * (a @ up + a.conj().T @ s) + QUBIT_DRIVE * (s + up) + CAVITY_DRIVE * (a + a.conj().T)
    rates = (KAPPA * (1 + THERMAL), KAPPA * THERMAL, DOWN, UP, DEPHASING)
    ops = [
        math.sqrt(r) * op for r, op in zip(rates, (a, a.conj().T, s, up, 2 * up @ s - np.eye(2 * LEVELS)), strict=True)
    ]
    ket = np.zeros(2 * LEVELS, complex)
    ket[0] = 1.0
    return H, ops, ket, END


def model_of(system: Any) -> Any:
    """The same for collide; the quanta are those of a cavity and a qubit at frequency one."""
    import collide

    H, ops, _, _ = system
    baths, quanta = ("cavity", "cavity", "qubit", "qubit", "phase"), (-1.0, 1.0, -1.0, 1.0, 0.0)
    channels = [
        collide.Channel(op, 1.0, q, bath, "irreversible", charge=k + 1)
        for k, (op, q, bath) in enumerate(zip(ops, quanta, baths, strict=True))
    ]
    return collide.LindbladModel(H, channels)


def program_of(model: Any, ket: np.ndarray) -> Any:
    """What ours makes of a model that is there."""
    from collide.program import compile_program

    closing = ("product", [1 / (2 * LEVELS)] * (2 * LEVELS))  # nobody computes the exact final state
    return compile_program(model, END, initial=ket, closing=closing, keep=("totals", "jumps"))


def our_round(model: Any, ket: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Counts (n, 5): program, tables and records."""
    from collide.program import run_chunk

    return np.asarray(run_chunk(program_of(model, ket), seed, 0, n).columns["counts"])


def main() -> None:
    """Print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ntraj", type=int, default=1000)
    parser.add_argument("--few", type=int, default=40, help="trajectories of the peers")
    parser.add_argument("--dynamiqs-ntraj", type=int, default=20, help="0 leaves dynamiqs out")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "w3_cavity")
    parser.add_argument("--dynamiqs", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    system = matrices()
    if options.dynamiqs:
        dynamiqs_worker(system, int(options.dynamiqs[1]), int(options.dynamiqs[2]))
        return
    from measure import LIMIT, pinned, save, timed

    pinned()
    model, ket, n, few = model_of(system), system[2], options.ntraj, options.few
    truth = {0.0: mean_counts(system)}
    sparse = (sp.csr_matrix(system[0]), [sp.csr_matrix(op) for op in system[1]], *system[2:])  # faster there
    players: dict[str, Any] = {
        "collide": (n, 0.0, lambda s: timed(our_round, model, ket, n, s)),
        "collide, 20 trajectories": (20, 0.0, lambda s: timed(our_round, model, ket, 20, s)),
        "QuTiP vern7": (few, 0.0, lambda s: timed(qutip_counts, sparse, few, s, "vern7")),
        "QuTiP diag": (few, 0.0, lambda s: timed(qutip_counts, system, few, s, "diag")),
    }
    if options.dynamiqs_ntraj and (PEERS / "bin" / "python").exists():
        count = options.dynamiqs_ntraj
        players["dynamiqs"] = (count, 0.0, dynamiqs_player(__file__, "-", count, 400))
    elif options.dynamiqs_ntraj:
        print("dynamiqs is left out: `make bench` makes an environment for it", file=sys.stderr)
    our_round(model, ket, 16, 0)
    rows = race(players, truth, options.rounds, LIMIT, {"collide": program_of(model, ket)})
    condition = np.linalg.cond(np.linalg.eig(system[0] - 0.5j * sum(op.conj().T @ op for op in system[1]))[1])
    save(
        options.out,
        f"W3: driven qubit and cavity; condition of the eigenvectors of H_eff {condition:.1g}",
        {"64 levels": rows},
    )


if __name__ == "__main__":
    main()
