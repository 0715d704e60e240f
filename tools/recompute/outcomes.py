"""What was measured beside NLLs (docs/protocol.md, "Common to both"; docs/statistics.md): right answers among wrong ones, what the model says, and temperatures."""
import math

import numpy as np
from scipy.optimize import brentq, minimize_scalar, nnls

from gains import corrected
from inference import infer_means

FOLDS = 5
SHARPEST = 32.0
CLASSES = ("distractor", "same document", "same kind", "other sample")
INVERSE_TEMPERATURES = 0.25 * 2 ** (np.arange(10) / 3)
AT_ONE = 6
MARGIN = 0.05


def pairs_of(comparisons):
    """The comparisons, and behind them both parts of those that have a control."""
    parts = []
    for one in comparisons:
        if "control" in one:
            family = one.get("family", "")
            parts.append({"treatment": one["control"], "baseline": one["baseline"], "family": f"{family}: machinery"})
            parts.append({"treatment": one["treatment"], "baseline": one["control"], "family": f"{family}: content"})
    return [*comparisons, *parts]


def names_of(conditions, pairs):
    compared = {pair[side] for pair in pairs for side in ("treatment", "baseline")}
    return [condition["name"] for condition in conditions if condition["name"] in compared]


def differences(pairs, values, sampling):
    return infer_means(np.column_stack([values(pair["treatment"]) - values(pair["baseline"]) for pair in pairs]), sampling)


def holm(pairs, tested):
    return [one["holm"] for one in corrected([pair.get("family", "") for pair in pairs], [mean.p() for mean in tested])]


def folds_of(clusters):
    """Cluster c goes to fold c mod 5; a sample to its cluster's."""
    return clusters % FOLDS


def slope(nlls, sharpness):
    """Of the summed loss: the right answer's NLL less the mean under the softmax."""
    shares = np.exp(-sharpness * (nlls - nlls.min(axis=1, keepdims=True)))
    return float(np.sum(nlls[:, 0] - np.sum(shares * nlls, axis=1) / shares.sum(axis=1)))


def best_sharpness(nlls):
    if slope(nlls, 0.0) >= 0:
        return 0.0
    if slope(nlls, SHARPEST) <= 0:
        return SHARPEST
    return brentq(lambda at: slope(nlls, at), 0.0, SHARPEST, xtol=1e-15, rtol=4 * np.finfo(float).eps, maxiter=500)


class Arm:
    """A condition's candidates, the right answer first: [samples, candidates]."""

    def __init__(self, nlls, clusters):
        folds = folds_of(clusters)
        chosen = [best_sharpness(nlls[folds != fold]) for fold in range(folds.max() + 1)]
        scores = np.array(chosen)[folds][:, None] * (nlls[:, :1] - nlls)
        self.loss = np.log(np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)) + scores.max(axis=1)
        self.sharpness = {"value": best_sharpness(nlls), "low": min(chosen), "high": max(chosen)}
        less, equal = (nlls[:, 1:] < nlls[:, :1]).sum(axis=1), (nlls[:, 1:] == nlls[:, :1]).sum(axis=1)
        self.rank = 1 + less + equal / 2
        self.first = np.where(less > 0, 0.0, 1 / (1 + equal))
        self.margin = nlls[:, 1:].mean(axis=1) - nlls[:, 0]


