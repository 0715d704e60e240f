"""Makes small BART checkpoints with random weights and what the reference computes on them.

    python make_bart_fixtures.py OUTPUT_FOLDER [NAME ...]

The files are those of make_fixtures.py: a checkpoint, `cases.json` and `expected.safetensors`. The reference is transformers'
BartForConditionalGeneration with eager attention in float32. Its encoder takes no positions: moved positions are a longer input
whose other rows are masked, from which the wanted rows are taken.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import BartConfig, BartForConditionalGeneration

from reference_fixture import Case, Reference, ending_case, write_cases

# Rows that each side has positions for. BART's own have 1024.
MOST_ROWS = 64


@dataclass
class Shape:
    """What a fixture's config says. Both sides are unequal wherever BART lets them, so that one mistaken for the other fails."""

    width: int = 24
    vocab: int = 96
    encoder_heads: int = 4
    decoder_heads: int = 3
    encoder_ffn: int = 40
    decoder_ffn: int = 56
    encoder_layers: int = 3
    decoder_layers: int = 2
    scale_embedding: bool = False
    base_model: bool = False
    start: int = 2
    end: int = 2
    pad: int = 1


def config_of(shape: Shape) -> BartConfig:
    # A forced end would make `generate` choose otherwise than the logits do.
    return BartConfig(
        vocab_size=shape.vocab, d_model=shape.width, max_position_embeddings=MOST_ROWS,
        encoder_layers=shape.encoder_layers, encoder_ffn_dim=shape.encoder_ffn, encoder_attention_heads=shape.encoder_heads,
        decoder_layers=shape.decoder_layers, decoder_ffn_dim=shape.decoder_ffn, decoder_attention_heads=shape.decoder_heads,
        scale_embedding=shape.scale_embedding, decoder_start_token_id=shape.start, eos_token_id=shape.end,
        pad_token_id=shape.pad, bos_token_id=0, forced_eos_token_id=None,
    )


@torch.no_grad()
def random_model(shape: Shape, seed: int) -> BartForConditionalGeneration:
    torch.manual_seed(0)
    model = BartForConditionalGeneration._from_config(config_of(shape), attn_implementation="eager").float().eval()
    generator = np.random.default_rng(seed)
    for name, parameter in sorted(model.named_parameters(), key=lambda item: item[0]):
        values = generator.standard_normal(parameter.shape, dtype=np.float32)
        if name.endswith(("layer_norm.weight", "layernorm_embedding.weight")):
            values = 1.0 + 0.4 * values
        elif parameter.dim() == 1:
            values *= 0.2
        elif "embed_positions" in name:
            # As strong as the rows of tokens; stronger in the decoder, so that the next token is not the last one again.
            values *= (math.sqrt(shape.width) if shape.scale_embedding else 1.0) * (3.0 if "decoder" in name else 1.0)
        elif name != "model.shared.weight":
            # Weak where the decoder adds what hardly differs from row to row, for the same reason.
            weak = "decoder" in name and name.endswith(("fc2.weight", "out_proj.weight"))
            values *= (0.4 if weak else 1.5) / math.sqrt(parameter.shape[1])
        parameter.copy_(torch.from_numpy(values))
    # A larger logit now and then, so that some text ends.
    model.model.shared.weight[shape.end] *= 1.8
    if not shape.base_model:
        model.final_logits_bias.copy_(torch.from_numpy(1.0 * generator.standard_normal((1, shape.vocab), dtype=np.float32)))
    return model


# ---------------------------------------------------------------- what the reference answers


