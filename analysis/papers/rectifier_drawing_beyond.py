"""Figures of what the paper states without a figure, and of what goes beyond it."""

from typing import Any

import numpy as np

from .. import style
from .rectifier_drawing import SMALL, hollow, put

CONSTRUCTION_COLORS = {
    "split": style.BLUE,
    "sequential": style.GREEN,
    "joint": style.RED,
    "matched": style.PURPLE,
}


def _panels(columns: int, rows: int = 1, width: float = 4.5, height: float = 3.5) -> tuple[Any, Any]:
    import matplotlib.pyplot as plt

    return plt.subplots(rows, columns, figsize=(width * columns, height * rows), layout="constrained", squeeze=False)


def draw_negative_conductance(curves: dict[str, Any]) -> Any:
    """J(T_L) with the onset of negative differential conductance marked."""
    figure, ((ax,),) = _panels(1, width=5.4, height=3.7)
    for k, (couplings, color) in enumerate(zip(curves["couplings"], (style.BLUE, style.RED), strict=True)):
        top = max(curves[f"J_{k}"])
        words = ", ".join(
            f"{symbol}={couplings[name]:g}"
            for symbol, name in (("g", "g"), (r"\gamma_L", "gamma_L"), (r"\gamma_R", "gamma_R"))
        )
        ax.plot(curves["T"], np.array(curves[f"J_{k}"]) / top, color=color, label=f"${words}$")
        onset = curves[f"onset_{k}"]
        ax.axvline(onset, color=color, linestyle="--", linewidth=0.9)
        side: dict[str, Any] = {"xytext": (3, 0), "ha": "left"} if k == 0 else {"xytext": (-3, 0), "ha": "right"}
        ax.annotate(f"{onset:.6f}", (onset, 0.02), textcoords="offset points", color=color, fontsize=8, **side)
        put(ax, _scaled(curves.get(f"jumps_{k}"), 1 / top), color, label="jumps" if k == 0 else "")
        put(
            ax,
            _scaled(curves.get(f"collision_points_{k}"), 1 / top),
            color,
            "s",
            r"collisions, $\omega\tau = 2$",
            **hollow(color),
        )
    ax.set(xscale="log", xlabel=r"$k_{\rm B}T_L/\hbar\omega$", ylabel=r"$J/J_{\max}$", xlim=(0.1, 10), ylim=(0, 1.08))
    ax.set_title(r"$T_R\to0$; dashed: onset of negative differential conductance (Eq. 17)", **SMALL)
    ax.legend(fontsize=8)
    return figure


def _scaled(data: Any, factor: float) -> Any:
    if not data:
        return None
    return data | {"y": [factor * y for y in data["y"]], "error": [factor * e for e in data["error"]]}


def draw_chains(curves: dict[str, Any]) -> Any:
    """Current against N, and its dependence on N at finite tau."""
    figure, ((left, right),) = _panels(2)
    two = curves["J"][1]
    left.axhline(two, color=style.MUTED, linestyle="--", linewidth=1.0)
    left.plot(curves["N"], curves["J"], "D", color=style.INK, markersize=6, markerfacecolor="white", label="exact")
    put(left, curves.get("jumps"), style.BLUE, label="jump trajectories")
    spread = max(abs(j / two - 1) for j in curves["J"][1:])
    left.set(
        xlabel="number of qubits N",
        ylabel=r"$J^{(N)}$",
        ylim=(0, 1.12 * curves["J"][0]),
        xticks=[1, 2, 3, 4, 5, 6, 8, 10],
    )
    left.set_title(f"exact for N = 2 to 6: equal to {spread:.0e}", **SMALL)
    left.legend(fontsize=8, loc="lower right")
    tau = np.asarray(curves["tau"])
    for N, color, dashes, size in ((3, style.GREEN, "-", 7.0), (4, style.RED, "--", 3.0)):
        gap = np.abs(curves[f"gap_{N}"])
        slope = np.log(gap[1] / gap[0]) / np.log(tau[1] / tau[0])
        right.plot(tau, gap, color=color, ls=dashes, marker="o", ms=size, label=f"N = {N}: slope {slope:.3f}")
    guide = abs(curves["gap_3"][0]) * (tau / tau[0]) ** 2
    right.plot(tau, 2.5 * guide, color=style.MUTED, linestyle=":", linewidth=1.0, label="slope 2")
    right.set(xscale="log", yscale="log", xlabel=r"$\omega\tau$", ylabel=r"$|J^{(N)}/J^{(2)} - 1|$")
    right.set_title("collisions (split): independent of N only as τ vanishes", **SMALL)
    right.legend(fontsize=8)
    return figure


