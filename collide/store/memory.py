"""An ensemble in memory, for runs that nobody asked to keep."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collide.records import Array, Chunk, Stored

from .plan import Plan


class MemoryStore:
    """The records of an ensemble in arrays of this process.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        grid, fields = plan.grid, plan.fields
        self.done = np.zeros(grid.nchunks, dtype=bool)
        self._columns = {f.name: np.zeros((grid.rows, *f.disk_shape), f.disk_dtype) for f in fields.columns}
        self._partials = {f.name: np.zeros((grid.nchunks, *f.disk_shape), f.disk_dtype) for f in fields.partials}
        self._ragged: dict[int, list[Array]] = {}
        self._seconds = np.zeros(grid.nchunks)
        self._wall = 0.0
        self.nbytes = sum(a.nbytes for a in (*self._columns.values(), *self._partials.values()))

    def commit(self, chunk: Chunk, seconds: float = 0.0) -> None:
        """Store a chunk."""
        stored = chunk.disk(self.plan.fields)
        grid = self.plan.grid
        k, row = chunk.start // grid.size - grid.first, chunk.start - grid.start
        for f, values in zip(self.plan.fields.columns, stored.columns, strict=True):
            self._columns[f.name][row : row + len(chunk)] = values
        for f, values in zip(self.plan.fields.partials, stored.partials, strict=True):
            self._partials[f.name][k] = values
        if stored.ragged:
            self._ragged[k] = stored.ragged
            self.nbytes += sum(a.nbytes for a in stored.ragged)
        self._seconds[k], self.done[k] = seconds, True

    def finish(self, seconds: float = 0.0) -> None:
        """Add to the wall time."""
        self._wall += seconds

    def close(self) -> None:
        """Nothing to let go of."""

    def rows(self, name: str, start: int, stop: int) -> Array:
        """Rows ``start <= row < stop`` of a column."""
        return self.plan.fields.column(name).from_disk(self._columns[name][start:stop])

    def partials(self, name: str) -> Iterator[Array]:
        """The partial sums of the finished chunks, in the order of the grid."""
        f = next(f for f in self.plan.fields.partials if f.name == name)
        yield from f.from_disk(self._partials[name][self.done])

    def ragged(self, k: int) -> dict[str, Array]:
        """The flat columns of the k-th chunk."""
        return {f.name: f.from_disk(a) for f, a in zip(self.plan.fields.ragged, self._ragged[k], strict=True)}

    def stored(self, k: int) -> Stored:
        """All arrays of the k-th chunk in their stored form."""
        start, stop = self.plan.grid.row_bounds(self.plan.grid.first + k)
        fields = self.plan.fields
        return Stored(
            [self._columns[f.name][start:stop] for f in fields.columns],
            [np.asarray(self._partials[f.name][k]) for f in fields.partials],
            self._ragged[k] if fields.ragged else [],
        )

    def chunk(self, k: int) -> Chunk:
        """The k-th chunk."""
        return self.stored(k).chunk(self.plan.fields, *self.plan.grid.bounds(self.plan.grid.first + k))

    def seconds(self) -> NDArray[np.float64]:
        """(nchunks,) time in seconds that each chunk took its worker."""
        return self._seconds

    def wall_time(self) -> float:
        """Seconds from first to last chunk."""
        return self._wall

    def checksums(self) -> NDArray[np.uint32]:
        """(nchunks,) CRC-32 of the chunks, 0 where they are not done."""
        sums = [self.stored(k).checksum() if self.done[k] else 0 for k in range(len(self.done))]
        return np.array(sums, dtype=np.uint32)
