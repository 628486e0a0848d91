"""``collide compile``."""

import argparse
from pathlib import Path

from collide.cli.model import add_source, program_of
from collide.cli.say import add_format, say
from collide.ensemble import save_program
from collide.ensemble.arguments import check_target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_source(parser)
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, required=True, help="where the program goes")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    add_format(parser)


def command(arguments: argparse.Namespace) -> int:
    """Compile a machine into a file."""
    check_target(arguments.out, overwrite=arguments.overwrite)
    program = program_of(arguments)
    save_program(program, arguments.out, overwrite=arguments.overwrite)
    facts = {"event": "compiled", "file": str(arguments.out), "identity": program.identity, "kind": program.kind}
    say(arguments, f"{program!r}\n  {arguments.out}", facts)
    return 0
