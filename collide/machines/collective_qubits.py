"""Two qubits between two collective baths of any sign of temperature (Tacchino et al. 2018, Fig. 1).

Closed forms stand beside it in `collide.machines.collective_formulas`.
"""

import math
from typing import Any

from collide.baths import Bath, finite_ancilla
from collide.channels import Channel
from collide.collision import Collision, CollisionModel
from collide.exact.process import Sparse
from collide.lindblad import LindbladModel
from collide.machines.checks import one_of, only_collisions, positive
from collide.machines.recipe import with_recipe
from collide.operators import Space, qubit

CONSTRUCTIONS = ("split", "alternating", "sequential", "joint")
LARGEST_BETA = 600.0  # beyond it exp(beta) overflows


def collective_qubits(
    *,
    beta_A: float | str = -2.0,
    beta_S: float | str = 5.0,
    omega_0: float = 1.0,
    Gamma_plus: float = 1.0,
    picture: str = "jump",
    construction: str = "split",
    tau: float | None = None,
) -> LindbladModel | CollisionModel:
    r"""Two qubits whose symmetric and antisymmetric lowering operators meet a bath each.

    .. math::
        \dot\rho = i[\rho,H_0] + \sum_{i=A,S}\Bigl(\tfrac{\Gamma^+}2\mathcal D_{J_i^\dagger}
        + \tfrac{\Gamma_i^-}2\mathcal D_{J_i}\Bigr)\rho,\qquad
        J_{S,A} = c_1 \pm c_2,\qquad \Gamma_i^- = \Gamma^+e^{\beta_i}

    with :math:`H_0=\omega_0\sum_ic_i^\dagger c_i` and :math:`\mathcal D_o\rho=2o\rho o^\dagger-\{o^\dagger o,\rho\}`
    (Tacchino et al. 2018, Eqs. 1-3).  The :math:`c_i` are Pauli lowering operators, which commute between the qubits:
    the anticommutation rule of the paper must be read for each qubit alone, or there would be no diamond of levels
    G, S, A, E but two independent modes.

    Parameters
    ----------
    beta_A, beta_S : float
        Inverse temperatures of the baths in units of 1/omega_0, of any sign.  Minus infinity (or "-inf") is a bath
        that only gives: it has no reverse, so its entropy production is infinite.  Plus infinity is refused, since at
        a given Gamma_plus the bath would take at an infinite rate; `collide.machines.collective_formulas` has the
        limits.
    omega_0, Gamma_plus : float
        Level spacing, and rate at which each bath gives a quantum (every transition up has rate 2 Gamma_plus).
    picture : {"jump", "collision"}
        A Lindblad equation with channels of known quanta, or collisions with qubits at each bath's temperature, their
        populations inverted where beta < 0, coupled through :math:`J_i b^\dagger + J_i^\dagger b`.
    construction : {"split", "alternating", "sequential", "joint"}
        Collisions: see `CollisionModel`.  ("matched" is for exchanges between two levels, which J_S and J_A are not.)
    tau : float
        Duration of a period of collisions; required there.

    Returns
    -------
    LindbladModel or CollisionModel
        With baths "A" and "S" and the recipe of this call as ``recipe``.

    Raises
    ------
    ValueError
        With a sentence that names the keyword and the remedy.

    Examples
    --------
    >>> from collide.machines import collective_qubits
    >>> model = collective_qubits(beta_A=0, beta_S=5)
    >>> round(model.heat_currents()["A"], 9)
    1.315407167
    >>> round(model.entropy_production_rate(), 9)
    6.577035836
    >>> collisions = collective_qubits(beta_A=0, beta_S=5, picture="collision", tau=1e-4)
    >>> round(collisions.heat_currents()["A"], 3)
    1.315
    """
    parameters: dict[str, Any] = dict(locals())
    betas = {"A": as_beta("beta_A", beta_A), "S": as_beta("beta_S", beta_S)}
    _check(parameters)
    for name, beta in betas.items():
        parameters[f"beta_{name}"] = "-inf" if math.isinf(beta) else beta
    space = Space(qubit(), qubit())
    H = omega_0 * (space.number(0) + space.number(1))
    if picture == "jump":
        channels = [c for name, beta in betas.items() for c in _channels(space, name, beta, omega_0, Gamma_plus)]
        model: LindbladModel | CollisionModel = LindbladModel(H, channels, dims=space)
    else:
        assert tau is not None
        collisions = [_collision(space, name, beta, omega_0, Gamma_plus) for name, beta in betas.items()]
        model = CollisionModel(H, collisions, tau, dims=space, construction=construction)
    return with_recipe(model, "collective_qubits", parameters)


def collective_lowering(space: Space, name: str) -> Sparse:
    """J_S = c_1 + c_2 or J_A = c_1 - c_2 on the first two sites, sparse."""
    return space.s(0) + space.s(1) if name == "S" else space.s(0) - space.s(1)


def _channels(space: Space, name: str, beta: float, omega: float, up: float) -> list[Channel]:
    """Absorption at the rate `up` and emission at ``up exp(beta)``; absorption without reverse where beta = -inf."""
    J = collective_lowering(space, name)
    if beta == -math.inf:
        return [Channel(J.conj().T, up, omega, name, "irreversible")]
    bath = _bath(name, beta, omega, up)
    return [Channel(J, up * math.exp(beta), -omega, bath), Channel(J.conj().T, up, omega, bath)]


def _collision(space: Space, name: str, beta: float, omega: float, up: float) -> Collision:
    """A qubit ancilla at the rate of both directions together, of which the excited ancillas make n_S, that is `up`."""
    bath: Bath | str = name if math.isinf(beta) else _bath(name, beta, omega, up)
    ancilla = finite_ancilla([0.0, omega], beta=beta / omega)
    return Collision(bath, collective_lowering(space, name), (0, 1), ancilla, up * (1 + math.exp(beta)))


def _bath(name: str, beta: float, omega: float, up: float) -> Bath:
    """A bath of spins with J = Gamma^+ + Gamma^-: J n_S is Gamma^+, J (1 - n_S) is Gamma^-."""
    return Bath(name, beta=beta / omega, statistics="spin", spectral_density=up * (1 + math.exp(beta)))


def as_beta(name: str, value: float | str) -> float:
    """A finite beta or -inf, from a number or the strings of the reference tables.

    Raises
    ------
    ValueError
        For +inf, nan, and what exp cannot hold.
    """
    try:
        beta = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"`{name}` must be a number or '-inf', but is {value!r}") from None
    if math.isnan(beta) or beta > LARGEST_BETA or -math.inf < beta < -LARGEST_BETA:
        raise ValueError(
            f"`{name}` must lie within +-{LARGEST_BETA:g} or be -inf, but is {beta:g}: at a given `Gamma_plus` the bath"
            " would take at the rate Gamma_plus exp(beta); limits are in collide.machines.collective_formulas"
        )
    return beta


def _check(p: dict[str, Any]) -> None:
    """Refuse what cannot be built, one sentence each."""
    one_of("picture", p["picture"], ("jump", "collision"))
    positive("omega_0", p["omega_0"])
    positive("Gamma_plus", p["Gamma_plus"])
    if p["picture"] == "jump":
        only_collisions(p, {"tau": None, "construction": "split"})
        return
    one_of("construction", p["construction"], CONSTRUCTIONS)
    if p["tau"] is None:
        raise ValueError("`tau` must be a positive duration in picture='collision', but is None")
    positive("tau", p["tau"])
