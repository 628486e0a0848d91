"""Figs. 4 and 5 of Leitch et al. 2024: rectification of heat and of angular momentum in the global equation.

Both are parametric in the asymmetry chi of the couplings, at three temperatures of the hot bath that the paper does not
state; 1/100, 1/50 and 3/100 are taken here.  Dots maximise Gamma_alpha = alpha R + (1 - alpha) J (Eqs. 41, 44).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar

from collide.ensemble import run
from collide.machines.rotor import parts_of

from .. import style
from ..estimates import Estimate
from ..rectification import Rectification
from .base import Figure
from .rotor_devices import CUT, FIG_4, affordable, rate
from .rotor_quantities import machine, swap

Floats = NDArray[np.float64]

BETAS = (0.01, 0.02, 0.03)
ALPHAS = (0.0, 0.5, 1.0)
# equal steps of -ln(1 - chi), in which the coupling (1 - chi)^2 of bath 1 falls evenly; smaller ones near the maxima
DEPTHS = np.concatenate([np.linspace(0, 1.35, 4), np.linspace(1.5, 2.5, 9), np.linspace(2.8, 4.6, 6)])
SAMPLED_CHIS = (0.0, 0.5, 0.85)
TIME, MOST = 4e3, 2.5e7  # of trajectories that count quanta, and exchanges of an ensemble of them
SHORT = 50.0  # of those at whose end the angular momentum is looked at
COLORS = (style.RED, style.ORANGE, style.BLUE)
MARKS: dict[float, Any] = {
    0.0: {"marker": "o", "ms": 11, "mfc": "none", "ls": "none"},
    0.5: {"marker": "s", "ms": 7, "mfc": "white", "ls": "none"},
    1.0: {"marker": "^", "ms": 6, "mec": "white", "mew": 0.6, "ls": "none"},
}
KINDS = {"heat": ("R", "J"), "angular": ("R_angular", "J_angular")}


# -------------------------------------------------------------------- curves


def at_chi(beta2: float, chi: float, ladder: Any) -> dict[str, float]:
    """R, J and their angular partners at one asymmetry."""
    both = swap("rotor_global", {**FIG_4, **ladder, "beta2": beta2, "chi": chi})
    return {
        "R": both.heat.R.value,
        "J": both.heat.flow.value,
        "R_angular": both.angular,
        "R_angular_printed": both.angular_printed,
        "J_angular": both.angular_flow,
    }


@lru_cache(maxsize=8)
def along_chi(beta2: float, cut: bool) -> dict[str, Floats]:
    """The parametric curves at one temperature, shared by both figures."""
    chis = -np.expm1(-DEPTHS)
    rows = [at_chi(beta2, float(chi), CUT if cut else {}) for chi in chis]
    return {"chi": chis, **{name: np.array([row[name] for row in rows]) for name in rows[0]}}


def splines(curve: dict[str, Floats], names: Sequence[str]) -> list[CubicSpline]:
    """Curves between their points, as functions of the depth -ln(1 - chi)."""
    return [CubicSpline(-np.log1p(-curve["chi"]), curve[name]) for name in names]


def best(curve: dict[str, Floats], kind: str, alpha: float) -> float:
    """chi that maximises Gamma_alpha, on the spline through the curve."""
    R, J = splines(curve, KINDS[kind])

    def merit(depth: float) -> float:
        return float(alpha * R(depth) + (1 - alpha) * J(depth))

    coarse = np.linspace(R.x[0], R.x[-1], 400)
    top = float(coarse[np.argmax([merit(depth) for depth in coarse])])
    step = float(coarse[1] - coarse[0])
    bounds = max(coarse[0], top - step), min(coarse[-1], top + step)
    return float(-np.expm1(-minimize_scalar(lambda depth: -merit(depth), bounds=bounds, method="bounded").x))


def maxima(beta2: float, kind: str) -> dict[float, dict[str, float]]:
    """The dots of one curve: for each alpha the best chi, and R and J there, from the exact side once more."""
    found = {}
    for alpha in ALPHAS:
        chi = best(along_chi(beta2, False), kind, alpha)
        found[alpha] = {"chi": chi, **at_chi(beta2, chi, {})}
    return found


def curves(kind: str) -> Callable[[int, int], dict[str, Any]]:
    """Everything of Fig. 4 ("heat") or Fig. 5 ("angular")."""

    def compute(ntraj: int, seed: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        seeds = count(seed)
        for beta2 in BETAS:
            found[f"{beta2:g}"] = {
                "converged": along_chi(beta2, False),
                "cut": along_chi(beta2, True),
                "maxima": {f"{alpha:g}": dot for alpha, dot in maxima(beta2, kind).items()},
            }
            if ntraj:
                rows = [sampled(beta2, chi, kind, ntraj, next(seeds), next(seeds)) for chi in SAMPLED_CHIS]
                found[f"{beta2:g}"]["points"] = {
                    name: {"value": np.array([r[k].value for r in rows]), "error": np.array([r[k].error for r in rows])}
                    for k, name in enumerate("RJ")
                }
        return found

    return compute


def sampled(beta2: float, chi: float, kind: str, ntraj: int, seed: int, other: int) -> tuple[Estimate, Estimate]:
    """R and J from two ensembles, one with the temperatures exchanged."""
    here = {**FIG_4, "beta2": beta2, "chi": chi}
    there = here | {"beta1": beta2, "beta2": here["beta1"]}
    models = [machine("rotor_global", p) for p in (here, there)]
    if kind == "heat":
        flow, back = (
            rate(run(model, affordable(model, TIME, ntraj, MOST), TIME, seed=s, progress=False), TIME, f"heat:{bath}")
            for model, s, bath in zip(models, (seed, other), "21", strict=True)
        )
        pair = Rectification(flow, back.scaled(-1.0), unit=FIG_4["lambda"] * FIG_4["g"] ** 2)
    else:
        turns = []
        for model, s in zip(models, (seed, other), strict=True):
            ops = {"L_z": parts_of(model).L_z}
            found = run(model, ntraj, SHORT, seed=s, e_ops=ops, progress=False).expect["L_z"]
            turns.append(Estimate(float(found.value[-1]), float(found.error[-1])))
        pair = Rectification(_magnitude(turns[0]), _magnitude(turns[1]).scaled(-1.0))
    return pair.R, pair.flow


def _magnitude(estimate: Estimate) -> Estimate:
    return Estimate(abs(estimate.value), estimate.error)


# -------------------------------------------------------------------- drawing


def _smooth(curve: dict[str, Floats], names: Sequence[str]) -> list[Floats]:
    """The curve through its points."""
    through = splines(curve, names)
    depth = np.linspace(through[0].x[0], through[0].x[-1], 400)
    return [np.asarray(spline(depth)) for spline in through]


def _mark_chi(ax: Any, curve: dict[str, Floats], R: str, J: str) -> None:
    """Where one of the curves begins and where all end."""
    for place, text, offset in ((0, r"$\chi=0$", (-4, 3)), (-1, rf"$\chi={curve['chi'][-1]:.2f}$", (0, 12))):
        ax.annotate(text, (curve[R][place], curve[J][place]), xytext=offset, textcoords="offset points", fontsize=8.5,
                    color=style.MUTED, ha="right" if place == 0 else "left", va="bottom")  # fmt: skip


def draw(kind: str) -> Callable[[dict[str, Any]], Any]:
    """Parametric plot with dots; the cut ladder as thin lines."""
    R, J = KINDS[kind]
    heat = kind == "heat"

    def picture(found: dict[str, Any]) -> Any:
        with style.house():
            ax = style.axes(size=(6.2, 4.6))
            for beta2, color in zip(BETAS, COLORS, strict=True):
                here = found[f"{beta2:g}"]
                ax.plot(*_smooth(here["converged"], (R, J)), color=color, label=rf"$\beta_2={beta2:g}$")
                ax.plot(*_smooth(here["cut"], (R, J)), color=color, lw=0.7, ls=(0, (4, 2)))
                for alpha in ALPHAS:
                    dot = here["maxima"][f"{alpha:g}"]
                    ax.plot(dot[R], dot[J], color=color, zorder=4, **MARKS[alpha])
                if "points" in here:
                    p = here["points"]
                    ax.errorbar(p["R"]["value"], p["J"]["value"], yerr=p["J"]["error"], xerr=p["R"]["error"], fmt="D",
                                ms=4.5, color=color, mec=style.INK, mew=0.7, elinewidth=0.9, zorder=5)  # fmt: skip
            _mark_chi(ax, found[f"{BETAS[0]:g}"]["converged"], R, J)
            for alpha in ALPHAS:
                ax.plot([], [], color=style.MUTED, label=rf"max $\Gamma_{{{alpha:g}}}$", **MARKS[alpha])
            if "points" in found[f"{BETAS[0]:g}"]:
                ax.plot([], [], "D", ms=4.5, color=style.MUTED, mec=style.INK, mew=0.7, label="trajectories")
            ax.plot([], [], color=style.MUTED, lw=0.7, ls=(0, (4, 2)), label=r"cut to $-5\leq l\leq10$")
            ax.set(
                xlabel=r"$R$" if heat else r"$R_{\rm angular}$ (absolute values)",
                ylabel=r"$J$" if heat else r"$J_{\rm angular}$",
                xlim=(0, 1),
                ylim=(0, None),
                title="Heat rectification" if heat else "Angular momentum rectification",
            )
            ax.legend(loc="upper left" if heat else "best", ncols=2, fontsize=8)
        return ax.figure

    return picture


FIGURE_4 = Figure(
    "fig4", "Rectification and size of the heat current, parametric in chi (Fig. 4)", curves("heat"), draw("heat")
)
FIGURE_5 = Figure(
    "fig5",
    "Rectification and size of the angular momentum, parametric in chi (Fig. 5)",
    curves("angular"),
    draw("angular"),
)
