r"""Full counting statistics at long times, by tilting: cumulant rates, generating functions, their symmetry.

Counts n are weighted by :math:`e^{w\cdot n}`; the growth rate of the tilted process is the scaled cumulant generating
function.  Its derivatives come from perturbation theory of the leading eigenvector, order by order and exactly.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse.linalg as sla

from collide.exact.jets import Index, Jets, Numbers
from collide.exact.process import Floats
from collide.exact.reduced import Reduced, Step
from collide.exact.spectrum import eigenvalues
from collide.exact.steady import Stationary


def tilted_jet(reduced: Reduced, jets: Jets, weights: Sequence[Floats], sparse: bool = False) -> list[Any]:
    """Taylor coefficients of the tilted generator (continuous) or period map (repeated).

    Parameters
    ----------
    reduced : Reduced
    jets : Jets
        In as many variables as there are weights.
    weights : sequence of (ncounts,) float
    sparse : bool
        Coefficients of a generator in compressed rows.

    Returns
    -------
    sequence over the indices of (m, m)
    """
    if reduced.continuous:
        step = reduced.steps[0]
        rows = _coefficients(step, jets, weights)
        return [step.parts.weighted_sparse(row) if sparse else step.parts.weighted(row) for row in rows]
    total: Floats | None = None
    for step in reduced.steps:
        jet = step_jet(reduced, step, jets, weights)
        total = jet if total is None else jets.matmul(jet, total)
    assert total is not None
    return list(total)


def step_jet(reduced: Reduced, step: Step, jets: Jets, weights: Sequence[Floats]) -> Floats:
    """Taylor coefficients (len, m, m) of the tilted map of one element of a period."""
    rows = _coefficients(step, jets, weights)
    jet = np.array([step.parts.weighted(row) for row in rows])
    return jets.expm(step.duration * jet, reduced.sector.trace) if step.duration is not None else jet


def _coefficients(step: Step, jets: Jets, weights: Sequence[Floats]) -> Floats:
    of_parts = np.array([step.weights(w) for w in weights]).reshape(len(weights), len(step.labels))
    return jets.exponential_weights(of_parts)


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
    M = tilted_jet(reduced, jets, weights, sparse=reduced.continuous and not reduced.dense)
    trace = reduced.sector.trace
    vector = [stationary.vector]
    value = np.zeros(len(jets))
    for n, pairs in enumerate(jets.pairs):
        if n == 0:
            continue
        # (M_0 - lambda_0) v_n = -sum_{0 < b <= n} (M_b - lambda_b) v_{n-b}, with Tr v_n = 0 for n > 0
        source: Floats = sum((M[b] @ vector[rest] for b, rest in pairs if b), np.zeros(reduced.size))
        value[n] = trace @ source
        for b, rest in pairs:
            if b:
                source = source - value[b] * vector[rest]
        vector.append(stationary.solve(-source))
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
    if reduced.continuous and not reduced.dense:
        step = reduced.steps[0]
        matrix = step.parts.weighted_sparse(np.exp(step.weights(tilt)))
        start = np.full(reduced.size, 1e-3)
        start[: reduced.sector.d] = 1.0  # a fixed start: the same digits every time
        return complex(sla.eigs(matrix, k=1, which="LR", v0=start, ncv=60, return_eigenvectors=False)[0])
    values = eigenvalues(reduced.tilted(tilt))
    return complex(values[np.argmax(values.real if reduced.continuous else np.abs(values))])


def reversed_tilt(reduced: Reduced, tilt: Numbers) -> Numbers:
    """The tilt at which the generating function has the same value by the Gallavotti-Cohen symmetry.

    A count and its reverse exchange places and the entropy of the count is taken away: ``u -> -u - entropy``.  It holds
    for tilts that are odd under reversal of a count (heat, charge, entropy) and processes that are symmetric under time
    reversal (real operators).
    """
    return -tilt - reduced.process.counts.entropy
