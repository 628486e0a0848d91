"""Libraries that a process imports when it first needs them.

Half of what `import collide` cost was SciPy's solvers, which sampling does not touch: a process that loads compiled
kernels and runs a thousand trajectories would spend more time importing them than running.
"""

from importlib import import_module
from typing import Any


class _Later:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


def later(name: str) -> Any:
    """Stand for a module that is imported when something of it is first used."""
    return _Later(name)
