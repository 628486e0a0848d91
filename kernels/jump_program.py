"""What the compiler of a jump model hands to the kernels: flat arrays, no objects.

The basis is cut into blocks that nothing leaves but by a jump, and every jump carries a block into one block.  A
trajectory's state lives in one block at a time.  One block of the full size is a dense program; blocks of size 1 only
are a classical jump process.  Nobody tells the kernels which it is: they read it off `size`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]


class JumpProgram(NamedTuple):
    r"""A Lindblad equation cut into blocks, with everything that a trajectory reads and records.

    Sizes: nb blocks, the largest of size m, in a basis of d states; nc channels; ncounts kinds of quanta, nbaths baths;
    ni opening and nf closing outcomes; nops operators and ntime stops.  Coordinates of block b run from 0 to
    ``size[b] - 1``; what lies beyond in an array of width m is zero and never read.  All arrays are C-contiguous.

    Attributes
    ----------
    size : (nb,) int64
        Number of states in each block.
    basis : (nb, m) int64
        Index in the program's basis of each coordinate of each block; -1 beyond its size.
    heff : (nb, m, m) complex128
        :math:`H_{\rm eff} = H - \tfrac{i}{2} \sum_c J_c^\dagger J_c` within each block, minus any real multiple of one
        (a phase that no record sees; take the centre of the block's spectrum, the search is then shortest).
    energy : (nb, m, m) complex128
        Hermitian H whose expectation value is the system's energy, not shifted.
    target : (nc, nb) int64
        Block into which channel c carries block b; -1 where it annihilates the block.
    jump_start : (nc * nb + 1,) int64
        Channel c acts on block b by the entries ``jump_start[c * nb + b]`` up to ``jump_start[c * nb + b + 1]``, in the
        order of their rows, of
    jump_row, jump_column : (entries,) int64
        coordinate in the target block, coordinate in block b, and
    jump_value : (entries,) complex128
        amplitude, the square root of the rate inside.  See `pack_jumps`.
    count : (nc, nbaths) int64
        Kind of quantum that channel c exchanges with each bath, -1 for none.
    quantum : (ncounts, nbaths) float64
        Heat from each bath per count; a trajectory's heat is ``counts @ quantum``.
    initial_cdf : (ni,) float64
        Cumulative probabilities of the opening outcomes.
    initial_block : (ni,) int64
    initial_vec : (ni, m) complex128
        Normalised state after each opening outcome, in the coordinates of its block.
    final_block : (nf,) int64
        Each closing outcome lies in one block; those of a block are an orthonormal basis of it.
    final_vec : (nf, m) complex128
    final_energy : (nf,) float64
        :math:`\langle f | H | f \rangle`.
    e_ops : (nops, nb, m, m) complex128
        Hermitian operators, their diagonal blocks (others have no expectation value in a state of one block).
    times : (ntime,) float64
        Stops, ascending, the first not before 0 where every trajectory opens, the last where it closes.
    load_energy : (nloads, nb, m, m) complex128
        Energy operator of each load, and
    load_rest : (nloads, nb, m, m) complex128
        H minus it: what a load changes of the first is its heat, of the second work.  nloads may be 0.
    load : (nc,) int64
        Load to which channel c belongs; -1 for a channel with definite quanta.
    load_bath : (nloads,) int64
        Bath to whose heat that of each load belongs.
    turn : (ntime, nb, m) complex128
        Phases by which the amplitudes of a state are multiplied when it is looked at at a stop: those of a frame in
        which `heff` is smaller.  ntime is 0 here if there is no such frame.
    """

    size: Ints
    basis: Ints
    heff: Complexes
    energy: Complexes
    target: Ints
    jump_start: Ints
    jump_row: Ints
    jump_column: Ints
    jump_value: Complexes
    count: Ints  # type: ignore[assignment]  # a tuple's own `count` is of no use here
    quantum: Floats
    initial_cdf: Floats
    initial_block: Ints
    initial_vec: Complexes
    final_block: Ints
    final_vec: Complexes
    final_energy: Floats
    e_ops: Complexes
    times: Floats
    load_energy: Complexes
    load_rest: Complexes
    load: Ints
    load_bath: Ints = np.zeros(0, np.int64)
    turn: Complexes = np.zeros((0, 1, 1), np.complex128)


def pack_jumps(jump: Complexes, target: Ints) -> tuple[Ints, Ints, Ints, Complexes]:
    """Turn dense jump matrices into the entries that `JumpProgram` lists, dropping exact zeros.

    Parameters
    ----------
    jump : (nc, nb, m, m) complex
        ``jump[c, b]`` maps coordinates of block b (columns) to coordinates of block ``target[c, b]`` (rows).
    target : (nc, nb) int
        -1 where a channel annihilates a block; its matrix is then ignored.

    Returns
    -------
    jump_start, jump_row, jump_column, jump_value
    """
    kept = np.where((target < 0)[:, :, None, None], 0, jump)
    channel, block, row, column = np.nonzero(kept)
    per_pair = np.bincount(channel * target.shape[1] + block, minlength=target.size)
    start = np.concatenate([[0], np.cumsum(per_pair)])
    return start.astype(np.int64), row.astype(np.int64), column.astype(np.int64), kept[channel, block, row, column]
