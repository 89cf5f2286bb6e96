"""Dagster's landing step: its log says what was not read, and it fails for what is new."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from app import pipeline
from ingestion.report import LoadReport
from orchestration.defs.ingestion.landing import landing
from tallyhouse.database import Warehouse

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("is_new", [False, True])
def test_a_source_that_is_missing_since_an_earlier_load_keeps_no_other_from_being_built(
    fresh_database: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str], is_new: bool,
) -> None:  # fmt: skip
    warehouse = fresh_database("landing_step", prepared=True)
    Path(warehouse.settings.landing).mkdir()
    monkeypatch.setenv("TALLYHOUSE_HOME", str(warehouse.settings.home))
    monkeypatch.setenv("TALLYHOUSE_LANDING", warehouse.settings.landing)
    monkeypatch.setenv("TALLYHOUSE_DATABASE_URL", warehouse.url)
    monkeypatch.setenv("TALLYHOUSE_PII_KEY_FILE", str(warehouse.settings.pii_key_file))
    report = LoadReport(
        undeclared=["Nobody declared the product 'x'."],
        stray=["a.csv belongs to no source."],
        standing=["Nothing of events/x was stored."],
        unreadable=["A new fault."] if is_new else [],
    )
    monkeypatch.setattr(pipeline, "load", lambda *_: report)
    defs = landing()
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            list(defs.assets or ()), resources=defs.resources, instance=instance,
            raise_on_error=False,
        )  # fmt: skip
    assert done.success is not is_new
    logged = capfd.readouterr().err
    for sentence in (*report.undeclared, *report.stray, *report.standing):
        assert any("WARNING" in line and sentence in line for line in logged.splitlines()), sentence
