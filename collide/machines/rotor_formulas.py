r"""Closed forms of the rotor device of Leitch, Hammam and De Chiara 2024.

Exact on the infinite ladder, unless a docstring says otherwise.  With b = beta_r / 4I and r = I gamma / beta_r the load
is :math:`\mathcal L_r = r\{\mathcal D[e^{i\varphi}(1-bL_z)] + \mathcal D[e^{-i\varphi}(1+bL_z)]\}`, from which its
moments follow:

.. math::
    \mathcal L_r^\dagger[L_z] = -\gamma L_z,\quad
    \mathcal L_r^\dagger[L_z^2] = 2r[1 + (b^2-4b)L_z^2],\quad
    \mathcal L_r[\mathbb 1] = c_0\mathbb 1 .
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collide.baths import occupation

Floats = NDArray[np.float64]


# -------------------------------------------------------------------- the load


def contraction_rate(I: float, beta_r: float, gamma: float) -> float:
    """c_0 = gamma (1 + beta_r / 8I), the rate at which the load contracts phase space: L_r[1] = c_0 1.

    It is what the load contributes to the entropy production in the exact fluctuation theorem.
    """
    return gamma * (1 + beta_r / (8 * I))


def load_heat_current(L_z_squared: float, I: float, beta_r: float, gamma: float) -> float:
    """Heat current from the load, gamma / beta_r - (gamma / I)(1 - beta_r / 16I) <L_z^2> (Eqs. 17, 21)."""
    return gamma / beta_r - gamma / I * (1 - beta_r / (16 * I)) * L_z_squared


def load_populations(l: ArrayLike, I: float, beta_r: float) -> Floats:
    r"""Stationary populations of a rotor under the load alone, normalised over the given consecutive `l`.

    .. math:: \pi_{l+1} / \pi_l = \left[\frac{1-bl}{1+b(l+1)}\right]^2,

    Gibbs only to first order in beta_r / I, contrary to the remark after Eq. 17.

    Parameters
    ----------
    l : (n,) int
        Consecutive and ascending.
    """
    levels, b = np.asarray(l, dtype=float), beta_r / (4 * I)
    if levels.ndim != 1 or np.any(np.diff(levels) != 1):
        raise ValueError(f"`l` must be consecutive angular momenta in ascending order, but has shape {levels.shape}")
    ratio = ((1 - b * levels[:-1]) / (1 + b * levels[1:])) ** 2
    weights = np.concatenate([[1.0], np.cumprod(ratio)])
    return weights / weights.sum()


def load_L_z_squared(I: float, beta_r: float) -> float:
    """<L_z^2> of a rotor under the load alone, (I / beta_r) / (1 - beta_r / 16I); I / beta_r in Gibbs' state."""
    return I / beta_r / (1 - beta_r / (16 * I))


def kick_rates(l: ArrayLike, I: float, beta_r: float, gamma: float) -> tuple[Floats, Floats]:
    """Rates of the kicks l -> l+1 and l -> l-1, each of shape of `l`."""
    levels, b, r = np.asarray(l, dtype=float), beta_r / (4 * I), I * gamma / beta_r
    return r * (1 - b * levels) ** 2, r * (1 + b * levels) ** 2


def kick_entropy(l: ArrayLike, I: float, beta_r: float) -> Floats:
    """Entropy 2 ln[(1 - bl) / (1 + b(l+1))] of a kick l -> l+1 of the resolved load; about -beta_r times its energy."""
    levels, b = np.asarray(l, dtype=float), beta_r / (4 * I)
    return np.log(((1 - b * levels) / (1 + b * (levels + 1))) ** 2)


# -------------------------------------------------------------------- steady state


def heat_currents_from_L_z(L_z: float, B1: float, B2: float, gamma: float) -> tuple[float, float]:
    """Heat currents (1, 2) of the local equation, -2 B_1 gamma <L_z> and 2 B_2 gamma <L_z>.

    One quantum from bath 2 to bath 1 is one quantum of angular momentum, and the load takes gamma <L_z> of them.
    """
    return -2 * B1 * gamma * L_z, 2 * B2 * gamma * L_z


def qubit_power(transfer: float, lam: float, g1: float, g2: float, n1: float, n2: float) -> float:
    r"""Power of the qubits' baths, Eq. 23.

    .. math:: \dot W^{(Q)} = -\frac\lambda2[g_1^2(2n_1+1) + g_2^2(2n_2+1)]\,
              2\,\mathrm{Re}\langle\sigma_1^+\sigma_2^-e^{i\varphi}\rangle

    Parameters
    ----------
    transfer : float
        Re <sigma_1^+ sigma_2^- e^{i phi}>.
    """
    return -lam / 2 * (g1**2 * (2 * n1 + 1) + g2**2 * (2 * n2 + 1)) * 2 * transfer


def qubit_heat_current(upper: float, B: float, g: float, n: float) -> float:
    """Heat current from a qubit's bath, 2B g^2 [n (1 - p) - (n + 1) p], p = <sigma^+ sigma^-> (Eq. 19)."""
    return 2 * B * g**2 * (n * (1 - upper) - (n + 1) * upper)


