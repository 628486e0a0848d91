"""W4: two qubits between thermal qubit ancillas, 10^4 collisions a trajectory, beside NumPy, JAX and plain Numba.

With `labels="heat"` the labels of null collisions stay unread, while all peers draw every label: like for like is
`labels="all"`.  Every timing must give the exact mean heat within 4.5 standard errors, or it is void.  Rounds
alternate; a ratio is the median over rounds of processor time, ours the mean over as many ensembles as fill a fifth of
a second; everybody on one thread.

Ours are listed three times: with the tables that the kernel makes of a program, as a user waits for it from the model
(steady state, closing basis, program, tables), and bare.  Peers are given kets and operators; JAX runs compiled, in
double precision, in the peers' environment.
"""

import argparse
from collections.abc import Callable
from functools import partial
import math
from pathlib import Path
import statistics
import sys
import tempfile
from typing import Any

from jump_peers import PEERS, Peer
from measure import LIMIT, pinned, save, timed, z_of_mean
from numba import njit
import numpy as np
from numpy.typing import NDArray

from collide.exact.process import Instrument, Unitary, embed
from collide.machines import rectifier
from collide.program import Program, compile_program, run_chunk

HERE = Path(__file__).resolve().parent
POINT: dict[str, Any] = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}
TAU = 0.5
SPAN = 0.2
"""Seconds of a round of ours."""
Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


def model_of_w4() -> Any:
    """The resonant machine with qubit ancillas, g tau = 0.025."""
    return rectifier(picture="collision", tau=TAU, eps_L=-1, eps_R=-1, **POINT)


def operators(model: Any) -> tuple[list[Complexes], list[Floats]]:
    """Kraus operators (K, d, d) of each collision, free evolution folded in, and the heat from L of each."""
    free, ops, heats = np.eye(model.process.d, dtype=complex), [], []
    weight = model.process.counts.heat_weight("L")
    for element in model.process.elements:
        if isinstance(element, Unitary):
            free = element.matrix.toarray() @ free
            continue
        assert isinstance(element, Instrument)
        kraus = [embed(k, element.sites, model.process.dims).toarray() @ free for k in element.kraus]
        ops.append(np.array(kraus))
        heats.append(np.where(element.counts >= 0, weight[element.counts], 0.0).sum(axis=1))
        free = np.eye(model.process.d, dtype=complex)
    return ops, heats


def opened(model: Any, rng: np.random.Generator, n: int) -> Complexes:
    """(n, d) eigenkets of the steady state."""
    p, kets = np.linalg.eigh(model.steady_state())
    return kets.T[rng.choice(len(p), size=n, p=np.clip(p, 0, None) / np.clip(p, 0, None).sum())]


def vectorised(model: Any, psi: Complexes, rng: np.random.Generator, periods: int) -> Floats:
    """NumPy, all trajectories together: one product for all outcomes, then the outcome of each trajectory."""
    n = len(psi)
    heat, rows = np.zeros(n), np.arange(n)
    collisions = []
    for ops, gained in zip(*operators(model), strict=True):
        outcomes, d = ops.shape[:2]
        collisions.append((np.ascontiguousarray(ops.reshape(outcomes * d, d).T), gained, outcomes, d))
    for _ in range(periods):
        for flat, gained, outcomes, d in collisions:
            branches = (psi @ flat).reshape(n, outcomes, d)
            parts = branches.view(np.float64)
            reached = np.einsum("nka,nka->nk", parts, parts).cumsum(axis=1)
            mark = rng.random(n) * reached[:, -1]
            chosen = (reached[:, :-1] <= mark[:, None]).sum(axis=1)
            psi = branches[rows, chosen]
            psi /= np.sqrt(np.einsum("na,na->n", psi.view(np.float64), psi.view(np.float64)))[:, None]
            heat += gained[chosen]
    return heat


@njit
def _loop(psi: Complexes, ops: Complexes, gained: Floats, periods: int, seed: int) -> Floats:
    """One trajectory after the other, as one writes it with Numba."""
    np.random.seed(seed)  # noqa: NPY002  # Numba's own generator, inside its code
    n, d = psi.shape
    heat, out = np.zeros(n), np.zeros(d, np.complex128)
    for row in range(n):
        state = psi[row].copy()
        for _ in range(periods):
            for c in range(ops.shape[0]):
                mark = np.random.random()  # noqa: NPY002
                for k in range(ops.shape[1]):
                    p = 0.0
                    for a in range(d):
                        x = 0j
                        for b in range(d):
                            x += ops[c, k, a, b] * state[b]
                        out[a] = x
                        p += x.real * x.real + x.imag * x.imag
                    mark -= p
                    if mark < 0.0 or k == ops.shape[1] - 1:
                        break
                heat[row] += gained[c, k]
                scale = 1.0 / math.sqrt(p)
                for a in range(d):
                    state[a] = out[a] * scale
    return heat


def plain_numba(model: Any, kets: Complexes, rng: np.random.Generator, periods: int) -> Floats:
    """The loop above, outcomes in the order of their weight."""
    ops, heats = operators(model)
    order = [np.argsort(-np.abs(o).max(axis=(1, 2)), kind="stable") for o in ops]
    sorted_ops = np.array([o[k] for o, k in zip(ops, order, strict=True)])
    sorted_heat = np.array([h[k] for h, k in zip(heats, order, strict=True)])
    return _loop(kets, sorted_ops, sorted_heat, periods, int(rng.integers(2**31)))


def jax(model: Any, kets: Complexes, periods: int, folder: Path) -> Peer:
    """The same in the peers' environment, which is given kets, operators and heats in a file."""
    ops, heats = operators(model)
    given = folder / f"w4_{len(kets)}.npz"
    np.savez(given, kets=kets, ops=np.array(ops), heats=np.array(heats))
    return Peer(str(HERE / "w4_jax.py"), given, periods)


