"""What is installed: the modules of the repository under their installed names, and nothing beside them."""

import hashlib
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tarfile
import tomllib
from typing import NamedTuple
import zipfile

import pytest

from layout import MAPPING, PYPROJECT, ROOT, installed_modules

NOT_SOURCES = shutil.ignore_patterns(".*", "build", "dist", "output", "*.egg-info", "__pycache__", "*.h5*")


class Distribution(NamedTuple):
    """The sdist, the wheel built from it, and a wheel built from the tree itself."""

    sdist: Path
    wheel: Path
    wheel_of_tree: Path


def build(source: Path, target: Path, kind: str) -> Path:
    """Build one archive with the setuptools of this environment, so that no network is needed."""
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(target), str(source)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (archive,) = target.iterdir()
    return archive


def copied_tree(target: Path) -> Path:
    """The sources with their links, at a place where a build may leave its traces."""
    shutil.copytree(ROOT, target, symlinks=True, ignore=NOT_SOURCES)
    return target


def distribution_of(tree: Path, place: Path) -> Distribution:
    """Build all three archives of a tree."""
    sdist = build(tree, place / "sdist", "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(place / "unpacked", filter="data")
    (unpacked,) = (place / "unpacked").iterdir()
    return Distribution(sdist, build(unpacked, place / "wheel", "wheel"), build(tree, place / "wheel_of_tree", "wheel"))


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    place = tmp_path_factory.mktemp("distribution")
    return distribution_of(copied_tree(place / "tree"), place)


def digests(wheel: Path) -> dict[str, str]:
    """The contents of a wheel by path; its RECORD only repeats them."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/RECORD")]
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}


def expected_in_wheel() -> set[str]:
    """Every module that lies in the mapped folders, at its installed place, and the marker of typed packages."""
    files = {
        f"{package.replace('.', '/')}/{path.relative_to(ROOT / folder).as_posix()}"
        for package, folder in MAPPING.items()
        for path in installed_modules().values()
        if path.is_relative_to(ROOT / folder)
    }
    return files | {"collide/py.typed"}


def test_table_of_packages_equals_folders() -> None:
    folders = {name for name, path in installed_modules().items() if path.name == "__init__.py"}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == folders


def test_every_folder_with_modules_is_a_package() -> None:
    assert not [path for path in installed_modules().values() if not (path.parent / "__init__.py").exists()]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an sdist carries no links and needs none")
def test_links_point_to_mapped_folders() -> None:
    for package, folder in MAPPING.items():
        link = ROOT.joinpath(*package.split("."))
        assert link.resolve() == ROOT / folder


def test_wheel_holds_exactly_the_modules(distribution: Distribution) -> None:
    names = set(digests(distribution.wheel))
    metadata = {name for name in names if name.startswith(f"qcollide-{PYPROJECT['project']['version']}.dist-info/")}
    assert names - metadata == expected_in_wheel()
    assert any(name.endswith("/licenses/LICENSE") for name in metadata)


def test_wheel_of_sdist_equals_wheel_of_tree(distribution: Distribution) -> None:
    assert digests(distribution.wheel) == digests(distribution.wheel_of_tree)


MADE = {"output", "results", ".venv-peers", "__pycache__"}  # folders that scripts make, never part of a distribution


def test_sdist_carries_tests_and_scripts(distribution: Distribution) -> None:
    with tarfile.open(distribution.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in ("tests", "runs", "benchmarks", "docs")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".h5"} and MADE.isdisjoint(path.parts)
    }
    assert wanted | {"pyproject.toml", "Makefile", "CHANGELOG.md", "LICENSE", "README.md"} <= names
    assert not [name for name in names if name.endswith((".pyc", ".h5")) or not MADE.isdisjoint(name.split("/"))]


def test_installed_package_works_alone(distribution: Distribution, tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile", "--quiet"]
    subprocess.run([*command, "--target", str(site), str(distribution.wheel)], check=True)
    metadata = f"qcollide-{PYPROJECT['project']['version']}.dist-info"
    assert {path.name for path in site.iterdir()} == {"collide", metadata, "bin"}

    script = "\n".join(
        [
            "from importlib import import_module, metadata",
            f"for name in {sorted(installed_modules())!r}:",
            "    print(import_module(name).__file__)",
            "(entry,) = metadata.distribution('qcollide').entry_points.select(name='collide')",
            "assert callable(entry.load())",
        ]
    )
    answer = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env=os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert all(Path(line).is_relative_to(site) for line in answer.stdout.split("\n") if line)


def test_forgotten_package_is_found(tmp_path: Path) -> None:
    # the fault that nobody notices in an editable install: a new folder that the table of packages does not name
    tree = copied_tree(tmp_path / "tree")
    table = (tree / "pyproject.toml").read_text()
    (tree / "pyproject.toml").write_text(table.replace('    "collide.analysis.papers",\n', ""))
    assert tomllib.loads((tree / "pyproject.toml").read_text()) != PYPROJECT
    missing = expected_in_wheel() - set(digests(build(tree, tmp_path / "wheel", "wheel")))
    assert "collide/analysis/papers/__init__.py" in missing


def test_this_folder_is_not_imported_by_its_own_name() -> None:
    command = [sys.executable, "-c", "import kernels"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "this folder is imported as collide.kernels, not as kernels" in answer.stderr
