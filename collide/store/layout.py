"""The file's layout: HDF5 that is netCDF-4 as well.

Root group: one variable per column (`trajectory`, …), one per partial sum (`chunk`, …), the flat ragged columns
(`event`, …) once the run is complete, `done` and `checksum` per chunk, and coordinates.  Subgroups: `program` (the
seam's arrays and its `meta` as JSON), `model` (what else the model is made of), `provenance` (versions and times, and
nothing about the host).

While a run is under way every variable is contiguous and has its final size, and its place is claimed: rows are then
written where HDF5 says they lie, so that no metadata of HDF5 ever changes and no kill can damage it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
import json
import platform
from secrets import token_hex
from typing import Any

import h5py
from h5py.h5d import DatasetID
import numpy as np

from collide.records import Array, Field, as_stored

from .objects import add_array, add_axis, add_text, reserve, set_attributes
from .plan import Plan, StoredProgram

FORMAT = 2
NOT_RUN = 255  # value of `status` in rows whose chunk is not done
_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."  # netCDF-4's own marker
_PACKAGES = ("qcollide", "numpy", "numba", "scipy", "h5py")
Scales = dict[str, DatasetID]

DONE = Field("done", "u1", (), (), "1", "1 where the chunk's records are final")
CHECKSUM = Field("checksum", "u4", (), (), "1", "CRC-32 of the chunk's records, independent of layout and compression")
CHUNK_SECONDS = Field("chunk_seconds", "f8", (), (), "s", "time that a worker took for the chunk")
WALL_TIME = Field("wall_time", "f8", (), (), "s", "time from first to last chunk, summed over interruptions")


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
    made = {}
    for axis, length, fields in (
        ("trajectory", plan.grid.rows, plan.fields.columns),
        ("chunk", plan.grid.nchunks, plan.fields.partials),
        ("event", entries or 0, plan.fields.ragged if entries is not None else ()),
    ):
        for f in fields:
            made[f.name] = make(file, f, length)
            _describe(made[f.name], f, (axis, *f.disk_dims), scales)
    if "row_size" in made:
        set_attributes(made["row_size"], {"sample_dimension": "event"})  # CF: contiguous ragged array representation
    if "status" in made:
        _write_status(made["status"], plan.grid.rows, packed)
    for f in (DONE, CHECKSUM):
        _describe(_contiguous_variable(file, f, plan.grid.nchunks), f, ("chunk",), scales)
    write_program(file, plan.program)
    _write_provenance(file, plan.grid.nchunks, scales)


def _write_attributes(file: h5py.File, plan: Plan, names: Names) -> None:
    grid = plan.grid
    set_attributes(
        file.id,
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
        },
    )


def _write_dimensions(file: h5py.File, plan: Plan, entries: int | None) -> Scales:
    """One dimension scale per axis; it carries the names along the axis where there are any."""
    labels: dict[str, Any] = {**plan.coords, "ri": ["real", "imag"]}
    scales = {}
    for number, (name, n) in enumerate(_lengths(plan, entries).items()):
        title = name
        if name == "time":
            scale = add_array(file.id, name, plan.tlist.astype("<f8"))
            set_attributes(scale, {"units": "1/ω", "long_name": "time"})
        elif n and len(labels.get(name, ())) == n:
            scale = _add_labels(file, name, labels[name])
        else:
            scale, title = add_axis(file.id, name, n), f"{_NO_VARIABLE}{n:10d}"
        h5py.h5ds.set_scale(scale, title.encode())
        set_attributes(scale, {"_Netcdf4Dimid": np.int32(number)})
        scales[name] = scale
    return scales


def _lengths(plan: Plan, entries: int | None) -> dict[str, int]:
    """Every axis and its length, checked."""
    lengths = {"trajectory": plan.grid.rows, "chunk": plan.grid.nchunks, "time": len(plan.tlist)}
    if entries is not None:
        lengths["event"] = entries
    for f in (*plan.fields.columns, *plan.fields.partials, *plan.fields.ragged):
        for name, n in zip(f.disk_dims, f.disk_shape, strict=True):
            if lengths.setdefault(name, n) != n:
                raise ValueError(f"axis {name!r} has length {lengths[name]}, but {n} in field {f.name!r}.")
    return lengths


def _add_labels(file: h5py.File, name: str, labels: list[Any]) -> DatasetID:
    """What stands along an axis: numbers, or words."""
    numbers = isinstance(labels[0], int)
    scale = add_array(file.id, name, np.array(labels)) if numbers else add_text(file.id, name, list(map(str, labels)))
    set_attributes(scale, {"long_name": f"names along axis {name}"})
    return scale


def _contiguous_variable(group: h5py.Group, f: Field, length: int) -> DatasetID:
    return reserve(group.id, f.name, (length, *f.disk_shape), f.disk_dtype)


def _packed_variable(group: h5py.Group, f: Field, length: int) -> DatasetID:
    """A compressed variable; Fletcher's checksum lets any reader notice damage."""
    shape = (length, *f.disk_shape)
    if 0 in shape:
        return _contiguous_variable(group, f, length)
    blocks = (packed_rows(f, length), *f.disk_shape)
    filters: dict[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True, "fletcher32": True}
    return group.create_dataset(f.name, shape, f.disk_dtype, chunks=blocks, **filters).id


