"""Lindblad equations whose channels carry heat: local, global (Davies) and hand-made ones."""

from collections.abc import Callable, Sequence
import math
from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.balance import BalanceReport, report_balance, require_reverse
from collide.baths import Bath
from collide.channels import Channel, CountBook, book_channels
from collide.exact.levels import eigenbasis
from collide.exact.methods import ExactMethods
from collide.exact.process import Process
from collide.operators import Space, as_dims, as_hermitian, as_operator

GROUPING = 1e-9
SPARSE = 0.1  # filling of the eigenvectors up to which sparse products are cheaper


class LindbladModel(ExactMethods):
    r"""A Lindblad equation with thermodynamics.

    .. math:: \dot\rho = -i[H,\rho] + \sum_k \gamma_k\bigl(L_k\rho L_k^\dagger - \tfrac12\{L_k^\dagger L_k,\rho\}\bigr)

    Parameters
    ----------
    H : (d, d) operator
        System Hamiltonian; its expectation value is the system's energy.
    channels : sequence of Channel
        See `local`, `davies` and `Channel`.
    dims : sequence of int or Space, optional
        Dimensions of the sites; by default those of a QuTiP `H`, else one site.
    lamb_shift : (d, d) operator, optional
        What the baths add to the Hamiltonian of the evolution, see `lamb_shift`; none by default.  It commutes with
        `H`, whose expectation value alone is the system's energy: quanta stay differences of its levels.

    Raises
    ------
    ValueError
        For a Hamiltonian that is not Hermitian, operators of another shape, a Lamb shift that does not commute with
        `H`, and a thermal channel without its reverse or against detailed balance.

    Examples
    --------
    >>> from collide import Bath, LindbladModel, Space, local, qubit
    >>> space = Space(qubit())
    >>> hot = Bath("hot", temperature=1.0, spectral_density=0.1)
    >>> cold = Bath("cold", temperature=0.3, spectral_density=0.2)
    >>> model = LindbladModel(space.number(0), local(space.s(0), 1.0, hot) + local(space.s(0), 1.0, cold))
    >>> round(model.heat_currents()["hot"], 6)
    0.026196
    """

    def __init__(
        self,
        H: Any,
        channels: Sequence[Channel],
        *,
        dims: Sequence[int] | Space | None = None,
        lamb_shift: Any = None,
    ) -> None:
        self.H = as_hermitian(H, "H")
        self.dims = as_dims(dims, H, self.H.shape[0])
        self.channels = tuple(channels)
        if not self.channels:
            raise ValueError("`channels` is empty: a model needs at least one, for example local(s, omega, bath)")
        book = CountBook()
        booked = book_channels(self.channels, self.H.shape[0], book)
        require_reverse(self.channels)
        self.lamb_shift = None if lamb_shift is None else _shift(lamb_shift, self.H)
        drive = self.H if self.lamb_shift is None else sp.csr_array(self.H + self.lamb_shift)
        flow = booked.flow(drive, len(book.baths), None)
        self.process = Process(self.dims, self.H, (flow,), book.table(), None, booked.loads)

    def __repr__(self) -> str:
        table = self.process.counts
        lines = [f"LindbladModel: d = {self.process.d}, sites {self.dims}, {len(self.channels)} channels"]
        lines += [f"  bath {name}: beta = {beta:g}" for name, beta in zip(table.baths, table.beta, strict=True)]
        return "\n".join(lines)

    def check(self) -> BalanceReport:
        """Sentences on detailed balance, implied temperatures, close frequencies and the steady state."""
        return report_balance(self)

    @classmethod
    def davies(
        cls,
        H: Any,
        couplings: Sequence[tuple[Any, Bath]],
        *,
        lamb_shift: bool = False,
        cutoff: float | None = None,
        tolerance: float = GROUPING,
        dims: Sequence[int] | Space | None = None,
    ) -> "LindbladModel":
        """The global (secular) equation of several baths, with or without its Lamb shift.

        Parameters
        ----------
        H : (d, d) operator
        couplings : sequence of (operator, Bath)
            See the function `davies`, whose channels these become.
        lamb_shift : bool
            Add the shift of every bath to the Hamiltonian of the evolution, see the function `lamb_shift`; the energy
            remains the expectation value of `H`.  Off by default: it changes coherences only.
        cutoff : float, optional
            Upper limit of the shift's integral, needed for it.
        tolerance : float
            Bohr frequencies closer than this times the largest energy are one frequency.
        dims : sequence of int or Space, optional

        Returns
        -------
        LindbladModel
        """
        channels = [c for coupling, bath in couplings for c in davies(H, coupling, bath, tolerance=tolerance)]
        if not lamb_shift:
            return cls(H, channels, dims=dims)
        if cutoff is None:
            raise ValueError("`lamb_shift` needs `cutoff`, the upper limit of its integral over the baths' frequencies")
        shift = sum(_lamb_shift(H, coupling, bath, cutoff, tolerance) for coupling, bath in couplings)
        return cls(H, channels, dims=dims, lamb_shift=shift)

    @classmethod
    def from_qutip(
        cls,
        H: Any,
        c_ops: Sequence[Any],
        quanta: Sequence[float],
        baths: Sequence[Bath | str],
        kinds: Sequence[str] | None = None,
    ) -> "LindbladModel":
        """A model from QuTiP's `H` and `c_ops` (rates inside), with a quantum and a bath for each.

        Parameters
        ----------
        H : Qobj
        c_ops : sequence of Qobj
        quanta : sequence of float
            Heat into the system at one jump of each operator.
        baths : sequence of Bath or str
        kinds : sequence of str, optional
            "thermal" by default where the bath is a `Bath`, "irreversible" where it is a name.
        """
        if not len(c_ops) == len(quanta) == len(baths):
            raise ValueError(
                f"`quanta` and `baths` must have one entry for each of the {len(c_ops)} `c_ops`, but have"
                f" {len(quanta)} and"
                f" {len(baths)}"
            )
        if kinds is not None and len(kinds) != len(c_ops):
            raise ValueError(f"`kinds` must have one entry for each of the {len(c_ops)} `c_ops`, but has {len(kinds)}")
        chosen = kinds or ["thermal" if isinstance(bath, Bath) else "irreversible" for bath in baths]
        channels = [
            Channel(op, 1.0, q, bath, kind) for op, q, bath, kind in zip(c_ops, quanta, baths, chosen, strict=True)
        ]
        return cls(H, channels)

    def to_qutip(self) -> tuple[Any, list[Any]]:
        """(H, c_ops) as QuTiP objects: H with the Lamb shift if there is one, rates inside the operators."""
        import qutip

        dims = [list(self.dims), list(self.dims)]
        flow: Any = self.process.elements[0]
        return qutip.Qobj(flow.H.toarray(), dims=dims), [qutip.Qobj(op.toarray(), dims=dims) for op in flow.ops]


