"""Secs. II and III and Appendix A: both equations, the load, the first law, and what is used but not stated."""

from collections.abc import Sequence
from itertools import pairwise
import math
from typing import Any

import numpy as np
from scipy.integrate import quad

from collide.exact.process import Complexes
from collide.exact.sources import bath_rate
from collide.machines import rotor_formulas as formulas
from collide.machines.rotor import parts, parts_of
from collide.machines.rotor_ladder import populations

from .base import Claim
from .rotor_devices import CUT, FIG_2, FIG_4, device, thermal_start
from .rotor_judging import CORRECTED, FAILS, at_x, corrected, listed, verdict
from .rotor_quantities import (
    Point,
    backaction,
    first_law_residual,
    heat,
    intrinsic,
    machine,
    point,
    power_load,
    power_qubits,
)

XS = (0.1, 0.3, 0.6, 0.8)


def model_claims() -> list[Claim]:
    """In the order of the paper."""
    return [
        raising_operator(),
        load_as_kicks(),
        short_collisions(),
        thermal_rotor(),
        heat_of_a_bath(),
        power_of_the_baths(),
        first_law(),
        small_load_power(),
        global_first_law(),
        kinetic_power(),
        long_time_limit(),
        spectral_density(),
        cutoff(),
        negative_frequencies(),
        global_limit(),
    ]


# -------------------------------------------------------------------- rotor and load


def raising_operator() -> Claim:
    """[e^{i phi}, L_z] = -e^{i phi}: e^{i phi} raises l, and heat from qubit 2 to qubit 1 turns the rotor forwards."""
    pieces = parts(4.0, 10.0, 1.0, 0.1, -4, 4)
    up, L_z = pieces.space.e_plus(2), pieces.L_z
    residual = abs(up @ L_z - L_z @ up + up).max()
    turns = [float(np.sign(heat(at_x(x), "2")) * np.sign(at_x(x).parts.L_z.diagonal().real @ _diagonal(x))) for x in XS]
    return Claim(
        "[exp(i phi), L_z] = -exp(i phi): heat that passes from qubit 2 to qubit 1 turns the rotor forwards",
        "-exp(i phi)",
        f"residual {residual:.0e}; Q_2 and <L_z> have the same sign at beta2/beta1 = {listed(XS, 'g')}",
        verdict(residual < 1e-14 and min(turns) > 0),
    )


def _diagonal(x: float) -> Complexes:
    return np.asarray(at_x(x).rho.diagonal().real)


def load_as_kicks() -> Claim:
    """Eq. 17 with cosine and sine is r {D[A_+] + D[A_-]}, on a cut ladder too."""
    I, beta_r, gamma = 0.7, 0.4, 0.03
    levels = 9
    up, l = np.eye(levels, k=-1), np.diag(np.arange(levels) - 4.0)
    cos, sin = (up + up.T) / 2, (up - up.T) / 2j
    printed = _dissipator(2 * I * gamma / beta_r, [cos - 1j * beta_r / (4 * I) * sin @ l,
                                                   sin + 1j * beta_r / (4 * I) * cos @ l])  # fmt: skip
    b, one = beta_r / (4 * I), np.eye(levels)
    kicks = _dissipator(I * gamma / beta_r, [up @ (one - b * l), up.T @ (one + b * l)])
    residual = float(np.abs(printed - kicks).max())
    return Claim(
        "the load of Eq. 17 is what two kicks of one unit of angular momentum do",
        "Eq. 17",
        f"generators differ by {residual:.0e} on a ladder of {levels} levels",
        verdict(residual < 1e-15),
        "A_+ = exp(i phi)(1 - b L_z), A_- = exp(-i phi)(1 + b L_z), b = beta_r/4I, each at the rate I gamma/beta_r",
    )


def _dissipator(rate: float, operators: Sequence[Any]) -> Complexes:
    """Generator of sum of rate D[A], row-major vectorisation."""
    one = np.eye(len(operators[0]))
    total = np.zeros((len(one) ** 2,) * 2, complex)
    for A in operators:
        loss = A.conj().T @ A
        total += rate * (np.kron(A, A.conj()) - 0.5 * (np.kron(loss, one) + np.kron(one, loss.T)))
    return total


