"""Ensembles that survive: run, resume, extend, merge, pack, load; on any executor, with the same bits."""

from collide.ensemble.estimates import Estimate
from collide.ensemble.executors import WorkerDied
from collide.ensemble.merging import merge, pack
from collide.ensemble.result import Ensemble
from collide.ensemble.signals import Interrupted
from collide.ensemble.verbs import extend, load, load_program, resume, run, run_program, save_program

__all__ = [
    "Ensemble",
    "Estimate",
    "Interrupted",
    "WorkerDied",
    "extend",
    "load",
    "load_program",
    "merge",
    "pack",
    "resume",
    "run",
    "run_program",
    "save_program",
]
