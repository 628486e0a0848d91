"""``collide report``."""

import argparse
from pathlib import Path

from collide.cli.say import add_format, say
from collide.ensemble import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, help="default: beside the file")
    parser.add_argument("--format", choices=("html", "md", "png"), default="html", help="default: html")
    add_format(parser)


def command(arguments: argparse.Namespace) -> int:
    """Write a report of an ensemble."""
    from collide.analysis.report import report

    path = report(load(arguments.file), arguments.out, format=arguments.format)
    say(arguments, f"report: {path}", {"event": "report", "file": str(path)})
    return 0
