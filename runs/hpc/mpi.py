"""An ensemble on the ranks of an MPI job: rank 0 hands out chunks and writes the file, the others compute.

    collide compile rectifier --set g=0.05 --t-final 3000 -o program.h5
    mpiexec -n 65 python -m mpi4py.futures runs/hpc/mpi.py program.h5 --ntraj 10000000 --seed 7 -o ensemble.h5

Under SLURM the second line is the body of a job with ``--ntasks=65``, with ``srun`` in the place of ``mpiexec -n 65``.
The same line again goes on with a job that was cut short.
"""

import argparse
from pathlib import Path

from collide.ensemble import load_program, run_program


def main() -> None:
    """Run on all ranks."""
    from mpi4py.futures import MPIPoolExecutor  # the other modules of this example do without MPI

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--ntraj", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--chunk-size", type=int, default=4096)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    program = load_program(options.program)
    with MPIPoolExecutor() as pool:
        ens = run_program(
            program,
            options.ntraj,
            options.seed,
            out=options.out,
            resume=True,
            executor=pool,
            chunk_size=options.chunk_size,
            progress=True,
        )
    print(ens)


if __name__ == "__main__":
    main()
