"""A small tokenizer in the manner of Gemma's, and texts tokenised the way the research protocol says, by Python."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = """
The lamp on the desk costs 24.90 euros and comes in green, white and black.
Our bakery opens at seven in the morning and closes at noon on Sundays.
Call the workshop before Friday if the bicycle needs new brakes.
The concert starts at eight; doors open one hour earlier, and children pay half.
A warranty of three years covers the motor, the battery and the charger.
Rooms with a view of the harbour are on the second floor of the hotel.
The course teaches Portuguese to beginners, twice a week, in small groups.
This backpack weighs 900 grams, is made of recycled nylon and carries twenty litres.
What does the lamp cost? When does the bakery open? Who teaches the course?
"""


def make_tokenizer(folder: Path, vocab: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\n", "isolated")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=vocab - 2, show_progress=False,
        special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)],
    )
    tokenizer.train_from_iterator(CORPUS.strip().splitlines(), trainer)
    saved = json.loads(tokenizer.to_str())
    saved["added_tokens"] = [token for token in saved["added_tokens"] if token["content"] in special]
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    # As in Gemma's vocabulary, one and two line breaks are tokens of their own.
    tokenizer.add_tokens([AddedToken("\n\n", normalized=False), AddedToken("\n", normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", 2)]
    )
    assert tokenizer.get_vocab_size() == vocab, tokenizer.get_vocab_size()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<bos>", "eos_token": "<eos>",
              "pad_token": "<pad>", "unk_token": "<unk>", "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    return tokenizer


SAMPLES = [
    dict(name="plain", document="The lamp on the desk costs 24.90 euros and comes in green, white and black.",
         query="What does the lamp cost?", answer="24.90 euros"),
    dict(name="unseen-words", document="Zoë's café — naïve ☕ menu: crème brûlée 7€.",
         query="price of crème brûlée", answer="7€"),
    dict(name="line-breaks", document="Opening hours:\nMonday to Friday 8-18\n\nClosed on Sundays.",
         query="when is it open\n", answer="Monday to Friday"),
    dict(name="leading-break", document="\nRooms with a view of the harbour.", query="which view", answer="the harbour"),
    dict(name="spaces", document="  two  spaces\tand a tab ", query="a ", answer=" b"),
    dict(name="special-text", document="The word <eos> in a text.", query="<bos>", answer="<eos>"),
]


def make_text_cases(tokenizer: Tokenizer, case_class: type) -> tuple[list, list[dict]]:
    bos = tokenizer.token_to_id("<bos>")

    def plain(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    def with_bos(text: str) -> list[int]:
        return tokenizer.encode(text).ids

    cases, texts = [], []
    for sample in SAMPLES:
        document, query, answer = sample["document"], sample["query"], sample["answer"]
        joint = with_bos(query + "\n" + document)
        hidden = len(joint) - len(with_bos(document))
        segments = dict(bos=[bos], prefix=plain(query), separator=plain("\n"), document=plain(document))
        apart = [token for part in segments.values() for token in part]
        document_start = len(apart) - len(segments["document"])
        bare = with_bos(document)
        forms = {
            "bare": (bare, 0, None, "full"),
            "bare-document": (bare, 1, None, "exact"),
            "full": (joint, 0, query, "full"),
            "published": (joint, hidden, query, "published"),
            "exact": (apart, document_start, query, "exact"),
            "with-separator": (apart, document_start - len(segments["separator"]), query, ["separator", "document"]),
        }
        for form, (ids, start, prefix, visibility) in forms.items():
            for in_decoder in (False, True):
                name = f"{sample['name']}.{form}{'.query' if in_decoder else ''}"
                cases.append(case_class(
                    name, ids, visible=list(range(start, len(ids))), prompt=plain(query) if in_decoder else [],
                    target=plain(answer),
                ))
                text = dict(name=name, document=document, visibility=visibility, target=answer)
                if prefix is not None:
                    text["prefix"] = prefix
                if in_decoder:
                    text["query"] = query
                texts.append(text)
    return cases, texts
