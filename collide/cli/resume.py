"""``collide resume``."""

import argparse
from pathlib import Path

from collide.cli.work import add_workers, finish, workers
from collide.ensemble import resume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("file", metavar="FILE", type=Path)
    add_workers(parser)


def command(arguments: argparse.Namespace) -> int:
    """Finish an interrupted run."""
    return finish(arguments, resume(arguments.file, **workers(arguments)))
