"""Superoperators as sums of terms ``A rho B^dagger``, kept as the few entries of A and B.

A row-major superoperator of a d-level system has d^4 entries; the terms have a few per level.  Every element of a
process becomes such a sum, split into *parts*: what happens with the same row of counts belongs to one part, and part
0 of a flow (and of a unitary) is what happens without any count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.exact.process import Complexes, Flow, Instrument, Ints, Process, Sparse, Unitary
from collide.exact.small import Operators
from collide.exact.stacked import SparseStack
from collide.later import later

la = later("scipy.linalg")
csgraph = later("scipy.sparse.csgraph")

NO_WEIGHT = 1e-15  # amplitude, relative to the largest of its group, whose square no double can see

Entries = tuple[Ints, Ints, Ints, Complexes]
"""Entries of several operators: number of the operator, row, column, value."""


@dataclass(frozen=True)
class Stack:
    """Several d x d operators, readable by column: the entries of column i of operator t start at ``start[t d + i]``.

    Attributes
    ----------
    start : (T d + 1,) int
    row : (nnz,) int
    value : (nnz,) complex
    """

    start: Ints
    row: Ints
    value: Complexes


@dataclass(frozen=True)
class Terms:
    """The superoperators ``sum_t A_t rho B_t^dagger``, one sum for each part.

    Attributes
    ----------
    d : int
        Dimension of the Hilbert space.
    left, right : Stack
        The operators A and B.
    part : (T,) int
        The part to which a term belongs.
    """

    d: int
    left: Stack
    right: Stack
    part: Ints

    def image(self, i: Ints, j: Ints) -> tuple[Ints, Ints, Ints, Ints, Complexes]:
        """Where the elements ``|i><j|`` go.

        Parameters
        ----------
        i, j : (n,) int
            Rows and columns of the elements.

        Returns
        -------
        source : (N,) int
            Position of the element among the n given.
        part, row, column : (N,) int
        value : (N,) complex
            Element ``|row><column|`` of the image under this part; a place may occur more than once.
        """
        shift = self.d * np.arange(len(self.part))[:, None]
        of_left, of_right = (shift + i).reshape(-1), (shift + j).reshape(-1)
        nleft = self.left.start[of_left + 1] - self.left.start[of_left]
        nright = self.right.start[of_right + 1] - self.right.start[of_right]
        number = nleft * nright
        pair = np.repeat(np.arange(len(number)), number)
        within = np.arange(len(pair)) - np.repeat(number.cumsum() - number, number)
        at_left = self.left.start[of_left][pair] + within // nright[pair]
        at_right = self.right.start[of_right][pair] + within % nright[pair]
        value = self.left.value[at_left] * self.right.value[at_right].conj()
        return pair % len(i), self.part[pair // len(i)], self.left.row[at_left], self.right.row[at_right], value

    def count(self, i: Ints, j: Ints) -> int:
        """Number of entries that `image` would return, so that a product too large is noticed before it is made."""
        columns = self.d * np.arange(len(self.part))[:, None]
        nleft, nright = np.diff(self.left.start), np.diff(self.right.start)
        return int((nleft[columns + i] * nright[columns + j]).sum())


def entries(operators: Iterable[Sparse] | Complexes) -> Entries:
    """The entries of several operators, sparse or dense, as one list."""
    given = operators if isinstance(operators, np.ndarray) else list(operators)
    if len(given) and isinstance(given[0], np.ndarray):
        dense = np.asarray(given)
        term, row, column = dense.nonzero()
        return term, row, column, dense[term, row, column].astype(complex)
    found = []
    for t, operator in enumerate(given):
        m = sp.coo_array(operator)
        found.append((np.full(m.nnz, t), m.row.astype(np.int64), m.col.astype(np.int64), m.data.astype(complex)))
    if not found:
        none = np.zeros(0, np.int64)
        return none, none, none, np.zeros(0, complex)
    term, row, column, value = (np.concatenate(x) for x in zip(*found, strict=True))
    return term, row, column, value


def identities(terms: Ints, d: int) -> Entries:
    """Entries of an identity for each of the given terms."""
    level = np.tile(np.arange(d), len(terms))
    return np.repeat(terms, d), level, level, np.ones(len(level), complex)


def make_terms(d: int, left: Sequence[Entries], right: Sequence[Entries], part: Ints) -> Terms:
    """Sort the entries of the left and of the right operators into `Terms`."""

    def stack(parts: Sequence[Entries]) -> Stack:
        term, row, column, value = (np.concatenate(x) for x in zip(*parts, strict=True))
        keep = value.nonzero()[0]
        key = term[keep] * d + column[keep]
        order = keep[key.argsort(kind="stable")]
        start = np.zeros(len(part) * d + 1, np.int64)
        start[1:] = np.bincount(key, minlength=len(part) * d).cumsum()
        return Stack(start, row[order], value[order])

    return Terms(d, stack(left), stack(right), np.asarray(part, np.int64))


def effective_hamiltonian(H: Any, ops: Operators) -> Any:
    """The operator ``H - (i/2) sum_k L_k^dagger L_k`` of the evolution between jumps, (d, d), sparse where `H` is."""
    if isinstance(ops, np.ndarray):
        # elementwise products: those of a BLAS may leave dust where terms cancel, and sectors live on zeros
        return H - 0.5j * np.einsum("kab,kac->bc", ops.conj(), ops)
    if not ops:
        return sp.csr_array(H, dtype=complex)
    jumps = sp.vstack([sp.csr_array(op, dtype=complex) for op in ops], format="csr")
    return sp.csr_array(H - 0.5j * (jumps.conj().T @ jumps))


def no_jump(flow: Flow) -> Sparse:
    """The operator ``-i H - (1/2) sum_k L_k^dagger L_k`` of the evolution between jumps, (d, d) sparse."""
    return -1j * effective_hamiltonian(flow.H, flow.ops)


def labels(counts: Ints, null_first: bool) -> tuple[Ints, Ints]:
    """Different rows of counts, and for each row the part it belongs to.

    Parameters
    ----------
    counts : (K, nbaths) int
        Rows of the count table, -1 for none.
    null_first : bool
        Give part 0 to "no count" whether a row says so or not.

    Returns
    -------
    (P, nbaths) int, (K,) int
    """
    every = [tuple(row) for row in counts.tolist()]
    null = [(-1,) * counts.shape[1]] if null_first else []
    rows = sorted({*null, *every})  # -1 sorts first, hence the null label too
    number = {row: n for n, row in enumerate(rows)}
    return np.array(rows, np.int64).reshape(-1, counts.shape[1]), np.array([number[row] for row in every], np.int64)


def flow_terms(flow: Flow, nbaths: int) -> tuple[Terms, Ints]:
    """Terms of a Lindblad generator; part 0 is the evolution between jumps plus the jumps without a count."""
    d, K = flow.H.shape[0], len(flow.ops)
    rows, part = labels(np.asarray(flow.counts, np.int64).reshape(K, nbaths), null_first=True)
    whole = flow.operators
    term, row, column, value = entries(whole[1:])
    drift = entries([-1j * effective_hamiltonian(whole[0], whole[1:])])
    at_left, at_right = np.array([K]), np.array([K + 1])
    left = [(term, row, column, value), (drift[0] + K, *drift[1:]), identities(at_right, d)]
    right = [(term, row, column, value), identities(at_left, d), (drift[0] + K + 1, *drift[1:])]
    return make_terms(d, left, right, np.concatenate([part, [0, 0]])), rows


def unitary_terms(unitary: Unitary, dims: Sequence[int], nbaths: int) -> tuple[Terms, Ints]:
    """The single term ``U rho U^dagger``, which counts nothing."""
    one = [entries([unitary.whole(dims)])]
    return make_terms(int(np.prod(dims)), one, one, np.zeros(1, np.int64)), np.full((1, nbaths), -1, np.int64)


def instrument_terms(instrument: Instrument, dims: Sequence[int], nbaths: int) -> tuple[Terms, Ints]:
    """Terms of a collision: for each row of counts as few Kraus operators as describe the same map."""
    counts = np.asarray(instrument.counts, np.int64).reshape(len(instrument.kraus), nbaths)
    rows, part = labels(counts, null_first=False)
    reduced = [minimal_kraus(instrument.kraus[part == p]) for p in range(len(rows))]
    local = entries([k for group in reduced for k in group])
    whole = [spread(local, instrument.sites, dims)]
    numbers = np.repeat(np.arange(len(rows)), [len(group) for group in reduced])
    return make_terms(int(np.prod(dims)), whole, whole, numbers), rows


def element_terms(process: Process) -> list[tuple[Terms, Ints]]:
    """Terms and labels (P, nbaths) of every element of a process."""
    nbaths = len(process.counts.baths)
    made = []
    for element in process.elements:
        if isinstance(element, Flow):
            made.append(flow_terms(element, nbaths))
        elif isinstance(element, Instrument):
            made.append(instrument_terms(element, process.dims, nbaths))
        else:
            made.append(unitary_terms(element, process.dims, nbaths))
    return made


def spread(local: Entries, sites: Sequence[int], dims: Sequence[int]) -> Entries:
    """Extend the entries of operators on some sites to the whole composite space by identities."""
    inside, outside = site_positions(tuple(sites), tuple(dims))
    term, row, column, value = local
    n = len(outside)
    rows = (inside[row][:, None] + outside).reshape(-1)
    columns = (inside[column][:, None] + outside).reshape(-1)
    return np.repeat(term, n), rows, columns, np.repeat(value, n)


def site_positions(sites: tuple[int, ...], dims: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Positions in the whole space of the basis states of the sites, and of those of all other sites."""
    stride = np.append(np.cumprod(dims[:0:-1])[::-1], 1).astype(np.int64)
    inside = outside = np.zeros(1, dtype=np.int64)
    for site in sites:
        inside = (inside[:, None] + np.arange(dims[site]) * stride[site]).reshape(-1)
    for site in range(len(dims)):
        if site not in sites:
            outside = (outside[:, None] + np.arange(dims[site]) * stride[site]).reshape(-1)
    return inside, outside


