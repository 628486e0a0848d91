"""The loop that turns tickets into committed chunks, and its ends: complete, interrupted, failed."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import Path
import shutil
import signal
from tempfile import mkdtemp
import time
from typing import Any, Literal
import warnings
from weakref import finalize

import numpy as np

from collide.ensemble.executors import Stream, WorkerDied, executor_for
from collide.ensemble.progress import Progress
from collide.ensemble.signals import Interrupted, Stop, interruption
from collide.records import ADVICE
from collide.store import FileStore, MemoryStore, Plan, copy_chunks


def drive(
    program: Any,
    store: Any,
    executor: Executor | None,
    threads: int | None,
    progress: "bool | Literal['json']",
    memory_limit: int = 0,
) -> Any:
    """Run every chunk of a store that is not done, and return the store, closed for writing.

    A `MemoryStore` that exceeds `memory_limit` bytes moves to a temporary file on the way.

    Raises
    ------
    Interrupted
        After a signal; what had begun was finished and saved.
    WorkerDied, OSError, and whatever a chunk raised
        What had been finished is saved.
    """
    missing = [store.plan.grid.first + int(k) for k in np.flatnonzero(~store.done)]
    bounds = (store.plan.grid.bounds(k) for k in missing)
    source = str(store.path.resolve()) if isinstance(store, FileStore) else None
    with (
        _closing(store, count_time=bool(missing)) as holder,
        interruption() as stop,
        executor_for(executor, threads, max(len(missing), 1)) as pool,
    ):
        bar = Progress(progress, store.plan.grid.rows, _rows_done(store))
        stream = Stream(pool, program, store.plan.seed, bounds, source, stop)
        try:
            for chunk, seconds in stream:
                holder.commit(chunk, seconds)
                bar.update(len(chunk))
                holder.spill(memory_limit)
        finally:
            bar.close()
        _end(holder.store, stream.error, stop)
    _warn_of_failures(holder.store)
    return holder.store


class _Holder:
    """The store of a run, which may move from memory to a file."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def commit(self, chunk: Any, seconds: float) -> None:
        self.store.commit(chunk, seconds)

    def spill(self, limit: int) -> None:
        if isinstance(self.store, MemoryStore) and self.store.nbytes > limit:
            file = temporary_store(self.store.plan)
            copy_chunks(self.store, file)
            self.store = file


@contextmanager
def _closing(store: Any, count_time: bool) -> Iterator[_Holder]:
    """Close the store whatever happens, with the wall time added; a late error must not hide the first one."""
    holder, begin = _Holder(store), time.monotonic()
    try:
        yield holder
    except BaseException:
        with suppress(OSError):
            holder.store.finish(time.monotonic() - begin)
        raise
    else:
        holder.store.finish(time.monotonic() - begin if count_time else 0.0)
    finally:
        holder.store.close()


def temporary_store(plan: Plan) -> FileStore:
    """A file that vanishes with the last reference to the store, or with the process."""
    folder = Path(mkdtemp(prefix="collide-"))
    try:
        store = FileStore.create(folder / "ensemble.h5", plan)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    store.temporary = True
    finalize(store, shutil.rmtree, folder, ignore_errors=True)
    return store


def _rows_done(store: Any) -> int:
    bounds = [store.plan.grid.bounds(store.plan.grid.first + int(k)) for k in np.flatnonzero(store.done)]
    return sum(stop - start for start, stop in bounds)


def _end(store: Any, error: BaseException | None, stop: Stop) -> None:
    """Say how a run that did not complete ended, and how to go on."""
    if store.done.all():
        return
    state = f"after {int(store.done.sum())} of {len(store.done)} chunks; {_remedy(store)}"
    if isinstance(error, WorkerDied):
        raise WorkerDied(f"{error} {state}") from error.__cause__
    if error is not None:
        error.add_note(f"The run stopped {state}")
        raise error
    signum = stop.signum or signal.SIGINT
    raise Interrupted(signum, f"stopped by {signal.Signals(signum).name} {state}")


def _remedy(store: Any) -> str:
    if isinstance(store, FileStore) and not store.temporary:
        return (
            f"they are saved: `collide resume {store.path}` or collide.resume({str(store.path)!r}) goes on from there."
        )
    return "they are lost, because no file was named: pass `out=` to be able to resume."


def _warn_of_failures(store: Any) -> None:
    """One sentence if trajectories ended early: news, never silence."""
    if all(f.name != "status" for f in store.plan.fields.columns):
        return
    found: Counter[int] = Counter()
    first: dict[int, int] = {}
    for start in range(0, store.plan.grid.rows, 1 << 20):
        status = store.rows("status", start, min(start + (1 << 20), store.plan.grid.rows))
        bad = np.flatnonzero(status)
        found.update(status[bad].tolist())
        for value in np.unique(status[bad]).tolist():
            first.setdefault(value, store.plan.grid.start + start + int(bad[status[bad] == value][0]))
    for value, count in sorted(found.items()):
        warnings.warn(
            f"{count} of {store.plan.grid.rows} trajectories ended early with status {value} "
            f"(first: trajectory {first[value]}): {ADVICE.get(value, 'unknown to this version')}.",
            RuntimeWarning,
            stacklevel=5,
        )
