"""A chain of spins with exchange coupling between two baths (Werlang et al. 2014, note 38); closed forms beside it."""

import math
from typing import Any

from collide.baths import Bath, ohmic, oscillator_ancilla
from collide.collision import CONSTRUCTIONS, Collision, CollisionModel
from collide.lindblad import LindbladModel, davies, local
from collide.machines.checks import one_of, only_collisions, oscillator_temperature, positive
from collide.machines.junction_formulas import scgf_two_level
from collide.machines.recipe import with_recipe
from collide.operators import Space, lowering, qubit

COLLISION_KEYWORDS: dict[str, Any] = {"tau": None, "construction": "split", "levels": None}


def xy_chain(
    *,
    N: int = 4,
    h: float = 1.0,
    Delta: float = 0.5,
    kappa: float = 0.1,
    T_L: float = 2.0,
    T_R: float = 0.0,
    equation: str = "global",
    picture: str = "jump",
    tau: float | None = None,
    construction: str = "split",
    levels: int | None = None,
) -> LindbladModel | CollisionModel:
    r"""N spins in a field, coupled in the plane; an ohmic bath on the first and on the last.

    .. math:: H = \frac\Delta2\sum_{i<N}(\sigma_x^i\sigma_x^{i+1}+\sigma_y^i\sigma_y^{i+1}) + \frac h2\sum_i\sigma_z^i

    Parameters
    ----------
    N : int
        Spins, at least 2.
    h, Delta : float
        Field (> 0) and coupling.
    kappa : float
        Slope of both spectral densities, > 0; in the local equation it competes with `Delta`.
    T_L, T_R : float
    equation : {"global", "local"}
        global: baths on :math:`\sigma_x` of the end spins, secular in the eigenbasis.  local: :math:`\sigma^\mp` of
        the end spins at frequency h.
    picture : {"jump", "collision"}
        Collisions, with oscillator ancillas of frequency h at both ends, realise the local equation.
    tau : float
        Duration of a period of collisions; required there.
    construction : str
        See `CollisionModel`.
    levels : int, optional
        Fock states of the ancillas; required for "sequential" and "joint", which need a truncation.

    Returns
    -------
    LindbladModel or CollisionModel
        With baths "L" and "R" and the recipe of this call.

    Examples
    --------
    >>> from collide.machines.xy_chain import xy_chain
    >>> round(xy_chain(N=2, Delta=0.5, kappa=0.1, T_L=2, T_R=0.5, equation="local").heat_currents()["L"], 8)
    0.02436061
    """
    parameters = dict(locals())
    _check(parameters)
    space = Space(*[qubit()] * N)
    H = sum((0.5 * h * space.sz(i) for i in range(N)), 0 * space.identity())
    H = sum((Delta * space.exchange(i, i + 1) for i in range(N - 1)), H)
    ends = [(0, Bath("L", temperature=T_L, spectral_density=ohmic(kappa)))]
    ends += [(N - 1, Bath("R", temperature=T_R, spectral_density=ohmic(kappa)))]
    if picture == "collision":
        assert tau is not None
        hits = [
            Collision(bath, lowering(2), site, oscillator_ancilla(h, bath.beta, levels), bath.strength(h))
            for site, bath in ends
        ]
        model: LindbladModel | CollisionModel = CollisionModel(H, hits, tau, dims=space, construction=construction)
    elif equation == "global":
        model = LindbladModel(H, [c for site, bath in ends for c in davies(H, space.sx(site), bath)], dims=space)
    else:
        model = LindbladModel(H, [c for site, bath in ends for c in local(space.s(site), h, bath)], dims=space)
    return with_recipe(model, "xy_chain", parameters)