def run_model(labels: str, rng: np.random.Generator, n: int, periods: int) -> Floats:
    """Build the model, compile, tabulate and run."""
    return run_program(compile_program(model_of_w4(), periods * TAU, labels=labels), rng, n)


def run_fresh(program: Program, rng: np.random.Generator, n: int) -> Floats:
    """Tabulate and run."""
    return run_program(Program.from_arrays(program.kind, program.arrays, program.meta, program.model), rng, n)


def run_program(program: Program, rng: np.random.Generator, n: int) -> Floats:
    """Heat from L."""
    return np.asarray(run_chunk(program, int(rng.integers(2**31)), 0, n).columns["heat"][:, 0])


def repeated(play: Callable[[], tuple[float, Any]]) -> tuple[float, Floats]:
    """Mean processor time of as many ensembles as fill `SPAN`, and all their heats.

    One lasts a millisecond between many of the peers', who have the caches to themselves by then.
    """
    seconds: list[float] = []
    heats: list[Floats] = []
    while sum(seconds) < SPAN:
        spent, heat = play()
        seconds.append(spent)
        heats.append(heat)
    return statistics.mean(seconds), np.concatenate(heats)


def check(name: str, heat: Floats, exact: tuple[float, float]) -> None:
    """Void the timing of a wrong mean."""
    z = z_of_mean(heat, *exact)
    if abs(z) > LIMIT:
        raise SystemExit(f"{name}: mean heat is off by {z:.1f} standard errors, its timing is void")


def measure(n: int, periods: int, peer_periods: int, rounds: int, folder: Path) -> dict[str, list[float]]:
    """Nanoseconds per collision in each round; peers run `peer_periods`, their cost is linear in them."""
    model, rng = model_of_w4(), np.random.default_rng(n)
    kets = opened(model, rng, n)
    programs = {labels: compile_program(model, periods * TAU, labels=labels) for labels in ("heat", "all")}

    parties: dict[str, tuple[Callable[[], tuple[float, Any]], int]] = {
        "NumPy vectorised": (partial(timed, vectorised, model, kets, rng, peer_periods), peer_periods),
        "plain Numba loop": (partial(timed, plain_numba, model, kets, rng, peer_periods), peer_periods),
    }
    if (PEERS / "bin" / "python").exists():
        peer = jax(model, kets, peer_periods, folder)
        parties["JAX"] = (lambda: peer.round(int(rng.integers(2**31))), peer_periods)
    else:
        print("JAX is left out: `make bench` makes an environment for it", file=sys.stderr)
    for labels in ("heat", "all"):
        parties |= {
            f"collide {labels}, {name}": (partial(repeated, ours), periods)
            for name, ours in {
                "tables included": partial(timed, run_fresh, programs[labels], rng, n),
                "from the model": partial(timed, run_model, labels, rng, n, periods),
                "bare": partial(timed, run_program, programs[labels], rng, n),
            }.items()
        }
    exact = {p: tuple(model.heat_cumulants_at(p * TAU, "L", 2)) for p in {periods, peer_periods}}
    taken: dict[str, list[float]] = {name: [] for name in parties}
    for round_ in range(rounds + 1):  # the first round loads kernels and caches
        for name, (play, length) in parties.items():
            seconds, heat = play()
            check(name, heat, exact[length])
            if round_:
                taken[name].append(seconds / n / (2 * length) * 1e9)
    return taken


def ratio(taken: dict[str, list[float]], peer: str, ours: str) -> float:
    """How many times longer a peer takes, the median over rounds."""
    return statistics.median([a / b for a, b in zip(taken[peer], taken[ours], strict=True)])


def rows_of(taken: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Rows of the table; like for like where labels are the same."""
    peers = [name for name in taken if "collide" not in name]
    return [
        {
            "": name,
            "labels": "null ones unread" if "heat" in name else "all",
            "ns a collision": statistics.median(times),
        }
        | {f"{peer} / it": ratio(taken, peer, name) for peer in peers}
        for name, times in taken.items()
    ]


def events_of(taken: dict[str, list[float]], periods: int) -> dict[str, float]:
    """Time of an event of `labels="heat"`, its share of opening, closing and sums included.

    An event is a look-up in tables, no product of matrices: a share of the core's multiplications would say nothing.
    """
    program = compile_program(model_of_w4(), periods * TAU, keep=("jumps",))
    events = float(run_chunk(program, 1, 0, 500).ragged["row_size"].mean())
    each = statistics.median(taken["collide heat, bare"]) * 2 * periods / events
    return {"events a trajectory": events, "ns an event": each}


def main() -> None:
    """Print a table and save it as Markdown and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--periods", type=int, default=5000)
    parser.add_argument("--peer-periods", type=int, default=100)
    parser.add_argument("--ntraj", type=int, nargs="+", default=[1000, 20])
    parser.add_argument("--out", type=Path, default=HERE / "results" / "w4_collisions")
    options = parser.parse_args()
    pinned()
    with tempfile.TemporaryDirectory() as folder:
        found = {
            n: measure(n, options.periods, options.peer_periods, options.rounds, Path(folder)) for n in options.ntraj
        }
    tables = {f"{n} trajectories": rows_of(taken) for n, taken in found.items()}
    tables["labels='heat', bare: events looked up"] = [events_of(found[options.ntraj[0]], options.periods)]
    save(options.out, f"W4: two qubits between thermal qubits, {2 * options.periods} collisions", tables)


if __name__ == "__main__":
    main()
