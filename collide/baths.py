"""Baths: temperature, statistics and spectral density; from them occupations, rates and the ancillas of a collision."""

from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collide.operators import lowering

STATISTICS = ("boson", "spin", "metal")
NEGLIGIBLE = 1e-16  # weight of an untruncated ladder's tail that no double can see
MOST_LEVELS = 1_000_000


@dataclass(frozen=True)
class SpectralDensity:
    """J(omega), used directly as the rate (no 2 pi).

    Attributes
    ----------
    function : callable
        omega > 0 -> J(omega); of (temperature, omega) for a metal.
    slope : float or None
        dJ/domega at 0, the zero-frequency rate divided by T for bosons; None if J(0) > 0 or unknown.
    name : str
    """

    function: Callable[..., float]
    slope: float | None
    name: str

    def __call__(self, *arguments: float) -> float:
        """J at a frequency, or Lambda at (temperature, omega)."""
        return float(self.function(*arguments))


def flat(gamma: float) -> SpectralDensity:
    """J = gamma at every frequency."""
    return SpectralDensity(lambda omega: gamma, None, f"flat({gamma:g})")


def ohmic(kappa: float, cutoff: float | None = None, shape: str = "drude") -> SpectralDensity:
    r"""J = kappa omega, optionally cut off.

    Parameters
    ----------
    kappa : float
        Slope at zero frequency.
    cutoff : float, optional
        Frequency Omega of the cut-off.
    shape : {"drude", "exponential"}
        Omega^2 / (omega^2 + Omega^2) (Leitch et al. 2024, Eq. A15) or exp(-omega / Omega).
    """
    if cutoff is None:
        return SpectralDensity(lambda omega: kappa * omega, kappa, f"ohmic({kappa:g})")
    if cutoff <= 0:
        raise ValueError(f"`cutoff` must be positive, but is {cutoff:g}: leave it out for no cut-off")
    if shape == "drude":
        return SpectralDensity(
            lambda omega: kappa * omega * cutoff**2 / (omega**2 + cutoff**2),
            kappa,
            f"ohmic({kappa:g}, Drude {cutoff:g})",
        )
    if shape == "exponential":
        return SpectralDensity(
            lambda omega: kappa * omega * math.exp(-omega / cutoff), kappa, f"ohmic({kappa:g}, exponential {cutoff:g})"
        )
    raise ValueError(f"`shape` must be 'drude' or 'exponential', but is {shape!r}")


