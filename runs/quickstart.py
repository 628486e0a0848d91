"""First light: a two-qubit thermal machine from collisions to a file, a figure and a verdict.

The rectifier of Santiago-Garcia et al. (2024) between baths of oscillators, and between baths of two-level ancillas, as
repeated collisions of duration tau.  Prints sampled rates beside the exact collision map, its Lindblad limit and the
paper's closed form, and says whether everything agrees.
"""

import argparse
from pathlib import Path
import sys
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np

import collide
from collide.analysis import compare_with_exact, integral_fluctuation_theorem
from collide.analysis.conservation import charge_balance
from collide.analysis.overview import draw_overview, overview
from collide.machines import rectifier
from collide.machines.rectifier_formulas import current

POINT: dict[str, Any] = {"omega": 1.0, "g": 0.01, "gamma_L": 0.01, "gamma_R": 0.02, "T_L": 1.0, "T_R": 0.5}
PAIR = collide.Space(collide.qubit(), collide.qubit())
KINDS = {"boson baths": 1, "qubit-ancilla baths": -1}


def main(argv: list[str] | None = None) -> int:
    """Run both ensembles; exit status 1 if anything disagrees."""
    options = parse(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    ensembles, passed = {}, True
    for label, eps in KINDS.items():
        model = rectifier(**POINT, eps_L=eps, eps_R=eps, picture="collision", tau=options.tau)
        path = options.out / f"quickstart-{label.split()[0]}.h5"
        print(
            f"\nTwo-qubit rectifier, {label}: {options.ntraj} trajectories of {options.t_final / options.tau:g} periods"
        )
        ens = collide.run(
            model,
            options.ntraj,
            np.linspace(0, options.t_final, 11),
            seed=options.seed,
            out=path,
            overwrite=True,
            threads=options.threads,
        )
        ensembles[label] = ens
        passed &= report(ens, model, eps)
    figure = options.out / "quickstart.png"
    draw_overview(ensembles, "L").savefig(figure, dpi=150)
    files = ", ".join(str(ens.path) for ens in ensembles.values())
    print(f"\nFiles: {files}\nFigure: {figure}\nVerdict: {'everything agrees' if passed else 'SOMETHING DISAGREES'}")
    return 0 if passed else 1


def report(ens: Any, model: Any, eps: int) -> bool:
    """Print the table and the checks of one ensemble; return whether all of them hold."""
    heat = current(N=2, eps_a=-1, eps_L=eps, eps_R=eps, **POINT) / 2
    dissipated = heat * (1 / POINT["T_R"] - 1 / POINT["T_L"])
    closed = {"heat current L": heat, "heat current R": -heat, "power": 0.0, "entropy production rate": dissipated}
    print(overview(ens, model.lindblad_limit(), closed))
    verdict = compare_with_exact(ens)
    balance = charge_balance(ens, PAIR.number(0) + PAIR.number(1))
    theorem = integral_fluctuation_theorem(ens)
    variance = ens.program.exact.trajectory_statistics(float(ens.tlist[-1])).exponential_average.variance
    exact_error = (variance / len(ens)) ** 0.5
    print(verdict.sentence)
    print(balance)
    print(f"<exp(-Sigma)> = {theorem.average} (expected 1, error from the exact variance {exact_error:.4f})")
    return verdict.passed and balance.holds and abs(theorem.average.value - 1) < 4.5 * exact_error


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ntraj", type=int, default=40_000, help="trajectories of each ensemble (default %(default)s)")
    parser.add_argument("--t-final", type=float, default=1000.0, help="length of a trajectory (default %(default)s)")
    parser.add_argument("--tau", type=float, default=1.0, help="duration of a collision (default %(default)s)")
    parser.add_argument("--seed", type=int, default=2024, help="seed of the ensembles (default %(default)s)")
    parser.add_argument("--threads", type=int, default=None, help="threads (default: one for each core)")
    parser.add_argument("--out", type=Path, default=Path("output"), help="folder for files (default %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
