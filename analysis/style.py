"""The house style of figures: colours that survive colour blindness, few lines, matplotlib only when something is
drawn.

The palette is the one of Okabe and Ito (2008): distinguishable with every common colour-vision deficiency and in
grey.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Axes = Any  # matplotlib.axes.Axes; matplotlib is imported only when something is drawn

INK = "#22282e"
MUTED = "#7a828a"
GRID = "#e6e8ea"
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#c9b400",
)  # fmt: skip
CYCLE: tuple[str, ...] = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, YELLOW)
MARKERS: tuple[str, ...] = ("o", "s", "^", "D", "v", "P", "X")

RC: Any = {
    "font.size": 10.0,
    "font.family": ["DejaVu Sans"],
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "svg.fonttype": "path",
    "svg.hashsalt": "collide",
}


@contextmanager
def house() -> Iterator[None]:
    """Draw inside this context to get the house style; matplotlib's own settings come back afterwards."""
    from cycler import cycler
    import matplotlib as mpl

    with mpl.rc_context({**RC, "axes.prop_cycle": cycler(color=CYCLE)}):
        yield


def axes(ax: Axes | None = None, *, size: tuple[float, float] = (5.2, 3.4)) -> Axes:
    """Return `ax`, or the axes of a new figure in the house style."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    with house():
        figure = plt.figure(figsize=size, layout="constrained")
        return figure.add_subplot()


def grid_of_axes(count: int, *, columns: int = 2, size: tuple[float, float] = (4.6, 3.2)) -> Sequence[Axes]:
    """Return `count` axes of one new figure, filled row by row."""
    import matplotlib.pyplot as plt

    columns = min(columns, count)
    rows = -(-count // columns)
    with house():
        figure = plt.figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained")
        return [figure.add_subplot(rows, columns, k + 1) for k in range(count)]


def bound_line(ax: Axes, y: float, label: str) -> None:
    """Mark a bound with a dashed horizontal line."""
    ax.axhline(y, color=MUTED, linewidth=1.0, linestyle=(0, (5, 3)), zorder=0, label=label)


def logarithmic(ax: Axes, *, x: bool = False, y: bool = False) -> None:
    """Logarithmic axes with labels at 1, 2, 5 where they span little, else at powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    for wanted, axis, scale in ((x, ax.xaxis, ax.set_xscale), (y, ax.yaxis, ax.set_yscale)):
        if not wanted:
            continue
        scale("log")
        low, high = axis.get_view_interval()
        if low > 0 and high < 60 * low:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())


def points(ax: Axes, x: Any, y: Any, error: Any = None, **options: Any) -> None:
    """Draw points with thin error bars."""
    settings: dict[str, Any] = {"fmt": "o", "markersize": 4, "elinewidth": 1.0, "capsize": 0, "color": BLUE, **options}
    ax.errorbar(x, y, yerr=error, **settings)
