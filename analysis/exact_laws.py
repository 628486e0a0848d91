r"""Exact distributions of work and entropy production, where the joint law of all that decides them is within reach.

Opening outcome i, closing outcome f and the net quanta n_b of each bath fix work and Σ if a bath exchanges quanta of
one size.  Their joint law is the Fourier transform of the propagator tilted with one imaginary field for each bath.
"""

from dataclasses import dataclass
from itertools import product
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .exact_side import ExactSide

Floats = NDArray[np.float64]
Law = tuple[Floats, Floats]

MOST_WORK = 3e7  # fields times the cube of the number of density-matrix elements
NEVER = 1e-14


@dataclass(frozen=True)
class JointLaw:
    """P(i, f, n_1, n_2, ...).

    Attributes
    ----------
    probability : (ni, nf, N_1, ..., N_b) float
    quanta : tuple of (N_b,) float
        Net quanta of each bath along the axes.
    quantum, entropy : (b,) float
        Heat and entropy of one quantum of each bath.
    energy_change : (ni, nf) float
    boundary : (ni, nf) float
        ln p_0(i) - ln p_τ(f).
    """

    probability: Floats
    quanta: tuple[Floats, ...]
    quantum: Floats
    entropy: Floats
    energy_change: Floats
    boundary: Floats

    def work(self) -> Law:
        """Values of the work and their probabilities."""
        return self._law(self.energy_change, -self.quantum)

    def entropy_production(self) -> Law:
        """Values of Σ and their probabilities."""
        return self._law(self.boundary, self.entropy)

    def _law(self, ends: Floats, per_quantum: Floats) -> Law:
        shape = (1, 1, *(len(q) for q in self.quanta))
        values = ends.reshape(*ends.shape, *(1,) * len(self.quanta)) + np.zeros(shape)
        for axis, (quanta, one) in enumerate(zip(self.quanta, per_quantum, strict=True)):
            values = values + one * quanta.reshape([-1 if k == axis + 2 else 1 for k in range(len(shape))])
        happens = self.probability > NEVER
        return merged(values[happens], self.probability[happens])


def joint_law(exact: ExactSide) -> JointLaw | None:
    """The joint law of both outcomes and the net quanta, or None where it is out of reach.

    Out of reach are loads, irreversible exchanges, baths with quanta of several sizes, and large systems.
    """
    from collide.exact.ends import projectors
    from collide.exact.finite_time import tilted_state
    from collide.exact.reduced import Reduced

    single = _single_quanta(exact)
    if single is None:
        return None
    quantum, entropy, weights = single
    ends = exact.statistics.ends
    reduced = Reduced(exact.model.process, ends.seed())
    windows = [_window(exact, weight) for weight in weights]
    if math.prod(windows) * max(reduced.size, 4) ** 3 > MOST_WORK:
        return None
    start = projectors(reduced, ends.first).astype(complex)
    rows = np.array([reduced.sector.functional(np.outer(k, k.conj())) for k in ends.last])
    transform = np.empty((len(ends.first), len(ends.last), *windows), dtype=complex)
    flat = transform.reshape(len(ends.first), len(ends.last), -1)
    for place, index in enumerate(product(*(range(w) for w in windows))):
        phases = [2j * np.pi * k / w * c for k, w, c in zip(index, windows, weights, strict=True)]
        flat[:, :, place] = (rows @ tilted_state(reduced, np.sum(phases, axis=0), start, ends.t)).T
    axes = tuple(range(2, 2 + len(windows)))
    p = np.fft.fftshift(np.fft.fftn(transform, axes=axes).real / math.prod(windows), axes=axes)
    H = exact.model.process.H  # the exact side may have left out outcomes that occur only by rounding
    opening, closing = (np.einsum("ka,ka->k", kets.conj(), (H @ kets.T).T).real for kets in (ends.first, ends.last))
    with np.errstate(divide="ignore"):
        boundary = np.log(ends.p)[:, None] - np.log(ends.reference)
    return JointLaw(
        probability=np.maximum(p, 0.0) * ends.p.reshape(-1, *(1,) * (p.ndim - 1)),
        quanta=tuple(np.arange(w, dtype=float) - w // 2 for w in windows),
        quantum=quantum,
        entropy=entropy,
        energy_change=closing - opening[:, None],
        boundary=boundary,
    )


def merged(values: Floats, weights: Floats, tolerance: float = 1e-8) -> Law:
    """Sum the weights of values that agree up to rounding; values ascend."""
    order = np.argsort(values)
    x, w = values[order], weights[order]
    scale = max(1.0, float(np.abs(x).max(initial=0.0)))
    first = np.flatnonzero(np.diff(x, prepend=-np.inf) > tolerance * scale)
    return np.add.reduceat(x, first) / np.diff(np.append(first, len(x))), np.add.reduceat(w, first)


def _single_quanta(exact: ExactSide) -> tuple[Floats, Floats, list[Floats]] | None:
    """Heat and entropy of one quantum of each bath, and the weights that count its net quanta."""
    table: Any = exact.model.process.counts
    if exact.loads or not np.isfinite(table.entropy).all() or (np.asarray(table.charge) == 0).any():
        return None
    quantum, entropy, weights = [], [], []
    for k, bath in enumerate(table.baths):
        rows = table.bath == k
        sizes, costs = table.quantum[rows] / table.charge[rows], table.entropy[rows] / table.charge[rows]
        if not rows.any() or np.ptp(sizes) > 1e-12 * abs(sizes[0]) or np.ptp(costs) > 1e-12 * max(abs(costs[0]), 1.0):
            return None
        quantum.append(float(sizes[0]))
        entropy.append(float(costs[0]))
        weights.append(table.charge_weight(bath))
    return np.array(quantum), np.array(entropy), weights


def _window(exact: ExactSide, weight: Floats) -> int:
    """Power of two that holds the net quanta up to eight standard deviations beyond the mean on either side."""
    mean, variance = exact.model.cumulants_at(exact.time, weight, 2, exact.start)
    return 1 << math.ceil(math.log2(2 * (8 + abs(mean) + 8 * math.sqrt(max(variance, 0.0)))))
