r"""Counting statistics at finite time of the rectifier's chain, for any length and temperature.

With a counting field χ on the heat from the bath at one site the moments of a Gaussian state obey the Riccati equation
of `collide.machines.rectifier_moments`, now with a time derivative.  Written :math:`D = XY^{-1}` it is linear,

.. math:: \frac{d}{dt}\binom XY = \begin{pmatrix} W+\epsilon_abP & F+bP \\
          -(\epsilon_aa+b)P & -W^\dagger-\epsilon_abP \end{pmatrix}\binom XY,

and the moment generating function follows from a determinant, with :math:`X(0) = D(0)` and :math:`Y(0) = 1`,

.. math:: \langle e^{\chi Q}\rangle = \bigl[e^{t\,\mathrm{Tr}W^\dagger}\det Y(t)\bigr]^{-\epsilon_a},

because :math:`\frac d{dt}\ln\det Y = -\mathrm{Tr}W^\dagger-\epsilon_a\frac d{dt}\ln\langle e^{\chi Q}\rangle`
(derived; not in the paper).  Imaginary fields give the probabilities of net quanta.
"""

from collections.abc import Mapping
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.linalg as la

from collide.baths import Bath
from collide.machines.rectifier_moments import drift, heat_cumulant_rates, lyapunov, site_rates

NEGLIGIBLE = 1e-14  # probability beyond which a distribution is cut
MOST_FIELDS = 1 << 13
GROWTH = 10.0  # of the logarithm of X and Y in one step


def generating_function(
    phases: NDArray[np.float64],
    N: int,
    omega: float,
    g: float,
    eps_a: int,
    ends: Mapping[int, list[Bath]],
    counted: str,
    time: float,
    initial: str = "empty",
) -> NDArray[np.complex128]:
    r"""Characteristic function :math:`\langle e^{i\varphi n}\rangle` of the net quanta received from one bath.

    Parameters
    ----------
    phases : (k,) float
    N, omega, g, eps_a, ends
        As in `chain_moments`.
    counted : str
        Name of the bath.
    time : float
    initial : {"empty", "steady"}
        Every site in :math:`|0\rangle`, or the steady state.
    """
    ((place, (down, up)),) = [(s, b.rates(omega)) for s, baths in ends.items() for b in baths if b.name == counted]
    damping, source = site_rates(N, omega, eps_a, ends)
    W, F = drift(N, g, damping), np.diag(source).astype(complex)
    start = np.zeros_like(W) if initial == "empty" else lyapunov(W, F)
    P = np.zeros_like(W)
    P[place, place] = 1.0
    a, b = (rate * np.expm1(sign * 1j * phases)[:, None, None] for rate, sign in ((down, -1), (up, 1)))
    upper = np.concatenate([W + eps_a * b * P, F + b * P], axis=2)
    lower = np.concatenate([-(eps_a * a + b) * P, -W.conj().T - eps_a * b * P], axis=2)
    flow = np.concatenate([upper, lower], axis=1)
    # X and Y grow like the inverse of the damping, so D is taken anew before they leave the range of numbers
    steps = max(1, math.ceil(time * damping.max() / GROWTH))
    h = time / steps
    step = la.expm(h * flow)
    D: Any = np.broadcast_to(start, upper[..., :N].shape)
    result = np.ones(len(phases), dtype=complex)
    for _ in range(steps):
        X, Y = (rows[..., :N] @ D + rows[..., N:] for rows in (step[:, :N], step[:, N:]))
        result = result * (np.exp(h * np.trace(W.conj().T)) * np.linalg.det(Y)) ** (-eps_a)
        D = np.linalg.solve(Y.swapaxes(-1, -2), X.swapaxes(-1, -2)).swapaxes(-1, -2)
    return result


def quanta_distribution(
    N: int,
    omega: float,
    g: float,
    eps_a: int,
    ends: Mapping[int, list[Bath]],
    counted: str,
    time: float,
    initial: str = "empty",
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Probabilities of the net quanta received from one bath by `time`.

    Parameters
    ----------
    N, omega, g, eps_a, ends, counted, time, initial
        As in `generating_function`.

    Returns
    -------
    n : (k,) int
    P : (k,) float
        All that are not negligible.

    Raises
    ------
    ValueError
        If the quanta spread over more numbers than can be told apart.
    """
    mean, variance = heat_cumulant_rates(N, omega, g, eps_a, ends, counted, 2) / np.array([omega, omega**2])
    # what the stationary current spreads over, and more where the start still shows
    size = 1 << math.ceil(math.log2(64 + 2 * time * abs(mean) + 16 * math.sqrt(time * variance)))
    while size <= MOST_FIELDS:
        phases = 2 * np.pi * np.arange(size) / size
        G = generating_function(phases, N, omega, g, eps_a, ends, counted, time, initial)
        n = np.fft.fftfreq(size, 1 / size).astype(np.int64)
        P = np.real(np.fft.fft(G)) / size
        outer = np.abs(n) > 3 * size // 8
        if np.abs(P[outer]).max() < NEGLIGIBLE:
            order = np.argsort(n)
            kept = order[~outer[order]]
            return n[kept], np.maximum(P[kept], 0.0)
        size *= 2
    raise ValueError(
        f"`time` = {time:g}: the net quanta, {time * mean:.3g} on average, spread over more than {MOST_FIELDS} numbers;"
        " take a shorter time"
    )
