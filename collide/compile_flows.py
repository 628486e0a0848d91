"""Channels inside a period of collisions become tables for `collide.kernels.collision_loads`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.blocks import Blocks, block_diagonal, block_diagonals, jump_table
from collide.exact.process import Flow, Process, Sparse


def loss(flow: Flow) -> Sparse:
    """G = sum of L^dagger L over the channels of a flow, (d, d) sparse."""
    total: Sparse = sp.csr_array(flow.H.shape, dtype=complex)
    for op in flow.ops:
        total = total + op.conj().T @ op
    return total


def require_sampled(process: Process) -> None:
    """Refuse flows within a period that cannot be unravelled.

    Raises
    ------
    ValueError
        If a flow has a Hamiltonian of its own, or a load shares it with other channels: what each of them changes of
        the energy would then be no difference of two expectation values.
    """
    for flow in process.elements:
        if not isinstance(flow, Flow):
            continue
        if flow.H.nnz and abs(flow.H).max() > 0:
            raise ValueError("a flow with a Hamiltonian inside a period cannot be sampled: use its exact side")
        if len(set(np.asarray(flow.load).tolist())) > 1:
            raise ValueError(
                "a period in which a load acts together with other channels cannot be sampled: replace the others by"
                " collisions, or take a LindbladModel"
            )


def flow_tables(elements: Sequence[Any], process: Process, blocks: Blocks) -> dict[str, NDArray[Any]]:
    """Tables of the flows among the elements of a period; ``flow_of`` says which element is which flow, -1 for none."""
    flows = [element for element in elements if isinstance(element, Flow)]
    nb, m, nbaths = len(blocks.members), blocks.largest, len(process.counts.baths)
    rate, turn = np.zeros((len(flows), nb, m)), np.zeros((len(flows), nb, m, m), dtype=complex)
    for number, flow in enumerate(flows):
        rate[number], turn[number] = _eigenbases(block_diagonal(loss(flow), blocks), blocks)
    time = np.array([flow.duration or 0.0 for flow in flows])
    target, start, row, column, value = jump_table([op for flow in flows for op in flow.ops], blocks)
    numbers = iter(range(len(flows)))
    energies = [load.energy for load in process.loads]
    return {
        "flow_of": np.array([next(numbers) if isinstance(e, Flow) else -1 for e in elements], dtype=np.int64),
        "flow_time": time,
        "flow_rate": rate,
        "flow_fall": np.exp(-0.5 * rate * time[:, None, None]),
        "flow_turn": turn,
        "flow_channel": np.cumsum([0, *(len(flow.ops) for flow in flows)]).astype(np.int64),
        "flow_target": target,
        "flow_start": start,
        "flow_row": row,
        "flow_column": column,
        "flow_value": value,
        "flow_count": np.concatenate(
            [np.zeros((0, nbaths), np.int64), *(np.asarray(flow.counts).reshape(-1, nbaths) for flow in flows)]
        ).astype(np.int64),
        "flow_load": np.array([int(flow.load[0]) if len(flow.load) else -1 for flow in flows], dtype=np.int64),
        "load_bath": np.array([load.bath for load in process.loads], dtype=np.int64),
        "load_energy": block_diagonals(energies, blocks),
        "load_rest": block_diagonals([process.H - E for E in energies], blocks),
    }


def _eigenbases(G: NDArray[np.complex128], blocks: Blocks) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """Eigenvalues (nb, m) and eigenvectors (nb, m, m), the basis itself where G is diagonal in a block."""
    rate, turn = np.zeros(G.shape[:2]), np.zeros(G.shape, dtype=complex)
    for block, size in enumerate(blocks.sizes):
        inside = G[block, :size, :size]
        if np.count_nonzero(inside - np.diag(np.diag(inside))):
            values, vectors = np.linalg.eigh(inside)
        else:
            values, vectors = np.diag(inside).real, np.eye(size)
        rate[block, :size], turn[block, :size, :size] = np.maximum(values, 0.0), vectors
    return rate, turn