def _check(p: dict[str, Any]) -> None:
    if not (isinstance(p["N"], int) and p["N"] >= 2):
        raise ValueError(f"`N` must be a whole number of spins, at least 2, but is {p['N']!r}")
    one_of("equation", p["equation"], ("global", "local"))
    one_of("picture", p["picture"], ("jump", "collision"))
    one_of("construction", p["construction"], CONSTRUCTIONS)
    positive("h", p["h"])
    positive("kappa", p["kappa"], ": it is the strength of the baths")
    if not math.isfinite(p["Delta"]):
        raise ValueError(f"`Delta` must be finite, but is {p['Delta']!r}")
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


# -------------------------------------------------------------------- closed forms


def local_current(*, h: float, Delta: float, kappa: float, T_L: float, T_R: float) -> float:
    r"""Steady current J_L of the local equation, the same for every N >= 2 (derived; not in the paper).

    .. math:: J_L = h\,\frac{\Delta^2 g_L g_R (f_L - f_R)}{(g_L+g_R)(\Delta^2 + g_L g_R/4)},\qquad
              g_\nu = \kappa h(1+2n_h^\nu),\quad f_\nu = \frac{n_h^\nu}{1+2n_h^\nu}
    """
    n = [Bath(name, temperature=T).occupation(h) for name, T in (("L", T_L), ("R", T_R))]
    gL, gR = (kappa * h * (1 + 2 * x) for x in n)
    fL, fR = (x / (1 + 2 * x) for x in n)
    return h * Delta**2 * gL * gR * (fL - fR) / ((gL + gR) * (Delta**2 + gL * gR / 4))


def modes(N: int, h: float, Delta: float) -> list[tuple[float, float]]:
    r"""Energies and weights of the N modes of the chain, [(epsilon_k, w_k)] for k = 1 ... N.

    .. math:: \epsilon_k = \Big|h + 2\Delta\cos\frac{\pi k}{N+1}\Big|,\qquad w_k = \frac2{N+1}\sin^2\frac{\pi k}{N+1}
    """
    angles = [math.pi * k / (N + 1) for k in range(1, N + 1)]
    return [(abs(h + 2 * Delta * math.cos(x)), 2 / (N + 1) * math.sin(x) ** 2) for x in angles]


def global_current(*, N: int, h: float, Delta: float, kappa: float, T_L: float, T_R: float) -> float:
    r"""Steady current J_L of the global equation, a sum over independent modes (derived; not in the paper).

    .. math:: J_L = \sum_k w_k\kappa\epsilon_k^2\,\frac{N_k^L - N_k^R}{2(N_k^L + N_k^R)},\qquad
              N_k^\nu = 1+2n^\nu_{\epsilon_k}

    Modes must differ in energy, as the secular equation takes them apart.
    """
    left, right = Bath("L", temperature=T_L), Bath("R", temperature=T_R)
    total = 0.0
    for energy, weight in modes(N, h, Delta):
        if energy > 0:
            nL, nR = left.occupation(energy), right.occupation(energy)
            total += weight * kappa * energy**2 * (nL - nR) / (2 * (1 + nL + nR))
    return total


def global_scgf(s: float, *, N: int, h: float, Delta: float, kappa: float, T_L: float, T_R: float) -> float:
    """Scaled cumulant generating function of Q_L in the global equation: the sum of two-level ones over the modes."""
    left, right = (Bath(x, temperature=T, spectral_density=ohmic(kappa)) for x, T in (("L", T_L), ("R", T_R)))
    total = 0.0
    for energy, weight in modes(N, h, Delta):
        if energy > 0:
            (down_L, up_L), (down_R, up_R) = left.rates(energy), right.rates(energy)
            total += scgf_two_level(s, energy, *(weight * rate for rate in (down_L, up_L, down_R, up_R)))
    return total


def saturation_current(*, h: float, Delta: float, kappa: float) -> float:
    r"""Global J_L for T_L -> infinity, T_R = 0: :math:`\kappa(h^2+\Delta^2)/2` for every N >= 2.

    The paper calls the saturation value "proportional to the number of quantum levels"; in this model it is not.
    """
    return kappa * (h**2 + Delta**2) / 2
