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
        if f"collisions_{k}" in curves:
            ax.plot(curves["T"], np.array(curves[f"collisions_{k}"]) / top, color=color, linewidth=1.0, linestyle=":")
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
    _length_inset(left, curves, two)
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
    left.legend(fontsize=8, loc="lower left")
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


def _length_inset(ax: Any, curves: dict[str, Any], two: float) -> None:
    """What is left of the difference to two qubits, in per cent."""
    data = curves.get("jumps")
    if not data:
        return
    inset = ax.inset_axes((0.36, 0.64, 0.62, 0.32))
    inset.axhline(0, color=style.MUTED, linestyle="--", linewidth=0.8)
    put(inset, _scaled({**data, "y": [y - two for y in data["y"]]}, 100 / two), style.BLUE)
    inset.set(xticks=data["x"], ylim=(-3.5, 3.5), yticks=[-2, 0, 2])
    inset.set_ylabel(r"$J^{(N)}/J^{(2)}-1$ (%)", fontsize=7)
    inset.tick_params(labelsize=7)


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
                curves["N_riccati"],
                curves[f"{kind}_riccati_{name}"],
                ".-",
                color=style.MUTED,
                lw=0.8,
                label="exact, from moments",
            )
            ax.plot(
                curves["N"],
                curves[f"{kind}_{name}"],
                "D",
                color=style.INK,
                markerfacecolor="white",
                label="exact, from the generator",
            )
            ax.set(xlabel="number of qubits N", ylabel=ylabel, xticks=[1, 2, 4, 6, 8, 10, 12, 14, 16])
            ax.set_title(title, **SMALL)
        put(row[0], curves.get(f"jumps_{name}"), style.BLUE, label="jumps")
        _noise_inset(row[0], curves, name)
        style.bound_line(row[1], 2.0, "classical bound")
        row[1].legend(fontsize=8)
    axes[0, 0].legend(fontsize=8, loc="upper right", bbox_to_anchor=(1.0, 0.42))
    return figure


def _noise_inset(ax: Any, curves: dict[str, Any], name: str) -> None:
    """The same from two qubits on, where the difference is of one or two per cent."""
    inset = ax.inset_axes((0.42, 0.52, 0.56, 0.44))
    data = curves.get(f"jumps_{name}")
    if data:
        put(inset, {key: values[1:] for key, values in data.items()}, style.BLUE)
    inset.plot(curves["N"][1:], curves[f"variance_{name}"][1:], "D", color=style.INK, markerfacecolor="none")
    inset.set(xticks=curves["N"][1:])
    inset.margins(y=0.3)
    inset.tick_params(labelsize=7)


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
    axes[1, 0].set(xscale="log", xlabel=r"$k_{\rm B}T_{\rm hot}/\hbar\omega$", ylabel="concurrence", ylim=(-0.24, 0.08))
    axes[1, 0].set_title("the swap kills it (dotted, points: without the max)", **SMALL)
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
    # the logarithm of J / J_c is smooth on these axes, where the concurrence has a kink
    ax.contour(x, x, np.asarray(curves["map_excess"]), levels=[0.0], colors="white", linewidths=1.0)
    ax.plot(*curves["engine"], "*", color="white", markersize=8)
    ax.plot([x[0], x[-1]], [x[0], x[-1]], color="white", linestyle=":", linewidth=1.0)
    ax.figure.colorbar(mesh, ax=ax, label="concurrence")
    ax.set(xscale="log", yscale="log", xlabel=r"$\gamma_L/g$", ylabel=r"$\gamma_R/g$")
    ax.set_title(r"$T_L=2,\ T_R=0$; line: $J = J_c$; dotted: equal couplings; star: the others", **SMALL)


PICTURES = (("jump", style.BLUE, "o"), ("collision", style.RED, "s"))


def draw_entropy(curves: dict[str, Any]) -> Any:
    """Entropy production, its asymmetry, single trajectories, and the integral theorem."""
    figure, axes = _panels(3, 2, width=4.3, height=3.3)
    rates, ratio, single, theorem, produced, histogram = axes.reshape(-1)
    for way, color in (("forward", style.BLUE), ("backward", style.RED)):
        rates.plot(curves["difference"], curves[f"rate_{way}"], color=color, label=rf"$\Pi$, {way}")
        put(rates, curves.get(f"points_{way}"), color)
    rates.set(xlabel=r"$k_{\rm B}(T_{\rm hot}-T_{\rm cold})/\hbar\omega$", ylabel=r"$\Pi/\omega$", ylim=(0, None))
    rates.set_title(r"lines: $(\beta_R-\beta_L)Q_L$; points: $\langle\Sigma\rangle/t$ of jumps", **SMALL)
    _asymmetry(ratio, curves)
    _single(single, curves)
    _theorem(theorem, curves)
    _produced(produced, curves)
    _histogram(histogram, curves)
    for ax in (rates, ratio, single, theorem, produced, histogram):
        ax.legend(fontsize=7.5)
    return figure


