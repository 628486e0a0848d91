"""From an ancilla's moments to the channels of the Lindblad equation that repeated weak collisions tend to."""

from typing import Any

import numpy as np

from collide.baths import Ancilla, Bath
from collide.channels import Channel
from collide.exact.process import Complexes, embed
from collide.exchange import excitation_numbers

FIRST_MOMENT = 1e-12
SMALLEST = 1e-14


def weak_channels(
    bath: Bath | str, coupling: Complexes, ancilla: Ancilla, rate: float, sites: tuple[int, ...], dims: tuple[int, ...]
) -> list[Channel]:
    """Channels of one collision for tau -> 0: minimal operators for each heat value, embedded in the whole space.

    Raises
    ------
    ValueError
        If the ancilla's mean coupling does not vanish.
    """
    amplitudes = _ladder_amplitudes(coupling, ancilla) if ancilla.ladder else _finite_amplitudes(coupling, ancilla)
    name = bath.name if isinstance(bath, Bath) else bath
    channels = []
    for heat, operators, weights, mean in amplitudes:
        if np.abs(mean).max() > FIRST_MOMENT:
            raise ValueError(
                f"bath {name!r} has no Lindblad limit: its ancilla's mean coupling is not zero"
                f" ({np.abs(mean).max():.3g}), so the"
                " first order grows like tau^(-1/2); move that mean into `H`"
            )
        charge = int(ancilla.charge(np.array([heat]))[0]) if heat else 0
        for op, weight in _minimal(operators, weights):
            channels.append(Channel(embed(op, sites, dims), rate * weight, heat, bath, charge=charge))
    return channels


def _ladder_amplitudes(s: Complexes, ancilla: Ancilla) -> list[tuple[float, list[Any], list[float], Any]]:
    """Emission s with weight 1 + n and absorption s^dagger with weight n, n the mean occupation of the oscillator."""
    excitation_numbers(s)  # refuses what cannot be exchanged
    omega = float(ancilla.energies[1])
    n = float(np.arange(len(ancilla)) @ ancilla.populations)
    zero = np.zeros_like(s)
    return [(-omega, [s], [1 + n], zero), (omega, [s.conj().T], [n], zero)]


def _finite_amplitudes(coupling: Complexes, ancilla: Ancilla) -> list[tuple[float, list[Any], list[float], Any]]:
    """Operators <m|V|n> with weights p_n, grouped by heat; the mean of those with n = m is the first moment."""
    a = len(ancilla)
    k = len(coupling) // a
    V = coupling.reshape(k, a, k, a)
    groups: dict[float, tuple[list[Any], list[float], Any]] = {}
    for n in range(a):
        for m in range(a):
            op = V[:, m, :, n]
            if ancilla.populations[n] == 0 or np.abs(op).max() < SMALLEST:
                continue
            heat = round(float(ancilla.energies[n] - ancilla.energies[m]), 12)
            operators, weights, mean = groups.setdefault(heat, ([], [], np.zeros((k, k), dtype=complex)))
            operators.append(op)
            weights.append(float(ancilla.populations[n]))
            if n == m:
                mean += ancilla.populations[n] * op
    return [(heat, *group) for heat, group in groups.items()]


def _minimal(operators: list[Any], weights: list[float]) -> list[tuple[Any, float]]:
    """Fewest operators of the map sum_w w A rho A^dagger, each scaled to a largest entry of one, with its weight."""
    stacked = np.array([np.sqrt(w) * op.reshape(-1) for op, w in zip(operators, weights, strict=True)])
    _, sizes, rows = np.linalg.svd(stacked, full_matrices=False)
    out = []
    for size, row in zip(sizes, rows, strict=True):
        if size <= SMALLEST * max(sizes[0], SMALLEST):
            continue
        largest = row[np.argmax(np.abs(row))]
        out.append(((row / largest).reshape(operators[0].shape), float(size**2 * abs(largest) ** 2)))
    return out
