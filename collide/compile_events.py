r"""A repeated process for ``labels="heat"``: a period's outcomes resolved by heat alone, each in its fewest operators.

The outcomes of one period are grouped by the counts they add.  A group's map :math:`\rho\to\sum_k K_k\rho K_k^\dagger`
is all that the record can tell, so its operators may be replaced by any others of the same map: the eigenvectors of its
Choi matrix are the fewest.  Of the group that counts nothing the dominant operator :math:`N_0` is what happens nearly
always; its powers are searched like a no-jump propagator, and everything else, the other null operators included, is an
event.  The joint law of counts, opening and closing outcomes is unchanged at any tau; null labels stay unread.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.blocks import block_diagonal, find_blocks, jump_table
from collide.compile_jumps import explain
from collide.ends import Basis, end_arrays, measured_kets
from collide.exact.process import Complexes, Instrument, Ints, Process, Sparse, Unitary, embed
from collide.exact.stacked import SparseStack
from collide.exchange import COMPLETENESS
from collide.gauge import real_events, told
from collide.later import later
from collide.protocol import Protocol

csgraph = later("scipy.sparse.csgraph")

DUST = 1e-14  # eigenvalues of a Choi matrix below this times its largest are rounding
MOST_OUTCOMES = 1024  # of a period, told apart by what they count; their operators grow with them
DENSE = (
    32  # dimension up to which matrices are dense while a period is put together: sparse ones cost ten times as much
)
Matrix = Any  # (d, d) array, or sparse above `DENSE`
Group = dict[tuple[int, ...], list[Matrix]]


class Events(NamedTuple):
    """A period resolved by heat.

    null : (d, d) sparse, the dominant operator that counts nothing
    ops : tuple of (d, d) sparse, all other operators
    rows : (K, slots) int, rows of counts that each of them adds one to, -1 for none
    """

    null: Sparse
    ops: tuple[Sparse, ...]
    rows: Ints


def event_arrays(process: Process, protocol: Protocol) -> tuple[dict[str, NDArray[Any]], str]:
    """Arrays of an event-driven collision program and a sentence that says what will run and why."""
    assert process.tau is not None
    events = resolve_period(process)
    blocks = find_blocks(process.d, [events.null], events.ops, measured_kets(protocol))
    target, start, row, column, value = jump_table(events.ops, blocks)
    arrays = end_arrays(process, protocol, blocks, Basis(None)) | {
        "null": block_diagonal(events.null, blocks),
        "target": target,
        "jump_start": start,
        "jump_row": row,
        "jump_column": column,
        "jump_value": value,
        "count": events.rows,
        "steps": np.rint(protocol.tlist / process.tau).astype(np.int64),
    }
    sentence = f"event-driven collisions, {len(events.ops)} kinds of event beside the null one; "
    sentence += explain(blocks, process.d, Basis(None))
    if blocks.largest == 1:
        return arrays, sentence
    arrays = real_events(arrays)
    return arrays, sentence + told(arrays, arrays["null"].imag, arrays["initial_vec"])


def not_by_events(process: Process) -> str:
    """Why a period cannot be resolved by heat; empty if it can."""
    outcomes = 1
    for element in process.elements:
        if not isinstance(element, Unitary | Instrument):
            return "the period contains a channel, whose kicks are not outcomes of an ancilla"
        if isinstance(element, Instrument):
            outcomes *= len(np.unique(element.counts, axis=0))
    if outcomes > MOST_OUTCOMES:
        return f"a period has {outcomes} outcomes that count differently, more than {MOST_OUTCOMES}"
    return ""


def resolve_period(process: Process) -> Events:
    """The fewest operators of each heat-resolved part of a period.

    Raises
    ------
    ValueError
        If the period contains a channel, whose kicks are not outcomes of an ancilla.
    """
    slots = _slots(process)
    nothing, identity = (-1,) * len(slots), _identity(process.d)
    groups: Group = {nothing: [identity]}
    for position, element in enumerate(process.elements):
        if isinstance(element, Unitary):
            matrix = _as(element.whole(process.dims), process.d)
            groups = {rows: [matrix @ op for op in ops] for rows, ops in groups.items()}
        elif isinstance(element, Instrument):
            groups = _after(groups, element, position, slots, process)
        else:
            raise ValueError("`labels` = 'heat' needs a period of collisions alone: this one contains a channel")
    null, *others = groups.get(nothing) or [0 * identity]
    ops, rows = list(others), [nothing] * len(others)
    for counted, found in groups.items():
        if counted != nothing:
            ops += found
            rows += [counted] * len(found)
    _check_complete(identity, [null, *ops])
    return Events(
        sp.csr_array(null),
        tuple(sp.csr_array(op) for op in ops),
        np.array(rows, dtype=np.int64).reshape(len(ops), len(slots)),
    )


def _identity(d: int) -> Matrix:
    return np.eye(d, dtype=complex) if d <= DENSE else sp.eye_array(d, dtype=complex, format="csr")


def _as(matrix: Sparse, d: int) -> Matrix:
    """Dense or sparse, as befits the dimension."""
    return matrix.toarray() if d <= DENSE else matrix


def _slots(process: Process) -> list[tuple[int, int]]:
    """(element, bath) of everything that can be counted in a period."""
    return [
        (position, bath)
        for position, element in enumerate(process.elements)
        if isinstance(element, Instrument)
        for bath in range(element.counts.shape[1])
        if np.any(element.counts[:, bath] >= 0)
    ]


def _after(groups: Group, element: Instrument, position: int, slots: list[tuple[int, int]], process: Process) -> Group:
    """Groups after one more collision, each reduced to its fewest operators."""
    mine = [(k, bath) for k, (at, bath) in enumerate(slots) if at == position]
    labels, which = np.unique(element.counts, axis=0, return_inverse=True)
    out: Group = {}
    for number, label in enumerate(labels):
        members = element.kraus[which.reshape(-1) == number]
        fewest = [_as(embed(op, element.sites, process.dims), process.d) for op in fewest_operators(members)]
        for rows, before in groups.items():
            key = list(rows)
            for slot, bath in mine:
                key[slot] = int(label[bath])
            out.setdefault(tuple(key), []).extend(op @ known for op in fewest for known in before)
    # two collisions may leave nothing of a combination of counts, such as two absorptions of a qubit
    reduced = {key: fewest_operators(ops) for key, ops in out.items() if ops}
    return {key: ops for key, ops in reduced.items() if ops}


def fewest_operators(ops: list[Matrix] | Complexes | SparseStack) -> list[Matrix]:
    """Operators of the map sum K rho K^dagger, as few as there can be, by decreasing weight.

    Connected parts of the Choi matrix are diagonalised apart, so that operators keep the zeros of those they replace.

    Parameters
    ----------
    ops : list of (k, k), all dense or all sparse, or a stack of them
        Two oscillators that collide together have 10^5 labels: their stack is never taken apart.
    """
    k = ops.k if isinstance(ops, SparseStack) else ops[0].shape[0]
    dense = not isinstance(ops, SparseStack) and isinstance(ops[0], np.ndarray)
    if dense:
        flat = np.array(ops).reshape(len(ops), k * k)
        used = np.flatnonzero(np.any(flat != 0, axis=0))
        entries, label = flat[:, used], _parts(flat[:, used])
    else:
        stacked = _flat(ops, k).tocsc()
        used = np.flatnonzero(np.diff(stacked.indptr))
        entries = stacked[:, used].toarray()
        # operators and entries are the two kinds of nodes: linking entries with each other would take their square
        op, entry = np.nonzero(entries)
        nodes = len(ops) + len(used)
        links = sp.coo_array((np.ones(len(op), dtype=np.int8), (op, len(ops) + entry)), shape=(nodes, nodes))
        label = csgraph.connected_components(links.tocsr(), directed=False)[1][len(ops) :].astype(np.int64)
    found: list[tuple[float, Matrix]] = []
    for part in np.unique(label):
        columns = np.flatnonzero(label == part)
        _, sizes, rows = np.linalg.svd(entries[:, columns], full_matrices=False)
        for size, vector in zip(sizes, rows, strict=True):
            found.append((float(size) ** 2, _matrix(size * vector, used[columns], k, dense)))
    largest = max((weight for weight, _ in found), default=0.0)
    kept = sorted((pair for pair in found if pair[0] > DUST * largest), key=lambda pair: -pair[0])
    return [op for _, op in kept]


def _flat(ops: list[Matrix] | Complexes | SparseStack, k: int) -> Sparse:
    """(K, k * k) sparse, an operator in each row."""
    if isinstance(ops, SparseStack):
        return ops.flat
    return sp.vstack([sp.csr_array(op.reshape((1, k * k))) for op in ops], format="csr")


def _parts(entries: Complexes) -> Ints:
    """(n,) the first column that is connected with each column by common rows."""
    linked = (entries != 0).astype(float)
    together = linked.T @ linked > 0
    label = np.arange(len(together))
    while True:
        lowest = np.where(together, label, len(label)).min(axis=1, initial=len(label))
        if np.array_equal(lowest, label):
            return label
        label = lowest


def _matrix(values: Complexes, places: Ints, k: int, dense: bool) -> Matrix:
    """(k, k) with these entries, counted row by row."""
    if not dense:
        return sp.csr_array((values, np.divmod(places, k)), shape=(k, k))
    out = np.zeros(k * k, dtype=complex)
    out[places] = values
    return out.reshape(k, k)


def _check_complete(identity: Matrix, ops: list[Matrix]) -> None:
    error = float(abs(sum(op.conj().T @ op for op in ops) - identity).max())
    if error > COMPLETENESS:
        raise ValueError(f"the operators of a period resolved by heat miss completeness by {error:.3g}")
