r"""What a load exchanges between jumps: heat and work by expectation, integrated along the no-jump evolution.

A load has no definite quanta.  Its heat is what its channels change of an energy operator E, its work what they change
of the rest R = H - E: at a jump the difference of the expectation values, and between jumps

.. math:: \frac{d}{dt}\langle A\rangle\Big|_{\rm load}
          = \langle G\rangle\langle A\rangle - \tfrac12\langle\{G, A\}\rangle ,\qquad G = \sum_c J_c^\dagger J_c ,

A = E or R, with the sum over the load's channels and expectation values in the normalised state.  The right-hand side
is minus the covariance of G and A: zero in a block of one state, and elsewhere it beats at most twice as fast as the
state.  Gauss-Legendre panels take care of that.  Their lengths halve, from one across which the beat has a phase of
about eight; each has as many nodes as it needs for 1e-10 of the largest covariance.  What is shorter than the last one
is a trapezium.

An expectation value at a node is a quadratic form of the state at the beginning of the panel.  So a node costs a few
dot products of the state's products psi_a^* psi_b with tabulated numbers, sixteen trajectories at a time.
"""

from fractions import Fraction
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import borrowed, inlined
from .chebyshev import norm_bound
from .jump_program import JumpProgram
from .lanes import WIDTH, anywhere, fma, load, select, splat, store

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

FIRST_PHASE = 7.6  # of the beat across a panel of level 0; it halves from level to level
NODES = (9, 7, 6, 5, 4, 3, 2, 2, 2, 2, 2, 2)  # that integrate such beats to 1e-9 of what a dwell could exchange at most
_TERMS = 48  # of the series of a propagator across a panel, |H_eff| h < 2
_FORMS = 5  # per load: G, E, R, {G, E} / 2, {G, R} / 2


class KickTables(NamedTuple):
    """What the integration reads.  Sizes: nb blocks of at most m states, nloads loads.

    Attributes
    ----------
    longest : (nb,) float64
        Length of the panels of level 0; 0 in a block where no load exchanges anything between jumps.
    stride : (levels * nb * m * m,) complex128
        Propagators across the panels of each level in each block, row by row.
    form : (nb * places * forms * m * m,) float64
        Quadratic forms, in the products of the state at the beginning of a panel: of the norm squared, then of G, E, R,
        {G, E} / 2 and {G, R} / 2 of each load.  Places are the nodes, level after level, and last the beginning itself.
    forms, width : int
        1 + 5 nloads, and m * m.
    weight : (places,) float64
        Of each node, times the length of its panel; 1 for the last place.
    """

    longest: Floats
    stride: Complexes
    form: Floats
    forms: int
    width: int
    weight: Floats


class KickBench(NamedTuple):
    """Working space for sixteen dwells, all of it (rows, WIDTH) float64.

    Attributes
    ----------
    here, there : (2 m, WIDTH)
        State at the beginning of the dwell, then of its panels; and what a stride makes of it.
    product : (m * m, WIDTH)
        Products of the state.
    gained : (2 * nloads, WIDTH)
        Heat and work of each load.
    steps : (1, WIDTH)
        Whole steps since the last event, at the beginning.
    """

    here: Floats
    there: Floats
    product: Floats
    gained: Floats
    steps: Floats


def gauss_rule(n: int) -> tuple[Floats, Floats]:
    """Nodes and weights on [0, 1] of n nodes, the nearest doubles on every machine.

    Roots of a Legendre polynomial by Newton's method in fractions, cut to 80 bits.
    """
    node, weight = np.zeros(n), np.zeros(n)
    for k in range(n):
        x = Fraction(round(math.cos(math.pi * (k + 0.75) / (n + 0.5)) * 2**20), 2**20)
        for _ in range(7):
            value, slope = _legendre(n, x)
            x = Fraction(round((x - value / slope) * 2**80), 2**80)
        _, slope = _legendre(n, x)
        node[n - 1 - k], weight[n - 1 - k] = float((1 + x) / 2), float(1 / ((1 - x * x) * slope * slope))
    return node, weight


def _legendre(n: int, x: Fraction) -> tuple[Fraction, Fraction]:
    """Legendre polynomial P_n and its derivative."""
    before, value = Fraction(1), x
    for k in range(1, n):
        before, value = value, ((2 * k + 1) * x * value - k * before) / (k + 1)
    return value, n * (x * value - before) / (x * x - 1)


