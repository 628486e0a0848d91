"""Section of a report: the distributions, exact laws laid over where they are known."""

from collections.abc import Callable
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cumulants import cumulants
from .distributions import Atoms, Density, atoms, distribution
from .document import Block, Figure, Section
from .report_subject import Subject, label, sentence

Floats = NDArray[np.float64]


def distributions(subject: Subject) -> Section:
    """Net quanta, energy change, work and entropy production, exact laws laid over where they are known."""
    figures: list[Block] = []
    counted = np.asarray(subject.ens.counts)
    for bath in subject.baths:
        if subject.exact is None:
            figures.append(_histogram(subject, f"heat:{bath}"))
            continue
        net = counted @ subject.exact.model.process.counts.charge_weight(bath)
        law = subject.exact.quanta(bath) if subject.small else None
        figures.append(_quanta_figure(bath, atoms(net, f"net quanta from {bath}"), law))
    for quantity in ("energy_change", "work", "entropy_production"):
        if quantity in subject.quantities() and cumulants(subject.ens, quantity)[2].value != 0.0:
            wide = float(np.ptp(subject.finite(quantity))) > 1e-9
            figures += [_histogram(subject, quantity)] if wide else []
    return Section("Distributions", tuple(figures))


def _histogram(subject: Subject, quantity: str) -> Figure:
    found = distribution(subject.ens, quantity)
    law = _law(subject, quantity) if isinstance(found, Atoms) else None
    moments = None if law or subject.exact is None else _two_moments(subject, quantity)
    infinite = 1 - len(subject.finite(quantity)) / len(subject.ens)
    over = isinstance(found, Density) and moments is not None
    caption = sentence(label(quantity))
    caption += " Bars across: the exact distribution." if law else ""
    caption += f" Infinite for {100 * infinite:.3g} % of the trajectories." if infinite else ""
    caption += " Line: the Gaussian of the exact mean and variance." if over else ""

    def draw(ax: Any) -> None:
        if isinstance(found, Atoms):
            found.plot(ax, exact=law, log=True)
        else:
            found.plot(ax, exact=_gaussian(*moments) if moments else None)
            _rename(ax, "exact", "Gaussian")
        ax.set_xlabel(label(quantity))

    return Figure(quantity.replace(":", "_"), caption, draw)


def _law(subject: Subject, quantity: str) -> tuple[Floats, Floats] | None:
    """The exact distribution of a column, where it is within reach."""
    if subject.exact is None:
        return None
    if quantity == "energy_change":
        return subject.exact.energy_change_distribution()
    joint = subject.joint if subject.small else None
    if joint is None or quantity not in ("work", "entropy_production"):
        return None
    return joint.work() if quantity == "work" else joint.entropy_production()


def _two_moments(subject: Subject, quantity: str) -> tuple[float, float] | None:
    assert subject.exact is not None
    found = subject.exact.cumulants(quantity, 2)
    return (float(found[0]), float(found[1])) if len(found) == 2 and np.isfinite(found).all() else None


def _quanta_figure(bath: str, found: Atoms, law: tuple[Floats, Floats] | None) -> Figure:
    over = " Bars across: the exact distribution." if law is not None else ""
    return Figure(
        f"quanta_{bath}",
        f"Net quanta received from {bath}, with Poisson errors.{over}",
        lambda ax: found.plot(ax, exact=law, log=True),
    )


def _gaussian(mean: float, variance: float) -> Callable[[Floats], Floats]:
    def pdf(x: Floats) -> Floats:
        return np.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)

    return pdf


def _rename(ax: Any, old: str, new: str) -> None:
    for line in ax.get_lines():
        if line.get_label() == old:
            line.set_label(new)
    ax.legend()
