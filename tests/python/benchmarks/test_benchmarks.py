"""The harness itself: its inputs are the same each time, its arithmetic is right, it runs."""

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import billing
from benchmarks.__main__ import main
from benchmarks.billing import Billing
from benchmarks.inputs import DUPLICATES, History, write_events
from benchmarks.marts import Build, tell_days
from benchmarks.plan import Plan
from benchmarks.report import Line, Report, read, table

SMALL = History("small", 20_000, files=4)


def lines(landing: Path, product: str) -> list[bytes]:
    files = sorted((landing / "events" / product).iterdir())
    return [line for file in files for line in file.read_bytes().splitlines()]


def webhooks(landing: Path) -> list[bytes]:
    return [line for file in landing.rglob("*.jsonl") for line in file.read_bytes().splitlines()]


def test_events_are_the_same_in_every_run(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert write_events(first, SMALL) == write_events(second, SMALL)
    for product in ("upcoach", "rostracore"):
        found = lines(first, product)
        assert found == lines(second, product)
        assert len(found) == SMALL.lines // 2
        repeated = sum(count - 1 for count in Counter(found).values())
        assert 0.5 < repeated * DUPLICATES / len(found) < 1.5
        assert 0.04 < sum(b"@example.org" in line for line in found) / len(found) < 0.06
        assert min(map(len, found)) < 250  # cut off somewhere: an invalid line


def test_other_histories_hold_other_events(tmp_path: Path) -> None:
    write_events(tmp_path, SMALL)
    write_events(tmp_path, History("day", 20_000, first_day=182, days=1, files=2))
    found = [
        json.loads(line)["event_id"] for line in lines(tmp_path, "upcoach") if line[-1:] == b"}"
    ]
    assert len(set(found)) > 0.98 * len(found)


def test_a_longer_history_of_webhooks_holds_a_shorter_one(tmp_path: Path) -> None:
    small, large = Billing("history", 40), Billing("history", 90)
    assert billing.write(tmp_path / "small", small) < billing.write(tmp_path / "large", large)
    held, kept = webhooks(tmp_path / "large"), webhooks(tmp_path / "small")
    assert len(set(held)) == len(held)
    assert set(kept) < set(held)


def test_a_day_of_webhooks_is_of_that_day_alone(tmp_path: Path) -> None:
    for day in (0, 1):
        billing.write(tmp_path / str(day), Billing("day", 400, day=day))
        found = [json.loads(line)["created"] for line in webhooks(tmp_path / str(day))]
        first = billing.START.timestamp() + (billing.DAYS + day) * billing.DAY
        assert found and first <= min(found) <= max(found) < first + billing.DAY


def test_a_ratio_is_judged_by_its_medians() -> None:
    line = Line("g", "w", [9.0, 2.0, 3.0], reference=[1.0, 2.0, 9.0], budget=1.5)
    assert (line.ratio, line.verdict) == (1.5, "met")
    line.budget = 1.4
    assert line.verdict == "NOT met"
    line.budget, line.at_least = 1.6, True
    assert line.verdict == "NOT met"


def test_an_allowance_is_taken_off_first() -> None:
    line = Line("g", "w", [0.5], reference=[0.2], budget=2.0, allowance=0.1)
    assert line.verdict == "met"
    assert Line("g", "w", [0.51], reference=[0.2], budget=2.0, allowance=0.1).verdict == "NOT met"


def test_memory_is_judged_by_its_peak() -> None:
    line = Line("g", "w", [10, 2000, 10], unit="MiB", budget=1024)
    assert line.verdict == "NOT met"


def test_the_table_follows_from_the_samples_alone(tmp_path: Path) -> None:
    report = Report(tmp_path, {"cores": "2"})
    report.missing.append("something, for a reason")
    report.add(Line("Loading", "load", [3.0, 1.0, 2.0], reference=[1.0], budget=2.5, notes=["why"]))
    written = (tmp_path / "results.md").read_text("utf-8")
    assert table(read(tmp_path)) == written
    assert "**2.00 s** (3.00, 1.00, 2.00)" in written
    assert "| 2.00 | ≤ 2.5 × | met |" in written


def test_a_day_is_compared_between_the_stores(tmp_path: Path) -> None:
    def one(seconds: float) -> Build:
        times = {"fact_events": seconds, "int_engagement__user_days": 1.0, "dim_date": 2.0}
        return Build(9.0, times, frozenset({"fact_events", "int_engagement__user_days"}))

    report = Report(tmp_path, {})
    hands = [{"fact_events": [0.5], "int_engagement__user_days": [0.5]}] * 2
    tell_days(Plan(), report, [[one(1.1), one(1.0), one(1.2)], [one(2.1), one(2.2)]], hands)
    found = {line.what.split(", ")[-1]: line for line in report.lines}
    assert found["all models"].ratio == pytest.approx(5.15 / 4.1)
    assert found["incremental models"].ratio == pytest.approx(3.15 / 2.1)
    by_hand = report.lines[0]
    assert (by_hand.ratio, by_hand.verdict) == (pytest.approx(2.0), "met")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("groups", "more"),
    [
        ({"loading": "Loading events", "cdc": "Change data capture"}, []),
        ({"marts": "Building the marts", "run": "Whole runs"}, ["--skip-10m"]),
        ({"revenue": "Revenue at scale"}, ["--skip-10m"]),
    ],
)
def test_everything_runs_at_a_tiny_scale(
    groups: dict[str, str], more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # they depend on the code alone, not on what a store holds
    monkeypatch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test")
    options = ["--only", ",".join(groups), "--scale", "0.001", "--samples", "1", "--skip-dlt"]
    outcome = CliRunner().invoke(main, [*options, *more, "--out", str(tmp_path)])
    assert outcome.exit_code == 0, outcome.output
    report = read(tmp_path)
    assert len(report.missing) == len(more)  # what was left out is said
    assert {line.group for line in report.lines} == set(groups.values())
    assert all(sample > 0 for line in report.lines for sample in line.measured)
