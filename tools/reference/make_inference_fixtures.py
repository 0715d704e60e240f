"""Inference on clustered samples by numpy, scipy and statsmodels, by other ways than the product's: matrices, roots and plain loops.

    python make_inference_fixtures.py OUTPUT_FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from scipy import optimize, stats
from scipy.stats import mstats
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

DRAWS = 100_000


def clustered(g: np.random.Generator, clusters: int, shift: float, heavy: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Values and the cluster of each: clusters of one to five, alike within."""
    sizes = g.integers(1, 6, clusters)
    labels = np.repeat(np.arange(clusters), sizes)
    noise = g.standard_t(2.5, len(labels)) if heavy else g.normal(size=len(labels))
    return (shift + 0.5 * g.normal(size=clusters)[labels] + noise).round(4), labels


def cr1(x: np.ndarray, labels: np.ndarray) -> float:
    model = sm.OLS(x, np.ones(len(x))).fit(cov_type="cluster", cov_kwds={"groups": labels})
    return float(model.bse[0])


def two_way(x: np.ndarray, first: np.ndarray, second: np.ndarray) -> list[float]:
    """Standard errors: two-way, by the first, by the second."""
    model = sm.OLS(x, np.ones(len(x))).fit()
    return [float(v[0, 0]) ** 0.5 for v in cov_cluster_2groups(model, first, second)]


