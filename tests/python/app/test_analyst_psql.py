"""`tallyhouse db psql`: as whom it opens the warehouse."""

from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from app import cli_db
from app.cli import main


@pytest.mark.parametrize(
    ("words", "options", "passed_on"),
    [
        (["psql", "--", "-c", "select 1"], None, ["-c", "select 1"]),
        (
            ["psql", "--analyst", "--", "-c", "select 1"],
            "-c role=tallyhouse_analyst -c default_transaction_read_only=on",
            ["-c", "select 1"],
        ),
    ],
)
def test_an_analyst_reads_as_one_and_writes_nothing(
    words: list[str],
    options: str | None,
    passed_on: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = SimpleNamespace(home=tmp_path_factory.mktemp("home"))
    house = SimpleNamespace(settings=settings, libpq_env=lambda: {"PGHOST": "127.0.0.1"})
    called: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.delenv("PGOPTIONS", raising=False)
    monkeypatch.setattr(cli_db, "_running", lambda: house)
    monkeypatch.setattr(cli_db.os, "execve", lambda _, words, env: called.append((words, env)))
    answer = CliRunner().invoke(main, ["db", *words])
    assert answer.exit_code == 0, answer.output
    ((given, environment),) = called
    assert given[1:] == passed_on
    assert environment.get("PGOPTIONS") == options
    assert environment["PGHOST"] == "127.0.0.1"
