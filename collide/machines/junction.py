"""An oscillator, a two-level system or a ladder between two baths of any kind (Wu and Segal 2009)."""

from collections.abc import Mapping
import math
from typing import Any

from collide.baths import Ancilla, Bath, SpectralDensity
from collide.collision import CONSTRUCTIONS, Collision, CollisionModel
from collide.lindblad import LindbladModel, local
from collide.machines.checks import not_negative, one_of, only_collisions, positive
from collide.machines.junction_formulas import (
    levels_for,
    scgf_ho_domain,
    stationary_ratio,
    tilted_ratio,
)
from collide.machines.metal import metal_rate, polynomial_band
from collide.machines.recipe import with_recipe
from collide.operators import Space, lowering, oscillator, qubit

SUBSYSTEMS = ("HO", "TLS", "ladder")
KEYS: dict[str, frozenset[str]] = {
    "spin": frozenset({"kind", "g"}),
    "boson": frozenset({"kind", "g"}),
    "metal": frozenset({"kind", "g", "delta", "mu", "F_coefficients", "F", "band"}),
}
COLLISION_KEYWORDS: dict[str, Any] = {
    "tau": None,
    "construction": "split",
    "ancilla_levels": None,
    "swap_probability_L": None,
    "swap_probability_R": None,
}
MOST_LEVELS = 4000
SPIN = {"kind": "spin", "g": 1.0}
METAL = {"kind": "metal", "g": 1.0, "delta": 0.2, "mu": 1.0}


def junction(
    *,
    subsystem: str = "HO",
    omega: float = 1.0,
    left: Mapping[str, Any] = SPIN,
    right: Mapping[str, Any] = METAL,
    T_L: float = 0.3,
    T_R: float = 0.2,
    levels: int | None = None,
    neglect: float = 1e-14,
    picture: str = "jump",
    tau: float | None = None,
    construction: str = "split",
    ancilla_levels: int | None = None,
    swap_probability_L: float | None = None,
    swap_probability_R: float | None = None,
) -> LindbladModel | CollisionModel:
    r"""A central unit between two baths, each of spins, of bosons or a metal; weak coupling, a rate equation.

    .. math:: H = \omega\,\hat n\ \ (\text{HO, ladder}),\qquad H = \tfrac\omega2\sigma_z\ \ (\text{TLS})

    with jumps :math:`\sqrt{k^\nu}\,s` and :math:`\sqrt{u_\nu k^\nu}\,s^\dagger`, s the lowering operator of the unit,
    :math:`u_\nu = e^{-\omega/T_\nu}` (Wu and Segal 2009, Eqs. 11-13) and :math:`k^\nu` from the statistics of the bath:
    :math:`g/(1+u)` for spins (16), :math:`g/(1-u)` for bosons (17), :math:`\Lambda/(1-u)` for a metal (18-19).

    Parameters
    ----------
    subsystem : {"HO", "TLS", "ladder"}
        Unbounded oscillator, two levels, or an oscillator truncated on purpose.
    omega : float
        Level spacing.
    left, right : mapping
        ``{"kind": "spin" | "boson", "g": g}``, or a metal: ``{"kind": "metal", "g": g, "delta": d, "mu": mu}`` for
        Lambda = g (1 + d T / mu), ``{"kind": "metal", "F_coefficients": [F0, F1, F2], "mu": mu}`` or
        ``{"kind": "metal", "F": function of energy, "mu": mu}`` for the integral (19), both with an optional
        ``"band": [low, high]``.
    T_L, T_R : float
        Temperatures, zero included; for spins also ``inf`` and negative ones.
    levels : int, optional
        Levels 0 ... levels-1.  Required for the ladder; for the oscillator chosen from `neglect` unless given.
    neglect : float
        What the truncation of the unbounded oscillator may change, relative to the result.
    picture : {"jump", "collision"}
        In a collision model, spins send resonant qubits and bosons resonant oscillators; a metal has no such ancilla.
    tau : float
        Duration of a period of collisions, first L and then R; required there.
    construction : str
        See `CollisionModel`.
    ancilla_levels : int, optional
        Fock states of oscillator ancillas, which "sequential" and "joint" need.
    swap_probability_L, swap_probability_R : float, optional
        Instead of ``g``: sin^2 of the angle of one exchange.

    Returns
    -------
    LindbladModel or CollisionModel
        With baths "L" and "R" and the recipe of this call.

    Raises
    ------
    ValueError
        With a sentence that names the keyword and the remedy.

    Examples
    --------
    >>> from collide.machines.junction import junction
    >>> solid, spins = {"kind": "boson", "g": 2.0}, {"kind": "spin", "g": 0.5}
    >>> model = junction(subsystem="TLS", left=solid, right=spins, T_L=1.3, T_R=0.7)
    >>> round(model.heat_currents()["L"], 6)
    0.056484
    """
    parameters = dict(locals())
    _check(parameters)
    baths = [_bath(side, spec, T) for side, spec, T in (("L", left, T_L), ("R", right, T_R))]
    if subsystem == "TLS":
        space = Space(qubit())
        H = 0.5 * omega * space.sz(0)
    else:
        space = Space(oscillator(_levels(parameters, baths)))
        H = omega * space.number(0)
    if picture == "collision":
        assert tau is not None
        hits = [_collision(parameters, side, bath, space) for side, bath in zip("LR", baths, strict=True)]
        model: LindbladModel | CollisionModel = CollisionModel(H, hits, tau, dims=space, construction=construction)
    else:
        model = LindbladModel(H, [c for bath in baths for c in local(space.s(0), omega, bath)], dims=space)
    plain = {
        side: {key: _plain(value) for key, value in spec.items()} for side, spec in (("left", left), ("right", right))
    }
    return with_recipe(model, "junction", parameters | plain)


