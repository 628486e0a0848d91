"""The most that one core can do: fused multiply-adds per second in vectors of float64, measured when it is asked for.

Ten independent sums of sixteen lanes in registers and nothing else: twenty vectors of AVX-512, more of them at work
than the latency of an addition asks for.  A fraction is only worth printing if both are measured in the same run, as
cores change their clocks.

    python benchmarks/fma_peak.py
"""

from functools import cache
import time
from typing import Any

import measure  # noqa: F401  # first, for it caps the BLAS that NumPy loads
import numpy as np

from collide.kernels.compile import kernel
from collide.kernels.lanes import WIDTH, fma, load, store

CHAINS = 10  # ten times two vectors of eight stay in the 32 registers, two more hold the factor
ROUNDS = 200_000


@kernel
def _sums(work: Any, rounds: int) -> None:
    """Ten sums side by side, each a -> a x + x in every lane."""
    x = load(work, 0)
    a, b, c, d, e = load(work, 1), load(work, 2), load(work, 3), load(work, 4), load(work, 5)
    f, g, h, i, j = load(work, 6), load(work, 7), load(work, 8), load(work, 9), load(work, 10)
    for _ in range(rounds):
        a, b, c, d, e = fma(a, x, x), fma(b, x, x), fma(c, x, x), fma(d, x, x), fma(e, x, x)
        f, g, h, i, j = fma(f, x, x), fma(g, x, x), fma(h, x, x), fma(i, x, x), fma(j, x, x)
    store(work, 1, a + b + c + d + e + f + g + h + i + j)


@cache
def fma_peak(repeats: int = 9) -> float:
    """Floating-point operations per second of this core, a fused multiply-add counted as two; the best of some runs."""
    work = np.full((CHAINS + 1, WIDTH), 0.5)
    _sums(work, 1)
    best = np.inf
    for _ in range(repeats):
        began = time.thread_time()
        _sums(work, ROUNDS)
        best = min(best, time.thread_time() - began)
    return 2.0 * CHAINS * WIDTH * ROUNDS / best


if __name__ == "__main__":
    print(f"{1e-9 * fma_peak():.1f} GFLOP/s")
