"""Where records live: in memory, or in an HDF5 file that is its own checkpoint.

`MemoryStore` and `FileStore` answer to the same few words (`commit`, `done`, `rows`, `partials`, `ragged`), so nothing
above knows which of the two it reads.
"""

from .file import FileStore
from .lock import LockedError
from .memory import MemoryStore
from .pack import copy_chunks, write_packed
from .plan import Plan, StoredProgram
from .reading import StoreError

__all__ = [
    "FileStore",
    "LockedError",
    "MemoryStore",
    "Plan",
    "StoreError",
    "StoredProgram",
    "copy_chunks",
    "write_packed",
]
