"""The rotor's parameter sets as the figures use them, and how trajectories are asked for their currents."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from collide.ensemble import run
from collide.machines.rotor import Model, parts_of, start_state

from ..estimates import Estimate
from .base import Params
from .rotor_quantities import machine

FIG_2: Mapping[str, Any] = {
    "B1": 4.0, "B2": 10.0, "I": 1.0, "lambda": 0.1, "g": 1.0, "chi": 0.0, "beta1": 0.1, "beta_r": 0.09, "gamma": 5e-5,
}  # fmt: skip
"""Figs. 2, 3 and 8; I = 1 is given for Fig. 6 alone, and used everywhere."""
FIG_4: Mapping[str, Any] = {**FIG_2, "g": 0.5, "Omega": 24.5}
FIG_6: Mapping[str, Any] = {**FIG_2, "B1": 10.0, "beta2": 0.02, "gamma": 0.0}
FIG_7: Mapping[str, Any] = {**FIG_6, "gamma": 5e-4}
CUT: Mapping[str, Any] = {"l_min": -5, "l_max": 10}
"""The paper's ladder, on which it says that nothing depends."""


def device(x: float, params: Params = FIG_2) -> Model:
    """The local machine of Fig. 2 at beta_2 = x beta_1."""
    return machine("rotor_local", {**params, "beta2": x * params["beta1"]})


def affordable(model: Model, time: float, ntraj: int, most: float) -> int:
    """Trajectories of length `time`: `ntraj`, or fewer so that they make at most so many exchanges together."""
    return max(2, min(ntraj, int(most / (float(model.count_rates().sum()) * time))))


def rate(ensemble: Any, time: float, quantity: Any) -> Estimate:
    """Mean of a quantity per unit time."""
    found = ensemble.mean(quantity)
    return Estimate(found.value / time, found.error / time)


def qubit_work(rows: Any) -> Any:
    """Work w_Q that the qubits' baths did on each trajectory.

    What they changed of <H_S> beyond their quanta: all work less the load's and what the closing measurement adds.
    """
    return rows.work - rows.closing_energy - rows.load_work[:, 0]


def sampled_currents(model: Model, time: float, ntraj: int, seed: int, most: float) -> dict[str, Estimate]:
    """Heat currents, power of the qubits' baths, efficiency and COP from steady trajectories of length `time`.

    At most `ntraj` of them, and `most` exchanges.
    """
    ens = run(model, affordable(model, time, ntraj, most), time, seed=seed, progress=False)
    found = {f"Q_{name}": rate(ens, time, f"heat:{name}") for name in ("1", "2", "r")}
    found["W_Q"] = rate(ens, time, qubit_work)
    work, cold, hot = ens.values(qubit_work), ens.heat["1"], ens.heat["2"]
    found["efficiency"] = ratio(-work, hot)
    found["COP"] = ratio(cold, work)
    return found


def ratio(above: Any, below: Any) -> Estimate:
    """Ratio of two means with the error of their linear combination."""
    value = float(np.mean(above) / np.mean(below))
    residual = above - value * below
    return Estimate(value, float(residual.std(ddof=1) / np.sqrt(len(residual)) / abs(np.mean(below))))


def ladder_observables(model: Model) -> dict[str, Any]:
    """Projectors |l><l| of the rotor, by l, and L_z."""
    pieces, p = parts_of(model), model.recipe["parameters"]  # type: ignore[union-attr]
    levels = range(p["l_min"], p["l_max"] + 1)
    found: dict[str, Any] = {}
    for position, l in enumerate(levels):
        one = np.zeros((len(levels), len(levels)))
        one[position, position] = 1.0
        found[str(l)] = pieces.space.op(one, 2)
    return found | {"L_z": pieces.L_z}


def thermal_start(model: Model) -> Any:
    """Qubits at the temperatures of their baths, rotor at rest in |0>: where Figs. 6-8 begin here."""
    return start_state(model, "thermal", 0)
