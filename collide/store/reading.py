"""Reading a file back: what it says about itself, and one sentence where it makes no sense."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
import json
from pathlib import Path

import h5py
import numpy as np

from collide.records import Array, Field, Fields, Grid

from .layout import FORMAT, Names
from .objects import text
from .plan import Plan, StoredProgram

# what a file holds beside the records, all of it one number for each chunk but the last
BOOKKEEPING = ("done", "checksum", "provenance/chunk_seconds", "provenance/wall_time")


class StoreError(RuntimeError):
    """A file is not what it should be; nothing was changed."""


@dataclass(frozen=True)
class Header:
    """What a file says about itself.

    Attributes
    ----------
    plan : Plan
    names : Names
    entries : int or None
        Number of ragged entries, None while they are in the journal.
    packed : bool
    offsets : dict
        Byte at which each contiguous variable begins.
    provenance : dict
    """

    plan: Plan
    names: Names
    entries: int | None
    packed: bool
    offsets: dict[str, int]
    provenance: dict[str, str]


def open_hdf5(path: Path) -> h5py.File:
    """Open a file of ours for reading.

    Raises
    ------
    FileNotFoundError, PermissionError, StoreError
        In one sentence.
    """
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist.") from None
    except IsADirectoryError:
        raise StoreError(f"{path} is a folder, not a file of collide.") from None
    except PermissionError:
        raise PermissionError(f"{path} cannot be read: permission denied.") from None
    except BlockingIOError:
        raise StoreError(f"{path} is open for writing in another program: close it there first.") from None
    except OSError as error:
        why = "is damaged or cut short" if h5py.is_hdf5(path) else "is not an HDF5 file"
        raise StoreError(f"{path} {why} ({str(error).split('(')[-1].rstrip(')')}).") from None
    try:
        with damage(path):
            ours = "collide_format" in file.attrs
        if not ours:
            raise StoreError(f"{path} is an HDF5 file, but holds no run of collide.")
    except StoreError:
        file.close()
        raise
    return file


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn whatever HDF5 and h5py raise when they meet nonsense in a file into one sentence."""
    try:
        yield
    except StoreError:
        raise
    except (OSError, RuntimeError, KeyError, AttributeError, ValueError, TypeError) as error:
        raise StoreError(f"{path} is damaged ({' '.join(str(error).split())}).") from error


def read_program(file: h5py.File) -> StoredProgram:
    """Read back what `write_program` wrote."""
    group = file["program"]
    return StoredProgram(
        text(group.attrs["kind"]),
        _read_arrays(group["arrays"]),
        json.loads(group["meta"].asstr()[()]),
        text(group.attrs["identity"]),
        _read_arrays(file.get("model", {})),
    )


def read_header(path: Path, plan: Plan | None = None) -> Header:
    """Read all of a file but its records; its plan is not read again where it is known.

    Raises
    ------
    StoreError
        If the file holds no ensemble, was written by a later version, or is damaged.
    """
    with open_hdf5(path) as file, damage(path):
        if "ntraj" not in file.attrs:
            raise StoreError(
                f"{path} holds a compiled program but no trajectories: run it first (`collide run {path} …`)."
            )
        if int(file.attrs["collide_format"]) > FORMAT:
            raise StoreError(
                f"{path} was written by a later version of collide ({text(file.attrs['source'])}): upgrade to read it."
            )
        return header_of(file, plan or _read_plan(file))


def _read_plan(file: h5py.File) -> Plan:
    attrs = file.attrs
    grid = Grid(*(int(attrs[key]) for key in ("ntraj", "chunk_size", "first_chunk", "last_chunk")))
    fields = Fields.fromdict(json.loads(text(attrs["schema"])))
    return Plan(read_program(file), fields, int(attrs["seed"]), grid, file["time"][()])


def header_of(file: h5py.File, plan: Plan) -> Header:
    """What an open file says about itself, given its plan."""
    fields = plan.fields
    entries = len(file["event"]) if "event" in file else None
    variables = [f.name for f in (*fields.columns, *fields.partials, *(fields.ragged if entries is not None else ()))]
    offsets = {}
    for name in (*variables, *BOOKKEEPING):
        offset = h5py.h5d.open(file.id, name.encode()).get_offset()
        if offset is not None:
            offsets[name] = int(offset)
    provenance = {k: text(v) for k, v in file["provenance"].attrs.items()}
    packed = not any(f.name in offsets for f in (*fields.columns, *fields.partials))  # in blocks: in no single place
    names = Names(text(file.attrs["run"]), text(file.attrs["journal"]))
    return Header(plan, names, entries, packed, offsets, provenance)


def _read_arrays(group: Mapping[str, h5py.Dataset]) -> dict[str, Array]:
    for name in group:
        if not isinstance(name, str):  # h5py's answer to a name that is no text
            raise ValueError(f"there is an array called {name!r}")
    return {name: _read_array(stored) for name, stored in group.items()}


def _read_array(stored: h5py.Dataset) -> Array:
    value = np.asarray(stored[()])
    if not len(stored.attrs):
        return value
    dtype = np.dtype(text(stored.attrs["dtype"]))
    if dtype.kind == "c":
        return Field(stored.name, dtype.str, (), (), "", "").from_disk(value)
    return value.astype(dtype)
