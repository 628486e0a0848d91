"""What can be done with ensembles: bookkeeping around one pure function, ``run_chunk(program, seed, start, stop)``."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from secrets import randbits
from typing import Any, Literal

from collide.ensemble.arguments import Shard, check_target, check_workers, grid_of, integer
from collide.ensemble.drive import drive, temporary_store
from collide.ensemble.result import Ensemble
import collide.program as engine
from collide.records import CHUNK_SIZE, Grid
from collide.store import FileStore, MemoryStore, Plan, StoredProgram
from collide.store.pack import write_program_file
from collide.store.reading import damage, open_hdf5, read_program

Bar = bool | Literal["json"]
MEMORY_LIMIT = 256 << 20  # bytes of records that a run without a file keeps in memory


def run(
    model: Any,
    ntraj: int,
    tlist: Any,
    seed: int | None = None,
    *,
    initial: Any = "steady",
    closing: Any = None,
    e_ops: Mapping[str, Any] | Sequence[Any] | None = None,
    keep: Sequence[str] = ("totals",),
    labels: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    executor: Executor | None = None,
    threads: int | None = None,
    chunk_size: int = CHUNK_SIZE,
    shard: Shard | None = None,
    progress: Bar = True,
) -> Ensemble:
    """Run an ensemble of trajectories of a model.

    The same program, seed and ids give the same bits for any number of threads, processes and machines, and across any
    interruption, resume, extension or merge.

    Parameters
    ----------
    model : CollisionModel or LindbladModel
    ntraj : int
        Trajectories of the whole ensemble.
    tlist : float or (ntime,) array_like
        Times of the averages; the last one ends the trajectories.
    seed : int, optional
        From 0 to 2**64 - 1; drawn and written into the result if it is not given.
    initial, closing, e_ops, keep, labels : optional
        The protocol; see `collide.program.compile_program`.
    out : path, optional
        HDF5 file that is checkpoint and result.  Without it the records stay in memory, or in a temporary file that
        vanishes with the ensemble once they exceed 256 MB.
    overwrite, resume : bool
        What to do if `out` exists: replace it, or finish it if it is the same run.  By default it is an error.
    executor : concurrent.futures.Executor, optional
        Anything with `submit`: processes, MPI, Dask.  By default threads.
    threads : int, optional
        By default one for each core.
    chunk_size : int
        Trajectories in a chunk, the unit of work and of saving.
    shard : (int, int) or str, optional
        ``(i, n)`` or ``"i/n"``, i from 1 to n: run only the i-th of n parts, to be merged later.
    progress : bool
        A bar, if a person watches.

    Returns
    -------
    Ensemble

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong; before anything is run.
    FileExistsError
        If `out` exists and neither `overwrite` nor `resume` is given.
    KeyboardInterrupt
        After Ctrl-C: the chunks under way were finished and saved, and `collide.resume` goes on from there.
    """
    grid_of(ntraj, chunk_size, shard)  # refuse bad input before the model is compiled
    check_workers(executor, threads)
    if out is not None:
        check_target(out, overwrite=overwrite, resume=resume)
    chosen: dict[str, Any] = {} if labels is None else {"labels": labels}
    program = engine.compile_program(model, tlist, initial=initial, closing=closing, e_ops=e_ops, keep=keep, **chosen)
    return run_program(
        program,
        ntraj,
        seed,
        out=out,
        overwrite=overwrite,
        resume=resume,
        executor=executor,
        threads=threads,
        chunk_size=chunk_size,
        shard=shard,
        progress=progress,
    )


def run_program(
    program: Any,
    ntraj: int,
    seed: int | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    executor: Executor | None = None,
    threads: int | None = None,
    chunk_size: int = CHUNK_SIZE,
    shard: Shard | None = None,
    progress: Bar = False,
) -> Ensemble:
    """Run an ensemble of a compiled program; the parameters are those of `run`."""
    grid = grid_of(ntraj, chunk_size, shard)
    check_workers(executor, threads)
    if overwrite and resume:
        raise ValueError("`overwrite` and `resume` exclude each other: give one of the two.")
    if out is not None and resume and Path(out).exists():
        return _take_up(Path(out), program, seed, grid, executor, threads, progress)
    plan = Plan.of(program, randbits(64) if seed is None else integer("seed", seed), grid)
    store: Any
    if out is not None:
        store = FileStore.create(Path(out), plan, overwrite=overwrite)
    elif plan.nbytes > MEMORY_LIMIT:
        store = temporary_store(plan)
    else:
        store = MemoryStore(plan)
    return Ensemble(drive(program, store, executor, threads, progress, MEMORY_LIMIT), program)


def _take_up(
    path: Path,
    program: Any,
    seed: int | None,
    grid: Grid,
    executor: Executor | None,
    threads: int | None,
    progress: Bar,
) -> Ensemble:
    """Go on with a file if it is this very run."""
    store = FileStore.load(path)
    mine = Plan.of(program, store.plan.seed if seed is None else integer("seed", seed), grid)
    differences = mine.differences(store.plan, ("this call", str(path)))
    if not differences and (grid.first, grid.last) != (store.plan.grid.first, store.plan.grid.last):
        differences = ["the shard is another one"]
    if differences:
        raise ValueError(
            f"{path} holds another run: {'; '.join(differences)}. Choose another name, or allow to overwrite it."
        )
    return resume(path, executor=executor, threads=threads, progress=progress)


def resume(
    path: str | Path, *, executor: Executor | None = None, threads: int | None = None, progress: Bar = True
) -> Ensemble:
    """Finish an interrupted run: its file holds all that is needed.

    Chunks whose bytes do not match their checksums are run again.  Nothing happens to a complete file.

    Parameters
    ----------
    path : path
    executor, threads, progress : optional
        As in `run`; they do not change a bit of the result.

    Returns
    -------
    Ensemble
    """
    check_workers(executor, threads)
    store = _rewritable(Path(path))
    return Ensemble(drive(_program_of(store.plan.program), store, executor, threads, progress))


def extend(
    path: str | Path,
    ntraj: int,
    *,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: Bar = True,
) -> Ensemble:
    """Add trajectories to a file, up to `ntraj` of them: the bits of a run of `ntraj` at once.

    The last chunk is run again if it was not a full one, because its averages are summed over the whole chunk.

    Parameters
    ----------
    path : path
    ntraj : int
        Trajectories that the ensemble will have, not how many to add.
    executor, threads, progress : optional
        As in `run`.

    Returns
    -------
    Ensemble
    """
    check_workers(executor, threads)
    path = Path(path)
    old = FileStore.load(path)
    grid, ntraj = old.plan.grid, integer("ntraj", ntraj)
    if not grid.whole:
        raise ValueError(f"{path} is a shard: merge the shards, then extend the whole.")
    if ntraj < grid.ntraj:
        raise ValueError(f"`ntraj` must be at least the {grid.ntraj} that {path} has, but is {ntraj}.")
    if ntraj == grid.ntraj:
        return resume(path, executor=executor, threads=threads, progress=progress)
    plan = Plan(old.plan.program, old.plan.fields, old.plan.seed, Grid(ntraj, grid.size), old.plan.tlist)
    store = FileStore.rebuild(path, plan)
    return Ensemble(drive(_program_of(plan.program), store, executor, threads, progress))


def load(path: str | Path) -> Ensemble:
    """Read an ensemble; of an unfinished one, or one that is being written, the chunks finished so far."""
    return Ensemble(FileStore.load(Path(path)))


def save_program(program: Any, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a compiled program to a file, to be run elsewhere (`collide run FILE`)."""
    write_program_file(Path(path), StoredProgram.of(program), overwrite=overwrite)


def load_program(path: str | Path) -> Any:
    """The compiled program in a file, be it one of `save_program` or an ensemble."""
    with open_hdf5(Path(path)) as file, damage(Path(path)):
        stored = read_program(file)
    return _program_of(stored)


def _program_of(stored: StoredProgram) -> Any:
    program = engine.Program.from_arrays(stored.kind, stored.arrays, stored.meta, stored.model)
    if program.identity != stored.identity:
        raise ValueError(
            f"the stored program has identity {program.identity[:12]}, but was written as {stored.identity[:12]}: "
            "the file is damaged, or was written by another version of collide."
        )
    return program


def _rewritable(path: Path) -> FileStore:
    """The file open for commits; one in its final form in which chunks turned out damaged is laid out anew first."""
    store = FileStore.writer(path)
    if store.final and not store.done.all():
        plan = store.plan
        store.close()
        return FileStore.rebuild(path, plan)
    return store
