r"""Phases of the basis states that make a program real.

A chain with exchange :math:`g\,(\sigma_j^+\sigma_{j+1}^-+{\rm h.c.})` and local baths is complex as it is written,
:math:`-iH` being imaginary, but real in the basis :math:`D|s\rangle`, D a diagonal matrix of phases: there
:math:`-i\,D^\dagger H_{\rm eff} D` and the jump operators have real entries, and so have the states, at a quarter of
the multiplications.  The phases are found like the invariant blocks, from the entries of the operators: an entry that
has to be real says how the phases of its two states differ (up to a sign, which is of no account).  They are carried
along a spanning forest, after which every entry is looked at: where a loop disagrees (a magnetic flux) or a level is
detuned within a block, there are no such phases, and the program stays complex.

What no record sees is dropped: one phase of each jump operator in each block, of each opening ket, and of the operator
of a period without events in each block.
"""

from collections.abc import Callable
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collide.exact.process import Complexes, Floats, Ints

REAL = 1e-12  # imaginary parts below this times the largest entry are zeros that rounding has filled
KETS = 1e-10  # the same of opening kets that are eigenvectors of a state, known no better than a steady state is solved
ROUNDING = 4e-15  # of a difference of energies, relative to the largest
NEAR = 1e-6  # phases closer than this to a power of i are tried as one
Arrays = dict[str, NDArray[Any]]


class Entries(NamedTuple):
    """Entries of several operators or kets, each real but for a phase of its own: number, row, column, value."""

    number: Ints
    row: Ints
    column: Ints
    value: Complexes


class Found(NamedTuple):
    """Phases D of the basis states, and the real values that entries have in the basis D|s>, in their order.

    phase (n,) complex, powers of i exact; coupled, jumps (entries,) float
    """

    phase: Complexes
    coupled: Floats
    jumps: Floats


# ---------------------------------------------------------------- programs


def real_jumps(arrays: Arrays) -> Arrays:
    """Arrays of a jump program in a basis in which it is real; the same arrays where there is none.

    Afterwards ``heff.real``, ``jump_value.imag`` and, where an opening ket can be made real, its ``initial_vec.imag``
    are exactly zero.

    Parameters
    ----------
    arrays : dict
        As made by `collide.compile_jumps.jump_arrays`, `heff` centred in each block.
    """
    rounding = ROUNDING * float(np.abs(arrays["energy"]).max(initial=0.0))
    found = _real_basis(arrays, -1j * arrays["heff"], rounding)
    if found is None:
        return arrays
    heff = np.zeros(arrays["heff"].shape, dtype=complex)
    heff.imag = found["generator"]
    return _in_basis(arrays, found["phases"]) | {"heff": heff, "jump_value": found["jumps"].astype(complex)}


def real_events(arrays: Arrays) -> Arrays:
    """The same for an event program, with `null` real."""
    null = arrays["null"]
    phase = _common_phase(null.diagonal(axis1=1, axis2=2))
    found = _real_basis(arrays, null * phase.conj()[:, None, None], 0.0)
    if found is None:
        return arrays
    real = {"null": found["generator"].astype(complex), "jump_value": found["jumps"].astype(complex)}
    return _in_basis(arrays, found["phases"]) | real


def _real_basis(arrays: Arrays, generator: Complexes, rounding: float) -> Arrays | None:
    """(nb, m) phases of the basis states, and the generator and the jump amplitudes in that basis, both real."""
    basis = arrays["basis"]
    nb, m = basis.shape
    small = max(REAL * float(np.abs(generator).max()), rounding)
    if np.abs(generator.diagonal(axis1=1, axis2=2).imag).max() > small:
        return None  # detuned within a block
    block, row, column = at = generator.nonzero()
    coupled = Entries(block, block * m + row, block * m + column, generator[at])
    jumps = jump_entries(arrays)
    kets = arrays["initial_vec"]
    ket, place = kets.nonzero()
    state = arrays["initial_block"][ket] * m + place
    found = real_phases(labels(basis), coupled, jumps, Entries(ket, state, state, kets[ket, place]), small)
    if found is None:
        return None
    real = np.zeros(generator.shape)
    real[at] = found.coupled
    return {"phases": found.phase.reshape(nb, m), "generator": real, "jumps": found.jumps}


def labels(basis: Ints) -> Ints:
    """(nb * m,) block of each coordinate of a program, -1 beyond the size of its block."""
    nb, m = basis.shape
    label = np.arange(nb).repeat(m)
    label[basis.reshape(-1) < 0] = -1
    return label


def jump_entries(arrays: Arrays) -> Entries:
    """Jumps between coordinates that are counted through, a number for each channel on each block."""
    start, (nb, m) = arrays["jump_start"], arrays["basis"].shape
    number = np.arange(len(start) - 1).repeat(start[1:] - start[:-1])
    image = arrays["target"].reshape(-1)[number] * m + arrays["jump_row"]
    return Entries(number, image, number % nb * m + arrays["jump_column"], arrays["jump_value"])


