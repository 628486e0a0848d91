r"""The pumped qubits in a leaky cavity once the cavity is eliminated (Tacchino et al. 2018, Eq. 9).

:math:`\sum_i\mathcal D_{c_i}=\frac12(\mathcal D_{J_S}+\mathcal D_{J_A})` turns the pump and the decay of each qubit
into those of the collective levels; a fast cavity adds :math:`\Gamma=4g^2/\kappa` to the decay of the symmetric ones.
"""

import math

from collide.machines import collective_formulas


def cavity_rate(kappa: float, g: float = 1.0) -> float:
    r"""Rate :math:`\Gamma=4g^2/\kappa` at which the leaky cavity takes a quantum through J_S."""
    return 4 * g**2 / kappa


def effective_parameters(p: float, gamma: float, kappa: float, g: float = 1.0) -> dict[str, float]:
    r"""Parameters of the collective model that stands for the cavity (Eq. 9, where :math:`p_x` is p).

    .. math:: \Gamma^+=\tfrac p2,\quad \beta_A=\ln\frac\gamma p,\quad \beta_S=\ln\frac{\gamma+2\Gamma}p

    Parameters
    ----------
    p, gamma, kappa, g : float
        Pump and decay rate of each qubit, leak rate of a photon, coupling; p > 0.

    Returns
    -------
    dict
        "beta_A" (-inf without decay), "beta_S" and "Gamma_plus".
    """
    if not p > 0:
        raise ValueError(
            f"`p` must be positive, but is {p}: without a pump no bath of the effective model gives anything"
        )
    beta_A = math.log(gamma / p) if gamma > 0 else -math.inf
    beta_S = math.log((gamma + 2 * cavity_rate(kappa, g)) / p)
    return {"beta_A": beta_A, "beta_S": beta_S, "Gamma_plus": p / 2}


def effective_concurrence(p: float, gamma: float, kappa: float, g: float = 1.0) -> float:
    """Stationary concurrence of the effective model, Eqs. 4-5 with Eq. 9."""
    found = effective_parameters(p, gamma, kappa, g)
    return collective_formulas.concurrence(found["beta_A"], found["beta_S"])
