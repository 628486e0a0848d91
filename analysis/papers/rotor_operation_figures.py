"""Figs. 2 and 3 of Leitch et al. 2024: what the machine does along x = beta_2 / beta_1, and its ergotropies."""

from itertools import count
from typing import Any

import numpy as np

from collide.ensemble import run

from .. import style
from ..ergotropy import ergotropy, local_ergotropy
from ..estimates import Estimate, jackknife
from .base import Figure
from .rotor_devices import CUT, FIG_2, device, sampled_currents
from .rotor_quantities import Point, ergotropies, heat, point, power_qubits
from .rotor_scans import accelerator_refrigerator_boundary, efficiency_peak, engine_accelerator_boundary

XS = np.concatenate([np.linspace(0.01, 0.16, 31), np.linspace(0.175, 0.895, 73)])
POINTS_2 = np.array([0.1, 0.2, 0.3, 0.38, 0.6, 0.7, 0.8, 0.88])
POINTS_3 = np.array([0.05, 0.15, 0.25, 0.35, 0.5, 0.7, 0.85])
TIME_2, MOST = 8e3, 3e7  # of trajectories that count quanta, and exchanges of an ensemble of them
TIME_3, MOST_STATES = (
    50.0,
    8000,
)  # of those whose last states are averaged: it need not be long, because they open in the steady state
BLOCKS = 25  # of trajectories, left out one at a time for the error of an ergotropy
CROSSING = FIG_2["B1"] / FIG_2["B2"]  # x at which the populations of |10> and |01> cross
FLOWS = {"Q_1": (r"$\dot Q_1$", style.BLUE), "Q_2": (r"$\dot Q_2$", style.RED),
         "Q_r": (r"$\dot Q_r$", style.GREEN), "W_Q": (r"$\dot W^{(Q)}$", style.ORANGE)}  # fmt: skip
ERGOTROPIES = {"total": ("total", style.INK), "rotor": ("rotor", style.GREEN), "qubits": ("both qubits", style.PURPLE)}


# -------------------------------------------------------------------- Fig. 2


def flows(at: Point) -> dict[str, float]:
    """The four curves of Fig. 2(a)."""
    return {"Q_1": heat(at, "1"), "Q_2": heat(at, "2"), "Q_r": heat(at, "r"), "W_Q": power_qubits(at)}


def along_x(xs: Any, ladder: Any) -> dict[str, Any]:
    """Heat currents and power on a ladder: converged if it is empty, else the cut one."""
    rows = [flows(point("rotor_local", {**FIG_2, **ladder, "beta2": x * FIG_2["beta1"]})) for x in xs]
    return {name: np.array([row[name] for row in rows]) for name in FLOWS}


def curves_2(ntraj: int, seed: int) -> dict[str, Any]:
    """Currents, power, efficiency and COP, on the converged and on the cut ladder."""
    peak = efficiency_peak(FIG_2)
    borders = engine_accelerator_boundary(FIG_2), accelerator_refrigerator_boundary(FIG_2)
    xs = np.sort([*XS, borders[0] - 1e-4, borders[1] + 1e-4])  # curves of the two regimes end at their borders
    found: dict[str, Any] = {
        "x": xs,
        "converged": along_x(xs, {}),
        "cut": along_x(xs, CUT),
        "border_engine": borders[0],
        "border_refrigerator": borders[1],
        "peak": {"x": peak.x, "efficiency": peak.efficiency},
        "carnot_efficiency": 1 - xs,
        "cop_refrigerator": xs / (1 - xs),
        "cop_printed": 1 / (1 - xs),
    }
    if ntraj:
        seeds = count(seed)
        sampled = [sampled_currents(device(x), TIME_2, ntraj, next(seeds), MOST) for x in POINTS_2]
        found["points"] = {"x": POINTS_2, **_estimates(sampled)}
    return found


def _estimates(rows: list[dict[str, Estimate]]) -> dict[str, Any]:
    return {
        name: {
            "value": np.array([row[name].value for row in rows]),
            "error": np.array([row[name].error for row in rows]),
        }
        for name in rows[0]
    }


