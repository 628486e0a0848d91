"""The one way a kernel is compiled, and the one place where its machine code is kept.

Numba judges a cached kernel by its own source file alone: a kernel that calls a function of another file keeps the old
callee after that file has changed, even across an upgrade of the installed package. The cache folder is therefore named
after the contents of every kernel file. Numbers that come from outside this package are passed as arguments, never read
as globals, which Numba freezes into the machine code where no fingerprint sees them.

The folder is ``<base>/collide/<fingerprint>``, its base the first of ``NUMBA_CACHE_DIR``, ``XDG_CACHE_HOME`` and
``~/.cache`` that is set. Where it cannot be written, kernels are compiled anew in every process: slower, never wrong,
never an error. Folders of former fingerprints stay until the user deletes them: another checkout may still use them.

Numba itself is imported when something is compiled, or when a kernel that may create arrays is called.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, update_wrapper
import gc
from hashlib import sha256
import inspect
import os
from pathlib import Path
import tempfile
import threading
from typing import Any

from . import machine_code

FOLDER = Path(__file__).resolve().parent


def _fingerprint() -> str:
    """Twelve hex digits that change when any kernel source changes."""
    digest = sha256()
    for path in sorted(FOLDER.rglob("*.py")):
        source = path.read_bytes()
        digest.update(f"{path.relative_to(FOLDER).as_posix()}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()[:12]


def _cache_folder() -> Path | None:
    """Where this version of the kernels is cached; None where nothing can be written."""
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(base).expanduser() / "collide" / _fingerprint()
        folder.mkdir(parents=True, exist_ok=True)
        # permission bits do not tell of a full disk or an exceeded quota, a file does
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"collide")
    except (OSError, RuntimeError):  # RuntimeError: no home directory behind the tilde
        return None
    return folder


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Leave cycles alone: Numba makes so many objects that looking for them takes a tenth of a compilation."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


CACHE = _cache_folder()
_lock = threading.RLock()


class Kernel:
    """A function that is compiled when it is first needed: for Python, or as a draft for kernels that call it."""

    def __init__(self, function: Callable[..., Any], settings: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self.py_func, self.targetoptions = function, settings

    @cached_property
    def inner(self) -> Any:
        """What other kernels call."""
        from .emission import Inner

        return Inner(self.py_func, self.targetoptions)

    @property
    def _numba_type_(self) -> Any:
        return self.inner._numba_type_

    def __call__(self, *arguments: Any) -> Any:
        """Refuse: Python has no address of a tuple, and no lanes, to call it with."""
        raise TypeError(f"{self.py_func.__name__} can only be called by kernels: write a kernel that does")

    @property
    def signatures(self) -> list[Any]:
        """Types of arguments for which it has been compiled or loaded in this process."""
        return list(self.inner.overloads) if "inner" in self.__dict__ else []


class Outer(Kernel):
    """A kernel that Python may call as well: compiled and cached by Numba."""

    @cached_property
    def outer(self) -> Any:
        """What Python calls."""
        from numba import njit
        import numba.core.config

        from . import emission  # noqa: F401  # what kernels name must be known before one of them is typed

        config: Any = numba.core.config  # its settings are made at run time, so no type checker knows them
        with _lock:
            # Numba chooses the place when it decorates, so the global setting is changed for this moment only.
            before, config.CACHE_DIR = config.CACHE_DIR, str(CACHE or "")
            try:
                return njit(cache=CACHE is not None, **self.targetoptions)(self.py_func)
            finally:
                config.CACHE_DIR = before

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run."""
        return self.outer(*arguments, **named)

    @property
    def signatures(self) -> list[Any]:
        """The same; what Python and what kernels call are compiled by themselves."""
        return [*super().signatures, *(self.outer.signatures if "outer" in self.__dict__ else [])]

    @property
    def stats(self) -> Any:
        """What Numba counts of its cache."""
        return self.outer.stats


class Borrower(Outer):
    """A kernel that creates no array, and so needs nothing of Numba when it runs."""

    def __init__(self, function: Callable[..., Any], settings: dict[str, Any]) -> None:
        super().__init__(function, settings)
        self._calls: dict[Any, Any] = {}

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run."""
        if named or len(arguments) != self.py_func.__code__.co_argcount:
            bound = inspect.signature(self.py_func).bind(*arguments, **named)
            bound.apply_defaults()
            arguments = bound.args
        try:
            words, key = machine_code.words_of(arguments)
        except machine_code.WordlessError:
            return self.outer(*arguments)
        call = self._calls.get(key)
        if call is None:
            with _lock:
                call = self._calls.get(key) or self._call_for(arguments, key)
                self._calls[key] = call
        return call(words) if call is not self else self.outer(*arguments)

    def _call_for(self, arguments: tuple[Any, ...], key: Any) -> Any:
        """Machine code for these types of arguments, loaded or made; this kernel itself where only Numba can do it."""
        if not machine_code.arrays_are_known():
            return self
        name = machine_code.name_of(self.py_func, key)
        path = CACHE / f"{name}.code" if CACHE and self._is_fingerprinted() else None
        found = machine_code.read(path) if path else None
        if found is None:
            with _without_garbage_collection():
                from .emission import emit

                found = emit(self.inner, arguments, name, machine_code.HEAD)
            if path:
                machine_code.write(path, *found)
        kind, code = found
        return machine_code.load(name, kind, code) if kind else self

    def _is_fingerprinted(self) -> bool:
        """Tell whether the name of the folder tells of everything that the source says."""
        code = self.py_func.__code__
        return Path(code.co_filename).resolve().is_relative_to(FOLDER) and not code.co_freevars

    @property
    def signatures(self) -> list[Any]:
        """The same."""
        return [*self._calls, *super().signatures]


def kernel(function: Callable[..., Any] | None = None, kind: type[Kernel] = Outer, **options: Any) -> Any:
    """Compile with Numba in nopython mode, cached in ``CACHE`` where there is one.

    Two options differ from Numba's own defaults:

    * ``nogil=True``: the threads of an ensemble are Python threads, each inside one call for a chunk of trajectories.
    * ``error_model="numpy"``: a division by zero gives inf or nan, as in NumPy. With Python's model every division
      carries a branch that raises, and loops that contain one are not vectorised.

    ``fastmath`` is refused. It lets the compiler reorder sums according to the vector width of the processor, so the
    same program, seed and ids would no longer give the same bits on another machine.

    Parameters
    ----------
    function
        What to compile; without it, a decorator that takes ``options``.
    kind
        Who calls it, and how.
    **options
        Passed on to :func:`numba.njit`, for example ``inline="always"``.

    Raises
    ------
    ValueError
        If ``fastmath`` is asked for.
    """
    if options.get("fastmath"):
        raise ValueError("`fastmath` lets the bits of a result depend on the processor: compile the kernel without it.")
    if function is None:
        return lambda f: kernel(f, kind, **options)
    return kind(function, {"nogil": True, "error_model": "numpy"} | options)