def _shift(value: Any, H: Any) -> Any:
    """A Lamb shift (d, d), refused where it would do work."""
    shift = as_hermitian(value, "lamb_shift", H.shape[0])
    work = abs(shift @ H - H @ shift).max()
    if work > 1e-8 * abs(H).max() * abs(shift).max():
        raise ValueError(
            f"`lamb_shift` must commute with `H`, but their commutator is {work:.3g}: add it to `H` if it is to be"
            " energy"
        )
    return shift


def local(op: Any, omega: float, bath: Bath) -> list[Channel]:
    """Emission by `op` and absorption by its adjoint at a local frequency.

    Parameters
    ----------
    op : (d, d) operator
        Lowers the system's energy by `omega`, for example ``space.s(0)``.
    omega : float
        > 0; the heat of a jump is this *local* quantum.
    bath : Bath
        Rates J (1 + n) and J n for bosons, J (1 - n) and J n for spins.
    """
    if not omega > 0:
        raise ValueError(f"`omega` must be positive, but is {omega}: a local channel needs the quantum it exchanges")
    lower = as_operator(op, "op")
    down, up = bath.rates(omega)
    return [Channel(lower, down, -omega, bath), Channel(lower.conj().T, up, omega, bath)]


def davies(H: Any, coupling: Any, bath: Bath, *, tolerance: float = GROUPING) -> list[Channel]:
    r"""Global (secular) channels of one bath from the eigenoperators of its coupling.

    .. math:: A(\omega) = \sum_{\epsilon' - \epsilon = \omega} \Pi(\epsilon)\,A\,\Pi(\epsilon')

    with rates J (1 +- n) for A(omega), J n for its adjoint (Breuer and Petruccione 2002, Eqs. 3.120-3.141).  At zero
    frequency the rate is the limit, slope * T for ohmic bosons.  A coupling that is not Hermitian (s alone, without
    counter-rotating terms) has J(omega <= 0) = 0: only frequencies at which it lowers the energy remain
    (Leitch et al. 2024, Eq. A4).

    Parameters
    ----------
    H : (d, d) operator
    coupling : (d, d) operator
        A.
    bath : Bath
    tolerance : float
        Bohr frequencies closer than this times the largest energy are one frequency.

    Returns
    -------
    list of Channel
        Quanta are the Bohr frequencies, so a bath's heat is an energy change of the whole H.
    """
    frequencies, operators = eigenoperators(H, coupling, tolerance=tolerance)
    matrix = as_operator(coupling, "coupling")
    difference = matrix - matrix.conj().T
    hermitian = difference.nnz == 0 or abs(difference).max() <= 1e-10 * abs(matrix).max()
    channels = []
    for omega, op in zip(frequencies, operators, strict=True):
        if omega > 0:
            down, up = bath.rates(omega)
            channels += [Channel(op, down, -omega, bath), Channel(op.conj().T, up, omega, bath)]
        elif omega == 0 and hermitian:
            channels.append(Channel(op, bath.rates(0.0)[0], 0.0, bath))
    return channels


