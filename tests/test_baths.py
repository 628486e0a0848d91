"""Occupations, rates and ancillas; detailed balance for every statistics and sign of beta."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from collide import Bath, finite_ancilla, ohmic, oscillator_ancilla, qubit_ancilla
from collide.baths import Ancilla

positive = st.floats(0.05, 5.0)


@settings(max_examples=60, deadline=None)
@given(positive, positive, st.sampled_from(["boson", "spin", "metal"]))
def test_rates_obey_detailed_balance(beta: float, omega: float, statistics: str) -> None:
    density = (lambda T, w: 1 + T * w) if statistics == "metal" else ohmic(0.3, cutoff=2.0)
    down, up = Bath("b", beta=beta, statistics=statistics, spectral_density=density).rates(omega)
    assert up / down == pytest.approx(math.exp(-beta * omega), rel=1e-12)


def test_inverted_spins_absorb_more_than_they_emit() -> None:
    down, up = Bath("b", beta=-2.0, statistics="spin").rates(1.0)
    assert up / down == pytest.approx(math.exp(2.0), rel=1e-12)
    assert qubit_ancilla(1.0, -2.0).populations[1] > 0.5


def test_emission_of_inverted_spins_keeps_its_digits() -> None:
    down, up = Bath("b", beta=-40.0, statistics="spin").rates(1.0)
    assert down == pytest.approx(math.exp(-40.0), rel=1e-12)
    assert up == pytest.approx(1.0)


def test_zero_temperature_has_no_absorption_and_no_warning() -> None:
    for statistics in ("boson", "spin"):
        assert Bath("b", temperature=0.0, statistics=statistics, spectral_density=0.7).rates(3.0) == (0.7, 0.0)
    assert Bath("b", temperature=1e-3).occupation(1.0) == 0.0  # exp(-1000) underflows quietly


def test_zero_frequency_limits() -> None:
    assert Bath("b", temperature=0.4, spectral_density=ohmic(0.5)).rates(0.0) == (0.2, 0.2)
    user = Bath("b", temperature=0.4, spectral_density=lambda w: 0.5 * math.sin(w))
    assert user.rates(0.0)[0] == pytest.approx(0.2, rel=1e-6)
    assert Bath("b", beta=0.3, statistics="spin", spectral_density=0.6).rates(0.0) == (0.3, 0.3)


def test_ladder_reaches_a_tail_of_1e_16_and_truncation_says_what_it_neglects() -> None:
    ladder = oscillator_ancilla(1.0, 0.5)
    assert ladder.ladder
    assert ladder.neglected == 0.0
    assert math.exp(-0.5 * len(ladder)) < 1e-16
    assert oscillator_ancilla(1.0, 2.0, levels=10).neglected == pytest.approx(math.exp(-20.0))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=5), st.floats(-3, 3))
def test_finite_ancilla_is_thermal_at_any_beta(energies: list[float], beta: float) -> None:
    p = finite_ancilla(energies, beta=beta).populations
    ratios = np.log(p) + beta * np.array(energies)
    assert p.sum() == pytest.approx(1.0)
    assert np.ptp(ratios) < 1e-9


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Bath("L"), "give bath 'L' exactly one of `beta` and `temperature`"),
        (lambda: Bath("L", beta=1.0, temperature=1.0), "exactly one of `beta` and `temperature`"),
        (lambda: Bath("L", temperature=-1.0), "`temperature` of bath 'L' must be >= 0"),
        (lambda: Bath("L", beta=-1.0), "has no thermal state at beta <= 0, use statistics='spin'"),
        (lambda: Bath("L", beta=0.0, statistics="metal"), "has no thermal state at beta <= 0"),
        (lambda: Bath("L", beta=1.0, statistics="anyon"), "`statistics` of bath 'L' must be one of"),
        (lambda: Bath("L", beta=1.0, spectral_density=-1.0), "`spectral_density` must be >= 0"),
        (lambda: Bath("L", beta=1.0).rates(0.0), "diverges at zero frequency"),
        (lambda: Bath("L", beta=1.0).rates(-1.0), "`omega` must be >= 0"),
        (lambda: Bath("L", beta=1.0, spectral_density=lambda w: -w).rates(1.0), "it must be >= 0"),
        (lambda: Bath("L", beta=1.0, statistics="metal").ancilla(1.0), "which no single ancilla represents"),
        (lambda: ohmic(1.0, cutoff=0.0), "`cutoff` must be positive"),
        (lambda: ohmic(1.0, cutoff=1.0, shape="hard"), "`shape` must be 'drude' or 'exponential'"),
        (lambda: oscillator_ancilla(1.0, -1.0), "needs beta * omega > 0"),
        (lambda: oscillator_ancilla(1.0, 1.0, levels=5), "neglects a thermal population of 0.00674"),
        (lambda: oscillator_ancilla(1.0, 1e-6), "too hot for a ladder"),
        (lambda: finite_ancilla([0, 1]), "exactly one of `beta` and `populations`"),
        (lambda: finite_ancilla([0, 1], populations=[0.5, 0.4]), "`populations` must be >= 0 and sum to 1"),
        (lambda: finite_ancilla([0, 1], beta=1.0, lower=np.eye(3)), "`lower` must have shape (2, 2)"),
        (lambda: Ancilla(np.zeros(2), np.ones(1), np.eye(2, dtype=complex)), "must be vectors of one length"),
    ],
)
def test_messages(call, sentence) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert sentence in str(caught.value)
