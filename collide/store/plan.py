"""What a run is: its program, its seed, its grid; enough to run it again, and to say what two runs differ in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from collide.records import Array, Fields, Grid


class ProgramLike(Protocol):
    """What the store needs to know of a compiled program."""

    kind: str
    arrays: dict[str, Array]
    meta: dict[str, Any]

    @property
    def identity(self) -> str:
        """Hash of what can change a result."""
        ...


@dataclass(frozen=True)
class StoredProgram:
    """A compiled program as it travels in a file.

    Attributes
    ----------
    kind : str
        Which kernel runs it.
    arrays : dict of arrays
    meta : dict
        Names and recipe; anything that JSON can hold.
    identity : str
        Hash of what can change a result.
    model : dict of arrays
        The resolved model: Hamiltonian, operators, rates, quanta, temperatures.
    """

    kind: str
    arrays: Mapping[str, Array]
    meta: Mapping[str, Any]
    identity: str
    model: Mapping[str, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, program: ProgramLike) -> "StoredProgram":
        """The stored form of a program; its optional attribute `model` holds the model's arrays."""
        return cls(program.kind, program.arrays, program.meta, program.identity, getattr(program, "model", {}))


@dataclass(frozen=True)
class Plan:
    """Everything that decides the bits of a run, and what its record consists of.

    Attributes
    ----------
    program : StoredProgram
    fields : Fields
    seed : int
    grid : Grid
    tlist : (ntime,) float
    """

    program: StoredProgram
    fields: Fields
    seed: int
    grid: Grid
    tlist: Array

    @classmethod
    def of(cls, program: Any, seed: int, grid: Grid) -> "Plan":
        """The plan of running a program.

        Raises
        ------
        ValueError
            If the seed is not an integer of 64 bits.
        """
        if not 0 <= seed < 2**64:
            raise ValueError(f"`seed` must be an integer from 0 to 2**64 - 1, but is {seed}.")
        tlist = np.asarray(program.tlist, dtype=float)
        return cls(StoredProgram.of(program), Fields.of(program), int(seed), grid, tlist)

    @property
    def coords(self) -> dict[str, list[Any]]:
        """Names along the axes, as far as the program's `meta` and the meaning of the axes tell."""
        meta = self.program.meta
        baths = list(meta.get("baths", []))
        pairs = [f"{a},{b}" for i, a in enumerate(baths) for b in baths[i + 1 :]]
        known: dict[str, list[Any]] = {
            "bath": baths,
            "e_op": list(meta.get("e_ops", [])),
            "pair": pairs,
            "load": list(meta.get("loads", [])),
            "power": [1, 2],
            "order": [1, 2, 3, 4],
        }
        if {"count_bath", "count_quantum"} <= self.program.arrays.keys():
            rows = zip(self.program.arrays["count_bath"], self.program.arrays["count_quantum"], strict=True)
            known["count"] = [f"{baths[int(bath)]}:{quantum:+g}" for bath, quantum in rows]
        return {**known, **meta.get("coords", {})}

    @property
    def bytes_per_trajectory(self) -> int:
        """Bytes of one row of all columns."""
        return sum(f.nbytes for f in self.fields.columns)

    @property
    def bytes_per_chunk(self) -> int:
        """Bytes of one set of partial sums."""
        return sum(f.nbytes for f in self.fields.partials)

    @property
    def nbytes(self) -> int:
        """Bytes of everything whose size is known before the run."""
        return self.grid.rows * self.bytes_per_trajectory + self.grid.nchunks * self.bytes_per_chunk

    def differences(self, other: "Plan", names: tuple[str, str]) -> list[str]:
        """Clauses that say in what two runs differ, empty if they are pieces of one task; the shard does not count."""
        mine, theirs = self.program, other.program
        found = [
            f"{word} is {a} in {names[0]} and {b} in {names[1]}"
            for word, a, b in (
                ("seed", self.seed, other.seed),
                ("chunk_size", self.grid.size, other.grid.size),
                ("ntraj", self.grid.ntraj, other.grid.ntraj),
            )
            if a != b
        ]
        if mine.identity == theirs.identity:
            return found if self.fields == other.fields else [*found, "the types of their records differ"]
        return found + (program_differences(mine, theirs, names) or ["the compiled programs differ"])


def program_differences(mine: StoredProgram, theirs: StoredProgram, names: tuple[str, str]) -> list[str]:
    """What two programs differ in: words of their recipes where these tell, else names of arrays."""
    if mine.kind != theirs.kind:
        return [f"the kind of program is {mine.kind!r} in {names[0]} and {theirs.kind!r} in {names[1]}"]
    words = [
        f"{path} is {a!r} in {names[0]} and {b!r} in {names[1]}"
        for path, a, b in _walk("", mine.meta, theirs.meta)
        if a != b
    ]
    if words:
        return words[:6] + ([f"and {len(words) - 6} more"] if len(words) > 6 else [])
    keys = sorted({*mine.arrays, *theirs.arrays})
    return [f"the program's array {k!r} differs" for k in keys if not _same(mine.arrays.get(k), theirs.arrays.get(k))]


def _walk(path: str, a: Any, b: Any) -> Iterator[tuple[str, Any, Any]]:
    """Pairs of leaves of two nested mappings, with the path to them."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in sorted({*a, *b}, key=str):
            yield from _walk(f"{path}.{key}" if path else str(key), a.get(key), b.get(key))
    else:
        yield path, _plain(a), _plain(b)


def _plain(value: Any) -> Any:
    """Tuples and lists alike, as after a trip through JSON."""
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _same(a: Array | None, b: Array | None) -> bool:
    return a is not None and b is not None and np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind in "fc")
