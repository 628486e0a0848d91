"""The hybrid rotor device of Leitch, Hammam and De Chiara 2024: two qubits, a planar rotor and a dissipative load.

Heat that goes from the hot qubit to the cold one turns the rotor, and a load brakes it.  Closed forms stand beside the
machine in `collide.machines.rotor_formulas`; how long a ladder of angular momenta has to be, in
`collide.machines.rotor_ladder`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Any
import warnings

import numpy as np

from collide.baths import Ancilla, Bath, ohmic, oscillator_ancilla
from collide.channels import Channel
from collide.collision import Collision, CollisionModel
from collide.exact.process import Complexes, Sparse
from collide.lindblad import LindbladModel, davies, local
from collide.machines.recipe import with_recipe
from collide.machines.rotor_ladder import WidestLadder, ladder_of, on_wide_ladder
from collide.operators import Space, lowering, qubit
from collide.operators import rotor as rotor_site

Model = LindbladModel | CollisionModel

BATHS = ("1", "2", "r")
LOADS = ("kicks", "resolved")
CONSTRUCTIONS = ("split", "alternating", "sequential", "joint")
STATED_LEVELS = 1e-6  # largest population that oscillator levels given by hand may neglect without a word


class TruncationWarning(UserWarning):
    """A ladder or an oscillator given by hand is so short that it decides the numbers."""


@dataclass(frozen=True)
class Parts:
    """The pieces of the Hamiltonian on a ladder, all (d, d) sparse.

    Attributes
    ----------
    space : Space
        Qubit 1, qubit 2, rotor.
    qubits : Sparse
        B_1 sigma_1^z + B_2 sigma_2^z.
    kinetic : Sparse
        L_z^2 / 2I.
    interaction : Sparse
        H_{S,I}, Eq. 3.
    L_z : Sparse
    """

    space: Space
    qubits: Sparse
    kinetic: Sparse
    interaction: Sparse
    L_z: Sparse

    @property
    def bare(self) -> Sparse:
        """H_{S,0}, Eq. 2."""
        return self.qubits + self.kinetic

    @property
    def H(self) -> Sparse:
        """H_S, Eq. 1."""
        return self.bare + self.interaction


def rotor(
    *,
    B1: float = 4.0,
    B2: float = 10.0,
    I: float = 1.0,
    lam: float = 0.1,
    g: float = 1.0,
    chi: float = 0.0,
    beta1: float = 0.1,
    beta2: float = 0.03,
    beta_r: float = 0.09,
    gamma: float = 5e-5,
    l_min: int | None = None,
    l_max: int | None = None,
    picture: str = "jump",
    equation: str = "local",
    load: str = "kicks",
    Omega: float = 24.5,
    construction: str = "split",
    tau: float | None = None,
    oscillator_levels: int | Sequence[int] | None = None,
) -> Model:
    r"""Two qubits, a rotor that turns when heat passes from qubit 2 to qubit 1, and a load that brakes it.

    .. math::
        H_S = B_1\sigma_1^z + B_2\sigma_2^z + \frac{L_z^2}{2I}
              + \lambda(\sigma_1^+\sigma_2^-e^{i\varphi} + \sigma_1^-\sigma_2^+e^{-i\varphi})

    with :math:`e^{i\varphi}|l\rangle = |l+1\rangle` (Leitch et al. 2024, Eqs. 1-3).  The load (Eq. 17) is written in
    its two kicks, an exact identity also on a cut ladder: with b = beta_r / 4I

    .. math::
        \mathcal L_r = \frac{I\gamma}{\beta_r}\{\mathcal D[A_+] + \mathcal D[A_-]\},\quad
        A_\pm = e^{\pm i\varphi}(1 \mp bL_z).

    Parameters
    ----------
    B1, B2 : float
        Fields; the qubits' splittings, and the quanta of their baths, are 2 B_i.
    I : float
        Moment of inertia.
    lam : float
        Strength of the three-body coupling.
    g, chi : float
        Couplings to the baths g_1 = g (1 - chi) and g_2 = g (1 + chi) (Eq. 15); rates carry their squares.
    beta1, beta2, beta_r : float
        Inverse temperatures of the baths of qubits 1 and 2 and of the load.
    gamma : float
        Friction; 0 for a rotor without load, which then needs `l_min` and `l_max`.
    l_min, l_max : int, optional
        Ends of the ladder of angular momenta.  By default it is made wide enough that its ends hold less than 1e-13 of
        the stationary population; one that is given and too short is built, with a `TruncationWarning` that tells by
        how much (`collide.machines.rotor_ladder.ladder_of` tells it again).
    picture : {"jump", "collision"}
        A Lindblad equation, or repeated collisions of duration `tau`.
    equation : {"local", "global"}
        Lindblad equation: Eqs. 13-14, or the semi-global one, Eq. 27, secular in the eigenbasis of H_S with the load
        as it is.  The coupling has no counter-rotating terms, so J(omega <= 0) = 0 and such channels are left out.
    load : {"kicks", "resolved"}
        "kicks": Eq. 17, whose kicks have no definite energy.  "resolved": one channel for each single transition
        l -> l +- 1, with a definite quantum and a reverse.  That is another equation: it kills the coherence between l
        and l + 1 at the rate of the kicks.
    Omega : float
        Cut-off of the global equation's ohmic spectral density, itself the rate (Eqs. A16-A17); 24.5 is the largest
        Bohr frequency on the ladder -5 ... 10.
    construction : {"split", "alternating", "sequential", "joint"}
        Collisions; see `CollisionModel`.  The load acts for `tau` at the end of a period, by itself: both baths are
        collisions, so no other channel shares its flow, and what it changes of the energy on a trajectory is the
        difference of two expectation values.  Trajectories run in every construction.
    tau : float
        Duration of a period of collisions; required there.
    oscillator_levels : int or (int, int), optional
        Fock states of truncated oscillators (of baths 1 and 2), required by "sequential" and "joint"; thermal weights
        are renormalised.  In "split" oscillators have no truncation unless this is given.

    Returns
    -------
    LindbladModel or CollisionModel
        With baths "1", "2" and "r" and the recipe of this call, the ladder filled in, as ``recipe``.

    Raises
    ------
    ValueError
        With a sentence that names the keyword and the remedy.

    Warns
    -----
    TruncationWarning
        If a ladder or oscillator levels given by hand are too short.

    Examples
    --------
    >>> from collide.machines import rotor
    >>> model = rotor(beta2=0.02)
    >>> model
    LindbladModel: d = 264, sites (2, 2, 66), 6 channels
      bath 1: beta = 0.1
      bath 2: beta = 0.02
      bath r: beta = nan
    >>> round(model.heat_currents()["2"], 9)
    0.003116737
    """
    parameters = dict(locals())
    _check(parameters)
    if oscillator_levels is not None:
        parameters["oscillator_levels"] = _pair_of(oscillator_levels)
    if l_min is None:
        return _on_wide_ladder(parameters)
    model = with_recipe(_build(parameters), "rotor", parameters)
    if gamma > 0:
        _warn_if_short(model)
    return model


# -------------------------------------------------------------------- pieces


def parts(B1: float, B2: float, I: float, lam: float, l_min: int, l_max: int) -> Parts:
    """Hamiltonian and angular momentum on the ladder l_min ... l_max (Eqs. 1-3)."""
    space = Space(qubit(), qubit(), rotor_site(l_min, l_max))
    L_z = space.L_z(2)
    transfer = space.s(0).conj().T @ space.s(1) @ space.e_plus(2)
    return Parts(
        space,
        B1 * space.sz(0) + B2 * space.sz(1),
        L_z @ L_z / (2 * I),
        lam * (transfer + transfer.conj().T),
        L_z,
    )


def parts_of(model: Model) -> Parts:
    """The pieces of a rotor model, from its recipe."""
    p = model.recipe["parameters"]  # type: ignore[union-attr]
    return parts(p["B1"], p["B2"], p["I"], p["lam"], p["l_min"], p["l_max"])


def start_state(model: Model, qubits: str = "thermal", l: int = 0) -> Complexes:
    """A product state with the rotor in ``|l>``.

    Parameters
    ----------
    qubits : {"thermal", "lower"}
        Each qubit at the temperature of its own bath, with splitting 2 B_i, or in its lower level.

    Returns
    -------
    (d, d) complex
    """
    if qubits not in {"thermal", "lower"}:
        raise ValueError(f"`qubits` must be 'thermal' or 'lower', but is {qubits!r}")
    p = model.recipe["parameters"]  # type: ignore[union-attr]
    if not p["l_min"] <= l <= p["l_max"]:
        raise ValueError(f"`l` must lie on the ladder {p['l_min']} ... {p['l_max']}, but is {l}")
    upper = [1 / (1 + math.exp(2 * p[f"beta{i}"] * p[f"B{i}"])) if qubits == "thermal" else 0.0 for i in (1, 2)]
    rotor_level = np.zeros(p["l_max"] - p["l_min"] + 1)
    rotor_level[l - p["l_min"]] = 1.0
    populations = np.kron(np.kron([1 - upper[0], upper[0]], [1 - upper[1], upper[1]]), rotor_level)
    return np.diag(populations).astype(complex)


# -------------------------------------------------------------------- models


def _build(p: dict[str, Any]) -> Model:
    pieces = parts(p["B1"], p["B2"], p["I"], p["lam"], p["l_min"], p["l_max"])
    load = _load(p, pieces)
    if p["picture"] == "collision":
        return _collisions(p, pieces, load)
    channels: list[Channel] = []
    for site, number in enumerate((1, 2)):
        lower, bath = pieces.space.s(site), _bath(p, number)
        if p["equation"] == "local":
            channels += local(lower, 2 * p[f"B{number}"], bath)
        else:
            channels += davies(pieces.H, lower, bath)
    return LindbladModel(pieces.H, channels + load, dims=pieces.space)


def _strength(p: dict[str, Any], number: int) -> float:
    """g_i^2, Eq. 15."""
    return (p["g"] * (1 - p["chi"] if number == 1 else 1 + p["chi"])) ** 2


def _bath(p: dict[str, Any], number: int) -> Bath:
    strength = _strength(p, number)
    density = ohmic(strength, p["Omega"]) if p["equation"] == "global" else strength
    return Bath(str(number), beta=p[f"beta{number}"], spectral_density=density)


def _load(p: dict[str, Any], pieces: Parts) -> list[Channel]:
    """The load's channels: two kicks, or every transition by itself."""
    space, L_z = pieces.space, pieces.L_z
    b, rate = p["beta_r"] / (4 * p["I"]), p["I"] * p["gamma"] / p["beta_r"]
    if p["load"] == "resolved":
        return _transitions(p, pieces, b, rate)
    up = space.e_plus(2) @ (space.identity() - b * L_z)
    down = space.e_minus(2) @ (space.identity() + b * L_z)
    return [
        Channel(up, rate, 0.0, "r", "load", energy=pieces.bare, charge=1),
        Channel(down, rate, 0.0, "r", "load", energy=pieces.bare, charge=-1),
    ]


