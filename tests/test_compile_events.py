"""Heat-resolved operators of a period: at any tilt and any tau the same map as all labels, with fewer operators."""

import numpy as np
import pytest
import scipy.sparse as sp

from collide.compile_events import fewest_operators, resolve_period
from collide.exact.process import Instrument, Unitary, embed
from collide.exact.stacked import SparseStack
from random_models import random_collisions
from systems import collision_pair


def tilted_by_labels(process, w):
    """Superoperator of a period with every outcome weighted by exp(w . counts), label by label."""
    total = np.eye(process.d**2, dtype=complex)
    for element in process.elements:
        part = np.zeros_like(total)
        if isinstance(element, Unitary):
            U = element.matrix.toarray()
            part += np.kron(U, U.conj())
        else:
            assert isinstance(element, Instrument)
            for k, counts in zip(element.kraus, element.counts, strict=True):
                op = embed(k, element.sites, process.dims).toarray()
                part += np.exp(sum(w[row] for row in counts if row >= 0)) * np.kron(op, op.conj())
        total = part @ total
    return total


def tilted_by_events(process, w):
    events = resolve_period(process)
    total = np.kron(events.null.toarray(), events.null.toarray().conj())
    for op, rows in zip(events.ops, events.rows, strict=True):
        total = total + np.exp(sum(w[row] for row in rows if row >= 0)) * np.kron(op.toarray(), op.toarray().conj())
    return total


MODELS = [
    pytest.param(collision_pair(tau, statistics, construction, levels), id=f"{statistics}-{construction}-{tau}")
    for statistics, construction, levels in (
        ("boson", "split", None),
        ("spin", "split", None),
        ("spin", "joint", None),
        ("boson", "joint", 14),
        ("spin", "alternating", None),
    )
    for tau in (0.1, 2.0)
] + [pytest.param(random_collisions(np.random.default_rng(seed)), id=f"random-{seed}") for seed in range(8)]


@pytest.mark.parametrize("model", MODELS)
def test_tilted_map_is_unchanged(model) -> None:
    rng = np.random.default_rng(1)
    n = len(model.process.counts)
    for w in (np.zeros(n), rng.normal(size=n), 1j * rng.normal(size=n)):
        found, expected = tilted_by_events(model.process, w), tilted_by_labels(model.process, w)
        assert np.abs(found - expected).max() < 1e-12 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("tau", [0.1, 2.0])
def test_large_systems_are_put_together_sparse(monkeypatch: pytest.MonkeyPatch, tau: float) -> None:
    """The same operators, but for a phase each."""
    process = collision_pair(tau).process
    dense = resolve_period(process)
    monkeypatch.setattr("collide.compile_events.DENSE", 0)
    sparse = resolve_period(process)
    assert np.array_equal(dense.rows, sparse.rows)
    for one, other in zip((dense.null, *dense.ops), (sparse.null, *sparse.ops), strict=True):
        assert np.allclose(abs(one).toarray(), abs(other).toarray(), rtol=1e-10, atol=1e-14)
    w = np.random.default_rng(1).normal(size=len(process.counts))
    assert np.abs(tilted_by_events(process, w) - tilted_by_labels(process, w)).max() < 1e-12


def test_the_null_operator_takes_nearly_everything_of_weak_collisions() -> None:
    events = resolve_period(collision_pair(0.1).process)
    nothing = np.all(events.rows < 0, axis=1)
    rest = sum(float((abs(op) ** 2).sum()) for op, null in zip(events.ops, nothing, strict=True) if null)
    assert rest < 1e-8
    assert (abs(events.null) ** 2).sum() > 3.9


def test_infinitely_many_labels_become_a_handful_of_operators() -> None:
    process = collision_pair(0.5).process
    labels = sum(len(e.kraus) for e in process.elements if isinstance(e, Instrument))
    assert labels > 100
    assert len(resolve_period(process).ops) < 20


def test_fewest_operators_keep_the_map_and_their_number_is_its_rank() -> None:
    rng = np.random.default_rng(3)
    basis = [rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)) for _ in range(2)]
    many = [sp.csr_array(rng.normal() * basis[0] + rng.normal() * basis[1]) for _ in range(12)]
    few = fewest_operators(many)
    assert len(few) == 2

    def superoperator(ops):
        return sum(np.kron(op.toarray(), op.toarray().conj()) for op in ops)

    assert np.allclose(superoperator(few), superoperator(many), atol=1e-12)


def test_a_stack_of_operators_is_reduced_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the 10^5 labels of two hot oscillators that collide together none becomes a matrix of its own."""
    (instrument,) = [e for e in collision_pair(0.5, "boson", "joint", 16).process.elements if isinstance(e, Instrument)]
    ops = instrument.kraus[(instrument.counts == instrument.counts[-1]).all(axis=1)]
    expected = fewest_operators(list(ops))

    def apart(*_: object) -> None:
        raise AssertionError("the stack is taken apart")

    stack = SparseStack(sp.csr_array(ops.reshape(len(ops), -1)), ops.shape[1])
    monkeypatch.setattr(SparseStack, "__getitem__", apart)
    monkeypatch.setattr(SparseStack, "__iter__", apart)
    few = fewest_operators(stack)
    assert len(few) == len(expected) < len(ops)

    def superoperator(those):
        return sum(np.kron(op, op.conj()) for op in those)

    assert np.allclose(superoperator([op.toarray() for op in few]), superoperator(expected), atol=1e-14)
