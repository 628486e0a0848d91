"""An ensemble of collisions beside what it must agree with: its exact map, the Lindblad limit, a closed form."""

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any

import numpy as np

from . import style
from .estimates import Estimate
from .exact_side import ExactSide


@dataclass(frozen=True)
class Row:
    """One steady-state rate, from four sources."""

    name: str
    sampled: Estimate
    exact: float
    limit: float
    closed: float | None


@dataclass(frozen=True)
class Overview:
    """Rates per unit time: sampled, of the exact map, of the Lindblad limit, and in closed form."""

    rows: tuple[Row, ...]

    def __str__(self) -> str:
        head = ("rate", "sampled ± standard error", "exact collision map", "Lindblad limit", "closed form (paper)")
        lines = [head]
        for row in self.rows:
            closed = "—" if row.closed is None else f"{row.closed + 0.0: .8f}"
            lines.append(
                (
                    row.name,
                    str(row.sampled),
                    f"{round(row.exact, 12) + 0.0: .8f}",
                    f"{round(row.limit, 12) + 0.0: .8f}",
                    closed,
                )
            )
        widths = [max(len(line[k]) for line in lines) for k in range(5)]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    __repr__ = __str__


def overview(ensemble: Any, limit: Any, closed: Mapping[str, float] | None = None) -> Overview:
    """Put heat currents, power and entropy production of an ensemble beside their exact values.

    Parameters
    ----------
    ensemble : Ensemble
        Started in its steady state.
    limit : LindbladModel
        ``model.lindblad_limit()``.
    closed : mapping of row name to float, optional
        Closed forms, by "heat current L", ..., "power", "entropy production rate".
    """
    exact, t = ensemble.program.exact, float(ensemble.tlist[-1])
    known = dict(closed or {})
    currents, limits = exact.heat_currents(), limit.heat_currents()
    rows = []
    for bath in ensemble.program.baths:
        name = f"heat current {bath}"
        rows.append(Row(name, _rate(ensemble.heat[bath], t), currents[bath], limits[bath], known.get(name)))
    rows.append(Row("power", _rate(ensemble.work, t), exact.power(), limit.power(), known.get("power")))
    sigma, name = _rate(ensemble.entropy_production, t), "entropy production rate"
    rows.append(Row(name, sigma, exact.entropy_production_rate(), limit.entropy_production_rate(), known.get(name)))
    return Overview(tuple(rows))


def _rate(column: Any, t: float) -> Estimate:
    values = np.asarray(column, dtype=float)
    spread = float(values.std(ddof=1))
    # a column that is constant but for rounding (no work at resonance) has no error worth printing
    value = float(values.mean()) if spread > 1e-9 else round(float(values.mean()), 9)
    return Estimate(value / t + 0.0, (spread if spread > 1e-9 else 0.0) / math.sqrt(len(values)) / t)


def draw_overview(ensembles: Mapping[str, Any], bath: str) -> Any:
    """Distribution of the quanta received from a bath, mean heat in time, and the entropy's generating function.

    Parameters
    ----------
    ensembles : mapping of label to Ensemble
    bath : str
        Whose heat is shown.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    with style.house():
        figure, axes = plt.subplots(1, 3, figsize=(12.6, 3.9), layout="constrained")
        for k, (label, ensemble) in enumerate(ensembles.items()):
            color, marker = style.CYCLE[k], style.MARKERS[k]
            _draw_quanta(axes[0], ensemble, bath, label, color, marker)
            _draw_heat(axes[1], ensemble, bath, label, color, marker)
            _draw_theorem(axes[2], ensemble, label, color, marker)
        axes[0].set(xlabel=f"net quanta received from {bath}", ylabel="probability", yscale="log")
        axes[0].set_title("Points sampled, lines exact")
        axes[1].set(xlabel="time", ylabel=f"mean heat from {bath}")
        axes[1].set_title("Bars: 3 standard errors")
        axes[2].plot([0, 1], [1, 1], "s", mfc="none", color=style.INK, markersize=9, zorder=3)
        axes[2].set(xlabel="s", ylabel="⟨exp(−sΣ)⟩")
        axes[2].set_title("Fluctuation theorem at s = 1")
        for ax in axes:
            ax.legend()
    return figure


def _draw_quanta(ax: Any, ensemble: Any, bath: str, label: str, color: str, marker: str) -> None:
    n, p = ExactSide(ensemble.program).quanta(bath)
    shown = p > 0.3 / len(ensemble)
    ax.plot(n[shown], p[shown], color=color, linewidth=1.0)
    a = ensemble.program.arrays
    weight = np.where(a["count_bath"] == ensemble.program.baths.index(bath), a["count_charge"], 0)
    values, number = np.unique(np.asarray(ensemble.counts).astype(int) @ weight, return_counts=True)
    total = number.sum()
    ax.errorbar(values, number / total, np.sqrt(number) / total, fmt=marker, color=color, label=label, capsize=2)


def _draw_heat(ax: Any, ensemble: Any, bath: str, label: str, color: str, marker: str) -> None:
    times = np.asarray(ensemble.tlist)
    value, error = (np.asarray(v) for v in ensemble.heat_moments()[bath])
    current = ensemble.program.exact.heat_currents()[bath]
    ax.plot(times, current * times, color=color, linewidth=1.0)
    ax.errorbar(times, value[:, 0], 3 * error[:, 0], fmt=marker, color=color, label=label, capsize=2)


def _draw_theorem(ax: Any, ensemble: Any, label: str, color: str, marker: str) -> None:
    sigma = np.asarray(ensemble.entropy_production)
    fine, coarse = np.linspace(0, 1.15, 47), np.arange(0.1, 1.11, 0.1)
    ax.plot(fine, ExactSide(ensemble.program).entropy_generating_function(fine), color=color, linewidth=1.0)
    weights = np.exp(-coarse[:, None] * sigma)
    error = 3 * weights.std(axis=1) / math.sqrt(len(sigma))
    ax.errorbar(coarse, weights.mean(axis=1), error, fmt=marker, color=color, label=label, capsize=2)
