"""Mean counts, heat currents, power and entropy production of a state.

Everything is per unit time.  In a repeated process a state is the one at the start of a period and rates are those of
that period: heats are taken from the state that each element meets, and the power is what the energy change of the
period leaves over.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg as la
import scipy.sparse as sp
import scipy.sparse.linalg as sla

from collide.exact.contraction import contraction_rate
from collide.exact.process import Complexes, Floats, Sparse
from collide.exact.reduced import Reduced, Step

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
    process = reduced.process
    period = 1.0 if reduced.continuous else process.tau
    assert period is not None
    counts, load_heat, state = np.zeros(len(process.counts)), np.zeros(len(process.loads)), x
    for number, step in enumerate(reduced.steps):
        dwell = state if step.duration is None else _time_integral(reduced, step, state)
        counts += _counts(step, dwell, reduced.sector.d, len(counts))
        load_heat += step.load_heat @ dwell
        if not reduced.continuous:
            state = reduced.step_matrices[number] @ state
    change = (reduced.generator @ x if reduced.continuous else state - x) / period
    energy = float(reduced.sector.functional(process.H) @ change)
    return Averages(counts / period, _heats(reduced, counts, load_heat, period), energy, change)


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


def _heats(reduced: Reduced, counts: Floats, load_heat: Floats, period: float) -> dict[str, float]:
    table = reduced.process.counts
    heat = {name: float(counts @ table.heat_weight(name)) / period for name in table.baths}
    for load, value in zip(reduced.process.loads, load_heat, strict=True):
        heat[table.baths[load.bath]] += float(value) / period
    return heat


def _time_integral(reduced: Reduced, step: Step, x: Floats) -> Floats:
    """Integral of the state over a flow that starts in x: the last column of one larger exponential."""
    m = reduced.size
    factor = np.ones(len(step.labels))
    assert step.duration is not None
    if reduced.dense:
        whole = np.zeros((m + 1, m + 1))
        whole[:m, :m], whole[:m, m] = step.parts.weighted(factor), x
        return la.expm(step.duration * whole)[:m, m]
    source = sp.csr_array(x[:, None])
    augmented: Sparse = sp.block_array([[step.parts.weighted_sparse(factor), source], [None, sp.csr_array((1, 1))]])
    return sla.expm_multiply(step.duration * augmented.tocsr(), np.append(np.zeros(m), 1.0))[:m]


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
