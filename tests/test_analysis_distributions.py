"""Histograms, tests of fit and generating functions against exact laws."""

import numpy as np
import pytest
from scipy import stats

from collide.analysis import (
    Atoms,
    Density,
    atoms,
    chi_square,
    density,
    distribution,
    generating_function,
    kolmogorov_smirnov,
)
from collide.analysis.goodness import pooled


def skellam(a: float, b: float, n: int, seed: int) -> np.ndarray:
    """Net counts of two independent Poisson streams."""
    generator = np.random.default_rng(seed)
    return (generator.poisson(a, n) - generator.poisson(b, n)).astype(float)


def test_heat_in_quanta_becomes_atoms() -> None:
    heat = 0.3 * skellam(2.0, 1.0, 20_000, 0) + 1e-14 * np.random.default_rng(0).normal(size=20_000)
    found = distribution(heat, "heat")
    assert isinstance(found, Atoms)
    assert np.diff(found.support) == pytest.approx(0.3, rel=1e-9)
    assert found.counts.sum() == 20_000
    support = 0.3 * np.arange(-15, 25)
    exact = stats.skellam.pmf(np.arange(-15, 25), 2.0, 1.0)
    assert found.against(support, exact).p_value > 1e-3
    shuffled = np.random.default_rng(1).permutation(len(support))  # the order of the exact support does not matter
    assert found.against(support[shuffled], exact[shuffled]).statistic == pytest.approx(
        found.against(support, exact).statistic
    )


def test_a_wrong_rate_is_caught_by_chi_square() -> None:
    found = atoms(skellam(2.0, 1.0, 20_000, 1))
    k = np.arange(-15, 25)
    assert found.against(k, stats.skellam.pmf(k, 2.15, 1.0)).p_value < 1e-3


def test_p_values_of_chi_square_are_uniform() -> None:
    k = np.arange(-15, 25)
    exact = stats.skellam.pmf(k, 2.0, 1.0)
    p = [atoms(skellam(2.0, 1.0, 3000, s)).against(k, exact).p_value for s in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_something_impossible_has_no_chance() -> None:
    assert chi_square([5, 5, 1], [0.5, 0.5, 0.0]).p_value == 0.0
    assert atoms([0.0, 1.0, 2.0]).against([0.0, 1.0], [0.5, 0.5]).p_value == 0.0
    with pytest.raises(ValueError, match="lacks 2"):
        atoms([0.0, 1.0, 2.0]).counts_at([0.0, 1.0])
    with pytest.raises(ValueError, match="must be probabilities"):
        chi_square([1, 1], [0.9, 0.9])


def test_what_the_support_leaves_out_is_one_more_bin() -> None:
    complete = chi_square([40, 60], [0.4, 0.6])
    cut = chi_square([40], [0.4], n=100)
    assert cut.statistic == pytest.approx(complete.statistic)
    assert cut.dof == complete.dof


def test_pooling_keeps_totals_and_reaches_the_least() -> None:
    seen, due = pooled([0, 1, 0, 3, 9, 4, 0, 1], [0.2, 0.5, 1.0, 4.0, 9.0, 3.0, 0.5, 0.1], 5.0)
    assert seen.sum() == 18
    assert due.sum() == pytest.approx(18.3)
    assert (due >= 5).all()


def test_infinite_entropy_is_one_atom_at_the_end() -> None:
    found = atoms([1.0, np.inf, 1.0, np.inf, 0.0])
    assert found.support.tolist() == [0.0, 1.0, np.inf]
    assert found.counts.tolist() == [1, 2, 2]
    assert found.counts_at([0.0, 1.0]).tolist() == [1, 2]


def test_density_of_a_continuous_law() -> None:
    x = np.random.default_rng(2).normal(1.0, 2.0, 30_000)
    found = distribution(x)
    assert isinstance(found, Density)
    assert (found.density * np.diff(found.edges)).sum() == pytest.approx(1.0)
    assert found.against(stats.norm(1.0, 2.0).cdf).p_value > 1e-3
    assert found.against(stats.norm(1.15, 2.0).cdf).p_value < 1e-3
    assert (found.error > 0).all()  # empty bins as well
    cut = density(np.append(x, np.inf), bins=np.linspace(-1, 1, 5))
    assert cut.n == 30_001
    assert (cut.density * np.diff(cut.edges)).sum() < 0.5


def test_kolmogorov_smirnov() -> None:
    x = np.random.default_rng(3).normal(size=4000)
    assert kolmogorov_smirnov(x, stats.norm.cdf).p_value > 1e-3
    assert kolmogorov_smirnov(x, stats.norm(0.2).cdf).p_value < 1e-6
    assert kolmogorov_smirnov(x, np.random.default_rng(4).normal(size=4000)).p_value > 1e-3


def test_generating_function_of_gaussian_work() -> None:
    """ln <e^{sW}> = m s + v s²/2; where marked as converged it is met within errors, and beyond it is not."""
    x = np.random.default_rng(5).normal(0.5, 1.5, 20_000)
    s = np.linspace(-5, 5, 41)
    result = generating_function(x, "work", s)
    exact = 0.5 * s + 1.5**2 * s**2 / 2
    good = result.converged
    pull = (result.value - exact)[good & (s != 0)] / result.error[good & (s != 0)]
    assert np.abs(pull).max() < 4
    assert result.value[s == 0][0] == pytest.approx(0.0, abs=1e-12)
    low, high = result.limits
    # weights e^{sW} have a relative variance e^{s² v} - 1, so n_eff = 100 of 20000 is at |s| = sqrt(ln 200 / v) = 1.53
    assert -2.1 < low < -1.2
    assert 1.2 < high < 2.1
    assert not good[0]
    assert abs(result.value[0] - exact[0]) > 1.0


def test_generating_function_error_is_calibrated() -> None:
    exact, pulls = 0.09 / 2 * 4.0, []
    for seed in range(300):
        x = np.random.default_rng(seed).normal(0.0, 2.0, 1500)
        result = generating_function(x, "x", [0.3])
        pulls.append((result.value[0] - exact) / result.error[0])
    assert 0.85 < np.std(pulls) < 1.2
    assert abs(np.mean(pulls)) < 0.3


def test_generating_function_is_scaled_by_time_and_knows_infinity() -> None:
    x = np.array([0.0, 1.0, np.inf, 2.0])
    scaled = generating_function(x, "entropy", [-1.0, 0.0], time=2.0, scaled=True)
    assert scaled.value[0] == pytest.approx(np.log((1 + np.exp(-1) + np.exp(-2)) / 4) / 2)
    assert scaled.value[1] == pytest.approx(0.0)
    with pytest.raises(ValueError, match="holds infinite values"):
        generating_function(x, "entropy", [1.0])
    with pytest.raises(ValueError, match="`time` must be given"):
        generating_function([1.0, 2.0], "x", [0.1], scaled=True)
