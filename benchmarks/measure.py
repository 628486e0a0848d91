"""What the benchmarks share: one BLAS thread, processor time, the check of the physics, and how a table is written."""

from collections.abc import Callable
import json
import math
import os
from pathlib import Path
import platform
import time
from typing import Any

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ |= THREADS  # before anybody loads a BLAS

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

LIMIT = 4.5
"""Standard errors beyond which a timing is void."""


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Processor time in seconds, and the result."""
    began = time.process_time()
    result = function(*arguments)
    return time.process_time() - began, result


def z_of_mean(values: NDArray[np.float64], mean: float, variance: float) -> float:
    """Deviation of the mean of `values` in standard errors of the exact distribution."""
    return float((values.mean() - mean) / math.sqrt(variance / len(values)))


def cpu() -> str:
    """Name of the processor, and the widest vectors it has."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    width = next((name for flag, name in (("avx512f", "512-bit"), ("avx2", "256-bit")) if flag in flags), "")
    return ", ".join(filter(None, [names[0] if names else platform.processor(), width and f"{width} vectors"]))


def pinned() -> None:
    """Stay on one core from here on; child processes inherit it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def peak_memory() -> float:
    """Largest resident set of this process so far in MB; `getrusage` would tell that of its parent if it was larger."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table whose columns are the keys of the first row."""
    names = list(rows[0])
    lines = [names, ["---"] + ["---:"] * (len(names) - 1)]
    lines += [[_cell(row.get(name, "")) for name in names] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def save(out: Path, title: str, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Print the tables; write them as Markdown and JSON beside each other."""
    import collide

    parts = [f"## {title}", f"{cpu()}; Python {platform.python_version()}; collide {collide.__version__}"]
    parts += [f"**{name}**\n\n{markdown(rows)}" for name, rows in tables.items()]
    text = "\n\n".join(parts) + "\n"
    print(text)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".md").write_text(text)
    machine = {"cpu": cpu(), "python": platform.python_version(), "numpy": np.__version__}
    out.with_suffix(".json").write_text(json.dumps({"machine": machine, "tables": tables}, indent=1) + "\n")
