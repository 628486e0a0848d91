"""Random valid models of every kind: ensembles agree with the exact side of the same model at the same finite time.

40 models, each with about 20 comparisons at 4.7 standard errors: over all seeds one could have chosen, a right program
fails this file with a probability of about 0.25 %.  `make verify` repeats it with 40 models of each kind.
"""

import numpy as np
import pytest

from collide.exact.process import Flow
from random_models import deviations, random_collisions, random_davies, random_local

KINDS = {
    "davies": random_davies,
    "local": random_local,
    "collisions": random_collisions,
    "collisions by labels": random_collisions,
}
LIMIT = 4.7


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(10))
def test_ensembles_agree_with_the_exact_side(kind: str, seed: int) -> None:
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    model = KINDS[kind](rng)
    found = deviations(model, rng, 6.0, 8000, "all" if kind == "collisions by labels" else "heat")
    assert max(map(abs, found.values())) < LIMIT, found


def test_a_wrong_rate_would_be_seen() -> None:
    """Planted: the sampler runs a model whose first strongest channel is 20 % too strong."""
    rng = np.random.default_rng(5)
    model, honest = random_davies(np.random.default_rng(3)), random_davies(np.random.default_rng(3))
    flow = model.process.elements[0]
    assert isinstance(flow, Flow)
    sizes = [abs(op).max() * (counts >= 0).any() for op, counts in zip(flow.ops, flow.counts, strict=True)]
    ops = list(flow.ops)
    ops[int(np.argmax(sizes))] *= 1.2**0.5
    object.__setattr__(flow, "ops", tuple(ops))
    model.trajectory_statistics = honest.trajectory_statistics  # type: ignore[method-assign]
    found = deviations(model, rng, 6.0, 100_000)
    assert max(map(abs, found.values())) > LIMIT
