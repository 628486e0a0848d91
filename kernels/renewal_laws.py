"""How long each prepared state stays without an event: its survival, its density matrices and its guide table."""

import math

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
_LONGEST = 4096  # periods of one survival
_DEAD = 2.0**-60  # no threshold is so small that a state of this norm squared has not passed it


@borrowed
def tabulate(
    null: Complexes,
    horizon: int,
    levels: int,
    block: NDArray[np.void],
    exit: NDArray[np.void],
    prepared: NDArray[np.void],
    vector: Complexes,
    weight: Floats,
    whole: Floats,
    chunks: int,
    survival: Floats,
    density: Floats,
    guide: NDArray[np.uint16],
    power: Complexes,
    work: Complexes,
    nothing: int,
) -> tuple[int, int, float, float]:
    """Fill the tables of all prepared states and the powers of N_0; all arrays are those of `RenewalTables`.

    Parameters
    ----------
    horizon : int
        Periods of a trajectory: nobody asks for a longer survival.
    levels : int
        Powers of N_0 that reach so far.
    chunks : int
        Times sixteen exits that `reach` has for each block.
    work : (2, m) complex
    nothing : int
        Rows of counts.

    Returns
    -------
    int, int
        Rows of `survival` and of `density` that have been filled.
    float
        Share of the events after which the next one needs a search; all states of all blocks count alike.
    float
        Mean number of counted events in a period, in the same sense.
    """
    m, at = vector.shape[1], np.int64(0)
    numbers = m * m
    for b in range(block.shape[0]):
        if block[b].size == 1:
            happens = min(whole[b * numbers], 1.0)
            # -ln (1 - happens), from the weights of the events: those of a cold bath are lost in 1 - |N_0|^2
            decay = -_log1p(-happens) if happens < 1.0 else math.inf
            block[b].lifetime = math.inf if happens <= 0.0 else 1.0 / decay
        else:
            at = _squares(null[b], block[b], levels, power, at)
    row, entry = np.int64(0), np.int64(0)
    for s in range(prepared.shape[0]):
        here, size = prepared[s], block[prepared[s].block].size
        here.row, here.density, here.stride = row, entry * numbers, numbers if size > 1 else 0
        here.exit_first, here.reach = block[here.block].exit_first, here.block * chunks * numbers
        here.exits = block[here.block].exit_end - here.exit_first
        at = here.block * numbers
        if size == 1:
            here.periods = 1
            row, entry = _one_state(here, whole[at], horizon, survival, density, numbers, guide, s, row, entry)
        else:
            before = entry
            row, entry = _decaying(
                null[here.block], block[here.block], horizon, vector[s], whole, at, survival, density, numbers,
                guide, s, row, entry, work,
            )  # fmt: skip
            here.periods = entry - before
    return row, entry, *_shares(block, exit, weight, guide, numbers, nothing)


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
    here.levels = 1
    for k in range(1, levels):
        old, new, total = at + (k - 1) * m * m, at + k * m * m, 0.0
        for i in range(m):
            for j in range(m):
                entry = 0j
                for l in range(m):
                    entry += power[old + i * m + l] * power[old + l * m + j]
                power[new + i * m + j] = entry
                total += entry.real * entry.real + entry.imag * entry.imag
        if total < _DEAD:
            break
        here.levels = k + 1
    return at + here.levels * m * m


