"""Claims about the model, its currents and its rectification in weak coupling."""

from collections.abc import Callable
import math
from typing import Any

import numpy as np
from scipy.optimize import brentq

from collide.machines import rectifier_formulas as formulas
from collide.machines.rectifier import rectifier

from .base import Claim
from .rectifier_claims_common import (
    BASE,
    STATISTICS,
    TABLE_POINT,
    corrected,
    exact,
    kinds,
    swapped,
    verdict,
    worst,
)
from .rectifier_models import averages, point

POINTS = 60
ACCIDENT: dict[str, Any] = {"gamma_L": 0.01, "gamma_R": 0.01, "T_L": 2.0, "T_R": 0.5, "eps_L": 1, "eps_R": -1}


def _no_work() -> Claim:
    power = [exact("power", BASE | kinds(eps)) for eps in STATISTICS]
    power += [rectifier(**TABLE_POINT, picture="collision", tau=t).power() for t in (0.5, 2.0)]
    full = rectifier(**TABLE_POINT)
    rho = np.diag([0.5, 0.25, 0.25, 0]).astype(complex)
    rho[1, 2] = rho[2, 1] = 0.2
    transient = full.power(rho)
    as_said = worst(power) < 1e-10 < abs(transient)
    return Claim(
        "At resonance the work cost is zero, all energy exchanged is heat (Sec. III A)",
        "W = 0",
        f"|W| <= {worst(power):.0e} in the steady state, at every tau; {transient:.1e} in a state with real coherence",
        corrected(as_said),
        "true in the steady state; while the coherence <s_1 s_2^+> has a real part the hopping energy is worked on",
    )


def _current() -> Claim:
    errors = [
        formulas.current(N=N, **BASE, **kinds(eps)) / exact("J", BASE | kinds(eps) | {"N": N}) - 1
        for eps in STATISTICS
        for N in (1, 2)
    ]
    return Claim(
        "J^(2) = alpha J^(1) for all eight statistics (Eqs. 5-7)",
        "closed form",
        f"largest relative difference to the master equation {worst(errors):.0e}",
        verdict(worst(errors) < 1e-8),
    )


def _occupations() -> Claim:
    first, closed = exact("occupation_1", BASE), formulas.two_site_moments(**BASE)
    right = closed.first / first - 1
    (down_L, up_L), (down_R, up_R) = (formulas.rates(1.0, BASE[f"gamma_{s}"], BASE[f"T_{s}"], 1) for s in "LR")
    G_L, G_R = down_L + up_L, down_R + up_R
    square = BASE["gamma_R"] ** 2
    D = (4 * BASE["g"] ** 2 + G_L * G_R) * (G_L + G_R)
    printed = (4 * BASE["g"] ** 2 * (up_L + up_R) + up_L * G_R * (down_L + down_R + up_L + square)) / D / first - 1
    others = [
        closed.second / exact("occupation_2", BASE) - 1,
        closed.coherence.imag / exact("coherence_imag", BASE) - 1,
        *_residuals(),
    ]
    return Claim(
        "Occupations and coherence of two sites (Eqs. 26-33)",
        "(gamma_L^+ + gamma_R^2) in Eqs. 31 and 32",
        f"off by {100 * printed:.2f} % as printed, by {abs(right):.0e} with gamma_R^+; Eqs. 27-30, 32 and 33 to"
        f" {worst(others):.0e}",
        corrected(max(abs(right), worst(others)) < 1e-9 < abs(printed)),
        "gamma_R^2 must be gamma_R^+",
    )


def _residuals() -> list[float]:
    """What the exact moments of all eight statistics leave of the right sides of Eqs. 27-30, over the rates."""
    left = []
    for eps in STATISTICS:
        p = BASE | kinds(eps)
        M, b = formulas.moment_equations(**p)
        found = averages(point(p, "T_L", "T_R"))
        x = np.array([*found.occupations, found.coherence, found.coherence.conjugate()])
        left += list(np.abs(M @ x + b) / np.abs(b).max())
    return left


def _coherence() -> Claim:
    errors, real = [], []
    for eps in STATISTICS:
        p = BASE | kinds(eps)
        errors.append(4 * p["g"] * exact("coherence_imag", p) / exact("J", p) - 1)
        real.append(averages(point(p, "T_L", "T_R")).coherence.real)
    return Claim(
        "Coherence and current are proportional, C = iJ/(4 g omega), purely imaginary (below Eq. 7)",
        "for any statistics",
        f"largest relative difference {worst(errors):.0e}, real part at most {worst(real):.0e}",
        verdict(worst(errors) < 1e-8 and worst(real) < 1e-12),
    )


