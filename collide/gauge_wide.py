r"""The phases of `collide.gauge` for programs whose operators are lists of entries, and whose evolution may be gates.

A gate acts in the same way on all groups of basis states that differ on its sites, and is stored once.  So its matrix
has to become the same real one in every group: the phases of the states of a group, relative to its first, are those
that make the gate real, :math:`(1, i)` for a turn :math:`[[c, -is], [-is, c]]`, which becomes the rotation
:math:`[[c, s], [-s, c]]`.
"""

from typing import NamedTuple

import numpy as np

from collide.exact.process import Complexes, Floats, Ints
from collide.gauge import (
    REAL,
    ROUNDING,
    Arrays,
    Entries,
    Found,
    Pieces,
    known_to,
    listed,
    real_phases,
    unit,
    verified,
)

STRONG = 1e-4  # entries of a gate, relative to its largest, whose phases are sharp


class Move(NamedTuple):
    """A part of a gate: its matrix (k, k), and the groups (n, k) of coordinates, counted through, on which it acts."""

    matrix: Complexes
    groups: Ints


def real_sparse_jumps(arrays: Arrays) -> Arrays:
    """Arrays of a program of kind "sparse_jumps" in a basis in which it is real; the same arrays where there is none.

    Afterwards ``wait_value.real`` (of H_eff), ``jump_value.imag`` and, of kets that can be made real,
    ``initial_value.imag`` are exactly zero; ``vectors`` (d,) are the phases of the basis states, or (d, d) columns that
    have them.
    """
    generator = -1j * arrays["wait_value"]
    largest = np.abs(arrays["look_value"]).max(initial=0.0)
    small = max(REAL * float(np.abs(generator).max(initial=0.0)), ROUNDING * float(largest))
    row, column = _places(arrays, "wait")
    found = real_phases(_label(arrays), Entries(row, row, column, generator), _jumps(arrays), _kets(arrays), small)
    if found is None:
        return arrays
    wait = np.zeros(len(generator), dtype=complex)
    wait.imag = found.coupled
    return _in_basis(arrays, found.phase) | {"wait_value": wait, "jump_value": found.jumps.astype(complex)}


def real_gates(arrays: Arrays) -> Arrays:
    """The same for a program of kind "gates": gates, null operator and events are real."""
    moves, jumps = _moves(arrays), _jumps(arrays)
    label = _label(arrays)
    linked, own = _linked(label, moves)
    turned = [mine.conj()[:, None] * move.matrix * mine for move, mine in zip(moves, own, strict=True)]
    if any(np.abs(matrix.imag).max() > REAL for matrix in turned):
        return arrays
    row, column = _places(arrays, "wait")
    # the null operator may lose a phase like an event
    entries = Entries(
        np.concatenate([jumps.number, np.full(len(row), arrays["target"].size)]),
        np.concatenate([jumps.row, row]),
        np.concatenate([jumps.column, column]),
        np.concatenate([jumps.value, arrays["wait_value"]]),
    )
    found = _phases(label, linked, moves, own, entries, _kets(arrays))
    if found is None:
        return arrays
    waiting = found.jumps[len(jumps.value) :]
    return _in_basis(arrays, found.phase) | {
        "wait_value": waiting.astype(complex),
        "jump_value": found.jumps[: len(jumps.value)].astype(complex),
        "move_value": np.concatenate([np.zeros(0), *(matrix.real.reshape(-1) for matrix in turned)]).astype(complex),
    }


def _linked(label: Ints, moves: list[Move]) -> tuple[Pieces, list[Complexes]]:
    """Pieces of states whose phases gates relate, and for each gate the phases of a group relative to its first.

    A phase may change its sign: gates that share states agree on it, as far as they can.
    """
    linked, own = Pieces(label.tolist(), []), []
    for move in moves:
        phases = _own_phases(move.matrix)
        firsts = move.groups[:, 0].tolist()
        for k, others in enumerate(move.groups.T[1:].tolist(), 1):
            known = linked.ratio(others, firsts)
            if known is not None and abs(known + phases[k]) < abs(known - phases[k]):
                phases[k] *= -1
            if linked.missing:
                linked.link(others, firsts, complex(phases[k]))
        own.append(phases)
    return linked, own


def _phases(
    label: Ints, linked: Pieces, moves: list[Move], own: list[Complexes], jumps: Entries, kets: Entries
) -> Found | None:
    """Phases in which the states of every group differ as their gate asks for, and the jumps are real."""
    nowhere = np.zeros(0, dtype=np.int64)
    none = Entries(nowhere, nowhere, nowhere, np.zeros(0, dtype=complex))

    def agree(phase: Complexes) -> bool:
        return all(
            np.abs(phase[move.groups] - phase[move.groups[:, :1]] * phases).max(initial=0.0) <= REAL
            for move, phases in zip(moves, own, strict=True)
        )

    for asked in (listed(kets), []):
        pieces = linked.copy()
        if pieces.missing:
            pieces.join(label.tolist(), listed(jumps), asked)
        found = verified(pieces.phase, none, jumps, 0.0, agree)
        if found is not None or not linked.missing:
            return found
    return None


