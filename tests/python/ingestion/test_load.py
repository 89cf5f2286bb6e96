"""The course of a load: ledger, duplicates, conflicts, rejections, damage, replay, lake."""

import json
from pathlib import Path

import pytest

from tests.python.ingestion.conftest import OTHER_TENANT, TENANT, Loading, line

pytestmark = pytest.mark.slow
FOLDER = "events/upcoach"


def test_a_file_is_loaded_once_whatever_its_name(loading: Loading) -> None:
    loading.put(f"{FOLDER}/a.jsonl", [line(1), line(2)])
    loading.put(f"{FOLDER}/sub/b.jsonl.gz", [line(1), line(2)])
    report = loading.load()
    assert (report.files_seen, report.files_loaded, report.stored) == (2, 1, 2)
    again = loading.load()
    assert (again.files_loaded, again.stored, again.lake_files) == (0, 0, 0)
    assert loading.one("select count(*) from ops.load_manifest") == 1


def test_an_id_sent_again_on_another_day_is_one_row_rule_40(loading: Loading) -> None:
    late = {"received_at": "2026-04-10T00:00:00Z"}
    loading.put(f"{FOLDER}/a.jsonl", [line(1), line(1)])
    loading.load()
    loading.put(f"{FOLDER}/b.jsonl", [line(1, **late)])
    report = loading.load()
    assert (report.stored, report.duplicates) == (0, 1)
    assert loading.one("select count(*) from raw_events.events") == 1
    assert loading.one("select count(*) from ops.record_conflicts") == 0
    watermark = loading.one("select max_received_at::text from ops.source_watermarks")
    assert watermark.startswith("2026-04-10")


@pytest.mark.parametrize("order", ["ab", "ba", "one"])
def test_of_two_bodies_the_earliest_received_stays_rule_40(loading: Loading, order: str) -> None:
    first = line(1, received_at="2026-03-01T10:00:05Z", properties={"goal_id": 1})
    second = line(
        1, received_at="2026-03-01T10:00:06Z", occurred_at="2026-02-27T10:00:00Z",
        properties={"goal_id": 2},
    )  # fmt: skip
    if order == "one":
        loading.put(f"{FOLDER}/a.jsonl", [second, first])
        loading.load()
    else:
        for name in order:
            loading.put(f"{FOLDER}/{name}.jsonl", [first if name == "a" else second])
            loading.load()
    assert loading.rows(
        "select event_date::text, properties ->> 'goal_id' from raw_events.events"
    ) == [("2026-03-01", "1")]
    assert loading.one("select count(*) from ops.record_conflicts") == 1
    assert loading.unaccounted() == 0
    # the lake follows: one file, on the day that stayed
    lake = sorted(path.parts[-3] for path in Path(loading.settings.lake).rglob("*.parquet"))
    assert lake == ["date=2026-03-01"]
    if order == "ba":  # both the day that was left and the day it moved to must be rebuilt
        touched = loading.rows(
            "select touched_on::text from ops.load_touched where load_id ="
            " (select max(load_id) from ops.load_manifest) order by 1"
        )
        assert touched == [("2026-02-27",), ("2026-03-01",)]


def test_an_earlier_body_takes_the_place_of_its_own_accounts_alone(loading: Loading) -> None:
    """Two accounts that hold the same body, each of its own: one's earlier body is not the other's."""

    def customer(currency: str) -> bytes:
        subject = {"id": "cus_1", "object": "customer", "currency": currency}
        event = {
            "id": "evt_1", "object": "event", "type": "customer.created", "created": 1_770_000_000,
            "livemode": True, "data": {"object": subject},
        }  # fmt: skip
        return json.dumps(event).encode()

    for account in ("acct_upcoach", "acct_rentguy"):
        loading.put(f"stripe/{account}/2026-03-05.jsonl", [customer("eur")])
    loading.load()
    for account in ("acct_upcoach", "acct_rentguy"):
        loading.put(f"stripe/{account}/2026-03-02.jsonl", [customer("usd")])
    loading.load()
    assert loading.rows(
        "select account, payload #>> '{data,object,currency}' from raw_stripe.events order by 1"
    ) == [("acct_rentguy", "usd"), ("acct_upcoach", "usd")]


def test_ties_go_to_the_smallest_hash(loading: Loading) -> None:
    bodies = [line(1, properties={"goal_id": number}) for number in range(5)]
    for turn, order in enumerate((bodies, bodies[::-1])):
        loading.reset()
        for number, body in enumerate(order):
            loading.put(f"{FOLDER}/{turn}-{number}.jsonl", [body])
        loading.load()
        rows = loading.events()
        assert len(rows) == 1
        kept = rows if turn == 0 else kept  # noqa: F821
        assert rows == kept
        assert loading.one("select count(*) from ops.record_conflicts") == 4


