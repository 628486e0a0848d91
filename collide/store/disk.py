"""The few ways in which bytes reach the disk, each announced to a fault point before it happens.

A test sets `before_write` to a function that ends the process at the n-th call.  What is announced is the whole list of
instants at which a file can be left behind: creation, every write, truncation, rename and removal.
"""

from collections.abc import Callable
import errno
import os
from pathlib import Path
import resource

from collide.records import Array

from .errors import failure

before_write: Callable[[str], None] | None = None


def announce(what: str) -> None:
    """Tell the fault point that the file system is about to change."""
    if before_write is not None:
        before_write(what)


def write_at(fd: int, data: "Array | bytes", offset: int, what: str) -> None:
    """Write all of `data`, a contiguous array or bytes, at `offset`."""
    view = memoryview(data) if isinstance(data, bytes) else data.data
    if view.nbytes == 0:
        return
    announce(what)
    written = os.pwrite(fd, view, offset)
    while written < view.nbytes:  # a write may be cut short by a signal or a nearly full disk
        written += os.pwrite(fd, view.cast("B")[written:], offset + written)


def copy_range(source: int, begin: int, target: int, offset: int, nbytes: int, what: str) -> None:
    """Copy bytes from file to file, in pieces that stay in the processor's cache."""
    if nbytes:
        announce(what)
    buffer = memoryview(bytearray(min(nbytes, 1 << 18)))
    while nbytes:
        count = os.preadv(source, [buffer[:nbytes]], begin)
        if count == 0:
            raise OSError("a file ends early while it is copied")
        write = os.pwrite(target, buffer[:count], offset)
        begin, offset, nbytes = begin + write, offset + write, nbytes - write


def replace(source: Path, target: Path, *, sync: bool = True) -> None:
    """Give a complete file its final name; on the disk before and after, where it takes the place of something."""
    if sync:
        with open(source, "rb") as f:
            os.fsync(f.fileno())
    announce(f"rename {target.suffix}")
    os.replace(source, target)
    if sync:
        _sync_folder(target.parent)


def remove(path: Path) -> None:
    """Delete a file if it is there."""
    if path.exists():
        announce(f"remove {path.suffix}")
        path.unlink(missing_ok=True)


def claim(fd: int, begin: int, end: int) -> None:
    """Claim the disk space behind bytes of a file: later writes cannot find the disk full, and take half the time."""
    announce("claim")
    os.posix_fallocate(fd, begin, end - begin)


def check_room(folder: Path, nbytes: int, path: Path) -> None:
    """Refuse to begin a file that will not fit.

    Raises
    ------
    OSError
        If the disk, or the limit on file sizes, leaves less than `nbytes`.
    """
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and nbytes > limit:
        raise failure(
            errno.EFBIG, f"{path} needs {size(nbytes)}, but the limit on file sizes is {size(limit)}: see `ulimit -f`."
        )
    usage = os.statvfs(folder)
    free = usage.f_bavail * usage.f_frsize
    if nbytes > free:
        raise failure(errno.ENOSPC, f"{path} needs {size(nbytes)}, but {folder} has {size(free)} left: make room.")


def size(nbytes: float) -> str:
    """A number of bytes for humans.

    >>> size(123456789)
    '123.5 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}" if unit == "B" else f"{nbytes:.1f} {unit}"
        nbytes /= 1000
    return f"{nbytes:.1f} TB"


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError:  # some network file systems cannot sync a folder; the rename itself is still atomic
        pass
    finally:
        os.close(fd)
