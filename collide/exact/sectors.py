"""Sectors: the density-matrix elements that a process can ever populate, as real coordinates.

Starting from the diagonal (and from the elements of an initial state) the terms are followed until nothing new is
reached.  The elements found span an invariant subspace: 94 of 4096 for two qubits on a rotor, 924 of 4096 for six
qubits.  States are Hermitian, so the subspace is described by real coordinates, orthonormal in the Hilbert-Schmidt
product: the d populations first, then sqrt(2) Re and sqrt(2) Im of the elements above the diagonal.  Of these only the
ones that are really reached are kept: with a real Hamiltonian half of the coherences never appear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.exact.jets import Numbers
from collide.exact.process import Complexes, Floats, Ints, Sparse
from collide.exact.small import is_small
from collide.exact.superoperator import Terms
from collide.later import later

csgraph = later("scipy.sparse.csgraph")

ROOT2 = np.sqrt(2.0)
LARGEST = 2e7  # entries of an element of a process: about two gigabytes while it is made
FEW = 2000  # entries up to which passing over all of them costs less than a call of a graph search
ROUNDING = 1e-14  # elements of a state below this fraction of its largest are rounding, not physics


@dataclass(frozen=True)
class Sector:
    """Real coordinates of the Hermitian matrices that live on some elements.

    Attributes
    ----------
    d : int
        Dimension of the Hilbert space.
    i, j : (P,) int
        The elements above the diagonal, i < j.
    keep : (m,) int
        Which of the d + 2P coordinates are reached; the first d always are.
    """

    d: int
    i: Ints
    j: Ints
    keep: Ints

    @property
    def size(self) -> int:
        """Number m of coordinates."""
        return len(self.keep)

    def vector(self, rho: Complexes) -> Floats:
        """Coordinates (m,) of a Hermitian matrix (d, d): its part in the sector."""
        above = ROOT2 * rho[self.i, self.j]
        return np.concatenate([rho.diagonal().real, above.real, above.imag])[self.keep]

    def matrix(self, x: Floats) -> Complexes:
        """The Hermitian matrix (d, d) with coordinates x (m,)."""
        whole = np.zeros(self.d + 2 * len(self.i))
        whole[self.keep] = x
        above = (whole[self.d : self.d + len(self.i)] + 1j * whole[self.d + len(self.i) :]) / ROOT2
        rho = np.zeros((self.d, self.d), complex)
        rho[self.i, self.j] = above
        rho[self.j, self.i] = above.conj()
        rho[np.arange(self.d), np.arange(self.d)] = whole[: self.d]
        return rho

    def functional(self, operator: Sparse) -> Floats:
        """Row (m,) f with ``f @ x = Re Tr[operator rho]``; dense or sparse operators."""
        # SciPy returns a sparse array, not an empty vector, for an empty list of entries
        below, upper = (
            (np.asarray(operator[self.j, self.i]), np.asarray(operator[self.i, self.j]))
            if len(self.i)
            else (np.zeros(0, complex), np.zeros(0, complex))
        )
        return np.concatenate([operator.diagonal().real, (below + upper).real / ROOT2, (upper - below).imag / ROOT2])[
            self.keep
        ]

    @property
    def trace(self) -> Floats:
        """Row (m,) of the trace."""
        row = np.zeros(self.size)
        row[: self.d] = 1.0
        return row

    def contains(self, rho: Complexes) -> bool:
        """Whether a state has no element outside, up to rounding."""
        rest = rho - self.matrix(self.vector(rho))
        return bool(np.abs(rest).max() <= ROUNDING * np.abs(rho).max())


@dataclass(frozen=True)
class Labelled:
    """Superoperators in the coordinates of a sector, one for each part, as one list of entries.

    Attributes
    ----------
    size : int
        Number m of coordinates.
    nparts : int
    part, row, column : (nnz,) int
    value : (nnz,) float
    """

    size: int
    nparts: int
    part: Ints
    row: Ints
    column: Ints
    value: Floats

    def weighted(self, factor: Numbers) -> Numbers:
        """Dense (m, m) sum of the parts, each times its factor; complex where the factors are."""
        data = self.value * factor[self.part]
        place = self.row * self.size + self.column
        n = self.size**2
        if np.iscomplexobj(data):
            total = np.bincount(place, data.real, n) + 1j * np.bincount(place, data.imag, n)
        else:
            total = np.bincount(place, data, n)
        return total.reshape(self.size, self.size)

    def weighted_sparse(self, factor: Numbers) -> Sparse:
        """As `weighted`, in compressed rows."""
        data = self.value * factor[self.part]
        return sp.csr_array((data, (self.row, self.column)), shape=(self.size, self.size))

    def rates(self, d: int) -> Floats:
        """Rows (P, m) of the trace after each part: weight of the part in a state."""
        inside = self.row < d
        place = self.part[inside] * self.size + self.column[inside]
        total: Any = np.bincount(place, self.value[inside], self.nparts * self.size)
        return total.reshape(self.nparts, self.size)

    def restricted(self, keep: Ints) -> "Labelled":
        """The same on some of the coordinates, which must be invariant."""
        new = np.full(self.size, -1)
        new[keep] = np.arange(len(keep))
        row, column = new[self.row], new[self.column]
        inside = (row >= 0) & (column >= 0)
        return Labelled(len(keep), self.nparts, self.part[inside], row[inside], column[inside], self.value[inside])


def find_sector(elements: Sequence[tuple[Terms, int]], seed: NDArray[np.bool_] | None) -> tuple[Sector, list[Labelled]]:
    """Follow the terms from the diagonal, and write every element of the process in the coordinates reached.

    Parameters
    ----------
    elements : sequence of (Terms, number of parts)
    seed : (d, d) bool or None
        Further density-matrix elements to start from, those of an initial state.

    Returns
    -------
    Sector, list of Labelled
    """
    d = elements[0][0].d
    reached, images = _closure(elements, d, seed)
    i, j = np.divmod(reached, d)
    off = i != j
    order = np.full(d * d, -1)
    order[reached[off]] = np.arange(int(off.sum()))  # position of |i><j|, i < j, among the pairs
    sector = Sector(d, i[off], j[off], np.arange(d + 2 * int(off.sum())))
    parts = [_real(sector, order, n, *image) for (_, n), image in zip(elements, images, strict=True)]
    start = np.arange(d)
    if seed is not None:
        wanted = np.flatnonzero((seed | seed.T)[sector.i, sector.j])
        start = np.concatenate([start, d + wanted, d + len(sector.i) + wanted])
    keep = _reachable(parts, start)
    return _only(sector, keep), [p.restricted(keep) for p in parts]


def _only(sector: Sector, keep: Ints) -> Sector:
    """The sector of some of the coordinates, without the elements of which neither part is kept."""
    d, P = sector.d, len(sector.i)
    pair = np.zeros(P, bool)
    pair[(keep[keep >= d] - d) % max(P, 1)] = True
    place = np.concatenate([np.ones(d, bool), pair, pair]).cumsum() - 1
    return Sector(d, sector.i[pair], sector.j[pair], place[keep])


Image = tuple[Ints, Ints, Ints, Ints, Complexes]


def _closure(elements: Sequence[tuple[Terms, int]], d: int, seed: NDArray[np.bool_] | None) -> tuple[Ints, list[Image]]:
    """Keys i d + j (i <= j) of all elements reached, and the images of each under each element of the process."""
    known = np.zeros(d * d, bool)
    known[:: d + 1] = True
    if seed is not None:
        known |= np.triu(seed | seed.T).reshape(-1)
    everything = np.triu(np.ones((d, d), bool)).reshape(-1) if is_small(d) else known
    if sum(terms.count(*np.divmod(everything.nonzero()[0], d)) for terms, _ in elements) <= FEW:
        known = everything  # quicker than to find out what is reached, which `_reachable` does anyhow
    frontier = known.nonzero()[0]
    found: list[list[Image]] = [[] for _ in elements]
    while len(frontier):
        i, j = np.divmod(frontier, d)
        new = np.zeros(d * d, bool)
        for collected, (terms, _) in zip(found, elements, strict=True):
            if (number := terms.count(i, j)) > LARGEST:
                raise ValueError(
                    f"the exact map of one element would have {number:.1e} entries on {int(known.sum())} density-matrix"
                    " elements: use fewer levels, or gates between neighbouring sites in place of one large unitary"
                )
            source, part, row, column, value = terms.image(i, j)
            collected.append((frontier[source], part, row, column, value))
            new[np.minimum(row, column) * d + np.maximum(row, column)] = True
        frontier = np.flatnonzero(new & ~known)
        known |= new
    joined = [tuple(np.concatenate(x) for x in zip(*collected, strict=True)) for collected in found]
    return np.flatnonzero(known), joined  # type: ignore[return-value]


def _real(
    sector: Sector, order: Ints, nparts: int, source: Ints, part: Ints, row: Ints, column: Ints, value: Complexes
) -> Labelled:
    """Images of ``|i><j|``, i <= j, as entries between the real coordinates.

    The image of ``|j><i|`` is the adjoint of that of ``|i><j|``.  With Y the latter, the coordinate
    ``(|i><j| + |j><i|)/sqrt(2)`` therefore goes to ``(Y + Y^dagger)/sqrt(2)``, and the one with i times the difference
    to the same with ``i Y`` for Y.
    """
    d, P = sector.d, len(sector.i)
    low, high = np.minimum(row, column), np.maximum(row, column)
    at = order[low * d + high]
    sign = np.where(row < column, 1.0, -1.0)
    on = row == column
    from_level = source // d == source % d
    pair = order[source]
    pieces = []
    # an image's lower half repeats its upper half when the source is a level
    for mask, real_row, imag_row, scale in (
        (from_level & on, row, None, 1.0),
        (from_level & (row < column), d + at, d + P + at, ROOT2),
    ):
        col = source[mask] // d
        pieces.append((part[mask], real_row[mask], col, scale * value[mask].real))
        if imag_row is not None:
            pieces.append((part[mask], imag_row[mask], col, scale * value[mask].imag))
    for turned, shift in ((value, d), (1j * value, d + P)):
        mask = ~from_level & on
        pieces.append((part[mask], row[mask], shift + pair[mask], ROOT2 * turned[mask].real))
        mask = ~from_level & ~on
        col = shift + pair[mask]
        pieces.append((part[mask], d + at[mask], col, turned[mask].real))
        pieces.append((part[mask], d + P + at[mask], col, sign[mask] * turned[mask].imag))
    part, row, column, real = (np.concatenate(x) for x in zip(*pieces, strict=True))
    return _summed(d + 2 * P, nparts, part, row, column, real)


def _summed(size: int, nparts: int, part: Ints, row: Ints, column: Ints, value: Floats) -> Labelled:
    """Add entries that share a place, in the order given, and drop zeros."""
    nonzero = value.nonzero()[0]
    place = (part[nonzero] * size + row[nonzero]) * size + column[nonzero]
    order = place.argsort(kind="stable")
    place = place[order]
    first = np.append(True, place[1:] != place[:-1])[: len(place)].nonzero()[0]
    total = np.add.reduceat(value[nonzero[order]], first) if len(first) else np.zeros(0)
    kept = total.nonzero()[0]
    tall, column = np.divmod(place[first[kept]], size)
    return Labelled(size, nparts, *np.divmod(tall, size), column, total[kept])


def _reachable(parts: Sequence[Labelled], start: Ints) -> Ints:
    """The coordinates that can become different from zero when those in `start` are."""
    size = parts[0].size
    if len(start) == size:
        return start
    row = np.concatenate([p.row for p in parts])
    column = np.concatenate([p.column for p in parts])
    if len(row) <= FEW:
        return _followed(row, column, start, size)
    # a node in front of all starting coordinates makes one search of many
    row, column = np.concatenate([row, start]), np.concatenate([column, np.full(len(start), size)])
    graph = sp.csr_array((np.ones(len(row)), (column, row)), shape=(size + 1, size + 1))
    found = csgraph.breadth_first_order(graph, size, return_predecessors=False)
    return np.sort(found[found < size])


def _followed(row: Ints, column: Ints, start: Ints, size: int) -> Ints:
    """The same for few entries, followed step by step."""
    known = np.zeros(size, bool)
    known[start] = True
    count = 0
    while (now := int(np.count_nonzero(known))) > count:
        count = now
        known[row[known[column]]] = True
    return np.flatnonzero(known)
