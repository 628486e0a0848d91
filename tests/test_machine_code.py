"""Machine code of kernels without Numba: the same values, and never the code of another machine, version or file."""

import os
from pathlib import Path
import shutil
import subprocess
import sys
import threading
from typing import Any, NamedTuple

import numpy as np
import pytest

import collide
from collide.kernels import machine_code
from collide.kernels.borrowed import borrowed, inner, lend
from layout import ROOT

PAIR = np.dtype([("n", np.int64), ("x", np.float64)], align=True)


class Inside(NamedTuple):
    """A tuple in a tuple."""

    matrix: Any
    nothing: Any
    flag: bool


class Bag(NamedTuple):
    """Every kind of leaf."""

    row: Any
    inside: Inside
    small: Any
    word: Any
    scale: float


@inner
def total(bag):
    """Sum with weights that tell rows, columns and leaves apart."""
    found = 0.0
    for i in range(bag.row.shape[0]):
        found += (i + 1) * bag.row[i]
    for i in range(bag.inside.matrix.shape[0]):
        for j in range(bag.inside.matrix.shape[1]):
            found += (10 * i + j) * bag.inside.matrix[i, j]
    return found


@borrowed
def weigh(bag, pairs, out):
    """Read every leaf, write one array."""
    inside = lend(bag.inside)
    if bag.inside.nothing is None:
        out[0] = total(lend(bag)) * bag.scale
    out[1] = pairs[pairs.shape[0] - 1].x * pairs[0].n
    out[2] = bag.small
    out[3] = 1.0 if inside.flag else -1.0
    return bag.word


def expected(bag: Bag, pairs: Any) -> list[float]:
    """The same by NumPy."""
    matrix = bag.inside.matrix
    i, j = np.indices(matrix.shape)
    found = (np.arange(1, len(bag.row) + 1) * bag.row).sum() + ((10 * i + j) * matrix).sum()
    return [found * bag.scale, pairs["x"][-1] * pairs["n"][0], bag.small, 1.0 if bag.inside.flag else -1.0]


