"""The court for random models: forty of each kind, others than the suite's, five times the trajectories.

About 2500 comparisons of totals at 5.2 standard errors, 16 000 elements of averaged states at 5.5, eighty
Kolmogorov-Smirnov tests at 1e-5: false alarm below 0.3 % for all of them together.
"""

from typing import Any

from hypothesis import given
import numpy as np
import pytest

from collide import LindbladModel
from random_models import deviations, generators, models_judged, seeds, waiting
from test_random_models import CONTINUOUS, KINDS, labels_of, with_strongest_channel

LIMIT, STATE_LIMIT, P_VALUE = 5.2, 5.5, 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_forty_ensembles_agree_with_the_exact_side(court: Any, kind: str) -> None:
    @models_judged(40)
    @given(KINDS[kind], generators)
    def judge_forty(model: Any, rng: np.random.Generator) -> None:
        with court(f"40 random models, {kind}: means, variances, fluctuation theorem") as row:
            found, state = deviations(model, rng, 6.0, 40_000, labels_of(kind))
            row.z_scores(found.values(), LIMIT)
        with court(f"40 random models, {kind}: averaged states element by element") as row:
            row.z_scores(state.values(), STATE_LIMIT)

    judge_forty()


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_forty_waiting_times_have_the_exact_density(court: Any, kind: str) -> None:
    @models_judged(40)
    @given(CONTINUOUS[kind], seeds)
    def judge_forty(model: LindbladModel, seed: int) -> None:
        with court(
            f"40 random models, {kind}: waiting times, Kolmogorov-Smirnov at 1e-5, and by what ends them"
        ) as row:
            p_value, found = waiting(model, seed, 20_000)
            row.z_scores(found.values(), LIMIT)
            row.checks(1)
            assert p_value > P_VALUE

    judge_forty()


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_a_wrong_rate_would_be_seen(court: Any, kind: str) -> None:
    """Planted: ensembles of models whose strongest channel is half as strong again, judged by the right ones."""
    caught = []

    @models_judged(5)
    @given(CONTINUOUS[kind], seeds)
    def judge(model: LindbladModel, seed: int) -> None:
        wrong = with_strongest_channel(model, 1.5)
        vars(wrong).update({name: getattr(model, name) for name in ("trajectory_statistics", "evolve")})
        found, state = deviations(wrong, np.random.default_rng(seed), 6.0, 100_000)
        caught.append(max(map(abs, found.values())) > LIMIT and max(map(abs, state.values())) > STATE_LIMIT)

    with court("planted: a rate 50 % too large in a random model") as row:
        judge()
        assert sum(caught) >= 4
        row.checks(len(caught))
