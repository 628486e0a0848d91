"""The readable twin of the jump kernels: one trajectory, plain NumPy and Python floats, no lanes, no queues.

States and matrices are in real coordinates, as in the tables.

It reads the same tables and does the same arithmetic in the same order, so it gives the same bits.  A fused
multiply-add is taken literally: the exact rational a b + c, rounded once.
"""

from fractions import Fraction
import math

import numpy as np
from numpy.random import Generator, Philox

from collide.kernels.logarithm import log
from collide.kernels.power_tables import matrix_of

TOGETHER = 8
SMALLEST = 2.0**-54


def fma(a, b, c):
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def fma_rows(a, b, c):
    """Elementwise; a and c are arrays, b a number or an array."""
    return np.array([fma(x, y, z) for x, y, z in zip(a, np.broadcast_to(b, np.shape(a)), c, strict=True)])


def norm2(psi):
    """Sum of squares as the general product adds it up: eight rows at a time."""

    def pair(k):
        return fma(x[k], x[k], x[k + 1] * x[k + 1])

    x = np.append(psi, np.zeros(-len(psi) % 8))
    if len(psi) <= 4:
        return pair(0) + pair(2)
    total = 0.0
    for row in range(0, len(x), 8):
        total += (pair(row) + pair(row + 2)) + (pair(row + 4) + pair(row + 6))
    return total


def times(matrix, psi):
    """The product, column by column."""
    out = np.zeros(len(matrix))
    for k in range(matrix.shape[1]):
        out = fma_rows(matrix[:, k], psi[k], out)
    return out


def times_four(matrix, psi):
    """Of four coordinates, as they are kept in registers."""
    a, b, c, d = psi
    left = [fma(row[1], b, row[0] * a) for row in matrix]
    return np.array([x + fma(row[3], d, row[2] * c) for x, row in zip(left, matrix, strict=True)])


def times_two(matrix, psi):
    return np.array([fma(row[1], psi[1], row[0] * psi[0]) for row in matrix])


def by_three(matrix, psi):
    """Complex amplitudes by three real products, and the norm squared as it is added up there."""
    A, B, u, v = matrix[::2, ::2], matrix[1::2, ::2], psi[::2], psi[1::2]
    x, s, w = times(A, u), times(B, v), times(A + B, u + v)
    out = np.empty(len(psi))
    out[::2], out[1::2] = x - s, (w - x) - s
    squares = [fma(r, r, i * i) for r, i in out.reshape(-1, 2)] + [0.0] * (len(u) % 2)
    total = 0.0
    for a in range(0, len(squares), 2):
        total += squares[a] + squares[a + 1]
    return out, total


def moved(matrix, psi, parts):
    """A power times a state, and its norm squared."""
    n = len(psi)
    if parts == 2 and n >= 32:
        return by_three(matrix, psi)
    out = times_two(matrix, psi) if n == 2 else times_four(matrix, psi) if n == 4 else times(matrix, psi)
    return out, norm2(out)


def descend(tables, block, psi, steps, threshold, left, level):
    """Whole steps that fit before the threshold and the stop; whether some power passed the threshold."""
    n, passed, size = int(block["width"]), False, int(block["stride"])
    for k in range(level, -1, -1):
        if steps + 2.0**k > left:
            continue
        first = block["power"] + k * size
        trial, norm = moved(matrix_of(tables.power[first : first + size], n, tables.parts), psi, tables.parts)
        if norm > threshold:
            psi, steps = trial, steps + 2.0**k
        else:
            passed = True
    return psi, steps, passed


def generator(tables, number):
    """A, dense."""
    n, rows = int(tables.block[number]["width"]), tables.rows
    A = np.zeros((n, n))
    for group in rows.group[rows.first[number] : rows.first[number + 1]]:
        e = group["element"]
        for i in rows.row[group["first"] : group["end"]]:
            for element in rows.element[e : e + group["length"]]:
                A[i, element["column"]] = element["value"]
            e += group["length"]
    return A


