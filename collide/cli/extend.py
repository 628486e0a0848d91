"""``collide extend``."""

import argparse
from pathlib import Path

from collide.cli.work import add_workers, finish, workers
from collide.ensemble import extend


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--ntraj", type=int, metavar="N", required=True, help="trajectories that the file will have")
    add_workers(parser)


def command(arguments: argparse.Namespace) -> int:
    """Add trajectories to a file."""
    return finish(arguments, extend(arguments.file, arguments.ntraj, **workers(arguments)))
