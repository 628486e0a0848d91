r"""Waiting times between events in the steady state.

Events are the jumps of a continuous process, one kind for each of its operators, and the outcomes of collisions that
count something, one kind for each element and row of counts.  After an event l the state is ``J_l rho``; until the next
monitored event it evolves without any.  In a repeated process waiting is counted in periods, and flows within a period
are not monitored.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from collide.exact.evolve import as_times, flow, periods
from collide.exact.process import Complexes, CountTable, Element, Floats, Flow, Instrument, Ints, Process, Sparse
from collide.exact.reduced import Reduced


@dataclass(frozen=True)
class Event:
    """A kind of event.

    Attributes
    ----------
    element : int
        Position in ``process.elements``.
    operator : int
        Number of the jump operator of a continuous process; -1 in a repeated one.
    counts : tuple of int
        Rows of the count table to which the event adds one.
    """

    element: int
    operator: int
    counts: tuple[int, ...]


def events_of(process: Process) -> tuple[Event, ...]:
    """The kinds of events of a process, in the order in which they are numbered."""
    found = []
    for number, element in enumerate(process.elements):
        if isinstance(element, Flow) and process.tau is None:
            for k, row in enumerate(np.asarray(element.counts)):
                found.append(Event(number, k, tuple(int(c) for c in row if c >= 0)))
        elif isinstance(element, Instrument):
            rows = np.unique(np.asarray(element.counts), axis=0)
            found += [Event(number, -1, tuple(int(c) for c in row if c >= 0)) for row in rows if (row >= 0).any()]
    return tuple(found)


def _by_event(process: Process, events: Sequence[Event]) -> Process:
    """The same process, counting events instead of quanta."""
    elements: list[Element] = []
    for number, element in enumerate(process.elements):
        if isinstance(element, Flow):
            numbers = np.arange(len(element.ops)) if process.tau is None else np.full(len(element.ops), -1)
            element = replace(element, counts=numbers[:, None])
        elif isinstance(element, Instrument):
            known = {e.counts: n for n, e in enumerate(events) if e.element == number}
            rows = [tuple(int(c) for c in row if c >= 0) for row in np.asarray(element.counts)]
            element = replace(element, counts=np.array([[known.get(row, -1)] for row in rows]))
        elements.append(element)
    n = len(events)
    zero = np.zeros(n)
    table = CountTable(("events",), np.array([np.nan]), np.zeros(n, np.int64), zero, np.ones(n, np.int64), zero)
    return Process(process.dims, process.H, tuple(elements), table, process.tau)


class WaitingTimes:
    """Waiting-time statistics of a process in a steady state.

    Parameters
    ----------
    process : Process
    steady : (d, d) complex
    monitored : sequence of int, optional
        Numbers of the events that are watched; all by default.

    Attributes
    ----------
    events : tuple of Event
    rates : (nevents,) float
        Mean number of each event per unit time.
    """

    def __init__(self, process: Process, steady: Complexes, monitored: Sequence[int] | None = None) -> None:
        self.events = events_of(process)
        self._reduced = Reduced(_by_event(process, self.events))
        watched = np.zeros(len(self.events), bool)
        watched[list(range(len(self.events)) if monitored is None else monitored)] = True
        self._silence = np.where(watched, -np.inf, 0.0)
        self._arriving = [self._reduced.sector.vector(steady)]
        for matrix in () if process.tau is None else self._reduced.step_matrices:
            self._arriving.append(matrix @ self._arriving[-1])  # the steady state that meets each element
        weight = [self._reduced.sector.trace @ self._just_after(n) for n in range(len(self.events))]
        self.rates: Floats = np.array(weight) / (process.tau or 1.0)

    def density(self, tlist: ArrayLike, after: int, then: int) -> Floats:
        """Density of the time from an event `after` to the next monitored event, if that is `then`.

        Parameters
        ----------
        tlist : (nt,) float
            Ascending times; multiples of the period in a repeated process.
        after, then : int
            Numbers of events.

        Returns
        -------
        (nt,) float
            Continuous: probability density in time; summed over `then` and integrated it gives one (less where a dark
            state ends the events).  Repeated: probability that `then` follows this number of periods later; 0 means
            later within the same period.
        """
        times, row, element = as_times(tlist), self._row(then), self.events[then].element
        if self._reduced.continuous:
            return np.array([row @ x for x in self._silent_flow(times, after)])
        nobody = np.zeros(self._reduced.size)
        meeting = [row @ before.get(element, nobody) for before, _ in self._silent_periods(times, after)]
        return np.array(meeting)[self._numbers(times)]

    def survival(self, tlist: ArrayLike, after: int) -> Floats:
        """Probability (nt,) that no monitored event has followed `after` by these times.

        In a repeated process: by the end of the period that lies this many periods after the event's own.
        """
        times, trace = as_times(tlist), self._reduced.sector.trace
        if self._reduced.continuous:
            return np.array([trace @ x for x in self._silent_flow(times, after)])
        return np.array([trace @ end for _, end in self._silent_periods(times, after)])[self._numbers(times)]

    def _numbers(self, times: Floats) -> Ints:
        return periods(times, self._reduced.process.tau or 1.0)

    def _part(self, event: int) -> Sparse:
        """Map (m, m) of one event alone."""
        step = self._reduced.steps[self.events[event].element]
        return step.parts.weighted_sparse((step.labels[:, 0] == event).astype(float))

    def _row(self, event: int) -> Floats:
        return self._reduced.sector.trace @ self._part(event)

    def _just_after(self, event: int) -> Floats:
        return self._part(event) @ self._arriving[self.events[event].element]

    def _start(self, after: int) -> Floats:
        """Normalised state after an event."""
        x = self._just_after(after)
        weight = self._reduced.sector.trace @ x
        if weight <= 0:
            raise ValueError(f"event {after} never happens in the steady state: nothing can follow it")
        return x / weight

    def _silent_flow(self, times: Floats, after: int) -> Iterator[Floats]:
        step = self._reduced.steps[0]
        generator = step.parts.weighted_sparse(np.exp(step.weights(self._silence)))
        yield from flow(generator, self._start(after), times)

    def _silent_periods(self, times: Floats, after: int) -> Iterator[tuple[dict[int, Floats], Floats]]:
        """For each period from the event's own on: states that meet each element, and the state at its end."""
        dense = self._reduced.dense
        factors = [np.exp(step.weights(self._silence)) for step in self._reduced.steps]
        null = [s.matrix(f) if dense else s.operator(f) for s, f in zip(self._reduced.steps, factors, strict=True)]
        x, first = self._start(after), self.events[after].element + 1
        for _ in range(int(self._numbers(times)[-1]) + 1):
            before = {}
            for element in range(first, len(null)):
                before[element] = x
                x = null[element] @ x
            yield before, x
            first = 0
