"""``collide pack``."""

import argparse
from pathlib import Path

from collide.cli.say import add_format
from collide.cli.work import finish
from collide.ensemble import pack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, help="default: in place")
    parser.add_argument("--overwrite", action="store_true", help="replace the output if it exists")
    add_format(parser)


def command(arguments: argparse.Namespace) -> int:
    """Compress a complete file."""
    return finish(arguments, pack(arguments.file, arguments.out, overwrite=arguments.overwrite))
