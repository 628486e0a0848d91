"""The statistical court: long runs whose verdicts are told in standard errors, started by ``make verify``.

What is judged is recorded through the fixture `court`; the rows become a table in docs/verification.md.  A run of a
part of the court replaces the rows of that part.  COLLIDE_VERIFICATION_TABLE names another file for the table.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import math
import os
from pathlib import Path
import time

from hypothesis.errors import UnsatisfiedAssumption
import numpy as np
import pytest
from scipy import stats

HERE = Path(__file__).parent
TABLE = HERE.parent.parent / "docs" / "verification.md"
RECORDS = pytest.StashKey["Records"]()
FAILED = pytest.StashKey[bool]()


@dataclass
class Row:
    """One line of the table: what was judged, how often, how far off the worst comparison was, what is allowed."""

    comparisons: int = 0
    largest: float = 0.0
    limit: float = math.nan
    false_alarm: float = 0.0
    verdict: str = "holds"
    seconds: float = 0.0
    measure: str = "σ"

    def z_scores(self, scores: Iterable[float], limit: float) -> None:
        """Record deviations in standard errors, and require each of them to be within `limit`."""
        found = np.abs(np.asarray(list(scores), dtype=float))
        self._more(len(found), float(np.max(np.where(np.isnan(found), np.inf, found), initial=0.0)), limit, "σ")
        self.false_alarm += len(found) * 2 * float(stats.norm.sf(limit))
        assert len(found)
        assert np.all(found <= limit), f"{np.count_nonzero(~(found <= limit))} beyond {limit:g}: {np.sort(found)[-5:]}"

    def shares(self, shares: Iterable[float]) -> None:
        """Record deviations as shares of a tolerance, and require each of them to be at most one."""
        found = np.asarray(list(shares), dtype=float)
        self._more(len(found), float(found.max(initial=0.0)), 1.0, "of tolerance")
        assert len(found)
        assert np.all(found <= 1.0)

    def checks(self, number: int) -> None:
        """Record that something which must hold exactly was asserted `number` times."""
        self.comparisons += number

    def _more(self, number: int, largest: float, limit: float, measure: str) -> None:
        self.comparisons += number
        self.largest, self.limit, self.measure = max(self.largest, largest), limit, measure

    def cells(self, what: str) -> list[str]:
        """As the table shows it."""
        judged = not math.isnan(self.limit)
        return [
            what,
            str(self.comparisons or ""),
            f"{self.largest:.2g} {self.measure}" if judged else "",
            f"{self.limit:.2f}" if judged else "exact",
            f"{self.false_alarm:.1e}" if self.false_alarm else "",
            self.verdict,
            f"{self.seconds:.0f} s",
        ]


@dataclass
class Records:
    """All rows of a session, and whether the session was the whole court."""

    rows: dict[str, Row] = field(default_factory=dict)
    files: set[Path] = field(default_factory=set)
    partial: bool = False
    asked: str = ""

    @contextmanager
    def __call__(self, what: str) -> Iterator[Row]:
        """Time what is judged under the name `what`; an exception is the verdict that it fails."""
        row, began = self.rows.setdefault(what, Row()), time.perf_counter()
        self.asked = what
        try:
            yield row
        except pytest.skip.Exception as reason:
            row.verdict = f"skipped: {reason}"
            raise
        except UnsatisfiedAssumption:  # an example that hypothesis sends back was not judged
            raise
        except BaseException:
            row.verdict = "**fails**"
            raise
        finally:
            row.seconds += time.perf_counter() - began


def records(config: pytest.Config) -> Records:
    """Those of this session; made late where this file is read late."""
    return config.stash.setdefault(RECORDS, Records())


@pytest.fixture
def court(request: pytest.FixtureRequest) -> Records:
    """Where a test records what it judged."""
    return records(request.config)


@pytest.fixture(autouse=True)
def _unnamed(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test does not name itself is recorded under its own name when it has passed."""
    kept = records(request.config)
    kept.files.add(request.path)
    kept.asked, began = "", time.perf_counter()
    yield
    if not kept.asked:
        row = kept.rows.setdefault(request.node.name.removeprefix("test_").replace("_", " "), Row())
        row.seconds += time.perf_counter() - began
        row.checks(1)
        if request.node.stash.get(FAILED, False):
            row.verdict = "**fails**"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Leave the outcome of the test where its fixtures find it."""
    report = yield
    if report.when == "call":  # type: ignore[attr-defined]
        item.stash[FAILED] = report.failed  # type: ignore[attr-defined]
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder, so that no file there can slip into the everyday run."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.verification)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember that this is not the whole court."""
    for item in items:
        if HERE in item.path.parents:
            records(item.config).partial = True


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the table, if anything was judged."""
    kept = records(session.config)
    if not kept.rows:
        return
    path = Path(os.environ.get("COLLIDE_VERIFICATION_TABLE", TABLE))
    whole = not kept.partial and kept.files == set(HERE.glob("test_*.py")) and exitstatus in (0, 1)
    table = {} if whole else read(path)
    for what, row in kept.rows.items():
        table[what] = row.cells(what)
    path.write_text(document(table, whole), encoding="utf-8")


def read(path: Path) -> dict[str, list[str]]:
    """The rows of a table that was written before."""
    if not path.exists():
        return {}
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return {row[0]: row for row in rows if row[0] != "**all**"}


HEAD = """\
# The statistical court

Written by `make verify`, which holds long ensembles against the exact side of the same models.  A comparison of a
sampled number is told in standard errors (σ) of the *exact* distribution wherever its moments are known; a χ² test in
the σ of an equally improbable Gaussian deviation.  Exact numbers are compared with tables of reference and told as a
share of the tolerance.  Rows whose limit is "exact" assert identities: equal bits, no lost chunk, every flag in place.
Seeds are fixed, so the verdicts repeat; "false alarm" is the probability, over all seeds one could have fixed, that a
right program would fail the row (sum of the tails of all its comparisons, whatever their correlations).  Wall times are
those of two shared cores.
"""


def document(table: dict[str, list[str]], whole: bool) -> str:
    """The page around the rows, which come from one run of the whole court or from runs of its parts."""
    names = ["what", "comparisons", "largest deviation", "limit", "false alarm", "verdict", "wall time"]
    lines = ["| " + " | ".join(names) + " |", "|---|---:|---:|---:|---:|---|---:|"]
    rows = list(table.values())
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    count = sum(int(row[1] or 0) for row in rows)
    alarm = sum(float(row[4] or 0) for row in rows)
    seconds = sum(float(row[6].removesuffix(" s")) for row in rows)
    good = all(row[5] == "holds" or row[5].startswith("skipped") for row in rows)
    verdict = "holds" if good else "**fails**"
    lines.append(f"| **all** | {count} | | | {alarm:.1e} | {verdict} | {seconds:.0f} s |")
    sentence = (
        f"A right program fails this court as a whole with a probability of at most {100 * alarm:.2g} %"
        " if tails are Gaussian; those of e^{-Σ} are a little heavier on the side of rare events."
    )
    origin = "All rows are of one run." if whole else "The rows were put together from runs of parts of the court."
    return "\n".join([HEAD, *lines, "", sentence, "", origin, ""])
