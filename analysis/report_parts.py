"""The sections of a report on an ensemble.  Each takes what is there and leaves out, with a sentence, what is not."""

from collections.abc import Callable, Iterator
from functools import cached_property
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import style
from .against_exact import DISTRIBUTIONS_UP_TO
from .backwards import is_own_reverse, run_backwards
from .convergence import Convergence, convergence_in_ntraj
from .cumulants import cumulants
from .detailed_theorem import DetailedTheorem, detailed_fluctuation_theorem
from .distributions import Atoms, Density, atoms, distribution
from .document import Block, Figure, Grid, Section
from .ensembles import heat_cumulants_in_time, jump_records
from .estimates import Estimate
from .exact_laws import JointLaw, joint_law
from .exact_side import ExactSide
from .generating_function import GeneratingFunction, generating_function
from .integral_theorem import integral_fluctuation_theorem
from .regimes import regime_of
from .uncertainty import kinetic_uncertainty, thermodynamic_uncertainty
from .waiting import WaitingTimes, waiting_times
from .waiting_exact import exact_waiting

Floats = NDArray[np.float64]

BACKWARD_TRAJECTORIES = 50_000
MANY_WAITS_DIMENSION = 8  # largest system whose exact waiting-time densities are drawn


class Parts:
    """Sections about one ensemble.

    Parameters
    ----------
    ensemble : Ensemble
    exact : ExactSide or None
        None where the program carries no model, or one too large to be exact about.
    """

    def __init__(self, ensemble: Any, exact: ExactSide | None) -> None:
        self.ens, self.exact = ensemble, exact
        self.small = exact is not None and exact.model.process.d <= DISTRIBUTIONS_UP_TO
        self.loads = exact.loads if exact else ()
        raw = ensemble.entropy_production
        self.has_entropy = not bool(np.isnan(raw).any())
        self.baths = tuple(ensemble.baths)

    # -- what was run

    def run(self) -> Section:
        """Model, baths, program."""
        meta = self.ens.program.meta
        blocks: list[Block] = [f"{_sentence(str(meta.get('explanation', '')))}"]
        parameters = self.ens.recipe.get("parameters", {})
        shown = tuple((str(k), _plain(v)) for k, v in parameters.items() if v is not None)
        if shown:
            blocks.append(Grid(("parameter", "value"), shown))
        if self.exact is not None:
            blocks.append(Grid(("bath", "β", "T", "quanta"), tuple(self._bath_rows())))
        return Section("What was run", tuple(b for b in blocks if b))

    def _bath_rows(self) -> Iterator[tuple[str, ...]]:
        assert self.exact is not None
        table = self.exact.model.process.counts
        for k, (name, beta) in enumerate(self.exact.beta.items()):
            quanta = np.unique(np.round(np.abs(table.quantum[table.bath == k]), 12))
            shown = ", ".join(f"{q:.6g}" for q in quanta[:6]) + (" …" if len(quanta) > 6 else "")
            temperature = "—" if math.isnan(beta) else "∞" if beta == 0 else f"{1 / beta:.6g}"
            yield name, "—" if math.isnan(beta) else f"{beta:.6g}", temperature, shown or "—"

    # -- numbers

    def numbers(self) -> Section:
        """Cumulants to order 3 of every column with errors."""
        rows = []
        for quantity in self._quantities():
            c = cumulants(self.ens, quantity)
            zero = float(np.abs(self._finite(quantity)).max(initial=0.0)) < 1e-10
            rows.append((_label(quantity), *("0" if zero else _shown(c[k]) for k in (1, 2, 3))))
        grid = Grid(
            ("quantity", "mean", "variance", "third cumulant"),
            tuple(rows),
            f"Unbiased cumulants at t = {self.ens.tlist[-1]:g} with jackknife errors, not divided by time.",
        )
        blocks: list[Block] = [grid, *self._machine()]
        return Section("Heat, work and entropy production", tuple(blocks))

    def _quantities(self) -> list[str]:
        names = [f"heat:{b}" for b in self.baths] + ["work", "energy_change"]
        return names + (["entropy_production"] if self.has_entropy else [])

    def _machine(self) -> Iterator[str]:
        """The operation regime of a machine between two thermal baths that does work."""
        beta = self.exact.beta if self.exact else {}
        thermal = [b for b in beta if math.isfinite(beta[b])]
        work = cumulants(self.ens, "work")
        if len(thermal) == 2 and work[2].value > 1e-12:
            hot, cold = sorted(thermal, key=lambda b: beta[b])
            if beta[hot] < beta[cold]:
                yield f"Operation: {regime_of(self.ens, hot, cold)!r}"

    # -- distributions

    def distributions(self) -> Section:
        """Net quanta, energy change, work and entropy production, exact laws laid over where they are known."""
        figures: list[Block] = []
        counted = np.asarray(self.ens.counts)
        for bath in self.baths:
            if self.exact is None:
                figures.append(self._histogram(f"heat:{bath}"))
                continue
            net = counted @ self.exact.model.process.counts.charge_weight(bath)
            law = self.exact.quanta(bath) if self.small else None
            figures.append(_quanta_figure(bath, atoms(net, f"net quanta from {bath}"), law))
        for quantity in ("energy_change", "work", "entropy_production"):
            if quantity in self._quantities() and cumulants(self.ens, quantity)[2].value != 0.0:
                wide = float(np.ptp(self._finite(quantity))) > 1e-9
                figures += [self._histogram(quantity)] if wide else []
        return Section("Distributions", tuple(figures))

    def _finite(self, quantity: str) -> Floats:
        values = self.ens.heat[quantity[5:]] if quantity.startswith("heat:") else getattr(self.ens, quantity)
        return np.asarray(values[np.isfinite(values)], dtype=float)

    def _histogram(self, quantity: str) -> Figure:
        found = distribution(self.ens, quantity)
        law = self._law(quantity) if isinstance(found, Atoms) else None
        moments = None if law or self.exact is None else self._two_moments(quantity)
        infinite = 1 - len(self._finite(quantity)) / len(self.ens)
        over = isinstance(found, Density) and moments is not None
        caption = _sentence(_label(quantity))
        caption += " Bars across: the exact distribution." if law else ""
        caption += f" Infinite for {100 * infinite:.3g} % of the trajectories." if infinite else ""
        caption += " Line: the Gaussian of the exact mean and variance." if over else ""

        def draw(ax: Any) -> None:
            if isinstance(found, Atoms):
                found.plot(ax, exact=law, log=True)
            else:
                found.plot(ax, exact=_gaussian(*moments) if moments else None)
                _rename(ax, "exact", "Gaussian")
            ax.set_xlabel(_label(quantity))

        return Figure(quantity.replace(":", "_"), caption, draw)

    def _law(self, quantity: str) -> tuple[Floats, Floats] | None:
        """The exact distribution of a column, where it is within reach."""
        if self.exact is None:
            return None
        if quantity == "energy_change":
            return self.exact.energy_change_distribution()
        joint = self._joint if self.small else None
        if joint is None or quantity not in ("work", "entropy_production"):
            return None
        return joint.work() if quantity == "work" else joint.entropy_production()

    @cached_property
    def _joint(self) -> JointLaw | None:
        return joint_law(self.exact) if self.exact is not None else None

    def _two_moments(self, quantity: str) -> tuple[float, float] | None:
        assert self.exact is not None
        found = self.exact.cumulants(quantity, 2)
        return (float(found[0]), float(found[1])) if len(found) == 2 and np.isfinite(found).all() else None

    # -- fluctuation theorems

    def theorems(self) -> Section:
        """Integral, detailed, generating functions, uncertainty relations."""
        if not self.has_entropy:
            return Section(
                "Fluctuation theorems",
                ("The entropy production is not defined in this model, so no theorem is tested.",),
            )
        blocks: list[Block] = []
        steady = self.exact is not None and _is_stationary(self.exact)
        expected = 1.0 if self.exact is None else float(self.exact.statistics.exponential_average.mean)
        integral = integral_fluctuation_theorem(self.ens, expected=expected, symmetric=steady)
        if abs(expected - 1.0) > 1e-9:
            blocks.append(
                f"The start does not fill all states, so ⟨e^−Σ⟩ is {expected:.6g}, not 1: of the "
                f"reversed trajectories a share {1 - expected:.4g} ends where no forward one begins."
            )
        blocks.append(_prose(f"Integral theorem: {integral!r}"))
        blocks += self._detailed()
        if self.exact is not None:
            blocks.append(self._entropy_curve())
        blocks += self._heat_curves()
        blocks += self._uncertainty()
        return Section("Fluctuation theorems", tuple(blocks))

    def _detailed(self) -> Iterator[Block]:
        if self.exact is None:
            return
        reversible = not self.loads and bool(np.isfinite(self.exact.model.process.counts.entropy).all())
        if not reversible:
            yield "Some exchanges have no reverse process, so the detailed theorem makes no statement here."
            return
        if is_own_reverse(self.exact):
            found = detailed_fluctuation_theorem(self.ens)
            yield _prose(f"Detailed theorem: the process is its own reverse. {found!r}")
            yield _detailed_figure(found, "P(Σ) against its own mirror image, as the process is its own reverse.")
        elif self.exact.model.process.d <= DISTRIBUTIONS_UP_TO:
            n = min(len(self.ens), BACKWARD_TRAJECTORIES)
            found = detailed_fluctuation_theorem(self.ens, backward=run_backwards(self.ens, n, progress=False))
            yield _prose(
                "Detailed theorem: the process is not its own reverse (coherence, or no steady start), so the "
                f"ensemble is held against {n} trajectories of the reversed process. {found!r}"
            )
            yield _detailed_figure(found, "P(Σ) of the ensemble against P̃(−Σ) of the reversed process.")

    def _entropy_curve(self) -> Figure:
        assert self.exact is not None
        s = np.linspace(0.0, 1.0, 21)
        curve = np.log(self.exact.entropy_generating_function(s))
        sampled = generating_function(self.ens, "entropy_production", -s[1:])

        def draw(ax: Any) -> None:
            good = sampled.converged
            style.points(ax, s[1:][good], sampled.value[good], sampled.error[good], label="sampled")
            if not good.all():
                style.points(ax, s[1:][~good], sampled.value[~good], color=style.RED, mfc="none", label="not converged")
            ax.plot(s, curve, color=style.INK, linewidth=1.2, label="exact", zorder=0)
            ax.axhline(0.0, color=style.MUTED, linewidth=0.8, linestyle=":")
            ax.set(xlabel="s", ylabel=r"$\ln\,\langle e^{-s\Sigma}\rangle$")
            ax.legend()

        return Figure(
            "entropy_generating_function",
            "Generating function of Σ: at s = 1 it is the integral theorem; symmetric about s = 1/2 if the process is "
            "its own reverse.",
            draw,
        )

    def _heat_curves(self) -> Iterator[Figure]:
        """Generating function of the first bath's heat with its convergence limit."""
        if self.exact is None:
            return
        for bath in [b for b in self.baths if b not in self.loads][:1]:
            spread = float(np.std(self._finite(f"heat:{bath}")))
            quantum = float(np.abs(self.exact.model.process.counts.heat_weight(bath)).max(initial=0.0))
            if spread == 0.0 or quantum == 0.0:
                continue
            # where heat is rare the spread is far below a quantum, and e^{s q} would leave every bound
            reach = min(3.0 / spread, 4.0 / quantum)
            found = generating_function(self.ens, f"heat:{bath}", np.linspace(-reach, reach, 25))
            curve = self.exact.heat_generating_function(bath, found.s)
            yield Figure(
                f"generating_function_{bath}",
                f"Generating function of the heat from {bath}; shaded where enough trajectories carry the average.",
                lambda ax, f=found, c=curve: _draw_generating_function(ax, f, np.log(c)),  # type: ignore[misc]
            )

    def _uncertainty(self) -> Iterator[Block]:
        rows = []
        finite = bool(np.isfinite(self._all_entropy()).all())
        for bath in self.baths:
            heat = cumulants(self.ens, f"heat:{bath}")
            if heat[1].value == 0.0 or abs(heat[1].value) < 2 * heat[1].error:
                continue
            tur = thermodynamic_uncertainty(self.ens, f"heat:{bath}") if finite else None
            kur = kinetic_uncertainty(self.ens, f"heat:{bath}")
            rows.append((bath, str(tur.ratio) if tur else "∞", str(kur.ratio)))
        if rows:
            yield Grid(
                ("current", "Var·⟨Σ⟩/⟨Q⟩²", "Var·⟨N⟩/⟨Q⟩²"),
                tuple(rows),
                "Thermodynamic and kinetic uncertainty ratios at finite time; classical ones stay above 2 and 1.",
            )

    def _all_entropy(self) -> Floats:
        return np.asarray(self.ens.entropy_production)

    # -- time

    def in_time(self) -> Section | None:
        """Heat and observables on the tlist."""
        times = np.asarray(self.ens.tlist)
        if len(times) < 3:
            return None
        blocks: list[Block] = [self._time_figure(order) for order in (1, 2)]
        for name, found in list(self.ens.expect.items())[:6]:
            j = list(self.ens.expect).index(name)
            curve = self.exact.expectations()[:, j] if self.exact is not None else None
            blocks.append(Figure(f"expect_{j}", f"⟨{name}⟩ on the tlist.", _expectation(times, found, curve, name)))
        return Section("In time", tuple(blocks))

    def _time_figure(self, order: int) -> Figure:
        times = np.asarray(self.ens.tlist)
        shown = [(b, heat_cumulants_in_time(self.ens, b)) for b in self.baths]
        curves: dict[str, Floats] = {}
        if self.exact is not None and len(times) <= 400:
            for bath in (b for b in self.baths if b not in self.loads):
                curves[bath] = np.array([self.exact.heat_cumulants_at(t, bath, order)[order - 1] for t in times])

        def draw(ax: Any) -> None:
            for k, (bath, found) in enumerate(shown):
                color = style.CYCLE[k % len(style.CYCLE)]
                step = max(1, len(times) // 40)
                value, error = found.value[::step, order - 1], found.error[::step, order - 1]
                style.points(ax, times[::step], value, error, color=color, label=bath)
                if bath in curves:
                    ax.plot(times, curves[bath], color=color, linewidth=1.1, zorder=0)
            ax.set(xlabel="time", ylabel=("mean heat", "variance of the heat")[order - 1])
            ax.legend()

        lines = " Lines: exact." if curves else ""
        what = ("Mean", "Variance")[order - 1]
        return Figure(f"heat_order_{order}", f"{what} of the heat received so far, with standard errors.{lines}", draw)

    # -- convergence and records

    def convergence(self) -> Section | None:
        """Slope of the error against the number of trajectories."""
        found: list[Convergence] = []
        for bath in (b for b in self.baths if b not in self.loads):
            mean = float(self.exact.cumulants(f"heat:{bath}", 1)[0]) if self.exact is not None else None
            try:
                found.append(convergence_in_ntraj(self.ens, f"heat:{bath}", exact=mean, levels=6))
            except ValueError:  # too few trajectories, or no heat at all
                continue
        if not found:
            return None
        blocks: list[Block] = [repr(c) for c in found]
        blocks.append(
            Figure("convergence", "Error of the mean heat against the exact value.", lambda ax: _converge(ax, found))
        )
        return Section("Convergence", tuple(blocks))

    def waits(self) -> Section | None:
        """Waiting times, where jumps were kept."""
        program = self.ens.program
        if "jumps" not in program.keep or len(self.ens.jump_time) < 100:
            return None
        records = jump_records(self.ens)
        usual = records.horizon * len(records.row_size) / len(records.time)
        window = min(0.5 * records.horizon, 6.0 * usual)
        steady = self.exact is not None and _is_stationary(self.exact)
        found = waiting_times(records, longest=window)
        grid = np.linspace(0.0, window, 200)
        law = self._waiting_law(grid) if steady and program.kind == "jumps" else None

        def draw(ax: Any) -> None:
            found.plot(ax, exact=(lambda t: np.interp(t, grid, law)) if law is not None else None)

        return Section("Waiting times", (f"{found!r}", Figure("waiting_times", _waiting_caption(found), draw)))

    def _waiting_law(self, grid: Floats) -> Floats | None:
        assert self.exact is not None
        process = self.exact.model.process
        if process.d > MANY_WAITS_DIMENSION or self.loads:
            return None
        flow = process.elements[0]
        exact = exact_waiting(process.H.toarray(), [op.toarray() for op in flow.ops])
        return exact.density(grid)


def _is_stationary(exact: ExactSide) -> bool:
    a = exact.program.arrays
    return bool(np.abs(np.asarray(a["rho_initial"]) - np.asarray(a["rho_final"])).max() < 1e-9)


def _quanta_figure(bath: str, found: Atoms, law: tuple[Floats, Floats] | None) -> Figure:
    over = " Bars across: the exact distribution." if law is not None else ""
    return Figure(
        f"quanta_{bath}",
        f"Net quanta received from {bath}, with Poisson errors.{over}",
        lambda ax: found.plot(ax, exact=law, log=True),
    )


def _detailed_figure(found: DetailedTheorem, caption: str) -> Figure:
    def draw(ax: Any) -> None:
        found.plot(ax)
        ax.set_xlabel("Σ")

    return Figure("detailed_theorem", caption, draw)


def _draw_generating_function(ax: Any, found: GeneratingFunction, curve: Floats) -> None:
    found.plot(ax, exact=lambda _: curve)
    ax.set_title("")


def _expectation(times: Floats, found: Any, curve: Floats | None, name: str) -> Callable[[Any], None]:
    def draw(ax: Any) -> None:
        step = max(1, len(times) // 40)
        style.points(
            ax, times[::step], np.asarray(found.value)[::step], np.asarray(found.error)[::step], label="sampled"
        )
        if curve is not None:
            ax.plot(times, curve, color=style.INK, linewidth=1.1, zorder=0, label="exact")
        ax.set(xlabel="time", ylabel=f"⟨{name}⟩")
        ax.legend()

    return draw


def _converge(ax: Any, found: list[Convergence]) -> None:
    for k, part in enumerate(found):
        color = style.CYCLE[k % len(style.CYCLE)]
        style.points(ax, part.x, part.size, part.size_error, color=color, label=f"{part.name}: slope {part.slope}")
        ax.plot(part.x, part.prefactor * part.x**part.slope.value, color=color, linewidth=1.0)
    ax.set(xlabel="trajectories", ylabel="error of the mean")
    style.logarithmic(ax, x=True, y=True)
    ax.legend()


def _waiting_caption(found: WaitingTimes) -> str:
    return f"Density of the time to the next jump, from {found.n} waits watched for {found.longest:.4g} each."


def _gaussian(mean: float, variance: float) -> Callable[[Floats], Floats]:
    def pdf(x: Floats) -> Floats:
        return np.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)

    return pdf


def _rename(ax: Any, old: str, new: str) -> None:
    for line in ax.get_lines():
        if line.get_label() == old:
            line.set_label(new)
    ax.legend()


def _label(quantity: str) -> str:
    if quantity.startswith("heat:"):
        return f"heat from {quantity[5:]}"
    return {"entropy_production": "entropy production Σ", "energy_change": "energy change"}.get(quantity, quantity)


def _shown(estimate: Estimate) -> str:
    """An estimate as the table shows it: infinite and undefined values by a sign of their own."""
    if math.isnan(estimate.value):
        return "—"
    return "∞" if math.isinf(estimate.value) else str(estimate)


def _plain(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _prose(text: str) -> str:
    """Symbols where the terminal has names."""
    text = text.replace("exp(-entropy_production)", "e^−Σ").replace("entropy_production", "Σ")
    return text.replace("<e", "⟨e").replace("Σ>", "Σ⟩")


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")