def thermal_rotor() -> Claim:
    """The load alone does not quite bring the rotor to Gibbs' state."""
    I, beta_r = FIG_2["I"], FIG_2["beta_r"]
    free = machine("rotor_local", {**FIG_2, "lambda": 0.0, "beta2": 0.03})
    p = free.recipe["parameters"]  # type: ignore[union-attr]
    levels = np.arange(p["l_min"], p["l_max"] + 1)
    found, gibbs = float(populations(free.steady_state(), len(levels)) @ levels**2), I / beta_r
    return Claim(
        "without the qubits the load brings the rotor to equilibrium at beta_r",
        f"<L_z^2> = I/beta_r = {gibbs:.4f}",
        f"{found:.4f}",
        corrected(abs(found / formulas.load_L_z_squared(I, beta_r) - 1) < 1e-9),
        "the stationary state is Gibbs only to first order in beta_r/I: <L_z^2> = (I/beta_r)/(1 - beta_r/16I)",
    )


# -------------------------------------------------------------------- collisions, heat, work


def short_collisions() -> Claim:
    """Eqs. 9-14."""
    x, taus = 0.6, (0.02, 0.01, 0.005)
    limit = heat(at_x(x), "2")
    collided = [
        heat(point("rotor_collision_split", {**FIG_2, "beta2": x * FIG_2["beta1"], "tau": tau}), "2") for tau in taus
    ]
    errors = [value / limit - 1 for value in collided]
    orders = [math.log2(a / b) for a, b in pairwise(errors)]
    return Claim(
        "in the limit of short collisions the local master equation follows (Eqs. 9-14)",
        "tau -> 0",
        f"Q_2 is {listed([100 * e for e in errors], '+.3f')} % off at tau = {listed(taus, 'g')}, order"
        f" {orders[-1]:.2f} in tau",
        verdict(abs(orders[-1] - 1) < 0.05),
        f"at beta2/beta1 = {x:g}, ancilla after ancilla; what must be small is g^2 tau (2n + 1), here"
        f" {formulas.small_parameter(1.0, taus[0], x * 0.1, 10.0):.3f} at most",
    )


def heat_of_a_bath() -> Claim:
    """Eqs. 18-20."""
    worst = 0.0
    for x in XS:
        at = at_x(x)
        for number, site in ((1, 0), (2, 1)):
            B, beta = FIG_2[f"B{number}"], FIG_2["beta1"] * (1.0 if number == 1 else x)
            upper = float(np.real(at.parts.space.number(site).diagonal() @ at.rho.diagonal()))
            n = 1 / math.expm1(2 * beta * B)
            printed = formulas.qubit_heat_current(upper, B, FIG_2["g"], n)
            worst = max(worst, abs(printed - bath_rate(at.model, at.parts.bare, [str(number)], at.rho)))
    return Claim(
        "the heat Tr[H_S0 L_i rho] is 2 B_i times the net rate of quanta (Eqs. 18-20)",
        "Eq. 19",
        f"the two differ by {worst:.0e}",
        verdict(worst < 1e-11),
    )


def power_of_the_baths() -> Claim:
    """Eqs. 22-24."""
    worst = 0.0
    for x in XS:
        at = at_x(x)
        transfer = float(np.real((at.parts.interaction.multiply(at.rho.T)).sum())) / (2 * FIG_2["lambda"])
        n = [1 / math.expm1(2 * beta * B) for beta, B in ((0.1, 4.0), (0.1 * x, 10.0))]
        printed = formulas.qubit_power(transfer, FIG_2["lambda"], FIG_2["g"], FIG_2["g"], *n)
        worst = max(worst, abs(printed - bath_rate(at.model, at.parts.interaction, ["1", "2"], at.rho)))
        worst = max(worst, abs(printed - power_qubits(at)))
    return Claim(
        "the power of the qubits' baths is Tr[H_SI (L_1 + L_2) rho], Eq. 24, and the closed form of Eq. 23",
        "Eqs. 22-24",
        f"three ways differ by {worst:.0e}",
        verdict(worst < 1e-11),
    )


