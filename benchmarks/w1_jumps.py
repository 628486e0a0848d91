"""Quantum jumps of two qubits between two baths, one core: collide beside QuTiP's mcsolve and dynamiqs.

H = w/2 (sz1 + sz2) + g (s1^+ s2^- + h.c.) with w = 1, boson baths with gamma_L = 0.01, gamma_R = 0.02, T_L = 1 and
T_R = 0.1 on its ends, from the ground state to t = 50/gamma_L: all jump times and channels are known at the end, on
every side.  Peers: QuTiP ``mcsolve(method="diag")``, its fastest here; its default (adams), in the laboratory frame as
a user writes it; dynamiqs with ``Event`` and a Newton root finder, warm, in the rotating frame that suits it, in double
and in single precision, from an environment of its own, which `make bench` makes.

Everybody runs on one core and one thread, and is charged with processor time, which neighbours on a shared machine
lengthen less than the clock on the wall. Rounds alternate; a ratio is the median over rounds of the peer's time per
trajectory over ours in the same round, ours the mean over as many ensembles as fill a fifth of a second. Ratios are
to "compile and run": the model is there, as the peers' matrices are, and its tables, both measurements (with the
exact averaged state) and the records are made in every round. The row below starts from the parameters instead and
ends with an `Ensemble`; divide by its ratio for that comparison. A timing is void unless the mean count of every
channel agrees with the exact one within 4.5 standard errors.

    python benchmarks/w1_jumps.py
"""

import argparse
from collections.abc import Callable
from functools import partial
import math
from pathlib import Path
import statistics
import sys
from typing import Any

from jump_peers import PEERS, Peer, dynamiqs_worker, qutip_counts
from measure import LIMIT, pinned, save, timed
import numpy as np

HERE = Path(__file__).resolve().parent
OMEGA, GAMMA_L, GAMMA_R, T_L, T_R = 1.0, 0.01, 0.02, 1.0, 0.1
END = 50 / GAMMA_L
OURS = "collide: compile and run"
LONG = "collide: ten times as many"
SPAN = 0.2
"""Seconds of a round; whoever needs less for an ensemble makes several."""


def matrices(g: float, omega: float = OMEGA) -> tuple[np.ndarray, list[np.ndarray]]:
    """H and jump operators with rates inside, written out by hand: what the peers are given."""
    s = np.array([[0, 1], [0, 0]], dtype=complex)  # the ground state comes first
    first, second = np.kron(s, np.eye(2)), np.kron(np.eye(2), s)
    hop = first.conj().T @ second
    H = omega * (first.conj().T @ first + second.conj().T @ second - np.eye(4)) + g * (hop + hop.conj().T)
    ops = []
    for op, gamma, T in ((first, GAMMA_L, T_L), (second, GAMMA_R, T_R)):
        n = 1 / math.expm1(OMEGA / T)
        ops += [math.sqrt(gamma * (1 + n)) * op, math.sqrt(gamma * n) * op.conj().T]
    return H, ops


