"""The court for random models: forty of each kind, five times the trajectories of the suite.

About 2400 comparisons at 5.2 standard errors: false alarm below 0.1 % for all of them together.
"""

from typing import Any

import numpy as np
import pytest

from collide.exact.process import Flow
from random_models import deviations
from test_random_models import KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(100, 140))
def test_ensembles_agree_with_the_exact_side(court: Any, kind: str, seed: int) -> None:
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    with court(f"40 random models, {kind}: means, variances, fluctuation theorem, observables") as row:
        found = deviations(KINDS[kind](rng), rng, 6.0, 40_000)
        row.z_scores(found.values(), 5.2)


@pytest.mark.parametrize("kind", ["davies", "local"])
def test_a_wrong_rate_would_be_seen(court: Any, kind: str) -> None:
    """Planted: ensembles of models whose strongest channel is 20 % too strong, judged by the right ones."""
    with court("planted: a rate 20 % too large in a random model") as row:
        honest, faulty = (KINDS[kind](np.random.default_rng([103, 7])) for _ in range(2))
        flow = faulty.process.elements[0]
        assert isinstance(flow, Flow)
        sizes = [abs(op).max() * (counts >= 0).any() for op, counts in zip(flow.ops, flow.counts, strict=True)]
        ops = list(flow.ops)
        ops[int(np.argmax(sizes))] *= 1.2**0.5
        object.__setattr__(flow, "ops", tuple(ops))
        vars(faulty)["trajectory_statistics"] = honest.trajectory_statistics
        found = deviations(faulty, np.random.default_rng(6), 6.0, 100_000)
        assert max(map(abs, found.values())) > 5.2
        row.checks(1)
