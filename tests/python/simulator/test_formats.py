"""Every file is what its source would write; every plant lies where the list says."""

from __future__ import annotations

import base64
import csv
import gzip
import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from simulator import SampleReport
from simulator.files import BYTE_ORDER_MARK
from simulator.products import find_products
from simulator.sources.debezium import decimal

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"


def read_lines(path: Path) -> list[bytes]:
    """The lines of a landing file, as a reader that splits on \\n only sees them."""
    body = path.read_bytes()
    if path.suffix == ".gz":
        body = gzip.decompress(body)
    return body.removeprefix(BYTE_ORDER_MARK).removesuffix(b"\n").split(b"\n")


def planted(sample: SampleReport) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in read_lines(sample.truth / "planted.jsonl")]


def good_records(sample: SampleReport, folder: str) -> list[dict[str, Any]]:
    """The records of a folder without the lines that were spoiled on purpose."""
    spoiled = {
        (p["file"], p["line"])
        for p in planted(sample)
        if p["expected"] in ("rejected", "ignored", "not_stored_and_reported")
    }
    found = []
    for path in sorted(p for p in (sample.landing / folder).iterdir() if p.is_file()):
        name = path.relative_to(sample.landing).as_posix()
        for number, line in enumerate(read_lines(path), start=1):
            if (name, number) not in spoiled:
                found.append(orjson.loads(line))
    return found


def test_every_folder_is_a_source_of_a_product(sample: SampleReport) -> None:
    folders = {f"{p.parent.name}/{p.name}" for p in sample.landing.glob("*/*")}
    assert folders >= {
        "events/upcoach", "events/rostracore", "cdc/upcoach", "cdc/rostracore",
        "events/samia_tarot", "cdc/samia_tarot", "events/rentguy", "cdc/rentguy", "stripe/acct_rentguy",
        "stripe/acct_upcoach", "stripe/acct_rostracore", "revenuecat/upcoach",
        "events/projectflo", "cdc/projectflo", "stripe/acct_projectflo",
    }  # fmt: skip
    products = {product.name for product in find_products()}
    assert {folder.split("/")[1].removeprefix("acct_") for folder in folders} == products
    assert list(sample.landing.rglob("*.gz"))
    assert list(sample.landing.rglob("*.jsonl"))


def test_events_have_declared_names_and_fields(sample: SampleReport) -> None:
    names = {
        "upcoach": ("event_name", "properties"),
        "rostracore": ("event_name", "event_properties"),
        "samia_tarot": ("event_type", "metadata"),
        "projectflo": ("event_name", "properties"),
    }
    for product, (name, properties) in names.items():
        contract = yaml.safe_load((CONTRACTS / "events" / f"{product}.yml").read_text("utf-8"))
        declared = contract["events"]
        for record in good_records(sample, f"events/{product}"):
            what = declared[record[name]]
            allowed = {*what.get("optional", {}), *what.get("required", {}), *contract["common"]}
            assert set(record[properties]) <= allowed, record
            assert record.get("event_domain", what["domain"]) == what["domain"]


def test_rentguys_events_keep_to_its_contract(sample: SampleReport) -> None:
    contract = yaml.safe_load((CONTRACTS / "events" / "rentguy.yml").read_text("utf-8"))
    pattern, seen = re.compile(contract["event_pattern"]), set()
    for record in good_records(sample, "events/rentguy"):
        named = contract["events"].get(record["event"])
        assert named is not None or pattern.fullmatch(record["event"]), record
        allowed = {*contract["common"], *(named or {}).get("optional", {})}
        assert set(record["properties"]) <= allowed, record
        assert record["context"]["module"]
        seen.add(record["event"])
    assert seen >= {"scan.completed", "scan.exception", "rentguy.onboarding.step_completed"}


@pytest.mark.parametrize("export", ["leads", "crm"])
def test_leads_are_csv_as_their_contract_says(sample: SampleReport, export: str) -> None:
    contract = yaml.safe_load((CONTRACTS / "events" / f"rentguy_{export}.yml").read_text("utf-8"))
    named = [*contract["envelope"].values(), *contract["properties"]["fields"].values()]
    paths = [n if isinstance(n, str) else n.get("path", []) for n in named]
    wanted = {one for path in paths for one in ([path] if isinstance(path, str) else path)}
    delimiter, rows = contract["format"].get("delimiter", ","), 0
    cut = {(p["file"], p["line"]) for p in planted(sample) if p["plant"] == "truncated_row"}
    for file in sorted((sample.landing / "events" / "rentguy" / export).iterdir()):
        assert any(file.match(pattern) for pattern in contract["match"])
        lines = [line.decode() for line in read_lines(file)]
        header, *body = csv.reader(lines, delimiter=delimiter)
        assert wanted <= set(header)
        name = file.relative_to(sample.landing).as_posix()
        for number, row in enumerate(body, start=2):
            assert (len(row) == len(header)) == ((name, number) not in cut)
            rows += 1
    assert rows > 10


