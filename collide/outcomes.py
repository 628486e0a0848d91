"""The measurements that open and close a trajectory, from what a user asks for."""

from typing import Any

import numpy as np

from collide.exact.measurements import Outcomes, eigenbasis_of, outcomes_in
from collide.exact.process import Complexes, Floats, Sparse
from collide.operators import as_state


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
    basis : None, "product", ket, state or (d, d) unitary, optional
        None: the eigenbasis of `rho`.  "product": the basis in which the model is written.  A state: the eigenbasis of
        that state.  A unitary: its columns.
    """
    if basis is None:
        return eigenbasis_of(rho)
    if isinstance(basis, str):
        if basis != "product":
            raise ValueError(f"`closing` must be None, 'product', a state or a unitary, but is {basis!r}")
        return outcomes_in(np.eye(len(rho), dtype=complex), rho)
    array = np.asarray(basis.full() if hasattr(basis, "full") else basis, dtype=complex)
    d = len(rho)
    if array.shape == (d, d) and np.allclose(array.conj().T @ array, np.eye(d), atol=1e-9):
        return outcomes_in(array.T.copy(), rho)
    return outcomes_in(eigenbasis_of(as_state(array, "closing", d)).kets, rho)


def energies(kets: Complexes, H: Sparse) -> Floats:
    """(n,) expectation values <k|H|k>."""
    return np.einsum("ia,ia->i", kets.conj(), (H @ kets.T).T).real.copy()
