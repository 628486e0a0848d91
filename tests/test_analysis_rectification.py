"""Rectification, conductance and sweeps against the closed forms of two-level and harmonic junctions."""

from concurrent.futures import ThreadPoolExecutor
import csv
import io
import math
import types

import numpy as np
import pytest

from collide.analysis import Estimate, Rectification, differential_conductance, linear_conductance, rectification, sweep
from collide.analysis.derivative import central


def bose(omega: float, T: float) -> float:
    return 1 / math.expm1(omega / T)


def qubit_junction(
    T_L: float, T_R: float, *, gamma_L: float = 0.01, gamma_R: float = 0.02, omega: float = 1.0
) -> float:
    """Heat current of one qubit between bosonic baths (Santiago-García et al. 2024, Eq. 11, halved: J = Q_L)."""
    n_L, n_R = bose(omega, T_L), bose(omega, T_R)
    return omega * gamma_L * gamma_R * (n_L - n_R) / (gamma_L * (1 + 2 * n_L) + gamma_R * (1 + 2 * n_R))


def test_contrast_of_a_qubit_junction() -> None:
    """Eq. (12): |γ_L - γ_R|/(γ_L + γ_R) times the same of the two coth."""
    found = rectification(qubit_junction, 1.5, 0.4)
    c_L, c_R = (1 / math.tanh(0.5 / T) for T in (1.5, 0.4))
    exact = (0.01 / 0.03) * (c_R - c_L) / (c_R + c_L)
    assert found.contrast.value == pytest.approx(abs(exact), rel=1e-12)
    assert found.contrast == found.R
    assert found.forward.value > 0 > found.backward.value
    assert found.ratio.value == pytest.approx(found.forward.value / -found.backward.value)
    assert rectification(lambda a, b: qubit_junction(a, b, gamma_R=0.01), 1.5, 0.4).contrast.value < 1e-14


def test_the_other_bath_read_after_the_swap_gives_the_same_R() -> None:
    """Leitch et al. read Q_2 forward and Q_1 after the swap: |(Q - Q')/(Q + Q')| with both positive."""
    found = rectification(qubit_junction, 1.5, 0.4)
    q, q_swap = found.forward.value, -found.backward.value
    assert found.R.value == pytest.approx(abs((q - q_swap) / (q + q_swap)))


def test_performance_measure() -> None:
    found = Rectification(Estimate(0.4, 0.0), Estimate(-0.1, 0.0), unit=0.5)
    assert found.R.value == pytest.approx(0.6)
    assert found.flow.value == pytest.approx(0.8)
    assert found.performance(1.0).value == pytest.approx(0.6)
    assert found.performance(0.0).value == pytest.approx(0.8)
    assert found.performance(0.5).value == pytest.approx(0.7)
    assert found.relative_difference.value == pytest.approx(0.75)
    with pytest.raises(ValueError, match="between 0 and 1, but is 2"):
        found.performance(2)


def test_a_perfect_diode() -> None:
    diode = Rectification(Estimate(1.0, 0.01), Estimate(0.0, 0.0))
    assert diode.contrast.value == 1.0
    assert diode.ratio.value == math.inf
    dead = Rectification(Estimate(0.0, 0.0), Estimate(0.0, 0.0))
    assert math.isnan(dead.contrast.value)
    assert math.isnan(dead.relative_difference.value)


def test_errors_of_sampled_rectification_are_calibrated() -> None:
    generator = np.random.default_rng(0)
    pulls: dict[str, list[float]] = {"contrast": [], "ratio": [], "relative_difference": []}
    exact = Rectification(Estimate(0.5, 0.0), Estimate(-0.3, 0.0))
    for _ in range(600):
        sampled = Rectification(
            Estimate(generator.normal(0.5, 0.01), 0.01), Estimate(generator.normal(-0.3, 0.02), 0.02)
        )
        for name, values in pulls.items():
            values.append(getattr(sampled, name).deviation(getattr(exact, name).value))
    for values in pulls.values():
        assert 0.9 < np.std(values) < 1.12
        assert abs(np.mean(values)) < 0.2


def test_a_model_is_asked_for_its_heat_currents() -> None:
    def factory(T_L: float, T_R: float) -> types.SimpleNamespace:
        return types.SimpleNamespace(heat_currents=lambda: {"hot": 2 * (T_L - T_R), "cold": 0.0})

    assert rectification(factory, 2.0, 1.0, bath="hot").forward.value == 2.0


