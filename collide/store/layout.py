"""The file's layout: HDF5 that is netCDF-4 as well.

Root group: one variable per column (`trajectory`, …), one per partial sum (`chunk`, …), the flat ragged columns
(`event`, …) once the run is complete, `done` and `checksum` per chunk, and coordinates.  Subgroups: `program` (the
seam's arrays and its `meta` as JSON), `model` (what else the model is made of), `provenance` (versions and times, and
nothing about the host).

While a run is under way every variable is contiguous and has its final size, and its place is claimed: rows are then
written where HDF5 says they lie, so that no metadata of HDF5 ever changes and no kill can damage it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
import json
import platform
from secrets import token_hex
from typing import Any

import h5py
import numpy as np

from collide.records import Array, Field

from .plan import Plan, StoredProgram

FORMAT = 1
NOT_RUN = 255  # value of `status` in rows whose chunk is not done
_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."  # netCDF-4's own marker
_PACKAGES = ("qcollide", "numpy", "numba", "scipy", "h5py")


@dataclass(frozen=True)
class Names:
    """Random names, 32 hexadecimal digits each, that tell files with the same plan from one another.

    Attributes
    ----------
    run : str
        Of this file: readers notice by it that a file was replaced.
    events : str
        Of the journal that belongs to it: kept when the file is laid out anew.
    """

    run: str
    events: str

    @classmethod
    def new(cls, events: str | None = None) -> "Names":
        """New names; the journal's may be kept."""
        return cls(token_hex(16), events or token_hex(16))


def write_layout(file: h5py.File, plan: Plan, names: Names, *, entries: int | None, packed: bool) -> None:
    """Write everything but the records into a new file.

    Parameters
    ----------
    file : h5py.File
        Open for writing, empty.
    plan : Plan
    names : Names
    entries : int or None
        Total number of ragged entries; None while it is unknown.
    packed : bool
        Compressed variables instead of contiguous ones.
    """
    _write_attributes(file, plan, names)
    scales = _write_dimensions(file, plan, entries)
    make = _packed_variable if packed else _contiguous_variable
    for f in plan.fields.columns:
        _describe(make(file, f, plan.grid.rows), f, ("trajectory", *f.disk_dims), scales)
    for f in plan.fields.partials:
        _describe(make(file, f, plan.grid.nchunks), f, ("chunk", *f.disk_dims), scales)
    if entries is not None:
        for f in plan.fields.ragged:
            _describe(make(file, f, entries), f, ("event", *f.disk_dims), scales)
    if plan.fields.ragged:
        file["row_size"].attrs["sample_dimension"] = "event"  # CF: contiguous ragged array representation
    _write_bookkeeping(file, scales)
    _write_status(file)
    write_program(file, plan.program)
    _write_provenance(file, scales)


def _write_attributes(file: h5py.File, plan: Plan, names: Names) -> None:
    grid = plan.grid
    file.attrs.update(
        {
            "Conventions": "CF-1.11",
            "title": "ensemble of quantum trajectories",
            "source": f"collide {_version('qcollide')}",
            "collide_format": np.int32(FORMAT),
            "run": names.run,
            "journal": names.events,
            "identity": plan.program.identity,
            "seed": np.uint64(plan.seed),
            "ntraj": np.int64(grid.ntraj),
            "chunk_size": np.int64(grid.size),
            "first_chunk": np.int64(grid.first),
            "last_chunk": np.int64(grid.last),
            "first_trajectory": np.int64(grid.start),
            "schema": json.dumps(plan.fields.asdict()),
        }
    )


def _write_dimensions(file: h5py.File, plan: Plan, entries: int | None) -> dict[str, h5py.Dataset]:
    """One dimension scale per axis; it carries the names along the axis where there are any."""
    lengths: dict[str, int] = {"trajectory": plan.grid.rows, "chunk": plan.grid.nchunks, "time": len(plan.tlist)}
    if entries is not None:
        lengths["event"] = entries
    for f in (*plan.fields.columns, *plan.fields.partials, *plan.fields.ragged):
        for name, n in zip(f.disk_dims, f.disk_shape, strict=True):
            if lengths.setdefault(name, n) != n:
                raise ValueError(f"axis {name!r} has length {lengths[name]}, but {n} in field {f.name!r}.")
    labels: dict[str, Any] = {**plan.coords, "ri": ["real", "imag"]}
    scales = {}
    for number, (name, n) in enumerate(lengths.items()):
        if name == "time":
            scale = file.create_dataset(name, data=plan.tlist.astype("<f8"))
            scale.attrs.update({"units": "1/ω", "long_name": "time"})
        elif n and len(labels.get(name, ())) == n:
            words = labels[name]
            given = (
                np.array(words)
                if isinstance(words[0], int)
                else np.array(list(map(str, words)), dtype=h5py.string_dtype())
            )
            scale = file.create_dataset(name, data=given)
            scale.attrs["long_name"] = f"names along axis {name}"
        else:
            scale = file.create_dataset(name, shape=(n,), dtype="<f4", track_times=False)
            scale.make_scale(f"{_NO_VARIABLE}{n:10d}")
        if not h5py.h5ds.is_scale(scale.id):
            scale.make_scale(name)
        scale.attrs["_Netcdf4Dimid"] = np.int32(number)
        scales[name] = scale
    return scales


