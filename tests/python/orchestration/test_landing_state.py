"""The landing folder's fingerprint: what the sensor wakes up for."""

from pathlib import Path

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
