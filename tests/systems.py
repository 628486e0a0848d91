"""Models that several tests share."""

from typing import Any

import numpy as np

from collide import Bath, Collision, CollisionModel, LindbladModel, Space, local, qubit
from collide.operators import lowering

SPACE = Space(qubit(), qubit())
G, GAMMAS, TEMPERATURES = 0.05, (0.04, 0.08), (1.0, 0.3)  # the point of the reference tables


def hamiltonian(g: float = G):
    """Two resonant qubits with exchange g."""
    return SPACE.number(0) + SPACE.number(1) + g * SPACE.exchange(0, 1)


def baths(statistics: str = "boson") -> tuple[Bath, Bath]:
    """Hot L and cold R."""
    left, right = (
        Bath(name, temperature=T, statistics=statistics, spectral_density=gamma)
        for name, T, gamma in zip("LR", TEMPERATURES, GAMMAS, strict=True)
    )
    return left, right


def collision_pair(
    tau: float, statistics: str = "boson", construction: str = "split", levels: int | None = None, g: float = G
) -> CollisionModel:
    """The two-qubit machine in the collision picture."""
    ends = [
        Collision(bath, lowering(2), site, bath.ancilla(1.0, levels), gamma)
        for site, (bath, gamma) in enumerate(zip(baths(statistics), GAMMAS, strict=True))
    ]
    return CollisionModel(hamiltonian(g), ends, tau, dims=SPACE, construction=construction)


def jump_pair(statistics: str = "boson", g: float = G) -> LindbladModel:
    """The two-qubit machine in the jump picture, local equation."""
    left, right = baths(statistics)
    return LindbladModel(hamiltonian(g), local(SPACE.s(0), 1.0, left) + local(SPACE.s(1), 1.0, right), dims=SPACE)


def coherent_mixture() -> Any:
    """A full-rank state of two qubits with coherence of every kind."""
    rng = np.random.default_rng(7)
    A = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    rho = A @ A.conj().T + 0.5 * np.eye(4)
    return rho / np.trace(rho).real


def coherent_ket() -> Any:
    """A superposition of all four product states."""
    ket = np.array([1.0, 0.5j, -0.7, 0.3 + 0.2j])
    return ket / np.linalg.norm(ket)
