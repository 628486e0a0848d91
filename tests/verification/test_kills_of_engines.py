"""Fifty kills -9 of the command line, with both engines: nothing committed is lost, and the bits are the same."""

import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from collide.ensemble import load, resume, run
from collide.machines import rectifier
from fake_program import same_bits

KILLS, NTRAJ, SIZE, SEED = 25, 100_000, 256, 12
SETTINGS: dict[str, dict[str, Any]] = {
    "jumps": {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08},
    "collisions": {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "picture": "collision", "tau": 1.0},
}
TIME = 400.0


def command(path: Path, settings: dict[str, Any]) -> list[str]:
    """``collide run`` onto a file, new or not."""
    given = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    given += ["--ntraj", str(NTRAJ), "--seed", str(SEED), "--t-final", str(TIME), "--keep", "jumps"]
    given += ["--chunk-size", str(SIZE), "--threads", "2", "--resume", "-o", str(path)]
    return [sys.executable, "-m", "collide", "run", "rectifier", *given]


def committed(path: Path) -> int:
    return load(path).ntraj if path.exists() else 0


def wait_for_rows(path: Path, process: subprocess.Popen[bytes], before: int) -> None:
    """Until the run has written something in this life, or has ended; a start takes seconds, a run hardly one."""
    journal = Path(f"{path}.journal")
    size = journal.stat().st_size if journal.exists() else 0
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if journal.exists() and journal.stat().st_size != size:
            return
        time.sleep(0.002)


def kill_once(path: Path, settings: dict[str, Any], generator: np.random.Generator, scale: float = 0.03) -> bool:
    """Start a run, kill it with -9 at a random instant, and say whether it was killed before it was done."""
    process = subprocess.Popen(command(path, settings), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for_rows(path, process, committed(path))
    time.sleep(generator.exponential(scale))
    os.kill(process.pid, signal.SIGKILL)
    said = process.communicate()[1].decode()
    assert process.returncode in (0, -signal.SIGKILL), said
    return process.returncode != 0


@pytest.mark.filterwarnings("error")  # a chunk that is damaged and run again would be announced
@pytest.mark.parametrize("engine", SETTINGS)
def test_random_kills_of_the_command_line(court: Any, tmp_path: Path, engine: str) -> None:
    with court(f"kill -9 of `collide run`, {engine}: opens, keeps its chunks, equal bits") as row:
        model = rectifier(**SETTINGS[engine])
        whole = run(model, NTRAJ, [0.0, TIME], SEED, keep=("jumps",), chunk_size=SIZE, progress=False)
        generator, path, kills, resumed = np.random.default_rng(8), tmp_path / "run.h5", 0, 0
        while kills < KILLS:
            if committed(path) == NTRAJ or kills % 8 == 0:
                path.unlink(missing_ok=True)
                Path(f"{path}.journal").unlink(missing_ok=True)
            before = committed(path)
            if not kill_once(path, SETTINGS[engine], generator):
                assert committed(path) == NTRAJ
                continue
            kills += 1
            after = committed(path)
            assert after >= before
            resumed += before > 0
            if after:
                found = load(path)
                assert np.array_equal(found.entropy_production, whole.entropy_production[found.ids])
                assert np.array_equal(found.counts, whole.counts[found.ids])
            if kills % 5 == 0:
                assert same_bits(resume(path, progress=False), whole)
        assert resumed > KILLS // 3
        assert same_bits(resume(path, progress=False), whole)
        row.checks(KILLS)


def test_what_a_kill_could_do_is_seen(court: Any, tmp_path: Path) -> None:
    """Planted, after a kill: the journal is gone, its last entry is cut, a bit of a committed chunk is flipped."""
    with court("planted: a lost chunk, a cut journal, a flipped bit after a kill") as row:
        model = rectifier(**SETTINGS["jumps"])
        whole = run(model, NTRAJ, [0.0, TIME], SEED, keep=("jumps",), chunk_size=SIZE, progress=False)
        path, generator = tmp_path / "run.h5", np.random.default_rng(9)
        journal = Path(f"{path}.journal")
        while not (journal.exists() and SIZE < committed(path) < NTRAJ):
            path.unlink(missing_ok=True)
            journal.unlink(missing_ok=True)
            kill_once(path, SETTINGS["jumps"], generator, 0.3)
        before, stored, entries = committed(path), path.read_bytes(), journal.read_bytes()
        place = stored.index(whole.entropy_production[SIZE - 4 : SIZE].tobytes())
        path.write_bytes(stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :])
        assert not np.array_equal(load(path).entropy_production, whole.entropy_production[load(path).ids])
        path.write_bytes(stored)
        journal.write_bytes(entries[: len(entries.rstrip(b"\0")) // 2])  # behind it is space claimed ahead
        with pytest.warns(UserWarning, match="do not match their checksums"):
            assert same_bits(resume(path, progress=False), whole)
        path.write_bytes(stored)
        journal.unlink(missing_ok=True)
        with pytest.warns(UserWarning, match="do not match their checksums"):
            assert same_bits(resume(path, progress=False), whole)
        assert before < NTRAJ
        row.checks(3)
