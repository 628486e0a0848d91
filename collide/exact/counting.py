r"""Full counting statistics at long times, by tilting: cumulant rates, generating functions, their symmetry.

Counts n are weighted by :math:`e^{w\cdot n}`; the growth rate of the tilted process is the scaled cumulant generating
function.  Its derivatives come from perturbation theory of the leading eigenvector, order by order and exactly.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.exact.jets import Index, Jets, Numbers
from collide.exact.process import Floats, Sparse
from collide.exact.reduced import FlowMap, Reduced, Step
from collide.exact.spectrum import eigenvalues
from collide.exact.steady import Stationary
from collide.later import later

la = later("scipy.linalg")
sla = later("scipy.sparse.linalg")

NEAR = 1e-14  # relative to the largest eigenvalue: by what a solver is wrong where eigenvectors are harmless

Push = Callable[[Floats], Floats]


def pushing(reduced: Reduced, jets: Jets, weights: Sequence[Floats]) -> Push:
    """How the tilted generator (continuous) or period map (repeated) acts on jets of states.

    Parameters
    ----------
    reduced : Reduced
    jets : Jets
        In as many variables as there are weights.
    weights : sequence of (ncounts,) float

    Returns
    -------
    callable
        From (len(jets), m) or (len(jets), m, n) to the same shape.
    """
    if reduced.continuous:
        coefficients = step_jet(reduced.steps[0], jets, weights, reduced.dense)
        return lambda x: jets.matmul(coefficients, x)
    if reduced.dense:
        period = period_jet(reduced, jets, weights)
        return lambda x: jets.matmul(period, x)
    return _step_by_step(reduced, jets, weights)


def period_jet(reduced: Reduced, jets: Jets, weights: Sequence[Floats]) -> Floats:
    """Taylor coefficients (len, m, m) of the tilted map of a period."""
    total: Floats | None = None
    for step in reduced.steps:
        jet = np.array(step_jet(step, jets, weights, dense=True))
        if step.duration is not None:
            jet = jets.expm(step.duration * jet, reduced.sector.trace)
        total = jet if total is None else jets.matmul(jet, total)
    assert total is not None
    total[0] = reduced.base  # whose trace is exact
    return total


def step_jet(step: Step, jets: Jets, weights: Sequence[Floats], dense: bool) -> list[Any]:
    """Taylor coefficients (m, m) of a tilted map or of the tilted generator of a flow, arrays or compressed rows."""
    of_parts = np.array([step.weights(w) for w in weights]).reshape(len(weights), len(step.labels))
    make = step.parts.weighted if dense else step.parts.weighted_sparse
    return [make(row) for row in jets.exponential_weights(of_parts)]


def toeplitz(jets: Jets, coefficients: Sequence[Sparse]) -> Sparse:
    """A jet as one sparse matrix that multiplies stacked coefficients."""
    blocks: list[list[Sparse]] = [[None] * len(jets) for _ in jets.indices]
    for n, pairs in enumerate(jets.pairs):
        for p, q in pairs:
            blocks[n][q] = coefficients[p]
    return sp.csr_array(sp.block_array(blocks))


def _step_by_step(reduced: Reduced, jets: Jets, weights: Sequence[Floats]) -> Push:
    """A period in a large sector: sparse maps, and flows by the action of their exponential."""
    whole = [toeplitz(jets, step_jet(step, jets, weights, dense=False)) for step in reduced.steps]
    moves = [m if s.duration is None else FlowMap(s.duration * m) for s, m in zip(reduced.steps, whole, strict=True)]

    def push(x: Floats) -> Floats:
        stacked = x.reshape(-1, *x.shape[2:])
        for move in moves:
            stacked = move @ stacked
        return stacked.reshape(x.shape)

    return push


def joint_cumulant_rates(
    reduced: Reduced, stationary: Stationary, weights: Sequence[Floats], jets: Jets
) -> dict[Index, float]:
    r"""Cumulants per unit time of several weighted counts, jointly, as time goes to infinity.

    Parameters
    ----------
    reduced : Reduced
    stationary : Stationary
        Steady state of `reduced`.
    weights : sequence of (ncounts,) float
    jets : Jets
        The multi-indices wanted: ``(2, 0)`` is the variance rate of the first, ``(1, 1)`` the covariance rate.

    Returns
    -------
    dict
        Cumulant rate for each multi-index but zero.
    """
    push, trace = pushing(reduced, jets, weights), reduced.sector.trace
    vector, value = np.zeros((len(jets), reduced.size)), np.zeros(len(jets))
    vector[0] = stationary.vector
    for n, pairs in enumerate(jets.pairs[1:], start=1):
        # (M_0 - lambda_0) v_n = -sum_{0 < b <= n} (M_b - lambda_b) v_{n-b}, with Tr v_n = 0 for n > 0
        source = push(vector)[n]
        value[n] = trace @ source
        vector[n] = stationary.solve(sum(value[b] * vector[rest] for b, rest in pairs if b) - source)
    if not reduced.continuous:
        value[0] = 1.0
        value = jets.log(value) / (reduced.process.tau or 1.0)
    return {a: float(value[n] * jets.factorial[n]) for n, a in enumerate(jets.indices) if any(a)}


def cumulant_rates(reduced: Reduced, stationary: Stationary, weight: Floats, order: int) -> Floats:
    """First `order` cumulants per unit time of ``counts @ weight`` as time goes to infinity, (order,)."""
    jets = Jets.box([order])
    found = joint_cumulant_rates(reduced, stationary, [weight], jets)
    return np.array([found[(k,)] for k in range(1, order + 1)])


def scgf(reduced: Reduced, tilt: Numbers) -> complex:
    """Scaled cumulant generating function, lim (1/t) ln <exp(tilt . counts)>.

    Parameters
    ----------
    reduced : Reduced
    tilt : (ncounts,) real or complex
        Counting field times weight of each row.

    Returns
    -------
    complex
        Real for a real tilt.  For a complex one: of the eigenvalue that dominates at long times.
    """
    value = _dominant(reduced, tilt)
    if not reduced.continuous:
        value = np.log(value) / (reduced.process.tau or 1.0)
    return complex(value.real if not np.iscomplexobj(tilt) else value)


def _dominant(reduced: Reduced, tilt: Numbers) -> complex:
    """Eigenvalue with the largest real part (of a map: modulus)."""
    matrix = reduced.tilted(tilt)
    if not reduced.dense:
        m, kind = reduced.size, np.result_type(tilt, float)
        action: Any = sla.LinearOperator((m, m), matvec=matrix.__matmul__, dtype=kind)
        start = np.full(m, 1e-3, dtype=kind)
        start[: reduced.sector.d] = 1.0  # a fixed start: the same digits every time
        which = "LR" if reduced.continuous else "LM"
        few: Any = sla.eigs  # whose stubs know no string for `which`
        return complex(few(action, k=1, which=which, v0=start, ncv=min(60, m - 1), return_eigenvectors=False)[0])
    values = eigenvalues(matrix)
    value = complex(values[np.argmax(values.real if reduced.continuous else np.abs(values))])
    return _polished(reduced, tilt, value, float(np.abs(values).max())) if reduced.continuous else value


def _polished(reduced: Reduced, tilt: Numbers, value: complex, largest: float) -> complex:
    r"""Give the leading eigenvalue of a tilted generator relative accuracy, by Newton's method.

    With the eigenvector r of trace one, :math:`\lambda = \sum_k (e^{u_k} - 1)\,\mathrm{Tr}[J_k r]`: the flow without
    counts leaves the trace alone and drops out.  For a trial value r is found from all rows but one; this equation is
    the last one.

    That is better than the eigenvalue itself only where the counted flow, with the errors of r that the conditioning of
    the equations allows, is smaller than the `largest` eigenvalue, to whose rounding all eigenvalues are known: at low
    temperature, but not on long ladders, whose eigenvectors make the equation insensitive to the eigenvalue.
    """
    step, m, d = reduced.steps[0], reduced.size, reduced.sector.d
    weights = step.weights(tilt)
    count = np.expm1(weights) @ step.parts.rates(d)
    trial = value if np.iscomplexobj(tilt) else value.real
    for _ in range(2):
        matrix = reduced.tilted(tilt) - trial * np.eye(m)
        row = int(np.argmax(np.abs(matrix[:d]).sum(axis=1)))
        matrix[row] = reduced.sector.trace * np.abs(matrix).max()
        factors = la.lu_factor(matrix, check_finite=False)
        r = la.lu_solve(factors, np.eye(m)[row])
        r = r / r[:d].sum()
        slope = la.lu_solve(factors, np.where(np.arange(m) == row, 0.0, r))
        flow, sensitivity = float(np.abs(count) @ np.abs(r)), 1.0 - count @ slope
        if not flow < abs(sensitivity) * largest * _reciprocal_condition(matrix, factors[0]):
            return value
        change = (count @ r - trial) / sensitivity
        if not abs(change) <= NEAR * largest:
            return value
        trial = trial + change
    return complex(trial)


def _reciprocal_condition(matrix: Numbers, factor: Numbers) -> float:
    """1 / (norm of a matrix times norm of its inverse), from its factors."""
    estimate = la.lapack.zgecon if np.iscomplexobj(factor) else la.lapack.dgecon
    return float(estimate(factor, np.abs(matrix).sum(axis=0).max())[0])


def reversed_tilt(reduced: Reduced, tilt: Numbers) -> Numbers:
    """The tilt at which the generating function has the same value by the Gallavotti-Cohen symmetry.

    A count and its reverse exchange places and the entropy of the count is taken away: ``u -> -u - entropy``.  It holds
    for tilts that are odd under reversal of a count (heat, charge, entropy) and processes that are symmetric under time
    reversal (real operators).
    """
    return -tilt - reduced.process.counts.entropy
