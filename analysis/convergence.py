"""The certificate of convergence: errors fall as n^(-1/2) with trajectories and as τ or τ² with collision time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import style
from .columns import Source, column
from .estimates import Estimate, as_estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Convergence:
    """An error that falls as a power, measured.

    Attributes
    ----------
    name : str
    variable : str
        What is refined: ``"ntraj"`` or ``"tau"``.
    x : (k,) float
    size, size_error : (k,) float
        Error at each x, and how well it is known (0 where it is exact).
    slope : Estimate
        Of ln size against ln x.
    prefactor : float
        Of the fitted power.
    expected : float
    """

    name: str
    variable: str
    x: Floats
    size: Floats
    size_error: Floats
    slope: Estimate
    prefactor: float
    expected: float

    @property
    def z(self) -> float:
        """Deviation of the slope from the expected one in standard errors."""
        return self.slope.deviation(self.expected)

    def holds(self, tolerance: float = 0.0, sigmas: float = 4.0) -> bool:
        """Whether the slope is the expected one within `sigmas` of its errors plus an absolute `tolerance`."""
        return abs(self.slope.value - self.expected) <= sigmas * self.slope.error + tolerance

    def plot(self, ax: Any = None) -> Any:
        """Error against x on logarithmic axes with the fitted power."""
        ax = style.axes(ax)
        style.points(ax, self.x, self.size, self.size_error if self.size_error.any() else None, label=self.name)
        ax.plot(
            self.x,
            self.prefactor * self.x**self.slope.value,
            color=style.INK,
            linewidth=1.1,
            label=f"slope {self.slope}",
        )
        ax.set(xlabel="trajectories" if self.variable == "ntraj" else "τ", ylabel="error")
        style.logarithmic(ax, x=True, y=True)
        ax.legend()
        return ax

    def __repr__(self) -> str:
        return (
            f"The error of {self.name} falls with {self.variable} with slope {self.slope} (expected {self.expected:g})."
        )


def convergence_in_ntraj(
    source: Source, quantity: str | None = None, *, exact: float | None = None, levels: int = 8, least: int = 16
) -> Convergence:
    """How the error of a mean falls with the number of trajectories: slope -1/2.

    The ensemble is cut into one part per size, so that the points of the fit are independent; within a part the root
    mean square error of the means of blocks of that size is taken.

    Parameters
    ----------
    source : Ensemble, mapping or (n,) array_like
    quantity : str, optional
    exact : float, optional
        The true mean; the ensemble's own if omitted (which hides a bias: pass the exact one where there is).
    levels : int
        Number of sizes, from 16 up in equal ratios.
    least : int
        Least number of blocks of the largest size.
    """
    col = column(source, quantity)
    part = len(col) // levels
    if part < 32 * least:
        raise ValueError(
            f"at least {32 * least * levels} trajectories are needed for {levels} sizes, but there are {len(col)}."
        )
    sizes = np.unique(np.geomspace(16, part // least, levels).astype(int))
    truth = float(col.values.mean()) if exact is None else float(exact)
    size, error = np.empty(len(sizes)), np.empty(len(sizes))
    for k, m in enumerate(sizes):
        values = col.values[k * part : k * part + (part // m) * m].reshape(-1, m)
        square = (values.mean(axis=1) - truth) ** 2
        size[k] = np.sqrt(square.mean())
        error[k] = square.std(ddof=1) / np.sqrt(len(square)) / (2 * size[k]) if size[k] > 0 else 0.0
    return _fit(col.name, "ntraj", sizes.astype(float), size, error, -0.5)


def convergence_in_tau(
    deviation: Callable[[float], Any] | ArrayLike,
    tau: Sequence[float] | ArrayLike,
    *,
    expected: float = 1.0,
    name: str = "the collision model",
) -> Convergence:
    """How the deviation from the limit τ → 0 falls with the collision time: slope 1 (2 for matched angles).

    Parameters
    ----------
    deviation : callable or (k,) array_like
        The deviation at τ, as a number or (sampled) an Estimate; or the list of deviations.
    tau : (k,) array_like
        Collision times, at least three.
    expected : float
        Order of the construction.
    name : str
        What deviates.
    """
    times = np.asarray(tau, dtype=float)
    raw = [deviation(float(t)) for t in times] if callable(deviation) else list(np.asarray(deviation, dtype=float))
    found = [as_estimate(d) for d in raw]
    size = np.abs([d.value for d in found])
    return _fit(name, "tau", times, size, np.array([d.error for d in found]), expected)


def local_slopes(result: Convergence) -> Floats:
    """Slope between neighbouring points, (k - 1,): tends to the order where the asymptotic range is reached."""
    return np.asarray(np.diff(np.log(result.size)) / np.diff(np.log(result.x)))


def _fit(name: str, variable: str, x: Floats, size: Floats, error: Floats, expected: float) -> Convergence:
    """Straight line through the logarithms: weighted by known errors, else with the error from the residuals."""
    if len(x) < 3 or (size <= 0).any() or (x <= 0).any():
        raise ValueError(f"the fit needs at least three positive errors, but they are {size.tolist()} at {x.tolist()}.")
    known = bool((error > 0).all())
    weight = (size / error) ** 2 if known else np.ones_like(size)
    a, b = np.log(x), np.log(size)
    centre = (weight * a).sum() / weight.sum()
    spread = (weight * (a - centre) ** 2).sum()
    slope = (weight * (a - centre) * b).sum() / spread
    level = (weight * b).sum() / weight.sum() - slope * centre
    scatter = 1.0 if known else ((b - level - slope * a) ** 2).sum() / (len(x) - 2)
    estimate = Estimate(float(slope), float(np.sqrt(scatter / spread)))
    return Convergence(name, variable, x, size, error, estimate, float(np.exp(level)), expected)


@dataclass(frozen=True)
class Certificate:
    """Both convergences beside each other.

    Attributes
    ----------
    parts : tuple of Convergence
    """

    parts: tuple[Convergence, ...]

    @property
    def holds(self) -> bool:
        """Whether every part does; a slope in τ may be off by 0.1, since τ is never small enough."""
        return all(p.holds(tolerance=0.1 if p.variable == "tau" else 0.0) for p in self.parts)

    def plot(self, axes: Sequence[Any] | None = None) -> Sequence[Any]:
        """One panel for each part."""
        panels = style.grid_of_axes(len(self.parts)) if axes is None else axes
        for part, ax in zip(self.parts, panels, strict=True):
            part.plot(ax)
        return panels

    def __repr__(self) -> str:
        return ("Converged: " if self.holds else "Not converged as expected: ") + " ".join(map(repr, self.parts))


def certificate(*parts: Convergence) -> Certificate:
    """Put several convergences together."""
    return Certificate(tuple(parts))
