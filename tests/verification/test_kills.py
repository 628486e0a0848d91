"""Fifty kills at random instants, in every verb that writes: no committed chunk is lost, and the bits are the same."""

from collections.abc import Callable, Iterator
from functools import partial
import os
from pathlib import Path
import signal
import time
from typing import Any

import numpy as np
import pytest

from collide.ensemble import extend, load, merge, resume, run_program
import fake_program
from fake_program import make, same_bits

pytestmark = pytest.mark.verification
SEED, SIZE = 5, 8


@pytest.fixture(autouse=True)
def engine() -> Iterator[None]:
    with fake_program.installed():
        yield


def killed_after(seconds: float, action: Callable[[], Any]) -> bool:
    """Whether `action` in a child process was killed with -9 before it was done."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


def rows(path: Path) -> int:
    return load(path).ntraj if path.exists() else 0


@pytest.mark.filterwarnings("error")
def test_fifty_random_kills_of_a_run(tmp_path: Path) -> None:
    generator, kills, path = np.random.default_rng(2), 0, tmp_path / "run.h5"
    program = make(delay=0.001)
    whole = run_program(program, 1000, SEED, chunk_size=SIZE)
    while kills < 50:
        before = rows(path)
        if before == 1000:
            path.unlink()
            before = 0

        def go_on() -> None:
            run_program(program, 1000, SEED, out=path, chunk_size=SIZE, threads=2, resume=True)

        kills += killed_after(generator.exponential(0.08), go_on)
        assert rows(path) >= before
        if path.exists():
            found = load(path)
            assert np.array_equal(found.work, whole.work[found.ids])
    assert same_bits(run_program(program, 1000, SEED, out=path, chunk_size=SIZE, resume=True), whole)


@pytest.mark.filterwarnings("error")
def test_fifty_random_kills_of_extensions(tmp_path: Path) -> None:
    generator, kills, path = np.random.default_rng(3), 0, tmp_path / "run.h5"
    program, ntraj = make(), 100
    run_program(program, ntraj, SEED, out=path, chunk_size=SIZE)
    while kills < 50:
        full = rows(path) // SIZE * SIZE
        ntraj += int(generator.integers(1, 60))
        kills += killed_after(generator.exponential(0.05), partial(extend, path, ntraj, progress=False))
        assert rows(path) >= full
        whole = run_program(program, load(path).planned, SEED, chunk_size=SIZE)
        assert same_bits(resume(path, progress=False), whole)


@pytest.mark.filterwarnings("error")
def test_random_kills_of_merges(tmp_path: Path) -> None:
    generator, program = np.random.default_rng(4), make()
    parts = [tmp_path / f"{i}.h5" for i in (1, 2, 3)]
    for i, path in enumerate(parts, 1):
        run_program(program, 3000, SEED, out=path, chunk_size=SIZE, shard=(i, 3))
    whole = run_program(program, 3000, SEED, chunk_size=SIZE)
    for _ in range(20):
        killed_after(generator.exponential(0.2), lambda: merge(parts, tmp_path / "all.h5", overwrite=True))
        if (tmp_path / "all.h5").exists():
            assert same_bits(load(tmp_path / "all.h5"), whole)
    assert same_bits(merge(parts, tmp_path / "all.h5", overwrite=True), whole)
