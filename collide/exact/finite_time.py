r"""Counting statistics at finite time from any initial state.

The generating function at time t is the trace of the tilted propagator applied to the initial state.  Its Taylor jet
gives moments and cumulants of any order; its values at imaginary fields give the distribution of integer counts.
"""

from collections.abc import Sequence

import numpy as np

from collide.exact.counting import period_jet, pushing, step_jet, toeplitz
from collide.exact.evolve import dense_is_cheaper, periods, power_is_cheaper
from collide.exact.jets import PLAIN, Index, Jets, Numbers
from collide.exact.process import Floats, Ints
from collide.exact.reduced import Reduced
from collide.later import later

sla = later("scipy.sparse.linalg")

TAIL = 1e-12  # probability that a distribution may miss beyond its window
WINDOW = 1 << 16  # counts in the widest window


def moment_jet(reduced: Reduced, jets: Jets, weights: Sequence[Floats], x: Floats, t: float) -> Numbers:
    """Taylor coefficients of the tilted state at time t.

    Parameters
    ----------
    reduced : Reduced
    jets : Jets
    weights : sequence of (ncounts,) float
        One for each variable of `jets`.
    x : (m,) or (m, n) float
        Initial state, or several as columns.
    t : float
        A multiple of the period for a repeated process.

    Returns
    -------
    (len(jets), *x.shape) float
    """
    columns = x.reshape(reduced.size, -1).shape[1]
    start = np.zeros((len(jets), *x.shape))
    start[0] = x
    if not reduced.continuous:
        n = int(periods(np.array([t]), reduced.process.tau or 1.0)[0])
        if power_is_cheaper(reduced, n, columns):
            return jets.matmul(jets.power(period_jet(reduced, jets, weights), n, reduced.sector.trace), start)
        push = pushing(reduced, jets, weights)
        for _ in range(n):
            start = push(start)
        return start
    if dense_is_cheaper(reduced.generator, t, columns):
        generator = t * np.array(step_jet(reduced.steps[0], jets, weights, dense=True))
        return jets.matmul(jets.expm(generator, reduced.sector.trace), start)
    whole = t * toeplitz(jets, step_jet(reduced.steps[0], jets, weights, dense=False))
    stacked = start.reshape(len(jets) * reduced.size, *x.shape[1:])
    return sla.expm_multiply(whole, stacked).reshape(start.shape)


def tilted_state(reduced: Reduced, tilt: Numbers, x: Numbers, t: float) -> Numbers:
    """State at time t with counts n weighted by ``exp(tilt . n)``.

    Parameters
    ----------
    reduced : Reduced
    tilt : (ncounts,) real or complex
        Minus infinity forbids a count.
    x : (m,) or (m, n)
    t : float
    """
    columns = x.reshape(reduced.size, -1).shape[1]
    if not reduced.continuous:
        n = int(periods(np.array([t]), reduced.process.tau or 1.0)[0])
        period = reduced.tilted(tilt)
        if power_is_cheaper(reduced, n, columns):
            return PLAIN.power(period[None], n)[0] @ x
        for _ in range(n):
            x = period @ x
        return x
    if dense_is_cheaper(reduced.generator, t, columns):
        return PLAIN.expm(t * reduced.tilted(tilt)[None])[0] @ x
    step = reduced.steps[0]
    return sla.expm_multiply(t * step.parts.weighted_sparse(np.exp(step.weights(tilt))), x)


def joint_cumulants(reduced: Reduced, jets: Jets, weights: Sequence[Floats], x: Floats, t: float) -> dict[Index, float]:
    """Joint cumulants at time t of several weighted sums of counts, not divided by t; see `joint_cumulant_rates`."""
    moments = moment_jet(reduced, jets, weights, x, t) @ reduced.sector.trace
    values = jets.log(moments) * jets.factorial
    return {a: float(values[n]) for n, a in enumerate(jets.indices) if any(a)}


def cumulants(reduced: Reduced, weight: Floats, x: Floats, t: float, order: int) -> Floats:
    """First `order` cumulants (order,) of ``counts @ weight`` at time t from the state x."""
    found = joint_cumulants(reduced, Jets.box([order]), [weight], x, t)
    return np.array([found[(k,)] for k in range(1, order + 1)])


def distribution(reduced: Reduced, weight: Floats, x: Floats, t: float) -> tuple[Ints, Floats]:
    """Probabilities of an integer sum of counts at time t, by Fourier inversion.

    The window is centred at the mean and doubled until its outer quarters hold less than 1e-12.

    Parameters
    ----------
    reduced : Reduced
    weight : (ncounts,) float
        Integers.
    x : (m,) float
    t : float

    Returns
    -------
    n : (N,) int
        Consecutive values.
    P : (N,) float
        Their probabilities, exact to about 1e-15, or in a stiff process to its largest rate times t in units of the
        rounding error; the window ends where they fall below.
    """
    mean, variance = cumulants(reduced, weight, x, t, 2)
    N = 1 << int(np.ceil(np.log2(32 + 16 * np.sqrt(max(variance, 0.0)))))
    rounding = _rounding(reduced, t)
    while N <= WINDOW:
        fields = 2j * np.pi / N * np.arange(N // 2 + 1)
        values = [reduced.sector.trace @ tilted_state(reduced, f * weight, x.astype(complex), t) for f in fields]
        P = np.fft.irfft(np.conj(values), N)
        n = int(np.rint(mean)) - N // 2 + np.arange(N)
        P = P[n % N]
        outer = np.abs(np.concatenate([P[: N // 8], P[-(N // 8) :]]))
        if outer.sum() < TAIL + len(outer) * rounding:
            inside = np.flatnonzero(max(1e-15, rounding) < P)
            keep = slice(inside[0], inside[-1] + 1)
            return n[keep], np.maximum(P[keep], 0.0)
        N *= 2
    raise ValueError(f"the distribution at t = {t:g} is wider than {WINDOW} counts: use cumulants, or a shorter time")


def _rounding(reduced: Reduced, t: float) -> float:
    """What the rounding of the fastest rates makes of a probability over a time t."""
    if not reduced.continuous:
        return 0.0
    return float(np.finfo(float).eps * t * abs(reduced.generator).sum(axis=0).max())
