"""``collide info``."""

import argparse
from pathlib import Path
from typing import Any

import h5py

from collide.cli.say import add_format, facts, say
from collide.ensemble import Ensemble, load, load_program


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--check", action="store_true", help="compare every chunk with its checksum")
    add_format(parser)


def command(arguments: argparse.Namespace) -> int:
    """Say what is in a file, finished or not, also while it is being written."""
    if _holds_only_a_program(arguments.file):
        program = load_program(arguments.file)
        say(arguments, repr(program), {"event": "program", "identity": program.identity, "kind": program.kind})
        return 0
    ens = load(arguments.file)
    damaged = ens.damaged() if arguments.check else None
    say(arguments, _text(ens, damaged), _facts(ens, damaged))
    return 1 if damaged else 0


def _holds_only_a_program(path: Path) -> bool:
    if not h5py.is_hdf5(path):
        return False  # `load` says why
    with h5py.File(path, "r") as file:
        return "program" in file and "ntraj" not in file.attrs


def _text(ens: Ensemble, damaged: list[int] | None) -> str:
    told = ens.provenance
    versions = ", ".join(f"{k.removeprefix('version_')} {v}" for k, v in told.items() if k.startswith("version_"))
    lines = [
        repr(ens),
        f"  {'parameters':<22}{', '.join(f'{k}={v!r}' for k, v in ens.recipe.get('parameters', {}).items()) or '-'}",
        f"  {'columns':<22}{', '.join(ens.columns)}",
        f"  {'time':<22}{told['wall_time']:.1f} s, of workers {told['worker_time']:.1f} s",
        f"  {'written':<22}{told['created']} by {versions}",
        f"  {'data':<22}{ens.digest()}",
    ]
    if damaged is not None:
        lines.append(
            f"  {'checked':<22}{'every chunk is sound' if not damaged else f'damaged chunks: {damaged}; resume'}"
        )
    return "\n".join(lines)


def _facts(ens: Ensemble, damaged: list[int] | None) -> dict[str, Any]:
    found = facts(ens, "info") | {"columns": list(ens.columns), "provenance": ens.provenance}
    return found if damaged is None else found | {"damaged_chunks": damaged}
