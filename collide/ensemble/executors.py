"""How chunks reach workers: any `concurrent.futures.Executor`, of which nothing but `submit` is used.

A task is a small ticket: the program's identity, the seed and the ids.  A worker that does not know the program yet
reads it from the run's file, if it can see that file, or else answers that it needs it, and gets it with the chunk's
second ticket.  So a program travels about once per worker, whatever starts, kills and replaces the workers.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
import os
from pathlib import Path
from queue import SimpleQueue
import signal
import threading
import time
from typing import Any

from threadpoolctl import threadpool_limits

import collide.program as engine
from collide.records import Array, Chunk
from collide.store import StoreError
from collide.store.reading import open_hdf5, read_program

_programs: dict[str, Any] = {}  # of this process, by identity
_KEEP = 4  # programs that a worker remembers


class WorkerDied(RuntimeError):
    """A worker process ended before its chunk did."""


@dataclass(frozen=True)
class Ticket:
    """One chunk to run.

    Attributes
    ----------
    identity : str
        Of the program.
    source : str or None
        File that holds the program.
    payload : tuple or None
        The program itself: kind, arrays, meta.
    owner : int
        Process that hands out the tickets.
    seed, start, stop : int
    """

    identity: str
    source: str | None
    payload: tuple[str, dict[str, Array], dict[str, Any]] | None
    owner: int
    seed: int
    start: int
    stop: int


def work(ticket: Ticket) -> tuple[Chunk, float] | None:
    """Run one chunk in a worker: the chunk and the seconds it took; None if the program has to be sent along."""
    if os.getpid() != ticket.owner:
        _settle_in()
    program = _program(ticket)
    if program is None:
        return None
    begin = time.perf_counter()
    chunk = engine.run_chunk(program, ticket.seed, ticket.start, ticket.stop)
    return chunk, time.perf_counter() - begin


def remember(program: Any) -> None:
    """Make a program known to the workers inside this process."""
    while len(_programs) >= _KEEP:
        _programs.pop(next(iter(_programs)), None)
    _programs[program.identity] = program


def _program(ticket: Ticket) -> Any:
    known = _programs.get(ticket.identity)
    if known is None:
        parts = ticket.payload or _from_file(ticket)
        if parts is None:
            return None
        known = engine.Program.from_arrays(*parts)
        remember(known)
    return known


def _from_file(ticket: Ticket) -> tuple[str, dict[str, Array], dict[str, Any]] | None:
    if ticket.source is None:
        return None
    try:
        with open_hdf5(Path(ticket.source)) as file:
            stored = read_program(file)
    except (OSError, StoreError, KeyError):  # another machine, which does not see our disk
        return None
    if stored.identity != ticket.identity:
        return None
    return stored.kind, dict(stored.arrays), dict(stored.meta)


def _settle_in() -> None:
    """In a worker process: leave Ctrl-C to the process that saves, and the cores to the other workers."""
    global _settled
    if _settled:
        return
    _settled = True
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1)


_settled = False


class Inline(Executor):
    """Runs each task where it is submitted; for one thread, or one chunk, nothing else is cheaper."""

    _max_workers = 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run the task now and return its finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # as an executor does: the error is the future's
            future.set_exception(error)
        return future


@contextmanager
def executor_for(executor: Executor | None, threads: int | None, chunks: int) -> Iterator[Executor]:
    """The user's executor, or threads of our own for so many chunks."""
    if executor is not None:
        yield executor
        return
    count = min(cores() if threads is None else threads, chunks)
    with Inline() if count <= 1 else ThreadPoolExecutor(count, thread_name_prefix="collide") as pool:
        yield pool


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def window(executor: Executor) -> int:
    """How many chunks to have under way: enough that no worker waits, and no more."""
    if isinstance(executor, Inline):
        return 1
    return 2 * workers(executor) + 2


def workers(executor: Any) -> int:
    """Number of workers, as far as the executor tells; 32 if it does not."""
    for name in ("_max_workers", "num_workers"):  # the standard library; mpi4py
        count = getattr(executor, name, None)
        if isinstance(count, int) and count > 0:
            return count
    client = getattr(executor, "_client", None)  # Dask distributed
    if client is not None:
        return max(1, sum(client.nthreads().values()))
    return 32


class Stream:
    """Chunks as they are finished, with a bounded number of them under way.

    After a stop is asked for, or a chunk has failed, nothing new is begun and what is being run is still delivered;
    then `error` says what went wrong, if anything did.

    Parameters
    ----------
    executor : Executor
    program : Program
    seed : int
    bounds : iterable of (int, int)
        First and one-past-last id of the chunks to run.
    source : str or None
        File that holds the program.
    stopping : callable
        True when nothing new should begin.
    """

    def __init__(
        self,
        executor: Executor,
        program: Any,
        seed: int,
        bounds: Iterable[tuple[int, int]],
        source: str | None,
        stopping: Callable[[], bool],
    ) -> None:
        self.executor, self.program, self.stopping = executor, program, stopping
        self.error: BaseException | None = None
        ticket = Ticket(program.identity, source, None, os.getpid(), seed, 0, 0)
        self._tickets = (replace(ticket, start=start, stop=stop) for start, stop in bounds)
        self._under_way: dict[Future[Any], Ticket] = {}
        self._finished: SimpleQueue[Future[Any]] = SimpleQueue()
        self._window = window(executor)
        remember(program)

    def __iter__(self) -> Iterator[tuple[Chunk, float]]:
        try:
            while True:
                self._fill()
                if not self._under_way:
                    return
                future = self._finished.get()
                ticket = self._under_way.pop(future)
                answer = self._answer(future)
                if answer is not None:
                    yield answer
                elif self.error is None and not future.cancelled():
                    self._submit(replace(ticket, payload=self._payload()))
        finally:
            for future in self._under_way:
                future.cancel()

    def _fill(self) -> None:
        while len(self._under_way) < self._window and self.error is None and not self.stopping():
            ticket = next(self._tickets, None)
            if ticket is None:
                return
            self._submit(ticket)
        if self.error is not None or self.stopping():
            for future in list(self._under_way):
                future.cancel()  # what has begun cannot be cancelled, and is waited for

    def _submit(self, ticket: Ticket) -> None:
        try:
            future = self.executor.submit(work, ticket)
        except Exception as error:
            self.error = self.error or explained(error)
            return
        self._under_way[future] = ticket
        future.add_done_callback(self._finished.put)

    def _answer(self, future: "Future[Any]") -> tuple[Chunk, float] | None:
        if future.cancelled():
            return None
        try:
            answer: tuple[Chunk, float] | None = future.result()
        except Exception as error:
            self.error = self.error or explained(error)
            return None
        return answer

    def _payload(self) -> tuple[str, dict[str, Array], dict[str, Any]]:
        return self.program.kind, dict(self.program.arrays), dict(self.program.meta)


def explained(error: BaseException) -> BaseException:
    """The error of a worker that died, as a sentence; other errors as they are."""
    died = isinstance(error, (BrokenExecutor, CancelledError)) or type(error).__name__ == "KilledWorker"
    if not died:
        return error
    sentence = "a worker process died (killed, out of memory, or its script lacks `if __name__ == '__main__':`)"
    explanation = WorkerDied(sentence)
    explanation.__cause__ = error
    return explanation
