"""Chains and other large systems: a process becomes arrays of entries, and no matrix of the whole system is formed.

Operators stay as sparse as they were given, kets are basis states or lists of amplitudes, a period's evolution stays a
list of gates.  Conserved quantities still cut the basis into blocks; a state is as wide as the largest of them.
"""

from itertools import pairwise
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.blocks import ZERO, Blocks, find_blocks, jump_table, without_dust
from collide.compile_events import MOST_OUTCOMES, fewest_operators
from collide.compile_jumps import explain
from collide.ends import Basis, cumulative
from collide.exact.process import Complexes, Flow, Instrument, Ints, Process, Sparse, Unitary, embed
from collide.exact.superoperator import effective_hamiltonian
from collide.exchange import COMPLETENESS
from collide.frame import phases_at, sparse_frame
from collide.gauge import told
from collide.gauge_wide import real_gates, real_sparse_jumps
from collide.kernels.wide_tables import ROUNDING
from collide.later import later
from collide.outcomes import energies
from collide.protocol import Protocol, is_product

csgraph = later("scipy.sparse.csgraph")

Arrays = dict[str, NDArray[Any]]
Outcome = tuple[Sparse, list[int]]
SMALLEST = 8  # states of a block from which gates beat products over several collisions
TRAJECTORIES = 1000  # over which a table is thought to pay for itself


def wide_jump_arrays(process: Process, protocol: Protocol) -> tuple[Arrays, str]:
    """Arrays of a jump program with sparse operators, and a sentence that says what will run and why."""
    flow = process.elements[0]
    assert isinstance(flow, Flow)
    heff = effective_hamiltonian(flow.H, flow.ops)
    blocks = find_blocks(process.d, [heff, _together(process, protocol)], flow.ops)
    rows = flow.counts.astype(np.int64).reshape(len(flow.ops), len(process.counts.baths))
    arrays = _common(process, protocol, blocks, list(flow.ops), rows) | _no_moves() | {"times": protocol.tlist}
    frame = sparse_frame(heff, flow.ops, blocks)
    turning = sp.csr_array(heff - sp.diags_array(frame[blocks.label, blocks.place], format="csr"))
    start, column, value = _rows([_centred(turning, blocks)], blocks)
    arrays |= {"wait_start": start, "wait_column": column, "wait_value": value}
    arrays |= {"frame": frame, "turn": phases_at(frame, protocol.tlist)}
    sentence = "sparse evolution, marched or tabulated block by block; " + explain(blocks, process.d, Basis(None))
    arrays = real_sparse_jumps(arrays)
    return arrays, sentence + told(arrays, arrays["wait_value"].real, arrays["initial_value"])


class GatePlan(NamedTuple):
    """A period as gates, the null operator of its ancillas, their other outcomes, and the blocks all of them leave.

    half : (d, d) sparse or None
        Where the gates are those of a period that begins later by half a layer: what a state has gone through by then.
    """

    gates: list[Unitary]
    null: Sparse
    events: list[Outcome]
    blocks: Blocks
    half: Sparse | None = None


def gate_arrays(process: Process, protocol: Protocol, plan: GatePlan) -> tuple[Arrays, str]:
    """Arrays of a collision program that applies gates to states, and a sentence that says what will run and why."""
    assert process.tau is not None
    events, blocks = plan.events, plan.blocks
    slots = len(events[0][1]) if events else 1
    rows = np.array([counted for _, counted in events], dtype=np.int64).reshape(len(events), slots)
    arrays = _common(process, protocol, blocks, [op for op, _ in events], rows, plan.half)
    start, column, value = _rows([plan.null], blocks)
    arrays |= {"wait_start": start, "wait_column": column, "wait_value": value}
    gates, angle = _gauged(plan, process.dims)
    frame, periods = _turning(angle, process.dims, blocks), np.rint(protocol.tlist / process.tau)
    arrays |= _moves(gates, process.dims, blocks)
    arrays |= {"times": periods, "frame": frame, "turn": phases_at(frame, periods)}
    arrays = real_gates(arrays)
    sentence = f"{len(plan.gates)} gates a period, {len(events)} kinds of event; "
    sentence += explain(blocks, process.d, Basis(None))
    waiting = np.concatenate([arrays["wait_value"], arrays["move_value"]]).imag
    return arrays, sentence + told(arrays, waiting, arrays["initial_value"])


