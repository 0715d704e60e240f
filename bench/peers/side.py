"""What every side in Python does: lines of `{"workload"}` in, lines of `{"seconds", "check", "peakBytes"}` out."""

import json
import re
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path


def serve(packages: list[str], start: Callable[[], Callable[[str], Callable[[], float]]]) -> None:
    """
    packages: whose versions are told
    start: loads what is needed, scores once, and returns what runs a workload and gives what makes its check
    """
    started = time.perf_counter()
    run = start()
    about = ", ".join(f"{name} {version(name)}" for name in packages)
    answer({"ready": True, "startSeconds": time.perf_counter() - started, "about": about})
    warm: set[str] = set()
    for line in sys.stdin:
        workload = json.loads(line)["workload"]
        # What is compiled or kept is made before the clock starts.
        if workload not in warm:
            run(workload)
        warm.add(workload)
        # The peak of this workload alone: Linux forgets the one before.
        Path("/proc/self/clear_refs").write_text("5")
        started = time.perf_counter()
        check_of = run(workload)
        seconds = time.perf_counter() - started
        answer({"seconds": seconds, "check": check_of(), "peakBytes": peak_bytes()})


def peak_bytes() -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return 1024 * int(found[1]) if found else 0


def answer(value: dict) -> None:
    print(json.dumps(value), flush=True)
