#!/usr/bin/env bash
# Sixteen tasks, a shard each, on a file system that all nodes see. Change the folders, then:
#   sbatch deploy/slurm-array.sh
# Submit it again when a task failed or there are more archives: what is there is skipped.
#SBATCH --job-name=bookgrid
#SBATCH --array=1-16
#SBATCH --cpus-per-task=8
#SBATCH --mem-per-cpu=200M
#SBATCH --time=04:00:00
# SIGTERM to bookgrid a minute before the time is up: unfinished outputs are removed.
#SBATCH --signal=B:TERM@60
#SBATCH --output=bookgrid-%A_%a.log
set -euo pipefail

source_dir=${BOOKGRID_SOURCE_DIR:-/data/bybit/archives}
output_dir=${BOOKGRID_OUTPUT_DIR:-/data/bybit/snapshots}
export BOOKGRID_SOURCE_DIR=$source_dir BOOKGRID_OUTPUT_DIR=$output_dir

# With exec the program itself gets the signals. Options after the script's name are handed on: sbatch … --interval 1s
exec bookgrid convert --format parquet --quality --shard auto --workers "${SLURM_CPUS_PER_TASK:-1}" "$@"
