"""A summary field by field beside what was recomputed. What is in one and not in the other is a difference; so is a field that nobody has said what to do with."""
import math
import re
from dataclasses import dataclass, field

RELATIVE = 1e-9
# Numbers of ten steps and of a few rounding errors: differences of NLLs that are equal are of this size.
ABSOLUTE = 1e-13
# The far tails of Student's t and of the normal distribution, where libraries have fewer digits in common.
RELATIVE_OF_P = 1e-7

# What cannot be made again from the files of a run, by the field's path without its places in lists.
NOT_RECOMPUTED = {
    "passes.encoder": "inputs that are the same are encoded once, and which are the same is said by token ids, which a run does not keep",
    "passes.decoder": "passes of the plan: of samples that were rejected, too, for which a run keeps no trials",
    "passes.naive_encoder": "passes of the plan: of samples that were rejected, too, for which a run keeps no trials",
}


@dataclass
class Comparison:
    """Fields that were compared, the largest relative difference among numbers, what was left out by name, and what differs."""

    fields: int = 0
    largest: float = 0.0
    left_out: dict = field(default_factory=dict)
    differing: list = field(default_factory=list)


def leaves(value, path=""):
    """Paths and values. An empty list or object is a value."""
    if isinstance(value, dict) and value:
        for name, own in value.items():
            yield from leaves(own, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for at, own in enumerate(value):
            yield from leaves(own, f"{path}[{at}]")
    else:
        yield path, value


def kind_of(path):
    """The path without its places in lists."""
    return re.sub(r"\[\d+\]", "", path)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_p(path):
    return re.search(r"\.p\.|\.p$|corrected|p_holm|p_equivalence", path) is not None


def compare(summary, recomputed):
    found = Comparison()
    theirs, ours = dict(leaves(summary)), dict(leaves(recomputed))
    for path, value in theirs.items():
        if kind_of(path) in NOT_RECOMPUTED:
            found.left_out[kind_of(path)] = NOT_RECOMPUTED[kind_of(path)]
            continue
        found.fields += 1
        if path not in ours:
            found.differing.append(f"{path}: {value!r} in the summary; nothing recomputes it, and it is not among the fields that are left out")
            continue
        own = ours[path]
        if is_number(value) and is_number(own):
            gap = abs(value - own)
            relative = gap / max(abs(value), abs(own)) if gap > 0 else 0.0
            bound = RELATIVE_OF_P if is_p(path) else RELATIVE
            if relative > bound and (is_p(path) or gap > ABSOLUTE) or math.isnan(gap):
                found.differing.append(f"{path}: {value!r} in the summary, {own!r} recomputed")
            elif gap > ABSOLUTE:
                found.largest = max(found.largest, relative)
        elif type(value) is not type(own) or value != own:
            found.differing.append(f"{path}: {value!r} in the summary, {own!r} recomputed")
    found.differing += [f"{path}: not in the summary, {ours[path]!r} recomputed" for path in ours if path not in theirs]
    return found
