r"""Exact second moments of the rectifier's chain, for oscillators and qubits of any number and at any temperature.

Exchange couplings and local channels are quadratic in oscillators, and in fermions after the Jordan-Wigner
transformation of the qubits (whose strings drop out of all quadratic moments, because the channels act on the ends).
So with :math:`D_{jk} = \langle s_k^\dagger s_j\rangle` (string included between distant qubits) the moments close,

.. math:: \dot D = W D + D W^\dagger + F, \qquad
          W = -i h - \tfrac12\,\mathrm{diag}(\Gamma), \quad F = \mathrm{diag}(\gamma^+),

h the hopping matrix, :math:`\Gamma = \gamma^- - \epsilon_a\gamma^+` (Santiago-García et al. 2024, Eqs. 27-30 for two
sites).  This is what decides how many levels an oscillator needs, and what is exact where it needs too many.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import scipy.linalg as la

from collide.baths import Bath

Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class Moments:
    r"""Stationary second moments and what follows from them.

    Attributes
    ----------
    D : (N, N) complex
        :math:`D_{jk} = \langle s_k^\dagger s_j\rangle`.
    occupations : (N,) float
        :math:`\langle s_j^\dagger s_j\rangle`.
    heat : dict of str to float
        Heat from each bath into the chain per unit time, in local quanta (Eq. 4).
    power : float
        Work per unit time done on the chain, in the steady state :math:`\mathrm{Tr}[H_{int}(\mathcal D_L +
        \mathcal D_R)\\rho]`: zero at resonance.
    """

    D: Complexes
    occupations: NDArray[np.float64]
    heat: dict[str, float]
    power: float

    @property
    def coherence(self) -> complex:
        r"""Coherence :math:`\langle s_1 s_2^\dagger\rangle` of the first two sites."""
        return complex(self.D[0, 1])


def chain_moments(N: int, omega: float, g: float, eps_a: int, ends: Mapping[int, list[Bath]]) -> Moments:
    """Solve the Lyapunov equation of a chain in its steady state.

    Parameters
    ----------
    N : int
        Number of sites.
    omega, g : float
        Level spacing and hopping.
    eps_a : {-1, 1}
        Qubits or oscillators.
    ends : mapping of site to list of Bath
        Which baths touch which site.

    Raises
    ------
    ValueError
        If oscillators are pumped harder than they are damped, so that there is no steady state.
    """
    damping, source = np.zeros(N), np.zeros(N)
    for site, baths in ends.items():
        for bath in baths:
            down, up = bath.rates(omega)
            damping[site] += down - eps_a * up
            source[site] += up
    h = g * (np.eye(N, k=1) + np.eye(N, k=-1))
    W = -1j * h - np.diag(damping) / 2
    if np.linalg.eigvals(W).real.max() >= -1e-15:
        raise ValueError(
            "the chain has no steady state: absorption is not slower than emission on the whole; lower the temperature"
            " of the two-level bath, or couple every site (`g` > 0)"
        )
    D: Complexes = np.asarray(la.solve_continuous_lyapunov(W, -np.diag(source).astype(complex)), dtype=np.complex128)
    occupations: NDArray[np.float64] = np.real(np.diag(D)).astype(np.float64)
    heat = {}
    for site, baths in ends.items():
        for bath in baths:
            down, up = bath.rates(omega)
            heat[bath.name] = float(omega * (up - (down - eps_a * up) * occupations[site]))
    # dissipation of the hopping energy: every end coherence decays at half the damping of its site
    inner = {0: 1, N - 1: N - 2} if N > 1 else {}
    power = -sum(float(damping[j] * g * D[j, k].real) for j, k in inner.items())
    return Moments(D, occupations, heat, power)


def levels_needed(occupation: float, neglect: float) -> int:
    r"""Fock levels that hold all but `neglect` of a thermal population of mean `occupation`.

    A single site of a Gaussian state without phase is thermal, :math:`P(n\ge K) = [\bar n/(1+\bar n)]^K`.
    """
    if occupation <= 0:
        return 2
    return max(2, int(np.ceil(np.log(neglect) / np.log(occupation / (1 + occupation)))))
