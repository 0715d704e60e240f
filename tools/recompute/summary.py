"""From a run's samples and trials to the numbers of its summary, as docs/protocol.md ("Inference") and docs/formats.md ("summary.json") define them."""
import itertools
import math

import numpy as np
from scipy import stats

import hardness
import ranking
from clusters import borrowing, count, dependence_of, intraclass_correlation, sizes, surrogates_of
from draws import Words
from gains import Gains, capped_fields, corrected
from outcomes import outcomes, pairs_of
from inference import DRAWS, NO_SHARE, Sampling, infer_means, number
from verdicts import judged as verdicts_of, split

FOLDS = 5
IDENTITY_TOLERANCE = 1e-4
MOST_FOR_EXACT_SPEARMAN = 9


class Columns:
    """NLLs of conditions over the scored samples, in the order of their ids."""

    def __init__(self, run, kept, vocabulary):
        self.trials = {condition: [of[sample["id"]] for sample in kept] for condition, of in run.trials.items()}
        self.cap = math.log(vocabulary) if vocabulary is not None else None
        self._nlls, self._capped = {}, {}

    def nlls(self, condition):
        if condition not in self._nlls:
            self._nlls[condition] = np.array([trial["nll"] for trial in self.trials[condition]])
        return self._nlls[condition]

    def capped(self, condition):
        """No token counts more than ln V."""
        if condition not in self._capped:
            self._capped[condition] = np.array([np.mean(np.minimum(trial["token_nlls"], self.cap)) for trial in self.trials[condition]])
        return self._capped[condition]

    def tokens(self, condition):
        return [trial["token_nlls"] for trial in self.trials[condition]]


def weighted(terms, column):
    """Sums from left to right, because a gain of exactly 0 is a tie."""
    total = 0.0
    for condition, weight in terms.items():
        total = total + weight * column(condition)
    return total


def table_of(all_terms, column):
    return np.column_stack([weighted(terms, column) for terms in all_terms])


def terms_of(comparison):
    treatment, baseline = comparison["treatment"], comparison["baseline"]
    return {baseline: 0} if treatment == baseline else {baseline: 1, treatment: -1}


def capped_tables(all_terms, columns):
    """Capped gains, and which samples are above the cap under a condition of positive weight."""
    above = []
    for terms in all_terms:
        sides = [columns.nlls(condition) > columns.cap for condition, weight in terms.items() if weight > 0]
        above.append(np.any(sides, axis=0) if sides else None)
    return table_of(all_terms, columns.capped), above


def gain_records(all_terms, columns, sampling, words):
    gains = Gains(table_of(all_terms, columns.nlls), sampling, words)
    if columns.cap is not None:
        for record, fields in zip(gains.records, capped_fields(capped_tables(all_terms, columns), sampling)):
            record.update(fields)
    return gains


def is_self_test(configuration, comparison):
    """Are the two the same by construction: all positions moved, and nothing else?"""
    if configuration["model"].get("positions") == "learned":
        return False
    by_name = {condition["name"]: condition for condition in configuration["experiment"]["conditions"]}
    moved, still = by_name[comparison["treatment"]], by_name[comparison["baseline"]]
    if moved.get("positions") != "after_prefix" or "surrogate" in still:
        return False

    def rest(condition):
        # The count hides nothing of a document without a prefix.
        visibility = "full" if condition["visibility"] == "published" else condition["visibility"]
        return [visibility, *(condition.get(name) for name in ("document", "bos", "separator", "prompt", "before_target", "blocked", "hidden", "also"))]

    return rest(moved) == rest(still)


def primary_of(experiment):
    return experiment.get("primary") or next(iter(experiment["comparisons"]), None)


def same(a, b):
    return a["treatment"] == b["treatment"] and a["baseline"] == b["baseline"]


