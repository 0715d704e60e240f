"""
Recomputes summaries of runs from their samples and trials, with numpy and scipy, and holds every field against summary.json.

    python tools/recompute [RUN_FOLDER ...]

Without folders: all of results/built-in. Ends with status 1 where a field differs, is missing or is new.
"""
import os

# Runs are shared out over the processors, so that a matrix needs one alone.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from compare import Comparison, compare
from folder import Damaged, read_run
from summary import summarize

COMMITTED = Path(__file__).resolve().parents[2] / "results" / "built-in"
SHOWN = 10


def recompute(directory):
    try:
        run = read_run(directory)
        return compare(run.summary, summarize(run))
    except (Damaged, OSError) as error:
        return Comparison(differing=[str(error)])


def main(folders):
    directories = [Path(folder) for folder in folders] or sorted(path.parent for path in COMMITTED.glob("*/run.json"))
    # The largest first, so that the others fill the time beside them.
    sizes = {directory: sum(file.stat().st_size for file in directory.glob("trials.jsonl*")) for directory in directories}
    with ProcessPoolExecutor() as pool:
        pending = {directory: pool.submit(recompute, directory) for directory in sorted(directories, key=sizes.get, reverse=True)}
        results = {directory: pending[directory].result() for directory in directories}
    print("| run | fields compared | largest relative difference | not recomputed | differing |")
    print("| --- | ---: | ---: | --- | ---: |")
    for directory, result in results.items():
        print(f"| {directory.name} | {result.fields:,} | {result.largest:.1e} | {', '.join(result.left_out) or '–'} | {len(result.differing)} |")
    print()
    for name, reason in dict(item for result in results.values() for item in result.left_out.items()).items():
        print(f"{name}: {reason}.")
    for directory, result in results.items():
        for line in result.differing[:SHOWN]:
            print(f"{directory.name}: {line}", file=sys.stderr)
        if len(result.differing) > SHOWN:
            print(f"{directory.name}: and {len(result.differing) - SHOWN} more", file=sys.stderr)
    return int(any(result.differing for result in results.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