class Bath:
    """A thermal bath.

    Parameters
    ----------
    name : str
        How its heat is called in every result.
    beta, temperature : float
        One of the two.  `beta` may be zero or negative for spins, ``inf`` for T = 0.
    statistics : {"boson", "spin", "metal"}
        boson: emission J (1 + n_B), absorption J n_B; spin: J (1 - n_S) and J n_S; metal: as boson with
        J = Lambda(T, omega), electron-hole pairs (Wu and Segal 2009, Eqs. 16-19).
    spectral_density : float, SpectralDensity or callable
        J(omega), itself the rate; a number means a flat one.  For a metal a callable of (T, omega).

    Raises
    ------
    ValueError
        If neither or both of `beta` and `temperature` are given, for unknown statistics, and for a boson or metal bath
        at beta <= 0, which has no thermal state.
    """

    def __init__(
        self,
        name: str,
        *,
        beta: float | None = None,
        temperature: float | None = None,
        statistics: str = "boson",
        spectral_density: float | Callable[..., float] = 1.0,
    ) -> None:
        if (beta is None) == (temperature is None):
            raise ValueError(f"give bath {name!r} exactly one of `beta` and `temperature`")
        if beta is None:
            assert temperature is not None
            if not temperature >= 0:
                raise ValueError(
                    f"`temperature` of bath {name!r} must be >= 0, but is {temperature:g}: give `beta` for an"
                    " inverted bath"
                )
            beta = math.inf if temperature == 0 else 1.0 / temperature
        if math.isnan(beta) or beta == -math.inf:
            raise ValueError(f"`beta` of bath {name!r} must be a number or +inf, but is {beta}")
        if statistics not in STATISTICS:
            raise ValueError(f"`statistics` of bath {name!r} must be one of {STATISTICS}, but is {statistics!r}")
        if statistics != "spin" and beta <= 0:
            raise ValueError(
                f"bath {name!r} has {statistics} statistics and beta = {beta:g}: it has no thermal state at beta <= 0,"
                " use statistics='spin'"
            )
        self.name = name
        self.beta = float(beta)
        self.statistics = statistics
        self.spectral_density = _density(spectral_density)

    def __repr__(self) -> str:
        return f"Bath({self.name!r}, beta={self.beta:g}, {self.statistics}, J={self.spectral_density.name})"

    @property
    def temperature(self) -> float:
        """1 / beta; inf at beta = 0."""
        return math.inf if self.beta == 0 else 1.0 / self.beta

    def occupation(self, omega: float) -> float:
        """n(omega) = 1 / (exp(beta omega) -+ 1), bosons - and spins + (Santiago-Garcia et al. 2024, Eq. 3)."""
        return occupation(omega, self.beta, self.statistics)

    def rates(self, omega: float) -> tuple[float, float]:
        """(emission, absorption) rates at omega >= 0: J (1 +- n) and J n; at omega = 0 their common limit.

        Raises
        ------
        ValueError
            If `omega` is negative, J is negative there, or the limit omega -> 0 diverges.
        """
        if omega < 0:
            raise ValueError(f"`omega` must be >= 0, but is {omega:g}: swap emission and absorption instead")
        if omega == 0:
            limit = self._zero_frequency_rate()
            return limit, limit
        strength = self.strength(omega)
        n = self.occupation(omega)
        # 1 - n of a spin is n at the opposite temperature, which keeps its digits where n is close to one
        empty = occupation(omega, -self.beta, "spin") if self.statistics == "spin" else 1 + n
        return strength * empty, strength * n

    def strength(self, omega: float) -> float:
        """J(omega), or Lambda(T, omega) of a metal."""
        arguments = (self.temperature, omega) if self.statistics == "metal" and not self._is_flat else (omega,)
        value = self.spectral_density(*arguments)
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(
                f"the spectral density of bath {self.name!r} is {value} at omega = {omega:g}: it must be >= 0"
            )
        return value

    @property
    def _is_flat(self) -> bool:
        return self.spectral_density.name.startswith("flat")

    def _zero_frequency_rate(self) -> float:
        """lim J (1 + n) for omega -> 0: slope * T for bosons, J(0)/2 for spins."""
        if self.statistics == "spin":
            return 0.5 * self.strength(1e-300)
        if self.spectral_density.slope is not None:
            return self.spectral_density.slope * self.temperature
        if math.isinf(self.beta):
            return self.strength(1e-300)
        small = 1e-6 * self.temperature
        near, far = (
            self.strength(small) * self.occupation(small),
            self.strength(10 * small) * self.occupation(10 * small),
        )
        if abs(near - far) > 1e-3 * abs(far):
            raise ValueError(
                f"the rate of bath {self.name!r} diverges at zero frequency: its spectral density"
                f" {self.spectral_density.name}"
                " must vanish linearly there (ohmic), or the coupling must have no matrix element within a level"
            )
        return near - (far - near) / 9.0

    def ancilla(self, omega: float, levels: int | None = None) -> "Ancilla":
        """The thermal ancilla of this bath: a qubit for spins, an oscillator for bosons (see `oscillator_ancilla`)."""
        if self.statistics == "spin":
            return qubit_ancilla(omega, self.beta)
        if self.statistics == "boson":
            return oscillator_ancilla(omega, self.beta, levels)
        raise ValueError(f"bath {self.name!r} is a metal, which no single ancilla represents: use a LindbladModel")


def _density(value: float | Callable[..., float]) -> SpectralDensity:
    if isinstance(value, SpectralDensity):
        return value
    if callable(value):
        return SpectralDensity(value, None, getattr(value, "__name__", "user function"))
    if not value >= 0:
        raise ValueError(f"`spectral_density` must be >= 0, but is {value}")
    return flat(float(value))


def occupation(omega: float, beta: float, statistics: str = "boson") -> float:
    """Mean occupation at omega > 0; 0 at T = 0 without overflow."""
    if statistics == "spin":
        x = beta * omega if omega else 0.0
        return math.exp(-x) / (1 + math.exp(-x)) if x > 0 else 1 / (1 + math.exp(x))
    if math.isinf(beta):
        return 0.0
    x = beta * omega
    return math.exp(-x) / -math.expm1(-x)


