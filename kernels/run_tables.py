r"""Runs of collisions: lists of first outcomes drawn at once, with the product of the usual operators of each.

The ancillas' first levels do not depend on the system, so a list of them may be drawn by one number.  Lists of equal
length have very unequal chances: 0.7^8 to 0.03^8 between two qubit ancillas.  Lists of nearly equal chance are the
longest on average that a table of given room can hold (Tunstall 1967), about twice as long here.  They are the leaves
of trees.  A tree grows from each collision of a period; a node stands for the levels on the way to it, and whatever is
likely enough is continued by every level of the next collision.  So a node's prefixes are nodes too, and have their
products: a run that is interrupted is followed back along them.

Runs end at the end of a period where there is room for that.  Those that start there, nearly all of them, are then
drawn without waiting for one another.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, lend
from .compile import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

MOST_ENTRIES = 2**14  # complex numbers in the table of products: a quarter of the second cache
SURVIVES = 0.5  # a run that is less likely to pass undisturbed is not made longer
_DENSE = 0.5  # time that an entry of a product takes, in units of that of a sparse operator
_HALVINGS = 48

NODE = np.dtype(
    [
        ("parent", np.int32),  # the same without its last collision
        ("length", np.int32),  # collisions
        ("level", np.int32),  # first outcome of the last of them, by its index into all first outcomes
        ("end", np.int32),  # collision of the period that comes next
    ]
)
GROWTH = np.dtype(
    [
        ("start", np.int64),  # collision of the period with which the tree starts
        ("chance", np.float64),  # of these levels
        ("usual", np.float64),  # that nothing unusual happens, in the mean over all states
        ("continued", np.int64),
    ]
)
TICKET = np.dtype([("keep", np.float64), ("node", np.int32), ("other", np.int32)])


class RunTables(NamedTuple):
    """Trees of runs, and what draws from them.

    Attributes
    ----------
    node : (nodes,) NODE
        The first ones are the roots, one for each collision of a period.
    ticket_start : (2 * collisions + 1,) int64
        Tickets for each start: first of the whole runs, then of single collisions.
    ticket : (tickets,) TICKET
        All tickets of a start are equally likely; `keep` of the chance of each goes to `node`, the rest to `other`.
    first : (nb,) int64
        Place in `product` of the products in each block, -1 where collisions go one by one.
    product : (entries,) complex128
        Of every node, row by row; zero where a usual outcome leaves the block or counts something.
    """

    node: NDArray[np.void]
    ticket_start: Ints
    ticket: NDArray[np.void]
    first: Ints
    product: Complexes


class Operators(NamedTuple):
    """What of a `CollisionProgram` the trees are made of; `counts` says which outcomes count something."""

    size: Ints
    prior_start: Ints
    prior_cdf: Floats
    outcome_start: Ints
    target: Ints
    entry_start: Ints
    entry_row: Ints
    entry_column: Ints
    entry_value: Complexes
    counts: NDArray[np.bool_]


def prepare_runs(program: Any) -> RunTables:
    """Grow the trees of a `CollisionProgram` into as many nodes as there is room for."""
    elements, levels = len(program.prior_start) - 1, len(program.prior_cdf)
    per_node = int((program.size**2).sum())
    room = max(elements + levels, MOST_ENTRIES // per_node)
    tabulated = room * per_node <= MOST_ENTRIES
    node, growth = np.zeros(room, NODE), np.zeros(room, GROWTH)
    product = _aligned(room * per_node if tabulated else 0)
    first = np.cumsum(np.append(0, room * program.size[:-1] ** 2)) if tabulated else np.full(len(program.size), -1)
    fields = {name: getattr(program, name) for name in Operators._fields if name != "counts"}
    operators = Operators(**fields, counts=np.any(program.count >= 0, axis=1))
    nodes = _grow(operators, _ahead(program.prior_start), node, growth, first, product)
    node, growth = node[:nodes], growth[:nodes]
    ticket = np.zeros(nodes + levels, TICKET)  # a single collision may be a whole run as well
    ticket_start = np.zeros(2 * elements + 1, np.int64)
    _deal(node, growth, elements, ticket_start, ticket, np.zeros((2, nodes), np.int64))
    ticket = ticket[: ticket_start[-1]].copy()
    return RunTables(node, ticket_start, ticket, _worth(program, node, growth, first), product)


def _ahead(prior_start: Ints) -> Floats:
    """(collisions + 1,) nodes that bring one to the end of its period with every level of the collisions from k on."""
    ahead = np.zeros(len(prior_start))
    for k in range(len(prior_start) - 2, -1, -1):
        ahead[k] = (prior_start[k + 1] - prior_start[k]) * (1.0 + ahead[k + 1])
    return ahead


def _aligned(n: int) -> Complexes:
    """Zeros that begin at a cache line: products of two states fill one each."""
    raw = np.zeros(n + 4, complex)
    offset = (-raw.ctypes.data % 64) // 16
    return raw[offset : offset + n]


def _worth(program: Any, node: NDArray[np.void], growth: NDArray[np.void], first: Ints) -> Ints:
    """Leave out products that cost more than the collisions they stand for, one by one."""
    runs = (growth["start"] == 0) & (growth["continued"] == 0)
    length = float((growth["chance"] * node["length"])[runs].sum())
    entries = np.diff(program.entry_start).reshape(program.target.shape)[program.outcome_start[:-1]].mean(axis=0)
    return np.where(_DENSE * program.size**2 <= length * entries, first, -1)


@kernel(inline="always")
def _continue(
    operators: Any,
    node: NDArray[np.void],
    growth: NDArray[np.void],
    at: int,
    nodes: int,
    first: Ints,
    product: Complexes,
) -> None:
    """Continue a node by every level of the next collision, and its products by their usual operators."""
    start, entry_start, nb = operators.prior_start, operators.entry_start, operators.size.shape[0]
    element, before = node[at].end, 0.0
    growth[at].continued = 1
    for level in range(start[element], start[element + 1]):
        node[nodes].parent, node[nodes].length, node[nodes].level = at, node[at].length + 1, level
        node[nodes].end = element + 1 if element + 2 < start.shape[0] else 0
        growth[nodes].start = growth[at].start
        growth[nodes].chance = growth[at].chance * (operators.prior_cdf[level] - before)
        usual, left, states = operators.outcome_start[level], 0.0, 0
        for block in range(nb):
            size, states = operators.size[block], states + operators.size[block]
            if first[block] < 0 or operators.target[usual, block] != block or operators.counts[usual]:
                continue
            source, goal = first[block] + at * size * size, first[block] + nodes * size * size
            for e in range(entry_start[usual * nb + block], entry_start[usual * nb + block + 1]):
                value, row, column = operators.entry_value[e], operators.entry_row[e], operators.entry_column[e]
                for b in range(size):
                    product[goal + row * size + b] += value * product[source + column * size + b]
            for k in range(size * size):
                p = product[goal + k]
                left += p.real * p.real + p.imag * p.imag
        growth[nodes].usual = left / states
        before = operators.prior_cdf[level]
        nodes += 1


@borrowed
def _grow(
    operators: Operators,
    ahead: Floats,
    node: NDArray[np.void],
    growth: NDArray[np.void],
    first: Ints,
    product: Complexes,
) -> int:
    """Write the nodes and return their number.

    Every single collision is one.  What has begun a period ends it, if there is room for that.  Beyond, the least
    chance of what is continued is halved until the room is used up.
    """
    operators = lend(operators)
    start, room = operators.prior_start, node.shape[0]
    elements, needed = start.shape[0] - 1, 0.0
    for root in range(elements):
        node[root].parent, node[root].level, node[root].end = root, -1, root
        growth[root].start, growth[root].chance, growth[root].usual = root, 1.0, 1.0
        needed += 1.0 + ahead[root]
        for block in range(first.shape[0]):
            size = operators.size[block]
            for a in range(size):
                if first[block] >= 0:
                    product[first[block] + (root * size + a) * size + a] = 1.0
    in_periods = 2.0 * needed <= room and product.shape[0] > 0
    nodes, promised, bound, at, full = elements, 0.0, math.inf, 0, product.shape[0] == 0
    for _ in range(_HALVINGS):  # promised: nodes that will end the periods begun
        while at < nodes:
            here, next = growth[at], node[at].end
            levels = start[next + 1] - start[next]
            inside = in_periods and next != 0 and at >= elements
            wanted = here.continued == 0 and (at < elements or inside)
            if here.continued == 0 and here.usual >= SURVIVES and here.chance * here.usual > bound:
                fits = nodes + promised + (ahead[0] if in_periods else float(levels)) <= room
                wanted = wanted or (fits and (here.start == 0 or not in_periods))
                full = full or not fits
            if wanted:
                if in_periods:
                    promised += levels * ahead[next + 1] - (ahead[next] if inside else 0.0)
                _continue(operators, node, growth, at, nodes, first, product)
                nodes += levels
            at += 1
        bound, at = min(bound, 1.0) * 0.5, elements
        if full:
            break
    return nodes


@borrowed
def _deal(
    node: NDArray[np.void],
    growth: NDArray[np.void],
    elements: int,
    start: Ints,
    ticket: NDArray[np.void],
    work: Ints,
) -> None:
    """Write the tickets of every start: of its leaves, then of its single collisions.

    To make them equally likely, one that has too much chance gives what another lacks (Walker 1977, Vose 1991).
    """
    tickets = 0
    for kind in range(2):
        for root in range(elements):
            first, total, poor, rich = tickets, 0.0, 0, 0
            for k in range(elements, node.shape[0]):
                if growth[k].start == root and (node[k].length == 1 if kind else growth[k].continued == 0):
                    ticket[tickets].node, ticket[tickets].other, ticket[tickets].keep = k, k, growth[k].chance
                    total += growth[k].chance
                    tickets += 1
            start[kind * elements + root + 1] = tickets
            for k in range(first, tickets):
                ticket[k].keep *= (tickets - first) / total
                if ticket[k].keep < 1.0:
                    work[0, poor], poor = k, poor + 1
                else:
                    work[1, rich], rich = k, rich + 1
            while poor > 0 and rich > 0:
                lacking, giving, poor = work[0, poor - 1], work[1, rich - 1], poor - 1
                ticket[lacking].other = ticket[giving].node
                ticket[giving].keep -= 1.0 - ticket[lacking].keep
                if ticket[giving].keep < 1.0:
                    work[0, poor], poor, rich = giving, poor + 1, rich - 1
