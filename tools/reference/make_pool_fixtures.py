"""Random-effects means by numpy and scipy, held against statsmodels, for the tests of `src/stats/random-effects.ts`.

    python make_pool_fixtures.py OUTPUT_FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects

# Gains and standard errors: units that differ, that hardly differ, that are one number, and of very unequal precision.
CASES = {
    "different": ([0.21, 0.35, 0.08, 0.5, 0.27, 0.41], [0.05, 0.04, 0.06, 0.05, 0.03, 0.07]),
    "alike": ([0.2, 0.21, 0.19, 0.205, 0.2], [0.05, 0.06, 0.04, 0.05, 0.05]),
    "equal": ([0.1] * 5, [0.02, 0.03, 0.02, 0.05, 0.01]),
    "signs": ([-0.4, 0.1, 0.7, -0.2, 0.3, 0.05, -0.1], [0.1, 0.1, 0.2, 0.15, 0.05, 0.02, 0.3]),
    "unequal": ([1.2, 0.9, 0.1, 2.5, 1.1, 0.8, 0.2, 1.9], [0.001, 0.4, 0.3, 1.0, 0.2, 0.1, 0.002, 0.5]),
}


def case(name: str, effects: list[float], errors: list[float]) -> dict:
    k, y, variances = len(effects), np.array(effects), np.array(errors) ** 2

    def weighted(tau2: float) -> tuple[float, float, float]:
        """Mean, its standard error with known weights, and Q."""
        weights = 1 / (variances + tau2)
        mean = float(np.average(y, weights=weights))
        return mean, float(weights.sum() ** -0.5), float((weights * (y - mean) ** 2).sum())

    excess = lambda tau2: weighted(tau2)[2] - (k - 1)
    tau2 = float(optimize.brentq(excess, 0, 100, xtol=1e-16, rtol=1e-14)) if excess(0) > 0 else 0.0
    q = weighted(0.0)[2]
    mean, known, scaled = weighted(tau2)
    hartung_knapp = known * (scaled / (k - 1)) ** 0.5
    # Its iteration ends at 0 where precisions are very unequal.
    theirs = combine_effects(y, variances, method_re="iterated", use_t=True, atol=1e-14, maxiter=10_000)
    if name != "unequal":
        np.testing.assert_allclose(
            [theirs.tau2, theirs.mean_effect_re, theirs.sd_eff_w_re_hksj, theirs.q], [tau2, mean, hartung_knapp, q], rtol=1e-6, atol=1e-12
        )
    error = max(hartung_knapp, known)
    half = float(stats.t.ppf(0.975, k - 1) * error)
    spread = float(stats.t.ppf(0.975, k - 2) * (tau2 + error**2) ** 0.5)
    return {
        "name": name,
        "effects": effects,
        "standard_errors": errors,
        "mean": mean,
        "standard_error": error,
        "interval": [mean - half, mean + half],
        "p": float(2 * stats.t.sf(abs(mean) / error, k - 1)),
        "tau2": tau2,
        "q": q,
        "i2": max(0.0, 1 - (k - 1) / q) if q > 0 else 0.0,
        "prediction": [mean - spread, mean + spread],
    }


def main() -> None:
    cases = [case(name, *values) for name, values in CASES.items()]
    Path(sys.argv[1]).write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
