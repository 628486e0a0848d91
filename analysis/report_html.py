"""A report as one HTML page: figures inside, no script, nothing fetched, readable on a telephone and on paper."""

import base64
from html import escape
import io
import math
from pathlib import Path

from . import style
from .compare import Verdict
from .document import Block, Document, Figure, Grid, Section, readable, verdict_rows
from .report_style import STYLE


def write_html(document: Document, path: Path) -> Path:
    """Write the page and return its path."""
    path.write_text(page(document), encoding="utf-8")
    return path


def page(document: Document) -> str:
    """The page as text."""
    sections = "\n".join(_section(s) for s in document.sections)
    facts = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in document.facts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(document.title)}</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(document.title)}</h1>
<p class="sub">{escape(document.subtitle)}</p>
{_headline(document.verdict)}
<dl class="facts">{facts}</dl>
</header>
<main>
{sections}
</main>
<footer>{escape(document.footer)}</footer>
</body>
</html>
"""


def _headline(verdict: Verdict | None) -> str:
    if verdict is None:
        return '<p class="verdict none">Not compared with exact values.</p>'
    kind = "" if verdict.passed else " bad"
    return f'<p class="verdict{kind}">{escape(verdict.sentence)}</p>'


def _section(section: Section) -> str:
    """Neighbouring figures share a grid, neighbouring tables a line."""
    parts: list[str] = []
    for group in _grouped(section.blocks):
        inner = "\n".join(_block(b) for b in group)
        kind = type(group[0])
        parts.append(
            f'<div class="figures">{inner}</div>'
            if kind is Figure
            else f'<div class="tables">{inner}</div>'
            if kind is Grid
            else inner
        )
    return f"<section>\n<h2>{escape(section.title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def _grouped(blocks: tuple[Block, ...]) -> list[list[Block]]:
    groups: list[list[Block]] = []
    for block in blocks:
        if groups and type(groups[-1][0]) is type(block):
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _block(block: Block) -> str:
    if isinstance(block, str):
        return f"<p>{escape(block)}</p>"
    if isinstance(block, Figure):
        return _figure(block)
    return _verdict(block) if isinstance(block, Verdict) else _grid(block)


def _figure(figure: Figure) -> str:
    data = base64.b64encode(svg(figure)).decode()
    text = escape(figure.caption)
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{escape(figure.caption, quote=True)}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def svg(figure: Figure) -> bytes:
    """The figure as SVG without a date, so that equal data give equal pages."""
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    with style.house():
        ax = style.axes(size=figure.size)
        figure.draw(ax)
        ax.figure.savefig(buffer, format="svg", metadata={"Date": None})
        plt.close(ax.figure)
    return buffer.getvalue()


def _grid(grid: Grid) -> str:
    numeric = [all(_is_number(row[k]) for row in grid.rows) for k in range(len(grid.header))]
    head = "".join(f"<th{_n(numeric[k])}>{escape(h)}</th>" for k, h in enumerate(grid.header))
    rows = "".join(f"<tr>{''.join(_cells(row, grid.header, numeric))}</tr>" for row in grid.rows)
    note = f'<p class="note">{escape(grid.caption)}</p>' if grid.caption else ""
    stack = ' class="stack"' if len(grid.header) > 3 else ""
    return f"<div><table{stack}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}</div>"


def _cells(row: tuple[str, ...], header: tuple[str, ...], numeric: list[bool]) -> list[str]:
    return [
        f'<td{_n(numeric[k])} data-label="{escape(header[k], quote=True)}">{escape(cell)}</td>'
        for k, cell in enumerate(row)
    ]


def _n(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _is_number(cell: str) -> bool:
    return cell[:1] in "+-−0123456789(∞—" and cell != ""


def _verdict(verdict: Verdict) -> str:
    """The table of comparisons with a bar for each deviation; it ends at the limit."""
    groups: dict[str, list[str]] = {}
    for row, cells in zip(verdict.rows, verdict_rows(verdict), strict=True):
        groups.setdefault(row.group, []).append(_comparison(row.z, cells, verdict.limit))
    tables = "".join(_group(name, rows) for name, rows in groups.items())
    notes = "".join(f'<p class="note">{escape(readable(n))}</p>' for n in verdict.notes)
    legend = (
        f'<p class="note">Deviations in standard errors; the bars end at ±{verdict.limit:.3g}, the limit for '
        f"{verdict.comparisons} comparisons. Of a χ² the exact value is its number of degrees of freedom.</p>"
    )
    return f'<div class="comparisons">{tables}</div>{legend}{notes}'


def _group(name: str, rows: list[str]) -> str:
    head = f'<th>{escape(name)}</th><th class="n">sampled</th><th class="n">exact</th><th class="n">deviation</th>'
    return f'<table class="stack"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _comparison(deviation: float, cells: tuple[str, str, str, str], limit: float) -> str:
    z = 0.0 if math.isnan(deviation) else max(-1.0, min(1.0, deviation / limit))
    left, width = 50 + 50 * min(z, 0.0), 50 * abs(z)
    bad = "" if abs(deviation) <= limit else " bad"
    bar = f'<span class="bar"><i style="left:{left:.1f}%;width:{width:.1f}%"></i><b></b></span>'
    name, sampled, exact, shown = (escape(c) for c in cells)
    return (
        f'<tr><td>{name}</td><td class="n" data-label="sampled">{sampled}</td>'
        f'<td class="n" data-label="exact">{exact}</td>'
        f'<td class="n{bad}" data-label="deviation">{shown}{bar}</td></tr>'
    )
