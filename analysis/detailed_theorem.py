r"""The detailed fluctuation theorem, ln P(x) / P(-x) = a x, with the slope by maximum likelihood.

Given its magnitude, the sign of x is a coin with P(+) = 1 / (1 + e^{-a|x|}).  The slope is that of a logistic
regression without constant, which needs no bins, has no trouble with magnitudes that occurred with one sign only, and
no bias from them.  Bins serve the figure and a chi-square for the shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import expit

from . import style
from .columns import Source, column, is_ensemble
from .distributions import atoms
from .estimates import Estimate
from .goodness import Goodness
from .integral_theorem import IntegralTheorem, integral_fluctuation_theorem

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DetailedTheorem:
    """The slope of ln P(x) / P(-x) against x, and the points of the figure.

    Attributes
    ----------
    name : str
    slope : Estimate
        Maximum-likelihood slope; (inf, inf) if no negative value occurred.
    expected : float
    z : float
        Score test of the expected slope, in standard errors; stays meaningful where negative values are few.
    negative : int
        Trajectories with x < 0, the ones that carry the information.
    negative_expected : float
        How many of them the expected slope predicts, given the magnitudes.
    shape : Goodness
        Chi-square of the signs in bins of the magnitude against the expected slope.
    x, log_ratio, log_ratio_error : (k,) float
        Per bin: -ln <e^{-a x}>_{x > 0} / a, which makes the relation exact in a bin of any width; ln N(x) / N(-x)
        with half a count added to each; its error.
    n : int
    """

    name: str
    slope: Estimate
    expected: float
    z: float
    negative: int
    negative_expected: float
    shape: Goodness
    x: Floats
    log_ratio: Floats
    log_ratio_error: Floats
    n: int

    def plot(self, ax: Any = None) -> Any:
        """ln P(x)/P(-x) with errors, the fitted slope and the expected one."""
        ax = style.axes(ax)
        style.points(ax, self.x, self.log_ratio, self.log_ratio_error, label=f"{self.n} trajectories")
        reach = np.array([0.0, float(self.x.max()) if len(self.x) else 1.0])
        ax.plot(
            reach, self.expected * reach, color=style.INK, linewidth=1.2, label=f"slope {self.expected:.4g}", zorder=0
        )
        if math.isfinite(self.slope.value):
            ax.plot(reach, self.slope.value * reach, color=style.RED, linewidth=1.2, ls="--", label=f"fit {self.slope}")
        ax.set(xlabel=self.name, ylabel=r"$\ln\,P(x)/P(-x)$")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        return (
            f"ln P(x)/P(-x) of {self.name}: slope {self.slope}, expected {self.expected:.6g} "
            f"({self.z:+.2f} standard errors), from {self.negative} negative values among {self.n}."
        )


def detailed_fluctuation_theorem(
    source: Source, quantity: str | None = None, *, expected: float = 1.0, bins: int = 24
) -> DetailedTheorem:
    """Test ln P(x) / P(-x) = expected · x.

    Holds for the entropy production of a steady state whose reversed process has the same law (no protocol, no field
    that changes sign), and asymptotically for ``Δβ Q``.  Infinite values have no mirror image and are left out.

    Parameters
    ----------
    source : Ensemble, mapping or (n,) array_like
    quantity : str, optional
        ``"entropy_production"`` for an ensemble if omitted.
    expected : float
        The slope to test, nonzero: 1 for Σ, Δβ for a heat.
    bins : int
        Bins of the figure where the support is not discrete.
    """
    if expected == 0 or not math.isfinite(expected):
        raise ValueError(f"`expected` must be a finite slope other than zero, but is {expected}.")
    wanted = "entropy_production" if quantity is None and is_ensemble(source) else quantity
    col = column(source, wanted)
    values = col.finite()
    magnitude, positive = np.abs(values), values > 0
    some = magnitude > 1e-12 * max(1.0, float(magnitude.max(initial=0.0)))
    magnitude, positive = magnitude[some], positive[some]
    if len(magnitude) == 0:
        raise ValueError(f"column {col.name!r} has no finite value other than zero: there is no slope to test.")
    groups = _bins(magnitude, bins)
    score, information = _score(expected, magnitude, positive)
    x, y, e = _points(expected, magnitude, positive, groups)
    return DetailedTheorem(
        name=col.name,
        slope=_fit(magnitude, positive),
        expected=float(expected),
        z=score / math.sqrt(information) if information > 0 else 0.0,
        negative=int((~positive).sum()),
        negative_expected=float(expit(-expected * magnitude).sum()),
        shape=_shape(expected, magnitude, positive, groups),
        x=x,
        log_ratio=y,
        log_ratio_error=e,
        n=len(col),
    )


def _score(slope: float, magnitude: Floats, positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Derivative of the log-likelihood of the signs, and its Fisher information."""
    chance = expit(slope * magnitude)
    return float((magnitude * (positive - chance)).sum()), float((magnitude**2 * chance * (1 - chance)).sum())


