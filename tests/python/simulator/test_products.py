"""A product is a folder: one that lies beside the others is in the sample, and nothing names it.

Belongs here: what a folder gets by being there. Does not belong here: what is in a product's files.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

import simulator.products
from simulator import SampleReport, write_sample
from simulator.products import find_products
from simulator.truth.table import entity_uuid

MORE = Path(__file__).parent / "more_products"
KAAP, RIJN = (entity_uuid("lantern", "tenant", tenant) for tenant in ("kaap", "rijn"))


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The folders in which products are looked for; whatever is found on top is forgotten again."""
    before = set(sys.modules)
    path = [*simulator.products.__path__]
    monkeypatch.setattr(simulator.products, "__path__", path)
    yield path
    for name in set(sys.modules) - before:
        if name.startswith("simulator.products."):
            del sys.modules[name]
            vars(simulator.products).pop(name.split(".")[2], None)


def rows(sample: SampleReport, name: str) -> list[dict[str, str]]:
    with (sample.truth / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_products_of_the_sample_are_its_folders() -> None:
    root = Path(simulator.products.__file__).parent
    folders = sorted(path.parent.name for path in root.glob("*/__init__.py"))
    assert [product.name for product in find_products()] == folders


def test_a_new_folder_gets_landing_files_and_truth(shelf: list[str], tmp_path: Path) -> None:
    two = write_sample(tmp_path / "two", days=9, seed=5, scale=0.05)
    shelf.append(str(MORE))
    three = write_sample(tmp_path / "three", days=9, seed=5, scale=0.05)

    old = {p.relative_to(two.landing): p.read_bytes() for p in two.landing.rglob("*.*")}
    new = {p.relative_to(three.landing): p.read_bytes() for p in three.landing.rglob("*.*")}
    assert old.items() < new.items()  # it disturbs nobody
    added = {path.parent.as_posix() for path in new.keys() - old.keys()}
    assert added == {"events/lantern", "cdc/lantern", "stripe/acct_lantern", "revenuecat/lantern"}

    # 18:00 by the tenant's clock on each of nine days, whose window begins at midnight UTC
    users = {
        (r["metric_date"], r["tenant_id"]): r["dau"]
        for r in rows(three, "dau_daily.csv")
        if r["product"] == "lantern"
    }
    days = [f"2026-10-{day}" for day in range(20, 29)]
    assert users == {(d, t): n for d in days for t, n in ((KAAP, "2"), (RIJN, "1"))}

    totals = [r for r in rows(three, "mrr_daily_total.csv") if r["product"] == "lantern"]
    assert totals[0]["metric_date"] == "2026-10-22"
    assert totals[0]["new_mrr_cents"] == totals[-1]["net_mrr_cents"] == "3400.00000000"
    customers = [r for r in rows(three, "mrr_daily.csv") if r["product"] == "lantern"]
    assert {(r["tenant_id"], r["mrr_cents"]) for r in customers} == {
        (KAAP, "2900.00000000"),
        (RIJN, "500.00000000"),
    }

    living = {
        r["table_name"]: r["living_rows"]
        for r in rows(three, "cdc_state.csv")
        if r["product"] == "lantern"
    }
    assert living == {"orgs": "2", "lamps": str(9 * 3)}
    lamps = {tuple(r.values()) for r in rows(three, "lamps_lit.csv")}
    assert lamps == {(d, t, n, n) for d in days for t, n in ((KAAP, "2"), (RIJN, "1"))}
    assert (
        "| `lamps_lit.csv` | day × tenant with light |" in (three.truth / "README.md").read_text()
    )
    summary = orjson.loads((three.truth / "summary.json").read_bytes())
    assert (summary["lamps"], summary["distinct_events"]["lantern"]) == (27, 27)


def test_its_own_names_of_fields_carry_the_defects(shelf: list[str], tmp_path: Path) -> None:
    shelf.append(str(MORE))
    sample = write_sample(tmp_path, days=9, seed=5, scale=0.05)
    planted = {
        plant["plant"]: (sample.landing / plant["file"])
        .read_bytes()
        .split(b"\n")[plant["line"] - 1]
        for plant in map(orjson.loads, (sample.truth / "planted.jsonl").read_bytes().splitlines())
        if plant["file"].startswith("events/lantern/")
    }
    assert "eventId" not in orjson.loads(planted["missing_event_id"])
    assert "kind" not in orjson.loads(planted["missing_event_name"])
    assert orjson.loads(planted["unknown_event_name"])["kind"] == "teleported"
    assert orjson.loads(planted["event_name_is_a_number"])["kind"] == 42


def test_a_product_alone_makes_a_sample(
    shelf: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(simulator.products, "__path__", [str(MORE)])
    sample = write_sample(tmp_path, days=9, seed=5, scale=0.05)
    newest = b'"arrived":"2026-10-28T23:59:30.000Z"'
    assert any(newest in path.read_bytes() for path in sample.landing.glob("events/lantern/*"))
    assert not (sample.truth / "shift_fill.csv").exists()


def test_tenants_live_in_the_time_zone_that_is_asked_for(tmp_path: Path) -> None:
    zones = {"Asia/Tokyo": "Australia/Sydney"}
    sample = write_sample(tmp_path, days=9, seed=5, scale=0.05, zones=zones)
    told = b"".join(
        gzip.decompress(body) if path.suffix == ".gz" else body
        for path in sample.landing.glob("cdc/*/*")
        for body in [path.read_bytes()]
    )
    assert b"Australia/Sydney" in told
    assert b"Asia/Tokyo" not in told


@pytest.mark.parametrize(
    ("zones", "sentence"),
    [
        (
            {"Europe/Oslo": "UTC"},
            "no tenant lives in Europe/Oslo; they live in Africa/Johannesburg",
        ),
        ({"Asia/Tokyo": "Asia/Tokio"}, "Asia/Tokio is not a time zone"),
    ],
)
def test_a_zone_that_moves_nobody_is_refused(
    tmp_path: Path, zones: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        write_sample(tmp_path, days=9, seed=5, scale=0.05, zones=zones)


@pytest.mark.parametrize("body", ["", "PRODUCT = 'empty'"])
def test_a_folder_without_a_product_is_refused_by_name(
    shelf: list[str], tmp_path: Path, body: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "__init__.py").write_text(body)
    shelf.append(str(tmp_path))
    with pytest.raises(ValueError, match=r"simulator/products/empty/__init__.py must set PRODUCT"):
        find_products()