def contrast(conditions, pairs, columns, kept, sampling, sampling_of):
    names = names_of(conditions, pairs)
    candidates = {name: np.array([[trial["nll"], *trial["wrong_nlls"]] for trial in columns.trials[name]]) for name in names}
    arms = {name: Arm(candidates[name], sampling.clusters) for name in names}
    grown = lambda field, sign=1: differences(pairs, lambda name: sign * getattr(arms[name], field), sampling)
    loss, rank, first, margin = grown("loss", -1), grown("rank", -1), grown("first"), grown("margin")
    classes = []
    for source in CLASSES:
        places = [[at + 1 for at, wrong in enumerate(sample["wrong_answers"]) if wrong["from"] == source] for sample in kept]
        own = [at for at, some in enumerate(places) if some]
        if not own:
            continue
        margins, beaten = {}, {}
        for name in names:
            sides = [(candidates[name][at, 0], candidates[name][at, places[at]]) for at in own]
            margins[name] = np.array([wrong.mean() - right for right, wrong in sides])
            beaten[name] = np.array([((wrong > right) + (wrong == right) / 2).mean() for right, wrong in sides])
        drawn = sampling_of([kept[at]["id"] for at in own])
        classes.append((source, len(own), differences(pairs, margins.get, drawn), differences(pairs, beaten.get, drawn)))
    # Ranks go from 1 to the number of candidates.
    most = candidates[names[0]].shape[1] - 1.0
    return {
        "candidates": candidates[names[0]].shape[1],
        "conditions": [
            {"name": name, **{field: float(getattr(arms[name], field).mean()) for field in ("loss", "rank", "first", "margin")}, "sharpness": arms[name].sharpness}
            for name in names
        ],
        "comparisons": [
            {
                "treatment": pair["treatment"],
                "baseline": pair["baseline"],
                "loss": loss[at].estimate(),
                "p": loss[at].p(),
                "p_holm": by_holm,
                "rank": rank[at].estimate(-most, most),
                "first": first[at].estimate(-1.0, 1.0),
                "margin": margin[at].estimate(),
                "classes": [{"from": source, "samples": count, "margin": margins[at].estimate(), "beaten": beaten[at].estimate(-1.0, 1.0)} for source, count, margins, beaten in classes],
            }
            for at, (pair, by_holm) in enumerate(zip(pairs, holm(pairs, loss)))
        ],
    }


def recall(conditions, pairs, columns, sampling):
    names = names_of(conditions, pairs)
    said = {name: {field: np.array([float(trial["said"][field]) for trial in columns.trials[name]]) for field in ("contains", "equals", "f1", "tokens", "ended")} for name in names}
    grown = lambda field: differences(pairs, lambda name: said[name][field], sampling)
    contains, equals, f1, tokens = (grown(field) for field in ("contains", "equals", "f1", "tokens"))
    return {
        "conditions": [{"name": name, **{field: float(values.mean()) for field, values in said[name].items()}} for name in names],
        "comparisons": [
            {
                "treatment": pair["treatment"],
                "baseline": pair["baseline"],
                "contains": contains[at].estimate(-1.0, 1.0),
                "p": contains[at].p(),
                "p_holm": by_holm,
                "equals": equals[at].estimate(-1.0, 1.0),
                "f1": f1[at].estimate(-1.0, 1.0),
                "tokens": tokens[at].estimate(),
            }
            for at, (pair, by_holm) in enumerate(zip(pairs, holm(pairs, contains)))
        ],
    }


PLACES = np.concatenate([[0.0], INVERSE_TEMPERATURES])
# Inverse temperatures at which curves are evaluated once, and read between by cubic splines: so near each other curves are smooth.
FINE = np.geomspace(INVERSE_TEMPERATURES[0], INVERSE_TEMPERATURES[-1], 145)
REFINEMENTS = 3


def curve(nlls, vocabulary):
    """
    NLL of a token at `FINE`. exp(NLL) is a mixture of exponentials in the inverse temperature with weights that are not negative; one is fitted to the ten values and
    ln V at 0, on a grid of steps that gets finer where weights are.
    """
    values = np.concatenate([[math.log(vocabulary)], nlls])
    steps = np.concatenate([-np.geomspace(0.02, 60, 40)[::-1], [0.0], np.geomspace(0.02, 60, 40)])
    for _ in range(REFINEMENTS + 1):
        columns = np.outer(PLACES, steps) - values[:, None]
        tops = columns.max(axis=0)
        weights, _ = nnls(np.exp(columns - tops), np.ones(len(PLACES)))
        used = np.flatnonzero(weights)
        kept, logs = steps[used], np.log(weights[used]) - tops[used]
        low, high = steps[np.maximum(used - 1, 0)], steps[np.minimum(used + 1, len(steps) - 1)]
        steps = np.unique(np.concatenate([np.linspace(a, b, 9) for a, b in zip(low, high)]))
    return np.logaddexp.reduce(np.outer(FINE, kept) + logs, axis=1)