def test_within_a_file_a_body_that_wins_in_the_end_has_not_lost(loading: Loading) -> None:
    first, other = {"goal_id": 1}, {"goal_id": 2}
    loading.put(f"{FOLDER}/a.jsonl", [
        line(1, received_at="2026-03-02T00:00:00Z", properties=first),
        line(1, received_at="2026-03-01T20:00:00Z", properties=other),
        line(1, received_at="2026-03-01T12:00:00Z", properties=first),
    ])  # fmt: skip
    loading.load()
    assert loading.one("select properties from raw_events.events") == first
    lost = loading.rows("select dropped_received_at::text from ops.record_conflicts")
    assert lost == [("2026-03-01 20:00:00+00",)]


def test_ids_may_repeat_between_tenants_rule_41(loading: Loading) -> None:
    loading.put(f"{FOLDER}/a.jsonl", [line(1), line(1, tenant_id=OTHER_TENANT)])
    assert loading.load().stored == 2


def test_refused_records_have_their_place_and_no_people(loading: Loading) -> None:
    bad = line(3, event_id=None, properties={"email": "ann@x.example"})
    loading.put(f"{FOLDER}/a.jsonl", [line(1), b"junk", line(2), bad, line(4)[:-30]])
    report = loading.load()
    assert (report.stored, report.rejected) == (2, 3)
    assert loading.rejections() == [
        ("invalid_json", 2),
        ("missing_field", 4),
        ("truncated_json", 5),
    ]
    assert "ann@" not in loading.one("select string_agg(record, '') from ops.rejected_records")
    assert loading.unaccounted() == 0


def test_a_mended_record_makes_up_for_the_refused_one_rule_43(loading: Loading) -> None:
    loading.put(f"{FOLDER}/a.jsonl", [line(1), line(2)[:-3]])
    loading.load()
    loading.put(f"{FOLDER}/a.jsonl", [line(1), line(2)])
    loading.load()
    mended = loading.events()
    loading.reset()
    loading.put(f"{FOLDER}/a.jsonl", [line(1), line(2)])
    loading.load()
    assert loading.events() == mended


def test_an_undeclared_product_waits_for_its_contract(loading: Loading, tmp_path: Path) -> None:
    from dataclasses import replace

    loading.put("events/newcomer/a.jsonl", [line(1)])
    for _ in range(2):
        report = loading.load()
        assert "contracts/events/newcomer.yml" in report.undeclared[0]
        assert not report.unreadable
        assert loading.rejections() == [("undeclared_source", 0)]
    (tmp_path / "more").mkdir()
    (tmp_path / "more/newcomer.yml").write_text(
        "kind: events\nproduct: newcomer\nevents: {goal_viewed: }\n"
    )
    loading.settings = replace(loading.settings, contracts=(tmp_path / "more",))
    assert loading.load().stored == 1
    assert loading.rejections() == []


def test_in_an_undeclared_folder_each_stripe_event_is_judged_by_its_own_account(
    loading: Loading, tmp_path: Path
) -> None:
    from dataclasses import replace

    def event(number: int, account: str) -> bytes:
        named = f'"account": "{account}",' if account else ""
        return (
            f'{{"object": "event", "id": "evt_judged_{number}", "type": "customer.created", {named}'
            ' "created": 1772000000, "livemode": true,'
            ' "data": {"object": {"object": "customer", "id": "cus_1"}}}'
        ).encode()

    accounts = ("acct_upcoach", "acct_nobody", "", "acct_rentguy")
    loading.put("stripe/acct_platform/a.jsonl", [event(n, name) for n, name in enumerate(accounts)])
    report = loading.load()
    assert (report.stored, report.rejected, report.undeclared) == (2, 2, [])
    assert loading.rejections() == [("undeclared_account", 2), ("undeclared_account", 3)]
    reasons = loading.rows("select reason from ops.rejected_records order by line_number")
    for (reason,), name in zip(reasons, ("acct_nobody", "acct_platform"), strict=True):
        assert name in reason and "contracts/webhooks/stripe.yml" in reason and "replay" in reason
    (tmp_path / "more").mkdir()
    (tmp_path / "more/stripe.yml").write_text(
        "kind: webhooks\nprovider: stripe\naccounts: {acct_platform: {product: upcoach}}\n"
    )
    loading.settings = replace(loading.settings, contracts=(tmp_path / "more",))
    report = loading.replay()
    assert (report.withdrawn, report.stored, report.rejected) == (2, 3, 1)
    held = "select account from raw_stripe.events where event_id like 'evt_judged%' order by 1"
    assert loading.rows(held) == [("acct_platform",), ("acct_rentguy",), ("acct_upcoach",)]
    assert loading.unaccounted() == 0