def _plain(value: Any) -> Any:
    """A value that JSON can hold; a function of a band leaves its name."""
    if callable(value):
        return getattr(value, "__name__", "function")
    return [float(x) for x in value] if isinstance(value, list | tuple) else value


# -------------------------------------------------------------------- baths


def _bath(name: str, spec: Mapping[str, Any], T: float) -> Bath:
    """A bath from its description."""
    side = {"L": "left", "R": "right"}[name]
    kind = spec.get("kind")
    one_of(f"{side}['kind']", kind, tuple(KEYS))
    unknown = sorted(set(spec) - KEYS[str(kind)])
    if unknown:
        raise ValueError(
            f"`{side}` of kind {kind!r} takes {', '.join(sorted(KEYS[str(kind)]))}, but has {unknown[0]!r}"
        )
    beta = math.inf if T == 0 else 1.0 / T
    if kind == "metal" and ("F" in spec or "F_coefficients" in spec):
        density: float | SpectralDensity = _integrated(side, spec)
    else:
        if "g" not in spec:
            raise ValueError(f"`{side}` needs 'g', the strength of its coupling: it has {', '.join(map(repr, spec))}")
        g = float(spec["g"])
        positive(f"{side}['g']", g)
        density = _linear(side, spec, g) if kind == "metal" else g
    return Bath(name, beta=beta, statistics=str(kind), spectral_density=density)


def _linear(side: str, spec: Mapping[str, Any], g: float) -> SpectralDensity:
    """Lambda = g (1 + delta T / mu)."""
    missing = sorted({"delta", "mu"} - set(spec))
    if missing:
        raise ValueError(
            f"`{side}` is a metal and needs {missing[0]!r}, or 'F_coefficients' for the integral over its band"
        )
    delta, mu = float(spec["delta"]), float(spec["mu"])
    positive(f"{side}['mu']", mu)
    return SpectralDensity(lambda T, omega: g * (1 + delta * T / mu), None, f"metal({g:g}, {delta:g} T / {mu:g})")


def _integrated(side: str, spec: Mapping[str, Any]) -> SpectralDensity:
    """Lambda from the integral over a band."""
    if {"F", "F_coefficients"} <= set(spec) or {"g", "delta"} & set(spec):
        raise ValueError(
            f"`{side}` must describe its metal by 'g', 'delta' and 'mu', or by one band: it has {sorted(spec)}"
        )
    if "mu" not in spec:
        raise ValueError(f"`{side}` is a metal and needs 'mu', its chemical potential")
    mu = float(spec["mu"])
    low, high = spec.get("band", (-math.inf, math.inf))
    F = spec["F"] if "F" in spec else polynomial_band(spec["F_coefficients"], mu)
    return SpectralDensity(lambda T, omega: metal_rate(F, T, omega, mu, (low, high)), None, "metal(integral)")


# -------------------------------------------------------------------- the ladder


def _levels(p: dict[str, Any], baths: list[Bath]) -> int:
    """Levels given, or enough for the stationary state (of collisions: for the hotter ancilla's)."""
    if p["levels"] is not None:
        return int(p["levels"])
    omega, u = p["omega"], [_boltzmann(p["omega"], bath) for bath in baths]
    if max(u) >= 1:
        raise ValueError(
            "`T_L` and `T_R` must be positive and finite for an oscillator, which otherwise has no stationary"
            " state: give"
            " `levels`, or take subsystem='TLS'"
        )
    ratio = max(u) if p["picture"] == "collision" else stationary_ratio(*_relaxation(omega, baths), *u)
    return _counted(levels_for(ratio, p["neglect"]), omega)


def _boltzmann(omega: float, bath: Bath) -> float:
    """u = exp(-beta omega) of a bath, 0 at T = 0."""
    return 0.0 if math.isinf(bath.beta) else math.exp(-bath.beta * omega)


def _relaxation(omega: float, baths: list[Bath]) -> tuple[float, float]:
    """(k_L, k_R)."""
    return baths[0].rates(omega)[0], baths[1].rates(omega)[0]


