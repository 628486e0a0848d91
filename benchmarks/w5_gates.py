"""W5: collisions on an XX chain of eight qubits, gates between neighbours, thermal qubit ancillas at both ends.

Beside NumPy, vectorised over trajectories, and JAX (scan over periods, compiled, double precision, from the peers'
environment).  NumPy once with products of 4 x 4 gates, as a user writes them, and once turning pairs of amplitudes in
place in the rotating frame, which only an XX chain allows (ours finds that out from the gates), as JAX does.

Peers draw every label; ours with ``labels="heat"`` leaves null labels unread, so that like for like is
``labels="all"``.  A sector of conserved excitations, at most 70 of the 256 states, is used by ours alone: the row
"no sectors" opens in a superposition of all numbers, and all 256 states take part.

Everybody is charged with processor time on one core, rounds alternate, a ratio is the median over rounds.  Ours
includes what is made of the model: program, exact final state, tables.  A timing is void unless the mean heats agree
with the exact ones within 4.5 standard errors.

    python benchmarks/w5_gates.py --chain      # also N = 6 ... 12 by ours alone
"""

import argparse
import json
import math
from pathlib import Path
import statistics
import subprocess
import sys
from typing import Any

from jump_peers import PEERS, Peer
import numpy as np

HERE = Path(__file__).resolve().parent
N, TAU, G, RATES, TEMPERATURES = 8, 0.5, 0.05, (0.04, 0.08), (1.0, 0.3)
SEED_PEERS = 10_000


def populations() -> list[float]:
    """Of the upper level of both ancillas."""
    return [1 / (math.exp(1 / T) + 1) for T in TEMPERATURES]


def layers(sites: int) -> list[tuple[float, list[int]]]:
    """(duration, bonds) of the gates of a period."""
    odd, even = list(range(1, sites - 1, 2)), list(range(0, sites - 1, 2))
    return [(TAU / 2, odd), (TAU, even), (TAU / 2, odd)]


def numpy_round(n: int, periods: int, seed: int) -> np.ndarray:
    """Heats (n, 2) by NumPy, every label drawn."""
    rng = np.random.default_rng(seed)
    psi = np.zeros((n, 2**N), complex)
    psi[:, 0] = 1.0
    heat, trajectories = np.zeros((n, 2)), np.arange(n)
    angles = [math.sqrt(rate * TAU) for rate in RATES]
    for _ in range(periods):
        for duration, bonds in layers(N):
            c, s = math.cos(G * duration), -1j * math.sin(G * duration)
            for j in bonds:
                view = psi.reshape(n * 2**j, 2, 2, 2 ** (N - 2 - j))
                up, down = view[:, 0, 1], view[:, 1, 0]
                up, down = c * up + s * down, s * up + c * down
                view[:, 0, 1], view[:, 1, 0] = up, down
        for bath, (site, angle, p) in enumerate(zip((0, N - 1), angles, populations(), strict=True)):
            view = psi.reshape(n, 2**site, 2, 2 ** (N - 1 - site))
            excited = rng.random(n) < p  # the ancilla's first level
            other = view[trajectories, :, np.where(excited, 0, 1)]
            weight = (other.real**2 + other.imag**2).sum(axis=(1, 2))
            flips = rng.random(n) < math.sin(angle) ** 2 * weight
            other *= np.where(flips, -1j * math.sin(angle), math.cos(angle))[:, None, None]
            stays = view[trajectories, :, np.where(excited, 1, 0)]
            view[trajectories, :, np.where(excited, 1, 0)] = np.where(flips[:, None, None], other, stays)
            view[trajectories, :, np.where(excited, 0, 1)] = np.where(flips[:, None, None], 0.0, other)
            psi /= np.sqrt((psi.real**2 + psi.imag**2).sum(axis=1))[:, None]
            heat[:, bath] += np.where(flips, np.where(excited, 1.0, -1.0), 0.0)
    return heat


