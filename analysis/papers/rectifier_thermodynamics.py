"""Entanglement, and the entropy that trajectories produce."""

from itertools import pairwise
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.machines.rectifier import rectifier

from ..averages import functional_of_mean
from ..entanglement import concurrence
from ..estimates import Estimate, block_edges
from ..integral_theorem import integral_fluctuation_theorem
from .rectifier_beyond import TABLE_POINT
from .rectifier_models import ground
from .rectifier_points import exact_current, points, run
from .rectifier_quantities import critical_current_of

Floats = NDArray[np.float64]
ENGINE: dict[str, Any] = {"g": 0.016, "gamma_L": 0.01, "gamma_R": 0.1}
COUPLINGS, T_ENGINE, EQUAL = np.geomspace(0.03, 30.0, 31), np.geomspace(0.08, 20.0, 49), np.geomspace(0.1, 30.0, 41)
BLOCKS = 100


# -------------------------------------------------------------------- entanglement


def entanglement(ntraj: int, seed: int) -> dict[str, Any]:
    """Concurrence over the couplings, the critical current, equal couplings, and what the swap of temperatures does."""
    curves: dict[str, Any] = {"x": COUPLINGS}
    mapped = [[_at(a, b, 2.0, 0.0) for a in curves["x"]] for b in curves["x"]]
    curves["map"] = [[_signed(m) for m in row] for row in mapped]
    curves["map_excess"] = [[_excess(m) for m in row] for row in mapped]
    curves["engine"] = [ENGINE["gamma_L"] / ENGINE["g"], ENGINE["gamma_R"] / ENGINE["g"]]
    T = T_ENGINE
    curves["T"] = T
    for way in ("forward", "backward"):
        made = [_engine(t, way) for t in T]
        curves[f"J_{way}"] = [abs(exact_current(m)) for m in made]
        curves[f"critical_{way}"] = [critical_current_of(m.steady_state(), ENGINE["g"], 1.0) for m in made]
        curves[f"signed_{way}"] = [_signed(m) for m in made]
    gamma = EQUAL
    curves |= {"gamma": gamma, "hot": [0.5, 2.0, 20.0]}
    for t in curves["hot"]:
        curves[f"equal_oscillators_{t:g}"] = [_signed(_at(y, y, t, 0.0)) for y in gamma]
        curves[f"equal_qubits_{t:g}"] = [_signed(_at(y, y, t, 0.0, eps_L=-1)) for y in gamma]
    if ntraj:
        for shift, way in enumerate(("forward", "backward")):
            warm = [0.3, 0.7, 2.0, 8.0]
            made = [_engine(t, way) for t in warm]
            found = [_sampled_concurrence(m, ntraj, seed + 10 * shift + k) for k, m in enumerate(made)]
            curves[f"jumps_{way}"] = points(warm, found, [_signed(m) for m in made])
    return curves


def _at(x: float, y: float, T_L: float, T_R: float, **kinds: Any) -> Any:
    """Couplings in units of a small hopping, which is what their ratios are taken of."""
    small = 0.01
    return rectifier(g=small, gamma_L=float(x) * small, gamma_R=float(y) * small, T_L=T_L, T_R=T_R, **kinds)


def _engine(T: float, way: str) -> Any:
    hot, cold = ("T_L", "T_R") if way == "forward" else ("T_R", "T_L")
    return rectifier(**(ENGINE | {hot: float(T), cold: 0.05}))


def _signed(model: Any) -> float:
    return float(concurrence(model.steady_state(), signed=True))


def _excess(model: Any) -> float:
    """Logarithm of the current over the critical one."""
    g = model.recipe["parameters"]["g"]
    return math.log(abs(exact_current(model)) / critical_current_of(model.steady_state(), g, 1.0))


def _sampled_concurrence(model: Any, ntraj: int, seed: int) -> Estimate:
    """Signed concurrence of the averaged state some lifetimes after a start with empty qubits."""
    time = 10.0 / min(ENGINE["gamma_L"], ENGINE["gamma_R"])
    states = run(model, time, ntraj, seed, initial=ground(model), keep=("totals", "final_state")).final_state
    edges = block_edges(ntraj, BLOCKS)
    sums = np.array([states[a:b].T @ states[a:b].conj() for a, b in pairwise(edges)])
    return functional_of_mean(concurrence, sums, np.diff(edges), signed=True).estimate


# -------------------------------------------------------------------- entropy