def packed_rows(f: Field, length: int) -> int:
    """Rows in one compressed block: about half a megabyte, in powers of two, never more than there are."""
    each = max(f.disk_dtype.itemsize * int(np.prod(f.disk_shape, dtype=np.int64)), 1)
    rows = 1 << max(0, (2**19 // each).bit_length() - 1)
    return max(1, min(rows, length))


def _describe(variable: DatasetID, f: Field, dims: tuple[str, ...], scales: Scales) -> None:
    set_attributes(variable, {"long_name": f.meaning, "units": f.units})
    for axis, name in enumerate(dims):
        h5py.h5ds.attach_scale(variable, scales[name], axis)


def _write_status(status: DatasetID, rows: int, packed: bool) -> None:
    """Rows that were not run yet say so to any reader; a packed file is written from complete records."""
    comment = f"0: the trajectory is complete; {NOT_RUN}: not run yet; any other value: it ended early"
    set_attributes(status, {"comment": comment})
    for start in range(0, 0 if packed else rows, 1 << 20):
        stop = min(start + (1 << 20), rows)
        h5py.Dataset(status)[start:stop] = np.full(stop - start, NOT_RUN, dtype="u1")


def write_program(file: h5py.File, program: StoredProgram) -> None:
    """Write a compiled program and its model into their groups."""
    group = file.create_group("program")
    set_attributes(group.id, {"kind": program.kind, "identity": program.identity})
    add_text(group.id, "meta", json.dumps(program.meta))
    arrays = group.create_group("arrays")
    for name, value in program.arrays.items():
        _write_array(arrays, name, np.asarray(value))
    if program.model:
        model = file.create_group("model")
        for name, value in program.model.items():
            _write_array(model, name, np.asarray(value))


def _write_array(group: h5py.Group, name: str, value: Array) -> None:
    """Any numeric array, in types that netCDF knows: complex numbers as pairs, truth values as bytes."""
    if value.dtype.kind not in "bifuc":
        raise TypeError(f"array {name!r} of the program must be numeric, but holds {value.dtype}.")
    stored = add_array(group.id, name, value.astype("u1") if value.dtype.kind == "b" else as_stored(value))
    if value.dtype.kind in "bc":
        set_attributes(stored, {"dtype": value.dtype.newbyteorder("<").str})


def _write_provenance(file: h5py.File, nchunks: int, scales: Scales) -> None:
    group = file.create_group("provenance")
    versions = {name: _version(name) for name in _PACKAGES}
    versions |= {"hdf5": h5py.version.hdf5_version, "python": platform.python_version()}
    set_attributes(group.id, {f"version_{name}": version for name, version in versions.items()})
    set_attributes(group.id, {"created": datetime.now(UTC).isoformat(timespec="seconds")})
    _describe(_contiguous_variable(group, CHUNK_SECONDS, nchunks), CHUNK_SECONDS, ("chunk",), scales)
    wall_time = _contiguous_variable(group, WALL_TIME, 1)
    set_attributes(wall_time, {"units": WALL_TIME.units, "long_name": WALL_TIME.meaning})


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
