"""What the real Debezium engine recorded, against the contents of the real tables it recorded.

Keys and every contracted column of every table, however the recording is cut and ordered.
"""

import csv
import random
from collections.abc import Callable, Iterable

import psycopg
import pytest
import yaml

from ingestion.cdc.contract import CdcContract
from tests.python.ingestion.cdc.conftest import DUMP, DUMP_PACK, Loading
from tests.shared_data import shared

pytestmark = pytest.mark.slow

CONTRACT = CdcContract.model_validate(yaml.safe_load((DUMP_PACK / "appdb.yml").read_text()))
# Where Debezium renders a type otherwise than COPY did for the expected files: what both mean.
# An interval's months travel as 30.4375 days, a time with zone in UTC, a point as {x, y}.
EXPECTED_AS = {
    ("edge_types", "m"): "m::money::numeric",
    ("shifts", "geo"): "translate(geo, '()', '[]')::jsonb",
    ("habits", "remind_tz"): "remind_tz::timetz at time zone 'UTC'",
    ("habits", "cadence"): "extract(epoch from cadence::interval)"
    " + extract(month from cadence::interval) * 0.4375 * 86400",
}
ACTUAL_AS = {
    (
        "shifts",
        "geo",
    ): "case when geo is not null then jsonb_build_array(geo -> 'x', geo -> 'y') end",
    ("habits", "remind_tz"): "remind_tz at time zone 'UTC'",
    ("habits", "cadence"): "extract(epoch from cadence)",
}


def differences(conn: psycopg.Connection, table: str) -> dict[str, int]:
    """Per column of a table, how many of its values are not those of the source; {} is equal."""
    path = shared(f"{DUMP}/state_after_part1/{table}.csv")
    with path.open(newline="") as file:
        header = next(csv.reader(file))
    conn.execute("drop table if exists expected")
    listed = ", ".join(f'"{name}" text' for name in header)
    conn.execute(f"create temp table expected ({listed})".encode())
    with conn.cursor().copy(
        "copy expected from stdin with (format csv, header true, null '\\N')"
    ) as copy:
        copy.write(path.read_bytes())
    contract = CONTRACT.tables[table]

    def expected(name: str) -> str:
        return EXPECTED_AS.get((table, name), f'"{name}"::{contract.columns[name].type}')

    def actual(name: str) -> str:
        return ACTUAL_AS.get((table, name), f'"{name}"')

    found: dict[str, int] = {}
    for name in ("*", *contract.columns):  # "*": the keys and their number
        columns = [*contract.primary_key] if name == "*" else [*contract.primary_key, name]
        if not columns:
            columns = list(contract.columns)
        ours = ", ".join(map(actual, columns))
        theirs = ", ".join(map(expected, columns))
        query = (
            f"select count(*) from ("
            f"(select {ours} from raw_cdc.appdb__{table} except all select {theirs} from expected)"
            f" union all "
            f"(select {theirs} from expected except all select {ours} from raw_cdc.appdb__{table})"
            ") as different"
        )
        row = conn.execute(query.encode()).fetchone()
        if row and row[0]:
            found[name] = row[0]
    return found


def assert_state(loading: Loading) -> None:
    with loading.connect() as conn:
        wrong = {table: d for table in CONTRACT.tables if (d := differences(conn, table))}
    assert wrong == {}


def assert_history(loading: Loading) -> None:
    """Rule 56: from < to, no overlap, a gap only after a row's end, one current version each."""
    for table in CONTRACT.tables:
        history = f"raw_cdc.appdb__{table}_history"
        broken = loading.rows(
            f"""
            select * from (
                select *, lead(valid_from) over (partition by _key order by valid_from) as next_from
                from {history}
            ) as versions
            where valid_to <= valid_from
                or (next_from is not null and valid_to is null)
                or next_from < valid_to
                or (next_from > valid_to and not is_deleted)
                or (is_current and is_deleted)
            """
        )
        assert broken == [], table
        current = loading.rows(
            f"select count(*), count(distinct _key) from {history} where is_current"
        )
        assert current == loading.rows(f"select count(*), count(*) from raw_cdc.appdb__{table}"), (
            table
        )


def pieces(lines: list[bytes], count: int, prefix: str) -> dict[str, list[bytes]]:
    size = -(-len(lines) // count)
    return {
        f"cdc/appdb/{prefix}-{number + 1}.jsonl": lines[number * size : (number + 1) * size]
        for number in range(count)
    }


def in_order(files: Iterable[str], seed: int) -> list[str]:
    order = list(files)
    random.Random(seed).shuffle(order)
    return order


def test_whole(loading: Callable[..., Loading], dump_lines: list[bytes]) -> None:
    one = loading(DUMP_PACK)
    report = one.put_and_load({"cdc/appdb/part1.jsonl": dump_lines})
    assert_state(one)
    assert_history(one)
    counts = report.source("cdc", "appdb")
    assert (counts.records, counts.rejected, counts.duplicates) == (12_581, 0, 861)
    assert counts.stored + counts.duplicates + counts.ignored == counts.records
    assert one.rows("select count(*) from raw_cdc.changes")[0][0] == counts.stored


def test_fifty_files_shuffled_and_all_twice(
    loading: Callable[..., Loading], dump_lines: list[bytes]
) -> None:
    """Rules 50 and 51: fifty numbered files, one by one in any order; then everything again, whole
    and cut otherwise, which changes nothing."""
    one = loading(DUMP_PACK)
    files = pieces(dump_lines, 50, "piece")
    for path in in_order(files, seed=11):
        one.put_and_load({path: files[path]})
    assert_state(one)
    assert_history(one)
    before = fingerprint(one)
    again = pieces(dump_lines, 7, "again") | {"cdc/appdb/whole.jsonl": dump_lines}
    for path in in_order(again, seed=12):
        one.put_and_load({path: again[path]})
    assert fingerprint(one) == before
    whole = loading(DUMP_PACK)
    whole.put_and_load({"cdc/appdb/part1.jsonl": dump_lines})
    assert fingerprint(whole) == before


def fingerprint(loading: Loading) -> dict[str, str]:
    """State and history of every table, but for the load that brought a row."""
    found = {}
    for table in CONTRACT.tables:
        row = loading.rows(
            f"select md5(coalesce(string_agg(row_text, '|' order by row_text), ''))"
            f" from (select cast(to_jsonb(h) - '_load_id' as text) as row_text"
            f" from raw_cdc.appdb__{table}_history as h) as texts"
        )
        found[table] = row[0][0]
    return found