class BartReference(Reference):
    def __init__(self, model: BartForConditionalGeneration, shape: Shape):
        super().__init__(model, start=shape.start, end=shape.end, pad=shape.pad)
        self.encoder = model.model.encoder

    @torch.no_grad()
    def encode(self, case: Case, probe: dict[str, torch.Tensor] | None = None) -> torch.Tensor:
        places = torch.arange(len(case.ids)) if case.positions is None else torch.tensor(case.positions)
        assert len(set(places.tolist())) == len(places), "two rows cannot stand at one place of a longer input"
        length = int(places.max()) + 1
        ids = torch.full((1, length), self.pad)
        ids[0, places] = torch.tensor(case.ids)
        attention_mask = torch.zeros(1, length, dtype=torch.long)
        attention_mask[0, places] = 1
        if case.pair_mask is not None:
            allowed = torch.zeros(length, length, dtype=torch.bool)
            allowed[places[:, None], places[None]] = torch.from_numpy(case.pair_mask)
            attention_mask = torch.where(allowed, 0.0, torch.finfo(torch.float32).min)[None, None]
        hooks = []
        if probe is not None:
            for index, layer in enumerate(self.encoder.layers):
                def keep_hidden(_module, _inputs, output, index=index):
                    probe[f"hidden.{index}"] = output[0, places].clone()

                def keep_attention(_module, _inputs, output, index=index):
                    probe[f"attention.{index}"] = output[1][0][:, places][:, :, places].clone()

                hooks += [layer.register_forward_hook(keep_hidden),
                          layer.self_attn.register_forward_hook(keep_attention)]
        states = self.encoder(input_ids=ids, attention_mask=attention_mask).last_hidden_state
        for hook in hooks:
            hook.remove()
        return states[0, places]

    @torch.no_grad()
    def encode_batch(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state


# ---------------------------------------------------------------- the cases


def common_cases(shape: Shape, seed: int) -> list[Case]:
    """Several lengths up to the last position, everything visible or not the first rows, prompts, greedy continuations."""
    g = np.random.default_rng(seed)

    def new(count: int) -> list[int]:
        return g.integers(6, shape.vocab, count).tolist()

    ids = {n: [*([0] if n > 1 else []), *new(max(0, n - 2)), shape.end] for n in (1, 16, 40, MOST_ROWS)}
    return [
        Case("end-alone", ids[1], target=new(3), greedy=4),
        Case("full", ids[16], target=new(7), greedy=12, probe=True),
        Case("scattered", ids[16], visible=[1, 5, 6, 11, 15], target=new(3)),
        Case("prompt", ids[16], visible=list(range(3, 16)), prompt=new(8), target=[*new(5), shape.end], greedy=5),
        Case("hidden-head", ids[40], visible=list(range(9, 40)), target=new(9), greedy=8),
        Case("longest", ids[MOST_ROWS], visible=list(range(20, MOST_ROWS)), prompt=new(11), target=new(17), greedy=6),
        # The decoder reads the start token and all of these but the last: as many rows as it has positions.
        Case("longest-decoder", ids[40], prompt=new(MOST_ROWS - 19), target=new(19)),
        Case("transplant", ids[16], visible=list(range(1, 16)), before=[("end-alone", [0]), ("full", [2, 3])],
             target=new(6)),
    ]


def position_cases(shape: Shape, seed: int) -> list[Case]:
    """Moved positions and pairwise masks. Each place has a row of its own, so `shifted` says something else than `plain`."""
    g = np.random.default_rng(seed)
    rows, prefix = 20, 7
    ids = [0, *g.integers(6, shape.vocab, rows - 2).tolist(), shape.end]
    blocked = np.ones((rows, rows), dtype=bool)
    blocked[prefix:, :prefix] = False
    scattered = g.random((rows, rows)) < 0.6
    np.fill_diagonal(scattered, True)
    swapped = [*range(rows - prefix, rows), *range(rows - prefix)]
    spread = sorted(g.choice(MOST_ROWS, rows, replace=False).tolist())
    common = dict(ids=ids, visible=list(range(prefix, rows)), target=g.integers(6, shape.vocab, 6).tolist())
    return [
        Case("plain", **common),
        Case("gap", positions=[*range(prefix), *range(prefix + 30, rows + 30)], **common),
        Case("shifted", positions=list(range(MOST_ROWS - rows, MOST_ROWS)), **common),
        Case("swapped", positions=swapped, **common),
        Case("spread", positions=spread, **common),
        Case("blocked", pair_mask=blocked, **common),
        Case("scattered-pairs", pair_mask=scattered, **common),
        Case("blocked-and-spread", pair_mask=blocked, positions=spread, **common),
    ]


# ---------------------------------------------------------------- the fixtures


@dataclass
class Fixture:
    about: str
    # Chosen so that the greedy texts are not one token again and again, and one of them ends.
    seed: int
    shape: Shape


FIXTURES = {
    "scaled": Fixture("scaled embeddings, unequal sides, a bias of logits, start 3, end 4, pad 5", 4,
                      Shape(scale_embedding=True, start=3, end=4, pad=5)),
    "plain": Fixture("BART's own ids, embeddings as they are, one encoder layer, a bias of logits", 7,
                     Shape(encoder_heads=2, decoder_heads=6, encoder_layers=1, decoder_layers=3)),
    "base-model": Fixture("saved without a head: no prefix, no bias of logits, as bart-base and bart-large", 12,
                          Shape(encoder_layers=2, base_model=True)),
}


def make(name: str, root: Path) -> None:
    fixture = FIXTURES[name]
    shape, seed = fixture.shape, fixture.seed
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    made = random_model(shape, seed)
    (made.model if shape.base_model else made).save_pretrained(folder)
    # What is on disk answers, so that a form which transformers reads otherwise than it was meant cannot pass.
    model = BartForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    reference = BartReference(model, shape)
    cases = [*common_cases(shape, seed + 10), *position_cases(shape, seed + 20)]
    cases.append(ending_case(reference, shape.vocab, seed + 30))
    versions = {"transformers": transformers.__version__, "torch": torch.__version__, "numpy": np.__version__}
    write_cases(folder, reference, cases, fixture.about, versions=versions)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{name}: {size / 1000:.0f} kB")


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(2)
    for fixture in sys.argv[2:] or FIXTURES:
        make(fixture, Path(sys.argv[1]))
