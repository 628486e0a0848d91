"""Sec. IV B: rectification of heat and of angular momentum (Figs. 4 and 5)."""

from .base import Claim
from .rotor_judging import corrected, listed, verdict
from .rotor_rectification_figures import BETAS, along_chi, at_chi, maxima

# -------------------------------------------------------------------- Sec. IV B: rectification


def rectification_claims() -> list[Claim]:
    """Figs. 4 and 5."""
    return [
        _order_of_peaks(),
        _uncoupled(),
        _heat_optima(),
        _trade_off(),
        _angular_above_one(),
        _angular_momentum_grows(),
        _angular_optimum(),
    ]


def _order_of_peaks() -> Claim:
    positions = {b: (maxima(b, "heat")[0.0]["chi"], maxima(b, "heat")[1.0]["chi"]) for b in BETAS}
    collapsed = max(along_chi(b, False)["R"][-1] for b in BETAS)
    return Claim(
        "with chi both R and J grow, J peaks first, then R, then both fall",
        "J, then R",
        ", ".join(f"beta2 = {b:g}: J at {j:.2f}, R at {r:.2f}" for b, (j, r) in positions.items()),
        verdict(all(j < r for j, r in positions.values()) and collapsed < 0.1),
        f"R has fallen to {collapsed:.2f} or less at chi = 0.99",
    )


def _uncoupled() -> Claim:
    near, nearer = (at_chi(0.02, chi, {}) for chi in (0.99, 0.999))
    return Claim(
        "chi can be varied up to 1",
        "0 <= chi <= 1",
        f"R = {near['R']:.3f}, J = {near['J']:.3f} at 0.99, then R = {nearer['R']:.3f}, J = {nearer['J']:.4f} at 0.999",
        corrected(nearer["R"] > near["R"] and nearer["J"] < near["J"]),
        "at chi = 1 bath 1 is uncoupled, and there is no current; before that R rises again while J vanishes",
    )


def _trade_off() -> Claim:
    dots = [maxima(b, "heat") for b in BETAS]
    between = [dot[0.0]["chi"] <= dot[0.5]["chi"] <= dot[1.0]["chi"] for dot in dots]
    largest = max(dot[0.0]["J"] for dot in dots)
    return Claim(
        "Gamma_alpha weighs R against J, Gamma_0.5 their average (Eq. 41)",
        "chi between those of J and R",
        f"chi = {listed([dot[0.5]['chi'] for dot in dots], '.3f')} for beta2 = {listed(BETAS, 'g')}",
        verdict(all(between)),
        f"J is a rescaled current, not bounded by 1: up to {largest:.2f}",
    )


def _heat_optima() -> Claim:
    J = [maxima(b, "heat")[0.0]["J"] for b in BETAS]
    R = [maxima(b, "heat")[1.0]["R"] for b in BETAS]
    return Claim(
        "a hotter bath raises the maximum of Gamma_0 much, that of Gamma_1 slightly",
        "much, slightly",
        f"Gamma_0 {listed(J, '.2f')}; Gamma_1 {listed(R, '.3f')} for beta2 = {listed(BETAS, 'g')}",
        verdict(J[0] / J[-1] > 1.5 and 1 < R[0] / R[-1] < 1.1),
    )


def _angular_above_one() -> Claim:
    printed = [along_chi(b, False)["R_angular_printed"] for b in BETAS]
    low, high = min(float(p.min()) for p in printed), max(float(p.max()) for p in printed)
    return Claim(
        "R_angular of Eq. 42 is a rectification coefficient like R",
        "0 <= R_angular <= 1",
        f"{low:.2f} to {high:.1f} as printed",
        corrected(low > 1 and all(0 <= along_chi(b, False)["R_angular"].max() <= 1 for b in BETAS)),
        "<L_z> changes sign when the temperatures are exchanged; with absolute values it lies between 0 and 1, and"
        " Fig. 5 looks like Fig. 4",
    )


def _angular_momentum_grows() -> Claim:
    J = [maxima(b, "angular")[0.0]["J_angular"] for b in BETAS]
    return Claim(
        "a large angular momentum is reached when bath 2 is hot",
        "hot",
        f"max |<L_z>| = {listed(J, '.1f')} for beta2 = {listed(BETAS, 'g')}",
        verdict(J[0] > J[1] > J[2]),
    )


def _angular_optimum() -> Claim:
    full = [maxima(b, "angular")[1.0]["R_angular"] for b in BETAS]
    cut = [float(along_chi(b, True)["R_angular"].max()) for b in BETAS]
    start = [float(along_chi(b, False)["R_angular"][0]) for b in BETAS]
    return Claim(
        "a colder hot bath gives a slightly larger R_angular",
        "slightly larger",
        f"maxima {listed(full, '.3f')} for beta2 = {listed(BETAS, 'g')}",
        verdict(full[0] < full[1] < full[2]),
        f"it reverses on a converged ladder; the cut one has {listed(cut, '.3f')}, and at chi = 0 it is true:"
        f" {listed(start, '.3f')}",
    )
