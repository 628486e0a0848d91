"""Two Ising spins between two baths, the rectifier of Werlang et al. 2014; closed forms in `ising_formulas`."""

from typing import Any

from collide.baths import Ancilla, Bath, ohmic, oscillator_ancilla, qubit_ancilla
from collide.channels import Channel
from collide.collision import CONSTRUCTIONS, Collision, CollisionModel
from collide.lindblad import LindbladModel, davies, local
from collide.machines.checks import not_negative, one_of, only_collisions, oscillator_temperature, positive
from collide.machines.recipe import with_recipe
from collide.operators import Space, lowering, qubit

STATES = {1: (0, 1), 2: (0, 0), 3: (1, 0), 4: (1, 1)}
"""The paper's states as levels (left, right), 1 = up: |1> = down-up, |2> = down-down, |3> = up-down, |4> = up-up."""

COLLISION_KEYWORDS: dict[str, Any] = {"tau": None, "construction": "split", "ancilla_L": "oscillator", "levels": None}
NEGLECT = 1e-9  # largest thermal population that a truncated ancilla leaves out


def ising(
    *,
    h: float = 1.0,
    Delta: float = 0.5,
    kappa: float = 1.0,
    T_L: float = 10.0,
    T_R: float = 0.3,
    equation: str = "global",
    picture: str = "jump",
    tau: float | None = None,
    construction: str = "split",
    ancilla_L: str = "oscillator",
    levels: int | None = None,
) -> LindbladModel | CollisionModel:
    r"""Two spins coupled along z, of which only the left one has a field; an ohmic bath on each.

    .. math:: H = \frac h2\sigma_z^L + \frac\Delta2\sigma_z^L\sigma_z^R

    (Werlang et al. 2014, Eq. 1).  The baths couple to :math:`\sigma_x` of their spin (Eq. 2) with
    :math:`\mathcal J(\omega) = \kappa\omega`.

    Parameters
    ----------
    h : float
        Field on the left spin, > 0.
    Delta : float
        Coupling, >= 0: below, at or above h.  At ``Delta = h`` one left transition has zero energy and both its rates
        are the limit kappa T_L.
    kappa : float
        Slope of both spectral densities, > 0.
    T_L, T_R : float
        Temperatures; at zero a bath emits nothing, and entropy production is infinite.
    equation : {"global", "local"}
        global: Eqs. 3-4, a classical jump process on the four eigenstates.  local: the "phenomenological" equation,
        in which the left bath knows only h and the right one, whose spin has no field, frequency zero: both its rates
        are the limit kappa T_R and carry no heat.
    picture : {"jump", "collision"}
        Collisions realise the local equation.
    tau : float
        Duration of a period of collisions; required there.
    construction : str
        See `CollisionModel`.
    ancilla_L : {"oscillator", "qubit"}
        What the left bath sends: oscillators of frequency h, or qubits of the same temperature with 1 + 2n times
        their rate, which have the same weak limit.  The right bath sends qubits without a field, which carry no
        energy.
    levels : int, optional
        Fock states of a left oscillator ancilla.  By default there is no truncation in the constructions that allow
        that, and one that neglects less than 1e-9 in "sequential" and "joint".

    Returns
    -------
    LindbladModel or CollisionModel
        With baths "L" and "R", sites left and right, and the recipe of this call.

    Raises
    ------
    ValueError
        With a sentence that names the keyword and the remedy.

    Notes
    -----
    In the local pictures a flip of the left spin changes the energy by ``h +- Delta`` and takes only h from its bath,
    a flip of the right one changes it by ``+-Delta`` and takes nothing.  The difference is the work of switching the
    couplings; its mean is zero in the steady state, its fluctuations are not.

    Examples
    --------
    >>> from collide.machines.ising import ising
    >>> round(ising(Delta=0.5, T_L=10, T_R=0).heat_currents()["L"], 6)
    0.118602
    >>> abs(ising(Delta=0.5, T_L=10, T_R=0.3, equation="local").heat_currents()["L"]) < 1e-15
    True
    """
    parameters = dict(locals())
    _check(parameters)
    space = Space(qubit(), qubit())
    H = 0.5 * h * space.sz(0) + 0.5 * Delta * space.sz(0) @ space.sz(1)
    left = Bath("L", temperature=T_L, spectral_density=ohmic(kappa))
    right = Bath("R", temperature=T_R, spectral_density=ohmic(kappa))
    if picture == "collision":
        collisions = _collisions(parameters, space, left, right)
        assert tau is not None
        model: LindbladModel | CollisionModel = CollisionModel(
            H, collisions, tau, dims=space, construction=construction
        )
    elif equation == "global":
        model = LindbladModel(H, davies(H, space.sx(0), left) + davies(H, space.sx(1), right), dims=space)
    else:
        model = LindbladModel(H, local(space.s(0), h, left) + _fieldless(space, right), dims=space)
    return with_recipe(model, "ising", parameters)


