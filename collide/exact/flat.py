"""A process as flat arrays and back: how a resolved model travels in a file, and is judged without its script."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.exact.methods import ExactMethods
from collide.exact.process import CountTable, Element, Flow, Instrument, Load, Process, Sparse, Unitary
from collide.exact.stacked import SparseStack

Arrays = dict[str, NDArray[Any]]

KINDS = ("unitary", "instrument", "flow")
NO_TIME = np.nan


def flatten(process: Process) -> Arrays:
    """Everything in a process, as arrays with telling names: ``element.0.op.2.data``, ``counts.quantum``, ..."""
    out: Arrays = {
        "dims": np.array(process.dims, dtype=np.int64),
        "tau": np.array([NO_TIME if process.tau is None else process.tau]),
        "element.kind": np.array([KINDS.index(_kind(e)) for e in process.elements], dtype=np.int64),
        "counts.baths": _text(process.counts.baths),
        "counts.beta": process.counts.beta,
        "counts.bath": process.counts.bath,
        "counts.quantum": process.counts.quantum,
        "counts.charge": process.counts.charge,
        "counts.entropy": process.counts.entropy,
        "load.bath": np.array([load.bath for load in process.loads], dtype=np.int64),
    }
    _put(out, "H", process.H)
    for k, load in enumerate(process.loads):
        _put(out, f"load.{k}.energy", load.energy)
    for k, element in enumerate(process.elements):
        _flatten_element(out, f"element.{k}", element)
    return out


def unflatten(arrays: Mapping[str, NDArray[Any]]) -> Process:
    """Inverse of `flatten`."""
    counts = CountTable(
        baths=_words(arrays["counts.baths"]),
        **{name: np.asarray(arrays[f"counts.{name}"]) for name in ("beta", "bath", "quantum", "charge", "entropy")},
    )
    loads = tuple(
        Load(int(bath), unflatten_operator(arrays, f"load.{k}.energy")) for k, bath in enumerate(arrays["load.bath"])
    )
    elements = tuple(
        _unflatten_element(arrays, f"element.{k}", KINDS[int(kind)]) for k, kind in enumerate(arrays["element.kind"])
    )
    dims = tuple(int(k) for k in arrays["dims"])
    return Process(dims, unflatten_operator(arrays, "H"), elements, counts, _time(arrays["tau"]), loads)


class StoredModel(ExactMethods):
    """A model read back from arrays: it has the exact methods of the one that was stored.

    Parameters
    ----------
    arrays : mapping of arrays
        As `flatten` makes them.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.process = unflatten(arrays)


def _kind(element: Element) -> str:
    return type(element).__name__.lower()


def _flatten_element(out: Arrays, name: str, element: Element) -> None:
    if isinstance(element, Unitary):
        _put(out, f"{name}.matrix", element.matrix)
        out[f"{name}.sites"] = np.array(element.sites, dtype=np.int64)
    elif isinstance(element, Instrument):
        out[f"{name}.sites"] = np.array(element.sites, dtype=np.int64)
        for part in ("counts", "prior", "first", "last"):
            out[f"{name}.{part}"] = getattr(element, part)
        if isinstance(element.kraus, SparseStack):
            _put(out, f"{name}.kraus", element.kraus.flat)
        else:
            out[f"{name}.kraus"] = element.kraus
    else:
        _put(out, f"{name}.H", element.H)
        for k, op in enumerate(element.ops):
            _put(out, f"{name}.op.{k}", op)
        out[f"{name}.counts"], out[f"{name}.load"] = element.counts, element.load
        out[f"{name}.duration"] = np.array([NO_TIME if element.duration is None else element.duration])


def _unflatten_element(arrays: Mapping[str, NDArray[Any]], name: str, kind: str) -> Element:
    if kind == "unitary":
        sites = tuple(int(i) for i in arrays[f"{name}.sites"]) if f"{name}.sites" in arrays else ()
        return Unitary(unflatten_operator(arrays, f"{name}.matrix"), sites)
    if kind == "instrument":
        parts = {part: np.asarray(arrays[f"{name}.{part}"]) for part in ("counts", "prior", "first", "last")}
        return Instrument(tuple(int(i) for i in arrays[f"{name}.sites"]), _kraus(arrays, f"{name}.kraus"), **parts)
    counts = np.asarray(arrays[f"{name}.counts"])
    ops = tuple(unflatten_operator(arrays, f"{name}.op.{k}") for k in range(len(counts)))
    load, duration = np.asarray(arrays[f"{name}.load"]), _time(arrays[f"{name}.duration"])
    return Flow(unflatten_operator(arrays, f"{name}.H"), ops, counts, load, duration)


def _kraus(arrays: Mapping[str, NDArray[Any]], name: str) -> Any:
    """Kraus operators, dense or sparse as they were stored."""
    if name in arrays:
        return np.asarray(arrays[name])
    flat = unflatten_operator(arrays, name)
    return SparseStack(flat, round(flat.shape[1] ** 0.5))


def _put(out: Arrays, name: str, matrix: Sparse) -> None:
    csr = matrix if isinstance(matrix, sp.csr_array) else sp.csr_array(matrix)
    out[f"{name}.data"], out[f"{name}.shape"] = csr.data.astype(complex), np.array(csr.shape, dtype=np.int64)
    out[f"{name}.indices"], out[f"{name}.indptr"] = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)


def unflatten_operator(arrays: Mapping[str, NDArray[Any]], name: str) -> Sparse:
    """One operator of a flattened process by its name, such as "H"."""
    parts = tuple(np.asarray(arrays[f"{name}.{part}"]) for part in ("data", "indices", "indptr"))
    rows, columns = (int(k) for k in arrays[f"{name}.shape"])
    return sp.csr_array(parts, shape=(rows, columns))


def _time(stored: NDArray[Any]) -> float | None:
    value = float(np.asarray(stored).reshape(-1)[0])
    return None if np.isnan(value) else value


def _text(words: tuple[str, ...]) -> NDArray[np.uint8]:
    """Names as bytes, one line each: arrays in a file are numbers only."""
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8).copy()


def _words(stored: NDArray[Any]) -> tuple[str, ...]:
    text = np.asarray(stored, dtype=np.uint8).tobytes().decode()
    return tuple(text.split("\n")) if text else ()
