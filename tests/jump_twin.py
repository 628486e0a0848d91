"""The readable twin of the jump kernels: one trajectory, plain NumPy and Python floats, no lanes, no queues.

It reads the same tables and does the same arithmetic in the same order, so it gives the same bits.  A fused
multiply-add is taken literally: the exact rational a b + c, rounded once.
"""

from fractions import Fraction
import math

import numpy as np
from numpy.random import Generator, Philox

from collide.kernels.logarithm import log

TOGETHER = 4
SMALLEST = 2.0**-54


def fma(a, b, c):
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def fma_rows(a, b, c):
    """Elementwise; a and c are arrays, b a number or an array."""
    return np.array([fma(x, y, z) for x, y, z in zip(a, np.broadcast_to(b, np.shape(a)), c, strict=True)])


class State:
    """An unnormalised state, its real and imaginary parts apart."""

    def __init__(self, psi):
        self.real, self.imag = np.array(psi.real), np.array(psi.imag)

    @classmethod
    def of(cls, real, imag):
        state = cls(np.zeros(0, complex))
        state.real, state.imag = real, imag
        return state

    def times(self, matrix):
        real, imag = np.zeros(len(matrix)), np.zeros(len(matrix))
        for b in range(matrix.shape[1]):
            p = matrix[:, b]
            # an element that the sparse table does not hold is not added: 0 x + y is y to the bit
            real, imag = fma_rows(p.real, self.real[b], real), fma_rows(p.real, self.imag[b], imag)
            real, imag = fma_rows(-p.imag, self.imag[b], real), fma_rows(p.imag, self.real[b], imag)
        return State.of(real, imag)

    def scaled(self, factor):
        return State.of(self.real * factor, self.imag * factor)

    def norm2(self):
        sums = [0.0, 0.0, 0.0, 0.0]  # real and imaginary parts, of even and of odd coordinates
        for a in range(len(self.real)):
            k = 2 * (a % 2)
            sums[k] = fma(self.real[a], self.real[a], sums[k])
            sums[k + 1] = fma(self.imag[a], self.imag[a], sums[k + 1])
        return (sums[0] + sums[1]) + (sums[2] + sums[3])

    def dot(self, other, span, real, imag):
        """Add the products of the real parts of some coordinates to one sum, of their imaginary parts to the other."""
        for a in span:
            real = fma(self.real[a], other.real[a], real)
            imag = fma(self.imag[a], other.imag[a], imag)
        return real, imag

    def complex(self):
        return self.real + 1j * self.imag


def descend(tables, block, psi, steps, threshold, left, level):
    """Whole steps that fit before the threshold and the stop; whether some power passed the threshold."""
    m, passed = block["size"], False
    for k in range(level, -1, -1):
        if steps + 2.0**k > left:
            continue
        first = block["power"] + k * m * m
        trial = psi.times(tables.power[first : first + m * m].reshape(m, m))
        if trial.norm2() > threshold:
            psi, steps = trial, steps + 2.0**k
        else:
            passed = True
    return psi, steps, passed


def generator(tables, block):
    m = block["size"]
    A = np.zeros((m, m), complex)
    for i in range(m):
        for e in range(tables.row_start[block["rows"] + i], tables.row_start[block["rows"] + i + 1]):
            A[i, tables.element[e]["column"]] = tables.element[e]["value"]
    return A


