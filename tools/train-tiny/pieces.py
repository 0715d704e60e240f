"""The built-in model's tokenizer: byte-pair pieces learned on AdWorld's training split, in the manner of Gemma's.

A space is written as U+2581, a character outside the vocabulary as its UTF-8 bytes, and a newline is a piece of its own that no other
piece crosses, so that "prefix newline document" tokenized as one string has the ids of its parts joined.

Usage: python pieces.py DATA_FOLDER MODEL_FOLDER
"""

import json
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from recipe import Recipe

SPACE = "\u2581"
PAD, EOS, BOS, UNK, NEWLINE = "<pad>", "<eos>", "<bos>", "<unk>", "\n"
#: Words with the space before them, up to two digits, single other characters; a newline always alone.
PIECE = rf"\n|{SPACE}?[\p{{L}}\p{{M}}]+|{SPACE}?\p{{N}}{{1,2}}|{SPACE}?[^\p{{L}}\p{{M}}\p{{N}}{SPACE}\n]|{SPACE}"


def texts(path: Path, ads: int):
    with path.open(encoding="utf-8") as lines:
        for _, line in zip(range(ads), lines):
            ad = json.loads(line)
            yield ad["text"]
            for question in ad["questions"]:
                yield question["query"]
                yield question["answer"]


def learn(path: Path, recipe: Recipe) -> dict:
    """The tokenizer as the content of a tokenizer.json."""
    choice = recipe.tokenizer
    special = [PAD, EOS, BOS, UNK]
    sentinels = [f"<extra_id_{i}>" for i in range(choice.sentinels)]
    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    fixed = [*special, NEWLINE, *sentinels, *bytes_]

    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.Replace(" ", SPACE)
    learner.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), "isolated")
    trainer = trainers.BpeTrainer(
        vocab_size=choice.vocabulary - len(fixed),
        initial_alphabet=[chr(code) for code in range(33, 127)] + [SPACE],
        show_progress=False,
    )
    learner.train_from_iterator(texts(path, choice.ads), trainer)
    learned = json.loads(learner.to_str())
    pieces = sorted(learned["model"]["vocab"], key=learned["model"]["vocab"].get)
    vocabulary = {piece: id_ for id_, piece in enumerate([*fixed, *(p for p in pieces if p != NEWLINE)])}

    def added(id_: int, content: str) -> dict:
        flags = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
        return {"id": id_, "content": content, **flags}

    bos = {"SpecialToken": {"id": BOS, "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added(vocabulary[token], token) for token in [*special, *sentinels]],
        "normalizer": learned["normalizer"],
        "pre_tokenizer": learned["pre_tokenizer"],
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [bos, first],
            "pair": [bos, first, second],
            "special_tokens": {BOS: {"id": BOS, "ids": [vocabulary[BOS]], "tokens": [BOS]}},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": {
            **learned["model"],
            "unk_token": UNK,
            "fuse_unk": False,
            "byte_fallback": True,
            "vocab": vocabulary,
        },
    }


def settings() -> dict:
    return {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": BOS,
        "clean_up_tokenization_spaces": False,
        "eos_token": EOS,
        "model_max_length": 8192,
        "pad_token": PAD,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": UNK,
    }


def write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main(data: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "tokenizer.json", learn(data / "train.jsonl", Recipe()))
    write(folder / "tokenizer_config.json", settings())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    print(f"{tokenizer.get_vocab_size()} pieces")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
