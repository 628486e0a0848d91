"""Steady states: of a generator, or of the map of one period.

Populations that obey a rate equation are found by the algorithm of Grassmann, Taksar and Heyman: Gaussian elimination
in which the diagonal is replaced by minus the sum of the rates that leave a state, so that nothing is subtracted and
every population, however small, keeps its digits.  Coherences are eliminated first where what remains is a rate
equation.  Everything else is solved with one row replaced by the trace.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.exact.conserved import closed_classes, conserved_subspaces, sentence
from collide.exact.process import Floats, Ints, Sparse
from collide.exact.reduced import Reduced
from collide.later import later

la = later("scipy.linalg")
sla = later("scipy.sparse.linalg")

RESIDUAL = 1e-14  # of iterative solutions, relative
SAME = 1e-8  # two steady states that differ by more are two
SINGULAR = 1e-13  # reciprocal condition numbers below are a second zero, not a slow relaxation


class NonUniqueSteadyState(ValueError):
    """The process keeps some probability for ever; the sentence names the subspaces between which none flows."""


class Rates:
    """Rate matrix W of a classical process in triangular form, by elimination without subtraction.

    ``W[a, b]`` is the rate from b to a; the diagonal is implied.  States are eliminated from the last to the first,
    hence `order` puts those of the closed class first.

    Parameters
    ----------
    W : (n, n) float
        Not negative off the diagonal; one closed class.
    order : (n,) int
    """

    def __init__(self, W: Floats, order: Ints) -> None:
        self.order = order
        self.factor = W[np.ix_(order, order)].copy()
        n = len(order)
        self.leave = np.zeros(n)
        F = self.factor
        for k in range(n - 1, 0, -1):
            self.leave[k] = F[:k, k].sum()
            if self.leave[k] > 0:  # a transient state whose rate underflowed keeps no probability
                F[:k, :k] += np.outer(F[:k, k], F[k, :k] / self.leave[k])

    def state(self) -> Floats:
        """Probabilities (n,), each with full relative accuracy."""
        p = np.zeros(len(self.order))
        p[0] = 1.0
        for k in range(1, len(p)):
            if self.leave[k] > 0:
                p[k] = self.factor[k, :k] @ p[:k] / self.leave[k]
        whole = np.empty_like(p)
        whole[self.order] = p / p.sum()
        return whole

    def solve(self, b: Floats) -> Floats:
        """A solution of ``W p = b`` for b (n,) of zero sum; any multiple of the state may be added."""
        F, leave = self.factor, self.leave
        y = b[self.order].copy()
        for k in range(len(y) - 1, 0, -1):
            if leave[k] > 0:
                y[:k] += F[:k, k] * (y[k] / leave[k])
        p = np.zeros_like(y)
        for k in range(1, len(y)):
            if leave[k] > 0:
                p[k] = (F[k, :k] @ p[:k] - y[k]) / leave[k]
        whole = np.empty_like(p)
        whole[self.order] = p
        return whole


@dataclass(frozen=True)
class Hopping:
    """Generator whose coherences, once eliminated, leave a rate equation for the populations."""

    rates: Rates
    coherence_lu: tuple[Floats, Any] | None
    to_populations: Floats
    to_coherences: Floats

    def state(self) -> Floats:
        """Stationary coordinates (m,)."""
        p = self.rates.state()
        return np.concatenate([p, self._coherences(p, 0.0)])

    def solve(self, b: Floats) -> Floats:
        """A solution x (m,) of ``M x = b`` for traceless b."""
        n = len(self.rates.order)
        source = b[:n]
        if self.coherence_lu is not None:
            source = source - self.to_populations @ la.lu_solve(self.coherence_lu, b[n:])
        p = self.rates.solve(source)
        return np.concatenate([p, self._coherences(p, b[n:])])

    def _coherences(self, p: Floats, b: Floats | float) -> Floats:
        if self.coherence_lu is None:
            return np.zeros(0)
        return la.lu_solve(self.coherence_lu, b - self.to_coherences @ p)


@dataclass(frozen=True)
class Bordered:
    """Generator with the row of one population replaced by the trace, dense."""

    lu: tuple[Floats, Any]
    matrix: Floats
    row: int

    def state(self) -> Floats:
        """Stationary coordinates (m,)."""
        b = np.zeros(self.matrix.shape[0])
        b[self.row] = 1.0
        return self._refined(b)

    def solve(self, b: Floats) -> Floats:
        """The traceless solution x (m,) of ``M x = b`` for traceless b."""
        b = b.copy()
        b[self.row] = 0.0
        return self._refined(b)

    def _refined(self, b: Floats) -> Floats:
        x = la.lu_solve(self.lu, b)
        return x + la.lu_solve(self.lu, b - self.matrix @ x)


@dataclass(frozen=True)
class SparseBordered:
    """As `Bordered`, sparse."""

    lu: Any  # scipy.sparse.linalg.SuperLU
    matrix: Sparse
    row: int

    def state(self) -> Floats:
        """Stationary coordinates (m,)."""
        b = np.zeros(self.matrix.shape[0])
        b[self.row] = 1.0
        return self._refined(b)

    def solve(self, b: Floats) -> Floats:
        """The traceless solution x (m,) of ``M x = b`` for traceless b."""
        b = b.copy()
        b[self.row] = 0.0
        return self._refined(b)

    def _refined(self, b: Floats) -> Floats:
        x = self.lu.solve(b)
        return x + self.lu.solve(b - self.matrix @ x)


@dataclass(frozen=True)
class Krylov:
    """Period map minus one in a large sector, known by its action on states: solved by minimal residuals."""

    move: Any  # multiplies states
    trace: Floats
    start: Floats

    def state(self) -> Floats:
        """Stationary coordinates (m,): the start plus what removes its change."""
        return self.start - self.solve(self.move @ self.start - self.start)

    def solve(self, b: Floats) -> Floats:
        """The traceless solution x (m,) of ``(M - 1) x = b`` for traceless b.

        Raises
        ------
        NonUniqueSteadyState
            If the residual does not fall to rounding.
        """
        m, late = len(b), self.start / (self.trace @ self.start)
        # one more eigenvalue of size one in the direction of the trace makes the operator regular
        action: Any = sla.LinearOperator(
            (m, m), matvec=lambda x: self.move @ x - x - late * (self.trace @ x), dtype=np.float64
        )
        x, failed = sla.gmres(action, b, rtol=RESIDUAL, restart=300, maxiter=20)
        if failed and np.linalg.norm(action @ x - b) > 1e3 * RESIDUAL * np.linalg.norm(b):
            raise NonUniqueSteadyState(
                "the fixed point of a period was not found: it is not unique, or reached too slowly; use a larger tau,"
                " or the Lindblad limit"
            )
        return x


Solver = Hopping | Bordered | SparseBordered | Krylov


class Stationary:
    """Steady state in coordinates, and solutions of ``M x = b`` beside it.

    Parameters
    ----------
    reduced : Reduced

    Attributes
    ----------
    vector : (m,) float
        The steady state; its trace is one.

    Raises
    ------
    NonUniqueSteadyState
    """

    def __init__(self, reduced: Reduced) -> None:
        self.trace = reduced.sector.trace
        d = reduced.sector.d
        if reduced.dense:
            matrix = reduced.base if reduced.continuous else reduced.base - np.eye(reduced.size)
            self.solver: Solver = _hopping(matrix, d, reduced) or _bordered(matrix, d, reduced)
        elif reduced.continuous:
            self.solver = _sparse_bordered(reduced.generator, d, reduced)
        else:
            self.solver = _krylov(reduced)
        x = self.solver.state()
        self.vector: Floats = x / x[:d].sum()

    def solve(self, b: Floats) -> Floats:
        """The traceless x (m,) with ``M x = b``, M the generator or the period map minus one, b traceless."""
        x = self.solver.solve(b)
        return x - self.vector * (self.trace @ x)


def _hopping(matrix: Floats, d: int, reduced: Reduced) -> Hopping | None:
    """Eliminate the coherences; None where no rate equation for the populations remains."""
    pp, pc, cp, cc = matrix[:d, :d], matrix[:d, d:], matrix[d:, :d], matrix[d:, d:]
    lu, W = None, pp.copy()
    if cc.size:
        lu = _factorised(cc)
        if lu is None:
            return None
        if pc.any():
            response = la.lu_solve(lu, cp)
            W -= pc @ response
            # what cancels to rounding is no rate
            W[np.abs(W) <= 8 * np.finfo(float).eps * (np.abs(pc) @ np.abs(response))] = 0.0
    np.fill_diagonal(W, 0.0)
    if (W < 0).any():
        return None
    closed = closed_classes(W)
    if len(closed) > 1:  # named from the whole generator: states of W may be dressed by the eliminated coherences
        raise NonUniqueSteadyState(sentence(conserved_subspaces(matrix, reduced.sector), reduced.process.dims))
    order = np.concatenate([closed[0], np.setdiff1d(np.arange(d), closed[0])])
    return Hopping(Rates(W, order), lu, pc, cp)


def _bordered(matrix: Floats, d: int, reduced: Reduced) -> Bordered:
    """Replace the row of the population with the largest rates by the trace, scaled to the same size."""
    row = int(np.argmax(np.abs(matrix[:d]).sum(axis=1)))
    border = matrix.copy()
    border[row] = 0.0
    border[row, :d] = 1.0
    scale = np.abs(matrix).max() or 1.0
    border[row] *= scale
    lu = _factorised(border)
    if lu is None:
        raise NonUniqueSteadyState(sentence(conserved_subspaces(matrix, reduced.sector), reduced.process.dims))
    return Bordered(lu, border, row)


def _krylov(reduced: Reduced) -> Krylov:
    """Fixed point of a period in a large sector, found from two starts."""
    d, m = reduced.sector.d, reduced.size
    starts = np.zeros((2, m))
    starts[0, :d], starts[1, 0] = 1.0 / d, 1.0
    found = [Krylov(reduced.base, reduced.sector.trace, start) for start in starts]
    one, other = (f.state() for f in found)
    if np.abs(one - other).max() > SAME:
        raise NonUniqueSteadyState(sentence([], reduced.process.dims))
    return found[0]


def _factorised(matrix: Floats) -> tuple[Floats, Any] | None:
    """Triangular factors for `lu_solve`; None for a matrix that is singular to working precision."""
    factor, pivot, exactly_singular = la.lapack.dgetrf(matrix)
    if exactly_singular or la.lapack.dgecon(factor, np.abs(matrix).sum(axis=0).max())[0] < SINGULAR:
        return None
    return factor, pivot


def _sparse_bordered(matrix: Sparse, d: int, reduced: Reduced) -> SparseBordered:
    """As `_bordered` for a sparse generator."""
    row = int(np.argmax(np.abs(matrix[:d]).sum(axis=1)))
    scale = np.abs(matrix.data).max()
    entries = sp.coo_array(matrix)
    others = entries.row != row
    rows = np.concatenate([entries.row[others], np.full(d, row)])
    columns = np.concatenate([entries.col[others], np.arange(d)])
    data = np.concatenate([entries.data[others], np.full(d, scale)])
    border = sp.csc_array((data, (rows, columns)), shape=matrix.shape)
    closed = [c[c < d] for c in closed_classes(matrix) if (c < d).any()]
    if len(closed) > 1:
        raise NonUniqueSteadyState(sentence(closed, reduced.process.dims))
    try:
        lu: Any = sla.splu(border)
    except RuntimeError as error:  # "Factor is exactly singular"
        raise NonUniqueSteadyState(sentence([], reduced.process.dims)) from error
    inverse = sla.LinearOperator(
        border.shape, matvec=lu.solve, rmatvec=lambda b: lu.solve(b, trans="T"), dtype=np.float64
    )
    if 1.0 / (sla.onenormest(inverse) * sla.norm(border, 1)) < SINGULAR:
        raise NonUniqueSteadyState(sentence([], reduced.process.dims))
    return SparseBordered(lu, border, row)
