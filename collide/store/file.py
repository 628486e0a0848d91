"""An ensemble in a file: the checkpoint and the result are the same thing.

Commit of a chunk: ragged entries to the journal, rows of the columns, partial sums, checksum, and last its done-flag.
Every one of these goes to a place that was claimed when the file was created (or to the end of the journal), so
whatever instant a kill chooses, the file opens, and each chunk is either done or will be run again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import warnings

import h5py
import numpy as np
from numpy.typing import NDArray

from collide.records import Array, Chunk, Stored

from .disk import remove, replace
from .errors import failure, friendly
from .folding import fold_in
from .journal import Journal
from .layout import Names
from .lock import Lock
from .objects import text
from .places import Places, build, journal_path, part_path
from .plan import Plan
from .reading import Header, StoreError, damage, open_hdf5, read_header


class FileStore:
    """The records of an ensemble in an HDF5 file; made by `create`, `load` or `writer`.

    Attributes
    ----------
    path : Path
    header : Header
    done : (nchunks,) bool
        Which chunks are final, counted from the first chunk of this file.
    temporary : bool
        Whether the file vanishes with this object.
    """

    temporary = False

    def __init__(self, path: Path, header: Header, *, lock: Lock | None = None, new: bool = False) -> None:
        self.path, self.header, self._lock = path, header, lock
        # before the journal: a chunk that is done has its events in it
        self.done = np.zeros(header.plan.grid.nchunks, dtype=bool) if new else self._read_done()
        self._journal = self._open_journal()
        self._places = Places(header, os.open(path, os.O_RDWR) if lock else -1, self._journal)
        self._edges: NDArray[np.int64] | None = None

    @classmethod
    def create(cls, path: Path, plan: Plan, *, overwrite: bool = False) -> "FileStore":
        """A new file at its final size, open for commits.

        Raises
        ------
        FileExistsError
            If `path` exists and is not to be overwritten.
        LockedError, PermissionError, OSError
            In one sentence; nothing is left behind.
        """
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists: resume it, choose another name, or allow to overwrite it.")
        with friendly(path):
            lock = Lock(path)
            try:
                header = build(path, plan, Names.new())
                replace(part_path(path), path, sync=False)  # nothing to lose in it yet
                remove(journal_path(path))  # of the run that was overwritten
                return cls(path, header, lock=lock, new=True)
            except BaseException:
                lock.release()
                raise

    @classmethod
    def load(cls, path: Path) -> "FileStore":
        """An existing file for reading, also while another process writes it."""
        return cls(path, read_header(path))

    @classmethod
    def writer(cls, path: Path) -> "FileStore":
        """An existing file for commits; chunks whose bytes do not match their checksum count as not done.

        Raises
        ------
        LockedError, StoreError, OSError
            In one sentence; nothing is changed.
        """
        header = read_header(path)
        with friendly(path):
            lock = Lock(path)
            try:
                header = read_header(path)  # once more: the former writer may have replaced the file
                store = cls(path, header, lock=lock)
                store._distrust()
                return store
            except BaseException:
                lock.release()
                raise

    @classmethod
    def rebuild(cls, path: Path, plan: Plan) -> "FileStore":
        """Lay a file out anew, for more chunks or without compression, keep its chunks, and open it for commits.

        Until the last rename the old file is in place, and its journal keeps all that the old file needs.

        Raises
        ------
        LockedError, StoreError, OSError
            In one sentence; the old file is as it was.
        """
        with friendly(path, "the file is as it was: make room and try again"):
            lock = Lock(path)
            try:
                old = cls(path, read_header(path))
                part, header = part_path(path), build(path, plan, Names.new(old.header.names.events))
                _carry(old, part, header)
                if plan.fields.ragged:
                    replace(journal_path(part), journal_path(path))
                replace(part, path)
                return cls(path, header, lock=lock)
            except BaseException:
                for leftover in (part_path(path), journal_path(part_path(path))):
                    leftover.unlink(missing_ok=True)
                lock.release()
                raise

    @property
    def plan(self) -> Plan:
        """What the file holds."""
        return self.header.plan

    @property
    def nbytes(self) -> int:
        """Size of the file and its journal."""
        journal = journal_path(self.path)
        return self.path.stat().st_size + (journal.stat().st_size if journal.exists() else 0)

    @property
    def folded(self) -> bool:
        """Whether the ragged records are inside the file."""
        return not self.plan.fields.ragged or self.header.entries is not None

    @property
    def final(self) -> bool:
        """Whether no single chunk can be written any more: the file is compressed, or has its events inside."""
        return self.header.packed or self.header.entries is not None

    def commit(self, chunk: Chunk, seconds: float = 0.0) -> None:
        """Store a chunk; when this returns no kill can take it away.

        Raises
        ------
        OSError
            If the disk is full; what was committed before stays.
        """
        stored = chunk.disk(self.plan.fields)
        k = chunk.start // self.plan.grid.size - self.plan.grid.first
        with friendly(self.path, "the chunks finished so far are safe: make room and resume"):
            self._places.commit(k, stored, seconds, stored.checksum())
        self.done[k] = True

    def finish(self, seconds: float = 0.0) -> None:
        """Add to the wall time; fold the journal into the file if all chunks are done; make all of it durable."""
        with friendly(self.path, "the chunks finished so far are safe: make room and resume"):
            self._add_wall_time(seconds)
            if self.done.all() and not self.folded:
                self._fold_or_explain()
            elif self.folded:
                remove(journal_path(self.path))

    def _add_wall_time(self, seconds: float) -> None:
        if seconds:
            self._places.write("provenance/wall_time", np.array([self.wall_time() + seconds], dtype="<f8"), 0, 8)

    def _fold_or_explain(self) -> None:
        try:
            self._fold()
        except OSError as error:
            sentence = f"{self.path} is complete, but its events could not be moved into it, which takes a second copy"
            raise failure(error.errno or 0, f"{sentence} ({str(error).rstrip('.')}); then resume.") from error

    def _fold(self) -> None:
        """Build the final file beside this one, in the order of the grid, and put it in its place."""
        assert self._journal is not None
        entries = sum(self._journal.index[k][1] for k in range(len(self.done)))
        part, header = part_path(self.path), build(self.path, self.plan, self.header.names, entries=entries)
        target = os.open(part, os.O_RDWR)
        try:
            fold_in(self.header, self._places.fd, self._journal, header, target)
        finally:
            os.close(target)
        self._places.close()
        self._journal = None
        replace(part, self.path)
        remove(journal_path(self.path))
        self.header = header
        self._places = Places(self.header, os.open(self.path, os.O_RDWR))

    def rows(self, name: str, start: int, stop: int) -> Array:
        """Rows ``start <= row < stop`` of a column, counted from the file's first trajectory."""
        f = self.plan.fields.column(name)
        with self._reading() as file:
            return f.from_disk(file[name][start:stop])

    def partials(self, name: str) -> Iterator[Array]:
        """The partial sums of the finished chunks, in the order of the grid."""
        f = next(f for f in self.plan.fields.partials if f.name == name)
        step = max(1, (1 << 24) // max(f.nbytes, 1))
        for begin in range(0, len(self.done), step):
            with self._reading() as file:
                block = f.from_disk(file[name][begin : begin + step])
            yield from block[self.done[begin : begin + step]]

    def ragged(self, k: int) -> dict[str, Array]:
        """The flat columns of the file's k-th chunk."""
        fields = self.plan.fields.ragged
        if not self.folded:
            if self._journal is None or k not in self._journal.index:
                raise self._missing_journal()
            return {f.name: f.from_disk(a) for f, a in zip(fields, self._journal.read(k), strict=True)}
        start, stop = self._entries(k)
        with self._reading() as file:
            return {f.name: f.from_disk(file[f.name][start:stop]) for f in fields}

    def _missing_journal(self) -> StoreError:
        wrong = "is missing" if self._journal is None else "is of another run"
        return StoreError(
            f"{journal_path(self.path)} {wrong}, but should hold the events of this unfinished run: put it back, or "
            "resume the run, which repeats the chunks whose events are gone."
        )

    def _entries(self, k: int) -> tuple[int, int]:
        """First and one-past-last ragged entry of the k-th chunk."""
        if self._edges is None:
            lengths = [int(self.rows("row_size", *self._row_bounds(j)).sum()) for j in range(len(self.done))]
            self._edges = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        return int(self._edges[k]), int(self._edges[k + 1])

    def _row_bounds(self, k: int) -> tuple[int, int]:
        return self.plan.grid.row_bounds(self.plan.grid.first + k)

    def stored(self, k: int) -> Stored:
        """All arrays of the k-th chunk in their stored form."""
        start, stop = self._row_bounds(k)
        fields = self.plan.fields
        ragged = self.ragged(k) if fields.ragged else {}
        with self._reading() as file:
            return Stored(
                [np.asarray(file[f.name][start:stop]) for f in fields.columns],
                [np.asarray(file[f.name][k]) for f in fields.partials],
                [f.to_disk(ragged[f.name]) for f in fields.ragged],
            )

    def chunk(self, k: int) -> Chunk:
        """The k-th chunk."""
        return self.stored(k).chunk(self.plan.fields, *self.plan.grid.bounds(self.plan.grid.first + k))

    def seconds(self) -> NDArray[np.float64]:
        """(nchunks,) time in seconds that each chunk took its worker."""
        with self._reading() as file:
            return np.asarray(file["provenance/chunk_seconds"][()])

    def wall_time(self) -> float:
        """Seconds from first to last chunk, summed over interruptions."""
        with self._reading() as file:
            return float(file["provenance/wall_time"][0])

    def checksum(self, k: int) -> int:
        """CRC-32 that was written with the k-th chunk."""
        with self._reading() as file:
            return int(file["checksum"][k])

    def checksums(self) -> NDArray[np.uint32]:
        """(nchunks,) CRC-32 of the chunks, 0 where they are not done."""
        with self._reading() as file:
            return np.where(self.done, file["checksum"][()], 0).astype(np.uint32)

    def damaged(self) -> list[int]:
        """Chunks that are marked done but whose bytes do not match their checksum."""
        sums = self.checksums()
        return [k for k in np.flatnonzero(self.done).tolist() if self.intact(k, int(sums[k])) is None]

    def intact(self, k: int, checksum: int) -> Stored | None:
        """The k-th chunk if its bytes match a checksum, else None."""
        try:
            stored = self.stored(k)
        except (OSError, ValueError, StoreError):
            return None
        return stored if stored.checksum() == checksum else None

    def _distrust(self) -> None:
        """Unmark what a power cut or a lost journal has spoiled, so that it is run again."""
        spoiled = self.damaged()
        if spoiled:
            warnings.warn(
                f"{len(spoiled)} of {len(self.done)} chunks in {self.path} do not match their checksums (a power cut, "
                "or a lost journal): they will be run again.",
                stacklevel=4,
            )
        for k in spoiled:
            self._places.write("done", b"\0", k, 1)
            self.done[k] = False

    def close(self) -> None:
        """Let others write; reading goes on working."""
        if self._lock is None:
            return
        if self._places.fd >= 0:
            os.close(self._places.fd)  # the journal stays open, for reading
            self._places.fd = -1
        if self._journal is not None:
            self._journal.trim()
        self._lock.release()
        self._lock = None

    @contextmanager
    def _reading(self) -> Iterator[h5py.File]:
        """The file as HDF5 sees it now; closed again at once, because HDF5 would keep a copy of what it has read."""
        with open_hdf5(self.path) as file, damage(self.path):
            if text(file.attrs["run"]) != self.header.names.run:
                raise StoreError(f"{self.path} was replaced by another run since it was opened: load it again.")
            yield file

    def _read_done(self) -> NDArray[np.bool_]:
        with self._reading() as file:
            return np.asarray(file["done"][()]).astype(bool)

    def _open_journal(self) -> Journal | None:
        if self.folded:
            return None
        path = journal_path(self.path)
        if self._lock is None and not path.exists():
            return None
        return Journal(path, self.header.names.events, self.plan.fields.ragged, write=self._lock is not None)


def _carry(old: FileStore, part: Path, header: Header) -> None:
    """Write the chunks that two files have in common into the new one; damaged ones are left to be run again."""
    mine, theirs = header.plan.grid, old.plan.grid
    journal = None
    if header.plan.fields.ragged:
        journal_path(part).unlink(missing_ok=True)
        journal = Journal(journal_path(part), header.names.events, header.plan.fields.ragged, write=True)
    places = Places(header, os.open(part, os.O_RDWR), journal)
    try:
        sums, seconds = old.checksums(), old.seconds()
        for k in np.flatnonzero(old.done).tolist():
            if theirs.first == mine.first and mine.bounds(mine.first + k) == theirs.bounds(theirs.first + k):
                stored = old.intact(k, int(sums[k]))
                if stored is not None:
                    places.commit(k, stored, float(seconds[k]), int(sums[k]))
        places.write("provenance/wall_time", np.array([old.wall_time()], dtype="<f8"), 0, 8)
    finally:
        places.close()
