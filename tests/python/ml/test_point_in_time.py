"""Rule 80 through the real loader and the real models: what arrives later changes no feature."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator import write_sample
from tallyhouse.database import Warehouse
from tests.python.marts.house import House, Rows

FEATURES = ("features.feat_customer_churn__customers", "features.feat_shift_fill__shifts")
DAYS = 63
END = datetime(2026, 10, 29, tzinfo=UTC)
KNOWN_AT = END - timedelta(days=14)


def instant(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def received_at(kind: str, record: Any) -> datetime | None:
    """When a record of the landing folder arrived; None when it does not say."""
    try:
        if kind == "events":
            return instant(record.get("received_at") or record["timestamp"])
        if kind == "stripe":
            return datetime.fromtimestamp(record["created"], UTC)
        if kind == "revenuecat":
            return datetime.fromtimestamp(record["event"]["event_timestamp_ms"] / 1000, UTC)
        return datetime.fromtimestamp(record["value"]["ts_ms"] / 1000, UTC)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def lines(file: Path) -> Iterator[str]:
    raw = file.read_bytes()
    if file.suffix == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError):
            return
    yield from (line for line in raw.decode("utf-8", "replace").split("\n") if line.strip())


def split(source: Path, before: Path, after: Path) -> int:
    """Put each record into one of two landing folders by its arrival; gives how many are later."""
    later = 0
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        relative = file.relative_to(source)
        parts: dict[Path, list[str]] = {before: [], after: []}
        for line in lines(file):
            try:
                when = received_at(relative.parts[0], json.loads(line))
            except ValueError:
                when = None
            is_later = when is not None and when > KNOWN_AT
            parts[after if is_later else before].append(line)
            later += is_later
        for folder, kept in parts.items():
            if kept:
                target = folder / relative.with_name(relative.name.removesuffix(".gz"))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text("\n".join(kept) + "\n", "utf-8")
    return later


def features(house: House) -> dict[str, Rows]:
    """The feature rows as of KNOWN_AT and earlier, as text."""
    query = f"select t::text from {{}} as t where as_of_at <= '{KNOWN_AT.isoformat()}'"
    return {
        table: Counter(row for (row,) in house.query(query.format(table))) for table in FEATURES
    }


@pytest.mark.slow
def test_rule_80_records_that_arrive_later_leave_the_features_bit_identical(
    fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    house = House(fresh_database("point_in_time", seeded=True))
    write_sample(tmp_path / "sample", days=DAYS, seed=11, scale=0.25)
    later = tmp_path / "later"
    assert split(tmp_path / "sample" / "landing", house.landing, later) > 1000
    house.load()
    house.build(("+path:models/features",), as_of=KNOWN_AT.isoformat())
    before = features(house)
    assert all(sum(rows.values()) > 50 for rows in before.values())

    later.rename(house.landing / "unused")  # a sibling first, then into place, file by file
    for file in sorted((house.landing / "unused").rglob("*.jsonl")):
        target = house.landing / file.relative_to(house.landing / "unused")
        file.rename(target.with_name(f"later-{target.name}"))
    house.load()
    house.build(("+path:models/features",), as_of=END.isoformat())
    after = features(house)
    for table in FEATURES:
        missing, extra = before[table] - after[table], after[table] - before[table]
        assert not missing and not extra, (
            f"{table}: {sum(missing.values())} rows changed, {sorted(missing)[:2]} became "
            f"{sorted(extra)[:2]}"
        )
        assert sum(house.rows(table).values()) > sum(after[table].values())