def detuning(l: ArrayLike, B1: float, B2: float, I: float) -> Floats:
    """Energy of |1_1 0_2 l+1> above |0_1 1_2 l>, 2 B_1 - 2 B_2 + (2l + 1) / 2I; zero at the resonance."""
    return 2 * B1 - 2 * B2 + (2 * np.asarray(l, dtype=float) + 1) / (2 * I)


def sector_size(levels: int) -> int:
    """Density-matrix elements that a state diagonal in both charges ever has, 4 n + 2 (n - 1) on n levels.

    N = n_1 + n_2 and M = l - n_1 commute with H_S, and every jump shifts them by a definite amount.
    """
    return 4 * levels + 2 * (levels - 1)


# -------------------------------------------------------------------- figures of merit


def efficiency(power: float, heat_2: float) -> float:
    """Eq. 36, eta = -W^(Q) / Q_2; at most 1 - B_1 / B_2 as long as the load takes heat."""
    return -power / heat_2


def cop(heat_1: float, power: float) -> float:
    """Eq. 37, COP = Q_1 / W^(Q); at most B_1 / (B_2 - B_1) as long as the load takes heat."""
    return heat_1 / power


class Carnot(NamedTuple):
    """Bounds at two inverse temperatures.

    Attributes
    ----------
    efficiency : float
        1 - beta_2 / beta_1.
    cop_refrigerator : float
        beta_2 / (beta_1 - beta_2).
    cop_heat_pump : float
        beta_1 / (beta_1 - beta_2), which the paper prints for the refrigerator.
    """

    efficiency: float
    cop_refrigerator: float
    cop_heat_pump: float


def carnot(beta1: float, beta2: float) -> Carnot:
    """Carnot bounds of a machine between a cold bath at beta1 and a hot one at beta2."""
    return Carnot(1 - beta2 / beta1, beta2 / (beta1 - beta2), beta1 / (beta1 - beta2))


def clausius_rate(heats: dict[str, float], betas: dict[str, float]) -> float:
    """Minus the sum of beta times heat current, the load's included: for mean values only.

    It is not the mean of an exact fluctuation theorem, because a kick has no reverse with the ratio e^{-beta_r q}; that
    one has `contraction_rate` in place of the load's term.
    """
    return -sum(betas[name] * heat for name, heat in heats.items())


# -------------------------------------------------------------------- the global equation


class BohrFrequencies(NamedTuple):
    """Frequencies and strengths of sigma_i^- between the levels of one pair, |1_1 0_2 l+1> and |0_1 1_2 l>.

    Attributes
    ----------
    omega_1, omega_2 : (2,) float
        B_1 + B_2 -+ (2l+1)/4I +- sqrt(Delta^2/4 + lambda^2), the first sign minus for qubit 1; from the pair's lower
        and upper eigenstate to |0 0>, and once more from |1 1> to the upper and lower one.
    weight_1, weight_2 : (2,) float
        Squared matrix elements from the pair's two eigenstates to |0 0>.
    """

    omega_1: Floats
    omega_2: Floats
    weight_1: Floats
    weight_2: Floats


def bohr_frequencies(l: int, B1: float, B2: float, I: float, lam: float) -> BohrFrequencies:
    """Bohr frequencies of the global equation at one rung of the ladder (Eqs. A5-A7)."""
    delta = float(detuning(l, B1, B2, I))
    half = math.hypot(delta / 2, lam)
    upper = 0.5 * (1 + delta / (2 * half)) if half else 0.5  # weight of |1_1 0_2> in the upper eigenstate
    around, shift = B1 + B2 + np.array([-half, half]), (2 * l + 1) / (4 * I)
    # to |0 0 l+1> the qubit 1 falls, to |0 0 l> the qubit 2
    return BohrFrequencies(around - shift, around + shift, np.array([1 - upper, upper]), np.array([upper, 1 - upper]))


# -------------------------------------------------------------------- collisions


class Exchange(NamedTuple):
    """What one collision with an untruncated thermal oscillator does to a qubit.

    Attributes
    ----------
    up, down : float
        Probabilities sum p_n sin^2(theta sqrt n) and sum p_n sin^2(theta sqrt(n+1)); their ratio is e^{-beta omega}.
    coherence : float
        Factor sum p_n cos(theta sqrt(n+1)) cos(theta sqrt n) by which the qubit's coherences shrink.
    """

    up: float
    down: float
    coherence: float


def exchange(angle: float, beta_omega: float) -> Exchange:
    """Jaynes-Cummings collision of a qubit with an oscillator in its thermal state.

    Parameters
    ----------
    angle : float
        theta = g sqrt(tau).
    beta_omega : float
        Inverse temperature times frequency, here 2 beta B.
    """
    n = np.arange(math.ceil(40 / beta_omega) + 2)
    p = np.exp(-beta_omega * n) * -math.expm1(-beta_omega)
    here, above = np.sqrt(n), np.sqrt(n + 1)
    return Exchange(
        float(p @ np.sin(angle * here) ** 2),
        float(p @ np.sin(angle * above) ** 2),
        float(p @ (np.cos(angle * above) * np.cos(angle * here))),
    )


def small_parameter(g: float, tau: float, beta: float, B: float) -> float:
    """g^2 tau (2n + 1), which has to be small for collisions to be close to their Lindblad equation."""
    return g**2 * tau * (2 * occupation(2 * B, beta) + 1)
