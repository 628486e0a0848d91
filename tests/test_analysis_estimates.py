"""Errors are right: they cover the truth as often as they say, over many repeated synthetic experiments."""

import types

import numpy as np
import pytest
from scipy import stats

import collide.analysis as analysis
from collide.analysis.estimates import (
    Estimate,
    block_edges,
    bootstrap,
    count_interval,
    jackknife,
    leave_one_out,
    rounded,
)


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (0.123456, 0.0123, "0.123 ± 0.012"),
        (0.0996, 0.0996, "0.10 ± 0.10"),  # the error rounds up to the next decade
        (12345.6, 321.0, "12350 ± 320"),
        (1.23456e-7, 3.4e-9, "(1.235 ± 0.034)e-07"),
        (-2.5e9, 1e6, "(-2.5000 ± 0.0010)e+09"),
        (0.0, 0.02, "0.000 ± 0.020"),
        (3.0, 0.0, "3"),
        (np.inf, np.nan, "inf ± nan"),
    ],
)
def test_rounding(value: float, error: float, shown: str) -> None:
    assert rounded(value, error) == shown


def test_deviation() -> None:
    assert Estimate(1.0, 0.3).deviation(Estimate(2.0, 0.4)) == pytest.approx(-2.0)
    assert Estimate(np.inf, 0.0).deviation(np.inf) == 0.0
    assert Estimate(1.0, 0.0).deviation(1.1) == -np.inf


def test_blocks_cover_and_never_are_empty() -> None:
    for n in (1, 2, 5, 127, 128, 1000):
        sizes = np.diff(block_edges(n))
        assert sizes.sum() == n
        assert sizes.min() >= 1
        assert sizes.max() - sizes.min() <= 1


def test_jackknife_of_a_mean_is_the_textbook_error() -> None:
    x = np.random.default_rng(0).normal(size=500)
    n = len(x)
    error, bias = jackknife(x.mean(), leave_one_out(x) / (n - 1), np.ones(n))
    assert error == pytest.approx(x.std(ddof=1) / np.sqrt(n), rel=1e-10)
    assert bias == pytest.approx(0.0, abs=1e-14)


def test_jackknife_finds_the_bias_of_a_square() -> None:
    x = np.random.default_rng(1).normal(2.0, 3.0, size=400)
    n = len(x)
    _, bias = jackknife(x.mean() ** 2, (leave_one_out(x) / (n - 1)) ** 2, np.ones(n))
    assert bias == pytest.approx(x.var(ddof=1) / n, rel=1e-8)  # <mean^2> = mu^2 + var / n


def test_jackknife_error_is_calibrated_for_unequal_blocks() -> None:
    """The pull (estimate - truth) / error of a ratio of means has unit variance over repeated experiments."""
    generator = np.random.default_rng(2)
    edges = np.array([0, 10, 60, 100, 190, 200, 320, 400, 500, 555, 600, 700, 800])
    pulls = []
    for _ in range(600):
        a, b = generator.exponential(2.0, 800), generator.exponential(1.0, 800) + 1.0
        sums = np.stack([np.add.reduceat(v, edges[:-1]) for v in (a, b)])
        full = sums[0].sum() / sums[1].sum()
        rest = sums.sum(axis=1)[:, None] - sums
        error, bias = jackknife(full, rest[0] / rest[1], np.diff(edges))
        pulls.append((full - bias - 1.0) / error)
    # a t-like pull with 12 blocks has a variance a little above one; 600 experiments know it to 6 %
    assert np.mean(pulls) == pytest.approx(0.0, abs=5 / np.sqrt(600))
    assert 0.85 < np.std(pulls) < 1.3


def test_one_block_admits_that_it_knows_no_error() -> None:
    error, bias = jackknife(1.0, [1.0], [10])
    assert np.isnan(error)
    assert np.isnan(bias)


def test_bootstrap_agrees_with_theory_and_repeats_itself() -> None:
    x = np.random.default_rng(3).exponential(size=2000)
    first, interval = bootstrap(np.median, x, draws=300)
    again, _ = bootstrap(np.median, x, draws=300)
    assert first == again
    # the median of an exponential law: density 1/2 at ln 2, so the error is 1 / (2 f sqrt n) = 1 / sqrt n
    assert first.error == pytest.approx(1 / np.sqrt(2000), rel=0.25)
    assert interval[0] < np.log(2) + 3 * first.error
    assert interval[1] > np.log(2) - 3 * first.error


def test_count_interval_covers_like_the_exact_poisson_law() -> None:
    """A central Garwood interval covers at least as often as it says, for rare counts too."""
    for mean in (0.2, 1.3, 7.0):
        k = np.arange(60)
        low, high = count_interval(k)
        covered = stats.poisson.pmf(k, mean)[(low <= mean) & (mean <= high)].sum()
        assert covered >= 0.6827 - 1e-9
    assert count_interval(0)[1] == pytest.approx(1.84, abs=0.01)  # Gehrels 1986
    assert analysis.count_error([0, 1, 4]).tolist() == [1.0, 1.0, 2.0]


def test_public_names_are_objects_not_modules() -> None:
    """A module of the same name as a function would hide it."""
    for name in analysis.__all__:
        assert not isinstance(getattr(analysis, name), types.ModuleType), name


def test_column_refuses_what_it_cannot_use() -> None:
    with pytest.raises(ValueError, match=r"shape \(n,\), but has shape \(2, 2\)"):
        analysis.column(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="run at least one trajectory"):
        analysis.column([])
    with pytest.raises(ValueError, match="1 undefined"):
        analysis.column([1.0, np.nan])
    with pytest.raises(ValueError, match="must be one of a, b"):
        analysis.column({"a": [1.0], "b": [2.0]}, "c")
    ensemble = types.SimpleNamespace(
        heat={"L": np.array([1.0, -1.0])}, work=np.zeros(2), counts=np.array([[1, 2], [0, 3]]), tlist=[0.0, 2.0]
    )
    assert analysis.column(ensemble, "L").name == "heat:L"
    assert analysis.column(ensemble, "activity").values.tolist() == [3.0, 3.0]
    with pytest.raises(ValueError, match="work, activity, heat:L"):
        analysis.column(ensemble, "entropy_production")
