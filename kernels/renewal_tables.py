r"""Tables of a period's events where nearly every event prepares its state: a renewal process.

An operator :math:`E_j` of rank one on a block, :math:`|v\rangle\langle w|`, leaves the state v whatever was before.
How long v stays without an event, and by which operator it is left, is then a law of v alone, and is tabulated:

- its survival :math:`S_n = |N_0^n v|^2`, n = 0, 1, ...  The event comes in the first period n with :math:`S_n \le r`,
  found by a guide table: ``guide[int(r * BINS)]`` tells the row of sixteen numbers in which to begin.
- its density matrix :math:`N_0^n |v\rangle\langle v| N_0^{n\dagger}` as m^2 real numbers, in which the weights
  :math:`|E_j N_0^n v|^2` of all events are linear forms.  The forms are summed over the events, so that the event is
  found by comparing these sums with a random number.

A block of one state is such a state, whose survival is geometric.  What is left over, events of higher rank and
survivals beyond the end of a table, is searched with the powers :math:`N_0^{2^k}` as the waiting time's binary digits.

Source of the guide table: Chen and Asau 1974, "On generating random variates from an empirical distribution".
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .event_tables import EventProgram
from .lanes import WIDTH
from .renewal_laws import BINS, LONGEST, PREPARED, tabulate
from .renewal_states import BLOCK, EXIT, NOWHERE, find_states

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

LARGEST = 4  # states of a block: the forms have the square of it
SEARCHED = 1 / 32  # share of events that may need a search of their own, which costs as much as twenty others
_ENTRIES = 2**16  # of all survivals together: half a megabyte


class RenewalTables(NamedTuple):
    """What the kernels read.

    Attributes
    ----------
    block : (nb,) BLOCK
    exit : (exits,) EXIT
        Events that act on each block, block by block, in the order of their numbers.
    entry_row, entry_column, entry_value : (entries,)
        Entries of the operators, see `EventProgram.jump_start`.
    kind : (counts,) int64
        Rows of counts that each event adds one to, event by event.
    prepared : (states,) PREPARED
    vector : (states, m) complex128
        The prepared states, normalised.
    survival : (rows, WIDTH) float64
        S_n of each prepared state, from a row of its own on; zeros after its last.
    density : (states and periods * m * m,) float64
        Density matrices: populations, then twice the real and imaginary parts above the diagonal; divided by the
        weight of all exits, or 0 where that is too small for its rounding.
    guide : (states * BINS,) uint16
        Row of a state's survival in which to begin, `BEYOND` where it ends before.
    reach : (nb * chunks * m * m, WIDTH) float64
        Coefficients of the summed weights of the exits of each block, an exit in each lane.
    power : (length,) complex128
        Powers of N_0 of each block of more than one state, row by row.
    closing : (nf,) int64
        Closing outcomes, block by block.
    times : (ntime,) int64
        Stops, in periods.
    numbers : int
        m * m.
    chunks : int
        Times sixteen exits that `reach` has for each block.
    rate : float
        Counted events in a period, averaged over all states alike.
    parts : int
        Real numbers of an amplitude.

    The other fields are those of `EventProgram`.
    """

    block: NDArray[np.void]
    exit: NDArray[np.void]
    entry_row: Ints
    entry_column: Ints
    entry_value: Complexes
    kind: Ints
    prepared: NDArray[np.void]
    vector: Complexes
    survival: Floats
    density: Floats
    guide: NDArray[np.uint16]
    reach: Floats
    power: Complexes
    closing: Ints
    times: Ints
    basis: Ints
    quantum: Floats
    initial_cdf: Floats
    initial_block: Ints
    initial_vec: Complexes
    final_vec: Complexes
    final_energy: Floats
    energy: Complexes
    e_ops: Complexes
    numbers: int
    chunks: int
    rate: float
    parts: int


def prepare_renewal(program: EventProgram, most_searched: float = SEARCHED) -> RenewalTables | None:
    """Make the tables of a program; None where its blocks are too large or too few of its events prepare their state.

    Parameters
    ----------
    program : EventProgram
    most_searched : float
        Largest share of the events after which the next one has to be searched.

    Raises
    ------
    ValueError
        If `steps` is empty, descends or begins before 0.
    """
    steps = _as(program.steps, np.int64)
    if len(steps) == 0 or steps[0] < 0 or np.any(steps[1:] < steps[:-1]):
        raise ValueError(f"`steps` must ascend from 0 or later to the horizon, but is {program.steps}")
    nb, m = program.basis.shape
    if m > LARGEST:
        return None
    target, count = _as(program.target, np.int64), _as(program.count, np.int64)
    entries = tuple(_as(array, np.int64) for array in (program.jump_start, program.jump_row, program.jump_column))
    value, kinds = _as(program.jump_value, np.complex128), len(program.quantum)
    most, numbers = int(np.count_nonzero(target >= 0)), m * m
    block, exit = np.zeros(nb, BLOCK), np.zeros(most, EXIT)
    vector, kind, weight = np.zeros((nb + most, m), complex), np.empty(count.size, np.int64), np.zeros((most, numbers))
    block_of, pure = np.empty(nb + most, np.int64), np.full((nb, m), NOWHERE)
    chunks = max(1, (len(target) + WIDTH - 1) // WIDTH)
    reach, whole = _rows(nb * chunks * numbers), np.zeros((nb, numbers))
    block["size"] = program.size
    states = find_states(
        target, *entries, value, count, block, exit, block_of, vector, pure, weight, reach, whole, kind, kinds
    )
    prepared, inside = np.zeros(states, PREPARED), block_of[:states]
    prepared["block"], prepared["reach"] = inside, inside * (chunks * numbers)
    prepared["exit_first"] = block["exit_first"][inside]
    prepared["exits"] = block["exit_end"][inside] - prepared["exit_first"]
    horizon = int(steps[-1])
    levels = max(1, horizon.bit_length())
    power = np.empty((int(np.count_nonzero(program.size > 1)) * levels + 1) * numbers, complex)
    survival, density = _rows(_ENTRIES // WIDTH), np.empty((_ENTRIES + states) * numbers)
    guide = np.empty(states * BINS, np.uint16)
    length, matrices, searched = tabulate(
        _as(program.null, np.complex128), horizon, min(LONGEST, horizon), levels, block, exit, prepared,
        vector[:states], weight, whole,
        survival.reshape(-1), density, guide, power, np.zeros((2, m), complex),
    )  # fmt: skip
    if searched > most_searched:
        return None
    rate = weight[:, :m].sum(axis=1) @ (exit["kind"] < kinds)
    listed, block["closing_first"], block["closing_end"] = _closings(program.final_block, nb)
    return RenewalTables(
        block=block,
        exit=exit,
        entry_row=entries[1],
        entry_column=entries[2],
        entry_value=value,
        kind=kind,
        prepared=prepared,
        vector=vector[:states],
        survival=survival[: length // WIDTH],
        density=density[: matrices * numbers],
        guide=guide,
        reach=reach,
        power=power,
        closing=listed,
        times=steps,
        basis=_as(program.basis, np.int64),
        quantum=_as(program.quantum, np.float64),
        initial_cdf=_as(program.initial_cdf, np.float64),
        initial_block=_as(program.initial_block, np.int64),
        initial_vec=_as(program.initial_vec, np.complex128),
        final_vec=_as(program.final_vec, np.complex128),
        final_energy=_as(program.final_energy, np.float64),
        energy=_as(program.energy, np.complex128),
        e_ops=_as(program.e_ops, np.complex128),
        numbers=numbers,
        chunks=chunks,
        rate=float(rate) / int(program.size.sum()),
        parts=2,
    )


def _closings(final_block: Ints, nb: int) -> tuple[Ints, Ints, Ints]:
    """Closing outcomes, block by block, and where those of each block begin and end."""
    bounds = np.searchsorted(np.sort(final_block), np.arange(nb + 1))
    return np.argsort(final_block, kind="stable"), bounds[:-1], bounds[1:]


def _as(array: NDArray[Any], kind: type) -> NDArray[Any]:
    """The array as the one type for which the kernels are compiled: any other would compile them again."""
    known = array.dtype == kind and array.flags.carray
    return array if known else np.require(array, kind, ["C", "A", "W"])


def _rows(n: int) -> Floats:
    """Rows of lanes that begin with a cache line: a load that lies in two of them takes twice as long."""
    raw = np.empty((n + 1) * WIDTH)
    begin = (-raw.ctypes.data % 64) // 8
    return raw[begin : begin + n * WIDTH].reshape(n, WIDTH)
