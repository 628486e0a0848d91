"""Conserved charges, trajectory by trajectory: quanta that went in are quanta that are there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ChargeBalance:
    """Whether ``N_f - N_i`` equals the net number of quanta received, as integers.

    Attributes
    ----------
    n : int
        Trajectories looked at.
    violations : int
        Trajectories on which the two differ.
    sharp : bool
        Whether both measurements have outcomes with a definite number; if not, nothing was compared.
    """

    n: int
    violations: int
    sharp: bool

    @property
    def holds(self) -> bool:
        """Whether it could be checked and never failed."""
        return self.sharp and self.violations == 0

    def __repr__(self) -> str:
        if not self.sharp:
            return "charge balance: not defined, a measurement has outcomes without a definite number of quanta"
        return (
            f"charge balance N_f - N_i = quanta received: {self.n - self.violations} of {self.n} trajectories exactly"
        )


def charge_balance(ensemble: Any, number: Any, charges: Mapping[str, int] | None = None) -> ChargeBalance:
    """Compare the change of a number operator with the counted quanta on every trajectory.

    Parameters
    ----------
    ensemble : Ensemble
    number : (d, d) operator
        With integer eigenvalues, such as the total excitation number.
    charges : mapping of bath to int, optional
        How many units of `number` one quantum of each bath carries, 0 for those that are left out; 1 for all of them by
        default.  Angular momentum less excitations of a rotor's first qubit: ``{"r": 1, "1": -1}``.

    Returns
    -------
    ChargeBalance
    """
    arrays = ensemble.program.arrays
    N = number.toarray() if hasattr(number, "toarray") else np.asarray(number)
    levels = []
    for kets in (arrays["initial_kets"], arrays["final_kets"]):
        mean = np.einsum("ia,ab,ib->i", kets.conj(), N, kets).real
        square = np.einsum("ia,ab,ib->i", kets.conj(), N @ N, kets).real
        levels.append((np.rint(mean).astype(int), np.abs(square - mean**2).max() + np.abs(mean - np.rint(mean)).max()))
    if max(spread for _, spread in levels) > 1e-9:
        return ChargeBalance(len(ensemble), 0, False)
    weight = arrays["count_charge"]
    if charges is not None:
        unknown = set(charges) - set(ensemble.baths)
        if unknown:
            raise KeyError(f"`charges` names {sorted(unknown)}, but the baths are {', '.join(ensemble.baths)}")
        weight = weight * np.array([charges.get(bath, 0) for bath in ensemble.baths])[arrays["count_bath"]]
    violations = 0
    for chunk in ensemble.chunks():
        columns = chunk.columns
        gained = levels[1][0][columns["final"]] - levels[0][0][columns["initial"]]
        violations += int(np.count_nonzero(gained != columns["counts"].astype(np.int64) @ weight))
    return ChargeBalance(len(ensemble), violations, True)