def dense_round(n: int, periods: int, seed: int) -> np.ndarray:
    """Heats (n, 2) by NumPy with 4 x 4 gates, whatever they are, and Kraus operators gathered by label."""
    rng = np.random.default_rng(seed)
    psi = np.zeros((n, 2**N), complex)
    psi[:, 0] = 1.0
    heat = np.zeros((n, 2))
    gates = {}
    for duration in (TAU / 2, TAU):
        gates[duration] = np.eye(4, dtype=complex)
        c, s = math.cos(G * duration), -1j * math.sin(G * duration)
        gates[duration][1:3, 1:3] = [[c, s], [s, c]]
    kraus = []
    for rate in RATES:
        c, s = math.cos(math.sqrt(rate * TAU)), -1j * math.sin(math.sqrt(rate * TAU))
        diagonal = [np.diag([1, c]), np.diag([c, 1])]
        flip = [np.array([[0, s], [0, 0]]), np.array([[0, 0], [s, 0]])]
        kraus.append(np.array([*diagonal, *flip], complex))  # 0 -> 0, 1 -> 1, 0 -> 1, 1 -> 0
    for _ in range(periods):
        for duration, bonds in layers(N):
            for j in bonds:
                psi = (gates[duration] @ psi.reshape(n * 2**j, 4, 2 ** (N - 2 - j))).reshape(n, -1)
        for bath, (site, p) in enumerate(zip((0, N - 1), populations(), strict=True)):
            first = (rng.random(n) < p).astype(int)
            view = psi.reshape(n, 2**site, 2, 2 ** (N - 1 - site))
            flipped = np.matmul(kraus[bath][2 + first][:, None], view)
            flips = rng.random(n) < (flipped.real**2 + flipped.imag**2).sum(axis=(1, 2, 3))
            psi = np.matmul(kraus[bath][np.where(flips, 2 + first, first)][:, None], view).reshape(n, -1)
            psi /= np.sqrt((psi.real**2 + psi.imag**2).sum(axis=1))[:, None]
            heat[:, bath] += np.where(flips, 2.0 * first - 1.0, 0.0)
    return heat


def jax_worker(n: int, periods: int) -> None:
    """What runs inside the peers' environment: compiles once, then runs a round for every seed it is told."""
    import time

    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    angles = [math.sqrt(rate * TAU) for rate in RATES]

    def collide(psi: Any, heat: Any, draws: Any, bath: int) -> Any:
        site, angle, p = (0, N - 1)[bath], angles[bath], populations()[bath]
        view = psi.reshape(2**site, 2, -1)
        excited = draws[0] < p
        other, stays = (jnp.where(excited, view[:, a], view[:, b]) for a, b in ((0, 1), (1, 0)))
        flips = draws[1] < math.sin(angle) ** 2 * (other.real**2 + other.imag**2).sum()
        turned, kept = -1j * math.sin(angle) * other, math.cos(angle) * other
        to_other, to_stays = jnp.where(flips, 0.0, kept), jnp.where(flips, turned, stays)
        view = jnp.stack([jnp.where(excited, to_other, to_stays), jnp.where(excited, to_stays, to_other)], axis=1)
        view = view / jnp.sqrt((view.real**2 + view.imag**2).sum())
        return view.reshape(-1), heat.at[bath].add(jnp.where(flips, jnp.where(excited, 1.0, -1.0), 0.0))

    def period(carry: Any, key: Any) -> Any:
        psi, heat = carry
        for duration, bonds in layers(N):
            c, s = math.cos(G * duration), -1j * math.sin(G * duration)
            for j in bonds:
                view = psi.reshape(2**j, 4, -1)
                a, b = view[:, 1], view[:, 2]
                psi = jnp.stack([view[:, 0], c * a + s * b, s * a + c * b, view[:, 3]], axis=1).reshape(-1)
        draws = jax.random.uniform(key, (2, 2), jnp.float64)
        for bath in range(2):
            psi, heat = collide(psi, heat, draws[bath], bath)
        return (psi, heat), None

    def one(key: Any) -> Any:
        psi = jnp.zeros(2**N, jnp.complex128).at[0].set(1.0)
        return jax.lax.scan(period, (psi, jnp.zeros(2)), jax.random.split(key, periods))[0][1]

    everything = jax.jit(jax.vmap(one))
    for line in sys.stdin:
        keys = jax.random.split(jax.random.key(int(line)), n)
        began = time.process_time()
        heat = np.asarray(everything(keys))
        print(json.dumps({"seconds": time.process_time() - began, "found": heat.tolist()}), flush=True)


