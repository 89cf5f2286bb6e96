"""`tallyhouse dev`: what it says before Dagster's UI opens, and what its words mean."""

import io
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner

from app import dev, preparation, told
from app.cli import main
from tallyhouse import database
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings


class Opened(Exception):
    """Stands in for the process becoming Dagster's."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home, a folder that is the project, and no database: what is opened is looked at, not made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLYHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(dev, "prepare_instance", lambda *_: {"DAGSTER_HOME": "there"})
    monkeypatch.setattr(database, "open_warehouse", lambda _: None)
    monkeypatch.setattr(preparation, "prepare", lambda _: None)
    return Settings.from_env({"TALLYHOUSE_HOME": str(tmp_path / "home")})


def leave_a_run(settings: Settings) -> None:
    with told.telling(settings) as tell:
        tell.loaded_after(0)
        tell.learned([])


def said_before_it_opens(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, program: str
) -> tuple[str, list[str], dict[str, str]]:
    """What is said, and with which words and environment Dagster is started, where `program` (Python)
    takes over what the command line did."""
    started: list[Any] = []

    def execve(_: str, words: list[str], environment: dict[str, str]) -> NoReturn:
        started.append((words, environment))
        raise Opened

    run = dev.subprocess.run

    def instead(words: list[str], **given: Any) -> Any:
        assert words[1:3] == ["-m", "orchestration.runs_told"]
        assert given["env"]["DAGSTER_HOME"] == "there"
        return run([sys.executable, "-c", program], **given)

    monkeypatch.setattr(dev.os, "execve", execve)
    monkeypatch.setattr(dev.subprocess, "run", instead)
    stream = io.StringIO()
    with pytest.raises(Opened):
        dev.open_ui(settings, None, Reporter(stream), ["-p", "3001"])  # type: ignore[arg-type]
    ((words, environment),) = started
    return stream.getvalue(), words[1:], environment


def test_it_says_what_it_takes_over_and_what_came_of_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_a_run(settings)
    program = "print('a log line'); print('1 run of the command line taken over, none left.')"
    said, words, environment = said_before_it_opens(settings, monkeypatch, program)
    assert "history what 1 run of the command line did …" in said
    assert said.endswith("1 run of the command line taken over, none left.\n")
    assert "a log line" not in said
    assert (words, environment["DAGSTER_HOME"]) == (["dev", "-p", "3001"], "there")


def test_where_nothing_waits_it_opens_without_a_word(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, words, _ = said_before_it_opens(settings, monkeypatch, "raise SystemExit(1)")
    assert (said, words) == ("", ["dev", "-p", "3001"])


def test_a_failure_is_told_and_keeps_nobody_from_the_ui(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_a_run(settings)
    said, words, _ = said_before_it_opens(settings, monkeypatch, "raise OSError('no such storage')")
    assert "Not all of it was taken over (OSError: no such storage)" in said
    assert "runs_of_the_command_line goes on" in said
    assert words == ["dev", "-p", "3001"]
    assert len(told.waiting(settings)) == 1


def test_it_takes_no_longer_than_it_may(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_a_run(settings)
    monkeypatch.setattr(dev, "TELLING_SECONDS", 0)
    monkeypatch.setattr(dev, "STARTING_SECONDS", 1)
    begun = time.monotonic()
    said, words, _ = said_before_it_opens(settings, monkeypatch, "import time; time.sleep(600)")
    assert time.monotonic() - begun < 300
    assert "Not all of it was taken over (not done after 1 s)" in said
    assert words == ["dev", "-p", "3001"]


@pytest.mark.parametrize(
    ("words", "passed_on"),
    [
        ([], []),
        (["-h", "0.0.0.0", "-p", "3001"], ["-h", "0.0.0.0", "-p", "3001"]),
        (["--host", "0.0.0.0"], ["--host", "0.0.0.0"]),
        (["--", "--help"], ["--help"]),
        (["--help"], None),
        (["-h"], None),
        (["-p", "3001", "-h"], None),
        (["-h", "-p", "3001"], None),
    ],
)
@pytest.mark.usefixtures("settings")
def test_a_host_goes_to_dagster_and_without_one_it_is_help(
    words: list[str], passed_on: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[list[str]] = []
    monkeypatch.setattr(dev, "open_ui", lambda *given: opened.append([*given[-1]]))
    answer = CliRunner().invoke(main, ["dev", *words])
    assert answer.exit_code == 0, answer.output
    assert opened == ([] if passed_on is None else [passed_on])
    assert ("-h HOST and -p PORT say where" in answer.output) == (passed_on is None)