def plan_gates(process: Process, protocol: Protocol, most: int) -> GatePlan | None:
    """How a repeated process is run by its gates; None where another way is cheaper.

    Where tables of a whole period fit, they win if many periods pass between events; costs are multiplications.
    Drawing every label leaves no choice but one period at a time.

    Parameters
    ----------
    process : Process
    protocol : Protocol
    most : int
        Largest dimension for which there are tables.

    Raises
    ------
    ValueError
        If the system is too large for tables and its period is not a list of gates followed by collisions.
    """
    gates = [element for element in process.elements if isinstance(element, Unitary) and element.sites]
    if not gates:
        return None
    if not _gates_then_ancillas(process):
        if process.d > most:
            raise ValueError(
                f"a chain of {process.d} levels is run by gates, for which nothing but collisions may follow them in a"
                " period: leave out the channels"
            )
        return None
    if process.d <= most and _kinds(process, protocol.labels) > MOST_OUTCOMES:
        return None
    null, events = _outcomes(process, protocol.labels)
    couplings = [gate.whole(process.dims) for gate in {id(gate): gate for gate in gates}.values()]
    together = _together(process, protocol)
    blocks = find_blocks(process.d, [*couplings, null, together], [op for op, _ in events])
    merged, half = _half_a_layer_later(gates, process) if process.d <= most else (gates, None)
    plan = GatePlan(merged, null, events, blocks, half)
    return plan if process.d > most or _gates_are_cheaper(process, protocol, plan) else None


def _gates_are_cheaper(process: Process, protocol: Protocol, plan: GatePlan) -> bool:
    """Compare gates with tables of a whole period, whose making is shared by `TRAJECTORIES`."""
    assert process.tau is not None
    largest = float(plan.blocks.largest)
    if protocol.labels == "all":
        return largest >= SMALLEST
    happens = max(1.0 - float(abs(plan.null).power(2).sum()) / process.d, 1e-12)
    periods = float(protocol.tlist[-1]) / process.tau
    by_period = (3.0 * len(plan.gates) + 10.0) * largest * periods
    by_event = 4.0 * largest**2 * (3.0 + max(0.0, math.log2(1.0 / happens))) * (happens * periods + 1.0)
    # what is made once is not made for sixteen trajectories at a time; both measured
    squarings = 2e3 * float((plan.blocks.sizes.astype(float) ** 3).sum()) * math.log2(periods + 1.0)
    resolving = 2e3 * len(plan.events) * float((plan.blocks.sizes.astype(float) ** 2).sum()) * len(plan.gates)
    return by_period < by_event + (squarings + resolving) / TRAJECTORIES


def _gates_then_ancillas(process: Process) -> bool:
    kinds = [isinstance(element, Unitary) for element in process.elements]
    return all(isinstance(e, Unitary | Instrument) for e in process.elements) and kinds == sorted(kinds, reverse=True)


# ---------------------------------------------------------------- outcomes of the ancillas of a period


