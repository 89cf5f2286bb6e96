"""What goes wrong around a load: damaged, closed and growing files, a lake that cannot be written."""

import gzip
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingestion import load as course
from ingestion.contracts.model import ContractError
from ingestion.landing.listing import LandingError
from ingestion.parsing import workers
from tests.python.ingestion.conftest import Loading, line

pytestmark = pytest.mark.slow
FOLDER = "events/upcoach"


def test_a_truncated_gz_gives_its_good_part_and_is_not_done(loading: Loading) -> None:
    whole = [line(number) for number in range(3000)]
    path = loading.put(f"{FOLDER}/a.jsonl.gz", whole)
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    report = loading.load()
    assert 0 < report.stored < 3000
    assert "cut off" in report.unreadable[0] and "a.jsonl.gz" in report.unreadable[0]
    again = loading.load()
    assert (again.files_loaded, again.unreadable) == (0, report.unreadable)
    path.write_bytes(good)
    mended = loading.load()
    assert not mended.unreadable
    assert (mended.withdrawn, mended.stored) == (report.stored, 3000)
    assert len(loading.events()) == 3000
    assert loading.one("select count(*) from raw_events.events") == 3000
    assert loading.unaccounted() == 0


def test_a_gz_with_a_wrong_checksum_gives_nothing(loading: Loading) -> None:
    """A changed bit may leave every line readable: only the checksum tells."""
    whole = [line(number) for number in range(3000)]
    path = loading.put(f"{FOLDER}/a.jsonl.gz", whole)
    good = gzip.compress(b"".join(b"%s\n" % one for one in whole), compresslevel=0)
    assert good.count(b'"goal_id": 77}') == 1
    path.write_bytes(good.replace(b'"goal_id": 77}', b'"goal_id": 99}'))
    for _ in range(2):
        report = loading.load()
        assert report.stored == 0
        assert "a.jsonl.gz" in report.unreadable[0] and "damaged" in report.unreadable[0]
    path.write_bytes(good)
    assert loading.load().stored == 3000
    assert loading.one("select count(*) from ops.record_conflicts") == 0
    assert loading.one("select properties ->> 'goal_id' from raw_events.events"
                       " where source_event_id like '%000077'") == "77"  # fmt: skip
    assert loading.unaccounted() == 0


def test_without_ids_a_truncated_file_waits(loading: Loading, tmp_path: Path) -> None:
    from dataclasses import replace

    from tallyhouse.settings import PROJECT_ROOT

    loading.settings = replace(
        loading.settings, contracts=(PROJECT_ROOT / "contracts/examples/cdnow",)
    )
    rows = b"".join(
        b" 0000%d 0001 19970101  2   29.33\n" % (number % 10) for number in range(20_000)
    )
    path = loading.put("events/cdnow/a.txt.gz", b"")
    path.write_bytes(gzip.compress(rows)[:-50])
    assert loading.load().stored == 0
    path.write_bytes(gzip.compress(rows))
    assert loading.load().stored == 20_000  # equal rows are kept


def test_the_lake_holds_exactly_the_accepted_events(loading: Loading) -> None:
    loading.put(f"{FOLDER}/a.jsonl", [line(n, occurred_at=f"2026-03-0{1 + n % 3}T10:00:00Z")
                                      for n in range(30)])  # fmt: skip
    loading.load()
    loading.put(f"{FOLDER}/b.jsonl", [line(n, session_id="", anonymous_id='x"\\,')
                                      for n in range(25, 40)])  # fmt: skip
    loading.load()
    lake = Path(loading.settings.lake)
    tables = [pq.ParquetFile(path).read() for path in lake.rglob("*.parquet")]
    held = sorted(row["event_id"] for table in tables for row in table.to_pylist())
    assert held == [
        str(i) for (i,) in loading.rows("select event_id from raw_events.events order by 1")
    ]
    named = next(row for t in tables for row in t.to_pylist() if row["event_id"].endswith("38"))
    assert named["anonymous_id"] == 'x"\\,' and named["properties"] == '{"goal_id":38}'
    assert not list(lake.rglob("*.tmp"))


