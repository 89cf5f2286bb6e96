"""Lines that no source should send: no crash, and every line stored, ignored or rejected."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.python.ingestion.cdc.conftest import Loading
from tests.python.ingestion.cdc.source_database import SourceDatabase, Transaction

pytestmark = pytest.mark.slow

PACK = """
kind: cdc
product: shop
tables:
  items:
    primary_key: [id]
    columns: {id: integer, a: "numeric(6,2)", big: jsonb, tags: "timestamptz[]", at: date, n: real}
"""
ODD: tuple[Any, ...] = (
    None, True, -1, 2**31, 2**63, 2**64, 10**40, 1.5, 1e39, 1e308, "", "x", "NaN", "infinity",
    "24:30:00", "2024-02-30", "12026-01-01T24:30:00Z", "P99999999999Y", "999.999", "9999.996",
    "\x00", "\ud800", "{\"a\": 1e99999}", "{\"\\u0000\": 1}", "[" * 2000, "tok_", [], [None], [[1]],
    {}, {"scale": 2, "value": "AA=="}, {"scale": 10**9, "value": "AA=="}, "A" * 4000, "AAAA",
    "__debezium_unavailable_value", {"a": {"b": "ann@example.org"}},
)  # fmt: skip


def changed(value: Any, rng: random.Random) -> Any:
    """A record with something odd somewhere in it."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != name}
        return {**value, name: changed(value[name], rng)}
    return rng.choice(ODD)


def test_every_line_is_accounted_for(loading: Callable[..., Loading], tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text(PACK)
    shop = loading(tmp_path)
    rng = random.Random(5)
    source = SourceDatabase()
    row = {"a": "AMg=", "big": "{}", "tags": [], "at": 5, "n": 1.0}
    source.start({1: row}, [])
    for key in range(2, 30):
        source.run(Transaction([("insert", key, row), ("update", 1, {"big": "[1]"})]))
    lines = []
    for number in range(1500):
        record = json.loads(json.dumps(rng.choice(source.records)))
        if record["value"]:
            record["value"]["source"]["lsn"] = 10_000 + number  # a change of its own
        lines.append(json.dumps(changed(record, rng)).encode())
    for _ in range(300):  # bytes changed, cut off, doubled
        broken = bytearray(rng.choice(source.lines()))
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        lines.append(bytes(broken[: rng.randint(1, len(broken))]).replace(b"\n", b" "))
    lines = [line for line in lines if line.strip()]
    report = shop.put_and_load({"cdc/shop/1.jsonl": lines})
    counts = report.source("cdc", "shop")
    assert counts.records == len(lines)
    assert counts.stored + counts.duplicates + counts.rejected + counts.ignored == counts.records
    assert counts.stored > 100 and counts.rejected > 100
    assert shop.rows("select count(*) from raw_cdc.shop__items")[0][0] > 5
    reasons = shop.rows("select distinct reason from ops.rejected_records")
    assert all(reason.endswith(".") for (reason,) in reasons)
    assert [reason for (reason,) in reasons if "foresaw" in reason or "refuses" in reason] == []
