"""Cumulants against laws whose cumulants are known, and their errors against repeated experiments."""

import numpy as np
import pytest

from collide.analysis import covariance, cumulants, cumulants_in_time, joint_cumulant
from collide.analysis.kstatistics import k_statistics, power_sums


def test_k_statistics_are_unbiased_for_tiny_samples() -> None:
    """The mean over all 2^n samples of n coin tosses is the cumulant itself: 1/2, 1/4, 0, -1/8."""
    for n in (4, 5, 7):
        samples = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        sums = np.stack([samples.sum(axis=1).astype(float)] * 4, axis=-1)  # powers of 0 and 1 are themselves
        assert k_statistics(sums, np.full(2**n, n)).mean(axis=0) == pytest.approx([0.5, 0.25, 0.0, -0.125], abs=1e-14)


def test_the_plain_sample_variance_would_be_caught() -> None:
    """Planted fault: m_2 in place of k_2 fails the test above."""
    n = 4
    samples = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    assert abs(samples.var(axis=1).mean() - 0.25) > 0.05


def test_too_few_trajectories_give_nan_not_a_number() -> None:
    value = cumulants(np.array([1.0, 2.0, 4.0])).value
    assert np.isfinite(value[:3]).all()
    assert np.isnan(value[3])


def test_pivot_saves_the_digits_of_the_fourth_cumulant() -> None:
    x = np.random.default_rng(0).exponential(size=5000)
    far = cumulants(x + 1e5)
    assert far.value[1:] == pytest.approx(cumulants(x).value[1:], rel=1e-6)
    naive = k_statistics(power_sums(x + 1e5, np.array([0, 5000])).sum(axis=0), 5000)
    assert abs(naive[3] / far.value[3] - 1) > 1e-2  # what the pivot is for


def test_poisson_and_gamma_cumulants() -> None:
    generator = np.random.default_rng(1)
    counted = cumulants(generator.poisson(3.0, 200_000).astype(float), "counts", time=2.0)
    for order in (1, 2, 3, 4):
        assert abs(counted[order].deviation(3.0)) < 4  # all cumulants of a Poisson law are its mean
    assert abs(counted.fano.deviation(1.0)) < 4
    assert counted.rates()[1].value == pytest.approx(counted.mean.value / 2)
    assert abs(counted.moment(3).deviation(3 + 3 * 9 + 27)) < 4
    gamma = cumulants(generator.gamma(2.0, 1.5, 200_000))
    exact = [2 * 1.5, 2 * 1.5**2, 4 * 1.5**3, 12 * 1.5**4]
    assert all(abs(gamma[k + 1].deviation(exact[k])) < 4 for k in range(4))
    assert abs(gamma.skewness.deviation(2 / np.sqrt(2))) < 4
    assert abs(gamma.excess_kurtosis.deviation(3.0)) < 4


def test_errors_of_all_orders_are_calibrated() -> None:
    """Over 400 repeated experiments the pulls of k_1 to k_4 scatter by one."""
    generator = np.random.default_rng(2)
    exact = np.array([1.0, 1.0, 2.0, 6.0])  # exponential law
    pulls = []
    for _ in range(400):
        c = cumulants(generator.exponential(size=4000))
        pulls.append((c.value - exact) / c.error)
    spread = np.std(pulls, axis=0)
    assert (spread[:2] > 0.85).all()
    assert (spread[:2] < 1.15).all()
    # k_3 and k_4 of a skewed law go with their own errors, which widens the pull; it must not do so by much
    assert (spread[2:] > 0.8).all()
    assert (spread[2:] < 1.8).all()


def test_infinite_entropy_is_kept_as_a_value() -> None:
    c = cumulants(np.array([0.0, 1.0, np.inf, 2.0]), "entropy_production")
    assert c.value[0] == np.inf
    assert np.isnan(c.value[1:]).all()


def test_joint_cumulants_of_sums_of_independent_numbers() -> None:
    """x = a + b, y = b + c, z = b with gamma b: every joint cumulant across them is the cumulant of b."""
    generator = np.random.default_rng(3)
    a, b, c = (generator.gamma(2.0, 1.0, 300_000) for _ in range(3))
    source = {"x": a + b, "y": b + c, "z": b}
    assert abs(joint_cumulant(source, ("x", "y")).deviation(2.0)) < 4
    assert abs(joint_cumulant(source, ("x", "y", "z")).deviation(4.0)) < 4
    assert abs(joint_cumulant(source, ("x", "y", "z", "z")).deviation(12.0)) < 4
    assert abs(joint_cumulant(source, ("x",)).deviation(4.0)) < 4
    matrix = covariance(source, ("x", "y", "z"))
    assert matrix.value == pytest.approx(np.cov(np.stack([source[k] for k in "xyz"])), rel=1e-9)
    assert matrix.correlation[0, 0] == pytest.approx(1.0)


def test_joint_of_one_column_is_the_plain_cumulant() -> None:
    x = np.random.default_rng(4).gamma(1.3, size=3000)
    plain = cumulants(x)
    for order in (1, 2, 3, 4):
        joint = joint_cumulant({"x": x}, ("x",) * order)
        assert joint.value == pytest.approx(plain.value[order - 1], rel=1e-9)
        assert joint.error == pytest.approx(plain.error[order - 1], rel=1e-6)


def test_time_resolved_cumulants_of_a_poisson_process() -> None:
    """Counts of a Poisson process of rate 2: every cumulant is 2 t at every time; the errors cover the truth."""
    generator = np.random.default_rng(5)
    time = np.array([0.0, 0.5, 1.0, 3.0])
    sizes = np.array([400] * 49 + [150])
    pulls = []
    for _ in range(40):
        steps = generator.poisson(2.0 * np.diff(time, prepend=0.0), (sizes.sum(), 4))
        path = np.cumsum(steps, axis=1).astype(float)
        powers = np.stack([path**k for k in (1, 2, 3, 4)], axis=-1)
        sums = np.add.reduceat(powers, np.concatenate([[0], np.cumsum(sizes)[:-1]]), axis=0)
        result = cumulants_in_time(sums, sizes, time)
        assert result.value[0].tolist() == [0.0] * 4
        pulls.append((result.value[1:] - 2 * time[1:, None]) / result.error[1:])
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.8
    assert (np.std(pulls, axis=0) > 0.6).all()
    assert (np.std(pulls, axis=0) < 1.6).all()
    assert result.rates[1:, 0] == pytest.approx(2.0, rel=0.05)


def test_time_resolved_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match=r"\(nchunks, ntime, 4\) = \(2, 3, 4\), but has shape \(2, 3\)"):
        cumulants_in_time(np.zeros((2, 3)), [1, 1], [0.0, 1.0, 2.0])
