"""A report as one picture: the verdict and all figures on a sheet."""

from pathlib import Path
import textwrap
from typing import Any

from . import style
from .document import Document, Figure

COLUMNS = 3
PANEL = (4.6, 3.3)


def write_png(document: Document, path: Path, *, dpi: int = 130) -> Path:
    """Draw the sheet and return its path."""
    import matplotlib.pyplot as plt

    figures = [*_verdict_panel(document), *document.figures()]
    rows = -(-len(figures) // COLUMNS)
    with style.house():
        sheet = plt.figure(figsize=(PANEL[0] * COLUMNS, 1.3 + PANEL[1] * rows), layout="constrained")
        halves: Any = sheet.subfigures(2, 1, height_ratios=[1.3, PANEL[1] * rows])
        head, body = halves
        _head(head, document)
        for k, figure in enumerate(figures):
            ax = body.add_subplot(rows, COLUMNS, k + 1)
            figure.draw(ax)
        sheet.savefig(path, dpi=dpi, metadata={"Software": None})
        plt.close(sheet)
    return path


def _head(head: Any, document: Document) -> None:
    text = head.text
    good = document.verdict is None or document.verdict.passed
    text(0.01, 0.72, document.title, fontsize=17, fontweight="bold", color=style.INK)
    text(0.01, 0.47, document.subtitle, fontsize=11.5, color=style.MUTED)
    if document.verdict is not None:
        lines = textwrap.fill(document.verdict.sentence, 150)
        text(0.01, 0.08, lines, fontsize=10.5, color=style.GREEN if good else style.RED, va="bottom")


def _verdict_panel(document: Document) -> list[Figure]:
    verdict = document.verdict
    if verdict is None:
        return []

    def draw(ax: Any) -> None:
        verdict.plot(ax)
        if verdict.comparisons > 24:  # names would overlap in a panel of this height
            ax.set_yticks([])
            ax.set_ylabel(f"{verdict.comparisons} comparisons")

    return [Figure("comparison", "Deviations from the exact values in standard errors.", draw)]