def summarize(run):
    """What summary.json holds, but for what NOT_RECOMPUTED of compare.py names."""
    configuration = run.configuration
    experiment = configuration["experiment"]
    known = configuration["model"].get("vocabulary")
    vocabulary = run.summary.get("vocabulary") if known is None else known
    scored = {sample for of in run.trials.values() for sample in of} | {probe["sample"] for probe in run.probes}
    kept = sorted((sample for sample in run.samples if sample["id"] in scored), key=lambda sample: sample["id"])
    columns = Columns(run, kept, vocabulary)
    is_pooled, is_probe = experiment["unit"] == "pool", experiment["unit"] == "probe"
    # What has nothing to score is one of the protocol's samples, and nothing to rank.
    reason = f"the {experiment['target']} is empty"
    empty = {entry["sample"] for entry in run.rejections if entry["rejected"] == reason} - scored
    units_of = pool_units if is_pooled else sample_units
    # Those that were rejected are among the protocol's samples.
    away = {entry["sample"] for entry in run.rejections}
    read = [sample for sample in run.samples if sample["id"] in scored | away]
    asked_for = run.plan["locked"]["configuration"]["samples"] if run.plan else experiment["protocol"]["samples"]
    units = units_of(kept)
    dependence = dependence_of(units, units_of(run.samples), experiment["conditions"])
    words = Words.named("bootstrap", configuration["seed"])
    sampling = Sampling(dependence, words)
    if is_pooled:
        asked = [sample for sample in run.samples if sample["id"] not in empty]
        measured = {**NOTHING_COMPARED, "ranking": rank(run, asked, kept, columns, configuration, words)}
    elif is_probe:
        measured = {**NOTHING_COMPARED, "probe": probe(run, words)}
    else:
        measured = pair(configuration, columns, sampling, words)
    if experiment["unit"] == "sample":
        pairs = pairs_of([one for one in experiment["comparisons"] if not is_self_test(configuration, one)])
        some_of = samplings(units_of(run.samples), experiment["conditions"], Words.named("contrast", configuration["seed"]))
        measured |= outcomes(configuration, columns, kept, pairs, sampling, some_of, vocabulary, count(dependence.clusters))
    trials = [trial for of in run.trials.values() for trial in of.values()]
    samples_with = lambda field: len({trial["sample"] for trial in trials if trial.get(field)})
    effective = primary_gain(experiment, measured)
    is_imported = bool(configuration.get("imported"))
    verdicts = [] if is_pooled or is_probe else judge(run, units, dependence, columns, configuration)
    plan = {"plan": plan_outcome(run.plan["locked"], experiment, columns, sampling, measured)} if run.plan else {}
    return {
        "format": 2,
        "configuration": configuration,
        "smoke_run": len(units_of(read)) < asked_for,
        **({"vocabulary": known} if known is not None else {}),
        "detectable_d": float(stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / math.sqrt((effective and effective["effective_samples"]) or len(units)),
        "samples": {
            "scored": len(kept),
            "clusters": count(dependence.clusters),
            "dependence": recorded_dependence(dependence, configuration, columns, is_pooled),
            "rejected": sorted((entry for entry in run.rejections if entry["sample"] not in scored), key=lambda entry: entry["sample"]),
            "cut": samples_with("cut"),
            "joint_differs": samples_with("joint_differs"),
            "literal": literals(kept),
        },
        # Of rejected samples the plan had passes, too.
        **({"passes": passes(experiment, 0 if is_imported else len(kept))} if not run.rejections else {}),
        "resamples": DRAWS,
        "conditions": [] if is_probe else [
            {
                "name": condition["name"],
                "nll": float(columns.nlls(condition["name"]).mean()),
                "prefix_tokens": mean_of_known(columns.trials[condition["name"]], "prefix_tokens"),
                "document_tokens": mean_of_known(columns.trials[condition["name"]], "document_tokens"),
                "leak": None if is_imported else leak(condition, columns.trials[condition["name"]], kept, experiment["target"]),
            }
            for condition in experiment["conditions"]
        ],
        "identities": identities(configuration, columns),
        **measured,
        **({"verdicts": verdicts} if verdicts else {}),
        **plan,
    }


def judge(run, units, dependence, columns, configuration):
    """Verdicts, whose intervals leave out a part of the clusters."""
    experiment = configuration["experiment"]

    def sampling_of(places):
        own = dependence_of([units[place] for place in places], sample_units(run.samples), experiment["conditions"])
        return Sampling(own, Words.named("verdict", configuration["seed"]))

    values = lambda terms: weighted(terms, columns.nlls)
    totals = {one["title"]: one["total"] for one in configuration.get("margin_from", {}).get("totals", [])}
    return verdicts_of(experiment["contrasts"], values, *split(dependence.clusters, bool(totals)), sampling_of, totals)


def plan_outcome(locked, experiment, columns, sampling, measured):
    """What came of the planned test: that of the mean difference, in NLL or in a ranking's measure."""
    test = locked["test"]
    copied = {"sha256": locked["sha256"], "test": test}
    if test["measure"] != "nats per token":
        names = [measure["name"] for measure in measured.get("ranking", {}).get("measures", [])]
        found = [one["differences"] for one in measured.get("ranking", {}).get("comparisons", []) if same(one, test)]
        if not found or test["measure"] not in names:
            return {**copied, "mean": NO_SHARE, "p": None}
        record = found[0][names.index(test["measure"])]
        return {**copied, "mean": record["mean"], "p": record["p"]["mean"]}
    if experiment["unit"] != "sample" or not {test["treatment"], test["baseline"]} <= {c["name"] for c in experiment["conditions"]}:
        return {**copied, "mean": NO_SHARE, "p": None}
    (mean,) = infer_means(table_of([terms_of(test)], columns.nlls), sampling)
    return {**copied, "mean": mean.estimate(), "p": mean.p() if test["hypothesis"] == "difference" else mean.equivalence(test["margin"])}


def samplings(units, conditions, words):
    """A function from the ids of some units to their sampling: the same draws for the same units."""
    by_id = {unit["id"]: unit for unit in units}
    made = {}

    def sampling_of(ids):
        key = tuple(ids)
        if key not in made:
            made[key] = Sampling(dependence_of([by_id[name] for name in key], units, conditions), words)
        return made[key]

    return sampling_of


NOTHING_COMPARED = {"comparisons": [], "contrasts": [], "orders": [], "selections": []}


def sample_units(samples):
    return [
        {"id": sample["id"], "cluster": sample.get("cluster"), "kind": sample.get("kind"), "query": sample.get("texts", {}).get("query", sample.get("query_as"))}
        for sample in samples
    ]


def pool_units(candidates):
    """Each pool once, where its first candidate stands."""
    pools = {}
    for candidate in candidates:
        pools.setdefault(candidate["pool"], {"id": candidate["pool"], "kind": candidate.get("kind"), "query": candidate.get("texts", {}).get("query")})
    return list(pools.values())


def passes(experiment, samples):
    """Those of a loop over samples and conditions; of the decoder, also those that were made: for the target, for each wrong answer and for what the model says."""
    conditions, outcomes = experiment["conditions"], experiment.get("outcomes", [])
    asked = (8 if "contrast" in outcomes else 1) + ("recall" in outcomes)
    encoder = sum(1 + len(condition.get("also", [])) for condition in conditions)
    return {"decoder": 0 if experiment["unit"] == "probe" else samples * len(conditions) * asked, "naive_encoder": samples * encoder}


def leak(condition, column, kept, scored):
    """Share of samples whose prefix contains the scored text; as the trial says where texts are not kept."""

    def leaks(trial, sample):
        prefix, texts = trial.get("prefix"), sample.get("texts")
        if not isinstance(prefix, str) or texts is None or "also" in condition:
            return bool(trial.get("leak"))
        return texts[scored].strip().lower() in prefix.lower()

    return float(np.mean([leaks(trial, sample) for trial, sample in zip(column, kept)]))


def mean_of_known(trials, field):
    values = [trial.get(field) for trial in trials]
    return None if None in values else float(np.mean(values))


def primary_gain(experiment, measured):
    primary = primary_of(experiment)
    if primary is None:
        return None
    gains = [one["gain"] for one in measured["comparisons"] if same(one, primary)]
    ranked = [one["differences"][0] for one in measured.get("ranking", {}).get("comparisons", []) if same(one, primary)]
    return next(iter(gains + ranked), None)


def recorded_dependence(dependence, configuration, columns, is_pooled):
    experiment = configuration["experiment"]
    primary = None if is_pooled else primary_of(experiment)
    gains = lambda comparison: weighted(terms_of(comparison), columns.nlls)
    borrows = {c["name"]: any(borrowing(name) for name in surrogates_of(c)) for c in experiment["conditions"]}
    lent = [] if is_pooled or primary is None or dependence.partners is None else [
        intraclass_correlation(gains(comparison), dependence.partners)
        for comparison in experiment["comparisons"]
        if borrows[comparison["treatment"]] and not is_self_test(configuration, comparison)
    ]
    lent = [icc for icc in lent if not math.isnan(icc)]
    return {
        "by": dependence.by,
        "partners": dependence.form,
        "crossed": count(dependence.crossed) if dependence.crossed is not None else None,
        "largest": int(max(sizes(dependence.clusters), default=0)),
        "icc": number(intraclass_correlation(gains(primary), dependence.own)) if primary else None,
        "partner_icc": float(max(lent)) if lent else None,
    }


def literals(samples):
    found = [sample["control_tokens"] for sample in samples if sample.get("control_tokens")]
    pieces = sorted({piece for sample in samples for piece in sample.get("control_pieces", [])})
    return {"samples": len(found), "tokens": sorted({token for tokens in found for token in tokens}), **({"pieces": pieces} if pieces else {})}


def identities(configuration, columns):
    experiment, window = configuration["experiment"], configuration["model"].get("window")
    moved = [
        {"name": f"{one['treatment']}: moved positions change nothing", "left": one["treatment"], "right": one["baseline"], "within_window": False}
        for one in experiment["comparisons"]
        if is_self_test(configuration, one)
    ]

    def fits(trial):
        # Half of a window to either side; BOS, prefix, line break and document are in a row.
        return window is None or trial["prefix_tokens"] + trial["document_tokens"] + 2 <= window // 2

    found = []
    for identity in experiment["identities"] + moved:
        both = zip(columns.trials[identity["left"]], columns.trials[identity["right"]])
        differences = [
            max(abs(a - b) for a, b in zip(left["token_nlls"], right["token_nlls"]))
            for left, right in both
            if not identity.get("within_window") or fits(left)
        ]
        largest = max(differences, default=None)
        found.append({"name": identity["name"], "samples": len(differences), "largest": largest, "holds": None if largest is None else largest <= IDENTITY_TOLERANCE})
    return found


def pair(configuration, columns, sampling, words):
    experiment = configuration["experiment"]
    comparisons = experiment["comparisons"]
    result = dict(NOTHING_COMPARED)
    if comparisons:
        result["comparisons"] = compared(configuration, columns, sampling, words)
    result["contrasts"] = [contrast_group(group, columns, sampling, words) for group in experiment["contrasts"]]
    result["orders"] = [order_of(order, result["comparisons"]) for order in experiment["orders"]]
    result["selections"] = [selection_of(selection, columns, sampling, words) for selection in experiment["selections"]]
    return result


def compared(configuration, columns, sampling, words):
    comparisons = configuration["experiment"]["comparisons"]
    gains = gain_records([terms_of(one) for one in comparisons], columns, sampling, words)
    is_test = [is_self_test(configuration, one) for one in comparisons]
    corrections = corrected(
        [one.get("family", "") for one in comparisons],
        [None if test else record["p"]["mean"] for test, record in zip(is_test, gains.records)],
    )
    found = []
    for at, one in enumerate(comparisons):
        record = gains.records[at]
        oracle = next((i for i, other in enumerate(comparisons) if other["treatment"] == one.get("oracle") and other["baseline"] == one["baseline"]), None)
        whole = (gains.records[oracle]["d"]["value"] or 0) if oracle is not None else 0
        found.append({
            **one,
            **({"self_test": True} if is_test[at] else {}),
            "gain": record,
            "corrected": corrections[at],
            **(gains.shares(at, oracle) if oracle is not None else {"share": NO_SHARE, "share_trimmed": NO_SHARE}),
            "authors_share": record["d"]["value"] / whole if whole > 0 and record["d"]["value"] is not None else None,
            "hardness": hardness.summarize(columns.tokens(one["baseline"]), columns.tokens(one["treatment"]), sampling),
        })
    return found


def contrast_group(group, columns, sampling, words):
    contrasts, family, margin = group["contrasts"], group.get("family"), group.get("equivalence_margin")
    gains = gain_records([contrast["terms"] for contrast in contrasts], columns, sampling, words)
    is_in = [family is None or contrast["name"] in family for contrast in contrasts]
    corrections = corrected(["family" if inside else f"alone {at}" for at, inside in enumerate(is_in)], [record["p"]["mean"] for record in gains.records])
    names = [contrast["name"] for contrast in contrasts]
    return {
        "title": group["title"],
        "note": group["note"],
        "decomposition": group["decomposition"],
        "equivalence_margin": margin,
        "contrasts": [
            {
                "name": contrast["name"],
                **({"share_of": contrast["share_of"]} if "share_of" in contrast else {}),
                "gain": gains.records[at],
                "p_holm": corrections[at]["holm"] if is_in[at] else None,
                "p_equivalence": gains.means[at].equivalence(margin * gains.table[:, at].std(ddof=1)) if margin else None,
                **(gains.shares(at, names.index(contrast["share_of"])) if "share_of" in contrast else {"share": NO_SHARE, "share_trimmed": NO_SHARE}),
            }
            for at, contrast in enumerate(contrasts)
        ],
    }


def order_of(order, comparisons):
    gains = [next(one["gain"] for one in comparisons if same(one, {"treatment": treatment, "baseline": order["baseline"]})) for treatment in order["treatments"]]
    places = np.arange(1, len(gains) + 1)
    effects = []
    for effect, field in (("d", "d"), ("mean", "mean"), ("trimmed mean", "trimmed_mean")):
        values = [gain[field]["value"] for gain in gains]
        rho = None if None in values or len(set(values)) < 2 else number(stats.spearmanr(places, values).statistic)
        effects.append({"effect": effect, "rho": rho, "p": None if rho is None else spearman_p(places, values, rho)})
    return {"title": order["title"], "rho": {"value": effects[0]["rho"], "low": None, "high": None}, "effects": effects}


def spearman_p(x, y, rho):
    """Two-sided, over the pairs: the share of all orders that are as far from 0."""
    n = len(x)
    if n < 3:
        return None
    if n > MOST_FOR_EXACT_SPEARMAN:
        return float(stats.spearmanr(x, y).pvalue)
    a, b = stats.rankdata(x), stats.rankdata(y)
    # Ranks are halves: their products are exact.
    center = n * ((n + 1) / 2) ** 2
    products = np.array(list(itertools.permutations(b))) @ a - center
    return float(np.mean(np.abs(products) >= abs(b @ a - center)))


def selection_of(selection, columns, sampling, words):
    treatments, baseline = selection["treatments"], selection["baseline"]
    table = table_of([terms_of({"treatment": name, "baseline": baseline}) for name in treatments], columns.nlls)
    folds = min(FOLDS, sampling.size)
    fold = sampling.clusters % folds
    choices = [int(np.argmax(table[fold != held].mean(axis=0))) if np.any(fold != held) else 0 for held in range(folds)]
    chosen = np.array(choices)[fold]
    of_sample = lambda column: np.column_stack([column(name) for name in treatments])[np.arange(len(chosen)), chosen]
    # The chosen treatment as a condition of its own.
    picked = lambda column: lambda condition: of_sample(column) if condition is None else column(condition)
    terms = {baseline: 1, None: -1}
    gains = Gains(table[np.arange(len(chosen)), chosen][:, None], sampling, words)
    if columns.cap is not None:
        tables = weighted(terms, picked(columns.capped))[:, None], [columns.nlls(baseline) > columns.cap]
        gains.records[0].update(capped_fields(tables, sampling)[0])
    best = int(np.argmax(table.mean(axis=0)))
    return {
        "title": selection["title"],
        "chosen": {name: choices.count(at) for at, name in enumerate(treatments)},
        "folds": folds,
        "held_out": gains.records[0],
        "best": {"treatment": treatments[best], "gain": float(table[:, best].mean())},
    }


def pools_of(samples, kept):
    """Of each pool, in the order of its candidates' ids: its grades, and places and names of the candidates that were scored."""
    name_of = lambda sample: sample.get("candidate", sample["id"])
    pools = {}
    for sample in sorted(samples, key=lambda sample: sample["id"]):
        pool = pools.setdefault(sample["pool"], {"relevant": sample.get("relevant", 1), "grades": {}, "places": [], "candidates": []})
        pool["grades"][name_of(sample)] = sample.get("grade", 0)
    for place, sample in enumerate(kept):
        pools[sample["pool"]]["places"].append(place)
        pools[sample["pool"]]["candidates"].append(name_of(sample))
    return pools


def pool_values(measure, pools, nlls):
    """A candidate's score is its negative NLL."""
    return [
        ranking.value_of(measure, {name: -float(nlls[place]) for name, place in zip(pool["candidates"], pool["places"])}, pool["grades"], pool["relevant"])
        for pool in pools.values()
    ]


def rank(run, asked, kept, columns, configuration, words):
    """asked: the candidates of all pools that have something to score."""
    experiment = configuration["experiment"]
    measures, conditions, comparisons = (experiment[name] for name in ("measures", "conditions", "comparisons"))
    pools = pools_of(asked, kept)
    sampling_of = samplings(pool_units(run.samples), conditions, words)
    values = {c["name"]: {m: pool_values(m, pools, columns.nlls(c["name"])) for m in measures} for c in conditions}
    first = conditions[0]["name"]
    usable = {m: [at for at, value in enumerate(values[first][m]) if value is not None] for m in measures}
    names = {m: [list(pools)[at] for at in usable[m]] for m in measures}
    of = lambda condition, m: np.array([values[condition][m][at] for at in usable[m]])
    found = []
    for one in comparisons:
        differences = []
        for m in measures:
            sampling = sampling_of(names[m])
            gains = Gains((of(one["treatment"], m) - of(one["baseline"], m))[:, None], sampling, words)
            # No measure is below 0 or above 1.
            differences.append({**gains.records[0], "mean": gains.means[0].estimate(-1.0, 1.0)})
        found.append({**one, "differences": differences, "differential": differential(one, pools, columns, sampling_of, words)})
    families = [one.get("family", "") for one in comparisons]
    p_of = lambda gain: gain["p"]["mean"] if gain is not None else None
    corrections = [corrected(families, [p_of(one["differences"][at]) for one in found]) for at in range(len(measures))]
    signals = corrected(families, [p_of(one["differential"]) for one in found])
    for at, one in enumerate(found):
        one["corrected"] = [of_measure[at] for of_measure in corrections]
        if one["differential"] is not None:
            one["differential_corrected"] = signals[at]
    return {
        "pools": len(pools),
        "candidates": len(kept),
        "unranked": [name for name, pool in pools.items() if not pool["places"]],
        "measures": [{"name": m, "pools": len(usable[m]), "clusters": sampling_of(names[m]).size} for m in measures],
        "conditions": [
            {
                "name": c["name"],
                "means": [infer_means(of(c["name"], m)[:, None], sampling_of(names[m]))[0].estimate(0.0, 1.0) for m in measures],
                "judged_means": [judged_mean(m, values[c["name"]][m]) for m in measures],
            }
            for c in conditions
        ],
        "comparisons": found,
        **screening(run, experiment),
    }


def screening(run, experiment):
    """The mean of a measure over the first pools, under the document alone."""
    asked = experiment.get("screening")
    bare = next((c["name"] for c in experiment["conditions"] if "surrogate" not in c and "document" not in c), None)
    if asked is None or bare is None:
        return {}
    names = [unit["id"] for unit in pool_units(run.samples)][: asked["pools"]]
    first = [sample for sample in run.samples if sample["pool"] in names]
    trials = run.trials.get(bare, {})
    scored = [sample for sample in first if sample["id"] in trials]
    values = pool_values(asked["measure"], pools_of(first, scored), [trials[sample["id"]]["nll"] for sample in scored])
    values = [value for value in values if value is not None]
    mean = float(np.mean(values)) if values else None
    passed = None if len(names) < asked["pools"] or mean is None else mean >= asked["least"]
    return {"screening": {"condition": bare, "measure": asked["measure"], "least": asked["least"], "pools": len(values), "mean": mean, "passed": passed}}


def judged_mean(measure, values):
    nothing = ranking.nothing_to_find(measure)
    return None if nothing is None else float(np.mean([nothing if value is None else value for value in values]))


def differential(comparison, pools, columns, sampling_of, words):
    """Of each pool with both kinds the mean gain of its relevant candidates less that of the others."""

    def signal(column):
        gains = column(comparison["baseline"]) - column(comparison["treatment"])
        found = {}
        for name, pool in pools.items():
            kinds = np.array([pool["grades"][candidate] >= pool["relevant"] for candidate in pool["candidates"]], dtype=bool)
            if kinds.any() and not kinds.all():
                own = gains[pool["places"]]
                found[name] = own[kinds].mean() - own[~kinds].mean()
        return list(found), np.array(list(found.values()))

    names, values = signal(columns.nlls)
    if len(values) < 2:
        return None
    sampling = sampling_of(names)
    (record,) = Gains(values[:, None], sampling, words).records
    if columns.cap is not None:
        # Which samples are above the cap is said of all candidates.
        tables = signal(columns.capped)[1][:, None], [columns.nlls(comparison["baseline"]) > columns.cap]
        record.update(capped_fields(tables, sampling)[0])
    return record


PROBE_MEASURES = ("to_bos", "to_prefix", "to_separator", "to_document", "to_eos", "entropy", "divergence", "strongest", "shift", "cosine")


def probe(run, words):
    """Means over the samples that have the measure in the layer."""
    conditions = run.configuration["experiment"]["conditions"]
    sampling_of = samplings(sample_units(run.samples), conditions, words)
    values = {}
    for trial in run.probes:
        for entry in trial["layers"]:
            for measure, value in entry["measures"].items():
                values.setdefault((trial["condition"], measure, entry["layer"]), {})[trial["sample"]] = value
    layers = sorted({entry["layer"] for trial in run.probes for entry in trial["layers"]})
    measures = [measure for measure in PROBE_MEASURES if any(measure == of for _, of, _ in values)]

    def mean_of(own):
        ids = sorted(own)
        return infer_means(np.array([own[name] for name in ids])[:, None], sampling_of(ids))[0].estimate() if ids else None

    return {
        "samples": len({trial["sample"] for trial in run.probes}),
        "layers": layers,
        "conditions": [
            {
                "name": c["name"],
                "measures": [{"name": m, "by_layer": [mean_of(values.get((c["name"], m, layer), {})) for layer in layers]} for m in measures],
            }
            for c in conditions
        ],
    }
