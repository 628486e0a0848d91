"""The end of a run with events: a file that holds them, made of the unfinished file and its journal.

Nothing is interpreted on the way: variables are copied as the bytes they are, the flat columns entry by entry in the
order of the grid.
"""

from collections.abc import Iterator

from .disk import copy_range
from .journal import Journal
from .reading import Header


def fold_in(old: Header, fd: int, journal: Journal, new: Header, target: int) -> None:
    """Fill a new file whose flat columns have their final size; the done-flags come last.

    Parameters
    ----------
    old, fd
        The unfinished file, all of whose chunks are done.
    journal : Journal
        Its events.
    new, target
        The file to fill.
    """
    place = {f.name: new.offsets.get(f.name, 0) for f in new.plan.fields.ragged}
    for k in range(new.plan.grid.nchunks):
        for f, offset, nbytes in journal.extents(k):
            copy_range(journal.fd, offset, target, place[f.name], nbytes, f.name)
            place[f.name] += nbytes
    for name, nbytes in _extents(new):
        if name in new.offsets:
            copy_range(fd, old.offsets[name], target, new.offsets[name], nbytes, name)


def _extents(header: Header) -> Iterator[tuple[str, int]]:
    """Name and length in bytes of every variable of known size."""
    grid = header.plan.grid
    for f in header.plan.fields.columns:
        yield f.name, grid.rows * f.nbytes
    for f in header.plan.fields.partials:
        yield f.name, grid.nchunks * f.nbytes
    yield "provenance/chunk_seconds", 8 * grid.nchunks
    yield "provenance/wall_time", 8
    yield "checksum", 4 * grid.nchunks
    yield "done", grid.nchunks
