"""What the gain of a prefix is made of (docs/protocol.md, "A verdict"): simultaneous intervals of its steps, their states, and the reading of these."""
import itertools
import math

import numpy as np
from scipy import stats

from gains import resampled_robust, robust
from inference import DRAWS, degrees_of_freedom, estimate, number, studentized

LEVEL = 0.99
STEPS = ("H", "W", "P0", "V", "P*", "I", "L", "S")
CHAIN = ("H", "W", "P0", "V")
SET_ASIDE = 5
LEAST_MARGIN = 0.05


def split(clusters, is_whole):
    """Places of the samples in every fifth cluster, and of the others; of none and all where another run says the totals."""
    aside = (clusters % SET_ASIDE == 0) & (not is_whole)
    return np.flatnonzero(aside), np.flatnonzero(~aside)


def judged(groups, values, aside, rest, sampling_of, totals):
    """groups: contrast groups with a verdict; values(terms): of all samples; sampling_of(places): resamples of those; totals: by title, where another run says them."""
    groups = [group for group in groups if "verdict" in group and any(one["name"] == "P0" for one in group["contrasts"])]
    if not groups or not len(rest):
        return []
    sampling = sampling_of(rest)
    found = []
    for together in dict.fromkeys(group["verdict"] for group in groups):
        own = [group for group in groups if group["verdict"] == together]
        steps = [{name: one["terms"] for name in STEPS for one in group["contrasts"] if one["name"] == name} for group in own]
        distinct = []
        for terms in itertools.chain.from_iterable(of.values() for of in steps):
            if terms not in distinct:
                distinct.append(terms)
        critical, intervals = simultaneous(np.column_stack([values(terms)[rest] for terms in distinct]), sampling)
        for group, of in zip(own, steps):
            total = totals[group["title"]] if totals else sum(float(values(terms)[aside].mean()) for name, terms in of.items() if name in CHAIN)
            margin = max(LEAST_MARGIN, 0.2 * abs(total))
            records = [{"name": name, "state": state(*intervals[distinct.index(terms)][:2], margin), **fields(intervals[distinct.index(terms)])} for name, terms in of.items()]
            verdict, waits = reading({record["name"]: record["state"] for record in records})
            found.append({
                "title": group["title"],
                "together": together,
                "verdict": verdict,
                "open": waits,
                "absent": [name for name in STEPS if name not in of],
                "total": total,
                "margin": margin,
                "samples": len(rest),
                "critical": number(critical),
                "error_needed": None if critical is None else margin / (critical + float(stats.norm.ppf(0.9))),
                "steps": records,
            })
    return found


def quantile_of_largest(values):
    """values: a row a draw, a column a list."""
    return float(np.sort(values.max(axis=1))[math.ceil(LEVEL * (DRAWS + 1)) - 1])


def simultaneous(table, sampling):
    """The critical value, and for each column mean, trimmed mean and the standard error of the mean."""
    means = table.mean(axis=0)
    errors = [sampling.standard_error(column) for column in (table - means).T]
    trimmed = [robust(column)[0] for column in table.T]
    replicates = np.column_stack([resampled_robust(column, sampling)[0] for column in table.T])
    deviations = replicates.std(axis=0, ddof=1)
    critical = reach = None
    if sampling.has_test:
        with np.errstate(all="ignore"):
            off = np.where(deviations > 0, np.abs(replicates - trimmed) / deviations, 0)
        reach = quantile_of_largest(off)
        if sampling.is_small:
            critical = float(stats.t.ppf(1 - (1 - LEVEL) / (2 * table.shape[1]), degrees_of_freedom(sampling.clusters)))
        else:
            critical = quantile_of_largest(studentized(table - means, sampling))
    between = lambda value, error, far: estimate(value, None if far is None else (value - far * error, value + far * error))
    return critical, [
        (between(float(mean), error, critical), between(cut, float(deviation), reach), number(error))
        for mean, error, cut, deviation in zip(means, errors, trimmed, deviations)
    ]


def fields(interval):
    mean, trimmed, error = interval
    return {"mean": mean, "trimmed_mean": trimmed, "standard_error": error}


def state(mean, trimmed, margin):
    ends = [(interval["low"], interval["high"]) for interval in (mean, trimmed)]
    if any(end is None for pair in ends for end in pair):
        return "open"
    if all(-margin < low and high < margin for low, high in ends):
        return "nil"
    if min(low for low, _ in ends) > 0:
        return "positive"
    return "negative" if max(high for _, high in ends) < 0 else "open"


def reading(states):
    """The verdict that all ways to close the open steps come to, or undecided with the steps that it can go with."""
    whole = {**dict.fromkeys(STEPS, "nil"), **states}
    waiting = [name for name in STEPS if whole[name] == "open"]
    found = {}
    for closed in itertools.product(("positive", "negative", "nil"), repeat=len(waiting)):
        now = {**whole, **dict(zip(waiting, closed))}
        if "P*" not in states:
            now["P*"] = now["P0"]
        found[closed] = closed_reading(now)
    if len(set(found.values())) == 1:
        return found.popitem()[1], []
    decides = lambda at: any(found[closed] != found[closed[:at] + (other,) + closed[at + 1 :]] for closed in found for other in ("positive", "negative", "nil"))
    return "undecided", [name for at, name in enumerate(waiting) if decides(at)]


def closed_reading(states):
    h, w, p0, v, beside, i, l, s = (states[name] for name in STEPS)
    unmasked = p0 == "positive" and beside == "nil"
    asked = [w, p0, v, beside, l] + ([] if unmasked else [h])
    helping = {
        "line break": "positive" in (w, v),
        "leak": l == "positive",
        "document": p0 == "positive",
        "hidden BOS": h == "positive" and not unmasked,
    }
    kinds = [kind for kind, helps in helping.items() if helps]
    if beside == "positive" and "positive" not in (p0, w):
        return "mixed"
    if not kinds:
        return "harmed" if "negative" in asked else "no effect"
    if len(kinds) > 1 or "negative" in asked:
        return "mixed"
    if kinds != ["document"]:
        return kinds[0]
    if unmasked:
        return "unmasked"
    if i != "nil":
        return "mixed"
    return "primed" if s == "positive" else "structural"
