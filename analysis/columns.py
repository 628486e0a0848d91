"""The one place that knows what an ensemble looks like: it turns ensembles, mappings and arrays into columns.

Every function of the analysis takes ``(source, quantity)``.  A source is an `Ensemble`, a mapping of arrays, or an
array; a quantity is ``"work"``, ``"energy_change"``, ``"entropy_production"``, ``"closing_energy"``, ``"activity"``
(number of counted events), or ``"heat:L"`` for the heat from bath L, for which the bath's name alone will do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Source = Any  # an Ensemble, a mapping of (n,) arrays, or an (n,) array

TOTALS = ("work", "energy_change", "entropy_production", "closing_energy")


@dataclass(frozen=True)
class Column:
    """One number per trajectory.

    Attributes
    ----------
    name : str
    values : (n,) float
    """

    name: str
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    def finite(self) -> Floats:
        """The values that are finite."""
        return self.values[np.isfinite(self.values)]


def column(source: Source, quantity: str | None = None) -> Column:
    """Take one column out of an ensemble, a mapping of arrays, or an array.

    Parameters
    ----------
    source : Ensemble, mapping, or (n,) array_like
    quantity : str, optional
        Which column; for an array it is only its label.

    Raises
    ------
    ValueError
        If there is no such column, if it is not one number per trajectory, or if it is undefined (nan) throughout.
    """
    if is_ensemble(source):
        name, values = _of_ensemble(source, quantity)
    elif isinstance(source, Mapping):
        name, values = _of_mapping(source, quantity)
    elif quantity in TOTALS and hasattr(source, quantity):
        name, values = quantity, getattr(source, quantity)
    else:
        name, values = quantity or "x", source
    return Column(name, _checked(name, values))


def columns(source: Source, quantities: tuple[str, ...]) -> tuple[Column, ...]:
    """Take several columns of one source, all of the same length."""
    taken = tuple(column(source, q) for q in quantities)
    if len({len(c) for c in taken}) > 1:
        lengths = ", ".join(f"{c.name}: {len(c)}" for c in taken)
        raise ValueError(f"columns of one source must have the same length, but have {lengths}.")
    return taken


def is_ensemble(source: Source) -> bool:
    """Whether `source` carries the columns of an ensemble."""
    return hasattr(source, "heat") and hasattr(source, "work")


def entropy_by_default(source: Source, quantity: str | None) -> str | None:
    """The quantity a fluctuation theorem is about if none is named and the source has it."""
    return "entropy_production" if quantity is None and hasattr(source, "entropy_production") else quantity


def baths(ensemble: Any) -> tuple[str, ...]:
    """Names of the baths in the order of the ensemble."""
    return tuple(ensemble.heat)


def duration(source: Source, time: float | None = None) -> float | None:
    """The time over which the columns were gathered: `time` if given, else the ensemble's last time, else None."""
    if time is not None:
        if not time > 0:
            raise ValueError(f"`time` must be positive, but is {time}.")
        return float(time)
    tlist = getattr(source, "tlist", None)
    return None if tlist is None or len(tlist) == 0 else float(tlist[-1])


def _of_ensemble(source: Any, quantity: str | None) -> tuple[str, Any]:
    names = tuple(source.heat)
    bath = (quantity or "").removeprefix("heat:")
    if quantity in TOTALS and hasattr(source, quantity):
        return quantity, getattr(source, quantity)
    if quantity == "activity":
        return quantity, np.asarray(source.counts).sum(axis=1)
    if bath in names:
        return f"heat:{bath}", source.heat[bath]
    known = [t for t in TOTALS if hasattr(source, t)] + ["activity"] + [f"heat:{b}" for b in names]
    raise ValueError(f"`quantity` must name a column of the ensemble ({', '.join(known)}), but is {quantity!r}.")


def _of_mapping(source: Mapping[str, Any], quantity: str | None) -> tuple[str, Any]:
    for name in (quantity, (quantity or "").removeprefix("heat:")):
        if name in source:
            return str(quantity), source[str(name)]
    raise ValueError(f"`quantity` must be one of {', '.join(map(str, source))}, but is {quantity!r}.")


def _checked(name: str, values: Any) -> Floats:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1:
        raise ValueError(
            f"column {name!r} must hold one number per trajectory, shape (n,), but has shape {array.shape}."
        )
    if len(array) == 0:
        raise ValueError(f"column {name!r} is empty: run at least one trajectory.")
    if np.isnan(array).all():
        raise ValueError(f"column {name!r} is undefined (nan) in this ensemble.")
    if np.isnan(array).any():
        raise ValueError(
            f"column {name!r} holds {int(np.isnan(array).sum())} undefined (nan) values; leave them out first."
        )
    return array