def minimal_kraus(kraus: Complexes | SparseStack) -> Complexes | SparseStack:
    """Replace Kraus operators by as few as possible with the same map.

    Two sets give the same map when their matrices V of flattened operators have the same local Choi matrix
    ``V^dagger V``.  The triangular factor of V is the smallest such set, and it comes without squaring V, so weights of
    very different size keep their digits.  Groups that share no entry are treated apart: zeros stay zeros.

    Parameters
    ----------
    kraus : (K, k, k) complex or SparseStack

    Returns
    -------
    (R, k, k) complex or SparseStack
        With R at most the number of entries that are ever different from zero.
    """
    if isinstance(kraus, SparseStack):
        return _minimal_stack(kraus)
    K, k, _ = kraus.shape
    flat = kraus.reshape(K, k * k)
    operator, entry = np.nonzero(flat)
    shared = sp.coo_array((np.ones(len(operator)), (operator, K + entry)), shape=(K + k * k, K + k * k))
    ngroups, group = csgraph.connected_components(shared, directed=False)
    kept: list[NDArray[np.complex128]] = []
    for g in range(ngroups):
        rows = np.flatnonzero(group[:K] == g)
        columns = np.flatnonzero(group[K:] == g)
        if len(rows) == 0 or len(columns) == 0:
            continue
        small = flat[np.ix_(rows, columns)]
        if len(rows) > len(columns):
            small = np.asarray(np.linalg.qr(small, mode="r"))
        whole = np.zeros((len(small), k * k), complex)
        whole[:, columns] = small
        kept.append(whole)
    if not kept:
        return np.zeros((0, k, k), complex)
    return np.concatenate(kept).reshape(-1, k, k)


