"""Mean counts, heat currents, power and entropy production of a state.

Everything is per unit time.  In a repeated process a state is the one at the start of a period and rates are those of
that period: heats are taken from the state that each element meets, and the power is what the energy change of the
period leaves over.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.exact.contraction import contraction_rate
from collide.exact.evolve import periods
from collide.exact.process import Complexes, Floats, Sparse
from collide.exact.reduced import Reduced, Step
from collide.later import later

la = later("scipy.linalg")
sla = later("scipy.sparse.linalg")

NEVER = 1e-14  # a rate below this fraction of the largest one in the process is rounding: it does not happen


@dataclass(frozen=True)
class Averages:
    """Mean rates of a process in a state.

    Attributes
    ----------
    counts : (ncounts,) float
        Mean counts per unit time.
    heat : dict
        Heat current from each bath into the system, loads included.
    energy : float
        Rate of change of the energy.
    change : (m,) float
        Rate of change of the state, in coordinates.
    """

    counts: Floats
    heat: dict[str, float]
    energy: float
    change: Floats

    @property
    def power(self) -> float:
        """Rate of work done on the system: what the heat currents leave over of the energy change."""
        return self.energy - sum(self.heat.values())


def averages(reduced: Reduced, x: Floats) -> Averages:
    """Mean rates in the state with coordinates x (m,)."""
    period = 1.0 if reduced.continuous else reduced.process.tau
    assert period is not None
    counts, load_heat, end = _through(reduced, x)
    change = (reduced.generator @ x if reduced.continuous else end - x) / period
    return _means(reduced, counts, load_heat, change, period)


def time_average(reduced: Reduced, x: Floats, t: float) -> Averages:
    """Mean rates over the time t that begins in the state x (m,)."""
    if reduced.continuous:
        dwell = time_integral(reduced, reduced.steps[0], x, t)
        counts, load_heat, _ = _through(reduced, dwell)
        return _means(reduced, counts, load_heat, reduced.generator @ dwell / t, t)
    total = np.zeros_like(x)
    state = x
    for _ in range(int(periods(np.array([t]), reduced.process.tau or 1.0)[0])):
        total += state
        state = reduced.base @ state
    counts, load_heat, _ = _through(reduced, total)
    return _means(reduced, counts, load_heat, (state - x) / t, t)


def _through(reduced: Reduced, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Counts (ncounts,), heats of loads and final state of a period; of an endless flow, per unit time."""
    counts, load_heat, state = np.zeros(len(reduced.process.counts)), np.zeros(len(reduced.process.loads)), x
    for number, step in enumerate(reduced.steps):
        dwell = state if step.duration is None else time_integral(reduced, step, state, step.duration)
        counts += _counts(step, dwell, reduced.sector.d, len(counts))
        load_heat += step.load_heat @ dwell
        if not reduced.continuous:
            state = reduced.step_matrices[number] @ state
    return counts, load_heat, state


def _means(reduced: Reduced, counts: Floats, load_heat: Floats, change: Floats, t: float) -> Averages:
    """Rates from sums over a time t."""
    table = reduced.process.counts
    heat = {name: float(counts @ table.heat_weight(name)) / t for name in table.baths}
    for load, value in zip(reduced.process.loads, load_heat, strict=True):
        heat[table.baths[load.bath]] += float(value) / t
    return Averages(counts / t, heat, float(reduced.sector.functional(reduced.process.H) @ change), change)


def entropy_production(reduced: Reduced, rho: Complexes, means: Averages, steady: bool) -> float:
    """Mean entropy production rate: what the baths gain, plus c_0 of loads, plus the system's own change.

    Parameters
    ----------
    reduced : Reduced
    rho : (d, d) complex
        The state, for the rate of change of its von Neumann entropy.
    means : Averages
        Mean rates in `rho`.
    steady : bool
        Whether `rho` is the steady state, whose entropy is constant.

    Returns
    -------
    float
        ``inf`` where a bath at zero temperature is emitted into, where an irreversible channel acts, or where the
        state leaves the null space of a singular `rho`.
    """
    table = reduced.process.counts
    happens = np.abs(means.counts) > NEVER * np.abs(means.counts).max(initial=0.0)
    flow = float((means.counts[happens] * table.entropy[happens]).sum())
    total = flow + contraction_rate(reduced.process)
    return total if steady else total + _entropy_change(reduced, rho, means)


def _counts(step: Step, dwell: Floats, d: int, ncounts: int) -> Floats:
    """Mean numbers of counts (ncounts,) of a step that meets the state (for a flow: its time integral) `dwell`."""
    weight = step.parts.rates(d) @ dwell
    total = np.zeros(ncounts + 1)  # the last place collects the labels -1, "no count"
    for column in step.labels.T:
        np.add.at(total, column, weight)
    return total[:-1]


def time_integral(reduced: Reduced, step: Step, x: Floats, t: float) -> Floats:
    """Integral of the state over a time t of a flow that starts in x: the last column of one larger exponential."""
    m = reduced.size
    factor = np.ones(len(step.labels))
    if reduced.dense:
        whole = np.zeros((m + 1, m + 1))
        whole[:m, :m], whole[:m, m] = step.parts.weighted(factor), x
        return la.expm(t * whole)[:m, m]
    source = sp.csr_array(x[:, None])
    augmented: Sparse = sp.block_array([[step.parts.weighted_sparse(factor), source], [None, sp.csr_array((1, 1))]])
    return sla.expm_multiply(t * augmented.tocsr(), np.append(np.zeros(m), 1.0))[:m]


def _entropy_change(reduced: Reduced, rho: Complexes, means: Averages) -> float:
    """Rate of change of -Tr[rho ln rho] (of a period: its change over tau)."""
    change = reduced.sector.matrix(means.change)
    p, kets = la.eigh(rho)
    p = np.where(p > NEVER, p, 0.0)
    if not reduced.continuous:
        tau = reduced.process.tau or 1.0
        return (_entropy(la.eigvalsh(rho + tau * change)) - _entropy(p)) / tau
    flow = np.einsum("ak,ab,bk->k", kets.conj(), change, kets).real
    if (flow[p == 0] > NEVER * np.abs(flow).max(initial=0.0)).any():
        return np.inf  # d(-p ln p) at p = 0
    return float(-(flow[p > 0] * np.log(p[p > 0])).sum())


def _entropy(p: Any) -> float:
    p = p[p > NEVER]
    return float(-(p * np.log(p)).sum())
