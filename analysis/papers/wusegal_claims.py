"""Claims of Wu and Segal 2009, each with the paper's number and ours, computed here."""

from collections.abc import Iterable, Mapping
import math
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from collide.machines import junction_formulas as formulas
from collide.machines.junction import junction
from collide.machines.metal import metal_rate, metal_rate_quadratic, polynomial_band

from .base import Claim
from .two_baths import current

Bath = Mapping[str, Any]
SPACINGS = (0.1, 0.5, 1.0)


def claims() -> list[Claim]:
    """Every claim, judged."""
    return [
        _harmonic(),
        _all_spins(),
        _type_b_tls(),
        _type_b_ho(),
        _solid_metal_exact(),
        _solid_metal_linear(),
        _classical(),
        _crossing(),
        _ladder(),
        _figure_limits(),
        _figure_dip(),
        _tunable(),
        _quantum_regime(),
        _classical_regime(),
        _caption(),
        _mean_energies(),
        _current_operator(),
        _band_expansion(),
        _golden_rule(),
    ]


# -------------------------------------------------------------------- words and numbers


def solid(g: float) -> Bath:
    """A bath of bosons."""
    return {"kind": "boson", "g": g}


def spins(g: float) -> Bath:
    """A bath of spins."""
    return {"kind": "spin", "g": g}


def metal(g: float, delta: float = 0.2) -> Bath:
    """A metal with mu = 1."""
    return {"kind": "metal", "g": g, "delta": delta, "mu": 1.0}


def ratio(left: Bath, right: Bath, T_a: float = 0.5, difference: float = 0.1, **keywords: Any) -> float:
    """R = |J(Delta)/J(-Delta)| with T_a the SUM of the temperatures."""
    T, t = (T_a + difference) / 2, (T_a - difference) / 2
    forward = junction(left=left, right=right, T_L=T, T_R=t, **keywords)
    reverse = junction(left=left, right=right, T_L=t, T_R=T, **keywords)
    return abs(current(forward) / current(reverse))


def _list(values: Iterable[float], form: str = ".4f") -> str:
    return ", ".join(f"{value:{form}}" for value in values)


def _judged(right: bool, otherwise: str = "does not hold") -> str:
    return "holds" if right else otherwise


# -------------------------------------------------------------------- which junctions rectify


def _harmonic() -> Claim:
    worst = max(abs(ratio(solid(2), solid(g), 2, 0.6, omega=w) - 1) for g in (0.5, 0.01) for w in SPACINGS)
    return Claim(
        "solid-HO-solid does not rectify, whatever the asymmetry",
        "R = 1",
        f"|R - 1| <= {worst:.0g}",
        _judged(worst < 1e-10),
    )


def _all_spins() -> Claim:
    worst = max(
        abs(ratio(spins(2), spins(g), 2, 0.6, omega=w, subsystem="TLS") - 1) for g in (0.5, 0.01) for w in SPACINGS
    )
    return Claim(
        "spin-TLS-spin does not rectify, whatever the asymmetry",
        "R = 1",
        f"|R - 1| <= {worst:.0g}",
        _judged(worst < 1e-10),
    )


def _type_b_tls() -> Claim:
    unequal = ratio(solid(2), solid(0.5), 2, 0.6, omega=1e-3, subsystem="TLS")
    equal = ratio(solid(1), solid(1), 2, 0.6, omega=1.0, subsystem="TLS")
    return Claim(
        "type B: boson-spin-boson (solid-TLS-solid) rectifies if and only if the couplings differ",
        "R ≠ 1 for Γ_L ≠ Γ_R",
        f"R = {unequal:.4f} for Γ = 2, 0.5 (classical, T_a = 2, Δ = 0.6), {equal:.6f} for equal ones",
        _judged(abs(unequal - 1) > 0.1 and abs(equal - 1) < 1e-10),
    )


