"""The exact side's input: a labelled quantum process as plain arrays.

A model of either picture is reduced to the same few pieces.  A *continuous* process is one `Flow` without end.  A
*repeated* process is a list of elements, each applied once per period ``tau``.  Whatever exchanges heat says which
row of the `CountTable` it adds one to; heat, entropy and charges are sums of counts times the rows' values.

Superoperators use the row-major convention ``vec(rho) = rho.reshape(-1)``, so ``A rho B`` is ``kron(A, B.T)``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.exact.small import Operators, gathered
from collide.exact.stacked import SparseStack

Sparse = Any  # scipy.sparse.csr_array of complex128; the stubs of scipy.sparse are not precise enough to be of help
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class CountTable:
    """What a trajectory counts: one row per (bath, heat value) and, for a load, per direction of its kicks.

    Attributes
    ----------
    baths : tuple of str
        Names of the baths, in the order of the columns of heat.
    beta : (nbaths,) float
        Inverse temperatures; any sign, ``inf`` for T = 0, ``nan`` for a bath without one (a load).
    bath : (ncounts,) int
        Index into `baths`.
    quantum : (ncounts,) float
        Heat into the system at one count; 0 for a kick of a load, whose heat is an expectation value.
    charge : (ncounts,) int
        What one count adds to the bath's net quanta: +1 absorbed by the system, -1 emitted, k for k quanta at once.
    entropy : (ncounts,) float
        ``-beta * quantum``; ``+inf`` where no reverse process exists, 0 for a load.
    """

    baths: tuple[str, ...]
    beta: Floats
    bath: Ints
    quantum: Floats
    charge: Ints
    entropy: Floats

    def __len__(self) -> int:
        return len(self.bath)

    def index(self, bath: str) -> int:
        """Position of a bath; a KeyError that lists the names there are."""
        if bath not in self.baths:
            raise KeyError(f"unknown bath {bath!r}: this model has {', '.join(map(repr, self.baths))}")
        return self.baths.index(bath)

    def heat_weight(self, bath: str) -> Floats:
        """(ncounts,) weights w such that ``counts @ w`` is the heat from `bath`."""
        return np.where(self.bath == self.index(bath), self.quantum, 0.0)

    def charge_weight(self, bath: str) -> Floats:
        """(ncounts,) weights w such that ``counts @ w`` is the net number of quanta received from `bath`."""
        return np.where(self.bath == self.index(bath), self.charge, 0).astype(np.float64)


@dataclass(frozen=True)
class Unitary:
    """Free evolution: rho -> U rho U^dagger.

    Attributes
    ----------
    matrix : (k, k) sparse
    sites : tuple of int
        Of a gate, the sites on which `matrix` acts, in the order of its tensor factors; empty for all sites.
    """

    matrix: Sparse
    sites: tuple[int, ...] = ()

    def whole(self, dims: Sequence[int]) -> Sparse:
        """(d, d) sparse, the unitary on all sites."""
        return embed(self.matrix, self.sites, dims) if self.sites else self.matrix


@dataclass(frozen=True)
class Instrument:
    """A collision: Kraus operators on some sites, each with the counts its outcome adds.

    Attributes
    ----------
    sites : tuple of int
        The sites of the composite space on which `kraus` acts, in the order of its tensor factors.
    kraus : (K, k, k) complex or SparseStack
        Operators sqrt(p_n) <m|U|n>, with the ancilla's probability inside: the sum of K^dagger K is one.
    counts : (K, nbaths) int
        Row of the `CountTable` to which outcome k adds one for each bath; -1 for none.
    prior : (P,) float
        Probabilities p_n of the ancilla's (ancillas' joint) first outcome.
    first, last : (K,) int
        First outcome n (index into `prior`) and last outcome m of each operator.
    """

    sites: tuple[int, ...]
    kraus: Complexes | SparseStack
    counts: Ints
    prior: Floats
    first: Ints
    last: Ints


@dataclass(frozen=True)
class Load:
    """A dissipative load: its heat is Tr[energy D_load rho] for the channels that carry its index."""

    bath: int
    energy: Sparse


@dataclass(frozen=True)
class Flow:
    """Lindblad evolution: -i[H, rho] + sum_k (L_k rho L_k^dagger - {L_k^dagger L_k, rho}/2).

    Attributes
    ----------
    H : (d, d) sparse
        Hamiltonian during the flow; zero in a collision step that only carries channels.
    ops : tuple of (d, d) sparse
        Jump operators with the square root of their rate inside.
    counts : (K, nbaths) int
        As in `Instrument`.
    load : (K,) int
        Index into `Process.loads`, -1 for a channel with a definite quantum.
    duration : float or None
        Length within a period; None in a continuous process.
    """

    H: Sparse
    ops: tuple[Sparse, ...]
    counts: Ints
    load: Ints
    duration: float | None = None

    @cached_property
    def operators(self) -> Operators:
        """H and the jump operators: one dense array (1 + K, d, d) where the system is small."""
        return gathered([self.H, *self.ops], self.H.shape[0])


Element = Unitary | Instrument | Flow


@dataclass(frozen=True)
class Process:
    """A labelled quantum process, continuous (one endless `Flow`) or repeated with period `tau`.

    Attributes
    ----------
    dims : tuple of int
        Dimensions of the sites; their product is `d`.
    H : (d, d) sparse
        Hamiltonian whose expectation value is the system's energy.
    elements : tuple of Unitary, Instrument, Flow
        Applied in this order in each period.
    counts : CountTable
    tau : float or None
        Period; None for a continuous process.
    loads : tuple of Load
    """

    dims: tuple[int, ...]
    H: Sparse
    elements: tuple[Element, ...]
    counts: CountTable
    tau: float | None = None
    loads: tuple[Load, ...] = field(default=())

    @cached_property
    def d(self) -> int:
        """Dimension of the system's Hilbert space."""
        return math.prod(self.dims)


def embed(local: Any, sites: Sequence[int], dims: Sequence[int]) -> Sparse:
    """Extend an operator on some sites to the whole composite space by identities.

    Parameters
    ----------
    local : (k, k) array or sparse
        Operator on the sites, k the product of their dimensions.
    sites : sequence of int
        Positions of the tensor factors of `local`, in their order.
    dims : sequence of int
        Dimensions of all sites.

    Returns
    -------
    (d, d) sparse
    """
    dims, sites = tuple(dims), tuple(sites)
    if sites == tuple(range(len(dims))):
        return sp.csr_array(local, dtype=complex)
    d = int(np.prod(dims))
    entries = sp.coo_array(local)
    # position of every basis state of the sites, and of every basis state of the rest, in the whole space
    stride = np.append(np.cumprod(dims[:0:-1])[::-1], 1)
    inside = np.zeros(1, dtype=np.int64)
    for site in sites:
        inside = (inside[:, None] + np.arange(dims[site]) * stride[site]).reshape(-1)
    outside = np.zeros(1, dtype=np.int64)
    for site in range(len(dims)):
        if site not in sites:
            outside = (outside[:, None] + np.arange(dims[site]) * stride[site]).reshape(-1)
    rows = (inside[entries.row][:, None] + outside).reshape(-1)
    cols = (inside[entries.col][:, None] + outside).reshape(-1)
    data = np.repeat(entries.data.astype(complex), len(outside))
    return sp.csr_array((data, (rows, cols)), shape=(d, d))
