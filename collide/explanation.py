"""What runs for a model, and why: the sentences behind ``model.explain()``.

The choice is the compiler's, who stands above the models.  So the models do not import this module: it teaches them the
method when the package is loaded.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from collide.exact.methods import ExactMethods
from collide.exact.steady import NonUniqueSteadyState
from collide.program import compile_program
from collide.protocol import MOST_STATES

RUNS = {
    "jumps": "quantum jumps, each found by a search in tables of the evolution between jumps",
    "sparse_jumps": "quantum jumps, each found by sparse evolution between jumps",
    "events": "collisions, followed from one that exchanges something to the next",
    "collisions": "collisions one by one, every label drawn",
    "gates": "collisions one by one, gates on neighbouring sites",
}


@dataclass(frozen=True)
class Explanation:
    """Sentences, and the kind of program that they are about."""

    kind: str
    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.lines)


def explain(
    model: Any, tlist: ArrayLike | None = None, *, initial: Any = None, closing: Any = None, labels: str = "heat"
) -> Explanation:
    """Which engine and which representation run for a model, and why; nobody needs it to get a right answer.

    Parameters
    ----------
    model : LindbladModel or CollisionModel
    tlist, initial, closing, labels : optional
        As in `compile_program`, whose measurements take part in the choice; by default one period or unit of time from
        the steady state, or from the first basis state where there is no unique one.

    Returns
    -------
    Explanation
    """
    process = model.process
    times = (process.tau or 1.0) if tlist is None else tlist
    lines = []
    if initial is None:
        initial, closing, note = _usual_start(model, closing)
        lines += note
    program = compile_program(model, times, initial=initial, closing=closing, labels=labels)
    lines.append(f"trajectories: {RUNS[program.kind]}.")
    lines += [f"{part}." for part in program.meta["explanation"].split("; ")]
    return Explanation(program.kind, (*lines, _exact_side(model)))


def _usual_start(model: Any, closing: Any) -> tuple[Any, Any, list[str]]:
    """Opening state and closing basis where nothing is said of them; a sentence where they are not the usual ones."""
    first = np.eye(1, model.process.d)[0]
    if model.process.d > MOST_STATES:
        return (
            first,
            "product",
            ["for a start in the first basis state and a closing measurement in the product basis:"],
        )
    try:
        model.steady_state()
    except NonUniqueSteadyState as error:
        return first, closing, [f"for a start in the first basis state, since {error}:"]
    return "steady", closing, []


def _exact_side(model: Any) -> str:
    """What the exact averages are computed with."""
    d = model.process.d
    if d > MOST_STATES:
        return f"exact side: none, {d} levels are too many for density matrices."
    reduced = model._reduced()
    kept = "" if reduced.size == d * d else ", the others are never reached"
    matrices = "dense" if reduced.dense else "sparse"
    return f"exact side: {reduced.size} of {d * d} real coordinates of the density matrix{kept}; {matrices} matrices."


ExactMethods.explain = explain