def _type_b_ho() -> Claim:
    ho = [ratio(spins(2), spins(0.5), 2, 0.6, omega=w) for w in (0.05, 1.0)]
    tls = [ratio(solid(2), solid(0.5), 2, 0.6, omega=w, subsystem="TLS") for w in (0.05, 1.0)]
    equal = ratio(spins(1), spins(1), 2, 0.6, omega=1.0)
    inverse = np.allclose(np.array(ho) * tls, 1, atol=1e-9)
    return Claim(
        "type B: spin-HO-spin rectifies if and only if the couplings differ",
        "R ≠ 1 for Υ_L ≠ Υ_R",
        f"R = {_list(ho)} for Υ = 2, 0.5 at ω = 0.05, 1 (T_a = 2, Δ = 0.6), {equal:.6f} for equal ones",
        _judged(min(ho) > 1.1 and abs(equal - 1) < 1e-10),
        "exactly the inverse of solid-TLS-solid with the same couplings" if inverse else "",
    )


# -------------------------------------------------------------------- Eqs. (20) and (21)


def _solid_metal_exact() -> Claim:
    printed = formulas.rectification_solid_ho_metal(0.3, 0.2, 0.2, 1)
    found = [ratio(solid(1), metal(1), omega=w) for w in SPACINGS]
    return Claim(
        "Eq. (20) for solid-HO-metal with equal couplings",
        f"R = {printed:.6f} at δ_R = 0.2, T_a = 0.5, Δ = 0.1",
        f"{_list(found, '.6f')} at ω = {_list(SPACINGS, 'g')}",
        _judged(np.allclose(found, printed, rtol=1e-9)),
    )


def _solid_metal_linear() -> Claim:
    linear = formulas.rectification_solid_ho_metal_linear(0.1, 0.2, 1)
    found = ratio(solid(1), metal(1), omega=1.0)
    small = [(1 - ratio(solid(1), metal(1, d), omega=1.0)) / (d * 0.1 / 2) for d in (0.02, 0.002)]
    return Claim(
        "R ≃ 1 - Δ δ_R / 2μ_R, the last step of Eq. (20)",
        f"{linear:.5f}",
        f"{found:.5f}; (1 - R) / (Δδ/2μ) = {_list(small)} at δ = 0.02, 0.002",
        _judged(abs(small[1] - 1) < 0.01),
        "first order in δ only",
    )


def _classical() -> Claim:
    omega, T_L, T_R = 1e-3, 1.3, 0.7
    printed = formulas.classical_current_tls(omega, T_L, T_R, 2, 0.5)
    tls = current(junction(subsystem="TLS", omega=omega, left=solid(2), right=solid(0.5), T_L=T_L, T_R=T_R))
    k = formulas.boson_rate(omega, T_L, 2), formulas.boson_rate(omega, T_R, 0.5)
    ho = formulas.current_ho(omega, T_L, T_R, *k)
    close = abs(tls / printed - 1)
    return Claim(
        'Eq. (21): classical limit of "solid-HO-solid", in which even powers of Δ appear',
        f"J = {printed:.6e} at ω = 0.001, Γ = 2, 0.5, T = 1.3, 0.7",
        f"{tls:.6e} for solid-TLS-solid (relative difference {close:.1g}), {ho:.3e} for solid-HO-solid",
        _judged(abs(ho / printed - 1) < 1e-3, "holds corrected" if close < 1e-6 else "does not hold"),
        "(21) follows from (15) and (17) and belongs to the two-level system; solid-HO-solid does not rectify",
    )


def _crossing() -> Claim:
    def excess(omega: float) -> float:
        return ratio(solid(1), metal(1), omega=omega, subsystem="TLS") - 1

    low, high = excess(0.01), excess(0.3)
    at = float(brentq(excess, 0.02, 0.3)) if low * high < 0 else math.nan
    return Claim(
        "R of solid-TLS-metal can be made greater or smaller than one by varying the gap",
        "crosses 1",
        f"{1 + low:.5f} at ω = 0.01, {1 + high:.4f} at ω = 0.3, equal to 1 at ω = {at:.3f}",
        _judged(low > 0 > high),
    )


