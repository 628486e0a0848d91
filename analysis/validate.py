"""The judge of reference tables: every entry against the exact side, and against trajectories where they reach.

A paper's module in `collide.analysis.papers` exports functions of one point's parameters, ``QUANTITIES`` and
``SAMPLING``; this module expands sweeps and grids, compares, and says which entries hold.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
import math
from pathlib import Path
import sys
from typing import Any, TextIO

from .papers.base import Params, Quantity, UnknownParameter
from .reference_tables import Deviation, Entry, TableError, compare, evaluate, load, points
from .validate_sampled import LIMIT, PRECISE, Sampler, Score

PAPERS = ("rectifier", "werlang", "wusegal", "tacchino", "rotor")
SWEEP_POINTS = 3  # of a sweep or grid that are sampled: the ends and the middle
NTRAJ = 20_000
HOLDS, FAILS, UNKNOWN, UNREADABLE = 0, 1, 2, 3


@dataclass(frozen=True)
class Verdict:
    """What became of one entry.

    Attributes
    ----------
    entry : Entry
    deviation : Deviation
    found : Any
        The package's value, None if there is none.
    scores : tuple of Score
        One for each point that trajectories were asked for.
    trouble : str
        Why there is no value.
    unknown : bool
        Whether the trouble is a parameter that the system does not have.
    """

    entry: Entry
    deviation: Deviation
    found: Any = None
    scores: tuple[Score, ...] = ()
    trouble: str = ""
    unknown: bool = False

    @property
    def ok(self) -> bool:
        """Whether the exact value and every ensemble agree with the table."""
        return self.deviation.ok and all(score.ok for score in self.scores)


@dataclass
class Report:
    """All verdicts of a run.

    Attributes
    ----------
    verdicts : list of Verdict
    """

    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def code(self) -> int:
        """0 if all entries hold, 2 if a parameter is unknown, else 1."""
        if any(v.unknown for v in self.verdicts):
            return UNKNOWN
        return HOLDS if all(v.ok for v in self.verdicts) else FAILS

    def groups(self) -> dict[tuple[str, str], list[Verdict]]:
        """Verdicts by (system, quantity), in the order of the tables."""
        found: dict[tuple[str, str], list[Verdict]] = {}
        for verdict in self.verdicts:
            found.setdefault(verdict.entry.key, []).append(verdict)
        return found

    def scores(self) -> list[Score]:
        """Every z-score there is."""
        return [score for v in self.verdicts for score in v.scores if score.reached]


@cache
def modules() -> tuple[Any, ...]:
    """The papers' modules that this installation has."""
    package = __package__ + ".papers"
    names = [f"{package}.{paper}" for paper in PAPERS]
    return tuple(import_module(name) for name in names if find_spec(name) is not None)


def quantities() -> dict[tuple[str, str], Quantity]:
    """Every (system, quantity) that can be computed, with its function of one point's parameters."""
    return {key: function for module in modules() for key, function in module.QUANTITIES.items()}


def samplings() -> dict[tuple[str, str], Any]:
    """Every (system, quantity) that trajectories can reach somewhere."""
    return {key: function for module in modules() for key, function in getattr(module, "SAMPLING", {}).items()}


def unknown_names(entries: Iterable[Entry]) -> list[str]:
    """A sentence for each system or quantity that no paper's module has."""
    known = quantities()
    systems = {system for system, _ in known}
    wrong: dict[str, None] = {}
    for entry in entries:
        if entry.key in known:
            continue
        if entry.system not in systems:
            wrong[f"unknown system {entry.system!r}: there are {', '.join(sorted(systems))}"] = None
        else:
            there = ", ".join(sorted(q for s, q in known if s == entry.system))
            wrong[f"unknown quantity {entry.quantity!r} of system {entry.system!r}: there are {there}"] = None
    return list(wrong)


def check(entry: Entry, sampler: Sampler | None = None) -> Verdict:
    """Judge one entry, whatever happens while it is computed."""
    try:
        found = evaluate(quantities()[entry.key], entry.params)
        scores = _sampled(entry, sampler) if sampler is not None else ()
    except UnknownParameter as error:
        return Verdict(entry, Deviation(False, math.inf, math.inf), trouble=str(error), unknown=True)
    except Exception as error:  # one broken entry must not hide the others
        trouble = f"{type(error).__name__}: {error}"
        return Verdict(entry, Deviation(False, math.inf, math.inf), trouble=trouble)
    return Verdict(entry, compare(found, entry), found, scores)


