"""From raw counts and outcomes to heat, work and entropy production of each trajectory.

Sums run over the rows of the `CountTable` in order, with elementwise operations only, so that the numbers are the same
on every machine; a row that was never counted adds nothing, even where one count would add infinity (T = 0).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.exact.contraction import EntropyUndefined, contraction, contraction_rate
from collide.exact.process import Complexes, Flow, Process
from collide.records import Chunk


def entropy_of_loads(process: Process, t: float, *states: Complexes) -> tuple[float | None, str]:
    """What loads add to the entropy production of a trajectory of length t, and a sentence about it.

    Kicks have no entropy of their own; the exact theorem has c_0 t instead, the contraction of phase space
    (`collide.exact.contraction`).

    Parameters
    ----------
    process : Process
    t : float
    *states : (d, d) complex
        Averaged states whose populations tell how much the edges of a truncated space matter.

    Returns
    -------
    float or None
        None where the entropy production is undefined.
    str
        Empty without loads.
    """
    if not process.loads:
        return 0.0, ""
    try:
        rate = contraction_rate(process)
    except EntropyUndefined as error:
        return None, str(error)
    flows = [element for element in process.elements if isinstance(element, Flow)]
    share = [1.0 if process.tau is None else (flow.duration or 0.0) / process.tau for flow in flows]
    defect = sum(s * np.abs(contraction(flow).defect) for s, flow in zip(share, flows, strict=True))
    edges = t * max(float(defect @ np.abs(rho.diagonal())) for rho in states)
    return rate * t, (
        f"loads contract phase space at the rate c_0 = {rate:g}, which enters the entropy production; the edges of the"
        f" truncated space change <exp(-Sigma)> by about {edges:.1g}"
    )


def settle(program: Any, start: int, stop: int, raw: dict[str, NDArray[Any]]) -> Chunk:
    """Derive the thermodynamic columns of a chunk from what the kernel wrote."""
    a = program.arrays
    counts, initial, final = raw["counts"], raw["initial"], raw["final"]
    n, nbaths = stop - start, len(program.baths)
    heat = raw.get("load_heat", np.zeros((n, nbaths))).copy()
    entropy = np.zeros(n)
    for row, (bath, quantum, per_count) in enumerate(
        zip(a["count_bath"], a["count_quantum"], a["count_entropy"], strict=True)
    ):
        happened = counts[:, row] != 0
        heat[:, bath] += counts[:, row] * quantum
        entropy[happened] += counts[happened, row] * per_count
    change = a["final_energy"][final] - a["initial_energy"][initial]
    work = change.copy()
    for bath in range(nbaths):
        work -= heat[:, bath]
    sigma = a["initial_lnp"][initial] - a["final_lnp"][final] + entropy
    offset = program.meta.get("entropy_of_loads", 0.0)
    sigma = np.full(n, np.nan) if offset is None else sigma + offset
    columns = {
        "initial": initial,
        "final": final,
        "counts": counts,
        "heat": heat,
        "energy_change": change,
        "work": work,
        "closing_energy": raw["closing_energy"],
        "entropy_production": sigma,
        "status": raw["status"],
    }
    if program.meta.get("loads"):
        columns["load_work"] = raw["load_work"]
    if "final_state" in program.keep:
        columns["final_state"] = to_users_basis(raw["final_state"], a["vectors"])
    partial = {name: raw[name] for name in ("expect_sum", "heat_power_sums", "heat_pair_sums")}
    if program.meta["sum_states"]:
        partial["rho_sum"] = states_to_users_basis(raw["rho_sum"], a["vectors"])
    ragged = {}
    if "jumps" in program.keep:
        ragged = {name: raw[name] for name in ("row_size", "jump_time", "jump_channel")}
    return Chunk(start, stop, columns, partial, ragged)


def to_users_basis(kets: NDArray[Any], vectors: NDArray[Any]) -> NDArray[np.complex128]:
    """(n, d) kets V psi, summed element by element: a matrix product rounds differently from machine to machine.

    Where V is diagonal `vectors` may be its diagonal (d,); without any it is one.
    """
    if not vectors.size:
        return kets
    if vectors.ndim == 1 or np.count_nonzero(vectors) == np.count_nonzero(vectors.diagonal()):
        phases = vectors if vectors.ndim == 1 else vectors.diagonal()
        x, y, v, w = kets.real, kets.imag, phases.real, phases.imag
        return (x * v - y * w) + 1j * (x * w + y * v)
    real, imag = np.zeros(kets.shape), np.zeros(kets.shape)
    for a in range(kets.shape[1]):
        x, y = kets[:, a, None].real, kets[:, a, None].imag
        v, w = vectors[None, :, a].real, vectors[None, :, a].imag
        real += x * v
        real -= y * w
        imag += x * w
        imag += y * v
    return real + 1j * imag


def states_to_users_basis(states: NDArray[Any], vectors: NDArray[Any]) -> NDArray[np.complex128]:
    """(n, d, d) density matrices V rho V^dagger, rounded alike on all machines."""
    columns = to_users_basis(states.swapaxes(1, 2).reshape(-1, states.shape[-1]), vectors)
    rows = columns.reshape(states.shape).swapaxes(1, 2).conj()
    return to_users_basis(rows.reshape(-1, states.shape[-1]), vectors).reshape(states.shape).conj()
