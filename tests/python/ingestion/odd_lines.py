"""Lines that no source should send: a fixed list, and good lines gone wrong in random places.

For the tests of loading and of receiving. Does not belong here: what should become of them.
"""

import json
import random
from typing import Any

ODD_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**53 + 1, 2**63, 2**64, 10**40, -(10**300), 1.5, 1e39, 1e308, 5e-324,
    "", " ", "x", "NaN", "infinity", "-0", "24:30:00", "2024-02-30", "12026-01-01T24:30:00Z",
    "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00+23:59", "P99999999999Y", "1e999",
    "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u2028", "\ufeff", "\r\n\t\\", "\\N", "\\.", "\\x00",
    "{\"a\": 1e99999}", "[" * 2000, "A" * 5000, "😀" * 300, "e\u0301" * 50, "' or 1=1; --", "%s{}$1",
    [], [None], [[1]], [[[[[[[[[[1]]]]]]]]]], {}, {"": ""}, {"\x00": "\x00"}, {"\ud800": 1},
    {"a": {"b": "ann@example.org"}}, {"scale": 10**9, "value": "AA=="},
    "__debezium_unavailable_value",
)  # fmt: skip

ODD_LINES: tuple[bytes, ...] = (
    b"{", b"}", b"[", b"[]", b"{}", b"null", b"true", b'"text"', b"7", b"-", b"NaN", b"Infinity",
    b"\x00", b"\x00" * 300, b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"\x1f\x8b\x08", b"\xc0\x80",
    b"\xed\xa0\x80", b"\\.", b"\\N", b"a\tb\tc", b"a,b,c", b'"', b'"""', b"'", b"\xe2\x80\xa8",
    b'{"a": 1,}', b'{"a" 1}', b"{'a': 1}", b'{"a": 01}', b'{"a": .5}', b'{"a": 1e400}',
    b'{"a": -1e400}', b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 0.' + b"1" * 5000 + b"}",
    b'{"a": "\\ud800"}', b'{"a": "\\u0000"}', b'{"a": "\\x"}', b'{"a": "\x01"}', b'{"a": NaN}',
    b'{"a": 1} {"a": 2}', b'{"a": 1, "a": 2}', b"[" * 100_000, b'{"a":' * 100_000,
    b"[" * 900 + b"]" * 900, b'{"a":' * 990 + b"1" + b"}" * 990,
    b'{"a": "' + b"x" * 300_000 + b'"}', b'{"' + b"k" * 70_000 + b'": 1}',
    b"{" + b",".join(b'"k%d": %d' % (n, n) for n in range(5000)) + b"}",
)  # fmt: skip


def changed(value: Any, rng: random.Random) -> Any:
    """A value with something odd in one place of it, a field missing, or one too many."""
    if isinstance(value, dict) and value and rng.random() < 0.92:
        name = rng.choice(sorted(value))
        fate = rng.random()
        if fate < 0.08:
            return {key: item for key, item in value.items() if key != name}
        if fate < 0.12:
            return {**value, name + rng.choice("_. $"): rng.choice(ODD_VALUES)}
        return {**value, name: changed(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.5:
        place = rng.randrange(len(value))
        return [*value[:place], changed(value[place], rng), *value[place + 1 :]]
    return rng.choice(ODD_VALUES)


def damaged(line: bytes, rng: random.Random) -> bytes:
    """A line with some bytes changed, cut out, doubled or cut off; still one line."""
    broken = bytearray(line)
    for _ in range(rng.randint(1, 5)):
        place = rng.randrange(len(broken) + 1)
        piece = bytes(rng.randrange(256) for _ in range(rng.randint(0, 3)))
        broken[place : place + rng.randint(0, 4)] = piece
    if rng.random() < 0.3:
        broken = broken[: rng.randint(0, len(broken))]
    return bytes(broken).replace(b"\n", b" ")


def odd_line(good: list[bytes], rng: random.Random) -> bytes:
    """One line made of good ones: a record changed, bytes changed, or nothing but noise."""
    line, fate = rng.choice(good), rng.random()
    if fate < 0.1:
        return rng.randbytes(rng.randint(0, 80)).replace(b"\n", b" ")
    if fate < 0.45:
        return damaged(line, rng)
    try:
        record = json.loads(line)
    except ValueError:
        return damaged(line, rng)
    for _ in range(rng.randint(1, 3)):
        record = changed(record, rng)
    return json.dumps(record, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
