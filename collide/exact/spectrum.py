r"""Eigenvalues of tilted generators, whose left and right eigenvectors may differ by many powers of ten.

On a ladder of n levels the eigenvectors of a tilted generator are :math:`z^n` and :math:`w^n`.  The matrix is then so
far from normal that rounding errors are amplified by :math:`(z/w)^{n/2}`, and an eigenvalue solver returns numbers of
the order of the largest rate.  Two exact transformations help: parts of the matrix that do not return to one another
are solved apart, and within a part a diagonal similarity makes entries that face each other alike.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.exact.jets import Numbers
from collide.exact.process import Floats
from collide.later import later

la = later("scipy.linalg")
sla = later("scipy.sparse.linalg")
csgraph = later("scipy.sparse.csgraph")

ALIKE = 1e-8  # relative difference of facing entries up to which a matrix counts as symmetric


def eigenvalues(matrix: Numbers) -> Numbers:
    """All eigenvalues of a dense real or complex matrix (m, m), in any order, (m,) complex."""
    count, label = csgraph.connected_components(sp.csr_array(matrix != 0), directed=True, connection="strong")
    parts = [np.flatnonzero(label == part) for part in range(count)] if count < len(matrix) else []
    found = [_of_part(matrix[np.ix_(part, part)]) for part in parts]
    return np.concatenate(found) if found else np.diag(matrix).astype(complex)


def _of_part(matrix: Numbers) -> Numbers:
    """Eigenvalues of a part whose states all reach one another."""
    even = facing_alike(matrix)
    if not np.iscomplexobj(even) and np.allclose(even, even.T, rtol=ALIKE, atol=0.0):
        # a ladder or a tree; what a ring of this affinity adds is of second order in it
        symmetric = np.sign(matrix) * np.sqrt(matrix * matrix.T)
        return la.eigvalsh(symmetric, check_finite=False).astype(complex)
    return la.eigvals(even, check_finite=False)


def facing_alike(matrix: Numbers) -> Numbers:
    r"""A similar matrix :math:`e^{-x_i} M_{ij} e^{x_j}` with :math:`|M_{ij}| \approx |M_{ji}|`.

    The x minimise the sum of :math:`(\ln|M_{ij}| - \ln|M_{ji}| - 2x_i + 2x_j)^2` over the pairs with both entries:
    exact on trees, so that a ladder becomes symmetric; on rings, what the ring gains in one turn is spread over its
    edges.
    """
    size = np.abs(matrix)
    i, j = np.nonzero(np.triu((size > 0) & (size.T > 0), 1))
    if len(i) == 0:
        return matrix
    x = _heights(len(matrix), i, j, 0.5 * np.log(size[i, j] / size[j, i]))
    row, column = np.nonzero(matrix)
    scaled = np.zeros_like(matrix)
    scaled[row, column] = matrix[row, column] * np.exp(x[column] - x[row])
    return scaled


def _heights(n: int, i: Any, j: Any, difference: Floats) -> Floats:
    """(n,) least-squares solution x of ``x_i - x_j = difference``, zero at the first node of every component."""
    edges = np.arange(len(i))
    graph = sp.csr_array(
        (np.repeat([1.0, -1.0], len(i)), (np.tile(edges, 2), np.concatenate([i, j]))), shape=(len(i), n)
    )
    _, component = csgraph.connected_components(graph.T @ graph, directed=False)
    free = np.setdiff1d(np.arange(n), np.unique(component, return_index=True)[1])
    x = np.zeros(n)
    if len(free):
        ours = graph[:, free]
        x[free] = sla.spsolve((ours.T @ ours).tocsc(), ours.T @ difference)
    return x
