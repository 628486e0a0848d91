"""Compressed files, and chunks carried from store to store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .disk import announce, remove, replace
from .errors import friendly
from .layout import FORMAT, Names, write_layout, write_program
from .lock import Lock
from .objects import new_file, set_attributes
from .places import journal_path, part_path
from .plan import Plan, StoredProgram
from .reading import StoreError

Sources = Sequence[tuple[Any, int]]  # (store, its k-th chunk) for each chunk of the target, in the order of the grid


def copy_chunks(source: Any, target: Any) -> None:
    """Commit every finished chunk of `source` that `target` lacks and whose trajectories are the same in both."""
    mine, theirs = target.plan.grid, source.plan.grid
    seconds = source.seconds()
    for k in np.flatnonzero(source.done).tolist():
        number = theirs.first + k
        wanted = mine.first <= number < mine.last and mine.bounds(number) == theirs.bounds(number)
        if wanted and not target.done[number - mine.first]:
            chunk = intact(source, k).chunk(source.plan.fields, *theirs.bounds(number))
            target.commit(chunk, float(seconds[k]))


def write_packed(
    path: Path, plan: Plan, sources: Sources, *, wall_time: float, names: Names | None = None, overwrite: bool = False
) -> None:
    """Write a complete ensemble as one compressed file, under a temporary name first.

    Parameters
    ----------
    path : Path
    plan : Plan
        Of the whole; `sources` gives one (store, chunk) for each of its chunks.
    sources : sequence of (store, int)
    wall_time : float
        Seconds that the runs took together.
    names : Names, optional
        Kept where the data are those of an existing file.
    overwrite : bool

    Raises
    ------
    FileExistsError, StoreError, OSError
        In one sentence; an existing file is as it was.
    """
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists: choose another name, or allow to overwrite it.")
    part = part_path(path)
    with friendly(path):
        lock = Lock(path)
        try:
            announce("create")
            entries = _count_entries(sources) if plan.fields.ragged else None
            with new_file(part) as file:
                write_layout(file, plan, names or Names.new(), entries=entries, packed=True)
                _fill(file, plan, sources)
                file["provenance/wall_time"][0] = wall_time
            replace(part, path)
            remove(journal_path(path))
        finally:
            part.unlink(missing_ok=True)
            lock.release()


def _count_entries(sources: Sources) -> int:
    return sum(len(next(iter(store.ragged(k).values()))) for store, k in sources)


def intact(store: Any, k: int) -> Any:
    """The k-th chunk of a store, if its bytes match its checksum.

    Raises
    ------
    StoreError
        If they do not.
    """
    stored = store.stored(k)
    if hasattr(store, "path") and stored.checksum() != int(store.checksum(k)):
        start, stop = store.plan.grid.bounds(store.plan.grid.first + k)
        raise StoreError(
            f"{store.path} is damaged in trajectories {start} to {stop - 1}: resume it, which repeats them."
        )
    return stored


def _fill(file: h5py.File, plan: Plan, sources: Sources) -> None:
    row, entry = 0, 0
    for number, (store, k) in enumerate(sources):
        stored = intact(store, k)
        for f, values in zip(plan.fields.columns, stored.columns, strict=True):
            file[f.name][row : row + len(values)] = values
        for f, values in zip(plan.fields.partials, stored.partials, strict=True):
            file[f.name][number] = values
        for f, values in zip(plan.fields.ragged, stored.ragged, strict=True):
            file[f.name][entry : entry + len(values)] = values
        row, entry = row + len(stored.columns[0]), entry + stored.entries
        file["checksum"][number] = stored.checksum()
        file["provenance/chunk_seconds"][number] = store.seconds()[k]
    file["done"][...] = 1


def write_program_file(path: Path, program: StoredProgram, *, overwrite: bool = False) -> None:
    """Write a compiled program without trajectories, to be run elsewhere."""
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists: choose another name, or allow to overwrite it.")
    part = part_path(path)
    with friendly(path):
        try:
            announce("create")
            with new_file(part) as file:
                words = {"Conventions": "CF-1.11", "collide_format": np.int32(FORMAT), "identity": program.identity}
                set_attributes(file.id, words)
                write_program(file, program)
            replace(part, path)
        finally:
            part.unlink(missing_ok=True)
