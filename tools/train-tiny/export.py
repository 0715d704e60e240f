"""Turns a finished run into the checkpoint folder that the product ships: weights, config, tokenizer, recipe and training log.

Usage: python export.py RUN_FOLDER TOKENIZER_FOLDER MODEL_FOLDER
"""

import json
import platform
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

import tokenizers
import torch
import transformers

import network
from recipe import Recipe
from train import from_dict


def main(run: Path, tokenizer: Path, folder: Path) -> None:
    state = torch.load(run / "state.pt", map_location="cpu", weights_only=False)
    recipe: Recipe = from_dict(state["recipe"])
    step, _, _, seconds = state["progress"]
    if step != recipe.optimization.steps:
        raise SystemExit(f"{run} stopped at step {step} of {recipe.optimization.steps}: finish it first")
    model = network.build(recipe.architecture, recipe.tokenizer.vocabulary)
    model.load_state_dict(state["model"])
    network.save(model, folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (tokenizer / name).resolve() != (folder / name).resolve():
            shutil.copy(tokenizer / name, folder / name)
    training = folder / "training"
    training.mkdir(exist_ok=True)
    shutil.copy(run / "log.jsonl", training / "log.jsonl")
    facts = {
        "seed": state["seed"],
        "parameters": sum(p.numel() for p in network.text_parameters(model).values()),
        "wall_seconds": round(seconds),
        "cpu_seconds": round(state["cpu_seconds"]),
        "machine": state["machine"],
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__, "tokenizers": tokenizers.__version__},
        "recipe": asdict(recipe),
    }
    (training / "recipe.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
