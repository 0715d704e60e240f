"""Comparisons of randomised arms by numpy and scipy, by other ways than the product's: whole matrices, t-tests of scipy, and a bootstrap of units.

    python make_arms_fixtures.py OUTPUT_FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats

DRAWS = 20_000


def units_of(g: np.random.Generator, arm: str, units: int, rate: float, most: int) -> list[dict]:
    """Units with one to `most` decisions, alike within; a few of them decide far more than others."""
    made = []
    for u in range(units):
        decisions = int(g.integers(1, most + 1)) * (6 if most > 1 and g.random() < 0.08 else 1)
        chance = min(1.0, rate * g.gamma(2.0, 0.5))
        rewards = (g.random(decisions) < chance) * g.choice([1.0, 2.5], decisions, p=[0.8, 0.2])
        made.append({"unit": f"{arm}-{u}", "arm": arm, "rewards": rewards.tolist()})
    return made


def cr2(values: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Variance of a mean by clusters and its degrees of freedom (Bell and McCaffrey), with whole matrices."""
    n = len(values)
    design = np.ones((n, 1))
    bread = np.linalg.inv(design.T @ design)
    maker = np.eye(n) - design @ bread @ design.T
    residuals = maker @ values
    variance, columns = 0.0, []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        roots, vectors = np.linalg.eigh(maker[np.ix_(own, own)])
        adjust = vectors @ np.diag(roots**-0.5) @ vectors.T
        row = (bread @ design[own].T @ adjust)[0]
        variance += float(row @ residuals[own]) ** 2
        columns.append(maker[:, own] @ row)
    weights = np.array(columns).T
    products = weights.T @ weights
    return variance, float(np.trace(products) ** 2 / np.trace(products @ products))


def flat(units: list[dict], arm: str) -> tuple[np.ndarray, np.ndarray]:
    own = [u for u in units if u["arm"] == arm]
    rewards = np.concatenate([u["rewards"] for u in own])
    labels = np.repeat(np.arange(len(own)), [len(u["rewards"]) for u in own])
    return rewards, labels


def bootstrap(g: np.random.Generator, units: list[dict], arm: str) -> np.ndarray:
    own = [u for u in units if u["arm"] == arm]
    sums = np.array([np.sum(u["rewards"]) for u in own])
    counts = np.array([len(u["rewards"]) for u in own])
    drawn = g.integers(0, len(own), (DRAWS, len(own)))
    return sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)


def holm(ps: list[float]) -> list[float]:
    order = np.argsort(ps)
    out, bound = [0.0] * len(ps), 0.0
    for place, at in enumerate(order):
        bound = max(bound, min(1.0, ps[at] * (len(ps) - place)))
        out[at] = bound
    return out


def case(seed: int, sizes: dict[str, int], rates: dict[str, float], shares: dict[str, float], most: int) -> dict:
    g = np.random.default_rng(seed)
    units = [u for arm, n in sizes.items() for u in units_of(g, arm, n, rates[arm], most)]
    arms, control = list(sizes), next(iter(sizes))
    moments, means = {}, {}
    for arm in arms:
        rewards, labels = flat(units, arm)
        variance, degrees = cr2(rewards, labels)
        moments[arm] = (float(rewards.mean()), variance, degrees)
        half = stats.t.ppf(0.975, degrees) * variance**0.5
        means[arm] = {"value": float(rewards.mean()), "low": float(rewards.mean() - half), "high": float(rewards.mean() + half)}
    comparisons = []
    draws = {arm: bootstrap(g, units, arm) for arm in arms}
    for arm in arms[1:]:
        (m, v, d), (mc, vc, dc) = moments[arm], moments[control]
        total = v + vc
        degrees = total**2 / (v**2 / d + vc**2 / dc)
        half = stats.t.ppf(0.975, degrees) * total**0.5
        reach = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
        replicates = draws[arm] - draws[control]
        made = {
            "arm": arm,
            "value": m - mc,
            "low": m - mc - half,
            "high": m - mc + half,
            "degrees": degrees,
            "p": float(2 * stats.t.sf(abs(m - mc) / total**0.5, degrees)),
            "detectable": float(reach * total**0.5),
            "units_needed": int(np.ceil((sizes[arm] + sizes[control]) * total * (reach / 0.05) ** 2)),
            "bootstrap": [float(q) for q in np.quantile(replicates, [0.025, 0.975])],
        }
        if most == 1:
            test = stats.ttest_ind(flat(units, arm)[0], flat(units, control)[0], equal_var=False)
            assert abs(test.pvalue - made["p"]) < 1e-9 and abs(test.df - degrees) < 1e-6
        comparisons.append(made)
    for made, p in zip(comparisons, holm([c["p"] for c in comparisons])):
        made["holm"] = p
    expected = [sum(sizes.values()) * shares[arm] for arm in arms]
    ratio = stats.chisquare(list(sizes.values()), expected)
    return {
        "shares": shares,
        "units": units,
        "arms": means,
        "comparisons": comparisons,
        "sample_ratio": {"chi_square": float(ratio.statistic), "p": float(ratio.pvalue)},
    }


def orders(g: np.random.Generator) -> list[dict]:
    made = []
    for n in [2, 3, 7, 10, 33, 200]:
        order = g.permutation(n) + 1
        tau = stats.kendalltau(np.arange(n), order, variant="b").statistic
        overlaps = {str(k): len({*order[:k].tolist()} & {*range(1, k + 1)}) / k for k in (1, 5, 10) if k <= n}
        made.append({"order": order.tolist(), "tau": float(tau), "overlap": overlaps})
    return made


def main(output: Path) -> None:
    shares = {"bare": 0.5, "primed": 0.25, "long": 0.25}
    fixtures = {
        "origin": "numpy, and scipy through tools/reference/make_arms_fixtures.py",
        "cases": {
            "units that decide often": case(1, {"bare": 40, "primed": 25, "long": 18}, {"bare": 0.2, "primed": 0.3, "long": 0.2}, shares, 5),
            "a decision a unit": case(2, {"bare": 60, "primed": 30}, {"bare": 0.2, "primed": 0.5}, {"bare": 0.5, "primed": 0.5}, 1),
            "few units": case(3, {"bare": 4, "primed": 3}, {"bare": 0.4, "primed": 0.4}, {"bare": 0.5, "primed": 0.5}, 4),
        },
        "orders": orders(np.random.default_rng(4)),
        "chi_square": [[x, k, float(stats.chi2.sf(x, k))] for x in (0.01, 0.7, 3.84, 25.0, 300.0) for k in (1, 2, 3, 6, 11)],
    }
    output.write_text(json.dumps(fixtures, separators=(",", ":")) + "\n")


main(Path(sys.argv[1]))
