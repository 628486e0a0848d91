"""Claims about strongly coupled qubits, judged by the global equation."""

from collections.abc import Callable
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar

from collide.lindblad import eigenoperators
from collide.machines import rectifier_formulas as formulas
from collide.machines import rectifier_global_formulas as global_formulas
from collide.operators import Space, qubit

from .base import Claim
from .rectifier_claims_common import corrected, exact, verdict, worst
from .rectifier_quantities import conductance_at

FIG4: dict[str, Any] = {"g": 0.8, "gamma_R": 0.02, "T_R": 0.0}
COUPLINGS: dict[str, Any] = {"gamma_L": 0.01, "gamma_R": 0.02}


def _exact(quantity: str, params: dict[str, Any]) -> float:
    return exact(quantity, params, "global")


def _contrast(T: float, ratio: float) -> float:
    return _exact("contrast", FIG4 | {"gamma_L": 0.02 * ratio, "T_L": T})


def _one(T: float, ratio: float) -> float:
    return formulas.contrast_qubits(gamma_L=0.02 * ratio, gamma_R=0.02, T_L=T, T_R=0.0)


def _current() -> Claim:
    errors = []
    for g, T, S in ((0.8, 0.7, 0.3), (0.5, 1.0, 0.3), (0.3, 0.2, 2.0)):
        p = COUPLINGS | {"g": g, "T_L": T, "T_R": S}
        errors.append(global_formulas.global_current(**p) / _exact("J", p) - 1)
    weak = COUPLINGS | {"T_L": 0.7, "T_R": 0.3}
    limit = _exact("J", weak | {"g": 1e-4}) / formulas.current(N=1, **weak) - 1
    return Claim(
        "Current of the global equation (Eqs. 20-22)",
        "sum over omega +- g",
        f"to {worst(errors):.0e}; as g -> 0 it is J^(1) (off by {abs(limit):.0e} at g = 1e-4)",
        verdict(worst(errors) < 1e-10 and abs(limit) < 1e-6),
    )


def _twenty_four() -> Claim:
    p = COUPLINGS | {"g": 0.8, "T_L": 0.5}
    found = _exact("contrast", p | {"T_R": 0.0})
    closed = global_formulas.global_contrast(**p)
    weights = hot = 0.0
    for f in (1.8, 0.2):
        n, c = formulas.occupation(f, 0.5, 1), formulas.half_coth(f, 0.5)
        A = f * n / ((2.0 + c) * (0.5 + 1.0))  # the second coth at T_R -> 0
        weights, hot = weights + A, hot + A * n
    printed = 1 / 3 / (1 + weights / hot)
    return Claim(
        "Contrast of the global equation at T_R -> 0 (Eqs. 23 and 24)",
        f"{printed:.4f} as printed at gamma = 0.01, 0.02, g = 0.8, T_L = 0.5",
        f"{found:.4f}, the corrected form to {abs(closed / found - 1):.0e}",
        corrected(abs(closed / found - 1) < 1e-9 < abs(printed / found - 1)),
        "the second coth of A has T_L, not T_R",
    )


def _order() -> Claim:
    values = {T: _contrast(T, 0.1) for T in (0.1, 0.2, 0.5, 1.0, 5.0, 50.0)}
    rest = [value for T, value in values.items() if T != 0.5]
    zero = _contrast(1.0, 1.0)
    mirror = _contrast(1.0, 4.0) - _contrast(1.0, 0.25)
    return Claim(
        "The contrast grows with the bias, T_L = 0.1 ... 50 from down to up, zero at gamma_L = gamma_R (Fig. 4)",
        "in this order",
        ", ".join(f"{v:.4f}" for v in values.values())
        + f" at gamma_L = 0.1 gamma_R; {zero:.0e} at equal couplings, symmetric to {abs(mirror):.0e}",
        corrected(rest == sorted(rest) and values[0.5] > values[1.0] and zero < 1e-9),
        "T_L = 0.5 lies slightly above T_L = 1: the contrast is not monotonic in T_L",
    )


def _maximum() -> Claim:
    texts, cold = [], []
    for ratio in (0.5, 0.05):
        cold.append(_contrast(0.4, ratio) > _one(0.4, ratio) and _contrast(5.0, ratio) < _one(5.0, ratio))
        top = minimize_scalar(lambda T, r=ratio: -_contrast(T, r), bounds=(0.3, 0.6), method="bounded")
        low = minimize_scalar(lambda T, r=ratio: _contrast(T, r), bounds=(0.6, 1.5), method="bounded")
        cross = brentq(lambda T, r=ratio: _contrast(T, r) - _one(T, r), 0.7, 4.0)
        texts.append(
            f"gamma_L/gamma_R = {ratio:g}: maximum {-top.fun:.4f} at {top.x:.3f}, minimum {low.fun:.4f} at {low.x:.3f},"
            f" below one qubit from T_L = {cross:.4f}"
        )
    cool = _contrast(0.15, 0.5), _one(0.15, 0.5)
    return Claim(
        "Strong coupling improves rectification beyond weak coupling (Fig. 4, Sec. V)",
        "C_global above C^(1)",
        "; ".join(texts) + f"; {cool[0]:.4f} against {cool[1]:.4f} at T_L = 0.15, ratio 0.5",
        corrected(all(cold) and cool[0] > 10 * cool[1]),
        "true for cold enough hot baths only; beyond the crossing the weakly coupled device rectifies better",
    )


