"""What every paper's module offers: quantities to validate, figures to draw, claims to judge.

A paper's module defines three names:

``QUANTITIES : dict[(system, quantity), function]``
    ``function(params)`` takes the parameters of one point of a reference table (sweeps and grids are expanded by
    `collide.analysis.validate`) and returns the package's exact value, from the generic exact side.
``FIGURES : tuple[Figure, ...]``
    One for each figure of the paper.
``claims() -> list[Claim]``
    Every claim of the paper with the paper's number, ours, and whether it holds.

and, for what can also be sampled, ``SAMPLING : dict[(system, quantity), function]`` with
``function(params) -> Sampling``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Params = Mapping[str, Any]
Quantity = Callable[[Params], Any]


class UnknownParameter(ValueError):
    """A reference table names a parameter that the system does not have."""


@dataclass(frozen=True)
class Sampling:
    """How one entry of a table is reached by trajectories.

    Attributes
    ----------
    model : CollisionModel or LindbladModel
    time : float
        Length of a trajectory.
    initial : str, tuple or array
        As in `collide.run`.
    estimate : callable
        Ensemble -> (value, standard error) of the quantity at this finite time.
    exact : float
        The package's exact value of the same quantity at the same finite time, against which the z-score is taken.
    spread : float
        Predicted standard error times sqrt(ntraj): decides whether sampling can reach the entry.
    options : mapping
        Further keywords of `collide.run`, such as ``e_ops`` or ``closing``.
    """

    model: Any
    time: float
    initial: Any
    estimate: Callable[[Any], tuple[float, float]]
    exact: float
    spread: float
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """One figure of a paper: `curves` computes everything drawn, `draw` lays it out as the paper does.

    Attributes
    ----------
    name : str
        File stem, e.g. "fig2".
    title : str
    curves : callable
        (ntraj, seed) -> plain dict of arrays: exact curves and sampled points with error bars; ntraj = 0 for exact
        only.
    draw : callable
        (curves) -> matplotlib Figure.
    """

    name: str
    title: str
    curves: Callable[[int, int], dict[str, Any]]
    draw: Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Claim:
    """A statement of a paper, judged.

    Attributes
    ----------
    statement, paper, ours : str
        What is claimed, the paper's number, and ours.
    verdict : str
        "holds", "holds corrected" or "does not hold".
    why : str
        The correction or the reason; empty where it simply holds.
    """

    statement: str
    paper: str
    ours: str
    verdict: str
    why: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in {"holds", "holds corrected", "does not hold"}:
            raise ValueError(
                f"`verdict` must be 'holds', 'holds corrected' or 'does not hold', but is {self.verdict!r}"
            )


def take(params: Params, *names: str, optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Parameters by name; an unknown or a missing one is an error that lists what the system has.

    Raises
    ------
    UnknownParameter
    """
    defaults = dict(optional or {})
    unknown = sorted(set(params) - set(names) - set(defaults))
    missing = [name for name in names if name not in params]
    if unknown or missing:
        wrong = f"unknown parameter {unknown[0]!r}" if unknown else f"missing parameter {missing[0]!r}"
        raise UnknownParameter(f"{wrong}: this quantity takes {', '.join([*names, *defaults])}")
    return defaults | dict(params)
