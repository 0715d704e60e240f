"""Which samples are not independent of each other (docs/protocol.md, "Clusters"). A partition is an array with the number of each sample's cluster; clusters are
numbered by their first samples."""
import re
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rounding import varies

MOST_IN_COMPONENT = 0.05


@dataclass
class Dependence:
    clusters: np.ndarray
    crossed: np.ndarray | None
    by: str
    own: np.ndarray
    partners: np.ndarray | None
    form: str


def partition(keys):
    numbers = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=int)


def count(part):
    return int(part.max()) + 1 if len(part) else 0


def sizes(part):
    return np.bincount(part, minlength=count(part))


def connected(a, b):
    """The finest partition that both lie within."""
    n = len(a)
    rows = np.concatenate([np.arange(n), np.arange(n)])
    columns = np.concatenate([n + a, n + count(a) + b])
    total = n + count(a) + count(b)
    _, labels = connected_components(coo_array((np.ones(2 * n), (rows, columns)), shape=(total, total)))
    return partition(labels[:n].tolist())


def borrowing(specification):
    """Do a surrogate's words come from another sample (docs/surrogates.md, "made of: other")?"""
    text = specification.strip()
    if text.startswith(("static:", "llm:", "column:")):
        return False
    text = re.sub(r"(\*(\d+|query))+$", "", text)
    if around := re.fullmatch(r"(scramble|join)\((.*)\)", text, re.S):
        return any(borrowing(part) for part in (parts_of(around[2]) if around[1] == "join" else [around[2]]))
    return re.fullmatch(r"random\d+|random_matched|random_kw_matched|wrong_kw\d+", text) is not None


def parts_of(joined):
    """Commas divide, but for those within parentheses and those behind a backslash."""
    parts, depth = [""], 0
    for piece in re.findall(r"\\.|.", joined, re.S):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def surrogates_of(condition):
    passes = [condition, *condition.get("also", [])]
    return [one["surrogate"] for one in passes if "surrogate" in one]


def dependence_of(kept, everyone, conditions):
    """
    kept: units that were scored, in the order of their ids; everyone: all units in the order of samples.jsonl. A unit is a dict with id, and cluster, query and kind
    where they are known.
    """
    if kept and all(unit.get("kind") is not None for unit in kept):
        own, by = partition(unit["kind"] for unit in kept), "question kind"
    else:
        queries = partition(unit["query"] if unit.get("query") is not None else unit["id"] for unit in kept)
        if any(unit.get("cluster") is not None for unit in kept):
            groups = partition(("cluster", unit["cluster"]) if unit.get("cluster") is not None else ("id", unit["id"]) for unit in kept)
            own, by = connected(groups, queries), "cluster"
        else:
            own, by = queries, "query" if count(queries) < len(kept) else "sample"
    if not any(borrowing(name) for condition in conditions for name in surrogates_of(condition)):
        return Dependence(own, None, by, own, None, "none")
    half = max(1, len(everyone) // 2)
    place = {unit["id"]: index for index, unit in enumerate(everyone)}
    partners = partition(place[unit["id"]] % half for unit in kept)
    form = "pairs" if len(everyone) % 2 == 0 or len(everyone) < 2 else "ring"
    clusters, crossed = together(own, partners)
    return Dependence(clusters, crossed, by, own, partners, form)


def together(a, b):
    components = connected(a, b)
    is_nested = count(components) in (count(a), count(b))
    if is_nested or max(sizes(components), default=0) <= MOST_IN_COMPONENT * len(a):
        return components, None
    return (a, b) if count(a) <= count(b) else (b, a)


def intraclass_correlation(values, part):
    """One-way random effects, unequal sizes (Donner 1986); NaN where there is nothing to tell."""
    n, k = len(values), count(part)
    if k < 2 or n == k or not varies(values):
        return np.nan
    each = sizes(part)
    means = np.bincount(part, values) / each
    between = np.sum(each * (means - values.mean()) ** 2) / (k - 1)
    within = np.sum((values - means[part]) ** 2) / (n - k)
    size = (n - np.sum(each**2) / n) / (k - 1)
    total = between + (size - 1) * within
    return (between - within) / total if total > 0 else np.nan
