"""Ergotropy: the work that a unitary can take out of a state.

Trap: ergotropy is convex, so its average over trajectory states is never below that of the averaged state; what a
machine offers to someone who does not read the record is the latter.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .states import Complexes, density_matrices, eigenvalues, partial_trace

Floats = NDArray[np.float64]


def ergotropy(state: ArrayLike, H: ArrayLike, *, kets: bool | None = None) -> Floats:
    r"""Largest work a unitary can extract (Allahverdyan, Balian, Nieuwenhuizen 2004).

    .. math:: \mathcal W = \mathrm{Tr}[\rho H] - \sum_k r_k^\downarrow \epsilon_k^\uparrow .

    Parameters
    ----------
    state : (d,), (d, d) or (..., d, d) array_like
    H : (d, d) array_like
        Hamiltonian whose energy is extracted.

    Returns
    -------
    (...) float
        Never negative; zero for a passive state.
    """
    rho, ham = density_matrices(state, kets=kets), _hamiltonian(H)
    _check(rho, ham)
    energy = np.real(np.einsum("...ij,ji->...", rho, ham))
    passive = (eigenvalues(rho)[..., ::-1] * np.linalg.eigvalsh(ham)).sum(axis=-1)
    return np.maximum(np.asarray(energy - passive), 0.0)


def local_ergotropy(
    state: ArrayLike, dims: Sequence[int], sites: int | Sequence[int], H: ArrayLike, *, kets: bool | None = None
) -> Floats:
    """Ergotropy of some sites alone: of their reduced state with respect to their own Hamiltonian `H`."""
    return ergotropy(partial_trace(state, dims, sites, kets=kets), H, kets=False)


def passive_state(state: ArrayLike, H: ArrayLike, *, kets: bool | None = None) -> Complexes:
    """The state left when the ergotropy is taken: same eigenvalues, the largest on the lowest level of `H`."""
    rho, ham = density_matrices(state, kets=kets), _hamiltonian(H)
    _check(rho, ham)
    _, levels = np.linalg.eigh(ham)
    return np.asarray(np.einsum("ik,...k,jk->...ij", levels, eigenvalues(rho)[..., ::-1], levels.conj()))


def _hamiltonian(H: ArrayLike) -> Complexes:
    full = getattr(H, "full", None)
    dense = getattr(H, "toarray", None)
    return np.asarray(full() if callable(full) else dense() if callable(dense) else H, dtype=complex)


def _check(rho: Complexes, ham: Complexes) -> None:
    if ham.shape != rho.shape[-2:]:
        raise ValueError(f"`H` must have shape {rho.shape[-2:]} like the state, but has shape {ham.shape}.")
