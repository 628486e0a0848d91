"""What a model can say exactly, without sampling: the methods that every model has."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from collide.exact.counting import cumulant_rates, joint_cumulant_rates, scgf
from collide.exact.currents import Averages, averages, entropy_production
from collide.exact.evolve import propagate
from collide.exact.jets import Index, Jets
from collide.exact.process import Complexes, Floats, Process
from collide.exact.reduced import Reduced
from collide.exact.sectors import ROUNDING
from collide.exact.steady import Stationary
from collide.operators import as_state


class ExactMethods:
    """Exact averages and counting statistics of a model that has a `process`.

    Heat is positive into the system, work is positive when done on it, rates are per unit time; hbar = k_B = 1.  For a
    repeated (collision) process states are those at the start of a period and times are multiples of the period.
    Results that cost something are kept with the model, which must therefore not be changed afterwards.
    """

    process: Process

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
        times = _times(tlist)
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
        usual = self._reduced()
        if usual.sector.contains(rho):
            return usual
        seed = np.abs(rho) > ROUNDING * np.abs(rho).max()
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
            return self._kept(
                "averages", lambda: averages(self._reduced(), self._stationary().vector)
            )
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


def _times(tlist: ArrayLike) -> Floats:
    times = np.atleast_1d(np.asarray(tlist, dtype=float))
    if times.ndim != 1 or not np.all(np.isfinite(times)):
        raise ValueError(f"`tlist` must be a list of finite times, but has shape {times.shape}")
    if (len(times) and times[0] < 0) or np.any(np.diff(times) < 0):
        raise ValueError("`tlist` must ascend from a time >= 0")
    return times
