"""The one way a kernel is compiled, and the one place where its machine code is kept.

Numba judges a cached kernel by its own source file alone: a kernel that calls a function of another file keeps the old
callee after that file has changed, even across an upgrade of the installed package. The cache folder is therefore named
after the contents of every kernel file. Numbers that come from outside this package are passed as arguments, never read
as globals, which Numba freezes into the machine code where no fingerprint sees them.

The folder is ``<base>/collide/<fingerprint>``, its base the first of ``NUMBA_CACHE_DIR``, ``XDG_CACHE_HOME`` and
``~/.cache`` that is set. Where it cannot be written, kernels are compiled anew in every process: slower, never wrong,
never an error. Folders of former fingerprints stay until the user deletes them: another checkout may still use them.
"""

from collections.abc import Callable
from hashlib import sha256
import os
from pathlib import Path
import tempfile
from typing import Any

from numba import njit
import numba.core.config

config: Any = numba.core.config  # its settings are made at run time, so no type checker knows them


def _fingerprint() -> str:
    """Twelve hex digits that change when any kernel source changes."""
    folder = Path(__file__).resolve().parent
    digest = sha256()
    for path in sorted(folder.rglob("*.py")):
        source = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()[:12]


def _cache_folder() -> Path | None:
    """Where this version of the kernels is cached; None where nothing can be written."""
    base = config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(base).expanduser() / "collide" / _fingerprint()
        folder.mkdir(parents=True, exist_ok=True)
        # permission bits do not tell of a full disk or an exceeded quota, a file does
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"collide")
    except (OSError, RuntimeError):  # RuntimeError: no home directory behind the tilde
        return None
    return folder


CACHE = _cache_folder()


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
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
        return lambda f: kernel(f, **options)
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy"} | options
    # Numba chooses the place when it decorates, so the global setting is changed for this moment only.
    before, config.CACHE_DIR = config.CACHE_DIR, str(CACHE or "")
    try:
        return njit(cache=CACHE is not None, **settings)(function)
    finally:
        config.CACHE_DIR = before
