"""The figures of Werlang et al. 2014 in the paper's layout."""

from typing import Any

import numpy as np

from .. import style

Axes = Any
STYLES = ((style.BLUE, "-"), (style.RED, "--"), (style.INK, ":"))  # the paper's solid, dashed and dotted lines
LOWEST = 2e-8


def _line(ax: Axes, data: Any, color: str, dashes: str, label: str = "", **more: Any) -> None:
    ax.plot(data["x"], data["J"], color=color, linestyle=dashes, label=label or None, **more)


def _points(ax: Axes, data: Any, color: str, **more: Any) -> None:
    if len(data["x"]):
        style.points(ax, data["x"], data["J"], data["error"], color=color, **more)


def draw_saturation(curves: dict[str, Any]) -> Any:
    """Fig. 2 with its inset; a logarithmic axis shows all three couplings."""
    with style.house():
        ax = style.axes(size=(6.0, 4.2))
        for Delta, (color, dashes) in zip(curves["couplings"], STYLES, strict=True):
            _line(ax, curves[f"exact {Delta}"], color, dashes, rf"$\Delta = {Delta:g}\,h$")
            _points(ax, curves[f"sampled {Delta}"], color)
            ax.axhline(Delta**2 / 2, color=style.MUTED, linewidth=0.7, zorder=0)
            ax.text(10.05, Delta**2 / 2, r"$\kappa\Delta^2/2$", fontsize=8, color=style.MUTED, va="center")
        ax.set(
            yscale="log",
            xlim=(0, 10),
            ylim=(LOWEST, 0.5),
            xlabel=r"$k_BT_L/h$",
            ylabel=r"$J_L/\kappa h^2$",
            title=r"Current at $T_R = 0$",
        )
        ax.legend(loc="upper left", bbox_to_anchor=(0.14, 0.86), ncols=3, handlelength=2.2, columnspacing=1.2)
        _inset_weak(ax.inset_axes((0.47, 0.13, 0.5, 0.4)), curves)
        return ax.figure


def _inset_weak(inset: Axes, curves: dict[str, Any]) -> None:
    """Weak coupling: the global current against none in the local equation."""
    weak = curves["couplings"][-1]
    scaled = {name: _scaled(curves[name], 1e5) for name in curves if name.startswith(("exact", "sampled"))}
    _line(inset, scaled[f"exact {weak}"], style.INK, ":", "global")
    _line(inset, scaled["exact local"], style.RED, "-", "local")
    _points(inset, scaled[f"sampled {weak}"], style.INK, markersize=3)
    _points(inset, scaled["sampled local"], style.RED, markersize=3)
    _points(inset, scaled["sampled collisions"], style.ORANGE, markersize=3.5, fmt="s", mfc="none", label="collisions")
    inset.set(xlim=(0, 10), ylim=(-1.2, 6.2))
    inset.set_title(rf"$\Delta = {weak:g}\,h$,  $10^5J_L/\kappa h^2$", fontsize=8, weight="normal")
    inset.tick_params(labelsize=8)
    inset.legend(fontsize=8, loc="center right")


def _scaled(data: Any, factor: float) -> Any:
    return {name: values if name == "x" else values * factor for name, values in data.items()}


def draw_diode(curves: dict[str, Any]) -> Any:
    """Fig. 3: (a) left bath hot, (b) right bath hot, with the inset."""
    import matplotlib.pyplot as plt

    with style.house():
        figure, axes = plt.subplots(1, 2, figsize=(9.2, 3.9), sharex=True, layout="constrained")
        titles = {"forward": r"(a)  $k_BT_L = 10\,h$", "reverse": r"(b)  $k_BT_R = 10\,h$"}
        for ax, (name, title) in zip(axes, titles.items(), strict=True):
            cold = "R" if name == "forward" else "L"
            for T, (color, dashes) in zip(curves["cold"], STYLES[::-1], strict=True):
                _line(ax, curves[f"{name} {T}"], color, dashes, rf"$k_BT_{cold} = {T:g}\,h$")
                _points(ax, curves[f"sampled {name} {T}"], color)
            ax.set(xlim=(0, 1), xlabel=r"$\Delta/h$", ylabel=r"$J_L/\kappa h^2$", title=title)
        axes[0].set_ylim(0, 0.46)
        axes[1].set_ylim(-0.2, 0.012)
        axes[0].legend(loc="upper left")
        axes[1].legend(loc="lower left", bbox_to_anchor=(0.0, 0.60))
        _inset_difference(axes[1].inset_axes((0.13, 0.12, 0.46, 0.42)), curves)
        return figure


