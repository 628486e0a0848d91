"""Real ensembles of both engines against their exact side, and what the comparison catches when something is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
import math
from typing import Any

import numpy as np
import pytest

import collide
from collide.analysis import (
    ExactSide,
    atoms,
    channel_increments,
    compare_with_exact,
    concurrence,
    detailed_fluctuation_theorem,
    exact_waiting,
    first_passage,
    heat_cumulants_in_time,
    integral_fluctuation_theorem,
    is_own_reverse,
    jump_records,
    mean_of_functional,
    run_backwards,
    state_functional,
    waiting_times,
)
from collide.analysis.exact_laws import joint_law
from collide.ensemble import run, run_program
from collide.machines.rectifier import rectifier
from collide.program import compile_program

HOT: dict[str, Any] = {"g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.5}
PICTURES = [{}, {"picture": "collision", "tau": 0.5}]
N_OP = {"n": np.diag([2.0, 1.0, 1.0, 0.0]), "sx": np.fliplr(np.eye(4))}


def sample(n: int = 20_000, seed: int = 1, tlist: Any = (5.0, 20.0), keep: Any = ("totals",), **options: Any) -> Any:
    initial = options.pop("initial", "steady")
    model = rectifier(**{"N": 2, **HOT, **options})
    return run(model, n, list(tlist), seed, initial=initial, e_ops=N_OP, keep=keep, progress=False)


@pytest.fixture(scope="module", params=PICTURES, ids=["jumps", "collisions"])
def ensemble(request: pytest.FixtureRequest) -> Any:
    return sample(keep=("totals", "jumps", "final_state"), **request.param)


def test_an_ensemble_agrees_with_its_exact_side(ensemble: Any) -> None:
    verdict = compare_with_exact(ensemble)
    assert verdict.passed, repr(verdict)
    assert verdict.comparisons > 30
    names = {r.name for r in verdict.rows}
    assert {"<heat:L>", "var(work)", "<entropy_production>", "cov(heat:L, heat:R)", "<exp(-Σ)>"} <= names
    assert {"<heat:R at t = 5>", "<sx> at t = 20"} <= names
    assert {"net quanta L (χ²)", "final outcomes (χ²)"} <= names


def test_z_scores_scatter_by_one() -> None:
    """Over 60 small ensembles: no group of comparisons is blunt or too sharp."""
    program = compile_program(rectifier(N=2, **HOT), [5.0, 10.0], e_ops=N_OP)
    rows = [compare_with_exact(run_program(program, 3000, s), distributions=False).rows for s in range(60)]
    z = np.array([[r.z for r in row] for row in rows])
    spread, mean = z.std(axis=0), z.mean(axis=0)
    for k, row in enumerate(rows[0]):
        if row.name.startswith(("<work>", "var(work)", "<closing_energy>", "initial", "final")):
            continue
        if row.name.startswith("<sx>"):
            assert spread[k] < 1.4, row.name  # purely imaginary coherence: the mean vanishes, the error floor may rule
            continue
        assert 0.7 < spread[k] < 1.35, row.name
        assert abs(mean[k]) < 0.6, row.name


class Tampered:
    """An ensemble with something replaced."""

    def __init__(self, ensemble: Any, **replaced: Any) -> None:
        self.__dict__.update(replaced, _ensemble=ensemble)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ensemble, name)

    def __len__(self) -> int:
        return len(self._ensemble)


def failed(ensemble: Any) -> set[str]:
    return {r.name for r in compare_with_exact(ensemble).failures()}


def test_planted_faults_are_caught_where_they_are(ensemble: Any) -> None:
    heat = dict(ensemble.heat)
    assert "<heat:L>" in failed(Tampered(ensemble, heat={**heat, "L": heat["L"] + 0.05}))
    assert failed(Tampered(ensemble, heat={**heat, "L": 1.1 * heat["L"]})) >= {"var(heat:L)"}
    assert "cov(heat:L, heat:R)" in failed(Tampered(ensemble, heat={**heat, "R": heat["R"][::-1]}))
    assert failed(Tampered(ensemble, work=ensemble.work + 1e-6)) == {"<work>"}  # conserved to rounding: a sharp test
    sigma = ensemble.entropy_production
    assert failed(Tampered(ensemble, entropy_production=sigma + 0.1)) >= {
        "<entropy_production>",
        "<exp(-Σ)>",
        "entropy_production (χ²)",
    }
    flipped = np.where(np.arange(len(ensemble)) % 7 == 0, 0, ensemble.final)
    frozen = Tampered(ensemble, column=lambda name: flipped if name == "final" else ensemble.column(name))
    assert failed(frozen) == {"final outcomes (χ²)"}
    more = ensemble.counts.copy()
    more[::50, 0] += 1
    assert "net quanta L (χ²)" in failed(Tampered(ensemble, counts=more))
    assert "<n> at t = 5" in failed(
        Tampered(
            ensemble,
            expect={"n": type(ensemble.expect["n"])(ensemble.expect["n"].value + 0.1, ensemble.expect["n"].error)},
        )
    )


def test_an_ensemble_of_another_model_is_refused() -> None:
    """5 % more coupling to one bath, in 20000 trajectories."""
    other = compile_program(rectifier(N=2, **{**HOT, "gamma_L": 0.043}), [5.0, 20.0], e_ops=N_OP)
    assert not compare_with_exact(Tampered(sample(40_000), program=other)).passed


def test_a_sure_start_has_its_deficit() -> None:
    ens = sample(initial=np.eye(4)[3], tlist=[6.0])
    verdict = compare_with_exact(ens)
    assert verdict.passed, repr(verdict)
    row = next(r for r in verdict.rows if r.name == "<exp(-Σ)>")
    assert 0.1 < row.exact < 0.9
    assert abs(integral_fluctuation_theorem(ens, expected=row.exact, symmetric=False).z) < 4
    assert abs(integral_fluctuation_theorem(ens, symmetric=False).z) > 10


def test_zero_temperature_is_compared_as_far_as_it_is_finite() -> None:
    verdict = compare_with_exact(sample(T_R=0.0))
    assert verdict.passed, repr(verdict)
    assert any("infinite" in note for note in verdict.notes)
    share = next(r for r in verdict.rows if r.name == "P(entropy_production = ∞)")
    assert 0.05 < share.exact < 0.9
    assert share.sampled.error < 0.01
    assert "<heat:R>" in {r.name for r in verdict.rows}


def test_generating_function_of_entropy_is_exact(ensemble: Any) -> None:
    exact = ExactSide(ensemble.program)
    s = np.array([0.0, 0.3, 0.7, 1.0])
    value = exact.entropy_generating_function(s)
    sampled = np.exp(-s[:, None] * ensemble.entropy_production)
    assert value[0] == pytest.approx(1.0, abs=1e-10)
    assert value[3] == pytest.approx(exact.statistics.exponential_average.mean, abs=1e-10)
    error = sampled.std(axis=1) / math.sqrt(len(ensemble))
    assert (np.abs(sampled.mean(axis=1) - value) <= 4 * error + 1e-12).all()


@contextmanager
def no_warnings() -> Iterator[None]:
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.mark.parametrize("options", [*PICTURES, {"picture": "collision", "tau": 0.5, "eps_L": -1, "eps_R": -1}])
@pytest.mark.parametrize("initial", ["steady", np.eye(4)[2]], ids=["steady", "sure"])
def test_detailed_theorem_against_the_reversed_process(options: dict[str, Any], initial: Any) -> None:
    """Crooks with coherence: true of the pair of processes, false of the forward one and its mirror image."""
    ens = sample(30_000, initial=initial, tlist=[10.0], **options)
    with no_warnings():
        backward = run_backwards(ens, progress=False)
    pair = detailed_fluctuation_theorem(ens, backward=backward)
    assert abs(pair.z) < 4
    assert pair.shape.p_value > 1e-4
    assert compare_with_exact(backward.ensemble).passed
    assert not is_own_reverse(ExactSide(ens.program))
    assert detailed_fluctuation_theorem(ens).shape.p_value < 1e-6  # the mirror image alone would fail
    lost = np.isinf(backward.entropy_production).mean()
    deficit = 1 - ExactSide(ens.program).statistics.exponential_average.mean
    assert lost == pytest.approx(deficit, abs=4 * math.sqrt(0.25 / 30_000) + 1e-12)  # absolute irreversibility, counted


def test_a_classical_machine_is_its_own_reverse() -> None:
    ens = run(rectifier(N=2, equation="global", **HOT), 30_000, 20.0, 3, progress=False)
    assert is_own_reverse(ExactSide(ens.program))
    alone = detailed_fluctuation_theorem(ens)
    assert abs(alone.z) < 4
    assert alone.shape.p_value > 1e-4
    with pytest.raises(ValueError, match="irreversible exchanges"):
        run_backwards(sample(100, T_R=0.0))


def test_records_of_an_ensemble_give_waits_and_passages() -> None:
    """Times between jumps of a run against the exact densities of its own operators."""
    ens = sample(4000, tlist=[60.0], keep=("totals", "jumps"))
    records = jump_records(ens)
    process = ens.program.exact.process
    flow = process.elements[0]
    exact = exact_waiting(process.H.toarray(), [op.toarray() for op in flow.ops])
    found = waiting_times(records, longest=20.0)
    grid = np.linspace(0, 20, 401)
    cdf = 1 - exact.survival(grid)
    assert found.density(16).against(lambda t: np.interp(t, grid, cdf)).p_value > 1e-4
    for bath in ens.baths:
        step = channel_increments(ens, f"heat:{bath}")
        total = np.bincount(records.row, step[records.channel], len(ens))
        assert total == pytest.approx(ens.heat[bath], abs=1e-9)  # jumps carry all the heat
    entropy = channel_increments(ens, "entropy")
    passage = first_passage(records, entropy, -1.0)
    assert passage.n == len(ens)
    assert channel_increments(ens, "activity").sum() == len(flow.ops)
    with pytest.raises(ValueError, match="must be one of heat:L, charge:L"):
        channel_increments(ens, "heat:X")


def test_states_and_times_of_an_ensemble(ensemble: Any) -> None:
    """Concurrence of the averaged state against the exact one, and above it the average over pure states."""
    exact = ensemble.program.exact.evolve(ExactSide(ensemble.program).start, ensemble.tlist)[-1]
    signed = state_functional(ensemble, concurrence, signed=True)
    assert abs(signed.estimate.deviation(float(concurrence(exact, signed=True)))) < 6  # five chunks: a rough error
    trajectories = mean_of_functional(concurrence, ensemble.final_state)
    assert trajectories.estimate.value > signed.estimate.value + 0.1
    result = heat_cumulants_in_time(ensemble, "L")
    for k, t in enumerate(ensemble.tlist):
        value = ExactSide(ensemble.program).heat_cumulants_at(t, "L")
        assert abs(result.at(k, 1).deviation(value[0])) < 4.5
        assert abs(result.at(k, 2).deviation(value[1])) < 4.5
    with pytest.raises(ValueError, match="one of L, R, but is 'X'"):
        heat_cumulants_in_time(ensemble, "X")


def test_public_name() -> None:
    assert collide.analysis.compare_with_exact is compare_with_exact


@pytest.mark.parametrize("options", [*PICTURES, {"g": 0.3, "T_R": 2.0}, {"N": 1}])
@pytest.mark.parametrize("initial", ["steady", "sure"])
def test_exact_law_of_entropy_production(options: dict[str, Any], initial: str) -> None:
    """Norm, mean, variance and <e^{-Σ}> of the distribution against other exact routes, and the ensemble itself."""
    model = rectifier(**{"N": 2, **HOT, **options})
    d = model.process.d
    ens = run(model, 10_000, 10.0, 4, initial="steady" if initial == "steady" else np.eye(d)[0], progress=False)
    exact = ExactSide(ens.program)
    joint = joint_law(exact)
    assert joint is not None
    support, p = joint.entropy_production()
    mean, variance = exact.cumulants("entropy_production", 2)
    assert p.sum() == pytest.approx(1.0, abs=1e-10)
    assert support @ p == pytest.approx(mean, abs=1e-9)
    assert support**2 @ p - mean**2 == pytest.approx(variance, abs=1e-8)
    assert np.exp(-support) @ p == pytest.approx(exact.statistics.exponential_average.mean, abs=1e-8)
    found = atoms(ens, "entropy_production")
    assert found.against(support, p).p_value > 1e-4
    wrong = atoms(ens.entropy_production * 1.001)  # planted fault: atoms at the wrong places
    assert wrong.against(support, p).p_value < 1e-6
    for value, change in (joint.work(), exact.energy_change_distribution()):
        assert change.sum() == pytest.approx(1.0, abs=1e-10)
        assert len(value) == len(change)


def test_laws_out_of_reach_are_not_guessed() -> None:
    for options in ({"equation": "global"}, {"T_R": 0.0}, {"N": 5}):
        program = compile_program(rectifier(**{"N": 2, **HOT, **options}), [5.0])
        assert joint_law(ExactSide(program)) is None
