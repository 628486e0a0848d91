r"""What changes an expectation value: free evolution, or the channels of a bath, or the load's work.

For a Lindblad equation

.. math:: \frac{d}{dt}\langle A\rangle = i\langle[H,A]\rangle + \sum_b\langle\mathcal D_b^\dagger[A]\rangle

term by term; and for either picture the work of loads, what they change of the energy beside the operator whose change
is their heat.
"""

from collections.abc import Iterable, Sequence
import math
from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.exact.currents import time_integral
from collide.exact.process import Complexes, Floats, Flow, Sparse
from collide.exact.reduced import load_heat_operator
from collide.operators import as_hermitian


def free_rate(model: Any, operator: Any, rho: Any = None) -> float:
    """Rate of change i <[H, A]> of an observable under the Hamiltonian of a Lindblad equation.

    Parameters
    ----------
    model : LindbladModel
    operator : (d, d) Hermitian operator
        A.
    rho : (d, d) state, optional
        Steady state by default.
    """
    A = as_hermitian(operator, "operator", model.process.d)
    # a Lamb shift evolves, but is no energy
    H = model.H if model.process.tau is not None else model.process.elements[0].H
    return _expectation(1j * (H @ A - A @ H), _state(model, rho))


def bath_rate(model: Any, operator: Any, baths: Iterable[str], rho: Any = None) -> float:
    """Rate of change of an observable due to the channels of some baths of a Lindblad equation.

    Parameters
    ----------
    model : LindbladModel
    operator : (d, d) Hermitian operator
    baths : iterable of str
    rho : (d, d) state, optional
        Steady state by default.
    """
    if model.process.tau is not None:
        raise ValueError("`model` repeats collisions, whose baths have no generators: use its `lindblad_limit()`")
    table = model.process.counts
    wanted = {table.baths[table.index(name)] for name in baths}
    A = as_hermitian(operator, "operator", model.process.d)
    ops = [math.sqrt(c.rate) * sp.csr_array(c.op, dtype=complex) for c in model.channels if c.name in wanted and c.rate]
    return _expectation(adjoint_dissipator(ops, A), _state(model, rho)) if ops else 0.0


def adjoint_dissipator(ops: Sequence[Sparse], A: Sparse) -> Sparse:
    """Sum over operators of L^dagger A L - {L^dagger L, A} / 2, (d, d) sparse."""
    stacked = sp.vstack(ops, format="csr")
    down = stacked.conj().T.tocsr()
    weight = down @ stacked
    inside = down @ (sp.kron(sp.eye_array(len(ops)), A, format="csr") @ stacked)
    return inside - 0.5 * (weight @ A + A @ weight)


def load_powers(model: Any, rho: Any = None) -> dict[str, float]:
    """Work per unit time that each load does on the system.

    It is what the load's channels change of H minus the load's energy operator (Leitch et al. 2024, Eq. 25); the change
    of the energy operator itself is the load's heat.

    Parameters
    ----------
    model : CollisionModel or LindbladModel
    rho : (d, d) state, optional
        Steady state by default.  Of a repeated process: the state at the start of the period over which is averaged.

    Returns
    -------
    dict
        By bath name; empty without loads.
    """
    reduced, x = model._start("steady" if rho is None else rho)
    process = model.process
    total, state = np.zeros(len(process.loads)), x
    for number, (step, element) in enumerate(zip(reduced.steps, process.elements, strict=True)):
        if isinstance(element, Flow):
            dwell = state if step.duration is None else time_integral(reduced, step, state, step.duration)
            total += np.array([row @ dwell for row in _work_rows(reduced, element)])
        if not reduced.continuous:
            state = reduced.step_matrices[number] @ state
    period = process.tau or 1.0
    return {process.counts.baths[load.bath]: float(w) / period for load, w in zip(process.loads, total, strict=True)}


def _work_rows(reduced: Any, flow: Flow) -> list[Floats]:
    """Rows (m,) of Tr[(H - energy) D_load rho] of each load."""
    process = reduced.process
    return [
        reduced.sector.functional(load_heat_operator(flow, number, process.H - load.energy))
        for number, load in enumerate(process.loads)
    ]


def _state(model: Any, rho: Any) -> Complexes:
    return model.steady_state() if rho is None else np.asarray(rho, dtype=complex)


def _expectation(operator: Sparse, rho: Complexes) -> float:
    """Tr[A rho] without a product of matrices."""
    entries = sp.coo_array(operator)
    return float((entries.data * rho[entries.col, entries.row]).sum().real)
