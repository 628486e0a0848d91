"""The figures of the paper, in its layout."""

from typing import Any

import numpy as np

from .. import style
from .rectifier_points import deviations

KAPPA = r"$\kappa_{\rm SS}/\omega$"
SMALL: dict[str, Any] = {"fontsize": 9, "fontweight": "normal"}
WARMTH = ("#e69f00", "#0072b2", "#009e73", "#d55e00", "#9467bd", "#8c564b")  # as the paper colours T_L = 0.1 ... 50


STRIP = 0.22  # height of a strip of deviations, of the panel's above it


def _new(width: float = 5.4, height: float = 3.7) -> tuple[Any, Any]:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")


def _with_strips(panels: int = 1, width: float = 5.4, height: float = 3.7) -> tuple[Any, Any]:
    """Panels one above the other, each with a strip below it for the deviations of its sampled points."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, height * panels * (1 + STRIP)), layout="constrained")
    grid = figure.add_gridspec(2 * panels, 1, height_ratios=[1, STRIP] * panels)
    rows = []
    for k in range(panels):
        above = figure.add_subplot(grid[2 * k])
        rows.append((above, figure.add_subplot(grid[2 * k + 1], sharex=above)))
        above.tick_params(labelbottom=False)
    return figure, rows


def strip(ax: Any, data: Any, color: str, marker: str = "o", **more: Any) -> None:
    """Deviations of sampled points from what they should be, in standard errors."""
    if data:
        ax.plot(data["x"], deviations(data), marker, color=color, markersize=3.5, **more)


def _finish_strip(ax: Any, xlabel: str) -> None:
    ax.axhspan(-2, 2, color=style.GRID, zorder=0)
    ax.axhline(0, color=style.MUTED, linewidth=0.8)
    ax.set(ylim=(-4.5, 4.5), yticks=[-4, -2, 0, 2, 4], xlabel=xlabel)
    ax.set_ylabel("(point − exact)\n/ error", fontsize=7.5)
    ax.tick_params(axis="y", labelsize=7.5)


def put(ax: Any, data: Any, color: str, marker: str = "o", label: str = "", **more: Any) -> None:
    """Draw sampled points with error bars; nothing where nothing was sampled."""
    if data:
        style.points(ax, data["x"], data["y"], data["error"], color=color, fmt=marker, label=label or None, **more)


def hollow(color: str) -> dict[str, Any]:
    """Collision points: hollow, so that both pictures are told apart in grey too."""
    return {"markerfacecolor": "white", "markeredgecolor": color}


def _both(axes: tuple[Any, Any], data: Any, color: str, marker: str = "o", label: str = "", **more: Any) -> None:
    """Points in a panel, and their deviations in the strip below it."""
    put(axes[0], data, color, marker, label, **more)
    strip(axes[1], data, color, marker, **more)


def draw_conductances(curves: dict[str, Any]) -> Any:
    """Fig. 2: conductance of one (orange) and two (blue) qubits."""
    figure, ((ax, below),) = _with_strips()
    for N, color, name in ((2, style.BLUE, "two qubits"), (1, style.ORANGE, "one qubit")):
        ax.plot(curves["T"], curves[f"kappa_{N}"], color=color, label=rf"$\kappa^{{({N})}}$, {name}")
        ax.plot(curves["T"], curves[f"collisions_{N}"], color=color, linewidth=1.0, linestyle=":")
        _both((ax, below), curves.get(f"jumps_{N}"), color)
        _both((ax, below), curves.get(f"collision_points_{N}"), color, "s", **hollow(color))
        peak = curves[f"peak_{N}"]
        ax.plot([peak] * 2, [0, np.interp(peak, curves["T"], curves[f"kappa_{N}"])], color=color, lw=0.7, ls="--")
        side: dict[str, Any] = {"xytext": (2, 3), "ha": "left"} if N == 1 else {"xytext": (-2, 3), "ha": "right"}
        ax.annotate(f"{peak:.4f}", (peak, 0), textcoords="offset points", color=color, fontsize=8, **side)
    _legend_of_points(ax, "jumps_1" in curves, r"collisions, $\omega\tau = 5$")
    ax.set(ylabel=f"conductance {KAPPA}", xlim=(0, 2), ylim=(0, None))
    ax.set_title(r"$\gamma_L = 0.01\,\omega,\ \gamma_R = 0.02\,\omega,\ g = 0.01\,\omega$", **SMALL)
    ax.legend()
    _finish_strip(below, r"$k_{\rm B}T/\hbar\omega$")
    return figure


def _legend_of_points(ax: Any, sampled: bool, collisions: str) -> None:
    """Entries for both pictures: dots and squares, dotted for the exact collisions."""
    if sampled:
        ax.plot([], [], "o", color=style.INK, markersize=4, label="jumps")
    marker = "s:" if sampled else ":"
    ax.plot([], [], marker, color=style.INK, markerfacecolor="white", markersize=4, lw=1.0, label=collisions)


def draw_strong_contrasts(curves: dict[str, Any]) -> Any:
    """Fig. 4: both panels."""
    figure, (upper, lower) = _with_strips(2)
    _contrast_of_couplings(upper, curves["upper"])
    _contrast_of_temperature(lower, curves["lower"])
    return figure


def _contrast_of_couplings(axes: tuple[Any, Any], curves: dict[str, Any]) -> None:
    """Fig. 4, upper panel."""
    ax, below = axes
    for T, color in zip(curves["T_L"], WARMTH, strict=True):
        values = curves[f"contrast_{T:g}"]
        ax.plot(curves["ratio"], values, color=color)
        shift = 5 if T == 0.5 else -5 if T == 1 else 0
        where: dict[str, Any] = {"xytext": (4, shift), "textcoords": "offset points", "va": "center"}
        ax.annotate(f"{T:g}", (100, values[-1]), color=color, fontsize=9, **where)
        if f"collisions_{T:g}" in curves:
            ax.plot(curves["ratio_collisions"], curves[f"collisions_{T:g}"], color=color, linewidth=1.0, linestyle=":")
        _both(axes, curves.get(f"jumps_{T:g}"), color)
        _both(axes, curves.get(f"collision_points_{T:g}"), color, "s", **hollow(color))
    _legend_of_points(ax, "jumps_1" in curves, r"collisions, $\omega\tau = 2$")
    ax.set(xscale="log", ylabel=r"$C_{\rm global}$", ylim=(0, 1), xlim=(0.01, 100))
    ax.set_title(
        r"$g = 0.8\,\omega,\ \gamma_R = 0.02\,\omega,\ T_R\to0$; at the curves: $k_{\rm B}T_L/\hbar\omega$", **SMALL
    )
    ax.legend(loc="upper center", fontsize=8)
    _finish_strip(below, r"$\gamma_L/\gamma_R$")


def _contrast_of_temperature(axes: tuple[Any, Any], curves: dict[str, Any]) -> None:
    """Fig. 4, lower panel."""
    ax, below = axes
    for ratio, color in zip(curves["ratios"], (style.BLUE, style.PURPLE), strict=True):
        ax.axhline(curves[f"limit_{ratio:g}"], color=style.MUTED, linestyle=":", linewidth=1.0)
        ax.plot(curves["T"], curves[f"one_{ratio:g}"], color=style.ORANGE, linewidth=1.2)
        name = rf"$C_{{\rm global}},\ \gamma_L = {ratio:g}\,\gamma_R$"
        ax.plot(curves["T"], curves[f"global_{ratio:g}"], color=color, label=name)
        ax.plot(curves["T_collisions"], curves[f"collisions_{ratio:g}"], color=color, linewidth=1.0, linestyle=":")
        _both(axes, curves.get(f"jumps_{ratio:g}"), color)
        _both(axes, curves.get(f"collision_points_{ratio:g}"), color, "s", **hollow(color))
        _both(axes, curves.get(f"one_points_{ratio:g}"), style.ORANGE, "D", **hollow(style.ORANGE))
    ax.plot([], [], color=style.ORANGE, linewidth=1.2, label=r"$C^{(1)}$, one qubit, the same ratios")
    _legend_of_points(ax, "jumps_0.5" in curves, r"collisions, $\omega\tau = 2$")
    if "one_points_0.5" in curves:
        ax.plot([], [], "D", color=style.ORANGE, markersize=4, markerfacecolor="white", label="one qubit, collisions")
    ax.set(xscale="log", ylabel="contrast", ylim=(0, 1), xlim=(0.05, 30))
    ax.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(0.0, 0.9))
    _finish_strip(below, r"$k_{\rm B}T_L/\hbar\omega$")


def draw_strong_conductances(curves: dict[str, Any]) -> Any:
    """Fig. 5: conductance of one qubit (solid) and of two strongly coupled ones (dashed)."""
    figure, ((ax, below),) = _with_strips()
    ax.plot(curves["T"], curves["one"], color=style.ORANGE, label=r"$\kappa^{(1)}$, one qubit")
    for g, color in zip(curves["g"], (style.RED, style.BLUE, style.INK), strict=True):
        values = np.array(curves[f"global_{g:g}"])
        ax.plot(curves["T"], values, color=color, linestyle="--", label=rf"$\kappa_{{\rm global}},\ g = {g:g}\,\omega$")
        for at in curves[f"modes_{g:g}"]:
            ax.plot(at, np.interp(at, curves["T"], values), marker="|", color=color, markersize=9, markeredgewidth=1.2)
    _both((ax, below), curves.get("jumps_0.8"), style.BLUE, label="jumps")
    ax.set(ylabel=f"conductance {KAPPA}", xlim=(0, 1.8), ylim=(0, None))
    ax.set_title(r"$\gamma_L = 0.01\,\omega,\ \gamma_R = 0.02\,\omega$; ticks: $\omega_\pm/1.915$", **SMALL)
    ax.legend(fontsize=8)
    _finish_strip(below, r"$k_{\rm B}T/\hbar\omega$")
    return figure


def draw_scaling_factors(curves: dict[str, Any]) -> Any:
    """Fig. 6: the three surfaces."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(5.6, 3.8))
    ax: Any = figure.add_axes((-0.02, -0.04, 0.94, 1.22), projection="3d")
    ax.set_box_aspect((4, 4, 3), zoom=1.05)
    T, x = np.meshgrid(curves["T_L"], curves["x"])
    names = (
        ("alpha_2", style.BLUE, r"$\alpha_2$"),
        ("alpha_0", style.GREEN, r"$\alpha_0$"),
        ("alpha_1", style.ORANGE, r"$\alpha_1$"),
    )
    for name, color, label in names:
        surface = np.asarray(curves[name])
        ax.plot_surface(T, x, surface, color=color, alpha=0.75, linewidth=0.2, edgecolor="white", rstride=2, cstride=2)
        ax.text(3.1, 4.1, float(surface[-1, -1]), label, color=color, fontsize=12)
    ax.set(xlabel=r"$k_{\rm B}T_L/\hbar\omega$", ylabel=r"$\gamma_L\gamma_R/g^2$", zlabel=r"$\alpha$", zlim=(0, 1))
    ax.set(xticks=[0, 1, 2, 3], yticks=[0, 1, 2, 3, 4], zticks=[0, 0.25, 0.5, 0.75, 1])
    ax.view_init(elev=18, azim=-52)
    return figure


def draw_intersection(curves: dict[str, Any]) -> Any:
    """Fig. 7: 1/x and coth(x)/2."""
    figure, ax = _new(4.8, 3.4)
    ax.plot(curves["x"], curves["inverse"], color=style.BLUE, label=r"$1/x$")
    ax.plot(curves["x"], curves["half_coth"], color=style.ORANGE, label=r"$\frac{1}{2}\coth x$")
    root, level = curves["root"], curves["level"]
    ax.plot([root, root], [0, level], color=style.MUTED, linestyle="--", linewidth=1.0)
    ax.plot(root, level, "o", color=style.INK)
    ax.annotate(f"$x = {root:.5f}$", (root, level), xytext=(8, 8), textcoords="offset points")
    ax.set(xlabel="$x$", xlim=(0.35, 4), ylim=(0, 2))
    ax.legend()
    return figure
