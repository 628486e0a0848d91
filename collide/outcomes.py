"""The measurements that open and close a trajectory: kets, probabilities, and the basis in which a state is read."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse.csgraph import connected_components

from collide.exact.process import Complexes, Floats, Sparse
from collide.operators import as_state

DUST = 1e-13  # off-diagonal elements of a state below this are rounding
ROUNDING = 1e-15  # an eigenvalue below this, found by diagonalisation, counts as zero


class Outcomes(NamedTuple):
    """Orthonormal kets and the probabilities of their outcomes.

    kets (n, d) complex, p (n,) float
    """

    kets: Complexes
    p: Floats


def eigenbasis_of(rho: Complexes) -> Outcomes:
    """Complete eigenbasis of a state; computational wherever it is diagonal there, also if degenerate.

    Coherent blocks are diagonalised apart, so that kets keep the conserved quantities the state has.  Populations of
    the computational part keep their relative accuracy; eigenvalues below 1e-15 of a coherent block count as 0.
    """
    d = len(rho)
    coherent = np.abs(rho) > DUST
    np.fill_diagonal(coherent, True)
    count, label = connected_components(coherent, directed=False)
    kets, p = np.zeros((d, d), dtype=complex), np.zeros(d)
    for block in range(count):
        members = np.flatnonzero(label == block)
        if len(members) == 1:
            kets[members[0], members[0]] = 1.0
            p[members[0]] = max(float(rho[members[0], members[0]].real), 0.0)
            continue
        values, vectors = np.linalg.eigh(rho[np.ix_(members, members)])
        kets[np.ix_(members, members)] = vectors.T
        p[members] = np.where(values > ROUNDING, values, 0.0)
    return Outcomes(kets, p / p.sum())


def opening(rho0: Complexes) -> Outcomes:
    """Opening measurement in the eigenbasis of the initial state; outcomes that never occur are left out."""
    everything = eigenbasis_of(rho0)
    happens = everything.p > 0
    return Outcomes(everything.kets[happens], everything.p[happens])


def closing(rho: Complexes, basis: Any = None) -> Outcomes:
    """Outcomes of the closing measurement on the averaged final state `rho`.

    Parameters
    ----------
    rho : (d, d) complex
        Exact averaged state at the end.
    basis : None, ket, state or (d, d) unitary, optional
        None: the eigenbasis of `rho`.  A state: the eigenbasis of that state.  A unitary: its columns.
    """
    if basis is None:
        return eigenbasis_of(rho)
    array = np.asarray(basis.full() if hasattr(basis, "full") else basis, dtype=complex)
    d = len(rho)
    if array.shape == (d, d) and np.allclose(array.conj().T @ array, np.eye(d), atol=1e-9):
        kets = array.T.copy()
    else:
        kets = eigenbasis_of(as_state(array, "closing", d)).kets
    p = np.einsum("ia,ab,ib->i", kets.conj(), rho, kets).real
    return Outcomes(kets, np.where(p > ROUNDING, p, 0.0))


def energies(kets: Complexes, H: Sparse) -> Floats:
    """(n,) expectation values <k|H|k>."""
    return np.einsum("ia,ia->i", kets.conj(), (H @ kets.T).T).real.copy()
