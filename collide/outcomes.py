"""The measurements that open and close a trajectory, from what a user asks for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.exact.measurements import Outcomes, eigenbasis_of, outcomes_in
from collide.exact.process import Complexes, Floats, Sparse
from collide.operators import as_state


def opening(rho0: Complexes) -> Outcomes:
    """Opening measurement in the eigenbasis of the initial state; outcomes that never occur are left out."""
    everything = eigenbasis_of(rho0)
    happens = everything.p > 0
    return Outcomes(everything.kets[happens], everything.p[happens])


def closing(rho: Complexes, basis: Any = None, dims: tuple[int, ...] = ()) -> Outcomes:
    """Outcomes of the closing measurement on the averaged final state `rho`.

    Parameters
    ----------
    rho : (d, d) complex
        Exact averaged state at the end.
    basis : None, "product", ("product", p), ket, state or (d, d) unitary, optional
        None: the eigenbasis of `rho`.  "product": the basis in which the model is written.  ("product", p): the same,
        with the product of the populations p (see `product_populations`) as reference in the entropy production, in
        place of the averaged final state.  A state: the eigenbasis of that state.  A unitary: its columns.
    dims : tuple of int
        Dimensions of the sites, for ("product", p).
    """
    if basis is None:
        return eigenbasis_of(rho)
    if isinstance(basis, tuple):
        return Outcomes(np.eye(len(rho), dtype=complex), product_populations(basis, "closing", dims))
    if isinstance(basis, str):
        if basis != "product":
            raise ValueError(f"`closing` must be None, 'product', a state or a unitary, but is {basis!r}")
        return outcomes_in(np.eye(len(rho), dtype=complex), rho)
    array = np.asarray(basis.full() if hasattr(basis, "full") else basis, dtype=complex)
    d = len(rho)
    if array.shape == (d, d) and np.allclose(array.conj().T @ array, np.eye(d), atol=1e-9):
        return outcomes_in(array.T.copy(), rho)
    return outcomes_in(eigenbasis_of(as_state(array, "closing", d)).kets, rho)


def energies(kets: Any, H: Sparse) -> Floats:
    """(n,) expectation values <k|H|k> of kets (n, d), dense or sparse."""
    if sp.issparse(kets):
        listed: Sparse = kets
        return np.asarray(listed.conj().multiply((H @ listed.T).T).sum(axis=1)).real.reshape(-1).copy()
    return np.einsum("ia,ia->i", kets.conj(), (H @ kets.T).T).real.copy()


def product_populations(asked: Any, name: str, dims: Sequence[int]) -> Floats:
    """(d,) probabilities of the basis states of independent sites, from ("product", p).

    Parameters
    ----------
    asked : ("product", (nsites, levels) or (levels,) array_like)
        Populations of each site; one row stands for all sites.
    name : str
        The argument's name, for the message.
    dims : sequence of int

    Raises
    ------
    ValueError
        If populations are negative, do not sum to one, or belong to other sites.
    """
    if len(asked) != 2 or asked[0] != "product":
        raise ValueError(f"`{name}` must be ('product', populations) if it is a pair of this kind, but is {asked!r}")
    rows = asked[1]
    if np.ndim(rows[0]) == 0:
        rows = [rows] * len(dims)
    if [len(row) for row in rows] != list(dims):
        raise ValueError(f"`{name}` must have populations of sites with {tuple(dims)} levels, but has {np.shape(rows)}")
    total = np.ones(1)
    for site, row in enumerate(rows):
        p = np.asarray(row, dtype=float)
        if np.any(p < 0) or abs(p.sum() - 1) > 1e-9:
            raise ValueError(f"`{name}` has populations {p.tolist()} on site {site}, which must be >= 0 and sum to 1")
        total = np.kron(total, p / p.sum())
    return total
