"""Fluctuation theorems on processes that obey them exactly, on ones that do not, and on samples that cannot tell."""

import math

import numpy as np
import pytest

from collide.analysis import (
    detailed_fluctuation_theorem,
    gallavotti_cohen,
    heat_exchange_fluctuation_theorem,
    integral_fluctuation_theorem,
)


def gaussian(mean: float, n: int, seed: int) -> np.ndarray:
    """Entropy production with variance twice the mean: obeys the detailed theorem (Crooks for Gaussian work)."""
    return np.random.default_rng(seed).normal(mean, math.sqrt(2 * mean), n)


def net_counts(a: float, b: float, n: int, seed: int) -> np.ndarray:
    """Net transfers of a unidirectional cycle with rates a, b: P(N) / P(-N) = (a/b)^N."""
    generator = np.random.default_rng(seed)
    return (generator.poisson(a, n) - generator.poisson(b, n)).astype(float)


def test_integral_theorem_is_calibrated() -> None:
    z = [integral_fluctuation_theorem(gaussian(0.4, 3000, s)).z for s in range(300)]
    assert abs(np.mean(z)) < 0.3
    assert 0.8 < np.std(z) < 1.15
    assert not integral_fluctuation_theorem(gaussian(0.4, 3000, 0)).rare_events_dominate


def test_a_missing_boundary_term_is_caught() -> None:
    """Planted fault: Σ without ln p(i) - ln p(f) of a relaxing two-state system."""
    generator = np.random.default_rng(1)
    n, p0, rate = 100_000, 0.9, np.array([0.3, 0.1])  # flip probabilities 0 -> 1 and 1 -> 0
    start = (generator.random(n) < p0).astype(int)  # p0 in state 1
    end = np.where(generator.random(n) < rate[start], 1 - start, start)
    before = np.array([1 - p0, p0])
    after = before + (before[::-1] * rate[::-1] - before * rate)
    bath = np.log(rate[start] / rate[1 - start]) * (start != end)
    right = integral_fluctuation_theorem(np.log(before[start] / after[end]) + bath, "Σ", symmetric=False)
    wrong = integral_fluctuation_theorem(bath, "Σ", symmetric=False)
    assert abs(right.z) < 4
    assert not right.rare_events_dominate
    assert abs(wrong.z) > 20


def test_the_error_admits_that_rare_events_dominate() -> None:
    """At <Σ> = 8 and 10⁴ trajectories the sample mean is far below 1 with a small scatter; the error must say so."""
    misses = 0
    for seed in range(50):
        result = integral_fluctuation_theorem(gaussian(8.0, 10_000, seed))
        assert result.rare_events_dominate
        assert result.unseen > 0.2
        assert "rare events dominate" in repr(result)
        misses += abs(result.z) > 2.5
    assert misses <= 2
    assert result.needed == pytest.approx(math.exp(8.0), rel=0.3)


def test_without_the_diagnostic_the_same_sample_deceives() -> None:
    """The statistical error alone would reject a true theorem at <Σ> = 14."""
    deceived = [integral_fluctuation_theorem(gaussian(14.0, 4000, s), symmetric=False) for s in range(30)]
    naive = [abs(r.average.value - 1) / r.statistical for r in deceived]
    honest = [abs(integral_fluctuation_theorem(gaussian(14.0, 4000, s)).z) for s in range(30)]
    assert np.median(naive) > 3 > max(honest)


def test_a_gap_that_the_effective_sample_size_cannot_see() -> None:
    """Σ = ±10 with P(+)/P(-) = e^10: no negative value among 1000, n_eff = n, yet all of the average is missing."""
    result = integral_fluctuation_theorem(np.full(1000, 10.0))
    assert result.effective_size == pytest.approx(1000)
    assert result.rare_events_dominate
    assert abs(result.z) <= 1.01


def test_absolute_irreversibility_of_a_sure_start() -> None:
    """A sure start of a symmetric two-state process: the average is the return probability after twice the time."""
    generator = np.random.default_rng(2)
    flip = 0.3
    flipped = generator.random(50_000) < flip
    entropy = -np.log(np.where(flipped, flip, 1 - flip))  # ln p_0(i) = 0
    returned = (1 - flip) ** 2 + flip**2
    result = integral_fluctuation_theorem(entropy, "Σ", expected=returned, symmetric=False)
    assert abs(result.z) < 4
    assert abs(integral_fluctuation_theorem(entropy, "Σ", symmetric=False).z) > 50  # not 1


def test_infinite_entropy_contributes_nothing() -> None:
    result = integral_fluctuation_theorem(np.array([0.0, np.inf, np.inf, 0.0]), symmetric=False)
    assert result.average.value == 0.5
    assert result.infinite == 0.5
    assert result.mean == 0.0
    everything = integral_fluctuation_theorem(np.full(10, np.inf))
    assert everything.average.value == 0.0
    assert everything.average.error > 0
    with pytest.raises(ValueError, match="probability zero"):
        integral_fluctuation_theorem([-np.inf, 1.0])


def test_equilibrium_is_exact() -> None:
    result = integral_fluctuation_theorem(np.zeros(100))
    assert result.average.value == 1.0
    assert result.average.error == 0.0
    assert result.z == 0.0


