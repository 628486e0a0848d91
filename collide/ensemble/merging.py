"""Shards put together, and complete files compressed."""

from collections.abc import Sequence
from pathlib import Path
import warnings

from collide.ensemble.result import Ensemble
from collide.records import Grid
from collide.store import FileStore, Plan, copy_chunks, write_packed
from collide.store.pack import Sources


def merge(paths: Sequence[str | Path], out: str | Path, *, overwrite: bool = False) -> Ensemble:
    """Put the shards of an ensemble together, in any order, into one compressed file.

    If chunks are missing, because a job failed, the file is one that `resume` can complete.

    Parameters
    ----------
    paths : sequence of paths
        Files of the same program, seed, `ntraj` and chunk size, with different trajectories.
    out : path
    overwrite : bool
        Replace `out` if it exists.

    Returns
    -------
    Ensemble

    Raises
    ------
    ValueError
        If the files are not pieces of one ensemble; the sentence says in what they differ.
    """
    stores = [FileStore.load(Path(p)) for p in paths]
    if not stores:
        raise ValueError("`paths` must name at least one file to merge, but is empty.")
    if Path(out).resolve() in {s.path.resolve() for s in stores}:
        raise ValueError(f"`out` must be another file than those to merge, but is {out}.")
    plan = _common_plan(stores)
    sources = _pieces(stores)
    if len(sources) == plan.grid.total:
        ordered: Sources = [sources[k] for k in range(plan.grid.total)]
        write_packed(Path(out), plan, ordered, wall_time=sum(s.wall_time() for s in stores), overwrite=overwrite)
        return Ensemble(FileStore.load(Path(out)))
    store = FileStore.create(Path(out), plan, overwrite=overwrite)
    try:
        for source in stores:
            copy_chunks(source, store)
        store.finish(sum(s.wall_time() for s in stores))
    finally:
        store.close()
    start, stop = plan.grid.bounds(next(k for k in range(plan.grid.total) if k not in sources))
    warnings.warn(
        f"{plan.grid.total - len(sources)} of {plan.grid.total} chunks are in none of the files (first: trajectories "
        f"{start} to {stop - 1}): `collide resume {out}` runs them.",
        stacklevel=2,
    )
    return Ensemble(store)


def pack(path: str | Path, out: str | Path | None = None, *, overwrite: bool = False) -> Ensemble:
    """Compress a complete file, in place by default."""
    path = Path(path)
    target = path if out is None else Path(out)
    ensemble = Ensemble(FileStore.load(path))
    return ensemble.save(target, overwrite=overwrite or target == path)


def _common_plan(stores: Sequence[FileStore]) -> Plan:
    first = stores[0]
    for other in stores[1:]:
        differences = first.plan.differences(other.plan, (str(first.path), str(other.path)))
        if differences:
            raise ValueError(f"{first.path} and {other.path} are not parts of one ensemble: {'; '.join(differences)}.")
    grid = first.plan.grid
    return Plan(first.plan.program, first.plan.fields, first.plan.seed, Grid(grid.ntraj, grid.size), first.plan.tlist)


def _pieces(stores: Sequence[FileStore]) -> dict[int, tuple[FileStore, int]]:
    """Where each finished chunk of the whole ensemble lies."""
    found: dict[int, tuple[FileStore, int]] = {}
    for store in stores:
        for k in range(len(store.done)):
            number = store.plan.grid.first + k
            if not store.done[k]:
                continue
            if number in found:
                start, stop = store.plan.grid.bounds(number)
                both = f"{found[number][0].path} and {store.path}"
                raise ValueError(f"trajectories {start} to {stop - 1} are in both {both}: leave one of them out.")
            found[number] = (store, k)
    return found
