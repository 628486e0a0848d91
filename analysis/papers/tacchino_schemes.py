"""The level schemes of Tacchino et al. (2018): the diamond between two baths, and the cavity that makes it."""

from typing import Any

from .. import style

BATH_S, BATH_A = style.BLUE, style.RED


def draw_diamond(ax: Any) -> None:
    """Fig. 1(a): G, S, A, E; each bath drives one path of the diamond, up at Gamma^+ and down at Gamma^-."""
    place = {"G": (0.5, 0.08), "S": (0.2, 0.5), "A": (0.8, 0.5), "E": (0.5, 0.92)}
    for name, (x, y) in place.items():
        _level(ax, x, y, rf"$|{name}\rangle$", _side(name))
    for bath, color, left in (("S", BATH_S, 1), ("A", BATH_A, -1)):
        for low, high in (("G", bath), (bath, "E")):
            _pair_of_arrows(ax, place[low], place[high], color)
        ax.text(
            0.5 - 0.43 * left,
            0.79,
            rf"$\Gamma^+,\ \Gamma_{bath}^-$",
            color=color,
            ha="center",
            va="center",
            fontsize=10,
        )
        ax.text(
            0.5 - 0.43 * left,
            0.19,
            rf"bath {bath}" + "\n" + rf"$T_{bath}=\omega_0/\beta_{bath}$",
            color=color,
            ha="center",
            va="center",
            fontsize=9,
        )
    for foot in (0.08, 0.5):
        ax.annotate(
            "",
            (0.5, foot + 0.42),
            (0.5, foot),
            arrowprops={"arrowstyle": "<->", "color": style.MUTED, "lw": 1, "shrinkB": 4},
        )
        ax.text(0.515, foot + 0.21, r"$\omega_0$", ha="left", va="center", color=style.MUTED)
    ax.set(xlim=(-0.16, 1.16), ylim=(0, 1.02))
    ax.set_axis_off()


def draw_cavity(ax: Any) -> None:
    """Fig. 2(a): two pumped two-level emitters in a leaky cavity, and the diamond that remains without the cavity."""
    from matplotlib.patches import Arc

    for x, angle in ((0.1, 180), (0.9, 0)):
        ax.add_patch(Arc((x + (0.32 if angle else -0.32), 0.76), 0.8, 0.56, theta1=angle - 42, theta2=angle + 42,
                         color=style.INK, lw=3))  # fmt: skip
    for x in (0.33, 0.67):
        for y in (0.68, 0.84):
            ax.plot([x - 0.06, x + 0.06], [y, y], color=style.INK, lw=2, solid_capstyle="butt")
        ax.annotate("", (x - 0.03, 0.83), (x - 0.03, 0.69), arrowprops=_arrow(style.GREEN))
        ax.annotate("", (x + 0.03, 0.69), (x + 0.03, 0.83), arrowprops=_arrow(style.ORANGE))
        ax.text(x - 0.045, 0.755, "$p$", color=style.GREEN, ha="right", va="center", fontsize=9)
        ax.text(x + 0.045, 0.755, r"$\gamma$", color=style.ORANGE, ha="left", va="center", fontsize=9)
    ax.annotate("", (0.58, 0.93), (0.42, 0.93), arrowprops={"arrowstyle": "<->", "color": style.MUTED, "lw": 1})
    ax.text(0.5, 0.945, "$g$ (mode)", color=style.MUTED, ha="center", va="bottom", fontsize=9)
    ax.annotate("", (1.12, 0.76), (0.97, 0.76), arrowprops=_arrow(style.PURPLE))
    ax.text(1.05, 0.785, r"$\kappa$", color=style.PURPLE, ha="center", va="bottom")
    place = {"G": (0.5, 0.03), "S": (0.28, 0.26), "A": (0.72, 0.26), "E": (0.5, 0.49)}
    for name, (x, y) in place.items():
        _level(ax, x, y, rf"$|{name}\rangle$", _side(name), width=0.07)
    for low, high in (("G", "S"), ("S", "E")):
        _pair_of_arrows(ax, place[low], place[high], BATH_S)
    for low, high in (("G", "A"), ("A", "E")):
        _pair_of_arrows(ax, place[low], place[high], BATH_A)
    ax.text(0.05, 0.45, r"$\frac{p}{2},\ \frac{4g^2}{\kappa}+\frac{\gamma}{2}$", color=BATH_S, ha="center", fontsize=11)
    ax.text(0.95, 0.45, r"$\frac{p}{2},\ \frac{\gamma}{2}$", color=BATH_A, ha="center", fontsize=11)
    ax.set(xlim=(-0.16, 1.16), ylim=(-0.02, 1.02))
    ax.set_axis_off()


def _level(ax: Any, x: float, y: float, label: str, side: str, width: float = 0.1) -> None:
    ax.plot([x - width, x + width], [y, y], color=style.INK, lw=2.2, solid_capstyle="butt", zorder=3)
    gap = 0.025
    at = {"left": (x - width - gap, y), "right": (x + width + gap, y), "below": (x, y - gap)}[side]
    align = {"left": ("right", "center"), "right": ("left", "center"), "below": ("center", "top")}[side]
    ax.text(*at, label, ha=align[0], va=align[1], color=style.INK)


def _side(name: str) -> str:
    return {"S": "left", "A": "right"}.get(name, "right")


def _pair_of_arrows(ax: Any, low: tuple[float, float], high: tuple[float, float], color: str) -> None:
    """One up and one down, side by side."""
    (x0, y0), (x1, y1) = low, high
    x0, y0 = x0 + 0.1 * (x1 - x0), y0 + 0.08 * (y1 - y0)
    x1, y1 = x1 - 0.1 * (x1 - x0), y1 - 0.08 * (y1 - y0)
    for shift, start, stop in ((-0.016, (x0, y0), (x1, y1)), (0.016, (x1, y1), (x0, y0))):
        ax.annotate("", (stop[0] + shift, stop[1]), (start[0] + shift, start[1]), arrowprops=_arrow(color))


def _arrow(color: str) -> dict[str, Any]:
    return {"arrowstyle": "-|>", "color": color, "lw": 1.3, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
