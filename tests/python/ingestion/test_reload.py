"""Landed files read once more: what they brought is replaced, by today's contracts, all or nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from app.summary import collect
from ingestion.rereading import NothingNamed
from tests.python.ingestion.conftest import OTHER_TENANT, TENANT, Loading, conflict_log, line

pytestmark = pytest.mark.slow
FOLDER = "events/shop"
CONTRACT = """
kind: events
product: shop
common: {colour: any, email: any}
events:
  goal_viewed: {optional: {goal_id: integer}}
"""
WITHOUT_COLOUR = CONTRACT.replace("colour: any, ", "")
STRICT = CONTRACT.replace("optional: {goal_id", "required: {size: any}, optional: {goal_id")


@pytest.fixture
def shop(loading: Loading, tmp_path: Path) -> Loading:
    """A product whose contract the tests change."""
    (tmp_path / "contracts").mkdir()
    loading.settings = replace(loading.settings, contracts=(tmp_path / "contracts",))
    declare(loading, CONTRACT)
    return loading


def declare(loading: Loading, contract: str, name: str = "shop") -> None:
    (loading.settings.contracts[0] / f"{name}.yml").write_text(contract)


def clean(loading: Loading) -> dict[str, Any]:
    """What the warehouse holds of events, but for which load brought it."""
    lake = [
        row
        for path in Path(loading.settings.lake).rglob("*.parquet")
        for row in pq.ParquetFile(path).read(["event_id", "properties"]).to_pylist()
    ]
    return {
        "events": loading.events(),
        "keys": loading.rows(
            "select key, event_date, received_us, content_hash from raw_events.event_keys order by 1"
        ),
        "rejected": loading.rows(
            "select file_path, line_number, reason_code, reason from ops.rejected_records"
            " order by 1, 2"
        ),
        "conflicts": conflict_log(loading),
        "drift": loading.rows(
            "select object_name, field_name, kind, record_count from ops.schema_drift order by 1, 2"
        ),
        "watermarks": loading.rows(
            "select source_kind, source_name, max_received_at::text, max_claimed_at::text"
            " from ops.source_watermarks order by 1, 2"
        ),
        "lake": sorted(lake, key=str),
    }


def loaded_anew(loading: Loading) -> dict[str, Any]:
    """The same of an empty warehouse over the same landing folder."""
    with loading.warehouse.connect() as conn:
        from tests.python.ingestion.conftest import empty_tables

        empty_tables(conn)
    settings = loading.settings
    loading.settings = replace(settings, lake=f"{settings.lake}-anew")
    loading.load()
    found = clean(loading)
    loading.settings = settings
    return found


def two_tenants(first: int, last: int, **changes: Any) -> list[bytes]:
    return [
        line(number, tenant_id=tenant, **changes)
        for number in range(first, last)
        for tenant in (TENANT, OTHER_TENANT)
    ]


def test_a_reload_gives_what_a_clean_load_gives(shop: Loading) -> None:
    """Another reading of every row, rejections that go, drift that is settled."""
    declare(shop, STRICT.replace("colour: any, ", ""))
    shop.put(f"{FOLDER}/a.jsonl", two_tenants(0, 20, properties={"goal_id": 7, "colour": "red"}))
    good = {"goal_id": 7, "size": 3, "colour": "blue"}
    shop.put(f"{FOLDER}/b.jsonl", [*two_tenants(10, 30, properties=good), b"junk"])
    assert shop.load().rejected == 41
    declare(shop, CONTRACT)
    report = shop.reload("shop")
    assert (report.withdrawn, report.rejected, report.unreadable) == (40, 1, [])
    assert shop.unaccounted() == 0
    mended = clean(shop)
    assert len(mended["events"]) == 60
    assert mended == loaded_anew(shop)


def test_ids_that_change_leave_no_row_behind(shop: Loading) -> None:
    """exactdups: a source without ids, whose author then says what an id is."""
    columns = "format: {type: csv, columns: [shopper, day, code]}\nunknown_events: accept\n"
    base = (
        "kind: events\nproduct: shop\nclock: server\n" + columns
        + "properties: {path: null, rest: keep}\n"
        "envelope: {event_name: {constant: bought}, user_id: shopper, %s"
        " occurred_at: {path: day, time_format: '%%Y%%m%%d'}}\n"
    )  # fmt: skip
    declare(shop, base % "")
    shop.put(f"{FOLDER}/a.csv", [b"1,20260301,x", b"1,20260301,x", b"2,20260301,y"])
    assert shop.load().stored == 3
    declare(shop, base % "event_id: code,")
    assert shop.reload("events/shop").stored == 2
    assert clean(shop) == loaded_anew(shop)


def test_what_the_models_must_rebuild_is_named_for_what_goes_and_for_what_comes(
    shop: Loading,
) -> None:
    declare(shop, CONTRACT + "envelope: {event_id: event_id, event_name: event_name,"
            " occurred_at: occurred_at, tenant_id: tenant_id}\nproperties: {rest: keep}\n")  # fmt: skip
    shop.put(f"{FOLDER}/a.jsonl", [
        line(1, when="2026-02-01T00:00:00Z"),
        line(2, tenant_id=OTHER_TENANT, when="2026-02-01T00:00:00Z"),
    ])  # fmt: skip
    shop.load()
    before = shop.one("select max(load_id) from ops.load_manifest")
    declare(shop, CONTRACT + "envelope: {event_id: event_id, event_name: event_name,"
            " occurred_at: when, tenant_id: tenant_id}\nproperties: {rest: keep}\n")  # fmt: skip
    shop.reload("shop")
    touched = shop.rows(
        "select distinct touched_on::text, count(distinct tenant_id) from ops.load_touched"
        " where load_id > %s and load_id <= (select max(load_id) from ops.load_manifest)"
        " group by 1 order by 1", before,
    )  # fmt: skip
    assert touched == [("2026-02-01", 2), ("2026-03-01", 2)]


def test_the_watermark_falls_with_a_wrong_reading(shop: Loading) -> None:
    declare(shop, CONTRACT + "envelope: {event_id: event_id, event_name: event_name, tenant_id:"
            " tenant_id, occurred_at: {path: t, time_format: epoch_s},"
            " received_at: {path: t, time_format: epoch_s}}\nproperties: {rest: keep}\n")  # fmt: skip
    shop.put(f"{FOLDER}/a.jsonl", [line(1, t=2_500_000_000), line(2, tenant_id=OTHER_TENANT, t=5)])
    shop.load()
    watermark = "select max_received_at::text from ops.source_watermarks"
    assert shop.one(watermark).startswith("2049-")
    declare(shop, CONTRACT)
    shop.reload("shop")
    assert shop.one(watermark) == "2026-03-01 10:00:05+00"


def test_a_file_is_read_with_those_that_share_its_records(shop: Loading) -> None:
    """The copy in another file takes the place of one that is refused now."""
    early = {"received_at": "2026-03-01T10:00:01Z", "properties": {"goal_id": 1}}
    shop.put(f"{FOLDER}/early.jsonl", two_tenants(0, 3, **early))
    shop.put(f"{FOLDER}/late.jsonl", two_tenants(0, 3, properties={"goal_id": 2, "size": 1}))
    shop.load()
    assert len(conflict_log(shop)) == 6
    declare(shop, STRICT)
    report = shop.reload(f"{FOLDER}/early.jsonl")
    assert report.files_loaded == 2
    mended = clean(shop)
    assert len(mended["events"]) == 6 and mended["conflicts"] == []
    assert mended == loaded_anew(shop)


def test_files_that_are_gone_are_named_and_keep_their_rows(shop: Loading) -> None:
    declare(shop, WITHOUT_COLOUR)
    gone = shop.put(f"{FOLDER}/gone.jsonl", two_tenants(0, 2, properties={"colour": "red"}))
    changed = shop.put(f"{FOLDER}/changed.jsonl", two_tenants(2, 4))
    shop.put(f"{FOLDER}/there.jsonl", two_tenants(4, 6))
    shop.load()
    gone.unlink()
    changed.write_bytes(b"\n".join(two_tenants(8, 9)))
    declare(shop, CONTRACT)
    report = shop.reload("events")
    assert report.unreadable == [
        f"{FOLDER}/changed.jsonl has another content than when it was loaded; what it brought stays as"
        " it was read.",
        f"{FOLDER}/gone.jsonl is gone from the landing folder; what it brought stays as it was read.",
    ]
    assert len(shop.events()) == 14
    assert shop.unaccounted() == 0


def test_a_source_that_nobody_declares_any_more_keeps_its_rows(shop: Loading) -> None:
    shop.put(f"{FOLDER}/a.jsonl", two_tenants(0, 2))
    shop.load()
    (shop.settings.contracts[0] / "shop.yml").unlink()
    report = shop.reload("shop")
    assert "nobody declares any more" in report.unreadable[0]
    assert len(shop.events()) == 4


@pytest.mark.parametrize("word", ["nothing", "events/nobody", "events/shop/b.jsonl"])
def test_what_nobody_landed_is_refused_with_a_sentence(shop: Loading, word: str) -> None:
    shop.put(f"{FOLDER}/a.jsonl", [line(1)])
    shop.load()
    with pytest.raises(NothingNamed, match=f"answers to '{word}'"):
        shop.reload(word)


@pytest.mark.parametrize("word", ["events", "shop", "events/shop", f"{FOLDER}/sub",
                                  f"{FOLDER}/sub/*.jsonl", "path", "landing"])  # fmt: skip
def test_a_file_is_found_by_each_of_its_names(shop: Loading, word: str) -> None:
    path = shop.put(f"{FOLDER}/sub/a.jsonl", [line(1)])
    shop.put("events/upcoach/a.jsonl", [line(2)])
    shop.load()
    names = {"path": str(path), "landing": str(shop.landing)}
    assert shop.reload(names.get(word, word)).stored == (2 if word in ("events", "landing") else 1)


def test_a_changed_contract_says_what_it_changes_until_it_is_reloaded(shop: Loading) -> None:
    shop.put(f"{FOLDER}/a.jsonl", [line(1, properties={"goal_id": "7"}),
                                   line(2, tenant_id=OTHER_TENANT)])  # fmt: skip
    shop.put("events/upcoach/a.jsonl", [line(1)])
    assert shop.load().notes == []
    declare(
        shop, CONTRACT.replace("integer", "any").replace("product", "description: words\nproduct")
    )
    (note,) = shop.load().notes
    assert note == (
        "events/shop: 1 file was read under another form of the contract events/shop"
        ' (goal_viewed.optional.goal_id.type was "integer", is no longer named). What was read so stays until'
        " `tallyhouse reload events/shop` reads it again."
    )
    assert shop.load().notes == [note]
    assert shop.reload("events/shop").notes == []
    assert shop.load().notes == []


def test_what_a_contract_says_of_others_makes_nothing_due(shop: Loading) -> None:
    shop.put(f"{FOLDER}/a.jsonl", two_tenants(0, 2))
    shop.load()
    declare(shop, CONTRACT + "  goal_dropped: {}\n")
    assert shop.load().notes == []
    stripe = {"object": "event", "type": "customer.created", "created": 1772000000}
    stripe["livemode"] = True
    stripe["data"] = {"object": {"object": "customer", "id": "cus_1"}}
    shop.put("stripe/acct_upcoach/a.jsonl", [json.dumps({**stripe, "id": "evt_due"}).encode()])
    shop.load()
    accounts = "kind: webhooks\nprovider: stripe\naccounts: {acct_%s: {product: shop}}\n"
    declare(shop, accounts % "other", "stripe")
    assert shop.load().notes == []
    declare(shop, accounts % "upcoach", "stripe")
    (note,) = shop.load().notes
    assert 'acct_upcoach.product was "upcoach", is "shop"' in note
    assert "tallyhouse reload stripe/acct_upcoach" in note
    shop.reload("stripe")
    held = "select product from raw_stripe.events where event_id = 'evt_due'"
    assert shop.one(held) == "shop" and shop.load().notes == []


@pytest.mark.parametrize("again", ["replay", "reload"])
def test_after_a_contract_change_all_rows_are_read_alike(shop: Loading, again: str) -> None:
    """replaymix: rule 40's tie-break is no judge between two readings of one record."""
    declare(shop, WITHOUT_COLOUR.replace("common", "properties: {rest: drop}\ncommon"))
    records = two_tenants(0, 40, colour="red")
    shop.put(f"{FOLDER}/a.jsonl", records)
    shop.put(f"{FOLDER}/b.jsonl", [b"junk", *two_tenants(40, 60, colour="red")])
    shop.load()
    declare(shop, CONTRACT.replace("common", "properties: {rest: keep}\ncommon"))
    shop.replay() if again == "replay" else shop.reload("shop")
    colours = "select properties ->> 'colour', count(*) from raw_events.events group by 1"
    assert shop.rows(colours) == [("red", 120)]
    assert shop.one("select count(*) from ops.record_conflicts") == 0
    assert clean(shop) == loaded_anew(shop)


