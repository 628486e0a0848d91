r"""Closed forms for the two Ising spins of Werlang et al. 2014, in the global equation.

Units as in `collide.machines.ising`: energies and temperatures alike, hbar = k_B = 1.  J_L is the heat current from the
left bath into the spins; Gamma the net rate of the cycle 4 -> 1 -> 2 -> 3 -> 4.
"""

import math

from collide.baths import occupation

Pair = tuple[float, float]


def current(h: float, Delta: float, kappa: float, T_L: float, T_R: float) -> float:
    r"""Steady current J_L at any temperatures, zero included, and any Delta >= 0.

    Solution of the rate equations (Werlang et al. 2014, Eqs. 8-12).  With :math:`A = e^{-(h+\Delta)/T_L}`,
    :math:`B = e^{-(h-\Delta)/T_L}`, :math:`m = n^R_\Delta`, :math:`r = \kappa\Delta`, :math:`a =
    (1-A)/\kappa(h+\Delta)` and :math:`c = (1-B)/\kappa(h-\Delta)`

    .. math:: J_L = \frac{2\Delta\,[A(1+m)^2 - Bm^2]}
              {\frac1r[1 + 2mB + (1+2m)AB + 2(m + A + Am)] + (1+2m)[a(1+m+mB) + c(m+A+Am)]} .

    Every term of the denominator is positive and the difference in the numerator is an `expm1`, so all digits of a
    small current are right.
    """
    if Delta == 0:
        return 0.0
    A = _boltzmann(h + Delta, T_L)
    B, b = _scaled_boltzmann(h - Delta, T_L)  # everything linear in B is multiplied by b, so that nothing overflows
    m = occupation(Delta, math.inf if T_R == 0 else 1 / T_R)
    r = kappa * Delta
    a = (1 - A) / (kappa * (h + Delta))
    c = _absorbed_share(h - Delta, T_L) / kappa
    up = m + A * (1 + m)
    denominator = (b + 2 * m * B + (1 + 2 * m) * A * B + 2 * b * up) / r
    denominator += (1 + 2 * m) * (a * (b * (1 + m) + m * B) + c * up)
    return 2 * Delta * _difference(Delta, A * b * (1 + m) ** 2, B * m**2, T_L, T_R) / denominator


def _boltzmann(omega: float, T: float) -> float:
    return 0.0 if T == 0 else math.exp(-omega / T)


def _scaled_boltzmann(omega: float, T: float) -> Pair:
    """(B b, b) with B = exp(-omega / T) and b = min(1, 1 / B): one of the two is always 1."""
    if T == 0:
        return (0.0, 1.0) if omega > 0 else (1.0, 0.0 if omega < 0 else 1.0)
    x = omega / T
    return (math.exp(-x), 1.0) if x > 0 else (1.0, math.exp(x))


def _absorbed_share(omega: float, T: float) -> float:
    """(1 - B) b / omega, in the limit 1/T at omega = 0: positive for either sign of omega."""
    if omega == 0:
        return math.inf if T == 0 else 1 / T
    return (1.0 if T == 0 else -math.expm1(-abs(omega) / T)) / abs(omega)


def _difference(Delta: float, forward: float, backward: float, T_L: float, T_R: float) -> float:
    """forward - backward, whose ratio is exp(2 Delta (1/T_R - 1/T_L)), without cancellation."""
    if T_L == T_R:
        return 0.0
    if T_L > T_R:
        return forward if T_R == 0 else -forward * math.expm1(-2 * Delta * (1 / T_R - 1 / T_L))
    return -backward if T_L == 0 else backward * math.expm1(-2 * Delta * (1 / T_L - 1 / T_R))


def cycle_rate(h: float, Delta: float, kappa: float, T_L: float, T_R: float) -> float:
    """Net rate Gamma = -J_L / (2 Delta) of the cycle (Werlang et al. 2014, below Eq. 12); Delta > 0."""
    return -current(h, Delta, kappa, T_L, T_R) / (2 * Delta)


def cycle_rate_cold_right(h: float, Delta: float, kappa: float, T_L: float) -> float:
    r"""Gamma for T_R -> 0 (Werlang et al. 2014, note 37, corrected).

    .. math:: \Gamma = -\frac{\kappa\Delta(h^2-\Delta^2)}
              {2h^2 + 2e^{\beta\Delta}[(h^2-2\Delta^2)\cosh\beta h + \Delta h\sinh\beta h]}

    The printed form, `cycle_rate_cold_right_printed`, lacks :math:`-\kappa` and is right for T_L -> infinity only.

    Raises
    ------
    ValueError
        At ``Delta = h``, where it is 0/0; `cycle_rate` has the limit.
    """
    if Delta == h:
        raise ValueError(f"`Delta` = h = {h:g} makes note 37 zero over zero: use `cycle_rate`, which takes the limit")
    if T_L == 0:
        return 0.0 if Delta < h else cycle_rate(h, Delta, kappa, 0.0, 0.0)
    beta = 1 / T_L
    # both sides times exp(-beta (h + Delta)), which never overflows
    small, flat = math.exp(-beta * (h + Delta)), math.exp(-2 * beta * h)
    below = 2 * h**2 * small + (h**2 - 2 * Delta**2) * (1 + flat) + Delta * h * (1 - flat)
    return -kappa * Delta * (h**2 - Delta**2) * small / below


def cycle_rate_cold_right_printed(h: float, Delta: float, T_L: float) -> float:
    r"""Note 37 of Werlang et al. 2014 as printed, for comparison only.

    .. math:: \frac{\Delta(h^2-\Delta^2)}{2(h^2-2\Delta^2) + 2he^{-\beta\Delta}(\Delta\sinh\beta h + h\cosh\beta h)}
    """
    beta = 1 / T_L
    growth = Delta * math.sinh(beta * h) + h * math.cosh(beta * h)
    return Delta * (h**2 - Delta**2) / (2 * (h**2 - 2 * Delta**2) + 2 * h * math.exp(-beta * Delta) * growth)


def saturation_current(Delta: float, kappa: float) -> float:
    r"""J_L for T_L -> infinity and T_R -> 0: :math:`\kappa\Delta^2/2`, from :math:`\Gamma\to-\kappa\Delta/4`."""
    return kappa * Delta**2 / 2


def local_current() -> float:
    """J_L of the local ("phenomenological") equation: zero at any coupling and temperatures (Werlang et al. 2014)."""
    return 0.0
