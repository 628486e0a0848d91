r"""A rotating frame for blocks that span several values of a charge.

Where a closing basis or an opening ket mixes sectors, their energies stay in :math:`H_{\rm eff}`: of a chain in a field
:math:`\omega` the part :math:`\omega N`, which makes the norm large, the search long and the matrices complex.  If a
diagonal matrix e commutes with :math:`H_{\rm eff}`, and every jump operator changes e by one number,

.. math:: e^{-iH_{\rm eff}t} = e^{-iet}\,e^{-i(H_{\rm eff}-e)t}, \qquad
    J\,e^{-iet} = e^{i w t}\,e^{-iet} J, \quad w = e_{\rm row} - e_{\rm column},

so that between measurements e may be left out: what remains of it are phases that no record sees, and the diagonal
phases :math:`e^{-iet}` at a stop.  Of all such e the one is taken that is nearest to the real diagonal of
:math:`H_{\rm eff}`.
"""

from collections.abc import Sequence

import numpy as np

from collide.blocks import ZERO, Blocks, without_dust
from collide.exact.process import Complexes, Floats, Ints, Sparse
from collide.exact.small import components
from collide.gauge import ROUNDING, Arrays, Entries, jump_entries, labels

EQUAL = 1e-12  # frequencies that differ by less than this times the largest one are equal
INDEPENDENT = 1e-9  # eigenvalues of the relations below this times the largest one are zero


def rotating_frame(arrays: Arrays) -> Floats:
    """(nb, m) energies e of the coordinates, zero where a frame would change nothing.

    Parameters
    ----------
    arrays : dict
        `basis`, `heff` and the jumps of a jump program (`collide.kernels.jump_program.JumpProgram`).
    """
    heff, basis = arrays["heff"], arrays["basis"]
    nothing = np.zeros(basis.shape)
    level = heff.diagonal(axis1=1, axis2=2).real
    largest = float(np.abs(arrays["energy"]).max(initial=0.0))
    if _flat(level, basis, ROUNDING * largest):
        return nothing
    m = basis.shape[1]
    block, row, column = (np.abs(heff) > ZERO * largest).nonzero()
    coupled = block * m + row, block * m + column
    found = frame_energies(labels(basis), level.reshape(-1), *coupled, jump_entries(arrays))
    return nothing if found is None else found.reshape(nothing.shape)


def phases_at(frame: Floats, times: Floats) -> Complexes:
    """(ntime, nb, m) phases that a frame has at some times; no times where there is no frame."""
    if not frame.any():
        return np.zeros((0, *frame.shape), dtype=complex)
    return np.exp(-1j * frame * times[:, None, None])


def sparse_frame(heff: Sparse, ops: Sequence[Sparse], blocks: Blocks) -> Floats:
    """(nb, m) energies as of `rotating_frame`, from operators of a large system."""
    nothing = np.zeros((len(blocks.members), blocks.largest))
    _, row, column, _ = without_dust([heff])
    number, image, source, amplitude = without_dust(ops)
    number = number * len(blocks.members) + blocks.label[source]
    order = number.argsort(kind="stable")
    jumps = Entries(number[order], image[order], source[order], amplitude[order])
    found = frame_energies(blocks.label, heff.diagonal().real, row, column, jumps)
    if found is not None:
        nothing[blocks.label, blocks.place] = found
    return nothing


def _flat(level: Floats, basis: Ints, small: float) -> bool:
    """Whether the levels of each block are the same."""
    inside = basis >= 0
    highest = np.where(inside, level, -np.inf).max(axis=1)
    lowest = np.where(inside, level, np.inf).min(axis=1)
    return bool((highest - lowest <= small).all())


def frame_energies(label: Ints, level: Floats, row: Ints, column: Ints, jumps: Entries) -> Floats | None:
    """Energies that commute with what couples states and that every jump changes by one number.

    Parameters
    ----------
    label : (n,) int
        Block of each state; -1 for none.
    level : (n,) float
        Real diagonal of H_eff, to which the energies are fitted, block by block up to a constant.
    row, column : (entries,) int
        States that H_eff couples.
    jumps : Entries
        Their `number` tells apart each channel on each block, which may all change the energy differently.

    Returns
    -------
    (n,) float or None
        From zero, the lowest in each block; None where they are zero.
    """
    inside = label >= 0
    piece = components(len(label), row, column)
    number = int(piece.max()) + 1
    weight = np.bincount(piece[inside], minlength=number)
    mean = np.bincount(piece[inside], level[inside], minlength=number) / np.maximum(weight, 1)
    block = np.full(number, -1)
    block[piece[inside]] = label[inside]
    if len(np.unique(block[block >= 0])) == np.count_nonzero(block >= 0):
        return None  # what is the same throughout a block is a phase that nobody sees
    relations = _relations(piece, jumps)
    scale = float(np.abs(mean).max(initial=0.0))
    found = mean if _hold(relations, mean, scale) else _nearest(relations, mean, weight)
    lowest = np.full(int(label.max()) + 1, np.inf)
    np.minimum.at(lowest, block[block >= 0], found[block >= 0])
    found = np.where(block >= 0, found - lowest[block], 0.0)
    found[found <= EQUAL * scale] = 0.0
    return found[piece] if found.any() else None


def _relations(piece: Ints, jumps: Entries) -> Ints:
    """(n, 4) pieces a, b, c, d with e_a - e_b = e_c - e_d, from the entries of each jump and the first of them."""
    image, source, number = piece[jumps.row], piece[jumps.column], jumps.number
    if not len(number):
        return np.zeros((0, 4), dtype=np.int64)
    new = np.concatenate([[True], number[1:] != number[:-1]])
    first = new.nonzero()[0][new.cumsum() - 1]
    return np.unique(np.stack([image, source, image[first], source[first]], axis=1), axis=0)


def _hold(relations: Ints, energy: Floats, scale: float) -> bool:
    a, b, c, d = energy[relations.T]
    return bool((np.abs(a - b - c + d) <= EQUAL * scale).all())


def _nearest(relations: Ints, mean: Floats, weight: Ints) -> Floats:
    """Of the energies for which the relations hold, those with the least squares of weighted distances from `mean`."""
    k = len(mean)
    matrix = np.zeros((len(relations), k))
    for place, sign in enumerate((1.0, -1.0, -1.0, 1.0)):
        np.add.at(matrix, (np.arange(len(relations)), relations[:, place]), sign)
    size, vectors = np.linalg.eigh(matrix.T @ matrix)
    free = vectors[:, size <= INDEPENDENT * max(float(size[-1]), 1.0)]
    root = np.sqrt(weight)
    return np.asarray(free @ np.linalg.lstsq(root[:, None] * free, root * mean, rcond=None)[0])
