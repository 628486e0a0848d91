"""A program without physics for tests of storage and running: every record is a simple function of (seed, id).

`install` puts it in the place of the real engine in this process; worker processes do the same through an initializer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import hashlib
import json
import multiprocessing
import os
import signal
import time
from typing import Any

import numpy as np

import collide.program as engine
from collide.records import Chunk, Field

KEEP = ("totals", "jumps", "final_state")
SLIM = ("slim", "jumps")  # as few writes in a chunk as there are kinds of them


class FakeProgram:
    """Two baths, three stops, one observable; the arrays scale and delay the records."""

    def __init__(self, kind: str, arrays: dict[str, Any], meta: dict[str, Any], model: dict[str, Any]) -> None:
        self.kind, self.arrays, self.meta, self.model = kind, arrays, meta, model

    @classmethod
    def from_arrays(cls, kind: str, arrays: Any, meta: Any, model: Any = None) -> "FakeProgram":
        return cls(kind, dict(arrays), dict(meta), dict(model or {}))

    @property
    def identity(self) -> str:
        digest = hashlib.sha256(self.kind.encode())
        for name in sorted(self.arrays):
            digest.update(name.encode() + np.ascontiguousarray(self.arrays[name]).tobytes())
        digest.update(json.dumps({k: v for k, v in self.meta.items() if k != "recipe"}, sort_keys=True).encode())
        return digest.hexdigest()

    @property
    def tlist(self) -> Any:
        return self.arrays["tlist"]

    def columns(self) -> tuple[Field, ...]:
        fields = [
            Field("initial", "i4", (), (), "1", "opening outcome"),
            Field("counts", "i4", ("count",), (3,), "1", "exchanges"),
            Field("heat", "f8", ("bath",), (2,), "energy", "heat into the system"),
            Field("energy_change", "f8", (), (), "energy", "E_f - E_i"),
            Field("work", "f8", (), (), "energy", "the rest"),
            Field("status", "u1", (), (), "1", "0 where sound"),
        ]
        if "slim" in self.meta["keep"]:
            return tuple(f for f in fields if f.name in ("heat", "status"))
        if "final_state" in self.meta["keep"]:
            fields.append(Field("final_state", "c16", ("level",), (2,), "1", "ket"))
        return tuple(fields)

    def partials(self) -> tuple[Field, ...]:
        fields = (
            Field("expect_sum", "f8", ("time", "e_op", "power"), (3, 1, 2), "1", "sums"),
            Field("heat_power_sums", "f8", ("time", "bath", "order"), (3, 2, 4), "energy^k", "sums of powers"),
            Field("heat_pair_sums", "f8", ("time", "pair"), (3, 1), "energy^2", "sums of products"),
            Field("rho_sum", "c16", ("time", "row", "column"), (3, 2, 2), "1", "summed states"),
        )
        return fields[:1] if "slim" in self.meta["keep"] else fields

    def ragged(self) -> tuple[Field, ...]:
        if "jumps" not in self.meta["keep"]:
            return ()
        return (
            Field("jump_time", "f8", (), (), "time", "when"),
            Field("jump_channel", "i4", (), (), "1", "which"),
        )


def make(
    scale: float = 1.0,
    keep: tuple[str, ...] = KEEP,
    delay: float = 0.0,
    fail_at: int = -1,
    die_at: int = -1,
    burst: int = 5,
) -> FakeProgram:
    """A program.

    `scale` changes the records, `delay` seconds pass in each chunk, trajectory `fail_at` raises, `die_at` kills the
    worker process that runs it, and a trajectory has fewer than `burst` events.
    """
    arrays = {
        "tlist": np.array([1.0, 2.0, 3.0]),
        "scale": np.array([scale]),
        "delay": np.array([delay]),
        "fail_at": np.array([fail_at]),
        "die_at": np.array([die_at]),
        "burst": np.array([burst]),
        "operator": np.array([[0, 1j], [-1j, 0]]),
        "flags": np.array([True, False]),
        "nothing": np.zeros((0, 4)),
    }
    recipe = {"machine": "fake", "parameters": {"scale": scale}}
    meta = {"baths": ["L", "R"], "e_ops": ["n"], "keep": list(keep), "tau": None, "recipe": recipe}
    return FakeProgram("fake", arrays, meta, {"H": np.diag([0.0, 1.0])})


def run_chunk(program: FakeProgram, seed: int, start: int, stop: int) -> Chunk:
    """Records that depend on nothing but the program, the seed and the id."""
    scale, delay, fail_at = (program.arrays[k].item() for k in ("scale", "delay", "fail_at"))
    if start <= fail_at < stop:
        raise RuntimeError(f"trajectory {fail_at} was told to fail")
    if start <= program.arrays["die_at"].item() < stop and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(delay)
    draws = np.stack([np.random.Generator(np.random.Philox(key=[seed, k])).random(8) for k in range(start, stop)])
    n = stop - start
    heat = scale * draws[:, :2]
    history = np.cumsum(np.stack([heat, 0.5 * heat, 0.25 * heat], axis=1), axis=1)  # (n, time, bath)
    state = draws[:, 4:6] + 1j * draws[:, 6:8]
    columns = {
        "initial": np.arange(start, stop, dtype=np.int32) % 3,
        "counts": np.floor(10 * draws[:, 1:4]).astype(np.int32),
        "heat": history[:, -1],
        "energy_change": draws[:, 3],
        "work": draws[:, 3] - history[:, -1].sum(axis=1),
        "status": np.zeros(n, dtype=np.uint8),
    }
    if "final_state" in program.meta["keep"]:
        columns["final_state"] = state
    values = np.repeat(draws[:, 2][:, None], 3, axis=1)
    partial = {
        "expect_sum": np.stack([values.sum(axis=0), (values**2).sum(axis=0)], axis=-1)[:, None, :],
        "heat_power_sums": np.stack([(history**k).sum(axis=0) for k in range(1, 5)], axis=-1),
        "heat_pair_sums": (history[..., 0] * history[..., 1]).sum(axis=0)[:, None],
        "rho_sum": np.repeat((state[:, :, None] * state[:, None, :].conj()).sum(axis=0)[None], 3, axis=0),
    }
    ragged = {}
    if "jumps" in program.meta["keep"]:
        sizes = np.floor(program.arrays["burst"] * draws[:, 0]).astype(np.int64)
        ragged = {
            "row_size": sizes,
            "jump_time": np.concatenate([np.linspace(0, draws[i, 1], sizes[i]) for i in range(n)]),
            "jump_channel": np.concatenate([np.arange(s, dtype=np.int32) for s in sizes]).astype(np.int32),
        }
    return Chunk(start, stop, columns, partial, ragged)


def replay(program: FakeProgram, seed: int, trajectory: int, times: Any = None) -> Chunk:
    return run_chunk(program, seed, trajectory, trajectory + 1)


def install() -> None:
    """Replace the engine of this process."""
    for name, value in replacements().items():
        setattr(engine, name, value)


def replacements() -> dict[str, Callable[..., Any] | type]:
    return {"Program": FakeProgram, "run_chunk": run_chunk, "replay": replay}


@contextmanager
def installed() -> Iterator[None]:
    """Replace the engine for a while."""
    before = {name: getattr(engine, name, None) for name in replacements()}
    install()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                delattr(engine, name)
            else:
                setattr(engine, name, value)


def same_bits(a: Any, b: Any) -> bool:
    """Whether two ensembles hold the same data, bit for bit, down to partial sums and events."""
    if a.ntraj != b.ntraj or a.columns != b.columns:
        return False
    pairs = [(a.column(name), b.column(name)) for name in a.columns]
    pairs += [(e.value, b.expect[name].value) for name, e in a.expect.items()]
    for x, y in zip(a.chunks(), b.chunks(), strict=True):
        pairs += [(x.partial[name], y.partial[name]) for name in x.partial]
        pairs += [(x.ragged[name], y.ragged[name]) for name in x.ragged]
    return all(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in pairs)
