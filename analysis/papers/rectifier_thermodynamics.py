"""Entanglement, and the entropy that trajectories produce."""

from itertools import pairwise
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
from .rectifier_points import points, run
from .rectifier_quantities import critical_current_of

Floats = NDArray[np.float64]
ENGINE: dict[str, Any] = {"g": 0.016, "gamma_L": 0.01, "gamma_R": 0.1}
BLOCKS = 100


# -------------------------------------------------------------------- entanglement


def entanglement(ntraj: int, seed: int) -> dict[str, Any]:
    """Concurrence over the couplings, the critical current, equal couplings, and what the swap of temperatures does."""
    curves: dict[str, Any] = {"x": np.geomspace(0.03, 30.0, 31)}
    curves["map"] = [[_signed(_at(1.0, a, b, 2.0, 0.0)) for a in curves["x"]] for b in curves["x"]]
    T = np.geomspace(0.08, 20.0, 49)
    curves["T"] = T
    for way in ("forward", "backward"):
        made = [_engine(t, way) for t in T]
        currents = np.array([abs(m.heat_currents()["L"] - m.heat_currents()["R"]) for m in made])
        curves[f"J_{way}"] = currents
        curves[f"critical_{way}"] = [critical_current_of(m.steady_state(), ENGINE["g"], 1.0) for m in made]
        curves[f"signed_{way}"] = [_signed(m) for m in made]
    gamma = np.geomspace(0.1, 30.0, 41)
    curves |= {"gamma": gamma, "hot": [0.5, 2.0, 20.0]}
    for t in curves["hot"]:
        curves[f"equal_oscillators_{t:g}"] = [_signed(_at(1.0, y, y, t, 0.0)) for y in gamma]
        curves[f"equal_qubits_{t:g}"] = [_signed(_at(1.0, y, y, t, 0.0, eps_L=-1)) for y in gamma]
    if ntraj:
        for shift, way in enumerate(("forward", "backward")):
            warm = [0.3, 0.7, 2.0, 8.0]
            found = [_sampled_concurrence(_engine(t, way), ntraj, seed + 10 * shift + k) for k, t in enumerate(warm)]
            curves[f"jumps_{way}"] = points(warm, found)
    return curves


def _at(g: float, x: float, y: float, T_L: float, T_R: float, **kinds: Any) -> Any:
    """Couplings in units of a small hopping, which is what their ratios are taken of."""
    small = 0.01 * g
    return rectifier(g=small, gamma_L=float(x) * small, gamma_R=float(y) * small, T_L=T_L, T_R=T_R, **kinds)


def _engine(T: float, way: str) -> Any:
    hot, cold = ("T_L", "T_R") if way == "forward" else ("T_R", "T_L")
    return rectifier(**(ENGINE | {hot: float(T), cold: 0.05}))


def _signed(model: Any) -> float:
    return float(concurrence(model.steady_state(), signed=True))


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
    jumps, collisions = _pictures()
    pure = [
        m.trajectory_statistics(t, initial=ground(jumps)).exponential_average
        for m in (jumps, collisions)
        for t in times
    ]
    curves |= {"times": times, "pure_jump": [e.mean for e in pure[: len(times)]]}
    curves["pure_collision"] = [e.mean for e in pure[len(times) :]]
    curves["reversed_jump"] = [e.reversed_value for e in pure[: len(times)]]
    if ntraj:
        _sample_entropy(curves, ntraj, seed)
    return curves


def _device(difference: float, way: str) -> Any:
    hot, cold = 0.3 + float(difference), 0.3
    temperatures = {"T_L": hot, "T_R": cold} if way == "forward" else {"T_L": cold, "T_R": hot}
    return rectifier(**(TABLE_POINT | temperatures))


def _pictures() -> tuple[Any, Any]:
    """The same device by jumps, and by collisions coarse enough to be another process."""
    return rectifier(**TABLE_POINT), rectifier(**TABLE_POINT, picture="collision", tau=0.5)


def _sample_entropy(curves: dict[str, Any], ntraj: int, seed: int) -> None:
    for shift, way in enumerate(("forward", "backward")):
        chosen = [0.2, 0.5, 0.8, 1.1]
        found = []
        for k, d in enumerate(chosen):
            ensemble = run(_device(d, way), 200.0, ntraj, seed + 10 * shift + k)
            found.append(Estimate(*_mean(ensemble.entropy_production / 200.0)))
        curves[f"points_{way}"] = points(chosen, found)
    times = [2.0, 12.0, 28.0, 48.0]
    for shift, (name, model) in enumerate(zip(("jump", "collision"), _pictures(), strict=True)):
        for k, (start, initial) in enumerate((("steady", "steady"), ("pure", ground(model)))):
            begin = seed + 100 + 20 * shift + 10 * k
            made = [run(model, t, ntraj, begin + i, initial=initial) for i, t in enumerate(times)]
            # the mirrored tail of a sample tells what it lacks only where the reversed process has the same law
            judged = [integral_fluctuation_theorem(e, symmetric=start == "steady") for e in made]
            curves[f"theorem_{name}_{start}"] = points(times, [j.average for j in judged])
        ensemble = run(model, 200.0, ntraj, seed + 200 + shift)
        values = np.asarray(ensemble.entropy_production)
        density, edges = np.histogram(values, bins=60, range=(-12, 24), density=True)
        curves[f"histogram_{name}"] = {"density": density, "edges": edges, "mean": _mean(values)}
    curves["mean_exact"] = 200.0 * _pictures()[0].entropy_production_rate()


def _mean(values: Any) -> tuple[float, float]:
    array = np.asarray(values)
    return float(array.mean()), float(array.std(ddof=1) / np.sqrt(len(array)))
