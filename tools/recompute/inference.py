"""Means of clustered samples and ratios of such means (docs/protocol.md, "Mean", "Ratios", "Win"). A table of gains has a row a sample and a column a gain."""
import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from clusters import count, partition, sizes
from draws import resampled_counts

DRAWS = 9999
FEWEST_CLUSTERS = 6
FEWEST_FOR_BOOTSTRAP = 20


def number(value):
    """JSON's: null where undefined."""
    return float(value) if value is not None and math.isfinite(value) else None


def estimate(value, interval=None):
    low, high = interval if interval is not None else (None, None)
    return {"value": number(value), "low": number(low), "high": number(high)}


def degrees_of_freedom(part):
    """Satterthwaite's, of the CR2 variance of a mean (Bell and McCaffrey 2002): with shares s, 1 / (sum s^2 + (sum w)^2 - sum w^2), w = s^2 / (1 - s)."""
    share = sizes(part) / len(part)
    weight = share**2 / (1 - share)
    return 1 / (np.sum(share**2) + np.sum(weight) ** 2 - np.sum(weight**2))


def effective_clusters(part):
    return count(part) if count(part) < 2 else float(f"{degrees_of_freedom(part) + 1:.9e}")


def sums(part, deviations):
    found = np.zeros((count(part), deviations.shape[1]))
    np.add.at(found, part, deviations)
    return found


class Sampling:
    """Samples that depend on each other, and bootstrap draws of their clusters, made when they are first asked for."""

    def __init__(self, dependence, words):
        self.clusters, self.crossed = dependence.clusters, dependence.crossed
        self.size = count(self.clusters)
        self.has_test = self.size >= FEWEST_CLUSTERS
        self.is_small = effective_clusters(self.clusters) < FEWEST_FOR_BOOTSTRAP
        self._words = words.state_of_another()
        self._counts = None

    @property
    def counts(self):
        if self._counts is None:
            self._counts = resampled_counts(self._words, self.size, DRAWS)
        return self._counts

    def covariances(self, a, b):
        """The estimates of the covariance of two means, from deviations: one, or three where partitions cross."""

        def of(part, cr2=False):
            products = sums(part, a[:, None])[:, 0] * sums(part, b[:, None])[:, 0]
            factor = 1 / (1 - sizes(part) / len(a)) if cr2 else count(part) / (count(part) - 1)
            return float(np.sum(products * factor)) / len(a) ** 2

        with np.errstate(all="ignore"):
            first = of(self.clusters, self.is_small) if self.size > 1 else np.nan
            if self.crossed is None:
                return [first]
            cells = partition(zip(self.clusters.tolist(), self.crossed.tolist()))
            second = of(self.crossed)
            return [first, second, of(self.clusters) + second - of(cells)]

    def standard_error(self, deviations):
        return math.sqrt(max(self.covariances(deviations, deviations)))


@dataclass
class Mean:
    mean: float
    error: float
    # Sorted |t*| of the bootstrap, degrees of freedom of Student's t, or neither with too few clusters.
    bootstrap: np.ndarray | None
    freedom: float | None

    @property
    def critical(self):
        if self.bootstrap is not None:
            return self.bootstrap[math.ceil(0.95 * (DRAWS + 1)) - 1]
        return stats.t.ppf(0.975, self.freedom) if self.freedom is not None else None

    def tail(self, t):
        if self.bootstrap is not None:
            return (1 + DRAWS - int(np.searchsorted(self.bootstrap, t, "left"))) / (DRAWS + 1)
        return 2 * stats.t.sf(t, self.freedom)

    @property
    def has_test(self):
        return self.bootstrap is not None or self.freedom is not None

    def p(self):
        if not self.has_test:
            return None
        if self.mean == 0:
            return 1.0
        return float(self.tail(abs(self.mean) / self.error if self.error > 0 else math.inf))

    def estimate(self):
        half = self.critical * self.error if self.has_test else None
        return estimate(self.mean, (self.mean - half, self.mean + half) if self.has_test else None)

    def equivalence(self, margin):
        """p of two one-sided tests that the mean lies within the margin around 0."""
        if not self.has_test or not self.error > 0:
            return None
        above = [self.tail(t) / 2 if t >= 0 else 1 - self.tail(-t) / 2 for t in ((margin + self.mean) / self.error, (margin - self.mean) / self.error)]
        return float(max(above))


