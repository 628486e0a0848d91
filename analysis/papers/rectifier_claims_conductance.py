"""Claims about the conductance in weak coupling, where it is negative, and about chains."""

from collections.abc import Callable
from functools import partial
from itertools import product
import math
from typing import Any

import numpy as np

from collide.channels import Channel
from collide.lindblad import LindbladModel, local
from collide.machines import rectifier_formulas as formulas
from collide.machines.rectifier import bath, rectifier
from collide.operators import Space, qubit

from ..derivative import central
from .base import Claim
from .rectifier_claims_common import (
    BASE,
    FIG2,
    STATISTICS,
    TABLE_POINT,
    TRIALS,
    corrected,
    exact,
    kinds,
    verdict,
    worst,
)


def _thirteen() -> Claim:
    ratios = []
    for eps in STATISTICS:
        p: dict[str, Any] = {k: BASE[k] for k in ("g", "gamma_L", "gamma_R")} | kinds(eps)
        n_L, n_R, n_a = (formulas.occupation(1.0, 0.4, p[f"eps_{s}"]) for s in "LRa")
        printed = p["gamma_L"] * p["gamma_R"] * n_L * n_a * n_R * math.exp(2.5)
        printed /= (p["gamma_L"] * n_L + p["gamma_R"] * n_R) * 0.16
        ratios.append(exact("conductance", p | {"N": 1, "T_L": 0.4, "T_R": 0.4}) / printed)
    fourteen = formulas.conductance(T=0.4, **FIG2) / exact("conductance", FIG2 | {"T_L": 0.4, "T_R": 0.4}) - 1
    return Claim(
        "Linear conductance of one site (Eq. 13) and of two (Eq. 14)",
        "kappa^(1) as printed",
        f"dJ/dT over the printed form: {min(ratios):.6f} to {max(ratios):.6f} in all eight cases; Eq. 14 to"
        f" {abs(fourteen):.0e}",
        corrected(max(worst(r - 2 for r in ratios), abs(fourteen)) < 1e-7),
        "a factor 2 is missing relative to J = Q_L - Q_R; Eq. 14 and the form below it have it",
    )


def _peak() -> Claim:
    at = exact("conductance_peak_temperature", FIG2)
    best = exact("conductance", FIG2 | {"T_L": at, "T_R": at})
    estimate = formulas.largest_conductance(**FIG2)
    one = exact("conductance_peak_temperature", FIG2 | {"N": 1})
    return Claim(
        "The conductance has one peak around T = omega/2, given by Eq. 15 (Fig. 2)",
        f"T = 0.5 omega, kappa^(2) = {estimate:.5g}",
        f"kappa^(2) peaks at T = {at:.5f} omega with {best:.6g} ({100 * (estimate / best - 1):.1f} % by Eq. 15),"
        f" kappa^(1) at {one:.6f} omega",
        corrected(at < one < 0.55 and abs(estimate / best - 1) < 0.05),
        "Eq. 15 is within 0.2 % for kappa^(1), but alpha(T) moves the peak of kappa^(2) unless g >> gamma",
    )


def _bounded() -> Claim:
    ratios = [
        exact("conductance", FIG2 | {"T_L": T, "T_R": T}) / exact("conductance", FIG2 | {"N": 1, "T_L": T, "T_R": T})
        for T in np.geomspace(0.08, 20, 30)
    ]
    return Claim(
        "kappa^(1) is an upper bound of kappa^(2) (Fig. 2)",
        "above everywhere",
        f"kappa^(2)/kappa^(1) between {min(ratios):.3g} and {max(ratios):.3g} for T = 0.08 ... 20 omega",
        verdict(max(ratios) < 1),
    )


def _frequency() -> Claim:
    spread = {}
    for N in (1, 2):
        heights = []
        for omega in (0.5, 1.0, 3.0):
            p = FIG2 | {"N": N, "omega": omega}
            T = exact("conductance_peak_temperature", p)
            heights.append(exact("conductance", p | {"T_L": T, "T_R": T}))
        spread[N] = max(heights) / min(heights) - 1
    return Claim(
        "omega moves the peak of the conductance but does not change its height (below Eq. 15)",
        "independent of omega",
        f"heights at omega = 0.5, 1, 3 differ by {spread[1]:.0e} for one qubit, {spread[2]:.0e} for two",
        verdict(worst(spread.values()) < 1e-6),
    )


def _onset() -> Claim:
    errors, texts = [], []
    for couplings in (FIG2, {"g": 0.02, "gamma_L": 0.1, "gamma_R": 0.05}):
        found = exact("ndtc_onset_T_L", couplings | {"T_R": 0.0})
        errors.append(found / formulas.ndtc_onset(**couplings) - 1)
        texts.append(f"{found:.6f}")
    return Claim(
        "Negative differential conductance beyond T_L of Eq. 17 at T_R -> 0",
        "T_L > ln[...]^-1, the inverse of the logarithm",
        f"maximum of J at T_L = {' and '.join(texts)} omega, Eq. 17 to {worst(errors):.0e}",
        verdict(worst(errors) < 1e-6),
    )


