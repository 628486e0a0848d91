"""A report as Markdown, with its figures in a folder beside it."""

from pathlib import Path
import re

from . import style
from .compare import Verdict
from .document import Block, Document, Figure, Grid, readable, verdict_rows


def write_markdown(document: Document, path: Path) -> Path:
    """Write the text and the figures; return the path of the text."""
    folder = path.with_name(f"{path.stem}_figures")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"# {document.title}", "", document.subtitle, ""]
    if document.verdict is not None:
        lines += [f"**{document.verdict.sentence}**", ""]
    lines += [*_table(("", ""), document.facts), ""]
    for section in document.sections:
        lines += [f"## {section.title}", ""]
        for block in section.blocks:
            lines += [*_block(block, folder), ""]
    path.write_text("\n".join([*lines, f"*{document.footer}*", ""]), encoding="utf-8")
    return path


def save_figure(figure: Figure, path: Path, *, dpi: int = 150) -> None:
    """Draw a figure into a PNG file."""
    import matplotlib.pyplot as plt

    with style.house():
        ax = style.axes(size=figure.size)
        figure.draw(ax)
        ax.figure.savefig(path, dpi=dpi, metadata={"Software": None})
        plt.close(ax.figure)


def _block(block: Block, folder: Path) -> list[str]:
    if isinstance(block, str):
        return [_escaped(block)]
    if isinstance(block, Figure):
        name = re.sub(r"\W+", "_", block.name) + ".png"
        save_figure(block, folder / name)
        return [f"![{_escaped(block.caption)}]({folder.name}/{name})", "", f"*{_escaped(block.caption)}*"]
    if isinstance(block, Grid):
        return [*_table(block.header, block.rows), *([""] if block.caption else []), _escaped(block.caption)]
    return _verdict(block)


def _verdict(verdict: Verdict) -> list[str]:
    header = ("quantity", "sampled", "exact", "deviation / error")
    return [*_table(header, tuple(verdict_rows(verdict))), "", *(_escaped(readable(n)) for n in verdict.notes)]


def _table(header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> list[str]:
    lines = [header, tuple("---" for _ in header), *rows]
    return ["| " + " | ".join(_escaped(cell) for cell in line) + " |" for line in lines]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
