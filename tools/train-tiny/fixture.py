"""Writes what Python's tokenizer makes of texts of our own, for the test that holds JavaScript's to the same ids.

Usage: python fixture.py MODEL_FOLDER VALIDATION_JSONL OUTPUT
"""

import json
import sys
from pathlib import Path

from tokenizers import Tokenizer

ODD = [
    "",
    " ",
    "  ",
    "\n",
    "\n\n",
    " \n ",
    "a\nb",
    "line one\nline two\n",
    "two  spaces   three",
    "tab\there\tand there",
    "carriage\r\nreturn",
    "What does the backpack cost?\nThe backpack costs €49.90 instead of €65.",
    "Café Müller, señor! Ça va? Łódź, Dvořák, Ærøskøbing, naïve façade",
    "e\u0301 and é are written in two ways",
    "ﬁve ligatures, ½ cup, x² + y³, Ⅷ, №5",
    "emoji 😀 👩‍👩‍👧 🇨🇭 ☕️ done",
    "日本語のテキスト 中文 한국어",
    "Привет, мир! Γειά σου! שלום مرحبا",
    "no-break\u00a0space, thin\u2009space, line\u2028separator",
    "quotes “curly” ‘single’ «French» – dash — long…",
    "numbers 1 12 123 1234 12345 3.14 1,000,000 50% $5 £6 €7 8°C",
    "code K7M2P, SPRING20, XR-240, www.copper-lantern.example, a_b/c\\d",
    "UPPER lower MiXeD don't can't O'Neil's",
    "control \x00 \x07 \x1b characters",
    "the the the the the the the the the the",
    "word" * 40,
    "🙂" * 10,
]
#: Text that looks like tokens: special ones are taken as such, as Gemma's tokenizer does.
SPECIAL = ["<bos>", "x<eos>y", "<pad><unk>", "<extra_id_0> and <extra_id_15>", "<0x41> is no byte", "\u2581 is a space"]


def main(model: Path, validation: Path, output: Path) -> None:
    pieces = Tokenizer.from_file(str(model / "tokenizer.json"))
    with validation.open(encoding="utf-8") as lines:
        ads = [json.loads(line) for _, line in zip(range(12), lines)]
    texts = [*ODD, *SPECIAL, *(ad["text"] for ad in ads), *(ad["questions"][0]["query"] + "\n" + ad["text"] for ad in ads[:6])]
    cases = [{"text": text, "ids": pieces.encode(text).ids, "bare": pieces.encode(text, add_special_tokens=False).ids} for text in texts]
    content = {
        "origin": "texts of this project; ids by Python tokenizers through tools/train-tiny/fixture.py; Apache-2.0",
        "cases": [{**case, "decoded": pieces.decode(case["ids"])} for case in cases],
    }
    output.write_text(json.dumps(content, ensure_ascii=False, indent=None, separators=(",", ":")).replace('{"text"', '\n{"text"') + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
