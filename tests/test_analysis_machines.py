"""Uncertainty relations, efficiencies and operation regimes where the answers are known."""

import math

import numpy as np
import pytest

from collide.analysis import (
    Estimate,
    carnot_cop,
    carnot_efficiency,
    cop,
    efficiency,
    efficiency_distribution,
    kinetic_uncertainty,
    operation_regime,
    ratio_of_means,
    regime_of,
    thermodynamic_uncertainty,
)
from collide.analysis.stochastic_efficiency import half_sample_mode


def cycle(a: float, b: float, n: int, seed: int) -> dict[str, np.ndarray]:
    """Bidirectional Poisson process: current, entropy production and activity of each trajectory."""
    generator = np.random.default_rng(seed)
    plus, minus = generator.poisson(a, n), generator.poisson(b, n)
    net = (plus - minus).astype(float)
    return {"heat": net, "entropy_production": net * math.log(a / b), "activity": (plus + minus).astype(float)}


def test_uncertainty_ratios_of_a_poisson_cycle() -> None:
    """Var = a + b, <N> = a + b, so 𝒬 = A coth(A/2) with A = ln(a/b) and 𝒦 = ((a + b)/(a - b))²."""
    a, b = 6.0, 2.0
    tur, kur = [], []
    for seed in range(200):
        source = cycle(a, b, 2000, seed)
        tur.append(thermodynamic_uncertainty(source, "heat").ratio)
        kur.append(kinetic_uncertainty(source, "heat").ratio)
    affinity = math.log(a / b)
    for found, exact in ((tur, affinity / math.tanh(affinity / 2)), (kur, ((a + b) / (a - b)) ** 2)):
        pull = [e.deviation(exact) for e in found]
        assert abs(np.mean(pull)) < 0.25
        assert 0.85 < np.std(pull) < 1.15
    result = thermodynamic_uncertainty(cycle(a, b, 200_000, 0), "heat")
    assert result.verdict == "respects the classical bound"
    assert result.violation < -3


def test_a_violation_is_recognised_and_a_wrong_entropy_shows() -> None:
    source = cycle(6.0, 2.0, 100_000, 1)
    halved = {**source, "entropy_production": 0.5 * source["entropy_production"]}  # planted fault
    assert thermodynamic_uncertainty(halved, "heat").verdict == "below the classical bound"
    exact = thermodynamic_uncertainty(source, "heat", entropy=4.0 * math.log(3.0))
    assert exact.ratio.value == pytest.approx(thermodynamic_uncertainty(source, "heat").ratio.value, rel=0.05)
    noisy = thermodynamic_uncertainty(source, "heat", entropy=Estimate(4.0 * math.log(3.0), 0.5))
    assert noisy.ratio.error > 5 * exact.ratio.error


def test_infinite_entropy_is_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match="without a reverse"):
        thermodynamic_uncertainty({"q": [1.0, 2.0], "entropy_production": [np.inf, 1.0]}, "q")


def test_carnot_bounds() -> None:
    hot, cold = 0.02, 0.1
    assert carnot_efficiency(hot, cold) == pytest.approx(0.8)
    assert carnot_cop(hot, cold) == pytest.approx(
        0.25
    )  # the refrigerator's, T_c / (T_h - T_c); not the heat pump's 1.25
    assert 1 / carnot_efficiency(hot, cold) == pytest.approx(carnot_cop(hot, cold) + 1)
    with pytest.raises(ValueError, match="smaller than `beta_cold`"):
        carnot_cop(0.1, 0.02)


def test_efficiency_and_cop_with_errors() -> None:
    eta = efficiency(Estimate(-2.0, 0.1), Estimate(8.0, 0.4))
    assert eta.value == 0.25
    assert eta.error == pytest.approx(math.hypot(0.1 / 8, 0.25 * 0.4 / 8))
    assert cop(2.0, 1.0).value == 0.5
    assert math.isnan(cop(0.0, 1.0).value)


@pytest.mark.parametrize(
    ("hot", "cold", "work", "name"),
    [
        (3, -2, -1, "engine"),
        (-3, 2, 1, "refrigerator"),
        (1, -2, 1, "accelerator"),
        (-1, -1, 2, "heater"),
        (1, 1, -2, "none"),
    ],
)
def test_regimes(hot: float, cold: float, work: float, name: str) -> None:
    regime = operation_regime(hot, cold, work)
    assert regime.name == name
    assert regime.certainty == math.inf
    assert regime.decided


def test_a_regime_within_noise_is_undecided() -> None:
    regime = operation_regime(Estimate(3.0, 0.1), Estimate(-3.0, 0.1), Estimate(-0.05, 0.1))
    assert regime.name == "engine"
    assert not regime.decided
    assert "undecided" in repr(regime)


def engine(n: int, seed: int) -> dict[str, np.ndarray]:
    """Correlated Gaussian work and heats with means -1, 4, -3."""
    generator = np.random.default_rng(seed)
    hot = generator.normal(4.0, 1.5, n)
    work = -0.25 * hot + generator.normal(0.0, 0.4, n)
    return {"hot": hot, "work": work, "cold": -hot - work}


def test_efficiency_distribution_of_a_gaussian_engine() -> None:
    source = engine(60_000, 2)
    result = efficiency_distribution(source, "hot", "cold", beta=(0.5, 1.0))
    assert abs(result.macroscopic.deviation(0.25)) < 4
    assert result.carnot == 0.5
    assert result.undefined == 0.0
    assert result.most_likely.value == pytest.approx(0.25, abs=0.03)  # the ratio given hot is centred at 0.25
    exact = np.mean(-source["work"] / source["hot"] > 0.5)
    assert result.beyond_carnot == pytest.approx(exact)
    assert regime_of(source, "hot", "cold").name == "engine"


def test_heavy_tail_of_the_efficiency() -> None:
    """The sample mean of the ratio is useless, the macroscopic value is not: why no mean is given."""
    generator = np.random.default_rng(3)
    heat, work = generator.normal(1.0, 1.0, 100_000), generator.normal(-0.3, 1.0, 100_000)
    tail = np.sort(np.abs(-work / heat))[::-1]
    assert tail[9] / tail[99] == pytest.approx(10.0, rel=0.6)  # P(|η| > x) = c/x
    assert abs(ratio_of_means(-work, heat).deviation(0.3)) < 4


def test_ratio_of_means_is_calibrated() -> None:
    pulls = []
    for seed in range(300):
        source = engine(600, seed)
        pulls.append(ratio_of_means(-source["work"], source["hot"]).deviation(0.25))
    assert abs(np.mean(pulls)) < 0.25
    assert 0.85 < np.std(pulls) < 1.15


def test_half_sample_mode() -> None:
    x = np.random.default_rng(4).gamma(3.0, 1.0, 100_000)
    assert half_sample_mode(x) == pytest.approx(2.0, abs=0.25)  # mode (k-1)θ, far from the mean 3
    assert half_sample_mode(np.array([0.0, 5.0, 5.0, 5.0, 5.0, 9.0])) == 5.0


def test_undefined_efficiencies_are_counted() -> None:
    source = {"hot": [1.0, 0.0, 2.0, 0.0], "work": [-0.5, 0.1, -1.0, 0.0], "cold": [0.0] * 4}
    result = efficiency_distribution(source, "hot", "cold")
    assert result.undefined == 0.5
    assert result.carnot is None
    assert result.most_likely.value == 0.5
    with pytest.raises(ValueError, match="denominator is zero"):
        efficiency_distribution({**source, "hot": [0.0] * 4}, "hot", "cold")
