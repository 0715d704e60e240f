"""A small tokenizer of T5's form, made as T5's was: by sentencepiece with a character map, and saved by T5Tokenizer of transformers.

Its character map is a small one of its own, since that of T5 takes 320 kB in tokenizer.json; tokenizers with the real one are in
make_unigram_fixtures.py.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import sentencepiece
from transformers import AutoTokenizer, T5Tokenizer

from text_fixture import CORPUS

SENTINELS = 10
# Blanks become spaces; the rest is composed, decomposed, deleted, or stands for several characters.
RULES = {
    **{blank: " " for blank in "\t\n\r\x85\xa0\u2003\u3000\u200b"},
    **{gone: "" for gone in "\xad\u200d\ufeff"},
    "e\u0301": "\xe9", "e\u0300": "\xe8", "u\u0302": "\xfb", "\ufb01": "fi", "\xbd": "1\u20442", "\u2122": "TM", "\u2026": "...", "\uff21": "A", "\uff11": "1", "\u0344": "\u0308\u0301",
}


def make_t5_tokenizer(folder: Path, pieces: int):
    """Writes spiece.model's vocabulary as transformers 5 saves it. @returns the tokenizer that transformers then loads"""
    with tempfile.TemporaryDirectory() as work:
        rules = Path(work, "rules.tsv")
        rules.write_text("".join(f"{hexadecimal(source)}\t{hexadecimal(target)}\n" for source, target in RULES.items()))
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS.strip().splitlines() * 4), model_prefix=str(Path(work, "spiece")), vocab_size=pieces, model_type="unigram",
            normalization_rule_tsv=str(rules), pad_id=0, eos_id=1, unk_id=2, bos_id=-1, num_threads=1, minloglevel=2,
        )
        T5Tokenizer.from_pretrained(work, extra_ids=SENTINELS).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def hexadecimal(text: str) -> str:
    return " ".join(f"{ord(character):X}" for character in text)


SAMPLES = [
    dict(name="plain", document="The lamp on the desk costs 24.90 euros and comes in green, white and black.",
         query="What does the lamp cost?", answer="24.90 euros"),
    dict(name="mapped", document="Cafe\u0301\u2003menu\u2026 \ufb01ne\u0301 \u2122\u0301 \uff21\uff11 \xbd \u0344 cre\u0300me bru\u0302le\u0301e 日本 👩\u200d👧 soft\xadly", query="price of\u3000cre\u0300me\x85bru\u0302le\u0301e", answer="\ufb01ve \xbd"),
    dict(name="line-breaks", document="\nOpening hours:\r\nMonday to Friday 8-18\n\nClosed on Sundays. ", query="when is it open\n", answer=" Monday  to Friday"),
    dict(name="special-text", document="The word </s> in a text, <extra_id_0> and <pad>.", query="<extra_id_1> what", answer="<extra_id_0> text </s>"),
]


def make_t5_text_cases(tokenizer, case_class: type) -> tuple[list, list[dict]]:
    """Texts as the research protocol says: joint as one string, or tokenised apart; no BOS, `</s>` behind."""

    def plain(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False)

    end = tokenizer.eos_token_id
    cases, texts = [], []
    for sample in SAMPLES:
        document, query, answer = sample["document"], sample["query"], sample["answer"]
        joint, bare = tokenizer.encode(query + "\n" + document), tokenizer.encode(document)
        apart = [*plain(query), *plain("\n"), *plain(document), end]
        assert plain("\n") == [] and joint == apart and bare == [*plain(document), end]
        first, last = len(joint) - len(bare), len(joint) - 1
        forms = {
            "bare": (bare, 0, len(bare), None, "full"),
            "published": (joint, first, len(joint), query, "published"),
            "exact": (apart, first, last, query, "exact"),
            "with-end": (apart, first, len(apart), query, ["document", "eos"]),
        }
        if sample is SAMPLES[0]:
            forms["bare-document"] = (bare, 0, len(bare) - 1, None, "exact")
        for form, (ids, start, stop, prefix, visibility) in forms.items():
            in_decoder = form == "exact"
            name = f"{sample['name']}.{form}"
            cases.append(case_class(name, ids, visible=list(range(start, stop)), prompt=plain(query) if in_decoder else [], target=plain(answer)))
            text = dict(name=name, document=document, visibility=visibility, target=answer)
            if prefix is not None:
                text["prefix"] = prefix
            if in_decoder:
                text["query"] = query
            texts.append(text)
    return cases, texts
