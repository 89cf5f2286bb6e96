"""The short way into a table comes to what the long way comes to, row for row."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingestion.cdc import source
from ingestion.cdc.scd.fast.apply import fold_on_time
from ingestion.cdc.scd.fast.write import numeric
from tests.python.ingestion.cdc.conftest import Loading
from tests.python.ingestion.cdc.source_database import SourceDatabase, Transaction
from tests.python.ingestion.cdc.test_any_history import DELIVERY, KEYS, Delivery, start_over

PACK = """
kind: cdc
product: shop
tables:
  items:
    primary_key: [id]
    tenant: org
    user: person
    is_tenant_table: true
    columns:
      id: integer
      a: smallint
      big: text
      tags: text
      org: uuid
      person: uuid
      email: {type: text, personal: token}
      note: {type: text, personal: drop}
      price: numeric(7,2)
      rate: numeric
      due: date
      seen: timestamptz
      made: timestamp(3)
      weight: double precision
      is_ok: boolean
      total: bigint
      attrs: jsonb
      labels: "text[]"
      ranks: "smallint[]"
  log:
    columns: {n: integer}
"""
ORGS = [f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2)]
PEOPLE = [f"10000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3)]
ROW = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(-9, 9),
        "big": st.none() | st.sampled_from(["x", "é\n\\"]),
        "tags": st.none(),
        "org": st.sampled_from(ORGS) | st.none(),
        "person": st.sampled_from(PEOPLE) | st.none(),
        "email": st.none() | st.sampled_from(["ann@example.org", ""]),
        "note": st.none() | st.just("by hand"),
        "price": st.none() | st.sampled_from(["12.5", "-0.01", "99999.994", "CmVV", "0.00"]),
        "rate": st.none() | st.sampled_from(
            ["NaN", "-Infinity", "0.00000012", "-123456789012.5", 1e20, 3, 0, "10000.0001", "-0.0"]
        ),
        "due": st.none() | st.integers(-719_162, 2_932_896) | st.just(20_500),
        "seen": st.none() | st.sampled_from(
            ["2026-01-05T10:00:00Z", "2026-01-05T10:00:00.123456Z", "0001-01-01T00:00:00Z", 1]
        ),
        "made": st.none() | st.integers(0, 2_000_000_000_000),
        "weight": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
        "is_ok": st.none() | st.booleans(),
        "total": st.none() | st.integers(-(2**63), 2**63 - 1),
        "attrs": st.none() | st.sampled_from(
            ['{"a": 1.10, "b": [null]}', "null", "[]", '"x"', '{"email": "ann@example.org"}']
        ),
        "labels": st.none() | st.lists(st.none() | st.sampled_from(["p", "", "q,\""]), max_size=3),
        "ranks": st.none() | st.lists(st.none() | st.integers(-9, 9), max_size=3),
    }
)  # fmt: skip
PARTIAL = ROW.map(lambda row: {name: row[name] for name in ("a", "org", "price")})
ACTION = st.one_of(
    st.tuples(st.just("insert"), KEYS, ROW),
    st.tuples(st.just("insert"), KEYS, ROW),
    st.tuples(st.just("update"), KEYS, ROW),
    st.tuples(st.just("update"), KEYS, ROW),
    st.tuples(st.just("update"), KEYS, PARTIAL),
    st.tuples(st.just("delete"), KEYS),
    st.tuples(st.just("rekey"), KEYS, KEYS),
    st.tuples(st.just("log"), st.integers(0, 2)),
    st.just(("truncate",)),
)
TRANSACTION = st.builds(
    Transaction,
    actions=st.lists(ACTION, min_size=1, max_size=4),
    is_overlapping=st.booleans(),
    clock_step_ms=st.sampled_from([0, 0, 1, 1000, 1000, -500]),
)
STEP = st.one_of(
    *[TRANSACTION] * 5,
    st.tuples(st.just("snapshot_rows"), st.lists(KEYS, min_size=1, max_size=3, unique=True)),
    st.tuples(st.just("crash"), st.integers(1, 12)),
    st.just(("snapshot",)),
)


@pytest.fixture(scope="module")
def shop(loading: Callable[..., Loading], tmp_path_factory: pytest.TempPathFactory) -> Loading:
    pack = tmp_path_factory.mktemp("pack")
    (pack / "shop.yml").write_text(PACK)
    return loading(pack)


def everything(shop: Loading) -> dict[str, list[tuple[Any, ...]]]:
    """All that a load leaves; loads by their order, for their numbers go on rising."""
    load = "dense_rank() over (order by {}load_id)"
    row = f"to_jsonb(t) - '_load_id', {load.format('_')}"
    return {
        "current": shop.rows(f"select {row} from raw_cdc.shop__items as t order by id"),
        "closed": shop.rows(f"select {row} from raw_cdc.shop__items_closed as t order by 1, 2"),
        "history": shop.rows(
            "select to_jsonb(t) - '_load_id' from raw_cdc.shop__items_history as t order by 1"
        ),
        "log": shop.rows("select n from raw_cdc.shop__log order by n"),
        "touched": shop.rows(
            f"select {load.format('')}, entity_type, tenant_id, entity_id from ops.load_touched"
            " order by 1, 2, 3, 4"
        ),
        "progress": shop.rows(
            "select table_name, max_position, max_stream_file, last_unplaced_file"
            " from raw_cdc.folded_tables order by 1"
        ),
    }


def row(a: int, price: str = "12.5", org: int = 0) -> dict[str, Any]:
    nothing = dict.fromkeys(
        (
            "note",
            "rate",
            "due",
            "seen",
            "made",
            "weight",
            "is_ok",
            "total",
            "attrs",
            "labels",
            "ranks",
        )
    )
    return {"a": a, "big": None, "tags": None, "org": ORGS[org], "person": PEOPLE[org],
            "email": "ann@example.org", "price": price, **nothing}  # fmt: skip


# What the short way must tell apart: new and held keys, a delete of a held and of a new row, a return
# after it, a key's change, other owners, several versions of a key in one file, a clock that stands
# still within a file and between two, and one that jumps back.
STEPS: list[Any] = [
    Transaction([("insert", 1, row(1)), ("insert", 2, row(1))], clock_step_ms=1000),
    Transaction([("update", 1, row(2)), ("insert", 3, row(1, org=1))], clock_step_ms=1000),
    Transaction([("update", 1, row(3, org=1))], clock_step_ms=1000),
    Transaction([("delete", 2)], clock_step_ms=1000),
    Transaction([("insert", 2, row(4)), ("update", 2, row(5))], clock_step_ms=1000),
    Transaction([("delete", 2), ("rekey", 1, 4)], clock_step_ms=1),
    Transaction([("update", 3, row(6))]),
    Transaction([("update", 3, row(7))], clock_step_ms=-500),
    Transaction([("insert", 0, row(8)), ("delete", 0)], clock_step_ms=2000),
]
TWO_FILES = Delivery([0.35, 0.8], [0.1] * 7, [])
# The second file comes last; the third has a row that takes its place behind what the second says.
LATE = [
    Transaction([("insert", 1, row(1))], clock_step_ms=1000),
    Transaction([("update", 1, row(2))], clock_step_ms=1000),
    Transaction([("log", 1)], clock_step_ms=-500),
    ("snapshot_rows", [1]),
]
SECOND_LAST = Delivery([0.25, 0.5], [0.1, 0.9, 0.5, 0, 0, 0, 0], [])
EACH = Delivery([place / 20 for place in range(20)], [0.1] * 7, [(0.3, 0.6)])


@pytest.mark.slow
@example(begin={0: row(0)}, steps=STEPS, delivery=TWO_FILES)
@example(begin={0: row(0)}, steps=STEPS, delivery=EACH)
@example(begin={}, steps=LATE, delivery=SECOND_LAST)
@given(
    begin=st.dictionaries(KEYS, ROW, max_size=3),
    steps=st.lists(STEP, max_size=12),
    delivery=DELIVERY,
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_both_ways_end_in_the_same_tables(
    shop: Loading, begin: dict[int, dict[str, Any]], steps: list[Any], delivery: Delivery
) -> None:
    stream = SourceDatabase()
    stream.start(begin, [])
    stream.follow(steps)
    found = []
    taken: list[bool] = []

    def short(*arguments: Any) -> bool:
        taken.append(fold_on_time(*arguments))
        return taken[-1]

    for way in (short, lambda *_: False):
        start_over(shop)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(source, "fold_on_time", way)
            for path, lines in delivery.files(stream.lines()):
                shop.put_and_load({path: lines})
        found.append(everything(shop))
    assert found[0] == found[1]
    if steps is STEPS:
        assert sum(taken) >= (2 if delivery is TWO_FILES else 5)


@pytest.mark.parametrize(
    "text",
    ["0", "0.00", "-0.0", "1", "-1", "10000", "9999.9999", "0.0001", "0.00001", "12345678.9", "1E+3",
     "-123456789012345678901234567890.123456789", "100000000", "NaN",
     "0.000000000000000000000000000001", "5.500"],
)  # fmt: skip
def test_numbers_are_sent_as_the_database_sends_them(shop: Loading, text: str) -> None:
    with shop.connect() as conn, psycopg.Cursor(conn) as cursor:
        sent = cursor.execute("select numeric_send(%s::numeric)", [text]).fetchone()
    assert sent is not None
    assert numeric(text) == bytes(sent[0])
