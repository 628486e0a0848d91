"""Detailed balance of thermal channels: refused where it is broken, reported where a user asks."""

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.channels import Channel
from collide.exact.process import Flow
from collide.operators import as_operator

BALANCE = 1e-8
UNDERFLOW = 600.0  # at T = 0, or beyond this entropy, a jump has no reverse that a double could hold
CLOSE = 10.0  # a secular equation wants frequency differences this many times the rates


@dataclass(frozen=True)
class BalanceReport:
    """What `LindbladModel.check` found: sentences, and whether all of them are good news."""

    ok: bool
    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.lines)


Key = tuple[str, float, float]
"""Bath, quantum and entropy of one jump."""


def _key(channel: Channel, sign: int = 1) -> Key:
    return channel.name, round(sign * channel.quantum, 9) + 0.0, round(sign * channel.surprise, 9) + 0.0


def _groups(channels: Sequence[Channel]) -> dict[Key, list[Channel]]:
    """Channels that have a reverse by bath, quantum and entropy, those with zero rate left out."""
    groups: dict[Key, list[Channel]] = {}
    for channel in channels:
        if channel.kind in {"thermal", "reversible"} and channel.rate > 0:
            groups.setdefault(_key(channel), []).append(channel)
    return groups


def _map(channels: Sequence[Channel], reverse: bool) -> Any:
    """sum rate L (x) L^* of a group, or of the adjoint operators."""
    total = None
    for channel in channels:
        L = as_operator(channel.op, "op")
        L = L.conj().T.tocsr() if reverse else L
        term = channel.rate * sp.kron(L, L.conj(), format="csr")
        total = term if total is None else total + term
    return total


def ratio_to_reverse(channels: Sequence[Channel], reverses: Sequence[Channel]) -> tuple[float, float]:
    """(r, error): the rates' ratio r of a group's map to its reverse's adjoint, and what is left over, relatively."""
    if len(channels) == len(reverses) == 1:
        ours, theirs = as_operator(channels[0].op, "op") * 1.0, as_operator(reverses[0].op, "op").conj().T.tocsr()
        weight = channels[0].rate, reverses[0].rate
        overlap = abs((ours.multiply(theirs.conj())).sum()) ** 2
        sizes = (abs(ours) ** 2).sum(), (abs(theirs) ** 2).sum()
        return float(weight[0] * sizes[0] / (weight[1] * sizes[1])), float(abs(1 - overlap / (sizes[0] * sizes[1])))
    forward, backward = _map(channels, False), _map(reverses, True)
    ratio = float((forward.multiply(backward.conj())).sum().real / (abs(backward) ** 2).sum())
    left = forward - ratio * backward
    return ratio, float(abs(left).max() / abs(forward).max()) if left.nnz else 0.0


def require_reverse(channels: Sequence[Channel]) -> None:
    """Refuse thermal and reversible channels whose reverse is missing or has the wrong rate.

    Raises
    ------
    ValueError
        One sentence with the bath, the quantum and the remedy.
    """
    groups = _groups(channels)
    checked: set[Key] = set()
    for key, group in groups.items():
        name, quantum, entropy = key
        if quantum == entropy == 0 or entropy > UNDERFLOW or key in checked:
            continue
        kind, expected = group[0].kind, group[0].surprise
        back = _key(group[0], -1)
        reverses = groups.get(back, [])
        checked.add(back)
        if not reverses:
            raise ValueError(
                f"the {kind} channel of bath {name!r} with quantum {quantum:g} has no reverse jump with quantum"
                f" {-quantum:g}{f' and entropy {-entropy:g}' if kind == 'reversible' else ''}: add it, or declare"
                " kind='irreversible'"
            )
        ratio, left = ratio_to_reverse(group, reverses)
        if left > BALANCE or abs(math.log(ratio) - expected) > BALANCE * max(1.0, abs(expected)):
            raise ValueError(
                f"the channels of bath {name!r} at quantum {quantum:g} break detailed balance:"
                f" {_implied(group[0], ratio)} (operators differ by {left:.2g}); correct the rates, or declare"
                " kind='irreversible'"
            )


def _implied(channel: Channel, ratio: float) -> str:
    """What the rates say instead of what the channel says."""
    if channel.kind == "thermal":
        return f"their rates imply beta = {-math.log(ratio) / channel.quantum:.6g} instead of {channel.beta:g}"
    return f"their rates imply an entropy of {math.log(ratio):.6g} instead of {channel.surprise:g}"


def report_balance(model: Any) -> BalanceReport:
    """Sentences on every pair of channels, on frequencies too close for the secular form, and on the steady state."""
    lines, ok = [], True
    groups = _groups(model.channels)
    for (name, quantum, entropy), group in groups.items():
        reverses = groups.get(_key(group[0], -1), [])
        if quantum == entropy == 0:
            lines.append(f"bath {name}: quantum 0 (dephasing), nothing to balance.")
        elif not reverses:
            lines.append(
                f"bath {name}: quantum {quantum:g} has no reverse (T = 0): entropy production is infinite after"
                " one jump."
            )
        elif quantum > 0:
            ratio, left = ratio_to_reverse(group, reverses)
            thermal = group[0].kind == "thermal"
            implied = (
                f"beta = {-math.log(ratio) / quantum:.10g}" if thermal else f"an entropy of {math.log(ratio):.10g}"
            )
            lines.append(
                f"bath {name}: quantum {quantum:g} obeys detailed balance, rates imply {implied}"
                f" (operators agree to {max(left, 1e-16):.1g})."
            )
    for channel in model.channels:
        if channel.kind == "irreversible":
            lines.append(
                f"bath {channel.name}: quantum {channel.quantum:g} is irreversible, entropy production is"
                " infinite after it."
            )
    loads = sorted({channel.name for channel in model.channels if channel.kind == "load"})
    lines += [f"load {name}: no reverse partner; its heat is an expectation value." for name in loads]
    close = _close_frequencies(model)
    ok = ok and not close
    lines += close
    steady = _steady_sentence(model)
    ok = ok and not steady.startswith("NOT")
    lines.append(steady)
    return BalanceReport(ok, tuple(lines))


def _close_frequencies(model: Any) -> list[str]:
    """A sentence for each bath with frequencies (0 among them) closer than `CLOSE` times the largest rate."""
    flow: Flow = model.process.elements[0]
    rate = max((float((abs(op) ** 2).sum(axis=0).max()) for op in flow.ops), default=0.0)
    lines = []
    for name in model.process.counts.baths:
        quanta = np.unique(
            [
                round(c.quantum, 9)
                for c in model.channels
                if c.name == name and c.kind != "load" and c.quantum >= 0 and c.rate > 0
            ]
        )
        gaps = np.diff(quanta)
        if len(gaps) and gaps.min() < CLOSE * rate:
            at = int(np.argmin(gaps))
            lines.append(
                f"bath {name}: frequencies {quanta[at]:g} and {quanta[at + 1]:g} lie {gaps[at]:.3g} apart, not far"
                f" above the rate {rate:.3g}: the secular (global) equation is doubtful there."
            )
    return lines


def _steady_sentence(model: Any) -> str:
    try:
        model.steady_state()
    except ValueError as error:
        return f"NOT unique: {error}"
    return "the steady state is unique."
