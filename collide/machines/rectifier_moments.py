r"""Exact second moments of the rectifier's chain, for oscillators and qubits of any number and at any temperature.

Exchange couplings and local channels are quadratic in oscillators, and in fermions after the Jordan-Wigner
transformation of the qubits (whose strings drop out of all quadratic moments, because the channels act on the ends).
So with :math:`D_{jk} = \langle s_k^\dagger s_j\rangle` (string included between distant qubits) the moments close,

.. math:: \dot D = W D + D W^\dagger + F, \qquad
          W = -i h - \tfrac12\,\mathrm{diag}(\Gamma), \quad F = \mathrm{diag}(\gamma^+),

h the hopping matrix, :math:`\Gamma = \gamma^- - \epsilon_a\gamma^+` (Santiago-García et al. 2024, Eqs. 27-30 for two
sites).  This is what decides how many levels an oscillator needs, and what is exact where it needs too many.

Counting keeps the state Gaussian.  With a counting field χ on the heat Q of the bath at site 1 the moments obey a
Riccati equation (Wick's theorem, P the projector on that site)

.. math:: 0 = W D + D W^\dagger + F + \epsilon_a a\, D P D + b\,(1+\epsilon_a D) P (1+\epsilon_a D), \qquad
          \lambda(\chi) = a D_{11} + b\,(1 + \epsilon_a D_{11}),

:math:`a = \gamma^-(e^{-\chi\omega}-1)`, :math:`b = \gamma^+(e^{\chi\omega}-1)`, whose Taylor series gives all
cumulants order by order, each a Lyapunov equation with the same W (derived; not in the paper).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray
import scipy.linalg as la

from collide.baths import Bath

Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class Moments:
    r"""Second moments and what follows from them.

    Attributes
    ----------
    D : (N, N) complex
        :math:`D_{jk} = \langle s_k^\dagger s_j\rangle`.
    occupations : (N,) float
        :math:`\langle s_j^\dagger s_j\rangle`.
    heat : dict of str to float
        Heat from each bath into the chain per unit time, in local quanta (Eq. 4).
    power : float
        Work per unit time done on the chain; in the steady state zero at resonance.
    """

    D: Complexes
    occupations: NDArray[np.float64]
    heat: dict[str, float]
    power: float

    @property
    def coherence(self) -> complex:
        r"""Coherence :math:`\langle s_1 s_2^\dagger\rangle` of the first two sites."""
        return complex(self.D[0, 1])


def chain_moments(
    N: int, omega: float, g: float, eps_a: int, ends: Mapping[int, list[Bath]], time: float | None = None
) -> Moments:
    """Solve the Lyapunov equation of a chain, in its steady state or some time after a start with empty sites.

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
    time : float, optional
        Since every site was in |0>; by default the steady state.

    Raises
    ------
    ValueError
        If oscillators are pumped harder than they are damped, so that there is no steady state.
    """
    damping, source = site_rates(N, omega, eps_a, ends)
    W = drift(N, g, damping)
    D = lyapunov(W, np.diag(source).astype(complex))
    if time is not None:
        fade = la.expm(W * time)
        D = D - fade @ D @ fade.conj().T
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


def relaxation_time(N: int, omega: float, g: float, eps_a: int, ends: Mapping[int, list[Bath]]) -> float:
    """Longest lifetime of the second moments; it grows fast with the length of a chain.

    Parameters
    ----------
    N, omega, g, eps_a, ends
        As in `chain_moments`.
    """
    damping, _ = site_rates(N, omega, eps_a, ends)
    return float(-0.5 / np.linalg.eigvals(drift(N, g, damping)).real.max())


def site_rates(
    N: int, omega: float, eps_a: int, ends: Mapping[int, list[Bath]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Damping and source of each site."""
    damping, source = np.zeros(N), np.zeros(N)
    for site, baths in ends.items():
        for bath in baths:
            down, up = bath.rates(omega)
            damping[site] += down - eps_a * up
            source[site] += up
    return damping, source


def heat_cumulant_rates(
    N: int, omega: float, g: float, eps_a: int, ends: Mapping[int, list[Bath]], counted: str, order: int
) -> NDArray[np.float64]:
    """Cumulants per unit time, at long times, of the heat from one bath, (order,), for any number of sites.

    Parameters
    ----------
    N, omega, g, eps_a, ends
        As in `chain_moments`.
    counted : str
        Name of the bath.
    order : int
    """
    found = [(site, bath.rates(omega)) for site, baths in ends.items() for bath in baths if bath.name == counted]
    if len(found) != 1:
        raise ValueError(f"`counted` must name one bath of `ends`, but is {counted!r}")
    ((place, rates),) = found
    damping, source = site_rates(N, omega, eps_a, ends)
    W = drift(N, g, damping)
    powers = np.array([omega**n / factorial(n) for n in range(order + 1)])
    a = rates[0] * powers * (-1.0) ** np.arange(order + 1)
    b = rates[1] * powers
    a[0] = b[0] = 0.0
    # Taylor coefficients in the counting field: of D, and of the columns D P and (1 + eps D) P
    D = [lyapunov(W, np.diag(source).astype(complex))]
    one = np.eye(N, dtype=complex)[:, place]
    columns, holes = [D[0][:, place]], [one + eps_a * D[0][:, place]]
    for n in range(1, order):
        drive = np.zeros((N, N), dtype=complex)
        for k in range(1, n + 1):
            for l in range(n - k + 1):
                r = n - k - l
                drive += eps_a * a[k] * np.outer(columns[l], columns[r].conj())
                drive += b[k] * np.outer(holes[l], holes[r].conj())
        D.append(lyapunov(W, drive))
        columns.append(D[n][:, place])
        holes.append(eps_a * D[n][:, place])
    occupied = [float(column[place].real) for column in columns]
    free = [float(hole[place].real) for hole in holes]
    growth = [sum(a[k] * occupied[n - k] + b[k] * free[n - k] for k in range(1, n + 1)) for n in range(1, order + 1)]
    return np.array([factorial(n + 1) * value for n, value in enumerate(growth)])


def drift(N: int, g: float, damping: NDArray[np.float64]) -> Complexes:
    """W, refused where something is not damped."""
    hopping = np.eye(N, k=1) + np.eye(N, k=-1)
    W = np.asarray(-1j * g * hopping - np.diag(damping) / 2, dtype=np.complex128)
    if np.linalg.eigvals(W).real.max() >= -1e-15:
        raise ValueError(
            "the chain has no steady state: absorption is not slower than emission on the whole; lower the temperature"
            " of the two-level bath, or couple every site (`g` > 0)"
        )
    return W


def lyapunov(W: Complexes, source: Complexes) -> Complexes:
    """D with W D + D W^dagger + source = 0."""
    return np.asarray(la.solve_continuous_lyapunov(W, -source), dtype=np.complex128)


def levels_needed(occupation: float, neglect: float) -> int:
    r"""Fock levels that hold all but a share `neglect` of the excited population, of a mean `occupation`.

    A single site of a Gaussian state without phase is thermal, :math:`P(n\ge K) = r^K` with
    :math:`r = \bar n/(1+\bar n)`, and excited with probability r.
    """
    if occupation <= 0:
        return 2
    return max(2, 1 + int(np.ceil(np.log(neglect) / np.log(occupation / (1 + occupation)))))