def _sampled(entry: Entry, sampler: Sampler) -> tuple[Score, ...]:
    function = samplings().get(entry.key)
    if function is None:
        return ()
    return tuple(sampler.judge(function(point)) for point in _some(points(entry.params)))


def _some(where: Any) -> list[Params]:
    """A point, or at most `SWEEP_POINTS` spread over a list (of lists)."""
    flat: list[Any] = [where]
    while isinstance(flat[0], list):
        flat = [point for row in flat for point in row]
    if len(flat) <= SWEEP_POINTS:
        return flat
    return [flat[round(k * (len(flat) - 1) / (SWEEP_POINTS - 1))] for k in range(SWEEP_POINTS)]


def validate(
    entries: Sequence[Entry],
    *,
    sampler: Sampler | None = None,
    verbose: bool = False,
    progress: bool = True,
    out: TextIO | None = None,
) -> Report:
    """Judge entries and print a line for each (system, quantity).

    Parameters
    ----------
    entries : sequence of Entry
        See `collide.analysis.reference_tables.load`.
    sampler : Sampler, optional
        Also run ensembles.
    verbose : bool
        Print every entry as well.
    progress : bool
        A bar, if a person watches.
    out : file, optional
        Standard output by default.

    Returns
    -------
    Report
        Its ``code`` is 0, 1 or 2.
    """
    from tqdm import tqdm

    stream = sys.stdout if out is None else out
    report = Report()
    bar = tqdm(entries, unit="entry", leave=False, disable=None if progress else True, file=sys.stderr)
    for entry in bar:
        bar.set_postfix_str(f"{entry.system} {entry.quantity}")
        verdict = check(entry, sampler)
        report.verdicts.append(verdict)
        if verbose:
            bar.write(_entry_line(verdict), file=stream)
    groups = report.groups()
    widths = [max((len(key[i]) for key in groups), default=0) for i in (0, 1)]
    for key, group in groups.items():
        print(f"{key[0]:<{widths[0]}}  {key[1]:<{widths[1]}}  {_group_line(group, sampler is not None)}", file=stream)
    for verdict in report.verdicts:
        if not verdict.ok:
            print(_complaint(verdict), file=stream)
    print(_last_line(report), file=stream)
    return report


# -------------------------------------------------------------------- words


def _group_line(group: list[Verdict], sampled: bool) -> str:
    passed = sum(v.deviation.ok for v in group)
    worst = max((v.deviation for v in group), key=lambda d: (not d.ok, d.share))
    words = f"{passed:3d} of {len(group):3d}   worst {worst.absolute:8.2g} ({_share(worst.share)} of tolerance)"
    if not sampled:
        return words
    scores = [score for v in group for score in v.scores]
    reached = [score for score in scores if score.reached]
    left = sum(not any(score.reached for score in v.scores) for v in group)
    if not reached:
        return f"{words}   exact only"
    alone = f", {left} exact only" if left else ""
    return f"{words}   {len(reached)} sampled, |z| <= {max(abs(score.z) for score in reached):.2f}{alone}"


def _share(share: float) -> str:
    return f"{share:.3f}" if share < 10 else f"{share:.2g}"


def _entry_line(verdict: Verdict) -> str:
    mark = "ok  " if verdict.ok else "FAIL"
    d = verdict.deviation
    words = (
        verdict.trouble
        or f"off by {d.absolute:.2g}{' at ' + d.where if d.where else ''}, {_share(d.share)} of tolerance"
    )
    for score in verdict.scores:
        if score.reached:
            words += f"; sampled {score.value:.6g} ± {score.error:.2g}, exact {score.exact:.6g}, z = {score.z:+.2f}"
        else:
            words += f"; exact only (predicted error {100 * score.relative:.2g} %)"
    return f"{mark} {verdict.entry}: {words}"


def _complaint(verdict: Verdict) -> str:
    entry = verdict.entry
    if verdict.trouble:
        return f"FAIL {entry}: {verdict.trouble}"
    if verdict.deviation.ok:
        worst = max(verdict.scores, key=lambda s: abs(s.z) if s.reached else -1.0)
        return (
            f"FAIL {entry}: sampled {worst.value:.8g} ± {worst.error:.2g}, but the exact value at this time is"
            f" {worst.exact:.8g} (z = {worst.z:+.2f})"
        )
    return (
        f"FAIL {entry}: found {_brief(verdict.found)}, expected {_brief(entry.value)}, off by"
        f" {verdict.deviation.absolute:.3g}{' at ' + verdict.deviation.where if verdict.deviation.where else ''}"
    )


