"""The seam: a model becomes a `Program`, and below it there is nothing but arrays.

``compile_program`` ends the world of objects: exponentials, eigenbases, invariant blocks and tables are made here,
once. ``run_chunk`` is a pure function of (program, seed, ids); everything that runs, stores or resumes ensembles calls
only it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
import scipy.sparse as sp

from collide.compile_collisions import collision_arrays
from collide.compile_events import event_arrays, not_by_events
from collide.compile_jumps import jump_arrays
from collide.compile_wide import gate_arrays, plan_gates, wide_jump_arrays
from collide.engines import ENGINES
from collide.exact.ends import Ends
from collide.exact.flat import StoredModel, flatten
from collide.exact.measurements import Outcomes
from collide.exact.process import Process
from collide.ledger import entropy_of_loads, settle
from collide.protocol import MOST_STATES, Protocol, is_product, make_protocol
from collide.quadrature import load_quadrature
from collide.quadrature import sentence as quadrature_sentence
from collide.records import Chunk, Field
from collide.replay import Path, replay

__all__ = ["Path", "Program", "compile_program", "replay", "run_chunk"]

Arrays = dict[str, NDArray[Any]]

ABOUT = {"recipe", "explanation", "load_quadrature"}  # what `Program.meta` tells about a program without being of it
STATE_LIMIT = 16  # largest dimension for which the averaged state is summed at every stop


@dataclass(frozen=True, eq=False)
class Program:
    """A compiled ensemble, reduced to the arrays a loop can read.

    Attributes
    ----------
    kind : str
        Which kernel reads the arrays: "events", "collisions" (all labels) or "jumps"; for large systems "gates" or
        "sparse_jumps".
    arrays : dict of arrays
        Everything that decides the numbers.
    meta : dict
        Names and choices, plain enough for JSON; ``meta["recipe"]`` (machine name and parameters),
        ``meta["explanation"]`` and ``meta["load_quadrature"]`` (what the heat of a load may be off by, see
        `collide.quadrature`) do not enter the identity.
    model : dict of arrays
        The resolved model (`collide.exact.flat.flatten`), so that a file can be judged against its exact side.
    """

    kind: str
    arrays: Arrays
    meta: dict[str, Any]
    model: Arrays = field(default_factory=dict)

    @classmethod
    def from_arrays(
        cls,
        kind: str,
        arrays: Mapping[str, NDArray[Any]],
        meta: Mapping[str, Any],
        model: Mapping[str, NDArray[Any]] | None = None,
    ) -> "Program":
        """Put a program together again, for example from a file."""
        contiguous = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
        return cls(str(kind), contiguous, dict(meta), dict(model or {}))

    @cached_property
    def exact(self) -> StoredModel:
        """The exact side of the model this program was compiled from.

        Raises
        ------
        ValueError
            If the program was put together without its model.
        """
        if not self.model:
            raise ValueError("this program carries no model, so there is nothing exact to compare with")
        if not self.arrays["final_kets"].size:
            raise ValueError(f"this system has {self.d} levels, too many for an exact side: judge it by a smaller one")
        return StoredModel(self.model)

    @cached_property
    def ends(self) -> Ends:
        """The opening and closing measurements, as the exact side takes them."""
        a = self.arrays
        return Ends(float(self.tlist[-1]), a["initial_kets"], a["initial_p"], a["final_kets"], a["final_p"])

    @cached_property
    def identity(self) -> str:
        """sha256 of everything that decides the numbers."""
        digest = hashlib.sha256(self.kind.encode())
        for name in sorted(self.arrays):
            value = np.ascontiguousarray(self.arrays[name])
            digest.update(f"{name} {value.dtype.str} {value.shape}".encode() + value.tobytes())
        decisive = {key: self.meta[key] for key in sorted(self.meta) if key not in ABOUT}
        digest.update(json.dumps(decisive, sort_keys=True).encode())
        return digest.hexdigest()

    @property
    def tlist(self) -> NDArray[np.float64]:
        """(ntime,) times of the stops; the last one is the end."""
        return self.arrays["tlist"]

    @property
    def ntime(self) -> int:
        """Number of stops."""
        return len(self.tlist)

    @property
    def baths(self) -> tuple[str, ...]:
        """Names of the baths."""
        return tuple(self.meta["baths"])

    @property
    def e_ops(self) -> tuple[str, ...]:
        """Names of the observables."""
        return tuple(self.meta["e_ops"])

    @property
    def keep(self) -> tuple[str, ...]:
        """What is kept of each trajectory."""
        return tuple(self.meta["keep"])

    @property
    def d(self) -> int:
        """Dimension of the system's Hilbert space."""
        return int(self.meta["d"])

    def columns(self) -> tuple[Field, ...]:
        """Columns per trajectory."""
        nbaths, ncounts = len(self.baths), len(self.arrays["count_bath"])
        fields = [
            Field("initial", "i4", (), (), "1", "outcome of the opening measurement"),
            Field("final", "i4", (), (), "1", "outcome of the closing measurement"),
            Field("counts", "i4", ("count",), (ncounts,), "1", "exchanges of each (bath, heat value)"),
            Field("heat", "f8", ("bath",), (nbaths,), "energy", "heat into the system from each bath"),
            Field("energy_change", "f8", (), (), "energy", "<f|H|f> - <i|H|i>"),
            Field("work", "f8", (), (), "energy", "energy_change minus all heat"),
            Field("closing_energy", "f8", (), (), "energy", "what the closing measurement adds, <f|H|f> - <psi|H|psi>"),
            Field(
                "entropy_production",
                "f8",
                (),
                (),
                "k_B",
                "ln p_0(i) - ln p_tau(f) - sum of beta times heat (+ c_0 t with a load)",
            ),
            Field("status", "u1", (), (), "1", "0 where the trajectory is sound"),
        ]
        if loads := self.meta.get("loads"):
            meaning = "work of each load: what its channels change of H beside its heat"
            fields.append(Field("load_work", "f8", ("load",), (len(loads),), "energy", meaning))
        if "final_state" in self.keep:
            fields.append(Field("final_state", "c16", ("level",), (self.d,), "1", "ket before the closing measurement"))
        return tuple(fields)

    def partials(self) -> tuple[Field, ...]:
        """Sums over the trajectories of a chunk."""
        nbaths, nops, ntime = len(self.baths), len(self.e_ops), self.ntime
        pairs = nbaths * (nbaths - 1) // 2
        fields = [
            Field("expect_sum", "f8", ("time", "e_op", "power"), (ntime, nops, 2), "1", "sums of <A> and <A>^2"),
            Field(
                "heat_power_sums",
                "f8",
                ("time", "bath", "order"),
                (ntime, nbaths, 4),
                "energy^k",
                "sums of heat^k, k = 1..4",
            ),
            Field(
                "heat_pair_sums",
                "f8",
                ("time", "pair"),
                (ntime, pairs),
                "energy^2",
                "sums of products of two baths' heats",
            ),
        ]
        if self.meta["sum_states"]:
            fields.append(
                Field("rho_sum", "c16", ("time", "row", "column"), (ntime, self.d, self.d), "1", "sum of |psi><psi|")
            )
        return tuple(fields)

    def ragged(self) -> tuple[Field, ...]:
        """Flat columns with one entry per recorded exchange."""
        if "jumps" not in self.keep:
            return ()
        return (
            Field("jump_time", "f8", (), (), "time", "when the exchange happened (a collision: the end of its period)"),
            Field("jump_channel", "i4", (), (), "1", "which channel, or which ancilla outcome"),
        )

    def __repr__(self) -> str:
        a = self.arrays
        return "\n".join(
            [
                f"Program of kind {self.kind!r}, {self.meta.get('recipe', {}).get('machine', 'a model')},"
                f" identity {self.identity[:12]}",
                f"  d = {self.d}, baths {', '.join(self.baths)}, {len(a['count_bath'])} counts, end at t ="
                f" {self.tlist[-1]:g}",
                f"  {self.meta['explanation']}",
            ]
        )


