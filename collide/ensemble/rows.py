"""Columns of a set of trajectories, read when they are asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.records import Array

Floats = NDArray[np.float64]
Interval = tuple[int, int]


class Heat(Mapping[str, Floats]):
    """Heat into the system by bath: ``heat["L"]`` is read from the store when it is asked for."""

    def __init__(self, rows: "Rows") -> None:
        self._rows = rows

    def __getitem__(self, bath: str) -> Floats:
        """The heat from one bath, (n,), in units of energy."""
        baths = self._rows.baths
        if bath not in baths:
            raise KeyError(f"unknown bath {bath!r}: this ensemble has {', '.join(map(repr, baths))}")
        return np.ascontiguousarray(self._rows.column("heat")[:, baths.index(bath)])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows.baths)

    def __len__(self) -> int:
        return len(self._rows.baths)

    def __repr__(self) -> str:
        return f"heat by bath: {', '.join(self)}"


class Rows:
    """Some rows of a store's columns.

    Parameters
    ----------
    store : MemoryStore or FileStore
    intervals : sequence of (int, int)
        Which rows, ascending.
    """

    def __init__(self, store: Any, intervals: Sequence[Interval]) -> None:
        self._store, self._intervals = store, tuple(intervals)

    def __len__(self) -> int:
        return sum(stop - start for start, stop in self._intervals)

    @property
    def baths(self) -> tuple[str, ...]:
        """Names of the baths, in the order of the columns of heat."""
        return tuple(self._store.plan.coords["bath"])

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns there are."""
        return tuple(f.name for f in self._store.plan.fields.columns)

    def column(self, name: str) -> Array:
        """A column by its name, (n, ...).

        Raises
        ------
        KeyError
            If there is none of that name; it lists those there are.
        """
        pieces = [self._store.rows(name, start, stop) for start, stop in self._intervals]
        if len(pieces) == 1:
            return np.asarray(pieces[0])
        f = self._store.plan.fields.column(name)
        return np.concatenate(pieces) if pieces else np.zeros((0, *f.shape), dtype=f.dtype)

    @property
    def ids(self) -> NDArray[np.int64]:
        """(n,) numbers of the trajectories."""
        first = self._store.plan.grid.start
        pieces = [np.arange(first + start, first + stop) for start, stop in self._intervals]
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)

    @property
    def initial(self) -> NDArray[np.int32]:
        """(n,) outcome of the opening measurement."""
        return self.column("initial")

    @property
    def final(self) -> NDArray[np.int32]:
        """(n,) outcome of the closing measurement."""
        return self.column("final")

    @property
    def counts(self) -> NDArray[np.int32]:
        """(n, ncounts) exchanges of each (bath, heat value)."""
        return self.column("counts")

    @property
    def heat(self) -> Heat:
        """Heat into the system, by bath."""
        return Heat(self)

    @property
    def energy_change(self) -> Floats:
        """(n,) <f|H|f> - <i|H|i>."""
        return self.column("energy_change")

    @property
    def work(self) -> Floats:
        """(n,) work on the system: energy change minus all heat."""
        return self.column("work")

    @property
    def closing_energy(self) -> Floats:
        """(n,) what the closing measurement itself adds to the energy; part of the work."""
        return self.column("closing_energy")

    @property
    def entropy_production(self) -> Floats:
        """(n,) ln p_0(i) - ln p_tau(f) minus the sum of beta times heat, in k_B."""
        return self.column("entropy_production")

    @property
    def status(self) -> NDArray[np.uint8]:
        """(n,) 0 where the trajectory is sound."""
        return self.column("status")

    @property
    def final_state(self) -> NDArray[np.complex128]:
        """(n, d) ket before the closing measurement, if ``keep`` asked for it."""
        return self.column("final_state")

    def __getattr__(self, name: str) -> Array:
        """Further columns that a program may have, such as those of a load."""
        if name.startswith("_"):  # the store itself may be missing yet, as in a copy
            raise AttributeError(name)
        if name in self.columns:
            return self.column(name)
        raise AttributeError(f"there is no column or attribute {name!r}; the columns are {', '.join(self.columns)}")

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of all columns of one number per trajectory: ``"work"``, ``"heat:L"``, ``"counts:0"``, …"""
        names = []
        for f in self._store.plan.fields.columns:
            if not f.shape:
                names.append(f.name)
            elif f.name == "heat":
                names += [f"heat:{bath}" for bath in self.baths]
            elif len(f.shape) == 1 and np.dtype(f.dtype).kind != "c":
                names += [f"{f.name}:{i}" for i in range(f.shape[0])]
        return tuple(names)

    def values(self, quantity: "str | Callable[[Rows], Any]") -> Floats:
        """One number per trajectory.

        Parameters
        ----------
        quantity : str or callable
            One of `quantities`, or a bath's name for its heat, or a function of these rows:
            ``lambda rows: np.exp(-rows.entropy_production)``.

        Returns
        -------
        (n,) float
        """
        if callable(quantity):
            found = np.asarray(quantity(self), dtype=float)
            if found.shape != (len(self),):
                raise ValueError(
                    f"`quantity` must give one number for each of {len(self)} rows, but gave shape {found.shape}."
                )
            return found
        if quantity in self.baths:
            return self.heat[quantity]
        name, _, part = quantity.partition(":")
        if quantity not in self.quantities:
            raise ValueError(
                f"`quantity` must be one of {', '.join(self.quantities)}, or a function, but is {quantity!r}."
            )
        if name == "heat":
            return self.heat[part]
        column = self.column(name)
        return np.asarray(column[:, int(part)] if part else column, dtype=float)
