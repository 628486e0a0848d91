"""What an ensemble says when it is printed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from collide.store.disk import size


def summary(ens: Any) -> str:
    """A few lines that say what the ensemble is and what came out."""
    plan = ens.plan
    name = ens.recipe.get("machine", "a model")
    state = "" if ens.complete else f" of {ens.planned} (unfinished)"
    shard = "" if plan.grid.whole else f", a shard of {plan.grid.ntraj}"
    where = f"{ens.path}, {size(ens.nbytes)}" if ens.path else f"in memory, {size(ens.nbytes)}"
    lines = [
        f"Ensemble of {ens.ntraj}{state} trajectories{shard}: {name} ({plan.program.kind})",
        f"  to t = {ens.tlist[-1]:g} on {len(ens.tlist)} times, seed {ens.seed}, identity {plan.program.identity[:12]}",
        f"  {where}",
    ]
    return "\n".join(lines + [f"  {word:<22}{text}" for word, text in _numbers(ens).items()])


def _numbers(ens: Any) -> Mapping[str, str]:
    if len(ens) == 0:
        return {}
    shown = [q for q in ens.quantities if q.startswith("heat:")] + ["work", "energy_change", "entropy_production"]
    found = {q: str(ens.mean(q)) for q in shown if q in ens.quantities}
    if "status" in ens.columns:
        failed = sum(int(np.count_nonzero(block.status)) for block in ens.blocks())
        found["ended early"] = f"{failed} of {len(ens)}"
    return found
