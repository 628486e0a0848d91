"""Section of a report: fluctuation theorems, generating functions, uncertainty relations."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import style
from .against_exact import DISTRIBUTIONS_UP_TO
from .backwards import is_own_reverse, run_backwards
from .cumulants import cumulants
from .detailed_theorem import DetailedTheorem, detailed_fluctuation_theorem
from .document import Block, Figure, Grid, Section
from .generating_function import GeneratingFunction, generating_function
from .integral_theorem import integral_fluctuation_theorem
from .report_subject import Subject, prose
from .uncertainty import kinetic_uncertainty, thermodynamic_uncertainty

BACKWARD_TRAJECTORIES = 50_000


Floats = NDArray[np.float64]


def theorems(subject: Subject) -> Section:
    """Integral, detailed, generating functions, uncertainty relations."""
    if not subject.has_entropy:
        return Section(
            "Fluctuation theorems",
            ("The entropy production is not defined in this model, so no theorem is tested.",),
        )
    blocks: list[Block] = []
    steady = subject.stationary
    expected = 1.0 if subject.exact is None else float(subject.exact.statistics.exponential_average.mean)
    integral = integral_fluctuation_theorem(subject.ens, expected=expected, symmetric=steady)
    if abs(expected - 1.0) > 1e-9:
        blocks.append(
            f"The start does not fill all states, so ⟨e^−Σ⟩ is {expected:.6g}, not 1: of the "
            f"reversed trajectories a share {1 - expected:.4g} ends where no forward one begins."
        )
    blocks.append(prose(f"Integral theorem: {integral!r}"))
    blocks += _detailed(subject)
    if subject.exact is not None:
        blocks.append(_entropy_curve(subject))
    blocks += _heat_curves(subject)
    blocks += _uncertainty(subject)
    return Section("Fluctuation theorems", tuple(blocks))


def _detailed(subject: Subject) -> Iterator[Block]:
    if subject.exact is None:
        return
    reversible = not subject.loads and bool(np.isfinite(subject.exact.model.process.counts.entropy).all())
    if not reversible:
        yield "Some exchanges have no reverse process, so the detailed theorem makes no statement here."
        return
    if is_own_reverse(subject.exact):
        found = detailed_fluctuation_theorem(subject.ens)
        yield prose(f"Detailed theorem: the process is its own reverse. {found!r}")
        yield _detailed_figure(found, "P(Σ) against its own mirror image, as the process is its own reverse.")
    elif subject.exact.model.process.d <= DISTRIBUTIONS_UP_TO:
        n = min(len(subject.ens), BACKWARD_TRAJECTORIES)
        found = detailed_fluctuation_theorem(subject.ens, backward=run_backwards(subject.ens, n, progress=False))
        yield prose(
            "Detailed theorem: the process is not its own reverse (coherence, or no steady start), so the "
            f"ensemble is held against {n} trajectories of the reversed process. {found!r}"
        )
        yield _detailed_figure(found, "P(Σ) of the ensemble against P̃(−Σ) of the reversed process.")


def _entropy_curve(subject: Subject) -> Figure:
    assert subject.exact is not None
    s = np.linspace(0.0, 1.0, 21)
    curve = np.log(subject.exact.entropy_generating_function(s))
    sampled = generating_function(subject.ens, "entropy_production", -s[1:])

    def draw(ax: Any) -> None:
        good = sampled.converged
        style.points(ax, s[1:][good], sampled.value[good], sampled.error[good], label="sampled")
        if not good.all():
            style.points(ax, s[1:][~good], sampled.value[~good], color=style.RED, mfc="none", label="not converged")
        ax.plot(s, curve, color=style.INK, linewidth=1.2, label="exact", zorder=0)
        ax.axhline(0.0, color=style.MUTED, linewidth=0.8, linestyle=":")
        ax.set(xlabel="s", ylabel=r"$\ln\,\langle e^{-s\Sigma}\rangle$")
        ax.legend()

    return Figure(
        "entropy_generating_function",
        "Generating function of Σ: at s = 1 it is the integral theorem; symmetric about s = 1/2 if the process is "
        "its own reverse.",
        draw,
    )


def _heat_curves(subject: Subject) -> Iterator[Figure]:
    """Generating function of the first bath's heat with its convergence limit."""
    if subject.exact is None:
        return
    for bath in [b for b in subject.baths if b not in subject.loads][:1]:
        spread = float(np.std(subject.finite(f"heat:{bath}")))
        quantum = float(np.abs(subject.exact.model.process.counts.heat_weight(bath)).max(initial=0.0))
        if spread == 0.0 or quantum == 0.0:
            continue
        # where heat is rare the spread is far below a quantum, and e^{s q} would leave every bound
        reach = min(3.0 / spread, 4.0 / quantum)
        found = generating_function(subject.ens, f"heat:{bath}", np.linspace(-reach, reach, 25))
        curve = subject.exact.heat_generating_function(bath, found.s)
        yield Figure(
            f"generating_function_{bath}",
            f"Generating function of the heat from {bath}; shaded where enough trajectories carry the average.",
            lambda ax, f=found, c=curve: _draw_generating_function(ax, f, np.log(c)),  # type: ignore[misc]
        )


def _uncertainty(subject: Subject) -> Iterator[Block]:
    rows = []
    finite = bool(np.isfinite(np.asarray(subject.ens.entropy_production)).all())
    for bath in subject.baths:
        heat = cumulants(subject.ens, f"heat:{bath}")
        if heat[1].value == 0.0 or abs(heat[1].value) < 2 * heat[1].error:
            continue
        tur = thermodynamic_uncertainty(subject.ens, f"heat:{bath}") if finite else None
        kur = kinetic_uncertainty(subject.ens, f"heat:{bath}")
        rows.append((bath, str(tur.ratio) if tur else "∞", str(kur.ratio)))
    if rows:
        yield Grid(
            ("current", "Var·⟨Σ⟩/⟨Q⟩²", "Var·⟨N⟩/⟨Q⟩²"),
            tuple(rows),
            "Thermodynamic and kinetic uncertainty ratios at finite time; classical ones stay above 2 and 1.",
        )


def _detailed_figure(found: DetailedTheorem, caption: str) -> Figure:
    def draw(ax: Any) -> None:
        found.plot(ax)
        ax.set_xlabel("Σ")

    return Figure("detailed_theorem", caption, draw)


def _draw_generating_function(ax: Any, found: GeneratingFunction, curve: Floats) -> None:
    found.plot(ax, exact=lambda _: curve)
    ax.set_title("")
