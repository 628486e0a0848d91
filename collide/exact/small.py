"""What makes a system small, and what is then done without sparse matrices.

A call of scipy's sparse matrices or of its graph searches costs 20 to 90 microseconds whatever the size; for a few
dozen levels a dense product takes less.  The decision is made here only, by the number of levels or of nodes.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.later import later

csgraph = later("scipy.sparse.csgraph")

SMALL = 32  # levels of a system, nodes of a graph

Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]
Operators = Any
"""Several (d, d) operators: a dense array (n, d, d), or a sequence of sparse ones."""


def is_small(size: int) -> bool:
    """Whether dense arrays are the quicker ones."""
    return size <= SMALL


def gathered(matrices: Sequence[Any], d: int) -> Operators:
    """(d, d) operators as one dense array where the system is small, else as they are."""
    if not is_small(d):
        return tuple(matrices)
    dense = [m if isinstance(m, np.ndarray) else m.toarray() for m in matrices]
    return np.array(dense, dtype=complex).reshape(len(dense), d, d)


def reach(links: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n, n) whether a leads from b in any number of steps, none included; ``links[a, b]`` is one step."""
    known = links | np.eye(len(links), dtype=bool)
    number = np.count_nonzero(known)
    while True:
        steps = known.astype(np.float32)
        known = steps @ steps > 0.5
        if (now := np.count_nonzero(known)) == number:
            return known
        number = now


def components(n: int, one: Ints, other: Ints) -> Ints:
    """(n,) number of the connected set of each node, in the order of their lowest nodes; `one` is linked to `other`."""
    if not is_small(n):
        graph = sp.coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(n, n))
        return csgraph.connected_components(graph.tocsr(), directed=False)[1].astype(np.int64)
    links = np.zeros((n, n), dtype=bool)
    links[one, other] = True
    links[other, one] = True
    lowest = reach(links).argmax(axis=1)
    return ((lowest == np.arange(n)).cumsum() - 1)[lowest]


def members(label: Ints) -> list[Ints]:
    """The nodes of each connected set."""
    order = label.argsort(kind="stable")
    ends = np.bincount(label).cumsum().tolist()
    return [order[start:end] for start, end in pairwise([0, *ends])]
