"""Fig. 1 of Tacchino et al. (2018): the diamond, and maps of concurrence and entropy production over both betas.

Below the paper's three panels the same quantities stand along two cuts, where error bars can be seen.
"""

from itertools import count
from typing import Any

import numpy as np

from collide.ensemble import run
from collide.machines import collective_formulas as formulas
from collide.machines.collective_qubits import collective_qubits

from .. import style
from .base import Figure
from .tacchino_entanglement import entanglement
from .tacchino_schemes import draw_diamond

RANGE = 5.0  # not stated in the paper
MAP = np.linspace(-RANGE, RANGE, 161)
LATTICE = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
CUT = np.linspace(-RANGE, RANGE, 201)
CUTS = (5.0, 2.5)  # beta_S of the two cuts
CUT_POINTS = np.linspace(-4.8, 4.8, 9)
TIME = 6.0  # length of a sampled trajectory from the steady state, in 1/Gamma^+


def curves(ntraj: int, seed: int) -> dict[str, Any]:
    """Maps and cuts from Eqs. 4-6, points from trajectories."""
    maps = {
        name: np.array([[function(a, s) for a in MAP] for s in MAP])
        for name, function in (
            ("concurrence", formulas.concurrence),
            ("entropy", formulas.entropy_production_rate),
        )
    }
    cuts = {
        beta_S: {
            "concurrence": [formulas.concurrence(a, beta_S) for a in CUT],
            "entropy": [formulas.entropy_production_rate(a, beta_S) for a in CUT],
        }
        for beta_S in CUTS
    }
    found: dict[str, Any] = {"betas": MAP, **maps, "cut_beta": CUT, "cuts": cuts}
    if ntraj:
        seeds = count(seed)  # one of its own for each point: scatter that points share would look like a deviation
        lattice = [(a, s) for s in LATTICE for a in LATTICE]
        found["lattice"] = _columns([sampled(a, s, ntraj, next(seeds)) for a, s in lattice])
        found["cut_points"] = {s: _columns([sampled(a, s, ntraj, next(seeds)) for a in CUT_POINTS]) for s in CUTS}
    return found


def sampled(beta_A: float, beta_S: float, ntraj: int, seed: int) -> dict[str, float]:
    """Concurrence of the averaged state and entropy production per time, with errors, at one point."""
    model = collective_qubits(beta_A=float(beta_A), beta_S=float(beta_S))
    ens = run(model, ntraj, TIME, seed=seed, keep=("totals", "final_state"), progress=False)
    entangled = entanglement(ens.final_state)
    low, high = entangled.interval
    sigma = ens.mean("entropy_production")
    return {
        "beta_A": float(beta_A),
        "beta_S": float(beta_S),
        "concurrence": entangled.concurrence,
        "low": low,
        "high": high,
        "entropy": sigma.value / TIME,
        "entropy_error": sigma.error / TIME,
    }


def _columns(rows: list[dict[str, float]]) -> dict[str, Any]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def draw(found: dict[str, Any]) -> Any:
    """Three panels as in the paper, cuts below."""
    import matplotlib.pyplot as plt

    with style.house():
        figure = plt.figure(figsize=(12.2, 7.0), layout="constrained")
        grid = figure.add_gridspec(2, 6, height_ratios=[1.55, 1])
        scheme = figure.add_subplot(grid[0, :2])
        draw_diamond(scheme)
        scheme.set_title("(a)")
        _map(figure, figure.add_subplot(grid[0, 2:4]), found, "concurrence", r"(b)  concurrence $C_{SS}$")
        _map(figure, figure.add_subplot(grid[0, 4:]), found, "entropy", r"(c)  $\dot S_{irr}\ /\ \omega_0\Gamma^+$")
        _cut(figure.add_subplot(grid[1, :3]), found, "concurrence", r"$C_{SS}$", "along two cuts of (b)")
        _cut(figure.add_subplot(grid[1, 3:]), found, "entropy", r"$\dot S_{irr}\ /\ \omega_0\Gamma^+$", "... of (c)")
    return figure


def _map(figure: Any, ax: Any, found: dict[str, Any], name: str, title: str) -> None:
    values, betas = found[name], found["betas"]
    image = ax.pcolormesh(betas, betas, values, cmap="viridis", shading="gouraud", rasterized=True)
    figure.colorbar(image, ax=ax, shrink=0.86, pad=0.02)
    ax.plot([0, 0], [0, RANGE], color="white", ls="--", lw=1.3)
    ax.plot([0, RANGE], [0, 0], color="white", ls="--", lw=1.3)
    if name == "concurrence":
        ax.contour(betas, betas, values, levels=[1 / 3], colors=[style.RED], linestyles="--", linewidths=1.8)
        ax.text(2.9, -3.05, "$C=1/3$", color=style.RED, ha="center", fontsize=10)
        ax.text(2.5, 4.4, r"$\beta_{A,S}\geq0$", color="white", ha="center", fontsize=9)
    if "lattice" in found:
        points = found["lattice"]
        ax.scatter(points["beta_A"], points["beta_S"], c=points[name], cmap="viridis", vmin=values.min(),
                   vmax=values.max(), s=46, edgecolors="white", linewidths=0.9, zorder=4)  # fmt: skip
    ax.set(xlabel=r"$\beta_A$", ylabel=r"$\beta_S$", title=title, aspect="equal", xlim=(-5, 5), ylim=(-5, 5))
    for side in ("top", "right"):
        ax.spines[side].set_visible(True)


def _cut(ax: Any, found: dict[str, Any], name: str, label: str, title: str) -> None:
    for beta_S, color, marker in zip(CUTS, (style.BLUE, style.ORANGE), style.MARKERS, strict=False):
        ax.plot(found["cut_beta"], found["cuts"][beta_S][name], color=color, label=rf"$\beta_S={beta_S:g}$, exact")
        if "cut_points" in found:
            points = found["cut_points"][beta_S]
            value = points[name]
            error = points["entropy_error"] if name == "entropy" else [value - points["low"], points["high"] - value]
            style.points(ax, points["beta_A"], value, error, color=color, fmt=marker, label="trajectories")
    if name == "concurrence":
        style.bound_line(ax, 1 / 3, "thermal limit 1/3")
    ax.axvline(0, color=style.GRID, zorder=-1)
    ax.set(xlabel=r"$\beta_A$", ylabel=label, title=title, xlim=(-RANGE, RANGE), ylim=(0, None))
    ax.legend(fontsize=8)


FIGURE = Figure(
    "fig1", "Concurrence and entropy production of two qubits between collective baths (Fig. 1)", curves, draw
)
