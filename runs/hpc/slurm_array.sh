#!/bin/bash
# An ensemble as a job array: one compiled program, one shard per task, merged when all tasks are done.
#
#   collide compile rectifier --set g=0.05 --t-final 3000 -o program.h5
#   array=$(sbatch --parsable runs/hpc/slurm_array.sh program.h5 10000000 7)
#   sbatch --dependency=afterany:$array --wrap "collide merge shard-*.h5 -o ensemble.h5"
#
# A task that is killed, at its time limit or because its node failed, is submitted again and goes on where it was:
# `sbatch --array=5 runs/hpc/slurm_array.sh program.h5 10000000 7`.  If a shard stays missing, `collide merge` says so, and
# `collide resume ensemble.h5` runs what it lacks.
#
#SBATCH --job-name=collide
#SBATCH --array=1-16
#SBATCH --cpus-per-task=8
#SBATCH --mem-per-cpu=500M
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@60

set -euo pipefail
program=$1 ntraj=$2 seed=$3
task=${SLURM_ARRAY_TASK_ID:-1} tasks=${SLURM_ARRAY_TASK_MAX:-1}

# exec: the signal that announces the time limit reaches collide, which finishes its chunks and leaves a resumable file
exec collide run "$program" --ntraj "$ntraj" --seed "$seed" --shard "$task/$tasks" --resume \
    --threads "${SLURM_CPUS_PER_TASK:-1}" -o "$(printf 'shard-%04d.h5' "$task")"
