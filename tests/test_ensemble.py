"""The same bits however a run is cut up, interrupted and put together, and statistics that stream."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
import gc
import os
from pathlib import Path
import random
import signal
import threading
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from collide.ensemble import Estimate, Interrupted, extend, load, merge, pack, resume, run_program, statistics, verbs
from collide.ensemble.executors import work
import collide.program as engine
from collide.records import fold
import fake_program
from fake_program import SLIM, make, same_bits

SEED, NTRAJ, SIZE = 11, 1000, 64


@pytest.fixture(autouse=True)
def fake_engine() -> Iterator[None]:
    with fake_program.installed():
        yield


def start(ntraj: int = NTRAJ, program: Any = None, **options: Any) -> Any:
    return run_program(program or make(), ntraj, SEED, **{"chunk_size": SIZE} | options)


@pytest.fixture(scope="module")
def whole() -> Any:
    with fake_program.installed():
        return start(threads=1)


class Shuffling(Executor):
    """Finishes tasks in a random order, and counts how many were under way at once."""

    def __init__(self, seed: int) -> None:
        self._pool, self._random = ThreadPoolExecutor(6), random.Random(seed)
        self._max_workers = 6
        self.under_way = self.most = 0
        self._lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        pause = self._random.uniform(0, 0.01)
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)

        def task() -> Any:
            time.sleep(pause)
            return fn(*args, **kwargs)

        future = self._pool.submit(task)
        future.add_done_callback(self._count)
        return future

    def _count(self, future: "Future[Any]") -> None:
        with self._lock:
            self.under_way -= 1


# -- the same bits


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_threads_change_no_bit(whole: Any, threads: int | None) -> None:
    assert same_bits(start(threads=threads), whole)


def test_the_order_of_completion_changes_no_bit(tmp_path: Path, whole: Any) -> None:
    for seed in range(3):
        pool = Shuffling(seed)
        assert same_bits(start(executor=pool, out=tmp_path / f"{seed}.h5"), whole)
        assert 6 < pool.most <= 2 * 6 + 2  # more than the workers, so that none waits, but bounded


def test_partial_sums_are_folded_from_the_first_chunk_on(whole: Any) -> None:
    sums = [chunk.partial["heat_power_sums"] for chunk in whole.chunks()]
    assert len(sums) == 16
    forward, backward = sums[0], sums[-1]
    for later, earlier in zip(sums[1:], sums[-2::-1], strict=True):
        forward, backward = forward + later, backward + earlier
    assert forward.tobytes() != backward.tobytes()  # else the order would not matter, and the test above shows nothing
    assert fold(sums).tobytes() == forward.tobytes()
    assert np.array_equal(whole.heat_moments()["L"].value[:, 0], forward[:, 0, 0] / NTRAJ)


@pytest.mark.parametrize("n", [1, 2, 3, 16])
def test_shards_merged_in_any_order_change_no_bit(tmp_path: Path, whole: Any, n: int) -> None:
    paths = [tmp_path / f"{i}.h5" for i in range(1, n + 1)]
    for i, path in enumerate(paths, 1):
        start(out=path, shard=(i, n))
    random.Random(n).shuffle(paths)
    merged = merge(paths, tmp_path / "whole.h5")
    assert same_bits(merged, whole)
    assert merged.digest() == whole.digest()


def test_a_merge_with_a_shard_missing_can_be_completed(tmp_path: Path, whole: Any) -> None:
    for i in (1, 3):
        start(out=tmp_path / f"{i}.h5", shard=f"{i}/3")
    with pytest.warns(UserWarning, match=r"5 of 16 chunks are in none of the files \(first: trajectories 320 to 383\)"):
        merged = merge([tmp_path / "3.h5", tmp_path / "1.h5"], tmp_path / "whole.h5")
    assert merged.ntraj == NTRAJ - 5 * SIZE
    assert not same_bits(merged, whole)
    assert same_bits(resume(tmp_path / "whole.h5", progress=False), whole)


@pytest.mark.parametrize("steps", [[1, NTRAJ], [64, 128, NTRAJ], [500, 777, NTRAJ], [999, NTRAJ], [NTRAJ, NTRAJ]])
@pytest.mark.parametrize("packed", [False, True])
def test_extending_changes_no_bit(tmp_path: Path, whole: Any, steps: list[int], packed: bool) -> None:
    path = tmp_path / "run.h5"
    start(steps[0], out=path)
    for ntraj in steps[1:]:
        if packed:
            pack(path)
        assert extend(path, ntraj, progress=False).ntraj == ntraj
    assert same_bits(load(path), whole)


def test_a_run_that_failed_resumes_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Any
) -> None:
    path, plain, failed = tmp_path / "run.h5", fake_program.run_chunk, threading.Event()

    def fail_once(program: Any, seed: int, begin: int, end: int) -> Any:
        if begin <= 700 < end and not failed.is_set():
            failed.set()
            raise MemoryError("no memory left")
        return plain(program, seed, begin, end)

    monkeypatch.setattr(engine, "run_chunk", fail_once)
    with pytest.raises(MemoryError, match="no memory left") as caught:
        start(out=path, threads=2)
    assert "The run stopped after" in caught.value.__notes__[0]
    assert f"collide resume {path}" in caught.value.__notes__[0]
    saved = load(path)
    assert 0 < saved.ntraj < NTRAJ
    assert 700 not in saved.ids
    assert np.array_equal(saved.work, whole.work[saved.ids])
    assert same_bits(resume(path, progress=False), whole)


def test_saving_what_is_in_memory(tmp_path: Path, whole: Any) -> None:
    saved = whole.save(tmp_path / "run.h5")
    assert same_bits(saved, whole)
    assert same_bits(extend(tmp_path / "run.h5", 1100, progress=False), start(1100))
    with pytest.raises(FileExistsError, match="exists: choose another name"):
        whole.save(tmp_path / "run.h5")


def test_what_outgrows_memory_moves_to_a_file_that_vanishes(monkeypatch: pytest.MonkeyPatch, whole: Any) -> None:
    for limit in (whole._store.nbytes // 2, whole._store.nbytes - 1000):  # known beforehand; because of the events
        monkeypatch.setattr(verbs, "MEMORY_LIMIT", limit)
        ens = start(threads=2)
        assert ens.path is not None
        assert same_bits(ens, whole)
        folder = ens.path.parent
        assert folder.exists()
        del ens
        gc.collect()
        assert not folder.exists()


def test_a_seed_that_is_not_given_is_drawn_and_kept(tmp_path: Path) -> None:
    first = run_program(make(), 10, out=tmp_path / "run.h5")
    assert first.seed != run_program(make(), 10).seed
    assert same_bits(run_program(make(), 10, first.seed), load(tmp_path / "run.h5"))
    assert run_program(make(), 10, out=tmp_path / "run.h5", resume=True).seed == first.seed


def test_resuming_by_running_again(tmp_path: Path, whole: Any) -> None:
    path = tmp_path / "run.h5"
    assert same_bits(start(out=path, resume=True), whole)
    before = path.read_bytes()
    assert same_bits(start(out=path, resume=True), whole)
    assert path.read_bytes() == before  # nothing happens to a complete file


def test_replay_is_asked_of_the_engine(whole: Any) -> None:
    assert whole.replay(123).columns["work"][0] == whole.work[123]
    with pytest.raises(ValueError, match="`trajectory` must be from 0 to 999, but is 1000"):
        whole.replay(1000)


# -- interruption


@pytest.fixture
def heard() -> Iterator[None]:
    """A shell starts what it sends to the background with Ctrl-C ignored, and a run that finds it so leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_soon(signum: int, delay: float = 0.15) -> threading.Timer:
    timer = threading.Timer(delay, os.kill, (os.getpid(), signum))
    timer.start()
    return timer


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_finishes_the_chunks_under_way_and_saves(tmp_path: Path, whole: Any, threads: int) -> None:
    path = tmp_path / "run.h5"
    before = signal.getsignal(signal.SIGINT)
    timer = interrupt_soon(signal.SIGINT)
    with pytest.raises(
        KeyboardInterrupt, match=r"stopped by SIGINT after \d+ of 16 chunks; they are saved: `collide resume"
    ):
        start(program=make(delay=0.05), out=path, threads=threads)
    timer.join()
    assert signal.getsignal(signal.SIGINT) is before
    saved = load(path)
    assert 0 < saved.ntraj < NTRAJ
    assert not Path(f"{path}.lock").exists()
    assert np.array_equal(resume(path, progress=False).work, whole.work)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_does_not_wait_for_what_has_not_begun(tmp_path: Path) -> None:
    class Eager(Executor):
        _max_workers = 20  # so that every chunk is submitted at once

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
            return pool.submit(fn, *args, **kwargs)

    timer = interrupt_soon(signal.SIGINT)
    with ThreadPoolExecutor(2) as pool, pytest.raises(KeyboardInterrupt):
        start(program=make(delay=0.05), out=tmp_path / "run.h5", executor=Eager())
    timer.join()
    assert 0 < load(tmp_path / "run.h5").ntraj < NTRAJ


