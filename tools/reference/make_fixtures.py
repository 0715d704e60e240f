"""Makes small T5Gemma 2 checkpoints with random weights and what the reference computes on them.

    python make_fixtures.py OUTPUT_FOLDER [NAME ...]      small ones, for the tests
    python make_fixtures.py OUTPUT_FOLDER full-size       google/t5gemma-2-270m-270m's shape, about 1.1 GB

Each fixture is a folder with a checkpoint (config.json, safetensors, sometimes tokenizer.json), `cases.json` (what is computed)
and `expected.safetensors` (what the reference answered). The reference is transformers' T5Gemma2ForConditionalGeneration with
eager attention in float32. Weights are drawn by numpy, large enough that a wrong mask, scale or norm changes the answers.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import T5Gemma2Config, T5Gemma2ForConditionalGeneration
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.t5gemma2.modeling_t5gemma2 import sliding_window_mask_function

from reference_fixture import Case, Reference, write_cases
from text_fixture import make_text_cases, make_tokenizer

BOS, EOS, PAD = 2, 1, 0


@dataclass
class Shape:
    """What a fixture's config says; encoder and decoder may differ."""

    hidden: int = 32
    intermediate: int = 48
    vocab: int = 320
    heads: int = 4
    kv_heads: int = 1
    head_dim: int = 16
    scalar: int = 16
    encoder_layers: tuple[str, ...] = ("s", "s", "f", "s", "s", "f")
    decoder_layers: tuple[str, ...] = ("s", "f", "s", "f")
    encoder_window: int = 8
    decoder_window: int = 4
    rope_factor: float = 8.0
    softcap: float | None = None
    eoi: int = 300
    weight_scale: float = 1.0


