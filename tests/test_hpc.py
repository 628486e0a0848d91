"""Clusters in small: a job array, two MPI ranks, two Dask workers of which one is killed; each gives the same bits."""

from collections.abc import Iterator
import importlib.util
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from collide.ensemble import load, merge, run_program, save_program
from collide.machines import rectifier
from collide.program import compile_program
import fake_program
from fake_program import make, same_bits

SCRIPTS = Path(__file__).parent.parent / "runs" / "hpc"
NTRAJ, SEED, SIZE = 200, 7, 16


@pytest.fixture(scope="module")
def program() -> Any:
    return compile_program(rectifier(g=0.05), [0, 10.0, 20.0], keep=("totals", "jumps"))


@pytest.fixture(scope="module")
def whole(program: Any) -> Any:
    return run_program(program, NTRAJ, SEED, chunk_size=SIZE, threads=2)


@pytest.fixture
def folder(tmp_path: Path, program: Any) -> Path:
    save_program(program, tmp_path / "program.h5")
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    """That of a shell in which collide is installed."""
    root, scripts = str(SCRIPTS.parent.parent), str(Path(sys.executable).parent)
    path = {"PATH": os.pathsep.join([scripts, os.environ["PATH"]]), "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    return os.environ | path | more


def begun(command: list[str], folder: Path, **more: str) -> "subprocess.Popen[str]":
    """Start a command."""
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment(**more), **pipes)


def said(process: "subprocess.Popen[str]") -> str:
    """What a command printed until its end."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def test_a_job_array(folder: Path, program: Any) -> None:
    if shutil.which("collide", path=environment()["PATH"]) is None:
        pytest.skip("the command `collide` is not installed in this environment")
    whole = run_program(program, 9000, SEED, threads=2)  # three chunks of the default size
    script = ["bash", str(SCRIPTS / "slurm_array.sh"), "program.h5", "9000", str(SEED)]
    for task in ("2", "3", "1"):
        said(begun(script, folder, SLURM_ARRAY_TASK_ID=task, SLURM_ARRAY_TASK_MAX="3"))
    assert same_bits(merge(sorted(folder.glob("shard-*.h5")), folder / "ensemble.h5"), whole)


def test_two_mpi_ranks(folder: Path, whole: Any) -> None:
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install qcollide[hpc]")
    mpiexec = shutil.which("mpiexec", path=environment()["PATH"])
    if mpiexec is None:
        pytest.skip("there is no mpiexec: pip install qcollide[hpc] brings one")
    script = [sys.executable, "-m", "mpi4py.futures", str(SCRIPTS / "mpi.py"), "program.h5"]
    words = ["--ntraj", str(NTRAJ), "--seed", str(SEED), "--chunk-size", str(SIZE), "-o", "ensemble.h5"]
    assert "200 trajectories: rectifier" in said(begun([mpiexec, "-n", "2", *script, *words], folder))
    assert same_bits(load(folder / "ensemble.h5"), whole)


def test_dask_as_a_script(folder: Path, whole: Any) -> None:
    """Workers that are processes, and workers that are jobs; the latter in a queue that hands them to the shell."""
    pytest.importorskip("distributed", reason="dask[distributed] is not installed: pip install qcollide[hpc]")
    ways = {"processes": ["--local", "2"], "jobs": ["--jobs", "2", "--queue", "local"]}
    if importlib.util.find_spec("dask_jobqueue") is None:
        del ways["jobs"]
    words = ["program.h5", "--ntraj", str(NTRAJ), "--seed", str(SEED), "--chunk-size", str(SIZE)]
    command = [sys.executable, str(SCRIPTS / "dask_jobs.py"), *words]
    running = {way: begun([*command, *how, "-o", f"{way}.h5"], folder) for way, how in ways.items()}
    for way, process in running.items():
        assert "200 trajectories: rectifier" in said(process)
        assert same_bits(load(folder / f"{way}.h5"), whole)
    if "jobs" not in ways:
        pytest.skip("workers as jobs were left out: pip install qcollide[hpc] brings dask-jobqueue")


@pytest.fixture
def client() -> Iterator[Any]:
    distributed = pytest.importorskip(
        "distributed", reason="dask[distributed] is not installed: pip install qcollide[hpc]"
    )

    class Install(distributed.WorkerPlugin):  # type: ignore[misc,name-defined,unused-ignore]
        def setup(self, worker: Any) -> None:
            fake_program.install()

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        cluster.get_client() as found,
    ):
        found.register_plugin(Install())
        yield found


def test_dask_with_a_worker_killed_on_the_way(tmp_path: Path, client: Any) -> None:
    path, slow = tmp_path / "run.h5", make(delay=0.05)
    victims = list(client.run(os.getpid).values())
    assert len(set(victims)) == 2
    killed = threading.Event()

    def kill_one() -> None:
        while not (path.exists() and load(path).ntraj >= 5 * SIZE):
            time.sleep(0.01)
        os.kill(victims[0], signal.SIGKILL)
        killed.set()

    with fake_program.installed():
        killer = threading.Thread(target=kill_one)
        killer.start()
        ens = run_program(slow, 1000, SEED, chunk_size=SIZE, out=path, executor=client.get_executor())
        killer.join()
        assert killed.is_set()
        assert same_bits(ens, run_program(slow, 1000, SEED, chunk_size=SIZE))
    assert victims[0] not in client.run(os.getpid).values()