def test_unknown_names_are_replayed_after_the_contract_is_extended(
    loading: Loading, tmp_path: Path
) -> None:
    from dataclasses import replace

    from tallyhouse.settings import PROJECT_ROOT

    loading.put(f"{FOLDER}/a.jsonl", [line(1), line(2, event_name="teleported"), b"junk"])
    loading.load()
    assert loading.rejections() == [("unknown_event", 2), ("invalid_json", 3)]
    before = loading.events()
    assert loading.replay().withdrawn == 1
    assert loading.events() == before  # nothing changed
    contract = (PROJECT_ROOT / "contracts/events/upcoach.yml").read_text()
    (tmp_path / "more").mkdir()
    (tmp_path / "more/upcoach.yml").write_text(f"{contract}  teleported: {{domain: engagement}}\n")
    loading.settings = replace(loading.settings, contracts=(tmp_path / "more",))
    assert loading.load().files_loaded == 0  # the ledger knows the file
    report = loading.replay()
    assert (report.withdrawn, report.stored, report.rejected) == (1, 2, 1)
    assert loading.rejections() == [("invalid_json", 3)]
    assert loading.unaccounted() == 0
    assert loading.one("select count(*) from raw_events.events") == 2


def test_what_the_database_refuses_is_a_rejection_not_a_crash(loading: Loading) -> None:
    """A number jsonb cannot hold passes as JSON; its neighbours must not suffer."""
    huge = b'{"goal_id": 1' + b"0" * 4200 + b"}"
    deep = line(5).replace(b'{"goal_id": 5}', huge)
    year = line(6, event_name="mood_logged", properties={"score": 10**4100})
    loading.put(f"{FOLDER}/a.jsonl", [line(1), deep, line(2), year, line(3)])
    report = loading.load()
    assert report.stored + report.rejected == 5 and report.stored >= 3
    assert loading.unaccounted() == 0


def test_touched_days_and_watermark(loading: Loading) -> None:
    loading.put(f"{FOLDER}/a.jsonl", [line(1), line(2), line(3, tenant_id=OTHER_TENANT,
                occurred_at="2026-02-01T00:00:00Z")])  # fmt: skip
    loading.load()
    assert loading.rows(
        "select entity_type, product, tenant_id::text, touched_on::text from ops.load_touched"
        " order by 3"
    ) == [
        ("tenant_day", "upcoach", TENANT, "2026-03-01"),
        ("tenant_day", "upcoach", OTHER_TENANT, "2026-02-01"),
    ]  # fmt: skip


def test_drift_and_versions_are_published(loading: Loading) -> None:
    loading.put(f"{FOLDER}/a.jsonl", [line(1, colour="red"), line(2, colour="blue")])
    loading.load()
    assert loading.rows(
        "select object_name, field_name, kind, record_count from ops.schema_drift"
    ) == [("goal_viewed", "colour", "unknown_field", 2)]
    versions = loading.one(
        "select count(*) from ops.event_schema_versions where product = 'rostracore'"
    )
    assert versions == 28


WATERMARKS = (
    "select source_kind, max_received_at::text, max_claimed_at::text from ops.source_watermarks"
    " order by source_kind"
)
FUTURE_S = 2_147_483_000  # in January 2038


@pytest.mark.parametrize("first", [True, False])
def test_only_records_that_count_move_the_watermark_rule_66(loading: Loading, first: bool) -> None:
    """A phone set to 2038 claims its time alone, a test clock and a sandbox say nothing of it."""
    phone = line(9, occurred_at="2038-01-19T03:14:07Z", received_at=None)
    test_clock = {"id": "evt_1", "object": "event", "type": "invoice.paid", "created": FUTURE_S,
                  "livemode": False, "data": {"object": {"id": "in_1", "object": "invoice"}}}  # fmt: skip
    sandbox = {"event": {"id": "rc-1", "type": "RENEWAL", "environment": "SANDBOX",
                         "event_timestamp_ms": FUTURE_S * 1000, "app_user_id": "ada"}}  # fmt: skip
    good = {
        f"{FOLDER}/good.jsonl": [line(1)],
        "stripe/acct_upcoach/good.jsonl": [
            json.dumps({**test_clock, "id": "evt_2", "created": 1772359200, "livemode": True}).encode()
        ],
        "revenuecat/upcoach/good.jsonl": [
            json.dumps({"event": {**sandbox["event"], "id": "rc-2", "environment": "PRODUCTION",
                                  "event_timestamp_ms": 1772359200000}}).encode()
        ],
    }  # fmt: skip
    odd = {
        f"{FOLDER}/phone.jsonl": [phone],
        "stripe/acct_upcoach/test.jsonl": [json.dumps(test_clock).encode()],
        "revenuecat/upcoach/sandbox.jsonl": [json.dumps(sandbox).encode()],
    }
    for files in (good, odd) if first else (odd, good):
        for path, lines in files.items():
            loading.put(path, lines)
        loading.load()
    assert loading.rows(WATERMARKS) == [
        ("events", "2026-03-01 10:00:05+00", "2038-01-19 03:14:07+00"),
        ("revenuecat", "2026-03-01 10:00:00+00", None),
        ("stripe", "2026-03-01 10:00:00+00", None),
    ]


def test_a_source_that_knows_device_times_alone_goes_by_them_rule_66(loading: Loading) -> None:
    loading.put(f"{FOLDER}/a.jsonl", [line(1, received_at=None), line(2, received_at="")])
    loading.load()
    assert loading.rows(WATERMARKS) == [("events", None, "2026-03-01 10:00:00+00")]
