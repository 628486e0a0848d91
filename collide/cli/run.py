"""``collide run``."""

import argparse
from pathlib import Path

from collide.cli.model import add_source, program_of
from collide.cli.work import add_workers, finish, workers
from collide.ensemble import run_program
from collide.ensemble.arguments import check_target
from collide.records import CHUNK_SIZE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_source(parser)
    parser.add_argument("--ntraj", type=int, metavar="N", required=True, help="number of trajectories")
    parser.add_argument(
        "--seed", type=int, metavar="S", help="seed of the random numbers (default: drawn, and reported)"
    )
    parser.add_argument("--shard", metavar="I/N", help="run only the I-th of N parts, to be merged later")
    parser.add_argument("--chunk-size", type=int, metavar="M", default=CHUNK_SIZE, help=f"default: {CHUNK_SIZE}")
    parser.add_argument(
        "-o", "--out", metavar="FILE", type=Path, required=True, help="HDF5 file: checkpoint and result"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    group.add_argument("--resume", action="store_true", help="finish FILE if it exists and is this very run")
    add_workers(parser)


def command(arguments: argparse.Namespace) -> int:
    """Run an ensemble."""
    check_target(arguments.out, overwrite=arguments.overwrite, resume=arguments.resume)  # before a long compilation
    ens = run_program(
        program_of(arguments),
        arguments.ntraj,
        arguments.seed,
        out=arguments.out,
        overwrite=arguments.overwrite,
        resume=arguments.resume,
        chunk_size=arguments.chunk_size,
        shard=arguments.shard,
        **workers(arguments),
    )
    return finish(arguments, ens)