def _minimal_stack(stack: SparseStack) -> SparseStack:
    """As `minimal_kraus`, for many operators on many levels.

    Amplitudes of neighbouring ancilla levels hardly differ, so the operators of a group span few dimensions to working
    precision: rows of the triangular factor below 1e-15 of its first one weigh less than 1e-30 and are left out.
    """
    operator, row, column, value = stack.entries()
    used, entry = np.unique(row * stack.k + column, return_inverse=True)
    K, n = len(stack), len(used)
    flat = sp.csr_array((value, (operator, entry)), shape=(K, n))
    shared = sp.coo_array((np.ones(len(operator)), (operator, K + entry)), shape=(K + n, K + n))
    group = csgraph.connected_components(shared, directed=False)[1]
    order = np.argsort(group, kind="stable")
    kept, places, total = [], [], 0
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        rows, columns = members[members < K], members[members >= K] - K
        if len(rows) == 0 or len(columns) == 0:
            continue
        factor, pivot = la.qr(flat[rows][:, columns].toarray(), mode="r", pivoting=True, check_finite=False)
        size = np.abs(np.diagonal(factor))
        factor = factor[: int((size > NO_WEIGHT * size[0]).sum())]
        t, c = np.nonzero(factor)
        kept.append((total + t, factor[t, c]))
        places.append(used[columns[pivot[c]]])
        total += len(factor)
    numbers, values = (np.concatenate(x) for x in zip(*kept, strict=True))
    place = np.concatenate(places)
    return SparseStack.from_entries(total, stack.k, numbers, place // stack.k, place % stack.k, values)


def liouvillian(flow: Flow) -> Sparse:
    """The whole (d^2, d^2) Lindblad generator, row-major: ``A rho B`` is ``kron(A, B^T)``.

    For tests, for QuTiP and for small systems; everything else works in a `Sector`.
    """
    drift = no_jump(flow)
    one = sp.eye_array(flow.H.shape[0], format="csr")
    whole = sp.kron(drift, one) + sp.kron(one, drift.conj())
    for op in flow.ops:
        whole = whole + sp.kron(op, sp.csr_array(op).conj())
    return sp.csr_array(whole)
