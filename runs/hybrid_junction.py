"""Heat through a hybrid junction, forward and reverse: an oscillator or a two-level system between any two baths.

The machine of Wu and Segal (2009) as quantum jumps with the temperatures as given and exchanged, and, where both baths
have ancillas, as repeated collisions.  Prints sampled numbers beside exact ones and closed forms, the rectification
ratio, and a verdict; writes one HDF5 file each.

A bath is described by its kind and its coupling: spin:1, boson:0.5, metal:1:0.2:1 (coupling, delta, mu).
"""

import argparse
from pathlib import Path
import sys
from typing import Any

import collide
from collide.analysis import compare_with_exact
from collide.analysis.estimates import Estimate
from collide.analysis.rectification import Rectification
from collide.machines import junction, junction_formulas


def main(argv: list[str] | None = None) -> int:
    """Run all ensembles; exit status 1 if anything disagrees."""
    options = parse(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    verdicts, currents = [], {}
    for name, T_L, T_R in (("forward", options.T_L, options.T_R), ("reverse", options.T_R, options.T_L)):
        print(f"\n{label(options)}, {name}: T_L = {T_L:g}, T_R = {T_R:g}, omega = {options.omega:g}")
        model = build(options, T_L, T_R)
        passed, currents[name] = sample(model, name, options, closed_current(options, model, T_L, T_R))
        verdicts.append(passed)
    print(f"\n{Rectification(currents['forward'], currents['reverse'])}")
    if "metal" not in (options.left["kind"], options.right["kind"]):
        print(f"\nCollisions with resonant ancillas, tau = {options.tau:g}")
        model = build(options, options.T_L, options.T_R, picture="collision", tau=options.tau, neglect=1e-8)
        passed, _ = sample(model, "collisions", options, None)
        verdicts.append(passed)
    print(f"\nVerdict: {'everything agrees' if all(verdicts) else 'SOMETHING DISAGREES'}")
    return 0 if all(verdicts) else 1


def build(options: argparse.Namespace, T_L: float, T_R: float, **keywords: Any) -> Any:
    """The junction of the command line at given temperatures."""
    return junction(
        subsystem=options.subsystem,
        omega=options.omega,
        left=options.left,
        right=options.right,
        T_L=T_L,
        T_R=T_R,
        **keywords,
    )


def closed_current(options: argparse.Namespace, model: Any, T_L: float, T_R: float) -> float:
    """Eq. (14) or (15) with the rates of the model's own channels."""
    k = [sum(c.rate for c in model.channels if c.name == side and c.quantum < 0) for side in "LR"]
    formula = junction_formulas.current_ho if options.subsystem == "HO" else junction_formulas.current_tls
    return formula(options.omega, T_L, T_R, *k)


def sample(model: Any, name: str, options: argparse.Namespace, closed: float | None) -> tuple[bool, Estimate]:
    """One ensemble, its table and its verdict."""
    tau = model.process.tau
    time = options.time if tau is None else max(1, round(options.time / tau)) * tau
    path = options.out / f"hybrid_junction-{name}.h5"
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
    known = "" if closed is None else f"   closed form {tidy(closed):.8f}"
    print(f"  J                      {current}   exact {tidy(model.heat_currents()['L']):.8f}{known}")
    print(f"  Var(Q_L)               {ens.heat['L'].var():.6g}   exact {statistics.cumulants('heat L', 2)[1]:.6g}")
    print(f"  largest work           {abs(ens.work).max():.2g}   (resonant exchange: none)")
    sigma = model.entropy_production_rate()
    print(f"  entropy production     {tidy(ens.entropy_production.mean() / time):.6f}   exact {tidy(sigma):.6f}")
    verdict = compare_with_exact(ens)
    print(f"  {verdict.sentence}\n  file: {path}")
    return verdict.passed, current


def label(options: argparse.Namespace) -> str:
    """Name of the junction in the paper's words, such as spin-HO-metal."""
    words = {"boson": "solid"}
    left, right = (words.get(side["kind"], side["kind"]) for side in (options.left, options.right))
    return f"{left}-{options.subsystem}-{right}"


def bath(text: str) -> dict[str, Any]:
    """A bath from the command line."""
    kind, *numbers = text.split(":")
    names = {"spin": ("g",), "boson": ("g",), "metal": ("g", "delta", "mu")}.get(kind)
    if names is None or len(numbers) != len(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not spin:g, boson:g or metal:g:delta:mu")
    try:
        return {"kind": kind} | dict(zip(names, map(float, numbers), strict=True))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} holds something that is not a number") from error


def tidy(value: float) -> float:
    """A number without the minus sign that rounding leaves on a zero."""
    return round(value, 12) + 0.0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subsystem", choices=("HO", "TLS"), default="TLS", help="the unit (default %(default)s)")
    parser.add_argument("--left", type=bath, default="boson:2", help="left bath (default %(default)s)")
    parser.add_argument("--right", type=bath, default="boson:0.5", help="right bath (default %(default)s)")
    parser.add_argument("--omega", type=float, default=1.0, help="level spacing (default %(default)s)")
    parser.add_argument("--T-L", type=float, default=1.3, help="temperature of the left bath (default %(default)s)")
    parser.add_argument("--T-R", type=float, default=0.7, help="temperature of the right bath (default %(default)s)")
    parser.add_argument("--ntraj", type=int, default=40_000, help="trajectories of each ensemble (default %(default)s)")
    parser.add_argument("--time", type=float, default=20.0, help="length of a trajectory (default %(default)s)")
    parser.add_argument(
        "--tau", type=float, default=0.1, help="duration of a period of collisions (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=2009, help="seed of the ensembles (default %(default)s)")
    parser.add_argument("--threads", type=int, default=None, help="threads (default: one for each core)")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.add_argument("--out", type=Path, default=Path("output"), help="folder for files (default %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
