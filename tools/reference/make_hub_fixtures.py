"""What huggingface_hub makes of environments: endpoint, cache folder, token, offline mode.

    python make_hub_fixtures.py OUTPUT_FILE

Each environment runs in a process of its own, in a home folder with two token files. The folder is written as HERE.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"HF_TOKEN": "one"},
    {"HF_TOKEN": " one\r\n"},
    {"HF_TOKEN": "one", "HUGGING_FACE_HUB_TOKEN": "two"},
    {"HUGGING_FACE_HUB_TOKEN": "two"},
    {"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "two"},
    {"HF_TOKEN": " ", "HUGGING_FACE_HUB_TOKEN": "two"},
    {"HF_TOKEN": "one", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"},
    {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "yes"},
    {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "0"},
    {"HF_TOKEN_PATH": "HERE/other/token"},
    {"HF_TOKEN_PATH": "~/other/token"},
    {"HF_TOKEN_PATH": "$PLACE/token", "PLACE": "HERE/other"},
    {"HF_TOKEN_PATH": "HERE/missing"},
    {"HF_TOKEN_PATH": "HERE/missing", "HF_TOKEN": "one"},
    {"HF_HOME": "HERE/other"},
    {"HF_HOME": "~/other"},
    {"HF_HOME": "$PLACE", "PLACE": "HERE/other"},
    {"HF_HOME": "${PLACE}/deep", "PLACE": "HERE/other"},
    {"HF_HOME": "$HOME/other"},
    {"HF_HOME": "HERE/$UNKNOWN"},
    {"HF_HOME": "HERE/${UNKNOWN}"},
    {"HF_HOME": "HERE/$PLACE", "PLACE": "~/x"},
    {"HF_HOME": "HERE/$PLACE", "PLACE": "$HOME"},
    {"HF_HOME": "HERE/a$"},
    {"HF_HOME": "~nobody-of-this-name/x"},
    {"HF_HOME": "~root/x"},
    {"HF_HOME": "HERE/~"},
    {"HF_HOME": ""},
    {"HF_HOME": "relative/x"},
    {"XDG_CACHE_HOME": "HERE/xdg"},
    {"XDG_CACHE_HOME": "~/xdg"},
    {"XDG_CACHE_HOME": "$PLACE", "PLACE": "HERE/xdg"},
    {"XDG_CACHE_HOME": "HERE/xdg", "HF_HOME": "HERE/other"},
    {"XDG_CACHE_HOME": ""},
    {"HF_HUB_CACHE": "HERE/cache"},
    {"HF_HUB_CACHE": "~/cache"},
    {"HF_HUB_CACHE": "~"},
    {"HF_HUB_CACHE": "${PLACE}", "PLACE": "HERE/cache"},
    {"HF_HUB_CACHE": "HERE/cache", "HUGGINGFACE_HUB_CACHE": "HERE/old"},
    {"HUGGINGFACE_HUB_CACHE": "HERE/old"},
    {"HUGGINGFACE_HUB_CACHE": "~/old", "HF_HOME": "HERE/other"},
    {"HUGGINGFACE_HUB_CACHE": "$PLACE/old", "PLACE": "HERE"},
    {"HF_HUB_CACHE": "", "HUGGINGFACE_HUB_CACHE": "HERE/old"},
    {"HF_HUB_CACHE": "HERE/a/../b"},
    {"HOME": "HERE/other"},
    {"HOME": "HERE/other/"},
    {"HF_ENDPOINT": "http://127.0.0.1:9"},
    {"HF_ENDPOINT": "http://127.0.0.1:9/hub//"},
    {"HF_HUB_OFFLINE": "1"},
    {"HF_HUB_OFFLINE": "true"},
    {"HF_HUB_OFFLINE": "On"},
    {"HF_HUB_OFFLINE": "YES"},
    {"HF_HUB_OFFLINE": "y"},
    {"HF_HUB_OFFLINE": " 1"},
    {"TRANSFORMERS_OFFLINE": "1"},
    {"TRANSFORMERS_OFFLINE": "1", "HF_HUB_OFFLINE": "0"},
    {"TRANSFORMERS_OFFLINE": "1", "HF_HUB_OFFLINE": ""},
    {"TRANSFORMERS_OFFLINE": "0", "HF_HUB_OFFLINE": "1"},
]

READ = """
import json, os
from huggingface_hub import constants
from huggingface_hub.utils._headers import get_token_to_send
print(json.dumps({
    "endpoint": constants.ENDPOINT,
    "cache": os.path.abspath(constants.HF_HUB_CACHE),
    "token": get_token_to_send(None),
    "offline": constants.HF_HUB_OFFLINE,
}))
"""


def read(environment: dict[str, str]) -> dict:
    with tempfile.TemporaryDirectory() as here:
        for folder, token in ((".cache/huggingface", "file-token"), ("other", "other-token")):
            (Path(here) / folder).mkdir(parents=True)
            (Path(here) / folder / "token").write_text(f"{token}\n")
        given = {name: value.replace("HERE", here) for name, value in ({"HOME": "HERE"} | environment).items()}
        done = subprocess.run(
            [sys.executable, "-c", READ], env={"PATH": os.environ["PATH"]} | given, cwd=here, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout.replace(os.path.realpath(here), "HERE").replace(here, "HERE"))


def main(output: Path) -> None:
    cases = [[environment, read(environment)] for environment in ENVIRONMENTS]
    output.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
