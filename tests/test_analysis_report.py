"""The report: what it holds, that it opens by itself, and how it looks to a browser."""

from collections.abc import Callable
import html
from html.parser import HTMLParser
from pathlib import Path
import re
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest

from collide.analysis import report
from collide.analysis.compare import Comparison, judge
from collide.analysis.document import Document, Figure, Grid, Section
from collide.analysis.estimates import Estimate
from collide.analysis.report import document
from collide.analysis.report_html import page
from collide.ensemble import Ensemble, run
from collide.machines.rectifier import rectifier

HOT: dict[str, Any] = {"N": 2, "g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.5}


class Page(HTMLParser):
    """Tags, attributes and text of a page; complains about tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.links += [str(given[k]) for k in ("src", "href") if k in given]
        if tag == "img":
            self.images.append(given)
        if tag not in ("meta", "link", "img"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("report")
    models: dict[str, tuple[Any, Any, Any]] = {
        "jumps": (rectifier(**HOT), np.linspace(0, 20, 6), ("totals", "jumps")),
        "collisions": (rectifier(picture="collision", tau=0.5, **HOT), [10.0], ("totals",)),
        "cold": (rectifier(**{**HOT, "T_R": 0.0}), [5.0], ("totals",)),
    }
    paths = {}
    for name, (model, tlist, keep) in models.items():
        paths[name] = folder / f"{name}.h5"
        n = 6000 if name == "jumps" else 2000
        ops = {"n<1>": np.diag([1.0, 1.0, 0.0, 0.0])}
        run(model, n, tlist, 1, keep=keep, e_ops=ops, out=paths[name], progress=False)
    return paths


@pytest.mark.parametrize("name", ["jumps", "collisions", "cold"])
def test_one_page_that_opens_by_itself(files: dict[str, Path], name: str) -> None:
    path = report(files[name])
    assert path == files[name].with_suffix(".html")
    seen = Page(path.read_text(encoding="utf-8"))
    assert all(link.startswith("data:") for link in seen.links)  # nothing is fetched
    assert "script" not in seen.tags
    assert len(seen.images) == len(document(_load(files[name])).figures()) >= 5
    assert all(image["alt"] for image in seen.images)
    text = "".join(seen.text)
    assert "The ensemble agrees with the exact values" in text
    for words in ("Heat, work and entropy production", "Fluctuation theorems", "What was run", "seed", "gamma_L"):
        assert words in text
    assert "nan" not in text
    assert ("∞" in text) == (name == "cold")


def _load(path: Path) -> Ensemble:
    from collide.ensemble import load

    return load(path)


def test_figures_tables_and_theorems_are_in_the_document(files: dict[str, Path]) -> None:
    doc = document(_load(files["jumps"]))
    names = {f.name for f in doc.figures()}
    assert {"quanta_L", "quanta_R", "energy_change", "entropy_production", "detailed_theorem", "convergence"} <= names
    assert {
        "entropy_generating_function",
        "generating_function_L",
        "heat_order_2",
        "expect_0",
        "waiting_times",
    } <= names
    words = " ".join(b for s in doc.sections for b in s.blocks if isinstance(b, str))
    assert "not its own reverse" in words
    assert "trajectories of the reversed process" in words
    assert doc.verdict is not None
    assert doc.verdict.passed
    grids = [b for s in doc.sections for b in s.blocks if isinstance(b, Grid)]
    assert ("L", "1", "1", "1") in {row for g in grids for row in g.rows}  # bath, beta, T, quantum


def test_equal_data_give_equal_pages(files: dict[str, Path], tmp_path: Path) -> None:
    first = report(files["collisions"], tmp_path / "a.html").read_bytes()
    second = report(files["collisions"], tmp_path / "b.html").read_bytes()
    assert first == second


def test_markdown_and_picture(files: dict[str, Path], tmp_path: Path) -> None:
    text = report(files["cold"], tmp_path / "r.md", format="md").read_text(encoding="utf-8")
    images = re.findall(r"\]\((r_figures/[^)]+)\)", text)
    assert len(images) == len(document(_load(files["cold"])).figures())
    assert all((tmp_path / image).stat().st_size > 1000 for image in images)
    assert "| quantity | mean | variance | third cumulant |" in text
    assert "⟨n⟨1⟩⟩" in text or "n&lt;1" in text  # a name with angle brackets does not become a tag
    picture = report(files["cold"], tmp_path / "r.png", format="png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_bad_requests_are_refused_before_any_work(files: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="must be one of 'html', 'md', 'png', but is 'pdf'"):
        report(files["jumps"], format="pdf")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`out` must be given"):
        report(run(rectifier(**HOT), 100, 1.0, 1, progress=False))


def made_up(draw: Callable[[Any], Any] | None = None) -> Document:
    rows = [
        Comparison("<heat:L>", Estimate(1.0, 0.1), 1.01, group="At the end"),
        Comparison("var(work)", Estimate(2.0, 0.1), 1.0, group="At the end"),
        Comparison("strange", Estimate(float("nan"), 0.1), 1.0, group="Counts"),
    ]
    verdict = judge(rows, n=10, notes=["One thing was <not> compared."])
    figure = Figure("f", 'A "quoted" <caption>.', draw or (lambda ax: ax.plot([0, 1])))
    grid = Grid(("a", "b", "c", "d"), (("<x>", "1", "2 ± 1", "(1 ± 2)e-05"),), "A & B")
    section = Section("Title <b>", ("A sentence with <tags> & signs.", grid, figure, verdict))
    return Document("T <&>", "sub", verdict, (("seed", "1"),), (section,), "foot")


def test_names_cannot_break_the_page_and_failures_are_seen() -> None:
    text = page(made_up())
    seen = Page(text)
    assert "b" in seen.tags  # only the bars' own
    assert "tags" not in seen.tags
    assert "not" not in seen.tags
    assert 'class="verdict bad"' in text
    assert text.count('class="n bad"') == 2  # the wrong variance and the undefined number
    assert "deviates from the exact values" in "".join(seen.text)
    assert "2 ± 1" in "".join(seen.text)


def test_a_document_without_exact_values_says_so(files: dict[str, Path]) -> None:
    ensemble = _load(files["collisions"])
    bare = type(ensemble.program)(
        ensemble.program.kind, ensemble.program.arrays, ensemble.program.meta
    )  # the model left behind
    doc = document(Ensemble(ensemble._store, bare))
    assert doc.verdict is None
    words = " ".join(b for s in doc.sections for b in s.blocks if isinstance(b, str))
    assert "No exact values to compare with" in words
    assert "Not compared with exact values" in page(doc)


CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")) if p), None)


# The page is opened in a frame of the width in question, because a browser window has a least width of its own.
FRAME = """<!DOCTYPE html><html><body style="margin:0"><iframe id="f" style="border:0;width:{width}px;height:40000px"
srcdoc="{page}"></iframe><script>
document.getElementById('f').onload = e => {{
  const inside = e.target.contentDocument, root = inside.documentElement, images = [...inside.images];
  const texts = [...inside.querySelectorAll('p,td,th,dd,dt,figcaption,h1,h2')];
  const size = t => parseFloat(e.target.contentWindow.getComputedStyle(t).fontSize);
  document.body.dataset.probe = [root.scrollWidth, images.filter(i => i.naturalWidth > 100).length, images.length,
    Math.min(...texts.map(size)) >= 11 ? 1 : 0].join(' ');
}};</script></body></html>"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here to open the report with")
@pytest.mark.parametrize("width", [400, 1200])
def test_a_browser_opens_it_without_complaint(files: dict[str, Path], tmp_path: Path, width: int) -> None:
    """No console message, no sideways scrolling, every image drawn, text of a readable size."""
    text = report(files["jumps"], tmp_path / "r.html").read_text(encoding="utf-8")
    assert probe(text, tmp_path, width) == (width, True, True)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here to open the report with")