def entropy(ntraj: int, seed: int) -> dict[str, Any]:
    """Entropy production both ways, its histogram, and the integral fluctuation theorem in both pictures."""
    difference = np.linspace(0.05, 1.2, 24)
    curves: dict[str, Any] = {"difference": difference, "cold": 0.3}
    for way in ("forward", "backward"):
        curves[f"rate_{way}"] = [_device(d, way).entropy_production_rate() for d in difference]
    forward, backward = np.array(curves["rate_forward"]), np.array(curves["rate_backward"])
    curves["ratio_entropy"] = forward / backward
    curves["ratio_current"] = [
        abs(_device(d, "forward").heat_currents()["L"] / _device(d, "backward").heat_currents()["L"])
        for d in difference
    ]
    times = np.concatenate([[0.5, 1.0, 2.0], np.arange(4.0, 61.0, 4.0)])
    curves["times"] = times
    for name, model in _pictures().items():
        exact = [model.trajectory_statistics(t, initial=ground(model)) for t in times]
        curves[f"pure_{name}"] = [e.exponential_average.mean for e in exact]
        curves[f"reversed_{name}"] = [e.exponential_average.reversed_value for e in exact]
        curves[f"produced_{name}"] = [float(e.cumulants("entropy_production", 1)[0]) for e in exact]
        curves[f"stationary_{name}"] = model.entropy_production_rate()
    if ntraj:
        _sample_rates(curves, ntraj, seed)
        for shift, (name, model) in enumerate(_pictures().items()):
            _sample_theorem(curves, name, model, ntraj, seed + 100 + 50 * shift)
            _sample_single(curves, name, model, ntraj, seed + 200 + shift)
    return curves


def _device(difference: float, way: str) -> Any:
    hot, cold = 0.3 + float(difference), 0.3
    temperatures = {"T_L": hot, "T_R": cold} if way == "forward" else {"T_L": cold, "T_R": hot}
    return rectifier(**(TABLE_POINT | temperatures))


def _pictures() -> dict[str, Any]:
    """The same device by jumps, and by collisions coarse enough to be another process."""
    return {"jump": rectifier(**TABLE_POINT), "collision": rectifier(**TABLE_POINT, picture="collision", tau=0.5)}


def _sample_rates(curves: dict[str, Any], ntraj: int, seed: int) -> None:
    """Entropy production rates both ways, from jumps."""
    chosen, time = [0.2, 0.5, 0.8, 1.1], 200.0
    for shift, way in enumerate(("forward", "backward")):
        made = [_device(d, way) for d in chosen]
        found = [_mean(run(m, time, ntraj, seed + 10 * shift + k).entropy_production) for k, m in enumerate(made)]
        exact = [m.entropy_production_rate() for m in made]
        curves[f"points_{way}"] = points(chosen, [e.scaled(1 / time) for e in found], exact)


def _sample_theorem(curves: dict[str, Any], name: str, model: Any, ntraj: int, seed: int) -> None:
    """Averages of exp(-entropy production), and of the entropy production itself, from two starts."""
    times = [2.0, 12.0, 28.0, 48.0]
    for k, (start, initial) in enumerate((("steady", "steady"), ("pure", ground(model)))):
        made = [run(model, t, ntraj, seed + 10 * k + i, initial=initial) for i, t in enumerate(times)]
        exact = [model.trajectory_statistics(t, initial=initial) for t in times]
        # the mirrored tail of a sample tells what it lacks only where the reversed process has the same law
        judged = [integral_fluctuation_theorem(e, symmetric=start == "steady") for e in made]
        averages = [e.exponential_average.mean for e in exact]
        curves[f"theorem_{name}_{start}"] = points(times, [j.average for j in judged], averages)
        means = [float(e.cumulants("entropy_production", 1)[0]) for e in exact]
        curves[f"mean_{name}_{start}"] = points(times, [_mean(e.entropy_production) for e in made], means)


def _sample_single(curves: dict[str, Any], name: str, model: Any, ntraj: int, seed: int) -> None:
    """Histogram of the entropy production, and how often it comes with which heat."""
    time = 200.0
    ensemble = run(model, time, ntraj, seed)
    produced, heat = np.asarray(ensemble.entropy_production), np.asarray(ensemble.heat["L"])
    density, edges = np.histogram(produced, bins=60, range=(-12, 24), density=True)
    mean = _mean(produced)
    exact = time * model.entropy_production_rate()
    curves[f"histogram_{name}"] = {"density": density, "edges": edges, "mean": points([time], [mean], [exact])}
    affinity = 1 / TABLE_POINT["T_R"] - 1 / TABLE_POINT["T_L"]
    pairs, counts = np.unique(np.round(np.stack([affinity * heat, produced]), 9), axis=1, return_counts=True)
    curves[f"single_{name}"] = {"heat": pairs[0], "produced": pairs[1], "share": counts / ntraj}


def _mean(values: Any) -> Estimate:
    array = np.asarray(values)
    return Estimate(float(array.mean()), float(array.std(ddof=1) / math.sqrt(len(array))))
