"""A paper once more: its figures from the exact side and from trajectories, and its claims with a verdict each."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import json
from pathlib import Path
import sys
import time
from typing import Any

import numpy as np

from . import style
from .papers.base import Claim, Figure
from .validate import PAPERS, modules

NTRAJ = 20_000
FORMATS = ("png", "pdf")
DPI = 180


class NotThere(ValueError):
    """A paper, figure or number of trajectories that there is not."""


@dataclass
class Reproduction:
    """What was made of a paper.

    Attributes
    ----------
    paper : str
    files : list of Path
        Everything written.
    claims : list of Claim
    """

    paper: str
    files: list[Path] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    @property
    def refuted(self) -> int:
        """Number of claims that do not hold."""
        return sum(claim.verdict == "does not hold" for claim in self.claims)

    def __repr__(self) -> str:
        if not self.claims:
            return f"{self.paper}: {len(self.files)} files."
        held = sum(claim.verdict == "holds" for claim in self.claims)
        corrected = sum(claim.verdict == "holds corrected" for claim in self.claims)
        return (
            f"{self.paper}: {len(self.files)} files; of {len(self.claims)} claims {held} hold, {corrected} hold"
            f" corrected, {self.refuted} do not hold."
        )


def available() -> dict[str, Any]:
    """Papers that can be reproduced, by name, with their modules."""
    found = {module.__name__.rsplit(".", 1)[-1]: module for module in modules()}
    return {name: found[name] for name in PAPERS if hasattr(found.get(name), "FIGURES")}


def reproduce(
    paper: str,
    out_dir: str | Path,
    ntraj: int = NTRAJ,
    seed: int = 1,
    *,
    only: Sequence[str] | None = None,
    progress: bool = True,
) -> Reproduction:
    """Draw a paper's figures and judge its claims.

    Parameters
    ----------
    paper : str
        Name of a module of `collide.analysis.papers` with ``FIGURES`` and ``claims``.
    out_dir : path
        Folder for ``<figure>.png``, ``<figure>.pdf``, ``<figure>.json`` (everything drawn, as numbers) and
        ``claims.md``; made if it is not there.
    ntraj : int
        Trajectories for each sampled point; 0 draws exact curves only.
    seed : int
    only : sequence of str, optional
        Names of the figures wanted, and "claims"; everything by default.
    progress : bool
        A bar, if a person watches.

    Returns
    -------
    Reproduction

    Raises
    ------
    NotThere
        For an unknown paper or figure, and an `ntraj` that makes no sense.
    """
    from tqdm import tqdm

    module = _module(paper)
    if ntraj < 0 or ntraj == 1:
        raise NotThere(f"`ntraj` must be 0 (exact curves only) or at least 2, but is {ntraj}")
    figures = [figure for figure in module.FIGURES if only is None or figure.name in only]
    known = {figure.name for figure in module.FIGURES} | {"claims"}
    if wrong := sorted(set(only or ()) - known):
        raise NotThere(f"`only` names {wrong[0]!r}, but {paper} has {', '.join(sorted(known))}")
    folder = Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    result = Reproduction(paper)
    claimed = only is None or "claims" in only
    with tqdm(total=len(figures) + claimed, leave=False, disable=None if progress else True, file=sys.stderr) as bar:
        for figure in figures:
            bar.set_postfix_str(figure.name)
            began = time.perf_counter()
            result.files += draw(figure, folder, ntraj, seed)
            bar.write(f"{figure.name}: {figure.title} ({time.perf_counter() - began:.1f} s)", file=sys.stdout)
            bar.update()
        if claimed:
            bar.set_postfix_str("claims")
            result.claims = list(module.claims())
            page = folder / "claims.md"
            page.write_text(claims_page(paper, module, result.claims), encoding="utf-8")
            result.files.append(page)
            bar.update()
    return result


def _module(paper: str) -> Any:
    papers = available()
    if paper not in papers:
        raise NotThere(f"`paper` must be one of {', '.join(papers) or 'none so far'}, but is {paper!r}")
    return papers[paper]


def draw(figure: Figure, folder: Path, ntraj: int, seed: int) -> list[Path]:
    """Compute one figure, save it and its numbers, and return the files."""
    import matplotlib.pyplot as plt

    curves = figure.curves(ntraj, seed)
    with style.house():
        drawn = figure.draw(curves)
        files = [folder / f"{figure.name}.{suffix}" for suffix in FORMATS]
        for file in files:
            # no creation date inside: the same numbers give the same file
            stamp: dict[str, Any] = {"CreationDate": None} if file.suffix == ".pdf" else {}
            drawn.savefig(file, dpi=DPI, metadata=stamp)
    plt.close(drawn)
    data = folder / f"{figure.name}.json"
    data.write_text(json.dumps({"title": figure.title, "ntraj": ntraj, "seed": seed} | plain(curves)), encoding="utf-8")
    return [*files, data]


def plain(value: Any) -> Any:
    """The same with arrays as lists, for JSON."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, complex):
        return [value.real, value.imag]
    return value


def claims_page(paper: str, module: Any, claims: Iterable[Claim]) -> str:
    """The claims of a paper as a page in Markdown."""
    title = (module.__doc__ or paper).strip().splitlines()[0]
    lines = [
        f"# {paper}",
        "",
        title,
        "",
        "| claim | paper | here | verdict | why |",
        "|---|---|---|---|---|",
    ]
    marks = {"holds": "holds", "holds corrected": "**holds corrected**", "does not hold": "**does not hold**"}
    for claim in claims:
        cells = (claim.statement, claim.paper, claim.ours, marks[claim.verdict], claim.why)
        lines.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


# -------------------------------------------------------------------- the command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``collide reproduce``."""
    parser.add_argument("paper", help=f"one of {', '.join(PAPERS)}, or all")
    parser.add_argument(
        "--out", default="output/reproduce", help="folder (default output/reproduce), one more per paper"
    )
    parser.add_argument(
        "--ntraj", type=int, default=NTRAJ, help=f"trajectories for each sampled point (default {NTRAJ}, 0 for none)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the ensembles (default 1)")
    parser.add_argument("--only", metavar="NAME", action="append", help="only this figure, or claims")


def command(arguments: argparse.Namespace) -> int:
    """Run ``collide reproduce``; returns 0, or 2 for what is not known."""
    papers = list(available()) if arguments.paper == "all" else [arguments.paper]
    for paper in papers:
        folder = Path(arguments.out) / paper
        try:
            result = reproduce(paper, folder, arguments.ntraj, arguments.seed, only=arguments.only)
        except NotThere as error:
            print(f"collide reproduce: {error}", file=sys.stderr)
            return 2
        for claim in result.claims:
            print(f"  {claim.verdict:<16} {claim.statement}: {claim.paper} | {claim.ours}")
        print(f"{result!r} See {folder}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """``collide reproduce`` as a function of its arguments."""
    parser = argparse.ArgumentParser(
        prog="collide reproduce", description="Draw a paper's figures and judge its claims."
    )
    add_arguments(parser)
    return command(parser.parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
