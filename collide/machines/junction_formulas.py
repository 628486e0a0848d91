r"""Closed forms for junctions of one oscillator (HO) or two-level system (TLS) between two baths, Wu and Segal 2009.

k_L, k_R are the relaxation rates 1 -> 0 of the two baths, u_L, u_R = exp(-omega/T) their ratios of absorption to
relaxation, :math:`K_1 = k_L + k_R` and :math:`K_2 = u_Lk_L + u_Rk_R` the sums of all rates down and up.  J and Q_L are
counted from L into the system.
"""

import math

from collide.baths import occupation

# -------------------------------------------------------------------- rates


def boltzmann_factor(omega: float, T: float) -> float:
    """u = exp(-omega/T), 0 at T = 0."""
    return 0.0 if T == 0 else math.exp(-omega / T)


def spin_rate(omega: float, T: float, g: float) -> float:
    r"""k of a bath of spins, :math:`\Upsilon n_S(-\omega) = g/(1+u)` (Eq. 16)."""
    return g / (1 + boltzmann_factor(omega, T))


def boson_rate(omega: float, T: float, g: float) -> float:
    r"""k of a solid or a radiation field, :math:`-\Gamma_B n_B(-\omega) = g/(1-u)` (Eq. 17)."""
    return g if T == 0 else g / -math.expm1(-omega / T)


def metal_rate_linear(omega: float, T: float, g: float, delta: float, mu: float) -> float:
    r"""k of a metal with :math:`\Lambda = \Gamma_F(1+\delta T/\mu)` (Eqs. 18-19 and below)."""
    return g * (1 + delta * T / mu) * boson_rate(omega, T, 1.0)


# -------------------------------------------------------------------- currents


def current_ho(omega: float, T_L: float, T_R: float, k_L: float, k_R: float) -> float:
    r"""J through a harmonic oscillator (Eq. 14).

    .. math:: J = \frac{\omega k_Lk_R(u_L-u_R)}{k_L(1-u_L)+k_R(1-u_R)},

    the printed form with :math:`n_B(-\omega) = -1/(1-u)` put in, in which no digits cancel.
    """
    below = sum(k * (1.0 if T == 0 else -math.expm1(-omega / T)) for k, T in ((k_L, T_L), (k_R, T_R)))
    return omega * k_L * k_R * _difference(omega, T_L, T_R) / below


def current_tls(omega: float, T_L: float, T_R: float, k_L: float, k_R: float) -> float:
    r"""J through a two-level system (Eq. 15): as `current_ho` with 1 + u in the denominator."""
    below = k_L * (1 + boltzmann_factor(omega, T_L)) + k_R * (1 + boltzmann_factor(omega, T_R))
    return omega * k_L * k_R * _difference(omega, T_L, T_R) / below


def _difference(omega: float, T_L: float, T_R: float) -> float:
    """u_L - u_R without cancellation."""
    if T_L == T_R:
        return 0.0
    if T_L < T_R:
        return -_difference(omega, T_R, T_L)
    u = boltzmann_factor(omega, T_L)
    return u if T_R == 0 else -u * math.expm1(-omega * (1 / T_R - 1 / T_L))


def mean_occupation(sign: int, k_L: float, k_R: float, u_L: float, u_R: float) -> float:
    """Mean occupation K2 / (K1 - sign K2): sign = +1 for the oscillator, -1 for two levels (steady state of Eq. 12)."""
    return (u_L * k_L + u_R * k_R) / (k_L * (1 - sign * u_L) + k_R * (1 - sign * u_R))


def classical_current_tls(omega: float, T_L: float, T_R: float, g_L: float, g_R: float) -> float:
    r"""J of solid-TLS-solid for omega << T (Eq. 21).

    .. math:: J = \frac{\omega\,\Gamma_L\Gamma_R\,(T_L-T_R)}{2(\Gamma_LT_L+\Gamma_RT_R)}

    The paper prints it for "solid-HO-solid"; it follows from Eqs. (15) and (17), the two-level system.  The
    oscillator between solids does not rectify at all.
    """
    return omega * g_L * g_R * (T_L - T_R) / (2 * (g_L * T_L + g_R * T_R))


