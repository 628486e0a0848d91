"""`compare_with_exact`: every mean and second cumulant of an ensemble in standard errors, with a verdict.

The exact numbers belong to the same measurements at both ends and the same finite time, not to the long-time limit.
Errors are taken from exact cumulants wherever these are known, because sampled ones go with the sample.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import TOTALS, column
from .compare import Comparison, Verdict, compare_distribution, compare_mean, compare_variance, judge
from .cumulants import cumulants, joint_cumulant
from .distributions import atoms
from .estimates import Estimate
from .exact_laws import joint_law
from .exact_side import ExactSide
from .goodness import chi_square
from .integral_theorem import integral_fluctuation_theorem

Floats = NDArray[np.float64]

ROUNDING = 1e-9  # of the energy scale: exact zeros come out of sums of large terms
NEVER = 1e-12  # a variance below this, in units of one event's square, means that no event can happen
DISTRIBUTIONS_UP_TO = 16  # dimension of a system whose distributions are quick to get
MOST_COUNTS = 64
MOST_TIMES = 5


def compare_with_exact(
    ensemble: Any, *, false_alarm: float = 0.001, distributions: bool | None = None, exact: ExactSide | None = None
) -> Verdict:
    """Hold an ensemble against the exact side of its own model.

    Compared at the end: mean and variance of the heat of each bath, of work, energy change, entropy production and
    each count, covariances of heats, the mean of e^{-Σ}, frequencies of opening and closing outcomes, and (for small
    systems) the distribution of net quanta; on the tlist: means of the observables, mean and variance of the heats.

    Parameters
    ----------
    ensemble : Ensemble
        Its program carries the model, also when it was loaded from a file.
    false_alarm : float
        Largest probability that a right program fails, shared among all comparisons.
    distributions : bool, optional
        Whether exact distributions are computed; up to dimension 16 by default.
    exact : ExactSide, optional
        The exact side, if it is at hand already.

    Returns
    -------
    Verdict
    """
    if len(ensemble) < 2:
        raise ValueError(f"the ensemble must hold at least two trajectories to have errors, but holds {len(ensemble)}.")
    court = _Court(ensemble, ExactSide(ensemble.program) if exact is None else exact)
    rows: list[Comparison] = []
    wanted = court.exact.model.process.d <= DISTRIBUTIONS_UP_TO if distributions is None else distributions
    parts: dict[str, tuple[Callable[[], Iterator[Comparison]], ...]] = {
        "At the end": (court.totals, court.covariances, court.closing, court.theorem),
        "Counts": (court.counts,),
        "Distributions": (court.outcomes, *((court.laws,) if wanted else ())),
        "On the way": (court.in_time, court.observables),
    }
    for group, members in parts.items():
        rows += [replace(row, group=group) for part in members for row in part()]
    return judge(rows, false_alarm=false_alarm, n=len(ensemble), notes=court.notes)


class _Court:
    """The comparisons, group by group."""

    def __init__(self, ensemble: Any, exact: ExactSide) -> None:
        self.ens, self.exact, self.n = ensemble, exact, len(ensemble)
        self.notes: list[str] = []
        table = exact.model.process.counts
        self.event = float(np.abs(table.quantum).max(initial=0.0))
        spread = np.linalg.eigvalsh(np.asarray(ensemble.program.arrays["H"]))
        self.rounding = ROUNDING * max(self.event, float(spread[-1] - spread[0]), 1e-300)
        unsound = int(np.count_nonzero(ensemble.status)) if "status" in ensemble.columns else 0
        if unsound:
            self.notes.append(f"{unsound} trajectories ended early; their numbers are in the averages.")

    def totals(self) -> Iterator[Comparison]:
        """Mean and variance of every column at the end."""
        for quantity in (*(f"heat:{b}" for b in self.ens.baths), "work", "energy_change", "entropy_production"):
            values = self._values(quantity)
            if values is not None:
                yield from self._mean_and_variance(quantity, values, self.exact.cumulants(quantity))

    def covariances(self) -> Iterator[Comparison]:
        """Covariances of the heats of two baths."""
        baths = [b for b in self.ens.baths if b not in self.exact.loads]
        for k, a in enumerate(baths):
            for b in baths[k + 1 :]:
                value = self.exact.covariance(f"heat:{a}", f"heat:{b}")
                source = {a: self.ens.heat[a], b: self.ens.heat[b]}
                fourth = joint_cumulant(source, (a, a, b, b)).value
                spread = cumulants(source[a]).value[1] * cumulants(source[b]).value[1] + value**2
                error = math.sqrt(max(fourth / self.n + spread / (self.n - 1), 0.0) + (self.event**2 / self.n) ** 2)
                sampled = joint_cumulant(source, (a, b)).value
                yield Comparison(f"cov(heat:{a}, heat:{b})", Estimate(sampled, error), value)

    def counts(self) -> Iterator[Comparison]:
        """Mean and variance of each count."""
        table = self.exact.model.process.counts
        if len(table) > MOST_COUNTS:
            self.notes.append(f"The {len(table)} counts were not compared one by one.")
            return
        counted = self.ens.counts
        for k in range(len(table)):
            weight = np.eye(len(table))[k]
            exact = np.asarray(self.exact.model.cumulants_at(self.exact.time, weight, 4, self.exact.start))
            name = f"counts {table.baths[table.bath[k]]} {table.quantum[k]:+.4g}"
            yield from self._mean_and_variance(name, counted[:, k].astype(float), exact, event=1.0)

    def closing(self) -> Iterator[Comparison]:
        """What the closing measurement adds to the energy, on average.

        Where the state is nearly one of its outcomes, another one is rare and adds much: the error is not below one
        such event.
        """
        a = self.ens.program.arrays
        kets, H, rho = np.asarray(a["final_kets"]), np.asarray(a["H"]), np.asarray(a["rho_final"])
        energy = np.einsum("fa,ab,fb->f", kets.conj(), H, kets).real
        exact = float(np.asarray(a["final_p"]) @ energy - np.trace(H @ rho).real)
        coupled = np.abs(kets.conj() @ H @ kets.T) > ROUNDING
        event = float(np.abs(energy[:, None] - energy)[coupled].max())
        values = column(self.ens, "closing_energy").values
        error = math.hypot(float(values.std(ddof=1)) / math.sqrt(self.n), event / self.n, self.rounding)
        yield Comparison("<closing_energy>", Estimate(float(values.mean()), error), exact)

    def theorem(self) -> Iterator[Comparison]:
        """Mean of e^{-Σ} against its exact value, which is below one where the start has no full support."""
        if self._values("entropy_production", quiet=True) is None:
            return
        exact = self.exact.statistics.exponential_average
        sampled = integral_fluctuation_theorem(self.ens, expected=exact.mean, symmetric=False)
        if sampled.effective_size < 100 or not math.isfinite(exact.variance) or exact.variance > 0.01 * self.n:
            self.notes.append(f"<exp(-Σ)> was not compared: rare events carry it ({sampled!r})")
            return
        size = math.hypot(math.sqrt(max(exact.variance, 0.0) / self.n), ROUNDING)
        yield Comparison("<exp(-Σ)>", Estimate(sampled.average.value, size), exact.mean)

    def outcomes(self) -> Iterator[Comparison]:
        """Frequencies of the outcomes of both measurements."""
        a = self.ens.program.arrays
        for name, p in (("initial", a["initial_p"]), ("final", a["final_p"])):
            if 1 < len(p) <= self.n // 10:
                found = np.bincount(column(self.ens.column(name)).values.astype(int), minlength=len(p))
                yield compare_distribution(f"{name} outcomes (χ²)", chi_square(found, np.asarray(p), n=self.n))

    def laws(self) -> Iterator[Comparison]:
        """Distributions of the net quanta of each bath, of work and of entropy production."""
        table = self.exact.model.process.counts
        counted = self.ens.counts
        for bath in self.ens.baths:
            test = atoms(counted @ table.charge_weight(bath)).against(*self.exact.quanta(bath))
            yield compare_distribution(f"net quanta {bath} (χ²)", test)
        joint = joint_law(self.exact)
        if joint is None:
            return
        for quantity, law in (("work", joint.work), ("entropy_production", joint.entropy_production)):
            support, p = law()
            if len(support) > 1:
                yield compare_distribution(f"{quantity} (χ²)", atoms(self.ens, quantity).against(support, p))

    def in_time(self) -> Iterator[Comparison]:
        """Mean and variance of the heats before the end."""
        times = np.asarray(self.ens.tlist)
        inner = [k for k in range(len(times) - 1) if times[k] > 0]
        chosen = (
            inner
            if len(inner) <= MOST_TIMES
            else [inner[k] for k in np.linspace(0, len(inner) - 1, MOST_TIMES).astype(int)]
        )
        moments = self.ens.heat_moments() if chosen else {}
        for bath in (b for b in moments if b not in self.exact.loads):
            for k in chosen:
                exact = self.exact.heat_cumulants_at(times[k], bath)
                name, found = f"heat:{bath} at t = {times[k]:g}", np.asarray(moments[bath].value)[k]
                yield compare_mean(f"<{name}>", found[0], self.n, exact[0], exact[1], event=self.event)
                yield compare_variance(f"var({name})", found, self.n, exact[1], exact_fourth=exact[3], event=self.event)

    def observables(self) -> Iterator[Comparison]:
        """Means of the observables; their spread among trajectories is known from the sample alone."""
        means = self.ens.expect
        if not means:
            return
        exact, times = self.exact.expectations(), np.asarray(self.ens.tlist)
        chosen = np.unique(np.linspace(0, len(times) - 1, min(len(times), MOST_TIMES)).astype(int))
        for j, (name, found) in enumerate(means.items()):
            reach = float(self.exact.reaches[j])
            for k in chosen:
                # a trajectory's expectation value can differ from the others' by 2·reach: one event more or less
                error = math.hypot(float(found.error[k]), 2 * reach / self.n + ROUNDING * reach)
                yield Comparison(
                    f"<{name}> at t = {times[k]:g}", Estimate(float(found.value[k]), error), float(exact[k, j])
                )

    def _mean_and_variance(
        self, name: str, values: Floats, exact: Floats, event: float | None = None
    ) -> Iterator[Comparison]:
        """Two rows of one column (the mean alone where no more is known exactly)."""
        if math.isinf(exact[0]):
            yield self._infinite(name, values)
            return
        found, one = cumulants(values, name), max(self.event if event is None else event, self.rounding)
        if len(exact) == 1:
            error = math.hypot(found.mean.error, one / self.n)
            yield Comparison(f"<{name}>", Estimate(found.mean.value, error), float(exact[0]))
            return
        one = one if exact[1] > NEVER * one**2 else 0.0
        mean = compare_mean(f"<{name}>", found.mean.value, self.n, exact[0], exact[1], event=one)
        variance = compare_variance(f"var({name})", found.value, self.n, exact[1], exact_fourth=exact[3], event=one)
        yield self._beyond_rounding(mean)
        yield self._beyond_rounding(variance)

    def _infinite(self, name: str, values: Floats) -> Comparison:
        """Share of the trajectories with an irreversible exchange, all that can be said of an infinite mean."""
        finite = float(self.exact.entropy_generating_function(np.array([1e-14]))[0])  # limit s → 0 of <e^{-sΣ}>
        share, exact = float(np.isinf(values).mean()), max(1.0 - finite, 0.0)
        self.notes.append(f"The mean of {name} is infinite; compared is how often it is.")
        return compare_mean(f"P({name} = ∞)", share, self.n, exact, exact * finite, event=1.0)

    def _beyond_rounding(self, row: Comparison) -> Comparison:
        error = math.hypot(row.sampled.error, self.rounding)
        return Comparison(row.name, Estimate(row.sampled.value, error), row.exact)

    def _values(self, quantity: str, quiet: bool = False) -> Floats | None:
        """A column, or None with a note where it is undefined."""
        raw = self.ens.heat[quantity[5:]] if quantity not in TOTALS else getattr(self.ens, quantity)
        if np.isnan(raw).any():
            if not quiet:
                self.notes.append(f"{quantity} is undefined in this model and was not compared.")
            return None
        return np.asarray(raw, dtype=float)