def _in_basis(arrays: Arrays, phases: Complexes) -> Arrays:
    """What else of a program is written in coordinates of its basis."""
    back = phases.conj()
    pairs = back[:, :, None] * phases[:, None, :]
    kets = arrays["initial_vec"] * back[arrays["initial_block"]]
    kets *= _common_phase(kets).conj()[:, None]
    kets.imag[np.abs(kets.imag).max(axis=1) <= known_to(len(kets))] = 0.0
    inside = arrays["basis"] >= 0
    column = np.empty(len(arrays["vectors"]), dtype=complex)
    column[arrays["basis"][inside]] = phases[inside]
    return arrays | {
        "energy": arrays["energy"] * pairs,
        "e_ops": arrays["e_ops"] * pairs,
        "initial_vec": kets,
        "final_vec": arrays["final_vec"] * back[arrays["final_block"]],
        "vectors": arrays["vectors"] * column,
    }


def known_to(kets: int) -> float:
    """What of opening kets is rounding; a single one is the user's own, and exact."""
    return KETS if kets > 1 else REAL


def told(arrays: Arrays, waiting: NDArray[Any], opened: Complexes) -> str:
    """What is to be said of a program's frame and basis.

    Parameters
    ----------
    arrays : dict
    waiting, opened : arrays
        What has to vanish in the operator that acts while nothing happens, and the opening kets.
    """
    parts = []
    if "frame" in arrays and arrays["frame"].any():
        parts.append("between stops states are seen from a rotating frame")
    if not (waiting.any() or arrays["jump_value"].imag.any() or opened.imag.any()):
        parts.append("amplitudes are real, in a basis of phases")
    return "".join("; " + part for part in parts)


# ---------------------------------------------------------------- phases


def real_phases(label: Ints, coupled: Entries, jumps: Entries, kets: Entries, small: float) -> Found | None:
    """Phases of basis states in which operators that act within blocks, and jumps, are real.

    Parameters
    ----------
    label : (n,) int
        Block of each state; -1 for none.
    coupled : Entries
        What acts all the time within blocks, real with no phase of its own.
    jumps : Entries
        Jump operators; `number`, ascending, tells apart what may lose a phase of its own: each channel on each block.
    kets : Entries
        Opening kets (row and column the same): made real if that is possible, which nothing depends on.
    small : float
        Imaginary parts of `coupled` that are none.

    Returns
    -------
    Found or None
        ``D[row].conj() * value * D[column]`` is real, for the jumps of a number but for a common phase.  None if no
        such phases were found.
    """
    blocks = label.tolist()
    linked = Pieces(blocks, listed(coupled, small))
    if not linked.missing:
        return verified(linked.phase, coupled, jumps, small)
    # kets may ask for relative phases that the jumps do not allow
    for asked in (listed(kets), []):
        pieces = linked.copy()
        pieces.join(blocks, listed(jumps), asked)
        found = verified(pieces.phase, coupled, jumps, small)
        if found is not None:
            return found
    return None


def verified(
    phase: list[complex],
    coupled: Entries,
    jumps: Entries,
    small: float,
    agree: Callable[[Complexes], bool] = lambda phase: True,
) -> Found | None:
    """The phases and what they make of the entries, if all of them are real; powers of i where these will do.

    `agree` is what else is asked of the phases.
    """
    given = np.array(phase)
    given /= np.abs(given)
    for tried in (_rounded(given), given):
        found = _check(tried, coupled, jumps, small)
        if found is not None and agree(tried):
            return found
    return None


def _rounded(phase: Complexes) -> Complexes:
    """Phases that are nearly powers of i are."""
    out = phase.copy()
    parts = out.view(float)
    parts[np.abs(parts) < NEAR] = 0.0
    return np.asarray(out / np.abs(out))


def _check(tidy: Complexes, coupled: Entries, jumps: Entries, small: float) -> Found | None:
    """The phases and what they make of the entries, if all of them are real."""
    back = tidy.conj()
    within = back[coupled.row] * coupled.value * tidy[coupled.column]
    between = back[jumps.row] * jumps.value * tidy[jumps.column]
    if len(between):
        place = np.zeros(len(between), dtype=np.int64)
        (last,) = (jumps.number[1:] != jumps.number[:-1]).nonzero()
        place[last + 1] = 1
        between *= unit(np.add.reduceat(between**2, [0, *(last + 1)])).conj()[place.cumsum()]
        if np.abs(between.imag).max() > REAL * np.abs(between.real).max():
            return None
    if len(within) and np.abs(within.imag).max() > small:
        return None
    return Found(tidy, within.real, between.real)


Listed = list[tuple[int, int, int, complex]]
Entry = tuple[int, int, complex]


def listed(entries: Entries, small: float = 0.0) -> Listed:
    """The entries by decreasing size: small ones have phases full of rounding, the smallest are left out."""
    size = np.abs(entries.value)
    order = (-size).argsort(kind="stable")[: np.count_nonzero(size > max(small, REAL * size.max(initial=0.0)))]
    return list(zip(*[field[order].tolist() for field in entries], strict=True))


