"""Where the modules of the repository lie and what they import, read from folders and sources alone."""

import ast
from pathlib import Path
import tomllib

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAPPING: dict[str, str] = PYPROJECT["tool"]["setuptools"]["package-dir"]


def python_files(folder: Path) -> list[Path]:
    """Every source below a folder, not through links: the linked folders have their own line in the mapping."""
    here = [path for path in sorted(folder.glob("*.py")) if path.is_file()]
    below = [path for path in sorted(folder.glob("*")) if path.is_dir() and not path.is_symlink()]
    return here + [file for path in below if path.name != "__pycache__" for file in python_files(path)]


def module_name(package: str, relative: Path) -> str:
    """``exact/process.py`` in ``collide`` is ``collide.exact.process``; an ``__init__.py`` is its folder."""
    parts = (package, *relative.with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def installed_modules() -> dict[str, Path]:
    """Every module that a wheel has to carry, by its installed name."""
    return {
        module_name(package, path.relative_to(ROOT / folder)): path
        for package, folder in MAPPING.items()
        for path in python_files(ROOT / folder)
    }


def scripts() -> dict[str, Path]:
    """The launching scripts, which are not installed."""
    return {module_name("runs", path.relative_to(ROOT / "runs")): path for path in python_files(ROOT / "runs")}


def imported(module: str, is_package: bool, source: str) -> list[str]:
    """Absolute dotted names of all imports in a source, also those inside functions and for type checkers only.

    ``from a.b import c`` gives ``a.b.c``, whether ``c`` is a module or a name in one.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # one dot is the package itself, each further dot the folder above
            parts = module.split(".")
            above = parts[: len(parts) - node.level + is_package] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            found += [f"{origin}.{alias.name}" for alias in node.names]
    return found