def _fit(magnitude: Floats, positive: NDArray[np.bool_]) -> Estimate:
    """Newton's method on the (concave) log-likelihood, in units of the magnitude's scale."""
    if positive.all() or not positive.any():
        return Estimate(math.inf if positive.all() else -math.inf, math.inf)
    scale = float(np.sqrt(np.mean(magnitude**2)))
    unit, slope, information = magnitude / scale, 0.0, 1.0
    for _ in range(100):
        score, information = _score(slope, unit, positive)
        step = score / information
        slope += max(-2.0, min(2.0, step))
        if abs(step) < 1e-10 * max(1.0, abs(slope)):
            break
    return Estimate(slope / scale, 1.0 / (math.sqrt(information) * scale))


def _bins(magnitude: Floats, bins: int) -> NDArray[np.int64]:
    """Bin of each magnitude: one per value if there are few, else equal widths up to where data thin out."""
    found = atoms(magnitude)
    if len(found.support) <= 2 * bins:
        middle = (found.support[1:] + found.support[:-1]) / 2
        return np.searchsorted(middle, magnitude)
    reach = float(np.quantile(magnitude, 1 - min(0.5, 20 / len(magnitude))))
    return np.minimum((magnitude * (bins / reach)).astype(np.int64), bins)


def _points(
    slope: float, magnitude: Floats, positive: NDArray[np.bool_], group: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats]:
    """Abscissa, ln ratio and error of each bin with at least ten trajectories, both signs among them."""
    size = int(group.max()) + 1
    plus = np.bincount(group, positive, size)
    minus = np.bincount(group, ~positive, size)
    weighted = np.bincount(group, positive * np.exp(-slope * magnitude), size)
    keep = (plus + minus >= 10) & (plus > 0) & (minus > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = -np.log(weighted / plus) / slope
        y = np.log((plus + 0.5) / (minus + 0.5))
    return x[keep], y[keep], np.sqrt(1 / (plus + 0.5) + 1 / (minus + 0.5))[keep]


def _shape(slope: float, magnitude: Floats, positive: NDArray[np.bool_], group: NDArray[np.int64]) -> Goodness:
    """Chi-square of the negative signs per bin; neighbours are pooled until the variance reaches four events."""
    size = int(group.max()) + 1
    chance = expit(-slope * magnitude)
    excess = np.bincount(group, ~positive - chance, size)
    variance = np.bincount(group, chance * (1 - chance), size)
    statistic, dof, run, spread = 0.0, 0, 0.0, 0.0
    for d, v in zip(excess, variance, strict=True):
        run, spread = run + d, spread + v
        if spread >= 4.0:
            statistic, dof, run, spread = statistic + run**2 / spread, dof + 1, 0.0, 0.0
    return Goodness("chi-square", statistic, dof, float(stats.chi2.sf(statistic, dof)) if dof else 1.0)


@dataclass(frozen=True)
class HeatExchange:
    """Both theorems for the heat that passed from one bath to another, times the difference of their β.

    Attributes
    ----------
    integral : IntegralTheorem
    detailed : DetailedTheorem
    affinity : float
        β_cold - β_hot.
    """

    integral: IntegralTheorem
    detailed: DetailedTheorem
    affinity: float

    def plot(self, ax: Any = None) -> Any:
        """The detailed form."""
        return self.detailed.plot(ax)

    def __repr__(self) -> str:
        return f"Heat exchange with Δβ = {self.affinity:.6g}: {self.integral!r} {self.detailed!r}"


def heat_exchange_fluctuation_theorem(
    source: Source, hot: str, cold: str, *, beta: Sequence[float] | None = None
) -> HeatExchange:
    """Jarzynski and Wójcik (2004): P(Q) / P(-Q) = e^{Δβ Q} for the heat Q passed from `hot` to `cold`.

    Q is half the difference of the two heats.  Exact where the system's own energy and entropy do not count (it
    starts and ends in the same state); in a steady state it holds for long times in its detailed form, while the
    integral form may fail at any time, since boundary terms of order one weigh on the tails.

    Parameters
    ----------
    source : Ensemble or mapping of (n,) arrays
    hot, cold : str
        Names of the baths.
    beta : (beta_hot, beta_cold), optional
        From the ensemble if omitted.
    """
    first, second = column(source, hot), column(source, cold)
    b = beta if beta is not None else (source.beta[hot], source.beta[cold])
    affinity = float(b[1]) - float(b[0])
    passed: ArrayLike = affinity * (first.values - second.values) / 2
    name = f"Δβ·Q({hot} to {cold})"
    return HeatExchange(
        integral_fluctuation_theorem(passed, name), detailed_fluctuation_theorem(passed, name), affinity
    )