def least(total):
    """The inverse temperature where a sum of curves is least: between the neighbours of the best fine one, by a parabola in it."""
    best = int(np.argmin(total))
    near = slice(max(best - 2, 0), min(best + 3, len(FINE)))
    fit = np.polynomial.Polynomial.fit(FINE[near], total[near], 4 if near.stop - near.start == 5 else 2)
    found = minimize_scalar(fit, bounds=(FINE[max(best - 1, 0)], FINE[min(best + 1, len(FINE) - 1)]), method="bounded", options={"xatol": 1e-6})
    return float(found.x)


class TemperedArm:
    """curves: of each sample the curves of its tokens."""

    def __init__(self, at_one, curves, clusters, cap=math.inf, apart=False):
        folds = folds_of(clusters)
        self.at_one = np.array([np.minimum(own, cap).mean() for own in at_one])
        self.own, self.temperatures = np.zeros(len(curves)), []
        for kind in ((slice(0, 1), slice(1, None)) if apart else (slice(None),)):
            parts = np.array([np.minimum(own[kind], cap).sum(axis=0) / len(own) for own in curves])
            chosen = [least(parts[folds != fold].sum(axis=0)) for fold in range(folds.max() + 1)]
            self.own += [np.interp(chosen[fold], FINE, part) for fold, part in zip(folds, parts)]
            of_all = least(parts.sum(axis=0))
            self.temperatures.append({"value": 1 / of_all, "low": 1 / max(chosen), "high": 1 / min(chosen)})


def temperature(conditions, pairs, columns, sampling, vocabulary):
    names = names_of(conditions, pairs)
    tempered = {name: [np.array(trial["tempered_nlls"], np.float32).astype(float) for trial in columns.trials[name]] for name in names}
    curves = {name: [np.array([curve(token, vocabulary) for token in own]) for own in tempered[name]] for name in names}
    at_one = {name: [own[:, AT_ONE] for own in tempered[name]] for name in names}

    def effects(**options):
        arms = {name: TemperedArm(at_one[name], curves[name], sampling.clusters, **options) for name in names}
        gain = lambda field: differences(pairs, lambda name: -field(arms[name]), sampling)
        ones, own, rest = gain(lambda arm: arm.at_one), gain(lambda arm: arm.own), gain(lambda arm: arm.at_one - arm.own)
        return [
            {
                "at_one": ones[at].estimate(),
                "remaining": own[at].estimate(),
                "calibration": rest[at].estimate(),
                "p_equivalence": own[at].equivalence(MARGIN),
                "baseline": arms[pair["baseline"]].temperatures,
                "treatment": arms[pair["treatment"]].temperatures,
            }
            for at, pair in enumerate(pairs)
        ]

    whole, capped = effects(), effects(cap=math.log(vocabulary))
    has_later = any(len(own) > 1 for of in tempered.values() for own in of)
    apart = effects(apart=True) if has_later else [None] * len(pairs)
    return {
        "margin": MARGIN,
        "comparisons": [
            {"treatment": pair["treatment"], "baseline": pair["baseline"], "all": whole[at], "capped": capped[at], "apart": apart[at]} for at, pair in enumerate(pairs)
        ],
    }


def outcomes(configuration, columns, kept, pairs, sampling, sampling_of, vocabulary, clusters):
    """Of the outcomes that the experiment asks for; none is fitted on some clusters and used on others where there is one cluster."""
    experiment = configuration["experiment"]
    asked, conditions = experiment.get("outcomes", []), experiment["conditions"]
    found = {}
    if "temperature" in asked and clusters > 1 and vocabulary is not None:
        found["temperature"] = temperature(conditions, pairs, columns, sampling, vocabulary)
    if "contrast" in asked and clusters > 1:
        found["contrast"] = contrast(conditions, pairs, columns, kept, sampling, sampling_of)
    if "recall" in asked and pairs:
        found["recall"] = recall(conditions, pairs, columns, sampling)
    return found
