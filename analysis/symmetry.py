"""The Gallavotti-Cohen symmetry of a scaled cumulant generating function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import style

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Symmetry:
    """λ(s) against λ(-s - A) on a grid.

    Attributes
    ----------
    s : (k,) float
    value, mirrored : (k,) float
        λ(s) and λ(-s - A).
    affinity : float
        A.
    """

    s: Floats
    value: Floats
    mirrored: Floats
    affinity: float

    @property
    def residual(self) -> float:
        """Largest difference relative to the largest magnitude of λ on the grid."""
        size = max(float(np.abs(self.value).max()), float(np.abs(self.mirrored).max()), 1e-300)
        return float(np.abs(self.value - self.mirrored).max()) / size

    def holds(self, tolerance: float = 1e-9) -> bool:
        """Whether the symmetry holds within a relative tolerance."""
        return self.residual <= tolerance

    def plot(self, ax: Any = None) -> Any:
        """λ(s), with λ(-s - A) as points on it."""
        ax = style.axes(ax)
        ax.plot(self.s, self.value, label=r"$\lambda(s)$")
        ax.plot(self.s, self.mirrored, "o", mfc="none", color=style.RED, label=r"$\lambda(-s-A)$")
        ax.axvline(-self.affinity / 2, color=style.MUTED, linewidth=0.8, linestyle=":")
        ax.set(xlabel="s", ylabel=r"$\lambda$", title=f"residual {self.residual:.1e}")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        return f"λ(s) = λ(-s - {self.affinity:.6g}) holds to {self.residual:.2g} of its size at {len(self.s)} points."


def gallavotti_cohen(scgf: Callable[[float], Any], affinity: float, s: ArrayLike | None = None) -> Symmetry:
    """Check λ(s) = λ(-s - A), A = β_R - β_L for the heat from L with λ(s) = lim ln <e^{s Q_L}> / t.

    Parameters
    ----------
    scgf : callable
        λ at one real s; an array-valued function of an array is called point by point.
    affinity : float
        A, the entropy produced per unit of the counted quantity.
    s : (k,) array_like, optional
        Points; by default 21 over a width of two affinities around the centre of symmetry (zero and its image
        included).
    """
    if not np.isfinite(affinity):
        raise ValueError(f"`affinity` must be finite, but is {affinity}: a bath at T = 0 has no reversed process.")
    width = abs(affinity) if affinity != 0 else 1.0
    points = -affinity / 2 + width * np.linspace(-1, 1, 21) if s is None else np.atleast_1d(np.asarray(s, dtype=float))
    value = np.array([float(np.real(scgf(float(x)))) for x in points])
    mirrored = np.array([float(np.real(scgf(float(-x - affinity)))) for x in points])
    return Symmetry(points, value, mirrored, float(affinity))