def model_of(sites: int) -> Any:
    """The chain and its space."""
    import collide
    from collide.operators import lowering

    space = collide.Space(*[collide.qubit()] * sites)
    H = sum(space.number(j) for j in range(sites)) + G * sum(space.exchange(j, j + 1) for j in range(sites - 1))
    baths = [collide.Bath(name, temperature=T, statistics="spin") for name, T in zip("LR", TEMPERATURES, strict=True)]
    hits = [
        collide.Collision(bath, lowering(2), site, bath.ancilla(1.0), rate)
        for bath, site, rate in zip(baths, (0, sites - 1), RATES, strict=True)
    ]
    return collide.CollisionModel(H, hits, TAU, dims=space, construction="gates"), space


def program_of(model: Any, ket: Any, periods: int, labels: str, keep: tuple[str, ...] = ("totals",)) -> Any:
    """What ours makes of the model."""
    from collide.program import compile_program

    closing = ("product", [0.5, 0.5])
    return compile_program(model, periods * TAU, initial=ket, closing=closing, labels=labels, keep=keep)


def our_round(model: Any, ket: Any, n: int, periods: int, seed: int, labels: str) -> np.ndarray:
    """Heats (n, 2), from the model."""
    from collide.program import run_chunk

    return np.asarray(run_chunk(program_of(model, ket, periods, labels), seed, 0, n).columns["heat"])


def share(model: Any, ket: Any, periods: int, labels: str, ns: float) -> float:
    """Share of the core's peak, of a time per collision."""
    from operations import share_of_peak

    return share_of_peak(program_of(model, ket, periods, labels, ("totals", "jumps")), 2e-9 * periods * ns)


def moments(model: Any, ket: Any, periods: int) -> np.ndarray:
    """Exact mean and variance of the heat from each bath, (2 baths, 2)."""
    return np.array([model.heat_cumulants_at(periods * TAU, bath, 2, ket) for bath in "LR"])