# -------------------------------------------------------------------- tables


def prepare_kicks(program: JumpProgram) -> KickTables:
    """Make the tables of a program; without loads they are empty."""
    nb, m = program.basis.shape
    nloads = len(program.load_energy)
    rules = [gauss_rule(n) for n in NODES] if nloads else []
    places = sum(len(node) for node, _ in rules) + 1
    longest, stride = np.zeros(nb), np.zeros((len(rules), nb, m, m), complex)
    form = np.zeros((nb if nloads else 0, places, 1 + _FORMS * nloads, m * m))
    if nloads:
        loss = _losses(program)
        for b in range(nb):
            size = int(program.size[b])
            operators = [_inside(a, b, size) for a in (loss, program.load_energy, program.load_rest)]
            generator = np.ascontiguousarray(program.heff[b, :size, :size]) * -1j
            norm = norm_bound(generator)
            if norm > 0.0 and _exchanges(*operators):
                longest[b] = FIRST_PHASE / (4.0 * norm)
                _fill(generator, longest[b], rules, _forms(*operators), stride[:, b], form[b])
    weights = [2.0**-level * weight for level, (_, weight) in enumerate(rules)]
    weight = np.concatenate([*weights, np.ones(1)])
    return KickTables(longest, stride.reshape(-1), form.reshape(-1), form.shape[2], m * m, weight)


