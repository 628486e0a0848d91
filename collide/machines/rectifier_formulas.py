r"""Closed forms of the local rectifier (Santiago-García et al. 2024), with their equation numbers, misprints corrected.

J is the paper's current :math:`Q_L - Q_R`, twice the heat flow in the steady state.  Functions take the machine's
keywords; temperatures may be zero (n = 0, coth = 1), two-level baths also infinitely hot.  Forms of the global equation
are in `collide.machines.rectifier_global_formulas`.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collide.baths import occupation as bath_occupation


def occupation(omega: float, T: float, eps: int) -> float:
    r"""Mean occupation :math:`n = [e^{\omega/T}-\epsilon]^{-1}` of an ancilla (Eq. 3); 0 at T = 0."""
    return bath_occupation(omega, math.inf if T == 0 else 1.0 / T, "boson" if eps == 1 else "spin")


def rates(omega: float, gamma: float, T: float, eps: int) -> tuple[float, float]:
    r"""Emission and absorption :math:`\gamma^- = \gamma(1+\epsilon n)`, :math:`\gamma^+ = \gamma n` (below Eq. 2)."""
    n = occupation(omega, T, eps)
    return gamma * (1 + eps * n), gamma * n


def coth(x: float) -> float:
    """Hyperbolic cotangent of x > 0, infinity included."""
    return 1.0 / math.tanh(x)


def half_coth(omega: float, T: float) -> float:
    r"""The factor :math:`\coth(\omega/2T)`, 1 at T = 0."""
    return 1.0 if T == 0 else coth(omega / (2 * T))


def csch(x: float) -> float:
    """Hyperbolic cosecant of x > 0, without overflow."""
    return 2 * math.exp(-x) / -math.expm1(-2 * x)


def heat_current(omega: float, gamma: float, T: float, eps: int, eps_a: int, occupied: float) -> float:
    r"""Heat from a bath into a site with :math:`\langle s^\dagger s\rangle` = `occupied` (Eq. 4).

    .. math:: Q = \omega\gamma\bigl(n-[1+(\epsilon-\epsilon_a)n]\langle s^\dagger s\rangle\bigr)
    """
    n = occupation(omega, T, eps)
    return omega * gamma * (n - (1 + (eps - eps_a) * n) * occupied)


# -------------------------------------------------------------------- currents


def scaling_factor(
    *,
    omega: float = 1.0,
    g: float,
    gamma_L: float,
    gamma_R: float,
    T_L: float,
    T_R: float,
    eps_a: int = -1,
    eps_L: int = 1,
    eps_R: int = 1,
) -> float:
    r"""Factor alpha between the currents of two sites and of one (Eq. 6), between 0 and 1.

    .. math:: \alpha^{-1} = 1+\frac{\gamma_L\gamma_R}{4g^2}[1+(\epsilon_L-\epsilon_a)n_L][1+(\epsilon_R-\epsilon_a)n_R]
    """
    left = 1 + (eps_L - eps_a) * occupation(omega, T_L, eps_L)
    right = 1 + (eps_R - eps_a) * occupation(omega, T_R, eps_R)
    return 1 / (1 + gamma_L * gamma_R / (4 * g**2) * left * right)


def current_one_site(
    *,
    omega: float = 1.0,
    gamma_L: float,
    gamma_R: float,
    T_L: float,
    T_R: float,
    eps_a: int = -1,
    eps_L: int = 1,
    eps_R: int = 1,
) -> float:
    r"""Current through one site (Eqs. 7 and 11).

    .. math:: J^{(1)} = \frac{2\omega\gamma_L\gamma_R[(n_L-n_R)+(\epsilon_R-\epsilon_L)n_Ln_R]}
              {\gamma_L+\gamma_R+\gamma_L(\epsilon_L-\epsilon_a)n_L+\gamma_R(\epsilon_R-\epsilon_a)n_R}
    """
    n_L, n_R = occupation(omega, T_L, eps_L), occupation(omega, T_R, eps_R)
    above = 2 * omega * gamma_L * gamma_R * (n_L - n_R + (eps_R - eps_L) * n_L * n_R)
    return above / (gamma_L + gamma_R + gamma_L * (eps_L - eps_a) * n_L + gamma_R * (eps_R - eps_a) * n_R)


def current(*, N: int = 2, g: float = 0.0, **p: float) -> float:
    r"""Current through N sites: J^(1) for one, :math:`\alpha J^{(1)}` for any more (Eqs. 5, 10 and 19).

    Equation 19 is printed for qubits between oscillator baths; it holds for all eight statistics.

    Parameters
    ----------
    N : int
    g : float
    **p
        omega, gamma_L, gamma_R, T_L, T_R, eps_a, eps_L, eps_R.
    """
    one = current_one_site(**p)  # type: ignore[arg-type]
    return one if N == 1 else scaling_factor(g=g, **p) * one  # type: ignore[arg-type]


class TwoSites(NamedTuple):
    r"""Moments of two sites: occupations and :math:`\langle s_1s_2^\dagger\rangle` (Eqs. 31-33)."""

    first: float
    second: float
    coherence: complex


def two_site_moments(
    *,
    omega: float = 1.0,
    g: float,
    gamma_L: float,
    gamma_R: float,
    T_L: float,
    T_R: float,
    eps_a: int = -1,
    eps_L: int = 1,
    eps_R: int = 1,
) -> TwoSites:
    r"""Stationary moments of two sites (Eqs. 31-33, the solution of Eqs. 27-30).

    .. math:: \langle s_1^\dagger s_1\rangle &= [4g^2(\gamma_L^++\gamma_R^+)+\gamma_L^+\Gamma_R(\Gamma_L+\Gamma_R)]/D \\
              \langle s_1s_2^\dagger\rangle &= 2ig(\gamma_L^+\gamma_R^--\gamma_L^-\gamma_R^+)/D

    with :math:`\Gamma_\lambda = \gamma_\lambda^--\epsilon_a\gamma_\lambda^+` and
    :math:`D = (4g^2+\Gamma_L\Gamma_R)(\Gamma_L+\Gamma_R)`; the printed :math:`\gamma_L^++\gamma_R^2` in Eqs. 31 and 32
    is :math:`\gamma_L^++\gamma_R^+`.
    """
    (down_L, up_L), (down_R, up_R) = rates(omega, gamma_L, T_L, eps_L), rates(omega, gamma_R, T_R, eps_R)
    G_L, G_R = down_L - eps_a * up_L, down_R - eps_a * up_R
    D = (4 * g**2 + G_L * G_R) * (G_L + G_R)
    shared = 4 * g**2 * (up_L + up_R)
    return TwoSites(
        (shared + up_L * G_R * (G_L + G_R)) / D,
        (shared + up_R * G_L * (G_L + G_R)) / D,
        2j * g * (up_L * down_R - down_L * up_R) / D,
    )


def moment_equations(
    *,
    omega: float = 1.0,
    g: float,
    gamma_L: float,
    gamma_R: float,
    T_L: float,
    T_R: float,
    eps_a: int = -1,
    eps_L: int = 1,
    eps_R: int = 1,
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    r"""Matrix M (4, 4) and source b (4,) of the closed equations :math:`\dot x = Mx + b` (Eqs. 27-30).

    :math:`x = (\langle s_1^\dagger s_1\rangle, \langle s_2^\dagger s_2\rangle, \langle s_1s_2^\dagger\rangle,
    \langle s_1^\dagger s_2\rangle)`.
    """
    (down_L, up_L), (down_R, up_R) = rates(omega, gamma_L, T_L, eps_L), rates(omega, gamma_R, T_R, eps_R)
    G_L, G_R = down_L - eps_a * up_L, down_R - eps_a * up_R
    decay = -(G_L + G_R) / 2
    M = np.array(
        [
            [-G_L, 0, 1j * g, -1j * g],
            [0, -G_R, -1j * g, 1j * g],
            [1j * g, -1j * g, decay, 0],
            [-1j * g, 1j * g, 0, decay],
        ]
    )
    return M, np.array([up_L, up_R, 0, 0], dtype=complex)


def coherence(J: float, g: float, omega: float = 1.0) -> complex:
    r"""Coherence :math:`\frac12\langle s_1s_2^\dagger-s_1^\dagger s_2\rangle = iJ^{(2)}/4g\omega` (below Eq. 7)."""
    return 1j * J / (4 * g * omega)


def low_temperature_scaling(x: float, T_L: float, difference: int, omega: float = 1.0) -> float:
    r"""Factors alpha_0, alpha_1, alpha_2 at T_R = 0 (Eqs. 34-36).

    Parameters
    ----------
    x : float
        :math:`\gamma_L\gamma_R/4g^2`.
    T_L : float
    difference : {0, 2, -2}
        :math:`\epsilon_L-\epsilon_a`: alpha_0, alpha_1 (coth), alpha_2 (tanh).
    """
    power = {0: 0, 2: 1, -2: -1}[difference]
    return 1 / (1 + x * half_coth(omega, T_L) ** power)


# -------------------------------------------------------------------- rectification and conductance


def contrast(*, N: int = 2, g: float = 0.0, **p: float) -> float:
    r"""Contrast :math:`|(AJ^\rightarrow+BJ^\leftarrow)/(AJ^\rightarrow-BJ^\leftarrow)|` (Eqs. 8 and 9).

    A and B are the inverse scaling factors of the backward and the forward device, J the currents of one site; A = B,
    and the contrast is that of one site, if and only if both baths are of one kind.
    """
    swapped = p | {"T_L": p["T_R"], "T_R": p["T_L"]}
    forward, backward = current_one_site(**p), current_one_site(**swapped)  # type: ignore[arg-type]
    if N > 1:
        forward /= scaling_factor(g=g, **swapped)  # type: ignore[arg-type]
        backward /= scaling_factor(g=g, **p)  # type: ignore[arg-type]
    return abs((forward + backward) / (forward - backward))


def contrast_qubits(*, gamma_L: float, gamma_R: float, T_L: float, T_R: float, omega: float = 1.0) -> float:
    r"""Contrast of qubits between oscillator baths, for any number of them (Eq. 12).

    .. math:: C = \left|\frac{\gamma_L-\gamma_R}{\gamma_L+\gamma_R}\right|
              \left|\frac{\coth(\omega/2T_R)-\coth(\omega/2T_L)}{\coth(\omega/2T_R)+\coth(\omega/2T_L)}\right|
    """
    hot, cold = half_coth(omega, T_L), half_coth(omega, T_R)
    return abs((gamma_L - gamma_R) / (gamma_L + gamma_R)) * abs((cold - hot) / (cold + hot))


def conductance(
    *,
    N: int = 2,
    T: float,
    omega: float = 1.0,
    g: float = 0.0,
    gamma_L: float,
    gamma_R: float,
    eps_a: int = -1,
    eps_L: int = 1,
    eps_R: int = 1,
) -> float:
    r"""Linear conductance :math:`\alpha(T)\kappa^{(1)}` (Eqs. 13 and 14, and below Eq. 14).

    .. math:: \kappa^{(1)} = \frac{2\omega^2\gamma_L\gamma_R\,n_Ln_an_R\,e^{\omega/T}}{(\gamma_Ln_L+\gamma_Rn_R)T^2}

    The printed Eq. 13 lacks the 2 that belongs to :math:`J = Q_L-Q_R`; Eq. 14 and the form below it have it.
    """
    n_L, n_R, n_a = (occupation(omega, T, eps) for eps in (eps_L, eps_R, eps_a))
    # n_a exp(omega/T) = 1 + eps_a n_a, which does not overflow at low temperatures
    above = 2 * omega**2 * gamma_L * gamma_R * n_L * n_R * (1 + eps_a * n_a)
    one = above / ((gamma_L * n_L + gamma_R * n_R) * T**2)
    if N == 1:
        return one
    same = {"gamma_L": gamma_L, "gamma_R": gamma_R, "T_L": T, "T_R": T}
    return scaling_factor(omega=omega, g=g, eps_a=eps_a, eps_L=eps_L, eps_R=eps_R, **same) * one


def largest_conductance(*, gamma_L: float, gamma_R: float, g: float | None = None) -> float:
    r"""Estimate of the largest conductance of qubits between oscillator baths at :math:`T = \omega/2` (Eq. 15).

    .. math:: \Bigl[1+\frac{\gamma_L\gamma_R}{4g^2}\coth^2 1\Bigr]^{-1}
              \frac{4\,\mathrm{csch}(2)\gamma_L\gamma_R}{\gamma_L+\gamma_R}

    Without `g` that of one qubit, 0.16 % low; the maximum itself is where `peak_position` says.
    """
    one = 4 * csch(2.0) * gamma_L * gamma_R / (gamma_L + gamma_R)
    return one if g is None else one / (1 + gamma_L * gamma_R / (4 * g**2) * coth(1.0) ** 2)


def peak_position() -> float:
    r"""The root x = 1.915 of :math:`1/x = \frac12\coth x` (Eqs. 46 and 47): single-mode peaks are at T = omega / x."""
    low, high = 1.0, 3.0
    while high - low > 1e-15 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if middle * coth(middle) < 2 else (low, middle)
    return (low + high) / 2


def differential_conductance(
    *, omega: float = 1.0, g: float, gamma_L: float, gamma_R: float, T_L: float, T_R: float
) -> float:
    r"""Slope :math:`\partial J^{(2)}/\partial T_L` of two qubits between oscillator baths (Eq. 16's left side).

    .. math:: \partial_{T_L}\alpha\,J^{(1)}+\alpha\,\partial_{T_L}J^{(1)}
    """
    hot, cold = half_coth(omega, T_L), half_coth(omega, T_R)
    x = gamma_L * gamma_R / (4 * g**2)
    alpha = 1 / (1 + x * hot * cold)
    width = gamma_L * hot + gamma_R * cold
    one = omega * gamma_L * gamma_R * (hot - cold) / width
    slope = omega / (2 * T_L**2) * csch(omega / (2 * T_L)) ** 2  # of coth(omega / 2 T_L)
    d_alpha = -(alpha**2) * x * cold * slope
    d_one = omega * gamma_L * gamma_R * cold * (gamma_L + gamma_R) / width**2 * slope
    return d_alpha * one + alpha * d_one


def ndtc_onset(*, omega: float = 1.0, g: float, gamma_L: float, gamma_R: float) -> float:
    r"""Temperature T_L beyond which the current of two qubits falls, at T_R = 0 and oscillator baths (Eq. 17).

    .. math:: T_L = \omega\Big/\ln\Bigl[1+
              \frac{2\gamma_L\sqrt{\gamma_R/4g^2}}{\sqrt{(\gamma_L+\gamma_R)(1+\gamma_L\gamma_R/4g^2)}}\Bigr]
    """
    x = gamma_L * gamma_R / (4 * g**2)
    below = math.sqrt((gamma_L + gamma_R) * (1 + x))
    return omega / math.log1p(2 * gamma_L * math.sqrt(gamma_R / (4 * g**2)) / below)


# -------------------------------------------------------------------- entanglement and entropy


def end_populations(
    *,
    omega: float = 1.0,
    g: float,
    gamma_L: float,
    gamma_R: float,
    T_L: float,
    T_R: float,
    eps_L: int = 1,
    eps_R: int = 1,
) -> tuple[float, float]:
    r"""Populations p_1 of :math:`|11\rangle` and p_4 of :math:`|00\rangle` of two qubits (Eqs. 37 and 38).

    .. math:: p_1 = \frac{4g^2(\gamma_L^++\gamma_R^+)^2+\gamma_L^+\gamma_R^+\Gamma^2}{(4g^2+\Gamma_L\Gamma_R)\Gamma^2}

    and p_4 with emission for absorption.
    """
    (down_L, up_L), (down_R, up_R) = rates(omega, gamma_L, T_L, eps_L), rates(omega, gamma_R, T_R, eps_R)
    G_L, G_R = down_L + up_L, down_R + up_R
    chi = (4 * g**2 + G_L * G_R) * (G_L + G_R) ** 2
    p_1 = 4 * g**2 * (up_L + up_R) ** 2 + up_L * up_R * (G_L + G_R) ** 2
    p_4 = 4 * g**2 * (down_L + down_R) ** 2 + down_L * down_R * (G_L + G_R) ** 2
    return p_1 / chi, p_4 / chi


def critical_current(
    *,
    omega: float = 1.0,
    g: float,
    gamma_L: float,
    gamma_R: float,
    T_L: float,
    T_R: float,
    eps_L: int = 1,
    eps_R: int = 1,
) -> float:
    r"""Current beyond which two qubits are entangled, :math:`J_c = 4g\omega\sqrt{p_1p_4}` (Eq. 39).

    The last term printed as :math:`\Gamma^4/4g` is :math:`\Gamma^4/4g^2`.
    """
    (down_L, up_L), (down_R, up_R) = rates(omega, gamma_L, T_L, eps_L), rates(omega, gamma_R, T_R, eps_R)
    G_L, G_R = down_L + up_L, down_R + up_R
    G, up, down = G_L + G_R, up_L + up_R, down_L + down_R
    inside = 4 * g**2 * up**2 * down**2
    inside += G**2 * (down_L * down_R * up**2 + up_L * up_R * down**2)
    inside += up_L * down_L * up_R * down_R * G**4 / (4 * g**2)
    return 8 * g**2 * omega * math.sqrt(inside) / ((4 * g**2 + G_L * G_R) * G**2)


def critical_current_symmetric(*, omega: float = 1.0, g: float, gamma: float, T_L: float) -> float:
    r"""The same for equal couplings to oscillator baths at T_R = 0 (Eq. 40).

    .. math:: J_c = \frac{2n_L\omega\alpha_1\bigl[4g^2(2+n_L)^2+\gamma^2[\coth(\omega/2T_L)+1]^2(1+n_L)\bigr]^{1/2}}
              {[\coth(\omega/2T_L)+1]^2}
    """
    n, c = occupation(omega, T_L, 1), half_coth(omega, T_L) + 1
    alpha = low_temperature_scaling(gamma**2 / (4 * g**2), T_L, 2, omega)
    return 2 * n * omega * alpha * math.sqrt(4 * g**2 * (2 + n) ** 2 + gamma**2 * c**2 * (1 + n)) / c**2


def concurrence(J: float, p_1: float, p_4: float, g: float, omega: float = 1.0) -> float:
    r"""Concurrence :math:`2\max(0, |\mathcal C|-\sqrt{p_1p_4})` of the stationary X state (Eq. 37 ff.)."""
    return 2 * max(0.0, abs(coherence(J, g, omega)) - math.sqrt(p_1 * p_4))


def entropy_production(J: float, T_L: float, T_R: float) -> float:
    r"""Entropy production rate :math:`\Pi = (\beta_R-\beta_L)Q_L = (\beta_R-\beta_L)J/2` (Eq. 41).

    Printed with J instead of J/2, which contradicts :math:`J = Q_L-Q_R`; the ratio in Eq. 42 is not affected.
    """
    if J == 0:
        return 0.0
    beta_L, beta_R = (math.inf if T == 0 else 1.0 / T for T in (T_L, T_R))
    return (beta_R - beta_L) * J / 2


def rectification_coefficient(forward: float, backward: float) -> float:
    r"""Ratio :math:`\mathcal R = |J^\rightarrow|/|J^\leftarrow| = |\Pi^\rightarrow|/|\Pi^\leftarrow|` (Eq. 42)."""
    return abs(forward / backward)
