"""The manifest, when several of Dagster's processes ask for it at once."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration import dbt_project

PARSED = {"nodes": {"model.a": {}}, "sources": {}}


def test_one_parses_and_the_others_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "target" / "manifest.json"
    parsings: list[float] = []

    def parse_slowly(settings: Any) -> None:
        parsings.append(time.monotonic())
        text = json.dumps(PARSED)
        with path.open("w") as file:
            file.write(text[:10])
            file.flush()
            time.sleep(0.3)
            file.write(text[10:])

    monkeypatch.setattr(dbt_project.dbt, "parse", parse_slowly)
    monkeypatch.setattr(dbt_project.Settings, "from_env", lambda: SimpleNamespace(root=tmp_path))
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: dbt_project._manifest.__wrapped__()[0], range(4)))
    assert found == [PARSED] * 4
    assert len(parsings) == 1


def test_where_nothing_can_be_written_a_manifest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text(json.dumps(PARSED), "utf-8")
    (tmp_path / "target" / ".parsing").mkdir()  # cannot be opened, by root either
    monkeypatch.setattr(dbt_project.Settings, "from_env", lambda: SimpleNamespace(root=tmp_path))
    assert dbt_project._manifest.__wrapped__()[0] == PARSED
