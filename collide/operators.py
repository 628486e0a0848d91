"""Sites, composite spaces and their operators; every operator a user may hand over becomes one kind of array here.

Conventions: basis state 0 of a qubit or an oscillator is its lowest level, so the lowering operator is
``s = sum_n sqrt(n) |n-1><n|`` for both, and ``sz = 2 s^dagger s - 1`` is +1 on the upper level.  The first site is the
slowest index (NumPy's and QuTiP's order).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.exact.process import Sparse, embed

HERMITIAN_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Site:
    """One tensor factor of a composite space.

    Attributes
    ----------
    kind : str
        "qubit", "oscillator" or "rotor".
    dim : int
        Number of levels kept.
    l_min : int
        Lowest angular momentum of a rotor; 0 for the others.
    """

    kind: str
    dim: int
    l_min: int = 0

    @property
    def truncated(self) -> bool:
        """Whether the true space is larger than the levels kept."""
        return self.kind != "qubit"


def qubit() -> Site:
    """A two-level system."""
    return Site("qubit", 2)


def oscillator(levels: int) -> Site:
    """A harmonic oscillator cut to Fock states 0 ... levels-1."""
    if levels < 2:
        raise ValueError(f"`levels` must be at least 2 for an oscillator, but is {levels}")
    return Site("oscillator", int(levels))


def rotor(l_min: int, l_max: int) -> Site:
    """A planar rotor cut to angular momenta l_min ... l_max."""
    if l_max <= l_min:
        raise ValueError(f"`l_max` must exceed `l_min`, but the ladder is {l_min} ... {l_max}")
    return Site("rotor", int(l_max - l_min + 1), int(l_min))


class Space:
    """A composite space of sites, and the operators on it.

    Parameters
    ----------
    *sites : Site
        Tensor factors from left to right.

    Examples
    --------
    >>> space = Space(qubit(), qubit())
    >>> H = space.number(0) + space.number(1) + 0.1 * space.exchange(0, 1)
    >>> H.shape
    (4, 4)
    """

    def __init__(self, *sites: Site) -> None:
        if not sites:
            raise ValueError("`sites` is empty: a space needs at least one site, for example Space(qubit())")
        self.sites = tuple(sites)
        self.dims = tuple(site.dim for site in sites)
        self.d = int(np.prod(self.dims))

    def __repr__(self) -> str:
        return f"Space({' x '.join(f'{site.kind}({site.dim})' for site in self.sites)}, d={self.d})"

    def op(self, local: Any, *on: int) -> Sparse:
        """(d, d) operator that acts as `local` on the sites `on` and as one elsewhere."""
        k = int(np.prod([self.dims[site] for site in on]))
        return embed(as_operator(local, "local", k), on, self.dims)

    def identity(self) -> Sparse:
        """The identity."""
        return sp.eye_array(self.d, dtype=complex, format="csr")

    def s(self, site: int) -> Sparse:
        """Lowering operator of a qubit or an oscillator."""
        if self.sites[site].kind == "rotor":
            raise ValueError(f"site {site} is a rotor and has no lowering operator: use `e_plus` or `e_minus`")
        return self.op(lowering(self.dims[site]), site)

    def number(self, site: int) -> Sparse:
        """Excitation number s^dagger s of a qubit or an oscillator."""
        s = self.s(site)
        return s.conj().T @ s

    def exchange(self, first: int, second: int) -> Sparse:
        """Excitation exchange s_1^dagger s_2 + s_1 s_2^dagger."""
        hop = self.s(first).conj().T @ self.s(second)
        return hop + hop.conj().T

    def sz(self, site: int) -> Sparse:
        """Pauli operator, +1 on the upper level of a qubit."""
        self._need(site, "qubit", "sz")
        return 2 * self.number(site) - self.identity()

    def sx(self, site: int) -> Sparse:
        """Pauli operator s + s^dagger of a qubit."""
        self._need(site, "qubit", "sx")
        return self.s(site) + self.s(site).conj().T

    def sy(self, site: int) -> Sparse:
        """Pauli operator i (s - s^dagger) of a qubit, so that [sx, sy] = 2i sz."""
        self._need(site, "qubit", "sy")
        return 1j * (self.s(site) - self.s(site).conj().T)

    def L_z(self, site: int) -> Sparse:
        """Angular momentum of a rotor."""
        self._need(site, "rotor", "L_z")
        rotor_site = self.sites[site]
        return self.op(np.diag(rotor_site.l_min + np.arange(rotor_site.dim)), site)

    def e_plus(self, site: int) -> Sparse:
        """e^{i phi} of a rotor, |l> -> |l+1>, cut at the top of the ladder."""
        self._need(site, "rotor", "e_plus")
        return self.op(np.diag(np.ones(self.dims[site] - 1), -1), site)

    def e_minus(self, site: int) -> Sparse:
        """e^{-i phi} of a rotor, |l> -> |l-1>, cut at the bottom of the ladder."""
        return self.e_plus(site).conj().T

    def basis(self, *levels: int) -> NDArray[np.complex128]:
        """(d,) product basis state with the given level of each site (a rotor's level is its l)."""
        if len(levels) != len(self.sites):
            raise ValueError(f"`levels` must name {len(self.sites)} levels, one a site, but has {len(levels)}")
        index = [level - site.l_min for level, site in zip(levels, self.sites, strict=True)]
        if any(not 0 <= i < site.dim for i, site in zip(index, self.sites, strict=True)):
            raise ValueError(f"`levels` {levels} lies outside the space {self!r}")
        ket = np.zeros(self.d, dtype=complex)
        ket[np.ravel_multi_index(index, self.dims)] = 1.0
        return ket

    def _need(self, site: int, kind: str, operator: str) -> None:
        if self.sites[site].kind != kind:
            raise ValueError(f"`{operator}` needs a {kind}, but site {site} is a {self.sites[site].kind}")


def lowering(levels: int) -> NDArray[np.complex128]:
    """(levels, levels) lowering operator sum_n sqrt(n) |n-1><n|; for two levels sigma^-."""
    return np.diag(np.sqrt(np.arange(1, levels)), 1).astype(complex)


def as_operator(value: Any, name: str, d: int | None = None) -> Sparse:
    """Turn whatever describes an operator into a sparse complex matrix, or say what is wrong with it.

    Parameters
    ----------
    value : array_like, scipy sparse, or an object with ``.full()`` such as a QuTiP Qobj
    name : str
        The argument's name, for the message.
    d : int, optional
        Dimension it must have.

    Raises
    ------
    ValueError
        If it is not a square matrix of dimension `d`, or has entries that are not finite.
    """
    if hasattr(value, "full"):
        value = value.full()
    found: Any = value if sp.issparse(value) else np.atleast_2d(np.asarray(value))
    matrix: Sparse = sp.csr_array(found, dtype=complex)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"`{name}` must be a square matrix, but has shape {matrix.shape}")
    if d is not None and matrix.shape != (d, d):
        raise ValueError(
            f"`{name}` must have shape ({d}, {d}), but has shape {matrix.shape}: embed it in the full space"
        )
    if not np.all(np.isfinite(matrix.data)):
        raise ValueError(f"`{name}` has entries that are not finite: check the parameters it was made from")
    return matrix


