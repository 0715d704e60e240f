"""Permutations, shuffles and choices by numpy's legacy generator.

    python make_numpy_fixtures.py OUTPUT_JSON
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

SIZES = [1, 2, 3, 5, 64, 65, 600, 1200, 1500, 20000]
SEEDS = [0, 1, 42, 43, 44, 1041, 2**31, 2**32 - 1]
# 42 + i + 20000 is the seed of sample i's random words in experiments 09 and 10 of v4.
CHOICE_SEEDS = [0, 1, 20042, 20043, 20541, 2**32 - 1]
CHOICES = [(102, 8), (102, 102), (8, 8), (9, 1), (5, 0)]


def digest(values: list[int]) -> str:
    return hashlib.sha256(json.dumps(values, separators=(",", ":")).encode()).hexdigest()


def choice(seed: int, size: int, count: int) -> dict:
    # A list, as the research's words are one: numpy takes its own way for plain numbers of items.
    items = [f"item {i}" for i in range(size)]
    chosen = np.random.RandomState(seed).choice(items, size=count, replace=False).tolist()
    return {"seed": seed, "size": size, "chosen": " ".join(item.split()[1] for item in chosen)}


def main(output: Path) -> None:
    cases = []
    for seed in SEEDS:
        state = np.random.RandomState(seed)
        # One stream: what is drawn later depends on how much was drawn before.
        drawn = [state.permutation(size).tolist() for size in SIZES]
        cases.append({"seed": seed, "permutations": [{"size": s, "head": d[:5], "sha256": digest(d)} for s, d in zip(SIZES, drawn)]})
    np.random.seed(42)
    words = "what is the best time to visit the old town".split()
    np.random.shuffle(words)
    np.random.seed(42)
    content = {
        "origin": f"numpy {np.__version__} through tools/reference/make_numpy_fixtures.py",
        "cases": cases,
        "words": words,
        # The research's samples are drawn by the module's own generator.
        "permutation": digest(np.random.permutation(1500).tolist()),
        "choices": [choice(seed, size, count) for seed in CHOICE_SEEDS for size, count in CHOICES],
    }
    output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
