"""Every claim of the paper, judged by numbers that are computed here."""

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
from ..entanglement import concurrence
from .base import Claim
from .rectifier_claims_strong import STRONG_CLAIMS
from .rectifier_quantities import QUANTITIES

STATISTICS = list(product((-1, 1), repeat=3))
BASE: dict[str, Any] = {"g": 0.05, "gamma_L": 0.03, "gamma_R": 0.08, "T_L": 0.45, "T_R": 0.25}
TABLE_POINT: dict[str, Any] = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}
FIG2: dict[str, Any] = {"g": 0.01, "gamma_L": 0.01, "gamma_R": 0.02}
ENGINE: dict[str, Any] = {"g": 0.016, "gamma_L": 0.01, "gamma_R": 0.1, "T_L": 2.0, "T_R": 0.05}
TRIALS = 400


def claims() -> list[Claim]:
    """Every claim, in the order of the paper."""
    return [make() for make in (*WEAK_CLAIMS, *STRONG_CLAIMS, *ENTROPY_CLAIMS)]


def _exact(quantity: str, params: dict[str, Any]) -> float:
    return float(QUANTITIES["rectifier_local", quantity](params))


def _kinds(eps: tuple[int, ...]) -> dict[str, Any]:
    return dict(zip(("eps_a", "eps_L", "eps_R"), eps, strict=True))


def _verdict(holds: bool) -> str:
    return "holds" if holds else "does not hold"


def _corrected(holds: bool) -> str:
    return "holds corrected" if holds else "does not hold"


def _worst(values: Any) -> float:
    return float(np.abs(np.asarray(list(values), dtype=float)).max())


# -------------------------------------------------------------------- currents


def _no_work() -> Claim:
    power = [_exact("power", BASE | _kinds(eps)) for eps in STATISTICS]
    power += [rectifier(**TABLE_POINT, picture="collision", tau=t).power() for t in (0.5, 2.0)]
    full = rectifier(**TABLE_POINT)
    rho = np.diag([0.5, 0.25, 0.25, 0]).astype(complex)
    rho[1, 2] = rho[2, 1] = 0.2
    transient = full.power(rho)
    as_said = _worst(power) < 1e-10 < abs(transient)
    return Claim(
        "At resonance the work cost is zero, all energy exchanged is heat (Sec. III A)",
        "W = 0",
        f"|W| <= {_worst(power):.0e} in the steady state, at every tau; {transient:.1e} in a state with real coherence",
        _corrected(as_said),
        "true in the steady state; while the coherence <s_1 s_2^+> has a real part the hopping energy is worked on",
    )


def _current() -> Claim:
    errors = [
        formulas.current(N=N, **BASE, **_kinds(eps)) / _exact("J", BASE | _kinds(eps) | {"N": N}) - 1
        for eps in STATISTICS
        for N in (1, 2)
    ]
    return Claim(
        "J^(2) = alpha J^(1) for all eight statistics (Eqs. 5-7)",
        "closed form",
        f"largest relative difference to the master equation {_worst(errors):.0e}",
        _verdict(_worst(errors) < 1e-8),
    )


def _occupations() -> Claim:
    exact = _exact("occupation_1", BASE)
    right = formulas.two_site_moments(**BASE).first / exact - 1
    (down_L, up_L), (down_R, up_R) = (formulas.rates(1.0, BASE[f"gamma_{s}"], BASE[f"T_{s}"], 1) for s in "LR")
    G_L, G_R = down_L + up_L, down_R + up_R
    square = BASE["gamma_R"] ** 2
    D = (4 * BASE["g"] ** 2 + G_L * G_R) * (G_L + G_R)
    printed = (4 * BASE["g"] ** 2 * (up_L + up_R) + up_L * G_R * (down_L + down_R + up_L + square)) / D / exact - 1
    return Claim(
        "Occupations and coherence of two sites (Eqs. 31-33)",
        "(gamma_L^+ + gamma_R^2) in Eqs. 31 and 32",
        f"off by {100 * printed:.2f} % as printed, by {abs(right):.0e} with gamma_R^+",
        _corrected(abs(right) < 1e-9 < abs(printed)),
        "gamma_R^2 must be gamma_R^+",
    )


