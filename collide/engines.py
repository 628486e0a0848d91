"""The engines behind one call: arrays of a program in, raw columns and sums of a chunk out."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.kernels.collision_runs import RunTables, prepare_runs, run_labels
from collide.kernels.collisions import CollisionProgram, run_collisions
from collide.kernels.event_tables import EventProgram, prepare_events
from collide.kernels.events import run_events
from collide.kernels.jump_program import JumpProgram
from collide.kernels.jump_tables import JumpTables, prepare
from collide.kernels.jumps import Record, run_jumps
from collide.kernels.pilot import paced
from collide.kernels.renewal import run_renewal
from collide.kernels.renewal_tables import RenewalTables, prepare_renewal
from collide.kernels.wide import run_wide
from collide.kernels.wide_tables import WideProgram, WideTables, prepare_wide

Raw = dict[str, NDArray[Any]]


def run_collision_chunk(program: Any, seed: int, start: int, stop: int) -> Raw:
    """Collisions with every label drawn; an exchange is timed at the end of its period.

    Periods with channels of their own go collision by collision.
    """
    tables = collision_program(program)
    wanted = {
        "events": "jumps" in program.keep,
        "final_state": "final_state" in program.keep,
        "states": program.meta["sum_states"],
    }
    if len(tables.flow_time):
        record = run_collisions(tables, seed, start, stop, **wanted)
    else:
        record = run_labels(tables, run_tables(program), seed, start, stop, **wanted)
    raw = record._asdict()
    raw["load_heat"], raw["load_work"] = np.zeros((stop - start, len(program.baths))), record.load[:, :, 1]
    for load, bath in enumerate(tables.load_bath):
        raw["load_heat"][:, bath] += record.load[:, load, 0]
    raw["jump_time"] = record.event_step[: record.used[0]] * float(program.meta["tau"])
    raw["jump_channel"] = record.event_outcome[: record.used[0]]
    return raw


def collision_program(program: Any) -> CollisionProgram:
    """The arrays that the collision kernels read."""
    return _arrays_of(program, CollisionProgram)


def run_tables(program: Any) -> RunTables:
    """The products over runs of collisions of a program that draws every label, kept with it."""
    return _kept(program, lambda: prepare_runs(collision_program(program)))


def run_event_chunk(program: Any, seed: int, start: int, stop: int) -> Raw:
    """Collisions by events; those of a period are timed at its end.

    Where events prepare the state, the next one is looked up; elsewhere it is searched, sixteen trajectories together.
    """
    record = Record(
        jumps="jumps" in program.keep, final_state="final_state" in program.keep, rho=program.meta["sum_states"]
    )
    tables = renewal_tables(program)
    if tables is None:
        raw = run_events(event_tables(program), seed, start, stop, record)
    else:
        raw = run_renewal(tables, seed, start, stop, record)
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
    return _kept(program, lambda: paced(prepare(_arrays_of(program, JumpProgram))))


def event_tables(program: Any) -> JumpTables:
    """The tables of the null operator's powers of a program of events, kept with it."""
    return _kept(program, lambda: prepare_events(_arrays_of(program, EventProgram)))


def renewal_tables(program: Any) -> RenewalTables | None:
    """The tables of what follows each event of a program, kept with it; None where events are searched."""
    return _kept(program, lambda: prepare_renewal(_arrays_of(program, EventProgram)), "_renewal")


def run_wide_chunk(program: Any, seed: int, start: int, stop: int) -> Raw:
    """Trajectories of large systems: sparse jumps, or periods of gates and collisions."""
    record = Record(
        jumps="jumps" in program.keep, final_state="final_state" in program.keep, rho=program.meta["sum_states"]
    )
    periods = program.kind == "gates"
    raw = run_wide(wide_tables(program), periods, seed, start, stop, record)
    if record.jumps and periods:
        raw["jump_time"] = raw["jump_time"] * float(program.meta["tau"])
    return raw


def wide_tables(program: Any) -> WideTables:
    """The tables of a program of a large system, kept with it."""
    return _kept(program, lambda: prepare_wide(_arrays_of(program, WideProgram)))


def _arrays_of(program: Any, form: Any) -> Any:
    """The arrays that an engine reads, as the tuple that names them.

    Raises
    ------
    ValueError
        If some are missing, as in a file of a version that did not have them yet.
    """
    missing = [name for name in form._fields if name not in program.arrays]
    if missing:
        raise ValueError(
            f"this program of kind {program.kind!r} lacks {', '.join(missing)}: it was compiled by another version of"
            " collide; what it has recorded can be read, but to run more compile the model again"
        )
    return form(*(program.arrays[name] for name in form._fields))


def _kept(program: Any, make: Callable[[], Any], name: str = "_tables") -> Any:
    if name not in program.__dict__:
        program.__dict__[name] = make()
    return program.__dict__[name]


ENGINES: dict[str, Callable[[Any, int, int, int], Raw]] = {
    "collisions": run_collision_chunk,
    "events": run_event_chunk,
    "jumps": run_jump_chunk,
    "gates": run_wide_chunk,
    "sparse_jumps": run_wide_chunk,
}
