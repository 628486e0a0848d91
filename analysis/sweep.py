"""Exact parameter sweeps, in parallel, with a progress bar, into a labelled table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy as np

from .estimates import as_estimate
from .table import Table


def sweep(
    function: Callable[..., Any],
    grid: Mapping[str, Sequence[Any] | Any],
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    """Call a function on every point of a grid.

    Parameters
    ----------
    function : callable
        Called as ``function(**point)``; returns a number, an estimate, or a mapping of names to either.
    grid : mapping of str to sequence
        The values of each parameter; the last one varies fastest.  A single number is a parameter that stays fixed.
    workers : int, optional
        Threads (linear algebra releases the interpreter's lock); one by default.
    executor : concurrent.futures.Executor, optional
        Used instead of threads, for processes or a cluster; then `function` must be importable by the workers.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Table
        An estimate fills two columns, the second named ``<name>_error``.
    """
    axes = {name: np.atleast_1d(np.asarray(values)) for name, values in grid.items()}
    empty = [name for name, values in axes.items() if values.size == 0 or values.ndim != 1]
    if empty or not axes:
        raise ValueError(
            f"`grid` must give a list of at least one value for each parameter, but {empty or 'it'} is empty."
        )
    points = [dict(zip(axes, values, strict=True)) for values in product(*(a.tolist() for a in axes.values()))]
    rows = list(_bar(_results(function, points, workers, executor), len(points), progress))
    columns = {name: np.array([p[name] for p in points]) for name in axes}
    for name in dict.fromkeys(name for row in rows for name in row):
        columns[name] = np.array([row.get(name, np.nan) for row in rows])
    return Table(axes, columns)


def _results(
    function: Callable[..., Any], points: list[dict[str, Any]], workers: int | None, executor: Executor | None
) -> Iterator[dict[str, Any]]:
    if executor is None and (workers is None or workers <= 1):
        yield from (_call(function, point) for point in points)
    elif executor is not None:
        yield from executor.map(_call, [function] * len(points), points)
    else:
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(_call, [function] * len(points), points)


def _call(function: Callable[..., Any], point: dict[str, Any]) -> dict[str, Any]:
    try:
        result = function(**point)
    except Exception as error:
        error.add_note("The sweep stopped at " + ", ".join(f"{k} = {v!r}" for k, v in point.items()) + ".")
        raise
    named = result if isinstance(result, Mapping) else {getattr(function, "__name__", "value").strip("<>"): result}
    row: dict[str, Any] = {}
    for name, value in named.items():
        if name in point:
            raise ValueError(f"the function's result {name!r} has the name of a parameter: choose another.")
        if hasattr(value, "value") and hasattr(value, "error"):
            found = as_estimate(value)
            row[name], row[f"{name}_error"] = found.value, found.error
        else:
            row[name] = float(value) if isinstance(value, np.floating) else value
    return row


def _bar(rows: Iterator[dict[str, Any]], total: int, progress: bool) -> Iterator[dict[str, Any]]:
    if not progress:
        return rows
    from tqdm.auto import tqdm

    bar: Iterator[dict[str, Any]] = iter(tqdm(rows, total=total, unit="point", leave=False, disable=None))
    return bar
