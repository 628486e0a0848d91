"""Waits, residences and first passages of processes whose laws are known, with a brute-force unravelling as referee."""

import math

import numpy as np
import pytest
from scipy import stats

from collide.analysis import (
    exact_waiting,
    first_passage,
    jumps,
    kolmogorov_smirnov,
    residence_times,
    successive_correlation,
    waiting_times,
)
from collide.analysis.waiting import Jumps


def renewal(draw, n: int, horizon: float) -> Jumps:
    """Records of n renewal processes; `draw(k)` gives k waits."""
    size, time = [], []
    for _ in range(n):
        t = np.cumsum(draw(int(4 * horizon) + 20))
        assert t[-1] > horizon
        t = t[t < horizon]
        size.append(len(t))
        time.append(t)
    flat = np.concatenate(time)
    return jumps(size, flat, np.zeros(len(flat), dtype=int), horizon)


def two_level(rates: tuple[float, float], n: int, horizon: float, seed: int) -> Jumps:
    """Absorption (channel 0) and emission (channel 1) of a two-level system that starts in its ground state."""
    generator = np.random.default_rng(seed)
    size, time, channel = [], [], []
    for _ in range(n):
        t, state, mine = 0.0, 0, 0
        while True:
            t += generator.exponential(1 / rates[state])
            if t > horizon:
                break
            time.append(t)
            channel.append(state)
            state, mine = 1 - state, mine + 1
        size.append(mine)
    return jumps(size, time, channel, horizon)


def test_density_is_unbiased_although_records_end() -> None:
    """Gamma waits of mean 1 in records of length 6: a plain histogram of complete waits is biased, ours is not."""
    generator = np.random.default_rng(0)
    records = renewal(lambda k: generator.gamma(0.5, 2.0, k), 2000, 6.0)
    found = waiting_times(records, longest=3.0)
    law = stats.gamma(0.5, scale=2.0)
    edges = np.linspace(0.0, 3.0, 13)
    assert found.density(edges).against(law.cdf).p_value > 1e-3
    assert found.longer / found.n == pytest.approx(law.sf(3.0), abs=4 * math.sqrt(law.sf(3.0) / found.n))
    assert found.survival([1.0])[0] == pytest.approx(law.sf(1.0), abs=0.02)
    # planted fault: every complete wait in the record
    wait = np.diff(records.time)[np.diff(records.row) == 0]
    assert kolmogorov_smirnov(wait, law.cdf).p_value < 1e-6
    assert wait.mean() < 0.95 * law.mean()


def test_waits_by_channel_and_residence() -> None:
    up, down = 0.7, 1.9
    records = two_level((up, down), 3000, 12.0, 1)
    after_absorption = waiting_times(records, after=[0], longest=3.0)
    assert after_absorption.density(10).against(stats.expon(scale=1 / down).cdf).p_value > 1e-3
    after_emission = waiting_times(records, after=[1], longest=6.0)
    assert after_emission.density(10).against(stats.expon(scale=1 / up).cdf).p_value > 1e-3
    assert (
        waiting_times(records, after=[0], until=[0], longest=3.0).longer
        == waiting_times(records, after=[0], until=[0], longest=3.0).n
    )  # an absorption never follows an absorption
    excited = residence_times(records, enter=[0], leave=[1], longest=3.0)
    assert np.array_equal(excited.waits, after_absorption.waits)
    period = residence_times(records, enter=[0], leave=[0], longest=6.0)
    cdf = lambda t: 1 - (down * np.exp(-up * t) - up * np.exp(-down * t)) / (down - up)  # noqa: E731
    assert period.density(12).against(cdf).p_value > 1e-3
    watched = waiting_times(records.only([0]), longest=6.0)
    assert np.array_equal(watched.waits, period.waits)


def test_successive_waits_of_a_renewal_process_are_uncorrelated() -> None:
    generator = np.random.default_rng(2)
    records = renewal(lambda k: generator.gamma(2.0, 0.5, k), 400, 40.0)
    assert abs(successive_correlation(records).deviation(0.0)) < 4
    assert abs(successive_correlation(records, lag=3).deviation(0.0)) < 4


