"""Peers of the jump benchmarks on any Hamiltonian: QuTiP in this process, dynamiqs in one of its own.

Also what both are held to: exact mean counts of a Lindblad equation by integrating it, and of an XX chain from its
correlations.
"""

from collections.abc import Callable
from functools import cache
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any
import warnings

from measure import THREADS  # first, for it caps the BLAS that NumPy loads
import numpy as np

PEERS = Path(__file__).resolve().parent / ".venv-peers"
PATIENCE = 60.0
"""Seconds of processor time that a round of dynamiqs may take, or its compilation with a round."""


def qutip_counts(system: Any, n: int, seed: int, method: str) -> np.ndarray:
    """Counts (n, channels) by mcsolve with its own tolerances; `system` is (H, ops, ket, end)."""
    import qutip

    H, ops, ket, end = system
    options: dict[str, Any] = {"method": method, "map": "serial", "progress_bar": ""}
    options |= {"store_states": False, "keep_runs_results": False}
    if method not in {"diag", "vern7", "vern9"}:
        options["nsteps"] = 10_000_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = qutip.mcsolve(
            qutip.Qobj(H), qutip.Qobj(ket), [0.0, end], [qutip.Qobj(op) for op in ops], ntraj=n, seeds=seed,
            options=options,
        )  # fmt: skip
    return np.array([np.bincount(np.asarray(which, dtype=int), minlength=len(ops)) for which in result.col_which])


class Peer:
    """A script of ours in the peers' environment: compiles once, then runs a round whenever it is told a seed."""

    def __init__(self, script: str, *words: object) -> None:
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        self.process = subprocess.Popen(
            [str(PEERS / "bin" / "python"), script, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | THREADS | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        )
        self.round(0)  # compilation is theirs for free

    def round(self, seed: int) -> tuple[float, np.ndarray]:
        """Seconds, and counts or heats."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{seed}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            late = self.process.wait() == -signal.SIGPROF
            raise RuntimeError(f"more than {PATIENCE:g} s" if late else "the peer ended without an answer")
        answer = json.loads(line)
        return float(answer["seconds"]), np.array(answer["found"])


def dynamiqs_player(script: str, word: str, n: int, most: int) -> Callable[[int], tuple[float, np.ndarray]]:
    """Seed -> (seconds, counts); its process begins when it is first asked, so that a failure then is its result."""
    peer = cache(lambda: Peer(script, "--dynamiqs", word, n, most))
    return lambda seed: peer().round(seed)


def dynamiqs_worker(system: Any, n: int, most: int, precision: str = "double") -> None:
    """What runs inside the peers' environment; single precision is dynamiqs' default.

    Large operators are stored by their diagonals, which serves it best where they are few.
    """
    import dynamiqs as dq
    import jax
    import jax.numpy as jnp
    import optimistix

    dq.set_precision(precision)
    H, ops, ket, end = system
    tight = 1e-6 if precision == "double" else 1e-4  # the first is QuTiP's own tolerance of jump times
    method = dq.method.Event(root_finder=optimistix.Newton(tight, tight))
    layout = dq.dia if H.shape[0] > 4 else dq.dense
    dense = [np.asarray(op.todense() if hasattr(op, "todense") else op) for op in (H, *ops)]
    matrices = [dq.asqarray(op, layout=layout) for op in dense]
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)  # what it sends ends the process
        began = time.process_time()
        result = dq.jssesolve(
            matrices[0], matrices[1:], jnp.asarray(ket).reshape(-1, 1), jnp.array([0.0, end]),
            jax.random.split(jax.random.key(int(line)), n), method=method, save_states=False, nmaxclick=most,
        )  # fmt: skip
        counts = np.asarray(result.nclicks)
        np.asarray(result.clicktimes)
        print(json.dumps({"seconds": time.process_time() - began, "found": counts.tolist()}), flush=True)


def mean_counts(system: Any) -> np.ndarray:
    """(channels,) exact mean counts from the master equation, integrated to 1e-9."""
    H, ops, ket, end = system
    d, rates = len(H), [op.conj().T @ op for op in ops]
    drift = -1j * H - sum(rates) / 2

    def slope(_: float, y: np.ndarray) -> np.ndarray:
        rho = y[: d * d].reshape(d, d)
        change = drift @ rho + rho @ drift.conj().T + sum(op @ rho @ op.conj().T for op in ops)
        return np.concatenate([change.reshape(-1), [np.sum(rate.T * rho) for rate in rates]])

    start = np.concatenate([np.outer(ket, ket.conj()).reshape(-1), np.zeros(len(ops))]).astype(complex)
    from scipy.integrate import solve_ivp  # not at the top: cold starts are measured beside it

    solve: Any = solve_ivp
    return np.asarray(solve(slope, (0.0, end), start, method="DOP853", rtol=1e-9, atol=1e-10).y[d * d :, -1].real)


def chain_counts(g: float, rates: tuple[Any, Any], correlations: np.ndarray, end: float) -> np.ndarray:
    """(4,) exact mean counts (down, up on the first site, down, up on the last) of an XX chain.

    The correlations C_jk = <c_j^+ c_k> of its fermions obey a closed linear equation, for ends that gain and lose
    single excitations too: C' = i [h, C] - {G, C}/2 + G_in, with h the hopping, G the sum of both rates at the ends.

    Parameters
    ----------
    g : float
    rates : ((down, up), (down, up))
    correlations : (N, N)
        At the start.
    end : float
    """
    n = len(correlations)
    h = g * (np.eye(n, k=1) + np.eye(n, k=-1))
    loss, gain = np.zeros(n), np.zeros(n)
    loss[[0, -1]], gain[[0, -1]] = [r[0] + r[1] for r in rates], [r[1] for r in rates]
    generator = -1j * h - np.diag(loss) / 2
    # C^T evolves like a density matrix with source; its fixed point and the transient are exact
    from scipy.linalg import solve_sylvester

    steady = solve_sylvester(generator, generator.conj().T, -np.diag(gain).astype(complex))
    values, vectors = np.linalg.eig(generator)
    inside = np.linalg.solve(vectors, correlations.T - steady) @ np.linalg.inv(vectors).conj().T
    sums = values[:, None] + values[None, :].conj()
    integral = steady * end + vectors @ (inside * np.expm1(sums * end) / sums) @ vectors.conj().T
    filled = integral.diagonal().real[[0, -1]]
    return np.array([x for (down, up), f in zip(rates, filled, strict=True) for x in (down * f, up * (end - f))])
