"""Packed trials, what a trials.jsonl.gz holds since runs pack them: docs/formats.md has their lines. Gives the trials as a trials.jsonl has them."""

from decimal import ROUND_HALF_UP, Context

import numpy as np

INVERSE_TEMPERATURES = 10
AT_ONE = 6

# A journal has NLLs of tokens in nine digits, a tie being rounded away from zero. Sums are taken before that.
NINE_DIGITS = Context(prec=9, rounding=ROUND_HALF_UP)


def written(nll):
    return float(NINE_DIGITS.create_decimal_from_float(nll))


HEXADECIMAL = b"0123456789abcdef"


def entries_of(head, lines):
    """The entries of the lines between head and end, in their order."""
    lines, numbers = (lines[:-1], numbers_of(lines[-1]["digits"])) if lines and "digits" in lines[-1] else (lines, [])
    taken = 0
    for line in lines:
        if "rejected" in line:
            yield line
            continue
        of = line.get("of", range(len(head["conditions"])))
        rows = {name: line.get(name, []) for name in ("token_nlls", "tempered_nlls")}
        for name, count in (("token_nlls", line.get("tokens", 0)), ("tempered_nlls", line.get("tokens", 0) * (INVERSE_TEMPERATURES - 1) * line.get("tempered", 0))):
            rows[name] += [numbers[at : at + len(of)] for at in range(taken, taken + count * len(of), len(of))]
            taken += count * len(of)
        yield from trials_of(head, line, of, rows)
    if taken != len(numbers):
        raise ValueError(f"digits of {len(numbers)} numbers, and lines of {taken}")


def numbers_of(digits):
    """Numbers from the texts of their lowest digits, of the next ones, and so on. Each is twice a size, plus 1 for a negative number."""
    if len({len(text) for text in digits}) != 1 or set("".join(digits)) - set(HEXADECIMAL.decode()):
        raise ValueError("digits that are none, or of different numbers")
    value = np.zeros(128, dtype=np.int64)
    value[list(HEXADECIMAL)] = range(16)
    stored = sum(value[np.frombuffer(text.encode(), dtype=np.uint8)] << 4 * place for place, text in enumerate(digits))
    return np.where(stored % 2 == 1, -(stored // 2), stored // 2).tolist()


def trials_of(head, line, of, rows):
    tokens, tempered = ([nlls_of(head, of, row) for row in rows[name]] for name in ("token_nlls", "tempered_nlls"))
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
