"""A process written in the coordinates of a sector: what all exact methods compute with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

from collide.exact.jets import PLAIN, Numbers, keep_trace_within
from collide.exact.process import Element, Floats, Flow, Ints, Process, Sparse
from collide.exact.sectors import Labelled, Sector, find_sector
from collide.exact.superoperator import element_terms
from collide.later import later

sla = later("scipy.sparse.linalg")

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

    def operator(self, factor: Numbers) -> "Sparse | FlowMap":
        """As `matrix`, for large sectors: something that multiplies states."""
        total = self.parts.weighted_sparse(factor)
        return total if self.duration is None else FlowMap(self.duration * total)


@dataclass(frozen=True)
class FlowMap:
    """The exponential of a sparse generator, known by its action on states."""

    generator: Sparse

    def __matmul__(self, x: Numbers) -> Numbers:
        return sla.expm_multiply(self.generator, x)


@dataclass(frozen=True)
class StepByStep:
    """The map of a period, known by its action on states: one step after the other."""

    steps: tuple[Any, ...]

    def __matmul__(self, x: Numbers) -> Numbers:
        for step in self.steps:
            x = step @ x
        return x


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

    def tilted(self, w: Numbers | None = None) -> Any:
        """Generator (continuous) or period map (repeated) with counts n weighted by ``exp(w . n)``.

        Parameters
        ----------
        w : (ncounts,) real or complex, optional
            No weights by default.

        Returns
        -------
        (m, m) array, or in a large sector something that multiplies states
        """
        if self.continuous:
            step = self.steps[0]
            return step.parts.weighted(_factor(step, w)) if self.dense else step.parts.weighted_sparse(_factor(step, w))
        if not self.dense:
            return StepByStep(tuple(step.operator(_factor(step, w)) for step in self.steps))
        return reduce(lambda total, step: step.matrix(_factor(step, w)) @ total, self.steps, np.eye(self.size))

    @cached_property
    def base(self) -> Any:
        """The generator (continuous) or period map (repeated) without weights."""
        if self.dense and not self.continuous:
            return keep_trace_within(self.tilted(), self.sector.trace)
        return self.tilted()

    @cached_property
    def generator(self) -> Sparse:
        """The generator of a continuous process, sparse."""
        step = self.steps[0]
        return step.parts.weighted_sparse(np.ones(len(step.labels)))

    @cached_property
    def step_matrices(self) -> tuple[Any, ...]:
        """Map of each step of a period without weights: arrays, or in a large sector what multiplies states."""
        made = [step.matrix if self.dense else step.operator for step in self.steps]
        return tuple(make(_factor(step, None)) for make, step in zip(made, self.steps, strict=True))


def _factor(step: Step, w: Numbers | None) -> Numbers:
    return np.ones(len(step.labels)) if w is None else np.exp(step.weights(w))


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
