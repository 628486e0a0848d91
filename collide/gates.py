r"""A chain's free evolution as gates between neighbours.

A Hamiltonian of neighbours is :math:`H=\sum_j h_{j,j+1}`.  Bonds that share no site commute, so they come in two
layers, A (bonds 0, 2, ... and all that acts on single sites) and B (bonds 1, 3, ...), and one period of the symmetric
product formula is

.. math:: e^{-iB\tau/2}\,e^{-iA\tau}\,e^{-iB\tau/2} = e^{-iH\tau} + O(\tau^3\,\|[A,[A,B]]\|),

an error of second order in tau at a given time (Strang 1968, "On the construction and comparison of difference
schemes").  Each factor is a product of gates on two sites; nothing larger is ever exponentiated.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from collide.exact.process import Complexes, Ints, Sparse, Unitary, embed
from collide.exchange import sparse_unitary

BEYOND = 1e-10  # what may be left of H, relative to its largest entry, when all terms are taken away
DUST = 1e-14  # entries of a term below this, relative to its largest, are rounding


def strang_gates(H: Sparse, dims: Sequence[int], tau: float) -> list[Unitary]:
    """Gates of one period of the symmetric product formula, in the order in which they act.

    Parameters
    ----------
    H : (d, d) sparse
        Sum of terms on one site or on two neighbouring ones.
    dims : sequence of int
        Dimensions of the sites, two or more.
    tau : float
        Length of a period.

    Raises
    ------
    ValueError
        For a single site, or an `H` that couples other sites than neighbours.
    """
    terms = neighbour_terms(H, dims)
    inner = [_gate(term, sites, tau / 2) for sites, term in terms if sites[0] % 2]
    outer = [_gate(term, sites, tau) for sites, term in terms if not sites[0] % 2]
    return [*inner, *outer, *inner]


def _gate(term: Complexes, sites: tuple[int, ...], duration: float) -> Unitary:
    return Unitary(sparse_unitary(sp.csr_array(term), duration), sites)


def neighbour_terms(H: Sparse, dims: Sequence[int]) -> list[tuple[tuple[int, ...], Complexes]]:
    r"""Terms of a Hamiltonian of neighbours: one for each bond, and one for a last site that no even bond touches.

    Partial traces tell what belongs to one and to two sites.  What belongs to a single site goes to the even bond that
    touches it, so that all of it acts at once: then a uniform field commutes with all else, as it should.  A constant
    is left out.

    Parameters
    ----------
    H : (d, d) sparse
    dims : sequence of int

    Returns
    -------
    list of (sites, (k, k) complex)
        k the product of the sites' dimensions.

    Raises
    ------
    ValueError
        As `strang_gates`.
    """
    dims, count = tuple(dims), len(dims)
    if count < 2:
        raise ValueError(
            f"construction='gates' needs a chain of sites, but `dims` is {dims}: name the sites, or take 'split'"
        )
    entries = sp.coo_array(H)
    row, column = np.array(np.unravel_index(entries.row, dims)), np.array(np.unravel_index(entries.col, dims))
    mean = complex(entries.diagonal().sum()) / int(np.prod(dims))
    own = [_partial_trace(entries.data, row, column, dims, (j,)) - mean * np.eye(dims[j]) for j in range(count)]
    found: list[tuple[tuple[int, ...], Complexes]] = []
    for j in range(count - 1):
        pair = _partial_trace(entries.data, row, column, dims, (j, j + 1)) - mean * np.eye(dims[j] * dims[j + 1])
        if j % 2:
            pair = pair - np.kron(own[j], np.eye(dims[j + 1])) - np.kron(np.eye(dims[j]), own[j + 1])
        found.append(((j, j + 1), _dusted(pair)))
    if count % 2:
        found.append(((count - 1,), _dusted(own[-1])))
    _check(H, mean, found, dims)
    return found


def _dusted(term: Complexes) -> Complexes:
    return np.where(np.abs(term) > DUST * np.abs(term).max(initial=0.0), term, 0.0)


def _partial_trace(
    data: Complexes, row: Ints, column: Ints, dims: tuple[int, ...], sites: tuple[int, ...]
) -> Complexes:
    """(k, k) average over all other sites, from the entries of a (d, d) operator."""
    kept = np.ones(len(data), dtype=bool)
    for site in range(len(dims)):
        if site not in sites:
            kept &= row[site] == column[site]
    inner = tuple(dims[site] for site in sites)
    at = [np.ravel_multi_index(tuple(index[site][kept] for site in sites), inner) for index in (row, column)]
    k = int(np.prod(inner))
    out: Complexes = np.zeros((k, k), dtype=np.complex128)
    np.add.at(out, (at[0], at[1]), data[kept])
    out *= k / int(np.prod(dims))
    return out


def _check(H: Sparse, mean: complex, terms: list[tuple[tuple[int, ...], Complexes]], dims: tuple[int, ...]) -> None:
    identity: Sparse = sp.eye_array(H.shape[0], dtype=complex, format="csr")
    left = sp.csr_array(H, dtype=complex) - mean * identity
    scale = float(abs(H).max()) if H.nnz else 1.0
    for sites, term in terms:
        left = left - embed(term, sites, dims)
    worst = float(abs(left).max()) if left.nnz else 0.0
    if worst > BEYOND * scale:
        raise ValueError(
            f"construction='gates' needs an `H` that couples neighbouring sites of {dims} only, but terms up to"
            f" {worst:.3g} reach further: order the sites along the chain, or take construction='split'"
        )
