"""The court for random models: forty of each kind, five times the trajectories of the suite.

About 2400 comparisons at 5.2 standard errors: false alarm below 0.1 % for all of them together.
"""

import numpy as np
import pytest

from random_models import deviations
from test_random_models import KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(100, 140))
def test_ensembles_agree_with_the_exact_side(kind: str, seed: int) -> None:
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    found = deviations(KINDS[kind](rng), rng, 6.0, 40_000)
    assert max(map(abs, found.values())) < 5.2, found