def _transitions(p: dict[str, Any], pieces: Parts, b: float, rate: float) -> list[Channel]:
    """|l><l+1| and |l+1><l| with the rates of the kicks; their ratio is the entropy a kick carries away."""
    channels = []
    levels = p["l_max"] - p["l_min"] + 1
    for position in range(levels - 1):
        l = p["l_min"] + position
        quantum = (2 * l + 1) / (2 * p["I"])
        there, back = rate * (1 - b * l) ** 2, rate * (1 + b * (l + 1)) ** 2
        single = np.zeros((levels, levels))
        single[position + 1, position] = 1.0
        if there > 0 and back > 0:
            entropy = math.log(there / back)
            channels += [
                Channel(pieces.space.op(single, 2), there, quantum, "r", "reversible", charge=1, entropy=entropy),
                Channel(pieces.space.op(single.T, 2), back, -quantum, "r", "reversible", charge=-1, entropy=-entropy),
            ]
        else:  # a transition whose reverse has no rate at all
            op, sign = (single, 1) if there > 0 else (single.T, -1)
            channels.append(
                Channel(pieces.space.op(op, 2), max(there, back), sign * quantum, "r", "irreversible", charge=sign)
            )
    return channels


def _collisions(p: dict[str, Any], pieces: Parts, load: list[Channel]) -> CollisionModel:
    counts = p["oscillator_levels"] or [None, None]
    collisions: list[Collision | Channel] = []
    for site, number in enumerate((1, 2)):
        bath, omega = _bath(p, number), 2 * p[f"B{number}"]
        ancilla = _oscillator(bath, omega, counts[site])
        collisions.append(Collision(bath, lowering(2), site, ancilla, _strength(p, number)))
    return CollisionModel(pieces.H, [*collisions, *load], p["tau"], dims=pieces.space, construction=p["construction"])


