"""The `.env` that Dagster's processes read over what their shell says names one warehouse, wholly."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import MagicMock

import pytest
from dagster._core.secrets.env_file import get_env_var_dict

from app.dagster_home import prepare_instance
from tallyhouse.settings import Settings


def written(home: Path, root: Path) -> dict[str, str]:
    """What Dagster reads after a warehouse of this home was prepared; the schema is another test's."""
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(home)})
    warehouse: Any = SimpleNamespace(
        url="postgresql://me:pass@127.0.0.1:1/warehouse", connect=MagicMock()
    )
    there = cast(Settings, SimpleNamespace(home=settings.home, root=root, longest_run=6.0))
    given = prepare_instance(there, warehouse)
    read = get_env_var_dict(str(root))
    assert read == given
    return read


def test_home_and_history_are_of_one_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLYHOUSE_LANDING", "incoming")
    monkeypatch.setenv("TALLYHOUSE_CONTRACTS", f"one{os.pathsep}{tmp_path / 'two'}")
    monkeypatch.setenv("TALLYHOUSE_LAKE", "s3://bucket/lake")
    monkeypatch.setenv("TALLYHOUSE_AS_OF", "2026-01-01")
    home = tmp_path / "shop"
    read = written(home, tmp_path)
    assert read["TALLYHOUSE_HOME"] == str(home)
    assert read["DAGSTER_HOME"] == str(home / "dagster")
    assert read["TALLYHOUSE_LANDING"] == str(tmp_path / "incoming")
    assert read["TALLYHOUSE_CONTRACTS"] == f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}"
    assert read["TALLYHOUSE_LAKE"] == "s3://bucket/lake"
    assert "TALLYHOUSE_AS_OF" not in read, "a moment is asked for, not a place"


@pytest.mark.parametrize(
    "name", ["o'brien home", "back\\slash", 'a "quoted" one', "dollar $HOME #1"]
)
def test_a_home_of_any_name_is_read_back_as_it_is(tmp_path: Path, name: str) -> None:
    read = written(tmp_path / name, tmp_path)
    assert read["TALLYHOUSE_HOME"] == str(tmp_path / name)