def test_a_redelivery_after_a_contract_change_is_read_alike_too(shop: Loading) -> None:
    """The first file is gone, so that nothing but its delivery again can mend its rows."""
    declare(shop, WITHOUT_COLOUR.replace("common", "properties: {rest: drop}\ncommon"))
    records = two_tenants(0, 40, colour="red")
    shop.put(f"{FOLDER}/a.jsonl", records)
    shop.load()
    declare(shop, CONTRACT.replace("common", "properties: {rest: keep}\ncommon"))
    (shop.landing / FOLDER / "a.jsonl").unlink()
    shop.put(f"{FOLDER}/b.jsonl", records[::-1])
    shop.load()
    colours = "select properties ->> 'colour', count(*) from raw_events.events group by 1"
    assert shop.rows(colours) == [("red", 80)]
    assert shop.one("select count(*) from ops.record_conflicts") == 0


def test_a_mended_file_is_read_alike_too(shop: Loading) -> None:
    """What a truncated file gave is read again with the whole one, by one contract."""
    declare(shop, WITHOUT_COLOUR.replace("common", "properties: {rest: drop}\ncommon"))
    path = shop.put(f"{FOLDER}/a.jsonl.gz", two_tenants(0, 3000, colour="red"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert shop.load().unreadable
    first = len(shop.events())
    assert 0 < first < 6000
    declare(shop, CONTRACT.replace("common", "properties: {rest: keep}\ncommon"))
    path.write_bytes(whole)
    shop.load()
    colours = "select properties ->> 'colour', count(*) from raw_events.events group by 1"
    assert shop.rows(colours) == [("red", 6000)]
    assert shop.unaccounted() == 0


def test_a_file_that_was_read_again_is_one_in_the_summary(shop: Loading) -> None:
    """Though a row of its first reading stands; what was read of it stays counted, by source."""
    shop.put(f"{FOLDER}/a.jsonl", two_tenants(0, 2))
    shop.put("stripe/acct_upcoach/a.jsonl", [b"junk"])
    shop.load()
    with shop.warehouse.connect() as connection:
        connection.execute(
            "insert into ops.load_manifest (source_kind, source_name, file_path, content_hash, size_bytes,"
            " record_count, stored_count, withdrawn_count, superseded_by)"
            " select source_kind, source_name, file_path, 'before', 1, 3, 3, 2, load_id"
            " from ops.load_manifest where source_kind = 'events'"
        )
    loaded = collect(shop.warehouse, tests={}, seconds=0)["loaded"]
    found = {row["source_kind"]: (row["files"], row["records"]) for row in loaded}
    assert found == {"events": (1, 7), "stripe": (1, 1)}
