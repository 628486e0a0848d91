"""The two engines behind one call: arrays of a program in, raw columns and sums of a chunk out."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from collide.kernels.collisions import CollisionProgram, run_collisions

Raw = dict[str, NDArray[Any]]


def run_collision_chunk(program: Any, seed: int, start: int, stop: int) -> Raw:
    """Collisions; an exchange is timed at the end of its period."""
    tables = CollisionProgram(*(program.arrays[name] for name in CollisionProgram._fields))
    record = run_collisions(
        tables,
        seed,
        start,
        stop,
        events="jumps" in program.keep,
        final_state="final_state" in program.keep,
        states=program.meta["sum_states"],
    )
    raw = record._asdict()
    raw["jump_time"] = record.event_step[: record.used[0]] * float(program.meta["tau"])
    raw["jump_channel"] = record.event_outcome[: record.used[0]]
    return raw


ENGINES: dict[str, Callable[[Any, int, int, int], Raw]] = {"collisions": run_collision_chunk}
