"""Makes small T5 checkpoints with random weights and what the reference computes on them.

    python make_t5_fixtures.py OUTPUT_FOLDER [NAME ...]
    python make_t5_fixtures.py OUTPUT_FOLDER full-size-t5       google/flan-t5-base's shape, about 1 GB

The files are those of make_fixtures.py: a checkpoint, `cases.json` and `expected.safetensors`. The reference is transformers'
T5ForConditionalGeneration (or MT5ForConditionalGeneration) with eager attention in float32. It takes no positions: moved positions
are a longer input whose other rows are masked, from which the wanted rows are taken. Every answer is held against the same
arithmetic written out by hand, t5_by_hand.py, before it is kept.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import MT5Config, MT5ForConditionalGeneration, PreTrainedModel, T5Config, T5ForConditionalGeneration

from codet5_text_fixture import make_codet5_text_cases, make_codet5_tokenizer
from reference_fixture import Case, Reference, ending_case, write_cases
from t5_by_hand import T5ByHand
from t5_text_fixture import make_t5_text_cases, make_t5_tokenizer

# How far the reference, float32, may be from float64: the tolerance that our engine is held to.
TOLERANCE = 1e-4


@dataclass
class Shape:
    """What a fixture's config says. heads * d_kv is never the width, so that one mistaken for the other fails."""

    mt5: bool = False
    width: int = 24
    d_ff: int = 40
    vocab: int = 96
    heads: int = 3
    d_kv: int = 4
    encoder_layers: int = 2
    decoder_layers: int = 2
    feed_forward: str = "relu"
    buckets: int = 32
    max_distance: int = 128
    scaled: bool = True
    own_head: bool = False
    # How far scores spread grows with d_kv, since nothing divides them: at d_kv 64 queries have to be smaller.
    queries: float = 1.0
    # How far the logits of an own head spread: among many tokens less, or NLLs are of 25 nats, of which float32 is that much less exact.
    head: float = 4.0
    start: int = 0
    end: int = 1
    pad: int = 0
    # In the config alone: nothing reads it.
    bos: int | None = None


def config_of(shape: Shape) -> T5Config | MT5Config:
    sizes = dict(
        vocab_size=shape.vocab, d_model=shape.width, d_kv=shape.d_kv, d_ff=shape.d_ff, num_heads=shape.heads,
        num_layers=shape.encoder_layers, num_decoder_layers=shape.decoder_layers, feed_forward_proj=shape.feed_forward,
        relative_attention_num_buckets=shape.buckets, relative_attention_max_distance=shape.max_distance,
        decoder_start_token_id=shape.start, eos_token_id=shape.end, pad_token_id=shape.pad,
        **({} if shape.bos is None else {"bos_token_id": shape.bos}),
    )
    # T5Config keeps no `tie_word_embeddings: false`; it turns it into `scale_decoder_outputs: false`.
    return MT5Config(**sizes) if shape.mt5 else T5Config(**sizes, tie_word_embeddings=shape.scaled)


def random_model(shape: Shape, seed: int) -> PreTrainedModel:
    torch.manual_seed(0)
    family = MT5ForConditionalGeneration if shape.mt5 else T5ForConditionalGeneration
    model = family._from_config(config_of(shape), attn_implementation="eager").float().eval()
    if shape.own_head:
        model.lm_head.weight = torch.nn.Parameter(torch.zeros(shape.vocab, shape.width))
    generator = np.random.default_rng(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters(), key=lambda item: item[0]):
            values = generator.standard_normal(parameter.shape, dtype=np.float32)
            if name == "lm_head.weight":
                values *= shape.head / math.sqrt(shape.width)
            elif name.endswith("relative_attention_bias.weight"):
                values *= 3.0
            elif parameter.dim() == 1:
                values = 1.0 + 0.4 * values
                # Under a scaled head the logits would else be too alike for a greedy choice.
                values *= 3.0 if name == "decoder.final_layer_norm.weight" and shape.scaled else 1.0
            elif name != "shared.weight":
                # Strong layers, so that the next token is not the last one again.
                strength = 6.0 if name.endswith(".wo.weight") else 2.0 if name.endswith(".o.weight") else 1.0
                strength *= shape.queries if name.endswith(".q.weight") else 1.0
                values *= strength / math.sqrt(parameter.shape[1])
            parameter.copy_(torch.from_numpy(values))
    return model


# ---------------------------------------------------------------- what the reference answers