def draw_2(found: dict[str, Any]) -> Any:
    """(a) flows over (b) efficiency and (c) COP, each in its regime."""
    import matplotlib.pyplot as plt

    with style.house():
        figure = plt.figure(figsize=(9.6, 6.6), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=[1.35, 1])
        _flows_panel(figure.add_subplot(grid[0, :]), found)
        _merit_panel(figure.add_subplot(grid[1, 0]), found, "efficiency")
        _merit_panel(figure.add_subplot(grid[1, 1]), found, "COP")
    return figure


def _flows_panel(ax: Any, found: dict[str, Any]) -> None:
    low, high = found["border_engine"], found["border_refrigerator"]
    for start, stop, name, color in (
        (0.0, low, "engine", style.GREEN),
        (low, high, "accelerator", style.YELLOW),
        (high, 0.9, "refrigerator", style.SKY),
    ):
        ax.axvspan(start, stop, color=color, alpha=0.10, lw=0)
        ax.text((start + stop) / 2, 0.955, name, transform=ax.get_xaxis_transform(), ha="center", fontsize=9,
                color=style.INK, rotation=90 if stop - start < 0.1 else 0, va="top")  # fmt: skip
    for name, (label, color) in FLOWS.items():
        ax.plot(found["x"], 1e3 * found["converged"][name], color=color, label=label)
        ax.plot(found["x"], 1e3 * found["cut"][name], color=color, lw=0.7, ls=(0, (4, 2)))
        if "points" in found:
            p = found["points"]
            style.points(ax, p["x"], 1e3 * p[name]["value"], 1e3 * p[name]["error"], color=color)
    ax.plot([], [], color=style.MUTED, lw=0.7, ls=(0, (4, 2)), label=r"ladder cut to $-5\leq l\leq10$")
    ax.axhline(0, color=style.MUTED, lw=0.8, zorder=0)
    ax.set(
        xlabel=r"$\beta_2/\beta_1$", ylabel=r"rate $\times\,10^3$", xlim=(0, 0.9), title="(a)  heat currents and power"
    )
    ax.legend(loc="upper right", bbox_to_anchor=(1.0, 0.9), ncols=1)


def _merit_panel(ax: Any, found: dict[str, Any], which: str) -> None:
    x, engine = found["x"], which == "efficiency"
    inside = x < found["border_engine"] if engine else x > found["border_refrigerator"]
    color = style.BLUE
    for name, width, dashes, label in (
        ("converged", 1.6, "-", r"$\eta$" if engine else "COP"),
        ("cut", 0.8, (0, (4, 2)), r"cut to $-5\leq l\leq10$"),
    ):
        f = found[name]
        sign_changed = f["W_Q"] < 0 if engine else f["Q_1"] > 0
        keep = inside & sign_changed if name == "converged" else sign_changed & (inside | (name == "cut"))
        y = -f["W_Q"][keep] / f["Q_2"][keep] if engine else f["Q_1"][keep] / f["W_Q"][keep]
        ax.plot(x[keep], y, color=color, lw=width, ls=dashes, label=label)
    if engine:
        ax.plot(x, found["carnot_efficiency"], color=style.MUTED, ls="--", lw=1.1, label=r"$\eta_C=1-\beta_2/\beta_1$")
        ax.plot(*found["peak"].values(), marker="v", color=style.RED, ms=6, ls="none",
                label=f"local maximum {found['peak']['efficiency']:.4f} at {found['peak']['x']:.3f}")  # fmt: skip
        ax.set(xlim=(0, 0.45), ylim=(0, 1), title="(b)  efficiency", ylabel=r"$\eta$")
    else:
        ax.plot(x, found["cop_refrigerator"], color=style.MUTED, ls="--", lw=1.1, label=r"$\beta_2/(\beta_1-\beta_2)$")
        ax.plot(x, found["cop_printed"], color=style.MUTED, ls=":", lw=1.1, label="as printed (heat pump)")
        ax.set(xlim=(0.48, 0.9), ylim=(0, 4), title="(c)  coefficient of performance", ylabel="COP")
    if "points" in found:
        p = found["points"]
        here = (p["x"] < found["border_engine"]) if engine else (p["x"] > found["border_refrigerator"])
        style.points(ax, p["x"][here], p[which]["value"][here], p[which]["error"][here], color=color)
    ax.set_xlabel(r"$\beta_2/\beta_1$")
    ax.legend(fontsize=8)