def exact(g: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each channel's count, from the Liouvillian alone.

    For a count N with J its jump superoperator, <N(N-1)> = 2 int_0^t int_0^u Tr J e^{L(u-v)} J rho(v) dv du: read off
    one exponential of a block matrix.
    """
    from scipy.linalg import expm

    H, ops = matrices(g)
    one = np.eye(4)
    jumps = [np.kron(op, op.conj()) for op in ops]
    L = -1j * (np.kron(H, one) - np.kron(one, H.T)) + sum(jumps)
    for op in ops:
        square = op.conj().T @ op
        L -= (np.kron(square, one) + np.kron(one, square.T)) / 2
    trace, start, zero = one.reshape(-1), np.zeros(16), np.zeros((16, 16))
    start[0] = 1.0
    means, variances = [], []
    for J in jumps:
        block = np.block([[L, zero, zero], [J, L, zero], [zero, J, L]])
        end = expm(block * END) @ np.concatenate([start, np.zeros(32)])
        mean, pairs = (trace @ end[16:32]).real, 2 * (trace @ end[32:]).real
        means.append(mean)
        variances.append(pairs + mean - mean**2)
    return np.array(means), np.array(variances)


def collide_model(g: float) -> tuple[Any, np.ndarray]:
    """Model and opening ket."""
    import collide

    space = collide.Space(collide.qubit(), collide.qubit())
    H = OMEGA / 2 * (space.sz(0) + space.sz(1)) + g * space.exchange(0, 1)
    left = collide.Bath("L", temperature=T_L, spectral_density=GAMMA_L)
    right = collide.Bath("R", temperature=T_R, spectral_density=GAMMA_R)
    channels = collide.local(space.s(0), OMEGA, left) + collide.local(space.s(1), OMEGA, right)
    return collide.LindbladModel(H, channels, dims=space), space.basis(0, 0)


def compile_and_run(given: tuple[Any, np.ndarray], ntraj: int, seed: int) -> np.ndarray:
    """Counts (ntraj, 4) of a model that knows nothing yet: program and records."""
    from collide.program import compile_program, run_chunk

    model, ket = given
    program = compile_program(model, END, initial=ket, keep=("totals", "jumps"))
    return np.asarray(run_chunk(program, seed, 0, ntraj).columns["counts"])


def whole_round(g: float, ntraj: int, seed: int) -> np.ndarray:
    """Counts (ntraj, 4), from parameters to an ensemble in memory."""
    import collide

    model, ket = collide_model(g)
    ens = collide.run(
        model, ntraj, END, seed=seed, initial=ket, keep=("totals", "jumps"), threads=1, progress=False
    )  # fmt: skip
    return np.asarray(ens.counts)


def lone(g: float, omega: float = OMEGA) -> tuple[np.ndarray, list[np.ndarray], np.ndarray, float]:
    """H, operators, opening ket and end, as the peers take them; omega = 0 is a frame that changes no jump."""
    return *matrices(g, omega), np.eye(4, dtype=complex)[0], END


def qutip_round(g: float, ntraj: int, seed: int, method: str) -> np.ndarray:
    """Counts (ntraj, 4) by mcsolve with its own tolerances."""
    return qutip_counts(lone(g), ntraj, seed, method)


def z_score(counts: np.ndarray, truth: tuple[np.ndarray, np.ndarray]) -> float:
    """Largest deviation of a mean count, in standard errors with the floor of one event."""
    n, (mean, variance) = len(counts), truth
    return float(np.max(np.abs(counts.mean(0) - mean) / np.sqrt(variance / n + 1 / n**2)))


def repeated(play: Callable[[int], tuple[float, np.ndarray]], seed: int) -> tuple[float, np.ndarray]:
    """Mean processor time of as many ensembles as fill `SPAN`, each with a model of its own, and all their counts.

    A round of ours lasts milliseconds between seconds of the peers', which have the caches to themselves by then.
    """
    seconds: list[float] = []
    counts: list[np.ndarray] = []
    while sum(seconds) < SPAN:
        spent, found = play(seed + 1000 * len(seconds))
        seconds.append(spent)
        counts.append(found)
    return statistics.mean(seconds), np.concatenate(counts)


def contestants(options: argparse.Namespace) -> dict[str, tuple[int, Any]]:
    """Name -> (trajectories a round, seed -> (seconds, counts)); whoever is missing is named and left out."""
    g, n = options.g, options.ntraj
    few = options.default_ntraj
    found: dict[str, tuple[int, Any]] = {
        OURS: (n, partial(repeated, lambda seed: timed(compile_and_run, collide_model(g), n, seed))),
        "collide: parameters to result": (n, partial(repeated, lambda seed: timed(whole_round, g, n, seed))),
        "collide: 20 trajectories": (
            20,
            partial(repeated, lambda seed: timed(compile_and_run, collide_model(g), 20, seed)),
        ),
        LONG: (
            10 * n,
            partial(repeated, lambda seed: timed(compile_and_run, collide_model(g), 10 * n, seed)),
        ),
        "QuTiP diag": (n, lambda seed: timed(qutip_round, g, n, seed, "diag")),
        "QuTiP diag, 20 trajectories": (20, lambda seed: timed(qutip_round, g, 20, seed, "diag")),
        "QuTiP default (adams)": (few, lambda seed: timed(qutip_round, g, few, seed, "adams")),
    }
    for precision in options.precisions:
        if not (PEERS / "bin" / "python").exists():
            print("dynamiqs is left out: `make bench` makes an environment for it", file=sys.stderr)
            break
        try:
            found[f"dynamiqs {precision}"] = (n, Peer(__file__, "--dynamiqs", f"{g},{precision}", n, 300).round)
        except (RuntimeError, OSError) as error:
            print(f"dynamiqs in {precision} precision is left out: {error}", file=sys.stderr)
    return found


def fraction_of_peak(g: float, seconds: float) -> float:
    """Share of the core's multiply-adds that our searches use, of a time per trajectory."""
    from operations import share_of_peak

    from collide.program import compile_program

    model, ket = collide_model(g)
    return share_of_peak(compile_program(model, END, initial=ket, keep=("totals", "jumps")), seconds)


def main() -> None:
    """Print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ntraj", type=int, default=1000)
    parser.add_argument("--default-ntraj", type=int, default=20, help="of QuTiP's default, which is slow")
    parser.add_argument("--g", type=float, default=0.05)
    parser.add_argument("--precisions", nargs="*", default=["double", "single"], help="of dynamiqs; none leaves it out")
    parser.add_argument("--dynamiqs", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "w1_jumps")
    options = parser.parse_args()
    if options.dynamiqs:
        (g, precision), (n, most) = options.dynamiqs[0].split(","), map(int, options.dynamiqs[1:])
        dynamiqs_worker(lone(float(g), omega=0.0), n, most, precision)
        return
    pinned()
    truth = exact(options.g)
    players = contestants(options)
    whole_round(options.g, 10, 0)  # kernels come from their cache
    qutip_round(options.g, 1, 0, "diag")
    seconds: dict[str, list[float]] = {name: [] for name in players}
    worst = dict.fromkeys(players, 0.0)
    for round_ in range(options.rounds):
        for name, (n, play) in players.items():
            spent, counts = play(round_ + 1)
            seconds[name].append(spent / n)
            worst[name] = max(worst[name], z_score(counts, truth))
    rows = [row_of(name, players[name][0], times, seconds, worst[name]) for name, times in seconds.items()]
    jumps = float(truth[0].sum())
    title = f"W1: two qubits, g = {options.g:g}, t = {END:g}, {jumps:.1f} jumps a trajectory, {options.rounds} rounds"
    long = statistics.median(seconds[LONG])
    share = {"us a trajectory": 1e6 * long, "share of the core's peak": fraction_of_peak(options.g, long)}
    save(options.out, title, {"Beside peers": rows, f"Ours, {LONG.removeprefix('collide: ')}": [share]})


def row_of(name: str, n: int, times: list[float], everybody: dict[str, list[float]], z: float) -> dict[str, Any]:
    """One row of the table; void where the physics is off."""
    ratios = sorted(a / b for a, b in zip(times, everybody[OURS], strict=True))
    row: dict[str, Any] = {"": name, "trajectories": n, "us each": 1e6 * statistics.median(times)}
    row |= {"ratio": statistics.median(ratios), "from": ratios[0], "to": ratios[-1], "max |z|": z}
    return row | {"verdict": "ok" if z <= LIMIT else "VOID: the physics is off"}


if __name__ == "__main__":
    main()
