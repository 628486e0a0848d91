"""Beyond the paper: identities of counts, fluctuation theorems, and the load whose kicks have definite energies."""

import math
from typing import Any

import numpy as np

from collide.ensemble import run
from collide.machines import rotor_formulas as formulas
from collide.machines.rotor import rotor

from .base import Claim
from .rotor_devices import FIG_2, device
from .rotor_judging import FAILS, HOLDS, at_x, listed, verdict
from .rotor_quantities import heat, machine

LIGHT: dict[str, Any] = {"I": 0.5, "beta_r": 0.8, "gamma": 0.2, "beta2": 0.03, "B1": 1.0, "B2": 1.5}
"""A light rotor under a cold load, where kicks are no small steps of energy."""
NTRAJ, TIME = 200_000, 2.0


def beyond_claims() -> list[Claim]:
    """Not in the paper, which has no fluctuations."""
    return [
        currents_from_angular_momentum(),
        cumulants(),
        exact_theorem(),
        clausius_for_means(),
        clausius_is_no_theorem(),
        resolved_load(),
    ]


def currents_from_angular_momentum() -> Claim:
    """Conservation of M = l - n_1 and N = n_1 + n_2."""
    xs = (0.1, 0.3, 0.6, 0.8)
    worst = 0.0
    for x in xs:
        at = at_x(x)
        L = float(np.real(at.parts.L_z.diagonal() @ at.rho.diagonal()))
        there = formulas.heat_currents_from_L_z(L, FIG_2["B1"], FIG_2["B2"], FIG_2["gamma"])
        worst = max(worst, *(abs(heat(at, bath) - value) for bath, value in zip("12", there, strict=True)))
    return Claim(
        "(not in the paper) Q_2 = 2 B_2 gamma <L_z> and Q_1 = -2 B_1 gamma <L_z>: a test of the ladder's length",
        "exact",
        f"residual {worst:.0e}",
        verdict(worst < 1e-11),
    )


def cumulants() -> Claim:
    """One quantum from bath 2 is one to bath 1 and one unit of angular momentum to the load."""
    model = device(0.3)
    weight = model.process.counts.charge_weight
    hot, cold, kicks = (np.asarray(model.cumulant_rates(s * weight(b), 4)) for s, b in ((1, "2"), (-1, "1"), (-1, "r")))
    worst = float(max(np.abs(cold / hot - 1).max(), np.abs(kicks / hot - 1).max()))
    return Claim(
        "(not in the paper) long-time cumulants of q_2/2B_2, -q_1/2B_1 and minus the net kicks are the same",
        "identity",
        f"{listed([float(c) for c in hot[:3]], '.5e')} per unit time at beta2/beta1 = 0.3; four agree to {worst:.0e}",
        verdict(worst < 1e-7),
    )


def exact_theorem() -> Claim:
    """A kick has no reverse, and the contraction of phase space by the friction stands for its entropy."""
    t = 40.0
    average = device(0.3).trajectory_statistics(t).exponential_average
    c0 = formulas.contraction_rate(FIG_2["I"], FIG_2["beta_r"], FIG_2["gamma"])
    return Claim(
        "(not in the paper) <exp(-Sigma')> = 1 with Sigma' = ln p_0/p_f - beta_1 q_1 - beta_2 q_2 + c_0 t",
        "exact",
        f"1 {average.mean - 1:+.0e} at t = {t:g}, c_0 = {c0:.4e}",
        verdict(abs(average.mean - 1) < 1e-8),
        "c_0 = gamma (1 + beta_r/8I); no entropy is assigned to the kicks",
    )


def clausius_for_means() -> Claim:
    """The form with -beta_r Q_r."""
    rates = []
    for x in (0.05, 0.3, 0.45, 0.8):
        at = at_x(x)
        betas = {"1": FIG_2["beta1"], "2": x * FIG_2["beta1"], "r": FIG_2["beta_r"]}
        rates.append(formulas.clausius_rate({bath: heat(at, bath) for bath in "12r"}, betas))
    return Claim(
        "(not in the paper) Clausius' form -sum beta Q, the load's heat included, is positive: for mean values",
        ">= 0",
        f"at least {min(rates):.1e}",
        verdict(min(rates) > 0),
    )


def clausius_is_no_theorem() -> Claim:
    """Sampled, because a kick's heat is an expectation value."""
    model: Any = rotor(**LIGHT)
    ens = run(model, NTRAJ, TIME, seed=10, progress=False)
    c0 = formulas.contraction_rate(LIGHT["I"], LIGHT["beta_r"], LIGHT["gamma"])
    weights = np.exp(c0 * TIME + LIGHT["beta_r"] * ens.heat["r"] - ens.entropy_production)
    mean, error = float(weights.mean()), float(weights.std(ddof=1)) / math.sqrt(NTRAJ)
    right = model.trajectory_statistics(TIME).exponential_average.mean
    return Claim(
        "(not in the paper) Clausius' form obeys no fluctuation theorem, because kicks have no reverse",
        "1 would be one",
        f"<exp(-Sigma)> = {mean:.4f} ± {error:.4f} in its form; 1 {right - 1:+.0e} with c_0 t",
        HOLDS if abs(mean - 1) > 5 * error and abs(right - 1) < 1e-5 else FAILS,
        f"I = {LIGHT['I']:g}, beta_r = {LIGHT['beta_r']:g}, gamma = {LIGHT['gamma']:g}, t = {TIME:g}; invisible at"
        " beta_r/I = 0.09",
    )


def resolved_load() -> Claim:
    """Single transitions l -> l +- 1 as channels: definite quanta, but another equation."""
    changes, theorem = [], 0.0
    for extra in ({}, {"gamma": 0.005, "lambda": 1.0}):
        kicks = machine("rotor_local", {**FIG_2, **extra, "beta2": 0.03})
        resolved: Any = rotor(**kicks.recipe["parameters"] | {"load": "resolved"})  # type: ignore[union-attr]
        changes.append(resolved.heat_currents()["2"] / kicks.heat_currents()["2"] - 1)
        theorem = max(theorem, abs(resolved.trajectory_statistics(20.0).exponential_average.mean - 1))
    return Claim(
        "(not in the paper) with each transition of the rotor resolved, kicks have definite energies and a reverse",
        "another equation",
        f"<exp(-Sigma)> = 1 to {theorem:.0e}; Q_2 changes by {changes[0]:+.0e} at Fig. 2 and {changes[1]:+.1e} at"
        " gamma = 0.005, lambda = 1",
        HOLDS if theorem < 1e-8 and 1e-3 < abs(changes[1]) < 0.1 else FAILS,
        "it kills the coherence between l and l + 1, so it is an option and never a substitute",
    )
