"""Machine code of kernels from their cache, loaded and called without Numba.

An object of machine code (`emission`) serves one kernel and one set of argument types.  Its file is named by everything
that decides what is in it: kernel, argument types, versions of Python, NumPy, Numba and llvmlite, processor and its
features, Numba's settings; its folder by the contents of all kernel files (`compile`).  It begins with the digest of
what follows, and appears under its name complete or not at all.  So another source, machine or version never finds it,
and a damaged one is not loaded: the kernel is then compiled.

Arguments are handed over as 64-bit words, one for each leaf of a tree of tuples: the address of an array's object, in
which the entry finds data, shape and strides (the fields of ``PyArrayObject_fields``, whose places NumPy keeps for the
sake of all compiled extensions, and which are tried once on an array), the bits of a number, 0 for None.
"""

from collections.abc import Callable
from contextlib import suppress
import ctypes
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
import os
from pathlib import Path
import platform
import struct
import sys
from typing import Any

import numpy as np

HEAD = object.__basicsize__  # bytes before the fields of an object
_C, _F, _ALIGNED, _WRITEABLE = 0x1, 0x2, 0x100, 0x400  # of an array's flags, those that Numba's types know
_NUMBERS = {int: "i", np.int64: "i", np.uint64: "u", float: "f", np.float64: "f", bool: "b", np.bool_: "b"}
_RESULTS: dict[str, Callable[[int], Any]] = {
    "i": int,
    "u": lambda word: word % 2**64,
    "f": lambda word: struct.unpack("d", struct.pack("q", word))[0],
    "b": bool,
}

Key = tuple[Any, ...]
Call = Callable[[list[int]], Any]


class WordlessError(TypeError):
    """An argument, or a machine, whose arrays cannot be handed over as words."""


def words_of(arguments: tuple[Any, ...]) -> tuple[list[int], Key]:
    """Leaves of the arguments as words, and a key that is the same for the same types of arguments.

    Raises
    ------
    WordlessError
        If one is neither a C-level number, None, an array, nor a tuple of such.
    """
    words: list[int] = []
    key: list[Any] = []
    _spell(arguments, words, key)
    return words, tuple(key)


def _spell(values: tuple[Any, ...], words: list[int], key: list[Any]) -> None:
    for value in values:
        kind = type(value)
        if kind is np.ndarray:
            flags = value.flags.num
            words.append(id(value))
            # Numba calls an array that is contiguous in both ways C
            key += (value.dtype, value.ndim, flags & (_C if flags & _C else _F), flags & (_ALIGNED | _WRITEABLE))
        elif kind in _NUMBERS:
            number = "u" if kind is int and value >= 2**63 else _NUMBERS[kind]
            words.append(struct.unpack("q", struct.pack("d", value))[0] if number == "f" else int(value))
            key.append(number)
        elif value is None:
            words.append(0)
            key.append("n")
        elif isinstance(value, tuple):
            key += (kind, len(value))
            _spell(value, words, key)
        else:
            raise WordlessError(f"{kind} has no place among words")


@cache
def arrays_are_known() -> bool:
    """Tell whether the objects of arrays are laid out as the entries take it."""
    if struct.calcsize("P") != 8:
        return False
    probe = np.zeros((3, 5), np.int16)[:, ::2]
    data, dimensions, shape, strides = (ctypes.c_int64 * 4).from_address(id(probe) + HEAD)
    if data != probe.ctypes.data or dimensions & 0xFFFFFFFF != 2:
        return False
    pair = ctypes.c_int64 * 2
    return tuple(pair.from_address(shape)) == probe.shape and tuple(pair.from_address(strides)) == probe.strides


def name_of(kernel: Any, key: Key) -> str:
    """Name of the entry for these types in an object of machine code, and of the object's file."""
    types = [f"{part.__module__}.{part.__qualname__}" if isinstance(part, type) else repr(part) for part in key]
    fields = [getattr(part, "_fields", ()) for part in key if isinstance(part, type)]
    text = "\n".join([kernel.__module__, kernel.__qualname__, repr(fields), *types, _surroundings()])
    return f"{kernel.__name__.strip('_')}_{sha256(text.encode()).hexdigest()[:24]}"


@cache
def _surroundings() -> str:
    """All that decides what a compiler makes of a kernel, beside the kernel."""
    import llvmlite
    from llvmlite import binding

    versions = sys.implementation.cache_tag, np.__version__, llvmlite.__version__, _version_of_numba()
    features = binding.get_host_cpu_features().flatten()
    machine = platform.machine(), binding.get_process_triple(), binding.get_host_cpu_name(), features, HEAD
    settings = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_") and "CACHE" not in item[0])
    return repr((versions, machine, settings))


def _version_of_numba() -> str:
    spec = find_spec("numba")
    if spec is not None and spec.origin is not None:
        with suppress(OSError):
            return Path(spec.origin).with_name("_version.py").read_text()  # a hundredth of the time of the import below
    import numba

    return str(numba.__version__)


def read(path: Path) -> tuple[str, bytes] | None:
    """Kind of result and object in a file; None if it is not there or not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, rest = content[:32], content[32:]
    if sha256(rest).digest() != digest:
        return None
    kind, _, code = rest.partition(b"\n")
    return kind.decode(), code


def write(path: Path, kind: str, code: bytes) -> None:
    """Write what `read` finds; where that is impossible the next process compiles again."""
    rest = kind.encode() + b"\n" + code
    draft = path.with_suffix(f".{os.urandom(8).hex()}")  # several processes, perhaps of several machines, may be at it
    try:
        draft.write_bytes(sha256(rest).digest() + rest)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()


@cache
def _engine() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine()
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)


def load(name: str, kind: str, code: bytes) -> Call:
    """Make an object callable; not for two threads at once."""
    from llvmlite import binding

    engine = _engine()
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    # a foreign function that ctypes calls runs without the GIL
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(engine.get_function_address(name))
    results = [_RESULTS[number] for number in kind if number in _RESULTS]

    def call(words: list[int]) -> Any:
        block = (ctypes.c_int64 * max(1, len(words), len(results)))(*words)
        if entry(block):
            raise RuntimeError(f"the kernel {name} failed")
        if kind == "v":
            return None
        found = tuple(result(word) for result, word in zip(results, block, strict=False))
        return found if kind.startswith("(") else found[0]

    return call
