"""One dissipative channel of a Lindblad equation, and the rows of counts that a list of channels makes."""

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Any

import numpy as np

from collide.baths import Bath
from collide.exact.process import CountTable, Flow, Load, Sparse
from collide.operators import as_hermitian, as_operator

KINDS = ("thermal", "reversible", "irreversible", "load")
SAME_QUANTUM = 1e-9


@dataclass(frozen=True, eq=False)
class Channel:
    """A jump operator with its rate and what one jump exchanges.

    Parameters
    ----------
    op : (d, d) operator
        L; the dissipator is ``rate (L rho L^dagger - {L^dagger L, rho}/2)``.
    rate : float
        >= 0.
    quantum : float
        Heat into the system at one jump (0 for a load).
    bath : Bath or str
        Where the heat comes from; a name is enough unless the channel is thermal.
    kind : {"thermal", "reversible", "irreversible", "load"}
        thermal: paired with its reverse by detailed balance, entropy -beta * quantum.  reversible: paired with its
        reverse, `entropy` says at which ratio of rates.  irreversible: a definite quantum but no reverse, entropy +inf.
        load: no definite quantum; its heat is the change of `energy`, by expectation.
    energy : (d, d) operator, optional
        Energy operator of a load: its mean heat is Tr[energy D rho].
    charge : int, optional
        What a jump adds to the net quanta of its bath; by default the sign of `quantum`.
    entropy : float, optional
        Of a reversible channel: entropy of the surroundings at one jump, the logarithm of its rate over its reverse's.
    """

    op: Any
    rate: float
    quantum: float
    bath: Bath | str
    kind: str = "thermal"
    energy: Any = None
    charge: int | None = None
    entropy: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"`kind` of a channel must be one of {KINDS}, but is {self.kind!r}")
        if not (self.rate >= 0 and math.isfinite(self.rate)):
            raise ValueError(f"`rate` of a channel of bath {self.name!r} must be finite and >= 0, but is {self.rate}")
        if not math.isfinite(self.quantum):
            raise ValueError(f"`quantum` of a channel of bath {self.name!r} must be finite, but is {self.quantum}")
        if self.kind == "thermal" and not isinstance(self.bath, Bath):
            raise ValueError(f"a thermal channel needs a Bath with a temperature, but `bath` is {self.bath!r}")
        if self.kind == "load" and self.energy is None:
            raise ValueError(f"load channel of {self.name!r} needs `energy`, the operator whose change is its heat")
        if (self.kind == "reversible") != (self.entropy is not None):
            raise ValueError(
                f"`entropy` belongs to kind='reversible' and must be given there, but the channel of bath {self.name!r}"
                f" has kind={self.kind!r} and entropy={self.entropy}"
            )

    @property
    def name(self) -> str:
        """Name of the bath."""
        return self.bath.name if isinstance(self.bath, Bath) else self.bath

    @property
    def beta(self) -> float:
        """Inverse temperature; nan where the bath has none."""
        return self.bath.beta if isinstance(self.bath, Bath) and self.kind in {"thermal", "irreversible"} else math.nan

    @property
    def surprise(self) -> float:
        """Entropy of one jump: -beta * quantum, the one given, +inf without reverse, 0 for a load."""
        if self.kind == "thermal":
            return -self.beta * self.quantum if self.quantum else 0.0  # 0 without heat even at T = 0
        if self.kind == "reversible":
            assert self.entropy is not None
            return self.entropy
        return math.inf if self.kind == "irreversible" else 0.0

    @property
    def counted_charge(self) -> int:
        """`charge`, or the sign of the quantum."""
        return int(np.sign(self.quantum)) if self.charge is None else int(self.charge)


def _equal(known: float, value: float) -> bool:
    return known == value or abs(known - value) <= SAME_QUANTUM * max(1.0, abs(value))


