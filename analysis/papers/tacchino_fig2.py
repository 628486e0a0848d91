"""Fig. 2 of Tacchino et al. (2018): concurrence against the loss of the cavity, full model and effective one."""

from itertools import count
from typing import Any

import numpy as np

from collide.ensemble import run
from collide.machines.tavis_cummings_formulas import effective_concurrence

from .. import style
from .base import Figure
from .tacchino_entanglement import entanglement
from .tacchino_quantities import cavity, cavity_concurrence
from .tacchino_sampling import cavity_time
from .tacchino_schemes import draw_cavity

KAPPA = np.logspace(-2, 3, 101)  # range not stated in the paper
POINTS = np.logspace(-2, 3, 11)
PANELS = {"b": (0.0, (0.0002,)), "c": (0.001, (0.0002, 0.001, 0.005))}  # gamma and the pumps, in units of g
COLORS = {0.0002: style.BLUE, 0.001: style.GREEN, 0.005: style.RED}


def curves(ntraj: int, seed: int) -> dict[str, Any]:
    """Exact concurrence of both models on a fine grid, and of trajectories of the full one from the ground state."""
    found: dict[str, Any] = {"kappa": KAPPA, "curves": {}, "points": {}}
    seeds = count(seed)
    for panel, (gamma, pumps) in PANELS.items():
        for p in pumps:
            full = [cavity_concurrence(cavity(p=p, gamma=gamma, kappa=float(k), g=1.0)) for k in KAPPA]
            mapped = [effective_concurrence(p, gamma, float(k)) for k in KAPPA]
            found["curves"][name_of(panel, p)] = {"full": np.array(full), "effective": np.array(mapped)}
            if ntraj:
                rows = [sampled(p, gamma, float(k), ntraj, next(seeds)) for k in POINTS]
                found["points"][name_of(panel, p)] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return found


def name_of(panel: str, p: float) -> str:
    """How the curves of one pump are called."""
    return f"{panel}, p = {p:g} g"


def sampled(p: float, gamma: float, kappa: float, ntraj: int, seed: int) -> dict[str, float]:
    """Concurrence of the averaged state at the end of trajectories of the full model, with its interval."""
    model = cavity(p=p, gamma=gamma, kappa=kappa, g=1.0)
    ground = np.eye(model.process.d)[0]
    ens = run(
        model, ntraj, cavity_time(model), seed=seed, initial=ground, keep=("totals", "final_state"), progress=False
    )
    found = entanglement(ens.final_state)
    low, high = found.interval
    return {"kappa": kappa, "concurrence": found.concurrence, "low": low, "high": high}


def draw(found: dict[str, Any]) -> Any:
    """Scheme and both comparisons."""
    import matplotlib.pyplot as plt

    with style.house():
        figure = plt.figure(figsize=(12.2, 4.4), layout="constrained")
        grid = figure.add_gridspec(1, 3, width_ratios=[0.85, 1, 1])
        scheme = figure.add_subplot(grid[0])
        draw_cavity(scheme)
        scheme.set_title("(a)")
        left = figure.add_subplot(grid[1])
        right = figure.add_subplot(grid[2], sharey=left)
        _panel(left, found, "b", r"(b)  $\gamma=0$")
        _panel(right, found, "c", r"(c)  $\gamma=10^{-3}g$")
        left.set_ylabel("concurrence $C_{SS}$")
    return figure


def _panel(ax: Any, found: dict[str, Any], panel: str, title: str) -> None:
    pumps = PANELS[panel][1]
    for p, marker in zip(pumps, style.MARKERS, strict=False):
        name, color = name_of(panel, p), COLORS[p]
        curve = found["curves"][name]
        ax.plot(found["kappa"], curve["full"], color=color, label=f"$p={p:g}\\,g$")
        ax.plot(found["kappa"], curve["effective"], color=color, ls=(0, (4, 2)), lw=1.2)
        if name in found["points"]:
            points = found["points"][name]
            value = points["concurrence"]
            error = [value - points["low"], points["high"] - value]
            style.points(ax, points["kappa"], value, error, color=color, fmt=marker)
    if panel == "b":
        ax.plot([], [], color=style.INK, label="full model")
        ax.plot([], [], color=style.INK, ls=(0, (4, 2)), lw=1.2, label="effective model")
        if found["points"]:
            ax.plot([], [], "o", color=style.INK, label="trajectories")
        style.bound_line(ax, 1 / 3, "thermal limit 1/3")
    else:
        style.bound_line(ax, 1 / 3, "")
    ax.set(xscale="log", xlabel=r"$\kappa/g$", title=title, xlim=(0.008, 1250), ylim=(-0.012, 0.53))
    ax.legend(fontsize=9, loc="lower left" if panel == "b" else "upper right")


FIGURE = Figure("fig2", "Concurrence of two pumped qubits in a leaky cavity (Fig. 2)", curves, draw)
