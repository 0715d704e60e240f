"""A Parquet file in MS MARCO's form with generated text, and the ids that the research's rules select from it.

    python make_dataset_fixtures.py OUTPUT_FOLDER

Independent of the TypeScript implementation: the rules are written out here once more, in the shape of the research's own scripts, with
numpy's global generator. Nothing of the text is MS MARCO's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 600
COUNT = 20
PADDING = 700
WORDS = "amber basalt cedar delta ember fjord grove harbor inlet juniper kelp lagoon maple nectar orchid pebble quartz river sage tundra".split()
# Word separators of Python that are none of JavaScript's \s, and the one of JavaScript that is none of Python's.
ODD_SPACES = ["\x1c", "\x1f", "\x85", "\u3000", "\ufeff"]


def text(random: np.random.RandomState, words: int) -> str:
    drawn = [WORDS[i] for i in random.randint(0, len(WORDS), words)]
    space = ODD_SPACES[random.randint(len(ODD_SPACES))] if random.rand() < 0.15 else " "
    return space.join(drawn)


def passage_words(random: np.random.RandomState) -> int:
    # Both edges of both limits come often.
    edges = [19, 20, 21, 29, 30, 31, 199, 200, 201, 299, 300, 301]
    return int(edges[random.randint(len(edges))]) if random.rand() < 0.08 else int(random.randint(30, 60))


def rows(random: np.random.RandomState) -> list[dict]:
    made = []
    for i in range(ROWS):
        count = random.randint(1, 7)
        selected = [int(random.rand() < 0.3) for _ in range(count)]
        passages = [text(random, passage_words(random)) for _ in range(count)]
        answers = [
            ["No Answer Present."],
            [],
            [""],
            [text(random, random.randint(1, 12)), "second answer"],
            [text(random, 5)],
            [text(random, 6)],
        ][random.choice(6, p=[0.15, 0.05, 0.05, 0.45, 0.15, 0.15])]
        well_formed = [[], ["[]"], [""], [text(random, random.randint(1, 14))]][random.choice(4, p=[0.6, 0.1, 0.1, 0.2])]
        made.append(
            {
                "answers": answers,
                "passages": {
                    "is_selected": selected,
                    "passage_text": passages,
                    "url": [f"https://example.org/{i}/{j}" for j in range(count)],
                },
                "query": text(random, random.randint(3, 9)),
                "query_id": 9652 + 3 * i,
                "query_type": ["description", "numeric", "entity"][random.randint(3)],
                "wellFormedAnswers": well_formed,
            }
        )
    return made


SCHEMA = pa.schema(
    [
        ("answers", pa.list_(pa.string())),
        (
            "passages",
            pa.struct(
                [
                    ("is_selected", pa.list_(pa.int32())),
                    ("passage_text", pa.list_(pa.string())),
                    ("url", pa.list_(pa.string())),
                ]
            ),
        ),
        ("query", pa.string()),
        ("query_id", pa.int32()),
        ("query_type", pa.string()),
        ("wellFormedAnswers", pa.list_(pa.string())),
    ]
)


def answer_of(row: dict) -> str | None:
    well_formed = row["wellFormedAnswers"]
    if len(well_formed) > 0 and well_formed[0] not in ("", "[]"):
        return well_formed[0]
    answers = row["answers"]
    if len(answers) > 0 and answers[0] != "No Answer Present.":
        return answers[0]
    return None


def word_count(passage: str) -> int:
    return len(passage.split())


def one_per_query(data: list[dict], n: int, seed: int, most: int, longest_answer: float = float("inf")) -> list[str]:
    found = []
    for row in data:
        if len(found) >= most:
            break
        answer = answer_of(row)
        if answer is None or word_count(answer) > longest_answer:
            continue
        for j, (passage, selected) in enumerate(zip(row["passages"]["passage_text"], row["passages"]["is_selected"])):
            if selected == 1 and 30 <= word_count(passage) <= 300:
                found.append(f"{row['query_id']}-{j}")
                break
    np.random.seed(seed)
    np.random.shuffle(found)
    return found[:n]


def standard(data: list[dict], n: int, seed: int) -> list[str]:
    return one_per_query(data, n, seed, most=3 * n)


def factoid(data: list[dict], n: int, seed: int) -> list[str]:
    return one_per_query(data, n, seed, most=20000, longest_answer=5)


def length(data: list[dict], n: int, seed: int, padding: int) -> tuple[list[str], list[str]]:
    found, pool = [], []
    for row in data:
        if len(found) >= 3 * n and len(pool) >= padding:
            break
        answer = answer_of(row)
        for j, (passage, selected) in enumerate(zip(row["passages"]["passage_text"], row["passages"]["is_selected"])):
            words = word_count(passage)
            if selected == 0 and 20 <= words <= 200:
                pool.append(f"{row['query_id']}-{j}")
            if selected == 1 and 30 <= words <= 300 and answer is not None and len(found) < 3 * n:
                found.append(f"{row['query_id']}-{j}")
    np.random.seed(seed)
    np.random.shuffle(found)
    np.random.shuffle(pool)
    return found[:n], pool


def pools(data: list[dict], n: int, seed: int) -> list[str]:
    found = []
    for row in data:
        if len(found) >= 3 * n:
            break
        passages, selected = row["passages"]["passage_text"], row["passages"]["is_selected"]
        if answer_of(row) is None:
            continue
        if not all(30 <= word_count(passage) <= 300 for passage in passages):
            continue
        if sum(selected) != 1 or len(selected) - sum(selected) < 2:
            continue
        found.append(str(row["query_id"]))
    np.random.seed(seed)
    np.random.shuffle(found)
    return found[:n]


def main(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(pd.DataFrame(rows(np.random.RandomState(1234))), schema=SCHEMA, preserve_index=False)
    pq.write_table(table, output / "ms-marco.parquet", row_group_size=100, compression="zstd", compression_level=19)
    # What was written is what the rules are applied to.
    data = pq.read_table(output / "ms-marco.parquet").to_pylist()
    samples, padding = length(data, COUNT, 42, PADDING)
    expected = {
        "origin": f"numpy {np.__version__}, pandas {pd.__version__}, pyarrow {pa.__version__} through tools/reference/make_dataset_fixtures.py",
        "count": COUNT,
        "standard": {"seed": 42, "ids": standard(data, COUNT, 42)},
        "length": {"seed": 42, "padding": PADDING, "ids": samples, "paddingIds": padding},
        "factoid": {"seed": 43, "ids": factoid(data, COUNT, 43)},
        "pools": {"seed": 42, "ids": pools(data, COUNT, 42)},
    }
    (output / "ms-marco.json").write_text(json.dumps(expected) + "\n")
    sizes = {"standard": len(standard(data, 10**6, 0)), "factoid": len(factoid(data, 10**6, 0)), "pools": len(pools(data, 10**6, 0)), "padding": len(padding)}
    print(sizes, {file.name: file.stat().st_size for file in output.iterdir()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
