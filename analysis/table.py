"""A small labelled table: named columns over a grid of parameters."""

from collections.abc import Iterator, Sequence
import csv
from dataclasses import dataclass
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import style


@dataclass(frozen=True)
class Table:
    """Results over a grid, one row per point.

    Attributes
    ----------
    axes : dict of str to (k,) array
        The grid, in the order in which it was walked (the last axis fastest).
    columns : dict of str to (rows,) array
        Every parameter and every result.
    """

    axes: dict[str, NDArray[Any]]
    columns: dict[str, NDArray[Any]]

    @property
    def results(self) -> tuple[str, ...]:
        """Names of the columns that are not parameters."""
        return tuple(name for name in self.columns if name not in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(a) for a in self.axes.values())

    def __len__(self) -> int:
        return int(np.prod(self.shape))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A result on the grid, shaped like it; a parameter as its axis."""
        if name in self.axes:
            return self.axes[name]
        if name not in self.columns:
            raise KeyError(f"unknown column {name!r}: there are {', '.join(map(repr, self.columns))}")
        return self.columns[name].reshape(self.shape)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each point as a dictionary."""
        for k in range(len(self)):
            yield {name: values[k].item() for name, values in self.columns.items()}

    def to_csv(self, path: str | Path | None = None) -> str:
        """Give comma-separated values with a header in full precision, and write them to `path` if given."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: repr(v) if isinstance(v, float) else v for k, v in row.items()} for row in self.rows())
        if path is not None:
            Path(path).write_text(text.getvalue(), encoding="utf-8")
        return text.getvalue()

    def to_pandas(self) -> Any:
        """A pandas DataFrame with the same columns."""
        try:
            import pandas
        except ImportError as error:
            raise ImportError("`to_pandas` needs pandas: install it, or use `to_csv`.") from error
        return pandas.DataFrame(self.columns)

    def plot(self, ax: Any = None, *, y: str | None = None, x: str | None = None) -> Any:
        """A result against one axis, one curve for each point of the others."""
        y = self.results[0] if y is None else y
        x = next(iter(self.axes)) if x is None else x
        ax = style.axes(ax)
        others = [name for name in self.axes if name != x]
        place = list(self.axes).index(x)
        curves = np.moveaxis(self[y], place, -1)
        for index in np.ndindex(*curves.shape[:-1]):
            label = ", ".join(f"{name} = {self.axes[name][i]:g}" for name, i in zip(others, index, strict=True))
            ax.plot(self.axes[x], curves[index], marker=".", label=label or None)
        ax.set(xlabel=x, ylabel=y)
        if others:
            ax.legend()
        return ax

    def __repr__(self) -> str:
        grid = " × ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        return f"Table of {grid}: {', '.join(self.results)}.\n{self}"

    def __str__(self) -> str:
        lines = [list(self.columns)]
        lines += [[_cell(v) for v in row.values()] for row in self.rows()]
        shown = lines if len(lines) <= 14 else [*lines[:8], ["…"] * len(lines[0]), *lines[-5:]]
        return _aligned(shown)


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    width = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(line, width, strict=True)) for line in lines)
