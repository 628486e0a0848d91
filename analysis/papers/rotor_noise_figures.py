"""Beyond Leitch et al. 2024: the efficiency of single trajectories of the engine, and cumulants of heat and kicks.

One quantum from bath 2 to bath 1 is one quantum of angular momentum, which the load takes in the end.  So the long-time
cumulants of all three counts are the same but for signs, each heat in quanta 2 B_i.  What is the same only at times
beyond 1/gamma is sampled at shorter ones too.
"""

from itertools import count
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from scipy.stats import kstat

from collide.ensemble import run
from collide.machines.rotor import Model, rotor

from .. import style
from ..stochastic_efficiency import efficiency_distribution
from .base import Figure
from .rotor_devices import FIG_2, affordable, device, qubit_work
from .rotor_quantities import heat, point, power_qubits
from .rotor_sampling import square_of_k_statistic

Floats = NDArray[np.float64]

X = 0.3  # beta_2 / beta_1: near the local maximum of the efficiency
TIMES = (2e4, 1e5)  # of the trajectories whose efficiencies are shown: 1/gamma and 5/gamma
MOST_LONG = 1.2e8  # exchanges of an ensemble of those
RANGE = (-1.5, 2.0)
BINS = 70
EXACT_TIMES = 10.0 ** np.arange(0.0, 6.6, 0.5)
SAMPLED_TIMES = (100.0, 2e3, 2e4)
MOST = 1.5e7  # exchanges of an ensemble of these
COUNTS = {"2": (1.0, r"$q_2/2B_2$", style.RED), "1": (-1.0, r"$-q_1/2B_1$", style.BLUE),
          "r": (-1.0, r"$-k_{\rm load}$", style.GREEN)}  # fmt: skip


# -------------------------------------------------------------------- efficiency of single trajectories


def curves_efficiency(ntraj: int, seed: int) -> dict[str, Any]:
    """Densities of -w_Q / q_2, sampled, and of a Gaussian with the exact means and covariances.

    At 1/gamma a trajectory still has the efficiency of the angular momentum it began with: the Gaussian is the limit.
    """
    params = {**FIG_2, "beta2": X * FIG_2["beta1"]}
    at, model = point("rotor_local", params), device(X)
    flows = np.array([-power_qubits(at), heat(at, "2")])
    eta = np.linspace(*RANGE, 701)
    found: dict[str, Any] = {"eta": eta, "of_means": flows[0] / flows[1], "carnot": 1 - X, "times": np.array(TIMES)}
    found["gaussian"] = np.array([ratio_density(eta, flows * t, covariances(model, t)) for t in TIMES])
    if ntraj:
        found["sampled"] = [sampled_efficiencies(model, t, ntraj, s) for t, s in zip(TIMES, count(seed), strict=False)]
    return found


def covariances(model: Model, time: float) -> Floats:
    """Covariances of -w_Q and q_2, from the resolved load, whose quanta are definite; (2, 2)."""
    resolved: Any = rotor(**model.recipe["parameters"] | {"load": "resolved"})  # type: ignore[union-attr]
    statistics = resolved.trajectory_statistics(time)
    work, hot = (float(statistics.cumulants(name, 2)[1]) for name in ("work", "heat 2"))
    both = -float(statistics.covariance("work", "heat 2"))
    return np.array([[work, both], [both, hot]])


def ratio_density(eta: Floats, mean: Floats, covariance: Floats) -> Floats:
    """Density of the ratio of two jointly Gaussian numbers (Hinkley 1969).

    Parameters
    ----------
    eta : (n,) float
    mean : (2,) float
        Of numerator and denominator.
    covariance : (2, 2) float

    Returns
    -------
    (n,) float
    """
    inverse = np.linalg.inv(covariance)
    (p, r), (_, s) = inverse
    a, b = mean
    square = p * eta**2 + 2 * r * eta + s  # of the denominator in the exponent
    middle = (p * eta * a + r * (eta * b + a) + s * b) / square
    rest = mean @ inverse @ mean - square * middle**2
    size = np.sqrt(2 / (np.pi * square)) * np.exp(-0.5 * square * middle**2) + middle * erf(
        middle * np.sqrt(square / 2)
    )
    weight = np.exp(-0.5 * rest) * np.sqrt(2 * np.pi / square) * size
    return np.asarray(weight / (2 * np.pi * math.sqrt(np.linalg.det(covariance))))


def sampled_efficiencies(model: Model, time: float, ntraj: int, seed: int) -> dict[str, Any]:
    """Histogram of the stochastic efficiency, and what it has instead of a mean."""
    n = affordable(model, time, ntraj, MOST_LONG)
    ens = run(model, n, time, seed=seed, progress=False)
    work, hot, cold = ens.values(qubit_work), ens.heat["2"], ens.heat["1"]
    beta = X * FIG_2["beta1"], FIG_2["beta1"]
    found = efficiency_distribution({"work": work, "hot": hot, "cold": cold}, "hot", "cold", beta=beta)
    ratio = -work[hot != 0] / hot[hot != 0]
    counts, edges = np.histogram(ratio, np.linspace(*RANGE, BINS + 1))
    unit = n * np.diff(edges)
    return {
        "n": n,
        "edges": edges,
        "density": counts / unit,
        "error": np.sqrt(np.maximum(counts, 1)) / unit,
        "most_likely": {"value": found.most_likely.value, "error": found.most_likely.error},
        "of_means": {"value": found.macroscopic.value, "error": found.macroscopic.error},
        "beyond_carnot": found.beyond_carnot,
        "undefined": found.undefined,
    }


