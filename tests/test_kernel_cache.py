"""The cache of compiled kernels: never the machine code of another source, never a reason to fail."""

import os
from pathlib import Path
import shutil
import subprocess
import sys
import threading
import time
from typing import Any

import numba
import numpy as np
import pytest

from collide import Bath, LindbladModel, davies, local, ohmic
from collide.kernels.borrowed import borrowed
from collide.kernels.compile import Kernel, kernel
from collide.machines import rectifier
from collide.program import compile_program, run_chunk
from layout import ROOT
from random_models import random_hermitian

CALLEE = """
from .compile import kernel

@kernel
def scale(x):
    return 0.5 * x
"""
CALLER = """
from .borrowed import borrowed
from .callee import scale
from .compile import kernel

@{decorator}
def evolve(x):
    return scale(x) + scale(x) * x
"""
# prints the result for x = 2, whether the caller came from the cache, and Numba's own setting after the import
PROBE = """
import sys
from toy.caller import evolve
result, without_numba = evolve(2.0), "numba" not in sys.modules
import numba
hits = without_numba if hasattr(evolve, "_calls") else sum(evolve.stats.cache_hits.values())
print(result, int(hits), repr(numba.config.CACHE_DIR))
"""
MACHINERY = ("borrowed", "compile", "emission", "lane_code", "lanes", "late", "loans", "machine_code")


