"""Whatever a source did, and however its stream was cut, ordered and repeated: the source's state.

Rules 48 and 50 to 56, tried on generated histories.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.python.ingestion.cdc.conftest import Loading
from tests.python.ingestion.cdc.source_database import SourceDatabase, Transaction

pytestmark = pytest.mark.slow

PACK = """
kind: cdc
product: shop
tables:
  items:
    primary_key: [id]
    columns: {id: integer, a: integer, big: text, tags: "text[]"}
  log:
    columns: {n: integer}
"""
KEYS = st.integers(0, 4)
ROW = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(0, 9),
        "big": st.none() | st.sampled_from(["x", "y"]),
        "tags": st.none() | st.lists(st.sampled_from(["p", "q"]), max_size=2),
    }
)
PARTIAL = ROW.flatmap(
    lambda row: st.sets(st.sampled_from(sorted(row)), min_size=1).map(
        lambda names: {name: row[name] for name in sorted(names)}
    )
)
ACTION = st.one_of(
    st.tuples(st.just("insert"), KEYS, ROW),
    st.tuples(st.just("insert"), KEYS, ROW),
    st.tuples(st.just("update"), KEYS, PARTIAL),
    st.tuples(st.just("update"), KEYS, PARTIAL),
    st.tuples(st.just("delete"), KEYS),
    st.tuples(st.just("rekey"), KEYS, KEYS),
    st.tuples(st.just("log"), st.integers(0, 2)),
    st.just(("truncate",)),
    st.just(("truncate_log",)),
)
TRANSACTION = st.builds(
    Transaction,
    actions=st.lists(ACTION, min_size=1, max_size=4),
    is_overlapping=st.booleans(),
    clock_step_ms=st.sampled_from([0, 0, 1, 1000, -500]),
)
STEP = st.one_of(
    TRANSACTION,
    TRANSACTION,
    TRANSACTION,
    st.tuples(st.just("snapshot_rows"), st.lists(KEYS, min_size=1, max_size=3, unique=True)),
    st.tuples(st.just("crash"), st.integers(1, 12)),
    st.just(("snapshot",)),
    st.just(("notices",)),
)


@dataclass
class Delivery:
    """How a stream reaches the landing folder: cut where, in which order, which parts again."""

    cuts: list[float]
    order: list[float]
    again: list[tuple[float, float]]

    def files(self, lines: list[bytes]) -> list[tuple[str, list[bytes]]]:
        count = len(lines)
        edges = sorted({0, count, *(int(cut * count) for cut in self.cuts)})
        parts = [
            (f"cdc/shop/part-{number}.jsonl", lines[begin:end])
            for number, (begin, end) in enumerate(itertools.pairwise(edges))
        ]
        parts += [
            (
                f"cdc/shop/replay-{number}.jsonl",
                lines[int(min(a, b) * count) : int(max(a, b) * count)],
            )
            for number, (a, b) in enumerate(self.again)
        ]
        ranks = dict(enumerate(self.order))
        places = sorted(range(len(parts)), key=lambda n: ranks.get(n % 7, 0.5) + n * 1e-6)
        return [parts[place] for place in places if parts[place][1]]


FRACTION = st.floats(0, 1)
DELIVERY = st.builds(
    Delivery,
    cuts=st.lists(FRACTION, max_size=4),
    order=st.lists(FRACTION, min_size=7, max_size=7),
    again=st.lists(st.tuples(FRACTION, FRACTION), max_size=2),
)


@pytest.fixture(scope="module")
def shop(loading: Callable[..., Loading], tmp_path_factory: pytest.TempPathFactory) -> Loading:
    pack = tmp_path_factory.mktemp("pack")
    (pack / "shop.yml").write_text(PACK)
    return loading(pack)


def start_over(shop: Loading) -> None:
    with shop.connect() as conn:
        tables = conn.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'ops'"
            " or (schemaname = 'raw_cdc' and tablename ~ '^(changes|change_keys|resets|shop__.*)$')"
        ).fetchall()
        conn.execute(f"truncate {', '.join(name for (name,) in tables)}".encode())
        conn.execute("update raw_cdc.folded_tables set max_position = null,"
                     " max_stream_file = null, last_unplaced_file = null")  # fmt: skip
    for path in Path(shop.landing).rglob("*.jsonl"):
        path.unlink()


def state(shop: Loading) -> tuple[dict[int, dict[str, Any]], Counter[int]]:
    items = {
        key: {"a": a, "big": big, "tags": tags}
        for key, a, big, tags in shop.rows("select id, a, big, tags from raw_cdc.shop__items")
    }
    return items, Counter(n for (n,) in shop.rows("select n from raw_cdc.shop__log"))


def history(shop: Loading) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select id, a, big, tags, valid_from, valid_to, is_current, is_deleted, version_number,"
        " _committed_at, _received_at from raw_cdc.shop__items_history order by id, valid_from"
    )


def assert_continuous(versions: list[tuple[Any, ...]]) -> None:
    """Rule 56."""
    for before, after in itertools.pairwise(versions):
        if before[0] == after[0]:
            assert before[5] is not None and before[5] <= after[4]
            assert before[5] == after[4] or before[7]
    for version in versions:
        assert version[5] is None or version[4] < version[5]
        assert version[6] == (version[5] is None)


def row(a: int, big: str | None = "x") -> dict[str, Any]:
    return {"a": a, "big": big, "tags": ["p"]}


# One of each: values not sent again, a delete and a return while the clock stands still or jumps
# back, a key's change, a truncate between two files; cut so that the fold goes on from what it has.
STEPS = [
    Transaction([("insert", 1, row(1)), ("insert", 2, row(1))], clock_step_ms=1000),
    Transaction([("update", 1, {"a": 2})], clock_step_ms=1000),
    Transaction([("delete", 2)], clock_step_ms=1000),
    Transaction([("insert", 2, row(3, None))], clock_step_ms=-500),
    Transaction([("update", 1, {"a": 4})]),
    Transaction([("update", 1, {"big": "y"})], clock_step_ms=-500),
    Transaction([("delete", 1)]),
    Transaction([("insert", 1, row(5)), ("rekey", 2, 3)], clock_step_ms=1000),
    Transaction([("truncate",), ("log", 1)], clock_step_ms=1000),
    Transaction([("insert", 3, row(6)), ("update", 3, {"a": 7})], clock_step_ms=-500),
]
EACH = [place / 20 for place in range(20)]


@example(
    begin={0: row(0)}, logged=[1], steps=STEPS, delivery=Delivery(EACH, [0.1] * 7, [(0.2, 0.6)])
)
@example(
    begin={}, logged=[], steps=STEPS, delivery=Delivery(EACH, [0.9, 0.3, 0.5, 0.1, 0.7, 0, 1], [])
)
@given(
    begin=st.dictionaries(KEYS, ROW, max_size=3),
    logged=st.lists(st.integers(0, 2), max_size=3),
    steps=st.lists(STEP, max_size=14),
    delivery=DELIVERY,
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_state_and_history_depend_on_the_changes_alone(
    shop: Loading,
    begin: dict[int, dict[str, Any]],
    logged: list[int],
    steps: list[Any],
    delivery: Delivery,
) -> None:
    source = SourceDatabase()
    source.start(begin, logged)
    source.follow(steps)
    lines = source.lines()
    start_over(shop)
    for path, part in delivery.files(lines):
        shop.put_and_load({path: part})
    assert state(shop) == (source.items, +source.log)
    delivered = history(shop)
    assert_continuous(delivered)
    start_over(shop)
    shop.put_and_load({"cdc/shop/part-0.jsonl": lines})
    assert state(shop) == (source.items, +source.log)
    if not delivery.again or ("snapshot_rows" not in {s[0] for s in steps if isinstance(s, tuple)}):
        # a replay loaded before what it repeats moves rows that have their place from the stream
        assert history(shop) == delivered
