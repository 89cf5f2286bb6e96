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


def tell_who_they_are(before: Path, later: Path) -> None:
    """A day after KNOWN_AT: two who pay in an app store turn out to be one, and a third gives to a fourth."""
    known_ms = int(KNOWN_AT.timestamp() * 1000)
    paying = set()
    for file in sorted(before.glob("revenuecat/upcoach/*")):
        for line in lines(file):
            try:
                told = json.loads(line)["event"]
            except (KeyError, TypeError, ValueError):
                continue
            is_running = told.get("expiration_at_ms", 0) > known_ms
            if told.get("type") == "RENEWAL" and is_running and told["app_user_id"][0] != "$":
                paying.add(told["app_user_id"])
    one, same, giver, taker = sorted(paying)[:4]
    common = {
        "environment": "PRODUCTION",
        "store": "APP_STORE",
        "event_timestamp_ms": known_ms + 86400000,
    }
    events: list[dict[str, Any]] = [
        {
            "id": "alias",
            "type": "SUBSCRIBER_ALIAS",
            "app_user_id": one,
            "original_app_user_id": one,
            "aliases": [same],
        },
        {
            "id": "transfer",
            "type": "TRANSFER",
            "transferred_from": [giver],
            "transferred_to": [taker],
        },
    ]
    file = later / "revenuecat" / "upcoach" / "told-later.jsonl"
    file.write_text(
        "".join(json.dumps({"event": {**common, **event}}) + "\n" for event in events), "utf-8"
    )


def features(house: House) -> dict[str, Rows]:
    """The feature rows as of KNOWN_AT and earlier, as text."""
    query = f"select t::text from {{}} as t where as_of_at <= '{KNOWN_AT.isoformat()}'"
    return {
        table: Counter(row for (row,) in house.query(query.format(table))) for table in FEATURES
    }


def moved_since(house: House) -> int:
    """Store subscriptions that were another's on a Monday up to KNOWN_AT than on one after it."""
    query = f"""
        select count(distinct (known.account, known.subscription_source_id))
        from intermediate.int_customers__store_customers_as_of as known
        inner join intermediate.int_customers__store_customers_as_of as later
            using (account, subscription_source_id)
        where
            known.as_of_at <= '{KNOWN_AT.isoformat()}'
            and later.as_of_at > '{KNOWN_AT.isoformat()}'
            and known.customer_source_id <> later.customer_source_id
    """
    ((count,),) = house.query(query)
    return int(count)


@pytest.mark.slow
def test_rule_80_records_that_arrive_later_leave_the_features_bit_identical(
    fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    house = House(fresh_database("point_in_time", seeded=True))
    write_sample(tmp_path / "sample", days=DAYS, seed=11, scale=0.25)
    later = tmp_path / "later"
    assert split(tmp_path / "sample" / "landing", house.landing, later) > 1000
    tell_who_they_are(house.landing, later)
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
    assert moved_since(house) >= 2  # by the alias and by the transfer (rule 32)
    for table in FEATURES:
        missing, extra = before[table] - after[table], after[table] - before[table]
        assert not missing and not extra, (
            f"{table}: {sum(missing.values())} rows changed, {sorted(missing)[:2]} became "
            f"{sorted(extra)[:2]}"
        )
        assert sum(house.rows(table).values()) > sum(after[table].values())