def _losses(program: JumpProgram) -> Complexes:
    """G of each load, (nloads, nb, m, m)."""
    loss = np.zeros(program.load_energy.shape, complex)
    start, row, column, value = program.jump_start, program.jump_row, program.jump_column, program.jump_value
    nb = program.target.shape[1]
    for pair in np.flatnonzero(np.repeat(program.load >= 0, nb)).tolist():
        at = slice(start[pair], start[pair + 1])
        e, f = np.nonzero(row[at, None] == row[at])
        products = value[at][e].conj() * value[at][f]
        np.add.at(loss[program.load[pair // nb], pair % nb], (column[at][e], column[at][f]), products)
    return loss


def _inside(operators: Complexes, block: int, size: int) -> Complexes:
    """One block of each load's operator, (nloads, size, size)."""
    return np.ascontiguousarray(operators[:, block, :size, :size])


def _exchanges(loss: Complexes, energy: Complexes, rest: Complexes) -> bool:
    """Whether a covariance can differ from zero: some G is no multiple of one, nor is its E or its R."""
    return any(
        not _is_scalar(g) and not (_is_scalar(e) and _is_scalar(r)) for g, e, r in zip(loss, energy, rest, strict=True)
    )


def _is_scalar(matrix: Complexes) -> bool:
    return bool(np.all(matrix == matrix[0, 0] * np.eye(len(matrix))))


def _forms(loss: Complexes, energy: Complexes, rest: Complexes) -> Complexes:
    """(1 + 5 nloads, size, size) Hermitian operators whose expectation values are needed."""
    size = loss.shape[1]
    operators = [np.eye(size, dtype=complex)]
    for g, e, r in zip(loss, energy, rest, strict=True):
        operators += [g, e, r, _half_anticommutator(g, e), _half_anticommutator(g, r)]
    return np.array(operators)


def _half_anticommutator(a: Complexes, b: Complexes) -> Complexes:
    """{A, B} / 2, summed without BLAS: the same bits on every machine."""
    out = np.zeros_like(a)
    for k in range(len(a)):
        out += a[:, k, None] * b[k] + b[:, k, None] * a[k]
    return 0.5 * out


def _fill(
    generator: Complexes,
    longest: float,
    rules: list[tuple[Floats, Floats]],
    operators: Complexes,
    stride: Complexes,
    form: Floats,
) -> None:
    """Tabulate strides and forms of a block."""
    size = len(generator)
    step, term, work = np.zeros((size, size), complex), np.zeros((2, size), complex), np.zeros((size, size), complex)
    place, length = 0, longest
    for level, (node, _) in enumerate(rules):
        for x in node:
            _exponential(generator, size, x * length, step, term)
            for q, operator in enumerate(operators):
                _pull_back(operator, step, size, work, form[place, q])
            place += 1
        _exponential(generator, size, length, step, term)
        stride[level].reshape(-1)[: size * size] = step.reshape(-1)
        length *= 0.5
    for q, operator in enumerate(operators):
        _pull_back(operator, np.eye(size, dtype=complex), size, work, form[place, q])


@borrowed
def _exponential(generator: Complexes, m: int, time: float, out: Complexes, term: Complexes) -> None:
    """Write exp(generator time) by its series, column by column; `term` is (2, m) working space."""
    for j in range(m):
        for i in range(m):
            term[0, i], out[i, j] = 0.0, 0.0
        term[0, j], out[j, j] = 1.0, 1.0
        here = 0
        for n in range(1, _TERMS):
            scale = time / n
            for i in range(m):
                total = complex(0.0, 0.0)
                for k in range(m):
                    total += generator[i, k] * term[here, k]
                term[1 - here, i] = complex(total.real * scale, total.imag * scale)
            here = 1 - here
            for i in range(m):
                out[i, j] += term[here, i]


@borrowed
def _pull_back(operator: Complexes, step: Complexes, m: int, work: Complexes, form: Floats) -> None:
    """Write the real form of step^dagger A step in the products of a state, see `_products`."""
    for i in range(m):
        for j in range(m):
            work[i, j] = 0.0
            for k in range(m):
                work[i, j] += operator[i, k] * step[k, j]
    at = m
    for a in range(m):
        for b in range(a, m):
            element = complex(0.0, 0.0)
            for k in range(m):
                element += step[k, a].conjugate() * work[k, b]
            if a == b:
                form[a] = element.real
            else:
                form[at], form[at + 1] = 2.0 * element.real, -2.0 * element.imag
                at += 2


def make_kick_bench(m: int, nloads: int) -> KickBench:
    """Allocate the working space."""
    return KickBench(*(np.zeros((rows, WIDTH)) for rows in (2 * m, 2 * m, m * m, 2 * nloads, 1)))


# -------------------------------------------------------------------- sixteen dwells


@borrowed
def _products(state: Floats, m: int, product: Floats) -> None:
    r"""Write :math:`|\psi_a|^2`, then :math:`\mathrm{Re}, \mathrm{Im}\,\psi_a^*\psi_b` for a < b."""
    at = m
    for a in range(m):
        x, y = load(state, 2 * a), load(state, 2 * a + 1)
        store(product, a, fma(x, x, y * y))
        for b in range(a + 1, m):
            u, v = load(state, 2 * b), load(state, 2 * b + 1)
            store(product, at, fma(x, u, y * v))
            store(product, at + 1, fma(x, v, -(y * u)))
            at += 2


@inlined
def _value(form: Floats, first: int, product: Floats, size: int) -> Any:
    """Return a quadratic form of the states, its coefficients from place `first` on."""
    total = splat(0.0)
    for c in range(size):
        total = fma(splat(form[first + c]), load(product, c), total)
    return total


@inlined
def _collect(kicks: Any, block: int, place: int, size: int, weight: Any, wanted: Any, bench: Any) -> None:
    """Add weight times minus the covariances at a place, where wanted."""
    form, product, gained = kicks.form, bench.product, bench.gained
    width = kicks.width
    at = (block * kicks.weight.shape[0] + place) * kicks.forms * width
    inverse = splat(1.0) / _value(form, at, product, size)
    for n in range(gained.shape[0] // 2):
        first = at + (1 + _FORMS * n) * width
        rate = _value(form, first, product, size) * inverse
        for kind in range(2):
            mean = _value(form, first + (1 + kind) * width, product, size)
            both = _value(form, first + (3 + kind) * width, product, size)
            change = weight * inverse * (rate * mean - both)
            before = load(gained, 2 * n + kind)
            store(gained, 2 * n + kind, select(wanted, before + change, before))


@inlined
def _of_two(form: Floats, first: int, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return a quadratic form of two amplitudes, whose products are given."""
    return fma(
        splat(form[first + 3]),
        d,
        fma(splat(form[first + 2]), c, fma(splat(form[first + 1]), b, splat(form[first]) * a)),
    )


@borrowed
def _panel_of_two(
    kicks: Any, block: int, place: int, end: int, scale: Any, wanted: Any, state: Floats, gained: Floats
) -> None:
    """Add the nodes ``place`` ... ``end - 1`` of one load in blocks of two states: as `_collect`, without memory."""
    form, weight = kicks.form, kicks.weight
    x, y, u, v = load(state, 0), load(state, 1), load(state, 2), load(state, 3)
    a, b, c, d = fma(x, x, y * y), fma(u, u, v * v), fma(x, u, y * v), fma(x, v, -(y * u))
    heat, work = splat(0.0), splat(0.0)
    width, per_node = kicks.width, kicks.forms * kicks.width
    for k in range(place, end):
        at = (block * weight.shape[0] + k) * per_node
        norm, loss = _of_two(form, at, a, b, c, d), _of_two(form, at + width, a, b, c, d)
        energy, rest = _of_two(form, at + 2 * width, a, b, c, d), _of_two(form, at + 3 * width, a, b, c, d)
        of_energy, of_rest = _of_two(form, at + 4 * width, a, b, c, d), _of_two(form, at + 5 * width, a, b, c, d)
        inverse = splat(1.0) / norm
        rate, share = loss * inverse, splat(weight[k]) * inverse
        heat = fma(share, rate * energy - of_energy, heat)
        work = fma(share, rate * rest - of_rest, work)
    before, done = load(gained, 0), load(gained, 1)
    store(gained, 0, select(wanted, fma(scale, heat, before), before))
    store(gained, 1, select(wanted, fma(scale, work, done), done))


@borrowed
def _panel(
    kicks: Any, block: int, m: int, place: int, end: int, scale: Any, wanted: Any, state: Floats, bench: Any
) -> None:
    """Add the nodes ``place`` ... ``end - 1`` of panels of length `scale` that begin in `state`, where wanted."""
    if m == 2 and bench.gained.shape[0] == 2:
        _panel_of_two(kicks, block, place, end, scale, wanted, state, bench.gained)
        return
    _products(state, m, bench.product)
    for k in range(place, end):
        _collect(kicks, block, k, m * m, splat(kicks.weight[k]) * scale, wanted, bench)


@borrowed
def _stride(kicks: Any, level: int, block: int, m: int, bench: Any) -> None:
    """Write the state after a panel into ``bench.there``."""
    first = (level * kicks.longest.shape[0] + block) * kicks.width
    for a in range(m):
        x, y = splat(0.0), splat(0.0)
        for b in range(m):
            p, u, v = kicks.stride[first + a * m + b], load(bench.here, 2 * b), load(bench.here, 2 * b + 1)
            x, y = fma(splat(p.real), u, x), fma(splat(p.real), v, y)
            x, y = fma(splat(-p.imag), v, x), fma(splat(p.imag), u, y)
        store(bench.there, 2 * a, x)
        store(bench.there, 2 * a + 1, y)


_LEVELS = len(NODES)


@borrowed
def dwell(kicks: Any, block: int, m: int, time: Any, end: Floats, bench: Any) -> None:
    """Add to ``bench.gained`` what each load exchanges without a jump, in each lane.

    Parameters
    ----------
    kicks : KickTables, lent
    block, m : int
        Block of all states and its size.
    time : Lanes
        Length of each dwell.
    end : (2 m, WIDTH) float64
        States at the end of the dwells; those at the beginning are in ``bench.here``, which is overwritten.  Of any
        norm.
    bench : KickBench, lent
    """
    length = kicks.longest[block]
    if length == 0.0:
        return
    place, left, whole = 0, time, splat(length)
    for level in range(_LEVELS):
        nodes = NODES[level]
        wanted = left >= splat(length)
        while anywhere(wanted):
            _panel(kicks, block, m, place, place + nodes, whole, wanted, bench.here, bench)
            _stride(kicks, level, block, m, bench)
            for row in range(2 * m):
                store(bench.here, row, select(wanted, load(bench.there, row), load(bench.here, row)))
            left = select(wanted, left - splat(length), left)
            wanted = left >= splat(length)
        place += nodes
        length *= 0.5
    half, everywhere = splat(0.5) * left, left >= splat(0.0)
    _panel(kicks, block, m, place, place + 1, half, everywhere, bench.here, bench)
    _panel(kicks, block, m, place, place + 1, half, everywhere, end, bench)
