r"""Statistics resolved by the measurements that open and close a trajectory.

The joint law of the opening outcome i, the counts, and the closing outcome f is known through

.. math:: G_\alpha[i,f] = p_i\,\langle\mathbb 1_f \textstyle\prod_v (w_v\cdot n)^{\alpha_v}\rangle_i ,

Taylor coefficients of the tilted propagator between the outcomes.  Heat, work, energy change and entropy production
are sums of counts plus a number that depends on i and f, so their moments at finite time follow exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from collide.exact.contraction import contraction_rate
from collide.exact.finite_time import moment_jet, tilted_state
from collide.exact.jets import Jets
from collide.exact.process import Complexes, Floats, Process
from collide.exact.reduced import Reduced
from collide.exact.reversal import reversed_process
from collide.exact.sectors import ROUNDING

NEVER = 1e-13  # probabilities below, computed as sums, are rounding: the outcome does not occur


@dataclass(frozen=True)
class Ends:
    """Opening and closing measurement of trajectories of length t.

    Attributes
    ----------
    t : float
    first : (ni, d) complex
        Opening kets that occur, orthonormal.
    p : (ni,) float
        Their probabilities, positive; each of them weighs the same in the integral fluctuation theorem.
    last : (nf, d) complex
        Closing kets, orthonormal and complete.
    reference : (nf,) float
        Probabilities p_tau(f) in the entropy production; those of the outcomes, unless another choice is made.
    """

    t: float
    first: Complexes
    p: Floats
    last: Complexes
    reference: Floats

    def seed(self) -> Any:
        """(d, d) bool, the density-matrix elements of the opening kets."""
        return pattern(self.first)


def pattern(kets: Complexes) -> Any:
    """(d, d) bool, the elements of the projectors on some kets."""
    support = (np.abs(kets) > ROUNDING).astype(np.int64)
    return support.T @ support > 0


def projectors(reduced: Reduced, kets: Complexes) -> Floats:
    """Coordinates (m, n) of the projectors on n kets."""
    return np.array([reduced.sector.vector(np.outer(k, k.conj())) for k in kets]).T


def end_resolved(reduced: Reduced, ends: Ends, weights: Sequence[Floats], jets: Jets) -> Floats:
    """Moments resolved by both ends, (len(jets), ni, nf): G_alpha[i, f] for each multi-index of `jets`.

    Parameters
    ----------
    reduced : Reduced
        In a sector that contains the opening kets.
    ends : Ends
    weights : sequence of (ncounts,) float
        One for each variable of `jets`.
    jets : Jets
    """
    final = moment_jet(reduced, jets, weights, projectors(reduced, ends.first), ends.t)
    rows = np.array([reduced.sector.functional(np.outer(k, k.conj())) for k in ends.last])
    resolved = np.swapaxes(rows @ final, 1, 2) * jets.factorial[:, None, None]
    return resolved * ends.p[:, None]


def shifted_moments(resolved: Floats, shift: Floats) -> Floats:
    """Moments (K+1,) of a sum of counts plus a number that depends on the ends.

    Parameters
    ----------
    resolved : (K+1, ni, nf) float
        Moments of the sum of counts.
    shift : (ni, nf) float
        May be infinite where the outcomes never occur.
    """
    shift = possible(shift, resolved[0])
    K = len(resolved) - 1
    return np.array(
        [sum(comb(n, k) * (shift ** (n - k) * resolved[k]).sum() for k in range(n + 1)) for n in range(K + 1)]
    )


def possible(shift: Floats, probability: Floats) -> Floats:
    """The end points' part (ni, nf) with infinities dropped where the outcomes occur by rounding only."""
    return np.where(np.isinf(shift) & (np.abs(probability) <= NEVER), 0.0, shift)


def cumulants_from_moments(moments: Floats) -> Floats:
    """Cumulants (K,) of a quantity whose moments 0...K are given; moment 0 is one up to rounding."""
    jets = Jets.box([len(moments) - 1])
    return (jets.log(moments / jets.factorial) * jets.factorial)[1:]


@dataclass(frozen=True)
class ExponentialAverage:
    r"""The integral fluctuation theorem, exactly.

    Attributes
    ----------
    mean : float
        :math:`\langle e^{-\Sigma}\rangle` from the tilted process.
    variance : float
        Of :math:`e^{-\Sigma}`.
    reversed_value : float
        :math:`\sum_f p_\tau(f)\tilde P(\mathrm{supp}\,p_0|f)` from the reversed process: the same number, found apart.
    """

    mean: float
    variance: float
    reversed_value: float

    @property
    def deficit(self) -> float:
        """1 - mean: the weight of reversed trajectories that end where no forward one begins."""
        return 1.0 - self.reversed_value


def exponential_average(reduced: Reduced, ends: Ends) -> ExponentialAverage:
    r"""Exact :math:`\langle e^{-\Sigma}\rangle`, its variance, and its value in the reversed process.

    :math:`\Sigma = \ln p_0(i) - \ln p_\tau(f) - \sum_b\beta_b Q_b + c_0 t`.  Nothing is divided by a probability of the
    final state.

    Parameters
    ----------
    reduced : Reduced
        In a sector that contains the opening kets.
    ends : Ends
    """
    entropy = reduced.process.counts.entropy
    start = projectors(reduced, ends.first)
    rows = np.array([reduced.sector.functional(np.outer(k, k.conj())) for k in ends.last])
    lost = contraction_rate(reduced.process) * ends.t
    once = rows @ tilted_state(reduced, -entropy, start, ends.t) * np.exp(-lost)  # (nf, ni)
    twice = rows @ tilted_state(reduced, -2 * entropy, start, ends.t) * np.exp(-2 * lost)
    mean = float((ends.reference @ once).sum())
    square = float((ends.reference**2 @ twice / ends.p).sum())
    return ExponentialAverage(mean, square - mean**2, reversed_value(reduced.process, ends))


def reversed_value(process: Process, ends: Ends) -> float:
    r"""Weight :math:`\sum_f p_\tau(f)\tilde P(\mathrm{supp}\,p_0|f)` of the reversed process on the opening outcomes.

    Computed with adjoint operators in reversed order, in their own sector, from the closing outcomes.
    """
    start = np.einsum("f,fa,fb->ab", ends.reference, ends.last, ends.last.conj())
    backwards = Reduced(reversed_process(process), np.abs(start) > ROUNDING * np.abs(start).max())
    none = np.zeros(len(process.counts))  # no tilt: the reversed operators carry the entropies
    end = tilted_state(backwards, none, backwards.sector.vector(start), ends.t)
    support = backwards.sector.functional(ends.first.T @ ends.first.conj())
    return float(support @ end * np.exp(-contraction_rate(process) * ends.t))
