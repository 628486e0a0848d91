"""Figs. 6, 7 and 8 of Leitch et al. 2024: the rotor starts to turn, without and with a load, and its powers in time.

Times and initial state are not stated in the paper.  Here the qubits are at the temperatures of their baths and the
rotor is in |l = 0>.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from collide.ensemble import run
from collide.exact.sources import adjoint_dissipator
from collide.machines.rotor import parts_of

from .. import style
from .base import Figure, Params
from .rotor_devices import CUT, FIG_2, FIG_6, FIG_7, affordable, ladder_observables, thermal_start
from .rotor_quantities import STARTS, backaction, intrinsic, machine, net, point, rotor_populations

START = next(iter(STARTS))
RUNAWAY_TIMES = (100.0, 1000.0, 5000.0, 1e4, 3e4)  # until the most populated level has left the cut ladder
SETTLING_TIMES = (100.0, 500.0, 1000.0, 2000.0, 5000.0)  # 1/gamma = 2000
LEVELS = np.arange(-9, 18)
INSIDE = slice(CUT["l_min"] - int(LEVELS[0]), CUT["l_max"] - int(LEVELS[0]) + 1)
X = 0.8  # beta_2 / beta_1 of Fig. 8
# sixteen steps an octave: steps of one length need one exponential
POWER_TIMES = np.concatenate([[0.0], *(2.0**k * (1 + np.arange(16) / 16) for k in range(-5, 18))])
SAMPLED_TIMES = np.array([10.0, 100.0, 300.0, 1000.0, 3000.0, 1e4, 2e4])
MOST = 3e7  # exchanges of an ensemble: trajectories are long here
BUILT = 4.0  # when the coherence between the qubits has been built
POWERS = {"kinetic": (r"$\dot W_{kin}$", style.BLUE), "intrinsic": (r"$\dot W_{int}$", style.RED),
          "net": (r"$\dot W_{net}$", style.GREEN), "backaction": (r"$\dot Q_{BA}$", style.ORANGE)}  # fmt: skip


# -------------------------------------------------------------------- Figs. 6 and 7


def spreading(params: Params, times: Sequence[float]) -> Callable[[int, int], dict[str, Any]]:
    """Curves of Fig. 6 or 7: populations at increasing times and in the steady state, converged and on the cut ladder.

    Without friction there is no steady state but the one that the cut ladder makes up.
    """

    def compute(ntraj: int, seed: int) -> dict[str, Any]:
        found: dict[str, Any] = {"l": LEVELS, "times": np.array(times), "steady_cut": _populations({**params, **CUT})}
        if params["gamma"] > 0:
            found["steady"] = _populations(params)
        for name, ladder in (("populations", {}), ("populations_cut", CUT)):
            found[name] = np.array(
                [_populations({**params, **ladder, "time": t, "initial_state": START}) for t in times]
            )
        if ntraj:
            found["points"] = sampled_populations(params, times, ntraj, seed)
        return found

    return compute


def _populations(params: Params) -> Any:
    found = rotor_populations(point("rotor_local", params))
    return np.array([found.get(int(l), 0.0) for l in LEVELS])


def sampled_populations(params: Params, times: Sequence[float], ntraj: int, seed: int) -> dict[str, Any]:
    """Populations of the ladder along trajectories, on the ladder that the last time needs."""
    model = point("rotor_local", {**params, "time": times[-1], "initial_state": START}).model
    ops = {name: op for name, op in ladder_observables(model).items() if name in {str(l) for l in LEVELS}}
    n = affordable(model, times[-1], ntraj, MOST)
    ens = run(model, n, times, seed=seed, initial=thermal_start(model), e_ops=ops, progress=False)
    found = [ens.expect[str(l)] for l in LEVELS]
    return {"n": n, "value": np.array([x.value for x in found]).T, "error": np.array([x.error for x in found]).T}


def draw_spreading(found: dict[str, Any]) -> Any:
    """One panel per time, the steady state in red; what the cut ladder makes of it as a thin line."""
    with style.house():
        axes = style.grid_of_axes(len(found["times"]) + 1, columns=3, size=(3.4, 2.4))
        top = 1.08 * max(found[name].max() for name in ("populations", "steady_cut"))
        for k, ax in enumerate(axes):
            steady = k == len(found["times"])
            _panel(ax, found, k, steady)
            ax.axvspan(CUT["l_min"] - 0.5, CUT["l_max"] + 0.5, color=style.GRID, alpha=0.6, lw=0, zorder=0)
            ax.set(ylim=(0, top), xlabel="$l$", ylabel=r"$\langle l|\rho_r|l\rangle$", xlim=(LEVELS[0], LEVELS[-1]))
            ax.set_title("steady state" if steady else f"t = {found['times'][k]:,.0f}")
            ax.set_xticks(range(-5, 16, 5))
        axes[0].legend(fontsize=8, loc="upper right")
    return axes[0].figure


def _panel(ax: Any, found: dict[str, Any], k: int, steady: bool) -> None:
    full = found.get("steady") if steady else found["populations"][k]
    cut = found["steady_cut"] if steady else found["populations_cut"][k]
    color = style.RED if steady else style.BLUE
    if full is not None:
        ax.bar(found["l"], full, width=0.8, color=color, alpha=0.55, label="converged ladder")
    else:
        ax.text(0.03, 0.95, "none but on the cut ladder", transform=ax.transAxes, va="top", fontsize=8.5)
    edges = np.append(found["l"][INSIDE] - 0.5, found["l"][INSIDE][-1] + 0.5)
    ax.stairs(cut[INSIDE], edges, color=color if full is None else style.INK, lw=0.9, ls=(0, (4, 2)),
              label=r"cut to $-5\leq l\leq10$", fill=full is None, alpha=0.55 if full is None else 1.0)  # fmt: skip
    if "points" in found and not steady:
        p = found["points"]
        seen = np.flatnonzero(p["value"][k] > 0)
        style.points(ax, found["l"][seen], p["value"][k][seen], p["error"][k][seen], markersize=3, color=style.INK,
                     label=f"{p['n']} trajectories")  # fmt: skip


# -------------------------------------------------------------------- Fig. 8


def curves_8(ntraj: int, seed: int) -> dict[str, Any]:
    """The four powers of Eqs. 30-34 from the start to the steady state."""
    params = {**FIG_2, "beta2": X * FIG_2["beta1"]}
    model = machine("rotor_local", params)
    states = model.evolve(thermal_start(model), POWER_TIMES)
    start = point("rotor_local", params)
    rows = []
    for time, rho in zip(POWER_TIMES, states, strict=True):
        at = start._replace(rho=rho, time=float(time))
        kinetic = intrinsic(at) + backaction(at)
        rows.append({"kinetic": kinetic, "intrinsic": intrinsic(at), "net": net(at), "backaction": backaction(at)})
    found: dict[str, Any] = {"t": POWER_TIMES, **{name: np.array([row[name] for row in rows]) for name in rows[0]}}
    found["steady_heat_r"] = model.heat_currents()["r"]
    if ntraj:
        found["points"] = sampled_powers(model, affordable(model, float(SAMPLED_TIMES[-1]), ntraj, MOST), seed)
    return found


def sampled_powers(model: Any, ntraj: int, seed: int) -> dict[str, Any]:
    """Q_BA as an observable; W_kin from what <L_z^2>/2I has gained between two stops."""
    pieces = parts_of(model)
    load = [np.sqrt(c.rate) * c.op for c in model.channels if c.name == "r"]
    ops = {"Q_BA": adjoint_dissipator(load, pieces.kinetic), "energy": pieces.kinetic}
    ens = run(model, ntraj, SAMPLED_TIMES, seed=seed, initial=thermal_start(model), e_ops=ops, progress=False)
    heat, energy = ens.expect["Q_BA"], ens.expect["energy"]
    gained, span = np.diff(energy.value), np.diff(SAMPLED_TIMES)
    return {
        "t": SAMPLED_TIMES,
        "backaction": {"value": heat.value, "error": heat.error},
        "middle": np.sqrt(SAMPLED_TIMES[1:] * SAMPLED_TIMES[:-1]),
        "kinetic": {"value": gained / span, "error": np.hypot(energy.error[1:], energy.error[:-1]) / span},
        "between": np.array([SAMPLED_TIMES[:-1], SAMPLED_TIMES[1:]]),
    }


def draw_8(found: dict[str, Any]) -> Any:
    """All four on a logarithmic axis of time; beside them the small ones magnified, after the first coherence.

    Trajectories give the back-action heat and the kinetic power; the others are smaller than the error of either.
    """
    import matplotlib.pyplot as plt

    with style.house():
        figure = plt.figure(figsize=(9.2, 3.9), layout="constrained")
        for k, (names, title) in enumerate(
            (
                (tuple(POWERS), "(a)  powers of the rotor"),
                (("intrinsic", "net"), "(b)  the small ones from t = 4 on"),
            )
        ):
            ax = figure.add_subplot(1, 2, k + 1)
            for name in names:
                label, color = POWERS[name]
                ax.plot(found["t"][1:], 1e5 * found[name][1:], color=color, label=label)
            if k == 0 and "points" in found:
                p = found["points"]
                style.points(ax, p["t"], 1e5 * p["backaction"]["value"], 1e5 * p["backaction"]["error"],
                             color=style.ORANGE)  # fmt: skip
                width = [p["middle"] - p["between"][0], p["between"][1] - p["middle"]]
                ax.errorbar(p["middle"], 1e5 * p["kinetic"]["value"], 1e5 * p["kinetic"]["error"], width, fmt="s",
                            ms=3.5, color=style.BLUE, elinewidth=0.8)  # fmt: skip
            if k == 1:
                style.bound_line(ax, -1e5 * found["steady_heat_r"], r"$-\dot Q_r$ in the steady state")
                ax.axvline(1 / FIG_2["gamma"], color=style.MUTED, lw=0.8, ls=":", zorder=0)
                ax.text(1.1 / FIG_2["gamma"], 5.2, r"$1/\gamma$", color=style.MUTED)
                ax.set(xlim=(BUILT, found["t"][-1]), ylim=(-0.3, 5.5))
            ax.axhline(0, color=style.MUTED, lw=0.8, zorder=0)
            ax.set(xscale="log", xlabel="$t$", ylabel=r"power $\times\,10^5$", title=title)
            ax.legend()
    return figure


FIGURE_6 = Figure(
    "fig6", "The rotor runs away without a load (Fig. 6)", spreading(FIG_6, RUNAWAY_TIMES), draw_spreading
)
FIGURE_7 = Figure("fig7", "With a load it settles (Fig. 7)", spreading(FIG_7, SETTLING_TIMES), draw_spreading)
FIGURE_8 = Figure("fig8", "Kinetic, intrinsic and net power, and back-action heat, in time (Fig. 8)", curves_8, draw_8)
