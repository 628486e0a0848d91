"""Kraus operators kept sparse are the dense ones: same map, same statistics, same way back from a file."""

import numpy as np
import pytest

from collide import Bath, Collision, CollisionModel, Space, exchange, qubit
from collide.exact.flat import flatten, unflatten
from collide.exact.reduced import Reduced
from collide.exact.reversal import reversed_process
from collide.exact.stacked import SparseStack
from collide.exact.superoperator import minimal_kraus
from collide.operators import lowering


def joint(limit, monkeypatch):
    """Two qubits hit by two oscillators at once, Kraus operators dense up to `limit` entries."""
    monkeypatch.setattr(exchange, "DENSE_ENTRIES", limit)
    space = Space(qubit(), qubit())
    H = 1.3 * space.number(0) + space.number(1) + 0.3 * space.exchange(0, 1)
    hot, cold = Bath("L", beta=0.9), Bath("R", beta=2.5)
    ends = [
        Collision(hot, lowering(2), 0, hot.ancilla(1.3, 18), 0.3),
        Collision(cold, lowering(2), 1, cold.ancilla(1.0, 8), 0.7),
    ]
    return CollisionModel(H, ends, tau=0.4, dims=space, construction="joint")


def test_sparse_and_dense_describe_the_same_collision(monkeypatch):
    dense, sparse = joint(1 << 30, monkeypatch), joint(0, monkeypatch)
    assert isinstance(sparse.process.elements[0].kraus, SparseStack)
    assert isinstance(dense.process.elements[0].kraus, np.ndarray)
    assert np.allclose(sparse.steady_state(), dense.steady_state(), atol=1e-14)
    assert sparse.heat_cumulants("L", 4) == pytest.approx(dense.heat_cumulants("L", 4), rel=1e-10)
    for a, b in zip(Reduced(sparse.process).step_matrices, Reduced(dense.process).step_matrices, strict=True):
        assert np.allclose(a, b, atol=1e-15)


def test_sparse_operators_one_by_one_and_in_groups(monkeypatch):
    dense, sparse = (joint(limit, monkeypatch).process.elements[0].kraus for limit in (1 << 30, 0))
    assert sparse.shape == dense.shape
    assert len(sparse) == len(dense) == sum(1 for _ in sparse)
    for t in (0, 7, len(dense) - 1):
        assert np.array_equal(sparse[t].toarray(), dense[t])
    some = np.arange(len(dense)) % 3 == 1
    assert np.array_equal(np.array([k.toarray() for k in sparse[some]]), dense[some])
    factor = np.linspace(0.5, 2, len(dense))
    adjoint = np.array([k.toarray() for k in sparse.adjoint(factor)])
    assert np.allclose(adjoint, dense.conj().transpose(0, 2, 1) * factor[:, None, None], atol=0)
    assert np.allclose(sparse.completeness(), np.eye(4), atol=1e-13)


def test_fewest_sparse_operators_make_the_same_map(monkeypatch):
    stack = joint(0, monkeypatch).process.elements[0].kraus
    few = minimal_kraus(stack)
    rng = np.random.default_rng(3)
    X = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    mapped = [sum(k.toarray() @ X @ k.toarray().conj().T for k in operators) for operators in (stack, few)]
    assert len(few) < len(stack) / 10
    assert np.allclose(*mapped, atol=1e-13)


def test_sparse_collisions_travel_and_run_backwards(monkeypatch):
    dense, sparse = joint(1 << 30, monkeypatch).process, joint(0, monkeypatch).process
    back = unflatten(flatten(sparse))
    assert np.array_equal(back.elements[0].kraus.flat.toarray(), sparse.elements[0].kraus.flat.toarray())
    there, here = (Reduced(reversed_process(p)).base for p in (dense, sparse))
    assert np.allclose(there, here, atol=1e-14)
