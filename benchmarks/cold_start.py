"""A process from nothing to 1000 trajectories of W1, and what compilation costs: collide beside QuTiP.

Cold: a new interpreter imports the package, takes kernels from their cache, runs and leaves; everything it does is
charged in processor time, as in QuTiP's process (``mcsolve(method="diag")``, the fastest it has here).  Compilation:
the same process with an empty cache, for models of different engines; what is beyond the cached run is compilation.

    python benchmarks/cold_start.py
"""

import argparse
import os
from pathlib import Path
import resource
import statistics
import subprocess
import sys
import tempfile
from typing import Any

from measure import pinned, save

HERE = Path(__file__).resolve().parent
OURS = "w1_jumps.compile_and_run(w1_jumps.collide_model(0.05), 1000, 1)"
WHOLE = "w1_jumps.whole_round(0.05, 1000, 1)"
THEIRS = "w1_jumps.qutip_round(0.05, 1000, 1, 'diag')"
RUN = (
    "from collide.machines import registry; from collide.program import compile_program; "
    "from collide.ensemble import run_program; "
    "run_program(compile_program(registry()[{machine!r}](**{settings!r}), 1.0, labels={labels!r}), 4, 0, threads=1)"
)
KINDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "jumps": ("rectifier", {}, "heat"),
    "jumps, classical": ("ising", {}, "heat"),
    "jumps with a load": ("rotor", {"l_min": -8, "l_max": 8}, "heat"),
    "collisions, labels='heat'": ("rectifier", {"picture": "collision", "tau": 0.5}, "heat"),
    "collisions, labels='all'": ("rectifier", {"picture": "collision", "tau": 0.5}, "all"),
}


def seconds_of(code: str, cache: str | None = None) -> float:
    """Processor time of a new interpreter that runs `code`."""
    environment = os.environ | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-W", "ignore", "-c", f"import sys; sys.path.insert(0, {str(HERE)!r}); {code}"]
    subprocess.run(command, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def cold(rounds: int) -> list[dict[str, Any]]:
    """Ours and theirs in turn."""
    parties = {"collide": f"import w1_jumps; {OURS}", "QuTiP diag": f"import w1_jumps; {THEIRS}"}
    parties["collide, by `collide.run`"] = f"import w1_jumps; {WHOLE}"
    parties["collide, import alone"] = "import collide"
    taken: dict[str, list[float]] = {name: [] for name in parties}
    for round_ in range(rounds + 1):
        for name, code in parties.items():
            seconds = seconds_of(code)
            if round_:  # the first one fills caches
                taken[name].append(seconds)
    ratios = {name: [a / b for a, b in zip(times, taken["collide"], strict=True)] for name, times in taken.items()}
    return [
        {"process": name, "seconds": statistics.median(times), "ratio": statistics.median(ratios[name])}
        for name, times in taken.items()
    ]


def compilation() -> list[dict[str, Any]]:
    """Seconds of a first run with an empty cache and with a full one."""
    rows = []
    for name, (machine, settings, labels) in KINDS.items():
        code = RUN.format(machine=machine, settings=settings, labels=labels)
        with tempfile.TemporaryDirectory() as cache:
            first, second = seconds_of(code, cache), seconds_of(code, cache)
        rest = seconds_of("import collide.machines, collide.ensemble")
        rows.append({"program": name, "first": first, "cached": second, "compilation": first - second} | {
            "loading and running": second - rest
        })  # fmt: skip
    return rows


def main() -> None:
    """Print the tables and save them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "cold_start")
    options = parser.parse_args()
    pinned()
    tables = {
        "A cold process with cached kernels, 1000 trajectories of W1": cold(options.rounds),
        "Seconds of processor time of a first run": compilation(),
    }
    save(options.out, "Cold start and compilation", tables)


if __name__ == "__main__":
    main()
