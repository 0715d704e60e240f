"""Packed trials, what a trials.jsonl.gz holds since runs pack them: docs/formats.md has their lines. Gives the trials as a trials.jsonl has them."""

from decimal import ROUND_HALF_UP, Context

import numpy as np

INVERSE_TEMPERATURES = 10
AT_ONE = 6

# A journal has NLLs of tokens in nine digits, a tie being rounded away from zero. Sums are taken before that.
NINE_DIGITS = Context(prec=9, rounding=ROUND_HALF_UP)


def written(nll):
    return float(NINE_DIGITS.create_decimal_from_float(nll))


def entries_of(head, lines):
    """The entries of the lines between head and end, in their order."""
    for line in lines:
        if "rejected" in line:
            yield line
        else:
            yield from trials_of(head, line)


def trials_of(head, line):
    of = line.get("of", range(len(head["conditions"])))
    tokens = [nlls_of(head, of, row) for row in line.get("token_nlls", [])]
    tempered = [nlls_of(head, of, row) for row in line.get("tempered_nlls", [])]
    for column, number in enumerate(of):
        trial = {"sample": line["sample"], "condition": head["conditions"][number]}
        if tokens:
            nlls = [row[column] for row in tokens]
            total = 0.0
            for nll in nlls:
                total += nll
            trial |= {"nll": total / len(nlls), "nll_sum": total, "num_tokens": len(nlls), "token_nlls": [written(nll) for nll in nlls]}
        if tempered:
            own, others = [row[column] for row in tempered], INVERSE_TEMPERATURES - 1
            rows = [own[at : at + others] for at in range(0, len(own), others)]
            trial["tempered_nlls"] = [[written(one) for one in row[:AT_ONE] + [nll] + row[AT_ONE:]] for row, nll in zip(rows, nlls, strict=True)]
        for name, field in line["fields"].items():
            place = field["at"][column] if "at" in field else 0
            if place is not None:
                trial[name] = field["values"][place]
        yield trial


def nlls_of(head, of, row):
    """NLLs of one token by column, each told as the difference to a column further to the left."""
    if len(row) != len(of):
        raise ValueError(f"{len(row)} NLLs in a row of {len(of)} conditions")
    if head["fraction_bits"] is None:
        return np.float32(row).astype(float).tolist()
    multiples, columns = [], {}
    for column, (number, difference) in enumerate(zip(of, row, strict=True)):
        before = columns.get(head["after"][number])
        multiples.append(difference + (0 if before is None else multiples[before]))
        columns[number] = column
    return [multiple / 2 ** head["fraction_bits"] for multiple in multiples]
