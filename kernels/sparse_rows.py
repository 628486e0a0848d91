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
    groups, rows, elements = [np.zeros(0, GROUP)], [np.zeros(0, np.int64)], [np.zeros(0, ELEMENT)]
    first, at, held = [0], 0, 0
    for row, column, value, m in matrices:
        row, column, number = real_entries(row, column, value, parts)
        length = np.bincount(row, minlength=parts * m)
        order = length.argsort(kind="stable")
        of_length, count = np.unique(length, return_counts=True)
        group = np.zeros(len(of_length), GROUP)
        group["length"], group["end"] = of_length, at + np.cumsum(count)
        group["first"] = group["end"] - count
        group["element"] = held + np.cumsum(count * of_length) - count * of_length
        element = np.empty(len(row), ELEMENT)
        element["column"], element["value"] = column, number
        # entries are by rows already: those of the rows in their new order
        elements.append(element[length[row].argsort(kind="stable")])
        groups.append(group)
        rows.append(order)
        at, held = at + parts * m, held + len(row)
        first.append(first[-1] + len(group))
    return SparseRows(
        np.array(first), np.concatenate(groups), np.concatenate(rows).astype(np.int64), np.concatenate(elements)
    )


@inlined
def row_product(element: Any, e: int, length: int, state: Floats, offset: int) -> Any:
    """Return the row of `length` entries from e on, times sixteen vectors that begin at row `offset` of `state`."""
    x = splat(0.0)
    for _ in range(length):
        x = fma(splat(item(element, e).value), load(state, offset + item(element, e).column), x)
        e += 1
    return x