def _coherence() -> Claim:
    errors = []
    for eps in STATISTICS:
        p = BASE | _kinds(eps)
        errors.append(4 * p["g"] * _exact("coherence_imag", p) / _exact("J", p) - 1)
    return Claim(
        "Coherence and current are proportional, C = iJ/(4 g omega)",
        "for any statistics",
        f"largest relative difference {_worst(errors):.0e}",
        _verdict(_worst(errors) < 1e-8),
    )


def _scaling() -> Claim:
    x, T = np.meshgrid(np.linspace(0.01, 5, 40), np.linspace(0.05, 10, 40))
    values = {d: np.vectorize(lambda a, b, d=d: formulas.low_temperature_scaling(a, b, d))(x, T) for d in (0, 2, -2)}
    ordered = bool((values[-2] >= values[0]).all() and (values[0] >= values[2]).all())
    return Claim(
        "alpha_2 >= alpha_0 >= alpha_1 (App. B, Fig. 6)",
        "surfaces",
        f"{'ordered' if ordered else 'not ordered'} at all {x.size} points of a grid",
        _verdict(ordered),
    )


# -------------------------------------------------------------------- rectification


def _contrast() -> Claim:
    same = [
        _exact("contrast", BASE | _kinds(e)) - _exact("contrast", BASE | _kinds(e) | {"N": 1})
        for e in STATISTICS
        if e[1] == e[2]
    ]
    differ = [
        _exact("contrast", BASE | _kinds(e)) - _exact("contrast", BASE | _kinds(e) | {"N": 1})
        for e in STATISTICS
        if e[1] != e[2]
    ]
    moved = [
        _exact("contrast", BASE | _kinds(e) | {"g": 0.2}) - _exact("contrast", BASE | _kinds(e))
        for e in STATISTICS
        if e[1] == e[2]
    ]
    return Claim(
        "C^(2) = C^(1), independent of g, only for baths of one kind (Eqs. 8 and 9)",
        "A = B iff both baths are of one kind",
        f"one kind: equal to {_worst(same):.0e}, moved by g by {_worst(moved):.0e}; two kinds: differ by at least"
        f" {min(abs(d) for d in differ):.1e}",
        _verdict(_worst(same) < 1e-9 < min(abs(d) for d in differ)),
    )


def _symmetric() -> Claim:
    equal = BASE | {"gamma_L": 0.08}
    found = {e: _exact("contrast", equal | _kinds(e)) for e in STATISTICS}
    one_kind = _worst(v for e, v in found.items() if e[1] == e[2])
    mixed = max(v for e, v in found.items() if e[1] != e[2])
    return Claim(
        "Rectification needs unequal couplings (below Eq. 12)",
        "C = 0 at gamma_L = gamma_R",
        f"at equal couplings C <= {one_kind:.0e} for baths of one kind, up to {mixed:.4f} for baths of two kinds",
        _corrected(one_kind < 1e-9 < mixed),
        "true for baths of one kind, which Eq. 12 is about; baths of two kinds rectify with equal couplings",
    )


def _twelve() -> Claim:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(20):
        a, b, T, S = rng.uniform(0.01, 0.2, 2).tolist() + rng.uniform(0.2, 2.0, 2).tolist()
        p = {"gamma_L": a, "gamma_R": b, "T_L": T, "T_R": S}
        errors.append(formulas.contrast_qubits(**p) / _exact("contrast", p | {"g": 0.07}) - 1)
    hot = _exact("contrast", {"g": 0.05, "gamma_L": 0.01, "gamma_R": 0.02, "T_L": 500.0, "T_R": 0.0})
    return Claim(
        "Contrast of qubits between oscillator baths (Eq. 12), |gamma_L - gamma_R|/(gamma_L + gamma_R) for a hot bath",
        "1/3 at gamma_R = 2 gamma_L",
        f"Eq. 12 to {_worst(errors):.0e} at 20 random points; {hot:.4f} at T_L = 500 omega",
        _verdict(_worst(errors) < 1e-8 and abs(hot - 1 / 3) < 1e-3),
    )


