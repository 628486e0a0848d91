"""A repeated process becomes the arrays of the collision kernel: tables of ancilla outcomes, block by block."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.blocks import Blocks, find_blocks, jump_table
from collide.compile_flows import flow_tables, loss, require_sampled
from collide.compile_jumps import explain
from collide.ends import Basis, cumulative, end_arrays, measured_kets
from collide.exact.process import Floats, Flow, Instrument, Process, Sparse, Unitary, embed
from collide.protocol import Protocol


def collision_arrays(process: Process, protocol: Protocol) -> tuple[dict[str, NDArray[Any]], str]:
    """Arrays of a collision program and a sentence that says what will run and why.

    Every period is a list of instruments; free evolution is folded into the one that follows.  An instrument first
    draws the ancilla's level n from its populations, then the outcome m from |<m|U|n> psi|^2.
    """
    assert process.tau is not None
    require_sampled(process)
    elements, followed = fold_unitaries(process)
    flows = [element for element in elements if isinstance(element, Flow)]
    patterns = [op for ops in [*followed, *(flow.ops for flow in flows)] for op in ops]
    blocks = find_blocks(process.d, [loss(flow) for flow in flows], patterns, measured_kets(protocol))
    tables = outcome_tables(elements, followed, blocks) | flow_tables(elements, process, blocks)
    steps = np.rint(protocol.tlist / process.tau).astype(np.int64)
    arrays = end_arrays(process, protocol, blocks, Basis(None)) | tables | {"steps": steps}
    return arrays, explain(blocks, process.d, Basis(None))


def fold_unitaries(process: Process) -> tuple[list[Instrument | Flow], list[list[Sparse]]]:
    """Collisions and flows of a period, with the collisions' <m|U|n> (no sqrt(p_n)) after the free evolution before."""
    elements: list[Instrument | Flow] = []
    operators: list[list[Sparse]] = []
    free: Sparse = None
    for element in process.elements:
        if isinstance(element, Unitary):
            gate = element.whole(process.dims)
            free = gate if free is None else gate @ free
        elif isinstance(element, Instrument):
            weights = np.sqrt(element.prior[element.first])
            ops = [embed(k / w, element.sites, process.dims) for k, w in zip(element.kraus, weights, strict=True)]
            operators.append([op if free is None else sp.csr_array(op @ free) for op in ops])
            elements.append(element)
            free = None
        else:
            if free is not None:
                elements.append(_nothing(process))
                operators.append([free])
                free = None
            elements.append(element)
            operators.append([])
    if free is not None:
        elements.append(_nothing(process))
        operators.append([free])
    return elements, operators


def _nothing(process: Process) -> Instrument:
    """A collision without an ancilla, for free evolution that no collision follows."""
    counts = np.full((1, len(process.counts.baths)), -1)
    return Instrument((), np.ones((1, 1, 1), complex), counts, np.ones(1), np.zeros(1, int), np.zeros(1, int))


def outcome_tables(
    elements: list[Instrument | Flow], operators: list[list[Sparse]], blocks: Blocks
) -> dict[str, NDArray[Any]]:
    """Flat tables: elements -> first outcomes n -> last outcomes m -> entries of <m|U|n> in each block.

    A flow has no first outcome.
    """
    prior_start, outcome_start = [0], [0]
    cdf: list[Floats] = []
    guides: list[NDArray[np.int64]] = []
    chosen: list[tuple[Instrument, Sparse, int]] = []
    nbaths = elements[0].counts.shape[1]
    for instrument, ops in zip(elements, operators, strict=True):
        if isinstance(instrument, Flow):
            prior_start.append(prior_start[-1])
            continue
        levels = np.flatnonzero(instrument.prior > 0)
        cdf.append(cumulative(instrument.prior[levels]))
        guides.append(guide(cdf[-1]))
        for level in levels:
            members = np.flatnonzero(instrument.first == level)
            likely = np.argsort(-np.array([abs(ops[k]).max() for k in members]), kind="stable")
            chosen += [(instrument, ops[k], int(k)) for k in members[likely]]
            outcome_start.append(outcome_start[-1] + len(members))
        prior_start.append(prior_start[-1] + len(levels))
    target, start, row, column, value = jump_table([op for _, op, _ in chosen], blocks)
    return {
        "prior_start": np.array(prior_start, dtype=np.int64),
        "prior_cdf": np.concatenate([np.zeros(0), *cdf]),
        "prior_guide": np.concatenate([np.zeros(0, np.int64), *guides]),
        "outcome_start": np.array(outcome_start, dtype=np.int64),
        "target": target,
        "entry_start": start,
        "entry_row": row,
        "entry_column": column,
        "entry_value": value,
        "count": np.array([instrument.counts[k] for instrument, _, k in chosen], dtype=np.int64).reshape(
            len(chosen), nbaths
        ),
        "first": np.array([instrument.first[k] for instrument, _, k in chosen], dtype=np.int64),
        "last": np.array([instrument.last[k] for instrument, _, k in chosen], dtype=np.int64),
    }


def guide(cdf: Floats) -> NDArray[np.int64]:
    """(n,) first index whose cumulative probability exceeds k / n: where the search for a level may start."""
    n = len(cdf)
    return np.searchsorted(cdf, np.arange(n) / n, side="right").clip(0, n - 1).astype(np.int64)
