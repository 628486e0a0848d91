"""One trajectory of the plain collision kernel, seen after every element of a period."""

import numpy as np
from numpy.typing import NDArray

from .collisions import MOST_KICKS, CollisionProgram, advance, flows_of
from .compile import kernel
from .measurement import opening
from .philox import open_stream, uniform

Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]


@kernel
def collision_path(program: CollisionProgram, seed: np.uint64, id: np.uint64, states: Complexes, counts: Ints) -> int:
    """Replay trajectory `id` with the draws it had, and write down what it was after every collision.

    Parameters
    ----------
    states : (periods * ne + 1, d) complex
        Receives the normalised state at the start and after each collision, in the program's basis.
    counts : (periods * ne + 1, ncounts) int
        Receives the counts so far.

    Returns
    -------
    int
        Number of collisions that happened; fewer than there is room for if the norm was lost.
    """
    u, stream = uniform(open_stream(seed, id))
    outcome = opening(program.initial_cdf, u)
    block = program.initial_block[outcome]
    psi = program.initial_vec[outcome].copy()
    out = np.zeros_like(psi)
    now = np.zeros(counts.shape[1], np.int64)
    no_steps, no_outcomes = np.zeros(0, np.int64), np.zeros(0, np.int32)
    gained, kicks = np.zeros((program.load_bath.shape[0], 2)), np.zeros(MOST_KICKS, np.int64)
    flows, elements = flows_of(program), program.prior_start.shape[0] - 1
    for place in range(states.shape[0]):
        if place > 0:
            element = (place - 1) % elements
            block, _, stream = advance(
                program.size,
                program.target,
                program.prior_start[element : element + 2],
                program.prior_cdf,
                program.prior_guide,
                program.outcome_start,
                program.entry_start,
                program.entry_row,
                program.entry_column,
                program.entry_value,
                program.count,
                program.flow_of[element : element + 1],
                flows,
                psi,
                out,
                now,
                gained,
                kicks,
                no_steps,
                no_outcomes,
                0,
                block,
                0,
                1,
                stream,
            )
            if block < 0:
                return place - 1
        for a in range(program.size[block]):
            states[place, program.basis[block, a]] = psi[a]
        counts[place] = now
    return states.shape[0] - 1


def plain_path(program: CollisionProgram, seed: int, id: int) -> tuple[Complexes, Ints]:
    """One trajectory seen after every element: states (places, d) and counts (places, ncounts).

    The last rows are missing if the norm was lost.
    """
    places = int(program.steps[-1]) * (len(program.prior_start) - 1) + 1
    states = np.zeros((places, int(program.size.sum())), np.complex128)
    counts = np.zeros((places, len(program.quantum)), np.int64)
    done = collision_path(program, np.uint64(seed), np.uint64(id), states, counts)
    return states[: done + 1], counts[: done + 1]
