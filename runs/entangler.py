"""Two qubits that baths entangle: collective baths of any sign of temperature, and pumped qubits in a leaky cavity.

The machine of Tacchino et al. (2018) in three forms: quantum jumps of the collective model, collisions with qubit
ancillas (inverted where beta < 0), and quantum jumps of the full cavity model to 10^4/g.  For each of them prints
sampled numbers beside exact ones, the entanglement of the averaged state with the average along trajectories, and a
verdict; writes one HDF5 file each.
"""

import argparse
from collections.abc import Iterator
import math
from pathlib import Path
import sys
from typing import Any

import numpy as np

import collide
from collide.analysis import compare_with_exact, judge, partial_trace
from collide.analysis.compare import Comparison
from collide.analysis.estimates import Estimate
from collide.analysis.papers.tacchino_entanglement import Entanglement, entanglement, wootters
from collide.machines import collective_formulas, collective_qubits, tavis_cummings
from collide.machines.tavis_cummings import neglected_population
from collide.machines.tavis_cummings_formulas import effective_concurrence, effective_parameters

FORMS = ("jump", "collision", "cavity")
KETS = ("totals", "final_state")
LARGEST_VARIANCE = 10.0  # of exp(-Sigma), so that typical trajectories carry its average
LIMIT = 4.5  # standard errors