def as_hermitian(value: Any, name: str, d: int | None = None) -> Sparse:
    """Like `as_operator`, for an operator that must equal its adjoint to 1e-10 of its largest entry."""
    return sp.csr_array(_hermitian_part(as_operator(value, name, d), name))


def _hermitian_part(matrix: Any, name: str) -> Any:
    """A matrix, sparse or dense, without what rounding adds to a Hermitian one; refused where that is more."""
    adjoint = matrix.conj().T
    worst, scale = abs(matrix - adjoint).max(), max(1.0, abs(matrix).max())
    if worst > HERMITIAN_TOLERANCE * scale:
        raise ValueError(
            f"`{name}` must be Hermitian, but differs from its adjoint by {worst:.3g}: add the conjugate part"
        )
    return (matrix + adjoint) / 2


def as_state(value: Any, name: str, d: int) -> NDArray[np.complex128]:
    """(d, d) density matrix from a ket or a density matrix, checked: trace one, Hermitian, no negative eigenvalue."""
    raw: Any = value.full() if hasattr(value, "full") else value
    dense: Any = raw.toarray() if hasattr(raw, "toarray") else raw
    array: NDArray[np.complex128] = np.asarray(dense, dtype=np.complex128)
    if array.shape in {(d,), (d, 1)}:
        ket = array.reshape(-1)
        norm = float((np.abs(ket) ** 2).sum())
        if abs(norm - 1) > 1e-8:
            raise ValueError(
                f"`{name}` must be a normalised ket, but its squared norm is {norm:.6g}: divide by {norm**0.5:.6g}"
            )
        ket = ket / np.sqrt(norm)
        return np.outer(ket, ket.conj())
    if array.shape != (d, d):
        raise ValueError(
            f"`{name}` must be a ket of shape ({d},) or a state of shape ({d}, {d}), but has shape {array.shape}"
        )
    if not np.all(np.isfinite(array)):
        raise ValueError(f"`{name}` has entries that are not finite: check the parameters it was made from")
    rho = _hermitian_part(array, name)
    trace = float(np.trace(rho).real)
    if abs(trace - 1) > 1e-8:
        raise ValueError(f"`{name}` must have trace 1, but its trace is {trace:.6g}: divide by it")
    lowest = float(np.linalg.eigvalsh(rho)[0])
    if lowest < -1e-9:
        raise ValueError(f"`{name}` must have no negative eigenvalue, but the lowest is {lowest:.3g}")
    return rho / trace


def as_dims(dims: Sequence[int] | Space | None, value: Any, d: int) -> tuple[int, ...]:
    """Site dimensions from an argument, else from a QuTiP object's ``dims``, else one site of dimension `d`."""
    if dims is None:
        found = getattr(value, "dims", None)
        dims = found[0] if isinstance(found, list) and isinstance(found[0], list) else [d]
    sites = tuple(int(k) for k in (dims.dims if isinstance(dims, Space) else dims))
    if int(np.prod(sites)) != d:
        raise ValueError(f"`dims` {sites} multiply to {int(np.prod(sites))}, but `H` has dimension {d}")
    return sites
