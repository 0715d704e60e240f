"""Statistics of small lists by numpy and scipy.

    python make_stats_fixtures.py OUTPUT_FILE
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
from scipy import stats

RESAMPLES = 100_000


def lists() -> dict[str, list[float]]:
    g = np.random.default_rng(5)
    return {
        "normal": g.normal(0.3, 1.0, 40).round(4).tolist(),
        "skewed": (g.exponential(1.0, 60) - 0.4).round(4).tolist(),
        "tied": g.integers(-2, 4, 30).astype(float).tolist(),
        "two": [0.5, -0.25],
        "three": [1.0, 2.0, 4.0],
        "negative": (-g.gamma(2.0, 0.5, 25)).round(4).tolist(),
        "strong": g.normal(2.0, 0.05, 50).round(4).tolist(),
    }


def d(values: np.ndarray, axis: int = -1) -> np.ndarray:
    return values.mean(axis=axis) / values.std(axis=axis, ddof=1)


def bca(values: np.ndarray, statistic) -> list[float]:
    result = stats.bootstrap((values,), statistic, n_resamples=RESAMPLES, method="BCa", axis=-1,
                             rng=np.random.default_rng(1))
    return [float(result.confidence_interval.low), float(result.confidence_interval.high)]


def main(output: Path) -> None:
    cases = []
    for name, values in lists().items():
        x = np.array(values)
        wins = int((x > 0).sum())
        wilson = stats.binomtest(wins, len(x)).proportion_ci(method="wilson")
        case = {
            "name": name,
            "values": values,
            "mean": float(x.mean()),
            "sd": float(x.std(ddof=1)),
            "median": float(np.median(x)),
            "trimmed": float(stats.trim_mean(x, 0.2)),
            "quantiles": {str(q): float(np.quantile(x, q)) for q in (0.0, 0.2, 0.37, 0.8, 1.0)},
            "d": float(d(x)),
            "t_p": float(stats.ttest_1samp(x, 0).pvalue),
            "wins": wins,
            "wilson": [float(wilson.low), float(wilson.high)],
        }
        if len(x) >= 20:
            case["bca_mean"] = bca(x, np.mean)
            case["bca_d"] = bca(x, d)
        cases.append(case)
    g = np.random.default_rng(6)
    x, y = g.normal(size=30).round(4), g.normal(size=30).round(4)
    y = (0.6 * x + 0.8 * y).round(4)
    pearson = {"x": x.tolist(), "y": y.tolist(), "r": float(stats.pearsonr(x, y).statistic)}
    assert all(math.isfinite(case["d"]) for case in cases)
    output.write_text(json.dumps({"resamples": RESAMPLES, "lists": cases, "pearson": pearson}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
