"""Random valid models of every kind: ensembles agree with the exact side of the same model at the same finite time.

Ten models of each kind, the same in every run.  Over all seeds one could have chosen, a right program fails this file
with a probability of about 1.5 %: 700 comparisons at 4.5 standard errors, 3000 elements of averaged states at 5.2, 20
Kolmogorov-Smirnov tests at 1e-4 and 300 numbers of waits at 4.5.  `make verify` repeats it with forty other models of
each kind and more trajectories.
"""

from typing import Any

from hypothesis import given
import numpy as np
import pytest

from collide import LindbladModel
from collide.exact.process import Flow
from random_models import (
    collision_models,
    davies_models,
    deviations,
    generators,
    local_models,
    models_judged,
    seeds,
    waiting,
)

LIMIT, STATE_LIMIT, P_VALUE = 4.5, 5.2, 1e-4
CONTINUOUS = {"davies": davies_models(), "local": local_models()}
KINDS = CONTINUOUS | {"collisions": collision_models, "collisions by labels": collision_models}


def labels_of(kind: str) -> str:
    """How outcomes are told apart."""
    return "all" if kind == "collisions by labels" else "heat"


@pytest.mark.parametrize("kind", KINDS)
def test_ensembles_agree_with_the_exact_side(kind: str) -> None:
    @models_judged(10)
    @given(KINDS[kind], generators)
    def judge(model: Any, rng: np.random.Generator) -> None:
        found, state = deviations(model, rng, 6.0, 8000, labels_of(kind))
        assert max(map(abs, found.values())) < LIMIT, found
        assert max(map(abs, state.values())) < STATE_LIMIT, state

    judge()


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_waiting_times_have_the_exact_density(kind: str) -> None:
    @models_judged(10)
    @given(KINDS[kind], seeds)
    def judge(model: LindbladModel, seed: int) -> None:
        p_value, found = waiting(model, seed, 4000)
        assert p_value > P_VALUE
        assert max(map(abs, found.values())) < LIMIT, found

    judge()


def with_strongest_channel(model: LindbladModel, factor: float) -> LindbladModel:
    """Planted: what is sampled has one rate wrong, what it is judged by has not."""
    wrong = LindbladModel(model.H, model.channels, dims=model.dims)
    flow = wrong.process.elements[0]
    assert isinstance(flow, Flow)
    sizes = [abs(op).max() * (counts >= 0).any() for op, counts in zip(flow.ops, flow.counts, strict=True)]
    ops = list(flow.ops)
    ops[int(np.argmax(sizes))] = ops[int(np.argmax(sizes))] * factor**0.5
    object.__setattr__(flow, "ops", tuple(ops))
    return wrong


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_a_wrong_rate_would_be_seen(kind: str) -> None:
    """One channel half as strong again: by totals, by the averaged state, and by waiting times."""
    caught = {"totals": 0, "state": 0, "waits": 0}

    @models_judged(4)
    @given(KINDS[kind], seeds)
    def judge(model: LindbladModel, seed: int) -> None:
        wrong = with_strongest_channel(model, 1.5)
        for method in ("trajectory_statistics", "evolve", "waiting_times", "steady_state"):
            setattr(wrong, method, getattr(model, method))
        found, state = deviations(wrong, np.random.default_rng(seed), 6.0, 50_000)
        p_value, waits = waiting(wrong, seed, 50_000)
        caught["totals"] += max(map(abs, found.values())) > LIMIT
        caught["state"] += max(map(abs, state.values())) > STATE_LIMIT
        caught["waits"] += p_value < P_VALUE or max(map(abs, waits.values())) > LIMIT

    judge()
    assert caught["totals"] >= 3, caught
    assert caught["state"] >= 3, caught
    assert caught["waits"] >= 1, caught  # a channel that acts in few of the states after an event is seen in few waits
