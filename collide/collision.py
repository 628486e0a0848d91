"""Repeated interactions: fresh ancillas hit the system one period after another, their energies measured twice."""

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Any

import numpy as np
import scipy.sparse as sp

from collide.balance import BalanceReport
from collide.baths import Ancilla, Bath
from collide.channels import Channel, CountBook, book_channels
from collide.encounters import report_encounters
from collide.exact.methods import ExactMethods
from collide.exact.process import Complexes, Element, Instrument, Ints, Process, Unitary, embed
from collide.exchange import (
    COMPLETENESS,
    Outcomes,
    collide_with_finite,
    completeness_error,
    exchange_on_ladder,
    read_ancillas,
    sparse_unitary,
)
from collide.gates import strang_gates
from collide.operators import Space, as_dims, as_hermitian, as_operator
from collide.weak_limit import weak_channels

CONSTRUCTIONS = ("split", "alternating", "sequential", "joint", "matched", "gates")


@dataclass(frozen=True, eq=False)
class Collision:
    r"""One ancilla's encounter with the system, of strength :math:`\sqrt{\gamma/\tau}` for a time tau.

    Parameters
    ----------
    bath : Bath or str
        Whose ancilla it is.  A name instead of a Bath is for ancillas with given, non-thermal populations: their
        entropy per exchange is then ln(p_n / p_m).
    coupling : (k, k) or (k a, k a) operator
        On the k levels of the sites `on`: the operator s of the exchange s b^dagger + s^dagger b.  On those levels
        times the a levels of the ancilla: the whole Hermitian interaction.
    on : int or sequence of int
        Sites it acts on, in the order of the tensor factors of `coupling`.
    ancilla : Ancilla
    rate : float
        gamma > 0; the angle of the exchange is sqrt(gamma tau).
    """

    bath: Bath | str
    coupling: Any
    on: int | Sequence[int]
    ancilla: Ancilla
    rate: float

    def __post_init__(self) -> None:
        if not (self.rate > 0 and math.isfinite(self.rate)):
            raise ValueError(f"`rate` of the collision with bath {self.name!r} must be positive, but is {self.rate}")
        if isinstance(self.bath, Bath) and not _is_thermal(self.ancilla, self.bath.beta):
            raise ValueError(
                f"the ancilla of bath {self.name!r} is not thermal at beta = {self.bath.beta:g}: take"
                " bath.ancilla(omega), or"
                " name the bath by a string to count its entropy by ln(p_n / p_m)"
            )

    @property
    def name(self) -> str:
        """Name of the bath."""
        return self.bath.name if isinstance(self.bath, Bath) else self.bath

    @property
    def beta(self) -> float:
        """Inverse temperature, nan without one."""
        return self.bath.beta if isinstance(self.bath, Bath) else math.nan

    @property
    def sites(self) -> tuple[int, ...]:
        """Sites as a tuple."""
        return (int(self.on),) if isinstance(self.on, int | np.integer) else tuple(int(i) for i in self.on)


