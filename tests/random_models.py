"""Random valid models of both pictures, and what an ensemble of one must satisfy.

What a model is made of (levels, baths, statistics, temperatures, sites) is drawn by hypothesis, its matrices by a
generator whose seed hypothesis draws too.
"""

import math
from typing import Any

from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
import numpy as np
from scipy import stats

from collide import (
    Bath,
    Channel,
    Collision,
    CollisionModel,
    LindbladModel,
    Space,
    davies,
    finite_ancilla,
    flat,
    local,
    ohmic,
    oscillator,
    qubit,
)
from collide.operators import lowering
from collide.program import compile_program, run_chunk

MOST_VARIANCE = 10.0  # of e^{-Sigma}, beyond which its sample mean says nothing
FEW = 4  # channels whose waiting times are told apart
SITES = {
    "qubit": [qubit()],
    "two qubits": [qubit(), qubit()],
    "three qubits": [qubit(), qubit(), qubit()],
    "oscillator": [oscillator(8)],
    "qubit and three levels": [qubit(), oscillator(3)],
    "qubit and oscillator": [qubit(), oscillator(4)],
}
seeds = st.integers(0, 2**32 - 1)
generators = st.builds(np.random.default_rng, seeds)


def models_judged(number: int) -> settings:
    """The same `number` of examples every time, none remembered, none shrunk: a z-score is no reason to try more."""
    return settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def random_hermitian(rng: np.random.Generator, d: int, scale: float = 1.0) -> Any:
    """(d, d), entries of size `scale`."""
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return scale * (A + A.conj().T) / 2


def random_state(rng: np.random.Generator, d: int) -> Any:
    """Full rank, coherent, no eigenvalue below about 0.1 / d."""
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    rho = A @ A.conj().T
    rho = 0.8 * rho / np.trace(rho).real + 0.2 * np.eye(d) / d
    return (rho + rho.conj().T) / 2


@st.composite
def warmths(draw: st.DrawFn) -> dict[str, Any]:
    """Bosons at some temperature, or spins at a beta of any sign, zero included."""
    if draw(st.booleans()):
        return {"temperature": draw(st.floats(0.4, 2.0))}
    return {"beta": draw(st.floats(-1.5, 2.5)), "statistics": "spin"}


@st.composite
def davies_models(draw: st.DrawFn) -> LindbladModel:
    """Two to eight levels, one to three baths, global channels."""
    d, rng = draw(st.integers(2, 8)), draw(generators)
    H = random_hermitian(rng, d)
    H *= 1.5 / np.ptp(np.linalg.eigvalsh(H))  # wider spectra make e^{-Sigma} too wild to average at any time
    channels: list[Channel] = []
    for k, warmth in enumerate(draw(st.lists(warmths(), min_size=1, max_size=3))):
        density = ohmic(rng.uniform(0.05, 0.3), cutoff=3.0)
        channels += davies(H, random_hermitian(rng, d), Bath(f"b{k}", spectral_density=density, **warmth))
    return LindbladModel(H, channels)


@st.composite
def local_models(draw: st.DrawFn) -> LindbladModel:
    """Qubits and oscillators, two to eight levels together, random couplings between them and one to three baths."""
    sites, rng = SITES[draw(st.sampled_from(sorted(SITES)))], draw(generators)
    space = Space(*sites)
    omega = rng.uniform(0.6, 1.4, size=len(sites))
    H = sum((w * space.number(k) for k, w in enumerate(omega)), 0 * space.identity())
    H = H + random_hermitian(rng, space.d, rng.uniform(0.02, 0.3))
    channels: list[Channel] = []
    for k, warmth in enumerate(draw(st.lists(warmths(), min_size=1, max_size=3))):
        site, density = k % len(sites), flat(rng.uniform(0.1, 0.6))
        channels += local(space.s(site), omega[site], Bath(f"b{k}", spectral_density=density, **warmth))
    return LindbladModel(H, channels, dims=space)


