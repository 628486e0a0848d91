"""Everything about an ensemble that is not the model: when to look, how trajectories open and close, what to keep."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
import scipy.sparse as sp

from collide.exact.measurements import Outcomes
from collide.exact.process import Complexes, Floats, Sparse
from collide.exact.quick import QUICK, averaged
from collide.later import later
from collide.operators import as_hermitian, as_state
from collide.outcomes import closing, opening, product_populations

la = later("scipy.linalg")

MOST_STATES = 512  # levels up to which density matrices are formed for an ensemble
REFERRED = 32  # the same where a reference stands for the final state, which then need not be known
KEEP = ("totals", "jumps", "final_state")
LABELS = ("heat", "all")


# both measurements (the second unknown in a large system) and the averaged states at both ends
Ends = tuple[Outcomes, Outcomes | None, Complexes, Complexes]


class Protocol(NamedTuple):
    """A checked protocol: stops, opening and closing measurements, observables, what to keep.

    Where the system is too large for a density matrix, the opening kets are sparse, `closing` is the product basis
    (None, or without kets the reference populations), and `rho_initial`, `rho_final` are empty.
    """

    tlist: Floats
    opening: Outcomes
    closing: Outcomes | None
    rho_initial: Complexes
    rho_final: Complexes
    e_ops: dict[str, Sparse]
    keep: tuple[str, ...]
    labels: str


def make_protocol(
    model: Any,
    tlist: ArrayLike,
    initial: Any,
    closing_basis: Any,
    e_ops: Mapping[str, Any] | Sequence[Any] | None,
    keep: Sequence[str],
    labels: str,
) -> Protocol:
    """Check the arguments of an ensemble and find the exact averaged state at its end."""
    d = model.process.d
    times = as_times(tlist, model.process.tau)
    large = d > MOST_STATES or _referred(d, initial, closing_basis)
    ends: Ends = (
        _large_ends(model.process.dims, initial, closing_basis)
        if large
        else _ends(model, times, initial, closing_basis)
    )
    kept = tuple(dict.fromkeys(("totals", *([keep] if isinstance(keep, str) else keep))))
    for name in kept:
        if name not in KEEP:
            raise ValueError(f"`keep` has {name!r}, but what can be kept is {', '.join(map(repr, KEEP))}")
    if labels not in LABELS:
        raise ValueError(f"`labels` must be one of {LABELS}, but is {labels!r}")
    return Protocol(
        times,
        *ends,
        {name: as_hermitian(op, f"e_ops[{name!r}]", d) for name, op in named(e_ops).items()},
        kept,
        labels,
    )


def _ends(model: Any, times: Floats, initial: Any, closing_basis: Any) -> Ends:
    """Both measurements and the exact averaged states at both ends."""
    rho_initial = as_initial(model, initial)
    # what is steady needs no evolution to be known at the end
    steady = isinstance(initial, str) and initial == "steady"
    rho_final = rho_initial if steady else _evolved(model, rho_initial, times[-1:])
    return opening(rho_initial), closing(rho_final, closing_basis, model.process.dims), rho_initial, rho_final


def _evolved(model: Any, rho: Complexes, times: Floats) -> Complexes:
    """The exact averaged state at one time."""
    process = model.process
    if process.tau is None and process.d <= QUICK:
        return averaged(process.elements[0], rho, float(times[0]))
    return np.asarray(model.evolve(rho, times)[-1])


def _referred(d: int, initial: Any, closing_basis: Any) -> bool:
    """Whether a reference stands for a final state that would cost something to know, and nothing else needs it."""
    product = isinstance(initial, tuple) and initial[0] == "product"
    ket = not isinstance(initial, str | tuple) and np.size(getattr(initial, "full", lambda: initial)()) == d
    return d > REFERRED and isinstance(closing_basis, tuple) and (product or ket)


def _large_ends(dims: tuple[int, ...], initial: Any, closing_basis: Any) -> Ends:
    """What a system without density matrices can have: kets or product populations to start from, a product basis.

    The probabilities of the final outcomes are unknown, unless a reference is given in their place.
    """
    d = int(np.prod(dims))
    nothing = np.zeros((0, 0), dtype=complex)
    referred = isinstance(closing_basis, tuple)
    last = (
        Outcomes(np.zeros((0, d), dtype=complex), product_populations(closing_basis, "closing", dims))
        if referred
        else None
    )
    if isinstance(initial, tuple) and initial and initial[0] == "product" and (referred or closing_basis == "product"):
        p = product_populations(initial, "initial", dims)
        happens = np.flatnonzero(p > 0)
        kets: Sparse = sp.eye_array(d, dtype=complex, format="csr")[happens]
        return Outcomes(kets, p[happens]), last, nothing, nothing
    ket = None if isinstance(initial, str | tuple) else np.asarray(getattr(initial, "full", lambda: initial)())
    if ket is None or ket.size != d or not (referred or closing_basis == "product"):
        raise ValueError(
            f"this system has {d} levels, too many for a density matrix: give `initial` as a"
            " ket or ('product', populations), and closing='product' (entropy production is then absent) or ('product',"
            " reference populations)"
        )
    flat = ket.reshape(-1).astype(complex)
    norm = float((np.abs(flat) ** 2).sum())
    if abs(norm - 1) > 1e-8:
        raise ValueError(f"`initial` must be a normalised ket, but its squared norm is {norm:.6g}")
    return Outcomes(sp.csr_array(flat[None] / np.sqrt(norm)), np.ones(1)), last, nothing, nothing


def is_product(closing: Outcomes | None) -> bool:
    """Tell whether the closing measurement is in the product basis of a system too large for its kets."""
    return closing is None or not closing.kets.size


def named(e_ops: Mapping[str, Any] | Sequence[Any] | None) -> dict[str, Any]:
    """Observables with names; those given in a list are called by their position."""
    if e_ops is None:
        return {}
    return dict(e_ops) if isinstance(e_ops, Mapping) else {str(k): op for k, op in enumerate(e_ops)}


def as_times(tlist: ArrayLike, tau: float | None) -> Floats:
    """(ntime,) ascending times with a positive end, on multiples of tau for a collision model.

    Raises
    ------
    ValueError
        For times that are negative, not ascending or, in a collision model, between two periods.
    """
    times = np.atleast_1d(np.asarray(tlist, dtype=float))
    if times.ndim != 1 or not len(times) or not np.all(np.isfinite(times)):
        raise ValueError(f"`tlist` must be a list of finite times, but has shape {np.shape(tlist)}")
    if times[0] < 0 or np.any(np.diff(times) <= 0) or times[-1] <= 0:
        raise ValueError("`tlist` must ascend from a time >= 0 to an end > 0")
    if tau is not None:
        steps = np.rint(times / tau)
        wrong = np.flatnonzero(np.abs(steps * tau - times) > 1e-9 * np.maximum(times, tau))
        if len(wrong):
            first = times[wrong[0]]
            raise ValueError(
                f"`tlist` has t = {first:g}, which is not a multiple of tau = {tau:g}: the nearest one is"
                f" {np.rint(first / tau) * tau:g}"
            )
    return times


def as_initial(model: Any, initial: Any) -> Complexes:
    """(d, d) initial state from "steady", ("thermal", beta), ("product", populations), a ket or a state."""
    d = model.process.d
    if isinstance(initial, str):
        if initial == "steady":
            return model.steady_state()
        raise ValueError(f"`initial` must be 'steady', ('thermal', beta), a ket or a state, but is {initial!r}")
    if isinstance(initial, tuple) and len(initial) == 2 and initial[0] == "product":
        return np.diag(product_populations(initial, "initial", model.process.dims)).astype(complex)
    if isinstance(initial, tuple) and len(initial) == 2 and initial[0] == "thermal":
        return thermal_state(model.process.H, float(initial[1]))
    return as_state(initial, "initial", d)


def thermal_state(H: Sparse, beta: float) -> Complexes:
    """exp(-beta H) / Z, any sign of beta."""
    dense = H.toarray()
    lowest = float(np.linalg.eigvalsh(dense)[0 if beta >= 0 else -1])
    weights = la.expm(-beta * (dense - lowest * np.eye(len(dense))))
    return weights / np.trace(weights).real