def test_detailed_theorem_is_calibrated_for_gaussian_and_counts() -> None:
    z, pulls, shapes = [], [], []
    for seed in range(200):
        for x, slope in ((gaussian(0.8, 2000, seed), 1.0), (net_counts(1.2, 0.6, 2000, seed), math.log(2.0))):
            result = detailed_fluctuation_theorem(x, expected=slope)
            z.append(result.z)
            pulls.append(result.slope.deviation(slope))
            shapes.append(result.shape.p_value)
    assert abs(np.mean(z)) < 0.2
    assert 0.9 < np.std(z) < 1.1
    assert abs(np.mean(pulls)) < 0.2
    assert 0.88 < np.std(pulls) < 1.12
    assert np.mean(np.array(shapes) < 0.01) < 0.04
    assert 0.4 < np.mean(shapes) < 0.6


def test_a_wrong_temperature_is_caught() -> None:
    x = gaussian(0.8, 200_000, 5)
    assert abs(detailed_fluctuation_theorem(x).z) < 4
    assert abs(detailed_fluctuation_theorem(1.05 * x).z) > 5
    assert detailed_fluctuation_theorem(1.05 * x).slope.value == pytest.approx(1 / 1.05, abs=0.02)


def test_a_wrong_shape_with_the_right_slope_is_caught() -> None:
    """Odd cubic in the log ratio, tuned so that the fitted slope stays near one: the chi-square sees it."""
    generator = np.random.default_rng(6)
    magnitude = np.abs(generator.normal(0, 1.0, 400_000))
    odds = 0.55 * magnitude + 0.25 * magnitude**3
    x = np.where(generator.random(len(magnitude)) < 1 / (1 + np.exp(-odds)), magnitude, -magnitude)
    fitted = detailed_fluctuation_theorem(x).slope.value
    result = detailed_fluctuation_theorem(x, expected=fitted)
    assert abs(result.z) < 0.1
    assert result.shape.p_value < 1e-6


def test_points_of_wide_bins_lie_on_the_line() -> None:
    """The abscissa of a bin makes the relation exact whatever the width."""
    result = detailed_fluctuation_theorem(gaussian(0.8, 400_000, 7), bins=4)
    pull = (result.log_ratio - result.x) / result.log_ratio_error
    assert len(pull) >= 3
    assert np.abs(pull).max() < 4


def test_one_sided_samples_say_so() -> None:
    result = detailed_fluctuation_theorem([1.0, 2.0, 3.0])
    assert result.slope.value == math.inf
    assert result.negative == 0
    assert math.isfinite(result.z)
    with pytest.raises(ValueError, match="other than zero"):
        detailed_fluctuation_theorem(np.zeros(5))
    with pytest.raises(ValueError, match="finite slope other than zero"):
        detailed_fluctuation_theorem([1.0, -1.0], expected=0.0)


def test_heat_exchange() -> None:
    """Quanta ω passed between baths with a/b = e^{(β_c - β_h) ω}."""
    omega, beta_hot, beta_cold = 1.3, 0.5, 1.2
    n = net_counts(0.9, 0.9 * math.exp(-(beta_cold - beta_hot) * omega), 50_000, 8)
    source = {"hot": omega * n, "cold": -omega * n}
    result = heat_exchange_fluctuation_theorem(source, "hot", "cold", beta=(beta_hot, beta_cold))
    assert abs(result.integral.z) < 4
    assert abs(result.detailed.z) < 4
    wrong = heat_exchange_fluctuation_theorem(source, "hot", "cold", beta=(beta_hot, beta_cold + 0.1))
    assert abs(wrong.detailed.z) > 5


def test_gallavotti_cohen_of_a_bidirectional_poisson_process() -> None:
    """λ(s) = a(e^s - 1) + b(e^{-s} - 1) is symmetric about -ln(a/b)/2."""
    a, b = 2.0, 0.5

    def scgf(s: float) -> float:
        return a * (math.exp(s) - 1) + b * (math.exp(-s) - 1)

    good = gallavotti_cohen(scgf, math.log(a / b))
    assert good.residual < 1e-14
    assert good.holds()
    assert not gallavotti_cohen(scgf, math.log(a / b) * 1.01).holds()
    with pytest.raises(ValueError, match="T = 0"):
        gallavotti_cohen(scgf, math.inf)


def test_crooks_pair_of_a_three_state_protocol() -> None:
    """A relaxation: forward from p to q by a symmetric swap, backward from q: not symmetric."""
    generator = np.random.default_rng(9)
    p, swap = np.array([0.7, 0.2, 0.1]), np.array([[0.5, 0.3, 0.2], [0.3, 0.6, 0.1], [0.2, 0.1, 0.7]])
    q = p @ swap

    def sample(start: np.ndarray, end: np.ndarray, n: int) -> np.ndarray:
        first = generator.choice(3, n, p=start)
        last = (generator.random((n, 1)) > np.cumsum(swap, axis=1)[first]).sum(axis=1)
        return np.log(start[first] / end[last])

    z = []
    for _ in range(60):
        pair = detailed_fluctuation_theorem(sample(p, q, 2000), backward=sample(q, p, 3000))
        z.append(pair.z)
    assert abs(np.mean(z)) < 0.5
    assert 0.7 < np.std(z) < 1.3
    forward, backward = sample(p, q, 60_000), sample(q, p, 60_000)
    result = detailed_fluctuation_theorem(forward, backward=backward)
    assert abs(result.z) < 4
    assert result.shape.p_value > 1e-3
    assert np.abs((result.log_ratio - result.x) / result.log_ratio_error).max() < 4
    alone = detailed_fluctuation_theorem(forward)  # the forward process is not its own reverse
    assert alone.shape.p_value < 1e-6
