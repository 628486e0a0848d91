"""Points of the rectifier's figures that trajectories put there: currents, contrasts, conductances with errors."""

from collections.abc import Sequence
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.ensemble import run as run_ensemble

from ..estimates import Estimate, jackknife, leave_one_out
from ..rectification import Rectification

Floats = NDArray[np.float64]
CHUNKS = 50  # blocks of a jackknife over chunks
Points = dict[str, list[float]]


def run(model: Any, time: Any, ntraj: int, seed: int, **options: Any) -> Any:
    """An ensemble in about `CHUNKS` chunks, without a bar of its own."""
    return run_ensemble(model, ntraj, time, seed, progress=False, chunk_size=max(2, ntraj // CHUNKS), **options)


def points(x: Sequence[float], estimates: Sequence[Estimate], exact: Sequence[float]) -> Points:
    """Positions, values and errors, as a figure's data holds them, and what each point should be."""
    return {
        "x": [float(v) for v in x],
        "y": [float(e.value) for e in estimates],
        "error": [float(e.error) for e in estimates],
        "exact": [float(v) for v in exact],
    }


def deviations(data: Points) -> Floats:
    """How many standard errors each point lies above what it should be."""
    y, error, exact = (np.array(data[name]) for name in ("y", "error", "exact"))
    return np.where(y == exact, 0.0, (y - exact) / np.where(error > 0, error, np.nan))


def exact_current(model: Any) -> float:
    """The paper's current J = Q_L - Q_R of a model in its steady state."""
    heat = model.heat_currents()
    return float(heat["L"] - heat["R"])


def exact_conductance(model: Any, T: float) -> float:
    """Linear conductance from the exact noise in equilibrium, in either picture."""
    return float(model.heat_cumulants("L", 2)[1]) / T**2


def exact_contrast(forward: Any, backward: Any) -> float:
    """Contrast of a device and the same with exchanged temperatures."""
    there, back = exact_current(forward), exact_current(backward)
    return abs((there + back) / (there - back))


def long_enough(model: Any, quanta: float, most: float) -> float:
    """Time in which `quanta` net quanta pass on average, at most `most`, on a multiple of the period."""
    net = abs(float(model.heat_currents()["L"])) / model.recipe["parameters"]["omega"]
    time = min(quanta / net if net > 0 else most, most)
    tau = model.process.tau
    return time if tau is None else max(1, round(time / tau)) * tau


def current(model: Any, ntraj: int, seed: int, *, quanta: float = 4.0, most: float = 1e5) -> Estimate:
    """The paper's current 2 Q_L per time, from the steady state; unbiased at any length of the trajectories."""
    time = long_enough(model, quanta, most)
    heat = np.asarray(run(model, time, ntraj, seed).heat["L"])
    return Estimate(2 * float(heat.mean()) / time, 2 * float(heat.std(ddof=1)) / math.sqrt(ntraj) / time)


def contrast(forward: Any, backward: Any, ntraj: int, seed: int, **how: Any) -> Estimate:
    """Contrast of a device and the same with exchanged temperatures."""
    return Rectification(current(forward, ntraj, seed, **how), current(backward, ntraj, seed + 1, **how)).contrast


def noise_rate(model: Any, early: float, late: float, ntraj: int, seed: int) -> Estimate:
    """Growth of the variance of Q_L between two times, which is its long-time rate once memory is lost."""
    ensemble = run(model, [early, late], ntraj, seed)
    sums, sizes = [], []
    bath = ensemble.baths.index("L")
    for chunk in ensemble.chunks():
        sums.append(chunk.partial["heat_power_sums"][:, bath, :2])
        sizes.append(chunk.stop - chunk.start)
    stacked, count = np.array(sums), np.array(sizes)

    def slope(total: Floats, n: Any) -> Any:
        n = np.asarray(n, dtype=float)[..., None]
        variance = (total[..., 1] - total[..., 0] ** 2 / n) / (n - 1)
        return (variance[..., 1] - variance[..., 0]) / (late - early)

    full = slope(stacked.sum(axis=0), count.sum())
    error, _ = jackknife(full, slope(leave_one_out(stacked), count.sum() - count), count)
    return Estimate(float(full), float(error))


def conductance(model: Any, T: float, early: float, late: float, ntraj: int, seed: int) -> Estimate:
    """Linear conductance of the paper's current from the noise of trajectories in equilibrium at temperature T."""
    return noise_rate(model, early, late, ntraj, seed).scaled(1 / T**2)


def mean_rate(model: Any, early: float, late: float, ntraj: int, seed: int, **options: Any) -> Estimate:
    """Mean heat from L per time between two times, for starts that are not stationary (errors: the later heat's)."""
    ensemble = run(model, [early, late], ntraj, seed, **options)
    totals, sizes = [], []
    bath = ensemble.baths.index("L")
    for chunk in ensemble.chunks():
        first, second = chunk.partial["heat_power_sums"][:, bath, 0]
        totals.append(second - first)
        sizes.append(chunk.stop - chunk.start)
    means = np.array(totals) / np.array(sizes) / (late - early)
    weights = np.array(sizes) / sum(sizes)
    value = float(weights @ means)
    error = math.sqrt(float(weights @ (means - value) ** 2) / (len(means) - 1))
    return Estimate(value, error)
