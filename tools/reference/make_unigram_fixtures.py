"""What Python's `tokenizers` and `transformers` make of 5,000 hard strings with tokenizers of T5's and mT5's forms.

    python make_unigram_fixtures.py OUTPUT_FOLDER

Writes unigram-strings.json.gz (the strings), and for each vocabulary NAME.json.gz with its pipelines and NAME.map.gz with its character
map. The vocabularies are trained by sentencepiece, which brings the maps: `nmt_nfkc` (T5's), and `nmt_nfkc_cf`, which folds cases too.

Expected is, per string, the first hex digit of SHA-256 of its ids and of the text that they become again, and one digest of all: a
difference is found, most strings that differ are named, and the files stay small.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import logging
import random
import struct
import sys
import tempfile
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from character_map import grapheme_classes
from make_tokenizer_fixtures import BLANKS, PROSE, added, drawn_texts, hard_strings, template, write
from text_fixture import CORPUS

COUNT = 5000
EXTRA_IDS = 100
SYLLABLES = ["ka", "lo", "mi", "ter", "an", "ing", "der", "sch", "ou", "é", "ñ", "ст", "ро", "на", "λο", "σα", "日", "本", "語", "文", "คร", "ู", "सं", "स्क", "ৃ", "가", "나", "한", "م", "ر", "ﻻ"]
# Characters that a map changes, deletes or joins, and what stands beside them.
CHANGED = "\u0344\u061c\x85\u200d\u200b\xad\u2028\u00a8\u00b4\ufb01\u00bd\u2122\u00a9\u00ae\u3000\uff21\u1e9b\u0323\u0958\u0e33\u2460\u3358\ufdfa\u2167\u0132\u01c4\u1f71\u037a\u2025\u2474\ufe30\uff76\uff9e\u309b\U0001f100\U0001d400\U0002f800"
JOINING = "\u0301\u0308\u0323\u0345\u200d\u200c\ufe0f\u094d\u093e\u0e31\u0e33\u1160\u11a8\u302a\U0001f3fb\U000e0020\u0488\u20e3\u3099"
BEFORE = "\u0600\u06dd\u070f\u0890\u0d4e\r\n\u1100\uac00\uac01\u0915\u0916\u0958\U0001f1e9\U0001f1ea\U0001f469\u2764X \xa0"


def clusters(generator: random.Random) -> str:
    pools = [CHANGED, JOINING, JOINING, BEFORE, "ab\u00e9\u0430 "]
    return "".join(generator.choice(generator.choice(pools)) for _ in range(generator.randrange(1, 9)))


def unigram_strings() -> list[str]:
    """Those that all pipelines are tried on, then such as tell character maps, clusters and T5's tokens apart."""
    strings = hard_strings()
    for character in CHANGED + JOINING + BEFORE:
        strings += [character, f"a{character}b", f"{character}\u0301", f"a{character}", f" {character} c{character}", f"\u0600{character}"]
    tokens = ["<pad>", "</s>", "<unk>", "<extra_id_0>", "<extra_id_99>", "<0x41>", "<0xE4>", "[LEFT]", "[BOTH]", "[RIGHT]", "wide load", "ﬁve", "five"]
    for token in tokens:
        strings += [f"{token}a", f"a{token}", f" {token} ", f"{token}{token}", f"x {token}\u0301 y", f"\u3000{token}\u3000z", f"{token}  日{token}", f"日{token}日 {token}日"]
    strings += [character * count for character in "aé日ka \u0301\u200d▁\u00bd\ufb01" for count in (2, 3, 5, 17, 400)]
    generator = random.Random(23)
    words = PROSE.split(" ") + CORPUS.split(" ")
    while len(strings) < COUNT:
        parts = []
        for _ in range(generator.randrange(1, 10)):
            kind = generator.random()
            if kind < 0.3:
                parts.append(generator.choice(words))
            elif kind < 0.45:
                parts.append("".join(generator.choice(SYLLABLES) for _ in range(generator.randrange(1, 6))))
            elif kind < 0.6:
                parts.append(generator.choice(tokens))
            elif kind < 0.7:
                parts.append(generator.choice(BLANKS) * generator.randrange(1, 4))
            elif kind < 0.9:
                parts.append(clusters(generator))
            else:
                low = generator.choice([0x21, 0xA0, 0x250, 0x900, 0x1E00, 0x2000, 0x2400, 0x3000, 0x3300, 0xFB00, 0xFF00, 0x1F100, 0x1D400])
                parts.append("".join(chr(generator.randrange(low, low + 0x100)) for _ in range(generator.randrange(1, 6))))
        strings.append(generator.choice(["", " "]).join(parts))
    assert len(strings) == COUNT, len(strings)
    return strings