class Pieces:
    """Pieces of blocks, at first the states, and phases of the states relative to others of their piece."""

    def __init__(self, label: list[int], coupled: Listed) -> None:
        self.root, self.phase = list(range(len(label))), [1 + 0j] * len(label)
        self.members = [[state] for state in self.root]
        self.missing = sum(block >= 0 for block in label) - max(label) - 1
        for _, r, s, value in coupled:
            if not self.missing:
                return
            self._link(r, s, value)

    def copy(self) -> "Pieces":
        """The same to go on from."""
        other = copy(self)
        other.root, other.phase, other.members = self.root[:], self.phase[:], [states[:] for states in self.members]
        return other

    def join(self, label: list[int], jumps: Listed, kets: Listed) -> None:
        """Make one piece of each block: by jumps where they say something, then by kets, then as one likes."""
        self._settle(jumps)
        for ket in _by_number(kets):
            if self._joined_by(ket):
                self._settle(jumps)
        while any(self._link(r, s, value) for _, r, s, value in jumps if label[r] == label[s]):
            self._settle(jumps)
        first: dict[int, int] = {}
        for state, block in enumerate(label):
            if block >= 0:
                self._link(first.setdefault(block, state), state, 1 + 0j)

    def _turned(self, r: int, s: int, value: complex) -> complex:
        """An entry in the basis as it is so far."""
        return value * self.phase[r].conjugate() * self.phase[s]

    def _merge(self, r: int, s: int, turn: complex) -> bool:
        """Join two pieces, that of `r` turned by a phase relative to that of `s`; False if they are one already."""
        one, other = self.root[r], self.root[s]
        if one == other:
            return False
        turn /= abs(turn)
        if len(self.members[one]) > len(self.members[other]):
            one, other, turn = other, one, turn.conjugate()
        for state in self.members[one]:
            self.root[state] = other
            self.phase[state] *= turn
        self.members[other] += self.members[one]
        self.members[one] = []
        self.missing -= 1
        return True

    def ratio(self, states: list[int], firsts: list[int]) -> complex | None:
        """Phase of a state relative to the other one, of the first pair that is in one piece."""
        for state, first in zip(states, firsts, strict=True):
            if self.root[state] == self.root[first]:
                return self.phase[state] * self.phase[first].conjugate()
        return None

    def link(self, states: list[int], firsts: list[int], ratio: complex) -> None:
        """Join pieces such that each state has the phase of another one times `ratio`."""
        for state, first in zip(states, firsts, strict=True):
            if self.root[state] != self.root[first]:
                self._merge(state, first, ratio * self.phase[first] * self.phase[state].conjugate())

    def _link(self, r: int, s: int, value: complex) -> bool:
        """Join two pieces such that this entry becomes real."""
        return self.root[r] != self.root[s] and self._merge(r, s, self._turned(r, s, value))

    def _settle(self, jumps: Listed) -> None:
        """Join what jumps settle: entries of one number share a phase, so that a second one tells one that is open."""
        left = -1
        while left != self.missing:
            left = self.missing
            within: dict[int, Entry] = {}
            by_source: dict[tuple[int, int], Entry] = {}
            by_image: dict[tuple[int, int], Entry] = {}
            for number, r, s, value in jumps:
                entry, image, source = (r, s, value), self.root[r], self.root[s]
                if image == source:
                    within.setdefault(number, entry)
                    continue
                by_s = by_source.setdefault((number, source), entry)
                by_r = by_image.setdefault((number, image), entry)
                choices = [(r, by_s[0], by_s), (by_r[1], s, by_r)]
                if number in within:
                    choices.append((r, s, within[number]))
                for one, other, like in choices:
                    self._merge(one, other, self._turned(*entry) * self._turned(*like).conjugate())

    def _joined_by(self, ket: Listed) -> bool:
        """Join the pieces on which a ket has weight, if within each of them it is real but for one phase."""
        known: dict[int, complex] = {}
        for _, _, state, value in ket:
            here = value * self.phase[state].conjugate()
            first = known.setdefault(self.root[state], here)  # the largest
            if abs((first.conjugate() * here).imag) > KETS * abs(first):
                return False
        (_, _, first, largest), *others = ket
        like = largest.conjugate() * self.phase[first]
        left = self.missing
        for _, _, state, value in others:
            self._merge(state, first, value * self.phase[state].conjugate() * like)
        return left != self.missing


def _by_number(entries: Listed) -> list[Listed]:
    """The entries of each number, by decreasing size."""
    out: dict[int, Listed] = {}
    for entry in entries:
        out.setdefault(entry[0], []).append(entry)
    return list(out.values())


def _common_phase(values: Complexes) -> Complexes:
    """Phase of each row of numbers that differ by real factors."""
    return unit((values**2).sum(axis=-1))


def unit(squares: Complexes) -> Complexes:
    """Phases whose squares have these phases; one for zero."""
    roots: Complexes = np.sqrt(squares + (squares == 0))
    return np.asarray(roots / np.abs(roots))
