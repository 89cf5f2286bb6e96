"""A backup of before a clean-up, brought back after it: the next clean-up ends in the same warehouse.

Belongs here: retention and erasure after a restore. Does not belong here: what a backup holds (`test_backup`).
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app import backup, erasing
from app.erasing import Asked
from app.preparation import prepare
from ingestion.erasing import outside
from ingestion.load import reload
from tallyhouse.database import Warehouse
from tallyhouse.progress import Reporter
from tests.python.ingestion.retention.test_event_facts import (
    SOME,
    SOME_BUILT,
    built,
    facts,
    house,
    of_every_kind,
)
from tests.python.ingestion.retention.test_retention import (
    MOMENT,
    assert_stored,
    cleaned,
    edges_of,
    ids,
    in_lake,
)
from tests.python.marts.house import House, assert_equal
from tests.python.marts.upcoach_lines import uid

pytestmark = pytest.mark.slow
__all__ = ["house"]
AGES = (0, 90, 91, 121, 400)
ALL = (*SOME, "core.fact_events", "ops.closed_days")
LOGGED = """
select product, tenant_id::text, dataset, how, first_day, last_day, row_count, kept_from_date, rule
from ops.retention_log order by 1, 2, 3, 4
"""


def without_kim(house: House, asked: list[Asked]) -> Any:
    subjects, wanted = erasing.take_out(
        house.warehouse.settings, house.warehouse, Reporter(), asked
    )
    assert len(subjects) == 1
    house.build(SOME_BUILT)
    return wanted


def test_rule_76_restored_and_cleaned_up_again_it_is_the_same_warehouse(
    house: House, fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    """Kim of Auckland was erased, and a clean-up ran, after the backup was made."""
    kinds = [
        line for tenant in ("auckland", "la") for line in of_every_kind(tenant, date(2025, 6, 1))
    ]
    built(house, [*edges_of(MOMENT, AGES), *kinds])
    folder, source = tmp_path / "backup", house.warehouse
    backup.back_up(source, folder, lambda _: None)
    without_kim(house, [Asked(uid("kim"), "upcoach", uid("auckland"))])
    cleaned(house)
    house.build(SOME_BUILT)
    marts, logged = house.tables(ALL), house.query(LOGGED)
    assert {row[2] for row in logged} == {"raw_events", "event_facts"}
    assert_stored(house, ids(MOMENT, (0, 90)))

    home = tmp_path / "home"
    home.mkdir()
    for key in source.settings.pii_key_file.parent.glob("*.key"):
        shutil.copy2(key, home)
    empty = fresh_database("restored")
    settings = replace(
        empty.settings, home=home, lake=str(home / "lake"), pii_key_file=home / "pii.key",
        landing=source.settings.landing,
    )  # fmt: skip
    target = replace(empty, settings=settings)
    _, again = backup.restore(target, folder, lambda _: None, source.settings.home / outside.NAME)
    assert again == 1
    prepare(target)
    restored = House(target)
    assert in_lake(restored) > ids(MOMENT, AGES)  # all of it is back
    wanted = without_kim(restored, [])
    assert restored.query("select count(*) from ops.closed_days") == [(0,)]
    cleaned(restored)
    for is_read_again in (False, True):
        if is_read_again:
            reload(target.connect, settings, ["events/upcoach"], processes=1)
        restored.build(SOME_BUILT, full_refresh=is_read_again)
        assert_equal(restored.tables(ALL), marts, "restored and cleaned up again")
        assert restored.query(LOGGED) == logged
        assert_stored(restored, ids(MOMENT, (0, 90)))
        assert facts(restored) == facts(house)
        found = erasing.search.Found()
        with target.connect() as conn:
            erasing.search.warehouse(conn, wanted, found)
        assert not {place for place, _ in found.rows if not place.startswith("ops.")}