@dataclass(frozen=True)
class Ancilla:
    """What hits the system: levels, how they are populated, and the operator b that lowers them.

    Attributes
    ----------
    energies, populations : (levels,) float
    lower : (levels, levels) complex
        b of the exchange s b^dagger + s^dagger b.
    ladder : bool
        An oscillator without truncation: populations reach a tail of 1e-16, and the levels above are still there.
    neglected : float
        Population of the levels left out (before renormalisation).
    """

    energies: NDArray[np.float64]
    populations: NDArray[np.float64]
    lower: NDArray[np.complex128]
    ladder: bool = False
    neglected: float = 0.0

    def __post_init__(self) -> None:
        if self.energies.ndim != 1 or self.energies.shape != self.populations.shape:
            raise ValueError(
                f"`energies` and `populations` must be vectors of one length, but have shapes {self.energies.shape}"
                f" and {self.populations.shape}"
            )
        if np.any(self.populations < 0) or abs(self.populations.sum() - 1) > 1e-10:
            raise ValueError(
                f"`populations` must be >= 0 and sum to 1, but sum to {self.populations.sum():.6g} with the lowest"
                f" {self.populations.min():.3g}"
            )

    def __len__(self) -> int:
        return len(self.energies)

    def energy(self, level: NDArray[np.int64]) -> NDArray[np.float64]:
        """Energies of levels, also of those above the last one of a ladder."""
        return self.energies[1] * level if self.ladder else self.energies[level]

    def charge(self, heat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Number of quanta in each heat value: multiples of the level spacing where there is one, else the sign."""
        spacing = self.energies[1] - self.energies[0] if len(self) > 1 else 0.0
        ratios = self.energies / spacing if spacing else np.full(1, 0.5)
        if not np.allclose(ratios, np.rint(ratios), atol=1e-9):
            return np.sign(heat).astype(np.int64)
        return np.rint(heat / spacing).astype(np.int64)


def finite_ancilla(
    energies: ArrayLike, *, beta: float | None = None, populations: ArrayLike | None = None, lower: Any = None
) -> Ancilla:
    """Any ancilla with a few levels, thermal or with given populations.

    Parameters
    ----------
    energies : (levels,) array_like
    beta : float, optional
        Thermal populations exp(-beta E) / Z, any sign, ``inf`` for the (degenerate) ground state.
    populations : (levels,) array_like, optional
        Given ones instead; they must sum to 1.
    lower : (levels, levels) array_like, optional
        Lowering operator of the exchange; by default sum_n sqrt(n) |n-1><n|.
    """
    levels = np.asarray(energies, dtype=float)
    if (beta is None) == (populations is None):
        raise ValueError("give exactly one of `beta` and `populations`")
    if beta is not None:
        shifted = levels - (levels.min() if beta >= 0 else levels.max())
        weights = (shifted == 0).astype(float) if math.isinf(beta) else np.exp(-beta * shifted)
        chosen = weights / weights.sum()
    else:
        chosen = np.asarray(populations, dtype=float)
    ladder = lowering(len(levels)) if lower is None else np.asarray(lower, dtype=complex)
    if ladder.shape != (len(levels), len(levels)):
        raise ValueError(f"`lower` must have shape ({len(levels)}, {len(levels)}), but has shape {ladder.shape}")
    return Ancilla(levels, chosen, ladder)


def qubit_ancilla(omega: float, beta: float) -> Ancilla:
    """A two-level ancilla; a negative `beta` inverts its populations."""
    return finite_ancilla([0.0, omega], beta=beta)


def oscillator_ancilla(omega: float, beta: float, levels: int | None = None, bound: float = 1e-6) -> Ancilla:
    """An oscillator ancilla in its thermal state.

    Parameters
    ----------
    omega, beta : float
        omega > 0 and beta > 0.
    levels : int, optional
        Fock states kept.  By default none are lost: thermal weights reach a tail of 1e-16, and a collision that
        exchanges excitations is computed block by block (`CollisionModel`, construction "split" or "matched").
    bound : float
        Largest neglected population accepted with `levels`.

    Raises
    ------
    ValueError
        If beta omega <= 0, or if `levels` neglects a population above `bound`.
    """
    x = beta * omega
    if not x > 0:
        raise ValueError(f"an oscillator ancilla needs beta * omega > 0, but has beta = {beta:g}, omega = {omega:g}")
    # two levels more than the tail needs, so that even the weight of one excitation is exact relative to itself
    full = 2 if math.isinf(x) else math.ceil(-math.log(NEGLIGIBLE) / x) + 2
    if levels is None:
        if full > MOST_LEVELS:
            raise ValueError(
                f"the oscillator ancilla needs {full} levels at T = {1 / beta:g}: it is too hot for a ladder"
            )
        count, neglected = full, 0.0
    else:
        count, neglected = int(levels), math.exp(-levels * x)
        if neglected > bound:
            needed = math.ceil(-math.log(bound) / x)
            raise ValueError(
                f"`levels` = {levels} neglects a thermal population of {neglected:.3g}, above the bound {bound:g}:"
                f" take at least {needed} levels"
            )
    n = np.arange(count, dtype=np.float64)
    weights = np.where(n == 0, 1.0, 0.0) if math.isinf(x) else np.exp(-x * n)
    ladder = levels is None
    return Ancilla(omega * n, weights / weights.sum(), _no_matrix() if ladder else lowering(count), ladder, neglected)


def _no_matrix() -> NDArray[np.complex128]:
    """An untruncated ladder has no matrix: its collisions are computed from sqrt(n) directly."""
    return np.zeros((0, 0), dtype=complex)
