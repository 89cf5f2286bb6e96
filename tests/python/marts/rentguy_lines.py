"""Lines of RentGuy's database, written by hand: every company counts its own rows.

Belongs here: the shapes the source uses. Does not belong here: any expectation.
"""

from typing import Any

from tests.python.marts.upcoach_lines import change

Line = dict[str, Any]


def row(tenant: str, table: str, op: str, number: int, committed: str, **columns: Any) -> Line:
    """A change of a row that the company counts itself; times are UTC."""
    told = {
        k: f"{v}Z".replace(" ", "T") if k.endswith("_at") and v is not None else v
        for k, v in columns.items()
    }
    key = {"organization_id": tenant, "id": number}
    return change(table, op, committed, told, key, "rentguy")


def company(tenant: str, op: str, committed: str, timezone: str, currency: str) -> Line:
    columns = {"name": tenant, "timezone": timezone, "currency": currency}
    line = row(tenant, "organizations", op, 0, committed, **columns)
    line["key"] = {"id": tenant}
    line["value"]["after"] |= {"id": tenant}
    del line["value"]["after"]["organization_id"]
    return line
