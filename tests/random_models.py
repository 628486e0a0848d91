"""Random valid models of both pictures, and what an ensemble of one must satisfy."""

import math
from typing import Any

import numpy as np

from collide import (
    Bath,
    Channel,
    Collision,
    CollisionModel,
    LindbladModel,
    Space,
    davies,
    finite_ancilla,
    flat,
    local,
    ohmic,
    oscillator,
    qubit,
)
from collide.operators import lowering
from collide.program import compile_program, run_chunk

MOST_VARIANCE = 10.0  # of e^{-Sigma}, beyond which its sample mean says nothing


def random_hermitian(rng: np.random.Generator, d: int, scale: float = 1.0) -> Any:
    """(d, d), entries of size `scale`."""
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return scale * (A + A.conj().T) / 2


def random_state(rng: np.random.Generator, d: int) -> Any:
    """Full rank, coherent, no eigenvalue below about 0.1 / d."""
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    rho = A @ A.conj().T
    rho = 0.8 * rho / np.trace(rho).real + 0.2 * np.eye(d) / d
    return (rho + rho.conj().T) / 2


def random_bath(rng: np.random.Generator, name: str, density: Any) -> Bath:
    """Bosons at some temperature, or spins at a beta of any sign."""
    if rng.random() < 0.5:
        return Bath(name, temperature=rng.uniform(0.4, 2.0), spectral_density=density)
    return Bath(name, beta=rng.uniform(-1.5, 2.5), statistics="spin", spectral_density=density)


def random_davies(rng: np.random.Generator) -> LindbladModel:
    """One to three baths on a random Hamiltonian of 2 to 6 levels, global channels."""
    d = int(rng.integers(2, 7))
    H = random_hermitian(rng, d)
    H *= 1.5 / np.ptp(np.linalg.eigvalsh(H))  # wider spectra make e^{-Sigma} too wild to average at any time
    channels: list[Channel] = []
    for k in range(int(rng.integers(1, 4))):
        bath = random_bath(rng, f"b{k}", ohmic(rng.uniform(0.05, 0.3), cutoff=3.0))
        channels += davies(H, random_hermitian(rng, d), bath)
    return LindbladModel(H, channels)


def random_local(rng: np.random.Generator) -> LindbladModel:
    """Two or three qubits, or a qubit and an oscillator, with random couplings between them and local channels."""
    sites = [[qubit(), qubit()], [qubit(), qubit(), qubit()], [qubit(), oscillator(4)]][int(rng.integers(3))]
    space = Space(*sites)
    omega = rng.uniform(0.6, 1.4, size=len(sites))
    H = sum((w * space.number(k) for k, w in enumerate(omega)), 0 * space.identity())
    H = H + random_hermitian(rng, space.d, rng.uniform(0.02, 0.3))
    channels: list[Channel] = []
    for k in rng.permutation(len(sites))[: int(rng.integers(1, len(sites) + 1))]:
        channels += local(space.s(k), omega[k], random_bath(rng, f"b{k}", flat(rng.uniform(0.1, 0.6))))
    return LindbladModel(H, channels, dims=space)


def random_collisions(rng: np.random.Generator) -> CollisionModel:
    """Two qubits hit by qubits, oscillators or three-level ancillas at a large angle."""
    space = Space(qubit(), qubit())
    H = space.number(0) + rng.uniform(0.8, 1.2) * space.number(1) + random_hermitian(rng, 4, 0.2)
    items = []
    for k in range(2):
        bath = random_bath(rng, f"b{k}", 1.0)
        if bath.statistics == "boson" or rng.random() < 0.5:
            items.append(Collision(bath, lowering(2), k, bath.ancilla(1.0), rng.uniform(0.1, 0.5)))
        else:
            ancilla = finite_ancilla(np.sort(rng.uniform(0, 2, 3)), beta=bath.beta)
            items.append(Collision(bath, random_hermitian(rng, 6), k, ancilla, rng.uniform(0.1, 0.5)))
    return CollisionModel(H, items, 0.5, dims=space, construction=["split", "alternating"][int(rng.integers(2))])


def time_for_theorem(model: Any, rho: Any, t: float) -> float:
    """`t` halved until the exact variance of e^{-Sigma} is at most `MOST_VARIANCE`."""
    while model.trajectory_statistics(t, rho).exponential_average.variance > MOST_VARIANCE:
        t /= 2
        if model.process.tau is not None:
            t = max(round(t / model.process.tau), 1) * model.process.tau
        if t < 1e-3:
            raise AssertionError("no time at which e^{-Sigma} has a small variance")
    return t


def deviations(model: Any, rng: np.random.Generator, t: float, n: int, labels: str = "heat") -> dict[str, float]:
    """z-scores of an ensemble from a random full-rank state: means, variances, fluctuation theorem, observables."""
    d = model.process.d
    rho = random_state(rng, d)
    t = time_for_theorem(model, rho, t)
    ops = [random_hermitian(rng, d) for _ in range(2)]
    middle = t / 2 if model.process.tau is None else max(round(t / 2 / model.process.tau), 0) * model.process.tau
    times = sorted({middle, t})
    program = compile_program(model, times, initial=rho, e_ops=ops, labels=labels)
    chunk = run_chunk(program, int(rng.integers(2**32)), 0, n)
    columns = chunk.columns
    assert np.all(columns["status"] == 0)
    assert np.allclose(columns["work"] + columns["heat"].sum(1), columns["energy_change"], atol=1e-12)
    a = program.arrays
    exact = model.trajectory_statistics(t, rho, opening=a["initial_kets"], closing=a["final_kets"])
    found: dict[str, float] = {}
    named = {f"heat {bath}": columns["heat"][:, k] for k, bath in enumerate(program.baths)}
    named |= {name: columns[name] for name in ("work", "energy_change", "entropy_production")}
    for name, column in named.items():
        mean, variance, _, fourth = exact.cumulants(name, 4)
        # one event more or less among n is never significant: the floor of rare channels
        quantum = float(np.abs(column).max()) if len(column) else 0.0
        found[f"{name} mean"] = (column.mean() - mean) / math.sqrt(variance / n + (quantum / n) ** 2 + 1e-24)
        spread = max(fourth, 0.0) / n + 2 * variance**2 / (n - 1) + (quantum**2 / n) ** 2 + 1e-24
        found[f"{name} variance"] = (column.var(ddof=1) - variance) / math.sqrt(spread)
    average = exact.exponential_average
    weights = np.exp(-columns["entropy_production"])
    found["fluctuation theorem"] = (weights.mean() - 1.0) / math.sqrt(average.variance / n + 1e-24)
    states = model.evolve(a["rho_initial"], times)
    for k, op in enumerate(ops):
        for at, state in enumerate(states):
            total, square = chunk.partial["expect_sum"][at, k]
            error = math.sqrt(max(square / n - (total / n) ** 2, 0.0) / n + 1e-24)
            found[f"observable {k} at {at}"] = (total / n - np.trace(op @ state).real) / error
    return found
