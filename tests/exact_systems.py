"""Processes built by hand, array by array, so that the exact side is judged without the models above it."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.linalg as la
import scipy.sparse as sp

from collide.exact.methods import ExactMethods
from collide.exact.process import CountTable, Flow, Instrument, Load, Process, Unitary, embed

Array = NDArray[Any]
LOWER = np.array([[0.0, 1.0], [0.0, 0.0]])  # |0><1|, with |1> the upper level


class Model(ExactMethods):
    """A process with the exact methods."""

    def __init__(self, process: Process) -> None:
        self.process = process


def occupation(beta: float, omega: float, statistics: str) -> float:
    """Mean occupation of a bosonic ("boson") or two-level ("spin") bath mode; 0 at beta = inf."""
    if np.isinf(beta):
        return 0.0
    return float(1 / np.expm1(beta * omega)) if statistics == "boson" else float(1 / (np.exp(beta * omega) + 1))


def rates(beta: float, omega: float, statistics: str) -> tuple[float, float]:
    """Factors of the emission and absorption rates."""
    n = occupation(beta, omega, statistics)
    return (1 + n, n) if statistics == "boson" else (1 - n, n)


def table(baths: Sequence[str], betas: Any, quanta: Any) -> CountTable:
    """Two rows for each bath, emission then absorption of its quantum."""
    bath = np.repeat(np.arange(len(baths)), 2)
    quantum = np.repeat(quanta, 2) * np.tile([-1.0, 1.0], len(baths))
    beta = np.array(betas)[bath]
    with np.errstate(invalid="ignore"):
        entropy = np.where(np.isinf(beta), -np.sign(quantum) * np.inf, -beta * quantum)
    return CountTable(tuple(baths), np.array(betas), bath, quantum, np.tile([-1, 1], len(baths)), entropy)


Coupling = tuple[Any, float, float, float, str]
"""Lowering operator A, gamma, beta, omega and statistics of a bath."""


def thermal_flow(H: Any, couplings: Sequence[Coupling], duration: float | None = None) -> Flow:
    """Channels sqrt(rate) A and their reverses for several baths."""
    ops, counts = [], []
    for b, (lower, gamma, beta, omega, statistics) in enumerate(couplings):
        down, up = rates(beta, omega, statistics)
        for direction, (op, rate) in enumerate(((lower, down), (lower.conj().T, up))):
            if rate:
                ops.append(np.sqrt(gamma * rate) * sp.csr_array(op))
                counts.append([2 * b + direction if k == b else -1 for k in range(len(couplings))])
    return Flow(sp.csr_array(H), tuple(ops), np.array(counts), np.full(len(ops), -1), duration)


def chain_hamiltonian(N: int, g: float, omega: float = 1.0) -> Any:
    """Resonant qubits with exchange g between neighbours."""
    dims = (2,) * N
    H = sum(omega * embed(LOWER.T @ LOWER, [k], dims) for k in range(N))
    hop = np.kron(LOWER, LOWER.T)
    return H + sum((g * embed(hop + hop.T, [k, k + 1], dims) for k in range(N - 1)), sp.csr_array((2**N, 2**N)))


def chain(
    N: int = 2,
    g: float = 0.05,
    gammas: tuple[float, float] = (0.04, 0.08),
    betas: tuple[float, float] = (1.0, 1 / 0.3),
    statistics: tuple[str, str] = ("boson", "boson"),
) -> Process:
    """The local rectifier of Santiago-Garcia et al., Eq. (2): bath L on the first qubit, R on the last."""
    dims = (2,) * N
    H = chain_hamiltonian(N, g)
    ends = [embed(LOWER, [site], dims) for site in (0, N - 1)]
    couplings = [(e, gamma, beta, 1.0, s) for e, gamma, beta, s in zip(ends, gammas, betas, statistics, strict=True)]
    return Process(dims, H, (thermal_flow(H, couplings),), table("LR", betas, [1.0, 1.0]))


def two_level(betas: tuple[float, float] = (0.5, 2.0), gammas: tuple[float, float] = (1.0, 3.0)) -> Process:
    """One two-level system of splitting 1 between two baths, rates gamma down and gamma exp(-beta) up."""
    H = sp.csr_array(np.diag([0.0, 1.0]))
    ops, counts = [], []
    for b, (beta, gamma) in enumerate(zip(betas, gammas, strict=True)):
        for direction, op in enumerate((np.sqrt(gamma) * LOWER, np.sqrt(gamma * np.exp(-beta)) * LOWER.T)):
            ops.append(sp.csr_array(op))
            counts.append([2 * b + direction if k == b else -1 for k in range(2)])
    return Process((2,), H, (Flow(H, tuple(ops), np.array(counts), np.full(4, -1)),), table("LR", betas, [1.0, 1.0]))


def qubit_collision(site: int, bath: int, nbaths: int, theta: float, beta: float) -> Instrument:
    """Exchange by an angle with a qubit ancilla of splitting 1, measured before and after: four Kraus operators."""
    U = la.expm(-1j * theta * (np.kron(LOWER, LOWER.T) + np.kron(LOWER.T, LOWER))).reshape(2, 2, 2, 2)
    up = 1 / (1 + np.exp(beta))
    prior = np.array([1 - up, up])
    kraus, counts, first, last = [], [], [], []
    for n, m in product(range(2), repeat=2):
        kraus.append(np.sqrt(prior[n]) * U[:, m, :, n])
        row = [-1] * nbaths
        if n != m:
            row[bath] = 2 * bath + (1 if n > m else 0)  # the ancilla's loss is the system's gain
        counts.append(row)
        first.append(n)
        last.append(m)
    return Instrument((site,), np.array(kraus), np.array(counts), prior, np.array(first), np.array(last))


def collision_chain(
    tau: float,
    N: int = 2,
    g: float = 0.05,
    gammas: tuple[float, float] = (0.04, 0.08),
    betas: tuple[float, float] = (1.0, 1 / 0.3),
    omega: tuple[float, ...] | None = None,
) -> Process:
    """Free evolution for tau, then a collision with a qubit ancilla at each end; `omega` detunes the qubits."""
    H = chain_hamiltonian(N, g)
    for site, w in enumerate(omega or ()):
        H = H + (w - 1.0) * embed(LOWER.T @ LOWER, [site], (2,) * N)
    elements: list[Any] = [Unitary(sp.csr_array(la.expm(-1j * tau * H.toarray())))]
    for bath, site in enumerate((0, N - 1)):
        elements.append(qubit_collision(site, bath, 2, np.sqrt(gammas[bath] * tau), betas[bath]))
    return Process((2,) * N, H, tuple(elements), table("LR", betas, [1.0, 1.0]), tau)


def rotor(l_min: int, l_max: int, beta2: float = 0.03) -> tuple[Process, Any]:
    """Two qubits, a rotor and its load, and L_z: Leitch et al. 2024, Eqs. (13)-(17) with the parameters of Fig. 2."""
    B, betas, I, lam, gamma, beta_r = (4.0, 10.0), (0.1, beta2), 1.0, 0.1, 5e-5, 0.09
    l = np.arange(l_min, l_max + 1.0)
    dims, raise_l, b = (2, 2, len(l)), np.diag(np.ones(len(l) - 1), -1), beta_r / (4 * I)
    L_z = np.diag(l)
    number = [embed(LOWER.T @ LOWER, [k], dims) for k in range(2)]
    H0 = embed(L_z @ L_z / (2 * I), [2], dims) + sum(2 * B[k] * number[k] for k in range(2))
    hop = embed(np.kron(np.kron(LOWER.T, LOWER), raise_l), [0, 1, 2], dims)
    H = H0 + lam * (hop + hop.conj().T)
    qubits = thermal_flow(H, [(embed(LOWER, [k], dims), 1.0, betas[k], 2 * B[k], "boson") for k in range(2)])
    root = np.sqrt(I * gamma / beta_r)
    kicks = (root * raise_l @ (np.eye(len(l)) - b * L_z), root * raise_l.T @ (np.eye(len(l)) + b * L_z))
    counts = np.full((6, 3), -1)
    counts[:4, :2], counts[4:, 2] = qubits.counts, [4, 5]
    flow = Flow(H, (*qubits.ops, *(embed(kick, [2], dims) for kick in kicks)), counts, np.array([-1] * 4 + [0, 0]))
    t = table(["1", "2", "r"], [*betas, np.nan], [2 * B[0], 2 * B[1], 0.0])
    entropy = np.where(np.isnan(t.entropy), 0.0, t.entropy)
    t = CountTable(t.baths, t.beta, t.bath, t.quantum, np.array([-1, 1, -1, 1, 1, -1]), entropy)
    return Process(dims, H, (flow,), t, None, (Load(2, H0),)), embed(L_z, [2], dims)


def random_hermitian(rng: np.random.Generator, d: int) -> Array:
    """Hermitian matrix with elements of order one."""
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return (A + A.conj().T) / 2


def random_state(rng: np.random.Generator, d: int, rank: int | None = None) -> Array:
    """State of the given rank, full by default."""
    A = rng.normal(size=(d, rank or d)) + 1j * rng.normal(size=(d, rank or d))
    return A @ A.conj().T / np.trace(A @ A.conj().T).real


def random_process(seed: int, d: int, nbaths: int = 2) -> Process:
    """A Lindblad equation without any symmetry, thermal channels of random couplings, beta of either sign."""
    rng = np.random.default_rng(seed)
    H = random_hermitian(rng, d)
    betas, quanta = rng.uniform(-0.5, 1.5, nbaths), rng.uniform(0.5, 2.0, nbaths)
    ops, counts = [], []
    for b in range(nbaths):
        lower = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
        for direction, op in enumerate((lower, np.exp(-betas[b] * quanta[b] / 2) * lower.conj().T)):
            ops.append(sp.csr_array(0.4 * op))
            counts.append([2 * b + direction if k == b else -1 for k in range(nbaths)])
    flow = Flow(sp.csr_array(H), tuple(ops), np.array(counts), np.full(len(ops), -1))
    return Process((d,), flow.H, (flow,), table([f"b{k}" for k in range(nbaths)], betas, quanta))


def random_collisions(seed: int, d: int, tau: float = 0.7) -> Process:
    """Joint unitaries of a d-level system with qubit ancillas, energies not conserved, two baths."""
    rng = np.random.default_rng(seed)
    H, betas, quanta = random_hermitian(rng, d), rng.uniform(-0.5, 1.5, 2), rng.uniform(0.5, 2.0, 2)
    elements: list[Any] = [Unitary(sp.csr_array(la.expm(-1j * tau * H)))]
    for b in range(2):
        U = la.expm(-1j * random_hermitian(rng, 2 * d)).reshape(d, 2, d, 2)
        up = 1 / (1 + np.exp(betas[b] * quanta[b]))
        prior = np.array([1 - up, up])
        pairs = list(product(range(2), repeat=2))
        kraus = np.array([np.sqrt(prior[n]) * U[:, m, :, n] for n, m in pairs])
        counts = np.full((4, 2), -1)
        counts[1, b], counts[2, b] = 2 * b, 2 * b + 1
        first, last = np.array(pairs).T
        elements.append(Instrument((0,), kraus, counts, prior, first, last))
    return Process((d,), sp.csr_array(H), tuple(elements), table("LR", betas, quanta), tau)


def histories(process: Process, kets: Array, periods: int) -> tuple[Array, Array]:
    """Every history of a few collisions by enumeration.

    Returns
    -------
    amplitudes : (histories, kets, d) complex
        Final kets, not normalised.
    counts : (histories, ncounts) int
    """
    amplitudes = np.asarray(kets, complex)[None]
    counts = np.zeros((1, len(process.counts)), int)
    for _ in range(periods):
        for element in process.elements:
            if isinstance(element, Unitary):
                amplitudes = amplitudes @ element.matrix.toarray().T
                continue
            assert isinstance(element, Instrument)
            kraus = [embed(k, element.sites, process.dims).toarray() for k in element.kraus]
            amplitudes = np.concatenate([amplitudes @ k.T for k in kraus])
            steps = np.zeros((len(kraus), len(process.counts)), int)
            for n, row in enumerate(element.counts):
                np.add.at(steps[n], row[row >= 0], 1)
            counts = (steps[:, None] + counts).reshape(-1, counts.shape[1])
    return amplitudes, counts
