"""Heat, work, energy change and entropy production of trajectories of a given length: exact moments."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from collide.exact.contraction import contraction_rate
from collide.exact.currents import time_average
from collide.exact.ends import (
    NEVER,
    Ends,
    ExponentialAverage,
    cumulants_from_moments,
    end_resolved,
    exponential_average,
    possible,
    projectors,
    shifted_moments,
)
from collide.exact.finite_time import moment_jet
from collide.exact.jets import Jets
from collide.exact.process import Floats
from collide.exact.reduced import Reduced


class TrajectoryStatistics:
    """Exact statistics at finite time, resolved by opening and closing measurement.

    Quantities are called by the names of an ensemble's columns: ``heat[bath]`` as ``"heat L"``, ``"work"``,
    ``"energy_change"`` and ``"entropy_production"``.

    Parameters
    ----------
    reduced : Reduced
        In a sector that contains the opening kets.
    ends : Ends

    Attributes
    ----------
    ends : Ends
    names : tuple of str
        Quantities there are.
    """

    def __init__(self, reduced: Reduced, ends: Ends) -> None:
        self._reduced = reduced
        self.ends = ends
        H = reduced.process.H
        opening, closing = (np.einsum("na,na->n", k.conj(), (H @ k.T).T).real for k in (ends.first, ends.last))
        self._energy = closing - opening[:, None]
        heats = tuple(f"heat {name}" for name in reduced.process.counts.baths)
        self.names = (*heats, "work", "energy_change", "entropy_production")

    @cached_property
    def joint_probability(self) -> Floats:
        """(ni, nf) probability of opening in i and closing in f."""
        return end_resolved(self._reduced, self.ends, [], Jets([()]))[0]

    def cumulants(self, name: str, order: int = 3) -> Floats:
        """First cumulants (order,) of a quantity: mean, variance, third.

        Raises
        ------
        ValueError
            For heat and work of a load, which are not functions of counts and outcomes: only their means are known.
        EntropyUndefined
            For the entropy production beside a load that has none.
        """
        weight, shift = self._quantity(name)
        if np.isinf(shift).all():
            return np.array([np.inf] + [np.nan] * (order - 1))
        resolved = end_resolved(self._reduced, self.ends, [weight], Jets.box([order]))
        return cumulants_from_moments(shifted_moments(resolved, shift))

    def mean(self, name: str) -> float:
        """Mean of a quantity; of the heat of a load its expectation value, integrated over time."""
        loads = self._load_means
        if name.startswith("heat ") and name[5:] in loads:
            return loads[name[5:]]
        if name == "work" and loads:
            heats = sum(self.mean(other) for other in self.names if other.startswith("heat "))
            return self.mean("energy_change") - heats
        return float(self.cumulants(name, 1)[0])

    def covariance(self, a: str, b: str) -> float:
        """Covariance of two quantities."""
        (wa, sa), (wb, sb) = self._quantity(a), self._quantity(b)
        jets = Jets.box([1, 1])
        G = dict(zip(jets.indices, end_resolved(self._reduced, self.ends, [wa, wb], jets), strict=True))
        sa, sb = (possible(s, G[0, 0]) for s in (sa, sb))
        both = (sa * sb * G[0, 0] + sa * G[0, 1] + sb * G[1, 0] + G[1, 1]).sum()
        return float(both - (sa * G[0, 0] + G[1, 0]).sum() * (sb * G[0, 0] + G[0, 1]).sum())

    @cached_property
    def exponential_average(self) -> ExponentialAverage:
        """The exact integral fluctuation theorem."""
        return exponential_average(self._reduced, self.ends)

    @cached_property
    def _load_means(self) -> Mapping[str, float]:
        process = self._reduced.process
        if not process.loads:
            return {}
        start = projectors(self._reduced, self.ends.first) @ self.ends.p
        heat = time_average(self._reduced, start, self.ends.t).heat
        loads = [process.counts.baths[load.bath] for load in process.loads]
        return {name: heat[name] * self.ends.t for name in loads}

    def _quantity(self, name: str) -> tuple[Floats, Floats]:
        """Weight of the counts (ncounts,) and the part (ni, nf) that the outcomes fix."""
        table = self._reduced.process.counts
        none = np.zeros_like(self._energy)
        if name not in self.names:
            raise KeyError(f"unknown quantity {name!r}: there are {', '.join(map(repr, self.names))}")
        if name == "energy_change":
            return np.zeros(len(table)), self._energy
        if name == "entropy_production":
            return self._entropy()
        loads = [table.baths[load.bath] for load in self._reduced.process.loads]
        if name == "work" and not loads:
            return -table.quantum, self._energy
        if name == "work" or name[5:] in loads:
            raise ValueError(f"{name!r} has only a `mean`: the heat of a load is an expectation value, not a count")
        return table.heat_weight(name[5:]), none

    def _entropy(self) -> tuple[Floats, Floats]:
        """As `_quantity`; the outcomes' part is infinite throughout if a count without reverse happens."""
        process, ends = self._reduced.process, self.ends
        with np.errstate(divide="ignore"):
            shift = np.log(ends.p)[:, None] - np.log(ends.reference)
        shift = shift + contraction_rate(process) * ends.t
        endless = np.isinf(process.counts.entropy)
        entropy = np.where(endless, 0.0, process.counts.entropy)
        if endless.any():
            start = projectors(self._reduced, ends.first) @ ends.p
            jet = moment_jet(self._reduced, Jets.box([1]), [endless.astype(float)], start, ends.t)
            if self._reduced.sector.trace @ jet[1] > NEVER:
                return entropy, np.full_like(shift, np.inf)
        return entropy, shift