def test_a_correlation_put_in_is_found() -> None:
    """Waits w_k = a_k + a_{k+1} of independent exponentials have correlation 1/2 with their neighbours, 0 beyond."""
    generator = np.random.default_rng(3)

    def draw(k: int) -> np.ndarray:
        a = generator.exponential(0.5, k + 1)
        return a[1:] + a[:-1]

    records = renewal(draw, 400, 60.0)
    assert abs(successive_correlation(records).deviation(0.5)) < 4
    assert abs(successive_correlation(records, lag=2).deviation(0.0)) < 4
    with pytest.raises(ValueError, match="run for longer"):
        successive_correlation(jumps([1, 1], [0.1, 0.2], [0, 0], 1.0))


def ladder() -> tuple[np.ndarray, list[np.ndarray]]:
    """A driven qubit with decay and dephasing-free heating: a genuinely quantum wait."""
    minus = np.array([[0, 0], [1, 0]], dtype=complex)  # |g><e| with e first
    H = 0.8 * (minus + minus.conj().T) + 0.3 * np.diag([1.0, -1.0])
    return H, [math.sqrt(1.0) * minus, math.sqrt(0.25) * minus.conj().T]


def test_exact_waits_are_normalised_and_consistent() -> None:
    exact = exact_waiting(*ladder())
    t = np.linspace(0.0, 60.0, 6001)
    w = exact.density(t)
    assert np.trapezoid(w, t) == pytest.approx(1.0, abs=2e-4)
    assert exact.moment(1) == pytest.approx(1 / exact.rate, rel=1e-10)  # Kac: mean wait is the inverse of the rate
    assert np.trapezoid(w * t, t) == pytest.approx(exact.moment(1), rel=2e-3)
    by_channel = exact.density([0.7], until=[0]) + exact.density([0.7], until=[1])
    assert by_channel == pytest.approx(exact.density([0.7]))
    step = 1e-5
    slope = (exact.survival([0.7 + step]) - exact.survival([0.7 - step])) / (2 * step)
    assert -slope[0] == pytest.approx(exact.density([0.7])[0], rel=1e-6)


def test_exact_correlation_of_a_two_level_process() -> None:
    """Alternating exponentials of rates a, b: correlation -(1/a - 1/b)²/(3/a² + 3/b² - 2/(ab)) between neighbours."""
    a, b = 0.7, 1.9
    minus = np.array([[0, 0], [1, 0]], dtype=complex)
    exact = exact_waiting(np.zeros((2, 2)), [math.sqrt(a) * minus.T, math.sqrt(b) * minus])
    neighbour = -((1 / a - 1 / b) ** 2) / (3 / a**2 + 3 / b**2 - 2 / (a * b))
    assert exact.correlation() == pytest.approx(neighbour, rel=1e-10)
    assert exact.correlation(2) == pytest.approx(-neighbour, rel=1e-10)
    records = two_level((a, b), 1500, 40.0, 4)
    assert abs(successive_correlation(records, since=5.0).deviation(neighbour)) < 4
    assert exact_waiting(np.zeros((2, 2)), [math.sqrt(a) * minus.T, math.sqrt(b) * minus], [1]).correlation() == (
        pytest.approx(0.0, abs=1e-10)  # emissions alone renew the state
    )


def test_records_of_a_driven_qubit_agree_with_the_exact_waits() -> None:
    """Brute-force unravelling, step 2e-3, against the exact densities and correlation."""
    H, c_ops = ladder()
    generator = np.random.default_rng(5)
    step, horizon, n = 2e-3, 30.0, 300
    effective = H - 0.5j * sum(c.conj().T @ c for c in c_ops)
    values, vectors = np.linalg.eig(effective)
    quiet = (vectors * np.exp(-1j * step * values)) @ np.linalg.inv(vectors)
    psi = np.tile(np.array([0, 1], dtype=complex), (n, 1))
    level = generator.random(n)
    found: list[list[tuple[float, int]]] = [[] for _ in range(n)]
    for k in range(1, int(horizon / step)):
        psi = psi @ quiet.T
        for i in np.flatnonzero((np.abs(psi) ** 2).sum(axis=1) < level):
            after = [c @ psi[i] for c in c_ops]
            weight = np.array([np.vdot(v, v).real for v in after])
            which = int(generator.random() < weight[1] / weight.sum())
            psi[i] = after[which] / math.sqrt(weight[which])
            level[i] = generator.random()
            found[i].append((k * step, which))
    flat = [jump for row in found for jump in row]
    records = jumps([len(r) for r in found], [j[0] for j in flat], [j[1] for j in flat], horizon)
    exact = exact_waiting(H, c_ops)
    t = np.linspace(0, 8, 801)
    cdf = 1 - exact.survival(t)
    waits = waiting_times(records, longest=8.0, since=8.0)
    assert waits.density(20).against(lambda x: np.interp(x, t, cdf)).p_value > 1e-3
    assert abs(successive_correlation(records, since=8.0, longest=12.0).deviation(exact.correlation())) < 4
    assert len(records.time) / (n * horizon) == pytest.approx(exact.rate, rel=0.05)
    # planted fault: a channel that the detector misses
    partial = 1 - exact_waiting(H, c_ops, [0]).survival(t)
    assert waits.density(20).against(lambda x: np.interp(x, t, partial)).p_value < 1e-6


