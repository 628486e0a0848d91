"""Energy levels and eigenvectors of a Hamiltonian, with the quantum numbers that it conserves."""

import numpy as np

from collide.exact.process import Complexes, Floats, Sparse
from collide.exact.small import components, members


def eigenbasis(H: Sparse) -> tuple[Floats, Complexes]:
    """Energies and eigenvectors; the basis itself, unsorted, where H is diagonal in it."""
    dense = H.toarray()
    if np.count_nonzero(dense - np.diag(np.diag(dense))) == 0:
        return np.diag(dense).real.copy(), np.eye(len(dense), dtype=complex)
    # blocks apart, so that eigenvectors keep the quantum numbers that H conserves
    energies, vectors = np.empty(len(dense)), np.zeros_like(dense)
    for states in members(components(len(dense), *np.nonzero(dense))):
        values, kets = np.linalg.eigh(dense[states[:, None], states])
        energies[states] = values
        vectors[states[:, None], states] = kets
    return energies, vectors
