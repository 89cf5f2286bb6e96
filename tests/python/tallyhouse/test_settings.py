"""The environment, read once: defaults, checks, and the key of personal data."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import PROJECT_ROOT, Settings


def test_defaults_lie_in_the_project() -> None:
    settings = Settings.from_env({"TALLYHOUSE_LAKE": "  "})
    assert settings.home == PROJECT_ROOT / ".tallyhouse"
    assert settings.landing == str(PROJECT_ROOT / "landing")
    assert settings.lake == str(PROJECT_ROOT / ".tallyhouse" / "lake")
    assert settings.database_url is None
    assert settings.as_of is None


def test_the_lake_and_the_key_follow_the_home(tmp_path: Path) -> None:
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(tmp_path)})
    assert settings.lake == str(tmp_path / "lake")
    assert settings.pii_key_file == tmp_path / "pii.key"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1998-07-01", datetime(1998, 7, 1, tzinfo=UTC)),
        ("2026-10-29T02:00:00+02:00", datetime(2026, 10, 29, tzinfo=UTC)),
        ("2026-10-29T00:00:00Z", datetime(2026, 10, 29, tzinfo=UTC)),
    ],
)
def test_as_of_is_an_instant_in_utc(text: str, instant: datetime) -> None:
    assert Settings.from_env({"TALLYHOUSE_AS_OF": text}).as_of == instant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TALLYHOUSE_AS_OF", "yesterday"),
        ("TALLYHOUSE_DATABASE_URL", "mysql://somewhere"),
        ("TALLYHOUSE_CONTRACTS", "/no/such/folder"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(TallyhouseError, match=name):
        Settings.from_env({name: value})


def test_a_bucket_stays_a_url() -> None:
    assert Settings.from_env({"TALLYHOUSE_LANDING": "s3://a/b"}).landing == "s3://a/b"


def test_the_key_is_made_once_and_kept_secret(tmp_path: Path) -> None:
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(tmp_path / "home")})
    key = settings.pii_key()
    assert len(key) == 32
    assert settings.pii_key() == key
    assert stat.S_IMODE(settings.pii_key_file.stat().st_mode) == 0o600


def test_a_damaged_key_is_never_replaced(tmp_path: Path) -> None:
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(tmp_path)})
    settings.pii_key_file.write_text("not a key")
    with pytest.raises(TallyhouseError, match=r"pii\.key"):
        settings.pii_key()
    assert settings.pii_key_file.read_text() == "not a key"