def _limit() -> Claim:
    values = [(_contrast(2000.0, r), _one(2000.0, r), (1 - r) / (1 + r)) for r in (0.5, 0.05)]
    errors = [max(abs(a - c), abs(b - c)) for a, b, c in values]
    return Claim(
        "C_global -> C^(1) -> |gamma_L - gamma_R|/(gamma_L + gamma_R) at high temperature",
        "1/3 and 0.9048",
        ", ".join(f"{a:.4f} and {b:.4f}" for a, b, _ in values) + " at T_L = 2000 omega",
        verdict(worst(errors) < 2e-3),
    )


def _peaks() -> Claim:
    found = {g: _maxima(g) for g in (0.9, 0.8, 0.7)}
    threshold = _exact("two_peak_threshold_g", dict(COUPLINGS))
    texts = "; ".join(", ".join(f"{T:.4f}" for T in peaks) for peaks in found.values())
    apart = [max(peaks) - min(peaks) for peaks in found.values()]
    near = [abs(T / f - 0.5) for g, peaks in found.items() for T, f in zip(peaks, (1 - g, 1 + g), strict=False)]
    two = all(len(peaks) == 2 for peaks in found.values())
    return Claim(
        "The conductance splits into two peaks, further apart for larger g (Fig. 5, App. E)",
        "near omega_pm (Sec. IV), omega_pm / 2 (App. E), for g = 0.9, 0.8, 0.7",
        f"T = {texts} omega, {', '.join(f'{x:.3f}' for x in apart)} apart; T/omega_pm within {max(near):.3f} of 1/2;"
        f" two peaks only for g > {threshold:.5f} omega",
        corrected(two and apart == sorted(apart, reverse=True) and max(near) < 0.1),
        "near omega_pm / 2, not omega_pm; the lower mode's tail pulls the upper peak down, and weaker coupling leaves"
        " one",
    )


def _two_modes() -> Claim:
    errors, halves = [], []
    for g, T in ((0.9, 0.05), (0.8, 0.3), (0.7, 1.5)):
        found = _exact("conductance", COUPLINGS | {"g": g, "T_L": T, "T_R": T})
        errors.append(global_formulas.global_conductance(g=g, T=T, **COUPLINGS) / found - 1)
        modes = [exact("conductance", COUPLINGS | {"N": 1, "omega": f, "T_L": T, "T_R": T}) for f in (1 + g, 1 - g)]
        halves.append(sum(modes) / 2 / found - 1)
    return Claim(
        "The conductance of the global equation (Eq. 25) is that of two independent qubits at omega_pm",
        "a sum of two",
        f"Eq. 25 to {worst(errors):.0e}; half the sum of two qubits' to {worst(halves):.0e}",
        corrected(max(worst(errors), worst(halves)) < 1e-8),
        "each mode has half of either bath's coupling, as its amplitude on each site is 1/sqrt(2)",
    )


def _asymmetric() -> Claim:
    alone = []
    for f in (1.8, 0.2):
        p: dict[str, Any] = COUPLINGS | {"N": 1, "omega": f}
        T = exact("conductance_peak_temperature", p)
        alone.append(exact("conductance", p | {"T_L": T, "T_R": T}) / 2)
    low, high = (_exact("conductance", COUPLINGS | {"g": 0.8, "T_L": T, "T_R": T}) for T in _maxima(0.8))
    tail = high - alone[0]
    return Claim(
        "The peaks are asymmetric because larger energy gaps allow higher heat transport (below Eq. 25, Fig. 5)",
        "higher at omega_+",
        f"heights {low:.6f} and {high:.6f} at g = 0.8; each mode alone reaches {alone[0]:.6f} and {alone[1]:.6f}",
        corrected(abs(alone[0] / alone[1] - 1) < 1e-6 and high > low and tail > 0.5 * (high - low)),
        "the upper peak is higher, but a mode's own height does not depend on its gap: the upper peak stands on the"
        " tail of the lower mode, while at the lower peak the upper mode is frozen",
    )


def _eigenoperators() -> Claim:
    commutators, powers = [], []
    for g in (0.3, 0.8):
        space = Space(qubit(), qubit())
        H = space.number(0) + space.number(1) + g * space.exchange(0, 1)
        for site in (0, 1):
            frequencies, operators = eigenoperators(H, space.s(site))
            for f, L in zip(frequencies, operators, strict=True):
                commutators.append(np.abs(np.asarray((H @ L - L @ H + f * L).todense())).max())
            commutators.append(np.abs(np.sort(frequencies) - np.array([1 - g, 1 + g])).max())
        powers.append(_exact("power", COUPLINGS | {"g": g, "T_L": 1.0, "T_R": 0.3}))
    return Claim(
        "The jump operators of the global equation lower H by omega_pm, and there is no work (Eq. 20)",
        "[H, L] = -omega_pm L",
        f"to {worst(commutators):.0e}; |W| <= {worst(powers):.0e}",
        verdict(max(worst(commutators), worst(powers)) < 1e-12),
    )