def draw_noise_of_chains(curves: dict[str, Any]) -> Any:
    """Variance rate and uncertainty ratio against N."""
    figure, axes = _panels(2, 2, height=2.9)
    titles = {
        "table": r"$g=0.05,\ \gamma=0.04,\,0.08,\ T=1,\,0.3$",
        "quiet": r"$g=1.098,\ \gamma=1.7,\ T=50,\,0.8734$, two-level",
    }
    for row, (name, title) in zip(axes, titles.items(), strict=True):
        for ax, kind, ylabel in zip(
            row, ("variance", "ratio"), ("variance rate of $Q_L$", r"$\mathcal{F}$"), strict=True
        ):
            ax.plot(
                curves["N_riccati"], curves[f"{kind}_riccati_{name}"], ".-", color=style.MUTED, lw=0.8, label="Riccati"
            )
            ax.plot(curves["N"], curves[f"{kind}_{name}"], "D", color=style.INK, markerfacecolor="white", label="exact")
            ax.set(xlabel="N", ylabel=ylabel, xticks=[1, 2, 4, 6, 8, 10, 12, 14, 16])
            ax.set_title(title, **SMALL)
        put(row[0], curves.get(f"jumps_{name}"), style.BLUE, label="jumps")
        style.bound_line(row[1], 2.0, "classical bound")
        row[0].legend(fontsize=8)
        row[1].legend(fontsize=8)
    return figure


def draw_entanglement(curves: dict[str, Any]) -> Any:
    """Map, critical current, swap, and equal couplings."""
    figure, axes = _panels(2, 2, height=3.4)
    _map(axes[0, 0], curves)
    T = curves["T"]
    for way, color in (("forward", style.BLUE), ("backward", style.RED)):
        axes[0, 1].plot(T, curves[f"J_{way}"], color=color, label=rf"$|J|$, {way}")
        axes[0, 1].plot(T, curves[f"critical_{way}"], color=color, linestyle="--", label=rf"$J_c$, {way}")
        axes[1, 0].plot(T, np.maximum(curves[f"signed_{way}"], 0), color=color, label=way)
        axes[1, 0].plot(T, curves[f"signed_{way}"], color=color, linewidth=0.9, linestyle=":")
        put(axes[1, 0], curves.get(f"jumps_{way}"), color)
    beyond = np.asarray(curves["J_forward"]) > np.asarray(curves["critical_forward"])
    axes[0, 1].fill_between(
        T, curves["critical_forward"], curves["J_forward"], where=beyond, color=style.BLUE, alpha=0.15
    )
    axes[0, 1].set(
        xscale="log", yscale="log", ylim=(1e-5, 0.2), xlabel=r"$k_{\rm B}T_{\rm hot}/\hbar\omega$", ylabel="current"
    )
    axes[0, 1].set_title(r"$g=0.016,\ \gamma_L=0.01,\ \gamma_R=0.1,\ T_{\rm cold}=0.05$", **SMALL)
    axes[1, 0].axhline(0, color=style.MUTED, linewidth=0.8)
    axes[1, 0].set(xscale="log", xlabel=r"$k_{\rm B}T_{\rm hot}/\hbar\omega$", ylabel="concurrence", ylim=(-0.12, 0.08))
    axes[1, 0].set_title("swapped temperatures: no entanglement (dotted: without the max)", **SMALL)
    shades = (style.SKY, style.BLUE, style.INK)
    for t, color in zip(curves["hot"], shades, strict=True):
        axes[1, 1].plot(
            curves["gamma"], curves[f"equal_qubits_{t:g}"], color=color, label=rf"two-level hot bath, $T_L = {t:g}$"
        )
        axes[1, 1].plot(curves["gamma"], curves[f"equal_oscillators_{t:g}"], color=color, linestyle=":")
    axes[1, 1].axhline(0, color=style.MUTED, linewidth=0.8)
    axes[1, 1].set(
        xscale="log", ylim=(-0.15, 0.06), xlabel=r"$\gamma_L/g = \gamma_R/g$", ylabel="concurrence without the max"
    )
    axes[1, 1].set_title("equal couplings (dotted: oscillator hot bath)", **SMALL)
    for ax in (axes[0, 1], axes[1, 0], axes[1, 1]):
        ax.legend(fontsize=7.5)
    return figure