def _ladder() -> Claim:
    found = {}
    for name, bath in (("solids", solid), ("spins", spins)):
        found[name] = [ratio(bath(2), bath(0.5), 2, 0.6, subsystem="ladder", levels=N) for N in (2, 6, 20)]
    (a, _, b), (c, _, d) = found["solids"], found["spins"]
    return Claim(
        "statistics of the unit decides: a truncated ladder interpolates between TLS and HO",
        "TLS and HO as limits",
        f"N = 2, 6, 20: {_list(found['solids'])} between solids, {_list(found['spins'])} between spin baths",
        _judged(abs(b - 1) < 1e-4 and abs(c - 1) < 1e-10 and a < 0.8 and d > 1.3),
    )


# -------------------------------------------------------------------- Fig. 2


def _figure_limits() -> Claim:
    ho = [ratio(spins(1), metal(1), omega=w) for w in (0.01, 4.0)]
    tls = [ratio(spins(1), metal(1), omega=w, subsystem="TLS") for w in (0.001, 4.0)]
    right = abs(ho[0] - 2 / 3) < 0.01 and abs(tls[0] - 1) < 0.01 and abs(ho[1] - tls[1]) < 1e-5
    return Claim(
        "Fig. 2: the curves of HO and TLS start apart for ω → 0 and join at large ω",
        "read off the figure",
        f"HO {_list(ho)} (T_R/T_L = 0.6667), TLS {_list(tls)} at small and large ω",
        _judged(right),
    )


def _figure_dip() -> Claim:
    dip = {}
    for g in (1.0, 0.05):
        found = minimize_scalar(
            lambda w, g=g: ratio(spins(1), metal(g), omega=w, subsystem="TLS"), bounds=(0.05, 1), method="bounded"
        )
        dip[g] = float(found.x), float(found.fun)
    spots = [ratio(spins(1), metal(1), omega=w, subsystem=s) for s in ("HO", "TLS") for w in SPACINGS]
    return Claim(
        "Fig. 2: R of spin-TLS-metal dips at intermediate ω, deeper for the weak contact",
        "read off the figure",
        f"{dip[1.0][1]:.3f} at ω = {dip[1.0][0]:.2f}, inset {dip[0.05][1]:.3f} at ω = {dip[0.05][0]:.2f};"
        f" at ω = 0.1, 0.5, 1 HO {_list(spots[:3])}, TLS {_list(spots[3:])}",
        _judged(dip[0.05][1] < dip[1.0][1] < 0.95),
    )


def _tunable() -> Claim:
    found = [ratio(spins(1), metal(g), omega=0.1, subsystem=s) for s in ("HO", "TLS") for g in (1.0, 0.05)]
    return Claim(
        "the metal's coupling strength largely controls the rectification ratio (inset)",
        "Γ_F = 1 against 0.05",
        f"at ω = 0.1 HO {found[0]:.3f} → {found[1]:.3f}, TLS {found[2]:.3f} → {found[3]:.3f}",
        _judged(abs(found[1] - found[0]) > 0.1 and abs(found[3] - found[2]) > 0.1),
    )


def _quantum_regime() -> Claim:
    found = [ratio(spins(1), metal(1), omega=w, subsystem=s) for s in ("HO", "TLS") for w in (2.0, 4.0)]
    return Claim(
        "rectification is suppressed in the quantum regime",
        "R → 1 for ω » T",
        f"R = {_list(found)} at ω = 2, 4 for HO, TLS",
        _judged(min(found) > 0.98),
        "towards 0.9907, the value of (20), not towards 1: the metal's own temperature dependence stays",
    )


def _classical_regime() -> Claim:
    ho, tls = (ratio(spins(1), metal(1), omega=0.01, subsystem=s) for s in ("HO", "TLS"))
    return Claim(
        "in the classical limit (ω < T) rectification can be substantial",
        "substantial",
        f"at ω = 0.01 R = {ho:.3f} for HO, {tls:.3f} for TLS",
        _judged(ho < 0.75 and tls < 0.95, "holds corrected" if ho < 0.75 else "does not hold"),
        "for the oscillator; the curve of the two-level system returns to 1 for ω → 0",
    )


