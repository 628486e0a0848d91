"""The rectifier of Santiago-García et al. 2024: one site or a chain between two baths, everything resonant.

Closed forms stand beside it in `collide.machines.rectifier_formulas`, exact second moments for any length and
temperature in `collide.machines.rectifier_moments`.
"""

from collections.abc import Sequence
from functools import lru_cache
import math
from typing import Any

from collide.baths import Ancilla, Bath, oscillator_ancilla, qubit_ancilla
from collide.collision import Collision, CollisionModel
from collide.lindblad import LindbladModel, eigenoperators, local
from collide.machines.recipe import with_recipe
from collide.machines.rectifier_checks import MATCHED_ANGLE, PLAIN_ANGLE, check
from collide.machines.rectifier_moments import chain_moments, levels_needed
from collide.operators import Site, Space, lowering, oscillator, qubit

STATED_LEVELS = 1e-6  # largest population that levels given by hand may neglect without being asked
MOST_STATES = 4096


def rectifier(
    *,
    N: int = 2,
    omega: float = 1.0,
    g: float = 0.01,
    gamma_L: float = 0.01,
    gamma_R: float = 0.02,
    T_L: float = 0.6,
    T_R: float = 0.4,
    eps_a: int = -1,
    eps_L: int = 1,
    eps_R: int = 1,
    picture: str = "jump",
    equation: str = "local",
    construction: str = "split",
    tau: float | None = None,
    angle: str = PLAIN_ANGLE,
    oscillator_levels: int | Sequence[int] | None = None,
    levels: int | None = None,
    neglect: float = 1e-9,
) -> LindbladModel | CollisionModel:
    r"""A chain of N resonant sites between a bath L on the first and a bath R on the last.

    .. math:: H = \omega\sum_j s_j^\dagger s_j + g\sum_{k=1}^{N-1}(s_k^\dagger s_{k+1} + s_k s_{k+1}^\dagger)

    with :math:`s s^\dagger - \epsilon_a s^\dagger s = 1` (Santiago-García et al. 2024, Eqs. 1-3 and 18, whose sum
    printed to N must end at N - 1).

    Parameters
    ----------
    N : int
        Sites; with one site both baths touch it and `g` does nothing.
    omega, g : float
        Level spacing of every site and ancilla, and hopping.
    gamma_L, gamma_R : float
        Strengths of the couplings; a flat spectral density in the global equation.
    T_L, T_R : float
        Temperatures, 0 and (for two-level baths) ``inf`` and negative ones included.
    eps_a, eps_L, eps_R : {1, -1}
        Oscillators (+1) or two-level systems (-1): the sites, the ancillas of L, those of R.
    picture : {"jump", "collision"}
        A Lindblad equation, or repeated collisions of duration `tau`.
    equation : {"local", "global"}
        Local quanta omega, or the secular equation in the eigenbasis of H (Eq. 20).  For oscillators the latter lives
        on normal modes, so there the sites of the model are the modes k with frequencies
        ``omega + 2 g cos(pi k / (N + 1))``.  Its collisions are not in the paper: in each period one ancilla of every
        Bohr frequency and bath meets the eigenoperator of that frequency.
    construction : {"split", "alternating", "sequential", "joint", "matched", "gates"}
        Collisions: see `CollisionModel`.  "matched" makes every collision exactly ``exp(tau D)``; for oscillator baths
        on qubits through two-level ancillas of the same temperature and the rate gamma coth(omega / 2T).
    tau : float
        Duration of a period of collisions; required there.
    angle : str
        "theta=sqrt(gamma tau)" or "cos(theta)=exp(-gamma tau/2)", for each bath apart, in the other constructions.
    oscillator_levels : int or (int, int), optional
        Fock states of truncated oscillator ancillas (of L and R), which the constructions "sequential" and "joint"
        need; by default as many as leave out less than `neglect`.  In "split" nothing is cut unless this is given.
    levels : int, optional
        Fock states of each oscillator of the chain; by default as many as leave out less than `neglect` of the exact
        stationary population, which is thermal in each site (and in each mode) with a known occupation.
    neglect : float
        Population that a truncation may leave out, as a share of the excited population.

    Returns
    -------
    LindbladModel or CollisionModel
        With baths "L" and "R" and the recipe of this call as ``recipe``.

    Raises
    ------
    ValueError
        With a sentence that names the keyword and the remedy.

    Examples
    --------
    >>> from collide.machines import rectifier
    >>> model = rectifier(g=0.05, gamma_L=0.04, gamma_R=0.08, T_L=1.0, T_R=0.3)
    >>> round(model.heat_currents()["L"], 8)
    0.00579869
    >>> collisions = rectifier(g=0.05, gamma_L=0.04, gamma_R=0.08, T_L=1.0, T_R=0.3, picture="collision", tau=1.0)
    >>> round(collisions.heat_currents()["L"], 8)
    0.00583985
    """
    parameters = dict(locals())
    check(parameters)
    if oscillator_levels is not None and not isinstance(oscillator_levels, int):
        parameters["oscillator_levels"] = [int(k) for k in oscillator_levels]
    baths = [bath("L", gamma_L, T_L, eps_L), bath("R", gamma_R, T_R, eps_R)]
    space = Space(*[oscillator(k) for k in _site_levels(parameters, baths)] if eps_a == 1 else [qubit()] * N)
    if picture == "collision" and equation == "local":
        model: LindbladModel | CollisionModel = _collisions(parameters, space, baths)
    elif picture == "collision":
        model = _global_collisions(parameters, space, baths)
    elif equation == "local":
        channels = [c for site, bath in zip((0, N - 1), baths, strict=True) for c in local(space.s(site), omega, bath)]
        model = LindbladModel(_hamiltonian(space, omega, g), channels, dims=space)
    else:
        model = _normal_modes(space, omega, g, baths) if eps_a == 1 else _secular(space, omega, g, baths)
    return with_recipe(model, "rectifier", parameters)


