"""A report on an ensemble: what was run, held against the exact side, with its figures, in one file to send on."""

from pathlib import Path
from typing import Any, Literal

from collide.ensemble import load

from .against_exact import compare_with_exact
from .compare import Verdict
from .document import Document, Section
from .exact_side import ExactSide
from .report_distributions import distributions
from .report_html import write_html
from .report_markdown import write_markdown
from .report_numbers import numbers, what_was_run
from .report_png import write_png
from .report_subject import Subject
from .report_theorems import theorems
from .report_time import convergence, in_time, waits

Format = Literal["html", "md", "png"]
WRITERS = {"html": write_html, "md": write_markdown, "png": write_png}


def report(source: Any, out: str | Path | None = None, *, format: Format = "html", false_alarm: float = 0.001) -> Path:
    """Write a report on an ensemble.

    Parameters
    ----------
    source : path or Ensemble
        An ensemble, or its file.
    out : path, optional
        Beside the ensemble's file, with the format's ending, if omitted.
    format : ``"html"``, ``"md"`` or ``"png"``
        One page that holds everything and opens offline; Markdown with a folder of figures beside it; or one picture.
    false_alarm : float
        Of the comparison with the exact side.

    Returns
    -------
    Path
        What was written.
    """
    if format not in WRITERS:
        raise ValueError(f"`format` must be one of {', '.join(map(repr, WRITERS))}, but is {format!r}.")
    ensemble = load(source) if isinstance(source, str | Path) else source
    target = Path(out) if out is not None else _beside(ensemble, format)
    if len(ensemble) < 2:
        raise ValueError(f"the ensemble must hold at least two trajectories to report on, but holds {len(ensemble)}.")
    return WRITERS[format](document(ensemble, false_alarm=false_alarm), target)


def document(ensemble: Any, *, false_alarm: float = 0.001) -> Document:
    """The report before it is written."""
    exact, why = _exact_side(ensemble)
    verdict = None if exact is None else compare_with_exact(ensemble, false_alarm=false_alarm, exact=exact)
    subject = Subject(ensemble, exact)
    comparison = Section("Against the exact values", (verdict if verdict is not None else why,))
    sections = [numbers(subject), comparison, distributions(subject), theorems(subject)]
    later = [in_time(subject), waits(subject), convergence(subject), what_was_run(subject)]
    return Document(
        title=_title(ensemble),
        subtitle=f"{len(ensemble):,} trajectories to t = {float(ensemble.tlist[-1]):g}".replace(",", "\u202f"),
        verdict=verdict,
        facts=_facts(ensemble, verdict),
        sections=tuple(s for s in [*sections, *later] if s is not None and s.blocks),
        footer=_footer(ensemble),
    )


def _exact_side(ensemble: Any) -> tuple[ExactSide | None, str]:
    """The exact side, or why there is none."""
    try:
        exact = ExactSide(ensemble.program)
        _ = exact.statistics
    except (ValueError, MemoryError) as error:
        return None, f"No exact values to compare with: {error}"
    return exact, ""


def _title(ensemble: Any) -> str:
    machine = str(ensemble.recipe.get("machine", "ensemble")).replace("_", " ")
    parameters = ensemble.recipe.get("parameters", {})
    picture = "quantum jumps" if ensemble.program.kind.endswith("jumps") else "collisions"
    equation = parameters.get("equation")
    return f"{machine[:1].upper()}{machine[1:]}: {picture}" + (f", {equation} coupling" if equation else "")


def _facts(ensemble: Any, verdict: Verdict | None) -> tuple[tuple[str, str], ...]:
    program, provenance = ensemble.program, ensemble.provenance
    unsound = int((ensemble.status != 0).sum()) if "status" in ensemble.columns else 0
    complete = "complete" if ensemble.complete else f"{len(ensemble)} of {ensemble.planned}, unfinished"
    facts = [
        ("system", f"dimension {program.d}, sites {'×'.join(map(str, program.meta['dims']))}"),
        ("baths", ", ".join(ensemble.baths)),
        ("ensemble", complete + (f", {unsound} ended early" if unsound else "")),
        ("seed", str(ensemble.seed)),
        ("program", program.identity[:16]),
        ("computed in", _seconds(float(provenance.get("wall_time", 0.0)))),
    ]
    if verdict is not None:
        facts.append(("comparisons", f"{verdict.comparisons}, largest {verdict.largest:.2f} σ"))
    return tuple(facts)


def _seconds(t: float) -> str:
    if t < 120:
        return f"{t:.3g} s"
    return f"{t / 60:.3g} min" if t < 7200 else f"{t / 3600:.3g} h"


def _footer(ensemble: Any) -> str:
    p = ensemble.provenance
    version = p.get("version_qcollide")
    made = f"Run with collide {version}" if version else "Run with collide"
    libraries = ", ".join(f"{k.removeprefix('version_')} {p[k]}" for k in ("version_numpy", "version_numba") if k in p)
    created = f" on {str(p['created'])[:10]}" if "created" in p else ""
    return (
        f"{made}{created}" + (f" ({libraries})" if libraries else "") + "; ħ = k_B = 1, heat positive into the system."
    )


def _beside(ensemble: Any, format: str) -> Path:
    path = getattr(ensemble, "path", None)
    if path is None:
        raise ValueError("`out` must be given: this ensemble is in memory and has no file to write beside.")
    return Path(path).with_suffix(f".{format}")
