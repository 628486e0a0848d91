"""How long each prepared state stays without an event: its survival, its density matrices and its guide table."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, inlined, inner
from .lanes import WIDTH, fma
from .logarithm import log

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

BINS = 512  # of a guide table, on [0, 1)
BEYOND = 0xFFFF  # in a guide table: the survival is not tabulated so far
LONGEST = 4096  # periods of one survival
_LEAST = 2.0**-10  # weight of all exits, as part of the largest possible, that the rounding of the forms spares
_DEAD = 2.0**-60  # no threshold is so small that a state of this norm squared has not passed it

PREPARED = np.dtype(  # a state that does not depend on the one before
    [
        ("block", np.int64),
        ("row", np.int64),  # the first of its survival
        ("density", np.int64),  # place of its density matrix,
        ("stride", np.int64),  # the distance of the next period's, 0 in a block of one state,
        ("periods", np.int64),  # and their number
        ("reach", np.int64),  # the first row of the summed weights of its exits
        ("exit_first", np.int64),
        ("exits", np.int64),
    ]
)


@borrowed
def tabulate(
    null: Complexes,
    horizon: int,
    most: int,
    levels: int,
    block: NDArray[np.void],
    exit: NDArray[np.void],
    prepared: NDArray[np.void],
    vector: Complexes,
    weight: Floats,
    whole: Floats,
    survival: Floats,
    density: Floats,
    guide: NDArray[np.uint16],
    power: Complexes,
    psi: Complexes,
) -> Any:
    """Fill the tables of all prepared states, whose blocks are known, and the powers of N_0.

    Parameters
    ----------
    null : (nb, m, m) complex
    horizon : int
        Periods of a trajectory: nobody asks for a longer survival.
    most : int
        Periods of one survival that may be tabulated.
    levels : int
        Powers of N_0 that reach so far.
    block, exit, prepared, vector, guide, power
        See `RenewalTables`.
    weight, whole : (exits, m * m), (nb, m * m) float64
        Coefficients of the weight of each exit, and of all exits of each block.
    survival, density : (room,) float64
        Tables; of density matrices there is room for one more of each state than of survivals.
    psi : (2, m) complex

    Returns
    -------
    int, int
        Numbers of `survival` and of density matrices that have been filled.
    float
        Share of the events after which the next one is searched; all states of all blocks count alike.
    """
    m, at, place, entry = vector.shape[1], np.int64(0), np.int64(0), np.int64(0)
    for b in range(block.shape[0]):
        happens = whole[b, 0]
        if block[b].size > 1:
            at = _squares(null[b], block[b], levels, power, at)
        else:
            # 1 / -ln (1 - happens), from the weights of the events: those of a cold bath are lost in 1 - |N_0|^2
            block[b].lifetime = math.inf if happens <= 0.0 else 0.0 if happens >= 1.0 else -1.0 / _log1p(-happens)
    for s in range(prepared.shape[0]):
        here = prepared[s]
        size, happens, diagonal = block[here.block].size, whole[here.block, 0], 0.0
        for a in range(size):
            psi[0, a] = vector[s, a]
            diagonal += whole[here.block, a]
        room = min(most, survival.shape[0] - place - 3 * WIDTH)
        if size == 1 and horizon > most and happens * most < 1.0:
            room = -1  # hardly anything would be tabulated: the law is known in closed form
        here.row, here.density, here.stride = place // WIDTH, entry * m * m, m * m if size > 1 else 0
        # powers of 1 - happens in doubled precision, since the rounding of 1 - happens would grow with them
        last, left, low, q = -1, 1.0, 0.0, 1.0 - happens
        while last < room:
            last += 1
            survival[place + last] = left
            if size > 1 or last == 0:
                _put(psi[0], size, whole[here.block], _LEAST * diagonal * left, density, entry * m * m)
                entry += 1
            if left * BINS < 1.0:
                break
            if size == 1:
                product = left * q
                low = fma(left, q, -product) + (left * ((1.0 - q) - happens) + low * q)
                left, low = product + low, low - ((product + low) - product)
            else:
                left = _step(null[here.block], size, psi)
        if size == 1 and last < 0:
            _put(psi[0], size, whole[here.block], 0.0, density, entry * m * m)
            entry += 1
        here.periods = entry - here.density // (m * m)
        place = _close(survival, guide, s * BINS, place, last, horizon)
    return place, entry, _searched(block, exit, weight, guide)


@inner
def _searched(block, exit, weight, guide):
    """Share of the events after which the state is not prepared, or its survival may not be tabulated so far."""
    searched, total = 0.0, 0.0
    for b in range(block.shape[0]):
        for x in range(block[b].exit_first, block[b].exit_end):
            rate, state, beyond = 0.0, exit[x].state, 0
            for a in range(block[b].size):
                rate += weight[x, a]
            if state < 0:
                beyond = BINS
            elif block[exit[x].block].size > 1:
                while beyond < BINS and guide[state * BINS + beyond] == BEYOND:
                    beyond += 1
            searched += rate * beyond / BINS
            total += rate
    return searched / total if total > 0.0 else 1.0


@inlined
def _log1p(x):
    """Return ln(1 + x) for -1 < x <= 0: the logarithm of the rounded sum, corrected to first order for the rounding."""
    total = 1.0 + x
    return log(total) + (x - (total - 1.0)) / total


@inner
def _squares(null, here, levels, power, at):
    """Tabulate N_0^(2^k) of a block for k < levels, as long as it is not dead; return the next place."""
    m = here.size
    here.power = at
    for i in range(m):
        for j in range(m):
            power[at + i * m + j] = null[i, j]
    total = 1.0
    while here.levels < levels and total >= _DEAD:
        here.levels += 1
        total = 0.0
        for i in range(m):
            for j in range(m):
                entry = 0j
                for l in range(m):
                    entry += power[at + i * m + l] * power[at + l * m + j]
                power[at + (m + i) * m + j] = entry
                total += entry.real * entry.real + entry.imag * entry.imag
        at += m * m
    return at


@inner
def _step(null, size, psi):
    """Replace psi[0] by what N_0 makes of it and return its norm squared; psi[1] is working space."""
    left = 0.0
    for a in range(size):
        x = 0j
        for b in range(size):
            x += null[a, b] * psi[0, b]
        psi[1, a] = x
        left += x.real * x.real + x.imag * x.imag
    for a in range(size):
        psi[0, a] = psi[1, a]
    return left


@inner
def _put(psi, size, whole, least, density, at):
    """Write |psi><psi| divided by the weight of all exits, whose forms are probabilities then.

    Populations come first, then twice the real and imaginary parts above the diagonal; all is 0 where the weight is too
    small for its rounding.
    """
    m, end, total = psi.shape[0], at, 0.0
    for a in range(m):
        p = psi[a]
        density[at + a] = p.real * p.real + p.imag * p.imag if a < size else 0.0
    end += m
    for a in range(m):
        for b in range(a + 1, m):
            p, q = psi[a], psi[b] if b < size else 0j
            density[end] = 2.0 * (p.real * q.real + p.imag * q.imag)
            density[end + 1] = 2.0 * (p.real * q.imag - p.imag * q.real)
            end += 2
    for i in range(m * m):
        total += density[at + i] * whole[i]
    scale = 1.0 / total if total > least else 0.0
    for i in range(at, end):
        density[i] *= scale


@inner
def _close(survival, guide, first, place, last, horizon):
    """Write zeros after a survival that ends with period `last`, and its guide table; return the next place."""
    end = place + (last // WIDTH + 2) * WIDTH if last >= 0 else place
    for n in range(place + last + 1, end):
        survival[n] = 0.0
    known = 1.0 if last < 0 else 0.0 if last == horizon else survival[place + last]
    n = 0
    for i in range(BINS - 1, -1, -1):
        while n <= last and survival[place + n] * BINS >= i + 1.0:
            n += 1
        guide[first + i] = n // WIDTH if i >= known * BINS else BEYOND
    return end