def expand(tables, number, psi):
    """Taylor terms of the state within a step, and coefficients of its norm squared."""
    block, A, terms = tables.block[number], generator(tables, number), [psi]
    order, degree = int(block["order"]), int(block["degree"])
    for n in range(1, order + 1):
        # an element that the sparse table does not hold is not added: 0 x + y is y to the bit
        terms.append(times(A, terms[-1]) * (1.0 / n))
    falling = [0.0] * (degree + 3)
    for first in range(0, len(psi), TOGETHER):
        span = range(first, min(first + TOGETHER, len(psi)))
        for i in range(0, order + 1, 2):
            for j in range(i, min(order, degree - i) + 1, 2):
                sums = {}
                for left in (i, i + 1):
                    for right in (j, j + 1):
                        total = 0.0
                        for a in span:
                            total = fma(terms[left][a], terms[right][a], total)
                        sums[left, right] = total
                weight = 1.0 if i == j else 2.0
                middle = sums[i, j + 1] + sums[i + 1, j]
                for k, value in enumerate((sums[i, j], middle, sums[i + 1, j + 1])):
                    falling[i + j + k] = fma(weight, value, falling[i + j + k])
    return terms, falling[: degree + 1]


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
    psi = terms[-1]
    for term in terms[-2::-1]:
        psi = fma_rows(psi, place, term)
    return psi


def rates(tables, block, psi):
    """(exit, rate) of all exits of a block."""
    found = []
    for exit in tables.exit[block["exit_first"] : block["exit_end"]]:
        entries = tables.entry[exit["first"] : exit["end"]]
        total = 0.0
        for row in dict.fromkeys(entries["row"]):
            amplitude = 0.0
            for entry in entries[entries["row"] == row]:
                amplitude = fma(entry["value"], psi[entry["column"]], amplitude)
            total = fma(amplitude, amplitude, total)
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
    block = tables.block[exit["block"]]
    image = np.zeros(block["width"])
    if block["size"] == 1:
        image[0] = 1.0
        return image
    scale = exit["scale"] if exit["scale"] > 0.0 else 1.0 / math.sqrt(rate)  # the former out of a block of one state
    for entry in tables.entry[exit["first"] : exit["end"]]:
        image[entry["row"]] += entry["value"] * (psi[entry["column"]] * scale)
    return image


def shown(tables, number, stop, psi):
    """Amplitudes outside the frame of the program."""
    amplitudes = psi.astype(complex) if tables.parts == 1 else psi.view(complex)
    return amplitudes * tables.turn[stop, number, : len(amplitudes)] if len(tables.turn) else amplitudes


def entered(block, hazard):
    """Queue for the first search: of a large block the level to which -ln of the threshold is nearest."""
    if block["pace"] <= 0.0:
        return 0
    fraction, k = math.frexp(hazard * block["pace"])  # fraction from 1/2
    nearest = k - 1 if fraction < math.sqrt(0.5) else k
    return min(max(nearest, 0), int(block["levels"]) - 1)


def fly(tables, seed, id):
    """One trajectory: initial, final, counts, jump times, channels, and the state (block, psi) at each stop."""
    draws = iter(Generator(Philox(key=np.array([seed, id], np.uint64))).random(100_000))
    u = next(draws)
    outcome = int(np.searchsorted(tables.initial_cdf, u, side="right"))
    number = int(tables.initial_block[outcome])
    psi = tables.opened[outcome, : tables.block[number]["width"]]
    counts = np.zeros(len(tables.quantum), int)
    jumps, stops, time, threshold = [], [], 0.0, max(next(draws), SMALLEST)
    hazard = -log(threshold)  # what is left of it, in a block of one state
    steps, search = 0.0, entered(tables.block[number], hazard)
    if tables.times[0] <= 0.0:
        stops.append((number, shown(tables, number, 0, psi)))
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
            level = search if block["pace"] > 0 else block["first_level"] if search == 0 else block["levels"] - 1
            state, steps, passed = descend(tables, block, psi, steps, threshold, left, level)
            terms, falling = expand(tables, number, state)
            event, place = locate(falling, steps, left, threshold, passed)
            psi = settle(terms, place if event else 0.0)
            if event is None:
                search = min(search + 1, int(block["queues"]) - 1)
                continue
            if event == "jump":
                time += (steps + place) * block["step"]
        steps = 0.0
        if event == "stop":
            search = search if block["pace"] > 0 else 0
            time = stop
            while len(stops) < len(tables.times) and tables.times[len(stops)] <= time:
                stops.append((number, shown(tables, number, len(stops), psi)))
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
        search = entered(tables.block[number], hazard)
    block = tables.block[number]
    listed = tables.closing[block["closing_first"] : block["closing_end"]]
    overlaps = []
    last = shown(tables, number, len(tables.times) - 1, psi)
    for f in listed:
        real = imag = 0.0
        for v, z in zip(tables.final_vec[f], last, strict=False):
            real += v.real * z.real + v.imag * z.imag
            imag += v.real * z.imag - v.imag * z.real
        overlaps.append((f, real * real + imag * imag))
    return outcome, int(pick(overlaps, next(draws))), counts, jumps, stops
