"""A small tokenizer of CodeT5's form, and code tokenised the way the research protocol says, by Python.

CodeT5 is a T5 whose texts stand in a frame of RoBERTa's form, `<s> ... </s>` with ids 1 and 2, and are byte-level BPE: what stands around a text, and which id
ends one, follow from the files and not from the family.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, RobertaTokenizer

from text_fixture import CORPUS

SENTINELS = 10
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]
CODE = """
def add(first, second):
    return first + second

def largest(values):
    found = values[0]
    for value in values:
        if value > found:
            found = value
    return found

class Counter:
    def __init__(self):
        self.count = 0
"""

SAMPLES = [
    dict(name="plain", document="def largest(values):\n    return max(values)\n", query="the largest of some values", answer="returns the largest value"),
    dict(name="indented", document="    for value in values:\n\n\t\tfound += value", query="sum of values ", answer=" found"),
    dict(name="unseen", document="größe = 'naïve ☕'  # 日本 👩\u200d👧\r\n", query="what is größe\n", answer="☕ 日本"),
    dict(name="special-text", document='end = "</s>"  # <mask> and <extra_id_0> of <s>', query="<extra_id_1> what", answer="<extra_id_0> text </s>"),
]


def make_codet5_tokenizer(folder: Path, pieces: int):
    """Writes a vocabulary as transformers 5 saves it, sentinels in the order of CodeT5's. @returns the tokenizer that transformers then loads"""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=pieces, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    trained.train_from_iterator([CODE, *CORPUS.strip().splitlines()], trainer)
    model = json.loads(trained.to_str())["model"]
    sentinels = [AddedToken(f"<extra_id_{i}>", lstrip=True, normalized=True, special=True) for i in reversed(range(SENTINELS))]
    RobertaTokenizer(
        vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]], additional_special_tokens=sentinels
    ).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def make_codet5_text_cases(tokenizer, case_class: type) -> tuple[list, list[dict]]:
    """Joint as one string, or tokenised apart; `<s>` in front, `</s>` behind, a line break between prefix and document. What is asked in `published` is written
    on, too."""

    def plain(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False)

    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    cases, texts = [], []
    for sample in SAMPLES:
        document, query, answer = sample["document"], sample["query"], sample["answer"]
        joint, bare = tokenizer.encode(query + "\n" + document), tokenizer.encode(document)
        assert bare == [start, *plain(document), end]
        before = [start, *plain(query), *plain("\n")]
        apart = [*before, *plain(document), end]
        forms = {
            "bare": (bare, 0, len(bare), None, "full"),
            "bare-document": (bare, 1, len(bare) - 1, None, "exact"),
            "full": (joint, 0, len(joint), query, "full"),
            "published": (joint, len(joint) - len(bare), len(joint), query, "published"),
            "exact": (apart, len(before), len(apart) - 1, query, "exact"),
            "with-break-and-end": (apart, len(before) - len(plain("\n")), len(apart), query, ["separator", "document", "eos"]),
        }
        for form, (ids, first, last, prefix, visibility) in forms.items():
            in_decoder = form == "exact"
            name = f"{sample['name']}.{form}"
            cases.append(case_class(
                name, ids, visible=list(range(first, last)), prompt=plain(query) if in_decoder else [], target=plain(answer),
                greedy=8 if form == "published" else 0, probe=form == "full" and sample is SAMPLES[0],
            ))
            text = dict(name=name, document=document, visibility=visibility, target=answer)
            if prefix is not None:
                text["prefix"] = prefix
            if in_decoder:
                text["query"] = query
            texts.append(text)
    return cases, texts
