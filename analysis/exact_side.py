"""The exact numbers that belong to an ensemble: same model, same measurements at both ends, same finite time."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


class ExactSide:
    """Exact statistics of the trajectories of a program.

    Parameters
    ----------
    program : Program
        With its model (`Program.exact`).

    Attributes
    ----------
    model : ExactMethods
    time : float
        Length of the trajectories.
    start : (d, d) complex
        Averaged state after the opening measurement.
    """

    def __init__(self, program: Any) -> None:
        self.program, self.model = program, program.exact
        a = program.arrays
        self.time = float(program.tlist[-1])
        self._cumulants: dict[str, Floats] = {}
        self._kets = np.asarray(a["initial_kets"])
        self.start: Complexes = np.einsum("i,ia,ib->ab", a["initial_p"], self._kets, self._kets.conj())

    @cached_property
    def statistics(self) -> Any:
        """Moments resolved by opening and closing outcome (`TrajectoryStatistics`)."""
        a = self.program.arrays
        return self.model.trajectory_statistics(
            self.time, a["rho_initial"], opening=self._kets, closing=np.asarray(a["final_kets"])
        )

    @cached_property
    def loads(self) -> tuple[str, ...]:
        """Baths whose heat is an expectation value, so that only its mean is known."""
        process = self.model.process
        return tuple(process.counts.baths[load.bath] for load in process.loads)

    @property
    def beta(self) -> Mapping[str, float]:
        """Inverse temperature of each bath; nan for a load."""
        table = self.model.process.counts
        return {name: float(b) for name, b in zip(table.baths, table.beta, strict=True)}

    def cumulants(self, quantity: str, order: int = 4) -> Floats:
        """Exact cumulants of a column to order 4 at most; only the mean of what has a load's heat in it."""
        if quantity not in self._cumulants:
            name = quantity.replace("heat:", "heat ")
            if self.loads and (name == "work" or name.removeprefix("heat ") in self.loads):
                self._cumulants[quantity] = np.array([self.statistics.mean(name)])
            else:  # all orders at once: they are asked for again and again
                self._cumulants[quantity] = np.asarray(self.statistics.cumulants(name, 4))
        return self._cumulants[quantity][:order]

    def covariance(self, a: str, b: str) -> float:
        """Exact covariance of two columns."""
        return float(self.statistics.covariance(a.replace("heat:", "heat "), b.replace("heat:", "heat ")))

    def heat_cumulants_at(self, time: float, bath: str, order: int = 4) -> Floats:
        """Exact cumulants of the heat from a bath up to an earlier time."""
        return np.asarray(self.model.heat_cumulants_at(time, bath, order, self.start))

    def quanta(self, bath: str) -> tuple[Floats, Floats]:
        """Exact distribution of the net quanta received from a bath."""
        n, p = self.model.quanta_distribution(bath, self.time, self.start)
        return np.asarray(n, dtype=float), np.asarray(p)

    def expectations(self) -> Floats:
        """Exact means of the observables on the tlist, (ntime, nops)."""
        a = self.program.arrays
        states = _in_basis(self.model.evolve(self.start, self.program.tlist), np.asarray(a["vectors"]))
        if "e_ops" not in a:
            return _means_by_entries(a, states)
        observables = np.asarray(a["e_ops"])
        found = np.zeros((len(states), len(observables)))
        for block, (members, size) in enumerate(zip(a["basis"], a["size"], strict=True)):
            inside = np.asarray(members[: int(size)])
            part = states[:, inside[:, None], inside]
            matrix = observables[:, block, : int(size), : int(size)]
            found += np.einsum("tab,oba->to", part, matrix).real
        return found

    @cached_property
    def reaches(self) -> Floats:
        """(nops,) bounds of the moduli of what each observable may be."""
        a = self.program.arrays
        if "e_ops" in a:
            return np.abs(np.linalg.eigvalsh(np.asarray(a["e_ops"]))).max(axis=(1, 2))
        # of operators that are listed by their entries, the largest sum of moduli in a row
        moduli = np.append(np.abs(a["look_value"]), 0.0)
        sums = np.add.reduceat(moduli, a["look_start"][:-1]) * (np.diff(a["look_start"]) > 0)
        return np.asarray(sums.reshape(-1, int(a["size"].sum())).max(axis=1)[1:])

    def energy_change_distribution(self) -> tuple[Floats, Floats]:
        """Exact distribution of the energy change: its values, ascending, and their probabilities."""
        a = self.program.arrays
        first, last = self._kets, np.asarray(a["final_kets"])
        p = np.zeros((len(first), len(last)))
        for i, (ket, weight) in enumerate(zip(first, a["initial_p"], strict=True)):
            if weight > 0:
                rho = self.model.evolve(np.outer(ket, ket.conj()), [self.time])[-1]
                p[i] = weight * np.einsum("fa,ab,fb->f", last.conj(), rho, last).real
        change = np.asarray(a["final_energy"]) - np.asarray(a["initial_energy"])[:, None]
        values, place = np.unique(np.round(change.reshape(-1), 9), return_inverse=True)
        share: Floats = np.bincount(place.reshape(-1), np.maximum(p, 0.0).reshape(-1)).astype(float)
        return np.asarray(values), share

    def heat_generating_function(self, bath: str, s: Floats) -> Floats:
        """Exact <e^{s Q}> of the heat from a bath, at the end."""
        from collide.exact.finite_time import tilted_state
        from collide.exact.reduced import Reduced

        process = self.model.process
        reduced = Reduced(process, np.abs(self.start) > 1e-13)
        weight, x = process.counts.heat_weight(bath), reduced.sector.vector(self.start)
        return np.array([float(reduced.sector.trace @ tilted_state(reduced, k * weight, x, self.time)) for k in s])

    def entropy_generating_function(self, s: Floats) -> Floats:
        r"""Exact <e^{-s Σ}>; at s = 1 the integral fluctuation theorem.

        .. math:: \sum_{if} p_i^{1-s}\, p_f^{s}\, \langle f|e^{t\mathcal L(-s\sigma)}[|i\rangle\langle i|]|f\rangle
        """
        from collide.exact.contraction import contraction_rate
        from collide.exact.ends import NEVER, projectors
        from collide.exact.finite_time import tilted_state
        from collide.exact.reduced import Reduced

        ends, process = self.statistics.ends, self.model.process
        opens = ends.p > NEVER
        kets, p = ends.first[opens], ends.p[opens]
        reduced = Reduced(process, ends.seed())
        start = projectors(reduced, kets)
        rows = np.array([reduced.sector.functional(np.outer(k, k.conj())) for k in ends.last])
        rate = contraction_rate(process)
        entropy = np.asarray(process.counts.entropy)
        found = []
        for field in np.atleast_1d(s):
            # 0 * inf: at s = 0 every trajectory counts, however irreversible; above it none with infinite entropy
            tilt = np.zeros_like(entropy) if field == 0 else -field * entropy
            resolved = rows @ tilted_state(reduced, tilt, start, ends.t)
            weight = np.where(ends.reference > NEVER, ends.reference, 0.0) ** field if field else np.ones(len(rows))
            found.append(float(weight @ resolved @ p ** (1 - field)) * np.exp(-field * rate * ends.t))
        return np.array(found)


def _in_basis(states: Any, vectors: Any) -> Any:
    """(n, d, d) states in the basis of a program: columns of a unitary, phases of basis states, or the user's own."""
    if not vectors.size:
        return states
    if vectors.ndim == 1:
        return vectors.conj()[:, None] * states * vectors
    return vectors.conj().T @ states @ vectors


def _means_by_entries(a: Any, states: Any) -> Floats:
    """(ntime, nops) means of observables that a program of wide states lists by their entries, after the energy."""
    d, size = int(a["size"].sum()), np.asarray(a["size"])
    state = np.concatenate([members[:n] for members, n in zip(a["basis"], size, strict=True)])
    row = np.repeat(np.arange(len(a["look_start"]) - 1), np.diff(a["look_start"]))
    column = np.repeat(np.cumsum(size) - size, size)[row % d] + a["look_column"]
    terms = (states[:, state[column], state[row % d]] * a["look_value"]).real
    found = np.zeros((len(states), (len(a["look_start"]) - 1) // d))
    np.add.at(found.T, row // d, terms.T)
    return found[:, 1:]
