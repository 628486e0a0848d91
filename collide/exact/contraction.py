"""How loads enter the entropy production: the rate c_0 at which they contract phase space.

A load has no reverse process.  Where its generator maps the identity to a multiple of it, ``L[1] = c_0 1``, the exact
fluctuation theorem still holds with ``c_0 t`` added to the entropy production (for the rotor's load, Leitch et al.
2024, Eq. 17, c_0 = gamma (1 + beta_r / 8 I)).  A truncated ladder obeys this up to its edges.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from collide.exact.process import Floats, Flow, Process, Sparse

EDGE = 0.25  # largest fraction of basis states that may be an edge of a truncated ladder
EQUAL = 1e-9


class EntropyUndefined(ValueError):
    """A load has no entropy of its own, hence the process has no entropy production."""


class Contraction(NamedTuple):
    """What a flow's loads do to the identity.

    rate: c_0; defect (d,): by how much each diagonal element of L[1] differs from it, zero but at the edges.
    """

    rate: float
    defect: Floats


def contraction(flow: Flow) -> Contraction:
    """c_0 of all load channels of a flow together, and where a truncated space misses it.

    Raises
    ------
    EntropyUndefined
        If the loads do not map the identity to a multiple of the identity.
    """
    d = flow.H.shape[0]
    total: Sparse = sp.csr_array((d, d), dtype=complex)
    for op, load in zip(flow.ops, flow.load, strict=True):
        if load >= 0:
            total = total + op @ op.conj().T - op.conj().T @ op
    diagonal = total.diagonal().real
    rate = float(np.median(diagonal))
    scale = max(float(np.abs(diagonal).max()), 1e-300)
    outside = total - sp.diags_array(total.diagonal())
    differs = np.abs(diagonal - rate) > EQUAL * scale
    if (outside.nnz and np.abs(outside.data).max() > EQUAL * scale) or differs.sum() > EDGE * d:
        raise EntropyUndefined(
            "entropy production is undefined: the load's generator does not map the identity to a multiple of itself,"
            " so its kicks have no reverse; use heat and work, or replace the load by a thermal bath"
        )
    return Contraction(rate, np.where(differs, diagonal - rate, 0.0))


def contraction_rate(process: Process) -> float:
    """Mean of c_0 over a period (of the endless flow: c_0 itself); 0 without loads."""
    if not process.loads:
        return 0.0
    flows = [element for element in process.elements if isinstance(element, Flow)]
    if process.tau is None:
        return contraction(flows[0]).rate
    return sum(contraction(flow).rate * (flow.duration or 0.0) for flow in flows) / process.tau