def _map(ax: Any, curves: dict[str, Any]) -> None:
    x, z = curves["x"], np.maximum(np.asarray(curves["map"]), 0)
    mesh = ax.pcolormesh(x, x, z, cmap="viridis", shading="gouraud", vmin=0)
    ax.contour(x, x, np.asarray(curves["map"]), levels=[0.0], colors="white", linewidths=1.0)
    ax.plot([x[0], x[-1]], [x[0], x[-1]], color="white", linestyle=":", linewidth=1.0)
    ax.figure.colorbar(mesh, ax=ax, label="concurrence")
    ax.set(xscale="log", yscale="log", xlabel=r"$\gamma_L/g$", ylabel=r"$\gamma_R/g$")
    ax.set_title(r"$T_L=2,\ T_R=0$; white: $J = J_c$; dotted: equal couplings", **SMALL)


def draw_entropy(curves: dict[str, Any]) -> Any:
    """Entropy production, its asymmetry, its histogram, and the integral theorem."""
    figure, axes = _panels(2, 2, height=3.2)
    rates, ratio, theorem, histogram = axes.reshape(-1)
    for way, color in (("forward", style.BLUE), ("backward", style.RED)):
        rates.plot(curves["difference"], curves[f"rate_{way}"], color=color, label=rf"$\Pi$, {way}")
        put(rates, curves.get(f"points_{way}"), color)
    rates.set(xlabel=r"$(T_{\rm hot}-T_{\rm cold})/\omega$", ylabel="entropy production rate", ylim=(0, None))
    rates.set_title(r"lines: $(\beta_R-\beta_L)Q_L$; points: $\langle\Sigma\rangle/t$ of trajectories", **SMALL)
    ratio.plot(
        curves["difference"],
        curves["ratio_current"],
        color=style.INK,
        label=r"$|J^\rightarrow|/|J^\leftarrow| = \mathcal{R}$",
    )
    ratio.plot(
        curves["difference"][::3],
        curves["ratio_entropy"][::3],
        "o",
        color=style.ORANGE,
        label=r"$|\Pi^\rightarrow|/|\Pi^\leftarrow|$",
    )
    ratio.set(xlabel=r"$(T_{\rm hot}-T_{\rm cold})/\omega$", ylabel="ratio")
    ratio.set_title("asymmetry of entropy production is rectification (Eq. 42)", **SMALL)
    theorem.axhline(1, color=style.INK, linewidth=1.2, label="from the steady state")
    for name, color, marker in (("jump", style.BLUE, "o"), ("collision", style.RED, "s")):
        dashes = "-" if name == "jump" else "--"
        theorem.plot(curves["times"], curves[f"pure_{name}"], dashes, color=color, label=f"from empty qubits, {name}s")
        extra = hollow(color) if name == "collision" else {}
        put(theorem, curves.get(f"theorem_{name}_steady"), color, marker, **extra)
        put(theorem, curves.get(f"theorem_{name}_pure"), color, marker, **extra)
    theorem.set(xlabel=r"$\omega t$", ylabel=r"$\langle e^{-\Sigma}\rangle$", ylim=(0, 1.25))
    theorem.set_title("integral fluctuation theorem (below 1: the reversed process)", **SMALL)
    _histogram(histogram, curves)
    for ax in (rates, ratio, theorem, histogram):
        ax.legend(fontsize=7.5)
    return figure


