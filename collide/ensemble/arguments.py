"""What the verbs accept: judged before anything is computed or written."""

import operator
import os
from pathlib import Path
from typing import Any

from collide.records import Grid

Shard = tuple[int, int] | str


def check_target(path: str | Path, *, overwrite: bool = False, resume: bool = False) -> None:
    """Refuse a file that could not be written, before anything is computed for it.

    Raises
    ------
    FileExistsError, FileNotFoundError, PermissionError
        In one sentence.
    """
    path = Path(path)
    if path.exists() and not (overwrite or resume):
        raise FileExistsError(f"{path} exists: resume it, choose another name, or allow to overwrite it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"folder {path.parent} does not exist: create it, or write somewhere else.")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path} cannot be written: permission denied in {path.parent}; choose another place.")


def check_workers(executor: Any, threads: Any) -> None:
    """Refuse what `executor_for` cannot use, before any file is touched.

    Raises
    ------
    TypeError, ValueError
        If the arguments do not describe workers.
    """
    if executor is not None and threads is not None:
        raise ValueError(f"`threads` is {threads}, but an `executor` has its own workers: give one of the two.")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"`executor` must have the method submit of concurrent.futures.Executor, but is {executor!r}.")
    if threads is not None and not isinstance(threads, int):
        raise TypeError(f"`threads` must be an integer, but is {threads!r}.")
    if threads is not None and threads < 1:
        raise ValueError(f"`threads` must be at least 1, but is {threads}.")


def grid_of(ntraj: int, chunk_size: int, shard: Shard | None) -> Grid:
    """The chunks that are asked for.

    Raises
    ------
    ValueError, TypeError
        If the numbers make no grid.
    """
    grid = Grid(integer("ntraj", ntraj), integer("chunk_size", chunk_size))
    return grid if shard is None else grid.shard(*_shard(shard))


def _shard(shard: Shard) -> tuple[int, int]:
    try:
        i, n = shard.split("/") if isinstance(shard, str) else shard
        return operator.index(int(i)), operator.index(int(n))
    except (TypeError, ValueError):
        raise ValueError(f"`shard` must be i/n with i from 1 to n, but is {shard!r}.") from None


def integer(name: str, value: Any) -> int:
    """An argument as an integer, or a TypeError that names it."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"`{name}` must be an integer, but is {value!r}.") from None