def _hamiltonian(space: Space, omega: float, g: float) -> Any:
    """H of the chain, a sparse (d, d) operator."""
    return _summed(space.sites, omega, g)


@lru_cache(maxsize=32)
def _summed(found: tuple[Site, ...], omega: float, g: float) -> Any:
    """The same from the sites alone, once for all couplings and temperatures."""
    space, sites = Space(*found), range(len(found))
    H = sum((omega * space.number(j) for j in sites), 0 * space.identity())
    return sum((g * space.exchange(j, j + 1) for j in sites[:-1]), H)


def bath(name: str, gamma: float, T: float, eps: int) -> Bath:
    """A bath of flat density `gamma` at temperature `T`, of oscillators (`eps` = 1) or two-level systems (-1)."""
    beta = math.inf if T == 0 else 1.0 / T
    return Bath(name, beta=beta, statistics="boson" if eps == 1 else "spin", spectral_density=gamma)


def _site_levels(parameters: dict[str, Any], baths: list[Bath]) -> list[int]:
    """Fock states of each site (or mode): those asked for, or enough for its exact occupation."""
    N, omega, g = parameters["N"], parameters["omega"], parameters["g"]
    if parameters["levels"] is not None:
        return [int(parameters["levels"])] * N
    if parameters["equation"] == "global":
        occupations = [_mode_occupation(frequency, weights, baths) for frequency, weights in _modes(N, omega, g)]
    else:
        ends = {0: baths} if N == 1 else {0: baths[:1], N - 1: baths[1:]}
        occupations = [float(n) for n in chain_moments(N, omega, g, 1, ends).occupations]
    kept = [levels_needed(n, parameters["neglect"]) for n in occupations]
    if math.prod(kept) > MOST_STATES:
        raise ValueError(
            f"`levels`: {N} oscillators with up to {max(occupations):.3g} quanta on average need {kept} levels,"
            f" {math.prod(kept)} states together; give `levels` or a larger `neglect`, or take the exact"
            " collide.machines.rectifier_moments.chain_moments for averages"
        )
    return kept


# -------------------------------------------------------------------- the global equation


def _secular(space: Space, omega: float, g: float, baths: list[Bath]) -> LindbladModel:
    """Davies channels of qubits: s at each end, without counter-rotating terms (Eq. 20)."""
    H, ends = _qubit_modes(len(space.sites), omega, g)
    channels = [c for parts, bath in zip(ends, baths, strict=True) for w, op in parts for c in local(op, w, bath)]
    return LindbladModel(H, channels, dims=space)


@lru_cache(maxsize=32)
def _qubit_modes(N: int, omega: float, g: float) -> tuple[Any, tuple[list[tuple[float, Any]], ...]]:
    """H of a chain of qubits, and the frequencies and eigenoperators of s at its ends: the same at any temperature."""
    space = Space(*[qubit()] * N)
    H = _hamiltonian(space, omega, g)
    return H, tuple(list(zip(*eigenoperators(H, space.s(end)), strict=True)) for end in (0, N - 1))


def _normal_modes(space: Space, omega: float, g: float, baths: list[Bath]) -> LindbladModel:
    """Oscillators: each normal mode meets each bath with the weight of its amplitude on the bath's site."""
    channels = []
    for k, (frequency, weights) in enumerate(_modes(len(space.sites), omega, g)):
        for weight, bath in zip(weights, baths, strict=True):
            channels += local(math.sqrt(weight) * space.s(k), frequency, bath)
    return LindbladModel(_mode_hamiltonian(space, omega, g), channels, dims=space)


