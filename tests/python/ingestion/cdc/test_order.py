"""Order (rules 50, 51, 56): by each connector's log, across files that repeat each other, across a new log.

What the generated histories of `test_any_history` cannot say, because their source has one log and one
stream. Two tenants throughout.
"""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.python.ingestion.cdc.conftest import Loading

pytestmark = pytest.mark.slow

CONTRACT = """
kind: cdc
product: shop
tables:
  t:
    primary_key: [id]
    tenant: org
    columns: {id: integer, org: integer, v: text, big: text}
"""
AT_MS = 1_790_000_000_000
Record = dict[str, Any]


class Shop:
    """A warehouse that is given files, and the histories it makes of them."""

    def __init__(self, loading: Loading, folder: Path) -> None:
        self.folder = folder
        self.contract(CONTRACT)
        settings = replace(loading.warehouse.settings, contracts=(folder,))
        self.loading = Loading(replace(loading.warehouse, settings=settings))

    def contract(self, text: str) -> None:
        (self.folder / "shop.yml").write_text(text)

    def load(self, **files: Sequence[Record]) -> None:
        for name, records in files.items():
            lines = [json.dumps(record).encode() for record in records]
            self.loading.put_and_load({f"cdc/shop/{name}.jsonl": lines})

    def history(self, key: int = 1) -> list[str]:
        """The values of a row, after its times were held against each other."""
        rows = self.loading.rows(
            "select v, valid_from, valid_to from raw_cdc.shop__t_history"
            f" where id = {key} order by valid_from"
        )
        for before, after in itertools.pairwise(rows):
            assert before[2] == after[1]
        return [value for value, *_ in rows]

    def drift(self) -> set[str]:
        return {kind for (kind,) in self.loading.rows("select kind from ops.schema_drift")}


@pytest.fixture
def shop(loading: Callable[..., Loading], tmp_path: Path) -> Shop:
    return Shop(loading(), tmp_path)


def change(op: str, value: str, lsn: int | None, at: int, key: int = 1, **more: Any) -> Record:
    """A change at a place in Postgres' log, or without one: a row of an incremental snapshot."""
    row = {"id": key, "org": key % 2, "v": value, "big": more.pop("big", "x")}
    source = {"connector": "postgresql", "db": "app", "schema": "public", "table": "t", "lsn": lsn,
              "txId": lsn, "ts_ms": AT_MS + at,
              "snapshot": "false" if lsn else "incremental", **more}  # fmt: skip
    value_ = {"before": None, "after": None if op == "d" else row, "op": op, "source": source,
              "ts_ms": AT_MS + at + 5}  # fmt: skip
    return {"topic": "app.public.t", "key": {"id": key}, "value": value_}


A, B, C, D = (change("u", v, 100 * n, n) for n, v in enumerate("abcd", start=1))
AGAIN = change("r", "c", None, 350)  # the incremental snapshot between c and d
OTHER = change("c", "other", 50, 0, key=2)  # another tenant's
STREAM = [OTHER, A, B, C, AGAIN, D]


@pytest.mark.parametrize(
    "files",
    [
        {"dump": STREAM[:5], "dump-again": STREAM},
        {"dump": STREAM[:5], "0": STREAM},
        {"a": STREAM, "zz": STREAM},
        {"part-1": STREAM[:4], "part-2": STREAM[4:], "again": STREAM},
        {"part-1": STREAM[:4], "part-2": STREAM[4:], "z-1": STREAM[:4], "z-2": STREAM[4:]},
        {"part-1": STREAM[:4], "part-2": [AGAIN], "part-3": [D], "a": [AGAIN, D]},
        {"part-2": STREAM[4:], "part-1": STREAM[:4]},
        {
            "part-3": [D],
            "part-2": [AGAIN],
            "part-1": STREAM[:4],
            "0-1": STREAM[:3],
            "0-2": STREAM[3:],
        },
        {"retained": STREAM[3:], "all": STREAM},
    ],
    ids=", ".join,
)
def test_a_stream_delivered_again_under_any_name(
    shop: Shop, files: dict[str, list[Record]]
) -> None:
    shop.load(**files)
    assert shop.history() == ["a", "b", "c", "d"]
    assert shop.history(2) == ["other"]
    assert "log_restarted" not in shop.drift()


def test_a_snapshot_row_that_shows_something_new_begins_a_version(shop: Shop) -> None:
    shop.load(a=[A, change("r", "b", None, 2), change("r", "b", None, 2), C])
    assert shop.history() == ["a", "b", "c"]


def test_a_new_snapshot_of_known_rows_begins_no_version(shop: Shop) -> None:
    shop.load(
        a=[OTHER, A, B],
        b=[change("r", "b", 300, 300, snapshot="first"),
           change("r", "new", 300, 300, key=2, snapshot="last")],
        c=[change("u", "e", 400, 400)],
    )  # fmt: skip
    assert shop.history() == ["a", "b", "e"]
    assert shop.history(2) == ["other", "new"]


