"""Two pumped qubits in one leaky cavity mode (Tacchino et al. 2018, Fig. 2): a pump and a leak that entangle.

The mapping to two collective baths stands beside it in `collide.machines.tavis_cummings_formulas`.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.channels import Channel
from collide.collision import CollisionModel
from collide.exact.process import Complexes
from collide.lindblad import LindbladModel
from collide.machines.checks import not_negative, positive
from collide.machines.collective_qubits import collective_qubits
from collide.machines.recipe import with_recipe
from collide.machines.tavis_cummings_formulas import effective_parameters
from collide.operators import Space, oscillator, qubit

FIRST_LEVELS = 6
MOST_LEVELS = 400
SLOW_TAIL = 0.7  # where each level holds more than this share of the one below, more levels are guessed by doubling


def tavis_cummings(
    *,
    p: float = 0.0002,
    gamma: float = 0.0,
    kappa: float = 1.0,
    g: float = 1.0,
    omega_0: float = 1000.0,
    omega_cav: float | None = None,
    levels: int | None = None,
    neglect: float = 1e-12,
) -> LindbladModel:
    r"""Two incoherently pumped qubits coupled to a leaky cavity mode.

    .. math::
        H = \omega_0\sum_ic_i^\dagger c_i + \omega_{cav}a^\dagger a + g\sum_i(c_i^\dagger a+c_ia^\dagger),\qquad
        \mathcal L = \tfrac p2\sum_i\mathcal D_{c_i^\dagger} + \tfrac\gamma2\sum_i\mathcal D_{c_i}
        + \tfrac\kappa2\mathcal D_a

    with :math:`\mathcal D_o\rho=2o\rho o^\dagger-\{o^\dagger o,\rho\}` (Tacchino et al. 2018, Eqs. 7-8): p, gamma and
    kappa are jump rates.  The excitation number is conserved by H, so neither exact states nor trajectories meet the
    fast phases of `omega_0`, and rates may span any number of decades.

    Parameters
    ----------
    p, gamma : float
        Pump and decay rate of each qubit, >= 0, in units of g.
    kappa : float
        Loss rate of a photon.
    g : float
        Coupling of each qubit to the mode.
    omega_0 : float
        Level spacing of the qubits; the paper has g = 0.001 omega_0.
    omega_cav : float, optional
        Frequency of the mode; `omega_0` by default, as in the paper.
    levels : int, optional
        Fock states of the mode.  By default as many as it takes for the stationary population beyond them to be below
        `neglect`; fewer by hand are refused.
    neglect : float
        Population that the truncation may leave out.

    Returns
    -------
    LindbladModel
        On (qubit, qubit, mode), with baths "pump", "decay" and "cavity" and the recipe of this call as ``recipe``.

    Notes
    -----
    All three are irreversible: a pump through a higher level, spontaneous emission and a leak into the vacuum have no
    reverse.  Currents and counts are defined, the entropy production is infinite (after the first jump, and on
    average).  Eq. 6 with the temperatures of `effective_parameters` is the entropy of the coarse-grained model
    `effective_model`, whose A and S counts cannot be read off these jumps.

    Raises
    ------
    ValueError
        With a sentence that names the keyword and the remedy.

    Examples
    --------
    >>> from collide.machines import tavis_cummings
    >>> model = tavis_cummings(p=0.005, gamma=0.001, kappa=2.0)
    >>> model.dims
    (2, 2, 6)
    >>> leaked = -model.process.counts.charge_weight("cavity")
    >>> round(float(model.cumulant_rates(leaked, 1)[0]), 9)
    0.007244569
    """
    parameters: dict[str, Any] = dict(locals())
    _check(parameters)
    if omega_cav is None:
        parameters["omega_cav"] = omega_0
    model = _sufficient(parameters) if levels is None else _checked(parameters)
    return with_recipe(model, "tavis_cummings", parameters | {"levels": model.dims[-1]})


def effective_model(
    *, p: float = 0.0002, gamma: float = 0.0, kappa: float = 1.0, g: float = 1.0, omega_0: float = 1000.0
) -> LindbladModel | CollisionModel:
    """The two collective baths that stand for pump, decay and a fast cavity (Tacchino et al. 2018, Eq. 9)."""
    found = effective_parameters(p, gamma, kappa, g)
    return collective_qubits(
        beta_A=found["beta_A"], beta_S=found["beta_S"], Gamma_plus=found["Gamma_plus"], omega_0=omega_0
    )


def photon_populations(rho: Complexes, levels: int) -> NDArray[np.float64]:
    """Populations (levels,) of the mode in a state of qubits and mode."""
    return rho.diagonal().real.reshape(4, levels).sum(axis=0)


def neglected_population(rho: Complexes, levels: int) -> float:
    """Population of the last level kept and, as if the tail went on geometrically, of all levels beyond it.

    The last level stands for those left out: the truncation keeps there what would have moved on.
    """
    before, last = np.abs(photon_populations(rho, levels)[-2:])
    return float(last / (1 - last / before)) if last < before else float(last)


def _model(p: dict[str, Any], levels: int) -> LindbladModel:
    space = Space(qubit(), qubit(), oscillator(levels))
    qubits = (0, 1)
    H = p["omega_0"] * (space.number(0) + space.number(1)) + p["omega_cav"] * space.number(2)
    H = H + p["g"] * (space.exchange(0, 2) + space.exchange(1, 2))
    pump = [Channel(space.s(i).conj().T, p["p"], p["omega_0"], "pump", "irreversible") for i in qubits]
    decay = [Channel(space.s(i), p["gamma"], -p["omega_0"], "decay", "irreversible") for i in qubits]
    leak = Channel(space.s(2), p["kappa"], -p["omega_cav"], "cavity", "irreversible")
    return LindbladModel(H, [*pump, *decay, leak], dims=space)


def _sufficient(p: dict[str, Any]) -> LindbladModel:
    """The model with as many levels as leave out less than `neglect`; the tail found says how many to add."""
    levels = FIRST_LEVELS
    while levels <= MOST_LEVELS:
        model = _model(p, levels)
        if _lost(model, p) <= p["neglect"]:
            return model
        levels = _next_guess(model, p["neglect"])
    raise ValueError(
        f"`kappa` = {p['kappa']:g} lets the cavity fill with more than {MOST_LEVELS} photons at `p` = {p['p']:g}: raise"
        " `kappa` or `neglect`"
    )


def _checked(p: dict[str, Any]) -> LindbladModel:
    """The model with the levels asked for, refused if they leave out too much."""
    model = _model(p, p["levels"])
    lost = _lost(model, p)
    if lost > p["neglect"]:
        raise ValueError(
            f"`levels` = {p['levels']} leaves out a stationary population of {lost:.2g}, above `neglect` ="
            f" {p['neglect']:g}: take at least {_sufficient(p).dims[-1]} levels, or leave `levels` out"
        )
    return model


def _lost(model: LindbladModel, p: dict[str, Any]) -> float:
    """Stationary population that a truncation leaves out; nothing without a pump."""
    return neglected_population(model.steady_state(), model.dims[-1]) if p["p"] else 0.0


def _next_guess(model: LindbladModel, neglect: float) -> int:
    """Levels at which a geometric tail like the one found falls below `neglect`."""
    levels = model.dims[-1]
    before, last = np.abs(photon_populations(model.steady_state(), levels)[-2:])
    ratio = last / before
    if not 0 < ratio < SLOW_TAIL:
        return 2 * levels
    return levels + min(levels, max(1, math.ceil(math.log(neglect / last) / math.log(ratio))))


def _check(p: dict[str, Any]) -> None:
    """Refuse what cannot be built, one sentence each."""
    not_negative("p", p["p"])
    not_negative("gamma", p["gamma"])
    positive("kappa", p["kappa"], ": without a leak the pump fills the cavity for ever")
    positive("g", p["g"])
    positive("omega_0", p["omega_0"])
    if p["omega_cav"] is not None:
        positive("omega_cav", p["omega_cav"])
    if not 0 < p["neglect"] < 1:
        raise ValueError(f"`neglect` must lie between 0 and 1, but is {p['neglect']!r}")
    if p["levels"] is not None and not (isinstance(p["levels"], int) and p["levels"] >= 2):
        raise ValueError(f"`levels` must be a whole number of Fock states, at least 2, but is {p['levels']!r}")
