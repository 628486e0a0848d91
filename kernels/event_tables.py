r"""From a period resolved by heat to the tables in which its events are searched.

A period either does nothing that is counted, by the operator :math:`N_0`, or an event happens, one of the operators
:math:`E_j`; :math:`N_0^\dagger N_0 + \sum_j E_j^\dagger E_j = 1`.  That is a jump process whose time is whole: after n
periods without event the norm squared is the probability that there was none.  So the tables are those of the jumps,
with the period as the step, :math:`P_k = N_0^{2^k}` as the powers, events as exits, and no series within a step.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed
from .doubling import DEAD, make_work, square, to_table
from .jump_program import JumpProgram
from .jump_tables import JumpTables, _levels, assign_queues, choose_first_level, cycles_of_rest, prepare
from .lanes import WIDTH
from .power_tables import table_size

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]


class EventProgram(NamedTuple):
    r"""A period of collisions resolved by heat; ends, energies and observables are named as in `JumpProgram`.

    Sizes: nb blocks of at most m states, ne events, ntime stops; a period counts in at most `slots` places.

    Attributes
    ----------
    null : (nb, m, m) complex128
        :math:`N_0` within each block, which it does not leave.
    target : (ne, nb) int64
        Block into which event j carries block b; -1 where it cannot happen.
    jump_start : (ne * nb + 1,) int64
    jump_row, jump_column, jump_value : (entries,)
        :math:`E_j`, entry by entry for each (event, block).
    count : (ne, slots) int64
        Rows of counts that an event adds one to, -1 for none.
    steps : (ntime,) int64
        Periods after which averages are taken; the last one ends the trajectory.
    """

    size: Ints
    basis: Ints
    energy: Complexes
    quantum: Floats
    initial_cdf: Floats
    initial_block: Ints
    initial_vec: Complexes
    final_block: Ints
    final_vec: Complexes
    final_energy: Floats
    e_ops: Complexes
    null: Complexes
    target: Ints
    jump_start: Ints
    jump_row: Ints
    jump_column: Ints
    jump_value: Complexes
    count: Ints  # type: ignore[assignment]  # hides tuple.count
    steps: Ints


def prepare_events(program: EventProgram) -> JumpTables:
    """Make the tables of a program; times are counted in periods.

    Raises
    ------
    ValueError
        If `steps` is empty, descends or begins before 0.
    """
    times = np.asarray(program.steps, dtype=float)
    if len(times) == 0 or times[0] < 0 or np.any(np.diff(times) < 0):
        raise ValueError(f"`steps` must ascend from 0 or later to the horizon, but is {program.steps}")
    tables = prepare(_as_jumps(program), not program.null[program.size > 1].imag.any())
    block = tables.block.copy()
    power = _powers(program, block, tables.parts, float(times[-1]))
    assign_queues(block)
    decays(block, tables.exit)
    return tables._replace(block=block, power=power, times=times)


def _as_jumps(program: EventProgram) -> JumpProgram:
    """The jumps that the events would be in continuous time, up to time 0: all tables but those of the waiting."""
    nb, m = program.basis.shape
    loss = np.zeros((nb, m, m), complex)
    for pair in range(program.target.size):
        entries = slice(program.jump_start[pair], program.jump_start[pair + 1])
        event = np.zeros((m, m), complex)
        event[program.jump_row[entries], program.jump_column[entries]] = program.jump_value[entries]
        loss[pair % nb] += np.einsum("ki,kj->ij", event.conj(), event)
    shared = {name: value for name, value in program._asdict().items() if name not in {"null", "steps"}}
    nothing = np.zeros((0, nb, m, m), complex)
    return JumpProgram(
        heff=-0.5j * loss,
        times=np.zeros(1),
        load_energy=nothing,
        load_rest=nothing,
        load=np.full(len(program.target), -1),
        **shared,
    )


def decays(block: NDArray[np.void], exit: NDArray[np.void]) -> None:
    """Note -ln of the chance that nothing happens in a block of one state, and how many periods that makes a lifetime.

    Taken from the weights of the events: those of a cold bath are lost in 1 - |N_0|^2.
    """
    for b in np.flatnonzero(block["size"] == 1):
        here = block[b]
        happens = exit["reach"][here["exit_end"] - 1] if here["exit_end"] > here["exit_first"] else 0.0
        here["decay"] = math.inf if happens >= 1.0 else -math.log1p(-happens)
        here["lifetime"] = math.inf if happens <= 0.0 else 1.0 / here["decay"]


def _powers(program: EventProgram, block: NDArray[np.void], parts: int, horizon: float) -> Floats:
    """Tabulate the powers of N_0 in all blocks of more than one state, and note in `block` where they are."""
    tables: list[Floats] = []
    for b in np.flatnonzero(program.size > 1):
        here, m = block[b], int(program.size[b])
        null = np.ascontiguousarray(program.null[b, :m, :m], dtype=complex)
        n, levels = parts * m, _levels(1.0, horizon)
        size = table_size(n, parts)
        table = np.zeros(levels * size)
        found = squares(null, parts, levels, *make_work(n, parts), table)
        rate = 1.0 - math.fsum((null.real**2 + null.imag**2).reshape(-1)) / m
        here["step"], here["levels"], here["order"] = 1.0, found, 0
        here["power"] = sum(map(len, tables))
        here["rate"], here["rest"] = rate, cycles_of_rest(n, 0, None)
        choose_first_level(here, rate)
        tables.append(table[: found * size])
    return np.concatenate([*tables, np.zeros(0)])


@borrowed
def squares(base: Complexes, parts: int, levels: int, here: Floats, there: Floats, power: Floats) -> int:
    """Tabulate base^(2^k) for k = 0 ... levels - 1, squared in doubled precision; return how many were worth it.

    The first is always kept: no event can be found without it.

    Parameters
    ----------
    base : (m, m) complex
    parts : int
        Real coordinates of an amplitude; with one, `base` is real.
    levels : int
    here, there : (rows, WIDTH) float
        Working space, see `doubling.make_work`.
    power : (levels * size,) float
        Receives the powers as `power_tables` lays them out.
    """
    m = base.shape[0]
    n, chunks, size = parts * m, (m + WIDTH - 1) // WIDTH, power.shape[0] // levels
    for i in range(m):
        for j in range(m):
            row, lane = (parts * i * chunks + j // WIDTH) * 2, j % WIDTH
            here[row, lane] = base[i, j].real
            if parts == 2:
                here[row + 2 * chunks, lane] = base[i, j].imag
    for k in range(levels):
        if to_table(here, n, parts, 0.0, power, k * size) < DEAD and k > 0:
            return k
        if k + 1 < levels:
            square(here, there, n, parts)
            here, there = there, here
    return levels