def _own_phases(matrix: Complexes) -> Complexes:
    """(k,) phases, the first one, in which a part of a gate is real if it can be, the same for like gates.

    Signs are open; of the two ratios of neighbouring states the one with positive imaginary part, or one, is taken, so
    that gates along a chain agree on them.
    """
    k, sizes = len(matrix), np.abs(matrix)
    row, column = np.nonzero(np.maximum(sizes, sizes.T) > REAL * sizes.max())
    pairs = [(r, s) for r, s in zip(row.tolist(), column.tolist(), strict=True) if r > s]
    strength = np.maximum(sizes, sizes.T)
    pairs.sort(key=lambda pair: (strength[pair] < STRONG * sizes.max(), pair[0] - pair[1], -strength[pair]))
    pieces = Pieces([0] * k, [])
    for r, s in pairs:
        value = complex(matrix[r, s]) if sizes[r, s] >= sizes[s, r] else complex(matrix[s, r].conjugate())
        value /= abs(value)
        if value.imag < -REAL or (abs(value.imag) <= REAL and value.real < 0):
            value = -value
        pieces.link([r], [s], value)
    phases = np.array(pieces.phase)
    return np.asarray(phases * phases[0].conj())


# ---------------------------------------------------------------- the arrays' coordinates, counted through all blocks


def _label(arrays: Arrays) -> Ints:
    """(d,) block of each coordinate."""
    return np.arange(len(arrays["size"])).repeat(arrays["size"])


def _first(arrays: Arrays) -> Ints:
    """(nb,) coordinate of the first state of each block."""
    return np.asarray(arrays["size"].cumsum() - arrays["size"])


def _places(arrays: Arrays, name: str) -> tuple[Ints, Ints]:
    """Row and column of the entries of operators stored row by row."""
    start, d = arrays[f"{name}_start"], int(arrays["size"].sum())
    row = np.arange(len(start) - 1).repeat(start[1:] - start[:-1]) % max(d, 1)
    return row, _first(arrays)[_label(arrays)[row]] + arrays[f"{name}_column"]


def _jumps(arrays: Arrays) -> Entries:
    """Jumps, a number for each channel on each block."""
    start, first = arrays["jump_start"], _first(arrays)
    number = np.arange(len(start) - 1).repeat(start[1:] - start[:-1])
    row = first[arrays["target"].reshape(-1)[number]] + arrays["jump_row"]
    return Entries(number, row, first[number % len(first)] + arrays["jump_column"], arrays["jump_value"])


def _kets(arrays: Arrays, name: str = "initial") -> Entries:
    """Kets, a number each."""
    start = arrays[f"{name}_start"]
    number = np.arange(len(start) - 1).repeat(start[1:] - start[:-1])
    state = _first(arrays)[arrays[f"{name}_block"][number]] + arrays[f"{name}_place"]
    return Entries(number, state, state, arrays[f"{name}_value"])


def _moves(arrays: Arrays) -> list[Move]:
    """The parts of the gates of a period."""
    first, starts, orbit = _first(arrays), arrays["orbit_start"], arrays["orbit"]
    number = len(arrays["move_size"])
    out = []
    for k in range(number):
        size, at = int(arrays["move_size"][k]), int(arrays["move_first"][k])
        matrix = arrays["move_value"][at : at + size**2].reshape(size, size)
        here = [first[b] + orbit[starts[b * number + k] : starts[b * number + k + 1]] for b in range(len(first))]
        out.append(Move(matrix, np.concatenate(here).reshape(-1, size)))
    return out


def _in_basis(arrays: Arrays, phase: Complexes) -> Arrays:
    """What else of a program is written in its basis; `vectors` become the phases of the basis states."""
    row, column = _places(arrays, "look")
    kets, closing = _kets(arrays), _kets(arrays, "final")
    opened = kets.value * phase[kets.row].conj()
    starts = arrays["initial_start"]
    opened *= unit(np.add.reduceat(opened**2, starts[:-1])).conj()[kets.number]
    worst: Floats = np.maximum.reduceat(np.abs(opened.imag), starts[:-1])
    opened.imag[(worst <= known_to(len(starts) - 1))[kets.number]] = 0.0
    states = arrays["basis"][arrays["basis"] >= 0]
    vectors = np.empty(len(states), dtype=complex)
    vectors[states] = phase
    return arrays | {
        "look_value": phase[row].conj() * arrays["look_value"] * phase[column],
        "initial_value": opened,
        "final_value": closing.value * phase[closing.row].conj(),
        "vectors": arrays["vectors"] * vectors if arrays["vectors"].size else vectors,
    }
