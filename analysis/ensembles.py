"""What the analysis takes from an ensemble beside its columns: records of jumps, sums over time, averaged states."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .averages import FunctionalEstimate, functional_of_mean
from .time_resolved import CumulantsInTime
from .waiting import Jumps, jumps

Floats = NDArray[np.float64]


def jump_records(ensemble: Any) -> Jumps:
    """The jump records of an ensemble that was run with ``keep=("totals", "jumps")``.

    Channels are numbered as the program numbers them: the jump operators of a continuous model, the outcomes of all
    ancillas of a collision model (which are timed at the end of their period).
    """
    return jumps(ensemble.row_size, ensemble.jump_time, ensemble.jump_channel, float(ensemble.tlist[-1]))


def channel_increments(ensemble: Any, quantity: str) -> Floats:
    """What one jump of each channel adds to a quantity, (nchannels,), for `first_passage`.

    Parameters
    ----------
    ensemble : Ensemble
    quantity : str
        ``"heat:L"`` (or the bath's name), ``"charge:L"`` for net quanta, ``"activity"``, or ``"entropy"`` for -β q of
        all baths: the part of Σ that jumps produce, without the boundary term.
    """
    a = ensemble.program.arrays
    row, known = np.asarray(a["count"]), len(a["count_quantum"])
    rows = np.append(_row_weights(ensemble, quantity), 0.0)  # -1, no row, is the zero at the end
    return np.asarray(rows[np.where(row >= 0, row, known)].sum(axis=1))


def _row_weights(ensemble: Any, quantity: str) -> Floats:
    a = ensemble.program.arrays
    kind, _, bath = quantity.partition(":")
    if quantity == "entropy":
        return np.asarray(a["count_entropy"], dtype=float)
    if quantity == "activity":
        return np.ones(len(a["count_quantum"]))
    names = tuple(ensemble.baths)
    bath = bath if kind in ("heat", "charge") else quantity
    if bath not in names:
        offered = ", ".join(f"heat:{b}, charge:{b}" for b in names)
        raise ValueError(f"`quantity` must be one of {offered}, entropy, activity, but is {quantity!r}.")
    value = a["count_charge"] if kind == "charge" else a["count_quantum"]
    return np.where(np.asarray(a["count_bath"]) == names.index(bath), value, 0.0).astype(float)


def heat_cumulants_in_time(ensemble: Any, bath: str) -> CumulantsInTime:
    """Cumulants of the heat received from a bath so far, on the ensemble's tlist, from the sums kept for each chunk."""
    found = ensemble.heat_moments()
    if bath not in found:
        raise ValueError(f"`bath` must be one of {', '.join(found)}, but is {bath!r}.")
    value, error = (np.asarray(v, dtype=float) for v in found[bath])
    return CumulantsInTime(f"heat:{bath}", np.asarray(ensemble.tlist, dtype=float), value, error, len(ensemble))


def state_functional(
    ensemble: Any, functional: Callable[..., Any], *, time: int = -1, **options: Any
) -> FunctionalEstimate:
    """A functional of the trajectory-averaged state at one of the times, with its jackknife error over chunks.

    The average over trajectories of the functional of each pure state is a different number, which depends on what is
    measured: ``mean_of_functional(functional, ens.final_state)``.

    Parameters
    ----------
    ensemble : Ensemble
        Of a system small enough that averaged states are kept.
    functional : callable
        One of the state functionals, such as `concurrence`.
    time : int
        Position in ``ensemble.tlist``.
    **options
        Passed to the functional, such as ``dims=(2, 2)``.
    """
    sums, sizes = [], []
    for chunk in ensemble.chunks():
        if "rho_sum" not in chunk.partial:
            raise ValueError("this ensemble keeps no averaged states (its system is too large): use e_ops.")
        sums.append(np.asarray(chunk.partial["rho_sum"])[time])
        sizes.append(chunk.stop - chunk.start)
    return functional_of_mean(functional, np.array(sums), np.array(sizes), **options)
