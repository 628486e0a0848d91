"""W4: two qubits between thermal qubit ancillas, 10^4 collisions a trajectory, beside NumPy and a plain Numba loop.

With `labels="heat"` the labels of null collisions stay unread, while both peers draw every label: like for like is
`labels="all"`.  Every timing must give the exact mean heat within 4.5 standard errors, or it is void.  Rounds
alternate, medians of processor time are compared, everybody on one thread.

Ours are listed three times: with the tables that the kernel makes of a program, as a user waits for it from the model
(steady state, closing basis, program, tables), and bare.  Peers are given kets and operators.
"""

import argparse
from collections.abc import Callable
from functools import partial
import math
from pathlib import Path
import statistics
import time
from typing import Any

from fma_peak import fma_peak, search_flops
from measure import LIMIT, pinned, save
from numba import njit
import numpy as np
from numpy.typing import NDArray

from collide.engines import event_tables
from collide.exact.process import Instrument, Unitary, embed
from collide.machines import rectifier
from collide.program import Program, compile_program, run_chunk

POINT: dict[str, Any] = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}
TAU = 0.5
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


def run_model(labels: str, rng: np.random.Generator, n: int, periods: int) -> Floats:
    """Build the model, compile, tabulate and run."""
    return run_program(compile_program(model_of_w4(), periods * TAU, labels=labels), rng, n)


def run_fresh(program: Program, rng: np.random.Generator, n: int) -> Floats:
    """Tabulate and run."""
    return run_program(Program.from_arrays(program.kind, program.arrays, program.meta, program.model), rng, n)


def run_program(program: Program, rng: np.random.Generator, n: int) -> Floats:
    """Heat from L."""
    return np.asarray(run_chunk(program, int(rng.integers(2**31)), 0, n).columns["heat"][:, 0])


def check(name: str, heat: Floats, exact: tuple[float, float]) -> None:
    """Void the timing of a wrong mean."""
    z = (heat.mean() - exact[0]) / math.sqrt(exact[1] / len(heat))
    if abs(z) > LIMIT:
        raise SystemExit(f"{name}: mean heat is off by {z:.1f} standard errors, its timing is void")


def measure(n: int, periods: int, peer_periods: int, rounds: int) -> dict[str, float]:
    """Median nanoseconds per collision; peers run `peer_periods`, their cost is linear in them."""
    model, rng = model_of_w4(), np.random.default_rng(n)
    kets = opened(model, rng, n)
    programs = {labels: compile_program(model, periods * TAU, labels=labels) for labels in ("heat", "all")}

    parties: dict[str, tuple[Callable[[], Floats], int]] = {
        "NumPy vectorised": (partial(vectorised, model, kets, rng, peer_periods), peer_periods),
        "plain Numba loop": (partial(plain_numba, model, kets, rng, peer_periods), peer_periods),
    }
    for labels in ("heat", "all"):
        parties |= {
            f"collide {labels}, tables included": (partial(run_fresh, programs[labels], rng, n), periods),
            f"collide {labels}, from the model": (partial(run_model, labels, rng, n, periods), periods),
            f"collide {labels}, bare": (partial(run_program, programs[labels], rng, n), periods),
        }
    exact = {p: tuple(model.heat_cumulants_at(p * TAU, "L", 2)) for p in {periods, peer_periods}}
    taken: dict[str, list[float]] = {name: [] for name in parties}
    for round_ in range(rounds + 1):  # the first round loads kernels and caches
        for name, (function, length) in parties.items():
            start = time.process_time()
            heat = function()
            seconds = time.process_time() - start
            check(name, heat, exact[length])
            if round_:
                taken[name].append(seconds / n / (2 * length) * 1e9)
    return {name: statistics.median(values) for name, values in taken.items()}


def fraction_of_peak(nanoseconds: float, periods: int) -> tuple[float, float]:
    """Nanoseconds per counted event of `labels="heat"`, and the core's peak that searching each of them would use.

    Events out of blocks of one state, about half of them here, need no search: the fraction is an upper bound.
    """
    program = compile_program(model_of_w4(), periods * TAU, keep=("jumps",))
    events = run_chunk(program, 1, 0, 500).ragged["row_size"].mean() / (2 * periods)
    each = nanoseconds / float(events)
    return each, search_flops(event_tables(program)) / (each * 1e-9) / fma_peak()


def rows_of(found: dict[str, float]) -> list[dict[str, Any]]:
    """Rows of the table; like for like where labels are the same."""
    return [
        {
            "": name,
            "labels": "null ones unread" if "heat" in name else "all",
            "ns a collision": value,
            "NumPy / it": found["NumPy vectorised"] / value,
            "plain loop / it": found["plain Numba loop"] / value,
        }
        for name, value in found.items()
    ]


def main() -> None:
    """Print a table and save it as Markdown and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--periods", type=int, default=5000)
    parser.add_argument("--peer-periods", type=int, default=100)
    parser.add_argument("--ntraj", type=int, nargs="+", default=[1000, 20])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "results" / "w4_collisions")
    options = parser.parse_args()
    pinned()
    found = {n: measure(n, options.periods, options.peer_periods, options.rounds) for n in options.ntraj}
    tables = {f"{n} trajectories": rows_of(times) for n, times in found.items()}
    each, share = fraction_of_peak(found[options.ntraj[0]]["collide heat, bare"], options.periods)
    tables["labels='heat', bare"] = [{"ns an event": each, "share of the core's peak, at most": share}]
    save(options.out, f"W4: two qubits between thermal qubits, {2 * options.periods} collisions", tables)


if __name__ == "__main__":
    main()
