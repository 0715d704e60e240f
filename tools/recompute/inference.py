"""Means of clustered samples and ratios of such means (docs/protocol.md, "Mean", "Ratios", "Win"). A table of gains has a row a sample and a column a gain."""
import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from clusters import count, partition, sizes
from draws import resampled_counts
from rounding import varies

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

    def estimate(self, least=-math.inf, most=math.inf):
        """With the interval, cut where the number cannot be beyond."""
        half = self.critical * self.error if self.has_test else None
        own = estimate(self.mean, (self.mean - half, self.mean + half) if self.has_test else None)
        cut = lambda end: None if end is None else min(most, max(least, end))
        return {**own, "low": cut(own["low"]), "high": cut(own["high"])}

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
        found = [(column, None) for column in np.sort(studentized(deviations, sampling), axis=0).T]
    return [Mean(float(mean), error, *reference) for mean, error, reference in zip(means, errors, found)]


def studentized(deviations, sampling):
    """Of each column the |t*| of every draw, a row: with its own CR1 standard error, around a mean of 0."""
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
    return t


def percentiles(replicates, sampling):
    """The middle 95% of the draws; None with too few clusters or where more than a tenth is undefined."""
    usable = replicates[~np.isnan(replicates)]
    if not sampling.has_test or len(usable) < 0.9 * len(replicates):
        return None
    return tuple(np.quantile(usable, [0.025, 0.975]))


def effective_samples(values, error):
    n = len(values)
    variance = values.var(ddof=1) / n if n > 1 and varies(values) else 0.0
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


# Halvings of a range of angles after which its last bits are known.
HALVINGS = 60

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
    if not sampling.has_test:
        return {**estimate(value), "shape": "interval"}
    combined = Combined(rest, whole, sampling)
    # The ratio r is value + unit * tan(angle): from itself at 0 by way of infinity at pi / 2 to itself at pi.
    tt, tb, bb = combined.of_largest
    unit = math.sqrt(tt / bb) if tt > 0 and bb > 0 else 1.0

    def is_out(angle):
        return combined.differs(math.cos(angle), -unit * math.sin(angle))

    def angle_of(offset):
        return math.atan(offset / unit) % math.pi

    angles = [angle_of(-value), math.pi / 2]
    out = [is_out(angle) for angle in angles]
    if not any(out):
        angles.append(angle_of(tt / tb) if tb != 0 else math.pi / 2)
        out.append(is_out(angles[-1]))
    marks = sorted((angle, gone) for angle, gone in zip(angles, out) if angle > 0)
    if not any(gone for _, gone in marks):
        return {**estimate(value), "shape": "all"}

    def end(inside, outside):
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if is_out(middle) else (middle, outside)
        return value + unit * math.tan(inside)

    places = [place for place, (_, gone) in enumerate(marks) if gone]
    first, last = places[0], places[-1]
    upper = end(marks[first - 1][0] if first > 0 else 0.0, marks[first][0])
    lower = end(marks[last + 1][0] if last + 1 < len(marks) else math.pi, marks[last][0])
    if out[1]:
        return {**estimate(value, (lower, upper)), "shape": "interval"}
    return {**estimate(value, (upper, lower)), "shape": "outside"}


class Combined:
    """The test of the mean of a * first + b * second, for any a and b."""

    def __init__(self, first, second, sampling):
        self.means = first.mean(), second.mean()
        x, y = first - self.means[0], second - self.means[1]
        # Of each estimator: variance of the first mean, covariance, variance of the second.
        self.estimators = list(zip(*(sampling.covariances(*pair) for pair in ((x, x), (x, y), (y, y)))))
        self.of_largest = max(self.estimators, key=lambda each: each[0])
        self.freedom = degrees_of_freedom(sampling.clusters) if sampling.is_small else None
        if not sampling.is_small:
            self.own = sums(sampling.clusters, np.stack([x, y], axis=1))
            self.totals, self.variances = draws_of_two(self.own, sampling)

    def differs(self, a, b):
        weights = np.array([a * a, 2 * a * b, b * b])
        t2 = (a * self.means[0] + b * self.means[1]) ** 2 / max(weights @ each for each in self.estimators)
        if self.freedom is not None:
            return bool(t2 > stats.t.ppf(0.975, self.freedom) ** 2)
        least = (1e-12 * np.abs(self.own @ [a, b]).max()) ** 2
        total, variance = (self.totals @ [a, b]) ** 2, self.variances @ weights
        beyond = (total > least) & ((variance <= least) | (total >= t2 * variance))
        return (1 + int(beyond.sum())) / (DRAWS + 1) <= 0.05


def draws_of_two(own, sampling):
    """Of every draw the two sums, and variance, covariance and variance as CR1 has them for means of its samples, times its squared number of samples."""
    size = sizes(sampling.clusters).astype(float)
    counts = sampling.counts.astype(float)
    samples, squared_sizes = counts @ size, counts @ size**2
    totals, products = counts @ own, counts @ (own * size[:, None])
    center = totals / samples[:, None]
    pairs = ((0, 0), (0, 1), (1, 1))
    found = [counts @ (own[:, i] * own[:, j]) - center[:, i] * products[:, j] - center[:, j] * products[:, i] + center[:, i] * center[:, j] * squared_sizes for i, j in pairs]
    return totals, np.stack(found, axis=1) * (sampling.size / (sampling.size - 1))
