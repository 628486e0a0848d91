"""What a collision model's user should know about it: energy, strength, temperatures, steady state, in sentences."""

import math
from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.balance import BalanceReport
from collide.baths import Bath
from collide.exact.process import embed

CONSERVED = 1e-9  # commutators below this times the operators' sizes are rounding
STRONG = 0.5  # angle of an exchange, or phase of free evolution in a period, from which on tau is not small
NEGLECTED = 1e-9  # population of levels that an ancilla was cut to


def report_encounters(model: Any) -> BalanceReport:
    """Sentences on each bath's temperature, its coupling, its strength against tau, on cuts and on the steady state."""
    lines: list[str] = []
    for collision, coupling in zip(model.collisions, model._couplings, strict=True):
        lines += [
            _temperature(collision),
            _energy(model, collision, coupling),
            _strength(model, collision),
            *_neglected(collision),
        ]
    lines.append(_period(model))
    lines += [f"{cut}: check that its highest levels stay empty." for cut in model._cut]
    limit, steady = _limit(model), _steady(model)
    return BalanceReport(not limit and not steady.startswith("NOT"), (*lines, *([limit] if limit else []), steady))


def _temperature(collision: Any) -> str:
    """What an exchange with this bath means for entropy."""
    beta, name = collision.beta, collision.name
    if math.isnan(beta):
        never = np.any(collision.ancilla.populations == 0)
        more = "; a level that is never populated has no reverse: infinite after it is left behind" if never else ""
        return f"bath {name}: no temperature, its entropy per exchange is ln(p_n / p_m){more}."
    if math.isinf(beta):
        return f"bath {name}: zero temperature, it only takes: entropy production is infinite after an exchange."
    if beta == 0:
        return f"bath {name}: infinite temperature, its exchanges carry heat but no entropy."
    if beta < 0:
        return (
            f"bath {name}: negative temperature (beta = {beta:g}), its ancillas are inverted and give heat to anybody."
        )
    return f"bath {name}: thermal at beta = {beta:g}."


def _energy(model: Any, collision: Any, coupling: Any) -> str:
    """Whether the interaction V conserves H_S + H_A."""
    ancilla, nsites = collision.ancilla, len(model.dims)
    H = sp.csr_array(model.H)
    if ancilla.ladder:  # V = s b^dagger + s^dagger b conserves energy where s lowers that of the system by a quantum
        V = embed(coupling, collision.sites, model.dims)
        change = H @ V - V @ H + float(ancilla.energies[1] - ancilla.energies[0]) * V
    else:
        dims = (*model.dims, len(ancilla))
        V = embed(coupling, (*collision.sites, nsites), dims)
        total = embed(H, range(nsites), dims) + embed(np.diag(ancilla.energies), [nsites], dims)
        change = total @ V - V @ total
    size = abs(change).max() if change.nnz else 0.0
    if size <= CONSERVED * max(abs(V).max() * max(abs(H).max(), float(np.abs(ancilla.energies).max())), 1e-300):
        return f"bath {collision.name}: its coupling conserves H_S + H_A, heat is exchanged without work."
    return (
        f"bath {collision.name}: [V, H_S + H_A] is not zero ({size:.3g}), to switch the coupling on and off costs work:"
        " heats need not add up to the change of energy."
    )


def _strength(model: Any, collision: Any) -> str:
    """Angle of one exchange."""
    angle = math.sqrt(collision.rate * model.tau)
    verdict = (
        "strong: results depend on tau, and the Lindblad limit is far"
        if angle > STRONG
        else f"weak: the Lindblad equation is near, to order tau ({angle**2:.2g} a collision)"
    )
    return f"bath {collision.name}: angle sqrt(rate tau) = {angle:.3g} in a collision, {verdict}."


def _neglected(collision: Any) -> list[str]:
    lost = collision.ancilla.neglected
    if lost <= NEGLECTED:
        return []
    return [f"bath {collision.name}: its ancilla's levels leave out {lost:.2g} of its thermal population."]


def _period(model: Any) -> str:
    """Phase of the free evolution in a period."""
    H = sp.csr_array(model.H)
    off = H - sp.diags_array(H.diagonal())
    around = abs(off).sum(axis=0) if off.nnz else np.zeros(model.process.d)
    phase = float(np.max(around)) * model.tau
    if phase > STRONG:
        return (
            f"tau = {model.tau:g}: the system's couplings turn it by up to {phase:.2g} in a period, tau is not small."
        )
    return f"tau = {model.tau:g}: the system's couplings turn it by at most {phase:.2g} in a period."


def _limit(model: Any) -> str:
    """Why there is no Lindblad limit; empty if there is one, or if a bath without temperature leaves it undefined."""
    if not all(isinstance(collision.bath, Bath) for collision in model.collisions):
        return ""
    try:
        model.lindblad_limit()
    except ValueError as error:
        return f"NO limit tau -> 0: {error}."
    return ""


def _steady(model: Any) -> str:
    try:
        model.steady_state()
    except ValueError as error:
        return f"NOT unique: {error}"
    return "the steady state is unique."
