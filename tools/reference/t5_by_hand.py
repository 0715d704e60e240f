"""T5's arithmetic written out by hand in float64, from nothing but a checkpoint's files.

It knows nothing of transformers, so that what transformers computes can be held against it: a release that scales the head of
FLAN-T5, say, is found out before its numbers become a fixture.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0.0),
    "silu": lambda x: x / (1.0 + np.exp(-x)),
    "gelu_new": lambda x: 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))),
}


def buckets(distance: np.ndarray, both_sides: bool, count: int, farthest: int) -> np.ndarray:
    """The row of the bias table for each distance, key position minus query position."""
    first = np.zeros_like(distance)
    if both_sides:
        count //= 2
        first = np.where(distance > 0, count, 0)
        distance = np.abs(distance)
    else:
        distance = np.maximum(-distance, 0)
    exact = count // 2
    far = np.log(np.maximum(distance, 1) / exact) / math.log(farthest / exact) * (count - exact)
    return first + np.where(distance < exact, distance, np.minimum(count - 1, exact + np.floor(far).astype(int)))


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


class T5ByHand:
    def __init__(self, folder: Path):
        self.config = config = json.loads((folder / "config.json").read_text())
        self.tensors = {name: t.astype(np.float64) for name, t in load_file(folder / "model.safetensors").items()}
        self.embedding = self.tensors["shared.weight"]
        self.head = self.tensors.get("lm_head.weight", self.embedding)
        projection = config.get("feed_forward_proj", "relu")
        self.gated = config.get("is_gated_act", projection.startswith("gated-"))
        self.activation = ACTIVATIONS[
            config.get("dense_act_fn", "gelu_new" if projection == "gated-gelu" else projection.removeprefix("gated-"))
        ]
        # mT5 never scales. A T5 says so itself since transformers 5; before, an untied head was the sign of an unscaled one.
        self.scaled = config["model_type"] == "t5" and config.get(
            "scale_decoder_outputs", config.get("tie_word_embeddings") is not False
        )

    def encode(self, ids: list[int], positions: list[int] | None = None, pairs: np.ndarray | None = None) -> np.ndarray:
        """States [rows, d_model]; `pairs[query, key]` says who may attend to whom."""
        places = np.arange(len(ids)) if positions is None else np.array(positions)
        allowed = np.ones((len(ids), len(ids)), dtype=bool) if pairs is None else pairs
        bias = np.where(allowed, self._bias("encoder", places), -np.inf)
        x = self.embedding[ids]
        for layer in range(self.config["num_layers"]):
            block = f"encoder.block.{layer}.layer"
            normed = self._norm(f"{block}.0", x)
            x = x + self._attention(f"{block}.0.SelfAttention", normed, normed, bias)
            x = x + self._feed_forward(f"{block}.1", x)
        return self._norm("encoder.final", x)

    def decode(self, states: np.ndarray, ids: list[int], scaled: bool | None = None) -> np.ndarray:
        """Logits [len(ids), vocabulary] of a decoder that sees all of the states."""
        places = np.arange(len(ids))
        bias = np.where(places[None] <= places[:, None], self._bias("decoder", places), -np.inf)
        x = self.embedding[ids]
        layers = self.config.get("num_decoder_layers")
        for layer in range(self.config["num_layers"] if layers is None else layers):
            block = f"decoder.block.{layer}.layer"
            normed = self._norm(f"{block}.0", x)
            x = x + self._attention(f"{block}.0.SelfAttention", normed, normed, bias)
            x = x + self._attention(f"{block}.1.EncDecAttention", self._norm(f"{block}.1", x), states, 0.0)
            x = x + self._feed_forward(f"{block}.2", x)
        x = self._norm("decoder.final", x)
        if self.scaled if scaled is None else scaled:
            x = x * self.config["d_model"] ** -0.5
        return x @ self.head.T

    def nlls(self, states: np.ndarray, ids: list[int], targets: int, scaled: bool | None = None) -> np.ndarray:
        """NLL in nats of the last `targets` tokens of `ids`, which begin with the start token."""
        logits = self.decode(states, ids[:-1], scaled)[-targets:]
        return -np.log(softmax(logits))[np.arange(targets), ids[-targets:]]

    def _bias(self, side: str, places: np.ndarray) -> np.ndarray:
        """[heads, queries, keys], from the first layer's table."""
        table = self.tensors[f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        distance = places[None] - places[:, None]
        farthest = self.config.get("relative_attention_max_distance", 128)
        return table[buckets(distance, side == "encoder", len(table), farthest)].transpose(2, 0, 1)

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        weight = self.tensors[f"{name}{'_' if name.endswith('final') else '.'}layer_norm.weight"]
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.config["layer_norm_epsilon"]) * weight

    def _attention(self, name: str, queries: np.ndarray, keys: np.ndarray, bias: np.ndarray | float) -> np.ndarray:
        def heads(kind: str, x: np.ndarray) -> np.ndarray:
            projected = x @ self.tensors[f"{name}.{kind}.weight"].T
            return projected.reshape(len(x), self.config["num_heads"], self.config["d_kv"]).transpose(1, 0, 2)

        # No division by sqrt(d_kv): T5's scale is 1.
        weights = softmax(heads("q", queries) @ heads("k", keys).transpose(0, 2, 1) + bias)
        mixed = (weights @ heads("v", keys)).transpose(1, 0, 2).reshape(len(queries), -1)
        return mixed @ self.tensors[f"{name}.o.weight"].T

    def _feed_forward(self, name: str, x: np.ndarray) -> np.ndarray:
        def project(kind: str, values: np.ndarray) -> np.ndarray:
            return values @ self.tensors[f"{name}.DenseReluDense.{kind}.weight"].T

        normed = self._norm(name, x)
        if self.gated:
            return project("wo", self.activation(project("wi_0", normed)) * project("wi_1", normed))
        return project("wo", self.activation(project("wi", normed)))
