"""The file in other hands: netCDF's own library, HDF5's tools, and what docs/storage.md tells other languages.

Programs that a test environment need not have are skipped with a sentence.  netCDF4 brings an HDF5 library of its own,
which must not meet that of h5py in one process.
"""

from importlib.util import find_spec
import json
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any

import h5py
import numpy as np
import pytest

import collide
from collide.machines import rectifier

DOCS = Path(__file__).parent.parent / "docs" / "storage.md"
NTRAJ = 40

ASK_NETCDF = """
import json, sys, netCDF4
data = netCDF4.Dataset(sys.argv[1])
print(json.dumps({
    "conventions": data.Conventions,
    "dims": {name: variable.dimensions for name, variable in data.variables.items()},
    "units": {name: getattr(variable, "units", None) for name, variable in data.variables.items()},
    "baths": list(data["bath"][:]),
    "heat": data["heat"][:].tolist(),
    "jump_channel": data["jump_channel"][:].tolist(),
    "row_size": data["row_size"][:].tolist(),
    "H": data["program/arrays/H"][:].tolist(),
    "masked": [name for name, variable in data.variables.items() if netCDF4._netCDF4.ma.is_masked(variable[...])],
}))
"""


@pytest.fixture(scope="module")
def ens(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("readers") / "run.h5"
    options: dict[str, Any] = {"e_ops": {"n": np.diag([0.0, 1, 1, 2])}, "keep": ("jumps", "final_state")}
    model = rectifier(g=0.05)
    return collide.run(model, NTRAJ, [0.0, 40.0, 80.0], seed=3, chunk_size=16, out=path, progress=False, **options)


@pytest.fixture(scope="module", params=["as run", "packed"])
def path(ens: Any, request: pytest.FixtureRequest) -> Path:
    if request.param == "packed":
        packed = Path(ens.path).with_name("packed.h5")
        collide.pack(ens.path, packed)
        return packed
    return Path(ens.path)


def asked(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def test_the_library_of_netcdf_reads_all_of_it(ens: Any, path: Path) -> None:
    if find_spec("netCDF4") is None:
        pytest.skip("netCDF4 is not installed: pip install netCDF4")
    told = json.loads(asked(sys.executable, "-c", ASK_NETCDF, str(path)))
    assert told["conventions"] == "CF-1.11"
    assert told["dims"]["heat"] == ["trajectory", "bath"]
    assert told["dims"]["expect_sum"] == ["chunk", "time", "e_op", "power"]
    assert told["dims"]["jump_time"] == ["event"]
    assert (told["units"]["heat"], told["units"]["time"]) == ("energy", "1/ω")
    assert told["baths"] == ["L", "R"]
    assert np.array_equal(told["heat"], np.stack([ens.heat["L"], ens.heat["R"]], axis=1))
    assert np.array_equal(told["jump_channel"], ens.jump_channel)
    assert np.array_equal(told["row_size"], ens.row_size)
    assert np.array_equal(np.array(told["H"])[..., 0], ens.program.arrays["H"].real)
    assert told["masked"] == []


def test_h5dump_lists_the_file_and_prints_its_numbers(ens: Any, path: Path) -> None:
    if shutil.which("h5dump") is None:
        pytest.skip("h5dump is not installed: it comes with the HDF5 tools (package hdf5-tools)")
    header = asked("h5dump", "-H", str(path))
    for name in (*ens.columns, "jump_time", "done", "checksum", "program", "model", "provenance"):
        assert f'"{name}"' in header
    printed = asked("h5dump", "-A", "0", "-y", "-m", "%.17g", "-d", "/heat", str(path))
    numbers = re.search(r"DATA \{(.*?)\}", printed, re.DOTALL)
    assert numbers is not None
    found = np.array(numbers[1].split(","), dtype=float)
    assert np.array_equal(found, np.stack([ens.heat["L"], ens.heat["R"]], axis=1).reshape(-1))


def snippets() -> list[tuple[str, str]]:
    """Language and text of the examples in docs/storage.md."""
    found = re.findall(r"```(matlab|julia|r)\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert {language for language, _ in found} == {"matlab", "julia", "r"}
    return found


def test_what_the_examples_for_other_languages_name_is_in_the_file(path: Path) -> None:
    with h5py.File(path) as file:
        for _, text in snippets():
            names = re.findall(r"""["']/([\w/]+)["']""", text)
            assert names
            for name in names:
                assert name in file
            for variable, attribute in re.findall(r"""["']/(\w+)["'], ["'](\w+)["']""", text):
                stored = file[variable].attrs.get_id(attribute)
                assert stored.dtype.kind == "S"  # text of fixed length: not every reader knows another
            for variable, shape in re.findall(r"/(\w+).*?[%#] .*?\((\w+(?: × \w+)*)\)", text):
                axes = [dim.label or dim[0].name[1:] for dim in file[variable].dims]
                assert shape.split(" × ") == axes[::-1]  # these languages count axes from the other end