def _brief(value: Any) -> str:
    text = f"{float(value):.12g}" if isinstance(value, float | int) else str(value)
    return text if len(text) < 200 else text[:197] + "..."


def _last_line(report: Report) -> str:
    passed, total = sum(v.ok for v in report.verdicts), len(report.verdicts)
    words = f"{passed} of {total} entries hold"
    scores = report.scores()
    if scores:
        chance = -math.expm1(len(scores) * math.log1p(-math.erfc(LIMIT / math.sqrt(2))))
        words += (
            f"; {len(scores)} z-scores, the largest {max(abs(s.z) for s in scores):.2f}"
            f" (one beyond {LIMIT:g} would happen by chance in {100 * chance:.2g} % of such runs)"
        )
    return words + ("." if passed == total else f": {total - passed} do not.")


def markdown(report: Report) -> str:
    """A table of the report, one row for each (system, quantity)."""
    lines = [
        "| system | quantity | entries | hold | worst share of tolerance | sampled points | largest \\|z\\| |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for (system, quantity), group in report.groups().items():
        scores = [s for v in group for s in v.scores if s.reached]
        z = f"{max(abs(s.z) for s in scores):.2f}" if scores else ""
        worst = max(v.deviation.share for v in group)
        lines.append(
            f"| {system} | {quantity} | {len(group)} | {sum(v.ok for v in group)} | {_share(worst)} |"
            f" {len(scores) or ''} | {z} |"
        )
    return "\n".join([*lines, "", _last_line(report), ""])


# -------------------------------------------------------------------- the command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``collide validate``."""
    parser.add_argument("tables", nargs="+", metavar="TABLE.json", help="reference tables of schema 1")
    parser.add_argument("--sampled", action="store_true", help="also run ensembles where trajectories reach an entry")
    parser.add_argument("--seed", type=int, default=1, help="seed of the ensembles (default 1)")
    parser.add_argument(
        "--ntraj", type=int, default=NTRAJ, help=f"most trajectories for each sampled point (default {NTRAJ})"
    )
    parser.add_argument(
        "--precise",
        type=float,
        default=PRECISE,
        help=f"relative standard error at which a point is sampled enough (default {PRECISE}; 0 spends all of --ntraj)",
    )
    parser.add_argument("--threads", type=int, default=None, help="threads of the ensembles (default: one per core)")
    parser.add_argument("--only", metavar="NAME", action="append", help="only this system, quantity or system/quantity")
    parser.add_argument("--verbose", action="store_true", help="print every entry")
    parser.add_argument("--summary", metavar="FILE", help="write the result as a table in Markdown")


def command(arguments: argparse.Namespace) -> int:
    """Run ``collide validate``: 0 all holds, 1 an entry fails, 2 something is not known, 3 a file is no table."""
    try:
        entries = [entry for path in arguments.tables for entry in load(path)]
    except TableError as error:
        print(f"collide validate: {error}", file=sys.stderr)
        return UNREADABLE
    wrong = unknown_names(entries)
    for sentence in wrong:
        print(f"collide validate: {sentence}", file=sys.stderr)
    if wrong:
        return UNKNOWN
    chosen = [entry for entry in entries if _wanted(entry, arguments.only)]
    if not chosen:
        print("collide validate: no entry is left; see --only", file=sys.stderr)
        return UNKNOWN
    sampler = None
    if arguments.sampled:
        sampler = Sampler(arguments.ntraj, arguments.seed, arguments.threads, arguments.precise)
    report = validate(chosen, sampler=sampler, verbose=arguments.verbose)
    if arguments.summary:
        Path(arguments.summary).write_text(markdown(report), encoding="utf-8")
    return report.code


def _wanted(entry: Entry, only: Sequence[str] | None) -> bool:
    return not only or any(name in (*entry.key, "/".join(entry.key)) for name in only)


def main(argv: Sequence[str] | None = None) -> int:
    """``collide validate`` as a function of its arguments."""
    parser = argparse.ArgumentParser(
        prog="collide validate", description="Check every entry of reference tables with the package."
    )
    add_arguments(parser)
    return command(parser.parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
