r"""Closed forms of two qubits between two collective baths (Tacchino et al. 2018), for every sign of temperature.

With :math:`x = e^{\beta_S}` and :math:`y = e^{\beta_A}` every stationary quantity is a ratio of polynomials in x and y.
A polynomial is written here as its monomials ``(coefficient, power of x, power of y)``, so that the limits
:math:`\beta\to\pm\infty` are those of its leading monomials, exactly, and nothing overflows.
"""

import math

import numpy as np
from numpy.typing import NDArray

Polynomial = tuple[tuple[float, int, int], ...]

LEVELS = ("G", "S", "A", "E")
WEIGHTS: dict[str, Polynomial] = {
    "G": ((1, 2, 0), (1, 2, 1), (1, 0, 2), (1, 1, 2)),  # x^2 (1 + y) + y^2 (1 + x)
    "S": ((1, 1, 1), (2, 1, 0), (1, 0, 2)),  # x y + 2 x + y^2
    "A": ((1, 1, 1), (2, 0, 1), (1, 2, 0)),  # x y + 2 y + x^2
    "E": ((1, 1, 0), (1, 0, 1), (2, 0, 0)),  # x + y + 2
}
NORM: Polynomial = tuple(monomial for weight in WEIGHTS.values() for monomial in weight)
INVERTED_THRESHOLD = math.log(4 + 2 * math.sqrt(5))
"""Entanglement needs beta_S above this when beta_A = -inf."""


def diamond() -> NDArray[np.complex128]:
    r"""Kets of G, S, A and E in the rows of (4, 4).

    :math:`|G\rangle=|00\rangle`, :math:`|S\rangle,|A\rangle = (|01\rangle\pm|10\rangle)/\sqrt2`,
    :math:`|E\rangle=|11\rangle`; 1 is the upper level.
    """
    r = math.sqrt(0.5)
    return np.array([[1, 0, 0, 0], [0, r, r, 0], [0, r, -r, 0], [0, 0, 0, 1]], dtype=complex)


def populations(beta_A: float, beta_S: float) -> dict[str, float]:
    r"""Stationary populations of the diamond, :math:`p_G:p_S:p_A:p_E` with the norm Z.

    Parameters
    ----------
    beta_A, beta_S : float
        Inverse temperatures in units of 1/omega_0; any sign, infinite ones as limits.

    Returns
    -------
    dict
        By level, "G", "S", "A", "E".
    """
    return {level: _ratio(WEIGHTS[level], NORM, beta_A, beta_S) for level in LEVELS}


def concurrence(beta_A: float, beta_S: float, *, signed: bool = False) -> float:
    r"""Stationary concurrence (Tacchino et al. 2018, Eqs. 4-5), with :math:`\mathcal A = e^{\beta_A}-e^{\beta_S}`.

    .. math:: C = \max\{0, (N_1-N_2)/d\}

    Parameters
    ----------
    beta_A, beta_S : float
        In units of 1/omega_0; an infinite one is taken as a limit, in :math:`|p_S-p_A|-2\sqrt{p_Gp_E}`.
    signed : bool
        Leave out the maximum.
    """
    if math.isinf(beta_A) or math.isinf(beta_S) or max(abs(beta_A), abs(beta_S)) > 100:
        p = populations(beta_A, beta_S)
        value = abs(p["S"] - p["A"]) - 2 * math.sqrt(p["G"] * p["E"])
    else:
        x, y = math.exp(beta_S), math.exp(beta_A)
        S, A, P = x + y, y - x, x * y
        N1 = abs(A * (S / 2 - 1))
        N2 = math.sqrt((S / 2 + 1) * (2 * S**2 + 2 * P * (S - 2)))
        value = (N1 - N2) / (1 + S**2 + S * (P + 3) / 2 - P)
    return value if signed else max(value, 0.0)


def heat_current(beta_A: float, beta_S: float) -> float:
    r"""Stationary heat current :math:`\dot Q_A=-\dot Q_S=4(x^2-y^2)/Z`, in units of omega_0 Gamma^+ (below Eq. 6)."""
    return _ratio(((4, 2, 0), (-4, 0, 2)), NORM, beta_A, beta_S)


def entropy_production_rate(beta_A: float, beta_S: float) -> float:
    r"""Stationary entropy production :math:`(\beta_S-\beta_A)\dot Q_A`, in units of Gamma^+ (Eq. 6).

    Not negative for any signs; infinite where a bath has no reverse and heat flows.
    """
    if beta_A == beta_S:
        return 0.0
    current = heat_current(beta_A, beta_S)
    return (beta_S - beta_A) * current if current else 0.0


def jump_rates(beta_A: float, beta_S: float) -> dict[str, float]:
    """One-way stationary jump rates in units of Gamma^+: "S_absorb", "S_emit", "A_absorb", "A_emit".

    Every transition up has rate 2 Gamma^+, down 2 Gamma^+ exp(beta).
    """
    found = {}
    for bath, beta, powers in (("S", beta_S, (1, 0)), ("A", beta_A, (0, 1))):
        up = WEIGHTS["G"] + WEIGHTS[bath]
        down = tuple((c, i + powers[0], j + powers[1]) for c, i, j in WEIGHTS["E"] + WEIGHTS[bath])
        found[f"{bath}_absorb"] = 2 * _ratio(up, NORM, beta_A, beta_S)
        found[f"{bath}_emit"] = 0.0 if beta == -math.inf else 2 * _ratio(down, NORM, beta_A, beta_S)
    return found


def slow_approach(beta_S: float, *, inverted: bool) -> float:
    r"""Concurrence for large beta_S to first order in :math:`e^{-\beta_S/2}`.

    .. math:: C\simeq\tfrac13-\tfrac{2\sqrt2}3e^{-\beta_S/2}\ (\beta_A=0),\qquad
              C\simeq\tfrac12-e^{-\beta_S/2}\ (\beta_A\to-\infty)

    Parameters
    ----------
    beta_S : float
    inverted : bool
        Whether bath A is fully inverted rather than infinitely hot.
    """
    small = math.exp(-beta_S / 2)
    return 0.5 - small if inverted else 1 / 3 - 2 * math.sqrt(2) / 3 * small


def _ratio(numerator: Polynomial, denominator: Polynomial, beta_A: float, beta_S: float) -> float:
    """Ratio of two polynomials in exp(beta_S) and exp(beta_A), with infinite betas taken as limits."""
    above, below = _leading(numerator, beta_A, beta_S), _leading(denominator, beta_A, beta_S)
    if above[0] != below[0]:
        return 0.0 if above[0] < below[0] else math.copysign(math.inf, above[1])
    return above[1] / below[1] * math.exp(above[2] - below[2])


def _leading(polynomial: Polynomial, beta_A: float, beta_S: float) -> tuple[int, float, float]:
    """(order in infinite exponentials, sum of the leading monomials over exp(scale), scale)."""
    terms = []
    for coefficient, i, j in polynomial:
        order, exponent = 0, 0.0
        for power, beta in ((i, beta_S), (j, beta_A)):
            if math.isinf(beta):
                order += power if beta > 0 else 0
                exponent += -math.inf if beta < 0 and power else 0.0
            else:
                exponent += power * beta
        if exponent > -math.inf:
            terms.append((order, coefficient, exponent))
    if not terms:
        return 0, 0.0, 0.0
    order = max(term[0] for term in terms)
    scale = max(exponent for o, _, exponent in terms if o == order)
    return order, sum(c * math.exp(e - scale) for o, c, e in terms if o == order), scale
