"""The basis in which a state is read: its eigenbasis, computational wherever the state is diagonal there."""

from typing import Any, NamedTuple

import numpy as np

from collide.exact.process import Complexes, Floats
from collide.exact.small import components, members

DUST = 1e-13  # off-diagonal elements of a state below this are rounding
ROUNDING = 1e-15  # an eigenvalue below this, found by diagonalisation, counts as zero


class Outcomes(NamedTuple):
    """Orthonormal kets and the probabilities of their outcomes.

    kets (n, d) complex, sparse where a system is too large for dense ones, p (n,) float
    """

    kets: Any
    p: Floats


def eigenbasis_of(rho: Complexes) -> Outcomes:
    """Complete eigenbasis of a state; computational wherever it is diagonal there, also if degenerate.

    Coherent blocks are diagonalised apart, so that kets keep the conserved quantities the state has.  Populations of
    the computational part keep their relative accuracy; eigenvalues below 1e-15 of a coherent block count as 0.
    """
    d = len(rho)
    coherent = np.abs(rho) > DUST
    coherent[np.arange(d), np.arange(d)] = False
    kets, p = np.eye(d, dtype=complex), np.maximum(rho.diagonal().real, 0.0)
    if coherent.any():
        for states in members(components(d, *np.nonzero(coherent))):
            if len(states) == 1:
                continue
            values, vectors = np.linalg.eigh(rho[states[:, None], states])
            kets[states[:, None], states] = vectors.T
            p[states] = np.where(values > ROUNDING, values, 0.0)
    return Outcomes(kets, p / p.sum())


def outcomes_in(kets: Complexes, rho: Complexes) -> Outcomes:
    """The outcomes of measuring a state in an orthonormal basis (n, d)."""
    p = np.einsum("ia,ab,ib->i", kets.conj(), rho, kets).real
    return Outcomes(kets, np.where(p > ROUNDING, p, 0.0))
