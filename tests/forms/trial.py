"""Loads one form and tells what came of it.

Belongs here: a landing and a contract folder for a form, the questions to the database afterwards.
Does not belong here: which answer is due (the forms), assertions (`test_forms`).
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingestion.load import load_all
from tallyhouse.database import Warehouse
from tests.forms import PRODUCT, Form
from tests.keys import put_key

TABLES = {
    "events": "raw_events.events",
    "stripe": "raw_stripe.events",
    "revenuecat": "raw_revenuecat.events",
}
JSON_COLUMNS = ("properties", "payload")


@dataclass(frozen=True)
class Came:
    """What came of a form: its rows as texts of the columns that the form names, and what was said.

    `rejected` counts records, `failures` are the report's sentences that end a load with exit code 1.
    """

    rows: list[tuple[str | None, ...]]
    rejected: int
    failures: list[str]
    said: str


def load_form(form: Form, warehouse: Warehouse, folder: Path) -> Came:
    """Load a form below `folder`, which is empty, into a prepared warehouse."""
    landing, contracts = folder / "landing", folder / "contracts"
    landing.mkdir()
    contracts.mkdir()
    for path, content in form.files.items():
        target = landing / path.replace(PRODUCT, form.product)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if form.contract is not None:
        text = form.contract.replace(PRODUCT, form.product)
        (contracts / f"{form.product}.yml").write_text(text, encoding="utf-8")
    key = put_key(folder / "pii.key", b"\x07" * 32)
    settings = replace(
        warehouse.settings,
        landing=os.fspath(landing),
        lake=os.fspath(folder / "lake"),
        contracts=(contracts,),
        pii_key_file=key,
    )
    with warehouse.connect() as conn:
        (before,) = conn.execute(
            "select coalesce(max(load_id), 0) from ops.load_manifest"
        ).fetchone()  # type: ignore[misc]
    report = load_all(warehouse.connect, settings, kinds=[form.source], processes=1)
    with warehouse.connect() as conn:
        conn.execute("set timezone = 'UTC'")
        refused = conn.execute(
            "select reason from ops.rejected_records where load_id > %s order by line_number",
            (before,),
        ).fetchall()
        drift = conn.execute(
            "select object_name || ' ' || field_name || ' ' || kind from ops.schema_drift"
            " where last_load_id > %s and source_name = %s order by 1",
            (before, form.product),
        ).fetchall()
        rows = _rows(conn, form)
    said = [*(text for (text,) in (*refused, *drift)), *report.sentences()]
    return Came(rows, len(refused), report.unreadable, "\n".join(said))


def _rows(conn: Any, form: Form) -> list[tuple[str | None, ...]]:
    """The form's rows, sorted."""
    columns = list(form.stored[0]) if form.stored else []
    if form.source == "cdc":
        table, where = f"raw_cdc.{form.product}__{form.table}", "true"
        (exists,) = conn.execute("select to_regclass(%s) is not null", (table,)).fetchone()
        if not exists:
            return []
    else:
        # a webhook's account is the form's product and belongs to it
        table, where = TABLES[form.source], "product = %(product)s"
    chosen = ", ".join(map(_expression, columns)) or "'a row'"
    query = f"select {chosen} from {table} where {where}"
    found: list[tuple[str | None, ...]] = conn.execute(query, {"product": form.product}).fetchall()
    return sorted(found, key=str)


def _expression(column: str) -> str:
    held, _, name = column.partition(".")
    if not name:
        return f'"{held}"::text'
    assert held in JSON_COLUMNS, column
    return f"{held} #>> '{{{name.replace('.', ',')}}}'"