def expand(tables, block, psi):
    """Taylor terms of the state within a step, and coefficients of its norm squared."""
    A, terms = generator(tables, block), [psi]
    for n in range(1, block["order"] + 1):
        terms.append(terms[-1].times(A).scaled(1.0 / n))
    order, m = len(terms) - 1, len(psi.real)
    sums = [(0.0, 0.0)] * (order + 1)
    for first in range(0, m, TOGETHER):
        span = range(first, min(first + TOGETHER, m))
        for n in range(order + 1):
            real, imag = sums[n]
            for i in range((n + 1) // 2):
                real, imag = terms[i].dot(terms[n - i], span, real, imag)
            if n % 2 == 0:
                u, v = terms[n // 2].dot(terms[n // 2], span, 0.0, 0.0)
                real, imag = fma(0.5, u, real), fma(0.5, v, imag)
            sums[n] = real, imag
    return terms, [2.0 * (real + imag) for real, imag in sums]


def above(falling, place, threshold):
    value, slope = falling[-1], 0.0
    for coefficient in falling[-2::-1]:
        slope = fma(slope, place, value)
        value = fma(value, place, coefficient)
    return value - threshold, slope


def locate(falling, steps, left, threshold, passed):
    """("jump" | "stop" | None, place in the step)."""
    rest = left - steps
    stops = rest < 1.0
    end = rest if stops else 1.0
    last, _ = above(falling, end, threshold)
    if stops and last > 0.0:
        return "stop", end
    if not (stops or passed):
        return None, 0.0
    if last >= 0.0:
        return "jump", end
    first = falling[0] - threshold
    low, high, place = 0.0, end, end * (first / (first - last))
    for _ in range(64):
        value, slope = above(falling, place, threshold)
        low, high = (place if value > 0.0 else low), (place if value < 0.0 else high)
        newton = place - value / slope
        better = newton if low < newton < high else 0.5 * (low + high)
        if abs(value) <= threshold * 2.0**-50 or not low < better < high:
            break
        place = better
    return "jump", place


def settle(terms, place):
    real, imag = terms[-1].real, terms[-1].imag
    for term in terms[-2::-1]:
        real, imag = fma_rows(real, place, term.real), fma_rows(imag, place, term.imag)
    return State.of(real, imag)


def rates(tables, block, psi):
    """(exit, rate) of all exits of a block."""
    found = []
    for exit in tables.exit[block["exit_first"] : block["exit_end"]]:
        entries = tables.entry[exit["first"] : exit["end"]]
        total = 0.0
        for row in dict.fromkeys(entries["row"]):
            real = imag = 0.0
            for entry in entries[entries["row"] == row]:
                v, z = entry["value"], psi[entry["column"]]
                real, imag = fma(v.real, z.real, real), fma(v.real, z.imag, imag)
                real, imag = fma(-v.imag, z.imag, real), fma(v.imag, z.real, imag)
            total = fma(imag, imag, fma(real, real, total))
        found.append((exit, total))
    return found


def pick(weighted, u):
    total = 0.0
    for _, weight in weighted:
        total += weight
    reached, chosen = 0.0, None
    for what, weight in weighted:
        if weight > 0.0:
            chosen = what
            reached += weight
            if reached > u * total:
                break
    return chosen


def leave_one(tables, block, u):
    """Exit of a block of one state."""
    exits = tables.exit[block["exit_first"] : block["exit_end"]]
    mark = u * exits[-1]["reach"]
    return next((exit for exit in exits if exit["reach"] > mark), exits[-1])


def jumped(tables, exit, psi, rate):
    size = tables.block[exit["block"]]["size"]
    if size == 1:
        return np.ones(1, complex)
    image = [0j] * size
    if exit["scale"] > 0.0:  # out of a block of one state
        for entry in tables.entry[exit["first"] : exit["end"]]:
            image[entry["row"]] = complex(entry["value"].real * exit["scale"], entry["value"].imag * exit["scale"])
        return np.array(image)
    scale = 1.0 / math.sqrt(rate)
    for entry in tables.entry[exit["first"] : exit["end"]]:
        z = psi[entry["column"]]
        image[entry["row"]] += complex(entry["value"]) * complex(z.real * scale, z.imag * scale)
    return np.array(image)


def fly(tables, seed, id):
    """One trajectory: initial, final, counts, jump times, channels, and the state (block, psi) at each stop."""
    draws = iter(Generator(Philox(key=np.array([seed, id], np.uint64))).random(100_000))
    u = next(draws)
    outcome = int(np.searchsorted(tables.initial_cdf, u, side="right"))
    number = int(tables.initial_block[outcome])
    psi = tables.initial_vec[outcome, : tables.block[number]["size"]]
    counts = np.zeros(len(tables.quantum), int)
    jumps, stops, time, threshold = [], [], 0.0, max(next(draws), SMALLEST)
    hazard = -log(threshold)  # what is left of it, in a block of one state
    steps, lifted = 0.0, False
    if tables.times[0] <= 0.0:
        stops.append((number, psi))
    while len(stops) < len(tables.times):
        block, stop = tables.block[number], tables.times[len(stops)]
        if block["size"] == 1:
            wait = hazard * block["lifetime"]
            event = "jump" if wait < stop - time else "stop"
            if event == "jump":
                time += wait
            else:
                hazard = max(0.0, hazard - block["decay"] * (stop - time))
        else:
            left = (stop - time) / block["step"]
            level = block["levels"] - 1 if lifted else block["first_level"]
            state, steps, passed = descend(tables, block, State(psi), steps, threshold, left, level)
            terms, falling = expand(tables, block, state)
            event, place = locate(falling, steps, left, threshold, passed)
            psi = settle(terms, place if event else 0.0).complex()
            if event is None:
                lifted = True
                continue
            if event == "jump":
                time += (steps + place) * block["step"]
        steps, lifted = 0.0, False
        if event == "stop":
            time = stop
            while len(stops) < len(tables.times) and tables.times[len(stops)] <= time:
                stops.append((number, psi))
            continue
        if block["size"] == 1:
            exit, rate = leave_one(tables, block, next(draws)), 0.0
        else:
            weighted = rates(tables, block, psi)
            exit = pick(weighted, next(draws))
            rate = next(weight for other, weight in weighted if other is exit)
        for kind in tables.count[exit["channel"]]:
            if kind >= 0:
                counts[kind] += 1
        jumps.append((time, int(exit["channel"])))
        psi, number = jumped(tables, exit, psi, rate), int(exit["block"])
        threshold = max(next(draws), SMALLEST)
        hazard = -log(threshold)
    block = tables.block[number]
    listed = tables.closing[block["closing_first"] : block["closing_end"]]
    overlaps = []
    for f in listed:
        real = imag = 0.0
        for v, z in zip(tables.final_vec[f], psi, strict=False):
            real += v.real * z.real + v.imag * z.imag
            imag += v.real * z.imag - v.imag * z.real
        overlaps.append((f, real * real + imag * imag))
    return outcome, int(pick(overlaps, next(draws))), counts, jumps, stops