def infer_means(table, sampling):
    """A Mean for each column."""
    means = table.mean(axis=0)
    deviations = table - means
    errors = [sampling.standard_error(column) for column in deviations.T]
    if not sampling.has_test:
        found = [(None, None)] * len(means)
    elif sampling.is_small:
        found = [(None, degrees_of_freedom(sampling.clusters))] * len(means)
    else:
        found = [(column, None) for column in studentized(deviations, sampling)]
    return [Mean(float(mean), error, *reference) for mean, error, reference in zip(means, errors, found)]


def studentized(deviations, sampling):
    """Of each column the |t*| of every draw, sorted: with its own CR1 standard error, around a mean of 0."""
    own = sums(sampling.clusters, deviations)
    size = sizes(sampling.clusters).astype(float)
    counts = sampling.counts.astype(float)
    samples, squared_sizes = counts @ size, counts @ size**2
    total, squares, products = counts @ own, counts @ own**2, counts @ (own * size[:, None])
    center = total / samples[:, None]
    variance = sampling.size / (sampling.size - 1) * (squares - 2 * center * products + center**2 * squared_sizes[:, None])
    # What is left of sums that are rounding alone.
    least = (1e-12 * np.abs(own).max(axis=0)) ** 2
    with np.errstate(all="ignore"):
        t = np.where(variance > least, np.abs(total) / np.sqrt(variance), np.inf)
    t[total * total <= least] = 0
    return np.sort(t, axis=0).T


def percentiles(replicates, sampling):
    """The middle 95% of the draws; None with too few clusters or where more than a tenth is undefined."""
    usable = replicates[~np.isnan(replicates)]
    if not sampling.has_test or len(usable) < 0.9 * len(replicates):
        return None
    return tuple(np.quantile(usable, [0.025, 0.975]))


def effective_samples(values, error):
    n = len(values)
    variance = values.var(ddof=1) / n if n > 1 else 0.0
    effect = error**2 / variance if variance > 0 and math.isfinite(error) else 1.0
    return n / max(1.0, effect)


def win_share(values, sampling):
    wins = (values > 0).astype(float)
    share = float(wins.mean())
    if sampling.size < 2:
        return estimate(share)
    each = sizes(sampling.clusters)
    n = effective_samples(wins, sampling.standard_error(wins - share)) if 0 < share < 1 else len(wins) ** 2 / np.sum(each**2)
    t = stats.t.ppf(0.975, sampling.size - 1)
    center = (share + t**2 / (2 * n)) / (1 + t**2 / n)
    half = t / (1 + t**2 / n) * math.sqrt(share * (1 - share) / n + t**2 / (4 * n**2))
    return estimate(share, (max(0.0, center - half), min(1.0, center + half)))


NO_SHARE = {"value": None, "low": None, "high": None}


def ratio_of_means(part, whole, sampling):
    """Fieller's set of ratios, part over whole."""
    top, bottom = part.mean(), whole.mean()
    with np.errstate(all="ignore"):
        value = top / bottom
    if not math.isfinite(value):
        return {**NO_SHARE, "shape": "interval"}
    rest = part - value * whole
    if np.all(np.abs(rest) <= 1e-12 * np.abs(part).max()):
        return {**estimate(value, (value, value)), "shape": "interval"}
    (inferred,) = infer_means(rest[:, None], sampling)
    if not inferred.has_test:
        return {**estimate(value), "shape": "interval"}
    # Of crossed partitions the estimate that is the largest for the mean of part - value * whole.
    of_rest = sampling.covariances(rest, rest)
    which = of_rest.index(max(of_rest))
    dt, db = part - top, whole - bottom
    tt, tb, bb = (sampling.covariances(x, y)[which] for x, y in ((dt, dt), (dt, db), (db, db)))
    square = inferred.critical**2
    a, b, c = bottom**2 - square * bb, top * bottom - square * tb, top**2 - square * tt
    discriminant = b * b - a * c
    if a > 0:
        root = math.sqrt(max(0.0, discriminant))
        return {**estimate(value, ((b - root) / a, (b + root) / a)), "shape": "interval"}
    if not (a < 0 and discriminant > 0):
        return {**estimate(value), "shape": "all"}
    root = math.sqrt(discriminant)
    return {**estimate(value, ((b + root) / a, (b - root) / a)), "shape": "outside"}
