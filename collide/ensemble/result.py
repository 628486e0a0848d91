"""What a run gives back: the ensemble, read from its store when it is asked for, never whole at once."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collide.ensemble import statistics
from collide.ensemble.containers import to_pandas, to_xarray
from collide.ensemble.estimates import Estimate, jackknife
from collide.ensemble.rows import Interval, Rows
from collide.ensemble.summary import summary
import collide.program as engine
from collide.records import ROW_SIZE, Array, Chunk, fold
from collide.store import FileStore, Plan, write_packed

Floats = NDArray[np.float64]
BLOCK = 1 << 16  # rows that a streaming statistic reads at once


class Ensemble(Rows):
    """Trajectories and their totals; made by `collide.run` or `collide.load`.

    Of an unfinished run only the finished chunks are here.  Columns (``ens.work``, ``ens.heat["L"]``) are read in full
    when they are asked for; the statistics (`mean`, `variance`, `covariance`, `quantiles`, `histogram`) stream.

    Parameters
    ----------
    store : MemoryStore or FileStore
    program : Program, optional
        If the caller has it at hand; else it is taken from the store.
    """

    def __init__(self, store: Any, program: Any = None) -> None:
        super().__init__(store, finished_rows(store))
        self._program = program

    # -- what was run

    @property
    def plan(self) -> Plan:
        """Program, seed, chunks and fields: everything that decides the bits."""
        plan: Plan = self._store.plan
        return plan

    @property
    def nbytes(self) -> int:
        """Bytes of all records, in memory or on the disk."""
        return int(self._store.nbytes)

    @property
    def program(self) -> Any:
        """The compiled program."""
        if self._program is None:
            stored = self._store.plan.program
            self._program = engine.Program.from_arrays(stored.kind, stored.arrays, stored.meta, stored.model)
        return self._program

    @property
    def recipe(self) -> dict[str, Any]:
        """Machine name and parameters, as far as the model told them."""
        return dict(self._store.plan.program.meta.get("recipe", {}))

    @property
    def seed(self) -> int:
        """Seed of the random numbers; those of trajectory k are a function of (seed, k)."""
        return int(self._store.plan.seed)

    @property
    def ntraj(self) -> int:
        """Trajectories that are here."""
        return len(self)

    @property
    def planned(self) -> int:
        """Trajectories that will be here when the run is complete."""
        return int(self._store.plan.grid.rows)

    @property
    def complete(self) -> bool:
        """Whether every planned trajectory is here."""
        return self.ntraj == self.planned

    @property
    def tlist(self) -> Floats:
        """(ntime,) times of the averages; the last one is the end."""
        return np.asarray(self._store.plan.tlist)

    @property
    def path(self) -> Path | None:
        """File of the ensemble, None if it is in memory."""
        return getattr(self._store, "path", None)

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions of what computed it, and how long that took; nothing about the host."""
        header = getattr(self._store, "header", None)
        known: dict[str, Any] = dict(header.provenance) if header else {}
        return known | {"wall_time": self._store.wall_time(), "worker_time": float(self._store.seconds().sum())}

    def digest(self) -> str:
        """Sixteen hexadecimal digits that agree for two ensembles whose data agree bit for bit."""
        sums = self._store.checksums()
        state = f"{self._store.plan.program.identity} {self.seed} {self._store.plan.grid.size}".encode()
        return short_hash(state + sums.astype("<u4").tobytes() + self._store.done.tobytes())

    def damaged(self) -> list[int]:
        """Numbers of the chunks in the file whose bytes do not match their checksums; `collide.resume` repeats them."""
        return self._store.damaged() if self.path is not None else []

    # -- pieces

    def blocks(self, rows: int = BLOCK) -> Iterator[Rows]:
        """The ensemble in pieces of at most `rows` trajectories, with the same columns, in the order of the ids."""
        for start, stop in self._intervals:
            for begin in range(start, stop, rows):
                yield Rows(self._store, [(begin, min(begin + rows, stop))])

    def chunks(self) -> Iterator[Chunk]:
        """The finished chunks with all their records, in the order of the ids."""
        for k in np.flatnonzero(self._store.done):
            yield self._store.chunk(int(k))

    @property
    def row_size(self) -> NDArray[np.int64]:
        """(n,) number of recorded events of each trajectory, if ``keep`` asked for jumps."""
        return self.column(ROW_SIZE)

    def events(self, name: str) -> Array:
        """A flat column of recorded events, trajectory after trajectory: ``jump_time``, ``jump_channel``."""
        known = [f.name for f in self._store.plan.fields.ragged]
        if name not in known:
            there = f"there are {', '.join(known)}" if known else 'run with `keep=("totals", "jumps")`'
            raise ValueError(f"there are no events called {name!r}: {there}.")
        pieces = [self._store.ragged(int(k))[name] for k in np.flatnonzero(self._store.done)]
        return np.concatenate(pieces) if pieces else np.zeros(0)

    @property
    def jump_time(self) -> Floats:
        """(sum(row_size),) times of all recorded jumps."""
        return self.events("jump_time")

    @property
    def jump_channel(self) -> NDArray[np.int32]:
        """(sum(row_size),) channels of all recorded jumps."""
        return self.events("jump_channel")

    def replay(self, trajectory: int, times: ArrayLike | None = None) -> engine.Path:
        """The full path of one trajectory: times, states, energies, jumps; its totals are those of its row.

        Parameters
        ----------
        trajectory : int
            Its number, from 0.
        times : (n,) array_like, optional
            Jumps only: when to look.
        """
        ntraj = self._store.plan.grid.ntraj
        if not 0 <= trajectory < ntraj:
            raise ValueError(f"`trajectory` must be from 0 to {ntraj - 1}, but is {trajectory}.")
        return engine.replay(self.program, self.seed, int(trajectory), times)

    # -- statistics of columns, streaming

    def _stream(self, quantity: "str | Callable[[Rows], Any]") -> Callable[[], Iterator[Floats]]:
        return lambda: (block.values(quantity) for block in self.blocks())

    def mean(self, quantity: "str | Callable[[Rows], Any]") -> Estimate:
        """Mean and standard error of one of `quantities`, or of a function of rows.

        Examples
        --------
        ``ens.mean("heat:L")``; ``ens.mean(lambda rows: np.exp(-rows.entropy_production))``.
        """
        return statistics.mean(self._stream(quantity))

    def variance(self, quantity: "str | Callable[[Rows], Any]") -> Estimate:
        """Unbiased variance and its standard error."""
        return statistics.variance(self._stream(quantity))

    def covariance(self, a: "str | Callable[[Rows], Any]", b: "str | Callable[[Rows], Any]") -> Estimate:
        """Unbiased covariance of two quantities and its standard error."""
        return statistics.covariance(self._stream(a), self._stream(b))

    def quantiles(self, quantity: "str | Callable[[Rows], Any]", q: ArrayLike) -> Floats:
        """Exact quantiles, linear between order statistics like `numpy.quantile`."""
        return statistics.quantiles(self._stream(quantity), q)

    def histogram(
        self,
        quantity: "str | Callable[[Rows], Any]",
        bins: "int | Sequence[float] | Floats" = 50,
        range: tuple[float, float] | None = None,
    ) -> tuple[NDArray[np.int64], Floats]:
        """Counts and edges like `numpy.histogram`; values that are not finite are left out."""
        return statistics.histogram(self._stream(quantity), bins, range)

    # -- averages over time, from the partial sums

    def _sums(self, name: str) -> Array:
        """(nchunks, ...) partial sums, one per finished chunk."""
        if self._store.plan.fields.partial(name) is None:
            raise KeyError(f"this ensemble has no averages called {name!r}")
        return np.array(list(self._store.partials(name)))

    def _sizes(self) -> NDArray[np.int64]:
        grid = self._store.plan.grid
        bounds = [grid.bounds(grid.first + int(k)) for k in np.flatnonzero(self._store.done)]
        return np.array([stop - start for start, stop in bounds], dtype=np.int64)

    @property
    def expect(self) -> dict[str, Estimate]:
        """Averages of the `e_ops` on `tlist` with standard errors, each of shape (ntime,), by name."""
        names = self._store.plan.coords["e_op"]
        if not names:
            return {}
        n = len(self)
        first, second = np.moveaxis(fold(self._store.partials("expect_sum")), -1, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            error = (
                np.sqrt(np.maximum(second - first**2 / n, 0.0) / (n - 1) / n) if n > 1 else np.full_like(first, np.nan)
            )
        return {name: Estimate(first[:, j] / n, error[:, j]) for j, name in enumerate(names)}

    @property
    def average_state(self) -> NDArray[np.complex128]:
        """(ntime, d, d) averaged density matrix on `tlist`, where it is small enough to be kept."""
        return np.asarray(fold(self._store.partials("rho_sum")) / len(self))

    def heat_moments(self, t: float | None = None) -> dict[str, Estimate]:
        """First four cumulants of the heat that each bath has given up to time t.

        Unbiased estimates; the errors of mean and variance follow from the power sums, those of the third and fourth
        cumulant from leaving out one chunk at a time (nan for fewer than two chunks, rough for fewer than about ten).

        Parameters
        ----------
        t : float, optional
            A time on `tlist`; all of them by default.

        Returns
        -------
        dict of Estimate
            By bath: values and errors of shape (4,), or (ntime, 4) for all times; energy to the power 1 to 4.
        """
        sums, sizes = self._sums("heat_power_sums")[:, self._stops(t)], self._sizes()
        total, n = fold(sums), int(sizes.sum())
        value = statistics.cumulants(n, total)
        left_out = statistics.cumulants((n - sizes).reshape(-1, *(1,) * (total.ndim - 1)), total - sums)
        error, _ = jackknife(value, left_out, sizes)
        error[..., :2] = statistics.cumulant_errors(n, total)
        return {bath: Estimate(value[..., b, :], error[..., b, :]) for b, bath in enumerate(self.baths)}

    def heat_covariance(self, t: float | None = None) -> dict[tuple[str, str], Estimate]:
        """Covariances of the heats of two baths up to time t (default: all times), with errors by the jackknife."""
        stops, sizes = self._stops(t), self._sizes()
        products, powers = self._sums("heat_pair_sums")[:, stops], self._sums("heat_power_sums")[:, stops]
        n = int(sizes.sum())
        pairs = [(a, b) for a in range(len(self.baths)) for b in range(a + 1, len(self.baths))]
        found = {}
        for p, (a, b) in enumerate(pairs):
            sums = np.stack([products[..., p], powers[..., a, 0], powers[..., b, 0]], axis=-1)
            total = fold(sums)
            value = statistics.covariance_of_sums(n, total)
            left_out = statistics.covariance_of_sums((n - sizes).reshape(-1, *(1,) * (total.ndim - 1)), total - sums)
            found[self.baths[a], self.baths[b]] = Estimate(value, jackknife(value, left_out, sizes)[0])
        return found

    def _stops(self, t: float | None) -> Any:
        if t is None:
            return slice(None)
        nearest = int(np.argmin(np.abs(self.tlist - t)))
        if not np.isclose(self.tlist[nearest], t, rtol=1e-9, atol=1e-12):
            raise ValueError(f"`t` must be on `tlist`, but is {t}; the nearest time there is {self.tlist[nearest]}.")
        return nearest

    # -- elsewhere

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with one row per trajectory, indexed by its id, and one column per quantity."""
        return to_pandas(self)

    def to_xarray(self) -> Any:
        """An `xarray.Dataset` of columns, averages with errors, and events; the file itself opens in xarray as well."""
        return to_xarray(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> "Ensemble":
        """Write the complete ensemble to a compressed file, and return it as read from there."""
        if not self.complete:
            raise ValueError(
                f"{self.planned - self.ntraj} of {self.planned} trajectories are missing: resume the run first."
            )
        sources = [(self._store, k) for k in range(len(self._store.done))]
        names = self._store.header.names if self.path is not None else None
        wall = self._store.wall_time()
        write_packed(Path(path), self._store.plan, sources, wall_time=wall, names=names, overwrite=overwrite)
        return Ensemble(FileStore.load(Path(path)), self._program)

    def __repr__(self) -> str:
        return summary(self)


def finished_rows(store: Any) -> list[Interval]:
    """Runs of rows whose chunks are done."""
    intervals: list[Interval] = []
    grid = store.plan.grid
    for k in np.flatnonzero(store.done):
        start, stop = grid.row_bounds(grid.first + int(k))
        if intervals and intervals[-1][1] == start:
            intervals[-1] = (intervals[-1][0], stop)
        else:
            intervals.append((start, stop))
    return intervals


def short_hash(data: bytes) -> str:
    """Short hash for people to compare."""
    return sha256(data).hexdigest()[:16]