def _outcomes(process: Process, labels: str) -> tuple[Sparse, list[Outcome]]:
    """The null operator of a period's ancillas and all other outcomes, with the rows that each of them counts.

    With labels "all" there is no null operator: every outcome is told.
    """
    kinds = _kinds(process, labels)
    if kinds > MOST_OUTCOMES:
        raise ValueError(
            f"a period has {kinds} outcomes, more than the {MOST_OUTCOMES} that are chosen from on a chain of gates:"
            " use fewer collisions or ancilla levels, or labels='heat'"
        )
    identity = sp.eye_array(process.d, dtype=complex, format="csr")
    found: list[Outcome] = [(identity, [])]
    for element in process.elements:
        if not isinstance(element, Instrument):
            continue
        slots = [bath for bath in range(element.counts.shape[1]) if np.any(element.counts[:, bath] >= 0)]
        mine = _local(element, labels)
        whole = [(embed(op, element.sites, process.dims), label) for op, label in mine]
        found = [
            (sp.csr_array(op @ before), [*counted, *(int(label[b]) for b in slots)])
            for op, label in whole
            for before, counted in found
        ]
    error = float(abs(sum(op.conj().T @ op for op, _ in found) - identity).max())
    if error > COMPLETENESS:
        raise ValueError(f"the outcomes of a period miss completeness by {error:.3g}")
    if labels == "all":
        return sp.csr_array(identity.shape, dtype=complex), found
    (null, counted), *events = found
    if any(row >= 0 for row in counted):  # every outcome exchanges something
        return sp.csr_array(identity.shape, dtype=complex), found
    return null, events


def _kinds(process: Process, labels: str) -> int:
    """Number of outcomes of a period that are told apart."""
    return math.prod(len(_local(element, labels)) for element in process.elements if isinstance(element, Instrument))


def _local(element: Instrument, labels: str) -> list[tuple[Complexes, Ints]]:
    """Operators of one ancilla on its sites with their rows of counts, the likeliest that counts nothing first."""
    kraus: Any = element.kraus
    dense = [op.toarray() if hasattr(op, "toarray") else np.asarray(op) for op in kraus]
    if labels == "all":
        return list(zip(dense, element.counts, strict=True))
    known, which = np.unique(element.counts, axis=0, return_inverse=True)  # -1 sorts first
    return [
        (op, label)
        for number, label in enumerate(known)
        for op in fewest_operators([dense[k] for k in np.flatnonzero(which.reshape(-1) == number)])
    ]


# ---------------------------------------------------------------- gates


def _half_a_layer_later(gates: list[Unitary], process: Process) -> tuple[list[Unitary], Sparse | None]:
    r"""Gates of a period that begins half a layer later, where that merges the last ones with the first ones.

    With B what the first layer and the last one have in common and the ancillas do not touch, K the ancillas and A all
    else, :math:`K\,B^{1/2}AB^{1/2} = B^{-1/2}\,(K\,B\,A)\,B^{1/2}`, as B commutes with K: seen from
    :math:`B^{1/2}\psi` a period takes one layer less.
    """
    touched = {site for element in process.elements if isinstance(element, Instrument) for site in element.sites}
    first, last = _layer(gates), _layer(gates[::-1])
    if len(first) + len(last) > len(gates):
        return gates, None
    pairs = [
        (one, other)
        for one in first
        for other in last
        if one.sites == other.sites and not touched & set(one.sites) and not (one.matrix != other.matrix).nnz
    ]
    if not pairs:
        return gates, None
    merged = {id(gate) for pair in pairs for gate in pair}
    opening = [gate for gate in gates[: len(first)] if id(gate) not in merged]
    closing = [gate for gate in gates[-len(last) :] if id(gate) not in merged]
    twice = [Unitary(sp.csr_array(one.matrix @ one.matrix), one.sites) for one, _ in pairs]
    half = sp.eye_array(process.d, dtype=complex, format="csr")
    for one, _ in pairs:
        half = one.whole(process.dims) @ half
    return [*opening, *gates[len(first) : -len(last)], *closing, *twice], sp.csr_array(half)


def _layer(gates: list[Unitary]) -> list[Unitary]:
    """As many of the first gates as share no site."""
    touched: set[int] = set()
    found: list[Unitary] = []
    for gate in gates:
        if touched & set(gate.sites):
            break
        touched |= set(gate.sites)
        found.append(gate)
    return found