def _inset_difference(inset: Axes, curves: dict[str, Any]) -> None:
    """J_L against the temperature difference at two mean temperatures."""
    for mean, color, dashes in zip(curves["means"], (style.INK, style.RED), ("-", "--"), strict=True):
        _line(inset, _scaled(curves[f"exact mean {mean}"], 1e2), color, dashes, rf"$\bar T = {mean:g}\,h$")
        _points(inset, _scaled(curves[f"sampled mean {mean}"], 1e2), color, markersize=3)
    inset.axhline(0, color=style.MUTED, linewidth=0.6, zorder=0)
    inset.axvline(0, color=style.MUTED, linewidth=0.6, zorder=0)
    inset.set(xlim=(-1, 1))
    inset.set_title(r"$10^2J_L/\kappa h^2$ against $\delta T/h$", fontsize=8, weight="normal")
    inset.tick_params(labelsize=8)
    inset.legend(fontsize=8, loc="upper left", borderaxespad=0.1, handlelength=1.6)


def draw_chain(curves: dict[str, Any]) -> Any:
    """The XY chain of note 38: rise and fall with local baths, saturation with global ones."""
    with style.house():
        ax = style.axes(size=(5.6, 3.8))
        limit = curves["kappa"] * (curves["h"] ** 2 + curves["Delta"] ** 2) / 2
        style.bound_line(ax, limit, r"$\kappa(h^2+\Delta^2)/2$")
        _line(ax, curves["exact global"], style.BLUE, "-", "global baths")
        _line(ax, curves["exact local"], style.RED, "--", "local baths")
        _points(ax, curves["sampled global"], style.BLUE)
        _points(ax, curves["sampled local"], style.RED)
        if len(curves["sampled collisions"]["x"]):
            _points(
                ax, curves["sampled collisions"], style.ORANGE, fmt="s", mfc="none", markersize=6, label="collisions"
            )
        ax.set(
            xscale="log",
            xlabel=r"$k_BT_L/h$",
            ylabel=r"$J_L/h^2$",
            ylim=(0, 1.15 * limit),
            title=r"XY chain of 4 spins, $T_R = 0$, $\Delta = 0.5\,h$, $\kappa = 0.1$",
        )
        ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.9))
        return ax.figure


def draw_switching(curves: dict[str, Any]) -> Any:
    """Probabilities of the three values that the work can take, exact as bars and sampled as points."""
    import matplotlib.pyplot as plt

    with style.house():
        figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.4), sharey=True, layout="constrained")
        titles = {"steady": "from the steady state", "ground": r"from $|\!\downarrow\uparrow\,\rangle$"}
        for ax, (start, title) in zip(axes, titles.items(), strict=True):
            for shift, name, color in ((-0.19, "jumps", style.BLUE), (0.19, "collisions", style.ORANGE)):
                x = np.arange(3) + shift
                mean, variance = curves[f"{name} {start} moments"]
                label = (
                    rf"{name}: mean ${mean / curves['Delta']:+.3f}\,\Delta$,"
                    rf" variance ${variance / curves['Delta'] ** 2:.3f}\,\Delta^2$"
                )
                ax.bar(x, curves[f"{name} {start} exact"], width=0.36, color=color, alpha=0.45, label=label)
                if f"{name} {start} sampled" in curves:
                    sampled, error = curves[f"{name} {start} sampled"], curves[f"{name} {start} error"]
                    style.points(ax, x, sampled, error, color=style.INK, markersize=3)
            ax.set_xticks(range(3), [r"$-\Delta$", "0", r"$+\Delta$"])
            ax.set(xlabel="work", title=title, ylim=(0, 0.98))
            ax.legend(fontsize=8, loc="upper center")
        axes[0].set_ylabel("probability")
        figure.suptitle("Work of switching the local couplings of two Ising spins", fontsize=10)
        return figure
