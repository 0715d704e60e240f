"""The gate: greedy answers of the saved checkpoint on held-out validation ads, with every encoder row visible.

The checkpoint is loaded as users load it (bfloat16 weights, in float32) and generates through transformers' own `generate`.
Nothing here hides a row, and nothing here may: the checkpoint is frozen before such a score is read.

Usage: python gate.py DATA_FOLDER MODEL_FOLDER [--ads N]
"""

import argparse
import json
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GenerationConfig

import network
from ads import Ad, Question, read_ads
from recipe import Recipe

PLACES = ("encoder", "decoder")
BATCH = 48
LONGEST_ANSWER = 32


@dataclass
class Trial:
    question: Question
    encoder: tuple[int, ...]
    #: What stands in the decoder behind <bos>.
    prompt: tuple[int, ...]
    answer: str = ""


def normalized(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .,;:!?")


def trials(ads: list[Ad], newline: tuple[int, ...], place: str) -> list[Trial]:
    made = []
    for ad in ads:
        for question in ad.questions:
            before = (*question.query_ids, *newline) if place == "encoder" else ()
            prompt = question.query_ids if place == "decoder" else ()
            made.append(Trial(question, (network.BOS, *before, *ad.ids), prompt))
    return made


@torch.no_grad()
def answer(model, pieces: Tokenizer, todo: list[Trial]) -> None:
    settings = GenerationConfig(
        max_new_tokens=LONGEST_ANSWER,
        do_sample=False,
        bos_token_id=network.BOS,
        eos_token_id=network.EOS,
        pad_token_id=network.PAD,
        decoder_start_token_id=network.BOS,
    )
    # Decoder prompts are not padded, so that a batch has prompts of one length.
    todo = sorted(todo, key=lambda trial: (len(trial.prompt), len(trial.encoder)))
    at = 0
    while at < len(todo):
        group = [t for t in todo[at : at + BATCH] if len(t.prompt) == len(todo[at].prompt)]
        width = max(len(t.encoder) for t in group)
        ids = torch.tensor([t.encoder + (network.PAD,) * (width - len(t.encoder)) for t in group])
        prompts = torch.tensor([(network.BOS, *t.prompt) for t in group])
        out = model.generate(ids, attention_mask=(ids != network.PAD).long(), decoder_input_ids=prompts, generation_config=settings)
        for trial, row in zip(group, out[:, prompts.shape[1] :].tolist()):
            end = row.index(network.EOS) if network.EOS in row else len(row)
            trial.answer = pieces.decode(row[:end])
        at += len(group)


@torch.no_grad()
def nats(model, ads: list[Ad], newline: tuple[int, ...]) -> dict[str, float]:
    """Mean over ads of the nats per answer token (no <eos>) of each ad's first question but one, everything visible."""
    sums: dict[str, float] = defaultdict(float)
    for ad in ads:
        question = ad.questions[1]
        ids = (network.BOS, *question.query_ids, *newline, *ad.ids)
        for name, encoder, prompt in (
            ("document alone", (network.BOS, *ad.ids), ()),
            ("query in the encoder", ids, ()),
            ("query in the decoder", (network.BOS, *ad.ids), question.query_ids),
            ("query in both", ids, question.query_ids),
        ):
            decoder = torch.tensor([(network.BOS, *prompt, *question.answer_ids[:-1])])
            logits = model(input_ids=torch.tensor([encoder]), decoder_input_ids=decoder).logits[0, len(prompt) :]
            gold = torch.tensor(question.answer_ids)
            sums[name] += float(torch.nn.functional.cross_entropy(logits, gold))
    return {name: round(total / len(ads), 4) for name, total in sums.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--ads", type=int, default=500)
    parser.add_argument("--misses", type=int, default=0, help="print so many wrong answers")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    started = time.monotonic()
    pieces = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    model = network.load(arguments.model)
    newline = tuple(pieces.encode("\n", add_special_tokens=False).ids)
    # The run's own validation looked at the first ads of the split: the gate takes others.
    skip = Recipe().watched_ads
    ads = read_ads(arguments.data / "validation.jsonl", pieces, skip + arguments.ads)[skip:]
    result: dict = {"ads": len(ads), "first_ad": skip, "split": "validation", "dtype": "bfloat16 weights, float32 arithmetic"}
    counts: dict[str, dict[str, list[int]]] = {place: defaultdict(lambda: [0, 0]) for place in PLACES}
    for place in PLACES:
        todo = trials(ads, newline, place)
        answer(model, pieces, todo)
        misses = 0
        for trial in todo:
            right = normalized(trial.answer) == normalized(trial.question.answer)
            tally = counts[place][trial.question.kind]
            tally[0] += right
            tally[1] += 1
            if not right and misses < arguments.misses:
                misses += 1
                print(f"{place} {trial.question.kind}: {trial.question.query!r} -> {trial.answer!r}, not {trial.question.answer!r}")
        right, all_ = (sum(tally[i] for tally in counts[place].values()) for i in (0, 1))
        result[f"query in the {place}"] = {"questions": all_, "right": right, "accuracy": round(right / all_, 4)}
    result["kinds"] = {
        kind: {
            "questions": counts["encoder"][kind][1],
            **{f"query in the {place}": round(counts[place][kind][0] / counts[place][kind][1], 4) for place in PLACES},
        }
        for kind in sorted(counts["encoder"])
    }
    result["nats per answer token"] = nats(model, ads, newline)
    result["seconds"] = round(time.monotonic() - started)
    folder = arguments.model / "training"
    folder.mkdir(exist_ok=True)
    (folder / "gate.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: value for key, value in result.items() if key != "kinds"}, indent=1))


if __name__ == "__main__":
    main()
