"""The floors of the house: no import runs from a lower floor to a higher one, and none in a circle."""

from collections.abc import Callable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
import sys

import pytest

from layout import imported, installed_modules, scripts

# from the ground up; a name stands for the module or package collide.<name> and everything in it
FLOORS = [
    {"kernels", "records", "exact", "operators", "baths", "channels", "exchange", "gates", "later"},
    {"balance", "encounters", "weak_limit", "lindblad", "collision", "store"},
    {
        "machines",
        "program",
        "compile_collisions",
        "compile_events",
        "compile_flows",
        "compile_jumps",
        "compile_wide",
        "blocks",
        "frame",
        "gauge",
        "gauge_wide",
        "protocol",
        "quadrature",
        "outcomes",
        "ends",
        "engines",
        "explanation",
        "ledger",
        "replay",
    },
    {"ensemble"},
    {"analysis"},
    # the facade `collide` re-exports all of the above, so a module below that imports from it closes a circle
    {"collide", "cli", "__main__", "runs"},
]
IN_KERNELS = {"numpy", "numba", "llvmlite"} | sys.stdlib_module_names

Graph = dict[str, list[str]]
Check = Callable[[Graph], Iterable[str]]


def room(module: str) -> str:
    """The name under which a module stands in ``FLOORS``."""
    top, *below = module.split(".")
    return below[0] if top == "collide" and below else top


def floor(module: str) -> int:
    """Count from the ground floor, 0; a module that nobody placed is an error that says what to do."""
    for height, rooms in enumerate(FLOORS):
        if room(module) in rooms:
            return height
    raise LookupError(f"{module} stands on no floor: place `{room(module)}` in FLOORS of {__name__}.")


def resolve(name: str, modules: set[str]) -> str:
    """The deepest module that a dotted name reaches: ``collide.records.Field`` is in ``collide.records``."""
    while name not in modules and "." in name:
        name = name.rpartition(".")[0]
    return name


def graph_of(sources: dict[str, tuple[bool, str]]) -> Graph:
    """What each module imports; ``sources`` gives (is a package, source text) by module name."""
    modules = set(sources)
    return {
        module: [resolve(name, modules) for name in imported(module, is_package, source)]
        for module, (is_package, source) in sources.items()
    }


def upward(graph: Graph) -> Iterator[str]:
    """Every import that climbs."""
    for module, targets in graph.items():
        for target in targets:
            if target in graph and floor(target) > floor(module):
                yield f"{module} -> {target}"


def foreign_to_kernels(graph: Graph) -> Iterator[str]:
    """Every import of a kernel that is neither a kernel, nor NumPy, Numba or the standard library."""
    for module, targets in graph.items():
        if room(module) == "kernels":
            for target in targets:
                if room(target) != "kernels" and target.partition(".")[0] not in IN_KERNELS:
                    yield f"{module} -> {target}"


def by_folder_name(graph: Graph) -> Iterator[str]:
    """Every import of ``kernels`` or ``analysis`` by the name of the folder, which is not the name of the package."""
    for module, targets in graph.items():
        for target in targets:
            if target.partition(".")[0] in {"kernels", "analysis"}:
                yield f"{module} -> {target}"


def circle(graph: Graph) -> list[str]:
    """One circle of imports, closed; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The imports of the whole repository."""
    files = installed_modules() | scripts()
    assert {"collide.kernels.compile", "collide.exact.process"} <= files.keys()  # the walk went through the mapping
    return graph_of({name: (path.name == "__init__.py", path.read_text()) for name, path in files.items()})


def test_no_import_climbs(graph: Graph) -> None:
    assert not list(upward(graph))


def test_every_module_has_a_floor(graph: Graph) -> None:
    assert [floor(module) for module in graph]


def test_kernels_import_nothing_from_above(graph: Graph) -> None:
    assert not list(foreign_to_kernels(graph))


def test_folders_are_imported_by_their_installed_name(graph: Graph) -> None:
    assert not list(by_folder_name(graph))


def test_imports_run_in_no_circle(graph: Graph) -> None:
    assert not circle(graph)


def test_machines_use_public_constructors_only(graph: Graph) -> None:
    machines = {module: path for module, path in installed_modules().items() if room(module) == "machines"}
    names = [
        f"{module} -> {name}"
        for module, path in machines.items()
        for name in imported(module, path.name == "__init__.py", path.read_text())
        if name.startswith("collide.") and not name.startswith("collide.machines.")
    ]
    inner = ("collide.kernels", "collide.program", "collide.records", "collide.store")
    assert not [name for name in names if "._" in name or name.split(" -> ")[1].startswith(inner)]


# Each check meets its fault, so that a green result above means something.

HEALTHY = {
    "collide": (True, "from collide.ensemble import run"),
    "collide.kernels": (True, ""),
    "collide.kernels.jump": (False, "import numpy as np\nfrom .philox import draw\nfrom numba import types"),
    "collide.kernels.philox": (False, "import os.path"),
    "collide.records": (False, ""),
    "collide.exact": (True, "from .process import Process"),
    "collide.exact.process": (False, "from ..records import Field\nfrom collide import records"),
    "collide.ensemble": (False, "from collide.exact import Process\nimport collide.kernels.jump"),
    "runs.demo": (False, "import collide"),
}

FAULTS = {
    "a lower floor imports a higher": ("collide.records", "from collide.ensemble import run", upward),
    "the same, relative": ("collide.exact.process", "from ..ensemble import run", upward),
    "the same, inside a function": ("collide.records", "def f():\n    import collide.ensemble", upward),
    "the same, through the facade": ("collide.records", "from collide import run", upward),
    "a module imports a script": ("collide.ensemble", "import runs.demo", upward),
    "a kernel imports from above": ("collide.kernels.jump", "from collide.records import Field", foreign_to_kernels),
    "the same, relative ": ("collide.kernels.jump", "from .. import records", foreign_to_kernels),
    "a kernel opens files": ("collide.kernels.jump", "import h5py", foreign_to_kernels),
    "the folder's name": ("collide.ensemble", "from kernels.philox import draw", by_folder_name),
    "a circle on one floor": ("collide.records", "from .exact.process import Process", circle),
}


@pytest.mark.parametrize("check", [upward, foreign_to_kernels, by_folder_name, circle])
def test_healthy_imports_pass(check: Check) -> None:
    assert not list(check(graph_of(HEALTHY)))


@pytest.mark.parametrize(("module", "source", "check"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_fault_is_found(module: str, source: str, check: Check) -> None:
    sick = HEALTHY | {module: (HEALTHY[module][0], source)}
    found = list(check(graph_of(sick)))
    assert any(module in fault for fault in found)


def test_module_without_floor_is_named() -> None:
    with pytest.raises(LookupError, match=r"collide\.attic stands on no floor: place `attic`"):
        list(upward(graph_of({"collide.attic": (False, "import collide"), "collide": (True, "")})))