def compile_program(
    model: Any,
    tlist: ArrayLike,
    *,
    initial: Any = "steady",
    closing: Any = None,
    e_ops: Mapping[str, Any] | Sequence[Any] | None = None,
    keep: Sequence[str] = ("totals",),
    labels: str = "heat",
    recipe: Mapping[str, Any] | None = None,
) -> Program:
    """Turn a model and a protocol into a program.

    Parameters
    ----------
    model : CollisionModel or LindbladModel
    tlist : float or (ntime,) array_like
        Times at which averages are taken, ascending; the last one ends the trajectory.  A number stands for [number].
        In a collision model they are multiples of tau.
    initial : str, ket or state
        "steady" (default), ("thermal", beta), ("product", populations of the levels of each site), a ket (d,) or a
        state (d, d).  Beyond 512 levels only kets and products.
    closing : optional
        Basis of the closing measurement: None for the eigenbasis of the exact averaged final state; a state, whose
        eigenbasis is taken; a unitary, whose columns are; "product" for the basis in which the model is written;
        ("product", populations) for the same with a reference in place of the averaged final state: the entropy
        production is then ln p_0(i) - ln p_ref(f) - sum of beta times heat, for which <exp(-Sigma)> = 1 holds just the
        same.  Beyond 512 levels only the last two, and with "product" alone the entropy production is nan.
    e_ops : mapping or sequence of (d, d) operators
        Observables averaged on `tlist`.
    keep : sequence of str
        "totals" always; "jumps" (times and channels), "final_state".
    labels : {"heat", "all"}
        Collisions: "heat" tells a period's outcomes apart by what is counted and goes from one event to the next; "all"
        draws every outcome n -> m of every ancilla.  The joint law of counts, opening and closing outcomes is the same,
        hence that of heat, work and entropy production; which null outcome an ancilla had stays unread with "heat".

    Returns
    -------
    Program
    """
    protocol = make_protocol(model, tlist, initial, closing, e_ops, keep, labels)
    process = model.process
    kind, arrays, explanation = _compile(process, protocol)
    table, first = process.counts, protocol.opening
    final = protocol.closing or Outcomes(np.zeros((0, process.d), dtype=complex), np.full(process.d, np.nan))
    arrays |= {
        "tlist": protocol.tlist,
        "count_bath": table.bath,
        "count_quantum": table.quantum,
        "count_entropy": table.entropy,
        "count_charge": table.charge,
        "beta": table.beta,
        "initial_p": first.p,
        "final_p": final.p,
        "initial_lnp": log_probabilities(first.p),
        "final_lnp": log_probabilities(final.p),
        "initial_kets": np.zeros((0, process.d), complex) if sp.issparse(first.kets) else first.kets,
        "final_kets": final.kets,
        "H": process.H.toarray() if final.kets.size else np.zeros((0, 0), dtype=complex),
        "rho_initial": protocol.rho_initial,
        "rho_final": protocol.rho_final,
    }
    offset, note = entropy_of_loads(process, float(protocol.tlist[-1]), protocol.rho_initial, protocol.rho_final)
    loads = [table.baths[load.bath] for load in process.loads]
    errors = load_quadrature(arrays, loads) if kind == "jumps" else {}
    notes = [text for text in (explanation, quadrature_sentence(errors), note) if text]
    meta = {
        "baths": list(table.baths),
        "e_ops": list(protocol.e_ops),
        "keep": list(protocol.keep),
        "labels": "all" if kind == "collisions" else protocol.labels,
        "d": process.d,
        "dims": list(process.dims),
        "tau": process.tau,
        "sum_states": process.d <= STATE_LIMIT,
        "loads": loads,
        "load_quadrature": errors,
        "entropy_of_loads": offset,
        "recipe": dict(recipe or getattr(model, "recipe", {})),
        "explanation": "; ".join(notes),
    }
    return Program.from_arrays(kind, arrays, meta, flatten(process))


