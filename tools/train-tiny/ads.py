"""AdWorld's advertisements as the training reads them: texts and their ids."""

import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer


@dataclass(frozen=True)
class Question:
    kind: str
    query: str
    answer: str
    query_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]


@dataclass(frozen=True)
class Ad:
    text: str
    ids: tuple[int, ...]
    questions: tuple[Question, ...]


def read_ads(path: Path, tokenizer: Tokenizer, limit: int) -> list[Ad]:
    ads: list[Ad] = []
    with path.open(encoding="utf-8") as lines:
        chunk: list[dict] = []
        for number, line in enumerate(lines):
            if number >= limit:
                break
            chunk.append(json.loads(line))
            if len(chunk) == 2000:
                ads.extend(_tokenized(chunk, tokenizer))
                chunk = []
        ads.extend(_tokenized(chunk, tokenizer))
    return ads


def _tokenized(chunk: list[dict], tokenizer: Tokenizer) -> list[Ad]:
    strings = [text for ad in chunk for text in (ad["text"], *(q[part] for q in ad["questions"] for part in ("query", "answer")))]
    ids = iter(tuple(e.ids) for e in tokenizer.encode_batch_fast(strings, add_special_tokens=False))
    return [
        Ad(
            text=ad["text"],
            ids=next(ids),
            questions=tuple(
                Question(q["kind"], q["query"], q["answer"], next(ids), next(ids)) for q in ad["questions"]
            ),
        )
        for ad in chunk
    ]
