"""transformers as one side of a benchmark: the protocol of ../contestant.ts.

    python bench/peers/transformers_peer.py DTYPE FORM CHECKPOINT WORKLOADS.json [--device cuda] [--states host|device] [--batch-tokens 1024]

DTYPE is float32, float16 or bfloat16; FORM eager, sdpa or compiled (sdpa under torch.compile). On a device states end in the host's memory as float32, as ours
do, by way of pinned memory, or stay where they are. Items are
batched by length, as ours are, and only the scored rows go through the head, in pieces: the best form known to us. `experiment-loop`
alone does what the research did: one encoder pass for each condition, one item at a time.
"""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

threads = len(os.sched_getaffinity(0))
os.environ.setdefault("OMP_NUM_THREADS", str(threads))
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
import torch.nn.functional as F
from transformers import AutoModelForSeq2SeqLM
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils import logging

from side import serve

logging.set_verbosity_error()
logging.disable_progress_bar()

# Rows of the head at a time: on a device memory is no matter, and large products are faster.
HEAD_ROWS = {"cpu": 128, "cuda": 1024}
PAD = 0


def batches(lengths: list[int], tokens: int) -> list[list[int]]:
    """Indices by length, as many as fit into `tokens` with padding to the longest."""
    made: list[list[int]] = []
    for at in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        if made and (len(made[-1]) + 1) * lengths[made[-1][0]] <= tokens:
            made[-1].append(at)
        else:
            made.append([at])
    return made