def _gauged(plan: GatePlan, dims: tuple[int, ...]) -> tuple[list[tuple[Complexes, tuple[int, ...]]], float]:
    """Gates without phases that no state sees between stops, and the angle by which each quantum turns in a period.

    Each gate may lose a factor.  If all gates keep the sum of all levels, and all outcomes change it by one number
    each, a layer of gates that touches every site may also lose exp(-i theta) for each quantum of each site: a uniform
    field vanishes.  What is left of it are phases between states of different sums at a stop.
    """
    gates, kept = plan.gates, _quanta_are_kept(plan, dims)
    out: list[tuple[Complexes, tuple[int, ...]]] = []
    at, turned = 0, 0.0
    while at < len(gates):
        touched: set[int] = set()
        layer = []
        while at < len(gates) and not touched & set(gates[at].sites):
            touched |= set(gates[at].sites)
            layer.append(gates[at])
            at += 1
        angle = _field(layer, dims) if kept and len(touched) == len(dims) else 0.0
        turned -= angle
        out += [(_without(gate, angle, dims), gate.sites) for gate in layer]
    return out, turned


def _quanta_are_kept(plan: GatePlan, dims: tuple[int, ...]) -> bool:
    """Whether gates and null operator keep the sum of all levels, which every event changes by one number a block."""
    for gate in plan.gates:
        quanta = _quanta(gate, dims)
        _, row, column, _ = without_dust([gate.matrix])
        if np.any(quanta[row] != quanta[column]):
            return False
    total, label = _total(dims), plan.blocks.label
    _, row, column, _ = without_dust([plan.null])
    number, image, source, _ = without_dust([op for op, _ in plan.events])
    gained = total[image] - total[source]
    of = number * len(plan.blocks.members) + label[source]
    lowest = np.full(len(plan.events) * len(plan.blocks.members), np.iinfo(np.int64).max)
    np.minimum.at(lowest, of, gained)
    return bool(np.all(total[row] == total[column]) and np.all(gained == lowest[of]))


def _total(dims: tuple[int, ...]) -> Ints:
    """(d,) sum of the levels of all sites."""
    return np.asarray(np.indices(dims).sum(axis=0).reshape(-1))


def _turning(angle: float, dims: tuple[int, ...], blocks: Blocks) -> NDArray[np.float64]:
    """(nb, m) angles by which states turn in a period; zero where it is the same throughout every block."""
    frame, total = np.zeros((len(blocks.members), blocks.largest)), _total(dims)
    lowest = np.array([total[members].min() for members in blocks.members])
    frame[blocks.label, blocks.place] = angle * (total - lowest[blocks.label])
    return frame


def _field(layer: list[Unitary], dims: tuple[int, ...]) -> float:
    """Phase per quantum of the first gate of a layer."""
    matrix = layer[0].matrix.toarray()
    quanta = _quanta(layer[0], dims)
    lone = [k for k in range(len(matrix)) if abs(abs(matrix[k, k]) - 1) < ROUNDING * len(matrix)]
    for k in lone[1:]:
        if quanta[k] != quanta[lone[0]]:
            return float(np.angle(matrix[k, k] / matrix[lone[0], lone[0]])) / (quanta[k] - quanta[lone[0]])
    return 0.0


def _quanta(gate: Unitary, dims: tuple[int, ...]) -> Ints:
    """(k,) sum of the levels of the gate's sites."""
    inner = tuple(dims[site] for site in gate.sites)
    return np.array(np.unravel_index(np.arange(gate.matrix.shape[0]), inner)).sum(axis=0).astype(np.int64)


def _without(gate: Unitary, angle: float, dims: tuple[int, ...]) -> Complexes:
    matrix = np.exp(-1j * angle * _quanta(gate, dims))[:, None] * gate.matrix.toarray()
    first = matrix[0, 0]
    return matrix * (first.conj() / abs(first)) if abs(abs(first) - 1) < ROUNDING * len(matrix) else matrix


