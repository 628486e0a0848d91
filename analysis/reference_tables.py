"""Reference tables: JSON files of numbers computed apart from the package, with a tolerance for each.

One file holds ``{"schema": 1, "paper": ..., "conventions": {...}, "entries": [...]}``; an entry holds ``system``,
``params``, ``quantity``, ``value``, ``tolerance: {"rel", "abs"}``, ``source`` and perhaps a ``note``.  ``sweep`` (one
parameter) and ``grid`` (two) among the parameters make the value a list in that order; "inf" and "-inf" are limits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import json
import math
from pathlib import Path
from typing import Any

SCHEMA = 1
KEYS = ("system", "params", "quantity", "value", "tolerance")


class TableError(ValueError):
    """A file is not a reference table of schema 1."""


@dataclass(frozen=True)
class Entry:
    """One number (or list, or dictionary of numbers) of a table.

    Attributes
    ----------
    table : str
        Stem of the file.
    index : int
        Position in the file, from 0.
    system, quantity : str
    params : dict
    value : number, list or dict
    rel, abs : float
    source : str
    """

    table: str
    index: int
    system: str
    quantity: str
    params: dict[str, Any]
    value: Any
    rel: float
    abs: float
    source: str

    @property
    def key(self) -> tuple[str, str]:
        """(system, quantity)."""
        return self.system, self.quantity

    def __str__(self) -> str:
        shown = ", ".join(f"{k}={v if not isinstance(v, Mapping) else dict(v)}" for k, v in self.params.items())
        return f"{self.table}[{self.index}] {self.system} {self.quantity}({shown})"


@dataclass(frozen=True)
class Deviation:
    """The worst difference between a value and its reference.

    Attributes
    ----------
    ok : bool
    absolute : float
        The difference.
    share : float
        Difference over tolerance: up to 1 is accepted.
    where : str
        Which element, empty for a plain number.
    """

    ok: bool
    absolute: float
    share: float
    where: str = ""


def load(path: str | Path) -> list[Entry]:
    """Read a table and check its form.

    Raises
    ------
    TableError
        With one sentence that names the file and what is wrong.
    """
    place = Path(path)
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableError(f"{place}: cannot be read ({error.strerror})") from error
    except json.JSONDecodeError as error:
        raise TableError(f"{place}: is not JSON ({error})") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = content.get("schema") if isinstance(content, dict) else None
        raise TableError(f"{place}: `schema` must be {SCHEMA}, but is {found!r}")
    if not isinstance(content.get("entries"), list):
        raise TableError(f"{place}: `entries` must be a list")
    return [_entry(place, index, raw) for index, raw in enumerate(content["entries"])]


def _entry(place: Path, index: int, raw: Any) -> Entry:
    missing = [key for key in KEYS if not isinstance(raw, dict) or key not in raw]
    if missing:
        raise TableError(f"{place}: entry {index} has no {missing[0]!r}")
    tolerance = raw["tolerance"]
    try:
        rel, least = float(tolerance["rel"]), float(tolerance["abs"])
    except (TypeError, KeyError, ValueError) as error:
        raise TableError(f"{place}: entry {index} needs tolerance {{rel, abs}}, but has {tolerance!r}") from error
    params = limits(raw["params"])
    for kind, count in (("sweep", 1), ("grid", 2)):
        if kind in params and not (isinstance(params[kind], dict) and len(params[kind]) == count):
            raise TableError(f"{place}: entry {index} needs {count} parameter(s) in `{kind}`, but has {params[kind]!r}")
    return Entry(
        place.stem,
        index,
        raw["system"],
        raw["quantity"],
        params,
        limits(raw["value"]),
        rel,
        least,
        str(raw.get("source", "")),
    )


def limits(value: Any) -> Any:
    """The same value with the strings "inf" and "-inf" turned into numbers, at any depth."""
    if isinstance(value, dict):
        return {key: limits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [limits(item) for item in value]
    return float(value) if value in ("inf", "-inf") else value


def points(params: Mapping[str, Any]) -> Any:
    """Parameters of every point: one mapping, a list of them (sweep), or a list of lists (grid, rows: second key)."""
    plain = {key: value for key, value in params.items() if key not in ("sweep", "grid")}
    if "sweep" in params:
        ((name, values),) = params["sweep"].items()
        return [plain | {name: v} for v in values]
    if "grid" in params:
        (column, columns), (row, rows) = params["grid"].items()
        return [[plain | {column: c, row: r} for c in columns] for r in rows]
    return plain


def evaluate(function: Callable[[Mapping[str, Any]], Any], params: Mapping[str, Any]) -> Any:
    """Value of a quantity in the shape of the table's: a function of one point, called on every point."""

    def at(point: Any) -> Any:
        return [at(p) for p in point] if isinstance(point, list) else function(point)

    return at(points(params))


def compare(found: Any, entry: Entry) -> Deviation:
    """Hold a value against an entry: |x - value| <= abs + rel |value|, element by element."""
    return _worst(found, entry.value, entry.rel, entry.abs, "")


def _worst(found: Any, value: Any, rel: float, least: float, where: str) -> Deviation:
    if isinstance(value, dict):
        if not isinstance(found, Mapping):
            return _shapeless(where, "a dictionary", found)
        if set(value) == {"n", "P"}:
            found, value = _on(value["n"], found), value["P"]
            return _worst(found, value, rel, least, where)
        # what a table does not list is not compared; what the package does not list does not happen
        pairs = [(found.get(key, 0.0), item, f"{where}[{key!r}]") for key, item in value.items()]
    elif isinstance(value, list):
        if not _is_sequence(found) or len(found) != len(value):
            return _shapeless(where, f"{len(value)} values", found)
        pairs = [(f, item, f"{where}[{k}]") for k, (f, item) in enumerate(zip(found, value, strict=True))]
    else:
        return _scalar(found, float(value), rel, least, where)
    return max(
        (_worst(f, item, rel, least, name) for f, item, name in pairs),
        key=lambda d: (not d.ok, d.share),
        default=Deviation(True, 0.0, 0.0),
    )


def _scalar(found: Any, value: float, rel: float, least: float, where: str) -> Deviation:
    try:
        x = float(found)
    except (TypeError, ValueError):
        return _shapeless(where, "a number", found)
    if math.isnan(x) or math.isnan(value):
        return Deviation(math.isnan(x) and math.isnan(value), math.nan, math.inf, where)
    if math.isinf(value) or math.isinf(x):
        return Deviation(x == value, 0.0 if x == value else math.inf, 0.0 if x == value else math.inf, where)
    difference, allowed = abs(x - value), least + rel * abs(value)
    share = difference / allowed if allowed > 0 else (0.0 if difference == 0 else math.inf)
    return Deviation(difference <= allowed, difference, share, where)


def _on(n: Sequence[int], found: Mapping[str, Any]) -> list[float]:
    """Probabilities at the listed counts; outside the window that was computed they vanish to rounding."""
    known = dict(zip((int(k) for k in found["n"]), (float(p) for p in found["P"]), strict=True))
    return [known.get(int(k), 0.0) for k in n]


def _is_sequence(value: Any) -> bool:
    return hasattr(value, "__len__") and hasattr(value, "__getitem__") and not isinstance(value, str | Mapping)


def _shapeless(where: str, wanted: str, found: Any) -> Deviation:
    return Deviation(False, math.inf, math.inf, f"{where} (needs {wanted}, found {type(found).__name__})".strip())