def _mode_hamiltonian(space: Space, omega: float, g: float) -> Any:
    """Independent normal modes."""
    modes = enumerate(_modes(len(space.sites), omega, g))
    return sum((frequency * space.number(k) for k, (frequency, _) in modes), 0 * space.identity())


def _modes(N: int, omega: float, g: float) -> list[tuple[float, tuple[float, float]]]:
    """Frequency of each normal mode and its weights on the first and on the last site."""
    modes = []
    for k in range(1, N + 1):
        amplitudes = (math.sin(math.pi * k * (site + 1) / (N + 1)) for site in (0, N - 1))
        first, last = (2 / (N + 1) * a**2 for a in amplitudes)
        modes.append((omega + 2 * g * math.cos(math.pi * k / (N + 1)), (first, last)))
    return modes


def _mode_occupation(frequency: float, weights: tuple[float, float], baths: list[Bath]) -> float:
    """Stationary mean of one mode between both baths."""
    rates = [
        (weight * down, weight * up)
        for weight, (down, up) in zip(weights, (b.rates(frequency) for b in baths), strict=True)
    ]
    down, up = (sum(side) for side in zip(*rates, strict=True))
    if not down > up:
        raise ValueError("the mode has no steady state: absorption is not slower than emission; lower a temperature")
    return up / (down - up)


# -------------------------------------------------------------------- collisions


def _collisions(parameters: dict[str, Any], space: Space, baths: list[Bath]) -> CollisionModel:
    omega, tau, construction = parameters["omega"], parameters["tau"], parameters["construction"]
    asked = parameters["oscillator_levels"]
    counts = [asked, asked] if asked is None or isinstance(asked, int) else asked
    collisions = []
    for site, bath, count in zip((0, len(space.sites) - 1), baths, counts, strict=True):
        gamma = bath.strength(omega)
        if construction == "matched" and bath.statistics == "boson" and parameters["eps_a"] == -1:
            # the same channels at the same temperature, met by two levels instead of a ladder
            ancilla, gamma = qubit_ancilla(omega, bath.beta), gamma * (1 + 2 * bath.occupation(omega))
        else:
            ancilla = _ancilla(bath, omega, count, construction, parameters["neglect"])
        if construction != "matched" and parameters["angle"] == MATCHED_ANGLE:
            gamma = math.acos(math.exp(-gamma * tau / 2)) ** 2 / tau
        collisions.append(Collision(bath, lowering(space.dims[site]), site, ancilla, gamma))
    H = _hamiltonian(space, omega, parameters["g"])
    return CollisionModel(H, collisions, tau, dims=space, construction=construction)


def _global_collisions(p: dict[str, Any], space: Space, baths: list[Bath]) -> CollisionModel:
    """Ancillas of all Bohr frequencies meet the eigenoperators of the ends (of oscillators: the normal modes)."""
    omega, g = p["omega"], p["g"]
    collisions = []
    for end, bath in enumerate(baths):
        parts = _mode_parts(space, omega, g, end) if p["eps_a"] == 1 else _secular_parts(space, omega, g, end)
        for frequency, op, on, weight in parts:
            ancilla = _ancilla(bath, frequency, None, p["construction"], p["neglect"])
            collisions.append(Collision(bath, op, on, ancilla, weight * bath.strength(frequency)))
    H = _mode_hamiltonian(space, omega, g) if p["eps_a"] == 1 else _hamiltonian(space, omega, g)
    return CollisionModel(H, collisions, p["tau"], dims=space, construction=p["construction"])


Part = tuple[float, Any, tuple[int, ...], float]  # frequency, operator that lowers by it, its sites, weight of the rate


def _secular_parts(space: Space, omega: float, g: float, end: int) -> list[Part]:
    """Eigenoperators of s at an end of a chain of qubits."""
    sites = tuple(range(len(space.sites)))
    return [(frequency, op, sites, 1.0) for frequency, op in _qubit_modes(len(sites), omega, g)[1][end]]


def _mode_parts(space: Space, omega: float, g: float, end: int) -> list[Part]:
    """Normal modes of a chain of oscillators as an end sees them."""
    modes = enumerate(_modes(len(space.sites), omega, g))
    return [(frequency, lowering(space.dims[k]), (k,), weights[end]) for k, (frequency, weights) in modes]


def _ancilla(bath: Bath, omega: float, count: int | None, construction: str, neglect: float) -> Ancilla:
    """A two-level ancilla, an untruncated ladder, or a truncated oscillator where all ancillas act at once."""
    if bath.statistics == "spin":
        return qubit_ancilla(omega, bath.beta)
    if count is None and construction in {"sequential", "joint"}:
        count = levels_needed(bath.occupation(omega), neglect)
    return oscillator_ancilla(omega, bath.beta, count, bound=max(neglect, STATED_LEVELS))
