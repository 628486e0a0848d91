"""Waiting times and the noise of currents in time."""

import numpy as np
import pytest
from scipy.integrate import simpson
import scipy.linalg as la

from collide.exact.process import Flow
from exact_systems import (
    Model,
    chain,
    collision_chain,
    histories,
    random_collisions,
    random_process,
    thermal_flow,
    two_level,
)


def test_two_levels_wait_exponentially():
    """After an emission only an absorption can follow, at the total upward rate; L or R by the ratio of their rates."""
    waits, t = Model(two_level()).waiting_times(), np.linspace(0.0, 5.0, 41)
    up = np.exp(-0.5), 3.0 * np.exp(-2.0)
    assert [event.counts for event in waits.events] == [(0,), (1,), (2,), (3,)]
    for after in (0, 2):
        assert waits.density(t, after, 0) == pytest.approx(np.zeros(41), abs=0)
        for then, rate in ((1, up[0]), (3, up[1])):
            assert waits.density(t, after, then) == pytest.approx(rate * np.exp(-sum(up) * t), rel=1e-12, abs=0)
        assert waits.survival(t, after) == pytest.approx(np.exp(-sum(up) * t), rel=1e-12, abs=0)
    assert waits.rates == pytest.approx(Model(two_level()).count_rates(), rel=1e-13, abs=0)


@pytest.mark.parametrize("process", [chain(2, g=0.3), random_process(4, 3)])
def test_jumps_against_the_no_jump_propagator(process):
    """Densities from the effective Hamiltonian acting on kets, without superoperators."""
    (flow,) = process.elements
    assert isinstance(flow, Flow)
    ops = [op.toarray() for op in flow.ops]
    H_eff = flow.H.toarray() - 0.5j * sum(L.conj().T @ L for L in ops)
    model, times = Model(process), [0.0, 0.3, 2.0]
    rho = model.steady_state()
    for after, then in ((0, 0), (0, 3), (2, 1)):
        start = ops[after] @ rho @ ops[after].conj().T
        expected = []
        for t in times:
            A = ops[then] @ la.expm(-1j * t * H_eff)
            expected.append(np.trace(A @ start @ A.conj().T).real / np.trace(start).real)
        assert model.waiting_time_density(times, after, then) == pytest.approx(expected, abs=1e-13)


def test_something_always_follows_and_the_mean_wait_is_one_over_the_rate():
    model = Model(chain(2, g=0.3, gammas=(0.4, 0.8)))
    waits, t = model.waiting_times(), np.linspace(0.0, 200.0, 4001)
    follow = np.array([[simpson(waits.density(t, l, k), x=t) for k in range(4)] for l in range(4)])
    assert follow.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-7)
    assert waits.rates @ follow == pytest.approx(waits.rates, abs=1e-7)  # the chain of events is stationary
    survival = sum(r * simpson(waits.survival(t, l), x=t) for l, r in enumerate(waits.rates)) / waits.rates.sum()
    assert survival == pytest.approx(1 / waits.rates.sum(), rel=1e-7, abs=0)


def test_unmonitored_events_pass_unseen():
    """A two-level system seen through bath L alone: absorptions and emissions of L alternate less strictly."""
    model, t = Model(two_level()), np.linspace(0.0, 60.0, 6001)
    waits = model.waiting_times([0, 1])
    totals = [sum(simpson(waits.density(t, l, k), x=t) for k in (0, 1)) for l in (0, 1)]
    assert totals == pytest.approx([1.0, 1.0], abs=1e-6)
    assert simpson(waits.density(t, 0, 0), x=t) > 0.1  # impossible if R were watched too