class CollisionModel(ExactMethods):
    r"""A system hit by fresh ancillas, exactly, at any duration tau of a collision.

    Parameters
    ----------
    H : (d, d) operator
        System Hamiltonian.
    collisions : sequence of Collision or Channel
        One period, in order.  A `Channel` acts for tau at the end of the period (all channels together).
    tau : float
        Duration of a period.
    dims : sequence of int or Space, optional
        Dimensions of the sites; by default those of a QuTiP `H`, else one site.
    construction : str
        - "split": exp(-i H tau), then every exchange by itself with all bare rotations dropped (cheapest, closest to
        the
          Lindblad limit; oscillator ancillas untruncated);
        - "alternating": the same with exp(-i H tau / n) before each of the n collisions;
        - "sequential": collision i is exp(-i tau [(H + H_i)/n + sqrt(gamma/tau) V_i]);
        - "joint": all ancillas at once, exp(-i tau [H + sum H_i + sqrt(gamma/tau) V_i]);
        - "matched": split with cos(theta) = exp(-gamma tau / 2), for which an exchange with a two-level ancilla *is*
          exp(tau D) on a qubit, and the error of a period O(tau^2);
        - "gates": split with gates exp(-i h_{j,j+1} tau) between neighbours in place of exp(-i H tau), in the symmetric
          order exp(-i B tau/2) exp(-i A tau) exp(-i B tau/2) of even bonds A and odd bonds B: another map, O(tau^3)
          away from split in a period, that needs no operator on more than two sites (chains to a dozen qubits).

    Raises
    ------
    ValueError
        With a sentence that names the argument, its shape or value, and the remedy.

    Examples
    --------
    >>> from collide import Bath, CollisionModel, Collision, Space, qubit
    >>> from collide.operators import lowering
    >>> space = Space(qubit(), qubit())
    >>> H = space.number(0) + space.number(1) + 0.05 * space.exchange(0, 1)
    >>> hot, cold = Bath("L", temperature=1.0), Bath("R", temperature=0.3)
    >>> ends = [Collision(hot, lowering(2), 0, hot.ancilla(1.0), 0.04),
    ...         Collision(cold, lowering(2), 1, cold.ancilla(1.0), 0.08)]
    >>> model = CollisionModel(H, ends, tau=0.5, dims=space)
    >>> round(model.heat_currents()["L"], 6)
    0.00582
    """

    def __init__(
        self,
        H: Any,
        collisions: Sequence[Collision | Channel],
        tau: float,
        *,
        dims: Sequence[int] | Space | None = None,
        construction: str = "split",
    ) -> None:
        self.H = as_hermitian(H, "H")
        self.dims = as_dims(dims, H, self.H.shape[0])
        self._cut = (
            [f"site {k} {site.kind} cut to {site.dim} levels" for k, site in enumerate(dims.sites) if site.truncated]
            if isinstance(dims, Space)
            else []
        )
        if not (tau > 0 and math.isfinite(tau)):
            raise ValueError(f"`tau` must be positive, but is {tau}")
        if construction not in CONSTRUCTIONS:
            raise ValueError(f"`construction` must be one of {CONSTRUCTIONS}, but is {construction!r}")
        self.tau = float(tau)
        self.construction = construction
        self.collisions = tuple(item for item in collisions if isinstance(item, Collision))
        self.channels = tuple(item for item in collisions if isinstance(item, Channel))
        if len(self.collisions) + len(self.channels) < len(collisions) or not collisions:
            raise ValueError("`collisions` must be a non-empty list of Collision and Channel objects")
        self._couplings = [_coupling(collision, self.dims) for collision in self.collisions]
        self.process = self._build()

    def __repr__(self) -> str:
        table = self.process.counts
        outcomes = sum(len(e.kraus) for e in self.process.elements if isinstance(e, Instrument))
        lines = [f"CollisionModel: d = {self.process.d}, sites {self.dims}, tau = {self.tau:g}, {self.construction}"]
        lines += [f"  bath {name}: beta = {beta:g}" for name, beta in zip(table.baths, table.beta, strict=True)]
        lines += [f"  {', '.join(self._cut)}"] if self._cut else []
        neglected = max((c.ancilla.neglected for c in self.collisions), default=0.0)
        lines.append(
            f"  {outcomes} ancilla outcomes, {len(table)} heat values, neglected ancilla population {neglected:.2g}"
        )
        return "\n".join(lines)

    def check(self) -> BalanceReport:
        """Sentences on temperatures, energy conservation of the couplings, their strength, and the steady state."""
        return report_encounters(self)

    # ---------------------------------------------------------------- one period

    def _build(self) -> Process:
        book = CountBook()
        slots = [book.bath(collision.name, collision.beta) for collision in self.collisions]
        booked = book_channels(self.channels, self.H.shape[0], book)
        elements = self._joint(book, slots) if self.construction == "joint" else self._in_turn(book, slots)
        nbaths = len(book.baths)
        padded = [_pad(e, nbaths) for e in elements]
        if self.channels:
            padded.append(booked.flow(sp.csr_array(self.H.shape, dtype=complex), nbaths, self.tau))
        return Process(self.dims, self.H, tuple(padded), book.table(), self.tau, booked.loads)

    def _in_turn(self, book: CountBook, slots: list[int]) -> list[Element]:
        """All periods but joint ones: one ancilla after the other."""
        share = max(len(self.collisions), 1)
        free = self._free(self.tau / (share if self.construction == "alternating" else 1))
        elements: list[Element] = []
        for position, (collision, slot) in enumerate(zip(self.collisions, slots, strict=True)):
            if self.construction == "sequential":
                outcomes, sites = self._on_everything([position], 1.0 / share), tuple(range(len(self.dims)))
            else:
                if position == 0 or self.construction == "alternating":
                    elements += free
                outcomes, sites = self._by_itself(position), collision.sites
            elements.append(_instrument(outcomes, sites, [collision], [slot], book))
        return elements or free

    def _free(self, duration: float) -> list[Element]:
        """Evolution without ancillas: one unitary, or gates between neighbours."""
        if self.construction == "gates":
            return list(strang_gates(self.H, self.dims, duration))
        return [Unitary(sparse_unitary(self.H, duration))]

    def _joint(self, book: CountBook, slots: list[int]) -> list[Element]:
        """All ancillas at once."""
        outcomes = self._on_everything(list(range(len(self.collisions))), 1.0)
        return [_instrument(outcomes, tuple(range(len(self.dims))), list(self.collisions), slots, book)]

    def _by_itself(self, position: int) -> Outcomes:
        """One exchange on its own sites, bare rotations dropped."""
        collision, coupling = self.collisions[position], self._couplings[position]
        angle = math.sqrt(collision.rate * self.tau)
        if self.construction == "matched":
            _need_two_levels(collision, coupling)
            angle = math.acos(math.exp(-collision.rate * self.tau / 2))
        if collision.ancilla.ladder:
            return exchange_on_ladder(coupling, collision.ancilla, angle)
        return collide_with_finite(coupling, collision.ancilla, angle)

    def _on_everything(self, positions: list[int], share: float) -> Outcomes:
        """exp(-i tau [share (H + H_B) + sum sqrt(gamma/tau) V]) on the system and the ancillas at `positions`."""
        chosen = [self.collisions[i] for i in positions]
        for collision in chosen:
            if collision.ancilla.ladder:
                raise ValueError(
                    f"construction={self.construction!r} needs a truncated oscillator ancilla for bath"
                    f" {collision.name!r}: make"
                    " it with bath.ancilla(omega, levels=...), or use construction='split'"
                )
        dims = self.dims + tuple(len(c.ancilla) for c in chosen)
        nsites = len(self.dims)
        total = embed(self.H, range(nsites), dims) * share
        for k, (position, collision) in enumerate(zip(positions, chosen, strict=True)):
            total = total + embed(np.diag(collision.ancilla.energies), [nsites + k], dims) * share
            V = embed(self._couplings[position], (*collision.sites, nsites + k), dims)
            total = total + V * math.sqrt(collision.rate / self.tau)
        prior: Any = np.ones(1)
        for collision in chosen:
            prior = np.kron(prior, collision.ancilla.populations)
        return read_ancillas(sparse_unitary(sp.csr_array(total), self.tau), prior)

    # ---------------------------------------------------------------- the limit tau -> 0

    def lindblad_limit(self) -> Any:
        r"""The Lindblad equation to which the model tends as tau -> 0, derived from the ancillas' moments.

        To second order in :math:`\sqrt{\gamma/\tau}\,V\tau` a collision adds
        :math:`\gamma\tau(\mathrm{Tr}_A[V\rho\rho_A V]-\frac12\{\ldots\})`; resolved by the ancilla's outcomes its jump
        operators are :math:`\sqrt{\gamma p_n}\langle m|V|n\rangle`, brought to their smallest number for each heat
        value.

        Returns
        -------
        LindbladModel

        Raises
        ------
        ValueError
            If Tr_A[V rho_A] is not zero: the first order then grows like tau^(-1/2).
        """
        from collide.lindblad import LindbladModel  # a sibling that never imports this module

        channels: list[Channel] = []
        for collision, coupling in zip(self.collisions, self._couplings, strict=True):
            channels += weak_channels(
                collision.bath, coupling, collision.ancilla, collision.rate, collision.sites, self.dims
            )
        return LindbladModel(self.H, [*channels, *self.channels], dims=self.dims)


