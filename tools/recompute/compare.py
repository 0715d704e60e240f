"""
A summary field by field beside what was recomputed. What is in one and not in the other is a difference; so is a field that nobody has said what to do with. And the proof
that this can fail: a digit of each kind of field is changed, and has to be noticed.
"""
import re
from dataclasses import dataclass, field
from functools import cache

RELATIVE = 1e-9
# Differences of NLLs that are equal leave numbers of this size. P-values have no such floor: theirs are right to the smallest.
ABSOLUTE = 1e-13

# Temperatures are fitted on curves of single tokens, which lie within 0.001 nats of direct evaluation whatever mixture is fitted: so near each other are numbers that
# come from two of them. In nats, in shares of a temperature, and in p.
NEAR = {
    **{f"{part}.{end}": ("absolute", 2e-3) for part in ("remaining", "calibration") for end in ("value", "low", "high")},
    **{f"{arm}.{end}": ("relative", 1e-2) for arm in ("baseline", "treatment") for end in ("value", "low", "high")},
    "p_equivalence": ("absolute", 2e-2),
}

# What cannot be made again from the files of a run, by kind of field; left out only where nothing recomputes it.
NOT_RECOMPUTED = {
    "passes.encoder": "inputs that are the same are encoded once, and which are the same is said by token ids, which a run does not keep",
    "passes.decoder": "samples were rejected, which had passes in the plan and have no trials",
    "passes.naive_encoder": "samples were rejected, which had passes in the plan and have no trials",
    "plan.deviations": "a plan holds digests of programs and data of its time, and deviations are said in words",
    "vocabulary": "the run is older than the field of its configuration that says it",
}


@dataclass
class Comparison:
    """Fields that were compared beside the copied configuration, the largest relative difference, what was left out, and what differs, by path."""

    fields: int = 0
    largest: float = 0.0
    left_out: dict = field(default_factory=dict)
    differing: dict = field(default_factory=dict)
    # Kinds of fields, and those of them where a changed digit went unnoticed.
    kinds: int = 0
    unnoticed: list = field(default_factory=list)


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


@cache
def kind_of(path):
    """The path without places in lists and names that a run gives itself."""
    path = re.sub(r"\[\d+\]", "", path)
    return "configuration" if path.startswith("configuration.") else re.sub(r"(?<=selections\.chosen\.).*", "*", path)


@cache
def is_p(path):
    return re.search(r"\.p\.|\.p$|corrected|p_holm|p_equivalence", path) is not None


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def relative_difference(path, theirs, ours):
    gap = abs(theirs - ours)
    return gap / max(abs(theirs), abs(ours)) if gap > (0 if is_p(path) else ABSOLUTE) else 0.0


@cache
def nearness(kind):
    """How near a number has to be that is not reckoned to its last digits; none of most."""
    if not kind.startswith("temperature.comparisons."):
        return None
    return NEAR.get(re.sub(r"^temperature\.comparisons\.(all|capped|apart)\.", "", kind))


def is_near(theirs, ours, measure, limit):
    gap = abs(theirs - ours)
    return gap <= (limit if measure == "absolute" else limit * max(abs(theirs), abs(ours)))


def compare(theirs, ours):
    """Of the leaves of a summary and of what was recomputed."""
    found = Comparison()
    for path, value in theirs.items():
        kind = kind_of(path)
        if path not in ours:
            name = next((name for name in NOT_RECOMPUTED if kind == name or kind.startswith(f"{name}.")), None)
            if name is not None:
                found.left_out[name] = NOT_RECOMPUTED[name]
            else:
                found.differing[path] = f"{value!r} in the summary; nothing recomputes it, and it is not among the fields that are left out"
            continue
        found.fields += kind != "configuration"
        own = ours[path]
        if (near := nearness(kind)) and is_number(value) and is_number(own):
            differs = not is_near(value, own, *near)
        elif is_number(value) and is_number(own):
            relative = relative_difference(path, value, own)
            found.largest = max(found.largest, relative)
            differs = relative > RELATIVE
        else:
            differs = type(value) is not type(own) or value != own
        if differs:
            found.differing[path] = f"{value!r} in the summary, {own!r} recomputed"
    for path in ours.keys() - theirs.keys():
        found.differing[path] = f"not in the summary, {ours[path]!r} recomputed"
    return found


def changed(value):
    """Another value: a number with its eighth digit changed, or its last one where it has fewer."""
    if is_number(value):
        if isinstance(value, int):
            return value + 1
        mantissa, exponent = f"{value:.7e}".split("e")
        return float(f"{mantissa[:-1]}{(int(mantissa[-1]) + 5) % 10}e{exponent}")
    return not value if isinstance(value, bool) else "another" if isinstance(value, str) else 0


def prove(found, theirs, ours):
    """Changes one field of each kind, the largest number of it, and looks whether that very field is said to differ."""
    picked = {}
    for path, value in theirs.items():
        if path in ours:
            weight = abs(value) if is_number(value) else -1
            kind = kind_of(path)
            if kind not in picked or weight > picked[kind][0]:
                picked[kind] = weight, path
    found.kinds = len(picked)
    for kind, (_, path) in picked.items():
        # What is only near is changed by so much that it is not.
        other = theirs[path] * 1.5 + 0.1 if nearness(kind) and weight >= 0 else changed(theirs[path])
        if list(compare({**theirs, path: other}, ours).differing) != [path]:
            found.unnoticed.append(kind)
