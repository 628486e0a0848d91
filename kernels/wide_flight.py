"""How a trajectory of a wide state opens, passes its stops and lands: kets and observables by their entries."""

import math

import numpy as np
from numpy.typing import NDArray

from .borrowed import inlined, inner
from .jump_flight import NO_CHANNEL, Columns, Flight, come_to_stop, open_record, pair, show, unfold
from .measurement import choose, norm2
from .wide_tables import WideTables

Complexes = NDArray[np.complex128]


@inner
def open_wide(
    tables: WideTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64, id: int, row: int
) -> None:
    """Put trajectory `id`, whose columns are in `row`, into a slot and open it."""
    outcome = open_record(tables, flight, columns, slot, seed, id, row)
    for a in range(tables.block[tables.initial_block[outcome]].width):
        flight.psi[slot, a] = 0.0
    for e in range(tables.initial_start[outcome], tables.initial_start[outcome + 1]):
        place, value = tables.parts * tables.initial_place[e], tables.initial_value[e]
        flight.psi[slot, place] = value.real
        if tables.parts == 2:
            flight.psi[slot, place + 1] = value.imag
    if tables.times[0] <= 0.0:
        pass_wide(tables, flight, columns, slot, seed)


@inlined
def look(tables, operator, block, psi):
    """Return <psi|A|psi> of the energy (operator 0) or of an observable."""
    first, d, total = tables.first[block], (tables.first[-1] + tables.block[-1].size), 0.0
    for a in range(tables.block[block].size):
        row, real, imag = operator * d + first + a, 0.0, 0.0
        for e in range(tables.look_start[row], tables.look_start[row + 1]):
            value, there = tables.look_value[e], psi[tables.look_column[e]]
            real += value.real * there.real - value.imag * there.imag
            imag += value.real * there.imag + value.imag * there.real
        total += psi[a].real * real + psi[a].imag * imag
    return total


@inner
def pass_wide(tables: WideTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64) -> None:
    """Read off the state in a slot at the stop it has come to and at those that coincide with it; land at the last."""
    traveller, times = flight.traveller[slot], tables.times
    time = come_to_stop(traveller)
    while traveller.stop < times.shape[0] and times[traveller.stop] <= time:
        _read(tables, flight, columns, slot, traveller.stop)
        traveller.stop += 1
    if traveller.stop < times.shape[0]:
        traveller.until = times[traveller.stop]
    else:
        _land(tables, flight, columns, slot, seed)


@inner
def _read(tables: WideTables, flight: Flight, columns: Columns, slot: int, stop: int) -> None:
    """Note heat, expectation values and, where wanted, the state at a stop."""
    block, row, psi = flight.traveller[slot].block, flight.traveller[slot].row, flight.shown
    size = tables.block[block].size
    show(tables, block, stop, flight.psi[slot], psi)
    for bath in range(tables.quantum.shape[1]):
        heat = 0.0
        for k in range(tables.quantum.shape[0]):
            if columns.counts[row, k] != 0:
                heat += columns.counts[row, k] * tables.quantum[k, bath]
        flight.heat[slot, stop, bath] = heat
    norm = norm2(psi, size)
    for op in range(flight.value.shape[2]):
        flight.value[slot, stop, op] = look(tables, op + 1, block, psi) / norm
    if flight.snapshot.shape[1] > 0:
        flight.snapshot_block[slot, stop] = block
        scale = 1.0 / math.sqrt(norm)
        for a in range(size):
            flight.snapshot[slot, stop, a] = complex(psi[a].real * scale, psi[a].imag * scale)
    if columns.states.shape[0] > 0:
        unfold(tables, block, psi, norm, columns.states[row, stop])


@inner
def _land(tables: WideTables, flight: Flight, columns: Columns, slot: int, seed: np.uint64) -> None:
    """Make the closing measurement."""
    traveller, psi, weight = flight.traveller[slot], flight.shown, flight.weight
    show(tables, traveller.block, tables.times.shape[0] - 1, flight.psi[slot], psi)
    block, start, place, value = traveller.block, tables.final_start, tables.final_place, tables.final_value
    first, end, size = tables.block[block].closing_first, tables.block[block].closing_end, tables.block[block].size
    traveller.landed = 1
    norm = norm2(psi, size)
    if columns.state.shape[0] > 0:
        unfold(tables, block, psi, norm, columns.state[traveller.row])
    for k in range(first, end):
        real, imag = 0.0, 0.0
        for e in range(start[tables.closing[k]], start[tables.closing[k] + 1]):
            ket, there = value[e], psi[place[e]]
            real += ket.real * there.real + ket.imag * there.imag
            imag += ket.real * there.imag - ket.imag * there.real
        weight[k - first] = real * real + imag * imag
    u, _ = pair(seed, traveller)
    chosen = choose(weight, end - first, u)
    if chosen < 0:
        columns.status[traveller.row], columns.final[traveller.row] = NO_CHANNEL, -1
        columns.closing_energy[traveller.row] = np.nan
        return
    outcome = tables.closing[first + chosen]
    columns.final[traveller.row] = outcome
    columns.closing_energy[traveller.row] = tables.final_energy[outcome] - look(tables, 0, block, psi) / norm
