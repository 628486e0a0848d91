"""From single trajectories to lanes and back: who waits, who searches together, and what comes of it.

Blocks of one state are left after -ln(r) lifetimes, by closed form, so trajectories in any of them share their lanes.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import inlined, inner
from .jump_flight import SMALLEST_THRESHOLD, Columns, Flight, apply, enter, kick, lift_off, lose, new_pair
from .jump_search import (
    CHOICE,
    EVENT,
    EXIT,
    FILLED,
    HAZARD,
    JUMP,
    LEFT,
    LIFETIME,
    NEXT,
    PLACE,
    RATE,
    STAY,
    STEPS,
    STOP,
    THRESHOLD,
    TIME,
    UNTIL,
    Bench,
)
from .jump_tables import JumpTables
from .lanes import WIDTH, load, select, splat, store
from .logarithm import log_of_lanes

Ints = NDArray[np.int64]
Slots = NDArray[np.uint32]

SINGLES = 0  # the queue of all blocks of one state


class Queues(NamedTuple):
    """Slots that wait: a ring for those in blocks of one state, and several for each larger block.

    Sixteen that search together begin at the same level.  In a small block that is the first level, and the highest
    one, in another ring, for those whose first search found nothing; in a large block the level that each threshold
    asks for, a ring for each.

    Attributes
    ----------
    slot : (queues, W) uint32
    head, length : (queues,) int64
    ready, fresh : (WIDTH,) uint32
        Slots in the lanes; lanes that need new random numbers.
    """

    slot: Slots
    head: Ints
    length: Ints
    ready: Slots
    fresh: Slots


def make_queues(block: Any, slots: int) -> Queues:
    """Empty queues for all blocks."""
    n = int(block["queues"].sum()) + 1
    return Queues(
        slot=np.zeros((n, slots), np.uint32),
        head=np.zeros(n, np.int64),
        length=np.zeros(n, np.int64),
        ready=np.zeros(WIDTH, np.uint32),
        fresh=np.zeros(WIDTH, np.uint32),
    )


@inner
def longest(queues: Queues, first: int) -> int:
    """Return the queue with most slots among those from `first` on."""
    best, most = first, 0
    for queue in range(first, queues.length.shape[0]):
        if queues.length[queue] > most:
            best, most = queue, queues.length[queue]
    return best


@inlined
def first_block(flight: Flight, queues: Queues, queue: int) -> int:
    """Return the block of the first slot in a queue."""
    return flight.traveller[queues.slot[queue, queues.head[queue]]].block


@inlined
def enqueue(tables: JumpTables, flight: Flight, queues: Queues, slot: int) -> None:
    """Let a slot wait in its block."""
    traveller, width = flight.traveller[slot], queues.slot.shape[1]
    queue = tables.block[traveller.block].queue + traveller.search
    at = queues.head[queue] + queues.length[queue]
    queues.slot[queue, at - width if at >= width else at] = slot
    queues.length[queue] += 1


@inlined
def dequeue(queues: Queues, queue: int) -> int:
    """Take the first slot out of a queue."""
    head = queues.head[queue]
    queues.head[queue] = 0 if head + 1 == queues.slot.shape[1] else head + 1
    queues.length[queue] -= 1
    return queues.slot[queue, head]


@inner
def board(tables: JumpTables, flight: Flight, bench: Bench, queues: Queues, queue: int, seed: np.uint64) -> int:
    """Bring up to sixteen slots of a queue into lanes, with their random numbers; return how many."""
    count, head, ring, width = min(queues.length[queue], WIDTH), queues.head[queue], queues.slot, queues.slot.shape[1]
    ready, fresh, lane, state = queues.ready, queues.fresh, bench.lane, bench.state
    psi, travellers, blocks = flight.psi, flight.traveller, tables.block
    n = tables.block[travellers[queues.slot[queue, head]].block].width
    single = queue == SINGLES
    even = 0
    for l in range(count):
        slot = ring[np.uint32(queue), np.uint32(head)]
        head = 0 if head + 1 == width else head + 1
        ready[l] = slot
        traveller = travellers[slot]
        if single:
            lane[LIFETIME, l] = blocks[traveller.block].lifetime
        else:
            for a in range(n):
                state[a, l] = psi[slot, a]
        lane[THRESHOLD, l], lane[STEPS, l] = traveller.threshold, traveller.steps
        lane[TIME, l], lane[UNTIL, l] = traveller.time, traveller.until
        lane[CHOICE, l], lane[NEXT, l] = traveller.spare_choice, traveller.spare_threshold
        fresh[np.uint32(even)] = l
        even += traveller.jumps & 1  # of which the next event has an even number
    queues.head[queue] = head
    queues.length[queue] -= count
    for k in range(even):
        traveller = travellers[ready[fresh[k]]]
        lane[CHOICE, fresh[k]], lane[NEXT, fresh[k]] = new_pair(seed, traveller, traveller.jumps + 1)
    if count < WIDTH:
        _repeat(bench, 0 if single else n, count)
    store(lane, NEXT, _not_below(load(lane, NEXT), splat(SMALLEST_THRESHOLD)))
    store(lane, HAZARD, -log_of_lanes(load(lane, NEXT)))
    return count


@inlined
def _not_below(x, least):
    return select(x > least, x, least)


@inner
def _repeat(bench: Bench, n: int, count: int) -> None:
    """Fill empty lanes with the first one: nobody reads them, but numbers they must be."""
    for l in range(count, WIDTH):
        for row in range(n):
            bench.state[row, l] = bench.state[row, 0]
        for row in range(FILLED):
            bench.lane[row, l] = bench.lane[row, 0]
        bench.lane[LIFETIME, l] = bench.lane[LIFETIME, 0]


@inner
def begin_search(tables: JumpTables, block: int, bench: Bench, queue: int) -> int:
    """Count the lanes' time in steps of the block; return the highest level to try."""
    lane, here = bench.lane, tables.block[block]
    store(lane, LEFT, (load(lane, UNTIL) - load(lane, TIME)) * splat(1.0 / here.step))
    if here.pace > 0.0:
        return queue - here.queue
    return here.first_level if queue == here.queue else here.levels - 1


