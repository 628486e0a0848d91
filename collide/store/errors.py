"""The operating system's errors, as one sentence that names the file and the remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
import errno
from pathlib import Path

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would exceed the limit on file sizes (`ulimit -f`)",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EIO: "the disk reports an input/output error",
    errno.ENOTDIR: "part of the path is not a folder",
    errno.EISDIR: "it is a folder",
}


def failure(number: int, sentence: str) -> OSError:
    """An OSError of the right kind for an error number that reads as one sentence, without the number in front."""
    kind = PermissionError if number in (errno.EACCES, errno.EPERM, errno.EROFS) else OSError
    error = kind(sentence)
    error.errno = number
    return error


@contextmanager
def friendly(path: Path, advice: str = "nothing was written; choose another place or make room") -> Iterator[None]:
    """Explain an error of the operating system that has no sentence of its own yet."""
    try:
        yield
    except OSError as error:
        if error.strerror is None:  # our own words
            raise
        if not path.parent.exists():
            raise FileNotFoundError(
                f"folder {path.parent} does not exist: create it, or write somewhere else."
            ) from None
        reason = _REASONS.get(error.errno or 0, str(error))
        raise failure(error.errno or 0, f"{path} cannot be written: {reason}; {advice}.") from error
