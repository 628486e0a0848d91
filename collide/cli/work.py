"""What the commands that run trajectories have in common."""

import argparse
from typing import Any

from collide.cli.say import add_format, bar, facts, say


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Arguments that say how, but do not change a bit of the result."""
    parser.add_argument("--threads", type=int, metavar="K", help="threads (default: one for each core)")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_format(parser)


def workers(arguments: argparse.Namespace) -> dict[str, Any]:
    """These arguments as keywords."""
    return {"threads": arguments.threads, "progress": bar(arguments)}


def finish(arguments: argparse.Namespace, ens: Any) -> int:
    """Say what came out."""
    say(arguments, repr(ens), facts(ens, "complete" if ens.complete else "unfinished"))
    return 0
