"""One trajectory of an ensemble in full: the same draws, everything written down, for looking at and for checking."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collide.engines import collision_program, event_tables, jump_tables, run_tables, wide_tables
from collide.exact.flat import unflatten_operator
from collide.frame import phases_at
from collide.kernels.collision_path import plain_path
from collide.kernels.collision_runs import run_path
from collide.kernels.events import run_events
from collide.kernels.jumps import Record, run_jumps
from collide.kernels.wide import run_wide
from collide.ledger import to_users_basis

POINTS = 512  # times at which a jump trajectory is shown, unless the caller chooses


@dataclass(frozen=True)
class Path:
    """The path of a trajectory.

    Attributes
    ----------
    times : (n,) float
        For collisions: 0 and the end of each period; with every label drawn, that of each collision, at the end of its
        period.
    states : (n, d) complex
        Normalised kets in the user's basis.
    energies : (n,) float
        <psi|H|psi>.
    heat : (n, nbaths) float
        Heat from each bath so far, definite quanta only.
    baths : tuple of str
    event_time, event_channel : (nevents,)
        Exchanges; for jumps the channel, for collisions the number of the event or, with every label drawn, the
        position of the collision in its period.
    """

    times: NDArray[np.float64]
    states: NDArray[np.complex128]
    energies: NDArray[np.float64]
    heat: NDArray[np.float64]
    baths: tuple[str, ...]
    event_time: NDArray[np.float64]
    event_channel: NDArray[np.int64]

    def __repr__(self) -> str:
        return (
            f"Path of {len(self.event_time)} exchanges to t = {self.times[-1]:g}: energy {self.energies[0]:.4g} ->"
            f" {self.energies[-1]:.4g}, heat "
            + ", ".join(f"{name} {q:.4g}" for name, q in zip(self.baths, self.heat[-1], strict=True))
        )

    def plot(self, ax: Any = None) -> Any:
        """Energy and heat so far against time."""
        import matplotlib.pyplot as plt

        ax = plt.subplots()[1] if ax is None else ax
        ax.plot(self.times, self.energies, color="0.3", label="energy")
        for name, column in zip(self.baths, self.heat.T, strict=True):
            ax.step(self.times, column, where="post", label=f"heat from {name}")
        ax.set(xlabel="time", ylabel="energy")
        ax.legend(frameon=False)
        return ax


def replay(program: Any, seed: int, id: int, times: ArrayLike | None = None) -> Path:
    """Replay one trajectory.

    Parameters
    ----------
    program : Program
    seed, id : int
        As in the ensemble.
    times : (n,) array_like, optional
        Jumps only: when to look, ascending and within the trajectory; by default 512 times.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        For `times` outside the trajectory, or given for collisions, which are seen after every one anyway.
    """
    if program.kind in {"collisions", "events", "gates"}:
        if times is not None:
            raise ValueError("`times` cannot be chosen for collisions: the path has every one of them")
        return (_collisions if program.kind == "collisions" else _events)(program, seed, id)
    end = float(program.tlist[-1])
    grid = np.linspace(0.0, end, POINTS) if times is None else np.asarray(times, dtype=float)
    if grid.ndim != 1 or not len(grid) or grid[0] < 0 or grid[-1] > end or np.any(np.diff(grid) <= 0):
        raise ValueError(f"`times` must ascend within the trajectory, from 0 to {end:g}")
    return _jumps(program, seed, id, grid)


def _collisions(program: Any, seed: int, id: int) -> Path:
    tables = collision_program(program)
    elements = len(tables.prior_start) - 1
    if len(tables.flow_time):
        states, counts = plain_path(tables, seed, id)
    else:
        states, counts = run_path(tables, run_tables(program), seed, id)
    tau = float(program.meta["tau"])
    times = np.concatenate([[0.0], tau * (1 + np.arange(len(states) - 1) // elements)])
    happened = np.flatnonzero(np.any(np.diff(counts, axis=0) != 0, axis=1))
    return _path(program, times, states, counts, times[happened + 1], happened % elements)


def _events(program: Any, seed: int, id: int) -> Path:
    """The same events, seen at the end of every period."""
    tau = float(program.meta["tau"])
    periods = np.arange(round(float(program.tlist[-1]) / tau) + 1.0)
    record = Record(jumps=True, states=True)
    if program.kind == "gates":
        turn = phases_at(program.arrays["frame"], periods)
        raw = run_wide(wide_tables(program)._replace(times=periods, turn=turn), True, seed, id, id + 1, record)
    else:
        raw = run_events(event_tables(program)._replace(times=periods), seed, id, id + 1, record)
    counts = _counts_so_far(program, periods, raw)
    states = to_users_basis(raw["states"][0], program.arrays["vectors"])
    return _path(program, tau * periods, states, counts, tau * raw["jump_time"], raw["jump_channel"].astype(np.int64))


def _jumps(program: Any, seed: int, id: int, grid: NDArray[np.float64]) -> Path:
    end = float(program.tlist[-1])
    stops = grid if grid[-1] == end else np.append(grid, end)
    turn = phases_at(program.arrays["frame"], stops)
    record = Record(jumps=True, states=True)
    if program.kind == "sparse_jumps":
        raw = run_wide(wide_tables(program)._replace(times=stops, turn=turn), False, seed, id, id + 1, record)
    else:
        raw = run_jumps(jump_tables(program)._replace(times=stops, turn=turn), seed, id, id + 1, record)
    counts = _counts_so_far(program, grid, raw)
    states = to_users_basis(raw["states"][0, : len(grid)], program.arrays["vectors"])
    return _path(program, grid, states, counts, raw["jump_time"], raw["jump_channel"].astype(np.int64))


def _counts_so_far(program: Any, grid: NDArray[np.float64], raw: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """(n, ncounts) counts at the points of a grid; an exchange on a point is part of it."""
    gained = np.zeros((len(grid) + 1, len(program.arrays["count_bath"])), np.int64)
    passed = np.searchsorted(grid, raw["jump_time"], side="left")
    for slot in program.arrays["count"].T:
        row = slot[raw["jump_channel"]]
        np.add.at(gained, (passed[row >= 0], row[row >= 0]), 1)
    return gained[:-1].cumsum(axis=0)


def _path(
    program: Any,
    times: NDArray[np.float64],
    states: NDArray[np.complex128],
    counts: NDArray[np.int64],
    event_time: NDArray[np.float64],
    event_channel: NDArray[np.int64],
) -> Path:
    H = unflatten_operator(program.model, "H")
    energies = np.einsum("ka,ka->k", states.conj(), (H @ states.T).T).real.copy()
    return Path(times, states, energies, counts @ program.arrays["quantum"], program.baths, event_time, event_channel)