def cr2(x: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Bell and McCaffrey's standard error and degrees of freedom with whole matrices."""
    n = len(x)
    design = np.ones((n, 1))
    bread = np.linalg.inv(design.T @ design)
    residual_maker = np.eye(n) - design @ bread @ design.T
    residuals = residual_maker @ x
    variance, columns = 0.0, []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        values, vectors = np.linalg.eigh(residual_maker[np.ix_(own, own)])
        adjust = vectors @ np.diag(values ** -0.5) @ vectors.T
        row = (bread @ design[own].T @ adjust)[0]
        variance += float(row @ residuals[own]) ** 2
        columns.append(residual_maker[:, own] @ row)
    weights = np.array(columns).T
    products = weights.T @ weights
    return variance**0.5, float(np.trace(products) ** 2 / np.trace(products @ products))


def bootstrap(x: np.ndarray, labels: np.ndarray, margin: float) -> dict:
    """The symmetric studentised cluster bootstrap, one resample after the other; and percentiles of the trimmed mean and robust d."""
    g = np.random.default_rng(3)
    groups = [x[labels == label] for label in np.unique(labels)]
    sums, sizes = np.array([v.sum() for v in groups]), np.array([len(v) for v in groups], float)
    count = len(groups)
    center = x.mean()

    def error(s: np.ndarray, n: np.ndarray) -> np.ndarray:
        m = s.sum(axis=-1) / n.sum(axis=-1)
        return m, np.sqrt(count / (count - 1) * ((s - m[..., None] * n) ** 2).sum(axis=-1)) / n.sum(axis=-1)

    drawn = g.integers(0, count, (DRAWS, count))
    means, errors = error(sums[drawn], sizes[drawn])
    ts = np.sort(np.abs(means - center) / errors)
    se = error(sums[None], sizes[None])[1][0]
    t = abs(center) / se
    critical = ts[int(np.ceil(0.95 * (DRAWS + 1))) - 1]

    def tail(value: float) -> float:
        both = (1 + (ts >= abs(value)).sum()) / (DRAWS + 1)
        return both / 2 if value >= 0 else 1 - both / 2

    robust = np.array([[*robustly(np.concatenate([groups[i] for i in row]))] for row in drawn[:20_000]])
    return {
        "critical": float(critical),
        "p": float((1 + (ts >= t).sum()) / (DRAWS + 1)),
        "equivalence": float(max(tail((margin + center) / se), tail((margin - center) / se))),
        "trimmed": np.percentile(robust[:, 0], [2.5, 97.5]).tolist(),
        "robust_d": np.percentile(robust[:, 1], [2.5, 97.5]).tolist(),
    }


def robustly(x: np.ndarray) -> tuple[float, float]:
    trimmed = stats.trim_mean(x, 0.2)
    return float(trimmed), float(0.642 * trimmed / np.asarray(mstats.winsorize(x, limits=(0.2, 0.2))).std(ddof=1))


def icc(x: np.ndarray, labels: np.ndarray) -> float:
    groups = [x[labels == label] for label in np.unique(labels)]
    f = stats.f_oneway(*groups).statistic
    sizes = np.array([len(v) for v in groups])
    typical = (len(x) - (sizes**2).sum() / len(x)) / (len(groups) - 1)
    return float((f - 1) / (f - 1 + typical))


def fieller(top: np.ndarray, bottom: np.ndarray, labels: np.ndarray) -> dict:
    """Ratios that Student's t with CR2 does not reject, by the signs of the test over a fine grid and roots between."""
    critical = stats.t.ppf(0.975, cr2(top, labels)[1])

    def excess(ratio: float) -> float:
        rest = top - ratio * bottom
        return abs(rest.mean()) - critical * cr2(rest, labels)[0]

    grid = np.tan(np.linspace(-1.5695, 1.5695, 1201))
    signs = np.array([excess(r) for r in grid])
    roots = [optimize.brentq(excess, a, b) for a, b, x, y in zip(grid, grid[1:], signs, signs[1:]) if x * y < 0]
    assert len(roots) in (0, 2)
    shape = "all" if not roots else "interval" if signs[0] > 0 else "outside"
    return {"top": top.tolist(), "bottom": bottom.tolist(), "labels": labels.tolist(), "shape": shape, "roots": roots}


def fiellers() -> list[dict]:
    g = np.random.default_rng(4)
    found: dict[str, dict] = {}
    while len(found) < 3:
        bottom, labels = clustered(g, 12, g.uniform(0, 1.2))
        top = (0.6 * bottom + g.uniform(0, 0.8) + 0.5 * g.normal(size=len(bottom))).round(4)
        case = fieller(top, bottom, labels)
        found.setdefault(case["shape"], case)
    return [found[shape] for shape in ("interval", "outside", "all")]


def wilson(share: float, samples: float, clusters: int) -> dict:
    """The shares that a score test with Student's t does not reject."""
    t = stats.t.ppf(0.975, clusters - 1)

    def excess(p: float) -> float:
        return (share - p) ** 2 - t**2 * p * (1 - p) / samples

    low = optimize.brentq(excess, 1e-12, share * (1 - 1e-9)) if share > 0 else 0.0
    high = optimize.brentq(excess, share + (1 - share) * 1e-9, 1 - 1e-12) if share < 1 else 1.0
    return {"share": share, "samples": samples, "clusters": clusters, "low": low, "high": high}


def wilcoxon(x: np.ndarray) -> dict:
    ties = len(set(np.abs(x))) < len(x)
    method = "approx" if ties or len(x) > 50 else "exact"
    return {"values": x.tolist(), "p": float(stats.wilcoxon(x, method=method, correction=False).pvalue)}


def wilcoxons() -> list[dict]:
    g = np.random.default_rng(5)
    return [wilcoxon(np.abs(g.normal(size=100)).round(4) + 0.001 * np.arange(1, 101)), wilcoxon(g.normal(0.9, 1, 300).round(1) + 0.05),
            wilcoxon(np.arange(1, 51, dtype=float)), wilcoxon((g.normal(0.4, 1, 45)).round(6)), wilcoxon(g.integers(1, 5, 40) * g.choice([-1.0, 1.0], 40))]


def spearmans() -> list[dict]:
    g = np.random.default_rng(6)
    cases = []
    for n, tied in ((5, False), (7, True), (8, False), (14, False)):
        x = np.arange(1, n + 1)
        y = (x + 3 * g.normal(size=n)).round(0 if tied else 3)
        if n <= 9:
            # One side in all orders: the share with a correlation as far from 0.
            result = stats.permutation_test((x,), lambda v: abs(stats.spearmanr(v, y).statistic), permutation_type="pairings", n_resamples=np.inf,
                                            vectorized=False, alternative="greater")
            p = float(result.pvalue)
        else:
            p = float(stats.spearmanr(x, y).pvalue)
        cases.append({"x": x.tolist(), "y": y.tolist(), "p": p})
    return cases


def main(output: Path) -> None:
    g = np.random.default_rng(1)
    cases = []
    for name, clusters, shift, heavy in (("many", 30, 0.4, False), ("heavy", 40, 0.3, True), ("few", 12, 0.5, False)):
        x, labels = clustered(g, clusters, shift, heavy)
        second = g.integers(0, 9, len(x))
        trimmed, robust_d = robustly(x)
        se2, freedom = cr2(x, labels)
        t = stats.t(freedom)
        margin = 0.8 * x.std(ddof=1)
        case = {"name": name, "values": x.tolist(), "labels": labels.tolist(), "crossed": second.tolist(), "cr1": cr1(x, labels),
                "two_way": two_way(x, labels, second), "cr2": se2, "freedom": freedom, "icc": icc(x, labels), "trimmed": trimmed,
                "robust_d": robust_d}
        if clusters >= 20:
            case["bootstrap"] = bootstrap(x, labels, margin)
        else:
            case["student"] = {
                "p": float(2 * t.sf(abs(x.mean()) / se2)),
                "low": float(x.mean() - t.ppf(0.975) * se2),
                "high": float(x.mean() + t.ppf(0.975) * se2),
                "equivalence": float(max(t.sf((margin + x.mean()) / se2), t.sf((margin - x.mean()) / se2))),
            }
        cases.append(case)
    fixture = {
        "clustered": cases,
        "fieller": fiellers(),
        "wilson": [wilson(0.7, 60, 61), wilson(0.93, 41.5, 20), wilson(1.0, 30, 12), wilson(0.0, 8.25, 9)],
        "wilcoxon": wilcoxons(),
        "spearman": spearmans(),
    }
    output.write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
