"""Replay of a trajectory in extended precision, by another algorithm than the kernels': what they are judged by.

Between jumps the state is carried by Taylor steps of exp(-i H_eff h), not by powers; the random numbers are NumPy's.
"""

from typing import NamedTuple

import mpmath as mp
import numpy as np
from numpy.random import Generator, Philox


class Deviation(NamedTuple):
    """Largest deviations of a trajectory's record from its replay."""

    norm: float  # of the norm squared at a jump from the threshold that was drawn
    time: float  # of a waiting time from the root, in units of max(1, waiting time)
    jumps: int  # compared


def carry_mp(heff, psi, time):
    """exp(-i heff time) psi with 40 digits."""
    with mp.workdps(40):
        steps = int(mp.ceil(time * np.linalg.norm(heff, 1))) + 1
        A = mp.matrix(heff.tolist()) * (mp.mpc(0, -1) * mp.mpf(float(time)) / steps)
        for _ in range(steps):
            term = total = psi
            for n in range(1, 45):
                term = A * term / n
                total = total + term
            psi = total
        return psi


def carry_long(heff, psi, time):
    """The same in the processor's extended format (64 bits of mantissa)."""
    steps = int(np.ceil(time * np.linalg.norm(heff, 1))) + 1
    A = heff.astype(np.clongdouble) * (-1j * np.longdouble(time) / steps)
    for _ in range(steps):
        term = total = psi
        for n in range(1, 28):
            term = (A @ term) / n
            total = total + term
        psi = total
    return psi


def as_mp(vector):
    return mp.matrix([mp.mpc(complex(x)) for x in vector])


def norm2_of(psi):
    if isinstance(psi, mp.matrix):
        with mp.workdps(40):
            return mp.fsum(abs(x) ** 2 for x in psi)
    return np.sum(psi.real**2 + psi.imag**2)


def replay(program, seed, id, times, channels, exact):
    """Follow the recorded jumps of trajectory `id`; raise AssertionError where a channel is not the one drawn.

    exact: True for 40 digits (small systems), False for the extended format.
    """
    carry, wrap = (carry_mp, as_mp) if exact else (carry_long, lambda v: v.astype(np.clongdouble))
    draws = Generator(Philox(key=np.array([seed, id], np.uint64))).random(2 * len(times) + 3)
    outcome = int(np.searchsorted(program.initial_cdf, draws[0], side="right"))
    block = int(program.initial_block[outcome])
    psi = wrap(program.initial_vec[outcome, : program.size[block]])
    last, worst_norm, worst_time = 0.0, 0.0, 0.0
    nb = len(program.size)
    for k, (time, channel) in enumerate(zip(times, channels, strict=True)):
        size = program.size[block]
        # the difference of the two times is what the kernel's table was asked for, up to one rounding of the later one
        wait = time - last
        psi = carry(program.heff[block, :size, :size], psi, wait)
        images, rates = [], []
        for c in range(len(program.target)):
            span = slice(program.jump_start[c * nb + block], program.jump_start[c * nb + block + 1])
            image = np.zeros(program.basis.shape[1], dtype=object if exact else np.clongdouble)
            for row, column, value in zip(
                program.jump_row[span], program.jump_column[span], program.jump_value[span], strict=True
            ):
                image[row] = image[row] + (mp.mpc(complex(value)) if exact else value) * psi[int(column)]
            images.append(image)
            rates.append(sum(abs(x) ** 2 for x in image))
        rate = sum(rates)
        slip = norm2_of(psi) - draws[2 * k + 1]
        worst_norm = max(worst_norm, float(abs(slip)))
        worst_time = max(worst_time, float(abs(slip / rate)) / max(1.0, wait))
        edges = np.cumsum([float(r / rate) for r in rates])
        assert channel == int(np.searchsorted(edges, draws[2 * k + 2], side="right")), (k, edges, draws[2 * k + 2])
        block = int(program.target[channel, block])
        image = images[channel][: program.size[block]]
        length = sum(abs(x) ** 2 for x in image) ** 0.5
        psi = mp.matrix([x / length for x in image]) if exact else image / length
        last = time
    return Deviation(worst_norm, worst_time, len(times))
