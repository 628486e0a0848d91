"""What a report consists of, before it is written in any format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .compare import Comparison, Verdict


@dataclass(frozen=True)
class Figure:
    """A figure that draws itself on given axes.

    Attributes
    ----------
    name : str
        Word for file names.
    caption : str
        What is seen, in a sentence or two.
    draw : callable
        ``draw(ax)``.
    size : (float, float)
        Inches.
    """

    name: str
    caption: str
    draw: Callable[[Any], Any]
    size: tuple[float, float] = (5.0, 3.3)


@dataclass(frozen=True)
class Grid:
    """A table of cells.

    Attributes
    ----------
    header : tuple of str
    rows : tuple of tuple of str
    caption : str
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


Block = str | Grid | Figure | Verdict


@dataclass(frozen=True)
class Section:
    """A title and what stands below it: sentences, tables, figures."""

    title: str
    blocks: tuple[Block, ...]

    def figures(self) -> tuple[Figure, ...]:
        """The figures of the section."""
        return tuple(b for b in self.blocks if isinstance(b, Figure))


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes
    ----------
    title, subtitle : str
    verdict : Verdict or None
        The comparison with the exact side, whose sentence heads the report.
    facts : tuple of (str, str)
        Short facts for the head.
    sections : tuple of Section
    footer : str
    """

    title: str
    subtitle: str
    verdict: Verdict | None
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    footer: str = ""

    def figures(self) -> tuple[Figure, ...]:
        """All figures in order."""
        return tuple(f for s in self.sections for f in s.figures())


def verdict_rows(verdict: Verdict) -> Sequence[tuple[str, str, str, str]]:
    """The comparisons as cells: quantity, sampled, exact, deviation."""
    return [(readable(r.name), *_numbers(r), f"{r.z:+.2f}") for r in verdict.rows]


def readable(name: str) -> str:
    """Angle brackets that look like averages, and names in words."""
    words = (
        name.replace("exp(-Σ)", "e^−Σ").replace("heat:", "heat ").replace("entropy_production", "Σ").replace("_", " ")
    )
    words = words.replace(" at t = ", ", t = ")
    return words.replace("<", "⟨").replace(">", "⟩")


def _numbers(row: Comparison) -> tuple[str, str]:
    """Sampled and exact value; a conserved quantity shows zero, not the rounding that is left of it."""
    error = row.sampled.error
    if error < 1e-7 and abs(row.exact) < 1e-3 * error and abs(row.sampled.value) < 1e-3 * error:
        return "0", "0"
    return str(row.sampled), "0" if abs(row.exact) < 1e-6 * error else f"{row.exact:.6g}"
