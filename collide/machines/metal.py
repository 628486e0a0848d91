"""The rate of electron-hole pairs in a metal: an integral over a band (Wu and Segal 2009, Eqs. 18-19)."""

from collections.abc import Callable, Sequence
from itertools import pairwise
import math

import numpy as np
from scipy.integrate import quad

Band = Callable[[float], float]
FAR = 60.0  # temperatures away from the Fermi edges where exp(-x) x^2 is below rounding


def metal_rate(F: Band, T: float, omega: float, mu: float, band: tuple[float, float] = (-math.inf, math.inf)) -> float:
    r"""Lambda(T, omega), by integration.

    .. math:: \Lambda = 2\pi\int d\epsilon\,[n_F(\epsilon)-n_F(\epsilon+\omega)]\,F(\epsilon)

    (Wu and Segal 2009, Eq. 19), with the difference of Fermi functions written as
    :math:`\sinh\frac w2/(\cosh(x+\frac w2)+\cosh\frac w2)`, :math:`x=(\epsilon-\mu)/T`, :math:`w=\omega/T`, which
    neither cancels nor overflows.

    Parameters
    ----------
    F : callable
        F(epsilon) >= 0 where it matters: coupling times densities of states.
    T : float
        >= 0.
    omega : float
        Energy of a pair, > 0.
    mu : float
        Chemical potential.
    band : (float, float)
        Edges outside which F is taken as zero.

    Returns
    -------
    float
        Relative error below 1e-10 for smooth F.

    Raises
    ------
    ValueError
        If `omega`, `T` or `band` make no sense, or if the result is negative.
    """
    if not omega > 0:
        raise ValueError(f"`omega` must be positive, but is {omega!r}")
    if not (T >= 0 and math.isfinite(T)):
        raise ValueError(f"`T` must be finite and >= 0, but is {T!r}")
    if not band[0] < band[1]:
        raise ValueError(f"`band` must ascend from its lower to its upper edge, but is {band}")
    low, high = max(band[0], mu - omega - FAR * T), min(band[1], mu + FAR * T)
    if low >= high:
        return 0.0
    edges = [mu - omega, mu - 0.5 * omega, mu]
    edges += [edge + k * T for edge in (mu - omega, mu) for k in (-25, -10, -4, 4, 10, 25)]
    cuts = sorted({low, high, *(e for e in edges if low < e < high)})
    parts = [
        quad(lambda e: _occupied_then_empty(e - mu, T, omega) * F(e), a, b, epsabs=0.0, epsrel=1e-12, limit=400)[0]
        for a, b in pairwise(cuts)
    ]
    value = 2 * math.pi * math.fsum(parts)
    if value < 0:
        raise ValueError(
            f"the rate of the metal is {value:.3g} at T = {T:g}: F must not be negative near `mu` = {mu:g}"
        )
    return value


def _occupied_then_empty(energy: float, T: float, omega: float) -> float:
    """n_F(energy) - n_F(energy + omega), energies from the chemical potential."""
    if T == 0:
        return 1.0 if -omega < energy < 0 else 0.0
    half, far = omega / (2 * T), abs(energy + omega / 2) / T
    # sinh a / (cosh b + cosh a), both sides divided by exp(max(a, b))
    top = max(half, far)
    sinh = 0.5 * (math.exp(half - top) - math.exp(-half - top)) if half > 1e-3 else math.sinh(half) * math.exp(-top)
    both = math.exp(far - top) + math.exp(-far - top) + math.exp(half - top) + math.exp(-half - top)
    return 2 * sinh / both


def polynomial_band(coefficients: Sequence[float], mu: float) -> Band:
    """F(epsilon) = F0 + F1 (epsilon - mu) + F2 (epsilon - mu)^2 + ..."""
    series = np.polynomial.Polynomial(np.asarray(coefficients, dtype=float))
    return lambda energy: float(series(energy - mu))


def metal_rate_quadratic(F: Sequence[float], T: float, omega: float) -> float:
    r"""Lambda of a band F0 + F1 (e - mu) + F2 (e - mu)^2 without edges, exactly.

    .. math:: \Lambda = 2\pi\omega\,\Big[F_0 - \tfrac12F_1\omega + \tfrac13F_2(\pi^2T^2+\omega^2)\Big]

    A linear band gives no dependence on T: the form :math:`\Gamma_F(1+\delta\,T/\mu)` below Eq. (19) of Wu and Segal
    2009 is an input, not an expansion of F.
    """
    F0, F1, F2 = F
    return 2 * math.pi * omega * (F0 - F1 * omega / 2 + F2 * (math.pi**2 * T**2 + omega**2) / 3)
