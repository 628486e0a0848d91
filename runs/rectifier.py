"""The rectifier of Santiago-Garcia et al. (2024), forward and with exchanged temperatures, in both pictures.

One site or a chain of qubits or oscillators between a bath of oscillators or two-level systems on either side; as
quantum jumps of the local or the global equation, and as repeated collisions of duration tau.  Prints sampled rates
beside exact ones and the paper's closed form, the contrast with its error, and a verdict; writes one HDF5 file for
each ensemble.  A chain too long for a density matrix (10 qubits and more) starts empty, relaxes, and is held against
its exact second moments.
"""

import argparse
import math
from pathlib import Path
import sys
from typing import Any

import numpy as np

import collide
from collide.analysis import compare_with_exact, integral_fluctuation_theorem
from collide.analysis.conservation import charge_balance
from collide.analysis.estimates import Estimate
from collide.analysis.rectification import Rectification
from collide.machines import rectifier
from collide.machines import rectifier_formulas as formulas
from collide.machines.rectifier import bath
from collide.machines.rectifier_global_formulas import global_current
from collide.machines.rectifier_moments import chain_moments, relaxation_time

LONG = 512  # levels beyond which no density matrix is formed
CHUNKS = 50


def main(argv: list[str] | None = None) -> int:
    """Run all ensembles asked for; exit status 1 if anything disagrees."""
    options = parse(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    pictures = ("jump", "collision") if options.picture == "both" else (options.picture,)
    verdicts = []
    for picture in pictures:
        currents = {}
        for way, T_L, T_R in (("forward", options.T_hot, options.T_cold), ("backward", options.T_cold, options.T_hot)):
            model = build(options, picture, T_L, T_R)
            print(f"\n{picture} trajectories, {way}: T_L = {T_L:g}, T_R = {T_R:g}\n{model!r}")
            sample = long_chain if model.process.d > LONG else stationary
            passed, currents[way] = sample(model, f"{picture}-{way}", options, T_L, T_R)
            verdicts.append(passed)
        pair = Rectification(currents["forward"], currents["backward"])
        print(f"\n{picture}: contrast {pair.contrast}, rectification coefficient {pair.ratio}")
    print(f"\nVerdict: {'everything agrees' if all(verdicts) else 'SOMETHING DISAGREES'}")
    return 0 if all(verdicts) else 1


def build(options: argparse.Namespace, picture: str, T_L: float, T_R: float) -> Any:
    """The machine of the command line in one picture."""
    keywords: dict[str, Any] = {
        name: getattr(options, name)
        for name in ("N", "omega", "g", "gamma_L", "gamma_R", "eps_a", "eps_L", "eps_R", "equation", "neglect")
    }
    if picture == "collision":
        keywords |= {"picture": picture, "tau": options.tau, "construction": options.construction}
    return rectifier(**keywords, T_L=T_L, T_R=T_R)


def closed_form(options: argparse.Namespace, T_L: float, T_R: float) -> float:
    """Heat current from L by the paper: half of its J; nan where it has no formula."""
    couplings = {"omega": options.omega, "g": options.g, "gamma_L": options.gamma_L, "gamma_R": options.gamma_R}
    kinds = {"eps_a": options.eps_a, "eps_L": options.eps_L, "eps_R": options.eps_R}
    if options.equation == "local":
        return formulas.current(N=options.N, **couplings, T_L=T_L, T_R=T_R, **kinds) / 2
    if options.N == 2 and tuple(kinds.values()) == (-1, 1, 1):
        return global_current(**couplings, T_L=T_L, T_R=T_R) / 2
    return math.nan


def stationary(model: Any, name: str, options: argparse.Namespace, T_L: float, T_R: float) -> tuple[bool, Estimate]:
    """An ensemble from the steady state, its table and its verdict."""
    tau = model.process.tau
    time = options.time if tau is None else max(1, round(options.time / tau)) * tau
    ens = run(model, name, options, [time])
    mean, variance = ens.mean("heat:L"), ens.variance("heat:L")
    current = Estimate(mean.value / time, mean.error / time)
    exact = model.heat_cumulants_at(time, "L", 2)
    rows = [
        ("heat current L", current, exact[0] / time, closed_form(options, T_L, T_R)),
        ("Var(Q_L) / time", Estimate(variance.value / time, variance.error / time), exact[1] / time, math.nan),
    ]
    sigma = model.entropy_production_rate()
    if math.isfinite(sigma):
        produced = ens.mean("entropy_production")
        rows.append(
            ("entropy production rate", Estimate(produced.value / time, produced.error / time), sigma, math.nan)
        )
    for title, sampled, value, closed in rows:
        shown = "" if math.isnan(closed) else f"   closed form (tau -> 0) {closed + 0.0:.8f}"
        print(f"  {title:<24} {sampled!s:<28} exact {value + 0.0:.8f}{shown}")
    verdict = compare_with_exact(ens)
    print(f"  {verdict.sentence}")
    balance = None
    if options.equation == "local":
        balance = charge_balance(ens, number(model))
        print(f"  {balance}")
    if math.isfinite(sigma):
        print(f"  {integral_fluctuation_theorem(ens)}")
    print(f"  file: {ens.path}")
    return verdict.passed and (balance is None or balance.holds), current


def long_chain(model: Any, name: str, options: argparse.Namespace, T_L: float, T_R: float) -> tuple[bool, Estimate]:
    """An ensemble that starts empty, and the current once its second moments have relaxed."""
    left, right = (
        bath(s, getattr(options, f"gamma_{s}"), T, getattr(options, f"eps_{s}")) for s, T in (("L", T_L), ("R", T_R))
    )
    ends = {0: [left], options.N - 1: [right]}
    early = 4 * relaxation_time(options.N, options.omega, options.g, options.eps_a, ends)
    tau = model.process.tau or 1.0
    times = [max(1, round(t / tau)) * tau for t in (early, early + options.time)]
    empty = np.zeros(model.process.d)
    empty[0] = 1.0
    ens = run(model, name, options, times, initial=empty, closing="product")
    slot = ens.baths.index("L")
    parts = [(c.partial["heat_power_sums"][:, slot, 0], c.stop - c.start) for c in ens.chunks()]
    means = np.array([(sums[1] - sums[0]) / size for sums, size in parts]) / (times[1] - times[0])
    current = Estimate(float(means.mean()), float(means.std(ddof=1) / math.sqrt(len(means))))
    exact = chain_moments(options.N, options.omega, options.g, options.eps_a, ends).heat["L"]
    print(
        f"  heat current L after t = {times[0]:g}: {current}   exact moments (tau -> 0) {exact:.8f}\n  file: {ens.path}"
    )
    return model.process.tau is not None or abs(current.deviation(exact)) < 4.5, current


def number(model: Any) -> np.ndarray:
    """Total number of quanta, (d, d)."""
    levels = np.indices(model.dims).reshape(len(model.dims), -1).sum(axis=0)
    return np.diag(levels).astype(float)


def run(model: Any, name: str, options: argparse.Namespace, times: list[float], **protocol: Any) -> Any:
    """One ensemble in its own file."""
    return collide.run(
        model,
        options.ntraj,
        times,
        seed=options.seed,
        out=options.out / f"rectifier-{name}.h5",
        overwrite=True,
        threads=options.threads,
        progress=not options.quiet,
        chunk_size=max(2, min(4096, options.ntraj // CHUNKS)),
        **protocol,
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine = parser.add_argument_group("machine, energies in units of your choice")
    machine.add_argument("--N", type=int, default=2, help="number of sites (default %(default)s)")
    machine.add_argument("--omega", type=float, default=1.0, help="level spacing (default %(default)s)")
    machine.add_argument("--g", type=float, default=0.05, help="hopping (default %(default)s)")
    machine.add_argument("--gamma-L", type=float, default=0.04, help="coupling to L (default %(default)s)")
    machine.add_argument("--gamma-R", type=float, default=0.08, help="coupling to R (default %(default)s)")
    machine.add_argument("--T-hot", type=float, default=1.0, help="temperature (default %(default)s)")
    machine.add_argument("--T-cold", type=float, default=0.3, help="temperature (default %(default)s)")
    for name, what, default in (("a", "sites", -1), ("L", "bath L", 1), ("R", "bath R", 1)):
        words = f"{what}: 1 oscillators, -1 two-level systems (default %(default)s)"
        machine.add_argument(f"--eps-{name}", type=int, choices=(1, -1), default=default, help=words)
    machine.add_argument("--equation", choices=("local", "global"), default="local", help="default %(default)s")
    machine.add_argument(
        "--neglect", type=float, default=1e-8, help="share of oscillators' levels (default %(default)s)"
    )
    how = parser.add_argument_group("trajectories")
    how.add_argument("--picture", choices=("jump", "collision", "both"), default="both", help="default %(default)s")
    how.add_argument(
        "--construction", default="split", help="of collisions: split, alternating, sequential, joint, matched"
    )
    how.add_argument("--tau", type=float, default=0.5, help="duration of a collision (default %(default)s)")
    how.add_argument("--time", type=float, default=150.0, help="length of a trajectory (default %(default)s)")
    how.add_argument("--ntraj", type=int, default=40_000, help="trajectories of each ensemble (default %(default)s)")
    how.add_argument("--seed", type=int, default=2024, help="seed of the ensembles (default %(default)s)")
    how.add_argument("--threads", type=int, default=None, help="threads (default: one for each core)")
    how.add_argument("--quiet", action="store_true", help="no progress bars")
    how.add_argument("--out", type=Path, default=Path("output"), help="folder for files (default %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
