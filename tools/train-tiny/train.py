"""Trains the built-in model. Resumable: started again with the same folder it goes on from the last checkpoint.

Usage: python train.py DATA_FOLDER TOKENIZER_FOLDER RUN_FOLDER [--seed N] [--steps N] [--minutes M] [--set part.name=value ...]
"""

import argparse
import ast
import json
import os
import platform
import time
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

import network
from ads import read_ads
from examples import TASKS, Batch, Encode, Examples, Target, collate
from recipe import Recipe

LOG_EVERY, VALIDATE_EVERY, SAVE_EVERY = 25, 250, 250


def resolved(recipe: Recipe, changes: list[str]) -> Recipe:
    for change in changes:
        path, value = change.split("=", 1)
        part, name = path.split(".")
        recipe = replace(recipe, **{part: replace(getattr(recipe, part), **{name: ast.literal_eval(value)})})
    return recipe


def from_dict(values: dict) -> Recipe:
    """The recipe that `asdict` was made of."""
    parts = {item.name: item.default_factory for item in fields(Recipe) if item.default_factory is not MISSING}
    return Recipe(**{name: parts[name](**value) if name in parts else value for name, value in values.items()})


def machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return f"{name}, {torch.get_num_threads()} threads"


class Trainer:
    def __init__(self, recipe: Recipe, seed: int, data: Path, tokenizer: Path, folder: Path, compile_: bool):
        torch.manual_seed(seed)
        self.recipe, self.seed, self.folder = recipe, seed, folder
        pieces = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = network.build(recipe.architecture, pieces.get_vocab_size()).train().to(self.device)
        self.examples = Examples(read_ads(data / "train.jsonl", pieces, recipe.train_ads), pieces, recipe)
        self.validation = validation_batches(Examples(read_ads(data / "validation.jsonl", pieces, recipe.watched_ads), pieces, recipe))
        self.weights = torch.tensor([getattr(recipe.loss, task) for task in TASKS], device=self.device)
        self.first_layer = list(self.model.model.decoder.layers[0].parameters())
        network.bypass(self.model.model.decoder.layers[0])
        if compile_:
            self.model.model.encoder.text_model.compile(dynamic=True)
            self.model.model.decoder.compile(dynamic=True)
        self._make_optimizers()
        self.step, self.block, self.position = 0, 0, 0
        # Of all runs of this training together; the processor's time counts every core, children (the compiler) aside.
        self.seconds, self.cpu_seconds = 0.0, 0.0
        self._queue: list[Batch] = []

    def _make_optimizers(self) -> None:
        choice = self.recipe.optimization
        named = network.text_parameters(self.model)
        matrices = [p for name, p in named.items() if p.ndim == 2 and "embed_tokens" not in name]
        others = [p for name, p in named.items() if p.ndim != 2 or "embed_tokens" in name]
        self.trained = [*matrices, *others]
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad = name in named
        self.optimizers = [
            torch.optim.Muon(matrices, lr=choice.muon_rate, weight_decay=choice.weight_decay, momentum=0.95),
            torch.optim.AdamW(others, lr=choice.adam_rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self.rates = [choice.muon_rate, choice.adam_rate]

    def rate(self) -> float:
        """Cosine from 1 to `last_rate` after a linear warm-up."""
        choice = self.recipe.optimization
        if self.step < choice.warmup:
            return (self.step + 1) / choice.warmup
        done = (self.step - choice.warmup) / max(1, choice.steps - choice.warmup)
        return choice.last_rate + (1 - choice.last_rate) * 0.5 * (1 + np.cos(np.pi * min(1.0, done)))

    def next_batch(self) -> Batch:
        if not self._queue:
            self._queue = self.examples.batches(self.seed, self.block, self.recipe.optimization.tokens)
        batch = self._queue[self.position]
        self.position += 1
        if self.position == len(self._queue):
            self.block, self.position, self._queue = self.block + 1, 0, []
        return batch

    def losses(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Per predicted token: its negative log-likelihood, its task, and whether it is the most likely one."""
        ids, labels, decoder, segments, tasks = (
            torch.from_numpy(part).to(self.device) for part in (batch.encoder, batch.labels, batch.decoder, batch.segments, batch.tasks)
        )
        wanted = labels != -100
        with torch.autocast(self.device.type, torch.bfloat16, enabled={"bfloat16": True, "float32": False}[self.recipe.optimization.precision]):
            states = network.encode(self.model, ids)
            # Every row of an encode is visible to its targets, padding aside: nothing is hidden in training.
            hidden = network.decode(self.model, decoder, segments, states, ids != network.PAD)
            logits = self.model.lm_head(hidden[wanted]).float()
        gold = labels[wanted]
        return cross_entropy(logits, gold, reduction="none"), tasks[wanted], logits.argmax(-1) == gold

    def train_step(self) -> tuple[float, list[tuple[float, int]]]:
        nll, tasks, _ = self.losses(self.next_batch())
        weight = self.weights[tasks]
        loss = (nll * weight).sum() / weight.sum()
        loss.backward()
        if self.block < self.recipe.stages.prompted_from:
            for parameter in self.first_layer:
                parameter.grad = None
        norm = torch.nn.utils.clip_grad_norm_(self.trained, self.recipe.optimization.clip)
        factor = self.rate()
        for optimizer, rate in zip(self.optimizers, self.rates):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        sums = [(float(nll[tasks == task].sum().detach()), int((tasks == task).sum())) for task in range(len(TASKS))]
        return float(norm), sums

    @torch.no_grad()
    def validate(self) -> dict:
        """Nats per token and the share of targets with every token most likely, for each task, everything visible."""
        self.model.eval()
        nats, tokens, right, count = (np.zeros(len(TASKS)) for _ in range(4))
        for batch in self.validation:
            nll, tasks, hit = (values.cpu() for values in self.losses(batch))
            np.add.at(nats, tasks.numpy(), nll.numpy())
            np.add.at(tokens, tasks.numpy(), 1)
            # Which target a token belongs to: its row and its segment.
            wanted = batch.labels != -100
            target = (np.nonzero(wanted)[0] * 1000 + batch.segments[wanted], tasks.numpy())
            for key in np.unique(target[0]):
                mine = target[0] == key
                task = target[1][mine][0]
                right[task] += bool(hit.numpy()[mine].all())
                count[task] += 1
        self.model.train()
        return {
            task: {"nll": round(nats[at] / tokens[at], 4), "exact": round(right[at] / count[at], 4)}
            for at, task in enumerate(TASKS)
            if count[at]
        }

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "progress": (self.step, self.block, self.position, self.seconds),
            "cpu_seconds": self.cpu_seconds,
            "random": torch.get_rng_state(),
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "machine": machine(self.device),
        }
        part = self.folder / "state.part"
        torch.save(state, part)
        os.replace(part, self.folder / "state.pt")

    def resume(self) -> bool:
        path = self.folder / "state.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=False)
        if (state["recipe"], state["seed"]) != (asdict(self.recipe), self.seed):
            raise SystemExit(f"{path} was made by another recipe or seed: choose another folder")
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        self.step, self.block, self.position, self.seconds = state["progress"]
        self.cpu_seconds = state["cpu_seconds"]
        torch.set_rng_state(state["random"].cpu())
        return True


def validation_batches(examples: Examples) -> list[Batch]:
    """A fixed set: for each ad its first queries in the encoder, in the decoder, and the tasks without a query."""
    encodes: list[Encode] = []
    for ad in examples.ads:
        first, second = ad.questions[0], ad.questions[1]
        bos = network.BOS
        for question in (first, second):
            encodes.append(
                Encode((bos, *question.query_ids, *examples.newline, *ad.ids), (Target("query_in_encoder", (), question.answer_ids),))
            )
        queryless = [Target("query_in_decoder", q.query_ids, q.answer_ids) for q in (first, second)]
        queryless += [Target("unprompted", (), q.answer_ids) for q in (first, second)]
        encodes.append(Encode((bos, *ad.ids), (*queryless, Target("ask", (), first.query_ids))))
    encodes.sort(key=lambda encode: len(encode.ids))
    return [collate(encodes[at : at + 40]) for at in range(0, len(encodes), 40)]


def log(folder: Path, record: dict) -> None:
    with (folder / "log.jsonl").open("a") as lines:
        lines.write(json.dumps(record) + "\n")
    print(json.dumps(record), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop and save after so long; start again to go on")
    parser.add_argument("--set", nargs="*", default=[], help="change the recipe for a trial, such as optimization.tokens=2048")
    parser.add_argument("--compile", action="store_true", help="compile the network first, which takes minutes")
    arguments = parser.parse_args()
    changes = list(arguments.set) + ([f"optimization.steps={arguments.steps}"] if arguments.steps else [])
    recipe = resolved(Recipe(), changes)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    started = time.monotonic()
    trainer = Trainer(recipe, arguments.seed, arguments.data, arguments.tokenizer, arguments.folder, arguments.compile)
    trainer.resume()
    before, cpu_before = trainer.seconds, trainer.cpu_seconds
    parameters = sum(p.numel() for p in trainer.trained)
    log(arguments.folder, {"start": trainer.step, "parameters": parameters, "seed": arguments.seed, "load_s": round(time.monotonic() - started, 1)})

    sums = np.zeros((len(TASKS), 2))
    while trainer.step < recipe.optimization.steps:
        norm, new = trainer.train_step()
        sums += np.array(new)
        trainer.seconds = before + time.monotonic() - started
        trainer.cpu_seconds = cpu_before + time.process_time()
        if trainer.step % LOG_EVERY == 0:
            train = {task: round(nats / tokens, 4) for task, (nats, tokens) in zip(TASKS, sums) if tokens}
            log(arguments.folder, {"step": trainer.step, "seconds": round(trainer.seconds), "cpu_seconds": round(trainer.cpu_seconds), "rate": round(trainer.rate(), 4), "norm": round(norm, 2), "train": train})
            sums[:] = 0
        last = trainer.step == recipe.optimization.steps
        if trainer.step % VALIDATE_EVERY == 0 or last:
            log(arguments.folder, {"step": trainer.step, "seconds": round(trainer.seconds), "validation": trainer.validate()})
        late = time.monotonic() - started > arguments.minutes * 60
        if trainer.step % SAVE_EVERY == 0 or last or late:
            trainer.seconds = before + time.monotonic() - started
            trainer.save()
        if late:
            break


if __name__ == "__main__":
    main()