def _counted(levels: int, omega: float) -> int:
    if levels > MOST_LEVELS:
        raise ValueError(
            f"`omega` = {omega:g} is so small beside the temperatures that the oscillator needs {levels} levels:"
            " take the"
            " closed form in collide.machines.junction_formulas, or give `levels`"
        )
    return levels


def levels_at_field(
    s: float,
    *,
    omega: float = 1.0,
    left: Mapping[str, Any] = SPIN,
    right: Mapping[str, Any] = METAL,
    T_L: float = 0.3,
    T_R: float = 0.2,
    neglect: float = 1e-14,
) -> int:
    r"""Levels with which ``junction(levels=...).scgf("L", s)`` is that of the unbounded oscillator.

    The eigenvectors of a tilted ladder fall off more slowly than its state, and the more so the closer the counting
    field s comes to the edges of its domain.

    Parameters
    ----------
    s : float
        Counting field.
    omega, left, right, T_L, T_R, neglect
        As in `junction`.

    Raises
    ------
    ValueError
        If `s` lies at or beyond the edges of the domain, `scgf_ho_domain` in `collide.machines.junction_formulas`.
    """
    baths = [_bath(side, spec, T) for side, spec, T in (("L", left, T_L), ("R", right, T_R))]
    rates = (*_relaxation(omega, baths), *(_boltzmann(omega, bath) for bath in baths))
    ratio = tilted_ratio(s, omega, *rates)
    if ratio >= 1:
        low, high = scgf_ho_domain(omega, *rates)
        raise ValueError(
            f"`s` = {s:g} must lie inside the domain ({low:.6g}, {high:.6g}) of the generating function: beyond its"
            " edges"
            " <exp(s Q)> of an unbounded oscillator grows faster than exponentially"
        )
    return _counted(levels_for(max(ratio, stationary_ratio(*rates)), neglect), omega)


# -------------------------------------------------------------------- collisions


def _collision(p: dict[str, Any], side: str, bath: Bath, space: Space) -> Collision:
    """One exchange with a resonant ancilla."""
    if bath.statistics == "metal":
        raise ValueError(
            f"bath {side!r} is a metal, which no single ancilla represents: take picture='jump', or 'spin' or"
            " 'boson' there"
        )
    swap = p[f"swap_probability_{side}"]
    gamma = bath.strength(p["omega"]) if swap is None else math.asin(math.sqrt(swap)) ** 2 / p["tau"]
    return Collision(bath, lowering(space.d), 0, _ancilla(p, bath), gamma)


def _ancilla(p: dict[str, Any], bath: Bath) -> Ancilla:
    levels = p["ancilla_levels"] if bath.statistics == "boson" else None
    return bath.ancilla(p["omega"], levels)


# -------------------------------------------------------------------- refusals


def _check(p: dict[str, Any]) -> None:
    one_of("subsystem", p["subsystem"], SUBSYSTEMS)
    one_of("picture", p["picture"], ("jump", "collision"))
    one_of("construction", p["construction"], CONSTRUCTIONS)
    positive("omega", p["omega"])
    positive("neglect", p["neglect"])
    _check_levels(p)
    for side in "LR":
        if math.isnan(p[f"T_{side}"]):
            raise ValueError(f"`T_{side}` must be a temperature, but is nan")
    if p["picture"] == "jump":
        only_collisions(p, COLLISION_KEYWORDS)
    elif p["tau"] is None:
        raise ValueError("`tau` is missing: collisions need the duration of a period, for example tau=1.0")
    else:
        _check_swaps(p)


def _check_levels(p: dict[str, Any]) -> None:
    levels = p["levels"]
    if p["subsystem"] == "ladder" and levels is None:
        raise ValueError("`levels` is missing: a ladder needs the number of its levels")
    if p["subsystem"] == "TLS" and levels is not None:
        raise ValueError("`levels` has no meaning for two levels: take subsystem='ladder', or leave it out")
    if levels is not None and not (isinstance(levels, int) and levels >= 2):
        raise ValueError(f"`levels` must be a whole number, at least 2, but is {levels!r}")


def _check_swaps(p: dict[str, Any]) -> None:
    positive("tau", p["tau"])
    for side, spec in (("L", p["left"]), ("R", p["right"])):
        swap = p[f"swap_probability_{side}"]
        if swap is None:
            continue
        if not 0 < swap <= 1:
            raise ValueError(f"`swap_probability_{side}` must lie in (0, 1], but is {swap!r}")
        if p["construction"] not in {"split", "alternating"}:
            raise ValueError(f"`swap_probability_{side}` fixes the angle: take construction='split'")
        if {"TLS": "spin", "HO": "boson"}.get(p["subsystem"]) != spec.get("kind"):
            raise ValueError(
                f"`swap_probability_{side}` is a probability for qubits on a TLS and oscillators on an HO only; for"
                f" {spec.get('kind')!r} on {p['subsystem']!r} give the coupling `g`"
            )
        not_negative(f"T_{side}", p[f"T_{side}"])
