"""From arguments to an exit status."""

import argparse
from collections.abc import Sequence
from importlib import import_module
import os
import signal
import sys
import traceback
from typing import Any, NoReturn
import warnings

# name: what it does, and the module that does it by `add_arguments(parser)` and `command(arguments) -> exit status`
COMMANDS = {
    "machines": ("list the machines and their parameters", "collide.cli.machines"),
    "compile": ("compile a machine to a file, to be run elsewhere", "collide.cli.compile"),
    "run": ("run an ensemble of a machine, or of a compiled file", "collide.cli.run"),
    "resume": ("finish an interrupted run", "collide.cli.resume"),
    "extend": ("add trajectories to a file", "collide.cli.extend"),
    "merge": ("put the shards of an ensemble together", "collide.cli.merge"),
    "pack": ("compress a complete file", "collide.cli.pack"),
    "info": ("say what is in a file", "collide.cli.info"),
    "report": ("write a report of an ensemble", "collide.cli.report"),
    "validate": ("judge exact and sampled values by tables of reference", "collide.analysis.validate"),
    "reproduce": ("draw a paper's figures and judge its claims", "collide.analysis.reproduce"),
    "warmup": ("compile all kernels now rather than in the first run", "collide.cli.warmup"),
}
OK, FAILED, USAGE, FILE, WORKER, ERROR = 0, 1, 2, 3, 4, 70
EPILOG = f"""\
exit status: {OK} done, {FAILED} a check failed, {USAGE} wrong argument, {FILE} a file cannot be read or written,
{WORKER} a worker process died, {ERROR} internal error, 130 stopped by Ctrl-C, 143 stopped by SIGTERM
"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error and where help is, and exit."""
        self.exit(USAGE, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``collide``; those of this process by default.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = parse(words)
    except SystemExit as end:
        return int(end.code or OK)
    before = _listen()
    warnings.showwarning = _show_warning
    try:
        return int(arguments.command(arguments))
    except BrokenPipeError:  # `collide info … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except BaseException as error:
        if arguments.debug:
            traceback.print_exc()
        return _explain(error)
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the arguments; only the module of the command at hand is imported."""
    parser = Parser(
        prog="collide", description="Quantum collision models and quantum-jump trajectories.", epilog=EPILOG
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    subparsers = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, (summary, module) in COMMANDS.items():
        sub = subparsers.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == chosen:
            implementation = import_module(module)
            implementation.add_arguments(sub)
            sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
            sub.set_defaults(command=implementation.command)
    arguments = parser.parse_args(words)
    if arguments.version:
        from collide import __version__

        print(f"collide {__version__}")
        parser.exit(OK)
    if not hasattr(arguments, "command"):
        parser.print_help()
        parser.exit(USAGE)
    return arguments


def _listen() -> dict[int, Any]:
    """Let Ctrl-C and SIGTERM end a run in good order; return the handlers that were there."""
    from collide.ensemble.signals import interrupt

    try:
        return {signum: signal.signal(signum, interrupt) for signum in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread, as in a test or a notebook's worker
        return {}


def _explain(error: BaseException) -> int:
    """Print the error in one line and give its exit status."""
    from collide.ensemble import WorkerDied
    from collide.store import LockedError, StoreError

    notes = " ".join(getattr(error, "__notes__", []))
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    line = " ".join(f"{text or type(error).__name__} {notes}".split())
    if isinstance(error, KeyboardInterrupt):
        signum = getattr(error, "signum", signal.SIGINT)
        print(f"collide: {line}", file=sys.stderr)
        return 128 + int(signum)
    for kinds, status in (
        (WorkerDied, WORKER),
        ((StoreError, LockedError, OSError), FILE),
        ((ValueError, TypeError, KeyError), USAGE),
    ):
        if isinstance(error, kinds):
            print(f"collide: error: {line}", file=sys.stderr)
            return status
    if isinstance(error, SystemExit):
        return int(error.code or OK)
    print(f"collide: error: {type(error).__name__}: {line} (--debug shows where)", file=sys.stderr)
    return ERROR


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """A warning in one line, without the line of code it came from."""
    print(f"collide: warning: {' '.join(str(message).split())}", file=sys.stderr)
