"""What a summary says of gains, shares and corrections (docs/protocol.md, "Inference"). A table of gains has a row a sample and a column a gain."""
import math
import warnings

import numpy as np
from scipy import stats

from clusters import sizes
from draws import flipped_sums
from inference import DRAWS, NO_SHARE, effective_samples, estimate, infer_means, number, percentiles, ratio_of_means, win_share
from rounding import varies

NORMAL_WINSORIZED = 0.642
TOP_SAMPLES = 25
FEWEST_FOR_WILCOXON = 10
MOST_FOR_EXACT_WILCOXON = 50
# So many draws at a time fit into a processor's cache.
DRAWS_AT_ONCE = 256


def robust(values):
    """Trimmed mean and robust d."""
    n = len(values)
    cut = int(0.2 * n)
    ordered = np.sort(values)
    trimmed = ordered[cut : n - cut].mean()
    winsorized = np.clip(ordered, ordered[cut], ordered[n - cut - 1])
    if winsorized[0] == winsorized[-1]:
        return float(trimmed), math.nan
    return float(trimmed), float(NORMAL_WINSORIZED * trimmed / winsorized.std(ddof=1))


def resampled_robust(values, sampling):
    """
    Trimmed mean and robust d of each draw. The number of drawn values up to each value, cut off below and above by the trimming, times the step to the next value
    is a sum of the values between, whatever the draw.
    """
    order = np.argsort(values, kind="stable")
    middle = values[order[len(order) // 2]]
    ordered = values[order] - middle
    cluster = sampling.clusters[order]
    # Two bytes where no draw can have more values: four times as many fit into a register.
    small = np.int16 if sampling.size * max(sizes(sampling.clusters)) < 2**15 else np.int32
    trimmed, d = np.empty(DRAWS), np.empty(DRAWS)
    for start in range(0, DRAWS, DRAWS_AT_ONCE):
        here = slice(start, min(start + DRAWS_AT_ONCE, DRAWS))
        # A row a value, a column a draw.
        behind = np.cumsum(np.ascontiguousarray(sampling.counts[here].T)[cluster], axis=0, dtype=small)
        n = behind[-1].astype(float)
        cut = np.floor(0.2 * n).astype(small)
        end = behind[-1] - cut
        low = ordered[np.sum(behind <= cut, axis=0, dtype=small)]
        high = ordered[np.sum(behind < end, axis=0, dtype=small)]
        # What every draw cuts off is drawn in: the squares of a few large values would take the digits of all others with them.
        inner = np.clip(ordered, low.min(), high.max())
        steps = np.stack([np.append(inner[:-1] - inner[1:], inner[-1]), np.append(inner[:-1] ** 2 - inner[1:] ** 2, inner[-1] ** 2)])
        total, square = steps @ np.minimum(np.maximum(behind, cut), end).astype(float)
        # The cut-off values in front were counted at the first value: `cut` of them to be taken off, which clip has left in.
        total, square = total - cut * inner[0], square - cut * inner[0] ** 2
        winsorized = total + cut * (low + high)
        variance = (square + cut * (low**2 + high**2) - winsorized**2 / n) / (n - 1)
        trimmed[here] = middle + total / (end - cut)
        with np.errstate(all="ignore"):
            d[here] = np.where(high > low, NORMAL_WINSORIZED * trimmed[here] / np.sqrt(variance), np.nan)
    return trimmed, d


def top_share(values):
    if len(values) <= TOP_SAMPLES:
        return None
    if abs(values.sum()) <= rounding_of_sum(values):
        return None
    largest = values[np.argsort(-np.abs(values), kind="stable")[:TOP_SAMPLES]]
    return number(largest.sum() / values.sum())


def rounding_of_sum(values):
    """Sums in another order differ in their last bits."""
    return 1e-12 * np.abs(values).sum()


def cohens_d(values):
    n = len(values)
    if n < 2 or not varies(values):
        return estimate(None)
    d = values.mean() / values.std(ddof=1)
    half = stats.norm.ppf(0.975) * math.sqrt(1 / n + d**2 / (2 * n))
    return estimate(d, (d - half, d + half))


def t_test(values):
    if len(values) < 2:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return number(stats.ttest_1samp(values, 0).pvalue)


def wilcoxon(values):
    changes = values[values != 0]
    if len(changes) < FEWEST_FOR_WILCOXON:
        return 1.0
    is_tied = len(np.unique(np.abs(changes))) < len(changes)
    method = "asymptotic" if is_tied or len(changes) > MOST_FOR_EXACT_WILCOXON else "exact"
    return float(stats.wilcoxon(changes, correction=False, method=method).pvalue)


def sign_flip(values, words):
    flipped = flipped_sums(words, values, DRAWS)
    total = values.sum()
    return (1 + int(np.sum(np.abs(total - 2 * flipped) >= abs(total) - rounding_of_sum(values)))) / (DRAWS + 1)


class Gains:
    """The records of a table's columns. Signs are drawn column by column."""

    def __init__(self, table, sampling, words):
        self.table, self.sampling = table, sampling
        self.means = infer_means(table, sampling)
        self.replicates = [resampled_robust(column, sampling) if sampling.has_test else None for column in table.T]
        self.records = [self._record(column, words) for column in range(table.shape[1])]

    def _record(self, place, words):
        values, mean, replicates = self.table[:, place], self.means[place], self.replicates[place]
        trimmed, d = robust(values)
        spans = [percentiles(own, self.sampling) for own in replicates] if replicates is not None else [None, None]
        return {
            "mean": mean.estimate(),
            "median": float(np.median(values)),
            "trimmed_mean": estimate(trimmed, spans[0]),
            "robust_d": estimate(d, spans[1] if not math.isnan(d) else None),
            "d": cohens_d(values),
            "win": win_share(values, self.sampling),
            "ties": float(np.mean(values == 0)),
            "top_share": top_share(values),
            "effective_samples": effective_samples(values, mean.error),
            "p": {"mean": mean.p(), "t": t_test(values), "wilcoxon": wilcoxon(values), "sign_flip": sign_flip(values, words)},
        }

    def shares(self, part, whole):
        """Of the gain in column `part` in that in column `whole`: by means and by trimmed means."""
        share = ratio_of_means(self.table[:, part], self.table[:, whole], self.sampling)
        tops, bottoms = self.records[part]["trimmed_mean"], self.records[whole]["trimmed_mean"]
        if tops["value"] is None or not (bottoms["low"] or 0) > 0:
            return {"share": share, "share_trimmed": NO_SHARE}
        with np.errstate(all="ignore"):
            # Of a draw whose whole is not above 0 the part is an unbounded share of its own sign.
            drawn = self.replicates[part][0]
            ratios = np.where(drawn == 0, 0.0, drawn / np.maximum(self.replicates[whole][0], 0.0))
        return {"share": share, "share_trimmed": estimate(tops["value"] / bottoms["value"], percentiles(ratios, self.sampling))}


def capped_fields(tables, sampling):
    """
    tables: capped gains, and for each which samples are above the cap (none where that cannot be said). Returns what a gain's record has of them.
    """
    gains, above = tables
    return [
        {"capped": mean.estimate(), "above_cap": float(np.mean(high)) if high is not None else None}
        for mean, high in zip(infer_means(gains, sampling), above)
    ]


def corrected(families, ps):
    """Bonferroni, Holm, and Benjamini and Hochberg, over the p of each family that are there."""
    found = [{"family_size": 0, "bonferroni": None, "holm": None, "bh": None} for _ in ps]
    for family in dict.fromkeys(families):
        members = [i for i, p in enumerate(ps) if families[i] == family and p is not None]
        m = len(members)
        own = np.array([ps[i] for i in members])
        order = np.argsort(own, kind="stable")
        holm, bh = np.empty(m), np.empty(m)
        holm[order] = np.minimum(1, np.maximum.accumulate(own[order] * (m - np.arange(m))))
        bh[order] = np.minimum(1, np.minimum.accumulate((own[order] * m / (np.arange(m) + 1))[::-1])[::-1])
        for at, i in enumerate(members):
            found[i] = {"family_size": m, "bonferroni": min(1.0, float(own[at]) * m), "holm": float(holm[at]), "bh": float(bh[at])}
    return found
