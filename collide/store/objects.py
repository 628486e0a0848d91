"""HDF5's objects by h5py's low-level interface.

A file has about a hundred small arrays and as many attributes.  The comfortable interface takes a few times as long for
each of them, which is felt in a run of some thousand trajectories.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import h5py
from h5py import h5a, h5d, h5p, h5s, h5t
from h5py.h5d import DatasetID
from h5py.h5g import GroupID
import numpy as np

from collide.records import Array

_STRING = h5py.string_dtype()
_TEXT, _OBJECT = h5t.py_create(_STRING, logical=True), h5t.py_create(_STRING)  # in the file; in Python
_kind = cache(h5t.py_create)
_space = cache(h5s.create_simple)


def _creation() -> Any:
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_layout(h5d.CONTIGUOUS)
    plist.set_obj_track_times(False)  # when a file was made is provenance, and told there
    return plist


_PLAIN, _RESERVED = _creation(), _creation()
_RESERVED.set_alloc_time(h5d.ALLOC_TIME_EARLY)
_RESERVED.set_fill_time(h5d.FILL_TIME_NEVER)


def new_file(path: Path) -> h5py.File:
    """An empty file; its objects are listed in the order of their creation, and their headers lie together."""
    return h5py.File(path, "w", track_order=True, meta_block_size=1 << 16)


@cache
def _letters(nbytes: int) -> h5t.TypeID:
    """Text of a fixed length: what netCDF calls characters, and every reader understands."""
    kind = h5t.C_S1.copy()
    kind.set_size(nbytes)
    kind.set_strpad(h5t.STR_NULLPAD)
    kind.set_cset(h5t.CSET_UTF8)
    return kind


def set_attributes(owner: DatasetID | GroupID, values: Mapping[str, Any]) -> None:
    """Give attributes to a group or variable that does not have them yet: texts, numbers, NumPy scalars."""
    for name, value in values.items():
        array = np.asarray(value.encode() if isinstance(value, str) else value)
        kind = _letters(array.itemsize) if isinstance(value, str) else _kind(array.dtype)
        h5a.create(owner, name.encode(), kind, _space(array.shape)).write(array, kind)


def text(stored: Any) -> str:
    """A text attribute as h5py gives it."""
    return stored.decode() if isinstance(stored, bytes) else str(stored)


def add_array(group: GroupID, name: str, values: Array) -> DatasetID:
    """A variable that holds an array of numbers from the beginning."""
    kind = _kind(values.dtype)
    made = h5d.create(group, name.encode(), kind, _space(values.shape), _PLAIN)
    if values.size:
        made.write(h5s.ALL, h5s.ALL, values, kind)
    return made


def add_text(group: GroupID, name: str, words: "str | list[str]") -> DatasetID:
    """A variable that holds a text, or a list of texts."""
    values = np.array(words, dtype=_STRING)
    made = h5d.create(group, name.encode(), _TEXT, _space(values.shape), _PLAIN)
    made.write(h5s.ALL, h5s.ALL, values, _OBJECT)
    return made


def add_axis(group: GroupID, name: str, n: int) -> DatasetID:
    """A variable that never gets values: netCDF-4's form of an axis without coordinates."""
    return h5d.create(group, name.encode(), h5t.IEEE_F32LE, _space((n,)), _PLAIN)


def reserve(group: GroupID, name: str, shape: tuple[int, ...], dtype: "np.dtype[Any]") -> DatasetID:
    """A variable without values, whose place in the file is settled at once and never moves."""
    return h5d.create(group, name.encode(), _kind(dtype), _space(shape), _RESERVED)
