"""However early a command fails: a sentence with the way out, and the exit code that is due."""

import sys
import types
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app import start
from app.cli_errors import sentences
from tallyhouse.errors import INTERRUPTED


def test_interrupted_while_it_still_imports(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    stub = types.ModuleType("app.cli")
    stub.__getattr__ = interrupted  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "app.cli", stub)
    with pytest.raises(SystemExit) as ended:
        start.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == INTERRUPTED + "\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Interrupted. Nothing is lost"),
        (
            PermissionError(13, "Permission denied", "/x/lake"),
            1,
            "/x/lake cannot be read or written",
        ),
        (OSError(30, "Read-only file system", "/x/home"), 1, "set TALLYHOUSE_HOME"),
        (OSError(28, "No space left on device", "/x"), 1, "No space is left on the disk of /x"),
    ],
)
def test_each_failure_is_a_sentence(error: BaseException, code: int, said: str) -> None:
    @click.command()
    @sentences
    def command() -> None:
        raise error

    done = CliRunner().invoke(command)
    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_what_nobody_foresaw_is_told_even_where_no_log_can_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    monkeypatch.setenv("TALLYHOUSE_HOME", str(tmp_path / "home"))

    @click.command()
    @sentences
    def command() -> None:
        raise ZeroDivisionError("a bug")

    done = CliRunner().invoke(command)
    assert done.exit_code == 1
    assert done.output.rstrip().endswith("Unexpected ZeroDivisionError: a bug.")
    assert "Traceback" in done.output
