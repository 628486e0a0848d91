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
from .event_tables import decays
from .jump_tables import (
    _closings,
    _levels,
    _power_of_two_below,
    assign_queues,
    blocks_of,
    choose_first_level,
    cycles_of_level,
    cycles_of_rest,
    exits_of,
    lay_out,
    orders_within,
    tabulate,
)
from .sparse_rows import SparseRows, sparse_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

SCALE, TURN, MIX = 0, 1, 2  # kinds of moves
SHIFT = 1  # a base step of a sparse block is no longer than 2^-SHIFT / |H_eff|
LONGEST = 32.0  # longest stride of a march times |H_eff|: beyond it a Chebyshev series gains little
TRAJECTORIES = 1000  # over which a table is thought to pay for itself

ROUNDING = 4e-16  # of a gate's amplitudes

MOVE = np.dtype(
    [
        ("kind", np.int64),
        ("size", np.int64),  # real coordinates that it connects
        ("value", np.int64),  # place of its matrix, row by row; of a turn: cos and sin
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
    move_size : (moves,) int64
        What the gates of a period do, in order: each move multiplies groups of so many amplitudes by one matrix.  Empty
        in a continuous process.
    move_first : (moves,) int64
        Where its matrix begins, row by row, in
    move_value : (values,) complex128
    orbit_start : (nb * moves + 1,) int64
        Where the places of move k in block b begin in `orbit`: ``orbit_start[b * moves + k]``.
    orbit : (places,) int64
        Coordinates, `size` of them for each group.
    times : (ntime,) float64
        Stops; in periods if there are gates.
    turn : (ntime, nb, m) complex128
        As in `JumpProgram`.
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
    move_size: Ints
    move_first: Ints
    move_value: Complexes
    orbit_start: Ints
    orbit: Ints
    times: Floats
    turn: Complexes = np.zeros((0, 1, 1), np.complex128)


class WideTables(NamedTuple):
    """What the kernels read.  Fields that `JumpTables` has too mean the same, so that both share their kernels.

    Attributes
    ----------
    first : (nb,) int64
        Flat coordinate of the first state of each block.
    rows : SparseRows
        What acts while a state waits: -i H_eff times the block's step, or the null operator.
    diagonal : (nb,) int64
        Whether what acts in a block has one entry on the diagonal of every row and nothing else.
    marching : (nb,) int64
        Whether a block is searched by products with sparse rows.
    stretch : (nb,) float64
        |H_eff| times the step, of a marching block.
    series_start : (nb * most + 1,) int64
        Where the coefficients of level k of block b begin: ``series_start[b * most + k]``.
    series_value : (coefficients,) float64
    move : (moves,) MOVE
        What the gates of a period do in real coordinates: a move multiplies some by a number (kind `SCALE`), turns some
        pairs by [[c, s], [-s, c]] (`TURN`) or mixes some groups by a small matrix (`MIX`).
    move_value : (values,) float64
    orbit_start, orbit
        As in `WideProgram`, of the moves and coordinates here.
    """

    parts: int
    block: NDArray[np.void]
    power: Floats
    rows: SparseRows
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
    turn: Complexes
    mean_rate: float
    load_energy: Complexes
    load_rest: Complexes
    load: Ints
    load_bath: Ints
    first: Ints
    diagonal: Ints
    marching: Ints
    stretch: Floats
    series_start: Ints
    series_value: Floats
    move: NDArray[np.void]
    move_value: Floats
    orbit_start: Ints
    orbit: Ints


def prepare_wide(program: WideProgram) -> WideTables:
    """Make the tables of a program, once for all threads."""
    d, nb = int(program.size.sum()), len(program.size)
    gated = len(program.move_size) > 0 or len(program.wait_start) == 0
    parts = 1 if _is_real(program, gated) else 2
    block = blocks_of(program.size, parts)
    first = np.cumsum(program.size) - program.size
    rate = program.jump_value.real**2 + program.jump_value.imag**2
    closing = _closings(program, block)  # type: ignore[arg-type]
    exit, entry = exits_of(program, block, rate, parts)
    if gated:
        decays(block, exit)
        block["step"] = 1.0
        rows = sparse_rows([_of_block(program, b, first) for b in range(nb)], parts)
        search = _nothing(nb) | {"rows": rows}
    else:
        search = _searches(program, block, first, parts)
    shared = set(WideProgram._fields) & set(WideTables._fields) - {"move_value", "orbit_start", "orbit"}
    empty = np.zeros((0, 1, 1, 1), complex)
    return WideTables(
        **{name: getattr(program, name) for name in shared},
        parts=parts,
        block=block,
        exit=exit,
        entry=entry,
        kind=program.count[program.count >= 0].astype(np.uint32),
        closing=closing,
        mean_rate=math.fsum(rate) / d,
        load_energy=empty,
        load_rest=empty,
        load=np.full(len(program.target), -1),
        load_bath=np.zeros(0, np.int64),
        first=first,
        diagonal=_diagonal(search["rows"]),
        **_moves(program, parts),
        **search,
    )


def _is_real(program: WideProgram, gated: bool) -> bool:
    """Whether every state is real; the state of a block of one is 1, whatever its phase."""
    waiting = program.wait_value.imag if gated else program.wait_value.real
    larger = np.repeat(program.size > 1, program.size)[_row_of_entry(program.wait_start)]
    complex_parts = (waiting[larger], program.jump_value.imag, program.initial_value.imag, program.move_value.imag)
    return not any(part.any() for part in complex_parts)


def _row_of_entry(start: Ints) -> Ints:
    return np.repeat(np.arange(len(start) - 1), np.diff(start))


def _of_block(program: WideProgram, b: int, first: Ints) -> tuple[Ints, Ints, Complexes, int]:
    """Row, column and value of what acts in block b while a state waits, and its size."""
    m, start = int(program.size[b]), program.wait_start[first[b] : first[b] + program.size[b] + 1]
    inside = slice(start[0], start[-1])
    return np.repeat(np.arange(m), np.diff(start)), program.wait_column[inside], program.wait_value[inside], m


def _diagonal(rows: SparseRows) -> Ints:
    """Which blocks have diagonal rows without a zero."""
    found = np.zeros(len(rows.first) - 1, np.int64)
    for b, g in enumerate(rows.first[:-1]):
        group = rows.group[g]
        here = slice(group["element"], group["element"] + group["end"] - group["first"])
        lone = rows.first[b + 1] == g + 1 and group["length"] == 1
        found[b] = lone and np.array_equal(rows.element["column"][here], rows.row[group["first"] : group["end"]])
    return found


# ---------------------------------------------------------------- moves


def _moves(program: WideProgram, parts: int) -> dict[str, Any]:
    """The gates' moves in real coordinates, each taken apart into what does not mix with the rest."""
    nb, moves = len(program.size), len(program.move_size)
    kinds: list[tuple[int, int]] = []
    values: list[list[float]] = []
    places: list[list[Ints]] = []
    for k in range(moves):
        size, at = int(program.move_size[k]), int(program.move_first[k])
        matrix = program.move_value[at : at + size * size].reshape(size, size)
        here = [
            program.orbit[program.orbit_start[b * moves + k] : program.orbit_start[b * moves + k + 1]].reshape(-1, size)
            for b in range(nb)
        ]
        for kind, states, value in _taken_apart(_in_coordinates(matrix, parts)):
            kinds.append((kind, len(states)))
            values.append(value)
            places.append([(parts * groups[:, states // parts] + states % parts).reshape(-1) for groups in here])
    move = np.zeros(len(kinds), MOVE)
    lengths = [len(value) for value in values]
    move["kind"], move["size"] = np.array(kinds, np.int64).reshape(-1, 2).T
    move["value"] = np.cumsum([0, *lengths])[:-1]
    flat = [place[b] for b in range(nb) for place in places]
    return {
        "move": move,
        "move_value": np.array([x for value in values for x in value], float),
        "orbit_start": np.cumsum([0, *map(len, flat)]).astype(np.int64),
        "orbit": np.concatenate([np.zeros(0, np.int64), *flat]).astype(np.int64),
    }


def _in_coordinates(matrix: Complexes, parts: int) -> Floats:
    """A matrix in real coordinates."""
    if parts == 1:
        return np.ascontiguousarray(matrix.real)
    out = np.empty((len(matrix), 2, len(matrix), 2))
    out[:, 0, :, 0], out[:, 0, :, 1] = matrix.real, -matrix.imag
    out[:, 1, :, 0], out[:, 1, :, 1] = matrix.imag, matrix.real
    return out.reshape(2 * len(matrix), -1)


def _taken_apart(matrix: Floats) -> list[tuple[int, Ints, list[float]]]:
    """Kind, coordinates and values of the parts of a matrix that do not mix; what changes nothing is left out."""
    linked = np.abs(matrix) + np.abs(matrix).T > ROUNDING
    left, found = set(range(len(matrix))), []
    while left:
        part = {min(left)}
        while grown := set(np.flatnonzero(linked[sorted(part)].any(axis=0)).tolist()) - part:
            part |= grown
        left -= part
        states = np.array(sorted(part))
        inside = matrix[np.ix_(states, states)]
        if len(states) == 1:
            if abs(inside[0, 0] - 1.0) > ROUNDING:
                found.append((SCALE, states, [float(inside[0, 0])]))
        elif (
            len(states) == 2
            and np.abs(inside - [[inside[1, 1], -inside[1, 0]], [inside[1, 0], inside[0, 0]]]).max() <= ROUNDING
        ):
            found.append(
                (TURN, states, [float(inside[0, 0] + inside[1, 1]) / 2, float(inside[0, 1] - inside[1, 0]) / 2])
            )
        else:
            found.append((MIX, states, inside.reshape(-1).tolist()))
    return found


# ---------------------------------------------------------------- searches


def _nothing(nb: int) -> dict[str, Any]:
    """Tables of a search where there is none."""
    return {
        "power": np.zeros(0),
        "marching": np.zeros(nb, np.int64),
        "stretch": np.ones(nb),
        "series_start": np.zeros(1, np.int64),
        "series_value": np.zeros(0),
    }


def _searches(program: WideProgram, block: NDArray[np.void], first: Ints, parts: int) -> dict[str, Any]:
    """How each block is searched: by a march or by tabulated powers, whichever is cheaper."""
    horizon, nb, start = float(program.times[-1]), len(block), program.wait_start
    row = _row_of_entry(start)
    diagonal = np.zeros(len(start) - 1, complex)
    here = row - np.repeat(first, program.size)[row] == program.wait_column
    diagonal[row[here]] = program.wait_value[here]
    block["decay"] = -2.0 * diagonal[first].imag
    dark = block["decay"] <= 0.0
    block["lifetime"] = np.where(dark, np.inf, 1.0 / np.where(dark, 1.0, block["decay"]))
    marching, stretch = np.zeros(nb, np.int64), np.ones(nb)
    matrices = []
    for b in range(nb):
        row, column, value, m = _of_block(program, int(b), first)
        if m > 1:
            norm = radius_of(row, column, value, m)
            rate = -2.0 * math.fsum(diagonal[first[b] : first[b] + m].imag.tolist()) / m
            entries = int(
                np.count_nonzero(value.imag) if parts == 1 else 2 * np.count_nonzero([value.real, value.imag])
            )
            marching[b], stretch[b] = _plan(block[b], entries, norm, rate, horizon)
        value = value * block[b]["step"]
        matrices.append((row, column, value.imag - 1j * value.real, m))
    rows = sparse_rows(matrices, parts)
    tabled = np.where(marching > 0, 0, block["levels"] * block["stride"]) * (block["size"] > 1)
    block["power"] = np.cumsum(tabled) - tabled
    power = np.zeros(int(tabled.sum()))
    for b in np.flatnonzero((program.size > 1) & (marching == 0)).tolist():
        tabulate(rows, b, block[b], parts, power)
    assign_queues(block)
    search = {"power": power, "rows": rows, "marching": marching, "stretch": stretch}
    return search | _series(block, marching, stretch)


def _plan(here: Any, entries: int, norm: float, rate: float, horizon: float) -> tuple[int, float]:
    """Choose step, levels and order of a block; return whether it marches, and |H_eff| times its step.

    A march makes twice as many products as its longest stride has terms; a table costs a product of n^2 a level, n real
    coordinates, and n^3 a level to be made.
    """
    n, parts = int(here["width"]), int(here["width"] // here["size"])
    enough = 2.0 * _power_of_two_below(horizon) if horizon > 0 else 1.0
    lay_out(here, norm, entries, rate, horizon)
    choose_first_level(here, rate)
    top = max(0, int(here["first_level"]))
    made = 12.0 * float(here["levels"]) * float(n) ** 3 / (16.0 * TRAJECTORIES)
    table = (top + 1) * cycles_of_level(n, parts) + float(here["rest"]) + 16.0 * made
    norm = max(norm, 2.0**-SHIFT / enough)
    step = min(enough, _power_of_two_below(2.0**-SHIFT / norm))
    levels = max(1, min(_levels(step, min(horizon, LONGEST / norm)), 1 + _ceiling(step, rate)))
    terms = sum(len(coefficients(norm * step * 2.0**k)) for k in range(levels))
    descents = max(1.0, 1.0 / (rate * step * 2.0**levels)) if rate > 0 else 1.0
    march = descents * terms * (2.2 * entries + 6.0 * n) + cycles_of_rest(n, entries, orders_within(2.0**-SHIFT))
    if march >= table:
        return 0, 1.0
    here["step"], here["halvings"] = step, 0
    here["order"], here["degree"] = orders_within(2.0**-SHIFT)
    here["levels"], here["first_level"], here["pace"] = levels, levels - 1, 0.0
    return 1, norm * step


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