def test_the_browser_sees_what_is_wrong(tmp_path: Path) -> None:
    """Planted faults: something too wide, a broken image, tiny text, an error on the console."""
    good = page(made_up())
    assert probe(good, tmp_path, 400) == (400, True, True)
    assert probe(good.replace('<p class="sub">', '<p class="sub" style="width:700px">'), tmp_path, 400)[0] > 400
    assert probe(good.replace("svg+xml;base64,", "svg+xml;base64,AAAA"), tmp_path, 400)[1] is False
    assert probe(good.replace("font-size: 0.86rem", "font-size: 0.4rem"), tmp_path, 400)[2] is False
    with pytest.raises(AssertionError, match="console"):
        probe(good.replace("</main>", "<script>console.error('no')</script></main>"), tmp_path, 400)


def probe(text: str, folder: Path, width: int) -> tuple[int, bool, bool]:
    """Width a page takes in a frame, whether all of its images are drawn, and whether its text is readable."""
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(width=width, page=html.escape(text, quote=True)), encoding="utf-8")
    command = [
        str(CHROMIUM),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder / 'profile'}",
    ]
    command += ["--window-size=1300,2000", "--enable-logging=stderr", "--dump-dom", frame.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in result.stderr, f"console messages: {result.stderr}"
    found = re.search(r'data-probe="(\d+) (\d+) (\d+) (\d)"', result.stdout)
    assert found is not None
    wide, drawn, images, readable = map(int, found.groups())
    return wide, drawn == images > 0, bool(readable)
