"""The engines behind one call: arrays of a program in, raw columns and sums of a chunk out."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from collide.kernels.collisions import CollisionProgram, run_collisions
from collide.kernels.event_tables import EventProgram, prepare_events
from collide.kernels.events import run_events
from collide.kernels.jump_program import JumpProgram
from collide.kernels.jump_tables import JumpTables, prepare
from collide.kernels.jumps import Record, run_jumps

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


def run_event_chunk(program: Any, seed: int, start: int, stop: int) -> Raw:
    """Collisions by events; those of a period are timed at its end."""
    record = Record(
        jumps="jumps" in program.keep, final_state="final_state" in program.keep, rho=program.meta["sum_states"]
    )
    raw = run_events(event_tables(program), seed, start, stop, record)
    if record.jumps:
        raw["jump_time"] = raw["jump_time"] * float(program.meta["tau"])
    return raw


def run_jump_chunk(program: Any, seed: int, start: int, stop: int) -> Raw:
    """Quantum jumps; the tables of the no-jump propagator are made once in each process."""
    record = Record(
        jumps="jumps" in program.keep, final_state="final_state" in program.keep, rho=program.meta["sum_states"]
    )
    return run_jumps(jump_tables(program), seed, start, stop, record)


def jump_tables(program: Any) -> JumpTables:
    """The propagator tables of a program of jumps, kept with it."""
    return _kept(program, JumpProgram, prepare)


def event_tables(program: Any) -> JumpTables:
    """The tables of the null operator's powers of a program of events, kept with it."""
    return _kept(program, EventProgram, prepare_events)


def _kept(program: Any, fields: Any, make: Callable[[Any], JumpTables]) -> JumpTables:
    kept = program.__dict__.get("_jump_tables")
    if kept is None:
        kept = make(fields(*(program.arrays[name] for name in fields._fields)))
        program.__dict__["_jump_tables"] = kept
    return kept


ENGINES: dict[str, Callable[[Any, int, int, int], Raw]] = {
    "collisions": run_collision_chunk,
    "events": run_event_chunk,
    "jumps": run_jump_chunk,
}
