"""JAX on W4, inside the peers' environment: a scan over periods, vectorised over trajectories, every label drawn."""

import json
import sys
import time
from typing import Any

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp  # noqa: E402


def main(given: str, periods: int) -> None:
    """Compile once, then run a round for every seed that is told; kets, operators and heats are in a file."""
    with np.load(given) as arrays:
        kets, ops, heats = (jnp.asarray(arrays[name]) for name in ("kets", "ops", "heats"))

    def period(carry: Any, key: Any) -> Any:
        psi, heat = carry
        draws = jax.random.uniform(key, (len(ops),), jnp.float64)
        for c in range(len(ops)):
            branches = ops[c] @ psi
            weights = (branches.real**2 + branches.imag**2).sum(axis=1)
            reached = jnp.cumsum(weights)
            chosen = (reached[:-1] <= draws[c] * reached[-1]).sum()
            psi, heat = branches[chosen] / jnp.sqrt(weights[chosen]), heat + heats[c, chosen]
        return (psi, heat), None

    def one(ket: Any, key: Any) -> Any:
        return jax.lax.scan(period, (ket, jnp.zeros(())), jax.random.split(key, periods))[0][1]

    everything = jax.jit(jax.vmap(one))
    for line in sys.stdin:
        keys = jax.random.split(jax.random.key(int(line)), len(kets))
        began = time.process_time()
        heat = np.asarray(everything(kets, keys))
        print(json.dumps({"seconds": time.process_time() - began, "found": heat.tolist()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
