"""A bit of a file flipped anywhere: the run is mended to the same bits, or refused in one sentence; never a crash."""

from collections import Counter
from collections.abc import Iterator
import os
from pathlib import Path
import warnings

import numpy as np
import pytest

from collide.ensemble import resume, run_program
from collide.store import StoreError
import fake_program
from fake_program import make, same_bits

pytestmark = pytest.mark.verification


@pytest.fixture(autouse=True)
def engine() -> Iterator[None]:
    with fake_program.installed():
        yield


def outcome(path: Path, data: bytes, reference: Path) -> str:
    """What becomes of a damaged file, tried in a process of its own."""
    path.write_bytes(data)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        warnings.simplefilter("ignore")
        try:
            same = same_bits(resume(path, threads=1, progress=False), resume(reference, threads=1, progress=False))
            os.write(write, b"mended" if same else b"other data")
        except (StoreError, ValueError) as error:
            os.write(write, b"refused" if "\n" not in str(error) else b"refused at length")
        except BaseException as error:
            os.write(write, repr(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as f:
        said = f.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return said if status == 0 else f"exit status {status}"


def test_a_thousand_flipped_bits(tmp_path: Path) -> None:
    good = tmp_path / "good.h5"
    run_program(make(), 20, 7, chunk_size=8, threads=1, out=good)
    data, generator = good.read_bytes(), np.random.default_rng(1)
    found: Counter[str] = Counter()
    for place, bit in zip(generator.integers(len(data), size=1000), generator.integers(8, size=1000), strict=True):
        flipped = data[:place] + bytes([data[place] ^ (1 << int(bit))]) + data[place + 1 :]
        found[outcome(tmp_path / "bad.h5", flipped, good)] += 1
    assert set(found) == {"mended", "refused"}
    assert min(found.values()) > 50
