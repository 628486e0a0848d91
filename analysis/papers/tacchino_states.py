"""What is read off a state of two qubits: the populations of the diamond G, S, A, E and the concurrence they give."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collide.machines.collective_formulas import LEVELS, diamond

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

GROUND = np.array([1, 0, 0, 0], dtype=complex)


def diamond_populations(rho: ArrayLike) -> Floats:
    """Populations (..., 4) of G, S, A, E in states (..., 4, 4) of two qubits."""
    kets = diamond()
    return np.asarray(np.einsum("fa,...ab,fb->...f", kets.conj(), np.asarray(rho), kets).real)


def by_level(rho: ArrayLike) -> dict[str, float]:
    """The four populations by name."""
    return dict(zip(LEVELS, diamond_populations(rho).tolist(), strict=True))


def signed_from_populations(p: ArrayLike) -> Any:
    r""":math:`|p_S-p_A|-2\sqrt{p_Gp_E}` of populations (..., 4): the concurrence of a diamond without its maximum.

    It is :math:`(N_1-N_2)/d` of Tacchino et al. 2018, Eq. 4.  For a state that is diagonal in the diamond it equals
    :math:`\lambda_1-\lambda_2-\lambda_3-\lambda_4` wherever that is positive.
    """
    G, S, A, E = np.moveaxis(np.maximum(np.asarray(p, dtype=float), 0.0), -1, 0)
    return np.abs(S - A) - 2 * np.sqrt(G * E)


def slopes(p: ArrayLike) -> Floats:
    """Derivatives (4,) of `signed_from_populations`; 0 along a level that is empty, where there is none."""
    G, S, A, E = (float(x) for x in np.asarray(p))
    sign = float(np.sign(S - A))
    ends = (-math.sqrt(E / G), -math.sqrt(G / E)) if G > 0 and E > 0 else (0.0, 0.0)
    return np.array([ends[0], sign, -sign, ends[1]])


def spread_of_signed(p: ArrayLike) -> float:
    """Standard error times sqrt(n) of the signed concurrence when n trajectories are found in G, S, A or E."""
    p = np.asarray(p, dtype=float)
    g = slopes(p)
    return math.sqrt(max(float(p @ g**2) - float(p @ g) ** 2, 0.0))


def two_qubits(kets: ArrayLike) -> Complexes:
    """States (n, 4, 4) of the first two sites, both qubits, from kets (n, d) of the whole."""
    parts = np.asarray(kets, dtype=complex)
    parts = parts.reshape(len(parts), 4, -1)
    return np.asarray(np.einsum("nak,nbk->nab", parts, parts.conj()))
