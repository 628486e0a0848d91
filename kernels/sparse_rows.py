"""Sparse matrices in real coordinates: their rows by the number of entries, so that no loop has to guess its end.

A row of H_eff has a handful of entries.  A processor that guesses wrong where the row ends loses more time than the row
takes; where one row after the other has the same length it never does.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .borrowed import inlined
from .lanes import fma, item, load, splat

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

GROUP = np.dtype(  # rows of one length
    [
        ("length", np.int64),  # entries of each of its rows
        ("first", np.int64),  # its rows, places in `row`
        ("end", np.int64),
        ("element", np.int64),  # place of its first entry
    ]
)
ELEMENT = np.dtype([("column", np.int64), ("value", np.float64)])


class SparseRows(NamedTuple):
    """Square matrices, one after the other; those of block b are the groups ``first[b]`` ... ``first[b + 1] - 1``.

    Attributes
    ----------
    first : (nb + 1,) int64
    group : (groups,) GROUP
    row : (rows,) int64
        Rows in the order of the groups, counted from the first one of their matrix.
    element : (entries,) ELEMENT
        Entries in that order.
    """

    first: Ints
    group: NDArray[np.void]
    row: Ints
    element: NDArray[np.void]


def real_entries(row: Ints, column: Ints, value: Complexes, parts: int) -> tuple[Ints, Ints, Floats]:
    """Nonzero entries of a matrix in real coordinates, by rows; `row` ascends."""
    if parts == 1:
        return row, column, np.ascontiguousarray(value.real)
    rows = (2 * row[:, None] + np.array([0, 0, 1, 1])).reshape(-1)
    columns = (2 * column[:, None] + np.array([0, 1, 0, 1])).reshape(-1)
    values = np.stack([value.real, -value.imag, value.imag, value.real], axis=1).reshape(-1)
    kept = np.flatnonzero(values)
    kept = kept[rows[kept].argsort(kind="stable")]
    return rows[kept], columns[kept], values[kept]


def sparse_rows(matrices: list[tuple[Ints, Ints, Complexes, int]], parts: int) -> SparseRows:
    """Matrices in real coordinates, each given by row, column and value of its entries and its number of rows.

    Rows ascend; every row of a matrix belongs to some group, be it empty.
    """
    rows, columns, values, sizes = zip(*matrices, strict=True)
    size = np.array(sizes)
    begin = size.cumsum() - size  # states before each matrix
    counts = [len(row) for row in rows]
    row = np.concatenate(rows) + begin.repeat(counts)
    row, column, value = real_entries(row, np.concatenate(columns), np.concatenate(values), parts)
    total = parts * int(size.sum())
    length = np.bincount(row, minlength=total)
    of = np.arange(len(size)).repeat(parts * size)  # matrix of each row
    key = of * (int(length.max(initial=0)) + 1) + length
    order = key.argsort(kind="stable")
    key = key[order]
    (first,) = np.append(total > 0, key[1:] != key[:-1]).nonzero() if total else (np.zeros(0, np.int64),)
    group = np.zeros(len(first), GROUP)
    group["length"], group["first"] = length[order[first]], first
    group["end"] = np.append(first[1:], total)[: len(first)]
    before = length[order].cumsum() - length[order]
    group["element"] = before[first]
    place = np.empty(total, np.int64)  # of each row among the others
    place[order] = np.arange(total)
    element = np.empty(len(row), ELEMENT)
    sorted_by_rows = place[row].argsort(kind="stable")
    element["column"], element["value"] = column[sorted_by_rows], value[sorted_by_rows]
    bounds = np.searchsorted(of[order[first]], np.arange(len(size) + 1))
    return SparseRows(bounds, group, order - parts * begin[of], element)


@inlined
def row_product(element: Any, e: int, length: int, state: Floats, offset: int) -> Any:
    """Return the row of `length` entries from e on, times sixteen vectors that begin at row `offset` of `state`."""
    x = splat(0.0)
    for _ in range(length):
        x = fma(splat(item(element, e).value), load(state, offset + item(element, e).column), x)
        e += 1
    return x
