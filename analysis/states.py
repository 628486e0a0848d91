"""States as stacks of density matrices, whatever shape they come in."""

from collections.abc import Sequence
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Complexes = NDArray[np.complex128]
Floats = NDArray[np.float64]


def density_matrices(state: ArrayLike, *, kets: bool | None = None) -> Complexes:
    """Turn a ket (d,), a state (d, d), or a stack of either into density matrices (..., d, d).

    Parameters
    ----------
    state : array_like
        Anything with ``.full()`` is accepted too.
    kets : bool, optional
        Whether the last axis alone is the state.  If omitted: True for one axis, and for a last axis that differs
        from the one before.  A square stack of d kets of length d is ambiguous and read as one density matrix: say
        ``kets=True``.
    """
    full = getattr(state, "full", None)
    array = np.asarray(full() if callable(full) else state, dtype=complex)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]  # a column, as QuTiP writes kets
    as_kets = array.ndim == 1 or array.shape[-1] != array.shape[-2] if kets is None else kets
    if as_kets:
        return np.asarray(array[..., :, None] * array[..., None, :].conj())
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise ValueError(
            f"`state` must be a ket (d,), a matrix (d, d) or a stack (..., d, d), but has shape {array.shape}."
        )
    return array


def eigenvalues(rho: Complexes) -> Floats:
    """Eigenvalues (..., d), ascending, rounding below zero cut off."""
    return np.maximum(np.linalg.eigvalsh(rho), 0.0)


def check_dims(rho: Complexes, dims: Sequence[int]) -> None:
    """Refuse `dims` whose product is not the states' dimension."""
    if math.prod(dims) != rho.shape[-1]:
        raise ValueError(f"`dims` must have product {rho.shape[-1]}, the states' dimension, but are {tuple(dims)}.")


def check_sites(sites: Sequence[int], dims: Sequence[int]) -> tuple[int, ...]:
    """Sites as a sorted tuple; an error for repeated or unknown ones."""
    chosen = tuple(sorted({int(s) for s in sites}))
    if len(chosen) != len(tuple(sites)) or not chosen or chosen[0] < 0 or chosen[-1] >= len(dims):
        raise ValueError(f"`sites` must be different numbers from 0 to {len(dims) - 1}, but are {tuple(sites)}.")
    return chosen


def partial_trace(
    state: ArrayLike, dims: Sequence[int], keep: int | Sequence[int], *, kets: bool | None = None
) -> Complexes:
    """Reduced states (..., k, k) of the sites `keep` (in their order in the space)."""
    rho = density_matrices(state, kets=kets)
    check_dims(rho, dims)
    kept = check_sites([keep] if isinstance(keep, int) else keep, dims)
    sites, lead = len(dims), rho.ndim - 2
    tensor = rho.reshape(*rho.shape[:-2], *dims, *dims)
    rows = list(range(lead, lead + sites))
    cols = [lead + sites + s if s in kept else rows[s] for s in range(sites)]
    out = [*range(lead), *(rows[s] for s in kept), *(cols[s] for s in kept)]
    size = math.prod(dims[s] for s in kept)
    einsum: Any = np.einsum  # its annotations lack the form with lists of axes
    traced = einsum(tensor, [*range(lead), *rows, *cols], out)
    return np.asarray(traced.reshape(*rho.shape[:-2], size, size))


def partial_transpose(
    state: ArrayLike, dims: Sequence[int], sites: int | Sequence[int], *, kets: bool | None = None
) -> Complexes:
    """States (..., d, d) transposed on some sites."""
    rho = density_matrices(state, kets=kets)
    check_dims(rho, dims)
    chosen = check_sites([sites] if isinstance(sites, int) else sites, dims)
    count, lead = len(dims), rho.ndim - 2
    order = list(range(lead + 2 * count))
    for s in chosen:
        order[lead + s], order[lead + count + s] = order[lead + count + s], order[lead + s]
    return np.asarray(rho.reshape(*rho.shape[:-2], *dims, *dims).transpose(order).reshape(rho.shape))