def compare(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of the table."""
    from measure import LIMIT, timed, z_of_mean

    model, space = model_of(N)
    ground = space.basis(*[0] * N)
    tilted: Any = np.ones(1)
    for _ in range(N):
        tilted = np.kron(tilted, [1.0, 0.05])
    tilted = (tilted / np.linalg.norm(tilted)).astype(complex)
    n, periods, few = options.ntraj, options.periods, options.peers
    short = min(periods, options.short)
    truth = {key: moments(model, ground, key) for key in {periods, short}}
    without = moments(model, tilted, short)
    players: dict[str, Any] = {
        'collide labels="heat"': (n, periods, lambda s: timed(our_round, model, ground, n, periods, s, "heat")),
        'collide labels="all"': (n, periods, lambda s: timed(our_round, model, ground, n, periods, s, "all")),
        'collide "heat", 20 trajectories': (
            20,
            periods,
            lambda s: timed(our_round, model, ground, 20, periods, s, "heat"),
        ),
        'collide "heat", no sectors': (n, short, lambda s: timed(our_round, model, tilted, n, short, s, "heat")),
        "NumPy, gates of any kind": (few, short, lambda s: timed(dense_round, few, short, s + SEED_PEERS)),
        "NumPy, pairs in place": (few, short, lambda s: timed(numpy_round, few, short, s + SEED_PEERS)),
    }
    if (PEERS / "bin" / "python").exists():
        players["JAX, all labels"] = (few, short, Peer(__file__, "--jax", few, short).round)
    else:
        print("JAX is left out: `make bench` makes an environment for it", file=sys.stderr)
    for labels in ("heat", "all"):
        our_round(model, ground, 16, 2, 0, labels)
    found: dict[str, list[float]] = {name: [] for name in players}
    worst = dict.fromkeys(players, 0.0)
    for round_ in range(options.rounds):
        for name, (count, length, play) in players.items():
            seconds, heat = play(round_ + 1)
            found[name].append(1e9 * seconds / (2 * length * count))
            known = without if "no sectors" in name else truth[length]
            z = max(abs(z_of_mean(heat[:, b], *known[b])) for b in range(2))
            worst[name] = max(worst[name], z)
    asked = {
        'collide labels="heat"': (ground, periods, "heat"),
        'collide labels="all"': (ground, periods, "all"),
        'collide "heat", no sectors': (tilted, short, "heat"),
    }
    rows = []
    for name, times in found.items():
        row: dict[str, Any] = {"": name, "trajectories": players[name][0], "periods": players[name][1]}
        row |= {"ns per collision": statistics.median(times), "max |z|": worst[name]}
        for ours, label in (('collide labels="heat"', "over heat"), ('collide labels="all"', "over all")):
            row[label] = statistics.median([a / b for a, b in zip(times, found[ours], strict=True)])
        row["share of the core's peak"] = share(model, *asked[name], statistics.median(times)) if name in asked else ""
        row["verdict"] = "ok" if worst[name] <= LIMIT else "VOID: the physics is off"
        rows.append(row)
    return rows


def lengths(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Time per collision and memory of ours against the length of the chain."""
    rows = []
    for sites in range(6, options.longest + 1):
        command = [
            sys.executable,
            __file__,
            "--one",
            str(sites),
            str(options.periods),
            str(2 * options.ntraj * 64 // 2**sites),
        ]
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
        rows.append(json.loads(answer))
    return rows


def one_length(sites: int, periods: int, n: int) -> None:
    """One row of `lengths`, in a process of its own for its memory."""
    from measure import peak_memory, timed

    from collide.program import compile_program, run_chunk

    seconds, (model, _) = timed(model_of, sites)
    ends: dict[str, Any] = {"initial": ("product", [0.7, 0.3]), "closing": ("product", [0.7, 0.3])}
    compiled, program = timed(lambda: compile_program(model, periods * TAU, **ends))
    run_chunk(program, 0, 0, 16)
    spent, chunk = timed(run_chunk, program, 1, 0, max(n, 64))
    gained = chunk.columns["counts"].astype(int) @ program.arrays["count_charge"]
    ones = np.array([bin(k).count("1") for k in range(2**sites)])
    held = np.array_equal(ones[chunk.columns["final"]] - ones[chunk.columns["initial"]], gained)
    row = {"N": sites, "largest sector": int(program.arrays["size"].max()), "kind": program.kind}
    row |= {"ns per collision": 1e9 * spent / (2 * periods * max(n, 64)), "model and program, s": seconds + compiled}
    print(json.dumps(row | {"memory of the process, MB": peak_memory(), "charges balance": bool(held)}))


def main() -> None:
    """Print tables and save them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ntraj", type=int, default=1000)
    parser.add_argument("--periods", type=int, default=5000, help="of ours; two collisions each")
    parser.add_argument("--peers", type=int, default=500, help="trajectories of the peers")
    parser.add_argument("--short", type=int, default=50, help="periods of the peers, which are slow")
    parser.add_argument("--chain", action="store_true", help="also ours alone from N = 6 on")
    parser.add_argument("--longest", type=int, default=12)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "w5_gates")
    parser.add_argument("--jax", nargs=2, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=3, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.jax:
        jax_worker(*options.jax)
        return
    if options.one:
        one_length(*options.one)
        return
    from measure import pinned, save

    pinned()
    tables = {f"XX chain of {N}, g tau = {G * TAU:g}": compare(options)}
    if options.chain:
        tables["Length of the chain, labels='heat'"] = lengths(options)
    save(options.out, "W5: collisions on a chain by gates", tables)


if __name__ == "__main__":
    main()
