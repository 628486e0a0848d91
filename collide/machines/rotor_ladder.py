r"""How long the ladder of angular momenta must be, and what a short one costs.

On the infinite ladder angular momentum is balanced exactly: the net quanta that bath 2 gives per unit time are
:math:`\gamma\langle L_z\rangle`, hence :math:`\dot Q_2 = 2B_2\gamma\langle L_z\rangle` in the local equation.  Kicks
that would lead over an edge are missing from a cut ladder, and the balance misses them too: its residual is the number
that tells whether a ladder will do.
"""

from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import Any

import numpy as np

EMPTY = 1e-13  # population of an end that no result can notice
UNNOTICED = 1e-8  # of an end that changes currents by no more than about a millionth
BALANCED = 1e-6  # residual of the balance, relative to the current
FIRST = (-25, 40)  # a first guess at I = 1, beta_r = 0.09; widths grow like sqrt(I / beta_r)
STEP = 0.3  # relative widening on a side that is not empty
WIDEST = 400  # angular momenta


class WidestLadder(ValueError):
    """The rotor does not settle on any ladder that is worth building."""


@dataclass(frozen=True)
class Ladder:
    """What the steady state says about the ladder it lives on.

    Attributes
    ----------
    l_min, l_max : int
    bottom, top : float
        Populations of its two ends.
    current : float
        2 B_2 times the net quanta per unit time from bath 2: the heat current of the local equation.
    residual : float
        `current` less 2 B_2 gamma <L_z>: zero on the infinite ladder.  On a cut one the two ends can make up for each
        other, so their populations count as well.
    scale : float
        2 B_2 gamma sqrt(<L_z^2>), for currents that vanish.
    """

    l_min: int
    l_max: int
    bottom: float
    top: float
    current: float
    residual: float
    scale: float

    @property
    def short(self) -> bool:
        """Whether the ladder decides the numbers: its ends are populated, or the balance misses."""
        missing = abs(self.residual) > BALANCED * max(abs(self.current), self.scale)
        return missing or max(self.bottom, self.top) > UNNOTICED

    def __repr__(self) -> str:
        share = abs(self.residual) / max(abs(self.current), 1e-300)
        verdict = "is too short" if self.short else "is wide enough"
        return (
            f"the ladder {self.l_min} ... {self.l_max} {verdict}: 2 B_2 gamma <L_z> misses the heat current"
            f" {self.current:.6g} from bath 2 by {self.residual:.2g} ({100 * share:.2g} %), and its ends hold"
            f" {max(self.bottom, 0.0):.1g} and {max(self.top, 0.0):.1g} of the population"
        )


def ladder_of(model: Any) -> Ladder:
    """Judge the ladder of a rotor model by the angular-momentum balance of its steady state.

    Collisions: <L_z> is taken at the end of a period, after exp(tau L_r), and gamma becomes (e^{gamma tau} - 1) / tau.
    """
    p = model.recipe["parameters"]
    P = populations(model.steady_state(), p["l_max"] - p["l_min"] + 1)
    l = p["l_min"] + np.arange(len(P))
    friction = math.expm1(p["gamma"] * p["tau"]) / p["tau"] if p["picture"] == "collision" else p["gamma"]
    quanta = float(model.count_rates() @ model.process.counts.charge_weight("2"))
    unit = 2 * p["B2"]
    return Ladder(
        p["l_min"],
        p["l_max"],
        float(P[0]),
        float(P[-1]),
        unit * quanta,
        unit * (quanta - friction * float(P @ l)),
        unit * friction * math.sqrt(max(float(P @ l**2), 0.0)),
    )


def populations(rho: Any, levels: int) -> Any:
    """<l|rho_r|l> of the rotor, (levels,), the fastest of the three indices."""
    return rho.diagonal().real.reshape(-1, levels).sum(axis=0)


def on_wide_ladder(build: Callable[[int, int], Any], I: float, beta_r: float) -> tuple[int, int, Any]:
    """The first ladder, of a growing sequence, whose ends are empty in the steady state, and the model on it.

    Parameters
    ----------
    build : callable
        ``build(l_min, l_max)`` gives a model.
    I, beta_r : float
        Thermal widths grow like sqrt(I / beta_r).

    Raises
    ------
    WidestLadder
    """
    width = max(0.5, math.sqrt(I * 0.09 / beta_r))
    low, high = math.floor(FIRST[0] * width), math.ceil(FIRST[1] * width)
    while high - low < WIDEST:
        model = build(low, high)
        P = populations(model.steady_state(), high - low + 1)
        if max(P[0], P[-1]) < EMPTY:
            return low, high, model
        wider = math.ceil(STEP * (high - low))
        low, high = low - wider * bool(P[0] >= EMPTY), high + wider * bool(P[-1] >= EMPTY)
    raise WidestLadder(
        f"the rotor still has {max(P[0], P[-1]):.1g} of its population at an end of a ladder of {WIDEST} levels"
    )
