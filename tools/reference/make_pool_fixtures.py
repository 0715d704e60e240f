"""Random-effects means of units that share samples, by numpy and scipy from whole covariance matrices, for the tests of `src/stats/random-effects.ts`.

    python make_pool_fixtures.py OUTPUT_FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats

# Units, samples, clusters, correlation of sampling errors, spread of the true effects.
CASES = {
    "apart": (6, 60, 12, 0.6, 0.8),
    "alike": (5, 60, 12, 0.6, 0.0),
    "uncorrelated": (8, 48, 48, 0.0, 0.3),
    "one factor": (5, 40, 8, 0.99, 0.1),
    "many": (9, 90, 30, 0.3, 0.2),
}


def gains_of(units: int, samples: int, clusters: int, correlation: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Gains, a row a sample, and the clusters of the samples."""
    random = np.random.default_rng(units * 1000 + samples)
    labels = np.arange(samples) % clusters
    shared, own = random.standard_normal((samples, 1)), random.standard_normal((samples, units))
    together = random.standard_normal((clusters, 1))[labels]
    true = 0.2 + spread * random.standard_normal(units)
    gains = true + correlation**0.5 * (shared + 0.5 * together) + (1 - correlation) ** 0.5 * own * np.linspace(0.5, 1.5, units)
    return np.round(gains, 6), labels


def case(name: str, shape: tuple[int, int, int, float, float]) -> dict:
    gains, labels = gains_of(*shape)
    samples, k = gains.shape
    g = shape[2]
    effects = gains.mean(axis=0)
    sums = np.array([(gains - effects)[labels == label].sum(axis=0) for label in range(g)])
    covariance = g / (g - 1) * sums.T @ sums / samples**2
    one = np.ones(k)
    # Of residuals from the units' mean: their expected sum of squares is the trace of M (S + tau^2 I), M = I - 11' / k.
    centred = np.eye(k) - np.outer(one, one) / k
    tau2 = max(0.0, (effects @ centred @ effects - np.trace(centred @ covariance)) / (k - 1))
    variance = one @ (covariance + tau2 * np.eye(k)) @ one / k**2
    off = covariance[~np.eye(k, dtype=bool)].mean()
    together = min(max(off, 0.0), variance)
    freedom = variance**2 / ((variance - together) ** 2 / (k - 1) + together**2 / (g - 1))
    mean, error = effects.mean(), variance**0.5
    half, spread = stats.t.ppf(0.975, freedom) * error, stats.t.ppf(0.975, k - 2) * (tau2 + variance) ** 0.5
    if name == "uncorrelated":
        # With the sampling errors left out of it the test would be the t-test of the effects; here it is nearly so.
        assert abs(error - effects.std(ddof=1) / k**0.5) < 0.1 * error
    return {
        "name": name,
        "gains": gains.tolist(),
        "clusters": labels.tolist(),
        "mean": mean,
        "standard_error": error,
        "freedom": freedom,
        "interval": [mean - half, mean + half],
        "p": float(2 * stats.t.sf(abs(mean) / error, freedom)),
        "tau2": tau2,
        "i2": tau2 / (tau2 + np.trace(centred @ covariance) / (k - 1)),
        "prediction": [mean - spread, mean + spread],
    }


def main() -> None:
    cases = [case(name, shape) for name, shape in CASES.items()]
    Path(sys.argv[1]).write_text("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]\n")


if __name__ == "__main__":
    main()
