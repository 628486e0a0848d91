"""Entropy, mutual information, coherence and purity of states.  Natural logarithms."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from .states import Complexes, check_sites, density_matrices, eigenvalues, partial_trace

Floats = NDArray[np.float64]


def von_neumann_entropy(state: ArrayLike, *, kets: bool | None = None) -> Floats:
    """-Tr[ρ ln ρ], (...).  Concave: the average over trajectory states is never above that of the averaged state."""
    return np.asarray(entr(eigenvalues(density_matrices(state, kets=kets))).sum(axis=-1))


def purity(state: ArrayLike, *, kets: bool | None = None) -> Floats:
    """Tr[ρ^2], (...)."""
    return np.asarray((np.abs(density_matrices(state, kets=kets)) ** 2).sum(axis=(-2, -1)))


def mutual_information(
    state: ArrayLike, dims: Sequence[int], sites: int | Sequence[int] = 0, *, kets: bool | None = None
) -> Floats:
    """S(A) + S(B) - S(AB) between some sites and the rest, (...); zero for product states only."""
    rho = density_matrices(state, kets=kets)
    part = check_sites([sites] if isinstance(sites, int) else sites, dims)
    rest = [s for s in range(len(dims)) if s not in part]
    if not rest:
        raise ValueError(f"`sites` must leave at least one site as the other part, but are all of {tuple(dims)}.")
    pieces = [von_neumann_entropy(partial_trace(rho, dims, p, kets=False), kets=False) for p in (part, rest)]
    return np.asarray(pieces[0] + pieces[1] - von_neumann_entropy(rho, kets=False))


def l1_coherence(state: ArrayLike, basis: ArrayLike | None = None, *, kets: bool | None = None) -> Floats:
    """Sum of the absolute off-diagonal elements (Baumgratz, Cramer, Plenio 2014), in a basis given as columns."""
    rho = _in_basis(density_matrices(state, kets=kets), basis)
    size = np.abs(rho)
    return np.asarray(size.sum(axis=(-2, -1)) - np.trace(size, axis1=-2, axis2=-1))


def relative_entropy_of_coherence(
    state: ArrayLike, basis: ArrayLike | None = None, *, kets: bool | None = None
) -> Floats:
    """S(diagonal of ρ) - S(ρ) (Baumgratz, Cramer, Plenio 2014), in a basis given as columns."""
    rho = _in_basis(density_matrices(state, kets=kets), basis)
    diagonal = np.maximum(np.real(np.diagonal(rho, axis1=-2, axis2=-1)), 0.0)
    return np.asarray(entr(diagonal).sum(axis=-1) - von_neumann_entropy(rho, kets=False))


def _in_basis(rho: Complexes, basis: ArrayLike | None) -> Complexes:
    if basis is None:
        return rho
    columns = np.asarray(basis, dtype=complex)
    if columns.shape != rho.shape[-2:]:
        raise ValueError(f"`basis` must hold {rho.shape[-1]} columns of that length, but has shape {columns.shape}.")
    return np.asarray(columns.conj().T @ rho @ columns)
