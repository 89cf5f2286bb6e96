"""The door knows closed days by product, tenant and day of UTC. Belongs here: judging rows in memory."""

from datetime import date
from typing import Any

import pyarrow as pa

from ingestion.events.columns import SCHEMA, EventRows
from ingestion.retention.closed import Closed, ClosedDays


def events_on(*whose: tuple[str, str, date]) -> EventRows:
    """Rows of (product, tenant, day)."""
    columns: dict[str, list[Any]] = {
        "product": [row[0] for row in whose],
        "tenant_id": [row[1].encode() * 16 for row in whose],
        "event_date": [row[2] for row in whose],
    }
    return EventRows(pa.table([
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(len(whose), field.type)
        for field in SCHEMA
    ], schema=SCHEMA))  # fmt: skip


def test_rule_76_a_closed_day_is_one_of_this_tenant_and_product() -> None:
    a, b = b"a" * 16, b"b" * 16
    closed = ClosedDays([
        Closed("upcoach", a, date.min, date(2026, 1, 10)),
        Closed("upcoach", a, date(2026, 1, 20), date(2026, 1, 21)),  # between them lies what a hold keeps
        Closed("upcoach", b, date.min, date(2026, 1, 5)),
    ])  # fmt: skip
    told = [
        (("upcoach", "a", date(2026, 1, 9)), True), (("upcoach", "a", date(2026, 1, 10)), False),
        (("upcoach", "a", date(2026, 1, 19)), False), (("upcoach", "a", date(2026, 1, 20)), True),
        (("upcoach", "a", date(2026, 1, 21)), False), (("upcoach", "a", date(2001, 1, 1)), True),
        (("upcoach", "b", date(2026, 1, 5)), False), (("upcoach", "b", date(2026, 1, 4)), True),
        (("upcoach", "c", date(2001, 1, 1)), False), (("rentguy", "a", date(2001, 1, 1)), False),
    ]  # fmt: skip
    found = closed.mask(events_on(*(row for row, _ in told)))
    assert found is not None
    assert found.tolist() == [is_closed for _, is_closed in told]
    assert closed.mask(events_on(("upcoach", "a", date(2026, 2, 1)))) is None
    assert ClosedDays().mask(events_on(("upcoach", "a", date(2001, 1, 1)))) is None
