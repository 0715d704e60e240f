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


def wilcoxon(x: np.ndarray) -> float:
    """As the research did: zeros dropped, 1 below ten others. Exact where scipy is, else without continuity correction."""
    x = x[x != 0]
    if len(x) < 10:
        return 1.0
    ties = len(set(np.abs(x))) < len(x)
    return float(stats.wilcoxon(x, method="approx" if ties or len(x) > 50 else "exact", correction=False).pvalue)


def sign_flip(x: np.ndarray) -> float:
    result = stats.permutation_test((x,), lambda v, axis: v.mean(axis=axis), permutation_type="samples", n_resamples=200_000,
                                    vectorized=True, rng=np.random.default_rng(2))
    return float(result.pvalue)


def fieller() -> dict:
    """The set of ratios that a t-test does not reject, found by bisection."""
    from scipy.optimize import brentq

    g = np.random.default_rng(8)
    bottom = g.normal(0.7, 1.0, 80).round(4)
    top = (0.5 * bottom + g.normal(0.1, 0.6, 80)).round(4)

    def excess(ratio: float) -> float:
        return float(stats.ttest_1samp(top - ratio * bottom, 0).pvalue) - 0.05

    ratio = top.mean() / bottom.mean()
    return {"top": top.tolist(), "bottom": bottom.tolist(), "low": brentq(excess, ratio - 5, ratio), "high": brentq(excess, ratio, ratio + 5)}


def corrections() -> dict:
    ps = [0.01, 0.04, 0.03, 0.005, 0.5, 0.049, 0.0001, 1.0]
    order = np.argsort(ps)
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(np.array(ps)[order] * (len(ps) - np.arange(len(ps)))))
    return {"ps": ps, "holm": adjusted.tolist(), "bh": stats.false_discovery_control(ps).tolist()}


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
            "wilcoxon_p": wilcoxon(x),
            "equivalence_p": float(max(stats.ttest_1samp(x, 0.5 * x.std(ddof=1), alternative="less").pvalue,
                                       stats.ttest_1samp(x, -0.5 * x.std(ddof=1), alternative="greater").pvalue)),
            "sign_flip_p": sign_flip(x),
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
    tied = g.integers(0, 6, 30)
    other = (tied + g.integers(0, 4, 30)).tolist()
    spearman = {"x": tied.tolist(), "y": other, "rho": float(stats.spearmanr(tied, other).statistic)}
    assert all(math.isfinite(case["d"]) for case in cases)
    output.write_text(json.dumps({"resamples": RESAMPLES, "lists": cases, "pearson": pearson, "spearman": spearman, "fieller": fieller(),
                                  "corrections": corrections()}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
