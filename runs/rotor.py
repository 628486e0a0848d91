"""The hybrid rotor device of Leitch, Hammam and De Chiara (2024): engine, accelerator or refrigerator, by trajectories.

Two qubits between two baths, a rotor that heat turns, and a load that brakes it; as quantum jumps of the local or the
semi-global equation, and as repeated collisions of duration tau.  Prints heat currents and powers beside exact values,
the charges on every trajectory, the fluctuation theorem with c_0 t, cumulants of heat and of angular momentum, and the
efficiency of single trajectories; writes one HDF5 file for each ensemble.

The rotor remembers for 1/gamma = 20 000: sampling its noise takes long trajectories,

    python runs/rotor.py --picture jump --time 1e6 --ntraj 1000

Status 1 if anything disagrees with its exact value.
"""

import argparse
import math
from pathlib import Path
import sys
import time
from typing import Any

import numpy as np
from scipy.stats import kstat

import collide
from collide.analysis import compare_with_exact, integral_fluctuation_theorem
from collide.analysis.conservation import charge_balance
from collide.analysis.estimates import Estimate
from collide.analysis.papers.rotor_devices import qubit_work, rate, ratio
from collide.analysis.regimes import operation_regime
from collide.analysis.stochastic_efficiency import efficiency_distribution
from collide.exact.sources import load_powers
from collide.machines import rotor
from collide.machines.rotor import parts_of
from collide.machines.rotor_ladder import ladder_of

LIMIT = 4.5  # standard errors
LONG = 2e4  # jumps of a trajectory beyond which exact statistics of single outcomes are not worth their time