ROWS = {
    "contiguous": np.arange(4.0),
    "strided": np.arange(12.0)[1::3],
    "backwards": np.arange(5.0)[::-1],
    "empty": np.zeros(0),
    "of integers": np.arange(3),
}
MATRICES = {
    "by rows": np.arange(6.0).reshape(2, 3),
    "by columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "a part": np.arange(24.0).reshape(4, 6)[1::2, ::2],
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_arguments_arrive(row: Any, matrix: Any) -> None:
    pairs = np.array([(3, 0.5), (4, 0.25)], PAIR)
    bag = Bag(row, Inside(matrix, None, True), -7, np.uint64(2**63 + 5), 0.5)
    out = np.zeros(4)
    assert weigh(bag, pairs, out) == 2**63 + 5
    np.testing.assert_array_equal(out, expected(bag, pairs))


def test_types_decide_which_code_runs() -> None:
    pairs, out = np.array([(3, 0.5)], PAIR), np.zeros(4)
    bag = Bag(np.arange(3.0), Inside(np.eye(2), None, False), 5, np.uint64(0), 2.0)
    weigh(bag, pairs, out)
    compiled = len(weigh._calls)
    for small in (np.int64(6), 2**62, -1):
        weigh(bag._replace(small=small, scale=np.float64(3.0)), pairs, out)
        assert out[2] == small
    assert len(weigh._calls) == compiled  # numbers of NumPy and of Python are the same
    read_only = np.arange(3.0)
    read_only.flags.writeable = False
    weigh(bag._replace(row=read_only), pairs, out)
    weigh(bag._replace(inside=bag.inside._replace(nothing=1)), pairs, out)
    assert len(weigh._calls) == compiled + 2


@borrowed
def half(x):
    """Halve."""
    return x * 0.5


@borrowed
def below(x, limit=2):
    """Compare."""
    return x < limit


@borrowed
def sine(x):
    """Name a function that only a library has."""
    return np.sin(x)


@borrowed
def several(x, word):
    """Return a tuple of several kinds."""
    return x < 0, word, int(x), 0.5 * x


@borrowed
def itself(x):
    """Return an array."""
    return x


def test_tuples_of_numbers_return() -> None:
    assert several(-3.5, np.uint64(2**63 + 1)) == (True, 2**63 + 1, -3, -1.75)
    assert [type(part) for part in several(1.0, np.uint64(1))] == [bool, int, int, float]


def test_results_that_have_no_words_are_left_to_numba(tmp_path: Path) -> None:
    x = np.arange(3.0)
    assert itself(x)[2] == 2.0
    assert itself in itself._calls.values()
    machine_code.write(tmp_path / "itself.code", "", b"")  # so that the next process does not try again
    assert machine_code.read(tmp_path / "itself.code") == ("", b"")


def test_results_and_defaults() -> None:
    assert half(3) == 1.5
    assert half(np.int32(3)) == 1.5  # no leaf for it: Numba runs it
    assert below(1) is True
    assert below(1, limit=0) is False
    assert below(x=5, limit=7) is True


def test_code_that_does_not_stand_alone_is_left_to_numba() -> None:
    assert sine(0.5) == np.sin(0.5)
    assert sine._calls[("f",)] is sine


def test_other_objects_of_arrays_are_left_to_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    @borrowed
    def first(x):
        return x[0]

    monkeypatch.setattr(machine_code, "arrays_are_known", lambda: False)
    assert first(np.array([4.0])) == 4.0
    assert first in first._calls.values()


def test_layout_of_arrays_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_code.arrays_are_known.cache_clear()
    assert machine_code.arrays_are_known()
    monkeypatch.setattr(machine_code, "HEAD", machine_code.HEAD - 8)
    machine_code.arrays_are_known.cache_clear()
    assert not machine_code.arrays_are_known()
    machine_code.arrays_are_known.cache_clear()


def test_threads_compile_once() -> None:
    @borrowed
    def twice(x):
        return 2 * x

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(twice(21))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [42] * 4
    assert len(twice._calls) == 1


KERNELS = """
from .borrowed import borrowed

@borrowed
def evolve(x):
    return 0.5 * x[0] + x[1]
"""
PROBE = """
import sys
import numpy as np
from toy.evolution import evolve
print(evolve(np.array([2.0, 4.0])), int("numba" not in sys.modules))
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A package of one kernel, with a copy of the real machinery."""
    package = tmp_path / "toy"
    package.mkdir()
    for name in ("borrowed", "compile", "emission", "lane_code", "lanes", "late", "loans", "machine_code"):
        shutil.copy(ROOT / "kernels" / f"{name}.py", package)
    (package / "__init__.py").touch()
    (package / "evolution.py").write_text(KERNELS)
    return package


def start(toy: Path, **variables: str) -> "subprocess.Popen[str]":
    """Run the kernel in a process of its own, with a cache beside it."""
    paths = {"PYTHONPATH": str(toy.parent), "NUMBA_CACHE_DIR": str(toy.parent / "cache")}
    command = [sys.executable, "-P", "-c", PROBE]
    return subprocess.Popen(
        command, env=os.environ | paths | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def answer(process: "subprocess.Popen[str]") -> list[str]:
    """Value, and 1 if it came from the cache."""
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out.split()


def files(toy: Path) -> list[Path]:
    """What lies in the cache."""
    return [path for path in (toy.parent / "cache").rglob("*") if path.is_file()]


def test_processes_at_once(toy: Path) -> None:
    for process in [start(toy) for _ in range(3)]:
        assert answer(process)[0] == "5.0"
    assert [path.suffix for path in files(toy)] == [".code"]  # nothing half written is left
    assert answer(start(toy)) == ["5.0", "1"]


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_damaged_file_is_compiled_again(toy: Path, damage: str) -> None:
    answer(start(toy))
    (path,) = files(toy)
    whole = path.read_bytes()
    middle = len(whole) // 2
    broken = {"cut": whole[:middle], "changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]}
    path.write_bytes(broken.get(damage, b""))
    assert answer(start(toy)) == ["5.0", "0"]
    assert path.read_bytes() == whole
    assert answer(start(toy)) == ["5.0", "1"]


def test_file_appears_complete_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kernel.code"
    machine_code.write(path, "f", b"first")
    assert machine_code.read(path) == ("f", b"first")
    with monkeypatch.context() as full_disk:
        full_disk.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError))
        machine_code.write(path, "f", b"second")
    assert machine_code.read(path) == ("f", b"first")
    assert [file.name for file in tmp_path.iterdir()] == ["kernel.code"]
    machine_code.write(tmp_path / "missing" / "kernel.code", "f", b"first")  # no folder, no error


def test_code_of_another_processor_is_not_found(toy: Path) -> None:
    answer(start(toy))
    assert answer(start(toy, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")) == ["5.0", "0"]
    assert len(files(toy)) == 2


@pytest.mark.parametrize("what", ["version of numba", "processor", "features", "kernel", "type", "fields"])
def test_name_tells_everything(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    llvm: Any = pytest.importorskip("llvmlite.binding")
    _, key = machine_code.words_of((Inside(np.zeros((2, 2)), None, True),))
    kernel: Any = half.py_func
    machine_code._surroundings.cache_clear()
    before = machine_code.name_of(kernel, key)
    assert machine_code.name_of(kernel, key) == before
    if what == "version of numba":
        monkeypatch.setattr(machine_code, "_version_of_numba", lambda: "0.0")
    elif what == "processor":
        monkeypatch.setattr(llvm, "get_host_cpu_name", lambda: "i486")
    elif what == "features":
        fewer = llvm.FeatureMap({"avx2": False})
        monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: fewer)
    elif what == "kernel":
        kernel = below.py_func
    elif what == "type":
        _, key = machine_code.words_of((Inside(np.zeros((2, 2), order="F"), None, True),))
    else:
        monkeypatch.setattr(Inside, "_fields", ("other", "nothing", "flag"))
    machine_code._surroundings.cache_clear()
    assert machine_code.name_of(kernel, key) != before
    monkeypatch.undo()
    machine_code._surroundings.cache_clear()


RUN = """
import sys
import collide
assert not {"numba", "h5py", "tqdm", "scipy.linalg", "scipy.optimize", "scipy.sparse.linalg"} & set(sys.modules)
from collide.program import compile_program, run_chunk
space = collide.Space(collide.qubit(), collide.qubit())
H = 0.5 * (space.sz(0) + space.sz(1)) + 0.05 * space.exchange(0, 1)
baths = [collide.Bath(name, temperature=T, spectral_density=0.02) for name, T in (("L", 1.0), ("R", 0.1))]
channels = [channel for n, bath in enumerate(baths) for channel in collide.local(space.s(n), 1.0, bath)]
model = collide.LindbladModel(H, channels, dims=space)
program = compile_program(model, 100.0, initial=space.basis(0, 0), keep=("totals", "jumps"))
print(run_chunk(program, 1, 0, 100).columns["counts"].sum(), "numba" in sys.modules)
"""


def test_process_with_cached_kernels_imports_no_compiler() -> None:
    # the first compiles if nobody has; the rest of a process is imports, of what it uses alone
    found = []
    for _ in range(2):
        command = [sys.executable, "-c", RUN]
        found.append(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    assert found[0][0] == found[1][0]
    assert found[1][1] == "False"


def test_everything_public_is_there() -> None:
    assert set(collide.__all__) <= set(dir(collide))
    for name in collide.__all__:
        assert getattr(collide, name) is not None
    assert collide.machines.rectifier is not None  # without an import of its own
    assert collide.ensemble.run is collide.run
    with pytest.raises(AttributeError, match="module 'collide' has no attribute 'colide'"):
        _ = collide.colide