def random_collisions(rng: np.random.Generator) -> CollisionModel:
    """Two qubits hit by qubits, oscillators or three-level ancillas at a large angle."""
    space = Space(qubit(), qubit())
    H = space.number(0) + rng.uniform(0.8, 1.2) * space.number(1) + random_hermitian(rng, 4, 0.2)
    items = []
    for k in range(2):
        if rng.random() < 0.5:
            bath = Bath(f"b{k}", temperature=rng.uniform(0.4, 2.0))
        else:
            bath = Bath(f"b{k}", beta=rng.uniform(-1.5, 2.5), statistics="spin")
        if bath.statistics == "boson" or rng.random() < 0.5:
            items.append(Collision(bath, lowering(2), k, bath.ancilla(1.0), rng.uniform(0.1, 0.5)))
        else:
            ancilla = finite_ancilla(np.sort(rng.uniform(0, 2, 3)), beta=bath.beta)
            items.append(Collision(bath, random_hermitian(rng, 6), k, ancilla, rng.uniform(0.1, 0.5)))
    return CollisionModel(H, items, 0.5, dims=space, construction=["split", "alternating"][int(rng.integers(2))])


collision_models = st.builds(random_collisions, generators)


def time_for_theorem(model: Any, rho: Any, t: float) -> float | None:
    """`t` halved until the exact variance of e^{-Sigma} is at most `MOST_VARIANCE`; None if there is no such time."""
    shortest = model.process.tau or 1e-3
    while model.trajectory_statistics(t, rho).exponential_average.variance > MOST_VARIANCE:
        if t <= shortest:
            return None
        t /= 2
        if model.process.tau is not None:
            t = max(round(t / model.process.tau), 1) * model.process.tau
    return t


def deviations(
    model: Any, rng: np.random.Generator, t: float, n: int, labels: str = "heat"
) -> tuple[dict[str, float], dict[str, float]]:
    """z-scores of an ensemble from a random full-rank state.

    Returns
    -------
    dict
        Means and variances of heats, work, energy change and entropy production, and the fluctuation theorem, judged
        with the exact variances.
    dict
        Every element of the averaged state, half-way and at the end, against `evolve`.
    """
    d = model.process.d
    rho = random_state(rng, d)
    shorter = time_for_theorem(model, rho, t)
    assume(shorter is not None)
    assert shorter is not None
    t = shorter
    middle = t / 2 if model.process.tau is None else max(round(t / 2 / model.process.tau), 0) * model.process.tau
    times = sorted({middle, t})
    ops = hermitian_basis(d)
    program = compile_program(model, times, initial=rho, e_ops=ops, labels=labels)
    chunk = run_chunk(program, int(rng.integers(2**32)), 0, n)
    columns, a = chunk.columns, program.arrays
    assert np.all(columns["status"] == 0)
    assert np.allclose(columns["work"] + columns["heat"].sum(1), columns["energy_change"], atol=1e-12)
    exact = model.trajectory_statistics(t, rho, opening=a["initial_kets"], closing=a["final_kets"])
    named = {f"heat {bath}": columns["heat"][:, k] for k, bath in enumerate(program.baths)}
    named |= {name: columns[name] for name in ("work", "energy_change", "entropy_production")}
    found: dict[str, float] = {}
    for name, column in named.items():
        found |= _mean_and_variance(name, column, exact.cumulants(name, 4))
    average = exact.exponential_average
    weights = np.exp(-columns["entropy_production"])
    found["fluctuation theorem"] = (weights.mean() - 1.0) / math.sqrt(average.variance / n + 1e-24)
    states = model.evolve(a["rho_initial"], times)
    return found, _state_deviations(chunk.partial, states, ops, n)


