"""What a command says on standard output: text to a person, one line of JSON to a program."""

import argparse
import json
import sys
from typing import Any, Literal

import numpy as np


def add_format(parser: argparse.ArgumentParser) -> None:
    """Arguments that choose between the two; by default a terminal gets text and a pipe gets JSON."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--json", action="store_true", help="print JSON (the default if standard output is no terminal)")
    group.add_argument("--text", action="store_true", help="print text (the default on a terminal)")


def machine_readable(arguments: argparse.Namespace) -> bool:
    """Whether a program reads what is printed."""
    return bool(arguments.json or not (arguments.text or sys.stdout.isatty()))


def bar(arguments: argparse.Namespace) -> "bool | Literal['json']":
    """How progress is shown."""
    if getattr(arguments, "quiet", False):
        return False
    return "json" if machine_readable(arguments) and not sys.stderr.isatty() else True


def say(arguments: argparse.Namespace, text: str, facts: dict[str, Any]) -> None:
    """Print the text or the facts."""
    print(json.dumps(facts, default=_plain) if machine_readable(arguments) else text)


def _plain(value: Any) -> Any:
    """What NumPy holds, for JSON."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


def facts(ens: Any, event: str) -> dict[str, Any]:
    """An ensemble in numbers."""
    shown = [q for q in ens.quantities if q.startswith("heat:") or q in ("work", "energy_change", "entropy_production")]
    means = {q: list(ens.mean(q)) for q in shown} if len(ens) else {}
    return {
        "event": event,
        "file": str(ens.path) if ens.path else None,
        "ntraj": ens.ntraj,
        "planned": ens.planned,
        "complete": ens.complete,
        "seed": ens.seed,
        "t_final": float(ens.tlist[-1]),
        "identity": ens.program.identity,
        "digest": ens.digest(),
        "recipe": ens.recipe,
        "seconds": ens.provenance["wall_time"],
        "means": means,
    }
