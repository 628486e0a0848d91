r"""Closed forms of the global rectifier, two qubits between oscillator baths (Santiago-García et al. 2024, Sec. IV).

:math:`\omega_\pm = \omega\pm g` are the frequencies of the two modes; both densities are flat.  J is :math:`Q_L-Q_R`.
"""

from collide.machines.rectifier_formulas import csch, half_coth, occupation, peak_position

WIDTH = 1.4686  # full width at half maximum of a single mode's conductance, in units of its frequency


def mode_current(frequency: float, gamma_L: float, gamma_R: float, T_L: float, T_R: float) -> float:
    r"""Current of one mode (Eq. 22).

    .. math:: J(\omega_\pm) = \frac{\gamma_L\gamma_R\omega_\pm[n_L(\omega_\pm)-n_R(\omega_\pm)]}
              {\gamma_L\coth(\omega_\pm/2T_L)+\gamma_R\coth(\omega_\pm/2T_R)}
    """
    difference = occupation(frequency, T_L, 1) - occupation(frequency, T_R, 1)
    width = gamma_L * half_coth(frequency, T_L) + gamma_R * half_coth(frequency, T_R)
    return gamma_L * gamma_R * frequency * difference / width


def global_current(*, omega: float = 1.0, g: float, gamma_L: float, gamma_R: float, T_L: float, T_R: float) -> float:
    """Sum of both modes' currents (Eq. 21)."""
    return sum(mode_current(f, gamma_L, gamma_R, T_L, T_R) for f in (omega + g, omega - g))


def global_contrast(*, omega: float = 1.0, g: float, gamma_L: float, gamma_R: float, T_L: float) -> float:
    r"""Contrast at T_R = 0 (Eqs. 23 and 24).

    .. math:: C = \left|\frac{\gamma_L-\gamma_R}{\gamma_L+\gamma_R}\right|
              \left[1+\frac{A^++A^-}{A^+n_L(\omega_+)+A^-n_L(\omega_-)}\right]^{-1}

    with :math:`A^\pm = \omega_\pm n_L(\omega_\pm)/\{[\gamma_R/\gamma_L+\coth(\omega_\pm/2T_L)]
    [\gamma_L/\gamma_R+\coth(\omega_\pm/2T_L)]\}`; the second coth is printed with :math:`T_R`.
    """
    weights, hot = 0.0, 0.0
    for f in (omega + g, omega - g):
        n, c = occupation(f, T_L, 1), half_coth(f, T_L)
        A = f * n / ((gamma_R / gamma_L + c) * (gamma_L / gamma_R + c))
        weights, hot = weights + A, hot + A * n
    return abs((gamma_L - gamma_R) / (gamma_L + gamma_R)) / (1 + weights / hot)


def global_conductance(*, omega: float = 1.0, g: float, gamma_L: float, gamma_R: float, T: float) -> float:
    r"""Linear conductance (Eq. 25).

    .. math:: \kappa = \frac{\gamma_L\gamma_R}{\gamma_L+\gamma_R}
              \sum_\pm\frac{\omega_\pm^2}{2T^2}\,\mathrm{csch}\frac{\omega_\pm}T
    """
    modes = sum(f**2 * csch(f / T) / (2 * T**2) for f in (omega + g, omega - g))
    return gamma_L * gamma_R / (gamma_L + gamma_R) * modes


def global_peaks(*, omega: float = 1.0, g: float) -> tuple[float, float]:
    """Temperatures of the lower and of the upper mode's own maximum (Eqs. 43-47), each omega_pm / 1.915."""
    x = peak_position()
    return (omega - g) / x, (omega + g) / x
