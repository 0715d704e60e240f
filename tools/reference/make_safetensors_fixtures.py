"""Makes odd safetensors files, and what the safetensors library says of each.

    python make_safetensors_fixtures.py OUTPUT_FOLDER

Writes `odd.json`: a list of {name, base64, error}, where error is null for a file that the library opens.
"""

from __future__ import annotations

import base64
import json
import struct
import sys
import tempfile
from pathlib import Path

import safetensors

F32 = '"dtype":"F32"'


def file(header: str | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(name: str, shape: str, offsets: str, dtype: str = "F32", more: str = "") -> str:
    return f'"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}{more}}}'


def of(*tensors: str) -> str:
    return "{" + ",".join(tensors) + "}"


ONE = tensor("a", "[2]", "[0,8]")
TWO = tensor("b", "[1]", "[8,12]")
EIGHT, TWELVE = bytes(range(8)), bytes(range(12))

FILES: dict[str, bytes] = {
    "one tensor": file(of(ONE), EIGHT),
    "two tensors": file(of(ONE, TWO), TWELVE),
    "two tensors, last first": file(of(TWO, ONE), TWELVE),
    "no tensor": file("{}"),
    "no tensor, but data": file("{}", EIGHT),
    "metadata": file(of('"__metadata__":{"format":"pt"}', ONE), EIGHT),
    "metadata null": file(of('"__metadata__":null', ONE), EIGHT),
    "metadata with a number": file(of('"__metadata__":{"format":1}', ONE), EIGHT),
    "metadata a text": file(of('"__metadata__":"pt"', ONE), EIGHT),
    "metadata twice": file(of('"__metadata__":{"format":"pt"}', '"__metadata__":{"format":"pt"}', ONE), EIGHT),
    "spaces after the header": file(of(ONE) + "   ", EIGHT),
    "spaces before the header": file("   " + of(ONE), EIGHT),
    "line breaks in the header": file(of(ONE).replace(",", ",\n\t"), EIGHT),
    "zeros after the header": file(of(ONE) + "\0\0", EIGHT),
    "a header that is not aligned": file(of(ONE) + " " * 3, EIGHT),
    "a name of other letters": file(of(tensor("größe 👟", "[2]", "[0,8]")), EIGHT),
    "a name with an escape": file(of(tensor("a\\u0062", "[2]", "[0,8]")), EIGHT),
    "a name with half a surrogate pair": file(of(tensor("a\\ud800", "[2]", "[0,8]")), EIGHT),
    "an empty name": file(of(tensor("", "[2]", "[0,8]")), EIGHT),
    "__proto__ as a name": file(of(tensor("__proto__", "[2]", "[0,8]")), EIGHT),
    "a scalar": file(of(tensor("a", "[]", "[0,4]")), bytes(4)),
    "a tensor of nothing": file(of(tensor("a", "[0,3]", "[0,0]"), tensor("b", "[2]", "[0,8]")), EIGHT),
    "a tensor of nothing at the end": file(of(ONE, tensor("b", "[0]", "[8,8]")), EIGHT),
    "a tensor of nothing in between": file(of(ONE, tensor("z", "[0]", "[8,8]"), TWO), TWELVE),
    "a tensor of nothing inside another": file(of(ONE, tensor("b", "[0]", "[4,4]")), EIGHT),
    "the same name twice, alike": file(of(ONE, ONE), EIGHT),
    "the same name twice, at other places": file(of(ONE, tensor("a", "[1]", "[8,12]")), TWELVE),
    "the same name twice, one of them escaped": file(of(ONE, tensor("\\u0061", "[2]", "[0,8]")), EIGHT),
    "one field twice": file(of(tensor("a", "[2]", "[0,8]", more=',"dtype":"F32"')), EIGHT),
    "an unknown field": file(of(tensor("a", "[2]", "[0,8]", more=',"device":"cpu"')), EIGHT),
    "an unknown field twice": file(of(tensor("a", "[2]", "[0,8]", more=',"x":1,"x":2')), EIGHT),
    "without dtype": file('{"a":{"shape":[2],"data_offsets":[0,8]}}', EIGHT),
    "without shape": file('{"a":{"dtype":"F32","data_offsets":[0,8]}}', EIGHT),
    "without offsets": file('{"a":{"dtype":"F32","shape":[2]}}', EIGHT),
    "a tensor null": file('{"a":null}', EIGHT),
    "a tensor as a list": file('{"a":["F32",[2],[0,8]]}', EIGHT),
    "an unknown dtype": file(of(tensor("a", "[2]", "[0,8]", "F33")), EIGHT),
    "a dtype in small letters": file(of(tensor("a", "[2]", "[0,8]", "f32")), EIGHT),
    "a dtype as a number": file('{"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}', EIGHT),
    "the same bytes twice": file(of(ONE, tensor("b", "[2]", "[0,8]")), EIGHT),
    "overlapping tensors": file(of(ONE, tensor("b", "[2]", "[4,12]")), TWELVE),
    "a hole between tensors": file(of(tensor("a", "[1]", "[0,4]"), TWO), TWELVE),
    "a hole at the start": file(of(tensor("a", "[1]", "[4,8]")), EIGHT),
    "a byte after the last tensor": file(of(ONE), EIGHT + b"\0"),
    "many bytes after the last tensor": file(of(ONE), EIGHT + bytes(4096)),
    "a byte too few": file(of(ONE), EIGHT[:-1]),
    "no data": file(of(ONE)),
    "offsets in the wrong order": file(of(tensor("a", "[2]", "[8,0]")), EIGHT),
    "offsets of one number": file(of(tensor("a", "[2]", "[8]")), EIGHT),
    "offsets of three numbers": file(of(tensor("a", "[2]", "[0,8,8]")), EIGHT),
    "a negative offset": file(of(tensor("a", "[2]", "[-8,0]")), EIGHT),
    "an offset with a fraction": file(of(tensor("a", "[2]", "[0,8.0]")), EIGHT),
    "an offset with an exponent": file(of(tensor("a", "[2]", "[0,8e0]")), EIGHT),
    "an offset as text": file(of(tensor("a", "[2]", '["0","8"]')), EIGHT),
    "an offset of minus zero": file(of(tensor("a", "[2]", "[-0,8]")), EIGHT),
    "an offset beyond 53 bits": file(of(tensor("a", "[2]", "[0,9007199254740993]")), EIGHT),
    "an offset beyond 64 bits": file(of(tensor("a", "[2]", "[0,18446744073709551624]")), EIGHT),
    "an end that is rounded to the right one": file(of(tensor("a", "[2]", "[0,8.0000000000000000001]")), EIGHT),
    "more elements than bytes": file(of(tensor("a", "[3]", "[0,8]")), EIGHT),
    "fewer elements than bytes": file(of(tensor("a", "[1]", "[0,8]")), EIGHT),
    "a shape with a fraction": file(of(tensor("a", "[2.0]", "[0,8]")), EIGHT),
    "a negative shape": file(of(tensor("a", "[-2]", "[0,8]")), EIGHT),
    "two negative dimensions": file(of(tensor("a", "[-1,-2]", "[0,8]")), EIGHT),
    "a shape null": file(of(tensor("a", "null", "[0,8]")), EIGHT),
    "a shape whose product overflows": file(of(tensor("a", "[4294967296,4294967296,2]", "[0,8]")), EIGHT),
    "a shape whose product overflows to the right size": file(
        of(tensor("a", "[9223372036854775809,2]", "[0,8]")), EIGHT
    ),
    "a shape that overflows before a zero": file(of(tensor("a", "[4294967296,4294967296,0]", "[0,0]"))),
    "a shape with a zero first": file(of(tensor("a", "[0,4294967296,4294967296]", "[0,0]"))),
    "a shape that is huge as bits": file(of(tensor("a", "[4611686018427387904]", "[0,8]", "F64")), EIGHT),
    "half bytes that fill up": file(of(tensor("a", "[2]", "[0,1]", "F4")), b"\0"),
    "half bytes that do not fill up": file(of(tensor("a", "[3]", "[0,2]", "F4")), b"\0\0"),
    "six bits that fill up": file(of(tensor("a", "[4]", "[0,3]", "F6_E2M3")), bytes(3)),
    "six bits that do not fill up": file(of(tensor("a", "[2]", "[0,2]", "F6_E3M2")), bytes(2)),
    "trailing text after the header": file(of(ONE) + "x", EIGHT),
    "two headers": file(of(ONE) + of(ONE), EIGHT),
    "a trailing comma": file(of(ONE)[:-1] + ",}", EIGHT),
    "a comment": file("/* */" + of(ONE), EIGHT),
    "single quotes": file(of(ONE).replace('"', "'"), EIGHT),
    "NaN": file(of(tensor("a", "[NaN]", "[0,8]")), EIGHT),
    "a leading zero": file(of(tensor("a", "[02]", "[0,8]")), EIGHT),
    "a plus sign": file(of(tensor("a", "[+2]", "[0,8]")), EIGHT),
    "a list for a header": file("[]", EIGHT),
    "null for a header": file("null"),
    "a byte order mark": file("\ufeff" + of(ONE), EIGHT),
    "a header that is not UTF-8": file(of(ONE).encode().replace(b'"a"', b'"\xff"'), EIGHT),
    "a header in Latin-1": file(of(tensor("ä", "[2]", "[0,8]")).encode("latin-1"), EIGHT),
    "a raw line break in a name": file(of(tensor("a\n", "[2]", "[0,8]")), EIGHT),
    "deep nesting in metadata": file(of('"__metadata__":' + "[" * 500 + "]" * 500, ONE), EIGHT),
    "deep nesting in an unknown field": file(
        of(tensor("a", "[2]", "[0,8]", more=',"x":' + "[" * 500 + "]" * 500)), EIGHT
    ),
    "a header cut off": file(of(ONE)[:-3], b"", len(of(ONE))),
    "a header length of 0": file("", EIGHT),
    "a header longer than the file": file(of(ONE), EIGHT, 1000),
    "a header of more than 100 MB": file(of(ONE), EIGHT, 100_000_001),
    "a header length beyond 63 bits": file(of(ONE), EIGHT, 2**64 - 8),
    "an empty file": b"",
    "seven bytes": bytes(7),
    "eight zeros": bytes(8),
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n",
    "a web page": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "a zip archive": b"PK\x03\x04" + bytes(40),
    **{
        f"dtype {dtype}": file(of(tensor("a", "[8]", f"[0,{8 * bits // 8}]", dtype)), bytes(8 * bits // 8))
        for dtype, bits in {
            "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
            "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64,
            "U64": 64, "C128": 128, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I4": 4, "U4": 4,
        }.items()
    },
}  # fmt: skip


def verdict(content: bytes, folder: Path) -> str | None:
    path = folder / "odd.safetensors"
    path.write_bytes(content)
    try:
        with safetensors.safe_open(path, framework="np") as opened:
            list(opened.keys())
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        rows = [
            {"name": name, "base64": base64.b64encode(content).decode(), "error": verdict(content, Path(temporary))}
            for name, content in FILES.items()
        ]
    text = json.dumps({"library": f"safetensors {safetensors.__version__}", "files": rows}, indent=1, ensure_ascii=True)
    (folder / "odd.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
