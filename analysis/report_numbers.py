"""Sections of a report: what was run, and the numbers that came out."""

from collections.abc import Iterator
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cumulants import cumulants
from .document import Block, Grid, Section
from .estimates import Estimate
from .regimes import regime_of
from .report_subject import Subject, label, sentence

Floats = NDArray[np.float64]


def what_was_run(subject: Subject) -> Section:
    """Model, baths, program."""
    meta = subject.ens.program.meta
    blocks: list[Block] = [f"{sentence(str(meta.get('explanation', '')))}"]
    parameters = subject.ens.recipe.get("parameters", {})
    shown = tuple((str(k), _plain(v)) for k, v in parameters.items() if v is not None)
    if shown:
        blocks.append(Grid(("parameter", "value"), shown))
    if subject.exact is not None:
        blocks.append(Grid(("bath", "β", "T", "quanta"), tuple(_bath_rows(subject))))
    return Section("What was run", tuple(b for b in blocks if b))


def _bath_rows(subject: Subject) -> Iterator[tuple[str, ...]]:
    assert subject.exact is not None
    table = subject.exact.model.process.counts
    for k, (name, beta) in enumerate(subject.exact.beta.items()):
        quanta = np.unique(np.round(np.abs(table.quantum[table.bath == k]), 12))
        shown = ", ".join(f"{q:.6g}" for q in quanta[:6]) + (" …" if len(quanta) > 6 else "")
        temperature = "—" if math.isnan(beta) else "∞" if beta == 0 else f"{1 / beta:.6g}"
        yield name, "—" if math.isnan(beta) else f"{beta:.6g}", temperature, shown or "—"


def numbers(subject: Subject) -> Section:
    """Cumulants to order 3 of every column with errors."""
    rows = []
    for quantity in subject.quantities():
        c = cumulants(subject.ens, quantity)
        zero = float(np.abs(subject.finite(quantity)).max(initial=0.0)) < 1e-10
        rows.append((label(quantity), *("0" if zero else _shown(c[k]) for k in (1, 2, 3))))
    grid = Grid(
        ("quantity", "mean", "variance", "third cumulant"),
        tuple(rows),
        f"Unbiased cumulants at t = {subject.ens.tlist[-1]:g} with jackknife errors, not divided by time.",
    )
    blocks: list[Block] = [grid, *_machine(subject)]
    return Section("Heat, work and entropy production", tuple(blocks))


def _machine(subject: Subject) -> Iterator[str]:
    """The operation regime of a machine between two thermal baths that does work."""
    beta = subject.exact.beta if subject.exact else {}
    thermal = [b for b in beta if math.isfinite(beta[b])]
    work = cumulants(subject.ens, "work")
    if len(thermal) == 2 and work[2].value > 1e-12:
        hot, cold = sorted(thermal, key=lambda b: beta[b])
        if beta[hot] < beta[cold]:
            yield f"Operation: {regime_of(subject.ens, hot, cold)!r}"


def _shown(estimate: Estimate) -> str:
    """An estimate as the table shows it: infinite and undefined values by a sign of their own."""
    if math.isnan(estimate.value):
        return "—"
    return "∞" if math.isinf(estimate.value) else str(estimate)


def _plain(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
