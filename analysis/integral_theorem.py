r"""The integral fluctuation theorem, with an error that says when rare events carry the average.

.. math:: \langle e^{-\Sigma} \rangle = \int d\Sigma\, P(\Sigma)\, e^{-\Sigma} = \int d\Sigma\, \tilde P(-\Sigma) .

The integrand is the distribution of the *reversed* process, mirrored.  The average is therefore made by trajectories
that look like reversed typical ones, at Σ near minus the typical Σ, and about e^{<Σ>} trajectories are needed to meet
one (Jarzynski 2006).  A sample that holds none of them has a mean below one and a small scatter: its standard error
lies.
"""

from dataclasses import dataclass
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import style
from .columns import Source, column, entropy_by_default
from .estimates import Estimate
from .generating_function import effective_size

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IntegralTheorem:
    """The average of e^{-Σ} and how far it can be trusted.

    Attributes
    ----------
    name : str
    average : Estimate
        With the statistical error and `unseen` added in quadrature.
    expected : float
        1, or the exact value where the reversed process can leave the support of the start (absolute
        irreversibility).
    statistical : float
        Standard error of the mean alone, not below one event.
    unseen : float
        Share of the average that lies at Σ below everything sampled, read off the mirrored tail of the sample.  Exact
        where the reversed process has the law of the forward one (a steady state without a protocol); 0 where not
        asked.
    effective_size : float
        How many trajectories the average really has, (sum w)^2 / sum w^2.
    largest_share : float
        Share of the average that hangs on one trajectory.
    infinite : float
        Share of trajectories with Σ = +inf, which contribute 0.
    mean : float
        Mean of the finite Σ.
    n : int
    """

    name: str
    average: Estimate
    expected: float
    statistical: float
    unseen: float
    effective_size: float
    largest_share: float
    infinite: float
    mean: float
    n: int

    @property
    def z(self) -> float:
        """Deviation from the expected value in standard errors."""
        return self.average.deviation(self.expected)

    @property
    def needed(self) -> float:
        """Trajectories it takes to meet one that matters, e^{<Σ>}."""
        return math.exp(min(self.mean, 700.0))

    @property
    def rare_events_dominate(self) -> bool:
        """Whether the average hangs on too few trajectories, or on some that the sample cannot hold."""
        return self.effective_size < min(100.0, 0.5 * self.n) or self.unseen > max(0.05, 2 * self.statistical)

    def __repr__(self) -> str:
        verdict = (
            f"rare events dominate (effective sample {self.effective_size:.3g} of {self.n}, "
            f"{100 * self.unseen:.2g} % of the average unseen, about {self.needed:.2g} trajectories needed)"
            if self.rare_events_dominate
            else f"{abs(self.z):.2g} standard errors from {self.expected:.6g}"
        )
        return f"<exp(-{self.name})> = {self.average}: {verdict}."

    def plot(self, ax: Any = None) -> Any:
        """The average with its error against the expected value."""
        ax = style.axes(ax, size=(3.2, 3.0))
        color = style.RED if self.rare_events_dominate else style.BLUE
        style.points(ax, [0], [self.average.value], [self.average.error], color=color)
        style.bound_line(ax, self.expected, f"expected {self.expected:.4g}")
        ax.set(xticks=[], xlim=(-1, 1), ylabel=r"$\langle e^{-\Sigma}\rangle$", title=self.name)
        ax.legend()
        return ax


def integral_fluctuation_theorem(
    source: Source, quantity: str | None = None, *, expected: float = 1.0, symmetric: bool = True
) -> IntegralTheorem:
    """Average e^{-Σ} over an ensemble and compare it with its exact value.

    Parameters
    ----------
    source : Ensemble, mapping or (n,) array_like
    quantity : str, optional
        ``"entropy_production"`` for an ensemble if omitted.
    expected : float
        1, or the exact value where the start lacks states (absolute irreversibility).
    symmetric : bool
        Whether the reversed process has the law of the forward one, so that the mirrored tail tells what the sample
        cannot hold.  True for a steady state; set False for a relaxation or a sure start.
    """
    col = column(source, entropy_by_default(source, quantity))
    finite = np.sort(col.finite())
    weight = _weights(col.values)
    n, average = len(col), float(weight.mean())
    one_event = (float(weight.max() - weight.min()) or (1.0 if average == 0.0 else 0.0)) / n
    statistical = math.hypot(float(weight.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan, one_event)
    unseen = _mirrored_tail(finite) * len(finite) / n if symmetric and len(finite) else 0.0
    return IntegralTheorem(
        name=col.name,
        average=Estimate(average, math.hypot(statistical, unseen)),
        expected=float(expected),
        statistical=statistical,
        unseen=unseen,
        effective_size=effective_size(weight) if average > 0 else 0.0,
        largest_share=float(weight.max() / weight.sum()) if average > 0 else 1.0,
        infinite=float(np.isposinf(col.values).mean()),
        mean=float(finite.mean()) if len(finite) else math.inf,
        n=n,
    )


def _weights(values: Floats) -> Floats:
    """e^{-Σ}, 0 for Σ = +inf; Σ = -inf cannot happen to a trajectory that happened."""
    if np.isneginf(values).any():
        raise ValueError("entropy production holds -inf: a trajectory opened in a state of probability zero.")
    if values.min() < -700.0:
        raise ValueError(f"the least value {values.min():.4g} overflows exp: this is not an entropy production.")
    return np.exp(-values)


def _mirrored_tail(finite: Floats) -> float:
    """Share of the sorted finite values that lie above minus the least one."""
    least = finite[0]
    above = len(finite) - np.searchsorted(finite, -least + 1e-9 * max(1.0, abs(least)), side="right")
    return float(above / len(finite))
