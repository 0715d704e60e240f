"""Measures of one query's ranking (docs/ranking.md, "Measures")."""
import re

import numpy as np

GAINS = {"linear": lambda grade: grade, "exponential": lambda grade: 2.0**grade - 1, "esci": lambda grade: [0, 0.01, 0.1, 1][int(grade)]}


def ranked(scores):
    """By score in single precision; equal ones by id, descending."""
    by_id = sorted(scores, key=lambda name: name.encode(), reverse=True)
    return sorted(by_id, key=lambda name: -np.float32(scores[name]))


def value_of(measure, scores, grades, relevant):
    """
    scores: of the candidates that have one; grades: of all judged candidates; relevant: the lowest grade that binary measures take as relevant. None where there
    is nothing to find.
    """
    kind, parameter, setting, cutoff = re.fullmatch(r"([A-Za-z]+)(?:\((rel|gain)=(\w+)\))?(?:@(\d+))?", measure).groups()
    k = int(cutoff) if cutoff else None
    if kind == "nDCG":
        gain = GAINS[setting if parameter == "gain" else "linear"]
        worth = {name: gain(grade) if grade > 0 else 0.0 for name, grade in grades.items()}
        discounted = lambda worths: sum(own / np.log2(at + 2) for at, own in enumerate(worths[:k]))
        ideal = discounted(sorted(worth.values(), reverse=True))
        return discounted([worth.get(name, 0.0) for name in ranked(scores)]) / ideal if ideal > 0 else None
    wanted = {name for name, grade in grades.items() if int(grade >= relevant) >= (int(setting) if parameter == "rel" else 1)}
    if kind == "AUC":
        good = np.array([score for name, score in scores.items() if name in wanted])
        bad = np.array([score for name, score in scores.items() if name not in wanted])
        if len(good) == 0 or len(bad) == 0:
            return None
        return float(np.mean((good[:, None] > bad) + 0.5 * (good[:, None] == bad)))
    if not wanted:
        return None
    hits = [name in wanted for name in ranked(scores)][:k]
    if kind == "RR":
        return 1 / (hits.index(True) + 1) if True in hits else 0.0
    if kind == "Success":
        return float(any(hits))
    if kind == "P":
        return sum(hits) / k
    if kind == "AP":
        return sum(sum(hits[: at + 1]) / (at + 1) for at, hit in enumerate(hits) if hit) / len(wanted)
    raise ValueError(f"there is no measure {measure}")


# What a query without a relevant document is worth in a mean over all judged ones.
def nothing_to_find(measure):
    return None if measure == "AUC" or measure.startswith("AUC(") else 0.0
