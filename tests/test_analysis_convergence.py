"""Convergence as measured slopes, and the judge of sampled against exact numbers."""

import math

import numpy as np
import pytest
from scipy import stats

from collide.analysis import (
    Comparison,
    Estimate,
    certificate,
    compare_mean,
    compare_variance,
    convergence_in_ntraj,
    convergence_in_tau,
    cumulants,
    judge,
    local_slopes,
)


def test_slope_in_trajectories_is_calibrated() -> None:
    pulls = [convergence_in_ntraj(np.random.default_rng(s).exponential(size=80_000), exact=1.0).z for s in range(60)]
    assert abs(np.mean(pulls)) < 0.6
    assert 0.7 < np.std(pulls) < 1.4


def test_a_bias_or_a_correlation_breaks_the_slope() -> None:
    """Planted faults: a mean that is off by 1 %, and trajectories that share their random numbers in runs of 64."""
    x = np.random.default_rng(0).exponential(size=400_000)
    assert convergence_in_ntraj(x, exact=1.0).holds()
    assert not convergence_in_ntraj(x, exact=1.05).holds()
    assert not convergence_in_ntraj(np.repeat(x[:6250], 64), exact=1.0).holds()
    with pytest.raises(ValueError, match="trajectories are needed"):
        convergence_in_ntraj(x[:100])


def test_slope_in_tau() -> None:
    tau = [0.2, 0.1, 0.05, 0.025]
    first = convergence_in_tau(lambda t: 0.7 * t + 0.3 * t**2, tau)
    assert first.holds(tolerance=0.1)
    assert first.slope.value == pytest.approx(1.05, abs=0.05)
    assert np.all(np.diff(local_slopes(first)) < 0)  # towards 1 as tau falls
    second = convergence_in_tau(lambda t: 0.7 * t**2 - t**4, tau, expected=2.0, name="matched angles")
    assert second.holds(tolerance=0.1)
    assert not convergence_in_tau(lambda t: 0.7 * math.sqrt(t), tau).holds(tolerance=0.1)  # planted fault
    sampled = convergence_in_tau([0.2, 0.1, 0.05], [0.2, 0.1, 0.05])
    assert sampled.slope.value == pytest.approx(1.0)
    weighted = convergence_in_tau(lambda t: Estimate(t, 0.1 * t), tau)
    assert weighted.slope.error == pytest.approx(0.1 / math.log(2) / math.sqrt(5), rel=1e-6)
    both = certificate(first, second)
    assert both.holds
    assert repr(both).startswith("Converged:")
    with pytest.raises(ValueError, match="at least three positive errors"):
        convergence_in_tau([0.0, 0.1, 0.2], [0.1, 0.2, 0.3])


def rows_of(seed: int, n: int, shift: float = 0.0, widen: float = 1.0) -> list[Comparison]:
    """Means and variances of five heats with Poisson, gamma and Gaussian laws."""
    generator = np.random.default_rng(seed)
    laws = [
        (generator.poisson(2.0, n), 2.0, 2.0, 2.0),
        (generator.gamma(3.0, 1.0, n), 3.0, 3.0, 18.0),
        (generator.normal(-1.0, 2.0, n), -1.0, 4.0, 0.0),
        (generator.exponential(0.5, n), 0.5, 0.25, 6 / 16),
        (generator.poisson(0.3, n) * 1.0, 0.3, 0.3, 0.3),
    ]
    rows = []
    for k, (x, mean, variance, fourth) in enumerate(laws):
        c = cumulants(widen * (x - mean) + mean + shift)
        rows.append(compare_mean(f"<{k}>", c.mean.value, n, mean, variance))
        rows.append(compare_variance(f"<<{k}²>>", c.value, n, variance, exact_fourth=fourth))
    return rows


def test_false_alarms_are_as_rare_as_stated() -> None:
    """At a stated rate of 10 % about that many of 400 right ensembles fail: the z-scores are honest."""
    verdicts = [judge(rows_of(s, 2000), false_alarm=0.1) for s in range(400)]
    failed = sum(not v.passed for v in verdicts)
    assert 15 <= failed <= 70
    z = np.array([[r.z for r in v.rows] for v in verdicts])
    assert np.abs(z.mean(axis=0)).max() < 0.25
    assert (np.abs(z.std(axis=0) - 1) < 0.15).all()


def test_small_faults_are_caught() -> None:
    assert judge(rows_of(1, 100_000)).passed
    shifted = judge(rows_of(1, 100_000, shift=0.02))
    assert not shifted.passed
    assert "deviates" in shifted.sentence
    assert "<4>" in {r.name for r in shifted.failures()}  # the sharpest: 0.02 is 11 of its errors
    assert not judge(rows_of(1, 100_000, widen=1.03)).passed


def test_limit_is_the_stated_rate_shared_among_comparisons() -> None:
    verdict = judge(rows_of(0, 1000), false_alarm=0.01)
    assert verdict.comparisons * 2 * stats.norm.sf(verdict.limit) == pytest.approx(0.01)
    single = judge([Comparison("a", Estimate(1.0, 0.1), 0.9)])
    assert single.p_value == pytest.approx(2 * stats.norm.sf(1.0))
    with pytest.raises(ValueError, match="must be a probability"):
        judge([], false_alarm=2.0)


def test_undefined_numbers_fail() -> None:
    assert not judge([Comparison("a", Estimate(math.nan, 0.1), 1.0)]).passed
    assert not judge([Comparison("a", Estimate(0.0, 0.0), 1e-3)]).passed
    assert judge([Comparison("a", Estimate(1.0, 0.0), 1.0 + 1e-15)]).passed
    assert judge([Comparison("a", Estimate(math.inf, 0.0), math.inf)]).passed


def test_one_rare_event_is_not_significant() -> None:
    """With 0.001 events expected among 1000, seeing one happens to one run in a thousand, not at 30 sigma."""
    with_floor = compare_mean("rare", 1 / 1000, 1000, 1e-6, 1e-6, event=1.0)
    assert abs(with_floor.z) < 1.01
    assert compare_mean("rare", 1 / 1000, 1000, 1e-6, 1e-6).z > 30
    assert abs(compare_variance("rare", [0, 1e-3, 0, 1e-3], 1000, 1e-6, exact_fourth=1e-6, event=1.0).z) < 1.01
