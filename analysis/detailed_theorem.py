r"""The detailed fluctuation theorem, ln P(x) / P(-x) = a x, with the slope by maximum likelihood.

Given its magnitude, the sign of x is a coin with P(+) = 1 / (1 + e^{-a|x|}); likewise the origin of a value from the
forward or the backward process.  The slope is that of a logistic
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
from .columns import Column, Source, column, entropy_by_default
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
        Trajectories with x < 0 (backward ones, if they were given), which carry the information.
    negative_expected : float
        How many of them the expected slope predicts, given the magnitudes.
    shape : Goodness
        Chi-square of the signs in bins of the magnitude against the expected slope.
    x, log_ratio, log_ratio_error : (k,) float
        Per bin: -ln <e^{-a x}>_{x > 0} / a, which makes the relation exact in a bin of any width; ln N(x) / N(-x)
        with half a count added to each; its error.
    n : int
    backward : int
        Trajectories of the reversed process it was compared with; 0 for the mirror image.
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
    backward: int = 0

    def plot(self, ax: Any = None) -> Any:
        """ln P(x)/P(-x) with errors, the fitted slope and the expected one."""
        ax = style.axes(ax)
        style.points(ax, self.x, self.log_ratio, self.log_ratio_error, label=f"{self.n} trajectories")
        reach = np.array([min(0.0, float(self.x.min())), float(self.x.max())]) if len(self.x) else np.array([0.0, 1.0])
        ax.plot(
            reach, self.expected * reach, color=style.INK, linewidth=1.2, label=f"slope {self.expected:.4g}", zorder=0
        )
        if math.isfinite(self.slope.value):
            ax.plot(reach, self.slope.value * reach, color=style.RED, linewidth=1.2, ls="--", label=f"fit {self.slope}")
        mirrored = r"\tilde{P}(-x)" if self.backward else "P(-x)"
        ax.set(xlabel=self.name, ylabel=rf"$\ln\,P(x)/{mirrored}$")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        seen = f"{self.backward} backward" if self.backward else f"{self.negative} negative values"
        return (
            f"ln P(x)/P(-x) of {self.name}: slope {self.slope}, expected {self.expected:.6g} "
            f"({self.z:+.2f} standard errors), from {self.n} trajectories and {seen}."
        )


def detailed_fluctuation_theorem(
    source: Source,
    quantity: str | None = None,
    *,
    expected: float = 1.0,
    backward: Source | None = None,
    bins: int = 24,
) -> DetailedTheorem:
    """Test ln P(x) / P~(-x) = expected · x.

    P~ is the law of the reversed process.  Without `backward` it is taken to be P itself: right for the entropy
    production in a steady state only if the process is its own reverse: classical jump processes are; steady states
    with currents carried by coherence are not, and then only the comparison with the reversed process holds at finite
    time.  ``Δβ Q`` obeys it asymptotically.  Infinite values have no mirror image and are left out.

    Parameters
    ----------
    source : Ensemble, mapping or (n,) array_like
    quantity : str, optional
        ``"entropy_production"`` for an ensemble if omitted.
    expected : float
        The slope to test, nonzero: 1 for Σ, Δβ for a heat.
    backward : Backward, Ensemble, mapping or (m,) array_like, optional
        The same quantity in the reversed process (Crooks), with the sign that a backward run gives it; see
        `run_backwards`.
    bins : int
        Bins of the figure where the support is not discrete.
    """
    if expected == 0 or not math.isfinite(expected):
        raise ValueError(f"`expected` must be a finite slope other than zero, but is {expected}.")
    col = column(source, entropy_by_default(source, quantity))
    signs = (
        _mirrored(col.finite())
        if backward is None
        else _paired(col, column(backward, entropy_by_default(backward, quantity)))
    )
    if len(signs.x) == 0:
        raise ValueError(f"column {col.name!r} has no finite value other than zero: there is no slope to test.")
    groups = _bins(signs.x, bins)
    score, information = _score(expected, signs)
    x, y, e = _points(expected, signs, groups)
    return DetailedTheorem(
        name=col.name,
        slope=_fit(signs),
        expected=float(expected),
        z=score / math.sqrt(information) if information > 0 else 0.0,
        negative=int((~signs.forward).sum()),
        negative_expected=float(expit(-expected * signs.x - signs.offset).sum()),
        shape=_shape(expected, signs, groups),
        x=x,
        log_ratio=y,
        log_ratio_error=e,
        n=len(col),
        backward=0 if backward is None else int((~signs.forward).sum()),
    )


@dataclass(frozen=True)
class _Signs:
    """What the likelihood needs: P(forward | x) = 1 / (1 + e^{-a x - offset})."""

    x: Floats
    forward: NDArray[np.bool_]
    offset: float = 0.0


def _mirrored(values: Floats) -> _Signs:
    """One sample against its mirror image: the sign given the magnitude."""
    size = np.abs(values)
    some = size > 1e-12 * max(1.0, float(size.max(initial=0.0)))
    return _Signs(size[some], values[some] > 0)


def _paired(forward: Column, backward: Column) -> _Signs:
    """Two samples: the origin of a value, given the value (Shirts et al. 2003)."""
    a, b = forward.finite(), -backward.finite()
    x = np.concatenate([a, b])
    # the ratio of the sizes of both ensembles, infinite values included: they are part of the norm
    return _Signs(x, np.arange(len(x)) < len(a), math.log(len(forward) / len(backward)))


def _score(slope: float, signs: _Signs) -> tuple[float, float]:
    """Derivative of the log-likelihood of the origins, and its Fisher information."""
    chance = expit(slope * signs.x + signs.offset)
    return float((signs.x * (signs.forward - chance)).sum()), float((signs.x**2 * chance * (1 - chance)).sum())


def _fit(signs: _Signs) -> Estimate:
    """Newton's method on the (concave) log-likelihood, in units of the values' scale."""
    if signs.forward.all() or not signs.forward.any():
        return Estimate(math.inf if signs.forward.all() else -math.inf, math.inf)
    scale = float(np.sqrt(np.mean(signs.x**2)))
    unit = _Signs(signs.x / scale, signs.forward, signs.offset)
    slope, information = 0.0, 1.0
    for _ in range(200):
        score, information = _score(slope, unit)
        step = max(-2.0, min(2.0, score / information))
        slope += step
        if abs(step) < 1e-10 * max(1.0, abs(slope)):
            break
    return Estimate(slope / scale, 1.0 / (math.sqrt(information) * scale))


def _bins(x: Floats, bins: int) -> NDArray[np.int64]:
    """Bin of each value: one per distinct value if there are few, else equal widths up to where data thin out."""
    found = atoms(x)
    if len(found.support) <= 2 * bins:
        middle = (found.support[1:] + found.support[:-1]) / 2
        return np.searchsorted(middle, x)
    rare = min(0.25, 20 / len(x))
    low, high = np.quantile(x, [rare, 1 - rare])
    low = 0.0 if x.min() >= 0 else float(low)
    return 1 + np.clip(np.floor((x - low) * (bins / (float(high) - low))), -1, bins).astype(np.int64)


def _points(slope: float, signs: _Signs, group: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Abscissa, ln ratio and error of each bin with at least ten trajectories, both origins among them."""
    size = int(group.max()) + 1
    plus = np.bincount(group, signs.forward, size)
    minus = np.bincount(group, ~signs.forward, size)
    lowest = float(signs.x.min())  # taken off the exponent, which could overflow
    weighted = np.bincount(group, signs.forward * np.exp(-slope * (signs.x - lowest)), size)
    keep = (plus + minus >= 10) & (plus > 0) & (minus > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = lowest - np.log(weighted / plus) / slope
        y = np.log((plus + 0.5) / (minus + 0.5)) - signs.offset
    return x[keep], y[keep], np.sqrt(1 / (plus + 0.5) + 1 / (minus + 0.5))[keep]


def _shape(slope: float, signs: _Signs, group: NDArray[np.int64]) -> Goodness:
    """Chi-square of the origins per bin; neighbours are pooled until the variance reaches four events."""
    size = int(group.max()) + 1
    chance = expit(-slope * signs.x - signs.offset)
    excess = np.bincount(group, ~signs.forward - chance, size)
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
