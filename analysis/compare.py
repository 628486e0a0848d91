r"""Sampled numbers against exact ones: z-scores, a verdict, and how often a right program would fail it.

Under the hypothesis that the sampling is right, each z-score is close to a standard normal number.  Among m of them
the largest exceeds z with probability :math:`1 - (1 - p(z))^m` if independent, and never with more than
:math:`m\,p(z)`, p the two-sided tail. The verdict uses the limit z* with :math:`m\,p(z^*) = \alpha`, so that the
false-alarm rate is at most α whatever the correlations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from . import style
from .estimates import Estimate
from .goodness import Goodness


@dataclass(frozen=True)
class Comparison:
    """One sampled number and its exact value.

    Attributes
    ----------
    name : str
    sampled : Estimate
    exact : float
    p_value : float or None
        Of a test that is not Gaussian (chi-square), in place of the deviation.
    group : str
        Heading under which reports put the row.
    """

    name: str
    sampled: Estimate
    exact: float
    p_value: float | None = None
    group: str = ""

    @property
    def z(self) -> float:
        """Deviation in standard errors; 0 where both agree to rounding without an error.

        Of a test with a p-value, the deviation of a Gaussian number that is as improbable.
        """
        if self.p_value is not None:
            return float(stats.norm.isf(self.p_value / 2))
        if math.isclose(self.sampled.value, self.exact, rel_tol=1e-12, abs_tol=1e-14):
            return 0.0
        return self.sampled.deviation(self.exact)


@dataclass(frozen=True)
class Verdict:
    """A table of comparisons and what to conclude.

    Attributes
    ----------
    rows : tuple of Comparison
    false_alarm : float
        Largest probability that a right program fails.
    n : int
        Trajectories behind the sampled numbers.
    notes : tuple of str
        What was not compared, and why.
    """

    rows: tuple[Comparison, ...]
    false_alarm: float = 0.001
    n: int = 0
    notes: tuple[str, ...] = ()

    @property
    def comparisons(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def limit(self) -> float:
        """Largest z-score allowed, from the false-alarm rate shared among the comparisons."""
        return float(stats.norm.isf(self.false_alarm / (2 * max(self.comparisons, 1))))

    @property
    def largest(self) -> float:
        """Largest z-score in magnitude; inf if one is undefined."""
        return max((abs(r.z) if not math.isnan(r.z) else math.inf for r in self.rows), default=0.0)

    @property
    def p_value(self) -> float:
        """Probability (at most) that a right program shows a larger one."""
        return min(1.0, self.comparisons * 2 * float(stats.norm.sf(self.largest)))

    @property
    def passed(self) -> bool:
        """Whether every row is within the limit."""
        return self.largest <= self.limit

    def failures(self) -> tuple[Comparison, ...]:
        """The rows beyond the limit."""
        return tuple(r for r in self.rows if not abs(r.z) <= self.limit)

    def plot(self, ax: Any = None) -> Any:
        """The z-scores with the limit."""
        ax = style.axes(ax, size=(5.2, 0.9 + 0.28 * max(self.comparisons, 2)))
        z = np.array([r.z for r in self.rows])
        shown = np.clip(np.nan_to_num(z, nan=1e9), -2 * self.limit, 2 * self.limit)
        colors = [style.BLUE if abs(v) <= self.limit else style.RED for v in z]
        ax.axvspan(-1, 1, color=style.GRID, zorder=-2)
        ax.scatter(shown, range(len(z)), color=colors, s=22)
        for side in (-self.limit, self.limit):
            ax.axvline(side, color=style.MUTED, linestyle="--", linewidth=1.0)
        ax.set_yticks(range(len(z)), [r.name for r in self.rows])
        ax.set(xlabel="deviation in standard errors", ylim=(len(z) - 0.5, -0.5))
        return ax

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        head = "agrees with" if self.passed else "deviates from"
        return (
            f"The ensemble {head} the exact values: {self.comparisons} comparisons, largest off by {self.largest:.2f} "
            f"standard errors, limit {self.limit:.2f} (a right program fails in at most {100 * self.false_alarm:g} %)."
        )

    def __repr__(self) -> str:
        return "\n".join([self.sentence, *self.notes, str(self)])

    def __str__(self) -> str:
        from .table import _aligned

        lines = [["quantity", "sampled", "exact", "z"]]
        lines += [[r.name, str(r.sampled), f"{r.exact:.8g}", f"{r.z:+.2f}"] for r in self.rows]
        return _aligned(lines)


def judge(rows: Sequence[Comparison], *, false_alarm: float = 0.001, n: int = 0, notes: Sequence[str] = ()) -> Verdict:
    """Collect comparisons into a verdict.

    Parameters
    ----------
    rows : sequence of Comparison
    false_alarm : float
        Largest probability that a right program fails, shared among the comparisons (Bonferroni).
    n : int
        Trajectories, for the record.
    notes : sequence of str
        What was not compared, and why.
    """
    if not 0 < false_alarm < 1:
        raise ValueError(f"`false_alarm` must be a probability, but is {false_alarm}.")
    return Verdict(tuple(rows), false_alarm, n, tuple(notes))


def compare_mean(
    name: str, sampled: float, n: int, exact: float, exact_variance: float, *, event: float = 0.0
) -> Comparison:
    """Compare a sampled mean with an error from the *exact* variance.

    The sampled variance would go with the mean where events are rare: a sample that happens to hold few has a small
    variance too, and its deviation looks significant.

    Parameters
    ----------
    sampled : float
        Mean over n trajectories.
    exact, exact_variance : float
        Of one trajectory.
    event : float
        Size of one rare event (a quantum of heat): one event more or less among n is never significant.
    """
    return Comparison(name, Estimate(sampled, math.sqrt(max(exact_variance, 0.0) / n + (event / n) ** 2)), float(exact))


def compare_distribution(name: str, test: Goodness) -> Comparison:
    """Turn a chi-square of counts against an exact distribution into a row: statistic against degrees of freedom."""
    return Comparison(name, Estimate(test.statistic, math.sqrt(2.0 * max(test.dof, 1))), float(test.dof), test.p_value)


def compare_variance(
    name: str,
    cumulants: ArrayLike,
    n: int,
    exact: float,
    *,
    exact_fourth: float | None = None,
    event: float = 0.0,
) -> Comparison:
    """Compare a sampled variance with an error from the fourth cumulant.

    Parameters
    ----------
    cumulants : (4,) float
        Sampled k-statistics.
    exact : float
        Exact variance, used in the error too.
    exact_fourth : float, optional
        Exact fourth cumulant; the sampled one if omitted, which is poor for rare events.
    event : float
        Size of one rare event: its square over n is the least error.
    """
    sampled = np.asarray(cumulants, dtype=float)
    fourth = float(sampled[3]) if exact_fourth is None else float(exact_fourth)
    square = fourth / n + 2 * exact**2 / max(n - 1, 1)
    error = math.sqrt(max(square, 0.0) + (event**2 / n) ** 2)
    return Comparison(name, Estimate(float(sampled[1]), error), float(exact))