def test_a_lake_that_cannot_be_written_is_caught_up(loading: Loading) -> None:
    from dataclasses import replace

    good = loading.settings
    blocked = Path(good.lake).parent / "file"
    blocked.write_text("in the way")
    loading.settings = replace(good, lake=str(blocked))
    loading.put(f"{FOLDER}/a.jsonl", [line(1)])
    report = loading.load()
    assert report.stored == 1 and "lake" in report.unreadable[0]
    blocked.unlink()
    assert loading.load().lake_files == 1


def test_sentences_for_what_cannot_be_read(loading: Loading, tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(LandingError, match="does not exist"):
        loading.settings = replace(loading.settings, landing=str(tmp_path / "nowhere"))
        loading.load()
    with pytest.raises(ContractError, match="TALLYHOUSE_CONTRACTS"):
        loading.settings = replace(
            loading.settings, landing=str(tmp_path), contracts=(tmp_path / "bad",)
        )
        loading.load()


def test_stray_files_are_named_and_harmless(loading: Loading) -> None:
    loading.put("readme.txt", b"hello")
    loading.put("events/upcoach/.hidden", b"x")
    loading.put("events/upcoach/upload.tmp", b"x")
    report = loading.load()
    assert report.files_seen == 0 and len(report.stray) == 1 and "readme.txt" in report.stray[0]


@pytest.mark.parametrize("becomes", [[1, 2], [3]], ids=["longer", "another of the same size"])
@pytest.mark.parametrize("way", ["byte_ranges", "blocks"])
def test_a_file_that_changes_while_it_is_read_counts_next_time(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, way: str, becomes: list[int]
) -> None:
    name = f"{FOLDER}/a.jsonl" + (".gz" if way == "blocks" else "")
    loading.put(name, [line(1)])
    true_way = getattr(course, way)

    def changing(*given: object) -> object:
        yield from true_way(*given)
        loading.put(name, map(line, becomes))

    monkeypatch.setattr(course, way, changing)
    report = loading.load()
    assert report.stored == 0 and "changed" in report.unreadable[0]
    assert loading.events() == []
    monkeypatch.undo()
    assert loading.load().stored == len(becomes)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_file_that_another_replaces_before_a_part_is_read(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    """Same size, same time, another file: neither is mixed with the other."""
    monkeypatch.setattr(workers, "SMALL", 0)
    path = loading.put(f"{FOLDER}/a.jsonl", [line(1)])
    other = loading.put(f"{FOLDER}/a.tmp", [line(2)])
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    os.utime(other, ns=times)
    true_ranges = course.byte_ranges

    def late(*given: object) -> object:
        found = list(true_ranges(*given))  # type: ignore[arg-type]
        if other.exists():
            other.replace(path)
        return iter(found)

    monkeypatch.setattr(course, "byte_ranges", late)
    report = loading.load(processes=processes)
    assert report.stored == 0 and "it is another file now" in report.unreadable[0]
    assert loading.events() == []
    assert loading.load().stored == 1


def test_a_file_without_permission_is_named_and_the_rest_is_loaded(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion.landing import known_digests as hashing

    loading.put(f"{FOLDER}/a.jsonl", [line(1)])
    loading.put(f"{FOLDER}/b.jsonl", [line(2)])
    true_digest = hashing.digest

    def closed(fs: object, path: str) -> object:
        if path.endswith("a.jsonl"):
            raise PermissionError(13, "Permission denied", path)
        return true_digest(fs, path)  # type: ignore[arg-type]

    monkeypatch.setattr(hashing, "digest", closed)
    report = loading.load()
    assert report.stored == 1
    assert "a.jsonl" in report.unreadable[0] and "Permission denied" in report.unreadable[0]
