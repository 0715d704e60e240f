"""The built-in model as transformers defines T5Gemma 2: a configuration from the recipe, and saving without any vision part."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import T5Gemma2Config, T5Gemma2ForConditionalGeneration

from recipe import Architecture

PAD, EOS, BOS = 0, 1, 2


def configuration(choice: Architecture, vocabulary: int) -> T5Gemma2Config:
    def stack(layers: tuple[str, ...]) -> dict:
        return dict(
            vocab_size=vocabulary,
            hidden_size=choice.hidden,
            intermediate_size=choice.intermediate,
            num_hidden_layers=len(layers),
            num_attention_heads=choice.heads,
            num_key_value_heads=choice.key_value_heads,
            head_dim=choice.head_size,
            query_pre_attn_scalar=choice.head_size,
            sliding_window=choice.sliding_window,
            layer_types=[f"{layer}_attention" for layer in layers],
            max_position_embeddings=8192,
            rope_parameters={
                "full_attention": {"rope_type": "default", "rope_theta": 1_000_000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            },
            pad_token_id=PAD,
            eos_token_id=EOS,
            bos_token_id=BOS,
        )

    # transformers builds a vision tower in any case: the smallest one, which is never saved.
    vision = dict(
        model_type="siglip_vision_model",
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=1,
        image_size=16,
        patch_size=16,
        vision_use_head=False,
    )
    # Ids outside the vocabulary: no text can hold an image.
    encoder = dict(
        text_config=stack(choice.encoder_layers),
        vision_config=vision,
        mm_tokens_per_image=1,
        boi_token_index=vocabulary,
        eoi_token_index=vocabulary + 1,
        image_token_index=vocabulary + 2,
    )
    return T5Gemma2Config(
        encoder=encoder, decoder=stack(choice.decoder_layers), image_token_index=vocabulary + 2, eoi_token_index=vocabulary + 1
    )


def build(choice: Architecture, vocabulary: int) -> T5Gemma2ForConditionalGeneration:
    config = configuration(choice, vocabulary)
    config._attn_implementation = "sdpa"
    return T5Gemma2ForConditionalGeneration(config)


@torch.no_grad()
def bypass(layer: torch.nn.Module) -> None:
    """Makes a layer add nothing to what passes it, by the scales (1 + w) of the norms behind its two parts. It can be trained from there."""
    layer.post_self_attn_layernorm.weight.fill_(-1)
    layer.post_feedforward_layernorm.weight.fill_(-1)


def is_vision(name: str) -> bool:
    return "vision_tower" in name or "multi_modal_projector" in name


def text_parameters(model: T5Gemma2ForConditionalGeneration) -> dict[str, torch.nn.Parameter]:
    return {name: value for name, value in model.named_parameters() if not is_vision(name) and "eoi_embedding" not in name}


def save(model: T5Gemma2ForConditionalGeneration, folder: Path) -> None:
    """In bfloat16, under the names that transformers writes, without vision tensors."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = T5Gemma2ForConditionalGeneration(model.config)
    copy.load_state_dict(model.state_dict())
    copy.to(torch.bfloat16).save_pretrained(folder)
    weights = folder / "model.safetensors"
    kept = {name: value.contiguous() for name, value in load_file(weights).items() if not is_vision(name)}
    save_file(kept, weights, metadata={"format": "pt"})


def load(folder: Path) -> T5Gemma2ForConditionalGeneration:
    """The saved checkpoint in float32. The unused vision part has random weights."""
    model = T5Gemma2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return model.eval()


def embed(model, ids: torch.Tensor) -> torch.Tensor:
    """What the model's own embedding gives for ids of the vocabulary. (Its special case for images stops the compiler.)"""
    table = model.model.encoder.text_model.embed_tokens
    return torch.nn.functional.embedding(ids, table.weight, padding_idx=PAD) * table.embed_scale


def encode(model, ids: torch.Tensor) -> torch.Tensor:
    """ids [B, S], padded with PAD -> states [B, S, hidden]."""
    text_model = model.model.encoder.text_model
    return text_model(inputs_embeds=embed(model, ids), attention_mask=(ids != PAD).long()).last_hidden_state


def decode(model, ids: torch.Tensor, segments: torch.Tensor, states: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """Several decoder sequences of one encode, laid end to end: each sees itself and all of the encode's rows.

    ids and segments [B, T]: a token sees earlier ones of its segment, which starts with <bos> at position 0; segment 0 is padding.
    states [B, S, hidden], visible [B, S]: false for padding only -> hidden [B, T, hidden]
    """
    at = torch.arange(ids.shape[1], device=ids.device)
    same = segments[:, :, None] == segments[:, None, :]
    own = (same & (at[:, None] >= at[None, :]))[:, None]
    window = own & (at[:, None] - at[None, :] < model.config.decoder.sliding_window)
    starts = torch.where(segments != torch.nn.functional.pad(segments, (1, 0), value=-1)[:, :-1], at, 0).cummax(1).values
    across = visible[:, None, None, :].expand(-1, 1, ids.shape[1], -1)
    out = model.model.decoder(
        inputs_embeds=embed(model, ids),
        position_ids=at - starts,
        attention_mask={"full_attention": own, "sliding_attention": window},
        encoder_hidden_states=states,
        encoder_attention_mask={"full_attention": across},
        use_cache=False,
    )
    return out.last_hidden_state