def test_collisions_by_enumeration():
    """What follows an event within the same and the next period, history by history."""
    process = random_collisions(8, 2)
    model, waits = Model(process), Model(process).waiting_times()
    rho = model.steady_state()
    p, kets = np.linalg.eigh(rho)
    # periods of two elements that count: remember at which each count was made
    amplitudes, counts = histories(process, kets.T, 2)
    weight = (np.abs(amplitudes) ** 2).sum(axis=2) @ p
    first, _ = histories(process, kets.T, 1)
    per_period = len(first)
    number = np.arange(len(weight))
    one = counts[: per_period * per_period].reshape(per_period, per_period, -1)[0]  # counts of the first period
    early, late = number % per_period, number // per_period
    L = [e for e, event in enumerate(waits.events) if event.element == 1]
    R = [e for e, event in enumerate(waits.events) if event.element == 2]
    for l in L:
        (row,) = waits.events[l].counts
        happened = one[early][:, row] == 1
        total = weight[happened].sum()
        assert waits.rates[l] * process.tau == pytest.approx(total, abs=1e-13)
        quiet = one[early][:, 2:].sum(axis=1) == 0
        for r in R:
            (then,) = waits.events[r].counts
            same = weight[happened & (one[early][:, then] == 1)].sum() / total
            assert waits.density([0.0, process.tau], l, r)[0] == pytest.approx(same, abs=1e-12)
        for k in L:
            (then,) = waits.events[k].counts
            following = weight[happened & quiet & (one[late][:, then] == 1)].sum() / total
            assert waits.density([0.0, process.tau], l, k) == pytest.approx([0.0, following], abs=1e-12)
        assert waits.survival([0.0], l)[0] == pytest.approx(weight[happened & quiet].sum() / total, abs=1e-12)


def test_what_never_happens_has_no_sequel():
    waits = Model(chain(2, betas=(1.0, np.inf))).waiting_times()
    assert len(waits.events) == 3  # nothing is absorbed from a bath at zero temperature
    cold = chain(2, betas=(np.inf, np.inf))
    with pytest.raises(ValueError, match="event 0 never happens"):
        Model(cold).waiting_time_density([1.0], 0, 1)


@pytest.mark.parametrize(("a", "b"), [("L", "L"), ("L", "R"), ("R", "L")])
def test_noise_is_the_integral_of_the_correlation(a, b):
    model, t = Model(chain(2, g=0.3, gammas=(0.4, 0.8))), np.linspace(0.0, 200.0, 20001)
    one, other = model.current_correlation(t, a, b), model.current_correlation(t, b, a)
    assert model.noise(a, b) == pytest.approx(one.delta + simpson(one.regular + other.regular, x=t), abs=1e-9)
    covariance = model.joint_heat_cumulants({a: 1, b: 1} if a != b else {a: 2})
    assert model.noise(a, b) == pytest.approx(covariance, rel=1e-12, abs=0)
    shot = model.count_rates() @ (model.process.counts.heat_weight(a) * model.process.counts.heat_weight(b))
    assert one.delta == pytest.approx(shot, rel=1e-12, abs=0)


def test_noise_of_collisions_is_the_sum_of_the_correlation():
    tau = 0.5
    model, t = Model(collision_chain(tau, g=0.3, gammas=(0.4, 0.8))), tau * np.arange(1, 800)
    for a, b in (("L", "L"), ("L", "R")):
        one, other = model.current_correlation(t, a, b), model.current_correlation(t, b, a)
        assert model.noise(a, b) == pytest.approx(one.delta + tau * (one.regular + other.regular).sum(), abs=1e-12)
    with pytest.raises(ValueError, match="must begin at one period"):
        model.current_correlation([0.0], "L")


def test_correlation_against_finite_time_variances():
    """The variance of the heat bends in time by twice the regular part; its slope at 0 is the shot noise."""
    model, h = Model(chain(2, g=0.3, gammas=(0.4, 0.8))), 1e-2
    variance = [model.heat_cumulants_at(t, "L", 2)[1] for t in (3.0 - h, 3.0, 3.0 + h)]
    found = model.current_correlation([3.0], "L")
    assert (variance[0] - 2 * variance[1] + variance[2]) / h**2 == pytest.approx(2 * found.regular[0], rel=1e-4, abs=0)
    assert model.heat_cumulants_at(1e-6, "L", 2)[1] / 1e-6 == pytest.approx(found.delta, rel=1e-5, abs=0)


def test_flows_within_a_period_are_not_monitored():
    base = collision_chain(0.5)
    pause = thermal_flow(base.H, [(base.elements[0].matrix * 0, 0.0, 1.0, 1.0, "boson")] * 2, 0.25)
    process = type(base)(base.dims, base.H, (*base.elements, pause), base.counts, base.tau)
    assert {event.element for event in Model(process).waiting_times().events} == {1, 2}