def _oscillator(bath: Bath, omega: float, levels: int | None) -> Ancilla:
    """An untruncated ladder, or one with as many levels as asked for and a warning if that is too few."""
    if levels is None:
        return oscillator_ancilla(omega, bath.beta)
    ancilla = oscillator_ancilla(omega, bath.beta, levels, bound=1.0)
    if ancilla.neglected > STATED_LEVELS:
        warnings.warn(
            f"`oscillator_levels`: {levels} levels of bath {bath.name!r} leave out {ancilla.neglected:.2g} of its"
            f" thermal population; take at least {math.ceil(-math.log(STATED_LEVELS) / (bath.beta * omega))}",
            TruncationWarning,
            stacklevel=5,
        )
    return ancilla


# -------------------------------------------------------------------- the ladder


def _on_wide_ladder(p: dict[str, Any]) -> Model:
    """The model on a ladder whose ends are empty in the steady state of the Lindblad equation with these parameters."""
    if p["gamma"] == 0:
        raise ValueError("`gamma` = 0: without friction the rotor runs away, so give `l_min` and `l_max`")
    equation = p | {"picture": "jump", "load": "kicks"}
    try:
        low, high, model = on_wide_ladder(
            lambda low, high: _build(equation | {"l_min": low, "l_max": high}), p["I"], p["beta_r"]
        )
    except WidestLadder as error:
        raise ValueError(f"{error}; give `l_min` and `l_max`") from error
    p = p | {"l_min": low, "l_max": high}
    same = p["picture"] == "jump" and p["load"] == "kicks"
    return with_recipe(model if same else _build(p), "rotor", p)


