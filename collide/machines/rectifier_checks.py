"""What the rectifier refuses, one sentence each, before anything is built."""

import math
from typing import Any

PLAIN_ANGLE = "theta=sqrt(gamma tau)"
MATCHED_ANGLE = "cos(theta)=exp(-gamma tau/2)"
CONSTRUCTIONS = ("split", "alternating", "sequential", "joint", "matched", "gates")


def check(p: dict[str, Any]) -> None:
    """Refuse what cannot be built, one sentence each."""
    if not (isinstance(p["N"], int) and p["N"] >= 1):
        raise ValueError(f"`N` must be a whole number of sites, at least 1, but is {p['N']!r}")
    for name in ("eps_a", "eps_L", "eps_R"):
        if p[name] not in (1, -1):
            raise ValueError(f"`{name}` must be 1 (oscillator) or -1 (two-level), but is {p[name]!r}")
    for name, allowed in (
        ("picture", ("jump", "collision")),
        ("equation", ("local", "global")),
        ("construction", CONSTRUCTIONS),
        ("angle", (PLAIN_ANGLE, MATCHED_ANGLE)),
    ):
        if p[name] not in allowed:
            raise ValueError(f"`{name}` must be one of {', '.join(map(repr, allowed))}, but is {p[name]!r}")
    if not (p["omega"] > 0 and math.isfinite(p["omega"])):
        raise ValueError(f"`omega` must be positive, but is {p['omega']!r}")
    if not math.isfinite(p["g"]):
        raise ValueError(f"`g` must be finite, but is {p['g']!r}")
    if not 0 < p["neglect"] < 1:
        raise ValueError(f"`neglect` must lie between 0 and 1, but is {p['neglect']!r}")
    for side in "LR":
        _check_bath(side, p[f"T_{side}"], p[f"gamma_{side}"], p[f"eps_{side}"])
    (_check_collision if p["picture"] == "collision" else _check_jump)(p)


def _check_bath(side: str, T: float, gamma: float, eps: int) -> None:
    if not (gamma >= 0 and math.isfinite(gamma)):
        raise ValueError(f"`gamma_{side}` must be finite and >= 0, but is {gamma!r}")
    if math.isnan(T):
        raise ValueError(f"`T_{side}` must be a temperature, but is nan")
    if eps == 1 and not (T >= 0 and math.isfinite(T)):
        raise ValueError(
            f"`T_{side}` of an oscillator bath must be finite and >= 0, but is {T:g}: take eps_{side}=-1 for a bath"
            " without limit"
        )


def _check_jump(p: dict[str, Any]) -> None:
    if p["tau"] is not None or p["construction"] != "split" or p["oscillator_levels"] is not None:
        raise ValueError(
            "`tau`, `construction` and `oscillator_levels` describe collisions: add picture='collision', or leave them"
            " out"
        )
    if p["equation"] == "global":
        _check_modes(p)


def _check_modes(p: dict[str, Any]) -> None:
    """Every mode must lie above zero, where the equation without counter-rotating terms makes sense."""
    if p["N"] > 1:
        lowest = p["omega"] - 2 * abs(p["g"]) * math.cos(math.pi / (p["N"] + 1))
        if not lowest > 0:
            raise ValueError(
                f"`g` = {p['g']:g} puts the lowest normal mode at {lowest:g}: the global equation without"
                f" counter-rotating terms needs |g| < {p['omega'] / (2 * math.cos(math.pi / (p['N'] + 1))):g}"
            )


def _check_collision(p: dict[str, Any]) -> None:
    if p["tau"] is None or not (p["tau"] > 0 and math.isfinite(p["tau"])):
        raise ValueError(f"`tau` must be a positive duration in picture='collision', but is {p['tau']!r}")
    if p["equation"] == "global":
        _check_modes(p)
        if p["construction"] not in {"split", "alternating"} or p["angle"] != PLAIN_ANGLE or p["oscillator_levels"]:
            raise ValueError(
                "`construction` must be 'split' or 'alternating', with plain `angle` and without `oscillator_levels`,"
                " for collisions of equation='global': ancillas of several frequencies meet eigenoperators one by one"
            )
    for side in "LR":
        if p[f"gamma_{side}"] == 0:
            raise ValueError(
                f"`gamma_{side}` must be positive in picture='collision': a bath that does not collide is none"
            )
    asked = p["oscillator_levels"]
    if asked is not None and not isinstance(asked, int) and len(asked) != 2:
        raise ValueError(f"`oscillator_levels` must be one number or one for each of L and R, but is {asked!r}")
