"""Sites, composite spaces, and what happens to operators that are not operators."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import qutip
import scipy.sparse as sp

from collide import Space, oscillator, qubit, rotor
from collide.exact.process import embed
from collide.operators import as_hermitian, as_operator, as_state, lowering


def test_pauli_algebra_and_upper_level() -> None:
    space = Space(qubit())
    x, y, z = (op(0).toarray() for op in (space.sx, space.sy, space.sz))
    assert np.allclose(x @ y - y @ x, 2j * z)
    assert np.allclose(z @ space.basis(1), space.basis(1))
    assert np.allclose(space.number(0).toarray(), (z + np.eye(2)) / 2)


def test_rotor_raises_angular_momentum() -> None:
    space = Space(rotor(-2, 3))
    up, L = space.e_plus(0).toarray(), space.L_z(0).toarray()
    assert np.allclose(up @ space.basis(-2), space.basis(-1))
    assert np.allclose(up @ L - L @ up, -up)  # [e^{i phi}, L_z] = -e^{i phi} (Leitch et al. 2024)
    assert np.allclose(up @ space.basis(3), 0)


def test_oscillator_commutator_but_for_the_top() -> None:
    a = lowering(6)
    assert np.allclose(np.diag(a @ a.conj().T - a.conj().T @ a), [1, 1, 1, 1, 1, -5])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_embedding_equals_the_tensor_product(data: st.DataObject) -> None:
    dims = data.draw(st.lists(st.integers(2, 3), min_size=1, max_size=4))
    sites = data.draw(st.permutations(range(len(dims))))[: data.draw(st.integers(1, len(dims)))]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    locals_ = [rng.normal(size=(dims[i], dims[i])) + 1j * rng.normal(size=(dims[i], dims[i])) for i in sites]
    product: Any = np.ones((1, 1))
    for op in locals_:
        product = np.kron(product, op)
    expected: Any = np.ones((1, 1))
    for i, k in enumerate(dims):
        expected = np.kron(expected, locals_[sites.index(i)] if i in sites else np.eye(k))
    assert np.allclose(embed(product, sites, dims).toarray(), expected)


def test_every_kind_of_operator_is_accepted() -> None:
    dense = np.array([[0, 1], [1, 0]])
    for given_as in (dense, sp.csr_array(dense), qutip.Qobj(dense), dense.tolist()):
        assert np.allclose(as_operator(given_as, "A").toarray(), dense)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: as_operator(np.ones((2, 3)), "H"), "`H` must be a square matrix, but has shape (2, 3)"),
        (lambda: as_operator(np.eye(2), "H", 4), "`H` must have shape (4, 4), but has shape (2, 2)"),
        (lambda: as_operator([[np.nan]], "H"), "`H` has entries that are not finite"),
        (lambda: as_hermitian([[0, 1], [0, 0]], "H"), "`H` must be Hermitian, but differs from its adjoint by 1"),
        (lambda: as_state([2.0, 0.0], "rho", 2), "`rho` must be a normalised ket, but its squared norm is 4"),
        (lambda: as_state(np.eye(2), "rho", 2), "`rho` must have trace 1, but its trace is 2"),
        (lambda: as_state(np.diag([1.5, -0.5]), "rho", 2), "`rho` must have no negative eigenvalue"),
        (lambda: as_state(np.eye(3), "rho", 2), "`rho` must be a ket of shape (2,) or a state of shape (2, 2)"),
        (lambda: oscillator(1), "`levels` must be at least 2"),
        (lambda: rotor(3, 3), "`l_max` must exceed `l_min`"),
        (lambda: Space(), "`sites` is empty"),
        (lambda: Space(qubit()).L_z(0), "`L_z` needs a rotor, but site 0 is a qubit"),
        (lambda: Space(qubit()).basis(2), "lies outside the space"),
        (lambda: Space(rotor(0, 2)).s(0), "site 0 is a rotor and has no lowering operator"),
    ],
)
def test_messages(call, sentence) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert sentence in str(caught.value)
