"""What fixtures of every model family share: a case, what the reference answers to it, and the files that tell of both.

A fixture is a folder with a checkpoint, `cases.json` (what is computed) and `expected.safetensors` (what the reference answered).
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput


@dataclass
class Case:
    """One encoder input, and what the decoder is asked about it."""

    name: str
    ids: list[int]
    positions: list[int] | None = None
    pair_mask: np.ndarray | None = None
    visible: list[int] | None = None
    prompt: list[int] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    greedy: int = 0
    probe: bool = False
    # Rows of other cases' encodes put before this one's: (case name, row indices).
    before: list[tuple[str, list[int]]] = field(default_factory=list)


class Reference:
    """The decoder's answers of any encoder-decoder of transformers; a family adds how it encodes."""

    def __init__(self, model: PreTrainedModel, start: int, end: int, pad: int):
        self.model = model
        self.start, self.end, self.pad = start, end, pad

    def encode(self, case: Case, probe: dict[str, torch.Tensor] | None = None) -> torch.Tensor:
        """States [rows, hidden] of one input alone."""
        raise NotImplementedError

    def encode_batch(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """States [inputs, rows, hidden] of inputs padded at their ends."""
        raise NotImplementedError

    @torch.no_grad()
    def decode(self, states: torch.Tensor, visible: list[int], ids: list[int]) -> torch.Tensor:
        """Logits [len(ids), vocabulary] of decoder input `ids`, attending to the visible rows of the states."""
        mask = torch.zeros(1, states.shape[0], dtype=torch.long)
        mask[0, visible] = 1
        output = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states[None]),
            attention_mask=mask, decoder_input_ids=torch.tensor([ids]), use_cache=False,
        )
        return output.logits[0]

    def nlls(self, states: torch.Tensor, case: Case) -> torch.Tensor:
        ids = [self.start, *case.prompt, *case.target]
        logits = self.decode(states, case.visible, ids[:-1]).double()
        log_probabilities = torch.log_softmax(logits, dim=-1)[len(case.prompt):]
        return -log_probabilities[torch.arange(len(case.target)), torch.tensor(case.target)].float()

    def greedy(self, states: torch.Tensor, case: Case) -> tuple[list[int], torch.Tensor]:
        """Tokens, and the logits that the first one was chosen from."""
        ids = [self.start, *case.prompt]
        first = None
        for _ in range(case.greedy):
            logits = self.decode(states, case.visible, ids)[-1]
            first = logits if first is None else first
            best = logits.topk(2).values
            assert best[0] - best[1] > 1e-3, "a tie would make the fixture depend on rounding"
            ids.append(int(logits.argmax()))
            if ids[-1] == self.end:
                break
        tokens = ids[1 + len(case.prompt):]
        if len(case.visible) == len(states):
            self._check_generate(states, case, tokens)
        return tokens, first

    @torch.no_grad()
    def _check_generate(self, states: torch.Tensor, case: Case, tokens: list[int]) -> None:
        """`generate`, with its cache, says the same as our loop without one."""
        output = self.model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states[None]),
            attention_mask=torch.ones(1, len(states), dtype=torch.long),
            decoder_input_ids=torch.tensor([[self.start, *case.prompt]]), max_new_tokens=case.greedy, do_sample=False,
            eos_token_id=self.end, pad_token_id=self.pad,
        )
        found = output[0, 1 + len(case.prompt):].tolist()
        assert found == tokens, (found, tokens)

    @torch.no_grad()
    def padded_difference(self, cases: list[Case], states: dict[str, torch.Tensor]) -> float:
        """How far the reference's own padded batch is from its single encodes."""
        plain = [case for case in cases if case.positions is None and case.pair_mask is None]
        longest = max(len(case.ids) for case in plain)
        ids = torch.full((len(plain), longest), self.pad)
        mask = torch.zeros_like(ids)
        for row, case in enumerate(plain):
            ids[row, : len(case.ids)] = torch.tensor(case.ids)
            mask[row, : len(case.ids)] = 1
        batch = self.encode_batch(ids, mask)
        return max(
            float((batch[row, : len(case.ids)] - states[case.name]).abs().max()) for row, case in enumerate(plain)
        )


@torch.no_grad()
def ending_case(reference: Reference, vocabulary: int, seed: int) -> Case:
    """A prompt after which the greedy text reaches the end token, neither at once nor at the limit."""
    g = np.random.default_rng(seed)
    ids = [*g.integers(6, vocabulary, 12).tolist(), reference.end]
    states = reference.encode(Case("ends", ids))
    prompts, limit = 500, 12
    starts = torch.full((prompts, 1), reference.start)
    texts = torch.cat([starts, torch.from_numpy(g.integers(6, vocabulary, (prompts, 3)))], 1)
    margins = []
    for _ in range(limit):
        memory = BaseModelOutput(last_hidden_state=states.expand(prompts, -1, -1))
        logits = reference.model(encoder_outputs=memory, decoder_input_ids=texts, use_cache=False).logits[:, -1]
        best = logits.topk(2)
        margins.append(best.values[:, 0] - best.values[:, 1])
        texts = torch.cat([texts, best.indices[:, :1]], 1)
    for text, margin in zip(texts.tolist(), torch.stack(margins, 1)):
        prompt, tokens = text[1:4], text[4:]
        if reference.end in tokens and 3 <= tokens.index(reference.end) < limit - 1 and margin.min() > 0.01:
            return Case("ends", ids, prompt=prompt, greedy=limit)
    sys.exit("no prompt reaches the end token: change the seed")


def write_cases(folder: Path, reference: Reference, cases: list[Case], about: str, **notes: object) -> None:
    """Answers the cases and writes both files; `notes` are further facts for cases.json."""
    expected: dict[str, torch.Tensor] = {}
    states: dict[str, torch.Tensor] = {}
    described = []
    for case in cases:
        probe: dict[str, torch.Tensor] | None = {} if case.probe else None
        states[case.name] = reference.encode(case, probe)
        expected[f"{case.name}.states"] = states[case.name]
        for name, tensor in (probe or {}).items():
            expected[f"{case.name}.{name}"] = tensor
        if case.visible is None:
            case.visible = list(range(len(case.ids)))
        memory = states[case.name]
        if case.before:
            own = memory[case.visible]
            memory = torch.cat([*(states[name][rows] for name, rows in case.before), own])
            described_visible, case.visible = case.visible, list(range(len(memory)))
        else:
            described_visible = case.visible
        record: dict[str, object] = {"name": case.name, "ids": case.ids, "visible": described_visible}
        if case.positions is not None:
            record["positions"] = case.positions
        if case.pair_mask is not None:
            record["pair_mask"] = ["".join("01"[int(x)] for x in row) for row in case.pair_mask]
        if case.before:
            record["before"] = [{"case": name, "rows": rows} for name, rows in case.before]
        if case.probe:
            record["probe"] = True
        if case.target:
            record |= {"prompt": case.prompt, "target": case.target}
            expected[f"{case.name}.nll"] = reference.nlls(memory, case)
        if case.greedy:
            tokens, logits = reference.greedy(memory, case)
            record |= {"prompt": case.prompt, "greedy": tokens, "max_tokens": case.greedy}
            expected[f"{case.name}.logits"] = logits
        described.append(record)
    difference = reference.padded_difference(cases, states)
    save_file({name: tensor.contiguous() for name, tensor in expected.items()}, folder / "expected.safetensors")
    content = {"about": about, **notes, "reference_padded_difference": difference, "cases": described}
    (folder / "cases.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")