@pytest.fixture(params=["kernel", "borrowed"])
def toy(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A package of two kernel files, one calling the other, compiled by a copy of the real decorators."""
    package = tmp_path / "site" / "toy"
    package.mkdir(parents=True)
    for name in MACHINERY:
        shutil.copy(ROOT / "kernels" / f"{name}.py", package)
    (package / "__init__.py").touch()
    (package / "callee.py").write_text(CALLEE)
    (package / "caller.py").write_text(CALLER.format(decorator=request.param))
    return package


def probe(toy: Path, **variables: str) -> list[str]:
    """Run the kernels in a process of their own, with nothing but these variables to say where the cache is."""
    kept = {name: value for name, value in os.environ.items() if name not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}}
    answer = subprocess.run(
        [sys.executable, "-P", "-c", PROBE],
        env=kept | {"PYTHONPATH": str(toy.parent), "PYTHONDONTWRITEBYTECODE": "1"} | variables,
        cwd=toy.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()


def fingerprints(base: Path) -> list[Path]:
    """The folders of compiled code below a base."""
    return sorted((base / "collide").iterdir())


def test_edited_callee_in_another_file_gives_new_results(toy: Path, tmp_path: Path) -> None:
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    setting = repr(cache["NUMBA_CACHE_DIR"])
    assert probe(toy, **cache) == ["3.0", "0", setting]
    assert probe(toy, **cache) == ["3.0", "1", setting]  # the second process compiles nothing

    (toy / "callee.py").write_text(CALLEE.replace("0.5", "1.5"))
    assert probe(toy, **cache) == ["9.0", "0", setting]
    assert len(fingerprints(tmp_path / "cache")) == 2

    (toy / "callee.py").write_text(CALLEE)
    assert probe(toy, **cache) == ["3.0", "1", setting]  # the former code is still there, and is the right one


def test_new_kernel_file_opens_new_cache(toy: Path, tmp_path: Path) -> None:
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    probe(toy, **cache)
    (toy / "ops").mkdir()
    (toy / "ops" / "more.py").touch()
    assert probe(toy, **cache)[:2] == ["3.0", "0"]


def test_xdg_cache_home_is_honoured(toy: Path, tmp_path: Path) -> None:
    assert probe(toy, XDG_CACHE_HOME=str(tmp_path / "xdg")) == ["3.0", "0", "''"]
    assert len(fingerprints(tmp_path / "xdg")) == 1
    assert not [*toy.rglob("*.nb?"), *toy.rglob("*.code")]  # nothing beside the sources


def test_unwritable_cache_compiles_anew_instead_of_failing(toy: Path, tmp_path: Path) -> None:
    # a file where the folder should be: refused to every user, root included
    (tmp_path / "file").touch()
    for _ in range(2):
        assert probe(toy, HOME=str(tmp_path / "file")) == ["3.0", "0", "''"]
    assert not [*toy.rglob("*.nb?"), *toy.rglob("*.code")]


def test_full_disk_compiles_anew_instead_of_failing(toy: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    # the probe file of the cache folder is what a full disk refuses
    source = (toy / "compile.py").read_text()
    (toy / "compile.py").write_text(source.replace("tempfile.TemporaryFile(dir=folder)", 'open("/dev/full", "wb")'))
    assert source != (toy / "compile.py").read_text()
    assert probe(toy, XDG_CACHE_HOME=str(toy.parent / "xdg")) == ["3.0", "0", "''"]


def spin(n):
    """Count through a linear congruential generator, so that no compiler can leave the loop out."""
    x = np.uint64(1)
    for _ in range(n):
        x = x * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
    return x


@pytest.mark.parametrize("compiled", [kernel(spin), borrowed(spin)], ids=["kernel", "borrowed"])
def test_kernel_releases_the_gil(compiled: Any) -> None:
    compiled(1)  # before the clock runs
    worker = threading.Thread(target=compiled, args=(300_000_000,))
    worker.start()
    beats = 0
    while worker.is_alive():
        time.sleep(0.001)
        beats += 1
    assert beats > 10  # one who held the lock would leave one or two


@kernel
def divide(x, y):
    """Divide floats."""
    return x / y


def test_division_by_zero_is_numpys() -> None:
    assert divide(1.0, 0.0) == np.inf
    assert np.isnan(divide(0.0, 0.0))


def test_fastmath_is_refused() -> None:
    with pytest.raises(ValueError, match="`fastmath` lets the bits of a result depend on the processor: compile"):
        kernel(fastmath=True)


def test_options_reach_numba_and_its_setting_is_put_back() -> None:
    setting_before = numba.config.CACHE_DIR

    @kernel(inline="always")
    def double(x):
        return 2 * x

    assert double(21) == 42
    assert double.targetoptions["inline"] == "always"
    assert double.targetoptions["nogil"]
    assert setting_before == numba.config.CACHE_DIR


def compiled_kernels() -> dict[str, int]:
    """Kernels that have been compiled or loaded in this process, and for how many signatures."""
    found = {}
    for module in [module for name, module in sys.modules.items() if name.startswith("collide.kernels.")]:
        for name, value in vars(module).items():
            if isinstance(value, Kernel) and value.py_func.__module__ == module.__name__:
                found[f"{module.__name__}.{name}"] = len(value.signatures)
    return found


def run_both_ways(model: Any, labels: str = "heat") -> None:
    """Run a few trajectories with all records and with the fewest."""
    end = 2.0 if model.process.tau is None else 2 * model.process.tau
    for keep in (("totals",), ("totals", "jumps", "final_state")):
        run_chunk(compile_program(model, [0.5 * end, end], keep=keep, labels=labels), 1, 0, 2)


def thirty_models() -> list[tuple[Any, str]]:
    """Jumps of two to six levels in one block, in several and in blocks of one; chains; both kinds of collisions."""
    rng = np.random.default_rng(4)
    models: list[tuple[Any, str]] = []
    for d in (*range(2, 7), *range(2, 7)):
        H, coupling = random_hermitian(rng, d), random_hermitian(rng, d)
        bath = Bath("b", temperature=1.0, spectral_density=ohmic(0.1, cutoff=3.0))
        models.append((LindbladModel(H, davies(H, coupling, bath)), "heat"))
        models.append((LindbladModel(H, local(np.triu(np.abs(coupling), 1), 1.0, bath)), "heat"))
    models += [(rectifier(N=N, g=g), "heat") for N, g in ((2, 0.01), (2, 0.1), (3, 0.1))]
    models.append((rectifier(N=3, picture="collision", tau=0.5), "heat"))  # of three qubits events are searched
    for tau in (0.1, 0.5, 1.0):
        model = rectifier(picture="collision", tau=tau)
        models += [(model, "heat"), (model, "all")]
    return models


def test_one_set_of_kernels_serves_thirty_models() -> None:
    models = thirty_models()
    assert len(models) == 30
    for model, labels in (models[0], models[1], models[23], models[-2], models[-1]):
        run_both_ways(model, labels)
    before = compiled_kernels()
    assert before["collide.kernels.jumps._fly"] >= 1
    assert before["collide.kernels.events._fly"] >= 1
    assert before["collide.kernels.renewal._fly"] >= 1
    for model, labels in models:
        run_both_ways(model, labels)
    assert compiled_kernels() == before