@pytest.mark.usefixtures("heard")
def test_ctrl_c_without_a_file_says_what_to_do_next_time() -> None:
    timer = interrupt_soon(signal.SIGINT)
    with pytest.raises(Interrupted, match=r"they are lost, because no file was named: pass `out=`"):
        start(program=make(delay=0.05), threads=1)
    timer.join()


def test_a_signal_handler_of_the_user_is_left_alone() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda signum, frame: seen.append(signum))
    try:
        timer = interrupt_soon(signal.SIGINT, 0.05)
        assert start(program=make(delay=0.02), threads=1).complete
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT]


def test_a_run_in_another_thread_needs_no_signals(whole: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert same_bits(pool.submit(start).result(), whole)


def test_trajectories_that_end_early_are_news(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fake_program.run_chunk

    def some_fail(program: Any, seed: int, begin: int, end: int) -> Any:
        chunk = plain(program, seed, begin, end)
        chunk.columns["status"][np.arange(begin, end) % 100 == 99] = 2
        return chunk

    monkeypatch.setattr(engine, "run_chunk", some_fail)
    with pytest.warns(RuntimeWarning, match=r"10 of 1000 trajectories .* \(first: trajectory 99\)"):
        ens = start()
    assert "10 of 1000" in repr(ens)


def test_the_program_is_sent_only_to_workers_that_do_not_know_it() -> None:
    """Threads share the memory of the caller: no ticket carries the program."""
    sent: list[bool] = []

    class Spying(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            assert fn is work
            sent.append(args[0].payload is not None)
            return super().submit(fn, *args, **kwargs)

    with Spying(2) as pool:
        start(executor=pool)
    assert sent == [False] * 16


# -- what can be read off


def test_columns_are_arrays(whole: Any) -> None:
    assert len(whole) == whole.ntraj == whole.planned == NTRAJ
    assert whole.work.shape == whole.energy_change.shape == whole.heat["L"].shape == (NTRAJ,)
    assert whole.counts.shape == (NTRAJ, 3)
    assert whole.final_state.dtype == np.complex128
    assert list(whole.heat) == ["L", "R"]
    assert np.allclose(whole.work + whole.heat["L"] + whole.heat["R"], whole.energy_change)
    assert len(whole.jump_time) == len(whole.jump_channel) == whole.row_size.sum()
    assert np.array_equal(np.concatenate([block.work for block in whole.blocks(77)]), whole.work)
    with pytest.raises(KeyError, match="unknown bath 'X': this ensemble has 'L', 'R'"):
        whole.heat["X"]
    with pytest.raises(AttributeError, match="no column or attribute 'hoat'; the columns are initial, counts, heat"):
        _ = whole.hoat
    with pytest.raises(ValueError, match=r"`quantity` must be one of .*heat:L.* or a function, but is 'hoat'"):
        whole.mean("hoat")
    with pytest.raises(KeyError, match="unknown column 'final_state'"):
        _ = start(10, make(keep=SLIM)).final_state
    with pytest.raises(ValueError, match="there are no events called 'jump_time': run with"):
        _ = start(10, make(keep=("totals",))).jump_time


@pytest.mark.parametrize("rows", [7, 333, 10_000])
def test_streaming_statistics_are_those_of_the_whole_column(
    monkeypatch: pytest.MonkeyPatch, whole: Any, rows: int
) -> None:
    blocks = type(whole).blocks
    monkeypatch.setattr(type(whole), "blocks", lambda self: blocks(self, rows))
    x, y = whole.heat["L"], whole.work
    assert whole.mean("heat:L") == pytest.approx((x.mean(), x.std(ddof=1) / np.sqrt(NTRAJ)), rel=1e-13)
    assert whole.mean("L") == whole.mean("heat:L") == whole.mean(lambda r: r.heat["L"])
    assert whole.variance("work").value == pytest.approx(y.var(ddof=1), rel=1e-12)
    assert whole.covariance("heat:L", "work").value == pytest.approx(np.cov(x, y)[0, 1], rel=1e-12)
    q = [0.0, 0.01, 0.5, 1 / 3, 1.0]
    assert np.array_equal(whole.quantiles("work", q), np.quantile(y, q)) or np.allclose(
        whole.quantiles("work", q), np.quantile(y, q), rtol=1e-15
    )
    for bins in (10, [-2.0, -1.0, 0.0, 0.5]):
        counts, edges = whole.histogram("work", bins)
        expected = np.histogram(y, bins)
        assert np.array_equal(counts, expected[0])
        assert np.array_equal(edges, expected[1])
    assert whole.mean("counts:1").value == pytest.approx(whole.counts[:, 1].mean())


def test_errors_of_mean_variance_and_covariance_are_the_spread_over_ensembles() -> None:
    runs = [run_program(make(keep=("totals",)), 200, seed, chunk_size=200, threads=1) for seed in range(150)]
    for take in (
        lambda e: e.mean("heat:L"),
        lambda e: e.variance("heat:L"),
        lambda e: e.covariance("heat:L", "work"),
        lambda e: Estimate(*(v[0] for v in e.expect["n"])),
    ):
        estimates = [take(e) for e in runs]
        spread = np.std([e.value for e in estimates], ddof=1)
        claimed = np.mean([e.error for e in estimates])
        assert claimed == pytest.approx(spread, rel=4.5 / np.sqrt(2 * len(runs)))


def test_cumulants_over_time_from_partial_sums(whole: Any) -> None:
    history = np.cumsum(np.stack([whole.heat["L"] / 1.75 * w for w in (1.0, 0.5, 0.25)], axis=1), axis=1)
    moments = whole.heat_moments()["L"]
    assert moments.value.shape == moments.error.shape == (3, 4)
    for j in range(3):
        x = history[:, j]
        c = x - x.mean()
        m2, m3, m4 = ((c**k).mean() for k in (2, 3, 4))
        n = NTRAJ
        k3 = m3 * n**2 / ((n - 1) * (n - 2))
        k4 = n**2 * ((n + 1) * m4 - 3 * (n - 1) * m2**2) / ((n - 1) * (n - 2) * (n - 3))
        assert np.allclose(moments.value[j], [x.mean(), x.var(ddof=1), k3, k4], rtol=1e-8, atol=1e-10)
        assert moments.error[j, 0] == pytest.approx(x.std(ddof=1) / np.sqrt(n))
    assert np.array_equal(whole.heat_moments(3.0)["L"].value, moments.value[2])
    pair = whole.heat_covariance(3.0)["L", "R"]
    assert pair.value == pytest.approx(np.cov(whole.heat["L"], whole.heat["R"])[0, 1], rel=1e-9)
    assert pair.error == pytest.approx(whole.covariance("heat:L", "heat:R").error, rel=0.6)
    with pytest.raises(ValueError, match=r"`t` must be on `tlist`, but is 2\.2; the nearest time there is 2\.0"):
        whole.heat_moments(2.2)


def test_jackknife_errors_of_cumulants_are_the_spread_over_ensembles() -> None:
    runs = [run_program(make(keep=("totals",)), 600, seed, chunk_size=20, threads=1) for seed in range(80)]
    estimates = [e.heat_moments(3.0)["L"] for e in runs]
    spread = np.std([e.value for e in estimates], axis=0, ddof=1)
    claimed = np.sqrt(np.mean([e.error**2 for e in estimates], axis=0))
    assert np.allclose(claimed, spread, rtol=4.5 / np.sqrt(2 * len(runs)))
    pairs = [e.heat_covariance(3.0)["L", "R"] for e in runs]
    assert np.mean([p.error for p in pairs]) == pytest.approx(np.std([p.value for p in pairs], ddof=1), rel=0.36)


def test_one_trajectory_has_no_errors() -> None:
    ens = start(1)
    assert np.isnan(ens.mean("work").error)
    assert np.isnan(ens.expect["n"].error).all()
    assert np.isnan(ens.heat_moments(3.0)["L"].error).all()
    assert "Ensemble of 1 trajectories" in repr(ens)


floats = st.floats(allow_nan=False, allow_infinity=True, width=64)


@settings(max_examples=60, deadline=None)
@given(st.lists(floats, min_size=1, max_size=80), st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_quantiles_of_any_floats(values: list[float], q: list[float]) -> None:
    x = np.array(values)
    blocks = [x[i : i + 9] for i in range(0, len(x), 9)]
    with np.errstate(all="ignore"):
        found, expected = statistics.quantiles(lambda: blocks, q), np.quantile(x, q, method="linear")
        ranks = np.sort(x)
        position = np.asarray(q) * (len(x) - 1)
        low = ranks[np.floor(position).astype(int)]
        high = ranks[np.ceil(position).astype(int)]
        bounded = np.isfinite(high - low)  # between infinities there is nothing to interpolate
    assert ((found >= low) & (found <= high))[bounded].all()
    told = bounded & ~np.isnan(expected)  # NumPy says nan where it multiplies an infinity by zero
    rounding = 4e-16 * np.max(np.abs(x[np.isfinite(x)]), initial=0.0)  # where neighbours cancel
    assert np.allclose(found[told], expected[told], rtol=1e-12, atol=rounding)
    exact = position == np.floor(position)
    assert np.array_equal(found[exact], low[exact])


def test_infinite_entropy_is_a_value() -> None:
    blocks = [np.array([1.0, np.inf]), np.array([2.0, 3.0])]
    mean, _ = statistics.mean(lambda: blocks)
    assert mean == np.inf
    assert statistics.quantiles(lambda: blocks, [0, 1]).tolist() == [1.0, np.inf]
    counts, edges = statistics.histogram(lambda: blocks, 2, None)
    assert counts.tolist() == [1, 2]
    assert edges.tolist() == [1.0, 2.0, 3.0]


def test_other_containers(whole: Any) -> None:
    frame = whole.to_pandas()
    assert list(frame.columns[:6]) == ["initial", "counts:0", "counts:1", "counts:2", "heat:L", "heat:R"]
    assert np.array_equal(frame["heat:R"].to_numpy(), whole.heat["R"])
    assert frame["initial"].dtype == np.int32
    assert frame.index.name == "trajectory"
    data = whole.to_xarray()
    assert np.array_equal(data.heat.sel(bath="R").values, whole.heat["R"])
    assert np.array_equal(data.expect.sel(e_op="n").values, whole.expect["n"].value)
    assert data.final_state.dtype == data.average_state.dtype == np.complex128
    assert np.array_equal(data.heat_cumulant.sel(time=2.0, bath="R").values, whole.heat_moments(2.0)["R"].value)
    assert data.jump_time.sizes == {"event": len(whole.jump_time)}


def test_the_report_tells_what_was_run_and_what_came_out(tmp_path: Path, whole: Any) -> None:
    text = repr(start(out=tmp_path / "run.h5"))
    for word in ("1000 trajectories: fake", "seed 11", "run.h5", "heat:L", "±", "work", whole.program.identity[:12]):
        assert word in text
    assert "in memory" in repr(whole)
    assert "a shard of 1000" in repr(start(shard="1/2"))