def _histogram(ax: Any, curves: dict[str, Any]) -> None:
    for name, color in (("jump", style.BLUE), ("collision", style.RED)):
        data = curves.get(f"histogram_{name}")
        if data:
            mean, error = data["mean"]
            label = rf"{name}s: $\langle\Sigma\rangle = {mean:.3f} \pm {error:.3f}$"
            ax.stairs(
                data["density"],
                data["edges"],
                color=color,
                fill=name == "jump",
                alpha=0.5 if name == "jump" else 1,
                label=label,
            )
    if "mean_exact" in curves:
        ax.axvline(
            curves["mean_exact"],
            color=style.INK,
            linewidth=1.0,
            label=rf"$(\beta_R-\beta_L)Q_L t = {curves['mean_exact']:.3f}$",
        )
    ax.axvline(0, color=style.MUTED, linewidth=0.8, linestyle=":")
    ax.set(xlabel=r"$\Sigma$", ylabel="density", yscale="log")
    ax.set_title(r"entropy production of single trajectories, $\omega t = 200$", **SMALL)


def draw_uncertainty_ratios(curves: dict[str, Any]) -> Any:
    """Uncertainty ratio against T_L with the classical bound."""
    figure, ((ax, zoom),) = _panels(2)
    colors = dict(zip((1, 2, 3, 4), (style.ORANGE, style.BLUE, style.GREEN, style.RED), strict=True))
    for panel in (ax, zoom):
        for N, color in colors.items():
            dashes = "--" if N == 4 else "-"
            panel.plot(curves["T"], curves[f"ratio_{N}"], color=color, linestyle=dashes, label=f"N = {N}")
        style.bound_line(panel, 2.0, "classical bound")
        panel.set(xscale="log", xlabel=r"$k_{\rm B}T_L/\hbar\omega$", ylabel=r"$\mathcal{F}$")
    T, value = curves["point"]
    zoom.plot(T, value, "o", color=style.BLUE)
    zoom.annotate(
        f"{value:.5f}", (T, value), xytext=(-4, 6), textcoords="offset points", fontsize=8, ha="right", color=style.BLUE
    )
    zoom.set(ylim=(1.955, 2.025), title="")
    ax.set_title(r"$g=1.098,\ \gamma_L=\gamma_R=1.7,\ T_R=0.8734$, two-level baths", **SMALL)
    ax.set_ylim(1.95, 2.08)
    zoom.set_title("the same, near the bound", **SMALL)
    ax.legend(fontsize=8, loc="center right", bbox_to_anchor=(1.0, 0.62))
    return figure


def draw_convergence(curves: dict[str, Any]) -> Any:
    """Deviation from the Lindblad limit against tau."""
    figure, ((ax,),) = _panels(1, width=5.4, height=4.0)
    tau = np.asarray(curves["tau"])
    for name, color in CONSTRUCTION_COLORS.items():
        ax.plot(tau, curves[name], color=color, label=f"{name}: slope {curves[f'slope_{name}']:.3f}")
        put(ax, _above(curves.get(f"points_{name}")), color)
    for power, start in ((1, curves["joint"][0]), (2, curves["matched"][0])):
        ax.plot(tau, 2.2 * start * (tau / tau[0]) ** power, color=style.MUTED, linestyle=":", linewidth=1.0)
        ax.annotate(
            rf"$\tau^{power}$", (tau[4], 2.6 * start * (tau[4] / tau[0]) ** power), color=style.MUTED, fontsize=9
        )
    ax.set(xscale="log", yscale="log", xlabel=r"$\omega\tau$", ylabel=r"$|J(\tau)/J(0) - 1|$")
    ax.set_title(r"two-level ancillas, $g=0.05,\ \gamma=0.04,\,0.08,\ T=1,\,0.3$", **SMALL)
    ax.legend(fontsize=8)
    return figure


def _above(data: Any) -> Any:
    """Error bars that reach below zero end at the foot of a logarithmic axis."""
    if not data:
        return None
    low = [min(e, 0.9 * y) for y, e in zip(data["y"], data["error"], strict=True)]
    return data | {"error": np.array([low, data["error"]])}
