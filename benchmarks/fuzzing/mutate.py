"""Changes to bytes, texts, and what JSON holds, such as accidents and malice make them."""

from __future__ import annotations

import copy
import json
import math
import random
import struct
import zlib
from typing import Any

NUMBERS = (
    *(0, -1, 1, 2, 3, 255, 256, 32_767, 32_768, 65_535, 65_536, 2**31 - 1, 2**31, 2**32, 2**63, 10**30, 10**400),
    *(0.5, -0.5, 1e-300, 1e300, 1e999, -1e999, math.nan),
)

TEXTS = (
    *("", " ", "\0", "\n", "a\r\nb", "\x1b[2J", "ä", "\U0001f600", "\u202e", "\ud800", "../../x", "/", "-", "--help"),
    *("nan", "Infinity", "true", "null", "{}", "[]", "%s%n", "=1+1", "<script>alert(1)</script>", "CON", "a" * 300),
    *("9" * 5000, "x" * 140_000, "1e999", "0x10", "١٢", "1,5", "$x_1$", "__import__('os')"),
)

DEEP = 3000
"""Levels of nesting that no reader of JSON or TOML takes."""

LARGE_SIDES = (0, 1, 2, 32_766, 32_767, 40_000, 65_535, 65_536, 2**31 - 1, 2**32 - 1)


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Some bytes are others."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5, 20, 200])):
        if changed:
            place = chance.randrange(min(len(changed), chance.choice([64, 512, 10**9])))
            changed[place] = chance.choice([0, 255, 127, 128, chance.randrange(256)])
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    """The end is missing."""
    return data[: chance.choice([0, 1, 4, 16, chance.randrange(len(data) + 1), max(0, len(data) - 1)])]


def spliced(data: bytes, chance: random.Random) -> bytes:
    """A part is missing, doubled or somewhere else."""
    if len(data) < 8:
        return data
    a, b = sorted(chance.randrange(len(data)) for _ in range(2))
    b = min(b, a + chance.choice([4, 100, 5000, len(data)]))
    c = chance.randrange(len(data))
    return chance.choice([data[:a] + data[b:], data[:b] + data[a:b] + data[b:], data[:c] + data[a:b] + data[c:]])


def numbered(data: bytes, chance: random.Random) -> bytes:
    """A number in the first part is a very large, or a very small one."""
    changed = bytearray(data)
    size = chance.choice([1, 2, 4, 8])
    place = chance.randrange(max(1, min(len(data), chance.choice([64, 512, 10**9])) - size))
    value = chance.choice([0, 1, 2**15 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63 - 1]) % (1 << 8 * size)
    changed[place : place + size] = value.to_bytes(size, chance.choice(["little", "big"]))
    return bytes(changed)


def larger_header(data: bytes, chance: random.Random) -> bytes:
    """A picture whose header tells other sides than it has, with checksums that are right."""
    width, height = (chance.choice([*LARGE_SIDES, chance.randrange(1, 70_000)]) for _ in range(2))
    changed = bytearray(data)
    if data[:4] == b"\x89PNG":
        changed[16:24] = struct.pack(">II", width, height)
        changed[29:33] = struct.pack(">I", zlib.crc32(changed[12:29]))
    elif data[:2] == b"BM":
        changed[18:26] = struct.pack("<II", width % 2**32, height % 2**32)
    elif data[:3] == b"GIF":
        changed[6:10] = struct.pack("<HH", width % 2**16, height % 2**16)
    elif data[:2] in (b"P5", b"P6"):
        return data[:2] + f"\n{width} {height}\n255\n".encode() + data[15:]
    elif data[:2] == b"\xff\xd8" and (at := max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))) > 0:
        changed[at + 5 : at + 9] = struct.pack(">HH", height % 2**16, width % 2**16)
    elif data[:4] == b"RIFF":
        changed[24:30] = (width % 2**24).to_bytes(3, "little") + (height % 2**24).to_bytes(3, "little")
    else:
        at = data.find(b"ispe")  # AVIF, HEIF
        if at > 0:
            changed[at + 8 : at + 16] = struct.pack(">II", width, height)
    return bytes(changed)