class CountBook:
    """Collects the rows (bath, heat, charge, entropy) of a `CountTable` in the order in which they are met."""

    def __init__(self) -> None:
        self.baths: dict[str, float] = {}
        self.rows: list[tuple[int, float, int, float]] = []
        self._alike: dict[tuple[int, int], list[int]] = {}  # rows by bath and charge: a global equation has hundreds

    def bath(self, name: str, beta: float) -> int:
        """Index of a bath, added if new; one name cannot stand for two temperatures."""
        known = self.baths.setdefault(name, beta)
        if known != beta and not (math.isnan(known) and math.isnan(beta)):
            raise ValueError(f"bath {name!r} appears with beta = {known:g} and with beta = {beta:g}: name them apart")
        return list(self.baths).index(name)

    def row(self, bath: int, heat: float, charge: int, entropy: float) -> int:
        """Index of the row; -1 where there is nothing to count."""
        if heat == 0 and charge == 0:
            return -1
        alike = self._alike.setdefault((bath, charge), [])
        for index in alike:
            _, known_heat, _, known_entropy = self.rows[index]
            if _equal(known_heat, heat) and _equal(known_entropy, entropy):
                return index
        alike.append(len(self.rows))
        self.rows.append((bath, heat, charge, entropy))
        return len(self.rows) - 1

    def thermal_row(self, bath: int, beta: float, heat: float, charge: int) -> int:
        """Row of a thermal exchange: entropy -beta heat, and 0 without heat even at T = 0."""
        return self.row(bath, heat, charge, -beta * heat if heat else 0.0)

    def table(self) -> CountTable:
        """The finished table."""
        columns: list[Any] = list(zip(*self.rows, strict=True)) if self.rows else [[], [], [], []]
        return CountTable(
            baths=tuple(self.baths),
            beta=np.array(list(self.baths.values()), dtype=float),
            bath=np.array(columns[0], dtype=np.int64),
            quantum=np.array(columns[1], dtype=float),
            charge=np.array(columns[2], dtype=np.int64),
            entropy=np.array(columns[3], dtype=float),
        )


@dataclass(frozen=True)
class BookedChannels:
    """A list of channels as a `Flow` needs it: operators with rates inside, counts per bath slot, loads."""

    ops: tuple[Sparse, ...]
    rows: tuple[tuple[int, int], ...]
    load: tuple[int, ...]
    loads: tuple[Load, ...]

    def flow(self, H: Sparse, nbaths: int, duration: float | None) -> Flow:
        """The Lindblad evolution under these channels."""
        counts = np.full((len(self.ops), nbaths), -1, dtype=np.int64)
        for channel, (bath, row) in enumerate(self.rows):
            counts[channel, bath] = row
        return Flow(H, self.ops, counts, np.array(self.load, dtype=np.int64), duration)


def book_channels(channels: Sequence[Channel], d: int, book: CountBook) -> BookedChannels:
    """Enter channels into the book; those with zero rate are left out, their bath is not."""
    ops, rows, load = [], [], []
    loads: dict[str, Load] = {}
    for position, channel in enumerate(channels):
        op = as_operator(channel.op, f"channels[{position}].op", d)
        bath = book.bath(channel.name, channel.beta)
        if channel.kind == "load" and channel.name not in loads:
            loads[channel.name] = Load(bath, as_hermitian(channel.energy, f"channels[{position}].energy", d))
        if channel.rate == 0 or op.nnz == 0:
            continue
        ops.append(op * math.sqrt(channel.rate))
        rows.append((bath, _row(channel, bath, book)))
        load.append(list(loads).index(channel.name) if channel.kind == "load" else -1)
    return BookedChannels(tuple(ops), tuple(rows), tuple(load), tuple(loads.values()))


def _row(channel: Channel, bath: int, book: CountBook) -> int:
    heat = 0.0 if channel.kind == "load" else channel.quantum
    return book.row(bath, heat, channel.counted_charge, channel.surprise)
