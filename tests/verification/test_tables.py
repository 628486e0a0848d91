"""Every public table of reference, each entry exactly, and by trajectories wherever a budget of them can reach it."""

from dataclasses import replace
import io
from pathlib import Path
from typing import Any

import pytest

from collide.analysis import validate as judge
from collide.analysis.reference_tables import load
from collide.analysis.validate_sampled import LIMIT, Sampler

FOLDER = Path(__file__).parent.parent / "data"
TABLES = sorted(path.stem for path in FOLDER.glob("*.json"))
NTRAJ, SEED = 20_000, 20


@pytest.mark.parametrize("table", TABLES)
def test_all_entries(court: Any, table: str) -> None:
    entries = load(FOLDER / f"{table}.json")
    assert not judge.unknown_names(entries)
    said = io.StringIO()
    with court(f"table {table}: every entry, exact side") as row:
        report = judge.validate(entries, progress=False, out=said)
        assert len(report.verdicts) == len(entries)
        row.shares(v.deviation.share for v in report.verdicts)
        assert report.code == 0, said.getvalue()
    said = io.StringIO()
    with court(f"table {table}: entries that {NTRAJ} trajectories reach, sampled") as row:
        report = judge.validate(entries, sampler=Sampler(NTRAJ, SEED), progress=False, out=said)
        row.z_scores((score.z for score in report.scores()), LIMIT)
        assert report.code == 0, said.getvalue()


@pytest.mark.parametrize("table", TABLES)
def test_a_wrong_digit_in_any_number_is_seen(court: Any, table: str) -> None:
    """Planted: each plain number of the table off by twice its tolerance."""
    with court("planted: a number of a table off by twice its tolerance") as row:
        chosen = [e for e in load(FOLDER / f"{table}.json") if isinstance(e.value, float) and e.abs + e.rel > 0][::9]
        wrong = [replace(e, value=e.value + 2 * (e.abs + e.rel * abs(e.value))) for e in chosen]
        report = judge.validate(wrong, progress=False, out=io.StringIO())
        assert wrong
        assert not any(v.ok for v in report.verdicts)
        row.checks(len(wrong))