def _scaling() -> Claim:
    x, T = np.meshgrid(np.linspace(0.01, 5, 40), np.linspace(0.05, 10, 40))
    values = {d: np.vectorize(lambda a, b, d=d: formulas.low_temperature_scaling(a, b, d))(x, T) for d in (0, 2, -2)}
    ordered = bool((values[-2] >= values[0]).all() and (values[0] >= values[2]).all())
    return Claim(
        "alpha_2 >= alpha_0 >= alpha_1 (App. B, Fig. 6)",
        "surfaces",
        f"{'ordered' if ordered else 'not ordered'} at all {x.size} points of a grid",
        verdict(ordered),
    )


def _contrast() -> Claim:
    same = [
        exact("contrast", BASE | kinds(e)) - exact("contrast", BASE | kinds(e) | {"N": 1})
        for e in STATISTICS
        if e[1] == e[2]
    ]
    differ = [
        exact("contrast", BASE | kinds(e)) - exact("contrast", BASE | kinds(e) | {"N": 1})
        for e in STATISTICS
        if e[1] != e[2]
    ]
    moved = [
        exact("contrast", BASE | kinds(e) | {"g": 0.2}) - exact("contrast", BASE | kinds(e))
        for e in STATISTICS
        if e[1] == e[2]
    ]
    closed = [
        formulas.contrast(**BASE, **kinds(e)) - exact("contrast", BASE | kinds(e)) for e in STATISTICS if e[1] != e[2]
    ]
    return Claim(
        "C^(2) = C^(1), independent of g, for baths of one kind, not for two kinds (Eqs. 8 and 9)",
        "A = B iff both baths are of one kind",
        f"one kind: equal to {worst(same):.0e}, moved by g by {worst(moved):.0e}; two kinds: differ by at least"
        f" {min(abs(d) for d in differ):.1e}; Eq. 8 to {worst(closed):.0e}",
        verdict(max(worst(same), worst(moved), worst(closed)) < 1e-9 < min(abs(d) for d in differ)),
    )


def _symmetric() -> Claim:
    equal = BASE | {"gamma_L": 0.08}
    found = {e: exact("contrast", equal | kinds(e)) for e in STATISTICS}
    one_kind = worst(v for e, v in found.items() if e[1] == e[2])
    mixed = max(v for e, v in found.items() if e[1] != e[2])
    return Claim(
        "Rectification needs unequal couplings (below Eq. 12)",
        "C = 0 at gamma_L = gamma_R",
        f"at equal couplings C <= {one_kind:.0e} for baths of one kind, up to {mixed:.4f} for baths of two kinds",
        corrected(one_kind < 1e-9 < mixed),
        "true for baths of one kind, which Eq. 12 is about; baths of two kinds rectify with equal couplings",
    )


def _twelve() -> Claim:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(20):
        a, b, T, S = rng.uniform(0.01, 0.2, 2).tolist() + rng.uniform(0.2, 2.0, 2).tolist()
        p = {"gamma_L": a, "gamma_R": b, "T_L": T, "T_R": S}
        errors.append(formulas.contrast_qubits(**p) / exact("contrast", p | {"g": 0.07}) - 1)
    hot = exact("contrast", {"g": 0.05, "gamma_L": 0.01, "gamma_R": 0.02, "T_L": 500.0, "T_R": 0.0})
    return Claim(
        "Contrast of qubits between oscillator baths (Eq. 12), |gamma_L - gamma_R|/(gamma_L + gamma_R) for a hot bath",
        "1/3 at gamma_R = 2 gamma_L",
        f"Eq. 12 to {worst(errors):.0e} at 20 random points; {hot:.4f} at T_L = 500 omega",
        verdict(worst(errors) < 1e-8 and abs(hot - 1 / 3) < 1e-3),
    )


def _detailed_balance() -> Claim:
    errors = []
    for eps, T in ((1, 0.3), (1, 4.0), (-1, 0.3), (-1, 4.0)):
        down, up = formulas.rates(1.0, 0.05, T, eps)
        errors.append(up / down / math.exp(-1 / T) - 1)
        n = exact("occupation_1", {"N": 1, "gamma_L": 0.05, "gamma_R": 0.05, "T_L": T, "T_R": T, "eps_L": eps})
        errors.append(n - formulas.occupation(1.0, T, -1))
    return Claim(
        "Rates satisfy detailed balance for both kinds of ancillas (Eqs. 1-3)",
        "gamma^+/gamma^- = exp(-omega/T)",
        f"to {worst(errors):.0e}, and a qubit in equilibrium with either kind is thermal",
        verdict(worst(errors) < 1e-10),
    )