def pinned_spin(
    *, h: float = 1.0, Delta: float = 0.5, kappa: float = 1.0, T_L: float = 10.0, right: int = -1
) -> LindbladModel:
    r"""The local equation at T_R = 0, where :math:`\sigma_z^R` is conserved: the left spin beside one that never flips.

    Parameters
    ----------
    h, Delta, kappa, T_L : float
        As in `ising`.
    right : {1, -1}
        The conserved value of :math:`\sigma_z^R`.
    """
    one_of("right", right, (1, -1))
    space = Space(qubit())
    bath = Bath("L", temperature=T_L, spectral_density=ohmic(kappa))
    return LindbladModel(0.5 * (h + right * Delta) * space.sz(0), local(space.s(0), h, bath), dims=space)


def _fieldless(space: Space, bath: Bath) -> list[Channel]:
    """Flips of a spin without field: the limit omega -> 0 of `local`, both rates alike and without heat."""
    down, up = bath.rates(0.0)
    lower = space.s(1)
    return [Channel(lower, down, 0.0, bath), Channel(lower.conj().T, up, 0.0, bath)]


def _collisions(p: dict[str, Any], space: Space, left: Bath, right: Bath) -> list[Collision | Channel]:
    """One ancilla at each end; at T_R = 0 the right rate is zero and nothing hits there."""
    h = p["h"]
    if p["ancilla_L"] == "qubit":
        first = Collision(
            left, lowering(2), 0, qubit_ancilla(h, left.beta), p["kappa"] * h * (1 + 2 * left.occupation(h))
        )
    else:
        first = Collision(left, lowering(2), 0, _oscillator(p, left), left.strength(h))
    flips = sum(right.rates(0.0))
    if flips == 0:
        return [first, Channel(space.s(1), 0.0, 0.0, right)]
    return [first, Collision(right, lowering(2), 1, qubit_ancilla(0.0, right.beta), flips)]


def _oscillator(p: dict[str, Any], bath: Bath) -> Ancilla:
    """The left ancilla: untruncated where its collision is computed block by block."""
    levels = p["levels"]
    if levels is None and p["construction"] in {"sequential", "joint"}:
        n = bath.occupation(p["h"])
        levels, tail = 2, (n / (1 + n)) ** 2
        while tail > NEGLECT:
            levels, tail = levels + 1, tail * n / (1 + n)
    return oscillator_ancilla(p["h"], bath.beta, levels)


def _check(p: dict[str, Any]) -> None:
    one_of("equation", p["equation"], ("global", "local"))
    one_of("picture", p["picture"], ("jump", "collision"))
    one_of("construction", p["construction"], CONSTRUCTIONS)
    one_of("ancilla_L", p["ancilla_L"], ("oscillator", "qubit"))
    positive("h", p["h"], ": only the left spin has a field, and without it nothing sets the scale of energy")
    positive("kappa", p["kappa"], ": it is the strength of the baths")
    not_negative("Delta", p["Delta"], ": a negative coupling is a positive one with the right spin's states renamed")
    oscillator_temperature("T_L", p["T_L"])
    oscillator_temperature("T_R", p["T_R"])
    if p["picture"] == "jump":
        only_collisions(p, COLLISION_KEYWORDS)
        return
    if p["equation"] == "global":
        raise ValueError(
            "`equation` must be 'local' in the collision picture: ancillas meet one spin and see one frequency"
        )
    if p["tau"] is None:
        raise ValueError("`tau` is missing: collisions need the duration of a period, for example tau=0.01")