def _warn_if_short(model: Model) -> None:
    ladder = ladder_of(model)
    if ladder.short:
        warnings.warn(f"{ladder}", TruncationWarning, stacklevel=3)


# -------------------------------------------------------------------- refusals


def _check(p: dict[str, Any]) -> None:
    """Refuse what cannot be built, one sentence each."""
    for name in ("B1", "B2", "I", "beta1", "beta2", "beta_r", "Omega"):
        if not (p[name] > 0 and math.isfinite(p[name])):
            raise ValueError(f"`{name}` must be positive and finite, but is {p[name]!r}")
    if not (p["gamma"] >= 0 and math.isfinite(p["gamma"])):
        raise ValueError(f"`gamma` must be finite and >= 0, but is {p['gamma']!r}")
    for name in ("lam", "g", "chi"):
        if not math.isfinite(p[name]):
            raise ValueError(f"`{name}` must be finite, but is {p[name]!r}")
    if not p["g"] > 0 or not -1 < p["chi"] < 1:
        raise ValueError(
            f"`g` must be positive and `chi` lie between -1 and 1, where both qubits meet their baths, but g ="
            f" {p['g']!r} and chi = {p['chi']!r}"
        )
    for name, allowed in (
        ("picture", ("jump", "collision")),
        ("equation", ("local", "global")),
        ("load", LOADS),
        ("construction", CONSTRUCTIONS),
    ):
        if p[name] not in allowed:
            raise ValueError(f"`{name}` must be one of {', '.join(map(repr, allowed))}, but is {p[name]!r}")
    if (p["l_min"] is None) != (p["l_max"] is None):
        raise ValueError("give both of `l_min` and `l_max`, or neither for a ladder that is wide enough")
    (_check_collision if p["picture"] == "collision" else _check_jump)(p)


def _check_jump(p: dict[str, Any]) -> None:
    if p["tau"] is not None or p["construction"] != "split" or p["oscillator_levels"] is not None:
        raise ValueError(
            "`tau`, `construction` and `oscillator_levels` describe collisions: add picture='collision', or leave them"
            " out"
        )


def _check_collision(p: dict[str, Any]) -> None:
    if p["tau"] is None or not (p["tau"] > 0 and math.isfinite(p["tau"])):
        raise ValueError(f"`tau` must be a positive duration in picture='collision', but is {p['tau']!r}")
    if p["equation"] != "local":
        raise ValueError("`equation` = 'global' is a Lindblad equation: take picture='jump', collisions are local")
    if p["construction"] in {"joint", "sequential"} and p["oscillator_levels"] is None:
        raise ValueError(
            f"`oscillator_levels` must be given for construction={p['construction']!r}, which needs truncated"
            " oscillators, for example (16, 16)"
        )


def _pair_of(levels: int | Sequence[int]) -> list[int]:
    """Levels of the two oscillators."""
    pair = [levels, levels] if isinstance(levels, int) else [int(k) for k in levels]
    if len(pair) != 2 or min(pair) < 2:
        raise ValueError(f"`oscillator_levels` must be one or two numbers from 2 on, but is {levels!r}")
    return pair
