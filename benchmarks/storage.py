"""What keeping an ensemble costs: time and memory of a run with a file, and the layouts that the file could have.

Writing is measured as the time that a run in one thread spends in the store, by the clock and as processor time, which
a busy machine or a slow disk does not inflate; the time in which the disk is forced to take what was written (fsync) is
told apart, for it depends on nothing but the disk.  Memory is the largest resident set of a fresh process.  Layouts are
measured on the columns of a real run.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import statistics
import subprocess
import sys
from tempfile import TemporaryDirectory
import time
from typing import Any

import h5py
from measure import save
import numpy as np

from collide.ensemble import load, run_program, verbs
from collide.machines import rectifier
from collide.program import compile_program
from collide.store import FileStore

POINT: dict[str, Any] = {"g": 0.05, "gamma_L": 0.01, "gamma_R": 0.02, "T_L": 1.0, "T_R": 0.1}  # the jump workload W1
LIMIT_SHARE, LIMIT_MB = 0.10, 600  # of a run with totals; of 10^7 trajectories

MEMORY = """
import resource, sys
import collide
from collide.machines import rectifier
ntraj, out = int(sys.argv[1]), sys.argv[2] or None
collide.run(rectifier(g=0.05), 10, 1.0, seed=1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ens = collide.run(rectifier(g=0.05), ntraj, float(sys.argv[3]), seed=1, out=out, threads=2, progress=False)
numbers = ens.mean("heat:L"), ens.variance("heat:L"), ens.quantiles("entropy_production", 0.5), ens.histogram("work")
print(before / 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@contextmanager
def stopwatch(owner: Any, names: tuple[str, ...]) -> Iterator[dict[str, list[float]]]:
    """Seconds by the clock and of processor time spent inside some methods of a class."""
    spent = {name: [0.0, 0.0] for name in names}
    before = {name: owner.__dict__[name] for name in names}

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            begin = now()
            try:
                return function(*args, **kwargs)
            finally:
                spent[name] = [s + b - a for s, a, b in zip(spent[name], begin, now(), strict=True)]

        return call

    for name, function in before.items():
        plain = function.__func__ if isinstance(function, classmethod) else function
        wrapped = timed(name, plain)
        setattr(owner, name, classmethod(wrapped) if isinstance(function, classmethod) else wrapped)
    try:
        yield spent
    finally:
        for name, function in before.items():
            setattr(owner, name, function)


def now() -> tuple[float, float]:
    """The clock, and the processor time of this process."""
    return time.perf_counter(), time.process_time()


def writing(folder: Path, ntraj: int, keep: tuple[str, ...]) -> dict[str, float]:
    """What the file of a W1 run costs beside the rest of the run; creating it, and forcing it to the disk, apart."""
    program = compile_program(rectifier(**POINT), [0.0, 50 / POINT["gamma_L"]], keep=keep)
    run_program(program, 100, 1)
    shares, fixed, waiting = [], [], []
    for _ in range(9):
        (folder / "w1.h5").unlink(missing_ok=True)
        with stopwatch(FileStore, ("create", "commit", "finish")) as spent, stopwatch(os, ("fsync",)) as forced:
            begin = now()
            run_program(program, ntraj, 1, out=folder / "w1.h5", threads=1)
            total = [b - a for a, b in zip(begin, now(), strict=True)]
        stored = [sum(column) for column in zip(*spent.values(), strict=True)]
        rest = [t - s for s, t in zip(stored, total, strict=True)]
        shares.append([(s - f) / r for s, f, r in zip(stored, forced["fsync"], rest, strict=True)])
        fixed.append(spent["create"][1])
        waiting.append(forced["fsync"][0])
    clock, processor = (statistics.median(column) for column in zip(*shares, strict=True))
    return {
        "share_of_clock": clock,
        "share_of_processor": processor,
        "seconds_to_create": statistics.median(fixed),
        "seconds_to_force": statistics.median(waiting),
        "bytes_per_trajectory": (folder / "w1.h5").stat().st_size / ntraj,
        "us_per_trajectory": 1e6 * rest[1] / ntraj,
    }


def memory(folder: Path, ntraj: int, out: bool, t_final: float) -> dict[str, float]:
    """Largest resident set of a process that runs and then evaluates an ensemble."""
    words = [str(ntraj), str(folder / "memory.h5") if out else "", str(t_final)]
    result = subprocess.run([sys.executable, "-c", MEMORY, *words], capture_output=True, text=True, check=True)
    before, most = map(float, result.stdout.split())
    return {"ntraj": ntraj, "file": out, "baseline_MB": before, "MB": most}


def layouts(folder: Path) -> list[dict[str, Any]]:
    """Size and speed of ways to lay out the columns of the file that `writing` left."""
    ens = load(folder / "w1.h5")
    columns = {name: ens.column(name) for name in ens.columns}
    rows = 4096
    ways: dict[str, dict[str, Any]] = {"contiguous": {}}
    for block in (4096, 65536):
        for name, filters in (("", {}), ("+gzip1", gzip(1)), ("+gzip4", gzip(4)), ("+gzip9", gzip(9)), ("+lzf", lzf())):
            ways[f"blocks of {block}{name}"] = {"chunks": block} | filters
    found = []
    for way, options in ways.items():
        path = folder / "layout.h5"
        begin = time.perf_counter()
        with h5py.File(path, "w") as file:
            for name, values in columns.items():
                here = dict(options)
                if "chunks" in here:
                    here["chunks"] = (min(here["chunks"], len(values)), *values.shape[1:])
                stored = file.create_dataset(name, values.shape, values.dtype, **here)
                for start in range(0, len(values), rows):
                    stored[start : start + rows] = values[start : start + rows]
        written = time.perf_counter() - begin
        begin = time.perf_counter()
        with h5py.File(path) as file:
            for name in columns:
                np.asarray(file[name][()])
        read = time.perf_counter() - begin
        size = path.stat().st_size / len(ens)
        found.append(
            {"way": way, "bytes": size, "write_us": 1e6 * written / len(ens), "read_us": 1e6 * read / len(ens)}
        )
    return found


def gzip(level: int) -> dict[str, Any]:
    """HDF5's own compression, which every reader has."""
    return {"compression": "gzip", "compression_opts": level, "shuffle": True}


def lzf() -> dict[str, Any]:
    """The quick one of h5py."""
    return {"compression": "lzf", "shuffle": True}


def main(argv: list[str] | None = None) -> int:
    """Print the tables and save them; exit status 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ntraj", type=int, default=200_000, help="trajectories of the run whose writing is timed")
    parser.add_argument(
        "--large", type=int, default=10_000_000, help="trajectories of the run whose memory is measured"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "results" / "storage")
    options = parser.parse_args(argv)
    with TemporaryDirectory() as name:
        folder = Path(name)
        written: list[dict[str, Any]] = [
            {"keep": " ".join(keep)} | writing(folder, options.ntraj, keep)
            for keep in (("totals",), ("totals", "jumps"))
        ]
        sizes = [memory(folder, 1_000_000, False, 300.0), memory(folder, options.large, True, 30.0)]
        tables = {
            f"Writing, W1, {options.ntraj} trajectories: the store's share of the rest of the run": written,
            "Layout of the columns, a trajectory": layouts(folder),
            f"Memory; records move to a temporary file at {verbs.MEMORY_LIMIT / 2**20:.0f} MB": sizes,
        }
    save(options.out, "Storage", tables)
    heavy = written[0]["share_of_processor"] > LIMIT_SHARE
    large = max(row["MB"] for row in sizes) > LIMIT_MB
    return int(heavy or large)


if __name__ == "__main__":
    raise SystemExit(main())
