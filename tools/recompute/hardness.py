"""Do gains go with hardness (docs/protocol.md, "Hardness")?"""
import math

import numpy as np
from scipy import stats

from clusters import count
from inference import estimate, number, percentiles
from rounding import ROUNDED, varies


def summarize(baseline, treatment, sampling):
    """baseline, treatment: of each sample the NLLs of its target's tokens."""
    hard = np.array([np.mean(tokens) for tokens in baseline])
    gain = hard - np.array([np.mean(tokens) for tokens in treatment])
    return {
        "split": split(baseline, treatment, sampling),
        "coupled": gradient(hard, gain, sampling),
        "oldham": gradient(hard - gain / 2, gain, sampling),
    }


def gradient(hard, gain, sampling):
    every = np.arange(len(hard))
    return {"quintiles": [recorded(fifth) for fifth in fifths(hard, gain)], "r": estimate(correlation(hard, gain), percentiles(resampled(hard, gain, every, sampling), sampling))}


def split(baseline, treatment, sampling):
    """Hardness from the odd tokens, gain from the even ones, and the other way round; both averaged."""
    usable = np.array([i for i, tokens in enumerate(baseline) if len(tokens) >= 2], dtype=int)
    half = lambda lists, first: np.array([np.mean(lists[i][first::2]) for i in usable])
    odd, even = (half(baseline, first) for first in (0, 1))
    rest = {"excluded_samples": len(baseline) - len(usable), "reliability": number(stats.spearmanr(odd, even).statistic) if len(usable) >= 2 and varies(odd) and varies(even) else None}
    if len(usable) < 2:
        return {"quintiles": [], "r": estimate(None), **rest}
    ways = [(odd, even - half(treatment, 1)), (even, odd - half(treatment, 0))]
    both = [fifths(*way) for way in ways]
    quintiles = []
    for first, second in zip(*both):
        n = first[0] + second[0]
        mean = lambda at: sum(n_own * value for n_own, value in ((first[0], first[at]), (second[0], second[at])) if n_own > 0) / n if n > 0 else math.nan
        quintiles.append(recorded((n, mean(1), mean(2))))
    replicates = sum(resampled(*way, usable, sampling) for way in ways) / 2
    return {"quintiles": quintiles, "r": estimate(sum(correlation(*way) for way in ways) / 2, percentiles(replicates, sampling)), **rest}


def fifths(hard, gain):
    """Number, mean hardness and mean gain; a fifth holds its lower bound."""
    bounds = np.quantile(hard, [0.2, 0.4, 0.6, 0.8])
    place = np.searchsorted(bounds, hard, side="right")
    return [(int(np.sum(own)), hard[own].mean() if own.any() else math.nan, gain[own].mean() if own.any() else math.nan) for own in (place == fifth for fifth in range(5))]


def recorded(fifth):
    n, hardness, gain = fifth
    return {"n": n, "hardness": number(hardness), "gain": number(gain)}


def correlation(x, y):
    return float(np.corrcoef(x, y)[0, 1]) if varies(x) and varies(y) else math.nan


def resampled(x, y, places, sampling):
    """Pearson's r in each draw. places: which samples the points are of."""
    if not (varies(x) and varies(y)):
        return np.full(len(sampling.counts), np.nan)
    x, y = x - x.mean(), y - y.mean()
    table = np.zeros((count(sampling.clusters), 6))
    np.add.at(table, sampling.clusters[places], np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y]))
    n, sx, sy, xx, yy, xy = (sampling.counts.astype(float) @ table).T
    with np.errstate(all="ignore"):
        vx, vy = xx - sx * sx / n, yy - sy * sy / n
        return np.where((vx > ROUNDED * xx) & (vy > ROUNDED * yy), (xy - sx * sy / n) / np.sqrt(vx * vy), np.nan)
