r"""From a `JumpProgram` to the tables that the kernels search: made once, shared by every thread.

Within a block the unnormalised state obeys :math:`\psi' = -i H_{\rm eff} \psi`.  Time is counted in steps of
:math:`\delta`, a power of two, so that :math:`A = -i H_{\rm eff} \delta` and every multiple of the step are exact.
A waiting time is composed of powers :math:`P_k = e^{A 2^k}` down to one step; inside a step the Taylor series of the
state to order n serves, chosen so that its truncation is below the rounding of the norm.

Kernels know real coordinates only.  A complex amplitude is two of them, its real and its imaginary part, and a complex
number in a matrix is four: [[x, -y], [y, x]].  Where A, the jumps and the opening states are all real, as the compiler
arranges it by the phases of its basis wherever that is possible, an amplitude is one coordinate, and a product takes a
quarter of the work.
"""

from bisect import bisect_left
import math
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import NDArray

from .chebyshev import norm_bound, radius_of
from .doubling import make_work, powers
from .jump_program import JumpProgram
from .kicks import KickTables, prepare_kicks
from .power_tables import table_size
from .sparse_rows import SparseRows, real_entries, sparse_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

_ROUNDING = 2.0**-54
LARGE = 16  # real coordinates of a block from which a level more or less is felt
MARGIN = 1.0  # of the level at which a search begins
MOST_SQUARED = 128  # states of a block whose norm is looked at more closely
COARSEST, FINEST = -2, 16  # a step is 2^-s / |H_eff| with s between these: beyond 4 the series would lose digits


BLOCK = np.dtype(
    [
        ("size", np.int64),  # number of states
        ("width", np.int64),  # and of their real coordinates, one or two each
        ("queue", np.int64),  # the first of those in which its trajectories wait (see `jump_board`)
        ("queues", np.int64),  # and how many they are
        ("decay", np.float64),  # rate out of a block of one state, and its inverse
        ("lifetime", np.float64),
        ("step", np.float64),  # delta, a power of two; 1 in a block of one state
        ("halvings", np.int64),  # |A| <= 2^halvings
        ("levels", np.int64),  # powers tabulated; those beyond the horizon or too small to be passed are left out
        ("first_level", np.int64),  # where a search begins
        ("pace", np.float64),  # where that depends on the threshold r: steps that -ln r is worth, and a margin; else 0
        ("rate", np.float64),  # mean rate of jumps of all its states alike
        ("rest", np.float64),  # cycles of a search beside the powers
        ("power", np.int64),  # place of the first power
        ("stride", np.int64),  # numbers in the table of each
        ("order", np.int64),  # of the Taylor series of the state inside a step
        ("degree", np.int64),  # of the polynomial of its norm squared
        ("exit_first", np.int64),  # exits of the block
        ("exit_end", np.int64),
        ("closing_first", np.int64),  # its closing outcomes, places in `closing`
        ("closing_end", np.int64),
    ]
)
# Indices read from tables are unsigned: Numba lets a signed one count from the end, which costs three instructions.
EXIT = np.dtype(  # a channel that acts on a block
    [
        ("channel", np.uint32),
        ("block", np.uint32),  # the block it leads to
        ("first", np.uint32),  # its entries
        ("end", np.uint32),
        ("kind_first", np.uint32),  # what it counts, places in `kind`
        ("kind_end", np.uint32),
        ("reach", np.float64),  # out of a block of one state: rate of this exit and of those before it,
        ("scale", np.float64),  # and what normalises the state it leads to
    ]
)
ENTRY = np.dtype([("row", np.uint32), ("column", np.uint32), ("value", np.float64)])