# -------------------------------------------------------------------- conductance


def _thirteen() -> Claim:
    ratios = []
    for eps in STATISTICS:
        p: dict[str, Any] = {k: BASE[k] for k in ("g", "gamma_L", "gamma_R")} | _kinds(eps)
        n_L, n_R, n_a = (formulas.occupation(1.0, 0.4, p[f"eps_{s}"]) for s in "LRa")
        printed = p["gamma_L"] * p["gamma_R"] * n_L * n_a * n_R * math.exp(2.5)
        printed /= (p["gamma_L"] * n_L + p["gamma_R"] * n_R) * 0.16
        ratios.append(_exact("conductance", p | {"N": 1, "T_L": 0.4, "T_R": 0.4}) / printed)
    return Claim(
        "Linear conductance of one site (Eq. 13)",
        "kappa^(1) as printed",
        f"dJ/dT over the printed form: {min(ratios):.6f} to {max(ratios):.6f} in all eight cases",
        _corrected(_worst(r - 2 for r in ratios) < 1e-7),
        "a factor 2 is missing relative to J = Q_L - Q_R; Eq. 14 and the form below it have it",
    )


def _peak() -> Claim:
    at = _exact("conductance_peak_temperature", FIG2)
    best = _exact("conductance", FIG2 | {"T_L": at, "T_R": at})
    estimate = formulas.largest_conductance(**FIG2)
    one = _exact("conductance_peak_temperature", FIG2 | {"N": 1})
    return Claim(
        "The conductance has one peak around T = omega/2, given by Eq. 15 (Fig. 2)",
        f"T = 0.5 omega, kappa^(2) = {estimate:.5g}",
        f"kappa^(2) peaks at T = {at:.5f} omega with {best:.6g} ({100 * (estimate / best - 1):.1f} % by Eq. 15),"
        f" kappa^(1) at {one:.6f} omega",
        _corrected(at < one < 0.55 and abs(estimate / best - 1) < 0.05),
        "Eq. 15 is within 0.2 % for kappa^(1), but alpha(T) moves the peak of kappa^(2) unless g >> gamma",
    )


def _bounded() -> Claim:
    ratios = [
        _exact("conductance", FIG2 | {"T_L": T, "T_R": T}) / _exact("conductance", FIG2 | {"N": 1, "T_L": T, "T_R": T})
        for T in np.geomspace(0.08, 20, 30)
    ]
    return Claim(
        "kappa^(1) is an upper bound of kappa^(2) (Fig. 2)",
        "above everywhere",
        f"kappa^(2)/kappa^(1) between {min(ratios):.3g} and {max(ratios):.3g} for T = 0.08 ... 20 omega",
        _verdict(max(ratios) < 1),
    )


def _frequency() -> Claim:
    heights = []
    for omega in (0.5, 1.0, 3.0):
        p = FIG2 | {"N": 1, "omega": omega}
        T = _exact("conductance_peak_temperature", p)
        heights.append(_exact("conductance", p | {"T_L": T, "T_R": T}))
    spread = max(heights) / min(heights) - 1
    return Claim(
        "omega moves the peak of the conductance but does not change its height",
        "independent of omega",
        f"heights at omega = 0.5, 1, 3 differ by {spread:.0e}",
        _verdict(spread < 1e-6),
    )