def _moves(gates: list[tuple[Complexes, tuple[int, ...]]], dims: tuple[int, ...], blocks: Blocks) -> Arrays:
    """Moves of the gates, part by part: see `collide.kernels.wide_tables.WideProgram`."""
    sizes, firsts = [], []
    values: list[Complexes] = []
    groups: list[Ints] = []
    for matrix, sites in gates:
        linked = sp.csr_array((np.abs(matrix) + np.abs(matrix).T > 0).astype(float))
        parts, label = csgraph.connected_components(linked, directed=False)
        for part in range(parts):
            states = np.flatnonzero(label == part)
            value = matrix[np.ix_(states, states)].reshape(-1)
            if len(value) == 1 and abs(value[0] - 1) <= ROUNDING:
                continue
            sizes.append(len(states))
            firsts.append(sum(len(v) for v in values))
            values.append(value)
            groups.append(_groups(states, sites, dims))
    nb = len(blocks.members)
    pieces: list[list[Ints]] = [[] for _ in range(nb)]
    for members in groups:
        of = blocks.label[members[:, 0]]
        if np.any(blocks.label[members] != of[:, None]):
            raise AssertionError("a gate leaves the partition that was found for it")
        order = np.argsort(of, kind="stable")
        bounds = np.searchsorted(of[order], np.arange(nb + 1))
        places = blocks.place[members[order]]
        for b in range(nb):
            pieces[b].append(places[bounds[b] : bounds[b + 1]].reshape(-1))
    flat = [piece for block in pieces for piece in block]
    return {
        "move_size": np.array(sizes, dtype=np.int64),
        "move_first": np.array(firsts, dtype=np.int64),
        "move_value": np.concatenate([np.zeros(0, complex), *values]),
        "orbit_start": np.concatenate([[0], np.cumsum([len(piece) for piece in flat])]).astype(np.int64),
        "orbit": np.concatenate([np.zeros(0, np.int64), *flat]).astype(np.int64),
    }


def _no_moves() -> Arrays:
    none = np.zeros(0, np.int64)
    return {
        "move_size": none,
        "move_first": none,
        "move_value": np.zeros(0, complex),
        "orbit_start": np.zeros(1, np.int64),
        "orbit": none,
    }


def _groups(states: Ints, sites: tuple[int, ...], dims: tuple[int, ...]) -> Ints:
    """(n, size) basis states that agree on all other sites and have these states on the gate's own."""
    stride = np.append(np.cumprod(dims[:0:-1])[::-1], 1).astype(np.int64)
    inner = np.array(np.unravel_index(states, tuple(dims[site] for site in sites)))
    inside = np.array([stride[site] for site in sites]) @ inner
    outside = np.zeros(1, dtype=np.int64)
    for site in range(len(dims)):
        if site not in sites:
            outside = (outside[:, None] + np.arange(dims[site]) * stride[site]).reshape(-1)
    return outside[:, None] + inside


# ---------------------------------------------------------------- what both have


def _together(process: Process, protocol: Protocol) -> Sparse:
    """(d, d) links between the basis states of each ket that a measurement prepares or asks for."""
    kets = [sp.csr_array(protocol.opening.kets)]
    if not is_product(protocol.closing):
        assert protocol.closing
        kets.append(sp.csr_array(protocol.closing.kets))
    one, other = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for matrix in kets:
        for first, last in pairwise(matrix.indptr):
            size = np.abs(matrix.data[first:last])
            states = matrix.indices[first:last][size > ZERO * size.max(initial=0.0)]
            one.append(states[:-1])
            other.append(states[1:])
    row, column = np.concatenate(one), np.concatenate(other)
    return sp.csr_array((np.ones(len(row)), (row, column)), shape=(process.d, process.d))


def _common(
    process: Process, protocol: Protocol, blocks: Blocks, ops: list[Sparse], rows: Ints, half: Sparse | None = None
) -> Arrays:
    """Everything that does not concern the waiting; `half` as in `GatePlan`."""
    seen = [process.H, *protocol.e_ops.values()]
    if half is not None:
        seen = [sp.csr_array(half @ operator @ half.conj().T) for operator in seen]
    table, first = process.counts, protocol.opening
    quantum = np.zeros((len(table), len(table.baths)))
    quantum[np.arange(len(table)), table.bath] = table.quantum
    members = np.full((len(blocks.members), blocks.largest), -1, dtype=np.int64)
    for block, states in enumerate(blocks.members):
        members[block, : len(states)] = states
    start, column, value = _rows(seen, blocks)
    target, jump_start, jump_row, jump_column, jump_value = jump_table(ops, blocks)
    return {
        "size": blocks.sizes.astype(np.int64),
        "basis": members,
        "vectors": np.zeros((0, 0), dtype=complex) if half is None else half.conj().T.toarray(),
        "quantum": quantum,
        "initial_cdf": cumulative(first.p),
        "initial_energy": energies(first.kets, process.H),
        "look_start": start,
        "look_column": column,
        "look_value": value,
        "count": rows,
        **_kets(_later(first.kets, half), blocks, "initial"),
        **_closing(process, protocol, blocks, half),
        "target": target,
        "jump_start": jump_start,
        "jump_row": jump_row,
        "jump_column": jump_column,
        "jump_value": jump_value,
    }