def _compile(process: Process, protocol: Protocol) -> tuple[str, Arrays, str]:
    """Kind and arrays of the program, and the sentence that says what will run and why."""
    if process.tau is None and process.d > MOST_STATES and not process.loads:
        return ("sparse_jumps", *wide_jump_arrays(process, protocol))
    if process.tau is not None and (plan := plan_gates(process, protocol, MOST_STATES)):
        return ("gates", *gate_arrays(process, protocol, plan))
    protocol = _with_dense_kets(protocol)
    if process.tau is None:
        return ("jumps", *jump_arrays(process, protocol))
    if protocol.labels == "all":
        return ("collisions", *collision_arrays(process, protocol))
    reason = not_by_events(process)
    if not reason:
        return ("events", *event_arrays(process, protocol))
    arrays, explanation = collision_arrays(process, protocol)
    return "collisions", arrays, f"{explanation}; every label is drawn, because {reason}"


def _with_dense_kets(protocol: Protocol) -> Protocol:
    """The same protocol for compilers that read dense kets, or none where the basis is the product basis."""
    if not sp.issparse(protocol.opening.kets):
        return protocol
    kets: Any = protocol.opening.kets
    opening = Outcomes(kets.toarray(), protocol.opening.p)
    return protocol._replace(opening=opening, closing=None if is_product(protocol.closing) else protocol.closing)


def log_probabilities(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln p, -inf at zero; taken once here because logarithms differ in the last bit between machines."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p))


def run_chunk(program: Program, seed: int, start: int, stop: int) -> Chunk:
    """Run trajectories ``start`` ... ``stop - 1``: a pure function, the same bits however the ids are split.

    Parameters
    ----------
    program : Program
    seed : int
        0 <= seed < 2**64.
    start, stop : int
        Ids, 0 <= start < stop < 2**64.

    Returns
    -------
    Chunk
    """
    if not (0 <= seed < 2**64 and 0 <= start < stop <= 2**64):
        raise ValueError(
            f"`seed` must lie in [0, 2**64) and ids ascend within it, but seed = {seed}, start = {start}, stop = {stop}"
        )
    return settle(program, start, stop, ENGINES[program.kind](program, seed, start, stop))
