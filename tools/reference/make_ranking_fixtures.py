"""Ranking measures of random runs by ir_measures (trec_eval) and, for the AUC, scipy.

    python make_ranking_fixtures.py OUTPUT_JSON
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import ir_measures
import numpy as np
from ir_measures import AP, RR, P, Qrel, ScoredDoc, Success, nDCG
from scipy import stats

# Cut-offs of RR are left out: ir_measures takes them from MS MARCO's script, which breaks ties the other way round.
BINARY = [RR, RR(rel=2), AP, AP(rel=2), AP @ 5, P @ 5, P(rel=3) @ 2, Success @ 1, Success(rel=2) @ 3]
ESCI = {0: 0, 1: 1, 2: 10, 3: 100}


def main(output: Path) -> None:
    g = np.random.default_rng(11)
    cases = []
    for query in range(40):
        pool = [f"d{i:02d}" for i in range(int(g.integers(4, 14)))]
        judged = [d for d in pool if g.random() < 0.9] + ["never-retrieved"] * int(g.random() < 0.4)
        grades = {d: int(grade) for d, grade in zip(judged, g.choice(4, len(judged), p=[0.4, 0.2, 0.2, 0.2]))}
        # Few distinct scores: many ties.
        scores = {d: float(s) for d, s in zip(pool, -g.choice([0.5, 0.75, 1.0, 1.25, 1.3000001], len(pool)))}
        cases.append({"id": f"q{query}", "grades": grades, "scores": scores, "measures": {}})
    cases += odd_cases(np.random.default_rng(12))
    run = [ScoredDoc(c["id"], d, s) for c in cases for d, s in c["scores"].items()]

    def evaluate(measures, gain, names) -> None:
        qrels = [Qrel(c["id"], d, gain(grade)) for c in cases for d, grade in c["grades"].items()]
        for metric in ir_measures.iter_calc(measures, qrels, run):
            case = next(c for c in cases if c["id"] == metric.query_id)
            case["measures"][names[metric.measure]] = metric.value

    evaluate(BINARY, lambda grade: grade, {m: str(m) for m in BINARY})
    ndcgs = [nDCG, nDCG @ 3, nDCG @ 5]
    evaluate(ndcgs, lambda grade: grade, {m: str(m) for m in ndcgs})
    # Grades below 0 stay what they are: clamping them is trec_eval's part.
    exponential = lambda grade: 2**grade - 1 if grade > 0 else grade
    for name, gain in (("exponential", exponential), ("esci", lambda grade: ESCI.get(grade, grade))):
        evaluate(ndcgs, gain, {m: str(m).replace("nDCG", f"nDCG(gain={name})") for m in ndcgs})
    for case in cases:
        good = [s for d, s in case["scores"].items() if case["grades"].get(d, 0) >= 1]
        bad = [s for d, s in case["scores"].items() if case["grades"].get(d, 0) < 1]
        if good and bad:
            case["measures"]["AUC"] = float(stats.mannwhitneyu(good, bad).statistic / (len(good) * len(bad)))
    # Over all judged queries, whether they have a relevant document and whether anything was retrieved for them.
    qrels = [Qrel(c["id"], d, grade) for c in cases for d, grade in c["grades"].items()]
    means = {str(m): v for m, v in ir_measures.calc_aggregate(BINARY + ndcgs, qrels, run).items()}
    origin = f"ir_measures {ir_measures.__version__} and scipy through tools/reference/make_ranking_fixtures.py"
    output.write_text(json.dumps({"origin": origin, "means": means, "cases": cases}, indent=None, separators=(",", ":")).replace('{"id"', '\n{"id"') + "\n")


def odd_cases(g: np.random.Generator) -> list[dict]:
    """Grades below 0, queries without a relevant document, queries without results, results that nobody judged."""
    cases = []
    for query in range(40):
        pool = [f"d{i:02d}" for i in range(int(g.integers(3, 12)))]
        kind = query % 4
        judged = [d for d in pool if g.random() < 0.7] or pool[:1]
        choices = [-2, -1, 0] if kind == 1 else [-3, -1, 0, 1, 2, 3]
        grades = {d: int(g.choice(choices)) for d in judged}
        # trec_eval (pytrec_eval 0.5) crashed where all grades of some query were below 0.
        grades[judged[0]] = max(0, grades[judged[0]])
        retrieved = [] if kind == 2 else pool if kind == 0 else [d for d in pool if g.random() < 0.6]
        scores = {d: float(s) for d, s in zip(retrieved, -g.choice([0.5, 0.75, 1.0], len(retrieved)))}
        cases.append({"id": f"odd{query}", "grades": grades, "scores": scores, "measures": {}})
    return cases


if __name__ == "__main__":
    main(Path(sys.argv[1]))
