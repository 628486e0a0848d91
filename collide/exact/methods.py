"""What a model can say exactly, without sampling: the methods that every model has."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collide.exact.counting import cumulant_rates, joint_cumulant_rates, reversed_tilt, scgf
from collide.exact.currents import Averages, averages, entropy_production
from collide.exact.ends import Ends, pattern, projectors
from collide.exact.evolve import as_times, propagate
from collide.exact.finite_time import cumulants, distribution, joint_cumulants
from collide.exact.jets import Index, Jets
from collide.exact.measurements import eigenbasis_of, outcomes_in
from collide.exact.noise import Correlation, correlation, zero_frequency
from collide.exact.process import Complexes, Floats, Ints, Process
from collide.exact.reduced import Reduced
from collide.exact.sectors import ROUNDING
from collide.exact.steady import Stationary
from collide.exact.trajectory_statistics import TrajectoryStatistics
from collide.exact.waiting import WaitingTimes
from collide.operators import as_state


class ExactMethods:
    """Exact averages and counting statistics of a model that has a `process`.

    Heat is positive into the system, work is positive when done on it, rates are per unit time; hbar = k_B = 1.  For a
    repeated (collision) process states are those at the start of a period and times are multiples of the period.
    Results that cost something are kept with the model, which must therefore not be changed afterwards.
    """

    process: Process
    explain: Callable[..., Any]
    """Which engine and which representation run, and why; the method is `collide.explanation.explain`."""

    # ------------------------------------------------------------------ states

    def steady_state(self) -> Complexes:
        """The state that does not change in time.

        Returns
        -------
        (d, d) complex
            Hermitian, positive, trace one.  Of a repeated process: the state at the start of a period.

        Raises
        ------
        NonUniqueSteadyState
            With the subspaces between which no probability flows.
        """
        return self._kept("steady state", lambda: self._reduced().sector.matrix(self._stationary().vector)).copy()

    def evolve(self, rho0: Any, tlist: ArrayLike) -> Complexes:
        """Exact averaged states, no sampling.

        Parameters
        ----------
        rho0 : (d, d) state, (d,) ket, QuTiP object or "steady"
            State at time 0; of a repeated process, before its first element.
        tlist : (nt,) float
            Ascending times, 0 or later; multiples of the period for a repeated process.

        Returns
        -------
        (nt, d, d) complex

        Raises
        ------
        ValueError
            For times that are negative, not ascending or (naming the nearest allowed time) between two periods.
        """
        times = as_times(tlist)
        reduced, x = self._start(rho0)
        return np.array([reduced.sector.matrix(y) for y in propagate(reduced, x, times)])

    # ------------------------------------------------------------------ averages

    def count_rates(self, rho: Any = None) -> Floats:
        """Mean counts per unit time (ncounts,), in the order of ``process.counts``; steady state by default."""
        return self._averages(rho).counts.copy()

    def heat_currents(self, rho: Any = None) -> dict[str, float]:
        """Heat per unit time from each bath into the system; steady state by default.

        The heat of a load is the expectation value Tr[energy D_load rho].
        """
        return dict(self._averages(rho).heat)

    def power(self, rho: Any = None) -> float:
        """Work per unit time done on the system: change of <H> less all heat currents; steady state by default."""
        return self._averages(rho).power

    def entropy_production_rate(self, rho: Any = None) -> float:
        r"""Mean entropy production rate :math:`\dot S - \sum_b \beta_b \dot Q_b + c_0`; steady state by default.

        :math:`\dot S` is the rate of change of the von Neumann entropy of `rho` (0 in the steady state; in a repeated
        process, the change over a period divided by tau), :math:`c_0` the contraction rate of loads.

        Returns
        -------
        float
            ``inf`` if a bath at zero temperature is emitted into, if an irreversible channel acts, or if a state
            without full rank starts to fill its null space.

        Raises
        ------
        EntropyUndefined
            If a load does not map the identity to a multiple of itself.
        """
        steady = _is_steady(rho)
        state = self.steady_state() if steady else as_state(rho, "rho", self.process.d)
        return entropy_production(self._reduced_for(state), state, self._averages(rho), steady)

    # ------------------------------------------------------------------ counting statistics at long times

    def heat_cumulants(self, bath: str, order: int = 4) -> Floats:
        """Cumulants of the heat from a bath per unit time as time goes to infinity, (order,): mean, variance, ..."""
        return self.cumulant_rates(self._heat_weight(bath), order)

    def joint_heat_cumulants(self, orders: Mapping[str, int]) -> float:
        """Joint cumulant rate of the heats of several baths.

        Parameters
        ----------
        orders : mapping of bath to order
            ``{"L": 1, "R": 1}`` is the covariance rate, ``{"L": 2}`` the variance rate.

        Returns
        -------
        float
        """
        baths = list(orders)
        return self.joint_cumulant_rates([self._heat_weight(b) for b in baths], [orders[b] for b in baths])

    def cumulant_rates(self, weight: ArrayLike, order: int = 4) -> Floats:
        """Cumulants per unit time of any weighted sum of counts, (order,).

        Parameters
        ----------
        weight : (ncounts,) float
            Weight of each row of ``process.counts``; see `CountTable.heat_weight` and `CountTable.charge_weight`.
        order : int
        """
        if order < 1:
            raise ValueError(f"`order` must be at least 1, but is {order}")
        return cumulant_rates(self._reduced(), self._stationary(), self._weight(weight), order)

    def joint_cumulant_rates(self, weights: Sequence[ArrayLike], orders: Sequence[int]) -> float:
        """Joint cumulant per unit time of weighted sums of counts, each to its own order."""
        index: Index = tuple(int(k) for k in orders)
        vectors = [self._weight(w) for w in weights]
        return joint_cumulant_rates(self._reduced(), self._stationary(), vectors, Jets.box(index))[index]

    def scgf(self, bath: str, s: ArrayLike) -> Any:
        """Scaled cumulant generating function of the heat from a bath, lim (1/t) ln <exp(s Q)>.

        Parameters
        ----------
        bath : str
        s : float, complex, or array of them
            Counting field, in units of inverse energy.

        Returns
        -------
        float, complex or array of the shape of `s`
        """
        return self.scgf_of(self._heat_weight(bath), s)

    def scgf_of(self, weight: ArrayLike, s: ArrayLike) -> Any:
        """As `scgf`, for any weighted sum of counts."""
        w, fields = self._weight(weight), np.asarray(s)
        values = np.array([scgf(self._reduced(), field * w) for field in fields.reshape(-1)]).reshape(fields.shape)
        return values if np.iscomplexobj(fields) else values.real if fields.ndim else float(values.real)

    def gallavotti_cohen(self, bath: str, s: ArrayLike) -> float:
        """Largest violation of the Gallavotti-Cohen symmetry of the heat from a bath.

        The generating function at a field s must equal itself at the reversed tilt; with two baths and a conserved
        energy this is ``scgf(s) = scgf(-s - beta_other + beta_bath)``.  It holds for models with real operators.

        Parameters
        ----------
        bath : str
        s : float or array of float

        Returns
        -------
        float
            Largest absolute difference, in units of a rate.
        """
        reduced, w = self._reduced(), self._heat_weight(bath)
        tilts = [field * w for field in np.asarray(s, dtype=float).reshape(-1)]
        return max(abs(scgf(reduced, u) - scgf(reduced, reversed_tilt(reduced, u))) for u in tilts)

    def noise(self, bath: str, other: str | None = None) -> float:
        """Zero-frequency noise of the heat current from a bath, or cross noise of two: their (co)variance rate."""
        a, b = self._heat_weight(bath), self._heat_weight(other or bath)
        return zero_frequency(self._reduced(), self._stationary(), a, b)

    def current_correlation(self, tlist: ArrayLike, bath: str, other: str | None = None) -> Correlation:
        """Correlation of the heat current from `bath` at t + tau with the one from `other` at t, steady state.

        Parameters
        ----------
        tlist : (nt,) float
            Delays tau: from 0 on for a continuous process (0 means just after), from one period on for a repeated one.
        bath, other : str
            The same bath by default.

        Returns
        -------
        Correlation
            ``delta``, the weight of the delta function at tau = 0, and ``regular`` (nt,).
        """
        a, b = self._heat_weight(bath), self._heat_weight(other or bath)
        return correlation(self._reduced(), self._stationary(), a, b, as_times(tlist))

    # ------------------------------------------------------------------ counting statistics at finite time

    def heat_cumulants_at(self, t: float, bath: str, order: int = 4, initial: Any = "steady") -> Floats:
        """Cumulants of the heat from a bath up to time t, (order,), not divided by t.

        Parameters
        ----------
        t : float
            A multiple of the period for a repeated process.
        bath : str
        order : int
        initial : "steady", (d, d) state, (d,) ket or QuTiP object
            State at time 0.
        """
        return self.cumulants_at(t, self._heat_weight(bath), order, initial)

    def cumulants_at(self, t: float, weight: ArrayLike, order: int = 4, initial: Any = "steady") -> Floats:
        """As `heat_cumulants_at`, for any weighted sum of counts."""
        reduced, x = self._start(initial)
        return cumulants(reduced, self._weight(weight), x, _time(t), order)

    def joint_heat_cumulants_at(self, t: float, orders: Mapping[str, int], initial: Any = "steady") -> float:
        """Joint cumulant of the heats of several baths up to time t; see `joint_heat_cumulants`."""
        reduced, x = self._start(initial)
        index: Index = tuple(orders.values())
        weights = [self._heat_weight(b) for b in orders]
        return joint_cumulants(reduced, Jets.box(index), weights, x, _time(t))[index]

    def quanta_distribution(self, bath: str, t: float, initial: Any = "steady") -> tuple[Ints, Floats]:
        """Probabilities of the net number of quanta received from a bath (or kicks of a load) up to time t.

        Returns
        -------
        n : (N,) int
            Consecutive numbers, as far as probabilities exceed 1e-15.
        P : (N,) float
        """
        reduced, x = self._start(initial)
        return distribution(reduced, self.process.counts.charge_weight(bath), x, _time(t))

    def trajectory_statistics(
        self, t: float, initial: Any = "steady", opening: ArrayLike | None = None, closing: ArrayLike | None = None
    ) -> TrajectoryStatistics:
        r"""Exact statistics of heat, work, energy change and entropy production of trajectories of length t.

        Parameters
        ----------
        t : float
        initial : "steady", (d, d) state, (d,) ket or QuTiP object
        opening, closing : (n, d) complex, optional
            Orthonormal kets of the opening and of the closing measurement; by default the eigenbases of the initial
            and of the averaged final state.

        Returns
        -------
        TrajectoryStatistics
        """
        rho = self.steady_state() if _is_steady(initial) else as_state(initial, "initial", self.process.d)
        first = eigenbasis_of(rho) if opening is None else outcomes_in(_kets(opening, "opening", self.process.d), rho)
        happens = first.p > 0
        kets, p = first.kets[happens], first.p[happens]
        reduced = self._reduced_for_kets(kets)
        final = reduced.sector.matrix(next(propagate(reduced, projectors(reduced, kets) @ p, np.array([_time(t)]))))
        if closing is None:
            last = eigenbasis_of(final)
        else:
            last = outcomes_in(_kets(closing, "closing", self.process.d), final)
        return TrajectoryStatistics(reduced, Ends(float(t), kets, p, last.kets, last.p))

    # ------------------------------------------------------------------ waiting times

    def waiting_times(self, monitored: Sequence[int] | None = None) -> WaitingTimes:
        """Waiting times between events in the steady state: densities, survival, rates.

        Parameters
        ----------
        monitored : sequence of int, optional
            Numbers of the events that are watched; all by default.  `WaitingTimes.events` lists them.
        """
        key = ("waiting", None if monitored is None else tuple(monitored))
        return self._kept(key, lambda: WaitingTimes(self.process, self.steady_state(), monitored))

    def waiting_time_density(self, tlist: ArrayLike, after: int, then: int) -> Floats:
        """Density (nt,) of the time from event `after` to the next event, if that is `then`; see `WaitingTimes`."""
        return self.waiting_times().density(tlist, after, then)

    # ------------------------------------------------------------------ inside

    def _kept(self, key: Any, make: Any) -> Any:
        """A result that is computed once per model."""
        store = self.__dict__.setdefault("_exact", {})
        if key not in store:
            store[key] = make()
        return store[key]

    def _reduced(self) -> Reduced:
        return self._kept("reduced", lambda: Reduced(self.process))

    def _stationary(self) -> Stationary:
        return self._kept("stationary", lambda: Stationary(self._reduced()))

    def _reduced_for(self, rho: Complexes) -> Reduced:
        """The process in a sector that contains a state: the usual one, or one that is made for this state."""
        if self._reduced().sector.contains(rho):
            return self._reduced()
        return self._reduced_with(np.abs(rho) > ROUNDING * np.abs(rho).max())

    def _reduced_for_kets(self, kets: Complexes) -> Reduced:
        """The process in a sector that contains the projectors on some kets (n, d)."""
        sector = self._reduced().sector
        if all(sector.contains(np.outer(k, k.conj())) for k in kets):
            return self._reduced()
        return self._reduced_with(pattern(kets))

    def _reduced_with(self, seed: NDArray[np.bool_]) -> Reduced:
        """The process in a sector that was made for the elements `seed` (d, d)."""
        return self._kept(("reduced", seed.tobytes()), lambda: Reduced(self.process, seed))

    def _start(self, initial: Any) -> tuple[Reduced, Floats]:
        """The process in a sector that contains an initial state, and its coordinates."""
        if _is_steady(initial):
            return self._reduced(), self._stationary().vector
        rho = as_state(initial, "rho0", self.process.d)
        reduced = self._reduced_for(rho)
        return reduced, reduced.sector.vector(rho)

    def _averages(self, rho: Any) -> Averages:
        if _is_steady(rho):
            return self._kept("averages", lambda: averages(self._reduced(), self._stationary().vector))
        return averages(*self._start(rho))

    def _heat_weight(self, bath: str) -> Floats:
        table = self.process.counts
        if any(load.bath == table.index(bath) for load in self.process.loads):
            raise ValueError(
                f"bath {bath!r} is a load: its heat is an expectation value, not a count; use `cumulant_rates` with"
                " ``process.counts.charge_weight`` for its kicks"
            )
        return table.heat_weight(bath)

    def _weight(self, weight: ArrayLike) -> Floats:
        w = np.asarray(weight, dtype=np.float64)
        n = len(self.process.counts)
        if w.shape != (n,):
            raise ValueError(f"`weight` must have shape ({n},), one number per row of counts, but has shape {w.shape}")
        return w


def _is_steady(rho: Any) -> bool:
    """Whether an argument stands for the steady state."""
    if isinstance(rho, str) and rho != "steady":
        raise ValueError(f"a state given by name can only be 'steady', but is {rho!r}")
    return rho is None or isinstance(rho, str)


def _time(t: float) -> float:
    if not (np.isfinite(t) and t >= 0):
        raise ValueError(f"`t` must be a finite time >= 0, but is {t}")
    return float(t)


def _kets(kets: ArrayLike, name: str, d: int) -> Complexes:
    array = np.asarray(kets, dtype=complex)
    if array.ndim != 2 or array.shape[1] != d:
        raise ValueError(f"`{name}` must be kets in rows, of shape (n, {d}), but has shape {array.shape}")
    if np.abs(array.conj() @ array.T - np.eye(len(array))).max() > 1e-9:
        raise ValueError(f"`{name}` must be orthonormal kets: orthonormalise them, for example by a QR decomposition")
    return array