def _is_thermal(ancilla: Ancilla, beta: float) -> bool:
    if math.isinf(beta):
        return bool(np.all(ancilla.populations[ancilla.energies > ancilla.energies.min()] == 0))
    with np.errstate(under="ignore"):
        weights = np.exp(-beta * (ancilla.energies - (ancilla.energies.min() if beta >= 0 else ancilla.energies.max())))
    return bool(np.allclose(weights / weights.sum(), ancilla.populations, rtol=1e-9, atol=1e-300))


def _coupling(collision: Collision, dims: tuple[int, ...]) -> Complexes:
    """The operator s of an exchange with an untruncated ladder; else the Hermitian interaction on sites x ancilla."""
    nsites = len(dims)
    if any(not 0 <= site < nsites for site in collision.sites) or len(set(collision.sites)) < len(collision.sites):
        raise ValueError(
            f"`on` {collision.sites} of bath {collision.name!r} must be different sites from 0 to {nsites - 1}"
        )
    ancilla = collision.ancilla
    k = int(np.prod([dims[site] for site in collision.sites]))
    both = k * len(ancilla)
    coupling = as_operator(collision.coupling, "coupling")
    if coupling.shape[0] == k:
        s = coupling.toarray()
        if ancilla.ladder:
            return s
        exchange = np.kron(s, ancilla.lower.conj().T)
        return exchange + exchange.conj().T
    if coupling.shape[0] == both and not ancilla.ladder:
        return as_hermitian(coupling, "coupling").toarray()
    whole = "" if ancilla.ladder else f", or ({both}, {both}) for sites and ancilla together"
    raise ValueError(
        f"`coupling` of bath {collision.name!r} must have shape ({k}, {k}) for the sites {collision.sites}{whole},"
        f" but has shape {coupling.shape}"
    )


