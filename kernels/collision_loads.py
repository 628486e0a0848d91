r"""Channels inside a period of collisions: a load that kicks, or decay, for a given time without a Hamiltonian.

Between jumps the state obeys :math:`\psi' = -\frac12 G\psi` with Hermitian :math:`G = \sum_c J_c^\dagger J_c`: in its
eigenbasis, amplitudes fall independently.  The next jump comes when the norm squared has fallen to a fraction u that is
drawn; the root is found by Newton's method inside a bracket.  Everything that happens to the energy on the way is the
channels' doing, so a load's heat and work need no integral: they are what it changed of its energy operator and of the
rest of H.

Draws: one for each wait, also for the last one that outlasts the time, and one that chooses the channel of each jump.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed
from .exponential import falling
from .measurement import expectation, norm2
from .philox import Stream, uniform

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

_ITERATIONS = 200
_CLOSE = 2.0**-50


class FlowTables(NamedTuple):
    """Channels that act for a time within a period.  Sizes: nf such elements with nc channels together, nb blocks of m.

    Attributes
    ----------
    flow_time : (nf,) float64
        How long each acts.
    flow_rate : (nf, nb, m) float64
        Eigenvalues of G in each block.
    flow_fall : (nf, nb, m) float64
        exp(-G time / 2) in its eigenbasis.
    flow_turn : (nf, nb, m, m) complex128
        Eigenvectors of G, as columns.
    flow_channel : (nf + 1,) int64
        Range of channels of each.
    flow_target : (nc, nb) int64
        Block into which a channel carries a block, -1 where it annihilates it.
    flow_start, flow_row, flow_column, flow_value : (nc * nb + 1,) int64, (entries,)
        Jump operators, rates inside, entry by entry for each (channel, block).
    flow_count : (nc, nbaths) int64
        Row of counts a jump adds one to for each bath, -1 for none.
    flow_load : (nf,) int64
        Load that the channels of each belong to, -1 if they have definite quanta.
    load_bath : (nloads,) int64
    load_energy, load_rest : (nloads, nb, m, m) complex128
        Energy operator of each load, and H minus it.
    """

    flow_time: Floats
    flow_rate: Floats
    flow_fall: Floats
    flow_turn: Complexes
    flow_channel: Ints
    flow_target: Ints
    flow_start: Ints
    flow_row: Ints
    flow_column: Ints
    flow_value: Complexes
    flow_count: Ints
    flow_load: Ints
    load_bath: Ints
    load_energy: Complexes
    load_rest: Complexes


@borrowed
def _turn(turn: Complexes, psi: Complexes, out: Complexes, m: int) -> None:
    """Write V^dagger psi into `out`."""
    for a in range(m):
        total = complex(0.0, 0.0)
        for b in range(m):
            total += turn[b, a].conjugate() * psi[b]
        out[a] = total


@borrowed
def _turn_back(turn: Complexes, out: Complexes, psi: Complexes, m: int) -> None:
    """Write V out into `psi`."""
    for a in range(m):
        total = complex(0.0, 0.0)
        for b in range(m):
            total += turn[a, b] * out[b]
        psi[a] = total


@borrowed
def _left(rate: Floats, out: Complexes, m: int, time: float) -> tuple[float, float]:
    """Return the norm squared after a time, and minus its derivative."""
    norm, loss = 0.0, 0.0
    for a in range(m):
        weight = (out[a].real * out[a].real + out[a].imag * out[a].imag) * falling(rate[a] * time)
        norm += weight
        loss += rate[a] * weight
    return norm, loss


@borrowed
def wait(rate: Floats, out: Complexes, m: int, mark: float, end: float) -> float:
    """Return the time at which the norm squared has fallen to `mark`, which it has before `end`."""
    low, high, time = 0.0, end, 0.0
    for _ in range(_ITERATIONS):
        norm, loss = _left(rate, out, m, time)
        if norm > mark:
            low = time
        else:
            high = time
        better = time + (norm - mark) / loss if loss > 0.0 else high
        if not low < better < high:
            better = 0.5 * (low + high)
        if abs(better - time) <= _CLOSE * end:
            return better
        time = better
    return time


@borrowed
def _choose(flows: FlowTables, flow: int, block: int, psi: Complexes, out: Complexes, size: Ints, u: float) -> int:
    """Choose the channel of a jump with probability |J psi|^2, and leave J psi in `out`; -1 if none can act."""
    nb, total = flows.flow_target.shape[1], 0.0
    first, end = flows.flow_channel[flow], flows.flow_channel[flow + 1]
    for channel in range(first, end):
        total += _jump(flows, channel, block, nb, psi, out, size)
    mark, chosen = u * total, -1
    for channel in range(first, end):
        weight = _jump(flows, channel, block, nb, psi, out, size)
        if weight > 0.0:
            chosen = channel
            mark -= weight
            if mark < 0.0:
                return chosen
    if chosen >= 0:
        _jump(flows, chosen, block, nb, psi, out, size)
    return chosen


@borrowed
def _jump(flows: FlowTables, channel: int, block: int, nb: int, psi: Complexes, out: Complexes, size: Ints) -> float:
    """Write J psi into `out` and return its norm squared."""
    to = flows.flow_target[channel, block]
    if to < 0:
        return 0.0
    for a in range(size[to]):
        out[a] = 0.0
    pair = channel * nb + block
    for entry in range(flows.flow_start[pair], flows.flow_start[pair + 1]):
        out[flows.flow_row[entry]] += flows.flow_value[entry] * psi[flows.flow_column[entry]]
    return norm2(out, size[to])


@borrowed
def _energies(flows: FlowTables, flow: int, block: int, psi: Complexes, m: int) -> tuple[float, float]:
    """Return the expectation values of the load's energy operator and of the rest of H; zeros without a load."""
    load = flows.flow_load[flow]
    if load < 0:
        return 0.0, 0.0
    norm = norm2(psi, m)
    energy = expectation(flows.load_energy[load, block], psi, m) / norm
    return energy, expectation(flows.load_rest[load, block], psi, m) / norm