def _colours() -> Claim:
    at = {ratio: _contrast(30.0, ratio) for ratio in (0.5, 0.05)}
    limits = {ratio: (1 - ratio) / (1 + ratio) for ratio in at}
    told = all(abs(at[r] - limits[r]) < abs(at[r] - limits[other]) for r, other in ((0.5, 0.05), (0.05, 0.5)))
    return Claim(
        "Which curve of Fig. 4, lower panel, has which ratio of couplings",
        "0.5 is blue, later purple, in the caption, and purple in the text",
        f"at T_L = 30 omega {at[0.5]:.3f} for 0.5 (limit {limits[0.5]:.4f}), {at[0.05]:.3f} for 0.05 (limit"
        f" {limits[0.05]:.4f})",
        corrected(told),
        "caption and text contradict each other; the limits tell the curves apart, and here 0.5 is blue",
    )


def _depends_on_g() -> Claim:
    p = {"gamma_L": 0.01, "gamma_R": 0.02, "T_L": 0.4, "T_R": 0.0}
    strong = [_exact("contrast", p | {"g": g}) for g in (0.5, 0.7, 0.9)]
    weak = [exact("contrast", p | {"g": g}) for g in (0.005, 0.02, 0.08)]
    return Claim(
        "The contrast depends on g for strong coupling (Eq. 23), not for weak (Eq. 12)",
        "a difference between both",
        ", ".join(f"{x:.4f}" for x in strong) + f" at g = 0.5, 0.7, 0.9; weak: {weak[0]:.4f}, the same to"
        f" {max(weak) - min(weak):.0e}",
        verdict(max(weak) - min(weak) < 1e-9 and max(strong) - min(strong) > 0.01),
    )


def _maxima(g: float) -> list[float]:
    """Positions of the local maxima of the global conductance."""
    p: dict[str, Any] = COUPLINGS | {"g": g, "omega": 1.0, "N": 2, "eps_a": -1, "eps_L": 1, "eps_R": 1, "time": None}
    T: NDArray[np.float64] = np.geomspace(0.2 * (1 - g), 1.5, 36)
    values = np.array([conductance_at(p, float(t), "global") for t in T])
    inner = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] > values[2:])) + 1
    found = []
    for k in inner:
        bounds = (float(T[k - 1]), float(T[k + 1]))
        best = minimize_scalar(lambda t: -conductance_at(p, float(t), "global") * 1e3, bounds=bounds, method="bounded")
        found.append(float(best.x))
    return found


def _beyond() -> Claim:
    p = COUPLINGS | {"g": 0.8}
    low = _exact("conductance", p | {"T_L": 0.1, "T_R": 0.1}) / formulas.conductance(N=1, T=0.1, **COUPLINGS)
    high = _exact("conductance", p | {"T_L": 0.6, "T_R": 0.6}) / formulas.conductance(N=1, T=0.6, **COUPLINGS)
    return Claim(
        "At low temperature strong coupling conducts where one qubit does not (Fig. 5)",
        "kappa_global > kappa^(1) there",
        f"kappa_global/kappa^(1) = {low:.1f} at T = 0.1 omega, {high:.2f} at 0.6 omega",
        verdict(low > 1 > high),
    )


def _width() -> Claim:
    kappa = lambda T: formulas.csch(1 / T) / T**2  # noqa: E731 - a single mode in units of its frequency
    top = kappa(1 / formulas.peak_position())
    low = brentq(lambda T: kappa(T) - top / 2, 0.1, 0.5)
    high = brentq(lambda T: kappa(T) - top / 2, 0.6, 10.0)
    return Claim(
        "Full width at half maximum of each peak",
        "3 omega_pm / 2",
        f"{high - low:.4f} omega_pm for a mode alone",
        verdict(math.isclose(high - low, 1.5, rel_tol=0.03)),
    )


def _root() -> Claim:
    x = formulas.peak_position()
    return Claim(
        "Peaks at 1/x = coth(x)/2 (Eqs. 46 and 47, Fig. 7)",
        "x of about 2, T = omega_pm / 2",
        f"x = {x:.5f}, T = {1 / x:.6f} omega_pm",
        verdict(abs(x - 2) < 0.1),
    )


STRONG_CLAIMS: tuple[Callable[[], Claim], ...] = (
    _eigenoperators,
    _current,
    _twenty_four,
    _order,
    _colours,
    _maximum,
    _depends_on_g,
    _limit,
    _two_modes,
    _peaks,
    _asymmetric,
    _beyond,
    _width,
    _root,
)
