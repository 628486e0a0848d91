"""What the figures of Werlang et al. 2014 show: exact curves, and points from trajectories with error bars."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from collide.ensemble import run
from collide.machines.ising import ising
from collide.machines.xy_chain import xy_chain

from .base import Figure
from .two_baths import current, sampled_current
from .werlang_drawing import draw_chain, draw_diode, draw_saturation, draw_switching

COUPLINGS = (0.5, 0.1, 0.01)
COLD = (0.0, 0.1, 0.3)
HOT = 10.0
MEANS = (0.5, 5.0)
SPINS = 4
SCATTER = 5e-6  # wanted of the local current, whose only fluctuation is one quantum h at the ends of a trajectory
Curve = dict[str, Any]


def curve(models: Sequence[Any], x: Any) -> Curve:
    """Exact currents from L along a list of models."""
    return {"x": np.asarray(x, dtype=float), "J": np.array([current(model) for model in models])}


def sampled(models: Sequence[Any], x: Any, ntraj: int, seed: int, **how: Any) -> Curve:
    """The same from trajectories with standard errors; empty without trajectories."""
    if ntraj == 0:
        return {"x": np.zeros(0), "J": np.zeros(0), "error": np.zeros(0)}
    found = [sampled_current(model, ntraj, seed + k, **how) for k, model in enumerate(models)]
    return {"x": np.asarray(x, dtype=float)} | {
        name: np.array([getattr(f, word) for f in found]) for name, word in (("J", "value"), ("error", "error"))
    }


# -------------------------------------------------------------------- Fig. 2


def saturation(ntraj: int, seed: int) -> dict[str, Any]:
    """J_L(T_L) at T_R = 0 for three couplings; inset: weak coupling, global against local equation."""
    T, few = np.concatenate([np.linspace(0.05, 1, 26), np.linspace(1.2, 10, 45)]), (0.5, 1.0, 2.0, 4.0, 6.5, 9.5)
    found: dict[str, Any] = {"couplings": np.array(COUPLINGS)}
    for number, Delta in enumerate(COUPLINGS):
        found[f"exact {Delta}"] = curve([ising(Delta=Delta, T_L=t, T_R=0) for t in T], T)
        found[f"sampled {Delta}"] = sampled(
            [ising(Delta=Delta, T_L=t, T_R=0) for t in few], few, ntraj, seed + 10 * number
        )
    weak = COUPLINGS[-1]
    pictures = {
        "local": {"equation": "local"},
        "collisions": {"equation": "local", "picture": "collision", "tau": 1.0},
    }
    # at T_R = 0 exactly the right spin never flips and the steady state is not unique
    cold = 1e-6
    local = [ising(Delta=weak, T_L=t, T_R=cold, equation="local").heat_currents()["L"] for t in T[::3]]
    found["exact local"] = {"x": T[::3], "J": np.array(local)}
    for name, keywords in pictures.items():
        models: list[Any] = [ising(Delta=weak, T_L=t, T_R=cold, **keywords) for t in few]  # type: ignore[arg-type]
        long = float(round(1 / (SCATTER * np.sqrt(2 * max(ntraj, 1)))))
        found[f"sampled {name}"] = sampled(models, few, ntraj, seed + 100, bath="L", time=long)
    return found


# -------------------------------------------------------------------- Fig. 3


def diode(ntraj: int, seed: int) -> dict[str, Any]:
    """J_L(Delta) with the left bath hot (a) and cold (b); inset: J_L against the temperature difference."""
    Delta, few = np.linspace(0.005, 0.995, 56), (0.15, 0.35, 0.55, 0.75, 0.95)
    found: dict[str, Any] = {"cold": np.array(COLD), "means": np.array(MEANS)}
    for k, T in enumerate(COLD):
        for turn, (name, left, right) in enumerate((("forward", HOT, T), ("reverse", T, HOT))):
            found[f"{name} {T}"] = curve([ising(Delta=d, T_L=left, T_R=right) for d in Delta], Delta)
            points = [ising(Delta=d, T_L=left, T_R=right) for d in few]
            found[f"sampled {name} {T}"] = sampled(points, few, ntraj, seed + 20 * k + 10 * turn)
    differences, some = np.linspace(-0.99, 0.99, 67), np.array([-0.9, -0.6, -0.3, 0.3, 0.6, 0.9])
    for number, mean in enumerate(MEANS):
        for name, x in (("exact", differences), ("sampled", some)):
            models = [ising(Delta=0.5, T_L=mean + d / 2, T_R=mean - d / 2) for d in x]
            start = seed + 100 + 10 * number
            found[f"{name} mean {mean}"] = curve(models, x) if name == "exact" else sampled(models, x, ntraj, start)
    return found


# -------------------------------------------------------------------- the XY chain of the supplement


def chain(ntraj: int, seed: int) -> dict[str, Any]:
    """J_L(T_L) of the XY chain at T_R = 0: the local current passes a maximum, the global one saturates."""
    T, few = np.geomspace(0.1, 200, 45), (0.5, 2.0, 10.0, 50.0)
    found: dict[str, Any] = {"kappa": 0.1, "h": 1.0, "Delta": 0.5}
    for equation in ("local", "global"):
        found[f"exact {equation}"] = curve([xy_chain(N=SPINS, T_L=t, equation=equation) for t in T], T)
        points = [xy_chain(N=SPINS, T_L=t, equation=equation) for t in few]
        found[f"sampled {equation}"] = sampled(points, few, ntraj, seed)
    hits = [xy_chain(N=SPINS, T_L=t, equation="local", picture="collision", tau=0.05) for t in few[:2]]
    found["exact collisions"] = curve(hits, few[:2])
    found["sampled collisions"] = sampled(hits, few[:2], ntraj, seed + 10)
    return found


# -------------------------------------------------------------------- work of switching


def switching(ntraj: int, seed: int) -> dict[str, Any]:
    """Work of switching the local couplings: its distribution over trajectories, from the steady state and from |1>."""
    T_L, T_R, time = 2.0, 0.5, 3.0
    machine = {"T_L": T_L, "T_R": T_R, "equation": "local"}
    models = {"jumps": ising(**machine), "collisions": ising(**machine, picture="collision", tau=0.05)}  # type: ignore[arg-type]
    Delta = float(models["jumps"].recipe["parameters"]["Delta"])  # type: ignore[union-attr]
    ground = np.zeros(4, dtype=complex)
    ground[1] = 1.0
    found: dict[str, Any] = {"time": time, "Delta": Delta, "work": np.array([-Delta, 0.0, Delta])}
    for name, model in models.items():
        for start, initial in (("steady", "steady"), ("ground", ground)):
            statistics = model.trajectory_statistics(time, initial=initial)
            found[f"{name} {start} exact"] = _law(statistics, found["work"], model)
            found[f"{name} {start} moments"] = np.array(statistics.cumulants("work", 2))
            if ntraj:
                work = run(model, ntraj, time, seed, initial=initial, progress=False).work
                share = np.array([np.isclose(work, w, atol=1e-9).mean() for w in found["work"]])
                found[f"{name} {start} sampled"] = share
                found[f"{name} {start} error"] = np.sqrt(share * (1 - share) / ntraj)
    return found


def _law(statistics: Any, values: Any, model: Any) -> Any:
    """Probabilities of the values of work: it is the change of the coupling energy between both ends."""
    coupling = 0.5 * float(model.recipe["parameters"]["Delta"]) * np.array([1.0, -1.0, -1.0, 1.0])
    first = np.abs(statistics.ends.first) ** 2 @ coupling
    last = np.abs(statistics.ends.last) ** 2 @ coupling
    work = last - first[:, None]
    return np.array([statistics.joint_probability[np.isclose(work, w)].sum() for w in values])


FIGURES: tuple[Figure, ...] = (
    Figure("fig2", "Current against the temperature of the left bath", saturation, draw_saturation),
    Figure("fig3", "Optimal rectification", diode, draw_diode),
    Figure("xy_chain", "The XY chain: local and global baths", chain, draw_chain),
    Figure("switching_work", "Work of switching local couplings", switching, draw_switching),
)
