"""``collide warmup``."""

import argparse
import time
from typing import Any
import warnings

from collide.cli.model import build
from collide.cli.say import add_format, say
from collide.ensemble import run_program
from collide.kernels.compile import CACHE
from collide.program import compile_program

# every kind of program that there is: jumps, jumps with a load, collisions by events, collisions one by one, and chains
COLLISION: dict[str, Any] = {"picture": "collision", "tau": 0.5}
CHAIN: dict[str, Any] = {"N": 10, "T_L": 1.0, "T_R": 0.5}
STEADY: dict[str, Any] = {}
PRODUCT: dict[str, Any] = {"initial": ("product", [0.5, 0.5]), "closing": "product"}
KINDS: tuple[tuple[str, dict[str, Any], str, dict[str, Any]], ...] = (
    ("rectifier", {"picture": "jump"}, "heat", STEADY),
    ("rotor", {"l_min": -1, "l_max": 1}, "heat", STEADY),
    ("rectifier", COLLISION, "heat", STEADY),
    ("rectifier", COLLISION, "all", STEADY),
    ("rectifier", CHAIN | {"picture": "jump"}, "heat", PRODUCT),
    ("rectifier", CHAIN | COLLISION | {"construction": "gates"}, "heat", PRODUCT),
)
KEEP = (("totals",), ("totals", "jumps", "final_state"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_format(parser)


def command(arguments: argparse.Namespace) -> int:
    """Compile all kernels by running two trajectories with each of them."""
    begin = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a ladder of three levels is short does not matter here
        for machine, settings, labels, ends in KINDS:
            model = build(machine, settings)
            for keep in KEEP:
                run_program(compile_program(model, [0.5, 1.0], keep=keep, labels=labels, **ends), 2, 0, threads=1)
    seconds = time.monotonic() - begin
    where = f"kept in {CACHE}" if CACHE else "but there is no folder to keep them in: see NUMBA_CACHE_DIR"
    facts = {"event": "warm", "seconds": seconds, "cache": str(CACHE) if CACHE else None}
    say(arguments, f"kernels are compiled ({seconds:.1f} s), {where}", facts)
    return 0