def trained(size: int, normalization: str, byte_fallback: bool) -> sentencepiece_model_pb2.ModelProto:
    generator = random.Random(7)
    words = ["".join(generator.choice(SYLLABLES) for _ in range(generator.randrange(1, 6))) for _ in range(1200)]
    common = [words[int(len(words) * generator.random() ** 2)] for _ in range(12_000)]
    drawn = [" ".join(common[first : first + 12]) for first in range(0, len(common), 12)]
    sentences = PROSE.splitlines() + CORPUS.splitlines() + drawn
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences * 2), model_writer=model, vocab_size=size, model_type="unigram", normalization_rule_name=normalization,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, byte_fallback=byte_fallback, character_coverage=0.995, num_threads=1, minloglevel=2,
        hard_vocab_limit=False,
    )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto


METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
OLD_METASPACE = {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}


def behind_split(metaspace: dict) -> dict:
    return {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]}


def stripped(charsmap: dict, left: bool = False, right: bool = True) -> dict:
    replace = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}
    return {"type": "Sequence", "normalizers": [charsmap, {"type": "Strip", "strip_left": left, "strip_right": right}, replace]}


def drawn_pieces(known: set[str], count: int) -> list[list]:
    """Parts of words with scores that decide anything, many of them equal: more than so little text trains."""
    generator = random.Random(11)
    words = ["▁" + word for word in (PROSE + CORPUS).split()]
    pieces: list[list] = []
    while len(pieces) < count:
        word = generator.choice(words)
        first = generator.randrange(len(word))
        piece = word[first : first + generator.randrange(2, 9)]
        if piece in known:
            continue
        known.add(piece)
        score = generator.choice([-7.5, -9.0, -3 - 10 * generator.random(), -5 - 6 * generator.random()])
        pieces.append([piece, struct.unpack("f", struct.pack("f", score))[0] if generator.random() < 0.5 else score])
    return pieces


def base_of(proto: sentencepiece_model_pb2.ModelProto, size: int, extra_ids: int) -> dict:
    """As convert_slow_tokenizer of transformers 4 writes it: the sentinels at the end of the vocabulary, with a score of 0."""
    vocabulary = [[piece.piece, piece.score] for piece in proto.pieces]
    vocabulary += drawn_pieces({piece for piece, _ in vocabulary}, size - extra_ids - len(vocabulary))
    vocabulary += [[f"<extra_id_{number}>", 0.0] for number in reversed(range(extra_ids))]
    ids = {piece: number for number, (piece, _) in enumerate(vocabulary)}
    controls = ["<pad>", "</s>", "<unk>"] + [f"<extra_id_{number}>" for number in reversed(range(extra_ids))]
    charsmap = base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added(ids, [{"content": token, "special": True} for token in controls]),
        "normalizer": {"type": "Precompiled", "precompiled_charsmap": charsmap},
        "pre_tokenizer": behind_split(METASPACE),
        "post_processor": template("A", ("</s>", 1)),
        "decoder": METASPACE,
        "model": {"type": "Unigram", "unk_id": 2, "vocab": vocabulary, "byte_fallback": False},
    }


FLAGGED = [
    {"content": "[LEFT]", "special": True, "lstrip": True},
    {"content": "[RIGHT]", "special": True, "rstrip": True},
    {"content": "[BOTH]", "lstrip": True, "rstrip": True},
    {"content": "<table>"},
    {"content": "\n\n"},
]
NORMALIZED = [{"content": "wide load", "normalized": True}, {"content": "ﬁve", "normalized": True, "special": True}]