def config_of(shape: Shape) -> T5Gemma2Config:
    kinds = {"s": "sliding_attention", "f": "full_attention"}

    def stack(layers: tuple[str, ...], window: int) -> dict:
        return dict(
            vocab_size=shape.vocab, hidden_size=shape.hidden, intermediate_size=shape.intermediate,
            num_hidden_layers=len(layers), num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads,
            head_dim=shape.head_dim, query_pre_attn_scalar=shape.scalar, sliding_window=window,
            layer_types=[kinds[kind] for kind in layers], final_logit_softcapping=shape.softcap,
            rope_parameters={
                "full_attention": {"rope_type": "linear", "factor": shape.rope_factor, "rope_theta": 1_000_000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            },
            bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD,
        )

    vision = dict(model_type="siglip_vision_model", hidden_size=8, intermediate_size=8, num_hidden_layers=1,
                  num_attention_heads=1, image_size=16, patch_size=8)
    return T5Gemma2Config(
        encoder=dict(text_config=stack(shape.encoder_layers, shape.encoder_window), vision_config=vision,
                     eoi_token_index=shape.eoi, mm_tokens_per_image=4),
        decoder=stack(shape.decoder_layers, shape.decoder_window),
        image_token_index=shape.vocab - 1,
    )


def random_model(shape: Shape, seed: int) -> T5Gemma2ForConditionalGeneration:
    torch.manual_seed(0)
    model = T5Gemma2ForConditionalGeneration._from_config(config_of(shape), attn_implementation="eager")
    model = model.float().eval()
    generator = np.random.default_rng(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters(), key=lambda item: item[0]):
            values = generator.standard_normal(parameter.shape, dtype=np.float32)
            if name.endswith("eoi_embedding"):
                values *= 4.0
            elif name.endswith("embed_tokens.weight"):
                values *= 1.0 / math.sqrt(shape.hidden)
            elif parameter.dim() == 2:
                values *= shape.weight_scale / math.sqrt(parameter.shape[1])
            else:
                # Norms multiply by 1 + weight. Strong layers, so that the next token is not the last one again.
                values *= 2.0 if "post_" in name else 0.4
            parameter.copy_(torch.from_numpy(values))
    return model


# ---------------------------------------------------------------- what the reference answers


class T5Gemma2Reference(Reference):
    def __init__(self, model: T5Gemma2ForConditionalGeneration):
        super().__init__(model, start=BOS, end=EOS, pad=PAD)
        self.encoder = model.model.encoder.text_model

    @torch.no_grad()
    def encode(self, case: Case, probe: dict[str, torch.Tensor] | None = None) -> torch.Tensor:
        ids = torch.tensor([case.ids])
        positions = None if case.positions is None else torch.tensor([case.positions])
        attention_mask: object = torch.ones_like(ids)
        if case.pair_mask is not None:
            attention_mask = self._masks(ids, torch.from_numpy(case.pair_mask))
        hooks = []
        if probe is not None:
            for index, layer in enumerate(self.encoder.layers):
                def keep_hidden(_module, _inputs, output, index=index):
                    probe[f"hidden.{index}"] = (output[0] if isinstance(output, tuple) else output)[0].clone()

                def keep_attention(_module, _inputs, output, index=index):
                    probe[f"attention.{index}"] = output[1][0].clone()

                hooks += [layer.register_forward_hook(keep_hidden),
                          layer.self_attn.register_forward_hook(keep_attention)]
        states = self.encoder(input_ids=ids, position_ids=positions, attention_mask=attention_mask).last_hidden_state
        for hook in hooks:
            hook.remove()
        return states[0]

    def _masks(self, ids: torch.Tensor, pairs: torch.Tensor) -> dict[str, torch.Tensor]:
        """The reference's own masks, further restricted to the given pairs."""
        embeddings = self.encoder.embed_tokens(ids)
        common = dict(config=self.encoder.config, inputs_embeds=embeddings, attention_mask=torch.ones_like(ids))
        window = sliding_window_mask_function(self.encoder.config.sliding_window, is_causal=False)
        forbidden = torch.where(pairs, 0.0, torch.finfo(torch.float32).min)[None, None]
        masks = {}
        for kind, extra in (("full_attention", {}), ("sliding_attention", {"and_mask_function": window})):
            mask = create_bidirectional_mask(**common, **extra)
            masks[kind] = forbidden if mask is None else torch.minimum(mask, forbidden)
        return masks

    @torch.no_grad()
    def encode_batch(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state


# ---------------------------------------------------------------- checkpoints in the forms that exist


def save_checkpoint(
    model: T5Gemma2ForConditionalGeneration,
    folder: Path,
    dtype: torch.dtype = torch.float32,
    text_model_names: bool = False,
    shards: int = 1,
    keep_vision: bool = False,
) -> None:
    """As transformers writes it, or with `text_model` in the names, sharded, or with the vision tensors left in."""
    folder.mkdir(parents=True, exist_ok=True)
    model.to(dtype).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    tensors = load_file(folder / "model.safetensors")
    if not keep_vision:
        tensors = {name: t for name, t in tensors.items() if "vision_tower" not in name and "projector" not in name}
    if text_model_names:
        tensors = {
            name.replace("model.encoder.", "model.encoder.text_model.", 1)
            if "vision_tower" not in name and "projector" not in name and "text_model" not in name else name: tensor
            for name, tensor in tensors.items()
        }
    (folder / "model.safetensors").unlink()
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    weight_map = {}
    names = sorted(tensors)
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        part = {name: tensors[name] for name in names[shard::shards]}
        save_file(part, folder / file, metadata={"format": "pt"})
        weight_map |= {name: file for name in part}
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


def older_config(folder: Path) -> None:
    """Rewrites config.json with the fields that came before `rope_parameters` and `layer_types`."""
    file = folder / "config.json"
    config = json.loads(file.read_text())
    for stack in (config["encoder"]["text_config"], config["decoder"]):
        rope = stack.pop("rope_parameters")
        types = stack.pop("layer_types")
        stack["sliding_window_pattern"] = types.index("full_attention") + 1
        stack["rope_theta"] = rope["full_attention"]["rope_theta"]
        stack["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        stack["rope_scaling"] = {"rope_type": "linear", "factor": rope["full_attention"]["factor"]}
    file.write_text(json.dumps(config, indent=2) + "\n")


# ---------------------------------------------------------------- the fixtures


def token_ids(generator: np.random.Generator, count: int, vocab: int, bos: bool = True) -> list[int]:
    ids = generator.integers(3, vocab - 1, count).tolist()
    return [BOS, *ids] if bos else ids


def common_cases(shape: Shape, seed: int) -> list[Case]:
    """Several lengths, everything visible, hidden heads, an empty memory, prompts, greedy continuations."""
    g = np.random.default_rng(seed)
    ids = {n: token_ids(g, n, shape.vocab) for n in (5, 13, 22, 37, 70)}
    new = lambda n: token_ids(g, n, shape.vocab, bos=False)
    with_eoi = [*ids[22]]
    with_eoi[4] = with_eoi[11] = shape.eoi
    return [
        Case("short", ids[5], target=new(1), greedy=6),
        Case("full", ids[22], target=new(7), greedy=12, probe=True),
        Case("hidden-head", ids[37], visible=list(range(9, 38)), target=new(9), greedy=8),
        Case("scattered", ids[37], visible=[1, 5, 6, 20, 33], target=new(3)),
        Case("nothing-visible", ids[13], visible=[], target=new(4)),
        Case("prompt", ids[13], visible=list(range(3, 14)), prompt=new(8), target=new(5), greedy=5),
        Case("long", ids[70], prompt=new(11), target=new(17)),
        Case("end-of-image", with_eoi, target=[*new(2), shape.eoi, *new(2)]),
        Case("transplant", ids[22], visible=list(range(1, 23)), before=[("short", [0]), ("hidden-head", [2, 3])],
             target=new(6)),
    ]


def position_cases(shape: Shape, seed: int) -> list[Case]:
    """What experiment 07 and `bos` do: shifted, permuted and far positions; pairwise masks."""
    g = np.random.default_rng(seed)
    rows = 24
    ids = token_ids(g, rows - 1, shape.vocab)
    target = token_ids(g, 6, shape.vocab, bos=False)
    prefix = 7
    blocked = np.ones((rows, rows), dtype=bool)
    blocked[prefix:, :prefix] = False
    scattered = g.random((rows, rows)) < 0.6
    np.fill_diagonal(scattered, True)
    neutral = [*range(rows - prefix, rows), *range(rows - prefix)]
    common = dict(ids=ids, visible=list(range(prefix, rows)), target=target)
    return [
        Case("plain", **common),
        Case("shifted", positions=list(range(6, rows + 6)), **common),
        Case("swapped", positions=neutral, **common),
        Case("far", positions=list(range(8192 - rows, 8192)), probe=True, **common),
        Case("spread", positions=sorted(g.choice(8192, rows, replace=False).tolist()), **common),
        Case("blocked", pair_mask=blocked, **common),
        Case("scattered", pair_mask=scattered, probe=True, **common),
        Case("blocked-and-swapped", pair_mask=blocked, positions=neutral, **common),
    ]


def make(name: str, root: Path) -> None:
    folder = root / name
    if name == "one-kv-head":
        shape = Shape()
        model = random_model(shape, 1)
        save_checkpoint(model, folder)
        write_cases(folder, T5Gemma2Reference(model), common_cases(shape, 11),
                    "one kv head, even window, linear rope factor 8")
    elif name == "several-kv-heads":
        shape = Shape(kv_heads=2, scalar=24, encoder_layers=("s", "f", "s"), decoder_layers=("f", "s", "s", "s", "f"),
                      encoder_window=7, decoder_window=5, rope_factor=1.0)
        model = random_model(shape, 2)
        save_checkpoint(model, folder, text_model_names=True)
        write_cases(folder, T5Gemma2Reference(model), common_cases(shape, 12), "two kv heads, odd windows, text_model names")
    elif name == "positions":
        shape = Shape(hidden=16, heads=2, head_dim=256, scalar=256, encoder_layers=("s", "f", "s"),
                      decoder_layers=("s", "f"), encoder_window=9)
        save_checkpoint(random_model(shape, 3), folder, torch.bfloat16)
        model = T5Gemma2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32,
                                                                 attn_implementation="eager").eval()
        write_cases(folder, T5Gemma2Reference(model), position_cases(shape, 13),
                    "head_dim 256, positions to 8191, pairwise masks")
    elif name == "sharded-bf16":
        shape = Shape(encoder_layers=("s", "s", "f") * 2, decoder_layers=("s", "s", "f"), kv_heads=4)
        model = random_model(shape, 4)
        save_checkpoint(model, folder, torch.bfloat16, shards=3, keep_vision=True)
        older_config(folder)
        model = T5Gemma2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32,
                                                                 attn_implementation="eager").eval()
        write_cases(folder, T5Gemma2Reference(model), common_cases(shape, 14),
                    "three bfloat16 shards with vision, older config fields")
    elif name == "bfloat16-scale":
        shape = Shape(hidden=40, encoder_layers=("f",), decoder_layers=("f",))
        model = random_model(shape, 5)
        save_checkpoint(model, folder, torch.bfloat16)
        model = T5Gemma2ForConditionalGeneration.from_pretrained(folder, dtype=torch.bfloat16,
                                                                 attn_implementation="eager").eval().float()
        assert model.model.decoder.embed_tokens.embed_scale.item() == 6.3125  # sqrt(40) = 6.3246
        write_cases(folder, T5Gemma2Reference(model), common_cases(shape, 15), "embedding scale rounded to bfloat16")
    elif name == "softcap-fp16":
        shape = Shape(softcap=3.0, kv_heads=2, encoder_layers=("f", "s"), decoder_layers=("s", "s"), weight_scale=1.5)
        save_checkpoint(random_model(shape, 6), folder, torch.float16, text_model_names=True)
        model = T5Gemma2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32,
                                                                 attn_implementation="eager").eval()
        write_cases(folder, T5Gemma2Reference(model), common_cases(shape, 16), "final logit softcap, float16")
    elif name == "large-vocabulary":
        shape = Shape(hidden=8, intermediate=16, vocab=33_000, heads=2, head_dim=8, scalar=8, eoi=32_990,
                      encoder_layers=("s", "f"), decoder_layers=("s", "f"))
        save_checkpoint(random_model(shape, 7), folder, torch.bfloat16)
        model = T5Gemma2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32,
                                                                 attn_implementation="eager").eval()
        # Logits of one case alone: they are as many as words.
        cases = [replace(case, greedy=case.greedy if case.probe else 0) for case in common_cases(shape, 17)]
        write_cases(folder, T5Gemma2Reference(model), cases,
                    "33,000 words: the head goes through three chunks")
    elif name == "text":
        tokenizer = make_tokenizer(folder, vocab=512)
        shape = Shape(kv_heads=2, vocab=512, eoi=511)
        model = random_model(shape, 8)
        save_checkpoint(model, folder)
        cases, texts = make_text_cases(tokenizer, Case)
        write_cases(folder, T5Gemma2Reference(model), cases, "texts under full, published and exact; query in the decoder")
        (folder / "texts.json").write_text(json.dumps(texts, ensure_ascii=False, indent=1) + "\n")
    elif name == "full-size":
        shape = Shape(hidden=640, intermediate=2048, vocab=262_144, heads=4, kv_heads=1, head_dim=256, scalar=256,
                      encoder_layers=("s", "s", "s", "s", "s", "f") * 3, decoder_layers=("s", "s", "s", "s", "s", "f") * 3,
                      encoder_window=512, decoder_window=512, eoi=256_000)
        save_checkpoint(random_model(shape, 9), folder, torch.bfloat16)
        model = T5Gemma2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32,
                                                                 attn_implementation="eager").eval()
        g = np.random.default_rng(19)
        cases = common_cases(shape, 19)
        long = token_ids(g, 1299, shape.vocab)
        cases.append(Case("beyond-window", long, visible=list(range(20, 1300)), prompt=token_ids(g, 12, shape.vocab, False),
                          target=token_ids(g, 24, shape.vocab, False)))
        write_cases(folder, T5Gemma2Reference(model), cases, "google/t5gemma-2-270m-270m's shape, random bfloat16 weights")
    else:
        sys.exit(f"unknown fixture {name}")
    print(name, sum(file.stat().st_size for file in folder.iterdir()) // 1024, "KiB")


SMALL = ["one-kv-head", "several-kv-heads", "positions", "sharded-bf16", "bfloat16-scale", "softcap-fp16",
         "large-vocabulary", "text"]

if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(2)
    for fixture in sys.argv[2:] or SMALL:
        make(fixture, Path(sys.argv[1]))
