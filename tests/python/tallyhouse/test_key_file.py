"""The file of the master key: closed to others, never replaced by accident, exchanged in one step."""

from pathlib import Path

import pytest

from tallyhouse import key_file
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings
from tests.keys import put_key

KEY = bytes(range(32))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_key_that_others_may_read_is_refused_with_the_way_out(tmp_path: Path, mode: int) -> None:
    path = put_key(tmp_path / "pii.key", KEY)
    path.chmod(mode)
    with pytest.raises(TallyhouseError, match=f"chmod 600 {path}"):
        key_file.read(path)
    path.chmod(0o600)
    assert key_file.read(path) == KEY


def test_a_made_key_and_its_folder_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "config" / "tallyhouse" / "pii.key"
    key = key_file.read_or_make(path)
    assert len(key) == 32 and key_file.read_or_make(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [found.name for found in path.parent.iterdir()] == ["pii.key"]


def test_a_fingerprint_knows_the_key_and_says_nothing_of_it() -> None:
    assert key_file.fingerprint(KEY) == key_file.fingerprint(bytes(KEY))
    assert key_file.fingerprint(KEY) != key_file.fingerprint(KEY[:-1] + b"\0")
    assert key_file.fingerprint(KEY) not in KEY.hex()


def test_an_exchange_puts_the_former_key_away(tmp_path: Path) -> None:
    path = put_key(tmp_path / "pii.key", KEY)
    new = key_file.read_or_make(key_file.next_path(path))
    former = key_file.exchange(path)
    assert former is not None and key_file.read(former) == KEY
    assert key_file.read(path) == new != KEY
    assert not key_file.next_path(path).exists()


def test_of_a_server_the_key_lies_outside_of_the_warehouse(tmp_path: Path) -> None:
    given = {
        "TALLYHOUSE_HOME": str(tmp_path / "home"),
        "TALLYHOUSE_DATABASE_URL": "postgresql://somebody@db.example/warehouse",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    assert Settings.from_env(given).pii_key_file == tmp_path / "config" / "tallyhouse" / "pii.key"
    (tmp_path / "home").mkdir()
    before = put_key(tmp_path / "home" / "pii.key", KEY)
    assert Settings.from_env(given).pii_key_file == before, "a key from before is still the key"
    given["TALLYHOUSE_PII_KEY_FILE"] = str(tmp_path / "elsewhere")
    assert Settings.from_env(given).pii_key_file == tmp_path / "elsewhere"