def test_linear_conductance_of_a_qubit_junction() -> None:
    """κ = ω² γ_L γ_R csch(ω/T) / (2 (γ_L + γ_R) T²) for J = Q_L (half of the paper's)."""
    for T in (0.05, 0.3, 0.5, 2.0):
        exact = 0.01 * 0.02 / math.sinh(1 / T) / (2 * 0.03 * T**2)
        found = linear_conductance(qubit_junction, T)
        assert found.value == pytest.approx(exact, rel=1e-7)
        assert abs(found.value - exact) <= 10 * found.error + 1e-12 * exact  # the stated error is honest
    with pytest.raises(ValueError, match="must be positive, but is 0"):
        linear_conductance(qubit_junction, 0.0)


def test_antisymmetrisation_matters() -> None:
    """Planted fault: a one-sided quotient of a rectifying junction is wrong at first order in the step."""
    T, step = 0.5, 0.1
    one_sided = qubit_junction(T + step, T) / step
    exact = 0.01 * 0.02 / math.sinh(1 / T) / (2 * 0.03 * T**2)
    assert abs(one_sided / exact - 1) > 0.01


def test_differential_conductance_and_its_sum_rule() -> None:
    left = differential_conductance(qubit_junction, 1.0, 0.4)
    right = differential_conductance(qubit_junction, 1.0, 0.4, vary="R")
    both = differential_conductance(qubit_junction, 1.0, 0.4, vary="difference")
    assert left.value > 0 > right.value
    assert both.value == pytest.approx((left.value - right.value) / 2, rel=1e-7)
    step = 1e-4
    assert left.value == pytest.approx((qubit_junction(1 + step, 0.4) - qubit_junction(1 - step, 0.4)) / 2e-4, rel=1e-6)
    with pytest.raises(ValueError, match="'L', 'R' or 'difference', but is 'both'"):
        differential_conductance(qubit_junction, 1.0, 0.4, vary="both")


@pytest.mark.parametrize("x", [0.3, 2.0, 7.0])
def test_derivatives_reach_rounding_and_say_so(x: float) -> None:
    found = central(math.exp, x, 0.5)
    assert found.value == pytest.approx(math.exp(x), rel=1e-10)
    assert found.error < 1e-8 * math.exp(x)
    noisy = central(lambda t: math.exp(t) + 1e-6 * math.sin(1e9 * t), x, 0.5)
    assert noisy.error > 100 * found.error
    assert abs(noisy.value - math.exp(x)) < 30 * noisy.error


def test_sweep_gives_a_labelled_table() -> None:
    def flows(T_L: float, T_R: float, gamma_L: float) -> dict[str, float | Estimate]:
        J = qubit_junction(T_L, T_R, gamma_L=gamma_L)
        return {"J": J, "kappa": Estimate(J / (T_L - T_R), 1e-3)}

    table = sweep(flows, {"T_L": [1.0, 1.5, 2.0], "T_R": np.array([0.2, 0.4]), "gamma_L": 0.05}, progress=False)
    assert table.shape == (3, 2, 1)
    assert len(table) == 6
    assert table.results == ("J", "kappa", "kappa_error")
    assert table["J"][2, 1, 0] == qubit_junction(2.0, 0.4, gamma_L=0.05)
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert float(rows[5]["J"]) == table["J"][2, 1, 0]
    assert float(rows[5]["T_R"]) == 0.4
    assert "3 T_L × 2 T_R × 1 gamma_L" in repr(table)
    with pytest.raises(KeyError, match="unknown column 'Q'"):
        table["Q"]


def test_parallel_sweeps_give_the_same_table() -> None:
    grid = {"T_L": np.linspace(0.5, 2, 7), "T_R": [0.1, 0.3]}
    serial = sweep(qubit_junction, grid, progress=False)
    threads = sweep(qubit_junction, grid, workers=3, progress=False)
    with ThreadPoolExecutor(2) as pool:
        pooled = sweep(qubit_junction, grid, executor=pool, progress=False)
    assert serial.results == ("qubit_junction",)
    for other in (threads, pooled):
        assert np.array_equal(other["qubit_junction"], serial["qubit_junction"])


def test_a_failing_point_is_named() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        sweep(lambda x, y: 1 / (x - y), {"x": [1, 2], "y": [2]}, progress=False)
    assert caught.value.__notes__ == ["The sweep stopped at x = 2, y = 2."]
    with pytest.raises(ValueError, match=r"\['x'\] is empty"):
        sweep(lambda x: x, {"x": []})
    with pytest.raises(ValueError, match="result 'x' has the name of a parameter"):
        sweep(lambda x: {"x": 1}, {"x": [1]}, progress=False)


def test_tables_become_data_frames() -> None:
    pytest.importorskip("pandas")
    frame = sweep(qubit_junction, {"T_L": [1.0, 2.0], "T_R": [0.5]}, progress=False).to_pandas()
    assert list(frame.columns) == ["T_L", "T_R", "qubit_junction"]
    assert len(frame) == 2
