"""A pilot: a few trajectories tell how often jumps really come, before searches are laid out for many.

Where a search begins is chosen from the rate of jumps.  The mean over all states of a block may be far from it: of
thirty-two levels of a cavity that hardly holds a photon, each counts alike.  So a few short trajectories are run first,
always the same ones; the program alone decides what comes of it.
"""

import numpy as np

from .jump_tables import LARGE, JumpTables, choose_first_level
from .jumps import Record, run_jumps

TRAJECTORIES = 16
ENOUGH = 64  # jumps of all of them
SLOWER = 4.0  # than the mean rate of all states, as they are expected to come


def paced(tables: JumpTables) -> JumpTables:
    """The same tables with searches that begin where they should."""
    larger = np.flatnonzero(tables.block["width"] >= LARGE)
    horizon = float(tables.times[-1])
    if not len(larger) or horizon <= 0.0 or tables.mean_rate <= 0.0:
        return tables
    block = tables.block.copy()
    for b in larger:  # all from one level, so that sixteen search together
        choose_first_level(block[b], float(block[b]["rate"]) / SLOWER)
        block[b]["pace"] = 0.0
    time, jumps = min(horizon, 32.0 / tables.mean_rate), 0
    while True:
        short = tables._replace(block=block, times=np.array([time]), turn=tables.turn[:0])
        jumps = int(run_jumps(short, 0, 0, TRAJECTORIES, Record(jumps=True))["row_size"].sum())
        if jumps >= ENOUGH or time >= horizon:
            break
        time = min(horizon, 4.0 * time)
    pace = jumps / (TRAJECTORIES * time * tables.mean_rate)
    for b in larger:
        choose_first_level(block[b], pace * float(block[b]["rate"]))
    return tables._replace(block=block)
