"""What a chunk of trajectories leaves behind: columns, partial sums and ragged records; and the grid the chunks lie on.

A `Field` names one array and says what it means; the same words label the file's variables and the axes of a figure.
The unit of work and of storage is the `Chunk`, a run of consecutive trajectory ids on a fixed `Grid`.  Columns of
different chunks stand side by side, and partial sums are folded in the order of the grid whenever they are read, so no
number depends on which chunk was finished first.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CHUNK_SIZE = 4096
# what a status other than 0 means, and what to do about it
ADVICE = {
    1: "no jump or ancilla outcome had a positive probability, so the program's operators are damaged or incomplete:"
    " compile the model again, and check it with `model.check()`",
    255: "these trajectories have not been run yet: resume the file",
}
ROW_SIZE = "row_size"  # number of ragged entries of each trajectory


@dataclass(frozen=True)
class Field:
    """One array of a record.

    Attributes
    ----------
    name : str
    dtype : str
        NumPy's short name, e.g. ``"f8"``, ``"i4"``, ``"c16"``.
    dims : tuple of str
        Names of the axes, without the leading trajectory, chunk or entry axis.
    shape : tuple of int
        Lengths of these axes.
    units, meaning : str
        What the numbers are, in one line each; energies in ħω, entropies in k_B, times in 1/ω.
    packed : str
        Type of the stored numbers where a smaller one holds every value, e.g. ``"u1"``.
    """

    name: str
    dtype: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    units: str
    meaning: str
    packed: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dims", tuple(self.dims))
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        if len(self.dims) != len(self.shape):
            raise ValueError(
                f"field {self.name!r} must name each of its axes, but has dims {self.dims} and shape {self.shape}."
            )

    @property
    def disk_dtype(self) -> np.dtype[Any]:
        """Little-endian type of the stored numbers: a complex number is a pair of floats."""
        dtype = np.dtype(self.packed or self.dtype).newbyteorder("<")
        return np.dtype(f"<f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype

    @property
    def disk_dims(self) -> tuple[str, ...]:
        """Names of the stored axes; the last axis of a complex field is the pair of real and imaginary part."""
        return (*self.dims, "ri") if np.dtype(self.dtype).kind == "c" else self.dims

    @property
    def disk_shape(self) -> tuple[int, ...]:
        """Lengths of the stored axes."""
        return (*self.shape, 2) if np.dtype(self.dtype).kind == "c" else self.shape

    @property
    def nbytes(self) -> int:
        """Bytes of one stored entry."""
        return np.dtype(self.packed or self.dtype).itemsize * prod(self.shape)

    def to_disk(self, values: Array) -> Array:
        """The values as they are stored.

        Raises
        ------
        ValueError
            If a value does not fit the smaller type that should hold it.
        """
        given = np.asarray(values, dtype=self.dtype)
        if self.packed and given.size:
            largest = np.iinfo(self.packed).max
            if given.min() < 0 or given.max() > largest:
                found = f"{given.min()} to {given.max()}"
                raise ValueError(f"{self.name!r} must lie between 0 and {largest}, but is {found}.")
            given = given.astype(self.packed)
        return as_stored(given)

    def from_disk(self, stored: Array) -> Array:
        """Inverse of `to_disk`."""
        if np.dtype(self.dtype).kind != "c":
            return np.asarray(stored, dtype=self.dtype)
        return np.ascontiguousarray(stored).view(np.dtype(self.dtype).newbyteorder("<"))[..., 0]


def as_stored(values: Array) -> Array:
    """Numbers as they are stored: contiguous, little-endian, complex numbers as pairs."""
    given = np.asarray(values, dtype=values.dtype.newbyteorder("<"), order="C")
    return given[..., None].view(given.real.dtype) if given.dtype.kind == "c" else given


ROW_SIZE_FIELD = Field(ROW_SIZE, "i8", (), (), "1", "number of recorded events of the trajectory")


@dataclass(frozen=True)
class Fields:
    """All arrays a program's chunks hold.

    Attributes
    ----------
    columns, partials, ragged : tuple of Field
        One entry per trajectory, per chunk, and per recorded event.
    """

    columns: tuple[Field, ...]
    partials: tuple[Field, ...]
    ragged: tuple[Field, ...] = ()

    @classmethod
    def of(cls, program: Any) -> "Fields":
        """The fields of a program."""
        flat = tuple(_slim(f, program.arrays) for f in program.ragged() if f.name != ROW_SIZE)
        columns = tuple(f for f in program.columns() if f.name != ROW_SIZE)
        return cls((*columns, ROW_SIZE_FIELD) if flat else columns, tuple(program.partials()), flat)

    def asdict(self) -> dict[str, Any]:
        """Plain lists and dicts, for JSON."""
        return {kind: [dict(vars(f)) for f in getattr(self, kind)] for kind in ("columns", "partials", "ragged")}

    @classmethod
    def fromdict(cls, plain: Mapping[str, Any]) -> "Fields":
        """Inverse of `asdict`."""
        return cls(**{kind: tuple(Field(**f) for f in entries) for kind, entries in plain.items()})

    def column(self, name: str) -> Field:
        """The column called `name`; a KeyError that lists the names there are."""
        for f in self.columns:
            if f.name == name:
                return f
        raise KeyError(f"unknown column {name!r}: this ensemble has {', '.join(f.name for f in self.columns)}")

    def partial(self, name: str) -> Field | None:
        """The partial sum called `name`, or None."""
        return next((f for f in self.partials if f.name == name), None)


def _slim(f: Field, arrays: Mapping[str, Array]) -> Field:
    """Channels are numbered by the rows of the table `count`; there are few of them, and many events."""
    if f.name != "jump_channel" or "count" not in arrays:
        return f
    return replace(f, packed=np.min_scalar_type(max(len(arrays["count"]) - 1, 0)).str[1:])


@dataclass
class Chunk:
    """The record of the trajectories ``start <= id < stop``.

    Attributes
    ----------
    start, stop : int
    columns : dict of (stop - start, *shape) arrays
        One row per trajectory.
    partial : dict of arrays
        Sums over the chunk's trajectories.
    ragged : dict of arrays
        Empty, or `row_size` (stop - start,) and the flat columns (sum(row_size), *shape), trajectory after trajectory.
    """

    start: int
    stop: int
    columns: dict[str, Array]
    partial: dict[str, Array]
    ragged: dict[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.stop - self.start

    def disk(self, fields: Fields) -> "Stored":
        """The arrays as they are stored, checked against what the program declares.

        Raises
        ------
        ValueError
            If an array is missing or has another shape: the program broke its promise, nothing is stored.
        """
        given = {**self.columns, **({ROW_SIZE: self.ragged[ROW_SIZE]} if fields.ragged else {})}
        n = len(self)
        entries = int(given[ROW_SIZE].sum()) if fields.ragged else 0
        return Stored(
            [_disk(f, given, (n, *f.shape), self) for f in fields.columns],
            [_disk(f, self.partial, f.shape, self) for f in fields.partials],
            [_disk(f, self.ragged, (entries, *f.shape), self) for f in fields.ragged],
        )


@dataclass
class Stored:
    """The arrays of one chunk in the form and order in which they are stored."""

    columns: list[Array]
    partials: list[Array]
    ragged: list[Array]

    @property
    def entries(self) -> int:
        """Number of ragged entries."""
        return len(self.ragged[0]) if self.ragged else 0

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(a.nbytes for a in (*self.columns, *self.partials, *self.ragged))

    def checksum(self) -> int:
        """CRC-32 of all bytes in order: the same whatever layout or compression the file has."""
        total = 0
        for array in (*self.columns, *self.partials, *self.ragged):
            total = crc32(array.reshape(-1).view(np.uint8).data, total)
        return total

    def chunk(self, fields: Fields, start: int, stop: int) -> Chunk:
        """Inverse of `Chunk.disk`."""
        columns = {f.name: f.from_disk(a) for f, a in zip(fields.columns, self.columns, strict=True)}
        partial = {f.name: f.from_disk(a) for f, a in zip(fields.partials, self.partials, strict=True)}
        ragged = {f.name: f.from_disk(a) for f, a in zip(fields.ragged, self.ragged, strict=True)}
        if fields.ragged:
            ragged[ROW_SIZE] = columns.pop(ROW_SIZE)
        return Chunk(start, stop, columns, partial, ragged)


def _disk(f: Field, arrays: Mapping[str, Array], shape: tuple[int, ...], chunk: Chunk) -> Array:
    if f.name not in arrays or np.shape(arrays[f.name]) != shape:
        found = f"has shape {np.shape(arrays[f.name])}" if f.name in arrays else "is missing"
        raise ValueError(
            f"{f.name!r} of trajectories {chunk.start} to {chunk.stop - 1} must have shape {shape}, but {found}."
        )
    values = np.asarray(arrays[f.name])
    if not np.can_cast(values.dtype, f.dtype, "same_kind"):
        raise ValueError(f"{f.name!r} must hold {f.dtype}, but holds {values.dtype}.")
    return f.to_disk(values)


@dataclass(frozen=True)
class Grid:
    """The chunks of an ensemble, or of one shard of it.

    The edges are multiples of `size` counted from trajectory 0 whatever `ntraj` is, so that an ensemble that is
    extended, or cut into shards, has the same chunks.

    Attributes
    ----------
    ntraj : int
        Trajectories of the whole ensemble.
    size : int
        Trajectories in a chunk.
    first, last : int
        Chunks ``first <= k < last`` are ours.
    """

    ntraj: int
    size: int = CHUNK_SIZE
    first: int = 0
    last: int = -1

    def __post_init__(self) -> None:
        for name in ("ntraj", "size"):
            if getattr(self, name) < 1:
                word = {"ntraj": "ntraj", "size": "chunk_size"}[name]
                raise ValueError(f"`{word}` must be at least 1, but is {getattr(self, name)}.")
        if self.last < 0:
            object.__setattr__(self, "last", self.total)

    @property
    def total(self) -> int:
        """Chunks of the whole ensemble."""
        return -(-self.ntraj // self.size)

    @property
    def nchunks(self) -> int:
        """Chunks that are ours."""
        return self.last - self.first

    @property
    def start(self) -> int:
        """Our first trajectory."""
        return self.first * self.size

    @property
    def stop(self) -> int:
        """One past our last trajectory."""
        return min(self.last * self.size, self.ntraj)

    @property
    def rows(self) -> int:
        """Trajectories that are ours."""
        return self.stop - self.start

    @property
    def whole(self) -> bool:
        """Whether nothing of the ensemble lies outside."""
        return self.first == 0 and self.last == self.total

    def bounds(self, k: int) -> tuple[int, int]:
        """First and one-past-last trajectory of chunk `k`, counted over the whole ensemble."""
        return k * self.size, min((k + 1) * self.size, self.ntraj)

    def row_bounds(self, k: int) -> tuple[int, int]:
        """The same as rows of our columns."""
        start, stop = self.bounds(k)
        return start - self.start, stop - self.start

    def shard(self, i: int, n: int) -> "Grid":
        """The i-th of n nearly equal runs of chunks, i = 1 … n."""
        if not 1 <= i <= n:
            raise ValueError(f"`shard` must be i/n with i from 1 to n, but is {i}/{n}.")
        if n > self.total:
            raise ValueError(
                f"`shard` {i}/{n} cannot be cut: {self.ntraj} trajectories make {self.total} chunks of {self.size}; "
                f"use at most {self.total} shards or a smaller `chunk_size`."
            )
        return Grid(self.ntraj, self.size, (i - 1) * self.total // n, i * self.total // n)

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last))


def fold(partials: Iterable[Array]) -> Array:
    """Sum of the partial sums, one after the other in the order given: the same bits at every reading."""
    total: Array | None = None
    for partial in partials:
        total = np.array(partial, copy=True) if total is None else np.add(total, partial, out=total)
    if total is None:
        raise ValueError("there is no finished chunk to sum over: resume the run first.")
    return np.asarray(total)
