"""A run says what it did not read, and does not end well while nothing of a source is stored."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app import pipeline
from ingestion.report import LoadReport
from tallyhouse.database import Warehouse
from tallyhouse.progress import Reporter

pytestmark = pytest.mark.slow
PASSED_OVER = ("Nobody declared the product 'x'.", "a.csv belongs to no source.")


@pytest.fixture
def warehouse(fresh_database: Callable[..., Warehouse]) -> Warehouse:
    made = fresh_database("run_says", prepared=True)
    Path(made.settings.landing).mkdir()
    return made


def test_a_run_says_what_it_did_not_read_and_does_not_end_well(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = LoadReport(
        undeclared=[PASSED_OVER[0]], stray=[PASSED_OVER[1]], notes=["A note."], standing=["None."]
    )
    monkeypatch.setattr(pipeline, "load", lambda *_: report)
    monkeypatch.setattr(pipeline, "_build_and_train", lambda *_: {"tests": {}})
    monkeypatch.setattr(pipeline.summary, "collect", lambda *_, **__: {})
    monkeypatch.setattr(pipeline.report_page, "write", lambda *_: "")
    said: list[str] = []
    reporter = Reporter()
    monkeypatch.setattr(reporter, "say", said.append)
    result = pipeline.run(warehouse.settings, warehouse, reporter, may_sample=False)
    assert [text for text in said if not text.startswith("Loading")] == ["A note.", *PASSED_OVER]
    assert result.problems == ["None."]
    report.undeclared, report.stray, report.standing = [], [], []
    assert pipeline.run(warehouse.settings, warehouse, reporter, may_sample=False).problems == []
