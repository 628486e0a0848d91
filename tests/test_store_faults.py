"""Interruption at every instant: the process dies before each write in turn, and nothing that was committed is lost."""

from collections.abc import Callable, Iterator
from functools import partial
import os
from pathlib import Path
import shutil
import signal
import time
from typing import Any

import numpy as np
import pytest

from collide.ensemble import extend, load, merge, pack, resume, run_program
from collide.store import disk
from collide.store.journal import ENTRY, HEADER
import fake_program
from fake_program import SLIM, make, same_bits

SEED, NTRAJ, SIZE = 5, 12, 8  # two chunks, the last one not full
Action = Callable[[], Any]


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # a kill, unlike a power cut, leaves the system's buffers alone
    with fake_program.installed():
        yield


def in_child(action: Action) -> int:
    """Do something in a forked process; 0 if it returned, -n if signal n ended it."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed(action: Action, n: int) -> bool:
    """Whether a process that does `action` dies before its n-th write, n = 0, 1, ..."""
    seen = 0

    def fault(what: str) -> None:
        nonlocal seen
        if seen == n:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    def act() -> None:
        disk.before_write = fault
        action()

    return in_child(act) == -signal.SIGKILL


def writes_of(action: Action) -> list[str]:
    """What an action announces to the fault point."""
    announced: list[str] = []
    disk.before_write = announced.append
    try:
        action()
    finally:
        disk.before_write = None
    return announced


def nth(announced: list[str], what: str, n: int) -> int:
    return [i for i, said in enumerate(announced) if said == what][n]


def start(path: Path, ntraj: int = NTRAJ, scale: float = 1.0, **options: Any) -> Any:
    return run_program(make(scale, keep=SLIM), ntraj, SEED, out=path, chunk_size=SIZE, threads=1, **options)


def copies(folder: Path, count: int) -> Iterator[tuple[int, Path]]:
    """Fresh copies of a folder, each with the run in it, numbered."""
    for n in range(count):
        yield n, Path(shutil.copytree(folder, folder.parent / f"{folder.name}-{n}")) / "run.h5"


def agrees_so_far(ens: Any, whole: Any) -> bool:
    return all(np.array_equal(ens.column(name), whole.column(name)[ens.ids]) for name in whole.columns)


def clean(folder: Path) -> bool:
    """Whether nothing but finished files is left."""
    return not [p for p in folder.iterdir() if p.suffix in {".journal", ".lock", ".part"}]


@pytest.fixture(scope="module")
def whole() -> Any:
    with fake_program.installed():
        return run_program(make(keep=SLIM), NTRAJ, SEED, chunk_size=SIZE, threads=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "template").mkdir()
    return tmp_path / "template"


@pytest.mark.filterwarnings("error")  # a chunk that is run again would be announced
def test_a_run_killed_before_each_write_keeps_its_chunks_and_resumes(tmp_path: Path, folder: Path, whole: Any) -> None:
    announced = writes_of(lambda: start(tmp_path / "full.h5"))
    assert announced.count("done") == 2 + 1  # at the commit of each chunk, and when the events are folded in
    assert {"create", "claim", "rename .h5", "journal header", "journal entry", "journal data"} <= set(announced)
    for n, path in copies(folder, len(announced)):
        assert killed(partial(start, path), n)
        committed = min(announced[:n].count("done"), 2)
        if path.exists():
            found = load(path)
            assert found.ntraj == min(committed * SIZE, NTRAJ)
            assert agrees_so_far(found, whole)
            finished = resume(path, threads=1, progress=False)
        else:
            assert committed == 0
            finished = start(path, resume=True)
        assert same_bits(finished, whole)
        assert same_bits(load(path), whole)
        assert clean(path.parent)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("complete", [True, False])
def test_an_extension_killed_before_each_write_keeps_the_old_chunks(folder: Path, whole: Any, complete: bool) -> None:
    """Of an unfinished run too: the old file needs its journal until the new file has its name."""
    longer, template = 20, folder / "run.h5"
    if complete:
        start(template)
    else:
        writes = writes_of(lambda: start(folder.parent / "probe.h5"))
        assert killed(lambda: start(template), nth(writes, "done", 1))
    shutil.copytree(folder, folder.parent / "probe")
    probe = folder.parent / "probe" / "run.h5"
    announced = writes_of(lambda: extend(probe, longer, threads=1, progress=False))
    last = nth(announced, "done", -1) + 1 if complete else nth(announced, "rename .h5", 0) + 2
    extended = run_program(make(keep=SLIM), longer, SEED, chunk_size=SIZE, threads=1)
    assert same_bits(load(probe), extended)
    for n, path in copies(folder, last):
        assert killed(partial(extend, path, longer, threads=1, progress=False), n)
        found = load(path)
        assert found.ntraj >= SIZE
        assert np.array_equal(found.heat["L"][:SIZE], whole.heat["L"][:SIZE])
        assert np.array_equal(
            found.jump_time[: found.row_size[:SIZE].sum()], whole.jump_time[: whole.row_size[:SIZE].sum()]
        )
        extend(path, longer, threads=1, progress=False)
        assert same_bits(load(path), extended)
        assert clean(path.parent)


@pytest.mark.filterwarnings("error")
def test_an_overwrite_killed_before_each_write_leaves_the_old_file_or_the_new(folder: Path, whole: Any) -> None:
    start(folder / "run.h5")
    probe = folder.parent / "probe.h5"
    start(probe)
    announced = writes_of(lambda: start(probe, scale=2.0, overwrite=True))
    other = run_program(make(2.0, keep=SLIM), NTRAJ, SEED, chunk_size=SIZE, threads=1)
    for n, path in copies(folder, nth(announced, "done", 0) + 2):
        assert killed(partial(start, path, scale=2.0, overwrite=True), n)
        found = load(path)
        if found.recipe["parameters"]["scale"] == 1.0:
            assert same_bits(found, whole)
            assert "done" not in announced[:n]
            start(path, scale=2.0, overwrite=True)
        else:
            assert found.ntraj == announced[:n].count("done") * SIZE
            resume(path, threads=1, progress=False)
        assert same_bits(load(path), other)
        assert clean(path.parent)


@pytest.mark.filterwarnings("error")
def test_a_run_killed_over_an_old_journal_does_not_take_it_for_its_own(folder: Path, whole: Any) -> None:
    """The old run was unfinished and left a journal; the new file gets its name before that journal is removed."""
    writes = writes_of(lambda: start(folder.parent / "probe.h5"))
    assert killed(lambda: start(folder / "run.h5", scale=2.0), nth(writes, "done", 1))
    assert killed(lambda: start(folder / "run.h5", overwrite=True), nth(writes, "rename .h5", 0) + 1)
    assert (folder / "run.h5.journal").exists()
    assert same_bits(resume(folder / "run.h5", threads=1, progress=False), whole)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("verb", ["merge", "pack"])
def test_a_killed_merge_or_pack_leaves_its_sources_as_they_were(tmp_path: Path, whole: Any, verb: str) -> None:
    parts = [tmp_path / f"{i}.h5" for i in (1, 2)]
    for i, path in enumerate(parts, 1):
        start(path, shard=(i, 2))
    single, out = tmp_path / "single.h5", tmp_path / "out.h5"
    start(single)

    def act() -> None:
        merge(parts[::-1], out, overwrite=True) if verb == "merge" else pack(single)

    announced = writes_of(act)
    assert announced
    for n in range(len(announced)):
        assert killed(act, n)
        assert same_bits(load(single), whole)
        assert same_bits(merge(parts, tmp_path / "check.h5", overwrite=True), whole)
        act()
        assert same_bits(load(out if verb == "merge" else single), whole)


def journal_end(whole: Any) -> int:
    """Length of a journal with all events of the run; what follows is space that was claimed ahead."""
    return HEADER.size + 2 * ENTRY.size + whole.jump_time.nbytes + whole.jump_channel.nbytes


def test_a_journal_cut_anywhere_costs_at_most_its_last_entry(tmp_path: Path, whole: Any) -> None:
    path = tmp_path / "run.h5"
    writes = writes_of(lambda: start(tmp_path / "probe.h5"))
    assert killed(lambda: start(path), nth(writes, "create", 1))  # all chunks are there, their events not yet folded in
    journal = tmp_path / "run.h5.journal"
    data, stored = journal.read_bytes(), path.read_bytes()
    assert load(path).complete
    for cut in range(0, journal_end(whole), 13):  # a few times inside each head
        path.write_bytes(stored)
        journal.write_bytes(data[:cut])
        with pytest.warns(UserWarning, match="do not match their checksums"):
            assert same_bits(resume(path, threads=1, progress=False), whole)


def test_a_flipped_bit_in_the_journal_is_noticed_and_mended(tmp_path: Path, whole: Any) -> None:
    path, journal = tmp_path / "run.h5", tmp_path / "run.h5.journal"
    writes = writes_of(lambda: start(tmp_path / "probe.h5"))
    assert killed(lambda: start(path), nth(writes, "create", 1))
    data = bytearray(journal.read_bytes())
    data[journal_end(whole) - 1] ^= 1
    journal.write_bytes(data)
    with pytest.warns(UserWarning, match="1 of 2 chunks"):
        assert same_bits(resume(path, threads=1, progress=False), whole)


@pytest.mark.parametrize("fate", ["missing", "of another run"])
def test_a_lost_journal_is_named_and_its_chunks_are_run_again(tmp_path: Path, whole: Any, fate: str) -> None:
    path, other = tmp_path / "run.h5", tmp_path / "other.h5"
    writes = writes_of(lambda: start(tmp_path / "probe.h5"))
    for target, scale in ((path, 1.0), (other, 2.0)):
        assert killed(partial(start, target, scale=scale), nth(writes, "create", 1))
    (tmp_path / "run.h5.journal").unlink()
    if fate == "of another run":
        (tmp_path / "other.h5.journal").rename(tmp_path / "run.h5.journal")
    with pytest.raises(RuntimeError, match=rf"run\.h5\.journal is {fate}.*put it back, or resume"):
        _ = load(path).jump_time
    with pytest.warns(UserWarning, match="2 of 2 chunks"):
        assert same_bits(resume(path, threads=1, progress=False), whole)


def test_a_flipped_bit_is_noticed_and_mended(tmp_path: Path, whole: Any) -> None:
    path = tmp_path / "run.h5"
    start(path)
    good = path.read_bytes()
    place = good.index(whole.column("heat")[SIZE].tobytes())
    path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
    assert not same_bits(load(path), whole)
    with pytest.raises(RuntimeError, match=r"run\.h5 is damaged in trajectories 8 to 11: resume it"):
        merge([path], tmp_path / "merged.h5")
    assert not (tmp_path / "merged.h5").exists()
    with pytest.warns(UserWarning, match="1 of 2 chunks"):
        assert same_bits(resume(path, threads=1, progress=False), whole)


def kill_at_random(path: Path, times: int, generator: np.random.Generator) -> None:
    """Kill a run with -9 wherever it is, let it go on, and again; then let it finish."""
    slow = make(delay=0.002)
    for _ in range(times):
        pid = os.fork()
        if pid == 0:
            try:
                run_program(slow, 400, SEED, out=path, chunk_size=SIZE, threads=2, resume=True)
            finally:
                os._exit(0)
        time.sleep(generator.uniform(0.0, 0.12))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        if path.exists():
            assert load(path).ntraj >= 0


def test_three_kills_at_random_instants_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    kill_at_random(path, 3, np.random.default_rng(1))
    finished = run_program(make(delay=0.002), 400, SEED, out=path, chunk_size=SIZE, resume=True)
    assert same_bits(finished, run_program(make(delay=0.002), 400, SEED, chunk_size=SIZE))
    assert clean(tmp_path)