def rectification_solid_ho_metal(T_L: float, T_R: float, delta: float, mu: float) -> float:
    r"""R = \|J(Delta)/J(-Delta)\| of solid-HO-metal with equal couplings, exact and independent of omega (Eq. 20)."""
    x, y = delta * T_L / mu, delta * T_R / mu
    return (2 + x) * (1 + y) / ((1 + x) * (2 + y))


def rectification_solid_ho_metal_linear(difference: float, delta: float, mu: float) -> float:
    """The last step of Eq. (20), 1 - Delta delta / (2 mu): first order in delta only."""
    return 1 - difference * delta / (2 * mu)


def swap_heat(omega: float, a: float, b: float, T_L: float, T_R: float, statistics: str) -> float:
    r"""Heat from L in one L + R cycle of excitation-exchange collisions with swap probabilities a and b, at any angle.

    .. math:: q_L = \frac{\omega ab\,(n_L - n_R)}{a + b - ab}

    for boson-HO-boson (`statistics` "boson") and spin-TLS-spin ("spin"), periodic steady state, L first (derived; it
    tends to Eqs. 14 and 15).
    """
    n_L, n_R = (occupation(omega, math.inf if T == 0 else 1 / T, statistics) for T in (T_L, T_R))
    return omega * a * b * (n_L - n_R) / (a + b - a * b)


# -------------------------------------------------------------------- generating functions


def scgf_two_level(s: float, omega: float, down_L: float, up_L: float, down_R: float, up_R: float) -> float:
    r"""lim ln <exp(s Q_L)> / t of two levels with rates :math:`d_\nu` down and :math:`a_\nu` up from each bath.

    .. math:: \lambda = \tfrac12\Big[-K + \sqrt{K^2+4f}\Big] = \frac{2f}{K+\sqrt{K^2+4f}},\qquad
              f = a_Ld_R(e^{s\omega}-1) + d_La_R(e^{-s\omega}-1)

    with K the sum of all four rates (derived; the second form does not cancel).
    """
    K = down_L + up_L + down_R + up_R
    f = up_L * down_R * math.expm1(s * omega) + down_L * up_R * math.expm1(-s * omega)
    return 2 * f / (K + math.sqrt(K**2 + 4 * f))


def scgf_tls(s: float, omega: float, k_L: float, k_R: float, u_L: float, u_R: float) -> float:
    """Generating function of Q_L for the two-level system; see `scgf_two_level`."""
    return scgf_two_level(s, omega, k_L, u_L * k_L, k_R, u_R * k_R)


def scgf_ho(s: float, omega: float, k_L: float, k_R: float, u_L: float, u_R: float) -> float:
    r"""Generating function of Q_L for the unbounded oscillator, ``inf`` outside `scgf_ho_domain`.

    .. math:: \lambda = \tfrac12\Big[K - \sqrt{K^2-4f}\Big],\qquad K = k_L(1-u_L)+k_R(1-u_R),\quad
              f = k_Lk_R[u_L(e^{s\omega}-1)+u_R(e^{-s\omega}-1)]
    """
    K = k_L * (1 - u_L) + k_R * (1 - u_R)
    f = k_L * k_R * (u_L * math.expm1(s * omega) + u_R * math.expm1(-s * omega))
    below = K**2 - 4 * f
    return math.inf if below < 0 else 2 * f / (K + math.sqrt(below))


def scgf_ho_domain(omega: float, k_L: float, k_R: float, u_L: float, u_R: float) -> tuple[float, float]:
    r"""Fields (s_min, s_max) between which `scgf_ho` is finite: roots of :math:`K^2 = 4f`.

    Further out <exp(s Q_L)> grows faster than any exponential, because trajectories that climb the ladder for ever
    dominate; a truncated ladder gives a number there that grows with its cut-off.
    """
    K = k_L * (1 - u_L) + k_R * (1 - u_R)
    half = K**2 / (8 * k_L * k_R) + 0.5 * (u_L + u_R)  # u_L y + u_R / y = 2 half with y = exp(s omega)
    root = math.sqrt(half**2 - u_L * u_R)
    high = math.inf if u_L == 0 else math.log((half + root) / u_L) / omega
    low = -math.inf if u_R == 0 else -math.log((half + root) / u_R) / omega
    return low, high