def eigenoperators(H: Any, coupling: Any, *, tolerance: float = GROUPING) -> tuple[list[float], list[Any]]:
    """Bohr frequencies, ascending, and the parts A(omega) of `coupling` that lower the energy of `H` by them.

    Raises
    ------
    ValueError
        If frequencies form a chain of near-equal ones that no tolerance separates.
    """
    energies, vectors = eigenbasis(as_hermitian(H, "H"))
    A = vectors.conj().T @ as_operator(coupling, "coupling", len(energies)).toarray() @ vectors
    rows, cols = np.nonzero(np.abs(A) > 1e-13 * max(np.abs(A).max(), 1e-300))
    omega = energies[cols] - energies[rows]
    order = np.argsort(omega, kind="stable")
    scale = tolerance * max(float(np.abs(energies).max()), 1e-300)
    starts = np.flatnonzero(np.diff(omega[order], prepend=-math.inf) > scale)
    frequencies, operators = [], []
    rotate = _rotation(vectors)
    for group in np.split(order, starts[1:]):
        width = float(np.ptp(omega[group]))
        if width > 10 * scale:
            raise ValueError(
                f"Bohr frequencies near {omega[group].mean():.6g} form a chain of width {width:.3g} with steps below"
                f" {scale:.3g}: choose another `tolerance`"
            )
        value = float(omega[group].mean())
        at = rows[group], cols[group]
        part = sp.csr_array((A[at], at), shape=A.shape)
        operators.append(_clean(rotate(part)))
        frequencies.append(0.0 if abs(value) <= scale else value)
    return frequencies, operators


def _rotation(vectors: Any) -> Callable[[Any], Any]:
    """V A V^dagger of sparse matrices A; sparse where conserved quantities keep the eigenvectors so."""
    if np.count_nonzero(vectors) > SPARSE * vectors.size:
        return lambda A: vectors @ (A @ vectors.conj().T)
    V = sp.csr_array(vectors)
    back = V.conj().T.tocsr()
    return lambda A: V @ A @ back


def _clean(matrix: Any) -> Any:
    """Sparse copy without rounding dust, so that conserved quantities stay visible."""
    if isinstance(matrix, np.ndarray):
        return sp.csr_array(np.where(np.abs(matrix) > 1e-14 * np.abs(matrix).max(), matrix, 0))
    matrix = matrix.tocsr(copy=True)
    matrix.data[np.abs(matrix.data) <= 1e-14 * np.abs(matrix.data).max()] = 0
    matrix.eliminate_zeros()
    return matrix


def lamb_shift(H: Any, coupling: Any, bath: Bath, *, cutoff: float, tolerance: float = GROUPING) -> Any:
    r"""The Lamb-shift Hamiltonian of a Hermitian coupling, for whoever wants it in the evolution.

    .. math::
        H_{LS} = \sum_\omega S(\omega)\,A^\dagger(\omega)A(\omega),\qquad
        S(\omega) = \frac{1}{2\pi}\,\mathrm{P}\!\!\int_0^{\Omega_c}\!\!d\nu
        \left[\frac{J(\nu)(1+n(\nu))}{\omega-\nu}+\frac{J(\nu)n(\nu)}{\omega+\nu}\right]

    for bosons (Breuer and Petruccione 2002, Eq. 3.141, with J itself the rate); 1 + n becomes 1 - n for spins.

    Parameters
    ----------
    coupling : (d, d) operator
        Hermitian.
    cutoff : float
        Upper limit of the integral; it must exceed every Bohr frequency.

    Returns
    -------
    (d, d) sparse
        Commutes with `H`; for ``LindbladModel(H, channels, lamb_shift=...)``.
    """
    return _lamb_shift(H, coupling, bath, cutoff, tolerance)


def _lamb_shift(H: Any, coupling: Any, bath: Bath, cutoff: float, tolerance: float) -> Any:
    from scipy.integrate import quad

    as_hermitian(coupling, "coupling")  # one that is not has other correlations, whose shift this is not
    frequencies, operators = eigenoperators(H, coupling, tolerance=tolerance)
    if not cutoff > max(map(abs, frequencies)):
        raise ValueError(
            f"`cutoff` must exceed the largest Bohr frequency {max(map(abs, frequencies)):g}, but is {cutoff:g}"
        )

    def emission(nu: float) -> float:
        return bath.rates(max(nu, 1e-12 * cutoff))[0]

    def absorption(nu: float) -> float:
        return bath.rates(max(nu, 1e-12 * cutoff))[1]

    def principal(function: Any, pole: float) -> float:
        """P int_0^cutoff function(nu) / (nu - pole)."""
        if 0 < pole < cutoff:
            return float(quad(function, 0, cutoff, weight="cauchy", wvar=pole, limit=500)[0])
        return float(quad(lambda nu: function(nu) / (nu - pole), 0, cutoff, limit=500)[0])

    total = sp.csr_array(as_operator(H, "H").shape, dtype=complex)
    for omega, op in zip(frequencies, operators, strict=True):
        if omega == 0:
            shift = -quad(lambda nu: (emission(nu) - absorption(nu)) / max(nu, 1e-12 * cutoff), 0, cutoff, limit=500)[0]
        else:
            shift = -principal(emission, omega) + principal(absorption, -omega)
        total = total + (op.conj().T @ op) * (shift / (2 * math.pi))
    return total
