"""Floating-point operations of our searches and gates, counted from tables and from records, as a share of the peak.

A fused multiply-add counts as two.  The records of a few trajectories tell in which blocks they wait and how long; the
tables tell what a wait costs there.  Only what a lane's own search asks for is counted: not the tables, the random
numbers, the ways in and out of the lanes, the root of the norm, nor work on lanes that are empty or already there.  All
of that is in the time, so that a share is a lower bound.
"""

from typing import Any

from fma_peak import fma_peak  # first, for it caps the BLAS that NumPy loads
import numpy as np
from numpy.typing import NDArray

from collide.engines import ENGINES, jump_tables, wide_tables
from collide.kernels.power_tables import by_three
from collide.kernels.wide_tables import SCALE, TURN

SAMPLE = 64
"""Trajectories that tell where time is spent."""
THRESHOLDS = (np.arange(1024) + 0.5) / 1024


def share_of_peak(program: Any, seconds: float) -> float:
    """Share of what the core's multiply-adds could do in the time of a trajectory; `program` keeps its jumps."""
    count = period_operations if program.kind == "gates" else jump_operations
    return count(program) / seconds / fma_peak()


def jump_operations(program: Any) -> float:
    """Operations of a trajectory of quantum jumps."""
    tables = jump_tables(program) if program.kind == "jumps" else wide_tables(program)
    waits = waits_by_block(program, float(program.arrays["times"][-1]))
    return sum(search_operations(tables, b, lengths) for b, lengths in waits.items()) / SAMPLE


def waits_by_block(program: Any, end: float, unit: float = 1.0) -> dict[int, NDArray[np.float64]]:
    """Block -> lengths of the waits in it, the last one of a trajectory up to the end; times are divided by `unit`."""
    raw = ENGINES[program.kind](program, 1, 0, SAMPLE)
    target, opened = program.arrays["target"], program.arrays["initial_block"][raw["initial"]]
    found: dict[int, list[float]] = {}
    place = 0
    for here, count in zip(opened.tolist(), raw["row_size"].tolist(), strict=True):
        now = 0.0
        for k in range(place, place + count):
            time = float(raw["jump_time"][k]) / unit
            found.setdefault(here, []).append(time - now)
            here, now = int(target[raw["jump_channel"][k], here]), time
        found.setdefault(here, []).append(end - now)
        place += count
    return {b: np.array(lengths) for b, lengths in found.items()}


def search_operations(tables: Any, b: int, lengths: NDArray[np.float64]) -> float:
    """Operations of all searches that waits of such lengths in block b take; a block of one state needs none."""
    here = tables.block[b]
    if here["size"] == 1:
        return 0.0
    levels, first = int(here["levels"]), int(here["first_level"])
    descent = np.cumsum([0.0, *(level_operations(tables, b, k) for k in range(levels))])
    rest = ending_operations(tables, b)
    if here["pace"] > 0.0:  # each from the level of its own threshold; those that begin again are left out
        tops = np.floor(np.log2(-np.log(THRESHOLDS) * here["pace"])).clip(0, levels - 1).astype(int)
        return len(lengths) * (float(descent[tops + 1].mean()) + rest)
    beyond = np.maximum(lengths / here["step"] - 2.0 ** (first + 1), 0.0)
    again = float(np.ceil(beyond / 2.0**levels).sum())  # from the highest level
    return float(len(lengths) * (descent[first + 1] + rest) + again * (descent[-1] + rest))


def level_operations(tables: Any, b: int, level: int) -> float:
    """A product with a power, or the Chebyshev series of sparse products in its place, and the norm."""
    n = int(tables.block[b]["width"])
    if is_marching(tables, b):
        most = (len(tables.series_start) - 1) // len(tables.block)
        terms = int(np.diff(tables.series_start)[b * most + level])
        return (terms - 1) * (2.0 * row_entries(tables, b) + 4.0 * n) + 3.0 * n
    return (1.5 if by_three.py_func(n, tables.parts) else 2.0) * n * n + 3.0 * n


def ending_operations(tables: Any, b: int) -> float:
    """The Taylor series inside a step, the polynomial of its norm, the state at the jump and the rates of the exits."""
    here = tables.block[b]
    n, order, degree = int(here["width"]), int(here["order"]), int(here["degree"])
    series = order * (2.0 * row_entries(tables, b) + n)
    tiles = sum(len(range(i, min(order, degree - i) + 1, 2)) for i in range(0, order + 1, 2))
    return series + 8.0 * n * tiles + 2.0 * order * n + exit_operations(tables, b)


def exit_operations(tables: Any, b: int) -> float:
    """Rates of all exits of a block."""
    exits = tables.exit[tables.block[b]["exit_first"] : tables.block[b]["exit_end"]]
    return 2.0 * float(np.sum(exits["end"].astype(float) - exits["first"]))


def is_marching(tables: Any, b: int) -> bool:
    """Whether a block is searched by products with sparse rows."""
    return bool(hasattr(tables, "marching") and tables.marching[b])


def row_entries(tables: Any, b: int) -> int:
    """Entries of what acts while a state waits in block b."""
    groups = tables.rows.group[tables.rows.first[b] : tables.rows.first[b + 1]]
    return int(np.sum(groups["length"] * (groups["end"] - groups["first"])))


def period_operations(program: Any) -> float:
    """Operations of a trajectory of collisions by gates; where every label is drawn, exits count in every period."""
    tables, total = wide_tables(program), 0.0
    waits = waits_by_block(program, float(program.arrays["times"][-1]), float(program.meta["tau"]))
    for b, lengths in waits.items():
        if tables.block[b]["size"] > 1:
            elected = float(len(lengths) if row_entries(tables, b) else lengths.sum())
            period = gate_operations(tables, b) + null_operations(tables, b)
            total += float(lengths.sum()) * period + elected * exit_operations(tables, b)
    return total / SAMPLE


def gate_operations(tables: Any, b: int) -> float:
    """All gates of a period: of a coordinate that is scaled one, of a pair that is turned six."""
    moves = len(tables.move)
    places = np.diff(tables.orbit_start[b * moves : (b + 1) * moves + 1]).astype(float)
    kinds, sizes = tables.move["kind"], tables.move["size"]
    return float(np.sum(places * np.where(kinds == SCALE, 1.0, np.where(kinds == TURN, 3.0, 2.0 * sizes))))


def null_operations(tables: Any, b: int) -> float:
    """The null operator and the norm it leaves."""
    n, entries = int(tables.block[b]["width"]), row_entries(tables, b)
    if tables.diagonal[b]:
        return 4.0 * n
    return 2.0 * entries + 2.0 * n if entries else 0.0