@inner
def _one_state(here, happens, horizon, survival, density, numbers, guide, s, row, entry):
    """Tabulate the geometric survival of a block of one state, where that is short; return the next places.

    Powers of 1 - happens in doubled precision, since the rounding of 1 - happens would grow with them.
    """
    room = _room(survival, density, numbers, row, entry)
    for i in range(numbers):
        density[entry * numbers + i] = 1.0 / happens if i == 0 and happens > 0.0 else 0.0
    last = 0
    if room > 0:
        survival[row, 0] = 1.0
        if happens * _LONGEST > 1.0 or horizon < _LONGEST:
            q = 1.0 - happens
            q_low = (1.0 - q) - happens
            high, low = 1.0, 0.0
            while last < min(room, horizon) and high * BINS >= 1.0:
                last += 1
                product = high * q
                low = fma(high, q, -product) + (high * q_low + low * q)
                high = product + low
                low = low - (high - product)
                survival[row + last // WIDTH, last % WIDTH] = high
    return _close(survival, guide, s, row, last, horizon, room), entry + 1


@inner
def _decaying(
    null, block, horizon, vector, whole, at, survival, density, numbers, guide, s, row, entry, work
):  # fmt: skip
    """Tabulate survival and density matrices of a state in a larger block; return the next places."""
    room, last, size = _room(survival, density, numbers, row, entry), 0, block.size
    if room > 0:
        survival[row, 0] = 1.0
        for a in range(size):
            work[0, a] = vector[a]
        _matrix(work[0], size, density, entry * numbers)
        _normalise(density, entry * numbers, whole, at, numbers, block.least)
        here, left = 0, 1.0
        while last < min(room, horizon) and left * BINS >= 1.0:
            last += 1
            left = 0.0
            for a in range(size):
                x = 0j
                for b in range(size):
                    x += null[a, b] * work[here, b]
                work[1 - here, a] = x
                left += x.real * x.real + x.imag * x.imag
            here = 1 - here
            _matrix(work[here], size, density, (entry + last) * numbers)
            _normalise(density, (entry + last) * numbers, whole, at, numbers, block.least * left)
            survival[row + last // WIDTH, last % WIDTH] = left
    return _close(survival, guide, s, row, last, horizon, room), entry + last + (room > 0)


@inner
def _room(survival, density, numbers, row, entry):
    """Periods for which there is room, one row being left for zeros."""
    return min(_LONGEST, (survival.shape[0] - row - 2) * WIDTH, density.shape[0] // numbers - entry - 1)


@inner
def _matrix(psi, size, density, at):
    """Write |psi><psi| as real numbers: populations, then twice the real and imaginary parts above the diagonal."""
    m = psi.shape[0]
    for a in range(m):
        density[at + a] = psi[a].real * psi[a].real + psi[a].imag * psi[a].imag if a < size else 0.0
    at += m
    for a in range(m):
        for b in range(a + 1, m):
            p, q = psi[a], psi[b]
            density[at] = 2.0 * (p.real * q.real + p.imag * q.imag) if b < size else 0.0
            density[at + 1] = 2.0 * (p.real * q.imag - p.imag * q.real) if b < size else 0.0
            at += 2


@inner
def _normalise(density, at, whole, form, numbers, least):
    """Divide a density matrix by the weight of all exits, so that their forms are probabilities; 0 if that is lost."""
    total = 0.0
    for i in range(numbers):
        total += density[at + i] * whole[form + i]
    scale = 1.0 / total if total > least else 0.0
    for i in range(numbers):
        density[at + i] *= scale


@inner
def _close(survival, guide, s, row, last, horizon, room):
    """Write zeros after a survival that ends with period `last`, and its guide table; return the next row."""
    if room <= 0:
        for i in range(BINS):
            guide[s * BINS + i] = BEYOND
        return row
    rows = last // WIDTH + 2
    for place in range(last + 1, rows * WIDTH):
        survival[row + place // WIDTH, place % WIDTH] = 0.0
    known = 0.0 if last == horizon else survival[row + last // WIDTH, last % WIDTH]
    n = 0
    for i in range(BINS - 1, -1, -1):
        while n <= last and survival[row + n // WIDTH, n % WIDTH] >= (i + 1.0) / BINS:
            n += 1
        guide[s * BINS + i] = n // WIDTH if i >= known * BINS else BEYOND
    return row + rows


@inner
def _shares(block, exit, weight, guide, numbers, nothing):
    """Return the share of events after which there is a search, and the number of counted events in a period."""
    searched, total, counted, states = 0.0, 0.0, 0.0, 0
    for b in range(block.shape[0]):
        states += block[b].size
        for x in range(block[b].exit_first, block[b].exit_end):
            rate, here = 0.0, exit[x]
            for a in range(block[b].size):
                rate += weight[x * numbers + a]
            total += rate
            if here.kind < nothing:
                counted += rate
            if here.state < 0:
                searched += rate
            elif block[here.block].size > 1:
                beyond = 0
                for i in range(BINS):
                    beyond += guide[here.state * BINS + i] == BEYOND
                searched += rate * beyond / BINS
    return searched / total if total > 0.0 else 1.0, counted / states
