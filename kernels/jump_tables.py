r"""From a `JumpProgram` to the tables that the kernels search: made once, shared by every thread.

Within a block the unnormalised state obeys :math:`\psi' = -i H_{\rm eff} \psi`.  Time is counted in steps of
:math:`\delta`, a power of two, so that :math:`A = -i H_{\rm eff} \delta` and every multiple of the step are exact.
A waiting time is composed of powers :math:`P_k = e^{A 2^k}` down to one step; inside a step the Taylor series of the
state to order n serves, chosen so that its truncation is below the rounding of the norm.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed
from .doubling import powers
from .jump_program import JumpProgram
from .lanes import WIDTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

_ROUNDING = 2.0**-54
_LARGEST_SHIFT = 16  # a step no finer than 2^-16 / |H_eff|


class JumpTables(NamedTuple):
    r"""What the kernels read: the arrays of a `JumpProgram` that they need, and the tables made from it.

    Attributes
    ----------
    step : (nb,) float64
        :math:`\delta` of each block, a power of two.
    levels : (nb,) int64
        Number of powers tabulated; those beyond the horizon or too small to be passed are left out.
    first_level : (nb,) int64
        Where a search begins, from the mean rate of the block.
    power, power_start : (entries,) complex128, (nb,) int64
        Powers of each block, one after the other, row by row.
    order : (nb,) int64
        Order n of the Taylor series inside a step.
    row_start, column, value : (nb, m + 1) int64, (entries,) int64, (entries,) complex128
        Sparse rows of A: row i of block b has the entries ``row_start[b, i]`` up to ``row_start[b, i + 1]``.
    decay : (nb,) float64
        Total rate out of the block's first state, which is that of a block of size 1.
    exit_start : (nb + 1,) int64
        Channels that act on block b: exits ``exit_start[b]`` up to ``exit_start[b + 1]``.  For each exit
    exit_channel, exit_block : (exits,) int64
        the channel and the block it leads to,
    exit_entry : (exits, 2) int64
        the range of its entries in `jump_row`, `jump_column`, `jump_value`,
    exit_monomial : (exits,) bool
        whether no two entries share a row, so that the rate is a sum of populations.
    entry_rate : (entries,) float64
        Squared modulus of each `jump_value`.
    closing_start, closing : (nb + 1,) int64, (nf,) int64
        Closing outcomes of each block.
    queue_of : (nb,) int64
        Number among the blocks of more than one state; -1 for the others.
    mean_rate : float
        Of jumps, averaged over all states alike.

    The other fields are those of `JumpProgram`.
    """

    size: Ints
    basis: Ints
    step: Floats
    levels: Ints
    first_level: Ints
    power: Complexes
    power_start: Ints
    order: Ints
    row_start: Ints
    column: Ints
    value: Complexes
    decay: Floats
    exit_start: Ints
    exit_channel: Ints
    exit_block: Ints
    exit_entry: Ints
    exit_monomial: NDArray[np.bool_]
    jump_row: Ints
    jump_column: Ints
    jump_value: Complexes
    entry_rate: Floats
    count: Ints
    quantum: Floats
    initial_cdf: Floats
    initial_block: Ints
    initial_vec: Complexes
    final_energy: Floats
    final_vec: Complexes
    closing_start: Ints
    closing: Ints
    energy: Complexes
    e_ops: Complexes
    times: Floats
    queue_of: Ints
    mean_rate: float


@borrowed
def _norm_bound(matrix: Complexes, m: int) -> float:
    """Bound the norm of a matrix by the geometric mean of its largest row and column sums of moduli."""
    rows, columns = 0.0, 0.0
    for i in range(m):
        row, column = 0.0, 0.0
        for j in range(m):
            across, down = matrix[i, j], matrix[j, i]
            row += math.sqrt(across.real * across.real + across.imag * across.imag)
            column += math.sqrt(down.real * down.real + down.imag * down.imag)
        rows, columns = max(rows, row), max(columns, column)
    return math.sqrt(rows * columns)


def _orders() -> list[int]:
    """Order of the series that suffices when |A| <= 2^-s, for s = 0, 1, ...: the norm squared grows with twice that."""
    orders = []
    for shift in range(_LARGEST_SHIFT + 1):
        reach, order = 2.0 ** (1 - shift), 1
        rest = reach**2 / 2
        while rest > _ROUNDING:
            order += 1
            rest *= reach / (order + 1)
        orders.append(order)
    return orders


_ORDERS = _orders()


def _cheapest_shift(m: int, entries: int) -> int:
    """Choose how far below 1/|H_eff| the search goes before the series takes over, by counting multiplications."""

    def cost(shift: int) -> float:
        order = _ORDERS[shift]
        return shift * (m * m + 3 * m) + order * (entries + 2 * m) + order**2 * m / 8

    return min(range(_LARGEST_SHIFT + 1), key=cost)


def _power_of_two_below(x: float) -> float:
    """Largest power of two not above x."""
    return math.ldexp(0.5, math.frexp(x)[1])


def _step(norm: float, shift: int, horizon: float) -> float:
    """Largest power of two with |H_eff| step <= 2^-shift, and no larger than the horizon needs."""
    enough = 2.0 * _power_of_two_below(horizon) if horizon > 0 else 1.0
    return min(enough, _power_of_two_below(2.0**-shift / norm)) if norm > 2.0**-shift / enough else enough


def _levels(step: float, horizon: float) -> int:
    """Number of powers whose time lies within the horizon."""
    return max(0, math.frexp(horizon / step)[1]) if horizon >= step else 0


def _first_level(step: float, rate: float, levels: int) -> int:
    """Level from which one descent spans a few mean waiting times."""
    if rate <= 0.0 or levels == 0:
        return levels - 1
    return min(levels - 1, max(0, math.frexp(1.25 / (rate * step))[1] - 1))


@borrowed
def _decay_error(
    heff: Complexes, target: Ints, start: Ints, row: Ints, column: Ints, value: Complexes, size: Ints
) -> tuple[float, float]:
    """Compare i (H_eff - H_eff^dagger) with the sum of J^dagger J; return the largest deviation and the largest entry.

    The entries of a channel on a block must be in the order of their rows.  `heff` is left without its decay.
    """
    channels, blocks = target.shape
    scale = 0.0
    for c in range(channels):
        for b in range(blocks):
            for e in range(start[c * blocks + b], start[c * blocks + b + 1]):
                # both orders of two entries of one row: J^dagger J / 2 comes off the anti-Hermitian part -i J^dagger J / 2
                f = e
                while f < start[c * blocks + b + 1] and row[f] == row[e]:
                    entry = 0.5j * value[e].conjugate() * value[f]
                    heff[b, column[e], column[f]] += entry
                    if f > e:
                        heff[b, column[f], column[e]] += 0.5j * value[f].conjugate() * value[e]
                    scale = max(scale, 2.0 * abs(entry.imag))
                    f += 1
    worst = 0.0
    for b in range(blocks):
        for i in range(size[b]):
            for j in range(i + 1):
                worst = max(
                    worst, abs(heff[b, i, j].real - heff[b, j, i].real), abs(heff[b, i, j].imag + heff[b, j, i].imag)
                )
    return worst, scale


def prepare(program: JumpProgram) -> JumpTables:
    """Make the tables of a program.

    Raises
    ------
    ValueError
        If `times` is empty, descends or begins before 0; or if the decay in `heff` is not that of the jumps.
    """
    _check(program)
    horizon = float(program.times[-1])
    blocks, m = program.basis.shape
    step = np.ones(blocks)
    levels, first_level, order, power_start = (np.zeros(blocks, np.int64) for _ in range(4))
    row_start = np.zeros((blocks, m + 1), np.int64)
    columns, values, tables = [], [], []
    entries = length = 0
    for b in np.flatnonzero(program.size > 1):
        n = int(program.size[b])
        heff = program.heff[b, :n, :n]
        i, j = np.nonzero(heff)
        shift = _cheapest_shift(n, len(i))
        step[b] = _step(_norm_bound(heff, n), shift, horizon)
        a = heff[i, j] * step[b]
        row_start[b, : n + 1] = entries + np.searchsorted(i, np.arange(n + 1))
        columns.append(j)
        values.append(a.imag - 1j * a.real)
        entries += len(j)
        order[b] = _ORDERS[shift]
        rate = -2.0 * math.fsum(heff.diagonal().imag) / n
        table = _power_table(j, values[-1], row_start[b, : n + 1] - row_start[b, 0], n, _levels(step[b], horizon))
        levels[b], power_start[b] = len(table), length
        first_level[b] = _first_level(step[b], rate, len(table))
        tables.append(table.reshape(-1))
        length += table.size
    exits = _exits(program)
    return JumpTables(
        size=program.size,
        basis=program.basis,
        step=step,
        levels=levels,
        first_level=first_level,
        power=np.concatenate([*tables, np.zeros(0, complex)]),
        power_start=power_start,
        order=order,
        row_start=row_start,
        column=np.concatenate([*columns, np.zeros(0, np.int64)]),
        value=np.concatenate([*values, np.zeros(0, complex)]),
        decay=-2.0 * program.heff[:, 0, 0].imag,
        **exits,
        jump_row=program.jump_row,
        jump_column=program.jump_column,
        jump_value=program.jump_value,
        entry_rate=program.jump_value.real**2 + program.jump_value.imag**2,
        count=program.count,
        quantum=program.quantum,
        initial_cdf=program.initial_cdf,
        initial_block=program.initial_block,
        initial_vec=program.initial_vec,
        final_energy=program.final_energy,
        final_vec=program.final_vec,
        closing_start=np.searchsorted(np.sort(program.final_block), np.arange(blocks + 1)),
        closing=np.argsort(program.final_block, kind="stable"),
        energy=program.energy,
        e_ops=program.e_ops,
        times=program.times,
        queue_of=np.where(program.size > 1, np.cumsum(program.size > 1) - 1, -1),
        mean_rate=float(np.sum(program.jump_value.real**2 + program.jump_value.imag**2) / np.sum(program.size)),
    )


def _check(program: JumpProgram) -> None:
    """Refuse what a trajectory could not survive."""
    times = program.times
    if len(times) == 0 or times[0] < 0.0 or np.any(np.diff(times) < 0.0) or not np.all(np.isfinite(times)):
        raise ValueError(f"`times` must ascend from 0 or later to the horizon, but is {times}")
    worst, scale = _decay_error(
        program.heff.copy(),
        program.target,
        program.jump_start,
        program.jump_row,
        program.jump_column,
        program.jump_value,
        program.size,
    )
    if worst > 1e-9 * scale:
        raise ValueError(
            f"`heff` must be H - i/2 times the sum of J^dagger J over all channels, but differs from it by {worst:.2g}; "
            "build it from the same jump operators"
        )


def _power_table(column: Ints, value: Complexes, start: Ints, m: int, levels: int) -> Complexes:
    """Tabulate the powers of one block: (levels or fewer, m, m)."""
    if levels == 0:
        return np.zeros((0, m, m), complex)
    rows = 4 * m * ((m + WIDTH - 1) // WIDTH)
    power = np.empty(levels * m * m, complex)
    here, there = np.zeros((rows, WIDTH)), np.empty((rows, WIDTH))
    worthwhile = powers(start, column, value, m, levels, here, there, power, 0)
    return power[: worthwhile * m * m].reshape(worthwhile, m, m)


def _exits(program: JumpProgram) -> dict[str, NDArray]:
    """List the channels that act on each block, block by block."""
    blocks, m = program.basis.shape
    acts = (program.target >= 0) & (np.diff(program.jump_start).reshape(program.target.shape) > 0)
    block, channel = np.nonzero(acts.T)
    pair = channel * blocks + block
    of_entry = np.repeat(np.arange(program.target.size), np.diff(program.jump_start))
    place, times = np.unique(of_entry * m + program.jump_row, return_counts=True)
    return {
        "exit_start": np.searchsorted(block, np.arange(blocks + 1)),
        "exit_channel": channel,
        "exit_block": program.target[channel, block],
        "exit_entry": np.stack([program.jump_start[pair], program.jump_start[pair + 1]], axis=1),
        "exit_monomial": ~np.isin(pair, place[times > 1] // m),
    }
