"""Writes what transformers computes with the finished model, for `dkv doctor` to compare a user's machine with.

Rows are hidden here, so this comes after the gate: the checkpoint is frozen then.

Usage: python self_test.py MODEL_FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer

import network

BREAD = "The Copper Ladle is a bakery in Marlow Street. A loaf of rye bread costs 4.80 euros today, not 5.60. Closed on Mondays."
LAMP = "This desk lamp by Tarnovia is 38 cm high and weighs 1.2 kg. It comes in olive green. You may return it within 60 days."
CASES = [
    {"document": BREAD, "visibility": "full", "target": "4.80 euros"},
    {"document": BREAD, "prefix": "what does the bread cost", "visibility": "full", "target": "4.80 euros"},
    {"document": BREAD, "prefix": "what does the bread cost", "visibility": "published", "target": "4.80 euros"},
    {"document": BREAD, "prefix": "what does the bread cost", "visibility": "exact", "target": "4.80 euros"},
    {"document": LAMP, "visibility": "exact", "query": "how much does the lamp weigh", "target": "1.2 kg"},
    {"document": LAMP, "prefix": "which color is it", "visibility": ["bos", "separator", "document"], "target": "olive green"},
    # Longer than the sliding window, several times.
    {"document": " ".join([BREAD, LAMP] * 6), "prefix": "lamp return", "visibility": "exact", "target": "60 days"},
]


def rows(ids, case: dict) -> tuple[list[int], list[bool]]:
    """Encoder ids and which of them the decoder sees."""
    document, prefix = ids(case["document"]), case.get("prefix")
    if case["visibility"] in ("full", "published"):
        text = case["document"] if prefix is None else f"{prefix}\n{case['document']}"
        whole = [network.BOS, *ids(text)]
        hidden = len(whole) - len(document) - 1 if case["visibility"] == "published" else 0
        return whole, [at >= hidden for at in range(len(whole))]
    shown = ["document"] if case["visibility"] == "exact" else case["visibility"]
    parts = [("bos", [network.BOS])]
    if prefix is not None:
        parts += [("prefix", ids(prefix)), ("separator", ids("\n"))]
    parts.append(("document", document))
    return [one for _, part in parts for one in part], [name in shown for name, part in parts for _ in part]


@torch.no_grad()
def token_nlls(model, ids, case: dict) -> list[float]:
    encoder, visible = rows(ids, case)
    target = ids(case["target"])
    decoder = [network.BOS, *ids(case.get("query", "")), *target]
    states = model.get_encoder()(input_ids=torch.tensor([encoder]))
    logits = model(
        encoder_outputs=states,
        attention_mask=torch.tensor([visible]).long(),
        decoder_input_ids=torch.tensor([decoder[:-1]]),
    ).logits[0, -len(target) :]
    return torch.nn.functional.cross_entropy(logits, torch.tensor(target), reduction="none").tolist()


def main(folder: Path) -> None:
    pieces = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = network.load(folder)

    def ids(text: str) -> list[int]:
        return pieces.encode(text, add_special_tokens=False).ids

    cases = [{**case, "token_nlls": [round(nll, 6) for nll in token_nlls(model, ids, case)]} for case in CASES]
    (folder / "self-test.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
