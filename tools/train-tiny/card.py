"""Writes the tables of the model card from the files that the run and the gate wrote.

Everything between `<!-- name -->` and `<!-- end -->` in the card is replaced; the prose around it is written by hand.

Usage: python card.py MODEL_FOLDER
"""

import json
import re
import sys
from pathlib import Path


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
    tasks = ["query_in_encoder", "query_in_decoder", "unprompted", "ask", "corrupted"]
    rows = [
        [
            step,
            *(f"{checks[step]['validation'][task]['nll']:.2f}" for task in tasks),
            *(percent(checks[step]["validation"][task]["exact"]) for task in tasks[:2]),
        ]
        for step in shown
    ]
    head = ["step", "query in encoder", "query in decoder", "no query", "ask", "corrupted", "right (encoder)", "right (decoder)"]
    return table(head, rows)


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


def parts(folder: Path) -> dict[str, str]:
    facts = json.loads((folder / "recipe.json").read_text())
    gate = json.loads((folder / "gate.json").read_text())
    places = ["query in the encoder", "query in the decoder"]
    run = [
        ["parameters", f"{facts['parameters']:,}"],
        ["seed", facts["seed"]],
        ["wall time", f"{facts['wall_seconds'] / 60:.0f} minutes"],
        ["processor time, all threads", f"{facts['cpu_seconds'] / 60:.0f} minutes"],
        ["machine", facts["machine"]],
        ["versions", ", ".join(f"{name} {version}" for name, version in facts["versions"].items())],
    ]
    total = [[place, gate[place]["questions"], gate[place]["right"], percent(gate[place]["accuracy"])] for place in places]
    kinds = [[kind, row["questions"], *(percent(row[place]) for place in places)] for kind, row in gate["kinds"].items()]
    nats = [[name, f"{value:.3f}"] for name, value in gate["nats per answer token"].items()]
    return {
        "run": table(["", ""], run),
        "recipe": table(["choice", "value"], flat(facts["recipe"])),
        "curves": curves(folder),
        "gate": table(["", "questions", "right", "accuracy"], total),
        "nats": table(["decoder sees all; encoder and decoder are given", "nats per answer token"], nats),
        "kinds": table(["kind of question", "questions", *places], kinds),
    }


def main(folder: Path) -> None:
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8")
    for name, content in parts(folder / "training").items():
        pattern = rf"(<!-- {name} -->\n)(?:(?!<!-- end -->).)*(<!-- end -->)"
        text, count = re.subn(pattern, lambda match: f"{match[1]}{content}\n{match[2]}", text, flags=re.S)
        if count != 1:
            raise SystemExit(f"{card} has {count} places called {name}, not one")
    card.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
