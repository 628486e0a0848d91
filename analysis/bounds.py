"""Efficiencies of a machine between two baths and the bounds the second law sets them, by inverse temperatures."""

from .estimates import Estimate, as_estimate


def carnot_efficiency(beta_hot: float, beta_cold: float) -> float:
    """1 - β_hot / β_cold, the bound of -W / Q_hot of an engine."""
    _ordered(beta_hot, beta_cold)
    return 1.0 - beta_hot / beta_cold


def carnot_cop(beta_hot: float, beta_cold: float) -> float:
    """β_hot / (β_cold - β_hot), the bound of Q_cold / W of a refrigerator.

    The bound of a heat pump, -Q_hot / W, is larger by one; the two are sometimes mixed up.
    """
    _ordered(beta_hot, beta_cold)
    return beta_hot / (beta_cold - beta_hot)


def efficiency(work: float | Estimate, heat_hot: float | Estimate) -> Estimate:
    """-W / Q_hot, errors added as independent."""
    return _quotient(work, heat_hot).scaled(-1.0)


def cop(work: float | Estimate, heat_cold: float | Estimate) -> Estimate:
    """Q_cold / W, errors added as independent."""
    return _quotient(heat_cold, work)


def _quotient(above: float | Estimate, below: float | Estimate) -> Estimate:
    a, b = as_estimate(above), as_estimate(below)
    if b.value == 0.0:
        return Estimate(float("nan"), float("nan"))
    ratio = a.value / b.value
    return Estimate(ratio, ((a.error / b.value) ** 2 + (ratio * b.error / b.value) ** 2) ** 0.5)


def _ordered(beta_hot: float, beta_cold: float) -> None:
    if not 0 <= beta_hot < beta_cold:
        raise ValueError(
            f"`beta_hot` must be at least 0 and smaller than `beta_cold`, but they are {beta_hot} and {beta_cold}; "
            "the bounds are stated for positive temperatures."
        )
