"""`tallyhouse build --days`: which days the words mean. What is then rebuilt: `marts/test_fulfilment`."""

import json
from datetime import date

import pytest
from click.testing import CliRunner

from app import building, cli
from tallyhouse.errors import TallyhouseError


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-03-01..2026-03-07", date(2026, 3, 1), date(2026, 3, 7)),
        (" 2026-03-01 .. 2026-03-01 ", date(2026, 3, 1), date(2026, 3, 1)),
        ("2026-03-01", date(2026, 3, 1), date(2026, 3, 1)),
    ],
)
def test_days_are_a_first_and_a_last_one(text: str, first: date, last: date) -> None:
    assert cli.asked_days(text) == (first, last)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-02-30", "..2026-03-01", "2026-03-01...2026-03-02"]
)
def test_what_is_no_day_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(TallyhouseError, match=r"write 2026-03-01\.\.2026-03-07"):
        cli.asked_days(text)


def test_days_that_end_before_they_begin_are_turned_around_by_hand() -> None:
    with pytest.raises(TallyhouseError, match=r"write 2026-03-01\.\.2026-03-07"):
        cli.asked_days("2026-03-07..2026-03-01")


def test_the_command_refuses_before_it_opens_a_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYHOUSE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    answer = CliRunner().invoke(cli.main, ["build", "--days", "soon"])
    assert answer.exit_code != 0
    assert "--days soon names no days" in answer.output


def test_dbt_is_told_the_first_and_the_last_day() -> None:
    words = building.days_to_rebuild(date(2026, 3, 1), date(2026, 3, 7))
    assert words[0] == "--vars"
    assert json.loads(words[1]) == {"rebuilt_days": {"first": "2026-03-01", "last": "2026-03-07"}}
