"""The journal: ragged records of a run under way, whose lengths nobody knows beforehand.

An HDF5 file that grows can be damaged when its writer is killed; a file to which whole entries are appended cannot: the
head of an entry is written last, and what no head stands before is cut off.  Damage inside an entry shows in the
chunk's checksum, which lies in the HDF5 file.  When all chunks are there the entries are folded into the HDF5 file in
the order of the grid, and the journal is removed.

Layout, little-endian: 16 bytes ``collide journal1``, 32 bytes of the journal's name; then per chunk ``CHNK``, four
empty bytes, chunk number, number of ragged entries, number of bytes (4s 4x q q q), and the flat columns.  Zeros may
follow the last entry: space is claimed ahead.
"""

from collections.abc import Iterator, Sequence
import os
from pathlib import Path
import struct
from weakref import finalize

import numpy as np

from collide.records import Array, Field

from .disk import announce, claim, write_at

MAGIC = b"collide journal1"
HEADER = struct.Struct("<16s32s")
ENTRY = struct.Struct("<4s4xqqq")
AHEAD = 1 << 26  # bytes that are claimed ahead at most


class Journal:
    """Ragged records of finished chunks in order of completion.

    Parameters
    ----------
    path : Path
    name : str
        32 hexadecimal digits that tie the journal to its HDF5 file.
    fields : sequence of Field
        The flat columns.
    write : bool
        Open for appending; what follows the last whole entry is cut off, now and by `trim`.
    """

    def __init__(self, path: Path, name: str, fields: Sequence[Field], *, write: bool) -> None:
        self.path, self.fields = path, tuple(fields)
        self.index: dict[int, tuple[int, int]] = {}  # chunk -> offset of its data, number of ragged entries
        self._fd = os.open(path, (os.O_RDWR | os.O_CREAT) if write else os.O_RDONLY, 0o644)
        self._release = finalize(self, os.close, self._fd)  # with the last reference, if nobody calls `close`
        self._end = self._scan(name)
        self._claimed = self._end
        if write:
            self._begin(name)

    def _scan(self, name: str) -> int:
        """Index the whole entries; return where the next one goes."""
        if os.pread(self._fd, HEADER.size, 0) != HEADER.pack(MAGIC, name.encode()):
            return 0  # new, torn at birth, or left behind by a run that was overwritten
        end, offset = os.fstat(self._fd).st_size, HEADER.size
        while offset + ENTRY.size <= end:
            tag, chunk, entries, nbytes = ENTRY.unpack(os.pread(self._fd, ENTRY.size, offset))
            data = offset + ENTRY.size
            if tag != b"CHNK" or nbytes < 0 or data + nbytes > end:
                break
            self.index[chunk] = (data, entries)
            offset = data + nbytes
        return offset

    def _begin(self, name: str) -> None:
        self.trim()
        if self._end == 0:
            write_at(self._fd, HEADER.pack(MAGIC, name.encode()), 0, "journal header")
            self._end = self._claimed = HEADER.size

    def trim(self) -> None:
        """Let go of what follows the last whole entry."""
        if os.fstat(self._fd).st_size != self._end:
            announce("journal truncate")
            os.ftruncate(self._fd, self._end)
        self._claimed = self._end

    def append(self, chunk: int, arrays: Sequence[Array]) -> None:
        """Add the flat columns of one chunk.

        Raises
        ------
        OSError
            If the disk is full; the journal is as it was before.
        """
        entries, nbytes = len(arrays[0]), sum(a.nbytes for a in arrays)
        start = offset = self._end + ENTRY.size
        self._claim(start + nbytes)
        for array in arrays:
            write_at(self._fd, array, offset, "journal data")
            offset += array.nbytes
        write_at(self._fd, ENTRY.pack(b"CHNK", chunk, entries, nbytes), self._end, "journal entry")
        self.index[chunk], self._end = (start, entries), offset  # only now: the next entry overwrites a torn one

    def _claim(self, end: int) -> None:
        """Claim space up to `end`, and as much again if there is room."""
        if end <= self._claimed:
            return
        ahead = end + min(end, AHEAD)
        try:
            claim(self._fd, self._claimed, ahead)
        except OSError:
            ahead = end
            claim(self._fd, self._claimed, ahead)
        self._claimed = ahead

    @property
    def fd(self) -> int:
        """The open file."""
        return self._fd

    def extents(self, chunk: int) -> Iterator[tuple[Field, int, int]]:
        """Each flat column of one chunk, where its bytes begin, and how many they are."""
        offset, entries = self.index[chunk]
        for f in self.fields:
            yield f, offset, entries * f.nbytes
            offset += entries * f.nbytes

    def read(self, chunk: int) -> list[Array]:
        """The flat columns of one chunk."""
        entries = self.index[chunk][1]
        return [
            np.frombuffer(_read_all(self._fd, nbytes, offset), dtype=f.disk_dtype).reshape(entries, *f.disk_shape)
            for f, offset, nbytes in self.extents(chunk)
        ]

    def sync(self) -> None:
        """Force what was appended to the disk."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Let go of the file."""
        self._release()


def _read_all(fd: int, nbytes: int, offset: int) -> bytes:
    """`os.pread` moves at most two gigabytes at once."""
    pieces = []
    while nbytes:
        piece = os.pread(fd, min(nbytes, 1 << 30), offset)
        if not piece:
            raise OSError("the journal ends early")
        pieces.append(piece)
        nbytes, offset = nbytes - len(piece), offset + len(piece)
    return b"".join(pieces)
