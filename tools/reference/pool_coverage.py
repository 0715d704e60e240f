"""How often the interval of a mean over units that share samples holds the truth, by simulation; writes the table of docs/statistics.md.

    python pool_coverage.py ../../docs/statistics.md

Errors are drawn sample by sample, with a part that all units have in common, and come in clusters; covariances are estimated from them as `dkv pool` does. Beside its interval (units
counted once, Satterthwaite) stand two others: as if the units' errors were independent (Paule and Mandel, Hartung and Knapp, never below known weights), and generalised least squares with the
estimated covariance (the same, with whole matrices). Shares nothing with the package.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
from scipy import stats

REPEATS = 2000
BATCH = 200
INTRACLASS = 0.15
# Samples and clusters, and the form of the samples' errors: those of AdWorld's questions, and few with heavy tails.
DATA = {"normal, 300 in 65 clusters": (300, 65, "normal"), "lognormal, 60 alone": (60, 60, "lognormal")}
COLUMNS = ("samples", "units", "correlation", "tau", "mean", "mean, unequal", "another unit", "as if independent", "by GLS", "one unit")


def labels_of(samples: int, clusters: int, random: np.random.Generator) -> np.ndarray:
    """Each cluster once, the rest by unequal chances."""
    if clusters == samples:
        return np.arange(samples)
    chances = random.dirichlet(np.full(clusters, 1.5)) + 0.3 / clusters
    return np.concatenate([np.arange(clusters), random.choice(clusters, samples - clusters, p=chances / chances.sum())])


def draw(shape: tuple[int, ...], form: str, random: np.random.Generator) -> np.ndarray:
    """Of mean 0 and variance 1."""
    values = random.standard_normal(shape)
    return values if form == "normal" else (np.exp(values) - np.exp(0.5)) / ((np.e - 1) * np.e) ** 0.5


def simulate(samples: int, clusters: int, form: str, k: int, correlation: float, tau: float, scales: np.ndarray, random: np.random.Generator):
    """Effects of the units around a mean of 0, their estimated covariances, another unit's effect."""
    labels = labels_of(samples, clusters, random)
    sizes = np.bincount(labels)
    order = np.argsort(labels, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    error = ((1 + INTRACLASS * ((sizes**2).sum() / samples - 1)) / samples) ** 0.5
    effects, covariances, others = [], [], []
    for _ in range(REPEATS // BATCH):
        own = correlation**0.5 * draw((BATCH, samples, 1), form, random) + (1 - correlation) ** 0.5 * draw((BATCH, samples, k), form, random)
        if clusters < samples:
            alike = correlation**0.5 * random.standard_normal((BATCH, clusters, 1)) + (1 - correlation) ** 0.5 * random.standard_normal((BATCH, clusters, k))
            own = (1 - INTRACLASS) ** 0.5 * own + INTRACLASS**0.5 * alike[:, labels]
        own = own * scales
        deviations = own - own.mean(axis=1, keepdims=True)
        sums = np.add.reduceat(deviations[:, order], starts, axis=1)
        covariances.append(clusters / (clusters - 1) * np.einsum("bgi,bgj->bij", sums, sums) / samples**2)
        effects.append(own.mean(axis=1) + tau * error * random.standard_normal((BATCH, k)))
        others.append(tau * error * random.standard_normal(BATCH))
    return np.concatenate(effects), np.concatenate(covariances), np.concatenate(others)


def counted_once(y: np.ndarray, covariance: np.ndarray, clusters: int):
    """Mean, error, degrees of freedom, tau^2."""
    k = y.shape[1]
    variance = np.trace(covariance, axis1=1, axis2=2) / k
    known = covariance.sum(axis=(1, 2)) / k**2
    between = (k * known - variance) / (k - 1)
    apart = np.maximum(0, variance - between)
    tau2 = np.maximum(0, y.var(axis=1, ddof=1) - apart)
    total = known + tau2 / k
    together = np.clip(between, 0, total)
    freedom = total**2 / ((total - together) ** 2 / (k - 1) + together**2 / (clusters - 1))
    return y.mean(axis=1), total**0.5, freedom, tau2


def weighted(y: np.ndarray, covariance: np.ndarray):
    """Mean and error by the inverse of covariance + tau^2."""
    k = y.shape[1]

    def at(tau2: np.ndarray):
        inverse = np.linalg.inv(covariance + tau2[:, None, None] * np.eye(k))
        weights = inverse.sum(axis=2)
        mean = (weights * y).sum(axis=1) / weights.sum(axis=1)
        rest = y - mean[:, None]
        return np.einsum("ri,rij,rj->r", rest, inverse, rest), mean, weights.sum(axis=1)

    low, high = np.zeros(len(y)), np.ptp(y, axis=1) ** 2 * k
    homogeneous = at(low)[0] <= k - 1
    for _ in range(40):
        middle = (low + high) / 2
        below = at(middle)[0] > k - 1
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    q, mean, weight = at(np.where(homogeneous, 0, high))
    return mean, np.sqrt(np.maximum(1, q / (k - 1)) / weight)


def coverage(error: np.ndarray, half: np.ndarray) -> float:
    return float(np.mean(np.abs(error) <= half))


def row(name: str, k: int, correlation: float, tau: float, random: np.random.Generator) -> list:
    samples, clusters, form = DATA[name]
    quantile = stats.t.ppf(0.975, k - 1)
    found = {}
    for kind, scales in (("equal", np.ones(k)), ("unequal", np.geomspace(0.5, 2, k))):
        y, covariance, another = simulate(samples, clusters, form, k, correlation, tau, scales, random)
        mean, error, freedom, tau2 = counted_once(y, covariance, clusters)
        found[kind] = coverage(mean, stats.t.ppf(0.975, freedom) * error)
        if kind == "equal":
            found["another"] = coverage(another - mean, stats.t.ppf(0.975, k - 2) * np.sqrt(tau2 + error**2))
            diagonal = covariance * np.eye(k)
            found["independent"], found["gls"] = (coverage(m, quantile * e) for m, e in (weighted(y, diagonal), weighted(y, covariance)))
            alone = tau == 0
            found["one"] = coverage(y[:, 0], stats.t.ppf(0.975, clusters - 1) * covariance[:, 0, 0] ** 0.5) if alone else None
    shares = [found[key] for key in ("equal", "unequal", "another", "independent", "gls", "one")]
    return [name, k, correlation, tau, *("–" if share is None else f"{share:.3f}" for share in shares)]


def main() -> None:
    random = np.random.default_rng(20)
    rows = [row(name, k, correlation, tau, random) for name in DATA for k in (5, 8) for correlation in (0, 0.5, 0.9) for tau in (0, 0.5, 2)]
    lines = ["| " + " | ".join(COLUMNS) + " |", "| --- |" + " ---: |" * (len(COLUMNS) - 1), *("| " + " | ".join(str(cell) for cell in one) + " |" for one in rows)]
    table = "\n".join(lines)
    file = Path(sys.argv[1])
    text, count = re.subn(r"(<!-- units -->\n).*?(\n<!-- end -->)", lambda match: f"{match[1]}{table}{match[2]}", file.read_text(), flags=re.DOTALL)
    if count != 1:
        sys.exit(f'{file} has {count} tables between "<!-- units -->" and "<!-- end -->", expected one')
    file.write_text(text)


if __name__ == "__main__":
    main()