def exchange_average_diverges_at(k_L: float, k_R: float, u_L: float, u_R: float) -> float:
    r"""Time at which :math:`\langle e^{-(\beta_R-\beta_L)Q_L}\rangle` of the unbounded oscillator becomes infinite.

    From the stationary state :math:`p_n\propto q^n`, :math:`q = K_2/K_1`, the average is finite as long as
    :math:`q\,w(t)<1`, where :math:`w^n` weighs a start in level n and obeys the Riccati equation
    :math:`\dot w = u_RK_1(w-q/u_R)(w-1/u_R)`, w(0) = 1.  It stays finite for ever unless :math:`q^2 > u_R`.  The
    entropy production with its boundary terms is not affected.

    Returns
    -------
    float
        ``inf`` if it never does.
    """
    K1, K2 = k_L + k_R, u_L * k_L + u_R * k_R
    q = K2 / K1
    if not q * q > u_R > 0:
        return math.inf
    near, far = q / u_R, 1 / u_R

    def position(w: float) -> float:
        return math.log((w - near) / (w - far))

    return (position(1.0) - position(1 / q)) / (K1 - K2) if q < near else 0.0


def cumulant_rates(
    sign: int, omega: float, T_L: float, T_R: float, k_L: float, k_R: float
) -> tuple[float, float, float]:
    r"""First three cumulants of Q_L per unit time: derivatives of `scgf_ho` (sign = +1) or `scgf_tls` (-1) at s = 0.

    Both solve :math:`K\lambda = f \pm \lambda^2`, + for the oscillator, so
    :math:`K\lambda' = f'`, :math:`K\lambda'' = f'' \pm 2\lambda'^2`, :math:`K\lambda''' = f''' \pm 6\lambda'\lambda''`.
    """
    u_L, u_R = boltzmann_factor(omega, T_L), boltzmann_factor(omega, T_R)
    K = k_L * (1 - sign * u_L) + k_R * (1 - sign * u_R)
    net, total = k_L * k_R * _difference(omega, T_L, T_R), k_L * k_R * (u_L + u_R)
    first = omega * net / K
    second = (omega**2 * total + sign * 2 * first**2) / K
    return first, second, (omega**3 * net + sign * 6 * first * second) / K


# -------------------------------------------------------------------- the cut-off of a ladder


def levels_for(ratio: float, neglect: float) -> int:
    """Levels N of a ladder with populations ~ ratio^n, so that N^2 ratio^(N-1) stays below `neglect`.

    The current of a truncated ladder misses N ratio^N of itself, its third cumulant about N^2 times as much.
    """
    N = 4
    while ratio > 0 and 2 * math.log(N) + (N - 1) * math.log(ratio) > math.log(neglect):
        N = N + max(1, N // 16)
    return N


def stationary_ratio(k_L: float, k_R: float, u_L: float, u_R: float) -> float:
    """q of the stationary populations p_n ~ q^n: a thermal state, whatever the baths (steady state of Eq. 12)."""
    return (u_L * k_L + u_R * k_R) / (k_L + k_R)


def tilted_ratio(s: float, omega: float, k_L: float, k_R: float, u_L: float, u_R: float) -> float:
    r"""Ratio with which the product of both leading eigenvectors falls along the ladder at the counting field s.

    With :math:`a = u_Lk_Le^{s\omega}+u_Rk_R` upwards and :math:`b = k_Le^{-s\omega}+k_R` downwards they are
    :math:`z^n` and :math:`(zb/a)^n`, z the smaller root of :math:`bz^2-(K_1+K_2)z+a = 0`.  It reaches one at the
    edges of `scgf_ho_domain`, where no truncation is large enough.
    """
    a = u_L * k_L * math.exp(s * omega) + u_R * k_R
    b = k_L * math.exp(-s * omega) + k_R
    both = (k_L + k_R) * (1 + stationary_ratio(k_L, k_R, u_L, u_R))
    below = both**2 - 4 * a * b
    if below < 0:
        return 1.0
    z = 2 * a / (both + math.sqrt(below))
    return z * z * b / a if a > 0 else 0.0