def test_changes_have_the_declared_columns(sample: SampleReport) -> None:
    for product in ("upcoach", "rostracore", "samia_tarot", "projectflo", "rentguy"):
        tables = yaml.safe_load((CONTRACTS / "cdc" / f"{product}.yml").read_text("utf-8"))["tables"]
        seen: Counter[str] = Counter()
        for record in good_records(sample, f"cdc/{product}"):
            parts = record["topic"].split(".")
            if len(parts) != 3 or record["value"] is None:
                continue
            assert parts[:2] == [product, "public"]
            value = record["value"]
            row = value["before"] if value["op"] == "d" else value["after"]
            assert set(row) - {"locale"} == set(tables[parts[2]]["columns"]), record
            assert list(record["key"]) == tables[parts[2]]["primary_key"]
            seen[parts[2]] += 1
        assert set(seen) == set(tables)


def test_commit_positions_rise_and_deletes_are_followed_by_tombstones(sample: SampleReport) -> None:
    again = {
        (p["file"], p["line"])
        for p in planted(sample)
        if p["plant"] in ("redelivered", "logical_message")
    }
    for product in ("upcoach", "rostracore"):
        last = 0
        pending: dict[str, Any] | None = None
        for path in sorted((sample.landing / "cdc" / product).iterdir()):
            name = path.relative_to(sample.landing).as_posix()
            for number, line in enumerate(read_lines(path), start=1):
                if (name, number) in again:
                    continue
                try:
                    record = orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue
                if pending is not None:
                    assert record["value"] is None
                    assert record["key"] == pending["key"]
                    pending = None
                    continue
                value = record["value"]
                if (
                    ".public." in record["topic"]
                    and "undeclared" not in record["topic"]
                    and "op" in value
                ):
                    assert value["source"]["lsn"] >= last
                    last = value["source"]["lsn"]
                    pending = record if value["op"] == "d" else None


def test_offsets_of_a_topic_count_without_a_gap(sample: SampleReport) -> None:
    offsets: dict[str, set[int]] = {}
    for record in good_records(sample, "cdc/rostracore"):
        if "offset" in record:
            offsets.setdefault(record["topic"], set()).add(record["offset"])
    assert offsets
    for topic, numbers in offsets.items():
        assert numbers == set(range(len(numbers))), topic


def test_decimals_are_two_s_complement() -> None:
    for units in (0, 1, -1, 127, 128, -128, -129, 255, 256, 1450, 99999999999):
        raw = base64.b64decode(decimal(units) or "")
        assert int.from_bytes(raw, "big", signed=True) == units
    assert decimal(0) == "AA=="  # as the real connector writes numeric 0
    assert decimal(None) is None


def test_stripe_has_both_shapes_in_one_history(sample: SampleReport) -> None:
    shapes: Counter[tuple[str, bool, bool]] = Counter()
    for event in good_records(sample, "stripe/acct_upcoach"):
        assert isinstance(event["created"], int)
        if event["type"].startswith("customer.subscription"):
            body = event["data"]["object"]
            shapes[
                event["api_version"],
                "current_period_end" in body,
                "current_period_end" in body["items"]["data"][0],
            ] += 1
        if event["type"] == "invoice.paid":
            body = event["data"]["object"]
            assert ("subscription" in body) != ("parent" in body)
    assert set(shapes) == {("2020-08-27", True, False), ("2025-03-31.basil", False, True)}


def test_an_update_says_what_changed(sample: SampleReport) -> None:
    for account in ("acct_upcoach", "acct_rostracore"):
        for event in good_records(sample, f"stripe/{account}"):
            if event["type"] == "customer.subscription.updated":
                previous = event["data"]["previous_attributes"]
                body = event["data"]["object"]
                assert previous
                assert any(body.get(name) != value for name, value in previous.items()), event


def test_revenuecat_has_its_life_cycle(sample: SampleReport) -> None:
    types: Counter[str] = Counter()
    for body in good_records(sample, "revenuecat/upcoach"):
        event = body["event"]
        types[event["type"]] += 1
        assert event["id"] and event["event_timestamp_ms"]
        if event["type"] == "TRANSFER":
            assert "app_user_id" not in event
    assert {"INITIAL_PURCHASE", "RENEWAL", "CANCELLATION", "EXPIRATION", "TRANSFER"} <= set(types)


def test_plants_lie_where_the_list_says(sample: SampleReport) -> None:
    lines: dict[str, list[bytes]] = {}
    for plant in planted(sample):
        body = lines.setdefault(plant["file"], read_lines(sample.landing / plant["file"]))
        line = body[plant["line"] - 1]
        if plant["plant"] == "blank_line":
            assert line == b""
        elif plant["plant"] == "carriage_return":
            assert line.endswith(b"\r")
        elif plant["record_id"]:
            assert plant["record_id"].encode() in line, plant


def test_all_kinds_of_plants_are_there(sample: SampleReport) -> None:
    kinds = {f"{p['source_kind']}.{p['plant']}" for p in planted(sample)}
    assert {
        "events.late", "events.duplicate", "events.absurd_time", "events.same_id_other_body",
        "events.truncated_json", "events.unknown_event_name", "stripe.duplicate", "stripe.test_mode",
        "stripe.out_of_order", "revenuecat.sandbox", "revenuecat.family_share", "cdc.redelivered",
        "cdc.toast_placeholder", "cdc.undeclared_table", "cdc.new_column", "stripe.byte_order_mark",
        "events.no_newline_at_the_end",
    } <= kinds  # fmt: skip