def first_law() -> Claim:
    """Eq. 26."""
    worst = max(abs(first_law_residual(at_x(x))) for x in XS)
    return Claim(
        "the first law (26) holds with W^(Q) and W^(r)", "exact", f"residual {worst:.1e}", verdict(worst < 1e-9)
    )


def small_load_power() -> Claim:
    """What is said below Eq. 26."""
    shares = [abs(power_load(at_x(x)) / power_qubits(at_x(x))) for x in XS]
    return Claim(
        "W^(r) is negligible beside heats and W^(Q)",
        "negligible",
        f"at most {max(shares):.1e} of W^(Q)",
        verdict(max(shares) < 1e-3),
    )


def global_first_law() -> Claim:
    """Eqs. 27-29."""
    at = point("rotor_global", {**FIG_4, "beta2": 0.02, "chi": 0.5})
    residual, share = abs(first_law_residual(at)), abs(power_load(at) / heat(at, "2"))
    return Claim(
        "in the semi-global equation W^(Q) = 0 and Q_1 + Q_2 + Q_r + W^(r) = 0, W^(r) negligible (Eqs. 27-29)",
        "0",
        f"W^(Q) {abs(power_qubits(at)):.0e}, residual {residual:.0e}, W^(r) {share:.0e} of Q_2",
        verdict(max(residual, abs(power_qubits(at))) < 1e-10 and share < 1e-3),
    )


def kinetic_power() -> Claim:
    """Eqs. 30-33, the derivative from states beside it in time."""
    x, step = 0.8, 1e-3
    model, worst = device(x), 0.0
    for time in (0.5, 50.0):
        states = model.evolve(thermal_start(model), [time - step, time, time + step])
        before, at, after = (Point(model, rho, parts_of(model), time) for rho in states)
        energy = [float(np.real(at.parts.kinetic.diagonal() @ p.rho.diagonal())) for p in (before, after)]
        worst = max(worst, abs((energy[1] - energy[0]) / (2 * step) / (intrinsic(at) + backaction(at)) - 1))
    steady = at_x(x)
    load_only = abs(backaction(steady) - heat(steady, "r"))
    return Claim(
        "the kinetic power is the intrinsic power plus the back-action heat (Eqs. 30-33)",
        "W_kin = W_int + Q_BA",
        f"the derivative of <L_z^2>/2I agrees to {worst:.0e}",
        verdict(worst < 1e-4),
        f"the qubits' local baths do not touch L_z, so Q_BA = Q_r (to {load_only:.0e})",
    )


def long_time_limit() -> Claim:
    """Sec. IV A."""
    model = device(0.6)
    late = model.evolve(thermal_start(model), [1.5e6])[-1]
    distance = float(np.abs(late - model.steady_state()).max())
    return Claim(
        "the evolved state tends to the solution of d rho/dt = 0",
        "agrees",
        f"they differ by {distance:.1e}",
        verdict(distance < 1e-9),
    )


# -------------------------------------------------------------------- Appendix A


def ohmic_share(omega: float) -> float:
    """J / g^2 of Eqs. A16-A17; zero where there is no counter-rotating term."""
    return float(omega * FIG_4["Omega"] ** 2 / (omega**2 + FIG_4["Omega"] ** 2)) if omega > 0 else 0.0


def spectral_density() -> Claim:
    """Eqs. A10-A14: the real part of a half-line integral, with a convergence factor exp(-eps s)."""
    omega, eps = 8.0, 0.05

    def share(sign: float) -> float:
        """Over J(omega), with exp(sign i omega_k s) in the correlation function."""
        total = 0.0
        for low, high in ((0.0, omega - 1), (omega - 1, omega + 1), (omega + 1, 4e3)):
            total += quad(lambda w: ohmic_share(w) * eps / (eps**2 + (omega + sign * w) ** 2), low, high,
                          points=[omega] if low < omega < high else None, limit=400)[0]  # fmt: skip
        return total / ohmic_share(omega)

    along, against = share(-1.0), share(+1.0)
    return Claim(
        "the half-line integrals of the bath's correlation functions are J(omega) n and J(omega)(n + 1) (A10-A14)",
        "J",
        f"{along:.3f} J with exp(-i omega_k s) in A10, {against:.3f} J with exp(+i omega_k s) as printed",
        corrected(abs(along / math.pi - 1) < 0.05 and against < 0.1),
        "the integral is pi J, and A10 needs exp(-i omega_k s) to be resonant; J itself is used as the rate, as in A15",
    )