def test_a_snapshot_row_is_held_against_values_that_were_not_sent_again(shop: Shop) -> None:
    kept = change("u", "b", 200, 2, big="__debezium_unavailable_value")
    shop.load(a=[A, kept, change("r", "b", None, 250), change("r", "b", None, 260, big="y")])
    rows = shop.loading.rows(
        "select v, big from raw_cdc.shop__t_history where id = 1 order by valid_from"
    )
    assert rows == [("a", "x"), ("b", "x"), ("b", "y")]


def test_a_store_of_before_files_were_remembered_goes_on(shop: Shop) -> None:
    shop.load(**{"part-1": STREAM[:4]})
    with shop.loading.connect() as conn:
        conn.execute("truncate raw_cdc.stream_files")
        conn.execute("update raw_cdc.folded_tables set fingerprint = 'of another form'")
    shop.load(**{"part-2": STREAM[4:]})
    assert shop.history() == ["a", "b", "c", "d"]
    positions = shop.loading.rows(
        "select count(*) from raw_cdc.changes where op = 'r' and position > '\\x00'::bytea"
    )
    assert positions == [(1,)]


LOGS: dict[str, list[Record]] = {
    # each in the order of its commits; the later the file's name, the earlier the commit
    "mysql": [
        {"file": "bin.000009", "pos": 900, "row": 0}, {"file": "bin.000010", "pos": 4, "row": 0},
        {"file": "bin.000010", "pos": 4, "row": 1},
    ],
    "sqlserver": [
        {"commit_lsn": "00000027:00000200:0002", "change_lsn": "00000027:000001f0:0003",
         "event_serial_no": 1},
        {"commit_lsn": "00000028:00000100:0002", "change_lsn": "00000028:000000e0:0001",
         "event_serial_no": 2},
        {"commit_lsn": "00000028:00000100:0002", "change_lsn": "00000028:000000f0:0003",
         "event_serial_no": 1},
    ],
    "oracle": [
        {"scn": "150", "commit_scn": "160", "rs_id": " 0x000012.00000345.0010 ", "ssn": 0},
        {"scn": "100", "commit_scn": "170", "rs_id": " 0x000012.00000300.0010 ", "ssn": 0},
        {"scn": "100", "commit_scn": "170", "rs_id": " 0x000012.00000301.0010 ", "ssn": 0},
    ],
    "db2": [
        {"commit_lsn": "00000000:00000000:0000000000000200", "change_lsn": "00000000:00000000:01"},
        {"commit_lsn": "00000000:00000000:0000000000000300", "change_lsn": "00000000:00000000:0a"},
        {"commit_lsn": "00000000:00000000:0000000000000300", "change_lsn": "00000000:00000000:0b"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("connector", LOGS)
def test_each_log_has_its_order(shop: Shop, connector: str) -> None:
    home = {"mysql": "app", "sqlserver": "dbo"}.get(connector, "APP")
    shop.contract(CONTRACT.replace("tables:", f"schema: {home}\ntables:"))
    schema = {} if connector == "mysql" else {"schema": home}
    records = [
        change("u", value, None, 5, connector=connector, db="app", snapshot="false", **place)
        for value, place in zip("abc", LOGS[connector], strict=True)
    ]
    for record in records:
        source = record["value"]["source"]
        del source["lsn"], source["schema"]
        source.update(schema)
    for at, record in enumerate(records):
        record["value"]["source"]["ts_ms"] += at
    for name, record in zip("321", records, strict=True):
        shop.load(**{name: [record]})
    assert shop.history() == ["a", "b", "c"]
    assert shop.drift() == set()


def moved(value: str, lsn: int, at: int, op: str = "u", key: int = 1) -> Record:
    return change(op, value, lsn, at, key)


NEW_SERVER = [moved("e", 10, 10_000, "r"), moved("f", 20, 11_000), moved("new", 15, 10_500, key=2)]


@pytest.mark.parametrize("is_one_file", [True, False])
def test_a_log_that_begins_anew_is_told_and_put_behind(shop: Shop, is_one_file: bool) -> None:
    files = {"a": STREAM + NEW_SERVER} if is_one_file else {"a": STREAM, "b": NEW_SERVER}
    shop.load(**files)
    assert shop.drift() == {"log_restarted"}
    shop.contract(CONTRACT.replace("tables:", "log_restarts: ['2026-09-21T14:13:25Z']\ntables:"))
    assert not any("reload" in note for note in shop.loading.load().notes)
    assert shop.history() == ["a", "b", "c", "d", "e", "f"]
    assert shop.history(2) == ["other", "new"]
    shop.load(c=[moved("g", 30, 12_000), D], d=NEW_SERVER)  # declared, and an old change again
    assert shop.history() == ["a", "b", "c", "d", "e", "f", "g"]
    assert shop.loading.rows("select kind from ops.schema_drift where settled_at is null") == []


def test_an_old_file_that_comes_late_is_no_new_log(shop: Shop) -> None:
    shop.load(b=[C, D], a=[OTHER, A, B])
    assert shop.drift() == set()
    assert shop.history() == ["a", "b", "c", "d"]