# -------------------------------------------------------------------- Fig. 3


def curves_3(ntraj: int, seed: int) -> dict[str, Any]:
    """Ergotropies of the steady state, on the converged and on the cut ladder, and of averaged trajectory states."""
    found: dict[str, Any] = {"x": XS}
    for name, ladder in (("converged", {}), ("cut", CUT)):
        rows = [ergotropies(point("rotor_local", {**FIG_2, **ladder, "beta2": x * FIG_2["beta1"]})) for x in XS]
        found[name] = {part: np.array([row[part] for row in rows]) for part in rows[0]}
    if ntraj:
        seeds = count(seed)
        sampled = [sampled_ergotropies(x, ntraj, next(seeds)) for x in POINTS_3]
        found["points"] = {"x": POINTS_3, **_estimates(sampled)}
    return found


def sampled_ergotropies(x: float, ntraj: int, seed: int) -> dict[str, Estimate]:
    """Ergotropies of the averaged final state, the bias of noisy populations taken off by leaving out blocks."""
    model = device(x)
    ens = run(model, min(ntraj, MOST_STATES), TIME_3, seed=seed, keep=("totals", "final_state"), progress=False)
    kets = ens.final_state
    blocks = np.array_split(np.arange(len(kets)), min(BLOCKS, len(kets)))
    sums = np.array([np.einsum("na,nb->ab", kets[b], kets[b].conj(), optimize=True) for b in blocks])
    sizes, total, n = np.array([len(b) for b in blocks]), sums.sum(axis=0), len(kets)
    full = _parts(total / n, model)
    left_out = [_parts((total - part) / (n - size), model) for part, size in zip(sums, sizes, strict=True)]
    found = {}
    for name, value in full.items():
        error, bias = jackknife(value, np.array([row[name] for row in left_out]), sizes)
        found[name] = Estimate(float(value - bias), float(error))
    return found


def _parts(rho: Any, model: Any) -> dict[str, float]:
    p = model.recipe["parameters"]
    levels = np.arange(p["l_min"], p["l_max"] + 1)
    both = np.add.outer([-p["B1"], p["B1"]], [-p["B2"], p["B2"]]).reshape(-1)
    rotor = local_ergotropy(rho, model.dims, [2], np.diag(levels**2 / (2 * p["I"])), kets=False)
    qubits = local_ergotropy(rho, model.dims, [0, 1], np.diag(both), kets=False)
    return {
        "total": float(ergotropy(rho, model.H.toarray(), kets=False)),
        "rotor": float(rotor),
        "qubits": float(qubits),
    }


def draw_3(found: dict[str, Any]) -> Any:
    """Three curves; the two qubits apart have none."""
    with style.house():
        ax = style.axes(size=(6.4, 4.2))
        for name, (label, color) in ERGOTROPIES.items():
            ax.plot(found["x"], found["converged"][name], color=color, label=label)
            ax.plot(found["x"], found["cut"][name], color=color, lw=0.7, ls=(0, (4, 2)))
            if "points" in found:
                p = found["points"]
                style.points(ax, p["x"], p[name]["value"], p[name]["error"], color=color)
        ax.plot([], [], color=style.MUTED, lw=0.7, ls=(0, (4, 2)), label=r"ladder cut to $-5\leq l\leq10$")
        ax.axvline(CROSSING, color=style.MUTED, lw=0.8, ls=":", zorder=0)
        ax.text(CROSSING + 0.01, 1.03 * found["converged"]["total"].max(), r"$B_1/B_2$", color=style.MUTED, va="top")
        ax.set(xlabel=r"$\beta_2/\beta_1$", ylabel=r"ergotropy $\mathcal{W}_{erg}$", xlim=(0, 0.9), ylim=(0, None),
               title="Ergotropy of the steady state")  # fmt: skip
        ax.legend()
    return ax.figure


FIGURE_2 = Figure("fig2", "Heat currents, power, efficiency and COP (Fig. 2)", curves_2, draw_2)
FIGURE_3 = Figure("fig3", "Ergotropies of the steady state (Fig. 3)", curves_3, draw_3)
