"""``collide machines``."""

import argparse
import inspect

from collide.cli.say import add_format, machine_readable, say
from collide.machines import registry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("name", nargs="?", metavar="MACHINE", help="tell all about this one")
    add_format(parser)


def command(arguments: argparse.Namespace) -> int:
    """List the machines, or explain one of them."""
    machines = registry()
    if arguments.name is not None and arguments.name not in machines:
        raise ValueError(f"there is no machine {arguments.name!r}: the machines are {', '.join(machines)}.")
    chosen = [arguments.name] if arguments.name else list(machines)
    parameters = {
        name: {word: p.default for word, p in inspect.signature(machines[name]).parameters.items()} for name in chosen
    }
    if arguments.name and not machine_readable(arguments):
        print(inspect.getdoc(machines[arguments.name]))
    lines = []
    for name in chosen:
        summary = (inspect.getdoc(machines[name]) or "").split("\n")[0]
        words = "\n".join(f"    {word} = {value!r}" for word, value in parameters[name].items())
        lines.append(f"{name}: {summary}\n{words}" if not arguments.name else f"\nDefaults\n{words}")
    say(arguments, "\n\n".join(lines), {"machines": parameters})
    return 0
