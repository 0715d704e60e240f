"""Writes the tables of the model card from the files that the runs, the gate and `dkv sanity --json` wrote.

Everything between `<!-- name -->` and `<!-- end -->` in the card is replaced; the prose around it is written by hand. Checkpoints of other
runs (other seeds, other arms) stand beside the shipped one in the tables; their small files are kept in its `training/` folder.

Usage: python card.py MODEL_FOLDER [OTHER_CHECKPOINT ...]
"""

import json
import re
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from recipe import Recipe

PLACES = ["query in the encoder", "query in the decoder"]
KEPT = ("recipe.json", "gate.json", "sanity.json")


@dataclass(frozen=True)
class Run:
    name: str
    facts: dict
    gate: dict
    #: Check by check, as `dkv sanity --json` gives them.
    sanity: list[dict]


def read_runs(folder: Path) -> list[Run]:
    """The shipped run first, the others by the names of their folders."""
    training = folder / "training"
    shipped = json.loads((training / "recipe.json").read_text())
    runs = []
    for place in [training, *sorted(path for path in training.iterdir() if path.is_dir())]:
        facts, gate, sanity = (json.loads((place / name).read_text()) for name in KEPT)
        changes = choices(facts["recipe"]).items() - choices(shipped["recipe"]).items()
        about = "shipped" if place == training else ", ".join(f"{name} = {value}" for name, value in sorted(changes))
        runs.append(Run(f"seed {facts['seed']}" + (f", {about}" if about else ""), facts, gate, sanity["checks"]))
    return runs


def keep(folder: Path, checkpoint: Path) -> None:
    place = folder / "training" / checkpoint.name
    place.mkdir(exist_ok=True)
    for name in KEPT:
        shutil.copy(checkpoint / "training" / name, place / name)


def table(head: list[str], rows: list[list[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def curves(folder: Path) -> str:
    records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    checks = {r["step"]: r for r in records if "validation" in r}
    steps = sorted(checks)
    shown = [s for s in steps if s in steps[:6] or s == steps[-1] or s % 500 == 0]
    tasks = ["query_in_encoder", "query_in_decoder", "unprompted", "ask"]
    rows = [
        [
            step,
            *(f"{checks[step]['validation'][task]['nll']:.2f}" for task in tasks),
            *(percent(checks[step]["validation"][task]["exact"]) for task in tasks[:2]),
        ]
        for step in shown
    ]
    head = ["step", "query in encoder", "query in decoder", "no query", "ask", "right (encoder)", "right (decoder)"]
    return table(head, rows)


def choices(recipe: dict) -> dict[str, object]:
    """By their paths. What an older recipe does not name was as it is by default."""
    return {path: value for values in (asdict(Recipe()), recipe) for path, value in flat(values)}


def flat(values: dict, before: str = "") -> list[list[object]]:
    rows = []
    for name, value in values.items():
        path = f"{before}{name}"
        if isinstance(value, dict):
            rows += flat(value, f"{path}.")
        else:
            shown = json.dumps(value, ensure_ascii=False) if isinstance(value, (list, str)) else value
            rows.append([f"`{path}`", f"`{shown}`"])
    return rows


def sanity_table(runs: list[Run]) -> str:
    rows = []
    for at, check in enumerate(runs[0].sanity):
        found = [run.sanity[at] for run in runs]
        rows.append([check["name"], check["question"], *(f"{entry['state']}: {entry['result']}" for entry in found)])
    return table(["check", "question", *(run.name for run in runs)], rows)


def parts(folder: Path) -> dict[str, str]:
    runs = read_runs(folder)
    facts, gate = runs[0].facts, runs[0].gate
    about = {
        "parameters": lambda run: f"{run.facts['parameters']:,}",
        "wall time": lambda run: f"{run.facts['wall_seconds'] / 60:.0f} minutes",
        "processor time, all threads": lambda run: f"{run.facts['cpu_seconds'] / 60:.0f} minutes",
        "machine": lambda run: run.facts["machine"],
        "versions": lambda run: ", ".join(f"{name} {version}" for name, version in run.facts["versions"].items()),
    }
    total = [[place, gate[place]["questions"], *(percent(run.gate[place]["accuracy"]) for run in runs)] for place in PLACES]
    kinds = [[kind, row["questions"], *(percent(row[place]) for place in PLACES)] for kind, row in gate["kinds"].items()]
    nats = [[name, *(f"{run.gate['nats per answer token'][name]:.3f}" for run in runs)] for name in gate["nats per answer token"]]
    names = [run.name for run in runs]
    return {
        "run": table(["", *names], [[name, *map(value, runs)] for name, value in about.items()]),
        "recipe": table(["choice", "value"], flat(facts["recipe"])),
        "curves": curves(folder / "training"),
        "gate": table(["", "questions", *names], total),
        "nats": table(["decoder sees all; encoder and decoder are given", *names], nats),
        "kinds": table(["kind of question", "questions", *PLACES], kinds),
        "sanity": sanity_table(runs),
    }


def main(folder: Path, *others: Path) -> None:
    for other in others:
        keep(folder, other)
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8")
    for name, content in parts(folder).items():
        pattern = rf"(<!-- {name} -->\n)(?:(?!<!-- end -->).)*(<!-- end -->)"
        text, count = re.subn(pattern, lambda match: f"{match[1]}{content}\n{match[2]}", text, flags=re.S)
        if count != 1:
            raise SystemExit(f"{card} has {count} places called {name}, not one")
    card.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
