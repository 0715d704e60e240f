"""BM25 scores of a made-up collection by bm25s, in Lucene's variant.

    python make_bm25_fixtures.py OUTPUT_FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bm25s
import numpy as np

WORDS = [f"w{i}" for i in range(60)]


def main(output: Path) -> None:
    g = np.random.default_rng(7)
    share = 1 / np.arange(1, len(WORDS) + 1)
    text = lambda length: g.choice(WORDS, int(length), p=share / share.sum()).tolist()
    documents = [text(g.integers(1, 40)) for _ in range(50)]
    queries = [text(g.integers(1, 6)) for _ in range(12)] + [["w3", "w3", "w40"], ["unknown", "w1"]]
    index = bm25s.BM25(k1=1.2, b=0.75, method="lucene", dtype="float64")
    index.index(documents, show_progress=False)
    cases = []
    for query in queries:
        # bm25s leaves out words that no document has only when it tokenises itself.
        known = [word for word in query if word in index.vocab_dict]
        cases.append({"query": " ".join(query), "scores": np.asarray(index.get_scores(known), float).tolist()})
    output.write_text(json.dumps({"documents": [" ".join(d) for d in documents], "cases": cases}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
