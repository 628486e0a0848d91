"""Sums over the trajectories of a chunk, taken one trajectory after the other in the order of their ids."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import inner
from .jump_flight import Flight
from .jump_tables import JumpTables

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


class Sums(NamedTuple):
    """Sums over the trajectories of a chunk, on each stop.

    Attributes
    ----------
    expect : (ntime, nops, 2) float64
        Of expectation values and of their squares.
    heat_power : (ntime, nbaths, 4) float64
        Of the heat from each bath and its powers.
    heat_pair : (ntime, nbaths (nbaths - 1) / 2) float64
        Of the products of the heats from two baths, (0, 1), (0, 2), ..., (1, 2), ...
    rho : (ntime, d, d) complex128
        Of |psi><psi| in the program's basis; ntime is 0 here if it is not wanted.
    """

    expect: Floats
    heat_power: Floats
    heat_pair: Floats
    rho: Complexes


@inner
def add(tables: JumpTables, flight: Flight, sums: Sums, slot: int) -> None:
    """Add what a landed trajectory has left at its stops."""
    for stop in range(flight.traveller[slot].stop):  # fewer than all only if it was lost
        for op in range(sums.expect.shape[1]):
            value = flight.value[slot, stop, op]
            sums.expect[stop, op, 0] += value
            sums.expect[stop, op, 1] += value * value
        pair = 0
        for bath in range(sums.heat_power.shape[1]):
            heat = flight.heat[slot, stop, bath]
            power = heat
            for order in range(4):
                sums.heat_power[stop, bath, order] += power
                power *= heat
            for other in range(bath + 1, sums.heat_power.shape[1]):
                sums.heat_pair[stop, pair] += heat * flight.heat[slot, stop, other]
                pair += 1
        if sums.rho.shape[0] > 0:
            block = flight.snapshot_block[slot, stop]
            size = tables.block[block].size
            for a in range(size):
                left, row = flight.snapshot[slot, stop, a], tables.basis[block, a]
                for b in range(size):
                    right, column = flight.snapshot[slot, stop, b], tables.basis[block, b]
                    # written out: a product of complex numbers takes Numba a third of a second to compile
                    real = left.real * right.real + left.imag * right.imag
                    imag = left.imag * right.real - left.real * right.imag
                    here = sums.rho[stop, row, column]
                    sums.rho[stop, row, column] = complex(here.real + real, here.imag + imag)
