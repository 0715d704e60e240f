"""What transformers answers to the conditions of v4-09 and v4-10, from texts to mean NLLs, for a T5 and a BART of random weights.

    python make_experiment_fixtures.py OUTPUT_JSON

The checkpoints are those of test/support/small-checkpoints.ts, which are the same every time and are not kept here: `npx tsx` writes them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
from transformers.modeling_outputs import BaseModelOutput

ROOT = Path(__file__).resolve().parents[2]

SAMPLES = [
    {
        "query": "how long does a green lamp last?",
        "document": "Our green lamp lasts 20,000 hours.  It is made in Kiel\nand comes with a shade, a cable and two bulbs of 7 watts.",
        "answer": "About 20,000 hours.",
    },
    {
        "query": " what is the price of the desk",
        "document": "The desk costs 240 euros, delivery included; the chair beside it costs 80. Both are of oak – waxed, not painted.",
        "answer": "240 euros\nwith delivery",
    },
    {
        "query": "Who repairs clocks in the old town?",
        "document": "Clocks of any age are repaired by Mrs. Ångström, 12 Mill Lane. Open on weekdays from nine to five. " * 3,
        "answer": "Mrs. Ångström",
    },
    {"query": "radio", "document": "A radio.", "answer": "yes"},
]


def random_words(index: int) -> str:
    listed = re.search("`(.*?)`", (ROOT / "src/priming/common-words.ts").read_text(), re.S).group(1).split()
    return " ".join(np.random.RandomState(42 + index + 20000).choice(listed, size=8, replace=False))


class Scorer:
    def __init__(self, folder: Path):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    def framed(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=True).input_ids

    def plain(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def published(self, document: str, prefix: str | None) -> tuple[list[int], list[int]]:
        """Encoder ids and mask: one string, of which the decoder does not see as many leading rows as it has more than the document's."""
        bare = self.framed(document)
        if prefix is None:
            return bare, [1] * len(bare)
        joint = self.framed(prefix + "\n" + document)
        hidden = len(joint) - len(bare)
        return joint, [0] * hidden + [1] * len(bare)

    def exact(self, document: str, prefix: str | None) -> tuple[list[int], list[int]]:
        """The same of segments tokenised apart, the document's rows alone in view."""
        empty = self.framed("")
        marker = self.framed("a")
        before = 0
        while before < len(empty) and marker[before] == empty[before]:
            before += 1
        start, end = empty[:before], empty[before:]
        leading = [] if prefix is None else self.plain(prefix) + self.plain("\n")
        rows = self.plain(document)
        return start + leading + rows + end, [0] * (before + len(leading)) + [1] * len(rows) + [0] * len(end)

    @torch.no_grad()
    def nll(self, encoded: tuple[list[int], list[int]], prompt: str | None, answer: str) -> float:
        ids, visible = encoded
        inputs = torch.tensor([ids])
        states = self.model.get_encoder()(input_ids=inputs, attention_mask=torch.ones_like(inputs)).last_hidden_state
        asked = [] if prompt is None else self.plain(prompt)
        target = self.plain(answer)
        decoder = torch.tensor([[self.model.config.decoder_start_token_id, *asked, *target]])
        output = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states), attention_mask=torch.tensor([visible]), decoder_input_ids=decoder
        )
        rows = torch.log_softmax(output.logits[0].double(), dim=-1)[len(asked) : len(asked) + len(target)]
        return -float(rows[torch.arange(len(target)), torch.tensor(target)].mean())

    def conditions(self, index: int, sample: dict[str, str]) -> dict[str, float]:
        query, document, answer = sample["query"], sample["document"], sample["answer"]
        words = random_words(index)
        asked = {
            "bare": (self.published(document, None), query),
            "oracle_published": (self.published(document, query), query),
            "random_published": (self.published(document, words), query),
            "bare_nq": (self.published(document, None), None),
            "oracle_published_nq": (self.published(document, query), None),
            "bare_d": (self.exact(document, None), query),
            "oracle_d": (self.exact(document, query), query),
            "random_d": (self.exact(document, words), query),
            "bare_d_nq": (self.exact(document, None), None),
            "oracle_d_nq": (self.exact(document, query), None),
        }
        return {name: self.nll(encoded, prompt, answer) for name, (encoded, prompt) in asked.items()}


def main(output: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npx", "tsx", "tools/reference/small-checkpoints.ts", folder], cwd=ROOT, check=True)
        nlls = {}
        for name in ("t5", "bart"):
            scorer = Scorer(Path(folder) / name)
            nlls[name] = [scorer.conditions(index, sample) for index, sample in enumerate(SAMPLES)]
    origin = f"transformers {transformers.__version__}, torch {torch.__version__} through tools/reference/make_experiment_fixtures.py"
    output.write_text(json.dumps({"origin": origin, "samples": SAMPLES, "nlls": nlls}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