def draw_efficiency(found: dict[str, Any]) -> Any:
    """One panel for each length of the trajectories."""
    with style.house():
        axes = style.grid_of_axes(len(found["times"]), columns=2, size=(4.6, 3.5))
        for k, ax in enumerate(axes):
            ax.plot(
                found["eta"],
                found["gaussian"][k],
                color=style.BLUE,
                label=r"Gaussian, exact covariances: the limit $t\gg1/\gamma$",
            )
            ax.axvline(found["of_means"], color=style.GREEN, lw=1.2, ls="--",
                       label=rf"ratio of the means {found['of_means']:.3f}")  # fmt: skip
            ax.axvline(found["carnot"], color=style.RED, lw=1.2, ls=":", label=rf"Carnot {found['carnot']:.1f}")
            title = rf"t = {found['times'][k]:,.0f}"
            if "sampled" in found:
                p = found["sampled"][k]
                middle = (p["edges"][1:] + p["edges"][:-1]) / 2
                style.points(ax, middle, p["density"], p["error"], color=style.INK, markersize=2.5, elinewidth=0.7,
                             label=f"{p['n']} trajectories")  # fmt: skip
                title += (
                    rf":  {100 * p['beyond_carnot']:.0f} % beyond Carnot, {100 * p['undefined']:.0f} % with $q_2=0$"
                )
            top = 1.4 * found["gaussian"][k].max()  # room for the legend
            ax.set(xlabel=r"stochastic efficiency $-w_Q/q_2$", ylabel="density", xlim=RANGE, ylim=(0, top))
            ax.set_title(title, fontsize=9.5)
            ax.legend(fontsize=8, loc="upper left")
    return axes[0].figure


# -------------------------------------------------------------------- cumulants of heat and of angular momentum


def curves_cumulants(ntraj: int, seed: int) -> dict[str, Any]:
    """Cumulants per unit time of the three counts, in quanta, against the length of a steady trajectory."""
    model = device(X)
    table = model.process.counts
    weights = {name: sign * table.charge_weight(name) for name, (sign, _, _) in COUNTS.items()}
    found: dict[str, Any] = {"t": EXACT_TIMES, "gamma": FIG_2["gamma"]}
    found["exact"] = {
        name: np.array([np.asarray(model.cumulants_at(t, weight, 3)) / t for t in EXACT_TIMES])
        for name, weight in weights.items()
    }
    found["late"] = {name: np.asarray(model.cumulant_rates(weight, 3)) for name, weight in weights.items()}
    if ntraj:
        seeds = count(seed)
        rows = [sampled_cumulants(model, weights, t, ntraj, next(seeds)) for t in SAMPLED_TIMES]
        found["points"] = {
            name: {part: np.array([row[name][part] for row in rows]) for part in ("value", "error")} for name in weights
        }
        found["sampled_t"] = np.array(SAMPLED_TIMES)
    return found


def sampled_cumulants(model: Model, weights: dict[str, Floats], time: float, ntraj: int, seed: int) -> dict[str, Any]:
    """First three k-statistics per unit time, with errors from the exact cumulants up to the sixth."""
    n = affordable(model, time, ntraj, MOST)
    ens = run(model, n, time, seed=seed, progress=False)
    found = {}
    for name, weight in weights.items():
        exact = np.asarray(model.cumulants_at(time, weight, 6))
        values: Any = [kstat(ens.counts @ weight, k) for k in (1, 2, 3)]
        errors = [math.sqrt(max(square_of_k_statistic(exact, k), 0.0) / n) for k in (1, 2, 3)]
        found[name] = {"value": np.array(values) / time, "error": np.array(errors) / time}
    return found


def draw_cumulants(found: dict[str, Any]) -> Any:
    """Mean, variance and third cumulant, one panel each; where the curves meet, at t >> 1/gamma, is the identity."""
    titles = ("(a)  mean", "(b)  variance", "(c)  third cumulant")
    with style.house():
        axes = style.grid_of_axes(3, columns=3, size=(3.7, 3.4))
        for order, ax in enumerate(axes):
            for shift, (name, (_, label, color)) in enumerate(COUNTS.items()):
                ax.plot(found["t"], found["exact"][name][:, order], color=color, label=label, lw=2.4 - 0.7 * shift)
                if "points" in found:
                    p = found["points"][name]
                    style.points(ax, found["sampled_t"] * 1.12 ** (shift - 1), p["value"][:, order],
                                 p["error"][:, order], color=color, fmt="os^"[shift])  # fmt: skip
            style.bound_line(ax, float(found["late"]["2"][order]), r"$t\to\infty$, all three")
            ax.axvline(1 / found["gamma"], color=style.MUTED, lw=0.8, ls=":", zorder=0)
            ax.set_xscale("log")
            low, high = _window(found, order)
            ax.set(xlabel="$t$", title=titles[order], ylim=(low, high))
            ax.text(1 / found["gamma"], low + 0.02 * (high - low), r" $1/\gamma$", color=style.MUTED, fontsize=9)
            ax.ticklabel_format(axis="y", scilimits=(0, 0))
        axes[0].set_ylabel("cumulant per unit time, in quanta")
        axes[1].legend(fontsize=8, loc="upper left")
    return axes[0].figure


def _window(found: dict[str, Any], order: int) -> tuple[float, float]:
    """Around the late values, wide enough for the load's curve; the baths' early shot noise is far above."""
    late = float(found["late"]["2"][order])
    values = np.concatenate([found["exact"]["r"][:, order], [late, 0.0]])
    low, high = float(values.min()), float(values.max())
    return low - 0.25 * (high - low), high + 0.6 * (high - low)


EFFICIENCY = Figure(
    "efficiency",
    "Efficiency of single trajectories of the engine, which has no mean",
    curves_efficiency,
    draw_efficiency,
)
CUMULANTS = Figure(
    "cumulants", "Cumulants of heat and of angular momentum: the same at long times", curves_cumulants, draw_cumulants
)
