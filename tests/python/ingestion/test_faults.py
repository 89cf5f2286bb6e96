"""Killed loaders, two loaders at once, lost connections, junk: nothing lost, nothing doubled."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ingestion.landing.containers import is_packed
from ingestion.load import load_all
from ingestion.load_errors import LoadError
from tests.patience import PATIENCE
from tests.python.ingestion.conftest import Loading, line, wait_for_nobody

pytestmark = pytest.mark.slow

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking over a database takes minutes
FILES, LINES = 6, 4000

LOADER = """
import sys
from dataclasses import replace
from pathlib import Path
import psycopg
from ingestion.load import load_all
from tallyhouse.settings import Settings
url, landing, lake, key = sys.argv[1:5]
settings = replace(Settings.from_env({}), landing=landing, lake=lake, pii_key_file=Path(key))
load_all(lambda **options: psycopg.connect(url, **options), settings, processes=int(sys.argv[5]))
"""


def start(loading: Loading, processes: int = 2) -> "subprocess.Popen[bytes]":
    s = loading.settings
    return subprocess.Popen(
        [sys.executable, "-c", LOADER, loading.warehouse.url, s.landing, s.lake,
         str(s.pii_key_file), str(processes)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


def many_files(loading: Loading) -> None:
    """Files of events over some days, each event in two files, some lines broken."""
    for number in range(FILES):
        first = number * LINES // 2
        lines = [
            line(n, occurred_at=f"2026-03-{1 + n % 9:02d}T10:00:00Z")
            for n in range(first, first + LINES)
        ]
        lines[7] = b"junk"
        loading.put(f"events/upcoach/{number}.jsonl", lines)


def test_killed_five_times_it_ends_like_an_undisturbed_load(loading: Loading) -> None:
    many_files(loading)
    loading.load()
    undisturbed, counts = loading.events(), loading.rejections()
    assert len(undisturbed) == loading.one("select sum(stored_count) from ops.load_manifest")

    with loading.warehouse.connect() as conn:
        from tests.python.ingestion.conftest import empty_tables

        empty_tables(conn)
    chance = random.Random(4)
    kills = 0
    for _ in range(5):
        loader = start(loading)
        try:
            loader.wait(chance.uniform(0.5, 1.6))
        except subprocess.TimeoutExpired:
            loader.send_signal(signal.SIGKILL)
            kills += 1
        loader.wait()
        wait_for_nobody(loading.rows)
        assert loading.one("select count(*) from raw_events.events") == loading.one(
            "select coalesce(sum(stored_count - replaced_count), 0) from ops.load_manifest"
        )  # whole files only
    assert kills
    loading.load()
    assert loading.events() == undisturbed
    assert loading.rejections() == counts
    assert loading.unaccounted() == 0
    lake = list(Path(loading.settings.lake).rglob("*.parquet"))
    assert sum(pq.ParquetFile(path).metadata.num_rows for path in lake) == len(undisturbed)
    assert not list(Path(loading.settings.lake).rglob("*.tmp"))


def test_two_loaders_at_once(loading: Loading) -> None:
    many_files(loading)
    loaders = [start(loading), start(loading)]
    assert [loader.wait(PATIENCE) for loader in loaders] == [0, 0]
    assert loading.one("select count(*) from ops.load_manifest") == FILES
    both = loading.events()
    loading.reset()
    many_files(loading)
    loading.load()
    assert loading.events() == both


def test_parallel_parsing_changes_nothing(loading: Loading) -> None:
    for number in range(3):
        lines = [line(number * 20_000 + n, occurred_at=f"2026-03-0{1 + n % 9}T10:00:00Z")
                 for n in range(20_000)]  # fmt: skip
        loading.put(f"events/upcoach/{number}.jsonl", lines)
    load_all(loading.warehouse.connect, loading.settings, processes=3)
    parallel = loading.one("select md5(string_agg(content_hash::text, '' order by event_id))"
                           " from raw_events.events")  # fmt: skip
    with loading.warehouse.connect() as conn:
        from tests.python.ingestion.conftest import empty_tables

        empty_tables(conn)
    loading.load()
    assert parallel == loading.one(
        "select md5(string_agg(content_hash::text, '' order by event_id)) from raw_events.events"
    )


def test_a_connection_cut_in_mid_load_is_a_sentence_and_loses_nothing(loading: Loading) -> None:
    many_files(loading)
    cut = threading.Event()

    def connect(**options: Any) -> psycopg.Connection[Any]:
        conn = loading.warehouse.connect(**options)
        pid = conn.info.backend_pid

        def kill() -> None:
            with loading.warehouse.connect(autocommit=True) as other:
                while not cut.is_set():
                    if other.execute("select count(*) from ops.load_manifest").fetchone() != (0,):
                        other.execute("select pg_terminate_backend(%s)", (pid,))
                        cut.set()

        threading.Thread(target=kill, daemon=True).start()
        return conn

    with pytest.raises(LoadError, match="run again"):
        load_all(connect, loading.settings, processes=1)
    cut.set()
    assert loading.unaccounted() == 0
    loading.load()
    interrupted = loading.events()
    loading.reset()
    many_files(loading)
    loading.load()
    assert loading.events() == interrupted


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from([
    "event_id", "event_name", "occurred_at", "received_at", "tenant_id", "user_id", "session_id",
    "anonymous_id", "source", "schema_version", "context", "properties", "event_domain",
])  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good line with some fields replaced by anything, or with some bytes changed."""
    raw = line(draw(st.integers(1, 50)), **draw(st.dictionaries(FIELDS, JSON, max_size=3)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(raw)))
        raw = raw[:place] + draw(st.binary(max_size=3)) + raw[place + draw(st.integers(0, 2)) :]
    return raw


@given(st.lists(st.binary(max_size=60) | mutated(), max_size=60))
@example([b"SQLite format 3\x00"])
@example([b"\xef\xbb\xbf", b"", line(1), b"Obj\x02"])
@settings(
    max_examples=25,
    deadline=None,
    phases=QUICK,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_comes_every_line_is_accounted_for(loading: Loading, lines: list[bytes]) -> None:
    loading.reset()
    loading.put("events/upcoach/a.jsonl", lines)
    report = loading.load()
    written = b"\n".join(lines)
    if not is_packed(written):  # an archive, a database, UTF-16: test_containers
        counts = report.sources[("events", "upcoach")]
        due = [one for one in written.removeprefix(b"\xef\xbb\xbf").split(b"\n") if one.strip()]
        assert counts.records == len(due) == counts.stored + counts.duplicates + counts.rejected
    assert loading.unaccounted() == 0
    assert loading.one("select count(*) from ops.rejected_records") == report.rejected


def test_a_line_of_100_megabytes_costs_one_rejection(loading: Loading) -> None:
    long = json.dumps({"event_id": "x" * 100_000_000}).encode()
    loading.put("events/upcoach/a.jsonl", [line(1), long, line(2)])
    report = loading.load()
    assert (report.stored, report.rejected) == (2, 1)
    assert loading.rejections() == [("line_too_long", 2)]
