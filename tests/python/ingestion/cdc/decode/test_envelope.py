"""The envelopes of rule 55, and what is in a stream and is no row; positions of rule 50."""

import json
from typing import Any

import pytest

from ingestion.cdc.decode.envelope import Change, NotAChange, read_change
from ingestion.cdc.decode.position import UNPLACED, commit_position, natural_key, partition_lane
from ingestion.values.outcomes import Ignored, Rejected

SOURCE = {
    "schema": "public", "table": "users", "lsn": 100, "txId": 7, "snapshot": "false",
    "sequence": '["90","100"]', "ts_ms": 1_700_000_000_000, "ts_us": 1_700_000_000_000_001,
}  # fmt: skip
VALUE: dict[str, Any] = {
    "before": None, "after": {"id": 1}, "op": "c", "ts_ms": 1_700_000_000_500, "source": SOURCE,
    "transaction": {"id": "7:100", "total_order": 3},
}  # fmt: skip


def outcome_of(record: Any) -> Ignored | Rejected:
    with pytest.raises(NotAChange) as caught:
        read_change(record)
    return caught.value.outcome


def the_same(change: Change) -> None:
    assert (change.table, change.op, change.after) == ("users", "c", {"id": 1})
    assert change.committed_us == 1_700_000_000_000_001
    assert change.received_us == 1_700_000_000_500_000
    assert (change.lsn, change.transaction_id, change.transaction_order) == (100, 7, 3)


def test_bare_wrapped_and_with_schema() -> None:
    the_same(read_change(VALUE))
    the_same(read_change({"topic": "app.public.users", "key": {"id": 1}, "value": VALUE}))
    the_same(read_change({"schema": {"type": "struct"}, "payload": VALUE}))
    wrapped = {"schema": {}, "payload": VALUE}
    change = read_change({"key": {"schema": {}, "payload": {"id": 1}}, "value": wrapped})
    the_same(change)
    assert change.key == {"id": 1}
    the_same(read_change({"topic": "t", "key": '{"id":1}', "value": json.dumps(VALUE)}))


def test_flattened() -> None:
    row = {"id": 1, "v": "a", "__deleted": "false", "__op": "u", "__table": "users",
           "__source_ts_ms": 1_700_000_000_000, "__lsn": 100}  # fmt: skip
    change = read_change(row)
    assert (change.table, change.op, change.after) == ("users", "u", {"id": 1, "v": "a"})
    assert change.position != UNPLACED
    deleted = read_change({**row, "__deleted": "true"})
    assert (deleted.op, deleted.after) == ("d", None)
    bare = read_change({"topic": "app.public.users", "value": {"id": 1, "v": "a"}})
    assert (bare.table, bare.op, bare.position) == ("users", "u", UNPLACED)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"topic": "app.public.users", "key": {"id": 1}, "value": None}, "tombstone"),
        ({"topic": "__debezium-heartbeat.app", "key": {}, "value": {"ts_ms": 1}}, "heartbeat"),
        ({"ts_ms": 1}, "heartbeat"),
        ({"status": "BEGIN", "id": "7:100", "event_count": None}, "transaction marker"),
        ({"op": "m", "source": SOURCE, "message": {"prefix": "x"}}, "message"),
        ({"databaseName": "app", "ddl": "create table", "source": {}}, "schema change"),
    ],
)
def test_what_is_no_row_is_ignored(record: Any, reason: str) -> None:
    assert outcome_of(record) == Ignored(reason)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ([1], "not_an_object"),
        ({"topic": "t", "value": "text"}, "not_an_object"),
        ({**VALUE, "op": "x"}, "unknown_operation"),
        ({name: value for name, value in VALUE.items() if name != "op"}, "no_operation"),
        ({**VALUE, "after": None}, "bad_envelope"),
        ({**VALUE, "after": [1]}, "bad_envelope"),
        ({**VALUE, "source": {**SOURCE, "lsn": "x"}}, "bad_position"),
        ({**VALUE, "source": {**SOURCE, "sequence": "["}}, "bad_position"),
        ({**VALUE, "source": {**SOURCE, "lsn": -1}}, "bad_position"),
    ],
)
def test_what_is_broken_says_how(record: Any, code: str) -> None:
    outcome = outcome_of(record)
    assert isinstance(outcome, Rejected)
    assert outcome.reason_code == code and outcome.reason.endswith(".")


def position(lsn: int, last_commit: int | None, order: int = 1, snapshot: str = "false") -> str:
    sequence = json.dumps([None if last_commit is None else str(last_commit), str(lsn)])
    source = {"lsn": lsn, "sequence": sequence, "snapshot": snapshot, "ts_ms": 5}
    return commit_position(source, {"total_order": order})


def test_commits_order_changes_and_not_their_places_in_the_log() -> None:
    """From the recorded dump: transaction 2273 committed before 2272, whose change lies earlier."""
    first, second = position(61_795_400, 61_793_280), position(61_793_280, 61_797_056)
    assert first < second


def test_a_snapshot_lies_between_the_changes_before_and_after_it() -> None:
    snapshot = position(1000, None, snapshot="true")
    assert position(990, 900) < snapshot < position(1000, None) < position(1100, 1050)
    assert position(990, 995) < snapshot  # its own commit came before 1000
    assert snapshot < position(950, 1000)  # begun before it, committed after it


def test_within_a_transaction_its_own_order_counts() -> None:
    assert position(100, 90, order=2) < position(100, 90, order=10)


def test_an_incremental_snapshot_has_no_position() -> None:
    assert commit_position({"lsn": None, "snapshot": "incremental"}, None) == UNPLACED


def test_binlog_positions() -> None:
    def at(file: str, place: int, snapshot: bool = False) -> str:
        return commit_position({"file": file, "pos": place, "row": 0, "snapshot": snapshot}, None)

    assert at("mysql-bin.000009", 900) < at("mysql-bin.000010", 4)
    assert at("mysql-bin.000010", 4, snapshot=True) < at("mysql-bin.000010", 4)


def test_files_sort_naturally() -> None:
    names = ["part-2.jsonl", "part-10.jsonl.gz", "part-010b.jsonl", "part-100.jsonl"]
    shuffled = [names[2], names[0], names[3], names[1]]
    assert sorted(shuffled, key=natural_key) == names
    assert natural_key("a.jsonl.gz") == natural_key("a.jsonl")
    assert sorted([partition_lane(10), partition_lane(2)])[0] == partition_lane(2)