@inner
def end_search(tables: JumpTables, block: int, bench: Bench) -> None:
    """Say when the events of the lanes happen."""
    lane = bench.lane
    waited = (load(lane, STEPS) + load(lane, PLACE)) * splat(tables.block[block].step)
    store(lane, TIME, load(lane, TIME) + waited)


@inlined
def leave(tables: JumpTables, bench: Bench, wait: Any, stops: Any) -> None:
    """Leave blocks of one state after a wait, or come to the stop before: `stops` tells which lanes do."""
    lane = bench.lane
    store(bench.state, 0, splat(1.0))
    if tables.parts == 2:
        store(bench.state, 1, splat(0.0))
    left = load(lane, UNTIL) - load(lane, TIME)
    store(lane, EVENT, select(stops, splat(STOP), splat(JUMP)))
    store(lane, TIME, load(lane, TIME) + wait)
    store(lane, LEFT, left)


@inner
def elect_known(tables: JumpTables, flight: Flight, bench: Bench, queues: Queues, count: int) -> None:
    """Choose the exits from blocks of one state, of which all rates are known; take from r what a stop leaves of it."""
    lane, exits = bench.lane, tables.exit
    for l in range(count):
        here = tables.block[flight.traveller[queues.ready[l]].block]
        first, last = here.exit_first, here.exit_end - 1
        chosen = first
        if first <= last:
            mark = lane[CHOICE, l] * exits[last].reach
            for x in range(first, last):
                chosen += exits[x].reach <= mark
        lane[EXIT, l] = chosen
        if lane[EVENT, l] == STOP and lane[LEFT, l] > 0.0:  # the decay may be infinite
            lane[THRESHOLD, l] = max(0.0, lane[THRESHOLD, l] - lane[LEFT, l] * here.decay)


