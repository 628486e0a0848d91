"""The figures of Wu and Segal 2009 in the paper's layout."""

from typing import Any

from .. import style

Axes = Any
LOOKS = {"HO": (style.BLUE, "-"), "TLS": (style.RED, "--")}  # full and dashed in the paper


def _points(ax: Axes, data: Any, color: str, value: str = "R", **more: Any) -> None:
    if len(data["x"]):
        style.points(ax, data["x"], data[value], data["error"], color=color, **more)


def draw_rectifier(curves: dict[str, Any]) -> Any:
    """Fig. 2 with its inset."""
    with style.house():
        ax = style.axes(size=(6.0, 4.2))
        for subsystem, (color, dashes) in LOOKS.items():
            data = curves[f"main {subsystem}"]
            ax.plot(data["x"], data["R"], color=color, linestyle=dashes, label=f"spin–{subsystem}–metal")
            _points(ax, curves[f"sampled main {subsystem}"], color)
        ax.axhline(curves["T_R/T_L"], color=style.MUTED, linewidth=0.7, zorder=0)
        ax.text(3.98, curves["T_R/T_L"] - 0.003, r"$T_R/T_L$", fontsize=8, color=style.MUTED, ha="right", va="top")
        ax.set(
            xlim=(0, 4),
            ylim=(0.64, 1.02),
            xlabel=r"$\omega$",
            ylabel=r"$\mathcal{R} = |J(\Delta)/J(-\Delta)|$",
            title=r"$T_a = 0.5$, $\Delta = 0.1$, $\Upsilon_L = \Gamma_F^R = 1$",
        )
        ax.legend(loc="upper left", bbox_to_anchor=(0.36, 0.87))
        inset = ax.inset_axes((0.40, 0.19, 0.57, 0.40))
        for subsystem, (color, dashes) in LOOKS.items():
            data = curves[f"inset {subsystem}"]
            inset.plot(data["x"], data["R"], color=color, linestyle=dashes)
            _points(inset, curves[f"sampled inset {subsystem}"], color, markersize=3)
        inset.set(xlim=(0, 2), ylim=(0.66, 1.0))
        inset.set_title(r"$\Gamma_F^R = 0.05$", fontsize=8, weight="normal")
        inset.tick_params(labelsize=8)
        return ax.figure


def draw_types(curves: dict[str, Any]) -> Any:
    """Type A against the metal's band and against the spacing; type B against the number of levels."""
    with style.house():
        axes = style.grid_of_axes(3, columns=3, size=(3.7, 3.3))
        _draw_band(axes[0], curves["A"])
        _draw_crossing(axes[1], curves["crossing"])
        _draw_levels(axes[2], curves["B"])
        return axes[0].figure


def _draw_band(ax: Axes, data: Any) -> None:
    ax.plot(data["exact"]["x"], data["exact"]["R"], color=style.BLUE, label="exact, Eq. (20)")
    ax.plot(data["linear"]["x"], data["linear"]["R"], color=style.MUTED, linestyle=":", label="first order")
    _points(ax, data["sampled"], style.BLUE)
    ax.set(xlabel=r"$\delta_R$", ylabel=r"$\mathcal{R}$", title="type A: solid–HO–metal", xlim=(0, 1.03))
    ax.legend(loc="lower left", title=rf"$T_a = {data['T_a']:g}$, $\Delta = {data['difference']:g}$", title_fontsize=8)


def _draw_crossing(ax: Axes, data: Any) -> None:
    style.bound_line(ax, 0.0, "")
    ax.plot(data["x"], 1e3 * (data["R"] - 1), color=style.RED, linestyle="--")
    ax.set(
        xscale="log",
        xlabel=r"$\omega$",
        ylabel=r"$10^3(\mathcal{R}-1)$",
        title="solid–TLS–metal: either way",
        ylim=(-10, 1.5),
    )


def _draw_levels(ax: Axes, data: Any) -> None:
    for kind, color, marker in (("boson", style.BLUE, "o"), ("spin", style.GREEN, "s")):
        name = {"boson": "solid–ladder–solid", "spin": "spin–ladder–spin"}[kind]
        ax.plot(data[kind]["x"], data[kind]["R"], color=color, linewidth=1.0, label=name)
        ax.axhline(data[f"{kind} HO"], color=color, linewidth=0.7, linestyle=":", zorder=0)
        _points(ax, data[f"sampled {kind}"], color, fmt=marker)
    ax.set(xlabel="levels N", ylabel=r"$\mathcal{R}$", title="type B: from TLS to HO", xticks=[2, 5, 10, 15, 20])
    ax.legend(loc="center right", bbox_to_anchor=(1.0, 0.63))


def draw_swaps(curves: dict[str, Any]) -> Any:
    """Heat per cycle: the closed form (lines), the exact map (rings) and ensembles (points)."""
    with style.house():
        ax = style.axes(size=(5.4, 3.6))
        for kind, color, name in (("boson", style.BLUE, "boson–HO–boson"), ("spin", style.RED, "spin–TLS–spin")):
            ax.plot(curves[f"formula {kind}"]["x"], curves[f"formula {kind}"]["q"], color=color, label=name)
            ax.plot(curves[f"map {kind}"]["x"], curves[f"map {kind}"]["q"], "o", mfc="none", color=color, markersize=8)
            if f"sampled {kind}" in curves:
                _points(ax, curves[f"sampled {kind}"], color, "q")
        ax.set(
            xlim=(0, 1.03),
            ylim=(0, None),
            xlabel=r"swap probability $a$ with the ancillas of L",
            ylabel=r"heat from L per cycle / $\omega$",
            title=rf"Collisions at any angle, $b = {curves['b']:g}$",
        )
        ax.legend(title=r"lines: $\omega\,ab\,(n_L-n_R)/(a+b-ab)$", title_fontsize=9, loc="upper left")
        return ax.figure
