"""Derivatives by Richardson extrapolation of central differences, with their error (Ridders 1982)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .estimates import Estimate

Floats = NDArray[np.float64]


def central(
    function: Callable[[float], float], x: float, step: float, *, levels: int = 6, shrink: float = 1.6
) -> Estimate:
    """First derivative of a smooth function at x.

    Parameters
    ----------
    function : callable
    x : float
    step : float
        Largest step; the function is called at ``x ± step`` and nearer.
    levels : int
        Rows of the extrapolation table; the function is called twice for each.
    shrink : float
        Ratio of successive steps.

    Returns
    -------
    Estimate
        The entry of the table that moved least, and by how much: truncation and rounding together.
    """
    if not step > 0:
        raise ValueError(f"`step` must be positive, but is {step}.")
    return extrapolate(lambda h: (function(x + h) - function(x - h)) / (2 * h), step, levels=levels, shrink=shrink)


def extrapolate(
    quotient: Callable[[float], float], step: float, *, levels: int = 6, shrink: float = 1.6, power: int = 2
) -> Estimate:
    """Limit h → 0 of a quotient that is a series in h^power (2 for one that is even in h)."""
    table: list[list[float]] = []
    best = Estimate(float("nan"), float("inf"))
    for row in range(levels):
        line = [float(quotient(step / shrink**row))]
        for k in range(1, row + 1):
            factor = shrink ** (power * k)
            line.append((factor * line[k - 1] - table[row - 1][k - 1]) / (factor - 1))
            moved = max(abs(line[k] - line[k - 1]), abs(line[k] - table[row - 1][k - 1]))
            if moved <= best.error:
                best = Estimate(line[k], moved)
        table.append(line)
        if row and abs(table[row][row] - table[row - 1][row - 1]) >= 2 * best.error:
            break  # rounding has taken over: smaller steps make it worse
    return best