def _need_two_levels(collision: Collision, coupling: Complexes) -> None:
    """A matched angle is exact for qubit on qubit and for oscillator on oscillator."""
    qubits = not collision.ancilla.ladder and len(collision.ancilla) == 2 and len(coupling) == 4
    oscillators = collision.ancilla.ladder and len(coupling) > 2
    if not (qubits or oscillators):
        raise ValueError(
            "construction='matched' makes a collision exact for a qubit with a two-level ancilla or an"
            " oscillator with an"
            f" oscillator ancilla, but bath {collision.name!r} is neither: use statistics='spin', or"
            " construction='split'"
        )


def _instrument(
    outcomes: Outcomes, sites: tuple[int, ...], collisions: list[Collision], slots: list[int], book: CountBook
) -> Instrument:
    """Label every outcome by the row of counts of each ancilla's heat, and check that probabilities sum to one."""
    error = completeness_error(outcomes.kraus)
    if error > COMPLETENESS:
        raise ValueError(f"the Kraus operators of bath {collisions[0].name!r} miss completeness by {error:.3g}")
    sizes = [len(c.ancilla) for c in collisions]
    counts = np.full((len(outcomes.kraus), max(slots) + 1), -1, dtype=np.int64)
    # a single ancilla's last level may lie above the ladder, so only several ancillas are unravelled
    many = len(collisions) > 1
    firsts = np.unravel_index(outcomes.first, sizes) if many else (outcomes.first,)
    lasts = np.unravel_index(outcomes.last, sizes) if many else (outcomes.last,)
    for collision, slot, n, m in zip(collisions, slots, firsts, lasts, strict=True):
        counts[:, slot] = _rows(collision, slot, np.asarray(n), np.asarray(m), book)
    return Instrument(sites, outcomes.kraus, counts, outcomes.prior, outcomes.first, outcomes.last)


def _rows(collision: Collision, slot: int, n: Ints, m: Ints, book: CountBook) -> Ints:
    """Row of counts for each transition n -> m of one ancilla."""
    ancilla = collision.ancilla
    heat = ancilla.energy(n) - ancilla.energy(m)
    scale = max(float(np.abs(ancilla.energies).max()), 1e-300)
    heat[np.abs(heat) <= 1e-12 * scale] = 0.0
    thermal = not math.isnan(collision.beta)
    if thermal:
        with np.errstate(invalid="ignore"):
            entropy = np.where(heat == 0, 0.0, -collision.beta * heat)
    else:
        with np.errstate(divide="ignore"):
            entropy = np.log(ancilla.populations[n]) - np.log(ancilla.populations[m])
    charge = ancilla.charge(heat)
    rows = np.empty(len(n), dtype=np.int64)
    values, which = np.unique(np.round(np.stack([heat, entropy, charge]) / scale, 10), axis=1, return_inverse=True)
    for group in range(values.shape[1]):
        members = which.reshape(-1) == group
        one = int(np.flatnonzero(members)[0])
        rows[members] = book.row(slot, float(heat[one]), int(charge[one]), float(entropy[one]))
    return rows


def _pad(element: Element, nbaths: int) -> Element:
    """Give an instrument's counts one column for each bath of the model."""
    if not isinstance(element, Instrument) or element.counts.shape[1] == nbaths:
        return element
    counts = np.full((len(element.counts), nbaths), -1, dtype=np.int64)
    counts[:, : element.counts.shape[1]] = element.counts
    return Instrument(element.sites, element.kraus, counts, element.prior, element.first, element.last)
