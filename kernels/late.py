"""Names that kernels use and only a compiler can resolve, so that nobody imports Numba to run what is compiled already.

Importing Numba takes 0.15 s of processor time, and its own cache as much again for a kernel of a hundred arrays.  A
process that finds its kernels in the cache needs neither (`machine_code`), so no module of this package imports Numba
at its top but those that only a compilation reads: `emission`, `loans` and `lane_code`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any


class Late:
    """Stands for a function of the compiler until one compiles a kernel that names it."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find
        self._found: Any = None

    @property
    def _numba_type_(self) -> Any:
        # Numba asks any object that it meets in a kernel for this attribute
        from numba.core.registry import cpu_target

        if self._found is None:
            found = self._find()
            cpu_target.typing_context.refresh()
            cpu_target.target_context.refresh()
            self._found = cpu_target.typing_context.resolve_value_type(found)
        return self._found


def intrinsic(define: Callable[..., Any]) -> Any:
    """Decorate as :func:`numba.extending.intrinsic` does, but when a kernel that names the function is compiled."""

    def find() -> Any:
        from numba.extending import intrinsic

        return intrinsic(define)

    return Late(find)


def late(module: str, name: str) -> Any:
    """Something that a module of this package defines for the compiler."""
    return Late(lambda: getattr(import_module(f".{module}", __package__), name))
