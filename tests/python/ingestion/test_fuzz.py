"""Whatever a file holds, nothing crashes and every line is stored, a duplicate, rejected or ignored.

Every form of every kind of source: JSON lines, CSV, columns by blanks, trackers, the three envelopes
of change data, webhooks.
"""

import csv
import gzip
import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.contracts.model import Contracts, load_contracts
from ingestion.landing.blocks import blocks, records
from ingestion.landing.containers import Unreadable
from ingestion.landing.digest import digest
from ingestion.landing.file_info import FileInfo, Shape
from ingestion.parsing.registry import make_source
from ingestion.parsing.source import LineParser
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.outcomes import Ignored, Rejected, Row
from tallyhouse.settings import PROJECT_ROOT
from tallyhouse.storage import open_storage
from tests.python.ingestion.cdc.source_database import SourceDatabase, Transaction
from tests.python.ingestion.conftest import KEY, Loading, line
from tests.python.ingestion.events.test_foreign_shapes import RECORDS
from tests.python.ingestion.odd_lines import ODD_LINES, odd_line

EXAMPLES = PROJECT_ROOT / "contracts" / "examples"
SHOP = """
kind: cdc
product: shop
tables:
  items:
    primary_key: [id]
    tenant: a
    columns: {id: integer, a: "numeric(6,2)", big: jsonb, tags: "timestamptz[]", at: date, n: real}
  log:
    columns: {n: integer}
"""


@dataclass(frozen=True)
class Form:
    """A file of one form: where it lies, its header, and good lines of it."""

    path: str
    good: tuple[bytes, ...]
    header: bytes = b""

    @property
    def kind(self) -> str:
        return self.path.split("/")[0]

    @property
    def name(self) -> str:
        return self.path.split("/")[1]

    @property
    def is_quoted(self) -> bool:
        return self.path.endswith(".csv")


def changes() -> list[dict[str, Any]]:
    """What a source database writes: a snapshot, inserts, updates, deletes, a truncate, notices."""
    source = SourceDatabase()
    row = {"a": "AMg=", "big": "{}", "tags": [], "at": 5, "n": 1.0}
    source.start({1: row}, [1])
    for key in range(2, 8):
        source.run(Transaction([("insert", key, row), ("update", 1, {"big": "[1]"})]))
    source.run(Transaction([("delete", 2), ("rekey", 3, 30), ("log", 1)]))
    source.snapshot_rows([1])
    source.notices()
    source.run(Transaction([("truncate_log",)]))
    return source.records


def flat(record: dict[str, Any]) -> dict[str, Any] | None:
    """A change as the flattening transform writes it."""
    value = record["value"]
    if value is None or value.get("op") in (None, "t"):  # the transform passes truncates over
        return None
    held = value["after"] or value["before"] or {}
    meta = {"__op": value["op"], "__table": value["source"]["table"], "__source_ts_ms": value["ts_ms"],
            "__lsn": value["source"]["lsn"], "__deleted": str(value["op"] == "d").lower()}  # fmt: skip
    return {**held, **meta}


