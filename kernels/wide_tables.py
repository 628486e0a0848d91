r"""Programs of states too wide for matrices: every operator as its entries, blocks of thousands of basis states.

Two processes share this form.  In the jumps of a Lindblad equation a state waits under :math:`H_{\rm eff}`, by products
of sparse rows with sixteen states (`march`) or, in small blocks, by tabulated powers.  In collisions on a chain of
gates it waits period by period (`gates`): all gates, then the null operator of the ancillas.

The memory is that of the operators' entries and of some hundred states; no matrix of a block is ever formed but in
blocks so small that tables are cheaper.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .chebyshev import coefficients, radius_of
from .event_tables import _decays
from .jump_tables import (
    _ORDERS,
    BLOCK,
    ELEMENT,
    ENTRY,
    _cheapest_shift,
    _closings,
    _exits,
    _first_level,
    _levels,
    _power_of_two_below,
    _step,
    _tabulate,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

PHASE, TURN, MIX = 0, 1, 2  # kinds of moves
SHIFT = 1  # a base step of a sparse block is no longer than 2^-SHIFT / |H_eff|
LONGEST = 32.0  # longest stride of a march times |H_eff|: beyond it a Chebyshev series gains little
TRAJECTORIES = 1000  # over which a table is thought to pay for itself

MOVE = np.dtype(
    [
        ("kind", np.int64),
        ("size", np.int64),  # states that it connects
        ("value", np.int64),  # place of its matrix, row by row; of a turn: cos + i sin
    ]
)


class WideProgram(NamedTuple):
    """What the compiler hands over; sizes are named as in `JumpProgram`, d states in all blocks together.

    Flat coordinate ``first(b) + a`` stands for coordinate a of block b, first(b) the sizes of the blocks before it.

    Attributes
    ----------
    size, basis, target, jump_start, jump_row, jump_column, jump_value, count, quantum, initial_cdf, initial_block
        As in `JumpProgram`; the jumps of collisions are the events of a period, after its gates.
    wait_start, wait_column, wait_value : (d + 1,), (entries,), (entries,)
        Rows of H_eff, or of the null operator of a period's collisions.
    initial_start, initial_place, initial_value : (ni + 1,), (entries,), (entries,)
        Opening kets, by their entries.
    final_block, final_start, final_place, final_value : (nf,), (nf + 1,), (entries,), (entries,)
        Closing kets; those of a block are an orthonormal basis of it.
    final_energy : (nf,) float64
    look_start, look_column, look_value : ((1 + nops) d + 1,), (entries,), (entries,)
        Rows of the energy and of the observables, one operator after the other.
    move : (moves,) MOVE
        What the gates of a period do, in order: each multiplies some amplitudes by a phase (kind 0), turns some pairs
        by [[c, -i s], [-i s, c]] (1) or mixes some groups by a small matrix (2).  Empty in a continuous process.
    move_value : (values,) complex128
    orbit_start : (nb * moves + 1,) int64
        Where the places of move k in block b begin in `orbit`: ``orbit_start[b * moves + k]``.
    orbit : (places,) int64
        Coordinates, `size` of them for each group.
    times : (ntime,) float64
        Stops; in periods if there are gates.
    """

    size: Ints
    basis: Ints
    target: Ints
    jump_start: Ints
    jump_row: Ints
    jump_column: Ints
    jump_value: Complexes
    count: Ints  # type: ignore[assignment]  # a tuple's own `count` is of no use here
    quantum: Floats
    initial_cdf: Floats
    initial_block: Ints
    initial_start: Ints
    initial_place: Ints
    initial_value: Complexes
    final_block: Ints
    final_start: Ints
    final_place: Ints
    final_value: Complexes
    final_energy: Floats
    look_start: Ints
    look_column: Ints
    look_value: Complexes
    wait_start: Ints
    wait_column: Ints
    wait_value: Complexes
    move_kind: Ints
    move_size: Ints
    move_first: Ints
    move_value: Complexes
    orbit_start: Ints
    orbit: Ints
    times: Floats


class WideTables(NamedTuple):
    """What the kernels read.  Fields that `JumpTables` has too mean the same, so that both share their kernels.

    Attributes
    ----------
    first : (nb,) int64
        Flat coordinate of the first state of each block.
    real_start, real_column, real_value : (d + 1,), (entries,), (entries,)
        Rows of the real part of what acts while a state waits: of -i H_eff times the block's step, or of the null
        operator.
    imag_start, imag_column, imag_value
        Of its imaginary part.
    diagonal : (nb,) int64
        Whether what acts in a block is real, with one entry on the diagonal of every row.
    marching : (nb,) int64
        Whether a block is searched by products with sparse rows.
    stretch : (nb,) float64
        |H_eff| times the step, of a marching block.
    series_start : (nb * most + 1,) int64
        Where the coefficients of level k of block b begin: ``series_start[b * most + k]``.
    series_value : (coefficients,) float64
    """

    block: NDArray[np.void]
    power: Complexes
    row_start: Ints
    element: NDArray[np.void]
    exit: NDArray[np.void]
    entry: NDArray[np.void]
    kind: NDArray[np.uint32]
    closing: Ints
    basis: Ints
    count: Ints  # type: ignore[assignment]  # a tuple's own `count` is of no use here
    quantum: Floats
    initial_cdf: Floats
    initial_block: Ints
    initial_start: Ints
    initial_place: Ints
    initial_value: Complexes
    final_start: Ints
    final_place: Ints
    final_value: Complexes
    final_energy: Floats
    look_start: Ints
    look_column: Ints
    look_value: Complexes
    times: Floats
    mean_rate: float
    load_energy: Complexes
    load_rest: Complexes
    load: Ints
    load_bath: Ints
    first: Ints
    real_start: Ints
    real_column: Ints
    real_value: Floats
    imag_start: Ints
    imag_column: Ints
    imag_value: Floats
    diagonal: Ints
    marching: Ints
    stretch: Floats
    series_start: Ints
    series_value: Floats
    move: NDArray[np.void]
    move_value: Complexes
    orbit_start: Ints
    orbit: Ints


def prepare_wide(program: WideProgram) -> WideTables:
    """Make the tables of a program, once for all threads."""
    d, nb = int(program.size.sum()), len(program.size)
    block = np.zeros(nb, BLOCK)
    block["size"] = program.size
    block["queue"] = np.where(program.size > 1, 2 * np.cumsum(program.size > 1) - 1, 0)
    first = np.cumsum(program.size) - program.size
    entry = np.empty(len(program.jump_row), ENTRY)
    entry["row"], entry["column"], entry["value"] = program.jump_row, program.jump_column, program.jump_value
    rate = program.jump_value.real**2 + program.jump_value.imag**2
    closing = _closings(program, block)  # type: ignore[arg-type]
    exits = _exits(program, block, rate)  # type: ignore[arg-type]
    gated = len(program.move_kind) > 0 or len(program.wait_start) == 0
    if gated:
        _decays(block, exits)
        block["step"] = 1.0
        waiting = _parts(program.wait_start, program.wait_column, program.wait_value)
        search = _nothing(nb)
    else:
        waiting, search = _searches(program, block, first)
    move = np.empty(len(program.move_kind), MOVE)
    move["kind"], move["size"], move["value"] = program.move_kind, program.move_size, program.move_first
    shared = set(WideProgram._fields) & set(WideTables._fields)
    empty = np.zeros((0, 1, 1, 1), complex)
    return WideTables(
        **{name: getattr(program, name) for name in shared},
        block=block,
        exit=exits,
        entry=entry,
        kind=program.count[program.count >= 0].astype(np.uint32),
        closing=closing,
        mean_rate=math.fsum(rate) / d,
        load_energy=empty,
        load_rest=empty,
        load=np.full(len(program.target), -1),
        load_bath=np.zeros(0, np.int64),
        first=first,
        diagonal=_diagonal(waiting, program.size, first),
        move=move,
        **waiting,
        **search,
    )


def _parts(start: Ints, column: Ints, value: Complexes) -> dict[str, Any]:
    """Real and imaginary parts of sparse rows, each without its zeros."""
    out: dict[str, Any] = {}
    row = np.repeat(np.arange(len(start) - 1), np.diff(start))
    for name, part in (("real", value.real), ("imag", value.imag)):
        kept = np.flatnonzero(part)
        out[f"{name}_start"] = np.searchsorted(row[kept], np.arange(len(start))).astype(np.int64)
        out[f"{name}_column"], out[f"{name}_value"] = column[kept], np.ascontiguousarray(part[kept])
    return out


def _diagonal(waiting: dict[str, Any], size: Ints, first: Ints) -> Ints:
    """Which blocks have real diagonal rows without a zero."""
    lone = (np.diff(waiting["real_start"]) == 1) & (np.diff(waiting["imag_start"]) == 0)
    place = np.arange(len(lone)) - np.repeat(first, size)
    at = np.minimum(waiting["real_start"][:-1], max(0, len(waiting["real_column"]) - 1))
    lone &= (waiting["real_column"][at] == place) if len(waiting["real_column"]) else False
    return np.minimum.reduceat(lone, first).astype(np.int64)


def _nothing(nb: int) -> dict[str, Any]:
    """Tables of a search where there is none."""
    return {
        "power": np.zeros(0, complex),
        "row_start": np.zeros(0, np.int64),
        "element": np.zeros(0, ELEMENT),
        "marching": np.zeros(nb, np.int64),
        "stretch": np.ones(nb),
        "series_start": np.zeros(1, np.int64),
        "series_value": np.zeros(0),
    }


def _searches(program: WideProgram, block: NDArray[np.void], first: Ints) -> tuple[dict[str, Any], dict[str, Any]]:
    """How each block is searched: by a march or by tabulated powers, whichever is cheaper."""
    horizon, nb, start = float(program.times[-1]), len(block), program.wait_start
    row = np.repeat(np.arange(len(start) - 1), np.diff(start))
    diagonal = np.zeros(len(start) - 1, complex)
    here = row - np.repeat(first, program.size)[row] == program.wait_column
    diagonal[row[here]] = program.wait_value[here]
    block["decay"] = -2.0 * diagonal[first].imag
    dark = block["decay"] <= 0.0
    block["lifetime"] = np.where(dark, np.inf, 1.0 / np.where(dark, 1.0, block["decay"]))
    scaled, marching, stretch = program.wait_value.copy(), np.zeros(nb, np.int64), np.ones(nb)
    for b in np.flatnonzero(program.size > 1):
        inside = slice(start[first[b]], start[first[b] + program.size[b]])
        m, value = int(program.size[b]), program.wait_value[inside]
        norm = radius_of(row[inside] - first[b], program.wait_column[inside], value, m)
        rate = -2.0 * math.fsum(diagonal[first[b] : first[b] + m].imag.tolist()) / m
        marching[b], stretch[b] = _plan(block[b], m, len(value), norm, rate, horizon)
        scaled[inside] = value * block[b]["step"]
    scaled = scaled.imag - 1j * scaled.real
    element = np.empty(len(scaled), ELEMENT)
    element["column"], element["value"] = program.wait_column, scaled
    block["rows"] = first
    tabled = np.where(marching > 0, 0, block["levels"] * block["size"] ** 2) * (block["size"] > 1)
    block["power"] = np.cumsum(tabled) - tabled
    power = np.empty(int(tabled.sum()), complex)
    for b in np.flatnonzero((program.size > 1) & (marching == 0)):
        m = int(program.size[b])
        _tabulate(start[first[b] : first[b] + m + 1], element, m, block[b], power)
    search = {"power": power, "row_start": start, "element": element, "marching": marching, "stretch": stretch}
    return _parts(start, program.wait_column, scaled), search | _series(block, marching, stretch)


def _plan(here: Any, m: int, entries: int, norm: float, rate: float, horizon: float) -> tuple[int, float]:
    """Choose step, levels and order of a block; return whether it marches, and |H_eff| times its step.

    Costs are fused multiply-adds per search.  A march makes twice as many products as its longest stride has terms; a
    table costs one product of m^2 a level, and m^3 a level to be made.
    """
    enough = 2.0 * _power_of_two_below(horizon) if horizon > 0 else 1.0
    norm = max(norm, 2.0**-SHIFT / enough)
    step = min(enough, _power_of_two_below(2.0**-SHIFT / norm))
    reach = min(horizon, LONGEST / norm)
    levels = max(1, min(_levels(step, reach), 1 + _ceiling(step, rate)))
    terms = sum(len(coefficients(norm * step * 2.0**k)) for k in range(levels))
    tabled = _levels(step, horizon)
    top = max(0, _first_level(step, rate, tabled))
    descents = max(1.0, 1.0 / (rate * step * 2.0**levels)) if rate > 0 else 1.0
    march = descents * terms * (2.5 * entries + 6.0 * m)
    table = (top + 1) * (4.0 * m * m + 6.0 * m) + 12.0 * tabled * 4.0 * m**3 / (16.0 * TRAJECTORIES)
    if march < table:
        here["step"], here["order"] = step, _ORDERS[SHIFT]
        here["levels"], here["first_level"] = levels, levels - 1
        return 1, norm * step
    shift = _cheapest_shift(m, entries)
    step = _step(norm, shift, horizon)
    tabled = _levels(step, horizon)
    here["step"], here["order"] = step, _ORDERS[shift]
    here["levels"], here["first_level"] = tabled, _first_level(step, rate, tabled)
    return 0, 1.0


def _ceiling(step: float, rate: float) -> int:
    """Level whose stride is a mean waiting time."""
    return max(0, math.frexp(1.0 / (rate * step))[1]) if rate > 0.0 else 1024


def _series(block: NDArray[np.void], marching: Ints, stretch: Floats) -> dict[str, Any]:
    """Chebyshev coefficients of every level of every marching block."""
    most = int(np.max(block["levels"] * marching, initial=0))
    found: list[Floats] = []
    for b in range(len(block)):
        for k in range(most):
            used = marching[b] and k < block[b]["levels"]
            found.append(coefficients(stretch[b] * 2.0**k) if used else np.zeros(0))
    lengths = np.array([len(part) for part in found], np.int64)
    return {
        "series_start": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        "series_value": np.concatenate([np.zeros(0), *found]),
    }
