"""What an unfinished run carries in its document rows: answers' nats per token with the query's rows visible, hidden and absent.

For the choice of a recipe only. A recipe that was chosen by it makes a positive control, which the model card has to say.

Usage: python probe.py DATA_FOLDER TOKENIZER_FOLDER RUN_FOLDER [--ads N]
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

import network
from ads import read_ads
from train import from_dict


@torch.no_grad()
def nats(model, prefix: tuple[int, ...], ad: tuple[int, ...], prompt: tuple[int, ...], answer: tuple[int, ...], hidden: bool) -> float:
    """Mean nats of the answer's tokens and <eos>, the prefix before the ad; `hidden`: without the rows of <bos> and prefix."""
    ids = torch.tensor([[network.BOS, *prefix, *ad]])
    visible = torch.ones_like(ids, dtype=torch.bool)
    if hidden:
        visible[:, : 1 + len(prefix)] = False
    decoder = torch.tensor([[network.BOS, *prompt, *answer]])
    out = network.decode(model, decoder, torch.ones_like(decoder), network.encode(model, ids), visible)
    logits = model.lm_head(out[0, len(prompt) :]).float()
    return float(cross_entropy(logits, torch.tensor([*answer, network.EOS])))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--ads", type=int, default=150)
    arguments = parser.parse_args()
    pieces = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
    state = torch.load(arguments.run / "state.pt", map_location="cpu", weights_only=False)
    model = network.build(from_dict(state["recipe"]).architecture, pieces.get_vocab_size()).eval()
    model.load_state_dict(state["model"])
    newline = tuple(pieces.encode("\n", add_special_tokens=False).ids)
    sums: dict[str, float] = {}
    ads = read_ads(arguments.data / "validation.jsonl", pieces, arguments.ads)
    for number, ad in enumerate(ads):
        first, second = ad.questions[:2]
        other = ads[(number + 1) % len(ads)].questions[0]
        arms = {
            "oracle": nats(model, (*first.query_ids, *newline), ad.ids, (), first.answer_ids, False),
            "bare": nats(model, (), ad.ids, (), first.answer_ids, False),
            "bare_hidden": nats(model, (), ad.ids, (), first.answer_ids, True),
            "oracle_hidden": nats(model, (*first.query_ids, *newline), ad.ids, (), first.answer_ids, True),
            "sibling_hidden": nats(model, (*second.query_ids, *newline), ad.ids, (), first.answer_ids, True),
            "other_ad_hidden": nats(model, (*other.query_ids, *newline), ad.ids, (), first.answer_ids, True),
            "in_decoder": nats(model, (), ad.ids, first.query_ids, first.answer_ids, False),
        }
        for arm, value in arms.items():
            sums[arm] = sums.get(arm, 0.0) + value / len(ads)
    print(json.dumps({"step": state["progress"][0], **{arm: round(value, 3) for arm, value in sums.items()}}))


if __name__ == "__main__":
    main()
