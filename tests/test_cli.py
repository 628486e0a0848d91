"""The command line: what it prints, what it leaves behind, and how it exits."""

from collections.abc import Callable, Iterator
import fcntl
import json
import os
from pathlib import Path
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import Any

import numpy as np
import pytest

import collide
from collide.cli import main
from collide.cli.entry import COMMANDS
from collide.ensemble import load, run_program, save_program
from collide.machines import rectifier, registry
import fake_program
from fake_program import make, same_bits

TESTS = Path(__file__).parent
RECTIFIER = ["rectifier", "--set", "g=0.05", "--t-final", "30"]
FAKE = "import sys, fake_program; fake_program.install(); from collide.cli import main; sys.exit(main())"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any, str]]:
    """Run a command in this process: exit status, what it printed (JSON as an object), and its standard error."""

    def call(*words: object) -> tuple[int, Any, str]:
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, json.loads(out) if out.startswith("{") else out, err

    return call


@pytest.fixture
def fake() -> Iterator[None]:
    with fake_program.installed():
        yield


def test_run_does_what_the_function_does(cli: Any, tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    status, said, err = cli(
        "run", *RECTIFIER, "--ntraj", 300, "--seed", 7, "--points", 3, "--chunk-size", 64, "-o", out, "--quiet"
    )
    assert (status, err) == (0, "")
    model = rectifier(g=0.05)
    whole = collide.run(model, 300, np.linspace(0, 30, 4), seed=7, chunk_size=64)
    assert same_bits(load(out), whole)
    assert (said["event"], said["ntraj"], said["seed"], said["complete"]) == ("complete", 300, 7, True)
    assert said["means"]["heat:L"] == list(whole.mean("heat:L"))
    assert said["digest"] == whole.digest()
    assert said["recipe"]["parameters"]["g"] == 0.05


def test_collisions_take_their_averages_at_whole_periods(cli: Any, tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    words = ["run", "rectifier", "--picture", "collision", "--set", "tau=0.7", "--t-final", "7", "--points", "3"]
    assert cli(*words, "--ntraj", 20, "-o", out)[0] == 0
    assert np.allclose(load(out).tlist, [0, 2.1, 4.9, 7.0])
    assert load(out).recipe["parameters"]["picture"] == "collision"


def test_a_job_array_of_one_compiled_program(cli: Any, tmp_path: Path) -> None:
    program, parts = tmp_path / "p.h5", [tmp_path / f"{i}.h5" for i in (1, 2, 3)]
    status, said, _ = cli("compile", *RECTIFIER, "--keep", "totals,jumps", "-o", program)
    assert (status, said["event"], said["kind"]) == (0, "compiled", "jumps")
    for i, part in enumerate(parts, 1):
        sharding = ["--shard", f"{i}/3", "--ntraj", 500, "--seed", 3, "--chunk-size", 50]
        source = [program] if i < 3 else [*RECTIFIER, "--keep", "totals,jumps"]  # by name it is the same program
        assert cli("run", *source, *sharding, "-o", part)[0] == 0
    status, said, _ = cli("merge", *parts[::-1], "-o", tmp_path / "all.h5")
    assert (status, said["ntraj"], said["complete"]) == (0, 500, True)
    model = rectifier(g=0.05)
    whole = collide.run(model, 500, [0, 30.0], seed=3, chunk_size=50, keep=("totals", "jumps"))
    assert same_bits(load(tmp_path / "all.h5"), whole)


def test_extend_resume_pack_and_info(cli: Any, tmp_path: Path, fake: None) -> None:
    program, out = tmp_path / "p.h5", tmp_path / "a.h5"
    save_program(make(), program)
    assert cli("run", program, "--ntraj", 100, "--seed", 1, "--chunk-size", 16, "-o", out)[0] == 0
    assert cli("extend", out, "--ntraj", 300)[1]["ntraj"] == 300
    assert cli("pack", out)[1]["complete"] is True
    assert cli("resume", out)[1]["ntraj"] == 300
    assert same_bits(load(out), run_program(make(), 300, 1, chunk_size=16))
    status, said, _ = cli("info", out, "--check")
    assert (status, said["damaged_chunks"], said["provenance"]["version_numpy"]) == (0, [], np.__version__)
    status, text, _ = cli("info", out, "--text")
    for word in ("300 trajectories: fake", "scale=1.0", "heat:L", "±", "numpy", load(out).digest()):
        assert word in text
    assert cli("info", program)[1]["event"] == "program"


def test_info_finds_a_damaged_chunk(cli: Any, tmp_path: Path, fake: None) -> None:
    out = tmp_path / "a.h5"
    ens = run_program(make(), 100, 1, chunk_size=16, out=out)
    data = out.read_bytes()
    place = data.index(ens.work[32:34].tobytes())
    out.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    status, said, _ = cli("info", out, "--check")
    assert (status, said["damaged_chunks"]) == (1, [2])


def test_machines_are_listed_with_the_defaults_of_their_papers(cli: Any) -> None:
    status, said, _ = cli("machines")
    assert status == 0
    assert said["machines"]["rectifier"]["gamma_L"] == 0.01
    assert set(said["machines"]) == set(registry())
    assert "gamma_L = 0.01" in cli("machines", "--text")[1]
    assert "Parameters" in cli("machines", "rectifier", "--text")[1]


@pytest.mark.slow
def test_after_a_warm_up_nothing_is_left_to_compile(cli: Any, tmp_path: Path) -> None:
    status, said, _ = cli("warmup")
    assert (status, said["event"]) == (0, "warm")
    if said["cache"] is None:
        pytest.skip("there is no folder in which compiled kernels could be kept")

    def kept() -> set[Path]:
        return {path for path in Path(said["cache"]).rglob("*") if path.suffix in {".code", ".nbc"}}

    before = kept()
    assert {".code"} <= {path.suffix for path in before}
    protocol = ["--t-final", "2", "--points", "2", "--keep", "jumps", "--ntraj", "3"]
    collisions = ["rectifier", "--picture", "collision", "--set", "tau=1"]
    for i, machine in enumerate((["ising"], ["rectifier", "--set", "N=3"], collisions)):
        assert cli("run", *machine, *protocol, "-o", tmp_path / f"{i}.h5")[0] == 0
    assert kept() == before


RUN = ["run", *RECTIFIER, "--ntraj", "10", "-o"]


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["frob"], 2, r"invalid choice: 'frob'"),
        (["run", "rectifier"], 2, "the following arguments are required: --ntraj, -o/--out"),
        (["run", "rectifier", "--ntraj", "x", "-o", "b.h5"], 2, "argument --ntraj: invalid int value: 'x'"),
        (["run", "rectifier", "--ntraj", "9", "-o", "b.h5"], 2, "--t-final is missing"),
        (["run", "rectifir", "--t-final", "9", "--ntraj", "9", "-o", "b.h5"], 2, "no machine 'rectifir' (did you mean"),
        ([*RUN, "b.h5", "--set", "gama_L=1"], 2, "no parameter 'gama_L' (did you mean 'gamma_L'?)"),
        ([*RUN, "b.h5", "--set", "g"], 2, "--set must be NAME=VALUE, but is 'g'"),
        ([*RUN, "b.h5", "--set", "picture=foo"], 2, "foo"),
        ([*RUN, "b.h5", "--points", "0"], 2, "--points must be at least 1"),
        ([*RUN, "b.h5", "--t-final", "-3"], 2, "--t-final must be positive, but is -3.0"),
        ([*RUN, "b.h5", "--initial", "hot"], 2, "--initial must be steady or thermal=BETA, but is 'hot'"),
        ([*RUN, "b.h5", "--seed", "-1"], 2, "`seed` must be an integer from 0 to 2**64 - 1"),
        ([*RUN, "b.h5", "--shard", "3/2"], 2, "`shard` must be i/n"),
        ([*RUN, "b.h5", "--threads", "0"], 2, "`threads` must be at least 1"),
        ([*RUN, "b.h5", "--keep", "everything"], 2, "everything"),
        ([*RUN, "there.h5"], 3, "there.h5 exists: resume it, choose another name, or allow to overwrite it"),
        ([*RUN, "there.h5", "--resume"], 2, "there.h5 holds another run"),
        ([*RUN, "nowhere/b.h5"], 3, "folder nowhere does not exist"),
        (["run", "there.h5", "--set", "g=1", "--ntraj", "9", "-o", "b.h5"], 2, "--set is settled in there.h5"),
        (["run", "none.h5", "--ntraj", "9", "-o", "b.h5"], 3, "none.h5 does not exist"),
        (["resume", "none.h5"], 3, "none.h5 does not exist"),
        (["resume", "text.h5"], 3, "text.h5 is not an HDF5 file"),
        (["info", "text.h5"], 3, "text.h5 is not an HDF5 file"),
        (["extend", "there.h5", "--ntraj", "5"], 2, "`ntraj` must be at least the 10"),
        (["merge", "there.h5", "there.h5", "-o", "b.h5"], 2, "are in both"),
        (["machines", "x"], 2, "there is no machine 'x'"),
    ],
)
def test_errors_are_one_line_and_an_exit_status(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], status: int, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with fake_program.installed():
        run_program(make(), 10, 1, out="there.h5")
        save_program(make(), "p.h5")
    Path("text.h5").write_text("hello")
    found, out, err = cli(*words)
    assert (found, out) == (status, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert sorted(os.listdir()) == ["p.h5", "text.h5", "there.h5"]


def test_debug_shows_the_traceback(cli: Any, tmp_path: Path) -> None:
    status, _, err = cli("resume", tmp_path / "none.h5", "--debug")
    assert status == 3
    assert err.startswith("Traceback")
    assert err.endswith("none.h5 does not exist.\n")


def test_an_error_of_ours_has_its_own_status(cli: Any, tmp_path: Path, fake: None) -> None:
    save_program(make(fail_at=20), tmp_path / "p.h5")
    status, _, err = cli("run", tmp_path / "p.h5", "--ntraj", 50, "--chunk-size", 10, "-o", tmp_path / "a.h5")
    assert status == 70
    assert "RuntimeError: trajectory 20 was told to fail The run stopped after" in err
    assert f"collide resume {tmp_path / 'a.h5'}" in err
    assert err.count("\n") == 1


def test_every_command_explains_itself(cli: Any) -> None:
    for name in COMMANDS:
        status, out, _ = cli(name, "--help")
        assert status == 0
        assert out.startswith(f"usage: collide {name}")
    status, out, _ = cli("--version")
    assert (status, out) == (0, f"collide {collide.__version__}\n")
    assert cli()[0] == 2


def spawn(*words: object, **options: Any) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", FAKE, *map(str, words)]
    return subprocess.Popen(command, env=environment, text=True, **options)


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_what_is_done_and_says_how_to_go_on(tmp_path: Path, signum: int, status: int) -> None:
    program, out = tmp_path / "p.h5", tmp_path / "a.h5"
    slow = make(delay=0.05)
    save_program(slow, program)
    words = ["run", program, "--ntraj", 4000, "--seed", 1, "--chunk-size", 10, "--threads", 2, "-o", out]
    process = spawn(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with fake_program.installed():
        while not out.exists() or load(out).ntraj < 40:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signum)
        said, err = process.communicate(timeout=30)
        assert process.returncode == status
        assert said == ""
        assert f"collide: stopped by {signal.Signals(signum).name} after" in err
        assert f"`collide resume {out}`" in err
        assert "Traceback" not in err
        saved = load(out)
        assert 40 <= saved.ntraj < 4000
        assert np.array_equal(saved.work, run_program(slow, saved.ntraj, 1, chunk_size=1000).work)
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "a.h5.journal", "p.h5"]


def test_a_pipe_gets_json_and_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    program = tmp_path / "p.h5"
    save_program(make(delay=0.02), program)
    words = ["run", program, "--ntraj", 400, "--seed", 1, "--chunk-size", 10, "-o"]
    piped = spawn(*words, tmp_path / "a.h5", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = piped.communicate(timeout=60)
    assert json.loads(out)["ntraj"] == 400
    assert err == ""  # shorter than the time between two lines of progress
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    watched = spawn(*words, tmp_path / "b.h5", stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    seen = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:  # the terminal is closed
            break
        if not piece:
            break
        seen += piece
    assert watched.wait(timeout=60) == 0
    text = seen.decode()
    assert "traj/s" in text
    assert "100%" in text
    assert "Ensemble of 400 trajectories: fake" in text


def test_progress_for_machines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fake: None) -> None:
    monkeypatch.setattr("collide.ensemble.progress.EVERY", 0.0)
    run_program(make(), 40, 1, chunk_size=10, threads=1, progress="json")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["done"] for line in lines] == [10, 20, 30, 40]
    assert all(line["ntraj"] == 40 and line["rate"] > 0 for line in lines)
    assert lines[-1]["seconds_left"] == 0
