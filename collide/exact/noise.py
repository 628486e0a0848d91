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

from collide.exact.counting import joint_cumulant_rates, pushing
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
    trace, first = reduced.sector.trace, Jets.box([1])
    count_a, count_b = pushing(reduced, first, [a]), pushing(reduced, first, [b])
    alone, nothing = Jets.box([1, 1]), np.zeros(reduced.size)
    pushed = pushing(reduced, alone, [a, b])(np.array([stationary.vector, nothing, nothing, nothing]))
    found = dict(zip(alone.indices, pushed @ trace, strict=True))
    both, product = float(found[1, 1]), found[1, 0] * found[0, 1]
    source = count_b(np.array([stationary.vector, nothing]))[1]

    def after(start: Floats, delays: Floats) -> Floats:
        states = propagate(reduced, start, delays)
        return np.array([trace @ count_a(np.array([y, nothing]))[1] for y in states]) - product

    if reduced.continuous:
        return Correlation(both, after(source, times))
    tau = reduced.process.tau or 1.0
    if len(times) and times[0] < tau * (1 - 1e-9):
        raise ValueError(f"`tlist` must begin at one period, tau = {tau:g}, but begins at {times[0]:g}")
    return Correlation((both - product) / tau, after(source, np.rint(times / tau) * tau - tau) / tau**2)