def t5_family(base: dict) -> list[tuple[str, dict]]:
    ids = {piece: number for number, (piece, _) in enumerate(base["model"]["vocab"])}
    controls = [{**token, "lstrip": True, "rstrip": True} if "extra_id" in token["content"] else token for token in base["added_tokens"]]
    controls = [{key: value for key, value in token.items() if key != "id"} for token in controls]
    charsmap = base["normalizer"]
    return [
        ("T5", {}),
        ("T5, sentinels that take white space", {"added_tokens": added(ids, controls)}),
        ("T5 as older files write it", {"pre_tokenizer": behind_split(OLD_METASPACE), "decoder": OLD_METASPACE}),
        ("T5 1.1 with legacy false", {"normalizer": stripped(charsmap), "pre_tokenizer": {**METASPACE, "prepend_scheme": "first"}, "decoder": {**METASPACE, "prepend_scheme": "first"}}),
        ("legacy false, all added tokens that are not normalized", {
            "normalizer": stripped(charsmap), "pre_tokenizer": {**METASPACE, "prepend_scheme": "first"}, "added_tokens": added(ids, controls + FLAGGED)}),
        ("stripped on both sides, Metaspace always", {"normalizer": stripped(charsmap, True, True), "pre_tokenizer": METASPACE}),
        ("stripped on neither side, Metaspace never", {"normalizer": stripped(charsmap, False, False), "pre_tokenizer": {**METASPACE, "prepend_scheme": "never"}, "decoder": {**METASPACE, "prepend_scheme": "never"}}),
        ("bare Metaspace", {"pre_tokenizer": METASPACE, "normalizer": {"type": "Sequence", "normalizers": [charsmap]}}),
        ("Metaspace first", {"pre_tokenizer": {**METASPACE, "prepend_scheme": "first"}}),
        ("WhitespaceSplit, Metaspace never, no post-processor", {"pre_tokenizer": behind_split({"type": "Metaspace", "replacement": "▁", "add_prefix_space": False, "prepend_scheme": "never"}), "post_processor": None}),
        ("added tokens with all flags", {"added_tokens": added(ids, controls + FLAGGED + NORMALIZED)}),
        ("no normalizer", {"normalizer": None}),
    ]


def mt5_family(base: dict) -> list[tuple[str, dict]]:
    fallback = {**base["model"], "byte_fallback": True}
    some = [[piece if piece != "<0xE6>" else "<no byte>", score] for piece, score in base["model"]["vocab"]]
    return [
        ("mT5, bytes in the vocabulary and no fallback", {}),
        ("byte_fallback", {"model": fallback}),
        ("byte_fallback with a byte missing", {"model": {**fallback, "vocab": some}}),
        ("byte_fallback, legacy false", {"model": fallback, "normalizer": stripped(base["normalizer"]), "pre_tokenizer": {**METASPACE, "prepend_scheme": "first"}}),
    ]