def _collisions() -> Claim:
    slopes, point = {}, TABLE_POINT | {"eps_L": -1, "eps_R": -1}
    limit = rectifier(**point).heat_currents()["L"]
    for construction in ("split", "sequential", "joint", "matched"):
        how: dict[str, Any] = point | {"picture": "collision", "construction": construction}
        far, near = (rectifier(**how, tau=tau).heat_currents()["L"] / limit - 1 for tau in (0.1, 0.05))
        slopes[construction] = math.log2(far / near)
    first = all(abs(slopes[name] - 1) < 0.05 for name in ("split", "sequential", "joint"))
    return Claim(
        "Repeated collisions become the local master equation as tau -> 0, V scaled by 1/sqrt(tau) (Sec. II)",
        "continuous-time limit",
        "the current's error falls as tau to the power "
        + ", ".join(f"{slope:.2f} ({name})" for name, slope in slopes.items()),
        verdict(first and abs(slopes["matched"] - 2) < 0.05),
    )


def _smaller() -> Claim:
    rng = np.random.default_rng(4)
    factors = []
    for _ in range(POINTS):
        p: dict[str, Any] = {name: 10 ** rng.uniform(-2, 0) for name in ("g", "gamma_L", "gamma_R")}
        p |= {"T_L": rng.uniform(0, 5), "T_R": rng.uniform(0, 5)} | kinds(STATISTICS[rng.integers(8)])
        factors.append(exact("J", p) / exact("J", p | {"N": 1}))
    cut = exact("J", BASE | {"g": 1e-5})
    whole = exact("J", BASE | {"g": 10.0}) / exact("J", BASE | {"N": 1})
    return Claim(
        "0 < alpha < 1, so J^(2) <= J^(1) for any parameters; J^(2) -> 0 as g -> 0, J^(1) for gamma << g (below Eq. 7)",
        "bounded by 0 and 1",
        f"J^(2)/J^(1) between {min(factors):.2g} and {max(factors):.6f} at {POINTS} random points of all statistics;"
        f" J = {cut:.0e} at g = 1e-5, J^(2)/J^(1) = {whole:.6f} at g = 10",
        verdict(min(factors) > 0 and max(factors) < 1 and abs(cut) < 1e-7 and abs(whole - 1) < 1e-4),
    )


def _cold() -> Claim:
    spread = []
    for eps_a in (-1, 1):
        p = BASE | {"T_L": 0.05, "T_R": 0.04, "eps_a": eps_a}
        factors = [formulas.scaling_factor(**p, eps_L=eps_L, eps_R=eps_R) for eps_L in (-1, 1) for eps_R in (-1, 1)]
        spread.append(max(factors) / min(factors) - 1)
    return Claim(
        "At low temperature alpha does not depend on the statistics of the baths (below Eq. 7)",
        "n vanishes",
        f"alpha of all baths equal to {worst(spread):.0e} at T = 0.05 omega",
        verdict(worst(spread) < 1e-7),
    )


def _accident() -> Claim:
    one = exact("contrast", ACCIDENT | {"N": 1})
    gap = lambda x: exact("contrast", ACCIDENT | {"g": math.exp(x)}) - one  # noqa: E731
    g = math.exp(brentq(gap, math.log(0.002), math.log(0.02), xtol=1e-14))
    at = ACCIDENT | {"g": g}
    two = exact("contrast", at)
    way = [exact("J", p) + exact("J", swapped(p)) for p in (at | {"N": 1}, at)]
    return Claim(
        "C^(2) and C^(1) differ for all four pairs of baths of two kinds (below Eq. 9)",
        "never equal",
        f"equal at g = {g:.6f}: {one:.6f} and {two:.6f} (qubits, gamma = 0.01, T = 2, 0.5, oscillators on L, two levels"
        f" on R); J-> + J<- = {way[0]:.1e} for one qubit, {way[1]:.1e} for two",
        corrected(abs(two / one - 1) < 1e-7 and way[0] * way[1] < 0),
        "they differ except where two sites rectify as much as one, but in the other direction: A/B = (J<-/J->)^2",
    )


CURRENT_CLAIMS: tuple[Callable[[], Claim], ...] = (
    _detailed_balance,
    _collisions,
    _no_work,
    _current,
    _smaller,
    _cold,
    _scaling,
    _coherence,
    _occupations,
    _contrast,
    _accident,
    _twelve,
    _symmetric,
)
