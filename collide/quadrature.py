"""How far the quadrature of a load's heat and work may be off, estimated for the program at hand and kept with it.

Between jumps a load exchanges the covariance of its G = sum J^dagger J and of its energy, integrated by Gauss-Legendre
panels (`collide.kernels.kicks`).  A covariance is at most a quarter of the two spectra's widths multiplied, and beats
with frequencies that the norm of H_eff bounds; for such beats the error of the panels is known.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.exact.process import Complexes, Floats
from collide.kernels.kicks import FIRST_PHASE, NODES

Arrays = dict[str, NDArray[Any]]


def panel_errors() -> tuple[float, float]:
    """Largest errors of the panels, as shares of the largest integrand.

    Returns
    -------
    float
        Of the panels of the first level, which fill a long dwell: in units of their length.
    float
        Of everything after them, one panel of each further level and a trapezium: in units of one panel of the first.
    """
    errors = []
    for level, nodes in enumerate(NODES):
        at, weight = np.polynomial.legendre.leggauss(nodes)
        phase = np.linspace(1e-6, FIRST_PHASE / 2**level, 200)
        found = np.exp(0.5j * phase[:, None] * (at + 1)) @ (weight / 2)
        exact = (np.exp(1j * phase) - 1) / (1j * phase)
        errors.append(float(np.abs(found - exact).max()) / 2**level)
    last = 2.0 ** (1 - len(NODES))
    return errors[0], sum(errors[1:]) + (FIRST_PHASE * last) ** 2 / 12 * last


def load_quadrature(arrays: Arrays, loads: list[str]) -> dict[str, dict[str, float]]:
    """What the heat and the work of each load are off by on average, as far as they are integrated.

    A dwell in a block is charged for its length and for one panel of the first level; blocks weigh what they weigh in
    the averaged state, at the beginning or at the end, whichever gives more.  What a jump itself exchanges is exact.

    Parameters
    ----------
    arrays : dict of arrays
        Of a program of kind "jumps".
    loads : list of str
        Names of the loads.

    Returns
    -------
    dict
        For each load bounds of the mean absolute error of ``heat`` and ``work``, energy a unit of time.
    """
    if not loads:
        return {}
    size, (whole, rest) = arrays["size"], panel_errors()
    decay = 1j * (arrays["heff"] - arrays["heff"].conj().transpose(0, 2, 1))
    dwells = _extremes(decay, size)[1]  # at most, a unit of time
    share = whole + rest * _longest_panels(arrays["heff"]) * dwells
    weight = [_block_weights(arrays, rho) for rho in (arrays["rho_initial"], arrays["rho_final"])]
    found: dict[str, dict[str, float]] = {}
    for number, name in enumerate(loads):
        loss = _width(_loss(arrays, number), size)
        exchanged = [loss * _width(arrays[operator][number], size) / 4 for operator in ("load_energy", "load_rest")]
        heat, work = (max(float(p @ (most * share)) for p in weight) for most in exchanged)
        found[name] = {"heat": heat, "work": work}
    return found


def sentence(found: dict[str, dict[str, float]]) -> str:
    """What `load_quadrature` found, in words; empty without loads."""
    return "; ".join(
        f"heat of load {name} between jumps by quadrature, off by less than {bound['heat']:.1g} a unit of time"
        " (estimated)"
        for name, bound in found.items()
    )


def _block_weights(arrays: Arrays, rho: Complexes) -> Floats:
    """(nblocks,) probability of each block in an averaged state."""
    V = arrays["vectors"]
    populations = np.einsum("ia,ij,ja->a", V.conj(), rho, V, optimize=True).real
    return np.where(arrays["basis"] >= 0, populations[arrays["basis"]], 0.0).sum(axis=1)


def _loss(arrays: Arrays, number: int) -> Complexes:
    """(nblocks, m, m) G of a load."""
    start, nb = arrays["jump_start"], arrays["heff"].shape[0]
    total = np.zeros(arrays["heff"].shape, dtype=complex)
    for channel in np.flatnonzero(arrays["load"] == number):
        for block in range(nb):
            part = slice(*start[channel * nb + block : channel * nb + block + 2])
            jump = np.zeros(total.shape[1:], dtype=complex)
            jump[arrays["jump_row"][part], arrays["jump_column"][part]] = arrays["jump_value"][part]
            total[block] += jump.conj().T @ jump
    return total


def _extremes(operators: Complexes, sizes: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Smallest and largest eigenvalue (nblocks,) of Hermitian matrices in blocks."""
    out = np.zeros((2, len(operators)))
    for size in np.unique(sizes):
        values = np.linalg.eigvalsh(operators[sizes == size, :size, :size])
        out[:, sizes == size] = values[:, 0], values[:, -1]
    return out[0], out[1]


def _width(operators: Complexes, sizes: NDArray[np.int64]) -> Floats:
    low, high = _extremes(operators, sizes)
    return high - low


def _longest_panels(heff: Complexes) -> Floats:
    """(nblocks,) panel of the first level; 0 where nothing evolves."""
    moduli = np.abs(heff)
    norms = np.sqrt(moduli.sum(axis=1).max(axis=1) * moduli.sum(axis=2).max(axis=1))
    return np.divide(FIRST_PHASE / 4, norms, out=np.zeros(len(norms)), where=norms > 0)
