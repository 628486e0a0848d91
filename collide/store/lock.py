"""One writer at a time, by a lock that the kernel forgets when its holder dies.

The lock sits on a file of its own beside the data, because the data file is replaced by rename and because HDF5 locks
data files for its own purposes.  A crash may leave that file behind, never the lock: the next writer takes it over.
"""

import errno
import fcntl
import os
from pathlib import Path
import warnings
from weakref import WeakSet


class LockedError(RuntimeError):
    """Another process is writing the file."""


class Lock:
    """Exclusive right to write `path`, held until `release`.

    Raises
    ------
    LockedError
        If another process, or another run of this process, holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(path.name + ".lock")
        self._fd = self._acquire(path)
        _held.add(self)

    def _acquire(self, path: Path) -> int:
        while True:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
                    holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "?"
                    os.close(fd)
                    raise LockedError(
                        f"{path} is being written by another process (pid {holder}): wait until it ends, or stop it."
                    ) from None
                warnings.warn(
                    f"{path.parent} cannot lock files: make sure that no other process writes {path}.", stacklevel=4
                )
            if self._still_there(fd):
                os.ftruncate(fd, 0)
                os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
                return fd
            os.close(fd)  # the former holder removed the file between our open and our lock

    def _still_there(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), os.stat(self.path))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let others write; removing the file first, so that nobody locks a file that is about to vanish."""
        if self._fd >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1

    def forget(self) -> None:
        """Close our copy in a forked child: a worker that outlives the writer must not hold its lock."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


_held: "WeakSet[Lock]" = WeakSet()


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_forget_all)