def _one_site(T_L: float, **p: float) -> float:
    return formulas.current(N=1, T_L=T_L, **p)


def _one_site_backwards(T_R: float, **p: float) -> float:
    return formulas.current(N=1, T_R=T_R, **p)


def _monotonic() -> Claim:
    rng = np.random.default_rng(2)
    bad = 0
    for _ in range(TRIALS):
        eps = STATISTICS[rng.integers(8)]
        p: dict[str, Any] = {"gamma_L": rng.uniform(0.01, 1), "gamma_R": rng.uniform(0.01, 1)} | kinds(eps)
        T_L, T_R = rng.uniform(0.15, 4.0, 2)
        rise = central(partial(_one_site, T_R=T_R, **p), T_L, 0.1 * T_L).value
        fall = central(partial(_one_site_backwards, T_L=T_L, **p), T_R, 0.1 * T_R).value
        alpha = formulas.scaling_factor(g=0.1, T_L=T_L, T_R=T_R, **p)
        bad += not (rise > 0 > fall and 0 < alpha < 1)
    return Claim(
        "One site never shows negative differential conductance: dJ^(1)/dDelta T > 0, alpha > 0 (below Eq. 16)",
        "for any statistics",
        f"{bad} exceptions in {TRIALS} random points over all eight statistics",
        verdict(bad == 0),
    )


def _open_chain() -> Claim:
    space = Space(*[qubit()] * 3)
    H: Any = sum((space.number(j) for j in range(3)), 0 * space.identity())
    for j, k in ((0, 1), (1, 2), (2, 0)):
        H = H + BASE["g"] * space.exchange(j, k)
    channels: list[Channel] = []
    for site, side in ((0, "L"), (2, "R")):
        channels += local(space.s(site), 1.0, bath(side, BASE[f"gamma_{side}"], BASE[f"T_{side}"], 1))
    ring = LindbladModel(H, channels, dims=space).heat_currents()["L"] / rectifier(**BASE).heat_currents()["L"]
    return Claim(
        "Hamiltonian of the chain (Eq. 18)",
        "hopping summed to k = N",
        f"with a bond from N to 1 the current of N = 3 would be {ring:.4f} times that of N = 2",
        corrected(abs(ring - 1) > 1e-3),
        "the sum of an open chain ends at N - 1",
    )


def _length() -> Claim:
    errors, contrasts = [], []
    for eps in product((-1, 1), repeat=2):
        these = kinds((-1, *eps))
        two = exact("J", BASE | these)
        errors += [exact("J", BASE | these | {"N": N}) / two - 1 for N in (3, 4, 5, 6)]
        contrast = exact("contrast", BASE | these)
        contrasts += [exact("contrast", BASE | these | {"N": N}) - contrast for N in (3, 4, 6)]
    oscillators = [exact("J", BASE | {"eps_a": 1, "N": N}) / exact("J", BASE | {"eps_a": 1}) - 1 for N in (3, 6, 20)]
    warm = BASE | {"T_L": 0.4, "T_R": 0.4}
    kappa = [exact("conductance", warm | {"N": N, "eps_a": e}) for e in (-1, 1) for N in (2, 5)]
    conductances = [kappa[1] / kappa[0] - 1, kappa[3] / kappa[2] - 1]
    noise = [rectifier(N=N, **TABLE_POINT).heat_cumulants("L", 2)[1] for N in (2, 3)]
    return Claim(
        "Current, contrast and conductance do not depend on the length of the chain, N >= 2: no Fourier law (Eq. 19)",
        "J^(N) = J^(2) for qubits between oscillator baths",
        f"J of N = 3 ... 6 qubits to {worst(errors):.0e} and their contrast to {worst(contrasts):.0e}, for all four"
        f" pairs of baths; J of up to 20 oscillators to {worst(oscillators):.0e}; conductances to"
        f" {worst(conductances):.0e}; the variance rate does change, {noise[0]:.6g} for N = 2 and {noise[1]:.6g} for"
        " N = 3",
        verdict(max(map(worst, (errors, contrasts, oscillators, conductances))) < 1e-7),
    )


def _beyond_tau() -> Claim:
    gaps = []
    for tau in (0.2, 0.1):
        two, three = (rectifier(N=N, **TABLE_POINT, picture="collision", tau=tau).heat_currents()["L"] for N in (2, 3))
        gaps.append(three / two - 1)
    slope = math.log2(gaps[0] / gaps[1])
    return Claim(
        "The current of repeated collisions does not depend on the length either (Secs. II and III D)",
        "in the continuous-time limit",
        f"J^(3)/J^(2) - 1 = {gaps[0]:.1e} at tau = 0.2, {gaps[1]:.1e} at 0.1: it falls as tau^{slope:.2f}",
        corrected(abs(slope - 2) < 0.05 and abs(gaps[0]) > 1e-7),
        "at finite tau the current depends on N; the difference vanishes as tau -> 0",
    )


CONDUCTANCE_CLAIMS: tuple[Callable[[], Claim], ...] = (
    _thirteen,
    _peak,
    _bounded,
    _frequency,
    _onset,
    _monotonic,
    _open_chain,
    _length,
    _beyond_tau,
)
