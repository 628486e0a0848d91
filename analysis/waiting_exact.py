r"""Exact waiting-time statistics of a Lindblad equation, what the records are judged by.

With the watched jumps :math:`\mathcal J_k` taken out of the generator, :math:`\mathcal L_0 = \mathcal L - \sum_k
\mathcal J_k`,

.. math:: w_{b|a}(t) = \mathrm{Tr}[\mathcal J_b\, e^{\mathcal L_0 t} \rho_a], \qquad
          \rho_a = \mathcal J_a \rho / \mathrm{Tr}[\mathcal J_a \rho],

(Brandes 2008).  Channels that are not watched stay in :math:`\mathcal L_0`: the record of a detector that misses
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm

Complexes = NDArray[np.complex128]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ExactWaiting:
    """The generator without watched jumps, the watched jumps, and the steady state.

    Attributes
    ----------
    quiet : (d^2, d^2) complex
        L_0, row-major vectorisation.
    jump : (k, d^2, d^2) complex
        One superoperator per watched channel.
    steady : (d^2,) complex
    """

    quiet: Complexes
    jump: Complexes
    steady: Complexes

    def _after(self, channels: Sequence[int] | None) -> Complexes:
        """State right after a jump of some watched channels in the steady state, averaged over them."""
        chosen = self.jump if channels is None else self.jump[list(channels)]
        state = chosen.sum(axis=0) @ self.steady
        rate = self._trace(state)
        if not rate > 0:
            raise ValueError(
                f"the watched channels {channels} never fire in the steady state: there is no wait after them."
            )
        return np.asarray(state / rate)

    def _until_next(self, state: NDArray[Any]) -> NDArray[Any]:
        """(-L_0)^{-1} applied to a state: what it is from now to the next watched jump, integrated over time."""
        try:
            return np.asarray(np.linalg.solve(-self.quiet, state))
        except np.linalg.LinAlgError as error:
            raise ValueError(
                "the watched channels may never fire again (a dark state): the mean wait is infinite."
            ) from error

    def _trace(self, vector: NDArray[Any]) -> float:
        d = round(len(vector) ** 0.5)
        return float(np.real(vector.reshape(d, d).trace()))

    @property
    def rate(self) -> float:
        """Watched jumps per time in the steady state."""
        return self._trace(self.jump.sum(axis=0) @ self.steady)

    def density(
        self, time: ArrayLike, *, after: Sequence[int] | None = None, until: Sequence[int] | None = None
    ) -> Floats:
        """Density of the wait at the given times; `after` and `until` index the watched channels."""
        state, ends = self._after(after), self.jump if until is None else self.jump[list(until)]
        last = ends.sum(axis=0)
        return np.array([self._trace(last @ (expm(self.quiet * float(t)) @ state)) for t in np.atleast_1d(time)])

    def survival(self, time: ArrayLike, *, after: Sequence[int] | None = None) -> Floats:
        """Probability that no watched jump happens for a time."""
        state = self._after(after)
        return np.array([self._trace(expm(self.quiet * float(t)) @ state) for t in np.atleast_1d(time)])

    def moment(self, order: int, *, after: Sequence[int] | None = None) -> float:
        """<w^order> = order! Tr[(-L_0)^{-order} rho]."""
        state, factor = self._after(after), 1.0
        for k in range(1, order + 1):
            state, factor = self._until_next(state), factor * k
        return factor * self._trace(state)

    def correlation(self, lag: int = 1) -> float:
        """Pearson correlation of a wait with the one `lag` later, in the steady state."""
        if lag < 1:
            raise ValueError(f"`lag` must be at least 1, but is {lag}.")
        click = self.jump.sum(axis=0)
        state = self._until_next(self._until_next(self._after(None)))  # weighted by the first wait
        for _ in range(lag - 1):
            state = self._until_next(click @ state)
        product = self._trace(self._until_next(click @ state))
        mean = self.moment(1)
        return (product - mean**2) / (self.moment(2) - mean**2)

    def __repr__(self) -> str:
        return f"Exact waits of {len(self.jump)} watched channels: {self.rate:.6g} jumps per time."


def exact_waiting(H: Any, c_ops: Sequence[Any], watched: Sequence[int] | None = None) -> ExactWaiting:
    """Set up the exact waiting-time statistics from plain operators.

    Parameters
    ----------
    H : (d, d) array_like
    c_ops : sequence of (d, d) array_like
        Jump operators, the square root of the rate inside.
    watched : sequence of int, optional
        Which of them the detector sees; all by default.
    """
    ham = np.asarray(H, dtype=complex)
    ops = [np.asarray(c, dtype=complex) for c in c_ops]
    d = len(ham)
    if any(c.shape != (d, d) for c in ops) or ham.shape != (d, d):
        raise ValueError(f"`H` and `c_ops` must all have one shape (d, d), but have {[o.shape for o in (ham, *ops)]}.")
    one = np.eye(d)
    jump = np.array([np.kron(c, c.conj()) for c in ops])
    effective = -1j * ham - 0.5 * sum((c.conj().T @ c for c in ops), np.zeros((d, d), dtype=complex))
    lindblad = np.kron(effective, one) + np.kron(one, effective.conj()) + jump.sum(axis=0)
    seen = jump if watched is None else jump[list(watched)]
    return ExactWaiting(lindblad - seen.sum(axis=0), seen, _steady(lindblad, d))


def _steady(lindblad: Complexes, d: int) -> Complexes:
    """Steady state from the null vector, the trace condition appended as one more equation."""
    rows = np.vstack([lindblad, np.eye(d).reshape(1, -1)])
    right = np.append(np.zeros(d * d), 1.0)
    return np.asarray(np.linalg.lstsq(rows, right, rcond=None)[0])