class JumpTables(NamedTuple):
    r"""What the kernels read: the arrays of a `JumpProgram` that they need, and the tables made from it.

    Attributes
    ----------
    parts : int
        Real coordinates of an amplitude, 1 or 2; part q of amplitude a of a block is coordinate ``parts * a + q``.
    block : (nb,) BLOCK
    power : (length,) float64
        Powers of each block, one after the other, row by row.
    rows : SparseRows
        The matrices A of all blocks.
    exit : (exits,) EXIT
        Channels that act on each block, block by block.
    entry : (entries,) ENTRY
        Entries of the jump operators, exit by exit in the order of their rows.
    kind : (counts,) uint32
        Kinds of quanta that each channel counts, channel by channel.
    closing : (nf,) int64
        Closing outcomes, block by block.
    opened : (ni, parts * m) float64
        States after the opening measurement.
    mean_rate : float
        Of jumps, averaged over all states alike.
    kicks : KickTables
        What loads exchange between jumps.

    The other fields are those of `JumpProgram`; index arrays and matrices that act on what is shown at a stop are in
    complex amplitudes, as there.
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
    opened: Floats
    final_vec: Complexes
    final_energy: Floats
    energy: Complexes
    e_ops: Complexes
    times: Floats
    turn: Complexes
    mean_rate: float
    load_energy: Complexes
    load_rest: Complexes
    load: Ints
    load_bath: Ints
    kicks: KickTables


def _closer_bound(matrix: Complexes, bound: float) -> float:
    r"""Bound the norm by :math:`(\mathrm{Tr}\,(A^\dagger A)^{k})^{1/2k}`, k = 32: within 7 % for 64 states.

    A sum of moduli may be half as large again, which would make series longer than they need be.
    """
    if len(matrix) > MOST_SQUARED:
        return bound
    scaled = matrix / bound
    square = scaled.conj().T @ scaled
    for _ in range(4):
        square = square @ square
    trace = float(np.sum(square.real**2 + square.imag**2))
    return min(bound, bound * trace ** (1.0 / 64.0) * (1.0 + 1e-9))


def _order(reach: float) -> int:
    """Order of the exponential series that suffices up to `reach`, odd: terms are taken by twos."""
    order, rest = 1, reach**2 / 2
    while rest > _ROUNDING:
        order += 1
        rest *= reach / (order + 1)
    return order | 1


class Orders(NamedTuple):
    """Terms inside a step: of the series of the state, and of its norm squared, which changes twice as fast."""

    order: int
    degree: int


_QUARTER = math.sqrt(math.sqrt(2.0))
REACHES = sorted(2.0**octave / part for octave in range(-FINEST, 3) for part in (1.0, _QUARTER, 2.0**0.5, _QUARTER**3))
_ORDERS = [Orders(_order(reach), _order(2.0 * reach)) for reach in REACHES]


def orders_within(reach: float) -> Orders:
    """Orders that suffice for |A| <= reach, which is at most 4."""
    return _ORDERS[min(bisect_left(REACHES, reach), len(_ORDERS) - 1)]


def cycles_of_level(n: int, parts: int) -> float:
    """Processor cycles that a power of n real coordinates takes for sixteen lanes.

    Small blocks wait for one operation after the other, large ones for the multiplications.
    """
    return 30.0 + 1.05 * table_size(n, parts) + 3.0 * n


def cycles_of_rest(n: int, entries: int, orders: Orders | None) -> float:
    """Cycles that a search takes beside the powers; `entries` are those of A; no orders: no series."""
    around = 1600.0 + 40.0 * n  # the way in and out of the lanes
    if orders is None:
        return around
    order, degree = orders
    series = order * (20.0 + 2.2 * entries + 6.0 * n)
    return around + series + n * (order**2 - (2 * order - degree) ** 2 / 2) + 20.0 * degree


def lay_out(here: Any, norm: float, entries: int, rate: float, horizon: float) -> None:
    """Choose how far below 1/|H_eff| the search in a block goes before the series takes over.

    Parameters
    ----------
    here : BLOCK
        Receives step, orders and levels.
    norm : float
        Bound of |H_eff|.
    entries : int
        Nonzero real numbers in A.
    rate : float
        Mean rate of jumps.
    horizon : float
    """
    n, parts = int(here["width"]), int(here["width"] // here["size"])
    level, best, worse = cycles_of_level(n, parts), math.inf, 0
    for shift in range(COARSEST, FINEST + 1):
        step = _step(norm, shift, horizon)
        orders = orders_within(norm * step)
        rest = cycles_of_rest(n, entries, orders)
        worse += 1
        if shift * level + rest < best:
            worse, best = 0, shift * level + rest
            here["step"], here["halvings"], here["rest"] = step, max(0, -shift), rest
            here["order"], here["degree"] = orders
        if worse == 4:  # orders fall in steps, but then no finer step can be better
            break
    here["levels"], here["rate"] = _levels(float(here["step"]), horizon), rate


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


def choose_first_level(here: Any, rate: float) -> None:
    """Let searches in a block begin where they take least time per event, if events come at this rate.

    From level k a search spans 2^(k+1) steps; where it finds nothing, another one follows.  In large blocks, where a
    level more is felt, each search begins at the level that its own threshold asks for.
    """
    levels, width, step = int(here["levels"]), int(here["width"]), float(here["step"])
    here["first_level"], here["pace"] = levels - 1, 0.0
    if rate <= 0.0 or levels == 0:
        return
    level = cycles_of_level(width, width // int(here["size"]))

    def cost(k: int) -> float:
        found = -math.expm1(-rate * step * 2.0 ** (k + 1))
        return ((k + 1.0) * level + float(here["rest"])) / max(found, 1e-300)

    here["first_level"] = min(range(levels), key=cost)
    if width >= LARGE:
        here["pace"] = MARGIN / (rate * step)


def assign_queues(block: NDArray[np.void]) -> None:
    """One queue for all blocks of one state, two for each larger one, or one for each level of a large one."""
    block["queues"] = np.where(block["pace"] > 0.0, block["levels"], 2) * (block["size"] > 1)
    block["queue"] = np.where(block["size"] > 1, 1 + np.cumsum(block["queues"]) - block["queues"], 0)


def prepare(program: JumpProgram, may_be_real: bool = True) -> JumpTables:
    """Make the tables of a program.

    Parameters
    ----------
    program : JumpProgram
    may_be_real : bool
        Whether nothing outside the program makes states complex.

    Raises
    ------
    ValueError
        If `times` is empty, descends or begins before 0; or if the decay in `heff` is not that of the jumps.
    """
    program = _uniform(program)
    _check(program)
    larger = program.size > 1
    parts = 1 if may_be_real and _is_real(program, larger) else 2
    block = blocks_of(program.size, parts)
    block["decay"] = -2.0 * program.heff[:, 0, 0].imag
    dark = block["decay"] <= 0.0
    block["step"] = 1.0  # unit of time in a block of one state
    block["lifetime"] = np.where(dark, np.inf, 1.0 / np.where(dark, 1.0, block["decay"]))
    rows, power = _propagators(program, block, parts)
    assign_queues(block)
    value = program.jump_value
    rate = value.real * value.real + value.imag * value.imag
    exit, entry = exits_of(program, block, rate, parts)
    return JumpTables(
        parts=parts,
        block=block,
        power=power,
        rows=rows,
        exit=exit,
        entry=entry,
        kind=program.count[program.count >= 0].astype(np.uint32),
        closing=_closings(program, block),
        basis=program.basis,
        count=program.count,
        quantum=program.quantum,
        initial_cdf=program.initial_cdf,
        initial_block=program.initial_block,
        opened=coordinates(program.initial_vec, parts),
        final_vec=program.final_vec,
        final_energy=program.final_energy,
        energy=program.energy,
        e_ops=program.e_ops,
        times=program.times,
        turn=program.turn,
        mean_rate=math.fsum(rate) / int(program.size.sum()),
        load_energy=program.load_energy,
        load_rest=program.load_rest,
        load=program.load,
        load_bath=program.load_bath,
        kicks=prepare_kicks(program),
    )


def blocks_of(size: Ints, parts: int) -> NDArray[np.void]:
    """(nb,) BLOCK with nothing but sizes and queues."""
    block = np.zeros(len(size), BLOCK)
    block["size"], block["width"] = size, parts * size
    block["stride"] = [table_size(int(n), parts) for n in block["width"]]
    assign_queues(block)
    return block


def _is_real(program: JumpProgram, larger: NDArray[np.bool_]) -> bool:
    """Whether every state is real; the state of a block of one is 1, whatever its phase.

    Loads integrate complex states.
    """
    if len(program.load_energy):
        return False
    if not larger.any():
        return True
    return not (program.heff[larger].real.any() or program.jump_value.imag.any() or program.initial_vec.imag.any())


def coordinates(amplitudes: Complexes, parts: int) -> Floats:
    """(..., parts * m) real coordinates of states (..., m)."""
    if parts == 1:
        return np.ascontiguousarray(amplitudes.real)
    return np.ascontiguousarray(amplitudes).view(np.float64)


_DTYPES = {Floats: np.float64, Ints: np.int64, Complexes: np.complex128}
_FIELDS = {name: _DTYPES[hint] for name, hint in get_type_hints(JumpProgram).items()}


def _uniform(program: JumpProgram) -> JumpProgram:
    """Give every array the one type for which the kernels are compiled: any other would compile them again."""
    return JumpProgram(*(_as(array, _FIELDS[name]) for name, array in program._asdict().items()))


def _as(array: NDArray[Any], kind: Any) -> NDArray[Any]:
    known = array.dtype == kind and array.flags.carray
    return array if known else np.require(array, kind, ["C", "A", "W"])


def _propagators(program: JumpProgram, block: NDArray[np.void], parts: int) -> tuple[SparseRows, Floats]:
    """Tabulate A and its powers for all blocks of more than one state, and note in `block` where they are."""
    nothing = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, complex), 0
    larger = program.size > 1
    rows = sparse_rows(
        [_generator(program, b, block[b], parts) if larger[b] else nothing for b in range(len(block))], parts
    )
    lengths = block["levels"] * block["stride"]
    block["power"] = np.cumsum(lengths) - lengths
    # reserved for the whole of it, and touched only where it is filled
    power = np.zeros(int(lengths.sum()))
    for b in np.flatnonzero(larger):
        tabulate(rows, int(b), block[b], parts, power)
    return rows, power


def _generator(program: JumpProgram, b: int, here: Any, parts: int) -> tuple[Ints, Ints, Complexes, int]:
    """Choose the step of block b, its levels and the order of its series; return the entries of A."""
    m, horizon = int(program.size[b]), float(program.times[-1])
    heff = program.heff[b, :m, :m]
    row, column = np.nonzero(heff)
    value = heff[row, column]
    entries = len(value) if parts == 1 else 2 * int(np.count_nonzero([value.real, value.imag]))
    norm = norm_bound(heff) if m < LARGE else _closer_bound(heff, radius_of(row, column, value, m))
    lay_out(here, norm, entries, -2.0 * math.fsum(heff.diagonal().imag) / m, horizon)
    value = value * float(here["step"])
    return row, column, value.imag - 1j * value.real, m


def tabulate(rows: SparseRows, b: int, here: Any, parts: int, power: Floats) -> None:
    """Tabulate the powers of one block, as many as are worthwhile."""
    n, levels = int(here["width"]), int(here["levels"])
    if levels:
        table = power[here["power"] : here["power"] + levels * int(here["stride"])]
        levels = powers(rows, b, n, parts, int(here["halvings"]), levels, *make_work(n, parts), table)
    here["levels"] = levels
    choose_first_level(here, float(here["rate"]))


def exits_of(
    program: Any, block: NDArray[np.void], rate_of_entry: Floats, parts: int
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """List the channels that act on each block, with their entries, and note in `block` which they are."""
    blocks = len(program.size)
    acts = (program.target >= 0) & (
        (program.jump_start[1:] - program.jump_start[:-1]).reshape(program.target.shape) > 0
    )
    source, channel = np.nonzero(acts.T)
    pair = channel * blocks + source
    exit = np.zeros(len(source), EXIT)
    exit["channel"], exit["block"] = channel, program.target[channel, source]
    kinds = np.cumsum(np.count_nonzero(program.count >= 0, axis=1))
    exit["kind_end"] = kinds[channel]
    exit["kind_first"][channel > 0] = kinds[channel[channel > 0] - 1]
    first, end = program.jump_start[pair], program.jump_start[pair + 1]
    bounds = np.searchsorted(source, np.arange(blocks + 1))
    for b in np.flatnonzero(program.size == 1):
        reach = 0.0
        for x in range(bounds[b], bounds[b + 1]):
            rate = math.fsum(rate_of_entry[first[x] : end[x]])
            reach += rate
            exit[x]["reach"], exit[x]["scale"] = reach, 1.0 / math.sqrt(rate)
    block["exit_first"], block["exit_end"] = bounds[:-1], bounds[1:]
    start, entry = _entries(program, parts)
    exit["first"], exit["end"] = start[pair], start[pair + 1]
    return exit, entry


def _entries(program: Any, parts: int) -> tuple[Ints, NDArray[np.void]]:
    """Entries of the jump operators in real coordinates, and where those of each (channel, block) begin."""
    pair = np.arange(len(program.jump_start) - 1).repeat(program.jump_start[1:] - program.jump_start[:-1])
    # rows of one pair are told from those of the next by counting on
    wide = int(program.basis.shape[1])
    row, column, value = real_entries(pair * wide + program.jump_row, program.jump_column, program.jump_value, parts)
    wide *= parts
    entry = np.empty(len(row), ENTRY)
    entry["row"], entry["column"], entry["value"] = row % wide, column, value
    return np.searchsorted(row, wide * np.arange(len(program.jump_start))), entry


def _closings(program: JumpProgram, block: NDArray[np.void]) -> Ints:
    """List the closing outcomes block by block, and note in `block` which they are."""
    bounds = np.searchsorted(np.sort(program.final_block), np.arange(len(block) + 1))
    block["closing_first"], block["closing_end"] = bounds[:-1], bounds[1:]
    return np.argsort(program.final_block, kind="stable")


def _check(program: JumpProgram) -> None:
    """Refuse what a trajectory could not survive."""
    times = program.times
    if len(times) == 0 or times[0] < 0.0 or np.any(times[1:] < times[:-1]) or not np.all(np.isfinite(times)):
        raise ValueError(f"`times` must ascend from 0 or later to the horizon, but is {times}")
    loss, scale = _undecayed(program)
    worst = energy = 0.0
    for matrix, size in zip(loss, program.size, strict=True):
        inside = matrix[:size, :size]
        worst = max(worst, float(np.abs(inside - inside.conj().T).max()))
        energy = max(energy, float(np.abs(inside).max()))
    if worst > 1e-9 * scale + 1e-13 * energy:
        raise ValueError(
            "`heff` must be H - i/2 times the sum of J^dagger J over all channels, but differs from it by "
            f"{worst:.2g}; build it from the same jump operators"
        )


def _undecayed(program: JumpProgram) -> tuple[Complexes, float]:
    """H_eff + i/2 times the sum of J^dagger J, and the largest rate."""
    pairs = program.jump_start[1:] - program.jump_start[:-1]
    block = np.repeat(np.arange(len(pairs)) % len(program.size), pairs)
    row = np.repeat(np.arange(len(pairs)) * program.basis.shape[1], pairs) + program.jump_row
    column, value = program.jump_column, program.jump_value
    heff, scale = program.heff.copy(), 0.0
    # the entries are in the order of their rows, so those that share one are neighbours
    for apart in range(program.basis.shape[1]):
        e = np.flatnonzero(row[: len(row) - apart] == row[apart:])
        if not len(e):
            break
        f = e + apart
        np.add.at(heff, (block[e], column[e], column[f]), 0.5j * value[e].conj() * value[f])
        if apart:
            np.add.at(heff, (block[e], column[f], column[e]), 0.5j * value[f].conj() * value[e])
        else:
            scale = float(np.max(value.real**2 + value.imag**2))
    return heff, scale
