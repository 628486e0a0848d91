"""Where things lie: the names of the files of a run, and the bytes of each variable inside the HDF5 file."""

import os
from pathlib import Path
import time

import numpy as np

from collide.records import Array, Stored

from .disk import announce, check_room, claim, write_at
from .journal import Journal
from .layout import Names, write_layout
from .objects import new_file
from .plan import Plan
from .reading import Header, header_of

SYNC_EVERY = 5.0  # seconds between two times that written chunks are forced to the disk
_SLACK = 1 << 20  # room for HDF5's own metadata when the size of a file is estimated


class Places:
    """Writes chunks where HDF5 says their variables lie, without asking HDF5 to write.

    Parameters
    ----------
    header : Header
    fd : int
        The HDF5 file, open for writing; closed by `close`.
    journal : Journal, optional
        Where ragged entries go.
    """

    def __init__(self, header: Header, fd: int, journal: Journal | None = None) -> None:
        self.header, self.fd, self.journal = header, fd, journal
        self._synced = time.monotonic()

    def commit(self, k: int, stored: Stored, seconds: float, checksum: int) -> None:
        """Write the k-th chunk of the file; its done-flag last."""
        fields, grid = self.header.plan.fields, self.header.plan.grid
        if self.journal is not None:
            self.journal.append(k, stored.ragged)
        row = k * grid.size
        for f, values in zip(fields.columns, stored.columns, strict=True):
            self.write(f.name, values, row, f.nbytes)
        for f, values in zip(fields.partials, stored.partials, strict=True):
            self.write(f.name, values, k, f.nbytes)
        self.write("provenance/chunk_seconds", np.array([seconds], dtype="<f8"), k, 8)
        self.write("checksum", np.array([checksum], dtype="<u4"), k, 4)
        self.write("done", b"\1", k, 1)
        self._sync_now_and_then()

    def write(self, name: str, data: "Array | bytes", index: int, nbytes: int) -> None:
        """Write entries of `nbytes` each, starting with number `index`."""
        if name in self.header.offsets:  # a variable without entries has no place in the file
            write_at(self.fd, data, self.header.offsets[name] + index * nbytes, name)

    def _sync_now_and_then(self) -> None:
        """A kill leaves the system's buffers alone; a power cut shall not cost more than a few seconds of work."""
        if time.monotonic() - self._synced > SYNC_EVERY:
            if self.journal is not None:
                self.journal.sync()
            os.fsync(self.fd)
            self._synced = time.monotonic()

    def close(self) -> None:
        """Let go of the file and the journal."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        if self.journal is not None:
            self.journal.close()


def journal_path(path: Path) -> Path:
    """The journal beside a file."""
    return path.with_name(path.name + ".journal")


def part_path(path: Path) -> Path:
    """The temporary name of a file that is being built."""
    return path.with_name(path.name + ".part")


def build(path: Path, plan: Plan, names: Names, *, entries: int | None = None) -> Header:
    """Create a file without records under its temporary name: complete, at its final size, its space claimed.

    Besides being safe from a full disk, claimed space is twice as fast to write.
    """
    part = part_path(path)
    ragged = (entries or 0) * sum(f.nbytes for f in plan.fields.ragged)
    program = sum(np.asarray(a).nbytes for a in (*plan.program.arrays.values(), *plan.program.model.values()))
    check_room(path.parent, plan.nbytes + ragged + program + _SLACK, path)
    try:
        announce("create")
        with new_file(part) as file:
            write_layout(file, plan, names, entries=entries, packed=False)
            header = header_of(file, plan)
        with open(part, "r+b") as file:
            claim(file.fileno(), 0, part.stat().st_size)
        return header
    except BaseException:
        part.unlink(missing_ok=True)
        raise