def cutoff() -> Claim:
    """Eqs. A16-A17: the largest Bohr frequency that sigma_i^- couples depends on the ladder."""
    largest = {ends: _largest_frequency(*ends) for ends in ((CUT["l_min"], CUT["l_max"]), (-12, 22))}
    J = [heat(point("rotor_global", {**FIG_4, "beta2": 0.02, "Omega": w}), "2") for w in (24.5, 20.0)]
    return Claim(
        "Omega = omega_max",
        "one number",
        ", ".join(f"{value:.2f} on {low} ... {high}" for (low, high), value in largest.items()),
        CORRECTED if len({round(v, 2) for v in largest.values()}) == 2 else FAILS,
        f"it grows with the ladder, so it is a parameter here, 24.5; 20 instead changes Q_2 by {J[1] / J[0] - 1:+.1%}",
    )


def _largest_frequency(low: int, high: int) -> float:
    rungs = [formulas.bohr_frequencies(l, 4.0, 10.0, 1.0, 0.1) for l in range(low, high)]
    return max(max(rung.omega_1.max(), rung.omega_2.max()) for rung in rungs)


def negative_frequencies() -> Claim:
    """No counter-rotating terms in Eq. A4, so J(omega <= 0) = 0."""
    at = point("rotor_global", {**FIG_4, "beta2": 0.02})
    p = at.model.recipe["parameters"]  # type: ignore[union-attr]
    rungs = {l: formulas.bohr_frequencies(l, 4.0, 10.0, 1.0, 0.1) for l in range(p["l_min"], p["l_max"])}
    first = min(l for l, rung in rungs.items() if rung.omega_1.min() < 0)
    last = max(l for l, rung in rungs.items() if rung.omega_2.min() < 0)
    quanta = [c.quantum for c in at.model.channels if c.kind == "thermal"]
    balanced = all(any(abs(q + other) < 1e-6 for other in quanta) for q in quanta)
    return Claim(
        "every eigenoperator A_i(omega) lowers the energy by a frequency the bath has (A5-A8)",
        "omega > 0",
        f"negative for sigma_1^- from l = {first} and for sigma_2^- up to l = {last} on {p['l_min']} ... {p['l_max']}",
        corrected(first > CUT["l_max"] and last < CUT["l_min"] and balanced),
        "true on the cut ladder; on a converged one J(omega <= 0) = 0, because A4 has no counter-rotating terms",
    )


def global_limit() -> Claim:
    """The end of Appendix A."""
    ratios = {}
    for lam in (0.1, 0.01):
        shared = {**FIG_4, "lambda": lam, "beta2": 0.02}
        sizes = [math.sqrt(ohmic_share(2 * shared[f"B{i}"])) * shared["g"] for i in (1, 2)]
        matched = {name: value for name, value in shared.items() if name != "Omega"}
        matched |= {"g": (sizes[0] + sizes[1]) / 2, "chi": (sizes[1] - sizes[0]) / (sizes[0] + sizes[1])}
        ratios[lam] = heat(point("rotor_global", shared), "2") / heat(point("rotor_local", matched), "2")
    return Claim(
        "the global equation coincides with the local one for lambda -> 0",
        "coincides",
        ", ".join(f"currents {value:.2f} times apart at lambda = {lam:g}" for lam, value in ratios.items()),
        verdict(all(abs(value - 1) < 0.05 for value in ratios.values())),
        "even with matched rates g_i^2 -> J(2 B_i) both currents are of order lambda^2 with different coefficients;"
        " only the dissipators at lambda = 0 coincide",
    )
