"""The landing folder's fingerprint: what the sensor wakes up for."""

from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.automation.jobs import arriving_files
from orchestration.landing_state import landing_fingerprint


def test_absent_folder_has_no_files(tmp_path: Path) -> None:
    assert landing_fingerprint(str(tmp_path / "absent")) == ("", 0)


def test_same_files_same_fingerprint_and_a_new_or_grown_file_changes_it(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "a.jsonl").write_text("{}\n")
    first = landing_fingerprint(str(tmp_path))
    assert first == landing_fingerprint(str(tmp_path))
    assert first[1] == 1

    (tmp_path / "events" / "b.jsonl").write_text("{}\n")
    second = landing_fingerprint(str(tmp_path))
    assert second[1] == 2
    assert second[0] != first[0]

    (tmp_path / "events" / "b.jsonl").write_text("{}\n{}\n")
    assert landing_fingerprint(str(tmp_path))[0] != second[0]


def test_the_sensor_of_a_home_of_its_own_waits_until_a_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's folder is not this warehouse's: its files would be among the real ones."""
    monkeypatch.setenv("TALLYHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TALLYHOUSE_LANDING", raising=False)
    asked = arriving_files(dg.build_sensor_context())
    assert isinstance(asked, dg.SkipReason) and "TALLYHOUSE_LANDING" in (asked.skip_message or "")
    own = tmp_path / "own" / "events" / "a"
    own.mkdir(parents=True)
    (own / "a.jsonl").write_text("{}\n")
    monkeypatch.setenv("TALLYHOUSE_LANDING", str(tmp_path / "own"))
    assert isinstance(arriving_files(dg.build_sensor_context()), dg.RunRequest)
