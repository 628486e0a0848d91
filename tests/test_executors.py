"""Any executor gives the same bits, and a worker that dies costs one sentence."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
import multiprocessing
import os
from pathlib import Path
import pickle
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import collide
from collide.ensemble import WorkerDied, load, resume, run_program
from collide.ensemble.executors import Ticket, work, workers
from collide.machines import rectifier
from collide.program import compile_program
import fake_program
from fake_program import make, same_bits

NTRAJ, SIZE, SEED = 200, 10, 3
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def fake() -> Iterator[None]:
    with fake_program.installed():
        yield


def fake_workers(count: int) -> ProcessPoolExecutor:
    """Processes that know the program without physics."""
    return ProcessPoolExecutor(count, mp_context=SPAWN, initializer=fake_program.install)


@pytest.fixture(scope="module")
def worker() -> Iterator[ProcessPoolExecutor]:
    """One process for several tests: to start one takes longer than they do."""
    with fake_workers(1) as pool:
        yield pool


class Counting(Executor):
    """Passes tasks on, and counts those that carry the program."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self.pool, self.sent, self.tickets = pool, 0, 0
        self._max_workers = workers(pool)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.tickets += 1
        self.sent += args[0].payload is not None
        return self.pool.submit(fn, *args, **kwargs)


def test_processes_change_no_bit_and_get_the_program_once(
    tmp_path: Path, fake: None, worker: ProcessPoolExecutor
) -> None:
    whole = run_program(make(), NTRAJ, SEED, chunk_size=SIZE)
    for count in (1, 2, 3):
        with nullcontext(worker) if count == 1 else fake_workers(count) as pool:
            counting = Counting(pool)
            path = tmp_path / f"{count}.h5"
            assert same_bits(run_program(make(), NTRAJ, SEED, chunk_size=SIZE, executor=counting, out=path), whole)
            assert (counting.tickets, counting.sent) == (20, 0)  # the workers read it from the file
            other = make(2.0)  # without a file it has to travel
            assert same_bits(
                run_program(other, NTRAJ, SEED, chunk_size=SIZE, executor=counting),
                run_program(other, NTRAJ, SEED, chunk_size=SIZE),
            )
            assert counting.sent >= 1
            if count == 1:  # of several workers one may still be starting when the others have done all the work
                assert counting.sent <= 4  # once for each ticket of the first handful


def test_a_real_machine_in_processes(tmp_path: Path) -> None:
    keep = ("totals", "jumps", "final_state")
    with ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        for options in ({"picture": "jump"}, {"picture": "collision", "tau": 0.5}):
            program = compile_program(rectifier(g=0.05, **options), [0, 10.0, 20.0], keep=keep)
            whole = run_program(program, 100, SEED, chunk_size=16, threads=2)
            assert same_bits(run_program(program, 100, SEED, chunk_size=16, executor=pool), whole)
            path = tmp_path / f"{options['picture']}.h5"
            assert same_bits(run_program(program, 100, SEED, chunk_size=16, executor=pool, out=path), whole)
            single = run_program(program, 100, SEED, chunk_size=100, threads=1)
            for name in whole.columns:  # partial sums belong to the grid, trajectories do not
                assert np.array_equal(whole.column(name), single.column(name))


def test_a_worker_that_dies_is_named_and_the_run_resumes(tmp_path: Path, fake: None) -> None:
    path, deadly = tmp_path / "run.h5", make(die_at=105)
    with fake_workers(2) as pool, pytest.raises(WorkerDied) as caught:
        run_program(deadly, NTRAJ, SEED, chunk_size=SIZE, executor=pool, out=path)
    sentence = str(caught.value)
    assert sentence.startswith("a worker process died (killed, out of memory, or its script lacks `if __name__")
    assert f"of 20 chunks; they are saved: `collide resume {path}`" in sentence
    assert "\n" not in sentence
    saved = load(path)
    assert saved.ntraj < NTRAJ
    whole = run_program(deadly, NTRAJ, SEED, chunk_size=SIZE)  # in threads nobody is killed
    assert np.array_equal(saved.work, whole.work[saved.ids])
    assert same_bits(resume(path, progress=False), whole)


def test_an_error_in_a_worker_is_the_users_error(tmp_path: Path, fake: None, worker: ProcessPoolExecutor) -> None:
    with pytest.raises(RuntimeError, match="trajectory 105 was told to fail"):
        run_program(make(fail_at=105), NTRAJ, SEED, chunk_size=SIZE, executor=worker, out=tmp_path / "run.h5")
    assert load(tmp_path / "run.h5").ntraj >= 100


def inside() -> tuple[int, list[int]]:
    """What a worker sees after its first chunk, had it been given two threads before."""
    threadpool_limits(2)
    run = work(Ticket("x", None, ("fake", make().arrays, make().meta), -1, SEED, 0, 5))
    assert run is not None
    return os.getpid(), [pool["num_threads"] for pool in threadpool_info()]


def test_inner_threads_are_capped_in_workers() -> None:
    with fake_workers(1) as pool:
        process, threads = pool.submit(inside).result()
    assert process != os.getpid()
    assert set(threads) == {1}


def test_a_ticket_is_small() -> None:
    assert len(pickle.dumps(Ticket("0" * 64, "/some/where/run.h5", None, 1, SEED, 0, 4096))) < 400


def test_the_number_of_workers_is_asked_of_the_executor() -> None:
    class Silent(Executor):
        pass

    class Mpi(Executor):
        num_workers = 7

    with ProcessPoolExecutor(5) as pool:
        assert workers(pool) == 5
    assert workers(Mpi()) == 7
    assert workers(Silent()) == 32


def test_the_public_function_takes_an_executor() -> None:
    model, tasks = rectifier(g=0.05), []

    class Spying(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
            tasks.append(fn)
            return super().submit(fn, *args, **kwargs)

    with Spying(1) as pool:
        found = collide.run(model, 20, 10.0, seed=SEED, executor=pool)
    assert tasks == [work]
    assert same_bits(found, collide.run(model, 20, 10.0, seed=SEED))
