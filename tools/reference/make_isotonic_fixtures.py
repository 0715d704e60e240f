"""Isotonic regressions of small lists by scikit-learn.

    python make_isotonic_fixtures.py OUTPUT_FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.isotonic import IsotonicRegression


def cases() -> dict[str, tuple[list[float], list[float]]]:
    g = np.random.default_rng(3)
    x = g.normal(-3.0, 1.0, 120).round(3)
    relevant = (g.random(120) < 1 / (1 + np.exp(-2 * (x + 3)))).astype(float)
    return {
        "binary": (x.tolist(), relevant.tolist()),
        "tied": (g.integers(-4, 1, 60).astype(float).tolist(), g.integers(0, 2, 60).astype(float).tolist()),
        "real": (x[:50].tolist(), (x[:50] + g.normal(0, 1, 50)).round(4).tolist()),
        "falling": ([1.0, 2.0, 3.0, 4.0], [0.9, 0.6, 0.5, 0.1]),
        "rising": ([4.0, 1.0, 3.0, 2.0], [0.8, 0.1, 0.5, 0.2]),
        "one": ([-2.5], [1.0]),
        "same": ([1.0, 1.0, 1.0], [0.0, 1.0, 1.0]),
    }


def main(output: Path) -> None:
    found = {}
    for name, (x, y) in cases().items():
        fitted = IsotonicRegression(out_of_bounds="clip").fit(x, y)
        at = np.linspace(min(x) - 1, max(x) + 1, 41)
        found[name] = {"x": x, "y": y, "at": at.tolist(), "expected": fitted.predict(at).tolist()}
    output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
