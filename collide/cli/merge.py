"""``collide merge``."""

import argparse
from pathlib import Path

from collide.cli.say import add_format
from collide.cli.work import finish
from collide.ensemble import merge


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="shards, in any order")
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, required=True)
    parser.add_argument("--overwrite", action="store_true", help="replace the output if it exists")
    add_format(parser)


def command(arguments: argparse.Namespace) -> int:
    """Put shards together."""
    return finish(arguments, merge(arguments.files, arguments.out, overwrite=arguments.overwrite))
