"""How far transformers in float16 and bfloat16 is from itself in float32, with the same rounded weights: test/fixtures/half.json.

Usage: make_half_fixture.py test/fixtures

Of each fixture's plain cases (no positions, no pairwise mask, no foreign rows): the root mean square of the differences of all states, and of all NLLs of
targets. What computes in 16 bits and keeps residual sums in float32 has to be nearer.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import BartForConditionalGeneration, T5ForConditionalGeneration, T5Gemma2ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

# Class, and the token that the decoder starts with.
FIXTURES = {
    "reference/one-kv-head": (T5Gemma2ForConditionalGeneration, 2),
    "reference/several-kv-heads": (T5Gemma2ForConditionalGeneration, 2),
    "reference-t5/gated-untied": (T5ForConditionalGeneration, 0),
    "reference-t5/relu-tied": (T5ForConditionalGeneration, 0),
    "reference-bart/plain": (BartForConditionalGeneration, 2),
}


@torch.no_grad()
def answers(model: torch.nn.Module, cases: list[dict], start: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All states and all NLLs, as float64."""
    states, nlls = [], []
    for case in cases:
        ids = torch.tensor([case["ids"]])
        encoded = model.get_encoder()(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        states.append(encoded.double().flatten())
        mask = torch.zeros_like(ids)
        mask[0, case["visible"]] = 1
        prompt, target = case["prompt"], case["target"]
        read = [start, *prompt, *target]
        logits = model(encoder_outputs=BaseModelOutput(last_hidden_state=encoded), attention_mask=mask,
                       decoder_input_ids=torch.tensor([read[:-1]]), use_cache=False).logits[0].double()
        of_target = torch.log_softmax(logits, -1)[len(prompt):]
        nlls.append(-of_target[torch.arange(len(target)), torch.tensor(target)])
    return torch.cat(states), torch.cat(nlls)


def main() -> None:
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    root = Path(sys.argv[1])
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, (kind, start) in FIXTURES.items():
        cases = [case for case in json.loads((root / name / "cases.json").read_text())["cases"]
                 if case.get("target") and case["visible"] and not {"positions", "pair_mask", "before"} & case.keys()]
        found[name] = {}
        for dtype in ("float16", "bfloat16"):
            model = kind.from_pretrained(root / name, dtype=getattr(torch, dtype), attn_implementation="eager").eval()
            half = answers(model, cases, start)
            exact = answers(copy.deepcopy(model).float(), cases, start)
            states, nlls = (float((a - b).square().mean().sqrt()) for a, b in zip(half, exact))
            found[name][dtype] = {"states": states, "nlls": nlls}
            print(name, dtype, found[name][dtype])
    content = {"about": f"transformers {transformers.__version__}, torch {torch.__version__}: root mean square of differences from float32", "fixtures": found}
    (root / "half.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