def _caption() -> Claim:
    found = ratio(spins(1), metal(1), omega=0.5)
    other = ratio(spins(1), metal(1), T_a=1.0, difference=0.1, omega=0.5)
    return Claim(
        "parameters of Fig. 2: T_a = 0.5, Υ_L = Γ_B^R = 1",
        "as printed in the caption",
        f"HO at ω = 0.5: {found:.4f} with T_a = T_L + T_R, {other:.4f} if T_a were the average",
        "holds corrected",
        "the right contact is the metal: Γ_F^R = 1; T_a is the sum of the temperatures",
    )


# -------------------------------------------------------------------- general statements


def _mean_energies() -> Claim:
    found = ratio(solid(1), metal(1, delta=0.0), omega=1.0, subsystem="TLS")
    return Claim(
        "baths of different mean energy rectify (Eq. 9)",
        "sufficient condition on the exact current",
        f"R = {found:.10f} for a solid and a metal with a flat band on a TLS at equal couplings",
        "holds corrected" if abs(found - 1) < 1e-10 else "holds",
        "in the weak-coupling current (11) only the rates k(ω, T) enter: different baths with equal k do not rectify",
    )


def _current_operator() -> Claim:
    model = junction(subsystem="TLS", left=solid(2), right=solid(0.5), T_L=1.3, T_R=0.7)
    flows = model.heat_currents()
    half = 0.5 * (flows["L"] - flows["R"])
    return Claim(
        "Eq. (2): J = i Tr[Jρ] with J = i[V_L, H_S]/2 + i[H_S, V_R]/2",
        "as printed",
        f"half the difference of the currents, Eq. (11): {half:.10f}; current from L: {flows['L']:.10f}",
        "holds corrected" if abs(half - flows["L"]) < 1e-12 else "does not hold",
        "one i too many: the operator is Hermitian, so Tr[Jρ] is the real current and i times it is not",
    )


def _band_expansion() -> Claim:
    T, omega = (0.05, 0.2), 0.3
    found = [metal_rate(polynomial_band([1.0, 0.5], 1.0), t, omega, 1.0) for t in T]
    curved = [metal_rate(polynomial_band([1.0, 0.0, 1.0], 1.0), t, omega, 1.0) for t in T]
    right = np.allclose(curved, [metal_rate_quadratic([1, 0, 1], t, omega) for t in T], rtol=1e-9)
    return Claim(
        "Λ ≃ Γ_F (1 + δ T/μ) from expanding the band around the chemical potential",
        "linear in T",
        f"Λ = {_list(found, '.8f')} at T = {_list(T, 'g')} for a linear band; {_list(curved, '.6f')} with curvature",
        "does not hold" if abs(found[0] / found[1] - 1) < 1e-9 and right else "holds",
        "a linear band gives no dependence on T, curvature gives T²: the linear form is a phenomenological input, and"
        " Γ_F = 2πωF(μ) is kept constant in Fig. 2 although it contains ω",
    )


def _golden_rule() -> Claim:
    T, omega = 0.1, 0.3
    F = polynomial_band([1.0, 1.0], 1.0)
    k = metal_rate(F, T, omega, 1.0) / -math.expm1(-omega / T)
    model = junction(
        omega=omega, left=spins(1), right={"kind": "metal", "F_coefficients": [1.0, 1.0], "mu": 1.0}, T_R=T
    )
    ours = sum(c.rate for c in model.channels if c.name == "R" and c.quantum < 0)
    return Claim(
        "Eqs. (18) and (19): k = -n_B(-ω) Λ with Λ the integral over the band",
        f"k = {k:.10f} for F = 1 + (ε - μ), T = 0.1, ω = 0.3",
        f"{ours:.10f}, the rate of the junction's jumps",
        _judged(abs(ours / k - 1) < 1e-12),
    )