def table(records: list[dict[str, Any]]) -> list[bytes]:
    """Records as CSV, header first; what is nested is JSON in a cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(records[0])
    for record in records:
        writer.writerow(json.dumps(v) if isinstance(v, dict) else v for v in record.values())
    return out.getvalue().encode().splitlines()


def made() -> list[Form]:
    bare = [record["value"] for record in changes() if record["value"]]
    amplitude = table([{**RECORDS["amplitude"], "_insert_id": f"m-{n}", "n": 'a "q", b'}
                       for n in range(9)])  # fmt: skip
    clicks = table([{"event": "cart", "timestamp": f"2026-03-01 10:00:0{n}", "user_id": n,
                     "session_id": "s", "platform": "web"} for n in range(9)])  # fmt: skip
    stripe = {"object": "event", "type": "customer.created", "created": 1_772_000_000,
              "livemode": True, "account": "acct_upcoach", "data": {"object": {"object": "customer", "id": "cus_1",
              "email": "ann@example.org", "metadata": {"tenant_id": "7"}}}}  # fmt: skip
    renewal = {"type": "RENEWAL", "event_timestamp_ms": 1_772_000_000_000, "app_user_id": "u1",
               "aliases": ["u1"], "subscriber_attributes": {"tenant_id": {"value": "7"}}}  # fmt: skip

    def form(path: str, found: list[Any], header: bytes = b"") -> Form:
        lines = (x if isinstance(x, bytes) else json.dumps(x).encode() for x in found)
        return Form(path, tuple(lines), header)

    return [
        form("events/upcoach/a.jsonl", [line(n) for n in range(30)]),
        *(form(f"events/{name}/a.jsonl", [{**record, "n": n} for n in range(3)])
          for name, record in RECORDS.items()),
        form("events/amplitude/a.csv", list(amplitude[1:]), amplitude[0]),
        form("events/ecom/a.csv", list(clicks[1:]), clicks[0]),
        form("events/cdnow/a.txt", [b" 00004 0001 19970101  2   29.33", b" 00004 0001 19970118  2 9"]),
        form("cdc/shop/records.jsonl", changes()),
        form("cdc/shop/bare.jsonl", bare),
        form("cdc/shop/schema.jsonl", [{"schema": {"type": "struct"}, "payload": v} for v in bare]),
        form("cdc/shop/flat.jsonl", [row for record in changes() if (row := flat(record))]),
        form("stripe/acct_platform/a.jsonl", [{**stripe, "id": f"evt_{n}"} for n in range(9)]),
        form("revenuecat/upcoach/a.jsonl", [{"event": {**renewal, "id": f"e{n}"}} for n in range(9)]),
    ]  # fmt: skip


FORMS = {form.path: form for form in made()}


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    shop = tmp_path_factory.mktemp("packs")
    (shop / "shop.yml").write_text(SHOP)
    return (EXAMPLES / "trackers", EXAMPLES / "ecom", EXAMPLES / "cdnow", shop)


@pytest.fixture(scope="module")
def all_contracts(packs: tuple[Path, ...]) -> Contracts:
    return load_contracts([PROJECT_ROOT / "contracts", *packs])


def info(form: Form) -> FileInfo:
    return FileInfo(form.kind, form.name, form.path, "ab" * 32, 1, form.header)


@pytest.fixture(scope="module")
def open_form(all_contracts: Contracts) -> Callable[[Form], tuple[LineParser, int]]:
    """A parser of a form, and the number of columns its rows must have."""

    def make(form: Form) -> tuple[LineParser, int]:
        source = make_source(form.kind, all_contracts, Tokeniser(KEY))
        return source.open(info(form)), len(source.target.columns)

    return make


@pytest.mark.parametrize("path", sorted(FORMS))
def test_good_lines_are_no_fuzz(
    path: str, open_form: Callable[[Form], tuple[LineParser, int]]
) -> None:
    """Otherwise the tests below would try rejections alone."""
    parser, _ = open_form(FORMS[path])
    outcomes = [parser.parse(n, one) for n, one in enumerate(FORMS[path].good, 1)]
    assert not [found for found in outcomes if isinstance(found, Rejected)]
    assert any(isinstance(found, Row) for found in outcomes)


@pytest.mark.parametrize("path", sorted(FORMS))
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, derandomize=True,
          suppress_health_check=list(HealthCheck))  # fmt: skip
def test_no_line_stops_a_parser(
    path: str, open_form: Callable[[Form], tuple[LineParser, int]], seed: int
) -> None:
    form, rng = FORMS[path], random.Random(seed)
    parser, width = open_form(form)
    for number in range(1, 25):
        text = odd_line(list(form.good), rng)
        outcome = parser.parse(number, text)
        assert_storable(outcome, width)
        assert parser.parse(number, text) == outcome


@pytest.mark.parametrize("path", sorted(FORMS))
def test_no_line_of_the_list_stops_a_parser(
    path: str, open_form: Callable[[Form], tuple[LineParser, int]]
) -> None:
    parser, width = open_form(FORMS[path])
    for number, text in enumerate(ODD_LINES, 1):
        assert_storable(parser.parse(number, text), width)


def assert_storable(outcome: Any, width: int) -> None:
    """A rejection in a sentence, or a row that COPY takes."""
    assert isinstance(outcome, Row | Rejected | Ignored), outcome
    if isinstance(outcome, Rejected):
        assert re.fullmatch(r"[a-z_0-9]+", outcome.reason_code) and outcome.reason.endswith(".")
        assert outcome.reason_code != "unforeseen", outcome.reason
    if isinstance(outcome, Row):
        assert re.fullmatch(r"[0-9a-f]{32}", outcome.key), outcome.key
        assert re.fullmatch(r"[0-9a-f]{32}", outcome.content_hash)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", outcome.event_date)
        outcome.copy.encode()
        assert outcome.copy.count("\t") == width - 1
        assert not re.search("[\x00\r\n]", outcome.copy)


@pytest.mark.slow
def test_every_line_of_every_form_is_accounted_for(
    loading: Loading, packs: tuple[Path, ...], all_contracts: Contracts
) -> None:
    loading.settings = replace(loading.settings, contracts=packs)
    rng = random.Random(57)
    due: dict[tuple[str, str], int] = {}
    for form in FORMS.values():
        lines = [*ODD_LINES, *form.good, *(odd_line(list(form.good), rng) for _ in range(150))]
        rng.shuffle(lines)
        loading.put(form.path, [form.header, *lines] if form.header else lines)
        kind_and_name = (form.kind, form.name)
        shape = make_source(form.kind, all_contracts, Tokeniser(KEY)).shape(info(form))
        due[kind_and_name] = due.get(kind_and_name, 0) + count(lines, shape)
    report = loading.load()
    assert not report.unreadable and not report.undeclared
    told = {place: counts.records for place, counts in report.sources.items()}
    assert told == due
    for place, counts in report.sources.items():
        parts = counts.stored + counts.duplicates + counts.rejected + counts.ignored
        assert parts == counts.records, place
        assert counts.stored and counts.rejected, place
    assert loading.unaccounted() == 0
    assert loading.one("select count(*) from ops.rejected_records") == report.rejected
    refused = "select reason from ops.rejected_records where reason_code = 'refused_by_database'"
    assert loading.rows(refused) == []


def count(lines: list[bytes], shape: Shape) -> int:
    """How many records lines are: each that is not blank, unless a quoted field spans lines."""
    if shape.is_quoted:
        text = b"h\n" + b"".join(one + b"\n" for one in lines)
        found = [r for b in blocks(io.BytesIO(text), "a", shape) for r in records(b, shape)]
        return len(found) - 1
    return sum(1 for one in lines if one.removeprefix(b"\xef\xbb\xbf").strip())


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_damaged_gz_is_read_or_refused(tmp_path_factory: Any, seed: int) -> None:
    rng = random.Random(seed)
    whole = [b"%d %s" % (n, rng.randbytes(9).hex().encode()) for n in range(200)]
    broken = bytearray(gzip.compress(b"\n".join(whole), mtime=0))
    for _ in range(rng.randint(0, 3)):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    broken = broken[: rng.randint(0, len(broken))] if rng.random() < 0.3 else broken
    broken += rng.choice([b"", b"\x00" * 9, b"junk", bytes(broken[:30])])
    path = tmp_path_factory.getbasetemp() / "broken.gz"
    path.write_bytes(broken)
    found, problem = [], None
    try:
        for block in blocks(io.BytesIO(broken), "broken.gz", Shape()):
            found += [one for _, one in records(block, Shape())]
    except Unreadable as error:
        problem = str(error)
    assert problem is not None or found == whole
    told = digest(open_storage(str(path.parent)), path.name)
    assert told.problem == problem
