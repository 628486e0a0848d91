"""W2: quantum jumps of XX chains of six and ten qubits between local baths, beside QuTiP and dynamiqs.

The ends are those of W1 (gamma 0.01 and 0.02, temperatures 1 and 0.1), from the ground state to t = 5000: about fifty
jumps a trajectory, all times and channels known on every side.  Peers get the rotating frame, which changes no jump.
QuTiP by ``diag`` (diagonalised H_eff, its fastest where it can) and ``vern7``; dynamiqs with ``Event`` and Newton.

Ours uses sectors of conserved excitations, which no peer does.  The rows "no sectors" do without: for six qubits the
closing basis mixes all of them, for ten the opening ket does; all 64, or 1024, states then take part, and ours, whose H
is also the energy that is measured, stays in the laboratory frame, where it needs sixteen times as many products.

Processor time on one core, rounds alternate, medians of ratios; ours includes program and tables.  A timing is void
unless the mean count of every channel is the exact one within 4.5 standard errors.

    python benchmarks/w2_chain.py --sites 6 10
"""

import argparse
import math
from pathlib import Path
import statistics
import sys
from typing import Any

from jump_peers import PEERS, chain_counts, dynamiqs_player, dynamiqs_worker, qutip_counts
import numpy as np
import scipy.sparse as sp

HERE = Path(__file__).resolve().parent
NO_SECTORS = "collide, no sectors"
GAMMAS, TEMPERATURES, END = (0.01, 0.02), (1.0, 0.1), 5000.0
NOWHERE = ("product", [0.5, 0.5])  # peers do not compute the exact final state, so it is not asked of ours


def rates() -> tuple[tuple[float, float], tuple[float, float]]:
    """(down, up) at both ends."""
    n = [1 / math.expm1(1 / T) for T in TEMPERATURES]
    first, last = [(gamma * (1 + k), gamma * k) for gamma, k in zip(GAMMAS, n, strict=True)]
    return first, last


def tilted(sites: int, angle: float) -> np.ndarray:
    """Product ket with all numbers of excitations."""
    ket = np.ones(1, complex)
    for _ in range(sites):
        ket = np.kron(ket, [math.cos(angle), math.sin(angle)])
    return ket


def matrices(sites: int, g: float, angle: float = 0.0) -> Any:
    """(H, ops, ket, end) in the rotating frame, for the peers."""
    s = sp.csr_matrix(np.array([[0, 1], [0, 0]], dtype=complex))
    lower = [sp.kron(sp.kron(sp.identity(2**j), s), sp.identity(2 ** (sites - 1 - j))).tocsr() for j in range(sites)]
    hops = [lower[j].conj().T @ lower[j + 1] for j in range(sites - 1)]
    H = g * sum(hop + hop.conj().T for hop in hops)
    ops = []
    for op, (down, up) in zip((lower[0], lower[-1]), rates(), strict=True):
        ops += [math.sqrt(down) * op, math.sqrt(up) * op.conj().T.tocsr()]
    return H, ops, tilted(sites, angle), END


def correlations(sites: int, angle: float) -> np.ndarray:
    """<c_j^+ c_k> of the fermions in a tilted product ket."""
    between = np.abs(np.subtract.outer(np.arange(sites), np.arange(sites)))
    overlap = (math.sin(angle) * math.cos(angle)) ** 2 * math.cos(2 * angle) ** np.maximum(between - 1, 0)
    return np.where(between == 0, math.sin(angle) ** 2, overlap)


def model_of(sites: int, g: float) -> Any:
    """The same for collide."""
    import collide

    space = collide.Space(*[collide.qubit()] * sites)
    H = sum(space.number(j) for j in range(sites)) + g * sum(space.exchange(j, j + 1) for j in range(sites - 1))
    channels = []
    for site, name, gamma, T in zip((0, sites - 1), "LR", GAMMAS, TEMPERATURES, strict=True):
        channels += collide.local(space.s(site), 1.0, collide.Bath(name, temperature=T, spectral_density=gamma))
    return collide.LindbladModel(H, channels, dims=space)


def program_of(model: Any, ket: np.ndarray, closing: Any) -> Any:
    """What ours makes of a model that is there."""
    from collide.program import compile_program

    return compile_program(model, END, initial=ket, closing=closing, keep=("totals", "jumps"))


def our_round(model: Any, ket: np.ndarray, closing: Any, n: int, seed: int) -> np.ndarray:
    """Counts (n, 4): program, tables and records."""
    from collide.program import run_chunk

    return np.asarray(run_chunk(program_of(model, ket, closing), seed, 0, n).columns["counts"])


def z_score(counts: np.ndarray, mean: np.ndarray) -> float:
    """Largest deviation of a mean count in its own standard errors, with the floor of one event."""
    n = len(counts)
    variance = np.maximum(counts.var(axis=0), mean)  # few trajectories may all be alike
    return float(np.max(np.abs(counts.mean(0) - mean) / np.sqrt(variance / n + 1 / n**2)))


