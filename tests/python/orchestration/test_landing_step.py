"""Dagster's landing step: its log says what was not read, and what could be read is there for the rest of the run."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from app import pipeline
from ingestion.report import LoadReport
from orchestration.defs.ingestion.landing import landing
from tallyhouse.database import Warehouse

pytestmark = pytest.mark.slow


def test_what_was_not_read_is_said_and_keeps_no_other_from_being_built(
    fresh_database: Callable[..., Warehouse],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """That the run fails for it is the check's affair (`test_nights`)."""
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
        unreadable=["A new fault."],
    )
    monkeypatch.setattr(pipeline, "load", lambda *_: report)
    defs = landing()
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            list(defs.assets or ()), resources=defs.resources, instance=instance,
            raise_on_error=False,
        )  # fmt: skip
    assert done.success
    logged = capfd.readouterr().err.splitlines()
    for level, sentences in {
        "WARNING": (*report.undeclared, *report.stray),
        "ERROR": (*report.standing, *report.unreadable),
    }.items():
        for sentence in sentences:
            assert any(level in line and sentence in line for line in logged), sentence
