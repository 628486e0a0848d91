"""Claims of Werlang et al. 2014, each with the paper's number and ours, computed here."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from collide.machines import ising_formulas as formulas
from collide.machines.ising import ising
from collide.machines.xy_chain import xy_chain

from .base import Claim
from .two_baths import current

HOT = 1e8  # as good as infinite
COUPLINGS = (0.01, 0.1, 0.5)


def claims() -> list[Claim]:
    """Every claim, judged."""
    return [
        _saturation(),
        _cycle_rate_in_the_limit(),
        _note_37(),
        _isolation(),
        _any_coupling(),
        _cold_but_not_zero(),
        _suddenly_reduced(),
        _phenomenological(),
        _sign_of_the_right_current(),
        _asymmetry_at_low_mean(),
        _asymmetry_at_high_mean(),
        _chain_rises_and_falls(),
        _chain_saturates(),
        _chain_levels(),
    ]


def _J(Delta: float, T_L: float, T_R: float) -> float:
    return current(ising(Delta=Delta, T_L=T_L, T_R=T_R))


def _list(values: Iterable[float], form: str = ".4g") -> str:
    return ", ".join(f"{value:{form}}" for value in values)


def _judged(right: bool, otherwise: str = "does not hold") -> str:
    return "holds" if right else otherwise


# -------------------------------------------------------------------- the rectifier


def _saturation() -> Claim:
    found = [_J(Delta, HOT, 0) / (Delta**2 / 2) for Delta in COUPLINGS]
    return Claim(
        "the current saturates at κΔ²/2 for T_L → ∞, T_R → 0, at every coupling",
        "J_L / (κΔ²/2) = 1",
        f"{_list(found, '.6f')} at Δ/h = {_list(COUPLINGS)}",
        _judged(np.allclose(found, 1, atol=1e-6)),
    )


def _cycle_rate_in_the_limit() -> Claim:
    ratio = -_J(0.5, HOT, 0) / (2 * 0.5) / (-0.5 / 4)
    return Claim(
        "the cycle rate tends to Γ = -κΔ/4 for T_L → ∞, T_R → 0",
        "Γ / (-κΔ/4) = 1",
        f"{ratio:.6f}",
        _judged(abs(ratio - 1) < 1e-6),
    )


def _note_37() -> Claim:
    ours = -_J(0.5, 1.0, 0) / (2 * 0.5)
    printed, corrected = formulas.cycle_rate_cold_right_printed(1, 0.5, 1), formulas.cycle_rate_cold_right(1, 0.5, 1, 1)
    right = abs(corrected / ours - 1) < 1e-9
    return Claim(
        "closed form of the cycle rate at T_R → 0 (note 37), at Δ = 0.5 h, T_L = h",
        f"{printed:.6f} as printed",
        f"{ours:.6f} κh, and {corrected:.6f} from the corrected form",
        _judged(abs(printed / ours - 1) < 1e-6, "holds corrected" if right else "does not hold"),
        "the printed form lacks the factor -κ and is right for T_L → ∞ only;"
        " Γ = -κΔ(h²-Δ²) / (2h² + 2exp(Δ/T_L)[(h²-2Δ²) cosh(h/T_L) + Δh sinh(h/T_L)])",
    )


def _isolation() -> Claim:
    largest = max(abs(_J(Delta, 0, T_R)) for Delta in COUPLINGS for T_R in (0.3, 1.0, 10.0))
    return Claim(
        "no current at T_L → 0, whatever T_R: perfect isolation in the reverse direction",
        "J_L = 0",
        f"{largest:.1g} κh² at most",
        _judged(largest == 0),
    )


def _any_coupling() -> Claim:
    below, above = _J(0.9, 0, 10), _J(1.5, 0, 10)
    return Claim(
        "optimal rectification at T_cold = 0 for any value of the coupling",
        "J_L(T_L = 0) = 0 for any Δ",
        f"{below:.4g} at Δ = 0.9 h, {above:.4g} κh² at Δ = 1.5 h",
        _judged(above == 0, "holds corrected" if below == 0 else "does not hold"),
        "needs Δ < h: above, the blocking transition 2 → 3 gives energy to the left bath and is open at T_L = 0",
    )


def _ratio(Delta: float, cold: float) -> float:
    return abs(_J(Delta, cold, 10) / _J(Delta, 10, cold))


def _cold_but_not_zero() -> Claim:
    Deltas = (0.1, 0.3, 0.5, 0.7, 0.9)
    ratios = [_ratio(Delta, 0.1) for Delta in Deltas]
    return Claim(
        "perfect isolation persists at T_cold = 0.1 h for couplings below about 0.5 h",
        "reverse current nearly zero",
        f"|reverse/forward| = {_list(ratios, '.2g')} at Δ/h = {_list(Deltas)}",
        _judged(max(ratios[:3]) < 0.01 < min(ratios[3:])),
    )


def _suddenly_reduced() -> Claim:
    ratios = [_ratio(Delta, 0.3) for Delta in (0.1, 0.5, 0.9)]
    return Claim(
        "above T_cold = 0.3 h the asymmetry is suddenly reduced",
        "clearly negative reverse current in Fig. 3(b)",
        f"|reverse/forward| = {_list(ratios, '.2g')} at Δ/h = 0.1, 0.5, 0.9",
        _judged(min(ratios) > 0.2),
    )


def _phenomenological() -> Claim:
    grid = [(D, L, R) for D in (0.01, 0.5, 2.0) for L in (0.3, 10.0) for R in (0.3, 10.0)]
    largest = max(abs(ising(Delta=D, T_L=L, T_R=R, equation="local").heat_currents()["L"]) for D, L, R in grid)
    return Claim(
        "the phenomenological (local) equation gives no current at any coupling and temperatures",
        "J_L = 0",
        f"{largest:.1g} κh² at most on a grid of couplings and temperatures",
        _judged(largest < 1e-12),
        "its first term, printed with σ⁻ρσ⁻, must read σ⁻ρσ⁺",
    )


def _sign_of_the_right_current() -> Claim:
    found = ising(Delta=0.5, T_L=10, T_R=0.3).heat_currents()
    return Claim(
        "J_L = -J_R with J_R = ω_21 Γ_12 + ω_43 Γ_34",
        "J_R defined by Eqs. (5) and (7) as the current out to the right",
        f"currents into the system: L {found['L']:+.6f}, R {found['R']:+.6f} κh²",
        "holds corrected" if abs(found["L"] + found["R"]) < 1e-12 else "does not hold",
        "the J_R of the text is the current INTO the system; with Eqs. (5) and (7) the steady state has J_L = J_R",
    )


# -------------------------------------------------------------------- inset of Fig. 3


def _asymmetry(mean: float, difference: float) -> float:
    """Relative difference of the magnitudes of the current at +- the temperature difference."""
    half = difference / 2
    forward, reverse = _J(0.5, mean + half, mean - half), _J(0.5, mean - half, mean + half)
    return 1 - abs(reverse / forward)


def _asymmetry_at_low_mean() -> Claim:
    found = _asymmetry(0.5, 0.96)
    return Claim(
        "asymmetric conduction at the low mean temperature 0.5 h (inset of Fig. 3)",
        "asymmetry evidently guaranteed",
        f"reverse current smaller by {100 * found:.3g} % at δT = 0.96 h",
        _judged(found > 0.5),
    )


def _asymmetry_at_high_mean() -> Claim:
    near, far = _asymmetry(5, 1), _asymmetry(5, 8)
    return Claim(
        "the asymmetry completely ceases at the mean temperature 5 h",
        "symmetric line",
        f"reverse current smaller by {100 * near:.2g} % at δT = h, by {100 * far:.3g} % at δT = 8 h",
        _judged(max(near, far) < 0.01, "holds corrected" if near < 0.01 else "does not hold"),
        "holds for δT much smaller than twice the mean temperature, as in the figure",
    )


# -------------------------------------------------------------------- the XY chain (note 38)


def _chain(**keywords: Any) -> float:
    return current(xy_chain(T_R=0.0, **keywords))


def _chain_rises_and_falls() -> Claim:
    top = minimize_scalar(lambda x: -_chain(T_L=np.exp(x), equation="local"), bounds=(-1, 5), method="bounded")
    T, fall = float(np.exp(top.x)), _chain(T_L=2e5, equation="local") / _chain(T_L=1e5, equation="local")
    return Claim(
        "with phenomenological baths the current of the XY chain rises, then falls with the gradient",
        "maximum, then decay",
        f"maximum at T_L = {T:.2f} h (4 spins, κ = 0.1); doubling T_L = 1e5 h multiplies the current by {fall:.3f}",
        _judged(0.5 < T < 100 and abs(fall - 0.5) < 0.01),
        "it falls as 1/T_L, because the hot bath interrupts the exchange of the spins at a rate ~ T_L",
    )


def _chain_saturates() -> Claim:
    found = _chain(T_L=HOT, equation="global") / (0.1 * 1.25 / 2)
    return Claim(
        "with the global equation the current of the XY chain saturates",
        "finite limit",
        f"{found:.6f} of κ(h² + Δ²)/2 for 4 spins",
        _judged(abs(found - 1) < 1e-6),
    )


def _chain_levels() -> Claim:
    found = [_chain(N=N, T_L=HOT, equation="global", kappa=1.0) for N in (2, 3, 4)]
    return Claim(
        "the saturation value is proportional to the number of quantum levels",
        "proportional to the number of levels",
        f"{_list(found, '.6f')} κh² for 2, 3 and 4 spins",
        _judged(found[1] > 1.5 * found[0]),
        "the limit κ(h² + Δ²)/2 is the same for every N >= 2, as the weights of the modes at the end spin add up to"
        " one",
    )
