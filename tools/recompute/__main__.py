"""
Makes summaries of runs again from their samples and trials, with numpy and scipy, and holds every field against summary.json.

    python tools/recompute [--prove] [RUN_FOLDER ...]

Without folders: all of results/built-in. --prove changes a digit of each kind of field in each run, one after the other, and looks whether it is noticed. Ends with status 1
where a field differs, is missing or is new, or where a change goes unnoticed.
"""
import os

# Runs are shared out over the processors, so that a matrix needs one alone.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from compare import Comparison, compare, leaves, prove
from folder import Damaged, read_run
from summary import summarize

COMMITTED = Path(__file__).resolve().parents[2] / "results" / "built-in"
SHOWN = 10


def recompute(directory, proves):
    try:
        run = read_run(directory)
    except (Damaged, OSError) as error:
        return Comparison(differing={"its files": str(error)})
    theirs, ours = dict(leaves(run.summary)), dict(leaves(summarize(run)))
    found = compare(theirs, ours)
    if proves and not found.differing:
        prove(found, theirs, ours)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--prove", action="store_true", help="change a digit of each kind of field, and look whether it is noticed")
    asked = parser.parse_args()
    directories = asked.folders or sorted(path.parent for path in COMMITTED.glob("*/run.json"))
    # The largest first, so that the others fill the time beside them.
    sizes = {directory: sum(file.stat().st_size for file in directory.glob("*")) for directory in directories}
    with ProcessPoolExecutor() as pool:
        pending = {directory: pool.submit(recompute, directory, asked.prove) for directory in sorted(directories, key=sizes.get, reverse=True)}
        results = {directory: pending[directory].result() for directory in directories}
    print("| run | fields compared | largest relative difference | differing | not recomputed |")
    print("| --- | ---: | ---: | ---: | --- |")
    for directory, result in results.items():
        print(f"| {directory.name} | {result.fields:,} | {result.largest:.1e} | {len(result.differing)} | {', '.join(result.left_out) or '–'} |")
    print()
    for name, reason in dict(item for result in results.values() for item in result.left_out.items()).items():
        print(f"{name} is not recomputed: {reason}.")
    if asked.prove:
        print(f"One digit was changed {sum(result.kinds for result in results.values()):,} times, in each kind of field of each run; {sum(len(result.unnoticed) for result in results.values())} went unnoticed.")
    for directory, result in results.items():
        lines = [f"{path}: {what}" for path, what in result.differing.items()] + [f"{kind}: a changed digit goes unnoticed" for kind in result.unnoticed]
        for line in lines[:SHOWN] + ([f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []):
            print(f"{directory.name}: {line}", file=sys.stderr)
    return int(not results or any(result.differing or result.unnoticed for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