class T5Reference(Reference):
    def __init__(self, model: PreTrainedModel, shape: Shape):
        super().__init__(model, start=shape.start, end=shape.end, pad=shape.pad)
        self.encoder = model.encoder

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
            for index, block in enumerate(self.encoder.block):
                def keep_hidden(_module, _inputs, output, index=index):
                    probe[f"hidden.{index}"] = output[0][0, places].clone()

                def keep_attention(_module, _inputs, output, index=index):
                    probe[f"attention.{index}"] = output[2][0][:, places][:, :, places].clone()

                hooks += [block.register_forward_hook(keep_hidden),
                          block.layer[0].SelfAttention.register_forward_hook(keep_attention)]
        states = self.encoder(input_ids=ids, attention_mask=attention_mask).last_hidden_state
        for hook in hooks:
            hook.remove()
        return states[0, places]

    @torch.no_grad()
    def encode_batch(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state


def refuse_wrong_head(reference: T5Reference, by_hand: T5ByHand, case: Case) -> None:
    """One NLL by hand, before anything is written: releases of transformers differ in whether they scale FLAN's head."""
    states = reference.encode(case)
    case = Case(case.name, case.ids, visible=list(range(len(case.ids))), prompt=case.prompt, target=case.target)
    found = reference.nlls(states, case).numpy()
    ids = [reference.start, *case.prompt, *case.target]
    memory = by_hand.encode(case.ids)
    right, other = (by_hand.nlls(memory, ids, len(case.target), scaled) for scaled in (by_hand.scaled, not by_hand.scaled))
    if np.abs(found - right).max() <= TOLERANCE:
        return
    version = f"transformers {transformers.__version__}"
    if np.abs(found - other).max() <= TOLERANCE:
        does, should = ("does not multiply", "has to") if by_hand.scaled else ("multiplies", "must not")
        sys.exit(f"{version} {does} this checkpoint's hidden rows by d_model^-0.5 before the head; it {should}. Early releases of "
                 "transformers 5, before pull request 43681, scale FLAN-T5's: install what tools/reference/requirements.txt says")
    sys.exit(f"{version} is {np.abs(found - right).max():.2g} nats from T5's arithmetic by hand: install what "
             "tools/reference/requirements.txt says, or find out which of the two is wrong")


def by_hand_difference(folder: Path, by_hand: T5ByHand, start: int) -> float:
    """The largest difference of any kept state or NLL from the arithmetic by hand."""
    expected = load_file(folder / "expected.safetensors")
    largest = 0.0
    memories: dict[str, np.ndarray] = {}
    for case in json.loads((folder / "cases.json").read_text())["cases"]:
        name = case["name"]
        pairs = np.array([[c == "1" for c in row] for row in case["pair_mask"]]) if "pair_mask" in case else None
        memories[name] = by_hand.encode(case["ids"], case.get("positions"), pairs)
        largest = max(largest, np.abs(memories[name] - expected[f"{name}.states"].numpy()).max())
        if "target" in case:
            before = [memories[other["case"]][other["rows"]] for other in case.get("before", [])]
            memory = np.concatenate([*before, memories[name][case["visible"]]])
            nlls = by_hand.nlls(memory, [start, *case["prompt"], *case["target"]], len(case["target"]))
            largest = max(largest, np.abs(nlls - expected[f"{name}.nll"].numpy()).max())
    return float(largest)


# ---------------------------------------------------------------- checkpoints in the forms that exist


def rewrite_config(folder: Path, without: list[str], **fields: object) -> None:
    file = folder / "config.json"
    config = {name: value for name, value in json.loads(file.read_text()).items() if name not in without} | fields
    file.write_text(json.dumps(dict(sorted(config.items())), indent=2) + "\n")


def flan_config(folder: Path) -> None:
    """Rewrites config.json in the form of google/flan-t5-*: what the head is follows from `tie_word_embeddings` alone."""
    rewrite_config(
        folder, ["classifier_dropout", "dense_act_fn", "dtype", "is_decoder", "is_gated_act", "scale_decoder_outputs"],
        tie_word_embeddings=False, n_positions=512, output_past=True, transformers_version="4.23.1",
    )


def codet5_config(folder: Path) -> None:
    """Rewrites config.json in the form of Salesforce/codet5-*: that of transformers 4 with a BOS that nothing reads, and alone."""
    (folder / "generation_config.json").unlink()
    rewrite_config(
        folder, ["classifier_dropout", "dense_act_fn", "dtype", "is_decoder", "is_gated_act", "scale_decoder_outputs", "tie_word_embeddings"],
        n_positions=512, output_past=True, gradient_checkpointing=False, transformers_version="4.10.0.dev0",
    )


def first_t5_checkpoint(folder: Path) -> None:
    """The form of the first T5 files: a config of few fields, every alias stored, and a bias table that nothing reads."""
    rewrite_config(
        folder, ["classifier_dropout", "dense_act_fn", "dtype", "feed_forward_proj", "is_decoder", "is_gated_act",
                 "num_decoder_layers", "relative_attention_max_distance", "scale_decoder_outputs", "tie_word_embeddings",
                 "transformers_version", "use_cache"],
        architectures=["T5WithLMHeadModel"], n_positions=512, output_past=True,
    )
    (folder / "generation_config.json").unlink()
    file = folder / "model.safetensors"
    tensors = load_file(file)
    for alias in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"):
        tensors[alias] = tensors["shared.weight"].clone()
    table = tensors["decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
    tensors["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"] = 5.0 * table.flip(0)
    save_file(tensors, file, metadata={"format": "pt"})


# ---------------------------------------------------------------- the cases


def common_cases(shape: Shape, seed: int, lengths: tuple[int, ...]) -> list[Case]:
    """Several lengths, everything visible or not the first rows, prompts, greedy continuations.

    With 32 buckets over 128, distances share the last bucket from 91 on in the encoder, from 113 on in the decoder. Inputs of 91
    rows end one short of it and those of 113 rows go beyond; the decoder of the long prompt has 135 rows.
    """
    g = np.random.default_rng(seed)

    def new(count: int) -> list[int]:
        return g.integers(6, shape.vocab, count).tolist()

    ids = {n: [*new(n - 1), shape.end] for n in (1, 16, 91, 113, 300)}
    cases = [
        Case("end-alone", ids[1], target=new(3), greedy=4),
        Case("full", ids[16], target=new(7), greedy=12, probe=True),
        Case("scattered", ids[16], visible=[1, 5, 6, 11, 15], target=new(3)),
        Case("prompt", ids[16], visible=list(range(3, 16)), prompt=new(8), target=[*new(5), shape.end], greedy=5),
        Case("hidden-head", ids[91], visible=list(range(9, 91)), target=new(9), greedy=8),
        Case("long-prompt", ids[113], prompt=new(110), target=new(25)),
        Case("far", ids[300], visible=list(range(40, 300)), prompt=new(11), target=new(17), greedy=6),
        Case("transplant", ids[16], visible=list(range(1, 16)), before=[("end-alone", [0]), ("full", [2, 3])],
             target=new(6)),
    ]
    return [case for case in cases if len(case.ids) in lengths]


def position_cases(shape: Shape, seed: int) -> list[Case]:
    """Moved positions and pairwise masks. Only differences of positions count in T5, so `shifted` says what `plain` says."""
    g = np.random.default_rng(seed)
    rows, prefix = 20, 7
    ids = [*g.integers(6, shape.vocab, rows - 1).tolist(), shape.end]
    blocked = np.ones((rows, rows), dtype=bool)
    blocked[prefix:, :prefix] = False
    scattered = g.random((rows, rows)) < 0.6
    np.fill_diagonal(scattered, True)
    swapped = [*range(rows - prefix, rows), *range(rows - prefix)]
    spread = sorted(g.choice(400, rows, replace=False).tolist())
    common = dict(ids=ids, visible=list(range(prefix, rows)), target=g.integers(6, shape.vocab, 6).tolist())
    return [
        Case("plain", **common),
        Case("gap", positions=[*range(prefix), *range(prefix + 30, rows + 30)], **common),
        Case("shifted", positions=list(range(1000, rows + 1000)), **common),
        Case("swapped", positions=swapped, **common),
        Case("spread", positions=spread, **common),
        Case("blocked", pair_mask=blocked, **common),
        Case("scattered-pairs", pair_mask=scattered, **common),
        Case("blocked-and-spread", pair_mask=blocked, positions=spread, **common),
    ]


# ---------------------------------------------------------------- the fixtures


def long_case(shape: Shape, seed: int) -> Case:
    """More rows than attend at once."""
    g = np.random.default_rng(seed)
    ids = [*g.integers(6, shape.vocab, 1099).tolist(), shape.end]
    prompt, target = g.integers(6, shape.vocab, 12).tolist(), g.integers(6, shape.vocab, 24).tolist()
    return Case("long", ids, visible=list(range(40, 1100)), prompt=prompt, target=target)


@dataclass
class Fixture:
    about: str
    # Chosen so that the greedy texts are not one token again and again, and one of them ends.
    seed: int
    shape: Shape
    lengths: tuple[int, ...] = (1, 16, 91, 113, 300)
    every_position_case: bool = False
    rewrite: Callable[[Path], None] | None = None
    # A tokenizer of so many pieces, and its cases; then these are texts.
    pieces: int = 0
    texts: tuple[Callable, Callable] = (make_t5_tokenizer, make_t5_text_cases)


FIXTURES = {
    "relu-tied": Fixture("T5 1.0: relu, tied and scaled head", 20, Shape(), every_position_case=True),
    "gated-untied": Fixture(
        "FLAN-T5: gated tanh gelu, own head, no scale, a config of transformers 4", 2,
        Shape(heads=4, d_kv=3, decoder_layers=1, feed_forward="gated-gelu", scaled=False, own_head=True), rewrite=flan_config,
    ),
    "gated-tied-unscaled": Fixture(
        "gated tanh gelu, tied head without a scale, as transformers 5 says it", 25,
        Shape(heads=4, d_kv=8, encoder_layers=1, decoder_layers=1, feed_forward="gated-gelu", scaled=False),
    ),
    "mt5": Fixture(
        "mT5: gated tanh gelu, never a scale, own head beside a config that says tied", 11,
        Shape(mt5=True, heads=2, d_kv=6, feed_forward="gated-gelu", scaled=False, own_head=True),
    ),
    "unequal": Fixture(
        "three encoder layers, one decoder layer, 8 buckets over 20, UL2's gated silu, start 5, end 2, pad 3", 21,
        Shape(heads=2, d_kv=5, encoder_layers=3, decoder_layers=1, feed_forward="gated-silu", buckets=8, max_distance=20,
              start=5, end=2, pad=3), every_position_case=True,
    ),
    "aliases": Fixture(
        "the first T5 files: a short config, every alias stored, a stray bias table", 6,
        Shape(heads=3, d_kv=6, encoder_layers=1, decoder_layers=1), lengths=(1, 16, 113), rewrite=first_t5_checkpoint,
    ),
    "text": Fixture(
        "texts by T5's tokenizer under full, published and exact; query in the decoder", 31,
        # More words than the tokenizer has, as T5's tables have.
        Shape(heads=2, d_kv=6, vocab=136, encoder_layers=1, decoder_layers=1, feed_forward="gated-gelu", scaled=False, own_head=True),
        rewrite=flan_config, pieces=120,
    ),
    "codet5": Fixture(
        "CodeT5: `<s>` 1 and `</s>` 2 around byte-level tokens, start 0; relu, tied and scaled head; code as text", 57,
        Shape(heads=3, d_kv=6, vocab=336, encoder_layers=1, decoder_layers=1, end=2, bos=1),
        rewrite=codet5_config, pieces=320, texts=(make_codet5_tokenizer, make_codet5_text_cases),
    ),
}

# Too large for the repository.
FULL_SIZE = {
    "full-size-t5": Fixture(
        "google/flan-t5-base's shape, random weights", 3,
        Shape(width=768, d_ff=2048, vocab=32128, heads=12, d_kv=64, encoder_layers=12, decoder_layers=12,
              feed_forward="gated-gelu", scaled=False, own_head=True, queries=0.25, head=1.0), rewrite=flan_config,
    ),
}


def make(name: str, root: Path) -> None:
    fixture = (FIXTURES | FULL_SIZE)[name]
    shape, seed = fixture.shape, fixture.seed
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    random_model(shape, seed).save_pretrained(folder)
    if fixture.rewrite:
        fixture.rewrite(folder)
    family = MT5ForConditionalGeneration if shape.mt5 else T5ForConditionalGeneration
    # What is on disk answers, so that a form which transformers reads otherwise than it was meant cannot pass.
    model = family.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    reference = T5Reference(model, shape)
    by_hand = T5ByHand(folder)
    if fixture.pieces:
        make_tokenizer, make_cases = fixture.texts
        tokenizer = make_tokenizer(folder, fixture.pieces)
        assert fixture.pieces < len(tokenizer) < shape.vocab
        assert tokenizer.eos_token_id == shape.end
        cases, texts = make_cases(tokenizer, Case)
        (folder / "texts.json").write_text(json.dumps(texts, ensure_ascii=False, indent=1) + "\n")
        refuse_wrong_head(reference, by_hand, cases[0])
        if any(case.greedy for case in cases):
            cases.append(ending_case(reference, shape.vocab, seed + 30))
    else:
        moved = position_cases(shape, seed + 20)
        cases = [*common_cases(shape, seed + 10, fixture.lengths), *(moved if fixture.every_position_case else moved[:2])]
        refuse_wrong_head(reference, by_hand, cases[1])
        # Among tens of thousands of tokens no random text reaches the end.
        cases.append(long_case(shape, seed + 30) if name in FULL_SIZE else ending_case(reference, shape.vocab, seed + 30))
    versions = {"transformers": transformers.__version__, "torch": torch.__version__, "numpy": np.__version__}
    write_cases(folder, reference, cases, fixture.about, versions=versions)
    difference = by_hand_difference(folder, by_hand, shape.start)
    if difference > TOLERANCE:
        sys.exit(f"{name}: transformers {transformers.__version__} is {difference:.2g} from T5's arithmetic by hand")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{name}: {size / 1000:.0f} kB, {difference:.1e} from the arithmetic by hand")


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(2)
    for fixture in sys.argv[2:] or FIXTURES:
        make(fixture, Path(sys.argv[1]))