def _later(kets: Any, half: Sparse | None) -> Sparse:
    """(n, d) kets as they are half a layer later."""
    return sp.csr_array(kets) if half is None else sp.csr_array(sp.csr_array(kets) @ half.T)


def _closing(process: Process, protocol: Protocol, blocks: Blocks, half: Sparse | None) -> Arrays:
    """Closing kets: those of the protocol, or the basis states."""
    if is_product(protocol.closing):
        kets = _later(sp.eye_array(process.d, dtype=complex, format="csr"), half)
        return _kets(kets, blocks, "final") | {"final_energy": process.H.diagonal().real.copy()}
    assert protocol.closing
    kets = _later(protocol.closing.kets, half)
    return _kets(kets, blocks, "final") | {"final_energy": energies(protocol.closing.kets, process.H)}


def _kets(kets: Sparse, blocks: Blocks, name: str) -> Arrays:
    """Kets (n, d) by their entries in the block of each."""
    largest = np.array(
        [kets.indices[first + np.argmax(np.abs(kets.data[first:last]))] for first, last in pairwise(kets.indptr)]
    )
    block = blocks.label[largest]
    row = np.repeat(np.arange(kets.shape[0]), np.diff(kets.indptr))
    kept = blocks.label[kets.indices] == block[row]
    return {
        f"{name}_block": block.astype(np.int64),
        f"{name}_start": np.searchsorted(row[kept], np.arange(kets.shape[0] + 1)).astype(np.int64),
        f"{name}_place": blocks.place[kets.indices[kept]].astype(np.int64),
        f"{name}_value": kets.data[kept].astype(complex),
    }


def _rows(operators: list[Sparse], blocks: Blocks) -> tuple[Ints, Ints, Complexes]:
    """Rows of the diagonal blocks of some operators, one after the other: start, column, value."""
    d = len(blocks.label)
    first = np.cumsum(blocks.sizes) - blocks.sizes
    starts, columns, values = [np.zeros(1, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, complex)]
    for operator in operators:
        entries = sp.coo_array(operator)
        label = blocks.label[entries.row]
        kept = (label == blocks.label[entries.col]) & (entries.data != 0)
        row, column = first[label[kept]] + blocks.place[entries.row[kept]], blocks.place[entries.col[kept]]
        order = np.lexsort((column, row))
        starts.append(starts[-1][-1] + np.searchsorted(row[order], np.arange(1, d + 1)))
        columns.append(column[order])
        values.append(entries.data[kept][order].astype(complex))
    return np.concatenate(starts).astype(np.int64), np.concatenate(columns).astype(np.int64), np.concatenate(values)


def _centred(heff: Sparse, blocks: Blocks) -> Sparse:
    """H_eff with each block minus the real centre of the discs that hold its spectrum (Gershgorin)."""
    middle = heff.diagonal()
    reach = np.asarray(abs(heff).sum(axis=1)).reshape(-1) - np.abs(middle)
    low, high = np.full(len(blocks.members), np.inf), np.full(len(blocks.members), -np.inf)
    np.minimum.at(low, blocks.label, middle.real - reach)
    np.maximum.at(high, blocks.label, middle.real + reach)
    return sp.csr_array(heff - sp.diags_array(((low + high) / 2)[blocks.label], format="csr"))
