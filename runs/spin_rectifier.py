"""A heat diode of two Ising spins: forward, reverse, and what local baths make of it.

The machine of Werlang et al. (2014) as quantum jumps of the global equation with the left bath hot and cold, as jumps
of the local equation, and as repeated collisions with ancillas at both ends, where switching the couplings costs
work. Prints sampled numbers beside exact ones and closed forms, the rectification, and a verdict; writes one HDF5
file each.
"""

import argparse
import math
from pathlib import Path
import sys
from typing import Any

import collide
from collide.analysis import compare_with_exact
from collide.analysis.estimates import Estimate
from collide.analysis.rectification import Rectification
from collide.machines import ising, ising_formulas


def main(argv: list[str] | None = None) -> int:
    """Run all four ensembles; exit status 1 if anything disagrees."""
    options = parse(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    hot, cold = options.T_hot, options.T_cold
    verdicts, currents = [], {}
    for name, T_L, T_R in (("forward", hot, cold), ("reverse", cold, hot)):
        print(f"\nGlobal equation, {name}: T_L = {T_L:g}, T_R = {T_R:g}, Delta = {options.Delta:g} h")
        model = build(options, T_L=T_L, T_R=T_R)
        closed = ising_formulas.current(1.0, options.Delta, options.kappa, T_L, T_R)
        passed, currents[name] = sample(model, name, options, closed)
        verdicts.append(passed)
    print(f"\n{Rectification(currents['forward'], currents['reverse'])}")
    for name, extra in (("local", {}), ("collisions", {"picture": "collision", "tau": options.tau})):
        T_R = max(cold, 1e-3)  # at T_R = 0 the right spin never flips, and there is no unique steady state
        print(f"\nLocal equation ({name}), T_L = {hot:g}, T_R = {T_R:g}: no current, but work of switching")
        model = build(options, T_L=hot, T_R=T_R, equation="local", **extra)
        passed, _ = sample(model, name, options, 0.0)
        verdicts.append(passed)
    print(f"\nVerdict: {'everything agrees' if all(verdicts) else 'SOMETHING DISAGREES'}")
    return 0 if all(verdicts) else 1


def build(options: argparse.Namespace, **keywords: Any) -> Any:
    """A model with the coupling and the strength of the command line."""
    return ising(Delta=options.Delta, kappa=options.kappa, **keywords)


def sample(model: Any, name: str, options: argparse.Namespace, closed: float) -> tuple[bool, Estimate]:
    """One ensemble, its table and its verdict."""
    tau = model.process.tau
    time = options.time if tau is None else max(1, round(options.time / tau)) * tau
    path = options.out / f"spin_rectifier-{name}.h5"
    ens = collide.run(
        model,
        options.ntraj,
        time,
        seed=options.seed,
        out=path,
        overwrite=True,
        threads=options.threads,
        progress=not options.quiet,
    )
    statistics = model.trajectory_statistics(time)
    current = Estimate(*ens.mean("heat:L")).scaled(1 / time)
    work = ens.work
    exact_mean, exact_variance = statistics.cumulants("work", 2)
    sigma = model.entropy_production_rate()
    print(
        f"  J_L                    {current}   exact {tidy(model.heat_currents()['L']):.8f}"
        f"   closed form {tidy(closed):.8f}"
    )
    print(f"  Var(Q_L)               {ens.heat['L'].var():.6g}   exact {statistics.cumulants('heat L', 2)[1]:.6g}")
    print(
        f"  mean, variance of work {work.mean():.5f}, {work.var():.5f}"
        f"   exact {tidy(exact_mean):.5f}, {tidy(exact_variance):.5f}"
    )
    print(f"  entropy production     {tidy(ens.entropy_production.mean() / time):.6f}   exact {tidy(sigma):.6f}")
    if math.isfinite(sigma):
        average = statistics.exponential_average.mean
        print(f"  <exp(-Sigma)>          exact {average:.12f}")
    else:
        print("  a bath at T = 0 is emitted into: entropy production is infinite")
    verdict = compare_with_exact(ens)
    print(f"  {verdict.sentence}\n  file: {path}")
    return verdict.passed, current


def tidy(value: float) -> float:
    """A number without the minus sign that rounding leaves on a zero."""
    return round(value, 12) + 0.0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--Delta", type=float, default=0.5, help="coupling in units of h (default %(default)s)")
    parser.add_argument("--kappa", type=float, default=1.0, help="strength of the baths (default %(default)s)")
    parser.add_argument("--T-hot", type=float, default=10.0, help="temperature in units of h (default %(default)s)")
    parser.add_argument("--T-cold", type=float, default=0.3, help="temperature in units of h (default %(default)s)")
    parser.add_argument("--ntraj", type=int, default=40_000, help="trajectories of each ensemble (default %(default)s)")
    parser.add_argument("--time", type=float, default=20.0, help="length of a trajectory (default %(default)s)")
    parser.add_argument(
        "--tau", type=float, default=0.05, help="duration of a period of collisions (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=2014, help="seed of the ensembles (default %(default)s)")
    parser.add_argument("--threads", type=int, default=None, help="threads (default: one for each core)")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.add_argument("--out", type=Path, default=Path("output"), help="folder for files (default %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