@borrowed
def flow_through(
    flows: FlowTables,
    flow: int,
    size: Ints,
    block: int,
    psi: Complexes,
    out: Complexes,
    counts: Ints,
    gained: Floats,
    stream: Stream,
    event: Ints,
) -> tuple[int, Stream]:
    """Let channels act on psi for their time.

    Parameters
    ----------
    flows : FlowTables, lent
    flow : int
    size : (nb,) int64
        Sizes of the blocks.
    block, psi : int, (m,) complex128
        State, of any norm; `psi` receives the new one.
    out : (m,) complex128
        Working space.
    counts : (ncounts,) int64
        Added to.
    gained : (nloads, 2) float64
        Heat and work of each load, added to.
    stream : Stream
    event : (room,) int64
        Receives the channels of the jumps from place 1 on, and their number in place 0, as far as there is room.

    Returns
    -------
    block : int
        Where the state is now; -1 if the norm fell although no channel can act.
    stream
    """
    event[0] = 0
    left, whole = flows.flow_time[flow], True
    energy, rest = _energies(flows, flow, block, psi, size[block])
    while True:
        m, rate, turn = size[block], flows.flow_rate[flow, block], flows.flow_turn[flow, block]
        _turn(turn, psi, out, m)
        u, stream = uniform(stream)
        mark, norm = u * norm2(out, m), 0.0
        for a in range(m):
            fall = flows.flow_fall[flow, block, a] if whole else math.sqrt(falling(rate[a] * left))
            weight = out[a].real * out[a].real + out[a].imag * out[a].imag
            norm += fall * fall * weight
        if norm >= mark:
            break
        time = wait(rate, out, m, mark, left)
        for a in range(m):
            fall = math.sqrt(falling(rate[a] * time))
            out[a] = complex(out[a].real * fall, out[a].imag * fall)
        _turn_back(turn, out, psi, m)
        v, stream = uniform(stream)
        channel = _choose(flows, flow, block, psi, out, size, v)
        if channel < 0:
            return -1, stream
        block = flows.flow_target[channel, block]
        for a in range(size[block]):
            psi[a] = out[a]
        for bath in range(flows.flow_count.shape[1]):
            row = flows.flow_count[channel, bath]
            if row >= 0:
                counts[row] += 1
        event[0] += 1
        if event[0] < event.shape[0]:
            event[event[0]] = channel
        left, whole = max(0.0, left - time), False
    for a in range(m):
        fall = flows.flow_fall[flow, block, a] if whole else math.sqrt(falling(rate[a] * left))
        out[a] = complex(out[a].real * fall, out[a].imag * fall)
    _turn_back(turn, out, psi, m)
    if flows.flow_load[flow] >= 0:
        new_energy, new_rest = _energies(flows, flow, block, psi, size[block])
        gained[flows.flow_load[flow], 0] += new_energy - energy
        gained[flows.flow_load[flow], 1] += new_rest - rest
    return block, stream
