r"""Noise of the currents: at zero frequency, and in time.

The correlation function of two currents is

.. math:: C_{ab}(\tau) = \langle I_a(t+\tau) I_b(t)\rangle - \langle I_a\rangle\langle I_b\rangle
          = D_{ab}\,\delta(\tau) + c_{ab}(\tau),\qquad \tau \ge 0,

with the shot noise :math:`D_{ab} = \sum_k w_{a,k} w_{b,k} \Gamma_k` of counts that both see, and a regular part c.
The zero-frequency noise is :math:`D_{ab} + \int_0^\infty [c_{ab} + c_{ba}]\,d\tau`, the covariance rate of the counts.
In a repeated process a current is the count of one period over tau, the integral is a sum times tau, and D / tau is the
covariance within a period.
"""

from typing import NamedTuple

import numpy as np

from collide.exact.counting import joint_cumulant_rates, tilted_jet
from collide.exact.evolve import propagate
from collide.exact.jets import Jets
from collide.exact.process import Floats
from collide.exact.reduced import Reduced
from collide.exact.steady import Stationary


class Correlation(NamedTuple):
    """Correlation function of two currents in the steady state.

    delta : weight D of the delta function at tau = 0; regular (nt,) : c at the times asked for.
    """

    delta: float
    regular: Floats


def zero_frequency(reduced: Reduced, stationary: Stationary, a: Floats, b: Floats) -> float:
    """Covariance per unit time of two weighted sums of counts as time goes to infinity."""
    return joint_cumulant_rates(reduced, stationary, [a, b], Jets.box([1, 1]))[1, 1]


def correlation(reduced: Reduced, stationary: Stationary, a: Floats, b: Floats, times: Floats) -> Correlation:
    """Correlation of the current with weights a at time t + tau with the one with weights b at t.

    Parameters
    ----------
    a, b : (ncounts,) float
    times : (nt,) float
        Ascending; 0 or later for a continuous process (0 means just after), multiples of the period from one on for a
        repeated process.
    """
    jets = Jets.box([1, 1])
    M = dict(zip(jets.indices, tilted_jet(reduced, jets, [a, b]), strict=True))
    trace, state = reduced.sector.trace, stationary.vector
    means = trace @ M[1, 0] @ state, trace @ M[0, 1] @ state
    both = float(trace @ M[1, 1] @ state)
    row, source = trace @ M[1, 0], M[0, 1] @ state
    if reduced.continuous:
        later = [float(row @ y) for y in propagate(reduced, source, times)]
        return Correlation(both, np.array(later) - means[0] * means[1])
    tau = reduced.process.tau or 1.0
    if len(times) and times[0] < tau * (1 - 1e-9):
        raise ValueError(f"`tlist` must begin at one period, tau = {tau:g}, but begins at {times[0]:g}")
    later = [float(row @ y) for y in propagate(reduced, source, np.rint(times / tau) * tau - tau)]
    regular = (np.array(later) - means[0] * means[1]) / tau**2
    return Correlation((both - means[0] * means[1]) / tau, regular)
