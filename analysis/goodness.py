"""How well counts or samples agree with an exact distribution: chi-square with pooled bins, and Kolmogorov-Smirnov."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Goodness:
    """Outcome of a test of samples against a distribution.

    Attributes
    ----------
    test : str
    statistic : float
    dof : int
        Degrees of freedom of the chi-square; the sample size for Kolmogorov-Smirnov.
    p_value : float
        Probability of a larger statistic if the distribution is right.
    """

    test: str
    statistic: float
    dof: int
    p_value: float

    def __repr__(self) -> str:
        degrees = "degrees of freedom" if self.test == "chi-square" else "samples"
        return f"{self.test} {self.statistic:.4g} with {self.dof} {degrees}: p = {self.p_value:.3g}."


def pooled(counts: ArrayLike, expected: ArrayLike, least: float = 5.0) -> tuple[Floats, Floats]:
    """Merge neighbouring bins until each expects `least` counts; a last bin short of it joins the one before."""
    seen: list[float] = []
    due: list[float] = []
    fill, want = 0.0, 0.0
    for k, e in zip(np.asarray(counts, dtype=float), np.asarray(expected, dtype=float), strict=True):
        fill, want = fill + k, want + e
        if want >= least:
            seen.append(fill)
            due.append(want)
            fill, want = 0.0, 0.0
    if want > 0.0 or fill > 0.0:
        if seen:
            seen[-1] += fill
            due[-1] += want
        else:
            seen, due = [fill], [want]
    return np.array(seen), np.array(due)


def chi_square(counts: ArrayLike, probability: ArrayLike, *, n: int | None = None, least: float = 5.0) -> Goodness:
    """Pearson's test of counted bins against exact probabilities, neighbours with few expected counts pooled.

    Parameters
    ----------
    counts : (k,) int
        Counts of each bin, in the order of the support.
    probability : (k,) float
        Exact probability of each bin.
    n : int, optional
        Number of trajectories; the sum of counts if omitted.  What the bins do not cover is one more bin.
    least : float
        Least expected count of a pooled bin.

    Returns
    -------
    Goodness
        With p_value 0 if something happened whose exact probability is zero.
    """
    k, p = np.asarray(counts, dtype=float), np.asarray(probability, dtype=float)
    if k.shape != p.shape or k.ndim != 1:
        raise ValueError(f"`counts` and `probability` must be lists of one length, but have {k.shape} and {p.shape}.")
    if (p < -1e-12).any() or p.sum() > 1 + 1e-9:
        raise ValueError(f"`probability` must be probabilities, but has least {p.min():.3g} and sum {p.sum():.12g}.")
    total = float(k.sum()) if n is None else float(n)
    impossible = bool((k[p <= 0] > 0).any())
    outside, rest = total - float(k.sum()), max(0.0, 1.0 - float(p.sum()))
    seen, due = pooled(np.append(k, outside), total * np.append(np.maximum(p, 0.0), rest), least)
    if impossible:
        return Goodness("chi-square", np.inf, max(len(seen) - 1, 1), 0.0)
    statistic = float(((seen - due) ** 2 / np.where(due > 0, due, 1.0)).sum())
    dof = len(seen) - 1
    return Goodness("chi-square", statistic, dof, float(stats.chi2.sf(statistic, dof)) if dof > 0 else 1.0)


def kolmogorov_smirnov(samples: ArrayLike, reference: Callable[[Floats], Floats] | ArrayLike) -> Goodness:
    """Largest distance of the samples' distribution function from an exact one (a callable) or another sample's.

    Meant for continuous quantities; with atoms (heat in quanta) its p-value is too large and `chi_square` is the
    test.
    """
    x = np.asarray(samples, dtype=float)
    if callable(reference):
        cdf: Any = reference
        result = stats.kstest(x, cdf)
        return Goodness("Kolmogorov-Smirnov", float(result.statistic), len(x), float(result.pvalue))
    other = stats.ks_2samp(x, np.asarray(reference, dtype=float))
    return Goodness("two-sample Kolmogorov-Smirnov", float(other.statistic), len(x), float(other.pvalue))
