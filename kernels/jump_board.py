"""From single trajectories to lanes and back: who waits, who searches together, and what comes of it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import inner
from .jump_flight import Columns, Flight, jump, pair
from .jump_search import CHOICE, EVENT, FILLED, JUMP, LEFT, NEXT, PLACE, REACH, STEPS, STOP, THRESHOLD, Bench
from .jump_tables import JumpTables
from .lanes import WIDTH

Ints = NDArray[np.int64]

LIFT = 4  # a search that found nothing begins so many levels higher the next time


class Queues(NamedTuple):
    """Slots that wait for a search, two rings per block of more than one state.

    Trajectories whose first search found nothing queue apart: the next one begins at a higher level, which the others
    in its lanes would have to go through with them.

    Attributes
    ----------
    slot : (queues, W) int64
    head, length : (queues,) int64
    ready : (W + WIDTH,) int64
        Slots whose next event is known.
    """

    slot: Ints
    head: Ints
    length: Ints
    ready: Ints


@inner
def longest(queues: Queues) -> int:
    """Return the queue with most slots, -1 if all are empty."""
    best, most = -1, 0
    for queue in range(queues.length.shape[0]):
        if queues.length[queue] > most:
            best, most = queue, queues.length[queue]
    return best


@inner
def enqueue(tables: JumpTables, flight: Flight, queues: Queues, slot: int) -> None:
    """Let a slot wait for a search in its block."""
    traveller, width = flight.traveller[slot], queues.slot.shape[1]
    queue = 2 * tables.block[traveller.block].queue
    if traveller.lift > 0:
        queue += 1
    at = queues.head[queue] + queues.length[queue]
    queues.slot[queue, at - width if at >= width else at] = slot
    queues.length[queue] += 1


@inner
def board(
    tables: JumpTables, flight: Flight, bench: Bench, queues: Queues, queue: int, seed: np.uint64
) -> tuple[int, int, int]:
    """Bring up to sixteen slots of a queue into lanes; return their block, their number and the highest level."""
    count, head, width = min(queues.length[queue], WIDTH), queues.head[queue], queues.slot.shape[1]
    number = flight.traveller[queues.slot[queue, head]].block
    block, times, top = tables.block[number], tables.times, -1
    ready, lane, state, psi, travellers = queues.ready, bench.lane, bench.state, flight.psi, flight.traveller
    m, first_level, highest, per_step = block.size, block.first_level, block.levels - 1, 1.0 / block.step
    for l in range(count):
        slot = queues.slot[queue, head]
        head = 0 if head + 1 == width else head + 1
        ready[l] = slot
        for a in range(m):
            state[2 * a, l], state[2 * a + 1, l] = psi[slot, a].real, psi[slot, a].imag
        traveller = travellers[slot]
        left = (times[traveller.stop] - traveller.time) * per_step
        level = min(highest, first_level + LIFT * traveller.lift)
        reach = 1.0 * (1 << level) if level >= 0 else 0.0
        while level >= 0 and traveller.steps + reach > left:
            reach *= 0.5
            level -= 1
        top = max(top, level)
        lane[THRESHOLD, l], lane[STEPS, l] = traveller.threshold, traveller.steps
        lane[LEFT, l], lane[REACH, l] = left, reach
        lane[CHOICE, l], lane[NEXT, l] = pair(seed, traveller.id, traveller.jumps + 1)
    queues.head[queue] = head
    queues.length[queue] -= count
    for l in range(count, WIDTH):  # an empty lane repeats the first one, and nobody reads it
        for row in range(2 * m):
            state[row, l] = state[row, 0]
        for row in range(FILLED):
            lane[row, l] = lane[row, 0]
    return number, count, top


@inner
def alight(
    tables: JumpTables, flight: Flight, columns: Columns, bench: Bench, queues: Queues, number: int, count: int
) -> None:
    """Bring lanes back into their slots: behind their jump, at their stop, or as far as the search reached."""
    m, step = tables.block[number].size, tables.block[number].step
    ready, lane, state, psi, travellers = queues.ready, bench.lane, bench.state, flight.psi, flight.traveller
    for l in range(count):
        slot = ready[l]
        traveller = travellers[slot]
        if lane[EVENT, l] == JUMP:
            traveller.time += (lane[STEPS, l] + lane[PLACE, l]) * step
            jump(tables, flight, columns, slot, bench, l)
            continue
        for a in range(m):
            psi[slot, a] = complex(state[2 * a, l], state[2 * a + 1, l])
        if lane[EVENT, l] == STOP:
            traveller.due = STOP
        else:
            traveller.steps = lane[STEPS, l]
            traveller.lift += 1