def _contiguous_variable(file: h5py.Group, f: Field, length: int) -> h5py.Dataset:
    """A variable whose place in the file is settled at once and never moves."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.CONTIGUOUS)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple((length, *f.disk_shape))
    return h5py.Dataset(h5py.h5d.create(file.id, f.name.encode(), h5py.h5t.py_create(f.disk_dtype), space, plist))


def _packed_variable(file: h5py.Group, f: Field, length: int) -> h5py.Dataset:
    """A compressed variable; Fletcher's checksum lets any reader notice damage."""
    shape = (length, *f.disk_shape)
    if 0 in shape:
        return _contiguous_variable(file, f, length)
    rows = packed_rows(f, length)
    return file.create_dataset(
        f.name,
        shape,
        f.disk_dtype,
        chunks=(rows, *f.disk_shape),
        compression="gzip",
        compression_opts=4,
        shuffle=True,
        fletcher32=True,
    )


def packed_rows(f: Field, length: int) -> int:
    """Rows in one compressed block: about half a megabyte, in powers of two, never more than there are."""
    each = max(f.disk_dtype.itemsize * int(np.prod(f.disk_shape, dtype=np.int64)), 1)
    rows = 1 << max(0, (2**19 // each).bit_length() - 1)
    return max(1, min(rows, length))


def _describe(variable: h5py.Dataset, f: Field, dims: tuple[str, ...], scales: Mapping[str, h5py.Dataset]) -> None:
    variable.attrs["long_name"] = f.meaning
    variable.attrs["units"] = f.units
    for axis, name in enumerate(dims):
        variable.dims[axis].attach_scale(scales[name])


def _write_bookkeeping(file: h5py.File, scales: Mapping[str, h5py.Dataset]) -> None:
    n = len(scales["chunk"])
    for f in (
        Field("done", "u1", (), (), "1", "1 where the chunk's records are final"),
        Field("checksum", "u4", (), (), "1", "CRC-32 of the chunk's records, independent of layout and compression"),
    ):
        _describe(_contiguous_variable(file, f, n), f, ("chunk",), scales)


def _write_status(file: h5py.File) -> None:
    """Rows that were not run yet say so to any reader."""
    if "status" not in file:
        return
    status = file["status"]
    if status.chunks is None:  # a packed file is written from complete records
        for start in range(0, len(status), 1 << 20):
            status[start : start + (1 << 20)] = np.full(min(1 << 20, len(status) - start), NOT_RUN, dtype="u1")
    status.attrs["comment"] = f"0: the trajectory is complete; {NOT_RUN}: not run yet; any other value: it ended early"


def write_program(file: h5py.File, program: StoredProgram) -> None:
    """Write a compiled program and its model into their groups."""
    group = file.create_group("program")
    group.attrs.update({"kind": program.kind, "identity": program.identity})
    group.create_dataset("meta", data=json.dumps(program.meta), dtype=h5py.string_dtype())
    arrays = group.create_group("arrays")
    for name, value in program.arrays.items():
        _write_array(arrays, name, np.asarray(value))
    if program.model:
        model = file.create_group("model")
        for name, value in program.model.items():
            _write_array(model, name, np.asarray(value))


def _write_array(group: h5py.Group, name: str, value: Array) -> None:
    """Any numeric array, in types that netCDF knows: complex numbers as pairs, truth values as bytes."""
    dtype = value.dtype.newbyteorder("<")
    if dtype.kind not in "bifuc":
        raise TypeError(f"array {name!r} of the program must be numeric, but holds {value.dtype}.")
    plain = Field(name, dtype.str, tuple(f"axis{i}" for i in range(value.ndim)), value.shape, "", "").to_disk(value)
    stored = group.create_dataset(name, data=plain.astype("u1") if dtype.kind == "b" else plain)
    if dtype.kind in "bc":
        stored.attrs["dtype"] = dtype.str


def _write_provenance(file: h5py.File, scales: Mapping[str, h5py.Dataset]) -> None:
    group = file.create_group("provenance")
    group.attrs.update({f"version_{name}": _version(name) for name in _PACKAGES})
    group.attrs["version_hdf5"] = h5py.version.hdf5_version
    group.attrs["version_python"] = platform.python_version()
    group.attrs["created"] = datetime.now(UTC).isoformat(timespec="seconds")
    seconds = Field("chunk_seconds", "f8", (), (), "s", "time that a worker took for the chunk")
    _describe(_contiguous_variable(group, seconds, len(scales["chunk"])), seconds, ("chunk",), scales)
    wall = Field("wall_time", "f8", (), (), "s", "time from first to last chunk, summed over interruptions")
    _contiguous_variable(group, wall, 1).attrs.update({"units": wall.units, "long_name": wall.meaning})


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
