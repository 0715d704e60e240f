"""Character maps in the form of sentencepiece (`precompiled_charsmap`), made by hand: from single characters to a replacement.

They find out where Python's `tokenizers` begins and ends grapheme clusters. Its normalizer `Precompiled` looks a cluster of fewer than six
bytes up as one, and takes the first entry that the cluster begins with for all of it: what stands behind a replaced character vanishes
when it belongs to the cluster, and stays when it does not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from tokenizers import normalizers

REPLACEMENT = "!"
BLOCK = 256


def mapping(characters: Iterable[str]) -> normalizers.Precompiled:
    """Each of these characters becomes the replacement. A double array with a block of its own for every inner node."""
    units = [0] * BLOCK
    leaf = len(units)
    units.append(1 << 31)
    units += [0] * (BLOCK - 1)
    blocks: dict[bytes, int] = {b"": 0}

    def offset(place: int, target: int) -> int:
        distance = place ^ target
        return (distance >> 8) << 10 | 1 << 9 if distance % BLOCK == 0 else distance << 10

    for character in characters:
        encoded = character.encode()
        for length in range(1, len(encoded) + 1):
            place = blocks[encoded[: length - 1]] ^ encoded[length - 1]
            if length == len(encoded):
                units[place] = encoded[-1] | 1 << 8 | offset(place, leaf)
            elif encoded[:length] not in blocks:
                blocks[encoded[:length]] = len(units)
                units[place] = encoded[length - 1] | offset(place, len(units))
                units += [0] * BLOCK
    assert max(units) < 1 << 32
    trie = struct.pack(f"<{len(units)}I", *units)
    return normalizers.Precompiled(struct.pack("<I", len(trie)) + trie + REPLACEMENT.encode() + b"\0")


def characters(end: int = 0x110000) -> list[str]:
    return [chr(code) for code in range(1, end) if not 0xD800 <= code < 0xE000]


def grapheme_classes() -> dict[str, list[int]]:
    """Code points that begin no cluster, that end one and join nothing, that take what follows, and that join behind U+200D."""
    of_x = mapping(["X"])
    joining = [c for c in characters() if of_x.normalize_str("X" + c) == REPLACEMENT]
    joined = set(joining)
    others = [c for c in characters(0x10000) if c not in joined]
    of_all = mapping(others)
    controls = [c for c in others if of_all.normalize_str(c + "\u0301") != REPLACEMENT]
    # Of characters of three bytes the cluster with one more byte has four.
    following = set(controls) | joined
    prepended = [c for c in others if c not in following and of_all.normalize_str(c + "\x7f\u0301")[:1] == REPLACEMENT
                 and of_all.normalize_str(c + "a") == REPLACEMENT]
    of_copyright = mapping(["\xa9"])
    pictures = [c for c in characters() if c not in joined and c.encode() != b"" and of_copyright.normalize_str("\xa9\u200d" + c) != REPLACEMENT + c]
    return {"joining": list(map(ord, joining)), "controls": list(map(ord, controls)), "prepended": list(map(ord, prepended)),
            "pictures": list(map(ord, pictures))}
