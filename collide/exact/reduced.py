"""A process written in the coordinates of a sector: what all exact methods compute with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.exact.jets import PLAIN, Numbers, keep_trace
from collide.exact.process import Element, Floats, Flow, Ints, Process, Sparse
from collide.exact.sectors import Labelled, Sector, find_sector
from collide.exact.superoperator import element_terms

DENSE = 1500  # coordinates up to which matrices are dense


@dataclass(frozen=True)
class Step:
    """One element of a process in coordinates.

    Attributes
    ----------
    parts : Labelled
        A generator for a flow, a map otherwise; split by counts.
    labels : (P, nbaths) int
        Row of the count table that a part adds one to for each bath; -1 for none.
    flow : bool
    duration : float or None
        Length of a flow within a period; None for maps and for an endless flow.
    load_heat : (nloads, m) float
        Rows that give the heat current of each load during a flow.
    """

    parts: Labelled
    labels: Ints
    duration: float | None
    load_heat: Floats

    def weights(self, w: Numbers) -> Numbers:
        """(P,) sums of the weights (ncounts,) over the rows that a part counts."""
        padded = np.append(w, 0)  # a label -1 finds the zero at the end
        return padded[self.labels].sum(axis=1)

    def matrix(self, factor: Numbers) -> Numbers:
        """Dense (m, m) map of the step with each part times its factor (P,)."""
        total = self.parts.weighted(factor)
        return PLAIN.expm(self.duration * total[None])[0] if self.duration is not None else total


class Reduced:
    """A process in the coordinates of the sector that some initial states reach.

    Parameters
    ----------
    process : Process
    seed : (d, d) bool, optional
        Density-matrix elements of the initial states besides the diagonal.

    Attributes
    ----------
    sector : Sector
    steps : tuple of Step
    """

    def __init__(self, process: Process, seed: NDArray[np.bool_] | None = None) -> None:
        made = element_terms(process)
        self.process = process
        self.sector, parts = find_sector([(terms, len(rows)) for terms, rows in made], seed)
        self.steps = tuple(
            Step(
                piece,
                rows,
                element.duration if isinstance(element, Flow) else None,
                _load_rows(process, element, self.sector),
            )
            for piece, (_, rows), element in zip(parts, made, process.elements, strict=True)
        )

    @property
    def size(self) -> int:
        """Number m of coordinates."""
        return self.sector.size

    @property
    def continuous(self) -> bool:
        """Whether the process is one endless flow."""
        return self.process.tau is None

    @property
    def dense(self) -> bool:
        """Whether matrices of this size are kept dense."""
        return self.size <= DENSE

    def tilted(self, w: Numbers | None = None) -> Numbers:
        """Generator (continuous) or period map (repeated), (m, m), with counts n weighted by ``exp(w . n)``.

        Parameters
        ----------
        w : (ncounts,) real or complex, optional
            No weights by default.
        """
        total: Numbers | None = None
        for step in self.steps:
            factor = np.ones(len(step.labels)) if w is None else np.exp(step.weights(w))
            matrix = step.parts.weighted(factor) if self.continuous else step.matrix(factor)
            total = matrix if total is None else matrix @ total
        assert total is not None
        return total

    @cached_property
    def base(self) -> Floats:
        """The generator (continuous) or period map (repeated) without weights, dense."""
        matrix: Floats = self.tilted()
        return matrix if self.continuous else keep_trace(matrix, self.sector.trace)

    @cached_property
    def generator(self) -> Sparse:
        """The generator of a continuous process, sparse."""
        step = self.steps[0]
        return step.parts.weighted_sparse(np.ones(len(step.labels)))

    @cached_property
    def step_matrices(self) -> tuple[Floats, ...]:
        """Map of each step of a period, dense and without weights."""
        return tuple(step.matrix(np.ones(len(step.labels))).astype(np.float64) for step in self.steps)


def _load_rows(process: Process, element: Element, sector: Sector) -> Floats:
    """Rows (nloads, m) of ``Tr[energy D_load rho]`` for the channels of each load in a flow; zero in a map."""
    if not isinstance(element, Flow):
        return np.zeros((len(process.loads), sector.size))
    rows = [sector.functional(load_heat_operator(element, l, load.energy)) for l, load in enumerate(process.loads)]
    return np.array(rows).reshape(len(process.loads), sector.size)


def load_heat_operator(flow: Flow, load: int, energy: Sparse) -> Sparse:
    """The operator ``sum_k L_k^dagger E L_k - {L_k^dagger L_k, E}/2`` over the channels of a load, (d, d) sparse."""
    ops: Sequence[Sparse] = [op for op, index in zip(flow.ops, flow.load, strict=True) if index == load]
    total: Sparse = sp.csr_array(flow.H.shape, dtype=complex)
    for op in ops:
        down = sp.csr_array(op).conj().T
        weight = down @ op
        total = total + down @ energy @ op - 0.5 * (weight @ energy + energy @ weight)
    return total
