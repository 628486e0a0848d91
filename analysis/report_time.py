"""Sections of a report: averages in time, waiting times, convergence."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import style
from .convergence import Convergence, convergence_in_ntraj
from .document import Block, Figure, Section
from .ensembles import heat_cumulants_in_time, jump_records
from .report_subject import Subject
from .waiting import WaitingTimes, waiting_times
from .waiting_exact import exact_waiting

MANY_WAITS_DIMENSION = 8  # largest system whose exact waiting-time densities are drawn


Floats = NDArray[np.float64]


def in_time(subject: Subject) -> Section | None:
    """Heat and observables on the tlist."""
    times = np.asarray(subject.ens.tlist)
    if len(times) < 3:
        return None
    blocks: list[Block] = [_time_figure(subject, order) for order in (1, 2)]
    for name, found in list(subject.ens.expect.items())[:6]:
        j = list(subject.ens.expect).index(name)
        curve = subject.exact.expectations()[:, j] if subject.exact is not None else None
        blocks.append(Figure(f"expect_{j}", f"⟨{name}⟩ on the tlist.", _expectation(times, found, curve, name)))
    return Section("In time", tuple(blocks))


def _time_figure(subject: Subject, order: int) -> Figure:
    times = np.asarray(subject.ens.tlist)
    shown = [(b, heat_cumulants_in_time(subject.ens, b)) for b in subject.baths]
    curves: dict[str, Floats] = {}
    if subject.exact is not None and len(times) <= 400:
        for bath in (b for b in subject.baths if b not in subject.loads):
            curves[bath] = np.array([subject.exact.heat_cumulants_at(t, bath, order)[order - 1] for t in times])

    def draw(ax: Any) -> None:
        for k, (bath, found) in enumerate(shown):
            color = style.CYCLE[k % len(style.CYCLE)]
            step = max(1, len(times) // 40)
            value, error = found.value[::step, order - 1], found.error[::step, order - 1]
            style.points(ax, times[::step], value, error, color=color, label=bath)
            if bath in curves:
                ax.plot(times, curves[bath], color=color, linewidth=1.1, zorder=0)
        ax.set(xlabel="time", ylabel=("mean heat", "variance of the heat")[order - 1])
        ax.legend()

    lines = " Lines: exact." if curves else ""
    what = ("Mean", "Variance")[order - 1]
    return Figure(f"heat_order_{order}", f"{what} of the heat received so far, with standard errors.{lines}", draw)


def convergence(subject: Subject) -> Section | None:
    """Slope of the error against the number of trajectories."""
    found: list[Convergence] = []
    for bath in (b for b in subject.baths if b not in subject.loads):
        mean = float(subject.exact.cumulants(f"heat:{bath}", 1)[0]) if subject.exact is not None else None
        try:
            found.append(convergence_in_ntraj(subject.ens, f"heat:{bath}", exact=mean, levels=6))
        except ValueError:  # too few trajectories, or no heat at all
            continue
    if not found:
        return None
    blocks: list[Block] = [repr(c) for c in found]
    blocks.append(
        Figure("convergence", "Error of the mean heat against the exact value.", lambda ax: _converge(ax, found))
    )
    return Section("Convergence", tuple(blocks))


def waits(subject: Subject) -> Section | None:
    """Waiting times, where jumps were kept."""
    program = subject.ens.program
    if "jumps" not in program.keep or len(subject.ens.jump_time) < 100:
        return None
    records = jump_records(subject.ens)
    usual = records.horizon * len(records.row_size) / len(records.time)
    window = min(0.5 * records.horizon, 6.0 * usual)
    steady = subject.stationary
    found = waiting_times(records, longest=window)
    grid = np.linspace(0.0, window, 200)
    law = _waiting_law(subject, grid) if steady and program.kind == "jumps" else None

    def draw(ax: Any) -> None:
        found.plot(ax, exact=(lambda t: np.interp(t, grid, law)) if law is not None else None)

    return Section("Waiting times", (f"{found!r}", Figure("waiting_times", _waiting_caption(found), draw)))


def _waiting_law(subject: Subject, grid: Floats) -> Floats | None:
    assert subject.exact is not None
    process = subject.exact.model.process
    if process.d > MANY_WAITS_DIMENSION or subject.loads:
        return None
    flow = process.elements[0]
    exact = exact_waiting(flow.H.toarray(), [op.toarray() for op in flow.ops])
    return exact.density(grid)


def _expectation(times: Floats, found: Any, curve: Floats | None, name: str) -> Callable[[Any], None]:
    def draw(ax: Any) -> None:
        step = max(1, len(times) // 40)
        style.points(
            ax, times[::step], np.asarray(found.value)[::step], np.asarray(found.error)[::step], label="sampled"
        )
        if curve is not None:
            ax.plot(times, curve, color=style.INK, linewidth=1.1, zorder=0, label="exact")
        ax.set(xlabel="time", ylabel=f"⟨{name}⟩")
        ax.legend()

    return draw


def _converge(ax: Any, found: list[Convergence]) -> None:
    for k, part in enumerate(found):
        color = style.CYCLE[k % len(style.CYCLE)]
        style.points(ax, part.x, part.size, part.size_error, color=color, label=f"{part.name}: slope {part.slope}")
        ax.plot(part.x, part.prefactor * part.x**part.slope.value, color=color, linewidth=1.0)
    ax.set(xlabel="trajectories", ylabel="error of the mean")
    style.logarithmic(ax, x=True, y=True)
    ax.legend()


def _waiting_caption(found: WaitingTimes) -> str:
    return f"Density of the time to the next jump, from {found.n} waits watched for {found.longest:.4g} each."
