"""The file: what is in it, who can read it, and what happens when it cannot be read or written."""

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import resource
import socket
import time
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from collide.ensemble import extend, load, load_program, merge, pack, resume, run_program, save_program
from collide.records import Chunk, Field, Fields, Grid
from collide.store import LockedError, StoreError
from collide.store.lock import Lock
import fake_program
from fake_program import SLIM, make, same_bits

NTRAJ, SIZE, SEED = 20, 8, 5


@pytest.fixture(autouse=True)
def engine() -> Iterator[None]:
    with fake_program.installed():
        yield


def start(path: Path | None, program: Any = None, ntraj: Any = NTRAJ, seed: int = SEED, **options: Any) -> Any:
    program = make() if program is None else program
    return run_program(program, ntraj, seed, out=path, **{"chunk_size": SIZE, "threads": 1} | options)


def in_child(action: Callable[[], Any]) -> str:
    """What an action in a forked process says: the type and text of its error, or nothing."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except BaseException as error:
            os.write(write, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as f:
        said = f.read()
    os.waitpid(pid, 0)
    return said


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.h5"


# -- what is in it


@pytest.mark.parametrize("packed", [False, True])
def test_the_file_is_netcdf(path: Path, packed: bool) -> None:
    ens = start(path)
    ens = pack(path) if packed else ens
    with xr.open_dataset(path, engine="h5netcdf") as data:
        assert data.attrs["Conventions"] == "CF-1.11"
        assert dict(data.sizes) | {"trajectory": NTRAJ, "chunk": 3, "bath": 2, "time": 3} == dict(data.sizes)
        assert list(data.bath.values) == ["L", "R"]
        assert list(data.time.values) == [1.0, 2.0, 3.0]
        assert data.heat.dims == ("trajectory", "bath")
        assert data.heat.attrs == {"units": "energy", "long_name": "heat into the system"}
        assert np.array_equal(data.heat.sel(bath="R").values, ens.heat["R"])
        assert np.array_equal(data.final_state.values[..., 0] + 1j * data.final_state.values[..., 1], ens.final_state)
        assert data.row_size.attrs["sample_dimension"] == "event"
        assert data.jump_time.dims == data.jump_channel.dims == ("event",)
        assert data.jump_time.size == int(data.row_size.sum())
        assert data.expect_sum.dims == ("chunk", "time", "e_op", "power")
        assert data.done.values.all()
        assert all(variable.attrs["long_name"] for name, variable in data.data_vars.items())
    with h5py.File(path) as file:
        assert all(file[name].compression == ("gzip" if packed else None) for name in ("heat", "work", "jump_time"))
        assert all(dim.label or len(dim) for dim in file["heat"].dims)


def test_an_unfinished_file_is_netcdf_too_and_says_which_rows_are_there(path: Path) -> None:
    with pytest.raises(RuntimeError, match="told to fail"):
        start(path, make(fail_at=9))
    with xr.open_dataset(path, engine="h5netcdf") as data:
        assert list(data.done.values) == [1, 0, 0]
        assert list(data.status.values) == [0] * 8 + [255] * 12
        assert "255: not run yet" in data.status.attrs["comment"]
    ens = load(path)
    assert (ens.ntraj, ens.planned, ens.complete) == (8, 20, False)
    assert list(ens.ids) == list(range(8))


def test_the_program_comes_back_from_the_file(path: Path) -> None:
    program = make(1.5)
    start(path, program)
    back = load(path).program
    assert back.identity == program.identity
    assert back.kind == program.kind
    assert back.meta == program.meta
    for mine, theirs in ((program.arrays, back.arrays), (program.model, load(path)._store.plan.program.model)):
        assert mine.keys() == theirs.keys()
        for name in mine:
            assert mine[name].dtype == theirs[name].dtype
            assert mine[name].shape == theirs[name].shape
            assert np.array_equal(mine[name], theirs[name])
    assert load(path).recipe == {"machine": "fake", "parameters": {"scale": 1.5}}


def test_a_program_alone_can_be_saved_and_run(tmp_path: Path, path: Path) -> None:
    program = make(1.5)
    save_program(program, path)
    assert load_program(path).identity == program.identity
    assert same_bits(start(tmp_path / "a.h5", load_program(path)), start(None, program))
    assert load_program(tmp_path / "a.h5").identity == program.identity
    with pytest.raises(FileExistsError, match="exists: choose another name"):
        save_program(program, path)
    with pytest.raises(StoreError, match=r"compiled program but no trajectories: run it first \(`collide run"):
        load(path)


def test_a_program_that_was_tampered_with_is_refused(path: Path) -> None:
    start(path)
    with h5py.File(path, "r+") as file:
        file["program/arrays/scale"][...] = 3.0
    with pytest.raises(ValueError, match=r"was written as .* the file is damaged, or was written by another version"):
        resume(path)


def test_provenance_tells_versions_and_times_and_nothing_of_the_host(path: Path) -> None:
    ens = start(path, make(delay=0.01))
    told = ens.provenance
    assert told["version_h5py"] == h5py.__version__
    assert told["version_numpy"] == np.__version__
    assert told["wall_time"] >= told["worker_time"] >= 0.03
    data = path.read_bytes()
    for secret in {socket.gethostname(), str(path.parent), os.getcwd(), os.path.expanduser("~") + "/"} - {"", "//"}:
        assert secret.encode() not in data


def test_the_wall_time_adds_up_over_interruptions(path: Path) -> None:
    with pytest.raises(RuntimeError, match="told to fail"):
        start(path, make(delay=0.05, fail_at=17))
    first = load(path).provenance["wall_time"]
    assert first >= 0.1
    with pytest.raises(RuntimeError, match="told to fail"):
        resume(path, threads=1, progress=False)
    assert load(path).provenance["wall_time"] > first


# -- what is refused


def refusals(folder: Path) -> Iterator[tuple[Callable[[], Any], type[Exception], str]]:
    run, text, empty, foreign = (folder / name for name in ("run.h5", "text.h5", "empty.h5", "foreign.h5"))
    cut, other, shard = (folder / name for name in ("cut.h5", "other.h5", "shard.h5"))
    start(run)
    start(other, make(2.0))
    start(shard, shard="1/3")
    text.write_text("hello")
    empty.write_bytes(b"")
    cut.write_bytes(run.read_bytes()[:-100])
    with h5py.File(foreign, "w") as file:
        file["x"] = 1
    out = folder / "out.h5"
    yield (
        lambda: start(run),
        FileExistsError,
        r"run\.h5 exists: resume it, choose another name, or allow to overwrite it",
    )
    yield lambda: load(text), StoreError, r"text\.h5 is not an HDF5 file"
    yield lambda: load(empty), StoreError, r"empty\.h5 is not an HDF5 file"
    yield lambda: resume(cut), StoreError, r"cut\.h5 is damaged or cut short \(truncated file"
    yield lambda: load(foreign), StoreError, r"foreign\.h5 is an HDF5 file, but holds no run of collide"
    yield lambda: start(foreign, resume=True), StoreError, "holds no run of collide"
    yield lambda: load(folder / "none.h5"), FileNotFoundError, r"none\.h5 does not exist"
    yield lambda: resume(folder / "none.h5"), FileNotFoundError, r"none\.h5 does not exist"
    yield lambda: load(folder), StoreError, "is a folder, not a file"
    yield lambda: start(folder / "sub" / "x.h5"), FileNotFoundError, "folder .*sub does not exist: create it"
    yield lambda: start(run / "x.h5"), OSError, "part of the path is not a folder; nothing was written"
    yield lambda: start(folder, overwrite=True), OSError, "it is a folder; nothing was written"
    yield lambda: merge([run, other], out), ValueError, r"recipe\.parameters\.scale is 1\.0 in .*run\.h5 and 2\.0 in"
    yield lambda: merge([run, run], out), ValueError, "trajectories 0 to 7 are in both .*: leave one of them out"
    yield lambda: merge([run, foreign], out), StoreError, "holds no run of collide"
    yield lambda: merge([run], run), ValueError, "`out` must be another file than those to merge"
    yield lambda: merge([], out), ValueError, "`paths` must name at least one file"
    yield lambda: merge([run], other), FileExistsError, r"other\.h5 exists: choose another name"
    yield lambda: extend(run, 10), ValueError, r"`ntraj` must be at least the 20 that .*run\.h5 has, but is 10"
    yield lambda: extend(shard, 30), ValueError, r"shard\.h5 is a shard: merge the shards"
    yield (
        lambda: start(run, make(2.0), resume=True),
        ValueError,
        r"recipe\.parameters\.scale is 2\.0 in this call and 1\.0",
    )
    yield lambda: start(run, seed=6, resume=True), ValueError, "seed is 6 in this call and 5 in"
    yield lambda: start(run, ntraj=30, resume=True), ValueError, "ntraj is 30 in this call and 20 in"
    yield lambda: start(run, chunk_size=4, resume=True), ValueError, "chunk_size is 4 in this call and 8 in"
    yield lambda: start(shard, shard="2/3", resume=True), ValueError, "the shard is another one"
    yield lambda: start(run, overwrite=True, resume=True), ValueError, "exclude each other"
    yield lambda: start(run, overwrite=True, threads=0), ValueError, "`threads` must be at least 1, but is 0"
    yield lambda: start(run, overwrite=True, threads=None, executor=3), TypeError, "must have the method submit"
    yield lambda: start(run, overwrite=True, executor=3), ValueError, "`threads` is 1, but an `executor` has its own"
    yield lambda: start(run, overwrite=True, ntraj=0), ValueError, "`ntraj` must be at least 1, but is 0"
    yield lambda: start(run, overwrite=True, ntraj=1e3), TypeError, r"`ntraj` must be an integer, but is 1000\.0"
    yield lambda: start(run, overwrite=True, chunk_size=0), ValueError, "`chunk_size` must be at least 1"
    yield lambda: start(run, overwrite=True, seed=-1), ValueError, r"`seed` must be an integer from 0 to 2\*\*64 - 1"
    yield lambda: start(run, overwrite=True, seed=2**64), ValueError, "`seed` must be"
    yield (
        lambda: start(run, overwrite=True, shard="4/3"),
        ValueError,
        "`shard` must be i/n with i from 1 to n, but is 4/3",
    )
    yield lambda: start(run, overwrite=True, shard="0/3"), ValueError, "`shard` must be i/n"
    yield lambda: start(run, overwrite=True, shard="one"), ValueError, "`shard` must be i/n .* but is 'one'"
    yield lambda: start(run, overwrite=True, shard="1/9"), ValueError, "make 3 chunks of 8; use at most 3 shards"


def test_what_cannot_be_done_is_one_sentence_and_damages_nothing(tmp_path: Path) -> None:
    cases = refusals(tmp_path)
    action, kind, sentence = next(cases)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    number = 0
    while True:
        with pytest.raises(kind, match=sentence) as caught:
            action()
        assert "\n" not in str(caught.value)
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before, sentence
        number += 1
        case = next(cases, None)
        if case is None:
            break
        action, kind, sentence = case
    assert number > 35


def test_a_program_that_breaks_its_promise_stores_nothing() -> None:
    fields = Fields((Field("work", "f8", (), (), "energy", "work"),), (Field("n", "i8", (), (), "1", "number"),))
    good = {"work": np.zeros(3)}, {"n": np.array(3)}
    assert Chunk(0, 3, *good).disk(fields).nbytes == 32
    with pytest.raises(ValueError, match=r"'work' of trajectories 4 to 6 must have shape \(3,\), but has shape \(2,\)"):
        Chunk(4, 7, {"work": np.zeros(2)}, good[1]).disk(fields)
    with pytest.raises(ValueError, match=r"'n' of trajectories 4 to 6 must have shape .*, but is missing"):
        Chunk(4, 7, good[0], {}).disk(fields)
    with pytest.raises(ValueError, match="'work' must hold f8, but holds complex128"):
        Chunk(4, 7, {"work": np.zeros(3, dtype=complex)}, good[1]).disk(fields)


def test_the_grid_of_a_shard_is_that_of_the_whole() -> None:
    whole = Grid(1001, 10)
    shards = [whole.shard(i, 7) for i in range(1, 8)]
    assert [whole.bounds(k) for k in whole] == [shard.bounds(k) for shard in shards for k in shard]
    assert sum(shard.rows for shard in shards) == 1001
    assert max(shard.nchunks for shard in shards) - min(shard.nchunks for shard in shards) <= 1
    assert whole.bounds(100) == (1000, 1001)


# -- the disk says no


def limited(nbytes: int, action: Callable[[], Any]) -> Callable[[], Any]:
    def act() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, nbytes))
        action()

    return act


def test_a_file_that_will_not_fit_is_refused_before_anything_is_run(path: Path) -> None:
    said = in_child(limited(50_000, lambda: start(path)))
    assert "run.h5 needs 1.1 MB, but the limit on file sizes is 50.0 kB" in said
    assert list(path.parent.iterdir()) == []


def test_a_disk_that_fills_up_costs_only_the_chunk_under_way(path: Path) -> None:
    program = make(burst=40_000, keep=SLIM)  # the journal outgrows what could be claimed beforehand
    said = in_child(limited(1_200_000, lambda: start(path, program)))
    assert said.startswith("OSError: ")
    assert "the file would exceed the limit on file sizes (`ulimit -f`); the chunks finished so far are safe" in said
    found = load(path)
    assert found.ntraj < NTRAJ
    whole = start(None, program)
    assert np.array_equal(found.jump_time, whole.jump_time[: len(found.jump_time)])
    assert same_bits(resume(path, threads=1, progress=False), whole)


def test_events_that_cannot_be_folded_in_stay_in_the_journal(path: Path) -> None:
    program = make(burst=4_000, keep=SLIM)
    whole = start(None, program)
    limit = whole.jump_time.nbytes * 3 // 2 + 5_000  # room for the journal, but not for file and margin
    said = in_child(limited(max(limit, 1_100_000), lambda: start(path, program)))
    if not said:
        pytest.fail("the events fitted: the test does not test anything")
    assert "is complete, but its events could not be moved into it" in said
    assert load(path).complete
    assert np.array_equal(load(path).jump_time, whole.jump_time)
    assert same_bits(resume(path, threads=1, progress=False), whole)


def test_a_folder_that_cannot_be_written(path: Path) -> None:
    start(path)
    before = path.read_bytes()

    def as_nobody(action: Callable[[], Any]) -> Callable[[], Any]:
        def act() -> None:
            if os.geteuid() == 0:  # to whom permissions do not apply
                os.setuid(65534)
            action()

        return act

    folder = path.parent
    while folder != folder.parent and os.geteuid() == 0:  # pytest's folders are private to root
        folder.chmod(folder.stat().st_mode | 0o055)
        folder = folder.parent
    path.parent.chmod(0o555)
    try:
        for action in (
            lambda: start(path.parent / "new.h5"),
            lambda: start(path, overwrite=True),
            lambda: extend(path, 30),
            lambda: pack(path),
        ):
            said = in_child(as_nobody(action))
            assert said.startswith("PermissionError: ")
            assert "cannot be written: permission denied" in said
        assert in_child(as_nobody(lambda: load(path))) == ""
    finally:
        path.parent.chmod(0o755)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["run.h5"]


# -- two processes


def test_a_file_that_is_being_written_can_be_read_but_not_written(path: Path) -> None:
    slow, other = make(delay=0.05), path.parent / "other.h5"
    start(other)
    pid = os.fork()
    if pid == 0:
        try:
            start(path, slow, ntraj=4000)
        finally:
            os._exit(0)
    try:
        while not path.exists() or load(path).ntraj < 16:
            time.sleep(0.01)
        for action in (
            lambda: resume(path),
            lambda: extend(path, 5000),
            lambda: start(path, slow, overwrite=True),
            lambda: merge([other], path, overwrite=True),
        ):
            with pytest.raises(LockedError, match=rf"run\.h5 is being written by another process \(pid {pid}\)"):
                action()
        seen = load(path)
        assert seen.ntraj >= 16
        assert np.array_equal(seen.work, start(None, slow, ntraj=seen.ntraj).work)
        with xr.open_dataset(path, engine="h5netcdf") as data:
            assert data.done.values.sum() >= 2
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert Path(f"{path}.lock").exists()  # a crash leaves the file, but not the lock
    short = start(path, make(), overwrite=True)
    assert short.complete
    assert not Path(f"{path}.lock").exists()


def test_a_worker_that_outlives_the_writer_does_not_hold_its_lock(path: Path) -> None:
    """A killed process with forked workers: they go on for a while, with copies of everything it had open."""
    read, write = os.pipe()
    writer = os.fork()
    if writer == 0:
        lock = Lock(path)
        if os.fork() == 0:
            os.write(write, f"{os.getpid()}\n".encode())
        time.sleep(60)
        os._exit(int(lock.path.exists()))
    worker = int(os.read(read, 32))
    try:
        with pytest.raises(LockedError):
            Lock(path)
        os.kill(writer, 9)
        os.waitpid(writer, 0)
        os.kill(worker, 0)  # it is still there
        Lock(path).release()
    finally:
        os.kill(worker, 9)


def test_a_result_notices_that_its_file_was_replaced(path: Path) -> None:
    old = start(path)
    start(path, seed=6, overwrite=True)
    with pytest.raises(StoreError, match=r"run\.h5 was replaced by another run since it was opened: load it again"):
        _ = old.work


def test_packing_does_not_disturb_a_result_that_is_open(path: Path) -> None:
    old = start(path)
    work = old.work
    assert pack(path).path == path
    assert np.array_equal(old.work, work)
