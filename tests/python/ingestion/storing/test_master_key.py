"""A warehouse knows its key: no other one loads into it, and a new one has everything read again."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingestion import schema
from ingestion.load import rotate_key
from ingestion.privacy.tokens import Tokeniser
from tallyhouse import key_file
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tests.keys import put_key
from tests.python.ingestion.conftest import KEY, OTHER_TENANT, TENANT, Loading, line

pytestmark = pytest.mark.slow
OTHER_KEY = bytes(reversed(range(32)))
WHO = {"user_id": "ann@x.example", "properties": {"goal_id": 1, "email": "ann@x.example"}}


@pytest.fixture
def loading(fresh_database: Callable[..., Warehouse], tmp_path: Path) -> Loading:
    warehouse = fresh_database("keys")
    with warehouse.connect() as conn:
        schema.apply(conn)
    return Loading(warehouse, tmp_path)


def ann(loading: Loading) -> set[str]:
    return {text for (text,) in loading.rows("select user_source_id from raw_events.events")}


def token(key: bytes, tenant: str) -> str:
    return Tokeniser(key).token(tenant, "ann@x.example")


def rotate(loading: Loading, **options: Any) -> list[str]:
    report = rotate_key(loading.warehouse.connect, loading.settings, processes=1, **options)
    return report.sentences()


def test_another_key_stops_the_load_with_the_way_out(loading: Loading) -> None:
    loading.put("events/upcoach/a.jsonl", [line(1, **WHO)])
    loading.load()
    loading.put("events/upcoach/b.jsonl", [line(2, **WHO)])
    put_key(loading.settings.pii_key_file, OTHER_KEY)
    with pytest.raises(TallyhouseError, match=r"tallyhouse key rotate --lost") as told:
        loading.load()
    assert key_file.fingerprint(KEY) in str(told.value)
    assert key_file.fingerprint(OTHER_KEY) in str(told.value)
    with pytest.raises(TallyhouseError):
        loading.reload("events")
    assert ann(loading) == {token(KEY, TENANT)}
    put_key(loading.settings.pii_key_file, KEY)
    assert loading.load().stored == 1


def test_a_lost_key_is_not_made_anew(loading: Loading) -> None:
    loading.put("events/upcoach/a.jsonl", [line(1, **WHO)])
    loading.load()
    loading.settings.pii_key_file.unlink()
    for store in ("with a fingerprint", "of an earlier version"):
        with pytest.raises(TallyhouseError, match="is gone"):
            loading.load()
        assert not loading.settings.pii_key_file.exists(), store
        with loading.warehouse.connect() as conn:
            conn.execute("delete from ops.personal_data_keys")


def test_a_store_of_an_earlier_version_takes_the_key_that_is_there(loading: Loading) -> None:
    loading.put("events/upcoach/a.jsonl", [line(1, **WHO)])
    loading.load()
    with loading.warehouse.connect() as conn:
        conn.execute("delete from ops.personal_data_keys")
    loading.load()
    assert loading.one(
        "select key_fingerprint from ops.personal_data_keys"
    ) == key_file.fingerprint(KEY)


def test_a_rotation_leaves_no_token_of_the_former_key(loading: Loading) -> None:
    """As a clean load under the new key; one e-mail address has two tokens in two tenants (rule 74)."""
    loading.put("events/upcoach/a.jsonl", [line(1, **WHO), line(2, **WHO, tenant_id=OTHER_TENANT)])
    loading.load()
    before = loading.events()
    told = rotate(loading)
    new = key_file.read(loading.settings.pii_key_file)
    assert new != KEY
    assert any(key_file.fingerprint(new) in sentence for sentence in told)
    assert ann(loading) == {token(new, TENANT), token(new, OTHER_TENANT)}
    assert "tok_" in str(before) and not _tokens(before) & _tokens(loading.events())
    assert loading.unaccounted() == 0
    assert loading.rows(
        "select key_fingerprint, retired_at is null from ops.personal_data_keys order by retired_at"
    ) == [(key_file.fingerprint(KEY), False), (key_file.fingerprint(new), True)]
    assert loading.load().stored == 0
    (former,) = loading.settings.pii_key_file.parent.glob("pii.key.former-*")
    assert key_file.read(former) == KEY


def _tokens(rows: list[tuple[Any, ...]]) -> set[str]:
    return {text[:36] for text in str(rows).split("'") if text.startswith("tok_")}


def test_a_lost_key_is_rotated_without_it(loading: Loading) -> None:
    loading.put("events/upcoach/a.jsonl", [line(1, **WHO)])
    loading.load()
    loading.settings.pii_key_file.unlink()
    rotate(loading, is_lost=True)
    new = key_file.read(loading.settings.pii_key_file)
    assert ann(loading) == {token(new, TENANT)}


def test_what_cannot_be_read_again_stops_a_rotation_unless_it_is_left(loading: Loading) -> None:
    gone = loading.put("events/upcoach/a.jsonl", [line(1, **WHO)])
    loading.put("events/upcoach/b.jsonl", [line(2, **WHO)])
    loading.load()
    gone.unlink()
    with pytest.raises(TallyhouseError, match=r"a\.jsonl.*--leave-gone"):
        rotate(loading)
    assert key_file.read(loading.settings.pii_key_file) == KEY and ann(loading) == {
        token(KEY, TENANT)
    }
    rotate(loading, leaves_gone=True)
    new = key_file.read(loading.settings.pii_key_file)
    assert ann(loading) == {token(KEY, TENANT), token(new, TENANT)}


def test_a_rotation_that_ended_before_its_last_step_is_finished_by_the_next_load(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading.put("events/upcoach/a.jsonl", [line(1, **WHO)])
    loading.load()

    def stop(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(key_file, "exchange", stop)
        with pytest.raises(KeyboardInterrupt):
            rotate(loading)
    assert key_file.read(loading.settings.pii_key_file) == KEY
    loading.load()
    new = key_file.read(loading.settings.pii_key_file)
    assert new != KEY and ann(loading) == {token(new, TENANT)}


def test_a_rotation_that_fails_within_leaves_all_as_it_was(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading.put("events/upcoach/a.jsonl", [line(1, **WHO)])
    loading.load()
    before = loading.events()

    def stop(*_: Any) -> None:
        raise psycopg.errors.DiskFull("full")

    with monkeypatch.context() as broken:
        broken.setattr("ingestion.load._Load._load", stop)
        with pytest.raises(TallyhouseError):
            rotate(loading)
    assert key_file.read(loading.settings.pii_key_file) == KEY
    assert loading.events() == before
    assert loading.load().stored == 0


def test_the_commands(loading: Loading) -> None:
    loading.put("events/upcoach/a.jsonl", [line(1, **WHO)])
    loading.load()
    settings = replace(loading.settings, home=loading.warehouse.settings.home)
    environment = {
        **os.environ, "TALLYHOUSE_DATABASE_URL": loading.warehouse.url,
        "TALLYHOUSE_HOME": str(settings.home), "TALLYHOUSE_LANDING": settings.landing,
        "TALLYHOUSE_LAKE": settings.lake, "TALLYHOUSE_PII_KEY_FILE": str(settings.pii_key_file),
    }  # fmt: skip

    def tell(*command: str) -> tuple[int, str]:
        done = subprocess.run(
            [Path(sys.executable).with_name("tallyhouse"), *command], env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    code, told = tell("key", "status")
    assert code == 0 and told.count(key_file.fingerprint(KEY)) == 2
    put_key(settings.pii_key_file, OTHER_KEY)
    assert tell("key", "status")[0] == 3
    code, told = tell("key", "rotate")
    assert code == 1 and "key rotate --lost" in told
    code, told = tell("key", "rotate", "--lost")
    assert code == 0, told
    assert tell("key", "status")[0] == 0
    assert ann(loading) == {token(key_file.read(settings.pii_key_file), TENANT)}
