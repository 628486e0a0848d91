"""Subspaces that a process never leaves: why a steady state is not unique, said in a sentence."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from collide.exact.process import Floats, Ints, Sparse
from collide.exact.sectors import Sector
from collide.exact.small import is_small, reach
from collide.later import later

la = later("scipy.linalg")
csgraph = later("scipy.sparse.csgraph")

SAME = 1e-8  # eigenvalues of a conserved quantity closer than this belong to one subspace


class Dimensions(NamedTuple):
    """Conserved subspaces that no basis states span: only their dimensions are worth saying."""

    sizes: tuple[int, ...]


def closed_classes(matrix: Sparse | Floats) -> list[Ints]:
    """Sets of coordinates that reach one another and nothing else; ``matrix[a, b]`` leads from b to a."""
    size = matrix.shape[0]
    if is_small(size) and isinstance(matrix, np.ndarray):
        to = reach(matrix != 0)
        closed = ~(to & ~to.T).any(axis=0)  # whatever is reached from b leads back to b
        return [np.flatnonzero(to[:, b]) for b in np.flatnonzero(closed) if b == np.argmax(to[:, b])]
    leads: Sparse = sp.csr_array(matrix)
    n, label = csgraph.connected_components(leads.T != 0, directed=True, connection="strong")
    if n == 1:
        return [np.arange(size)]
    entries = sp.coo_array(leads)
    source, target = label[entries.col], label[entries.row]
    left = np.zeros(n, bool)
    left[source[(source != target) & (entries.data != 0)]] = True
    return [np.flatnonzero(label == c) for c in np.flatnonzero(~left)]


def conserved_subspaces(matrix: Floats, sector: Sector) -> list[Ints] | Dimensions:
    """The subspaces between which a generator (or a period map minus one) moves no probability.

    Parameters
    ----------
    matrix : (m, m) float
    sector : Sector

    Returns
    -------
    list of arrays of basis states, or Dimensions
        The latter where superpositions of basis states span them.
    """
    d = sector.d
    classes = [c[c < d] for c in closed_classes(matrix)]
    classes = [c for c in classes if len(c)]
    if len(classes) > 1:
        return classes
    left, singular, right = la.svd(matrix)
    null = singular <= 1e-12 * singular[0] if singular[0] > 0 else np.ones(len(singular), bool)
    conserved, stationary = left[:, null], right[null].T
    overlap = la.pinv(conserved.T @ stationary)
    uniform = np.zeros(sector.size)
    uniform[:d] = 1.0 / d
    final = sector.matrix(stationary @ overlap @ (conserved.T @ uniform))
    weight, states = la.eigh(final)
    support = states[:, weight > SAME * weight.max()]
    # irrational coefficients, so that two different subspaces do not share a value by accident
    mixture = sector.matrix(conserved @ np.sqrt(np.arange(2, 2 + int(null.sum()))))
    values = la.eigvalsh(support.conj().T @ mixture @ support)
    edges = np.flatnonzero(np.diff(values) > SAME * max(1.0, float(np.abs(values).max()))) + 1
    return Dimensions(tuple(len(part) for part in np.split(values, edges)))


def sentence(subspaces: Sequence[Ints] | Dimensions, dims: Sequence[int]) -> str:
    """One sentence that names the conserved subspaces and says what to do."""
    remedy = "start `evolve` from a state inside one of them, or add a channel that connects them"
    if isinstance(subspaces, Dimensions):
        sizes = " and ".join(map(str, subspaces.sizes))
        return f"the steady state is not unique: there are conserved subspaces of dimensions {sizes}; {remedy}"
    if len(subspaces) < 2:
        return f"the steady state is not unique to working precision: there is a second conserved subspace; {remedy}"
    named = " and ".join(_states(s, dims) for s in subspaces)
    return f"the steady state is not unique: probability stays for ever in each of the subspaces {named}; {remedy}"


def _states(states: Ints, dims: Sequence[int]) -> str:
    """Basis states of a composite space as kets; long lists are cut."""
    comma = "," if max(dims) > 10 else ""
    kets = ["|" + comma.join(str(int(x)) for x in np.unravel_index(s, tuple(dims))) + ">" for s in states[:6]]
    more = f", ... ({len(states)} states)" if len(states) > 6 else ""
    return "{" + ", ".join(kets) + more + "}"