def compare(sites: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of one table."""
    from measure import LIMIT, timed

    g, n = options.g, options.ntraj
    model, system = model_of(sites, g), matrices(sites, g)
    ground, small = system[2], sites <= 6
    if small:  # QuTiP diagonalises dense matrices, and is faster with them
        system = (system[0].toarray(), [op.toarray() for op in system[1]], *system[2:])
    angle, few = 0.0 if small else 0.3, options.few if small else max(options.few // 10, 2)
    mixing = tilted_basis(sites) if small else NOWHERE
    truth = {a: chain_counts(g, rates(), correlations(sites, a), END) for a in {0.0, angle}}
    blurred, fewer = tilted(sites, angle), n if small else max(n // 10, 16)
    players: dict[str, Any] = {
        "collide": (n, 0.0, lambda s: timed(our_round, model, ground, NOWHERE, n, s)),
        "collide, 20 trajectories": (20, 0.0, lambda s: timed(our_round, model, ground, NOWHERE, 20, s)),
        NO_SECTORS: (fewer, angle, lambda s: timed(our_round, model, blurred, mixing, fewer, s)),
    }
    if small:
        players["QuTiP diag"] = (few, 0.0, lambda s: timed(qutip_counts, system, few, s, "diag"))
    slow = max(few // 4, 2)
    players["QuTiP vern7"] = (slow, 0.0, lambda s: timed(qutip_counts, system, slow, s, "vern7"))
    if options.dynamiqs_ntraj and (PEERS / "bin" / "python").exists():
        count = options.dynamiqs_ntraj if small else max(options.dynamiqs_ntraj // 10, 2)
        players["dynamiqs"] = (count, 0.0, dynamiqs_player(__file__, f"{sites},{g}", count, 300))
    elif options.dynamiqs_ntraj:
        print("dynamiqs is left out: `make bench` makes an environment for it", file=sys.stderr)
    our_round(model, ground, NOWHERE, 16, 0)
    our_round(model, blurred, mixing, 16, 0)
    programs = {"collide": program_of(model, ground, NOWHERE), NO_SECTORS: program_of(model, blurred, mixing)}
    return race(players, truth, options.rounds, LIMIT, programs)


def tilted_basis(sites: int) -> np.ndarray:
    """Unitary whose columns mix all basis states."""
    basis: Any = np.ones((1, 1))
    for _ in range(sites):
        basis = np.kron(basis, np.array([[1, 1], [1, -1]]) / math.sqrt(2))
    return basis


def race(
    players: dict[str, Any], truth: dict[float, np.ndarray], rounds: int, limit: float, programs: dict[str, Any]
) -> list[dict[str, Any]]:
    """Alternating rounds; a peer that fails is shown as such, and how close those with `programs` come to the peak."""
    from operations import share_of_peak

    seconds: dict[str, list[float]] = {name: [] for name in players}
    counts: dict[str, list[np.ndarray]] = {name: [] for name in players}
    failed: dict[str, str] = {}
    for round_ in range(rounds):
        for name, (n, _, play) in players.items():
            if name in failed:
                continue
            try:
                spent, found = play(round_ + 1)
            except Exception as error:  # whatever a peer raises is its result
                failed[name] = f"failed: {type(error).__name__}: {str(error)[:60]}"
                continue
            seconds[name].append(spent / n)
            counts[name].append(found)
    rows = []
    for name, (n, key, _) in players.items():
        row: dict[str, Any] = {"": name, "trajectories": n}
        if name in failed:
            rows.append(row | {"verdict": failed[name]})
            continue
        together = np.concatenate(counts[name])
        z = z_score(together, truth[key])
        row |= {"us each": 1e6 * statistics.median(seconds[name]), "jumps each": float(together.sum(1).mean())}
        for ours in [other for other in players if other.startswith("collide")]:
            row[f"over {ours}"] = statistics.median(a / b for a, b in zip(seconds[name], seconds[ours], strict=True))
        seen = programs.get(name)
        row["share of the core's peak"] = share_of_peak(seen, row["us each"] / 1e6) if seen else ""
        rows.append(row | {"max |z|": z, "verdict": "ok" if z <= limit else "VOID: the physics is off"})
    return rows


def main() -> None:
    """Print tables and save them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, nargs="*", default=[6, 10])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ntraj", type=int, default=1000)
    parser.add_argument("--few", type=int, default=200, help="trajectories of the peers; a tenth of it for ten qubits")
    parser.add_argument("--dynamiqs-ntraj", type=int, default=20, help="0 leaves it out; more together are slower")
    parser.add_argument("--g", type=float, default=0.05)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "w2_chain")
    parser.add_argument("--dynamiqs", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.dynamiqs:
        sites, g = options.dynamiqs[0].split(",")
        dynamiqs_worker(matrices(int(sites), float(g)), int(options.dynamiqs[1]), int(options.dynamiqs[2]))
        return
    from measure import pinned, save

    pinned()
    tables = {f"{sites} qubits, g = {options.g:g}, t = {END:g}": compare(sites, options) for sites in options.sites}
    save(options.out, "W2: jumps of XX chains", tables)


if __name__ == "__main__":
    main()
