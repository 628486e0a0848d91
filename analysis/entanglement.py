"""Concurrence and negativity.

The trap of every nonlinear functional: **the average over trajectories of a functional is not the functional of the
average state**.  Concurrence averaged over pure trajectory states depends on the unravelling and is never below that
of the averaged state; the entanglement of a machine is the latter.  `mean_of_functional` and `functional_of_mean`
give both.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .states import check_dims, check_sites, density_matrices, partial_transpose

Floats = NDArray[np.float64]
FLIP = np.array([[0, 0, 0, -1], [0, 0, 1, 0], [0, 1, 0, 0], [-1, 0, 0, 0]], dtype=complex)  # sigma_y x sigma_y


def concurrence(state: ArrayLike, *, signed: bool = False, kets: bool | None = None) -> Floats:
    r"""Wootters concurrence of two qubits.

    .. math:: C = \max(0, \lambda_1 - \lambda_2 - \lambda_3 - \lambda_4),

    λ the square roots of the eigenvalues of ρ ρ̃.  They are computed as the singular values of :math:`W^T (\sigma_y
    \otimes \sigma_y) W` with ρ = W W†, which never meets the square root of a rounding error of a non-Hermitian
    matrix (Wootters 1998).

    Parameters
    ----------
    state : (4,), (4, 4) or (..., 4, 4) array_like
    signed : bool
        Leave out the maximum: a smooth function of the state, negative where there is no entanglement.
    kets : bool, optional
        See `collide.analysis.states.density_matrices`.

    Returns
    -------
    (...) float
        Average the state first: see the module's note on averages.
    """
    rho = density_matrices(state, kets=kets)
    if rho.shape[-1] != 4:
        raise ValueError(f"`state` must be of two qubits, dimension 4, but has dimension {rho.shape[-1]}.")
    p, vectors = np.linalg.eigh(rho)
    root = vectors * np.sqrt(np.maximum(p, 0.0))[..., None, :]
    values = np.linalg.svd(np.swapaxes(root, -1, -2) @ FLIP @ root, compute_uv=False)
    plain = 2 * values[..., 0] - values.sum(axis=-1)
    return np.asarray(plain if signed else np.maximum(plain, 0.0))


def negativity(
    state: ArrayLike,
    dims: Sequence[int],
    sites: int | Sequence[int] = 0,
    *,
    logarithmic: bool = False,
    kets: bool | None = None,
) -> Floats:
    r"""Negativity between some sites and the rest, :math:`(\|\rho^{T_A}\|_1 - 1)/2` (Vidal, Werner 2002).

    Parameters
    ----------
    state : (d,), (d, d) or (..., d, d) array_like
    dims : sequence of int
    sites : int or sequence of int
        Part A.
    logarithmic : bool
        Return log2 of the trace norm instead.
    """
    rho = density_matrices(state, kets=kets)
    check_dims(rho, dims)
    part = check_sites([sites] if isinstance(sites, int) else sites, dims)
    norm = np.abs(np.linalg.eigvalsh(partial_transpose(rho, dims, part, kets=False))).sum(axis=-1)
    # the trace, not 1, is taken off: a state normalised to rounding only must not look entangled
    trace = np.real(np.trace(rho, axis1=-2, axis2=-1))
    return np.asarray(np.log2(norm / trace) if logarithmic else np.maximum(norm - trace, 0.0) / 2)