BYTE_CHANGES = (flipped, flipped, cut, spliced, numbered)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes with one or more changes of any kind."""
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        data = chance.choice(BYTE_CHANGES)(data, chance)
    return data


def strange(chance: random.Random) -> Any:
    """A value that hardly anything can be."""
    return chance.choice(
        [
            *(chance.choice(NUMBERS), chance.choice(NUMBERS), chance.choice(TEXTS), chance.choice(TEXTS)),
            *(None, True, False, [], {}, [[]], {"": {}}, [chance.choice(NUMBERS)] * 3, {"a": chance.choice(TEXTS)}),
        ]
    )


def changed_tree(value: Any, chance: random.Random) -> Any:
    """A copy of what JSON can hold, in which something is missing, mistyped, doubled, renamed or absurd."""
    tree = copy.deepcopy(value)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        tree = _changed(tree, chance)
    return tree


def _changed(value: Any, chance: random.Random) -> Any:
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not keys or chance.random() < 0.1:
        return strange(chance)
    key = chance.choice(keys)
    kind = chance.randrange(8)
    if kind < 4:
        value[key] = _changed(value[key], chance)
    elif kind == 4:
        del value[key]
    elif kind == 5 and isinstance(value, dict):
        value[str(chance.choice(TEXTS))] = value.pop(key)
    elif kind == 6 and isinstance(value, list):
        value.insert(0, value[key])
    else:
        value[key] = strange(chance)
    return value


def as_json(value: Any, chance: random.Random) -> bytes:
    """JSON of a value, now and then in a form that is none."""
    text = json.dumps(value, ensure_ascii=chance.random() < 0.8)
    if chance.random() < 0.1:
        text = chance.choice(["[" * DEEP, '{"a":' * DEEP, text + text, text.replace(":", "=", 1), "\ufeff" + text])
    data = text.encode("utf-8", "surrogatepass")
    return damaged(data, chance) if chance.random() < 0.15 else data


def changed_table(text: str, chance: random.Random) -> bytes:
    """Lines of CSV or JSON Lines with changes to fields, lines, delimiters and encoding."""
    lines = text.split("\n")
    for _ in range(chance.choice([1, 1, 2, 4])):
        place = chance.randrange(len(lines))
        line = lines[place]
        kind = chance.randrange(9)
        if kind < 4:
            lines[place] = _changed_line(line, chance)
        elif kind == 4:
            del lines[place]
        elif kind == 5:
            lines.insert(chance.randrange(len(lines) + 1), line)
        elif kind == 6:
            lines = [each.replace(",", chance.choice([";", "\t", "|", ", "])) for each in lines]
        elif kind == 7:
            lines = lines[: place + 1]
        else:
            lines = [each.partition(",")[0] for each in lines]
        lines = lines or [""]
    data = "\n".join(lines).encode(chance.choice(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32"]), "replace")
    return damaged(data, chance) if chance.random() < 0.2 else data


def _changed_line(line: str, chance: random.Random) -> str:
    if line.startswith("{"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return line
        return chance.choice([json.dumps(changed_tree(row, chance)), '{"a":' * DEEP, line[:-3], f"[{line}]"])
    fields = line.split(",")
    place = chance.randrange(len(fields))
    fields[place] = str(chance.choice([chance.choice(NUMBERS[:-7]), chance.choice(TEXTS), f'"{fields[place]}', "1e9"]))
    return ",".join(fields)


def changed_toml(text: str, chance: random.Random) -> bytes:
    """Settings with changed, doubled, foreign and impossible lines."""
    lines = text.splitlines()
    for _ in range(chance.choice([1, 1, 2, 4])):
        place = chance.randrange(len(lines))
        name = lines[place].partition("=")[0].strip()
        value = chance.choice(
            [
                *(
                    "{}",
                    "[]",
                    "[[]]",
                    "nan",
                    "inf",
                    "-inf",
                    "1e999",
                    "9" * 5000,
                    "[" * DEEP,
                    "{a=" * DEEP,
                    "1979-05-27",
                ),
                *("true", '""', "'''", "0x7fffffffffffffff", "-1", "0", '"' + "c" * 300 + '"', '["a", "a"]', '["", 1]'),
                *('"\\u0000"', '"../../.."', json.dumps(chance.choice(TEXTS)), str(chance.choice(NUMBERS[:-3]))),
            ]
        )
        lines[place] = chance.choice([f"{name} = {value}"] * 4 + [f"{name}", f"[{name}]", f"{name}.{name} = {value}"])
        if chance.random() < 0.2:
            lines.insert(place, lines[place])
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return damaged(data, chance) if chance.random() < 0.2 else data
