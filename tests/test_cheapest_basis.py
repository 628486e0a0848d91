"""The basis with the smallest blocks: bounds that spare a rotation never miss it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from collide import Bath, Channel, LindbladModel, Space, davies, local, oscillator, qubit
from collide.compile_jumps import _bases, _least, cheapest_basis, partition
from collide.ends import Basis
from collide.exact.levels import eigenbasis
from collide.exact.measurements import Outcomes
from collide.exact.process import Flow
from collide.machines import collective_qubits, ising, rectifier, tavis_cummings, xy_chain
from collide.program import compile_program
from collide.protocol import Protocol, make_protocol
from random_models import random_hermitian
from systems import coherent_ket, hamiltonian, jump_pair


def global_pair() -> LindbladModel:
    space = Space(qubit(), qubit())
    H, bath = hamiltonian(0.3), Bath("hot", temperature=1.0, spectral_density=0.1)
    return LindbladModel(H, davies(H, space.sx(0), bath), dims=space)


def driven_cavity(levels: int) -> LindbladModel:
    """Nothing conserved; above 32 levels the operators are sparse."""
    space = Space(qubit(), oscillator(levels))
    H = 0.3 * space.number(1) + 0.8 * space.exchange(0, 1) + 0.5 * space.sx(0)
    bath = Bath("leak", temperature=0.5, spectral_density=0.8)
    return LindbladModel(H, local(space.s(1), 1.0, bath) + local(space.s(0), 1.0, bath), dims=space)


def hidden(levels: int) -> LindbladModel:
    """A random Hamiltonian between global baths: classical in its eigenbasis, and nowhere else."""
    H = random_hermitian(np.random.default_rng(1), levels)
    bath = Bath("hot", beta=0.7, statistics="spin", spectral_density=0.1)
    return LindbladModel(H, davies(H, random_hermitian(np.random.default_rng(2), levels), bath))


def ladder(levels: int = 40) -> LindbladModel:
    """Quanta that come and go one by one, in a random basis."""
    V = np.linalg.qr(random_hermitian(np.random.default_rng(3), levels))[0]
    lower = V @ np.diag(np.sqrt(np.arange(1.0, levels)), 1) @ V.conj().T
    H = V @ np.diag(np.arange(levels) + 0.01 * np.arange(levels) ** 2) @ V.conj().T
    ops = (lower, lower.conj().T)
    return LindbladModel(H, [Channel(op, 0.3, 1.0, "b", "irreversible", charge=k) for k, op in enumerate(ops)])


MODELS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "pair": (jump_pair, {}),
    "pair, a ket": (jump_pair, {"initial": coherent_ket()}),
    "global pair": (global_pair, {}),
    "random levels": (lambda: hidden(5), {}),
    "more random levels": (ladder, {"averaged": True}),
    "cavity": (lambda: driven_cavity(3), {}),
    "larger cavity": (lambda: driven_cavity(20), {"initial": np.eye(40)[0], "closing": "product"}),
    "tavis": (tavis_cummings, {}),
    "collective": (collective_qubits, {}),
    "ising": (ising, {}),
    "rectifier": (lambda: rectifier(N=4), {}),
    "global rectifier": (lambda: rectifier(N=4, equation="global"), {}),
    "xy": (xy_chain, {}),
    "local xy": (lambda: xy_chain(equation="local"), {}),
}
ROTATED = {"global pair", "random levels", "more random levels", "collective", "global rectifier", "xy"}


@pytest.mark.parametrize("name", MODELS)
def test_no_basis_that_is_tried_has_smaller_blocks(name: str) -> None:
    make, options = MODELS[name]
    model = make()
    if "averaged" in options:  # a state that is as diagonal as H, without an exact side of 40 levels
        d, kets = model.process.d, eigenbasis(model.process.H)[1].T
        ends, rho = Outcomes(kets, np.full(d, 1 / d)), np.eye(d, dtype=complex) / d
        protocol = Protocol(np.ones(1), ends, ends, rho, rho, {}, ("totals",), "heat")
    else:
        start, end = options.get("initial", "steady"), options.get("closing")
        protocol = make_protocol(model, 1.0, start, end, None, ("totals",), "heat")
    (flow,) = model.process.elements
    assert isinstance(flow, Flow)
    every = [partition(model.process, flow, protocol, Basis(None))]
    for vectors in _bases(flow.H, protocol):
        every.append(partition(model.process, flow, protocol, Basis(vectors)))
        assert _least(every[0].heff, Basis(vectors)) <= every[-1].blocks.largest
    chosen = cheapest_basis(model.process, flow, protocol)
    assert chosen.blocks.largest == min(each.blocks.largest for each in every)
    assert (chosen.basis.vectors is not None) is (name in ROTATED)


def test_blocks_of_two_that_nothing_diagonalises_end_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two qubits between unequal baths: H_eff is not normal, and no eigenvectors are asked for."""
    monkeypatch.setattr("collide.compile_jumps.eigenbasis", None)  # which nobody can call
    assert compile_program(jump_pair(), 1.0).arrays["size"].tolist() == [1, 2, 1]