def _onset() -> Claim:
    errors, texts = [], []
    for couplings in (FIG2, {"g": 0.02, "gamma_L": 0.1, "gamma_R": 0.05}):
        found = _exact("ndtc_onset_T_L", couplings | {"T_R": 0.0})
        errors.append(found / formulas.ndtc_onset(**couplings) - 1)
        texts.append(f"{found:.6f}")
    return Claim(
        "Negative differential conductance beyond T_L of Eq. 17 at T_R -> 0",
        "the exponent -1 acts on the logarithm",
        f"maximum of J at T_L = {' and '.join(texts)} omega, Eq. 17 to {_worst(errors):.0e}",
        _verdict(_worst(errors) < 1e-6),
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
        p: dict[str, Any] = {"gamma_L": rng.uniform(0.01, 1), "gamma_R": rng.uniform(0.01, 1)} | _kinds(eps)
        T_L, T_R = rng.uniform(0.15, 4.0, 2)
        rise = central(partial(_one_site, T_R=T_R, **p), T_L, 0.1 * T_L).value
        fall = central(partial(_one_site_backwards, T_L=T_L, **p), T_R, 0.1 * T_R).value
        bad += not (rise > 0 > fall)
    return Claim(
        "One site never shows negative differential conductance: dJ^(1)/dDelta T > 0, alpha > 0 (below Eq. 16)",
        "for any statistics",
        f"{bad} exceptions in {TRIALS} random points over all eight statistics",
        _verdict(bad == 0),
    )


# -------------------------------------------------------------------- chains


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
        _corrected(abs(ring - 1) > 1e-3),
        "the sum of an open chain ends at N - 1",
    )


def _length() -> Claim:
    errors = []
    for eps in product((-1, 1), repeat=2):
        kinds = _kinds((-1, *eps))
        two = rectifier(**BASE, **kinds).heat_currents()["L"]
        errors += [rectifier(N=N, **BASE, **kinds).heat_currents()["L"] / two - 1 for N in (3, 4, 5, 6)]
    noise = [rectifier(N=N, **TABLE_POINT).heat_cumulants("L", 2)[1] for N in (2, 3)]
    return Claim(
        "Current, contrast and conductance do not depend on the length of the chain, N >= 2 (Eq. 19)",
        "J^(N) = J^(2) for qubits between oscillator baths",
        f"N = 3 ... 6 to {_worst(errors):.0e}, for all four pairs of baths; the variance rate does change,"
        f" {noise[0]:.6g} for N = 2 and {noise[1]:.6g} for N = 3",
        _verdict(_worst(errors) < 1e-10),
    )


# -------------------------------------------------------------------- entanglement and entropy