def main(argv: list[str] | None = None) -> int:
    """Run the ensembles asked for; exit status 1 if anything disagrees."""
    options = parse(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    pictures = ("jump", "collision") if options.picture == "both" else (options.picture,)
    verdicts = [study(build(options, picture), picture, options) for picture in pictures]
    print(f"\nVerdict: {'everything agrees' if all(verdicts) else 'SOMETHING DISAGREES'}")
    return 0 if all(verdicts) else 1


def build(options: argparse.Namespace, picture: str) -> Any:
    """The machine of the command line in one picture."""
    names = ("B1", "B2", "I", "lam", "g", "chi", "beta1", "beta2", "beta_r", "gamma", "l_min", "l_max", "load")
    keywords: dict[str, Any] = {name: getattr(options, name) for name in names}
    if picture == "collision":
        return rotor(**keywords, picture="collision", tau=options.tau)
    return rotor(**keywords, equation=options.equation, Omega=options.Omega)


def study(model: Any, picture: str, options: argparse.Namespace) -> bool:
    """One ensemble: table, charges, theorem, fluctuations; whether all of it agrees."""
    tau = model.process.tau
    end = options.time if tau is None else max(1, round(options.time / tau)) * tau
    print(f"\n{picture} trajectories to t = {end:g}\n{model!r}\n  {ladder_of(model)}")
    began = time.perf_counter()
    ens = collide.run(
        model,
        options.ntraj,
        end,
        seed=options.seed,
        e_ops={"L_z": parts_of(model).L_z},
        out=options.out / f"rotor-{picture}.h5",
        overwrite=True,
        threads=options.threads,
        progress=not options.quiet,
        chunk_size=min(4096, max(512, options.ntraj // 16)),
    )
    wall, exchanges = time.perf_counter() - began, int(ens.counts.sum())
    print(
        f"  {options.ntraj} trajectories, {exchanges:.4g} exchanges in {wall:.1f} s: {1e9 * wall / exchanges:.0f}"
        " ns each"
    )
    agreed = [table(model, ens, end), charges(model, ens), noise(model, ens, end)]
    if model.count_rates().sum() * end < LONG:
        verdict = compare_with_exact(ens)
        print(f"  {verdict.sentence}\n  {integral_fluctuation_theorem(ens)}")
        agreed.append(verdict.passed)
    efficiency(model, ens)
    print(f"  file: {ens.path}")
    return all(agreed)


def table(model: Any, ens: Any, end: float) -> bool:
    """Heat currents, powers and the angular momentum beside their exact values."""
    heats = model.heat_currents()
    loads = load_powers(model).get("r", 0.0)
    p = model.recipe["parameters"]
    rows = [(f"heat current {bath}", rate(ens, end, f"heat:{bath}"), heats[bath]) for bath in ("1", "2", "r")]
    if "load_work" in ens.columns:
        rows += [
            ("power W_Q of the qubits' baths", rate(ens, end, qubit_work), model.power() - loads),
            ("power W_r of the load", rate(ens, end, lambda block: block.load_work[:, 0]), loads),
        ]
    L = ens.expect["L_z"]
    exact = float(np.real(parts_of(model).L_z.diagonal() @ model.steady_state().diagonal()))
    rows.append(("angular momentum", Estimate(float(L.value[-1]), float(L.error[-1])), exact))
    agreed = True
    for title, sampled, value in rows:
        z = sampled.deviation(value)
        agreed &= abs(z) < LIMIT
        print(f"  {title:<32} {sampled!s:<28} exact {value:.6g}   z = {z:+.2f}")
    regime = operation_regime(heats["2"], heats["1"], model.power() - loads)
    print(f"  {regime.name}; 2 B_2 gamma <L_z> = {2 * p['B2'] * p['gamma'] * exact:.8f}")
    return agreed


def charges(model: Any, ens: Any) -> bool:
    """Excitations, and angular momentum less those of qubit 1, on every trajectory as integers."""
    pieces = parts_of(model)
    first, second = pieces.space.number(0), pieces.space.number(1)
    balances = {
        "n_1 + n_2": charge_balance(ens, first + second, {"1": 1, "2": 1}),
        "l - n_1": charge_balance(ens, pieces.L_z - first, {"r": 1, "1": -1}),
    }
    for name, balance in balances.items():
        print(f"  {name}: {balance}")
    return all(balance.holds for balance in balances.values())


def noise(model: Any, ens: Any, end: float) -> bool:
    """Cumulants per unit time of the quanta of both baths and of the load: the same at long times but for signs."""
    count, agreed = model.process.counts, True
    print("  cumulants per unit time, in quanta     mean           variance       third")
    for bath, sign in (("2", 1.0), ("1", -1.0), ("r", -1.0)):
        weight = sign * count.charge_weight(bath)
        values = ens.counts @ weight
        sampled = [float(kstat(values, k)) / end for k in (1, 2, 3)]
        exact = model.cumulants_at(end, weight, 4)
        late = model.cumulant_rates(weight, 3)
        errors = math.sqrt(exact[1] / len(values)), math.sqrt((exact[3] + 2 * exact[1] ** 2) / len(values))
        agreed &= all(abs(s * end - e) < LIMIT * error for s, e, error in zip(sampled, exact, errors, strict=False))
        for title, row in (
            (f"{bath}: sampled", sampled),
            ("   exact at this time", exact[:3] / end),
            ("   t -> inf", late),
        ):
            print(f"    {title:<30} " + " ".join(f"{value:>14.6e}" for value in row))
    return agreed


def efficiency(model: Any, ens: Any) -> None:
    """The efficiency (or COP) of the means, and its distribution over trajectories."""
    if "load_work" not in ens.columns:
        return
    work, hot, cold = ens.values(qubit_work), ens.heat["2"], ens.heat["1"]
    engine = model.heat_currents()["2"] > 0
    of_means = ratio(-work, hot) if engine else ratio(cold, work)
    p = model.recipe["parameters"]
    found = efficiency_distribution(
        {"work": work, "hot": hot, "cold": cold},
        "hot",
        "cold",
        kind="engine" if engine else "refrigerator",
        beta=(p["beta2"], p["beta1"]),
    )
    print(f"  {'efficiency' if engine else 'COP'} of the means {of_means}\n  {found}")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine = parser.add_argument_group("machine; defaults are those of Fig. 2 at beta2 / beta1 = 0.3")
    for name, default, what in (
        ("B1", 4.0, "field of qubit 1, half its splitting"),
        ("B2", 10.0, "field of qubit 2"),
        ("I", 1.0, "moment of inertia"),
        ("lam", 0.1, "three-body coupling"),
        ("g", 1.0, "coupling to the baths"),
        ("chi", 0.0, "its asymmetry"),
        ("beta1", 0.1, "inverse temperature of bath 1"),
        ("beta2", 0.03, "of bath 2"),
        ("beta-r", 0.09, "of the load"),
        ("gamma", 5e-5, "friction"),
        ("Omega", 24.5, "cut-off of the global equation"),
    ):
        machine.add_argument(f"--{name}", type=float, default=default, help=f"{what} (default %(default)s)")
    machine.add_argument("--l-min", type=int, default=None, help="lowest angular momentum (default: wide enough)")
    machine.add_argument("--l-max", type=int, default=None, help="highest angular momentum (default: wide enough)")
    machine.add_argument("--equation", choices=("local", "global"), default="local", help="default %(default)s")
    machine.add_argument(
        "--load", choices=("kicks", "resolved"), default="kicks", help="resolved: definite quanta, another equation"
    )
    how = parser.add_argument_group("trajectories")
    how.add_argument("--picture", choices=("jump", "collision", "both"), default="both", help="default %(default)s")
    how.add_argument("--tau", type=float, default=0.05, help="duration of a period of collisions (default %(default)s)")
    how.add_argument("--time", type=float, default=200.0, help="length of a trajectory (default %(default)s)")
    how.add_argument("--ntraj", type=int, default=20_000, help="trajectories of each ensemble (default %(default)s)")
    how.add_argument("--seed", type=int, default=2024, help="seed of the ensembles (default %(default)s)")
    how.add_argument("--threads", type=int, default=None, help="threads (default: one for each core)")
    how.add_argument("--quiet", action="store_true", help="no progress bars")
    how.add_argument("--out", type=Path, default=Path("output"), help="folder for files (default %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