def without_map(part: object) -> object:
    """The map stands in a file of its own."""
    if isinstance(part, list):
        return [without_map(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {key: without_map(value) for key, value in part.items() if key != "precompiled_charsmap"}


def write_map(file: Path, base: dict) -> None:
    """The bytes of the units apart, first bytes first: they compress by a quarter better than unit by unit."""
    charsmap = base64.b64decode(base["normalizer"]["precompiled_charsmap"])
    end = 4 + int.from_bytes(charsmap[:4], "little")
    units = charsmap[4:end]
    apart = charsmap[:4] + b"".join(units[byte::4] for byte in range(4)) + charsmap[end:]
    file.write_bytes(gzip.compress(apart, 9, mtime=0))


def digest(ids: list[int], decoded: str) -> str:
    return hashlib.sha256((",".join(map(str, ids)) + "\0" + decoded).encode()).hexdigest()


def expected(tokenizer: Tokenizer, strings: list[str]) -> dict:
    rows: dict = {}
    for name, split_special in (("keep", False), ("text", True)):
        tokenizer.encode_special_tokens = split_special
        digests = []
        for string in strings:
            ids = tokenizer.encode(string).ids
            digests.append(digest(ids, tokenizer.decode(ids, skip_special_tokens=True)))
        rows[name] = "".join(row[0] for row in digests)
        rows[f"{name}_all"] = hashlib.sha256("".join(digests).encode()).hexdigest()
    tokenizer.encode_special_tokens = False
    rows["drawn"] = hashlib.sha256("\n".join(drawn_texts(tokenizer)).encode()).hexdigest()
    return rows


SETTINGS: list[tuple[dict, dict | None]] = [
    # tokenizer_config.json, special_tokens_map.json
    ({"tokenizer_class": "T5Tokenizer"}, None),
    ({"tokenizer_class": "T5TokenizerFast", "extra_ids": 100, "legacy": False, "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}, None),
    ({}, None),
    ({"tokenizer_class": "T5Tokenizer", "extra_ids": 0}, None),
    ({"tokenizer_class": "T5Tokenizer", "extra_ids": 103}, None),
    ({"tokenizer_class": "T5Tokenizer", "additional_special_tokens": [f"<extra_id_{number}>" for number in range(100)]},
     {"additional_special_tokens": [f"<extra_id_{number}>" for number in range(100)], "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}),
    ({"tokenizer_class": "T5Tokenizer", "additional_special_tokens": ["<new>"]}, None),
    ({"tokenizer_class": "T5Tokenizer"}, {"additional_special_tokens": ["<new>"]}),
    ({"tokenizer_class": "T5Tokenizer", "extra_special_tokens": ["<new>"]}, {"additional_special_tokens": ["<other>"]}),
    ({"tokenizer_class": "T5Tokenizer", "eos_token": "<new>"}, None),
    ({"tokenizer_class": "T5Tokenizer", "image_token": "<img>", "add_prefix_space": False, "split_special_tokens": True}, None),
    ({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>"}, None),
    ({"tokenizer_class": "PreTrainedTokenizerFast", "extra_special_tokens": {"some_token": "<new>"}, "additional_special_tokens": ["<other>"]}, None),
    ({"tokenizer_class": "T5Tokenizer", "extra_ids": 103, "extra_special_tokens": {"some_token": "<new>"}}, None),
]
SETTINGS_TEXTS = ["a</s>b <extra_id_0>  c.", "The <new> lamp  <img>\u200d \ufb01ne.", " x\n\ny <unk><pad> ", "aaaaaaaaaaaaaaaaaaaaa kakakakakakakakaka", "日<other>日 <extra_id_102>", "  two  spaces\t"]


def settings_cases(base: dict, variants: dict[str, dict]) -> list[dict]:
    """What transformers makes of the same files as T5Tokenizer: a pipeline of its own, whatever tokenizer.json says."""
    decoder = {str(token["id"]): {key: value for key, value in token.items() if key != "id"} for token in base["added_tokens"]}
    listed = {"tokenizer_class": "T5Tokenizer", "added_tokens_decoder": decoder, "additional_special_tokens": ["<new>"]}
    rows = [(pipeline, *settings) for pipeline in ("T5", "T5 1.1 with legacy false") for settings in SETTINGS]
    rows += [(pipeline, listed, None) for pipeline in ("T5", "no normalizer", "stripped on neither side, Metaspace never")]
    cases = []
    for pipeline, settings, special_tokens_map in rows:
        with tempfile.TemporaryDirectory() as folder:
            files = {"tokenizer.json": {**base, **variants[pipeline]}, "tokenizer_config.json": settings, "config.json": {"model_type": "t5"}}
            if special_tokens_map is not None:
                files["special_tokens_map.json"] = special_tokens_map
            for name, content in files.items():
                Path(folder, name).write_text(json.dumps(content))
            tokenizer = AutoTokenizer.from_pretrained(folder)
        texts = []
        for text in SETTINGS_TEXTS:
            ids = tokenizer.encode(text)
            split_ids = tokenizer.encode(text, split_special_tokens=True)
            texts.append({"text": text, "keep": ids, "split": split_ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)})
        cases.append({"pipeline": pipeline, "settings": settings, "special_tokens_map": special_tokens_map, "texts": texts})
    return cases


def read_by_rust() -> list[list[str]]:
    """Numerals, and what Rust reads of them: its own parser of JSON rounds twice."""
    generator = random.Random(3)
    numerals = ["0", "-0.0", "1e-7", "-12.5", "3", "0.1", "0.10000000000000001", "-11.830850601196289", "123456789012345678901.5",
                "18446744073709551615", "18446744073709551616", "0.00000000000000000000012345678901234567", "1E5", "2.5e+3", "-1.7976931348623157e308"]
    numerals += [repr(-generator.random() * 15) for _ in range(200)]
    vocabulary = ",".join(f'["t{number}",{numeral}]' for number, numeral in enumerate(numerals))
    text = '{"version":"1.0","added_tokens":[],"model":{"type":"Unigram","unk_id":0,"vocab":[' + vocabulary + "]}}"
    back = json.loads(Tokenizer.from_str(text).to_str())["model"]["vocab"]
    return [[numeral, repr(value)] for numeral, (_, value) in zip(numerals, back, strict=True)]


def decided_by_last_bits() -> dict:
    """A vocabulary in which two letters are as good as their pair but for the last bit of a score: which one wins shows who read it."""
    generator = random.Random(9)

    def by_rust(numeral: float) -> float:
        text = json.dumps({"version": "1.0", "added_tokens": [], "model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", numeral]]}})
        return json.loads(Tokenizer.from_str(text).to_str())["model"]["vocab"][0][1]

    vocabulary: list[list] = [["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["▁", 0.0]]
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    words = []
    while len(words) < 8:
        pair = -9 - 6 * generator.random()
        read = by_rust(pair)
        second = max(read, pair) + 8
        if read == pair or by_rust(second) != second:
            continue
        first, other = next(letters), next(letters)
        vocabulary += [[first, -8.0], [other, second], [first + other, pair]]
        words.append(first + other)
    tokenizer = {
        "version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": behind_split(METASPACE), "decoder": METASPACE,
        "post_processor": template("A", ("</s>", 1)), "model": {"type": "Unigram", "unk_id": 2, "vocab": vocabulary, "byte_fallback": False},
    }
    text = " ".join(words)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tokenizer.json").write_text(json.dumps(tokenizer))
        Path(folder, "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 0}))
        Path(folder, "config.json").write_text(json.dumps({"model_type": "t5"}))
        built = AutoTokenizer.from_pretrained(folder).encode(text)
    read = Tokenizer.from_str(json.dumps(tokenizer)).encode(text).ids
    assert built != read
    return {"tokenizer": tokenizer, "text": text, "as_file": read, "as_t5_tokenizer": built}


def ranges(codes: list[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def main(output: Path) -> None:
    logging.disable(logging.WARNING)
    strings = unigram_strings()
    write(output / "unigram-strings.json.gz", strings)
    t5 = base_of(trained(400, "nmt_nfkc", False), 1300, EXTRA_IDS)
    mt5 = base_of(trained(650, "nmt_nfkc_cf", True), 1000, 0)
    for name, base, variants in (("t5", t5, t5_family(t5)), ("mt5", mt5, mt5_family(mt5))):
        rows = []
        for title, changes in variants:
            tokenizer = Tokenizer.from_str(json.dumps({**base, **changes}))
            rows.append({"name": title, "changes": without_map(changes), "expected": expected(tokenizer, strings)})
        content = {"tokenizer": without_map(base), "pipelines": rows}
        write_map(output / f"{name}.map.gz", base)
        if name == "t5":
            content["settings"] = settings_cases(base, dict(variants))
            content["numbers"] = read_by_rust()
            content["last_bits"] = decided_by_last_bits()
        write(output / f"{name}.json.gz", content)
    write(output / "graphemes.json.gz", {name: ranges(codes) for name, codes in grapheme_classes().items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
