"""Averaged states of a few levels, by the Liouvillian written down whole: those of the sectors' coordinates."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from collide import Channel, LindbladModel
from collide.exact.process import Flow
from collide.exact.quick import QUICK, averaged
from collide.program import compile_program
from random_models import random_hermitian, random_state
from systems import jump_pair


def flow_of(model: LindbladModel) -> Flow:
    (flow,) = model.process.elements
    assert isinstance(flow, Flow)
    return flow


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(2, QUICK), t=st.floats(0.0, 1e4))
def test_states_are_those_of_the_exact_side(seed: int, d: int, t: float) -> None:
    rng = np.random.default_rng(seed)
    ops = [(rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))) * (rng.random((d, d)) < 0.5) for _ in range(2)]
    channels = [Channel(op, 0.3, 1.0, "b", "irreversible", charge=k + 1) for k, op in enumerate(ops)]
    model = LindbladModel(random_hermitian(rng, d), channels)
    rho = random_state(rng, d)
    found = averaged(flow_of(model), rho, t)
    assert np.abs(found - model.evolve(rho, [t])[0]).max() < 1e-11
    assert np.trace(found) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("t", [0.0, 3.0, 5000.0, 1e7])
def test_what_is_never_reached_stays_zero(t: float) -> None:
    """Two qubits from their ground state: five elements stay out of reach on each side of the diagonal."""
    model, rho = jump_pair(), np.diag([1.0, 0, 0, 0]).astype(complex)
    found = averaged(flow_of(model), rho, t)
    assert np.count_nonzero(np.triu(found, 1)) == (t > 0)
    assert found[1, 2].real == 0
    assert np.abs(found - model.evolve(rho, [t])[0]).max() < 1e-13


def test_programs_close_in_the_eigenbasis_of_this_state() -> None:
    model, ket = jump_pair(), np.array([0.6, 0, 0.8, 0])
    program = compile_program(model, 7.0, initial=ket)
    exact = model.evolve(ket, [7.0])[0]
    assert np.abs(program.arrays["rho_final"] - exact).max() < 1e-14
    kets, p = program.arrays["final_kets"], program.arrays["final_p"]
    assert np.abs(np.einsum("f,fa,fb->ab", p, kets, kets.conj()) - exact).max() < 1e-13
