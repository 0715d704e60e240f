"""A run folder as docs/formats.md has it: run.json, samples.jsonl, trials.jsonl and summary.json (or these three compressed, with .gz, and trials packed). What is damaged or does not add up is refused."""
import gzip
import json
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from packed import entries_of

SEAL = re.compile(rb',(?:\n  )?"crc32": ?"([0-9a-f]{8})"\n?\}\n?$')


class Damaged(Exception):
    """What was found in a file, and where."""


def unsealed(data, where, before=0):
    seal = SEAL.search(data, max(0, len(data) - 32))
    if seal and f"{zlib.crc32(data[: seal.start()], before):08x}" != seal[1].decode():
        raise Damaged(f"{where}: the checksum is of other bytes than these")
    value = json.loads(data)
    value.pop("crc32", None)
    return value


def unpacked(path):
    data = path.read_bytes()
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise Damaged(f"{path}: not what gzip wrote ({error})") from error
    return data


def whole_lines(path):
    data = unpacked(path)
    if not data.endswith(b"\n"):
        raise Damaged(f"{path}: empty, or its last line is torn")
    return data.split(b"\n")[:-1]


def lines(path):
    return [unsealed(line, f"{path}, line {at}") for at, line in enumerate(whole_lines(path), 1)]


def sample_lines(path, record):
    """Records of newer runs say which file of samples is their own."""
    samples = lines(path)
    own, check = record.get("samples_crc32"), f"{zlib.crc32(unpacked(path)):08x}"
    if own not in (None, check):
        raise Damaged(f"{path}: its CRC-32 is {check}, that of the run's own samples {own}")
    return samples


def journal_lines(path, record):
    """The first line says which run the others are of, and their checksums go on from its own; journals of older runs have none."""
    first, *others = whole_lines(path)
    if first.startswith(b'{"packed":'):
        return packed_lines(path, first, others, record)
    head = unsealed(first, f"{path}, line 1").get("run") if b'{"run":' in first[:8] else None
    expect_own(path, head, record)
    if head is None:
        return lines(path)
    before = int(json.loads(first)["crc32"], 16)
    return [unsealed(line, f"{path}, line {at}", before) for at, line in enumerate(others, 2)]


def packed_lines(path, first, others, record):
    """Packed trials end with a checksum of all lines before."""
    head, body = json.loads(first), others[:-1]
    before = zlib.crc32(b"".join(line + b"\n" for line in [first, *body]))
    end = unsealed(others[-1], f"{path}, last line", before) if others else {}
    expect_own(path, head.get("journal", {}).get("run"), record)
    try:
        entries = list(entries_of(head, [json.loads(line) for line in body]))
    except (KeyError, IndexError, ValueError) as error:
        raise Damaged(f"{path}: not as trials are packed ({error!r})") from error
    if end.get("entries") != len(entries):
        raise Damaged(f"{path}: {len(entries)} entries, and its end says {end.get('entries')}")
    return entries


def expect_own(path, head, record):
    """Which run the trials are of, as their first line says; None where it does not."""
    if head is None:
        if record.get("bound"):
            raise Damaged(f"{path}: its first line does not say which run it is of")
        return
    configuration = record["configuration"]
    dataset, model = configuration["dataset"], configuration["model"]
    own = {
        "experiment": configuration["experiment"]["id"],
        "samples": configuration["samples"],
        "seed": configuration["seed"],
        "dataset": dataset["name"],
        "dataset_digest": dataset["digest"],
        "model": model["name"],
        "fingerprint": model["fingerprint"],
        "started_at": record["started_at"],
        **({"samples_crc32": record["samples_crc32"]} if "samples_crc32" in record else {}),
    }
    if head != own:
        raise Damaged(f"{path}: the trials of another run, {head}, and not of {own}")


def found(directory, name):
    """The file of that name, compressed or not: a run has one of them."""
    paths = [path for path in (directory / name, directory / f"{name}.gz") if path.exists()]
    if len(paths) != 1:
        raise Damaged(f"{directory}: {'both' if paths else 'neither'} {name} {'and' if paths else 'nor'} {name}.gz {'are' if paths else 'is'} there")
    return paths[0]


@dataclass
class Run:
    configuration: dict
    samples: list
    # By condition and sample; the last one counts.
    trials: dict
    probes: list
    rejections: list
    summary: dict
    # The plan that it was run under, as run.json has it.
    plan: dict | None = None


def trial_adds_up(trial):
    """Tokens are float32 numbers in nine digits, whose sum was taken before they were written."""
    tokens, total, n = trial["token_nlls"], trial["nll_sum"], trial["num_tokens"]
    return len(tokens) == n and math.isclose(sum(tokens), total, rel_tol=1e-8, abs_tol=1e-9) and math.isclose(total / n, trial["nll"], rel_tol=1e-12)


def read_run(directory):
    directory = Path(directory)
    journal = found(directory, "trials.jsonl")
    record = unsealed((directory / "run.json").read_bytes(), directory / "run.json")
    told = found(directory, "summary.json")
    summary = unsealed(unpacked(told), told)
    if "dependence" not in summary.get("samples", {}):
        raise Damaged(f"{directory}: an older version made its summary; dkv report makes it again from the trials")
    run = Run(record["configuration"], sample_lines(found(directory, "samples.jsonl"), record), {}, [], [], summary, record.get("plan"))
    if summary["samples"]["dependence"]["by"] == "question kind" and not all("kind" in sample for sample in run.samples):
        raise Damaged(f"{directory}: its clusters are kinds of questions, which samples.jsonl of this older run does not say")
    for entry in journal_lines(journal, record):
        if "rejected" in entry:
            run.rejections.append(entry)
        elif "layers" in entry:
            run.probes.append(entry)
        else:
            if not trial_adds_up(entry):
                raise Damaged(f"{journal}, {entry['sample']} under {entry['condition']}: nll, nll_sum, num_tokens and token_nlls do not go together")
            run.trials.setdefault(entry["condition"], {})[entry["sample"]] = entry
    return run
