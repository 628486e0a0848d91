"""The operating system's errors, as one sentence that names the file and the remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
import errno
from pathlib import Path

from .layout import StoreError
from .lock import LockedError

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would exceed the limit on file sizes (`ulimit -f`)",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EIO: "the disk reports an input/output error",
    errno.ENOTDIR: "part of the path is not a folder",
}


@contextmanager
def friendly(path: Path, advice: str = "nothing was written; choose another place or make room") -> Iterator[None]:
    """Turn the operating system's errors into one sentence that names the file and the remedy."""
    try:
        yield
    except (FileExistsError, LockedError, StoreError):
        raise
    except FileNotFoundError as error:
        if not path.parent.exists():
            raise FileNotFoundError(
                f"folder {path.parent} does not exist: create it, or write somewhere else."
            ) from None
        raise FileNotFoundError(f"{path} cannot be written: {error}.") from error
    except OSError as error:
        if error.errno in (errno.EFBIG, errno.ENOSPC) and error.strerror and str(path) in error.strerror:
            raise OSError(error.errno, f"{error.strerror}.") from None
        reason = _REASONS.get(error.errno or 0, str(error))
        kind = PermissionError if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else OSError
        raise kind(error.errno, f"{path} cannot be written: {reason}; {advice}.") from error