def _critical() -> Claim:
    rng = np.random.default_rng(3)
    bad = entangled = 0
    for _ in range(TRIALS // 4):
        p: dict[str, Any] = {"g": 0.02} | {f"gamma_{s}": 0.02 * 10 ** rng.uniform(-1, 1.5) for s in "LR"}
        p |= {"T_L": 10 ** rng.uniform(-0.5, 1.5), "T_R": rng.uniform(0, 0.3), "eps_L": int(rng.choice([-1, 1]))}
        model = rectifier(**p)
        J = model.heat_currents()["L"] - model.heat_currents()["R"]
        above = abs(J) > formulas.critical_current(
            **{k: p[k] for k in ("g", "gamma_L", "gamma_R", "T_L", "T_R", "eps_L")}
        )
        value = float(concurrence(model.steady_state(), signed=True)) > 0
        entangled += value
        bad += above != value
    return Claim(
        "Entanglement if and only if the current exceeds J_c (Eq. 39)",
        "last term Gamma^4/4g",
        f"{bad} exceptions at {TRIALS // 4} random points, {entangled} of them entangled, with Gamma^4/4g^2",
        _corrected(bad == 0 < entangled),
        "the last term must be divided by g^2, for its dimension and to agree with the populations of Eq. 38",
    )


def _equal_couplings() -> Claim:
    ratios = np.geomspace(0.3, 30, 25)
    best = {}
    for eps, hot in ((1, (0.5, 2.0, 10.0)), (-1, (2.0, 100.0, math.inf))):
        values = [
            float(
                concurrence(
                    rectifier(g=0.01, gamma_L=0.01 * x, gamma_R=0.01 * x, T_L=T, T_R=0.0, eps_L=eps).steady_state(),
                    signed=True,
                )
            )
            for x in ratios
            for T in hot
        ]
        best[eps] = max(values)
    return Claim(
        "Entanglement can be generated even for gamma_L = gamma_R (Eq. 40)",
        "J > J_c possible",
        f"oscillator baths: at most {best[1]:.4f} without the maximum, never entangled; two-level hot bath: up to"
        f" {best[-1]:.4f}",
        _corrected(best[1] < 0 < best[-1]),
        "J > J_c would need (1+n)^2 gamma^2 > g^2 (2+n)^2 + gamma^2 (1+n)^3, impossible; two-level hot baths can",
    )


def _swap() -> Claim:
    there = _exact("concurrence", ENGINE)
    back = _exact("concurrence", ENGINE | {"T_L": ENGINE["T_R"], "T_R": ENGINE["T_L"]})
    return Claim(
        "Exchanging the temperatures destroys the entanglement when gamma_R >> gamma_L",
        "entangled one way only",
        f"concurrence {there:.4f} one way, {back:g} the other",
        _verdict(there > 0 and back == 0),
    )


def _unrelated() -> Claim:
    rectifies = _exact("contrast", TABLE_POINT), _exact("concurrence", TABLE_POINT)
    linear = {"g": 0.01, "gamma_L": 0.012, "gamma_R": 0.065, "T_L": math.inf, "T_R": 0.0, "eps_L": -1, "eps_R": -1}
    entangles = _exact("contrast", linear), _exact("concurrence", linear)
    return Claim(
        "There is no fundamental relation between rectification and entanglement (Sec. V)",
        "either without the other",
        f"contrast {rectifies[0]:.3f} with concurrence {rectifies[1]:g}; contrast {entangles[0]:.0e} with concurrence"
        f" {entangles[1]:.4f} (two-level baths)",
        _verdict(rectifies[0] > 0 == rectifies[1] and entangles[0] < 1e-9 < entangles[1]),
    )


def _entropy() -> Claim:
    rate = _exact("entropy_production_rate", TABLE_POINT)
    printed = (1 / TABLE_POINT["T_R"] - 1 / TABLE_POINT["T_L"]) * _exact("J", TABLE_POINT)
    return Claim(
        "Entropy production rate in the steady state (Eq. 41)",
        "(beta_R - beta_L) J^(2)",
        f"printed over exact: {printed / rate:.12g}",
        _corrected(abs(printed / rate - 2) < 1e-9),
        "with J = Q_L - Q_R it is (beta_R - beta_L) Q_L = (beta_R - beta_L) J/2",
    )


def _asymmetry() -> Claim:
    swapped = TABLE_POINT | {"T_L": TABLE_POINT["T_R"], "T_R": TABLE_POINT["T_L"]}
    entropies = _exact("entropy_production_rate", TABLE_POINT) / _exact("entropy_production_rate", swapped)
    currents = abs(_exact("J", TABLE_POINT) / _exact("J", swapped))
    return Claim(
        "The ratio of entropy productions under the swap is the rectification coefficient (Eq. 42)",
        "equal",
        f"{entropies:.12g} and {currents:.12g}",
        _verdict(abs(entropies / currents - 1) < 1e-9),
    )


WEAK_CLAIMS: tuple[Callable[[], Claim], ...] = (
    _no_work,
    _current,
    _coherence,
    _contrast,
    _twelve,
    _symmetric,
    _thirteen,
    _peak,
    _bounded,
    _frequency,
    _onset,
    _monotonic,
    _open_chain,
    _length,
)
ENTROPY_CLAIMS: tuple[Callable[[], Claim], ...] = (
    _unrelated,
    _occupations,
    _scaling,
    _critical,
    _equal_couplings,
    _swap,
    _entropy,
    _asymmetry,
)
