"""An ensemble on workers that Dask starts as jobs of a cluster, or as processes of this machine.

    collide compile rectifier --set g=0.05 --t-final 3000 -o program.h5
    python runs/hpc/dask_jobs.py program.h5 --ntraj 10000000 --seed 7 -o ensemble.h5 --jobs 16      # SLURM
    python runs/hpc/dask_jobs.py program.h5 --ntraj 10000000 --seed 7 -o ensemble.h5 --local 2      # here, without jobs

The first of them without a queue, its job scripts run by the shell: ``--jobs 2 --queue local``.

Workers may come, go and be killed while it runs: Dask gives their chunks to others.  The same line again goes on with a
run that was cut short.  Needs ``dask[distributed]``, and ``dask-jobqueue`` for jobs.
"""

import argparse
from pathlib import Path
from typing import Any

from collide.ensemble import load_program, run_program


def main() -> None:
    """Run on the workers of a Dask cluster."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--ntraj", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--chunk-size", type=int, default=4096)
    parser.add_argument("-o", "--out", type=Path, required=True)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--jobs", type=int, metavar="N", help="so many jobs, of 8 workers each under SLURM")
    where.add_argument("--local", type=int, metavar="N", help="so many worker processes on this machine")
    parser.add_argument("--queue", choices=("slurm", "local"), default="slurm", help="who runs the jobs")
    options = parser.parse_args()
    program = load_program(options.program)
    with cluster(options) as workers, workers.get_client() as client:
        client.wait_for_workers(1)
        ens = run_program(
            program,
            options.ntraj,
            options.seed,
            out=options.out,
            resume=True,
            executor=client.get_executor(),
            chunk_size=options.chunk_size,
            progress=True,
        )
        print(ens)


def cluster(options: argparse.Namespace) -> Any:
    """The workers: jobs of a queue, or processes."""
    if options.local:
        from distributed import LocalCluster

        return LocalCluster(n_workers=options.local, threads_per_worker=1, dashboard_address=None)
    jobs: Any
    if options.queue == "local":
        from dask_jobqueue.local import LocalCluster as Shell  # type: ignore[import-not-found,import-untyped,attr-defined,unused-ignore]

        jobs = Shell(cores=1, processes=1, memory="1GB", scheduler_options={"dashboard_address": None})
    else:
        from dask_jobqueue import SLURMCluster  # type: ignore[import-not-found,import-untyped,attr-defined,unused-ignore]

        jobs = SLURMCluster(cores=8, processes=8, memory="4GB", walltime="04:00:00")
    jobs.scale(jobs=options.jobs)
    return jobs


if __name__ == "__main__":
    main()
