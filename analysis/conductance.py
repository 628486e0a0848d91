"""Linear and differential thermal conductance of a device between two baths."""

from typing import Any

from .derivative import central, extrapolate
from .estimates import Estimate
from .rectification import Current, current


def linear_conductance(factory: Current, T: float, *, bath: str = "L", step: float | None = None) -> Estimate:
    r"""dJ/dΔT at equal temperatures, with J the heat current from `bath`.

    .. math:: \kappa = \lim_{\delta\to0} \frac{J(T + \delta/2, T - \delta/2) - J(T - \delta/2, T + \delta/2)}{2\delta}
    ,

    antisymmetrised, so that the quotient is even in δ and each step of the extrapolation gains two orders.  Some
    papers call J the difference of both currents, which is twice this (Santiago-García et al. 2024: κ there is 2 κ
    here).

    Parameters
    ----------
    factory : callable
        ``factory(T_L, T_R)`` gives a model or a current.
    T : float
        Common temperature, positive.
    step : float, optional
        Largest δ; T/5 by default.

    Returns
    -------
    Estimate
        With the error of the extrapolation.
    """
    largest = _step(T, step, 0.2)

    def quotient(delta: float) -> float:
        forward = current(factory(T + delta / 2, T - delta / 2), bath).value
        return (forward - current(factory(T - delta / 2, T + delta / 2), bath).value) / (2 * delta)

    return extrapolate(quotient, largest)


def differential_conductance(
    factory: Current, T_L: float, T_R: float, *, vary: str = "L", bath: str = "L", step: float | None = None
) -> Estimate:
    """∂J/∂T_L (or ∂J/∂T_R, or ∂J/∂ΔT at fixed mean) away from equilibrium; negative where conductance is.

    Parameters
    ----------
    factory : callable
        ``factory(T_L, T_R)`` gives a model or a current.
    vary : ``"L"``, ``"R"`` or ``"difference"``
        Which temperature moves; ``"difference"`` moves both by ± half.
    step : float, optional
        Largest step; a fifth of the temperature that moves (the smaller one) by default.
    """
    moves = {"L": (1.0, 0.0), "R": (0.0, 1.0), "difference": (0.5, -0.5)}
    if vary not in moves:
        raise ValueError(f"`vary` must be 'L', 'R' or 'difference', but is {vary!r}.")
    left, right = moves[vary]
    least = min(t for t, weight in ((T_L, left), (T_R, right)) if weight)

    def along(x: float) -> float:
        return current(factory(T_L + left * x, T_R + right * x), bath).value

    return central(along, 0.0, _step(least, step, 0.2))


def _step(T: Any, step: float | None, share: float) -> float:
    if not T > 0:
        raise ValueError(f"the temperature that moves must be positive, but is {T}: a derivative needs both sides.")
    largest = share * float(T) if step is None else float(step)
    if not 0 < largest < 2 * T:
        raise ValueError(f"`step` must lie between 0 and twice the temperature {T:g}, but is {largest:g}.")
    return largest