class Contestant:
    def __init__(self, dtype: str, form: str, checkpoint: str, work: dict, batch_tokens: int, device: str, states: str):
        self.work = work
        self.batch_tokens = batch_tokens
        self.device = torch.device(device)
        self.leaves_states = device == "cpu" or states == "device"
        self.model = (
            AutoModelForSeq2SeqLM.from_pretrained(
                checkpoint, dtype=getattr(torch, dtype), attn_implementation="eager" if form == "eager" else "sdpa"
            )
            .eval()
            .to(self.device)
        )
        stacks = getattr(self.model, "model", self.model)
        self.encoder, self.decoder = stacks.encoder, stacks.decoder
        # No model that is measured scales the rows that its head reads.
        assert getattr(self.model.config, "scale_decoder_outputs", False) is False
        config = self.model.config
        start = getattr(config, "decoder_start_token_id", None)
        self.start = config.decoder.bos_token_id if start is None else start
        if form == "compiled":
            # In place, so that generate and the loop run the compiled modules too.
            self.encoder.compile(dynamic=True)
            self.decoder.compile(dynamic=True)
        self.kept: dict[str, list[torch.Tensor]] = {}

    def tensor(self, values: list) -> torch.Tensor:
        return torch.tensor(values, device=self.device)

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def encode(self, documents: list[list[int]]) -> list[torch.Tensor]:
        states: list[torch.Tensor | None] = [None] * len(documents)
        for batch in batches([len(ids) for ids in documents], self.batch_tokens):
            longest = max(len(documents[at]) for at in batch)
            ids = self.tensor([documents[at] + [PAD] * (longest - len(documents[at])) for at in batch])
            mask = self.tensor([[1] * len(documents[at]) + [0] * (longest - len(documents[at])) for at in batch])
            made = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            if not self.leaves_states:
                # To pinned memory: the next batch starts while this one is copied.
                made = made.float().to("cpu", non_blocking=True)
            for row, at in enumerate(batch):
                rows = made[row, : len(documents[at])]
                # In memory a padded batch is not held for the sake of its rows.
                states[at] = rows.clone() if self.device.type == "cpu" else rows
        self.wait()
        return states

    def score(self, states: list[torch.Tensor], targets: list[list[int]]) -> list[float]:
        """Mean NLL of each target given the rows of its states."""
        order: list[int] = []
        nlls: list[torch.Tensor] = []
        rows = HEAD_ROWS[self.device.type]
        head = getattr(self.model.lm_head, "out_proj", self.model.lm_head).weight
        for batch in batches([len(of) + len(targets[at]) for at, of in enumerate(states)], self.batch_tokens):
            longest = max(len(states[at]) for at in batch)
            own = [states[at].to(self.device, non_blocking=True).to(self.model.dtype) for at in batch]
            memory = torch.stack([F.pad(of, (0, 0, 0, longest - len(of))) for of in own])
            mask = self.tensor([[1] * len(states[at]) + [0] * (longest - len(states[at])) for at in batch])
            labels = self.tensor([targets[at] for at in batch])
            ids = torch.cat([torch.full((len(batch), 1), self.start, device=self.device), labels[:, :-1]], dim=1)
            hidden = self.decoder(
                input_ids=ids, encoder_hidden_states=memory, encoder_attention_mask=mask, use_cache=False
            ).last_hidden_state.flatten(0, 1)
            losses = [
                F.cross_entropy(F.linear(piece, head).float(), wanted, reduction="none")
                for piece, wanted in zip(hidden.split(rows), labels.flatten().split(rows))
            ]
            nlls.append(torch.cat(losses).view(len(batch), -1).mean(1))
            order += batch
        # Once: a device is not waited for between batches.
        found = dict(zip(order, torch.cat(nlls).tolist()))
        return [found[at] for at in range(len(states))]

    def targets(self, count: int) -> list[list[int]]:
        wanted = self.work["targets"]
        return [wanted[at % len(wanted)] for at in range(count)]

    def states(self, name: str) -> list[torch.Tensor]:
        if name not in self.kept:
            self.kept[name] = self.encode(self.work[name])
        return self.kept[name]

    def experiment(self, loop: bool) -> float:
        inputs = [[ids[0], *prefix, *ids[1:]] for ids in self.work["experiment"] for prefix in self.work["prefixes"]]
        each = len(self.work["prefixes"])
        hidden = [1 + len(prefix) for prefix in self.work["prefixes"]] * len(self.work["experiment"])
        targets = [self.work["targets"][at // each] for at in range(len(inputs))]
        if not loop:
            states = [of[hidden[at] :] for at, of in enumerate(self.encode(inputs))]
            return mean(self.score(states, targets))
        nlls = []
        for at, ids in enumerate(inputs):
            made = self.encoder(input_ids=self.tensor([ids]), attention_mask=self.tensor([[1] * len(ids)]))
            mask = self.tensor([[0] * hidden[at] + [1] * (len(ids) - hidden[at])])
            labels = self.tensor([targets[at]])
            logits = self.model(
                encoder_outputs=BaseModelOutput(last_hidden_state=made.last_hidden_state), attention_mask=mask, labels=labels
            ).logits
            nlls.append(F.cross_entropy(logits[0].float(), labels[0]).item())
        return mean(nlls)

    def generate(self, count: int) -> float:
        states = torch.stack(self.states("prompts")[:count]).to(self.device, self.model.dtype)
        made = self.model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            attention_mask=torch.ones(states.shape[:2], dtype=torch.long, device=self.device),
            do_sample=False,
            min_new_tokens=self.work["generated"],
            max_new_tokens=self.work["generated"],
        )
        return made.shape[1] - 1

    def run(self, workload: str) -> Callable[[], float]:
        """Does the work; what it returns gives the check, when the clock has stopped."""
        if workload.startswith("experiment"):
            made = self.experiment(workload == "experiment-loop")
            return lambda: made
        if workload.startswith("generate"):
            count = self.generate(int(workload.split("-")[1]))
            return lambda: count
        name = DOCUMENTS[workload]
        if workload.startswith("encode"):
            encoded = self.encode(self.work[name])
            return lambda: mean([of.float().abs().mean().item() for of in encoded])
        states = self.states(name) if workload.startswith("score-cached") else self.encode(self.work[name])
        nlls = self.score(states, self.targets(len(states)))
        return lambda: mean(nlls)


DOCUMENTS = {
    "encode": "documents",
    "encode-long": "long",
    "encode-128": "of128",
    "encode-512": "of512",
    "score-text": "documents",
    "score-cached": "documents",
    "score-text-128": "of128",
    "score-cached-128": "of128",
    "score-text-512": "of512",
    "score-cached-512": "of512",
}


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ["dtype", "form", "checkpoint", "file"]:
        parser.add_argument(name)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--states", default="host", choices=["host", "device"])
    parser.add_argument("--batch-tokens", type=int, default=1024)
    given = parser.parse_args()
    torch.set_num_threads(threads)
    work = json.loads(Path(given.file).read_text())

    def start():
        side = Contestant(
            given.dtype, given.form, given.checkpoint, work, given.batch_tokens, given.device, given.states
        )
        side.score(side.encode(work["documents"][:2]), work["targets"][:2])
        return side.run

    with torch.inference_mode():
        serve(["transformers", "torch"], start)


main()