def test_a_dark_state_has_no_mean_wait() -> None:
    minus = np.array([[0, 0], [1, 0]], dtype=complex)
    with pytest.raises(ValueError, match="never fire"):
        exact_waiting(np.zeros((2, 2)), [minus]).moment(1)


def poisson_pair(a: float, b: float, n: int, horizon: float, seed: int) -> Jumps:
    """Channel 0 at rate a and channel 1 at rate b, independent."""
    generator = np.random.default_rng(seed)
    size = generator.poisson((a + b) * horizon, n)
    row = np.repeat(np.arange(n), size)
    time = generator.uniform(0, horizon, size.sum())
    time = time[np.lexsort((time, row))]
    return jumps(size, time, (generator.random(size.sum()) < b / (a + b)).astype(int), horizon)


def test_first_passage_of_one_quantum_is_the_first_jump() -> None:
    records = poisson_pair(0.8, 0.0, 4000, 3.0, 6)
    found = first_passage(records, [1.0, 0.0], 1.0)
    assert found.probability.deviation(1 - math.exp(-2.4)) == pytest.approx(0.0, abs=4)
    assert found.density(12).against(stats.expon(scale=1 / 0.8).cdf).p_value > 1e-3
    third = first_passage(records, [1.0, 0.0], 3.0)
    assert third.density(8).against(stats.gamma(3, scale=1 / 0.8).cdf).p_value > 1e-3
    with pytest.raises(ValueError, match="not zero"):
        first_passage(records, [1.0, 0.0], 0.0)


def test_gamblers_ruin_of_entropy() -> None:
    """A walk with rates a > b ever falls to -k with probability (b/a)^k, the entropy bound e^{-s} met with equality."""
    a, b = 1.0, 0.4
    affinity = math.log(a / b)
    records = poisson_pair(a, b, 8000, 60.0, 7)
    for k in (1, 2, 4):
        found = first_passage(records, [affinity, -affinity], -k * affinity)
        assert abs(found.probability.deviation((b / a) ** k)) < 4
    assert abs(first_passage(records, [affinity, -affinity], -affinity).probability.deviation(0.5)) > 5


def test_first_passage_by_hand() -> None:
    records = jumps([3, 0, 2], [0.1, 0.2, 0.3, 0.5, 0.6], [0, 1, 0, 0, 0], 1.0)
    assert first_passage(records, [1.0, -1.0], 2.0).times.tolist() == [0.6]
    assert first_passage(records, [1.0, -1.0], 1.0).times.tolist() == [0.1, 0.5]
    assert first_passage(records, [1.0, -1.0], 1.0, start=[0.0, 1.0, 0.0]).times.tolist() == [0.1, 0.0, 0.5]
    assert first_passage(records, [1.0, np.inf], 1.5).times.tolist() == [0.2, 0.6]  # an irreversible jump
    assert first_passage(records, [1.0, -1.0], -1.0).never == 3


def test_damaged_records_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sum\(row_size\) = 3 jumps, but hold 2 and 2"):
        jumps([3], [0.1, 0.2], [0, 0], 1.0)
    with pytest.raises(ValueError, match="goes back"):
        jumps([2], [0.2, 0.1], [0, 0], 1.0)
    with pytest.raises(ValueError, match="at least the last jump time"):
        jumps([1], [2.0], [0], 1.0)
    empty = jumps([0, 0], [], [], 1.0)
    assert waiting_times(empty).n == 0
    assert first_passage(empty, [1.0], 1.0).never == 2