@inner
def alight(
    tables: JumpTables,
    flight: Flight,
    columns: Columns,
    bench: Bench,
    dwelling: Any,
    queues: Queues,
    slots: Slots,
    count: int,
) -> int:
    """Bring lanes back into their slots: behind their jump, at their stop, or as far as the search reached.

    Those that have come to their stop are gathered in ``queues.ready``, and their number is returned.  `dwelling` is
    None where there are no loads: what they need is then not compiled.

    Every array is named before the loop: after a store the compiler would read it from `tables` and `flight` again.
    """
    lane, travellers, stopped = bench.lane, flight.traveller, 0
    parts = tables.parts
    at_stop = queues.ready
    exits, blocks, entry, load_of, psi, state = (
        tables.exit,
        tables.block,
        tables.entry,
        tables.load,
        flight.psi,
        bench.state,
    )
    kind, counts, ring, head, length = tables.kind, columns.counts, queues.slot, queues.head, queues.length
    log_time, log_channel, room, width = flight.log_time, flight.log_channel, flight.log_time.shape[1], ring.shape[1]
    for l in range(count):
        if lane[EVENT, l] == STAY:
            continue
        slot = slots[l]
        traveller = travellers[slot]
        if lane[EVENT, l] == JUMP and lane[EXIT, l] >= 0.0:
            exit = exits[np.uint32(lane[EXIT, l])]
            n = blocks[exit.block].width
            single = blocks[exit.block].size == 1
            if dwelling is not None and load_of[exit.channel] >= 0:
                lift_off(tables, flight, slot, bench, l)
            if single:
                psi[slot, 0] = 1.0
                if parts == 2:
                    psi[slot, 1] = 0.0
            else:
                scale = exit.scale if exit.scale > 0.0 else 1.0 / math.sqrt(lane[RATE, l])
                apply(exit, entry, n, state, l, scale, psi, slot)
            if dwelling is not None and load_of[exit.channel] >= 0:
                kick(tables, flight, slot, exit)
            if traveller.jumps < room:
                place = np.uint32(traveller.jumps)
                log_time[slot, place], log_channel[slot, place] = lane[TIME, l], exit.channel
            traveller.jumps += 1
            traveller.time = lane[TIME, l]
            threshold, hazard = lane[NEXT, l], lane[HAZARD, l]
            enter(traveller, exit.block, blocks[exit.block], threshold, hazard)
            for k in range(exit.kind_first, exit.kind_end):
                counts[traveller.row, kind[k]] += 1
        elif lane[EVENT, l] == JUMP:
            lose(columns, traveller)
            continue
        else:
            unboard(tables, flight, slot, bench, l)
            if lane[EVENT, l] == STOP:
                at_stop[np.uint32(stopped)] = slot
                stopped += 1
                continue
        queue = np.uint32(blocks[traveller.block].queue + traveller.search)
        at = head[queue] + length[queue]
        ring[queue, np.uint32(at - width if at >= width else at)] = slot
        length[queue] += 1
    return stopped


@inner
def unboard(tables: JumpTables, flight: Flight, slot: int, bench: Bench, lane: int) -> None:
    """Bring a lane without a jump back into its slot, where it waits for its next search, from a higher level."""
    traveller, state = flight.traveller[slot], bench.state
    if tables.block[traveller.block].size > 1:
        for a in range(tables.block[traveller.block].width):
            flight.psi[slot, a] = state[a, lane]
    traveller.threshold = bench.lane[THRESHOLD, lane]
    traveller.steps = bench.lane[STEPS, lane]
    here = tables.block[traveller.block]
    if bench.lane[EVENT, lane] == STOP:
        traveller.search = traveller.search if here.pace > 0.0 else 0
    else:
        traveller.search = min(traveller.search + 1, here.queues - 1)