def main(argv: list[str] | None = None) -> int:
    """Run what is asked for; exit status 1 if anything disagrees."""
    options = parse(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    runs = dict(zip(FORMS, (collective_jumps, collective_collisions, cavity), strict=True))
    with np.errstate(over="ignore", invalid="ignore"):  # a variance of exp(-Sigma) beyond a double is one too large
        verdicts = [run(options) for name, run in runs.items() if name in (options.only or FORMS)]
    print(f"\nVerdict: {'everything agrees' if all(verdicts) else 'SOMETHING DISAGREES'}")
    return 0 if all(verdicts) else 1


# -------------------------------------------------------------------- collective baths


def collective_jumps(options: argparse.Namespace) -> bool:
    """The Lindblad equation, unravelled in collective jumps."""
    model = collective_qubits(beta_A=options.beta_A, beta_S=options.beta_S)
    print(f"\nCollective baths, quantum jumps: beta_A = {options.beta_A:g}, beta_S = {options.beta_S:g}")
    closed = collective_formulas.concurrence(options.beta_A, options.beta_S)
    print(f"closed form: C = {closed:.6f}, entropy production {_entropy(options):.6f} Gamma^+")
    return collective(model, options.time, "jump", options)


def collective_collisions(options: argparse.Namespace) -> bool:
    """Collisions with qubits, each bath in turn."""
    tau = options.tau
    model: Any = collective_qubits(beta_A=options.beta_A, beta_S=options.beta_S, picture="collision", tau=tau)
    print(f"\nCollective baths, collisions of duration {tau:g}/Gamma^+ with qubit ancillas")
    exact = wootters(model.steady_state())
    limit = wootters(model.lindblad_limit().steady_state())
    print(f"stationary C = {max(exact, 0):.6f} at the start of a period, {max(limit, 0):.6f} as tau -> 0")
    return collective(model, max(1, round(options.time / tau)) * tau, "collision", options)


def collective(model: Any, time: float, name: str, options: argparse.Namespace) -> bool:
    """Steady ensemble and, in a shorter time, the integral theorem; print a table and say whether it holds."""
    ens = launch(model, time, f"entangler-{name}", options, keep=KETS)
    found = entanglement(ens.final_state)
    exact = float(wootters(model.evolve("steady", [time])[0]))
    comparisons = [
        Comparison("signed concurrence of the average", found.signed, exact),
        *theorem(model, options),
    ]
    return verdict(ens, found, comparisons)


def theorem(model: Any, options: argparse.Namespace) -> Iterator[Comparison]:
    """<exp(-Sigma)> from the steady state and from a sure start in G, as long as rare trajectories do not carry it."""
    ground = np.eye(model.process.d)[0]
    for words, start in (("steady start", "steady"), ("sure start in G", ground)):
        time, average = theorem_time(model, start)
        ens = collide.run(model, options.ntraj, time, options.seed + 1, initial=start, threads=options.threads)
        weight = np.exp(-ens.entropy_production)
        error = math.sqrt(average.variance / len(weight))
        yield Comparison(
            f"<exp(-Sigma)>, {words}, t = {time:.3g}", Estimate(float(weight.mean()), error), float(average.mean)
        )


def theorem_time(model: Any, start: Any) -> tuple[float, Any]:
    """Longest of a few times at which the exact variance of exp(-Sigma) is small, and the exact average there."""
    tau = model.process.tau
    time = 1.0 if tau is None else max(1, round(1.0 / tau)) * tau
    while True:
        average = model.trajectory_statistics(time, start).exponential_average
        if average.variance <= LARGEST_VARIANCE or (tau is not None and time <= tau):
            return time, average
        time = time / 2 if tau is None else max(1, round(time / 2 / tau)) * tau


def _entropy(options: argparse.Namespace) -> float:
    return collective_formulas.entropy_production_rate(options.beta_A, options.beta_S)


# -------------------------------------------------------------------- the cavity


def cavity(options: argparse.Namespace) -> bool:
    """The full model from the ground state, its balance and its photons."""
    rates = {"p": options.p, "gamma": options.gamma, "kappa": options.kappa}
    model = tavis_cummings(**rates, levels=options.levels)
    levels = model.dims[-1]
    lost = neglected_population(model.steady_state(), levels)
    print(f"\nCavity: p = {options.p:g}, gamma = {options.gamma:g}, kappa = {options.kappa:g} in units of g")
    print(f"{levels} levels of the mode leave out a population of {lost:.1g}")
    if options.p > 0:
        effective = effective_parameters(**rates)
        print(
            f"effective model: beta_A = {effective['beta_A']:.4f}, beta_S = {effective['beta_S']:.4f},"
            f" C = {effective_concurrence(**rates):.6f}"
        )
    ground = np.eye(model.process.d)[0]
    ens = launch(model, options.cavity_time, "entangler-cavity", options, initial=ground, keep=KETS)
    found = entanglement(ens.final_state)
    reduced = partial_trace(model.evolve(ground, [options.cavity_time])[0], model.dims, (0, 1))
    comparisons = [
        Comparison("signed concurrence of the average", found.signed, float(wootters(reduced))),
        *photons(model, options),
    ]
    return verdict(ens, found, comparisons)


def photons(model: Any, options: argparse.Namespace) -> Iterator[Comparison]:
    """Leaked photons from the steady state: rate, Fano factor, and the balance of excitations."""
    ens = collide.run(model, options.ntraj, options.cavity_time, options.seed + 1, threads=options.threads)
    charge = {name: model.process.counts.charge_weight(name) for name in ("pump", "decay", "cavity")}
    leaked = -(ens.counts @ charge["cavity"])
    n, time = len(leaked), options.cavity_time
    c1, c2, c3, c4 = model.cumulants_at(time, -charge["cavity"], 4)
    yield Comparison(
        "leaked photons per time", Estimate(float(leaked.mean()) / time, math.sqrt(c2 / n) / time), c1 / time
    )
    spread = math.sqrt(max((c4 + 2 * c2**2) / c1**2 + c2**3 / c1**4 - 2 * c2 * c3 / c1**3, 0.0) / n)
    yield Comparison("Fano factor of the photons", Estimate(float(leaked.var(ddof=1) / leaked.mean()), spread), c2 / c1)
    balance = ens.counts @ sum(charge.values())  # pumped less decayed less leaked: the excitations that stayed
    error = float(balance.std(ddof=1)) / math.sqrt(n)
    yield Comparison("excitations gained, mean", Estimate(float(balance.mean()), error), 0.0)


# -------------------------------------------------------------------- what they share


def launch(model: Any, time: float, name: str, options: argparse.Namespace, **protocol: Any) -> Any:
    """Run an ensemble into a file."""
    return collide.run(
        model,
        options.ntraj,
        time,
        options.seed,
        out=options.out / f"{name}.h5",
        overwrite=True,
        threads=options.threads,
        progress=not options.quiet,
        **protocol,
    )


def verdict(ens: Any, found: Entanglement, comparisons: list[Comparison]) -> bool:
    """Print every comparison and what follows."""
    standard, own = compare_with_exact(ens), judge(comparisons, n=len(ens))
    print(ens)
    print(standard)
    print(own)
    print(found)
    passed = standard.passed and own.largest <= LIMIT
    print(standard.sentence)
    return passed


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=FORMS, help="one form, or more of them (default: all)")
    parser.add_argument("--beta-A", type=float, default=-2.0, help="of bath A, in 1/omega_0 (default %(default)s)")
    parser.add_argument("--beta-S", type=float, default=5.0, help="of bath S, in 1/omega_0 (default %(default)s)")
    parser.add_argument(
        "--time", type=float, default=6.0, help="length of a trajectory, in 1/Gamma^+ (default %(default)s)"
    )
    parser.add_argument("--tau", type=float, default=1e-3, help="of a period of collisions (default %(default)s)")
    parser.add_argument("--p", type=float, default=0.005, help="pump of each qubit, in g (default %(default)s)")
    parser.add_argument("--gamma", type=float, default=0.001, help="decay of each qubit, in g (default %(default)s)")
    parser.add_argument("--kappa", type=float, default=2.0, help="loss of a photon, in g (default %(default)s)")
    parser.add_argument("--levels", type=int, default=None, help="of the mode (default: as many as it takes)")
    parser.add_argument(
        "--cavity-time",
        type=float,
        default=1e4,
        help="length of a trajectory of the cavity, in 1/g (default %(default)s)",
    )
    parser.add_argument("--ntraj", type=int, default=20_000, help="trajectories of each ensemble (default %(default)s)")
    parser.add_argument("--seed", type=int, default=2018, help="seed of the ensembles (default %(default)s)")
    parser.add_argument("--threads", type=int, default=None, help="threads (default: one for each core)")
    parser.add_argument("--out", type=Path, default=Path("output"), help="folder for files (default %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
