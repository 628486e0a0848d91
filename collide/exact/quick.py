"""The averaged state of a handful of levels at one time, in less time than it takes to find a sector's coordinates."""

import numpy as np

from collide.exact.jets import PLAIN
from collide.exact.process import Complexes, Flow
from collide.exact.superoperator import effective_hamiltonian

QUICK = 4  # levels up to which the Liouvillian is written down whole


def averaged(flow: Flow, rho: Complexes, t: float) -> Complexes:
    """The state (d, d) that a Lindblad equation makes of `rho` in a time t.

    Only elements of the density matrix that `rho` reaches take part, so that all others stay exactly zero.
    """
    d, (H, *_) = len(rho), flow.operators
    jumps = flow.operators[1:]
    drift, one = -1j * effective_hamiltonian(H, jumps), np.eye(d)
    liouvillian = np.einsum("kac,kbd->abcd", jumps, jumps.conj())
    liouvillian += np.einsum("ac,bd->abcd", drift, one) + np.einsum("ac,bd->abcd", one, drift.conj())
    liouvillian = liouvillian.reshape(d * d, d * d)
    links, start = liouvillian != 0, rho.reshape(-1)
    known = start != 0
    while True:
        reached = known | links[:, known].any(axis=1)
        if np.array_equal(reached, known):
            break
        known = reached
    (at,) = known.nonzero()
    flat = np.zeros(d * d, dtype=complex)
    trace = one.reshape(-1)[at]
    flat[at] = PLAIN.expm(t * liouvillian[at[:, None], at][None], trace)[0] @ start[at]
    state = flat.reshape(d, d)
    return np.asarray((state + state.conj().T) / 2)