def _mean_and_variance(name: str, column: Any, cumulants: Any) -> dict[str, float]:
    """z-scores of a sample's mean and variance, their errors from the exact cumulants."""
    mean, variance, _, fourth = cumulants
    n = len(column)
    # one event more or less among n is never significant: the floor of rare channels
    quantum = float(np.abs(column).max())
    spread = max(fourth, 0.0) / n + 2 * variance**2 / (n - 1) + (quantum**2 / n) ** 2 + 1e-24
    return {
        f"{name} mean": (column.mean() - mean) / math.sqrt(variance / n + (quantum / n) ** 2 + 1e-24),
        f"{name} variance": (column.var(ddof=1) - variance) / math.sqrt(spread),
    }


def hermitian_basis(d: int) -> list[Any]:
    """d^2 Hermitian matrices whose expectation values are the elements of a state: populations, Re and Im of others."""
    unit = lambda i, j: np.outer(np.eye(d)[i], np.eye(d)[j])  # noqa: E731
    pairs = [(i, j) for i in range(d) for j in range(i)]
    return [
        *(unit(i, i) + 0j for i in range(d)),
        *((unit(i, j) + unit(j, i)) / 2 + 0j for i, j in pairs),
        *(0.5j * (unit(i, j) - unit(j, i)) for i, j in pairs),
    ]


def _state_deviations(partial: Any, states: Any, ops: list[Any], n: int) -> dict[str, float]:
    """z-scores of the averaged state at each stop; the same state must come out of the sums of |psi><psi|."""
    found = {}
    for at, state in enumerate(states):
        for k, op in enumerate(ops):
            total, square = partial["expect_sum"][at, k]
            error = math.sqrt(max(square / n - (total / n) ** 2, 0.0) / n + 1 / n**2)
            found[f"element {k} at {at}"] = (total / n - np.trace(op @ state).real) / error
            assert abs(np.trace(op @ partial["rho_sum"][at]) - total) < 1e-9 * n
    return found


def waiting(model: LindbladModel, seed: int, n: int) -> tuple[float, dict[str, float]]:
    """First jumps of trajectories that start just after the most frequent event of the steady state.

    One wait a trajectory, from the exact state after the event: independent draws of the waiting-time law, cut at the
    horizon where it is known how many are longer.

    Returns
    -------
    float
        p-value of the Kolmogorov-Smirnov test of all waits up to the horizon against the exact density.
    dict
        z-scores of the numbers of waits that end in each of the most frequent channels, from the exact densities.
    """
    flow: Any = model.process.elements[0]
    law = model.waiting_times()
    after, horizon = int(np.argmax(law.rates)), 3.0 / law.rates.sum()
    op = flow.ops[after].toarray()
    rho = op @ model.steady_state() @ op.conj().T
    program = compile_program(model, horizon, initial=rho / np.trace(rho), closing="product", keep=("jumps",))
    ragged = run_chunk(program, seed, 0, n).ragged
    jumped = ragged["row_size"] > 0
    first = (np.cumsum(ragged["row_size"]) - ragged["row_size"])[jumped]
    waits, channel = ragged["jump_time"][first], ragged["jump_channel"][first]
    grid = np.linspace(0.0, horizon, 1501)
    ended = 1 - law.survival(grid, after)
    p_value = stats.kstest(waits, lambda t: np.interp(t, grid, ended / ended[-1])).pvalue
    often = np.argsort(-law.rates)[:FEW]
    densities = np.array([law.density(grid, after, int(then)) for then in often])
    # Simpson's rule: the densities are smooth on this grid
    share = np.append(grid[1] / 3 * (densities @ _simpson(len(grid))), 1 - ended[-1])
    number = np.append(np.bincount(channel, minlength=len(flow.ops))[often], n - len(waits))
    z = (number - n * share) / np.sqrt(n * share * (1 - share) + 1.0)
    return float(p_value), {f"waits ended by {k}": float(x) for k, x in zip([*often, "the horizon"], z, strict=True)}


def _simpson(n: int) -> Any:
    """Weights of Simpson's rule on an odd number of points, in thirds of a step."""
    weights = np.full(n, 2.0)
    weights[1::2] = 4.0
    weights[[0, -1]] = 1.0
    return weights