def _asymmetry(ax: Any, curves: dict[str, Any]) -> None:
    x = curves["difference"]
    currents = r"$|J^\rightarrow|/|J^\leftarrow| = \mathcal{R}$"
    ax.plot(x, curves["ratio_current"], color=style.INK, label=currents)
    produced = r"$|\Pi^\rightarrow|/|\Pi^\leftarrow|$"
    ax.plot(x[::3], curves["ratio_entropy"][::3], "o", color=style.ORANGE, label=produced)
    ax.set(xlabel=r"$k_{\rm B}(T_{\rm hot}-T_{\rm cold})/\hbar\omega$", ylabel="ratio")
    ax.set_title("asymmetry of entropy production is rectification (Eq. 42)", **SMALL)


def _single(ax: Any, curves: dict[str, Any]) -> None:
    """Entropy production of each trajectory against the heat it carried; areas tell how many did."""
    ax.axline((0, 0), slope=1, color=style.MUTED, linewidth=0.9, label=r"$\Sigma = (\beta_R-\beta_L)Q_L$")
    for name, color, marker in PICTURES:
        data = curves.get(f"single_{name}")
        if data:
            looks: dict[str, Any] = {"facecolor": "none"} if name == "collision" else {"alpha": 0.6}
            area = 3 + 400 * np.asarray(data["share"])
            ax.scatter(
                data["heat"], data["produced"], s=area, color=color, marker=marker, label=f"{name}s", lw=0.8, **looks
            )
    ax.set(xlabel=r"$(\beta_R-\beta_L)Q_L$ of a trajectory", ylabel=r"$\Sigma$", xlim=(-8, 17), ylim=(-8, 17))
    ax.set_title(r"single trajectories, $\omega t = 200$: off the line by the ends", **SMALL)


def _theorem(ax: Any, curves: dict[str, Any]) -> None:
    ax.axhline(1, color=style.INK, linewidth=1.2, label="from the steady state: 1")
    for name, color, marker in PICTURES:
        dashes = "-" if name == "jump" else "--"
        ax.plot(curves["times"], curves[f"pure_{name}"], dashes, color=color, label=f"from empty qubits, {name}s")
        extra = hollow(color) if name == "collision" else {}
        put(ax, curves.get(f"theorem_{name}_steady"), color, marker, **extra)
        put(ax, curves.get(f"theorem_{name}_pure"), color, marker, **extra)
    ax.plot(curves["times"], curves["reversed_jump"], "x", color=style.INK, markersize=4, label="reversed process")
    ax.set(xlabel=r"$\omega t$", ylabel=r"$\langle e^{-\Sigma}\rangle$", ylim=(0, 1.25))
    ax.set_title("integral fluctuation theorem", **SMALL)


def _produced(ax: Any, curves: dict[str, Any]) -> None:
    """Mean entropy production from empty qubits: at late times it grows at the stationary rate."""
    for name, color, marker in PICTURES:
        dashes = "-" if name == "jump" else "--"
        ax.plot(curves["times"], curves[f"produced_{name}"], dashes, color=color, label=f"from empty qubits, {name}s")
        extra = hollow(color) if name == "collision" else {}
        put(ax, curves.get(f"mean_{name}_pure"), color, marker, **extra)
        put(ax, curves.get(f"mean_{name}_steady"), color, marker, **extra)
    steady = curves["stationary_jump"] * np.asarray(curves["times"])
    ax.plot(curves["times"], steady, color=style.INK, linewidth=1.2, label=r"$(\beta_R-\beta_L)Q_L\,t$, steady state")
    ax.set(xlabel=r"$\omega t$", ylabel=r"$\langle\Sigma\rangle$", ylim=(0, None))
    ax.set_title("mean entropy production", **SMALL)


def _histogram(ax: Any, curves: dict[str, Any]) -> None:
    for name, color, _ in PICTURES:
        data = curves.get(f"histogram_{name}")
        if data:
            mean = data["mean"]
            words = rf"{name}s: {mean['y'][0]:.3f} $\pm$ {mean['error'][0]:.3f}; exact {mean['exact'][0]:.3f}"
            filled: dict[str, Any] = {"fill": True, "alpha": 0.5} if name == "jump" else {}
            ax.stairs(data["density"], data["edges"], color=color, label=words, **filled)
            ax.axvline(mean["exact"][0], color=color, linewidth=0.9, linestyle="-" if name == "jump" else "--")
    ax.axvline(0, color=style.MUTED, linewidth=0.8, linestyle=":")
    ax.set(xlabel=r"$\Sigma$", ylabel="density", yscale="log", ylim=(3e-5, 8), xlim=(-9, 18))
    ax.set_title(r"$\Sigma$ at $\omega t = 200$; means against $(\beta_R-\beta_L)Q_Lt$", **SMALL)


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
    if "points_split" in curves:
        ax.errorbar([], [], yerr=[], fmt="o", color=style.INK, markersize=4, elinewidth=1.0, label="trajectories")
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
